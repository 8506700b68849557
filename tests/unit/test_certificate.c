#include "regime/certificate.h"

#include "regime/certificate_private.h"
#include "vouch_test.h"

#define YEAR (INT64_C(365) * DAY)
#define DIGEST "sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_DIGEST "sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define NOBODY "aa112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ENVELOPE "body " CERTIFICATE_MEDIA_TYPE " 10 " DIGEST "\n"
#define UNTIL "end 2027-01-01T00:00:00Z\n"
#define EVALUATION                                                                                                     \
	"predicate evaluation\nsubject " DIGEST "\nsubject pkg:deb/debian/openssl@3.0.11\nscheme eucc\n"               \
	"level substantial\nlaboratory lab.example\n" UNTIL ENVELOPE

struct world3 {
	struct folk f;
	struct signer *body, *lab, *maker, *critic;
};

static void begin(struct world3 *w, struct scratch *s, const char *name)
{
	folk_new(&w->f, s, name);
	folk_say(&w->f, KIND_RULES, w->f.b->node, "version 3\n", NULL);
	w->body = signer_of("body.example");
	w->lab = signer_of("lab.example");
	w->maker = signer_of("maker.example");
	w->critic = signer_of("critic.example");
	folk_party(&w->f, w->body, "");
	folk_party(&w->f, w->lab, "");
	folk_party(&w->f, w->maker, "");
	folk_party(&w->f, w->critic, "");
}

static void end(struct world3 *w)
{
	signer_free(w->body);
	signer_free(w->lab);
	signer_free(w->maker);
	signer_free(w->critic);
	bare_free(w->f.b);
}

static struct hash say(struct world3 *w, const struct signer *from, const char *lines)
{
	struct hash id;

	folk_say(&w->f, KIND_CERTIFICATE, from, lines, &id);
	return id;
}

static struct hash say_about(struct world3 *w, const struct signer *from, const char *what, struct hash re,
			     const char *more)
{
	return say(w, from,
		   arena_print(w->f.b->arena, "predicate %s\nre %s\n%s", what, hex_of(w->f.b->arena, re), more));
}

static struct certificate get(struct world3 *w, struct hash id)
{
	struct certificate c;

	assert_int_equal(state_certificate(&w->f.b->st, id, &c), OK);
	return c;
}

static struct certificate_standing standing(struct world3 *w, struct hash id)
{
	struct certificate c = get(w, id);
	struct certificate_standing s;

	assert_int_equal(certificate_standing(&w->f.b->st, &c, w->f.now_ms, &s), OK);
	return s;
}

/* ---- the door ---- */

