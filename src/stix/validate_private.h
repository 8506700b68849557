/* Inside this room only: how validate.c, validate_types.c, validate_values.c, validate_rules.c and validate_marks.c share
 * the judging of one object. */
#ifndef STIX_VALIDATE_PRIVATE_H
#define STIX_VALIDATE_PRIVATE_H

#include <yyjson.h>

#include "stix/validate.h"

/* ---- rules: a value each, name, section of STIX 2.1, must ---- */

#define STIX_RULES(X)                                                                                                  \
	X(RULE_OBJECT, "not-an-object", "3.2", true)                                                                   \
	X(RULE_MISSING, "property-missing", "3.2", true)                                                               \
	X(RULE_VALUE_TYPE, "value-type", "2", true)                                                                    \
	X(RULE_NULL, "null-value", "3.1", true)                                                                        \
	X(RULE_EMPTY_LIST, "empty-list", "2.12", true)                                                                 \
	X(RULE_EMPTY_DICTIONARY, "empty-dictionary", "2.3", true)                                                      \
	X(RULE_DICTIONARY_KEY, "dictionary-key", "2.3", true)                                                          \
	X(RULE_DEPTH, "nested-too-deeply", "2.3", true)                                                                \
	X(RULE_PROPERTY_NAME, "property-name", "3.1", true)                                                            \
	X(RULE_PROPERTY_RESERVED, "property-reserved", "3.8", true)                                                    \
	X(RULE_PROPERTY_UNKNOWN, "property-unknown", "6.7.6", true)                                                    \
	X(RULE_TYPE_NAME, "type-name", "3.1", true)                                                                    \
	X(RULE_TYPE_RESERVED, "type-reserved", "3.8", true)                                                            \
	X(RULE_SPEC_VERSION, "spec-version", "3.2", true)                                                              \
	X(RULE_ID, "id-syntax", "2.9", true)                                                                           \
	X(RULE_ID_TYPE, "id-type", "2.9", true)                                                                        \
	X(RULE_ID_RANDOM, "id-not-random", "2.9", true)                                                                \
	X(RULE_REFERENCE_TYPE, "reference-type", "2.9", true)                                                          \
	X(RULE_REFERENCE_KEY, "reference-unresolved", "2.13", true)                                                    \
	X(RULE_TIME, "timestamp", "2.16", true)                                                                        \
	X(RULE_TIME_ORDER, "timestamp-order", "3.2", true)                                                             \
	X(RULE_RANGE, "integer-range", "2.10", true)                                                                   \
	X(RULE_ENUM, "enum-value", "2.4", true)                                                                        \
	X(RULE_HEX, "hex", "2.8", true)                                                                                \
	X(RULE_BINARY, "binary", "2.1", true)                                                                          \
	X(RULE_HASH, "hash-value", "2.7", true)                                                                        \
	X(RULE_HASH_KEY, "hash-key", "2.7", true)                                                                      \
	X(RULE_URL, "url", "2.5", true)                                                                                \
	X(RULE_EXTERNAL_REFERENCE, "external-reference", "2.5", true)                                                  \
	X(RULE_LANGUAGE, "language-tag", "3.2", true)                                                                  \
	X(RULE_LANGUAGE_CONTENT, "language-content", "7.1", true)                                                      \
	X(RULE_MARKING_REF, "marking-reference", "7.2.2", true)                                                        \
	X(RULE_MARKING_SELF, "marking-itself", "7.2.2", true)                                                          \
	X(RULE_GRANULAR, "granular-marking", "7.2.3", true)                                                            \
	X(RULE_SELECTOR, "selector-syntax", "7.2.3", true)                                                             \
	X(RULE_SELECTOR_UNRESOLVED, "selector-unresolved", "7.2.3", true)                                              \
	X(RULE_MARKING_DEFINITION, "marking-definition", "7.2.1", true)                                                \
	X(RULE_MARKING_TLP, "marking-tlp", "7.2.1.4", true)                                                            \
	X(RULE_EXTENSION_NAME, "extension-name", "3.2", true)                                                          \
	X(RULE_EXTENSION_TYPE, "extension-type", "7.3", true)                                                          \
	X(RULE_EXTENSION_DEFINITION, "extension-definition", "7.3", true)                                              \
	X(RULE_LOCATION, "location", "4.10", true)                                                                     \
	X(RULE_MALWARE, "malware-family", "4.11", true)                                                                \
	X(RULE_MALWARE_ANALYSIS, "malware-analysis", "4.12", true)                                                     \
	X(RULE_OBSERVED_DATA, "observed-data", "4.14", true)                                                           \
	X(RULE_RELATIONSHIP_TYPE, "relationship-type", "5.1", true)                                                    \
	X(RULE_ARTIFACT, "artifact", "6.1", true)                                                                      \
	X(RULE_MEDIA_TYPE, "media-type", "6.1", true)                                                                  \
	X(RULE_CHARSET, "character-set", "6.7", true)                                                                  \
	X(RULE_EMAIL, "email-message", "6.6", true)                                                                    \
	X(RULE_FILE, "file", "6.7", true)                                                                              \
	X(RULE_ADDRESS, "address", "6", true)                                                                          \
	X(RULE_TRAFFIC, "network-traffic", "6.12", true)                                                               \
	X(RULE_NOTHING_SAID, "nothing-said", "6", true)                                                                \
	X(RULE_CPE, "cpe", "6.14", true)                                                                               \
	X(RULE_REGISTRY_KEY, "registry-key", "6.17", true)                                                             \
	X(RULE_PATTERN, "pattern", "9", true)                                                                          \
	X(RULE_PATTERN_NAME, "pattern-name", "9", true)                                                                \
	X(RULE_BUNDLE, "bundle", "8", true)                                                                            \
	/* What follows are warnings; where the OASIS validator has the same, its name. */                             \
	X(WARN_CUSTOM_PREFIX, "custom-prefix", "11", false)                                                            \
	X(WARN_CUSTOM_PREFIX_LAX, "custom-prefix-lax", "11", false)                                                    \
	X(WARN_UUID, "uuid-check", "2.9", false)                                                                       \
	X(WARN_VOCABULARY_FORMAT, "open-vocab-format", "2.14", false)                                                  \
	X(WARN_KILL_CHAIN, "kill-chain-names", "2.11", false)                                                          \
	X(WARN_OBJECT_KEYS, "observable-object-keys", "2.13", false)                                                   \
	X(WARN_DICTIONARY_KEYS, "observable-dictionary-keys", "2.3", false)                                            \
	X(WARN_PRODUCT, "malware-analysis-product", "4.12", false)                                                     \
	X(WARN_PRIORITY, "windows-process-priority-format", "6.13.2", false)                                           \
	X(WARN_HASH_LENGTH, "hash-length", "2.7", false)                                                               \
	X(WARN_RELATIONSHIP, "relationship-types", "5.1", false)                                                       \
	X(WARN_DUPLICATE, "duplicate-ids", "3.6", false)                                                               \
	X(WARN_MOTIVATION, "attack-motivation", "10.3", false)                                                         \
	X(WARN_RESOURCE_LEVEL, "attack-resource-level", "10.4", false)                                                 \
	X(WARN_IDENTITY_CLASS, "identity-class", "10.8", false)                                                        \
	X(WARN_INDICATOR_TYPE, "indicator-types", "10.10", false)                                                      \
	X(WARN_SECTOR, "industry-sector", "10.11", false)                                                              \
	X(WARN_MALWARE_TYPE, "malware-types", "10.15", false)                                                          \
	X(WARN_REPORT_TYPE, "report-types", "10.21", false)                                                            \
	X(WARN_ACTOR_TYPE, "threat-actor-types", "10.22", false)                                                       \
	X(WARN_ACTOR_ROLE, "threat-actor-role", "10.23", false)                                                        \
	X(WARN_SOPHISTICATION, "threat-actor-sophistication", "10.24", false)                                          \
	X(WARN_TOOL_TYPE, "tool-types", "10.25", false)                                                                \
	X(WARN_REGION, "region", "10.20", false)                                                                       \
	X(WARN_GROUPING, "grouping-context", "10.6", false)                                                            \
	X(WARN_IMPLEMENTATION, "implementation-languages", "10.9", false)                                              \
	X(WARN_INFRASTRUCTURE, "infrastructure-types", "10.12", false)                                                 \
	X(WARN_CAPABILITY, "malware-capabilities", "10.14", false)                                                     \
	X(WARN_ARCHITECTURE, "processor-architecture", "10.19", false)                                                 \
	X(WARN_RESULT, "malware-result", "10.13", false)                                                               \
	X(WARN_HASH, "hash-algo", "10.7", false)                                                                       \
	X(WARN_PE_TYPE, "windows-pebinary-type", "10.26", false)                                                       \
	X(WARN_ACCOUNT_TYPE, "account-type", "10.1", false)                                                            \
	X(WARN_PATTERN_TYPE, "indicator-pattern-types", "10.18", false)                                                \
	X(WARN_MEDIA_TYPE, "mime-type", "6.7", false)                                                                  \
	X(WARN_PROTOCOL, "protocols", "6.12", false)                                                                   \
	X(WARN_IPFIX, "ipfix", "6.12", false)                                                                          \
	X(WARN_HTTP_HEADER, "http-request-headers", "6.12.2", false)                                                   \
	X(WARN_SOCKET_OPTION, "socket-options", "6.12.4", false)                                                       \
	X(WARN_PDF, "pdf-doc-info", "6.7.4", false)                                                                    \
	X(WARN_COUNTRY, "countries", "4.10", false)                                                                    \
	X(WARN_PORTS, "network-traffic-ports", "6.12", false)                                                          \
	X(WARN_EXTERNAL_HASH, "extref-hashes", "2.5", false)                                                           \
	X(WARN_INDICATOR, "indicator-properties", "4.7", false)                                                        \
	X(WARN_DEPRECATED, "deprecated-properties", "4.14", false)                                                     \
	X(WARN_EXTENSION_DESCRIPTION, "extension-description", "7.3", false)                                           \
	X(WARN_EXTENSION_PROPERTIES, "extension-properties", "7.3", false)                                             \
	X(WARN_EXTENSION_USE, "extensions-use", "11", false)

