/* The outbox: what concerns whom, what events do to items and to the health of mailboxes, against a plain model; and that a
 * rebuild comes to the same. */
#include "regime/outbox.h"

#include <stdio.h>

#include "regime/contact.h"
#include "regime/private.h"
#include "regime_node.h"

#define T0 INT64_C(1795000000000)
#define HOUR INT64_C(3600000)

static void mailboxes(void **state)
{
	static const struct {
		const char *mail;
		bool good;
	} table[] = {
		{ "abuse@example.net", true },
		{ "Abuse.Desk+x@a.example", true },
		{ "a/b=c!#$%&'*^_`{|}~?-@a.example", true },
		{ "a@xn--bcher-kva.example", true },
		{ "", false },
		{ "abuse", false },
		{ "@a.example", false },
		{ "a@", false },
		{ "a@example", false },
		{ "a@b@c.example", false },
		{ "a b@c.example", false },
		{ "\"a\"@c.example", false },
		{ ".a@c.example", false },
		{ "a.@c.example", false },
		{ "a..b@c.example", false },
		{ "a@[192.0.2.1]", false },
		{ "a@192.0.2.1", false },
		{ "a@C.example", false },
		{ "a@c.example.", false },
		{ "a@c.example\r\nBcc: x@y.example", false },
		{ "a\n@c.example", false },
		{ "<a@c.example>", false },
		{ "a,b@c.example", false },
		{ "a(b)@c.example", false },
		{ "\xc3\xbc@c.example", false },
		{ "a@b\xc3\xbc.example", false },
		{ "1234567890123456789012345678901234567890123456789012345678901234@c.example", true },
		{ "12345678901234567890123456789012345678901234567890123456789012345@c.example", false },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		if ((contact_mail_check(span_of(table[i].mail)) == OK) != table[i].good)
			fail_msg("%s", table[i].mail);
	assert_int_equal(contact_mail_check(span_make("a\0@c.example", 12)), ERR_SYNTAX);
}

static void back_off(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (uint32_t n = 0; n < 100; n++) {
		double plain = 30000.0;

		for (uint32_t i = 1; i < n; i++)
			plain = plain * 2 < 6.0 * 3600000 ? plain * 2 : 6.0 * 3600000;
		for (int i = 0; i < 100; i++) {
			int64_t ms = outbox_back_off_ms(n, (uint32_t)test_random(&seed));

			assert_true((double)ms >= plain * 0.75 - 1 && (double)ms <= plain * 1.25 + 1);
		}
	}
	assert_int_equal(outbox_back_off_ms(UINT32_MAX, 0), 6 * HOUR * 3 / 4);
	assert_int_equal(outbox_back_off_ms(1, 0), 22500);
}

/* ---- a node ---- */

static void record(struct world *w, const struct buffer *b)
{
	struct span part = buffer_view(b);

	assert_int_equal(b->err, OK);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(w->n), OK);
}

static void tell(struct world *w, const struct outbox_event *ev, size_t count)
{
	struct buffer b = BUFFER(1 << 16);

	outbox_write(&b, ev, count);
	record(w, &b);
	buffer_free(&b);
}

static void set_contact(struct world *w, const struct addressee *to, enum contact_source source, const char *mail,
			int64_t since_ms)
{
	struct contact c = { .mail = span_of(mail), .source = source, .since_ms = since_ms };
	struct buffer b = BUFFER(1 << 16);

	contact_write(&b, to, &c);
	record(w, &b);
	buffer_free(&b);
}

static struct state read_state(struct world *w)
{
	struct state st;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	return st;
}

static enum err print_item(void *context, const struct outbox_item *i)
{
	struct buffer *b = context;

	buffer_print(b, "%ju %s ", (uintmax_t)i->key.index, i->key.way == OUTBOX_MAIL ? "mail" : "node");
	addressee_print(&i->key.to, b);
	buffer_print(b, " %s", outbox_step_name(i->step));
	if (i->contact.len > 0)
		buffer_print(b, " %.*s", SPAN_FORMAT(i->contact));
	buffer_byte(b, '\n');
	return OK;
}

static void holds(struct world *w, const char *expected)
{
	struct state st = read_state(w);
	struct buffer b = BUFFER(1 << 16);

	assert_int_equal(outbox_walk(&st, NULL, print_item, &b), OK);
	assert_span(buffer_view(&b), expected);
	buffer_free(&b);
	snapshot_end(st.snapshot);
}

