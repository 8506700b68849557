/* Chunks end in any order, since several threads parse; the file has the rows in the order of the reports. So lists that
 * come early wait here. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "route/pipeline.h"

#define RAW_MAX 1024
#define WAITING_MAX 16

struct waiting {
	uint64_t chunk;
	struct reject_list list;
};

struct rejects {
	pthread_mutex_t lock;
	const char *path;	 /* NULL: not kept */
	int fd;			 /* -1: not made yet */
	struct hash_stream *sum; /* NULL: its name stays */
	uint64_t next, count;
	struct waiting *waiting;
	size_t waiting_count, waiting_room;
};

void reject_list_add(struct reject_list *l, const char *path, const struct reject *r)
{
	struct json j = { .out = &l->lines };
	struct span raw = r->raw;

	l->count++;
	if (raw.len > RAW_MAX)
		raw.len = RAW_MAX;
	json_object(&j, NULL);
	json_text(&j, "file", path);
	json_number(&j, "line", (int64_t)r->line);
	json_number(&j, "offset", (int64_t)r->offset);
	json_text(&j, "code", err_code(r->why));
	if (r->field != NULL)
		json_text(&j, "field", r->field);
	json_text(&j, "advice", err_advice(r->why));
	json_string(&j, "row", raw);
	json_object_end(&j);
	buffer_byte(&l->lines, '\n');
}

enum err rejects_new(const char *path, bool sealed, struct rejects **out)
{
	struct rejects *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&r->lock, NULL);
	r->path = path;
	r->fd = -1;
	if (sealed && path != NULL && (r->sum = hash_stream_new()) == NULL) {
		free(r);
		return ERR_NO_MEMORY;
	}
	*out = r;
	return OK;
}

static enum err write_list(struct rejects *r, const struct reject_list *l)
{
	r->next++;
	r->count += l->count;
	if (l->lines.err != OK || l->count == 0 || r->path == NULL)
		return l->lines.err;
	if (r->fd == -1 && (r->fd = open(r->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) == -1)
		return fail_errno("%s", r->path);
	if (r->sum != NULL)
		hash_stream_add(r->sum, l->lines.at, l->lines.len);
	return file_write_all(r->fd, l->lines.at, l->lines.len) == OK ? OK : fail_errno("%s", r->path);
}

static enum err keep(struct rejects *r, uint64_t chunk, struct reject_list *l)
{
	if (r->waiting_count == r->waiting_room) {
		size_t room = r->waiting_room == 0 ? WAITING_MAX : 2 * r->waiting_room;
		struct waiting *bigger = realloc(r->waiting, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		r->waiting = bigger;
		r->waiting_room = room;
	}
	r->waiting[r->waiting_count++] = (struct waiting){ chunk, *l };
	*l = (struct reject_list){ .lines = BUFFER(l->lines.max) };
	return OK;
}

/* The list that is due, if it waits. */
static struct waiting *due(struct rejects *r)
{
	for (size_t i = 0; i < r->waiting_count; i++)
		if (r->waiting[i].chunk == r->next)
			return &r->waiting[i];
	return NULL;
}

static enum err take_in(struct rejects *r, uint64_t chunk, struct reject_list *l)
{
	struct waiting *w;
	enum err e;

	if (chunk != r->next)
		return keep(r, chunk, l);
	e = write_list(r, l);
	buffer_clear(&l->lines);
	l->count = 0;
	while (e == OK && (w = due(r)) != NULL) {
		e = write_list(r, &w->list);
		buffer_free(&w->list.lines);
		*w = r->waiting[--r->waiting_count];
	}
	return e;
}

enum err rejects_chunk(struct rejects *r, uint64_t chunk, struct reject_list *l)
{
	enum err e;

	pthread_mutex_lock(&r->lock);
	e = take_in(r, chunk, l);
	pthread_mutex_unlock(&r->lock);
	return e;
}

bool rejects_behind(struct rejects *r, uint64_t chunk)
{
	bool behind;

	pthread_mutex_lock(&r->lock);
	behind = chunk > r->next + WAITING_MAX;
	pthread_mutex_unlock(&r->lock);
	return behind;
}

#define SUM_DIGITS 16
#define ENDING ".jsonl"

bool route_rejects_sum(const char *path, struct span *sum)
{
	struct span all = span_of(path), rest;
	uint8_t bytes[SUM_DIGITS / 2];

	if (!span_ends(all, ENDING) || all.len < strlen(ENDING) + SUM_DIGITS + 1)
		return false;
	rest = span_from(all, all.len - strlen(ENDING) - SUM_DIGITS);
	*sum = span_make(rest.at, SUM_DIGITS);
	return rest.at[-1] == '-' && hex_decode(*sum, bytes, sizeof(bytes)) == OK;
}

static enum err seal(const struct rejects *r, struct route_summary *out)
{
	char hex[HASH_HEX + 1], folder[sizeof(out->rejects)];
	size_t stem = strlen(r->path) - strlen(ENDING);
	int n;

	hash_hex(hash_stream_end(r->sum), hex);
	n = snprintf(out->rejects, sizeof(out->rejects), "%.*s-%.*s" ENDING, (int)stem, r->path, SUM_DIGITS, hex);
	if (n < 0 || (size_t)n >= sizeof(out->rejects))
		return fail(ERR_TOO_LONG, "the path of the rejects file");
	if (rename(r->path, out->rejects) == -1)
		return fail_errno("%s", out->rejects);
	snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(r->path, '/') - r->path), r->path);
	return folder_sync(folder);
}

enum err rejects_end(struct rejects *r, struct route_summary *out)
{
	enum err e = OK;

	if (r == NULL)
		return OK;
	out->rejected = r->count;
	if (r->fd != -1) {
		snprintf(out->rejects, sizeof(out->rejects), "%s", r->path);
		if (fsync(r->fd) != 0) {
			fail_errno("%s: fsync", r->path);
			e = ERR_SYNC;
		}
		close(r->fd);
		if (e == OK && r->sum != NULL)
			e = seal(r, out);
	}
	for (size_t i = 0; i < r->waiting_count; i++)
		buffer_free(&r->waiting[i].list.lines);
	hash_stream_free(r->sum);
	free(r->waiting);
	pthread_mutex_destroy(&r->lock);
	free(r);
	return e;
}
