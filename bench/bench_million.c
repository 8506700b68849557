/* A node of a million entries: how long it takes to audit, to make the views anew, to start. Nine of ten entries are notices
 * of its own with a body each, one is another party's. Beside the limits: reading the journal with its checksums, and
 * Ed25519 verification on all processors.
 *
 *	bench_million [FOLDER [ENTRIES]]	a fresh node in FOLDER (default /tmp), removed at the end
 *	bench_million NODE			a node that such a run left behind, left as it is (its views are made anew)
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/file.h"
#include "ledger/entry.h"
#include "regime/node.h"

#define ENTRIES 1000000
#define BATCH 10000
#define PAYLOAD 200
#define THREADS_MAX 64
#define LIMIT_SECONDS 2

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

struct spent {
	double wall, cpu;
};

static struct spent now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (struct spent){ (double)clock_monotonic_us() / 1e6, (double)t.tv_sec + (double)t.tv_nsec / 1e9 };
}

static struct spent since(struct spent b)
{
	struct spent e = now();

	return (struct spent){ e.wall - b.wall, e.cpu - b.cpu };
}

static void say(const char *what, double count, struct spent s, const char *wanted)
{
	printf("%-34s %8.3f s %10.0f/s  %6.2f us of processor each  %s\n", what, s.wall, count / s.wall,
	       s.cpu * 1e6 / count, wanted);
	fflush(stdout);
}

/* ---- the node ---- */

static void add_own(struct node *n, struct statement_writer *w, size_t i)
{
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = PAYLOAD,
				       .sealed = true };
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(1 + i % 60000) };
	uint8_t salt[SEAL_SALT_SIZE] = { 0 }, payload[PAYLOAD];
	struct span part = span_make(payload, PAYLOAD);
	struct appended out;

	memcpy(salt, &i, sizeof(i));
	for (size_t k = 0; k < PAYLOAD; k++)
		payload[k] = (uint8_t)(i * 31 + k * 7);
	body.hash = seal_commitment(node_name(n), SPAN(""), body.media_type, salt, part);
	need(node_add_body(n, &body, salt, &part, 1));
	statement_begin(w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_to(w, &to);
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "class", SPAN("malicious-code/infected-system"));
	statement_add(w, "tlp", SPAN("AMBER"));
	statement_add_print(w, "events", "%zu", 1 + i % 50);
	statement_add_time(w, "first", INT64_C(1795000000000));
	statement_add_time(w, "last", INT64_C(1795003600000));
	statement_add(w, "table", SPAN("ripencc 2026-11-22"));
	statement_add_body(w, &body);
	need(node_add_own(n, w, &out));
}

/* Another's, whose body is elsewhere. */
static void add_other(struct node *n, struct statement_writer *w, const struct signer *from, size_t i)
{
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = 1000,
				       .sealed = true,
				       .hash = hash_bytes(&i, sizeof(i)) };
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(1 + i % 60000) };
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct appended out;
	struct hash id;

	statement_begin(w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(from));
	statement_add_to(w, &to);
	statement_add(w, "class", SPAN("vulnerable/weak-crypto"));
	statement_add(w, "events", SPAN("1"));
	statement_add_body(w, &body);
	need(statement_end(w, from, &note, &id));
	need(node_add_statement(n, buffer_view(&note), &out));
	buffer_free(&note);
}

static struct signer *add_party(struct node *n)
{
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };
	struct buffer key = BUFFER(64), note = BUFFER(STATEMENT_MAX);
	struct statement_writer w = { 0 };
	struct signer *s = NULL;
	struct appended out;
	struct hash id;

	need(signer_new(SPAN("team.example"), &s));
	memcpy(bytes + 1, signer_verifier(s)->public_key, KEY_PUBLIC_SIZE);
	base64_append(&key, bytes, sizeof(bytes));
	statement_begin(&w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), signer_verifier(s));
	statement_add(&w, "public-key", buffer_view(&key));
	statement_add(&w, "role", SPAN("response-team"));
	need(statement_end(&w, s, &note, &id));
	need(node_begin(n));
	need(node_add_statement(n, buffer_view(&note), &out));
	need(node_commit(n));
	buffer_free(&key);
	buffer_free(&note);
	statement_writer_free(&w);
	return s;
}

static void make(const char *dir, size_t entries)
{
	struct statement_writer w = { 0 };
	struct node *n = NULL;
	struct signer *other;
	struct spent begin = now();

	need(node_init(dir, SPAN("cert.example"), SPAN("a node made to be measured")));
	need(node_open(dir, NODE_WRITE, &n));
	other = add_party(n);
	for (size_t i = 0; i < entries;) {
		need(node_begin(n));
		for (size_t end = i + BATCH; i < end && i < entries; i++)
			if (i % 10 == 9)
				add_other(n, &w, other, i);
			else
				add_own(n, &w, i);
		need(node_commit(n));
		need(node_publish(n));
	}
	statement_writer_free(&w);
	signer_free(other);
	node_close(n);
	say("make it: sign, commit, publish", (double)entries, since(begin), "");
}

/* ---- the limits ---- */

static struct arena *sample_arena;
static struct span sample;
static struct verifier sample_key;

struct verifying {
	pthread_t thread;
	uint64_t count;
};