/* Live, audited, made again: the same bytes. */
static void same_when_made_again(struct world *w)
{
	struct state st = read_state(w);
	struct hash live, again;
	struct audit a;

	assert_int_equal(views_digest(st.snapshot, &live), OK);
	snapshot_end(st.snapshot);
	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	assert_true(hash_equal(a.views, live));
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/views", w->dir));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	st = read_state(w);
	assert_int_equal(views_digest(st.snapshot, &again), OK);
	snapshot_end(st.snapshot);
	assert_true(hash_equal(again, live));
}

static const struct addressee as64500 = { .type = TO_AS, .asn = 64500 };
static const struct addressee op = { .type = TO_PARTY, .domain = SPAN("op.example") };

static struct span answer_text(struct world *w, const struct signer *s, struct hash re, const char *lines)
{
	return statement_text(w->arena, KIND_ANSWER, "cert.example/circle", s,
			      arena_print(w->arena, "re %s\n%s", hex_of(w->arena, re), lines), NULL);
}

static void what_a_node_logs(void **state)
{
	struct world *w = world_new(*state);
	struct outbox_key key = { OUTBOX_MAIL, as64500, LEDGER_CIRCLE, 1 };
	struct contact_health h;
	struct outbox_item i;
	struct state st;
	struct hash id;

	/* op.example reads here; for the resources there is nobody yet. */
	holds(w, "1 mail AS64500 waiting\n1 mail prefix 192.0.2.128/25 waiting\n");
	set_contact(w, &op, CONTACT_OPERATOR, "noc@op.example", T0);
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_NOTICE, "cert.example/circle", w->res,
						  "to op.example\nto AS7\nto op.example\ncc country EE\ncc AS7\n"
						  "class vulnerable/weak-crypto\nevents 1\n" SEALED_BODY,
						  &id),
				   NULL),
			 OK);
	holds(w, "1 mail AS64500 waiting\n1 mail prefix 192.0.2.128/25 waiting\n"
		 "2 mail op.example waiting\n2 mail AS7 waiting\n2 mail country EE waiting\n");
	/* What is made for a demonstration reaches no real mailbox. */
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_NOTICE, "cert.example/circle", w->res,
						  "to AS7\nclass vulnerable/weak-crypto\nevents 1\n"
						  "demonstration yes\n" SEALED_BODY,
						  NULL),
				   NULL),
			 OK);
	tell(w,
	     &(struct outbox_event){
		     .key = key, .step = OUTBOX_HANDED_OVER, .at_ms = T0, .contact = SPAN("abuse@as64500.example") },
	     1);
	/* The node answers for who used the link: it arrived, and the mailbox works. */
	assert_int_equal(
		world_add(w, answer_text(w, node_signer(w->n), w->notice_as, "outcome fixed\nfor AS64500\nvia mail\n"),
			  NULL),
		OK);
	holds(w, "1 mail AS64500 arrived abuse@as64500.example\n1 mail prefix 192.0.2.128/25 waiting\n"
		 "2 mail op.example waiting\n2 mail AS7 waiting\n2 mail country EE waiting\n");
	st = read_state(w);
	assert_int_equal(contact_health(&st, SPAN("abuse@as64500.example"), &h), OK);
	assert_int_equal(h.sent, 1);
	assert_int_equal(h.answered, 1);
	assert_int_equal(h.last_sent_ms, T0);
	assert_int_equal(outbox_find(&st, &key, &i), OK);
	assert_true(hash_equal(i.id, w->notice_as) && hash_equal(i.matter, w->notice_as));
	snapshot_end(st.snapshot);
	/* An author's own word is no arrival; an addressee's is. */
	assert_int_equal(world_add(w, answer_text(w, w->res, id, "outcome re-observed\n"), NULL), OK);
	assert_int_equal(world_add(w, answer_text(w, w->op, id, "outcome acknowledged\n"), NULL), OK);
	holds(w, "1 mail AS64500 arrived abuse@as64500.example\n1 mail prefix 192.0.2.128/25 waiting\n"
		 "2 mail op.example arrived\n2 mail AS7 waiting\n2 mail country EE waiting\n");
	same_when_made_again(w);
	world_free(w);
}

/* ---- contacts ---- */

static enum err print_contact(void *context, const struct contact *c)
{
	buffer_print(context, "%s %.*s\n", contact_source_name(c->source), SPAN_FORMAT(c->mail));
	return OK;
}

