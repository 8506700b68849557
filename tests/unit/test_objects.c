/* Shared objects beside a naive twin: a list of all that was ever shared, filtered by what the standard says. */
#include "regime/objects.h"

#include <stdio.h>

#include "regime_node.h"

#define IDS 14
#define VERSIONS 6
#define TWIN_MAX 6000

/* ---- the twin ---- */

struct twin_object {
	struct stix_object o;
	uint64_t stamp;
	struct hash share;
	bool gone;
};

struct twin_deletion {
	struct span id;
	struct instant version;
	enum tlp lane;
	uint64_t stamp;
};

struct twin {
	struct world *w;
	struct arena *arena;
	struct collection_id collection;
	struct twin_object objects[TWIN_MAX];
	size_t count;
	struct twin_deletion deletions[TWIN_MAX];
	size_t deletion_count;
	struct hash shares[TWIN_MAX];
	size_t share_count;
};

static int order_of(const struct instant *a, const struct instant *b)
{
	return span_compare(span_make(a->digits, a->length), span_make(b->digits, b->length));
}

static bool same(const struct stix_object *a, const struct stix_object *b)
{
	return span_equal(a->id, b->id) && order_of(&a->version, &b->version) == 0;
}

static bool visible(const struct twin *t, const struct twin_object *o, enum tlp level)
{
	if (o->gone || o->o.tlp > level)
		return false;
	for (size_t i = 0; i < t->count; i++)
		if (!t->objects[i].gone && t->objects[i].o.tlp < o->o.tlp && same(&t->objects[i].o, &o->o))
			return false;
	return true;
}

static bool spec_asked(const struct object_query *q, const struct twin_object *o)
{
	return q->specs == 0 || (q->specs & 1u << o->o.spec) != 0;
}

static struct instant stamp_version(uint64_t stamp)
{
	char text[CLOCK_TEXT], all[40];
	struct instant i;

	clock_format((int64_t)(stamp / 1000), text);
	snprintf(all, sizeof(all), "%.19s.%06uZ", text, (unsigned)(stamp % 1000000));
	assert_int_equal(instant_parse(span_of(all), &i), OK);
	return i;
}

/* But for the rule about specs that were not asked for. */
static bool version_fits(const struct twin *t, const struct object_query *q, const struct twin_object *o)
{
	struct instant own = o->o.version.length > 0 ? o->o.version : stamp_version(o->stamp);
	bool newest = true, oldest = true;

	if (!visible(t, o, q->level) || !spec_asked(q, o))
		return false;
	if (q->all)
		return true;
	for (size_t i = 0; i < q->version_count; i++)
		if (order_of(&q->versions[i], &own) == 0)
			return true;
	for (size_t i = 0; i < t->count; i++) {
		const struct twin_object *other = &t->objects[i];

		if (!span_equal(other->o.id, o->o.id) || !visible(t, other, q->level) || !spec_asked(q, other))
			continue;
		newest &= order_of(&other->o.version, &o->o.version) <= 0;
		oldest &= order_of(&other->o.version, &o->o.version) >= 0;
	}
	return (newest && (q->last || (!q->first && q->version_count == 0))) || (oldest && q->first);
}

static bool listed(const struct span *list, size_t count, struct span name)
{
	for (size_t i = 0; i < count; i++)
		if (span_equal(list[i], name))
			return true;
	return count == 0;
}

static bool twin_matches(const struct twin *t, const struct object_query *q, const struct twin_object *o)
{
	if (o->stamp <= q->after || !listed(q->ids, q->id_count, o->o.id) ||
	    !listed(q->types, q->type_count, o->o.type) || !version_fits(t, q, o))
		return false;
	for (size_t i = 0; q->specs == 0 && i < t->count; i++)
		if (span_equal(t->objects[i].o.id, o->o.id) && t->objects[i].o.spec > o->o.spec &&
		    version_fits(t, q, &t->objects[i]))
			return false;
	return true;
}

static bool twin_latest(const struct twin *t, const struct twin_object *o, enum tlp level)
{
	for (size_t i = 0; i < t->count; i++)
		if (visible(t, &t->objects[i], level) && span_equal(t->objects[i].o.id, o->o.id) &&
		    order_of(&t->objects[i].o.version, &o->o.version) > 0)
			return false;
	return true;
}

