#include "territory/build.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "territory/as_list.h"
#include "territory/compile.h"
#include "territory/publishers.h"
#include "territory/rpki.h"
#include "territory/source.h"
#include "territory/special.h"

#define SOURCES_MAX 120 /* layers: up to two for each, and the VRPs */
#define READERS 2

/* What a table_source becomes; several files may share one. */
struct origin {
	char name[SOURCE_NAME_MAX + 1];
	char *attribution, *caution;
	int64_t dated_ms;
	uint64_t rows, rejected, overlaps[2]; /* counted by one thread for each family */
};

struct added {
	struct source source;
	uint8_t origin;
};

struct build {
	struct added added[SOURCES_MAX];
	struct origin origins[SOURCES_MAX];
	size_t added_count, origin_count;
	build_reject *on_reject;
	void *context;
	pthread_mutex_t lock; /* of on_reject */
	int64_t vrps_until_ms;
};

/* One family, compiled by one thread. */
struct half {
	struct build *build;
	enum family family;
	struct layers layers;
	struct combined combined;
	struct sections sections;
	enum err err;
	char detail[512];
};

enum err build_new(struct build **out)
{
	struct build *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return fail(ERR_NO_MEMORY, "no room to build a table");
	pthread_mutex_init(&b->lock, NULL);
	*out = b;
	return OK;
}

void build_free(struct build *b)
{
	if (b == NULL)
		return;
	for (size_t i = 0; i < b->added_count; i++)
		source_free(&b->added[i].source);
	for (size_t i = 0; i < b->origin_count; i++) {
		free(b->origins[i].attribution);
		free(b->origins[i].caution);
	}
	pthread_mutex_destroy(&b->lock);
	free(b);
}

void build_on_reject(struct build *b, build_reject *call, void *context)
{
	b->on_reject = call;
	b->context = context;
}

static void reject(void *context, const char *path, uint64_t line, enum err why, struct span row)
{
	struct build *b = context;

	pthread_mutex_lock(&b->lock);
	if (b->on_reject != NULL)
		b->on_reject(b->context, path, line, why, row);
	pthread_mutex_unlock(&b->lock);
}

static void set_name(char out[SOURCE_NAME_MAX + 1], struct span name)
{
	size_t n = name.len < SOURCE_NAME_MAX ? name.len : SOURCE_NAME_MAX;

	memcpy(out, name.at, n);
	out[n] = '\0';
}

/* The origin of that name, made if it is new. NULL: no memory. */
static struct origin *origin_named(struct build *b, const char *name, const struct build_source *from)
{
	struct span attribution, caution;
	struct origin *o;

	for (size_t i = 0; i < b->origin_count; i++)
		if (strcmp(b->origins[i].name, name) == 0)
			return &b->origins[i];
	publisher_says(span_of(name), &attribution, &caution);
	if (from->attribution.len > 0)
		attribution = from->attribution;
	if (from->caution.len > 0)
		caution = from->caution;
	o = &b->origins[b->origin_count];
	set_name(o->name, span_of(name));
	o->attribution = span_duplicate(attribution);
	o->caution = span_duplicate(caution);
	if (o->attribution == NULL || o->caution == NULL) {
		free(o->attribution);
		free(o->caution);
		return NULL;
	}
	b->origin_count++;
	return o;
}

/* Takes over a source that was read; on an error it is freed. */
static enum err keep(struct build *b, struct source *s, const struct build_source *from)
{
	char name[SOURCE_NAME_MAX + 1] = "";
	int64_t dated_ms = 0;
	struct origin *o = NULL;

