#include "regime/suspension.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "regime/agreement_private.h"
#include "regime/mirror.h"
#include "regime/party_keys.h"

/*
 * What is remembered
 *
 * Suspensions are few, agreements many: of each mirror only the suspended terms are kept, one row each. So a door asks this
 * node's state, which is one look at an index, and a short list. The list is made anew by whoever asks first when it is too old,
 * mirror by mirror; the others wait for that once in five seconds at most.
 *
 * A node that is followed writes its own ledgers, and may put a party's name to a key of its own making. So what a mirror says
 * of two counts only while this node knows one of them at least, and every key by which the mirror knows them.
 */

#define NAME_SIZE 254
#define SCRATCH_MAX ((size_t)64 << 20)

struct row {
	char node[NAME_SIZE]; /* whose mirror says so */
	char party[2][NAME_SIZE];
	char term[TERM_NAME_MAX + 1];
	enum gives gives;
	struct hash agreement;
	int64_t until_ms; /* the agreement's end, which its depositary need not live to log */
	bool is_new;
};

struct suspensions {
	pthread_mutex_t lock;
	char *dir;
	struct arena *scratch;
	int64_t read_us; /* when the list was made; 0: never */
	struct row *rows;
	size_t count, room;
	char reading[NAME_SIZE]; /* the mirror in hand */
	const struct state *own, *theirs;
};

enum err suspensions_new(const char *dir, struct suspensions **out)
{
	struct suspensions *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&s->lock, NULL);
	s->dir = strdup(dir);
	s->scratch = arena_new(SCRATCH_MAX);
	if (s->dir == NULL || s->scratch == NULL) {
		suspensions_free(s);
		return ERR_NO_MEMORY;
	}
	*out = s;
	return OK;
}

void suspensions_free(struct suspensions *s)
{
	if (s == NULL)
		return;
	pthread_mutex_destroy(&s->lock);
	arena_free(s->scratch);
	free(s->rows);
	free(s->dir);
	free(s);
}

/* ---- the list ---- */

static bool put_name(char out[NAME_SIZE], struct span name)
{
	if (name.len >= NAME_SIZE)
		return false;
	memcpy(out, name.at, name.len);
	out[name.len] = '\0';
	return true;
}

static enum err add_row(struct suspensions *s, const struct agreement *a, const struct term *t)
{
	struct row r = { .gives = t->gives, .agreement = a->id, .until_ms = agreement_last_ms(a), .is_new = true };

	if (s->count == s->room) {
		size_t room = s->room == 0 ? 16 : 2 * s->room;
		struct row *more = reallocarray(s->rows, room, sizeof(*more));

		if (more == NULL)
			return ERR_NO_MEMORY;
		s->rows = more;
		s->room = room;
	}
	memcpy(r.node, s->reading, sizeof(r.node));
	if (!put_name(r.party[0], a->party[0]) || !put_name(r.party[1], a->party[1]) || t->name.len > TERM_NAME_MAX)
		return OK; /* no such names pass the door */
	memcpy(r.term, t->name.at, t->name.len);
	s->rows[s->count++] = r;
	return OK;
}

struct comparing {
	const struct state *own;
	struct span party;
};

static enum err find_key(void *context, const struct key_record *r)
{
	const struct comparing *c = context;
	struct key_record known;

	return keys_find(c->own, c->party, r->key.fingerprint, &known);
}

enum err suspension_is_theirs(const struct state *own, const struct state *theirs, const struct agreement *a, bool *yes)
{
	*yes = false;
	for (unsigned side = 0; side < 2; side++) {
		struct comparing c = { own, a->party[side] };
		struct party p;
		enum err e = party_get(own, c.party, &p);

		if (e == ERR_PARTY_UNKNOWN)
			continue;
		if (e == OK)
			e = keys_walk(theirs, c.party, find_key, &c);
		*yes = e == OK;
		if (e != OK)
			return e == ERR_NOT_FOUND ? OK : e;
	}
	return OK;
}

static enum err look_at_agreement(void *context, const struct agreement *a)
{
	struct suspensions *s = context;
	bool asked = false, yes = false;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < a->term_count && a->phase == AGREEMENT_IN_FORCE; i++) {
		if (a->terms[i].term.gives == GIVES_NOTHING || course_flows(&a->terms[i].course))
			continue;
		if (!asked)
			e = suspension_is_theirs(s->own, s->theirs, a, &yes);
		asked = true;
		if (e == OK && yes)
			e = add_row(s, a, &a->terms[i].term);
	}
	arena_reset(s->scratch); /* rows are copies, and agreements may be many and long */
	return e;
}

/* Takes out what this mirror said before (is_new false), or what it says now. */
static void drop_rows(struct suspensions *s, bool is_new)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->count; i++)
		if (s->rows[i].is_new != is_new || strcmp(s->rows[i].node, s->reading) != 0)
			s->rows[kept++] = s->rows[i];
	s->count = kept;
}

