#include "cli/cli.h"

struct json *cli_object(struct cli *c)
{
	buffer_clear(&c->line);
	c->object = (struct json){ .out = &c->line };
	json_object(&c->object, NULL);
	return &c->object;
}

void cli_object_end(struct cli *c)
{
	json_object_end(&c->object);
	buffer_byte(&c->line, '\n');
	fwrite(c->line.at, 1, c->line.len, stdout);
}

char *cli_addressee(struct cli *c, const struct addressee *to)
{
	struct buffer b = BUFFER(1024);
	char *text;

	addressee_print(to, &b);
	text = arena_copy(c->arena, b.at, b.len);
	buffer_free(&b);
	return text != NULL ? text : "?";
}

/* No control characters, neither ASCII's nor the 32 behind them (U+0080 to U+009F, in UTF-8 C2 and one byte). */
static void print_safe(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.at[i],
			      next = i + 1 < text.len ? (unsigned char)text.at[i + 1] : 0;

		if (byte == 0xc2 && next >= 0x80 && next <= 0x9f) {
			putchar('?');
			i++;
			continue;
		}
		putchar(byte < 0x20 || byte == 0x7f ? '?' : byte);
	}
}

void cli_print(struct span text)
{
	print_safe(text);
}

/* Counts characters, not bytes: names are UTF-8. Cuts only between characters. */
void cli_column(struct span text, size_t width)
{
	size_t shown = 0, end = 0;

	for (size_t i = 0; i < text.len; i++) {
		if (((unsigned char)text.at[i] & 0xc0) != 0x80 && shown++ == width)
			break;
		end = i + 1;
	}
	print_safe(span_make(text.at, end));
	for (size_t n = shown < width ? width - shown : 0; n > 0; n--)
		putchar(' ');
	putchar(' ');
}

const char *cli_bold(const struct cli *c)
{
	return c->colour ? "\033[1m" : "";
}
const char *cli_dim(const struct cli *c)
{
	return c->colour ? "\033[2m" : "";
}
const char *cli_plain(const struct cli *c)
{
	return c->colour ? "\033[0m" : "";
}

void cli_date(int64_t ms, char out[CLOCK_TEXT])
{
	clock_format(ms, out);
	out[10] = ' ';
	out[16] = '\0';
}

void cli_thousands(uint64_t n, char out[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);
	size_t at = 0;

	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			out[at++] = ',';
		out[at++] = digits[i];
	}
	out[at] = '\0';
}

struct progress progress_begin(const struct cli *c, const char *what)
{
	return (struct progress){ .what = what, .began_us = clock_monotonic_us(), .on = c->terminal && !c->json };
}

void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t units, const char *unit)
{
	int64_t now = clock_monotonic_us(), elapsed = now - p->began_us;
	double rate;
	char count[32], per_second[32];

	if (!p->on || now - p->shown_us < 100000 || elapsed < 200000)
		return;
	p->shown_us = now;
	rate = (double)units * 1e6 / (double)elapsed;
	cli_thousands(units, count);
	cli_thousands((uint64_t)rate, per_second);
	fprintf(stderr, "\r\033[K%s: %s %s, %s/s", p->what, count, unit, per_second);
	if (total > 0 && done > 0 && done <= total)
		fprintf(stderr, ", %d %%, %.0f s left", (int)(100.0 * (double)done / (double)total),
			(double)elapsed / 1e6 * (double)(total - done) / (double)done);
	fflush(stderr);
}

void progress_end(struct progress *p)
{
	if (p->on && p->shown_us != 0)
		fputs("\r\033[K", stderr);
	p->on = false;
}
