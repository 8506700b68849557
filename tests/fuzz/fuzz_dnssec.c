/* A good chain of tests/data/dnssec, changed as the input says: three bytes say where (part, offset), the fourth what to exclusive-or
 * there; with the part's top bit the part is cut there instead. What is signed verifies only as it was: dnssec_law.h. */
#include "../dnssec_law.h"

static struct arena *kept, *work;
static struct anchors *anchors;
static struct evidence good;
static struct addressee resource = { .type = TO_PARTY, .domain = { "as64500.example", 15 } };
static struct proof proof = { .method = BASIS_DNSSEC, .resources = &resource, .resource_count = 1 };
static struct key_statement key = { .party = { "as64500.example", 15 } };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void begin(void)
{
	char dir[] = "/tmp/comity-fuzz-XXXXXX", path[64];
	struct verdict v;
	struct span text;

	kept = arena_new(1 << 22);
	work = arena_new(1 << 22);
	check(kept != NULL && work != NULL && mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/root.ds", dir);
	check(file_read(kept, "tests/data/dnssec/root.ds", 1 << 16, &text) == OK);
	check(file_write_lazily(path, text, 0600) == OK);
	check(anchors_open(dir, &anchors) == OK && remove(path) == 0 && remove(dir) == 0);
	check(file_read(kept, "tests/data/dnssec/as64500.json", 1 << 20, &text) == OK);
	check(evidence_parse(kept, text, &good) == OK && hash_from_hex(SPAN(LAW_KEY), &key.key) == OK);
	check(dnssec_verify_proof(work, anchors, &proof, &key, &good, LAW_AT_MS, &v) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct evidence changed;

	if (kept == NULL)
		begin();
	arena_reset(work);
	changed = good;
	changed.parts = arena_array(work, good.count, sizeof(*changed.parts));
	for (size_t i = 0; i < good.count; i++) {
		struct span bytes = good.parts[i].bytes;

		changed.parts[i] = good.parts[i];
		changed.parts[i].bytes.at = arena_copy(work, bytes.at, bytes.len);
	}
	for (; size >= 4; data += 4, size -= 4) {
		struct span *part = &changed.parts[(data[0] & 127) % good.count].bytes;
		size_t at = ((size_t)data[1] << 8 | data[2]) % (part->len + 1);

		if ((data[0] & 128) != 0)
			part->len = at;
		else if (at < part->len)
			((char *)(uintptr_t)part->at)[at] ^= (char)data[3];
	}
	check(law_holds(work, anchors, &proof, &key, &good, &changed));
	return 0;
}
