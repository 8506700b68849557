#include "regime/help.h"

#include "regime.h"

#define PUBLIC "cert.example/public"
#define CIRCLE "cert.example/circle"
#define T0 INT64_C(1800000000000)
#define HOUR INT64_C(3600000)
#define BODY "body text/plain 10 sealed-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"
#define NORM "un 2015 h"
#define OPEN_BODY "body text/plain 10 sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"

/* A node, its parties, and the time, which goes on by a second an entry. */
struct scene {
	struct bare *b;
	struct signer *asks, *one, *two, *three;
	int64_t now;
};

static struct hash said(struct scene *s, enum kind k, enum ledger_id l, const struct signer *who, const char *lines)
{
	struct hash id;

	s->now += 1000;
	assert_int_equal(
		bare_fold(s->b, statement_text(s->b->arena, k, l == LEDGER_PUBLIC ? PUBLIC : CIRCLE, who, lines, &id),
			  l, s->now),
		OK);
	return id;
}

static enum err tried(struct scene *s, enum kind k, const struct signer *who, const char *lines)
{
	struct state st = s->b->st;
	struct statement parsed;

	st.ledger = LEDGER_CIRCLE;
	st.index = s->b->size[LEDGER_CIRCLE];
	st.logged_ms = s->now;
	assert_int_equal(
		statement_parse(s->b->arena, statement_text(s->b->arena, k, CIRCLE, who, lines, NULL), &parsed), OK);
	return state_check(&st, &parsed);
}

static struct signer *join(struct scene *s, const char *domain)
{
	struct signer *key = signer_of(domain);

	s->now += 1000;
	assert_int_equal(
		bare_fold(s->b, party_text(s->b->arena, PUBLIC, key, "role operator\n", NULL), LEDGER_PUBLIC, s->now),
		OK);
	return key;
}

static struct scene scene_new(void **state, const char *name, unsigned rules)
{
	struct scene s = { .b = bare_new(*state, name), .now = T0 };

	said(&s, KIND_RULES, LEDGER_PUBLIC, s.b->node, arena_print(s.b->arena, "version %u\n", rules));
	s.asks = join(&s, "asks.example");
	s.one = join(&s, "one.example");
	s.two = join(&s, "two.example");
	s.three = join(&s, "three.example");
	return s;
}

static void scene_free(struct scene *s)
{
	signer_free(s->asks);
	signer_free(s->one);
	signer_free(s->two);
	signer_free(s->three);
	bare_free(s->b);
}

static struct hash ask(struct scene *s, const char *lines)
{
	assert_int_equal(tried(s, KIND_REQUEST, s->asks, lines), OK);
	return said(s, KIND_REQUEST, LEDGER_CIRCLE, s->asks, lines);
}

/* Each answer is another statement by its date. */
static const char *about(struct scene *s, struct hash id, const char *lines)
{
	char date[CLOCK_TEXT];

	clock_format(s->now, date);
	return arena_print(s->b->arena, "date %s\nre %s\noutcome %s", date, hex_of(s->b->arena, id), lines);
}

static enum err try_answer(struct scene *s, const struct signer *who, struct hash id, const char *lines)
{
	return tried(s, KIND_ANSWER, who, about(s, id, lines));
}

static struct hash answer(struct scene *s, const struct signer *who, struct hash id, const char *lines)
{
	enum err e = try_answer(s, who, id, lines);

	if (e != OK)
		fail_msg("%s: %s\n%s", err_code(e), err_detail(), lines);
	return said(s, KIND_ANSWER, LEDGER_CIRCLE, who, about(s, id, lines));
}

static struct help help_now(struct scene *s, struct hash id)
{
	struct help h;

	assert_int_equal(state_help(&s->b->st, id, &h), OK);
	return h;
}

/* ---- asking ---- */