static const struct {
	const char *what, *lines; /* @E: an evaluation, @C: a counter */
	enum err err;
} doors[] = {
	{ "an evaluation", EVALUATION, OK },
	{ "without scheme", "predicate evaluation\nsubject " DIGEST "\n" UNTIL ENVELOPE, OK },
	{ "without subject", "predicate evaluation\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "without end", "predicate evaluation\nsubject " DIGEST "\n" ENVELOPE, ERR_STATEMENT_HEADER },
	{ "without body", "predicate evaluation\nsubject " DIGEST "\n" UNTIL, ERR_STATEMENT_HEADER },
	{ "without predicate", "subject " DIGEST "\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "of an unknown predicate", "predicate oracle\nsubject " DIGEST "\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "about something", EVALUATION "re @E\n", ERR_STATEMENT_HEADER },
	{ "with a status", EVALUATION "status valid\n", ERR_STATEMENT_HEADER },
	{ "with another body",
	  "predicate evaluation\nsubject " DIGEST "\n" UNTIL "body application/json 10 " DIGEST "\n",
	  ERR_STATEMENT_HEADER },
	{ "with a sealed body",
	  "predicate evaluation\nsubject " DIGEST "\n" UNTIL "body " CERTIFICATE_MEDIA_TYPE " 10 sealed-" DIGEST "\n",
	  ERR_STATEMENT_HEADER },
	{ "with a body too large",
	  "predicate evaluation\nsubject " DIGEST "\n" UNTIL "body " CERTIFICATE_MEDIA_TYPE " 1048577 " DIGEST "\n",
	  ERR_STATEMENT_HEADER },
	{ "a digest in capitals",
	  "predicate evaluation\n"
	  "subject sha256:00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF\n" UNTIL ENVELOPE,
	  ERR_STATEMENT_HEADER },
	{ "a short digest", "predicate evaluation\nsubject sha256:0011\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "another digest", "predicate evaluation\nsubject sha512:0011\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "another spelling", "predicate evaluation\nsubject pkg:deb/debian/OpenSSL@3.0.11\n" UNTIL ENVELOPE,
	  ERR_STATEMENT_HEADER },
	{ "qualifiers", "predicate evaluation\nsubject pkg:deb/debian/openssl?arch=amd64\n" UNTIL ENVELOPE,
	  ERR_STATEMENT_HEADER },
	{ "a subject twice", EVALUATION "subject " DIGEST "\n", ERR_STATEMENT_HEADER },
	{ "end before start", "predicate evaluation\nsubject " DIGEST "\nstart 2027-01-01T00:00:01Z\n" UNTIL ENVELOPE,
	  ERR_STATEMENT_HEADER },
	{ "a century", "predicate evaluation\nsubject " DIGEST "\nend 2126-01-01T00:00:00Z\n" ENVELOPE,
	  ERR_STATEMENT_HEADER },
	{ "ten years", "predicate evaluation\nsubject " DIGEST "\nend 2036-01-01T00:00:00Z\n" ENVELOPE, OK },
	{ "a laboratory that is no party's name",
	  "predicate evaluation\nsubject " DIGEST "\nlaboratory The Lab\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "a citation of nothing known", EVALUATION "cites " NOBODY "\n", OK },
	{ "a citation twice", EVALUATION "cites " NOBODY "\ncites " NOBODY "\n", ERR_STATEMENT_HEADER },
	{ "a citation of a name", EVALUATION "cites eucc-42\n", ERR_STATEMENT_HEADER },
	{ "a validation", "predicate validation\nre @E\nsubject " DIGEST "\n" UNTIL ENVELOPE, OK },
	{ "of nothing", "predicate validation\nsubject " DIGEST "\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "of what is not known", "predicate validation\nre " NOBODY "\nsubject " DIGEST "\n" UNTIL ENVELOPE,
	  ERR_MATTER_UNKNOWN },
	{ "of a counter", "predicate validation\nre @C\nsubject " DIGEST "\n" UNTIL ENVELOPE, ERR_STATEMENT_HEADER },
	{ "a declaration", "predicate declaration\nsubject pkg:generic/router\n" ENVELOPE, OK },
	{ "a counter", "predicate counter\nre @E\ntext it does not hold\n", OK },
	{ "a counter to a counter", "predicate counter\nre @C\ntext it does\n", OK },
	{ "a counter that says nothing", "predicate counter\nre @E\n", ERR_STATEMENT_HEADER },
	{ "a counter to nothing", "predicate counter\ntext it does not hold\n", ERR_STATEMENT_HEADER },
	{ "a status", "predicate status\nre @E\nstatus suspended\nreason a flaw\n", OK },
	{ "a status of a counter", "predicate status\nre @C\nstatus suspended\n", ERR_STATEMENT_HEADER },
	{ "no status", "predicate status\nre @E\n", ERR_STATEMENT_HEADER },
	{ "an unknown status", "predicate status\nre @E\nstatus broken\n", ERR_STATEMENT_HEADER },
};

static const char *filled(struct arena *a, const char *text, const char *name, struct hash id)
{
	const char *at = strstr(text, name);

	return at == NULL ? text : arena_print(a, "%.*s%s%s", (int)(at - text), text, hex_of(a, id), at + strlen(name));
}

static void at_the_door(void **state)
{
	struct scratch *s = *state;
	struct arena *a;
	struct world3 w;
	struct hash evaluation, counter;
	size_t wrong = 0;

	begin(&w, s, "doors");
	a = w.f.b->arena;
	evaluation = say(&w, w.body, EVALUATION);
	counter = say_about(&w, w.critic, "counter", evaluation, "text no\n");
	for (size_t i = 0; i < TABLE_LENGTH(doors); i++) {
		const char *lines = filled(a, filled(a, doors[i].lines, "@E", evaluation), "@C", counter);
		enum err e;

		err_clear();
		w.f.now_ms = START + 1000;
		e = folk_try_lines(&w.f, KIND_CERTIFICATE, w.critic,
				   arena_print(a, "%sdate 2026-01-01T00:00:00Z\n", lines));
		if (e == doors[i].err)
			continue;
		print_error("%s: %s (%s), not %s\n", doors[i].what, err_code(e), err_detail(), err_code(doors[i].err));
		wrong++;
	}
	assert_int_equal(wrong, 0);
	end(&w);
}

static void limits_of_numbers(void **state)
{
	struct scratch *s = *state;
	struct buffer b = BUFFER((size_t)1 << 20);
	struct world3 w;

	begin(&w, s, "limits");
	buffer_text(&b, "predicate evaluation\n" UNTIL ENVELOPE);
	for (int i = 0; i < 1000; i++)
		buffer_print(&b, "subject pkg:a/p%d\n", i);
	buffer_byte(&b, '\0');
	assert_int_equal(folk_try_lines(&w.f, KIND_CERTIFICATE, w.body, b.at), OK);
	b.len--;
	buffer_text(&b, "subject pkg:a/one-more\n");
	buffer_byte(&b, '\0');
	assert_int_equal(folk_try_lines(&w.f, KIND_CERTIFICATE, w.body, b.at), ERR_STATEMENT_HEADER);
	buffer_clear(&b);
	buffer_text(&b, EVALUATION);
	for (int i = 0; i <= CERTIFICATE_CITES_MAX; i++)
		buffer_print(&b, "cites %064x\n", i);
	buffer_byte(&b, '\0');
	assert_int_equal(folk_try_lines(&w.f, KIND_CERTIFICATE, w.body, b.at), ERR_STATEMENT_HEADER);
	buffer_free(&b);
	end(&w);
}

static void not_before_rules_3(void **state)
{
	struct scratch *s = *state;
	struct folk f;
	struct signer *body = signer_of("body.example");
	struct certificate c;
	struct hash id, before, after;
	struct span note;

	folk_new(&f, s, "rules-2");
	folk_party(&f, body, "");
	assert_int_equal(folk_try_lines(&f, KIND_CERTIFICATE, body, EVALUATION), ERR_RULES);
	assert_int_equal(state_digest(&f.b->st, &before), OK);
	note = statement_text(f.b->arena, KIND_CERTIFICATE, "cert.example/public", body, EVALUATION, &id);
	assert_int_equal(bare_fold(f.b, note, LEDGER_PUBLIC, f.now_ms), OK);
	assert_false(f.b->st.effective);
	assert_int_equal(state_certificate(&f.b->st, id, &c), ERR_MATTER_UNKNOWN);
	assert_int_equal(state_digest(&f.b->st, &after), OK);
	assert_false(hash_equal(before, after)); /* its id is kept */
	signer_free(body);
	bare_free(f.b);
}

/* ---- what was filed is found ---- */

static void read_back(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct certificate c;
	struct hash first, id;

	begin(&w, s, "back");
	first = say(&w, w.body, EVALUATION);
	w.f.now_ms += HOUR;
	id = say_about(&w, w.lab, "validation", first,
		       "subject " OTHER_DIGEST "\nscheme eucc\nlevel high\nlaboratory lab.example\n"
		       "start 2026-06-01T00:00:00Z\ncites " NOBODY "\ndemonstration yes\n" UNTIL ENVELOPE);
	c = get(&w, id);
	assert_true(hash_equal(c.id, id) && hash_equal(c.re, first) && c.has_re && c.demonstration && c.has_body);
	assert_int_equal(c.predicate, PREDICATE_VALIDATION);
	assert_true(span_is(c.from, "lab.example") && span_is(c.scheme, "eucc") && span_is(c.level, "high") &&
		    span_is(c.laboratory, "lab.example") && c.name.len == 0);
	assert_int_equal(c.logged_ms, START + HOUR);
	assert_int_equal(c.start_ms, START + 151 * DAY);
	assert_int_equal(c.end_ms, START + YEAR);
	assert_int_equal(c.subject_count, 1);
	assert_true(span_is(c.subjects[0], OTHER_DIGEST));
	assert_int_equal(c.cite_count, 1);
	assert_string_equal(hex_of(w.f.b->arena, c.cites[0]), NOBODY);
	assert_int_equal(c.body.size, 10);
	assert_true(span_is(c.body.media_type, CERTIFICATE_MEDIA_TYPE));
	assert_true(hash_equal(c.key, verifier_fingerprint(signer_verifier(w.lab))));
	assert_true(c.status == STATUS_VALID && c.status_ms == 0 && !c.withdrawn);
	assert_true(standing(&w, id).not_yet);
	c = get(&w, first);
	assert_int_equal(c.start_ms, START);
	assert_false(c.demonstration || c.has_re);
	assert_false(standing(&w, first).not_yet);
	w.f.now_ms = START + YEAR - 1;
	assert_false(standing(&w, first).expired);
	w.f.now_ms = START + YEAR;
	assert_true(standing(&w, first).expired);
	end(&w);
}

struct found {
	struct hash ids[64];
	size_t count;
};

static enum err on_found(void *context, const struct certificate *c)
{
	struct found *f = context;

	assert_true(f->count < TABLE_LENGTH(f->ids));
	f->ids[f->count++] = c->id;
	return OK;
}

static struct found about_subject(struct world3 *w, const char *subject)
{
	struct found f = { .count = 0 };

	assert_int_equal(certificates_of(&w->f.b->st, span_of(subject), on_found, &f), OK);
	return f;
}

static void by_subject(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash one, all, both, digest;
	struct found f;

	begin(&w, s, "subject");
	one = say(&w, w.body, "predicate declaration\nsubject pkg:deb/debian/openssl@3.0.11\n" ENVELOPE);
	all = say(&w, w.body, "predicate declaration\nsubject pkg:deb/debian/openssl\n" ENVELOPE);
	both = say(&w, w.body,
		   "predicate declaration\nsubject pkg:deb/debian/openssl\nsubject "
		   "pkg:deb/debian/openssl@3.0.11\n" ENVELOPE);
	digest = say(&w, w.maker, "predicate declaration\nsubject " DIGEST "\n" ENVELOPE);

	f = about_subject(&w, "pkg:deb/debian/openssl@3.0.11");
	assert_int_equal(f.count, 3); /* in the order of the ledger, none twice */
	assert_true(hash_equal(f.ids[0], one) && hash_equal(f.ids[1], all) && hash_equal(f.ids[2], both));
	f = about_subject(&w, "pkg:DEB/debian/OpenSSL@3.0.11?arch=amd64");
	assert_int_equal(f.count, 3);
	f = about_subject(&w, "pkg:deb/debian/openssl@3.0.12");
	assert_int_equal(f.count, 2);
	assert_true(hash_equal(f.ids[0], all) && hash_equal(f.ids[1], both));
	f = about_subject(&w, "pkg:deb/debian/openssl");
	assert_int_equal(f.count, 2);
	f = about_subject(&w, DIGEST);
	assert_int_equal(f.count, 1);
	assert_true(hash_equal(f.ids[0], digest));
	assert_int_equal(about_subject(&w, OTHER_DIGEST).count, 0);
	assert_int_equal(about_subject(&w, "pkg:deb/debian/openss").count, 0);
	assert_int_equal(certificates_of(&w.f.b->st, SPAN("openssl"), on_found, &f), ERR_CERTIFICATE);

	f.count = 0;
	assert_int_equal(state_certificates(&w.f.b->st, SPAN(""), on_found, &f), OK);
	assert_int_equal(f.count, 4);
	f.count = 0;
	assert_int_equal(state_certificates(&w.f.b->st, SPAN("maker.example"), on_found, &f), OK);
	assert_int_equal(f.count, 1);
	f.count = 0;
	assert_int_equal(state_certificates(&w.f.b->st, SPAN("maker.exampl"), on_found, &f), OK);
	assert_int_equal(f.count, 0);
	end(&w);
}

/* ---- status ---- */

#define SAYS(what) "status " what "\nreason because " what "\n"

static void check_status(struct world3 *w, struct hash id, enum certificate_status status, int64_t since,
			 const char *reason)
{
	struct certificate c = get(w, id);

	assert_int_equal(c.status, status);
	assert_int_equal(c.status_ms, since);
	assert_true(span_is(c.reason, reason));
}

static void author_and_laboratory(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash id, by_lab, last;
	int64_t t[8];

	begin(&w, s, "status");
	id = say(&w, w.body, EVALUATION);
	for (int i = 0; i < 8; i++)
		t[i] = START + (i + 1) * HOUR;
	check_status(&w, id, STATUS_VALID, 0, "");

	w.f.now_ms = t[0]; /* nobody else's word changes it; it stands beside */
	say_about(&w, w.critic, "status", id, SAYS("withdrawn"));
	check_status(&w, id, STATUS_VALID, 0, "");
	assert_int_equal(standing(&w, id).counters, 1);

	w.f.now_ms = t[1];
	by_lab = say_about(&w, w.lab, "status", id, SAYS("suspended"));
	check_status(&w, id, STATUS_SUSPENDED, t[1], "because suspended");

	w.f.now_ms = t[2]; /* the author cannot say it away */
	say_about(&w, w.body, "status", id, SAYS("valid"));
	check_status(&w, id, STATUS_SUSPENDED, t[1], "because suspended");

	w.f.now_ms = t[3];
	say_about(&w, w.body, "status", id, SAYS("withdrawn"));
	check_status(&w, id, STATUS_WITHDRAWN, t[3], "because withdrawn");

	w.f.now_ms = t[4];
	last = say_about(&w, w.body, "status", id, SAYS("conditional"));
	check_status(&w, id, STATUS_SUSPENDED, t[1], "because suspended");

	w.f.now_ms = t[5]; /* the laboratory takes its word back */
	folk_withdraw(&w.f, w.lab, by_lab, "");
	check_status(&w, id, STATUS_CONDITIONAL, t[4], "because conditional");
	assert_int_equal(standing(&w, id).counters, 1);

	w.f.now_ms = t[6]; /* and the author its last: the one before counts again */
	folk_withdraw(&w.f, w.body, last, "");
	check_status(&w, id, STATUS_WITHDRAWN, t[3], "because withdrawn");

	w.f.now_ms = t[7]; /* a withdrawal of the statement is for good */
	folk_withdraw(&w.f, w.body, id, "");
	check_status(&w, id, STATUS_WITHDRAWN, t[7], "");
	assert_true(get(&w, id).withdrawn);
	assert_int_equal(folk_try_lines(&w.f, KIND_CERTIFICATE, w.body,
					arena_print(w.f.b->arena, "predicate status\nre %s\nstatus valid\n",
						    hex_of(w.f.b->arena, id))),
			 ERR_OUTCOME);
	end(&w);
}

static void only_the_author_withdraws(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash id;

	begin(&w, s, "withdraw");
	id = say(&w, w.body, EVALUATION);
	assert_int_equal(folk_try_lines(&w.f, KIND_WITHDRAW, w.lab,
					arena_print(w.f.b->arena, "re %s\n", hex_of(w.f.b->arena, id))),
			 ERR_NOT_YOURS);
	end(&w);
}

static void counters_in_force(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash id, counter, other;

	begin(&w, s, "counters");
	id = say(&w, w.body, EVALUATION);
	counter = say_about(&w, w.critic, "counter", id, "text no\n");
	other = say_about(&w, w.maker, "counter", id, "text no\nend 2026-02-01T00:00:00Z\n");
	say_about(&w, w.maker, "counter", counter, "text but yes\n"); /* about the counter, not about it */
	say(&w, w.critic,
	    arena_print(w.f.b->arena, "predicate counter\nre %s\ntext no\ncites %s\n", hex_of(w.f.b->arena, other),
			hex_of(w.f.b->arena, id))); /* cites it, is about another */
	assert_int_equal(standing(&w, id).counters, 2);
	assert_int_equal(standing(&w, counter).counters, 1);
	w.f.now_ms = START + 40 * DAY;
	assert_int_equal(standing(&w, id).counters, 1); /* one is over */
	folk_withdraw(&w.f, w.critic, counter, "");
	assert_int_equal(standing(&w, id).counters, 0);
	end(&w);
}

/* ---- what it rests on ---- */

static const char *citing(struct world3 *w, struct hash id)
{
	return arena_print(w->f.b->arena, "predicate declaration\nsubject pkg:a/b\n" ENVELOPE "cites %s\n",
			   hex_of(w->f.b->arena, id));
}

static void a_withdrawal_shows_above(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash evaluation, validation, declaration, top;
	struct certificate_standing st;

	begin(&w, s, "above");
	evaluation = say(&w, w.body, EVALUATION);
	validation = say_about(&w, w.lab, "validation", evaluation, "subject " DIGEST "\n" UNTIL ENVELOPE);
	declaration = say(&w, w.maker, citing(&w, validation));
	top = say(&w, w.critic, citing(&w, declaration));
	st = standing(&w, top);
	assert_false(st.rests_on_bad);
	assert_int_equal(st.rests_on, 3);

	say_about(&w, w.lab, "status", evaluation, "status suspended\n");
	st = standing(&w, top);
	assert_true(st.rests_on_bad && hash_equal(st.bad, evaluation) && st.status == STATUS_VALID);
	assert_int_equal(st.bad_status, STATUS_SUSPENDED);
	say_about(&w, w.lab, "status", evaluation, "status conditional\n"); /* is no reason */
	assert_false(standing(&w, top).rests_on_bad);

	folk_withdraw(&w.f, w.maker, declaration, "");
	folk_withdraw(&w.f, w.body, evaluation, "");
	st = standing(&w, top); /* the nearest is named */
	assert_true(st.rests_on_bad && hash_equal(st.bad, declaration) && st.bad_status == STATUS_WITHDRAWN);
	st = standing(&w, validation);
	assert_true(st.rests_on_bad && hash_equal(st.bad, evaluation) && st.bad_status == STATUS_WITHDRAWN);
	assert_false(standing(&w, evaluation).rests_on_bad); /* it is itself what is bad */
	end(&w);
}

static void expired_or_unknown(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash evaluation, on_it, on_nothing, nobody;
	struct certificate_standing st;

	begin(&w, s, "unknown");
	assert_int_equal(hash_from_hex(SPAN(NOBODY), &nobody), OK);
	evaluation = say(&w, w.body, EVALUATION);
	on_it = say(&w, w.maker, citing(&w, evaluation));
	on_nothing = say(&w, w.maker, citing(&w, nobody));
	st = standing(&w, on_nothing);
	assert_true(st.rests_on_bad && st.bad_unknown && hash_equal(st.bad, nobody) && st.bad_status == STATUS_VALID);
	assert_false(standing(&w, on_it).rests_on_bad);
	w.f.now_ms = START + YEAR;
	st = standing(&w, on_it);
	assert_true(st.rests_on_bad && st.bad_expired && hash_equal(st.bad, evaluation) && !st.expired);
	end(&w);
}

static void by_a_revoked_key(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash evaluation, on_it, party;
	struct certificate_standing st;

	begin(&w, s, "revoked");
	party = folk_party(&w.f, w.body, "claim AS64999\n");
	evaluation = say(&w, w.body, EVALUATION);
	on_it = say(&w, w.maker, citing(&w, evaluation));
	folk_withdraw(&w.f, w.body, party, "reason key-compromised\n");
	assert_true(standing(&w, evaluation).key_revoked);
	st = standing(&w, on_it);
	assert_true(st.rests_on_bad && st.bad_key_revoked && hash_equal(st.bad, evaluation) && !st.key_revoked);
	w.f.now_ms += HOUR; /* and it says nothing more */
	assert_int_not_equal(folk_try_lines(&w.f, KIND_CERTIFICATE, w.body, EVALUATION "demonstration yes\n"), OK);
	end(&w);
}

/* A row of them, each resting on the one before. */
static void a_long_chain(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash ids[CERTIFICATE_CHAIN_MAX + 2];
	struct certificate_standing st;

	begin(&w, s, "chain");
	ids[0] = say(&w, w.body, EVALUATION);
	for (size_t i = 1; i < TABLE_LENGTH(ids); i++)
		ids[i] = say(&w, w.maker, citing(&w, ids[i - 1]));
	st = standing(&w, ids[CERTIFICATE_CHAIN_MAX]);
	assert_false(st.rests_on_bad);
	assert_int_equal(st.rests_on, CERTIFICATE_CHAIN_MAX);
	st = standing(&w, ids[CERTIFICATE_CHAIN_MAX + 1]);
	assert_true(st.rests_on_bad && st.bad_unknown && hash_equal(st.bad, ids[0]));
	end(&w);
}

/* Ids are hashes, so no statement can cite what will cite it. A state that says so nevertheless is walked to its end. */
static void a_circle_ends(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash first, second;
	struct certificate c;
	struct certificate_standing st;

	begin(&w, s, "circle");
	first = say(&w, w.body, EVALUATION);
	second = say(&w, w.maker, citing(&w, first));
	c = get(&w, first);
	c.cites = &second;
	c.cite_count = 1;
	assert_int_equal(certificate_put(&w.f.b->st, &c), OK);
	st = standing(&w, first);
	assert_false(st.rests_on_bad);
	assert_int_equal(st.rests_on, 1);
	assert_int_equal(standing(&w, second).rests_on, 1);
	end(&w);
}

/* Many that all cite the same ones: each is looked at once, and a crowd is left. */
static void a_crowd_is_left(void **state)
{
	struct scratch *s = *state;
	struct world3 w;
	struct hash layer[CERTIFICATE_CITES_MAX], next[CERTIFICATE_CITES_MAX], top;
	struct buffer b = BUFFER((size_t)1 << 16);
	struct certificate_standing st;

	begin(&w, s, "crowd");
	for (int i = 0; i < CERTIFICATE_CITES_MAX; i++)
		layer[i] = say(&w, w.maker,
			       arena_print(w.f.b->arena, "predicate declaration\nsubject pkg:a/p%d\n" ENVELOPE, i));
	for (int deep = 0; deep < 4; deep++) {
		for (int i = 0; i < CERTIFICATE_CITES_MAX; i++) {
			buffer_clear(&b);
			buffer_print(&b, "predicate declaration\nsubject pkg:a/p%d-%d\n" ENVELOPE, deep, i);
			for (int j = 0; j < CERTIFICATE_CITES_MAX; j++)
				buffer_print(&b, "cites %s\n", hex_of(w.f.b->arena, layer[j]));
			buffer_byte(&b, '\0');
			next[i] = say(&w, w.maker, b.at);
		}
		memcpy(layer, next, sizeof(layer));
	}
	top = layer[0];
	st = standing(&w, top);
	assert_false(st.rests_on_bad);
	assert_int_equal(st.rests_on, 4 * CERTIFICATE_CITES_MAX);
	buffer_free(&b);
	end(&w);
}

/* ---- the same bytes ---- */

static struct hash play(struct scratch *s, const char *name)
{
	struct world3 w;
	struct hash id, status, h;

	begin(&w, s, name);
	id = say(&w, w.body, EVALUATION);
	status = say_about(&w, w.lab, "status", id, SAYS("suspended"));
	say_about(&w, w.critic, "counter", id, "text no\n");
	folk_withdraw(&w.f, w.lab, status, "");
	folk_withdraw(&w.f, w.body, id, "");
	assert_int_equal(state_digest(&w.f.b->st, &h), OK);
	end(&w);
	return h;
}

static void twice_the_same(void **state)
{
	struct hash a = play(*state, "twice-a"), b = play(*state, "twice-b");

	assert_true(hash_equal(a, b));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_the_door),
		cmocka_unit_test(limits_of_numbers),
		cmocka_unit_test(not_before_rules_3),
		cmocka_unit_test(read_back),
		cmocka_unit_test(by_subject),
		cmocka_unit_test(author_and_laboratory),
		cmocka_unit_test(only_the_author_withdraws),
		cmocka_unit_test(counters_in_force),
		cmocka_unit_test(a_withdrawal_shows_above),
		cmocka_unit_test(expired_or_unknown),
		cmocka_unit_test(by_a_revoked_key),
		cmocka_unit_test(a_long_chain),
		cmocka_unit_test(a_circle_ends),
		cmocka_unit_test(a_crowd_is_left),
		cmocka_unit_test(twice_the_same),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
