/* What is to be left alone: a commitment to each asset is public, which asset it is and the salt that opens it stay in DIR/assets, for
 * this user's eyes only (0600). Whoever loses that file cannot show a breach any more. */
#ifndef CLI_ASSETS_H
#define CLI_ASSETS_H

#include "cli/cli.h"
#include "regime/pledge.h"

struct kept_asset {
	struct hash commitment, salt;
	struct span set;
	struct addressee resource;
};

/* New commitments to what each `--asset SET=RESOURCE` names (the option is called name), kept on disk when it returns. In the
 * arena. Only by the node's writer. ERR_USAGE. */
enum err assets_commit(struct cli *c, const char *name, struct asset **out, size_t *count);
/* The same for one. */
enum err asset_commit(struct cli *c, struct span set, struct span resource, struct asset *out);
/* All that is kept here, in the arena. */
enum err assets_kept(struct cli *c, struct kept_asset **out, size_t *count);
/* NULL: not kept here. */
const struct kept_asset *assets_find(const struct kept_asset *all, size_t count, struct hash commitment);
/* "SET=COMMITMENT" of somebody else. ERR_USAGE. */
enum err asset_named(const char *text, struct asset *out);

#endif
