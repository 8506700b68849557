#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"
#include "regime/speech.h"
#include "report/mail.h"

/*
 * Which address a complaint is about
 *
 * Source-IP says it. Where it is missing, the Received lines of the mail complained of do: each server puts its own on top,
 * so the topmost that names a public address was written at the border of whoever complains, and names the machine that
 * handed the mail over. Everything below may be forged by the sender, so nobody is looked for there. The event's raw
 * line says which of the two it was: "basis": "source-ip" or "received". The latter is no more than a good guess.
 *
 * What is kept of the mails is what the addressee needs to find the one complained of. Who complained stays unsaid:
 * reporters take care to remove that (RFC 6590), so recipients are left out here too.
 */

#define FIELDS_MAX 100	  /* of a feedback-report, kept in raw */
#define RECEIVED_MAX 10	  /* likewise, of the mail complained of */
#define RECEIVED_LOOK 100 /* as many are read */
/* No further value is begun from here on: one takes at most six bytes for each of its own. */
#define RAW_ENOUGH (REPORT_ROW_MAX - 8 * MIME_VALUE_MAX)

enum field {
	FEEDBACK_TYPE,
	USER_AGENT,
	VERSION,
	SOURCE_IP,
	SOURCE_PORT,
	ARRIVAL_DATE,
	RECEIVED_DATE,
	ENVELOPE_ID,
	MAIL_FROM,
	REPORTING_MTA,
	INCIDENTS,
	FIELD_COUNT
};

/* Those that may stand there once: RFC 5965 section 3.1 and 3.2, RFC 6692. */
static const char *const names[FIELD_COUNT] = {
	[FEEDBACK_TYPE] = "Feedback-Type",
	[USER_AGENT] = "User-Agent",
	[VERSION] = "Version",
	[SOURCE_IP] = "Source-IP",
	[SOURCE_PORT] = "Source-Port",
	[ARRIVAL_DATE] = "Arrival-Date",
	[RECEIVED_DATE] = "Received-Date", /* its name in older drafts */
	[ENVELOPE_ID] = "Original-Envelope-Id",
	[MAIL_FROM] = "Original-Mail-From",
	[REPORTING_MTA] = "Reporting-MTA",
	[INCIDENTS] = "Incidents",
};

/* Of people who complained, or whom the mail was for. */
static const char *const private_names[] = { "Original-Rcpt-To", "Removal-Recipient", "Redacted-Address" };

struct complaint {
	struct span values[FIELD_COUNT]; /* at is NULL where there is none */
	struct span fields;		 /* the whole feedback-report */
	struct span header;		 /* of the mail complained of */
	struct span message;		 /* that mail, as far as it came */
	bool by_received;
	const char *time_basis;
	struct event event;
};

static bool has_value(const struct complaint *c, enum field f)
{
	return c->values[f].at != NULL && c->values[f].len > 0;
}

static enum err fields_read(struct complaint *c, const char **field)
{
	struct span rest = c->fields, name, value;

	while (mime_field(&rest, &name, &value)) {
		for (int f = 0; f < FIELD_COUNT; f++) {
			if (!span_equal_nocase(name, span_of(names[f])))
				continue;
			*field = names[f];
			if (c->values[f].at != NULL)
				return ERR_DUPLICATE_KEY;
			c->values[f] = value;
		}
	}
	for (int f = FEEDBACK_TYPE; f <= VERSION; f++) {
		*field = names[f];
		if (!has_value(c, (enum field)f))
			return ERR_FIELD_MISSING;
	}
	return OK;
}

/* The types of RFC 5965, 6430 and 6591, and what else is met. A mail that fails authentication may be forged or only
 * forwarded, so that type says nothing about a class. */
static enum err class_read(const struct parse *p, struct span type, enum rsit_class *class)
{
	static const struct {
		const char *name;
		enum rsit_class class; /* CLASS_NONE: it is no complaint */
	} types[] = {
		{ "abuse", CLASS_SPAM },
		{ "fraud", CLASS_PHISHING },
		{ "virus", CLASS_MALWARE_DISTRIBUTION },
		{ "other", CLASS_OTHER },
		{ "auth-failure", CLASS_UNDETERMINED },
		{ "not-spam", CLASS_NONE },
		{ "opt-out", CLASS_NONE },
		{ "opt-out-list", CLASS_NONE },
	};
	char text[64];
	size_t n = type.len < sizeof(text) ? type.len : sizeof(text);

	*class = CLASS_UNDETERMINED;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_equal_nocase(type, span_of(types[i].name)))
			*class = types[i].class;
	if (*class == CLASS_NONE)
		return ERR_NO_COMPLAINT;
	if (span_equal_nocase(type, SPAN("xarf"))) /* what it says is in its JSON, which is not there */
		return ERR_FIELD_MISSING;
	for (size_t i = 0; i < n; i++)
		text[i] = type.at[i] >= 'A' && type.at[i] <= 'Z' ? (char)(type.at[i] | 0x20) : type.at[i];
	if (*class == CLASS_UNDETERMINED && speech_asked(type, NULL))
		return ERR_CLASS_CONTENT;
	if (*class == CLASS_UNDETERMINED && class_parse(span_make(text, n), class) == ERR_CLASS_CONTENT)
		return ERR_CLASS_CONTENT;
	if (*class == CLASS_NONE)
		*class = CLASS_UNDETERMINED;
	if (p->layout->class_given)
		*class = p->layout->class;
	return class_is_content(*class) ? ERR_CLASS_CONTENT : OK;
}

