#include "stix/write.h"

#define OPENSSL_SUPPRESS_DEPRECATED /* as in base/hash.c */
#include <openssl/sha.h>
#include <stdio.h>

#include "base/encoding.h"

static const uint8_t of_observables[16] = { 0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c,
					    0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7 };
static const uint8_t our_own[16] = { 0x5c, 0x03, 0x0f, 0x25, 0xe3, 0xbc, 0x45, 0x11,
				     0x92, 0x27, 0x58, 0x82, 0x31, 0x5c, 0x9e, 0x54 };

/* Version 5 is made with SHA-1, which names here and protects nothing. */
static void sha1(const uint8_t space[16], struct span content, uint8_t out[20])
{
	SHA_CTX context;

	SHA1_Init(&context);
	SHA1_Update(&context, space, 16);
	SHA1_Update(&context, content.at, content.len);
	SHA1_Final(out, &context);
}

struct stix_id stix_id_of(const char *type, const uint8_t uuid[16])
{
	struct stix_id id;
	char hex[33];

	memcpy(id.uuid, uuid, sizeof(id.uuid));
	hex_encode(id.uuid, sizeof(id.uuid), hex);
	snprintf(id.text, sizeof(id.text), "%s--%.8s-%.4s-%.4s-%.4s-%.12s", type, hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
	return id;
}

struct stix_id stix_id(const char *type, bool observable, struct span content)
{
	uint8_t digest[20];

	sha1(observable ? of_observables : our_own, content, digest);
	digest[6] = (uint8_t)((digest[6] & 0x0f) | 0x50);
	digest[8] = (uint8_t)((digest[8] & 0x3f) | 0x80);
	return stix_id_of(type, digest);
}

void stix_object(struct json *j, const char *type, const struct stix_id *id)
{
	json_object(j, NULL);
	json_text(j, "type", type);
	json_text(j, "spec_version", "2.1");
	json_text(j, "id", id->text);
}

void stix_time(struct json *j, const char *key, int64_t ms)
{
	char text[CLOCK_TEXT];

	clock_format_ms(ms, text);
	json_text(j, key, text);
}

void stix_created(struct json *j, int64_t ms)
{
	stix_time(j, "created", ms);
	stix_time(j, "modified", ms);
}

struct stix_id stix_identity_id(struct span name)
{
	char content[300];
	int n = snprintf(content, sizeof(content), "identity %.*s", SPAN_FORMAT(name));

	return stix_id("identity", false,
		       span_make(content, (size_t)n < sizeof(content) ? (size_t)n : sizeof(content) - 1));
}

struct stix_id stix_identity(struct json *j, struct span name)
{
	struct stix_id id = stix_identity_id(name);

	stix_object(j, "identity", &id);
	stix_created(j, STIX_IDENTITY_CREATED_MS);
	json_string(j, "name", name);
	json_text(j, "identity_class", "organization");
	json_object_end(j);
	return id;
}
