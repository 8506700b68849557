/* Statements, one after the other with a 0 between them, into a state that holds a node, two parties, a notice and a plan, and
 * another node, whose ledger some are from: these come as guests.
 * The fold takes anything and fails at nothing; checking changes nothing; an id counts once. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encoding.h"
#include "regime/plan.h"
#include "regime/state_private.h"

static struct arena *arena;
static struct views *views;
static char dir[] = "/tmp/fuzz-state-XXXXXX";

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void clean_up(void)
{
	views_close(views);
	views_destroy(dir);
	rmdir(dir);
}

static void begin(struct state *st)
{
	*st = (struct state){ .node = SPAN("cert.example"), .arena = arena };
	check(views_write(views, &st->snapshot) == OK);
}

/* Where it would enter: what names another node's ledger, as a guest, of a home whose clock may be ahead. */
static void place(struct state *st, uint64_t index, const struct statement *s)
{
	struct span node;

	st->index = index;
	if (statement_home(s, &node, &st->ledger) != OK) {
		node = st->node;
		st->ledger = LEDGER_PUBLIC;
	}
	st->is_guest = !span_equal(node, st->node);
	st->home_ms = st->is_guest ? st->logged_ms + 500 * (int64_t)(index % 4) : 0;
}

static void fold(struct state *st, uint64_t index, const struct statement *s)
{
	st->logged_ms += 1000;
	place(st, index, s);
	check(state_fold(st, s) == OK);
	check(state_time(st) <= st->logged_ms);
}

/* The beginning that every input finds. Keys as in the tests: the seed is the hash of the name. */
static void add(struct state *st, uint64_t index, enum kind k, const char *ledger, const char *from, const char *lines)
{
	struct hash seed = hash_bytes(from, strlen(from)), id;
	struct buffer note = BUFFER(STATEMENT_MAX), key = BUFFER(100);
	struct span rest = span_of(lines), line;
	struct statement_writer w = { 0 };
	struct signer *signer = NULL;
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { 1 };
	struct statement s;
	char name[32];

	check(signer_from_seed(span_of(from), seed.bytes, &signer) == OK);
	memcpy(bytes + 1, signer_verifier(signer)->public_key, KEY_PUBLIC_SIZE);
	base64_append(&key, bytes, sizeof(bytes));
	statement_begin(&w, k, span_of(ledger), signer_verifier(signer));
	if (k == KIND_PARTY)
		statement_add(&w, "public-key", buffer_view(&key));
	while (span_line(&rest, &line)) {
		struct span value = line, word = span_cut(&value, ' ');

		snprintf(name, sizeof(name), "%.*s", SPAN_FORMAT(word));
		statement_add(&w, name, value);
	}
	check(statement_end(&w, signer, &note, &id) == OK);
	check(statement_parse(arena, buffer_view(&note), &s) == OK);
	place(st, index, &s);
	check(state_check(st, &s) == OK);
	fold(st, index, &s);
	statement_writer_free(&w);
	buffer_free(&note);
	buffer_free(&key);
	signer_free(signer);
}

static void start(void)
{
	struct state st;

	check((arena = arena_new((size_t)1 << 24)) != NULL);
	check(mkdtemp(dir) != NULL && views_open(dir, true, &views) == OK);
	atexit(clean_up);
	begin(&st);
	add(&st, 0, KIND_PARTY, "cert.example/public", "cert.example", "role node\n");
	add(&st, 1, KIND_PARTY, "cert.example/public", "op.example", "role operator\nclaim AS64500\n");
	add(&st, 2, KIND_PARTY, "cert.example/public", "res.example", "role researcher\n");
	add(&st, 3, KIND_PLAN, "cert.example/public", "res.example",
	    "activity scan\nstart 1970-01-01T00:00:00Z\nend 1970-01-02T00:00:00Z\nsource 198.51.100.0/24\ntarget any\n"
	    "purpose a test\n");
	add(&st, 0, KIND_NOTICE, "cert.example/circle", "cert.example",
	    "to op.example\nclass malicious-code/infected-system\nevents 3\nbody application/stix+json 10 "
	    "sealed-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	add(&st, 4, KIND_PARTY, "b.example/public", "b.example",
	    "role node\nurl https://b.example\ncontact mailto:soc@b.example\n");
	add(&st, 1, KIND_NOTICE, "b.example/circle", "b.example",
	    "to cert.example\nclass malicious-code/infected-system\nevents 1\nbody application/stix+json 10 "
	    "sealed-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n");
	check(snapshot_commit(st.snapshot) == OK);
}

static struct hash digest(const struct state *st)
{
	struct hash h;

	check(state_digest(st, &h) == OK);
	return h;
}

static void one(struct state *st, uint64_t index, const struct statement *s)
{
	struct hash before = digest(st), after;
	enum err first, again;
	enum ledger_id l;
	uint64_t at;

	place(st, index, s);
	first = state_check(st, s);
	again = state_check(st, s);

	check(first == again && hash_equal(before, digest(st)));
	fold(st, index, s);
	check(state_find(st, s->id, &l, &at) == OK);
	check(state_check(st, s) == ERR_STATEMENT_REPEATED);
	after = digest(st);
	fold(st, index + 1, s);
	check(hash_equal(after, digest(st)));
	check(hash_equal(before, after) == (first == ERR_STATEMENT_REPEATED));
}

static enum err look_at(void *context, const struct matter *m)
{
	struct addressee a;
	unsigned n = 0;

	(void)context;
	while (matter_addressee(m, n, &a))
		n++;
	check(n == m->to_count + m->cc_count);
	return OK;
}

struct found {
	const struct state *st;
	uint64_t due, open;
};

static enum err count_due(void *context, const struct matter *m)
{
	struct found *f = context;

	check(m->due_ms != 0 && m->answered_ms == 0 && !m->ended && !m->withdrawn && m->passed_on_ms == 0);
	f->due++;
	return OK;
}

static enum err count_open(void *context, const struct matter *m)
{
	struct found *f = context;

	f->open += span_equal(m->home, f->st->node) && m->due_ms != 0 && m->answered_ms == 0 && !m->ended &&
		   !m->withdrawn && m->passed_on_ms == 0;
	return OK;
}

/* The index of what is waited for is the whole of it: of what was filed here. */
static void same_due(const struct state *st)
{
	struct found f = { .st = st };
	int64_t next;

	check(state_due(st, INT64_MAX, count_due, &f) == OK);
	check(state_matters(st, LEDGER_CIRCLE, KIND_NOTICE, 0, count_open, &f) == OK);
	check(f.due == f.open && state_next_due(st, &next) == OK && (next != 0) == (f.due > 0));
}

/* Everything in the state reads, and plans compile. */
static void read_all(const struct state *st)
{
	struct observation o = { .source = address_ipv4(0xc6336401), .time_ms = 5000 };
	struct plans *p;

	for (int l = 0; l < LEDGER_COUNT; l++)
		check(state_matters(st, (enum ledger_id)l, KIND_UNKNOWN, 0, look_at, NULL) == OK);
	same_due(st);
	check(plans_load(st, &p) == OK);
	plans_match(p, &o);
	plans_free(p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(data, size);
	uint64_t index = 100;
	struct state st;

	if (arena == NULL)
		start();
	arena_reset(arena);
	begin(&st);
	while (rest.at != NULL && index < 120) {
		struct span note = span_cut(&rest, '\0');
		struct statement s;

		if (statement_parse(arena, note, &s) == OK) {
			one(&st, index, &s);
			index += 2;
		}
	}
	read_all(&st);
	snapshot_end(st.snapshot);
	return 0;
}
