#include "regime/plan.h"

#include "regime.h"

#define HOUR INT64_C(3600000)
#define T0 INT64_C(1790812800000) /* 2026-10-01T00:00:00Z: every plan below is logged about then */

/* ---- one plan, one observation ---- */

static struct address ip(const char *text)
{
	struct address a = { 0 };

	assert_int_equal(address_parse(span_of(text), &a), OK);
	return a;
}

static const char *time_of(struct arena *a, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	return arena_copy(a, text, strlen(text));
}

/* A bare state whose own party holds what the plans below come from. */
static struct bare *holder_new(void *state)
{
	static const char claims[] = "role node\nclaim prefix 198.51.100.0/24\nclaim prefix 203.0.112.0/23\n";
	struct bare *b = bare_new(state, "views");
	struct hash id;

	assert_int_equal(
		bare_fold(b, party_text(b->arena, "cert.example/public", b->node, claims, &id), LEDGER_PUBLIC, 2000),
		OK);
	assert_int_equal(
		bare_fold(b,
			  statement_text(b->arena, KIND_ANSWER, "cert.example/public", b->node,
					 arena_print(b->arena, "re %s\noutcome accepted\n", hex_of(b->arena, id)),
					 NULL),
			  LEDGER_PUBLIC, 3000),
		OK);
	return b;
}

static struct hash file(struct bare *b, int64_t logged_ms, int64_t start, int64_t end, const char *lines)
{
	struct hash id;
	const char *all = arena_print(b->arena, "activity scan\nstart %s\nend %s\npurpose entry %ju\n%s",
				      time_of(b->arena, start), time_of(b->arena, end), (uintmax_t)b->size[0], lines);

	assert_int_equal(bare_fold(b, statement_text(b->arena, KIND_PLAN, "cert.example/public", b->node, all, &id),
				   LEDGER_PUBLIC, logged_ms),
			 OK);
	return id;
}

static struct plan_match see(struct bare *b, const char *source, const char *target, int64_t time_ms)
{
	struct observation o = {
		.source = ip(source), .has_target = target != NULL, .time_ms = time_ms, .seen = SEEN_HANDSHAKE
	};
	struct plan_match m;
	struct plans *p;

	if (target != NULL)
		o.target = ip(target);
	assert_int_equal(plans_load(&b->st, &p), OK);
	m = plans_match(p, &o);
	plans_free(p);
	return m;
}

static void expect(struct plan_match m, enum plan_verdict verdict, const char *term, const struct hash *plan)
{
	if (m.verdict != verdict)
		fail_msg("%s, not %s", plan_verdict_name(m.verdict), plan_verdict_name(verdict));
	if (term == NULL)
		assert_null(m.term);
	else
		assert_string_equal(m.term, term);
	if (plan != NULL)
		assert_true(hash_equal(m.plan, *plan));
}

static void edges_of_the_window(void **state)
{
	struct bare *b = holder_new(*state);
	int64_t start = T0 + HOUR, end = T0 + 2 * HOUR;
	struct hash id = file(b, T0, start, end, "source 198.51.100.0/24\ntarget any\n");
	static const struct {
		int64_t after_start;
		enum plan_verdict verdict;
	} cases[] = {
		{ 0, PLAN_EXPLAINED },
		{ -PLAN_SKEW_MS, PLAN_EXPLAINED },
		{ -PLAN_SKEW_MS - 1, PLAN_UNDECLARED },
		{ HOUR, PLAN_EXPLAINED },
		{ HOUR + PLAN_SKEW_MS, PLAN_EXPLAINED },
		{ HOUR + PLAN_SKEW_MS + 1, PLAN_UNDECLARED },
	};

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		expect(see(b, "198.51.100.7", "192.0.2.1", start + cases[i].after_start), cases[i].verdict, NULL,
		       cases[i].verdict == PLAN_EXPLAINED ? &id : NULL);
	expect(see(b, "198.51.101.0", "192.0.2.1", start), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "198.51.99.255", "192.0.2.1", start), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "198.51.100.255", NULL, start), PLAN_EXPLAINED, NULL, &id);
	expect(see(b, "::ffff:198.51.100.7", "192.0.2.1", start), PLAN_EXPLAINED, NULL, &id);
	bare_free(b);
}

