/* Makes parties in a node, and notices that they signed and that are not logged yet: what posts through the doors.
 *
 *	make_statements DIR COUNT
 *
 * Nobody else has the node open. Each notice is written as its length in decimal, a line feed, and its bytes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "regime/node.h"

#define PARTIES 64
#define COUNT_MAX 1000000

static struct signer *parties[PARTIES];

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "make_statements: %s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static void add_party(struct node *n, size_t i)
{
	struct statement_writer w = { 0 };
	struct buffer key = BUFFER(64), note = BUFFER(STATEMENT_MAX);
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { KEY_ED25519 };
	struct appended out;
	struct hash id;
	char name[32];

	snprintf(name, sizeof(name), "party-%zu.example", i);
	need(signer_new(span_of(name), &parties[i]));
	memcpy(bytes + 1, signer_verifier(parties[i])->public_key, KEY_PUBLIC_SIZE);
	base64_append(&key, bytes, sizeof(bytes));
	statement_begin(&w, KIND_PARTY, node_origin(n, LEDGER_PUBLIC), signer_verifier(parties[i]));
	statement_add(&w, "public-key", buffer_view(&key));
	statement_add(&w, "role", SPAN("researcher"));
	need(statement_end(&w, parties[i], &note, &id));
	need(node_add_statement(n, buffer_view(&note), &out));
	buffer_free(&key);
	buffer_free(&note);
	statement_writer_free(&w);
}

static void write_notice(struct node *n, size_t i, struct statement_writer *w, struct buffer *note)
{
	const struct signer *from = parties[i % PARTIES];
	struct body_reference body = { .media_type = SPAN("application/vnd.comity.evidence+zstd"),
				       .size = 1000 + i % 20000,
				       .sealed = true,
				       .hash = hash_bytes(&i, sizeof(i)) };
	struct addressee to = { .type = TO_AS, .asn = (uint32_t)(1 + i % 60000) };
	struct hash id;

	statement_begin(w, KIND_NOTICE, node_origin(n, LEDGER_CIRCLE), signer_verifier(from));
	statement_add_to(w, &to);
	statement_add_time(w, "date", INT64_C(1795000000000) + (int64_t)i);
	statement_add(w, "class", SPAN("malicious-code/infected-system"));
	statement_add(w, "tlp", SPAN("AMBER"));
	statement_add_print(w, "events", "%zu", 1 + i % 50);
	statement_add_time(w, "first", INT64_C(1795000000000));
	statement_add_time(w, "last", INT64_C(1795003600000));
	statement_add(w, "table", SPAN("ripencc 2026-11-22"));
	statement_add_body(w, &body);
	buffer_clear(note);
	need(statement_end(w, from, note, &id));
	printf("%zu\n", note->len);
	fwrite(note->at, 1, note->len, stdout);
}

int main(int argc, char **argv)
{
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct node *n = NULL;
	uint64_t count = 0;

	if (argc != 3 || span_u64(span_of(argv[2]), COUNT_MAX, &count) != OK) {
		fputs("usage: make_statements DIR COUNT\n", stderr);
		return 2;
	}
	need(node_open(argv[1], NODE_WRITE, &n));
	need(node_begin(n));
	for (size_t i = 0; i < PARTIES; i++)
		add_party(n, i);
	need(node_commit(n));
	need(node_publish(n));
	for (size_t i = 0; i < count; i++)
		write_notice(n, i, &w, &note);
	statement_writer_free(&w);
	buffer_free(&note);
	for (size_t i = 0; i < PARTIES; i++)
		signer_free(parties[i]);
	node_close(n);
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
