#include "base/err.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define DETAIL_SIZE 512

static const struct {
	const char *code, *advice;
} texts[ERR_COUNT] = {
	[OK] = { "ok", "Nothing to do." },

	[ERR_NO_MEMORY] = { "no-memory", "Send less at once, or raise the memory limit." },
	[ERR_IO] = { "io", "Look at the disk and at the permissions of the named file, then start again." },
	[ERR_SYNC] = { "sync",
		       "The disk failed to keep what was written; check the disk before you start the node again." },
	[ERR_NOT_FOUND] = { "not-found", "Check the name; nothing is stored under it." },
	[ERR_EXISTS] = { "exists", "Choose another name, or remove what stands there first." },
	[ERR_BUSY] = { "busy", "Wait and try again; another process is using this, or too much is under way." },
	[ERR_DAMAGED] = { "damaged", "The file fails its checksum; restore it from a backup or rebuild it." },

	[ERR_DISK_FULL] = { "disk-full", "Make room on the disk, then start again; what was acknowledged is kept." },
	[ERR_READ_ONLY] = { "read-only", "Mount the file system for writing, then start again." },
	[ERR_HANDLES] = { "handles", "Raise the limit of open files (ulimit -n), or give fewer files at once." },

	[ERR_USAGE] = { "usage", "Read the help of this command and call it that way." },
	[ERR_EMPTY] = { "empty", "Send something; the input is empty." },
	[ERR_SHORT] = { "short", "The input ends too early; send all of it." },
	[ERR_TOO_LONG] = { "too-long", "Send less at once; the input is over the limit." },
	[ERR_SYNTAX] = { "syntax", "Correct the input at the place named; it does not follow the grammar." },
	[ERR_ENCODING] = { "encoding",
			   "Send it in the encoding that the format asks for: UTF-8, base64 or lower-case hex." },
	[ERR_NUMBER] = { "number", "Write a plain decimal number within the allowed range." },
	[ERR_TIME] = { "time", "Write the time in UTC as 2026-11-22T20:45:00Z." },
	[ERR_TIME_FUTURE] = { "time-future",
			      "The time lies in the future; check the clock of the machine that wrote it." },
	[ERR_ADDRESS] = { "address", "Write an IPv4 address as 192.0.2.1 or an IPv6 address as 2001:db8::1." },
	[ERR_ADDRESS_SPECIAL] = { "address-special",
				  "Name a public address; nobody answers for private or reserved ones." },
	[ERR_PREFIX] = { "prefix", "Write the prefix as 192.0.2.0/24, with nothing but zeros behind its length." },
	[ERR_DOMAIN] = { "domain", "Write the domain in lower case and in its ASCII form, such as cert.example." },
	[ERR_FORMAT_UNKNOWN] = { "format-unknown",
				 "Send one of the formats that the manual lists, or name the format." },
	[ERR_COMPRESSION] = { "compression", "Compress the file again; what came does not decompress." },
	[ERR_UNPACKED] = { "unpacked", "Send it unpacked; it unpacks to far more than a report would." },
	[ERR_JSON] = { "json", "Send valid JSON, nested at most 64 levels deep." },
	[ERR_DEPTH] = { "depth", "Send it with fewer levels of nesting." },
	[ERR_DUPLICATE_KEY] = { "duplicate-key", "Name each key once in an object; this one stands there twice." },
	[ERR_CSV] = { "csv", "Send a table with a header line and the same number of fields in every row." },
	[ERR_XML] = { "xml", "Send well-formed XML without a document type or entities of its own." },
	[ERR_MAIL] = { "mail", "Send the mail as it was received, with its header lines." },
	[ERR_BOUNCE] = { "bounce",
			 "Nothing to do; the mail is an automatic answer, or says that another was not delivered." },
	[ERR_NO_COMPLAINT] = { "no-complaint",
			       "Nothing to do; it says that a mail was no abuse, or asks to be left off a list." },
	[ERR_FIELD_MISSING] = { "field-missing", "Fill in the field named; the format asks for it." },
	[ERR_FIELD] = { "field", "Correct the field named; the format does not allow this value." },
	[ERR_NO_ADDRESS] = { "no-address", "Name the address that is at fault; nobody can be found without one." },
	[ERR_SPOOFED] = { "spoofed", "Nothing to do; a forged source tells nothing about who holds the address." },
	[ERR_TEST] = { "test", "Nothing to do; its sender marked it as a test." },
	[ERR_SYMLINK] = { "symlink", "Put the file itself there; links are not followed." },
	[ERR_GROWING] = { "growing", "Wait until the file is complete, then route it again; rows count once." },
	[ERR_PROBING] = { "probing", "Mend the file as RFC 9511 says: a Contact and one Expires in the future." },
	[ERR_CALENDAR] = { "calendar", "Export it again as iCalendar with times in UTC." },
	[ERR_PCAP] = { "pcap", "Save the packets again as pcap or pcapng." },
	[ERR_DETAIL] = { "detail",
			 "Give time, address and port; with --date for lists that have no time of their own." },

	[ERR_NOTE] = { "note", "Send a signed note: text, an empty line, then signature lines." },
	[ERR_NOTE_UNSIGNED] = { "note-unsigned", "Sign with a key that this node knows." },
	[ERR_NOTE_SIGNATURE] = { "note-signature",
				 "Sign the exact text again with the key that your party statement names." },
	[ERR_KEY] = { "key", "Give a key in the form name+hex+base64, as `comity ledger show` prints it." },
	[ERR_KEY_UNKNOWN] = { "key-unknown", "File a party statement that names this key before you sign with it." },
	[ERR_CRYPTO_SELF_TEST] = { "crypto-self-test",
				   "A cryptographic library computes wrongly; install it again before you start." },
	[ERR_STATEMENT] = { "statement", "Write the statement by the grammar of statements." },
	[ERR_STATEMENT_VERSION] = { "statement-version", "Write comity/1 statements, or update this node." },
	[ERR_STATEMENT_KIND] = { "statement-kind", "Use a kind of statement that this ledger accepts." },
	[ERR_STATEMENT_HEADER] = { "statement-header",
				   "Correct the header named; it is missing, repeated, out of place or ill-formed." },
	[ERR_STATEMENT_LEDGER] = { "statement-ledger",
				   "Submit it to the ledger that it names, or send it with that ledger's receipt." },
	[ERR_STATEMENT_REPEATED] = { "statement-repeated", "Nothing to do; this statement is in the ledger already." },
	[ERR_SUPERSEDED] = { "superseded", "Nothing to do; a later statement of this party is known here." },
	[ERR_BODY] = { "body",
		       "Send the very bytes that the statement's body line binds, and for a sealed one its salt." },

	[ERR_TILE] = { "tile", "Fetch the tile again; it does not fit the tree." },
	[ERR_CHECKPOINT] = { "checkpoint", "Fetch the checkpoint again; it is not one that the ledger signed." },
	[ERR_PROOF] = { "proof", "Ask for the proof again; it does not lead to the root of the checkpoint." },
	[ERR_RECEIPT] = { "receipt", "Ask the ledger for the receipt again; it does not prove what it should." },
	[ERR_LEDGER_FORK] = { "ledger-fork",
			      "Ask the people of that node over another channel, and show them and others the "
			      "files fork-N: its ledger says two things that cannot both be true." },
	[ERR_LEDGER_DIFFERS] = { "ledger-differs", "Keep both versions and tell the witnesses; what is stored is not "
						   "what a recomputation gives." },

	[ERR_ROLE] = { "role", "Sign with a key whose role may issue this kind." },
	[ERR_CLASS_CONTENT] = { "class-content",
				"Leave it out; what is said has no class here and cannot be acted on." },
	[ERR_CLASS_UNKNOWN] = { "class-unknown", "Use a class of the incident taxonomy that the manual lists." },
	[ERR_PARTY_UNKNOWN] = { "party-unknown", "Check the name; no party statement of it is in this ledger." },
	[ERR_MATTER_UNKNOWN] = { "matter-unknown", "Name in `re` the id of a statement that is in this ledger." },
	[ERR_OUTCOME] = { "outcome", "Use an outcome that fits this kind of matter." },
	[ERR_NOT_YOURS] = { "not-yours", "Ask the author or the addressee of the matter; only they may do that." },
	[ERR_PLAN_WINDOW] = { "plan-window",
			      "Give the plan a start and a later end, within the longest time allowed." },
	[ERR_RULES] = { "rules", "Update this node if the ledger runs on rules that it does not know; if it runs on "
				 "older ones, log the new by `comity policy set`." },
	[ERR_LOGGED] = { "logged", "Correct the node's clock; it ran backwards." },
	[ERR_NOT_RECOGNISED] = { "not-jointly-recognised", "Send only what both sides recognise." },
	[ERR_VOCABULARY] = { "vocabulary",
			     "Give each term once, with a language and a core code that the manual lists." },
	[ERR_SEALED] = { "sealed", "Reveal the very terms and nonce that the sealed filing commits to." },
	[ERR_CONSENT] = { "consent", "Name who holds the targets in `to`, and wait until they have accepted." },
	[ERR_DECONFLICTION] = { "deconfliction",
				"Ask every node first: comity deconflict ask; then wait for their answers." },
	[ERR_TERM] = { "term", "State a metric, a threshold and a window: comity norm metrics lists them." },
	[ERR_NORM] = { "norm", "Choose a norm, and one of its metrics: comity norm list." },
	[ERR_AGREEMENT] = { "agreement", "See its terms and where it stands: comity agreement show." },
	[ERR_SUSPENDED] = { "suspended", "See which term, and how it is restored: comity agreement list." },
	[ERR_BREACH] = { "breach", "Name one plan or notice that shows it, and that nothing else rests on." },
	[ERR_CERTIFICATE] = { "certificate", "Compare body and header: comity certificate verify." },
	[ERR_SBOM] = { "sbom", "Give a CycloneDX or SPDX bill of materials as JSON." },

	[ERR_EVIDENCE] = { "evidence", "Gather the evidence again: comity proof gather." },
	[ERR_EVIDENCE_SIGNATURE] = { "evidence-signature", "Have it signed again; a signature does not verify." },
	[ERR_EVIDENCE_CHAIN] = { "evidence-chain",
				 "Send all certificates or records up to the anchor, or trust it: comity anchor add." },
	[ERR_EVIDENCE_OVERCLAIM] = { "evidence-overclaim", "Name only what the certificate or zone itself holds." },
	[ERR_EVIDENCE_BEYOND] = { "evidence-beyond",
				  "Ask the issuer; a certificate names more than the one above it holds." },
	[ERR_EVIDENCE_REVOKED] = { "evidence-revoked", "Have a new certificate issued; this one was revoked." },
	[ERR_EVIDENCE_EXPIRED] = { "evidence-expired", "Gather the evidence again; it is not valid at that time." },
	[ERR_EVIDENCE_STALE] = { "evidence-stale", "Send revocation lists that are up to date." },
	[ERR_EVIDENCE_FILE] = { "evidence-file", "Have the key statement itself listed: comity proof text." },
	[ERR_EVIDENCE_KEY] = { "evidence-key", "Have it made for this party and its present key." },
	[ERR_EVIDENCE_RESOURCE] = { "evidence-resource", "Name only resources that the evidence covers." },
	[ERR_EVIDENCE_INSECURE] = { "evidence-insecure",
				    "Sign the zone, or ask two unrelated parties to observe the record." },
	[ERR_ANCHOR] = { "anchor", "Remove or replace the file that is named: comity anchor list." },

	[ERR_TABLE_MISSING] = { "table-missing", "Build the territory table first: comity territory update." },
	[ERR_TABLE_DAMAGED] = { "table-damaged", "Build the territory table again: comity territory update." },
	[ERR_TABLE_SOURCE] = { "table-source", "Fetch the source file again; a row of it does not parse." },
	[ERR_UNREACHABLE] = { "unreachable", "Try again later; the other side does not answer." },
	[ERR_REFUSED_URL] = { "refused-url", "Use an https address that leads to a public host." },

	[ERR_CREDENTIALS] = { "credentials",
			      "Send the name and password, token, certificate or signature of a party or tool." },
	[ERR_RATE] = { "rate", "Wait as long as Retry-After says, then go on more slowly." },
	[ERR_EXPIRED] = { "expired", "Answer the mail that the link came with, or ask its sender for a new one." },
	[ERR_MEDIA_TYPE] = { "media-type", "Send the Content-Type that this address takes." },
	[ERR_ACCEPT] = { "accept", "Ask for a media type that this address gives, or leave Accept out." },
	[ERR_STIX] = { "stix", "Mend the object by the rule that is named, and send it again." },
	[ERR_CONFLICT] = { "conflict", "Give a changed object a later `modified`; what was stored first stays." },
	[ERR_OPENPGP] = { "openpgp",
			  "Install GnuPG, and see that the keys in DIR/openpgp and of the contact can be used." },
	[ERR_MAIL_REFUSED] = { "mail-refused",
			       "Give another mailbox for this addressee; the mail server refuses this one." },
	[ERR_PEER] = { "peer", "Tell the other server's operator; nothing of it was taken." },

	[ERR_NODE_MISSING] = { "node-missing", "Create the node first: comity init." },
	[ERR_NODE_EXISTS] = { "node-exists", "Choose another directory; there is a node in this one." },
};

