/* What somebody sees who opens the node's address in a browser: what this is, and where things are. */
#include "exchange/server.h"

static const char page[] =
	"<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<title>%.*s</title>\n"
	"<style>body{font:1rem/1.5 sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}</style>\n"
	"<h1>%.*s</h1>\n"
	"<p>A Comity node: signed statements of response teams, operators, vendors and researchers, in a ledger that "
	"anyone can check.</p>\n"
	"<ul>\n"
	"<li><a href=\"/statements\">Statements</a> (<a href=\"/openapi.json\">how to ask for them</a>)</li>\n"
	"<li>What parties promise: <a href=\"/pledges\">pledges</a>, <a href=\"/agreements\">agreements</a>; what is "
	"claimed of products: <a href=\"/certificates\">certificates</a></li>\n"
	"<li><a href=\"/ledger/public/checkpoint\">The public ledger's checkpoint</a></li>\n"
	"<li><a href=\"/taxii2/\">TAXII 2.1</a></li>\n"
	"<li><a href=\"/healthz\">Health</a></li>\n"
	"</ul>\n</html>\n";

/* A name is a domain: nothing in it needs an escape. */
static enum http_next get_front(void *context, struct http_request *r, struct http_answer *out)
{
	const struct server *s = context;
	struct span name = node_name(s->node);
	char *text = arena_print(r->arena, page, SPAN_FORMAT(name), SPAN_FORMAT(name));

	if (text == NULL) {
		server_fail(s, r, ERR_NO_MEMORY, out);
		return HTTP_NOW;
	}
	out->status = 200;
	out->media_type = "text/html; charset=utf-8";
	out->body = span_of(text);
	http_add_header(out, "Content-Security-Policy", SPAN("default-src 'none'; style-src 'unsafe-inline'"));
	http_add_header(out, "Cache-Control", SPAN("public, max-age=3600"));
	return HTTP_NOW;
}

const struct http_door front_doors[] = {
	{ HTTP_GET, "/", 0, DOOR_OPEN, get_front },
};
const size_t front_door_count = sizeof(front_doors) / sizeof(front_doors[0]);
