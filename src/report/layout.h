/* Inside this room only: what detection found out about a report, and what the readers of the formats share. */
#ifndef REPORT_LAYOUT_H
#define REPORT_LAYOUT_H

#include "base/buffer.h"
#include "report/csv.h"
#include "report/report.h"

/* Columns of a CSV report by what they mean; -1: the report has no such column. */
struct columns {
	int time, source, source_port, target, target_port, protocol;
	int time_else;	/* counts where time is empty; lists only */
	int malware[2]; /* the second counts where the first is empty */
};

enum list_style {
	LIST_PLAIN, /* an address, a CIDR or a range, then whatever */
	LIST_BLOCK, /* DShield: start, end, prefix length, … between tabs */
	LIST_PIPES, /* DataPlane: asn | name | address | last seen | category */
	LIST_CERT,  /* Spamhaus CERT: address, ASn, country, Unix time, name, domain, remote address and port, … */
	LIST_NAMED, /* comma-separated, the columns named by a line above (Feodo Tracker) */
};

/* How rows stand in the text. */
enum framing {
	FRAME_CSV,   /* rows of CSV */
	FRAME_LINES, /* a row or a document a line */
	FRAME_JSON, /* JSON values one behind the other, or the elements of one array, over as many lines as they like */
	FRAME_MBOX,  /* mails, each behind a "From " line (RFC 4155) */
	FRAME_WHOLE, /* the report is one document */
};

struct layout {
	enum format format;
	enum framing framing;
	struct span type, header;
	bool type_known;
	enum rsit_class class; /* of rows that name none */
	bool class_given;      /* by the operator: then whatever rows name */
	int64_t date_ms;       /* of rows without a time; 0: none */
	int64_t latest_ms;
	size_t row_max; /* REPORT_ROW_MAX or REPORT_DOCUMENT_MAX; tests make it small */
	size_t skip;
	uint64_t skip_lines;
	size_t field_count, unknown_columns;
	struct columns columns;
	const char *source_name, *port_name; /* of columns, for rejects */
	enum list_style style;
};

/* Keys of JSON objects find their meaning through this; 0: free, else one more than the key's number in the table. */
#define KEY_SLOTS 256

#define JSON_POOL (REPORT_ROW_MAX * 14) /* yyjson needs at most 13 times the text and a little */

struct scratch {
	struct csv csv;
	char time[19]; /* the last row's, as text and as value: most rows of a report share theirs */
	int64_t time_ms;
	char class_name[64]; /* the last row's, likewise */
	size_t class_name_length;
	enum rsit_class class;
	uint8_t keys[KEY_SLOTS];
	char pool[JSON_POOL];
	struct arena *arena; /* of the document in hand: reset before each */
	bool large;	     /* that document was one */
	struct buffer raw;   /* of the event in hand, where it is not the row itself */
};

/* One call of report_parse. */
struct parse {
	const struct layout *layout;
	struct scratch *scratch;
	const struct report_sink *sink;
	struct span rows;
	uint64_t offset, line; /* of rows.at */
	bool clean;	       /* neither NUL nor anything beyond ASCII in rows: no row needs a look */
};

/* A row's place within rows. */
struct place {
	size_t offset;
	uint64_t line; /* line ends before it */
	struct span raw;
};

enum err shadowserver_parse(struct parse *p);
enum err jsonl_parse(struct parse *p);
enum err list_parse(struct parse *p);

/* Documents. Each of these takes one, at most layout->row_max bytes, and gives its events and rejects; what is wrong
 * with it is a reject, never an error. A mail calls the others for what it carries. */
enum err xarf_row(const struct parse *p, const struct place *at);
enum err idea_row(const struct parse *p, const struct place *at);
enum err stix_row(const struct parse *p, const struct place *at);
enum err iodef_row(const struct parse *p, const struct place *at);
enum err mail_row(const struct parse *p, const struct place *at);
enum err html_row(const struct parse *p, const struct place *at);
/* Moves *at to the next document of text, by the layout's framing (at first *at is { 0, 0, empty }); false: no more.
 * *why: OK, or ERR_TOO_LONG for the start of one that is longer than row_max. */
bool frame_next(const struct layout *l, struct span text, struct place *at, enum err *why);
/* report_boundary's part for the framings of documents: as csv_boundary where more is to come. */
size_t frame_boundary(const struct layout *l, struct span chunk, bool *inside);
/* How much of text, which begins inside a row that was too long, is passed over: up to the next line that a row can
 * begin with. *ended false: all of it, or all but what may be the start of such a line. */
