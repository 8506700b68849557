#include "cli/cli.h"

static const struct option_rule init_options[] = {
	{ "title", "TEXT", "what people call the node, e.g. the team's name" },
	{ NULL, NULL, NULL },
};

static const struct option_rule access_options[] = {
	{ "party", "DOMAIN", "whose eyes it has" },
	{ "rights", "RIGHTS", "read, write, operate, or several with commas between (default read)" },
	{ "password-file", "FILE", "its password (default: one is made and shown once)" },
	{ "password-stdin", NULL, "its password, from standard input" },
	{ "token", NULL, "a token instead of a password; it is made and shown once" },
	{ "certificate", "FILE", "a client's certificate in PEM instead of a password" },
	{ "expires", "TIME", "until when, RFC 3339 (default: for good)" },
	{ "replace", NULL, "in place of the credential that has this name" },
	{ NULL, NULL, NULL },
};

/* What it takes to talk to another server. */
#define REMOTE_OPTIONS                                                                                                 \
	{ "collection", "NAME", "id, alias or title of the collection there, where the address names none" },          \
		{ "user", "NAME", "user name for Basic authentication" }, { "password-file", "FILE", "its password" }, \
		{ "token-file", "FILE", "a bearer token" }, { "certificate", "FILE", "a client certificate, PEM" },    \
		{ "key", "FILE", "its key, PEM" },                                                                     \
		{ "sign", NULL, "sign each request with this node's key, as Comity nodes understand it" },             \
		{ "authorities", "FILE", "trust these authorities, PEM, instead of the system's" },                    \
		{ "private", NULL, "the other side may have a private address" },                                      \
	{                                                                                                              \
		"plain", NULL, "the other side may speak plain HTTP"                                                   \
	}

