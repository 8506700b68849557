#include "report/probing.h"

#include "base/clock.h"

#define CONTACTS_MAX (sizeof(((struct probing *)0)->contacts) / sizeof(struct span))

/* A field is `Name: value` on a line; lines that begin with # and empty ones say nothing (RFC 9116 section 2.2). A file may stand
 * inside an OpenPGP cleartext signature (section 2.3): its frame is passed over, and nothing is believed for it. */
struct reading {
	struct probing *out;
	unsigned expires; /* how often */
	bool armoured;	  /* before the empty line that ends the frame's headers */
};

static enum err add_contact(struct probing *p, struct span value)
{
	if (!span_starts(value, "mailto:") && !span_starts(value, "tel:") && !span_starts(value, "https://"))
		return OK;		     /* no form that RFC 9116 knows: nobody can be reached by it */
	if (p->contact_count < CONTACTS_MAX) /* in order of preference: the first are enough */
		p->contacts[p->contact_count++] = value;
	return OK;
}

static enum err read_field(struct reading *r, struct span name, struct span value)
{
	struct probing *p = r->out;

	if (span_equal_nocase(name, SPAN("Contact")))
		return add_contact(p, value);
	if (span_equal_nocase(name, SPAN("Canonical")) && p->canonical.len == 0)
		p->canonical = value;
	else if (span_equal_nocase(name, SPAN("Preferred-Languages")))
		p->languages = value;
	else if (span_equal_nocase(name, SPAN("Description")))
		p->description = value;
	else if (span_equal_nocase(name, SPAN("Plan")))
		p->plan = value;
	else if (span_equal_nocase(name, SPAN("Expires")) &&
		 (r->expires++ > 0 || clock_parse_rfc3339(value, &p->expires_ms) != OK))
		return fail(ERR_PROBING, "Expires: %s", r->expires > 1 ? "more than one" : "no time of RFC 3339");
	return OK;
}

static enum err read_line(struct reading *r, struct span line, bool *end)
{
	struct span value = line, name = span_cut(&value, ':');

	if (span_is(line, "-----BEGIN PGP SIGNED MESSAGE-----")) {
		r->armoured = true;
		return OK;
	}
	if (span_is(line, "-----BEGIN PGP SIGNATURE-----")) {
		*end = true;
		return OK;
	}
	if (r->armoured) {
		r->armoured = line.len > 0;
		return OK;
	}
	if (line.len == 0 || line.at[0] == '#' || value.at == NULL)
		return OK;
	return read_field(r, span_trim(name), span_trim(value));
}

enum err probing_parse(struct span text, int64_t now_ms, struct probing *out)
{
	struct reading r = { .out = out };
	struct span line;
	bool end = false;
	enum err e = OK;

	*out = (struct probing){ 0 };
	if (text.len > PROBING_MAX)
		return fail(ERR_PROBING, "%zu bytes, at most %zu", text.len, PROBING_MAX);
	if (!span_is_utf8(text))
		return fail(ERR_PROBING, "not UTF-8");
	while (e == OK && !end && span_line(&text, &line))
		e = read_line(&r, line, &end);
	if (e == OK && out->contact_count == 0)
		e = fail(ERR_PROBING, "Contact: missing; mailto:, tel: or https:");
	if (e == OK && r.expires == 0)
		e = fail(ERR_PROBING, "Expires: missing");
	if (e == OK && out->expires_ms <= now_ms)
		e = fail(ERR_EXPIRED, "Expires: it was valid until then, and tells nothing now");
	return e;
}

static void print_field(struct buffer *out, const char *name, struct span value)
{
	if (value.len == 0)
		return;
	buffer_print(out, "%s: ", name);
	for (size_t i = 0; i < value.len; i++) /* one line, whatever it holds */
		buffer_byte(out, (unsigned char)value.at[i] < ' ' ? (uint8_t)'?' : (uint8_t)value.at[i]);
	buffer_byte(out, '\n');
}

enum err probing_print(const struct probing *p, struct buffer *out)
{
	char expires[CLOCK_TEXT];

	print_field(out, "Canonical", p->canonical);
	for (size_t i = 0; i < p->contact_count; i++)
		print_field(out, "Contact", p->contacts[i]);
	clock_format(p->expires_ms, expires);
	print_field(out, "Expires", span_of(expires));
	print_field(out, "Preferred-Languages", p->languages);
	print_field(out, "Description", p->description);
	print_field(out, "Plan", p->plan);
	return out->err;
}