/* ---- making objects ---- */

static struct span text_of(struct arena *a, const char *format, unsigned long long x, unsigned long long y)
{
	const char *text = arena_print(a, format, x, y);

	assert_non_null(text);
	return span_of(text);
}

static const char *const types[] = { "indicator", "malware", "x-a", "x-ab" };

static struct span id_of(struct arena *a, size_t i)
{
	const char *text = arena_print(a, "%s--00000000-0000-4000-8000-%012zu", types[i % TABLE_LENGTH(types)], i);

	assert_non_null(text);
	return span_of(text);
}

static struct stix_object object_of(struct arena *a, size_t id, size_t version, enum stix_spec spec, enum tlp tlp,
				    uint64_t content)
{
	struct stix_object o = { .id = id_of(a, id), .spec = spec, .tlp = tlp, .marked = true };

	o.type = span_of(types[id % TABLE_LENGTH(types)]);
	if (version > 0) {
		o.modified_text =
			span_of(arena_print(a, "2026-01-%02zuT00:00:00.%sZ", version, version % 2 == 0 ? "5" : "000"));
		assert_int_equal(instant_parse(o.modified_text, &o.version), OK);
	}
	o.text = text_of(a, "{\"content\":%llu,\"version\":%llu}", content, version);
	o.digest = hash_span(o.text);
	return o;
}

/* ---- comparing ---- */

struct collecting {
	const struct twin *t;
	const struct object_query *q;
	size_t at; /* the next of the twin's list */
	size_t given, most;
	uint64_t last;
};

/* The next of the twin's that should be given; the list is in the order of stamps. */
static const struct twin_object *twin_next(struct collecting *c)
{
	while (c->at < c->t->count) {
		const struct twin_object *o = &c->t->objects[c->at++];

		if (twin_matches(c->t, c->q, o))
			return o;
	}
	return NULL;
}

static enum err compare_row(void *context, const struct object_row *row)
{
	struct collecting *c = context;
	const struct twin_object *o = twin_next(c);

	if (c->given == c->most)
		return ERR_EMPTY;
	assert_non_null(o);
	assert_int_equal(row->stamp, o->stamp);
	assert_true(span_equal(row->id, o->o.id));
	assert_true(span_equal(row->type, o->o.type));
	assert_true(span_equal(row->text, o->o.text));
	assert_true(span_equal(row->version_text, o->o.modified_text));
	assert_int_equal(order_of(&row->version, &o->o.version), 0);
	assert_int_equal(row->spec, o->o.spec);
	assert_int_equal(row->tlp, o->o.tlp);
	assert_true(hash_equal(row->digest, o->o.digest));
	assert_true(hash_equal(row->share, o->share));
	assert_int_equal(row->latest, twin_latest(c->t, o, c->q->level));
	c->last = row->stamp;
	c->given++;
	return OK;
}

static void compare(struct twin *t, const struct object_query *q, size_t most)
{
	struct collecting c = { t, q, 0, 0, most, 0 };
	struct state st;
	enum err e;

	assert_int_equal(node_read(t->w->n, t->w->arena, &st), OK);
	e = objects_walk(st.snapshot, q, compare_row, &c);
	assert_true(e == OK || (e == ERR_EMPTY && c.given == most));
	if (e == OK)
		assert_null(twin_next(&c));
	snapshot_end(st.snapshot);
}

struct comparing {
	const struct twin *t;
	enum tlp level;
	uint64_t after;
	size_t at;
};

static const struct twin_deletion *deletion_next(struct comparing *c)
{
	while (c->at < c->t->deletion_count) {
		const struct twin_deletion *d = &c->t->deletions[c->at++];

		if (d->lane <= c->level && d->stamp > c->after)
			return d;
	}
	return NULL;
}

static enum err compare_deletion(void *context, const struct object_deleted *d)
{
	const struct twin_deletion *expected = deletion_next(context);

	assert_non_null(expected);
	assert_int_equal(d->stamp, expected->stamp);
	assert_true(span_equal(d->id, expected->id));
	assert_int_equal(order_of(&d->version, &expected->version), 0);
	return OK;
}