static void has(struct world *w, const struct addressee *to, const char *expected)
{
	struct state st = read_state(w);
	struct buffer b = BUFFER(4096);

	assert_int_equal(contacts_of(&st, to, print_contact, &b), OK);
	assert_span(buffer_view(&b), expected);
	buffer_free(&b);
	snapshot_end(st.snapshot);
}

static void contacts(void **state)
{
	struct world *w = world_new(*state);
	struct outbox_event bounce = { .key = { OUTBOX_MAIL, as64500, LEDGER_CIRCLE, 1 },
				       .step = OUTBOX_BOUNCED,
				       .at_ms = T0,
				       .contact = SPAN("w@a.example") };
	struct contact c;
	struct state st;

	set_contact(w, &as64500, CONTACT_RDAP, "r@a.example", T0);
	set_contact(w, &as64500, CONTACT_WHOIS, "w@a.example", T0);
	has(w, &as64500, "whois w@a.example\nrdap r@a.example\n");
	set_contact(w, &as64500, CONTACT_OPERATOR, "r@a.example", T0);
	has(w, &as64500, "operator r@a.example\nwhois w@a.example\n");
	set_contact(w, &as64500, CONTACT_OPERATOR, "", 0);
	set_contact(w, &as64500, CONTACT_OPERATOR, "", 0); /* once more does nothing */
	has(w, &as64500, "whois w@a.example\nrdap r@a.example\n");
	/* The register has none: known, and none to write to. */
	set_contact(w, &op, CONTACT_RDAP, "", T0 + 5);
	has(w, &op, "");
	st = read_state(w);
	assert_int_equal(contact_find(&st, &op, CONTACT_RDAP, &c), OK);
	assert_int_equal(c.since_ms, T0 + 5);
	assert_int_equal(contact_find(&st, &op, CONTACT_WHOIS, &c), ERR_NOT_FOUND);
	snapshot_end(st.snapshot);
	/* A mailbox from which all comes back stands last, until the operator names it again. */
	for (uint32_t i = 0; i < CONTACT_BOUNCES_MAX; i++) {
		tell(w, &(struct outbox_event){ .key = bounce.key, .step = OUTBOX_WAITING, .at_ms = T0 }, 1);
		tell(w, &bounce, 1);
		tell(w, &bounce, 1); /* told twice, counted once */
	}
	has(w, &as64500, "rdap r@a.example\nwhois w@a.example\n");
	set_contact(w, &as64500, CONTACT_OPERATOR, "w@a.example", T0);
	has(w, &as64500, "operator w@a.example\nrdap r@a.example\n");
	same_when_made_again(w);
	world_free(w);
}

/* ---- between nodes ---- */

static void put_party(struct bare *b, const char *domain, const char *home)
{
	struct signer *s = signer_of(domain);
	struct party p;

	assert_int_equal(bare_fold(b,
				   party_text(b->arena, "cert.example/public", s, "role researcher\nrole node\n", NULL),
				   LEDGER_PUBLIC, 1000),
			 OK);
	assert_int_equal(party_get(&b->st, span_of(domain), &p), OK);
	p.title = SPAN("");
	p.home = span_of(home);
	assert_int_equal(party_put(&b->st, &p), OK);
	signer_free(s);
}

static struct hash enter(struct bare *b, enum kind k, const char *from, const char *lines)
{
	struct signer *s = signer_of(from);
	struct statement parsed;
	struct hash id;
	struct span note = statement_text(b->arena, k, "cert.example/circle", s, lines, &id);

	assert_int_equal(bare_fold(b, note, LEDGER_CIRCLE, T0), OK);
	assert_true(b->st.effective);
	assert_int_equal(statement_parse(b->arena, note, &parsed), OK);
	assert_int_equal(outbox_enter(&b->st, &parsed), OK);
	signer_free(s);
	return id;
}

static void bare_holds(struct bare *b, const struct hash *id, const char *expected)
{
	struct buffer text = BUFFER(1 << 16);

	assert_int_equal(outbox_walk(&b->st, id, print_item, &text), OK);
	assert_span(buffer_view(&text), expected);
	buffer_free(&text);
}

