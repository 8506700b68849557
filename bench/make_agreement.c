/* Makes two nodes with eight months behind them, in which a.example asked b.example for answers by an agreement that a.example
 * keeps. The clock is simulated, so that each entry is logged in its own time; from the end on the real one goes on.
 *
 *	make_agreement DIR_A DIR_B WINDOWS
 *
 * WINDOWS has a letter for each window of 30 days, the last of which ended lately: g: b answered, m: it did not. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "ledger/entry.h"
#include "ledger/receipt.h"
#include "regime/agreement.h"
#include "regime/node.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define WINDOW_MS (30 * DAY_MS)
#define ASKED 3 /* notices in each window */
#define WINDOWS_MAX 60

static struct node *a, *b;
static struct arena *arena;
static unsigned number;

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "make_agreement: %s: %s\n", err_code(e), err_detail());
	exit(EXIT_FAILURE);
}

static const char *time_text(int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format(ms, text);
	return arena_copy(arena, text, strlen(text) + 1);
}

/* Headers as they stand in `lines`, signed, into a's ledger. */
static struct hash file(enum kind k, enum ledger_id l, const struct signer *by, const char *lines)
{
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct span rest = span_of(lines), line;
	struct appended at;
	struct hash id;

	statement_begin(&w, k, node_origin(a, l), signer_verifier(by));
	while (span_line(&rest, &line)) {
		struct span value = line, name = span_cut(&value, ' ');
		char header[64];

		snprintf(header, sizeof(header), "%.*s", SPAN_FORMAT(name));
		statement_add(&w, header, value);
	}
	need(statement_end(&w, by, &note, &id));
	need(node_begin(a));
	need(node_add_statement(a, buffer_view(&note), &at));
	need(node_commit(a));
	buffer_free(&note);
	statement_writer_free(&w);
	return id;
}

static const char *hex(struct hash h)
{
	char text[HASH_HEX + 1];

	hash_hex(h, text);
	return arena_copy(arena, text, sizeof(text));
}

/* b's statement about itself, with its receipt, as its node would bring it. */
static void introduce(void)
{
	struct state st;
	struct party p;
	struct span text, receipt;
	struct receipt parsed;
	struct entry entry;
	struct buffer whole = BUFFER(RECEIPT_TEXT_MAX);
	struct appended at;

	need(node_read(b, arena, &st));
	need(state_party(&st, SPAN("b.example"), &p));
	need(node_entry(b, arena, LEDGER_PUBLIC, p.index, &text));
	need(entry_parse(text, &entry));
	need(node_receipt(b, arena, LEDGER_PUBLIC, p.index, &receipt));
	snapshot_end(st.snapshot);
	need(receipt_parse(arena, receipt, &parsed));
	parsed.extra = text;
	receipt_print(&parsed, &whole);
	need(whole.err);
	need(node_begin(a));
	need(node_add_guest(a, entry.note, buffer_view(&whole), &at));
	need(node_commit(a));
	buffer_free(&whole);
}

static void agree(int64_t start_ms)
{
	const char *lines = arena_print(
		arena,
		"party a.example\nparty b.example\ndepositary a.example\nstart %s\nend %s\nexit-notice 30d\ncodes 1,3\n"
		"term swift acknowledged at-least 80%% within 2d each 30d least 3 gives share\n"
		"term aid acknowledged at-least 80%% within 2d each 30d least 3 gives help\n",
		time_text(start_ms), time_text(start_ms + 1500 * DAY_MS));
	struct hash offer =
		file(KIND_AGREEMENT, LEDGER_PUBLIC, node_signer(a), arena_print(arena, "to b.example\n%s", lines));

	clock_simulate(clock_now_ms() + HOUR_MS);
	file(KIND_AGREEMENT, LEDGER_PUBLIC, node_signer(b),
	     arena_print(arena, "to a.example\n%sre %s\n", lines, hex(offer)));
}

static void ask(int64_t at_ms, bool answered)
{
	struct hash notice;

	clock_simulate(at_ms);
	notice = file(KIND_NOTICE, LEDGER_CIRCLE, node_signer(a),
		      arena_print(arena,
				  "to b.example\nclass malicious-code/infected-system\nevents %u\n"
				  "body application/vnd.comity.evidence+zstd 10 sealed-sha256:%s\n",
				  ++number, hex(hash_bytes(&number, sizeof(number)))));
	clock_simulate(at_ms + HOUR_MS);
	if (answered)
		file(KIND_ANSWER, LEDGER_CIRCLE, node_signer(b),
		     arena_print(arena, "re %s\noutcome acknowledged\n", hex(notice)));
}

int main(int argc, char **argv)
{
	size_t windows = argc == 4 ? strspn(argv[3], "gm") : 0;
	int64_t start = (clock_now_ms() - (int64_t)windows * WINDOW_MS - 2 * DAY_MS) / 1000 * 1000;

	if (argc != 4 || windows == 0 || windows > WINDOWS_MAX || argv[3][windows] != '\0') {
		fprintf(stderr, "usage: make_agreement DIR_A DIR_B WINDOWS\n");
		return EXIT_FAILURE;
	}
	need((arena = arena_new((size_t)1 << 28)) != NULL ? OK : ERR_NO_MEMORY);
	clock_simulate(start - 30 * DAY_MS);
	need(node_init(argv[2], SPAN("b.example"), SPAN("The other side")));
	need(node_init(argv[1], SPAN("a.example"), SPAN("A depositary")));
	need(node_open(argv[1], NODE_WRITE, &a));
	need(node_open(argv[2], NODE_WRITE, &b));
	need(node_publish(b));
	clock_simulate(start - 20 * DAY_MS);
	introduce();
	agree(start);
	for (size_t i = 0; i < windows; i++)
		for (int n = 0; n < ASKED; n++)
			ask(start + (int64_t)i * WINDOW_MS + (2 + 8 * n) * DAY_MS, argv[3][i] == 'g');
	clock_simulate(start + (int64_t)windows * WINDOW_MS + HOUR_MS);
	need(node_tick(a, true));
	need(node_publish(a));
	node_close(a);
	node_close(b);
	arena_free(arena);
	return EXIT_SUCCESS;
}
