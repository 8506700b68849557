#include "test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buffer.h"
#include "base/hash.h"
#include "report/input.h"
#include "scratch.h"

/* One gzip member, or one zstd frame, of text. */
static void gzip_add(struct buffer *b, struct span text)
{
	z_stream z = { 0 };
	char *room = buffer_room(b, text.len + 1000);

	assert_non_null(room);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)text.at;
	z.avail_in = (unsigned)text.len;
	z.next_out = (unsigned char *)room;
	z.avail_out = (unsigned)text.len + 1000;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	b->len += z.total_out;
	deflateEnd(&z);
}

static void zstd_add(struct buffer *b, struct span text)
{
	char *room = buffer_room(b, ZSTD_compressBound(text.len));

	assert_non_null(room);
	b->len += ZSTD_compress(room, ZSTD_compressBound(text.len), text.at, text.len, 3);
}

static void little_add(struct buffer *b, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++, v >>= 8)
		buffer_byte(b, (uint8_t)v);
}

struct zip_file {
	const char *name;
	struct span text;
	unsigned method, flags;
};

/* A zip archive: each file behind its header, then the directory, then the record at the end. */
static void zip_files_add(struct buffer *b, const struct zip_file *files, size_t count)
{
	struct buffer directory = BUFFER(1 << 20);
	size_t start = b->len;

	for (size_t i = 0; i < count; i++) {
		const struct zip_file *f = &files[i];
		struct buffer packed = BUFFER((size_t)1 << 27);
		size_t at = b->len - start, name = strlen(f->name);
		uint32_t crc = crc32_add(0, f->text.at, f->text.len);

		if (f->method == 8) {
			gzip_add(&packed, f->text); /* ten bytes before what deflate made, eight behind */
			memmove(packed.at, packed.at + 10, packed.len - 18);
			packed.len -= 18;
		} else {
			buffer_span(&packed, f->text);
		}
		buffer_text(b, "PK\3\4");
		little_add(b, 20, 2);
		little_add(b, f->flags, 2);
		little_add(b, f->method, 2);
		little_add(b, 0, 16); /* time, checksum, sizes: in the directory */
		little_add(b, name, 2);
		little_add(b, 3, 2);
		buffer_text(b, f->name);
		buffer_text(b, "abc"); /* extra */
		buffer_span(b, buffer_view(&packed));
		buffer_text(&directory, "PK\1\2");
		little_add(&directory, 0x140014, 4);
		little_add(&directory, f->flags, 2);
		little_add(&directory, f->method, 2);
		little_add(&directory, 0, 4);
		little_add(&directory, crc, 4);
		little_add(&directory, packed.len, 4);
		little_add(&directory, f->text.len, 4);
		little_add(&directory, name, 2);
		little_add(&directory, 0, 12);
		little_add(&directory, at, 4);
		buffer_text(&directory, f->name);
		buffer_free(&packed);
	}
	start = b->len - start;
	buffer_span(b, buffer_view(&directory));
	buffer_text(b, "PK\5\6");
	little_add(b, 0, 4);
	little_add(b, count, 2);
	little_add(b, count, 2);
	little_add(b, directory.len, 4);
	little_add(b, start, 4);
	little_add(b, 7, 2);
	buffer_text(b, "comment");
	assert_int_equal(b->err, OK);
	buffer_free(&directory);
}

static void zip_add(struct buffer *b, struct span text)
{
	const struct zip_file files[] = { { "folder/", SPAN(""), 0, 0 },
					  { "folder/report.csv", text, 8, 0 },
					  { "__MACOSX/folder/._report.csv", SPAN("x"), 0, 0 } };

	zip_files_add(b, files, TABLE_LENGTH(files));
}

static void zip_stored_add(struct buffer *b, struct span text)
{
	zip_files_add(b, &(struct zip_file){ "report.csv", text, 0, 0 }, 1);
}

static void plain_add(struct buffer *b, struct span text)
{
	buffer_span(b, text);
}

typedef void pack(struct buffer *b, struct span text);

/* All of it, `step` bytes a call. */
static enum err read_all(const char *path, size_t step, struct buffer *out)
{
	struct input *in = NULL;
	enum err e = input_open(path, &in);
	size_t got = step;

	while (e == OK && got == step) {
		char *room = buffer_room(out, step);

		assert_non_null(room);
		e = input_read(in, room, step, &got);
		out->len += got;
		assert_true(input_consumed(in) <= input_size(in));
	}
	if (e != ERR_NOT_FOUND && in != NULL) {
		char more[4];

		if (e == OK)
			assert_int_equal(input_consumed(in), input_size(in));
		assert_int_equal(input_read(in, more, sizeof(more), &got), e); /* it stays so */
		assert_int_equal(got, 0);
		input_close(in);
	}
	return e;
}

