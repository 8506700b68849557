#include "test.h"

#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>

#include "scratch.h"
#include "store/journal.h"

/* ---- a twin that nobody can get wrong: a list of what was committed ---- */

struct twin_record {
	uint8_t kind, ledger;
	bool erased;
	uint64_t position;
	char *payload;
	size_t len;
	size_t batch;
};

struct twin {
	struct twin_record *records;
	size_t count, room, batches;
};

static void twin_add(struct twin *t, uint8_t kind, uint8_t ledger, uint64_t position, const char *payload, size_t len)
{
	if (t->count == t->room) {
		t->room = t->room * 2 + 16;
		t->records = reallocarray(t->records, t->room, sizeof(*t->records));
		assert_non_null(t->records);
	}
	t->records[t->count] = (struct twin_record){ .kind = kind,
						     .ledger = ledger,
						     .position = position,
						     .len = len,
						     .payload = malloc(len + 1),
						     .batch = t->batches };
	memcpy(t->records[t->count++].payload, payload, len);
}

static void twin_cut(struct twin *t, size_t count)
{
	while (t->count > count)
		free(t->records[--t->count].payload);
}

static void twin_free(struct twin *t)
{
	twin_cut(t, 0);
	free(t->records);
}

struct comparison {
	const struct twin *twin;
	size_t at;
};

static void same(const struct twin_record *t, const struct record *r)
{
	assert_int_equal(r->kind, t->kind);
	assert_int_equal(r->ledger, t->ledger);
	assert_int_equal(r->position, t->position);
	assert_int_equal(r->erased, t->erased);
	assert_int_equal(r->payload.len, t->len);
	if (t->len > 0 && !t->erased)
		assert_memory_equal(r->payload.at, t->payload, t->len);
	if (t->erased && t->len > 0)
		assert_true(r->payload.at[0] == 0 && memcmp(r->payload.at, r->payload.at + 1, t->len - 1) == 0);
}

static enum err compare(void *context, const struct record *r)
{
	struct comparison *c = context;

	assert_true(c->at < c->twin->count);
	same(&c->twin->records[c->at++], r);
	return OK;
}

static void agrees(struct journal *j, const struct twin *t, struct arena *a, uint64_t *seed)
{
	struct comparison c = { .twin = t };
	struct record r;

	assert_int_equal(journal_tail(j, 0, compare, &c), OK);
	assert_int_equal(c.at, t->count);
	for (int i = 0; i < 5 && t->count > 0; i++) {
		size_t k = test_below(seed, t->count);

		assert_int_equal(journal_read(j, a, t->records[k].position, &r), OK);
		same(&t->records[k], &r);
		c.at = k + 1;
		assert_int_equal(journal_tail(j, r.next, compare, &c), OK);
		assert_int_equal(c.at, t->count);
	}
}

static size_t draw_size(uint64_t *seed)
{
	switch (test_below(seed, 12)) {
	case 0:
		return 0;
	case 1:
		return test_below(seed, 70000);
	case 2:
		return test_below(seed, 40) == 0 ? test_below(seed, 3 << 20) : 4096 - 36;
	default:
		return test_below(seed, 700);
	}
}

static void add_batch(struct journal *j, struct twin *t, uint64_t *seed, bool commit)
{
	static char payload[3 << 20];
	size_t records = 1 + test_below(seed, 5), before = t->count;

	assert_int_equal(journal_begin(j), OK);
	for (size_t i = 0; i < records; i++) {
		size_t len = draw_size(seed), cut = test_below(seed, len + 1);
		struct span parts[3] = { span_make(payload, cut), { NULL, 0 }, span_make(payload + cut, len - cut) };
		uint8_t kind = (uint8_t)(1 + test_below(seed, 5));
		uint64_t position;

		test_bytes(seed, payload, len < 2000 ? len : 2000);
		assert_int_equal(journal_add(j, kind, kind == RECORD_ENTRY, parts, 3, &position), OK);
		twin_add(t, kind, kind == RECORD_ENTRY, position, payload, len);
	}
	if (commit) {
		assert_int_equal(journal_commit(j), OK);
		t->batches++;
	} else {
		journal_abandon(j);
		twin_cut(t, before);
	}
}