static void compare_known(struct twin *t, struct snapshot *s, struct span id, enum tlp level)
{
	bool there = false, gone = false, deleted = false;
	enum err e = objects_known(s, &t->collection, level, id, &deleted);

	for (size_t i = 0; i < t->count; i++)
		there |= span_equal(t->objects[i].o.id, id) && visible(t, &t->objects[i], level);
	for (size_t i = 0; i < t->deletion_count; i++)
		gone |= span_equal(t->deletions[i].id, id) && t->deletions[i].lane <= level;
	assert_int_equal(e, there || gone ? OK : ERR_NOT_FOUND);
	if (e == OK)
		assert_int_equal(deleted, !there);
}

static void compare_rest(struct twin *t, uint64_t *seed)
{
	enum tlp level = (enum tlp)test_below(seed, TLP_COUNT);
	struct comparing c = { .t = t, .level = level };
	struct state st;
	uint64_t rows, deleted;
	size_t alive = 0;

	if (t->deletion_count > 0 && test_below(seed, 2) == 0)
		c.after = t->deletions[test_below(seed, t->deletion_count)].stamp;
	assert_int_equal(node_read(t->w->n, t->w->arena, &st), OK);
	assert_int_equal(objects_deleted(st.snapshot, &t->collection, level, c.after, compare_deletion, &c), OK);
	assert_null(deletion_next(&c));
	for (size_t i = 0; i < IDS; i++)
		compare_known(t, st.snapshot, id_of(t->arena, i), level);
	for (size_t i = 0; i < t->count; i++)
		alive += !t->objects[i].gone;
	assert_int_equal(objects_count(st.snapshot, &rows, &deleted), OK);
	assert_int_equal(rows, alive);
	assert_int_equal(deleted, t->deletion_count);
	snapshot_end(st.snapshot);
}

static void compare_random(struct twin *t, uint64_t *seed)
{
	struct object_query q = { .collection = t->collection, .level = (enum tlp)test_below(seed, TLP_COUNT) };
	struct instant versions[3];
	struct span ids[4], of[3];
	size_t most = test_below(seed, 3) == 0 ? 1 + test_below(seed, 5) : SIZE_MAX;

	q.ids = ids;
	q.types = of;
	q.versions = versions;
	if (test_below(seed, 3) == 0)
		q.id_count = 1 + test_below(seed, 4);
	for (size_t i = 0; i < q.id_count; i++)
		ids[i] = id_of(t->arena, test_below(seed, IDS + 1));
	if (test_below(seed, 3) == 0) {
		q.type_count = 1 + test_below(seed, 3);
		for (size_t i = 0; i < q.type_count; i++)
			of[i] = span_of(types[test_below(seed, TABLE_LENGTH(types))]);
	}
	if (t->count > 0 && test_below(seed, 2) == 0)
		q.after = t->objects[test_below(seed, t->count)].stamp - test_below(seed, 2);
	q.last = test_below(seed, 3) == 0;
	q.first = test_below(seed, 3) == 0;
	if (test_below(seed, 3) == 0) {
		q.version_count = 1 + test_below(seed, 3);
		for (size_t i = 0; i < q.version_count; i++) {
			struct twin_object *o = t->count > 0 ? &t->objects[test_below(seed, t->count)] : NULL;

			versions[i] = o == NULL			? stamp_version(1)
				      : o->o.version.length > 0 ? o->o.version
								: stamp_version(o->stamp);
		}
	}
	if (test_below(seed, 4) == 0) {
		q.all = true;
		q.last = q.first = false;
		q.version_count = 0;
	}
	q.specs = (unsigned)test_below(seed, 4);
	compare(t, &q, most);
}

/* ---- changing ---- */

/* What stands in this lane, or was deleted there; ADDED: nothing. */
static struct object_result twin_meets(const struct twin *t, const struct stix_object *o, enum tlp lane, bool gone,
				       size_t before)
{
	for (size_t i = 0; !gone && i < before; i++)
		if (!t->objects[i].gone && t->objects[i].o.tlp == lane && same(&t->objects[i].o, o))
			return (struct object_result){ hash_equal(t->objects[i].o.digest, o->digest) ? OBJECT_REPEATED
												     : OBJECT_CONFLICT,
						       i, t->objects[i].o.digest };
	for (size_t i = 0; gone && i < t->deletion_count; i++)
		if (t->deletions[i].lane == lane && span_equal(t->deletions[i].id, o->id) &&
		    order_of(&t->deletions[i].version, &o->version) == 0)
			return (struct object_result){ OBJECT_DELETED, i, { { 0 } } };
	return (struct object_result){ .fate = OBJECT_ADDED };
}

