#include "regime/release_private.h"

#include <assert.h>

#include "regime/certificate_private.h"
#include "regime/kinds_private.h"
#include "regime/purl.h"

#define NAME_SHOWN 80

static const char *const breaches[BREACH_COUNT] = {
	[BREACH_NONE] = "none",
	[BREACH_TWO_HASHES] = "two-hashes",
	[BREACH_LEFT_OUT] = "left-out",
	[BREACH_TWO_HASHES_SEEN] = "two-hashes-seen",
};

const char *release_breach_name(enum release_breach b)
{
	assert((unsigned)b < BREACH_COUNT);
	return breaches[b];
}

/* ---- bytes ---- */

struct state_key key_said(struct span by)
{
	struct state_key k = key_of(STATE_RELEASE);

	key_add_u8(&k, RELEASE_SAID);
	key_add(&k, by.at, by.len);
	if (by.len > 0)
		key_add_u8(&k, 0);
	return k;
}

struct state_key key_product(struct span product)
{
	struct state_key k = key_of(STATE_RELEASE);
	struct hash h = hash_span(product);

	key_add_u8(&k, RELEASE_OF);
	key_add(&k, h.bytes, HASH_SIZE);
	return k;
}

struct state_key key_release(struct span product, struct span version)
{
	struct state_key k = key_product(product);
	struct hash h = hash_span(version);

	key_add(&k, h.bytes, HASH_SIZE);
	return k;
}

struct state_key key_canaries(struct span from)
{
	struct state_key k = key_of(STATE_RELEASE);

	key_add_u8(&k, RELEASE_CANARY);
	key_add(&k, from.at, from.len);
	if (from.len > 0)
		key_add_u8(&k, 0);
	return k;
}

uint64_t key_index(struct span key)
{
	struct reader r = reader_of(span_from(key, key.len - 8));

	return read_u64(&r);
}

static void pack(struct buffer *b, const struct saying *s)
{
	buffer_byte(b, (uint8_t)s->predicate);
	buffer_byte(b, s->demonstration);
	buffer_u64(b, (uint64_t)s->logged_ms);
	pack_hash(b, s->id);
	pack_short(b, s->maker);
	buffer_u16(b, (uint16_t)s->product.len);
	buffer_span(b, s->product);
	pack_short(b, s->version);
	buffer_u16(b, (uint16_t)s->promised_count);
	buffer_span(b, s->promised);
	buffer_u16(b, (uint16_t)s->line_count);
	buffer_span(b, s->lines);
}

enum err saying_unpack(struct span by, uint64_t index, struct span value, struct saying *out)
{
	struct reader r = reader_of(value);
	struct saying s = { .by = by, .index = index };

	s.predicate = (enum predicate)read_u8(&r);
	s.demonstration = read_u8(&r) != 0;
	s.logged_ms = (int64_t)read_u64(&r);
	s.id = unpack_hash(&r);
	s.maker = unpack_short(&r);
	s.product = read_span(&r, read_u16(&r));
	s.version = unpack_short(&r);
	s.promised_count = read_u16(&r);
	s.promised = read_span(&r, s.promised_count * PROMISED_SIZE);
	s.line_count = read_u16(&r);
	s.lines = read_span(&r, s.line_count * LINE_SIZE);
	if (r.err != OK || reader_left(&r) != 0)
		return state_damaged("release");
	*out = s;
	return OK;
}

struct artefact_line saying_line(const struct saying *s, size_t i)
{
	struct reader r = reader_of(span_make(s->lines.at + i * LINE_SIZE, LINE_SIZE));
	struct artefact_line l = { .region = "" };

	read_bytes(&r, l.region, 2);
	l.hash = unpack_hash(&r);
	l.at_ms = (int64_t)read_u64(&r);
	return l;
}

enum err saying_get(const struct state *st, struct span by, uint64_t index, struct saying *out)
{
	struct state_key k = key_said(by);
	struct certificate_record c;
	struct span value;
	enum err e;

	key_add_u64(&k, index);
	if ((e = state_get(st, &k, &value)) != OK || (e = saying_unpack(by, index, value, out)) != OK)
		return e;
	if ((e = certificate_get(st, index, &c)) == ERR_NOT_FOUND)
		return state_damaged("release without its certificate");
	out->withdrawn = e == OK && c.withdrawn_ms != 0;
	return e;
}

enum err saying_put(struct state *st, const struct saying *s)
{
	struct state_key k = key_said(s->by), of = key_release(s->product, s->version);
	struct buffer b = BUFFER(STATE_VALUE_MAX);
	enum err e;

