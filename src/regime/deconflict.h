/* Deconfliction: before a takedown, every node is asked whether what is about to be seized is held by one of its parties: a
 * researcher's sinkhole, another team's exercise. Who holds something is named with a contact; nothing else is told, to either side.
 *
 * The asker's list goes out in the sealed body of a `request` (`need deconflict`, `re` the plan), item by item as salted hashes; a
 * node compares them with the terms of the sinkhole plans that its parties filed with it, sealed ones too, and answers with a sealed
 * body that names what it holds by the item's number. So it learns of the list only what it holds already, and what it can guess:
 * a hash of a name is no secret from who suspects that name. The asker learns that somebody holds an item, and whom to call.
 *
 * Each request is logged at both ends. Only who speaks for a country gets more than `objected`, and each asker may ask a
 * node DECONFLICT_PER_DAY times a day: else one could find all sinkholes by asking. */
#ifndef REGIME_DECONFLICT_H
#define REGIME_DECONFLICT_H

#include "regime/state.h"

#define DECONFLICT_ITEMS_MAX 10000
#define DECONFLICT_PER_DAY 10
#define DECONFLICT_WAIT_MS (INT64_C(60) * 60 * 1000) /* who says nothing for so long holds up nobody */
#define DECONFLICT_REQUEST_TYPE "application/vnd.comity.deconflict+json"
#define DECONFLICT_BODY_MAX ((size_t)5 << 20)

/* ---- the asker's list ---- */

/* A domain, address or prefix. Held is an item that lies in what somebody holds (who holds a domain holds the names below it), and
 * one in which something lies that somebody holds. */
struct deconflict_item {
	struct addressee what; /* TO_PARTY: a domain; TO_PREFIX */
};
/* One a line; blank lines and those that begin with # say nothing. In the arena, in order; an item that stands twice stands once.
 * ERR_DOMAIN, ERR_TOO_LONG with the line; ERR_PREFIX: an IPv6 prefix that does not end at a border of four bits. */
enum err deconflict_read_list(struct arena *a, struct span text, struct deconflict_item **out, size_t *count);

/* ---- who was asked ---- */

/* A `request` with `need deconflict`. */
bool deconflict_is_request(const struct statement *s);

struct deconflict_asked {
	struct hash request;
	struct span node;	       /* in st->arena */
	int64_t asked_ms, answered_ms; /* 0: not yet */
	enum outcome outcome;	       /* if answered; objected: this node is told nothing there */
};
/* Of a plan, and of the sealed filing or version before it. ERR_MATTER_UNKNOWN. */
enum err deconflict_asked(const struct state *st, struct hash plan, struct deconflict_asked **out, size_t *count);
/* Whether every node that is known and can be reached was asked, and has answered or had DECONFLICT_WAIT_MS for it.
 * ERR_DECONFLICTION names the first that was not, or did not. */
enum err deconflict_ready(const struct state *st, struct hash plan, int64_t now_ms);
/* Requests to this node that it has not answered. */
enum err deconflicts_waiting(const struct state *st, matter_each *each, void *context);

/* ---- bodies ---- */

#define DECONFLICT_SALT_SIZE 32
#define DECONFLICT_MARK_SIZE 16

/* What a request asks, item by item: marks of the item itself and of all that is around it, the narrowest first. */
struct deconflict_question {
	const uint8_t *salt;
	struct hash list; /* of the salted list, so that an answer's numbers are never read against another one */
	struct deconflict_marks {
		const uint8_t *at;
		size_t count;
	} * items;
	size_t count;
};
enum err deconflict_question_print(const struct deconflict_item *items, size_t count,
				   const uint8_t salt[DECONFLICT_SALT_SIZE], struct buffer *out);
enum err deconflict_question_read(struct arena *a, struct span body, struct deconflict_question *out);
/* Whether this list is the one that was asked. */
bool deconflict_is_list(const struct deconflict_question *q, const struct deconflict_item *items, size_t count);

/* What one node holds. */
struct deconflict_held {
	size_t item; /* its number in the list, from 0 */
	struct span party, contact;
};
enum err deconflict_answer_print(const struct deconflict_held *held, size_t count, struct buffer *out);
/* items: how many were asked. ERR_SYNTAX: not such an answer. */
enum err deconflict_answer_read(struct arena *a, struct span body, size_t items, struct deconflict_held **out,
				size_t *count);

/* ---- comparing ---- */

/* One thing that a party here holds. */
struct deconflict_holding {
	struct deconflict_item item;
	struct span party, contact;
};
/* Of each item that is asked the narrowest holding around it, else one within it; in the order of the items, in the arena.
 * ERR_NO_MEMORY. */
enum err deconflict_compare(struct arena *a, const struct deconflict_question *q,
			    const struct deconflict_holding *holdings, size_t holding_count,
			    struct deconflict_held **out, size_t *count);

#endif
