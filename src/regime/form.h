/* The form of a JSON object, as a table. Only for this room. */
#ifndef REGIME_FORM_H
#define REGIME_FORM_H

#include <yyjson.h>

#include "base/arena.h"
#include "base/span.h"

enum form_type {
	FORM_ANY,
	FORM_TEXT,
	FORM_TEXTS, /* a list of texts */
	FORM_FLAG,
	FORM_SHARE,  /* a number from 0 to 1 */
	FORM_TIME,   /* RFC 3339 */
	FORM_DIGEST, /* SHA-256, 64 digits of lower-case hex */
	FORM_WORD,   /* a text that is not empty */
	FORM_NAMES,  /* a text by which references find it; `of` is of which sort */
	FORM_REFERS, /* a text that refers to one of that sort */
	FORM_REFERS_MANY,
	FORM_OBJECT,  /* of the form `sub` */
	FORM_OBJECTS, /* a list of them */
};
struct form {
	const char *name; /* NULL: the end of the table */
	enum form_type type;
	unsigned of;
	const struct form *sub;
	bool needed;
};

/* What the references of a document are resolved with. */
struct form_name {
	struct span text;
	unsigned of;
};
struct form_names {
	struct form_name *at;
	size_t count, room;
	bool sorted;
};

/* What is wrong with it is said with its place, as "claims[3].evidence: …". closed: members that the table does not have are
 * refused, here and in each `sub`. names NULL: references are not looked at. Else the first call gathers them and the second, after
 * form_names_sort, resolves. ERR_CERTIFICATE. */
enum err form_check(struct arena *a, yyjson_val *object, const struct form *form, bool closed, struct form_names *names,
		    const char *place);
/* ERR_CERTIFICATE: one stands there twice. */
enum err form_names_sort(struct form_names *names);

#endif
