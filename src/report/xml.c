#include "report/xml.h"

#include <libxml/catalog.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <pthread.h>

#include "base/buffer.h"

#define DECODED_MAX ((size_t)128 << 20)
#define DECLARATION_MAX 512

#if LIBXML_VERSION >= 21200
typedef const xmlError *xml_error;
#else
typedef xmlErrorPtr xml_error;
#endif

struct reader {
	const struct xml_sink *sink;
	struct span text;
	xmlParserCtxtPtr parser;
	struct arena *root_arena, *arena; /* of the root element; of the child in hand */
	struct buffer run;		  /* of text, up to the next tag */
	const xmlChar *space;  /* the root's; libxml2 keeps each name once, so that pointers can be compared */
	struct xml_node *node; /* in hand */
	unsigned depth;
	size_t begin; /* offset of the child in hand, or behind the last one */
	bool dropped; /* the child in hand took too much */
	enum err why;
};

/* ---- what is asked of a node ---- */

static bool is_named(const struct xml_node *n, const char *name)
{
	return n->ours && n->name[0] == name[0] && strcmp(n->name, name) == 0;
}

const struct xml_node *xml_child(const struct xml_node *n, const char *name)
{
	for (n = n->child; n != NULL; n = n->next)
		if (is_named(n, name))
			return n;
	return NULL;
}

const struct xml_node *xml_again(const struct xml_node *n)
{
	const char *name = n->name;

	while ((n = n->next) != NULL)
		if (is_named(n, name))
			return n;
	return NULL;
}

struct span xml_attribute(const struct xml_node *n, const char *name)
{
	for (const struct xml_attribute *a = n->attributes; a != NULL; a = a->next)
		if (a->key[1] == name[0] && strcmp(a->key + 1, name) == 0)
			return a->value;
	return (struct span){ NULL, 0 };
}

/* ---- encodings ---- */

enum encoding { EIGHT_BIT, UTF16_BIG, UTF16_LITTLE };

/* By its mark, or by how a text in it must begin. */
static enum encoding encoding_find(struct span text, size_t *mark)
{
	*mark = 0;
	if (span_starts(text, "\xef\xbb\xbf"))
		*mark = 3;
	else if (span_starts(text, "\xfe\xff") || span_starts(text, "\xff\xfe"))
		*mark = 2;
	if (*mark == 2)
		return (unsigned char)text.at[0] == 0xfe ? UTF16_BIG : UTF16_LITTLE;
	if (text.len >= 4 && memcmp(text.at, "\0<\0", 3) == 0)
		return UTF16_BIG;
	if (text.len >= 4 && text.at[0] == '<' && text.at[1] == '\0' && text.at[3] == '\0')
		return UTF16_LITTLE;
	return EIGHT_BIT;
}

