/* What the mail of a request for help says, or of a ping. */
#include "mail/mail_text.h"

static bool is_ping(const struct mail_notice *m)
{
	return span_is(statement_header(m->s, "need")->value, "ping");
}

static struct span value_of(const struct mail_notice *m, const char *name)
{
	const struct header *h = statement_header(m->s, name);

	return h != NULL ? h->value : SPAN("");
}

void mail_help_subject(const struct mail_notice *m, bool encrypted, struct buffer *out)
{
	char due[CLOCK_TEXT];

	buffer_text(out, "[comity] ");
	addressee_print(&m->to, out);
	if (encrypted)
		buffer_text(out, ": a request");
	else if (is_ping(m))
		buffer_print(out, ": are you there? A test by %.*s", SPAN_FORMAT(m->s->from));
	else
		buffer_print(out, ": %.*s asks for help", SPAN_FORMAT(m->s->from));
	if (!encrypted && value_of(m, "critical").len > 0)
		buffer_print(out, " (critical infrastructure: %.*s)", SPAN_FORMAT(value_of(m, "critical")));
	if (m->due_ms == 0)
		return;
	clock_format(m->due_ms, due);
	buffer_print(out, ", please answer by %.10s", due);
}

static void head(const struct mail_notice *m, struct span title, struct buffer *out)
{
	struct buffer line = BUFFER(4096);

	if (is_ping(m)) {
		buffer_print(&line, "%.*s (%.*s) would like to know whether a person reads what is sent to ",
			     SPAN_FORMAT(title), SPAN_FORMAT(m->s->from));
		addressee_print(&m->to, &line);
		buffer_text(&line, ". This is a test of a contact for emergencies. Nothing has happened.");
	} else {
		buffer_print(&line, "%.*s asks ", SPAN_FORMAT(m->s->from));
		addressee_print(&m->to, &line);
		buffer_print(&line, " for help, by the node of %.*s.", SPAN_FORMAT(title));
	}
	mail_wrapped(out, buffer_view(&line), "");
	buffer_free(&line);
	if (span_is(value_of(m, "demonstration"), "yes"))
		buffer_text(out, "\nThis request was made for a demonstration. Nothing has happened.\n");
}

static void details(const struct mail_notice *m, struct buffer *out)
{
	struct span critical = value_of(m, "critical"), affected = value_of(m, "affected"), text = value_of(m, "text");
	char due[CLOCK_TEXT];

	buffer_byte(out, '\n');
	if (critical.len > 0)
		buffer_print(out, "For:    critical infrastructure, %.*s\n", SPAN_FORMAT(critical));
	for (size_t i = 0; i < m->s->header_count; i++)
		if (span_is(m->s->headers[i].name, "skill"))
			buffer_print(out, "Skill:  %.*s\n", SPAN_FORMAT(m->s->headers[i].value));
	if (affected.len > 0)
		buffer_print(out, "Hit:    %.*s hosts or customers, as far as is known\n", SPAN_FORMAT(affected));
	if (m->due_ms != 0) {
		mail_minute(m->due_ms, due);
		buffer_print(out, "Answer: please by %s (UTC)\n", due);
	}
	if (text.len > 0) {
		buffer_text(out, "Says:\n");
		mail_wrapped(out, text, "        ");
	}
}

static void asked(const struct mail_notice *m, struct buffer *out)
{
	char until[CLOCK_TEXT];

	buffer_text(out, "\nWHAT IS ASKED\n\n");
	mail_wrapped(out,
		     is_ping(m) ? SPAN("Please say that you are there, as whoever is on duty. How long that took is "
				       "what the test "
				       "measures; an answer by a machine counts as none.")
				: SPAN("Please say whether you can help: that you offer to, that you look into it, or "
				       "that you "
				       "cannot. An offer binds you to nothing before it is accepted."),
		     "");
	if (m->link.len == 0) {
		buffer_text(out, "\nPlease answer to this mail.\n");
		return;
	}
	mail_minute(m->link_until_ms, until);
	buffer_print(out, "\nAnswer here, without an account, until %s (UTC):\n\n  %.*s\n\n", until,
		     SPAN_FORMAT(m->link));
	mail_wrapped(out, SPAN("Opening the page does nothing; only its form answers."), "");
}

void mail_help_text(const struct mail_notice *m, struct span title, struct span vkey, struct buffer *out)
{
	head(m, title, out);
	details(m, out);
	asked(m, out);
	mail_checking(m, vkey, out);
}
