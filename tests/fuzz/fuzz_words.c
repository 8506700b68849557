/* A list of words that is taken is printed and read again as the same; each word is found again, with its code. */
#include <stdlib.h>

#include "regime/speech.h"
#include "regime/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *a;
	struct buffer text = BUFFER((size_t)8 << 20);
	struct words w, again;

	if (a == NULL && (a = arena_new((size_t)64 << 20)) == NULL)
		abort();
	arena_reset(a);
	(void)speech_asked(span_make(data, size), NULL);
	if (words_parse(a, span_make(data, size), &w) != OK)
		return 0;
	words_print(&w, &text);
	if (text.err != OK || words_parse(a, buffer_view(&text), &again) != OK || again.count != w.count ||
	    again.language_count != w.language_count)
		abort();
	for (size_t i = 0; i < w.count; i++) {
		const struct word *one = words_find(&again, w.at[i].term);

		if (one == NULL || one->code != w.at[i].code || !span_equal(again.at[i].term, w.at[i].term) ||
		    speech_asked(w.at[i].term, NULL))
			abort();
	}
	buffer_free(&text);
	return 0;
}