static void between_nodes(void **state)
{
	struct bare *b = bare_new(*state, "bare");
	struct addressee node_b = { .type = TO_PARTY, .domain = SPAN("b.example") };
	struct buffer text = BUFFER(4096);
	struct hash notice, answer, over;

	put_party(b, "res.example", "cert.example");
	put_party(b, "b.example", "b.example");
	put_party(b, "m.example", "b.example");
	put_party(b, "n.example", "b.example");
	put_party(b, "c.example", "c.example");
	put_party(b, "p.example", "c.example");
	/* Two parties of one node are one item; who is kept here reads here; who is not known anywhere must be written to. */
	notice = enter(b, KIND_NOTICE, "res.example",
		       "to m.example\nto n.example\nto res.example\nto cert.example\nto c.example\ncc new.example\n"
		       "class vulnerable/weak-crypto\nevents 1\n" SEALED_BODY);
	bare_holds(b, &notice, "0 node b.example waiting\n0 node c.example waiting\n0 mail new.example waiting\n");
	/* The answer of m.example, filed here: to the other nodes concerned, and b.example itself has shown that it has it. */
	answer = enter(b, KIND_ANSWER, "m.example",
		       arena_print(b->arena, "re %s\noutcome acknowledged\n", hex_of(b->arena, notice)));
	bare_holds(b, &answer, "1 node b.example waiting\n1 node c.example waiting\n");
	bare_holds(b, &notice, "0 node b.example arrived\n0 node c.example waiting\n0 mail new.example waiting\n");
	over = enter(b, KIND_WITHDRAW, "res.example", arena_print(b->arena, "re %s\n", hex_of(b->arena, notice)));
	bare_holds(b, &over, "2 node b.example waiting\n2 node c.example waiting\n");
	assert_int_equal(outbox_waiting(&b->st, OUTBOX_NODE, &node_b, print_item, &text), OK);
	assert_span(buffer_view(&text), "1 node b.example waiting\n2 node b.example waiting\n");
	buffer_free(&text);
	bare_free(b);
}

static void put_node(struct bare *b, const char *domain, const char *url)
{
	struct party p;

	put_party(b, domain, domain);
	assert_int_equal(party_get(&b->st, span_of(domain), &p), OK);
	p.home = span_of(domain);
	p.url = span_of(url);
	assert_int_equal(party_put(&b->st, &p), OK);
}

/* What is asked of all goes to every node that can be reached, and what its author says of it; an offer to the author alone. */
static void help(void **state)
{
	struct bare *b = bare_new(*state, "bare");
	struct hash all, offer, closed, some, ping;

	assert_int_equal(
		bare_fold(b, statement_text(b->arena, KIND_RULES, "cert.example/public", b->node, "version 3\n", NULL),
			  LEDGER_PUBLIC, 1000),
		OK);
	put_party(b, "res.example", "cert.example");
	put_node(b, "b.example", "https://b.example");
	put_node(b, "c.example", "https://c.example");
	put_node(b, "d.example", "");
	put_party(b, "m.example", "b.example");
	all = enter(b, KIND_REQUEST, "res.example", "to all\nneed help\n");
	bare_holds(b, &all, "0 node b.example waiting\n0 node c.example waiting\n");
	offer = enter(b, KIND_ANSWER, "m.example",
		      arena_print(b->arena, "re %s\noutcome offered\n", hex_of(b->arena, all)));
	bare_holds(b, &offer, "");
	bare_holds(b, &all, "0 node b.example arrived\n0 node c.example waiting\n");
	closed = enter(b, KIND_ANSWER, "res.example",
		       arena_print(b->arena, "re %s\noutcome closed\n", hex_of(b->arena, all)));
	bare_holds(b, &closed, "2 node b.example waiting\n2 node c.example waiting\n");
	some = enter(b, KIND_REQUEST, "res.example", "to m.example\nto new.example\nneed help\n");
	bare_holds(b, &some, "3 node b.example waiting\n3 mail new.example waiting\n");
	ping = enter(b, KIND_REQUEST, "res.example", "to d.example\nneed ping\n");
	bare_holds(b, &ping, "4 node d.example waiting\n");
	bare_free(b);
}

/* ---- against a plain model ---- */

#define ITEMS 24
#define BOXES 6

static const char *const boxes[BOXES] = {
	"", "a@a.example", "b@a.example", "c@a.example", "a@b.example", "x.y@c.example"
};

struct plain {
	enum outbox_step step;
	uint32_t attempts;
	int64_t next, done, since;
	int box;
	bool tried[BOXES], detail;
};

struct model {
	struct plain items[ITEMS];
	struct contact_health health[BOXES];
};

