/* Reads whois dumps. An object is lines up to an empty one; its first line says what it is; a line that begins with a space, a tab
 * or `+` goes on with the one before, which nothing that is looked for does; `%` and `#` begin a comment. */
#include <ctype.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/file.h"
#include "regime/contact.h"
#include "territory/contacts_private.h"
#include "territory/row.h"

#define LINE_MAX_BYTES 8192
#define CHUNK ((size_t)1 << 18)
#define RESOURCES_MAX ((size_t)16 << 20)
#define NAMES_MAX ((size_t)1 << 26)
#define TEXT_MAX ((size_t)1 << 30)

enum class { NO_CLASS, AUT_NUM, INETNUM, INET6NUM, ORGANISATION, ROLE, IRT };

/* The object in hand. */
struct object {
	enum class class;
	bool good;	 /* what it is about parses */
	bool begun;	 /* its first line was seen */
	uint32_t handle; /* its own, of those that have one */
	uint32_t asn;
	struct range range;
	struct how how;
};

struct name {
	uint8_t bytes[16];
};

enum err contacts_build_new(struct contacts_build **out)
{
	struct contacts_build *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return fail(ERR_NO_MEMORY, "no room for contacts");
	b->handle_names = INTERN(struct name);
	b->mail_names = INTERN(struct name);
	b->hows = INTERN(struct how);
	b->handles.size = sizeof(struct handle);
	b->mails.size = sizeof(uint32_t);
	b->as.size = sizeof(struct resource_as);
	b->ipv4.size = sizeof(struct resource4);
	b->ipv6.size = sizeof(struct resource6);
	b->text = BUFFER(TEXT_MAX);
	*out = b;
	return OK;
}

void contacts_build_free(struct contacts_build *b)
{
	if (b == NULL)
		return;
	intern_free(&b->handle_names);
	intern_free(&b->mail_names);
	intern_free(&b->hows);
	free(b->handles.at);
	free(b->mails.at);
	free(b->as.at);
	free(b->ipv4.at);
	free(b->ipv6.at);
	buffer_free(&b->text);
	free(b);
}

void contacts_on_reject(struct contacts_build *b, contacts_reject *call, void *context)
{
	b->on_reject = call;
	b->context = context;
}

static void reject(struct contacts_build *b, enum err why, struct span row)
{
	b->rejected++;
	if (b->on_reject != NULL)
		b->on_reject(b->context, b->path, b->line, why, row);
}

static void add(struct contacts_build *b, struct contacts_list *l, const void *value, size_t most)
{
	enum err e = b->err == OK ? grow(&l->at, &l->room, l->count, l->size, most) : b->err;

	if (e == OK)
		memcpy((char *)l->at + l->size * l->count++, value, l->size);
	else
		b->err = e;
}

/* Names differ only in case by mistake. */
static struct name name_of(struct span s)
{
	char lower[LINE_MAX_BYTES];
	struct name n;
	struct hash h;

	for (size_t i = 0; i < s.len; i++)
		lower[i] = (char)tolower((unsigned char)s.at[i]);
	h = hash_bytes(lower, s.len);
	memcpy(n.bytes, h.bytes, sizeof(n.bytes));
	return n;
}

static uint32_t handle_number(struct contacts_build *b, struct span text)
{
	struct name n = name_of(text);
	uint32_t number = 0;

	if (b->err == OK)
		b->err = intern(&b->handle_names, &n, &number);
	if (b->err == OK && number == b->handles.count)
		add(b, &b->handles, &(struct handle){ 0 }, NAMES_MAX);
	return b->err == OK ? number + 1 : 0;
}

/* What RIPE's public dumps have in place of the real ones. */
static bool is_dummy(struct span mail)
{
	return span_equal_nocase(mail, SPAN("unread@ripe.net"));
}

/* 0: no mailbox. The domain is written in lower case, the part before it stays as it is. */
static uint32_t mail_number(struct contacts_build *b, struct span text)
{
	char mail[CONTACT_MAIL_MAX];
	struct span m = { mail, text.len };
	struct name n;
	struct hash h;
	uint32_t number = 0, at = (uint32_t)b->text.len;
	bool domain = false;

	if (is_dummy(text))
		return 0;
	if (text.len > sizeof(mail)) {
		reject(b, ERR_TOO_LONG, text);
		return 0;
	}
	for (size_t i = 0; i < text.len; i++) {
		mail[i] = domain ? (char)tolower((unsigned char)text.at[i]) : text.at[i];
		domain |= text.at[i] == '@';
	}
	if (contact_mail_check(m) != OK) {
		reject(b, ERR_SYNTAX, text);
		return 0;
	}
	h = hash_span(m);
	memcpy(n.bytes, h.bytes, sizeof(n.bytes));
	if (b->err == OK)
		b->err = intern(&b->mail_names, &n, &number);
	if (b->err == OK && number == b->mails.count) {
		add(b, &b->mails, &at, NAMES_MAX);
		buffer_byte(&b->text, (uint8_t)m.len);
		buffer_span(&b->text, m);
		if (b->err == OK)
			b->err = b->text.err;
	}
	return b->err == OK ? number + 1 : 0;
}

