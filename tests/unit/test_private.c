#include "regime/private.h"

#include <lmdb.h>

#include "regime/credential.h"
#include "regime/cursor.h"
#include "regime/directive.h"
#include "regime/seen.h"
#include "regime/sighting.h"
#include "regime/waiting.h"
#include "regime_node.h"

#define T0 INT64_C(1795000000000)
#define HOUR INT64_C(3600000)

static const struct addressee as7 = { .type = TO_AS, .asn = 7 };
static const struct addressee op = { .type = TO_PARTY, .domain = SPAN("op.example") };
static const struct addressee ee = { .type = TO_COUNTRY, .country = "EE" };
static const struct addressee net = { .type = TO_PREFIX, .prefix = { { 0, 0xc0000200, FAMILY_IPV4 }, 24 } };

static void add_in_batch(struct world *w, uint8_t kind, const struct buffer *record)
{
	struct span part = buffer_view(record);

	assert_int_equal(record->err, OK);
	assert_int_equal(node_add_private(w->n, kind, &part, 1), OK);
}

static void add(struct world *w, uint8_t kind, const struct buffer *record)
{
	assert_int_equal(node_begin(w->n), OK);
	add_in_batch(w, kind, record);
	assert_int_equal(node_commit(w->n), OK);
}

static struct state read_state(struct world *w)
{
	struct state st;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	return st;
}

static struct hash views_hash(struct world *w)
{
	struct state st = read_state(w);
	struct hash h;

	assert_int_equal(views_digest(st.snapshot, &h), OK);
	snapshot_end(st.snapshot);
	return h;
}

/* Live, audited, made again: the same bytes. */
static void same_when_made_again(struct world *w)
{
	struct hash live = views_hash(w);
	struct audit a;

	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	assert_true(hash_equal(a.views, live));
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/views", w->dir));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_true(hash_equal(views_hash(w), live));
}

/* ---- directives ---- */

static void set(struct world *w, const struct addressee *to, const struct directive *d)
{
	struct buffer record = BUFFER(1024);

	directive_write(&record, to, d, d == NULL);
	add(w, RECORD_PRIVATE, &record);
	buffer_free(&record);
}

static void holds(struct world *w, const struct addressee *to, const struct directive *expected, bool is_own)
{
	struct state st = read_state(w);
	struct directive d;
	bool own;

	assert_int_equal(directive_find(&st, to, &d, &own), OK);
	assert_int_equal(d.interval_ms, expected->interval_ms);
	assert_int_equal(d.window_ms, expected->window_ms);
	assert_int_equal(d.quiet_ms, expected->quiet_ms);
	assert_int_equal(d.threshold, expected->threshold);
	assert_int_equal(d.by, expected->by);
	assert_int_equal(d.format, expected->format);
	assert_int_equal(d.need_port, expected->need_port);
	assert_int_equal(d.carrier_nat, expected->carrier_nat);
	assert_int_equal(own, is_own);
	snapshot_end(st.snapshot);
}

static enum err list(void *context, const struct addressee *to, const struct directive *d)
{
	struct buffer *out = context;

	if (to != NULL)
		addressee_print(to, out);
	buffer_print(out, " %s\n", aggregation_name(d->by));
	return OK;
}

static void directives(void **state)
{
	struct world *w = world_new(*state);
	struct directive standard = directive_default(), slow = standard, shared = standard;
	struct buffer text = BUFFER(4096);
	enum aggregation a;
	struct state st;

	holds(w, &as7, &standard, false);
	slow.interval_ms = 24 * HOUR;
	slow.by = BY_DAY;
	slow.format = 2;
	slow.need_port = slow.carrier_nat = true;
	shared.window_ms = 0;
	shared.by = BY_SOURCE;
	set(w, &as7, &slow);
	set(w, &op, &standard);
	set(w, &net, &slow);
	holds(w, &as7, &slow, true);
	holds(w, &ee, &standard, false);
	set(w, NULL, &shared);
	holds(w, NULL, &shared, false);
	holds(w, &ee, &shared, false);
	holds(w, &op, &standard, true);
	st = read_state(w);
	assert_int_equal(directives_walk(&st, list, &text), OK);
	assert_span(buffer_view(&text), "op.example class\nAS7 day\nprefix 192.0.2.0/24 day\n source\n");
	snapshot_end(st.snapshot);
	set(w, &as7, NULL);
	set(w, &as7, NULL); /* once more does nothing */
	holds(w, &as7, &shared, false);
	same_when_made_again(w);
	set(w, NULL, NULL);
	holds(w, &as7, &standard, false);
	assert_int_equal(aggregation_parse(SPAN("source"), &a), OK);
	assert_int_equal(a, BY_SOURCE);
	assert_int_equal(aggregation_parse(SPAN("week"), &a), ERR_USAGE);
	buffer_free(&text);
	world_free(w);
}

