#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "proof/dnssec_private.h"

#define UDP_MS 2000
#define UDP_TRIES 2
#define TCP_MS 10000
#define UDP_ROOM 1232 /* what passes everywhere in one piece (DNS flag day of 2020) */
#define MESSAGE_MAX 65535
#define RESOLVERS_MAX 3

struct server {
	struct address address;
	struct sockaddr_storage socket;
	socklen_t len;
};

static void server_of(struct address a, unsigned port, struct server *out)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)&out->socket;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)&out->socket;

	*out = (struct server){ .address = a };
	if (a.family == FAMILY_IPV4) {
		*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
		v4->sin_addr.s_addr = htonl((uint32_t)a.low);
		out->len = sizeof(*v4);
		return;
	}
	*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	for (unsigned i = 0; i < 8; i++) {
		v6->sin6_addr.s6_addr[i] = (uint8_t)(a.high >> (56 - 8 * i));
		v6->sin6_addr.s6_addr[8 + i] = (uint8_t)(a.low >> (56 - 8 * i));
	}
	out->len = sizeof(*v6);
}

/* Whom the system asks (resolv.conf(5)); addresses with a zone are passed over. */
static enum err system_servers(struct arena *a, unsigned port, struct server *out, size_t *count)
{
	struct span file, line;
	struct address one;
	enum err e = file_read(a, "/etc/resolv.conf", 1 << 16, &file);

	if (e != OK)
		return e == ERR_NO_MEMORY ? e : fail(ERR_UNREACHABLE, "/etc/resolv.conf names no resolver");
	for (*count = 0; *count < RESOLVERS_MAX && span_line(&file, &line);) {
		struct span rest = span_trim(line), word = span_cut(&rest, ' ');

		if (rest.at != NULL && span_is(word, "nameserver") && address_parse(span_trim(rest), &one) == OK)
			server_of(one, port, &out[(*count)++]);
	}
	return *count > 0 ? OK : fail(ERR_UNREACHABLE, "/etc/resolv.conf names no resolver");
}

static enum err servers_of(struct arena *a, const struct dns_resolver *r, struct server *out, size_t *count)
{
	unsigned port = r->port != 0 ? r->port : 53;
	struct address one;

	if (port > 65535)
		return fail(ERR_NUMBER, "a port is at most 65535");
	if (r->address == NULL)
		return system_servers(a, port, out, count);
	if (address_parse(span_of(r->address), &one) != OK)
		return fail(ERR_ADDRESS, "%s: a resolver is an address", r->address);
	server_of(one, port, out);
	*count = 1;
	return OK;
}

/* Recursion desired, nothing checked (CD); EDNS with the wish for signatures (DO). */
static void print_query(const struct dns_question *q, struct buffer *out)
{
	static const uint16_t counts[4] = { 1, 0, 0, 1 };

	buffer_u16(out, q->id);
	buffer_u16(out, 0x0110);
	for (size_t i = 0; i < 4; i++)
		buffer_u16(out, counts[i]);
	buffer_span(out, q->name);
	buffer_u16(out, (uint16_t)q->type);
	buffer_u16(out, LDNS_RR_CLASS_IN);
	buffer_byte(out, 0);
	buffer_u16(out, LDNS_RR_TYPE_OPT);
	buffer_u16(out, UDP_ROOM);
	buffer_u32(out, 0x8000);
	buffer_u16(out, 0);
}

static bool wait_for(int fd, short events, int64_t end_us)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		int64_t left = end_us - clock_monotonic_us();
		int n = left > 0 ? poll(&p, 1, (int)(left / 1000 + 1)) : 0;

		if (n >= 0 || errno != EINTR)
			return n > 0;
	}
}

/* One datagram of a connected socket: from that server alone, to a port of the kernel's choice. Those with another id are not for
 * this question. */
