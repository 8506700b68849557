#include "test.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/door_pool.h"

/* A server that gives back what it got; a thread for each connection. */
struct server {
	int listening;
	unsigned port;
	pthread_t thread;
	atomic_uint connections, visiting;
	atomic_bool open; /* /gate is answered */
	struct door_limits limits;
};

struct visit {
	struct server *server;
	int fd;
};

static void say(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t sent = send(fd, text, n, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		text += sent;
		n -= (size_t)sent;
	}
}

static void answer(struct server *s, int fd, const char *path, struct span body)
{
	struct buffer b = BUFFER(1 << 20);

	if (strcmp(path, "/gate") == 0)
		while (!atomic_load(&s->open))
			usleep(1000);
	if (strcmp(path, "/moved") == 0)
		buffer_text(&b, "HTTP/1.1 302 Found\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n");
	else if (strcmp(path, "/nonsense") == 0)
		buffer_text(&b, "\x16\x03\x01 what?\r\n\r\n");
	else if (strcmp(path, "/cut") == 0)
		buffer_text(&b, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.");
	else if (strcmp(path, "/busy") == 0)
		buffer_text(&b, "HTTP/1.1 429 Slow Down\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n");
	else if (strcmp(path, "/large") == 0)
		buffer_print(&b, "HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n%070000d", 0);
	else
		buffer_print(&b, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%.*s", body.len, SPAN_FORMAT(body));
	say(fd, b.at, b.len);
	buffer_free(&b);
	if (strcmp(path, "/cut") == 0 || strcmp(path, "/nonsense") == 0)
		shutdown(fd, SHUT_RDWR);
}

/* The head's end and the body are looked for in what has come so far. */
static void *visit(void *argument)
{
	struct visit *v = argument;
	char text[8192], path[64];
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(v->fd, text + have, sizeof(text) - 1 - have, 0);
		char *end, *length;
		size_t body;

		if (n <= 0)
			break;
		have += (size_t)n;
		text[have] = '\0';
		if ((end = strstr(text, "\r\n\r\n")) == NULL)
			continue;
		length = strstr(text, "Content-Length: ");
		body = length != NULL && length < end ? strtoul(length + 16, NULL, 10) : 0;
		end += 4;
		if (have < (size_t)(end - text) + body)
			continue;
		if (sscanf(text, "%*15s %63s", path) == 1)
			answer(v->server, v->fd, path, span_make(end, body));
		have = 0;
	}
	close(v->fd);
	atomic_fetch_sub(&v->server->visiting, 1);
	free(v);
	return NULL;
}

static void *serve(void *argument)
{
	struct server *s = argument;
	int fd;

	while ((fd = accept(s->listening, NULL, NULL)) != -1) {
		struct visit *v = malloc(sizeof(*v));
		pthread_t thread;

		*v = (struct visit){ s, fd };
		atomic_fetch_add(&s->connections, 1);
		atomic_fetch_add(&s->visiting, 1);
		if (pthread_create(&thread, NULL, visit, v) != 0)
			abort();
		pthread_detach(thread);
	}
	return NULL;
}

static int setup(void **state)
{
	static struct server s;
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);

	s = (struct server){ .limits = { .most_bytes = 65536,
					 .connect_ms = 5000,
					 .total_ms = 20000,
					 .allow_private = true,
					 .allow_plain = true } };
	s.listening = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s.listening, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(s.listening, 100), 0);
	assert_int_equal(getsockname(s.listening, (struct sockaddr *)&a, &size), 0);
	s.port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s.thread, NULL, serve, &s), 0);
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct server *s = *state;

	atomic_store(&s->open, true);
	shutdown(s->listening, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listening);
	while (atomic_load(&s->visiting) > 0)
		usleep(1000);
	return 0;
}

struct asked {
	char url[96], body[32];
	struct door_request request;
};

static enum err ask(struct door_pool *p, const struct server *s, struct asked *a, const char *path, unsigned number)
{
	snprintf(a->url, sizeof(a->url), "http://127.0.0.1:%u%s", s->port, path);
	snprintf(a->body, sizeof(a->body), "number %u", number);
	a->request = (struct door_request){ .method = "POST", .url = a->url, .body = span_of(a->body) };
	return door_pool_ask(p, &a->request, a);
}

static struct door_done wait_for_one(struct door_pool *p)
{
	struct door_done done;
	bool ended = false;

	while (!ended)
		assert_int_equal(door_pool_wait(p, 1000, &done, &ended), OK);
	return done;
}

#define MANY 8

static void each_gets_its_own_answer(void **state)
{
	struct server *s = *state;
	struct door_pool *p;
	struct asked asked[MANY], one;
	bool seen[MANY] = { false };

	assert_int_equal(door_pool_new(&s->limits, MANY, &p), OK);
	for (unsigned round = 0; round < 3; round++) {
		memset(seen, 0, sizeof(seen));
		for (unsigned i = 0; i < MANY; i++)
			assert_int_equal(ask(p, s, &asked[i], "/echo", i + round), OK);
		assert_int_equal(door_pool_under_way(p), MANY);
		assert_int_equal(ask(p, s, &one, "/echo", 99), ERR_BUSY);
		for (unsigned i = 0; i < MANY; i++) {
			struct door_done d = wait_for_one(p);
			struct asked *a = d.context;

			assert_int_equal(d.err, OK);
			assert_int_equal(d.answer.status, 200);
			assert_true(span_equal(d.answer.body, span_of(a->body)));
			assert_false(seen[a - asked]);
			seen[a - asked] = true;
		}
		assert_int_equal(door_pool_under_way(p), 0);
	}
	assert_true(atomic_load(&s->connections) <= MANY); /* they are kept */
	door_pool_free(p);
}