/* ---- credentials ---- */

#define ARGON "$argon2id$v=19$m=65536,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static struct hash hash_of(const char *text)
{
	return hash_bytes(text, strlen(text));
}

static void set_credential(struct world *w, const char *name, enum credential_type t, const char *secret,
			   unsigned rights)
{
	struct hash h = hash_of(secret);
	struct credential c = { .type = t, .name = span_of(name), .party = SPAN("op.example"), .rights = rights };
	struct buffer record = BUFFER(1024);

	c.check = t == CREDENTIAL_PASSWORD ? SPAN(ARGON) : span_make(h.bytes, HASH_SIZE);
	credential_write(&record, &c);
	add(w, RECORD_PRIVATE, &record);
	buffer_free(&record);
}

static void remove_credential(struct world *w, const char *name)
{
	struct buffer record = BUFFER(1024);

	credential_write_removal(&record, span_of(name));
	add(w, RECORD_PRIVATE, &record);
	buffer_free(&record);
}

static enum err list_credential(void *context, const struct credential *c)
{
	buffer_print(context, "%.*s %s %u\n", SPAN_FORMAT(c->name), credential_type_name(c->type), c->rights);
	return OK;
}

static void credentials_are(struct world *w, const char *expected)
{
	struct buffer text = BUFFER(4096);
	struct state st = read_state(w);

	assert_int_equal(credentials_walk(&st, list_credential, &text), OK);
	assert_span(buffer_view(&text), expected);
	snapshot_end(st.snapshot);
	buffer_free(&text);
}

static void secret_opens(struct world *w, enum credential_type t, const char *secret, const char *name)
{
	struct state st = read_state(w);
	struct credential c;
	enum err e = credential_of(&st, t, hash_of(secret), &c);

	assert_int_equal(e, name != NULL ? OK : ERR_NOT_FOUND);
	if (name != NULL) {
		assert_span(c.name, name);
		assert_span(c.party, "op.example");
		assert_int_equal(credential_find(&st, span_of(name), &c), OK);
	}
	snapshot_end(st.snapshot);
}

