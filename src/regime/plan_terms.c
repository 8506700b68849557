#include "regime/plan_terms.h"

#include <stdlib.h>

#include "regime/contact.h"
#include "regime/kinds_private.h"

#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)
#define WINDOW_MAX_MS (366 * DAY_MS)
#define SOURCE_LEAST_IPV4 8
#define SOURCE_LEAST_IPV6 16
#define TEXT_MAX 500
#define CONTACT_MAX 200
#define MARKER_MAX 200
#define PORT_RANGES_MAX 64
#define LIST_MAX 4096 /* a statement has no more headers */

/*
 * The bytes of a plan in the state
 *
 *	u8 activity, u8 flags (intrusive, any target, sealed), u64 start_ms, u64 end_ms, u64 filed_ms, u8 repeat, u32 count
 *	32 commitment, if sealed
 *	three lists of prefixes, one of AS numbers, one of countries, one of domains: u32 count, then each of them
 *	u8 count and transports, u32 count and ports (u16 low, u16 high), u64 rate, u64 rate_each, u64 stop_within_ms
 *	u32 count and markers (u8 kind, short value), short contact, u16 length and purpose
 */

#define FLAG_INTRUSIVE 0x1u
#define FLAG_ANY 0x2u
#define FLAG_SEALED 0x4u

static const struct {
	const char *name;
	int64_t notice_ms;
} activities[ACTIVITY_COUNT] = {
	[ACTIVITY_SCAN] = { "scan", 0 },
	[ACTIVITY_EXERCISE] = { "exercise", 14 * DAY_MS },
	[ACTIVITY_TAKEDOWN] = { "takedown", DAY_MS / 24 },
	[ACTIVITY_MAINTENANCE] = { "maintenance", 3 * DAY_MS },
	[ACTIVITY_RESEARCH] = { "research", 0 },
	[ACTIVITY_MEASUREMENT] = { "measurement", 0 },
	[ACTIVITY_RED_TEAM] = { "red-team", 14 * DAY_MS },
	[ACTIVITY_SINKHOLE] = { "sinkhole", 0 },
	[ACTIVITY_RECOVERY] = { "recovery", 0 },
};

static const char *const marker_kinds[MARKER_COUNT] = {
	[MARKER_PTR] = "ptr", [MARKER_PROBING] = "probing", [MARKER_USER_AGENT] = "user-agent",
	[MARKER_TLS] = "tls", [MARKER_IN_BAND] = "in-band",
};

/* Those that plans name; any other has its IANA number. */
static const struct {
	const char *name;
	uint8_t number;
} transports[] = {
	{ "icmp", 1 }, { "tcp", 6 }, { "udp", 17 }, { "gre", 47 }, { "esp", 50 }, { "icmpv6", 58 }, { "sctp", 132 },
};
#define TRANSPORTS (sizeof(transports) / sizeof(transports[0]))

const char *activity_name(enum activity a)
{
	return (unsigned)a < ACTIVITY_COUNT ? activities[a].name : "unknown";
}

int64_t activity_notice_ms(enum activity a, bool intrusive)
{
	if (intrusive || (unsigned)a >= ACTIVITY_COUNT)
		return activities[ACTIVITY_EXERCISE].notice_ms;
	return activities[a].notice_ms;
}

const char *marker_name(enum marker_kind k)
{
	return (unsigned)k < MARKER_COUNT ? marker_kinds[k] : "unknown";
}

const char *transport_name(uint8_t number)
{
	for (size_t i = 0; i < TRANSPORTS; i++)
		if (transports[i].number == number)
			return transports[i].name;
	return NULL;
}

/* ---- windows ---- */

static int64_t period_ms(const struct plan_terms *t)
{
	return t->repeat == REPEAT_DAILY ? DAY_MS : t->repeat == REPEAT_WEEKLY ? 7 * DAY_MS : 0;
}

int64_t plan_terms_last_ms(const struct plan_terms *t)
{
	return t->end_ms + period_ms(t) * ((int64_t)t->repeat_count - 1);
}

