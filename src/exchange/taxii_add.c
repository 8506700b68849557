/* Adding and removing objects (5.5, 5.7), and what became of it (4.3).
 *
 * All that can be judged without the state is judged on the thread that serves: the envelope, each object, its markings, the
 * collection's rules. Then the share takes its turn on the sequencing thread, which finds repeats and conflicts and logs one
 * statement for all that is new. The status is written in the same batch, so it is there after a crash exactly if the objects
 * are. It is complete from the beginning: the answer waits until everything is durable. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "exchange/markings.h"
#include "exchange/taxii.h"
#include "regime/posting.h"
#include "regime/speech.h"
#include "stix/validate.h"
#include "store/journal.h"

#define STATUS_MOST ((size_t)8 << 20) /* a longer one does without its lists, which are optional */
#define MESSAGE_MOST 600
#define ID_SHOWN 300

/* One object as it was sent. */
struct sent {
	struct stix_object *object; /* NULL: refused before the share */
	struct span id, version;    /* for the status; version empty: the time of the request */
	const char *message;	    /* NULL: nothing to say */
};

struct posting_job {
	struct submission submission;
	struct taxii_door door;
	struct stix_envelope envelope;
	struct share share;
	struct object_result *results; /* one for each of the share */
	struct sent *sent;
	uint64_t now; /* microseconds */
	struct posting posting;
	struct buffer status;
};

/* --- judging --- */

static void refuse(struct posting_job *job, size_t i, const char *message)
{
	job->sent[i].object = NULL;
	job->sent[i].message = message != NULL ? message : "no-memory: too much was sent at once";
}

/* For the status: what an object that cannot be read says of itself, if it says anything. */
static void name_unread(struct posting_job *job, size_t i)
{
	const struct yyjson_val *value = job->envelope.objects[i].value;
	yyjson_val *id = yyjson_obj_get((yyjson_val *)(uintptr_t)value, "id");

	if (yyjson_is_str(id) && yyjson_get_len(id) > 0 && yyjson_get_len(id) <= ID_SHOWN)
		job->sent[i].id = span_make(yyjson_get_str(id), yyjson_get_len(id));
	else
		job->sent[i].id = SPAN("unidentified--00000000-0000-4000-8000-000000000000");
}

static enum err read_object(struct posting_job *job, size_t i)
{
	struct arena *a = job->door.r->arena;
	struct stix_object *o = arena_array(a, 1, sizeof(*o));
	enum err e = o != NULL ? stix_object_read(a, &job->envelope.objects[i], o) : ERR_NO_MEMORY;

	if (err_is_machine(e) && e != ERR_NOT_FOUND)
		return e;
	if (e != OK) {
		name_unread(job, i);
		refuse(job, i, arena_print(a, "%s: object %zu: %s", err_code(e), i + 1, err_detail()));
		return OK;
	}
	job->sent[i] = (struct sent){ .object = o, .id = o->id, .version = o->modified_text };
	return OK;
}

/* Findings of one sort, as "rule (section): where and what". */
static const char *findings(struct arena *a, const struct stix_verdict *v, size_t from, size_t to)
{
	struct buffer b = BUFFER(MESSAGE_MOST);
	const char *text;

	for (size_t i = from; i < to; i++)
		buffer_print(&b, "%s%s (STIX %s): %s", i > from ? "; " : "", v->findings[i].rule->name,
			     v->findings[i].rule->section, v->findings[i].text);
	text = arena_copy(a, b.at, b.len); /* what did not fit is left out */
	buffer_free(&b);
	return text;
}

static enum err validate(struct posting_job *job, size_t i, struct stix_verdict *v)
{
	struct arena *a = job->door.r->arena;
	enum err e = stix_validate(a, job->sent[i].object, v);

	if (e != OK)
		return e;
	if (v->refusals > 0)
		refuse(job, i, findings(a, v, 0, v->refusals));
	else if (v->count > 0)
		job->sent[i].message = findings(a, v, 0, v->count);
	return OK;
}

