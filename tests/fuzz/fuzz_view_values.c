/* Keys and values as a damaged disk may give them: each u8 table, u8 length of the key, key, u8 length of the value, value; put
 * into the views as they are. Every reader gives what it finds or says that it is damaged, and so does a fold over it. */
#include <stdlib.h>
#include <unistd.h>

#include "regime/directive.h"
#include "regime/node_private.h"
#include "regime/plan.h"
#include "regime/private.h"
#include "regime/seen.h"
#include "regime/sighting.h"
#include "regime/waiting.h"

static struct arena *arena;
static struct views *views;
static char dir[] = "/tmp/fuzz-view-values-XXXXXX";

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void clean_up(void)
{
	views_close(views);
	views_destroy(dir);
	rmdir(dir);
}

static void start(void)
{
	check((arena = arena_new((size_t)1 << 24)) != NULL);
	check(mkdtemp(dir) != NULL && views_open(dir, true, &views) == OK);
	atexit(clean_up);
}

static void good(enum err e)
{
	check(e == OK || e == ERR_DAMAGED || e == ERR_NOT_FOUND || e == ERR_PARTY_UNKNOWN || e == ERR_MATTER_UNKNOWN);
}

static enum err each_sighting(void *context, const struct addressee *to, enum rsit_class c,
			      const struct sighting_line *l, const struct sighting *s)
{
	struct sighting again;

	(void)s;
	good(sighting_find(context, to, c, l, &again));
	return OK;
}

static enum err each_directive(void *context, const struct addressee *to, const struct directive *d)
{
	struct directive again;
	bool own;

	check(d->by < AGGREGATION_COUNT);
	good(directive_find(context, to, &again, &own));
	return OK;
}

static enum err each_pack(void *context, const struct pack *p)
{
	int64_t ms;

	good(released_find(context, &p->to, &ms));
	return OK;
}

static enum err each_matter(void *context, const struct matter *m)
{
	struct addressee a;
	struct matter again;

	for (unsigned i = 0; i < m->to_count && matter_addressee(m, i, &a); i++)
		;
	good(state_matter(context, m->id, &again));
	return OK;
}

static enum err each_party(void *context, const struct party *p)
{
	struct party again;

	good(state_party(context, p->domain, &again));
	return OK;
}

static enum err each_claim(void *context, const struct claim *c)
{
	struct party p;

	good(state_party(context, c->party, &p));
	return OK;
}

static void read_state(struct state *st)
{
	struct plans *p = NULL;
	struct tick tick;
	uint64_t version;

	for (int l = 0; l < LEDGER_COUNT; l++)
		good(state_matters(st, (enum ledger_id)l, KIND_UNKNOWN, 0, each_matter, st));
	good(state_parties(st, each_party, st));
	good(state_claims(st, false, each_claim, st));
	good(state_rules(st, &version));
	good(state_tick(st, &tick));
	if (plans_load(st, &p) == OK)
		plans_free(p);
}

static void read_own(struct state *st)
{
	const struct addressee all = { .type = TO_ALL };
	struct heads heads;
	struct seen seen;

	good(heads_get(st->snapshot, &heads));
	good(seen_find(st, 1, SPAN("t"), &seen));
	good(directives_walk(st, each_directive, st));
	good(packs_walk(st, NULL, each_pack, st));
	good(packs_walk(st, &all, each_pack, st));
	good(sightings_walk(st, NULL, each_sighting, st));
	good(sightings_walk(st, &all, each_sighting, st));
}

/* Over whatever stands there. */
static void fold(struct state *st)
{
	const struct addressee all = { .type = TO_ALL };
	const struct sighting_line l = { .source = { 0, 0xc0000201, FAMILY_IPV4 } };
	const struct sighting_change change = { 1, 1, 2, true, false };
	struct buffer b = BUFFER(4096);

	sightings_group(&b, &all, CLASS_SPAM, 1);
	sightings_line(&b, &l, &change);
	good(private_fold(st, RECORD_PRIVATE, 5, buffer_view(&b)));
	buffer_clear(&b);
	release_write(&b, &all, CLASS_SPAM, UINT64_MAX / 2, 7);
	good(private_fold(st, RECORD_PRIVATE, 6, buffer_view(&b)));
	buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_make(data, size));
	struct state st;

	if (arena == NULL)
		start();
	arena_reset(arena);
	st = (struct state){ .arena = arena, .node = SPAN("cert.example") };
	check(views_write(views, &st.snapshot) == OK);
	while (r.err == OK && reader_left(&r) > 0) {
		enum view v = (enum view)(read_u8(&r) % VIEW_COUNT);
		struct span key = read_span(&r, read_u8(&r)), value = read_span(&r, read_u8(&r));

		if (r.err == OK && key.len > 0)
			check(view_put(st.snapshot, v, key, value) == OK);
	}
	read_state(&st);
	read_own(&st);
	fold(&st);
	read_own(&st);
	snapshot_end(st.snapshot);
	return 0;
}