/* Windows are at most a period long, so the latest that has begun is the only one that may hold the time. */
bool plan_terms_open(const struct plan_terms *t, int64_t time_ms, int64_t skew_ms)
{
	int64_t period = period_ms(t), n = 0;

	if (t->end_ms == 0)
		return true;
	if (time_ms < t->start_ms - skew_ms || time_ms > plan_terms_last_ms(t) + skew_ms)
		return false;
	if (period > 0)
		n = (time_ms - t->start_ms + skew_ms) / period;
	if (n >= (int64_t)t->repeat_count)
		n = (int64_t)t->repeat_count - 1;
	return time_ms <= t->end_ms + n * period + skew_ms;
}

static enum err read_repeat(const struct statement *s, struct plan_terms *t)
{
	const struct header *h = statement_header(s, "repeat");
	struct span rest, word;
	uint64_t count;

	t->repeat_count = 1;
	if (h == NULL)
		return OK;
	rest = h->value;
	word = span_cut(&rest, ' ');
	if (rest.at == NULL || span_u64(rest, 366, &count) != OK || count < 2 ||
	    (!span_is(word, "daily") && !span_is(word, "weekly")))
		return fail(ERR_STATEMENT_HEADER, "repeat: daily N or weekly N, N windows in all, 2 to 366");
	t->repeat = span_is(word, "daily") ? REPEAT_DAILY : REPEAT_WEEKLY;
	t->repeat_count = (uint32_t)count;
	return OK;
}

static enum err read_window(const struct statement *s, struct plan_terms *t)
{
	bool start = statement_header(s, "start") != NULL, end = statement_header(s, "end") != NULL;
	enum err e = value_time(s, "start", &t->start_ms);

	if (e == OK)
		e = value_time(s, "end", &t->end_ms);
	if (e == OK)
		e = read_repeat(s, t);
	if (e != OK)
		return e;
	if (t->sealed && !start && !end && t->repeat == REPEAT_NONE)
		return OK;
	if (!start || !end)
		return fail(ERR_STATEMENT_HEADER, "%s: missing in a plan", start ? "end" : "start");
	if (t->end_ms <= t->start_ms)
		return fail(ERR_PLAN_WINDOW, "end: not after the start");
	if (t->repeat != REPEAT_NONE && t->end_ms - t->start_ms > period_ms(t))
		return fail(ERR_PLAN_WINDOW, "repeat: a window ends after the next one begins");
	if (plan_terms_last_ms(t) - t->start_ms > WINDOW_MAX_MS)
		return fail(ERR_PLAN_WINDOW, "%s: over 366 days after the start",
			    t->repeat == REPEAT_NONE ? "end" : "repeat");
	return OK;
}

/* ---- headers ---- */

static enum err read_activity(const struct statement *s, struct plan_terms *t)
{
	const struct header *h = statement_header(s, "activity");
	bool red;
	enum err e;

	if (h == NULL)
		return fail(ERR_STATEMENT_HEADER, "activity: missing in a plan");
	for (t->activity = 0; t->activity < ACTIVITY_COUNT; t->activity++)
		if (span_is(h->value, activities[t->activity].name))
			break;
	if (t->activity == ACTIVITY_COUNT)
		return fail(ERR_STATEMENT_HEADER,
			    "activity: scan, exercise, takedown, maintenance, research, measurement, red-team, "
			    "sinkhole or recovery");
	red = t->activity == ACTIVITY_RED_TEAM;
	t->intrusive = red;
	if ((e = value_yes_no(s, "intrusive", &t->intrusive)) == OK && red && !t->intrusive)
		e = fail(ERR_STATEMENT_HEADER, "intrusive: a red team always is");
	return e;
}

static size_t count_of(const struct statement *s, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < s->header_count; i++)
		n += span_is(s->headers[i].name, name);
	return n;
}

enum err plan_prefix_read(const char *name, struct span value, struct prefix *out)
{
	char canonical[PREFIX_TEXT];

	if (prefix_parse(value, out) != OK || !span_equal(value, span_make(canonical, prefix_format(*out, canonical))))
		return fail(ERR_PREFIX, "%s: %.*s", name, SPAN_FORMAT(value));
	/* Addresses seen as ::ffff:192.0.2.1 are matched as IPv4, and a /96 there would be all of it. */
	if (out->address.family == FAMILY_IPV6 && out->length >= 96 && out->address.high == 0 &&
	    out->address.low >> 32 == 0xffff)
		return fail(ERR_PREFIX, "%s: %.*s is written as IPv4", name, SPAN_FORMAT(value));
	return OK;
}