static void *verify_for_a_while(void *context)
{
	struct verifying *v = context;
	struct arena *a = arena_new((size_t)1 << 20);
	int64_t end = clock_monotonic_us() + LIMIT_SECONDS * 1000000;

	for (; clock_monotonic_us() < end; v->count++) {
		struct note n;

		arena_reset(a);
		need(note_parse(a, sample, &n));
		need(note_verify(&n, &sample_key, 1, NULL));
	}
	arena_free(a);
	return NULL;
}

static void limit_of_verifying(const char *dir)
{
	struct verifying v[THREADS_MAX] = { 0 };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = processors < 1 ? 1 : processors > THREADS_MAX ? THREADS_MAX : (size_t)processors;
	struct node *n = NULL;
	struct party p;
	struct state st;
	struct entry entry;
	struct span text;
	double all = 0;

	sample_arena = arena_new((size_t)1 << 20);
	need(node_open(dir, NODE_READ, &n));
	need(node_entry(n, sample_arena, LEDGER_CIRCLE, 0, &text));
	need(entry_parse(text, &entry));
	sample = entry.note;
	need(node_read(n, sample_arena, &st));
	need(state_party(&st, node_name(n), &p));
	sample_key = p.key;
	snapshot_end(st.snapshot);
	node_close(n);
	for (size_t i = 0; i < count; i++)
		need(pthread_create(&v[i].thread, NULL, verify_for_a_while, &v[i]) == 0 ? OK : ERR_NO_MEMORY);
	for (size_t i = 0; i < count; i++) {
		pthread_join(v[i].thread, NULL);
		all += (double)v[i].count;
	}
	printf("limit: Ed25519 verification on all processors %.0f/s\n", all / LIMIT_SECONDS);
	arena_free(sample_arena);
}

struct counting {
	uint64_t entries, records, bytes;
};

static enum err count_record(void *context, const struct record *r)
{
	struct counting *c = context;

	c->entries += r->kind == RECORD_ENTRY;
	c->records++;
	c->bytes += r->payload.len;
	return OK;
}

static uint64_t limit_of_reading(const char *dir)
{
	struct counting c = { 0 };
	struct journal *j = NULL;
	struct spent begin;
	char path[512];

	snprintf(path, sizeof(path), "%s/journal", dir);
	need(journal_open_reader(path, &j));
	begin = now();
	need(journal_tail(j, 0, count_record, &c));
	begin = since(begin);
	printf("limit: reading the journal, %" PRIu64 " entries in %" PRIu64 " records: %.0f MB in %.3f s, %.2f GB/s\n",
	       c.entries, c.records, (double)c.bytes / 1e6, begin.wall, (double)c.bytes / 1e9 / begin.wall);
	journal_close(j);
	return c.entries;
}

/* ---- what is asked for ---- */

static void start(const char *dir, enum node_mode mode, const char *what)
{
	struct spent best = { 1e9, 1e9 };

	for (int i = 0; i < 5; i++) {
		struct node *n = NULL;
		struct spent begin = now(), s;

		need(node_open(dir, mode, &n));
		s = since(begin);
		if (s.wall < best.wall)
			best = s;
		node_close(n);
	}
	printf("%-34s %8.3f s (the best of 5)  %26s\n", what, best.wall, "wanted: under 0.050 s");
	fflush(stdout);
}

static void rebuild(const char *dir, uint64_t entries)
{
	struct node *n = NULL;
	struct spent begin;
	char path[512];

	snprintf(path, sizeof(path), "%s/views", dir);
	need(views_destroy(path));
	begin = now();
	need(node_open(dir, NODE_WRITE, &n));
	say("views made anew", (double)entries, since(begin), "wanted: under 30 s");
	begin = now();
	node_close(n);
	say("close behind it", (double)entries, since(begin), "");
}

static void audit(const char *dir)
{
	struct node *n = NULL;
	struct rusage usage;
	struct audit a;
	struct spent begin;

	need(node_open(dir, NODE_READ, &n));
	begin = now();
	need(node_audit(n, NULL, NULL, &a));
	say("audit", (double)(a.entries[LEDGER_PUBLIC] + a.entries[LEDGER_CIRCLE]), since(begin), "wanted: under 60 s");
	node_close(n);
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " signatures, %" PRIu64 " bodies, %" PRIu64 " keys of the state; at most %.0f MB resident\n",
	       a.signatures, a.bodies, a.state_keys, (double)usage.ru_maxrss / 1024);
}

static void measure(const char *dir)
{
	uint64_t entries = limit_of_reading(dir);

	limit_of_verifying(dir);
	start(dir, NODE_WRITE, "start, nothing behind, to write");
	start(dir, NODE_READ, "start, nothing behind, to read");
	rebuild(dir, entries);
	audit(dir);
}

int main(int argc, char **argv)
{
	uint64_t entries = ENTRIES;
	char parent[256], dir[300], command[400];

	if (argc > 2)
		need(span_u64(span_of(argv[2]), UINT32_MAX, &entries));
	snprintf(dir, sizeof(dir), "%s/node", argc > 1 ? argv[1] : "/tmp");
	if (argc > 1 && file_exists(dir)) {
		snprintf(dir, sizeof(dir), "%s", argv[1]);
		measure(dir);
		return EXIT_SUCCESS;
	}
	snprintf(parent, sizeof(parent), "%s/bench-million-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(parent) == NULL) {
		perror(parent);
		return EXIT_FAILURE;
	}
	snprintf(dir, sizeof(dir), "%s/node", parent);
	make(dir, entries);
	measure(dir);
	snprintf(command, sizeof(command), "rm -r '%s'", parent);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