static bool bounces(struct model *m, struct plain *p, int box, int64_t at)
{
	int which = box != 0 ? box : p->box;

	if (p->step != OUTBOX_WAITING && !(p->step == OUTBOX_HANDED_OVER && which == p->box))
		return false;
	if (which == 0) {
		p->step = OUTBOX_UNDELIVERABLE;
		p->done = at;
		p->next = 0;
		return true;
	}
	if (p->tried[which])
		return false;
	p->tried[which] = true;
	p->box = which;
	p->step = OUTBOX_WAITING;
	p->attempts = 0;
	p->next = p->since = at;
	p->done = 0;
	(void)m;
	return true;
}

static void count_bounce(struct contact_health *h, int64_t at, bool for_good)
{
	if (for_good) {
		h->bounced_for_good++;
		if (++h->bounces_in_a_row >= 3)
			h->quarantined = true;
	} else {
		h->bounced_for_now++;
	}
	h->last_bounced_ms = at;
}

static void model_health(struct model *m, const struct plain *p, enum outbox_step step, int box, bool detail,
			 int64_t at)
{
	struct contact_health *h = &m->health[box];
	bool week = p->step == OUTBOX_WAITING && at - p->since >= 7 * DAY;

	if (box == 0)
		return;
	if (step == OUTBOX_HANDED_OVER) {
		if (h->last_sent_ms > h->last_bounced_ms && at - h->last_sent_ms > 7 * DAY)
			h->bounces_in_a_row = 0;
		h->sent++;
		h->last_sent_ms = at;
	} else if ((step == OUTBOX_BOUNCED || step == OUTBOX_REFUSED) && !p->tried[box]) {
		count_bounce(h, at, true);
	} else if (step == OUTBOX_WAITING && detail) {
		count_bounce(h, at, week);
	}
}

static void model_event(struct model *m, struct plain *p, enum outbox_step step, int box, bool detail, int64_t at,
			int64_t next)
{
	model_health(m, p, step, box, detail, at);
	if (step == OUTBOX_WAITING && detail && p->step == OUTBOX_HANDED_OVER && box != 0 && box == p->box) {
		p->step = OUTBOX_WAITING; /* given up by a server that had it */
		p->done = 0;
		p->next = next;
	}
	if (step == OUTBOX_WAITING && !detail) {
		bool none[BOXES] = { false };

		memcpy(p->tried, none, sizeof(none));
		*p = (struct plain){ .step = OUTBOX_WAITING, .next = next, .since = at, .box = p->box };
	} else if (step == OUTBOX_WAITING && p->step == OUTBOX_WAITING && at - p->since >= 7 * DAY) {
		p->detail |= bounces(m, p, box, at);
	} else if (step == OUTBOX_WAITING && p->step == OUTBOX_WAITING) {
		p->attempts++;
		p->next = next;
		p->detail = true;
		p->box = box != 0 ? box : p->box;
	} else if (step == OUTBOX_HANDED_OVER || (step == OUTBOX_UNDELIVERABLE && p->step == OUTBOX_WAITING)) {
		p->step = step;
		p->done = at;
		p->next = 0;
		p->box = box != 0 ? box : p->box;
		p->detail = step == OUTBOX_HANDED_OVER ? detail : p->detail || detail;
	} else if (step == OUTBOX_BOUNCED || step == OUTBOX_REFUSED) {
		bool had = p->detail;

		if (bounces(m, p, box, at))
			p->detail = p->step == OUTBOX_UNDELIVERABLE ? had || detail : detail;
	}
}

static enum err compare_item(void *context, const struct outbox_item *i)
{
	const struct plain *p = &((const struct model *)context)->items[i->key.index - 2];

	assert_int_equal(i->step, p->step);
	assert_int_equal(i->attempts, p->attempts);
	assert_int_equal(i->next_ms, p->next);
	assert_int_equal(i->done_ms, p->done);
	assert_int_equal(i->since_ms, p->since);
	assert_int_equal(i->detail.len > 0, p->detail);
	assert_span(i->contact, boxes[p->box]);
	for (int b = 1; b < BOXES; b++)
		assert_int_equal(outbox_was_tried(i, span_of(boxes[b])), p->tried[b]);
	return OK;
}

struct dues {
	const struct model *m;
	int64_t last, now;
	size_t count;
};

static enum err compare_due(void *context, const struct outbox_item *i)
{
	struct dues *d = context;

	assert_true(i->step == OUTBOX_WAITING && i->next_ms >= d->last && i->next_ms <= d->now);
	d->last = i->next_ms;
	d->count += i->key.index >= 2;
	return OK;
}

static enum err count_item(void *context, const struct outbox_item *i)
{
	assert_int_equal(i->step, OUTBOX_WAITING);
	++*(size_t *)context;
	return OK;
}

