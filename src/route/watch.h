/* A folder watched for reports: what is ready to be read there, and where it goes when it was routed. The essay in watch.c
 * says why no file is lost or taken half. */
#ifndef ROUTE_WATCH_H
#define ROUTE_WATCH_H

#include "route/route.h"

struct watch;

/* A plain folder: files go to FOLDER/done or FOLDER/failed, made if missing, with NAME.reason beside them. A Maildir: its
 * mails of new go to cur, marked as seen (":2,S") and those that failed as flagged too (":2,FS"); the reasons are lines
 * of FOLDER/comity-reasons.jsonl. ERR_NOT_FOUND, ERR_IO, ERR_SYMLINK (done or failed is one). */
enum err watch_open(const char *folder, struct watch **out);
void watch_close(struct watch *w);

#define WATCH_AT_ONCE 4096
#define WATCH_IDLE_MS 60000
#define WATCH_SETTLE_MS 2000 /* a file that nobody was seen to close is ready when it has not changed for so long */

/* What is never read, or not yet; told once. */
struct watch_odd {
	const char *path;
	enum err err; /* ERR_SYMLINK, ERR_FORMAT_UNKNOWN (a pipe or device), ERR_GROWING (left behind), OK: a folder */
};

/* Valid until the next call. */
struct watch_batch {
	char **paths; /* for route_files with files_only */
	size_t count; /* at most WATCH_AT_ONCE */
	struct watch_odd *odd;
	size_t odd_count;
	bool over; /* stop_fd can be read; or, with once, nothing more is ready of what is there */
};

/* Waits until files are ready, or something odd is there to be told, or it is over; at most WATCH_IDLE_MS, then both counts
 * are 0. With once it is not over before what was there had the time to settle. ERR_NOT_FOUND: the folder is gone. */
enum err watch_next(struct watch *w, int stop_fd, bool once, struct watch_batch *out);

enum watch_result {
	WATCH_DONE,
	WATCH_FAILED,
	WATCH_AGAIN, /* it changed meanwhile: it stays, and is ready again when it has settled */
	WATCH_GONE,  /* somebody took it away */
};
const char *watch_result_name(enum watch_result r);

struct watch_settled {
	enum watch_result result;
	enum err why;	      /* of a failed one: the outcome's error, or that of its first row where no row was read */
	const char *detail;   /* "" for OK */
	const char *moved_to; /* NULL: it was not moved. Both valid until the next call. */
};

/* For each report of the batch when the run is committed (route_options.each_report). rejects: where rejected rows of the
 * run are; may be empty. Nothing is ever overwritten: a number goes behind a name that is taken. */
enum err watch_settle(struct watch *w, const struct route_outcome *o, const char *rejects, struct watch_settled *out);

#endif