/* "192.0.2.0 - 192.0.2.255", or a prefix */
static enum err read_range(struct span text, struct range *out)
{
	struct span rest = text, first = span_cut(&rest, '-');
	struct prefix p;
	enum err e;

	if (rest.at == NULL) {
		if ((e = prefix_parse(span_trim(text), &p)) == OK)
			*out = (struct range){ prefix_first(p), prefix_last(p) };
		return e;
	}
	e = address_parse_loose(span_trim(first), &out->first);
	if (e == OK)
		e = address_parse_loose(span_trim(rest), &out->last);
	if (e == OK && (out->first.family != out->last.family || address_compare(out->first, out->last) > 0))
		e = fail(ERR_ADDRESS, "no range");
	return e;
}

/* Wider than any network: more than a /8, or than a /16 of IPv6. */
static bool is_registrys(const struct range *r)
{
	return r->first.family == FAMILY_IPV4 ? r->last.low - r->first.low >= (uint64_t)1 << 24
					      : r->last.high - r->first.high >= (uint64_t)1 << 48;
}

static void begin(struct contacts_build *b, struct object *o, struct span name, struct span value)
{
	static const struct {
		const char *name;
		enum class class;
	} classes[] = {
		{ "aut-num", AUT_NUM },	  { "inetnum", INETNUM },
		{ "inet6num", INET6NUM }, { "organisation", ORGANISATION },
		{ "role", ROLE },	  { "person", ROLE },
		{ "irt", IRT },
	};
	enum err e = OK;

	o->begun = true;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (span_equal_nocase(name, span_of(classes[i].name)))
			o->class = classes[i].class;
	if (o->class == NO_CLASS)
		return;
	b->objects++;
	if (o->class == AUT_NUM)
		e = asn_parse(value, false, &o->asn);
	else if (o->class == INETNUM || o->class == INET6NUM)
		e = read_range(value, &o->range);
	if (e == OK && (o->class == INETNUM || o->class == INET6NUM)) {
		if ((o->range.first.family == FAMILY_IPV4) != (o->class == INETNUM))
			e = ERR_ADDRESS;
		else if (is_registrys(&o->range))
			return; /* not good: nothing of it counts */
	}
	if (e != OK)
		reject(b, e, value);
	else if (o->class == ORGANISATION || o->class == IRT)
		o->handle = handle_number(b, value);
	o->good = e == OK;
}

static void once(uint32_t *to, uint32_t number)
{
	if (*to == 0)
		*to = number;
}

static void attribute(struct contacts_build *b, struct object *o, struct span name, struct span value)
{
	if (!o->begun) {
		begin(b, o, name, value);
		return;
	}
	if (!o->good || value.len == 0)
		return;
	if (span_equal_nocase(name, SPAN("abuse-c")))
		once(&o->how.abuse_c, handle_number(b, value));
	else if (span_equal_nocase(name, SPAN("org")))
		once(&o->how.org, handle_number(b, value));
	else if (span_equal_nocase(name, SPAN("mnt-irt")))
		once(&o->how.irt, handle_number(b, value));
	else if (span_equal_nocase(name, SPAN("tech-c")) || span_equal_nocase(name, SPAN("admin-c")))
		once(&o->how.desk, handle_number(b, value));
	else if (span_equal_nocase(name, SPAN("abuse-mailbox")))
		once(&o->how.abuse_mail, mail_number(b, value));
	else if (span_equal_nocase(name, SPAN("e-mail")))
		once(&o->how.plain_mail, mail_number(b, value));
	else if (span_equal_nocase(name, SPAN("status")) && span_equal_nocase(value, SPAN("ALLOCATED UNSPECIFIED")))
		o->good = false; /* a registry's own block: it answers for none of what lies in it */
	else if (o->class == ROLE && span_equal_nocase(name, SPAN("nic-hdl")))
		once(&o->handle, handle_number(b, value));
}

static uint32_t how_number(struct contacts_build *b, const struct how *h)
{
	uint32_t number = 0;

	if (b->err == OK)
		b->err = intern(&b->hows, h, &number);
	return number;
}

static void end_handle(struct contacts_build *b, const struct object *o)
{
	struct handle *h;

	if (o->handle == 0)
		return;
	h = (struct handle *)b->handles.at + (o->handle - 1);
	once(&h->abuse_mail, o->how.abuse_mail);
	once(&h->plain_mail, o->how.plain_mail);
	once(&h->abuse_c, o->how.abuse_c);
}

