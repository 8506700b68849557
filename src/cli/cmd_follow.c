/* `comity follow`: other nodes' ledgers, mirrored here. */
#include <stdlib.h>

#include "cli/cli.h"
#include "net/config.h"
#include "exchange/follow.h"
#include "exchange/home.h"
#include "regime/mirror.h"

struct following {
	struct cli *c;
	struct config config;
	struct door_limits limits;
	struct home home;
	struct signer *signer;
	char name[KEY_NAME_MAX + 1];
	struct hash pin;
	bool has_pin;
	struct progress progress;
	bool is_folding;
	enum err worst; /* of several nodes */
};

/* The node is opened for what is read and logged, and given back in between where a server lends it. */
static enum err read_own(void *context, struct arena *a, struct state *out)
{
	struct following *f = context;
	enum err e = home_open(&f->home);

	return e == OK ? node_read(f->home.node, a, out) : e;
}

static enum err log_guest(void *context, struct span note, struct span receipt)
{
	struct following *f = context;
	struct appended out;
	enum err e = home_open(&f->home);

	if (e == OK)
		e = node_begin(f->home.node);
	if (e != OK)
		return e;
	if ((e = node_add_guest(f->home.node, note, receipt, &out)) == OK)
		return node_commit(f->home.node);
	node_abandon(f->home.node);
	return e;
}

static void show_progress(void *context, enum ledger_id l, uint64_t done, uint64_t total)
{
	struct following *f = context;

	(void)l;
	home_rest(&f->home);
	progress_show(&f->progress, done, total, done, "entries");
}

static void show_folding(void *context, uint64_t done, uint64_t total)
{
	struct following *f = context;

	home_rest(&f->home);
	if (!f->is_folding) { /* another work, another rate */
		f->is_folding = true;
		f->progress.what = "fold";
		f->progress.began_us = clock_monotonic_us();
	}
	progress_show(&f->progress, done, total, done, "entries");
}

static enum err read_pin(struct following *f)
{
	const char *key = cli_option(f->c, "key");

	f->has_pin = key != NULL;
	if (key == NULL || hash_from_hex(span_of(key), &f->pin) == OK)
		return OK;
	return fail(ERR_USAGE, "--key wants the fingerprint of the node's party key, 64 digits of lower-case hex");
}

static enum err begin(struct following *f)
{
	struct cli *c = f->c;
	char *config = arena_print(c->arena, "%s/config", c->dir);
	char *key = arena_print(c->arena, "%s/keys/party.key", c->dir);
	enum err e =
		config == NULL || key == NULL ? ERR_NO_MEMORY : config_read(c->arena, config, NULL, NULL, &f->config);

	if (e != OK || (e = read_pin(f)) != OK)
		return e;
	f->limits = config_door_limits(&f->config);
	f->limits.allow_private |= cli_flag(c, "private");
	f->limits.allow_plain |= cli_flag(c, "plain");
	if (cli_option(c, "authorities") != NULL)
		f->limits.authorities = cli_option(c, "authorities");
	f->home.dir = c->dir;
	if ((e = home_open(&f->home)) != OK)
		return e;
	cli_mended(f->home.node);
	snprintf(f->name, sizeof(f->name), "%.*s", SPAN_FORMAT(node_name(f->home.node)));
	return signer_load(key, &f->signer);
}

static enum err end(struct following *f)
{
	enum err e = home_close(&f->home);

	signer_free(f->signer);
	return e;
}

static void print_result(struct cli *c, const struct follow_result *r, struct span url)
{
	char fingerprint[HASH_HEX + 1], count[32], fresh[32];

	hash_hex(r->fingerprint, fingerprint);
	printf("%s%.*s%s at ", cli_bold(c), SPAN_FORMAT(r->node), cli_plain(c));
	cli_print(url);
	putchar('\n');
	for (int l = 0; l < LEDGER_COUNT; l++) {
		cli_thousands(r->entries[l], count);
		cli_thousands(r->fresh[l], fresh);
		if (l == LEDGER_CIRCLE && !r->circle_open)
			printf("  its circle is not open to us%s\n", r->entries[l] > 0 ? " any more" : "");
		else
			printf("  %12s entries of its %s ledger, %s new\n", count, ledger_name((enum ledger_id)l),
			       fresh);
	}
	if (r->guests > 0)
		printf("  %12u party statements logged here\n", r->guests);
	if (r->refused > 0) {
		printf("  %12u not taken: ", r->refused);
		cli_print(span_of(r->why_refused));
		putchar('\n');
	}
	if (r->first)
		printf("This is the first time. Compare the fingerprint of its key with its people, by phone or on "
		       "paper:\n"
		       "  %s\n",
		       fingerprint);
}

static void object_result(struct cli *c, const struct follow_result *r, struct span url)
{
	struct json *j = cli_object(c);

	json_text(j, "what", "followed");
	json_string(j, "node", r->node);
	json_string(j, "url", url);
	json_hash(j, "key", r->fingerprint);
	json_bool(j, "first", r->first);
	json_number(j, "public", (int64_t)r->entries[LEDGER_PUBLIC]);
	json_number(j, "public_new", (int64_t)r->fresh[LEDGER_PUBLIC]);
	json_bool(j, "circle_open", r->circle_open);
	json_number(j, "circle", (int64_t)r->entries[LEDGER_CIRCLE]);
	json_number(j, "circle_new", (int64_t)r->fresh[LEDGER_CIRCLE]);
	json_number(j, "parties", r->guests);
	json_number(j, "refused", r->refused);
	if (r->refused > 0)
		json_text(j, "why_refused", r->why_refused);
	cli_object_end(c);
}

