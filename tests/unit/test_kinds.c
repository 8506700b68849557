#include "regime/kinds.h"

#include "regime.h"

enum who { NODE, OP, RES, TEAM, STRANGER };

struct door {
	const char *what;
	enum kind kind;
	enum ledger_id ledger;
	enum who from;
	const char *lines; /* @… stands for the id of a statement of the world, $KEY for the signer's public key */
	enum err err;
};

static const struct signer *signer_for(const struct world *w, enum who who)
{
	switch (who) {
	case NODE:
		return node_signer(w->n);
	case OP:
		return w->op;
	case RES:
		return w->res;
	case TEAM:
		return w->team;
	default:
		return w->stranger;
	}
}

/* The lines with names of statements in place of their ids. */
static const char *filled(struct world *w, const char *lines, const struct signer *from)
{
	const struct {
		const char *name, *value;
	} names[] = {
		{ "@party-op", hex_of(w->arena, w->party_op) },	  { "@party-res", hex_of(w->arena, w->party_res) },
		{ "@notice-as", hex_of(w->arena, w->notice_as) }, { "@notice", hex_of(w->arena, w->notice) },
		{ "@plan", hex_of(w->arena, w->plan) },		  { "$KEY", public_key_of(w->arena, from) },
	};
	const char *text = lines;

	for (size_t i = 0; i < TABLE_LENGTH(names); i++) {
		const char *at = strstr(text, names[i].name);

		if (at != NULL)
			text = arena_print(w->arena, "%.*s%s%s", (int)(at - text), text, names[i].value,
					   at + strlen(names[i].name));
	}
	assert_non_null(text);
	return text;
}

static void run(struct world *w, const struct door *doors, size_t count)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		const struct door *d = &doors[i];
		const struct signer *from = signer_for(w, d->from);
		const char *ledger = d->ledger == LEDGER_PUBLIC ? "cert.example/public" : "cert.example/circle";
		enum err e;

		err_clear();
		e = world_try(w, statement_text(w->arena, d->kind, ledger, from, filled(w, d->lines, from), NULL));
		if (e == d->err)
			continue;
		print_error("%s: %s (%s), not %s\n", d->what, err_code(e), err_detail(), err_code(d->err));
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

#define PARTY(what, from, lines, err)                                                                                  \
	{                                                                                                              \
		what, KIND_PARTY, LEDGER_PUBLIC, from, lines, err                                                      \
	}

static const struct door parties[] = {
	PARTY("a new party", STRANGER, "public-key $KEY\nrole vendor\n", OK),
	PARTY("with everything", STRANGER,
	      "public-key $KEY\nrole vendor\nrole operator\ntitle A vendor\nclaim AS1\nclaim prefix 2001:db8::/32\n"
	      "claim country DE\ndemonstration yes\ndate 2026-11-22T20:45:00Z\nlater-header kept\n",
	      OK),
	PARTY("again, unchanged key", OP, "public-key $KEY\nrole operator\nclaim AS64501\n", OK),
	PARTY("no key", STRANGER, "role vendor\n", ERR_STATEMENT_HEADER),
	PARTY("no role", STRANGER, "public-key $KEY\n", ERR_STATEMENT_HEADER),
	PARTY("two keys", STRANGER, "public-key $KEY\npublic-key x\nrole vendor\n", ERR_STATEMENT_HEADER),
	PARTY("not a key", STRANGER, "public-key AAAA\nrole vendor\n", ERR_STATEMENT_HEADER),
	PARTY("another's key", STRANGER, "public-key AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\nrole vendor\n",
	      ERR_KEY),
	PARTY("a point of small order", STRANGER,
	      "public-key AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\nrole vendor\n", ERR_KEY),
	PARTY("a key of another kind", STRANGER,
	      "public-key AgECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g\nrole vendor\n", ERR_STATEMENT_HEADER),
	PARTY("unknown role", STRANGER, "public-key $KEY\nrole emperor\n", ERR_STATEMENT_HEADER),
	PARTY("a role twice", STRANGER, "public-key $KEY\nrole vendor\nrole vendor\n", ERR_STATEMENT_HEADER),
	PARTY("claims a domain", STRANGER, "public-key $KEY\nrole vendor\nclaim op.example\n", ERR_STATEMENT_HEADER),
	PARTY("claims all", STRANGER, "public-key $KEY\nrole vendor\nclaim all\n", ERR_STATEMENT_HEADER),
	PARTY("claims twice", STRANGER, "public-key $KEY\nrole vendor\nclaim AS1\nclaim AS1\n", ERR_STATEMENT_HEADER),
	PARTY("host bits in a claim", STRANGER, "public-key $KEY\nrole vendor\nclaim prefix 192.0.2.1/24\n",
	      ERR_STATEMENT_HEADER),
	PARTY("demonstration no", STRANGER, "public-key $KEY\nrole vendor\ndemonstration no\n", ERR_STATEMENT_HEADER),
	PARTY("refers", STRANGER, "public-key $KEY\nrole vendor\nre @plan\n", ERR_STATEMENT_HEADER),
	PARTY("the node without its role", NODE, "public-key $KEY\nrole operator\n", ERR_ROLE),
	PARTY("the node with one more", NODE, "public-key $KEY\nrole node\nrole response-team\n", OK),
	{ "in the circle", KIND_PARTY, LEDGER_CIRCLE, STRANGER, "public-key $KEY\nrole vendor\n",
	  ERR_STATEMENT_LEDGER },
};

