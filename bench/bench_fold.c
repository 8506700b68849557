/* How fast the state is made anew from a ledger of 200 parties, 500 agreements and a million statements (history.h), and what is
 * asked of it then.
 *
 *	bench_fold [FOLDER [STATEMENTS]]	a fresh node in FOLDER (default /tmp), removed at the end
 *	bench_fold NODE				one that such a run left behind, left as it is (its views are made anew)
 *
 * The rebuild is split by where the processor's time goes: parsing, checking and folding, the views beside the state, LMDB, the
 * journal. The linker puts marks before the functions where that changes (--wrap), and a timer that runs by the processor's time looks
 * at the mark; so the marks cost nothing, and what others do on the machine changes no share. Signatures are not verified in a rebuild. */
#include <inttypes.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "history.h"
#include "ledger/entry.h"
#include "regime/node_private.h"
#include "regime/promises.h"
#include "regime/standing.h"
#include "regime/state.h"

#define STATEMENTS 1000000
#define PARTIES 200
#define AGREEMENTS 500
#define BATCH 2000

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

/* ---- where the time goes ---- */

enum where { ELSEWHERE, PARSING, FOLDING, VIEWS, IN_LMDB, WHERE_COUNT };
static volatile sig_atomic_t where;
static volatile sig_atomic_t samples[WHERE_COUNT];

static void look(int signal)
{
	(void)signal;
	samples[where]++;
}

#define MARK(type, name, place, parameters, arguments)                                                                 \
	type __real_##name parameters;                                                                                 \
	type __wrap_##name parameters;                                                                                 \
	type __wrap_##name parameters                                                                                  \
	{                                                                                                              \
		sig_atomic_t before = where;                                                                           \
		type result;                                                                                           \
                                                                                                                       \
		where = place;                                                                                         \
		result = __real_##name arguments;                                                                      \
		where = before;                                                                                        \
		return result;                                                                                         \
	}

MARK(int, mdb_get, IN_LMDB, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
MARK(int, mdb_put, IN_LMDB, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v, unsigned f), (t, d, k, v, f))
MARK(int, mdb_del, IN_LMDB, (MDB_txn * t, MDB_dbi d, MDB_val *k, MDB_val *v), (t, d, k, v))
MARK(int, mdb_cursor_open, IN_LMDB, (MDB_txn * t, MDB_dbi d, MDB_cursor **c), (t, d, c))
MARK(int, mdb_cursor_get, IN_LMDB, (MDB_cursor * c, MDB_val *k, MDB_val *v, MDB_cursor_op o), (c, k, v, o))
MARK(int, mdb_cursor_put, IN_LMDB, (MDB_cursor * c, MDB_val *k, MDB_val *v, unsigned f), (c, k, v, f))
MARK(int, mdb_cursor_del, IN_LMDB, (MDB_cursor * c, unsigned f), (c, f))
MARK(int, mdb_txn_commit, IN_LMDB, (MDB_txn * t), (t))
MARK(enum err, entry_parse, PARSING, (struct span text, struct entry *out), (text, out))
MARK(enum err, statement_parse, PARSING, (struct arena * a, struct span note, struct statement *out), (a, note, out))
MARK(enum err, state_fold, FOLDING, (struct state * st, const struct statement *s), (st, s))
MARK(enum err, feeds_enter, VIEWS, (const struct state *st, const struct statement *s, uint64_t stamp), (st, s, stamp))
MARK(enum err, outbox_enter, VIEWS, (struct state * st, const struct statement *s), (st, s))

