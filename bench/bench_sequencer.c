/* Statements of several parties through the sequencer: each verified, durable, with its receipt. Rate and times with 1, 64
 * and 512 in flight, beside what the machine can do at most: Ed25519 verification on all processors, and fdatasync of 4 KiB
 * in a preallocated file. Run it on the disk that the node will use: bench_sequencer [folder]. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "regime/node.h"
#include "regime/sequencer.h"

#define PARTIES 8
#define NOTES 130000
#define WARM_UP 2000
#define KEPT_EVERY 500 /* receipts that are verified afterwards */
#define KEPT_MAX (NOTES / KEPT_EVERY + 1)
#define LIMIT_SECONDS 2
#define SYNCS 2000
#define FLIGHT_MAX 512

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static void need_errno(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

/* ---- parties and their statements ---- */

static struct signer *parties[PARTIES];
static struct span notes[NOTES];

static void add_parties(struct node *n)
{
	need(node_begin(n));
	for (int i = 0; i < PARTIES; i++) {
		struct statement_writer w = { 0 };
		struct buffer key = BUFFER(64), note = BUFFER(STATEMENT_MAX);
		uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };
		struct appended out;
		struct hash id;
		char name[32];

		snprintf(name, sizeof(name), "party-%d.example", i);
		need(signer_new(span_of(name), &parties[i]));
		memcpy(bytes + 1, signer_verifier(parties[i])->public_key, KEY_PUBLIC_SIZE);
		base64_append(&key, bytes, sizeof(bytes));
		statement_begin(&w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), signer_verifier(parties[i]));
		statement_add(&w, "public-key", buffer_view(&key));
		statement_add(&w, "role", SPAN("researcher"));
		need(statement_end(&w, parties[i], &note, &id));
		need(node_add_statement(n, buffer_view(&note), &out));
		buffer_free(&key);
		buffer_free(&note);
		statement_writer_free(&w);
	}
	need(node_commit(n));
	need(node_publish(n));
}

static struct span make_note(struct node *n, size_t i, struct statement_writer *w, struct buffer *note)
{
	const struct signer *from = parties[i % PARTIES];
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = 1000 + i % 20000,
				       .sealed = true,
				       .hash = hash_bytes(&i, sizeof(i)) };
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(1 + i % 60000) };
	struct hash id;
	char *copy;

	statement_begin(w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(from));
	statement_add_to(w, &to);
	statement_add_time(w, "date", INT64_C(1795000000000) + (int64_t)i);
	statement_add(w, "class", SPAN("malicious-code/infected-system"));
	statement_add(w, "tlp", SPAN("AMBER"));
	statement_add_print(w, "events", "%zu", 1 + i % 50);
	statement_add_time(w, "first", INT64_C(1795000000000));
	statement_add_time(w, "last", INT64_C(1795003600000));
	statement_add(w, "table", SPAN("ripencc 2026-11-22"));
	statement_add(w, "table", SPAN("routes 2026-11-22T16:00:00Z"));
	statement_add(w, "table", SPAN("rpki 2026-11-22T20:45:00Z"));
	statement_add_body(w, &body);
	buffer_clear(note);
	need(statement_end(w, from, note, &id));
	copy = malloc(note->len);
	need_errno(copy != NULL, "malloc");
	memcpy(copy, note->at, note->len);
	return span_make(copy, note->len);
}

struct share {
	struct node *node;
	size_t from, step;
};

static void *make_share(void *context)
{
	const struct share *s = context;
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);

	for (size_t i = s->from; i < NOTES; i += s->step)
		notes[i] = make_note(s->node, i, &w, &note);
	statement_writer_free(&w);
	buffer_free(&note);
	return NULL;
}

/* ---- on all processors ---- */

#define THREADS_MAX 64

static size_t processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n < 1 ? 1 : n > THREADS_MAX ? THREADS_MAX : (size_t)n;
}

static void on_all(void *(*run)(void *), void *contexts, size_t size)
{
	pthread_t threads[THREADS_MAX];

	for (size_t i = 0; i < processors(); i++)
		need_errno(pthread_create(&threads[i], NULL, run, (char *)contexts + i * size) == 0, "thread");
	for (size_t i = 0; i < processors(); i++)
		pthread_join(threads[i], NULL);
}

static void make_notes(struct node *n)
{
	struct share shares[THREADS_MAX];
	uint64_t bytes = 0;

	for (size_t i = 0; i < processors(); i++)
		shares[i] = (struct share){ n, i, processors() };
	on_all(make_share, shares, sizeof(shares[0]));
	for (size_t i = 0; i < NOTES; i++)
		bytes += notes[i].len;
	printf("%d statements of %d parties, %" PRIu64 " bytes each, %zu processors\n", NOTES, PARTIES, bytes / NOTES,
	       processors());
}

