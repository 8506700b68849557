#include "cli/proving.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/file.h"
#include "cli/reading.h"
#include "net/config.h"

enum err proving_folder(struct cli *c, const char **out)
{
	*out = arena_print(c->arena, "%s/anchors", c->dir);
	return *out != NULL ? OK : ERR_NO_MEMORY;
}

enum err proving_anchors(struct cli *c, struct anchors **out)
{
	const char *folder;
	enum err e = proving_folder(c, &folder);

	return e == OK ? anchors_open(folder, out) : e;
}

enum err proving_door(struct cli *c, struct door_limits *out)
{
	struct config *config = arena_array(c->arena, 1, sizeof(*config));
	char *path = arena_print(c->arena, "%s/config", c->dir);
	enum err e = config == NULL || path == NULL ? ERR_NO_MEMORY : config_read(c->arena, path, NULL, NULL, config);

	if (e != OK)
		return e;
	*out = config_door_limits(config);
	out->allow_private |= cli_flag(c, "private");
	out->allow_plain |= cli_flag(c, "plain");
	if (cli_option(c, "authorities") != NULL)
		out->authorities = cli_option(c, "authorities");
	return OK;
}

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53". */
enum err proving_resolver(struct cli *c, const char **address, unsigned *port)
{
	const char *text = cli_option(c, "resolver");
	struct span whole, host, after = SPAN("");
	const char *colon;
	struct address parsed;
	uint64_t number = 0;

	*address = NULL;
	*port = 0;
	if (text == NULL)
		return OK;
	host = whole = span_of(text);
	if (whole.len > 0 && text[0] == '[' && (colon = strstr(text, "]:")) != NULL) {
		host = span_make(text + 1, (size_t)(colon - text - 1));
		after = span_of(colon + 2);
	} else if ((colon = strchr(text, ':')) != NULL && strchr(colon + 1, ':') == NULL) {
		host = span_make(text, (size_t)(colon - text));
		after = span_of(colon + 1);
	}
	if (address_parse(host, &parsed) != OK || (host.len != whole.len && span_u64(after, 65535, &number) != OK))
		return fail(ERR_USAGE, "--resolver wants ADDRESS or ADDRESS:PORT, not `%s`", text);
	*port = (unsigned)number;
	*address = arena_copy(c->arena, host.at, host.len);
	return *address != NULL ? OK : ERR_NO_MEMORY;
}

/* ---- evidence from files ---- */

/* Which option fills which part of which method. */
static const struct part_option {
	const char *name;
	unsigned methods;
	enum part_role role;
} part_options[] = {
	{ "checklist", BASIS_BIT(BASIS_RSC), PART_CHECKLIST },
	{ "certificate", BASIS_BIT(BASIS_RSC) | BASIS_BIT(BASIS_LEGAL), PART_CERTIFICATE },
	{ "crl", BASIS_BIT(BASIS_RSC) | BASIS_BIT(BASIS_LEGAL), PART_CRL },
	{ "signature", BASIS_BIT(BASIS_LEGAL) | BASIS_BIT(BASIS_OPENPGP), PART_SIGNATURE },
	{ "openpgp-key", BASIS_BIT(BASIS_OPENPGP), PART_KEY },
};
#define PART_OPTIONS (sizeof(part_options) / sizeof(part_options[0]))

static enum err add_part(struct cli *c, struct evidence *e, enum part_role role, struct span bytes, const char *path)
{
	const char *copy = arena_copy(c->arena, bytes.at, bytes.len);

	if (copy == NULL)
		return ERR_NO_MEMORY;
	if (bytes.len == 0)
		return fail(ERR_EVIDENCE, "%s is empty", path);
	if (e->count == EVIDENCE_PARTS_MAX)
		return fail(ERR_EVIDENCE, "over %d parts", EVIDENCE_PARTS_MAX);
	e->parts[e->count++] = (struct part){ .role = role, .source = SPAN(""), .bytes = span_make(copy, bytes.len) };
	return OK;
}

/* All that stands in a PEM file, one part each. */
static enum err add_pem(struct cli *c, struct evidence *e, enum part_role role, struct span file, const char *path)
{
	BIO *from = BIO_new_mem_buf(file.at, (int)file.len);
	char *name = NULL, *header = NULL;
	unsigned char *data = NULL;
	size_t before = e->count;
	enum err err = from != NULL ? OK : ERR_NO_MEMORY;
	long length;

	while (err == OK && PEM_read_bio(from, &name, &header, &data, &length) == 1) {
		err = add_part(c, e, role, span_make(data, (size_t)length), path);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(data);
	}
	ERR_clear_error(); /* its end is no error */
	BIO_free(from);
	if (err == OK && e->count == before)
		err = fail(ERR_EVIDENCE, "%s: begins as PEM does, but cannot be read", path);
	return err;
}

static enum err add_file(struct cli *c, struct evidence *e, enum part_role role, const char *path)
{
	struct span file;
	enum err err = file_read(c->arena, path, PROOF_BODY_MAX, &file);

	if (err != OK)
		return err;
	/* An OpenPGP key is read in its armour, as people pass it on. */
	if (span_starts(file, "-----BEGIN ") && !span_starts(file, "-----BEGIN PGP"))
		return add_pem(c, e, role, file, path);
	return add_part(c, e, role, file, path);
}

static enum err read_ready(struct cli *c, enum basis method, const char *path, struct evidence *out)
{
	struct span body;
	enum err e = file_read(c->arena, path, PROOF_BODY_MAX, &body);