static void asks_by_its_rules(void **state)
{
	static const struct {
		const char *lines;
		enum err err;
	} cases[] = {
		{ "need help\nto one.example\n", OK },
		{ "need help\nto one.example\nto two.example\ncc three.example\n", OK },
		{ "need help\nto all\n", OK },
		{ "need help\nto all\ncritical energy\nskill forensics\nskill malware-analysis\naffected 1200\ntext "
		  "Help\n",
		  OK },
		{ "need help\nto nobody-knows.example\n", OK },
		{ "need ping\nto one.example\n", OK },
		{ "need forensics\nto one.example\n", ERR_STATEMENT_HEADER },
		{ "need help\nto all\nto one.example\n", ERR_STATEMENT_HEADER },
		{ "need help\nto AS64500\n", ERR_STATEMENT_HEADER },
		{ "need help\nto country EE\n", ERR_STATEMENT_HEADER },
		{ "need help\nto asks.example\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\nto one.example\n", ERR_STATEMENT_HEADER },
		{ "need help\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\ncritical Energy\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\ncritical energy\ncritical water\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\nskill two words\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\nskill a\nskill b\nskill c\nskill d\nskill e\nskill f\nskill g\nskill "
		  "h\nskill i\n",
		  ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\naffected many\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\naffected 4294967296\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\n" BODY, ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\nfor two.example\nvia web\n", ERR_NOT_YOURS },
		{ "need ping\nto all\n", ERR_STATEMENT_HEADER },
		{ "need ping\nto one.example\nto two.example\n", ERR_STATEMENT_HEADER },
		{ "need ping\nto one.example\ncc two.example\n", ERR_STATEMENT_HEADER },
		{ "need ping\nto one.example\ncritical energy\n", ERR_STATEMENT_HEADER },
		{ "need ping\nto one.example\naffected 3\n", ERR_STATEMENT_HEADER },
		{ "need help\nto one.example\ntext help us remove hate speech\n", ERR_CLASS_CONTENT },
	};
	struct scene s = scene_new(state, "asks", RULES_PROMISES);

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		enum err e = tried(&s, KIND_REQUEST, s.asks, cases[i].lines);

		if (e != cases[i].err)
			fail_msg("%s: %s: %s", cases[i].lines, err_code(e), err_detail());
	}
	scene_free(&s);
}