static void put_character(struct buffer *out, uint32_t c)
{
	if (c < 0x80) {
		buffer_byte(out, (uint8_t)c);
	} else if (c < 0x800) {
		buffer_byte(out, (uint8_t)(0xc0 | c >> 6));
		buffer_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buffer_byte(out, (uint8_t)(0xe0 | c >> 12));
		buffer_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buffer_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
	} else {
		buffer_byte(out, (uint8_t)(0xf0 | c >> 18));
		buffer_byte(out, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
		buffer_byte(out, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
		buffer_byte(out, (uint8_t)(0x80 | (c & 0x3f)));
	}
}

static uint32_t unit_at(struct span text, size_t i, bool big)
{
	unsigned first = (unsigned char)text.at[i], second = (unsigned char)text.at[i + 1];

	return big ? first << 8 | second : second << 8 | first;
}

/* RFC 2781. cut: the text may end inside a character. */
static enum err from_utf16(struct span text, bool big, bool cut, struct buffer *out)
{
	for (size_t i = 0; i < text.len; i += 2) {
		uint32_t c, low;

		if (text.len - i < 2)
			return cut ? OK : ERR_ENCODING;
		if ((c = unit_at(text, i, big)) >= 0xdc00 && c < 0xe000)
			return ERR_ENCODING;
		if (c >= 0xd800 && c < 0xdc00) {
			i += 2;
			if (text.len - i < 2)
				return cut ? OK : ERR_ENCODING;
			if ((low = unit_at(text, i, big)) < 0xdc00 || low >= 0xe000)
				return ERR_ENCODING;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
		put_character(out, c);
	}
	return out->err;
}

static enum err from_latin1(struct span text, struct buffer *out)
{
	while (text.len > 0) {
		size_t n = 0;

		while (n < text.len && (unsigned char)text.at[n] < 0x80)
			n++;
		buffer_bytes(out, text.at, n);
		text = span_from(text, n);
		if (text.len > 0) {
			put_character(out, (unsigned char)text.at[0]);
			text = span_from(text, 1);
		}
	}
	return out->err;
}

/* What `<?xml … encoding="…"?>` says; empty: nothing. */
static struct span declared(struct span text)
{
	struct span d = text, rest;
	const char *end, *at;
	char quote;

	if (d.len > DECLARATION_MAX)
		d.len = DECLARATION_MAX;
	if (!span_starts(d, "<?xml") || (end = memmem(d.at, d.len, "?>", 2)) == NULL)
		return SPAN("");
	d.len = (size_t)(end - d.at);
	if ((at = memmem(d.at, d.len, "encoding", 8)) == NULL)
		return SPAN("");
	rest = span_trim(span_from(d, (size_t)(at - d.at) + 8));
	if (!span_starts(rest, "="))
		return SPAN("");
	rest = span_trim(span_from(rest, 1));
	if (rest.len == 0 || ((quote = rest.at[0]) != '"' && quote != '\''))
		return SPAN("");
	rest = span_from(rest, 1);
	return span_cut(&rest, quote);
}

static bool is_one_of(struct span name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal_nocase(name, span_of(names[i])))
			return true;
	return false;
}

static enum err decode_into(struct span text, enum encoding encoding, struct buffer *b, struct span *out)
{
	static const char *const latin1[] = { "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "l1" };
	static const char *const utf8[] = { "", "utf-8", "utf8", "us-ascii", "ascii" };
	struct span name = declared(text);
	enum err e = OK;

	*out = text;
	if (encoding != EIGHT_BIT)
		e = from_utf16(text, encoding == UTF16_BIG, false, b);
	else if (is_one_of(name, latin1, sizeof(latin1) / sizeof(latin1[0])))
		e = from_latin1(text, b);
	else if (!is_one_of(name, utf8, sizeof(utf8) / sizeof(utf8[0])))
		return fail(ERR_ENCODING, "XML in %.*s; write it in UTF-8", (int)(name.len < 40 ? name.len : 40),
			    name.at);
	if (b->at != NULL)
		*out = buffer_view(b);
	if (e == OK && ((out->len > 0 && memchr(out->at, '\0', out->len) != NULL) || !span_is_utf8(*out)))
		e = ERR_ENCODING;
	return e == ERR_ENCODING ? fail(e, "bytes that are not of the encoding") : e;
}

enum err xml_decode(struct arena *a, struct span text, struct span *out)
{
	struct buffer b = BUFFER(DECODED_MAX);
	size_t mark;
	enum encoding encoding = encoding_find(text, &mark);
	enum err e = decode_into(span_from(text, mark), encoding, &b, out);
	char *copy;

	if (e == OK && b.at != NULL) {
		if ((copy = arena_copy(a, b.at, b.len)) == NULL)
			e = ERR_NO_MEMORY;
		*out = (struct span){ copy, b.len };
	}
	buffer_free(&b);
	return e;
}

/* ---- before libxml2 sees it ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span without_blanks(struct span s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = span_from(s, 1);
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Behind the end of what begins at s and ends with `end`; s.len: it does not end. */
static size_t behind(struct span s, size_t from, const char *end)
{
	const char *at = s.len > from ? memmem(s.at + from, s.len - from, end, strlen(end)) : NULL;

	return at != NULL ? (size_t)(at - s.at) + strlen(end) : s.len;
}

/* The length of the tag that s begins with, at most XML_TAG_MAX + 1; a bracket inside quotes does not end it. */
static size_t tag_length(struct span s)
{
	char quote = '\0';

	for (size_t i = 0; i < s.len && i <= XML_TAG_MAX; i++) {
		char c = s.at[i];

		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '>')
			return i + 1;
		else if (c == '"' || c == '\'')
			quote = c;
	}
	return s.len <= XML_TAG_MAX ? s.len : XML_TAG_MAX + 1;
}

/* The markup that s begins with; 0: none that is read here. */
static size_t markup_length(struct span s)
{
	char second = s.len > 1 ? s.at[1] : '\0';
	size_t n;

	if (second != '!' && second != '?') {
		n = tag_length(s);
		return n <= XML_TAG_MAX ? n : 0;
	}
	if (second == '?')
		return behind(s, 2, "?>");
	if (span_starts(s, "<!--"))
		return behind(s, 4, "-->");
	return span_starts(s, "<![CDATA[") ? behind(s, 9, "]]>") : 0;
}

/*
 * libxml2 compares each attribute of an element with all before it, and would read a document type. Neither is let
 * through: one pass finds what begins with "<!" and is neither a comment nor CDATA, and tags of more than XML_TAG_MAX.
 * What else is wrong libxml2 will find.
 */
static bool is_harmless(struct span text)
{
	struct span rest = text;
	const char *at;

	while (rest.len > 0 && (at = memchr(rest.at, '<', rest.len)) != NULL) {
		size_t n;

		rest = span_from(rest, (size_t)(at - rest.at));
		if ((n = markup_length(rest)) == 0)
			return false;
		rest = span_from(rest, n);
	}
	return true;
}

static bool root_is(struct span rest, struct span name)
{
	while ((rest = without_blanks(rest)).len > 1 && rest.at[0] == '<') {
		struct span found;
		size_t n = 1;

		if (rest.at[1] == '?') {
			rest = span_from(rest, behind(rest, 2, "?>"));
			continue;
		}
		if (rest.at[1] == '!') { /* a document type, too: it is to be refused by name, not to be unknown */
			const char *inner = memchr(rest.at, '[', rest.len);
			size_t end = behind(rest, 0, ">");

			if (span_starts(rest, "<!--"))
				end = behind(rest, 4, "-->");
			else if (inner != NULL && (size_t)(inner - rest.at) < end)
				end = behind(rest, (size_t)(inner - rest.at), "]>");
			rest = span_from(rest, end);
			continue;
		}
		while (n < rest.len && !is_blank(rest.at[n]) && rest.at[n] != '>' && rest.at[n] != '/')
			n++;
		found = (struct span){ rest.at + 1, n - 1 };
		if (memchr(found.at, ':', found.len) != NULL)
			span_cut(&found, ':');
		return span_equal(found, name);
	}
	return false;
}

bool xml_root_is(struct span start, const char *name)
{
	size_t mark;
	enum encoding encoding = encoding_find(start, &mark);
	struct buffer b = BUFFER(DECODED_MAX);
	struct span text = span_from(start, mark);
	bool is;

	if (encoding != EIGHT_BIT && from_utf16(text, encoding == UTF16_BIG, true, &b) == OK)
		text = buffer_view(&b);
	is = root_is(text, span_of(name));
	buffer_free(&b);
	return is;
}

/* ---- what libxml2 calls ---- */

static void stop(struct reader *r, enum err why)
{
	if (r->why == OK)
		r->why = why;
	xmlStopParser(r->parser);
}

static struct arena *arena_of(const struct reader *r)
{
	return r->depth <= 1 ? r->root_arena : r->arena;
}

/* The child in hand is too large: its root stays, so that its end is known, and what it holds goes. */
static void drop(struct reader *r)
{
	if (r->depth <= 1) {
		stop(r, ERR_NO_MEMORY);
		return;
	}
	r->dropped = true;
	r->node = NULL;
	buffer_clear(&r->run);
	arena_reset(r->arena);
}

static struct xml_node *node_add(struct reader *r, const char *name, bool ours)
{
	struct xml_node *n = arena_array(arena_of(r), 1, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->name = name;
	n->ours = ours;
	n->parent = r->depth <= 2 ? NULL : r->node;
	if (n->parent == NULL)
		return n;
	if (n->parent->last != NULL)
		n->parent->last->next = n;
	else
		n->parent->child = n;
	n->parent->last = n;
	return n;
}

/* The text that ends here belongs to the element in hand. */
static void run_end(struct reader *r)
{
	struct span text = without_blanks(buffer_view(&r->run));
	struct xml_node *n = r->node;
	char *copy;

	if (r->run.err != OK) {
		drop(r);
		return;
	}
	buffer_clear(&r->run);
	if (n == NULL || r->dropped || r->depth <= 1 || text.len == 0)
		return;
	if ((copy = arena_copy(r->arena, text.at, text.len)) == NULL) {
		drop(r);
		return;
	}
	if (n->child != NULL || n->text.len > 0) {
		r->depth++; /* as an element inside it */
		n = node_add(r, "#tail", false);
		r->depth--;
		if (n == NULL) {
			drop(r);
			return;
		}
	}
	n->text = (struct span){ copy, text.len };
}

/* `before`, prefix, ":" and local name; without a prefix the colon only if `colon`. */
static const char *name_join(struct arena *a, const char *before, const char *prefix, const char *local, bool colon)
{
	size_t first = strlen(before), middle = prefix != NULL ? strlen(prefix) : 0, last = strlen(local);
	char *name = arena_alloc(a, first + middle + 1 + last + 1), *at = name;

	if (name == NULL)
		return NULL;
	memcpy(at, before, first);
	at += first;
	if (middle > 0)
		memcpy(at, prefix, middle);
	at += middle;
	if (middle > 0 || colon)
		*at++ = ':';
	memcpy(at, local, last + 1);
	return name;
}

static enum err attributes_add(struct reader *r, struct xml_node *n, int count, const xmlChar **given)
{
	struct xml_attribute **end = &n->attributes;
	struct arena *a = arena_of(r);

	for (int i = 0; i < count; i++, given += 5) { /* local name, prefix, namespace, value, its end */
		struct xml_attribute *x = arena_array(a, 1, sizeof(*x));
		size_t len = (size_t)(given[4] - given[3]);

		if (x == NULL)
			return ERR_NO_MEMORY;
		x->key = name_join(a, "@", (const char *)given[1], (const char *)given[0], false);
		x->value = (struct span){ arena_copy(a, given[3], len), len };
		if (x->key == NULL || x->value.at == NULL)
			return ERR_NO_MEMORY;
		*end = x;
		end = &x->next;
	}
	return OK;
}

static struct xml_node *element_add(struct reader *r, const xmlChar *local, const xmlChar *prefix, const xmlChar *space,
				    int count, const xmlChar **attributes)
{
	const char *name = (const char *)local;
	bool ours = r->depth == 1 || space == r->space;
	struct xml_node *n;

	if (!ours && (name = name_join(r->arena, "", (const char *)prefix, name, true)) == NULL)
		return NULL;
	if ((n = node_add(r, name, ours)) == NULL || attributes_add(r, n, count, attributes) != OK)
		return NULL;
	return n;
}

/* Where the parser stands. */
static size_t offset_now(const struct reader *r)
{
	long n = xmlByteConsumed(r->parser);

	return n < 0 ? 0 : (size_t)n > r->text.len ? r->text.len : (size_t)n;
}

static void child_begin(struct reader *r)
{
	size_t now = offset_now(r); /* behind the attributes: no bracket can stand in those */
	const char *at = now > r->begin ? memrchr(r->text.at + r->begin, '<', now - r->begin) : NULL;

	if (at != NULL)
		r->begin = (size_t)(at - r->text.at);
	r->dropped = false;
	arena_reset(r->arena);
}

static void on_start(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *space,
		     int namespace_count, const xmlChar **namespaces, int count, int defaulted,
		     const xmlChar **attributes)
{
	struct reader *r = context;
	struct xml_node *n;
	enum err e;

	(void)namespaces;
	(void)defaulted;
	if (r->why != OK)
		return;
	run_end(r);
	if (r->depth++ >= XML_DEPTH_MAX || namespace_count > XML_NAMESPACES_MAX) {
		stop(r, r->depth > XML_DEPTH_MAX ? ERR_DEPTH : ERR_XML);
		return;
	}
	if (r->depth == 1)
		r->space = space;
	if (r->depth == 2)
		child_begin(r);
	if (r->dropped)
		return;
	if ((n = element_add(r, local, prefix, space, count, attributes)) == NULL)
		drop(r);
	else if (r->depth == 1 &&
		 (e = r->sink->root(r->sink->context, n, space != NULL ? (const char *)space : "")) != OK)
		stop(r, e);
	r->node = r->dropped ? NULL : n;
}

static void on_end(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *space)
{
	struct reader *r = context;
	size_t now;
	enum err e;

	(void)local;
	(void)prefix;
	(void)space;
	if (r->why != OK)
		return;
	run_end(r);
	if (r->depth-- == 2) {
		now = offset_now(r);
		e = r->sink->child(r->sink->context, r->dropped ? NULL : r->node,
				   (struct span){ r->text.at + r->begin, now > r->begin ? now - r->begin : 0 });
		if (e != OK)
			stop(r, e);
		r->begin = now;
		r->dropped = false;
		r->node = NULL;
	} else if (r->node != NULL) {
		r->node = r->node->parent;
	}
}

static void on_text(void *context, const xmlChar *text, int len)
{
	struct reader *r = context;

	if (r->why == OK && r->depth > 1 && !r->dropped)
		buffer_bytes(&r->run, text, (size_t)len);
}

/* is_harmless lets none pass; should one all the same, nothing of it is read. */
static void on_document_type(void *context, const xmlChar *name, const xmlChar *id, const xmlChar *system)
{
	(void)name;
	(void)id;
	(void)system;
	stop(context, ERR_XML);
}

static void on_error(void *context, xml_error error)
{
	struct reader *r = context;

	if (error->level < XML_ERR_ERROR || r->why != OK)
		return;
	stop(r, error->code == XML_ERR_NO_MEMORY ? ERR_NO_MEMORY : ERR_XML);
}

/* ---- the whole ---- */

static void prepare(void)
{
	xmlInitParser();
	xmlCatalogSetDefaults(XML_CATA_ALLOW_NONE);
}

static xmlParserCtxtPtr parser_new(struct reader *r)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	xmlParserCtxtPtr p;

	pthread_once(&once, prepare);
	if ((p = xmlCreateMemoryParserCtxt(r->text.at, (int)r->text.len)) == NULL)
		return NULL;
	*p->sax = (xmlSAXHandler){
		.initialized = XML_SAX2_MAGIC,
		.startElementNs = on_start,
		.endElementNs = on_end,
		.characters = on_text,
		.ignorableWhitespace = on_text,
		.cdataBlock = on_text,
		.internalSubset = on_document_type,
		.serror = on_error,
	};
	p->userData = r;
	xmlCtxtUseOptions(p, XML_PARSE_NONET | XML_PARSE_IGNORE_ENC);
	return p;
}

enum err xml_read(struct span text, const struct xml_sink *sink, struct span *rest)
{
	struct reader r = { .sink = sink, .text = text, .run = BUFFER(XML_CHILD_MEMORY) };

	*rest = text;
	if (text.len == 0 || text.len > DECODED_MAX || !is_harmless(text))
		return ERR_XML;
	r.root_arena = arena_new(16 * XML_TAG_MAX);
	r.arena = arena_new(XML_CHILD_MEMORY);
	if (r.root_arena == NULL || r.arena == NULL || (r.parser = parser_new(&r)) == NULL) {
		r.why = ERR_NO_MEMORY;
	} else {
		xmlParseDocument(r.parser);
		if (r.why == OK && !r.parser->wellFormed)
			r.why = ERR_XML;
		*rest = span_from(text, r.begin);
		xmlFreeParserCtxt(r.parser);
	}
	buffer_free(&r.run);
	arena_free(r.arena);
	arena_free(r.root_arena);
	return r.why;
}
