/* Kills a process that appends to a journal, with views and marks behind it, at random moments, and looks at what it
 * left: every acknowledged batch is wholly there, at most one more is, and none by half; the views hold what their
 * position says, and what they and the marks lack comes from the journal.
 *
 *	crash_store [kills]		50; COMITY_KILLS and TEST_SEED in the environment count too */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "store/journal.h"
#include "store/marks.h"
#include "store/views.h"

#define LARGEST ((size_t)3 << 20)
#define RECORD_HEAD 20 /* batch, index, records of the batch, marks first */

static char dir[64], journal_dir[96], views_dir[96], marks_dir[96];

#define need(what) need_at((what), __LINE__)

static void need_at(enum err e, int line)
{
	if (e == OK)
		return;
	fprintf(stderr, "crash_store: line %d: %s: %s (%s)\n", line, err_code(e), err_detail(), dir);
	_exit(EXIT_FAILURE);
}

static void must(bool holds, const char *what, uint64_t number)
{
	if (holds)
		return;
	fprintf(stderr, "crash_store: %s: %" PRIu64 " (%s)\n", what, number, dir);
	_exit(EXIT_FAILURE);
}

static uint64_t draw(uint64_t *seed)
{
	uint64_t v = *seed += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

/* ---- what a batch holds: a function of its number ---- */

struct shape {
	uint32_t records;
	size_t size[8];
};

static struct shape shape_of(uint64_t batch)
{
	uint64_t seed = batch;
	struct shape s = { .records = 1 + (uint32_t)(draw(&seed) % 8) };

	for (uint32_t i = 0; i < s.records; i++) {
		uint64_t v = draw(&seed);

		s.size[i] = RECORD_HEAD + (v % 97 == 0 ? v % LARGEST : v % 5 == 0 ? v % 40000 : v % 700);
	}
	return s;
}

static void fill(char *out, uint64_t batch, uint32_t index, size_t size)
{
	uint64_t seed = batch << 8 | index;

	memset(out, 0, RECORD_HEAD);
	memcpy(out, &batch, sizeof(batch));
	memcpy(out + 8, &index, sizeof(index));
	for (size_t i = RECORD_HEAD; i < size; i += 8) {
		uint64_t v = draw(&seed);

		memcpy(out + i, &v, size - i < 8 ? size - i : 8);
	}
}

static void mark_of(uint64_t batch, struct mark *out)
{
	uint64_t seed = ~batch, v[3] = { draw(&seed), draw(&seed), draw(&seed) };

	memcpy(out->bytes, v, MARK_SIZE);
}

/* ---- reading all of it ---- */

struct reading {
	uint64_t batch;
	uint32_t index;
	struct snapshot *views; /* to be caught up; NULL: only looked at */
	uint64_t views_from;
	struct marks *marks;
	uint64_t marks_from;
};

static enum err look(void *context, const struct record *r)
{
	static char wanted[LARGEST + RECORD_HEAD];
	struct reading *k = context;
	struct shape s = shape_of(k->batch);

	if (r->kind == RECORD_MARKS) {
		must(r->payload.len == MARK_SIZE, "not a mark behind batch", k->batch);
		if (k->marks != NULL && r->position >= k->marks_from)
			return marks_add(k->marks, (const struct mark *)(const void *)r->payload.at, 1, r->next);
		return OK;
	}
	must(r->payload.len == s.size[k->index], "a record of another length in batch", k->batch);
	fill(wanted, k->batch, k->index, r->payload.len);
	must(memcmp(r->payload.at, wanted, r->payload.len) == 0, "another record in batch", k->batch);
	if (++k->index == s.records) {
		k->index = 0;
		k->batch++;
	}
	if (k->views != NULL && r->position >= k->views_from)
		return view_put(k->views, VIEW_OWN, SPAN("batches"), span_make(&k->batch, sizeof(k->batch)));
	return OK;
}

/* ---- the process that gets killed ---- */

struct stores {
	struct journal *journal;
	struct views *views;
	struct marks *marks;
};

static uint64_t open_all(struct stores *s)
{
	struct reading k = { 0 };
	uint64_t end;

	need(journal_open_writer(journal_dir, &s->journal));
	need(views_open(views_dir, true, &s->views));
	need(marks_open(marks_dir, &s->marks));
	need(journal_end(s->journal, &end));
	need(views_write(s->views, &k.views));
	k.views_from = views_position(k.views);
	k.marks = s->marks;
	k.marks_from = marks_position(s->marks);
	must(k.views_from <= end, "the views are ahead of the journal at", k.views_from);
	must(k.marks_from <= end, "the marks are ahead of the journal at", k.marks_from);
	need(journal_tail(s->journal, 0, look, &k));
	must(k.index == 0, "half of a batch", k.batch);
	need(views_set_position(k.views, end));
	need(snapshot_commit(k.views));
	marks_advance(s->marks, end);
	return k.batch;
}

static void append(struct stores *s, uint64_t batch, bool commit)
{
	static char payload[LARGEST + RECORD_HEAD];
	struct shape shape = shape_of(batch);
	struct snapshot *w;
	struct mark mark;
	struct span part;
	uint64_t end;

	need(journal_begin(s->journal));
	for (uint32_t i = 0; i < shape.records; i++) {
		fill(payload, batch, i, shape.size[i]);
		part = span_make(payload, shape.size[i]);
		need(journal_add(s->journal, RECORD_ENTRY, 0, &part, 1, NULL));
	}
	mark_of(batch, &mark);
	part = span_make(mark.bytes, MARK_SIZE);
	need(journal_add(s->journal, RECORD_MARKS, 0, &part, 1, NULL));
	if (!commit) {
		journal_abandon(s->journal);
		return;
	}
	need(journal_commit(s->journal));
	need(journal_end(s->journal, &end));
	need(views_write(s->views, &w));
	batch++;
	need(view_put(w, VIEW_OWN, SPAN("batches"), span_make(&batch, sizeof(batch))));
	need(views_set_position(w, end));
	need(snapshot_commit(w));
	need(marks_add(s->marks, &mark, 1, end));
}

static void child(int pipe, uint64_t seed)
{
	struct stores s;
	uint64_t batch = open_all(&s);

	for (;;) {
		if (draw(&seed) % 10 == 0)
			append(&s, batch, false);
		append(&s, batch, true);
		if (write(pipe, &batch, sizeof(batch)) != (ssize_t)sizeof(batch))
			_exit(EXIT_FAILURE);
		batch++;
		if (draw(&seed) % 200 == 0) { /* a clean end in between */
			journal_close(s.journal);
			views_close(s.views);
			marks_close(s.marks);
			must(open_all(&s) == batch, "after a clean end there are other batches than", batch);
		}
	}
}

/* ---- the one that kills ---- */

/* Batches acknowledged so far. */
static uint64_t run_and_kill(uint64_t acknowledged, uint64_t *seed)
{
	uint64_t wait_us = draw(seed) % 120000, child_seed = draw(seed), batch;
	int pipes[2], status;
	pid_t pid;

	if (pipe(pipes) == -1 || (pid = fork()) == -1) {
		perror("crash_store");
		_exit(EXIT_FAILURE);
	}
	if (pid == 0) {
		close(pipes[0]);
		child(pipes[1], child_seed);
	}
	close(pipes[1]);
	usleep((useconds_t)wait_us);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	must(WIFSIGNALED(status), "the child ended by itself, status", (uint64_t)status);
	while (read(pipes[0], &batch, sizeof(batch)) == (ssize_t)sizeof(batch))
		acknowledged = batch + 1;
	close(pipes[0]);
	return acknowledged;
}

static void check_marks(const struct marks *m, uint64_t batches)
{
	for (uint64_t b = 0; b < batches; b++) {
		struct mark mark;
		uint8_t found;

		mark_of(b, &mark);
		marks_find(m, &mark, 1, &found);
		must(found == 1, "no mark of batch", b);
	}
}

/* Returns how many batches there are. */
static uint64_t check(uint64_t acknowledged)
{
	struct reading k = { 0 };
	struct journal *reader;
	struct snapshot *r;
	struct stores s;
	struct span value;
	uint64_t batches, stored = 0;

	need(journal_open_reader(journal_dir, &reader)); /* before any writer has put it right */
	need(journal_tail(reader, 0, look, &k));
	must(k.index == 0, "a reader sees half of batch", k.batch);
	journal_close(reader);
	batches = open_all(&s);
	must(batches == k.batch, "a reader saw another number than", batches);
	must(batches >= acknowledged, "lost: acknowledged batches, of which there are", acknowledged);
	must(batches <= acknowledged + 1, "batches that nobody sent, behind", acknowledged);
	need(views_read(s.views, &r));
	if (view_get(r, VIEW_OWN, SPAN("batches"), &value) == OK)
		memcpy(&stored, value.at, sizeof(stored));
	must(stored == batches, "the views hold another number of batches than", batches);
	snapshot_end(r);
	check_marks(s.marks, batches);
	journal_close(s.journal);
	views_close(s.views);
	marks_close(s.marks);
	return batches;
}

static uint64_t number(const char *text, uint64_t otherwise)
{
	uint64_t v = otherwise;

	if (text != NULL && span_u64(span_of(text), UINT64_MAX, &v) != OK) {
		fprintf(stderr, "crash_store: \"%s\" is no number\n", text);
		_exit(EXIT_FAILURE);
	}
	return v;
}

static void begin_anew(bool first)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	if (!first && system(command) != 0)
		_exit(EXIT_FAILURE);
	snprintf(dir, sizeof(dir), "/tmp/comity-crash-XXXXXX");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		_exit(EXIT_FAILURE);
	}
	snprintf(journal_dir, sizeof(journal_dir), "%s/journal", dir);
	snprintf(views_dir, sizeof(views_dir), "%s/views", dir);
	snprintf(marks_dir, sizeof(marks_dir), "%s/views/marks", dir);
	need(journal_create(journal_dir));
}

int main(int argc, char **argv)
{
	uint64_t kills = number(getenv("COMITY_KILLS"), 50), seed = number(getenv("TEST_SEED"), 1), total = 0,
		 batches = 0;

	if (argc > 1)
		kills = number(argv[1], kills);
	begin_anew(true);
	for (uint64_t i = 0; i < kills; i++) {
		batches = check(run_and_kill(batches, &seed));
		if (batches > 3000) { /* checking reads everything */
			total += batches;
			batches = 0;
			begin_anew(false);
		}
	}
	printf("%" PRIu64 " kills, %" PRIu64 " batches, none lost\n", kills, total + batches);
	snprintf(journal_dir, sizeof(journal_dir), "rm -rf %s", dir);
	return system(journal_dir) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
