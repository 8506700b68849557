/*
 * Rows that nobody answers for, and those that say too little to be sent
 *
 * They are shown, never dropped, and like all others each stands in the list exactly once, whenever the program dies.
 * The list is a file (lines of JSON in zstd frames, some for each batch) and the marks are in the journal, so one must be
 * able to tell for the other:
 *
 *   1. Before rows of a batch are appended, and before the list is made, DIR/unanswered/pending says durably: this list,
 *      this long so far, and one of the batch's marks.
 *   2. The rows are appended and synced. Then the batch is committed with its marks, all of them or none.
 *   3. The next opening looks at `pending`: if the node knows the mark, the batch was committed and the rows stay; if
 *      not, the list is cut back to where it was. An empty list goes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/json.h"
#include "route/batch.h"
#include "route/evidence_write.h"

#define FOLDER "unanswered"
#define PENDING_MAX 1024
#define FRAME ((size_t)1 << 20)

struct unanswered {
	struct routing *r;
	char folder[200], path[256], pending[256];
	char name[48]; /* of the list, in the folder */
	int fd;
	uint64_t len;
};

/* ---- rows ---- */

/* The typed values of a row come first in its text and hold no comma. */
static struct span next_value(struct span *row)
{
	return span_cut(row, ',');
}

static const char *reason_of(struct span address_text)
{
	struct address a;
	const char *special;

	if (address_parse(address_text, &a) == OK && (special = address_special(a)) != NULL)
		return special;
	return "no table and no claim knows it";
}

/* What all rows of a class and section begin with, "{"class":…,"format":…,"type":…". */
static void list_start(const struct routing *r, const struct row_entry *e, struct buffer *out)
{
	struct json j = { .out = out };
	const struct section *s = &r->sections[e->section];

	buffer_clear(out);
	json_object(&j, NULL);
	json_text(&j, "class", class_name((enum rsit_class)(row_notice(e) % CLASS_COUNT)));
	json_string(&j, "format", s->format);
	json_string(&j, "type", s->type);
}

static void list_row(const struct row_entry *e, struct span start, const char *reason, struct span text,
		     struct buffer *out)
{
	struct json j = { .out = out, .comma = true };
	struct span row = { text.at, text.len - 1 }, time = next_value(&row), address = next_value(&row);
	char country[3];

	for (int skip = 0; skip < 6; skip++) /* length, port, transport, target, target port, verdict */
		next_value(&row);
	buffer_span(out, start);
	if (time.len > 0)
		json_string(&j, "time", time);
	json_string(&j, "address", address);
	if (reason != NULL)
		json_text(&j, "code", err_code(ERR_DETAIL));
	json_text(&j, "reason", reason != NULL ? reason : reason_of(address));
	country_text(e->country, country);
	if (country[0] != '\0')
		json_text(&j, "country", country);
	json_string(&j, "row", row);
	json_object_end(&j);
	buffer_byte(out, '\n');
}

static enum err compress(struct maker *m, struct buffer *out)
{
	size_t room = ZSTD_compressBound(m->plain.len), n;
	char *to = buffer_room(out, room);

	if (m->plain.err != OK || to == NULL)
		return m->plain.err != OK ? m->plain.err : out->err;
	n = ZSTD_compress2(m->zstd, to, room, m->plain.at, m->plain.len);
	if (ZSTD_isError(n))
		return zstd_failed(n, "packing evidence");
	out->len += n;
	buffer_clear(&m->plain);
	return OK;
}

enum err unanswered_list(struct maker *m, struct batch *b, const char *reason, const uint32_t *order, size_t count)
{
	enum err e = OK;

	if (m->r->options->dry_run)
		return OK;
	buffer_clear(&m->plain);
	for (size_t i = 0; e == OK && i < count; i++) {
		const struct row_entry *x = &m->rows.entries[order[i]];

		if (i == 0 || x->section != m->rows.entries[order[i - 1]].section)
			list_start(m->r, x, &m->seed);
		list_row(x, buffer_view(&m->seed), reason, span_make(m->rows.rows + m->rows.at[order[i]], x->length),
			 &m->plain);
		if (m->seed.err != OK)
			e = m->seed.err;
		else if (m->plain.len >= FRAME || i + 1 == count)
			e = compress(m, &b->unanswered_rows);
	}
	return e;
}

/* ---- the list ---- */

static enum err write_pending(const struct unanswered *u, const struct mark *mark)
{
	char hex[2 * MARK_SIZE + 1], text[PENDING_MAX];
	int n;

