/* Pieces of STIX 2.1: identifiers and the objects that all our STIX has in common. */
#ifndef STIX_WRITE_H
#define STIX_WRITE_H

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
struct stix_id stix_id_of(const char *type, const uint8_t uuid[16]);

/* type, spec_version, id; the object stays open. */
void stix_object(struct json *j, const char *type, const struct stix_id *id);
void stix_created(struct json *j, int64_t ms); /* created and modified */
void stix_time(struct json *j, const char *key, int64_t ms);

/* The identity of a party, by its domain; it is the same object wherever it stands. */
#define STIX_IDENTITY_CREATED_MS                                                                                       \
	INT64_C(1483228800000) /* 2017-01-01: made anew each time, so its date stays the same */
struct stix_id stix_identity(struct json *j, struct span name);
struct stix_id stix_identity_id(struct span name);

#endif
