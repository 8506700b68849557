/* One notice: the evidence of its rows, compressed and sealed, and the statement about it. */
#include <sodium.h>
#include <stdlib.h>

#include "route/recognition.h"
#include "route/batch.h"
#include "route/evidence_write.h"
#include "stix/write.h"

#define CONTENT_MAX 2048
#define SMALL ((size_t)32 << 10)
#define PIECE ((size_t)256 << 10)

static const struct batch_plan whole_plan;

/* What all rows of a notice say together. */
struct gist {
	enum rsit_class class;
	struct resolved to;
	struct span holder;
	char country[3]; /* of all rows; "" if they differ */
	bool demonstration;
	uint64_t events, explained, breach, repeats, again;
	int64_t first, last; /* 0: no row has a time */
	const struct batch_plan *plan;
};

static struct span holder_of(const struct routing *r, const struct addressee *to)
{
	struct span holder = { NULL, 0 };
	char of_as[3];

	if (to->type == TO_AS && r->table != NULL)
		table_as(r->table, to->asn, &holder, of_as);
	return holder;
}

static struct gist gist_of(const struct maker *m, const struct batch *b, const struct prepared *p,
			   const uint32_t *order, size_t count)
{
	const struct row_entry *entries = m->rows.entries;
	struct gist g = { .class = p->class, .events = count, .plan = m->whole ? &whole_plan : b->plan };
	uint16_t country = entries[order[0]].country;

	resolver_addressee(m->r->resolver, p->addressee, &g.to);
	g.holder = holder_of(m->r, &g.to.to);
	for (size_t i = 0; i < count; i++) {
		const struct row_entry *e = &entries[order[i]];

		if (e->country != country)
			country = 0;
		if (e->time_ms == 0)
			continue;
		if (g.first == 0 || e->time_ms < g.first)
			g.first = e->time_ms;
		if (e->time_ms > g.last)
			g.last = e->time_ms;
	}
	country_text(country, g.country);
	g.explained = p->verdicts[PLAN_EXPLAINED];
	g.breach = p->verdicts[PLAN_BREACH];
	g.repeats = p->repeats;
	g.again = p->again;
	g.demonstration = m->r->options->demonstration;
	return g;
}

/* ---- the body ---- */

static void say_content(const struct gist *g, struct buffer *out)
{
	char time[CLOCK_TEXT];

	buffer_decimal(out, g->events);
	buffer_text(out, g->events == 1 ? " event of " : " events of ");
	buffer_text(out, class_name(g->class));
	if (g->first != 0) {
		clock_format(g->first, time);
		buffer_text(out, ", first ");
		buffer_text(out, time);
		clock_format(g->last, time);
		buffer_text(out, ", last ");
		buffer_text(out, time);
	}
	buffer_text(out, ". To ");
	addressee_print(&g->to.to, out);
	if (g->holder.len > 0)
		buffer_print(out, " (%.*s)", (int)(g->holder.len < 200 ? g->holder.len : 200), g->holder.at);
	if (g->country[0] != '\0')
		buffer_print(out, ", addresses registered in %s", g->country);
	buffer_byte(out, '.');
	if (g->to.rule == RULE_NOT_TAKEN)
		buffer_text(out,
			    " Who claims it does not take notices of this class, so it goes to the resource itself.");
	if (g->explained > 0)
		buffer_print(out, " %llu of them fit a plan that was filed before.", (unsigned long long)g->explained);
	if (g->breach > 0)
		buffer_print(out, " %llu of them break a term of a filed plan.", (unsigned long long)g->breach);
	if (g->repeats > 0)
		buffer_print(out, " %llu earlier events of these sources were counted and not sent.",
			     (unsigned long long)g->repeats);
	if (g->again > 0)
		buffer_print(out, " %llu of the sources came back after they were quiet.",
			     (unsigned long long)g->again);
	if (g->plan->parts > 1)
		buffer_print(out, " Part %u of %u.", g->plan->part, g->plan->parts);
	buffer_text(out, " Acknowledging is not admitting.");
}

static struct stix_id as_object(struct json *j, const struct gist *g)
{
	char content[32];
	int n = snprintf(content, sizeof(content), "{\"number\":%u}", g->to.to.asn);
	struct stix_id id = stix_id("autonomous-system", true, span_make(content, (size_t)n));

	stix_object(j, "autonomous-system", &id);
	json_number(j, "number", g->to.to.asn);
	if (g->holder.len > 0)
		json_string(j, "name", g->holder);
	json_object_end(j);
	return id;
}

