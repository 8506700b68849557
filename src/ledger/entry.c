#include "ledger/entry.h"

#include "base/encoding.h"

#define LOGGED "logged "
#define HOME "home "

/* One text for one time: it must be what entry_print would write. */
static enum err read_time(struct span time, int64_t *ms)
{
	char canonical[CLOCK_TEXT];

	if (clock_parse_rfc3339(time, ms) == OK) {
		clock_format_ms(*ms, canonical);
		if (span_is(time, canonical))
			return OK;
	}
	return fail(ERR_STATEMENT, "an entry's time is written like 2026-11-22T20:45:00.123Z");
}

static enum err read_home(struct span line, struct entry *out)
{
	struct span time;

	line = span_from(line, strlen(HOME));
	time = span_cut(&line, ' ');
	out->is_guest = true;
	if (line.at == NULL || hash_from_hex(line, &out->receipt) != OK)
		return fail(ERR_STATEMENT, "a guest's entry has a line \"" HOME "<time> <SHA-256 of its receipt>\"");
	return read_time(time, &out->home_ms);
}

enum err entry_parse(struct span text, struct entry *out)
{
	struct span rest = text, line = span_cut(&rest, '\n');
	enum err e;

	if (rest.at == NULL || rest.len == 0 || !span_starts(line, LOGGED))
		return fail(ERR_STATEMENT, "an entry is a line \"" LOGGED "<time>\" and a note");
	*out = (struct entry){ 0 };
	e = read_time(span_from(line, strlen(LOGGED)), &out->logged_ms);
	if (e == OK && span_starts(rest, HOME)) {
		line = span_cut(&rest, '\n');
		if (rest.at == NULL || rest.len == 0)
			return fail(ERR_STATEMENT, "an entry without a note");
		e = read_home(line, out);
	}
	out->note = rest;
	return e;
}

static void print_time(struct buffer *out, const char *word, int64_t ms)
{
	char time[CLOCK_TEXT];

	clock_format_ms(ms, time);
	buffer_text(out, word);
	buffer_text(out, time);
}

void entry_print(int64_t logged_ms, struct span note, struct buffer *out)
{
	print_time(out, LOGGED, logged_ms);
	buffer_byte(out, '\n');
	buffer_span(out, note);
}

void entry_print_guest(int64_t logged_ms, int64_t home_ms, struct hash receipt, struct span note, struct buffer *out)
{
	char hex[HASH_HEX + 1];

	print_time(out, LOGGED, logged_ms);
	buffer_byte(out, '\n');
	print_time(out, HOME, home_ms);
	buffer_byte(out, ' ');
	hash_hex(receipt, hex);
	buffer_text(out, hex);
	buffer_byte(out, '\n');
	buffer_span(out, note);
}
