#include "regime_guest.h"

#include "regime_sequencer.h"

static struct span notice_to(struct pair *p, struct node *from, const char *to, unsigned number)
{
	return statement_text(p->arena, KIND_NOTICE, arena_print(p->arena, "%.*s/circle", SPAN_FORMAT(node_name(from))),
			      node_signer(from),
			      arena_print(p->arena,
					  "to %s\nclass malicious-code/infected-system\nevents 3\n"
					  "body application/vnd.comity.evidence+zstd 10 sealed-sha256:%064x\n",
					  to, number),
			      NULL);
}

static struct span answer_by(struct pair *p, struct node *by, struct hash re, const char *more)
{
	return statement_text(p->arena, KIND_ANSWER, arena_print(p->arena, "%.*s/circle", SPAN_FORMAT(node_name(by))),
			      node_signer(by), arena_print(p->arena, "re %s\noutcome %s", hex_of(p->arena, re), more),
			      NULL);
}

static struct matter matter_at(struct node *n, struct arena *a, struct hash id)
{
	struct matter m;
	struct state st;

	assert_int_equal(node_read(n, a, &st), OK);
	if (state_matter(&st, id, &m) != OK)
		fail_msg("%s", err_detail());
	snapshot_end(st.snapshot);
	return m;
}

static struct audit audited(struct node *n)
{
	struct audit out;
	enum err e = node_audit(n, NULL, NULL, &out);

	if (e != OK)
		fail_msg("%s: %s", err_code(e), err_detail());
	return out;
}

/* A notice there and the answer back. */
static void there_and_back(void **state)
{
	struct pair *p = pair_new(*state);
	struct appended notice, guest, answer, back;
	struct span receipt, answered, again, text;
	struct entry entry;
	struct audit before, after;
	struct hash unsealed;

	introduce(p->a, p->b, p->arena);
	introduce(p->b, p->a, p->arena);
	text = notice_to(p, p->a, "b.example", 1);
	notice = log_home(p->a, p->arena, text, &receipt);
	assert_int_equal(log_guest(p->b, text, receipt, &guest), OK);
	assert_true(hash_equal(guest.id, notice.id));
	assert_int_equal(guest.ledger, LEDGER_CIRCLE);
	answered = answer_by(p, p->b, notice.id, "received\n");
	answer = log_home(p->b, p->arena, answered, &receipt);
	assert_int_equal(log_guest(p->a, answered, receipt, &back), OK);
	assert_int_equal(matter_at(p->a, p->arena, notice.id).outcome, OUTCOME_RECEIVED);
	assert_true(matter_at(p->a, p->arena, notice.id).answered);
	assert_true(matter_at(p->b, p->arena, notice.id).answered);

	/* What came is what is given out again, and it still verifies. */
	assert_int_equal(node_guest_receipt(p->a, p->arena, back.ledger, back.index, &again), OK);
	assert_true(span_equal(again, receipt));
	assert_int_equal(node_guest_receipt(p->a, p->arena, notice.ledger, notice.index, &again), ERR_NOT_FOUND);
	assert_int_equal(node_entry(p->a, p->arena, back.ledger, back.index, &text), OK);
	assert_int_equal(entry_parse(text, &entry), OK);
	assert_true(entry.is_guest);
	assert_int_equal(entry.home_ms, answer.logged_ms);
	/* Nobody gets the receipt as a body. */
	unsealed = entry.receipt;
	assert_int_equal(node_body(p->a, p->arena, unsealed, &(const uint8_t *){ NULL }, &text), ERR_NOT_FOUND);
	assert_int_equal(node_erase_body(p->a, unsealed), ERR_NOT_FOUND);

	before = audited(p->a);
	assert_int_equal(before.guests, 2);
	node_close(p->a);
	take_away(arena_print(p->arena, "%s/views", p->dir_a));
	take_away(arena_print(p->arena, "%s/ledger", p->dir_a));
	assert_int_equal(node_open(p->dir_a, NODE_WRITE, &p->a), OK);
	after = audited(p->a);
	assert_true(hash_equal(before.state, after.state));
	assert_true(hash_equal(before.views, after.views));
	assert_int_equal(after.guests, 2);
	assert_int_equal(audited(p->b).guests, 2);
	/* A receipt of ours for the guest's entry is as any other. */
	assert_int_equal(node_receipt(p->a, p->arena, back.ledger, back.index, &again), OK);
	pair_free(p);
}

