/*
 * How a hundred thousand components are looked up
 *
 * Components are taken in blocks. Of each block all look-ups are written down as the SHA-256 under which the state has a subject,
 * and made in the order of these (certificates_of_many), so that the tree is walked once from left to right. What was found is
 * sorted back into the order of the bill. A certificate is read, and its standing computed, when it comes up first; many components
 * may share it.
 */
#include "report/inventory.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/sort.h"
#include "regime/purl.h"

#define BLOCK ((size_t)1 << 16)
#define LOOKUPS_EACH 4 /* digest, package URL with and without version; of the bill itself also the file */
#define ARENA_MAX ((size_t)4 << 30)
#define SCRATCH_MAX ((size_t)1 << 16)

struct hit {
	uint64_t index; /* of the certificate */
	uint32_t number;
	bool by_digest;
};

/* A certificate that came up. */
struct known {
	struct certificate certificate;
	struct certificate_standing standing;
	struct recognised_as recognised;
	bool claim, in_force;
};

struct work {
	struct state st; /* with an arena of its own, for certificates */
	struct arena *scratch;
	const struct recognition *recognition;
	const struct sbom *bill;
	struct hash file;
	int64_t at_ms;
	inventory_each *each;
	void *context;
	struct inventory_sum *sum;

	struct hash *lookups;
	uint32_t *numbers; /* whose, and in the lowest bit whether by digest */
	size_t lookup_count;
	struct hit *hits;
	size_t hit_count, hit_room;
	struct known **slots; /* by index */
	size_t known_count, slot_count;
};

/* ---- what to look up ---- */

static void look_up(struct work *w, size_t number, struct span text, bool by_digest)
{
	w->lookups[w->lookup_count] = hash_span(text);
	w->numbers[w->lookup_count++] = (uint32_t)(number << 1 | by_digest);
}

static void look_up_digest(struct work *w, size_t number, struct span hex)
{
	char text[7 + HASH_HEX] = "sha256:";

	if (hex.len != HASH_HEX)
		return;
	memcpy(text + 7, hex.at, HASH_HEX);
	look_up(w, number, span_make(text, sizeof(text)), true);
}

/* "bare@version": whatever the version is, it stays a version. */
static const char *join(struct arena *a, struct span bare, struct span version)
{
	struct buffer b = BUFFER(SCRATCH_MAX / 4);
	const char *text = NULL;

	buffer_span(&b, bare);
	buffer_byte(&b, '@');
	for (size_t i = 0; i < version.len && b.err == OK; i++) {
		if (memchr("%/?#@", version.at[i], 5) != NULL)
			buffer_print(&b, "%%%02X", (unsigned)version.at[i]);
		else
			buffer_byte(&b, (uint8_t)version.at[i]);
	}
	if (b.err == OK)
		text = arena_copy(a, b.at, b.len);
	buffer_free(&b);
	return text;
}

/* A package URL that is none finds nothing. */
static enum err look_up_purl(struct work *w, size_t number, const struct sbom_component *c)
{
	struct span bare, version, text = c->purl;
	const char *both;
	enum err e;

	arena_reset(w->scratch);
	e = purl_parse(w->scratch, text, &bare, &version);
	if (e == OK && version.len == 0 && c->version.len > 0) {
		/* some say the version only beside it */
		both = join(w->scratch, bare, c->version);
		if (both != NULL && purl_parse(w->scratch, span_of(both), &text, &version) == OK)
			bare = text;
	}
	if (e != OK)
		return e == ERR_CERTIFICATE ? OK : e;
	look_up(w, number, bare, false);
	if (version.len == 0)
		return OK;
	both = arena_print(w->scratch, "%.*s@%.*s", SPAN_FORMAT(bare), SPAN_FORMAT(version));
	if (both == NULL)
		return fail(ERR_NO_MEMORY, "no room for a package URL");
	look_up(w, number, span_of(both), false);
	return OK;
}

static const struct sbom_component *component_of(const struct work *w, size_t number)
{
	return number == 0 ? &w->bill->subject : &w->bill->components[number - 1];
}

static enum err look_up_component(struct work *w, size_t number)
{
	const struct sbom_component *c = component_of(w, number);
	char hex[HASH_HEX + 1];

	look_up_digest(w, number, c->sha256);
	if (number == 0) {
		hash_hex(w->file, hex);
		look_up_digest(w, number, span_make(hex, HASH_HEX));
	}
	return c->purl.len > 0 && c->purl.len <= PURL_MAX ? look_up_purl(w, number, c) : OK;
}

/* ---- what was found ---- */

static enum err on_hit(void *context, size_t which, uint64_t index)
{
	struct work *w = context;

