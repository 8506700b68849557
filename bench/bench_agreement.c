/* What agreements cost a ledger: five years of notices and answers between 200 parties, folded once as they are and once with 500
 * agreements beside them; then one agreement's state, whether something may flow, and an entry after a year's sleep. What is made,
 * signed and parsed is not in the figures. bench_agreement [STATEMENTS [FOLDER]]. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/encoding.h"
#include "regime/agreement.h"
#include "regime/state.h"
#include "store/views.h"

#define PARTIES 200
#define AGREEMENTS 500
#define STATEMENTS 200000
#define CHUNK 5000
#define BEGIN_MS INT64_C(1798761600000) /* 2027-01-01 */
#define DAY_MS INT64_C(86400000)
#define LENGTH_MS (5 * 365 * DAY_MS)

struct world {
	struct views *views;
	struct state st;
	struct arena *made, *folding;
	struct signer *node, *who[PARTIES];
	uint64_t size[LEDGER_COUNT];
	struct hash agreements[AGREEMENTS];
	size_t agreement_count;
};

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

/* The processor's own time: the machine may have other work. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct entry {
	struct statement s;
	enum ledger_id ledger;
	int64_t logged_ms;
};

static struct entry make(struct world *w, struct statement_writer *writer, const struct signer *from, enum ledger_id l,
			 int64_t logged_ms)
{
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct entry e = { .ledger = l, .logged_ms = logged_ms };
	struct hash id;
	const char *copy;

	need(statement_end(writer, from, &note, &id));
	need((copy = arena_copy(w->made, note.at, note.len)) != NULL ? OK : ERR_NO_MEMORY);
	need(statement_parse(w->made, span_make(copy, note.len), &e.s));
	buffer_free(&note);
	return e;
}

static void fold(struct world *w, const struct entry *e)
{
	arena_reset(w->folding);
	w->st.arena = w->folding;
	w->st.ledger = e->ledger;
	w->st.index = w->size[e->ledger]++;
	w->st.logged_ms = e->logged_ms;
	need(state_fold(&w->st, &e->s));
	if (!w->st.effective) {
		fprintf(stderr, "folds to nothing: %s\n%.*s", err_detail(), SPAN_FORMAT(e->s.note.text));
		exit(EXIT_FAILURE);
	}
}

static void fold_party(struct world *w, const char *name, const char *role, struct signer **out)
{
	struct hash seed = hash_bytes(name, strlen(name));
	struct statement_writer writer = { 0 };
	struct buffer key = BUFFER(100);
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { 1 };
	struct entry e;

	need(signer_from_seed(span_of(name), seed.bytes, out));
	memcpy(bytes + 1, signer_verifier(*out)->public_key, KEY_PUBLIC_SIZE);
	base64_append(&key, bytes, sizeof(bytes));
	statement_begin(&writer, KIND_PARTY, SPAN("cert.example/public"), signer_verifier(*out));
	statement_add(&writer, "public-key", buffer_view(&key));
	statement_add_print(&writer, "role", "%s", role);
	e = make(w, &writer, *out, LEDGER_PUBLIC, BEGIN_MS - 2 * DAY_MS);
	fold(w, &e);
	buffer_free(&key);
	statement_writer_free(&writer);
}

/* Every party has five partners. */
static void pair_of(size_t i, size_t *a, size_t *b)
{
	*a = i % PARTIES;
	*b = (*a + 1 + i / PARTIES * 7) % PARTIES;
}

static struct entry make_agreement(struct world *w, size_t i, unsigned side, const struct hash *offer)
{
	struct statement_writer writer = { 0 };
	struct entry e;
	size_t pair[2];
	const char *name[2];
	bool turned;

