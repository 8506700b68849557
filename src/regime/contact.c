/* The record: K, addressee, u8 source, u64 since, u8 length of the mail, the mail, u32 length of the key, the key.
 * In the view: under a, addressee, u8 source: what follows the source in the record; under e, the mailbox: its health, eight u64 and
 * u8 quarantined. */
#include "regime/contact.h"

#include <assert.h>

#include "regime/private.h"

static const char *const source_names[CONTACT_SOURCE_COUNT] = { "operator", "party", "whois", "rdap" };

const char *contact_source_name(enum contact_source s)
{
	return (unsigned)s < CONTACT_SOURCE_COUNT ? source_names[s] : "?";
}

/* atext of RFC 5322 */
static bool is_atext(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(struct span s)
{
	bool after_dot = true;

	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] == '.' ? after_dot : !is_atext(s.at[i]))
			return false;
		after_dot = s.at[i] == '.';
	}
	return !after_dot;
}

enum err contact_mail_check(struct span mail)
{
	struct span domain = mail, local = span_cut(&domain, '@');

	if (mail.len > CONTACT_MAIL_MAX || domain.at == NULL || local.len > 64 || !is_dot_atom(local) ||
	    !span_is_domain(domain))
		return fail(ERR_SYNTAX, "no mailbox of the form name@host.example, in ASCII and without quotes");
	return OK;
}

/* ---- records ---- */

/* One of RDAP that names no mailbox. */
static bool names_none(const struct contact *c)
{
	return c->mail.len == 0 && c->source == CONTACT_RDAP && time_known(c->since_ms) != 0;
}

void contact_write(struct buffer *record, const struct addressee *to, const struct contact *c)
{
	assert(c->source != CONTACT_PARTY && c->source < CONTACT_SOURCE_COUNT);
	if (record->err == OK && c->mail.len > 0)
		record->err = contact_mail_check(c->mail);
	if (record->err == OK && c->openpgp.len > CONTACT_OPENPGP_MAX)
		record->err = ERR_TOO_LONG;
	buffer_byte(record, TAG_CONTACT);
	write_addressee(record, to);
	buffer_byte(record, (uint8_t)c->source);
	buffer_u64(record, c->mail.len > 0 || names_none(c) ? time_known(c->since_ms) : 0);
	buffer_byte(record, (uint8_t)c->mail.len);
	buffer_span(record, c->mail);
	buffer_u32(record, c->mail.len > 0 ? (uint32_t)c->openpgp.len : 0);
	if (c->mail.len > 0)
		buffer_span(record, c->openpgp);
}

static enum err read_value(struct span value, struct contact *c)
{
	struct reader r = reader_of(value);

	c->since_ms = (int64_t)read_u64(&r);
	c->mail = read_span(&r, read_u8(&r));
	c->openpgp = read_span(&r, read_u32(&r));
	if (r.err != OK || reader_left(&r) != 0 || c->since_ms < 0 || c->since_ms > TIME_MAX ||
	    c->openpgp.len > CONTACT_OPENPGP_MAX)
		return ERR_SYNTAX;
	if (c->mail.len == 0)
		return c->openpgp.len == 0 && (c->since_ms == 0 || c->source == CONTACT_RDAP) ? OK : ERR_SYNTAX;
	return contact_mail_check(c->mail);
}

static struct state_key key_contacts(const struct addressee *to)
{
	struct state_key k = key_of((enum state_letter)OWN_CONTACT);

	if (to != NULL)
		key_add_addressee(&k, to);
	return k;
}

enum err contact_fold(struct state *st, struct span payload)
{
	struct reader r = reader_of(span_from(payload, 1));
	struct addressee to;
	struct contact c = { 0 };
	struct state_key k;
	struct span value;
	uint8_t source;
	enum err e;

	read_addressee(&r, &to);
	source = read_u8(&r);
	value = span_make(r.at, reader_left(&r));
	c.source = (enum contact_source)source;
	if (r.err != OK || to.type == TO_ALL || source >= CONTACT_SOURCE_COUNT || source == CONTACT_PARTY ||
	    read_value(value, &c) != OK)
		return private_damaged("a contact");
	k = key_contacts(&to);
	key_add_u8(&k, source);
	if (c.mail.len > 0 || names_none(&c)) {
		e = view_put(st->snapshot, VIEW_OWN, key_view(&k), value);
	} else {
		e = view_delete(st->snapshot, VIEW_OWN, key_view(&k));
		e = e == ERR_NOT_FOUND ? OK : e;
	}
	return e == OK && c.source == CONTACT_OPERATOR && c.mail.len > 0 ? health_forgiven(st, c.mail) : e;
}

