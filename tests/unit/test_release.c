#include "regime/release.h"

#include "regime/certificate_private.h"
#include "vouch_test.h"

#define A "sha256:aa112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define B "sha256:bb112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define C "sha256:cc112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define PRODUCT "pkg:generic/app"
#define RELEASE "predicate release\nproduct " PRODUCT "\nversion 4.2\n"

/* A maker and three who see, all established, and nobody related. */
struct market {
	struct folk f;
	struct arena *a;
	struct signer *maker, *other, *seer[3], *nobody;
};

static void begin(struct market *m, struct scratch *s, const char *name)
{
	folk_new(&m->f, s, name);
	m->a = m->f.b->arena;
	folk_say(&m->f, KIND_RULES, m->f.b->node, "version 3\n", NULL);
	m->maker = signer_of("maker.example");
	m->other = signer_of("other.example");
	m->seer[0] = signer_of("one.example");
	m->seer[1] = signer_of("two.example");
	m->seer[2] = signer_of("three.example");
	m->nobody = signer_of("nobody.example");
	folk_party(&m->f, m->maker, "");
	folk_party(&m->f, m->other, "");
	folk_party(&m->f, m->nobody, "");
	for (unsigned i = 0; i < 3; i++)
		folk_holder(&m->f, m->seer[i], i);
}

static void end(struct market *m)
{
	signer_free(m->maker);
	signer_free(m->other);
	signer_free(m->nobody);
	for (unsigned i = 0; i < 3; i++)
		signer_free(m->seer[i]);
	bare_free(m->f.b);
}

static const char *time_of(struct market *m, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	return arena_print(m->a, "%s", text);
}

/* "CN A" at that time, as a header. */
static const char *line_of(struct market *m, const char *region, const char *hash, int64_t ms)
{
	return arena_print(m->a, "artefact %s %s %s\n", region, hash, time_of(m, ms));
}

static struct hash release(struct market *m, const char *regions, const char *lines)
{
	struct hash id;

	folk_say(&m->f, KIND_CERTIFICATE, m->maker, arena_print(m->a, RELEASE "regions %s\n%s", regions, lines), &id);
	return id;
}

static struct hash seen(struct market *m, const struct signer *who, struct hash re, const char *lines)
{
	struct hash id;

	folk_say(&m->f, KIND_CERTIFICATE, who, arena_print(m->a, "predicate seen\nre %s\n%s", hex_of(m->a, re), lines),
		 &id);
	return id;
}

/* Time goes on: the ledger's last entry is logged then. */
static void until(struct market *m, int64_t ms)
{
	const char *lines = arena_print(m->a, "version 3\nmark %lld\n", (long long)ms); /* which folds to nothing */

	m->f.now_ms = ms;
	assert_int_equal(bare_fold(m->f.b,
				   statement_text(m->a, KIND_RULES, "cert.example/public", m->f.b->node, lines, NULL),
				   LEDGER_PUBLIC, ms),
			 OK);
}

static struct release get(struct market *m)
{
	struct release r;

	if (state_release(&m->f.b->st, SPAN("maker.example"), SPAN(PRODUCT), SPAN("4.2"), &r) != OK)
		fail_msg("%s", err_detail());
	return r;
}

#define BREACHES(m, expected) assert_int_equal(get(m).breaches, expected)
#define BIT_OF(b) (1u << (b))

/* ---- the door ---- */