/* ---- the limits ---- */

struct verifying {
	size_t from;
	uint64_t count;
};

static void *verify_for_a_while(void *context)
{
	struct verifying *v = context;
	struct arena *a = arena_new((size_t)1 << 20);
	int64_t end = clock_monotonic_us() + LIMIT_SECONDS * 1000000;

	for (size_t i = v->from; clock_monotonic_us() < end; i = (i + processors()) % NOTES, v->count++) {
		struct note n;

		arena_reset(a);
		need(note_parse(a, notes[i], &n));
		need(note_verify(&n, signer_verifier(parties[i % PARTIES]), 1, NULL));
	}
	arena_free(a);
	return NULL;
}

static double limit_of_verifying(void)
{
	struct verifying v[THREADS_MAX];
	uint64_t all = 0;

	for (size_t i = 0; i < processors(); i++)
		v[i] = (struct verifying){ i, 0 };
	on_all(verify_for_a_while, v, sizeof(v[0]));
	for (size_t i = 0; i < processors(); i++)
		all += v[i].count;
	printf("limit: Ed25519 verification on all processors %9.0f/s\n", (double)all / LIMIT_SECONDS);
	return (double)all / LIMIT_SECONDS;
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void limit_of_syncing(const char *folder)
{
	static int64_t took[SYNCS];
	static char page[4096];
	char path[512];
	int64_t begin;
	int fd;

	snprintf(path, sizeof(path), "%s/sync", folder);
	need_errno((fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)) != -1, path);
	for (size_t i = 0; i < 1024; i++)
		need_errno(pwrite(fd, page, sizeof(page), (off_t)(i * sizeof(page))) == sizeof(page), path);
	need_errno(fsync(fd) == 0, path);
	begin = clock_monotonic_us();
	for (size_t i = 0; i < SYNCS; i++) {
		int64_t before = clock_monotonic_us();

		page[0] = (char)i;
		need_errno(pwrite(fd, page, sizeof(page), (off_t)(i % 1024 * sizeof(page))) == sizeof(page), path);
		need_errno(fdatasync(fd) == 0, path);
		took[i] = clock_monotonic_us() - before;
	}
	begin = clock_monotonic_us() - begin;
	qsort(took, SYNCS, sizeof(took[0]), compare_times);
	printf("limit: fdatasync of preallocated 4 KiB       %9.0f/s  p50 %.3f  p99 %.3f ms\n",
	       SYNCS * 1e6 / (double)begin, (double)took[SYNCS / 2] / 1000, (double)took[SYNCS * 99 / 100] / 1000);
	close(fd);
}

/* ---- in flight ---- */

struct kept {
	struct span note;
	struct appended appended;
	char *receipt;
	size_t length;
};

static struct kept kept[KEPT_MAX];
static size_t kept_count;

static struct run {
	struct sequencer *sequencer;
	size_t next, end; /* of notes: touched on the sequencing thread only, once all are in flight */
	size_t flying;
	int64_t *took;
	size_t done;
	sem_t over;
} run;

struct flight {
	struct submission submission;
	int64_t offered_us;
};

static void keep(const struct submission *s)
{
	struct kept *k;

	if (kept_count == KEPT_MAX || run.done % KEPT_EVERY != 0)
		return;
	k = &kept[kept_count++];
	*k = (struct kept){ s->note, s->appended, malloc(s->receipt.len), s->receipt.len };
	need_errno(k->receipt != NULL, "malloc");
	memcpy(k->receipt, s->receipt.at, s->receipt.len);
}

static void take_off(struct flight *f)
{
	f->submission.note = notes[run.next++];
	f->offered_us = clock_monotonic_us();
	need(sequencer_offer(run.sequencer, &f->submission));
}

static void landed(struct submission *s)
{
	struct flight *f = s->context;

	if (s->err != OK) {
		fprintf(stderr, "%s: %s\n", err_code(s->err), s->detail);
		exit(EXIT_FAILURE);
	}
	run.took[run.done++] = clock_monotonic_us() - f->offered_us;
	keep(s);
	if (run.next < run.end)
		take_off(f);
	else if (--run.flying == 0)
		sem_post(&run.over);
}

/* All take off from the first landing's thread, so that nothing of `run` is shared. */
static void first_landed(struct submission *s)
{
	static struct flight flights[FLIGHT_MAX];
	size_t want = *(size_t *)s->context;

	for (size_t i = 0; i < want; i++) {
		flights[i].submission.done = landed;
		flights[i].submission.context = &flights[i];
		take_off(&flights[i]);
	}
}

