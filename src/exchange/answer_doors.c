/* The doors of the answer page.
 *
 * Whoever has the link may see the notice and answer it; so a link is as good as the mail that it came in, and no better. Mail
 * scanners follow links: GET and HEAD change nothing and count as nothing. A POST's answer takes its turn on the sequencing
 * thread, where the matter is looked at again: two at once, or one sent twice, have one effect. What came of it is shown by the
 * page, to which a 303 leads, so that a browser's reload sends nothing again. */
#include <sodium.h>
#include <stdlib.h>

#include "mail/answer_link.h"
#include "exchange/answer_page.h"
#include "exchange/api.h"
#include "net/html.h"
#include "ledger/entry.h"
#include "regime/feed.h"
#include "regime/help.h"
#include "route/evidence.h"

#define BODY_READ_MAX ((uint64_t)4 << 20)		  /* a larger one is not opened for a page */
#define UNPACKED_MAX ((size_t)256 << 20)		  /* of which the first rows are read */
#define PLAIN_MAX ((size_t)8 << 10)			  /* of the rows as they were reported */
#define PAGE_MOST (ANSWER_PAGE_MAX + 6 * ANSWER_FORM_MAX) /* what was typed, escaped, comes back with a mistake */

#define REASONS_TYPE "text/plain" /* UTF-8 */

/* ---- answers ---- */

static void answer_html(const struct server *s, struct http_request *r, unsigned status, struct buffer *page,
			struct http_answer *out)
{
	struct span policy;
	enum err e = page->err != OK ? page->err : answer_policy(r->arena, &policy);

	if (e != OK) {
		buffer_free(page);
		server_fail(s, r, e, out);
		return;
	}
	api_answer(out, status, "text/html; charset=utf-8", page);
	http_add_header(out, "Content-Security-Policy", policy);
	http_add_header(out, "Cache-Control", SPAN("no-store"));
	http_add_header(out, "Referrer-Policy", SPAN("no-referrer"));
	http_add_header(out, "X-Robots-Tag", SPAN("noindex, nofollow"));
}

static struct answer_view view_of(const struct server *s)
{
	return (struct answer_view){ .node = node_name(s->node),
				     .title = s->config->title,
				     .contact = s->config->contact };
}

static void answer_words(const struct server *s, struct http_request *r, unsigned status, const char *what,
			 const char *text, struct span back, struct http_answer *out)
{
	struct answer_view v = view_of(s);
	struct buffer page = BUFFER(PAGE_MOST);

	answer_note(&v, what, text, back, &page);
	answer_html(s, r, status, &page, out);
}

/* For a person, where a page says more than a code; all else as everywhere. */
static void answer_error(const struct server *s, struct http_request *r, enum err e, struct span back,
			 struct http_answer *out)
{
	switch (e) {
	case ERR_NOT_FOUND:
	case ERR_MATTER_UNKNOWN:
		answer_words(s, r, 404, "There is nothing here",
			     "Please check that the whole link was copied from the mail: some programs cut long lines.",
			     SPAN(""), out);
		break;
	case ERR_EXPIRED:
		answer_words(s, r, 410, "This link is no longer good",
			     "It was good for a while after the mail was sent. You can still answer: reply to the mail "
			     "itself.",
			     SPAN(""), out);
		break;
	case ERR_OUTCOME:
	case ERR_NOT_YOURS:
		answer_words(s, r, 409, "This answer was not taken",
			     "The matter moved on meanwhile. Its page says how it stands.", back, out);
		break;
	case ERR_STATEMENT_HEADER:
		answer_words(s, r, 422, "This answer was not taken",
			     "Please name somebody else than those whom the notice went to already, or nobody.", back,
			     out);
		break;
	case ERR_MEDIA_TYPE:
	case ERR_USAGE:
	case ERR_ENCODING:
	case ERR_TOO_LONG:
		answer_words(s, r,
			     e == ERR_MEDIA_TYPE ? 415
			     : e == ERR_TOO_LONG ? 413
						 : 400,
			     "This answer was not taken",
			     "It did not come from the form of this page. Open the page again and answer there.", back,
			     out);
		break;
	case ERR_BUSY:
	case ERR_STATEMENT_REPEATED: /* the same, then another, then the same, within one second: the same text */
		answer_words(s, r, 503, "Please try again in a moment", "Nothing was recorded; too much is under way.",
			     back, out);
		http_add_header(out, "Retry-After", SPAN("5"));
		break;
	default:
		server_fail(s, r, e, out);
		break;
	}
}

