/* What is given to whom, and whether it is the same for all. */
#include <stdlib.h>

#include "base/file.h"
#include "cli/acting.h"
#include "cli/reading.h"
#include "regime/purl.h"
#include "regime/release.h"

#define HOUR_MS 3600000.0

/* ---- saying ---- */

/* "sha256:<hex>", or of a file what it is. */
static enum err digest_of(const char *what, struct hash *out)
{
	struct mapped m;
	enum err e;

	if (strncmp(what, "sha256:", 7) == 0)
		return hash_from_hex(span_of(what + 7), out) == OK
			       ? OK
			       : fail(ERR_USAGE, "`%s`: sha256: takes 64 digits of lower-case hex", what);
	if ((e = file_map(what, &m)) != OK)
		return e;
	*out = hash_bytes(m.at, m.len);
	file_unmap(&m);
	return OK;
}

static bool is_region(struct span s)
{
	return s.len == 2 && s.at[0] >= 'A' && s.at[0] <= 'Z' && s.at[1] >= 'A' && s.at[1] <= 'Z';
}

static void add_line(struct statement_writer *w, struct span region, struct hash h, int64_t at_ms)
{
	char hex[HASH_HEX + 1], time[CLOCK_TEXT];

	hash_hex(h, hex);
	clock_format(at_ms, time);
	statement_add_print(w, "artefact", "%.*s sha256:%s %s", SPAN_FORMAT(region), hex, time);
}

/* "CN,DE=FILE": those regions get that. `all` stands for everywhere. */
static enum err add_artefact(const char *given, int64_t at_ms, struct statement_writer *w)
{
	const char *equals = strchr(given, '=');
	struct span regions = span_make(given, equals != NULL ? (size_t)(equals - given) : 0);
	struct hash h;
	enum err e;

	if (regions.len == 0)
		return fail(ERR_USAGE, "`%s`: write --artefact CN=FILE, CN,DE=sha256:<hex>, or all=FILE", given);
	if ((e = digest_of(equals + 1, &h)) != OK)
		return e;
	if (span_is(regions, "all")) {
		add_line(w, SPAN("ZZ"), h, at_ms);
		return OK;
	}
	while (regions.at != NULL) {
		struct span one = span_cut(&regions, ',');

		if (!is_region(one))
			return fail(ERR_USAGE, "`%s`: a region is two capital letters", given);
		add_line(w, one, h, at_ms);
	}
	return OK;
}

static enum err add_artefacts(struct cli *c, struct statement_writer *w)
{
	const char *given;
	int64_t at_ms;
	size_t at = 0;
	enum err e = cli_time(c, "at", clock_now_ms(), &at_ms);

	if (e == OK && cli_option(c, "artefact") == NULL)
		e = fail(ERR_USAGE, "--artefact REGIONS=FILE says what is given where");
	while (e == OK && (given = cli_next(c, "artefact", &at)) != NULL)
		e = add_artefact(given, at_ms, w);
	return e;
}

/* In the order of the alphabet, each once. */
static enum err add_regions(const char *given, struct statement_writer *w)
{
	struct span rest = span_of(given), regions[RELEASE_REGIONS_MAX];
	struct buffer b = BUFFER(4 * RELEASE_REGIONS_MAX);
	size_t n = 0;

	if (span_is(rest, "all")) {
		statement_add(w, "regions", rest);
		return OK;
	}
	while (rest.at != NULL) {
		struct span one = span_cut(&rest, ',');

		if (!is_region(one) || n == RELEASE_REGIONS_MAX)
			return fail(ERR_USAGE, "--regions: all, or two capital letters each: CN,DE,US");
		regions[n++] = one;
	}
	qsort(regions, n, sizeof(regions[0]), span_order);
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && span_equal(regions[i - 1], regions[i]))
			continue;
		if (b.len > 0)
			buffer_byte(&b, ',');
		buffer_span(&b, regions[i]);
	}
	statement_add(w, "regions", buffer_view(&b));
	buffer_free(&b);
	return OK;
}

static enum err write_release(void *context, struct cli *c, struct node *n, const struct signer *key,
			      struct statement_writer *w)
{
	const char *product = cli_option(c, "product"), *version = cli_option(c, "version"),
		   *regions = cli_option(c, "regions");
	struct span plain, of;
	enum err e;

