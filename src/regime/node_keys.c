/*
 * A party's key gives way to the next
 *
 *	1. keys/NAME.key.next is made and on the disk before anything names it;
 *	2. one batch logs that it follows and the statement by which it does (cli/cmd_party_key.c);
 *	3. keys/NAME.key gets a second name with the date, keys/NAME.key.next takes its place, DIR/node names it.
 *
 * Which key is the present one is said by the ledger alone. So 3 is done, or done again, by whoever opens the node next: at any
 * moment the key that the ledger names lies under one of both names, and the old one is never lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "regime/node_private.h"

static struct span file_of(const struct node *n, struct span domain)
{
	return span_equal(domain, n->name) ? SPAN("party") : domain;
}

/* NULL in *out: there is no such file. */
static enum err load(const struct node *n, struct span domain, const char *end, struct signer **out)
{
	char *path = node_path(n, "keys/%.*s.key%s", SPAN_FORMAT(file_of(n, domain)), end);
	enum err e = path == NULL ? ERR_NO_MEMORY : signer_load(path, out);

	free(path);
	if (e == OK && !span_equal(span_of(signer_verifier(*out)->name), domain)) {
		signer_free(*out);
		*out = NULL;
		e = fail(ERR_KEY, "%s/keys/%.*s.key%s: the key of another party", n->dir,
			 SPAN_FORMAT(file_of(n, domain)), end);
	}
	return e == ERR_NOT_FOUND ? OK : e;
}

static bool is(const struct signer *s, struct hash fingerprint)
{
	return s != NULL && hash_equal(verifier_fingerprint(signer_verifier(s)), fingerprint);
}

enum err node_present_key(struct node *n, struct span domain, struct hash *out)
{
	struct snapshot *s = NULL;
	struct state st;
	struct party p;
	enum err e = views_read(n->views, &s);

	if (e != OK)
		return e;
	st = node_state(n, s, n->arena);
	e = party_get(&st, domain, &p);
	if (e == OK)
		*out = p.fingerprint;
	snapshot_end(s);
	return e;
}

/* Whoever still signs with the old one in another thread may go on to read it. */
static enum err keep_former(struct node *n, struct signer *old)
{
	struct held_key *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return ERR_NO_MEMORY;
	*k = (struct held_key){ n->former, old };
	n->former = k;
	return OK;
}

static enum err move_files(const struct node *n, struct span domain)
{
	struct span file = file_of(n, domain);
	char now[CLOCK_TEXT], *folder, *key, *next, *old;
	enum err e = ERR_NO_MEMORY;

	clock_format_ms(clock_now_ms(), now);
	folder = node_path(n, "keys");
	key = node_path(n, "keys/%.*s.key", SPAN_FORMAT(file));
	next = node_path(n, "keys/%.*s.key.next", SPAN_FORMAT(file));
	old = node_path(n, "keys/%.*s.key.%s", SPAN_FORMAT(file), now);
	if (folder != NULL && key != NULL && next != NULL && old != NULL) {
		e = OK;
		if (link(key, old) == -1 && errno != ENOENT && errno != EEXIST)
			e = fail_errno("%s", old);
		if (e == OK)
			e = folder_sync(folder);
		if (e == OK && rename(next, key) == -1)
			e = fail_errno("%s", key);
		if (e == OK)
			e = folder_sync(folder);
	}
	free(folder);
	free(key);
	free(next);
	free(old);
	return e;
}

/* Takes the signer. */
static enum err use_own(struct node *n, struct signer *s)
{
	enum err e = keep_former(n, n->party);

	if (e != OK) {
		signer_free(s);
		return e;
	}
	n->party = s;
	return OK;
}

static enum err use_held(struct node *n, struct span domain)
{
	for (struct held_key **k = &n->held; *k != NULL; k = &(*k)->next)
		if (span_equal(span_of(signer_verifier((*k)->signer)->name), domain)) {
			struct held_key *old = *k;

			*k = old->next;
			old->next = n->former;
			n->former = old;
			return OK;
		}
	return OK;
}

/* The file has the present key: what is in memory and in DIR/node follows. */
static enum err take_up(struct node *n, struct span domain, struct hash present, struct signer **s)
{
	enum err e = OK;

	if (!span_equal(domain, n->name))
		return use_held(n, domain);
	if (!is(n->party, present)) {
		e = use_own(n, *s);
		*s = NULL;
	}
	if (e == OK && !hash_equal(verifier_fingerprint(&n->party_key), present)) {
		n->party_key = *signer_verifier(n->party);
		e = node_write_file(n);
	}
	return e;
}

enum err node_settle_key(struct node *n, struct span domain, bool *finished)
{
	struct signer *s = NULL, *next = NULL;
	struct hash present;
	enum err e = node_present_key(n, domain, &present);

	*finished = false;
	if (e == ERR_PARTY_UNKNOWN)
		return OK;
	if (e == OK)
		e = load(n, domain, "", &s);
	if (e == OK && !is(s, present)) {
		e = load(n, domain, ".next", &next);
		if (e == OK && !is(next, present)) /* its key is elsewhere, or lost */
			goto out;
		if (e == OK)
			e = move_files(n, domain);
		*finished = e == OK;
		signer_free(s);
		s = next;
		next = NULL;
	}
	if (e == OK)
		e = take_up(n, domain, present, &s);
out:
	signer_free(s);
	signer_free(next);
	return e;
}

enum err node_next_signer(struct node *n, struct span domain, struct signer **out)
{
	char *path = node_path(n, "keys/%.*s.key.next", SPAN_FORMAT(file_of(n, domain)));
	enum err e = path == NULL ? ERR_NO_MEMORY : load(n, domain, ".next", out);

	if (e == OK && *out == NULL && (e = signer_new(domain, out)) == OK && (e = signer_save(*out, path)) != OK) {
		signer_free(*out);
		*out = NULL;
	}
	free(path);
	return e;
}
