/* A mail taken apart (RFC 5322, RFC 2045 to 2047, RFC 2231). Parts are cut here, in one walk with
 * limits; what their header values mean, and how text and content are decoded, GMime says. Several threads may call at
 * once, each with an arena of its own, in which everything that is returned lives. */
#ifndef REPORT_MIME_H
#define REPORT_MIME_H

#include "base/arena.h"
#include "base/span.h"

#define MIME_DEPTH_MAX 32    /* multiparts inside multiparts */
#define MIME_PARTS_MAX 10000 /* honest mails have fewer than a hundred */
#define MIME_VALUE_MAX 1000  /* as much of a header's value is looked at */
#define MIME_NONE SIZE_MAX   /* no part */

struct mime_part {
	struct span header, body; /* body: as it came, see mime_content */
	struct span type;	  /* "text/plain", lower case */
	struct span charset;	  /* lower case; empty: not said */
	struct span report_type;  /* of a multipart/report, lower case */
	bool has_boundary;	  /* a multipart that can have parts */
	enum mime_encoding { MIME_IDENTITY, MIME_BASE64, MIME_QUOTED } encoding;
	size_t parent; /* its multipart; MIME_NONE: it is the mail itself, which comes first */
};

struct mime {
	struct mime_part *parts; /* in the mail's order. What is inside of a message/rfc822 is its body and no part */
	size_t count;
};

/* ERR_DEPTH, ERR_TOO_LONG (too many parts), ERR_NO_MEMORY. */
enum err mime_read(struct arena *a, struct span mail, struct mime *out);

/* The header block that text begins with, up to its empty line, which is behind it in *rest. */
struct span mime_header(struct span text, struct span *rest);
/* The next field of a header block: its value as it came, folds and all. Lines that are no field are passed over. */
bool mime_field(struct span *header, struct span *name, struct span *value);
/* The first field of that name; false: there is none. */
bool mime_find(struct span header, const char *name, struct span *value);
/* A value as one line of UTF-8 without encoded words, cut at MIME_VALUE_MAX. Empty when there is no memory. */
struct span mime_text(struct arena *a, struct span value);
/* The type of a header block's content, "text/plain" where it has none. */
struct span mime_type(struct arena *a, struct span header);

/* The file name of a part; empty: it has none. */
struct span mime_name(struct arena *a, struct span header);

/* The content without its transfer encoding. ERR_NO_MEMORY. */
enum err mime_content(struct arena *a, const struct mime_part *part, struct span *out);
/* As mime_content, and in UTF-8 whatever the charset was, as far as that can be known. ERR_NO_MEMORY. */
enum err mime_content_text(struct arena *a, const struct mime_part *part, struct span *out);

#endif
