#include "regime/guest.h"

#include "regime/kinds_private.h"

/*
 * Guests
 *
 * A guest counts here because its home logged it, and that is proved by the receipt: this entry, in a tree whose root the home
 * signed. The entry is the home's `logged` and the note, so the receipt also proves when it was logged there. Nothing else
 * of the receipt is believed: its `extra` is the entry, which is hashed and led to the root; the origin is the name of the key;
 * the key is that of the home's party statement, which must be known here as any signer must.
 *
 * Kept is the receipt without `extra`, since that can be made again from the home's time and the note (entry_print has one
 * spelling). So a body of the circle holds hashes and a checkpoint and nothing that anyone said.
 */

enum err guest_read(struct arena *a, const struct statement *s, struct span text, struct guest *g)
{
	struct receipt bare;
	struct entry home;
	enum err e;

	if (text.len > RECEIPT_TEXT_MAX)
		return fail(ERR_TOO_LONG, "a receipt of %zu bytes, at most %d", text.len, RECEIPT_TEXT_MAX);
	if ((e = receipt_parse(a, text, &g->receipt)) != OK)
		return e;
	if (g->receipt.extra.len == 0)
		return fail(ERR_RECEIPT, "extra: a guest's receipt carries the entry at home");
	if ((e = entry_parse(g->receipt.extra, &home)) != OK)
		return fail(ERR_RECEIPT, "extra: %s", err_detail());
	if (home.is_guest)
		return fail(ERR_RECEIPT, "extra: a guest there too; its home is elsewhere");
	if (!span_equal(home.note, s->note.whole))
		return fail(ERR_RECEIPT, "extra: the entry of another note");
	g->text = text;
	g->home_ms = home.logged_ms;
	bare = g->receipt;
	bare.extra = SPAN("");
	buffer_clear(&g->bare);
	receipt_print(&bare, &g->bare);
	g->hash = hash_span(buffer_view(&g->bare));
	return g->bare.err;
}

enum err guest_ledger_key(const struct state *st, const struct statement *s, struct verifier *out)
{
	struct span home;
	struct party p;
	enum ledger_id l;
	enum err e = statement_home(s, &home, &l);

	if (e == OK && s->kind == KIND_PARTY && span_equal(s->from, home))
		return party_statement_ledger_key(s, l, out);
	if (e == OK)
		e = state_party(st, home, &p);
	return e == OK ? party_ledger_key(&p, l, out) : e;
}

static bool was_verified(const struct statement *s, const struct guest *g, const struct verified *v,
			 const struct verifier *key)
{
	return v != NULL && v->with_receipt && hash_equal(v->id, s->id) &&
	       memcmp(v->ledger.public_key, key->public_key, KEY_PUBLIC_SIZE) == 0 &&
	       strcmp(v->ledger.name, key->name) == 0 && hash_equal(v->receipt, hash_span(g->text));
}

enum err guest_check(const struct state *st, const struct statement *s, const struct guest *g, const struct verified *v)
{
	struct verifier key;
	enum err e = guest_ledger_key(st, s, &key);

	if (e != OK || was_verified(s, g, v, &key))
		return e;
	return receipt_verify(st->arena, &g->receipt, g->receipt.extra, &key, NULL);
}

enum err guest_restore(struct arena *a, const struct entry *entry, struct span bare, struct buffer *b,
		       struct receipt *out)
{
	enum err e = receipt_parse(a, bare, out);

	if (e != OK)
		return e;
	buffer_clear(b);
	entry_print(entry->home_ms, entry->note, b);
	out->extra = buffer_view(b);
	return b->err;
}

enum err guest_bare(struct node *n, struct snapshot *s, struct arena *a, struct hash hash, struct span *bare)
{
	struct state_key k = key_body(hash, true);
	struct body_record body;
	struct record r;
	uint64_t position;
	enum err e = position_get(s, VIEW_BODIES, key_view(&k), &position);

	if (e == OK && ((e = journal_read(n->journal, a, position, &r)) == ERR_NOT_FOUND || (e == OK && r.erased)))
		return fail(ERR_DAMAGED, "%s: the views name position %ju, where the journal has no receipt", n->dir,
			    (uintmax_t)position);
	if (e == OK)
		e = body_unpack(r.payload, &body);
	if (e == OK && (!body.is_receipt || !hash_equal(hash_span(body.payload), hash)))
		return fail(ERR_DAMAGED, "%s/journal: the record at %ju is not the receipt that it should be", n->dir,
			    (uintmax_t)position);
	if (e == OK)
		*bare = body.payload;
	return e == ERR_NOT_FOUND ? fail(e, "no receipt of that hash") : e;
}