/* A plan that was logged after the event explains nothing, be it by a millisecond. */
static void late_never_explains(void **state)
{
	struct bare *b = holder_new(*state);
	struct hash id = file(b, T0 + HOUR + 500, T0, T0 + 2 * HOUR, "source 198.51.100.0/24\ntarget 192.0.2.0/24\n");

	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR), PLAN_LATE, "filed", &id);
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR + 499), PLAN_LATE, "filed", &id);
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR + 500), PLAN_EXPLAINED, NULL, &id);
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 + HOUR + 1000), PLAN_EXPLAINED, NULL, &id);
	/* Late and not even right: it says nothing. */
	expect(see(b, "198.51.100.7", "203.0.113.1", T0 + HOUR), PLAN_UNDECLARED, NULL, NULL);
	/* The skew helps the window, never the filing. */
	expect(see(b, "198.51.100.7", "192.0.2.1", T0 - PLAN_SKEW_MS), PLAN_LATE, "filed", &id);
	bare_free(b);
}

static void terms(void **state)
{
	struct bare *b = holder_new(*state);
	int64_t during = T0 + HOUR;
	struct hash any =
		file(b, T0, T0, T0 + 2 * HOUR, "source 198.51.100.0/24\ntarget any\nexclude 192.0.2.128/25\n");
	struct hash some =
		file(b, T0, T0, T0 + 2 * HOUR,
		     "source 203.0.113.0/24\ntarget 192.0.2.0/24\ntarget 2001:db8::/32\nexclude 192.0.2.5/32\n");
	struct hash wide = file(b, T0, T0, T0 + 2 * HOUR, "source 203.0.112.0/23\ntarget 198.18.0.0/15\n");

	expect(see(b, "198.51.100.7", "192.0.2.127", during), PLAN_EXPLAINED, NULL, &any);
	expect(see(b, "198.51.100.7", "192.0.2.128", during), PLAN_BREACH, "exclusion", &any);
	expect(see(b, "203.0.113.1", "192.0.2.4", during), PLAN_EXPLAINED, NULL, &some);
	expect(see(b, "203.0.113.1", "192.0.2.5", during), PLAN_BREACH, "exclusion", &some);
	expect(see(b, "203.0.113.1", "2001:db8:1::1", during), PLAN_EXPLAINED, NULL, &some);
	expect(see(b, "203.0.113.1", "10.0.0.1", during), PLAN_BREACH, "target", &some);
	/* The wider plan explains what the narrower one does not declare. */
	expect(see(b, "203.0.113.1", "198.18.0.1", during), PLAN_EXPLAINED, NULL, &wide);
	expect(see(b, "203.0.112.1", "192.0.2.4", during), PLAN_BREACH, "target", &wide);
	/* Without a target only `any` explains. */
	expect(see(b, "198.51.100.7", NULL, during), PLAN_EXPLAINED, NULL, &any);
	expect(see(b, "203.0.113.1", NULL, during), PLAN_UNDECLARED, "target-unknown", NULL);
	bare_free(b);
}

static void end_a_plan(struct bare *b, enum kind k, struct hash id, const char *more, int64_t logged_ms)
{
	const char *lines = arena_print(b->arena, "re %s\n%s", hex_of(b->arena, id), more);

	assert_int_equal(bare_fold(b, statement_text(b->arena, k, "cert.example/public", b->node, lines, NULL),
				   LEDGER_PUBLIC, logged_ms),
			 OK);
}