	hex_encode(mark->bytes, MARK_SIZE, hex);
	n = snprintf(text, sizeof(text), "%s %llu %s\n", u->name, (unsigned long long)u->len, hex);
	return file_write(u->pending, span_make(text, (size_t)n), 0600);
}

static bool read_pending(struct span text, struct span *name, uint64_t *len, struct mark *mark)
{
	struct span line;

	if (!span_line(&text, &line))
		return false;
	*name = span_cut(&line, ' ');
	if (line.at == NULL || name->len == 0 || memchr(name->at, '/', name->len) != NULL ||
	    span_u64(span_cut(&line, ' '), UINT64_MAX, len) != OK || line.at == NULL)
		return false;
	return hex_decode(line, mark->bytes, MARK_SIZE) == OK;
}

/* Cuts what was appended for a batch that never was. */
static enum err clean_up(const struct unanswered *u)
{
	struct span text, name;
	struct mark mark;
	uint64_t len;
	uint8_t known = 0;
	char path[600];
	enum err e = file_read(u->r->arena, u->pending, PENDING_MAX, &text);

	if (e != OK)
		return e == ERR_NOT_FOUND ? OK : e;
	if (!read_pending(text, &name, &len, &mark))
		return fail(ERR_DAMAGED, "%s", u->pending);
	marks_find(node_marks(u->r->node), &mark, 1, &known);
	snprintf(path, sizeof(path), "%s/%.*s", u->folder, SPAN_FORMAT(name));
	if (!known && file_exists(path)) {
		if (len == 0 ? unlink(path) != 0 : truncate(path, (off_t)len) != 0)
			return fail_errno("%s", path);
		if ((e = folder_sync(u->folder)) != OK)
			return e;
	}
	return unlink(u->pending) == 0 ? folder_sync(u->folder) : fail_errno("%s", u->pending);
}

static void name_list(struct unanswered *u, int64_t date_ms)
{
	char time[CLOCK_TEXT];

	clock_format_ms(date_ms, time);
	for (unsigned i = 0;; i++) {
		snprintf(u->name, sizeof(u->name), i == 0 ? "%s.jsonl.zst" : "%s-%u.jsonl.zst", time, i);
		snprintf(u->path, sizeof(u->path), "%s/%s", u->folder, u->name);
		if (!file_exists(u->path))
			return;
	}
}

enum err unanswered_open(struct routing *r, int64_t date_ms, struct unanswered **out)
{
	struct unanswered *u = calloc(1, sizeof(*u));
	enum err e = OK;
	int n;

	if (u == NULL)
		return ERR_NO_MEMORY;
	*out = u;
	u->r = r;
	u->fd = -1;
	n = snprintf(u->folder, sizeof(u->folder), "%s/" FOLDER, node_dir(r->node));
	if (n < 0 || (size_t)n >= sizeof(u->folder))
		return fail(ERR_TOO_LONG, "%s", node_dir(r->node));
	snprintf(u->pending, sizeof(u->pending), "%s/pending", u->folder);
	if (file_exists(u->pending))
		e = clean_up(u);
	name_list(u, date_ms);
	return e;
}

static enum err make_list(struct unanswered *u)
{
	u->fd = open(u->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
	return u->fd == -1 ? fail_errno("%s", u->path) : folder_sync(u->folder);
}

enum err unanswered_write(struct unanswered *u, const struct batch *b)
{
	enum err e;

	if (b->unanswered_rows.len == 0)
		return OK;
	if (u->fd == -1 && (e = folder_make_durable(u->folder, 0700)) != OK)
		return e;
	if ((e = write_pending(u, &b->marks[0])) != OK || (u->fd == -1 && (e = make_list(u)) != OK))
		return e;
	if (file_write_all(u->fd, b->unanswered_rows.at, b->unanswered_rows.len) != OK)
		return fail_errno("%s", u->path);
	if (fsync(u->fd) != 0) {
		fail_errno("%s: fsync", u->path);
		return ERR_SYNC;
	}
	u->len += b->unanswered_rows.len;
	return OK;
}

enum err unanswered_close(struct unanswered *u, bool failed, struct route_summary *out)
{
	enum err e = OK;

	if (u == NULL)
		return OK;
	if (u->fd != -1) {
		close(u->fd);
		snprintf(out->unanswered_list, sizeof(out->unanswered_list), "%s", u->path);
		if (!failed && unlink(u->pending) != 0)
			e = fail_errno("%s", u->pending);
	}
	free(u);
	return e;
}
