/* The page behind the link of a request for help, or of a ping. */
#include "exchange/answer_page.h"
#include "net/html.h"
#include "regime/help.h"

static const struct choice {
	enum outcome outcome;
	const char *label, *says;
} choices[] = {
	{ OUTCOME_OFFERED, "We offer to help", "Say with what, below. It binds you to nothing before it is accepted." },
	{ OUTCOME_ACKNOWLEDGED, "We read it", "A person saw it. Come back to this page when you know more." },
	{ OUTCOME_WORKING, "Working on it", "You are at it." },
	{ OUTCOME_OBJECTED, "We cannot help", "So that others can be asked sooner." },
};

static const char *title_of(const struct help *h)
{
	return h->ping ? "Are you there?" : "Help is asked for";
}

static void say_due(const struct answer_view *v, struct buffer *out)
{
	const struct matter *m = v->m;

	if (v->copy || !answer_open(m) || m->due_ms == 0 || m->answered_ms != 0)
		return;
	buffer_text(out, v->now_ms > m->due_ms ? "<p><b>Please answer now. It was due by " : "<p><b>Please answer by ");
	page_time(out, m->due_ms);
	buffer_text(out, ".</b></p>\n");
}

static void say_head(const struct answer_view *v, const struct help *h, struct buffer *out)
{
	buffer_text(out, "<p class=\"soft\">");
	html_text_cut(out, v->title.len > 0 ? v->title : v->node, 120);
	buffer_print(out, " writes to you</p>\n<h1>%s</h1>\n", title_of(h));
	if (v->m->demonstration)
		buffer_text(out, "<p><b>This is a demonstration. Nothing of it is real.</b></p>\n");
	buffer_text(out, "<p>");
	html_text(out, v->m->from);
	if (h->ping) {
		buffer_text(out, " would like to know whether a person reads what is sent to <b>");
		page_addressee(out, &v->to);
		buffer_text(out, "</b>. This is a test of a contact for emergencies. Nothing has happened.</p>\n");
	} else {
		buffer_text(out, " asks <b>");
		page_addressee(out, &v->m->to);
		buffer_text(out, v->m->to_count > 1 ? "</b> and others for help.</p>\n" : "</b> for help.</p>\n");
	}
	say_due(v, out);
}

static void say_details(const struct answer_view *v, struct buffer *out)
{
	struct span critical = statement_value(v->s, "critical"), affected = statement_value(v->s, "affected"),
		    text = statement_value(v->s, "text");
	bool skill = false;

	buffer_text(out, "<section>\n<h2>What it is about</h2>\n<dl>\n");
	if (critical.len > 0) {
		buffer_text(out, "<dt>Critical infrastructure<dd>");
		html_text(out, critical);
	}
	for (size_t i = 0; i < v->s->header_count; i++)
		if (span_is(v->s->headers[i].name, "skill")) {
			buffer_text(out, skill ? ", " : "\n<dt>What is missing<dd>");
			html_text(out, v->s->headers[i].value);
			skill = true;
		}
	if (affected.len > 0) {
		buffer_text(out, "\n<dt>Affected<dd>");
		html_text(out, affected);
		buffer_text(out, " hosts or customers, as far as is known");
	}
	if (text.len > 0) {
		buffer_text(out, "\n<dt>It says<dd>");
		html_text(out, text);
	}
	buffer_text(out, "\n</dl>\n</section>\n");
}

/* ---- the form ---- */

static const struct answer_form nothing;

static void say_choices(const struct answer_view *v, struct buffer *out)
{
	const struct answer_form *f = v->form != NULL ? v->form : &nothing;

	buffer_text(out, "<fieldset>\n<legend><h2>Your answer</h2></legend>\n");
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		const char *name = outcome_name(choices[i].outcome);

		buffer_print(
			out,
			"<label class=\"choice\"><input type=\"radio\" name=\"outcome\" value=\"%s\" id=\"%s\"%s%s>"
			"<b>%s</b><span>%s</span></label>\n",
			name, name, i == 0 ? " required" : "", span_is(f->typed_outcome, name) ? " checked" : "",
			choices[i].label, choices[i].says);
	}
	buffer_text(out, "</fieldset>\n");
}

