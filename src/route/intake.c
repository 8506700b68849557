/* Reading, parsing, resolving: every row of every report becomes an entry of a run, or a reject. Each thread takes the
 * next chunk for itself (one at a time may read) and parses it while others read theirs. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "regime/sighting.h"
#include "route/recognition.h"
#include "route/evidence_write.h"
#include "route/pipeline.h"
#include "route/verdict.h"

/* Look-ups mostly wait for memory; many in a row wait together. */
#define RESOLVE_AT_ONCE 64

struct chunk {
	char *at;
	size_t len; /* whole rows */
	size_t room;
	size_t source;
	uint64_t number;
	struct report_cursor from;
};

struct reader {
	struct routing *r;
	pthread_mutex_t lock;
	size_t source;	 /* in hand; r->source_count: all done */
	bool begun, end; /* of that source */
	char *carry;	 /* rows begun but not whole */
	size_t carry_len, carry_room;
	size_t room; /* of a chunk: more than the limit only where one document needs it */
	struct report_cursor at;
	uint64_t number;      /* of the next chunk */
	uint64_t done_before; /* bytes of the sources behind us, as they lie there */
	uint64_t total;	      /* 0: unknown */
	struct rejects *rejects;
	atomic_ullong done, events, bytes;
};

struct worker {
	struct reader *in;
	struct routing *r;
	struct scratch *scratch;
	struct run_fill run;
	struct chunk chunk;
	struct reject_list rejects;
	enum format format; /* of the source in hand: what comes in a mail has another, and its own section */
	uint16_t section;
	struct address unresolved[RESOLVE_AT_ONCE]; /* of the run's last entries */
	size_t unresolved_count;
	uint64_t events; /* of the chunk */
	enum err first_reject;
	bool reports_progress;
	pthread_t thread;
};

/* ---- reading ---- */

/* Exactly as much as wanted; what was there is gone unless nothing changes. */
static enum err make_room(char **at, size_t *room, size_t want)
{
	if (*room == want)
		return OK;
	free(*at);
	*room = 0;
	if ((*at = malloc(want)) == NULL)
		return fail(ERR_NO_MEMORY, "no room for a chunk of %zu bytes", want);
	*room = want;
	return OK;
}

static enum err begin_source(struct reader *in, struct source *s)
{
	size_t skip = (size_t)report_start(s->layout).offset;
	enum err e = source_take_up(s);

	if (e == OK && skip > s->head_len)
		e = fail(ERR_SHORT, "%s: shorter than at the first look", s->path);
	if (e != OK && source_may_fail(in->r, e))
		source_fail(s, e);
	if (e != OK)
		return s->err != OK ? OK : e;
	in->at = report_start(s->layout);
	in->room = in->r->limits.chunk;
	in->carry_len = 0;
	if ((e = make_room(&in->carry, &in->carry_room, in->room)) != OK)
		return e;
	in->carry_len = s->head_len - skip;
	memcpy(in->carry, s->head + skip, in->carry_len);
	in->begun = true;
	in->end = false;
	free(s->head);
	s->head = NULL;
	return OK;
}

static void end_source(struct reader *in, struct source *s)
{
	in->done_before += s->size;
	source_put_down(s);
	in->source++;
	in->begun = false;
	in->carry_len = 0;
}

/* What came before the damage counts. */
static void cut_short(const struct reader *in, struct source *s, enum err e)
{
	const char *what = e == ERR_COMPRESSION	   ? "damaged or cut off"
			   : *err_detail() != '\0' ? err_detail()
						   : err_code(e);

	fail(e, "%s: %s; the whole rows before byte %llu were routed", s->path, what,
	     (unsigned long long)in->at.offset);
	source_fail(s, e);
}

/* Fills the chunk behind what was carried over. */
static enum err fill(struct reader *in, struct source *s, struct chunk *c, enum err *damage)
{
	size_t got = 0, want = in->room - in->carry_len;
	enum err e = make_room(&c->at, &c->room, in->room);

