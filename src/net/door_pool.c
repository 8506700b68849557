#include "net/door_pool.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/door_private.h"

/*
 * A place for each request
 *
 * A place has a handle of the library's and the buffers of an answer, which are used again. It is FREE, under way (BUSY), or its
 * answer is looked at (GIVEN) until the next call. Connections are the library's, kept while the other side keeps them; each
 * was checked when its socket was made, under the same limits.
 */

enum place_state { FREE, BUSY, GIVEN };

struct place {
	enum place_state state;
	CURL *curl;
	struct curl_slist *headers;
	struct buffer answer_headers, body;
	struct door_fetch fetch;
	char why[CURL_ERROR_SIZE];
	void *context;
};

struct door_pool {
	const struct door_limits *limits;
	CURLM *multi;
	atomic_bool woken;
	unsigned most, under_way;
	struct place places[];
};

enum err door_pool_new(const struct door_limits *limits, unsigned most, struct door_pool **out)
{
	struct door_pool *p = calloc(1, sizeof(*p) + most * sizeof(p->places[0]));

	door_start_library();
	if (p == NULL || (p->multi = curl_multi_init()) == NULL) {
		free(p);
		return fail(ERR_NO_MEMORY, "no room for connections");
	}
	curl_multi_setopt(p->multi, CURLMOPT_MAXCONNECTS, (long)most);
	p->limits = limits;
	p->most = most;
	for (unsigned i = 0; i < most; i++) {
		p->places[i].answer_headers = BUFFER(DOOR_HEADERS_MAX);
		p->places[i].body = BUFFER(limits->most_bytes);
	}
	*out = p;
	return OK;
}

/* It no longer points to what the caller owns. */
static void leave(struct door_pool *p, struct place *at)
{
	curl_multi_remove_handle(p->multi, at->curl);
	curl_easy_reset(at->curl);
	curl_slist_free_all(at->headers);
	at->headers = NULL;
	p->under_way--;
}

void door_pool_free(struct door_pool *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < p->most; i++) {
		struct place *at = &p->places[i];

		if (at->state == BUSY)
			leave(p, at);
		curl_easy_cleanup(at->curl);
		buffer_free(&at->answer_headers);
		buffer_free(&at->body);
	}
	curl_multi_cleanup(p->multi);
	free(p);
}

unsigned door_pool_under_way(const struct door_pool *p)
{
	return p->under_way;
}

/* What a large answer took is given back. */
#define KEPT_MAX ((size_t)64 << 10)

static void take_back(struct door_pool *p)
{
	for (unsigned i = 0; i < p->most; i++) {
		struct place *at = &p->places[i];

		if (at->state != GIVEN)
			continue;
		if (at->body.room > KEPT_MAX)
			buffer_free(&at->body);
		at->state = FREE;
	}
}

static bool configure(struct place *at, const struct door_request *r)
{
	CURL *c = at->curl;

	/* A name that is being looked up must not hold up the end. */
	return door_configure(c, &at->fetch, at->why) && door_configure_request(c, r, at->headers) &&
	       curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(c, CURLOPT_PRIVATE, at) == CURLE_OK;
}

static enum err begin(struct door_pool *p, struct place *at, const struct door_request *r)
{
	enum err e = door_make_headers(r, &at->headers);

	if (e != OK)
		return e;
	buffer_clear(&at->answer_headers);
	buffer_clear(&at->body);
	at->why[0] = '\0';
	at->fetch = (struct door_fetch){
		.url = r->url, .limits = p->limits, .fd = -1, .headers = &at->answer_headers, .body = &at->body
	};
	if (!configure(at, r) || curl_multi_add_handle(p->multi, at->curl) != CURLM_OK) {
		curl_easy_reset(at->curl);
		curl_slist_free_all(at->headers);
		at->headers = NULL;
		return fail(ERR_UNREACHABLE, "%s: the installed libcurl lacks something", r->url);
	}
	at->state = BUSY;
	p->under_way++;
	return OK;
}

enum err door_pool_ask(struct door_pool *p, const struct door_request *r, void *context)
{
	struct place *at = NULL;
	enum err e;

	take_back(p);
	for (unsigned i = 0; i < p->most && at == NULL; i++)
		if (p->places[i].state == FREE)
			at = &p->places[i];
	if (at == NULL)
		return fail(ERR_BUSY, "%u requests are under way", p->most);
	if ((e = door_check_url(r->url, p->limits->allow_plain)) != OK)
		return e;
	if (at->curl == NULL && (at->curl = curl_easy_init()) == NULL)
		return fail(ERR_NO_MEMORY, "no room to ask %s", r->url);
	at->context = context;
	return begin(p, at, r);
}

static void give(struct door_pool *p, struct place *at, CURLcode code, struct door_done *out)
{
	long status = 0;

	*out = (struct door_done){ .context = at->context };
	out->err = door_judge(at->curl, &at->fetch, code, at->why, &status);
	if (out->err == OK)
		out->answer = (struct door_answer){ (unsigned)status, buffer_view(&at->answer_headers),
						    buffer_view(&at->body) };
	else
		snprintf(out->detail, sizeof(out->detail), "%s", err_detail());
	leave(p, at);
	at->state = GIVEN;
}

/* Whether one ended. */
static enum err look(struct door_pool *p, struct door_done *out, bool *ended)
{
	CURLMsg *m;
	int running, left;

	if (curl_multi_perform(p->multi, &running) != CURLM_OK)
		return fail(ERR_NO_MEMORY, "no room for connections");
	while (!*ended && (m = curl_multi_info_read(p->multi, &left)) != NULL) {
		char *place = NULL;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &place);
		give(p, (struct place *)(void *)place, m->data.result, out);
		*ended = true;
	}
	return OK;
}

enum err door_pool_wait(struct door_pool *p, unsigned wait_ms, struct door_done *out, bool *ended)
{
	int64_t until_us = clock_monotonic_us() + wait_ms * INT64_C(1000), left_us;
	enum err e;

	take_back(p);
	*ended = false;
	while ((e = look(p, out, ended)) == OK && !*ended) {
		left_us = until_us - clock_monotonic_us();
		if (atomic_exchange(&p->woken, false) || left_us <= 0)
			break;
		curl_multi_poll(p->multi, NULL, 0, (int)(left_us / 1000 + 1), NULL);
	}
	return e;
}

void door_pool_wake(struct door_pool *p)
{
	atomic_store(&p->woken, true);
	curl_multi_wakeup(p->multi);
}
