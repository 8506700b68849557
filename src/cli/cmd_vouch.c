#include "cli/acting.h"
#include "cli/vouching.h"
#include "regime/vouch.h"

/* ---- vouch for ---- */

static enum err write_vouch(void *context, struct cli *c, struct node *n, const struct signer *key,
			    struct statement_writer *w)
{
	const struct addressee to = { .type = TO_PARTY, .domain = span_of(c->operands[0]) };
	const char *hex = cli_option(c, "key");
	bool recovery = cli_flag(c, "recovery");
	int64_t until_ms = 0;
	struct hash vouched;
	struct party p;
	enum err e = cli_time(c, "until", 0, &until_ms);

	(void)context;
	if (e == OK && recovery != (hex != NULL))
		e = fail(ERR_USAGE, "--recovery and --key HEX go together: whose present key is meant needs neither");
	if (e == OK && hex != NULL && hash_from_hex(span_of(hex), &vouched) != OK)
		e = fail(ERR_USAGE, "--key wants the fingerprint of the new key, 64 digits of lower-case hex");
	if (e == OK && hex == NULL && (e = state_party(node_batch_state(n), to.domain, &p)) == OK)
		vouched = p.fingerprint;
	if (e != OK)
		return e;
	statement_begin(w, KIND_VOUCH, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add_to(w, &to);
	statement_add_hash(w, "vouched-key", vouched);
	if (cli_flag(c, "visited"))
		statement_add(w, "visited", SPAN("yes"));
	if (until_ms != 0)
		statement_add_time(w, "until", until_ms);
	if (recovery)
		statement_add(w, "recovery", SPAN("yes"));
	if (cli_option(c, "text") != NULL)
		statement_add(w, "text", span_of(cli_option(c, "text")));
	return OK;
}

int cmd_vouch_for(struct cli *c)
{
	return act_say(c, "vouch", write_vouch, NULL, NULL);
}

/* ---- vouch withdraw ---- */

int cmd_vouch_withdraw(struct cli *c)
{
	struct appended out;
	char until[CLOCK_TEXT];
	int code = act_withdraw(c, KIND_VOUCH, &out);

	if (code != EXIT_OK || c->json)
		return code;
	cli_date(out.logged_ms + VOUCH_NOTICE_MS, until);
	printf("  who rests on it stays until %s at most\n", until);
	return code;
}

/* ---- vouch list ---- */

struct listing {
	struct cli *c;
	int64_t now_ms;
	const struct state *st;
};

static enum err list_one(void *context, const struct vouch *v)
{
	struct listing *l = context;
	char from[CLOCK_TEXT], until[CLOCK_TEXT], hex[HASH_HEX + 1];

	hash_hex(v->id, hex);
	if (l->c->json) {
		struct json *j = cli_object(l->c);

		json_hash(j, "id", v->id);
		json_string(j, "from", v->from);
		json_string(j, "to", v->to);
		json_hash(j, "vouched_key", v->vouched_key);
		json_bool(j, "visited", v->visited);
		json_bool(j, "recovery", v->recovery);
		json_time(j, "begins", v->from_ms);
		json_time(j, "ends", v->until_ms);
		if (v->withdrawn_ms != 0)
			json_time(j, "withdrawn", v->withdrawn_ms);
		json_bool(j, "in_force", l->now_ms < v->until_ms);
		cli_object_end(l->c);
		return OK;
	}
	cli_date(v->from_ms, from);
	cli_date(v->until_ms, until);
	printf("%.12s  ", hex);
	cli_column(v->from, 28);
	printf("for ");
	cli_column(v->to, 28);
	printf("%s to %s%s%s%s\n", from, until, v->visited ? ", visited" : "", v->recovery ? ", recovery" : "",
	       l->now_ms >= v->until_ms ? ", past"
	       : v->withdrawn_ms != 0	? ", withdrawn: until then all who rest on it stay"
					: "");
	return OK;
}

static enum err list_of(void *context, const struct party *p)
{
	struct listing *l = context;

