/* What it costs to put every promise beside what the ledger shows: 200 parties with pledges, a million notices and answers.
 *
 *	bench_promises [STATEMENTS [FOLDER]]
 *
 * The fold alone, without journal and signatures' check. Beside it the limit of the machine: reading all matters one after the other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/encoding.h"
#include "regime/promises.h"
#include "regime/standing.h"

#define STATEMENTS 1000000
#define PARTIES 200
#define REPORTERS 10
#define BEGIN_MS INT64_C(1735689600000)
#define YEARS_MS (5 * INT64_C(365) * 86400000)

struct world {
	struct views *views;
	struct state st;
	struct signer *parties[PARTIES], *reporters[REPORTERS], *node;
	uint64_t size[LEDGER_COUNT];
	int64_t now_ms;
};

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

/* The processor's own time: on a machine that others use as well it is the one to compare. */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct hash fold(struct world *w, struct statement_writer *writer, const struct signer *from, enum ledger_id l)
{
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct statement s;
	struct hash id;

	need(statement_end(writer, from, &note, &id));
	arena_reset(w->st.arena);
	need(statement_parse(w->st.arena, buffer_view(&note), &s));
	w->st.ledger = l;
	w->st.index = w->size[l]++;
	w->st.logged_ms = w->now_ms;
	need(state_fold(&w->st, &s));
	need(w->st.effective ? OK : fail(ERR_USAGE, "%s: folded to nothing", kind_name(s.kind)));
	buffer_free(&note);
	return id;
}

static void fold_party(struct world *w, const char *name, const char *role, struct signer **out)
{
	struct statement_writer writer = { 0 };
	struct buffer key = BUFFER(64);
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };

	need(signer_new(span_of(name), out));
	memcpy(bytes + 1, signer_verifier(*out)->public_key, KEY_PUBLIC_SIZE);
	base64_append(&key, bytes, sizeof(bytes));
	statement_begin(&writer, KIND_PARTY, SPAN("cert.example/public"), signer_verifier(*out));
	statement_add(&writer, "public-key", buffer_view(&key));
	statement_add(&writer, "role", span_of(role));
	fold(w, &writer, *out, LEDGER_PUBLIC);
	buffer_free(&key);
	statement_writer_free(&writer);
}

static void fold_pledge(struct world *w, const struct signer *from, const char *norm, const char *const *terms)
{
	struct statement_writer writer = { 0 };

	statement_begin(&writer, KIND_PLEDGE, SPAN("cert.example/public"), signer_verifier(from));
	statement_add(&writer, "norm", span_of(norm));
	for (; *terms != NULL; terms++)
		statement_add(&writer, "term", span_of(*terms));
	fold(w, &writer, from, LEDGER_PUBLIC);
	statement_writer_free(&writer);
}

static const char *const answers[] = { "swift acknowledged at-least 90% within 2d each 30d",
				       "mend fixed at-least 50% within 14d each 30d",
				       "half acknowledge-p50 at-most 1d each 7d",
				       "again re-offence at-most 10% each 90d", NULL };
static const char *const plans[] = { "ahead plan-explained at-least 50% each 30d",
				     "close plan-overdue at-most 10% each 90d", NULL };
static const char *const reports[] = { "right false-notices at-most 5% each 30d", NULL };

static void fold_promises(struct world *w)
{
	struct statement_writer writer = { 0 };

	statement_begin(&writer, KIND_RULES, SPAN("cert.example/public"), signer_verifier(w->node));
	statement_add(&writer, "version", SPAN("3"));
	fold(w, &writer, w->node, LEDGER_PUBLIC);
	statement_writer_free(&writer);
	for (int i = 0; i < PARTIES; i++) {
		fold_pledge(w, w->parties[i], "un 2015 c", answers);
		fold_pledge(w, w->parties[i], "osce 2016 3", plans);
	}
	for (int i = 0; i < REPORTERS; i++)
		fold_pledge(w, w->reporters[i], "un 2015 b", reports);
}

static struct hash fold_notice(struct world *w, struct statement_writer *writer, uint64_t i, uint64_t party)
{
	static const char *const classes[] = { "malicious-code/infected-system", "information-gathering/scanner",
					       "malicious-code/c2-server" };
	const struct signer *from = w->reporters[i % REPORTERS];
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = 1000,
				       .sealed = true,
				       .hash = hash_bytes(&i, sizeof(i)) };

	statement_begin(writer, KIND_NOTICE, SPAN("cert.example/circle"), signer_verifier(from));
	statement_add(writer, "to", span_of(signer_verifier(w->parties[party])->name));
	statement_add_time(writer, "date", w->now_ms);
	statement_add(writer, "class", span_of(classes[i / 7 % 3]));
	statement_add_print(writer, "events", "%" PRIu64, 1 + i % 50);
	statement_add_body(writer, &body);
	return fold(w, writer, from, LEDGER_CIRCLE);
}

static void fold_answer(struct world *w, struct statement_writer *writer, struct hash re, uint64_t party,
			const char *outcome)
{
	const struct signer *from = w->parties[party];

	statement_begin(writer, KIND_ANSWER, SPAN("cert.example/circle"), signer_verifier(from));
	statement_add_time(writer, "date", w->now_ms);
	statement_add_hash(writer, "re", re);
	statement_add(writer, "outcome", span_of(outcome));
	fold(w, writer, from, LEDGER_CIRCLE);
}