enum err contact_find(const struct state *st, const struct addressee *to, enum contact_source source,
		      struct contact *out)
{
	struct state_key k = key_contacts(to);
	struct span value;
	enum err e;

	*out = (struct contact){ .source = source };
	key_add_u8(&k, (uint8_t)source);
	e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);
	return e == OK && read_value(value, out) != OK ? state_damaged("contact") : e;
}

struct row_walk {
	contact_row *each;
	void *context;
};

static enum err show_row(void *context, struct span key, struct span value)
{
	struct row_walk *w = context;
	struct reader r = reader_of(span_from(key, 1));
	struct addressee to;
	struct contact c = { 0 };

	read_addressee(&r, &to);
	c.source = (enum contact_source)read_u8(&r);
	if (r.err != OK || reader_left(&r) != 0 || c.source >= CONTACT_SOURCE_COUNT || read_value(value, &c) != OK)
		return state_damaged("contact");
	return w->each(w->context, &to, &c);
}

enum err contacts_walk(const struct state *st, contact_row *each, void *context)
{
	struct row_walk w = { each, context };
	struct state_key prefix = key_contacts(NULL);

	return view_walk(st->snapshot, VIEW_OWN, key_view(&prefix), SPAN(""), show_row, &w);
}

/* ---- those of an addressee ---- */

/* The party's own statement names four at most; of the other sources there is one each. */
#define CONTACTS_MAX 8
struct contacts {
	struct contact list[CONTACTS_MAX];
	bool quarantined[CONTACTS_MAX];
	size_t count;
};

static enum err add(const struct state *st, struct contacts *all, const struct contact *c)
{
	struct contact_health h;
	enum err e;

	if (c->mail.len == 0 || all->count == CONTACTS_MAX)
		return OK;
	for (size_t i = 0; i < all->count; i++)
		if (span_equal(all->list[i].mail, c->mail))
			return OK;
	if ((e = contact_health(st, c->mail, &h)) != OK)
		return e;
	all->list[all->count] = *c;
	all->quarantined[all->count++] = h.quarantined;
	return OK;
}

static enum err add_record(const struct state *st, struct contacts *all, const struct addressee *to,
			   enum contact_source source)
{
	struct contact c;
	enum err e = contact_find(st, to, source, &c);

	return e == OK ? add(st, all, &c) : e == ERR_NOT_FOUND ? OK : e;
}

static enum err add_stated(const struct state *st, struct contacts *all, const struct addressee *to)
{
	struct contact c = { .source = CONTACT_PARTY };
	struct party p;
	enum err e;

	if (to->type != TO_PARTY)
		return OK;
	if ((e = state_party(st, to->domain, &p)) != OK)
		return e == ERR_PARTY_UNKNOWN ? OK : e;
	c.since_ms = p.logged_ms;
	for (unsigned i = 0; e == OK && party_contact(&p, i, &c.mail); i++)
		if (contact_mail_check(c.mail) == OK)
			e = add(st, all, &c);
	return e;
}

enum err contacts_of(const struct state *st, const struct addressee *to, contact_each *each, void *context)
{
	struct contacts all = { .count = 0 };
	enum err e = add_record(st, &all, to, CONTACT_OPERATOR);

	if (e == OK)
		e = add_stated(st, &all, to);
	if (e == OK)
		e = add_record(st, &all, to, CONTACT_WHOIS);
	if (e == OK)
		e = add_record(st, &all, to, CONTACT_RDAP);
	for (int late = 0; late < 2; late++)
		for (size_t i = 0; e == OK && i < all.count; i++)
			if (all.quarantined[i] == (late == 1))
				e = each(context, &all.list[i]);
	return e;
}

/* ---- health ---- */

static struct state_key key_health(struct span mail)
{
	struct state_key k = key_of((enum state_letter)OWN_HEALTH);

	key_add(&k, mail.at, mail.len);
	return k;
}