size_t frame_rest(const struct layout *l, struct span text, bool *ended);
/* How long a document may be: row_max, or so much less that one sees whether the next begins behind it. */
size_t frame_limit(const struct layout *l);
/* FRAME_LINES or FRAME_JSON, by the lines of the head. */
enum framing frame_of_json(struct span head);
/* Where the string ends that goes on at `at`: its closing quote, a byte that may not stand in it, or text.len. */
size_t json_string_end(struct span text, size_t at);

/* As parse_event, for events whose raw is not the row: p->scratch->raw, or any text that lives as long as the call. */
enum err parse_event_as(const struct parse *p, const struct place *at, struct event *e, struct span raw);

/* Which format a JSON document is of, by its first object's keys; what is cut off at the end of text does no harm.
 * FORMAT_UNKNOWN: none of those that come as documents. */
enum format json_document(struct span text);
bool iodef_is(struct span text);		       /* by the root element */
bool html_is(struct span text);			       /* a page with a table */
bool mail_is(struct span text, enum framing *framing); /* header lines, or a "From " line before them */

/* Fills columns, class and type from the header line, the first row of text. ERR_CSV, ERR_ENCODING. */
enum err shadowserver_detect(struct arena *a, struct span name, struct span text, struct layout *l);
bool shadowserver_header(struct span text); /* the first line has a column "timestamp" */
/* Style, header line, date. false: none of the first rows is one of a list. */
bool list_detect(struct span text, bool whole, struct layout *l);
/* Tables of lists and of pages: columns by their names, and what a row says. *seen: at NULL where no time stands.
 * ERR_ADDRESS, ERR_NUMBER (the port). */
void list_columns_clear(struct columns *c);
void list_column_name(struct columns *c, struct span name, int number);
enum err list_row_read(const struct columns *c, const struct span *fields, int n, struct event *e, struct span *seen);
/* Type. false: none of the first lines is a JSON object with an address under a key that we know. */
bool jsonl_detect(struct scratch *s, struct span text, struct layout *l);
void jsonl_prepare(struct scratch *s);
#define DETECT_ROWS 20 /* as many are looked at */

/* Our own table. NULL: not known. */
enum report_role {
	ROLE_SOURCE, /* src_ip, else ip */
	ROLE_TARGET, /* dst_ip: the report goes to whom the attack hits */
	ROLE_REFERER /* http_referer_ip, else src_ip */
};
struct report_type {
	const char *name;
	enum rsit_class class;
	enum report_role role;
	const char *telltale; /* two columns that only this type has together; NULL: none known */
};
const struct report_type *report_type_find(struct span name); /* "scan6_ssh" finds "scan_ssh" */
const struct report_type *report_type_at(size_t i);	      /* NULL behind the last */
/* The honeypot, the sinkhole or the scanner that made the report spoke with the source, where it did so by TCP. */
bool report_type_spoken(struct span name);
bool report_column_known(struct span name);

/* Calls the sink. Every event has passed the checks below. */
enum err parse_event(const struct parse *p, const struct place *at, struct event *e);
enum err parse_reject(const struct parse *p, const struct place *at, enum err why, const char *field);
/* ERR_ENCODING: a NUL, or no UTF-8. */
enum err parse_encoding(const struct parse *p, struct span raw);

/* ERR_ADDRESS_SPECIAL. */
enum err source_check(const struct address *a);
void source_set(struct event *e, struct prefix p); /* a prefix of full length is an address */
/* ERR_TIME (before 2000), ERR_TIME_FUTURE. */
enum err time_check(const struct layout *l, int64_t ms);
enum err port_parse(struct span s, uint16_t *out); /* empty: 0. ERR_NUMBER */
uint8_t transport_parse(struct span s);
enum err time_parse_any(struct span s, int64_t *ms); /* RFC 3339, plain UTC, epoch seconds. ERR_TIME */

/* Lines of formats whose rows are lines. */
struct lines {
	struct span text;
	size_t at, row_max;
	uint64_t count; /* line ends passed */
};
/* The next line, without its end; false at the end of the text. */
bool lines_next(struct lines *l, struct place *out);
size_t lines_boundary(struct span chunk, size_t row_max, bool *inside);

#endif