#define WINDOW "start 2026-03-01T00:00:00Z\nend 2026-03-02T00:00:00Z\n"
#define PLAN_REST "source 198.51.100.0/24\ntarget any\npurpose to see\n"
#define PLAN(what, from, lines, err)                                                                                   \
	{                                                                                                              \
		what, KIND_PLAN, LEDGER_PUBLIC, from, lines, err                                                       \
	}

static const struct door plan_doors[] = {
	PLAN("a plan", RES, "activity scan\n" WINDOW PLAN_REST, OK),
	PLAN("with everything", RES,
	     "to op.example\nactivity takedown\n" WINDOW "source 198.51.100.0/24\nsource 2001:db8::/32\n"
	     "target 192.0.2.0/24\nexclude 192.0.2.128/25\npurpose to see\nreference https://res.example/plan\n"
	     "intrusive yes\ndemonstration yes\n",
	     OK),
	PLAN("intrusive, and names nobody", RES,
	     "activity takedown\n" WINDOW "source 198.51.100.0/24\ntarget 192.0.2.0/24\npurpose x\nintrusive yes\n",
	     ERR_CONSENT),
	PLAN("by a response team, gentle", TEAM, "activity exercise\n" WINDOW PLAN_REST "intrusive no\n", OK),
	PLAN("by a response team, intrusive", TEAM, "activity exercise\n" WINDOW PLAN_REST "intrusive yes\n", ERR_ROLE),
	PLAN("by nobody known", STRANGER, "activity scan\n" WINDOW PLAN_REST, ERR_PARTY_UNKNOWN),
	PLAN("unknown activity", RES, "activity war\n" WINDOW PLAN_REST, ERR_STATEMENT_HEADER),
	PLAN("no activity", RES, WINDOW PLAN_REST, ERR_STATEMENT_HEADER),
	PLAN("no end", RES, "activity scan\nstart 2026-03-01T00:00:00Z\n" PLAN_REST, ERR_STATEMENT_HEADER),
	PLAN("end is start", RES, "activity scan\nstart 2026-03-01T00:00:00Z\nend 2026-03-01T00:00:00Z\n" PLAN_REST,
	     ERR_PLAN_WINDOW),
	PLAN("366 days", RES, "activity scan\nstart 2026-03-01T00:00:00Z\nend 2027-03-02T00:00:00Z\n" PLAN_REST, OK),
	PLAN("a second more", RES, "activity scan\nstart 2026-03-01T00:00:00Z\nend 2027-03-02T00:00:01Z\n" PLAN_REST,
	     ERR_PLAN_WINDOW),
	PLAN("time with a fraction", RES,
	     "activity scan\nstart 2026-03-01T00:00:00.5Z\nend 2026-03-02T00:00:00Z\n" PLAN_REST, ERR_STATEMENT_HEADER),
	PLAN("a /8", RES, "activity scan\n" WINDOW "source 11.0.0.0/8\ntarget any\npurpose x\n", OK),
	PLAN("a /7", RES, "activity scan\n" WINDOW "source 10.0.0.0/7\ntarget any\npurpose x\n", ERR_PREFIX),
	PLAN("a /16 of IPv6", RES, "activity scan\n" WINDOW "source 2001::/16\ntarget any\npurpose x\n", OK),
	PLAN("a /15 of IPv6", RES, "activity scan\n" WINDOW "source 2000::/15\ntarget any\npurpose x\n", ERR_PREFIX),
	PLAN("all IPv4 as IPv6", RES, "activity scan\n" WINDOW "source ::ffff:0.0.0.0/96\ntarget any\npurpose x\n",
	     ERR_PREFIX),
	PLAN("host bits", RES, "activity scan\n" WINDOW "source 192.0.2.1/24\ntarget any\npurpose x\n", ERR_PREFIX),
	PLAN("another spelling", RES, "activity scan\n" WINDOW "source 2001:DB8::/32\ntarget any\npurpose x\n",
	     ERR_PREFIX),
	PLAN("no length", RES, "activity scan\n" WINDOW "source 192.0.2.1\ntarget any\npurpose x\n", ERR_PREFIX),
	PLAN("no source", RES, "activity scan\n" WINDOW "target any\npurpose x\n", ERR_STATEMENT_HEADER),
	PLAN("no target", RES, "activity scan\n" WINDOW "source 192.0.2.0/24\npurpose x\n", ERR_STATEMENT_HEADER),
	PLAN("source any", RES, "activity scan\n" WINDOW "source any\ntarget any\npurpose x\n", ERR_PREFIX),
	PLAN("exclude any", RES, "activity scan\n" WINDOW PLAN_REST "exclude any\n", ERR_PREFIX),
	PLAN("no purpose", RES, "activity scan\n" WINDOW "source 192.0.2.0/24\ntarget any\n", ERR_STATEMENT_HEADER),
	PLAN("reference by http", RES, "activity scan\n" WINDOW PLAN_REST "reference http://res.example\n",
	     ERR_STATEMENT_HEADER),
	PLAN("intrusive perhaps", RES, "activity scan\n" WINDOW PLAN_REST "intrusive perhaps\n", ERR_STATEMENT_HEADER),
	PLAN("with a body", RES, "activity scan\n" WINDOW PLAN_REST SEALED_BODY, ERR_STATEMENT_HEADER),
	{ "in the circle", KIND_PLAN, LEDGER_CIRCLE, RES, "activity scan\n" WINDOW PLAN_REST, ERR_STATEMENT_LEDGER },
};

