/* What `comity route` does once and its watch again and again. */
#ifndef CLI_ROUTING_H
#define CLI_ROUTING_H

#include "cli/cli.h"
#include "route/route.h"

enum err routing_options(struct cli *c, struct route_options *o);

/* One run, with the table, the claims and the plans as they are now. They end with it; what they take of the command's
 * arena does not. */
enum err routing_run(struct cli *c, struct node *n, char *const *paths, size_t count, const struct route_options *o,
		     route_progress *progress, route_each *each, void *context, struct route_summary *s);

/* The operands with the files of folders among them instead of the folders. */
struct routing_paths {
	char **at;
	size_t count, room;
	bool folders;	  /* there was one: then what is wrong with one file does not stop the others */
	size_t set_aside; /* of what lies there; told already */
};
enum err routing_paths(struct cli *c, struct routing_paths *out);

/* What became of a file: a line, or an object. */
struct routing_file {
	const char *path, *result; /* "routed", "set aside", "passed over", … */
	const char *moved_to;	   /* NULL: it stays where it is */
	enum err err;
	const char *detail;
	uint64_t events, rejected;
};
void routing_file(struct cli *c, const struct routing_file *f);

/* What a sender changed in its columns, and those not known: an object, or a line of text. */
void routing_columns(struct cli *c, struct buffer *text, const struct route_columns *columns);
void routing_columns_print(struct buffer *text);		     /* and clears it */
void routing_summary(struct json *j, const struct route_summary *s); /* members of an object */

/* `comity route --watch DIR`. */
int cmd_route_watch(struct cli *c);

#endif
