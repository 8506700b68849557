/* Plays a scripted history into a node's directory (history.h). A directory that holds the beginning of it already, cut off
 * anywhere, gets the rest.
 *
 *	make_history begin DIR
 *	make_history play DIR STATEMENTS SEED BATCH [MOST]
 *	make_history small DIR STATEMENTS SEED PARTIES AGREEMENTS YEARS
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
	fputs("usage: make_history begin DIR\n       make_history play DIR STATEMENTS SEED BATCH [MOST]\n"
	      "       make_history small DIR STATEMENTS SEED PARTIES AGREEMENTS YEARS\n",
	      stderr);
	return 2;
}

static int played(const char *dir, const struct history_size *size, const struct history_way *way)
{
	struct history_count count;
	enum err e = history_play(dir, size, way, &count);

	if (e != OK)
		return failed(e);
	for (int k = 0; k < KIND_COUNT; k++)
		if (count.logged[k] + count.refused[k] > 0)
			printf("%s %" PRIu64 " logged %" PRIu64 " refused\n", kind_name((enum kind)k), count.logged[k],
			       count.refused[k]);
	printf("found %" PRIu64 "\n", count.found);
	return EXIT_SUCCESS;
}

static int play(char **argv, int argc)
{
	struct history_size size = { .parties = PARTIES, .agreements = AGREEMENTS, .years = YEARS };
	struct history_way way = { 0 };
	uint64_t batch = 0;

	if (span_u64(span_of(argv[3]), UINT32_MAX, &size.statements) != OK ||
	    span_u64(span_of(argv[4]), UINT64_MAX, &size.seed) != OK ||
	    span_u64(span_of(argv[5]), 100000, &batch) != OK ||
	    (argc > 6 && span_u64(span_of(argv[6]), UINT64_MAX, &way.most) != OK))
		return usage();
	way.batch = (size_t)batch;
	return played(argv[2], &size, &way);
}

static int small(char **argv)
{
	struct history_size size = { 0 };
	struct history_way way = { .batch = 500 };
	uint64_t parties, agreements, years;

	if (span_u64(span_of(argv[3]), UINT32_MAX, &size.statements) != OK ||
	    span_u64(span_of(argv[4]), UINT64_MAX, &size.seed) != OK ||
	    span_u64(span_of(argv[5]), PARTIES, &parties) != OK || parties < 2 ||
	    span_u64(span_of(argv[6]), AGREEMENTS, &agreements) != OK ||
	    span_u64(span_of(argv[7]), YEARS, &years) != OK || years == 0)
		return usage();
	size.parties = (uint32_t)parties;
	size.agreements = (uint32_t)agreements;
	size.years = (unsigned)years;
	return played(argv[2], &size, &way);
}

int main(int argc, char **argv)
{
	enum err e;

	if (argc == 3 && span_is(span_of(argv[1]), "begin"))
		return (e = history_begin(argv[2])) == OK ? EXIT_SUCCESS : failed(e);
	if (argc == 8 && span_is(span_of(argv[1]), "small"))
		return small(argv);
	return (argc == 6 || argc == 7) && span_is(span_of(argv[1]), "play") ? play(argv, argc) : usage();
}