static const struct option_rule pull_options[] = {
	{ "into", "ALIAS", "the collection here (default: the only one)" },
	REMOTE_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct option_rule push_options[] = {
	{ "of", "ALIAS", "the collection here (default: the only one)" },
	{ "tlp", "TLP", "the strictest marking that goes out (default GREEN)" },
	REMOTE_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_export_options[] = {
	{ "as", "FORM", "calendar (iCalendar with MAINTNOTE fields) or probing (RFC 9511)" },
	{ "contact", "ADDRESS",
	  "mailto:, tel: or https: (default: the plan's duty contact, else the party's first mailbox)" },
	{ "account", "TEXT", "whom the maintenance is for, as its provider names them (default all)" },
	{ "impact", "WORD",
	  "none, reduced-redundancy, degraded or outage (default: degraded for maintenance, else none)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_import_options[] = {
	{ "from", "DOMAIN", "the party whose plan it becomes, whose key is held here (default: the node)" },
	{ "source", "PREFIX", "from where it will come; may be given often" },
	{ "demonstration", NULL, "mark it as made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule deconflict_options[] = {
	{ "from", "DOMAIN", "the party whose plan it is, whose key is held here (default: the node)" },
	{ "again", NULL, "also those nodes that were asked before" },
	{ NULL, NULL, NULL },
};

static const struct option_rule contact_options[] = {
	{ "openpgp", "FILE", "its public key, binary: what goes there is encrypted" },
	{ NULL, NULL, NULL },
};

static const struct option_rule outbox_options[] = {
	{ "all", NULL, "what was handed over and what has arrived too" },
	{ NULL, NULL, NULL },
};

static const struct option_rule retry_options[] = {
	{ "all", NULL, "all that waits, was refused or could not be delivered" },
	{ NULL, NULL, NULL },
};

static const struct option_rule follow_list_options[] = {
	{ "digest", NULL, "with the digest of each node's state, as its own `ledger audit` prints it" },
	{ NULL, NULL, NULL },
};

static const struct option_rule follow_options[] = {
	{ "key", "FINGERPRINT",
	  "the node must have this party key, 64 digits of hex (default: believed at first sight)" },
	{ "authorities", "FILE", "trust these authorities, PEM, instead of the system's" },
	{ "private", NULL, "the other side may have a private address" },
	{ "plain", NULL, "the other side may speak plain HTTP" },
	{ NULL, NULL, NULL },
};

static const struct option_rule directive_options[] = {
	{ "interval", "TIME", "at most one round of notices in this time, e.g. 24h (default 0: at once)" },
	{ "window", "TIME", "a source that was told is told again only after this time (default 24h)" },
	{ "quiet", "TIME", "a source not seen for so long and then again is told at once (default 7d)" },
	{ "threshold", "N", "or when so many of its events were held; 0: never for that (default 1000)" },
	{ "by", "HOW", "one notice for each class, source or day (default class)" },
	{ "format", "FORMAT", "what `notice show --as directed` renders: stix, xarf or csv (default stix)" },
	{ "need-port", NULL, "rows without a source port are not sent" },
	{ "carrier-nat", NULL, "many hosts are behind one address: no event repeats another" },
	{ NULL, NULL, NULL },
};

static const struct option_rule serve_options[] = {
	{ "listen", "ADDR:PORT", "plain HTTP there, instead of the configured addresses; may repeat; port 0: any" },
	{ "listen-tls", "ADDR:PORT", "TLS there, instead of the configured addresses; may repeat" },
	{ "config", "FILE", "another configuration (default: DIR/config)" },
	{ "log", "text|json", "how the log is written, on standard error" },
	{ NULL, NULL, NULL },
};

static const struct option_rule sighting_options[] = {
	{ "to", "WHOM", "only of this party or resource: a domain, AS64500, country EE; all: of nobody" },
	{ "class", "CLASS", "only this class" },
	{ "source", "PREFIX", "only these sources: an address or a prefix" },
	{ "since", "TIME", "only what was seen then or later, RFC 3339" },
	{ "top", "N", "only the N with the most events, those first" },
	{ NULL, NULL, NULL },
};

static const struct option_rule answer_options[] = {
	{ "from", "DOMAIN", "answer as this party, whose key is held here (default: the node)" },
	{ "for", "DOMAIN", "the party that the node answers for" },
	{ "via", "CHANNEL", "how its answer came: mail, web, taxii or desk" },
	{ "text", "TEXT", "a short operational note, at most 280 characters" },
	{ "better", "WHOM", "with not-ours: whose it is: a domain, AS64500, \"country EE\"" },
	{ "evidence", "FILE",
	  "with disputed, recovered: what shows it, sealed: a text, JSON or a packed evidence table" },
	{ "need", "WORD", "with cannot: what is missing, one word (default: help)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule from_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "text", "TEXT", "a short reason" },
	{ NULL, NULL, NULL },
};

static const struct option_rule request_help_options[] = {
	{ "to", "DOMAIN|all", "who is asked; may repeat; all: everybody" },
	{ "critical", "SECTOR", "it is for critical infrastructure of this sector, one word: never withheld" },
	{ "skill", "WORD", "what is missing, one word; may repeat" },
	{ "affected", "N", "how many hosts or customers, as far as known" },
	{ "text", "TEXT", "what happened and what is needed, at most 280 characters" },
	{ "from", "DOMAIN", "ask as this party, whose key is held here (default: the node)" },
	{ "demonstration", NULL, "mark it as made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule request_answer_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "for", "DOMAIN", "the party that the node answers for" },
	{ "via", "CHANNEL", "how its answer came: mail, web, taxii or desk" },
	{ "text", "TEXT", "a short operational note, at most 280 characters" },
	{ NULL, NULL, NULL },
};

static const struct option_rule request_accept_options[] = {
	{ "whom", "DOMAIN", "whose offer is accepted" },
	{ "from", "DOMAIN", "who asked (default: its key, where that is held here)" },
	{ "text", "TEXT", "a short operational note, at most 280 characters" },
	{ NULL, NULL, NULL },
};

static const struct option_rule request_recovered_options[] = {
	{ "evidence", "FILE", "what shows it, sealed: a text, JSON or a packed evidence table" },
	{ "from", "DOMAIN", "who asked (default: its key, where that is held here)" },
	{ "text", "TEXT", "a short operational note, at most 280 characters" },
	{ NULL, NULL, NULL },
};

static const struct option_rule request_close_options[] = {
	{ "from", "DOMAIN", "who asked (default: its key, where that is held here)" },
	{ "text", "TEXT", "a short operational note, at most 280 characters" },
	{ NULL, NULL, NULL },
};

static const struct option_rule request_list_options[] = {
	{ "to", "DOMAIN", "only those to this party, and those to all" },
	{ "open", NULL, "only what has not ended" },
	{ "limit", "N", "at most so many" },
	{ NULL, NULL, NULL },
};

static const struct option_rule ping_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "text", "TEXT", "a short note, at most 280 characters" },
	{ "demonstration", NULL, "mark it as made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule ping_list_options[] = {
	{ "to", "DOMAIN", "only those to this party" },
	{ "limit", "N", "at most so many" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_options[] = {
	{ "out", "FILE", "where to write the receipt (default: standard output)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule show_options[] = {
	{ "from", "INDEX", "the first entry to show (default 0)" },
	{ "limit", "N", "how many (default: the last 20)" },
	{ "raw", NULL, "whole entries as they lie in the ledger" },
	{ NULL, NULL, NULL },
};

static const struct option_rule list_options[] = {
	{ "to", "WHOM", "only to this party or resource: a domain, AS64500, country EE" },
	{ "class", "CLASS", "only this class" },
	{ "open", NULL, "only what has not ended" },
	{ "limit", "N", "at most so many" },
	{ NULL, NULL, NULL },
};

static const struct option_rule notice_show_options[] = {
	{ "as", "FORMAT", "the evidence as stix, xarf or csv; directed: as its addressee's directive says" },
	{ NULL, NULL, NULL },
};

static const struct option_rule party_add_options[] = {
	{ "role", "ROLE", "response-team, operator, vendor or researcher; may repeat, the first counts most" },
	{ "title", "TEXT", "what people call the party" },
	{ "claim", "RESOURCE", "AS64500, prefix 192.0.2.0/24 or country EE; may repeat" },
	{ "approve", NULL, "the node's operator approves the claims at once" },
	{ "demonstration", NULL, "mark the party as made up for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule party_key_options[] = {
	{ "party", "DOMAIN", "a party whose key is held here (default: the node itself)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule vouch_for_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "visited", NULL, "its people were met" },
	{ "until", "TIME", "how long it holds, at most 366 days (default: as long as that)" },
	{ "recovery", NULL, "for a new key, in place of one that was lost or revoked; with --key" },
	{ "key", "HEX", "the fingerprint of that new key, 64 digits" },
	{ "text", "TEXT", "a remark, at most 280 characters" },
	{ NULL, NULL, NULL },
};

static const struct option_rule vouch_list_options[] = {
	{ "party", "DOMAIN", "only for or by this party" },
	{ NULL, NULL, NULL },
};

static const struct option_rule party_update_options[] = {
	{ "from", "DOMAIN", "a party whose key is held here (default: the node itself)" },
	{ "title", "TEXT", "what people call it" },
	{ "url", "URL", "where its node is reached, https://HOST[:PORT]" },
	{ "contact", "MAIL",
	  "a mailbox that is read, the first to be tried first; may repeat; all that were there go" },
	{ "claim", "RESOURCE",
	  "AS64500, prefix 192.0.2.0/24 or country EE; may repeat; all that are not named again go" },
	{ "demonstration", NULL, "made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule submit_options[] = {
	{ "body", "FILE", "what its body line binds, such as a certificate's envelope; with one file" },
	{ "receipt", "FILE", "the receipt of another node's ledger, which is the statement's home; one for each file" },
	{ NULL, NULL, NULL },
};

static const struct option_rule approve_options[] = {
	{ "object", NULL, "object to the claims instead" },
	{ NULL, NULL, NULL },
};

static const struct option_rule certificate_issue_options[] = {
	{ "from", "DOMAIN", "the party that certifies, whose key is held here" },
	{ "predicate", "WHAT", "evaluation, validation or declaration" },
	{ "subject", "WHAT", "of what: a file, sha256:HEX, or a package URL; may repeat" },
	{ "scheme", "NAME", "by which scheme, such as eucc" },
	{ "level", "NAME", "at which level of it" },
	{ "laboratory", "DOMAIN", "who assessed it, and whose word on its status counts too" },
	{ "start", "TIME", "valid from then (default: now)" },
	{ "until", "TIME", "valid until then; at most ten years" },
	{ "re", "ID", "of a validation: what it takes over" },
	{ "cites", "ID", "another certificate that it rests on; may repeat" },
	{ "declarations", "FILE", "CycloneDX 1.6 declarations: claims, evidence, conformance" },
	{ "details", "FILE", "a JSON object with further fields, such as certificate_id" },
	{ "envelope", "FILE", "file this envelope, which says all but --cites" },
	{ "draft", "FILE", "write the signed envelope there and file nothing: others may sign it too" },
	{ "demonstration", NULL, "mark it as made for a demonstration" },
	{ NULL, NULL, NULL },
};
static const struct option_rule certificate_cosign_options[] = {
	{ "from", "DOMAIN", "whose key signs, which is held here" },
	{ "out", "FILE", "write it there (default: in its place)" },
	{ NULL, NULL, NULL },
};
static const struct option_rule certificate_counter_options[] = {
	{ "from", "DOMAIN", "who objects, whose key is held here" },
	{ "text", "TEXT", "what is wrong with it" },
	{ "declarations", "FILE", "CycloneDX 1.6 declarations with counter-evidence" },
	{ "details", "FILE", "a JSON object with further fields" },
	{ "cites", "ID", "another certificate that it rests on; may repeat" },
	{ "demonstration", NULL, "mark it as made for a demonstration" },
	{ NULL, NULL, NULL },
};
static const struct option_rule certificate_status_options[] = {
	{ "from", "DOMAIN", "who says so, whose key is held here" },
	{ "reason", "TEXT", "why" },
	{ NULL, NULL, NULL },
};
static const struct option_rule certificate_withdraw_options[] = {
	{ "from", "DOMAIN", "its author, whose key is held here" },
	{ "text", "TEXT", "why" },
	{ NULL, NULL, NULL },
};
static const struct option_rule certificate_list_options[] = {
	{ "from", "DOMAIN", "only those of this party" },
	{ "subject", "WHAT", "only those about this file, sha256:HEX or package URL" },
	{ "at", "TIME", "whether they are valid then (default: now)" },
	{ NULL, NULL, NULL },
};
static const struct option_rule certificate_show_options[] = {
	{ "at", "TIME", "whether it is valid then (default: now)" },
	{ NULL, NULL, NULL },
};
static const struct option_rule certificate_export_options[] = {
	{ "out", "FILE", "write it there (default: standard output)" },
	{ "payload", NULL, "the in-toto statement alone, without signatures" },
	{ NULL, NULL, NULL },
};
static const struct option_rule vocabulary_file_options[] = {
	{ "from", "DOMAIN", "the party that files, whose key is held here" },
	{ "recognise", "CODE", "a core code that it takes and gives; may repeat (default: all), or none" },
	{ NULL, NULL, NULL },
};
static const struct option_rule vocabulary_at_options[] = {
	{ "at", "TIME", "as it was then (default: now)" },
	{ NULL, NULL, NULL },
};
static const struct option_rule translate_options[] = {
	{ "from", "PARTY", "whose word it is" },
	{ "to", "PARTY", "in whose words" },
	{ "language", "TAG", "in which of its languages" },
	{ "at", "TIME", "with the words of then (default: now)" },
	{ NULL, NULL, NULL },
};
/* What a plan declares, whether filed, sealed or changed. */
#define PLAN_TERMS                                                                                                     \
	{ "activity", "WHAT",                                                                                          \
	  "scan, exercise, takedown, maintenance, research, measurement, red-team, sinkhole or recovery (default: "    \
	  "scan)" },                                                                                                   \
		{ "source", "PREFIX", "where it comes from; may repeat" },                                             \
		{ "sources", "FILE", "sources from a file, one prefix a line" },                                       \
		{ "alternate", "PREFIX", "where it may come from instead; may repeat" },                               \
		{ "target", "PREFIX|AS|any",                                                                           \
		  "what it touches, also `country EE` or a domain; may repeat (default: any)" },                       \
		{ "exclude", "PREFIX", "what it never touches; may repeat" },                                          \
		{ "start", "TIME", "RFC 3339 (default: now)" },                                                        \
		{ "end", "TIME", "RFC 3339 (default: 30 days after the start)" },                                      \
		{ "repeat", "EVERY", "`daily N` or `weekly N`: N windows in all" },                                    \
		{ "transport", "NAME", "tcp, udp, icmp, or a protocol's number; may repeat (default: any)" },          \
		{ "port", "PORT", "443 or 1-1024; may repeat (default: any)" },                                        \
		{ "rate", "N", "packets or connections a second, in all" },                                            \
		{ "rate-each", "N", "the same for one target" },                                                       \
		{ "marker", "WHAT",                                                                                    \
		  "what is in it: `ptr NAME`, `probing URL`, `user-agent TEXT`, `tls TEXT`, `in-band TEXT`" },         \
		{ "contact", "URI", "the duty contact: mailto: or tel:" },                                             \
		{ "stop-within", "TIME", "how fast it stops when it is recalled, such as 30m" },                       \
		{ "purpose", "TEXT", "why" }, { "reference", "URL", "an https page that explains it" },                \
		{ "ethics", "URL", "an https page about who judged whether it is right" },                             \
		{ "to", "PARTY",                                                                                       \
		  "who is to know; of an intrusive plan, who holds the targets; may repeat (default: all)" },          \
	{                                                                                                              \
		"intrusive", NULL, "it goes beyond looking"                                                            \
	}

static const struct option_rule plan_file_options[] = {
	{ "from", "DOMAIN", "the party that files, whose key is held here" },
	PLAN_TERMS,
	{ "demonstration", NULL, "mark the plan as made up for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_seal_options[] = {
	{ "from", "DOMAIN", "the party that files, whose key is held here" },
	PLAN_TERMS,
	{ "countersigner", "PARTY", "who is asked to countersign; may repeat; two at least make it count" },
	{ "window", NULL, "tell start and end now" },
	{ "demonstration", NULL, "mark the plan as made up for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_change_options[] = {
	PLAN_TERMS,
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_text_options[] = {
	{ "text", "TEXT", "what else is to be said" },
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_seen_options[] = {
	{ "from", "DOMAIN", "the party that saw it, whose key is held here" },
	{ "time", "TIME", "when, RFC 3339 (default: now)" },
	{ "text", "TEXT", "what else is to be said" },
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_order_options[] = {
	{ "from", "DOMAIN", "the party that asks, whose key is held here" },
	{ "text", "TEXT", "what else is to be said" },
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_confirm_options[] = {
	{ "from", "DOMAIN", "the party that asks, whose key is held here" },
	{ "source", "PREFIX", "the address or prefix that was seen" },
	{ "first", "TIME", "when first, RFC 3339" },
	{ "last", "TIME", "when last (default: as first)" },
	{ "text", "TEXT", "what else is to be said" },
	{ NULL, NULL, NULL },
};

static const struct option_rule plan_list_options[] = {
	{ "overdue", NULL, "only those past their end without a word that it is over, or seen outside their windows" },
	{ "party", "DOMAIN", "only those of this party" },
	{ NULL, NULL, NULL },
};

#define REACH_OPTIONS                                                                                                  \
	{ "at", "URL", "where the depositary's node is reached (default: as its party statement says)" },              \
		{ "authorities", "FILE", "trust these authorities, PEM, instead of the system's" },                    \
		{ "private", NULL, "the depositary may have a private address" },                                      \
	{                                                                                                              \
		"plain", NULL, "the depositary may speak plain HTTP"                                                   \
	}

static const struct option_rule agreement_offer_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "with", "DOMAIN", "the other party" },
	{ "depositary", "DOMAIN", "the node whose ledgers are counted (default: this one)" },
	{ "term", "TERM",
	  "what both promise, such as \"swift acknowledged at-least 90% within 2d each 30d gives share\"; `of DOMAIN` "
	  "binds "
	  "one only; may repeat" },
	{ "asset", "SET=RESOURCE",
	  "what the other is to leave alone, such as power=\"prefix 192.0.2.0/24\"; only a commitment is told; may "
	  "repeat" },
	{ "their-asset", "SET=COMMITMENT",
	  "what we leave alone, as the other's `agreement asset` printed it; may repeat" },
	{ "start", "TIME", "RFC 3339; both sign before (default: in a week)" },
	{ "end", "TIME", "RFC 3339, at most ten years on (default: after 366 days)" },
	{ "exit-notice", "TIME", "how long who leaves stays bound, at least 7d (default 90d)" },
	{ "consult", "TIME", "how long they talk before a term rests (default 14d)" },
	{ "restore", "N", "so many good windows in a row restore a term (default 2)" },
	{ "codes", "LIST", "core codes, such as 1,3,7 (default: all that both recognise)" },
	{ "demonstration", NULL, "made for a demonstration" },
	REACH_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct option_rule agreement_sign_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "yes", NULL, "sign the terms that are printed" },
	REACH_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct option_rule agreement_say_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "text", "TEXT", "a short remark" },
	REACH_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct option_rule agreement_allege_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "asset", "RESOURCE", "what was touched: it opens the commitment" },
	{ "evidence", "ID", "what shows it: a plan of the other, or a notice to it alone" },
	{ "text", "TEXT", "a short remark" },
	REACH_OPTIONS,
	{ NULL, NULL, NULL },
};

static const struct option_rule norm_list_options[] = {
	{ "set", "NAME", "only this set: un, industry or osce" },
	{ "metrics", NULL, "with what can be measured of each" },
	{ NULL, NULL, NULL },
};

static const struct option_rule pledge_make_options[] = {
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "norm", "NORM", "what is pledged, such as \"un 2015 c\": `comity norm list`" },
	{ "term", "TERM",
	  "how it is measured, such as \"swift acknowledged at-least 90% within 2d each 30d\"; may repeat; without: a "
	  "declaration" },
	{ "start", "TIME", "RFC 3339 (default: now)" },
	{ "end", "TIME", "RFC 3339, at most ten years on (default: until it is withdrawn)" },
	{ "unilateral", NULL, "it asks for nothing in return" },
	{ "asset", "SET=RESOURCE",
	  "of restraint: what is left alone, such as power=\"prefix 192.0.2.0/24\"; only a commitment is told; may "
	  "repeat" },
	{ "text", "TEXT", "what else is to be said, at most 280 characters" },
	{ "demonstration", NULL, "made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule mail_key_options[] = {
	{ "import", "FILE", "take this secret OpenPGP key instead of making one" },
	{ "export", NULL, "print the public key" },
	{ "config", "FILE", "another configuration (default: DIR/config)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule mail_options[] = {
	{ "config", "FILE", "another configuration (default: DIR/config)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule match_options[] = {
	{ "target", "ADDRESS", "what was touched" },
	{ "port", "PORT", "and which port there" },
	{ "transport", "NAME", "tcp, udp, icmp, icmpv6 or a protocol number" },
	{ "handshake", NULL, "both sides spoke, so that the source was not forged" },
	{ "time", "TIME", "when it was seen, RFC 3339 (default: now)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule whose_options[] = {
	{ "pcap", "FILE", "instead of an address: all sources in a packet capture" },
	{ "at", "TIME", "when it was seen, RFC 3339 (default: now)" },
	{ "target", "ADDRESS", "what was touched" },
	{ "port", "PORT", "and which port there" },
	{ "transport", "NAME", "tcp, udp, icmp, icmpv6 or a protocol number" },
	{ "handshake", NULL, "both sides spoke, so that the source was not forged" },
	{ NULL, NULL, NULL },
};

#define RESOLVER_OPTION                                                                                                \
	{                                                                                                              \
		"resolver", "ADDRESS:PORT", "the resolver to ask (default: the system's)"                              \
	}
#define RESOURCE_OPTION                                                                                                \
	{                                                                                                              \
		"resource", "RESOURCE", "a domain, AS64500, \"prefix 192.0.2.0/24\" or \"country EE\""                 \
	}

static const struct option_rule proof_text_options[] = {
	{ "party", "DOMAIN", "a party that is known here (default: the node itself)" },
	{ "txt", NULL, "the TXT record instead, with the names where it may stand" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_gather_options[] = {
	RESOURCE_OPTION,
	RESOLVER_OPTION,
	{ "out", "FILE", "where to write the evidence (default: standard output)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_file_options[] = {
	{ "from", "DOMAIN", "the party that proves, whose key is held here (default: the node)" },
	{ "resource", "RESOURCE", "what is proven: a domain, AS64500, \"prefix 192.0.2.0/24\"; may repeat" },
	{ "checklist", "FILE", "rsc: the signed checklist (.sig) over the key statement" },
	{ "certificate", "FILE", "rsc, legal: a certificate of the path, DER or PEM; may repeat" },
	{ "crl", "FILE", "rsc, legal: a revocation list, DER or PEM; may repeat" },
	{ "signature", "FILE", "legal, openpgp: the detached signature of the key statement" },
	{ "openpgp-key", "FILE", "openpgp: the key that signed" },
	{ "evidence", "FILE", "all of it, as `proof gather` wrote it" },
	RESOLVER_OPTION,
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_observe_options[] = {
	{ "party", "DOMAIN", "whose key is looked for" },
	{ "by", "dns|https", "where: the TXT record, or /.well-known/comity.txt (default dns)" },
	{ "from", "DOMAIN", "who saw it, whose key is held here (default: the node)" },
	RESOLVER_OPTION,
	{ "authorities", "FILE", "https: trust these authorities, PEM, instead of the system's" },
	{ "private", NULL, "https: the domain may have a private address" },
	{ "plain", NULL, "https: plain HTTP will do" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_mandate_options[] = {
	{ "party", "DOMAIN", "who speaks for the country" },
	{ "from", "DOMAIN", "the government's party, whose key is held here" },
	{ "text", "FILE", "the mandate's text, which goes along" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_accept_options[] = {
	{ "until", "TIME", "until when, RFC 3339 (default: as long as its evidence holds, a mandate a year)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_object_options[] = {
	{ "reason", "CODE", "why, an error's code such as evidence-revoked" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_list_options[] = {
	{ "party", "DOMAIN", "only those about, or by, this party" },
	{ NULL, NULL, NULL },
};

static const struct option_rule proof_verify_options[] = {
	{ "at", "TIME", "as of then, RFC 3339 (default: now)" },
	{ "body", "FILE", "the evidence, where the statement comes from a file" },
	{ NULL, NULL, NULL },
};

static const struct option_rule control_options[] = {
	{ "from", "TIME", "sources first seen then or later, RFC 3339 (default: 90 days before --to)" },
	{ "to", "TIME", "and before then, RFC 3339 (default: 30 days ago, which is the latest)" },
	{ "class", "CLASS", "only this class" },
	{ "dry-run", NULL, "count and show, sign nothing" },
	{ NULL, NULL, NULL },
};

static const struct option_rule inventory_options[] = {
	{ "at", "TIME", "how certificates stand at that time, RFC 3339 (default: now)" },
	{ "all", NULL, "every certificate about a component, also those that ask for no attention" },
	{ "ledger", "NODE", "by the ledgers of a node that this one follows (default: its own)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule release_file_options[] = {
	{ "product", "PURL", "what it is: a package URL" },
	{ "version", "VERSION", "of which version (default: that of the package URL)" },
	{ "regions", "LIST", "who was promised it: CN,DE,US, or all" },
	{ "artefact", "REGIONS=FILE", "what is given there: a file or sha256:<hex>; may repeat; all=FILE: everywhere" },
	{ "at", "TIME", "from when, RFC 3339 (default: now)" },
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "demonstration", NULL, "made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule release_seen_options[] = {
	{ "region", "CC", "where: two letters of ISO 3166" },
	{ "at", "TIME", "when, RFC 3339 (default: now)" },
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "demonstration", NULL, "made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule ledger_of_options[] = {
	{ "ledger", "NODE", "by the ledgers of a node that this one follows (default: its own)" },
	{ NULL, NULL, NULL },
};

static const struct option_rule canary_say_options[] = {
	{ "until", "TIME", "when it lapses unless it is renewed, RFC 3339; at most 366 days on" },
	{ "text", "TEXT", "what is said, at most 280 characters" },
	{ "from", "DOMAIN", "as this party, whose key is held here (default: the node)" },
	{ "demonstration", NULL, "made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule standing_options[] = {
	{ "from", "TIME", "of notices logged then or later, RFC 3339 (default: the first)" },
	{ "to", "TIME", "of notices logged before, as it was known then (default: behind the last entry)" },
	{ "ledger", "NODE", "by the ledgers of a node that this one follows (default: its own)" },
	{ "pledges", NULL, "who promised what, and how it was kept: each promise beside what the ledgers show" },
	{ "addresses", NULL, "also in proportion to the addresses that the party answers for, by the tables" },
	{ "demonstration", NULL, "only what was marked as made for a demonstration, which else counts nowhere" },
	{ "stix", NULL, "as a STIX bundle" },
	{ NULL, NULL, NULL },
};

static const struct option_rule route_options[] = {
	{ "from", "FORMAT",
	  "shadowserver, json-lines, list, html, xarf, idea, stix, iodef or mail (default: detected)" },
	{ "class", "CLASS", "the class of rows that do not say theirs, e.g. scanner" },
	{ "date", "TIME", "the time of rows that do not say theirs, RFC 3339" },
	{ "dry-run", NULL, "do everything but write" },
	{ "rejects", "FILE", "where rows go that cannot be read" },
	{ "threads", "N", "how many at once (default: one a processor)" },
	{ "watch", NULL, "route what is put into DIR, and move it to DIR/done or DIR/failed" },
	{ "due", NULL, "no report: send what has waited and is due by now" },
	{ "once", NULL, "with --watch: what is there, then end" },
	{ "top", "N", "how many countries and networks to show (default 10)" },
	{ "demonstration", NULL, "mark the notices as made for a demonstration" },
	{ NULL, NULL, NULL },
};

static const struct option_rule update_options[] = {
	{ "vrps", "FILE", "validated RPKI payloads, CSV or JSON; may repeat" },
	{ "offline", "DIR", "take files of this folder instead of fetching" },
	{ NULL, NULL, NULL },
};

static const struct option_rule verify_options[] = {
	{ "entry", "FILE", "the entry, if the receipt does not carry it" },
	{ "key", "VKEY", "the ledger's key (default: the keys of the node in --dir)" },
	{ NULL, NULL, NULL },
};

const struct command commands[] = {
	{ "access add", cmd_access_add, "NAME", "let a tool in with a password, a token or a certificate",
	  access_options, 1, 1 },
	{ "access list", cmd_access_list, "", "list what lets tools in", NULL, 0, 0 },
	{ "access remove", cmd_access_remove, "NAME", "let a tool in no more", NULL, 1, 1 },
	{ "agreement allege", cmd_agreement_allege, "ID TERM", "say that a restraint was broken, and show it",
	  agreement_allege_options, 2, 2 },
	{ "agreement asset", cmd_agreement_asset, "SET RESOURCE", "make a commitment to what is to be left alone", NULL,
	  2, 2 },
	{ "agreement decline", cmd_agreement_decline, "ID", "decline an offer", agreement_say_options, 1, 1 },
	{ "agreement dispute", cmd_agreement_dispute, "ID EVIDENCE", "dispute a breach that was alleged",
	  agreement_say_options, 2, 2 },
	{ "agreement leave", cmd_agreement_leave, "ID", "leave an agreement, after its notice; or take an offer back",
	  agreement_say_options, 1, 1 },
	{ "agreement list", cmd_agreement_list, "[PARTY]", "list agreements, of followed nodes too", NULL, 0, 1 },
	{ "agreement offer", cmd_agreement_offer, "", "offer an agreement to another party", agreement_offer_options, 0,
	  0 },
	{ "agreement resolve", cmd_agreement_resolve, "ID TERM", "sign a resolution, so that a term holds again",
	  agreement_say_options, 2, 2 },
	{ "agreement show", cmd_agreement_show, "ID", "show an agreement term by term, and how each stands", NULL, 1,
	  1 },
	{ "agreement sign", cmd_agreement_sign, "ID", "print what was offered, and sign it with --yes",
	  agreement_sign_options, 1, 1 },
	{ "anchor add", cmd_anchor_add, "FILE…",
	  "believe a trust anchor: an RPKI locator, X.509 roots, keys of the DNS", NULL, 1, ANY_NUMBER },
	{ "anchor list", cmd_anchor_list, "", "list the trust anchors of this node", NULL, 0, 0 },
	{ "anchor remove", cmd_anchor_remove, "NAME…", "believe a trust anchor no more", NULL, 1, ANY_NUMBER },
	{ "answer", cmd_answer, "NOTICE OUTCOME", "say what was done about a notice", answer_options, 2, 2 },
	{ "canary list", cmd_canary_list, "[PARTY]", "list dated statements: in force, or lapsed since when",
	  ledger_of_options, 0, 1 },
	{ "canary say", cmd_canary_say, "NAME", "say something that lapses unless it is said again", canary_say_options,
	  1, 1 },
	{ "certificate cosign", cmd_certificate_cosign, "ENVELOPE", "add a signature to an envelope before it is filed",
	  certificate_cosign_options, 1, 1 },
	{ "certificate counter", cmd_certificate_counter, "ID", "object to a certificate", certificate_counter_options,
	  1, 1 },
	{ "certificate export", cmd_certificate_export, "ID", "write out a certificate's DSSE envelope",
	  certificate_export_options, 1, 1 },
	{ "certificate issue", cmd_certificate_issue, "",
	  "certify a product: an evaluation, a validation, a declaration", certificate_issue_options, 0, 0 },
	{ "certificate list", cmd_certificate_list, "", "list certificates and how they stand",
	  certificate_list_options, 0, 0 },
	{ "certificate show", cmd_certificate_show, "ID", "show what is claimed, by whom, and what is said against it",
	  certificate_show_options, 1, 1 },
	{ "certificate status", cmd_certificate_status, "ID STATUS",
	  "say that a certificate is valid, conditional, suspended or withdrawn", certificate_status_options, 2, 2 },
	{ "certificate verify", cmd_certificate_verify, "ID|FILE",
	  "check an envelope against its header, and its signatures", NULL, 1, 1 },
	{ "certificate withdraw", cmd_certificate_withdraw, "ID", "withdraw a certificate of one's own, for good",
	  certificate_withdraw_options, 1, 1 },
	{ "completion", cmd_completion, "bash|zsh|fish", "print the completions for a shell", NULL, 1, 1 },
	{ "config check", cmd_config_check, "[FILE]", "say whether the configuration is good, and what is unwise in it",
	  NULL, 0, 1 },
	{ "config show", cmd_config_show, "[FILE]", "show all settings that hold, with the defaults", NULL, 0, 1 },
	{ "contact add", cmd_contact_add, "WHOM MAIL",
	  "set the mailbox of whoever answers for a resource, or of a party", contact_options, 2, 3 },
	{ "contact import", cmd_contact_import, "whois FILE… | rdap WHOM",
	  "take mailboxes from the registers' dumps, or ask a register", NULL, 2, ANY_NUMBER },
	{ "contact list", cmd_contact_list, "[WHOM]", "list mailboxes and how well they work", NULL, 0, 2 },
	{ "contact remove", cmd_contact_remove, "WHOM", "forget the mailbox that was set", NULL, 1, 2 },
	{ "control", cmd_control, "",
	  "count what became of sources that were told and of those that were not, and log it", control_options, 0, 0 },
	{ "deconflict answer", cmd_deconflict_answer, "", "answer who asks before a takedown what is held here", NULL,
	  0, 0 },
	{ "deconflict ask", cmd_deconflict_ask, "PLAN FILE", "ask every node what is held of a takedown's list",
	  deconflict_options, 2, 2 },
	{ "deconflict show", cmd_deconflict_show, "PLAN FILE", "show what is held of it, and by whom", NULL, 2, 2 },
	{ "deliver", cmd_deliver, "", "send what waits for other nodes, and mails, once, where no server does it", NULL,
	  0, 0 },
	{ "directive clear", cmd_directive_clear, "[WHOM]", "forget how an addressee, or everyone, wants to be told",
	  NULL, 0, 2 },
	{ "directive list", cmd_directive_list, "", "show how addressees want to be told", NULL, 0, 0 },
	{ "directive set", cmd_directive_set, "[WHOM]", "set how an addressee, or everyone, wants to be told",
	  directive_options, 0, 2 },
	{ "follow", cmd_follow, "[URL]", "mirror another node's ledgers, or all that are followed, up to now",
	  follow_options, 0, 1 },
	{ "follow list", cmd_follow_list, "", "list the nodes that are followed, and how far", follow_list_options, 0,
	  0 },
	{ "follow remove", cmd_follow_remove, "NODE", "follow a node no more", NULL, 1, 1 },
	{ "follow-up", cmd_follow_up, "", "take notices further that nobody answered in time or that are not theirs",
	  NULL, 0, 0 },
	{ "help", cmd_help, "[COMMAND]", "say what a command does", NULL, 0, 2 },
	{ "init", cmd_init, "NAME", "make a node named by its domain", init_options, 1, 1 },
	{ "inventory check", cmd_inventory_check, "FILE",
	  "say what certificates say of the parts of a bill of materials", inventory_options, 1, 1 },
	{ "ledger audit", cmd_ledger_audit, "", "recompute every hash, signature and the whole state", NULL, 0, 0 },
	{ "ledger proof", cmd_ledger_proof, "ID", "write the receipt of a statement", proof_options, 1, 1 },
	{ "ledger show", cmd_ledger_show, "[public|circle]", "show checkpoints and entries", show_options, 0, 1 },
	{ "lookup", cmd_lookup, "ADDRESS…|-", "say who answers for addresses, and why", NULL, 1, ANY_NUMBER },
	{ "mail key", cmd_mail_key, "", "make the OpenPGP key that signs mails, or show which it is", mail_key_options,
	  0, 0 },
	{ "mail read", cmd_mail_read, "[FILE|MAILDIR|-]…", "take in mails to the bounce address", NULL, 0, ANY_NUMBER },
	{ "mail send", cmd_mail_send, "", "send what is due by mail, once", mail_options, 0, 0 },
	{ "mail show", cmd_mail_show, "ID [ADDRESSEE]",
	  "print the mail for an addressee of a notice, without sending it", mail_options, 1, 2 },
	{ "matter", cmd_matter, "ID", "tell the history of one matter in plain words", NULL, 1, 1 },
	{ "norm list", cmd_norm_list, "", "list the norms that can be pledged", norm_list_options, 0, 0 },
	{ "norm metrics", cmd_norm_metrics, "", "list what can be measured, and which way a promise of it goes", NULL,
	  0, 0 },
	{ "norm show", cmd_norm_show, "SET VERSION ID", "show a norm and its metrics", NULL, 1, 3 },
	{ "notice list", cmd_notice_list, "", "list notices and how they stand", list_options, 0, 0 },
	{ "notice show", cmd_notice_show, "ID", "show a notice, its answers and its evidence", notice_show_options, 1,
	  1 },
	{ "notice waiting", cmd_notice_waiting, "", "list what waits for an addressee's next round", NULL, 0, 0 },
	{ "outbox", cmd_outbox, "[ID]", "list what still has to reach others, and why it does not", outbox_options, 0,
	  1 },
	{ "outbox retry", cmd_outbox_retry, "[ID]", "try again now", retry_options, 0, 1 },
	{ "party add", cmd_party_add, "DOMAIN", "register a party whose key is held here", party_add_options, 1, 1 },
	{ "party approve", cmd_party_approve, "DOMAIN", "approve a party's claims as the operator", approve_options, 1,
	  1 },
	{ "party list", cmd_party_list, "", "list parties and their claims", NULL, 0, 0 },
	{ "party recover", cmd_party_recover, "",
	  "make a new key for a party that lost its own, and file it when it may be", party_key_options, 0, 0 },
	{ "party revoke", cmd_party_revoke, "", "revoke a party's key, which others may have", party_key_options, 0,
	  0 },
	{ "party rotate", cmd_party_rotate, "", "give a party a new key in place of its present one", party_key_options,
	  0, 0 },
	{ "party show", cmd_party_show, "[DOMAIN]", "show a party, or the node itself: keys, contacts, claims", NULL, 0,
	  1 },
	{ "party update", cmd_party_update, "", "file the node's own party statement anew", party_update_options, 0,
	  0 },
	{ "ping", cmd_ping, "PARTY", "test whether a party's duty contact answers", ping_options, 1, 1 },
	{ "ping list", cmd_ping_list, "", "list pings, and how long a person took to answer", ping_list_options, 0, 0 },
	{ "plan cancel", cmd_plan_cancel, "ID", "take a plan back", plan_text_options, 1, 1 },
	{ "plan change", cmd_plan_change, "ID", "file a later version of a plan", plan_change_options, 1, 1 },
	{ "plan close", cmd_plan_close, "ID", "say that what was planned is over", plan_text_options, 1, 1 },
	{ "plan confirm", cmd_plan_confirm, "ID", "ask a plan's party whether it was it", plan_confirm_options, 1, 1 },
	{ "plan delay", cmd_plan_delay, "ID", "say that what was planned begins later", plan_text_options, 1, 1 },
	{ "plan explain", cmd_plan_explain, "ID", "ask a plan's party what it is doing", plan_order_options, 1, 1 },
	{ "plan export", cmd_plan_export, "PLAN…", "write plans as a calendar or as a probing.txt", plan_export_options,
	  1, ANY_NUMBER },
	{ "plan file", cmd_plan_file, "", "declare a scan, an exercise, a takedown ahead", plan_file_options, 0, 0 },
	{ "plan import", cmd_plan_import, "FILE", "file what a calendar of maintenance or a probing.txt announces",
	  plan_import_options, 1, 1 },
	{ "plan list", cmd_plan_list, "", "list plans and where they stand", plan_list_options, 0, 0 },
	{ "plan match", cmd_plan_match, "ADDRESS", "say whether a plan explains what was seen", match_options, 1, 1 },
	{ "plan recall", cmd_plan_recall, "ID", "order a plan's party to stop", plan_order_options, 1, 1 },
	{ "plan reveal", cmd_plan_reveal, "ID", "show what was sealed", NULL, 1, 1 },
	{ "plan seal", cmd_plan_seal, "", "file a plan that tells nothing yet but that it exists", plan_seal_options, 0,
	  0 },
	{ "plan seen", cmd_plan_seen, "ID", "say that another's plan was seen, and when", plan_seen_options, 1, 1 },
	{ "plan show", cmd_plan_show, "ID", "show a plan, where it stands and what was asked about it", NULL, 1, 1 },
	{ "plan start", cmd_plan_start, "ID", "say that what was planned has begun", plan_text_options, 1, 1 },
	{ "plan suspend", cmd_plan_suspend, "ID", "say that what was planned stands still", plan_text_options, 1, 1 },
	{ "plan whose", cmd_plan_whose, "ADDRESS", "say whose scan it is", whose_options, 0, 1 },
	{ "pledge list", cmd_pledge_list, "[PARTY]", "list what was pledged", NULL, 0, 1 },
	{ "pledge make", cmd_pledge_make, "", "promise to everybody to keep a norm", pledge_make_options, 0, 0 },
	{ "pledge show", cmd_pledge_show, "ID", "show a pledge, its terms in plain words", NULL, 1, 1 },
	{ "pledge withdraw", cmd_pledge_withdraw, "ID", "withdraw a pledge: its windows count no more from then on",
	  from_options, 1, 1 },
	{ "policy set", cmd_policy_set, "ACTION BASIS…", "say which bases suffice for an action, for all to see", NULL,
	  2, ANY_NUMBER },
	{ "policy show", cmd_policy_show, "", "show which bases suffice for which action", NULL, 0, 0 },
	{ "proof accept", cmd_proof_accept, "ID", "accept a proof as the operator, such as a mandate",
	  proof_accept_options, 1, 1 },
	{ "proof file", cmd_proof_file, "rsc|dnssec|legal|openpgp", "prove that a party's key speaks for what it holds",
	  proof_file_options, 1, 1 },
	{ "proof gather", cmd_proof_gather, "dnssec", "fetch a TXT record with all signatures above it",
	  proof_gather_options, 1, 1 },
	{ "proof list", cmd_proof_list, "", "list proofs and how they stand", proof_list_options, 0, 0 },
	{ "proof mandate", cmd_proof_mandate, "COUNTRY", "say, as a government, who speaks for the country",
	  proof_mandate_options, 1, 1 },
	{ "proof object", cmd_proof_object, "ID", "object to a proof as the operator", proof_object_options, 1, 1 },
	{ "proof observe", cmd_proof_observe, "DOMAIN", "say that a party's key was seen at a domain",
	  proof_observe_options, 1, 1 },
	{ "proof show", cmd_proof_show, "ID", "show a proof, its evidence and the verdict", NULL, 1, 1 },
	{ "proof text", cmd_proof_text, "", "print the key statement that evidence is about", proof_text_options, 0,
	  0 },
	{ "proof verify", cmd_proof_verify, "ID|FILE", "verify a proof again from its evidence, without any network",
	  proof_verify_options, 1, 1 },
	{ "pull", cmd_pull, "URL", "take what another TAXII server has into a collection here", pull_options, 1, 1 },
	{ "push", cmd_push, "URL", "send a collection of this node to another TAXII server", push_options, 1, 1 },
	{ "request accept", cmd_request_accept, "ID", "accept an offer of help", request_accept_options, 1, 1 },
	{ "request close", cmd_request_close, "ID", "say that a request for help is over", request_close_options, 1,
	  1 },
	{ "request decline", cmd_request_decline, "ID", "say that one cannot help", request_answer_options, 1, 1 },
	{ "request help", cmd_request_help, "", "ask one, several or all for help", request_help_options, 0, 0 },
	{ "request list", cmd_request_list, "", "list requests for help and how they stand", request_list_options, 0,
	  0 },
	{ "request offer", cmd_request_offer, "ID", "offer help", request_answer_options, 1, 1 },
	{ "request progress", cmd_request_progress, "ID", "say how far the help is", request_answer_options, 1, 1 },
	{ "request recovered", cmd_request_recovered, "ID", "say that one recovered, and show it",
	  request_recovered_options, 1, 1 },
	{ "request show", cmd_request_show, "ID", "show a request for help, or a ping, and what was said of it", NULL,
	  1, 1 },
	{ "release check", cmd_release_check, "[PRODUCT [VERSION]]",
	  "say which releases differ by region, or leave one out", ledger_of_options, 0, 2 },
	{ "release file", cmd_release_file, "", "say what is given to whom, and from when", release_file_options, 0,
	  0 },
	{ "release list", cmd_release_list, "[PRODUCT [VERSION]]",
	  "list releases, their hashes by region, and who saw what", ledger_of_options, 0, 2 },
	{ "release seen", cmd_release_seen, "ID FILE|sha256:HEX", "say what you got of a release", release_seen_options,
	  2, 2 },
	{ "route", cmd_route, "FILE…|DIR|-", "turn reports into notices to whoever answers", route_options, 0,
	  ANY_NUMBER },
	{ "serve", cmd_serve, "", "serve the node on the network until it is told to end", serve_options, 0, 0 },
	{ "sighting list", cmd_sighting_list, "", "list how often sources were seen, and when they were told",
	  sighting_options, 0, 0 },
	{ "standing", cmd_standing, "[PARTY]", "say how notices were answered, and how good a reporter's were",
	  standing_options, 0, 2 },
	{ "submit", cmd_submit, "FILE…|-", "log statements that were signed elsewhere", submit_options, 1, ANY_NUMBER },
	{ "territory build", cmd_territory_build, "FILE…", "compile registry files from disk", NULL, 1, ANY_NUMBER },
	{ "territory show", cmd_territory_show, "", "show the tables' sources and ages", NULL, 0, 0 },
	{ "territory update", cmd_territory_update, "", "fetch the registry files and compile them", update_options, 0,
	  0 },
	{ "verify", cmd_verify, "RECEIPT", "check a receipt without any network", verify_options, 1, 1 },
	{ "vocabulary codes", cmd_vocabulary_codes, "", "list the core codes, what they say and for which classes",
	  NULL, 0, 0 },
	{ "vocabulary file", cmd_vocabulary_file, "[FILE.json]",
	  "say which codes a party recognises, and in which words", vocabulary_file_options, 0, 1 },
	{ "vocabulary joint", cmd_vocabulary_joint, "PARTY PARTY", "list the codes that both recognise",
	  vocabulary_at_options, 2, 2 },
	{ "vocabulary show", cmd_vocabulary_show, "[PARTY]", "show what parties recognise, and their words",
	  vocabulary_at_options, 0, 1 },
	{ "vocabulary translate", cmd_vocabulary_translate, "TERM", "say a party's word in the words of another",
	  translate_options, 1, 1 },
	{ "version", cmd_version, "", "print the version", NULL, 0, 0 },
	{ "vouch for", cmd_vouch_for, "PARTY", "put one's name to another party's key", vouch_for_options, 1, 1 },
	{ "vouch list", cmd_vouch_list, "", "list who vouches for whom, and until when", vouch_list_options, 0, 0 },
	{ "vouch withdraw", cmd_vouch_withdraw, "ID", "withdraw a vouch; it counts for two weeks more", from_options, 1,
	  1 },
	{ "withdraw", cmd_withdraw, "ID", "withdraw a statement of one's own", from_options, 1, 1 },
	{ NULL, NULL, NULL, NULL, NULL, 0, 0 },
};