static void a_slow_one_holds_up_nobody(void **state)
{
	struct server *s = *state;
	struct door_pool *p;
	struct asked slow, quick;
	struct door_done d;
	bool ended;

	assert_int_equal(door_pool_new(&s->limits, MANY, &p), OK);
	assert_int_equal(ask(p, s, &slow, "/gate", 1), OK);
	assert_int_equal(ask(p, s, &quick, "/echo", 2), OK);
	d = wait_for_one(p);
	assert_ptr_equal(d.context, &quick);
	assert_int_equal(door_pool_wait(p, 20, &d, &ended), OK);
	assert_false(ended);
	atomic_store(&s->open, true);
	d = wait_for_one(p);
	assert_ptr_equal(d.context, &slow);
	assert_int_equal(d.err, OK);
	atomic_store(&s->open, false);
	door_pool_free(p);
}

static void what_is_under_way_is_dropped(void **state)
{
	struct server *s = *state;
	struct door_pool *p;
	struct asked a[2];

	assert_int_equal(door_pool_new(&s->limits, MANY, &p), OK);
	assert_int_equal(ask(p, s, &a[0], "/gate", 1), OK);
	assert_int_equal(ask(p, s, &a[1], "/gate", 2), OK);
	door_pool_free(p);
	door_pool_free(NULL);
}

static void other_answers_are_told_apart(void **state)
{
	static const struct {
		const char *path;
		enum err err;
		unsigned status;
	} table[] = {
		{ "/moved", ERR_REFUSED_URL, 0 },
		{ "/nonsense", ERR_UNREACHABLE, 0 },
		{ "/cut", ERR_UNREACHABLE, 0 },
		{ "/large", ERR_TOO_LONG, 0 },
		{ "/busy", OK, 429 },
		{ "/echo", OK, 200 },
	};
	struct server *s = *state;
	struct door_pool *p;
	struct asked a[TABLE_LENGTH(table)];

	assert_int_equal(door_pool_new(&s->limits, TABLE_LENGTH(table), &p), OK);
	for (unsigned i = 0; i < TABLE_LENGTH(table); i++)
		assert_int_equal(ask(p, s, &a[i], table[i].path, i), OK);
	for (unsigned i = 0; i < TABLE_LENGTH(table); i++) {
		struct door_done d = wait_for_one(p);
		size_t which = (size_t)((struct asked *)d.context - a);
		struct span wait = SPAN("");

		if (d.err != table[which].err)
			fail_msg("%s: %s %s", table[which].path, err_code(d.err), d.detail);
		if (d.err != OK)
			assert_non_null(strstr(d.detail, table[which].path));
		else
			assert_int_equal(d.answer.status, table[which].status);
		assert_int_equal(d.err == OK && door_header(&d.answer, "retry-after", &wait),
				 table[which].status == 429);
		assert_true(wait.len == 0 || span_is(wait, "7"));
	}
	door_pool_free(p);
}

static void the_rules_are_the_doors(void **state)
{
	struct server *s = *state;
	struct door_limits strict = s->limits;
	struct door_pool *p;
	struct door_done d;
	struct asked a;

	strict.allow_plain = false;
	assert_int_equal(door_pool_new(&strict, 1, &p), OK);
	assert_int_equal(ask(p, s, &a, "/echo", 1), ERR_REFUSED_URL);
	door_pool_free(p);
	strict.allow_plain = true;
	strict.allow_private = false;
	assert_int_equal(door_pool_new(&strict, 1, &p), OK);
	assert_int_equal(ask(p, s, &a, "/echo", 1), OK);
	d = wait_for_one(p);
	assert_int_equal(d.err, ERR_REFUSED_URL);
	assert_non_null(strstr(d.detail, "127.0.0.1"));
	assert_int_equal(ask(p, s, &a, "/echo", 2), OK); /* the place is free again */
	assert_int_equal(wait_for_one(p).err, ERR_REFUSED_URL);
	door_pool_free(p);
}

static void *wake_it(void *pool)
{
	door_pool_wake(pool);
	return NULL;
}

/* Without the wake it would wait for ten minutes. */
static void a_waiting_one_is_woken(void **state)
{
	struct server *s = *state;
	struct door_pool *p;
	struct door_done d;
	pthread_t thread;
	bool ended;

	assert_int_equal(door_pool_new(&s->limits, 1, &p), OK);
	door_pool_wake(p);
	assert_int_equal(door_pool_wait(p, 600000, &d, &ended), OK);
	assert_false(ended);
	assert_int_equal(pthread_create(&thread, NULL, wake_it, p), 0);
	assert_int_equal(door_pool_wait(p, 600000, &d, &ended), OK);
	assert_false(ended);
	pthread_join(thread, NULL);
	door_pool_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_gets_its_own_answer, setup, teardown),
		cmocka_unit_test_setup_teardown(a_slow_one_holds_up_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_under_way_is_dropped, setup, teardown),
		cmocka_unit_test_setup_teardown(other_answers_are_told_apart, setup, teardown),
		cmocka_unit_test_setup_teardown(the_rules_are_the_doors, setup, teardown),
		cmocka_unit_test_setup_teardown(a_waiting_one_is_woken, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