	key_add_u64(&k, s->index);
	key_add_u64(&of, s->index);
	pack(&b, s);
	e = state_put(st, &k, &b);
	buffer_free(&b);
	return e == OK ? view_put(st->snapshot, VIEW_STATE, key_view(&of), s->by) : e;
}

/* ---- headers ---- */

static bool is_region(struct span s)
{
	return s.len == 2 && s.at[0] >= 'A' && s.at[0] <= 'Z' && s.at[1] >= 'A' && s.at[1] <= 'Z';
}

static int shown(struct span s)
{
	return s.len > NAME_SHOWN ? NAME_SHOWN : (int)s.len;
}

/* "CN sha256:<hex> 2026-11-22T20:45:00Z". */
static enum err read_line(const struct state *st, struct span value, struct artefact_line *out)
{
	struct span rest = value, region = span_cut(&rest, ' '), digest = { "", 0 };

	if (rest.at != NULL)
		digest = span_cut(&rest, ' ');
	if (!is_region(region) || !span_starts(digest, "sha256:") ||
	    hash_from_hex(span_from(digest, 7), &out->hash) != OK || rest.at == NULL ||
	    clock_parse(rest, &out->at_ms) != OK)
		return fail(ERR_STATEMENT_HEADER, "artefact: a region, sha256:<hex> and a time: %.*s", shown(value),
			    value.at);
	if (out->at_ms > st->logged_ms + RELEASE_AHEAD_MS)
		return fail(ERR_STATEMENT_HEADER, "artefact: over a year ahead");
	memcpy(out->region, region.at, 2);
	out->region[2] = '\0';
	return OK;
}

/* Onto b, packed. A region stands there once: who gives two things in one says so in two statements. */
static enum err read_lines(const struct state *st, const struct statement *s, struct buffer *b, size_t *count)
{
	struct artefact_line l;
	enum err e = OK;

	*count = 0;
	for (size_t i = 0; e == OK && i < s->header_count; i++) {
		if (!span_is(s->headers[i].name, "artefact"))
			continue;
		if ((e = read_line(st, s->headers[i].value, &l)) != OK)
			return e;
		for (size_t j = 0; j < *count; j++)
			if (memcmp(b->at + j * LINE_SIZE, l.region, 2) == 0)
				return fail(ERR_STATEMENT_HEADER, "artefact: %s stands there twice", l.region);
		buffer_bytes(b, l.region, 2);
		pack_hash(b, l.hash);
		buffer_u64(b, (uint64_t)l.at_ms);
		++*count;
		e = b->err;
	}
	return e;
}

/* "CN,DE,US", in the order of the alphabet, or "all", which is kept as ZZ. */
static enum err read_regions(struct span value, struct buffer *b, size_t *count)
{
	struct span rest = value, last = { "", 0 };

	*count = 0;
	if (span_is(value, "all")) {
		buffer_text(b, EVERYWHERE);
		*count = 1;
		return b->err;
	}
	while (rest.at != NULL) {
		struct span one = span_cut(&rest, ',');

		if (!is_region(one) || span_is(one, EVERYWHERE) || (last.len > 0 && span_compare(last, one) >= 0))
			return fail(ERR_STATEMENT_HEADER, "regions: all, or two letters each in the order of the "
							  "alphabet, as CN,DE,US");
		if (++*count > RELEASE_REGIONS_MAX)
			return fail(ERR_STATEMENT_HEADER, "regions: over %d", RELEASE_REGIONS_MAX);
		buffer_span(b, one);
		last = one;
	}
	return b->err;
}

static enum err read_release(const struct state *st, const struct statement *s, struct saying *out, struct buffer *b)
{
	const struct header *product = statement_header(s, "product"), *version = statement_header(s, "version");
	struct span plain, of;
	enum err e = purl_parse(st->arena, product->value, &plain, &of);

	if (e != OK && e != ERR_CERTIFICATE)
		return e;
	if (e != OK || of.len > 0 || !span_equal(plain, product->value))
		return fail(ERR_STATEMENT_HEADER, "product: a package URL without version, in its one spelling");
	if (version->value.len == 0 || version->value.len > RELEASE_VERSION_MAX ||
	    memchr(version->value.at, ' ', version->value.len) != NULL)
		return fail(ERR_STATEMENT_HEADER, "version: one word of at most %d bytes", RELEASE_VERSION_MAX);
	out->maker = s->from;
	out->product = product->value;
	out->version = version->value;
	return read_regions(statement_header(s, "regions")->value, b, &out->promised_count);
}

