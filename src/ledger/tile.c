#include "ledger/tile.h"

#include "base/file.h"
#include "base/hash.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEVEL_MAX 63
#define BUNDLE_MAX ((size_t)TILE_WIDTH * (2 + ENTRY_MAX))

size_t tile_path(struct tile t, char out[TILE_PATH_MAX])
{
	char groups[40]; /* up to seven groups, "x018/x446/…/615", from behind */
	size_t at = sizeof(groups) - 1;
	uint64_t n = t.n;
	int length;

	groups[at] = '\0';
	for (bool last = true; last || n > 0; last = false, n /= 1000) {
		if (!last)
			groups[--at] = '/';
		groups[--at] = (char)('0' + n % 10);
		groups[--at] = (char)('0' + n / 10 % 10);
		groups[--at] = (char)('0' + n / 100 % 10);
		if (!last)
			groups[--at] = 'x';
	}
	length = t.level == TILE_ENTRIES ? snprintf(out, TILE_PATH_MAX, "tile/entries/%s", groups + at)
					 : snprintf(out, TILE_PATH_MAX, "tile/%d/%s", t.level, groups + at);
	if (t.width != 0)
		length += snprintf(out + length, TILE_PATH_MAX - (size_t)length, ".p/%u", t.width);
	return (size_t)length;
}

static bool three_digits(struct span s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(s.at[i] - '0');
	}
	return s.len == 3;
}

/* "x001/x234/067": the first group may not be x000, else an index would have several spellings. */
static bool parse_index(struct span s, uint64_t *out)
{
	uint64_t n = 0, group;
	bool first = true;

	while (s.at != NULL) {
		struct span part = span_cut(&s, '/');

		if (s.at != NULL && !span_starts(part, "x"))
			return false;
		if (!three_digits(span_from(part, s.at != NULL), &group) || (first && s.at != NULL && group == 0))
			return false;
		if (__builtin_mul_overflow(n, 1000u, &n) || __builtin_add_overflow(n, group, &n))
			return false;
		first = false;
	}
	*out = n;
	return true;
}

enum err tile_parse_path(struct span path, struct tile *out)
{
	struct tile t = { 0 };
	struct span rest = path, level, index;
	uint64_t number;

	if (!span_is(span_cut(&rest, '/'), "tile") || rest.at == NULL)
		return ERR_TILE;
	level = span_cut(&rest, '/');
	if (rest.at == NULL)
		return ERR_TILE;
	if (span_is(level, "entries"))
		t.level = TILE_ENTRIES;
	else if (span_u64(level, LEVEL_MAX, &number) == OK)
		t.level = (int)number;
	else
		return ERR_TILE;
	index = span_cut(&rest, '.');
	if (!parse_index(index, &t.n))
		return ERR_TILE;
	if (rest.at != NULL) {
		if (!span_starts(rest, "p/") || span_u64(span_from(rest, 2), TILE_WIDTH - 1, &number) != OK ||
		    number == 0)
			return ERR_TILE;
		t.width = (unsigned)number;
	}
	*out = t;
	return OK;
}

/* Hashes of a level in all; levels that no tree reaches have none. */
static uint64_t level_count(int level, uint64_t size)
{
	if (level == TILE_ENTRIES)
		level = 0;
	return level < TILE_LEVELS ? size >> (8 * level) : 0;
}

uint64_t tile_last(int level, uint64_t size)
{
	return level_count(level, size) / TILE_WIDTH;
}

unsigned tile_width(int level, uint64_t n, uint64_t size)
{
	uint64_t last = tile_last(level, size);

	if (n < last)
		return TILE_WIDTH;
	return n == last ? (unsigned)(level_count(level, size) % TILE_WIDTH) : 0;
}

void bundle_append(struct buffer *bundle, struct span entry)
{
	assert(entry.len <= ENTRY_MAX);
	buffer_u16(bundle, (uint16_t)entry.len);
	buffer_span(bundle, entry);
}

enum err bundle_next(struct span *rest, struct span *entry)
{
	size_t n;

	if (rest->len < 2)
		return ERR_TILE;
	n = (size_t)(uint8_t)rest->at[0] << 8 | (uint8_t)rest->at[1];
	if (rest->len - 2 < n)
		return ERR_TILE;
	*entry = span_make(rest->at + 2, n);
	*rest = span_from(*rest, 2 + n);
	return OK;
}

static enum err read_file(const char *dir, struct tile t, struct buffer *out)
{
	char name[TILE_PATH_MAX], path[PATH_MAX];
	size_t max = t.level == TILE_ENTRIES ? BUNDLE_MAX : (size_t)TILE_WIDTH * HASH_SIZE;
	struct stat st;
	enum err e;
	char *at;
	int fd;

	tile_path(t, name);
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path))
		return fail(ERR_IO, "%s: the path is too long", dir);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return fail_errno("%s", path);
	out->max = BUNDLE_MAX;
	buffer_clear(out);
	if (fstat(fd, &st) == -1)
		e = fail_errno("%s", path);
	else if (!S_ISREG(st.st_mode) || (uintmax_t)st.st_size > max)
		e = fail(ERR_TILE, "%s: not a tile", path);
	else if ((at = buffer_room(out, (size_t)st.st_size)) == NULL)
		e = out->err;
	else if ((e = file_read_at(fd, at, (size_t)st.st_size, 0)) == OK)
		out->len = (size_t)st.st_size;
	close(fd);
	return e;
}

enum err tile_read(const char *dir, struct tile t, struct buffer *out, struct tile *found)
{
	enum err e;

	*found = t;
	e = read_file(dir, t, out);
	if (e != ERR_NOT_FOUND || t.width == 0)
		return e;
	found->width = 0;
	return read_file(dir, *found, out);
}
