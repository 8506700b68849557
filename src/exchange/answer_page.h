/* The page behind the link of a mail, as HTML: what was seen, who asks and why, by when, and a form to answer with. Made of what
 * its view says and nothing else. No script, nothing from elsewhere. Only for this room. */
#ifndef EXCHANGE_ANSWER_PAGE_H
#define EXCHANGE_ANSWER_PAGE_H

#include "exchange/answer_form.h"
#include "regime/state.h"
#include "regime/vocabulary.h"

#define ANSWER_PAGE_MAX ((size_t)20000) /* bytes of a page */
#define ANSWER_ROWS 50			/* of the evidence, that are shown */

/* What came of the evidence. */
enum answer_evidence {
	ANSWER_EVIDENCE_SHOWN,
	ANSWER_EVIDENCE_ERASED,
	ANSWER_EVIDENCE_ELSEWHERE /* too much for a page, or no table */
};

enum answer_said {
	ANSWER_SAID_NOTHING,
	ANSWER_SAID_RECORDED, /* the answer that was just sent */
	ANSWER_SAID_BEFORE    /* it was there already: it counts once */
};

struct answer_view {
	struct span node, title, contact; /* this node; its title and its contact may be empty */
	struct span token;		  /* the form's target */
	int64_t until_ms, now_ms;
	const struct matter *m;
	const struct statement *s; /* the notice, or the request */
	struct addressee to;	   /* for whom the link is */
	bool copy;		   /* who reads it is no addressee, only in copy: there is nothing to answer */
	struct span author_title;  /* of who filed it, may be empty */
	struct span before_to;	   /* of a notice that follows on another: whom that was for; may be empty */
	enum answer_evidence evidence;
	struct span rows;  /* <tr>… : answer_row for each */
	struct span plain; /* the rows as they were reported, not yet escaped; may be empty */
	uint64_t row_count;
	enum answer_said said;
	const char *wrong;		/* a sentence about the form, to be put right; NULL: nothing */
	const struct answer_form *form; /* what was typed; NULL: nothing yet */
};
/* One row of the evidence. */
struct event;
void answer_row(struct buffer *out, const struct event *e, bool explained);
void answer_page(const struct answer_view *v, struct buffer *out);

/* Whether the matter still takes answers by its link: it is not over, and there are not more than any honest one has. */
#define ANSWERS_MOST 64
bool answer_open(const struct matter *m);

/* The same for a request for help, or a ping (answer_help.c). */
struct help;
void answer_help_page(const struct answer_view *v, const struct help *h, struct buffer *out);

/* ---- what pages are made of ---- */

void page_begin(struct buffer *out, struct span node, const char *title);
void page_end(struct buffer *out);
void page_time(struct buffer *out, int64_t ms); /* "2026-11-22 20:45 UTC", and for machines in full */
void page_addressee(struct buffer *out, const struct addressee *to);
void page_where_to_ask(const struct answer_view *v, struct buffer *out);
void page_wrong(const struct answer_view *v, struct buffer *out);
const char *page_outcome(enum outcome o); /* "working on it" */

/* ---- others ---- */

/* A page that says one thing: `what` as its heading, then a paragraph, and where to ask. back: a link to the page of this token;
 * empty: none. */
void answer_note(const struct answer_view *v, const char *what, const char *text, struct span back, struct buffer *out);

/* For the header Content-Security-Policy: lets this page's own style through, and its form to this node. */
enum err answer_policy(struct arena *a, struct span *out);

#endif
