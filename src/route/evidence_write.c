#include "route/evidence_write.h"

#include "base/clock.h"

bool evidence_quoted(struct span format)
{
	return span_is(format, "shadowserver");
}

void evidence_table(struct buffer *out, struct span format, struct span type, struct span header)
{
	buffer_text(out, "table ");
	buffer_span(out, format);
	buffer_byte(out, ' ');
	buffer_span(out, type);
	buffer_text(out, "\n" EVIDENCE_COLUMNS);
	if (header.len > 0)
		buffer_byte(out, ',');
	buffer_span(out, header);
	buffer_byte(out, '\n');
}

static char *put(char *p, const char *text, size_t n)
{
	memcpy(p, text, n);
	return p + n;
}

static char *put_number(char *p, unsigned n)
{
	char digits[10];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return put(p, digits + i, sizeof(digits) - i);
}

/* Rows of one report mostly share their day: the date is worked out once for each. */
static char *put_time(char *p, int64_t ms)
{
	static _Thread_local int64_t day = -1;
	static _Thread_local char date[CLOCK_TEXT];
	unsigned of_day = (unsigned)(ms % 86400000), seconds = of_day / 1000, ms_part = of_day % 1000;
	unsigned hour = seconds / 3600, minute = seconds / 60 % 60, second = seconds % 60;

	if (day != ms / 86400000) {
		day = ms / 86400000;
		clock_format(ms, date);
	}
	p = put(p, date, sizeof("2026-11-22T") - 1);
	*p++ = (char)('0' + hour / 10);
	*p++ = (char)('0' + hour % 10);
	*p++ = ':';
	*p++ = (char)('0' + minute / 10);
	*p++ = (char)('0' + minute % 10);
	*p++ = ':';
	*p++ = (char)('0' + second / 10);
	*p++ = (char)('0' + second % 10);
	if (ms_part > 0) {
		*p++ = '.';
		*p++ = (char)('0' + ms_part / 100);
		*p++ = (char)('0' + ms_part / 10 % 10);
		*p++ = (char)('0' + ms_part % 10);
	}
	*p++ = 'Z';
	return p;
}

static char *put_transport(char *p, unsigned transport)
{
	switch (transport) {
	case TRANSPORT_UNKNOWN:
		return p;
	case TRANSPORT_TCP:
		return put(p, "tcp", 3);
	case TRANSPORT_UDP:
		return put(p, "udp", 3);
	case TRANSPORT_ICMP:
		return put(p, "icmp", 4);
	case TRANSPORT_OTHER:
		return put(p, "other", 5);
	default:
		return put_number(p, transport);
	}
}

static char *put_verdict(char *p, enum plan_verdict v)
{
	const char *name = plan_verdict_name(v);

	return put(p, name, strlen(name));
}

size_t evidence_row(char *out, const struct event *e, enum plan_verdict verdict)
{
	char *p = out;

	if (e->time_ms > 0)
		p = put_time(p, e->time_ms);
	*p++ = ',';
	p += address_format(e->source, p);
	*p++ = ',';
	if (e->source_length > 0)
		p = put_number(p, e->source_length);
	*p++ = ',';
	if (e->source_port > 0)
		p = put_number(p, e->source_port);
	*p++ = ',';
	p = put_transport(p, e->transport);
	*p++ = ',';
	if (e->has_target)
		p += address_format(e->target, p);
	*p++ = ',';
	if (e->target_port > 0)
		p = put_number(p, e->target_port);
	*p++ = ',';
	p = put_verdict(p, verdict);
	*p++ = ',';
	if (e->raw.len > 0)
		p = put(p, e->raw.at, e->raw.len);
	*p++ = '\n';
	return (size_t)(p - out);
}
