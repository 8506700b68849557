#include "exchange/answer_page.h"

#include "base/encoding.h"
#include "net/html.h"
#include "report/event.h"

/*
 * One page for a phone in the night and for a desk's wide screen, for eyes, keyboards and screen readers. Without script: what
 * belongs to one choice is shown beside it always, or, where the browser knows :has, only when it is chosen. Dark where the
 * reader's system is dark. Everything that others wrote goes through html_text.
 */

static const char style[] =
	":root{color-scheme:light "
	"dark;--back:#f4f6f8;--card:#fff;--text:#1a1f26;--soft:#525c69;--line:#c9d0d8;--edge:#77818d;"
	"--ink:#0b50c0;--on:#fff;--tint:#e9f0fc;--good:#17633a;--bad:#a3201a}"
	"@media(prefers-color-scheme:dark){:root{--back:#14171b;--card:#1c2127;--text:#e7eaee;--soft:#a9b2bd;--line:#"
	"363e48;"
	"--edge:#7d8895;--ink:#8fb8fa;--on:#0f1419;--tint:#22304a;--good:#7fd3a0;--bad:#ff9d94}}"
	"*{box-sizing:border-box}"
	"body{margin:0;background:var(--back);color:var(--text);font:1rem/1.55 system-ui,sans-serif}"
	"main{max-width:46rem;margin:0 auto;padding:1.25rem 1rem 3rem}"
	"h1{font-size:1.65rem;line-height:1.25;margin:.2rem 0 .6rem}"
	"h2{font-size:1.15rem;line-height:1.3;margin:0 0 .7rem}"
	"p{margin:.5rem 0}a{color:var(--ink)}"
	"section,form{background:var(--card);border:1px solid "
	"var(--line);border-radius:.7rem;padding:1.1rem;margin:1rem 0}"
	"time{white-space:nowrap}"
	".soft{color:var(--soft);font-size:.92rem}"
	".said{border-left:.35rem solid var(--good)}.wrong{border-left:.35rem solid var(--bad)}"
	"fieldset{border:0;margin:0;padding:0;min-width:0}legend{padding:0}"
	".choice{display:grid;grid-template-columns:1.25rem 1fr;gap:0 .7rem;padding:.7rem .8rem;margin:.45rem "
	"0;cursor:pointer;"
	"border:1px solid var(--edge);border-radius:.5rem}"
	".choice input{width:1.15rem;height:1.15rem;margin:.2rem 0 0;accent-color:var(--ink)}"
	".choice b,.choice span{grid-column:2}.choice input{grid-row:1}.choice span{color:var(--soft);font-size:.92rem}"
	".choice:has(:checked){background:var(--tint);border-color:var(--ink)}.choice:has(:checked) "
	"span{color:var(--text)}"
	".more{margin:.7rem 0 .9rem 2.75rem}"
	"@supports selector(:has(*)){.more{display:none}form:has(#not-ours:checked) .better,"
	"form:has(#disputed:checked) .why{display:block}}"
	".field{margin:1.1rem 0}label.of{display:block;font-weight:600;margin-bottom:.2rem}"
	".hint{display:block;color:var(--soft);font-size:.88rem;margin-bottom:.35rem}"
	"input[type=text],textarea{width:100%;font:inherit;color:inherit;background:var(--back);border:1px solid "
	"var(--edge);"
	"border-radius:.4rem;padding:.55rem .65rem}textarea{resize:vertical}"
	"button{font:inherit;font-weight:600;min-height:2.9rem;padding:.5rem 1.5rem;border:0;border-radius:.5rem;"
	"background:var(--ink);color:var(--on);cursor:pointer}"
	":focus-visible{outline:.2rem solid var(--ink);outline-offset:.15rem}"
	"dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1rem;margin:0}dt{color:var(--soft)}"
	"dd{margin:0;min-width:0;overflow-wrap:anywhere}#rows{margin:1rem 0 0}"
	".wide{overflow:auto;max-height:26rem;margin:.9rem 0 "
	"0}table{border-collapse:collapse;font-size:.9rem;width:100%}"
	"th,td{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);white-space:nowrap;"
	"font-variant-numeric:tabular-nums}th{color:var(--soft);background:var(--card);font-weight:600;position:sticky;"
	"top:0}"
	"summary{cursor:pointer;margin-top:.8rem}pre{overflow-x:auto;font-size:.82rem;background:var(--back);padding:."
	"7rem;"
	"border-radius:.4rem;margin:.6rem 0 0}"
	"@media(max-width:32rem){dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}.more{margin-left:0}button{"
	"width:100%}}";