/* ---- the matter ---- */

/* What the link names. *to: for whom. *help: set if it is no notice. Their spans point into the snapshot. */
static enum err find_matter(const struct state *st, const struct answer_link *l, struct matter *m, struct addressee *to,
			    struct help *help)
{
	enum err e = state_matter(st, l->notice, m);

	if (e == OK && !matter_addressee(m, l->addressee, to))
		e = ERR_MATTER_UNKNOWN;
	if (e == OK && m->kind != KIND_NOTICE)
		e = state_help(st, l->notice, help);
	return e;
}

/* ---- the page ---- */

struct rows {
	struct answer_view *v;
	struct buffer table, plain;
};

#define ENOUGH ERR_EXISTS /* ends the walk; never leaves this file */

static enum err look_at_row(void *context, const struct evidence_row *row)
{
	struct rows *x = context;

	if (x->v->row_count == ANSWER_ROWS)
		return ENOUGH;
	if (x->v->row_count == 0 && row->header.len > 0 && row->header.len < PLAIN_MAX / 4)
		buffer_print(&x->plain, "%.*s\n", SPAN_FORMAT(row->header));
	if (x->plain.len + row->event.raw.len < PLAIN_MAX) {
		buffer_span(&x->plain, row->event.raw);
		buffer_byte(&x->plain, '\n');
	}
	answer_row(&x->table, &row->event, row->verdict == PLAN_EXPLAINED);
	x->v->row_count++;
	return OK;
}

static enum err keep(struct arena *a, struct buffer *b, struct span *out)
{
	char *copy = b->err == OK ? arena_copy(a, b->at, b->len) : NULL;
	enum err e = b->err != OK ? b->err : copy == NULL ? ERR_NO_MEMORY : OK;

	*out = span_make(copy, b->len);
	buffer_free(b);
	return e;
}

/* A body that is no evidence table, or is damaged, leaves the page without rows. */
static enum err read_rows(const struct server *s, struct http_request *r, struct answer_view *v)
{
	struct rows x = { v, BUFFER((size_t)64 << 10), BUFFER(2 * PLAIN_MAX) };
	const uint8_t *salt;
	struct span body, summary;
	enum err e, kept;

	v->evidence = ANSWER_EVIDENCE_ELSEWHERE;
	if (!v->m->has_body || v->m->body.size > BODY_READ_MAX || !span_is(v->m->body.media_type, EVIDENCE_TYPE))
		return OK;
	if ((e = node_body(s->node, r->arena, v->m->body.hash, &salt, &body)) == ERR_NOT_FOUND)
		v->evidence = ANSWER_EVIDENCE_ERASED;
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	e = evidence_read(r->arena, body, UNPACKED_MAX, &summary, look_at_row, &x);
	if (e == OK || e == ENOUGH)
		v->evidence = ANSWER_EVIDENCE_SHOWN;
	kept = keep(r->arena, &x.table, &v->rows);
	e = keep(r->arena, &x.plain, &v->plain);
	return kept != OK ? kept : e;
}

/* Whom the notice was for on which this one follows. */
static enum err read_before(const struct state *st, struct arena *a, struct answer_view *v)
{
	struct buffer text = BUFFER(512);
	struct matter before;
	enum err e;

	if (!v->m->has_before)
		return OK;
	if ((e = state_matter(st, v->m->before, &before)) != OK)
		return err_is_machine(e) && e != ERR_NOT_FOUND ? e : OK;
	addressee_print(&before.to, &text);
	return keep(a, &text, &v->before_to);
}

static enum err read_view(const struct server *s, struct http_request *r, const struct state *st, struct answer_view *v)
{
	struct api_statement *notice = arena_array(r->arena, 1, sizeof(*notice));
	struct party author;
	enum err e = notice == NULL ? ERR_NO_MEMORY : api_entry(s, r->arena, st, v->m->ledger, v->m->index, notice);

	if (e != OK)
		return e;
	v->s = &notice->s;
	if (state_party(st, v->m->from, &author) == OK)
		v->author_title = author.title;
	err_clear();
	if ((e = read_before(st, r->arena, v)) == OK)
		e = read_rows(s, r, v);
	return e;
}