/* "192.0.2.1", also in brackets, behind "IPv6:" and before a comment. */
static enum err address_read(struct span s, struct address *out)
{
	size_t n = 0;

	while (n < s.len && s.at[n] != ' ' && s.at[n] != '\t' && s.at[n] != '(')
		n++;
	s.len = n;
	if (s.len > 1 && s.at[0] == '[' && s.at[s.len - 1] == ']')
		s = span_make(s.at + 1, s.len - 2);
	if (s.len > 5 && span_equal_nocase(span_make(s.at, 5), SPAN("IPv6:")))
		s = span_from(s, 5);
	return address_parse(s, out);
}

/* Of the topmost Received line that names a public address. */
static enum err source_by_received(struct complaint *c, const char **field)
{
	struct span rest = c->header, name, value;

	*field = "Received";
	for (int i = 0; i < RECEIVED_LOOK && mime_field(&rest, &name, &value);) {
		struct received r;

		if (!span_equal_nocase(name, SPAN("Received")))
			continue;
		r = received_read(value);
		if (r.has_address && source_check(&r.address) == OK) {
			c->event.source = r.address;
			c->event.source_port = r.port;
			return OK;
		}
		i++;
	}
	return ERR_NO_ADDRESS;
}

static enum err source_read(struct complaint *c, const char **field)
{
	enum err e;

	c->by_received = !has_value(c, SOURCE_IP);
	if (c->by_received) {
		e = source_by_received(c, field);
	} else {
		*field = names[SOURCE_IP];
		if ((e = address_read(c->values[SOURCE_IP], &c->event.source)) == OK)
			e = source_check(&c->event.source);
	}
	if (e != OK || !has_value(c, SOURCE_PORT))
		return e;
	*field = names[SOURCE_PORT];
	return port_parse(c->values[SOURCE_PORT], &c->event.source_port);
}

static bool time_is(struct complaint *c, const char *basis, struct span value)
{
	if (value.at == NULL || clock_parse_rfc5322(value, &c->event.time_ms) != OK)
		return false;
	c->time_basis = basis;
	return true;
}

/* When the mail arrived: as the report says, else as the topmost Received line of it says, else when the report was
 * written, which is soon after. The mail's own date may be forged and is never asked. */
static enum err time_read(const struct mail *m, struct complaint *c, const char **field)
{
	struct span value;

	*field = names[ARRIVAL_DATE];
	if (!time_is(c, "arrival-date", c->values[ARRIVAL_DATE]) &&
	    !time_is(c, "arrival-date", c->values[RECEIVED_DATE])) {
		if (mime_find(c->header, "Received", &value) && (c->event.time_ms = received_read(value).time_ms) != 0)
			c->time_basis = "received";
		else if (!mime_find(m->mime.parts[0].header, "Date", &value) || !time_is(c, "report-date", value))
			return ERR_TIME;
	}
	return time_check(m->parse->layout, c->event.time_ms);
}

/* Each name once, with an array of values where it stands there several times. */
static bool is_repeat(struct span fields, struct span until)
{
	struct span rest = fields, name, value;

	while (mime_field(&rest, &name, &value) && name.at != until.at)
		if (span_equal_nocase(name, until))
			return true;
	return false;
}

static bool is_private(struct span name)
{
	for (size_t i = 0; i < sizeof(private_names) / sizeof(private_names[0]); i++)
		if (span_equal_nocase(name, span_of(private_names[i])))
			return true;
	return false;
}

static bool is_full(const struct json *j)
{
	return j->out->len > RAW_ENOUGH;
}

/* A field's values: this one, and all of its name further down. */
static void values_write(struct arena *a, struct json *j, const char *key, struct span value, struct span rest,
			 struct span name)
{
	struct span other, again, look = rest;
	bool several = false;

	while (!several && mime_field(&look, &other, &again))
		several = span_equal_nocase(other, name);
	if (!several) {
		json_string(j, key, mime_text(a, value));
		return;
	}
	json_array(j, key);
	json_string(j, NULL, mime_text(a, value));
	for (int i = 1; i < FIELDS_MAX && !is_full(j) && mime_field(&rest, &other, &again);)
		if (span_equal_nocase(other, name)) {
			json_string(j, NULL, mime_text(a, again));
			i++;
		}
	json_array_end(j);
}

static void feedback_write(struct arena *a, struct json *j, struct span fields)
{
	struct span rest = fields, name, value;

	json_object(j, "feedback");
	for (int i = 0; i < FIELDS_MAX && !is_full(j) && mime_field(&rest, &name, &value);) {
		const char *key;

		if (name.len > 64 || is_private(name) || is_repeat(fields, name) ||
		    (key = arena_copy(a, name.at, name.len)) == NULL)
			continue;
		values_write(a, j, key, value, rest, name);
		i++;
	}
	json_object_end(j);
}