static bool is_word_list(struct span key)
{
	static const char types[] = "_types";
	size_t n = sizeof(types) - 1;

	return span_is(key, "labels") || (key.len > n && memcmp(key.at + key.len - n, types, n) == 0);
}

/* The words by which objects are sorted stand for classes: none for what is said. Descriptions are free; nobody sorts by them. */
static void judge_words(struct posting_job *job, size_t i)
{
	yyjson_val *root = (yyjson_val *)(uintptr_t)job->sent[i].object->value, *key, *word;
	size_t index, count, at, words;

	yyjson_obj_foreach(root, index, count, key, word)
	{
		yyjson_val *list = word, *one;

		if (!yyjson_is_arr(list) || !is_word_list(span_make(yyjson_get_str(key), yyjson_get_len(key))))
			continue;
		yyjson_arr_foreach(list, at, words, one)
		{
			if (!yyjson_is_str(one) ||
			    !speech_asked(span_make(yyjson_get_str(one), yyjson_get_len(one)), NULL))
				continue;
			refuse(job, i, "class-content: a label or type asks for something about what is said");
			return;
		}
	}
}

/* RED is for those who are named: a collection that more can read cannot keep that promise. */
static bool allowed_here(struct posting_job *job, size_t i)
{
	if (job->sent[i].object->tlp != TLP_RED || job->door.collection.rule->readers == AUDIENCE_NAMED)
		return true;
	refuse(job, i,
	       "tlp: RED, or a marking that is not known here, in a collection whose readers are not all named; "
	       "send its marking definition along, or use a collection for named readers");
	return false;
}

/* TLP that is final, by what is known here and what came along. */
static enum err settle_markings(struct posting_job *job)
{
	struct arena *a = job->door.r->arena;
	struct stix_object **good = arena_array(a, job->envelope.count, sizeof(struct stix_object *));
	size_t count = 0;
	struct state st;
	enum err e = good != NULL ? server_read(job->door.server, job->door.r, &st) : ERR_NO_MEMORY;

	if (e != OK)
		return e;
	for (size_t i = 0; i < job->envelope.count; i++)
		if (job->sent[i].object != NULL)
			good[count++] = job->sent[i].object;
	e = markings_settle(a, st.snapshot, &job->share.collection, job->share.level,
			    job->door.collection.rule->unmarked, good, count);
	snapshot_end(st.snapshot);
	return e;
}

static enum err settle(struct posting_job *job)
{
	struct stix_object *objects = arena_array(job->door.r->arena, job->envelope.count, sizeof(*objects));
	enum err e = objects != NULL ? settle_markings(job) : ERR_NO_MEMORY;

	for (size_t i = 0; i < job->envelope.count && e == OK; i++) {
		if (job->sent[i].object == NULL || !allowed_here(job, i))
			continue;
		objects[job->share.count] = *job->sent[i].object;
		job->sent[i].object = &objects[job->share.count++];
	}
	job->share.objects = objects;
	return e;
}

static enum err judge(struct posting_job *job)
{
	struct arena *a = job->door.r->arena;
	struct stix_verdict *verdict = arena_alloc(a, sizeof(*verdict));
	enum err e = OK;

	job->sent = arena_array(a, job->envelope.count, sizeof(*job->sent));
	if (job->sent == NULL || verdict == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < job->envelope.count && e == OK; i++) {
		e = read_object(job, i);
		if (e == OK && job->sent[i].object != NULL)
			e = validate(job, i, verdict);
		if (e == OK && job->sent[i].object != NULL)
			judge_words(job, i);
	}
	if (e == OK)
		e = settle(job);
	if (e == OK && (job->results = arena_array(a, job->share.count + 1, sizeof(*job->results))) == NULL)
		e = ERR_NO_MEMORY;
	return e;
}

/* --- the status --- */

static const struct object_result *result_of(const struct posting_job *job, const struct sent *one)
{
	return &job->results[one->object - job->share.objects];
}

static bool has_failed(const struct posting_job *job, const struct sent *one)
{
	enum object_fate fate;

	if (one->object == NULL)
		return true;
	fate = result_of(job, one)->fate;
	return fate == OBJECT_CONFLICT || fate == OBJECT_DELETED;
}