static enum answer_said said_of(struct span query)
{
	if (span_is(query, "recorded"))
		return ANSWER_SAID_RECORDED;
	return span_is(query, "before") ? ANSWER_SAID_BEFORE : ANSWER_SAID_NOTHING;
}

/* wrong: what is to be put right in the form; NULL: nothing. */
static enum err show(const struct server *s, struct http_request *r, const struct answer_link *l, const char *wrong,
		     const struct answer_form *form, struct http_answer *out)
{
	struct answer_view v = view_of(s);
	struct buffer page = BUFFER(PAGE_MOST);
	struct help help;
	struct matter m;
	struct state st;
	enum err e = server_read(s, r, &st);

	if (e != OK)
		return e;
	v.m = &m;
	v.token = r->parts[0];
	v.until_ms = l->until_ms;
	v.now_ms = clock_now_ms();
	v.said = said_of(r->query);
	v.wrong = wrong;
	v.form = form;
	if ((e = find_matter(&st, l, &m, &v.to, &help)) == OK) {
		v.copy = l->addressee >= m.to_count;
		e = read_view(s, r, &st, &v);
	}
	if (e == OK && m.kind == KIND_NOTICE)
		answer_page(&v, &page);
	else if (e == OK)
		answer_help_page(&v, &help, &page);
	snapshot_end(st.snapshot);
	if (e == OK)
		answer_html(s, r, wrong != NULL ? 422 : 200, &page, out);
	else
		buffer_free(&page);
	return e;
}

static enum http_next get_page(void *context, struct http_request *r, struct http_answer *out)
{
	const struct server *s = context;
	struct answer_link l;
	enum err e = answer_link_read(s->node, r->parts[0], clock_now_ms(), &l);

	if (e == OK)
		e = show(s, r, &l, NULL, NULL, out);
	if (e != OK)
		answer_error(s, r, e, SPAN(""), out);
	return HTTP_NOW;
}

/* ---- an answer ---- */

struct answering {
	struct submission submission;
	const struct server *server;
	struct http_request *request;
	struct http_answer *out;
	struct answer_link link;
	struct answer_form form;
	bool before; /* it was said before */
};

/* Who of several addressees said what last: the matter's state does not tell, so its answers are read. Those of this very batch
 * cannot be read yet; they count as this addressee's, since a form that is sent twice at once is what happens. */
struct asking {
	struct node *n;
	struct arena *a;
	struct span to; /* as `for` has it: there is one spelling */
	const struct matter *m;
	enum outcome last;
	bool spoke;
};

static enum err look_at_answer(void *context, const struct feed_entry *f)
{
	struct asking *x = context;
	struct span text;
	struct entry entry;
	struct statement s;
	enum err e = node_entry(x->n, x->a, f->ledger, f->index, &text);

	if (e == ERR_NOT_FOUND) {
		x->last = x->m->outcome;
		x->spoke = x->m->mediated;
		return OK;
	}
	if (e == OK)
		e = entry_parse(text, &entry);
	if (e == OK)
		e = statement_parse(x->a, entry.note, &s);
	if (e != OK || s.kind != KIND_ANSWER || !s.has_re || !hash_equal(s.re, x->m->id))
		return e;
	if (!span_equal(s.for_party, x->to))
		return OK;
	x->spoke = true;
	return outcome_parse(statement_header(&s, "outcome")->value, &x->last);
}

/* Whether the same stands there already, as the last that was said for this addressee: then this one counts as that. */
static enum err find_repeated(struct node *n, const struct answering *x, const struct matter *m,
			      const struct addressee *to, bool *yes)
{
	struct feed feed = { .type = FEED_MATTER, .ledger = m->ledger, .matter = m->id };
	struct asking asking = { .n = n, .a = x->request->arena, .m = m };
	struct buffer name = BUFFER(512);
	enum err e = OK;

	if (!m->answered || m->to_count == 1) {
		*yes = m->answered && m->outcome == x->form.outcome && m->mediated;
		return OK;
	}
	addressee_print(to, &name);
	asking.to = buffer_view(&name);
	e = name.err != OK ? name.err : feed_walk(node_batch_state(n)->snapshot, &feed, 1, 0, look_at_answer, &asking);
	*yes = asking.spoke && asking.last == x->form.outcome;
	buffer_free(&name);
	return e;
}