	if (w->hit_count == INVENTORY_LINES_MAX)
		return fail(ERR_TOO_LONG, "over %zu pairs of a component and a certificate", INVENTORY_LINES_MAX);
	if (w->hit_count == w->hit_room) {
		size_t room = w->hit_room == 0 ? 1024 : 2 * w->hit_room;
		struct hit *hits = realloc(w->hits, room * sizeof(*hits));

		if (hits == NULL)
			return fail(ERR_NO_MEMORY, "no room for what was found");
		w->hits = hits;
		w->hit_room = room;
	}
	w->hits[w->hit_count++] = (struct hit){ index, w->numbers[which] >> 1, (w->numbers[which] & 1) != 0 };
	return OK;
}

/* By component, then by certificate; found by digest first. Of the same two only one is kept. */
static enum err sort_hits(struct work *w)
{
	struct sort_key *keys = malloc((2 * w->hit_count + 1) * sizeof(*keys)), *sorted, *spare;
	struct hit *hits = malloc((w->hit_count + 1) * sizeof(*hits));
	size_t n = 0;

	if (keys == NULL || hits == NULL) {
		free(keys);
		free(hits);
		return fail(ERR_NO_MEMORY, "no room to sort what was found");
	}
	for (size_t i = 0; i < w->hit_count; i++)
		keys[i] = (struct sort_key){ w->hits[i].index << 1 | !w->hits[i].by_digest, (uint32_t)i };
	sorted = sort_keys(keys, keys + w->hit_count, w->hit_count);
	spare = sorted == keys ? keys + w->hit_count : keys;
	for (size_t i = 0; i < w->hit_count; i++)
		sorted[i].key = w->hits[sorted[i].at].number;
	sorted = sort_keys(sorted, spare, w->hit_count);
	for (size_t i = 0; i < w->hit_count; i++) {
		const struct hit *h = &w->hits[sorted[i].at];

		if (n == 0 || hits[n - 1].number != h->number || hits[n - 1].index != h->index)
			hits[n++] = *h;
	}
	free(keys);
	free(w->hits);
	w->hits = hits;
	w->hit_room = w->hit_count + 1;
	w->hit_count = n;
	return OK;
}

/* ---- certificates ---- */

static enum err read_known(struct work *w, uint64_t index, struct known **out)
{
	struct known *k = arena_alloc(w->st.arena, sizeof(*k));
	const struct certificate_standing *s;
	enum err e;

	if (k == NULL)
		return fail(ERR_NO_MEMORY, "no room for a certificate");
	if ((e = certificate_at(&w->st, index, &k->certificate)) != OK ||
	    (e = certificate_standing(&w->st, &k->certificate, w->at_ms, &k->standing)) != OK)
		return e;
	s = &k->standing;
	k->recognised = recognition_of(w->recognition, &k->certificate);
	k->claim = predicate_is_claim(k->certificate.predicate);
	k->in_force = s->status < STATUS_SUSPENDED && !s->expired && !s->not_yet && !s->key_revoked;
	*out = k;
	return OK;
}

static size_t slot_of(struct known *const *slots, size_t count, uint64_t index)
{
	size_t at = (size_t)(index * 0x9e3779b97f4a7c15 >> 20) & (count - 1);

	while (slots[at] != NULL && slots[at]->certificate.index != index)
		at = (at + 1) & (count - 1);
	return at;
}

static enum err grow_slots(struct work *w)
{
	size_t count = w->slot_count == 0 ? 1024 : 2 * w->slot_count;
	struct known **slots = calloc(count, sizeof(*slots));

	if (slots == NULL)
		return fail(ERR_NO_MEMORY, "no room for certificates");
	for (size_t i = 0; i < w->slot_count; i++)
		if (w->slots[i] != NULL)
			slots[slot_of(slots, count, w->slots[i]->certificate.index)] = w->slots[i];
	free(w->slots);
	w->slots = slots;
	w->slot_count = count;
	return OK;
}

static enum err know(struct work *w, uint64_t index, const struct known **out)
{
	struct known **slot;
	enum err e = 2 * w->known_count >= w->slot_count ? grow_slots(w) : OK;

	if (e != OK)
		return e;
	slot = &w->slots[slot_of(w->slots, w->slot_count, index)];
	if (*slot == NULL) {
		if ((e = read_known(w, index, slot)) != OK)
			return e;
		w->known_count++;
	}
	*out = *slot;
	return OK;
}

/* ---- one component ---- */

struct component_sum {
	bool any, certified, recognised, suspended, withdrawn, expired, countered, resting, revoked, attention;
};