static void erase_one(struct journal *j, struct twin *t, uint64_t *seed)
{
	struct twin_record *r;

	if (t->count == 0)
		return;
	r = &t->records[test_below(seed, t->count)];
	if (r->kind == RECORD_BODY || r->kind == RECORD_RAW) {
		assert_int_equal(journal_erase(j, r->position), OK);
		r->erased = true;
	} else {
		assert_int_equal(journal_erase(j, r->position), ERR_USAGE);
	}
}

static void agrees_with_a_list(void **state)
{
	struct scratch *s = *state;
	uint64_t seed = test_seed();
	const char *dir = scratch_path(s, "journal");
	struct journal *j = NULL, *reader = NULL;
	struct twin t = { 0 };

	assert_int_equal(journal_create(dir), OK);
	assert_int_equal(journal_open_writer(dir, &j), OK);
	assert_int_equal(journal_open_reader(dir, &reader), OK);
	for (int step = 0; step < 200; step++) {
		size_t what = test_below(&seed, 20);

		if (what < 12)
			add_batch(j, &t, &seed, true);
		else if (what < 14)
			add_batch(j, &t, &seed, false);
		else if (what < 16)
			erase_one(j, &t, &seed);
		if (what == 18) {
			journal_close(j);
			assert_int_equal(journal_open_writer(dir, &j), OK);
		}
		if (what == 19) {
			journal_close(reader);
			assert_int_equal(journal_open_reader(dir, &reader), OK);
		}
		if (step % 10 == 0 || step > 190) {
			agrees(j, &t, s->arena, &seed);
			agrees(reader, &t, s->arena, &seed);
			arena_reset(s->arena);
			dir = scratch_path(s, "journal");
		}
	}
	journal_close(reader);
	journal_close(j);
	twin_free(&t);
}

static void segments_roll_at_a_batch(void **state)
{
	struct scratch *s = *state;
	uint64_t seed = test_seed(), position;
	const char *dir = scratch_path(s, "journal");
	char *body = calloc(1, 34 << 20);
	struct span part = span_make(body, 34 << 20);
	struct journal *j = NULL, *reader = NULL;
	struct twin t = { 0 };

	assert_non_null(body);
	assert_int_equal(journal_create(dir), OK);
	assert_int_equal(journal_open_writer(dir, &j), OK);
	assert_int_equal(journal_open_reader(dir, &reader), OK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(journal_begin(j), OK);
		assert_int_equal(journal_add(j, RECORD_BODY, 0, &part, 1, &position), OK);
		assert_int_equal(journal_commit(j), OK);
		twin_add(&t, RECORD_BODY, 0, position, body, part.len);
		add_batch(j, &t, &seed, true);
		if (i == 1) {
			journal_close(j);
			assert_int_equal(journal_open_writer(dir, &j), OK);
		}
	}
	assert_true(scratch_has(s, "journal/00000000000000000000.journal"));
	agrees(j, &t, s->arena, &seed);
	arena_reset(s->arena);
	agrees(reader, &t, s->arena, &seed);
	journal_close(reader);
	arena_reset(s->arena);
	assert_int_equal(journal_open_reader(scratch_path(s, "journal"), &reader), OK);
	agrees(reader, &t, s->arena, &seed);
	journal_close(reader);
	journal_close(j);
	twin_free(&t);
	free(body);
}

static void one_writer_and_one_creation(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "journal");
	struct journal *j = NULL, *other = NULL;

	assert_int_equal(journal_open_writer(dir, &j), ERR_NOT_FOUND);
	assert_int_equal(journal_create(dir), OK);
	assert_int_equal(journal_create(dir), ERR_EXISTS);
	assert_int_equal(journal_open_writer(dir, &j), OK);
	assert_int_equal(journal_open_writer(dir, &other), ERR_BUSY);
	journal_close(j);
	assert_int_equal(journal_open_writer(dir, &j), OK);
	journal_close(j);
	journal_close(NULL);
}

