/* How our readers see text, for a comparison with those of another language. Each line of standard input is a letter and
 * hex; each answer is a line:
 *	a	an address	the canonical text, or "-"
 *	p	a prefix	likewise
 *	c	CSV		rows with ";" before each: fields in hex with "," before each, or "!" for one that is rejected */
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "report/csv.h"

#define LINE_MAX_HERE 65536
#define ROW_MAX 16384

static size_t unhex(const char *s, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i + 1 < n; i += 2) {
		const char *high = strchr(digits, s[i]), *low = strchr(digits, s[i + 1]);

		if (high == NULL || low == NULL)
			exit(2);
		out[i / 2] = (char)((high - digits) << 4 | (low - digits));
	}
	return n / 2;
}

static void address_say(struct span s)
{
	struct address a;
	char text[ADDRESS_TEXT] = "-";

	if (address_parse(s, &a) == OK)
		address_format(a, text);
	puts(text);
}

static void prefix_say(struct span s)
{
	struct prefix p;
	char text[PREFIX_TEXT] = "-";

	if (prefix_parse(s, &p) == OK)
		prefix_format(p, text);
	puts(text);
}

static void csv_say(struct span s)
{
	static char field[LINE_MAX_HERE];
	struct csv c;
	struct csv_row row;

	csv_open(&c, s, ROW_MAX);
	while (csv_next(&c, &row)) {
		putchar(';');
		if (row.err != OK)
			putchar('!');
		for (size_t i = 0; row.err == OK && i < row.fields; i++) {
			struct span f = csv_unescape(csv_field(&row, i), field);

			putchar(',');
			for (size_t k = 0; k < f.len; k++)
				printf("%02x", (unsigned char)f.at[k]);
		}
	}
	putchar('\n');
}

int main(void)
{
	static char line[LINE_MAX_HERE], text[LINE_MAX_HERE];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		size_t n = strcspn(line, "\n");
		char *exact;
		struct span s;

		if (n == 0)
			continue;
		s.len = unhex(line + 1, n - 1, text);
		if ((exact = malloc(s.len + (s.len == 0))) == NULL) /* what stands behind it is not ours to read */
			return 2;
		memcpy(exact, text, s.len);
		s.at = exact;
		if (line[0] == 'a')
			address_say(s);
		else if (line[0] == 'p')
			prefix_say(s);
		else
			csv_say(s);
		free(exact);
	}
	return 0;
}
