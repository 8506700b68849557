#include "exchange/passwords.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "regime/credential.h"

/* What is remembered is a keyed hash of name, password and check, so that nothing can be read from it, another check forgets
 * it, and the key ends with the process. One that falls on the place of another takes it. */
#define REMEMBERED 4096
#define DIGEST_SIZE 32

struct passwords {
	uint8_t key[crypto_generichash_KEYBYTES];
	char nobody[CREDENTIAL_CHECK_MAX]; /* well formed, and no password's */
	pthread_mutex_t lock;
	pthread_cond_t left;
	unsigned working, waiting;
	uint8_t remembered[REMEMBERED][DIGEST_SIZE];
};

/* Salt and hash by chance: the cost is that of a real one. */
static void make_nobody(char out[CREDENTIAL_CHECK_MAX])
{
	const int variant = sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
	uint8_t random[16 + 32];
	char salt[sodium_base64_ENCODED_LEN(16, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
	char hash[sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];
	struct buffer b = BUFFER(CREDENTIAL_CHECK_MAX);

	randombytes_buf(random, sizeof(random));
	sodium_bin2base64(salt, sizeof(salt), random, 16, variant);
	sodium_bin2base64(hash, sizeof(hash), random + 16, 32, variant);
	memset(out, 0, CREDENTIAL_CHECK_MAX);
	buffer_print(&b, "$argon2id$v=19$m=%zu,t=%u,p=1$%s$%s",
		     (size_t)crypto_pwhash_argon2id_MEMLIMIT_INTERACTIVE / 1024,
		     (unsigned)crypto_pwhash_argon2id_OPSLIMIT_INTERACTIVE, salt, hash);
	if (b.err == OK)
		memcpy(out, b.at, b.len);
	buffer_free(&b);
}

enum err passwords_new(struct passwords **out)
{
	struct passwords *p;

	if (sodium_init() == -1)
		return ERR_CRYPTO_SELF_TEST;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_NO_MEMORY;
	randombytes_buf(p->key, sizeof(p->key));
	/* All zeros would be an empty place; a digest is never that. */
	make_nobody(p->nobody);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->left, NULL);
	*out = p;
	return p->nobody[0] != '\0' ? OK : (passwords_free(p), ERR_NO_MEMORY);
}

void passwords_free(struct passwords *p)
{
	if (p == NULL)
		return;
	pthread_cond_destroy(&p->left);
	pthread_mutex_destroy(&p->lock);
	sodium_memzero(p, sizeof(*p));
	free(p);
}

static void add_part(crypto_generichash_state *h, struct span s)
{
	uint8_t length[4] = { (uint8_t)(s.len >> 24), (uint8_t)(s.len >> 16), (uint8_t)(s.len >> 8), (uint8_t)s.len };

	crypto_generichash_update(h, length, sizeof(length));
	crypto_generichash_update(h, (const uint8_t *)s.at, s.len);
}

static size_t digest(const struct passwords *p, struct span name, struct span password, struct span check,
		     uint8_t out[DIGEST_SIZE])
{
	crypto_generichash_state h;

	crypto_generichash_init(&h, p->key, sizeof(p->key), DIGEST_SIZE);
	add_part(&h, name);
	add_part(&h, password);
	add_part(&h, check);
	crypto_generichash_final(&h, out, DIGEST_SIZE);
	return ((size_t)out[0] << 8 | out[1]) % REMEMBERED;
}

bool passwords_remembered(struct passwords *p, struct span name, struct span password, struct span check)
{
	uint8_t wanted[DIGEST_SIZE];
	size_t place;
	bool found;

	if (check.len == 0)
		return false;
	place = digest(p, name, password, check, wanted);
	pthread_mutex_lock(&p->lock);
	found = sodium_memcmp(p->remembered[place], wanted, DIGEST_SIZE) == 0;
	pthread_mutex_unlock(&p->lock);
	return found;
}

static void remember(struct passwords *p, struct span name, struct span password, struct span check)
{
	uint8_t one[DIGEST_SIZE];
	size_t place = digest(p, name, password, check, one);

	pthread_mutex_lock(&p->lock);
	memcpy(p->remembered[place], one, DIGEST_SIZE);
	pthread_mutex_unlock(&p->lock);
}

static enum err enter(struct passwords *p)
{
	enum err e = OK;

	pthread_mutex_lock(&p->lock);
	if (p->working >= PASSWORDS_AT_ONCE && p->waiting >= PASSWORDS_WAITING) {
		e = fail(ERR_BUSY, "too many passwords are being checked");
	} else {
		p->waiting++;
		while (p->working >= PASSWORDS_AT_ONCE)
			pthread_cond_wait(&p->left, &p->lock);
		p->waiting--;
		p->working++;
	}
	pthread_mutex_unlock(&p->lock);
	return e;
}

static void leave(struct passwords *p)
{
	pthread_mutex_lock(&p->lock);
	p->working--;
	pthread_cond_signal(&p->left);
	pthread_mutex_unlock(&p->lock);
}

enum err passwords_verify(struct passwords *p, struct span name, struct span password, struct span check, bool *good)
{
	char text[CREDENTIAL_CHECK_MAX] = { 0 };
	bool known = check.len > 0 && check.len < sizeof(text);
	enum err e = password.len <= PASSWORD_MAX ? enter(p) : ERR_TOO_LONG;

	*good = false;
	if (e != OK)
		return e;
	memcpy(text, known ? check.at : p->nobody, known ? check.len : sizeof(text) - 1);
	*good = crypto_pwhash_str_verify(text, password.at, password.len) == 0 && known;
	leave(p);
	if (*good)
		remember(p, name, password, check);
	return OK;
}