/* What it is about is in the state: certificate_check saw to it. */
static enum err read_seen(const struct state *st, const struct statement *s, struct saying *out)
{
	struct certificate_record c;
	struct saying release;
	enum err e = certificate_find(st, s->re, &c);

	if (e == OK)
		e = saying_get(st, c.c.from, c.c.index, &release);
	if (e != OK)
		return e == ERR_NOT_FOUND ? state_damaged("release without its lines") : e;
	if (span_equal(release.by, s->from))
		return fail(ERR_STATEMENT_HEADER, "re: what you give yourself is said in a release");
	out->maker = release.by;
	out->product = release.product;
	out->version = release.version;
	return OK;
}

/* lines, regions: what the spans in out point to; the caller's to free. */
static enum err read_saying(const struct state *st, const struct statement *s, enum predicate p, struct saying *out,
			    struct buffer *lines, struct buffer *regions)
{
	enum err e;

	*out = (struct saying){
		.predicate = p, .index = st->index, .logged_ms = state_time(st), .id = s->id, .by = s->from
	};
	e = p == PREDICATE_RELEASE ? read_release(st, s, out, regions) : read_seen(st, s, out);
	if (e == OK)
		e = read_lines(st, s, lines, &out->line_count);
	if (e == OK)
		e = value_yes(s, "demonstration", &out->demonstration);
	out->promised = buffer_view(regions);
	out->lines = buffer_view(lines);
	return e;
}

/* The one before, if it names it, is the same canary of the same party. */
static enum err check_canary(const struct state *st, const struct statement *s)
{
	struct certificate_record before;
	int64_t end_ms = 0;
	enum err e = value_time(s, "end", &end_ms);

	if (e == OK && statement_header(s, "start") != NULL)
		e = fail(ERR_STATEMENT_HEADER, "start: a canary holds from when it was logged");
	if (e == OK && (end_ms <= st->logged_ms || end_ms > st->logged_ms + CANARY_MAX_MS))
		e = fail(ERR_STATEMENT_HEADER, "end: to come, and at most 366 days on");
	if (e != OK || !s->has_re)
		return e;
	e = certificate_find(st, s->re, &before);
	if (e == ERR_NOT_FOUND)
		return fail(ERR_MATTER_UNKNOWN, "re: no canary that is known here");
	if (e == OK &&
	    (!span_equal(before.c.from, s->from) || !span_equal(before.c.name, statement_header(s, "name")->value)))
		e = fail(ERR_STATEMENT_HEADER, "re: another canary, or another party's");
	return e;
}

enum err artefacts_check(const struct state *st, const struct statement *s, enum predicate p)
{
	struct buffer lines = BUFFER(STATE_VALUE_MAX), regions = BUFFER(STATE_VALUE_MAX);
	struct saying unused;
	enum err e = OK;

	if (p == PREDICATE_CANARY)
		e = check_canary(st, s);
	else if (p == PREDICATE_RELEASE || p == PREDICATE_SEEN)
		e = read_saying(st, s, p, &unused, &lines, &regions);
	buffer_free(&lines);
	buffer_free(&regions);
	return e;
}

static enum err fold_canary(struct state *st, const struct statement *s)
{
	struct span name = statement_header(s, "name")->value;
	struct state_key k = key_canaries(s->from);

	key_add(&k, name.at, name.len);
	key_add_u8(&k, 0);
	key_add_u64(&k, st->index);
	return view_put(st->snapshot, VIEW_STATE, key_view(&k), SPAN(""));
}

/* What a sighting says of its release points into the snapshot, where is written now. */
static enum err keep_names(const struct state *st, struct saying *s)
{
	struct span *const names[] = { &s->maker, &s->product, &s->version };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((names[i]->at = arena_copy(st->arena, names[i]->at, names[i]->len)) == NULL)
			return ERR_NO_MEMORY;
	return OK;
}

enum err artefacts_fold(struct state *st, const struct statement *s, enum predicate p)
{
	struct buffer lines = BUFFER(STATE_VALUE_MAX), regions = BUFFER(STATE_VALUE_MAX);
	struct saying said;
	enum err e;

	if (p == PREDICATE_CANARY)
		return fold_canary(st, s);
	if (p != PREDICATE_RELEASE && p != PREDICATE_SEEN)
		return OK;
	e = read_saying(st, s, p, &said, &lines, &regions);
	if (e == OK)
		e = keep_names(st, &said);
	if (e == OK)
		e = saying_put(st, &said);
	buffer_free(&lines);
	buffer_free(&regions);
	return e;
}