/* Half noise, half zeros: neither is packed to nothing. */
static struct span draw(struct scratch *s, size_t n)
{
	char *text = arena_alloc(s->arena, n);
	uint64_t seed = test_seed();

	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i / 1000 % 2 == 0 ? test_random(&seed) : 0);
	return span_make(text, n);
}

static void reads_whatever_the_packing(void **state)
{
	struct scratch *s = *state;
	static const size_t sizes[] = { 0, 1, 3, 4, 5, 1000, 300000, 1 << 20 };
	static const size_t steps[] = { 1, 7, 4096, 1 << 18, 1 << 21 };
	pack *const packs[] = { plain_add, gzip_add, zstd_add, zip_add, zip_stored_add };

	for (size_t i = 0; i < TABLE_LENGTH(sizes); i++) {
		for (size_t k = 0; k < TABLE_LENGTH(packs); k++) {
			struct span text = draw(s, sizes[i]);
			struct buffer b = BUFFER(1 << 24);

			packs[k](&b, text);
			assert_int_equal(scratch_write(s, "report.csv", buffer_view(&b)), OK);
			for (size_t m = sizes[i] > 100000 ? 2 : 0; m < TABLE_LENGTH(steps); m++) {
				struct buffer out = BUFFER(1 << 24);

				assert_int_equal(read_all(scratch_path(s, "report.csv"), steps[m], &out), OK);
				assert_true(span_equal(buffer_view(&out), text));
				buffer_free(&out);
			}
			buffer_free(&b);
		}
	}
}

static void reads_members_and_frames_in_a_row(void **state)
{
	struct scratch *s = *state;
	pack *const packs[] = { gzip_add, zstd_add };

	for (size_t k = 0; k < TABLE_LENGTH(packs); k++) {
		struct buffer b = BUFFER(1 << 24), want = BUFFER(1 << 24);
		struct span text = draw(s, 70000);

		for (size_t i = 0; i < 12; i++) {
			struct span part = { text.at + i * 1000, i * 5000 % 60000 };

			packs[k](&b, part);
			buffer_span(&want, part);
		}
		for (size_t zeros = 0; zeros < (packs[k] == gzip_add ? 1025u : 1u); zeros += 1024) {
			struct buffer out = BUFFER(1 << 24);

			for (size_t i = 0; i < zeros; i++)
				buffer_byte(&b, 0);
			assert_int_equal(scratch_write(s, "parts.gz", buffer_view(&b)), OK);
			assert_int_equal(read_all(scratch_path(s, "parts.gz"), 5000, &out), OK);
			assert_true(span_equal(buffer_view(&out), buffer_view(&want)));
			buffer_free(&out);
		}
		buffer_free(&b);
		buffer_free(&want);
	}
}

/* What could be read is given; then it is said that something is missing. */
static void tells_what_is_cut_or_damaged(void **state)
{
	struct scratch *s = *state;
	pack *const packs[] = { gzip_add, zstd_add };
	struct span text = draw(s, 400000);

	for (size_t k = 0; k < TABLE_LENGTH(packs); k++) {
		struct buffer b = BUFFER(1 << 24), junk = BUFFER(1 << 24), out = BUFFER(1 << 24);

		packs[k](&b, text);
		for (size_t cut = 4; cut < b.len; cut += cut < 40 || cut > b.len - 40 ? 1 : 9901) {
			buffer_clear(&out);
			assert_int_equal(scratch_write(s, "cut", span_make(b.at, cut)), OK);
			assert_int_equal(read_all(scratch_path(s, "cut"), 1000, &out), ERR_COMPRESSION);
			assert_true(out.len <= text.len && memcmp(out.at, text.at, out.len) == 0);
		}
		assert_true(out.len > text.len / 2);
		buffer_span(&junk, buffer_view(&b));
		buffer_text(&junk, "and something else");
		assert_int_equal(scratch_write(s, "junk", buffer_view(&junk)), OK);
		assert_int_equal(read_all(scratch_path(s, "junk"), 1000, &out), ERR_COMPRESSION);
		b.at[b.len / 2] = (char)(b.at[b.len / 2] ^ 0x10);
		assert_int_equal(scratch_write(s, "flipped", buffer_view(&b)), OK);
		if (packs[k] == gzip_add) /* zstd frames of this kind carry no checksum */
			assert_int_equal(read_all(scratch_path(s, "flipped"), 1000, &out), ERR_COMPRESSION);
		assert_non_null(strstr(err_detail(), packs[k] == gzip_add ? "flipped" : "junk"));
		buffer_free(&b);
		buffer_free(&junk);
		buffer_free(&out);
	}
}

