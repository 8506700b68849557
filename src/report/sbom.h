/* Bills of materials: CycloneDX JSON (1.2 to 1.6) and SPDX JSON (2.2, 2.3). What is read: each component's name, version, package URL and SHA-256, and how deep it lies. */
#ifndef REPORT_SBOM_H
#define REPORT_SBOM_H

#include "base/arena.h"
#include "base/span.h"

#define SBOM_MAX ((size_t)1 << 30) /* bytes of a file */
#define SBOM_COMPONENTS_MAX 2000000
#define SBOM_DEPTH_MAX 64 /* of nested components */

struct sbom_component {
	struct span name, version, purl; /* as written; empty: not said */
	struct span sha256;		 /* hex, lower case; empty: none */
};
struct sbom {
	enum sbom_form { SBOM_CYCLONEDX, SBOM_SPDX } form;
	struct span version;	       /* of the form */
	struct sbom_component subject; /* what it is the bill of; empty: not said */
	struct sbom_component *components;
	size_t count;
	size_t dependencies;
	bool has_cycle; /* its dependencies go in a circle: told, no error */
};
/* Spans point into text or lie in the arena. ERR_SBOM, which says where: neither form, too many, too deep, a component without a name, a reference that is there twice. */
enum err sbom_parse(struct arena *a, struct span text, struct sbom *out);

#endif