/* Each second statement answers a notice of a while before. */
static void fold_years(struct world *w, uint64_t statements)
{
	enum { BEFORE = 512 };
	struct statement_writer writer = { 0 };
	struct hash told[BEFORE] = { 0 };
	uint64_t to[BEFORE] = { 0 };

	for (uint64_t i = 0; i < statements / 2; i++) {
		uint64_t at = i % BEFORE;

		w->now_ms = BEGIN_MS + (int64_t)((double)i / ((double)statements / 2) * (double)YEARS_MS);
		if (i >= BEFORE)
			fold_answer(w, &writer, told[at], to[at], i % 3 == 0 ? "fixed" : "acknowledged");
		to[at] = i * UINT64_C(0x9e3779b97f4a7c15) % PARTIES;
		told[at] = fold_notice(w, &writer, i, to[at]);
		if (i % 50000 == 0) {
			need(snapshot_commit(w->st.snapshot));
			need(views_write(w->views, &w->st.snapshot));
		}
	}
	statement_writer_free(&writer);
	need(snapshot_commit(w->st.snapshot));
	need(views_read(w->views, &w->st.snapshot));
}

/* ---- what is measured ---- */

static enum err count(void *context, const struct matter *m)
{
	(void)m;
	return ++*(uint64_t *)context == 0 ? ERR_EXISTS : OK;
}

struct all {
	const struct state *st;
	struct promises_ask ask;
	uint64_t parties, bytes;
	struct buffer line;
};

static enum err print(void *context, struct span name)
{
	struct all *a = context;
	bool empty;
	enum err e;

	buffer_clear(&a->line);
	e = promises_print(a->st, name, &a->ask, &a->line, &empty);
	a->parties++;
	a->bytes += a->line.len;
	return e;
}

static enum err take(void *context, const struct standing *s)
{
	struct all *a = context;

	buffer_clear(&a->line);
	standing_print(s, NULL, &a->line);
	return a->line.err;
}

static void measure(const struct world *w)
{
	struct all a = { .st = &w->st, .line = BUFFER((size_t)1 << 26) };
	struct standing_ask ask = { 0 };
	uint64_t matters = 0;
	double start = now(), reading, promises;

	need(state_matters(&w->st, LEDGER_CIRCLE, KIND_NOTICE, 0, count, &matters));
	reading = now() - start;
	start = now();
	need(promises_shared_new(&a.ask.shared));
	need(promises_parties(&w->st, false, print, &a));
	promises = now() - start;
	printf("promises of %" PRIu64 " parties, printed, %" PRIu64
	       " notices %8.2f s, %.1f MB; reading the matters: %.2f s\n",
	       a.parties, matters, promises, (double)a.bytes / 1e6, reading);
	start = now();
	need(standing_all(&w->st, &ask, SPAN(""), take, &a));
	printf("and the standing of all %8.2f s: together %.2f s (limit 5 s)\n", now() - start,
	       promises + now() - start);
	promises_shared_free(a.ask.shared);
	buffer_free(&a.line);
}

int main(int argc, char **argv)
{
	struct world w = { .st = { .node = SPAN("cert.example") }, .now_ms = BEGIN_MS };
	char folder[] = "/tmp/comity-bench-XXXXXX", name[32], command[64];
	const char *at = argc > 2 ? argv[2] : mkdtemp(folder);
	uint64_t all = STATEMENTS;
	double start;

	if (at == NULL || (argc > 1 && span_u64(span_of(argv[1]), 100 * STATEMENTS, &all) != OK)) {
		fputs("usage: bench_promises [STATEMENTS [FOLDER]]\n", stderr);
		return 2;
	}
	need((w.st.arena = arena_new((size_t)1 << 24)) != NULL ? OK : ERR_NO_MEMORY);
	need(views_open(at, true, &w.views));
	need(views_write(w.views, &w.st.snapshot));
	fold_party(&w, "cert.example", "node", &w.node);
	for (int i = 0; i < REPORTERS; i++) {
		snprintf(name, sizeof(name), "reporter-%d.example", i);
		fold_party(&w, name, "researcher", &w.reporters[i]);
	}
	for (int i = 0; i < PARTIES; i++) {
		snprintf(name, sizeof(name), "party-%d.example", i);
		fold_party(&w, name, "operator", &w.parties[i]);
	}
	fold_promises(&w);
	start = now();
	fold_years(&w, all);
	printf("%-44s %10.2f us each\n", "made, signed, parsed, folded", (now() - start) * 1e6 / (double)all);
	measure(&w);
	snapshot_end(w.st.snapshot);
	views_close(w.views);
	for (int i = 0; i < REPORTERS; i++)
		signer_free(w.reporters[i]);
	for (int i = 0; i < PARTIES; i++)
		signer_free(w.parties[i]);
	signer_free(w.node);
	arena_free(w.st.arena);
	if (at == folder) {
		snprintf(command, sizeof(command), "rm -r %s", folder);
		return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
