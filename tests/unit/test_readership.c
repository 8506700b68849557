/* The rules once more, as lists of words, and everything compared with them. */
#include "exchange/readership.h"

#include "ledger/entry.h"
#include "regime_node.h"

#define NOW_ISH 60000 /* more than a test takes */
#define DELAY (90 * DAY)

/* ---- who there is ---- */

/* What each party answers for, as statements write it. Claims that nobody approved are not here. */
static const struct {
	const char *party;
	const char *names[8];
} known[] = {
	{ "op.example",
	  { "op.example", "AS64500", "prefix 192.0.2.0/24", "prefix 192.0.2.128/25", "prefix 192.0.2.7/32",
	    "country EE" } },
	{ "res.example", { "res.example" } },
	{ "team.example", { "team.example" } },
	{ "stranger.example", { "stranger.example" } },
	{ "cert.example", { "cert.example" } },
	{ "unheard-of.example", { "unheard-of.example" } },
	{ "sub.op.example", { "sub.op.example" } },
};
#define AUTHORS 5 /* the first of them */

/* Of these, what the party's claims say word for word: lists are made of them. */
static bool within_a_claim(const char *name)
{
	return strcmp(name, "prefix 192.0.2.128/25") == 0 || strcmp(name, "prefix 192.0.2.7/32") == 0;
}

static const char *const universe[] = {
	"op.example",
	"res.example",
	"team.example",
	"stranger.example",
	"cert.example",
	"AS64500",
	"AS64501",
	"prefix 192.0.2.0/24",
	"prefix 192.0.2.128/25",
	"prefix 192.0.2.7/32",
	"prefix 192.0.0.0/16",
	"prefix 198.51.100.0/24",
	"prefix 2001:db8::/32",
	"country EE",
	"country FI",
	"all",
	"unheard-of.example",
	"sub.op.example",
};

static bool answers_for(const char *party, const char *name)
{
	for (size_t i = 0; i < TABLE_LENGTH(known); i++)
		if (strcmp(known[i].party, party) == 0)
			for (const char *const *n = known[i].names; *n != NULL; n++)
				if (strcmp(*n, name) == 0)
					return true;
	return false;
}

/* One of the node: who it is, and what it may do. */
struct person {
	const char *party; /* "": nobody's */
	bool reads, member, node;
};

static struct caller caller_of(const struct person *p)
{
	struct caller c = { .how = p->party[0] != '\0' ? CALLER_TOKEN : CALLER_ANONYMOUS,
			    .party = span_of(p->party),
			    .tool = SPAN(""),
			    .member = p->member,
			    .is_node = p->node };

	c.rights = (p->reads ? (unsigned)RIGHT_READ : (unsigned)RIGHT_WRITE) | (p->node ? (unsigned)RIGHT_OPERATE : 0);
	return c;
}

#define PERSONS 26

static void make_persons(struct person out[PERSONS])
{
	size_t n = 0;

	out[n++] = (struct person){ "", true, false, false };
	for (size_t i = 0; i < AUTHORS; i++)
		for (int bits = 0; bits < 4; bits++)
			out[n++] = (struct person){ known[i].party, (bits & 1) != 0, (bits & 2) != 0, false };
	out[n++] = (struct person){ "unheard-of.example", true, false, false };
	out[n++] = (struct person){ "sub.op.example", true, false, false };
	out[n++] = (struct person){ "cert.example", true, true, true };
	out[n++] = (struct person){ "cert.example", false, true, true }; /* operates, and does not read */
	out[n++] = (struct person){ "AS64500", true, false, false };	 /* no domain, and nobody */
	assert_int_equal(n, PERSONS);
}

/* ---- one statement, said plainly ---- */

#define WORDS_MAX 4
struct said {
	enum ledger_id ledger;
	enum kind kind;
	const char *from, *to[WORDS_MAX], *cc[WORDS_MAX], *for_party, *tlp[2];
	size_t to_count, cc_count, tlp_count;
	int64_t age_ms;
	struct hash id;
};

static bool in_words(const char *party, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (answers_for(party, words[i]))
			return true;
	return false;
}

/* A request for help names everybody. */
static bool asks_all(const struct person *p, const struct said *s, const char *const *words, size_t count)
{
	for (size_t i = 0; s->kind == KIND_REQUEST && p->party[0] != '\0' && i < count; i++)
		if (strcmp(words[i], "all") == 0)
			return true;
	return false;
}

