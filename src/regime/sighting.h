/* Sightings: how often this node heard of a source, for each addressee and class, and whether it told. A node's own: made
 * from private records of its journal (RECORD_PRIVATE, tag 'S'), kept in the view SIGHTINGS, never published.
 *
 * A line is one addressee, class and source; with the port of the service where a class is about exposed services, and the
 * malware where it is about infections, since another one on the same host is another matter. Counts, first and last do
 * not depend on the order in which events came. */
#ifndef REGIME_SIGHTING_H
#define REGIME_SIGHTING_H

#include "base/buffer.h"
#include "regime/state.h"

#define SIGHTING_MALWARE_MAX 63

struct sighting_line {
	struct address source;
	uint8_t length; /* 0: a single address; else the prefix length of a network */
	uint16_t port;	/* 0: the class does not ask for it, or unknown */
	struct span
		malware; /* empty: likewise. Case makes no difference, nor what follows SIGHTING_MALWARE_MAX bytes */
};

/* Whether lines of this class are told apart by port, by malware. */
bool sighting_by_port(enum rsit_class c);
bool sighting_by_malware(enum rsit_class c);

/* What a batch adds to one line. */
struct sighting_change {
	uint64_t count;		   /* events, at least 1 */
	int64_t first_ms, last_ms; /* of them; 0: none has a time */
	bool told;		   /* they and what was held before went out, or wait to go out */
	bool again;		   /* told because the source was quiet for long and came back */
};

struct sighting {
	uint64_t count;		   /* all events */
	uint64_t held;		   /* of them, those since it was last told */
	uint64_t told;		   /* how often it was told */
	uint64_t again;		   /* of them, how often because it came back */
	int64_t first_ms, last_ms; /* 0: no event had a time */
	int64_t told_ms;	   /* last_ms when it was last told; 0: never */
};

/* The record of a batch is written group by group into an empty buffer, in any order; each line stands in it once. Lines of
 * a group in the order of their addresses are folded a little faster. to: TO_ALL stands for nobody. Sticky errors in the
 * buffer. A batch may have several such records. */
void sightings_group(struct buffer *record, const struct addressee *to, enum rsit_class c, size_t lines);
void sightings_line(struct buffer *record, const struct sighting_line *l, const struct sighting_change *change);

/* ERR_NOT_FOUND: never seen. One snapshot is for one thread at a time. */
enum err sighting_find(const struct state *st, const struct addressee *to, enum rsit_class c,
		       const struct sighting_line *l, struct sighting *out);

/* All lines, in the order of addressee, class, source, port, malware; of one addressee if to is not NULL. Spans end with
 * the snapshot. */
typedef enum err sighting_each(void *context, const struct addressee *to, enum rsit_class c,
			       const struct sighting_line *l, const struct sighting *s);
enum err sightings_walk(const struct state *st, const struct addressee *to, sighting_each *each, void *context);

#endif