/* m->text holds what the note says. */
static struct stix_id note_id(struct maker *m, const struct stix_id *node)
{
	buffer_clear(&m->seed);
	buffer_text(&m->seed, node->text);
	buffer_u64(&m->seed, (uint64_t)m->date_ms);
	buffer_span(&m->seed, buffer_view(&m->text));
	return stix_id("note", false, buffer_view(&m->seed));
}

static void note_object(struct json *j, const struct maker *m, const struct gist *g, const struct stix_id *id,
			const struct stix_id *node, const struct stix_id *about)
{
	stix_object(j, "note", id);
	stix_created(j, m->date_ms);
	json_text(j, "created_by_ref", node->text);
	json_text(j, "abstract", class_says(g->class));
	json_string(j, "content", buffer_view(&m->text));
	json_array(j, "labels");
	json_text(j, NULL, class_name(g->class));
	json_array_end(j);
	json_array(j, "object_refs");
	json_text(j, NULL, about->text);
	json_array_end(j);
	buffer_span(j->out, buffer_view(&m->tables));
	json_object_end(j);
}

/* The bundle has the identifier of its note: one for each notice. */
static void summary(struct maker *m, const struct gist *g, struct buffer *out)
{
	struct json j = { .out = out };
	struct stix_id about = m->node, note;

	buffer_clear(&m->text);
	say_content(g, &m->text);
	note = note_id(m, &m->node);
	buffer_text(out, "{\"type\":\"bundle\",\"id\":\"bundle");
	buffer_text(out, note.text + strlen("note"));
	buffer_text(out, "\",\"objects\":[");
	buffer_span(out, buffer_view(&m->identity));
	j.comma = true;
	if (g->to.to.type == TO_AS)
		about = as_object(&j, g);
	note_object(&j, m, g, &note, &m->node, &about);
	buffer_text(out, "]}\n");
	if (m->text.err != OK || m->seed.err != OK)
		out->err = ERR_NO_MEMORY;
}

/* "external_references" of every note. */
static void tables_text(struct maker *m)
{
	struct json j = { .out = &m->tables, .comma = true };

	if (m->r->table_line_count == 0)
		return;
	json_array(&j, "external_references");
	for (size_t i = 0; i < m->r->table_line_count; i++) {
		json_object(&j, NULL);
		json_text(&j, "source_name", "registry table");
		json_string(&j, "description", m->r->table_lines[i]);
		json_object_end(&j);
	}
	json_array_end(&j);
}

enum err notice_texts(struct maker *m)
{
	struct json j = { .out = &m->identity };

	m->identity = BUFFER(4096);
	m->tables = BUFFER((size_t)64 << 10);
	m->text = BUFFER(CONTENT_MAX);
	m->seed = BUFFER(2 * CONTENT_MAX);
	m->node = stix_identity(&j, node_name(m->r->node));
	tables_text(m);
	return m->identity.err != OK ? m->identity.err : m->tables.err;
}

/* What is gathered goes into the compressor piece by piece, so that memory does not grow with the notice; a small body
 * goes at once. */
static enum err pour(struct maker *m, struct buffer *out, ZSTD_EndDirective end)
{
	ZSTD_inBuffer in = { m->plain.at, m->plain.len, 0 };
	size_t left = 1;

	if (m->plain.err != OK)
		return m->plain.err;
	while (end == ZSTD_e_end ? left != 0 : in.pos < in.size) {
		char *to = buffer_room(out, PIECE);
		ZSTD_outBuffer piece = { to, PIECE, 0 };

		if (to == NULL)
			return out->err;
		left = ZSTD_compressStream2(m->zstd, &piece, &in, end);
		if (ZSTD_isError(left))
			return zstd_failed(left, "packing evidence");
		out->len += piece.pos;
	}
	buffer_clear(&m->plain);
	return OK;
}

static enum err pour_at_once(struct maker *m, struct buffer *out)
{
	size_t room = ZSTD_compressBound(m->plain.len), n;
	char *to = buffer_room(out, room);

	if (m->plain.err != OK || to == NULL)
		return m->plain.err != OK ? m->plain.err : out->err;
	n = ZSTD_compress2(m->zstd, to, room, m->plain.at, m->plain.len);
	if (ZSTD_isError(n))
		return zstd_failed(n, "packing evidence");
	out->len += n;
	return OK;
}

static enum err rows(struct maker *m, const uint32_t *order, size_t count, struct buffer *out)
{
	const struct row_entry *entries = m->rows.entries;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < count; i++) {
		if (i + 4 < count) {
			const char *soon = m->rows.rows + m->rows.at[order[i + 4]];

			for (size_t j = 0; j < 512; j += 64)
				__builtin_prefetch(soon + j);
		}
		buffer_bytes(&m->plain, m->rows.rows + m->rows.at[order[i]], entries[order[i]].length);
		if (m->plain.len >= PIECE)
			e = pour(m, out, ZSTD_e_continue);
	}
	return e;
}

