/* What counting sources costs: private records of sightings, 125,000 lines in a batch, as routing writes them. Prints numbers;
 * run it on the disk that the node will use: bench_sightings [folder]. Finding is what routing does before it decides. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "regime/node.h"
#include "regime/sighting.h"
#include "store/journal.h"

#define BATCH 125000
#define BATCHES 8
#define LINES ((uint32_t)BATCH * BATCHES)

/* Who is told of how many sources, each of them so often. */
struct shape {
	const char *name;
	uint32_t addressees, known,
		round; /* known: sources that there are; round: which thousand, of those that are new */
	bool sorted;
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

static void rate(const char *what, size_t count, double seconds)
{
	printf("%-40s cpu %7.3f s %9.0f/s %6.2f us each\n", what, seconds, (double)count / seconds,
	       seconds * 1e6 / (double)count);
}

static uint32_t random_of(uint32_t i)
{
	uint64_t v = i * UINT64_C(0x9e3779b97f4a7c15);

	return (uint32_t)(v >> 32 ^ v >> 13);
}

/* As routing does it: a batch has all lines of its addressees, who come in no order. */
static uint32_t addressee_of(const struct shape *p, uint32_t i)
{
	return (uint32_t)((uint64_t)i * 2654435761 % p->addressees);
}

static struct sighting_line line_of(const struct shape *p, uint32_t addressee, uint32_t i)
{
	uint32_t spread = 0x100000 / (p->known / p->addressees + 1);
	struct sighting_line l = { .source = address_ipv4(addressee << 20) };

	l.source.low += p->sorted ? i * spread + p->round : random_of(i + p->round * 1000003) & 0xfffff;
	return l;
}

static const struct sighting_change change = { 3, INT64_C(1795000000000), INT64_C(1795000100000), true, false };

static double write_batch(struct buffer *record, const struct shape *p, uint32_t batch)
{
	uint32_t groups = p->addressees / BATCHES, lines = BATCH / groups;
	double start = now();

	buffer_clear(record);
	for (uint32_t g = 0; g < groups; g++) {
		uint32_t addressee = addressee_of(p, batch * groups + g);
		struct addressee to = { .type = TO_AS, .asn = 1 + addressee };

		sightings_group(record, &to, CLASS_BRUTE_FORCE, lines);
		for (uint32_t i = 0; i < lines; i++) {
			struct sighting_line l = line_of(p, addressee, i % (p->known / p->addressees));

			sightings_line(record, &l, &change);
		}
	}
	need(record->err);
	return now() - start;
}

static void batches(struct node *n, const struct shape *p)
{
	struct buffer record = BUFFER((size_t)1 << 30);
	double writing = 0, adding = 0, committing = 0, start;

	for (uint32_t b = 0; b < BATCHES; b++) {
		struct span part;

		writing += write_batch(&record, p, b);
		part = buffer_view(&record);
		start = now();
		need(node_begin(n));
		need(node_add_private(n, RECORD_PRIVATE, &part, 1));
		adding += now() - start;
		start = now();
		need(node_commit(n));
		committing += now() - start;
	}
	printf("-- %s: %.1f bytes a line\n", p->name, (double)record.len / BATCH);
	rate("write", LINES, writing);
	rate("journal and fold", LINES, adding);
	rate("commit", LINES, committing);
	buffer_free(&record);
}

static void finding(struct node *n, struct arena *a, const struct shape *p)
{
	struct state st;
	size_t found = 0;
	double start;

	need(node_read(n, a, &st));
	start = now();
	for (uint32_t g = 0; g < p->addressees; g++) {
		uint32_t addressee = addressee_of(p, g);
		struct addressee to = { .type = TO_AS, .asn = 1 + addressee };

		for (uint32_t i = 0; i < LINES / p->addressees; i++) {
			struct sighting_line l = line_of(p, addressee, i);
			struct sighting s;

			found += sighting_find(&st, &to, CLASS_BRUTE_FORCE, &l, &s) == OK;
		}
	}
	rate("sighting_find", LINES, now() - start);
	snapshot_end(st.snapshot);
	printf("%-52s %zu\n", "found", found);
}

static const struct shape shapes[] = {
	{ "2,000 addressees, 1M new lines, in no order", 2000, LINES, 1, false },
	{ "2,000 addressees, 1M known lines, in no order", 2000, LINES, 1, false },
	{ "2,000 addressees, 1M new lines, in order", 2000, LINES, 2, true },
	{ "2,000 addressees, 120,000 lines, in order", 2000, 120000, 3, true },
	{ "2,000 addressees, 120,000 lines, again", 2000, 120000, 3, true },
	{ "50,000 addressees, 1M new lines, in no order", 50000, LINES, 4, false },
	{ "50,000 addressees, 1M known lines, in no order", 50000, LINES, 4, false },
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

int main(int argc, char **argv)
{
	char parent[256], dir[300], path[400], command[400];
	struct arena *a = arena_new((size_t)1 << 26);
	struct audit audit;
	struct node *n;
	double start;

	snprintf(parent, sizeof(parent), "%s/bench-sightings-XXXXXX", argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(parent) == NULL || a == NULL) {
		perror(parent);
		return EXIT_FAILURE;
	}
	snprintf(dir, sizeof(dir), "%s/node", parent);
	need(node_init(dir, SPAN("cert.example"), SPAN("a node made to be measured")));
	need(node_open(dir, NODE_WRITE, &n));
	for (size_t i = 0; i < SHAPES; i++)
		batches(n, &shapes[i]);
	finding(n, a, &shapes[2]);
	finding(n, a, &shapes[6]);
	node_close(n);
	snprintf(path, sizeof(path), "%s/views", dir);
	need(views_destroy(path));
	start = now();
	need(node_open(dir, NODE_WRITE, &n));
	rate("rebuild of the views, changes", SHAPES * LINES, now() - start);
	start = now();
	need(node_audit(n, NULL, NULL, &audit));
	rate("audit, changes", SHAPES * LINES, now() - start);
	node_close(n);
	arena_free(a);
	snprintf(command, sizeof(command), "rm -r '%s'", parent);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
