#include <errno.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "regime_sequencer.h"

#include "regime/directive.h"
#include "regime/feed.h"

/* A disk that fails when a test says so. Only the journal asks for fdatasync. */
static atomic_bool fdatasync_fails;
static atomic_uint syncs;

int fdatasync(int fd)
{
	syncs++;
	if (!fdatasync_fails)
		return (int)syscall(SYS_fdatasync, fd);
	errno = EIO;
	return -1;
}

/* ---- bodies that come along ---- */

struct sent {
	struct submission submission;
	struct counting *counting;
	struct span receipt; /* kept */
	char bytes[3000];
};

static void keep(struct submission *s)
{
	struct sent *t = s->context;
	struct counting *c = t->counting;

	assert_true(s->receipt.len <= sizeof(t->bytes));
	memcpy(t->bytes, s->receipt.at, s->receipt.len);
	t->receipt = span_make(t->bytes, s->receipt.len);
	pthread_mutex_lock(&c->mutex);
	c->done++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

static void ready(struct sent *t, struct counting *c)
{
	t->counting = c;
	t->submission.done = keep;
	t->submission.context = t;
}

/* One alone, to its end. */
static enum err send_one(struct sequencer *q, struct sent *t)
{
	struct counting c = COUNTING;

	ready(t, &c);
	assert_int_equal(sequencer_offer(q, &t->submission), OK);
	wait_done(&c, 1);
	return t->submission.err;
}

static const char *body_line(struct arena *a, struct span payload, bool sealed, struct hash h)
{
	const char *line = arena_print(a, "body application/stix+json %zu %ssha256:%s\n", payload.len,
				       sealed ? "sealed-" : "", hex_of(a, h));

	assert_non_null(line);
	return line;
}

/* A request, perhaps about something, with its body line. */
static struct span bound(struct world *w, const char *re, struct span payload, const uint8_t *salt)
{
	const char *lines = re != NULL ? arena_print(w->arena, "re %s\n", re) : "";
	struct hash h = salt == NULL ? hash_span(payload)
				     : seal_commitment(SPAN("res.example"), re != NULL ? span_of(re) : SPAN(""),
						       SPAN("application/stix+json"), salt, payload);

	lines = arena_print(w->arena, "%s%s", lines, body_line(w->arena, payload, salt != NULL, h));
	return statement_text(w->arena, KIND_CASE, "cert.example/circle", w->res, lines, NULL);
}

static struct hash body_hash_of(struct world *w, struct span note)
{
	struct statement s;

	assert_int_equal(statement_parse(w->arena, note, &s), OK);
	return s.body.hash;
}

static void check_body(struct world *w, struct span note, struct span payload, const uint8_t *expected)
{
	const uint8_t *salt;
	struct span there;

	assert_int_equal(node_body(w->n, w->arena, body_hash_of(w, note), &salt, &there), OK);
	assert_true(span_equal(there, payload));
	assert_true((salt != NULL) == (expected != NULL));
	if (salt != NULL)
		assert_memory_equal(salt, expected, SEAL_SALT_SIZE);
}

static void check_no_body(struct world *w, struct span note)
{
	const uint8_t *salt;
	struct span there;

	assert_int_equal(node_body(w->n, w->arena, body_hash_of(w, note), &salt, &there), ERR_NOT_FOUND);
}

static void bodies_with_their_notes(void **state)
{
	struct world *w = world_new(*state);
	struct sequencer *q = start(w, &defaults);
	uint8_t salt[SEAL_SALT_SIZE];
	const char *re = hex_of(w->arena, w->notice);
	struct span payloads[] = { SPAN("one"), SPAN("two"), SPAN(""), SPAN("four") };

	memset(salt, 7, sizeof(salt));
	for (size_t i = 0; i < TABLE_LENGTH(payloads); i++) {
		const uint8_t *with = i % 2 == 0 ? salt : NULL;
		struct span note = bound(w, i < 2 ? re : NULL, payloads[i], with);
		struct sent t = { .submission = { .note = note, .body = payloads[i], .salt = with } };

		assert_int_equal(send_one(q, &t), OK);
		check_receipt(w, w->arena, note, &t.submission.appended, t.receipt);
		check_body(w, note, payloads[i], with);
		assert_int_equal(send_one(q, &t), ERR_STATEMENT_REPEATED);
	}
	assert_int_equal(sequencer_stop(q), OK);
	reopen(w);
	assert_int_equal(audit(w), OK);
	check_body(w, bound(w, re, payloads[0], salt), payloads[0], salt);
	world_free(w);
}

/* Each is refused by name and leaves nothing; the same note with its right body is taken afterwards. */
static void bodies_that_do_not_fit(void **state)
{
	struct world *w = world_new(*state);
	struct sequencer *q = start(w, &defaults);
	uint8_t salt[SEAL_SALT_SIZE] = { 1 }, other[SEAL_SALT_SIZE] = { 2 };
	struct span payload = SPAN("the right one"), sealed = bound(w, NULL, payload, salt);
	struct span open = bound(w, NULL, payload, NULL), none = plan_of(w->arena, w->res, 1);
	struct span stranger = statement_text(w->arena, KIND_CASE, "cert.example/circle", w->stranger,
					      body_line(w->arena, payload, false, hash_span(payload)), NULL);
	const struct {
		struct span note, body;
		const uint8_t *salt;
		enum err err;
	} table[] = {
		{ sealed, payload, other, ERR_BODY },
		{ sealed, payload, NULL, ERR_BODY },
		{ sealed, SPAN("the wrong one"), salt, ERR_BODY },
		{ sealed, SPAN("the right on"), salt, ERR_BODY },
		{ sealed, SPAN(""), salt, ERR_BODY },
		{ open, payload, salt, ERR_BODY },
		{ open, SPAN("the wrong one"), NULL, ERR_BODY },
		{ open, SPAN("the right one and more"), NULL, ERR_BODY },
		{ none, payload, NULL, ERR_BODY },
		{ none, payload, salt, ERR_BODY },
		{ stranger, payload, NULL, ERR_PARTY_UNKNOWN },
		{ spoil(w->arena, open, 0), payload, NULL, ERR_NOTE },
	};

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct sent t = { .submission = {
					  .note = table[i].note, .body = table[i].body, .salt = table[i].salt } };

		assert_int_equal(send_one(q, &t), table[i].err);
		assert_true(t.receipt.len == 0 && t.submission.detail[0] != '\0');
	}
	check_no_body(w, open);
	check_no_body(w, sealed);
	for (int i = 0; i < 3; i++) {
		struct sent t = { .submission = { .note = i == 0   ? sealed
							  : i == 1 ? open
								   : none,
						  .body = i < 2 ? payload : span_make(NULL, 0),
						  .salt = i == 0 ? salt : NULL } };

		assert_int_equal(send_one(q, &t), OK);
	}
	check_body(w, open, payload, NULL);
	check_body(w, sealed, payload, salt);
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* ---- work in its turn ---- */

struct job {
	struct sent sent;
	struct world *w;
	struct span payload; /* of what it logs; at NULL: nothing */
	size_t number;
	uint64_t interval_ms; /* of the directive that it writes; 0: none */
	enum err refuse;      /* with this, before anything */
};

static enum err add_directive(struct node *n, struct job *j)
{
	struct directive d = directive_default();
	struct buffer record = BUFFER(1000);
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)j->number };
	struct span part;
	enum err e;

	d.interval_ms = (int64_t)j->interval_ms;
	directive_write(&record, &to, &d, false);
	part = buffer_view(&record);
	e = record.err != OK ? record.err : node_add_private(n, RECORD_PRIVATE, &part, 1);
	buffer_free(&record);
	return e;
}