enum rule {
#define X(value, name, section, must) value,
	STIX_RULES(X)
#undef X
		RULE_COUNT
};

/* ---- what a type looks like ---- */

enum kind {
	TEXT,
	BOOL,
	INTEGER, /* low to high */
	NUMBER,
	TIME,
	TIME_MILLIS,  /* three digits behind the second or more */
	TIME_SECONDS, /* none */
	REFERENCE,    /* words: the types it may lead to; "!" in front: those it may not */
	ENUMERATION,  /* words: the values */
	VOCABULARY,   /* words: the suggested values; rule: the warning */
	HASHES,
	HEX,
	BINARY,
	URL,
	LANGUAGE,
	IPV4,
	IPV6,
	MAC,
	DOMAIN,
	MAILBOX,
	PROTOCOL,
	PROPERTY_NAME,
	MEDIA_TYPE,	  /* an error otherwise */
	MEDIA_TYPE_OUGHT, /* a warning */
	CHARSET,
	CPE,
	REGISTRY_KEY,
	KILL_CHAIN_NAME,
	DICTIONARY,
	SHAPED, /* an object of that shape */
	EXTERNAL_REFERENCE,
	GRANULAR_MARKINGS,
	MARKING_REF,
	EXTENSIONS,
	OBSERVABLES, /* `objects` of observed-data */
	CONTENTS,    /* of language-content */
	BUNDLED,     /* `objects` of a bundle */
	ANYTHING
};