	(void)context;
	if (product == NULL || regions == NULL)
		return fail(ERR_USAGE, "--product, --version, --regions and --artefact say what is given to whom");
	if ((e = purl_parse(c->arena, span_of(product), &plain, &of)) != OK)
		return e;
	if (version != NULL)
		of = span_of(version);
	if (of.len == 0)
		return fail(ERR_USAGE, "--version says of which version");
	statement_begin(w, KIND_CERTIFICATE, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "predicate", SPAN("release"));
	statement_add(w, "product", plain);
	statement_add(w, "version", of);
	e = add_regions(regions, w);
	if (e == OK)
		e = add_artefacts(c, w);
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
	return e;
}

static enum err write_seen(void *context, struct cli *c, struct node *n, const struct signer *key,
			   struct statement_writer *w)
{
	const char *region = cli_option(c, "region");
	int64_t at_ms;
	struct hash h;
	struct matter m;
	enum err e = cli_time(c, "at", clock_now_ms(), &at_ms);

	(void)context;
	if (e == OK)
		e = cli_matter(c, node_batch_state(n), c->operands[0], &m);
	if (e == OK && m.kind != KIND_CERTIFICATE)
		e = fail(ERR_USAGE, "`%s` is no release", c->operands[0]);
	if (e == OK && (region == NULL || !is_region(span_of(region))))
		e = fail(ERR_USAGE, "--region says where: two capital letters");
	if (e == OK)
		e = digest_of(c->operands[1], &h);
	if (e != OK)
		return e;
	statement_begin(w, KIND_CERTIFICATE, node_origin(n, LEDGER_PUBLIC), signer_verifier(key));
	statement_add_time(w, "date", clock_now_ms());
	statement_add(w, "predicate", SPAN("seen"));
	statement_add_hash(w, "re", m.id);
	add_line(w, span_of(region), h, at_ms);
	if (cli_flag(c, "demonstration"))
		statement_add(w, "demonstration", SPAN("yes"));
	return OK;
}

int cmd_release_file(struct cli *c)
{
	return act_say(c, "release", write_release, NULL, NULL);
}

int cmd_release_seen(struct cli *c)
{
	return act_say(c, "sighting of a release", write_seen, NULL, NULL);
}

/* ---- showing ---- */

struct showing {
	struct cli *c;
	bool breaches_only;
	size_t releases, broken;
};

static void object_region(struct json *j, const struct region_line *l)
{
	json_object(j, NULL);
	json_text(j, "region", l->region);
	json_hash(j, "sha256", l->hash);
	json_time(j, "available", l->available_ms);
	json_time(j, "said", l->said_ms);
	json_string(j, "by", l->by);
	json_hash(j, "statement", l->statement);
	json_bool(j, "withdrawn", l->withdrawn);
	json_object_end(j);
}

static void object_breaches(struct json *j, const struct release *r)
{
	json_array(j, "breaches");
	for (int b = 0; b < BREACH_COUNT; b++)
		if ((r->breaches >> b & 1) != 0)
			json_text(j, NULL, release_breach_name((enum release_breach)b));
	json_array_end(j);
	json_array(j, "shown_by");
	for (size_t i = 0; r->broken != NULL && i < 2; i++)
		object_region(j, &r->broken[i]);
	if (r->seconded != NULL)
		object_region(j, r->seconded);
	json_array_end(j);
	json_array(j, "left_out");
	for (size_t i = 0; i < r->left_out_count; i++) {
		json_object(j, NULL);
		json_text(j, "region", r->left_out[i].region);
		json_time(j, "came", r->left_out[i].came_ms);
		json_fraction(j, "lag_hours", (double)r->left_out[i].lag_ms / HOUR_MS, 3);
		json_object_end(j);
	}
	json_array_end(j);
}

static void object_release(struct cli *c, const struct release *r)
{
	struct json *j = cli_object(c);

	json_hash(j, "id", r->id);
	json_string(j, "maker", r->maker);
	json_string(j, "product", r->product);
	json_string(j, "version", r->version);
	json_time(j, "logged", r->logged_ms);
	json_array(j, "promised");
	for (size_t i = 0; i < r->promised_count; i++)
		json_text(j, NULL, r->promised[i]);
	json_array_end(j);
	json_array(j, "artefacts");
	for (size_t i = 0; i < r->maker_count; i++)
		object_region(j, &r->lines[i]);
	json_array_end(j);
	json_array(j, "seen");
	for (size_t i = r->maker_count; i < r->line_count; i++)
		object_region(j, &r->lines[i]);
	json_array_end(j);
	json_time(j, "first", r->first_ms);
	json_time(j, "last", r->last_ms);
	json_fraction(j, "lag_hours", (double)r->lag_ms / HOUR_MS, 3);
	object_breaches(j, r);
	json_number(j, "taken_back", r->taken_back);
	json_bool(j, "withdrawn", r->withdrawn);
	json_bool(j, "demonstration", r->demonstration);
	cli_object_end(c);
}