static bool rule_asked(const struct person *p, const struct said *s)
{
	return asks_all(p, s, s->to, s->to_count) || asks_all(p, s, s->cc, s->cc_count);
}

static bool rule_first(const struct person *p, const struct said *s)
{
	return strcmp(p->party, s->from) == 0 || in_words(p->party, s->to, s->to_count) ||
	       (s->for_party != NULL && answers_for(p->party, s->for_party)) || asks_all(p, s, s->to, s->to_count);
}

static bool rule_copied(const struct person *p, const struct said *s)
{
	return in_words(p->party, s->cc, s->cc_count) || asks_all(p, s, s->cc, s->cc_count);
}

static bool rule_statement(const struct person *p, const struct said *s, int64_t delay_ms)
{
	if (s->ledger == LEDGER_PUBLIC || s->age_ms >= delay_ms)
		return true;
	if (!p->reads)
		return false;
	return p->member || p->node || rule_first(p, s) || rule_copied(p, s);
}

static const struct {
	const char *word;
	char colour;
} colours[] = {
	{ "CLEAR", 'c' },	 { "WHITE", 'c' }, { "white", 'c' }, { "GREEN", 'g' }, { "AMBER", 'a' },
	{ "AMBER+STRICT", 's' }, { "RED", 'r' },   { "red", 'r' },   { "PINK", 'r' },  { "GREEN AND MORE", 'r' },
};

static char colour_of(const struct said *s)
{
	static const char order[] = "cgasr";
	size_t worst = 0;

	if (s->tlp_count == 0)
		return 'a';
	for (size_t i = 0; i < s->tlp_count; i++)
		for (size_t j = 0; j < TABLE_LENGTH(colours); j++)
			if (strcmp(s->tlp[i], colours[j].word) == 0 &&
			    (size_t)(strchr(order, colours[j].colour) - order) > worst)
				worst = (size_t)(strchr(order, colours[j].colour) - order);
	return order[worst];
}

static bool rule_body(const struct person *p, const struct said *s)
{
	char colour = colour_of(s);

	if (s->ledger == LEDGER_PUBLIC || colour == 'c')
		return true;
	if (!p->reads)
		return false;
	if (p->node || (colour == 'g' && p->member) || rule_first(p, s))
		return true;
	return colour != 'r' && rule_copied(p, s);
}

/* ---- chance ---- */

static const char *draw_word(uint64_t *seed)
{
	return universe[test_below(seed, TABLE_LENGTH(universe))];
}

static struct said draw(uint64_t *seed)
{
	static const enum kind kinds[] = {
		KIND_NOTICE, KIND_SHARE, KIND_EMBARGO, KIND_CASE, KIND_ANSWER, KIND_REQUEST
	};
	static const int64_t ages[] = { 0, DAY, DELAY - NOW_ISH, DELAY, DELAY + NOW_ISH, 1000 * DAY };
	struct said s = { .ledger = test_below(seed, 5) == 0 ? LEDGER_PUBLIC : LEDGER_CIRCLE };

	s.kind = kinds[test_below(seed, TABLE_LENGTH(kinds))];
	s.from = known[test_below(seed, AUTHORS)].party;
	s.to_count = test_below(seed, WORDS_MAX);
	s.cc_count = test_below(seed, WORDS_MAX);
	s.tlp_count = test_below(seed, 8) == 0 ? 2 : test_below(seed, 4) != 0;
	for (size_t i = 0; i < s.to_count; i++)
		s.to[i] = draw_word(seed);
	for (size_t i = 0; i < s.cc_count; i++)
		s.cc[i] = draw_word(seed);
	for (size_t i = 0; i < s.tlp_count; i++)
		s.tlp[i] = colours[test_below(seed, TABLE_LENGTH(colours))].word;
	if (test_below(seed, 4) == 0)
		do
			s.for_party = draw_word(seed);
		while (strcmp(s.for_party, "all") == 0);
	s.age_ms = ages[test_below(seed, TABLE_LENGTH(ages))];
	return s;
}

static void add_words(struct buffer *b, const char *name, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		buffer_print(b, "%s %s\n", name, words[i]);
}

static struct span write_note(struct arena *a, const struct said *s, const char *more, struct hash *id)
{
	struct signer *key = signer_of(s->from);
	struct buffer lines = BUFFER(1 << 16);
	struct span note;