static void print_fate(const struct posting_job *job, const struct sent *one, struct json *j)
{
	const struct object_result *result = one->object != NULL ? result_of(job, one) : NULL;
	char kept[HASH_HEX + 1], sent[HASH_HEX + 1], text[400];

	if (result != NULL && result->fate == OBJECT_CONFLICT) {
		hash_hex(result->digest, kept);
		hash_hex(one->object->digest, sent);
		snprintf(text, sizeof(text),
			 "conflict: this version is here with other content, which is kept; sha256 of the normalised "
			 "text: kept %s, sent %s. A change needs a later `modified`",
			 kept, sent);
		json_text(j, "message", text);
	} else if (result != NULL && result->fate == OBJECT_DELETED) {
		json_text(j, "message", "deleted: this version was deleted here and does not come back");
	} else if (one->message != NULL) {
		json_text(j, "message", one->message);
	} else if (result != NULL && one->object->tlp > job->share.level) {
		json_text(j, "message",
			  "taken; you may not see objects of this marking here, and where this version is here "
			  "already, the first "
			  "is kept");
	}
}

/* Ids and times that were read are plain text; what could not be read is escaped. */
static void print_detail(const struct posting_job *job, const struct sent *one, struct json *j)
{
	char time[TAXII_TIME];

	json_object(j, NULL);
	json_string(j, "id", one->id);
	if (one->version.len > 0) {
		json_string(j, "version", one->version);
	} else {
		taxii_time(job->now, time);
		json_text(j, "version", time);
	}
	print_fate(job, one, j);
	json_object_end(j);
}

static void print_list(const struct posting_job *job, bool failures, const char *name, struct json *j)
{
	json_array(j, name);
	for (size_t i = 0; i < job->envelope.count; i++)
		if (has_failed(job, &job->sent[i]) == failures)
			print_detail(job, &job->sent[i], j);
	json_array_end(j);
}

enum lists { LISTS_ALL, LISTS_FAILURES, LISTS_NONE };

static void print_status(struct posting_job *job, size_t failed, enum lists lists)
{
	struct json j = { .out = &job->status };
	size_t total = job->envelope.count;
	char id[COLLECTION_ID_TEXT], time[TAXII_TIME];
	struct collection_id uuid;

	memcpy(uuid.bytes, job->posting.id, sizeof(uuid.bytes));
	collection_id_print(&uuid, id);
	taxii_time(job->now, time);
	json_object(&j, NULL);
	json_text(&j, "id", id);
	json_text(&j, "status", "complete");
	json_text(&j, "request_timestamp", time);
	json_number(&j, "total_count", (int64_t)total);
	json_number(&j, "success_count", (int64_t)(total - failed));
	if (lists == LISTS_ALL && failed < total)
		print_list(job, false, "successes", &j);
	json_number(&j, "failure_count", (int64_t)failed);
	if (lists != LISTS_NONE && failed > 0)
		print_list(job, true, "failures", &j);
	json_number(&j, "pending_count", 0);
	json_object_end(&j);
}

static size_t count_failed(const struct posting_job *job)
{
	size_t n = 0;

	for (size_t i = 0; i < job->envelope.count; i++)
		n += has_failed(job, &job->sent[i]);
	return n;
}

static enum err write_status(struct posting_job *job)
{
	size_t failed = count_failed(job);

	for (enum lists lists = LISTS_ALL; lists <= LISTS_NONE; lists++) {
		buffer_clear(&job->status);
		print_status(job, failed, lists);
		if (job->status.err != ERR_TOO_LONG)
			break;
	}
	return job->status.err;
}

static enum err keep_status(struct node *n, const struct posting_job *job)
{
	struct buffer head = BUFFER(512);
	struct span parts[2];
	enum err e;

	posting_write(&head, &job->posting);
	parts[0] = buffer_view(&head);
	parts[1] = buffer_view(&job->status);
	e = head.err != OK ? head.err : node_add_private(n, RECORD_RAW, parts, 2);
	buffer_free(&head);
	return e;
}

/* --- the turn --- */

static enum err share_work(struct node *n, struct submission *s)
{
	struct posting_job *job = s->context;
	enum err e = OK;