static void watch(bool on)
{
	struct itimerval every = { { 0, on ? 1000 : 0 }, { 0, on ? 1000 : 0 } };
	struct sigaction act = { .sa_handler = look, .sa_flags = SA_RESTART };

	if (on)
		memset((void *)(uintptr_t)samples, 0, sizeof(samples));
	sigaction(SIGPROF, &act, NULL);
	setitimer(ITIMER_PROF, &every, NULL);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- what is measured ---- */

/* Of another make of the views they are made anew here. */
static void bring_up(const char *dir)
{
	struct node *n = NULL;

	need(node_open(dir, NODE_WRITE, &n));
	node_close(n);
}

static uint64_t entries_of(const char *dir)
{
	struct node *n = NULL;
	struct state st;
	struct heads h;
	struct arena *a = arena_new((size_t)1 << 20);

	need(a != NULL ? OK : ERR_NO_MEMORY);
	need(node_open(dir, NODE_READ, &n));
	need(node_read(n, a, &st));
	need(heads_get(st.snapshot, &h));
	snapshot_end(st.snapshot);
	node_close(n);
	arena_free(a);
	return h.size[LEDGER_PUBLIC] + h.size[LEDGER_CIRCLE];
}

static void digests(const char *dir, struct hash *state, struct hash *views)
{
	struct node *n = NULL;
	struct state st;
	struct arena *a = arena_new((size_t)1 << 20);

	need(a != NULL ? OK : ERR_NO_MEMORY);
	need(node_open(dir, NODE_READ, &n));
	need(node_read(n, a, &st));
	need(state_digest(&st, state));
	need(views_digest(st.snapshot, views));
	snapshot_end(st.snapshot);
	node_close(n);
	arena_free(a);
}

static void say(const char *what, double share, double seconds, uint64_t entries)
{
	printf("  %-44s %5.1f %%  %6.2f us each\n", what, 100 * share, share * seconds * 1e6 / (double)entries);
}

static void rebuild(const char *dir, uint64_t entries)
{
	static const char *const names[WHERE_COUNT] = { "journal, and what is left", "parsing", "checking and folding",
							"views beside the state", "LMDB" };
	struct node *n = NULL;
	double begin, all = 0, spent, pure;
	char path[512];

	snprintf(path, sizeof(path), "%s/views", dir);
	need(views_destroy(path));
	watch(true);
	begin = now();
	need(node_open(dir, NODE_WRITE, &n));
	spent = now() - begin;
	watch(false);
	for (int i = 0; i < WHERE_COUNT; i++)
		all += samples[i];
	printf("all views made anew: %.2f s of processor, %.0f statements/s, of which\n", spent,
	       (double)entries / spent);
	for (int i = 0; i < WHERE_COUNT; i++)
		say(names[i], samples[i] / all, spent, entries);
	pure = (samples[PARSING] + samples[FOLDING]) / all * spent;
	printf("%-46s %10.0f statements/s  (wanted: 200,000)\n", "the fold, signatures and views aside",
	       (double)entries / pure);
	node_close(n);
}

/* ---- what is asked of it ---- */

struct asked {
	const struct state *st;
	struct promises_ask ask;
	struct buffer line;
	struct hash *ids;
	uint64_t parties, notices, bytes, agreements, room;
};

static enum err count_matter(void *context, const struct matter *m)
{
	(void)m;
	++*(uint64_t *)context;
	return OK;
}

static enum err take_standing(void *context, const struct standing *s)
{
	struct asked *a = context;

	a->parties++;
	a->notices += s->notices;
	buffer_clear(&a->line);
	standing_print(s, NULL, &a->line);
	a->bytes += a->line.len;
	return a->line.err;
}

static enum err take_promises(void *context, struct span name)
{
	struct asked *a = context;
	bool empty = false;

	a->parties++;
	buffer_clear(&a->line);
	need(promises_print(a->st, name, &a->ask, &a->line, &empty));
	a->bytes += a->line.len;
	return a->line.err;
}

static enum err take_agreement(void *context, const struct agreement *g)
{
	struct asked *a = context;

	if (a->agreements == a->room)
		return fail(ERR_TOO_LONG, "agreements");
	a->ids[a->agreements++] = g->id;
	return OK;
}

static void ask_agreements(struct asked *a, struct arena *arena)
{
	struct agreement g;
	double begin, longest = 0, all = 0;

	a->room = 4 * (uint64_t)AGREEMENTS;
	a->ids = calloc(a->room, sizeof(*a->ids));
	need(a->ids != NULL ? OK : ERR_NO_MEMORY);
	need(state_agreements(a->st, SPAN(""), take_agreement, a));
	for (uint64_t i = 0; i < a->agreements; i++) {
		arena_reset(arena);
		begin = now();
		need(state_agreement(a->st, a->ids[i], &g));
		begin = now() - begin;
		all += begin;
		longest = begin > longest ? begin : longest;
	}
	if (a->agreements > 0)
		printf("%-46s %10.3f ms each, %.3f ms at most, of %" PRIu64 "  (wanted: under 1 ms)\n",
		       "one agreement's state", 1e3 * all / (double)a->agreements, 1e3 * longest, a->agreements);
	free(a->ids);
}

static void ask(const char *dir)
{
	struct node *n = NULL;
	struct state st;
	struct standing_ask how = { 0 };
	struct arena *arena = arena_new((size_t)1 << 30);
	struct asked a = { .st = &st, .line = BUFFER((size_t)64 << 20) };
	uint64_t matters = 0;
	double begin;

	need(arena != NULL ? OK : ERR_NO_MEMORY);
	need(node_open(dir, NODE_READ, &n));
	need(node_read(n, arena, &st));
	begin = now();
	need(state_matters(&st, LEDGER_CIRCLE, KIND_NOTICE, 0, count_matter, &matters));
	printf("%-46s %10.2f s, %" PRIu64 " notices\n", "reading the matters alone", now() - begin, matters);
	begin = now();
	need(standing_all(&st, &how, SPAN(""), take_standing, &a));
	printf("%-46s %10.2f s, %" PRIu64 " parties, %" PRIu64 " notices  (wanted: under 5 s)\n",
	       "standing of all, printed", now() - begin, a.parties, a.notices);
	a.parties = 0;
	need(promises_shared_new(&a.ask.shared));
	begin = now();
	need(promises_parties(&st, false, take_promises, &a));
	printf("%-46s %10.2f s, %" PRIu64 " parties  (wanted: under 5 s)\n", "promises of all, printed", now() - begin,
	       a.parties);
	promises_shared_free(a.ask.shared);
	ask_agreements(&a, arena);
	buffer_free(&a.line);
	snapshot_end(st.snapshot);
	node_close(n);
	arena_free(arena);
}

static void measure(const char *dir)
{
	uint64_t entries;
	struct hash state[2], views[2];
	char hex[HASH_HEX + 1];

	bring_up(dir);
	entries = entries_of(dir);
	digests(dir, &state[0], &views[0]);
	rebuild(dir, entries);
	digests(dir, &state[1], &views[1]);
	hash_hex(state[1], hex);
	printf("%" PRIu64 " entries, state %s\n", entries, hex);
	if (!hash_equal(state[0], state[1]) || !hash_equal(views[0], views[1])) {
		fputs("the rebuild came to other bytes\n", stderr);
		exit(EXIT_FAILURE);
	}
	ask(dir);
}

static void make(const char *dir, uint64_t statements)
{
	struct history_size size = { PARTIES, AGREEMENTS, statements, 5, 7 };
	struct history_way way = { .batch = BATCH, .unverified = true };
	struct history_count count;
	double begin = now();

	need(history_begin(dir));
	need(history_play(dir, &size, &way, &count));
	printf("made and signed in %.1f s:", now() - begin);
	for (int k = 0; k < KIND_COUNT; k++)
		if (count.logged[k] > 0)
			printf(" %s %" PRIu64, kind_name((enum kind)k), count.logged[k]);
	printf("\n");
}

int main(int argc, char **argv)
{
	uint64_t statements = STATEMENTS;
	char parent[256], dir[300], command[400];

	if (argc > 2)
		need(span_u64(span_of(argv[2]), UINT32_MAX, &statements));
	snprintf(dir, sizeof(dir), "%s/node", argc > 1 ? argv[1] : "/tmp");
	if (argc > 1 && file_exists(dir)) {
		measure(argv[1]);
		return EXIT_SUCCESS;
	}
	snprintf(parent, sizeof(parent), "%s/bench-fold-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(parent) == NULL) {
		perror(parent);
		return EXIT_FAILURE;
	}
	snprintf(dir, sizeof(dir), "%s/node", parent);
	make(dir, statements);
	measure(dir);
	snprintf(command, sizeof(command), "rm -r '%s'", parent);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
