#include "net/http_private.h"

#include "base/clock.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BUCKETS 4096
#define WATCH_MS 500
#define LOOK_FOR_GONE 10 /* times of the watch */

struct counted {
	struct one {
		struct one *next;
		struct address address;
		unsigned connections;
	} * buckets[BUCKETS];
};

/* What one holder may have many of counts as one: an IPv6 /64. */
static struct address address_of(const struct sockaddr *a, struct address *whole)
{
	struct address got = { 0 };

	if (a->sa_family == AF_INET) {
		got = address_ipv4(ntohl(((const struct sockaddr_in *)(const void *)a)->sin_addr.s_addr));
	} else if (a->sa_family == AF_INET6) {
		const uint8_t *b = ((const struct sockaddr_in6 *)(const void *)a)->sin6_addr.s6_addr;

		got.family = FAMILY_IPV6;
		for (int i = 0; i < 8; i++) {
			got.high = got.high << 8 | b[i];
			got.low = got.low << 8 | b[i + 8];
		}
	}
	*whole = got;
	if (got.family == FAMILY_IPV6)
		got.low = 0;
	return got;
}

static struct one **counted_find(struct counted *c, struct address a)
{
	uint64_t hash = (a.high ^ a.low * 0x9e3779b97f4a7c15) * 0x9e3779b97f4a7c15 + a.family;
	struct one **at = &c->buckets[(hash >> 40) % BUCKETS];

	while (*at != NULL && !address_equal((*at)->address, a))
		at = &(*at)->next;
	return at;
}

static bool counted_add(struct counted *c, struct address a)
{
	struct one **at = counted_find(c, a);

	if (*at == NULL && (*at = calloc(1, sizeof(**at))) != NULL)
		(*at)->address = a;
	if (*at != NULL)
		(*at)->connections++;
	return *at != NULL;
}

static void counted_remove(struct counted *c, struct address a)
{
	struct one **at = counted_find(c, a), *gone = *at;

	if (gone != NULL && --gone->connections == 0) {
		*at = gone->next;
		free(gone);
	}
}

enum MHD_Result link_may_begin(void *context, const struct sockaddr *address, socklen_t length)
{
	const struct config *config;
	struct http *h = context;
	struct address whole, key;
	struct one *one;
	bool may;

	(void)length;
	config = h->options.config;
	if (atomic_load(&h->stopping) || atomic_load(&h->connections) >= config->connections)
		return MHD_NO;
	if (config->connections_per_address == 0)
		return MHD_YES;
	key = address_of(address, &whole);
	pthread_mutex_lock(&h->links_lock);
	one = *counted_find(h->counts, key);
	may = one == NULL || one->connections < config->connections_per_address;
	pthread_mutex_unlock(&h->links_lock);
	return may ? MHD_YES : MHD_NO;
}

static int64_t now_ms(void)
{
	return clock_monotonic_us() / 1000;
}

static uint64_t pack(enum phase p, int64_t deadline)
{
	return (uint64_t)deadline << 3 | (uint64_t)p;
}

bool link_enter(struct link *l, enum phase p, int64_t within_ms)
{
	uint64_t wanted = pack(p, within_ms == NO_DEADLINE ? NO_DEADLINE : now_ms() + within_ms);
	uint64_t old = atomic_load(&l->state);

	do {
		if ((old & 7) == PHASE_KILLED)
			return false;
	} while (!atomic_compare_exchange_weak(&l->state, &old, wanted));
	return true;
}

void *link_tls(struct MHD_Connection *mhd)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	return info != NULL ? info->tls_session : NULL;
}

static void link_begin(struct http *h, struct MHD_Connection *mhd, void **out)
{
	const union MHD_ConnectionInfo *from = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd;
	struct link *l = calloc(1, sizeof(*l));
	struct address whole = { 0 };
	void *tls;

	*out = l;
	if (l == NULL)
		return;
	l->http = h;
	l->mhd = mhd;
	l->counted = from != NULL ? address_of(from->client_addr, &whole) : whole;
	l->peer_length = whole.family != 0 ? address_format(whole, l->peer) : 0;
	fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	l->fd = fd != NULL ? fd->connect_fd : -1;
	atomic_init(&l->state, pack(PHASE_HEAD, now_ms() + (int64_t)h->options.config->request_s * 1000));
	if ((tls = link_tls(mhd)) != NULL) {
		l->secure = true;
		l->credentials = tls_begin(h->tls, tls);
	}
	atomic_fetch_add(&h->connections, 1);
	pthread_mutex_lock(&h->links_lock);
	if (!counted_add(h->counts, l->counted))
		l->counted.family = 0;
	if ((l->next = h->links) != NULL)
		l->next->previous = l;
	h->links = l;
	pthread_mutex_unlock(&h->links_lock);
}

static void link_over(struct http *h, struct link *l)
{
	pthread_mutex_lock(&h->links_lock);
	counted_remove(h->counts, l->counted);
	if (l->previous != NULL)
		l->previous->next = l->next;
	else
		h->links = l->next;
	if (l->next != NULL)
		l->next->previous = l->previous;
	pthread_mutex_unlock(&h->links_lock);
	atomic_fetch_sub(&h->connections, 1);
	tls_end(l->credentials);
	free(l);
}