enum err contact_health(const struct state *st, struct span mail, struct contact_health *out)
{
	struct state_key k;
	struct reader r;
	struct span value;
	uint8_t quarantined;
	enum err e;

	*out = (struct contact_health){ 0 };
	if (mail.len == 0 || mail.len > CONTACT_MAIL_MAX)
		return OK;
	k = key_health(mail);
	e = view_get(st->snapshot, VIEW_OWN, key_view(&k), &value);
	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	r = reader_of(value);
	out->sent = read_u64(&r);
	out->bounced_for_good = read_u64(&r);
	out->bounced_for_now = read_u64(&r);
	out->answered = read_u64(&r);
	out->bounces_in_a_row = read_u32(&r);
	out->last_sent_ms = (int64_t)read_u64(&r);
	out->last_bounced_ms = (int64_t)read_u64(&r);
	out->last_answered_ms = (int64_t)read_u64(&r);
	out->answer_sum_ms = (int64_t)read_u64(&r);
	quarantined = read_u8(&r);
	out->quarantined = quarantined != 0;
	return r.err == OK && reader_left(&r) == 0 && quarantined <= 1 ? OK : state_damaged("contact's health");
}

static enum err health_put(struct state *st, struct span mail, const struct contact_health *h)
{
	struct state_key k = key_health(mail);
	struct buffer b = BUFFER(128);
	enum err e;

	buffer_u64(&b, h->sent);
	buffer_u64(&b, h->bounced_for_good);
	buffer_u64(&b, h->bounced_for_now);
	buffer_u64(&b, h->answered);
	buffer_u32(&b, h->bounces_in_a_row);
	buffer_u64(&b, (uint64_t)h->last_sent_ms);
	buffer_u64(&b, (uint64_t)h->last_bounced_ms);
	buffer_u64(&b, (uint64_t)h->last_answered_ms);
	buffer_u64(&b, (uint64_t)h->answer_sum_ms);
	buffer_byte(&b, h->quarantined);
	e = b.err != OK ? b.err : view_put(st->snapshot, VIEW_OWN, key_view(&k), buffer_view(&b));
	buffer_free(&b);
	return e;
}

/* What was sent and did not come back for so long is taken to have got there. */
#define STAYED_MS (INT64_C(7) * 86400000)

enum err health_sent(struct state *st, struct span mail, int64_t at_ms)
{
	struct contact_health h;
	enum err e = contact_health(st, mail, &h);

	if (e != OK)
		return e;
	if (h.last_sent_ms > h.last_bounced_ms && at_ms - h.last_sent_ms > STAYED_MS)
		h.bounces_in_a_row = 0;
	h.sent++;
	h.last_sent_ms = at_ms;
	return health_put(st, mail, &h);
}

enum err health_bounced(struct state *st, struct span mail, int64_t at_ms, bool for_good)
{
	struct contact_health h;
	enum err e = contact_health(st, mail, &h);

	if (e != OK)
		return e;
	if (for_good) {
		h.bounced_for_good++;
		h.bounces_in_a_row += h.bounces_in_a_row < UINT32_MAX;
		h.quarantined |= h.bounces_in_a_row >= CONTACT_BOUNCES_MAX;
	} else {
		h.bounced_for_now++;
	}
	h.last_bounced_ms = at_ms;
	return health_put(st, mail, &h);
}

enum err health_answered(struct state *st, struct span mail, int64_t sent_ms, int64_t at_ms)
{
	struct contact_health h;
	enum err e = contact_health(st, mail, &h);

	if (e != OK)
		return e;
	h.answered++;
	h.bounces_in_a_row = 0;
	h.quarantined = false;
	h.last_answered_ms = at_ms;
	if (at_ms > sent_ms && at_ms - sent_ms <= INT64_MAX - h.answer_sum_ms)
		h.answer_sum_ms += at_ms - sent_ms;
	return health_put(st, mail, &h);
}

enum err health_forgiven(struct state *st, struct span mail)
{
	struct contact_health h;
	enum err e = contact_health(st, mail, &h);

	if (e != OK || (h.bounces_in_a_row == 0 && !h.quarantined))
		return e;
	h.bounces_in_a_row = 0;
	h.quarantined = false;
	return health_put(st, mail, &h);
}
