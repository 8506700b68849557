/* Writes reports to measure and to show with: rows of Shadowserver's event4_honeypot_brute_force, address lists,
 * IntelMQ events. The same seed gives the same bytes.
 *
 * 	make_reports [--rows N] [--format shadowserver|list|intelmq] [--seed S] [--time 2026-11-22T00:00:00Z]
 * 		[--addresses FILE]
 * */
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/clock.h"
#include "reports.h"

static struct span file_read_all(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t room = (size_t)1 << 28, n;
	char *text = malloc(room);

	if (f == NULL || text == NULL || (n = fread(text, 1, room, f)) == 0) {
		fprintf(stderr, "make_reports: cannot read %s\n", path);
		exit(1);
	}
	fclose(f);
	return (struct span){ text, n };
}

/* The first word of each line that is an address. */
static void addresses_read(struct reports *r, const char *path)
{
	struct span rest = file_read_all(path), line;
	size_t room = 0;

	while (span_line(&rest, &line)) {
		struct address a;
		size_t n = 0;

		while (n < line.len && line.at[n] != ' ' && line.at[n] != '\t' && line.at[n] != ',')
			n++;
		if (address_parse((struct span){ line.at, n }, &a) != OK)
			continue;
		if (r->address_count == room) {
			room = room == 0 ? 1024 : room * 2;
			if ((r->addresses = realloc(r->addresses, room * sizeof(*r->addresses))) == NULL)
				exit(1);
		}
		r->addresses[r->address_count++] = a;
	}
	if (r->address_count == 0) {
		fprintf(stderr, "make_reports: no address in %s\n", path);
		exit(1);
	}
}

static void usage(void)
{
	fputs("usage: make_reports [--rows N] [--format shadowserver|list|intelmq] [--seed S] [--time TIME]"
	      " [--addresses FILE] [--still yes]\n",
	      stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	struct reports r = { .seed = 1, .time_ms = INT64_C(1795305600000) };
	enum reports_format format = REPORTS_SHADOWSERVER;
	uint64_t rows = 1000;
	char row[REPORTS_ROW];

	for (int i = 1; i < argc; i += 2) {
		struct span value = span_of(i + 1 < argc ? argv[i + 1] : "");
		enum err e = OK;

		if (strcmp(argv[i], "--rows") == 0)
			e = span_u64(value, UINT64_MAX, &rows);
		else if (strcmp(argv[i], "--seed") == 0)
			e = span_u64(value, UINT64_MAX, &r.seed);
		else if (strcmp(argv[i], "--time") == 0)
			e = clock_parse_rfc3339(value, &r.time_ms);
		else if (strcmp(argv[i], "--format") == 0)
			e = reports_format_parse(value, &format);
		else if (strcmp(argv[i], "--still") == 0)
			r.still = span_is(value, "yes");
		else if (strcmp(argv[i], "--addresses") == 0 && value.len > 0)
			addresses_read(&r, argv[i + 1]);
		else
			usage();
		if (e != OK)
			usage();
	}
	fputs(reports_header(format), stdout);
	while (rows-- > 0) {
		size_t n = reports_row(&r, format, row);

		if (fwrite(row, 1, n, stdout) != n)
			return 1;
	}
	return fflush(stdout) == 0 ? 0 : 1;
}