	pair_of(i, &pair[0], &pair[1]);
	name[0] = signer_verifier(w->who[pair[0]])->name;
	name[1] = signer_verifier(w->who[pair[1]])->name;
	turned = strcmp(name[0], name[1]) > 0;
	statement_begin(&writer, KIND_AGREEMENT, SPAN("cert.example/public"), signer_verifier(w->who[pair[side]]));
	statement_add(&writer, "to", span_of(name[1 - side]));
	statement_add(&writer, "party", span_of(name[turned]));
	statement_add(&writer, "party", span_of(name[!turned]));
	statement_add(&writer, "depositary", SPAN("cert.example"));
	statement_add_time(&writer, "start", BEGIN_MS);
	statement_add_time(&writer, "end", BEGIN_MS + 9 * 365 * DAY_MS);
	statement_add(&writer, "exit-notice", SPAN("90d"));
	statement_add(&writer, "codes", SPAN("1,3"));
	statement_add(&writer, "term", SPAN("swift acknowledged at-least 80% within 2d each 30d gives share"));
	statement_add(&writer, "term", SPAN("fair balance at-least 10% each 90d"));
	statement_add(&writer, "term", SPAN("right false-notices at-most 20% each 30d"));
	if (offer != NULL)
		statement_add_hash(&writer, "re", *offer);
	e = make(w, &writer, w->who[pair[side]], LEDGER_PUBLIC, BEGIN_MS - DAY_MS);
	statement_writer_free(&writer);
	return e;
}

static void agree(struct world *w)
{
	for (size_t i = 0; i < AGREEMENTS; i++) {
		struct entry offer = make_agreement(w, i, 0, NULL), second;

		fold(w, &offer);
		second = make_agreement(w, i, 1, &offer.s.id);
		fold(w, &second);
		w->agreements[i] = offer.s.id;
	}
	w->agreement_count = AGREEMENTS;
}

/* Notices and answers by turns; one in ten is never answered. */
static void make_chunk(struct world *w, uint64_t from, uint64_t all, struct entry *out)
{
	static const char *const classes[] = { "malicious-code/infected-system", "vulnerable/weak-crypto" };
	struct statement_writer writer = { 0 };
	struct hash last = { { 0 } };

	for (uint64_t i = from; i < from + CHUNK; i++) {
		int64_t logged_ms = BEGIN_MS + (int64_t)((double)i / (double)all * (double)LENGTH_MS);
		uint64_t random = i / 2 * UINT64_C(0x9e3779b97f4a7c15) >> 20;
		struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
					       .size = 1000,
					       .sealed = true,
					       .hash = hash_bytes(&i, sizeof(i)) };
		size_t a, b;

		pair_of(random % AGREEMENTS, &a, &b);
		if (i % 2 == 0 || random % 10 == 0) {
			statement_begin(&writer, KIND_NOTICE, SPAN("cert.example/circle"), signer_verifier(w->who[a]));
			statement_add(&writer, "to", span_of(signer_verifier(w->who[b])->name));
			statement_add(&writer, "class", span_of(classes[random % 2]));
			statement_add_print(&writer, "events", "%" PRIu64, i + 1);
			statement_add_body(&writer, &body);
			out[i - from] = make(w, &writer, w->who[a], LEDGER_CIRCLE, logged_ms);
			last = out[i - from].s.id;
		} else {
			statement_begin(&writer, KIND_ANSWER, SPAN("cert.example/circle"), signer_verifier(w->who[b]));
			statement_add_hash(&writer, "re", last);
			statement_add(&writer, "outcome", SPAN("acknowledged"));
			out[i - from] = make(w, &writer, w->who[b], LEDGER_CIRCLE, logged_ms);
		}
	}
	statement_writer_free(&writer);
}

static double fold_all(struct world *w, uint64_t all)
{
	struct entry *chunk = calloc(CHUNK, sizeof(*chunk));
	double spent = 0;

	need(chunk != NULL ? OK : ERR_NO_MEMORY);
	for (uint64_t i = 0; i < all; i += CHUNK) {
		double start;

		arena_reset(w->made);
		make_chunk(w, i, all, chunk);
		start = now();
		for (size_t k = 0; k < CHUNK; k++)
			fold(w, &chunk[k]);
		spent += now() - start;
		need(snapshot_commit(w->st.snapshot));
		need(views_write(w->views, &w->st.snapshot));
	}
	free(chunk);
	return spent;
}