	add_words(&lines, "to", s->to, s->to_count);
	add_words(&lines, "cc", s->cc, s->cc_count);
	add_words(&lines, "tlp", s->tlp, s->tlp_count);
	if (s->for_party != NULL)
		buffer_print(&lines, "for %s\n", s->for_party);
	buffer_print(&lines, "%s", more);
	buffer_byte(&lines, '\0');
	note = statement_text(a, s->kind, s->ledger == LEDGER_PUBLIC ? "cert.example/public" : "cert.example/circle",
			      key, lines.at, id);
	buffer_free(&lines);
	signer_free(key);
	return note;
}

static void tell(const struct person *p, const struct said *s)
{
	print_error("caller %s%s%s%s; from %s, %s, age %jd\n", p->party, p->reads ? " reads" : "",
		    p->member ? " member" : "", p->node ? " node" : "", s->from, ledger_name(s->ledger),
		    (intmax_t)s->age_ms);
	for (size_t i = 0; i < s->to_count; i++)
		print_error("  to %s\n", s->to[i]);
	for (size_t i = 0; i < s->cc_count; i++)
		print_error("  cc %s\n", s->cc[i]);
	for (size_t i = 0; i < s->tlp_count; i++)
		print_error("  tlp %s\n", s->tlp[i]);
	print_error("  for %s\n", s->for_party != NULL ? s->for_party : "-");
}

/* ---- a node where op's claims are approved and res's are not ---- */

static void judge(struct world *w, struct hash party_statement)
{
	assert_int_equal(world_add(w,
				   statement_text(w->arena, KIND_ANSWER, "cert.example/public", node_signer(w->n),
						  arena_print(w->arena, "re %s\noutcome accepted\n",
							      hex_of(w->arena, party_statement)),
						  NULL),
				   NULL),
			 OK);
}

static struct world *people(void **state)
{
	struct world *w = world_new(*state);

	judge(w, w->party_op);
	assert_int_equal(
		world_add(w,
			  party_text(w->arena, "cert.example/public", w->res,
				     "role researcher\nclaim AS64501\nclaim prefix 198.51.100.0/24\n", &w->party_res),
			  NULL),
		OK);
	return w;
}

static void statements_and_bodies(void **state)
{
	struct world *w = people(state);
	struct arena *a = arena_new((size_t)1 << 22);
	struct person persons[PERSONS];
	uint64_t seed = test_seed();
	unsigned seen = 0, hidden = 0;
	struct state st;

	make_persons(persons);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (int round = 0; round < 1500; round++) {
		struct said said = draw(&seed);
		struct statement s;

		arena_reset(a);
		assert_int_equal(statement_parse(a, write_note(a, &said, "", &said.id), &s), OK);
		for (size_t i = 0; i < PERSONS; i++) {
			struct caller c = caller_of(&persons[i]);
			bool may, body;

			assert_int_equal(readership_statement(&st, &c, said.ledger, &s, clock_now_ms() - said.age_ms,
							      DELAY, &may),
					 OK);
			assert_int_equal(readership_body(&st, &c, said.ledger, &s, &body), OK);
			if (may != rule_statement(&persons[i], &said, DELAY) || body != rule_body(&persons[i], &said)) {
				tell(&persons[i], &said);
				fail_msg("statement %d, body %d: not as the rules say", may, body);
			}
			seen += may;
			hidden += !may;
		}
	}
	assert_true(seen > 1000 && hidden > 1000);
	snapshot_end(st.snapshot);
	arena_free(a);
	world_free(w);
}

/* ---- lists ---- */

#define SAID_MAX 160

struct log {
	struct said all[SAID_MAX];
	size_t count;
};

/* Notices and plans that a node takes, and kinds that it keeps. */
static struct said draw_entry(uint64_t *seed)
{
	static const char *const plain[] = { "CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED" };
	struct said s = draw(seed);

	s.age_ms = 0;
	s.tlp_count = s.tlp_count > 1 ? 1 : s.tlp_count;
	s.tlp[0] = plain[test_below(seed, TABLE_LENGTH(plain))];
	s.for_party = NULL;
	if (test_below(seed, 3) == 0) {
		s.kind = KIND_PLAN;
		s.ledger = LEDGER_PUBLIC;
		s.to_count = s.cc_count = s.tlp_count = 0;
	} else if (test_below(seed, 4) == 0) {
		s.kind = KIND_REQUEST;
		s.ledger = LEDGER_CIRCLE;
		s.to_count = 1;
		s.to[0] = test_below(seed, 2) == 0 ? "all" : "sub.op.example";
	} else {
		s.kind = KIND_NOTICE;
		s.ledger = LEDGER_CIRCLE;
		if (s.to_count == 0)
			s.to[s.to_count++] = draw_word(seed);
		for (size_t i = 0; i < s.to_count; i++)
			while (strcmp(s.to[i], "all") == 0)
				s.to[i] = draw_word(seed);
	}
	while (strcmp(s.from, "stranger.example") == 0 || strcmp(s.from, "cert.example") == 0)
		s.from = known[test_below(seed, AUTHORS)].party;
	return s;
}