enum err answer_policy(struct arena *a, struct span *out)
{
	struct hash h = hash_bytes(style, sizeof(style) - 1);
	char hash[BASE64_LENGTH(HASH_SIZE) + 1], *text;

	base64_encode(h.bytes, HASH_SIZE, hash);
	text = arena_print(a,
			   "default-src 'none'; style-src 'sha256-%s'; form-action 'self'; base-uri 'none'; "
			   "frame-ancestors 'none'",
			   hash);
	if (text == NULL)
		return ERR_NO_MEMORY;
	*out = span_of(text);
	return OK;
}

/* ---- words ---- */

static const struct choice {
	enum outcome outcome;
	const char *label, *says;
} choices[] = {
	{ OUTCOME_FIXED, "Fixed", "The cause is gone. If it is seen again, this notice opens again." },
	{ OUTCOME_WORKING, "Working on it",
	  "You have it in hand, and it is not done yet. Come back to this page when it is." },
	{ OUTCOME_NOT_OURS, "Not ours",
	  "Neither you nor your customers run these addresses. It goes on to whoever does." },
	{ OUTCOME_DISPUTED, "Disputed",
	  "You looked, and the report is wrong. Say why: your reasons are shown beside the notice." },
	{ OUTCOME_CANNOT, "Cannot", "It is yours, and you cannot solve it alone. This asks for help." },
};

const char *page_outcome(enum outcome o)
{
	switch (o) {
	case OUTCOME_RECEIVED:
		return "it arrived";
	case OUTCOME_ACKNOWLEDGED:
		return "acknowledged";
	case OUTCOME_WORKING:
		return "working on it";
	case OUTCOME_FIXED:
		return "fixed";
	case OUTCOME_RE_OBSERVED:
		return "seen again";
	case OUTCOME_NOT_OURS:
		return "not ours";
	case OUTCOME_CANNOT:
		return "cannot: help was asked for";
	case OUTCOME_DISPUTED:
		return "disputed";
	case OUTCOME_CLOSED:
		return "closed by who filed it";
	case OUTCOME_OFFERED:
		return "help is offered";
	case OUTCOME_OBJECTED:
		return "cannot help";
	case OUTCOME_ACCEPTED:
		return "an offer was accepted";
	default:
		return outcome_name(o);
	}
}

void page_time(struct buffer *out, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	buffer_print(out, "<time datetime=\"%s\">%.10s %.5s UTC</time>", text, text, text + 11);
}

void page_addressee(struct buffer *out, const struct addressee *to)
{
	struct buffer text = BUFFER(512);

	addressee_print(to, &text);
	html_text(out, buffer_view(&text));
	buffer_free(&text);
}

static void say_count(struct buffer *out, uint64_t n, const char *one, const char *many)
{
	buffer_print(out, "%ju %s", (uintmax_t)n, n == 1 ? one : many);
}

/* ---- frame ---- */

void page_begin(struct buffer *out, struct span node, const char *title)
{
	buffer_text(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
			 "<meta name=\"robots\" content=\"noindex\">\n<title>");
	html_text(out, span_of(title));
	buffer_text(out, " &ndash; ");
	html_text(out, node);
	buffer_text(out, "</title>\n<style>");
	buffer_text(out, style);
	buffer_text(out, "</style>\n</head>\n<body>\n<main>\n");
}

void page_where_to_ask(const struct answer_view *v, struct buffer *out)
{
	buffer_text(out, "<p class=\"soft\">Questions? Answer the mail that this link came with");
	if (v->contact.len > 0) {
		buffer_text(out, ", or write to ");
		html_text_cut(out, v->contact, 254);
	}
	buffer_text(out, ".</p>\n");
}

void page_end(struct buffer *out)
{
	buffer_text(out, "</main>\n</body>\n</html>\n");
}

void answer_note(const struct answer_view *v, const char *what, const char *text, struct span back, struct buffer *out)
{
	page_begin(out, v->node, what);
	buffer_text(out, "<section>\n<h1>");
	html_text(out, span_of(what));
	buffer_text(out, "</h1>\n<p>");
	html_text(out, span_of(text));
	buffer_text(out, "</p>\n");
	if (back.len > 0) {
		buffer_text(out, "<p><a href=\"");
		html_text(out, back);
		buffer_text(out, "\">To the notice</a></p>\n");
	}
	page_where_to_ask(v, out);
	buffer_text(out, "</section>\n");
	page_end(out);
}

