#include "exchange/access_private.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "exchange/attempts.h"
#include "exchange/nonces.h"
#include "exchange/passwords.h"

/*
 * What must not be learned here
 *
 * Whether a name exists: an unknown name, one that has no password, one that is over and one with a wrong password all take
 * the work of one password and give the same answer. Only who knows the password learns that it is remembered.
 *
 * Failures are counted for the address that they come from. Behind a proxy on this machine all addresses are one, so there
 * they are counted for the name that is claimed. Who has failed too often is told so before any password is hashed; what is
 * cheap to check, or remembered, is let in all the same, so that nobody is locked out by a neighbour.
 *
 * A signature is good for one host, one method, one path, one content, ten minutes, and, if it changes anything, once. What was
 * signed before this program began is not taken for changes, since what was said then is not remembered.
 */

/* Which party has which key: found by going through all of them, and remembered. Believed only as far as the state agrees. */
#define KNOWN_KEYS 256
struct known_key {
	struct hash key;
	size_t length;
	char domain[254];
};

struct access {
	struct node *node;
	struct passwords *passwords;
	struct attempts *attempts;
	struct nonces *nonces;
	uint8_t key[crypto_generichash_KEYBYTES];
	int64_t began_ms;
	pthread_mutex_t lock;
	struct known_key known[KNOWN_KEYS];
	char authority[256];
};

enum err access_new(struct node *n, struct access **out)
{
	struct access *a = calloc(1, sizeof(*a));
	enum err e;

	if (a == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&a->lock, NULL);
	a->node = n;
	a->began_ms = clock_now_ms();
	e = passwords_new(&a->passwords);
	if (e == OK)
		e = attempts_new(&a->attempts);
	if (e == OK)
		e = nonces_new(NONCES_MAX, &a->nonces);
	if (e != OK) {
		access_free(a);
		return e;
	}
	randombytes_buf(a->key, sizeof(a->key));
	*out = a;
	return OK;
}

void access_free(struct access *a)
{
	if (a == NULL)
		return;
	passwords_free(a->passwords);
	attempts_free(a->attempts);
	nonces_free(a->nonces);
	pthread_mutex_destroy(&a->lock);
	sodium_memzero(a->key, sizeof(a->key));
	free(a);
}

/* A hash that nobody outside can aim at. */
static struct hash keyed(const struct access *a, struct span first, struct span second)
{
	crypto_generichash_state h;
	struct hash out;

	crypto_generichash_init(&h, a->key, sizeof(a->key), HASH_SIZE);
	crypto_generichash_update(&h, (const uint8_t *)first.at, first.len);
	crypto_generichash_update(&h, (const uint8_t *)"", 1);
	crypto_generichash_update(&h, (const uint8_t *)second.at, second.len);
	crypto_generichash_final(&h, out.bytes, HASH_SIZE);
	return out;
}

/* ---- attempts ---- */

static bool is_loopback(struct address a)
{
	return a.family == FAMILY_IPV4 ? a.low >> 24 == 127
				       : a.high == 0 && (a.low == 1 || a.low >> 24 == UINT64_C(0xffff7f));
}

/* For whom a failure counts: the address (of IPv6 the network of a site), or on this machine the name. */
static struct hash culprit(const struct access *a, const struct access_head *h, struct span name)
{
	char text[PREFIX_TEXT];
	struct address from;

	if (address_parse(h->peer, &from) != OK || is_loopback(from))
		return keyed(a, SPAN("name"), name);
	prefix_format(prefix_of(from, from.family == FAMILY_IPV4 ? 32 : 64), text);
	return keyed(a, SPAN("address"), span_of(text));
}

static enum err too_many(void)
{
	return fail(ERR_RATE, "too many failed attempts from here");
}

/* It was not good. */
static enum err failed(struct access *a, struct hash who)
{
	int64_t now = clock_now_ms();

	if (!attempts_left(a->attempts, who, now))
		return too_many();
	attempts_failed(a->attempts, who, now);
	return fail(ERR_CREDENTIALS, "they are not good here");
}

/* ---- who it is ---- */

static enum err copy(struct arena *arena, struct span s, struct span *out)
{
	const char *to = arena_copy(arena, s.at, s.len);

	*out = span_make(to, s.len);
	return to != NULL ? OK : ERR_NO_MEMORY;
}

/* The operator accepted its present statement. */
enum err access_is_member(const struct state *st, struct span domain, bool *yes)
{
	struct party p;
	struct matter m;
	enum err e;

	*yes = span_equal(domain, st->node);
	if (*yes)
		return OK;
	e = state_party(st, domain, &p);
	if (e == OK)
		e = state_matter(st, p.statement, &m);
	if (e == OK)
		*yes = m.answered && m.outcome == OUTCOME_ACCEPTED && !m.withdrawn;
	return e == ERR_PARTY_UNKNOWN || e == ERR_MATTER_UNKNOWN ? OK : e;
}

static enum err fill(const struct state *st, struct arena *arena, struct span party, struct span tool, unsigned rights,
		     struct caller *c)
{
	enum err e = copy(arena, party, &c->party);

