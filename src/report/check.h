/* Inside this room only: what a JSON object must look like, as a table. */
#ifndef REPORT_CHECK_H
#define REPORT_CHECK_H

#include <yyjson.h>

#include "report/layout.h"

enum must {
	MUST_TEXT,    /* at least `least` bytes, at most `most` */
	MUST_WORD,    /* one of the words of `of`, between blanks */
	MUST_HOST,    /* a host name, in any spelling */
	MUST_MAIL,    /* a mailbox */
	MUST_TIME,    /* time_parse_any */
	MUST_ADDRESS, /* a single address */
	MUST_UUID,
	MUST_INTEGER, /* `least` to `most` */
	MUST_PORTS,   /* a number as above, or an array of them */
	MUST_NUMBER,  /* `least` to `most` */
	MUST_BOOL,
	MUST_OBJECT,
	MUST_TEXTS, /* an array of at most `most` strings */
	MUST_ARRAY  /* of `least` to `most` values */
};

struct rule {
	const char *key;
	const char *name; /* what a reject calls it */
	enum must must;
	bool required;
	int64_t least, most; /* most 0: no limit */
	const char *of;
};

/* Each rule in turn; what is null is absent, keys without a rule are free. ERR_FIELD_MISSING, ERR_FIELD, ERR_TIME,
 * ERR_ADDRESS; then *field names it. */
enum err members_check(yyjson_val *object, const struct rule *rules, size_t count, const char **field);
/* ERR_FIELD_MISSING: *field, one of keys up to the first NULL, is not there. */
enum err members_named(yyjson_val *object, const char *const *keys, const char **field);

bool word_in(struct span word, const char *words);
bool mailbox_is(struct span s);
bool host_is(struct span s);

#endif