#define MUST 1u
#define LIST 2u

struct shape;
struct property {
	const char *name;
	uint8_t length;
	uint8_t kind;  /* enum kind */
	uint8_t flags; /* MUST, LIST */
	uint8_t rule;  /* enum rule: warning of a vocabulary, of a dictionary's keys */
	const char *words;
	const struct shape *shape;
	int64_t low, high;
};

#define PROPERTIES_MAX 40
struct shape {
	const char *name;
	const struct property *properties;
	size_t count;
	bool closed; /* nothing else may stand there */
	bool some;   /* at least one of its own must */
};

struct extension {
	const char *name;
	const struct shape *shape;
};

struct judge;
struct stix_type {
	struct shape shape;
	enum { DOMAIN_OBJECT, RELATION, META, OBSERVABLE, BUNDLE } family;
	void (*check)(struct judge *j, yyjson_val *object); /* what one property alone does not tell */
	const struct extension *extensions;		    /* of the standard itself */
	size_t extension_count;
	const char *contributing; /* SCO whose id is random without one of these properties */
};

const struct stix_type *type_find(struct span name);
const struct property *shape_find(const struct shape *s, struct span name);
extern const struct shape shape_common, shape_common_observable, shape_common_marking, shape_common_bundle,
	shape_external_reference;