static enum err log_notice(struct node *n, struct job *j)
{
	struct statement_writer w = { 0 };
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(j->number + 1) };
	uint8_t salt[SEAL_SALT_SIZE] = { (uint8_t)j->number };
	struct body_reference ref = { .media_type = SPAN("application/stix+json"),
				      .size = j->payload.len,
				      .sealed = true };
	enum err e;

	ref.hash = seal_commitment(node_name(n), SPAN(""), ref.media_type, salt, j->payload);
	statement_begin(&w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_to(&w, &to);
	statement_add(&w, "class", SPAN("intrusion-attempts/brute-force"));
	statement_add_print(&w, "events", "%zu", j->number + 1);
	statement_add_body(&w, &ref);
	e = node_add_own(n, &w, &j->sent.submission.appended);
	statement_writer_free(&w);
	return e == OK ? node_add_body(n, &ref, salt, &j->payload, 1) : e;
}

static enum err do_job(struct node *n, struct submission *s)
{
	struct job *j = (struct job *)s->context;
	enum err e = OK;

	if (j->refuse != OK)
		return fail(j->refuse, "refused %zu", j->number);
	if (j->payload.at != NULL)
		e = log_notice(n, j);
	return e == OK && j->interval_ms > 0 ? add_directive(n, j) : e;
}