/* All headers of that name onto the list. */
static enum err add_prefixes(const struct statement *s, const char *name, struct prefix *list, size_t *count)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, name) &&
		    (e = plan_prefix_read(name, s->headers[i].value, &list[*count])) == OK)
			(*count)++;
	return e;
}

/* A plan for half the Internet explains nothing. */
static enum err judge_sources(const struct plan_terms *t)
{
	for (size_t i = 0; i < t->source_count; i++) {
		struct prefix p = t->sources[i];
		unsigned least = p.address.family == FAMILY_IPV4 ? SOURCE_LEAST_IPV4 : SOURCE_LEAST_IPV6;

		if (p.length < least)
			return fail(ERR_PREFIX, "source: a /%u is too wide; at least /%u", p.length, least);
	}
	return OK;
}

static enum err read_sources(struct arena *a, const struct statement *s, struct plan_terms *t)
{
	enum err e;

	if (statement_header(s, "source") == NULL)
		return fail(ERR_STATEMENT_HEADER, "source: missing in a plan");
	t->sources = arena_array(a, count_of(s, "source") + count_of(s, "alternate"), sizeof(*t->sources));
	t->excludes = arena_array(a, count_of(s, "exclude"), sizeof(*t->excludes));
	if (t->sources == NULL || t->excludes == NULL)
		return ERR_NO_MEMORY;
	e = add_prefixes(s, "source", t->sources, &t->source_count);
	if (e == OK)
		e = add_prefixes(s, "alternate", t->sources, &t->source_count);
	if (e == OK)
		e = judge_sources(t);
	return e == OK ? add_prefixes(s, "exclude", t->excludes, &t->exclude_count) : e;
}

/* `any`, a prefix, `AS64500`, `country EE` or a domain: told apart by their form. */
static enum err read_target(struct span value, struct plan_terms *t)
{
	struct addressee to;

	if (span_is(value, "any")) {
		t->any_target = true;
		return OK;
	}
	if (memchr(value.at, '/', value.len) != NULL)
		return plan_prefix_read("target", value, &t->targets[t->target_count]) == OK ? (t->target_count++, OK)
											     : ERR_PREFIX;
	if (addressee_parse(value, &to) != OK)
		return fail(ERR_PREFIX, "target: %.*s is no prefix, AS, country or domain, nor `any`",
			    SPAN_FORMAT(value));
	if (to.type == TO_AS)
		t->target_as[t->target_as_count++] = to.asn;
	else if (to.type == TO_COUNTRY)
		memcpy(t->target_countries[t->target_country_count++], to.country, 3);
	else if (to.type == TO_PARTY)
		t->target_domains[t->target_domain_count++] = to.domain;
	else
		return fail(ERR_PREFIX, "target: %.*s; everything is `any`", SPAN_FORMAT(value));
	return OK;
}

static enum err read_targets(struct arena *a, const struct statement *s, struct plan_terms *t)
{
	size_t n = count_of(s, "target");
	enum err e = OK;

	if (n == 0)
		return fail(ERR_STATEMENT_HEADER, "target: missing in a plan");
	t->targets = arena_array(a, n, sizeof(*t->targets));
	t->target_as = arena_array(a, n, sizeof(*t->target_as));
	t->target_countries = arena_array(a, n, sizeof(*t->target_countries));
	t->target_domains = arena_array(a, n, sizeof(*t->target_domains));
	if (t->targets == NULL || t->target_as == NULL || t->target_countries == NULL || t->target_domains == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "target"))
			e = read_target(s->headers[i].value, t);
	return e;
}

static enum err read_transport(struct span value, uint8_t *out)
{
	uint64_t number;

	for (size_t i = 0; i < TRANSPORTS; i++)
		if (span_is(value, transports[i].name)) {
			*out = transports[i].number;
			return OK;
		}
	if (span_u64(value, UINT8_MAX, &number) != OK || number == 0)
		return fail(ERR_STATEMENT_HEADER, "transport: tcp, udp, sctp, icmp, icmpv6, gre, esp or a number");
	*out = (uint8_t)number;
	return transport_name(*out) == NULL
		       ? OK
		       : fail(ERR_STATEMENT_HEADER, "transport: %u is written %s", *out, transport_name(*out));
}

