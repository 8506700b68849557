/* Whom this node's operator recognises: a file, DIR/recognition, a local choice that binds nobody else and is no part of the state.
 *
 *	recognise lab.example scheme eucc level substantial as high
 *	recognise lab.example
 *	refuse other.example
 *
 * The first line that fits decides; what fits none is shown as not recognised. */
#ifndef REGIME_RECOGNITION_H
#define REGIME_RECOGNITION_H

#include "regime/certificate.h"

struct recognition;
/* path absent: nobody is recognised. ERR_CONFIG with the line. The caller's to free. */
enum err recognition_read(const char *path, struct recognition **out);
void recognition_free(struct recognition *r); /* NULL is fine */
enum recognised { RECOGNISED_UNKNOWN, RECOGNISED, RECOGNISED_REFUSED };
struct recognised_as {
	enum recognised verdict;
	unsigned line;	   /* which said so; 0: none */
	struct span level; /* as this reader counts it; in r */
};
struct recognised_as recognition_of(const struct recognition *r, const struct certificate *c);

#endif
