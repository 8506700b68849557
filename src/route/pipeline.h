/* What the stages of one routing share. Only for this room; the essay is in route.c. */
#ifndef ROUTE_PIPELINE_H
#define ROUTE_PIPELINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "report/input.h"
#include "route/names.h"
#include "route/route.h"
#include "route/runs.h"

/* How much is held at once. Tests make these small. */
struct route_limits {
	size_t chunk;	 /* of a report, read and parsed at once by a thread */
	size_t run;	 /* rows and entries that a thread gathers before it sorts them */
	size_t resident; /* of sorted runs that stay in memory */
	size_t batch;	 /* of rows that are committed at once; also the most in one notice */
};
struct route_limits route_limits_for(unsigned threads);
enum err route_files_within(const struct route_limits *limits, struct node *n, const struct resolver *r,
			    const struct plans *p, char *const *paths, size_t count,
			    const struct route_options *options, route_progress *progress, route_each *each,
			    void *context, struct route_summary *out);

/* Rows of one format, type and header stand in one table of a notice. */
struct section {
	struct span format, type, header;
	struct hash fingerprint; /* of these and of what the options change in the meaning of a row */
	bool quoted;		 /* CSV: a row may hold line ends inside quotes */
	bool has_port;		 /* layout_has_port */
	bool spoken;		 /* layout_spoken */
	bool told;		 /* columns_tell went by */
};

struct source {
	const char *path;
	bool file_only;	     /* by input_open_file */
	struct input *input; /* NULL: to be opened again */
	struct layout *layout;
	uint16_t section;
	char *head; /* read for the detection, not yet parsed; NULL: to be read again */
	size_t head_len;
	uint64_t size;
	enum err err; /* why it is not read, or not to its end */
	char *detail; /* of err; malloc */
	atomic_ullong events, rejected;
	enum err first_reject; /* of the earliest chunk that has one */
	uint64_t first_reject_chunk;
};

/* The first failure of any thread; all others stop when they see it. */
struct failure {
	pthread_mutex_t lock;
	atomic_bool stop;
	enum err err;
	char detail[512];
};
void failure_set(struct failure *f, enum err e); /* with this thread's err_detail(); OK is fine */

#define COUNTRY_CODES ROUTE_COUNTRIES /* 0 unknown, then 26 * 26 */

struct routing {
	struct node *node;
	const struct resolver *resolver;
	const struct plans *plans; /* NULL: there are none; then no verdicts either */
	struct verdicts *verdicts;
	const struct table *table;
	const struct route_options *options;
	struct route_limits limits;
	unsigned threads;
	route_progress *progress;
	route_each *each;
	void *context;
	struct arena *arena; /* of the calling thread */
	struct source *sources;
	size_t source_count;
	struct section *sections;
	size_t section_count;
	uint16_t document_sections[FORMAT_COUNT]; /* of what mails carry */
	uint16_t *countries;			  /* of each class of the table */
	struct span *table_lines;		  /* what a notice says of each table: its name and date */
	size_t table_line_count;
	const struct signer *signer;	 /* NULL on a dry run */
	uint16_t *country_of_addressee;	 /* COUNTRY_LOOK_UP: its addresses differ */
	struct recognition *recognition; /* NULL: everyone takes everything */
	bool marks_before;		 /* the node knew marks before this run */
	bool sightings_before;		 /* and sources */
	struct runs *runs;
	struct names *names; /* of malware */
	struct failure failure;
	struct route_summary *out;
	uint64_t country_events[COUNTRY_CODES];
	uint64_t bytes_total; /* of all reports as they lie there; 0 unknown */
	char folder[256];     /* for rows that wait */
};

#define COUNTRY_LOOK_UP UINT16_MAX
uint16_t country_code(const char country[3]);
void country_text(uint16_t code, char out[3]);

/* The notice that a row belongs to, as a number: addressees in order, under each its classes. */
static inline uint64_t notice_number(uint32_t addressee, enum rsit_class c)
{
	return (uint64_t)addressee * CLASS_COUNT + (uint64_t)c;
}

/* Opens all sources and finds out their layouts. Fails early, naming the file. */
enum err sources_open(struct routing *r, char *const *paths, size_t count);
void sources_close(struct routing *r);
enum err source_take_up(struct source *s); /* open, with its head */
void source_put_down(struct source *s);

/* Whether a report that fails so is set aside (source_fail) and the run goes on. */
bool source_may_fail(const struct routing *r, enum err e);
void source_fail(struct source *s, enum err e); /* with this thread's err_detail() */
enum err sources_tell(struct routing *r);	/* each_report, or the first failure */

/* Reads, parses and resolves everything into r->runs, with r->threads threads; counts events and rejects. A report that
 * is damaged in its middle ends there and the others go on. */
enum err intake(struct routing *r, const char *rejects);

/* The rejects file: rows in the order of the reports, though chunks end in any order. */
struct rejects;
struct reject_list { /* of one chunk, as lines of JSON */
	struct buffer lines;
	size_t count;
};
void reject_list_add(struct reject_list *l, const char *path, const struct reject *r);
/* path NULL: none is kept, only counted. sealed: at the end a part of its sum goes into its name. */
enum err rejects_new(const char *path, bool sealed, struct rejects **out);
/* Chunks are numbered from 0 over all reports. The list is empty afterwards. Any thread. */
enum err rejects_chunk(struct rejects *r, uint64_t chunk, struct reject_list *l);
bool rejects_behind(struct rejects *r, uint64_t chunk); /* too many chunks before this one are not in yet */
/* All there, on disk; frees. NULL is fine. */
enum err rejects_end(struct rejects *r, struct route_summary *out);

/* Compares the headers with those last seen, keeps the new ones, tells what changed (columns.c). */
enum err columns_tell(struct routing *r, int64_t now_ms);

/* Batch by batch: duplicates out, notices made by the threads, committed by the calling thread. */
enum err deliver(struct routing *r, int64_t date_ms);

#endif
