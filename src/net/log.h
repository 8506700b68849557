/* What the server says while it runs: one line each on standard error, `name=value` for people and programs or one JSON object.
 * Bytes of outsiders cannot end a line or steer a terminal. Lines are written by a thread of their own, so that nobody waits
 * for a reader of the log; who cannot be written in time is counted and left out, events never. One log in a process. */
#ifndef NET_LOG_H
#define NET_LOG_H

#include "base/span.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO };

enum err log_begin(bool json);
void log_form(bool json); /* from now on */
void log_end(void);	  /* all is written. Without a beginning nothing happens */

/* An event: `text` says what, err_code and particulars say why. */
void log_event(enum log_level level, const char *text);
void log_error(enum log_level level, const char *text, enum err e, const char *detail);

/* One line for each answer. Never the query, never a header: they may hold secrets. */
struct log_request {
	const char *method;
	struct span path, peer, party, tool;
	unsigned status;
	uint64_t bytes, micros;
	bool secure;
};
void log_request(const struct log_request *r);

/* Without the thread: as a line is written. For tests too. */
struct buffer;
struct log_line {
	int64_t now_ms;
	enum log_level level;
	const char *event;
	enum err err; /* OK: none */
	const char *detail;
	const struct log_request *request; /* NULL: none */
};
void log_print(const struct log_line *l, bool json, struct buffer *out);

#endif
