#include <pthread.h>
#include <stdlib.h>

#include "regime/node_audit.h"

#define JOBS 2048
#define NOTES_MAX ((size_t)JOBS * (STATEMENT_MAX + 64))
#define PARSE_MAX ((size_t)1 << 20)

struct job {
	struct span note;
	struct verifier key;
	enum ledger_id ledger;
	uint64_t index;
	enum err err;
};

struct half {
	struct arena *arena;
	struct job *jobs;
	size_t count;
};

struct signature_checker {
	struct arena *notes;
	struct half halves[2];
	struct job jobs[JOBS];
	size_t count;
	uint64_t verified;
};

enum err signature_checker_new(struct signature_checker **out)
{
	struct signature_checker *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_NO_MEMORY;
	c->notes = arena_new(NOTES_MAX);
	c->halves[0].arena = arena_new(PARSE_MAX);
	c->halves[1].arena = arena_new(PARSE_MAX);
	if (c->notes == NULL || c->halves[0].arena == NULL || c->halves[1].arena == NULL) {
		signature_checker_free(c);
		return ERR_NO_MEMORY;
	}
	*out = c;
	return OK;
}

void signature_checker_free(struct signature_checker *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < 2; i++)
		if (c->halves[i].arena != NULL)
			arena_free(c->halves[i].arena);
	if (c->notes != NULL)
		arena_free(c->notes);
	free(c);
}

static void *verify_half(void *context)
{
	struct half *h = context;

	for (size_t i = 0; i < h->count; i++) {
		struct job *j = &h->jobs[i];
		struct note n;

		arena_reset(h->arena);
		j->err = note_parse(h->arena, j->note, &n);
		if (j->err == OK)
			j->err = note_verify(&n, &j->key, 1, NULL);
	}
	return NULL;
}

static enum err verify(struct signature_checker *c)
{
	size_t middle = c->count / 2;
	pthread_t thread;
	bool started;

	c->halves[0].jobs = c->jobs;
	c->halves[0].count = middle;
	c->halves[1].jobs = c->jobs + middle;
	c->halves[1].count = c->count - middle;
	started = middle > 0 && pthread_create(&thread, NULL, verify_half, &c->halves[0]) == 0;
	verify_half(&c->halves[1]);
	if (started)
		pthread_join(thread, NULL);
	else
		verify_half(&c->halves[0]);
	for (size_t i = 0; i < c->count; i++) {
		const struct job *j = &c->jobs[i];

		if (err_is_machine(j->err))
			return fail(j->err, "verifying signatures");
		if (j->err != OK)
			return fail(ERR_LEDGER_DIFFERS,
				    "entry %ju of the %s ledger: the signature of %s does not verify (%s)",
				    (uintmax_t)j->index, ledger_name(j->ledger), j->key.name, err_code(j->err));
	}
	c->verified += c->count;
	c->count = 0;
	arena_reset(c->notes);
	return OK;
}

enum err signature_checker_add(struct signature_checker *c, struct span note, const struct verifier *key,
			       enum ledger_id l, uint64_t index)
{
	const char *copy = arena_copy(c->notes, note.at, note.len);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	c->jobs[c->count++] = (struct job){ span_make(copy, note.len), *key, l, index, OK };
	return c->count == JOBS ? verify(c) : OK;
}

enum err signature_checker_finish(struct signature_checker *c, uint64_t *verified)
{
	enum err e = verify(c);

	*verified = c->verified;
	return e;
}
