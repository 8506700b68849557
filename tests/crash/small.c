/* The parts of the program that append, with batches as small as can be, for the tests that stop them: each id is written
 * to standard output when its batch is acknowledged, by one plain write.
 *
 *	small DIR append SEED GROUPS	GROUPS of 1 to 4 notices with bodies each, 0: until the end of the world
 *	small DIR submit SEED		signed statements from several threads at once, until the end of the world; here the
 *					entry's number stands behind the id, as the receipt has it
 *	small DIR route FILE…		a line for each notice
 *	small DIR route-alone FILE…	the same with one thread */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "regime/node.h"
#include "regime/objects.h"
#include "regime/plan.h"
#include "regime/sequencer.h"
#include "route/pipeline.h"

#define GROUP_MAX 4

static void need(enum err e, const char *what)
{
	if (e == OK)
		return;
	fprintf(stderr, "small: %s: %s: %s\n", what, err_code(e), err_detail());
	_exit(EXIT_FAILURE);
}

/* One write a line: whoever reads them sees whole lines or nothing. */
static void acknowledge(struct hash id)
{
	char line[HASH_HEX + 2];

	hash_hex(id, line);
	line[HASH_HEX] = '\n';
	if (write(STDOUT_FILENO, line, HASH_HEX + 1) != HASH_HEX + 1)
		_exit(EXIT_FAILURE);
}

static uint64_t draw(uint64_t *seed)
{
	uint64_t v = *seed += 0x9e3779b97f4a7c15;

	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9;
	v = (v ^ v >> 27) * 0x94d049bb133111eb;
	return v ^ v >> 31;
}

/* ---- append ---- */

static void add_notice(struct node *n, uint64_t *seed, struct appended *out)
{
	struct statement_writer w = { 0 };
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(draw(seed) % 64000 + 1) };
	uint8_t salt[SEAL_SALT_SIZE];
	char payload[3000];
	struct body_reference ref = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				      .size = 1 + draw(seed) % sizeof(payload),
				      .sealed = true };
	struct span body = span_make(payload, ref.size);

	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (char)('a' + draw(seed) % 26);
	for (size_t i = 0; i < sizeof(salt); i++)
		salt[i] = (uint8_t)draw(seed);
	ref.hash = seal_commitment(node_name(n), SPAN(""), ref.media_type, salt, body);
	statement_begin(&w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add_to(&w, &to);
	statement_add(&w, "class", SPAN("malicious-code/infected-system"));
	statement_add(&w, "events", SPAN("1"));
	statement_add_body(&w, &ref);
	need(node_add_own(n, &w, out), "a notice");
	need(node_add_body(n, &ref, salt, &body, 1), "its body");
	statement_writer_free(&w);
}

static void add_share(struct node *n, uint64_t *seed, struct appended *out)
{
	static const struct collection_id collection = { { 9 } };
	struct stix_object objects[20];
	struct object_result results[20];
	char ids[20][64], texts[20][80];
	struct share s = { .collection = collection, .level = TLP_RED, .objects = objects };

	s.count = 1 + draw(seed) % 20;
	for (size_t i = 0; i < s.count; i++) {
		uint64_t uuid = draw(seed);

		snprintf(ids[i], sizeof(ids[i]), "indicator--00000000-0000-4000-8000-%012llx",
			 (unsigned long long)(uuid & 0xffffffffffff));
		snprintf(texts[i], sizeof(texts[i]), "{\"id\":\"%s\"}", ids[i]);
		objects[i] = (struct stix_object){ .text = span_of(texts[i]),
						   .id = span_of(ids[i]),
						   .type = SPAN("indicator"),
						   .spec = STIX_2_1,
						   .tlp = (enum tlp)(draw(seed) % TLP_COUNT) };
		objects[i].digest = hash_span(objects[i].text);
	}
	need(objects_share(n, &s, results, out), "a share");
}

static void add_group(struct node *n, uint64_t *seed)
{
	struct appended out[GROUP_MAX];
	size_t count = 1 + draw(seed) % GROUP_MAX;

	need(node_begin(n), "begin");
	for (size_t i = 0; i < count; i++)
		(draw(seed) % 4 == 0 ? add_share : add_notice)(n, seed, &out[i]);
	if (draw(seed) % 16 == 0) { /* changed its mind */
		node_abandon(n);
		return;
	}
	need(node_commit(n), "commit");
	for (size_t i = 0; i < count; i++)
		acknowledge(out[i].id);
}