static void say_form(const struct answer_view *v, const struct help *h, struct buffer *out)
{
	const struct answer_form *f = v->form != NULL ? v->form : &nothing;

	buffer_text(out, "<form method=\"post\" action=\"");
	html_text(out, v->token);
	buffer_text(out, "\">\n");
	if (h->ping)
		buffer_print(out, "<h2>Your answer</h2>\n<input type=\"hidden\" name=\"outcome\" value=\"%s\">\n",
			     outcome_name(OUTCOME_ACKNOWLEDGED));
	else
		say_choices(v, out);
	buffer_text(out,
		    "<div class=\"field\"><label class=\"of\" for=\"text\">A remark</label>"
		    "<span class=\"hint\" id=\"text-hint\">If you like, up to 280 characters. It is logged with the "
		    "answer: no personal data, please.</span><textarea id=\"text\" name=\"text\" rows=\"2\" "
		    "maxlength=\"280\" aria-describedby=\"text-hint\">\n");
	html_text(out, f->typed_text);
	buffer_print(out, "</textarea></div>\n<button type=\"submit\">%s</button>\n<p class=\"soft\">",
		     h->ping ? "I am here" : "Send the answer");
	html_text(out, v->node);
	buffer_text(out, " signs it in its log as recorder for ");
	page_addressee(out, &v->to);
	buffer_text(out, ", and marks that it came by mail.</p>\n</form>\n");
}

static void say_said(const struct answer_view *v, const struct help *h, struct buffer *out)
{
	if (v->said == ANSWER_SAID_NOTHING || !v->m->answered)
		return;
	buffer_print(out, "<section class=\"said\" role=\"status\">\n<h2>%s</h2>\n<p>Thank you. %s</p>\n</section>\n",
		     v->said == ANSWER_SAID_BEFORE ? "That was recorded before" : "Your answer is recorded",
		     h->ping || !answer_open(v->m) ? "You need do nothing more."
						   : "If something changes, answer again below.");
}

static void say_over(const struct answer_view *v, struct buffer *out)
{
	buffer_print(out, "<section>\n<h2>%s</h2>\n<p>You need do nothing.</p>\n</section>\n",
		     v->m->withdrawn ? "This request was withdrawn"
		     : v->copy	     ? "You have this in copy"
		     : v->m->ended   ? "This request is closed"
				     : "This request takes no more answers by this page");
}

/* ---- how it stands ---- */

static void say_course(const struct answer_view *v, const struct help *h, struct buffer *out)
{
	char hex[HASH_HEX + 1];

	hash_hex(v->m->id, hex);
	buffer_text(out, "<section>\n<h2>How it stands</h2>\n<dl>\n<dt>Asked by<dd>");
	if (v->author_title.len > 0 && !span_equal(v->author_title, v->m->from)) {
		html_text_cut(out, v->author_title, 200);
		buffer_text(out, ", ");
	}
	html_text(out, v->m->from);
	buffer_text(out, "\n<dt>Asked on<dd>");
	page_time(out, v->m->logged_ms);
	if (h->first_human_ms != 0) {
		buffer_text(out, "\n<dt>First answer by a person<dd>");
		page_time(out, h->first_human_ms);
	}
	if (!h->ping)
		buffer_print(out, "\n<dt>Offers<dd>%u, %u accepted", h->offers, h->accepted);
	if (h->recovered_ms != 0) {
		buffer_text(out, "\n<dt>Recovered<dd>");
		page_time(out, h->recovered_ms);
	}
	if (v->m->answered)
		buffer_print(out, "\n<dt>The last answer<dd>%s", page_outcome(v->m->outcome));
	buffer_print(out, "\n<dt>Request<dd>%.16s…\n<dt>This link<dd>is good until ", hex);
	page_time(out, v->until_ms);
	buffer_text(out, ", for whoever has it: pass it on with care\n</dl>\n");
	page_where_to_ask(v, out);
	buffer_text(out, "</section>\n");
}

void answer_help_page(const struct answer_view *v, const struct help *h, struct buffer *out)
{
	bool done = h->ping && h->first_human_ms != 0; /* once is enough */

	page_begin(out, v->node, title_of(h));
	say_head(v, h, out);
	say_said(v, h, out);
	page_wrong(v, out);
	if (!v->copy && answer_open(v->m) && !done)
		say_form(v, h, out);
	else if (!done)
		say_over(v, out);
	if (!h->ping)
		say_details(v, out);
	say_course(v, h, out);
	page_end(out);
}