static void print_region(const struct region_line *l)
{
	char hex[HASH_HEX + 1], time[CLOCK_TEXT];

	hash_hex(l->hash, hex);
	cli_date(l->available_ms, time);
	printf("    %s  %s  sha256:%.16s…  said by ", l->region, time, hex);
	cli_print(l->by);
	printf("%s\n", l->withdrawn ? ", withdrawn" : "");
}

static void print_breaches(const struct release *r)
{
	if (r->broken != NULL) {
		printf("  two hashes%s:\n", (r->breaches >> BREACH_TWO_HASHES & 1) != 0 ? ", by the maker's own word"
											: ", as two others saw");
		for (size_t i = 0; i < 2; i++)
			print_region(&r->broken[i]);
	}
	if (r->seconded != NULL)
		print_region(r->seconded);
	for (size_t i = 0; i < r->left_out_count; i++)
		printf("  left out: %s, %s %.1f hours\n",
		       strcmp(r->left_out[i].region, "ZZ") == 0 ? "everywhere" : r->left_out[i].region,
		       r->left_out[i].came_ms != 0 ? "for" : "until now", (double)r->left_out[i].lag_ms / HOUR_MS);
}

static void print_release(const struct release *r, bool lines)
{
	char hex[HASH_HEX + 1];

	hash_hex(r->id, hex);
	printf("%.12s  ", hex);
	cli_print(r->product);
	putchar(' ');
	cli_print(r->version);
	printf(" by ");
	cli_print(r->maker);
	if (r->withdrawn)
		printf(", withdrawn");
	else
		printf(", lag %.1f hours%s", (double)r->lag_ms / HOUR_MS, r->breaches != 0 ? ", breach" : "");
	if (r->taken_back > 0 && !r->withdrawn)
		printf(", %u statement%s of it taken back", r->taken_back, r->taken_back == 1 ? "" : "s");
	printf("%s\n", r->demonstration ? ", made for a demonstration" : "");
	for (size_t i = 0; lines && i < r->line_count; i++)
		print_region(&r->lines[i]);
	print_breaches(r);
}

static enum err on_release(void *context, const struct release *r)
{
	struct showing *s = context;

	s->releases++;
	s->broken += r->breaches != 0;
	if (s->breaches_only && r->breaches == 0)
		return OK;
	if (s->c->json)
		object_release(s->c, r);
	else
		print_release(r, !s->breaches_only);
	return OK;
}

static enum err walk(struct cli *c, const struct state *st, struct showing *s)
{
	struct span plain, version;
	enum err e;

	if (c->operand_count == 0)
		return state_releases(st, SPAN(""), on_release, s);
	if ((e = purl_parse(c->arena, span_of(c->operands[0]), &plain, &version)) != OK)
		return e;
	if (c->operand_count > 1)
		version = span_of(c->operands[1]);
	return releases_of(st, plain, version, on_release, s);
}

static enum err show(struct cli *c, struct showing *s)
{
	struct reading from;
	enum err e = reading_begin(c, &from);

	if (e == OK)
		e = walk(c, &from.st, s);
	reading_end(&from);
	return e == OK && c->operand_count > 0 && s->releases == 0
		       ? fail(ERR_NOT_FOUND, "no release of %s in this ledger", c->operands[0])
		       : e;
}

int cmd_release_check(struct cli *c)
{
	struct showing s = { .c = c, .breaches_only = true };
	enum err e = show(c, &s);

	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%zu release%s, %zu with a breach. What nobody reported is not seen here.\n", s.releases,
		       s.releases == 1 ? "" : "s", s.broken);
	return s.broken > 0 ? EXIT_ATTENTION : EXIT_OK;
}

int cmd_release_list(struct cli *c)
{
	struct showing s = { .c = c };
	enum err e = show(c, &s);

	if (e != OK)
		return cli_fail(c, e);
	if (s.releases == 0 && !c->json)
		printf("no releases\n");
	return EXIT_OK;
}