static void misuse_is_refused(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "journal");
	struct span part = SPAN("x");
	struct journal *j = NULL;
	struct record r;
	uint64_t position, end;

	assert_int_equal(journal_create(dir), OK);
	assert_int_equal(journal_open_writer(dir, &j), OK);
	assert_int_equal(journal_add(j, RECORD_ENTRY, 0, &part, 1, &position), ERR_USAGE);
	assert_int_equal(journal_commit(j), ERR_USAGE);
	assert_int_equal(journal_begin(j), OK);
	assert_int_equal(journal_commit(j), OK); /* an empty batch is nothing */
	assert_int_equal(journal_begin(j), OK);
	assert_int_equal(journal_add(j, RECORD_ENTRY, 0, &part, 1, &position), OK);
	assert_int_equal(journal_read(j, s->arena, position, &r), ERR_NOT_FOUND); /* not yet committed */
	assert_int_equal(journal_commit(j), OK);
	assert_int_equal(journal_read(j, s->arena, position, &r), OK);
	assert_int_equal(journal_end(j, &end), OK);
	for (uint64_t at = 0; at <= end + 100; at++)
		if (at != position)
			assert_int_equal(journal_read(j, s->arena, at, &r), ERR_NOT_FOUND);
	journal_close(j);
}

/* ---- damage ---- */

#define SMALL_BATCHES 4

struct small {
	struct twin twin;
	struct span file; /* the segment as it was */
	uint64_t end, last_batch;
};

static const char segment[] = "journal/00000000000000000000.journal";

static void make_small(struct scratch *s, struct small *m)
{
	const char *dir = scratch_path(s, "journal");
	struct journal *j = NULL;
	uint64_t position;

	assert_int_equal(journal_create(dir), OK);
	assert_int_equal(journal_open_writer(dir, &j), OK);
	for (int b = 0; b < SMALL_BATCHES; b++) {
		assert_int_equal(journal_end(j, &m->last_batch), OK);
		assert_int_equal(journal_begin(j), OK);
		for (int i = 0; i < 2 + b % 2; i++) {
			char text[32];
			int n = snprintf(text, sizeof(text), "batch %d record %d", b, i);
			struct span part = span_make(text, (size_t)n);
			uint8_t kind = i == 0 ? RECORD_BODY : RECORD_ENTRY;

			assert_int_equal(journal_add(j, kind, 0, &part, 1, &position), OK);
			twin_add(&m->twin, kind, 0, position, text, (size_t)n);
		}
		assert_int_equal(journal_commit(j), OK);
		m->twin.batches++;
	}
	assert_int_equal(journal_erase(j, m->twin.records[0].position), OK);
	m->twin.records[0].erased = true;
	assert_int_equal(journal_end(j, &m->end), OK);
	journal_close(j);
	m->file = scratch_read(s, segment);
	assert_true(m->file.len > m->end + 64);
	m->file.len = m->end + 64; /* most of the zeros ahead are of no interest */
}

/* The journal reads as all of the twin, or as all but its last batch. */
static bool reads_well(struct journal *j, const struct small *m, bool may_lose, enum err *e)
{
	struct comparison c = { .twin = &m->twin };
	const struct twin_record *r = m->twin.records;

	if ((*e = journal_tail(j, 0, compare, &c)) != OK)
		return false;
	return c.at == m->twin.count ||
	       (may_lose && r[c.at].batch == SMALL_BATCHES - 1 && r[c.at - 1].batch == SMALL_BATCHES - 2);
}

/* In place: replacing a file by rename makes the file system sync it. */
static void put_back(struct scratch *s, const char *bytes, size_t n)
{
	int fd = open(scratch_path(s, segment), O_RDWR | O_CLOEXEC);

	assert_int_not_equal(fd, -1);
	assert_int_equal(pwrite(fd, bytes, n, 0), (ssize_t)n);
	assert_int_equal(ftruncate(fd, (off_t)n), 0);
	close(fd);
}

static void flip(struct scratch *s, const struct small *m, uint64_t at, unsigned bit)
{
	char copy[4096];

	assert_true(m->file.len <= sizeof(copy));
	memcpy(copy, m->file.at, m->file.len);
	copy[at] = (char)(copy[at] ^ 1 << bit);
	put_back(s, copy, m->file.len);
}

