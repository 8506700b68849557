/*
 * From reports to notices
 *
 *	reports → chunks → events → runs            any number of threads: intake.c, runs.c
 *	runs → batches → notices                    the same number: batch.c, tell.c, notice.c
 *	batches → journal, one fdatasync each       one thread: deliver.c, release.c
 *
 * Memory is bounded whatever the size of the reports. A chunk is read, cut at a row's end, parsed; each event becomes a
 * row of text and an entry of 72 bytes: whose notice it belongs to, its time, its source, its mark. Rows gather in runs,
 * which are sorted by notice and put away (runs.c). Only when everything is read are notices made, since a notice wants
 * all its rows. A batch takes some notices' rows from all runs; a notice that is greater than a batch is cut into parts.
 *
 * Every event counts exactly once:
 *
 *   1. A mark is a hash over what a row says: its type and header, its time, its address, and the row itself. Equal marks
 *      have the same type, address and class, so one addressee and class, so one notice, and one part of it: duplicates
 *      within a run meet in one batch, and no two batches of a run share a mark.
 *   2. A batch is committed with its notices, their bodies, the marks of its events and what it adds to their lines, or
 *      not at all (node.h). What was counted is known by its mark; what is not known was not counted.
 *   3. So after a crash, or an error, the same reports are routed again and exactly the rest is counted. The parts of a
 *      great notice keep their numbers, since they follow from the rows. A part whose rows were all counted before is not
 *      sent again.
 *   4. Rows that nobody answers for, or that say too little to be sent, are listed with the same care (unanswered.c).
 *
 * What repeats itself is told once (lines.c, tell.c):
 *
 *   5. A line is one addressee, class and source, with the port or malware where the class asks for it. Parts are cut
 *      between sources, so a line of a run lies in one batch; what the node knew of it before the run is therefore what it
 *      knows when the batch is made, however far other batches are. (One host with more rows than a batch holds is the
 *      exception: its batches are made one after the other, and told or held as the first.)
 *   6. All rows of a line share their fate, and each event is in exactly one of: duplicate, told, held, waiting, thin,
 *      unanswered. All but the first and the thin are added to the line: counts, first and last are sums and extremes, so
 *      they do not depend on the order of reports nor on where a run was cut off. A run that goes on after a crash may
 *      hold what the whole run would have told: the line was told by then.
 *   7. What waits for its addressee's round is in the journal as well and leaves it with its notice (release.c).
 *
 * The result does not depend on threads or chunks: notices come in the order of their numbers, rows in that of section,
 * time, source and mark.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "regime/sighting.h"
#include "route/recognition.h"
#include "route/pipeline.h"
#include "route/verdict.h"

#define MIB ((size_t)1 << 20)
#define THREADS_MAX 64
#define TABLE_LINES_MAX 16

/* Under 300 MiB of memory with the tables and the node's own, for two threads and for eight. */
struct route_limits route_limits_for(unsigned threads)
{
	return (struct route_limits){
		.chunk = MIB,
		.run = threads < 4    ? 16 * MIB
		       : threads < 16 ? 64 * MIB / threads
				      : 4 * MIB,
		.resident = 32 * MIB,
		.batch = threads < 8 ? 72 * MIB / (threads + 1) : 8 * MIB,
	};
}

void failure_set(struct failure *f, enum err e)
{
	if (e == OK)
		return;
	pthread_mutex_lock(&f->lock);
	if (f->err == OK) {
		f->err = e;
		snprintf(f->detail, sizeof(f->detail), "%s", err_detail());
	}
	atomic_store(&f->stop, true);
	pthread_mutex_unlock(&f->lock);
}

/* ---- countries and tables ---- */

static unsigned letter(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') : 26;
}

uint16_t country_code(const char country[3])
{
	unsigned a = letter(country[0]), b = a == 26 ? 26 : letter(country[1]);

	return b == 26 ? 0 : (uint16_t)(1 + 26 * a + b);
}

void country_text(uint16_t code, char out[3])
{
	memset(out, 0, 3);
	if (code > 0) {
		out[0] = (char)('A' + (code - 1) / 26);
		out[1] = (char)('A' + (code - 1) % 26);
	}
}

