/* `comity pull` and `comity push`: objects from and to another TAXII server. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/acting.h"
#include "exchange/remote.h"

#define SECRET_MOST 4096

struct exchanging {
	struct cli *c;
	struct config config;
	const struct collection_rule *collection;
	struct door_limits limits;
	struct remote remote;
	struct progress progress;
	enum tlp most;
	const char *verb;   /* "pull" */
	char *refused_path; /* DIR/refused/…: objects that were not taken, each with its reason */
	FILE *refused;	    /* NULL: none yet, or it cannot be written */
};

/* A secret's file, without the newline at its end. */
static enum err read_secret(struct cli *c, const char *option, struct span *out)
{
	const char *path = cli_option(c, option);
	enum err e;

	if (path == NULL)
		return OK;
	e = file_read(c->arena, path, SECRET_MOST, out);
	if (e == OK && out->len > 0 && out->at[out->len - 1] == '\n')
		out->len--;
	if (e == OK && (out->len == 0 || memchr(out->at, '\n', out->len) != NULL))
		e = fail(ERR_USAGE, "%s: one line, the secret", path);
	return e;
}

static struct span option_text(struct cli *c, const char *name)
{
	const char *value = cli_option(c, name);

	return value != NULL ? span_of(value) : SPAN("");
}

static enum err read_remote(struct exchanging *x)
{
	struct cli *c = x->c;
	struct remote *r = &x->remote;
	enum err e;

	r->url = span_of(c->operands[0]);
	r->collection = option_text(c, "collection");
	r->user = option_text(c, "user");
	r->certificate = option_text(c, "certificate");
	r->key = option_text(c, "key");
	r->limits = &x->limits;
	x->limits = door_default;
	x->limits.most_bytes = (size_t)64 << 20;
	x->limits.total_ms = 300000;
	x->limits.allow_private = cli_flag(c, "private");
	x->limits.allow_plain = cli_flag(c, "plain");
	x->limits.authorities = cli_option(c, "authorities");
	if ((e = read_secret(c, "password-file", &r->password)) == OK)
		e = read_secret(c, "token-file", &r->token);
	if (e == OK && (r->user.len > 0) != (r->password.len > 0))
		e = fail(ERR_USAGE, "--user and --password-file go together");
	if (e == OK && (r->certificate.len > 0) != (r->key.len > 0))
		e = fail(ERR_USAGE, "--certificate and --key go together");
	return e;
}

/* The collection here: the one that is named, or the only one. */
static enum err find_collection(struct exchanging *x, const char *name)
{
	char *path = arena_print(x->c->arena, "%s/config", x->c->dir);
	enum err e = path == NULL ? ERR_NO_MEMORY : config_read(x->c->arena, path, NULL, NULL, &x->config);

	if (e != OK)
		return e;
	for (size_t i = 0; i < x->config.collection_count; i++)
		if (name == NULL ? x->config.collection_count == 1 : span_is(x->config.collections[i].alias, name))
			x->collection = &x->config.collections[i];
	if (x->collection != NULL)
		return OK;
	if (name != NULL)
		return fail(ERR_NOT_FOUND, "%s has no collection %s", path, name);
	return fail(ERR_USAGE, "%s has %zu collections; say which one", path, x->config.collection_count);
}

static void show(void *context, const struct remote_result *so_far)
{
	struct exchanging *x = context;

	progress_show(&x->progress, so_far->seen, 0, so_far->seen, "objects");
}

static void open_refused(struct exchanging *x)
{
	char *folder = arena_print(x->c->arena, "%s/refused", x->c->dir);

	x->refused_path =
		arena_print(x->c->arena, "%s/refused/%s-%jd.jsonl", x->c->dir, x->verb, (intmax_t)clock_now_ms());
	if (folder != NULL && x->refused_path != NULL && folder_make(folder, 0700) == OK)
		x->refused = fopen(x->refused_path, "we");
	if (x->refused == NULL)
		fprintf(stderr, "comity: what is refused cannot be kept: %s\n", err_detail());
}