static void append(const char *dir, uint64_t seed, uint64_t groups)
{
	struct node *n = NULL;

	need(node_open(dir, NODE_WRITE, &n), dir);
	for (uint64_t i = 0; groups == 0 || i < groups; i++) {
		add_group(n, &seed);
		if (draw(&seed) % 8 == 0)
			need(node_publish(n), "publish");
		if (draw(&seed) % 32 == 0)
			need(node_tick(n, true), "tick");
		if (draw(&seed) % 64 == 0) { /* a clean end in between */
			node_close(n);
			need(node_open(dir, NODE_WRITE, &n), dir);
		}
	}
	need(node_publish(n), "publish");
	node_close(n);
}

/* ---- submit ---- */

#define THREADS 3

struct submitter {
	struct node *node;
	struct sequencer *sequencer;
	uint64_t seed;
};

static void sign(struct submitter *t, struct buffer *note)
{
	struct statement_writer w = { 0 };
	struct hash id;

	buffer_clear(note);
	statement_begin(&w, KIND_ADVISORY, node_origin(t->node, LEDGER_PUBLIC), signer_verifier(node_signer(t->node)));
	statement_add_print(&w, "norm", "%llu", (unsigned long long)draw(&t->seed));
	need(statement_end(&w, node_signer(t->node), note, &id), "a pledge");
	statement_writer_free(&w);
}

static void *submit_on(void *context)
{
	struct submitter *t = context;
	struct arena *a = arena_new((size_t)1 << 20);
	struct buffer note = BUFFER(STATEMENT_MAX);

	for (;;) {
		struct accepted out;
		char line[HASH_HEX + 32];
		int n;

		sign(t, &note);
		arena_reset(a);
		need(sequencer_submit(t->sequencer, buffer_view(&note), a, &out), "submit");
		hash_hex(out.appended.id, line);
		n = snprintf(line + HASH_HEX, sizeof(line) - HASH_HEX, " %llu\n",
			     (unsigned long long)out.appended.index);
		if (write(STDOUT_FILENO, line, (size_t)(HASH_HEX + n)) != HASH_HEX + n)
			_exit(EXIT_FAILURE);
	}
	return NULL;
}

static void submit(const char *dir, uint64_t seed)
{
	const struct sequencer_options options = { .workers = 2, .publish_ms = 20, .ticks = true };
	struct submitter all[THREADS];
	struct sequencer *q = NULL;
	struct node *n = NULL;
	pthread_t thread;

	need(node_open(dir, NODE_WRITE, &n), dir);
	need(sequencer_start(n, &options, &q), "sequencer");
	for (int i = 0; i < THREADS; i++) {
		all[i] = (struct submitter){ n, q, seed * THREADS + (uint64_t)i };
		if (pthread_create(&thread, NULL, submit_on, &all[i]) != 0)
			need(ERR_NO_MEMORY, "a thread");
	}
	pause();
}

/* ---- route ---- */

static enum err told(void *context, const struct route_notice *n)
{
	(void)context;
	acknowledge(n->id);
	return OK;
}

static void route(const char *dir, unsigned threads, char *const *paths, size_t count)
{
	const struct route_limits limits = {
		.chunk = 2 * REPORT_ROW_MAX, .run = 2 * REPORT_ROW_MAX, .resident = 50000, .batch = 10000
	};
	struct route_options options = { .threads = threads };
	struct route_summary summary;
	struct resolver *resolver = NULL;
	struct table *table = NULL;
	struct node *n = NULL;
	char *path = NULL;

	if (asprintf(&path, "%s/territory.table", dir) == -1)
		need(ERR_NO_MEMORY, dir);
	options.report.now_ms = clock_now_ms();
	need(node_open(dir, NODE_WRITE, &n), dir);
	need(table_open(path, &table), path);
	need(resolver_new(table, NULL, 0, &resolver), "resolver");
	need(route_files_within(&limits, n, resolver, NULL, paths, count, &options, NULL, told, NULL, &summary),
	     "route");
	resolver_free(resolver);
	table_close(table);
	node_close(n);
	free(path);
}

static uint64_t number(const char *text)
{
	uint64_t v = 0;

	need(span_u64(span_of(text), UINT64_MAX, &v), text);
	return v;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[2], "append") == 0)
		append(argv[1], number(argv[3]), number(argv[4]));
	else if (argc == 4 && strcmp(argv[2], "submit") == 0)
		submit(argv[1], number(argv[3]));
	else if (argc > 3 && strcmp(argv[2], "route") == 0)
		route(argv[1], 2, argv + 3, (size_t)(argc - 3));
	else if (argc > 3 && strcmp(argv[2], "route-alone") == 0)
		route(argv[1], 1, argv + 3, (size_t)(argc - 3));
	else
		need(ERR_USAGE, "small DIR append SEED GROUPS, small DIR route FILE…");
	return EXIT_SUCCESS;
}
