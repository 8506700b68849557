/* Plays a scripted history into a node's directory (history.h). A directory that holds the beginning of it already, cut off
 * anywhere, gets the rest.
 *
 *	make_history begin DIR
 *	make_history play DIR STATEMENTS SEED BATCH [MOST]
 *
 * BATCH 0: through the sequencer, one by one. MOST: ends after so many. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "history.h"

#define PARTIES 200
#define AGREEMENTS 60
#define YEARS 5

static int failed(enum err e)
{
	fprintf(stderr, "make_history: %s: %s\n", err_code(e), err_detail());
	return EXIT_FAILURE;
}

static int usage(void)
{
	fputs("usage: make_history begin DIR\n       make_history play DIR STATEMENTS SEED BATCH [MOST]\n", stderr);
	return 2;
}

static int play(char **argv, int argc)
{
	struct history_size size = { .parties = PARTIES, .agreements = AGREEMENTS, .years = YEARS };
	struct history_way way = { 0 };
	struct history_count count;
	uint64_t batch = 0;
	enum err e;

	if (span_u64(span_of(argv[3]), UINT32_MAX, &size.statements) != OK ||
	    span_u64(span_of(argv[4]), UINT64_MAX, &size.seed) != OK ||
	    span_u64(span_of(argv[5]), 100000, &batch) != OK ||
	    (argc > 6 && span_u64(span_of(argv[6]), UINT64_MAX, &way.most) != OK))
		return usage();
	way.batch = (size_t)batch;
	if ((e = history_play(argv[2], &size, &way, &count)) != OK)
		return failed(e);
	for (int k = 0; k < KIND_COUNT; k++)
		if (count.logged[k] + count.refused[k] > 0)
			printf("%s %" PRIu64 " logged %" PRIu64 " refused\n", kind_name((enum kind)k), count.logged[k],
			       count.refused[k]);
	printf("found %" PRIu64 "\n", count.found);
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	enum err e;

	if (argc == 3 && span_is(span_of(argv[1]), "begin"))
		return (e = history_begin(argv[2])) == OK ? EXIT_SUCCESS : failed(e);
	return (argc == 6 || argc == 7) && span_is(span_of(argv[1]), "play") ? play(argv, argc) : usage();
}