static void compare(struct world *w, struct model *m, int64_t now)
{
	struct state st = read_state(w);
	struct dues d = { m, 0, now, 0 };
	size_t due = 0, waiting = 0;
	int64_t first = INT64_MAX, next;

	for (size_t i = 0; i < ITEMS; i++) {
		struct outbox_key key = {
			OUTBOX_MAIL, { .type = TO_AS, .asn = (uint32_t)(i + 1) }, LEDGER_CIRCLE, i + 2
		};
		struct outbox_item item;

		assert_int_equal(outbox_find(&st, &key, &item), OK);
		compare_item(m, &item);
		waiting = 0;
		assert_int_equal(outbox_waiting(&st, OUTBOX_MAIL, &key.to, count_item, &waiting), OK);
		assert_int_equal(waiting, m->items[i].step == OUTBOX_WAITING);
		if (m->items[i].step == OUTBOX_WAITING) {
			due += m->items[i].next <= now;
			first = m->items[i].next < first ? m->items[i].next : first;
		}
	}
	assert_int_equal(outbox_due(&st, OUTBOX_MAIL, now, compare_due, &d), OK);
	assert_int_equal(d.count, due);
	assert_int_equal(outbox_next_due(&st, OUTBOX_MAIL, &next), OK);
	assert_true(next != 0 && next <= first); /* the two of the world wait too */
	assert_int_equal(outbox_next_due(&st, OUTBOX_NODE, &next), OK);
	assert_int_equal(next, 0);
	for (int b = 1; b < BOXES; b++) {
		struct contact_health h;

		assert_int_equal(contact_health(&st, span_of(boxes[b]), &h), OK);
		assert_memory_equal(&h, &m->health[b], sizeof(h));
	}
	snapshot_end(st.snapshot);
}

static void like_a_plain_model(void **state)
{
	static const enum outbox_step steps[] = { OUTBOX_WAITING,     OUTBOX_WAITING, OUTBOX_WAITING,
						  OUTBOX_HANDED_OVER, OUTBOX_REFUSED, OUTBOX_UNDELIVERABLE,
						  OUTBOX_BOUNCED,     OUTBOX_BOUNCED };
	static struct model m;
	struct world *w = world_new(*state);
	uint64_t seed = test_seed();
	int64_t now;
	struct state st;

	memset(&m, 0, sizeof(m));
	add_notices(w, 0, ITEMS);
	st = read_state(w);
	for (size_t i = 0; i < ITEMS; i++) {
		struct outbox_key key = {
			OUTBOX_MAIL, { .type = TO_AS, .asn = (uint32_t)(i + 1) }, LEDGER_CIRCLE, i + 2
		};
		struct outbox_item item;

		assert_int_equal(outbox_find(&st, &key, &item), OK);
		m.items[i].next = m.items[i].since = item.queued_ms;
	}
	now = m.items[ITEMS - 1].next;
	snapshot_end(st.snapshot);
	for (int round = 0; round < 400; round++) {
		struct outbox_event ev[4];
		size_t count = 1 + test_below(&seed, 4);

		now += (int64_t)test_below(&seed, 12 * (size_t)HOUR);
		for (size_t j = 0; j < count; j++) {
			size_t which = test_below(&seed, ITEMS);
			int box = (int)test_below(&seed, BOXES);
			bool detail = test_below(&seed, 8) != 0;

			ev[j] = (struct outbox_event){
				.key = { OUTBOX_MAIL,
					 { .type = TO_AS, .asn = (uint32_t)(which + 1) },
					 LEDGER_CIRCLE,
					 which + 2 },
				.step = steps[test_below(&seed, TABLE_LENGTH(steps))],
				.at_ms = now,
				.next_ms = now + (int64_t)test_below(&seed, 48 * (size_t)HOUR),
				.contact = span_of(boxes[box]),
				.detail = detail ? SPAN("unreachable: no route") : SPAN(""),
			};
			model_event(&m, &m.items[which], ev[j].step, box, detail, now, ev[j].next_ms);
		}
		tell(w, ev, count);
		compare(w, &m, now);
	}
	same_when_made_again(w);
	compare(w, &m, now);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailboxes),	 cmocka_unit_test(back_off), IN_A_FOLDER(what_a_node_logs),
		IN_A_FOLDER(contacts),		 IN_A_FOLDER(between_nodes), IN_A_FOLDER(help),
		IN_A_FOLDER(like_a_plain_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