static enum err read_transports(const struct statement *s, struct plan_terms *t)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		if (!span_is(s->headers[i].name, "transport"))
			continue;
		if (t->transport_count == sizeof(t->transports))
			return fail(ERR_STATEMENT_HEADER, "transport: more than %zu", sizeof(t->transports));
		e = read_transport(s->headers[i].value, &t->transports[t->transport_count]);
		if (e == OK && memchr(t->transports, t->transports[t->transport_count], t->transport_count) != NULL)
			e = fail(ERR_STATEMENT_HEADER, "transport: the same one twice");
		t->transport_count += e == OK;
	}
	return e;
}

static int by_port(const void *a, const void *b)
{
	const struct port_range *x = a, *y = b;

	return (x->low > y->low) - (x->low < y->low);
}

static enum err read_port(struct span value, struct port_range *out)
{
	struct span rest = value, first = span_cut(&rest, '-');
	uint64_t low, high;

	if (span_u64(first, UINT16_MAX, &low) != OK || low == 0)
		return fail(ERR_STATEMENT_HEADER, "port: 443 or 1-1024");
	high = low;
	if (rest.at != NULL && (span_u64(rest, UINT16_MAX, &high) != OK || high <= low))
		return fail(ERR_STATEMENT_HEADER, "port: a range goes from the lower to the higher, as 1-1024");
	*out = (struct port_range){ (uint16_t)low, (uint16_t)high };
	return OK;
}

/* Sorted, and what overlaps or touches is one. */
static void merge_ports(struct plan_terms *t)
{
	size_t n = 0;

	if (t->port_count > 1)
		qsort(t->ports, t->port_count, sizeof(*t->ports), by_port);
	for (size_t i = 0; i < t->port_count; i++) {
		struct port_range p = t->ports[i];

		if (n == 0 || p.low > t->ports[n - 1].high + 1)
			t->ports[n++] = p;
		else if (p.high > t->ports[n - 1].high)
			t->ports[n - 1].high = p.high;
	}
	t->port_count = n;
}

static enum err read_ports(struct arena *a, const struct statement *s, struct plan_terms *t)
{
	size_t n = count_of(s, "port");
	enum err e = OK;

	if (n > PORT_RANGES_MAX)
		return fail(ERR_STATEMENT_HEADER, "port: more than %d ranges", PORT_RANGES_MAX);
	if ((t->ports = arena_array(a, n, sizeof(*t->ports))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "port"))
			e = read_port(s->headers[i].value, &t->ports[t->port_count++]);
	if (e == OK)
		merge_ports(t);
	return e;
}

static enum err read_rates(const struct statement *s, struct plan_terms *t)
{
	enum err e = value_number(s, "rate", UINT32_MAX, &t->rate);

	if (e == OK)
		e = value_number(s, "rate-each", UINT32_MAX, &t->rate_each);
	if (e == OK && ((t->rate == 0 && statement_header(s, "rate") != NULL) ||
			(t->rate_each == 0 && statement_header(s, "rate-each") != NULL)))
		e = fail(ERR_STATEMENT_HEADER, "rate: at least 1 a second");
	if (e == OK && t->rate != 0 && t->rate_each > t->rate)
		e = fail(ERR_STATEMENT_HEADER, "rate-each: more for one target than for all");
	return e;
}

static enum err read_marker(struct span value, struct marker *out)
{
	struct span rest = value, word = span_cut(&rest, ' ');

	for (out->kind = 0; out->kind < MARKER_COUNT; out->kind++)
		if (span_is(word, marker_kinds[out->kind]))
			break;
	out->value = rest;
	if (out->kind == MARKER_COUNT || rest.at == NULL)
		return fail(ERR_STATEMENT_HEADER, "marker: ptr, probing, user-agent, tls or in-band, and its value");
	if (rest.len > MARKER_MAX)
		return fail(ERR_STATEMENT_HEADER, "marker: %zu characters, at most %d", rest.len, MARKER_MAX);
	if (out->kind == MARKER_PTR && !span_is_domain(rest))
		return fail(ERR_STATEMENT_HEADER, "marker: ptr wants a domain, lower-case");
	if (out->kind == MARKER_PROBING && !span_starts(rest, "https://"))
		return fail(ERR_STATEMENT_HEADER, "marker: probing wants the https address of the file");
	return OK;
}

