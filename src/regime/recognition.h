/* Whom this node's operator recognises: a file, DIR/recognition, a local choice that binds nobody else and is no part of the state.
 *
 *	# comments, and empty lines
 *	recognise lab.example scheme eucc level substantial as high
 *	recognise lab.example
 *	refuse other.example
 *
 * `recognise` or `refuse`, the domain of who issues, then as it pleases `scheme S`, `level L`, and of what is recognised with a
 * level `as M`: as which level of this reader's own it counts. The first line that fits a certificate decides; what fits none is
 * shown as not recognised. */
#ifndef REGIME_RECOGNITION_H
#define REGIME_RECOGNITION_H

#include "regime/certificate.h"

#define RECOGNITION_FILE_MAX ((size_t)4 << 20)
#define RECOGNITION_LINES_MAX 100000

struct recognition;
/* path absent: nobody is recognised. ERR_USAGE with the line. The caller's to free. */
enum err recognition_read(const char *path, struct recognition **out);
/* The same from text; `path` is only named in errors. Copies what it keeps. */
enum err recognition_parse(struct span text, const char *path, struct recognition **out);
void recognition_end(struct recognition *r); /* NULL is fine */

enum recognised { RECOGNISED_UNKNOWN, RECOGNISED, RECOGNISED_REFUSED };
const char *recognised_name(enum recognised v); /* "not recognised", "recognised", "refused" */
struct recognised_as {
	enum recognised verdict;
	unsigned line;	   /* which said so; 0: none */
	struct span level; /* as this reader counts it: in r, or the certificate's own; empty unless it is recognised */
};
/* Costs by the lines that name the issuer. Any thread. */
struct recognised_as recognition_of(const struct recognition *r, const struct certificate *c);

#endif