static void refused(struct pair *p, const char *what, struct span note, struct span receipt, enum err expected)
{
	struct state st;
	struct hash before, after;
	enum err e;

	assert_int_equal(node_read(p->b, p->arena, &st), OK);
	assert_int_equal(state_digest(&st, &before), OK);
	snapshot_end(st.snapshot);
	e = log_guest(p->b, note, receipt, NULL);
	if (e != expected)
		fail_msg("%s: %s (%s), not %s", what, err_code(e), err_detail(), err_code(expected));
	assert_int_equal(node_read(p->b, p->arena, &st), OK);
	assert_int_equal(state_digest(&st, &after), OK);
	snapshot_end(st.snapshot);
	assert_true(hash_equal(before, after));
}

static struct span entry_of(struct pair *p, int64_t ms, struct span note)
{
	struct buffer b = BUFFER(2 * STATEMENT_MAX);
	const char *copy;
	size_t n;

	entry_print(ms, note, &b);
	n = b.len;
	copy = arena_copy(p->arena, b.at, n);
	buffer_free(&b);
	return span_make(copy, n);
}

static void receipts_that_do_not_hold(void **state)
{
	struct pair *p = pair_new(*state);
	struct span one, two, receipt_one, receipt_two, forged, bare, guest_entry;
	struct buffer b = BUFFER(2 * STATEMENT_MAX);
	struct appended at, at_two;
	struct node *liar;
	char *big;

	one = notice_to(p, p->a, "b.example", 1);
	two = notice_to(p, p->a, "b.example", 2);
	at = log_home(p->a, p->arena, one, &receipt_one);
	at_two = log_home(p->a, p->arena, two, &receipt_two);

	refused(p, "an unknown home", one, receipt_one, ERR_PARTY_UNKNOWN);
	introduce(p->a, p->b, p->arena);
	refused(p, "nothing", one, SPAN(""), ERR_RECEIPT);
	refused(p, "nonsense", one, SPAN("nonsense\n"), ERR_RECEIPT);
	assert_int_equal(node_receipt(p->a, p->arena, at.ledger, at.index, &bare), OK);
	refused(p, "without the entry", one, bare, ERR_RECEIPT);
	refused(p, "another's receipt", one, receipt_two, ERR_RECEIPT);
	refused(p, "another's proof", one, with_extra(p->arena, receipt_two, entry_of(p, at.logged_ms, one)),
		ERR_PROOF);
	refused(p, "another time", one, with_extra(p->arena, receipt_one, entry_of(p, at.logged_ms - 1, one)),
		ERR_PROOF);
	refused(p, "an entry that does not read", one, with_extra(p->arena, receipt_one, SPAN("logged never\nx\n")),
		ERR_RECEIPT);
	entry_print_guest(at.logged_ms, at.logged_ms, at.id, one, &b);
	guest_entry = buffer_view(&b);
	refused(p, "a guest there too", one, with_extra(p->arena, receipt_one, guest_entry), ERR_RECEIPT);
	buffer_free(&b);
	/* The checkpoint of the other ledger, which is signed by another key. */
	refused(p, "another ledger", one,
		with_extra(p->arena, home_receipt(p->a, p->arena, LEDGER_PUBLIC, 0), entry_of(p, at.logged_ms, one)),
		ERR_NOTE_UNSIGNED);
	/* A node that calls itself the same. */
	assert_int_equal(node_init(scratch_path(p->scratch, "liar"), SPAN("a.example"), SPAN("")), OK);
	assert_int_equal(node_open(scratch_path(p->scratch, "liar"), NODE_WRITE, &liar), OK);
	log_home(liar, p->arena, notice_to(p, liar, "b.example", 7), &forged);
	refused(p, "signed by another's ledger key", one, with_extra(p->arena, forged, entry_of(p, at.logged_ms, one)),
		ERR_NOTE_UNSIGNED);
	refused(p, "signed by another's key", notice_to(p, liar, "b.example", 7), forged, ERR_KEY_UNKNOWN);
	refused(p, "another's party statement", note_at(liar, p->arena, LEDGER_PUBLIC, 0),
		home_receipt(liar, p->arena, LEDGER_PUBLIC, 0), ERR_KEY);
	node_close(liar);
	big = arena_alloc(p->arena, RECEIPT_TEXT_MAX + 1);
	assert_non_null(big);
	memset(big, 'x', RECEIPT_TEXT_MAX + 1);
	refused(p, "too long", one, span_make(big, RECEIPT_TEXT_MAX + 1), ERR_TOO_LONG);

	assert_int_equal(log_guest(p->b, one, receipt_one, NULL), OK);
	refused(p, "once more", one, receipt_one, ERR_STATEMENT_REPEATED);
	/* Two entries later the same entry has another proof; it is still the same statement. */
	assert_int_equal(log_guest(p->b, two, home_receipt(p->a, p->arena, at_two.ledger, at_two.index), NULL), OK);
	refused(p, "once more, with a newer receipt", one, home_receipt(p->a, p->arena, at.ledger, at.index),
		ERR_STATEMENT_REPEATED);
	assert_int_equal(audited(p->b).guests, 3);
	pair_free(p);
}