/* One that meets what the sharer may not see counts in its share and is never found. */
static struct object_result twin_share_one(struct twin *t, const struct stix_object *o, enum tlp level, size_t before)
{
	struct object_result r = { .fate = OBJECT_ADDED };
	bool unseen;

	for (size_t i = before; i < t->count; i++)
		if (same(&t->objects[i].o, o))
			return (struct object_result){ hash_equal(t->objects[i].o.digest, o->digest) ? OBJECT_REPEATED
												     : OBJECT_CONFLICT,
						       i, t->objects[i].o.digest };
	for (int gone = 0; gone < 2; gone++)
		for (int l = 0; r.fate == OBJECT_ADDED && l <= (int)level; l++)
			r = twin_meets(t, o, (enum tlp)l, gone != 0, before);
	if (r.fate != OBJECT_ADDED)
		return r;
	unseen = o->tlp > level && (twin_meets(t, o, o->tlp, false, before).fate != OBJECT_ADDED ||
				    twin_meets(t, o, o->tlp, true, before).fate != OBJECT_ADDED);
	assert_true(t->count < TWIN_MAX);
	t->objects[t->count] = (struct twin_object){ .o = *o, .gone = unseen };
	return (struct object_result){ unseen ? OBJECT_UNSEEN : OBJECT_ADDED, t->count++, o->digest };
}

#define SHARE_MOST 12

static void share_random(struct twin *t, uint64_t *seed)
{
	struct stix_object objects[SHARE_MOST];
	struct object_result results[SHARE_MOST];
	struct share s = { .collection = t->collection, .objects = objects };
	size_t before = t->count;
	struct appended out;

	s.count = 1 + test_below(seed, SHARE_MOST);
	s.level = (enum tlp)test_below(seed, TLP_COUNT);
	if (test_below(seed, 2) == 0)
		s.for_party = SPAN("op.example");
	for (size_t i = 0; i < s.count; i++)
		objects[i] = object_of(t->arena, test_below(seed, IDS), test_below(seed, VERSIONS + 1),
				       (enum stix_spec)test_below(seed, 2), (enum tlp)test_below(seed, TLP_COUNT),
				       test_below(seed, 8) == 0);
	assert_int_equal(objects_share(t->w->n, &s, results, &out), OK);
	for (size_t i = 0; i < s.count; i++) {
		struct object_result expected = twin_share_one(t, &objects[i], s.level, before);

		assert_int_equal(results[i].fate, expected.fate);
		if (expected.fate == OBJECT_DELETED) {
			assert_int_equal(results[i].stamp, t->deletions[expected.stamp].stamp);
			continue;
		}
		if (expected.fate == OBJECT_ADDED || expected.fate == OBJECT_UNSEEN)
			t->objects[expected.stamp].stamp = results[i].stamp;
		assert_int_equal(results[i].stamp, t->objects[expected.stamp].stamp);
		assert_true(hash_equal(results[i].digest, expected.digest));
	}
	for (size_t i = before; i < t->count; i++) {
		assert_true(i == 0 || t->objects[i].stamp > t->objects[i - 1].stamp);
		t->objects[i].share = out.id;
	}
	if (t->count > before)
		t->shares[t->share_count++] = out.id;
	assert_int_equal(out.logged_ms == 0, t->count == before);
}