static void log_one(struct world *w, struct log *l, struct said s, uint64_t *seed)
{
	char number[128], more[512];

	snprintf(number, sizeof(number), "%ju", (uintmax_t)(test_random(seed) >> 33));
	if (s.kind == KIND_PLAN)
		snprintf(more, sizeof(more),
			 "activity scan\nstart 2026-01-01T00:00:00Z\nend 2026-02-01T00:00:00Z\n"
			 "source 198.51.100.0/24\ntarget any\npurpose number %s\n",
			 number);
	else if (s.kind == KIND_REQUEST)
		snprintf(more, sizeof(more), "need help\naffected %u\n", (unsigned)(test_random(seed) >> 33));
	else
		snprintf(more, sizeof(more), "class vulnerable/weak-crypto\nevents %s\n" SEALED_BODY, number);
	assert_true(l->count < SAID_MAX);
	assert_int_equal(world_add(w, write_note(w->arena, &s, more, &s.id), NULL), OK);
	l->all[l->count++] = s;
}

struct listing {
	struct node *n;
	struct arena *arena;
	struct buffer text; /* ids, a line each */
};

static enum err list_one(void *context, const struct feed_entry *e)
{
	struct listing *l = context;
	char hex[HASH_HEX + 1];
	struct span text;
	struct entry entry;
	struct statement s;

	assert_int_equal(node_entry(l->n, l->arena, e->ledger, e->index, &text), OK);
	assert_int_equal(entry_parse(text, &entry), OK);
	assert_int_equal(statement_parse(l->arena, entry.note, &s), OK);
	hash_hex(s.id, hex);
	buffer_print(&l->text, "%s\n", hex);
	return OK;
}

/* What the program lists. */
static void list(struct world *w, struct arena *a, const struct state *st, const struct person *p, enum kind k,
		 const char *party, const struct hash *matter, struct buffer *out)
{
	struct listing l = { w->n, a, BUFFER(1 << 20) };
	struct caller c = caller_of(p);
	struct feed feeds[FEEDS_MAX];
	struct addressee to;
	size_t count;

	if (party != NULL)
		assert_int_equal(addressee_parse(span_of(party), &to), OK);
	assert_int_equal(readership_feeds(st, &c, k, party != NULL ? &to : NULL, matter, feeds, &count), OK);
	assert_int_equal(feed_walk(st->snapshot, feeds, count, 0, list_one, &l), OK);
	assert_int_equal(l.text.err, OK);
	*out = l.text;
}

static bool says_word(const struct said *s, const char *word)
{
	if (strcmp(s->from, word) == 0)
		return true;
	for (size_t i = 0; i < s->to_count; i++)
		if (strcmp(s->to[i], word) == 0)
			return true;
	for (size_t i = 0; i < s->cc_count; i++)
		if (strcmp(s->cc[i], word) == 0)
			return true;
	return false;
}

/* It names the party, or just what the party claimed. */
static bool names_just(const struct person *p, const struct said *s)
{
	for (size_t i = 0; i < TABLE_LENGTH(universe); i++)
		if (answers_for(p->party, universe[i]) && !within_a_claim(universe[i]) && says_word(s, universe[i]))
			return true;
	return p->party[0] != '\0' && says_word(s, p->party) && strchr(p->party, '.') != NULL;
}

/* Of copies, only those to it by name or just to what it claimed are found without reading the statement. */
static bool rule_matter(const struct person *p, const struct said *s)
{
	return rule_first(p, s) || rule_asked(p, s) || names_just(p, s);
}

static bool rule_listed(const struct person *p, const struct said *s, enum kind k, const char *party,
			const struct hash *matter)
{
	bool whole = p->reads && (p->member || p->node);

	if (k != KIND_UNKNOWN && s->kind != k && matter == NULL)
		return false;
	if (party != NULL && !says_word(s, party))
		return false;
	if (matter != NULL && !hash_equal(s->id, *matter))
		return false;
	if (s->ledger == LEDGER_PUBLIC || whole)
		return true;
	if (!p->reads || p->party[0] == '\0')
		return false;
	if (matter != NULL)
		return rule_matter(p, s);
	if (rule_asked(p, s))
		return party == NULL || strcmp(party, "all") == 0 || answers_for(p->party, party);
	return party != NULL ? answers_for(p->party, party) : names_just(p, s);
}