static enum err read_mirror(void *context, const char *dir, struct span node)
{
	struct suspensions *s = context;
	struct mirror *m = NULL;
	struct state st;
	enum err e;

	if (!put_name(s->reading, node))
		return OK;
	if (mirror_forks(dir) > 0) {
		drop_rows(s, false); /* nobody knows which of its histories is true */
		return OK;
	}
	e = mirror_open(dir, node, false, &m);
	if (e == OK && (e = mirror_read(m, s->scratch, &st)) == OK) {
		s->theirs = &st;
		e = state_agreements(&st, SPAN(""), look_at_agreement, s);
		s->theirs = NULL;
		snapshot_end(st.snapshot);
	}
	mirror_close(m);
	drop_rows(s, e != OK);
	for (size_t i = 0; i < s->count; i++)
		s->rows[i].is_new = false;
	arena_reset(s->scratch);
	return e == ERR_NOT_FOUND || e == ERR_BUSY || e == ERR_DAMAGED ? OK : e;
}

static enum err refresh(struct suspensions *s, const struct state *own)
{
	int64_t now = clock_monotonic_us();
	enum err e;

	if (s->read_us != 0 && now - s->read_us < SUSPENSIONS_FRESH_MS * INT64_C(1000))
		return OK;
	s->own = own;
	e = mirrors_walk(s->dir, read_mirror, s);
	s->own = NULL;
	if (e == OK)
		s->read_us = now;
	return e;
}

/* ---- asking ---- */

static enum err refuse(enum gives g, struct span a, struct span b, struct hash agreement, struct span term)
{
	char hex[HASH_HEX + 1];

	hash_hex(agreement, hex);
	return fail(ERR_SUSPENDED, "%s between %.*s and %.*s: term %.*s of agreement %.16s", gives_name(g),
		    SPAN_FORMAT(a), SPAN_FORMAT(b), SPAN_FORMAT(term), hex);
}

static enum err check_own(const struct state *own, struct span a, struct span b, enum gives g)
{
	struct agreement by;
	bool yes = true;
	enum err e = agreement_allows(own, a, b, g, &yes, &by);

	if (e != OK || yes)
		return e;
	for (size_t i = 0; i < by.term_count; i++)
		if (by.terms[i].term.gives == g && !course_flows(&by.terms[i].course))
			return refuse(g, a, b, by.id, by.terms[i].term.name);
	return refuse(g, a, b, by.id, SPAN("?"));
}

static bool is_of(const struct row *r, struct span a, struct span b)
{
	return (span_is(a, r->party[0]) && span_is(b, r->party[1])) ||
	       (span_is(a, r->party[1]) && span_is(b, r->party[0]));
}

enum err suspensions_check(struct suspensions *s, const struct state *own, struct span a, struct span b, enum gives g)
{
	enum err e;

	if (a.len == 0 || b.len == 0 || g == GIVES_NOTHING || span_equal(a, b))
		return OK;
	if ((e = check_own(own, a, b, g)) != OK || s == NULL)
		return e;
	pthread_mutex_lock(&s->lock);
	e = refresh(s, own);
	for (size_t i = 0; e == OK && i < s->count; i++)
		if (s->rows[i].gives == g && s->rows[i].until_ms > clock_now_ms() && is_of(&s->rows[i], a, b))
			e = refuse(g, a, b, s->rows[i].agreement, span_of(s->rows[i].term));
	pthread_mutex_unlock(&s->lock);
	return e;
}

/* Not what stands beside a notice or a plan, not a ping, not for critical infrastructure. */
static bool is_beyond_the_floor(const struct statement *s)
{
	return s->kind == KIND_REQUEST && !s->has_re && span_is(statement_value(s, "need"), "help") &&
	       statement_header(s, "critical") == NULL;
}

enum err suspensions_check_help_to(struct suspensions *s, const struct state *own, const struct statement *request,
				   struct span receiver)
{
	enum err e = OK;

	if (!is_beyond_the_floor(request))
		return OK;
	e = suspensions_check(s, own, request->from, receiver, GIVES_HELP);
	return e == OK ? suspensions_check(s, own, request->for_party, receiver, GIVES_HELP) : e;
}

static enum err check_addressee(struct suspensions *s, const struct state *own, const struct statement *request,
				struct span value)
{
	struct addressee to;

	if (addressee_parse(value, &to) != OK || (to.type != TO_PARTY && to.type != TO_ALL))
		return OK;
	return suspensions_check_help_to(s, own, request, to.type == TO_ALL ? own->node : to.domain);
}

enum err suspensions_check_help(struct suspensions *s, const struct state *own, const struct statement *request)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < request->header_count; i++) {
		struct span name = request->headers[i].name;

		if (span_is(name, "to") || span_is(name, "cc"))
			e = check_addressee(s, own, request, request->headers[i].value);
	}
	return e;
}
