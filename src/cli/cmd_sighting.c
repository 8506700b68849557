#include "cli/cli.h"

#include <stdlib.h>

#include "regime/sighting.h"

#define TOP_MAX 1000000

/* Spans point into the snapshot. */
struct row {
	struct addressee to;
	enum rsit_class class;
	struct sighting_line line;
	struct sighting s;
};

struct listing {
	struct cli *c;
	enum rsit_class class;
	bool has_source;
	struct prefix source;
	int64_t since_ms;
	struct row *top; /* a heap, the least first */
	size_t count, room;
};

/* ---- one line ---- */

static void source_text(const struct sighting_line *l, char out[PREFIX_TEXT])
{
	if (l->length > 0)
		prefix_format((struct prefix){ l->source, l->length }, out);
	else
		address_format(l->source, out);
}

static void row_object(struct cli *c, const struct row *r)
{
	char source[PREFIX_TEXT];
	struct json *j = cli_object(c);

	source_text(&r->line, source);
	if (r->to.type == TO_ALL)
		json_null(j, "to"); /* nobody answers for it */
	else
		addressee_json(j, "to", &r->to);
	json_text(j, "class", class_name(r->class));
	json_text(j, "source", source);
	if (r->line.port != 0)
		json_number(j, "port", r->line.port);
	if (r->line.malware.len > 0)
		json_string(j, "malware", r->line.malware);
	json_number(j, "count", (int64_t)r->s.count);
	json_number(j, "held", (int64_t)r->s.held);
	json_time(j, "first", r->s.first_ms);
	json_time(j, "last", r->s.last_ms);
	json_time(j, "told", r->s.told_ms);
	json_number(j, "times_told", (int64_t)r->s.told);
	json_number(j, "again", (int64_t)r->s.again);
	cli_object_end(c);
}

static void row_line(const struct row *r)
{
	char source[PREFIX_TEXT + 8], count[32], first[CLOCK_TEXT], last[CLOCK_TEXT];
	struct buffer to = BUFFER(1024);

	source_text(&r->line, source);
	if (r->line.port != 0)
		snprintf(source + strlen(source), 8, " :%u", r->line.port);
	if (r->to.type == TO_ALL)
		buffer_text(&to, "nobody");
	else
		addressee_print(&r->to, &to);
	cli_column(buffer_view(&to), 22);
	buffer_free(&to);
	cli_column(span_of(class_name(r->class)), 37);
	cli_column(span_of(source), 22);
	cli_thousands(r->s.count, count);
	printf("%10s", count);
	if (r->s.last_ms != 0) {
		cli_date(r->s.first_ms, first);
		cli_date(r->s.last_ms, last);
		printf("  %s to %s", first, last);
	}
	printf("  told %llu", (unsigned long long)r->s.told);
	cli_thousands(r->s.held, count);
	if (r->s.held > 0)
		printf(", %s held", count);
	if (r->s.again > 0)
		printf(", back %llu", (unsigned long long)r->s.again);
	if (r->line.malware.len > 0) {
		printf("  ");
		cli_print(r->line.malware);
	}
	putchar('\n');
}

static void row_show(struct cli *c, const struct row *r)
{
	if (c->json)
		row_object(c, r);
	else
		row_line(r);
}

/* ---- the most ---- */

static bool less(const struct row *a, const struct row *b)
{
	return a->s.count < b->s.count;
}

static void swap(struct row *a, struct row *b)
{
	struct row kept = *a;

	*a = *b;
	*b = kept;
}

static void sink(struct row *heap, size_t count)
{
	for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
		if (child + 1 < count && less(&heap[child + 1], &heap[child]))
			child++;
		if (!less(&heap[child], &heap[at]))
			return;
		swap(&heap[child], &heap[at]);
	}
}

static void keep(struct listing *l, const struct row *r)
{
	size_t at = l->count;

	if (l->count == l->room) {
		if (!less(&l->top[0], r))
			return;
		l->top[0] = *r;
		sink(l->top, l->count);
		return;
	}
	l->top[l->count++] = *r;
	for (; at > 0 && less(&l->top[at], &l->top[(at - 1) / 2]); at = (at - 1) / 2)
		swap(&l->top[at], &l->top[(at - 1) / 2]);
}

static int most_first(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	int order = less(x, y) - less(y, x);

	return order != 0 ? order : address_compare(x->line.source, y->line.source);
}

/* ---- the command ---- */

static enum err take(void *context, const struct addressee *to, enum rsit_class class, const struct sighting_line *line,
		     const struct sighting *s)
{
	struct listing *l = context;
	struct row r = { *to, class, *line, *s };
	struct prefix source = { line->source, line->length };

	if (source.length == 0)
		source.length = line->source.family == FAMILY_IPV4 ? 32 : 128;
	if ((l->class != CLASS_NONE && class != l->class) || s->last_ms < l->since_ms ||
	    (l->has_source && !prefix_contains(l->source, source)))
		return OK;
	if (l->room > 0)
		keep(l, &r);
	else
		row_show(l->c, &r);
	return OK;
}

static enum err read_options(struct listing *l, struct addressee *to, bool *has_to)
{
	struct cli *c = l->c;
	const char *whom = cli_option(c, "to"), *class = cli_option(c, "class"), *source = cli_option(c, "source");
	uint64_t top;
	enum err e = cli_number(c, "top", 0, TOP_MAX, &top);

	if (e == OK)
		e = cli_time(c, "since", 0, &l->since_ms);
	if (e == OK && whom != NULL && addressee_parse(span_of(whom), to) != OK)
		e = fail(ERR_USAGE, "--to `%s`: %s", whom, err_detail());
	if (e == OK && class != NULL)
		e = class_parse(span_of(class), &l->class);
	if (e == OK && source != NULL)
		e = prefix_parse(span_of(source), &l->source);
	if (e == OK && cli_option(c, "top") != NULL && top == 0)
		e = fail(ERR_USAGE, "--top wants at least 1");
	if (e == OK && top > 0 && (l->top = arena_array(c->arena, (size_t)top, sizeof(*l->top))) == NULL)
		e = ERR_NO_MEMORY;
	*has_to = whom != NULL;
	l->has_source = source != NULL;
	l->room = (size_t)top;
	return e;
}

int cmd_sighting_list(struct cli *c)
{
	struct listing l = { .c = c };
	struct addressee to;
	struct state st;
	struct node *n = NULL;
	bool has_to = false;
	enum err e = read_options(&l, &to, &has_to);

	if (e == OK && (e = node_open(c->dir, NODE_READ, &n)) == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = sightings_walk(&st, has_to ? &to : NULL, take, &l);
		if (e == OK && l.count > 0)
			qsort(l.top, l.count, sizeof(*l.top), most_first);
		for (size_t i = 0; e == OK && i < l.count; i++)
			row_show(c, &l.top[i]);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}
