#include "net/http_private.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG 1024

static void raise_handles(unsigned connections)
{
	struct rlimit l;
	rlim_t wanted = (rlim_t)connections * 2 + 512; /* an answer may hold a file open */

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted)
		return;
	l.rlim_cur = l.rlim_max == RLIM_INFINITY || l.rlim_max > wanted ? wanted : l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
}

static socklen_t socket_address(const struct listen *l, struct sockaddr_storage *out)
{
	*out = (struct sockaddr_storage){ 0 };
	if (l->address.family == FAMILY_IPV4) {
		struct sockaddr_in *a = (struct sockaddr_in *)(void *)out;

		a->sin_family = AF_INET;
		a->sin_port = htons(l->port);
		a->sin_addr.s_addr = htonl((uint32_t)l->address.low);
		return sizeof(*a);
	}
	struct sockaddr_in6 *a = (struct sockaddr_in6 *)(void *)out;

	a->sin6_family = AF_INET6;
	a->sin6_port = htons(l->port);
	for (int i = 0; i < 8; i++) {
		a->sin6_addr.s6_addr[i] = (uint8_t)(l->address.high >> (56 - 8 * i));
		a->sin6_addr.s6_addr[i + 8] = (uint8_t)(l->address.low >> (56 - 8 * i));
	}
	return sizeof(*a);
}

static enum err listen_at(const struct listen *l, struct listener *out)
{
	struct sockaddr_storage a;
	socklen_t size = socket_address(l, &a);
	int on = 1;

	out->fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (out->fd == -1)
		return fail_errno("%.*s", SPAN_FORMAT(l->text));
	setsockopt(out->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a.ss_family == AF_INET6)
		setsockopt(out->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(out->fd, (struct sockaddr *)&a, size) != 0 || listen(out->fd, BACKLOG) != 0)
		return errno == EADDRINUSE ? fail(ERR_BUSY, "%.*s: the address is taken", SPAN_FORMAT(l->text))
					   : fail_errno("%.*s", SPAN_FORMAT(l->text));
	size = sizeof(a);
	if (getsockname(out->fd, (struct sockaddr *)&a, &size) != 0)
		return fail_errno("%.*s", SPAN_FORMAT(l->text));
	out->port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&a)->sin6_port
						  : ((struct sockaddr_in *)(void *)&a)->sin_port);
	out->tls = l->tls;
	return OK;
}

static void say_nothing(void *context, const char *format, va_list arguments)
{
	(void)context, (void)format, (void)arguments;
}

/* Paths and queries are decoded by us, from what was sent. */
static size_t leave_as_sent(void *context, struct MHD_Connection *mhd, char *text)
{
	(void)context, (void)mhd;
	return strlen(text);
}

static unsigned threads_of(const struct config *config)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (config->threads > 0)
		return config->threads;
	return processors > 0 ? (unsigned)processors : 1;
}

static enum err start_daemon(struct http *h, struct listener *l, char *certificate, char *key)
{
	const struct config *config = h->options.config;
	unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | MHD_USE_TURBO;
	unsigned threads = threads_of(config);
	struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, certificate },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	struct MHD_OptionItem pool[] = { { MHD_OPTION_THREAD_POOL_SIZE, threads, NULL }, { MHD_OPTION_END, 0, NULL } };
	static struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };

	/* The limit of connections is kept by link_may_begin, for all listeners together. The library divides its own by
	 * threads, so it is set to what never stands in the way. */
	l->daemon = MHD_start_daemon(
		flags | (l->tls ? MHD_USE_TLS : 0), 0, link_may_begin, h, request_go, h, MHD_OPTION_LISTEN_SOCKET,
		l->fd, MHD_OPTION_EXTERNAL_LOGGER, say_nothing, NULL, MHD_OPTION_URI_LOG_CALLBACK, request_begin, h,
		MHD_OPTION_UNESCAPE_CALLBACK, leave_as_sent, NULL, MHD_OPTION_NOTIFY_COMPLETED, request_end, h,
		MHD_OPTION_NOTIFY_CONNECTION, link_notify, h, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MEMORY,
		MHD_OPTION_CONNECTION_LIMIT, (config->connections + 64) * threads, MHD_OPTION_CONNECTION_TIMEOUT,
		config->idle_s,
#if MHD_VERSION >= 0x00097701
		MHD_OPTION_STRICT_FOR_CLIENT, 1,
#endif
		MHD_OPTION_ARRAY, l->tls ? tls : none, MHD_OPTION_ARRAY, threads > 1 ? pool : none, MHD_OPTION_END);
	return l->daemon != NULL ? OK : fail(ERR_IO, "the server on port %u does not start", l->port);
}

static enum err start_listeners(struct http *h)
{
	const struct http_options *o = &h->options;
	char *certificate = span_duplicate(o->certificate_pem);
	char *key = span_duplicate(o->key_pem);
	enum err e = certificate != NULL && key != NULL ? OK : ERR_NO_MEMORY;