/* ---- what was seen ---- */

static void say_port(struct buffer *out, uint16_t port)
{
	if (port > 0)
		buffer_print(out, "%u", port);
}

static void say_transport(struct buffer *out, uint8_t t)
{
	switch (t) {
	case TRANSPORT_UNKNOWN:
		break;
	case TRANSPORT_TCP:
		buffer_text(out, "TCP");
		break;
	case TRANSPORT_UDP:
		buffer_text(out, "UDP");
		break;
	case TRANSPORT_ICMP:
		buffer_text(out, "ICMP");
		break;
	case TRANSPORT_OTHER:
		buffer_text(out, "other");
		break;
	default:
		buffer_print(out, "%u", t);
		break;
	}
}

static void say_target(struct buffer *out, const struct event *e)
{
	char text[ADDRESS_TEXT];

	if (e->has_target) {
		address_format(e->target, text);
		buffer_print(out, e->target.family == FAMILY_IPV6 && e->target_port > 0 ? "[%s]" : "%s", text);
	}
	if (e->target_port > 0)
		buffer_print(out, e->has_target ? ":%u" : "port %u", e->target_port);
}

void answer_row(struct buffer *out, const struct event *e, bool explained)
{
	char text[ADDRESS_TEXT > CLOCK_TEXT ? ADDRESS_TEXT : CLOCK_TEXT];

	buffer_text(out, "<tr><td>");
	if (e->time_ms != 0) {
		clock_format(e->time_ms, text);
		buffer_print(out, "%.10s %.8s", text, text + 11);
	}
	address_format(e->source, text);
	buffer_print(out, "<td>%s", text);
	if (e->source_length > 0)
		buffer_print(out, "/%u", e->source_length);
	buffer_text(out, "<td>");
	say_port(out, e->source_port);
	buffer_text(out, "<td>");
	say_transport(out, e->transport);
	buffer_text(out, "<td>");
	say_target(out, e);
	if (explained)
		buffer_text(out, " (fits a filed plan)");
	buffer_text(out, "\n");
}

static void say_rows(const struct answer_view *v, struct buffer *out)
{
	switch (v->evidence) {
	case ANSWER_EVIDENCE_ERASED:
		buffer_text(out, "<p>The single events were erased here, as they are after a while.</p>\n");
		return;
	case ANSWER_EVIDENCE_ELSEWHERE:
		buffer_text(out, "<p>The single events are too many for this page. They are in the mail.</p>\n");
		return;
	case ANSWER_EVIDENCE_SHOWN:
		break;
	}
	buffer_text(out, "<p class=\"soft\" id=\"rows\">");
	if (v->m->events > v->row_count)
		buffer_print(out, "The first %ju of %ju events. All of them are in the mail.", (uintmax_t)v->row_count,
			     (uintmax_t)v->m->events);
	else
		buffer_text(out, "The single events");
	buffer_text(out, "</p>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-labelledby=\"rows\">\n<table>\n"
			 "<thead><tr><th scope=\"col\">Time (UTC)<th scope=\"col\">Address<th scope=\"col\">Port"
			 "<th scope=\"col\">Protocol<th scope=\"col\">Towards</thead>\n<tbody>\n");
	buffer_span(out, v->rows);
	buffer_text(out, "</tbody>\n</table>\n</div>\n");
}

#define BEHIND ((size_t)4000) /* what may come behind the rows as they were reported */

/* As much of it as the page has room for. */
static void say_plain(const struct answer_view *v, struct buffer *out)
{
	struct buffer text = BUFFER(out->len + BEHIND < ANSWER_PAGE_MAX ? ANSWER_PAGE_MAX - out->len - BEHIND : 1);
	size_t most = v->plain.len;

	if (v->plain.len == 0 || v->evidence != ANSWER_EVIDENCE_SHOWN)
		return;
	for (html_text_cut(&text, v->plain, most); text.err == ERR_TOO_LONG; html_text_cut(&text, v->plain, most)) {
		buffer_clear(&text);
		if ((most /= 2) == 0)
			break;
	}
	if (most > 0) {
		buffer_text(out, "<details>\n<summary>As it was reported</summary>\n"
				 "<pre tabindex=\"0\" aria-label=\"The rows as they were reported\">");
		buffer_span(out, buffer_view(&text));
		buffer_text(out, "</pre>\n</details>\n");
	}
	buffer_free(&text);
}