	if (job->share.count > 0)
		e = objects_share(n, &job->share, job->results, &s->appended);
	if (e == OK)
		e = write_status(job);
	if (e == OK)
		e = keep_status(n, job);
	return e;
}

static void count(const struct posting_job *job)
{
	uint64_t added = 0;

	for (size_t i = 0; i < job->share.count; i++)
		added += job->results[i].fate == OBJECT_ADDED;
	metrics_add(job->door.server->metrics, METRIC_OBJECTS_ADDED, added);
	metrics_add(job->door.server->metrics, METRIC_OBJECTS_REFUSED, count_failed(job));
}

static void share_done(struct submission *s)
{
	struct posting_job *job = s->context;
	struct http_request *r = job->door.r;
	enum err e = s->err;

	if (e == OK) {
		count(job);
		e = taxii_answer(job->door.out, 202, &job->status);
	} else {
		fail(e, "%s", s->detail);
	}
	if (e != OK)
		taxii_refuse(&job->door, e);
	buffer_free(&job->status);
	http_answer_now(r);
}

/* --- the doors --- */

/* The node itself needs no one to speak for. */
static struct span speaks_for(const struct taxii_door *d)
{
	return span_equal(d->caller->party, node_name(d->server->node)) ? SPAN("") : d->caller->party;
}

/* Who may write and not read sees what a stranger sees: it collides with nothing else, so nothing is told by that. */
static enum tlp level_of(const struct taxii_door *d)
{
	return d->collection.reach.read ? d->collection.reach.level : TLP_CLEAR;
}

/* The request's memory is bounded, with room for what a body of ordinary objects needs. */
static enum err too_many(void)
{
	return fail(ERR_STIX, "envelope: too many values for one request; send fewer at once");
}

/* What is no JSON is not understood (400); what is JSON and no envelope cannot be processed (422). A bundle is let in: the sink of
 * python-stix2 sends nothing else. */
static bool read_envelope(struct posting_job *job)
{
	struct http_request *r = job->door.r;
	enum err e = stix_envelope_read(r->arena, r->body, true, &job->envelope);
	char why[200];

	if (e == ERR_EMPTY)
		snprintf(why, sizeof(why), "no objects: an envelope is {\"objects\": [...]} with one object at least");
	else
		snprintf(why, sizeof(why), "%s", err_detail());
	if (e == ERR_EMPTY || e == ERR_FIELD || e == ERR_TOO_LONG)
		e = fail(ERR_STIX, "envelope: %s", why);
	if (e == ERR_NO_MEMORY)
		e = too_many();
	return e == OK || taxii_refuse(&job->door, e);
}

static void prepare(struct posting_job *job)
{
	struct taxii_door *d = &job->door;

	job->status = BUFFER(STATUS_MOST);
	job->now = (uint64_t)clock_now_ms() * 1000;
	job->share = (struct share){ .collection = d->collection.id, .for_party = speaks_for(d), .level = level_of(d) };
	randombytes_buf(job->posting.id, sizeof(job->posting.id));
	job->posting.id[6] = (uint8_t)((job->posting.id[6] & 0x0f) | 0x40);
	job->posting.id[8] = (uint8_t)((job->posting.id[8] & 0x3f) | 0x80);
	job->posting.at_ms = (int64_t)(job->now / 1000);
	job->posting.party = d->caller->party;
	job->submission = (struct submission){ .work = share_work, .done = share_done, .context = job };
}

static bool check_content(struct taxii_door *d)
{
	return taxii_content(d->r) || taxii_refuse(d, fail(ERR_MEDIA_TYPE, "Content-Type: " TAXII_MEDIA));
}

/* On to the sequencing thread; or the answer is an error. */
static enum http_next offer(struct taxii_door *d, struct submission *s, enum err e)
{
	if (e == OK)
		e = sequencer_offer(d->server->sequencer, s);
	if (e == OK)
		return HTTP_LATER;
	taxii_refuse(d, e);
	return HTTP_NOW;
}