static void job_ready(struct job *j, struct counting *c, struct world *w, size_t number)
{
	j->w = w;
	j->number = number;
	ready(&j->sent, c);
	j->sent.submission.work = do_job;
}

static void check_job(struct world *w, const struct job *j)
{
	const struct submission *s = &j->sent.submission;
	struct span entry;
	struct state st;

	assert_int_equal(s->err, j->refuse);
	assert_int_equal(j->sent.receipt.len > 0, j->refuse == OK && j->payload.at != NULL);
	if (j->sent.receipt.len > 0) {
		struct entry parsed;

		assert_int_equal(node_entry(w->n, w->arena, LEDGER_CIRCLE, s->appended.index, &entry), OK);
		assert_int_equal(entry_parse(entry, &parsed), OK);
		check_receipt(w, w->arena, parsed.note, &s->appended, j->sent.receipt);
		check_body(w, parsed.note, j->payload, (const uint8_t[SEAL_SALT_SIZE]){ (uint8_t)j->number });
	}
	if (j->refuse == OK && j->interval_ms > 0) {
		struct addressee to = { .type = TO_AS, .asn = (uint32_t)j->number };
		struct directive d;
		bool own;

		assert_int_equal(node_read(w->n, w->arena, &st), OK);
		assert_int_equal(directive_find(&st, &to, &d, &own), OK);
		assert_true(own && d.interval_ms == (int64_t)j->interval_ms);
		snapshot_end(st.snapshot);
	}
	if (j->refuse != OK) {
		char detail[64];

		snprintf(detail, sizeof(detail), "refused %zu", j->number);
		assert_string_equal(s->detail, detail);
	}
}

#define JOBS 120

/* Among notes, in the order of offering: some log, some only keep a record, some do nothing, some refuse. */
static void work_among_notes(void **state)
{
	static const enum err refusals[] = { ERR_NOT_FOUND, ERR_CONFLICT, ERR_BUSY };
	struct world *w = world_new(*state);
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct job *jobs = calloc(JOBS, sizeof(*jobs));
	struct one *notes = calloc(JOBS, sizeof(*notes));
	struct counting c = COUNTING;
	struct sequencer *q = start(w, &defaults);
	uint64_t next = circle;

	assert_non_null(jobs);
	assert_non_null(notes);
	for (size_t i = 0; i < JOBS; i++) {
		struct job *j = &jobs[i];

		if (i % 4 < 2)
			j->payload = span_of(arena_print(w->arena, "payload %zu", i));
		if (i % 4 == 1 || i % 4 == 2)
			j->interval_ms = 3600000 * (1 + i);
		if (i % 5 == 4)
			j->refuse = refusals[i % TABLE_LENGTH(refusals)];
		job_ready(j, &c, w, i);
		assert_int_equal(sequencer_offer(q, &j->sent.submission), OK);
		assert_int_equal(offer(q, &notes[i], &c, w, notice_of(w->arena, w->res, (unsigned)i)), OK);
	}
	wait_done(&c, 2 * JOBS);
	for (size_t i = 0; i < JOBS; i++) {
		check_job(w, &jobs[i]);
		if (jobs[i].sent.receipt.len > 0)
			assert_int_equal(jobs[i].sent.submission.appended.index, next++);
		assert_int_equal(notes[i].submission.err, OK);
		assert_int_equal(notes[i].submission.appended.index, next++);
	}
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, public, next);
	for (size_t i = 0; i < JOBS; i++)
		check_job(w, &jobs[i]);
	free(jobs);
	free(notes);
	world_free(w);
}

