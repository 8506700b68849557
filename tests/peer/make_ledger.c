/* make_ledger DIR COUNT INDEX…: a published ledger of COUNT signed statements in DIR/ledger, its verifier key in DIR/vkey,
 * and for each INDEX the entry and its receipt in DIR/entry.INDEX and DIR/receipt.INDEX. Always the same bytes. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "ledger/tiles.h"

#define ORIGIN "cert.example/public"
#define FIRST_LOGGED INT64_C(1795380300123)

static struct arena *arena;

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "make_ledger: %s: %s\n", err_code(e), err_detail());
	exit(1);
}

static struct signer *signer_of(const char *name, uint8_t number)
{
	const uint8_t seed[KEY_SEED_SIZE] = { number };
	struct signer *s = NULL;

	need(signer_from_seed(span_of(name), seed, &s));
	return s;
}

/* One small statement as it stands in a ledger. */
static void make_entry(uint64_t i, const struct signer *party, struct statement_writer *w, struct buffer *out)
{
	static struct buffer note = BUFFER(STATEMENT_MAX);
	struct hash id;

	statement_begin(w, KIND_PLEDGE, SPAN(ORIGIN), signer_verifier(party));
	statement_add_time(w, "date", FIRST_LOGGED + (int64_t)i * 1000);
	statement_add_print(w, "text", "pledge %ju", (uintmax_t)i);
	buffer_clear(&note);
	need(statement_end(w, party, &note, &id));
	buffer_clear(out);
	entry_print(FIRST_LOGGED + (int64_t)i * 1000, buffer_view(&note), out);
	need(out->err);
}

static void publish(struct publisher *p, const struct signer *ledger, struct buffer *note)
{
	const struct frontier *f = publisher_frontier(p);
	struct checkpoint c = { SPAN(ORIGIN), f->size, frontier_root(f), SPAN("") };

	buffer_clear(note);
	need(checkpoint_sign(&c, ledger, note));
	need(publisher_publish(p, buffer_view(note)));
}

/* Published once on the way, so that what a grown ledger leaves behind is there too. */
static void make_all(const char *dir, uint64_t count, struct buffer *note)
{
	struct signer *ledger = signer_of(ORIGIN, 1), *party = signer_of("cert.example", 2);
	struct buffer entry = BUFFER(ENTRY_MAX), vkey = BUFFER(1024);
	struct statement_writer w = { .err = OK };
	struct publisher *p = NULL;

	need(publisher_open(arena_print(arena, "%s/ledger", dir), 0, &p));
	for (uint64_t i = 0; i < count; i++) {
		make_entry(i, party, &w, &entry);
		need(publisher_add(p, buffer_view(&entry)));
		if (i + 1 == count - count / 1000)
			publish(p, ledger, note);
	}
	publish(p, ledger, note);
	verifier_print(signer_verifier(ledger), &vkey);
	need(file_write(arena_print(arena, "%s/vkey", dir), buffer_view(&vkey), 0644));
	publisher_close(p);
	statement_writer_free(&w);
	signer_free(ledger);
	signer_free(party);
	buffer_free(&entry);
	buffer_free(&vkey);
}

/* From what was published, as a server would make it. */
static void make_receipt(const char *dir, struct ledger_reader *r, uint64_t count, uint64_t index, struct span note)
{
	struct receipt made = { .index = index, .checkpoint_note = note };
	struct buffer out = BUFFER(1 << 20);
	struct span entry;

	need(merkle_inclusion(index, count, ledger_reader_fetch, r, &made.proof));
	need(ledger_reader_entry(r, arena, index, &entry));
	receipt_print(&made, &out);
	need(out.err);
	need(file_write(arena_print(arena, "%s/receipt.%ju", dir, (uintmax_t)index), buffer_view(&out), 0644));
	need(file_write(arena_print(arena, "%s/entry.%ju", dir, (uintmax_t)index), entry, 0644));
	buffer_free(&out);
}

int main(int argc, char **argv)
{
	struct buffer note = BUFFER(4096);
	struct ledger_reader *r = NULL;
	uint64_t count, index;

	if (argc < 3 || span_u64(span_of(argv[2]), 1000000000, &count) != OK || (arena = arena_new(1 << 26)) == NULL) {
		fprintf(stderr, "use: make_ledger DIR COUNT INDEX...\n");
		return 2;
	}
	make_all(argv[1], count, &note);
	need(ledger_reader_open(arena_print(arena, "%s/ledger", argv[1]), &r));
	ledger_reader_set_size(r, count);
	for (int i = 3; i < argc; i++) {
		need(span_u64(span_of(argv[i]), count - 1, &index));
		make_receipt(argv[1], r, count, index, buffer_view(&note));
	}
	ledger_reader_close(r);
	buffer_free(&note);
	arena_free(arena);
	return 0;
}
