/* Pieces of STIX 2.1: identifiers and the objects that the summary and the rendered rows share. Only for this room. */
#ifndef ROUTE_STIX_H
#define ROUTE_STIX_H

#include "base/address.h"
#include "base/clock.h"
#include "base/json.h"

struct stix_id {
	char text[96]; /* "ipv4-addr--…" */
	uint8_t uuid[16];
};

/* RFC 9562, version 5: the same content has the same identifier everywhere. observable: by the name space that STIX 2.1
 * (2.9) gives for those; else by our own. */
struct stix_id stix_id(const char *type, bool observable, struct span content);

/* type, spec_version, id; the object stays open. */
void stix_object(struct json *j, const char *type, const struct stix_id *id);
void stix_created(struct json *j, int64_t ms); /* created and modified */
void stix_time(struct json *j, const char *key, int64_t ms);

/* The identity of a node, by its name; it is the same object wherever it stands. */
struct stix_id stix_identity(struct json *j, struct span name);
struct stix_id stix_identity_id(struct span name);

#endif
