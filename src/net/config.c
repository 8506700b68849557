#include "net/config.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/encoding.h"
#include "base/file.h"
#include "regime/contact.h"
#include "net/nearest.h"

/*
 * One line, one setting
 *
 * A line is a name, blanks, a value. Settings of one value stand in the table `plain`, with their bounds; the others have a
 * function each in `special`. What depends on other settings (defaults on loopback, a key without its certificate) is
 * decided at the end, when all lines are read.
 */

#define CONFIG_FILE_MAX ((size_t)1 << 20)
#define LISTENS_MAX 16
#define COLLECTIONS_MAX 256
#define FOLLOWS_MAX 256
#define PINGS_MAX 1000
#define NAMES_MAX 1024 /* domains behind one `read` or `write` */
#define ALIAS_MAX 64
#define TITLE_MAX 200
#define BODY_MOST ((uint64_t)16 << 20)
#define DAY_MS INT64_C(86400000)

struct reading {
	struct arena *arena;
	struct config *c;
	const char *path;
	unsigned line; /* from 1 */
	config_warn *warn;
	void *context;
	unsigned plain_lines[64];	    /* where each plain setting stood; 0: nowhere */
	unsigned listen_lines[LISTENS_MAX]; /* the same of listens, */
	unsigned (*rule_lines)[4];	    /* and of each collection's rules: describe, read, write, unmarked */
	bool tls, plain, anywhere;	    /* listeners: TLS, plain; one that is not on loopback */
};

