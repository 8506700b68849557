/* `comity deliver`: what waits for other nodes and what goes by mail, once, where no server does it. */
#include "cli/cli.h"

#include "exchange/delivery.h"

static void show(void *context, const struct delivery_result *so_far)
{
	struct progress *p = context;
	uint64_t done = so_far->handed_over + so_far->refused + so_far->failed;

	progress_show(p, done, 0, done, "statements");
}

static void report(struct cli *c, const struct delivery_result *r)
{
	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "what", "delivered");
		json_number(j, "handed_over", (int64_t)r->handed_over);
		json_number(j, "refused", (int64_t)r->refused);
		json_number(j, "failed", (int64_t)r->failed);
		json_number(j, "mails_sent", (int64_t)r->mails.sent);
		json_number(j, "mails_refused", (int64_t)r->mails.refused);
		json_number(j, "mails_later", (int64_t)r->mails.later);
		json_number(j, "mails_undeliverable", (int64_t)r->mails.undeliverable);
		json_bool(j, "mail_server_down", r->mails.down);
		json_number(j, "waiting", (int64_t)r->waiting);
		cli_object_end(c);
		return;
	}
	printf("%ju handed over, %ju refused, %ju failed for now; mails: %ju sent, %ju refused, %ju later, %ju "
	       "undeliverable%s; "
	       "%ju wait\n",
	       (uintmax_t)r->handed_over, (uintmax_t)r->refused, (uintmax_t)r->failed, (uintmax_t)r->mails.sent,
	       (uintmax_t)r->mails.refused, (uintmax_t)r->mails.later, (uintmax_t)r->mails.undeliverable,
	       r->mails.down ? "; the mail server takes nothing" : "", (uintmax_t)r->waiting);
}

int cmd_deliver(struct cli *c)
{
	const char *path = arena_print(c->arena, "%s/config", c->dir);
	struct delivery_result result = { 0 };
	struct progress progress;
	struct config config;
	enum err e = path == NULL ? ERR_NO_MEMORY : config_read(c->arena, path, NULL, NULL, &config);

	if (e != OK)
		return cli_fail(c, e);
	progress = progress_begin(c, "deliver");
	e = delivery_once(c->dir, &config, show, &progress, &result);
	progress_end(&progress);
	if (e != OK)
		return cli_fail(c, e);
	report(c, &result);
	return EXIT_OK;
}
