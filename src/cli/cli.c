#include "cli/cli.h"

#include <stdlib.h>

bool cli_flag(const struct cli *c, const char *name)
{
	return cli_option(c, name) != NULL;
}

const char *cli_option(const struct cli *c, const char *name)
{
	for (size_t i = c->given_count; i-- > 0;)
		if (strcmp(c->given[i].name, name) == 0)
			return c->given[i].value;
	return NULL;
}

const char *cli_next(const struct cli *c, const char *name, size_t *at)
{
	while (*at < c->given_count) {
		const struct given *g = &c->given[(*at)++];

		if (strcmp(g->name, name) == 0)
			return g->value;
	}
	return NULL;
}

enum err cli_number(const struct cli *c, const char *name, uint64_t fallback, uint64_t max, uint64_t *out)
{
	const char *text = cli_option(c, name);

	*out = fallback;
	if (text != NULL && span_u64(span_of(text), max, out) != OK)
		return fail(ERR_USAGE, "--%s wants a number up to %llu, not `%s`", name, (unsigned long long)max, text);
	return OK;
}

enum err cli_time(const struct cli *c, const char *name, int64_t fallback, int64_t *out)
{
	const char *text = cli_option(c, name);

	*out = fallback;
	if (text != NULL && clock_parse_rfc3339(span_of(text), out) != OK)
		return fail(ERR_USAGE, "--%s wants a time such as 2026-11-22T20:45:00Z, not `%s`", name, text);
	return OK;
}

int cli_exit_code(enum err e)
{
	switch (e) {
	case OK:
		return EXIT_OK;
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_NO_MEMORY:
	case ERR_IO:
	case ERR_SYNC:
	case ERR_UNREACHABLE:
		return EXIT_MACHINE;
	case ERR_DAMAGED:
	case ERR_NOTE_SIGNATURE:
	case ERR_NOTE_UNSIGNED:
	case ERR_CRYPTO_SELF_TEST:
	case ERR_PROOF:
	case ERR_LEDGER_DIFFERS:
	case ERR_TABLE_DAMAGED:
		return EXIT_DIFFERS;
	case ERR_BUSY:
		return EXIT_BUSY;
	default:
		return EXIT_REFUSED;
	}
}

int cli_fail(struct cli *c, enum err e)
{
	const char *detail = err_detail();

	fflush(stdout);
	if (c->json) {
		struct buffer line = BUFFER(16384);
		struct json j = { .out = &line };

		json_object(&j, NULL);
		json_text(&j, "error", err_code(e));
		json_text(&j, "detail", detail);
		json_text(&j, "advice", err_advice(e));
		json_object_end(&j);
		fprintf(stderr, "%.*s\n", SPAN_FORMAT(buffer_view(&line)));
		buffer_free(&line);
	} else {
		fprintf(stderr, "comity: %s%s%s\n", err_code(e), detail[0] != '\0' ? ": " : "", detail);
		fprintf(stderr, "  %s\n", err_advice(e));
	}
	return cli_exit_code(e);
}

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

void cli_json_hash(struct json *j, const char *key, struct hash h)
{
	char hex[HASH_HEX + 1];

	hash_hex(h, hex);
	json_text(j, key, hex);
}

void cli_json_time(struct json *j, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT];

	if (ms == 0) {
		json_null(j, key);
		return;
	}
	clock_format_ms(ms, text);
	json_text(j, key, text);
}

void cli_json_addressee(struct json *j, const char *key, const struct addressee *to)
{
	struct buffer b = BUFFER(1024);

	addressee_print(to, &b);
	json_string(j, key, buffer_view(&b));
	buffer_free(&b);
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

static void print_safe(struct span text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.at[i];

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

const char *cli_bold(const struct cli *c) { return c->colour ? "\033[1m" : ""; }
const char *cli_dim(const struct cli *c) { return c->colour ? "\033[2m" : ""; }
const char *cli_plain(const struct cli *c) { return c->colour ? "\033[0m" : ""; }

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

enum err cli_table(struct cli *c, struct table **out)
{
	char *path = arena_print(c->arena, "%s/territory.table", c->dir);

	if (path == NULL)
		return ERR_NO_MEMORY;
	return table_open(path, out);
}

struct gathering {
	struct cli *c;
	struct territory_claim *claims;
	size_t count, room;
};

static enum err gather_claim(void *context, const struct claim *claim)
{
	struct gathering *g = context;

	if (g->count == g->room) {
		size_t room = g->room == 0 ? 256 : g->room * 2;
		struct territory_claim *bigger = arena_array(g->c->arena, room, sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		if (g->count > 0)
			memcpy(bigger, g->claims, g->count * sizeof(*bigger));
		g->claims = bigger;
		g->room = room;
	}
	g->claims[g->count++] = (struct territory_claim){
		.party = span_of(arena_copy(g->c->arena, claim->party.at, claim->party.len)),
		.type = claim->type,
		.asn = claim->asn,
		.prefix = claim->prefix,
		.country = { claim->country[0], claim->country[1], 0 },
		.approved_ms = claim->approved_ms,
		.approval = claim->approval,
	};
	return OK;
}

enum err cli_claims(struct cli *c, const struct state *st, struct territory_claim **out, size_t *count)
{
	struct gathering g = { .c = c };
	enum err e = state_claims(st, true, gather_claim, &g);

	*out = g.claims;
	*count = g.count;
	return e;
}

struct seeking {
	struct span start;
	struct matter found;
	unsigned hits;
};

static enum err seek_matter(void *context, const struct matter *m)
{
	struct seeking *s = context;
	char hex[HASH_HEX + 1];

	hash_hex(m->id, hex);
	if (span_starts(span_of(hex), s->start.at)) {
		s->found = *m;
		s->hits++;
	}
	return OK;
}

enum err cli_matter(struct cli *c, const struct state *st, const char *text, struct matter *out)
{
	struct seeking s = { .start = span_of(text) };
	struct hash id;
	enum err e = OK;

	(void)c;
	if (hash_from_hex(s.start, &id) == OK)
		return state_matter(st, id, out);
	if (s.start.len < 8 || s.start.len > HASH_HEX)
		return fail(ERR_USAGE, "`%s` is no id: give all 64 hex digits or at least the first 8", text);
	for (int l = 0; e == OK && l < LEDGER_COUNT; l++)
		e = state_matters(st, (enum ledger_id)l, KIND_UNKNOWN, 0, seek_matter, &s);
	if (e == OK && s.hits == 0)
		e = fail(ERR_MATTER_UNKNOWN, "%s", text);
	if (e == OK && s.hits > 1)
		e = fail(ERR_USAGE, "%u ids start with %s: give more digits", s.hits, text);
	if (e == OK)
		*out = s.found; /* its spans point into the snapshot */
	return e;
}
