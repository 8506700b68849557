/* follow-up: takes notices further that nobody answered in time, or that are not their addressee's. */
#include "cli/resolving.h"
#include "route/follow_up.h"

#define STEP 256

struct following {
	struct cli *c;
	struct follow_up_result sum;
};

static enum err tell_one(void *context, const struct matter *m, enum follow_up reason, const struct addressee *whom,
			 const struct appended *notice)
{
	struct following *f = context;
	char id[HASH_HEX + 1], next[HASH_HEX + 1] = "";

	hash_hex(m->id, id);
	if (notice != NULL)
		hash_hex(notice->id, next);
	if (f->c->json) {
		struct json *j = cli_object(f->c);

		json_hash(j, "re", m->id);
		json_text(j, "reason", follow_up_name(reason));
		if (whom != NULL) {
			addressee_json(j, "to", whom);
			json_hash(j, "id", notice->id);
		}
		cli_object_end(f->c);
	} else if (whom != NULL) {
		printf("%.12s  %-13s  to %s by %.12s\n", id, follow_up_name(reason), cli_addressee(f->c, whom), next);
	} else {
		printf("%.12s  %-13s  nobody is left to be told\n", id, follow_up_name(reason));
	}
	return OK;
}

static enum err follow_all(struct node *n, const struct resolver *r, struct following *f)
{
	struct follow_up_mark mark = { 0 };
	enum err e;

	do
		e = follow_up_due(n, r, clock_now_ms(), STEP, &mark, tell_one, f, &f->sum);
	while (e == OK && f->sum.more);
	return e;
}

static void tell_sum(const struct following *f, int64_t next_ms)
{
	const struct follow_up_result *s = &f->sum;
	char next[CLOCK_TEXT];

	printf("%ju overdue, %ju not theirs, %ju undeliverable taken further; nobody left to tell: %ju.",
	       (uintmax_t)s->overdue, (uintmax_t)s->not_ours, (uintmax_t)s->undeliverable, (uintmax_t)s->nowhere);
	if (next_ms > clock_now_ms()) {
		clock_format(next_ms, next);
		printf(" The next answer is due by %s.", next);
	}
	putchar('\n');
}

int cmd_follow_up(struct cli *c)
{
	struct following f = { .c = c };
	struct resolving resolving = { 0 };
	struct state st = { 0 };
	struct node *n = NULL;
	int64_t next_ms = 0;
	enum err e = node_open(c->dir, NODE_WRITE, &n);

	if (e == OK)
		e = resolving_with(c, n, &resolving);
	if (e == OK)
		e = follow_all(n, resolving.resolver, &f);
	if (e == OK)
		e = node_publish(n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = state_next_due(&st, &next_ms);
		snapshot_end(st.snapshot);
	}
	resolving_end(&resolving);
	node_close(n);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		tell_sum(&f, next_ms);
	return EXIT_OK;
}