static void write_reasons(struct statement_writer *w, const struct node *n, const struct answering *x,
			  uint8_t salt[SEAL_SALT_SIZE], struct body_reference *body)
{
	char matter[HASH_HEX + 1];

	if (x->form.evidence.len == 0)
		return;
	hash_hex(x->link.notice, matter);
	randombytes_buf(salt, SEAL_SALT_SIZE);
	*body = (struct body_reference){
		.media_type = SPAN(REASONS_TYPE),
		.size = x->form.evidence.len,
		.sealed = true,
		.hash = seal_commitment(node_name(n), span_of(matter), SPAN(REASONS_TYPE), salt, x->form.evidence),
	};
	statement_add_body(w, body);
}

/* What an answer and a request have alike: who speaks for whom, and how that came. */
static void write_head(struct statement_writer *w, enum kind k, const struct node *n, const struct matter *m,
		       const struct addressee *to)
{
	struct buffer for_party = BUFFER(512);

	statement_begin(w, k, node_origin(n, m->ledger), signer_verifier(node_signer(n)));
	statement_add(w, "to", m->from);
	statement_add_time(w, "date", clock_now_ms());
	statement_add_hash(w, "re", m->id);
	addressee_print(to, &for_party);
	statement_add_buffer(w, "for", &for_party);
	statement_add(w, "via", SPAN("mail"));
}

static void write_answer(struct statement_writer *w, const struct node *n, const struct answering *x,
			 const struct matter *m, const struct addressee *to)
{
	struct buffer better = BUFFER(512);

	write_head(w, KIND_ANSWER, n, m, to);
	statement_add(w, "outcome", span_of(outcome_name(x->form.outcome)));
	if (x->form.has_better) {
		addressee_print(&x->form.better, &better);
		statement_add_buffer(w, "better", &better);
	}
	if (x->form.text.len > 0)
		statement_add(w, "text", x->form.text);
}

/* Who filed the notice hears it, and the others whom it concerns. */
static void write_request(struct statement_writer *w, const struct node *n, const struct answering *x,
			  const struct matter *m, const struct addressee *to)
{
	write_head(w, KIND_REQUEST, n, m, to);
	statement_add(w, "need", SPAN("help"));
	if (x->form.text.len > 0)
		statement_add(w, "text", x->form.text);
	if (m->demonstration)
		statement_add(w, "demonstration", SPAN("yes"));
}

/* The first `cannot` asks for help, in the same batch. The answer stands by now, so a request that is refused is left out; only the
 * machine's failures end the batch. */
static enum err log_request(struct node *n, struct answering *x)
{
	struct statement_writer w = { 0 };
	struct appended request;
	struct addressee to;
	struct matter m;
	struct help help;
	enum err e = find_matter(node_batch_state(n), &x->link, &m, &to, &help);

	if (e != OK)
		return e;
	write_request(&w, n, x, &m, &to);
	e = node_add_own(n, &w, &request);
	statement_writer_free(&w);
	return err_is_machine(e) || e == ERR_DAMAGED ? e : OK;
}

static enum err log_answer(struct node *n, struct answering *x, const struct matter *m, const struct addressee *to)
{
	bool asks = x->form.outcome == OUTCOME_CANNOT && m->cannot_ms == 0;
	struct statement_writer w = { 0 };
	struct body_reference body = { 0 };
	uint8_t salt[SEAL_SALT_SIZE];
	enum err e;

	write_answer(&w, n, x, m, to);
	write_reasons(&w, n, x, salt, &body);
	e = node_add_own(n, &w, &x->submission.appended);
	if (e == OK && body.size > 0)
		e = node_add_body(n, &body, salt, &x->form.evidence, 1);
	if (e == OK && asks)
		e = log_request(n, x);
	statement_writer_free(&w);
	return e;
}

static enum err answer_work(struct node *n, struct submission *submission)
{
	struct answering *x = submission->context;
	struct addressee to;
	struct matter m;
	struct help help;
	enum err e = find_matter(node_batch_state(n), &x->link, &m, &to, &help);

	if (e != OK)
		return e;
	if ((e = find_repeated(n, x, &m, &to, &x->before)) != OK || x->before)
		return e;
	if (x->link.addressee >= m.to_count)
		return fail(ERR_NOT_YOURS, "it was a copy");
	if (!answer_open(&m))
		return fail(ERR_OUTCOME, "re: it is over, or has too many answers");
	return log_answer(n, x, &m, &to);
}

