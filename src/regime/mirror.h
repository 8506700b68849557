/* The state of another node, folded from a mirror of its ledgers. */
#ifndef REGIME_MIRROR_H
#define REGIME_MIRROR_H

#include "ledger/ledger_reader.h"
#include "regime/state.h"

struct mirror;
/* dir: DIR/followed/<node>. write: for folding; one process at a time (ERR_BUSY). ERR_NOT_FOUND: no such mirror. */
enum err mirror_open(const char *dir, struct span node, bool write, struct mirror **out);
void mirror_close(struct mirror *m);
/* Folds what the verified tiles hold beyond what was folded. In the order of `logged`, public before circle. */
enum err mirror_catch_up(struct mirror *m);
/* As node_read. */
enum err mirror_read(struct mirror *m, struct arena *a, struct state *out);
/* All mirrors of a node's directory. */
typedef enum err mirror_each(void *context, const char *dir, struct span node);
enum err mirrors_walk(const char *node_dir, mirror_each *each, void *context);

#endif
