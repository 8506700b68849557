#include "mail/mail_work.h"

#include <sodium.h>
#include <stdio.h>

#include "mail/answer_link.h"
#include "mail/mail_text.h"
#include "ledger/entry.h"
#include "regime/help.h"

#define ITEM_ARENA ((size_t)128 << 20) /* of one mail: its evidence, packed */
#define LINK_DAYS 30		       /* so long after `due`, or after now, a link answers */
#define DAY_MS INT64_C(86400000)
#define HOUR_MS INT64_C(3600000)
#define AT_ONCE_MAX 1024

/* ---- one mail ---- */

struct letter {
	struct statement s;
	struct matter matter;
	struct mail_notice m;
	char tag[BOUNCE_TAG_SIZE];
	struct span mail; /* of the contact, copied */
	struct buffer text;
};

static enum err copy(struct arena *a, struct span s, struct span *out)
{
	const char *to = arena_copy(a, s.at, s.len);

	*out = span_make(to, s.len);
	return to != NULL ? OK : ERR_NO_MEMORY;
}

/* Addressee `number` of a notice: its `to`, then its `cc`. */
static enum err addressee_of(const struct statement *s, unsigned number, struct addressee *out)
{
	size_t left = number;

	if (left < s->to_count) {
		*out = s->to[left];
		return OK;
	}
	left -= s->to_count;
	for (size_t i = 0; i < s->header_count; i++)
		if (span_is(s->headers[i].name, "cc") && left-- == 0)
			return addressee_parse(s->headers[i].value, out);
	return fail(ERR_NOT_FOUND, "the notice has no addressee %u", number);
}

static enum err number_of(const struct statement *s, const struct addressee *to, unsigned *out)
{
	struct addressee one;
	enum err e;

	for (*out = 0; (e = addressee_of(s, *out, &one)) == OK; ++*out)
		if (addressee_equal(&one, to))
			return OK;
	return e;
}

static enum err link_of(struct node *n, const struct config *c, struct arena *a, unsigned number, int64_t now_ms,
			struct mail_notice *m)
{
	int64_t from = m->due_ms > now_ms ? m->due_ms : now_ms;
	struct answer_link l = { .notice = m->s->id,
				 .addressee = number,
				 .until_ms = (from + LINK_DAYS * DAY_MS) / HOUR_MS * HOUR_MS,
				 .contact = hash_span(m->contact.mail) };
	char token[ANSWER_LINK_MAX], *url;

	if (c->url.len == 0)
		return OK;
	answer_link_print(n, &l, token);
	if ((url = arena_print(a, "%.*s/answer/%s", SPAN_FORMAT(c->url), token)) == NULL)
		return ERR_NO_MEMORY;
	m->link = span_of(url);
	m->link_until_ms = l.until_ms;
	return OK;
}

static enum err body_of(struct node *n, struct arena *a, const struct statement *s, struct span *out)
{
	const uint8_t *salt;
	enum err e = s->has_body ? node_body(n, a, s->body.hash, &salt, out) : ERR_NOT_FOUND;

	if (e == ERR_NOT_FOUND) {
		*out = SPAN("");
		e = OK;
	}
	if (e == OK && !span_is(s->body.media_type, EVIDENCE_TYPE))
		*out = SPAN("");
	return e;
}

