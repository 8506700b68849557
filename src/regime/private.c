#include "regime/private.h"

bool private_written(uint8_t kind, uint8_t tag)
{
	switch (tag) {
	case TAG_CONTACT:
	case TAG_CREDENTIAL:
	case TAG_CURSOR:
	case TAG_DIRECTIVE:
	case TAG_OUTBOX:
	case TAG_RELEASE:
	case TAG_SEEN:
	case TAG_SIGHTINGS:
		return kind == RECORD_PRIVATE;
	case TAG_PACK:
	case TAG_POSTING:
		return kind == RECORD_RAW;
	default:
		return false;
	}
}

enum err private_fold(struct state *st, uint8_t kind, uint64_t position, struct span payload)
{
	uint8_t tag = payload.len > 0 ? (uint8_t)payload.at[0] : 0;

	if (!private_written(kind, tag))
		return OK;
	switch (tag) {
	case TAG_CONTACT:
		return contact_fold(st, payload);
	case TAG_CREDENTIAL:
		return credential_fold(st, payload);
	case TAG_CURSOR:
		return cursor_fold(st, payload);
	case TAG_DIRECTIVE:
		return directive_fold(st, payload);
	case TAG_OUTBOX:
		return outbox_fold(st, payload);
	case TAG_RELEASE:
		return release_fold(st, payload);
	case TAG_SEEN:
		return seen_fold(st, payload);
	case TAG_SIGHTINGS:
		return sightings_fold(st, payload);
	case TAG_POSTING:
		return posting_fold(st, position, payload);
	case TAG_PACK:
		return pack_fold(st, position, payload);
	default:
		return OK;
	}
}
