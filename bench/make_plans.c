/* Fills a node with plans, and with the holdings that prove their sources: `make_plans DIR COUNT`. Nobody else has it open. */
#include "plans_made.h"

int main(int argc, char **argv)
{
	struct plans_made made;
	struct node *n = NULL;
	uint64_t count = 0;

	if (argc != 3 || span_u64(span_of(argv[2]), 1000000, &count) != OK) {
		fputs("usage: make_plans DIR COUNT\n", stderr);
		return 2;
	}
	plans_need(node_open(argv[1], NODE_WRITE, &n));
	made = plans_make(n, (size_t)count, true);
	node_close(n);
	free(made.prefixes);
	return EXIT_SUCCESS;
}