static void add_known(struct component_sum *c, const struct known *k)
{
	const struct certificate_standing *s = &k->standing;

	c->any = true;
	if (k->recognised.verdict == RECOGNISED_REFUSED)
		return;
	c->certified |= k->in_force;
	c->recognised |= k->in_force && k->recognised.verdict == RECOGNISED;
	c->suspended |= s->status == STATUS_SUSPENDED;
	c->withdrawn |= s->status == STATUS_WITHDRAWN;
	c->expired |= s->expired;
	c->countered |= s->counters > 0;
	c->resting |= s->rests_on_bad;
	c->revoked |= s->key_revoked;
}

static bool asks_for_attention(const struct known *k, const struct component_sum *c)
{
	const struct certificate_standing *s = &k->standing;

	if (k->recognised.verdict == RECOGNISED_REFUSED)
		return false;
	if (s->status >= STATUS_SUSPENDED || s->key_revoked || s->rests_on_bad)
		return true;
	return k->recognised.verdict == RECOGNISED && (s->counters > 0 || (s->expired && !c->recognised));
}

static enum err give(struct work *w, const struct hit *h, struct component_sum *c)
{
	const struct known *k;
	enum err e = know(w, h->index, &k);
	struct inventory_line l = { .number = h->number, .component = component_of(w, h->number) };

	if (e != OK || !k->claim)
		return e;
	l.certificate = &k->certificate;
	l.standing = &k->standing;
	l.recognised = k->recognised;
	l.by_digest = h->by_digest;
	l.in_force = k->in_force;
	l.attention = asks_for_attention(k, c);
	c->attention |= l.attention;
	w->sum->lines++;
	return w->each != NULL ? w->each(w->context, &l) : OK;
}

static void add_up(struct inventory_sum *sum, const struct component_sum *c)
{
	sum->certified += c->certified;
	sum->recognised += c->recognised;
	sum->suspended += c->suspended;
	sum->withdrawn += c->withdrawn;
	sum->expired += c->expired;
	sum->countered += c->countered;
	sum->resting_on_bad += c->resting;
	sum->key_revoked += c->revoked;
	sum->attention += c->attention;
	sum->without += !c->any;
}

/* hits: of this component. */
static enum err give_component(struct work *w, size_t number, const struct hit *hits, size_t count)
{
	struct component_sum c = { .any = false };
	const struct known *k;
	enum err e = OK;

	for (size_t i = 0; e == OK && i < count; i++)
		if ((e = know(w, hits[i].index, &k)) == OK && k->claim)
			add_known(&c, k);
	for (size_t i = 0; e == OK && i < count; i++)
		e = give(w, &hits[i], &c);
	if (e == OK && (number > 0 || c.any || w->bill->subject.name.len > 0)) {
		w->sum->components++;
		add_up(w->sum, &c);
	}
	return e;
}

static enum err check_block(struct work *w, size_t from, size_t until)
{
	size_t at = 0;
	enum err e = OK;

	w->lookup_count = w->hit_count = 0;
	for (size_t i = from; e == OK && i < until; i++)
		e = look_up_component(w, i);
	if (e == OK)
		e = certificates_of_many(&w->st, w->lookups, w->lookup_count, on_hit, w);
	if (e == OK)
		e = sort_hits(w);
	for (size_t i = from; e == OK && i < until; i++) {
		size_t begin = at;

		while (at < w->hit_count && w->hits[at].number == i)
			at++;
		e = give_component(w, i, w->hits + begin, at - begin);
	}
	return e;
}

enum err inventory_check(const struct state *st, const struct recognition *r, const struct sbom *bill, struct hash file,
			 int64_t at_ms, inventory_each *each, void *context, struct inventory_sum *sum)
{
	struct work w = { .st = *st,
			  .recognition = r,
			  .bill = bill,
			  .file = file,
			  .at_ms = at_ms,
			  .each = each,
			  .context = context,
			  .sum = sum };
	size_t total = bill->count + 1, block = total < BLOCK ? total : BLOCK;
	enum err e = OK;

	*sum = (struct inventory_sum){ 0 };
	w.st.arena = arena_new(ARENA_MAX);
	w.scratch = arena_new(SCRATCH_MAX);
	w.lookups = malloc(block * LOOKUPS_EACH * sizeof(*w.lookups));
	w.numbers = malloc(block * LOOKUPS_EACH * sizeof(*w.numbers));
	if (w.st.arena == NULL || w.scratch == NULL || w.lookups == NULL || w.numbers == NULL)
		e = fail(ERR_NO_MEMORY, "no room to look up %zu components", total);
	for (size_t i = 0; e == OK && i < total; i += block)
		e = check_block(&w, i, i + block < total ? i + block : total);
	arena_free(w.st.arena);
	arena_free(w.scratch);
	free(w.lookups);
	free(w.numbers);
	free(w.hits);
	free(w.slots);
	return e;
}