	if (e == OK)
		e = copy(arena, tool, &c->tool);
	c->rights = rights;
	c->is_node = span_equal(party, st->node) && (rights & RIGHT_OPERATE) != 0;
	return e == OK ? access_is_member(st, party, &c->member) : e;
}

static bool in_force(const struct credential *c)
{
	return c->expires_ms == 0 || c->expires_ms > clock_now_ms();
}

/* ---- passwords ---- */

/* The credential's check, in the arena; empty: there is none that could be good. */
static enum err find_check(const struct state *st, struct arena *arena, struct span name, struct caller *c,
			   struct span *check)
{
	struct credential one;
	enum err e = credential_find(st, name, &one);

	*check = SPAN("");
	if (e == ERR_NOT_FOUND || (e == OK && (one.type != CREDENTIAL_PASSWORD || !in_force(&one))))
		return OK;
	if (e == OK)
		e = fill(st, arena, one.party, one.name, one.rights, c);
	return e == OK ? copy(arena, one.check, check) : e;
}

static enum err by_password(struct access *a, struct arena *arena, const struct access_head *h,
			    const struct authorization *given, struct caller *c)
{
	struct state st;
	struct span check;
	struct hash who;
	bool good;
	enum err e = node_read(a->node, arena, &st);

	if (e != OK)
		return e;
	e = find_check(&st, arena, given->name, c, &check);
	snapshot_end(st.snapshot);
	if (e != OK || passwords_remembered(a->passwords, given->name, given->secret, check))
		return e;
	who = culprit(a, h, given->name);
	if (!attempts_left(a->attempts, who, clock_now_ms()))
		return too_many();
	e = passwords_verify(a->passwords, given->name, given->secret, check, &good);
	return e == OK && !good ? failed(a, who) : e;
}

/* ---- tokens and certificates: known by their hash ---- */

static enum err by_hash(struct access *a, struct arena *arena, const struct access_head *h, enum credential_type t,
			struct span secret, struct caller *c)
{
	struct hash check = hash_span(secret);
	struct credential one;
	struct state st;
	enum err e = node_read(a->node, arena, &st);

	if (e != OK)
		return e;
	e = credential_of(&st, t, check, &one);
	if (e == OK && !in_force(&one))
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = fill(&st, arena, one.party, one.name, one.rights, c);
	snapshot_end(st.snapshot);
	return e == ERR_NOT_FOUND ? failed(a, culprit(a, h, SPAN(""))) : e;
}

/* ---- signatures ---- */

struct seeking {
	struct hash key;
	struct party found;
	bool hit;
};

static enum err seek(void *context, const struct party *p)
{
	struct seeking *s = context;

	if (s->hit || !hash_equal(p->fingerprint, s->key))
		return OK;
	s->found = *p;
	s->hit = true;
	return OK;
}

static bool recall(struct access *a, struct hash key, char domain[254], size_t *length)
{
	const struct known_key *k = &a->known[key.bytes[0]];
	bool known;

	pthread_mutex_lock(&a->lock);
	known = k->length > 0 && hash_equal(k->key, key);
	*length = known ? k->length : 0;
	memcpy(domain, k->domain, *length);
	pthread_mutex_unlock(&a->lock);
	return known;
}

static void learn(struct access *a, const struct party *p)
{
	struct known_key *k = &a->known[p->fingerprint.bytes[0]];

	if (p->domain.len >= sizeof(k->domain))
		return;
	pthread_mutex_lock(&a->lock);
	k->key = p->fingerprint;
	k->length = p->domain.len;
	memcpy(k->domain, p->domain.at, p->domain.len);
	pthread_mutex_unlock(&a->lock);
}

/* The party whose present key that is. ERR_PARTY_UNKNOWN. */
static enum err party_of_key(struct access *a, const struct state *st, struct hash key, struct party *out)
{
	struct seeking s = { .key = key };
	char domain[254];
	size_t length;
	enum err e;

	if (recall(a, key, domain, &length)) {
		struct span name; /* *out goes on pointing to it */

		if ((e = copy(st->arena, span_make(domain, length), &name)) == OK)
			e = state_party(st, name, out);
		if (e == OK && hash_equal(out->fingerprint, key))
			return OK;
		if (e != OK && e != ERR_PARTY_UNKNOWN)
			return e;
	}
	e = state_parties(st, seek, &s);
	if (e != OK || !s.hit)
		return e != OK ? e : ERR_PARTY_UNKNOWN;
	*out = s.found;
	learn(a, out);
	return OK;
}

static enum err refuse(const char *why)
{
	return fail(ERR_CREDENTIALS, "signature: %s", why);
}

/* Once is enough. The signature is good: only the party itself can use up its words. */
static enum err say_once(struct access *a, const struct signature *s, const struct access_head *h)
{
	struct hash one = keyed(a, span_make(s->key.bytes, HASH_SIZE), s->nonce);
	enum err e;

	if (!h->changes)
		return OK;
	if (s->nonce.len == 0)
		return refuse("a nonce is wanted where something changes");
	if (s->created < a->began_ms / 1000)
		return refuse("created before this server began; sign again");
	e = nonces_add(a->nonces, one, (s->created + SIGNATURE_WINDOW_S + 1) * 1000, clock_now_ms());
	return e == ERR_EXISTS ? refuse("its nonce was used before") : e;
}