	if (e != OK)
		return e;
	memcpy(c->at, in->carry, in->carry_len);
	c->len = in->carry_len;
	*damage = OK;
	if (in->end)
		return OK;
	e = input_read(s->input, c->at + c->len, want, &got);
	c->len += got;
	in->end = e != OK || got < want;
	atomic_store(&in->done, in->done_before + input_consumed(s->input));
	if (e == OK || !source_may_fail(in->r, e))
		return e;
	*damage = e;
	return OK;
}

/* Where not even one row was whole, twice as much is read at once; behind it, as little as before. */
static enum err room_for_next(struct reader *in, const struct source *s, size_t whole)
{
	size_t most = layout_row_max(s->layout) + in->r->limits.chunk;

	if (whole > 0)
		in->room = in->r->limits.chunk;
	else if (!in->end)
		in->room = in->room * 2 < most ? in->room * 2 : most;
	while (in->room < in->carry_len + in->r->limits.chunk / 2)
		in->room *= 2;
	return make_room(&in->carry, &in->carry_room, in->room);
}

/* The next chunk of the source in hand. An empty one: the source is at its end, or a row is longer than what is held. */
static enum err cut(struct reader *in, struct source *s, struct chunk *c)
{
	enum err damage, e = fill(in, s, c, &damage);
	size_t whole;

	if (e != OK)
		return fail(e, "%s: %s", s->path, err_detail());
	c->source = in->source;
	c->from = in->at;
	whole = report_boundary(s->layout, &in->at, span_make(c->at, c->len), in->end && damage == OK);
	in->carry_len = damage != OK ? 0 : c->len - whole;
	if ((e = room_for_next(in, s, whole)) != OK)
		return e;
	memcpy(in->carry, c->at + whole, in->carry_len);
	c->len = whole;
	if (damage != OK)
		cut_short(in, s, damage);
	return OK;
}

static enum err next_chunk(struct reader *in, struct chunk *c)
{
	c->len = 0;
	while (in->source < in->r->source_count) {
		struct source *s = &in->r->sources[in->source];
		enum err e = in->begun || s->err != OK ? OK : begin_source(in, s);

		if (in->begun && e == OK)
			e = cut(in, s, c);
		if (e != OK)
			return e;
		if (!in->begun || (in->end && in->carry_len == 0))
			end_source(in, s);
		if (c->len > 0) {
			c->number = in->number++;
			return OK;
		}
	}
	return OK;
}

static enum err take_chunk(struct reader *in, struct chunk *c)
{
	static const struct timespec a_while = { 0, 1000000 };
	enum err e;

	pthread_mutex_lock(&in->lock);
	while (rejects_behind(in->rejects, in->number) && !atomic_load(&in->r->failure.stop)) {
		pthread_mutex_unlock(&in->lock);
		nanosleep(&a_while, NULL);
		pthread_mutex_lock(&in->lock);
	}
	e = next_chunk(in, c);
	pthread_mutex_unlock(&in->lock);
	return e;
}

/* ---- rows ---- */

/* Rows that share all this say the same, so they are one event. The address stands in it so that equal marks have one
 * addressee, whatever the report. */
static struct mark mark_of(const struct section *s, const struct event *e)
{
	uint8_t fixed[MARK_SIZE + 8 + 1 + 1 + 16];
	const struct span parts[] = { span_make(fixed, sizeof(fixed)), e->raw };
	const uint64_t numbers[] = { htobe64((uint64_t)e->time_ms), htobe64(e->source.high), htobe64(e->source.low) };
	struct mark m;
	struct hash h;

	memcpy(fixed, s->fingerprint.bytes, MARK_SIZE);
	memcpy(fixed + MARK_SIZE, numbers, sizeof(numbers));
	fixed[MARK_SIZE + 24] = e->source.family;
	fixed[MARK_SIZE + 25] = e->source_length;
	h = hash_parts(parts, 2);
	memcpy(m.bytes, h.bytes, MARK_SIZE);
	return m;
}

static uint16_t country_of(const struct routing *r, uint32_t addressee, struct address a)
{
	struct address inner;

	if (r->table == NULL)
		return 0;
	if (r->country_of_addressee[addressee] != COUNTRY_LOOK_UP)
		return r->country_of_addressee[addressee];
	if (a.family == FAMILY_IPV6 && address_embedded(a, &inner) != NULL)
		a = inner;
	return r->countries[table_class(r->table, table_find(r->table, a))];
}