static void remove_random(struct twin *t, uint64_t *seed)
{
	struct removal r = { .collection = t->collection, .id = id_of(t->arena, test_below(seed, IDS)) };
	struct instant versions[2];
	struct object_query which = { .versions = versions };
	bool chosen[TWIN_MAX] = { false };
	struct appended out;
	uint64_t count, stamp, expected = 0;
	enum err e;

	r.level = (enum tlp)test_below(seed, TLP_COUNT);
	which.level = r.level;
	if (test_below(seed, 4) > 0) {
		r.which = &which;
		which.first = test_below(seed, 3) == 0;
		which.version_count = test_below(seed, 3);
		for (size_t i = 0; i < which.version_count; i++)
			versions[i] =
				object_of(t->arena, 0, 1 + test_below(seed, VERSIONS), STIX_2_1, TLP_RED, 0).version;
		which.specs = (unsigned)test_below(seed, 4);
	} else {
		which.all = true;
		which.specs = 3;
	}
	which.ids = &r.id;
	which.id_count = 1;
	for (size_t i = 0; i < t->count; i++)
		chosen[i] = twin_matches(t, &which, &t->objects[i]);
	e = objects_remove(t->w->n, &r, &count, &out);
	stamp = (uint64_t)out.logged_ms * 1000;
	for (size_t i = 0; i < t->count; i++) {
		bool goes = false;

		for (size_t j = 0; j < t->count; j++)
			goes |= chosen[j] && same(&t->objects[i].o, &t->objects[j].o);
		if (!goes || t->objects[i].gone || t->objects[i].o.tlp > r.level)
			continue;
		expected++;
		t->deletions[t->deletion_count++] = (struct twin_deletion){ t->objects[i].o.id, t->objects[i].o.version,
									    t->objects[i].o.tlp, stamp };
	}
	for (size_t i = 0; i < t->deletion_count; i++)
		for (size_t j = 0; j < t->count; j++)
			if (t->deletions[i].lane == t->objects[j].o.tlp && !t->objects[j].gone &&
			    span_equal(t->deletions[i].id, t->objects[j].o.id) &&
			    order_of(&t->deletions[i].version, &t->objects[j].o.version) == 0)
				t->objects[j].gone = true;
	assert_int_equal(e, expected > 0 ? OK : ERR_NOT_FOUND);
	assert_int_equal(count, expected);
}

/* The twin does not know the stamps of deletions before they are read. */
static enum err learn_stamp(void *context, const struct object_deleted *d)
{
	struct comparing *c = context;
	struct twin *t = (struct twin *)(uintptr_t)c->t;

	assert_true(c->at < t->deletion_count);
	assert_true(c->at == 0 || d->stamp > t->deletions[c->at - 1].stamp);
	t->deletions[c->at++].stamp = d->stamp;
	return OK;
}

static void learn_stamps(struct twin *t, struct snapshot *s)
{
	struct comparing c = { .t = t };

	assert_int_equal(objects_deleted(s, &t->collection, TLP_RED, 0, learn_stamp, &c), OK);
	assert_int_equal(c.at, t->deletion_count);
}

static struct hash body_of_share(struct world *w, struct hash id)
{
	struct state st;
	struct matter m;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_matter(&st, id, &m), OK);
	assert_int_equal(m.kind, KIND_SHARE);
	assert_true(m.has_body && m.body.sealed);
	snapshot_end(st.snapshot);
	return m.body.hash;
}

/* What came with the body is as if it had never been there; what was deleted stays deleted. */
static void erase_random(struct twin *t, uint64_t *seed)
{
	size_t which = test_below(seed, t->share_count);
	struct hash share = t->shares[which], body = body_of_share(t->w, share);
	const uint8_t *salt;
	struct span payload;

	assert_int_equal(node_erase_body(t->w->n, body), OK);
	assert_int_equal(node_erase_body(t->w->n, body), OK);
	assert_int_equal(node_body(t->w->n, t->arena, body, &salt, &payload), ERR_NOT_FOUND);
	for (size_t i = 0; i < t->count; i++)
		t->objects[i].gone |= hash_equal(t->objects[i].share, share);
	t->shares[which] = t->shares[--t->share_count];
}

static void audit_counts(struct twin *t)
{
	struct audit a;
	size_t alive = 0;

	for (size_t i = 0; i < t->count; i++)
		alive += !t->objects[i].gone;
	assert_int_equal(node_audit(t->w->n, NULL, NULL, &a), OK);
	assert_int_equal(a.objects, alive);
	assert_int_equal(a.objects_deleted, t->deletion_count);
}