static void compare_list(struct world *w, struct arena *a, const struct state *st, const struct log *l,
			 const struct person *p, enum kind k, const char *party, const struct hash *matter)
{
	struct buffer got, wanted = BUFFER(1 << 20);
	struct span rest;
	size_t extra = 0;

	list(w, a, st, p, k, party, matter, &got);
	for (size_t i = 0; i < l->count; i++)
		if (rule_listed(p, &l->all[i], k, party, matter)) {
			char hex[HASH_HEX + 1];

			hash_hex(l->all[i].id, hex);
			buffer_print(&wanted, "%s\n", hex);
		}
	/* What the world began with is not in the log: it stands before all of it. */
	extra = got.len - (wanted.len < got.len ? wanted.len : got.len);
	rest = span_from(buffer_view(&got), extra);
	if (!span_equal(rest, buffer_view(&wanted)))
		fail_msg("%s%s%s%s, kind %s, party %s: listed\n%.*s\nby the rules\n%.*s", p->party,
			 p->reads ? " reads" : "", p->member ? " member" : "", p->node ? " node" : "", kind_name(k),
			 party != NULL ? party : "-", SPAN_FORMAT(rest), SPAN_FORMAT(buffer_view(&wanted)));
	for (size_t i = 0; i < l->count; i++) { /* and none of the log before it */
		char hex[HASH_HEX + 1];

		hash_hex(l->all[i].id, hex);
		assert_true(extra == 0 || memmem(got.at, extra, hex, HASH_HEX) == NULL);
	}
	buffer_free(&got);
	buffer_free(&wanted);
}

static void lists(void **state)
{
	static const enum kind kinds[] = { KIND_UNKNOWN, KIND_NOTICE, KIND_PLAN, KIND_SHARE, KIND_REQUEST };
	struct world *w = people(state);
	struct arena *a = arena_new((size_t)1 << 26);
	struct person persons[PERSONS];
	uint64_t seed = test_seed();
	struct log l = { .count = 0 };
	struct state st;

	make_persons(persons);
	for (int i = 0; i < 60; i++)
		log_one(w, &l, draw_entry(&seed), &seed);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (size_t i = 0; i < PERSONS; i++)
		for (size_t k = 0; k < TABLE_LENGTH(kinds); k++) {
			arena_reset(a);
			compare_list(w, a, &st, &l, &persons[i], kinds[k], NULL, NULL);
			for (size_t u = 0; u < TABLE_LENGTH(universe); u++)
				compare_list(w, a, &st, &l, &persons[i], kinds[k], universe[u], NULL);
			for (size_t m = 0; k == 0 && m < l.count; m++)
				compare_list(w, a, &st, &l, &persons[i], KIND_UNKNOWN, NULL, &l.all[m].id);
		}
	snapshot_end(st.snapshot);
	arena_free(a);
	world_free(w);
}

/* ---- answers ---- */

static struct hash say(struct world *w, enum kind k, const struct signer *from, const char *lines)
{
	struct hash id;

	assert_int_equal(world_add(w, statement_text(w->arena, k, "cert.example/circle", from, lines, &id), NULL), OK);
	return id;
}

static bool may_see(struct world *w, const struct state *st, const struct person *p, struct hash id)
{
	struct caller c = caller_of(p);
	enum ledger_id ledger;
	struct statement s;
	struct entry entry;
	struct span text;
	uint64_t index;
	bool may;

	assert_int_equal(state_find(st, id, &ledger, &index), OK);
	assert_int_equal(node_entry(w->n, w->arena, ledger, index, &text), OK);
	assert_int_equal(entry_parse(text, &entry), OK);
	assert_int_equal(statement_parse(w->arena, entry.note, &s), OK);
	assert_int_equal(readership_statement(st, &c, ledger, &s, entry.logged_ms, DELAY, &may), OK);
	return may;
}

