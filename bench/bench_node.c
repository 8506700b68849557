/* What a batch of notices costs: node_add_own with a body each, one commit, and what follows. Prints numbers; run it on the
 * disk that the node will use: bench_node [folder]. Signing stands apart, since nothing can make it cheaper. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "regime/node.h"
#include "regime/plan.h"

#define NOTICES 40000
#define PAYLOAD 200
#define SOURCES 4000
#define EVENTS 10000000

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

/* On a machine that others use as well the processor's own time is the one to compare. */
struct spent {
	double wall, cpu;
};

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct spent begin(void)
{
	return (struct spent){ (double)clock_monotonic_us() / 1e6, cpu_now() };
}

static struct spent since(struct spent b)
{
	return (struct spent){ (double)clock_monotonic_us() / 1e6 - b.wall, cpu_now() - b.cpu };
}

static void rate(const char *what, size_t count, struct spent s)
{
	printf("%-44s %7.3f s %9.0f/s | cpu %7.3f s %9.0f/s %7.2f us each\n", what, s.wall, (double)count / s.wall,
	       s.cpu, (double)count / s.cpu, s.cpu * 1e6 / (double)count);
}

/* ---- notices ---- */

struct made {
	uint8_t salt[SEAL_SALT_SIZE], payload[PAYLOAD];
	struct body_reference body;
};

static void make_body(size_t i, struct made *m)
{
	static const char type[] = "application/vnd.comity.evidence+zstd";

	for (size_t k = 0; k < PAYLOAD; k++)
		m->payload[k] = (uint8_t)(i * 31 + k * 7);
	memset(m->salt, 0, sizeof(m->salt));
	memcpy(m->salt, &i, sizeof(i));
	m->body = (struct body_reference){ .media_type = span_of(type), .size = PAYLOAD, .sealed = true };
	m->body.hash = seal_commitment(SPAN("cert.example"), SPAN(""), m->body.media_type, m->salt,
				       span_make(m->payload, PAYLOAD));
}

static void write_notice(struct node *n, struct statement_writer *w, size_t i, const struct made *m)
{
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(1 + i % 60000) };

	statement_begin(w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_to(w, &to);
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "class", SPAN("malicious-code/infected-system"));
	statement_add(w, "tlp", SPAN("AMBER"));
	statement_add_print(w, "events", "%zu", 1 + i % 50);
	statement_add_time(w, "first", INT64_C(1795000000000));
	statement_add_time(w, "last", INT64_C(1795003600000));
	statement_add(w, "table", SPAN("ripencc 2026-11-22"));
	statement_add_body(w, &m->body);
}

/* Making bodies, writing and signing the text, as node_add_own does it: to be taken off. */
static struct spent writing_alone(struct node *n)
{
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct statement_writer w = { 0 };
	struct spent start = begin();

	for (size_t i = 0; i < NOTICES; i++) {
		struct hash id;
		struct made m;

		make_body(i, &m);
		write_notice(n, &w, i, &m);
		buffer_clear(&note);
		need(statement_end(&w, node_signer(n), &note, &id));
	}
	statement_writer_free(&w);
	buffer_free(&note);
	return since(start);
}

static struct spent add_all(struct node *n, size_t round)
{
	struct statement_writer w = { 0 };
	struct spent start = begin();

	need(node_begin(n));
	for (size_t i = 0; i < NOTICES; i++) {
		struct appended out;
		struct span part;
		struct made m;

		make_body(round * NOTICES + i, &m);
		part = span_make(m.payload, PAYLOAD);
		need(node_add_body(n, &m.body, m.salt, &part, 1));
		write_notice(n, &w, i, &m);
		need(node_add_own(n, &w, &out));
	}
	statement_writer_free(&w);
	return since(start);
}