	if (from->name.len > 0)
		set_name(name, from->name);
	else if (!publisher_package(from->path, name, &dated_ms))
		set_name(name, span_of(s->name));
	if (from->dated_ms != 0)
		dated_ms = from->dated_ms;
	else if (dated_ms == 0)
		dated_ms = s->dated_ms;
	if (b->added_count == SOURCES_MAX || (o = origin_named(b, name, from)) == NULL) {
		source_free(s);
		return o == NULL && b->added_count < SOURCES_MAX
			       ? fail(ERR_NO_MEMORY, "no room for a source")
			       : fail(ERR_TOO_LONG, "more than %d sources", SOURCES_MAX);
	}
	s->dated_ms = dated_ms;
	if (o->rows == 0 || dated_ms < o->dated_ms)
		o->dated_ms = dated_ms; /* of several files the oldest counts */
	o->rows += s->good;
	o->rejected += s->rejected;
	if (s->vrps_until_ms > b->vrps_until_ms)
		b->vrps_until_ms = s->vrps_until_ms;
	b->added[b->added_count++] = (struct added){ *s, (uint8_t)(o - b->origins) };
	return OK;
}

/* What the reading threads share: the next job. */
struct reading {
	struct build *build;
	const struct build_source *from;
	struct source *sources;
	enum err *each;
	char (*details)[512];
	size_t count, next;
	pthread_mutex_t lock;
};

static void *read_some(void *context)
{
	struct reading *r = context;

	for (;;) {
		size_t i;

		pthread_mutex_lock(&r->lock);
		i = r->next++;
		pthread_mutex_unlock(&r->lock);
		if (i >= r->count)
			return NULL;
		err_clear();
		source_begin(&r->sources[i], r->from[i].path, reject, r->build);
		r->each[i] = source_read(&r->sources[i]);
		memcpy(r->details[i], err_detail(), strlen(err_detail()) + 1);
	}
}

static enum err read_all(struct reading *r)
{
	pthread_t threads[READERS];
	size_t started = 0;
	enum err first = OK;

	pthread_mutex_init(&r->lock, NULL);
	while (started + 1 < READERS && started + 1 < r->count &&
	       pthread_create(&threads[started], NULL, read_some, r) == 0)
		started++;
	read_some(r);
	while (started > 0)
		pthread_join(threads[--started], NULL);
	pthread_mutex_destroy(&r->lock);
	for (size_t i = 0; i < r->count; i++) {
		if (r->each[i] == OK)
			r->each[i] = keep(r->build, &r->sources[i], &r->from[i]);
		else
			source_free(&r->sources[i]);
		if (first == OK && r->each[i] != OK)
			first = fail(r->each[i], "%s", r->details[i][0] != '\0' ? r->details[i] : err_detail());
	}
	return first;
}

enum err build_add_all(struct build *b, const struct build_source *sources, size_t count, enum err *each)
{
	struct reading r = { .build = b, .from = sources, .count = count };
	enum err e = ERR_NO_MEMORY;

	if (count == 0)
		return OK;
	r.sources = calloc(count, sizeof(*r.sources));
	r.details = calloc(count, sizeof(*r.details));
	r.each = calloc(count, sizeof(*r.each));
	if (r.sources != NULL && r.details != NULL && r.each != NULL) {
		e = read_all(&r);
		if (each != NULL)
			memcpy(each, r.each, count * sizeof(*each));
	} else {
		e = fail(ERR_NO_MEMORY, "no room for %zu sources", count);
	}
	free(r.sources);
	free(r.details);
	free(r.each);
	return e;
}

enum err build_add(struct build *b, const struct build_source *source)
{
	return build_add_all(b, source, 1, NULL);
}

/* Primary sources first, then the newer, then in the order in which they were added. */
static bool comes_before(const struct source *a, const struct source *b)
{
	if (a->format->primary != b->format->primary)
		return a->format->primary;
	return a->dated_ms > b->dated_ms;
}

static void order(struct build *b)
{
	for (size_t i = 1; i < b->added_count; i++)
		for (size_t k = i; k > 0 && comes_before(&b->added[k].source, &b->added[k - 1].source); k--) {
			struct added t = b->added[k];

			b->added[k] = b->added[k - 1];
			b->added[k - 1] = t;
		}
}

static struct layer *layer_new(struct half *h, enum layer_use use, uint8_t origin)
{
	struct layer *l = &h->layers.at[h->layers.count++];