/* Until here the order of an entry is its class. */
static void resolve(struct worker *w)
{
	uint32_t addressees[RESOLVE_AT_ONCE];
	struct row_entry *x;

	if (w->unresolved_count == 0)
		return;
	x = w->run.entries + (w->run.count - w->unresolved_count);
	for (size_t i = 0; i < w->unresolved_count; i++)
		addressees[i] = resolver_find(w->r->resolver, w->unresolved[i]);
	for (size_t i = 0; i < w->unresolved_count; i++) {
		addressees[i] = recognition_addressee(w->r->recognition, w->r->resolver, w->unresolved[i],
						      addressees[i], (enum rsit_class)x[i].order);
		x[i].country = country_of(w->r, addressees[i], w->unresolved[i]);
		x[i].order = row_order(notice_number(addressees[i], (enum rsit_class)x[i].order), x[i].high, x[i].low,
				       &x[i].mark);
	}
	w->unresolved_count = 0;
}

static enum err put_run(struct worker *w)
{
	resolve(w);
	return runs_put(w->r->runs, &w->run);
}

static enum err on_reject(void *context, const struct reject *reject)
{
	struct worker *w = context;

	if (w->rejects.count == 0)
		w->first_reject = reject->why;
	reject_list_add(&w->rejects, w->r->sources[w->chunk.source].path, reject);
	return w->rejects.lines.err;
}

static enum err refuse(struct worker *w, const struct event *e, enum err why)
{
	struct reject reject = { why, e->line, e->offset, e->raw, "class" };

	return on_reject(w, &reject);
}

/* What tells its line apart, and what it lacks. */
static enum err set_detail(const struct worker *w, const struct section *s, const struct event *e,
			   enum rsit_class class, struct row_entry *x)
{
	x->detail = 0;
	x->lacks = e->source_port == 0 && e->transport != TRANSPORT_ICMP ? LACKS_PORT : 0;
	if (sighting_by_malware(class))
		return e->malware.len > 0 ? names_number(w->r->names, e->malware, &x->detail) : OK;
	if (!sighting_by_port(class))
		return OK;
	x->detail = e->source_port;
	if (e->source_port == 0 && s->has_port && e->transport != TRANSPORT_ICMP)
		x->lacks |= LACKS_SERVICE_PORT;
	return OK;
}

static enum err on_event(void *context, const struct event *e)
{
	struct worker *w = context;
	struct row_entry *x;
	enum rsit_class class = e->class == CLASS_NONE ? CLASS_UNDETERMINED : e->class;
	uint16_t section = e->format == w->format ? w->section : w->r->document_sections[e->format];
	enum err err;

	if (class_is_content(class))
		return refuse(w, e, ERR_CLASS_CONTENT);
	if (run_fill_full(&w->run, e->raw.len + EVIDENCE_TYPED_MAX) && (err = put_run(w)) != OK)
		return err;
	if ((x = run_fill_entry(&w->run)) == NULL)
		return ERR_NO_MEMORY;
	w->events++;
	x->mark = mark_of(&w->r->sections[section], e);
	x->order = (uint64_t) class;
	x->time_ms = e->time_ms;
	x->high = e->source.high;
	x->low = e->source.low;
	x->family = e->source.family;
	x->source_length = e->source_length;
	if ((err = set_detail(w, &w->r->sections[section], e, class, x)) != OK)
		return err;
	x->verdict = verdict_of(w->r->verdicts, &w->r->sections[section], e, &x->mark);
	x->section = section;
	x->length = evidence_row(w->run.rows + w->run.len, e, (enum plan_verdict)x->verdict) & 0xffffff;
	w->run.len += x->length;
	w->unresolved[w->unresolved_count++] = e->source;
	if (w->unresolved_count == RESOLVE_AT_ONCE)
		resolve(w);
	return OK;
}

/* ---- threads ---- */

static void count_chunk(struct worker *w, struct source *s)
{
	atomic_fetch_add(&w->in->events, w->events);
	atomic_fetch_add(&w->in->bytes, w->chunk.len);
	atomic_fetch_add(&s->events, w->events);
	if (w->rejects.count == 0)
		return;
	atomic_fetch_add(&s->rejected, w->rejects.count);
	pthread_mutex_lock(&w->in->lock);
	if (s->first_reject == OK || w->chunk.number < s->first_reject_chunk) {
		s->first_reject = w->first_reject;
		s->first_reject_chunk = w->chunk.number;
	}
	pthread_mutex_unlock(&w->in->lock);
}

