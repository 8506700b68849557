/* GET /node: who this is, for other nodes: its own party statement, the receipt of that, and its ledgers. It proves itself
 * (regime/introduction.h), so it may be asked for by anyone. */
#include "exchange/api.h"
#include "exchange/server.h"
#include "ledger/entry.h"

static enum err print(const struct server *s, struct http_request *r, const struct state *st, struct buffer *out)
{
	struct json j = { .out = out };
	struct span text, receipt;
	struct entry entry;
	struct party p;
	enum err e = state_party(st, node_name(s->node), &p);

	if (e == OK)
		e = node_entry(s->node, r->arena, LEDGER_PUBLIC, p.index, &text);
	if (e == OK)
		e = entry_parse(text, &entry);
	if (e == OK)
		e = node_receipt(s->node, r->arena, LEDGER_PUBLIC, p.index, &receipt);
	if (e != OK)
		return e;
	json_object(&j, NULL);
	json_string(&j, "node", node_name(s->node));
	if (p.title.len > 0)
		json_string(&j, "title", p.title);
	if (p.url.len > 0)
		json_string(&j, "url", p.url);
	json_string(&j, "statement", entry.note);
	json_string(&j, "receipt", receipt);
	json_array(&j, "ledgers");
	for (int l = 0; l < LEDGER_COUNT; l++)
		json_string(&j, NULL, node_origin(s->node, (enum ledger_id)l));
	json_array_end(&j);
	json_object_end(&j);
	buffer_byte(out, '\n');
	return out->err;
}

static enum http_next get_node(void *context, struct http_request *r, struct http_answer *out)
{
	const struct server *s = context;
	struct buffer body = BUFFER((size_t)1 << 20);
	struct state st;
	enum err e = server_read(s, r, &st);

	if (e == OK) {
		e = print(s, r, &st, &body);
		snapshot_end(st.snapshot);
	}
	if (e == OK) {
		http_add_header(out, "Cache-Control", SPAN("public, max-age=60"));
		api_answer(out, 200, "application/json", &body);
	} else {
		server_fail(s, r, e, out);
	}
	buffer_free(&body);
	return HTTP_NOW;
}

const struct http_door node_doors[] = {
	{ HTTP_GET, "/node", 0, DOOR_OPEN, get_node },
};
const size_t node_door_count = sizeof(node_doors) / sizeof(node_doors[0]);