static const struct {
	const char *what, *lines; /* @R: a release */
	enum err err;
} doors[] = {
	{ "a release", RELEASE "regions CN,DE\nartefact CN " A " 2026-01-01T00:00:00Z\n", OK },
	{ "to all", RELEASE "regions all\nartefact ZZ " A " 2026-01-01T00:00:00Z\n", OK },
	{ "without regions", RELEASE "artefact CN " A " 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER },
	{ "without artefact", RELEASE "regions CN\n", ERR_STATEMENT_HEADER },
	{ "regions in disorder", RELEASE "regions DE,CN\nartefact CN " A " 2026-01-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "a region twice", RELEASE "regions CN,CN\nartefact CN " A " 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER },
	{ "ZZ among regions", RELEASE "regions CN,ZZ\nartefact CN " A " 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER },
	{ "small letters", RELEASE "regions cn\nartefact CN " A " 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER },
	{ "an empty region", RELEASE "regions CN,\nartefact CN " A " 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER },
	{ "one region's line twice",
	  RELEASE "regions CN\nartefact CN " A " 2026-01-01T00:00:00Z\nartefact CN " B " 2026-01-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "a line without time", RELEASE "regions CN\nartefact CN " A "\n", ERR_STATEMENT_HEADER },
	{ "a line without hash", RELEASE "regions CN\nartefact CN 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER },
	{ "a line with more", RELEASE "regions CN\nartefact CN " A " 2026-01-01T00:00:00Z x\n", ERR_STATEMENT_HEADER },
	{ "a year and two days ahead", RELEASE "regions CN\nartefact CN " A " 2027-01-03T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "a product with version",
	  "predicate release\nproduct " PRODUCT "@4.2\nversion 4.2\nregions CN\nartefact CN " A
	  " 2026-01-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "a product that is none",
	  "predicate release\nproduct app\nversion 4.2\nregions CN\nartefact CN " A " 2026-01-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "a version of two words",
	  "predicate release\nproduct " PRODUCT "\nversion 4 2\nregions CN\nartefact CN " A " 2026-01-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "what was seen", "predicate seen\nre @R\nartefact CN " B " 2026-01-01T00:00:00Z\n", OK },
	{ "seen, of nothing", "predicate seen\nartefact CN " B " 2026-01-01T00:00:00Z\n", ERR_STATEMENT_HEADER },
	{ "seen, without line", "predicate seen\nre @R\n", ERR_STATEMENT_HEADER },
	{ "a canary", "predicate canary\nname weakening\nend 2026-06-01T00:00:00Z\ntext We were not asked.\n", OK },
	{ "a canary of 366 days", "predicate canary\nname weakening\nend 2027-01-02T00:00:00Z\n", OK },
	{ "a longer one", "predicate canary\nname weakening\nend 2027-01-02T00:00:01Z\n", ERR_STATEMENT_HEADER },
	{ "a canary that is over", "predicate canary\nname weakening\nend 2026-01-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "a canary that begins",
	  "predicate canary\nname weakening\nstart 2026-02-01T00:00:00Z\nend 2026-06-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
	{ "a canary about a release", "predicate canary\nre @R\nname weakening\nend 2026-06-01T00:00:00Z\n",
	  ERR_STATEMENT_HEADER },
};

static const char *filled(struct market *m, const char *lines, struct hash re)
{
	const char *at = strstr(lines, "@R");

	return at == NULL ? lines : arena_print(m->a, "%.*s%s%s", (int)(at - lines), lines, hex_of(m->a, re), at + 2);
}

static void door(void **state)
{
	struct market m;
	struct hash id;

	begin(&m, *state, "door");
	folk_say(&m.f, KIND_CERTIFICATE, m.maker,
		 "predicate release\nproduct pkg:generic/first\nversion 1\nregions all\nartefact ZZ " A
		 " 2026-01-01T00:00:00Z\n",
		 &id);
	for (size_t i = 0; i < TABLE_LENGTH(doors); i++) {
		enum err e = folk_try_lines(&m.f, KIND_CERTIFICATE, m.seer[0], filled(&m, doors[i].lines, id));

		if (e != doors[i].err)
			fail_msg("%s: %s: %s", doors[i].what, err_code(e), err_detail());
	}
	/* who gives it says so in a release */
	assert_int_equal(
		folk_try_lines(&m.f, KIND_CERTIFICATE, m.maker,
			       filled(&m, "predicate seen\nre @R\nartefact CN " B " 2026-01-01T00:00:00Z\n", id)),
		ERR_STATEMENT_HEADER);
	end(&m);
}

/* ---- regions ---- */

static void grace_ends_sharply(void **state)
{
	struct market m;
	struct release r;

	begin(&m, *state, "grace");
	release(&m, "CN,DE", line_of(&m, "CN", A, START));
	r = get(&m);
	assert_int_equal(r.first_ms, START);
	assert_int_equal(r.breaches, 0);
	until(&m, START + RELEASE_GRACE_MS - 1);
	BREACHES(&m, 0);
	until(&m, START + RELEASE_GRACE_MS);
	BREACHES(&m, 0);
	until(&m, START + RELEASE_GRACE_MS + 1);
	r = get(&m);
	assert_int_equal(r.breaches, BIT_OF(BREACH_LEFT_OUT));
	assert_int_equal(r.breach, BREACH_LEFT_OUT);
	assert_int_equal(r.left_out_count, 1);
	assert_string_equal(r.left_out[0].region, "DE");
	assert_int_equal(r.left_out[0].came_ms, 0);
	assert_int_equal(r.lag_ms, RELEASE_GRACE_MS + 1);
	assert_null(r.broken);
	/* it came at last: what was late stays late */
	m.f.now_ms = START + 50 * HOUR;
	release(&m, "CN,DE", line_of(&m, "DE", A, START));
	until(&m, START + 90 * HOUR);
	r = get(&m);
	assert_int_equal(r.breaches, BIT_OF(BREACH_LEFT_OUT));
	assert_int_equal(r.left_out[0].came_ms, START + 50 * HOUR); /* not when its maker says */
	assert_int_equal(r.lag_ms, 50 * HOUR);
	assert_int_equal(r.statements, 2);
	end(&m);
}

/* In time: the last moment of the grace, by the ledger's clock. */
static void last_moment_is_in_time(void **state)
{
	for (int64_t more = 0; more < 2; more++) {
		struct market m;

		begin(&m, *state, more ? "late" : "in-time");
		release(&m, "CN,DE", line_of(&m, "CN", A, START));
		m.f.now_ms = START + RELEASE_GRACE_MS + more;
		release(&m, "CN,DE", line_of(&m, "DE", A, START));
		until(&m, START + 90 * HOUR);
		BREACHES(&m, more ? BIT_OF(BREACH_LEFT_OUT) : 0);
		assert_int_equal(get(&m).lag_ms, RELEASE_GRACE_MS + more);
		end(&m);
	}
}

/* What the first statement says of itself is taken as said, since it is what its maker gains nothing by. */
static void first_statement_counts_as_said(void **state)
{
	struct market m;
	struct release r;

	begin(&m, *state, "said");
	m.f.now_ms = START + 100 * HOUR;
	release(&m, "CN,DE,US",
		arena_print(m.a, "%s%s%s", line_of(&m, "CN", A, START), line_of(&m, "DE", A, START + 24 * HOUR),
			    line_of(&m, "US", A, START + 24 * HOUR + 1000)));
	r = get(&m);
	assert_int_equal(r.first_ms, START);
	assert_int_equal(r.last_ms, START + 24 * HOUR + 1000);
	assert_int_equal(r.breaches, BIT_OF(BREACH_LEFT_OUT));
	assert_int_equal(r.left_out_count, 1);
	assert_string_equal(r.left_out[0].region, "US");
	assert_int_equal(r.lag_ms, 24 * HOUR + 1000);
	assert_int_equal(r.promised_count, 3);
	end(&m);
}

static void all_means_everywhere(void **state)
{
	struct market m;
	struct release r;

	begin(&m, *state, "all");
	release(&m, "all", line_of(&m, "CN", A, START));
	until(&m, START + 30 * HOUR);
	r = get(&m);
	assert_int_equal(r.breaches, BIT_OF(BREACH_LEFT_OUT));
	assert_string_equal(r.left_out[0].region, "ZZ");
	end(&m);

	begin(&m, *state, "all-kept");
	release(&m, "all", line_of(&m, "ZZ", A, START));
	until(&m, START + 30 * HOUR);
	BREACHES(&m, 0);
	end(&m);

	/* ZZ serves those that were named */
	begin(&m, *state, "all-named");
	release(&m, "CN,DE", line_of(&m, "ZZ", A, START));
	m.f.now_ms = START + 200 * HOUR;
	release(&m, "CN,DE", line_of(&m, "CN", A, START + 200 * HOUR));
	until(&m, START + 300 * HOUR);
	BREACHES(&m, 0);
	end(&m);
}

/* A time to come is announced, and no more. */
static void announced_is_not_given(void **state)
{
	struct market m;
	struct release r;

	begin(&m, *state, "announced");
	release(&m, "CN,DE",
		arena_print(m.a, "%s%s", line_of(&m, "CN", A, START), line_of(&m, "DE", A, START + 48 * HOUR)));
	BREACHES(&m, 0);
	until(&m, START + 30 * HOUR);
	r = get(&m);
	assert_int_equal(r.breaches, BIT_OF(BREACH_LEFT_OUT));
	assert_int_equal(r.left_out[0].came_ms, 0);
	assert_int_equal(r.left_out[0].lag_ms, 30 * HOUR);
	until(&m, START + 72 * HOUR);
	r = get(&m);
	assert_int_equal(r.left_out[0].came_ms, START + 48 * HOUR);
	assert_int_equal(r.left_out[0].lag_ms, 48 * HOUR);
	end(&m);
}

/* ---- hashes ---- */

static void two_hashes_of_the_maker(void **state)
{
	struct market m;
	struct release r;

	begin(&m, *state, "two");
	release(&m, "CN,US", arena_print(m.a, "%s%s", line_of(&m, "CN", B, START), line_of(&m, "US", A, START)));
	r = get(&m);
	assert_int_equal(r.breaches, BIT_OF(BREACH_TWO_HASHES));
	assert_string_equal(r.broken[0].region, "CN");
	assert_string_equal(r.broken[1].region, "US");
	end(&m);
}

static void one_hash_again(void **state)
{
	struct market m;
	struct release r;

	begin(&m, *state, "again");
	release(&m, "CN,US", arena_print(m.a, "%s%s", line_of(&m, "CN", A, START), line_of(&m, "US", A, START)));
	m.f.now_ms = START + 1000 * HOUR;
	release(&m, "CN,US", line_of(&m, "CN", A, START + 1000 * HOUR));
	r = get(&m);
	assert_int_equal(r.breaches, 0);
	assert_int_equal(r.lag_ms, 0); /* the earliest of each region */
	assert_int_equal(r.line_count, 3);
	/* and another hash for a region that has one */
	release(&m, "CN,US", line_of(&m, "US", B, START + 1000 * HOUR));
	BREACHES(&m, BIT_OF(BREACH_TWO_HASHES));
	end(&m);
}

/* Another maker's release of the same name is another release. */
static void makers_apart(void **state)
{
	struct market m;
	struct release r;

	begin(&m, *state, "makers");
	folk_say(&m.f, KIND_CERTIFICATE, m.other,
		 arena_print(m.a, RELEASE "regions all\n%s", line_of(&m, "ZZ", C, START)), NULL);
	release(&m, "all", line_of(&m, "ZZ", A, START));
	BREACHES(&m, 0);
	assert_int_equal(state_release(&m.f.b->st, SPAN(""), SPAN(PRODUCT), SPAN("4.2"), &r), OK);
	assert_span(r.maker, "other.example");
	assert_int_equal(state_release(&m.f.b->st, SPAN("one.example"), SPAN(PRODUCT), SPAN("4.2"), &r), ERR_NOT_FOUND);
	assert_int_equal(state_release(&m.f.b->st, SPAN("maker.example"), SPAN(PRODUCT), SPAN("4.3"), &r),
			 ERR_NOT_FOUND);
	end(&m);
}

/* ---- what others saw ---- */

static void two_unrelated_saw_another(void **state)
{
	struct market m;
	struct release r;
	struct hash id;

	begin(&m, *state, "seen");
	id = release(&m, "all", line_of(&m, "ZZ", A, START));
	seen(&m, m.seer[0], id, line_of(&m, "CN", A, START)); /* the maker's own: nothing */
	seen(&m, m.seer[1], id, line_of(&m, "CN", B, START));
	BREACHES(&m, 0); /* by one only */
	seen(&m, m.seer[1], id, line_of(&m, "DE", B, START + HOUR));
	BREACHES(&m, 0); /* the same party again */
	seen(&m, m.nobody, id, line_of(&m, "DE", B, START));
	BREACHES(&m, 0); /* a party that nothing establishes */
	seen(&m, m.seer[0], id, line_of(&m, "DE", C, START));
	BREACHES(&m, 0); /* each something else */
	seen(&m, m.seer[2], id, line_of(&m, "CN", B, START));
	r = get(&m);
	assert_int_equal(r.breaches, BIT_OF(BREACH_TWO_HASHES_SEEN));
	assert_int_equal(r.breach, BREACH_TWO_HASHES_SEEN);
	assert_span(r.broken[0].by, "maker.example");
	assert_span(r.broken[1].by, "two.example");
	assert_span(r.seconded->by, "three.example");
	assert_int_equal(r.maker_count, 1);
	assert_int_equal(r.line_count, 7);
	end(&m);
}

static void two_related_do_not_count(void **state)
{
	struct market m;
	struct hash id;

	begin(&m, *state, "related");
	folk_vouch(&m.f, m.seer[0], m.seer[1], "");
	id = release(&m, "all", line_of(&m, "ZZ", A, START));
	seen(&m, m.seer[0], id, line_of(&m, "CN", B, START));
	seen(&m, m.seer[1], id, line_of(&m, "CN", B, START));
	BREACHES(&m, 0);
	seen(&m, m.seer[2], id, line_of(&m, "CN", B, START)); /* related to neither */
	BREACHES(&m, BIT_OF(BREACH_TWO_HASHES_SEEN));
	end(&m);

	/* who becomes related later was not when it counted */
	begin(&m, *state, "related-later");
	id = release(&m, "all", line_of(&m, "ZZ", A, START));
	seen(&m, m.seer[0], id, line_of(&m, "CN", B, START));
	seen(&m, m.seer[1], id, line_of(&m, "CN", B, START));
	m.f.now_ms = START + HOUR;
	folk_vouch(&m.f, m.seer[0], m.seer[1], "");
	BREACHES(&m, BIT_OF(BREACH_TWO_HASHES_SEEN));
	end(&m);
}

/* ---- withdrawal ---- */

static void withdrawn_lines_count_nowhere(void **state)
{
	struct market m;
	struct release r;
	struct hash id, wrong, first, second;

	begin(&m, *state, "withdrawn");
	id = release(&m, "CN,US", line_of(&m, "CN", A, START));
	wrong = release(&m, "CN,US", line_of(&m, "US", B, START));
	BREACHES(&m, BIT_OF(BREACH_TWO_HASHES));
	folk_withdraw(&m.f, m.maker, wrong, "");
	r = get(&m);
	assert_int_equal(r.breaches, 0);
	assert_int_equal(r.taken_back, 1); /* which is told */
	assert_int_equal(r.line_count, 2);
	assert_true(r.lines[1].withdrawn);
	assert_false(r.withdrawn);
	first = seen(&m, m.seer[0], id, line_of(&m, "CN", B, START));
	second = seen(&m, m.seer[1], id, line_of(&m, "CN", B, START));
	BREACHES(&m, BIT_OF(BREACH_TWO_HASHES_SEEN));
	folk_withdraw(&m.f, m.seer[0], first, "");
	BREACHES(&m, 0);
	(void)second;
	until(&m, START + 40 * HOUR);
	BREACHES(&m, BIT_OF(BREACH_LEFT_OUT));
	folk_withdraw(&m.f, m.maker, id, "");
	r = get(&m);
	assert_true(r.withdrawn);
	assert_int_equal(r.breaches, 0);
	assert_int_equal(r.taken_back, 2);
	end(&m);
}

/* ---- lists ---- */

struct listing {
	struct buffer text;
};

static enum err list(void *context, const struct release *r)
{
	struct listing *l = context;

	buffer_print(&l->text, "%.*s %.*s %.*s %zu\n", SPAN_FORMAT(r->maker), SPAN_FORMAT(r->product),
		     SPAN_FORMAT(r->version), r->line_count);
	return OK;
}

static void lists(void **state)
{
	struct market m;
	struct listing l = { BUFFER(10000) };
	struct hash id;

	begin(&m, *state, "lists");
	id = release(&m, "all", line_of(&m, "ZZ", A, START));
	release(&m, "all", line_of(&m, "CN", A, START));
	seen(&m, m.other, id, line_of(&m, "DE", A, START));
	folk_say(&m.f, KIND_CERTIFICATE, m.maker,
		 arena_print(m.a, "predicate release\nproduct " PRODUCT "\nversion 4.3\nregions all\n%s",
			     line_of(&m, "ZZ", B, START)),
		 NULL);
	folk_say(&m.f, KIND_CERTIFICATE, m.other,
		 arena_print(m.a, "predicate release\nproduct pkg:generic/b\nversion 4.2\nregions all\n%s",
			     line_of(&m, "ZZ", B, START)),
		 NULL);
	assert_int_equal(state_releases(&m.f.b->st, SPAN(""), list, &l), OK);
	assert_span(buffer_view(&l.text), "maker.example pkg:generic/app 4.2 3\nmaker.example pkg:generic/app 4.3 1\n"
					  "other.example pkg:generic/b 4.2 1\n");
	buffer_clear(&l.text);
	assert_int_equal(state_releases(&m.f.b->st, SPAN("other.example"), list, &l), OK);
	assert_span(buffer_view(&l.text), "other.example pkg:generic/b 4.2 1\n");
	buffer_clear(&l.text);
	assert_int_equal(releases_of(&m.f.b->st, SPAN(PRODUCT), SPAN(""), list, &l), OK);
	assert_span(buffer_view(&l.text), "maker.example pkg:generic/app 4.2 3\nmaker.example pkg:generic/app 4.3 1\n");
	buffer_clear(&l.text);
	assert_int_equal(releases_of(&m.f.b->st, SPAN(PRODUCT), SPAN("4.3"), list, &l), OK);
	assert_span(buffer_view(&l.text), "maker.example pkg:generic/app 4.3 1\n");
	buffer_free(&l.text);
	end(&m);
}

/* ---- canaries ---- */

struct counted {
	struct canary c[4];
	size_t count;
};

static enum err count(void *context, const struct canary *c)
{
	struct counted *n = context;

	assert_true(n->count < 4);
	n->c[n->count++] = *c;
	return OK;
}

static struct counted canaries(struct market *m)
{
	struct counted n = { .count = 0 };

	assert_int_equal(state_canaries(&m->f.b->st, SPAN(""), count, &n), OK);
	return n;
}

static struct hash say_canary(struct market *m, const struct signer *who, const char *name, int64_t until_ms)
{
	struct hash id;

	folk_say(&m->f, KIND_CERTIFICATE, who,
		 arena_print(m->a, "predicate canary\nname %s\nend %s\ndate %s\n", name, time_of(m, until_ms),
			     time_of(m, m->f.now_ms)),
		 &id);
	return id;
}

static void canaries_lapse(void **state)
{
	struct market m;
	struct counted n;
	struct hash id;

	begin(&m, *state, "canaries");
	say_canary(&m, m.maker, "weakening", START + 10 * DAY);
	say_canary(&m, m.maker, "access", START + 90 * DAY);
	n = canaries(&m);
	assert_int_equal(n.count, 2);
	assert_span(n.c[0].name, "access");
	assert_span(n.c[1].name, "weakening");
	assert_int_equal(n.c[1].until_ms, START + 10 * DAY);
	until(&m, START + 10 * DAY - 1);
	assert_false(canaries(&m).c[1].lapsed);
	until(&m, START + 10 * DAY);
	assert_true(canaries(&m).c[1].lapsed);
	/* a gap, then in time */
	m.f.now_ms = START + 12 * DAY;
	say_canary(&m, m.maker, "weakening", START + 20 * DAY);
	m.f.now_ms = START + 19 * DAY;
	id = say_canary(&m, m.maker, "weakening", START + 40 * DAY);
	n = canaries(&m);
	assert_false(n.c[1].lapsed);
	assert_int_equal(n.c[1].renewals, 2);
	assert_int_equal(n.c[1].gaps, 1);
	assert_int_equal(n.c[1].since_ms, START);
	assert_int_equal(n.c[1].renewed_ms, START + 19 * DAY);
	/* taken back: it has lapsed, and only that */
	m.f.now_ms = START + 21 * DAY;
	folk_withdraw(&m.f, m.maker, id, "");
	n = canaries(&m);
	assert_true(n.c[1].lapsed);
	assert_int_equal(n.c[1].until_ms, START + 21 * DAY);
	say_canary(&m, m.other, "weakening", START + 40 * DAY);
	assert_int_equal(canaries(&m).count, 3);
	n = (struct counted){ .count = 0 };
	assert_int_equal(state_canaries(&m.f.b->st, SPAN("other.example"), count, &n), OK);
	assert_int_equal(n.count, 1);
	end(&m);
}

static void renews_only_its_own(void **state)
{
	struct market m;
	struct hash id;

	begin(&m, *state, "renews");
	id = say_canary(&m, m.maker, "weakening", START + 10 * DAY);
	assert_int_equal(
		folk_try_lines(&m.f, KIND_CERTIFICATE, m.maker,
			       filled(&m, "predicate canary\nre @R\nname weakening\nend 2026-06-01T00:00:00Z\n", id)),
		OK);
	assert_int_equal(
		folk_try_lines(&m.f, KIND_CERTIFICATE, m.maker,
			       filled(&m, "predicate canary\nre @R\nname access\nend 2026-06-01T00:00:00Z\n", id)),
		ERR_STATEMENT_HEADER);
	assert_int_equal(
		folk_try_lines(&m.f, KIND_CERTIFICATE, m.other,
			       filled(&m, "predicate canary\nre @R\nname weakening\nend 2026-06-01T00:00:00Z\n", id)),
		ERR_STATEMENT_HEADER);
	end(&m);
}

/* A thousand lines of many statements, against loops. */
static void agrees_with_loops(void **state)
{
	static const char *const regions[] = { "AA", "BB", "CC", "ZZ" };
	uint64_t seed = test_seed();

	for (unsigned round = 0; round < 60; round++) {
		struct market m;
		struct release r;
		int64_t earliest[4] = { -1, -1, -1, -1 }, first = INT64_MAX, last = 0, now;
		unsigned expected = 0;
		size_t statements = 1 + test_below(&seed, 4);
		bool two = false, hash_a = false;

		begin(&m, *state, arena_print(((struct scratch *)*state)->arena, "random-%u", round));
		for (size_t i = 0; i < statements; i++) {
			size_t where = test_below(&seed, 4);
			bool a = test_below(&seed, 8) != 0;
			int64_t at = START + (int64_t)test_below(&seed, 60) * HOUR, counts;

			m.f.now_ms = START + (int64_t)i * 13 * HOUR;
			release(&m, "AA,BB,CC", line_of(&m, regions[where], a ? A : B, at));
			counts = i > 0 && at < m.f.now_ms ? m.f.now_ms : at;
			if (earliest[where] < 0 || counts < earliest[where])
				earliest[where] = counts;
			two = two || (i > 0 && a != hash_a);
			hash_a = i == 0 ? a : hash_a;
		}
		now = START + (int64_t)(40 + test_below(&seed, 100)) * HOUR;
		until(&m, now);
		for (size_t i = 0; i < 4; i++)
			if (earliest[i] >= 0) {
				first = earliest[i] < first ? earliest[i] : first;
				last = earliest[i] > last ? earliest[i] : last;
			}
		for (size_t i = 0; i < 3; i++) {
			int64_t t = earliest[i];

			if (earliest[3] >= 0 && (t < 0 || earliest[3] < t))
				t = earliest[3];
			if ((t < 0 || t > first + 24 * HOUR) && now > first + 24 * HOUR)
				expected |= BIT_OF(BREACH_LEFT_OUT);
		}
		expected |= two ? BIT_OF(BREACH_TWO_HASHES) : 0;
		r = get(&m);
		assert_int_equal(r.first_ms, first);
		assert_int_equal(r.last_ms, last);
		assert_int_equal(r.breaches, expected);
		end(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(door),
		cmocka_unit_test(grace_ends_sharply),
		cmocka_unit_test(last_moment_is_in_time),
		cmocka_unit_test(first_statement_counts_as_said),
		cmocka_unit_test(all_means_everywhere),
		cmocka_unit_test(announced_is_not_given),
		cmocka_unit_test(two_hashes_of_the_maker),
		cmocka_unit_test(one_hash_again),
		cmocka_unit_test(makers_apart),
		cmocka_unit_test(two_unrelated_saw_another),
		cmocka_unit_test(two_related_do_not_count),
		cmocka_unit_test(withdrawn_lines_count_nowhere),
		cmocka_unit_test(lists),
		cmocka_unit_test(canaries_lapse),
		cmocka_unit_test(renews_only_its_own),
		cmocka_unit_test(agrees_with_loops),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