static void names_and_sizes(void **state)
{
	static const char *const names[][2] = {
		{ "a.csv", "a.csv" }, { "b.csv.gz", "b.csv" }, { "c.csv.zst", "c.csv" },
		{ "d.zstd", "d" },    { "e.gz.gz", "e.gz" },
	};
	struct scratch *s = *state;
	struct input *in;

	for (size_t i = 0; i < TABLE_LENGTH(names); i++) {
		assert_int_equal(scratch_write(s, names[i][0], SPAN("8.8.4.4\n")), OK);
		assert_int_equal(input_open(scratch_path(s, names[i][0]), &in), OK);
		assert_span(input_name(in), names[i][1]);
		assert_int_equal(input_size(in), 8);
		input_close(in);
	}
	assert_int_equal(input_open(scratch_path(s, "missing"), &in), ERR_NOT_FOUND);
	assert_int_equal(input_open(s->dir, &in), ERR_IO);
	input_close(NULL);
}

static void refuses_zips(void **state)
{
	struct scratch *s = *state;
	static const struct {
		struct zip_file files[2];
		size_t count;
		const char *says;
	} cases[] = {
		{ { { "a", { "8.8.4.4", 7 }, 0, 0 }, { "b", { "8.8.4.4", 7 }, 0, 0 } }, 2, "2 files" },
		{ { { "a/", { "", 0 }, 0, 0 } }, 1, "0 files" },
		{ { { "a", { "8.8.4.4", 7 }, 0, 1 } }, 1, "encrypted" },
		{ { { "a", { "8.8.4.4", 7 }, 12, 0 } }, 1, "method 12" },
	};
	struct input *in;
	struct buffer b = BUFFER(1 << 20), out = BUFFER(1 << 20);

	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		buffer_clear(&b);
		zip_files_add(&b, cases[i].files, cases[i].count);
		assert_int_equal(scratch_write(s, "bad.zip", buffer_view(&b)), OK);
		assert_int_equal(input_open(scratch_path(s, "bad.zip"), &in), ERR_COMPRESSION);
		assert_non_null(strstr(err_detail(), cases[i].says));
	}
	/* cut anywhere, any byte changed: the same text or a refusal, never another text */
	buffer_clear(&b);
	zip_add(&b, SPAN("8.8.4.4\n8.8.8.8\n8.8.4.4\n"));
	for (size_t i = 4; i < b.len; i++) {
		enum err e;

		buffer_clear(&out);
		assert_int_equal(scratch_write(s, "cut.zip", span_make(b.at, i)), OK);
		assert_int_equal(read_all(scratch_path(s, "cut.zip"), 1000, &out), ERR_COMPRESSION);
		b.at[i] = (char)(b.at[i] ^ 0x21);
		buffer_clear(&out);
		assert_int_equal(scratch_write(s, "flip.zip", buffer_view(&b)), OK);
		e = read_all(scratch_path(s, "flip.zip"), 1000, &out);
		assert_true(e == ERR_COMPRESSION ||
			    (e == OK && (span_is(buffer_view(&out), "8.8.4.4\n8.8.8.8\n8.8.4.4\n") ||
					 span_is(buffer_view(&out), "x")))); /* the directory says which file it is */
		b.at[i] = (char)(b.at[i] ^ 0x21);
	}
	buffer_free(&b);
	buffer_free(&out);
}

/* Zeros pack to a thousandth and less; what packs to a fiftieth is read however long it is. */
static void refuses_bombs(void **state)
{
	struct scratch *s = *state;
	static const struct {
		pack *add;
		size_t noise; /* bytes in each KiB */
		enum err err;
	} cases[] = { { gzip_add, 0, ERR_UNPACKED }, { zstd_add, 0, ERR_UNPACKED }, { zip_add, 0, ERR_UNPACKED },
		      { gzip_add, 16, OK },	     { zstd_add, 16, OK },	    { plain_add, 0, OK } };
	size_t n = (size_t)80 << 20;
	char *text = calloc(1, n);
	uint64_t seed = test_seed();
	size_t made = 0;

	assert_non_null(text);
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct buffer b = BUFFER((size_t)1 << 28), out = BUFFER((size_t)1 << 28);

		for (; made < cases[i].noise; made = cases[i].noise)
			for (size_t k = 0; k < n; k += 1024)
				test_bytes(&seed, text + k, cases[i].noise);
		cases[i].add(&b, span_make(text, n));
		assert_int_equal(scratch_write(s, "bomb", buffer_view(&b)), OK);
		assert_int_equal(read_all(scratch_path(s, "bomb"), 1 << 20, &out), cases[i].err);
		assert_true(cases[i].err == OK ? out.len == n : out.len < ((size_t)64 << 20) + (2 << 20));
		buffer_free(&b);
		buffer_free(&out);
	}
	free(text);
}

