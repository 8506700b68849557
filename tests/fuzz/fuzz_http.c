/* The bytes of a whole connection, thrown at a live server in this process. Two laws: the server still answers afterwards, and
 * a handler sees only what the head allowed. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http.h"

static struct http *server;

static void check(struct http_request *r)
{
	struct span host;

	for (size_t i = 0; i < 4; i++)
		if (r->parts[i].len > 0 && (memchr(r->parts[i].at, '/', r->parts[i].len) != NULL ||
					    memchr(r->parts[i].at, '\0', r->parts[i].len) != NULL))
			abort();
	for (size_t i = 0; i < r->path.len; i++)
		if (r->path.at[i] <= ' ' || r->path.at[i] == '?' || r->path.at[i] == 0x7f)
			abort();
	if (r->path.len == 0 || r->path.at[0] != '/' || r->body.len > r->door->body_most)
		abort();
	if (http_header(r, "Host", &host))
		for (size_t i = 0; i < host.len; i++)
			if (host.at[i] <= ' ' || host.at[i] == ',')
				abort();
}

static enum http_next say(void *context, struct http_request *r, struct http_answer *out)
{
	(void)context;
	check(r);
	out->status = 200;
	out->media_type = "text/plain";
	out->body = r->method == HTTP_POST ? r->body : r->path;
	return HTTP_NOW;
}

static enum http_next later(void *context, struct http_request *r, struct http_answer *out)
{
	say(context, r, out);
	http_answer_now(r);
	return HTTP_LATER;
}

static const struct http_door doors[] = {
	{ HTTP_GET, "/", 0, 0, say },	     { HTTP_GET, "/a/*", 0, 0, say },	 { HTTP_GET, "/later", 0, 0, later },
	{ HTTP_POST, "/b/*/c", 64, 0, say }, { HTTP_DELETE, "/a/*", 0, 0, say },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static struct listen at = { .text = { "127.0.0.1:0", 11 } };
	static struct config config = { .listens = &at,
					.listen_count = 1,
					.connections = 1000,
					.idle_s = 5,
					.request_s = 5,
					.threads = 2,
					.body_most = 64 };
	struct http_options o = { .config = &config, .doors = doors, .door_count = sizeof(doors) / sizeof(doors[0]) };

	(void)argc, (void)argv;
	at.address = address_ipv4(0x7f000001);
	if (http_start(&o, &server) != OK)
		abort();
	return 0;
}

static int dial(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger at_once = { .l_onoff = 1 }; /* no port waits behind thousands of connections */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_port = htons(http_port(server, 0));
	if (fd == -1 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		abort();
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	return fd;
}

/* Until the other side closes or has nothing to say: what is incomplete it would wait for. */
static void read_all(int fd)
{
	struct timeval patience = { .tv_usec = 50000 };
	char piece[4096];

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	while (recv(fd, piece, sizeof(piece), 0) > 0)
		;
}

static void still_answers(void)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	char piece[16];
	int fd = dial();

	if (send(fd, text, sizeof(text) - 1, MSG_NOSIGNAL) != sizeof(text) - 1 ||
	    recv(fd, piece, 15, MSG_WAITALL) != 15 || memcmp(piece, "HTTP/1.1 200 OK", 15) != 0)
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static unsigned rounds;
	int fd = dial();

	if (size > 0)
		(void)!send(fd, data, size, MSG_NOSIGNAL);
	shutdown(fd, SHUT_WR);
	read_all(fd);
	close(fd);
	if (++rounds % 64 == 0)
		still_answers();
	return 0;
}