static void credentials(void **state)
{
	struct world *w = world_new(*state);
	struct credential bad[] = {
		{ .name = SPAN("a b"), .party = SPAN("op.example"), .rights = 1, .check = SPAN(ARGON) },
		{ .name = SPAN(""), .party = SPAN("op.example"), .rights = 1, .check = SPAN(ARGON) },
		{ .name = SPAN("a"), .party = SPAN("op"), .rights = 1, .check = SPAN(ARGON) },
		{ .name = SPAN("a"), .party = SPAN("op.example"), .rights = 0, .check = SPAN(ARGON) },
		{ .name = SPAN("a"), .party = SPAN("op.example"), .rights = 8, .check = SPAN(ARGON) },
		{ .name = SPAN("a"), .party = SPAN("op.example"), .rights = 1, .check = SPAN("secret") },
		{ .name = SPAN("a"), .party = SPAN("op.example"), .rights = 1, .expires_ms = -1, .check = SPAN(ARGON) },
		{ .name = SPAN("a"), .party = SPAN("op.example"), .rights = 1, .type = 1, .check = SPAN(ARGON) },
	};
	struct state st;
	struct credential c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buffer record = BUFFER(1024);

		credential_write(&record, &bad[i]);
		assert_int_equal(record.err, ERR_USAGE);
		assert_int_equal(record.len, 0);
	}
	set_credential(w, "feed", CREDENTIAL_TOKEN, "one", RIGHT_READ);
	set_credential(w, "desk", CREDENTIAL_PASSWORD, "", RIGHT_READ | RIGHT_WRITE);
	set_credential(w, "Box-1", CREDENTIAL_CERTIFICATE, "one", RIGHT_WRITE);
	credentials_are(w, "Box-1 certificate 2\ndesk password 3\nfeed token 1\n");
	secret_opens(w, CREDENTIAL_TOKEN, "one", "feed");
	secret_opens(w, CREDENTIAL_CERTIFICATE, "one", "Box-1");
	secret_opens(w, CREDENTIAL_TOKEN, "two", NULL);
	st = read_state(w);
	assert_int_equal(credential_find(&st, SPAN("fee"), &c), ERR_NOT_FOUND);
	assert_int_equal(credential_find(&st, SPAN("f/d"), &c), ERR_NOT_FOUND);
	assert_int_equal(credential_find(&st, SPAN("desk"), &c), OK);
	assert_span(c.check, ARGON);
	snapshot_end(st.snapshot);
	/* A new secret: the old one opens nothing. */
	set_credential(w, "feed", CREDENTIAL_TOKEN, "two", RIGHT_READ);
	secret_opens(w, CREDENTIAL_TOKEN, "one", NULL);
	secret_opens(w, CREDENTIAL_TOKEN, "two", "feed");
	/* One secret is one tool's. */
	set_credential(w, "feed-2", CREDENTIAL_TOKEN, "two", RIGHT_WRITE);
	secret_opens(w, CREDENTIAL_TOKEN, "two", "feed-2");
	credentials_are(w, "Box-1 certificate 2\ndesk password 3\nfeed-2 token 2\n");
	/* Another type under the same name. */
	set_credential(w, "Box-1", CREDENTIAL_PASSWORD, "", RIGHT_WRITE);
	secret_opens(w, CREDENTIAL_CERTIFICATE, "one", NULL);
	remove_credential(w, "feed-2");
	remove_credential(w, "feed-2"); /* once more does nothing */
	secret_opens(w, CREDENTIAL_TOKEN, "two", NULL);
	credentials_are(w, "Box-1 password 2\ndesk password 3\n");
	same_when_made_again(w);
	credentials_are(w, "Box-1 password 2\ndesk password 3\n");
	world_free(w);
}

/* ---- packs ---- */

static struct pack pack_of(const struct addressee *to, enum rsit_class c, uint64_t events)
{
	return (struct pack){ .to = *to,
			      .class = c,
			      .since_ms = T0,
			      .events = events,
			      .explained = 1,
			      .breach = 2,
			      .repeats = 3,
			      .again = 4,
			      .first_ms = T0 - 9,
			      .last_ms = T0 - 1,
			      .country = "EE" };
}

static void wait_for(struct world *w, const struct pack *p)
{
	struct buffer head = BUFFER(1024);
	struct span parts[3];

	pack_write(&head, p);
	parts[0] = buffer_view(&head);
	parts[1] = SPAN("rows that ");
	parts[2] = SPAN("wait");
	assert_int_equal(node_add_private(w->n, RECORD_RAW, parts, 3), OK);
	buffer_free(&head);
}

struct waiting {
	struct world *world;
	struct buffer text;
	uint64_t position[8];
	size_t count;
};

static enum err look(void *context, const struct pack *p)
{
	struct waiting *seen = context;
	struct span payload, rows;
	struct pack stored;
	enum err e = node_private(seen->world->n, seen->world->arena, p->position, &payload);

	addressee_print(&p->to, &seen->text);
	buffer_print(&seen->text, " %d %llu", (int)p->class, (unsigned long long)p->events);
	seen->position[seen->count++] = p->position;
	if (e == ERR_NOT_FOUND) {
		buffer_text(&seen->text, " erased\n");
		return OK;
	}
	buffer_text(&seen->text, "\n");
	assert_int_equal(e, OK);
	assert_int_equal(pack_read(payload, &stored, &rows), OK);
	assert_span(rows, "rows that wait");
	assert_true(addressee_equal(&stored.to, &p->to));
	assert_int_equal(p->since_ms, T0);
	assert_int_equal(p->explained, 1);
	assert_int_equal(p->breach, 2);
	assert_int_equal(p->repeats, 3);
	assert_int_equal(p->again, 4);
	assert_int_equal(p->first_ms, T0 - 9);
	assert_int_equal(p->last_ms, T0 - 1);
	assert_string_equal(p->country, "EE");
	return OK;
}

static struct waiting who_waits(struct world *w, const struct addressee *to, const char *expected)
{
	struct waiting seen = { .world = w, .text = BUFFER(4096) };
	struct state st = read_state(w);

	assert_int_equal(packs_walk(&st, to, look, &seen), OK);
	assert_span(buffer_view(&seen.text), expected);
	buffer_free(&seen.text);
	snapshot_end(st.snapshot);
	return seen;
}

