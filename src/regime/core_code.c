#include "regime/core_code.h"

#include <assert.h>

/*
 * Twenty codes
 *
 * Effect: confidentiality, integrity, availability, misuse of a thing against others, exposure to misuse. Object: host, account,
 * service, route, name, artefact, data store. Evidence: what a machine can record. Where RSIT tells more apart than who receives
 * needs to know (an administrator's account or a user's, an old exploit or a new one), one code stands for both.
 *
 * What RSIT mixes with things that are no matter of machines has a code in its narrow form only, and `narrow` says which that is.
 */
static const struct core_code codes[] = {
	{ 1, "misuse", "host", "mail sent", "A host sends mail in bulk that nobody asked for." },
	{ 2, "integrity", "host", "malware traffic", "A host speaks as infected hosts do." },
	{ 3, "misuse", "host", "command protocol", "A host gives orders to infected hosts." },
	{ 4, "misuse", "artefact", "file served", "A file of malware, or its settings, is served." },
	{ 5, "misuse", "service", "probes received", "A host tries out services of others." },
	{ 6, "confidentiality", "route", "traffic recorded", "Traffic of others is diverted or recorded." },
	{ 7, "misuse", "service", "exploit received", "A host tries to use a weakness of others." },
	{ 8, "misuse", "account", "logins tried", "A host guesses passwords of others." },
	{ 9, "integrity", "account", "login by another", "An account is in somebody else's hands." },
	{ 10, "integrity", "service", "foreign code served", "An application runs somebody else's code." },
	{ 11, "integrity", "host", "foreign control", "A machine is in somebody else's hands." },
	{ 12, "availability", "service", "load measured", "A service is flooded until it slows down or stops." },
	{ 13, "availability", "host", "loss measured", "Machines or lines fail." },
	{ 14, "confidentiality", "data store", "access recorded", "Stored data was read without the right to it." },
	{ 15, "integrity", "data store", "change recorded", "Stored data was changed or lost." },
	{ 16, "misuse", "host", "use recorded", "Machines or accounts are used without the right to it." },
	{ 17, "integrity", "name", "name used by another", "A key, a domain or a route is used by another." },
	{ 18, "confidentiality", "account", "credential form", "A form hands credentials to a third party." },
	{ 19, "exposure", "service", "answer of the service", "A service is open to misuse." },
	{ 20, "exposure", "data store", "answer of the service", "A service shows data that it should keep." },
};
#define COUNT (sizeof(codes) / sizeof(codes[0]))

_Static_assert(COUNT <= CORE_CODE_COUNT_MAX, "bits of a vocabulary");

static const struct {
	unsigned code;
	bool speaks;	    /* for its code */
	const char *narrow; /* of a mixed class: what of it the code stands for */
} of_class[CLASS_COUNT] = {
	[CLASS_SPAM] = { 1, true, "that a host sends in bulk; never what the message says" },
	[CLASS_INFECTED_SYSTEM] = { 2, true, NULL },
	[CLASS_C2_SERVER] = { 3, true, NULL },
	[CLASS_MALWARE_DISTRIBUTION] = { 4, true, NULL },
	[CLASS_MALWARE_CONFIGURATION] = { 4, false, NULL },
	[CLASS_SCANNER] = { 5, true, NULL },
	[CLASS_SNIFFING] = { 6, true, NULL },
	[CLASS_SOCIAL_ENGINEERING] = { 9, false, "the account that was taken by it; never the talking" },
	[CLASS_IDS_ALERT] = { 7, true, NULL },
	[CLASS_BRUTE_FORCE] = { 8, true, NULL },
	[CLASS_EXPLOIT] = { 7, false, NULL },
	[CLASS_PRIVILEGED_ACCOUNT_COMPROMISE] = { 9, true, NULL },
	[CLASS_UNPRIVILEGED_ACCOUNT_COMPROMISE] = { 9, false, NULL },
	[CLASS_APPLICATION_COMPROMISE] = { 10, true, NULL },
	[CLASS_SYSTEM_COMPROMISE] = { 11, true, NULL },
	[CLASS_BURGLARY] = { 11, false, "the machine that was taken or opened; never the building" },
	[CLASS_DOS] = { 12, true, NULL },
	[CLASS_DDOS] = { 12, false, NULL },
	[CLASS_MISCONFIGURATION] = { 13, false, NULL },
	[CLASS_SABOTAGE] = { 13, false, "the service that fails; never who is suspected" },
	[CLASS_OUTAGE] = { 13, true, NULL },
	[CLASS_UNAUTHORISED_INFORMATION_ACCESS] = { 14, true, NULL },
	[CLASS_UNAUTHORISED_INFORMATION_MODIFICATION] = { 15, true, NULL },
	[CLASS_DATA_LOSS] = { 15, false, "the store that lost data by a technical cause" },
	[CLASS_DATA_LEAK] = { 14, false, "the access without right; never that something was published" },
	[CLASS_UNAUTHORISED_USE_OF_RESOURCES] = { 16, true, "the machine or account that is used; never for what" },
	[CLASS_MASQUERADE] = { 17, true, "a key, domain or route used by another; never satire or opinion" },
	[CLASS_PHISHING] = { 18, true, "the form that captures credentials; never what else the page says" },
	[CLASS_WEAK_CRYPTO] = { 19, false, NULL },
	[CLASS_DDOS_AMPLIFIER] = { 19, false, NULL },
	[CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE] = { 19, false, NULL },
	[CLASS_INFORMATION_DISCLOSURE] = { 20, true, NULL },
	[CLASS_VULNERABLE_SYSTEM] = { 19, true, NULL },
};

const struct core_code *core_codes(size_t *count)
{
	*count = COUNT;
	return codes;
}

const struct core_code *core_code_find(unsigned number)
{
	return number >= 1 && number <= COUNT ? &codes[number - 1] : NULL;
}

unsigned core_code_of(enum rsit_class c)
{
	assert((unsigned)c < CLASS_COUNT);
	return of_class[c].code;
}

const char *core_code_narrow(enum rsit_class c)
{
	assert((unsigned)c < CLASS_COUNT);
	return of_class[c].narrow;
}

enum rsit_class core_code_class(unsigned number)
{
	for (int c = CLASS_NONE + 1; number != 0 && c < CLASS_COUNT; c++)
		if (of_class[c].code == number && of_class[c].speaks)
			return (enum rsit_class)c;
	return CLASS_NONE;
}
