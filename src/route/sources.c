/* The reports of one routing: opened and understood before anything is counted. */
#include <stdlib.h>

#include "route/evidence_write.h"
#include "route/pipeline.h"

/* So many stay open from the first look to the reading (a pipe can be read once only); others are opened again. */
#define STAY_OPEN 64
#define SOURCES_MAX 65536

/* What was read before it happened is good. */
static bool ends_early(enum err e)
{
	return e == ERR_COMPRESSION || e == ERR_UNPACKED || e == ERR_GROWING;
}

/* The machine's own failures end the run in any case. */
bool source_may_fail(const struct routing *r, enum err e)
{
	switch (e) {
	case ERR_NO_MEMORY:
	case ERR_SYNC:
	case ERR_HANDLES:
		return false;
	default:
		return r->options->each_report != NULL || ends_early(e);
	}
}

void source_fail(struct source *s, enum err e)
{
	s->err = e;
	free(s->detail);
	s->detail = strdup(err_detail());
}

static enum err read_head(struct source *s)
{
	enum err e = OK;

	if (s->input == NULL &&
	    (e = s->file_only ? input_open_file(s->path, &s->input) : input_open(s->path, &s->input)) != OK)
		return e;
	if (s->head != NULL)
		return OK;
	if ((s->head = malloc(REPORT_HEAD)) == NULL)
		return ERR_NO_MEMORY;
	e = input_read(s->input, s->head, REPORT_HEAD, &s->head_len);
	return ends_early(e) && s->head_len > 0 ? OK : e; /* the reading will come upon it again */
}

static struct hash fingerprint(const struct section *s, const struct report_options *o)
{
	const uint8_t class = (uint8_t)o->class;
	const struct span parts[] = { s->format,  SPAN("/"),	       s->type, SPAN("\n"), s->header,
				      SPAN("\n"), span_make(&class, 1) };

	return hash_parts(parts, sizeof(parts) / sizeof(parts[0]));
}

static uint16_t section_find(struct routing *r, enum format f, struct span type, struct span header)
{
	struct section s = { .format = span_of(format_name(f)), .type = type, .header = header };

	s.quoted = evidence_quoted(s.format);
	s.fingerprint = fingerprint(&s, &r->options->report);
	for (size_t i = 0; i < r->section_count; i++)
		if (hash_equal(r->sections[i].fingerprint, s.fingerprint))
			return (uint16_t)i;
	r->sections[r->section_count] = s;
	return (uint16_t)r->section_count++;
}

/* A document has the same section whether it came in a mail or by itself. */
static void section_of(struct routing *r, struct source *s)
{
	enum format f = layout_format(s->layout);

	s->section = section_find(r, f, layout_type(s->layout), layout_header(s->layout));
	r->sections[s->section].has_port = layout_has_port(s->layout);
	r->sections[s->section].spoken = layout_spoken(s->layout);
	if (f != FORMAT_MAIL && f != FORMAT_ARF)
		return;
	for (int d = 0; d < FORMAT_COUNT; d++)
		if (format_is_document((enum format)d))
			r->document_sections[d] =
				section_find(r, (enum format)d, span_of(format_name((enum format)d)), SPAN(""));
}

static enum err source_open(struct routing *r, struct source *s, bool stay)
{
	enum err e = read_head(s);

	if (e != OK)
		return fail(e, "%s: %s", s->path, *err_detail() != '\0' ? err_detail() : err_advice(e));
	s->size = input_size(s->input);
	e = report_detect(r->arena, input_name(s->input), span_make(s->head, s->head_len), &r->options->report,
			  &s->layout);
	if (e != OK)
		return fail(e, "%s: %s", s->path, *err_detail() != '\0' ? err_detail() : err_advice(e));
	section_of(r, s);
	if (!stay) {
		input_close(s->input);
		s->input = NULL;
		free(s->head);
		s->head = NULL;
	}
	return OK;
}

enum err sources_open(struct routing *r, char *const *paths, size_t count)
{
	enum err e = OK;

	if (count > SOURCES_MAX)
		return fail(ERR_TOO_LONG, "%zu reports at once, at most %d", count, SOURCES_MAX);
	r->sources = arena_array(r->arena, count, sizeof(*r->sources));
	r->sections = arena_array(r->arena, count + FORMAT_COUNT, sizeof(*r->sections));
	if (r->sources == NULL || r->sections == NULL)
		return ERR_NO_MEMORY;
	r->source_count = count;
	for (size_t i = 0; e == OK && i < count; i++) {
		struct source *s = &r->sources[i];

		err_clear();
		s->path = paths[i];
		s->file_only = r->options->files_only && strcmp(paths[i], "-") != 0;
		e = source_open(r, s, i < STAY_OPEN || strcmp(paths[i], "-") == 0);
		if (e != OK && r->options->each_report != NULL && source_may_fail(r, e)) {
			source_fail(s, e);
			source_put_down(s);
			e = OK;
		}
	}
	return e;
}

enum err source_take_up(struct source *s)
{
	return read_head(s);
}

void source_put_down(struct source *s)
{
	if (s->input != NULL)
		input_close(s->input);
	free(s->head);
	s->input = NULL;
	s->head = NULL;
}

void sources_close(struct routing *r)
{
	for (size_t i = 0; i < r->source_count; i++) {
		source_put_down(&r->sources[i]);
		free(r->sources[i].detail);
	}
}

static enum err tell(struct routing *r, size_t i)
{
	struct source *s = &r->sources[i];
	const char *detail = s->detail != NULL ? s->detail : "";
	struct route_outcome o = { .report = i,
				   .path = s->path,
				   .err = s->err,
				   .detail = detail,
				   .events = atomic_load(&s->events),
				   .rejected = atomic_load(&s->rejected),
				   .first_reject = s->first_reject };

	if (r->options->each_report != NULL)
		return r->options->each_report(r->context, &o);
	return s->err != OK ? fail(s->err, "%s", detail) : OK;
}

enum err sources_tell(struct routing *r)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < r->source_count; i++)
		e = tell(r, i);
	return e;
}
