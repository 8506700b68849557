/*
 * Asking another node
 *
 * A few requests are under way at once, so that a long way costs its time once and not for each tile: who knows what comes next
 * says so by peer_want. Answers are copied, since the pool's own ends with its next call. Public paths are asked without
 * a signature: a node that does not know us would refuse what it gives to anyone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "exchange/access.h"
#include "net/door_pool.h"
#include "exchange/follow_private.h"

#define AT_ONCE 8
#define URL_MAX 512
#define PATIENCE 4	/* how often what says "later" is asked again */
#define LATER_MOST_S 10 /* and how long is waited for that at most */
#define WAIT_MS 200	/* how soon the end is noticed */

struct slot {
	bool used, done;
	char url[URL_MAX];
	struct door_request request;
	const char *headers[2];
	struct buffer input, signature; /* of the signature */
	enum err err;
	char detail[256];
	unsigned status;
	uint64_t later_s;
	struct buffer body;
};

struct peer {
	const struct follow_host *host;
	struct door_limits limits;
	struct door_pool *pool;
	char url[URL_MAX];
	struct span authority;
	struct slot slots[AT_ONCE];
	struct slot *given; /* whose body the caller has */
};

static enum err take_url(struct peer *p, struct span url)
{
	size_t scheme = span_starts(url, "https://") ? 8 : span_starts(url, "http://") ? 7 : 0;

	while (url.len > scheme && url.at[url.len - 1] == '/')
		url.len--;
	p->authority = span_from(url, scheme);
	if (scheme == 0 || p->authority.len == 0 || url.len + 256 > URL_MAX)
		return fail(ERR_USAGE, "`%.*s` is no address of a node, such as https://b.example", SPAN_FORMAT(url));
	for (size_t i = 0; i < p->authority.len; i++)
		if ((unsigned char)p->authority.at[i] <= 0x20 || (unsigned char)p->authority.at[i] > 0x7e ||
		    strchr("/?#@\\", p->authority.at[i]) != NULL)
			return fail(ERR_USAGE, "`%.*s` is no address of a node, such as https://b.example",
				    SPAN_FORMAT(url));
	snprintf(p->url, sizeof(p->url), "%.*s", SPAN_FORMAT(url));
	p->authority.at = p->url + scheme;
	return OK;
}

enum err peer_open(const struct follow_host *h, struct span url, const struct door_limits *limits, struct peer **out)
{
	struct peer *p = calloc(1, sizeof(*p));
	enum err e;

	if (p == NULL)
		return ERR_NO_MEMORY;
	p->host = h;
	p->limits = *limits;
	e = take_url(p, url);
	if (e == OK)
		e = door_pool_new(&p->limits, AT_ONCE, &p->pool);
	if (e != OK) {
		peer_close(p);
		return e;
	}
	for (size_t i = 0; i < AT_ONCE; i++) {
		p->slots[i].input = BUFFER(4096);
		p->slots[i].signature = BUFFER(4096);
		p->slots[i].body = BUFFER(p->limits.most_bytes);
	}
	*out = p;
	return OK;
}

void peer_close(struct peer *p)
{
	if (p == NULL)
		return;
	door_pool_free(p->pool);
	for (size_t i = 0; i < AT_ONCE; i++) {
		buffer_free(&p->slots[i].input);
		buffer_free(&p->slots[i].signature);
		buffer_free(&p->slots[i].body);
	}
	free(p);
}

const char *peer_url(const struct peer *p)
{
	return p->url;
}

static enum err sign(const struct peer *p, struct slot *s, const char *path)
{
	struct buffer input = BUFFER(4000), signature = BUFFER(4000), digest = BUFFER(4000);
	enum err e = access_sign(p->host->signer, HTTP_GET, p->authority, span_of(path), SPAN(""), &input, &signature,
				 &digest);

	if (e == OK) {
		buffer_print(&s->input, "Signature-Input: %.*s%c", SPAN_FORMAT(buffer_view(&input)), '\0');
		buffer_print(&s->signature, "Signature: %.*s%c", SPAN_FORMAT(buffer_view(&signature)), '\0');
		e = s->input.err != OK ? s->input.err : s->signature.err;
	}
	buffer_free(&input);
	buffer_free(&signature);
	buffer_free(&digest);
	return e;
}

static enum err begin(struct peer *p, struct slot *s, const char *path, bool is_signed)
{
	enum err e = OK;

	buffer_clear(&s->input);
	buffer_clear(&s->signature);
	buffer_clear(&s->body);
	s->request = (struct door_request){ .method = "GET", .url = s->url, .headers = s->headers };
	s->done = false;
	s->status = 0;
	s->later_s = 1;
	if (snprintf(s->url, sizeof(s->url), "%s%s", p->url, path) >= (int)sizeof(s->url))
		return fail(ERR_TOO_LONG, "%s%s", p->url, path);
	if (is_signed && p->host->signer != NULL && (e = sign(p, s, path)) == OK) {
		s->headers[0] = s->input.at;
		s->headers[1] = s->signature.at;
		s->request.header_count = 2;
	}
	if (e == OK)
		e = door_pool_ask(p->pool, &s->request, s);
	s->used = e == OK;
	return e;
}

