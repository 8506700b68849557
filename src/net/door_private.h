/* What one conversation and many at once share: the rules of the outgoing door. Only for this room. */
#ifndef NET_DOOR_PRIVATE_H
#define NET_DOOR_PRIVATE_H

#include <curl/curl.h>

#include "base/address.h"
#include "net/door.h"

#define DOOR_HEADERS_MAX (64 * 1024)

/* One request on its way. What comes goes to the file, or where there is none, to the buffers. Stays where it is until the end. */
struct door_fetch {
	const char *url;
	const struct door_limits *limits;
	int fd; /* -1: none */
	struct buffer *headers, *body;
	size_t bytes;
	enum err err; /* why our own callbacks stopped it, and the particulars */
	char detail[256];
	char refused[ADDRESS_TEXT]; /* the last address that was not to be spoken to */
	const char *why;
};

void door_start_library(void);
/* One scheme, a host, no credentials; the rest is the library's own judgement. ERR_REFUSED_URL. */
enum err door_check_url(const char *url, bool allow_plain);
/* All that the rules say. why: CURL_ERROR_SIZE bytes. false: the installed libcurl lacks something. */
bool door_configure(CURL *c, struct door_fetch *f, char *why);
/* Headers are the caller's to free, by curl_slist_free_all. ERR_USAGE: a line break in one. */
enum err door_make_headers(const struct door_request *r, struct curl_slist **out);
bool door_configure_request(CURL *c, const struct door_request *r, struct curl_slist *headers);
/* How it ended. status 0: without an answer. */
enum err door_judge(CURL *c, const struct door_fetch *f, CURLcode code, const char *why, long *status);

#endif
