/* The record: C, u8 removed, u8 length and name, and if it is not removed: u8 type, u8 rights, u64 expires, u8 length and
 * party, u8 length and check. In the view OWN the credential stands under its name without the name, and the name under
 * type and check. One check belongs to one name: a later record with the same check takes it from the earlier name. */
#include "regime/credential.h"

#include "regime/private.h"

#define RIGHTS_ALL (RIGHT_READ | RIGHT_WRITE | RIGHT_OPERATE)

static const char *const names[CREDENTIAL_COUNT] = { "password", "token", "certificate" };

const char *credential_type_name(enum credential_type t)
{
	return (unsigned)t < CREDENTIAL_COUNT ? names[t] : "?";
}

bool credential_name_valid(struct span name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
		      c == '_' || c == '-'))
			return false;
	}
	return name.len > 0 && name.len <= CREDENTIAL_NAME_MAX;
}

static bool check_valid(enum credential_type t, struct span check)
{
	if (t != CREDENTIAL_PASSWORD)
		return check.len == HASH_SIZE;
	return span_starts(check, "$argon2id$") && check.len < CREDENTIAL_CHECK_MAX &&
	       memchr(check.at, 0, check.len) == NULL;
}

static bool valid(const struct credential *c)
{
	return (unsigned)c->type < CREDENTIAL_COUNT && credential_name_valid(c->name) && span_is_domain(c->party) &&
	       c->rights != 0 && (c->rights & ~(unsigned)RIGHTS_ALL) == 0 && c->expires_ms >= 0 &&
	       c->expires_ms <= TIME_MAX && check_valid(c->type, c->check);
}

static void write_short(struct buffer *b, struct span s)
{
	buffer_byte(b, (uint8_t)s.len);
	buffer_span(b, s);
}

static void write_value(struct buffer *b, const struct credential *c)
{
	buffer_byte(b, (uint8_t)c->type);
	buffer_byte(b, (uint8_t)c->rights);
	buffer_u64(b, (uint64_t)c->expires_ms);
	write_short(b, c->party);
	write_short(b, c->check);
}

static void write_head(struct buffer *record, struct span name, bool removed)
{
	buffer_byte(record, TAG_CREDENTIAL);
	buffer_byte(record, removed);
	write_short(record, name);
}

static void refuse(struct buffer *record)
{
	if (record->err == OK)
		record->err = ERR_USAGE;
}

void credential_write(struct buffer *record, const struct credential *c)
{
	if (!valid(c)) {
		refuse(record);
		return;
	}
	write_head(record, c->name, false);
	write_value(record, c);
}

void credential_write_removal(struct buffer *record, struct span name)
{
	if (credential_name_valid(name))
		write_head(record, name, true);
	else
		refuse(record);
}

static struct span read_short(struct reader *r)
{
	return read_span(r, read_u8(r));
}

static bool read_value(struct span name, struct span value, struct credential *out)
{
	struct reader r = reader_of(value);

	*out = (struct credential){ .name = name };
	out->type = (enum credential_type)read_u8(&r);
	out->rights = read_u8(&r);
	out->expires_ms = (int64_t)read_u64(&r);
	out->party = read_short(&r);
	out->check = read_short(&r);
	return r.err == OK && reader_left(&r) == 0 && valid(out);
}

static struct state_key key_name(struct span name)
{
	struct state_key k = key_of((enum state_letter)OWN_CREDENTIAL);

	key_add(&k, name.at, name.len);
	return k;
}

static struct state_key key_check(enum credential_type t, struct span check)
{
	struct state_key k = key_of((enum state_letter)OWN_CHECK);

	key_add_u8(&k, (uint8_t)t);
	key_add(&k, check.at, check.len);
	return k;
}

enum err credential_find(const struct state *st, struct span name, struct credential *out)
{
	struct state_key k;
	struct span value;
	enum err e;

	if (!credential_name_valid(name))
		return ERR_NOT_FOUND;
	k = key_name(name);
	e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);
	return e == OK && !read_value(name, value, out) ? state_damaged("credential") : e;
}

enum err credential_of(const struct state *st, enum credential_type t, struct hash check, struct credential *out)
{
	struct state_key k = key_check(t, span_make(check.bytes, HASH_SIZE));
	struct span name;
	enum err e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &name);

	if (e == OK && (e = credential_find(st, name, out)) == ERR_NOT_FOUND)
		e = state_damaged("credential");
	return e;
}

static enum err forget(struct state *st, const struct state_key *k)
{
	enum err e = view_delete(st->snapshot, VIEW_OWN, key_view(k));

	return e == ERR_NOT_FOUND ? OK : e;
}

/* The credential of that name and what leads to it. */
static enum err take_away(struct state *st, struct span name)
{
	struct state_key by_name = key_name(name), by_check;
	struct credential old;
	enum err e = credential_find(st, name, &old);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	by_check = key_check(old.type, old.check);
	e = old.type == CREDENTIAL_PASSWORD ? OK : forget(st, &by_check);
	return e == OK ? forget(st, &by_name) : e;
}

static enum err put(struct state *st, const struct credential *c, struct span value)
{
	struct state_key by_name = key_name(c->name), by_check = key_check(c->type, c->check), other;
	struct span holder;
	enum err e = take_away(st, c->name);

	if (e == OK && c->type != CREDENTIAL_PASSWORD) {
		e = view_get(st->snapshot, VIEW_OWN, key_view(&by_check), &holder);
		if (e == OK) {
			other = key_name(holder);
			e = forget(st, &other);
		}
		if (e == OK || e == ERR_NOT_FOUND)
			e = view_put(st->snapshot, VIEW_OWN, key_view(&by_check), c->name);
	}
	return e == OK ? view_put(st->snapshot, VIEW_OWN, key_view(&by_name), value) : e;
}

enum err credential_fold(struct state *st, struct span payload)
{
	struct reader r = reader_of(span_from(payload, 1));
	uint8_t removed = read_u8(&r);
	struct span name = read_short(&r), value = span_make(r.at, reader_left(&r));
	struct credential c;

	if (r.err != OK || removed > 1 || !credential_name_valid(name) ||
	    (removed ? value.len != 0 : !read_value(name, value, &c)))
		return private_damaged("a credential");
	return removed ? take_away(st, name) : put(st, &c, value);
}

struct credential_walk {
	credential_each *each;
	void *context;
};

static enum err show(void *context, struct span key, struct span value)
{
	struct credential_walk *w = context;
	struct credential c;

	if (!credential_name_valid(span_from(key, 1)) || !read_value(span_from(key, 1), value, &c))
		return state_damaged("credential");
	return w->each(w->context, &c);
}

enum err credentials_walk(const struct state *st, credential_each *each, void *context)
{
	struct credential_walk w = { each, context };
	struct state_key prefix = key_of((enum state_letter)OWN_CREDENTIAL);

	return view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), show, &w);
}
