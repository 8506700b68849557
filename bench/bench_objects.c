/* What shared objects cost: shares of 1,000 objects of some 670 bytes, each durable, up to a million rows; on the way pages
 * of 100 from random places. Prints numbers; run it on the disk that the node will use: bench_objects [folder [objects]]. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "regime/node.h"
#include "regime/objects.h"

#define SHARE 1000
#define PAGE 100
#define PAGES 2000
#define TEXT 670

static const struct collection_id collection = { { 0x91, 0xa7, 0xb5, 0x28, 0x80, 0xeb, 0x42, 0xed, 0xa7, 0x4d } };

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

/* The processor's own time: on a machine that others use as well it is the one to compare. */
static double now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint64_t mix(uint64_t v)
{
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

/* ---- what is shared ---- */

struct made {
	struct stix_object objects[SHARE];
	char ids[SHARE][64], texts[SHARE][TEXT + 1];
};

static void make(struct made *m, uint64_t first)
{
	static const char *const types[] = { "indicator", "indicator", "indicator", "malware", "relationship" };
	static const struct span modified = SPAN("2026-11-22T20:45:00.123Z");

	for (uint64_t i = 0; i < SHARE; i++) {
		uint64_t high = mix(first + i + 1), low = mix(high);
		const char *type = types[high % 5];
		struct stix_object *o = &m->objects[i];

		snprintf(m->ids[i], sizeof(m->ids[i]), "%s--%08x-%04x-4%03x-8%03x-%012" PRIx64, type,
			 (unsigned)(high >> 32), (unsigned)(high >> 16 & 0xffff), (unsigned)(high & 0xfff),
			 (unsigned)(low >> 48 & 0xfff), low & 0xffffffffffff);
		memset(m->texts[i], 'x', TEXT);
		snprintf(m->texts[i], TEXT, "{\"id\":\"%s\",\"pattern\":\"", m->ids[i]);
		m->texts[i][strlen(m->texts[i])] = 'x';
		memcpy(m->texts[i] + TEXT - 2, "\"}", 3);
		*o = (struct stix_object){
			.text = span_make(m->texts[i], TEXT),
			.id = span_of(m->ids[i]),
			.type = span_of(type),
			.spec = STIX_2_1,
			.modified_text = modified,
			.tlp = (enum tlp)(high >> 40 & 1), /* half of them clear, half green */
		};
		need(instant_parse(modified, &o->version));
		memcpy(o->digest.bytes, &high, sizeof(high));
	}
}

static void share(struct node *n, const struct made *m, struct object_result *results)
{
	struct share s = { .collection = collection, .level = TLP_AMBER, .objects = m->objects, .count = SHARE };
	struct appended out;

	need(node_begin(n));
	need(objects_share(n, &s, results, &out));
	need(node_commit(n));
	for (size_t i = 0; i < SHARE; i++)
		if (results[i].fate != OBJECT_ADDED)
			need(fail(ERR_CONFLICT, "object %zu was not added", i));
}

/* ---- pages ---- */

struct page {
	size_t count;
	uint64_t last, bytes;
	unsigned sum;
};

static enum err take(void *context, const struct object_row *row)
{
	struct page *p = context;

	for (size_t i = 0; i < row->text.len; i += 64) /* every line of the cache, as a reader would */
		p->sum += (uint8_t)row->text.at[i];
	p->last = row->stamp;
	p->bytes += row->text.len;
	return ++p->count == PAGE ? ERR_EMPTY : OK;
}

static void page(struct node *n, struct arena *a, struct object_query *q, const uint64_t *stamps, size_t count,
		 const char *what)
{
	double start = now(CLOCK_PROCESS_CPUTIME_ID), seconds;
	size_t objects = 0;

	for (uint64_t i = 0; i < PAGES; i++) {
		struct page p = { 0 };
		struct state st;
		enum err e;

		need(node_read(n, a, &st));
		q->after = stamps[mix(i + 1) % count];
		e = objects_walk(st.snapshot, q, take, &p);
		if (e != ERR_EMPTY)
			need(e);
		objects += p.count;
		snapshot_end(st.snapshot);
	}
	seconds = now(CLOCK_PROCESS_CPUTIME_ID) - start;
	printf("  pages of 100, %-24s cpu %7.1f us a page %7.0f ns an object %9.0f pages/s\n", what,
	       seconds * 1e6 / PAGES, seconds * 1e9 / (double)(objects > 0 ? objects : 1), PAGES / seconds);
}

static void pages(struct node *n, struct arena *a, const uint64_t *stamps, size_t count)
{
	struct span type = SPAN("malware");
	struct object_query q = { .collection = collection, .level = TLP_CLEAR };

	page(n, a, &q, stamps, count, "level CLEAR");
	q.level = TLP_RED;
	page(n, a, &q, stamps, count, "level RED");
	q.all = true;
	page(n, a, &q, stamps, count, "all versions");
	q.all = false;
	q.types = &type;
	q.type_count = 1;
	page(n, a, &q, stamps, count, "of one type");
}

static void print_memory(void)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "re");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "RssAnon", 7) == 0 || strncmp(line, "RssFile", 7) == 0)
			printf("  %s", line);
	if (f != NULL)
		fclose(f);
}