static void release(struct world *w, const struct addressee *to, enum rsit_class c, uint64_t through, int64_t now_ms)
{
	struct buffer record = BUFFER(1024);

	release_write(&record, to, c, through, now_ms);
	add_in_batch(w, RECORD_PRIVATE, &record);
	buffer_free(&record);
}

static int64_t released(struct world *w, const struct addressee *to)
{
	struct state st = read_state(w);
	int64_t ms = -1;

	assert_int_equal(released_find(&st, to, &ms), OK);
	snapshot_end(st.snapshot);
	return ms;
}

static void four_packs(struct world *w)
{
	const struct pack packs[] = { pack_of(&as7, CLASS_SPAM, 5), pack_of(&as7, CLASS_SPAM, 6),
				      pack_of(&as7, CLASS_SCANNER, 7), pack_of(&op, CLASS_SPAM, 8) };

	assert_int_equal(node_begin(w->n), OK);
	for (size_t i = 0; i < TABLE_LENGTH(packs); i++)
		wait_for(w, &packs[i]);
	assert_int_equal(node_commit(w->n), OK);
}

static void packs(void **state)
{
	struct world *w = world_new(*state);
	struct waiting seen;
	struct audit a;

	four_packs(w);
	who_waits(w, NULL, "op.example 1 8\nAS7 1 5\nAS7 1 6\nAS7 8 7\n");
	seen = who_waits(w, &as7, "AS7 1 5\nAS7 1 6\nAS7 8 7\n");
	assert_true(seen.position[0] < seen.position[1]);
	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	assert_int_equal(a.waiting, 4);
	same_when_made_again(w);
	assert_int_equal(released(w, &as7), 0);
	assert_int_equal(node_begin(w->n), OK);
	release(w, &as7, CLASS_SPAM, seen.position[0], T0 + 1);
	assert_int_equal(node_commit(w->n), OK);
	who_waits(w, &as7, "AS7 1 6\nAS7 8 7\n");
	assert_int_equal(released(w, &as7), T0 + 1);
	assert_int_equal(released(w, &op), 0);
	assert_int_equal(node_begin(w->n), OK);
	release(w, &as7, CLASS_SPAM, UINT64_MAX, T0 + 2);
	release(w, &as7, CLASS_SCANNER, UINT64_MAX, T0 + 2);
	assert_int_equal(node_commit(w->n), OK);
	who_waits(w, NULL, "op.example 1 8\n");
	same_when_made_again(w);
	world_free(w);
}

/* Rows that were erased wait no more; a release behind them finds nothing. */
static void erased_packs(void **state)
{
	struct world *w = world_new(*state);
	const char *path = arena_print(w->arena, "%s/journal", w->dir);
	struct waiting seen;
	struct journal *j;
	struct audit a;

	four_packs(w);
	seen = who_waits(w, &as7, "AS7 1 5\nAS7 1 6\nAS7 8 7\n");
	node_close(w->n);
	assert_int_equal(journal_open_writer(path, &j), OK);
	assert_int_equal(journal_erase(j, seen.position[0]), OK);
	journal_close(j);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	who_waits(w, &as7, "AS7 1 5 erased\nAS7 1 6\nAS7 8 7\n");
	assert_int_equal(node_audit(w->n, NULL, NULL, &a), OK);
	assert_int_equal(a.waiting, 3);
	node_close(w->n);
	take_away(arena_print(w->arena, "%s/views", w->dir));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	who_waits(w, &as7, "AS7 1 6\nAS7 8 7\n");
	assert_int_equal(node_begin(w->n), OK);
	release(w, &as7, CLASS_SPAM, seen.position[0], T0 + 1);
	assert_int_equal(node_commit(w->n), OK);
	who_waits(w, &as7, "AS7 1 6\nAS7 8 7\n");
	same_when_made_again(w);
	world_free(w);
}

/* ---- header lines ---- */

static void see(struct world *w, uint8_t format, struct span type, struct span header, int64_t ms)
{
	struct buffer record = BUFFER(SEEN_HEADER_MAX + 1024);

	seen_write(&record, format, type, &(struct seen){ header, ms });
	add(w, RECORD_PRIVATE, &record);
	buffer_free(&record);
}