	*l = (struct layer){ .use = use, .source = origin };
	return l;
}

/* Invalid routes go apart: they are only passed over. */
static enum err split_by_validity(struct rows *rows, const struct vrps *vrps, struct rows *invalid)
{
	size_t kept = 0;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < rows->count; i++) {
		struct row r = rows->at[i];

		r.validity = (uint8_t)vrps_validate(vrps, r.first, r.last, r.length, r.value);
		if (r.validity == ROUTE_INVALID)
			e = rows_add(invalid, &r);
		else
			rows->at[kept++] = r;
	}
	rows->count = kept;
	return e;
}

static enum err add_layers(struct half *h, struct added *a, const struct vrps *vrps)
{
	int f = h->family == FAMILY_IPV6;
	uint64_t *overlaps = a->source.format->routes ? NULL : &h->build->origins[a->origin].overlaps[f];
	struct rows *origins = &a->source.rows[ROW_ORIGIN][f], *countries = &a->source.rows[ROW_COUNTRY][f];
	enum err e = OK;

	if (origins->count > 0) {
		struct layer *invalid = layer_new(h, USE_INVALID, a->origin),
			     *good = layer_new(h, USE_ORIGIN, a->origin);

		good->rows = *origins;
		*origins = (struct rows){ 0 };
		e = split_by_validity(&good->rows, vrps, &invalid->rows);
		if (e == OK)
			e = sweep_sort(&good->rows, overlaps);
		if (e == OK)
			e = sweep_sort(&invalid->rows, NULL);
	}
	if (e == OK && countries->count > 0) {
		struct layer *l = layer_new(h, USE_COUNTRY, a->origin);

		l->rows = *countries;
		*countries = (struct rows){ 0 };
		e = sweep_sort(&l->rows, overlaps);
	}
	return e;
}

/* All VRPs of the family in one list, and as a layer those that name somebody. */
static enum err add_vrps(struct half *h, struct rows *all)
{
	int f = h->family == FAMILY_IPV6;
	struct build *b = h->build;
	enum err e = OK;

	for (size_t i = 0; i < b->added_count; i++) {
		struct rows *rows = &b->added[i].source.rows[ROW_VRP][f];
		struct layer *l = rows->count > 0 ? layer_new(h, USE_HOLDER, b->added[i].origin) : NULL;

		for (size_t k = 0; e == OK && k < rows->count; k++) {
			struct row r = rows->at[k];

			e = rows_add(all, &r);
			r.validity = ROUTE_VALID;
			if (e == OK && r.value != 0)
				e = rows_add(&l->rows, &r);
		}
		if (e == OK && l != NULL)
			e = sweep_sort(&l->rows, NULL);
	}
	return e;
}

static enum err add_special(struct half *h)
{
	struct layer *l = layer_new(h, USE_SPECIAL, 0);
	enum err e = special_rows(h->family, &l->rows);

	return e == OK ? sweep_sort(&l->rows, NULL) : e;
}

static void *compile_half(void *context)
{
	struct half *h = context;
	struct rows all = { 0 };
	struct vrps vrps = { 0 };

	err_clear();
	h->err = add_vrps(h, &all);
	if (h->err == OK)
		h->err = vrps_make(&all, &vrps);
	for (size_t i = 0; h->err == OK && i < h->build->added_count; i++)
		h->err = add_layers(h, &h->build->added[i], &vrps);
	vrps_free(&vrps);
	rows_free(&all);
	if (h->err == OK)
		h->err = add_special(h);
	if (h->err == OK)
		h->err = combine(&h->layers, h->family, &h->combined);
	if (h->err == OK && h->family == FAMILY_IPV4)
		h->err = compile_ipv4(&h->combined, &h->sections);
	memcpy(h->detail, err_detail(), strlen(err_detail()) + 1);
	return NULL;
}

static enum err compile_halves(struct half half[2])
{
	pthread_t thread;
	bool threaded = pthread_create(&thread, NULL, compile_half, &half[1]) == 0;