static void read_states(struct world *w)
{
	double start = now();
	uint64_t suspended = 0, terms = 0;
	bool yes;

	for (size_t i = 0; i < w->agreement_count; i++) {
		struct agreement a;

		arena_reset(w->folding);
		need(state_agreement(&w->st, w->agreements[i], &a));
		for (size_t t = 0; t < a.term_count; t++)
			suspended += a.terms[t].course.state == COURSE_SUSPENDED;
		terms += a.term_count;
	}
	printf("%-56s %9.2f us each (limit 1,000); %" PRIu64 " of %" PRIu64 " terms suspended\n",
	       "one agreement's state", (now() - start) * 1e6 / (double)w->agreement_count, suspended, terms);
	start = now();
	for (size_t i = 0; i < w->agreement_count; i++) {
		size_t a, b;

		pair_of(i, &a, &b);
		arena_reset(w->folding);
		need(agreement_allows(&w->st, span_of(signer_verifier(w->who[a])->name),
				      span_of(signer_verifier(w->who[b])->name), GIVES_SHARE, &yes, NULL));
	}
	printf("%-56s %9.2f us each\n", "whether something may flow between two",
	       (now() - start) * 1e6 / (double)w->agreement_count);
}

static void sleep_a_year(struct world *w)
{
	struct statement_writer writer = { 0 };
	struct entry e;
	double start;

	statement_begin(&writer, KIND_WITHDRAW, SPAN("cert.example/public"), signer_verifier(w->who[0]));
	statement_add_hash(&writer, "re", w->agreements[0]);
	e = make(w, &writer, w->who[0], LEDGER_PUBLIC, BEGIN_MS + LENGTH_MS + 365 * DAY_MS);
	start = now();
	fold(w, &e);
	printf("%-56s %9.2f ms\n", "the first entry after a year of sleep, 14,000 windows", (now() - start) * 1e3);
	statement_writer_free(&writer);
}

static void fold_rules(struct world *w)
{
	struct statement_writer writer = { 0 };
	struct entry e;

	statement_begin(&writer, KIND_RULES, SPAN("cert.example/public"), signer_verifier(w->node));
	statement_add(&writer, "version", SPAN("3"));
	e = make(w, &writer, w->node, LEDGER_PUBLIC, BEGIN_MS - 2 * DAY_MS);
	fold(w, &e);
	statement_writer_free(&writer);
}

static void run(const char *folder, const char *name, uint64_t all, bool with, double *each)
{
	struct world w = { .st = { .node = SPAN("cert.example") } };
	char path[256], party[32];
	double spent;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	need((w.made = arena_new((size_t)1 << 28)) != NULL && (w.folding = arena_new((size_t)1 << 26)) != NULL
		     ? OK
		     : ERR_NO_MEMORY);
	need(views_open(path, true, &w.views));
	need(views_write(w.views, &w.st.snapshot));
	fold_party(&w, "cert.example", "node", &w.node);
	fold_rules(&w);
	for (int i = 0; i < PARTIES; i++) {
		snprintf(party, sizeof(party), "party-%03d.example", i);
		fold_party(&w, party, "operator", &w.who[i]);
	}
	if (with)
		agree(&w);
	spent = fold_all(&w, all);
	*each = spent * 1e6 / (double)all;
	printf("%-56s %9.2f us each, %9.0f/s\n", with ? "folded, 500 agreements" : "folded, no agreement", *each,
	       (double)all / spent);
	if (with) {
		read_states(&w);
		sleep_a_year(&w);
	}
	snapshot_end(w.st.snapshot);
	views_close(w.views);
	for (int i = 0; i < PARTIES; i++)
		signer_free(w.who[i]);
	signer_free(w.node);
	arena_free(w.made);
	arena_free(w.folding);
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/comity-bench-XXXXXX", command[64];
	const char *at = argc > 2 ? argv[2] : mkdtemp(folder);
	uint64_t all = STATEMENTS;
	double without, with;

	if (at == NULL || (argc > 1 && span_u64(span_of(argv[1]), 10000000, &all) != OK) || all % CHUNK != 0) {
		fprintf(stderr, "usage: bench_agreement [STATEMENTS, a multiple of %d [FOLDER]]\n", CHUNK);
		return 2;
	}
	run(at, "without", all, false, &without);
	run(at, "with", all, true, &with);
	printf("%-56s %9.2f us each\n", "what the agreements add", with - without);
	if (at == folder) {
		snprintf(command, sizeof(command), "rm -r %s", folder);
		return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