	for (size_t i = 0; e == OK && i < o->config->listen_count; i++) {
		h->listener_count++;
		h->listeners[i].fd = -1;
		e = listen_at(&o->config->listens[i], &h->listeners[i]);
	}
	for (size_t i = 0; e == OK && i < h->listener_count; i++)
		if (h->listeners[i].tls && h->tls == NULL)
			e = tls_new(o->certificate_pem, o->key_pem, o->authorities_pem, &h->tls);
	for (size_t i = 0; e == OK && i < h->listener_count; i++)
		e = start_daemon(h, &h->listeners[i], certificate, key);
	if (key != NULL)
		explicit_bzero(key, strlen(key));
	free(key);
	free(certificate);
	return e;
}

static struct http *prepare(const struct http_options *o)
{
	struct http *h = aligned_alloc(64, (sizeof(*h) + 63) & ~(size_t)63);

	if (h == NULL)
		return NULL;
	memset(h, 0, sizeof(*h));
	h->options = *o;
	h->bodies_most = o->config->body_most * 4 > BODIES_MOST ? o->config->body_most * 4 : BODIES_MOST;
	h->arena_most = (32 << 20) + 16 * (size_t)o->config->body_most;
	pthread_mutex_init(&h->links_lock, NULL);
	for (size_t i = 0; i < SLOTS; i++)
		pthread_mutex_init(&h->slots[i].lock, NULL);
	h->listeners = calloc(o->config->listen_count + 1, sizeof(*h->listeners));
	return h;
}

enum err http_start(const struct http_options *o, struct http **out)
{
	struct http *h = prepare(o);
	enum err e = h == NULL || h->listeners == NULL ? ERR_NO_MEMORY : OK;

	if (e == OK) {
		raise_handles(o->config->connections);
		e = doors_compile(o->doors, o->door_count, &h->doors);
	}
	if (e == OK)
		e = links_watch(h);
	if (e == OK)
		e = start_listeners(h);
	/* The certificates were the caller's, and are needed no more. */
	if (h != NULL)
		h->options.certificate_pem = h->options.key_pem = h->options.authorities_pem = (struct span){ 0 };
	if (e != OK) {
		http_stop(h, 0);
		return e;
	}
	*out = h;
	return OK;
}

uint16_t http_port(const struct http *h, size_t i)
{
	return i < h->listener_count ? h->listeners[i].port : 0;
}

enum err http_reload(struct http *h, struct span certificate_pem, struct span key_pem, struct span authorities_pem)
{
	return h->tls != NULL ? tls_reload(h->tls, certificate_pem, key_pem, authorities_pem) : OK;
}

unsigned http_connections(const struct http *h)
{
	return atomic_load(&h->connections);
}

static unsigned under_way(const struct http *h, bool calls)
{
	unsigned n = 0;

	for (size_t i = 0; i < SLOTS; i++)
		n += atomic_load(calls ? &h->slots[i].calls : &h->slots[i].requests);
	return n;
}

static void pause_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static void wait_for(const struct http *h, int64_t until_us)
{
	while (under_way(h, false) > 0 && clock_monotonic_us() < until_us)
		pause_ms(2);
}

static void release(struct http *h)
{
	links_free(h);
	tls_free(h->tls);
	for (size_t i = 0; i < SLOTS; i++) {
		while (h->slots[i].spare_count > 0)
			arena_free(h->slots[i].spare[--h->slots[i].spare_count]);
		pthread_mutex_destroy(&h->slots[i].lock);
	}
	pthread_mutex_destroy(&h->links_lock);
	free(h->listeners);
	free(h->doors);
	free(h);
}

/* The library must not be stopped while a connection is suspended. So: nobody new comes in (link_may_begin), no stream sleeps any
 * more, then no handler is called any more, then none is waited for. MHD_quiesce_daemon is not for us: it takes the sockets out of
 * the epoll sets of threads that may be doing the same, and then ends the process. */
void http_stop(struct http *h, unsigned grace_ms)
{
	int64_t now = clock_monotonic_us();

	if (h == NULL)
		return;
	atomic_store(&h->stopping, true);
	links_end_streams(h);
	wait_for(h, now + (int64_t)grace_ms * 1000);
	atomic_store(&h->closed, true);
	while (under_way(h, true) > 0)
		pause_ms(2);
	links_close_all(h);
	wait_for(h, clock_monotonic_us() + 500000);
	links_watch_end(h);
	for (size_t i = 0; i < h->listener_count; i++) {
		if (h->listeners[i].daemon != NULL)
			MHD_stop_daemon(h->listeners[i].daemon); /* which closes its socket */
		else if (h->listeners[i].fd != -1)
			close(h->listeners[i].fd);
	}
	assert(atomic_load(&h->connections) == 0);
	release(h);
}