/* The compressed tables, at the end of out, behind what is in m->plain. */
static enum err make_body(struct maker *m, const uint32_t *order, size_t count, struct buffer *out)
{
	const struct row_entry *entries = m->rows.entries;
	size_t len = 0, before = out->len;
	enum err e = OK;

	for (size_t i = 0; i < count && len < SMALL; i++)
		len += entries[order[i]].length;
	/* A table of matches that fits the nearest cache is faster, and for many rows of one kind no worse. */
	ZSTD_CCtx_setParameter(m->zstd, ZSTD_c_hashLog, len < SMALL ? 0 : 12);
	for (size_t i = 0, j; e == OK && i < count; i = j) {
		const struct section *s = &m->r->sections[entries[order[i]].section];

		for (j = i; j < count && entries[order[j]].section == entries[order[i]].section; j++)
			;
		evidence_table(&m->plain, s->format, s->type, s->header);
		e = rows(m, order + i, j - i, out);
		buffer_byte(&m->plain, '\n');
	}
	if (e != OK)
		return e;
	return out->len == before ? pour_at_once(m, out) : pour(m, out, ZSTD_e_end);
}

static void seal(const struct maker *m, struct span payload, struct prepared *p)
{
	p->len = payload.len;
	randombytes_buf(p->salt, sizeof(p->salt));
	p->body = (struct body_reference){
		.media_type = SPAN(EVIDENCE_TYPE),
		.size = payload.len,
		.sealed = true,
		.hash = seal_commitment(node_name(m->r->node), SPAN(""), SPAN(EVIDENCE_TYPE), p->salt, payload),
	};
}

/* ---- the statement ---- */

/* A class that says nothing goes to the answering party alone. Others hear of what is theirs: the national party only
 * if all addresses are of its country. */
static void add_cc(const struct routing *r, const struct gist *g, struct statement_writer *w)
{
	if (g->class == CLASS_OTHER || g->class == CLASS_UNDETERMINED)
		return;
	if (g->to.country[0] == '\0' || strcmp(g->to.country, g->country) != 0)
		return;
	for (size_t i = 0; i < g->to.cc_count; i++) {
		struct buffer value = BUFFER(512);

		if (g->to.cc[i].type == TO_PARTY && !recognition_takes(r->recognition, g->to.cc[i].domain, g->class))
			continue;
		addressee_print(&g->to.cc[i], &value);
		statement_add_buffer(w, "cc", &value);
	}
}

static enum err statement(const struct maker *m, const struct gist *g, struct prepared *p)
{
	struct statement_writer *w = &p->statement;
	const struct routing *r = m->r;

	statement_begin(w, KIND_NOTICE, node_origin(r->node, LEDGER_CIRCLE), signer_verifier(r->signer));
	statement_add_to(w, &g->to.to);
	add_cc(r, g, w);
	statement_add_time(w, "date", m->date_ms);
	statement_add(w, "class", span_of(class_name(g->class)));
	statement_add(w, "tlp", SPAN("AMBER"));
	statement_add_print(w, "events", "%llu", (unsigned long long)g->events);
	if (g->explained > 0)
		statement_add_print(w, "explained", "%llu", (unsigned long long)g->explained);
	if (g->repeats > 0)
		statement_add_print(w, "repeats", "%llu", (unsigned long long)g->repeats);
	if (g->again > 0)
		statement_add_print(w, "again", "%llu", (unsigned long long)g->again);
	if (g->first != 0) {
		statement_add_time(w, "first", g->first);
		statement_add_time(w, "last", g->last);
	}
	if (g->plan->parts > 1)
		statement_add_print(w, "part", "%u/%u", g->plan->part, g->plan->parts);
	if (g->explained == g->events)
		statement_add(w, "priority", SPAN("low"));
	for (size_t i = 0; i < r->table_line_count; i++)
		statement_add(w, "table", r->table_lines[i]);
	if (g->demonstration)
		statement_add(w, "demonstration", SPAN("yes"));
	statement_add_body(w, &p->body);
	return w->err;
}

static struct prepared *add(struct batch *b)
{
	struct statement_writer w;

	if (b->notice_count == b->notice_room) {
		size_t room = b->notice_room == 0 ? 64 : 2 * b->notice_room;
		struct prepared *bigger = realloc(b->notices, room * sizeof(*bigger));

		if (bigger == NULL)
			return NULL;
		memset(bigger + b->notice_room, 0, (room - b->notice_room) * sizeof(*bigger));
		b->notices = bigger;
		b->notice_room = room;
	}
	w = b->notices[b->notice_count].statement;
	b->notices[b->notice_count] = (struct prepared){ .statement = w };
	return &b->notices[b->notice_count++];
}

