/* Bills of materials: CycloneDX JSON (1.2 to 1.7) and SPDX JSON (2.2, 2.3). What is read: each component's name, version, package
 * URL and SHA-256, in the order of the file, however deep it lies. */
#ifndef REPORT_SBOM_H
#define REPORT_SBOM_H

#include "base/arena.h"
#include "base/span.h"

#define SBOM_MAX ((size_t)1 << 30) /* bytes of a file */
#define SBOM_COMPONENTS_MAX 2000000
#define SBOM_DEPENDENCIES_MAX 20000000
#define SBOM_DEPTH_MAX 64 /* of nested components */
/* How large an arena any bill of so many bytes may need. What would take more is brackets and digits, and ERR_NO_MEMORY. */
#define SBOM_ARENA(bytes) ((size_t)(bytes)*8 + ((size_t)64 << 20))

struct sbom_component {
	struct span name, version, purl; /* as written; empty: not said */
	struct span sha256;		 /* hex, lower case; empty: none */
};
struct sbom {
	enum sbom_form { SBOM_CYCLONEDX, SBOM_SPDX } form;
	struct span version;		   /* of the form: "1.6" */
	struct sbom_component subject;	   /* what it is the bill of; no name: not said, or several things */
	struct sbom_component *components; /* without the subject */
	size_t count;
	size_t dependencies; /* how often it says that one thing needs another */
	bool has_cycle;	     /* its dependencies go in a circle: told, no error */
};
/* Spans lie in the arena. ERR_SBOM, which says where: neither form, too many, too deep, a component without a name, a
 * reference that is there twice, a SHA-256 that is none; ERR_JSON, ERR_DEPTH, ERR_TOO_LONG, ERR_NO_MEMORY. */
enum err sbom_parse(struct arena *a, struct span text, struct sbom *out);

#endif
