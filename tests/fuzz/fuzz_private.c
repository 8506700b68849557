/* Private records, one after the other, each with u16 of its length before it, into views that are empty. A record reads or is
 * damaged; whatever it was, all that stands in the views afterwards reads, is found again under its own name, and comes out
 * the same when the records are folded once more. What a directive's reader gives, its writer writes. */
#include <stdlib.h>
#include <unistd.h>

#include "regime/credential.h"
#include "regime/directive.h"
#include "regime/posting.h"
#include "regime/private.h"
#include "regime/seen.h"
#include "regime/sighting.h"
#include "regime/waiting.h"

static struct arena *arena;
static struct views *views;
static char dir[] = "/tmp/fuzz-private-XXXXXX";

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

static void fold_all(struct state *st, struct reader r)
{
	for (uint64_t position = 100; reader_left(&r) >= 2; position++) {
		size_t n = read_u16(&r);
		struct span payload = read_span(&r, n < reader_left(&r) ? n : reader_left(&r));
		uint8_t tag = payload.len > 0 ? (uint8_t)payload.at[0] : 0;
		uint8_t kind = tag == TAG_PACK || tag == TAG_POSTING ? RECORD_RAW : RECORD_PRIVATE;
		enum err e;

		arena_reset(arena);
		e = private_fold(st, kind, position, payload);
		check(e == OK || e == ERR_DAMAGED);
	}
}

static enum err each_sighting(void *context, const struct addressee *to, enum rsit_class c,
			      const struct sighting_line *l, const struct sighting *s)
{
	struct sighting again;

	check(sighting_find(context, to, c, l, &again) == OK && memcmp(&again, s, sizeof(again)) == 0);
	return OK;
}

static enum err each_directive(void *context, const struct addressee *to, const struct directive *d)
{
	struct buffer first = BUFFER(4096), second = BUFFER(4096);
	struct directive found;
	bool own;

	check(directive_find(context, to, &found, &own) == OK && own == (to != NULL));
	directive_write(&first, to, d, false);
	directive_write(&second, to, &found, false);
	check(first.err == OK && span_equal(buffer_view(&first), buffer_view(&second)));
	buffer_free(&first);
	buffer_free(&second);
	return OK;
}

static enum err each_credential(void *context, const struct credential *c)
{
	struct buffer first = BUFFER(4096), second = BUFFER(4096);
	struct credential found;
	struct hash h;

	check(credential_find(context, c->name, &found) == OK);
	if (c->type != CREDENTIAL_PASSWORD) {
		memcpy(h.bytes, c->check.at, HASH_SIZE);
		check(credential_of(context, c->type, h, &found) == OK);
	}
	credential_write(&first, c);
	credential_write(&second, &found);
	check(first.err == OK && span_equal(buffer_view(&first), buffer_view(&second)));
	buffer_free(&first);
	buffer_free(&second);
	return OK;
}

static enum err each_pack(void *context, const struct pack *p)
{
	struct buffer head = BUFFER(4096);
	struct pack again;
	struct span rows;
	int64_t ms;

	check(released_find(context, &p->to, &ms) == OK && p->position >= 100);
	pack_write(&head, p);
	check(head.err == OK && pack_read(buffer_view(&head), &again, &rows) == OK && rows.len == 0);
	check(addressee_equal(&again.to, &p->to) && again.class == p->class && again.events == p->events &&
	      again.last_ms == p->last_ms && again.demonstration == p->demonstration);
	buffer_free(&head);
	return OK;
}

static enum err each_own(void *context, struct span key, struct span value)
{
	struct posting p;
	struct seen s;

	(void)value;
	if (key.at[0] == OWN_POSTED) /* found by its time, found by its id */
		check(key.len == 25 && posting_find(context, (const uint8_t *)key.at + 9, &p) == OK &&
		      p.position >= 100);
	if (key.at[0] == OWN_SEEN)
		check(seen_find(context, (uint8_t)key.at[1], span_from(key, 2), &s) == OK);
	return OK;
}

static struct hash digest(struct state *st)
{
	struct hash h;

	check(views_digest(st->snapshot, &h) == OK);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct reader r = reader_of(span_make(data, size));
	struct hash first;
	struct state st;

	if (arena == NULL)
		start();
	st = (struct state){ .arena = arena };
	check(views_write(views, &st.snapshot) == OK);
	fold_all(&st, r);
	check(sightings_walk(&st, NULL, each_sighting, &st) == OK);
	check(credentials_walk(&st, each_credential, &st) == OK);
	check(directives_walk(&st, each_directive, &st) == OK);
	check(packs_walk(&st, NULL, each_pack, &st) == OK);
	check(view_walk(st.snapshot, VIEW_OWN, SPAN(""), SPAN(""), each_own, &st) == OK);
	first = digest(&st);
	snapshot_end(st.snapshot);
	check(views_write(views, &st.snapshot) == OK);
	fold_all(&st, r);
	check(hash_equal(first, digest(&st)));
	snapshot_end(st.snapshot);
	return 0;
}
