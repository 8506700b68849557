/* Sorting numbers that stand for something: by radix, stable, eight bits a pass; passes in which all keys agree are
 * left out. */
#ifndef BASE_SORT_H
#define BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

struct sort_key {
	uint64_t key;
	uint32_t at; /* of what the key stands for */
};

/* Sorts by key. spare has room for n more. Returns where the sorted keys are: keys or spare. */
struct sort_key *sort_keys(struct sort_key *keys, struct sort_key *spare, size_t n);

#endif