/* What its lines have to say, each in the first notice that has rows of it. */
static void add_lines(struct maker *m, const uint32_t *order, size_t count, uint64_t *repeats, uint64_t *again)
{
	for (size_t i = 0; i < count; i++) {
		struct line *l = &m->lines.at[m->line_of[order[i]]];

		if (l->said)
			continue;
		l->said = true;
		*repeats += l->held;
		*again += l->word == LINE_AGAIN;
	}
}

static struct prepared sum(struct maker *m, const uint32_t *order, size_t count)
{
	const struct row_entry *entries = m->rows.entries;
	uint64_t number = row_notice(&entries[order[0]]);
	struct prepared p = { .addressee = (uint32_t)(number / CLASS_COUNT),
			      .class = (enum rsit_class)(number % CLASS_COUNT),
			      .events = count };

	for (size_t i = 0; i < count; i++)
		p.verdicts[entries[order[i]].verdict]++;
	add_lines(m, order, count, &p.repeats, &p.again);
	return p;
}

enum err notice_make(struct maker *m, struct batch *b, const uint32_t *order, size_t count)
{
	struct prepared *p = add(b);
	struct statement_writer w;
	struct gist g;
	enum err e;

	if (p == NULL)
		return ERR_NO_MEMORY;
	w = p->statement;
	*p = sum(m, order, count);
	p->statement = w;
	if (m->r->options->dry_run)
		return OK;
	g = gist_of(m, b, p, order, count);
	p->at = b->bodies.len;
	buffer_clear(&m->plain);
	buffer_text(&m->plain, EVIDENCE_FIRST_LINE);
	summary(m, &g, &m->plain);
	if ((e = make_body(m, order, count, &b->bodies)) != OK)
		return e;
	seal(m, span_make(b->bodies.at + p->at, b->bodies.len - p->at), p);
	return statement(m, &g, p);
}

/* ---- rows that wait ---- */

enum err pack_make(struct maker *m, struct batch *b, const uint32_t *order, size_t count)
{
	struct prepared p = sum(m, order, count);
	struct gist g = gist_of(m, b, &p, order, count);
	struct waiting *w;
	enum err e;

	if (m->r->options->dry_run)
		return OK;
	if (b->pack_count == b->pack_room) {
		size_t room = b->pack_room == 0 ? 64 : 2 * b->pack_room;
		struct waiting *bigger = realloc(b->packs, room * sizeof(*bigger));

		if (bigger == NULL)
			return ERR_NO_MEMORY;
		b->packs = bigger;
		b->pack_room = room;
	}
	w = &b->packs[b->pack_count++];
	*w = (struct waiting){ .at = b->bodies.len };
	w->pack = (struct pack){ .to = g.to.to,
				 .class = g.class,
				 .since_ms = m->date_ms,
				 .events = g.events,
				 .explained = g.explained,
				 .breach = g.breach,
				 .repeats = g.repeats,
				 .again = g.again,
				 .demonstration = g.demonstration,
				 .first_ms = g.first,
				 .last_ms = g.last };
	memcpy(w->pack.country, g.country, sizeof(w->pack.country));
	buffer_clear(&m->plain);
	e = make_body(m, order, count, &b->bodies);
	w->len = b->bodies.len - w->at;
	return e;
}

enum err notice_from_packs(struct maker *m, const struct resolved *to, const struct packed *from, struct buffer *body,
			   struct prepared *out)
{
	const struct pack *s = &from->sum;
	struct gist g = { .class = s->class,
			  .to = *to,
			  .holder = holder_of(m->r, &to->to),
			  .events = s->events,
			  .explained = s->explained,
			  .breach = s->breach,
			  .repeats = s->repeats,
			  .again = s->again,
			  .demonstration = s->demonstration || m->r->options->demonstration,
			  .first = s->first_ms,
			  .last = s->last_ms,
			  .plan = &whole_plan };
	enum err e;

	memcpy(g.country, s->country, sizeof(g.country));
	out->class = s->class;
	out->events = s->events;
	out->verdicts[PLAN_EXPLAINED] = s->explained;
	out->verdicts[PLAN_BREACH] = s->breach;
	out->repeats = s->repeats;
	out->again = s->again;
	buffer_clear(body);
	buffer_clear(&m->plain);
	buffer_text(&m->plain, EVIDENCE_FIRST_LINE);
	summary(m, &g, &m->plain);
	if ((e = pour_at_once(m, body)) != OK)
		return e;
	for (size_t i = 0; i < from->count; i++)
		buffer_span(body, from->rows[i]);
	if (body->err != OK)
		return body->err;
	seal(m, buffer_view(body), out);
	return statement(m, &g, out);
}