/* What was no request before is none yet. */
static void waits_for_its_rules(void **state)
{
	struct scene s = scene_new(state, "older", RULES_PROMISES - 1);
	struct help h;
	struct hash id;

	assert_int_equal(tried(&s, KIND_REQUEST, s.asks, "need help\nto one.example\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(tried(&s, KIND_REQUEST, s.asks, "need ping\nto one.example\n"), ERR_STATEMENT_HEADER);
	id = said(&s, KIND_REQUEST, LEDGER_CIRCLE, s.asks, "need help\nto one.example\n");
	assert_int_equal(state_help(&s.b->st, id, &h), ERR_MATTER_UNKNOWN);
	scene_free(&s);
}

static void keeps_what_was_asked(void **state)
{
	struct scene s = scene_new(state, "kept", RULES_PROMISES);
	struct help h = help_now(&s, ask(&s, "need help\nto all\ncritical energy\naffected 1200\n"));

	assert_true(h.to_all && !h.ping && help_is_floor(&h));
	assert_span(h.critical, "energy");
	assert_int_equal(h.affected, 1200);
	assert_int_equal(h.matter.due_ms, 0);
	h = help_now(&s, ask(&s, "need help\nto one.example\n"));
	assert_false(h.to_all || h.ping || help_is_floor(&h));
	h = help_now(&s, ask(&s, "need ping\nto one.example\n"));
	assert_true(h.ping && help_is_floor(&h));
	assert_int_equal(h.matter.due_ms, h.matter.logged_ms + HELP_PING_DUE_MS);
	scene_free(&s);
}

/* A pledge on contact-live only shortens the day; others, and what is no longer in force, do nothing. */
static void a_pledge_shortens_a_pings_day(void **state)
{
	struct scene s = scene_new(state, "pledged", RULES_PROMISES);
	struct hash long_one, shorter;
	struct help h;

	said(&s, KIND_PLEDGE, LEDGER_PUBLIC, s.one,
	     "norm " NORM "\nterm away contact-live at-least 90% within 3d each 30d\n");
	long_one = ask(&s, "need ping\nto one.example\n");
	h = help_now(&s, long_one);
	assert_int_equal(h.matter.due_ms - h.matter.logged_ms, HELP_PING_DUE_MS);
	shorter = said(&s, KIND_PLEDGE, LEDGER_PUBLIC, s.one,
		       "norm " NORM "\nterm swift contact-live at-least 90% within 2h each 30d\n");
	h = help_now(&s, ask(&s, "need ping\nto one.example\ntext B\n"));
	assert_int_equal(h.matter.due_ms - h.matter.logged_ms, 2 * HOUR);
	h = help_now(&s, ask(&s, "need ping\nto two.example\n"));
	assert_int_equal(h.matter.due_ms - h.matter.logged_ms, HELP_PING_DUE_MS);
	said(&s, KIND_WITHDRAW, LEDGER_PUBLIC, s.one, arena_print(s.b->arena, "re %s\n", hex_of(s.b->arena, shorter)));
	s.now += DAY;
	h = help_now(&s, ask(&s, "need ping\nto one.example\ntext C\n"));
	assert_int_equal(h.matter.due_ms - h.matter.logged_ms, HELP_PING_DUE_MS);
	scene_free(&s);
}

static void says_how_it_was_answered(void **state)
{
	struct scene s = scene_new(state, "answered", RULES_PROMISES);
	struct hash a = ask(&s, "need ping\nto one.example\n"), b = ask(&s, "need ping\nto two.example\n");
	struct help h = help_now(&s, a);

	assert_int_equal(help_answered_by(&h, s.now), HELP_WAITING);
	assert_int_equal(help_answered_by(&h, s.now + 2 * DAY), HELP_NONE);
	answer(&s, s.one, a, "acknowledged\n");
	h = help_now(&s, a);
	assert_int_equal(help_answered_by(&h, s.now + 2 * DAY), HELP_ANSWERED);
	s.now += 2 * DAY;
	answer(&s, s.two, b, "acknowledged\n");
	h = help_now(&s, b);
	assert_int_equal(help_answered_by(&h, s.now), HELP_LATE);
	scene_free(&s);
}

/* ---- the whole way ---- */

static enum err name_of(void *context, const struct help_offer *o)
{
	struct buffer *b = context;

	buffer_print(b, "%.*s%s ", SPAN_FORMAT(o->from), o->accepted_ms != 0 ? "+" : "");
	return OK;
}

static void assert_offers(struct scene *s, struct hash id, const char *expected)
{
	struct buffer b = BUFFER(1000);

	assert_int_equal(help_offers(&s->b->st, id, name_of, &b), OK);
	buffer_byte(&b, 0);
	assert_string_equal(b.at, expected);
	buffer_free(&b);
}

static void goes_its_way(void **state)
{
	struct scene s = scene_new(state, "way", RULES_PROMISES);
	struct hash id = ask(&s, "need help\nto one.example\nto two.example\n");
	struct help_offer o;
	struct help h;
	int64_t human;

	assert_int_equal(help_now(&s, id).phase, HELP_ASKED);
	answer(&s, s.b->node, id, "received\nfor one.example\nvia node\n");
	assert_int_equal(help_now(&s, id).first_human_ms, 0);
	answer(&s, s.one, id, "acknowledged\n");
	human = s.now;
	answer(&s, s.two, id, "offered\ntext Two people\n");
	answer(&s, s.one, id, "offered\n");
	h = help_now(&s, id);
	assert_int_equal(h.first_human_ms, human);
	assert_span(h.first_human, "one.example");
	assert_int_equal(h.phase, HELP_OFFERED);
	assert_int_equal(h.offers, 2);
	answer(&s, s.one, id, "working\n"); /* nobody took it up yet */
	assert_int_equal(help_now(&s, id).phase, HELP_OFFERED);
	answer(&s, s.asks, id, "accepted\nwhom two.example\n");
	assert_int_equal(help_now(&s, id).phase, HELP_ACCEPTED);
	assert_offers(&s, id, "one.example two.example+ ");
	answer(&s, s.two, id, "working\ntext Half of it\n");
	assert_int_equal(help_now(&s, id).phase, HELP_WORKING);
	answer(&s, s.asks, id, "recovered\n" BODY);
	h = help_now(&s, id);
	assert_int_equal(h.phase, HELP_RECOVERED);
	assert_int_equal(h.recovered_ms, s.now);
	assert_true(h.matter.ended);
	answer(&s, s.asks, id, "closed\n");
	assert_int_equal(help_now(&s, id).phase, HELP_CLOSED);
	assert_int_equal(help_now(&s, id).recovered_ms, h.recovered_ms);
	assert_int_equal(help_said(&s.b->st, id, SPAN("two.example"), &o), OK);
	assert_true(o.offered_ms != 0 && o.accepted_ms > o.offered_ms && o.last == OUTCOME_WORKING);
	assert_int_equal(help_said(&s.b->st, id, SPAN("three.example"), &o), ERR_NOT_FOUND);
	scene_free(&s);
}

static void refuses_by_name(void **state)
{
	struct scene s = scene_new(state, "refuses", RULES_PROMISES);
	struct hash id = ask(&s, "need help\nto one.example\nto two.example\n"), ping, notice, request;

	assert_int_equal(try_answer(&s, s.three, id, "offered\n"), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.asks, id, "offered\n"), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.asks, id, "working\n"), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.one, id, "accepted\nwhom one.example\n"), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.one, id, "recovered\n" BODY), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.one, id, "closed\n"), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.b->node, id, "closed\nfor one.example\nvia desk\n"), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.one, id, "fixed\n"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.one, id, "cannot\n"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.one, id, "breach-alleged\n"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.asks, id, "recovered\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.asks, id, "recovered\n" OPEN_BODY), ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.asks, id, "closed\n" BODY), ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.asks, id, "accepted\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.asks, id, "accepted\nwhom AS64500\n"), ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.asks, id, "accepted\nwhom one.example\nwhom two.example\n"),
			 ERR_STATEMENT_HEADER);
	assert_int_equal(try_answer(&s, s.asks, id, "accepted\nwhom one.example\n"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.one, id, "offered\nwhom two.example\n"), ERR_STATEMENT_HEADER);
	answer(&s, s.one, id, "offered\n");
	answer(&s, s.two, id, "offered\n");
	assert_int_equal(try_answer(&s, s.asks, id, "accepted\nwhom one.example\n" BODY), ERR_STATEMENT_HEADER);
	answer(&s, s.one, id, "objected\n");
	assert_int_equal(try_answer(&s, s.asks, id, "accepted\nwhom one.example\n"), ERR_OUTCOME);
	answer(&s, s.asks, id, "accepted\nwhom two.example\n");
	assert_int_equal(try_answer(&s, s.asks, id, "accepted\nwhom two.example\n"), ERR_OUTCOME);
	answer(&s, s.asks, id, "recovered\n" BODY);
	assert_int_equal(try_answer(&s, s.asks, id, "recovered\n" BODY), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.two, id, "offered\n"), ERR_OUTCOME);
	answer(&s, s.asks, id, "closed\n");
	assert_int_equal(try_answer(&s, s.asks, id, "closed\n"), ERR_OUTCOME);
	answer(&s, s.two, id, "acknowledged\n");

	ping = ask(&s, "need ping\nto one.example\n");
	assert_int_equal(try_answer(&s, s.one, ping, "offered\n"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.one, ping, "working\n"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.asks, ping, "recovered\n" BODY), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.two, ping, "acknowledged\n"), ERR_NOT_YOURS);

	/* One that stands beside a notice is as it was. */
	notice = said(&s, KIND_NOTICE, LEDGER_CIRCLE, s.two,
		      "to one.example\nclass malicious-code/infected-system\nevents 1\n" SEALED_BODY);
	answer(&s, s.one, notice, "cannot\n");
	request =
		said(&s, KIND_REQUEST, LEDGER_CIRCLE, s.one,
		     arena_print(s.b->arena, "re %s\nneed forensics\nto three.example\n", hex_of(s.b->arena, notice)));
	assert_int_equal(try_answer(&s, s.three, request, "offered\n"), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.one, request, "recovered\n" BODY), ERR_OUTCOME);
	assert_int_equal(try_answer(&s, s.three, request, "accepted\n"), OK);
	assert_int_equal(tried(&s, KIND_REQUEST, s.one,
			       arena_print(s.b->arena, "re %s\nneed forensics\nto all\n", hex_of(s.b->arena, notice))),
			 ERR_STATEMENT_HEADER);
	scene_free(&s);
}

