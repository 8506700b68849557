/* The files of a node that its ledgers say nothing of. */
#ifndef CLI_AUDIT_FILES_H
#define CLI_AUDIT_FILES_H

#include "cli/cli.h"

/* The territory table, rejects and lists of rows that nobody answers for, as far as they are there, against their sums.
 * ERR_TABLE_DAMAGED, ERR_DAMAGED; the detail names the file and says what to do. */
enum err audit_files(struct cli *c, const char *dir);

#endif