static void no_longer_in_force(void **state)
{
	struct bare *b = holder_new(*state);
	struct hash one = file(b, T0, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget any\n");
	struct hash two = file(b, T0, T0, T0 + 9 * HOUR, "source 203.0.113.0/24\ntarget any\n");

	end_a_plan(b, KIND_WITHDRAW, one, "text called off\n", T0 + 3 * HOUR);
	end_a_plan(b, KIND_ANSWER, two, "outcome closed\n", T0 + 4 * HOUR);
	expect(see(b, "198.51.100.1", NULL, T0 + 3 * HOUR - 1), PLAN_EXPLAINED, NULL, &one);
	expect(see(b, "198.51.100.1", NULL, T0 + 3 * HOUR), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "203.0.113.1", NULL, T0 + 4 * HOUR - 1), PLAN_EXPLAINED, NULL, &two);
	expect(see(b, "203.0.113.1", NULL, T0 + 4 * HOUR), PLAN_UNDECLARED, NULL, NULL);
	bare_free(b);
}

static void nothing_filed(void **state)
{
	struct bare *b = holder_new(*state);

	expect(see(b, "198.51.100.1", "192.0.2.1", T0), PLAN_UNDECLARED, NULL, NULL);
	expect(see(b, "2001:db8::1", NULL, T0), PLAN_UNDECLARED, NULL, NULL);
	bare_free(b);
}

/* ---- who held what, versions, seals, confirmations: from a ledger with several parties ---- */

#define NODE_LEDGER "cert.example/public"

struct scene {
	struct bare *b;
	struct signer *keys[4];
	int64_t now;
};

static const char *const domains[] = { "scan.example", "two.example", "three.example", "four.example" };

static struct hash said(struct scene *s, enum kind k, enum ledger_id l, const struct signer *who, const char *lines)
{
	struct hash id;
	struct span note = statement_text(s->b->arena, k, l == LEDGER_PUBLIC ? NODE_LEDGER : "cert.example/circle", who,
					  lines, &id);

	assert_int_equal(bare_fold(s->b, note, l, s->now), OK);
	return id;
}

static void claims(struct scene *s, size_t who, const char *lines, bool approve)
{
	struct hash id;

	assert_int_equal(
		bare_fold(s->b, party_text(s->b->arena, NODE_LEDGER, s->keys[who], lines, &id), LEDGER_PUBLIC, s->now),
		OK);
	if (approve)
		said(s, KIND_ANSWER, LEDGER_PUBLIC, s->b->node,
		     arena_print(s->b->arena, "re %s\noutcome accepted\n", hex_of(s->b->arena, id)));
}

static struct scene scene_new(void *state, const char *name)
{
	struct scene s = { .b = bare_new(state, name), .now = T0 };

	said(&s, KIND_RULES, LEDGER_PUBLIC, s.b->node, "version 2\n");
	for (size_t i = 0; i < TABLE_LENGTH(domains); i++) {
		s.keys[i] = signer_of(domains[i]);
		claims(&s, i, "role researcher\n", false);
	}
	return s;
}

static void scene_free(struct scene *s)
{
	for (size_t i = 0; i < TABLE_LENGTH(domains); i++)
		signer_free(s->keys[i]);
	bare_free(s->b);
}

static struct hash plan_of(struct scene *s, size_t who, int64_t start, int64_t end, const char *more)
{
	return said(s, KIND_PLAN, LEDGER_PUBLIC, s->keys[who],
		    arena_print(s->b->arena, "activity scan\nstart %s\nend %s\npurpose test\n%s",
				time_of(s->b->arena, start), time_of(s->b->arena, end), more));
}

/* Both ways to the answer, which must agree. */
static struct plan_match ask(struct scene *s, const struct observation *o)
{
	struct plan_whose w[4];
	struct plan_match m;
	struct plans *p;
	size_t count;

	assert_int_equal(plans_load(&s->b->st, &p), OK);
	m = plans_match(p, o);
	plans_free(p);
	assert_int_equal(plan_whose(&s->b->st, o, w, TABLE_LENGTH(w), &count), OK);
	if (count == 0) {
		expect(m, PLAN_UNDECLARED, NULL, NULL);
		return m;
	}
	expect(m, w[0].match.verdict, w[0].match.term, m.verdict != PLAN_UNDECLARED ? &w[0].match.plan : NULL);
	for (size_t i = 1; i < count; i++)
		assert_true(plan_match_rank(&w[i - 1].match) <= plan_match_rank(&w[i].match));
	return m;
}