static enum err read_markers(struct arena *a, const struct statement *s, struct plan_terms *t)
{
	enum err e = OK;

	if ((t->markers = arena_array(a, count_of(s, "marker"), sizeof(*t->markers))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < s->header_count; i++)
		if (span_is(s->headers[i].name, "marker"))
			e = read_marker(s->headers[i].value, &t->markers[t->marker_count++]);
	return e;
}

/* A number that a telephone takes: `+` first or not, then digits with - . ( ) between them (RFC 3966). */
static bool is_telephone(struct span s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.len; i++) {
		bool digit = s.at[i] >= '0' && s.at[i] <= '9';

		if (!digit && !(s.at[i] == '+' && i == 0) && memchr("-.()", s.at[i], 4) == NULL)
			return false;
		digits += digit;
	}
	return digits >= 3 && digits <= 20;
}

static enum err read_contact(const struct statement *s, struct plan_terms *t)
{
	const struct header *h = statement_header(s, "contact");

	if (h == NULL)
		return OK;
	t->contact = h->value;
	if (h->value.len <= CONTACT_MAX &&
	    ((span_starts(h->value, "mailto:") && contact_mail_check(span_from(h->value, 7)) == OK) ||
	     (span_starts(h->value, "tel:") && is_telephone(span_from(h->value, 4)))))
		return OK;
	return fail(ERR_STATEMENT_HEADER, "contact: mailto:duty@scan.example or tel:+3726630299");
}

static enum err read_stop_within(const struct statement *s, struct plan_terms *t)
{
	const struct header *h = statement_header(s, "stop-within");

	if (h == NULL)
		return OK;
	if (clock_parse_duration(h->value, &t->stop_within_ms) != OK || t->stop_within_ms <= 0 ||
	    t->stop_within_ms > 7 * DAY_MS)
		return fail(ERR_STATEMENT_HEADER, "stop-within: 90s, 30m, 2h; at most 7d");
	return OK;
}

static enum err read_texts(const struct statement *s, struct plan_terms *t)
{
	static const char *const links[] = { "reference", "ethics" };
	const struct header *h = statement_header(s, "purpose");
	enum err e = value_text(s, "purpose", TEXT_MAX);

	if (h == NULL)
		return fail(ERR_STATEMENT_HEADER, "purpose: missing in a plan");
	t->purpose = h->value;
	for (size_t i = 0; e == OK && i < sizeof(links) / sizeof(links[0]); i++) {
		h = statement_header(s, links[i]);
		if ((e = value_text(s, links[i], TEXT_MAX)) == OK && h != NULL &&
		    (!span_starts(h->value, "https://") || memchr(h->value.at, ' ', h->value.len) != NULL))
			e = fail(ERR_STATEMENT_HEADER, "%s: an https address", links[i]);
	}
	return e;
}

/* Nothing of what is sealed stands beside it. */
static enum err read_sealed(const struct statement *s, struct plan_terms *t)
{
	static const char *const open[] = { "activity",	 "source",     "alternate", "target",	 "exclude",
					    "intrusive", "transport",  "port",	    "rate",	 "rate-each",
					    "marker",	 "contact",    "purpose",   "reference", "ethics",
					    "nonce",	 "stop-within" };

	t->sealed = true;
	if (hash_from_hex(statement_header(s, "commitment")->value, &t->commitment) != OK)
		return fail(ERR_STATEMENT_HEADER, "commitment: 64 digits of 0-9 and a-f");
	for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++)
		if (statement_header(s, open[i]) != NULL)
			return fail(ERR_STATEMENT_HEADER, "%s: a sealed filing does not tell it", open[i]);
	return read_window(s, t);
}

static enum err read_open(struct arena *a, const struct statement *s, struct plan_terms *t)
{
	enum err e = read_activity(s, t);

	if (e == OK)
		e = read_window(s, t);
	if (e == OK)
		e = read_sources(a, s, t);
	if (e == OK)
		e = read_targets(a, s, t);
	if (e == OK)
		e = read_transports(s, t);
	if (e == OK)
		e = read_ports(a, s, t);
	if (e == OK)
		e = read_rates(s, t);
	if (e == OK)
		e = read_markers(a, s, t);
	if (e == OK)
		e = read_contact(s, t);
	if (e == OK)
		e = read_stop_within(s, t);
	return e == OK ? read_texts(s, t) : e;
}

