/* Whatever is made of a legal person's signature without its key: it is refused, or says of the same person the same. The first byte
 * chooses what the rest replaces: the signature, the certificate or one of the revocation lists. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "proof/legal.h"

#define SAMPLES "tests/data/legal/"

static struct arena *kept, *work;
static struct anchors *anchors;
static struct part parts[4];
static struct key_statement key;
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
	check(anchors_add(folder, SAMPLES "root.pem") == OK && anchors_open(folder, &anchors) == OK);
	check(anchors_remove(folder, "root.pem") == OK && remove(folder) == 0);
	parts[0] = (struct part){ .role = PART_SIGNATURE, .bytes = load(SAMPLES "good-0.signature") };
	parts[1] = (struct part){ .role = PART_CERTIFICATE, .bytes = load(SAMPLES "good-1.certificate") };
	parts[2] = (struct part){ .role = PART_CRL, .bytes = load(SAMPLES "good-2.crl") };
	parts[3] = (struct part){ .role = PART_CRL, .bytes = load(SAMPLES "good-3.crl") };
	check(key_statement_parse(load(SAMPLES "file"), &key) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct part given[4];
	struct evidence e = { .method = BASIS_LEGAL, .obtained_ms = at_ms, .parts = given, .count = 4 };
	struct proof p = { .method = BASIS_LEGAL };
	struct verdict v;

	if (kept == NULL)
		start();
	if (size == 0 || size > 1 << 17)
		return 0;
	memcpy(given, parts, sizeof(given));
	given[data[0] % 4].bytes = span_make(data + 1, size - 1);
	if (legal_verify_proof(work, anchors, &p, &key, &e, at_ms, &v) == OK) {
		check(span_is(v.anchor, "root.pem") && v.until_ms > at_ms);
		check(span_is(v.subject, "O=Example Networks OU, C=EE") ||
		      span_is(v.subject, "O=N\\c3\\a4ide\\2c Example"));
	}
	arena_reset(work);
	return 0;
}