static void as_the_twin(void **state)
{
	struct scratch *s = *state;
	struct twin *t = calloc(1, sizeof(*t));
	uint64_t seed = test_seed();

	assert_non_null(t);
	t->w = world_new(s);
	t->arena = s->arena;
	memset(t->collection.bytes, 0x5a, UUID_SIZE);
	for (int round = 0; round < 60; round++) {
		assert_int_equal(node_begin(t->w->n), OK);
		for (size_t n = 1 + test_below(&seed, 4); n > 0; n--) {
			if (test_below(&seed, 4) > 0)
				share_random(t, &seed);
			else
				remove_random(t, &seed);
			learn_stamps(t, node_batch_state(t->w->n)->snapshot);
		}
		assert_int_equal(node_commit(t->w->n), OK);
		if (t->share_count > 0 && test_below(&seed, 4) == 0)
			erase_random(t, &seed);
		for (int i = 0; i < 40; i++)
			compare_random(t, &seed);
		compare_rest(t, &seed);
		if (round % 20 == 19) {
			assert_int_equal(audit(t->w), OK);
			node_close(t->w->n);
			take_away(scratch_path(s, "node/views"));
			assert_int_equal(node_open(t->w->dir, NODE_WRITE, &t->w->n), OK);
			audit_counts(t);
			compare_rest(t, &seed);
		}
	}
	world_free(t->w);
	free(t);
}

/* ---- one by one ---- */

static enum err keep_matter(void *context, const struct matter *m)
{
	*(struct matter *)context = *m;
	return ERR_EMPTY;
}

static const struct collection_id other = { { 1, 2, 3 } };

static enum err share_one(struct world *w, const struct stix_object *o, enum tlp level, struct object_result *result,
			  struct appended *out)
{
	struct share s = { .collection = other, .level = level, .objects = o, .count = 1 };
	enum err e;

	assert_int_equal(node_begin(w->n), OK);
	if ((e = objects_share(w->n, &s, result, out)) == OK)
		assert_int_equal(node_commit(w->n), OK);
	else
		node_abandon(w->n);
	return e;
}

static void what_is_logged(void **state)
{
	struct world *w = world_new(*state);
	struct stix_object objects[3] = {
		object_of(w->arena, 1, 1, STIX_2_1, TLP_GREEN, 1),
		object_of(w->arena, 2, 1, STIX_2_1, TLP_AMBER_STRICT, 2),
		object_of(w->arena, 1, 1, STIX_2_1, TLP_GREEN, 3),
	};
	struct share s = {
		.collection = other, .level = TLP_RED, .for_party = SPAN("op.example"), .objects = objects, .count = 3
	};
	struct object_result results[3];
	struct appended out;
	struct span entry, payload;
	struct span headers = SPAN("\ncollection 01020300-0000-0000-0000-000000000000\naction add\nobjects 2\n"
				   "tlp AMBER+STRICT\nfor op.example\nvia taxii\n"
				   "body application/stix+json;version=2.1 65 sealed-sha256:");
	const uint8_t *salt;

	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(objects_share(w->n, &s, results, &out), OK);
	assert_int_equal(node_commit(w->n), OK);
	assert_int_equal(results[0].fate, OBJECT_ADDED);
	assert_int_equal(results[1].fate, OBJECT_ADDED);
	assert_int_equal(results[2].fate, OBJECT_CONFLICT);
	assert_int_equal(results[2].stamp, results[0].stamp);
	assert_int_equal(out.ledger, LEDGER_CIRCLE);
	assert_int_equal(node_entry(w->n, w->arena, LEDGER_CIRCLE, out.index, &entry), OK);
	assert_non_null(memmem(entry.at, entry.len, headers.at, headers.len));
	assert_int_equal(node_body(w->n, w->arena, body_of_share(w, out.id), &salt, &payload), OK);
	assert_span(payload, "{\"objects\":[{\"content\":1,\"version\":1},{\"content\":2,\"version\":1}]}");
	assert_int_equal(audit(w), OK);
	assert_int_equal(node_erase_body(w->n, hash_span(SPAN("no body"))), ERR_NOT_FOUND);
	world_free(w);
}

