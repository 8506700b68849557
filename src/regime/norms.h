/* The norms that parties can pledge: sets with versions, so that an old pledge is judged by the words of its time. Paraphrased
 * here; the sets' own texts are named by their document. Data, in norms.c. */
#ifndef REGIME_NORMS_H
#define REGIME_NORMS_H

#include "regime/metric.h"

enum norm_grade {
	GRADE_MEASURED, /* from the node's own log */
	GRADE_EVIDENCE, /* only from what parties hand in */
	GRADE_DECLARED	/* declared, not measured */
};
const char *norm_grade_name(enum norm_grade g); /* "measured", "evidence", "declared" */

struct norm {
	const char *id;	   /* "c" */
	const char *title; /* a few words */
	const char *text;  /* one sentence, our own */
	enum norm_grade grade;
	const enum metric *metrics; /* what a pledge to it may name, ended by METRIC_COUNT */
};
struct norm_set {
	const char *name;     /* "un", "industry", "osce" */
	unsigned version;     /* the year of its document: 2015, 2017, 2016 */
	const char *document; /* "A/70/174, paragraph 13" */
	const struct norm *norms;
	size_t count;
};
/* All sets, every version, by name, then version. */
const struct norm_set *norm_sets(size_t *count);
/* `norm un 2015 c`, as a pledge has it. ERR_NORM. */
enum err norm_parse(struct span value, const struct norm_set **set, const struct norm **out);

#endif