/* Who may see a matter sees what is answered to it, whoever wrote it; what else refers to it is for those whom it names. */
static void answers_are_seen_with_their_matter(void **state)
{
	static const struct {
		struct person p;
		bool sees;
	} readers[] = {
		{ { "res.example", true, false, false }, true },  /* wrote the notice */
		{ { "op.example", true, false, false }, true },	  /* holds what it is to */
		{ { "team.example", true, false, false }, true }, /* has a copy */
		{ { "stranger.example", true, true, false }, true },
		{ { "cert.example", true, false, true }, true },
		{ { "stranger.example", true, false, false }, false },
		{ { "res.example", false, false, false }, false },
		{ { "sub.op.example", true, false, false }, false },
		{ { "", true, false, false }, false },
	};
	struct world *w = people(state);
	struct hash notice, answer, other, request;
	struct state st;
	const char *re;

	notice = say(w, KIND_NOTICE, w->res,
		     "to prefix 192.0.2.7/32\ncc team.example\ntlp RED\nclass vulnerable/weak-crypto\nevents "
		     "1\n" SEALED_BODY);
	re = arena_print(w->arena, "re %s\n", hex_of(w->arena, notice));
	answer = say(w, KIND_ANSWER, w->op, arena_print(w->arena, "%soutcome working\n", re));
	other = say(w, KIND_ANSWER, node_signer(w->n),
		    arena_print(w->arena, "%soutcome fixed\nfor op.example\nvia desk\n", re));
	request = say(w, KIND_CASE, w->op, arena_print(w->arena, "%sto stranger.example\n", re));
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	for (size_t i = 0; i < TABLE_LENGTH(readers); i++) {
		const struct person *p = &readers[i].p;
		bool whole = p->reads && (p->member || p->node), in_it = strcmp(p->party, "op.example") == 0;
		struct buffer listed;

		assert_int_equal(may_see(w, &st, p, notice), readers[i].sees);
		assert_int_equal(may_see(w, &st, p, answer), readers[i].sees);
		assert_int_equal(may_see(w, &st, p, other), readers[i].sees);
		assert_int_equal(may_see(w, &st, p, request),
				 whole || in_it || (p->reads && strcmp(p->party, "stranger.example") == 0));
		list(w, w->arena, &st, p, KIND_UNKNOWN, NULL, &notice, &listed);
		assert_int_equal(listed.len > 0 && memmem(listed.at, listed.len, hex_of(w->arena, answer), HASH_HEX),
				 readers[i].sees);
		assert_true(readers[i].sees || listed.len == 0);
		buffer_free(&listed);
	}
	snapshot_end(st.snapshot);
	world_free(w);
}

static void a_party_or_a_matter(void **state)
{
	struct world *w = people(state);
	struct caller c = { .rights = RIGHT_READ };
	struct addressee to = { .type = TO_AS, .asn = 64500 };
	struct feed feeds[FEEDS_MAX];
	struct state st;
	size_t count;

	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(readership_feeds(&st, &c, KIND_UNKNOWN, &to, &w->plan, feeds, &count), ERR_USAGE);
	snapshot_end(st.snapshot);
	world_free(w);
}

/* A party with more resources than there are feeds is told so, and nothing of it is left out without a word. */
static void more_resources_than_feeds(void **state)
{
	struct world *w = world_new(*state);
	struct buffer lines = BUFFER(1 << 16);
	struct caller c = { .party = SPAN("op.example"), .rights = RIGHT_READ };
	struct addressee one = { .type = TO_AS, .asn = 65007 };
	struct feed feeds[FEEDS_MAX];
	struct state st;
	size_t count;

	for (int n = FEEDS_MAX - 3; n <= FEEDS_MAX - 2; n++) {
		buffer_clear(&lines);
		buffer_print(&lines, "role operator\n");
		for (int i = 0; i < n; i++)
			buffer_print(&lines, "claim AS%d\n", 65000 + i);
		buffer_byte(&lines, '\0');
		assert_int_equal(
			world_add(w, party_text(w->arena, "cert.example/public", w->op, lines.at, &w->party_op), NULL),
			OK);
		judge(w, w->party_op);
		assert_int_equal(node_read(w->n, w->arena, &st), OK);
		assert_int_equal(readership_feeds(&st, &c, KIND_UNKNOWN, NULL, NULL, feeds, &count),
				 n == FEEDS_MAX - 3 ? OK : ERR_TOO_LONG);
		assert_int_equal(readership_feeds(&st, &c, KIND_UNKNOWN, &one, NULL, feeds, &count), OK);
		assert_int_equal(count, 2);
		c.member = true;
		assert_int_equal(readership_feeds(&st, &c, KIND_UNKNOWN, NULL, NULL, feeds, &count), OK);
		c.member = false;
		snapshot_end(st.snapshot);
	}
	buffer_free(&lines);
	world_free(w);
}

