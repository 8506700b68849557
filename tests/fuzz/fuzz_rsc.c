/* Whatever is made of a signed checklist without its key: it is refused, or lists what the signed ones list. The first byte chooses
 * what the rest replaces: the checklist, or one of the certificates and revocation lists beside it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "proof/rsc.h"

#define SAMPLES "tests/data/rsc/"

static struct arena *kept, *work;
static struct anchors *anchors;
static struct span objects[4], checklist;
static struct hash file;
static const int64_t at_ms = INT64_C(1796083200000); /* 2026-12-01 */

static void check(bool holds)
{
	if (!holds)
		abort();
}

static struct span load(const char *path)
{
	struct span content;

	check(file_read(kept, path, (size_t)1 << 20, &content) == OK);
	return content;
}

static void start(void)
{
	char folder[] = "/tmp/comity-fuzz-XXXXXX";

	check((kept = arena_new((size_t)1 << 24)) != NULL && (work = arena_new((size_t)1 << 24)) != NULL);
	check(mkdtemp(folder) != NULL);
	check(anchors_add(folder, SAMPLES "good.tal") == OK && anchors_open(folder, &anchors) == OK);
	check(anchors_remove(folder, "good.tal") == OK && remove(folder) == 0);
	objects[0] = load(SAMPLES "ta.cer");
	objects[1] = load(SAMPLES "ca.cer");
	objects[2] = load(SAMPLES "ta.crl");
	objects[3] = load(SAMPLES "ca.crl");
	checklist = load(SAMPLES "good-mixed.sig");
	file = hash_span(load(SAMPLES "file"));
}

/* All that the authority of the samples gave to anybody. */
static bool inside(const struct prefix *p)
{
	static const char *const held[] = { "192.0.2.0/24", "203.0.113.0/24", "2001:db8::/32", "198.51.100.0/24" };
	struct prefix outer;

	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++)
		if (prefix_parse(span_of(held[i]), &outer) == OK && prefix_contains(outer, *p))
			return true;
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span given[4], rest = span_make(data, size), judged;
	unsigned which;
	struct rsc r;

	if (kept == NULL)
		start();
	if (size == 0 || size > 1 << 17)
		return 0;
	which = data[0] % 5;
	rest = span_from(rest, 1);
	memcpy(given, objects, sizeof(given));
	judged = which == 0 ? rest : checklist;
	if (which > 0)
		given[which - 1] = rest;
	if (rsc_verify(work, anchors, judged, given, 2, given + 2, 2, file, at_ms, &r) == OK) {
		check(memmem(judged.at, judged.len, file.bytes, HASH_SIZE) != NULL);
		check(r.prefix_count + r.number_count > 0 && r.until_ms > at_ms && r.anchor == anchors_at(anchors, 0));
		for (size_t i = 0; i < r.prefix_count; i++)
			check(inside(&r.prefixes[i]));
		for (size_t i = 0; i < r.number_count; i++)
			check(r.numbers[i].first >= 64496 && r.numbers[i].first <= r.numbers[i].last &&
			      r.numbers[i].last <= 64511);
	}
	arena_reset(work);
	return 0;
}