static void end(struct contacts_build *b, struct object *o)
{
	uint32_t how;

	if (o->good && b->err == OK) {
		switch (o->class) {
		case ORGANISATION:
		case ROLE:
		case IRT:
			end_handle(b, o);
			break;
		case AUT_NUM:
			how = how_number(b, &o->how);
			add(b, &b->as, &(struct resource_as){ o->asn, how }, RESOURCES_MAX);
			break;
		case INETNUM:
			how = how_number(b, &o->how);
			add(b, &b->ipv4,
			    &(struct resource4){ (uint32_t)o->range.first.low, (uint32_t)o->range.last.low, how },
			    RESOURCES_MAX);
			break;
		case INET6NUM:
			how = how_number(b, &o->how);
			add(b, &b->ipv6, &(struct resource6){ o->range.first, o->range.last, how }, RESOURCES_MAX);
			break;
		case NO_CLASS:
			break;
		}
	}
	*o = (struct object){ 0 };
}

static void read_line(struct contacts_build *b, struct object *o, struct span line)
{
	struct span value = line, name;

	b->line++;
	if (line.len > 0 && line.at[line.len - 1] == '\r')
		line.len--;
	if (line.len == 0) {
		end(b, o);
		return;
	}
	if (strchr(" \t+%#", line.at[0]) != NULL) /* also a NUL, which begins no name */
		return;
	value = line;
	name = span_cut(&value, ':');
	if (value.at == NULL) {
		reject(b, ERR_SYNTAX, line);
		return;
	}
	value = span_cut(&value, '#');
	attribute(b, o, span_trim(name), span_trim(value));
}

/* Lines from pieces. What is too long for one is left out to its end. */
struct lines {
	char at[LINE_MAX_BYTES];
	size_t len;
	bool too_long;
};

static void end_line(struct contacts_build *b, struct lines *l, struct object *o)
{
	if (l->too_long) {
		b->line++;
		reject(b, ERR_TOO_LONG, span_make(l->at, 80));
	} else {
		read_line(b, o, span_make(l->at, l->len));
	}
	l->len = 0;
	l->too_long = false;
}

static void read_piece(struct contacts_build *b, struct lines *l, struct object *o, struct span piece)
{
	while (piece.len > 0 && b->err == OK) {
		const char *end_at = memchr(piece.at, '\n', piece.len);
		size_t n = end_at != NULL ? (size_t)(end_at - piece.at) : piece.len;

		if (n > sizeof(l->at) - l->len)
			l->too_long = true;
		else
			memcpy(l->at + l->len, piece.at, n);
		l->len = l->too_long ? sizeof(l->at) : l->len + n;
		if (end_at != NULL)
			end_line(b, l, o);
		piece = span_from(piece, end_at != NULL ? n + 1 : n);
	}
}

struct reading {
	struct lines lines;
	struct object object;
	char piece[CHUNK];
};

static enum err finish(struct contacts_build *b, struct reading *r, uint64_t objects_before)
{
	if (r->lines.len > 0)
		end_line(b, &r->lines, &r->object);
	end(b, &r->object);
	if (b->err == OK && b->objects == objects_before)
		return fail(ERR_FORMAT_UNKNOWN, "%s: no whois object that is known here", b->path);
	return b->err;
}

enum err contacts_build_add_text(struct contacts_build *b, struct span text)
{
	struct reading *r = calloc(1, sizeof(*r));
	uint64_t before = b->objects;
	enum err e;

	if (r == NULL)
		return fail(ERR_NO_MEMORY, "no room to read");
	b->path = "text";
	b->line = 0;
	read_piece(b, &r->lines, &r->object, text);
	e = finish(b, r, before);
	free(r);
	return e;
}

/* zlib sees by itself whether a file is compressed. */
static enum err read_file(struct contacts_build *b, struct reading *r, gzFile f)
{
	int n;

	while (b->err == OK && (n = gzread(f, r->piece, sizeof(r->piece))) > 0)
		read_piece(b, &r->lines, &r->object, span_make(r->piece, (size_t)n));
	if (b->err != OK)
		return b->err;
	gzerror(f, &n);
	if (n == Z_ERRNO)
		return fail_errno("%s", b->path);
	return n == Z_OK ? OK : fail(ERR_COMPRESSION, "%s: damaged or cut gzip", b->path);
}

enum err contacts_build_add(struct contacts_build *b, const char *path)
{
	struct reading *r = calloc(1, sizeof(*r));
	uint64_t before = b->objects;
	gzFile f = NULL;
	enum err e = OK, last;

	if (r == NULL)
		return fail(ERR_NO_MEMORY, "no room to read");
	b->path = path;
	b->line = 0;
	if (!file_exists(path))
		e = fail(ERR_NOT_FOUND, "%s", path);
	else if ((f = gzopen(path, "rbe")) == NULL)
		e = fail_errno("%s", path);
	if (e == OK) {
		e = read_file(b, r, f);
		last = finish(b, r, before);
		e = e == OK ? last : e;
	}
	if (f != NULL)
		gzclose(f);
	free(r);
	return e;
}