static void say_seen(const struct answer_view *v, struct buffer *out)
{
	struct span part = statement_value(v->s, "part"), explained = statement_value(v->s, "explained");

	buffer_text(out, "<section>\n<h2>What was seen</h2>\n<dl>\n<dt>Kind<dd>");
	html_text(out, span_of(class_name(v->m->class)));
	buffer_text(out, "\n<dt>Events<dd>");
	buffer_print(out, "%ju", (uintmax_t)v->m->events);
	if (explained.len > 0) {
		buffer_text(out, ", of which ");
		html_text(out, explained);
		buffer_text(out, " fit a plan that was filed before");
	}
	if (v->m->first_ms != 0) {
		buffer_text(out, "\n<dt>First<dd>");
		page_time(out, v->m->first_ms);
		buffer_text(out, "\n<dt>Last<dd>");
		page_time(out, v->m->last_ms);
	}
	if (part.len > 0) {
		buffer_text(out, "\n<dt>Part<dd>");
		html_text(out, part);
	}
	buffer_text(out, "\n</dl>\n");
	say_rows(v, out);
	say_plain(v, out);
	buffer_text(out, "</section>\n");
}

/* ---- who asks, and why ---- */

#define TABLES_SHOWN 6

static void say_tables(const struct answer_view *v, struct buffer *out)
{
	size_t shown = 0;

	for (size_t i = 0; i < v->s->header_count && shown < TABLES_SHOWN; i++) {
		if (!span_is(v->s->headers[i].name, "table"))
			continue;
		buffer_text(out, shown++ == 0 ? "\n<dt>By these tables<dd>" : "<br>");
		html_text_cut(out, v->s->headers[i].value, 120);
	}
}

static void say_reason(const struct answer_view *v, struct buffer *out)
{
	static const char *const reasons[FOLLOW_COUNT] = {
		[FOLLOW_OVERDUE] = " did not answer in time, so it goes one level up, to you",
		[FOLLOW_NOT_OURS] = " says that it is not theirs, so it comes to you",
		[FOLLOW_UNDELIVERABLE] = " could not be reached, so it comes to you",
	};

	if (v->m->reason == FOLLOW_NONE || reasons[v->m->reason] == NULL)
		return;
	buffer_text(out, "\n<dt>Before you<dd>");
	html_text_cut(out, v->before_to.len > 0 ? v->before_to : SPAN("Another addressee"), 253);
	buffer_text(out, reasons[v->m->reason]);
}

static const char *why_you(const struct addressee *to)
{
	switch (to->type) {
	case TO_AS:
		return "You are a contact of this network, which the addresses belong to.";
	case TO_PREFIX:
		return "You are a contact of this block of addresses.";
	case TO_COUNTRY:
		return "You are the national contact of the country in which the addresses are registered.";
	case TO_PARTY:
	case TO_ALL:
		break;
	}
	return "You are a contact of this party, which answers for the addresses.";
}

static void say_who(const struct answer_view *v, struct buffer *out)
{
	char hex[HASH_HEX + 1];

	hash_hex(v->m->id, hex);
	buffer_text(out, "<section>\n<h2>Who asks, and why you</h2>\n<dl>\n<dt>Filed by<dd>");
	if (v->author_title.len > 0 && !span_equal(v->author_title, v->m->from)) {
		html_text_cut(out, v->author_title, 200);
		buffer_text(out, ", ");
	}
	html_text(out, v->m->from);
	buffer_text(out, "\n<dt>Filed on<dd>");
	page_time(out, v->m->logged_ms);
	buffer_text(out, v->copy ? "\n<dt>In copy to<dd>" : "\n<dt>Addressed to<dd>");
	page_addressee(out, &v->to);
	buffer_print(out, "<br>%s", why_you(&v->to));
	say_reason(v, out);
	say_tables(v, out);
	buffer_print(out, "\n<dt>Notice<dd>%.16s…\n<dt>This link<dd>is good until ", hex);
	page_time(out, v->until_ms);
	buffer_text(out, ", for whoever has it: pass it on with care\n</dl>\n");
	page_where_to_ask(v, out);
	buffer_text(out, "</section>\n");
}

/* ---- what was answered ---- */

struct moment {
	int64_t ms;
	const char *what;
};