static enum err by_udp(const struct server *s, struct span query, char *answer, size_t *len)
{
	int fd = socket(s->socket.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	enum err e = fail(ERR_UNREACHABLE, "no answer in %d ms", UDP_MS);
	int64_t end = clock_monotonic_us() + UDP_MS * 1000;

	if (fd == -1)
		return fail_errno("socket");
	if (connect(fd, (const struct sockaddr *)&s->socket, s->len) == -1 ||
	    send(fd, query.at, query.len, MSG_NOSIGNAL) != (ssize_t)query.len) {
		e = fail(ERR_UNREACHABLE, "the resolver cannot be sent to");
		goto out;
	}
	while (wait_for(fd, POLLIN, end)) {
		ssize_t n = recv(fd, answer, MESSAGE_MAX, 0);

		if (n == -1 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n == -1) {
			e = fail(ERR_UNREACHABLE, "the resolver refuses datagrams");
			break;
		}
		if (n < LDNS_HEADER_SIZE || memcmp(answer, query.at, 2) != 0)
			continue;
		*len = (size_t)n;
		e = OK;
		break;
	}
out:
	close(fd);
	return e;
}

static bool move_all(int fd, char *bytes, size_t n, bool out, int64_t end)
{
	while (n > 0) {
		ssize_t moved = out ? send(fd, bytes, n, MSG_NOSIGNAL) : recv(fd, bytes, n, 0);

		if (moved == 0)
			return false;
		if (moved == -1 && errno != EINTR && errno != EAGAIN)
			return false;
		if (moved == -1 && !wait_for(fd, out ? POLLOUT : POLLIN, end))
			return false;
		if (clock_monotonic_us() > end)
			return false;
		if (moved > 0) {
			bytes += moved;
			n -= (size_t)moved;
		}
	}
	return true;
}

/* RFC 7766: two bytes of length before each message. */
static enum err by_tcp(const struct server *s, struct span query, char *answer, size_t *len)
{
	int fd = socket(s->socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), failed = 0;
	int64_t end = clock_monotonic_us() + TCP_MS * 1000;
	socklen_t size = sizeof(failed);
	char head[2] = { (char)(query.len >> 8), (char)query.len }, *copy = span_duplicate(query);
	enum err e = fail(ERR_UNREACHABLE, "no whole answer by TCP in %d ms", TCP_MS);

	if (fd == -1 || copy == NULL) {
		e = copy == NULL ? ERR_NO_MEMORY : fail_errno("socket");
		goto out;
	}
	if (connect(fd, (const struct sockaddr *)&s->socket, s->len) == -1 &&
	    (errno != EINPROGRESS || !wait_for(fd, POLLOUT, end) ||
	     getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == -1 || failed != 0))
		goto out;
	if (!move_all(fd, head, 2, true, end) || !move_all(fd, copy, query.len, true, end) ||
	    !move_all(fd, head, 2, false, end))
		goto out;
	*len = (size_t)(uint8_t)head[0] << 8 | (uint8_t)head[1];
	if (move_all(fd, answer, *len, false, end))
		e = OK;
out:
	free(copy);
	if (fd != -1)
		close(fd);
	return e;
}

static enum err ask_one(const struct server *s, const struct dns_question *q, struct span query, bool tcp, char *answer,
			struct dns_set *out)
{
	enum err e = ERR_UNREACHABLE;
	size_t len = 0;

	for (int i = 0; i < UDP_TRIES && !tcp && e == ERR_UNREACHABLE; i++)
		e = by_udp(s, query, answer, &len);
	if (e == ERR_UNREACHABLE || (e == OK && LDNS_TC_WIRE(answer)))
		e = by_tcp(s, query, answer, &len);
	return e == OK ? dns_answer_read(span_make(answer, len), q, out) : e;
}

enum err dns_ask(struct arena *a, const struct dns_resolver *r, struct span name, ldns_rr_type type,
		 struct dns_set *out, const char **from)
{
	struct dns_question q = { name, type, (uint16_t)randombytes_random() };
	struct server servers[RESOLVERS_MAX];
	struct buffer query = BUFFER(512);
	char *answer = arena_alloc(a, MESSAGE_MAX), text[ADDRESS_TEXT];
	size_t count = 0;
	enum err e = answer != NULL ? servers_of(a, r, servers, &count) : ERR_NO_MEMORY;

	print_query(&q, &query);
	if (e == OK)
		e = query.err;
	for (size_t i = 0; i < count; i++) {
		address_format(servers[i].address, text);
		if ((*from = arena_print(a, "%s", text)) == NULL)
			e = ERR_NO_MEMORY;
		else if (query.err == OK)
			e = ask_one(&servers[i], &q, buffer_view(&query), r->by_tcp, answer, out);
		if (e != ERR_UNREACHABLE && e != ERR_PEER)
			break;
	}
	buffer_free(&query);
	return e;
}