static enum err load_countries(struct routing *r)
{
	uint32_t count = table_classes(r->table);

	if ((r->countries = calloc((size_t)count + 1, sizeof(*r->countries))) == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++) {
		struct table_class_facts facts;

		table_class_facts(r->table, i, &facts);
		r->countries[i] = country_code(facts.country);
	}
	count = resolver_addressees(r->resolver);
	if ((r->country_of_addressee = calloc((size_t)count + 1, sizeof(*r->country_of_addressee))) == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < count; i++) {
		struct resolved to;
		uint16_t code;

		resolver_addressee(r->resolver, i, &to);
		code = country_code(to.country);
		r->country_of_addressee[i] =
			i == 0 || code == 0 || to.rule == RULE_CLAIMED_PREFIX ? COUNTRY_LOOK_UP : code;
	}
	return OK;
}

/* A header's value: printable ASCII, no space at the ends. */
static struct span table_line(struct arena *a, const struct table_source *s)
{
	char date[CLOCK_TEXT] = "undated";
	char *text;
	size_t n;

	if (s->dated_ms != 0)
		clock_format(s->dated_ms, date);
	text = arena_print(a, "%.*s %.10s", (int)(s->name.len < 200 ? s->name.len : 200), s->name.at, date);
	if (text == NULL)
		return (struct span){ "", 0 };
	n = strlen(text);
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~' || (text[i] == ' ' && i == 0))
			text[i] = '?';
	return span_make(text, n);
}

static enum err load_tables(struct routing *r)
{
	size_t count;

	if (r->table == NULL)
		return OK;
	count = table_sources(r->table);
	count = count < TABLE_LINES_MAX ? count : TABLE_LINES_MAX;
	if ((r->table_lines = arena_array(r->arena, count + 1, sizeof(*r->table_lines))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < count; i++) {
		struct table_source s;

		table_source(r->table, i, &s);
		r->table_lines[i] = table_line(r->arena, &s);
		if (r->table_lines[i].len == 0)
			return ERR_NO_MEMORY;
	}
	r->table_line_count = count;
	return load_countries(r);
}

/* ---- folders ---- */

static enum err make_folders(struct routing *r)
{
	const char *dir = node_dir(r->node);
	const char *own = getenv("TMPDIR");
	int n;

	/* On a dry run nothing is written into the node's folder. */
	if (r->options->dry_run)
		n = snprintf(r->folder, sizeof(r->folder), "%s", own != NULL && *own != '\0' ? own : "/tmp");
	else
		n = snprintf(r->folder, sizeof(r->folder), "%s/tmp", dir);
	if (n < 0 || (size_t)n >= sizeof(r->folder))
		return fail(ERR_TOO_LONG, "%s", dir);
	return r->options->dry_run ? OK : folder_make(r->folder, 0700);
}

/* Where rejects go; *path empty: they are only counted. */
static enum err rejects_path(const struct routing *r, int64_t now, char path[256])
{
	char time[CLOCK_TEXT];
	int n;
	enum err e = OK;

	path[0] = '\0';
	if (r->options->rejects == NULL && r->options->dry_run)
		return OK;
	if (r->options->rejects != NULL) {
		n = snprintf(path, 256, "%s", r->options->rejects);
	} else {
		clock_format_ms(now, time);
		n = snprintf(path, 256, "%s/rejects", node_dir(r->node));
		e = folder_make(path, 0700);
		n = snprintf(path, 256, "%s/rejects/%s.jsonl", node_dir(r->node), time);
	}
	if (n < 0 || n >= 256)
		return fail(ERR_TOO_LONG, "the path of the rejects file");
	return e;
}

/* ---- all of it ---- */

static void list_countries(const struct routing *r)
{
	for (uint16_t c = 0; c < COUNTRY_CODES; c++) {
		if (r->country_events[c] == 0)
			continue;
		country_text(c, r->out->countries[r->out->country_count].country);
		r->out->countries[r->out->country_count++].events = r->country_events[c];
	}
}

static enum err found_one(void *context, const struct addressee *to, enum rsit_class c, const struct sighting_line *l,
			  const struct sighting *s)
{
	(void)to;
	(void)c;
	(void)l;
	(void)s;
	*(bool *)context = true;
	return ERR_EXISTS; /* enough */
}

/* A node that never saw a source need not be asked for each. And who takes what. */
static enum err look_at_state(struct routing *r)
{
	struct state st;
	enum err e = node_read(r->node, r->arena, &st);

