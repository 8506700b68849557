/* Reads the bounces of others in ../shared/data/routing/mail/bounce (or $COMITY_SHARED/data/routing/mail/bounce). Where there is a
 * delivery-status part, recipients, actions and status codes are also picked out line by line by a loop that knows no MIME, and both
 * must agree. Of the rest each must name a recipient. Exits with 77 where the data is absent. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "mail/mailer.h"

static unsigned failures;

static void check(bool good, const char *file, const char *what)
{
	if (good)
		return;
	failures++;
	printf("FAILED %s: %s\n", file, what);
}

static bool field(struct span line, const char *name, struct span *value)
{
	size_t n = strlen(name);

	if (line.len < n || !span_equal_nocase(span_make(line.at, n), span_of(name)))
		return false;
	*value = span_trim(span_from(line, n));
	return true;
}

/* The worst of what the status groups say, by lines alone. */
static enum bounce_verdict by_lines(struct span mail, size_t *recipients)
{
	struct span line, value, action = SPAN(""), status = SPAN("");
	enum bounce_verdict worst = BOUNCE_NONE;
	bool inside = false, group = false;

	*recipients = 0;
	while (span_line(&mail, &line)) {
		if (field(line, "Content-Type: message/delivery-status", &value))
			inside = true;
		if (!inside)
			continue;
		if (field(line, "Final-Recipient:", &value)) {
			group = true;
			++*recipients;
		}
		field(line, "Action:", &action);
		field(line, "Status:", &status);
		if (group && line.len == 0) {
			enum bounce_verdict v = span_starts(action, "delayed") ? BOUNCE_DELAYED
						: span_starts(status, "5")     ? BOUNCE_FOR_GOOD
						: span_starts(status, "4")     ? BOUNCE_FOR_NOW
									       : BOUNCE_UNKNOWN;

			if (v == BOUNCE_FOR_GOOD || worst == BOUNCE_NONE ||
			    (v == BOUNCE_FOR_NOW && worst != BOUNCE_FOR_GOOD))
				worst = v;
			group = false;
			action = status = SPAN("");
		}
		if (span_starts(line, "--") && *recipients > 0 && !group)
			return worst;
	}
	return worst;
}

struct counts {
	size_t mails, with_status, verdicts[BOUNCE_VERDICT_COUNT];
};

static void read_one(const char *path, const char *file, struct counts *c)
{
	struct arena *a = arena_new((size_t)8 << 20);
	struct bounce b;
	struct span mail;
	size_t recipients;
	enum bounce_verdict expected;

	if (a == NULL || file_read(a, path, (size_t)2 << 20, &mail) != OK ||
	    bounce_read(a, SPAN("cert.example"), mail, &b) != OK) {
		check(false, file, "cannot be read");
		arena_free(a);
		return;
	}
	c->mails++;
	c->verdicts[b.verdict]++;
	expected = by_lines(mail, &recipients);
	check(b.automatic && !b.own, file, "not taken for automatic");
	if (recipients > 0) {
		c->with_status++;
		if (b.verdict != expected)
			printf("%s: %s, by lines %s\n", file, bounce_verdict_name(b.verdict),
			       bounce_verdict_name(expected));
		check(b.verdict == expected, file, "another verdict than the delivery status gives");
	}
	check(b.recipient_count > 0, file, "no recipient");
	if (getenv("BOUNCES_SHOW") != NULL)
		for (size_t i = 0; i < b.recipient_count; i++)
			printf("%-22s %-9s %-40.*s %-6.*s %.*s\n", file, bounce_verdict_name(b.recipients[i].verdict),
			       SPAN_FORMAT(b.recipients[i].mail), SPAN_FORMAT(b.recipients[i].status),
			       SPAN_FORMAT(b.recipients[i].says));
	arena_free(a);
}

int main(void)
{
	const char *shared = getenv("COMITY_SHARED");
	struct counts c = { 0 };
	struct dirent **files;
	char folder[1000], path[2000];
	int n;

	snprintf(folder, sizeof(folder), "%s/data/routing/mail/bounce", shared != NULL ? shared : "../shared");
	if ((n = scandir(folder, &files, NULL, alphasort)) < 0) {
		printf("skipped: %s is not there\n", folder);
		return 77;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, files[i]->d_name);
		if (span_ends(span_of(files[i]->d_name), ".eml"))
			read_one(path, files[i]->d_name, &c);
		free(files[i]);
	}
	free(files);
	printf("%zu bounces, %zu with a delivery status:", c.mails, c.with_status);
	for (int v = 0; v < BOUNCE_VERDICT_COUNT; v++)
		printf(" %zu %s", c.verdicts[v], bounce_verdict_name((enum bounce_verdict)v));
	printf("\n");
	check(c.mails > 0 && c.with_status > 0, folder, "nothing in it");
	check(c.verdicts[BOUNCE_NONE] == 0, folder, "a bounce was taken for none");
	check(20 * c.verdicts[BOUNCE_UNKNOWN] <= c.mails, folder, "more than one in twenty says nothing to us");
	return failures == 0 ? 0 : 1;
}
