#include "mail/mail_text.h"

#include <stdio.h>
#include <stdlib.h>

#define HOSTS_MAX ((size_t)1 << 20)
#define WIDTH 74

/* ---- the rows ---- */

struct looking {
	struct mail_rows *rows;
	struct prefix *hosts;
	size_t count, room;
	bool too_many;
};

static enum err add_host(struct looking *l, const struct event *e)
{
	struct prefix p = { e->source, e->source_length };

	if (l->too_many || (l->count > 0 && prefix_compare(l->hosts[l->count - 1], p) == 0))
		return OK;
	if (l->count == l->room) {
		size_t room = l->room == 0 ? 64 : 2 * l->room;
		struct prefix *bigger;

		if (room > HOSTS_MAX) {
			l->too_many = true;
			return OK;
		}
		if ((bigger = realloc(l->hosts, room * sizeof(*bigger))) == NULL)
			return ERR_NO_MEMORY;
		l->hosts = bigger;
		l->room = room;
	}
	l->hosts[l->count++] = p;
	return OK;
}

static enum err look(void *context, const struct evidence_row *row)
{
	struct looking *l = context;
	struct mail_rows *r = l->rows;
	const struct event *e = &row->event;

	if (r->shown_count < MAIL_ROWS_SHOWN) {
		struct mail_row *to = &r->shown[r->shown_count++];

		to->event = *e;
		to->event.raw = (struct span){ NULL, 0 };
		snprintf(to->type, sizeof(to->type), "%.*s", row->type.len > 31 ? 31 : (int)row->type.len,
			 row->type.at);
	}
	r->events++;
	if (e->time_ms != 0 && (r->first_ms == 0 || e->time_ms < r->first_ms))
		r->first_ms = e->time_ms;
	if (e->time_ms > r->last_ms)
		r->last_ms = e->time_ms;
	return add_host(l, e);
}

static int compare_hosts(const void *a, const void *b)
{
	return prefix_compare(*(const struct prefix *)a, *(const struct prefix *)b);
}

enum err mail_rows_read(struct arena *a, struct span body, struct mail_rows *out)
{
	struct looking l = { .rows = out };
	struct span summary;
	enum err e;

	*out = (struct mail_rows){ 0 };
	e = body.len > 0 ? evidence_read(a, body, MAIL_EVIDENCE_MAX, &summary, look, &l) : OK;
	if (l.count > 0)
		qsort(l.hosts, l.count, sizeof(*l.hosts), compare_hosts);
	for (size_t i = 0; i < l.count; i++)
		out->hosts += i == 0 || prefix_compare(l.hosts[i - 1], l.hosts[i]) != 0;
	if (l.too_many)
		out->hosts = 0;
	free(l.hosts);
	return e;
}

/* ---- words ---- */

static struct span value_of(const struct mail_notice *m, const char *name)
{
	const struct header *h = statement_header(m->s, name);

	return h != NULL ? h->value : SPAN("");
}

static enum rsit_class class_of(const struct mail_notice *m)
{
	enum rsit_class c = CLASS_UNDETERMINED;

	return class_parse(value_of(m, "class"), &c) == OK ? c : CLASS_UNDETERMINED;
}

static void count_of(const struct mail_notice *m, const struct mail_rows *r, struct buffer *out)
{
	uint64_t events = r->events;

	if (events == 0 && span_u64(value_of(m, "events"), UINT64_MAX, &events) != OK)
		events = 0;
	if (r->hosts > 0)
		buffer_print(out, "%llu host%s", (unsigned long long)r->hosts, r->hosts == 1 ? "" : "s");
	else
		buffer_print(out, "%llu event%s", (unsigned long long)events, events == 1 ? "" : "s");
}

void mail_subject(const struct mail_notice *m, const struct mail_rows *r, bool encrypted, struct buffer *out)
{
	char due[CLOCK_TEXT];

	if (m->s->kind == KIND_REQUEST) {
		mail_help_subject(m, encrypted, out);
		return;
	}
	buffer_text(out, "[comity] ");
	addressee_print(&m->to, out);
	buffer_text(out, ": ");
	if (encrypted) {
		buffer_text(out, "a notice");
	} else {
		count_of(m, r, out);
		buffer_print(out, ": %s", class_name(class_of(m)));
	}
	if (m->due_ms == 0)
		return;
	clock_format(m->due_ms, due);
	buffer_print(out, ", please answer by %.10s", due);
}

void mail_minute(int64_t ms, char out[CLOCK_TEXT])
{
	clock_format(ms, out);
	out[10] = ' ';
	out[16] = '\0';
}

