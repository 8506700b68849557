#include "net/structured.h"

#include "base/encoding.h"

struct parser {
	struct arena *arena;
	const char *at, *end;
	enum err err;
};

static void stop(struct parser *p, enum err e)
{
	if (p->err == OK)
		p->err = e;
	p->at = p->end;
}

/* The next byte; 0 at the end, which no field holds. */
static char peek(const struct parser *p)
{
	return p->at < p->end ? *p->at : '\0';
}

static bool take(struct parser *p, char c)
{
	if (p->at == p->end || *p->at != c)
		return false;
	p->at++;
	return true;
}

static void skip_spaces(struct parser *p, bool tabs)
{
	while (peek(p) == ' ' || (tabs && peek(p) == '\t'))
		p->at++;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alpha(char c)
{
	return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static struct span read_key(struct parser *p)
{
	const char *begin = p->at;

	if (!is_lower(peek(p)) && peek(p) != '*') {
		stop(p, ERR_SYNTAX);
		return SPAN("");
	}
	while (is_lower(peek(p)) || is_digit(peek(p)) || is_one_of(peek(p), "_-.*"))
		p->at++;
	return span_make(begin, (size_t)(p->at - begin));
}

/* At most 15 digits, or 12, a point and at most 3 (3.3.1, 3.3.2). */
static void read_number(struct parser *p, struct field_value *v)
{
	bool minus = take(p, '-');
	int whole = 0, fraction = 0;

	v->type = FIELD_INTEGER;
	for (; is_digit(peek(p)) && whole < 16; whole++)
		v->number = v->number * 10 + (*p->at++ - '0');
	if (whole > 0 && whole <= 12 && take(p, '.')) {
		v->type = FIELD_DECIMAL;
		for (; is_digit(peek(p)) && fraction < 4; fraction++)
			v->number = v->number * 10 + (*p->at++ - '0');
		if (fraction == 0 || fraction > 3)
			stop(p, ERR_SYNTAX);
		for (; fraction < 3; fraction++)
			v->number *= 10;
	}
	if (whole == 0 || whole > 15)
		stop(p, ERR_SYNTAX);
	if (minus)
		v->number = -v->number;
}

/* Where the string ends that begins here; NULL: nowhere, or it holds what it must not. */
static const char *string_end(const struct parser *p)
{
	for (const char *c = p->at; c < p->end && *c >= 0x20 && *c <= 0x7e; c++) {
		if (*c == '"')
			return c;
		if (*c == '\\' && (++c == p->end || !is_one_of(*c, "\\\"")))
			return NULL;
	}
	return NULL;
}

static void read_string(struct parser *p, struct field_value *v)
{
	const char *end = string_end(p);
	char *out = end != NULL ? arena_alloc(p->arena, (size_t)(end - p->at)) : NULL;
	size_t n = 0;

	v->type = FIELD_STRING;
	if (out == NULL) {
		stop(p, end != NULL ? ERR_NO_MEMORY : ERR_SYNTAX);
		return;
	}
	for (const char *c = p->at; c < end; c++) {
		if (*c == '\\')
			c++;
		out[n++] = *c;
	}
	v->text = span_make(out, n);
	p->at = end + 1;
}

static void read_bytes_value(struct parser *p, struct field_value *v)
{
	const char *end = memchr(p->at, ':', (size_t)(p->end - p->at));
	struct span text = end != NULL ? span_make(p->at, (size_t)(end - p->at)) : SPAN("");
	char *out = arena_alloc(p->arena, text.len);
	size_t length = 0;

	v->type = FIELD_BYTES;
	if (end == NULL || out == NULL || base64_decode(text, out, text.len, &length) != OK) {
		stop(p, out == NULL ? ERR_NO_MEMORY : ERR_SYNTAX);
		return;
	}
	v->text = span_make(out, length);
	p->at = end + 1;
}

static void read_token(struct parser *p, struct field_value *v)
{
	const char *begin = p->at;

	v->type = FIELD_TOKEN;
	while (is_alpha(peek(p)) || is_digit(peek(p)) || is_one_of(peek(p), "!#$%&'*+-.^_`|~:/"))
		p->at++;
	v->text = span_make(begin, (size_t)(p->at - begin));
}

static void read_bare(struct parser *p, struct field_value *v)
{
	char c = peek(p);

	*v = (struct field_value){ .text = SPAN("") };
	if (c == '-' || is_digit(c)) {
		read_number(p, v);
	} else if (take(p, '"')) {
		read_string(p, v);
	} else if (take(p, ':')) {
		read_bytes_value(p, v);
	} else if (take(p, '?')) {
		v->type = FIELD_BOOLEAN;
		v->number = take(p, '1');
		if (v->number == 0 && !take(p, '0'))
			stop(p, ERR_SYNTAX);
	} else if (is_alpha(c) || c == '*') {
		read_token(p, v);
	} else {
		stop(p, ERR_SYNTAX);
	}
}

static const struct field_value truth = { .type = FIELD_BOOLEAN, .number = 1, .text = { "", 0 } };

static void read_parameters(struct parser *p, struct field_parameters *out)
{
	*out = (struct field_parameters){ 0 };
	while (p->err == OK && take(p, ';')) {
		struct field_parameter one = { .value = truth };

		skip_spaces(p, false);
		one.key = read_key(p);
		if (take(p, '='))
			read_bare(p, &one.value);
		for (size_t i = 0; i < out->count; i++)
			if (span_equal(out->at[i].key, one.key))
				stop(p, ERR_SYNTAX);
		if (out->count == FIELD_PARAMETERS_MAX)
			stop(p, ERR_TOO_LONG);
		if (out->at == NULL && (out->at = arena_array(p->arena, FIELD_PARAMETERS_MAX, sizeof(one))) == NULL)
			stop(p, ERR_NO_MEMORY);
		if (p->err == OK)
			out->at[out->count++] = one;
	}
}

static void read_list(struct parser *p, struct field_member *m)
{
	m->list = true;
	m->items = arena_array(p->arena, FIELD_ITEMS_MAX, sizeof(*m->items));
	if (m->items == NULL)
		stop(p, ERR_NO_MEMORY);
	for (;;) {
		skip_spaces(p, false);
		if (p->err != OK || take(p, ')'))
			break;
		if (m->count == FIELD_ITEMS_MAX) {
			stop(p, ERR_TOO_LONG);
			break;
		}
		read_bare(p, &m->items[m->count].value);
		read_parameters(p, &m->items[m->count].parameters);
		m->count++;
		if (peek(p) != ' ' && peek(p) != ')')
			stop(p, ERR_SYNTAX);
	}
	read_parameters(p, &m->parameters);
}

static void read_member(struct parser *p, struct field_member *m)
{
	bool given;

	m->key = read_key(p);
	given = take(p, '=');
	if (given && take(p, '(')) {
		read_list(p, m);
		return;
	}
	m->count = 1;
	if ((m->items = arena_array(p->arena, 1, sizeof(*m->items))) == NULL) {
		stop(p, ERR_NO_MEMORY);
		return;
	}
	if (given)
		read_bare(p, &m->items[0].value);
	else
		m->items[0].value = truth;
	read_parameters(p, &m->items[0].parameters);
}

static void read_members(struct parser *p, struct dictionary *out)
{
	while (p->at < p->end) {
		struct field_member *m = &out->members[out->count];

		if (out->count == FIELD_MEMBERS_MAX) {
			stop(p, ERR_TOO_LONG);
			return;
		}
		read_member(p, m);
		if (p->err != OK)
			return;
		if (dictionary_find(out, m->key) != NULL) {
			stop(p, ERR_SYNTAX);
			return;
		}
		out->count++;
		skip_spaces(p, true);
		if (p->at == p->end)
			return;
		if (!take(p, ','))
			stop(p, ERR_SYNTAX);
		skip_spaces(p, true);
		if (p->at == p->end)
			stop(p, ERR_SYNTAX); /* a comma with nothing behind it */
	}
}

enum err dictionary_read(struct arena *a, struct span text, struct dictionary *out)
{
	struct parser p = { .arena = a };

	*out = (struct dictionary){ 0 };
	if (text.len > FIELD_TEXT_MAX)
		return ERR_TOO_LONG;
	if (text.len == 0)
		return OK;
	if ((out->members = arena_array(a, FIELD_MEMBERS_MAX, sizeof(*out->members))) == NULL)
		return ERR_NO_MEMORY;
	p.at = text.at;
	p.end = text.at + text.len;
	skip_spaces(&p, false);
	read_members(&p, out);
	return p.err;
}

static void print_bare(const struct field_value *v, struct buffer *out)
{
	int64_t n = v->number < 0 ? -v->number : v->number;
	const char *minus = v->number < 0 ? "-" : "";
	int digits = 3;

	switch (v->type) {
	case FIELD_INTEGER:
		buffer_print(out, "%s%jd", minus, (intmax_t)n);
		break;
	case FIELD_DECIMAL:
		for (; digits > 1 && n % 10 == 0; digits--)
			n /= 10;
		buffer_print(out, "%s%jd.%0*jd", minus,
			     (intmax_t)(n / (digits == 3   ? 1000
					     : digits == 2 ? 100
							   : 10)),
			     digits,
			     (intmax_t)(n % (digits == 3   ? 1000
					     : digits == 2 ? 100
							   : 10)));
		break;
	case FIELD_STRING:
		buffer_byte(out, '"');
		for (size_t i = 0; i < v->text.len; i++) {
			if (v->text.at[i] == '"' || v->text.at[i] == '\\')
				buffer_byte(out, '\\');
			buffer_byte(out, (uint8_t)v->text.at[i]);
		}
		buffer_byte(out, '"');
		break;
	case FIELD_TOKEN:
		buffer_span(out, v->text);
		break;
	case FIELD_BYTES:
		buffer_byte(out, ':');
		base64_append(out, v->text.at, v->text.len);
		buffer_byte(out, ':');
		break;
	case FIELD_BOOLEAN:
		buffer_text(out, v->number != 0 ? "?1" : "?0");
		break;
	}
}

static bool is_true(const struct field_value *v)
{
	return v->type == FIELD_BOOLEAN && v->number != 0;
}

static void print_parameters(const struct field_parameters *p, struct buffer *out)
{
	for (size_t i = 0; i < p->count; i++) {
		buffer_byte(out, ';');
		buffer_span(out, p->at[i].key);
		if (is_true(&p->at[i].value))
			continue;
		buffer_byte(out, '=');
		print_bare(&p->at[i].value, out);
	}
}

void field_item_print(const struct field_item *i, struct buffer *out)
{
	print_bare(&i->value, out);
	print_parameters(&i->parameters, out);
}

void field_member_print(const struct field_member *m, struct buffer *out)
{
	if (!m->list) {
		field_item_print(&m->items[0], out);
		return;
	}
	buffer_byte(out, '(');
	for (size_t i = 0; i < m->count; i++) {
		if (i > 0)
			buffer_byte(out, ' ');
		field_item_print(&m->items[i], out);
	}
	buffer_byte(out, ')');
	print_parameters(&m->parameters, out);
}

void dictionary_print(const struct dictionary *d, struct buffer *out)
{
	for (size_t i = 0; i < d->count; i++) {
		const struct field_member *m = &d->members[i];

		if (i > 0)
			buffer_text(out, ", ");
		buffer_span(out, m->key);
		if (!m->list && is_true(&m->items[0].value)) {
			print_parameters(&m->items[0].parameters, out);
			continue;
		}
		buffer_byte(out, '=');
		field_member_print(m, out);
	}
}

const struct field_member *dictionary_find(const struct dictionary *d, struct span key)
{
	for (size_t i = 0; i < d->count; i++)
		if (span_equal(d->members[i].key, key))
			return &d->members[i];
	return NULL;
}

const struct field_value *parameter_find(const struct field_parameters *p, const char *key)
{
	for (size_t i = 0; i < p->count; i++)
		if (span_is(p->at[i].key, key))
			return &p->at[i].value;
	return NULL;
}
