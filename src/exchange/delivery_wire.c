#include "exchange/delivery_wire.h"

#include <yyjson.h>

#include "base/encoding.h"
#include "base/json.h"
#include "exchange/delivery.h"
#include "note/statement.h"

static const char *const statuses[DELIVERY_STATUS_COUNT] = { "taken", "repeated", "refused", "later" };

/* ---- writing ---- */

static void base64_member(struct buffer *out, const char *name, struct span bytes)
{
	buffer_print(out, ",\"%s\":\"", name);
	base64_append(out, bytes.at, bytes.len);
	buffer_byte(out, '"');
}

static void add_item(struct buffer *out, const struct delivery_item *i)
{
	char hex[2 * SEAL_SALT_SIZE + 1];

	buffer_text(out, "{\"note\":");
	json_escape(out, i->note);
	buffer_text(out, ",\"receipt\":");
	json_escape(out, i->receipt);
	if (i->body.at != NULL)
		base64_member(out, "body", i->body);
	if (i->salt != NULL) {
		hex_encode(i->salt, SEAL_SALT_SIZE, hex);
		buffer_print(out, ",\"salt\":\"%s\"", hex);
	}
	buffer_byte(out, '}');
}

void delivery_request_begin(struct buffer *out)
{
	buffer_text(out, "{\"statements\":[");
}

void delivery_request_add(struct buffer *out, const struct delivery_item *i, bool first)
{
	if (!first)
		buffer_byte(out, ',');
	buffer_byte(out, '\n');
	add_item(out, i);
}

void delivery_request_end(struct buffer *out)
{
	buffer_text(out, "\n]}\n");
}

void delivery_introduction_print(struct span note, struct span receipt, struct buffer *out)
{
	const struct delivery_item i = { .note = note, .receipt = receipt };

	add_item(out, &i);
	buffer_byte(out, '\n');
}

void delivery_answer_print(const struct delivery_verdict *v, size_t count, struct buffer *out)
{
	struct json j = { .out = out };
	char hex[HASH_HEX + 1];

	json_object(&j, NULL);
	json_array(&j, "statements");
	for (size_t i = 0; i < count; i++) {
		hash_hex(v[i].id, hex);
		json_object(&j, NULL);
		json_text(&j, "id", hex);
		json_text(&j, "status", statuses[v[i].status]);
		if (v[i].code.len > 0)
			json_string(&j, "code", v[i].code);
		if (v[i].detail.len > 0)
			json_string(&j, "detail", v[i].detail);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	buffer_byte(out, '\n');
}

/* ---- reading ---- */

/* at NULL: it is absent. */
static enum err text_member(yyjson_val *object, const char *name, bool needed, struct span *out)
{
	yyjson_val *v = yyjson_obj_get(object, name);

	*out = (struct span){ 0 };
	if (v == NULL)
		return needed ? fail(ERR_FIELD_MISSING, "%s", name) : OK;
	if (!yyjson_is_str(v))
		return fail(ERR_FIELD, "%s: a string", name);
	*out = span_make(yyjson_get_str(v), yyjson_get_len(v));
	return OK;
}

static enum err read_body(struct arena *a, struct span base64, struct delivery_item *i)
{
	size_t length;
	char *bytes = arena_alloc(a, base64.len + 1);

	if (bytes == NULL)
		return ERR_NO_MEMORY;
	if (base64_decode(base64, bytes, base64.len + 1, &length) != OK)
		return fail(ERR_ENCODING, "body: base64 with its padding, without line breaks");
	i->body = span_make(bytes, length);
	return OK;
}

static enum err read_salt(struct arena *a, struct span hex, struct delivery_item *i)
{
	uint8_t *salt = arena_alloc(a, SEAL_SALT_SIZE);

	if (salt == NULL)
		return ERR_NO_MEMORY;
	if (hex_decode(hex, salt, SEAL_SALT_SIZE) != OK)
		return fail(ERR_ENCODING, "salt: 64 digits of lower-case hex");
	if (i->body.at == NULL)
		return fail(ERR_FIELD_MISSING, "body: there is a salt");
	i->salt = salt;
	return OK;
}

static enum err read_item(struct arena *a, yyjson_val *v, struct delivery_item *i)
{
	struct span body, salt;
	enum err e = yyjson_is_obj(v) ? OK : fail(ERR_FIELD, "a statement is an object with note and receipt");

	*i = (struct delivery_item){ 0 };
	if (e == OK)
		e = text_member(v, "note", true, &i->note);
	if (e == OK)
		e = text_member(v, "receipt", true, &i->receipt);
	if (e == OK)
		e = text_member(v, "body", false, &body);
	if (e == OK)
		e = text_member(v, "salt", false, &salt);
	if (e == OK && body.at != NULL)
		e = read_body(a, body, i);
	if (e == OK && salt.at != NULL)
		e = read_salt(a, salt, i);
	return e;
}

static enum err read_items(struct arena *a, yyjson_val *list, const struct delivery_item **out, size_t *count)
{
	size_t n = yyjson_arr_size(list), at, most;
	struct delivery_item *items;
	yyjson_val *v;
	enum err e = OK;

	if (n == 0)
		return fail(ERR_EMPTY, "statements: none");
	if (n > DELIVERY_STATEMENTS_MAX)
		return fail(ERR_TOO_LONG, "statements: %zu, at most %d", n, DELIVERY_STATEMENTS_MAX);
	if ((items = arena_array(a, n, sizeof(*items))) == NULL)
		return ERR_NO_MEMORY;
	yyjson_arr_foreach(list, at, most, v)
	{
		if (e == OK)
			e = read_item(a, v, &items[at]);
	}
	*out = items;
	*count = n;
	return e;
}

enum err delivery_request_read(struct arena *a, struct span text, const struct delivery_item **out, size_t *count)
{
	struct yyjson_doc *doc = NULL;
	yyjson_val *list;
	enum err e = json_read_strict(a, text, &doc);

	if (e != OK)
		return e;
	list = yyjson_obj_get(yyjson_doc_get_root(doc), "statements");
	if (!yyjson_is_arr(list))
		return fail(ERR_FIELD_MISSING, "statements: an array");
	return read_items(a, list, out, count);
}

enum err delivery_introduction_read(struct arena *a, struct span text, struct delivery_item *out)
{
	struct yyjson_doc *doc = NULL;
	enum err e = json_read_strict(a, text, &doc);

	if (e == OK)
		e = read_item(a, yyjson_doc_get_root(doc), out);
	out->body = (struct span){ 0 };
	out->salt = NULL;
	return e;
}

/* ---- reading what a peer answers: nothing of it is believed ---- */

static bool is_code(struct span s)
{
	if (s.len > DELIVERY_CODE_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.at[i] >= 'a' && s.at[i] <= 'z') || (s.at[i] >= '0' && s.at[i] <= '9') || s.at[i] == '-'))
			return false;
	return true;
}