/* number UINT_MAX: that of `to`. The contact's spans need not outlive the call. */
static enum err write_letter(struct node *n, const struct config *c, const struct state *st, struct arena *a,
			     const struct hash *notice, const struct addressee *to, unsigned number,
			     const struct contact *contact, int64_t now_ms, struct letter *l)
{
	struct mail_notice *m = &l->m;
	struct span text;
	struct entry entry;
	struct help help;
	enum err e = state_matter(st, *notice, &l->matter);

	if (e == OK && l->matter.kind != KIND_NOTICE && state_help(st, *notice, &help) != OK)
		e = fail(ERR_MATTER_UNKNOWN, "a %s is not sent by mail", kind_name(l->matter.kind));
	if (e == OK && (e = node_entry(n, a, l->matter.ledger, l->matter.index, &text)) == OK &&
	    (e = entry_parse(text, &entry)) == OK)
		e = statement_parse(a, entry.note, &l->s);
	if (e == OK)
		e = to != NULL ? number_of(&l->s, to, &number) : OK;
	if (e != OK)
		return e;
	*m = (struct mail_notice){ .s = &l->s, .note = entry.note, .contact = *contact, .logged_ms = entry.logged_ms };
	m->due_ms = l->matter.due_ms;
	m->date_ms = now_ms;
	if ((e = addressee_of(&l->s, number, &m->to)) != OK || (e = copy(a, contact->mail, &m->contact.mail)) != OK ||
	    (e = copy(a, contact->openpgp, &m->contact.openpgp)) != OK || (e = body_of(n, a, &l->s, &m->body)) != OK)
		return e;
	l->mail = m->contact.mail;
	bounce_tag(n, l->matter.index, number, m->contact.mail, l->tag);
	m->tag = span_of(l->tag);
	return link_of(n, c, a, number, now_ms, m);
}

/* local+TAG@domain; without `mail-bounces` the mailbox that writes. */
static struct span envelope(const struct config *c, struct arena *a, const struct letter *l)
{
	struct span domain = c->mail_bounces, local = span_cut(&domain, '@');
	const char *text;

	if (c->mail_bounces.len == 0)
		return c->mail_from;
	text = arena_print(a, "%.*s+%s@%.*s", SPAN_FORMAT(local), l->tag, SPAN_FORMAT(domain));
	return text != NULL ? span_of(text) : SPAN("");
}

enum err mail_for(struct node *n, const struct config *c, struct arena *a, const struct hash *notice,
		  unsigned addressee, const struct contact *contact, int64_t now_ms, struct buffer *out)
{
	struct letter l;
	struct state st;
	enum err e = node_read(n, a, &st);

	if (e != OK)
		return e;
	e = write_letter(n, c, &st, a, notice, NULL, addressee, contact, now_ms, &l);
	snapshot_end(st.snapshot);
	return e == OK ? mail_compose(n, c, &l.m, out) : e;
}

/* ---- what is due ---- */

struct due {
	struct arena *arena; /* of the list */
	struct outbox_key *keys;
	size_t count, most;
	enum err err;
};

static enum err take(void *context, const struct outbox_item *i)
{
	struct due *d = context;

	if (d->count == d->most)
		return ERR_BUSY; /* enough; ends the walk */
	d->keys[d->count] = i->key;
	if (i->key.to.type == TO_PARTY &&
	    (d->err = copy(d->arena, i->key.to.domain, &d->keys[d->count].to.domain)) != OK)
		return d->err;
	d->count++;
	return OK;
}

static enum err list_due(const struct mail_worker *w, int64_t now_ms, struct due *d)
{
	struct state st;
	enum err e;

	if ((d->keys = arena_array(d->arena, d->most, sizeof(*d->keys))) == NULL)
		return ERR_NO_MEMORY;
	if ((e = node_read(w->node, d->arena, &st)) != OK)
		return e;
	e = outbox_due(&st, OUTBOX_MAIL, now_ms, take, d);
	snapshot_end(st.snapshot);
	return e == ERR_BUSY && d->count == d->most ? OK : e;
}

struct job {
	const struct mail_worker *w;
	const struct outbox_key *key;
	struct arena *arena;
	int64_t now_ms;
	uint32_t attempts;
	bool due;	  /* still */
	const char *over; /* why it is not to be sent any more; NULL: it is */
	enum contact_choice choice;
	struct letter letter;
	struct mail_worked *worked;
};

struct choosing {
	const struct state *st;
	const struct outbox_item *item;
	struct contact *out;
	enum contact_choice *choice;
};

static enum err consider(void *context, const struct contact *contact)
{
	struct choosing *c = context;
	struct contact_health health;
	enum err e;