/* To the page, by the last part of its own address: so it is right behind any proxy. */
static enum err to_page(struct http_request *r, const char *said, struct http_answer *out)
{
	char *location = arena_print(r->arena, "%.*s?%s", SPAN_FORMAT(r->parts[0]), said);

	if (location == NULL)
		return ERR_NO_MEMORY;
	out->status = 303;
	http_add_header(out, "Location", span_of(location));
	http_add_header(out, "Cache-Control", SPAN("no-store"));
	http_add_header(out, "Referrer-Policy", SPAN("no-referrer"));
	return OK;
}

static void answer_done(struct submission *submission)
{
	struct answering *x = submission->context;
	struct http_request *r = x->request;
	enum err e = submission->err;

	if (e == OK) {
		if (!x->before)
			metrics_add(x->server->metrics, METRIC_LINK_ANSWERS, 1);
		e = to_page(r, x->before ? "before" : "recorded", x->out);
	} else {
		fail(e, "%s", submission->detail);
	}
	if (e != OK)
		answer_error(x->server, r, e, r->parts[0], x->out);
	http_answer_now(r);
}

static enum err check_type(const struct http_request *r)
{
	struct span type;

	if (http_header(r, "Content-Type", &type) &&
	    span_equal_nocase(span_trim(span_cut(&type, ';')), SPAN("application/x-www-form-urlencoded")))
		return OK;
	return fail(ERR_MEDIA_TYPE, "Content-Type: application/x-www-form-urlencoded");
}

/* What is wrong with a field is said on the page, above what was typed. */
static enum err show_wrong(struct answering *x)
{
	const char *detail = err_detail(), *wrong = arena_copy(x->request->arena, detail, strlen(detail));

	return wrong != NULL ? show(x->server, x->request, &x->link, wrong, &x->form, x->out) : ERR_NO_MEMORY;
}

/* What the form is about: which answers fit. */
static enum err look_what(const struct server *s, struct http_request *r, const struct answer_link *l,
			  enum answer_to *out)
{
	struct addressee to;
	struct matter m;
	struct help help;
	struct state st;
	enum err e = server_read(s, r, &st);

	if (e != OK)
		return e;
	e = find_matter(&st, l, &m, &to, &help);
	if (e == OK)
		*out = m.kind == KIND_NOTICE ? ANSWER_TO_NOTICE : help.ping ? ANSWER_TO_PING : ANSWER_TO_HELP;
	snapshot_end(st.snapshot);
	return e;
}

static enum http_next post_page(void *context, struct http_request *r, struct http_answer *out)
{
	const struct server *s = context;
	struct answering *x = arena_array(r->arena, 1, sizeof(*x));
	enum answer_to what = ANSWER_TO_NOTICE;
	enum err e = x == NULL ? ERR_NO_MEMORY : OK;

	if (e == OK) {
		*x = (struct answering){ .server = s, .request = r, .out = out };
		x->submission = (struct submission){ .work = answer_work, .done = answer_done, .context = x };
		e = answer_link_read(s->node, r->parts[0], clock_now_ms(), &x->link);
	}
	if (e == OK)
		e = check_type(r);
	if (e == OK)
		e = look_what(s, r, &x->link, &what);
	if (e == OK) {
		e = answer_form_read(r->arena, r->body, what, &x->form);
		if (e == ERR_FIELD || e == ERR_FIELD_MISSING) {
			if ((e = show_wrong(x)) == OK)
				return HTTP_NOW;
		} else if (e == OK && (e = sequencer_offer(s->sequencer, &x->submission)) == OK) {
			return HTTP_LATER;
		}
	}
	answer_error(s, r, e, e == ERR_NOT_FOUND || e == ERR_EXPIRED ? SPAN("") : r->parts[0], out);
	return HTTP_NOW;
}

const struct http_door answer_doors[] = {
	{ HTTP_GET, "/answer/*", 0, DOOR_OPEN, get_page },
	{ HTTP_POST, "/answer/*", ANSWER_FORM_MAX, DOOR_OPEN, post_page },
};
const size_t answer_door_count = sizeof(answer_doors) / sizeof(answer_doors[0]);