static enum err wrong(const struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static enum err wrong(const struct reading *r, const char *format, ...)
{
	char text[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return fail(ERR_USAGE, "%s line %u: %s", r->path, r->line, text);
}

static void warn(const struct reading *r, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void warn(const struct reading *r, unsigned line, const char *format, ...)
{
	char text[400];
	va_list arguments;

	if (r->warn == NULL)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	r->warn(r->context, line, text);
}

/* The next word; *rest goes on behind it and its blanks. Empty at the end. */
static struct span word(struct span *rest)
{
	size_t n = 0;
	struct span w;

	while (n < rest->len && rest->at[n] != ' ' && rest->at[n] != '\t')
		n++;
	w = span_make(rest->at, n);
	*rest = span_trim(span_from(*rest, n));
	return w;
}

/* In the arena, with a 0 behind it. */
static enum err keep(struct reading *r, struct span text, struct span *out)
{
	char *copy = arena_copy(r->arena, text.at, text.len);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	*out = span_make(copy, text.len);
	return OK;
}

/* ---- settings of one value ---- */

enum form {
	FORM_TEXT,
	FORM_FILE,
	FORM_PROGRAM,
	FORM_URL,
	FORM_SMTP,
	FORM_MAILBOX,
	FORM_YES,
	FORM_LOG,
	FORM_UNSIGNED,
	FORM_NUMBER,
	FORM_BYTES,
	FORM_SECONDS,
	FORM_TIME
};

static const struct plain {
	const char *name;
	enum form form;
	size_t at;	      /* in struct config */
	uint64_t least, most; /* seconds for FORM_SECONDS, milliseconds for FORM_TIME */
} plain[] = {
	{ "plain-anywhere", FORM_YES, offsetof(struct config, plain_anywhere), 0, 0 },
	{ "url", FORM_URL, offsetof(struct config, url), 0, 0 },
	{ "certificate", FORM_FILE, offsetof(struct config, certificate), 0, 0 },
	{ "key", FORM_FILE, offsetof(struct config, key), 0, 0 },
	{ "client-authorities", FORM_FILE, offsetof(struct config, client_authorities), 0, 0 },
	{ "title", FORM_TEXT, offsetof(struct config, title), 0, 0 },
	{ "contact", FORM_TEXT, offsetof(struct config, contact), 0, 0 },
	{ "smtp", FORM_SMTP, offsetof(struct config, smtp), 0, 0 },
	{ "smtp-user", FORM_TEXT, offsetof(struct config, smtp_user), 0, 0 },
	{ "smtp-password-file", FORM_FILE, offsetof(struct config, smtp_password_file), 0, 0 },
	{ "smtp-authorities", FORM_FILE, offsetof(struct config, smtp_authorities), 0, 0 },
	{ "smtp-plain", FORM_YES, offsetof(struct config, smtp_plain), 0, 0 },
	{ "mail-from", FORM_MAILBOX, offsetof(struct config, mail_from), 0, 0 },
	{ "mail-bounces", FORM_MAILBOX, offsetof(struct config, mail_bounces), 0, 0 },
	{ "mail-reply-to", FORM_MAILBOX, offsetof(struct config, mail_reply_to), 0, 0 },
	{ "mail-per-hour", FORM_NUMBER, offsetof(struct config, mail_per_hour), 0, 100000000 },
	{ "body-most", FORM_BYTES, offsetof(struct config, body_most), 4096, BODY_MOST },
	{ "page-most", FORM_NUMBER, offsetof(struct config, page_most), 1, 10000 },
	{ "connections", FORM_UNSIGNED, offsetof(struct config, connections), 1, 1000000 },
	{ "connections-per-address", FORM_UNSIGNED, offsetof(struct config, connections_per_address), 1, 1000000 },
	{ "idle", FORM_SECONDS, offsetof(struct config, idle_s), 1, 3600 },
	{ "request", FORM_SECONDS, offsetof(struct config, request_s), 1, 3600 },
	{ "requests-per-minute", FORM_NUMBER, offsetof(struct config, requests_per_minute), 0, 100000000 },
	{ "threads", FORM_UNSIGNED, offsetof(struct config, threads), 0, 64 },
	{ "circle-delay", FORM_TIME, offsetof(struct config, circle_delay_ms), 0, (uint64_t)CLOCK_DURATION_MAX },
	{ "log", FORM_LOG, offsetof(struct config, log_json), 0, 0 },
	{ "deliver", FORM_YES, offsetof(struct config, deliver), 0, 0 },
	{ "deliveries-per-minute", FORM_NUMBER, offsetof(struct config, deliveries_per_minute), 0, 100000000 },
	{ "introductions-per-day", FORM_NUMBER, offsetof(struct config, introductions_per_day), 0, 100000 },
	{ "outgoing-private", FORM_YES, offsetof(struct config, outgoing_private), 0, 0 },
	{ "outgoing-plain", FORM_YES, offsetof(struct config, outgoing_plain), 0, 0 },
	{ "ping-every", FORM_TIME, offsetof(struct config, ping_every_ms), 60000, 366 * DAY_MS },
	{ "follow-interval", FORM_TIME, offsetof(struct config, follow_interval_ms), 1000, DAY_MS },
	{ "outgoing-authorities", FORM_FILE, offsetof(struct config, outgoing_authorities), 0, 0 },
	{ "rdap-server", FORM_TEXT, offsetof(struct config, rdap_server), 0, 0 },
	{ "rdap-daily", FORM_NUMBER, offsetof(struct config, rdap_daily), 1, 100000 },
	{ "recall-hook", FORM_PROGRAM, offsetof(struct config, recall_hook), 0, 0 },
	{ "recall-hook-time", FORM_TIME, offsetof(struct config, recall_hook_ms), 1000, 600000 },
};
#define PLAIN_COUNT (sizeof(plain) / sizeof(plain[0]))
static_assert(PLAIN_COUNT <= 64, "plain_lines is too short");

/* Host, perhaps a port, nothing else; 0: no port is named. */
static enum err read_host(const struct reading *r, const char *name, struct span text, struct span *host,
			  uint64_t *port)
{
	struct span rest = text;
	struct address a;

	*port = 0;
	if (rest.len > 0 && rest.at[0] == '[') {
		rest = span_from(rest, 1);
		*host = span_cut(&rest, ']');
		if (rest.at == NULL || (rest.len > 0 && rest.at[0] != ':') || address_parse(*host, &a) != OK ||
		    a.family != FAMILY_IPV6)
			return wrong(r, "`%s`: `%.*s` is no IPv6 address in brackets", name, SPAN_FORMAT(*host));
		rest = rest.len > 0 ? span_from(rest, 1) : (struct span){ NULL, 0 };
	} else {
		*host = span_cut(&rest, ':');
		if (!span_is_domain(*host) && !span_is(*host, "localhost") && address_parse(*host, &a) != OK)
			return wrong(r, "`%s`: `%.*s` is no host; write it without a path, in lower case", name,
				     SPAN_FORMAT(*host));
	}
	if (rest.at != NULL && (span_u64(rest, 65535, port) != OK || *port == 0))
		return wrong(r, "`%s`: `%.*s` is no port", name, SPAN_FORMAT(rest));
	return OK;
}

/* https://cert.example or https://cert.example:8443: scheme, host, port, nothing else. */
static enum err read_url(struct reading *r, struct span value, struct span *out)
{
	bool https = span_starts(value, "https://");
	struct span rest = span_from(value, https ? 8 : span_starts(value, "http://") ? 7 : 0), host;
	uint64_t port;
	enum err e;

	if (rest.len == value.len)
		return wrong(r, "`url` wants an address such as https://cert.example, not `%.*s`", SPAN_FORMAT(value));
	if ((e = read_host(r, "url", rest, &host, &port)) != OK)
		return e;
	if (!https)
		warn(r, r->line, "`url` says http: what others send to it can be read and changed on the way");
	return keep(r, value, out);
}

/* smtps://host:465 (TLS from the start) or smtp://host:587 (STARTTLS). */
static enum err read_smtp(struct reading *r, struct span value, struct span *out)
{
	size_t scheme = span_starts(value, "smtps://") ? 8 : span_starts(value, "smtp://") ? 7 : 0;
	struct span host;
	uint64_t port;
	enum err e;

	if (scheme == 0)
		return wrong(r, "`smtp` wants smtps://host:465 or smtp://host:587, not `%.*s`", SPAN_FORMAT(value));
	e = read_host(r, "smtp", span_from(value, scheme), &host, &port);
	return e == OK ? keep(r, value, out) : e;
}

/* Relative to the folder of the configuration. */
static enum err read_path(struct reading *r, const char *name, struct span value, int mode, struct span *out)
{
	const char *slash = strrchr(r->path, '/');
	int folder = slash != NULL ? (int)(slash - r->path) : 1;
	char *path = value.at[0] == '/' ? arena_copy(r->arena, value.at, value.len)
					: arena_print(r->arena, "%.*s/%.*s", folder, slash != NULL ? r->path : ".",
						      SPAN_FORMAT(value));

	if (path == NULL)
		return ERR_NO_MEMORY;
	if (access(path, mode) != 0) {
		fail_errno("%s line %u: `%s %s`", r->path, r->line, name, path);
		return ERR_USAGE;
	}
	*out = span_of(path);
	return OK;
}

/* 4096, 64KiB, 16MiB. */
static enum err read_bytes(struct span value, uint64_t most, uint64_t *out)
{
	unsigned shift = span_ends(value, "KiB") ? 10 : span_ends(value, "MiB") ? 20 : 0;

	if (shift != 0)
		value.len -= 3;
	if (span_u64(value, most >> shift, out) != OK)
		return ERR_NUMBER;
	*out <<= shift;
	return OK;
}

static enum err read_duration(struct reading *r, const struct plain *p, struct span value, int64_t unit_ms,
			      int64_t *out)
{
	int64_t ms;
	char least[CLOCK_TEXT], most[CLOCK_TEXT];

	if (clock_parse_duration(value, &ms) == OK && ms >= (int64_t)p->least * unit_ms &&
	    ms <= (int64_t)p->most * unit_ms) {
		*out = ms / unit_ms;
		return OK;
	}
	clock_format_duration((int64_t)p->least * unit_ms, least);
	clock_format_duration((int64_t)p->most * unit_ms, most);
	return wrong(r, "`%s` wants a length of time from %s to %s, such as 30s, 10m or 90d, not `%.*s`", p->name,
		     least, most, SPAN_FORMAT(value));
}

static enum err read_number(struct reading *r, const struct plain *p, struct span value, uint64_t *out)
{
	enum err e = p->form == FORM_BYTES ? read_bytes(value, p->most, out) : span_u64(value, p->most, out);

	if (e == OK && *out >= p->least)
		return OK;
	return wrong(r, "`%s` wants a number from %llu to %llu%s, not `%.*s`", p->name, (unsigned long long)p->least,
		     (unsigned long long)p->most, p->form == FORM_BYTES ? " of bytes, perhaps with KiB or MiB" : "",
		     SPAN_FORMAT(value));
}

/* One of two words. */
static enum err read_either(struct reading *r, const char *name, struct span value, const char *no, const char *yes,
			    bool *out)
{
	*out = span_is(value, yes);
	if (*out || span_is(value, no))
		return OK;
	return wrong(r, "`%s` wants %s or %s, not `%.*s`", name, yes, no, SPAN_FORMAT(value));
}

static enum err read_plain(struct reading *r, const struct plain *p, struct span value)
{
	void *at = (char *)r->c + p->at;
	uint64_t number = 0;
	int64_t time = 0;
	enum err e;

	switch (p->form) {
	case FORM_TEXT:
		if (value.len > TITLE_MAX)
			return wrong(r, "`%s` wants at most %d bytes", p->name, TITLE_MAX);
		return keep(r, value, at);
	case FORM_FILE:
		return read_path(r, p->name, value, R_OK, at);
	case FORM_PROGRAM:
		return read_path(r, p->name, value, X_OK, at);
	case FORM_URL:
		return read_url(r, value, at);
	case FORM_SMTP:
		return read_smtp(r, value, at);
	case FORM_MAILBOX:
		if (contact_mail_check(value) != OK)
			return wrong(r, "`%s` wants a mailbox such as abuse@cert.example, not `%.*s`", p->name,
				     SPAN_FORMAT(value));
		return keep(r, value, at);
	case FORM_YES:
		return read_either(r, p->name, value, "no", "yes", at);
	case FORM_LOG:
		return read_either(r, p->name, value, "text", "json", at);
	case FORM_SECONDS:
		e = read_duration(r, p, value, 1000, &time);
		*(unsigned *)at = (unsigned)time;
		return e;
	case FORM_TIME:
		return read_duration(r, p, value, 1, at);
	case FORM_UNSIGNED:
		e = read_number(r, p, value, &number);
		*(unsigned *)at = (unsigned)number;
		return e;
	case FORM_NUMBER:
	case FORM_BYTES:
		return read_number(r, p, value, at);
	}
	assert(false);
	return ERR_USAGE;
}

/* ---- where to listen ---- */

bool config_is_loopback(struct address a)
{
	return a.family == FAMILY_IPV4 ? a.low >> 24 == 127 : a.high == 0 && a.low == 1;
}

enum err listen_parse(struct arena *a, struct span text, bool tls, struct listen *out)
{
	size_t colon = text.len;
	struct span host;
	uint64_t port;

	while (colon > 0 && text.at[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return fail(ERR_USAGE, "`%.*s` names no port; write it as 127.0.0.1:8180 or [::1]:8180",
			    SPAN_FORMAT(text));
	host = span_make(text.at, colon - 1);
	if (host.len > 2 && host.at[0] == '[' && host.at[host.len - 1] == ']') {
		host = span_make(host.at + 1, host.len - 2);
		if (address_parse(host, &out->address) != OK || out->address.family != FAMILY_IPV6)
			return fail(ERR_USAGE, "`%.*s` is no IPv6 address", SPAN_FORMAT(host));
	} else if (address_parse(host, &out->address) != OK || out->address.family != FAMILY_IPV4) {
		return fail(ERR_USAGE, "`%.*s` is no address; write an IPv4 address, or an IPv6 address in brackets",
			    SPAN_FORMAT(host));
	}
	if (span_u64(span_from(text, colon), 65535, &port) != OK)
		return fail(ERR_USAGE, "`%.*s` is no port", SPAN_FORMAT(span_from(text, colon)));
	out->port = (uint16_t)port;
	out->tls = tls;
	out->text.at = arena_copy(a, text.at, text.len);
	out->text.len = text.len;
	return out->text.at != NULL ? OK : ERR_NO_MEMORY;
}

static enum err add_listen(struct reading *r, struct span value, bool tls)
{
	struct config *c = r->c;
	struct listen *l = &c->listens[c->listen_count];

	if (c->listen_count == LISTENS_MAX)
		return wrong(r, "at most %d addresses can be listened on", LISTENS_MAX);
	if (listen_parse(r->arena, value, tls, l) == ERR_NO_MEMORY)
		return ERR_NO_MEMORY;
	else if (l->text.at == NULL)
		return wrong(r, "%s", err_detail());
	for (size_t i = 0; i < c->listen_count; i++)
		if (l->port != 0 && c->listens[i].port == l->port && address_equal(c->listens[i].address, l->address))
			return wrong(r, "%.*s is listened on already", SPAN_FORMAT(value));
	r->listen_lines[c->listen_count++] = r->line;
	return OK;
}

static enum err read_listen(struct reading *r, struct span value)
{
	return add_listen(r, value, false);
}

static enum err read_listen_tls(struct reading *r, struct span value)
{
	return add_listen(r, value, true);
}

/* ---- collections ---- */

static bool is_alias(struct span s)
{
	struct collection_id id;

	if (s.len == 0 || s.len > ALIAS_MAX || s.at[0] < 'a' || s.at[0] > 'z')
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!((s.at[i] >= 'a' && s.at[i] <= 'z') || (s.at[i] >= '0' && s.at[i] <= '9') || s.at[i] == '-'))
			return false;
	return collection_id_parse(s, &id) != OK;
}

static enum err read_collection(struct reading *r, struct span value)
{
	struct config *c = r->c;
	struct collection_rule *rule = &c->collections[c->collection_count];
	struct span alias = word(&value), uuid = word(&value);

	if (c->collection_count == COLLECTIONS_MAX)
		return wrong(r, "at most %d collections can be kept", COLLECTIONS_MAX);
	*rule = (struct collection_rule){ .readers = AUDIENCE_MEMBERS, .unmarked = TLP_AMBER };
	if (!is_alias(alias))
		return wrong(r,
			     "`%.*s` is no alias of a collection: a letter, then letters, digits and dashes, in lower "
			     "case",
			     SPAN_FORMAT(alias));
	if (collection_id_parse(uuid, &rule->id) != OK || rule->id.bytes[6] >> 4 != 4 || rule->id.bytes[8] >> 6 != 2)
		return wrong(r, "`%.*s` is no version-4 UUID in lower case; write `collection ALIAS UUID TITLE`",
			     SPAN_FORMAT(uuid));
	if (value.len == 0 || value.len > TITLE_MAX)
		return wrong(r, "a collection wants a title of at most %d bytes: `collection ALIAS UUID TITLE`",
			     TITLE_MAX);
	for (size_t i = 0; i < c->collection_count; i++)
		if (span_equal(c->collections[i].alias, alias) ||
		    memcmp(&c->collections[i].id, &rule->id, sizeof(rule->id)) == 0)
			return wrong(r, "the collection `%.*s` has this alias or UUID already",
				     SPAN_FORMAT(c->collections[i].alias));
	c->collection_count++;
	return keep(r, alias, &rule->alias) == OK && keep(r, value, &rule->title) == OK ? OK : ERR_NO_MEMORY;
}

enum rule_line { RULE_DESCRIBE, RULE_READ, RULE_WRITE, RULE_UNMARKED };
static const char *const rule_names[] = { "describe", "read", "write", "unmarked" };

/* The collection that a line begins with, at its first line of this sort. */
static enum err begin_rule(struct reading *r, enum rule_line which, struct span *value, struct collection_rule **out)
{
	struct span alias = word(value);

	for (size_t i = 0; i < r->c->collection_count; i++) {
		if (!span_equal(r->c->collections[i].alias, alias))
			continue;
		if (r->rule_lines[i][which] != 0)
			return wrong(r, "`%s %.*s` stands in line %u already", rule_names[which], SPAN_FORMAT(alias),
				     r->rule_lines[i][which]);
		if (value->len == 0)
			return wrong(r, "`%s %.*s` says nothing more", rule_names[which], SPAN_FORMAT(alias));
		r->rule_lines[i][which] = r->line;
		*out = &r->c->collections[i];
		return OK;
	}
	return wrong(r, "`%s`: no line `collection %.*s …` stands above", rule_names[which], SPAN_FORMAT(alias));
}

static enum err read_describe(struct reading *r, struct span value)
{
	struct collection_rule *rule;
	enum err e = begin_rule(r, RULE_DESCRIBE, &value, &rule);

	if (e == OK && value.len > 1000)
		e = wrong(r, "a description has at most 1000 bytes");
	return e == OK ? keep(r, value, &rule->description) : e;
}

/* `all`, `members`, or none of these, then domains. */
static enum err read_audience(struct reading *r, bool may_all, struct span value, enum audience *who,
			      const struct span **named, size_t *count)
{
	struct span rest = value, first = word(&rest), *names;
	size_t n = 0;

	*who = span_is(first, "members")	  ? AUDIENCE_MEMBERS
	       : may_all && span_is(first, "all") ? AUDIENCE_ALL
						  : AUDIENCE_NAMED;
	if (*who == AUDIENCE_NAMED)
		rest = value;
	if ((names = arena_array(r->arena, rest.len / 2 + 1, sizeof(*names))) == NULL)
		return ERR_NO_MEMORY;
	while (rest.len > 0) {
		struct span name = word(&rest);

		if (!span_is_domain(name))
			return wrong(r, "`%.*s` is neither %smembers nor a party's domain", SPAN_FORMAT(name),
				     may_all ? "all, " : "");
		for (size_t i = 0; i < n; i++)
			if (span_equal(names[i], name))
				return wrong(r, "%.*s stands there twice", SPAN_FORMAT(name));
		if (n == NAMES_MAX)
			return wrong(r, "at most %d parties can be named", NAMES_MAX);
		if (keep(r, name, &names[n++]) != OK)
			return ERR_NO_MEMORY;
	}
	*named = names;
	*count = n;
	return OK;
}

static enum err read_read(struct reading *r, struct span value)
{
	struct collection_rule *rule;
	enum err e = begin_rule(r, RULE_READ, &value, &rule);

	return e == OK ? read_audience(r, true, value, &rule->readers, &rule->named_readers, &rule->named_reader_count)
		       : e;
}

static enum err read_write(struct reading *r, struct span value)
{
	struct collection_rule *rule;
	enum err e = begin_rule(r, RULE_WRITE, &value, &rule);

	return e == OK ? read_audience(r, false, value, &rule->writers, &rule->named_writers, &rule->named_writer_count)
		       : e;
}

/* As written here; a statement writes them in capitals. */
static const char *const tlp_words[TLP_COUNT] = { "clear", "green", "amber", "amber+strict", "red" };

static enum err read_unmarked(struct reading *r, struct span value)
{
	struct collection_rule *rule;
	enum err e = begin_rule(r, RULE_UNMARKED, &value, &rule);

	for (int t = 0; e == OK && t < TLP_COUNT; t++)
		if (span_is(value, tlp_words[t])) {
			rule->unmarked = (enum tlp)t;
			return OK;
		}
	return e == OK ? wrong(r, "`unmarked` wants clear, green, amber, amber+strict or red, not `%.*s`",
			       SPAN_FORMAT(value))
		       : e;
}

/* An address, and perhaps the fingerprint of the key that must be found there. */
static enum err read_follow(struct reading *r, struct span value)
{
	struct follow_rule *f = &r->c->follows[r->c->follow_count];
	struct span url = word(&value);

	if (r->c->follow_count == FOLLOWS_MAX)
		return wrong(r, "at most %d nodes can be followed", FOLLOWS_MAX);
	f->has_key = value.len > 0;
	if (f->has_key && hash_from_hex(value, &f->key) != OK)
		return wrong(r, "`follow`: `%.*s` is no fingerprint, 64 digits of lower-case hex", SPAN_FORMAT(value));
	r->c->follow_count++;
	return read_url(r, url, &f->url);
}

/* A party's domain, or all. */
static enum err read_ping(struct reading *r, struct span value)
{
	if (span_is(value, "all")) {
		r->c->ping_all = true;
		return OK;
	}
	if (!span_is_domain(value))
		return wrong(r, "`ping` wants a party's domain or all, not `%.*s`", SPAN_FORMAT(value));
	if (r->c->ping_count == PINGS_MAX)
		return wrong(r, "at most %d parties can be named; `ping all` names all", PINGS_MAX);
	return keep(r, value, &r->c->pings[r->c->ping_count++]);
}

static const struct special {
	const char *name;
	enum err (*read)(struct reading *r, struct span value);
} special[] = {
	{ "listen", read_listen },
	{ "listen-tls", read_listen_tls },
	{ "collection", read_collection },
	{ "describe", read_describe },
	{ "read", read_read },
	{ "write", read_write },
	{ "unmarked", read_unmarked },
	{ "follow", read_follow },
	{ "ping", read_ping },
};
#define SPECIAL_COUNT (sizeof(special) / sizeof(special[0]))

/* ---- lines ---- */

static enum err unknown_name(const struct reading *r, struct span name)
{
	const char *nearest = NULL;
	unsigned least = 4; /* farther is no help */

	for (size_t i = 0; i < PLAIN_COUNT + SPECIAL_COUNT; i++) {
		const char *known = i < PLAIN_COUNT ? plain[i].name : special[i - PLAIN_COUNT].name;
		unsigned d = word_distance(name, span_of(known));

		if (d < least && d < strlen(known)) {
			least = d;
			nearest = known;
		}
	}
	if (nearest != NULL)
		return wrong(r, "there is no setting `%.*s`; did you mean `%s`?", SPAN_FORMAT(name), nearest);
	return wrong(r, "there is no setting `%.*s`; comity-config(5) lists them", SPAN_FORMAT(name));
}

static enum err read_line(struct reading *r, struct span line)
{
	struct span value, name;

	for (size_t i = 0; i < line.len; i++)
		if (((unsigned char)line.at[i] < 0x20 && line.at[i] != '\t') || line.at[i] == 0x7f)
			return wrong(r, "byte %zu is a control character", i + 1);
	if (!span_is_utf8(line))
		return wrong(r, "the line is not UTF-8");
	value = span_trim(line);
	if (value.len == 0 || value.at[0] == '#')
		return OK;
	name = word(&value);
	for (size_t i = 0; i < PLAIN_COUNT; i++) {
		if (!span_is(name, plain[i].name))
			continue;
		if (r->plain_lines[i] != 0)
			return wrong(r, "`%s` stands in line %u already", plain[i].name, r->plain_lines[i]);
		if (value.len == 0)
			return wrong(r, "`%s` has no value", plain[i].name);
		r->plain_lines[i] = r->line;
		return read_plain(r, &plain[i], value);
	}
	for (size_t i = 0; i < SPECIAL_COUNT; i++)
		if (span_is(name, special[i].name))
			return value.len > 0 ? special[i].read(r, value)
					     : wrong(r, "`%s` has no value", special[i].name);
	return unknown_name(r, name);
}

/* ---- what holds together ---- */

static unsigned line_of(const struct reading *r, const char *name)
{
	for (size_t i = 0; i < PLAIN_COUNT; i++)
		if (strcmp(plain[i].name, name) == 0)
			return r->plain_lines[i];
	return 0;
}

static enum err check_listens(struct reading *r)
{
	struct config *c = r->c;

	for (size_t i = 0; i < c->listen_count; i++) {
		const struct listen *l = &c->listens[i];
		bool loopback = config_is_loopback(l->address);

		r->line = r->listen_lines[i];
		r->tls = r->tls || l->tls;
		r->anywhere = r->anywhere || !loopback;
		if (l->tls || loopback)
			continue;
		if (!c->plain_anywhere)
			return wrong(r,
				     "%.*s is not on loopback, and plain HTTP shows passwords to everyone on the way; "
				     "write `listen-tls`, or `plain-anywhere yes` if a proxy stands before it",
				     SPAN_FORMAT(l->text));
		warn(r, r->line, "plain HTTP on %.*s: passwords and bodies can be read on the way",
		     SPAN_FORMAT(l->text));
	}
	return OK;
}

static enum err check_tls(struct reading *r)
{
	struct config *c = r->c;
	unsigned certificate = line_of(r, "certificate"), key = line_of(r, "key");
	struct stat st;

	r->line = certificate != 0 ? certificate : key;
	if ((certificate == 0) != (key == 0))
		return wrong(r, "`certificate` and `key` go together; one of them is missing");
	if (!r->tls && (certificate != 0 || line_of(r, "client-authorities") != 0))
		warn(r, certificate != 0 ? certificate : line_of(r, "client-authorities"),
		     "no `listen-tls` uses certificates");
	if (r->tls && certificate == 0)
		warn(r, 0, "no `certificate`: a development certificate is made, which others have no reason to trust");
	if (key != 0 && stat(c->key.at, &st) == 0 && (st.st_mode & 077) != 0)
		warn(r, key, "%s can be read by others than its owner: chmod 600 it", c->key.at);
	return OK;
}

static void check_outgoing(const struct reading *r)
{
	if (r->c->outgoing_private)
		warn(r, line_of(r, "outgoing-private"),
		     "`outgoing-private yes`: addresses that other nodes name may lead to hosts of your own network");
	if (r->c->outgoing_plain)
		warn(r, line_of(r, "outgoing-plain"),
		     "`outgoing-plain yes`: what goes to an http address can be read and changed on the way");
}

/* Unlike `url` it may have a path. */
static enum err check_rdap(struct reading *r)
{
	struct span url = r->c->rdap_server;

	r->line = line_of(r, "rdap-server");
	for (size_t i = 0; i < url.len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:/[]-_~", url.at[i]) == NULL)
			return wrong(r, "`rdap-server`: `%.*s` is no plain address of a server", SPAN_FORMAT(url));
	if (url.len > 0 && !span_starts(url, "https://") && !span_starts(url, "http://"))
		return wrong(r, "`rdap-server` wants https://rdap.example, not `%.*s`", SPAN_FORMAT(url));
	return OK;
}

static enum err check_mail(struct reading *r)
{
	struct config *c = r->c;
	unsigned smtp = line_of(r, "smtp"), password = line_of(r, "smtp-password-file");
	struct span rest = c->mail_bounces, local = span_cut(&rest, '@');
	struct stat st;

	r->line = line_of(r, "mail-bounces");
	if (local.len > BOUNCE_LOCAL_MAX)
		return wrong(
			r,
			"`mail-bounces`: what stands before the @ has more than %d bytes, and a tag of %d follows it",
			BOUNCE_LOCAL_MAX, BOUNCE_TAG_SIZE);
	r->line = password != 0 ? password : line_of(r, "smtp-user");
	if ((password == 0) != (c->smtp_user.len == 0))
		return wrong(r, "`smtp-user` and `smtp-password-file` go together; one of them is missing");
	if (password != 0 && stat(c->smtp_password_file.at, &st) == 0 && (st.st_mode & 077) != 0)
		warn(r, password, "%s can be read by others than its owner: chmod 600 it", c->smtp_password_file.at);
	if (smtp == 0)
		return OK;
	r->line = smtp;
	if (c->mail_from.len == 0)
		return wrong(r, "`smtp` needs `mail-from`, the mailbox that writes");
	if (c->mail_bounces.len == 0)
		warn(r, smtp,
		     "no `mail-bounces`: what cannot be delivered comes back to `mail-from`, and is not told apart");
	if (c->url.len == 0)
		warn(r, smtp, "no `url`: mails have no link to answer with");
	if (c->smtp_plain)
		warn(r, line_of(r, "smtp-plain"), "`smtp-plain yes`: mails and the password can be read on the way");
	return OK;
}

static void check_pings(const struct reading *r)
{
	if (!r->c->ping_all && r->c->ping_count == 0 && line_of(r, "ping-every") != 0)
		warn(r, line_of(r, "ping-every"), "no `ping` takes that time");
}

static enum err check_hook(struct reading *r)
{
	unsigned hook = line_of(r, "recall-hook");
	const char *path = r->c->recall_hook.at;
	struct stat st;

	if (hook == 0 && line_of(r, "recall-hook-time") != 0)
		warn(r, line_of(r, "recall-hook-time"), "no `recall-hook` takes that time");
	if (hook == 0 || stat(path, &st) != 0)
		return OK;
	r->line = hook;
	if (!S_ISREG(st.st_mode))
		return wrong(r, "`recall-hook %s` is no program", path);
	if ((st.st_mode & 022) != 0)
		warn(r, hook, "%s can be changed by others than its owner: chmod go-w it", path);
	return OK;
}

static void check_collections(const struct reading *r)
{
	for (size_t i = 0; i < r->c->collection_count; i++) {
		const struct collection_rule *rule = &r->c->collections[i];
		unsigned line = r->rule_lines[i][RULE_UNMARKED];

		if (rule->unmarked == TLP_CLEAR && rule->readers == AUDIENCE_ALL)
			warn(r, line, "`unmarked %.*s clear`: what has no marking can be read by anyone",
			     SPAN_FORMAT(rule->alias));
		if (rule->unmarked == TLP_RED && rule->named_reader_count == 0)
			warn(r, line, "`unmarked %.*s red`: nobody is named who could read what has no marking",
			     SPAN_FORMAT(rule->alias));
	}
}

static void set_defaults(struct config *c)
{
	c->body_most = (uint64_t)10 << 20;
	c->page_most = 1000;
	c->connections = 12000;
	c->idle_s = 30;
	c->request_s = 60;
	c->circle_delay_ms = 90 * DAY_MS;
	c->deliver = true;
	c->rdap_daily = 100;
	c->follow_interval_ms = 300000;
	c->ping_every_ms = 30 * DAY_MS;
	c->recall_hook_ms = 60000;
	c->deliveries_per_minute = 6000;
	c->mail_per_hour = 600;
	c->introductions_per_day = 1000;
}

/* Those that depend on where it listens. */
static void set_later_defaults(struct config *c)
{
	bool anywhere = false;

	for (size_t i = 0; i < c->listen_count; i++)
		anywhere = anywhere || !config_is_loopback(c->listens[i].address);
	if (c->default_per_address)
		c->connections_per_address = anywhere ? 200 : c->connections;
	if (c->default_rate)
		c->requests_per_minute = anywhere ? 6000 : 0;
}

enum err config_listen(struct config *c, struct listen *listens, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!listens[i].tls && !c->plain_anywhere && !config_is_loopback(listens[i].address))
			return fail(ERR_USAGE,
				    "%.*s is not on loopback; take --listen-tls, or write `plain-anywhere yes` in the "
				    "configuration if a proxy stands before it",
				    SPAN_FORMAT(listens[i].text));
	c->listens = listens;
	c->listen_count = count;
	set_later_defaults(c);
	return OK;
}

struct door_limits config_door_limits(const struct config *c)
{
	struct door_limits l = door_default;

	l.allow_private = c->outgoing_private;
	l.allow_plain = c->outgoing_plain;
	l.authorities = c->outgoing_authorities.len > 0 ? c->outgoing_authorities.at : NULL;
	return l;
}

static enum err check_all(struct reading *r)
{
	enum err e;

	if (r->c->listen_count == 0 &&
	    (e = listen_parse(r->arena, SPAN("127.0.0.1:8180"), false, &r->c->listens[r->c->listen_count++])) != OK)
		return e;
	if ((e = check_listens(r)) != OK || (e = check_tls(r)) != OK || (e = check_mail(r)) != OK ||
	    (e = check_rdap(r)) != OK || (e = check_hook(r)) != OK)
		return e;
	check_outgoing(r);
	check_collections(r);
	check_pings(r);
	r->c->default_per_address = line_of(r, "connections-per-address") == 0;
	r->c->default_rate = line_of(r, "requests-per-minute") == 0;
	set_later_defaults(r->c);
	if (r->anywhere && r->c->requests_per_minute == 0)
		warn(r, line_of(r, "requests-per-minute"), "`requests-per-minute 0`: one caller can take all of it");
	return OK;
}

enum err config_parse(struct arena *a, struct span text, const char *path, config_warn *warn_by, void *context,
		      struct config *out)
{
	struct reading r = { .arena = a, .c = out, .path = path, .warn = warn_by, .context = context };
	struct span rest = text, line;
	enum err e = OK;

	*out = (struct config){ 0 };
	set_defaults(out);
	out->listens = arena_array(a, LISTENS_MAX + 1, sizeof(*out->listens));
	out->collections = arena_array(a, COLLECTIONS_MAX + 1, sizeof(*out->collections));
	out->follows = arena_array(a, FOLLOWS_MAX + 1, sizeof(*out->follows));
	out->pings = arena_array(a, PINGS_MAX, sizeof(*out->pings));
	r.rule_lines = arena_array(a, COLLECTIONS_MAX, sizeof(*r.rule_lines));
	if (out->listens == NULL || out->collections == NULL || out->follows == NULL || out->pings == NULL ||
	    r.rule_lines == NULL)
		return ERR_NO_MEMORY;
	if (text.len > CONFIG_FILE_MAX)
		return fail(ERR_USAGE, "%s: over %zu bytes", path, CONFIG_FILE_MAX);
	while (e == OK && span_line(&rest, &line)) {
		r.line++;
		e = read_line(&r, line);
	}
	return e == OK ? check_all(&r) : e;
}

enum err config_read(struct arena *a, const char *path, config_warn *warn_by, void *context, struct config *out)
{
	struct span text = SPAN("");
	enum err e = file_exists(path) ? file_read(a, path, CONFIG_FILE_MAX, &text) : OK;

	if (e == ERR_TOO_LONG || e == ERR_NOT_FOUND)
		e = fail(ERR_USAGE, "%s", err_detail());
	return e == OK ? config_parse(a, text, path, warn_by, context, out) : e;
}

/* ---- writing ---- */

static void print_plain(const struct config *c, const struct plain *p, struct buffer *out)
{
	const void *at = (const char *)c + p->at;
	const struct span *text = at;
	char time[CLOCK_TEXT];

	if (p->form <= FORM_MAILBOX && text->len == 0) {
		buffer_print(out, "# %s is not set\n", p->name);
		return;
	}
	buffer_print(out, "%s ", p->name);
	switch (p->form) {
	case FORM_TEXT:
	case FORM_FILE:
	case FORM_PROGRAM:
	case FORM_URL:
	case FORM_SMTP:
	case FORM_MAILBOX:
		buffer_span(out, *text);
		break;
	case FORM_YES:
		buffer_text(out, *(const bool *)at ? "yes" : "no");
		break;
	case FORM_LOG:
		buffer_text(out, *(const bool *)at ? "json" : "text");
		break;
	case FORM_UNSIGNED:
		buffer_decimal(out, *(const unsigned *)at);
		break;
	case FORM_SECONDS:
		buffer_print(out, "%us", *(const unsigned *)at);
		break;
	case FORM_TIME:
		clock_format_duration(*(const int64_t *)at, time);
		buffer_text(out, time);
		break;
	case FORM_NUMBER:
	case FORM_BYTES:
		buffer_decimal(out, *(const uint64_t *)at);
		break;
	}
	buffer_byte(out, '\n');
}

static void print_audience(const char *name, const struct collection_rule *rule, enum audience who,
			   const struct span *named, size_t count, struct buffer *out)
{
	if (who == AUDIENCE_NAMED && count == 0)
		return;
	buffer_print(out, "%s %.*s%s", name, SPAN_FORMAT(rule->alias),
		     who == AUDIENCE_ALL       ? " all"
		     : who == AUDIENCE_MEMBERS ? " members"
					       : "");
	for (size_t i = 0; i < count; i++)
		buffer_print(out, " %.*s", SPAN_FORMAT(named[i]));
	buffer_byte(out, '\n');
}

void config_print(const struct config *c, struct buffer *out)
{
	for (size_t i = 0; i < c->listen_count; i++)
		buffer_print(out, "listen%s %.*s\n", c->listens[i].tls ? "-tls" : "", SPAN_FORMAT(c->listens[i].text));
	for (size_t i = 0; i < PLAIN_COUNT; i++)
		print_plain(c, &plain[i], out);
	for (size_t i = 0; i < c->follow_count; i++) {
		char key[HASH_HEX + 1];

		hash_hex(c->follows[i].key, key);
		buffer_print(out, "follow %.*s%s%s\n", SPAN_FORMAT(c->follows[i].url), c->follows[i].has_key ? " " : "",
			     c->follows[i].has_key ? key : "");
	}
	if (c->ping_all)
		buffer_text(out, "ping all\n");
	for (size_t i = 0; i < c->ping_count; i++)
		buffer_print(out, "ping %.*s\n", SPAN_FORMAT(c->pings[i]));
	for (size_t i = 0; i < c->collection_count; i++) {
		const struct collection_rule *rule = &c->collections[i];
		char uuid[COLLECTION_ID_TEXT];

		collection_id_print(&rule->id, uuid);
		buffer_print(out, "collection %.*s %s %.*s\n", SPAN_FORMAT(rule->alias), uuid,
			     SPAN_FORMAT(rule->title));
		if (rule->description.len > 0)
			buffer_print(out, "describe %.*s %.*s\n", SPAN_FORMAT(rule->alias),
				     SPAN_FORMAT(rule->description));
		print_audience("read", rule, rule->readers, rule->named_readers, rule->named_reader_count, out);
		print_audience("write", rule, rule->writers, rule->named_writers, rule->named_writer_count, out);
		buffer_print(out, "unmarked %.*s %s\n", SPAN_FORMAT(rule->alias), tlp_words[rule->unmarked]);
	}
}
