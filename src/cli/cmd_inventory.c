/* What certificates say of what somebody runs. */
#include "base/file.h"
#include "cli/reading.h"
#include "report/inventory.h"

struct checking {
	struct cli *c;
	struct reading from;
	struct recognition *recognition;
	struct arena *arena; /* of the bill */
	struct mapped file;
	struct sbom bill;
	struct hash hash;
	int64_t at_ms;
	bool all;
	struct progress progress;
	struct inventory_sum sum;
};

/* ---- one line ---- */

/* The worst that is to be said of it. */
static const char *standing_word(const struct inventory_line *l)
{
	const struct certificate_standing *s = l->standing;

	if (s->status >= STATUS_SUSPENDED)
		return certificate_status_name(s->status);
	if (s->key_revoked)
		return "key revoked";
	if (s->rests_on_bad)
		return "rests on bad";
	if (s->expired)
		return "expired";
	if (s->counters > 0)
		return "countered";
	return s->not_yet ? "not yet" : certificate_status_name(s->status);
}

static const char *bad_word(const struct certificate_standing *s)
{
	if (s->bad_unknown)
		return "unknown here";
	if (s->bad_key_revoked)
		return "whose key was revoked";
	return s->bad_status >= STATUS_SUSPENDED ? certificate_status_name(s->bad_status) : "expired";
}

static void print_component(const struct sbom_component *one)
{
	if (one->purl.len > 0) {
		cli_print(one->purl);
		return;
	}
	cli_print(one->name.len > 0 ? one->name : SPAN("this bill"));
	if (one->version.len > 0) {
		putchar(' ');
		cli_print(one->version);
	}
}

static void print_recognition(const struct inventory_line *l)
{
	printf(" (%s", recognised_name(l->recognised.verdict));
	if (l->recognised.verdict == RECOGNISED && l->recognised.level.len > 0) {
		printf(" as ");
		cli_print(l->recognised.level);
	}
	putchar(')');
}

static void print_line(const struct inventory_line *l)
{
	const struct certificate *cert = l->certificate;
	char hex[HASH_HEX + 1], since[CLOCK_TEXT];

	cli_column(span_of(standing_word(l)), 12);
	putchar(' ');
	print_component(l->component);
	hash_hex(cert->id, hex);
	printf("%s: %s %.12s by ", l->by_digest ? ", these bytes" : "", predicate_name(cert->predicate), hex);
	cli_print(cert->from);
	print_recognition(l);
	if (l->standing->status != STATUS_VALID && cert->status_ms != 0) {
		cli_date(cert->status_ms, since);
		printf(", since %s", since);
	}
	if (l->standing->expired) {
		cli_date(cert->end_ms, since);
		printf(", ended %s", since);
	}
	if (cert->reason.len > 0) {
		printf(": ");
		cli_print(cert->reason);
	}
	if (l->standing->rests_on_bad) {
		hash_hex(l->standing->bad, hex);
		printf("; rests on %.12s, %s", hex, bad_word(l->standing));
	}
	if (l->standing->counters > 0)
		printf("; %u against it", l->standing->counters);
	putchar('\n');
}

static void object_component(struct json *j, const struct sbom_component *one)
{
	json_object(j, "component");
	json_string(j, "name", one->name);
	json_string(j, "version", one->version);
	json_string(j, "purl", one->purl);
	json_string(j, "sha256", one->sha256);
	json_object_end(j);
}

static void object_line(struct cli *c, const struct inventory_line *l)
{
	const struct certificate *cert = l->certificate;
	const struct certificate_standing *s = l->standing;
	struct json *j = cli_object(c);

	json_number(j, "number", (int64_t)l->number);
	object_component(j, l->component);
	json_text(j, "found_by", l->by_digest ? "digest" : "purl");
	json_hash(j, "certificate", cert->id);
	json_text(j, "predicate", predicate_name(cert->predicate));
	json_string(j, "from", cert->from);
	json_string(j, "scheme", cert->scheme);
	json_string(j, "level", cert->level);
	json_string(j, "laboratory", cert->laboratory);
	json_text(j, "standing", standing_word(l));
	json_text(j, "status", certificate_status_name(s->status));
	json_time(j, "since", cert->status_ms);
	json_string(j, "reason", cert->reason);
	json_time(j, "ends", cert->end_ms == INT64_MAX ? 0 : cert->end_ms);
	json_bool(j, "in_force", l->in_force);
	json_bool(j, "expired", s->expired);
	json_bool(j, "not_yet", s->not_yet);
	json_bool(j, "key_revoked", s->key_revoked);
	json_number(j, "counters", s->counters);
	if (s->rests_on_bad) {
		json_hash(j, "rests_on", s->bad);
		json_text(j, "rests_on_is", bad_word(s));
	}
	json_text(j, "recognition", recognised_name(l->recognised.verdict));
	if (l->recognised.line > 0)
		json_number(j, "recognition_line", l->recognised.line);
	if (l->recognised.verdict == RECOGNISED)
		json_string(j, "recognised_level", l->recognised.level);
	json_bool(j, "demonstration", cert->demonstration);
	json_bool(j, "attention", l->attention);
	cli_object_end(c);
}

