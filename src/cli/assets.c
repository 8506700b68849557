#include "cli/assets.h"

#include <sodium.h>

#include "base/file.h"
#include "regime/agreement.h"

#define FILE_MAX ((size_t)64 << 20)

/* A line each: commitment, salt, set, resource as `to` writes it. */

static enum err read_file(struct cli *c, char **path, struct span *text)
{
	enum err e;

	if ((*path = arena_print(c->arena, "%s/assets", c->dir)) == NULL)
		return ERR_NO_MEMORY;
	e = file_read(c->arena, *path, FILE_MAX, text);
	if (e == ERR_NOT_FOUND)
		*text = SPAN("");
	return e == ERR_NOT_FOUND ? OK : e;
}

static enum err read_line(struct span line, struct kept_asset *out)
{
	struct span rest = line, commitment = span_cut(&rest, ' '), salt = SPAN("");

	if (rest.at != NULL)
		salt = span_cut(&rest, ' ');
	if (rest.at == NULL)
		return ERR_DAMAGED;
	out->set = span_cut(&rest, ' ');
	if (rest.at == NULL || hash_from_hex(commitment, &out->commitment) != OK ||
	    hash_from_hex(salt, &out->salt) != OK || addressee_parse(rest, &out->resource) != OK)
		return ERR_DAMAGED;
	return OK;
}

enum err assets_kept(struct cli *c, struct kept_asset **out, size_t *count)
{
	struct span text, line;
	size_t lines = 0;
	char *path;
	enum err e = read_file(c, &path, &text);

	*count = 0;
	if (e != OK)
		return e;
	for (size_t i = 0; i < text.len; i++)
		lines += text.at[i] == '\n';
	if ((*out = arena_array(c->arena, lines + 1, sizeof(**out))) == NULL)
		return ERR_NO_MEMORY;
	while (span_line(&text, &line)) {
		if (read_line(line, &(*out)[*count]) != OK)
			return fail(ERR_DAMAGED, "%s, line %zu", path, *count + 1);
		++*count;
	}
	return OK;
}

const struct kept_asset *assets_find(const struct kept_asset *all, size_t count, struct hash commitment)
{
	for (size_t i = 0; i < count; i++)
		if (hash_equal(all[i].commitment, commitment))
			return &all[i];
	return NULL;
}

static enum err keep(struct cli *c, const struct kept_asset *new, size_t count)
{
	struct buffer b = BUFFER(FILE_MAX);
	struct span text;
	char *path, hex[HASH_HEX + 1];
	enum err e = read_file(c, &path, &text);

	if (e != OK)
		return e;
	buffer_span(&b, text);
	for (size_t i = 0; i < count; i++) {
		hash_hex(new[i].commitment, hex);
		buffer_print(&b, "%s ", hex);
		hash_hex(new[i].salt, hex);
		buffer_print(&b, "%s %.*s ", hex, SPAN_FORMAT(new[i].set));
		addressee_print(&new[i].resource, &b);
		buffer_byte(&b, '\n');
	}
	e = b.err == OK ? file_write(path, buffer_view(&b), 0600) : b.err;
	buffer_free(&b);
	return e;
}

static enum err make(struct span set, struct span resource, struct kept_asset *out)
{
	if (!term_name_valid(set))
		return fail(ERR_USAGE, "`%.*s` is no name of a set: a-z, 0-9 and -", SPAN_FORMAT(set));
	if (addressee_parse(resource, &out->resource) != OK || out->resource.type == TO_ALL)
		return fail(ERR_USAGE, "`%.*s`: AS64500, prefix 192.0.2.0/24, country EE or a domain",
			    SPAN_FORMAT(resource));
	out->set = set;
	randombytes_buf(out->salt.bytes, sizeof(out->salt.bytes));
	out->commitment = asset_commitment(out->salt.bytes, &out->resource);
	return OK;
}

enum err asset_commit(struct cli *c, struct span set, struct span resource, struct asset *out)
{
	struct kept_asset k;
	enum err e = make(set, resource, &k);

	*out = (struct asset){ .set = k.set, .commitment = k.commitment };
	return e == OK ? keep(c, &k, 1) : e;
}

enum err assets_commit(struct cli *c, const char *name, struct asset **out, size_t *count)
{
	struct kept_asset *made = arena_array(c->arena, ASSETS_MAX, sizeof(*made));
	const char *text;
	size_t at = 0;
	enum err e = OK;

	*count = 0;
	*out = arena_array(c->arena, ASSETS_MAX, sizeof(**out));
	if (made == NULL || *out == NULL)
		return ERR_NO_MEMORY;
	while (e == OK && (text = cli_next(c, name, &at)) != NULL) {
		struct span rest = span_of(text), set = span_cut(&rest, '=');

		if (rest.at == NULL)
			return fail(ERR_USAGE, "--%s wants SET=RESOURCE, such as power=\"prefix 192.0.2.0/24\"", name);
		if (*count == ASSETS_MAX)
			return fail(ERR_USAGE, "--%s: over %d", name, ASSETS_MAX);
		if ((e = make(set, rest, &made[*count])) != OK)
			return e;
		(*out)[*count] = (struct asset){ .set = set, .commitment = made[*count].commitment };
		++*count;
	}
	return *count > 0 ? keep(c, made, *count) : OK;
}

enum err asset_named(const char *text, struct asset *out)
{
	struct span rest = span_of(text);

	out->set = span_cut(&rest, '=');
	if (rest.at == NULL || !term_name_valid(out->set) || hash_from_hex(rest, &out->commitment) != OK)
		return fail(ERR_USAGE, "`%s` is no SET=COMMITMENT, as `comity agreement asset` prints it", text);
	return OK;
}