/* ---- the machine ---- */

/* Durable writes of as many bytes as a share has. */
static void floor_of(const char *dir)
{
	char path[4200];
	static char bytes[SHARE * (TEXT + 1)];
	double start;
	int fd;

	snprintf(path, sizeof(path), "%s/floor", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd == -1)
		need(fail_errno("%s", path));
	start = now(CLOCK_MONOTONIC);
	for (int i = 0; i < 50; i++)
		if (write(fd, bytes, sizeof(bytes)) != (ssize_t)sizeof(bytes) || fdatasync(fd) == -1)
			need(fail_errno("%s", path));
	printf("limit: write and fdatasync of the texts alone %.0f objects/s\n",
	       50.0 * SHARE / (now(CLOCK_MONOTONIC) - start));
	close(fd);
	unlink(path);
}

int main(int argc, char **argv)
{
	char dir[4096];
	struct made *m = malloc(sizeof(*m));
	struct object_result *results = malloc(SHARE * sizeof(*results));
	uint64_t total = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000, done = 0;
	uint64_t *stamps = malloc((size_t)(total / SHARE + 1) * sizeof(*stamps));
	struct arena *a = arena_new((size_t)1 << 20);
	struct node *n;

	if (m == NULL || results == NULL || stamps == NULL || a == NULL)
		need(ERR_NO_MEMORY);
	snprintf(dir, sizeof(dir), "%s/bench_objects.XXXXXX", argc > 1 ? argv[1] : "/var/tmp");
	if (mkdtemp(dir) == NULL)
		need(fail_errno("%s", dir));
	floor_of(dir);
	need(node_init(dir, SPAN("cert.example"), SPAN("A bench")));
	need(node_open(dir, NODE_WRITE, &n));
	for (uint64_t step = SHARE; done < total; step *= 10) {
		uint64_t end = step < total ? step : total, from = done;
		double cpu = 0, wall = 0;

		for (; done < end; done += SHARE) {
			double at[2];

			make(m, done);
			at[0] = now(CLOCK_PROCESS_CPUTIME_ID);
			at[1] = now(CLOCK_MONOTONIC);
			share(n, m, results);
			cpu += now(CLOCK_PROCESS_CPUTIME_ID) - at[0];
			wall += now(CLOCK_MONOTONIC) - at[1];
			stamps[done / SHARE] = results[0].stamp;
		}
		printf("-- %ju rows\n", (uintmax_t)done);
		printf("  shares of 1,000  %9.0f objects/s durable, cpu %.2f us an object\n",
		       (double)(done - from) / wall, cpu * 1e6 / (double)(done - from));
		pages(n, a, stamps, (size_t)(done / SHARE));
		print_memory();
	}
	node_close(n);
	printf("left in %s\n", dir);
	arena_free(a);
	free(stamps);
	free(results);
	free(m);
	return 0;
}