extern const char word_charsets[], word_hash_algorithms[], word_http_headers[], word_socket_options[], word_pdf_keys[],
	word_countries[], word_languages[];

/* Do STIX's own suggestions know that relationship? */
bool relationship_suggested(struct span source, struct span name, struct span target);

/* ---- judging ---- */

struct place {
	const struct place *up;
	struct span name; /* at NULL: an index */
	size_t index;
};

struct judge {
	struct arena *arena;
	struct stix_verdict *out;
	const struct place *place;
	yyjson_val *top;	      /* the object that is judged */
	const struct stix_type *type; /* NULL: not one of the standard's */
	yyjson_val *siblings;	      /* inside observed-data: what references are looked up in; else NULL */
	bool observable;
	bool old; /* STIX 2.0: only what its types have in common is judged */
	bool extended_top, extended_own,
		extended_new; /* its extensions bring top-level properties, properties, a type */
	unsigned depth;
	size_t work; /* see judge_work */
	enum err err;
};

/* A finding at j->place. */
void judge_find(struct judge *j, enum rule r, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same at a property of the place. */
void judge_find_at(struct judge *j, enum rule r, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static inline struct span text_of(yyjson_val *v)
{
	return yyjson_is_str(v) ? span_make(yyjson_get_str(v), yyjson_get_len(v)) : SPAN("");
}

/* validate.c */
struct span judge_shown(struct span s); /* as much as a finding shows */
void judge_shape(struct judge *j, const struct shape *s, yyjson_val *object);
void judge_object(struct judge *j, yyjson_val *object);
void judge_anything(struct judge *j, yyjson_val *v);
/* validate_rules.c */
void check_location(struct judge *j, yyjson_val *o);
void check_malware(struct judge *j, yyjson_val *o);
void check_malware_analysis(struct judge *j, yyjson_val *o);
void check_observed_data(struct judge *j, yyjson_val *o);
void check_indicator(struct judge *j, yyjson_val *o);
void check_relationship(struct judge *j, yyjson_val *o);
void check_seen(struct judge *j, yyjson_val *o);
void check_artifact(struct judge *j, yyjson_val *o);
void check_email_message(struct judge *j, yyjson_val *o);
void check_file(struct judge *j, yyjson_val *o);
void check_traffic(struct judge *j, yyjson_val *o);
void check_process(struct judge *j, yyjson_val *o);
void check_something(struct judge *j, yyjson_val *o);
void check_extension_definition(struct judge *j, yyjson_val *o);
void check_marking_definition(struct judge *j, yyjson_val *o);
void check_bundle(struct judge *j, yyjson_val *o);
void check_external_reference(struct judge *j, yyjson_val *o);
void check_contents(struct judge *j, yyjson_val *v);
void check_order(struct judge *j, yyjson_val *o); /* created, modified */
/* Counts look-ups that walk; false: this object has asked for too many. */
bool judge_work(struct judge *j, size_t steps);
void check_dictionary(struct judge *j, const struct property *p, yyjson_val *v);
/* validate_marks.c */
void check_granular_markings(struct judge *j, yyjson_val *v);

/* validate_values.c: is it one? */
bool value_is_time(struct span s);
/* Both valid. */
int value_compare_times(struct span a, struct span b);
size_t value_fraction(struct span time); /* its digits */
bool value_is_id(struct span s);
struct span value_id_type(struct span id); /* in front of the last two dashes */
char value_uuid_version(struct span id);
bool value_is_type_name(struct span s);
bool value_is_property_name(struct span s);
bool value_is_key(struct span s);
bool value_is_hex(struct span s, size_t digits); /* digits 0: any even number above it */
bool value_is_base64(struct span s);
bool value_is_hash(struct span algorithm, struct span s); /* true for algorithms it does not know */
bool value_is_url(struct span s);
bool value_is_language(struct span s);
bool value_is_ipv4(struct span s);
bool value_is_ipv6(struct span s);
bool value_is_mac(struct span s);
bool value_is_domain(struct span s);
bool value_is_mailbox(struct span s);
bool value_is_media_type(struct span s);
bool value_is_cpe(struct span s);
bool value_is_lower(struct span s); /* as STIX writes words of vocabularies */
bool value_is_word(const char *words, struct span s);

#endif