static void header_lines(void **state)
{
	struct world *w = world_new(*state);
	struct buffer record = BUFFER(SEEN_HEADER_MAX + 1024);
	char *much = arena_alloc(w->arena, SEEN_HEADER_MAX + 1);
	struct state st = read_state(w);
	struct seen s;

	memset(much, 'x', SEEN_HEADER_MAX + 1);
	assert_int_equal(seen_find(&st, 1, SPAN("scan_ssh"), &s), ERR_NOT_FOUND);
	snapshot_end(st.snapshot);
	see(w, 1, SPAN("scan_ssh"), SPAN("timestamp,ip"), T0);
	see(w, 1, SPAN("scan_ssh"), SPAN("timestamp,ip,port"), T0 + 5);
	see(w, 2, SPAN("scan_ssh"), SPAN(""), 0);
	see(w, 1, SPAN(""), span_make(much, SEEN_HEADER_MAX), T0);
	see(w, 1, span_make(much, SEEN_TYPE_MAX), SPAN("h"), T0);
	st = read_state(w);
	assert_int_equal(seen_find(&st, 1, SPAN("scan_ssh"), &s), OK);
	assert_span(s.header, "timestamp,ip,port");
	assert_int_equal(s.since_ms, T0 + 5);
	assert_int_equal(seen_find(&st, 2, SPAN("scan_ssh"), &s), OK);
	assert_int_equal(s.header.len, 0);
	assert_int_equal(seen_find(&st, 1, SPAN(""), &s), OK);
	assert_int_equal(s.header.len, SEEN_HEADER_MAX);
	assert_int_equal(seen_find(&st, 1, span_make(much, SEEN_TYPE_MAX + 1), &s), ERR_NOT_FOUND);
	assert_int_equal(seen_find(&st, 1, SPAN("scan_ss"), &s), ERR_NOT_FOUND);
	snapshot_end(st.snapshot);
	same_when_made_again(w);
	seen_write(&record, 1, span_make(much, SEEN_TYPE_MAX + 1), &(struct seen){ SPAN("h"), T0 });
	assert_int_equal(record.err, ERR_TOO_LONG);
	buffer_clear(&record);
	seen_write(&record, 1, SPAN("t"), &(struct seen){ span_make(much, SEEN_HEADER_MAX + 1), T0 });
	assert_int_equal(record.err, ERR_TOO_LONG);
	buffer_free(&record);
	world_free(w);
}

/* ---- cursors ---- */

static void cursors(void **state)
{
	struct world *w = world_new(*state);
	struct buffer record = BUFFER(4 * CURSOR_PART_MAX);
	char *much = arena_alloc(w->arena, CURSOR_PART_MAX + 1);
	struct hash one = hash_bytes("one", 3), other = hash_bytes("other", 5);
	struct cursor c = {
		.sent = 7, .sent_deletions = UINT64_MAX, .next = SPAN("token"), .deleted_after = SPAN("d")
	};
	struct state st = read_state(w);
	struct cursor found;

	memset(much, 'x', CURSOR_PART_MAX + 1);
	assert_int_equal(cursor_find(&st, one, &found), OK);
	assert_int_equal(found.sent, 0);
	assert_int_equal(found.next.len, 0);
	snapshot_end(st.snapshot);
	cursor_write(&record, one, &c);
	add(w, RECORD_PRIVATE, &record);
	buffer_clear(&record);
	c.next = span_make(much, CURSOR_PART_MAX);
	c.sent = 8;
	cursor_write(&record, one, &c);
	add(w, RECORD_PRIVATE, &record);
	st = read_state(w);
	assert_int_equal(cursor_find(&st, one, &found), OK);
	assert_int_equal(found.sent, 8);
	assert_true(found.sent_deletions == UINT64_MAX);
	assert_int_equal(found.next.len, CURSOR_PART_MAX);
	assert_int_equal(found.added_after.len, 0);
	assert_span(found.deleted_after, "d");
	assert_int_equal(cursor_find(&st, other, &found), OK);
	assert_int_equal(found.sent, 0);
	snapshot_end(st.snapshot);
	same_when_made_again(w);
	buffer_clear(&record);
	c.next = span_make(much, CURSOR_PART_MAX + 1);
	cursor_write(&record, one, &c);
	assert_int_equal(record.err, ERR_TOO_LONG);
	buffer_free(&record);
	world_free(w);
}

/* ---- what all have in common ---- */