void mail_wrapped(struct buffer *out, struct span text, const char *indent)
{
	size_t column = strlen(indent);
	bool first = true;

	buffer_text(out, indent);
	while (text.at != NULL) {
		struct span word = span_cut(&text, ' ');

		if (word.len == 0)
			continue;
		if (!first && column + 1 + word.len > WIDTH) {
			buffer_print(out, "\n%s", indent);
			column = strlen(indent);
			first = true;
		}
		if (!first) {
			buffer_byte(out, ' ');
			column++;
		}
		for (size_t i = 0; i < word.len; i++) {
			unsigned char c = (unsigned char)word.at[i];

			buffer_byte(out, c >= ' ' && c != 0x7f ? c : '?');
		}
		column += word.len;
		first = false;
	}
	buffer_byte(out, '\n');
}

static void head(const struct mail_notice *m, const struct mail_rows *r, struct span title, struct buffer *out)
{
	struct buffer line = BUFFER(4096);
	enum rsit_class class = class_of(m);
	char first[CLOCK_TEXT], last[CLOCK_TEXT];

	buffer_print(&line, "%.*s (%.*s) writes to you as the one who answers for ", SPAN_FORMAT(title),
		     SPAN_FORMAT(m->s->from));
	addressee_print(&m->to, &line);
	buffer_byte(&line, '.');
	mail_wrapped(out, buffer_view(&line), "");
	buffer_clear(&line);
	buffer_print(out, "\nWhat:   %s\n", class_name(class));
	mail_wrapped(out, span_of(class_says(class)), "        ");
	count_of(m, r, &line);
	if (r->hosts > 0)
		buffer_print(&line, " in %llu event%s", (unsigned long long)r->events, r->events == 1 ? "" : "s");
	buffer_print(out, "Where:  %.*s\n", SPAN_FORMAT(buffer_view(&line)));
	if (r->first_ms != 0) {
		mail_minute(r->first_ms, first);
		mail_minute(r->last_ms, last);
		buffer_print(out, "When:   first %s, last %s (UTC)\n", first, last);
	}
	if (m->due_ms != 0) {
		mail_minute(m->due_ms, first);
		buffer_print(out, "Answer: please by %s (UTC)\n", first);
	}
	if (span_is(value_of(m, "demonstration"), "yes"))
		buffer_text(out, "\nThis notice was made for a demonstration. Nothing has happened.\n");
	buffer_free(&line);
}

static const char *transport_name(uint8_t t)
{
	return t == TRANSPORT_TCP ? "tcp" : t == TRANSPORT_UDP ? "udp" : t == TRANSPORT_ICMP ? "icmp" : "";
}

static void row(const struct mail_row *r, struct buffer *out)
{
	const struct event *e = &r->event;
	char time[CLOCK_TEXT] = "-", source[PREFIX_TEXT], port[8] = "-", to[ADDRESS_TEXT + 12] = "";
	size_t n = address_format(e->source, source);

	if (e->source_length > 0)
		snprintf(source + n, sizeof(source) - n, "/%u", e->source_length);
	if (e->time_ms != 0) {
		clock_format(e->time_ms, time);
		time[10] = ' ';
		time[19] = '\0';
	}
	if (e->source_port > 0)
		snprintf(port, sizeof(port), "%u", e->source_port);
	if (e->has_target) {
		n = address_format(e->target, to);
		if (e->target_port > 0)
			snprintf(to + n, sizeof(to) - n, e->target.family == FAMILY_IPV6 ? " port %u" : ":%u",
				 e->target_port);
	}
	buffer_print(out, "  %-19s  %-22s  %5s  %s%s%s%s%s\n", time, source, port, r->type,
		     e->transport != 0 ? " " : "", transport_name(e->transport), to[0] != '\0' ? " to " : "", to);
}

static void table(const struct mail_notice *m, const struct mail_rows *r, const struct mail_files *files,
		  struct buffer *out)
{
	buffer_text(out, "\nWHAT WAS SEEN\n\n");
	if (m->body.len == 0) {
		mail_wrapped(out, SPAN("The evidence was erased since; this node can no longer show it."), "");
		return;
	}
	buffer_print(out, "  %-19s  %-22s  %5s  %s\n", "time (UTC)", "address", "port", "seen as");
	for (size_t i = 0; i < r->shown_count; i++)
		row(&r->shown[i], out);
	if (r->events > r->shown_count)
		buffer_print(out, "  and %llu more.\n", (unsigned long long)(r->events - r->shown_count));
	buffer_byte(out, '\n');
	if (files->csv || files->gzip)
		buffer_print(out, "All rows, as they came: %s.\n", files->csv ? "rows.csv" : "rows.csv.gz");
	else
		mail_wrapped(out,
			     SPAN("All rows together are too large for a mail: the link below has them, or ask us for "
				  "them."),
			     "");
	if (files->xarf == 1)
		buffer_text(out, "For your tools (XARF v4): xarf.json.\n");
	else if (files->xarf > 1)
		buffer_print(out, "For your tools (XARF v4), one for each source%s: xarf-1.json to xarf-%zu.json.\n",
			     files->xarf < r->hosts || r->hosts == 0 ? ", the first ones" : "", files->xarf);
}