#define CLASS "class malicious-code/infected-system\n"
#define NOTICE(what, from, lines, err)                                                                                 \
	{                                                                                                              \
		what, KIND_NOTICE, LEDGER_CIRCLE, from, lines, err                                                     \
	}

static const struct door notices[] = {
	NOTICE("a notice", NODE, "to op.example\n" CLASS "events 1\n" SEALED_BODY, OK),
	NOTICE("with everything", RES,
	       "to op.example\nto AS64500\nto prefix 192.0.2.0/24\nto country EE\ncc team.example\n" CLASS
	       "tlp AMBER+STRICT\nevents 10\nexplained 10\nfirst 2026-11-22T20:45:00Z\nlast 2026-11-22T20:45:00Z\n"
	       "part 2/3\npriority low\ntable ripencc 2026-11-22\ntable rpki 2026-11-22\ndemonstration "
	       "yes\n" SEALED_BODY,
	       OK),
	NOTICE("STIX", NODE,
	       "to op.example\n" CLASS "events 1\nbody application/stix+json 1 sealed-sha256:"
	       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
	       OK),
	NOTICE("to a domain without a key", NODE, "to nobody.example\n" CLASS "events 1\n" SEALED_BODY, OK),
	NOTICE("to nobody", NODE, CLASS "events 1\n" SEALED_BODY, ERR_STATEMENT_HEADER),
	NOTICE("to all", NODE, "to all\n" CLASS "events 1\n" SEALED_BODY, ERR_STATEMENT_HEADER),
	NOTICE("to nine", NODE,
	       "to AS1\nto AS2\nto AS3\nto AS4\nto AS5\nto AS6\nto AS7\nto AS8\nto AS9\n" CLASS
	       "events 1\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("no class", NODE, "to op.example\nevents 1\n" SEALED_BODY, ERR_STATEMENT_HEADER),
	NOTICE("speech", NODE, "to op.example\nclass abusive-content/harmful-speech\nevents 1\n" SEALED_BODY,
	       ERR_CLASS_CONTENT),
	NOTICE("violence", NODE, "to op.example\nclass abusive-content/violence\nevents 1\n" SEALED_BODY,
	       ERR_CLASS_CONTENT),
	NOTICE("copyright", NODE, "to op.example\nclass fraud/copyright\nevents 1\n" SEALED_BODY, ERR_CLASS_CONTENT),
	NOTICE("content by its type alone", NODE, "to op.example\nclass copyright\nevents 1\n" SEALED_BODY,
	       ERR_CLASS_CONTENT),
	NOTICE("an opinion", NODE, "to op.example\nclass speech/opinion\nevents 1\n" SEALED_BODY, ERR_CLASS_UNKNOWN),
	NOTICE("the type alone", NODE, "to op.example\nclass infected-system\nevents 1\n" SEALED_BODY,
	       ERR_CLASS_UNKNOWN),
	NOTICE("other, to who answers", NODE, "to op.example\nclass other/other\nevents 1\n" SEALED_BODY, OK),
	NOTICE("other, in copy", NODE, "to op.example\ncc team.example\nclass other/other\nevents 1\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("unknown marking", NODE, "to op.example\n" CLASS "events 1\ntlp WHITE\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("no events", NODE, "to op.example\n" CLASS SEALED_BODY, ERR_STATEMENT_HEADER),
	NOTICE("zero events", NODE, "to op.example\n" CLASS "events 0\n" SEALED_BODY, ERR_STATEMENT_HEADER),
	NOTICE("events with a zero in front", NODE, "to op.example\n" CLASS "events 01\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("more explained", NODE, "to op.example\n" CLASS "events 1\nexplained 2\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("last before first", NODE,
	       "to op.example\n" CLASS "events 1\nfirst 2026-11-22T20:45:01Z\n"
	       "last 2026-11-22T20:45:00Z\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("part 0", NODE, "to op.example\n" CLASS "events 1\npart 0/3\n" SEALED_BODY, ERR_STATEMENT_HEADER),
	NOTICE("part 4 of 3", NODE, "to op.example\n" CLASS "events 1\npart 4/3\n" SEALED_BODY, ERR_STATEMENT_HEADER),
	NOTICE("priority high", NODE, "to op.example\n" CLASS "events 1\npriority high\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("due long ago", NODE, "to op.example\n" CLASS "events 1\ndue 2020-01-01T00:00:00Z\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("due in a far century", NODE, "to op.example\n" CLASS "events 1\ndue 2999-01-01T00:00:00Z\n" SEALED_BODY,
	       ERR_STATEMENT_HEADER),
	NOTICE("no body", NODE, "to op.example\n" CLASS "events 1\n", ERR_STATEMENT_HEADER),
	NOTICE("another body", NODE,
	       "to op.example\n" CLASS "events 1\nbody text/html 1 sealed-sha256:"
	       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
	       ERR_STATEMENT_HEADER),
	NOTICE("an open body", NODE,
	       "to op.example\n" CLASS "events 1\nbody application/stix+json 1 sha256:"
	       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n",
	       ERR_STATEMENT_HEADER),
	NOTICE("by nobody known", STRANGER, "to op.example\n" CLASS "events 1\n" SEALED_BODY, ERR_PARTY_UNKNOWN),
	{ "in public", KIND_NOTICE, LEDGER_PUBLIC, NODE, "to op.example\n" CLASS "events 1\n" SEALED_BODY,
	  ERR_STATEMENT_LEDGER },
};

#define ANSWER(what, from, lines, err)                                                                                 \
	{                                                                                                              \
		what, KIND_ANSWER, LEDGER_CIRCLE, from, lines, err                                                     \
	}
#define ANSWER_PUBLIC(what, from, lines, err)                                                                          \
	{                                                                                                              \
		what, KIND_ANSWER, LEDGER_PUBLIC, from, lines, err                                                     \
	}

static const struct door answers[] = {
	ANSWER("the addressee", OP, "re @notice\noutcome acknowledged\ntext on it\n", OK),
	ANSWER("received", OP, "re @notice\noutcome received\n", OK),
	ANSWER("fixed", OP, "re @notice\noutcome fixed\n", OK),
	ANSWER("cannot", OP, "re @notice\noutcome cannot\n", OK),
	ANSWER("somebody else", RES, "re @notice\noutcome fixed\n", ERR_NOT_YOURS),
	ANSWER("nobody known", STRANGER, "re @notice\noutcome fixed\n", ERR_PARTY_UNKNOWN),
	ANSWER("the sender says fixed", NODE, "re @notice\noutcome fixed\n", ERR_NOT_YOURS),
	ANSWER("the sender closes", NODE, "re @notice\noutcome closed\n", OK),
	ANSWER("the sender saw it again", NODE, "re @notice\noutcome re-observed\n", OK),
	ANSWER("the addressee closes", OP, "re @notice\noutcome closed\n", ERR_NOT_YOURS),
	ANSWER("the addressee saw it again", OP, "re @notice\noutcome re-observed\n", ERR_NOT_YOURS),
	ANSWER("the node for the addressee", NODE, "re @notice\noutcome fixed\nfor op.example\nvia mail\n", OK),
	ANSWER("the node for another", NODE, "re @notice\noutcome fixed\nfor res.example\nvia mail\n", ERR_NOT_YOURS),
	ANSWER("for without via", NODE, "re @notice\noutcome fixed\nfor op.example\n", ERR_STATEMENT_HEADER),
	ANSWER("via a pigeon", NODE, "re @notice\noutcome fixed\nfor op.example\nvia pigeon\n", ERR_STATEMENT_HEADER),
	ANSWER("a party for another", RES, "re @notice\noutcome fixed\nfor op.example\nvia mail\n", ERR_NOT_YOURS),
	ANSWER("the node closes for another", NODE, "re @notice\noutcome closed\nfor op.example\nvia mail\n",
	       ERR_NOT_YOURS),
	ANSWER("an outcome of plans", OP, "re @notice\noutcome started\n", ERR_OUTCOME),
	ANSWER("accepted", OP, "re @notice\noutcome accepted\n", ERR_OUTCOME),
	ANSWER("no such outcome", OP, "re @notice\noutcome guilty\n", ERR_OUTCOME),
	ANSWER("no outcome", OP, "re @notice\n", ERR_STATEMENT_HEADER),
	ANSWER("no matter", OP, "outcome fixed\n", ERR_STATEMENT_HEADER),
	ANSWER("an unknown matter", OP,
	       "re 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\noutcome fixed\n",
	       ERR_MATTER_UNKNOWN),
	ANSWER_PUBLIC("in the other ledger", OP, "re @notice\noutcome fixed\n", ERR_STATEMENT_LEDGER),
	ANSWER("with a body", OP, "re @notice\noutcome fixed\n" SEALED_BODY, ERR_STATEMENT_HEADER),
	ANSWER("a resource, claim not approved", OP, "re @notice-as\noutcome fixed\n", ERR_NOT_YOURS),
	ANSWER("a resource, the node", NODE, "re @notice-as\noutcome fixed\n", OK),
	ANSWER("a resource, the node by mail", NODE, "re @notice-as\noutcome fixed\nvia mail\n", OK),
	ANSWER("a resource, the node for it", NODE, "re @notice-as\noutcome fixed\nfor AS64500\nvia web\n", OK),
	ANSWER("a resource, the node for its holder", NODE,
	       "re @notice-as\noutcome fixed\nfor holder.example\nvia desk\n", OK),
	ANSWER("a resource, the node for another", NODE, "re @notice-as\noutcome fixed\nfor AS64501\nvia web\n",
	       ERR_NOT_YOURS),
	ANSWER("a resource, its sender closes", RES, "re @notice-as\noutcome closed\n", OK),
	ANSWER("a resource, the node closes", NODE, "re @notice-as\noutcome closed\n", ERR_NOT_YOURS),
	ANSWER_PUBLIC("to a plan", OP, "re @plan\noutcome objected\n", OK),
	ANSWER_PUBLIC("to a plan, accepted", TEAM, "re @plan\noutcome accepted\n", OK),
	ANSWER_PUBLIC("to a plan, for a party", NODE, "re @plan\noutcome acknowledged\nfor x.example\nvia mail\n", OK),
	ANSWER_PUBLIC("to one's own plan", RES, "re @plan\noutcome accepted\n", ERR_NOT_YOURS),
	ANSWER_PUBLIC("starting one's plan", RES, "re @plan\noutcome started\n", OK),
	ANSWER_PUBLIC("closing one's plan", RES, "re @plan\noutcome closed\n", OK),
	ANSWER_PUBLIC("closing another's plan", OP, "re @plan\noutcome closed\n", ERR_NOT_YOURS),
	ANSWER_PUBLIC("fixing a plan", OP, "re @plan\noutcome fixed\n", ERR_OUTCOME),
	ANSWER_PUBLIC("the node approves", NODE, "re @party-op\noutcome accepted\n", OK),
	ANSWER_PUBLIC("the node objects", NODE, "re @party-op\noutcome objected\n", OK),
	ANSWER_PUBLIC("a party approves itself", OP, "re @party-op\noutcome accepted\n", ERR_NOT_YOURS),
	ANSWER_PUBLIC("another approves", TEAM, "re @party-op\noutcome accepted\n", ERR_NOT_YOURS),
	ANSWER_PUBLIC("a party is fixed", NODE, "re @party-op\noutcome fixed\n", ERR_OUTCOME),
	ANSWER("280 characters", OP,
	       "re @notice\noutcome working\ntext "
	       "0123456789012345678901234567890123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789012345678901234567890123456789\n",
	       OK),
	ANSWER("281 characters", OP,
	       "re @notice\noutcome working\ntext x"
	       "0123456789012345678901234567890123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789012345678901234567890123456789"
	       "0123456789012345678901234567890123456789012345678901234567890123456789\n",
	       ERR_STATEMENT_HEADER),
};

#define ROOT "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static const struct door others[] = {
	{ "withdraw one's plan", KIND_WITHDRAW, LEDGER_PUBLIC, RES, "re @plan\ntext called off\n", OK },
	{ "withdraw another's plan", KIND_WITHDRAW, LEDGER_PUBLIC, OP, "re @plan\n", ERR_NOT_YOURS },
	{ "withdraw a plan in the circle", KIND_WITHDRAW, LEDGER_CIRCLE, RES, "re @plan\n", ERR_STATEMENT_LEDGER },
	{ "withdraw one's notice", KIND_WITHDRAW, LEDGER_CIRCLE, NODE, "re @notice\n", OK },
	{ "withdraw another's notice", KIND_WITHDRAW, LEDGER_CIRCLE, OP, "re @notice\n", ERR_NOT_YOURS },
	{ "withdraw oneself", KIND_WITHDRAW, LEDGER_PUBLIC, OP, "re @party-op\n", OK },
	{ "withdraw nothing", KIND_WITHDRAW, LEDGER_PUBLIC, OP, "text x\n", ERR_STATEMENT_HEADER },
	{ "tick", KIND_TICK, LEDGER_PUBLIC, NODE, "checkpoint cert.example/circle 0 " ROOT "\n", OK },
	{ "tick without a checkpoint", KIND_TICK, LEDGER_PUBLIC, NODE, "date 2026-11-22T20:45:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "tick of a party", KIND_TICK, LEDGER_PUBLIC, OP, "checkpoint cert.example/circle 0 " ROOT "\n", ERR_ROLE },
	{ "tick in the circle", KIND_TICK, LEDGER_CIRCLE, NODE, "checkpoint cert.example/circle 0 " ROOT "\n",
	  ERR_STATEMENT_LEDGER },
	{ "tick with a bad root", KIND_TICK, LEDGER_PUBLIC, NODE, "checkpoint cert.example/circle 0 AAAA\n",
	  ERR_STATEMENT_HEADER },
	{ "tick, one ledger twice", KIND_TICK, LEDGER_PUBLIC, NODE,
	  "checkpoint cert.example/circle 0 " ROOT "\ncheckpoint cert.example/circle 0 " ROOT "\n",
	  ERR_STATEMENT_HEADER },
	{ "rules again", KIND_RULES, LEDGER_PUBLIC, NODE, "version 2\n", ERR_RULES },
	{ "older rules", KIND_RULES, LEDGER_PUBLIC, NODE, "version 1\npolicy divert rsc\n", ERR_RULES },
	{ "rules unknown here", KIND_RULES, LEDGER_PUBLIC, NODE, "version 3\n", ERR_RULES },
	{ "rules 0", KIND_RULES, LEDGER_PUBLIC, NODE, "version 0\n", ERR_STATEMENT_HEADER },
	{ "rules of a party", KIND_RULES, LEDGER_PUBLIC, OP, "version 2\n", ERR_ROLE },
	{ "a kind without a row", KIND_ADVISORY, LEDGER_PUBLIC, OP, "norm x\n", OK },
	{ "the same in the circle", KIND_ADVISORY, LEDGER_CIRCLE, OP, "norm x\n", ERR_STATEMENT_LEDGER },
	{ "a case", KIND_CASE, LEDGER_CIRCLE, OP, "product x\n", OK },
	{ "a case in public", KIND_CASE, LEDGER_PUBLIC, OP, "product x\n", ERR_STATEMENT_LEDGER },
	{ "a kind without a row, nobody known", KIND_ADVISORY, LEDGER_PUBLIC, STRANGER, "norm x\n", ERR_PARTY_UNKNOWN },
};

#define SHARE(what, from, lines, err)                                                                                  \
	{                                                                                                              \
		what, KIND_SHARE, LEDGER_CIRCLE, from, lines, err                                                      \
	}
#define COLLECTION "collection 91a7b528-80eb-42ed-a74d-c6fbd5a26116\n"
#define SEALED_SHARE                                                                                                   \
	"body application/stix+json;version=2.1 10 "                                                                   \
	"sealed-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define OPEN_SHARE                                                                                                     \
	"body application/stix+json;version=2.1 10 "                                                                   \
	"sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"

static const struct door shares[] = {
	SHARE("a share", NODE, COLLECTION "action add\nobjects 2\ntlp GREEN\n" SEALED_SHARE, OK),
	SHARE("for a party", NODE,
	      COLLECTION "action delete\nobjects 250000\ntlp RED\nfor op.example\nvia taxii\n" SEALED_SHARE, OK),
	SHARE("of a party itself", OP, COLLECTION "action add\nobjects 2\ntlp GREEN\n" SEALED_SHARE, ERR_ROLE),
	{ "in public", KIND_SHARE, LEDGER_PUBLIC, NODE, COLLECTION "action add\nobjects 2\ntlp GREEN\n" SEALED_SHARE,
	  ERR_STATEMENT_LEDGER },
	SHARE("of nothing", NODE, COLLECTION "action add\nobjects 0\ntlp GREEN\n" SEALED_SHARE, ERR_STATEMENT_HEADER),
	SHARE("of too much", NODE, COLLECTION "action add\nobjects 250001\ntlp GREEN\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
	SHARE("another action", NODE, COLLECTION "action change\nobjects 1\ntlp GREEN\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
	SHARE("another level", NODE, COLLECTION "action add\nobjects 1\ntlp WHITE\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
	SHARE("without a level", NODE, COLLECTION "action add\nobjects 1\n" SEALED_SHARE, ERR_STATEMENT_HEADER),
	SHARE("no collection", NODE, "action add\nobjects 1\ntlp GREEN\n" SEALED_SHARE, ERR_STATEMENT_HEADER),
	SHARE("a collection in capitals", NODE,
	      "collection 91A7B528-80EB-42ED-A74D-C6FBD5A26116\naction add\nobjects 1\ntlp GREEN\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
	SHARE("a collection without dashes", NODE,
	      "collection 91a7b52880eb42eda74dc6fbd5a261160000\naction add\nobjects 1\ntlp GREEN\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
	SHARE("for without via", NODE, COLLECTION "action add\nobjects 1\ntlp GREEN\nfor op.example\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
	SHARE("an unknown way", NODE,
	      COLLECTION "action add\nobjects 1\ntlp GREEN\nfor op.example\nvia pigeon\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
	SHARE("an open body", NODE, COLLECTION "action add\nobjects 1\ntlp GREEN\n" OPEN_SHARE, ERR_STATEMENT_HEADER),
	SHARE("a body of another type", NODE, COLLECTION "action add\nobjects 1\ntlp GREEN\n" SEALED_BODY,
	      ERR_STATEMENT_HEADER),
	SHARE("no body", NODE, COLLECTION "action add\nobjects 1\ntlp GREEN\n", ERR_STATEMENT_HEADER),
	SHARE("about another", NODE, COLLECTION "action add\nobjects 1\ntlp GREEN\nre @notice\n" SEALED_SHARE,
	      ERR_STATEMENT_HEADER),
};

static void doors(void **state)
{
	struct world *w = world_new(*state);

	run(w, parties, TABLE_LENGTH(parties));
	run(w, plan_doors, TABLE_LENGTH(plan_doors));
	run(w, notices, TABLE_LENGTH(notices));
	run(w, shares, TABLE_LENGTH(shares));
	run(w, answers, TABLE_LENGTH(answers));
	run(w, others, TABLE_LENGTH(others));
	world_free(w);
}

static const struct door after_approval[] = {
	ANSWER("an approved claim answers", OP, "re @notice-as\noutcome fixed\n", OK),
	ANSWER("others still not", TEAM, "re @notice-as\noutcome fixed\n", ERR_NOT_YOURS),
};

static void approval(void **state)
{
	struct world *w = world_new(*state);
	const char *lines = arena_print(w->arena, "re %s\noutcome accepted\n", hex_of(w->arena, w->party_op));

	assert_int_equal(
		world_add(w,
			  statement_text(w->arena, KIND_ANSWER, "cert.example/public", node_signer(w->n), lines, NULL),
			  NULL),
		OK);
	run(w, after_approval, TABLE_LENGTH(after_approval));
	world_free(w);
}

static void signatures(void **state)
{
	struct world *w = world_new(*state);
	const char *lines = arena_print(w->arena, "re %s\noutcome fixed\n", hex_of(w->arena, w->notice));
	struct span good = statement_text(w->arena, KIND_ANSWER, "cert.example/circle", w->op, lines, NULL);
	struct signer *other = NULL;
	char *bad = arena_copy(w->arena, good.at, good.len);
	struct hash id;

	/* A signature that does not fit the text. */
	bad[good.len - 5] = bad[good.len - 5] == 'A' ? 'B' : 'A';
	assert_int_equal(world_try(w, span_make(bad, good.len)), ERR_NOTE_SIGNATURE);
	/* A new key for a known name. */
	assert_int_equal(signer_new(SPAN("op.example"), &other), OK);
	assert_int_equal(world_try(w, statement_text(w->arena, KIND_ANSWER, "cert.example/circle", other, lines, NULL)),
			 ERR_KEY_UNKNOWN);
	assert_int_equal(world_try(w, party_text(w->arena, "cert.example/public", other, "role operator\n", NULL)),
			 ERR_KEY);
	/* Once is enough. */
	assert_int_equal(world_add(w, good, NULL), OK);
	assert_int_equal(world_try(w, good), ERR_STATEMENT_REPEATED);
	/* Another node's ledger. */
	assert_int_equal(world_try(w, statement_text(w->arena, KIND_ANSWER, "other.example/circle", w->op, lines, &id)),
			 ERR_STATEMENT_LEDGER);
	assert_int_equal(world_try(w, statement_text(w->arena, KIND_ANSWER, "cert.example/secret", w->op, lines, &id)),
			 ERR_STATEMENT_LEDGER);
	signer_free(other);
	world_free(w);
}

static void names(void **state)
{
	(void)state;
	for (int r = 0; r < ROLE_COUNT; r++) {
		enum role back;

		assert_int_equal(role_parse(span_of(role_name((enum role)r)), &back), OK);
		assert_int_equal(back, r);
	}
	for (int o = 0; o < OUTCOME_COUNT; o++) {
		enum outcome back;

		assert_int_equal(outcome_parse(span_of(outcome_name((enum outcome)o)), &back), OK);
		assert_int_equal(back, o);
	}
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind_rules *r = kind_rules((enum kind)k);

		if (r == NULL)
			continue;
		assert_int_equal(r->kind, k);
		assert_int_equal(r->ends & ~r->outcomes, 0);
		assert_true(r->ledgers != 0 && r->roles != 0 && r->check != NULL && r->fold != NULL);
	}
}

/* Who did it is for others to find out: no kind has a place for it, so no matter waits for it (E7 of docs/regime.md). */
static void no_word_for_the_actor(void **state)
{
	static const char *const words[] = { "actor",	"attribution",	 "attacker", "suspect",
					     "culprit", "sponsor-state", "group" };

	(void)state;
	for (int k = 0; k < KIND_COUNT; k++) {
		const struct kind_rules *r = kind_rules((enum kind)k);

		for (const struct header_rule *h = r != NULL ? r->headers : NULL; h != NULL && h->name != NULL; h++)
			for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
				assert_string_not_equal(h->name, words[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(no_word_for_the_actor),
		cmocka_unit_test_setup_teardown(doors, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(approval, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(signatures, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
