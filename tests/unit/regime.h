/* What the tests of the regime share: statements from lines, and a state or a node with some parties in it. */
#ifndef REGIME_TEST_H
#define REGIME_TEST_H

#include "test.h"

#include "base/encoding.h"
#include "regime/node.h"
#include "regime/state.h"
#include "scratch.h"

#define DAY INT64_C(86400000)

/* The same key for the same domain, in every run. */
static inline struct signer *signer_of(const char *domain)
{
	struct hash seed = hash_bytes(domain, strlen(domain));
	struct signer *s = NULL;

	assert_int_equal(signer_from_seed(span_of(domain), seed.bytes, &s), OK);
	return s;
}

/* A signed statement of headers as they stand in `lines`, "name value\n…". */
static inline struct span statement_text(struct arena *a, enum kind k, const char *ledger, const struct signer *from,
					 const char *lines, struct hash *id)
{
	struct statement_writer w = { 0 };
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct span rest = span_of(lines), line;
	struct hash unused;
	const char *copy;

	statement_begin(&w, k, span_of(ledger), signer_verifier(from));
	while (span_line(&rest, &line)) {
		struct span value = line, name = span_cut(&value, ' ');
		char header[64];

		assert_true(name.len < sizeof(header));
		memcpy(header, name.at, name.len);
		header[name.len] = '\0';
		statement_add(&w, header, value);
	}
	if (statement_end(&w, from, &note, id != NULL ? id : &unused) != OK)
		fail_msg("%s: %s\n%s", err_code(w.err), err_detail(), lines);
	copy = arena_copy(a, note.at, note.len);
	assert_non_null(copy);
	line = span_make(copy, note.len);
	buffer_free(&note);
	statement_writer_free(&w);
	return line;
}

static inline const char *public_key_of(struct arena *a, const struct signer *s)
{
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { 1 };
	char *text = arena_alloc(a, BASE64_LENGTH(sizeof(bytes)) + 1);

	assert_non_null(text);
	memcpy(bytes + 1, signer_verifier(s)->public_key, KEY_PUBLIC_SIZE);
	base64_encode(bytes, sizeof(bytes), text);
	return text;
}

static inline struct span party_text(struct arena *a, const char *ledger, const struct signer *s, const char *lines,
				     struct hash *id)
{
	const char *all = arena_print(a, "public-key %s\n%s", public_key_of(a, s), lines);

	assert_non_null(all);
	return statement_text(a, KIND_PARTY, ledger, s, all, id);
}

static inline const char *hex_of(struct arena *a, struct hash h)
{
	char hex[HASH_HEX + 1];
	const char *copy;

	hash_hex(h, hex);
	copy = arena_copy(a, hex, HASH_HEX);
	assert_non_null(copy);
	return copy;
}

/* ---- a state without a node: the test says when an entry was logged ---- */

struct bare {
	struct views *views;
	struct state st;
	struct arena *arena;
	uint64_t size[LEDGER_COUNT];
	struct signer *node;
};

/* Folds one note. What state_fold says. */
static inline enum err bare_fold(struct bare *b, struct span note, enum ledger_id l, int64_t logged_ms)
{
	struct statement s;
	enum err e;

	assert_int_equal(statement_parse(b->arena, note, &s), OK);
	b->st.ledger = l;
	b->st.index = b->size[l]++;
	b->st.logged_ms = logged_ms;
	if ((e = state_fold(&b->st, &s)) != OK)
		print_error("%s: %s\n", err_code(e), err_detail());
	return e;
}

static inline struct bare *bare_new(struct scratch *s, const char *name)
{
	struct bare *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->arena = arena_new((size_t)1 << 28);
	assert_non_null(b->arena);
	assert_int_equal(views_open(scratch_path(s, name), true, &b->views), OK);
	b->st = (struct state){ .node = SPAN("cert.example"), .arena = b->arena };
	assert_int_equal(views_write(b->views, &b->st.snapshot), OK);
	b->node = signer_of("cert.example");
	assert_int_equal(bare_fold(b, party_text(b->arena, "cert.example/public", b->node, "role node\n", NULL),
				   LEDGER_PUBLIC, 1000),
			 OK);
	return b;
}