	return vouches_for(l->st, p->domain, list_one, l);
}

int cmd_vouch_list(struct cli *c)
{
	struct state st = { 0 };
	struct listing l = { c, clock_now_ms(), &st };
	struct node *n = NULL;
	struct span party;
	enum err e = act_party(cli_option(c, "party"), &party);

	if (e == OK)
		e = node_open(c->dir, NODE_READ, &n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		if (cli_option(c, "party") == NULL) {
			e = state_parties(&st, list_of, &l);
		} else {
			e = vouches_for(&st, party, list_one, &l);
			if (e == OK)
				e = vouches_by(&st, party, list_one, &l);
		}
		snapshot_end(st.snapshot);
	}
	node_close(n);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- of one party ---- */

struct showing {
	struct cli *c;
	int64_t now_ms, ends_ms; /* of what was withdrawn and still counts: the first */
};

static enum err show_key(void *context, const struct party_key *k)
{
	struct showing *s = context;
	char from[CLOCK_TEXT], until[CLOCK_TEXT], hex[HASH_HEX + 1];

	if (s->c->json) {
		struct json *j = &s->c->object;

		json_object(j, NULL);
		json_hash(j, "fingerprint", k->fingerprint);
		json_time(j, "from", k->from_ms);
		if (k->until_ms != INT64_MAX)
			json_time(j, "until", k->until_ms);
		json_bool(j, "revoked", k->revoked);
		json_object_end(j);
		return OK;
	}
	hash_hex(k->fingerprint, hex);
	cli_date(k->from_ms, from);
	if (k->until_ms != INT64_MAX)
		cli_date(k->until_ms, until);
	printf("  %-12s %s from %s%s%s%s\n", k->until_ms == INT64_MAX ? "key" : "former key", hex, from,
	       k->until_ms == INT64_MAX ? "" : " until ", k->until_ms == INT64_MAX ? "" : until,
	       k->revoked ? ", revoked" : "");
	return OK;
}

enum err show_keys(struct cli *c, const struct state *st, const struct party *p)
{
	struct showing s = { .c = c };
	enum err e;

	if (c->json)
		json_array(&c->object, "keys");
	e = party_keys(st, p->domain, show_key, &s);
	if (c->json)
		json_array_end(&c->object);
	return e;
}

static enum err see_withdrawn(void *context, const struct vouch *v)
{
	struct showing *s = context;

	if (v->withdrawn_ms != 0 && s->now_ms < v->until_ms && (s->ends_ms == 0 || v->until_ms < s->ends_ms))
		s->ends_ms = v->until_ms;
	return OK;
}

enum err show_sponsorship(struct cli *c, const struct state *st, const struct party *p)
{
	struct showing see = { c, clock_now_ms(), 0 };
	struct json *j = &c->object;
	struct sponsorship s;
	char ends[CLOCK_TEXT];
	enum err e = sponsorship_of(st, p->domain, see.now_ms, &s);

	if (e == OK)
		e = vouches_for(st, p->domain, see_withdrawn, &see);
	if (e != OK)
		return e;
	if (c->json) {
		json_object(j, "sponsorship");
		json_number(j, "vouches", s.vouches);
		json_number(j, "sponsors", s.sponsors);
		json_bool(j, "sponsored", s.sponsored);
		json_bool(j, "established", s.established);
		if (s.ends_ms != 0)
			json_time(j, "ends", s.ends_ms);
		if (see.ends_ms != 0)
			json_time(j, "notice_ends", see.ends_ms);
		json_object_end(j);
		return OK;
	}
	printf("  %-12s %u vouches, %u unrelated sponsors", "sponsors", s.vouches, s.sponsors);
	if (s.sponsored && s.ends_ms != INT64_MAX) {
		cli_date(s.ends_ms, ends);
		printf("; sponsored until %s", ends);
	}
	printf("%s\n", s.established ? "" : "; not established");
	if (see.ends_ms != 0) {
		cli_date(see.ends_ms, ends);
		printf("  %-12s a vouch was withdrawn; it counts until %s\n", "notice", ends);
	}
	return OK;
}
