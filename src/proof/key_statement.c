#include "proof/key_statement.h"

static void print_key(struct hash key, struct buffer *out)
{
	char hex[HASH_HEX + 1];

	hash_hex(key, hex);
	buffer_text(out, hex);
}

void key_statement_print(const struct key_statement *k, struct buffer *out)
{
	buffer_text(out, "comity-key 1\nparty ");
	buffer_span(out, k->party);
	buffer_text(out, "\nkey ");
	print_key(k->key, out);
	buffer_byte(out, '\n');
}

void key_statement_print_txt(const struct key_statement *k, struct buffer *out)
{
	buffer_text(out, "v=comity1; party=");
	buffer_span(out, k->party);
	buffer_text(out, "; key=");
	print_key(k->key, out);
}

/* The next line without its end. span_line would take a last line without LF. */
static bool whole_line(struct span *rest, struct span *line)
{
	if (rest->len == 0 || memchr(rest->at, '\n', rest->len) == NULL)
		return false;
	return span_line(rest, line);
}

static bool value_of(struct span line, const char *name, struct span *value)
{
	if (!span_starts(line, name))
		return false;
	*value = span_from(line, strlen(name));
	return true;
}

enum err key_statement_parse(struct span text, struct key_statement *out)
{
	struct span line, party, hex;
	struct key_statement k;

	if (!whole_line(&text, &line) || !span_is(line, "comity-key 1"))
		return fail(ERR_EVIDENCE, "a key statement begins with the line \"comity-key 1\"");
	if (!whole_line(&text, &line) || !value_of(line, "party ", &party) || !span_is_domain(party))
		return fail(ERR_EVIDENCE, "key statement: the second line is \"party\" and a domain");
	if (!whole_line(&text, &line) || !value_of(line, "key ", &hex) || hash_from_hex(hex, &k.key) != OK)
		return fail(ERR_EVIDENCE, "key statement: the third line is \"key\" and 64 lower-case digits of hex");
	if (text.len != 0)
		return fail(ERR_EVIDENCE, "key statement: there is more behind its three lines");
	k.party = party;
	*out = k;
	return OK;
}

static struct span trim(struct span s) /* FWS of DKIM: folded lines too */
{
	while (s.len > 0 && strchr(" \t\r\n", s.at[0]) != NULL && s.at[0] != '\0')
		s = span_from(s, 1);
	while (s.len > 0 && strchr(" \t\r\n", s.at[s.len - 1]) != NULL && s.at[s.len - 1] != '\0')
		s.len--;
	return s;
}

static bool is_tag_name(struct span s) /* ALPHA *ALNUMPUNC */
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

		if (!letter && (i == 0 || !((c >= '0' && c <= '9') || c == '_')))
			return false;
	}
	return s.len > 0;
}

enum txt_tag { TAG_VERSION, TAG_PARTY, TAG_KEY, TAG_COUNT };
static const char *const tag_names[TAG_COUNT] = { "v", "party", "key" };

/* No tag that we know stands twice. Of others that is not looked at: they say nothing to us. */
static enum err read_tags(struct span text, struct span values[TAG_COUNT])
{
	while (text.at != NULL) {
		struct span value = span_cut(&text, ';'), name;

		if (trim(value).len == 0 && text.at == NULL)
			break; /* a last semicolon */
		name = trim(span_cut(&value, '='));
		if (value.at == NULL || !is_tag_name(name))
			return fail(ERR_EVIDENCE, "the record is no list of tags like v=comity1; party=…; key=…");
		for (size_t i = 0; i < TAG_COUNT; i++) {
			if (!span_is(name, tag_names[i]))
				continue;
			if (values[i].at != NULL)
				return fail(ERR_EVIDENCE, "the record has the tag %s twice", tag_names[i]);
			values[i] = trim(value);
		}
	}
	return OK;
}

enum err key_statement_check_txt(struct span text, const struct key_statement *wanted)
{
	struct span values[TAG_COUNT] = { 0 };
	struct hash key;
	enum err e = read_tags(text, values);

	if (e != OK)
		return e;
	for (size_t i = 0; i < TAG_COUNT; i++)
		if (values[i].at == NULL)
			return fail(ERR_EVIDENCE, "the record lacks the tag %s", tag_names[i]);
	if (!span_is(values[TAG_VERSION], "comity1"))
		return fail(ERR_EVIDENCE_KEY, "the record is of another version than comity1");
	if (!span_equal(values[TAG_PARTY], wanted->party))
		return fail(ERR_EVIDENCE_KEY, "the record names another party than %.*s", SPAN_FORMAT(wanted->party));
	if (hash_from_hex(values[TAG_KEY], &key) != OK)
		return fail(ERR_EVIDENCE, "the record's key is not 64 lower-case digits of hex");
	if (!hash_equal(key, wanted->key))
		return fail(ERR_EVIDENCE_KEY, "the record names another key of %.*s", SPAN_FORMAT(wanted->party));
	return OK;
}