/* On a machine that others use as well the processor's own time is the one to compare. */
struct spent {
	int64_t wall_us, cpu_us;
};

static struct spent since(struct spent begin)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (struct spent){ clock_monotonic_us() - begin.wall_us,
			       (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 - begin.cpu_us };
}

static double report(size_t flying, struct spent s)
{
	double rate = (double)run.done * 1e6 / (double)s.wall_us;

	qsort(run.took, run.done, sizeof(run.took[0]), compare_times);
	printf("comity, %3zu in flight, %6zu statements %9.0f/s  p50 %.3f  p99 %.3f  max %.3f ms  %.0f us of "
	       "processor\n",
	       flying, run.done, rate, (double)run.took[run.done / 2] / 1000,
	       (double)run.took[run.done * 99 / 100] / 1000, (double)run.took[run.done - 1] / 1000,
	       (double)s.cpu_us / (double)run.done);
	fflush(stdout);
	return rate;
}

/* One in flight as a caller sees it: a thread that waits. */
static double one_by_one(struct sequencer *q, size_t from, size_t count)
{
	struct arena *a = arena_new((size_t)1 << 20);
	struct spent begin = since((struct spent){ 0 });

	run = (struct run){ .took = calloc(count, sizeof(int64_t)) };
	for (size_t i = from; i < from + count; i++) {
		int64_t before = clock_monotonic_us();
		struct accepted out;

		arena_reset(a);
		need(sequencer_submit(q, notes[i], a, &out));
		run.took[run.done++] = clock_monotonic_us() - before;
	}
	begin = since(begin);
	arena_free(a);
	return report(1, begin);
}

static double many(struct sequencer *q, size_t flying, size_t from, size_t count)
{
	struct submission first = { .note = notes[from], .done = first_landed, .context = &flying };
	struct spent begin = since((struct spent){ 0 });

	run = (struct run){ .sequencer = q, .next = from + 1, .end = from + count, .flying = flying };
	run.took = calloc(count, sizeof(int64_t));
	need_errno(run.took != NULL, "calloc");
	sem_init(&run.over, 0, 0);
	need(sequencer_offer(q, &first));
	while (sem_wait(&run.over) == -1)
		;
	begin = since(begin);
	sem_destroy(&run.over);
	return report(flying, begin);
}

/* ---- afterwards ---- */

static void verify_receipts(struct node *n)
{
	struct arena *a = arena_new((size_t)1 << 20);

	for (size_t i = 0; i < kept_count; i++) {
		struct kept *k = &kept[i];
		struct buffer entry = BUFFER(2 * STATEMENT_MAX);
		struct receipt r;

		arena_reset(a);
		entry_print(k->appended.logged_ms, k->note, &entry);
		need(receipt_parse(a, span_make(k->receipt, k->length), &r));
		need(receipt_verify(a, &r, buffer_view(&entry), node_ledger_key(n, k->appended.ledger), NULL));
		buffer_free(&entry);
	}
	printf("%zu receipts of these verified\n", kept_count);
	arena_free(a);
}

static void measure(const char *folder, struct node *n)
{
	struct sequencer_options options = { 0 };
	struct sequencer *q = NULL;
	double limit, rate;
	int64_t begin;

	make_notes(n);
	limit = limit_of_verifying();
	limit_of_syncing(folder);
	need(sequencer_start(n, &options, &q));
	many(q, 64, 0, WARM_UP);
	one_by_one(q, WARM_UP, 4000);
	many(q, 64, WARM_UP + 4000, 30000);
	rate = many(q, 512, WARM_UP + 34000, NOTES - WARM_UP - 34000);
	printf("%-44s %9.0f %%\n", "512 in flight, of the limit of verification", 100 * rate / limit);
	begin = clock_monotonic_us();
	need(sequencer_stop(q));
	printf("%-44s %9.3f s\n", "stop, everything published", (double)(clock_monotonic_us() - begin) / 1e6);
	verify_receipts(n);
}

int main(int argc, char **argv)
{
	char parent[256], dir[300], command[400];
	struct node *n = NULL;

	snprintf(parent, sizeof(parent), "%s/bench-sequencer-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	need_errno(mkdtemp(parent) != NULL, parent);
	snprintf(dir, sizeof(dir), "%s/node", parent);
	need(node_init(dir, SPAN("cert.example"), SPAN("a node made to be measured")));
	need(node_open(dir, NODE_WRITE, &n));
	add_parties(n);
	measure(parent, n);
	node_close(n);
	snprintf(command, sizeof(command), "rm -r '%s'", parent);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
