/* Reports in, notices out: check, resolve, match plans, classify, drop what was already counted, one notice for each
 * addressee and class. The essay in route.c says how memory stays bounded and how every event counts exactly once. */
#ifndef ROUTE_ROUTE_H
#define ROUTE_ROUTE_H

#include "regime/node.h"
#include "regime/plan.h"
#include "report/drift.h"
#include "report/report.h"
#include "territory/resolve.h"

/* What became of one report of a run. */
struct route_outcome {
	size_t report; /* its number among the paths */
	const char *path;
	enum err err;	    /* OK: read to its end. Else why it was not read, or where it ended before its time */
	const char *detail; /* "" for OK */
	uint64_t events, rejected;
	enum err first_reject; /* of its first rejected row; OK: none */
};
typedef enum err route_each_report(void *context, const struct route_outcome *o);

/* The columns of one type of report of a run: told if some are not known, or the header is not that of the last time. */
struct route_columns {
	struct span format, type;
	size_t count;	/* 0: its rows have keys of their own */
	size_t unknown; /* not known to this version: kept with the rows, and nothing else */
	bool changed;
	struct drift drift; /* if it changed */
	int64_t since_ms;   /* when the header came up that was the last until now */
};
typedef enum err route_each_columns(void *context, const struct route_columns *c);

struct route_options {
	struct report_options report;
	bool dry_run;	    /* everything but writing */
	bool demonstration; /* notices are marked as such */
	bool files_only;    /* a path that is a link or no regular file is not read: ERR_SYMLINK, ERR_FORMAT_UNKNOWN */
	unsigned threads;   /* 0: as many as there are processors, at most 8 */
	/* Called for each report in order when all is committed. If it is set, a report that cannot be read does not
	 * stop the others; if it is NULL, the first that cannot be opened or understood ends the run at its start. */
	route_each_report *each_report;
	route_each_columns *each_columns; /* called when all is committed; may be NULL */
	const char
		*rejects; /* path of the rejects file; NULL: DIR/rejects/<time>.jsonl, made only if a row is rejected */
};

/* Counted events by the country of registration of the source address, whoever the addressee is. */
struct route_country {
	char country[3]; /* "" unknown */
	uint64_t events;
};
#define ROUTE_COUNTRIES 677 /* AA to ZZ and unknown */

struct route_summary {
	uint64_t events, rejected;
	uint64_t verdicts[PLAN_VERDICT_COUNT]; /* how they stand to plans; every event that is no duplicate is in one */
	/* Every event of the run is in one of these, and every row in one of them or rejected. */
	uint64_t duplicates; /* counted before, or twice in the run */
	uint64_t told;	     /* in notices */
	uint64_t held;	     /* repeats: counted, not sent */
	uint64_t waiting;    /* for their addressee's next round */
	uint64_t thin;	     /* without a time, or a port where it matters: listed with what nobody answers for */
	uint64_t unanswered; /* nobody answers for them */
	uint64_t again;	     /* sources that came back after they were quiet */
	uint64_t released;   /* events that waited before and went out */
	uint64_t notices, addressees;
	uint64_t bytes;
	double seconds;
	char rejects[256];	   /* path of the rejects file; "" if there is none */
	char unanswered_list[256]; /* path of the list of rows that nobody can be sent; "" if there is none */
	struct route_country countries[ROUTE_COUNTRIES]; /* those with events, in no order */
	size_t country_count;
};

/* A rejects file of the node's own is named TIME-SUM.jsonl when it is done: where the sum's digits stand in its path, the
 * first of the SHA-256 of what it holds. False: not such a file. */
bool route_rejects_sum(const char *path, struct span *sum);

/* Called now and then from the calling thread. */
typedef void route_progress(void *context, uint64_t bytes_done, uint64_t bytes_total, uint64_t events);

/* What goes out, one call for each notice (also on a dry run). */
struct route_notice {
	struct resolved to;
	struct span holder;
	enum rsit_class class;
	uint64_t events, explained, repeats, again;
	struct hash id; /* all zero on a dry run */
};
typedef enum err route_each(void *context, const struct route_notice *n);

/* Routes the files as one run. The node is open for writing (for reading suffices on a dry run). On an error, what was
 * committed stays: routing the same files again counts the rest. The detail names file and place. A report that is damaged
 * or cut off in its middle, unpacks to too much or grows while it is read counts up to there; the others go on, and
 * without options->each_report the first such error is returned at the end. */
enum err route_files(struct node *n, const struct resolver *r, const struct plans *p, char *const *paths, size_t count,
		     const struct route_options *options, route_progress *progress, route_each *each, void *context,
		     struct route_summary *out);

#endif