static enum err on_line(void *context, const struct inventory_line *l)
{
	struct checking *k = context;

	progress_show(&k->progress, l->number, k->bill.count, l->number, "components");
	if (!k->all && !l->attention)
		return OK;
	progress_end(&k->progress);
	if (k->c->json)
		object_line(k->c, l);
	else
		print_line(l);
	return OK;
}

/* ---- the sum ---- */

static void print_count(size_t n, const char *what)
{
	char text[32];

	cli_thousands(n, text);
	printf("%10s %s\n", text, what);
}

static void print_sum(const struct checking *k)
{
	const struct inventory_sum *s = &k->sum;
	const struct {
		size_t n;
		const char *what;
	} rows[] = {
		{ s->certified, "with a certificate in force" },
		{ s->recognised, "  by whom this node recognises" },
		{ s->suspended, "with one that is suspended" },
		{ s->withdrawn, "with one that was withdrawn" },
		{ s->expired, "with one that has expired" },
		{ s->countered, "with one that others object to" },
		{ s->resting_on_bad, "with one that rests on something of these" },
		{ s->key_revoked, "with one whose key was revoked" },
		{ s->without, "without any" },
	};
	char text[32];

	cli_thousands(k->bill.dependencies, text);
	printf("%s%s %.*s", k->sum.lines > 0 ? "\n" : "", k->bill.form == SBOM_SPDX ? "SPDX" : "CycloneDX",
	       SPAN_FORMAT(k->bill.version));
	printf(", %s dependencies%s\n", text, k->bill.has_cycle ? ", some in a circle" : "");
	print_count(s->components, s->components == 1 ? "component" : "components");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].n > 0 || i == 0)
			print_count(rows[i].n, rows[i].what);
	printf("%s asks for attention. A certificate is what somebody claims; whom to recognise is this node's own "
	       "choice.\n",
	       s->attention == 0 ? "Nothing" : "The above");
}

static void object_sum(const struct checking *k)
{
	const struct inventory_sum *s = &k->sum;
	struct json *j = cli_object(k->c);

	json_object(j, "sum");
	json_text(j, "form", k->bill.form == SBOM_SPDX ? "SPDX" : "CycloneDX");
	json_string(j, "version", k->bill.version);
	json_hash(j, "sha256", k->hash);
	json_number(j, "dependencies", (int64_t)k->bill.dependencies);
	json_bool(j, "circle", k->bill.has_cycle);
	json_time(j, "at", k->at_ms);
	json_number(j, "components", (int64_t)s->components);
	json_number(j, "certified", (int64_t)s->certified);
	json_number(j, "recognised", (int64_t)s->recognised);
	json_number(j, "suspended", (int64_t)s->suspended);
	json_number(j, "withdrawn", (int64_t)s->withdrawn);
	json_number(j, "expired", (int64_t)s->expired);
	json_number(j, "countered", (int64_t)s->countered);
	json_number(j, "resting_on_bad", (int64_t)s->resting_on_bad);
	json_number(j, "key_revoked", (int64_t)s->key_revoked);
	json_number(j, "without", (int64_t)s->without);
	json_number(j, "attention", (int64_t)s->attention);
	json_object_end(j);
	cli_object_end(k->c);
}

/* ---- the command ---- */

static enum err read_bill(struct checking *k)
{
	enum err e = file_map(k->c->operands[0], &k->file);

	if (e != OK)
		return e;
	if (k->file.len > SBOM_MAX)
		return fail(ERR_TOO_LONG, "%s: over %zu bytes", k->c->operands[0], SBOM_MAX);
	if ((k->arena = arena_new(SBOM_ARENA(k->file.len))) == NULL)
		return ERR_NO_MEMORY;
	k->hash = hash_bytes(k->file.at, k->file.len);
	return sbom_parse(k->arena, span_make(k->file.at, k->file.len), &k->bill);
}

static enum err check(struct checking *k)
{
	struct cli *c = k->c;
	const char *path = arena_print(c->arena, "%s/recognition", c->dir);
	enum err e = path == NULL ? ERR_NO_MEMORY : cli_time(c, "at", clock_now_ms(), &k->at_ms);

	if (e == OK)
		e = recognition_read(path, &k->recognition);
	if (e == OK)
		e = read_bill(k);
	if (e == OK)
		e = reading_begin(c, &k->from);
	k->progress = progress_begin(c, "looking up");
	if (e == OK)
		e = inventory_check(&k->from.st, k->recognition, &k->bill, k->hash, k->at_ms, on_line, k, &k->sum);
	progress_end(&k->progress);
	return e;
}

int cmd_inventory_check(struct cli *c)
{
	struct checking k = { .c = c, .all = cli_flag(c, "all") };
	enum err e = check(&k);

	if (e == OK && c->json)
		object_sum(&k);
	else if (e == OK)
		print_sum(&k);
	reading_end(&k.from);
	recognition_end(k.recognition);
	file_unmap(&k.file);
	arena_free(k.arena);
	if (e != OK)
		return cli_fail(c, e);
	return k.sum.attention > 0 ? EXIT_ATTENTION : EXIT_OK;
}