static void who_may_come(void **state)
{
	struct pair *p = pair_new(*state);
	struct span note, receipt;
	struct appended at;

	introduce(p->a, p->b, p->arena);
	note = statement_text(p->arena, KIND_PLAN, "a.example/public", node_signer(p->a),
			      "activity scan\nstart 2026-01-01T00:00:00Z\nend 2026-02-01T00:00:00Z\n"
			      "source 198.51.100.1/32\ntarget any\npurpose a test\n",
			      NULL);
	log_home(p->a, p->arena, note, &receipt);
	assert_int_equal(log_guest(p->b, note, receipt, NULL), OK);
	note = statement_text(p->arena, KIND_TICK, "a.example/public", node_signer(p->a),
			      "checkpoint x.example 1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", NULL);
	log_home(p->a, p->arena, note, &receipt);
	refused(p, "a tick", note, receipt, ERR_STATEMENT_LEDGER);
	refused(p, "the rules", note_at(p->a, p->arena, LEDGER_PUBLIC, 1),
		home_receipt(p->a, p->arena, LEDGER_PUBLIC, 1), ERR_STATEMENT_LEDGER);
	note = notice_to(p, p->a, "b.example", 8);
	at = log_home(p->a, p->arena, note, &receipt);
	note = notice_to(p, p->b, "a.example", 9);
	refused(p, "what is at home here", note, with_extra(p->arena, receipt, entry_of(p, at.logged_ms, note)),
		ERR_STATEMENT_LEDGER);
	/* Without a receipt nothing of another's ledger comes in. */
	note = notice_to(p, p->a, "b.example", 10);
	assert_int_equal(node_begin(p->b), OK);
	assert_int_equal(node_add_statement(p->b, note, &at), ERR_STATEMENT_LEDGER);
	node_abandon(p->b);
	pair_free(p);
}

static struct span withdraw_text(struct pair *p, const char *ledger, const struct signer *s, struct hash re)
{
	return statement_text(p->arena, KIND_WITHDRAW, ledger, s,
			      arena_print(p->arena, "re %s\n", hex_of(p->arena, re)), NULL);
}

/* A party is kept where it was first filed, until it withdraws there. */
static void parties_stay_where_they_are(void **state)
{
	struct pair *p = pair_new(*state);
	struct signer *m = signer_of("m.example");
	struct span at_a = party_text(p->arena, "a.example/public", m, "role operator\ntitle M at A\n", NULL);
	struct span at_b = party_text(p->arena, "b.example/public", m, "role operator\ntitle M at B\n", NULL);
	struct span receipt_a, receipt_b, leave, receipt;
	struct appended a, b, out;
	struct party party;
	struct state st;

	introduce(p->a, p->b, p->arena);
	introduce(p->b, p->a, p->arena);
	a = log_home(p->a, p->arena, at_a, &receipt_a);
	b = log_home(p->b, p->arena, at_b, &receipt_b);
	refused(p, "a guest takes over", at_a, receipt_a, ERR_NOT_YOURS);
	assert_int_equal(log_guest(p->a, at_b, receipt_b, NULL), ERR_NOT_YOURS);

	/* It leaves B, and A may keep it there too. */
	leave = withdraw_text(p, "b.example/public", m, b.id);
	log_home(p->b, p->arena, leave, &receipt);
	assert_int_equal(log_guest(p->b, at_a, receipt_a, NULL), OK);
	assert_int_equal(node_read(p->b, p->arena, &st), OK);
	assert_int_equal(state_party(&st, SPAN("m.example"), &party), OK);
	assert_span(party.home, "a.example");
	assert_span(party.title, "M at A");
	assert_int_equal(state_party(&st, SPAN("b.example"), &party), OK);
	assert_span(party.home, "b.example");
	assert_int_equal(state_party(&st, SPAN("a.example"), &party), OK);
	assert_span(party.home, "a.example");
	snapshot_end(st.snapshot);

	/* At B it is a guest now: it does not come back by itself, nor leave there. */
	assert_int_equal(node_begin(p->b), OK);
	assert_int_equal(
		node_add_statement(p->b, party_text(p->arena, "b.example/public", m, "role operator\n", NULL), &out),
		ERR_NOT_YOURS);
	assert_int_equal(node_add_statement(p->b, withdraw_text(p, "b.example/public", m, a.id), &out), ERR_NOT_YOURS);
	node_abandon(p->b);
	leave = withdraw_text(p, "a.example/public", m, a.id);
	log_home(p->a, p->arena, leave, &receipt);
	assert_int_equal(log_guest(p->b, leave, receipt, NULL), OK);
	assert_int_equal(node_begin(p->b), OK);
	assert_int_equal(
		node_add_statement(
			p->b, party_text(p->arena, "b.example/public", m, "role operator\ntitle Back\n", NULL), &out),
		OK);
	assert_int_equal(node_commit(p->b), OK);
	audited(p->a);
	audited(p->b);
	signer_free(m);
	pair_free(p);
}

