#include "ledger/entry.h"

#define PREFIX "logged "

/* One text for one time: it must be what entry_print would write. */
enum err entry_parse(struct span text, struct entry *out)
{
	struct span rest = text, line = span_cut(&rest, '\n'), time;
	char canonical[CLOCK_TEXT];
	int64_t ms;

	if (rest.at == NULL || rest.len == 0 || !span_starts(line, PREFIX))
		return fail(ERR_STATEMENT, "an entry is a line \"" PREFIX "<time>\" and a note");
	time = span_from(line, strlen(PREFIX));
	if (clock_parse_rfc3339(time, &ms) != OK)
		return fail(ERR_STATEMENT, "an entry's time is written like 2026-11-22T20:45:00.123Z");
	clock_format_ms(ms, canonical);
	if (!span_is(time, canonical))
		return fail(ERR_STATEMENT, "an entry's time is written like 2026-11-22T20:45:00.123Z");
	*out = (struct entry){ ms, rest };
	return OK;
}

void entry_print(int64_t logged_ms, struct span note, struct buffer *out)
{
	char time[CLOCK_TEXT];

	clock_format_ms(logged_ms, time);
	buffer_text(out, PREFIX);
	buffer_text(out, time);
	buffer_byte(out, '\n');
	buffer_span(out, note);
}