/* A batch of records alone changes no ledger: it is synced and kept all the same, and one of nothing costs no sync. */
static void records_alone(void **state)
{
	struct world *w = world_new(*state);
	struct sequencer *q = start(w, &defaults);
	struct job keeps = { .interval_ms = 7200000 }, nothing = { .number = 1 };
	struct counting c = COUNTING;
	unsigned before = syncs;

	job_ready(&keeps, &c, w, 0);
	assert_int_equal(sequencer_offer(q, &keeps.sent.submission), OK);
	wait_done(&c, 1);
	assert_int_equal(syncs, before + 1);
	check_job(w, &keeps);
	job_ready(&nothing, &c, w, 1);
	assert_int_equal(sequencer_offer(q, &nothing.sent.submission), OK);
	wait_done(&c, 2);
	assert_int_equal(nothing.sent.submission.err, OK);
	assert_int_equal(syncs, before + 1);
	fdatasync_fails = true;
	keeps.interval_ms = 10800000;
	assert_int_equal(sequencer_offer(q, &keeps.sent.submission), OK);
	wait_done(&c, 3);
	fdatasync_fails = false;
	assert_int_equal(keeps.sent.submission.err, ERR_SYNC);
	assert_int_equal(sequencer_stop(q), ERR_SYNC);
	reopen(w);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* ---- who is told ---- */

struct told {
	struct world *w;
	pthread_mutex_t mutex;
	uint64_t stamp;
	unsigned times;
};

static void tell(void *context, uint64_t stamp)
{
	struct told *t = context;

	pthread_mutex_lock(&t->mutex);
	assert_true(stamp >= t->stamp);
	t->stamp = stamp;
	t->times++;
	pthread_mutex_unlock(&t->mutex);
}

struct follower {
	struct submission submission;
	struct counting *counting;
	struct told *told;
};

/* When done comes, the entry can be read and was told of. */
static void check_told(struct submission *s)
{
	struct follower *f = s->context;
	struct told *t = f->told;
	struct arena *a = arena_new((size_t)1 << 20);
	struct counting *c = f->counting;
	struct state st;
	uint64_t stamp = 0;

	assert_int_equal(s->err, OK);
	assert_int_equal(node_read(t->w->n, a, &st), OK);
	assert_int_equal(feed_stamp(st.snapshot, s->appended.ledger, s->appended.index, &stamp), OK);
	snapshot_end(st.snapshot);
	pthread_mutex_lock(&t->mutex);
	assert_true(stamp <= t->stamp);
	pthread_mutex_unlock(&t->mutex);
	arena_free(a);
	pthread_mutex_lock(&c->mutex);
	c->done++;
	pthread_cond_broadcast(&c->changed);
	pthread_mutex_unlock(&c->mutex);
}

static void told_before_done(void **state)
{
	struct world *w = world_new(*state);
	struct told t = { .w = w, .mutex = PTHREAD_MUTEX_INITIALIZER };
	struct sequencer_options o = { .workers = 3, .publish_ms = 5, .reached = tell, .context = &t };
	struct sequencer *q = start(w, &o);
	struct follower *all = calloc(200, sizeof(*all));
	struct counting c = COUNTING;
	struct state st;
	uint64_t stamp;

	assert_non_null(all);
	for (unsigned i = 0; i < 200; i++) {
		all[i] = (struct follower){ .counting = &c, .told = &t };
		all[i].submission = (struct submission){ .note = notice_of(w->arena, w->res, i),
							 .done = check_told,
							 .context = &all[i] };
		assert_int_equal(sequencer_offer(q, &all[i].submission), OK);
	}
	wait_done(&c, 200);
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(feed_reached(st.snapshot, &stamp), OK);
	snapshot_end(st.snapshot);
	assert_true(stamp == t.stamp && t.times >= 1);
	free(all);
	world_free(w);
}

/* ---- much at once ---- */

#define LARGE ((size_t)1 << 20)
#define LARGE_JOBS 14

/* What was taken at once but is too much for one batch becomes several, each with its own sync, in the same order. */
static void large_work_in_several_batches(void **state)
{
	struct world *w = world_new(*state);
	struct told t = { .w = w, .mutex = PTHREAD_MUTEX_INITIALIZER };
	struct sequencer_options o = { .workers = 2, .publish_ms = 5, .reached = tell, .context = &t };
	struct sequencer *q = start(w, &o);
	struct job *jobs = calloc(LARGE_JOBS, sizeof(*jobs));
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct counting c = COUNTING;
	struct one first;
	sem_t gate;

	assert_non_null(jobs);
	hold(q, &first, &c, &gate, notice_of(w->arena, w->res, 0));
	for (size_t i = 0; i < LARGE_JOBS; i++) {
		char *payload = arena_alloc(w->arena, LARGE);

		assert_non_null(payload);
		memset(payload, (int)('a' + i), LARGE);
		jobs[i].payload = span_make(payload, LARGE);
		job_ready(&jobs[i], &c, w, i);
		assert_int_equal(sequencer_offer(q, &jobs[i].sent.submission), OK);
	}
	t.times = 0;
	sem_post(&gate);
	wait_done(&c, LARGE_JOBS + 1);
	for (size_t i = 0; i < LARGE_JOBS; i++) {
		check_job(w, &jobs[i]);
		assert_int_equal(jobs[i].sent.submission.appended.index, circle + 1 + i);
	}
	assert_int_equal(sequencer_stop(q), OK);
	assert_int_equal(t.times, 4); /* of 4, 4, 4 and 2 MiB */
	check_whole(w, public, circle + 1 + LARGE_JOBS);
	sem_destroy(&gate);
	free(jobs);
	world_free(w);
}

#define THREADS 6
#define EACH 40

struct thread {
	struct world *w;
	struct sequencer *q;
	size_t number;
	pthread_t thread;
	uint64_t logged;
};

/* Notes with bodies, work, and what is refused, from many threads. */
static void *send_mixed(void *context)
{
	struct thread *x = context;
	struct arena *a = arena_new((size_t)1 << 26);
	struct world own = { .arena = a, .res = x->w->res };

	for (size_t i = 0; i < EACH; i++) {
		size_t number = x->number * EACH + i;
		struct span payload = span_of(arena_print(a, "payload %zu", number));
		uint8_t salt[SEAL_SALT_SIZE] = { (uint8_t)number };
		struct sent good = {
			.submission = { .note = bound(&own, NULL, payload, salt), .body = payload, .salt = salt }
		};
		struct sent bad = good;
		struct job job = { .payload = payload, .interval_ms = 3600000 };
		struct job refused = { .payload = payload, .refuse = ERR_CONFLICT };
		struct counting c = COUNTING;

		bad.submission.body = SPAN("something else");
		assert_int_equal(send_one(x->q, &bad), ERR_BODY);
		assert_int_equal(send_one(x->q, &good), OK);
		job_ready(&job, &c, x->w, 10000 + number);
		job_ready(&refused, &c, x->w, number);
		assert_int_equal(sequencer_offer(x->q, &job.sent.submission), OK);
		assert_int_equal(sequencer_offer(x->q, &refused.sent.submission), OK);
		wait_done(&c, 2);
		assert_int_equal(job.sent.submission.err, OK);
		assert_int_equal(refused.sent.submission.err, ERR_CONFLICT);
		check_receipt(x->w, a, good.submission.note, &good.submission.appended, good.receipt);
		x->logged += 2;
	}
	arena_free(a);
	return NULL;
}

static void mixed_from_many_threads(void **state)
{
	struct world *w = world_new(*state);
	uint64_t public = size_of(w, LEDGER_PUBLIC), circle = size_of(w, LEDGER_CIRCLE);
	struct sequencer *q = start(w, &defaults);
	struct thread threads[THREADS];

	for (size_t i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){ .w = w, .q = q, .number = i };
		assert_int_equal(pthread_create(&threads[i].thread, NULL, send_mixed, &threads[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i].thread, NULL);
		circle += threads[i].logged;
	}
	assert_int_equal(sequencer_stop(q), OK);
	check_whole(w, public, circle);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(bodies_with_their_notes), IN_A_FOLDER(bodies_that_do_not_fit),
		IN_A_FOLDER(work_among_notes),	      IN_A_FOLDER(records_alone),
		IN_A_FOLDER(told_before_done),	      IN_A_FOLDER(large_work_in_several_batches),
		IN_A_FOLDER(mixed_from_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
