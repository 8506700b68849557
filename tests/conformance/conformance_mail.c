/* Reads the complaints and bounces of others in ../shared/data/routing/mail (or $COMITY_SHARED/data/routing/mail). What
 * each complaint says was read by hand. Their addresses are those of documentation, so they are made public on the way in;
 * read as they are, none may give an event. Exits with 77 where the data is absent. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "report/report.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned failures;

static void check(bool good, const char *file, const char *what)
{
	if (good)
		return;
	failures++;
	printf("FAILED %s: %s\n", file, what);
}

/* What came of a mail: "address time class format" or "code field". */
struct outcome {
	char text[400];
	size_t len, events, rejects;
	enum err why;
};

static void add(struct outcome *o, const char *a, const char *b, const char *c, const char *d)
{
	int n = snprintf(o->text + o->len, sizeof(o->text) - o->len, "%s%s %s%s%s%s%s", o->len > 0 ? ", " : "", a, b,
			 c[0] != '\0' ? " " : "", c, d[0] != '\0' ? " " : "", d);

	if (n > 0 && (size_t)n < sizeof(o->text) - o->len)
		o->len += (size_t)n;
}

static enum err on_event(void *context, const struct event *e)
{
	char address[ADDRESS_TEXT], time[CLOCK_TEXT];
	struct outcome *o = context;

	o->events++;
	address[address_format(e->source, address)] = '\0';
	clock_format(e->time_ms, time);
	add(o, address, time, strchr(class_name(e->class), '/') + 1, format_name((enum format)e->format));
	check(e->raw.len > 2 && e->raw.len <= REPORT_ROW_MAX && span_is_utf8(e->raw), o->text, "its line is none");
	return OK;
}

static enum err on_reject(void *context, const struct reject *r)
{
	struct outcome *o = context;

	o->rejects++;
	o->why = r->why;
	add(o, err_code(r->why), r->field != NULL ? r->field : "-", "", "");
	return OK;
}

static void make_public(char *text, size_t len)
{
	static const char *const pairs[][2] = { { "192.0.2.", "192.1.2." },
						{ "198.51.", "198.52." },
						{ "203.0.113", "203.1.113" } };

	for (size_t i = 0; i < len; i++)
		for (size_t k = 0; k < COUNT(pairs); k++) {
			size_t n = strlen(pairs[k][0]);

			if (len - i >= n && memcmp(text + i, pairs[k][0], n) == 0)
				memcpy(text + i, pairs[k][1], n);
		}
}

static void mail_read(struct arena *a, const char *path, bool public, struct outcome *o)
{
	const struct report_sink sink = { on_event, on_reject, o };
	const struct report_options options = { 0 };
	struct scratch *s = NULL;
	struct layout *l = NULL;
	struct span text = { NULL, 0 };

	*o = (struct outcome){ 0 };
	if (file_read(a, path, (size_t)1 << 20, &text) != OK || scratch_new(&s) != OK) {
		check(false, path, err_detail());
		return;
	}
	if (public)
		make_public((char *)(uintptr_t)text.at, text.len);
	if (report_detect(a, span_of(path), text, &options, &l) == OK) {
		struct report_cursor at = report_start(l), from = at;
		struct span rows = span_from(text, at.offset);

		check(layout_format(l) == FORMAT_MAIL, path, "it is not taken for a mail");
		check(report_boundary(l, &at, rows, true) == rows.len, path, "not all of it is mail");
		check(report_parse(l, s, rows, &from, &sink) == OK, path, err_detail());
	} else {
		check(false, path, err_detail());
	}
	scratch_free(s);
}

static void complaints(struct arena *a, const char *folder)
{
	static const struct {
		const char *file, *outcome;
	} mails[] = {
		{ "arf-01", "192.1.2.89 2009-04-29T00:00:00Z spam arf" },
		{ "arf-02", "192.1.2.8 2013-04-30T07:45:50Z spam arf" }, /* by Received, in Pacific time */
		{ "arf-11", "192.1.2.2 2006-04-09T14:34:45Z spam arf" }, /* both by Received */
		{ "arf-12", "no-complaint Feedback-Type" },
		{ "arf-14", "192.1.2.2 2017-04-29T23:34:45Z spam arf" }, /* by Received */
		{ "arf-15", "192.1.2.222 2015-04-29T23:34:45Z spam arf" },
		{ "arf-16", "192.1.2.1 2015-04-29T23:34:45Z spam arf" },
		{ "arf-17", "192.1.2.3 2016-04-29T23:34:45Z spam arf" },
		{ "arf-18", "192.1.2.222 2015-04-29T23:34:45Z undetermined arf" },
		{ "arf-19", "203.1.113.2 2015-04-29T14:34:45Z undetermined arf" },
		{ "arf-20", "203.1.113.2 2015-04-29T23:34:45Z undetermined arf" }, /* time by Received */
		{ "arf-21", "198.52.100.224 2015-04-29T23:34:45Z spam arf" },
		/* without a feedback-report */
		{ "arf-22", "203.1.113.245 2016-04-29T23:34:45Z spam mail" },
		{ "arf-23", "203.1.113.245 2016-04-29T23:34:45Z spam mail" },
		{ "arf-24", "203.1.113.245 2016-04-29T23:34:45Z spam mail" },
		{ "arf-25", "address-special Source-IP" },
		{ "arf-26", "bounce Auto-Submitted" }, /* asks to be left off a list, by itself */
	};
	size_t events = 0;

	for (size_t i = 0; i < COUNT(mails); i++) {
		const char *path = arena_print(a, "%s/%s.eml", folder, mails[i].file);
		struct outcome o;

		mail_read(a, path, true, &o);
		check(strcmp(o.text, mails[i].outcome) == 0, path, o.text);
		events += o.events;
		mail_read(a, path, false, &o);
		check(o.events == 0 && o.rejects == 1, path, "an address of documentation was taken for a real one");
	}
	printf("complaints: %zu mails, %zu events\n", COUNT(mails), events);
	check(events == 14, folder, "there should be 14 events");
}

static int is_mail(const struct dirent *d)
{
	return span_ends(span_of(d->d_name), ".eml");
}

static void bounces(struct arena *a, const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_mail, alphasort);

	check(count == 80, folder, "there should be 80 bounces");
	for (int i = 0; i < count; i++) {
		const char *path = arena_print(a, "%s/%s", folder, entries[i]->d_name);
		struct outcome o;

		mail_read(a, path, true, &o);
		check(o.events == 0 && o.rejects == 1 && o.why == ERR_BOUNCE, path, o.text);
		free(entries[i]);
	}
	free(entries);
	printf("bounces: %d mails, each refused as one\n", count);
}

int main(void)
{
	const char *shared = getenv("COMITY_SHARED");
	struct arena *a = arena_new((size_t)64 << 20);
	const char *folder;

	if (a == NULL)
		return 1;
	folder = arena_print(a, "%s/data/routing/mail", shared != NULL ? shared : "../shared");
	if (!file_exists(arena_print(a, "%s/arf/arf-01.eml", folder))) {
		printf("SKIPPED: no mails in %s; set COMITY_SHARED\n", folder);
		arena_free(a);
		return 77;
	}
	complaints(a, arena_print(a, "%s/arf", folder));
	bounces(a, arena_print(a, "%s/bounce", folder));
	arena_free(a);
	printf("%u failures\n", failures);
	return failures == 0 ? 0 : 1;
}