static void some_of_each(struct world *w, int64_t ms)
{
	struct buffer record = BUFFER(4096);
	struct directive d = directive_default();
	struct sighting_line l = { .source = address_ipv4(0xc0000201) };
	struct pack p = pack_of(&as7, CLASS_SPAM, 5);

	d.interval_ms = ms;
	directive_write(&record, &as7, &d, false);
	add_in_batch(w, RECORD_PRIVATE, &record);
	buffer_clear(&record);
	sightings_group(&record, &as7, CLASS_SPAM, 1);
	sightings_line(&record, &l, &(struct sighting_change){ 5, ms, ms, true, false });
	add_in_batch(w, RECORD_PRIVATE, &record);
	buffer_clear(&record);
	seen_write(&record, 1, SPAN("t"), &(struct seen){ SPAN("h"), ms });
	add_in_batch(w, RECORD_PRIVATE, &record);
	release(w, &op, CLASS_SPAM, 1, ms);
	wait_for(w, &p);
	buffer_free(&record);
}

static void abandoned(void **state)
{
	struct world *w = world_new(*state);
	struct hash before = views_hash(w);
	struct sighting_line l = { .source = address_ipv4(0xc0000201) };
	struct sighting s;

	assert_int_equal(node_begin(w->n), OK);
	some_of_each(w, T0);
	assert_int_equal(sighting_find(node_batch_state(w->n), &as7, CLASS_SPAM, &l, &s), OK); /* seen at once */
	node_abandon(w->n);
	assert_true(hash_equal(views_hash(w), before));
	reopen(w);
	assert_true(hash_equal(views_hash(w), before));
	world_free(w);
}

/* Whatever the views had heard of when the process ended, they catch up. */
static void crash_between_journal_and_views(void **state)
{
	struct world *w = world_new(*state);
	const char *views = arena_print(w->arena, "%s/views", w->dir);
	const char *kept[4];
	struct hash last;

	for (size_t i = 0; i < TABLE_LENGTH(kept); i++) {
		node_close(w->n);
		kept[i] = arena_print(w->arena, "%s/kept%zu", w->dir, i);
		copy(views, kept[i]);
		assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
		assert_int_equal(node_begin(w->n), OK);
		some_of_each(w, T0 + (int64_t)i * HOUR);
		add_notice(w, i);
		if (i == 2)
			release(w, &as7, CLASS_SPAM, UINT64_MAX, T0);
		assert_int_equal(node_commit(w->n), OK);
	}
	last = views_hash(w);
	for (size_t i = 0; i < TABLE_LENGTH(kept); i++) {
		node_close(w->n);
		put_back(kept[i], views);
		assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
		assert_true(hash_equal(views_hash(w), last));
		assert_int_equal(audit(w), OK);
	}
	world_free(w);
}

/* Views of an older version of the program, which had no table of sightings: made anew by whoever writes. */
static void an_older_node(void **state)
{
	struct world *w = world_new(*state);
	const char *path = arena_print(w->arena, "%s/views", w->dir);
	MDB_val make = { 4, "make" };
	struct node *reader;
	struct hash live;
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi table;

	assert_int_equal(node_begin(w->n), OK);
	some_of_each(w, T0);
	assert_int_equal(node_commit(w->n), OK);
	live = views_hash(w);
	node_close(w->n);
	assert_int_equal(mdb_env_create(&env), 0);
	assert_int_equal(mdb_env_set_maxdbs(env, 8), 0);
	assert_int_equal(mdb_env_open(env, path, 0, 0600), 0);
	assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
	assert_int_equal(mdb_dbi_open(txn, "meta", 0, &table), 0);
	assert_int_equal(mdb_del(txn, table, &make, NULL), 0);
	assert_int_equal(mdb_dbi_open(txn, "sightings", 0, &table), 0);
	assert_int_equal(mdb_drop(txn, table, 1), 0);
	assert_int_equal(mdb_txn_commit(txn), 0);
	mdb_env_close(env);
	assert_int_equal(node_open(w->dir, NODE_READ, &reader), ERR_DAMAGED);
	assert_non_null(strstr(err_detail(), "another version"));
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_true(hash_equal(views_hash(w), live));
	assert_int_equal(audit(w), OK);
	world_free(w);
}