static struct slot *find(struct peer *p, const char *path)
{
	size_t base = strlen(p->url);

	for (size_t i = 0; i < AT_ONCE; i++)
		if (p->slots[i].used && &p->slots[i] != p->given && strcmp(p->slots[i].url + base, path) == 0)
			return &p->slots[i];
	return NULL;
}

static struct slot *free_slot(struct peer *p)
{
	for (size_t i = 0; i < AT_ONCE; i++)
		if (!p->slots[i].used)
			return &p->slots[i];
	return NULL;
}

void peer_want(struct peer *p, const char *path, bool is_signed)
{
	struct slot *s = find(p, path) == NULL ? free_slot(p) : NULL;

	if (s != NULL && begin(p, s, path, is_signed) != OK)
		err_clear(); /* whoever asks in earnest sees the error */
}

static void take_answer(const struct door_done *done)
{
	struct slot *s = done->context;
	struct span after;

	s->done = true;
	s->err = done->err;
	snprintf(s->detail, sizeof(s->detail), "%s", done->detail);
	if (done->err != OK)
		return;
	s->status = done->answer.status;
	if (door_header(&done->answer, "Retry-After", &after))
		span_u64(after, LATER_MOST_S, &s->later_s);
	buffer_span(&s->body, done->answer.body);
	s->err = s->body.err;
}

static bool is_time(const struct peer *p)
{
	return p->host->stop != NULL && p->host->stop(p->host->context);
}

static enum err wait_for(struct peer *p, const struct slot *s)
{
	while (!s->done) {
		struct door_done done;
		bool ended = false;
		enum err e;

		if (is_time(p))
			return fail(ERR_UNREACHABLE, "%s: it is time to end", p->url);
		if ((e = door_pool_wait(p->pool, WAIT_MS, &done, &ended)) != OK)
			return e;
		if (ended)
			take_answer(&done);
	}
	return OK;
}

static enum err pause_for(struct peer *p, uint64_t seconds)
{
	for (uint64_t ms = 0; ms < seconds * 1000; ms += WAIT_MS) {
		struct timespec t = { .tv_nsec = WAIT_MS * 1000000L };

		if (is_time(p))
			return fail(ERR_UNREACHABLE, "%s: it is time to end", p->url);
		nanosleep(&t, NULL);
	}
	return OK;
}

static enum err judge(const struct slot *s, bool is_signed, size_t most, struct span *body)
{
	switch (s->status) {
	case 200:
		break;
	case 401:
	case 403:
		return fail(ERR_CREDENTIALS, "%s: status %u", s->url, s->status);
	case 404:
		return fail(ERR_NOT_FOUND, "%s: status 404", s->url);
	default:
		if (s->status == 429 && is_signed)
			return fail(ERR_CREDENTIALS, "%s: status 429", s->url);
		if (s->status == 429 || s->status >= 500)
			return fail(ERR_UNREACHABLE, "%s: status %u", s->url, s->status);
		return fail(ERR_PEER, "%s: status %u", s->url, s->status);
	}
	if (s->body.len > most)
		return fail(ERR_PEER, "%s: %zu bytes, at most %zu were expected", s->url, s->body.len, most);
	*body = buffer_view(&s->body);
	return OK;
}

static bool is_later(const struct slot *s, bool is_signed)
{
	return s->err == OK && ((s->status == 429 && !is_signed) || s->status >= 500);
}

enum err peer_get(struct peer *p, const char *path, bool is_signed, size_t most, struct span *body)
{
	struct slot *s;
	enum err e = OK;

	if (p->given != NULL)
		p->given->used = false;
	p->given = NULL;
	for (unsigned tried = 0;; tried++) {
		s = find(p, path);
		if (s == NULL && (s = free_slot(p)) == NULL)
			s = &p->slots[0]; /* wanted and never asked for: that may end first */
		if (!s->used)
			e = begin(p, s, path, is_signed);
		else if (find(p, path) != s && (e = wait_for(p, s)) == OK)
			e = begin(p, s, path, is_signed);
		if (e == OK)
			e = wait_for(p, s);
		if (e != OK)
			return e;
		if (!is_later(s, is_signed) || tried == PATIENCE)
			break;
		s->used = false;
		if ((e = pause_for(p, s->later_s)) != OK)
			return e;
	}
	p->given = s;
	if (s->err == ERR_TOO_LONG)
		return fail(ERR_PEER, "%s", s->detail);
	return s->err != OK ? fail(s->err, "%s", s->detail) : judge(s, is_signed, most, body);
}
