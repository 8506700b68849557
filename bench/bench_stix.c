/* How fast a server takes objects in: envelopes of 1,000 indicators of about 670 bytes, in memory. The floor is the parser
 * alone; then what an envelope costs (I-JSON, where each object's text lies), and what each object costs on top (id,
 * version, markings, digest of its canonical text). CPU time of one thread; the best of five rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <yyjson.h>

#include "base/json.h"
#include "stix/object.h"

#define ROUNDS 5
#define REPEATS 20
#define OBJECTS 1000

static const char object[] =
	"{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--00000000-0000-4000-8000-%012zx\","
	"\"created_by_ref\":\"identity--0b2c7f1e-3f0f-4a0e-9d0e-0c6a1d2b3c4d\",\"created\":\"2026-03-01T08:%02zu:%02zu."
	"123Z\","
	"\"modified\":\"2026-03-01T08:%02zu:%02zu.123Z\",\"name\":\"Address of a scanner, seen by %zu "
	"sensors\",\"description\":"
	"\"Connections to port 22 with lists of passwords; logs of the sensors are kept for ninety days, \\u2026\","
	"\"indicator_types\":[\"malicious-activity\"],\"pattern\":\"[ipv4-addr:value = "
	"'198.51.100.%zu']\",\"pattern_type\":"
	"\"stix\",\"pattern_version\":\"2.1\",\"valid_from\":\"2026-03-01T08:00:00Z\",\"confidence\":75,\"labels\":["
	"\"ssh\","
	"\"scan\"],\"object_marking_refs\":[\"marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb\"]}";

/* CPU time of this thread: other programs on the machine disturb less. */
static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void need(bool good)
{
	if (good)
		return;
	fprintf(stderr, "bench_stix: %s\n", err_detail());
	exit(1);
}

static void parse_only(struct arena *a, struct span text)
{
	struct yyjson_doc *doc;

	need(json_read(a, text, &doc) == OK);
}

static void envelope_only(struct arena *a, struct span text)
{
	struct stix_envelope envelope;

	need(stix_envelope_read(a, text, false, &envelope) == OK && envelope.count == OBJECTS);
}

static void all_of_it(struct arena *a, struct span text)
{
	struct stix_envelope envelope;
	struct stix_object o;

	need(stix_envelope_read(a, text, false, &envelope) == OK);
	for (size_t i = 0; i < envelope.count; i++)
		need(stix_object_read(a, &envelope.objects[i], &o) == OK && o.tlp == TLP_GREEN);
}

static void measure(const char *what, void (*work)(struct arena *, struct span), struct arena *a, struct span text)
{
	int64_t best = 0;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = now_us(), took;

		for (int i = 0; i < REPEATS; i++) {
			work(a, text);
			arena_reset(a);
		}
		took = now_us() - start;
		best = best == 0 || took < best ? took : best;
	}
	printf("%-34s %7.0f MB/s %8.2f M objects/s\n", what, (double)text.len * REPEATS / (double)best,
	       (double)OBJECTS * REPEATS / (double)best);
}

int main(void)
{
	struct arena *a = arena_new((size_t)256 << 20);
	struct buffer b = BUFFER((size_t)4 << 20);

	need(a != NULL);
	buffer_text(&b, "{\"objects\":[");
	for (size_t i = 0; i < OBJECTS; i++) {
		buffer_text(&b, i == 0 ? "" : ",");
		buffer_print(&b, object, i, i / 60 % 60, i % 60, i / 60 % 60, i % 60, i, i % 256);
	}
	buffer_text(&b, "]}");
	need(b.err == OK);
	printf("%zu bytes an object\n", b.len / OBJECTS);
	measure("parser alone", parse_only, a, buffer_view(&b));
	measure("envelope", envelope_only, a, buffer_view(&b));
	measure("envelope, objects, digests", all_of_it, a, buffer_view(&b));
	buffer_free(&b);
	arena_free(a);
	return 0;
}