/* A flipped bit is damage; in the last batch, or behind it, it may be a batch that never was acknowledged. */
static void every_flipped_bit_is_seen(void **state)
{
	struct scratch *s = *state;
	struct small m = { .end = 0 };
	struct journal *j = NULL;

	make_small(s, &m);
	for (uint64_t at = 0; at < m.file.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			enum err e, read = OK;
			bool well = false;

			flip(s, &m, at, bit);
			if (at % 4 == 0 && bit == at / 4 % 8) /* a writer syncs, so not for every bit */
				e = journal_open_writer(scratch_path(s, "journal"), &j);
			else
				e = journal_open_reader(scratch_path(s, "journal"), &j);
			if (e == OK) {
				well = reads_well(j, &m, at >= m.last_batch, &read);
				journal_close(j);
			}
			if (!well && e != ERR_DAMAGED && read != ERR_DAMAGED)
				fail_msg("byte %" PRIu64 " bit %u is not seen", at, bit);
			if (well && at < m.last_batch)
				fail_msg("byte %" PRIu64 " bit %u is accepted", at, bit);
		}
	}
	twin_free(&m.twin);
}

/* A process may die at any byte of its last write: what was acknowledged stays, and the journal goes on. */
static void every_cut_is_recovered(void **state)
{
	struct scratch *s = *state;
	struct small m = { .end = 0 };
	struct journal *j = NULL;
	struct span part = SPAN("more");

	make_small(s, &m);
	for (uint64_t len = 0; len <= m.file.len; len += len < m.last_batch ? 29 : 5) {
		enum err e = OK, read;

		put_back(s, m.file.at, len);
		e = journal_open_writer(scratch_path(s, "journal"), &j);
		if (len < m.last_batch) { /* more than the last batch is gone: shorter, but whole batches */
			if (e == OK)
				journal_close(j);
			continue;
		}
		assert_int_equal(e, OK);
		assert_true(reads_well(j, &m, true, &read));
		assert_int_equal(journal_begin(j), OK);
		assert_int_equal(journal_add(j, RECORD_ENTRY, 0, &part, 1, NULL), OK);
		assert_int_equal(journal_commit(j), OK);
		journal_close(j);
		assert_int_equal(journal_open_writer(scratch_path(s, "journal"), &j), OK);
		journal_close(j);
	}
	twin_free(&m.twin);
}

/* Pages of an unsynced batch reach the disk in any order: holes in the last batch are cut off with it. */
static void a_torn_last_batch_is_cut_off(void **state)
{
	struct scratch *s = *state;
	struct small m = { .end = 0 };
	struct journal *j = NULL;
	char copy[4096];
	enum err read;

	make_small(s, &m);
	for (uint64_t from = m.last_batch; from < m.end; from += 3) {
		uint64_t n = m.end - from < 20 ? m.end - from : 20;

		memcpy(copy, m.file.at, m.file.len);
		memset(copy + from, 0, n);
		put_back(s, copy, m.file.len);
		assert_int_equal(journal_open_writer(scratch_path(s, "journal"), &j), OK);
		assert_true(reads_well(j, &m, true, &read));
		journal_close(j);
	}
	twin_free(&m.twin);
}

static void damage_is_named(void **state)
{
	struct scratch *s = *state;
	struct small m = { .end = 0 };
	struct journal *j = NULL;
	char wanted[64];

	make_small(s, &m);
	flip(s, &m, m.twin.records[1].position + 8, 0);
	snprintf(wanted, sizeof(wanted), "00.journal: byte %" PRIu64 ":", m.twin.records[1].position);
	assert_int_equal(journal_open_writer(scratch_path(s, "journal"), &j), ERR_DAMAGED);
	if (strstr(err_detail(), wanted) == NULL)
		fail_msg("\"%s\" does not name the place", err_detail());
	twin_free(&m.twin);
}