static void refuses_what_is_packed_twice(void **state)
{
	struct scratch *s = *state;
	pack *const packs[] = { gzip_add, zstd_add, zip_add };

	for (size_t i = 0; i < TABLE_LENGTH(packs); i++) {
		for (size_t k = 0; k < TABLE_LENGTH(packs); k++) {
			struct buffer inner = BUFFER(1 << 20), outer = BUFFER(1 << 20), out = BUFFER(1 << 20);

			packs[i](&inner, SPAN("8.8.4.4\n"));
			packs[k](&outer, buffer_view(&inner));
			assert_int_equal(scratch_write(s, "twice", buffer_view(&outer)), OK);
			assert_int_equal(read_all(scratch_path(s, "twice"), 1000, &out), ERR_UNPACKED);
			assert_int_equal(out.len, 0);
			buffer_free(&inner);
			buffer_free(&outer);
			buffer_free(&out);
		}
	}
}

/* A file that another program writes to meanwhile: all that was there is given, then it is said. */
static void tells_of_files_that_change(void **state)
{
	struct scratch *s = *state;
	const char *path = scratch_path(s, "live");
	struct span text = draw(s, 600000);
	pack *const packs[] = { plain_add, gzip_add };

	for (size_t k = 0; k < TABLE_LENGTH(packs); k++) {
		for (int how = 0; how < 3; how++) {
			struct buffer b = BUFFER(1 << 22), out = BUFFER(1 << 22);
			size_t got;
			struct input *in;
			char *room = buffer_room(&out, 1 << 21);
			int fd;

			packs[k](&b, text);
			assert_int_equal(scratch_write(s, "live", buffer_view(&b)), OK);
			assert_int_equal(input_open(path, &in), OK);
			assert_int_equal(input_read(in, room, 10, &got), OK);
			fd = open(path, O_WRONLY);
			assert_int_not_equal(fd, -1);
			if (how == 0)
				assert_int_equal(pwrite(fd, "\0", 1, (off_t)b.len), 1);
			else if (how == 1)
				assert_int_equal(ftruncate(fd, (off_t)b.len - 1000), 0);
			else
				assert_int_equal(futimens(fd, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }), 0);
			close(fd);
			assert_int_equal(input_read(in, room, 1 << 21, &got),
					 k == 1 && how == 1 ? ERR_COMPRESSION : ERR_GROWING);
			assert_int_equal(input_read(in, room, 10, &got),
					 k == 1 && how == 1 ? ERR_COMPRESSION : ERR_GROWING);
			assert_int_equal(got, 0);
			input_close(in);
			buffer_free(&b);
			buffer_free(&out);
		}
	}
}

/* A pipe gives a few bytes at a time and has no size. */
static void reads_a_pipe(void **state)
{
	int ends[2], saved = dup(STDIN_FILENO);
	struct input *in;
	char text[100];
	size_t got;

	(void)state;
	assert_true(saved != -1 && pipe(ends) == 0 && dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
	assert_int_equal(write(ends[1], "8.8.4.4\n8.8.8.8\n", 16), 16);
	close(ends[1]);
	assert_int_equal(input_open("-", &in), OK);
	assert_int_equal(input_size(in), 0);
	assert_span(input_name(in), "-");
	assert_int_equal(input_read(in, text, sizeof(text), &got), OK);
	assert_int_equal(got, 16);
	assert_int_equal(input_read(in, text, sizeof(text), &got), OK);
	assert_int_equal(got, 0);
	input_close(in);
	assert_true(dup2(saved, STDIN_FILENO) == STDIN_FILENO);
	close(ends[0]);
	close(saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_whatever_the_packing),
		cmocka_unit_test(reads_members_and_frames_in_a_row),
		cmocka_unit_test(tells_what_is_cut_or_damaged),
		cmocka_unit_test(names_and_sizes),
		cmocka_unit_test(refuses_zips),
		cmocka_unit_test(refuses_bombs),
		cmocka_unit_test(refuses_what_is_packed_twice),
		cmocka_unit_test(tells_of_files_that_change),
		cmocka_unit_test(reads_a_pipe),
	};

	return cmocka_run_group_tests_name("input", tests, scratch_setup, scratch_teardown);
}