	if (*c->choice == CONTACT_CHOSEN || outbox_was_tried(c->item, contact->mail))
		return OK;
	if ((e = contact_health(c->st, contact->mail, &health)) != OK || health.quarantined)
		return e;
	*c->out = *contact;
	*c->choice = CONTACT_CHOSEN;
	return OK;
}

/* Without a chooser, by the records and the party's statement alone. */
static enum err choose(const struct job *j, const struct state *st, const struct outbox_item *item,
		       enum contact_choice *choice, struct contact *out)
{
	struct choosing c = { st, item, out, choice };

	if (j->w->contacts != NULL)
		return contact_choose(j->w->contacts, st, item, j->arena, choice, out);
	*choice = CONTACT_NONE;
	return contacts_of(st, &j->key->to, consider, &c);
}

/* What was taken back or is settled troubles nobody; nor does what is long past, as everything that was logged before mail was set
 * up. Whoever wants that sent sets it waiting by hand, from when it counts anew. */
static enum err look_whether_over(struct job *j, const struct state *st, const struct outbox_item *item)
{
	struct matter m;
	enum err e = state_matter(st, item->id, &m);

	j->over = NULL;
	if (e != OK)
		return e;
	if (m.withdrawn)
		j->over = "it was withdrawn before it was sent";
	else if (m.ended)
		j->over = "the matter ended before it was sent";
	else if (j->now_ms - item->since_ms >= OUTBOX_GIVE_UP_MS)
		j->over = "not sent within seven days; `comity outbox retry` sends it all the same";
	return OK;
}

/* Under one snapshot: whether it is still to be done, to whom, and what. */
static enum err prepare(struct job *j, bool *ask)
{
	const struct mail_worker *w = j->w;
	struct outbox_item item;
	struct contact contact;
	struct state st;
	enum err e = node_read(w->node, j->arena, &st);

	*ask = false;
	if (e != OK)
		return e;
	e = outbox_find(&st, j->key, &item);
	j->due = e == OK && item.step == OUTBOX_WAITING && item.next_ms <= j->now_ms;
	if (e == ERR_NOT_FOUND)
		e = OK;
	if (e == OK && j->due)
		e = look_whether_over(j, &st, &item);
	if (e == OK && j->due && j->over == NULL) {
		j->attempts = item.attempts;
		e = choose(j, &st, &item, &j->choice, &contact);
	}
	if (e == OK && j->due && j->over == NULL && j->choice == CONTACT_ASK_RDAP)
		*ask = true;
	if (e == OK && j->due && j->over == NULL && j->choice == CONTACT_CHOSEN)
		e = write_letter(w->node, w->config, &st, j->arena, &item.id, &j->key->to, 0, &contact, j->now_ms,
				 &j->letter);
	snapshot_end(st.snapshot);
	return e;
}

static enum err ask(struct job *j)
{
	const struct mail_worker *w = j->w;
	struct outbox_item item;
	struct state st;
	enum err e;

	if (w->ask == NULL)
		return OK;
	if ((e = node_read(w->node, j->arena, &st)) != OK)
		return e;
	e = outbox_find(&st, j->key, &item);
	snapshot_end(st.snapshot);
	if (e == OK) {
		item.key = *j->key;
		item.contact = item.detail = item.tried = SPAN(""); /* they ended with the snapshot */
		e = w->ask(w->context, &item);
	}
	return e;
}

static enum err tell(struct job *j, enum outbox_step step, int64_t next_ms, struct span detail)
{
	struct outbox_event event = { .key = *j->key,
				      .step = step,
				      .at_ms = clock_now_ms(),
				      .next_ms = next_ms,
				      .contact = j->choice == CONTACT_CHOSEN ? j->letter.mail : SPAN(""),
				      .detail = detail };

	if (event.detail.len > OUTBOX_DETAIL_MAX)
		event.detail.len = OUTBOX_DETAIL_MAX;
	return j->w->became(j->w->context, &event);
}

