/* The closed vocabulary: RSIT version 1003 (CC0), 11 classes with 39 types. What judges content has no code here: the
 * three content types (harmful-speech, violence, copyright) are refused at every door; other/other and
 * other/undetermined go only to the party that answers. */
#ifndef REGIME_VOCABULARY_H
#define REGIME_VOCABULARY_H

#include "base/span.h"

/* Dense numbers in RSIT's order; CLASS_NONE is 0. */
enum rsit_class {
	CLASS_NONE,
	CLASS_SPAM,
	CLASS_HARMFUL_SPEECH,
	CLASS_VIOLENCE,
	CLASS_INFECTED_SYSTEM,
	CLASS_C2_SERVER,
	CLASS_MALWARE_DISTRIBUTION,
	CLASS_MALWARE_CONFIGURATION,
	CLASS_SCANNER,
	CLASS_SNIFFING,
	CLASS_SOCIAL_ENGINEERING,
	CLASS_IDS_ALERT,
	CLASS_BRUTE_FORCE,
	CLASS_EXPLOIT,
	CLASS_PRIVILEGED_ACCOUNT_COMPROMISE,
	CLASS_UNPRIVILEGED_ACCOUNT_COMPROMISE,
	CLASS_APPLICATION_COMPROMISE,
	CLASS_SYSTEM_COMPROMISE,
	CLASS_BURGLARY,
	CLASS_DOS,
	CLASS_DDOS,
	CLASS_MISCONFIGURATION,
	CLASS_SABOTAGE,
	CLASS_OUTAGE,
	CLASS_UNAUTHORISED_INFORMATION_ACCESS,
	CLASS_UNAUTHORISED_INFORMATION_MODIFICATION,
	CLASS_DATA_LOSS,
	CLASS_DATA_LEAK,
	CLASS_UNAUTHORISED_USE_OF_RESOURCES,
	CLASS_COPYRIGHT,
	CLASS_MASQUERADE,
	CLASS_PHISHING,
	CLASS_WEAK_CRYPTO,
	CLASS_DDOS_AMPLIFIER,
	CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE,
	CLASS_INFORMATION_DISCLOSURE,
	CLASS_VULNERABLE_SYSTEM,
	CLASS_OTHER,
	CLASS_UNDETERMINED,
	CLASS_TEST,
	CLASS_COUNT
};

/* "malicious-code/infected-system". Static. */
const char *class_name(enum rsit_class c);
const char *class_says(enum rsit_class c); /* one plain sentence for people */

/* Full name, or the type alone, or the spellings of IntelMQ ("unauthorized-use-of-resources", "blacklist" → other).
 * ERR_CLASS_CONTENT for the three refused, ERR_CLASS_UNKNOWN. */
enum err class_parse(struct span name, enum rsit_class *out);

bool class_is_content(enum rsit_class c);
/* Days in which an answer is due when no pledge says otherwise. */
unsigned class_due_days(enum rsit_class c);

#endif
