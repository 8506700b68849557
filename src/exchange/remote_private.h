/* A conversation with another TAXII server. Only for this room. */
#ifndef EXCHANGE_REMOTE_PRIVATE_H
#define EXCHANGE_REMOTE_PRIVATE_H

#include "exchange/remote.h"

#define TAXII_TYPE "application/taxii+json;version=2.1"
#define URL_TEXT 2048

struct yyjson_val;

struct conversation {
	const struct remote *remote;
	struct door *door;
	struct arena *arena;	   /* of the answer in hand */
	char collection[URL_TEXT]; /* its address, with a last '/' */
	char root[URL_TEXT];	   /* of its API root; empty: not known */
	uint64_t most_bytes;	   /* max_content_length; a careful guess if the root does not say */
	bool can_read, can_write;
	struct hash of; /* what its cursor stands under */
	char *authorization;
};

/* Finds the collection from whatever address was given: its own, its API root's, the discovery's, the server's. */
enum err remote_open(const struct remote *r, const char *direction, const struct collection_id *local,
		     struct conversation *out);
void remote_close(struct conversation *c);

/* Asks; 429 and 503 are waited for and asked again, as often as is reasonable. body.at NULL: none. ERR_PEER,
 * ERR_CREDENTIALS (401, 403), ERR_NOT_FOUND (404), ERR_UNREACHABLE. */
enum err remote_ask(struct conversation *c, const char *method, const char *url, struct span body,
		    struct door_answer *out);
/* GET whose answer is a JSON object, parsed into c->arena, which is emptied first. */
enum err remote_get(struct conversation *c, const char *url, struct door_answer *answer, const struct yyjson_val **out);

/* An object's member, as text; empty if it is none. */
struct span remote_text(const struct yyjson_val *object, const char *name);

/* base?name=value&name=value…, values percent-encoded; name NULL ends. ERR_TOO_LONG. */
struct remote_parameter {
	const char *name;
	struct span value;
};
enum err remote_url(char out[URL_TEXT], const char *base, const char *path, const struct remote_parameter *p,
		    size_t count);

#endif
