/* Keys and values as a damaged disk may give them: each u8 table, u8 length of the key, key, u8 length of the value, value; put
 * into the views as they are. Every reader gives what it finds or says that it is damaged, and so does a fold over it. */
#include <stdlib.h>
#include <unistd.h>

#include "regime/certificate.h"
#include "regime/control.h"
#include "regime/directive.h"
#include "regime/feed.h"
#include "regime/node_private.h"
#include "regime/objects.h"
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

static enum err each_certificate(void *context, const struct certificate *c)
{
	struct certificate_standing s;

	good(certificate_standing(context, c, 0, &s));
	check(s.rests_on_bad ||
	      (!s.bad_unknown && !s.bad_expired && !s.bad_key_revoked && s.bad_status == STATUS_VALID));
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

	for (unsigned i = 0; i < m->to_count + m->cc_count && matter_addressee(m, i, &a); i++)
		;
	good(state_matter(context, m->id, &again));
	return OK;
}

static enum err each_party(void *context, const struct party *p)
{
	struct party again;
	struct verifier key;
	struct span mail;

	good(state_party(context, p->domain, &again));
	for (unsigned i = 0; party_contact(p, i, &mail); i++)
		check(i < p->contact_count);
	for (int l = 0; l < LEDGER_COUNT; l++)
		if (party_ledger_key(p, (enum ledger_id)l, &key) == OK)
			check(span_starts(span_of(key.name), arena_copy(arena, p->domain.at, p->domain.len)));
	return OK;
}

static enum err each_claim(void *context, const struct claim *c)
{
	struct party p;

	good(state_party(context, c->party, &p));
	return OK;
}

static enum err each_not_ours(void *context, const struct matter *m, const struct addressee *better)
{
	(void)better;
	return each_matter(context, m);
}

static enum err each_control(void *context, const struct control *c)
{
	(void)context;
	check(c->class < CLASS_COUNT);
	return OK;
}

/* Whatever leads to matters. */
static void read_indexes(struct state *st)
{
	const struct addressee op = { .type = TO_PARTY, .domain = SPAN("op.example") };
	int64_t next;

	good(state_due(st, INT64_MAX, each_matter, st));
	good(state_next_due(st, &next));
	good(state_not_ours(st, 0, 0, each_not_ours, st));
	good(state_matters_to(st, &op, CLASS_NONE, each_matter, st));
	good(state_matters_from(st, SPAN("op.example"), each_matter, st));
	good(state_controls(st, SPAN(""), each_control, NULL));
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
	read_indexes(st);
	good(state_certificates(st, SPAN(""), each_certificate, st));
	good(certificates_of(st, SPAN("pkg:a/b@1"), each_certificate, st));
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

static enum err each_entry(void *context, const struct feed_entry *e)
{
	struct state *st = context;
	uint64_t stamp;

	check(e->ledger < LEDGER_COUNT);
	good(feed_stamp(st->snapshot, e->ledger, e->index, &stamp));
	return OK;
}

static const struct hash matter = { "0123456789abcdef0123456789abcde" };

static void read_feeds(struct state *st)
{
	static const uint64_t afters[] = { 0, 5, UINT64_MAX - 1 };
	struct feed feeds[2 * 5];
	uint64_t stamp;
	size_t count = 0;

	for (int l = 0; l < LEDGER_COUNT; l++) {
		const struct addressee op = { .type = TO_PARTY, .domain = SPAN("op.example") };
		struct feed f = { .ledger = (enum ledger_id)l, .party = op, .matter = matter };

		feeds[count++] = f;
		f.type = FEED_PARTY;
		feeds[count++] = f;
		f.kind = KIND_NOTICE;
		feeds[count++] = f;
		f.type = FEED_KIND;
		feeds[count++] = f;
		f.type = FEED_MATTER;
		feeds[count++] = f;
	}
	for (size_t i = 0; i < sizeof(afters) / sizeof(afters[0]); i++)
		good(feed_walk(st->snapshot, feeds, count, afters[i], each_entry, st));
	good(feed_reached(st->snapshot, &stamp));
}

/* Keys of objects begin with this collection; these are the ids and types that are asked for. */
static const struct collection_id collection = { "fedcba9876543210" };
static const struct span ids[] = { SPAN("a--b"), SPAN("marking-definition--c") }, types[] = { SPAN("a"), SPAN("b") };

/* For the order in which rows must come. */
struct order {
	struct snapshot *snapshot;
	uint64_t last;
	enum tlp level;
};

static enum err each_object(void *context, const struct object_row *row)
{
	struct order *o = context;
	bool deleted;

	check(row->tlp <= o->level && row->version.length <= INSTANT_MAX && row->type.len <= row->id.len);
	check(row->stamp >= o->last);
	o->last = row->stamp;
	good(objects_known(o->snapshot, &collection, o->level, row->id, &deleted));
	good(objects_version_deleted(o->snapshot, &collection, o->level, row->id, &row->version, &deleted));
	return OK;
}

static enum err each_deletion(void *context, const struct object_deleted *d)
{
	struct order *o = context;
	bool deleted;

	check(d->version.length <= INSTANT_MAX && d->stamp >= o->last);
	o->last = d->stamp;
	good(objects_version_deleted(o->snapshot, &collection, o->level, d->id, &d->version, &deleted));
	return OK;
}

static void walk_objects(struct snapshot *s, struct object_query q, unsigned which)
{
	struct order o = { s, 0, q.level };

	q.last = (which & 1) != 0;
	q.first = (which & 2) != 0;
	q.all = (which & 4) != 0;
	q.specs = (which & 8) != 0 ? 3 : 0;
	good(objects_walk(s, &q, each_object, &o));
}

/* which: versions and specs that are asked for, others at each level. */
static void read_objects(struct snapshot *s, unsigned which)
{
	static const struct instant version = { .digits = "20260101000000", .length = 14 };
	uint64_t rows, deletions;
	bool yes;

	for (int level = 0; level < TLP_COUNT; level++, which += 3) {
		struct object_query q = { .collection = collection, .level = (enum tlp)level };
		struct order o = { s, 0, q.level };

		walk_objects(s, q, which);
		q.ids = ids;
		q.id_count = sizeof(ids) / sizeof(ids[0]);
		q.versions = &version;
		q.version_count = (size_t)level % 2;
		walk_objects(s, q, which + 5);
		q.types = types;
		q.type_count = sizeof(types) / sizeof(types[0]);
		walk_objects(s, q, which + 7);
		q.id_count = 0;
		q.after = 1;
		walk_objects(s, q, which + 10);
		good(objects_deleted(s, &collection, q.level, 0, each_deletion, &o));
	}
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		good(objects_marking(s, &collection, (enum tlp)(which % TLP_COUNT), ids[i], &yes));
	good(objects_count(s, &rows, &deletions));
}

/* An answer comes to what stands there. */
static void enter(struct state *st)
{
	const struct statement s = { .kind = KIND_ANSWER, .from = SPAN("op.example"), .has_re = true, .re = matter };

	st->ledger = LEDGER_CIRCLE;
	st->index = 7;
	good(feeds_enter(st, &s, 6));
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
	read_feeds(&st);
	read_objects(st.snapshot, size > 0 ? data[size - 1] : 0);
	fold(&st);
	enter(&st);
	read_own(&st);
	read_feeds(&st);
	snapshot_end(st.snapshot);
	return 0;
}