/* The node that keeps a party answers for it; no other does. */
static void answers_for_kept_parties(void **state)
{
	struct pair *p = pair_new(*state);
	struct signer *m = signer_of("m.example");
	struct span party = party_text(p->arena, "b.example/public", m, "role operator\n", NULL);
	struct span note = notice_to(p, p->a, "m.example", 1), other = notice_to(p, p->a, "AS64500", 2), receipt,
		    answer;
	struct appended at, resource;

	introduce(p->a, p->b, p->arena);
	introduce(p->b, p->a, p->arena);
	log_home(p->b, p->arena, party, &receipt);
	assert_int_equal(log_guest(p->a, party, receipt, NULL), OK);
	at = log_home(p->a, p->arena, note, &receipt);
	assert_int_equal(log_guest(p->b, note, receipt, NULL), OK);
	resource = log_home(p->a, p->arena, other, &receipt);
	assert_int_equal(log_guest(p->b, other, receipt, NULL), OK);

	answer = answer_by(p, p->b, at.id, "acknowledged\nfor m.example\nvia node\n");
	log_home(p->b, p->arena, answer, &receipt);
	assert_int_equal(log_guest(p->a, answer, receipt, NULL), OK);
	assert_true(matter_at(p->a, p->arena, at.id).mediated);
	assert_int_equal(matter_at(p->a, p->arena, at.id).outcome, OUTCOME_ACKNOWLEDGED);
	/* A resource that nobody keeps: its recorder is where the notice was filed, and its home says so already. */
	answer = answer_by(p, p->b, resource.id, "acknowledged\nfor AS64500\nvia node\n");
	assert_int_equal(node_begin(p->b), OK);
	assert_int_equal(node_add_statement(p->b, answer, &at), ERR_NOT_YOURS);
	node_abandon(p->b);
	signer_free(m);
	pair_free(p);
}

/* A party that is kept elsewhere holds nothing of a resource by that: its node speaks for it where its claim covers. */
static void resources_need_a_claim(void **state)
{
	struct pair *p = pair_new(*state);
	struct signer *m = signer_of("m.example");
	struct span party = party_text(p->arena, "b.example/public", m, "role operator\nclaim AS64500\n", NULL);
	struct span note = notice_to(p, p->a, "AS64500", 1), receipt, answer, approval;
	struct appended at, kept, out;

	introduce(p->a, p->b, p->arena);
	introduce(p->b, p->a, p->arena);
	kept = log_home(p->b, p->arena, party, &receipt);
	assert_int_equal(log_guest(p->a, party, receipt, NULL), OK);
	at = log_home(p->a, p->arena, note, &receipt);
	assert_int_equal(log_guest(p->b, note, receipt, NULL), OK);
	answer = answer_by(p, p->b, at.id, "not-ours\nfor m.example\nvia node\n");
	assert_int_equal(node_begin(p->b), OK);
	assert_int_equal(node_add_statement(p->b, answer, &out), ERR_NOT_YOURS);
	node_abandon(p->b);

	/* Approved at B, that is enough for B's own ledger; A judges by what A approved. */
	approval = statement_text(p->arena, KIND_ANSWER, "b.example/public", node_signer(p->b),
				  arena_print(p->arena, "re %s\noutcome accepted\n", hex_of(p->arena, kept.id)), NULL);
	log_home(p->b, p->arena, approval, &receipt);
	log_home(p->b, p->arena, answer, &receipt);
	assert_int_equal(log_guest(p->a, answer, receipt, NULL), ERR_NOT_YOURS);
	approval = statement_text(p->arena, KIND_ANSWER, "a.example/public", node_signer(p->a),
				  arena_print(p->arena, "re %s\noutcome accepted\n", hex_of(p->arena, kept.id)), NULL);
	assert_int_equal(node_begin(p->a), OK);
	assert_int_equal(node_add_statement(p->a, approval, &out), OK);
	assert_int_equal(node_commit(p->a), OK);
	assert_int_equal(log_guest(p->a, answer, receipt, NULL), OK);
	assert_int_equal(matter_at(p->a, p->arena, at.id).outcome, OUTCOME_NOT_OURS);
	audited(p->a);
	audited(p->b);
	signer_free(m);
	pair_free(p);
}