/* An erasure that a crash cut short is finished by the next writer, and a reader sees it as done. */
static void an_erasure_is_finished(void **state)
{
	struct scratch *s = *state;
	struct small m = { .end = 0 };
	struct journal *j = NULL;
	struct record r;
	char copy[4096], text[32];
	uint64_t position;

	make_small(s, &m);
	position = m.twin.records[4].position; /* a body */
	assert_int_equal(m.twin.records[4].kind, RECORD_ENTRY);
	position = m.twin.records[5].position;
	assert_int_equal(m.twin.records[5].kind, RECORD_BODY);
	snprintf(text, sizeof(text), "%" PRIu64, position);
	for (size_t zeros = 0; zeros <= m.twin.records[5].len; zeros++) {
		memcpy(copy, m.file.at, m.file.len);
		copy[position + 6] = (char)0xA5;
		memset(copy + position + 36, 0, zeros);
		put_back(s, copy, m.file.len);
		assert_int_equal(scratch_write(s, "journal/erase", span_of(text)), OK);
		assert_int_equal(journal_open_reader(scratch_path(s, "journal"), &j), OK);
		assert_int_equal(journal_read(j, s->arena, position, &r), OK);
		assert_true(r.erased);
		journal_close(j);
		assert_int_equal(journal_open_writer(scratch_path(s, "journal"), &j), OK);
		assert_false(scratch_has(s, "journal/erase"));
		assert_int_equal(journal_read(j, s->arena, position, &r), OK);
		assert_true(r.erased);
		for (size_t i = 0; i < r.payload.len; i++)
			assert_int_equal(r.payload.at[i], 0);
		journal_close(j);
	}
	twin_free(&m.twin);
}

/* ---- readers beside the writer ---- */

#define BESIDE_BATCHES 400

struct beside {
	struct journal *journal; /* the writer's, or one of its own */
	uint64_t next, numbers;
	int failures;
};

/* Records hold the number of their batch, and as many times 8 bytes as the batch has records: 1 to 4. */
static enum err in_order(void *context, const struct record *r)
{
	struct beside *b = context;
	uint64_t batch;

	memcpy(&batch, r->payload.at, sizeof(batch));
	b->failures += r->payload.len < 8 || batch != b->numbers / 10 * 4 + (b->numbers % 10 >= 1) +
							      (b->numbers % 10 >= 3) + (b->numbers % 10 >= 6);
	b->numbers++;
	b->next = r->next;
	return OK;
}

static void *follow(void *argument)
{
	struct beside *b = argument;
	struct arena *a = arena_new(1 << 20);

	while (a != NULL && b->failures == 0 && b->numbers < BESIDE_BATCHES / 4 * 10) {
		uint64_t before = b->next;
		struct record r;

		b->failures += journal_tail(b->journal, b->next, in_order, b) != OK;
		if (b->next != before && before != 0) {
			enum err e = journal_read(b->journal, a, before, &r); /* a record, or a batch's end */

			b->failures += e != OK && e != ERR_NOT_FOUND;
		}
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void readers_follow_the_writer(void **state)
{
	struct scratch *s = *state;
	const char *dir = scratch_path(s, "journal");
	struct journal *j = NULL, *other = NULL;
	struct beside b[3] = { { 0 } };
	pthread_t threads[3];
	char payload[4096] = { 0 };

	assert_int_equal(journal_create(dir), OK);
	assert_int_equal(journal_open_writer(dir, &j), OK);
	assert_int_equal(journal_open_reader(dir, &other), OK);
	for (int i = 0; i < 3; i++) {
		b[i].journal = i == 0 ? other : j;
		assert_int_equal(pthread_create(&threads[i], NULL, follow, &b[i]), 0);
	}
	for (uint64_t batch = 0; batch < BESIDE_BATCHES; batch++) {
		struct span part = span_make(payload, 8 + 1000 * (batch % 4));

		memcpy(payload, &batch, sizeof(batch));
		assert_int_equal(journal_begin(j), OK);
		for (uint64_t i = 0; i <= batch % 4; i++)
			assert_int_equal(journal_add(j, RECORD_ENTRY, 0, &part, 1, NULL), OK);
		assert_int_equal(journal_commit(j), OK);
		if (batch % 50 == 49) { /* one that comes to nothing */
			assert_int_equal(journal_begin(j), OK);
			assert_int_equal(journal_add(j, RECORD_ENTRY, 0, &part, 1, NULL), OK);
			journal_abandon(j);
		}
	}
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(b[i].failures, 0);
	}
	journal_close(other);
	journal_close(j);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(agrees_with_a_list, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(segments_roll_at_a_batch, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(one_writer_and_one_creation, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(misuse_is_refused, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(every_flipped_bit_is_seen, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(every_cut_is_recovered, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_torn_last_batch_is_cut_off, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(damage_is_named, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(an_erasure_is_finished, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(readers_follow_the_writer, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