static size_t gather(const struct matter *m, struct moment out[12])
{
	const struct moment all[] = {
		{ m->arrived_ms, "It arrived" },
		{ m->acknowledged_ms, "First answer" },
		{ m->not_ours_ms, "Answered: not ours" },
		{ m->disputed_ms, "Answered: disputed" },
		{ m->cannot_ms, "Answered: cannot" },
		{ m->fixed_ms, "Answered: fixed" },
		{ m->re_observed_ms, "Seen again" },
		{ m->passed_on_ms, "Passed on to another" },
		{ m->closed_ms, "Closed by who filed it" },
		{ m->withdrawn_ms, "Withdrawn by who filed it" },
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		size_t at = count;

		if (all[i].ms == 0)
			continue;
		for (count++; at > 0 && out[at - 1].ms > all[i].ms; at--)
			out[at] = out[at - 1];
		out[at] = all[i];
	}
	return count;
}

static void say_history(const struct answer_view *v, struct buffer *out)
{
	struct moment moments[12];
	size_t count = gather(v->m, moments);

	buffer_text(out, "<section>\n<h2>What has been answered</h2>\n");
	if (!v->m->answered && count == 0) {
		buffer_text(out, "<p>Nothing yet.</p>\n</section>\n");
		return;
	}
	buffer_text(out, "<dl>\n");
	for (size_t i = 0; i < count; i++) {
		buffer_print(out, "<dt>%s<dd>", moments[i].what);
		page_time(out, moments[i].ms);
		buffer_byte(out, '\n');
	}
	if (v->m->answered) {
		buffer_print(out, "<dt>The last answer<dd>%s", page_outcome(v->m->outcome));
		if (v->m->mediated) {
			buffer_text(out, ", recorded by ");
			html_text(out, v->node);
		}
		buffer_byte(out, '\n');
	}
	buffer_text(out, "</dl>\n<p class=\"soft\">Acknowledging is not admitting.</p>\n</section>\n");
}

/* ---- the form ---- */

static const struct answer_form nothing;

static void say_choice(const struct answer_view *v, const struct choice *c, bool first, struct buffer *out)
{
	const struct answer_form *f = v->form != NULL ? v->form : &nothing;
	const char *name = outcome_name(c->outcome);

	buffer_print(out,
		     "<label class=\"choice\"><input type=\"radio\" name=\"outcome\" value=\"%s\" id=\"%s\"%s%s>"
		     "<b>%s</b><span>%s</span></label>\n",
		     name, name, first ? " required" : "", span_is(f->typed_outcome, name) ? " checked" : "", c->label,
		     c->says);
	if (c->outcome == OUTCOME_NOT_OURS) {
		buffer_text(out,
			    "<div class=\"more better\"><label class=\"of\" for=\"better\">Who answers for them "
			    "instead?</label><span class=\"hint\" id=\"better-hint\">An AS number, a prefix or a "
			    "domain, if "
			    "you know it: AS64500, 192.0.2.0/24, network.example</span><input type=\"text\" "
			    "id=\"better\" name=\"better\" maxlength=\"253\" autocomplete=\"off\" "
			    "autocapitalize=\"none\" spellcheck=\"false\" aria-describedby=\"better-hint\" value=\"");
		html_text_cut(out, f->typed_better, 253);
		buffer_text(out, "\"></div>\n");
	}
	if (c->outcome == OUTCOME_DISPUTED) {
		buffer_text(out,
			    "<div class=\"more why\"><label class=\"of\" for=\"evidence\">Why is it wrong?</label>"
			    "<span class=\"hint\" id=\"why-hint\">What you found, with times and addresses. Only those "
			    "concerned see this.</span><textarea id=\"evidence\" name=\"evidence\" rows=\"5\" "
			    "aria-describedby=\"why-hint\">\n");
		html_text(out, f->typed_evidence);
		buffer_text(out, "</textarea></div>\n");
	}
}

static void say_form(const struct answer_view *v, struct buffer *out)
{
	const struct answer_form *f = v->form != NULL ? v->form : &nothing;

	buffer_text(out, "<form method=\"post\" action=\"");
	html_text(out, v->token);
	buffer_text(out, "\">\n<fieldset>\n<legend><h2>Your answer</h2></legend>\n");
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++)
		say_choice(v, &choices[i], i == 0, out);
	buffer_text(out,
		    "</fieldset>\n<div class=\"field\"><label class=\"of\" for=\"text\">A remark</label>"
		    "<span class=\"hint\" id=\"text-hint\">If you like, up to 280 characters. It is logged with the "
		    "answer: no "
		    "personal data, please.</span><textarea id=\"text\" name=\"text\" rows=\"2\" maxlength=\"280\" "
		    "aria-describedby=\"text-hint\">\n");
	html_text(out, f->typed_text);
	buffer_text(out,
		    "</textarea></div>\n<button type=\"submit\">Send the answer</button>\n<p class=\"soft\">"
		    "<b>Acknowledging is not admitting.</b> An answer says that you read this and what you do about "
		    "it; it admits no fault. ");
	html_text(out, v->node);
	buffer_text(out, " signs it in its log as recorder for ");
	page_addressee(out, &v->to);
	buffer_text(
		out,
		", and marks that it came by mail. You can answer again until the matter is closed.</p>\n</form>\n");
}

