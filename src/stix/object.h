/* One STIX 2.1 object as a server keeps it: which one, which version, who may see it. Its text stays as it came. */
#ifndef STIX_OBJECT_H
#define STIX_OBJECT_H

#include "base/arena.h"
#include "base/hash.h"
#include "stix/instant.h"
#include "stix/tlp.h"

#define STIX_ID_MAX 288	  /* a type, two dashes, a UUID */
#define STIX_TYPE_MAX 250 /* STIX 2.1, 3.1: 3 to 250 of a-z 0-9 - */

enum stix_spec { STIX_2_0, STIX_2_1 };
const char *stix_spec_name(enum stix_spec v); /* "2.0" */

struct yyjson_val;

struct stix_object {
	struct span text;		/* all of it, byte for byte */
	const struct yyjson_val *value; /* the same, parsed; in the arena of who read the envelope */
	struct span id, type;		/* "indicator--…", "indicator" */
	enum stix_spec spec;		/* `spec_version`; without it 2.1 for observables (SCO), else 2.0 */
	struct span modified_text;	/* `modified`, else `created`, as written; empty if it has neither */
	struct instant version;		/* of that; length 0: unversioned, there is one of it for ever */
	struct instant created;		/* length 0: none */
	struct span created_by;		/* `created_by_ref`; empty if absent */
	bool revoked;
	enum tlp tlp; /* the strictest of object and granular markings */
	bool marked; /* false: no TLP marking at all; tlp is then TLP_CLEAR. TLP's own nine definitions are for anyone */
	/* Markings that are no TLP, to be looked up by whoever knows more objects: a statement marking restricts nothing, what is
	 * unknown counts as TLP_RED. */
	const struct span *other_markings;
	size_t other_marking_count;
	struct hash
		digest; /* SHA-256 of the JCS text (RFC 8785) without properties that stand at their defaults: two copies
			     * of a version with the same digest say the same (STIX 2.1, 3.6) */
};

/* An envelope (TAXII 2.1, 3.7) or, where bundles are let in, a STIX bundle: I-JSON (RFC 7493), so no duplicate names, no
 * lone surrogates; bounded in depth; `objects` a list. Objects are not judged yet.
 * As json_read_strict; ERR_EMPTY: no objects, more and next are set; ERR_FIELD. The arena needs what json_read says and a
 * struct stix_raw for each object; *out points into it and into the text. */
struct stix_envelope {
	bool more;
	struct span next; /* empty: none */
	size_t count;
	struct stix_raw {
		struct span text;
		const struct yyjson_val *value;
	} * objects;
};
enum err stix_envelope_read(struct arena *a, struct span text, bool bundles, struct stix_envelope *out);

/* What a server must know of one: id, type, version, markings, digest. ERR_FIELD, ERR_FIELD_MISSING, ERR_TIME with the name
 * of the property in the detail: it cannot be kept. Says nothing of the rest (stix/validate.h). */
enum err stix_object_read(struct arena *a, const struct stix_raw *raw, struct stix_object *out);

/* "type--uuid" with a lower-case UUID (RFC 9562). */
bool stix_is_id(struct span id);
/* A type of STIX 2.1's own observables (SCO). */
bool stix_is_observable(struct span type);

#endif
