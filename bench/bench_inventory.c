/* What an inventory costs: a bill of so many components (CycloneDX, a third of them with a hash) against so many certificates, each about
 * three package URLs and a hash, so that three tenths of the components have one. Beside it what yyjson alone takes to read the file.
 * `bench_inventory [COMPONENTS [CERTIFICATES]]`; COMITY_BENCH_KEEP=FILE keeps the bill. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "regime/node.h"
#include "report/inventory.h"

#define ROUNDS 5

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

/* Of this process alone: others may use the machine too. */
static double processor_seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *hex_of(size_t i, char out[HASH_HEX + 1])
{
	hash_hex(hash_bytes(&i, sizeof(i)), out);
	return out;
}

/* Component i is package i, of version i % 7. */
static void write_bill(size_t count, struct buffer *out)
{
	struct json j = { out, false };
	char text[80], hex[HASH_HEX + 1];

	json_object(&j, NULL);
	json_text(&j, "bomFormat", "CycloneDX");
	json_text(&j, "specVersion", "1.6");
	json_array(&j, "components");
	for (size_t i = 0; i < count; i++) {
		json_object(&j, NULL);
		json_text(&j, "type", "library");
		snprintf(text, sizeof(text), "package-%zu", i);
		json_text(&j, "name", text);
		snprintf(text, sizeof(text), "1.%zu.0", i % 7);
		json_text(&j, "version", text);
		snprintf(text, sizeof(text), "pkg:npm/package-%zu@1.%zu.0", i, i % 7);
		json_text(&j, "bom-ref", text);
		json_text(&j, "purl", text);
		json_text(&j, "description", "A library that does what its name says, and nothing beside it.");
		if (i % 3 == 0) {
			json_array(&j, "hashes");
			json_object(&j, NULL);
			json_text(&j, "alg", "SHA-256");
			json_text(&j, "content", hex_of(i, hex));
			json_object_end(&j);
			json_array_end(&j);
		}
		json_object_end(&j);
	}
	json_array_end(&j);
	json_array(&j, "dependencies");
	for (size_t i = 0; i + 3 < count; i += 2) {
		json_object(&j, NULL);
		snprintf(text, sizeof(text), "pkg:npm/package-%zu@1.%zu.0", i, i % 7);
		json_text(&j, "ref", text);
		json_array(&j, "dependsOn");
		for (size_t k = 1; k < 4; k++) {
			snprintf(text, sizeof(text), "pkg:npm/package-%zu@1.%zu.0", i + k, (i + k) % 7);
			json_text(&j, NULL, text);
		}
		json_array_end(&j);
		json_object_end(&j);
	}
	json_array_end(&j);
	json_object_end(&j);
	need(out->err);
}

static void certify(struct node *n, size_t i, size_t components)
{
	struct statement_writer w = { 0 };
	struct appended out;
	char hex[HASH_HEX + 1];

	statement_begin(&w, KIND_CERTIFICATE, node_origin(n, LEDGER_PUBLIC), signer_verifier(node_signer(n)));
	statement_add(&w, "predicate", SPAN("declaration"));
	for (size_t k = 0; k < 3; k++) {
		size_t which = (i * 10 + k * components / 3) % (components + 1);

		statement_add_print(&w, "subject", "pkg:npm/package-%zu@1.%zu.0", which + k, (which + k) % 7);
	}
	statement_add_print(&w, "subject", "sha256:%s", hex_of(i * 10, hex));
	statement_add_time(&w, "end", clock_now_ms() + INT64_C(86400000) * 300);
	statement_add_print(&w, "body", "%s 10 sha256:%s", CERTIFICATE_MEDIA_TYPE, hex_of(i, hex));
	need(node_add_own(n, &w, &out));
	statement_writer_free(&w);
}

static struct node *make_node(const char *dir, size_t certificates, size_t components)
{
	struct node *n = NULL;

	need(node_init(dir, SPAN("lab.example"), SPAN("A laboratory")));
	need(node_open(dir, NODE_WRITE, &n));
	for (size_t i = 0; i < certificates;) {
		need(node_begin(n));
		for (size_t k = 0; k < 500 && i < certificates; k++)
			certify(n, i++, components);
		need(node_commit(n));
	}
	return n;
}

static double time_yyjson(struct span text)
{
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double start = processor_seconds(), took;
		yyjson_doc *doc = yyjson_read(text.at, text.len, 0);

		if (doc == NULL)
			exit(EXIT_FAILURE);
		took = processor_seconds() - start;
		best = took < best ? took : best;
		yyjson_doc_free(doc);
	}
	return best;
}

struct times {
	double parse, check, whole;
	struct inventory_sum sum;
};

static void time_inventory(const struct state *st, struct span text, const struct recognition *r, struct times *best)
{
	best->parse = best->check = best->whole = 1e9;
	for (int i = 0; i < ROUNDS; i++) {
		struct arena *a = arena_new(SBOM_ARENA(text.len));
		double start = processor_seconds(), parsed, checked;
		struct hash file = hash_span(text);
		struct sbom bill;

		need(a == NULL ? ERR_NO_MEMORY : sbom_parse(a, text, &bill));
		parsed = processor_seconds();
		need(inventory_check(st, r, &bill, file, clock_now_ms(), NULL, NULL, &best->sum));
		checked = processor_seconds();
		best->parse = parsed - start < best->parse ? parsed - start : best->parse;
		best->check = checked - parsed < best->check ? checked - parsed : best->check;
		best->whole = checked - start < best->whole ? checked - start : best->whole;
		arena_free(a);
	}
}

int main(int argc, char **argv)
{
	size_t components = argc > 1 ? strtoul(argv[1], NULL, 10) : 100000;
	size_t certificates = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
	char dir[] = "/tmp/bench-inventory-XXXXXX", node_dir[64], command[96];
	struct arena *a = arena_new((size_t)1 << 30);
	struct buffer text = BUFFER((size_t)1 << 30);
	const char *keep = getenv("COMITY_BENCH_KEEP");
	struct recognition *r;
	struct times t;
	struct state st;
	struct node *n;
	double yyjson;

	if (mkdtemp(dir) == NULL || a == NULL)
		return EXIT_FAILURE;
	snprintf(node_dir, sizeof(node_dir), "%s/node", dir);
	write_bill(components, &text);
	if (keep != NULL)
		need(file_write(keep, buffer_view(&text), 0600));
	n = make_node(node_dir, certificates, components);
	need(node_read(n, a, &st));
	need(recognition_parse(SPAN("recognise lab.example\n"), "recognition", &r));
	yyjson = time_yyjson(buffer_view(&text));
	time_inventory(&st, buffer_view(&text), r, &t);
	printf("a bill of %zu components (%.1f MB) against %zu certificates, processor time, best of %d:\n", components,
	       (double)text.len / 1e6, certificates, ROUNDS);
	printf("  yyjson alone reads the file in %.3f s\n", yyjson);
	printf("  the bill is hashed and read in %.3f s (%.1f times)\n", t.parse, t.parse / yyjson);
	printf("  it is looked up in             %.3f s: %.2f million components/s\n", t.check,
	       (double)components / t.check / 1e6);
	printf("  both                           %.3f s: %zu components with a certificate in force, %zu lines\n",
	       t.whole, t.sum.certified, t.sum.lines);
	snapshot_end(st.snapshot);
	node_close(n);
	recognition_end(r);
	buffer_free(&text);
	arena_free(a);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) == 0 && t.sum.certified > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
