/* Inside this room only: XML that comes from outside, read by libxml2 with all off that reaches beyond the text: no
 * document type, so no entities but the five of XML and none from elsewhere; no network, no files, no catalogue, no
 * converters of the system.
 *
 * The children of the root element are handed out one after the other, each as a small tree, so that memory is bounded
 * by the largest of them. */
#ifndef REPORT_XML_H
#define REPORT_XML_H

#include "base/arena.h"
#include "base/span.h"

#define XML_DEPTH_MAX 64
#define XML_TAG_MAX ((size_t)16 << 10)
#define XML_NAMESPACES_MAX 16		    /* declared by one element */
#define XML_CHILD_MEMORY ((size_t)96 << 20) /* as a tree */

struct xml_attribute {
	const char *key; /* "@name", "@prefix:name" */
	struct span value;
	struct xml_attribute *next;
};

struct xml_node {
	const char *name; /* of the root's namespace: the local name; of others "prefix:name" or ":name" */
	bool ours;	  /* of the root's namespace */
	struct xml_attribute *attributes;
	struct span text;		/* before the first element in it, blanks at both ends cut off */
	struct xml_node *child, *last;	/* in the order of the text */
	struct xml_node *next, *parent; /* text behind an element is a child "#tail", not ours */
};

struct xml_sink {
	/* What it returns other than OK ends the reading and is returned. space: the namespace, "" for none. */
	enum err (*root)(void *context, const struct xml_node *root, const char *space);
	/* raw: as it stands in the text. node NULL: it takes more than XML_CHILD_MEMORY. */
	enum err (*child)(void *context, const struct xml_node *node, struct span raw);
	void *context;
};

/* The text must be UTF-8 (xml_decode). ERR_XML: not well-formed, or a document type, or a tag of more than XML_TAG_MAX;
 * ERR_DEPTH, ERR_NO_MEMORY; *rest is what had not been read: from the child in hand on. Any number of threads. */
enum err xml_read(struct span text, const struct xml_sink *sink, struct span *rest);

/* UTF-8 of a text in UTF-8, UTF-16 (with its mark or a declaration), US-ASCII or ISO-8859-1 (as declared); text itself
 * where nothing needs to change, its mark left out. ERR_ENCODING: another encoding, or bytes that are not of it, or a
 * NUL. ERR_NO_MEMORY. */
enum err xml_decode(struct arena *a, struct span text, struct span *out);

/* Whether the root element has this local name, as far as the start of a text tells; in any of the encodings. */
bool xml_root_is(struct span start, const char *name);

/* The first child of the root's namespace with that name; NULL: none. */
const struct xml_node *xml_child(const struct xml_node *n, const char *name);
/* The next sibling with the same name and of the root's namespace. */
const struct xml_node *xml_again(const struct xml_node *n);
/* name without "@". at NULL: there is none. */
struct span xml_attribute(const struct xml_node *n, const char *name);

#endif