	if (e != OK)
		return e;
	e = sightings_walk(&st, NULL, found_one, &r->sightings_before);
	e = r->sightings_before ? OK : e;
	if (e == OK)
		e = recognition_new(&st, r->resolver, &r->recognition);
	snapshot_end(st.snapshot);
	return e;
}

static enum err route(struct routing *r, char *const *paths, size_t count)
{
	int64_t now = clock_now_ms();
	char rejects[256];
	enum err e = load_tables(r);

	if (e == OK)
		e = look_at_state(r);
	if (e == OK)
		e = sources_open(r, paths, count);
	if (e == OK)
		e = make_folders(r);
	if (e == OK)
		e = rejects_path(r, now, rejects);
	if (e == OK)
		e = runs_new(r->folder, r->limits.resident, &r->runs);
	if (e == OK)
		e = intake(r, rejects[0] != '\0' ? rejects : NULL);
#if defined(__GLIBC__)
	malloc_trim(0); /* what the reading took is not needed any more */
#endif
	if (e == OK)
		e = deliver(r, now);
	if (e == OK)
		e = columns_tell(r, now);
	list_countries(r);
	runs_free(r->runs); /* before anything syncs the file system: what waited in files is of no use any more */
	r->runs = NULL;
	if (e == OK && !r->options->dry_run && (e = node_tick(r->node, false)) == OK)
		e = node_publish(r->node);
	return e == OK ? sources_tell(r) : e;
}

static unsigned threads_of(const struct route_options *o)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (o->threads > 0)
		return o->threads < THREADS_MAX ? o->threads : THREADS_MAX;
	return processors < 1 ? 1 : processors > 8 ? 8 : (unsigned)processors;
}

enum err route_files_within(const struct route_limits *limits, struct node *n, const struct resolver *r,
			    const struct plans *p, char *const *paths, size_t count,
			    const struct route_options *options, route_progress *progress, route_each *each,
			    void *context, struct route_summary *out)
{
	int64_t start = clock_monotonic_us();
	struct routing *all = calloc(1, sizeof(*all));
	enum err e = ERR_NO_MEMORY;

	*out = (struct route_summary){ 0 };
	if (all == NULL || (all->arena = arena_new((size_t)1 << 30)) == NULL)
		goto out;
	all->node = n;
	all->resolver = r;
	all->plans = p != NULL && plans_count(p) > 0 ? p : NULL;
	all->table = resolver_table(r);
	all->options = options;
	all->limits = *limits;
	all->threads = threads_of(options);
	all->progress = progress;
	all->each = each;
	all->context = context;
	all->out = out;
	all->marks_before = node_marks(n) != NULL && marks_count(node_marks(n)) > 0;
	all->signer = options->dry_run ? NULL : node_signer(n);
	pthread_mutex_init(&all->failure.lock, NULL);
	e = all->plans != NULL ? verdicts_new(all, &all->verdicts) : OK;
	if (e == OK)
		e = names_new(&all->names);
	if (e == OK)
		e = route(all, paths, count);
	if (e != OK && e == all->failure.err)
		fail(e, "%s", all->failure.detail);
	sources_close(all);
	names_free(all->names);
	verdicts_free(all->verdicts);
	runs_free(all->runs);
	free(all->countries);
	free(all->country_of_addressee);
	recognition_free(all->recognition);
	arena_free(all->arena);
	pthread_mutex_destroy(&all->failure.lock);
out:
	free(all);
	out->seconds = (double)(clock_monotonic_us() - start) / 1e6;
	return e;
}

enum err route_files(struct node *n, const struct resolver *r, const struct plans *p, char *const *paths, size_t count,
		     const struct route_options *options, route_progress *progress, route_each *each, void *context,
		     struct route_summary *out)
{
	struct route_limits limits = route_limits_for(threads_of(options));

	return route_files_within(&limits, n, r, p, paths, count, options, progress, each, context, out);
}