static enum err verify(struct access *a, const struct state *st, struct arena *arena, const struct access_head *h,
		       const struct signature *s, struct caller *c)
{
	struct buffer base = BUFFER(FIELD_TEXT_MAX * 4);
	struct party p;
	enum err e = signature_base(s, &h->message, &base);

	if (e == OK && (e = party_of_key(a, st, s->key, &p)) == ERR_PARTY_UNKNOWN)
		e = refuse("the key is no party's");
	if (e == OK && !verifier_check(&p.key, buffer_view(&base), s->bytes))
		e = refuse("it does not verify");
	if (e == OK)
		e = say_once(a, s, h);
	if (e == OK)
		e = fill(st, arena, p.domain, SPAN(""), RIGHT_READ | RIGHT_WRITE, c);
	buffer_free(&base);
	return e;
}

static enum err by_signature(struct access *a, struct arena *arena, const struct access_head *h, struct caller *c)
{
	struct hash who = culprit(a, h, SPAN("signature"));
	struct signature s;
	struct state st;
	enum err e;

	if (h->signature_input.at == NULL || h->signature.at == NULL)
		return refuse("Signature and Signature-Input stand together");
	if (a->authority[0] != '\0' && !span_is(h->message.authority, a->authority))
		return refuse("it is for another host");
	e = signature_read(arena, h->signature_input, h->signature, &s);
	if (e == OK)
		e = signature_check(&s, &h->message, clock_now_ms());
	if (e != OK)
		return e;
	if ((e = node_read(a->node, arena, &st)) != OK)
		return e;
	e = verify(a, &st, arena, h, &s, c);
	snapshot_end(st.snapshot);
	if (e == ERR_CREDENTIALS && !attempts_left(a->attempts, who, clock_now_ms()))
		return too_many();
	if (e == ERR_CREDENTIALS)
		attempts_failed(a->attempts, who, clock_now_ms());
	return e;
}

/* ---- all of them ---- */

static enum err by_authorization(struct access *a, struct arena *arena, const struct access_head *h, struct caller *c)
{
	struct authorization given;
	enum err e = authorization_read(arena, h->authorization, &given);

	if (e != OK)
		return e;
	c->how = given.basic ? CALLER_PASSWORD : CALLER_TOKEN;
	return given.basic ? by_password(a, arena, h, &given, c)
			   : by_hash(a, arena, h, CREDENTIAL_TOKEN, given.secret, c);
}

/* A certificate stands for itself only where the request says nothing: tools that show one may log in besides. */
enum err access_check(struct access *a, struct arena *arena, const struct access_head *h, struct caller **out)
{
	bool is_signed = h->signature_input.at != NULL || h->signature.at != NULL;
	struct caller *c = arena_array(arena, 1, sizeof(*c));
	enum err e = OK;

	if (c == NULL)
		return ERR_NO_MEMORY;
	*c = (struct caller){ .party = SPAN(""), .tool = SPAN(""), .rights = RIGHT_READ };
	if (h->authorization.at != NULL && is_signed)
		return fail(ERR_CREDENTIALS, "Authorization or a signature, not both");
	if (h->authorization.at != NULL) {
		e = by_authorization(a, arena, h, c);
	} else if (is_signed) {
		c->how = CALLER_SIGNED;
		e = by_signature(a, arena, h, c);
	} else if (h->certificate.at != NULL) {
		c->how = CALLER_CERTIFICATE;
		e = by_hash(a, arena, h, CREDENTIAL_CERTIFICATE, h->certificate, c);
	}
	if (e == OK)
		*out = c;
	return e;
}

/* ---- authorities ---- */

enum err access_authority(struct arena *a, struct span host, bool secure, struct span *out)
{
	const char *port = secure ? ":443" : ":80";
	char *text = arena_copy(a, host.at, host.len);

	if (text == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < host.len; i++)
		if (text[i] >= 'A' && text[i] <= 'Z')
			text[i] = (char)(text[i] + 'a' - 'A');
	*out = span_make(text, host.len);
	if (span_ends(*out, port))
		out->len -= strlen(port);
	return OK;
}

enum err access_for(struct access *a, struct span url)
{
	bool secure = span_starts(url, "https://");
	struct arena *arena = arena_new(4096);
	struct span rest, host;
	enum err e = arena != NULL ? OK : ERR_NO_MEMORY;

	a->authority[0] = '\0';
	if (e == OK && url.len > 0) {
		rest = secure || span_starts(url, "http://") ? span_from(url, secure ? 8 : 7) : url;
		e = access_authority(arena, span_cut(&rest, '/'), secure, &host);
		if (e == OK && host.len >= sizeof(a->authority))
			e = fail(ERR_TOO_LONG, "url: %.*s", SPAN_FORMAT(url));
		if (e == OK) {
			memcpy(a->authority, host.at, host.len);
			a->authority[host.len] = '\0';
		}
	}
	arena_free(arena);
	return e;
}