enum err plan_terms_read(struct arena *a, const struct statement *s, struct plan_terms *out)
{
	struct plan_terms t = { 0 };
	bool sealed = statement_header(s, "commitment") != NULL;
	enum err e = sealed ? read_sealed(s, &t) : read_open(a, s, &t);

	if (e == OK)
		*out = t;
	return e;
}

enum err plan_terms_text(const struct statement *s, struct buffer *out)
{
	static const char *const frame[] = { "ledger", "from", "key", "date", "re", "nonce" };

	for (size_t i = 0; i < s->header_count; i++) {
		const struct header *h = &s->headers[i];
		bool left_out = false;

		for (size_t j = 0; j < sizeof(frame) / sizeof(frame[0]); j++)
			left_out |= span_is(h->name, frame[j]);
		if (left_out)
			continue;
		buffer_span(out, h->name);
		buffer_byte(out, ' ');
		buffer_span(out, h->value);
		buffer_byte(out, '\n');
	}
	return out->err;
}

/* ---- bytes ---- */

static void pack_prefixes(struct buffer *b, const struct prefix *list, size_t count)
{
	buffer_u32(b, (uint32_t)count);
	for (size_t i = 0; i < count; i++)
		pack_prefix(b, list[i]);
}

static void pack_targets(const struct plan_terms *t, struct buffer *b)
{
	pack_prefixes(b, t->targets, t->target_count);
	pack_prefixes(b, t->excludes, t->exclude_count);
	buffer_u32(b, (uint32_t)t->target_as_count);
	for (size_t i = 0; i < t->target_as_count; i++)
		buffer_u32(b, t->target_as[i]);
	buffer_u32(b, (uint32_t)t->target_country_count);
	for (size_t i = 0; i < t->target_country_count; i++)
		buffer_bytes(b, t->target_countries[i], 2);
	buffer_u32(b, (uint32_t)t->target_domain_count);
	for (size_t i = 0; i < t->target_domain_count; i++)
		pack_short(b, t->target_domains[i]);
}

static void pack_method(const struct plan_terms *t, struct buffer *b)
{
	buffer_byte(b, (uint8_t)t->transport_count);
	buffer_bytes(b, t->transports, t->transport_count);
	buffer_u32(b, (uint32_t)t->port_count);
	for (size_t i = 0; i < t->port_count; i++) {
		buffer_u16(b, t->ports[i].low);
		buffer_u16(b, t->ports[i].high);
	}
	buffer_u64(b, t->rate);
	buffer_u64(b, t->rate_each);
	buffer_u64(b, (uint64_t)t->stop_within_ms);
	buffer_u32(b, (uint32_t)t->marker_count);
	for (size_t i = 0; i < t->marker_count; i++) {
		buffer_byte(b, (uint8_t)t->markers[i].kind);
		pack_short(b, t->markers[i].value);
	}
	pack_short(b, t->contact);
	buffer_u16(b, (uint16_t)t->purpose.len);
	buffer_span(b, t->purpose);
}

void plan_terms_pack(const struct plan_terms *t, struct buffer *out)
{
	buffer_byte(out, t->activity);
	buffer_byte(out, (uint8_t)((t->intrusive ? FLAG_INTRUSIVE : 0) | (t->any_target ? FLAG_ANY : 0) |
				   (t->sealed ? FLAG_SEALED : 0)));
	buffer_u64(out, (uint64_t)t->start_ms);
	buffer_u64(out, (uint64_t)t->end_ms);
	buffer_u64(out, (uint64_t)t->filed_ms);
	buffer_byte(out, t->repeat);
	buffer_u32(out, t->repeat_count);
	if (t->sealed)
		pack_hash(out, t->commitment);
	pack_prefixes(out, t->sources, t->source_count);
	pack_targets(t, out);
	pack_method(t, out);
}

/* How many there are of something that takes at least `least` bytes. More than can be there: the reader ends. */
static size_t read_count(struct reader *r, size_t least)
{
	size_t n = read_u32(r);

	if (n > LIST_MAX || n > reader_left(r) / least) {
		r->err = r->err == OK ? ERR_SYNTAX : r->err;
		return 0;
	}
	return n;
}

static struct prefix *unpack_prefixes(struct arena *a, struct reader *r, size_t *count)
{
	struct prefix *list;