	compile_half(&half[0]);
	if (threaded)
		pthread_join(thread, NULL);
	else
		compile_half(&half[1]);
	for (int i = 0; i < 2; i++)
		if (half[i].err != OK)
			return fail(half[i].err, "%s", half[i].detail);
	return OK;
}

static struct disk_text add_text(struct buffer *text, const char *s)
{
	struct disk_text at = { (uint32_t)text->len, (uint32_t)strlen(s) };

	buffer_bytes(text, s, at.length);
	return at;
}

static enum err write_sources(const struct build *b, struct buffer *text, struct sections *out)
{
	enum err e = section_make(out, SECTION_SOURCES, b->origin_count, sizeof(struct disk_source));
	struct disk_source *to = out->at[SECTION_SOURCES].at;

	for (size_t i = 0; e == OK && i < b->origin_count; i++) {
		const struct origin *o = &b->origins[i];

		to[i] = (struct disk_source){ add_text(text, o->name),
					      add_text(text, o->attribution),
					      add_text(text, o->caution),
					      o->dated_ms,
					      o->rows,
					      o->rejected,
					      o->overlaps[0] + o->overlaps[1] };
	}
	return e;
}

static void describe(const struct build *b, const struct half half[2], struct table_head *head)
{
	*head = (struct table_head){
		.built_ms = clock_now_ms(),
		.vrps_until_ms = b->vrps_until_ms,
		.intervals_ipv4 = half[0].combined.run_count,
		.intervals_ipv6 = half[1].combined.run_count,
		.disagreements = half[0].combined.disagreements + half[1].combined.disagreements,
		.records = (uint32_t)(half[0].combined.records.count + half[1].combined.records.count - 1),
		.records_ipv4 = (uint32_t)half[0].combined.records.count,
	};
}

static enum err write_table(struct build *b, struct half half[2], const struct as_list *as, const char *path)
{
	struct sections *out = &half[0].sections;
	struct content file = { NULL, 0 };
	struct buffer text = BUFFER(UINT32_MAX);
	struct table_head head;
	enum err e = compile_ipv6(&half[1].combined, (uint32_t)half[0].combined.records.count - 1, out);

	if (e == OK)
		e = compile_records(&half[0].layers, &half[0].combined, &half[1].layers, &half[1].combined,
				    as_list_find, as, out);
	if (e == OK)
		e = as_list_write(as, &text, out);
	if (e == OK)
		e = write_sources(b, &text, out);
	if (e == OK && (e = text.err) != OK)
		fail(e, "names of more than %zu bytes", text.max);
	out->at[SECTION_TEXT] = (struct content){ text.at, text.len }; /* freed with the sections */
	describe(b, half, &head);
	if (e == OK)
		e = compile_file(&head, out, &file);
	if (e == OK)
		e = file_write(path, span_make(file.at, file.size), 0644);
	free(file.at);
	return e;
}

enum err build_write(struct build *b, const char *path)
{
	struct half *half = calloc(2, sizeof(*half));
	struct as_list as = { 0 };
	enum err e;

	if (half == NULL)
		return fail(ERR_NO_MEMORY, "no room to build a table");
	half[0].build = half[1].build = b;
	half[0].family = FAMILY_IPV4;
	half[1].family = FAMILY_IPV6;
	e = b->added_count > 0 ? OK : fail(ERR_EMPTY, "no source file");
	order(b);
	for (size_t i = 0; e == OK && i < b->added_count; i++)
		e = as_list_add(&as, &b->added[i].source);
	if (e == OK)
		e = as_list_sort(&as);
	if (e == OK)
		e = compile_halves(half);
	if (e == OK)
		e = write_table(b, half, &as, path);
	for (int i = 0; i < 2; i++) {
		combined_free(&half[i].combined);
		layers_free(&half[i].layers);
		sections_free(&half[i].sections);
	}
	as_list_free(&as);
	free(half);
	return e;
}
