/* Private records, one after the other, each with u16 of its length before it, into views that are empty. A record reads or is
 * damaged; whatever it was, all that stands in the views afterwards reads, is found again under its own name, and comes out
 * the same when the records are folded once more. What a directive's or a contact's reader gives, its writer writes. No contact
 * has a byte that could end a line or a command of SMTP. There are items in the outbox for the records to move; those that wait, and
 * no others, are found by their receiver and by when they are due. */
#include <stdlib.h>
#include <unistd.h>

#include "regime/contact.h"
#include "regime/credential.h"
#include "regime/directive.h"
#include "regime/outbox.h"
#include "regime/posting.h"
#include "regime/outbox_private.h"
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

#define ITEMS 4

/* To AS1 to AS4 by mail; the second also to a node. */
static void queue_some(struct state *st)
{
	struct outbox_item i = { .key.ledger = LEDGER_CIRCLE, .queued_ms = 1000, .next_ms = 1000, .since_ms = 1000 };

	for (unsigned n = 0; n < ITEMS; n++) {
		i.key.way = OUTBOX_MAIL;
		i.key.index = n;
		i.key.to = (struct addressee){ .type = TO_AS, .asn = n + 1 };
		i.next_ms++;
		check(outbox_queue(st, &i) == OK);
	}
	i.key.way = OUTBOX_NODE;
	i.key.to = (struct addressee){ .type = TO_PARTY, .domain = SPAN("b.example") };
	check(outbox_queue(st, &i) == OK);
}

static void fold_all(struct state *st, struct reader r)
{
	queue_some(st);
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

static void is_harmless(struct span mail)
{
	size_t at = 0;

	for (size_t i = 0; i < mail.len; i++) {
		unsigned char c = (unsigned char)mail.at[i];

		check(c > 0x20 && c < 0x7f && strchr("<>()[]\\,;:\"", c) == NULL);
		at += c == '@';
	}
	check(at == 1);
}

static enum err each_contact(void *context, const struct addressee *to, const struct contact *c)
{
	struct buffer first = BUFFER(1 << 16), second = BUFFER(1 << 16);
	struct contact found;

	if (c->mail.len > 0)
		is_harmless(c->mail);
	check(contact_find(context, to, c->source, &found) == OK);
	contact_write(&first, to, c);
	contact_write(&second, to, &found);
	check(first.err == OK && span_equal(buffer_view(&first), buffer_view(&second)));
	buffer_free(&first);
	buffer_free(&second);
	return OK;
}

struct outbox_seen {
	struct state *st;
	size_t waiting, due, to_receivers;
};

static enum err count_due(void *context, const struct outbox_item *i)
{
	struct outbox_seen *s = context;

	check(i->step == OUTBOX_WAITING);
	s->due++;
	return OK;
}

static enum err count_waiting(void *context, const struct outbox_item *i)
{
	struct outbox_seen *s = context;

	check(i->step == OUTBOX_WAITING);
	s->to_receivers++;
	return OK;
}

static enum err each_item(void *context, const struct outbox_item *i)
{
	struct outbox_seen *s = context;
	struct outbox_item found;

	check(outbox_find(s->st, &i->key, &found) == OK && found.step == i->step && found.next_ms == i->next_ms);
	check(i->step != OUTBOX_BOUNCED && i->step != OUTBOX_ARRIVED && i->detail.len <= OUTBOX_DETAIL_MAX);
	if (i->contact.len > 0)
		is_harmless(i->contact);
	s->waiting += i->step == OUTBOX_WAITING;
	return outbox_waiting(s->st, i->key.way, &i->key.to, count_waiting, s);
}

static void check_outbox(struct state *st)
{
	struct outbox_seen s = { .st = st };

	check(outbox_walk(st, NULL, each_item, &s) == OK);
	check(outbox_due(st, OUTBOX_MAIL, INT64_MAX, count_due, &s) == OK);
	check(outbox_due(st, OUTBOX_NODE, INT64_MAX, count_due, &s) == OK);
	check(s.due == s.waiting && s.to_receivers == s.waiting);
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
	check(contacts_walk(&st, each_contact, &st) == OK);
	check_outbox(&st);
	check(view_walk(st.snapshot, VIEW_OWN, SPAN(""), SPAN(""), each_own, &st) == OK);
	first = digest(&st);
	snapshot_end(st.snapshot);
	check(views_write(views, &st.snapshot) == OK);
	fold_all(&st, r);
	check(hash_equal(first, digest(&st)));
	snapshot_end(st.snapshot);
	return 0;
}