static struct plan_match at(struct scene *s, const char *source, int64_t time_ms, uint8_t seen)
{
	struct observation o = { .source = ip(source), .time_ms = time_ms, .seen = seen };

	return ask(s, &o);
}

/* A plan whose proof lapses within its window, and one whose proof comes later: by the proof that it had then. */
static void held_when_it_was_seen(void **state)
{
	struct scene s = scene_new(*state, "views");
	struct hash id = plan_of(&s, 0, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget any\n");

	expect(at(&s, "198.51.100.7", T0 + HOUR, SEEN_HANDSHAKE), PLAN_EXPIRED_PROOF, "proof", &id);
	s.now = T0 + 2 * HOUR;
	claims(&s, 0, "role researcher\nclaim prefix 198.51.0.0/16\n", false);
	expect(at(&s, "198.51.100.7", T0 + 3 * HOUR, SEEN_HANDSHAKE), PLAN_EXPIRED_PROOF, "proof", &id);
	claims(&s, 0, "role researcher\ntitle Again\nclaim prefix 198.51.0.0/16\n", true);
	s.now = T0 + 4 * HOUR;
	claims(&s, 0, "role researcher\ntitle Without\n", false);
	expect(at(&s, "198.51.100.7", T0 + 2 * HOUR - 1, SEEN_HANDSHAKE), PLAN_EXPIRED_PROOF, "proof", &id);
	expect(at(&s, "198.51.100.7", T0 + 2 * HOUR, SEEN_HANDSHAKE), PLAN_EXPLAINED, NULL, &id);
	expect(at(&s, "198.51.100.7", T0 + 4 * HOUR - 1, SEEN_HANDSHAKE), PLAN_EXPLAINED, NULL, &id);
	expect(at(&s, "198.51.100.7", T0 + 4 * HOUR, SEEN_HANDSHAKE), PLAN_EXPIRED_PROOF, "proof", &id);
	scene_free(&s);
}

/* What stands still explains nothing, nor does it afterwards. */
static void suspended_it_explains_nothing(void **state)
{
	struct scene s = scene_new(*state, "views");
	struct hash id;
	static const struct {
		int64_t after_ms;
		const char *word;
	} words[] = { { 2, "suspended" }, { 3, "delayed" }, { 4, "started" }, { 5, "suspended" }, { 6, "started" } };

	claims(&s, 0, "role researcher\nclaim prefix 198.51.0.0/16\n", true);
	id = plan_of(&s, 0, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget any\n");
	expect(at(&s, "198.51.100.7", T0 + 3 * HOUR, SEEN_HANDSHAKE), PLAN_EXPLAINED, NULL, &id);
	for (size_t i = 0; i < TABLE_LENGTH(words); i++) {
		bool still = strcmp(words[i].word, "started") != 0;

		s.now = T0 + words[i].after_ms * HOUR;
		said(&s, KIND_ANSWER, LEDGER_PUBLIC, s.keys[0],
		     arena_print(s.b->arena, "re %s\noutcome %s\ntext word %zu\n", hex_of(s.b->arena, id),
				 words[i].word, i));
		expect(at(&s, "198.51.100.7", T0 + 2 * HOUR - 1, SEEN_HANDSHAKE), PLAN_EXPLAINED, NULL, &id);
		expect(at(&s, "198.51.100.7", T0 + 2 * HOUR, SEEN_HANDSHAKE), PLAN_UNDECLARED, NULL, NULL);
		expect(at(&s, "198.51.100.7", s.now, SEEN_HANDSHAKE), still ? PLAN_UNDECLARED : PLAN_EXPLAINED, NULL,
		       NULL);
	}
	/* Of several pauses all from the first to the last: rather too little is explained than too much. */
	expect(at(&s, "198.51.100.7", T0 + 4 * HOUR, SEEN_HANDSHAKE), PLAN_UNDECLARED, NULL, NULL);
	scene_free(&s);
}

/* Nobody breaks, or explains, in the name of addresses that are another's. */
static void without_a_proof_no_breach(void **state)
{
	struct scene s = scene_new(*state, "views");
	struct observation o = { .source = ip("198.51.100.7"),
				 .has_target = true,
				 .target = ip("192.0.2.1"),
				 .time_ms = T0 + HOUR,
				 .seen = SEEN_HANDSHAKE };

	plan_of(&s, 0, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget any\nexclude 192.0.2.0/24\n");
	plan_of(&s, 1, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget 203.0.113.0/24\n");
	expect(ask(&s, &o), PLAN_UNDECLARED, NULL, NULL);
	scene_free(&s);
}

/* What only fits: a handshake shows that it was theirs, and so does a yes to the question of one that was touched. */
static void forged_or_not(void **state)
{
	struct scene s = scene_new(*state, "views");
	struct hash id, request;

	claims(&s, 0, "role researcher\nclaim prefix 198.51.100.0/24\n", true);
	id = plan_of(&s, 0, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget any\n");
	expect(at(&s, "198.51.100.7", T0 + HOUR, 0), PLAN_SPOOFABLE, "source", &id);
	expect(at(&s, "198.51.100.7", T0 + HOUR, SEEN_MARKER), PLAN_EXPLAINED, NULL, &id);
	s.now = T0 + 2 * HOUR;
	request = said(&s, KIND_REQUEST, LEDGER_CIRCLE, s.keys[1],
		       arena_print(s.b->arena,
				   "to scan.example\nneed confirm\nre %s\ntext was it you\nsource 198.51.100.0/28\n"
				   "first %s\nlast %s\n",
				   hex_of(s.b->arena, id), time_of(s.b->arena, T0 + HOUR),
				   time_of(s.b->arena, T0 + HOUR + 1000)));
	expect(at(&s, "198.51.100.7", T0 + HOUR, 0), PLAN_SPOOFABLE, "source", &id);
	said(&s, KIND_ANSWER, LEDGER_CIRCLE, s.keys[0],
	     arena_print(s.b->arena, "re %s\noutcome accepted\n", hex_of(s.b->arena, request)));
	expect(at(&s, "198.51.100.7", T0 + HOUR, 0), PLAN_EXPLAINED, NULL, &id);
	expect(at(&s, "::ffff:198.51.100.7", T0 + HOUR + 1000, 0), PLAN_EXPLAINED, NULL, &id);
	expect(at(&s, "198.51.100.7", T0 + HOUR + 1001, 0), PLAN_SPOOFABLE, "source", &id);
	expect(at(&s, "198.51.100.16", T0 + HOUR, 0), PLAN_SPOOFABLE, "source", &id);
	scene_free(&s);
}

/* A change holds from when it is logged; what was seen before is judged by the version of then. Closed is closed, whoever sees it
 * again. */
static void by_the_version_of_then(void **state)
{
	struct scene s = scene_new(*state, "views");
	struct observation o = { .source = ip("198.51.100.7"), .time_ms = T0 + HOUR, .target_port = 22, .seen = 1 };
	struct hash one, two;

	claims(&s, 0, "role researcher\nclaim prefix 198.51.100.0/24\n", true);
	one = plan_of(&s, 0, T0, T0 + 9 * HOUR, "source 198.51.100.0/24\ntarget any\nport 22\n");
	s.now = T0 + 2 * HOUR;
	two = plan_of(&s, 0, T0, T0 + 9 * HOUR,
		      arena_print(s.b->arena, "source 198.51.100.0/24\ntarget any\nport 443\nre %s\n",
				  hex_of(s.b->arena, one)));
	expect(ask(&s, &o), PLAN_EXPLAINED, NULL, &one);
	o.time_ms = T0 + 2 * HOUR - 1;
	expect(ask(&s, &o), PLAN_EXPLAINED, NULL, &one);
	o.time_ms = T0 + 2 * HOUR;
	expect(ask(&s, &o), PLAN_BREACH, "port", &two);
	o.target_port = 443;
	expect(ask(&s, &o), PLAN_EXPLAINED, NULL, &two);
	o.time_ms--;
	expect(ask(&s, &o), PLAN_BREACH, "port", &one);
	s.now = T0 + 3 * HOUR;
	said(&s, KIND_ANSWER, LEDGER_PUBLIC, s.keys[0],
	     arena_print(s.b->arena, "re %s\noutcome closed\n", hex_of(s.b->arena, two)));
	s.now = T0 + 4 * HOUR;
	said(&s, KIND_ANSWER, LEDGER_PUBLIC, s.keys[1],
	     arena_print(s.b->arena, "re %s\noutcome re-observed\nseen %s\n", hex_of(s.b->arena, two),
			 time_of(s.b->arena, T0 + 3 * HOUR + 1000)));
	o.time_ms = T0 + 3 * HOUR;
	expect(ask(&s, &o), PLAN_UNDECLARED, NULL, NULL);
	scene_free(&s);
}

#define NONCE "abababababababababababababababababababababababababababababababab"

/* Sealed: who holds the source is to be asked. Revealed, its terms count from when it was filed, if others countersigned that. */
static void sealed_then_revealed(void **state)
{
	struct scene s = scene_new(*state, "views");
	const char *terms = arena_print(s.b->arena,
					"activity scan\nstart %s\nend %s\npurpose test\nsource 198.51.100.0/25\n"
					"target any\n",
					time_of(s.b->arena, T0), time_of(s.b->arena, T0 + 9 * HOUR));
	uint8_t nonce[SEAL_SALT_SIZE];
	struct hash sealed, plan;
	char hex[HASH_HEX + 1];

	memset(nonce, 0xab, sizeof(nonce));
	hash_hex(seal_commitment(span_of(domains[0]), SPAN(""), SPAN("text/plain"), nonce, span_of(terms)), hex);
	claims(&s, 0, "role researcher\nclaim prefix 198.51.100.0/24\n", true);
	s.now = T0 + HOUR;
	sealed = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.keys[0], arena_print(s.b->arena, "commitment %s\n", hex));
	expect(at(&s, "198.51.100.7", T0 + HOUR - 1, 1), PLAN_UNDECLARED, NULL, NULL);
	expect(at(&s, "198.51.100.7", T0 + HOUR, 1), PLAN_SEALED, NULL, &sealed);
	expect(at(&s, "198.51.100.200", T0 + HOUR, 0), PLAN_SEALED, NULL, &sealed);
	expect(at(&s, "198.51.101.7", T0 + HOUR, 0), PLAN_UNDECLARED, NULL, NULL);
	for (size_t i = 1; i < 3; i++)
		said(&s, KIND_ANSWER, LEDGER_PUBLIC, s.keys[i],
		     arena_print(s.b->arena, "re %s\noutcome acknowledged\n", hex_of(s.b->arena, sealed)));
	s.now = T0 + 3 * HOUR;
	plan = said(&s, KIND_PLAN, LEDGER_PUBLIC, s.keys[0],
		    arena_print(s.b->arena, "re %s\nnonce " NONCE "\n%s", hex_of(s.b->arena, sealed), terms));
	expect(at(&s, "198.51.100.7", T0 + 2 * HOUR, 1), PLAN_EXPLAINED, NULL, &plan);
	expect(at(&s, "198.51.100.7", T0 + HOUR - 1, 1), PLAN_LATE, "filed", &plan);
	expect(at(&s, "198.51.100.200", T0 + 2 * HOUR, 1), PLAN_UNDECLARED, NULL, NULL);
	scene_free(&s);
}

/* Who is to be broken into must have agreed. */
static void without_consent_a_breach(void **state)
{
	struct scene s = scene_new(*state, "views");
	struct observation o = { .source = ip("198.51.100.7"),
				 .has_target = true,
				 .target = ip("192.0.2.1"),
				 .time_ms = T0 + 5 * HOUR,
				 .seen = 1 };
	struct hash id;

	claims(&s, 0, "role researcher\nclaim prefix 198.51.100.0/24\n", true);
	claims(&s, 1, "role operator\nclaim prefix 192.0.2.0/24\n", true);
	id = plan_of(&s, 0, T0 + 4 * HOUR, T0 + 9 * HOUR,
		     "to two.example\nintrusive yes\nsource 198.51.100.0/24\ntarget 192.0.2.0/24\n");
	expect(ask(&s, &o), PLAN_BREACH, "consent", &id);
	s.now = T0 + HOUR;
	said(&s, KIND_ANSWER, LEDGER_PUBLIC, s.keys[1],
	     arena_print(s.b->arena, "re %s\noutcome accepted\n", hex_of(s.b->arena, id)));
	expect(ask(&s, &o), PLAN_EXPLAINED, NULL, &id);
	scene_free(&s);
}

/* Parties, what they hold in turn, and their plans, drawn: the compiled way and the look-ups one by one say the same. */
static void both_ways_agree(void **state)
{
	static const char *const prefixes[] = { "10.0.0.0/8",	 "10.1.0.0/16",	  "10.1.1.0/24",    "10.1.1.128/25",
						"10.1.1.200/32", "2001:db8::/32", "2001:db8:1::/48" };
	static const char *const sources[] = { "10.1.1.200", "10.1.1.127", "10.1.2.3", "10.200.0.1", "2001:db8:1::7" };
	unsigned seen[PLAN_VERDICT_COUNT] = { 0 };
	uint64_t seed = test_seed();

	for (int round = 0; round < 8; round++) {
		struct scene s = scene_new(*state, arena_print(((struct scratch *)*state)->arena, "drawn%d", round));
		const char *more;

		for (int step = 0; step < 60; step++) {
			size_t who = test_below(&seed, TABLE_LENGTH(domains));
			const char *one = prefixes[test_below(&seed, TABLE_LENGTH(prefixes))],
				   *two = prefixes[test_below(&seed, TABLE_LENGTH(prefixes))];

			s.now += 60000;
			if (test_below(&seed, 3) == 0) {
				more = arena_print(s.b->arena, "role researcher\ntitle Step %d\nclaim prefix %s\n",
						   step, one);
				if (one != two)
					more = arena_print(s.b->arena, "%sclaim prefix %s\n", more, two);
				claims(&s, who, more, test_below(&seed, 4) > 0);
			} else if (test_below(&seed, 8) == 0) {
				said(&s, KIND_PLAN, LEDGER_PUBLIC, s.keys[who],
				     arena_print(s.b->arena, "commitment %064d\n", step));
			} else {
				more = arena_print(s.b->arena, "source %s\ntarget %s\nport %d\n", one,
						   test_below(&seed, 2) == 0 ? "any" : "192.0.2.0/24",
						   (int)test_below(&seed, 2) + 22);
				plan_of(&s, who, T0 + (int64_t)test_below(&seed, 60) * 60000, T0 + 2 * HOUR, more);
			}
		}
		for (int i = 0; i < 200; i++) {
			struct observation o = { .source = ip(sources[test_below(&seed, TABLE_LENGTH(sources))]),
						 .has_target = test_below(&seed, 4) > 0,
						 .target = ip(test_below(&seed, 2) == 0 ? "192.0.2.7" : "203.0.113.7"),
						 .time_ms = T0 + (int64_t)test_below(&seed, 80) * 60000,
						 .target_port = (uint16_t)(22 + test_below(&seed, 2)),
						 .seen = (uint8_t)test_below(&seed, 2) };

			seen[ask(&s, &o).verdict]++;
		}
		scene_free(&s);
	}
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		assert_true(seen[v] > 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_filed, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(edges_of_the_window, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(late_never_explains, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(terms, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(no_longer_in_force, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(held_when_it_was_seen, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(suspended_it_explains_nothing, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(without_a_proof_no_breach, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(forged_or_not, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(by_the_version_of_then, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(sealed_then_revealed, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(without_consent_a_breach, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(both_ways_agree, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