static void not_ours(void **state)
{
	struct world *w = world_new(*state);
	struct hash before = views_hash(w);
	struct span parts[3] = { SPAN("X what is this"), SPAN(""), SPAN("S") }, payload;
	struct journal *j;
	uint64_t position;

	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, parts, 1), ERR_USAGE);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, parts + 1, 2), ERR_USAGE);
	assert_int_equal(node_add_private(w->n, RECORD_RAW, parts + 2, 1), ERR_USAGE);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, parts, 0), ERR_USAGE);
	parts[0] = SPAN("Wno pack");
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, parts, 1), ERR_USAGE);
	/* Ours by its tag, but it does not read: the batch is lost, the node is not. */
	assert_int_equal(node_add_private(w->n, RECORD_RAW, parts, 1), ERR_DAMAGED);
	assert_int_equal(node_commit(w->n), ERR_DAMAGED);
	assert_true(hash_equal(views_hash(w), before));
	assert_int_equal(node_private(w->n, w->arena, 0, &payload), ERR_NOT_FOUND);
	/* A later program's records are kept and fold to nothing. */
	node_close(w->n);
	parts[0] = SPAN("? from tomorrow");
	assert_int_equal(journal_open_writer(arena_print(w->arena, "%s/journal", w->dir), &j), OK);
	assert_int_equal(journal_begin(j), OK);
	assert_int_equal(journal_add(j, RECORD_PRIVATE, 0, parts, 1, &position), OK);
	assert_int_equal(journal_add(j, RECORD_RAW, 0, parts, 2, NULL), OK);
	assert_int_equal(journal_add(j, RECORD_RAW, 0, parts + 1, 1, NULL), OK);
	assert_int_equal(journal_commit(j), OK);
	journal_close(j);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	assert_true(hash_equal(views_hash(w), before));
	assert_int_equal(node_private(w->n, w->arena, position, &payload), OK);
	assert_span(payload, "? from tomorrow");
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* Every record cut and with every bit turned: it reads or is damaged, nothing else. */
static void damaged_records(void **state)
{
	struct scratch *s = *state;
	struct arena *a = arena_new(1 << 24);
	struct state st = { .arena = a };
	struct buffer records[7];
	struct directive d = directive_default();
	struct pack p = pack_of(&net, CLASS_SPAM, 5);
	struct views *v;

	for (size_t i = 0; i < TABLE_LENGTH(records); i++)
		records[i] = BUFFER(4096);
	directive_write(&records[0], &op, &d, false);
	directive_write(&records[1], &as7, &d, true);
	release_write(&records[2], &ee, CLASS_SPAM, 9, T0);
	release_write(&records[3], &net, CLASS_SPAM, UINT64_MAX, T0);
	seen_write(&records[4], 1, SPAN("type"), &(struct seen){ SPAN(""), T0 });
	pack_write(&records[5], &p);
	pack_write(&records[6], &(struct pack){ .to = op });
	assert_int_equal(views_open(scratch_path(s, "views"), true, &v), OK);
	for (size_t i = 0; i < TABLE_LENGTH(records); i++) {
		struct buffer *r = &records[i];
		uint8_t kind = i < 5 ? RECORD_PRIVATE : RECORD_RAW;

		assert_int_equal(r->err, OK);
		assert_int_equal(views_write(v, &st.snapshot), OK);
		assert_int_equal(private_fold(&st, kind, 1000, buffer_view(r)), OK);
		for (size_t n = 1; n < r->len; n++)
			assert_int_equal(private_fold(&st, kind, 1000, span_make(r->at, n)), ERR_DAMAGED);
		for (size_t bit = 8; bit < 8 * r->len; bit++) {
			enum err e;

			r->at[bit / 8] ^= (char)(1 << bit % 8);
			e = private_fold(&st, kind, 1000, buffer_view(r));
			assert_true(e == OK || e == ERR_DAMAGED);
			r->at[bit / 8] ^= (char)(1 << bit % 8);
		}
		snapshot_end(st.snapshot);
		buffer_free(r);
	}
	views_close(v);
	arena_free(a);
}

static enum err ignore_pack(void *context, const struct pack *p)
{
	(void)context;
	(void)p;
	return OK;
}

static enum err ignore_directive(void *context, const struct addressee *to, const struct directive *d)
{
	(void)context;
	(void)to;
	(void)d;
	return OK;
}