/* It is shown to people and stands in logs. */
static enum err clean(struct arena *a, struct span s, struct span *out)
{
	size_t n = s.len < DELIVERY_DETAIL_MAX ? s.len : DELIVERY_DETAIL_MAX;
	char *copy = arena_copy(a, s.at, n);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)copy[i] < 0x20 || (unsigned char)copy[i] > 0x7e)
			copy[i] = '?';
	*out = span_make(copy, n);
	return OK;
}

static enum err read_status(struct span word, enum delivery_status *out)
{
	for (int s = 0; s < DELIVERY_STATUS_COUNT; s++)
		if (span_is(word, statuses[s])) {
			*out = (enum delivery_status)s;
			return OK;
		}
	return fail(ERR_PEER, "a status that does not exist");
}

static enum err read_verdict(struct arena *a, yyjson_val *v, struct hash wanted, struct delivery_verdict *out)
{
	struct span id, status, code, detail;
	char hex[HASH_HEX + 1];
	enum err e;

	*out = (struct delivery_verdict){ .id = wanted };
	if (!yyjson_is_obj(v) || text_member(v, "id", true, &id) != OK ||
	    text_member(v, "status", true, &status) != OK || text_member(v, "code", false, &code) != OK ||
	    text_member(v, "detail", false, &detail) != OK)
		return fail(ERR_PEER, "a verdict lacks its id or status, or has a member of another type");
	hash_hex(wanted, hex);
	if (!span_is(id, hex))
		return fail(ERR_PEER, "a verdict on another statement than the one that was sent");
	if ((e = read_status(status, &out->status)) != OK)
		return e;
	if (code.at != NULL && !is_code(code))
		return fail(ERR_PEER, "a code that is none");
	if (code.at != NULL)
		out->code = code;
	return detail.at != NULL ? clean(a, detail, &out->detail) : OK;
}

enum err delivery_answer_read(struct arena *a, struct span text, const struct hash *ids, size_t count,
			      struct delivery_verdict *out)
{
	struct yyjson_doc *doc = NULL;
	yyjson_val *list, *v;
	size_t at, most;
	enum err e = json_read_strict(a, text, &doc);

	if (e != OK)
		return e == ERR_NO_MEMORY ? e : fail(ERR_PEER, "the answer is no JSON: %s", err_code(e));
	list = yyjson_obj_get(yyjson_doc_get_root(doc), "statements");
	if (!yyjson_is_arr(list) || yyjson_arr_size(list) != count)
		return fail(ERR_PEER, "%zu verdicts on %zu statements", yyjson_arr_size(list), count);
	yyjson_arr_foreach(list, at, most, v)
	{
		if (e == OK)
			e = read_verdict(a, v, ids[at], &out[at]);
	}
	return e;
}

struct span delivery_problem_code(struct arena *a, struct span text)
{
	struct yyjson_doc *doc = NULL;
	struct span code;

	if (json_read_strict(a, text, &doc) != OK || !yyjson_is_obj(yyjson_doc_get_root(doc)) ||
	    text_member(yyjson_doc_get_root(doc), "code", true, &code) != OK || !is_code(code))
		return SPAN("");
	return code;
}
