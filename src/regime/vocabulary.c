#include "regime/vocabulary.h"

#include <assert.h>

#include "regime/speech.h"

/*
 * Days in which an answer is due, where no pledge says otherwise
 *
 * These are defaults of this program, not of RSIT. They ask how long others are hurt while nobody acts:
 *
 *	 1	an attack is running, or others are infected from there right now: command servers, distribution of
 *		malware, denial of service, phishing, wiretapping, an outage
 *	 3	a machine is in strange hands and takes part in attacks: infected, brute-forcing, exploiting, compromised;
 *		or data of others lies open
 *	 7	it annoys or prepares: scans, spam, misconfiguration, and what a person must look at first
 *	14	a weakness that nobody is known to use yet: the whole group "vulnerable"
 */
static const struct {
	const char *name, *says;
	unsigned days;
	bool content; /* judges what is said, shown or copied */
} classes[CLASS_COUNT] = {
	[CLASS_NONE] = { "", "No class.", 7, false },

	[CLASS_SPAM] = { "abusive-content/spam", "A host sends mail in bulk that nobody asked for.", 7, false },
	[CLASS_HARMFUL_SPEECH] = { "abusive-content/harmful-speech", "Judges what is said: never taken.", 7, true },
	[CLASS_VIOLENCE] = { "abusive-content/violence", "Judges what is shown: never taken.", 7, true },

	[CLASS_INFECTED_SYSTEM] = { "malicious-code/infected-system", "A machine is infected with malware.", 3, false },
	[CLASS_C2_SERVER] = { "malicious-code/c2-server", "A server gives orders to infected machines.", 1, false },
	[CLASS_MALWARE_DISTRIBUTION] = { "malicious-code/malware-distribution",
					 "An address serves malware to whoever visits it.", 1, false },
	[CLASS_MALWARE_CONFIGURATION] = { "malicious-code/malware-configuration",
					  "An address serves the settings that malware fetches.", 1, false },

	[CLASS_SCANNER] = { "information-gathering/scanner", "A host tries out the services of others.", 7, false },
	[CLASS_SNIFFING] = { "information-gathering/sniffing", "Traffic of others is being recorded.", 1, false },
	[CLASS_SOCIAL_ENGINEERING] = { "information-gathering/social-engineering",
				       "People are talked into giving access.", 7, false },

	[CLASS_IDS_ALERT] = { "intrusion-attempts/ids-alert", "A host tries to use known weaknesses of others.", 3,
			      false },
	[CLASS_BRUTE_FORCE] = { "intrusion-attempts/brute-force", "A host guesses passwords of others.", 3, false },
	[CLASS_EXPLOIT] = { "intrusion-attempts/exploit", "A host attacks in a way not known before.", 3, false },

	[CLASS_PRIVILEGED_ACCOUNT_COMPROMISE] = { "intrusions/privileged-account-compromise",
						  "Somebody else has an administrator's account.", 3, false },
	[CLASS_UNPRIVILEGED_ACCOUNT_COMPROMISE] = { "intrusions/unprivileged-account-compromise",
						    "Somebody else has a user's account.", 3, false },
	[CLASS_APPLICATION_COMPROMISE] = { "intrusions/application-compromise",
					   "An application was taken over through a weakness.", 3, false },
	[CLASS_SYSTEM_COMPROMISE] = { "intrusions/system-compromise", "A machine is in somebody else's hands.", 3,
				      false },
	[CLASS_BURGLARY] = { "intrusions/burglary", "Somebody broke into a building.", 7, false },

	[CLASS_DOS] = { "availability/dos", "One host makes a service of others stop or slow down.", 1, false },
	[CLASS_DDOS] = { "availability/ddos", "Many hosts together make a service of others stop.", 1, false },
	[CLASS_MISCONFIGURATION] = { "availability/misconfiguration", "A wrong setting makes a service fail.", 7,
				     false },
	[CLASS_SABOTAGE] = { "availability/sabotage", "Somebody damaged equipment.", 7, false },
	[CLASS_OUTAGE] = { "availability/outage", "A service is down by accident or disaster.", 1, false },

	[CLASS_UNAUTHORISED_INFORMATION_ACCESS] = { "information-content-security/unauthorised-information-access",
						    "Somebody without the right to it read information.", 3, false },
	[CLASS_UNAUTHORISED_INFORMATION_MODIFICATION] = { "information-content-security/"
							  "unauthorised-information-modification",
							  "Somebody without the right to it changed information.", 3,
							  false },
	[CLASS_DATA_LOSS] = { "information-content-security/data-loss", "Data was lost.", 7, false },
	[CLASS_DATA_LEAK] = { "information-content-security/data-leak",
			      "Data that was taken without right lies open: passwords, personal records.", 3, false },

	[CLASS_UNAUTHORISED_USE_OF_RESOURCES] = { "fraud/unauthorised-use-of-resources",
						  "Machines or accounts are used by somebody without the right to it.",
						  7, false },
	[CLASS_COPYRIGHT] = { "fraud/copyright", "Judges what is copied: never taken.", 7, true },
	[CLASS_MASQUERADE] = { "fraud/masquerade", "Somebody uses the key, the domain or the route of another.", 3,
			       false },
	[CLASS_PHISHING] = { "fraud/phishing", "A page collects passwords in the name of another.", 1, false },

	[CLASS_WEAK_CRYPTO] = { "vulnerable/weak-crypto", "A service offers encryption that can be broken.", 14,
				false },
	[CLASS_DDOS_AMPLIFIER] = { "vulnerable/ddos-amplifier",
				   "A service can be misused to make attacks on others stronger.", 14, false },
	[CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE] = { "vulnerable/potentially-unwanted-accessible",
						    "A service is open to everyone that probably should not be.", 14,
						    false },
	[CLASS_INFORMATION_DISCLOSURE] = { "vulnerable/information-disclosure",
					   "A service may show information to everyone that it should keep.", 14,
					   false },
	[CLASS_VULNERABLE_SYSTEM] = { "vulnerable/vulnerable-system", "A system has a known weakness.", 14, false },

	[CLASS_OTHER] = { "other/other", "It fits no class.", 7, false },
	[CLASS_UNDETERMINED] = { "other/undetermined", "Nobody knows yet which class it is.", 7, false },

	[CLASS_TEST] = { "test/test", "A test; nothing happened.", 7, false },
};

