/* Package URLs, pkg:type/namespace/name@version?qualifiers#subpath (ECMA-427), in the one spelling in which they are looked up: type,
 * namespace and name in lower case where the type says so, percent-encoded only where it must be, no qualifiers, no subpath. */
#ifndef REGIME_PURL_H
#define REGIME_PURL_H

#include "base/arena.h"
#include "base/span.h"

#define PURL_MAX 1024
/* version: of it, spelt so too; empty if it has none. Together they are `without_version` "@" `version`. In the arena.
 * ERR_CERTIFICATE: none. ERR_NO_MEMORY. */
enum err purl_parse(struct arena *a, struct span text, struct span *without_version, struct span *version);

#endif