void link_notify(void *context, struct MHD_Connection *mhd, void **link, enum MHD_ConnectionNotificationCode what)
{
	if (what == MHD_CONNECTION_NOTIFY_STARTED)
		link_begin(context, mhd, link);
	else if (*link != NULL)
		link_over(context, *link);
}

void link_spoil(struct link *l)
{
	atomic_store(&l->state, pack(PHASE_KILLED, NO_DEADLINE));
	if (l->fd != -1)
		shutdown(l->fd, SHUT_RDWR);
}

void link_stream(struct link *l, struct http_connection *c)
{
	pthread_mutex_lock(&l->http->links_lock);
	l->stream = c;
	pthread_mutex_unlock(&l->http->links_lock);
}

void links_end_streams(struct http *h)
{
	pthread_mutex_lock(&h->links_lock);
	for (struct link *l = h->links; l != NULL; l = l->next)
		if (l->stream != NULL)
			stream_end(l->stream);
	pthread_mutex_unlock(&h->links_lock);
}

/* Under links_lock, so the descriptor is still this connection's. */
static void kill_link(struct link *l, uint64_t seen)
{
	static const char late[] = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n"
				   "X-Content-Type-Options: nosniff\r\n\r\n";

	if (!atomic_compare_exchange_strong(&l->state, &seen, pack(PHASE_KILLED, NO_DEADLINE)) || l->fd == -1)
		return;
	if ((seen & 7) == PHASE_BODY && !l->secure)
		(void)!send(l->fd, late, sizeof(late) - 1, MSG_DONTWAIT | MSG_NOSIGNAL);
	shutdown(l->fd, SHUT_RDWR);
}

void links_close_all(struct http *h)
{
	pthread_mutex_lock(&h->links_lock);
	for (struct link *l = h->links; l != NULL; l = l->next)
		if ((atomic_load(&l->state) & 7) != PHASE_KILLED && l->fd != -1)
			shutdown(l->fd, SHUT_RDWR);
	pthread_mutex_unlock(&h->links_lock);
}

static void end_late(struct http *h)
{
	int64_t now = now_ms();

	for (struct link *l = h->links; l != NULL; l = l->next) {
		uint64_t state = atomic_load(&l->state);

		if ((int64_t)(state >> 3) < now)
			kill_link(l, state);
	}
}

static void end_gone(struct pollfd *polled, struct http_connection **streams, size_t n)
{
	if (poll(polled, n, 0) <= 0)
		return;
	for (size_t i = 0; i < n; i++)
		if ((polled[i].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) != 0)
			stream_end(streams[i]);
}

/* A stream that sleeps does not see that its reader left: the library does not look at it. */
static void end_streams_of_gone(struct http *h)
{
	struct http_connection *streams[256];
	struct pollfd polled[256];
	size_t n = 0;

	for (struct link *l = h->links; l != NULL; l = l->next) {
		if (l->stream == NULL || l->fd == -1)
			continue;
		polled[n] = (struct pollfd){ .fd = l->fd, .events = POLLRDHUP };
		streams[n++] = l->stream;
		if (n == 256) {
			end_gone(polled, streams, n);
			n = 0;
		}
	}
	end_gone(polled, streams, n);
}

static void *watch(void *context)
{
	struct http *h = context;
	unsigned round = 0;

	pthread_mutex_lock(&h->links_lock);
	while (!h->watch_ends) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += WATCH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&h->watch_wake, &h->links_lock, &until);
		end_late(h);
		if (++round % LOOK_FOR_GONE == 0)
			end_streams_of_gone(h);
	}
	pthread_mutex_unlock(&h->links_lock);
	return NULL;
}

enum err links_watch(struct http *h)
{
	pthread_condattr_t monotonic;

	if ((h->counts = calloc(1, sizeof(*h->counts))) == NULL)
		return ERR_NO_MEMORY;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&h->watch_wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&h->watch, NULL, watch, h) != 0)
		return fail(ERR_NO_MEMORY, "no thread for the server");
	h->watches = true;
	return OK;
}

void links_watch_end(struct http *h)
{
	if (!h->watches)
		return;
	pthread_mutex_lock(&h->links_lock);
	h->watch_ends = true;
	pthread_cond_signal(&h->watch_wake);
	pthread_mutex_unlock(&h->links_lock);
	pthread_join(h->watch, NULL);
	h->watches = false;
}

void links_free(struct http *h)
{
	if (h->counts != NULL)
		pthread_cond_destroy(&h->watch_wake);
	free(h->counts);
}

struct slot *slot_mine(struct http *h)
{
	static _Thread_local unsigned mine;
	static atomic_uint next;

	if (mine == 0)
		mine = atomic_fetch_add(&next, 1) % SLOTS + 1;
	return &h->slots[mine - 1];
}

struct arena *slot_arena(struct http *h, struct slot *s)
{
	struct arena *a = NULL;

	pthread_mutex_lock(&s->lock);
	if (s->spare_count > 0)
		a = s->spare[--s->spare_count];
	pthread_mutex_unlock(&s->lock);
	return a != NULL ? a : arena_new(h->arena_most);
}

void slot_give_back(struct slot *s, struct arena *a, bool large)
{
	if (!large) {
		arena_reset(a);
		pthread_mutex_lock(&s->lock);
		if (s->spare_count < SPARE_ARENAS) {
			s->spare[s->spare_count++] = a;
			a = NULL;
		}
		pthread_mutex_unlock(&s->lock);
	}
	arena_free(a);
}