/* ---- the world with a secret and the world without it ---- */

/* Everything that can be asked, as one text. */
static void ask_everything(struct world *w, struct arena *a, const struct person *p, const struct log *l,
			   struct hash secret, struct buffer *out)
{
	static const enum kind kinds[] = { KIND_UNKNOWN, KIND_NOTICE, KIND_PLAN, KIND_PARTY, KIND_ANSWER };
	struct caller c = caller_of(p);
	struct state st;
	struct buffer one;

	assert_int_equal(node_read(w->n, a, &st), OK);
	for (size_t k = 0; k < TABLE_LENGTH(kinds); k++)
		for (size_t u = 0; u <= TABLE_LENGTH(universe); u++) {
			list(w, a, &st, p, kinds[k], u < TABLE_LENGTH(universe) ? universe[u] : NULL, NULL, &one);
			buffer_print(out, "kind %s of %zu:\n%.*s", kind_name(kinds[k]), u,
				     SPAN_FORMAT(buffer_view(&one)));
			buffer_free(&one);
		}
	for (size_t i = 0; i <= l->count; i++) {
		struct hash id = i < l->count ? l->all[i].id : secret;
		enum ledger_id ledger;
		struct statement s;
		struct entry entry;
		struct span text;
		uint64_t index;
		bool may = false, body = false;
		enum err e = state_find(&st, id, &ledger, &index);

		if (e == OK) {
			assert_int_equal(node_entry(w->n, a, ledger, index, &text), OK);
			assert_int_equal(entry_parse(text, &entry), OK);
			assert_int_equal(statement_parse(a, entry.note, &s), OK);
			assert_int_equal(readership_statement(&st, &c, ledger, &s, entry.logged_ms, DELAY, &may), OK);
			assert_int_equal(readership_body(&st, &c, ledger, &s, &body), OK);
		}
		buffer_print(out, "%s\n", !may ? "not found" : body ? "statement and body" : "statement");
		list(w, a, &st, p, KIND_UNKNOWN, NULL, &id, &one);
		buffer_print(out, "matter:\n%.*s", SPAN_FORMAT(buffer_view(&one)));
		buffer_free(&one);
	}
	snapshot_end(st.snapshot);
}

static void what_is_hidden_changes_nothing(void **state)
{
	struct world *with = people(state), without = *with;
	struct arena *a = arena_new((size_t)1 << 26);
	struct person persons[PERSONS];
	uint64_t seed = test_seed();
	unsigned blind = 0;

	make_persons(persons);
	for (int round = 0; round < 4; round++) {
		struct log l = { .count = 0 }, same = { .count = 0 }, unused = { .count = 0 };
		struct said secret = draw_entry(&seed);
		uint64_t twin;

		while (secret.ledger == LEDGER_PUBLIC)
			secret = draw_entry(&seed);
		secret.tlp[0] = "RED";
		secret.tlp_count = 1;
		node_close(with->n);
		without.dir = scratch_path(with->scratch, arena_print(with->arena, "without-%d", round));
		copy(with->dir, without.dir);
		assert_int_equal(node_open(with->dir, NODE_WRITE, &with->n), OK);
		assert_int_equal(node_open(without.dir, NODE_WRITE, &without.n), OK);
		for (int i = 0; i < 8; i++) {
			struct said s = draw_entry(&seed);

			if (i == 4)
				log_one(with, &unused, secret, &seed);
			twin = seed;
			log_one(with, &l, s, &seed);
			log_one(&without, &same, s, &twin);
		}
		for (size_t i = 0; i < PERSONS; i++) {
			struct buffer one = BUFFER(1 << 24), other = BUFFER(1 << 24);

			if (rule_statement(&persons[i], &unused.all[0], DELAY))
				continue;
			arena_reset(a);
			ask_everything(with, a, &persons[i], &l, unused.all[0].id, &one);
			ask_everything(&without, a, &persons[i], &same, unused.all[0].id, &other);
			assert_int_equal(one.err, OK);
			if (!span_equal(buffer_view(&one), buffer_view(&other))) {
				tell(&persons[i], &unused.all[0]);
				fail_msg("with\n%.*s\nwithout\n%.*s", SPAN_FORMAT(buffer_view(&one)),
					 SPAN_FORMAT(buffer_view(&other)));
			}
			blind++;
			buffer_free(&one);
			buffer_free(&other);
		}
		node_close(without.n);
	}
	assert_true(blind > 20);
	arena_free(a);
	world_free(with);
}