/* Nothing is lost without a trace: what is not taken stands in a file, as it came. */
static void keep_refused(void *context, struct span id, struct span why, struct span object)
{
	struct exchanging *x = context;
	struct buffer line = BUFFER((size_t)64 << 20);
	struct json j = { .out = &line };

	if (x->refused_path == NULL)
		open_refused(x);
	json_object(&j, NULL);
	json_string(&j, "id", id);
	json_string(&j, "why", why);
	if (object.len > 0)
		json_string(&j, "object", object);
	json_object_end(&j);
	buffer_byte(&line, '\n');
	if (x->refused != NULL && line.err == OK)
		fwrite(line.at, 1, line.len, x->refused);
	buffer_free(&line);
}

static void report(struct exchanging *x, const char *verb, const struct remote_result *r)
{
	struct cli *c = x->c;

	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "what", verb);
		json_string(j, "collection", x->collection->alias);
		json_number(j, "seen", (int64_t)r->seen);
		json_number(j, "added", (int64_t)r->added);
		json_number(j, "repeated", (int64_t)r->repeated);
		json_number(j, "conflicts", (int64_t)r->conflicts);
		json_number(j, "refused", (int64_t)r->refused);
		json_number(j, "deleted", (int64_t)r->deleted);
		if (x->refused != NULL)
			json_text(j, "refused_in", x->refused_path);
		cli_object_end(c);
		return;
	}
	printf("%s: %ju objects, %ju new, %ju known, %ju in conflict, %ju refused; %ju deleted\n", verb,
	       (uintmax_t)r->seen, (uintmax_t)r->added, (uintmax_t)r->repeated, (uintmax_t)r->conflicts,
	       (uintmax_t)r->refused, (uintmax_t)r->deleted);
	if (x->refused != NULL)
		printf("  refused: %s\n", x->refused_path);
}

static enum err load_signer(struct exchanging *x, struct signer **out)
{
	char *path = arena_print(x->c->arena, "%s/keys/party.key", x->c->dir);

	if (!cli_flag(x->c, "sign"))
		return OK;
	return path != NULL ? signer_load(path, out) : ERR_NO_MEMORY;
}

static enum err exchange(struct exchanging *x, bool pull, struct remote_result *result)
{
	struct remote_watcher watcher = { show, keep_refused, x };
	struct home home = { .dir = x->c->dir };
	struct signer *signer = NULL;
	enum err e = home_open(&home), closed;

	if (e != OK)
		return e;
	cli_mended(home.node);
	home_rest(&home);
	x->progress = progress_begin(x->c, x->verb);
	e = load_signer(x, &signer);
	x->remote.signer = signer;
	if (e == OK)
		e = pull ? remote_pull(&home, &x->remote, x->collection, &watcher, result)
			 : remote_push(&home, &x->remote, x->collection, x->most, &watcher, result);
	progress_end(&x->progress);
	closed = home_close(&home); /* what came before an error stays */
	signer_free(signer);
	if (x->refused != NULL)
		fclose(x->refused);
	return e != OK ? e : closed;
}

static int run(struct exchanging *x, bool pull)
{
	struct remote_result result = { 0 };
	enum err e = exchange(x, pull, &result);
	int code = EXIT_OK;

	if (e != OK)
		code = cli_fail(x->c, e); /* first: what follows may change the detail */
	if (e == OK || result.steps > 0)
		report(x, pull ? "pulled" : "pushed", &result);
	return code;
}

int cmd_pull(struct cli *c)
{
	struct exchanging x = { .c = c, .verb = "pull" };
	enum err e = read_remote(&x);

	if (e == OK)
		e = find_collection(&x, cli_option(c, "into"));
	return e == OK ? run(&x, true) : cli_fail(c, e);
}

int cmd_push(struct cli *c)
{
	struct exchanging x = { .c = c, .verb = "push", .most = TLP_GREEN };
	enum err e = read_remote(&x);

	if (e == OK && cli_option(c, "tlp") != NULL)
		e = tlp_parse(span_of(cli_option(c, "tlp")), &x.most);
	if (e == OK)
		e = find_collection(&x, cli_option(c, "of"));
	return e == OK ? run(&x, false) : cli_fail(c, e);
}