static void why(const struct mail_notice *m, struct buffer *out)
{
	struct span reason = value_of(m, "reason");
	char hex[HASH_HEX + 1];
	struct buffer line = BUFFER(1024);

	if (reason.len == 0 || !m->s->has_re)
		return;
	hash_hex(m->s->re, hex);
	buffer_print(&line, "This follows on notice %.16s: ", hex);
	if (span_is(reason, "overdue"))
		buffer_text(&line, "nobody answered it in time, so it goes one level up, once.");
	else if (span_is(reason, "not-ours"))
		buffer_text(&line, "whoever got it first says that it is not theirs.");
	else if (span_is(reason, "undeliverable"))
		buffer_text(&line, "it could not be delivered to whoever is nearer.");
	else
		buffer_span(&line, reason);
	buffer_byte(out, '\n');
	mail_wrapped(out, buffer_view(&line), "");
	buffer_free(&line);
}

static void asked(const struct mail_notice *m, struct buffer *out)
{
	char until[CLOCK_TEXT];

	buffer_text(out, "\nWHAT IS ASKED\n\n");
	mail_wrapped(out,
		     SPAN("Please look at these systems, and say what came of it: working on it, fixed, not yours (and "
			  "whose), "
			  "disputed, or that you cannot do anything about it."),
		     "");
	if (m->link.len > 0) {
		mail_minute(m->link_until_ms, until);
		buffer_print(out, "\nAnswer here, without an account, until %s (UTC):\n\n  %.*s\n\n", until,
			     SPAN_FORMAT(m->link));
		mail_wrapped(out, SPAN("Opening the page does nothing; only its form answers."), "");
	} else {
		buffer_text(out, "\nPlease answer to this mail.\n");
	}
	buffer_byte(out, '\n');
	mail_wrapped(
		out,
		SPAN("Acknowledging is not admitting: an answer says that you look after it, and nothing about whose "
		     "fault "
		     "it is."),
		"");
	if (m->due_ms != 0)
		mail_wrapped(out, SPAN("Where nobody answers in time, whoever is one level up is told, once."), "");
}

static void tables(const struct mail_notice *m, struct buffer *out)
{
	bool any = false;

	buffer_text(out, "\nWHY YOU\n\n");
	mail_wrapped(out, SPAN("By the registry tables of this node, these addresses are yours to answer for:"), "");
	for (size_t i = 0; i < m->s->header_count; i++)
		if (span_is(m->s->headers[i].name, "table")) {
			mail_wrapped(out, m->s->headers[i].value, "  ");
			any = true;
		}
	if (!any)
		buffer_text(out, "  (the notice names no table)\n");
}

void mail_checking(const struct mail_notice *m, struct span vkey, struct buffer *out)
{
	bool notice = m->s->kind == KIND_NOTICE;
	char hex[HASH_HEX + 1], logged[CLOCK_TEXT];
	struct buffer line = BUFFER(1024);

	hash_hex(m->s->id, hex);
	clock_format(m->logged_ms, logged);
	buffer_text(out, "\nHOW TO CHECK IT\n\n");
	buffer_print(
		&line,
		"%s is the %s itself as it was signed: a signed note (C2SP signed-note, Ed25519). It was logged in "
		"a ledger that nobody can rewrite unseen%s.",
		mail_file(m), notice ? "notice" : "request", notice ? ", and binds the evidence by a hash" : "");
	mail_wrapped(out, buffer_view(&line), "");
	buffer_print(out, "\n  %s %s\n  ledger  %.*s\n  logged  %s\n", notice ? "notice " : "request", hex,
		     SPAN_FORMAT(m->s->ledger), logged);
	if (vkey.len > 0)
		buffer_print(out, "  key     %.*s\n", SPAN_FORMAT(vkey));
	buffer_free(&line);
}

const char *mail_file(const struct mail_notice *m)
{
	return m->s->kind == KIND_NOTICE ? "notice.txt" : "request.txt";
}

void mail_text(const struct mail_notice *m, const struct mail_rows *r, const struct mail_files *files,
	       struct span title, struct span vkey, struct buffer *out)
{
	if (m->s->kind == KIND_REQUEST) {
		mail_help_text(m, title, vkey, out);
		return;
	}
	head(m, r, title, out);
	why(m, out);
	table(m, r, files, out);
	asked(m, out);
	tables(m, out);
	mail_checking(m, vkey, out);
}