static enum err follow_one(struct following *f, struct span url)
{
	struct cli *c = f->c;
	struct follow_host host = { .dir = c->dir,
				    .node = span_of(f->name),
				    .signer = f->signer,
				    .read = read_own,
				    .guest = log_guest,
				    .progress = show_progress,
				    .folding = show_folding,
				    .context = f };
	struct follow_result r;
	enum err e;

	f->progress = progress_begin(c, "follow");
	f->is_folding = false;
	home_rest(&f->home);
	e = follow_url(&host, c->arena, url, &f->limits, f->has_pin ? &f->pin : NULL, &r);
	progress_end(&f->progress);
	if (e == OK)
		(c->json ? object_result : print_result)(c, &r, url);
	return e;
}

/* One that cannot be reached does not stop the others. */
static enum err follow_again(void *context, const char *dir, struct span node)
{
	struct following *f = context;
	struct followed one;
	enum err e = followed_read(f->c->arena, dir, node, &one);

	if (e == OK && one.url.len == 0)
		return OK;
	if (e == OK)
		e = follow_one(f, one.url);
	if (e == OK)
		return OK;
	cli_fail(f->c, e);
	if (f->worst == OK)
		f->worst = e;
	return err_is_machine(e) ? e : OK;
}

int cmd_follow(struct cli *c)
{
	struct following f = { .c = c };
	enum err e = begin(&f), closed;

	if (e == OK && c->operand_count == 1)
		e = follow_one(&f, span_of(c->operands[0]));
	else if (e == OK && f.has_pin)
		e = fail(ERR_USAGE, "--key goes with an address");
	else if (e == OK)
		e = mirrors_walk(c->dir, follow_again, &f);
	if (e != OK && f.worst == OK)
		cli_fail(c, e);
	closed = end(&f);
	if (e == OK)
		e = f.worst;
	if (e == OK && closed != OK)
		return cli_fail(c, closed);
	return cli_exit_code(e);
}

/* ---- list, remove ---- */

static void print_followed(struct cli *c, const struct followed *one)
{
	char count[32], seen[CLOCK_TEXT] = "never", fingerprint[HASH_HEX + 1];

	hash_hex(one->fingerprint, fingerprint);
	if (one->seen_ms > 0)
		cli_date(one->seen_ms, seen);
	printf("%s%.*s%s at ", cli_bold(c), SPAN_FORMAT(one->node), cli_plain(c));
	cli_print(one->url);
	printf("\n  key %s\n", fingerprint);
	for (int l = 0; l < LEDGER_COUNT; l++) {
		cli_thousands(one->entries[l], count);
		if (l == LEDGER_PUBLIC || one->has_circle)
			printf("  %12s entries of its %s ledger, %ju folded\n", count, ledger_name((enum ledger_id)l),
			       (uintmax_t)one->folded[l]);
	}
	if (!one->has_circle)
		printf("  its circle is not open to us\n");
	printf("  last seen %s\n", seen);
	if (one->forks > 0)
		printf("%s  FORKED: its ledger says two things that cannot both be true. It is followed no further and "
		       "its claims "
		       "do not count.\n  The evidence: %s/followed/%.*s/fork-1\n%s",
		       cli_bold(c), c->dir, SPAN_FORMAT(one->node), cli_plain(c));
}

static void object_followed(struct cli *c, const struct followed *one, const struct hash *digest)
{
	struct json *j = cli_object(c);

	json_string(j, "node", one->node);
	json_string(j, "url", one->url);
	json_hash(j, "key", one->fingerprint);
	json_number(j, "public", (int64_t)one->entries[LEDGER_PUBLIC]);
	json_number(j, "public_folded", (int64_t)one->folded[LEDGER_PUBLIC]);
	json_bool(j, "has_circle", one->has_circle);
	json_number(j, "circle", (int64_t)one->entries[LEDGER_CIRCLE]);
	json_number(j, "circle_folded", (int64_t)one->folded[LEDGER_CIRCLE]);
	json_time(j, "newest", one->logged_ms);
	json_time(j, "seen", one->seen_ms);
	json_number(j, "forks", one->forks);
	if (digest != NULL)
		json_hash(j, "state", *digest);
	cli_object_end(c);
}

static enum err list_one(void *context, const char *dir, struct span node)
{
	struct cli *c = context;
	struct followed one;
	struct hash digest;
	char hex[HASH_HEX + 1];
	bool summed = false;
	enum err e = followed_read(c->arena, dir, node, &one);

	if (e == OK && cli_flag(c, "digest")) {
		e = followed_digest(dir, node, &digest);
		summed = e == OK;
		e = e == ERR_NOT_FOUND ? OK : e;
	}
	if (e != OK)
		return e;
	if (c->json) {
		object_followed(c, &one, summed ? &digest : NULL);
		return OK;
	}
	print_followed(c, &one);
	if (summed) {
		hash_hex(digest, hex);
		printf("  its state here has the digest %s\n", hex);
	}
	return OK;
}

int cmd_follow_list(struct cli *c)
{
	enum err e = mirrors_walk(c->dir, list_one, c);

	return e == OK ? EXIT_OK : cli_fail(c, e);
}

int cmd_follow_remove(struct cli *c)
{
	enum err e = followed_remove(c->dir, span_of(c->operands[0]));

	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%s is followed no more; what was logged here stays.\n", c->operands[0]);
	return EXIT_OK;
}