	*count = read_count(r, 6);
	if ((list = arena_array(a, *count, sizeof(*list))) == NULL)
		r->err = ERR_NO_MEMORY;
	for (size_t i = 0; list != NULL && i < *count; i++)
		list[i] = unpack_prefix(r);
	return list;
}

static void unpack_targets(struct arena *a, struct reader *r, struct plan_terms *t)
{
	t->targets = unpack_prefixes(a, r, &t->target_count);
	t->excludes = unpack_prefixes(a, r, &t->exclude_count);
	t->target_as_count = read_count(r, 4);
	if ((t->target_as = arena_array(a, t->target_as_count, sizeof(*t->target_as))) == NULL)
		r->err = ERR_NO_MEMORY;
	for (size_t i = 0; r->err == OK && i < t->target_as_count; i++)
		t->target_as[i] = read_u32(r);
	t->target_country_count = read_count(r, 2);
	if ((t->target_countries = arena_array(a, t->target_country_count, sizeof(*t->target_countries))) == NULL)
		r->err = ERR_NO_MEMORY;
	for (size_t i = 0; r->err == OK && i < t->target_country_count; i++)
		read_bytes(r, t->target_countries[i], 2);
	t->target_domain_count = read_count(r, 1);
	if ((t->target_domains = arena_array(a, t->target_domain_count, sizeof(*t->target_domains))) == NULL)
		r->err = ERR_NO_MEMORY;
	for (size_t i = 0; r->err == OK && i < t->target_domain_count; i++)
		t->target_domains[i] = unpack_short(r);
}

static void unpack_method(struct arena *a, struct reader *r, struct plan_terms *t)
{
	t->transport_count = read_u8(r);
	if (t->transport_count > sizeof(t->transports)) {
		r->err = ERR_SYNTAX;
		t->transport_count = 0;
	}
	read_bytes(r, t->transports, t->transport_count);
	t->port_count = read_count(r, 4);
	if ((t->ports = arena_array(a, t->port_count, sizeof(*t->ports))) == NULL)
		r->err = ERR_NO_MEMORY;
	for (size_t i = 0; r->err == OK && i < t->port_count; i++) {
		t->ports[i].low = read_u16(r);
		t->ports[i].high = read_u16(r);
	}
	t->rate = read_u64(r);
	t->rate_each = read_u64(r);
	t->stop_within_ms = (int64_t)read_u64(r);
	t->marker_count = read_count(r, 2);
	if ((t->markers = arena_array(a, t->marker_count, sizeof(*t->markers))) == NULL)
		r->err = ERR_NO_MEMORY;
	for (size_t i = 0; r->err == OK && i < t->marker_count; i++) {
		t->markers[i].kind = (enum marker_kind)read_u8(r);
		t->markers[i].value = unpack_short(r);
		if (t->markers[i].kind >= MARKER_COUNT)
			r->err = ERR_SYNTAX;
	}
	t->contact = unpack_short(r);
	t->purpose = read_span(r, read_u16(r));
}

enum err plan_terms_unpack(struct arena *a, struct span value, struct plan_terms *out)
{
	struct reader r = reader_of(value);
	struct plan_terms t = { .activity = read_u8(&r) };
	unsigned flags = read_u8(&r);

	t.intrusive = (flags & FLAG_INTRUSIVE) != 0;
	t.any_target = (flags & FLAG_ANY) != 0;
	t.sealed = (flags & FLAG_SEALED) != 0;
	t.start_ms = (int64_t)read_u64(&r);
	t.end_ms = (int64_t)read_u64(&r);
	t.filed_ms = (int64_t)read_u64(&r);
	t.repeat = read_u8(&r);
	t.repeat_count = read_u32(&r);
	if (t.sealed)
		t.commitment = unpack_hash(&r);
	t.sources = unpack_prefixes(a, &r, &t.source_count);
	unpack_targets(a, &r, &t);
	unpack_method(a, &r, &t);
	if (r.err == ERR_NO_MEMORY)
		return r.err;
	if (r.err != OK || reader_left(&r) != 0 || t.activity >= ACTIVITY_COUNT || t.repeat > REPEAT_WEEKLY ||
	    t.repeat_count == 0)
		return state_damaged("plan");
	*out = t;
	return OK;
}