static void notices(struct node *n)
{
	struct spent alone = writing_alone(n);

	rate("bodies, writing and signing alone", NOTICES, alone);
	for (size_t round = 0; round < 3; round++) {
		struct spent adding = add_all(n, round), commit, publish, start = begin();

		need(node_commit(n));
		commit = since(start);
		start = begin();
		need(node_publish(n));
		publish = since(start);
		printf("-- %zu notices in the ledger before\n", round * NOTICES);
		rate("body + node_add_own", NOTICES, adding);
		rate("node_commit", NOTICES, commit);
		rate("check, fold, commit, without signing", NOTICES,
		     (struct spent){ adding.wall + commit.wall - alone.wall, adding.cpu + commit.cpu - alone.cpu });
		rate("node_publish", NOTICES, publish);
	}
}

static void reopen(const char *dir)
{
	struct spent start = begin();
	struct node *n;

	need(node_open(dir, NODE_WRITE, &n));
	rate("open, nothing to catch up", 1, since(start));
	node_close(n);
}

static void rebuild(const char *dir)
{
	char path[512];
	struct spent start;
	struct node *n;

	snprintf(path, sizeof(path), "%s/views", dir);
	need(views_destroy(path));
	start = begin();
	need(node_open(dir, NODE_WRITE, &n));
	rate("rebuild of the views", (size_t)3 * NOTICES, since(start));
	node_close(n);
}

static void audit(const char *dir)
{
	struct audit a;
	struct spent start;
	struct node *n;

	need(node_open(dir, NODE_READ, &n));
	start = begin();
	need(node_audit(n, NULL, NULL, &a));
	rate("audit, entries", (size_t)(a.entries[0] + a.entries[1]), since(start));
	node_close(n);
}

/* ---- plans ---- */

static void file_plans(struct node *n)
{
	struct statement_writer w = { 0 };

	need(node_begin(n));
	for (unsigned i = 0; i < SOURCES / 100; i++) {
		struct appended out;

		statement_begin(&w, KIND_PLAN, node_origin(n, LEDGER_PUBLIC), signer_verifier(node_signer(n)));
		statement_add(&w, "activity", SPAN("scan"));
		statement_add_time(&w, "start", clock_now_ms());
		statement_add_time(&w, "end", clock_now_ms() + INT64_C(864000000));
		for (unsigned k = 0; k < 100; k++)
			statement_add_print(&w, "source", "%u.%u.%u.0/24", 20 + i, (k * 37) % 256, k);
		statement_add(&w, "target", SPAN("any"));
		statement_add(&w, "purpose", SPAN("counting open services"));
		need(node_add_own(n, &w, &out));
	}
	statement_writer_free(&w);
	need(node_commit(n));
}

static void matching(struct node *n)
{
	struct arena *a = arena_new((size_t)1 << 20);
	struct plans *p;
	struct state st;
	uint32_t random = 1;
	size_t matched = 0;
	struct spent start;

	file_plans(n);
	need(node_read(n, a, &st));
	need(plans_load(&st, &p));
	snapshot_end(st.snapshot);
	start = begin();
	for (size_t i = 0; i < EVENTS; i++) {
		struct observation o = { .time_ms = clock_now_ms() + 5000 };

		random = random * 1664525 + 1013904223;
		o.source = address_ipv4(random);
		matched += plans_match(p, &o).verdict != PLAN_UNDECLARED;
	}
	rate("plans_match, random sources (with the clock)", EVENTS, since(start));
	printf("%-44s %zu of %d\n", "matched", matched, EVENTS);
	plans_free(p);
	arena_free(a);
}

int main(int argc, char **argv)
{
	char parent[256], dir[300], command[400];
	struct node *n;

	snprintf(parent, sizeof(parent), "%s/bench-node-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(parent) == NULL) {
		perror(parent);
		return EXIT_FAILURE;
	}
	snprintf(dir, sizeof(dir), "%s/node", parent);
	need(node_init(dir, SPAN("cert.example"), SPAN("a node made to be measured")));
	need(node_open(dir, NODE_WRITE, &n));
	notices(n);
	matching(n);
	need(node_publish(n));
	node_close(n);
	reopen(dir);
	rebuild(dir);
	audit(dir);
	snprintf(command, sizeof(command), "rm -r '%s'", parent);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