	if (e == OK)
		e = evidence_parse(c->arena, body, out);
	if (e == OK && out->method != method)
		e = fail(ERR_EVIDENCE, "%s holds %s evidence", path, basis_name(out->method));
	return e;
}

enum err proving_read(struct cli *c, enum basis method, struct evidence *out)
{
	const char *ready = cli_option(c, "evidence"), *path;
	enum err e = OK;

	*out = (struct evidence){ .method = method, .obtained_ms = clock_now_ms() / 1000 * 1000 };
	if ((out->parts = arena_array(c->arena, EVIDENCE_PARTS_MAX, sizeof(*out->parts))) == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; e == OK && i < PART_OPTIONS; i++) {
		const struct part_option *o = &part_options[i];
		size_t at = 0;

		if (cli_option(c, o->name) != NULL && (ready != NULL || (o->methods & BASIS_BIT(method)) == 0))
			return ready != NULL ? fail(ERR_USAGE, "--evidence has all parts, so no --%s", o->name)
					     : fail(ERR_USAGE, "%s has no --%s", basis_name(method), o->name);
		while (e == OK && (path = cli_next(c, o->name, &at)) != NULL)
			e = add_file(c, out, o->role, path);
	}
	return e == OK && ready != NULL ? read_ready(c, method, ready, out) : e;
}

/* ---- where a proof is kept ---- */

static enum err own_copy(struct cli *c, struct span *s)
{
	const char *copy = arena_copy(c->arena, s->at, s->len);

	*s = span_make(copy, s->len);
	return copy != NULL ? OK : ERR_NO_MEMORY;
}

static enum err read_verdict(struct cli *c, const struct state *st, struct found_proof *out)
{
	enum err e = proof_verdict(st, out->s.id, &out->verdict);

	out->has_verdict = e == OK;
	if (e == OK)
		return own_copy(c, &out->verdict.reason);
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err find_own(struct cli *c, struct node *n, const struct state *st, const char *id, struct found_proof *out)
{
	const uint8_t *salt = NULL;
	struct matter m;
	enum err e = cli_matter(c, st, id, &m);

	if (e != OK)
		return e;
	if (m.kind != KIND_PROOF)
		return fail(ERR_STATEMENT_KIND, "%.12s is a %s, no proof", id, kind_name(m.kind));
	out->node = node_name(n);
	if ((e = own_copy(c, &out->node)) == OK)
		e = act_statement(c, n, m.ledger, m.index, &out->s, &out->logged_ms);
	if (e == OK)
		e = read_verdict(c, st, out);
	if (e == OK && out->s.has_body && (e = node_body(n, c->arena, out->s.body.hash, &salt, &out->body)) != OK) {
		out->body = (struct span){ 0 };
		e = e == ERR_NOT_FOUND ? OK : e;
	}
	return e;
}

struct seeking {
	struct cli *c;
	struct hash id;
	struct found_proof *out;
	bool found;
};

static enum err read_mirrored(struct seeking *s, const char *dir, const struct state *st, struct span node)
{
	struct found_proof *out = s->out;
	enum ledger_id l;
	uint64_t index;
	struct matter m;
	struct span note;
	enum err e = state_find(st, s->id, &l, &index);

	if (e == OK)
		e = state_matter(st, s->id, &m);
	if (e == OK && m.kind != KIND_PROOF)
		return OK;
	if (e == OK)
		e = mirror_note(dir, s->c->arena, l, index, &note);
	if (e == OK)
		e = statement_parse(s->c->arena, note, &out->s);
	if (e != OK)
		return e == ERR_NOT_FOUND || e == ERR_MATTER_UNKNOWN ? OK : e;
	out->node = node;
	out->logged_ms = m.logged_ms;
	out->mirrored = s->found = true;
	if ((e = own_copy(s->c, &out->node)) == OK)
		e = read_verdict(s->c, st, out);
	if (e == OK && out->s.has_body && (e = mirror_body(dir, s->c->arena, out->s.body.hash, &out->body)) != OK) {
		out->body = (struct span){ 0 };
		e = e == ERR_NOT_FOUND ? OK : e;
	}
	return e;
}

static enum err look_in_mirror(void *context, const char *dir, struct span node)
{
	struct seeking *s = context;
	struct reading from;
	enum err e;

	if (s->found)
		return OK;
	e = reading_mirror(s->c, dir, node, &from);
	if (e == OK)
		e = read_mirrored(s, dir, &from.st, node);
	reading_end(&from);
	return e == ERR_NOT_FOUND ? OK : e; /* nothing was folded yet */
}

enum err proving_find(struct cli *c, struct node *n, const struct state *st, const char *id, struct found_proof *out)
{
	struct seeking s = { .c = c, .out = out };
	enum err e, mirrored;

	*out = (struct found_proof){ 0 };
	e = find_own(c, n, st, id, out);
	if (e != ERR_MATTER_UNKNOWN || hash_from_hex(span_of(id), &s.id) != OK)
		return e;
	if ((mirrored = mirrors_walk(c->dir, look_in_mirror, &s)) != OK)
		return mirrored;
	return s.found ? OK : fail(ERR_MATTER_UNKNOWN, "%s: neither here nor in the ledgers that are followed", id);
}

char *proving_stands(struct cli *c, bool has_verdict, const struct proof_verdict *v)
{
	char until[CLOCK_TEXT];

	if (!has_verdict)
		return arena_print(c->arena, "waits");
	if (!v->accepted)
		return arena_print(c->arena, "objected: %.*s", SPAN_FORMAT(v->reason));
	cli_date(v->until_ms, until);
	return arena_print(c->arena, "%s until %s", v->until_ms > clock_now_ms() ? "accepted" : "held", until);
}