static enum err tell_later(struct job *j, enum err why)
{
	char detail[OUTBOX_DETAIL_MAX];
	int64_t wait = outbox_back_off_ms(j->attempts + 1, randombytes_random());

	snprintf(detail, sizeof(detail), "%s: %s", err_code(why), err_detail());
	j->worked->later++;
	return tell(j, OUTBOX_WAITING, j->now_ms + wait, span_of(detail));
}

static enum err post(struct job *j)
{
	const struct config *c = j->w->config;
	struct buffer text = BUFFER(MAIL_MAX);
	struct span from = envelope(c, j->arena, &j->letter);
	char detail[OUTBOX_DETAIL_MAX];
	struct mail_stop stop = { j->w->stop, j->w->context };
	bool later = false;
	enum err e = from.len > 0 ? mail_compose(j->w->node, c, &j->letter.m, &text) : ERR_NO_MEMORY;

	if (e == OK)
		e = mail_send(c, from, j->letter.mail, buffer_view(&text), stop.asked != NULL ? &stop : NULL, &later);
	buffer_free(&text);
	switch (e) {
	case OK:
		j->worked->sent++;
		return tell(j, OUTBOX_HANDED_OVER, 0, SPAN(""));
	case ERR_MAIL_REFUSED:
		snprintf(detail, sizeof(detail), "%s: %s", err_code(e), err_detail());
		j->worked->refused++;
		return tell(j, OUTBOX_REFUSED, 0, span_of(detail));
	case ERR_UNREACHABLE:
		if (later)
			return tell_later(j, e);
		j->worked->down = true;
		return OK;
	default:
		/* It cannot be written or sent as it must be, which is not the contact's fault. Somebody has to see to that; the
		 * others are sent. */
		j->choice = CONTACT_NONE;
		return err_is_machine(e) ? e : tell_later(j, e);
	}
}

static enum err work_one(struct job *j)
{
	bool asks = false;
	enum err e = prepare(j, &asks);

	if (e == OK && asks && j->w->ask != NULL) {
		if ((e = ask(j)) != OK)
			return err_is_machine(e) ? e : tell_later(j, e);
		e = prepare(j, &asks);
	}
	if (e != OK)
		return err_is_machine(e) ? e : tell_later(j, e);
	if (!j->due)
		return OK;
	if (j->over == NULL && j->choice == CONTACT_CHOSEN)
		return post(j);
	j->worked->undeliverable++;
	if (j->over != NULL) {
		j->choice = CONTACT_NONE;
		return tell(j, OUTBOX_UNDELIVERABLE, 0, span_of(j->over));
	}
	return tell(j, OUTBOX_UNDELIVERABLE, 0, SPAN("no contact is known that works"));
}

static enum err work(const struct mail_worker *w, int64_t now_ms, struct due *d, struct arena *a,
		     struct mail_worked *out)
{
	enum err e = list_due(w, now_ms, d);

	for (size_t i = 0; e == OK && i < d->count && !out->down; i++) {
		struct job j = { .w = w, .key = &d->keys[i], .arena = a, .now_ms = now_ms, .worked = out };

		if (w->stop != NULL && w->stop(w->context))
			break;
		e = work_one(&j);
		arena_reset(a);
	}
	return e;
}

enum err mailer_work(const struct mail_worker *w, int64_t now_ms, size_t most, struct mail_worked *out)
{
	struct due d = { .most = most < AT_ONCE_MAX ? most : AT_ONCE_MAX };
	struct arena *a = NULL;
	enum err e = ERR_NO_MEMORY;

	*out = (struct mail_worked){ 0 };
	if (w->config->smtp.len == 0)
		return OK;
	if ((d.arena = arena_new((size_t)1 << 20)) != NULL && (a = arena_new(ITEM_ARENA)) != NULL)
		e = work(w, now_ms, &d, a, out);
	if (out->down || e != OK || out->sent + out->refused + out->later > 0)
		mail_key_rest(node_dir(w->node));
	arena_free(d.arena);
	arena_free(a);
	return e;
}