/* ---- collections ---- */

/* Each reader's level in a collection for the named, for members, for all: '-' not at all, then clear, green, amber,
 * strict, red; and whether it may write where the named, members, all may. */
static void collections(void **state)
{
	static const struct {
		const char *what;
		struct person p;
		unsigned rights;
		const char *levels, *writes;
	} table[] = {
		{ "anybody", { "", true, false, false }, RIGHT_READ, "--c", "---" },
		{ "a party", { "op.example", true, false, false }, RIGHT_READ, "--c", "---" },
		{ "a party that writes", { "op.example", true, false, false }, RIGHT_READ | RIGHT_WRITE, "--c", "--w" },
		{ "a member", { "op.example", true, true, false }, RIGHT_READ, "-sg", "---" },
		{ "a member that writes", { "op.example", true, true, false }, RIGHT_READ | RIGHT_WRITE, "-sg", "-ww" },
		{ "a member that only writes", { "op.example", false, true, false }, RIGHT_WRITE, "---", "-ww" },
		{ "one who is named", { "named.example", true, false, false }, RIGHT_READ, "rrr", "---" },
		{ "one who is named and writes",
		  { "named.example", true, false, false },
		  RIGHT_READ | RIGHT_WRITE,
		  "rrr",
		  "www" },
		{ "one who is named and only writes",
		  { "named.example", false, true, false },
		  RIGHT_WRITE,
		  "---",
		  "www" },
		{ "the node's own party",
		  { "cert.example", true, true, false },
		  RIGHT_READ | RIGHT_WRITE,
		  "-sg",
		  "-ww" },
		{ "the operator", { "cert.example", true, true, true }, RIGHT_READ | RIGHT_OPERATE, "rrr", "---" },
		{ "the operator who writes",
		  { "cert.example", true, true, true },
		  RIGHT_READ | RIGHT_WRITE | RIGHT_OPERATE,
		  "rrr",
		  "www" },
		{ "below the named",
		  { "a.named.example", true, false, false },
		  RIGHT_READ | RIGHT_WRITE,
		  "--c",
		  "--w" },
	};
	static const char letters[] = "cgasr";
	static const struct span named[] = { { "other.example", 13 }, { "named.example", 13 } };

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++)
		for (int audience = AUDIENCE_NAMED; audience <= AUDIENCE_ALL; audience++) {
			struct caller c = caller_of(&table[i].p);
			struct collection_rule rule = { .readers = (enum audience)audience,
							.writers = (enum audience)audience,
							.named_readers = named,
							.named_writers = named,
							.named_reader_count = 2,
							.named_writer_count = 2 };
			char level;
			struct reach r;

			c.rights = table[i].rights;
			r = readership_collection(&c, &rule);
			level = r.read ? letters[r.level] : '-';
			if (level != table[i].levels[audience] || (r.write ? 'w' : '-') != table[i].writes[audience])
				fail_msg("%s, audience %d: %c and %d", table[i].what, audience, level, r.write);
			assert_true(r.read || r.level == TLP_CLEAR);
		}
}

static void tiles(void **state)
{
	struct person persons[PERSONS];
	int64_t now = 1000 * DAY;

	(void)state;
	make_persons(persons);
	for (size_t i = 0; i < PERSONS; i++) {
		struct caller c = caller_of(&persons[i]);
		bool inside = persons[i].reads && (persons[i].member || persons[i].node);

		assert_true(readership_tiles(&c, LEDGER_PUBLIC, now, now, DELAY));
		assert_int_equal(readership_tiles(&c, LEDGER_CIRCLE, now, now, DELAY), inside);
		assert_int_equal(readership_tiles(&c, LEDGER_CIRCLE, now - DELAY + 1, now, DELAY), inside);
		assert_true(readership_tiles(&c, LEDGER_CIRCLE, now - DELAY, now, DELAY));
		assert_int_equal(readership_tiles(&c, LEDGER_CIRCLE, now + DELAY, now, DELAY), inside);
		assert_int_equal(readership_tiles(&c, LEDGER_CIRCLE, 0, now, INT64_MAX), inside);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(collections),
		cmocka_unit_test(tiles),
		IN_A_FOLDER(statements_and_bodies),
		IN_A_FOLDER(lists),
		IN_A_FOLDER(answers_are_seen_with_their_matter),
		IN_A_FOLDER(a_party_or_a_matter),
		IN_A_FOLDER(more_resources_than_feeds),
		IN_A_FOLDER(what_is_hidden_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
