/* Files that are mapped can be cut, or be damaged so that a library walks out of them. */
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

/* From now on a fault inside a mapped file ends the program with the file's name and EXIT_DIFFERS instead of a core dump.
 * Any other fault ends it as ever. */
void guard(void);

/* From now on any other fault is laid to this folder, and ends the program with EXIT_DIFFERS too: the audit reads damaged
 * views, which may lead LMDB anywhere. Stays the caller's. */
void guard_suspect(const char *folder);

#endif
