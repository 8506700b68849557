/* For the tests of territory: a folder of its own, tables built from rows that are written there. */
#ifndef TEST_TERRITORY_H
#define TEST_TERRITORY_H

#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "territory/build.h"

#define PLACE_FILES 16
#define PLACE_PATH 128

struct place {
	char folder[64];
	char table[PLACE_PATH];
	char *paths[PLACE_FILES];
	size_t count;
	uint64_t rejected;
};

static inline int place_make(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	memcpy(p->folder, "/tmp/comity-territory-XXXXXX", sizeof("/tmp/comity-territory-XXXXXX"));
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->table, sizeof(p->table), "%s/territory.table", p->folder);
	*state = p;
	return 0;
}

/* Removes the source files so far. */
static inline void place_clear(struct place *p)
{
	for (size_t i = 0; i < p->count; i++) {
		unlink(p->paths[i]);
		free(p->paths[i]);
	}
	p->count = 0;
}

static inline int place_remove(void **state)
{
	struct place *p = *state;

	place_clear(p);
	unlink(p->table);
	assert_int_equal(rmdir(p->folder), 0);
	free(p);
	return 0;
}

/* The next source file. */
static inline const char *place_file(struct place *p, const char *name, struct span content)
{
	char *path = NULL;

	assert_in_range(p->count, 0, PLACE_FILES - 1);
	assert_true(asprintf(&path, "%s/%s", p->folder, name) > 0);
	p->paths[p->count++] = path;
	assert_int_equal(file_write_lazily(path, content, 0600), OK);
	return path;
}

static inline void place_reject(void *context, const char *path, uint64_t line, enum err why, struct span row)
{
	struct place *p = context;

	assert_non_null(path);
	assert_true(line > 0);
	assert_int_not_equal(why, OK);
	(void)row;
	p->rejected++;
}

/* Builds from all files so far and opens it. */
static inline struct table *place_table(struct place *p)
{
	struct build *b = NULL;
	struct table *t = NULL;

	p->rejected = 0;
	assert_int_equal(build_new(&b), OK);
	build_on_reject(b, place_reject, p);
	for (size_t i = 0; i < p->count; i++) {
		struct build_source source = { .path = p->paths[i] };

		if (build_add(b, &source) != OK)
			fail_msg("%s", err_detail());
	}
	assert_int_equal(build_write(b, p->table), OK);
	build_free(b);
	assert_int_equal(table_open(p->table, &t), OK);
	assert_int_equal(table_check(t), OK);
	return t;
}

static inline struct address addr(const char *text)
{
	struct address a = { 0 };

	if (address_parse(span_of(text), &a) != OK)
		fail_msg("%s is no address", text);
	return a;
}

static inline struct table_record record_at(const struct table *t, const char *text)
{
	struct table_record r;

	table_record(t, table_find(t, addr(text)), &r);
	return r;
}

static inline void assert_range(struct range r, const char *first, const char *last)
{
	assert_true(address_equal(r.first, addr(first)));
	assert_true(address_equal(r.last, addr(last)));
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

#endif