/* ---- the page ---- */

bool answer_open(const struct matter *m)
{
	return !m->ended && !m->withdrawn && m->answers < ANSWERS_MOST;
}

static void say_said(const struct answer_view *v, struct buffer *out)
{
	if (v->said == ANSWER_SAID_NOTHING || !v->m->answered)
		return;
	buffer_print(out, "<section class=\"said\" role=\"status\">\n<h2>%s: %s</h2>\n<p>Thank you. ",
		     v->said == ANSWER_SAID_BEFORE ? "That was recorded before" : "Your answer is recorded",
		     page_outcome(v->m->outcome));
	if (v->m->outcome == OUTCOME_CANNOT)
		buffer_text(out, "Your request for help goes to those who can give it. ");
	buffer_text(out, answer_open(v->m) ? "If something changes, answer again below.</p>\n</section>\n"
					   : "You need do nothing more.</p>\n</section>\n");
}

void page_wrong(const struct answer_view *v, struct buffer *out)
{
	if (v->wrong == NULL)
		return;
	buffer_text(out, "<section class=\"wrong\" role=\"alert\">\n<h2>Nothing was sent yet</h2>\n<p>");
	html_text(out, span_of(v->wrong));
	buffer_text(out, "</p>\n</section>\n");
}

static void say_over(const struct answer_view *v, struct buffer *out)
{
	const struct matter *m = v->m;

	buffer_text(out, "<section>\n<h2>");
	if (m->withdrawn)
		buffer_text(
			out,
			"This notice was withdrawn</h2>\n<p>Whoever filed it took it back. You need do nothing.</p>\n");
	else if (m->ended)
		buffer_print(out,
			     "This matter is closed: %s</h2>\n<p>It takes no more answers. If that is wrong, answer "
			     "the mail "
			     "that this link came with.</p>\n",
			     page_outcome(m->outcome));
	else
		buffer_text(out, "This matter takes no more answers by this page</h2>\n<p>There are many already. "
				 "Please answer the mail that this link came with.</p>\n");
	buffer_text(out, "</section>\n");
}

static void say_copy(const struct answer_view *v, struct buffer *out)
{
	buffer_text(out, "<section>\n<h2>You have this in copy</h2>\n<p>It was sent to <b>");
	page_addressee(out, &v->m->to);
	buffer_text(out, "</b>, who answers. You need do nothing; below you see how it stands.</p>\n</section>\n");
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

static void say_head(const struct answer_view *v, struct buffer *out)
{
	buffer_text(out, "<p class=\"soft\">");
	html_text_cut(out, v->title.len > 0 ? v->title : v->node, 120);
	buffer_text(out, " asks you to look at something</p>\n<h1>");
	html_text(out, span_of(class_says(v->m->class)));
	buffer_text(out, "</h1>\n");
	if (v->m->demonstration)
		buffer_text(out, "<p><b>This is a demonstration. Nothing of it is real.</b></p>\n");
	buffer_text(out, "<p>");
	say_count(out, v->m->events, "event was", "events were");
	buffer_text(out, " seen of addresses for which <b>");
	page_addressee(out, v->copy ? &v->m->to : &v->to);
	buffer_text(out, "</b> answers");
	if (v->m->first_ms != 0) {
		buffer_text(out, ", since ");
		page_time(out, v->m->first_ms);
	}
	buffer_text(out, ".</p>\n");
	say_due(v, out);
}

void answer_page(const struct answer_view *v, struct buffer *out)
{
	page_begin(out, v->node, class_says(v->m->class));
	say_head(v, out);
	say_said(v, out);
	page_wrong(v, out);
	if (v->copy)
		say_copy(v, out);
	else if (answer_open(v->m))
		say_form(v, out);
	else
		say_over(v, out);
	say_seen(v, out);
	say_who(v, out);
	say_history(v, out);
	page_end(out);
}