static void withdrawn_is_over(void **state)
{
	struct scene s = scene_new(state, "withdrawn", RULES_PROMISES);
	struct hash id = ask(&s, "need help\nto one.example\n");

	said(&s, KIND_WITHDRAW, LEDGER_CIRCLE, s.asks, arena_print(s.b->arena, "re %s\n", hex_of(s.b->arena, id)));
	assert_int_equal(help_now(&s, id).phase, HELP_CLOSED);
	assert_int_equal(try_answer(&s, s.one, id, "offered\n"), ERR_OUTCOME);
	scene_free(&s);
}

static void all_may_offer(void **state)
{
	struct scene s = scene_new(state, "all", RULES_PROMISES);
	struct hash id = ask(&s, "need help\nto all\n");

	answer(&s, s.three, id, "offered\n");
	answer(&s, s.b->node, id, "offered\nfor two.example\nvia web\n"); /* the node that keeps it */
	answer(&s, s.b->node, id, "acknowledged\n");
	assert_int_equal(try_answer(&s, s.b->node, id, "offered\nfor asks.example\nvia web\n"), ERR_NOT_YOURS);
	assert_int_equal(try_answer(&s, s.one, id, "offered\nfor two.example\nvia web\n"), ERR_NOT_YOURS);
	assert_int_equal(help_now(&s, id).offers, 2);
	assert_offers(&s, id, "three.example two.example ");
	scene_free(&s);
}

