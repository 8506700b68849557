/* Reads the reports of others in ../shared/data/routing (or $COMITY_SHARED/data/routing): every row of each must be
 * accounted for. The only rows that may be rejected are those whose address was made private or reserved before it was
 * published, or is none at all. Exits with 77 where the data is absent. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "report/input.h"
#include "report/report.h"

struct tally {
	const char *file;
	size_t events, special, no_address, times, other, class_none;
};

static unsigned failures;

static void check(bool good, const char *file, const char *what)
{
	if (good)
		return;
	failures++;
	printf("FAILED %s: %s\n", file, what);
}

static enum err tally_event(void *context, const struct event *e)
{
	struct tally *t = context;

	t->events++;
	t->times += e->time_ms != 0;
	t->class_none += e->class == CLASS_NONE || e->raw.len == 0 || e->line == 0;
	return OK;
}

static enum err tally_reject(void *context, const struct reject *r)
{
	struct tally *t = context;

	/* a sample has an address of five numbers */
	if (r->why == ERR_ADDRESS_SPECIAL ||
	    (r->why == ERR_ADDRESS && strstr(t->file, "event4_honeypot_ddos_amp") != NULL)) {
		t->special++;
		return OK;
	}
	if (r->why == ERR_NO_ADDRESS) {
		t->no_address++;
		return OK;
	}
	t->other++;
	if (t->other <= 3)
		printf("%s:%llu: %s (%s) %.*s\n", t->file, (unsigned long long)r->line, err_code(r->why),
		       r->field != NULL ? r->field : "-", (int)(r->raw.len < 100 ? r->raw.len : 100), r->raw.at);
	return OK;
}

/* Makes private and documentation addresses public ones, so that the rows can be read to their end. */
static void make_public(char *text, size_t len)
{
	static const char *const pairs[][2] = { { "192.168.", "192.167." },
						{ "172.16.", "172.15." },
						{ "192.0.2.", "192.1.2." },
						{ "198.51.", "198.52." },
						{ "203.0.", "203.1." } };

	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < sizeof(pairs) / sizeof(pairs[0]); k++) {
			size_t n = strlen(pairs[k][0]);

			if (len - i >= n && memcmp(text + i, pairs[k][0], n) == 0)
				memcpy(text + i, pairs[k][1], n);
		}
}

/* The whole report, by way of input_read, in one chunk. */
static struct layout *report_read(struct arena *a, const char *path, bool public, struct tally *t)
{
	static char text[4 << 20];
	const struct report_options options = { 0 };
	const struct report_sink sink = { tally_event, tally_reject, t };
	struct input *in = NULL;
	struct layout *l = NULL;
	struct scratch *s = NULL;
	size_t n = 0;

	*t = (struct tally){ .file = path };
	if (input_open(path, &in) == OK && input_read(in, text, sizeof(text), &n) == OK && scratch_new(&s) == OK) {
		struct span head = span_make(text, n < REPORT_HEAD ? n : REPORT_HEAD);

		if (public)
			make_public(text, n);
		if (report_detect(a, input_name(in), head, &options, &l) == OK) {
			struct report_cursor from = report_start(l), at = from;
			struct span rows = span_from(span_make(text, n), at.offset);

			check(report_boundary(l, &at, rows, true) == rows.len, path, "not all of it is rows");
			check(report_parse(l, s, rows, &from, &sink) == OK, path, err_detail());
		} else {
			check(false, path, err_detail());
		}
	} else {
		check(false, path, err_detail());
	}
	scratch_free(s);
	input_close(in);
	check(t->class_none == 0, path, "an event without class or row");
	return l;
}

static int is_report(const struct dirent *d)
{
	return span_ends(span_of(d->d_name), ".csv");
}