static enum http_next no_memory(void *context, struct http_request *r, struct http_answer *out)
{
	server_fail(context, r, ERR_NO_MEMORY, out);
	return HTTP_NOW;
}

enum http_next taxii_add_objects(void *context, struct http_request *r, struct http_answer *out)
{
	struct posting_job *job = arena_array(r->arena, 1, sizeof(*job));
	enum err e;

	if (job == NULL)
		return no_memory(context, r, out);
	if (!taxii_enter(&job->door, context, r, out, NEED_WRITE) || !check_content(&job->door) || !read_envelope(job))
		return HTTP_NOW;
	prepare(job);
	e = judge(job);
	return offer(&job->door, &job->submission, e == ERR_NO_MEMORY ? too_many() : e);
}

/* Only for whoever posted it. */
static enum err read_status(const struct taxii_door *d, struct span *text)
{
	const struct server *s = d->server;
	struct http_request *r = d->r;
	struct collection_id id;
	struct span payload;
	struct posting p;
	struct state st;
	enum err e;

	if (collection_id_parse(r->parts[0], &id) != OK)
		return ERR_NOT_FOUND;
	if ((e = server_read(s, r, &st)) != OK)
		return e;
	e = posting_find(&st, id.bytes, &p);
	if (e == OK && !span_equal(p.party, d->caller->party))
		e = ERR_NOT_FOUND;
	snapshot_end(st.snapshot);
	if (e == OK)
		e = node_private(s->node, r->arena, p.position, &payload);
	return e == OK ? posting_read(payload, &p, text) : e;
}

enum http_next taxii_get_status(void *context, struct http_request *r, struct http_answer *out)
{
	struct taxii_door d;
	enum err e;

	if (!taxii_enter_root(&d, context, r, out))
		return HTTP_NOW;
	if ((e = read_status(&d, &out->body)) != OK) {
		taxii_refuse(&d, e);
		return HTTP_NOW;
	}
	out->status = 200;
	out->media_type = TAXII_MEDIA;
	return HTTP_NOW;
}

/* --- removing --- */

struct removal_job {
	struct submission submission;
	struct taxii_door door;
	struct taxii_filters filters;
	struct removal removal;
};

static enum err removal_work(struct node *n, struct submission *s)
{
	struct removal_job *job = s->context;
	uint64_t gone;

	return objects_remove(n, &job->removal, &gone, &s->appended);
}

static void removal_done(struct submission *s)
{
	struct removal_job *job = s->context;
	struct http_answer *out = job->door.out;

	if (s->err == OK) {
		out->status = 200;
		out->media_type = TAXII_MEDIA; /* and no body (5.7) */
	} else {
		taxii_refuse(&job->door, fail(s->err, "%s", s->detail));
	}
	http_answer_now(job->door.r);
}

static enum err read_removal(struct removal_job *job)
{
	struct taxii_door *d = &job->door;
	struct span text;
	enum err e = taxii_query(d->r->arena, d->server->secret, SPAN(""), d->r->query, FILTER_VERSION | FILTER_SPEC,
				 &job->filters, &text);

	if (e == OK && (!stix_is_id(d->r->parts[1]) || job->filters.nothing))
		e = fail(ERR_NOT_FOUND, "no object of that id, or no such version, in this collection");
	job->removal = (struct removal){ .collection = d->collection.id,
					 .for_party = speaks_for(d),
					 .level = d->collection.reach.level,
					 .id = d->r->parts[1],
					 .which = job->filters.given != 0 ? &job->filters.which : NULL };
	job->submission = (struct submission){ .work = removal_work, .done = removal_done, .context = job };
	return e;
}

/* Without match[version] all versions go: were it the latest alone, an older one would come back in its place (5.7). */
enum http_next taxii_delete_object(void *context, struct http_request *r, struct http_answer *out)
{
	struct removal_job *job = arena_array(r->arena, 1, sizeof(*job));

	if (job == NULL)
		return no_memory(context, r, out);
	if (!taxii_enter(&job->door, context, r, out, NEED_READ | NEED_WRITE | NEED_FLOOR))
		return HTTP_NOW;
	return offer(&job->door, &job->submission, read_removal(job));
}
