/* Inside of the mailer only: what a notice says in words, and the look at its rows that this takes. */
#ifndef MAIL_MAIL_TEXT_H
#define MAIL_MAIL_TEXT_H

#include "mail/mailer.h"
#include "route/evidence.h"

#define MAIL_ROWS_SHOWN 20
#define MAIL_EVIDENCE_MAX ((size_t)1 << 30) /* unpacked: as much is looked at */
struct mail_row {
	struct event event; /* its raw is left out: nothing that others wrote */
	char type[32];	    /* of the report */
};
struct mail_rows {
	uint64_t events, hosts; /* hosts 0: more than were counted */
	int64_t first_ms, last_ms;
	struct mail_row shown[MAIL_ROWS_SHOWN];
	size_t shown_count;
};
enum err mail_rows_read(struct arena *a, struct span body, struct mail_rows *out);

/* Of the files that come with the text. */
struct mail_files {
	size_t xarf;	/* parts */
	bool csv, gzip; /* rows.csv, rows.csv.gz; neither: too large */
};

/* One line, ASCII. encrypted: what is outside of the encryption. */
void mail_subject(const struct mail_notice *m, const struct mail_rows *r, bool encrypted, struct buffer *out);
/* Lines of at most 76 characters where words allow it. title: of the node; vkey: of who signed the notice. */
void mail_text(const struct mail_notice *m, const struct mail_rows *r, const struct mail_files *files,
	       struct span title, struct span vkey, struct buffer *out);

/* What a request for help, or a ping, says instead (mail_help.c). */
void mail_help_subject(const struct mail_notice *m, bool encrypted, struct buffer *out);
void mail_help_text(const struct mail_notice *m, struct span title, struct span vkey, struct buffer *out);

/* ---- for both ---- */

/* Wrapped between words; lines but the first are indented. No control characters, whatever it says. */
void mail_wrapped(struct buffer *out, struct span text, const char *indent);
void mail_minute(int64_t ms, char out[CLOCK_TEXT]); /* "2026-11-22 20:45" */
const char *mail_file(const struct mail_notice *m); /* the note's, attached */
void mail_checking(const struct mail_notice *m, struct span vkey, struct buffer *out);

#endif