static void shadowserver_samples(struct arena *a, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_report, alphasort);
	size_t events = 0, special = 0, readable = 0, refused_all = 0;

	check(count == 46, folder, "there should be 46 samples");
	for (int i = 0; i < count; i++) {
		const char *path = arena_print(a, "%s/%s", folder, entries[i]->d_name);
		struct tally t, p;
		struct layout *l = report_read(a, path, false, &t);
		struct span stem = span_of(entries[i]->d_name);

		stem.len -= 4;
		if (l != NULL) {
			check(layout_format(l) == FORMAT_SHADOWSERVER && layout_type_known(l), path,
			      "its type is not known");
			check(span_equal(layout_type(l), stem), path, "its type is not its name");
			check(layout_header(l).len > 0, path, "it has no header");
		}
		check(t.other == 0, path, "a row was rejected for more than its address");
		check(t.events + t.special > 0, path, "it has no rows");
		check(t.times == t.events, path, "an event without time");
		report_read(a, path, true, &p);
		check(p.events + p.special == t.events + t.special, path, "rows were lost");
		events += t.events;
		special += t.special;
		readable += p.events;
		refused_all += p.special;
		free(entries[i]);
	}
	free(entries);
	printf("shadowserver: %d reports, %zu events, %zu rejected for private or reserved addresses; with those made "
	       "public"
	       " %zu events, %zu rejected\n",
	       count, events, special, readable, refused_all);
	check(refused_all == 1, folder, "all but the address of five numbers should be read");
}

/* By hand: rows counted by eye, or with grep where there are many. What is rejected is so for its content: addresses made
 * private by whoever published the sample, lists of networks, an incident about nobody. */
static const struct sample {
	const char *path;
	enum format format;
	size_t events, special, no_address;
	bool times; /* each event has one */
} samples[] = {
	{ "ipsum/ipsum.txt", FORMAT_LIST, 120430, 0, 0, true },
	/* nineteen rows: 172.16/12 four times, 198.51.100/24 and 10/8 three times each, 240/4 twice, 192.168/16 and
	 * 203.0.113/24 once */
	{ "feeds/spamhaus/cert.txt", FORMAT_LIST, 5, 14, 0, true },
	{ "feeds/spamhaus/asndrop.txt", FORMAT_LIST, 0, 0, 2, true },
	{ "feeds/feodotracker/feodotracker.html", FORMAT_HTML, 2, 0, 0, true },
	{ "iodef/iodef-v2-minimal-rfc7970.xml", FORMAT_IODEF, 0, 0, 1, true },
	{ "iodef/iodef-v2-bruteforce-own.xml", FORMAT_IODEF, 0, 1, 0, true },
};

static void samples_read(struct arena *a, const char *folder)
{
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++) {
		const struct sample *s = &samples[i];
		struct tally t;
		struct layout *l = report_read(a, arena_print(a, "%s/%s", folder, s->path), false, &t);

		printf("%s: %zu events, %zu rejected for private or reserved addresses, %zu without one\n", s->path,
		       t.events, t.special, t.no_address);
		check(l != NULL && layout_format(l) == s->format, s->path, "its format");
		check(t.events == s->events, s->path, "its events");
		check(t.special == s->special, s->path, "its private or reserved addresses");
		check(t.no_address == s->no_address, s->path, "what names no address");
		check(t.other == 0, s->path, "a reject for another reason");
		check(!s->times || t.times == t.events, s->path, "an event without time");
	}
}

int main(void)
{
	const char *shared = getenv("COMITY_SHARED");
	struct arena *a = arena_new((size_t)16 << 20);
	const char *folder;

	if (a == NULL)
		return 1;
	folder = arena_print(a, "%s/data/routing", shared != NULL ? shared : "../shared");
	if (!file_exists(arena_print(a, "%s/ipsum/ipsum.txt", folder))) {
		printf("SKIPPED: no reports in %s; set COMITY_SHARED\n", folder);
		arena_free(a);
		return 77;
	}
	shadowserver_samples(a, arena_print(a, "%s/shadowserver", folder));
	samples_read(a, folder);
	arena_free(a);
	printf("%u failures\n", failures);
	return failures == 0 ? 0 : 1;
}