/* Only people count: the party itself, or through its node by mail, web or desk. */
static void people_answer_pings(void **state)
{
	static const struct {
		const char *lines;
		bool itself, human;
	} cases[] = {
		{ "received\nfor one.example\nvia node\n", false, false },
		{ "acknowledged\nfor one.example\nvia node\n", false, false },
		{ "received\n", true, false },
		{ "acknowledged\nfor one.example\nvia mail\n", false, true },
		{ "acknowledged\nfor one.example\nvia web\n", false, true },
		{ "acknowledged\nfor one.example\nvia desk\n", false, true },
		{ "acknowledged\n", true, true },
	};
	struct scene s = scene_new(state, "pings", RULES_PROMISES);

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct hash id = ask(&s, arena_print(s.b->arena, "need ping\nto one.example\ntext Round %zu\n", i));
		struct help_offer o;

		answer(&s, cases[i].itself ? s.one : s.b->node, id, cases[i].lines);
		if ((help_now(&s, id).first_human_ms == s.now) != cases[i].human)
			fail_msg("%s", cases[i].lines);
		assert_int_equal(help_said(&s.b->st, id, SPAN("one.example"), &o), OK);
		assert_int_equal(o.first_human_ms, cases[i].human ? s.now : 0);
	}
	scene_free(&s);
}

/* ---- lists ---- */

struct listing {
	struct hash seen[16];
	size_t count;
};

static enum err note_one(void *context, const struct help *h)
{
	struct listing *l = context;

	assert_true(l->count < TABLE_LENGTH(l->seen));
	l->seen[l->count++] = h->matter.id;
	return OK;
}