/* Anyone can bring what stands in a public ledger: also what was said before the present statement. */
static void parties_do_not_go_back(void **state)
{
	struct pair *p = pair_new(*state);
	struct signer *m = signer_of("m.example");
	struct span old =
		party_text(p->arena, "b.example/public", m, "role operator\ncontact mailto:old@m.example\n", NULL);
	struct span new =
		party_text(p->arena, "b.example/public", m, "role operator\ncontact mailto:new@m.example\n", NULL);
	struct span old_receipt, new_receipt, leave_receipt, leave, mail;
	struct appended old_at, at;
	struct party party;
	struct state st;

	introduce(p->b, p->a, p->arena);
	old_at = log_home(p->b, p->arena, old, &old_receipt);
	clock_simulate(old_at.logged_ms + 1);
	at = log_home(p->b, p->arena, new, &new_receipt);
	assert_int_equal(log_guest(p->a, new, new_receipt, NULL), OK);
	assert_int_equal(log_guest(p->a, old, old_receipt, NULL), ERR_SUPERSEDED);
	leave = withdraw_text(p, "b.example/public", m, at.id);
	log_home(p->b, p->arena, leave, &leave_receipt);
	assert_int_equal(log_guest(p->a, leave, leave_receipt, NULL), OK);
	assert_int_equal(log_guest(p->a, old, old_receipt, NULL), ERR_SUPERSEDED); /* nor does it come back by that */
	clock_simulate(0);
	assert_int_equal(node_read(p->a, p->arena, &st), OK);
	assert_int_equal(state_party(&st, SPAN("m.example"), &party), ERR_PARTY_UNKNOWN);
	snapshot_end(st.snapshot);

	new = party_text(p->arena, "b.example/public", m, "role operator\ncontact mailto:newest@m.example\n", NULL);
	log_home(p->b, p->arena, new, &new_receipt);
	assert_int_equal(log_guest(p->a, new, new_receipt, NULL), OK);
	assert_int_equal(node_read(p->a, p->arena, &st), OK);
	assert_int_equal(state_party(&st, SPAN("m.example"), &party), OK);
	assert_true(party_contact(&party, 0, &mail));
	assert_span(mail, "newest@m.example");
	snapshot_end(st.snapshot);
	audited(p->a);
	signer_free(m);
	pair_free(p);
}

/* ---- through the sequencer ---- */

struct offered {
	struct submission submission;
	struct counting *counting;
	struct arena *arena; /* of the receipt that was given out */
	struct span receipt;
	enum err expected;
	struct appended answer;
};