static _Thread_local char detail[DETAIL_SIZE];

const char *err_code(enum err e)
{
	assert((unsigned)e < ERR_COUNT);
	return texts[e].code;
}

const char *err_advice(enum err e)
{
	assert((unsigned)e < ERR_COUNT);
	return texts[e].advice;
}

/* A detail may quote what came from outside, and ends on somebody's terminal: no control characters, neither ASCII's nor the 32
 * behind them (U+0080 to U+009F, in UTF-8 C2 and one byte). */
static void keep_printable(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
		if (*p < ' ' || *p == 0x7f)
			*p = '?';
		else if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
			p[0] = p[1] = '?';
	}
}

/* Goes by way of a copy: callers quote err_detail() in the new detail. */
static void record(const char *format, va_list arguments, const char *reason)
{
	char text[DETAIL_SIZE];
	int n = vsnprintf(text, sizeof(text), format, arguments);
	size_t used = n < 0 ? 0 : (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1;

	text[used] = '\0';
	if (reason != NULL)
		snprintf(text + used, sizeof(text) - used, ": %s", reason);
	keep_printable(text);
	memcpy(detail, text, strlen(text) + 1);
}

enum err fail(enum err e, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	record(format, arguments, NULL);
	va_end(arguments);
	return e;
}

bool err_is_machine(enum err e)
{
	switch (e) {
	case ERR_NO_MEMORY:
	case ERR_IO:
	case ERR_SYNC:
	case ERR_DISK_FULL:
	case ERR_READ_ONLY:
	case ERR_HANDLES:
		return true;
	default:
		return false;
	}
}

enum err err_of_errno(int number)
{
	switch (number) {
	case ENOENT:
		return ERR_NOT_FOUND;
	case ENOMEM:
		return ERR_NO_MEMORY;
	case ENOSPC:
	case EDQUOT:
		return ERR_DISK_FULL;
	case EROFS:
		return ERR_READ_ONLY;
	case EMFILE:
	case ENFILE:
		return ERR_HANDLES;
	default:
		return ERR_IO;
	}
}

enum err fail_errno(const char *format, ...)
{
	int number = errno;
	char text[128];
	va_list arguments;

	va_start(arguments, format);
	record(format, arguments, strerror_r(number, text, sizeof(text)));
	va_end(arguments);
	return err_of_errno(number);
}

const char *err_detail(void)
{
	return detail;
}

void err_clear(void)
{
	detail[0] = '\0';
}