/* Lies in the view OWN: readers say so, and the audit names view and remedy. */
static void damaged_values(void **state)
{
	static const struct span keys[] = { SPAN("d\1\0\0\0\7"), SPAN("l\1t"), SPAN("r\0op.example\0") };
	struct world *w = world_new(*state);
	struct directive d;
	struct seen seen;
	struct state st;
	int64_t ms;
	bool own;

	assert_int_equal(node_begin(w->n), OK);
	some_of_each(w, T0);
	assert_int_equal(node_commit(w->n), OK);
	assert_int_equal(node_begin(w->n), OK);
	st = *node_batch_state(w->n);
	for (size_t i = 0; i < TABLE_LENGTH(keys); i++) {
		struct span value;

		assert_int_equal(view_get(st.snapshot, VIEW_OWN, keys[i], &value), OK); /* as private.h describes it */
		assert_int_equal(view_put(st.snapshot, VIEW_OWN, keys[i], SPAN("short")), OK);
	}
	assert_int_equal(view_put(st.snapshot, VIEW_OWN, SPAN("w\1\0\0\0\7"), SPAN("short")), OK);
	assert_int_equal(directive_find(&st, &as7, &d, &own), ERR_DAMAGED);
	assert_int_equal(directives_walk(&st, ignore_directive, NULL), ERR_DAMAGED);
	assert_int_equal(seen_find(&st, 1, SPAN("t"), &seen), ERR_DAMAGED);
	assert_int_equal(released_find(&st, &op, &ms), ERR_DAMAGED);
	assert_int_equal(packs_walk(&st, NULL, ignore_pack, NULL), ERR_DAMAGED);
	node_abandon(w->n);
	assert_int_equal(audit(w), OK);
	world_free(w);
}

/* A value that reads but is not what the journal gives. */
static void lies(void **state)
{
	static const struct {
		enum view view;
		struct span key, value; /* value empty: taken away */
	} table[] = {
		{ VIEW_OWN, SPAN("r\0op.example\0"), SPAN("\0\0\0\0\0\0\0\1") },
		{ VIEW_OWN, SPAN("r\0op.example\0"), SPAN("") },
		{ VIEW_OWN, SPAN("r\1\0\0\0\7"), SPAN("\0\0\0\0\0\0\0\1") },
		{ VIEW_OWN, SPAN("l\1t"), SPAN("") },
		{ VIEW_OWN, SPAN("w\1\0\0\0\7\1\0\0\0\0\0\0\0\1"), SPAN("never written") },
		{ VIEW_SIGHTINGS, SPAN("\1\0\0\0\7\1\4\xc0\0\2\1\0\0\0"), SPAN("") },
		{ VIEW_SIGHTINGS, SPAN("\1\0\0\0\7\1\4\xc0\0\2\2\0\0\0"),
		  SPAN("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") },
	};
	struct world *w = world_new(*state);
	const char *path = arena_print(w->arena, "%s/views", w->dir), *right = scratch_path(w->scratch, "right");

	assert_int_equal(node_begin(w->n), OK);
	some_of_each(w, T0);
	assert_int_equal(node_commit(w->n), OK);
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct snapshot *s;
		struct views *v;

		node_close(w->n);
		if (i == 0)
			copy(path, right);
		put_back(right, path);
		assert_int_equal(views_open(path, true, &v), OK);
		assert_int_equal(views_write(v, &s), OK);
		if (table[i].value.len > 0)
			assert_int_equal(view_put(s, table[i].view, table[i].key, table[i].value), OK);
		else
			assert_int_equal(view_delete(s, table[i].view, table[i].key), OK);
		assert_int_equal(snapshot_commit(s), OK);
		views_close(v);
		assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
		assert_int_equal(audit(w), ERR_LEDGER_DIFFERS);
		assert_non_null(strstr(err_detail(), view_name(table[i].view)));
		assert_non_null(strstr(err_detail(), "remove the folder views"));
		node_close(w->n);
		take_away(path);
		assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
		assert_int_equal(audit(w), OK);
	}
	world_free(w);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		IN_A_FOLDER(credentials),
		IN_A_FOLDER(directives),
		IN_A_FOLDER(packs),
		IN_A_FOLDER(erased_packs),
		IN_A_FOLDER(cursors),
		IN_A_FOLDER(header_lines),
		IN_A_FOLDER(abandoned),
		IN_A_FOLDER(crash_between_journal_and_views),
		IN_A_FOLDER(an_older_node),
		IN_A_FOLDER(not_ours),
		IN_A_FOLDER(damaged_records),
		IN_A_FOLDER(damaged_values),
		IN_A_FOLDER(lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