static void offered_done(struct submission *s)
{
	struct offered *o = s->context;
	struct counting *c = o->counting;
	const char *copy = s->receipt.len > 0 ? arena_copy(o->arena, s->receipt.at, s->receipt.len) : NULL;

	o->receipt = span_make(copy, s->receipt.len);
	pthread_mutex_lock(&c->mutex);
	c->done++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

/* As a node takes a notice: it, and the node's own word that it has it. */
static enum err take_and_answer(struct node *n, struct submission *s)
{
	struct offered *o = s->context;
	struct statement_writer w = { 0 };
	enum err e = submission_add(n, s, &s->appended);

	if (e != OK)
		return e;
	statement_begin(&w, KIND_ANSWER, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_hash(&w, "re", s->appended.id);
	statement_add(&w, "outcome", SPAN("received"));
	e = node_add_own(n, &w, &o->answer);
	statement_writer_free(&w);
	return e;
}

static void check_offered(struct pair *p, struct offered *o)
{
	const struct submission *s = &o->submission;
	struct span text;
	struct entry entry;
	struct receipt r;

	if (s->err != o->expected)
		fail_msg("%s (%s), not %s", err_code(s->err), s->detail, err_code(o->expected));
	if (s->err != OK)
		return;
	assert_int_equal(node_entry(p->a, p->arena, s->appended.ledger, s->appended.index, &text), OK);
	assert_int_equal(entry_parse(text, &entry), OK);
	assert_true(entry.is_guest && span_equal(entry.note, s->note));
	assert_int_equal(receipt_parse(p->arena, o->receipt, &r), OK);
	assert_int_equal(r.index, s->appended.index);
	assert_int_equal(receipt_verify(p->arena, &r, text, node_ledger_key(p->a, s->appended.ledger), NULL), OK);
	if (s->work != NULL) {
		assert_int_equal(o->answer.index, s->appended.index + 1);
		assert_true(matter_at(p->a, p->arena, s->appended.id).answered);
	}
}

#define OFFERS 60

/* The home's party statement stands in front in the queue: until the batch nobody here knows its keys. */
static void through_the_sequencer(void **state)
{
	struct pair *p = pair_new(*state);
	struct offered *all = calloc(OFFERS, sizeof(*all));
	struct sequencer *q = NULL;
	struct counting c = COUNTING;
	struct span before = SPAN("");
	uint64_t good = 0, answers = 0;
	struct audit audit;

	assert_non_null(all);
	for (unsigned i = 0; i < OFFERS; i++) {
		struct offered *o = &all[i];
		struct submission *s = &o->submission;

		o->counting = &c;
		assert_non_null(o->arena = arena_new((size_t)1 << 20));
		s->done = offered_done;
		s->context = o;
		if (i == 0) {
			s->note = note_at(p->b, p->arena, LEDGER_PUBLIC, 0);
			s->home_receipt = home_receipt(p->b, p->arena, LEDGER_PUBLIC, 0);
		} else {
			s->note = notice_to(p, p->b, "a.example", i);
			log_home(p->b, p->arena, s->note, &s->home_receipt);
			if (i % 2 == 1)
				s->work = take_and_answer;
		}
		if (i % 7 == 3) {
			s->home_receipt = before;
			o->expected = ERR_RECEIPT;
		} else if (i % 7 == 4) { /* its signature is another's */
			char *copy = arena_copy(p->arena, s->note.at, s->note.len);

			copy[s->note.len - 6] = copy[s->note.len - 6] == 'A' ? 'B' : 'A';
			s->note = span_make(copy, s->note.len);
			s->home_receipt = with_extra(p->arena, s->home_receipt, entry_of(p, 1000, s->note));
			o->expected = ERR_NOTE_SIGNATURE;
		} else {
			before = s->home_receipt;
			good++;
			answers += s->work != NULL;
		}
	}
	assert_int_equal(sequencer_start(p->a, &defaults, &q), OK);
	for (unsigned i = 0; i < OFFERS; i++)
		assert_int_equal(sequencer_offer(q, &all[i].submission), OK);
	wait_done(&c, OFFERS);
	for (unsigned i = 0; i < OFFERS; i++)
		check_offered(p, &all[i]);
	/* Again: each counts once, and there is no second answer. */
	for (unsigned i = 0; i < OFFERS; i++) {
		all[i].expected = all[i].expected == OK ? ERR_STATEMENT_REPEATED : all[i].expected;
		assert_int_equal(sequencer_offer(q, &all[i].submission), OK);
	}
	wait_done(&c, 2 * (size_t)OFFERS);
	for (unsigned i = 0; i < OFFERS; i++) {
		check_offered(p, &all[i]);
		arena_free(all[i].arena);
	}
	assert_int_equal(sequencer_stop(q), OK);
	audit = audited(p->a);
	assert_int_equal(audit.guests, good);
	assert_int_equal(audit.entries[LEDGER_PUBLIC], 3);
	assert_int_equal(audit.entries[LEDGER_CIRCLE], good - 1 + answers);
	free(all);
	pair_free(p);
}

/* What the journal holds is not believed: lies that its own functions wrote, checksums and all. */
static void lies_about_guests(void **state)
{
	static const struct {
		const char *what, *named;
		int64_t home_shift;
		bool other_receipt, no_receipt;
	} lies[] = {
		{ "another time at home", "the receipt of its home", -1, false, false },
		{ "another's receipt", "the receipt of its home", 0, true, false },
		{ "no receipt", "the receipt of its home is missing", 0, false, true },
	};
	struct pair *p = pair_new(*state);
	const char *right = scratch_path(p->scratch, "right"), *path = arena_print(p->arena, "%s/journal", p->dir_b);
	struct span one = notice_to(p, p->a, "b.example", 1), two = notice_to(p, p->a, "b.example", 2), receipts[2];
	struct appended at;
	struct audit out;

	introduce(p->a, p->b, p->arena);
	at = log_home(p->a, p->arena, one, &receipts[0]);
	log_home(p->a, p->arena, two, &receipts[1]);
	node_close(p->b);
	copy(p->dir_b, right);
	for (size_t i = 0; i < TABLE_LENGTH(lies); i++) {
		struct buffer entry = BUFFER(2 * STATEMENT_MAX), bare = BUFFER(RECEIPT_TEXT_MAX);
		uint8_t head[1 + HASH_SIZE] = { 4 };
		struct span parts[2];
		struct journal *j;
		struct receipt r;
		struct hash hash;

		assert_int_equal(receipt_parse(p->arena, receipts[lies[i].other_receipt ? 1 : 0], &r), OK);
		r.extra = SPAN("");
		receipt_print(&r, &bare);
		hash = hash_span(buffer_view(&bare));
		memcpy(head + 1, hash.bytes, HASH_SIZE);
		entry_print_guest(clock_now_ms(), at.logged_ms + lies[i].home_shift, hash, one, &entry);
		assert_int_equal(journal_open_writer(path, &j), OK);
		assert_int_equal(journal_begin(j), OK);
		parts[0] = buffer_view(&entry);
		assert_int_equal(journal_add(j, RECORD_ENTRY, LEDGER_CIRCLE, parts, 1, NULL), OK);
		parts[0] = span_make(head, sizeof(head));
		parts[1] = buffer_view(&bare);
		if (!lies[i].no_receipt)
			assert_int_equal(journal_add(j, RECORD_BODY, 0, parts, 2, NULL), OK);
		assert_int_equal(journal_commit(j), OK);
		journal_close(j);
		buffer_free(&entry);
		buffer_free(&bare);
		assert_int_equal(node_open(p->dir_b, NODE_WRITE, &p->b), OK);
		assert_int_equal(node_audit(p->b, NULL, NULL, &out), ERR_LEDGER_DIFFERS);
		if (strstr(err_detail(), lies[i].named) == NULL ||
		    strstr(err_detail(), "entry 0 of the circle") == NULL)
			fail_msg("%s: %s", lies[i].what, err_detail());
		node_close(p->b);
		put_back(right, p->dir_b);
	}
	p->b = NULL;
	pair_free(p);
}

/* A guest counts from when its home logged it, but not later than it was logged here. */
static void when_it_counts(void **state)
{
	struct state st = { .logged_ms = 5000, .home_ms = 0 };

	(void)state;
	assert_int_equal(state_time(&st), 5000);
	st.is_guest = true;
	st.home_ms = 4000;
	assert_int_equal(state_time(&st), 4000);
	st.home_ms = 6000;
	assert_int_equal(state_time(&st), 5000);
}

static void reach(void **state)
{
	static const struct {
		const char *lines;
		enum err expected;
	} table[] = {
		{ "url https://b.example\n", OK },
		{ "url https://b.example:8443\n", OK },
		{ "url http://127.0.0.1:8080\n", OK },
		{ "url http://localhost:1\n", OK },
		{ "url https://[2001:db8::1]:443\n", OK },
		{ "url https://[2001:db8::1]\n", OK },
		{ "contact mailto:soc@b.example\n", OK },
		{ "contact mailto:a@b.example\ncontact mailto:b@b.example\ncontact mailto:c.d+e@b.example\n"
		  "contact mailto:d@b.example\n",
		  OK },
		{ "url https://b.example/\n", ERR_STATEMENT_HEADER },
		{ "url https://b.example/path\n", ERR_STATEMENT_HEADER },
		{ "url https://b.example:0\n", ERR_STATEMENT_HEADER },
		{ "url https://b.example:65536\n", ERR_STATEMENT_HEADER },
		{ "url https://b.example:\n", ERR_STATEMENT_HEADER },
		{ "url https://b.example?x\n", ERR_STATEMENT_HEADER },
		{ "url https://u@b.example\n", ERR_STATEMENT_HEADER },
		{ "url https://u:p@b.example\n", ERR_STATEMENT_HEADER },
		{ "url https://[2001:db8::1\n", ERR_STATEMENT_HEADER },
		{ "url https://[2001:db8::1]x\n", ERR_STATEMENT_HEADER },
		{ "url https://[192.0.2.1]\n", ERR_STATEMENT_HEADER },
		{ "url https://2001:db8::1\n", ERR_STATEMENT_HEADER },
		{ "url https://\n", ERR_STATEMENT_HEADER },
		{ "url ftp://b.example\n", ERR_STATEMENT_HEADER },
		{ "url b.example\n", ERR_STATEMENT_HEADER },
		{ "url https://b.example\nurl https://c.example\n", ERR_STATEMENT_HEADER },
		{ "contact soc@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:soc\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:soc@\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:.soc@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:s..c@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:soc.@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:\"s c\"@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:soc@b.example?subject=x\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:a@b.example,c@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:a@b.example\ncontact mailto:a@b.example\n", ERR_STATEMENT_HEADER },
		{ "contact mailto:a@b.example\ncontact mailto:b@b.example\ncontact mailto:c@b.example\n"
		  "contact mailto:d@b.example\ncontact mailto:e@b.example\n",
		  ERR_STATEMENT_HEADER },
		{ "ledger-key nonsense\n", ERR_STATEMENT_HEADER },
	};
	struct pair *p = pair_new(*state);
	struct signer *m = signer_of("m.example");
	struct appended out;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct span note = party_text(p->arena, "a.example/public", m,
					      arena_print(p->arena, "role node\n%s", table[i].lines), NULL);
		enum err e;

		assert_int_equal(node_begin(p->a), OK);
		e = node_add_statement(p->a, note, &out);
		if (e != table[i].expected)
			fail_msg("%s: %s (%s)", table[i].lines, err_code(e), err_detail());
		node_abandon(p->a);
	}
	signer_free(m);
	pair_free(p);
}

static const char *ledger_key(struct arena *a, const char *name, const char *seed)
{
	struct signer *s = signer_of(seed), *named;
	struct hash h = hash_bytes(seed, strlen(seed));
	struct buffer b = BUFFER(1024);
	const char *text;

	assert_int_equal(signer_from_seed(span_of(name), h.bytes, &named), OK);
	verifier_print(signer_verifier(named), &b);
	text = arena_copy(a, b.at, b.len);
	buffer_free(&b);
	signer_free(named);
	signer_free(s);
	return text;
}

static void what_is_kept_of_a_party(void **state)
{
	struct pair *p = pair_new(*state);
	struct signer *m = signer_of("m.example");
	const char *public = ledger_key(p->arena, "m.example/public", "k1"),
		   *circle = ledger_key(p->arena, "m.example/circle", "k2");
	struct span note = party_text(p->arena, "a.example/public", m,
				      arena_print(p->arena,
						  "role node\nurl https://m.example\ncontact mailto:one@m.example\n"
						  "ledger-key %s\nledger-key %s\ncontact mailto:two@m.example\n",
						  circle, public),
				      NULL);
	struct span unused, mail;
	struct verifier key, expected;
	struct party party;
	struct appended out;
	struct state st;

	log_home(p->a, p->arena, note, &unused);
	assert_int_equal(node_read(p->a, p->arena, &st), OK);
	assert_int_equal(state_party(&st, SPAN("m.example"), &party), OK);
	assert_span(party.home, "a.example");
	assert_span(party.url, "https://m.example");
	assert_int_equal(party.contact_count, 2);
	assert_true(party_contact(&party, 0, &mail));
	assert_span(mail, "one@m.example");
	assert_true(party_contact(&party, 1, &mail));
	assert_span(mail, "two@m.example");
	assert_false(party_contact(&party, 2, &mail));
	assert_int_equal(verifier_parse(span_of(circle), &expected), OK);
	assert_int_equal(party_ledger_key(&party, LEDGER_CIRCLE, &key), OK);
	assert_string_equal(key.name, expected.name);
	assert_int_equal(key.key_id, expected.key_id);
	assert_memory_equal(key.public_key, expected.public_key, KEY_PUBLIC_SIZE);
	assert_int_equal(state_party(&st, SPAN("a.example"), &party), OK);
	assert_int_equal(party_ledger_key(&party, LEDGER_PUBLIC, &key), OK);
	assert_memory_equal(key.public_key, node_ledger_key(p->a, LEDGER_PUBLIC)->public_key, KEY_PUBLIC_SIZE);
	snapshot_end(st.snapshot);

	assert_int_equal(node_begin(p->a), OK);
	note = party_text(p->arena, "a.example/public", m,
			  arena_print(p->arena, "role node\nledger-key %s\nledger-key %s\n", circle, circle), NULL);
	assert_int_equal(node_add_statement(p->a, note, &out), ERR_STATEMENT_HEADER);
	note = party_text(
		p->arena, "a.example/public", m,
		arena_print(p->arena, "role node\nledger-key %s\n", ledger_key(p->arena, "n.example/public", "k3")),
		NULL);
	assert_int_equal(node_add_statement(p->a, note, &out), ERR_STATEMENT_HEADER);
	note = party_text(p->arena, "a.example/public", m,
			  arena_print(p->arena, "role operator\nledger-key %s\n", circle), NULL);
	assert_int_equal(node_add_statement(p->a, note, &out), ERR_ROLE);
	node_abandon(p->a);
	signer_free(m);
	pair_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(receipts_that_do_not_hold, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(who_may_come, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(parties_stay_where_they_are, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(answers_for_kept_parties, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(resources_need_a_claim, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(parties_do_not_go_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(through_the_sequencer, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(lies_about_guests, scratch_setup, scratch_teardown),
		cmocka_unit_test(when_it_counts),
		cmocka_unit_test_setup_teardown(reach, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_kept_of_a_party, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