static void a_deletion_is_not_erased(void **state)
{
	struct world *w = world_new(*state);
	struct stix_object o = object_of(w->arena, 1, 0, STIX_2_1, TLP_GREEN, 1);
	struct removal r = { .collection = other, .level = TLP_RED, .id = o.id };
	struct object_result result;
	struct appended out;
	struct span payload;
	const uint8_t *salt;
	struct matter m = { 0 };
	struct state st;
	uint64_t count, found = 0;

	assert_int_equal(share_one(w, &o, TLP_RED, &result, &out), OK);
	assert_int_equal(node_begin(w->n), OK);
	r.level = TLP_CLEAR;
	assert_int_equal(objects_remove(w->n, &r, &count, &out), ERR_NOT_FOUND);
	r.level = TLP_GREEN;
	assert_int_equal(objects_remove(w->n, &r, &count, &out), OK);
	assert_int_equal(count, 1);
	assert_int_equal(objects_remove(w->n, &r, &count, &out), ERR_NOT_FOUND);
	assert_int_equal(out.logged_ms, 0);
	assert_int_equal(node_commit(w->n), OK);
	assert_int_equal(share_one(w, &o, TLP_RED, &result, &out), OK);
	assert_int_equal(result.fate, OBJECT_DELETED);
	assert_int_equal(out.logged_ms, 0);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (uint64_t i = 0; state_matters(&st, LEDGER_CIRCLE, KIND_SHARE, i, keep_matter, &m) == ERR_EMPTY;
	     i = m.index + 1)
		found++;
	snapshot_end(st.snapshot);
	assert_int_equal(found, 2);
	assert_int_equal(node_body(w->n, w->arena, m.body.hash, &salt, &payload), OK);
	assert_non_null(memmem(payload.at, payload.len, o.id.at, o.id.len));
	assert_int_equal(node_erase_body(w->n, m.body.hash), ERR_USAGE);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* What a sharer may not see it does not collide with. */
static void lanes_do_not_tell(void **state)
{
	struct world *w = world_new(*state);
	struct stix_object strict = object_of(w->arena, 1, 1, STIX_2_1, TLP_RED, 1),
			   lax = object_of(w->arena, 1, 1, STIX_2_1, TLP_CLEAR, 2);
	struct object_result result;
	struct appended out;

	assert_int_equal(share_one(w, &strict, TLP_RED, &result, &out), OK);
	assert_int_equal(result.fate, OBJECT_ADDED);
	assert_int_equal(share_one(w, &lax, TLP_RED, &result, &out), OK);
	assert_int_equal(result.fate, OBJECT_CONFLICT);
	assert_true(hash_equal(result.digest, strict.digest));
	assert_int_equal(share_one(w, &lax, TLP_GREEN, &result, &out), OK);
	assert_int_equal(result.fate, OBJECT_ADDED);
	assert_int_equal(share_one(w, &strict, TLP_GREEN, &result, &out), OK);
	assert_int_equal(result.fate, OBJECT_CONFLICT);
	assert_true(hash_equal(result.digest, lax.digest));
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* Nor in its object's own lane, where nothing can stand twice: it is logged as if it were new. */
static void its_own_lane_does_not_tell(void **state)
{
	struct world *w = world_new(*state);
	struct stix_object first = object_of(w->arena, 1, 1, STIX_2_1, TLP_RED, 1),
			   second = object_of(w->arena, 1, 1, STIX_2_1, TLP_RED, 2), both[2];
	struct object_result result, results[2];
	struct share two = { .collection = other, .level = TLP_GREEN, .objects = both, .count = 2 };
	struct removal r = { .collection = other, .level = TLP_RED, .id = first.id };
	struct appended out;
	struct span entry;
	struct state st;
	uint64_t rows, deleted, count;

	assert_int_equal(share_one(w, &first, TLP_RED, &result, &out), OK);
	for (int round = 0; round < 2; round++) {
		assert_int_equal(share_one(w, &second, TLP_GREEN, &result, &out), OK);
		assert_int_equal(result.fate, OBJECT_UNSEEN);
		assert_true(hash_equal(result.digest, second.digest));
		assert_true(result.stamp > (uint64_t)out.logged_ms * 1000);
		assert_int_equal(node_entry(w->n, w->arena, LEDGER_CIRCLE, out.index, &entry), OK);
		assert_non_null(memmem(entry.at, entry.len, "\nobjects 1\ntlp RED\n", 19));
		both[0] = first;
		both[1] = second;
		assert_int_equal(node_begin(w->n), OK);
		assert_int_equal(objects_share(w->n, &two, results, &out), OK);
		assert_int_equal(node_commit(w->n), OK);
		assert_int_equal(results[0].fate, OBJECT_UNSEEN);
		assert_int_equal(results[1].fate, OBJECT_CONFLICT);
		assert_true(hash_equal(results[1].digest, first.digest));
		if (round > 0) /* a deletion that is hidden tells no more */
			break;
		assert_int_equal(node_begin(w->n), OK);
		assert_int_equal(objects_remove(w->n, &r, &count, &out), OK);
		assert_int_equal(node_commit(w->n), OK);
	}
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(objects_count(st.snapshot, &rows, &deleted), OK);
	assert_int_equal(rows, 0);
	assert_int_equal(deleted, 1);
	snapshot_end(st.snapshot);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void bad_objects(void **state)
{
	struct world *w = world_new(*state);
	struct stix_object o = object_of(w->arena, 1, 1, STIX_2_1, TLP_GREEN, 1), bad;
	struct object_query q = { .collection = other, .level = TLP_RED, .after = UINT64_MAX };
	char longest[400];
	struct object_result result;
	struct appended out;
	struct state st;
	struct span ids[3] = { span_make(longest, sizeof(longest)), SPAN("a\0b"), SPAN("") };
	bool deleted;

	memset(longest, 'a', sizeof(longest));
	bad = o;
	bad.id = SPAN("");
	assert_int_equal(share_one(w, &bad, TLP_RED, &result, &out), ERR_FIELD);
	bad.id = ids[0];
	assert_int_equal(share_one(w, &bad, TLP_RED, &result, &out), ERR_FIELD);
	bad = o;
	bad.type = SPAN("another");
	assert_int_equal(share_one(w, &bad, TLP_RED, &result, &out), ERR_FIELD);
	assert_int_equal(share_one(w, &o, TLP_RED, &result, &out), OK);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(objects_walk(st.snapshot, &q, NULL, NULL), OK);
	q.after = 0;
	q.ids = q.types = ids;
	q.id_count = 3;
	assert_int_equal(objects_walk(st.snapshot, &q, NULL, NULL), OK);
	q.id_count = 0;
	q.type_count = 3;
	assert_int_equal(objects_walk(st.snapshot, &q, NULL, NULL), OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(objects_known(st.snapshot, &other, TLP_RED, ids[i], &deleted), ERR_NOT_FOUND);
	snapshot_end(st.snapshot);
	world_free(w);
}

static void markings(void **state)
{
	static const struct {
		const char *text;
		bool restricts;
	} cases[] = {
		{ "{\"definition_type\":\"statement\",\"definition\":{\"statement\":\"(c)\"}}", false },
		{ "{\"definition_type\":\"tlp\"}", true },
		{ "{}", true },
		{ "[\"definition_type\",\"statement\"]", true },
		{ "{\"definition_type\":\"statement\"", true },
	};
	struct world *w = world_new(*state);
	struct object_result result;
	struct appended out;
	struct state st;
	bool restricts;

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct stix_object o = object_of(w->arena, i, 0, STIX_2_1, i % 2 == 0 ? TLP_CLEAR : TLP_RED, 0);

		o.text = span_of(cases[i].text);
		assert_int_equal(share_one(w, &o, TLP_RED, &result, &out), OK);
		assert_int_equal(node_read(w->n, w->arena, &st), OK);
		assert_int_equal(objects_marking(st.snapshot, &other, TLP_RED, o.id, &restricts), OK);
		assert_int_equal(restricts, cases[i].restricts);
		assert_int_equal(objects_marking(st.snapshot, &other, TLP_AMBER, o.id, &restricts),
				 o.tlp == TLP_RED ? ERR_NOT_FOUND : OK);
		assert_int_equal(objects_marking(st.snapshot, &other, TLP_RED, id_of(w->arena, i + 1), &restricts),
				 ERR_NOT_FOUND);
		snapshot_end(st.snapshot);
	}
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(as_the_twin),
		IN_A_FOLDER(what_is_logged),
		IN_A_FOLDER(a_deletion_is_not_erased),
		IN_A_FOLDER(its_own_lane_does_not_tell),
		IN_A_FOLDER(lanes_do_not_tell),
		IN_A_FOLDER(bad_objects),
		IN_A_FOLDER(markings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