static void assert_list(struct scene *s, const char *to, bool pings, const struct hash *ids, size_t count)
{
	struct listing l = { .count = 0 };

	assert_int_equal(state_helps(&s->b->st, span_of(to), pings, note_one, &l), OK);
	assert_int_equal(l.count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(hash_equal(l.seen[i], ids[i]));
}

static void lists_the_newest_first(void **state)
{
	struct scene s = scene_new(state, "lists", RULES_PROMISES);
	struct hash a = ask(&s, "need help\nto one.example\ntext A\n"), b = ask(&s, "need help\nto all\ntext B\n"),
		    c = ask(&s, "need ping\nto one.example\n"),
		    d = ask(&s, "need help\nto two.example\nto one.example\ntext D\n"),
		    e = ask(&s, "need ping\nto two.example\n");

	assert_list(&s, "", false, (struct hash[]){ d, b, a }, 3);
	assert_list(&s, "one.example", false, (struct hash[]){ d, b, a }, 3);
	assert_list(&s, "two.example", false, (struct hash[]){ d, b }, 2);
	assert_list(&s, "three.example", false, (struct hash[]){ b }, 1);
	assert_list(&s, "", true, (struct hash[]){ e, c }, 2);
	assert_list(&s, "one.example", true, (struct hash[]){ c }, 1);
	assert_list(&s, "three.example", true, NULL, 0);
	scene_free(&s);
}

/* ---- from other nodes ---- */

static void fold_guest(struct scene *s, const struct signer *who, struct hash id, const char *lines, int64_t home_ms)
{
	struct span note =
		statement_text(s->b->arena, KIND_ANSWER, "other.example/circle", who, about(s, id, lines), NULL);
	enum err e;

	s->now += 1000;
	s->b->st.is_guest = true;
	s->b->st.home_ms = home_ms;
	e = bare_fold(s->b, note, LEDGER_CIRCLE, s->now);
	s->b->st.is_guest = false;
	assert_int_equal(e, OK);
	assert_true(s->b->st.effective);
}

/* They come later, in another order, and count from when their home had them. */
static void guests_count_from_home(void **state)
{
	struct scene s = scene_new(state, "guests", RULES_PROMISES);
	struct hash id = ask(&s, "need help\nto one.example\nto two.example\nto three.example\n");
	int64_t early;
	struct help h;

	s.now += HOUR;
	early = s.now;
	s.now += HOUR;
	answer(&s, s.one, id, "acknowledged\n");
	answer(&s, s.asks, id, "closed\n");
	s.now += HOUR;
	fold_guest(&s, s.two, id, "offered\n", early);
	h = help_now(&s, id);
	assert_int_equal(h.first_human_ms, early);
	assert_span(h.first_human, "two.example");
	assert_int_equal(h.offers, 1);
	assert_int_equal(h.phase, HELP_CLOSED);
	id = ask(&s, "need help\nto one.example\nto three.example\n");
	fold_guest(&s, s.asks, id, "accepted\nwhom three.example\n", s.now);
	assert_int_equal(help_now(&s, id).phase, HELP_ACCEPTED);
	assert_offers(&s, id, "three.example+ ");
	scene_free(&s);
}

/* ---- the same everywhere ---- */

static const char *const words[] = {
	"received\nfor one.example\nvia node\n", "acknowledged\n", "offered\n",	       "working\n", "objected\n",
	"accepted\nwhom one.example\n",		 "closed\n",	   "recovered\n" BODY,
};

/* Random words of everybody, refused or not: what folds is what the door lets pass, and twice the same. */
static struct hash random_history(void **state, const char *name, uint64_t seed, size_t *passed)
{
	struct scene s = scene_new(state, name, RULES_PROMISES);
	const struct signer *who[] = { s.asks, s.one, s.two, s.three, s.b->node };
	struct hash ids[6], digest;

	ids[0] = ask(&s, "need help\nto one.example\n");
	ids[1] = ask(&s, "need help\nto all\ncritical water\n");
	ids[2] = ask(&s, "need help\nto one.example\nto two.example\n");
	ids[3] = ask(&s, "need ping\nto one.example\n");
	ids[4] = ask(&s, "need ping\nto two.example\n");
	ids[5] = ask(&s, "need help\nto three.example\naffected 7\n");
	*passed = 0;
	for (int i = 0; i < 400; i++) {
		struct hash id = ids[test_random(&seed) % TABLE_LENGTH(ids)];
		const struct signer *by = who[test_random(&seed) % TABLE_LENGTH(who)];
		const char *lines = words[test_random(&seed) % TABLE_LENGTH(words)];
		enum err e = try_answer(&s, by, id, lines);

		said(&s, KIND_ANSWER, LEDGER_CIRCLE, by, about(&s, id, lines));
		assert_int_equal(s.b->st.effective, e == OK);
		*passed += e == OK;
	}
	for (size_t i = 0; i < TABLE_LENGTH(ids); i++) {
		struct help h = help_now(&s, ids[i]);

		assert_true(h.accepted <= h.offers);
		assert_true(h.phase != HELP_OFFERED || h.offers > 0);
		assert_true((h.first_human_ms != 0) == (h.first_human.len > 0));
		assert_false(span_is(h.first_human, "asks.example"));
	}
	assert_int_equal(state_digest(&s.b->st, &digest), OK);
	scene_free(&s);
	return digest;
}

static void folds_twice_the_same(void **state)
{
	uint64_t seed = test_seed();
	size_t passed, again;
	struct hash a = random_history(state, "first", seed, &passed),
		    b = random_history(state, "second", seed, &again);

	assert_true(passed > 20);
	assert_int_equal(passed, again);
	assert_true(hash_equal(a, b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_by_its_rules, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(waits_for_its_rules, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(keeps_what_was_asked, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_pledge_shortens_a_pings_day, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(says_how_it_was_answered, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(goes_its_way, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(refuses_by_name, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(withdrawn_is_over, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(all_may_offer, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(people_answer_pings, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(lists_the_newest_first, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(guests_count_from_home, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(folds_twice_the_same, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