/* How IntelMQ, older and newer, writes a type. */
static const struct {
	const char *name;
	enum rsit_class class;
} spellings[] = {
	{ "blacklist", CLASS_OTHER },
	{ "tor", CLASS_OTHER },
	{ "proxy", CLASS_OTHER },
	{ "dga-domain", CLASS_OTHER },
	{ "malware", CLASS_OTHER },
	{ "unknown", CLASS_UNDETERMINED },
	{ "c2server", CLASS_C2_SERVER },
	{ "infected-systems", CLASS_INFECTED_SYSTEM },
	{ "unauthorized-use-of-resources", CLASS_UNAUTHORISED_USE_OF_RESOURCES },
	{ "unauthorized-information-access", CLASS_UNAUTHORISED_INFORMATION_ACCESS },
	{ "unauthorized-information-modification", CLASS_UNAUTHORISED_INFORMATION_MODIFICATION },
	{ "unauthorised-information-modifications", CLASS_UNAUTHORISED_INFORMATION_MODIFICATION },
};

const char *class_name(enum rsit_class c)
{
	assert((unsigned)c < CLASS_COUNT);
	return classes[c].name;
}

const char *class_says(enum rsit_class c)
{
	assert((unsigned)c < CLASS_COUNT);
	return classes[c].says;
}

bool class_is_content(enum rsit_class c)
{
	assert((unsigned)c < CLASS_COUNT);
	return classes[c].content;
}

unsigned class_due_days(enum rsit_class c)
{
	assert((unsigned)c < CLASS_COUNT);
	return classes[c].days;
}

/* "malicious-code/c2-server" and "malicious-code:c2-server" (as machine tags have it) are one. */
static bool is_full_name(struct span name, const char *full)
{
	size_t n = strlen(full), group = strcspn(full, "/");

	return name.len == n && memcmp(name.at, full, group) == 0 && (name.at[group] == '/' || name.at[group] == ':') &&
	       memcmp(name.at + group + 1, full + group + 1, n - group - 1) == 0;
}

static enum rsit_class find(struct span name)
{
	for (int c = CLASS_NONE + 1; c < CLASS_COUNT; c++)
		if (is_full_name(name, classes[c].name) || span_is(name, strchr(classes[c].name, '/') + 1))
			return (enum rsit_class)c;
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++)
		if (span_is(name, spellings[i].name))
			return spellings[i].class;
	return CLASS_NONE;
}

enum err class_parse(struct span name, enum rsit_class *out)
{
	enum rsit_class c = find(name);

	if (c == CLASS_NONE && speech_asked(name, NULL))
		return fail(ERR_CLASS_CONTENT, "the class judges content");
	if (c == CLASS_NONE)
		return fail(ERR_CLASS_UNKNOWN, "%.*s: no class of RSIT 1003", name.len > 100 ? 100 : (int)name.len,
			    name.len > 0 ? name.at : "");
	if (class_is_content(c))
		return fail(ERR_CLASS_CONTENT, "%s: judges content", class_name(c));
	*out = c;
	return OK;
}
