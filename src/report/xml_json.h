/* Inside this room only: an element of XML as JSON, for the line that is kept of an event.
 *
 * An element with nothing but text is a string; else an object of "@attribute", "#text" and its elements by name,
 * several of one name as an array. A long text becomes { "#size", "#sha256" }, what stands behind the limits is
 * counted as "#more". The same element always gives the same bytes. */
#ifndef REPORT_XML_JSON_H
#define REPORT_XML_JSON_H

#include "base/json.h"
#include "report/xml.h"

struct xml_limits {
	size_t text;	   /* a longer one is hashed */
	unsigned children; /* of one element */
	unsigned depth;
	const char *const *skip; /* names, of the root's namespace, at any depth; ends with NULL; NULL: none */
	const char *const *only; /* names of the element's own children, likewise; NULL: all */
};

void xml_json(struct json *j, const char *key, const struct xml_node *n, const struct xml_limits *limits);

#endif
