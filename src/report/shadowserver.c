#include "report/layout.h"

#include "base/clock.h"
#include "report/quad.h"

/* The header line's names, in order. */
struct names {
	struct span *name;
	size_t count;
};

static int column(const struct names *n, const char *name)
{
	for (size_t i = 0; i < n->count; i++)
		if (span_is(n->name[i], name))
			return (int)i;
	return -1;
}

static enum err no_memory(void)
{
	return fail(ERR_NO_MEMORY, "no room for the header line");
}

static enum err names_read(struct arena *a, const struct csv_row *row, struct names *n)
{
	if (row->fields > CSV_FIELDS_MAX)
		return fail(ERR_CSV, "the header has %zu columns, at most %d", row->fields, CSV_FIELDS_MAX);
	if ((n->name = arena_array(a, row->fields, sizeof(*n->name))) == NULL)
		return no_memory();
	for (; n->count < row->fields; n->count++) {
		struct span field = csv_field(row, n->count);
		char *text = arena_alloc(a, field.len);

		if (text == NULL)
			return no_memory();
		n->name[n->count] = span_trim(csv_unescape(field, text));
	}
	for (size_t i = 0; i < n->count; i++)
		for (size_t k = 0; k < i; k++)
			if (n->name[i].len > 0 && span_equal(n->name[i], n->name[k]))
				return fail(ERR_CSV, "the header names the column \"%.*s\" twice",
					    SPAN_FORMAT(n->name[i]));
	return OK;
}

static bool header_row(struct csv *c, struct span text, struct csv_row *row)
{
	csv_open(c, text, REPORT_ROW_MAX);
	return csv_next(c, row);
}

bool shadowserver_header(struct span text)
{
	struct csv c;
	struct csv_row row;

	if (!header_row(&c, text, &row) || row.err != OK)
		return false;
	for (size_t i = 0; i < row.fields; i++)
		if (span_is(span_trim(csv_field(&row, i)), "timestamp"))
			return true;
	return false;
}

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* The next run of characters that names of types are made of. */
static bool word_next(struct span *rest, struct span *word)
{
	while (rest->len > 0 && !is_word(rest->at[0]))
		*rest = span_from(*rest, 1);
	for (word->at = rest->at, word->len = 0; word->len < rest->len && is_word(rest->at[word->len]);)
		word->len++;
	*rest = span_from(*rest, word->len);
	return word->len > 0;
}

static bool looks_like_type(struct span word)
{
	static const char *const families[] = { "scan_",	"scan6_",      "event_",       "event4_",  "event6_",
						"compromised_", "population_", "population6_", "sandbox_", "device_" };

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		if (span_starts(word, families[i]))
			return true;
	return false;
}

static bool has_both(const struct names *n, const char *telltale)
{
	struct span second = span_of(telltale), first = span_cut(&second, ' ');
	unsigned found = 0;

	for (size_t i = 0; i < n->count; i++)
		found += span_equal(n->name[i], first) || span_equal(n->name[i], second);
	return found == 2;
}

/* By the file's name ("2026-11-22-scan_ssh-example.csv"); else, where it is known, by the columns. */
static const struct report_type *type_find(struct span file, const struct names *n, struct span *name)
{
	const struct report_type *type;
	struct span rest = file, word;

	*name = SPAN("shadowserver");
	while (word_next(&rest, &word)) {
		if ((type = report_type_find(word)) != NULL) {
			*name = word;
			return type;
		}
	}
	for (rest = file; word_next(&rest, &word);) {
		if (looks_like_type(word)) {
			*name = word;
			return NULL;
		}
	}
	for (size_t i = 0; (type = report_type_at(i)) != NULL; i++) {
		if (type->telltale != NULL && has_both(n, type->telltale)) {
			*name = span_of(type->name);
			return type;
		}
	}
	return NULL;
}

static int first_of(const struct names *n, const char *const *names)
{
	for (; *names != NULL; names++)
		if (column(n, *names) >= 0)
			return column(n, *names);
	return -1;
}

/* The port that belongs to an address: src_ip has src_port, ip has port. */
static int port_of(const struct names *n, int address)
{
	char port[32];
	struct span name = address >= 0 ? n->name[address] : SPAN("");

	if (!span_ends(name, "ip") || name.len + 3 > sizeof(port))
		return -1;
	memcpy(port, name.at, name.len - 2);
	memcpy(port + name.len - 2, "port", 5);
	return column(n, port);
}

/* Of a bot: "infection" is what it is known by, "family" the wider name. */
static void malware_find(const struct names *n, struct columns *c)
{
	static const char *const malware[] = { "infection", "malware", "malware_name", "family", "botnet" };
	size_t found = 0;

	c->malware[0] = c->malware[1] = -1;
	for (size_t i = 0; i < sizeof(malware) / sizeof(malware[0]) && found < 2; i++)
		if (column(n, malware[i]) >= 0)
			c->malware[found++] = column(n, malware[i]);
}

static void columns_find(const struct names *n, enum report_role role, struct columns *c)
{
	static const char *const sources[] = { "src_ip", "ip", "source_ip", "address", "dst_ip", NULL };
	static const char *const targets[] = { "dst_ip", "ip", "src_ip", NULL };
	static const char *const referers[] = { "http_referer_ip", "src_ip", "ip", NULL };

	c->time = column(n, "timestamp");
	c->protocol = column(n, "protocol");
	c->source = first_of(n, role == ROLE_TARGET ? targets : role == ROLE_REFERER ? referers : sources);
	c->target = column(n, role == ROLE_TARGET ? "src_ip" : "dst_ip");
	if (c->target == c->source)
		c->target = -1;
	c->source_port = port_of(n, c->source);
	c->target_port = port_of(n, c->target);
	malware_find(n, c);
}