/* Without the address that the mail was for. */
static struct span received_text(struct arena *a, struct span value)
{
	struct span text = mime_text(a, value);
	const char *at = memmem(text.at, text.len, " for ", 5), *end;
	char *out;
	size_t n;

	if (at == NULL || (end = memchr(at, ';', (size_t)(text.at + text.len - at))) == NULL)
		return text;
	n = (size_t)(at - text.at);
	if ((out = arena_copy(a, text.at, text.len)) == NULL)
		return (struct span){ "", 0 };
	memmove(out + n, end, (size_t)(text.at + text.len - end));
	return span_make(out, n + (size_t)(text.at + text.len - end));
}

static void header_write(struct arena *a, struct json *j, struct span header, const char *name)
{
	struct span value;

	if (!is_full(j) && mime_find(header, name, &value) && value.len > 0)
		json_string(j, name, mime_text(a, value));
}

static void received_write(struct arena *a, struct json *j, struct span header)
{
	struct span rest = header, name, value;

	json_array(j, "Received");
	for (int i = 0; i < RECEIVED_MAX && !is_full(j) && mime_field(&rest, &name, &value);)
		if (span_equal_nocase(name, SPAN("Received"))) {
			json_string(j, NULL, received_text(a, value));
			i++;
		}
	json_array_end(j);
}

static void content_write(struct json *j, struct span content)
{
	char hex[HASH_HEX + 1];

	hash_hex(hash_span(content), hex);
	json_text(j, "sha256", hex);
	json_number(j, "size", (int64_t)content.len);
}

static void mail_write(struct arena *a, struct json *j, const char *key, struct span header, struct span content)
{
	static const char *const kept[] = { "Message-ID", "Date", "From", "Subject", "Return-Path" };

	json_object(j, key);
	content_write(j, content);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		header_write(a, j, header, kept[i]);
}

/* The mail complained of comes last: what stands in it is up to the sender, who must not be able to crowd out the rest. */
static struct span raw_write(const struct mail *m, const struct complaint *c)
{
	struct arena *a = m->parse->scratch->arena;
	struct json j = { .out = &m->parse->scratch->raw };

	buffer_clear(j.out);
	json_object(&j, NULL);
	json_text(&j, "basis", c->by_received ? "received" : "source-ip");
	json_text(&j, "time_basis", c->time_basis);
	if (c->fields.len > 0)
		feedback_write(a, &j, c->fields);
	mail_write(a, &j, "report", m->mime.parts[0].header, m->text);
	json_object_end(&j);
	if (c->message.len > 0) {
		mail_write(a, &j, "message", c->header, c->message);
		received_write(a, &j, c->header);
		json_object_end(&j);
	}
	json_object_end(&j);
	return buffer_view(j.out);
}

static enum err complaint_read(const struct mail *m, struct complaint *c, const char **field)
{
	enum err e;

	c->event.class = m->parse->layout->class_given ? m->parse->layout->class : CLASS_SPAM;
	if (c->fields.at != NULL && (e = fields_read(c, field)) != OK)
		return e;
	if (c->fields.at != NULL) {
		*field = names[FEEDBACK_TYPE];
		if ((e = class_read(m->parse, c->values[FEEDBACK_TYPE], &c->event.class)) != OK)
			return e;
	}
	if ((e = source_read(c, field)) != OK)
		return e;
	*field = "message/rfc822";
	if (c->by_received && span_is(mime_type(m->parse->scratch->arena, c->header), "multipart/report"))
		return ERR_MAIL; /* a report that was passed on: its sender did nothing */
	return time_read(m, c, field);
}

enum err arf_row(const struct mail *m, size_t feedback, size_t message)
{
	struct complaint c = { .event.format = feedback != MIME_NONE ? FORMAT_ARF : FORMAT_MAIL };
	struct arena *a = m->parse->scratch->arena;
	const char *field = NULL;
	struct span raw;
	enum err e = OK;

	if (feedback != MIME_NONE)
		e = mime_content(a, &m->mime.parts[feedback], &c.fields);
	if (e == OK && message != MIME_NONE)
		e = mime_content(a, &m->mime.parts[message], &c.message);
	if (e != OK)
		return parse_reject(m->parse, m->at, ERR_TOO_LONG, NULL);
	if (c.message.len > 0)
		c.header = mime_header(c.message, &raw);
	if ((e = complaint_read(m, &c, &field)) != OK)
		return parse_reject(m->parse, m->at, e, field);
	raw = raw_write(m, &c);
	if (m->parse->scratch->raw.err != OK)
		return m->parse->scratch->raw.err;
	if (raw.len > REPORT_ROW_MAX)
		return parse_reject(m->parse, m->at, ERR_TOO_LONG, NULL);
	return parse_event_as(m->parse, m->at, &c.event, raw);
}