static enum err work_chunk(struct worker *w)
{
	struct report_sink sink = { on_event, on_reject, w };
	struct source *s = &w->r->sources[w->chunk.source];
	enum err e;

	w->format = layout_format(s->layout);
	w->section = s->section;
	w->events = 0;
	e = report_parse(s->layout, w->scratch, span_make(w->chunk.at, w->chunk.len), &w->chunk.from, &sink);
	if (e != OK)
		return fail(e, "%s: from byte %llu on: %s", s->path, (unsigned long long)w->chunk.from.offset,
			    *err_detail() != '\0' ? err_detail() : err_advice(e));
	count_chunk(w, s);
	return rejects_chunk(w->in->rejects, w->chunk.number, &w->rejects);
}

/* Reading is half of the way: the other half is shown when batches are committed. */
static void show(const struct worker *w)
{
	const struct routing *r = w->r;

	if (w->reports_progress && r->progress != NULL)
		r->progress(r->context, w->in->total > 0 ? atomic_load(&w->in->done) / 2 : atomic_load(&w->in->done),
			    w->in->total, atomic_load(&w->in->events));
}

static void *work(void *context)
{
	struct worker *w = context;
	enum err e = OK;

	err_clear();
	while (e == OK && !atomic_load(&w->r->failure.stop)) {
		if ((e = take_chunk(w->in, &w->chunk)) != OK || w->chunk.len == 0)
			break;
		e = work_chunk(w);
		show(w);
	}
	if (e == OK)
		e = put_run(w);
	failure_set(&w->r->failure, e);
	return NULL;
}

static enum err worker_start(struct worker *w, struct reader *in)
{
	enum err e;

	w->in = in;
	w->r = in->r;
	w->rejects.lines = BUFFER((size_t)256 << 20);
	w->run.fd = -1;
	e = scratch_new(&w->scratch);
	return e == OK ? run_fill_start(&w->run, w->r->limits.run) : e;
}

static void worker_end(struct worker *w)
{
	run_fill_end(&w->run);
	scratch_free(w->scratch);
	free(w->chunk.at);
	buffer_free(&w->rejects.lines);
}

static void run_workers(struct routing *r, struct worker *workers)
{
	unsigned started = 1;

	workers[0].reports_progress = true;
	while (started < r->threads && pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
		started++; /* fewer threads do the same work */
	work(&workers[0]);
	for (unsigned i = 1; i < started; i++)
		pthread_join(workers[i].thread, NULL);
}

static enum err intake_with(struct routing *r, struct reader *in)
{
	struct worker *workers = calloc(r->threads, sizeof(*workers));
	enum err e = workers == NULL ? ERR_NO_MEMORY : OK;

	for (unsigned i = 0; e == OK && i < r->threads; i++)
		e = worker_start(&workers[i], in);
	if (e == OK) {
		run_workers(r, workers);
		e = r->failure.err;
	}
	for (unsigned i = 0; workers != NULL && i < r->threads; i++)
		worker_end(&workers[i]);
	free(workers);
	return e;
}

enum err intake(struct routing *r, const char *rejects)
{
	struct reader in = { .r = r };
	enum err e, end;

	pthread_mutex_init(&in.lock, NULL);
	for (size_t i = 0; i < r->source_count; i++) {
		if (r->sources[i].err != OK)
			continue;
		if (r->sources[i].size == 0) {
			in.total = 0;
			break;
		}
		in.total += r->sources[i].size;
	}
	e = rejects_new(rejects, r->options->rejects == NULL, &in.rejects);
	if (e == OK)
		e = intake_with(r, &in);
	end = rejects_end(in.rejects, r->out);
	r->out->events = atomic_load(&in.events);
	r->out->bytes = atomic_load(&in.bytes);
	r->bytes_total = in.total;
	free(in.carry);
	pthread_mutex_destroy(&in.lock);
	return e != OK ? e : end;
}