static const char *name_copy(struct arena *a, const struct names *n, int i)
{
	return i >= 0 ? arena_copy(a, n->name[i].at, n->name[i].len) : "";
}

enum err shadowserver_detect(struct arena *a, struct span name, struct span text, struct layout *l)
{
	struct csv c;
	struct csv_row row;
	struct names n = { 0 };
	const struct report_type *type;
	enum err e;

	if (!header_row(&c, text, &row))
		return fail(ERR_EMPTY, "no header line");
	if (row.err != OK || (c.row == text.len && text.len >= REPORT_HEAD - 3))
		return fail(ERR_CSV, "the header line is broken, or longer than %d bytes", REPORT_HEAD);
	if (memchr(row.raw.at, '\0', row.raw.len) != NULL || !span_is_utf8(row.raw))
		return fail(ERR_ENCODING, "the header line is not UTF-8");
	if ((e = names_read(a, &row, &n)) != OK)
		return e;
	type = type_find(name, &n, &l->type);
	columns_find(&n, type != NULL ? type->role : ROLE_SOURCE, &l->columns);
	if (l->columns.time < 0 || l->columns.source < 0)
		return fail(ERR_CSV, "the header has no column \"%s\"",
			    l->columns.time < 0 ? "timestamp" : "ip or src_ip");
	l->type_known = type != NULL;
	l->class = type != NULL ? type->class : CLASS_UNDETERMINED;
	l->field_count = n.count;
	for (size_t i = 0; i < n.count; i++)
		l->unknown_columns += !report_column_known(n.name[i]);
	l->source_name = name_copy(a, &n, l->columns.source);
	l->port_name = name_copy(a, &n, l->columns.source_port);
	l->header = (struct span){ arena_copy(a, row.raw.at, row.raw.len), row.raw.len };
	l->type.at = arena_copy(a, l->type.at, l->type.len);
	l->skip = c.row;
	l->skip_lines = c.line;
	if (l->header.at == NULL || l->type.at == NULL || l->source_name == NULL || l->port_name == NULL)
		return no_memory();
	return OK;
}

static struct span field(const struct csv_row *row, int column)
{
	return column >= 0 ? csv_field(row, (size_t)column) : (struct span){ "", 0 };
}

/* Rows come in order of time, so the next row's is often the same text. */
static enum err time_read(struct scratch *s, struct span text, int64_t *ms)
{
	if (text.len == sizeof(s->time) && memcmp(text.at, s->time, sizeof(s->time)) == 0) {
		*ms = s->time_ms;
		return OK;
	}
	if (clock_parse_plain(text, ms) != OK)
		return clock_parse_rfc3339(text, ms);
	memcpy(s->time, text.at, sizeof(s->time));
	s->time_ms = *ms;
	return OK;
}

static enum err address_read(const struct parse *p, struct span text, struct address *out)
{
	size_t before;
	uint32_t v;

	if (text.len == 0) /* or at no column: then it is not in rows */
		return ERR_ADDRESS;
	before = (size_t)(text.at - p->rows.at);
	if (before < QUAD_BEFORE || p->rows.len - before < QUAD_ROOM || quad_read(text.at, false, &v) != text.len)
		return address_parse(text, out);
	*out = address_ipv4(v);
	return OK;
}

/* What routing needs must be right. The other side, and what it may lack, is left out if it is not. Sets all of e that
 * differs from row to row. */
static enum err row_read(const struct parse *p, const struct csv_row *row, struct event *e, const char **name)
{
	const struct layout *l = p->layout;
	struct span text;
	enum err err;

	if (row->fields > l->field_count)
		return ERR_CSV;
	*name = "timestamp";
	text = field(row, l->columns.time);
	e->time_ms = l->date_ms;
	if ((text.len > 0 || l->date_ms == 0) && (err = time_read(p->scratch, text, &e->time_ms)) != OK)
		return err;
	if ((err = time_check(l, e->time_ms)) != OK)
		return err;
	*name = l->source_name;
	if ((err = address_read(p, field(row, l->columns.source), &e->source)) != OK)
		return err;
	if ((err = source_check(&e->source)) != OK)
		return err;
	*name = l->port_name;
	if ((err = port_parse(field(row, l->columns.source_port), &e->source_port)) != OK)
		return err;
	if (!(e->has_target = address_read(p, field(row, l->columns.target), &e->target) == OK))
		e->target = (struct address){ 0 };
	if (port_parse(field(row, l->columns.target_port), &e->target_port) != OK)
		e->target_port = 0;
	e->transport = transport_parse(field(row, l->columns.protocol));
	e->malware = field(row, l->columns.malware[0]);
	if (e->malware.len == 0)
		e->malware = field(row, l->columns.malware[1]);
	return OK;
}

enum err shadowserver_parse(struct parse *p)
{
	struct csv *c = &p->scratch->csv;
	struct event event = { .class = p->layout->class };
	struct csv_row row;
	enum err e = OK;

	csv_open(c, p->rows, p->layout->row_max);
	while (e == OK && csv_next(c, &row)) {
		struct place at = { row.offset, row.line, row.raw };
		const char *name = NULL;
		enum err why = row.err;

		if (why == OK)
			why = parse_encoding(p, row.raw);
		if (why == OK)
			why = row_read(p, &row, &event, &name);
		e = why == OK ? parse_event(p, &at, &event) : parse_reject(p, &at, why, name);
	}
	return e;
}
