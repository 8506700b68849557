/* What clocks and standing cost when a million matters are open: the scan for what is due with 1,000 open and with all of them,
 * standing of one party, of a party with 10,000 notices, of all. The fold alone, without journal and signatures' check:
 *
 *	bench_standing [MATTERS [FOLDER]]
 *
 * Beside them the limit of the machine: reading all matters one after the other. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/encoding.h"
#include "regime/standing.h"
#include "regime/state.h"

#define MATTERS 1000000
#define FEW 1000
#define PARTIES 100000
#define OFTEN 100 /* each so-many-th notice goes to one and the same party */
#define REPORTERS 10
#define BEGIN_MS INT64_C(1735689600000)
#define STEP_MS 20000
#define ROUNDS 1000

struct world {
	struct views *views;
	struct state st;
	struct signer *reporters[REPORTERS];
	uint64_t size[LEDGER_COUNT];
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

static void fold(struct world *w, struct statement_writer *writer, const struct signer *from, enum ledger_id l,
		 int64_t ms)
{
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct statement s;
	struct hash id;

	need(statement_end(writer, from, &note, &id));
	arena_reset(w->st.arena);
	need(statement_parse(w->st.arena, buffer_view(&note), &s));
	w->st.ledger = l;
	w->st.index = w->size[l]++;
	w->st.logged_ms = ms;
	need(state_fold(&w->st, &s));
	buffer_free(&note);
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
	fold(w, &writer, *out, LEDGER_PUBLIC, 1000);
	buffer_free(&key);
	statement_writer_free(&writer);
}

static int64_t logged_of(uint64_t i)
{
	return BEGIN_MS + (int64_t)i * STEP_MS;
}

static void fold_notice(struct world *w, struct statement_writer *writer, uint64_t i)
{
	const struct signer *from = w->reporters[i % REPORTERS];
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = 1000,
				       .sealed = true,
				       .hash = hash_bytes(&i, sizeof(i)) };
	uint64_t party = i % OFTEN == 0 ? 0 : i * UINT64_C(0x9e3779b97f4a7c15) % PARTIES;

	statement_begin(writer, KIND_NOTICE, SPAN("cert.example/circle"), signer_verifier(from));
	statement_add_print(writer, "to", "party-%" PRIu64 ".example", party);
	statement_add_time(writer, "date", logged_of(i));
	statement_add(writer, "class", SPAN("malicious-code/infected-system"));
	statement_add_print(writer, "events", "%" PRIu64, 1 + i % 50);
	statement_add_time(writer, "first", logged_of(i) - 3600000);
	statement_add_time(writer, "last", logged_of(i) - 60000);
	statement_add_body(writer, &body);
	fold(w, writer, from, LEDGER_CIRCLE, logged_of(i));
}

static void fold_until(struct world *w, uint64_t *i, uint64_t end)
{
	struct statement_writer writer = { 0 };

	for (; *i < end; (*i)++)
		fold_notice(w, &writer, *i);
	statement_writer_free(&writer);
	need(snapshot_commit(w->st.snapshot));
	need(views_write(w->views, &w->st.snapshot));
}

/* ---- what is measured ---- */

static enum err count(void *context, const struct matter *m)
{
	(void)m;
	return ++*(uint64_t *)context == 0 ? ERR_EXISTS : OK;
}

/* At the time when the first ten are due, as the server does it every few seconds. */
static void due_scan(const struct world *w, uint64_t open)
{
	int64_t at_ms = logged_of(10) + (int64_t)class_due_days(CLASS_INFECTED_SYSTEM) * 86400000, next_ms = 0;
	uint64_t found = 0;
	double start = now();

	for (int i = 0; i < ROUNDS; i++) {
		need(state_next_due(&w->st, &next_ms));
		need(state_due(&w->st, at_ms, count, &found));
	}
	printf("%-44s %10.2f us each, %" PRIu64 " found\n",
	       open == FEW ? "what is due, of 1,000 that are open" : "what is due, of all that are open",
	       (now() - start) * 1e6 / ROUNDS, found / ROUNDS);
}

static void standing_one(const struct world *w, const char *name, int rounds)
{
	struct addressee party = { .type = TO_PARTY, .domain = span_of(name) };
	struct standing_ask ask = { 0 };
	struct standing *s = malloc(sizeof(*s));
	double start = now();

	need(s != NULL ? OK : ERR_NO_MEMORY);
	for (int i = 0; i < rounds; i++)
		need(standing_of(&w->st, &party, &ask, s));
	printf("standing of %-20s %6" PRIu64 " notices %8.3f ms (limit 50 ms)\n", name, s->notices,
	       (now() - start) * 1e3 / rounds);
	free(s);
}

struct all {
	uint64_t parties, notices, bytes;
	struct buffer line;
};

static enum err take(void *context, const struct standing *s)
{
	struct all *a = context;

	a->parties++;
	a->notices += s->notices;
	buffer_clear(&a->line);
	standing_print(s, NULL, &a->line);
	a->bytes += a->line.len;
	return a->line.err;
}

static void standing_everybody(const struct world *w)
{
	struct all a = { .line = BUFFER((size_t)1 << 20) };
	struct standing_ask ask = { 0 };
	uint64_t matters = 0;
	double start = now(), reading;

	need(state_matters(&w->st, LEDGER_CIRCLE, KIND_NOTICE, 0, count, &matters));
	reading = now() - start;
	start = now();
	need(standing_all(&w->st, &ask, SPAN(""), take, &a));
	printf("standing of all %" PRIu64 " parties, printed, %" PRIu64
	       " notices %8.2f s (limit 5 s); reading the matters: %.2f s\n",
	       a.parties, a.notices, now() - start, reading);
	buffer_free(&a.line);
}

int main(int argc, char **argv)
{
	struct world w = { .st = { .node = SPAN("cert.example") } };
	struct signer *node;
	char folder[] = "/tmp/comity-bench-XXXXXX", name[32], command[64];
	const char *at = argc > 2 ? argv[2] : mkdtemp(folder);
	uint64_t all = MATTERS, i = 0;
	double start;

	if (at == NULL || (argc > 1 && span_u64(span_of(argv[1]), 100 * MATTERS, &all) != OK)) {
		fputs("usage: bench_standing [MATTERS [FOLDER]]\n", stderr);
		return 2;
	}
	need((w.st.arena = arena_new((size_t)1 << 24)) != NULL ? OK : ERR_NO_MEMORY);
	need(views_open(at, true, &w.views));
	need(views_write(w.views, &w.st.snapshot));
	fold_party(&w, "cert.example", "node", &node);
	for (int r = 0; r < REPORTERS; r++) {
		snprintf(name, sizeof(name), "reporter-%d.example", r);
		fold_party(&w, name, "researcher", &w.reporters[r]);
	}
	fold_until(&w, &i, FEW);
	due_scan(&w, FEW);
	start = now();
	while (i < all)
		fold_until(&w, &i, i + 50000 < all ? i + 50000 : all);
	printf("%-44s %10.2f us each\n", "made, signed, parsed, folded", (now() - start) * 1e6 / (double)(all - FEW));
	due_scan(&w, all);
	standing_one(&w, "party-77777.example", 100);
	standing_one(&w, "party-0.example", 10);
	standing_one(&w, "reporter-1.example", 3);
	standing_everybody(&w);
	snapshot_end(w.st.snapshot);
	views_close(w.views);
	for (int r = 0; r < REPORTERS; r++)
		signer_free(w.reporters[r]);
	signer_free(node);
	arena_free(w.st.arena);
	if (at == folder) {
		snprintf(command, sizeof(command), "rm -r %s", folder);
		return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
