/* What the files of the history share. */
#ifndef BENCH_HISTORY_SCRIPT_H
#define BENCH_HISTORY_SCRIPT_H

#include "history.h"
#include "regime/sequencer.h"

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS HISTORY_DAY_MS
#define NOBODY UINT32_MAX

struct member {
	char name[40];
	const char *role;
	uint32_t number;
	struct signer *key, *next; /* next: announced, or vouched for */
	unsigned keys;		   /* that it had */
	struct hash statement;	   /* the present one */
};

/* What was filed, and may be spoken of later. */
struct made {
	uint32_t from, to, about; /* members; about: of what was filed before, or NOBODY */
	uint32_t number;
	int64_t first_ms, last_ms;
	const char *word;
	struct hash id;
	bool done; /* it stands in the ledger */
	bool flag;
};

struct history;
struct action;
typedef void history_act(struct history *h, const struct action *a);
struct action {
	int64_t ms;
	uint32_t order, made;
	history_act *act;
	uint32_t who;	  /* a member, where it is none of made's */
	uint32_t which;	  /* as the act likes */
	const char *word; /* likewise */
};

struct history {
	struct history_size size;
	const struct history_way *way;
	struct history_count *count;
	struct node *node;
	struct sequencer *sequencer;
	struct arena *arena;
	struct statement_writer writer;
	struct buffer note;
	uint64_t drawn, said, in_batch;
	int64_t now_ms, reached_ms;
	struct member *members; /* the last is the node */
	struct made *made;
	size_t made_count, made_room;
	struct action *actions;
	size_t action_count, action_room;
};

/* ---- history.c ---- */

void history_need(enum err e); /* or the program ends */
uint64_t draw(struct history *h, uint64_t below);
bool chance(struct history *h, unsigned percent);
/* Some are quick, some slow. */
int64_t a_while(struct history *h, uint32_t member, int64_t most_ms);
int64_t some_time(struct history *h); /* of the whole history */
uint32_t history_make(struct history *h, struct made m);
/* What comes after the end never comes. */
void history_then(struct history *h, int64_t ms, history_act *act, uint32_t made, uint32_t who, uint32_t which,
		  const char *word);

static inline struct member *member(const struct history *h, uint32_t i)
{
	return &h->members[i];
}
static inline uint32_t node_of(const struct history *h)
{
	return h->size.parties;
}
struct span name_of(const struct history *h, uint32_t member);
struct signer *history_signer(const char *name, unsigned number);
void add_public_key(struct statement_writer *w, const struct signer *key);

/* A statement of that member, begun with its date. There is one writer. */
struct statement_writer *history_write(struct history *h, enum kind k, enum ledger_id l, uint32_t from);
/* Ended, signed and logged. body: at NULL if it has none of its own; of a public one the reference is added here. *id: 0 if it was
 * refused. */
bool history_say(struct history *h, enum kind k, uint32_t from, struct hash *id);
bool history_say_with(struct history *h, enum kind k, uint32_t from, const char *media_type, struct span body,
		      struct hash *id);
/* An answer to made by that member, and what else stands in it may be added before history_say. */
struct statement_writer *history_answer(struct history *h, enum ledger_id l, uint32_t from, struct hash re,
					const char *outcome);
/* An act: its author withdraws what was made, in the ledger that is `which`. */
void history_take_back(struct history *h, const struct action *a);

/* ---- the stories ---- */

/* history_parties.c: who is there, and proves it. */
void script_parties(struct history *h);
/* history_matters.c */
void script_notice(struct history *h);
void script_plan(struct history *h);
void script_controls(struct history *h);
void script_shares(struct history *h);
/* history_promises.c */
void script_promises(struct history *h);
void script_help(struct history *h);
/* history_certificates.c */
void script_certificate(struct history *h);
void script_canaries(struct history *h);
/* Two who deal with each other: partners in an agreement. */
void history_pair(struct history *h, uint32_t *a, uint32_t *b);

#endif
