/* Reading reports: tables (Shadowserver CSV of any type), lines (IntelMQ and plain JSON, address and block lists) and
 * documents (XARF, IDEA, STIX, IODEF, ARF and other mail).
 *
 * A report is read in chunks of whole rows, so that several threads can parse at once and memory is bounded whatever
 * the size of the file: report_detect looks at the head and gives a layout (immutable, shared by threads);
 * report_boundary says how much of a chunk is whole rows; report_parse turns those into events and rejects. */
#ifndef REPORT_REPORT_H
#define REPORT_REPORT_H

#include "base/arena.h"
#include "report/event.h"

enum format {
	FORMAT_UNKNOWN,
	FORMAT_SHADOWSERVER,
	FORMAT_JSON_LINES,
	FORMAT_LIST,
	FORMAT_XARF,  /* version 3 and 4, JSON */
	FORMAT_IDEA,  /* IDEA0, JSON */
	FORMAT_STIX,  /* bundles of 2.1, JSON */
	FORMAT_IODEF, /* RFC 7970, XML */
	FORMAT_ARF,   /* RFC 5965; comes inside a mail */
	FORMAT_MAIL,  /* RFC 5322, one or an mbox of many: a wrapping, its events are of the formats above */
	FORMAT_HTML,  /* a page with a table of addresses */
	FORMAT_COUNT
};
const char *format_name(enum format f);
enum err format_parse(struct span name, enum format *out); /* what --from takes */
bool format_is_document(enum format f);			   /* rows are documents, each with any number of events */

#define REPORT_HEAD (64 * 1024)	   /* as much of the start as detection wants to see */
#define REPORT_ROW_MAX (64 * 1024) /* without its line end; a longer row is rejected, and so is a quote left open */
#define REPORT_REJECT_MAX 1024	   /* as much of a rejected row is shown */

/* Of a report that is no table, one document is what a row is elsewhere, and may be as long as this. Many events may
 * come of it; what is kept of it for each (event.raw) is one line of JSON, at most REPORT_ROW_MAX long. */
#define REPORT_DOCUMENT_MAX ((size_t)32 << 20)

struct report_options {
	enum format from;      /* FORMAT_UNKNOWN: detect */
	enum rsit_class class; /* CLASS_NONE: what the format says; lists say other/undetermined */
	int64_t date_ms;       /* for rows without a time; 0: what the report's head says */
	int64_t now_ms;	       /* rows later than this plus REPORT_SKEW_MS are refused: ERR_TIME_FUTURE; 0: the clock */
};
#define REPORT_SKEW_MS (10 * 60 * 1000)

struct layout;

/* name: of the file, without folders; it names Shadowserver's type ("2026-11-22-scan_ssh-…csv", "event4_….csv").
 * ERR_EMPTY, ERR_FORMAT_UNKNOWN (binary, or nothing known), ERR_ENCODING (UTF-16; a header that is no UTF-8), ERR_CSV
 * (no usable header), ERR_TIME_FUTURE (the head's own date), ERR_CLASS_CONTENT (options->class). The detail says
 * more. */
enum err report_detect(struct arena *a, struct span name, struct span head, const struct report_options *options,
		       struct layout **out);
enum format layout_format(const struct layout *l);
size_t layout_row_max(const struct layout *l);	   /* REPORT_ROW_MAX, or REPORT_DOCUMENT_MAX */
struct span layout_type(const struct layout *l);   /* "event4_honeypot_brute_force", "list", "intelmq" */
struct span layout_header(const struct layout *l); /* the CSV header line; empty if the format has none */
size_t layout_columns(const struct layout *l);	   /* of a CSV header; 0 if the format has none */
/* Columns (keys) that this version does not know, kept all the same. */
size_t layout_unknown_columns(const struct layout *l);
/* Whether its rows say which port of the source is meant, each in the same place: a row without one is thin. */
bool layout_has_port(const struct layout *l);
/* Rows come of connections in which both sides spoke, where they are TCP: so that the source was not forged. docs/evidence.md lists
 * the types. */
bool layout_spoken(const struct layout *l);
bool layout_type_known(const struct layout *l); /* false: a Shadowserver type without a class of its own */

/* A place between two rows. Or inside one that is longer than REPORT_ROW_MAX: it was rejected where it began, and what
 * is left of it, up to its line end, is passed over. */
struct report_cursor {
	uint64_t offset, line; /* bytes from 0, lines from 1, in the uncompressed report */
	bool inside;
};

/* Where the rows begin: behind the byte order mark, the header line and the comments above it. Inside the head. */
struct report_cursor report_start(const struct layout *l);

/* How many bytes of chunk, which begins at *at, are whole rows; moves *at behind them. last: nothing follows, so the
 * last row may lack its line end and the answer is chunk.len. 0: not one whole row; a chunk of more than
 * layout_row_max(l) bytes never gives 0. However a report is cut into chunks, its rows are the same:
 *
 *	struct report_cursor from = at;
 *	size_t n = report_boundary(l, &at, chunk, last);
 *	report_parse(l, s, (struct span){ chunk.at, n }, &from, sink);
 */
size_t report_boundary(const struct layout *l, struct report_cursor *at, struct span chunk, bool last);

struct report_sink {
	enum err (*event)(void *context, const struct event *e); /* an error stops the parse and is returned */
	enum err (*reject)(void *context, const struct reject *r);
	void *context;
};

/* Parses what report_boundary cut off. One scratch for each thread. Spans in events are valid during the call only. */
struct scratch;
enum err scratch_new(struct scratch **out);
void scratch_free(struct scratch *s);
enum err report_parse(const struct layout *l, struct scratch *s, struct span rows, const struct report_cursor *from,
		      const struct report_sink *sink);

#endif