static inline void bare_free(struct bare *b)
{
	snapshot_end(b->st.snapshot);
	views_close(b->views);
	signer_free(b->node);
	arena_free(b->arena);
	free(b);
}

/* ---- a node with parties ---- */

struct world {
	struct scratch *scratch;
	struct arena *arena;
	const char *dir;
	struct node *n;
	struct signer *op, *res, *team, *stranger;
	struct hash party_op, party_res, notice, notice_as, plan;
};

static inline enum err world_try(struct world *w, struct span note)
{
	struct appended out;
	enum err e;

	assert_int_equal(node_begin(w->n), OK);
	e = node_add_statement(w->n, note, &out);
	node_abandon(w->n);
	return e;
}

static inline enum err world_add(struct world *w, struct span note, struct appended *out)
{
	struct appended unused;
	enum err e;

	assert_int_equal(node_begin(w->n), OK);
	e = node_add_statement(w->n, note, out != NULL ? out : &unused);
	if (e != OK) {
		print_error("%s: %s\n%.*s\n", err_code(e), err_detail(), SPAN_FORMAT(note));
		node_abandon(w->n);
		return e;
	}
	return node_commit(w->n);
}

#define SEALED_BODY                                                                                                    \
	"body application/vnd.comity.evidence+zstd 10 "                                                                \
	"sealed-sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n"

static inline struct world *world_new(struct scratch *s)
{
	struct world *w = calloc(1, sizeof(*w));
	const struct signer *node;

	assert_non_null(w);
	w->scratch = s;
	w->arena = s->arena;
	w->dir = scratch_path(s, "node");
	assert_int_equal(node_init(w->dir, SPAN("cert.example"), SPAN("The test's team")), OK);
	assert_int_equal(node_open(w->dir, NODE_WRITE, &w->n), OK);
	w->op = signer_of("op.example");
	w->res = signer_of("res.example");
	w->team = signer_of("team.example");
	w->stranger = signer_of("stranger.example");
	node = node_signer(w->n);
	assert_int_equal(world_add(w,
				   party_text(w->arena, "cert.example/public", w->op,
					      "role operator\ntitle An operator\nclaim AS64500\n"
					      "claim prefix 192.0.2.0/24\nclaim country EE\n",
					      &w->party_op),
				   NULL),
			 OK);
	assert_int_equal(
		world_add(w, party_text(w->arena, "cert.example/public", w->res, "role researcher\n", &w->party_res),
			  NULL),
		OK);
	assert_int_equal(world_add(w,
				   party_text(w->arena, "cert.example/public", w->team,
					      "role response-team\nrole researcher\n", NULL),
				   NULL),
			 OK);
	assert_int_equal(
		world_add(w,
			  statement_text(w->arena, KIND_NOTICE, "cert.example/circle", node,
					 "to op.example\nclass malicious-code/infected-system\nevents 3\n" SEALED_BODY,
					 &w->notice),
			  NULL),
		OK);
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_NOTICE, "cert.example/circle", w->res,
						  "to AS64500\nto prefix 192.0.2.128/25\nclass vulnerable/weak-crypto\n"
						  "events 1\n" SEALED_BODY,
						  &w->notice_as),
				   NULL),
			 OK);
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_PLAN, "cert.example/public", w->res,
						  "activity scan\nstart 2026-01-01T00:00:00Z\n"
						  "end 2026-02-01T00:00:00Z\nsource 198.51.100.0/24\ntarget any\n"
						  "purpose a test\n",
						  &w->plan),
				   NULL),
			 OK);
	return w;
}

static inline void world_free(struct world *w)
{
	node_close(w->n);
	signer_free(w->op);
	signer_free(w->res);
	signer_free(w->team);
	signer_free(w->stranger);
	free(w);
}

static inline struct hash world_digest(struct world *w)
{
	struct hash h;
	struct state st;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(state_digest(&st, &h), OK);
	snapshot_end(st.snapshot);
	return h;
}

#endif
