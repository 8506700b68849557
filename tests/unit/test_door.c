#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/file.h"
#include "net/door.h"

/* A folder with what the server gives out: `openssl s_server -HTTP` sends files as whole answers. */
struct door {
	char folder[64];
	char to[128], part[160], authorities[128];
	unsigned port;
	pid_t server; /* 0: there is none */
	struct door_limits limits;
};

static void write_file(const struct door *d, const char *name, struct span content)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", d->folder, name);
	assert_int_equal(file_write_lazily(path, content, 0600), OK);
}

/* In the child. */
static _Noreturn void become(char *const *argv, const char *folder)
{
	int nothing = open("/dev/null", O_RDWR);

	if (chdir(folder) != 0 || nothing == -1 || dup2(nothing, 0) == -1 || dup2(nothing, 1) == -1 ||
	    dup2(nothing, 2) == -1)
		_exit(126);
	execvp(argv[0], argv);
	_exit(127);
}

static pid_t start(char *const *argv, const char *folder)
{
	pid_t child = fork();

	assert_true(child != -1);
	if (child == 0)
		become(argv, folder);
	return child;
}

static int run(char *const *argv, const char *folder)
{
	int status = -1;

	assert_true(waitpid(start(argv, folder), &status, 0) != -1);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Where nobody listens. It stays bound here, so that nobody else is given it; who says SO_REUSEADDR still gets it. */
static unsigned free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	return ntohs(a.sin_port);
}

static bool listens(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	bool yes = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	close(fd);
	return yes;
}

static void write_answers(const struct door *d)
{
	struct buffer b = BUFFER(1 << 20);

	write_file(d, "good",
		   SPAN("HTTP/1.0 200 OK\r\nLast-Modified: Sat, 20 Jun 2026 10:00:00 GMT\r\n\r\nthe content\n"));
	write_file(d, "empty", SPAN("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
	write_file(d, "missing", SPAN("HTTP/1.0 404 Not Found\r\n\r\nno\n"));
	write_file(d, "moved", SPAN("HTTP/1.0 302 Found\r\nLocation: https://example.com/elsewhere\r\n\r\n"));
	write_file(d, "said", SPAN("HTTP/1.0 200 OK\r\nContent-Length: 4000000\r\n\r\nxx"));
	buffer_text(&b, "HTTP/1.0 200 OK\r\n\r\n");
	for (int i = 0; i < 100000; i++)
		buffer_byte(&b, 'x');
	write_file(d, "large", buffer_view(&b));
	buffer_free(&b);
}

static bool make_certificate(const struct door *d)
{
	char *argv[] = { "openssl",
			 "req",
			 "-x509",
			 "-newkey",
			 "ec",
			 "-pkeyopt",
			 "ec_paramgen_curve:prime256v1",
			 "-nodes",
			 "-keyout",
			 "key.pem",
			 "-out",
			 "cert.pem",
			 "-days",
			 "2",
			 "-subj",
			 "/CN=localhost",
			 "-addext",
			 "subjectAltName=IP:127.0.0.1",
			 NULL };

	return run(argv, d->folder) == 0;
}

static int door_make(void **state)
{
	static struct door d;
	char port[16];
	char *argv[] = {
		"openssl", "s_server", "-accept", port, "-cert", "cert.pem", "-key", "key.pem", "-HTTP", NULL
	};

	d = (struct door){ .folder = "/tmp/comity-door-XXXXXX" };
	assert_non_null(mkdtemp(d.folder));
	snprintf(d.to, sizeof(d.to), "%s/fetched", d.folder);
	snprintf(d.part, sizeof(d.part), "%s.part", d.to);
	snprintf(d.authorities, sizeof(d.authorities), "%s/cert.pem", d.folder);
	d.limits = (struct door_limits){ .most_bytes = 65536,
					 .connect_ms = 5000,
					 .total_ms = 20000,
					 .allow_private = true,
					 .authorities = d.authorities };
	write_answers(&d);
	if (make_certificate(&d)) {
		d.port = free_port();
		snprintf(port, sizeof(port), "%u", d.port);
		d.server = start(argv, d.folder);
		for (int i = 0; i < 6000 && !listens(d.port); i++)
			usleep(10000);
	}
	*state = &d;
	return 0;
}

static int door_remove(void **state)
{
	static const char *const files[] = {
		"good", "empty", "missing", "moved", "said", "large", "cert.pem", "key.pem"
	};
	struct door *d = *state;
	char path[128];

	if (d->server != 0) {
		kill(d->server, SIGKILL);
		waitpid(d->server, NULL, 0);
	}
	for (size_t i = 0; i < TABLE_LENGTH(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->folder, files[i]);
		unlink(path);
	}
	unlink(d->to);
	return rmdir(d->folder);
}

static enum err fetch(struct door *d, const char *name)
{
	char url[128];

	snprintf(url, sizeof(url), "https://127.0.0.1:%u/%s", d->port, name);
	unlink(d->to);
	return door_fetch(url, &d->limits, d->to);
}

static void assert_nothing_left(const struct door *d)
{
	assert_false(file_exists(d->to));
	assert_false(file_exists(d->part));
}

#define NEEDS_SERVER(d)                                                                                                \
	do {                                                                                                           \
		if ((d)->server == 0) {                                                                                \
			print_message("no openssl program: skipped\n");                                                \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

static void what_is_there_is_fetched(void **state)
{
	struct arena *a = arena_new(65536);
	struct door *d = *state;
	struct span text;
	struct stat st;

	NEEDS_SERVER(d);
	if (fetch(d, "good") != OK)
		fail_msg("%s", err_detail());
	assert_int_equal(file_read(a, d->to, 1000, &text), OK);
	assert_span(text, "the content\n");
	assert_int_equal(stat(d->to, &st), 0);
	assert_int_equal(st.st_mtime, 1781949600); /* what the server says of it */
	assert_false(file_exists(d->part));
	assert_int_equal(fetch(d, "empty"), OK);
	arena_free(a);
}

static void other_answers_are_none(void **state)
{
	struct door *d = *state;

	NEEDS_SERVER(d);
	assert_int_equal(fetch(d, "missing"), ERR_UNREACHABLE);
	assert_non_null(strstr(err_detail(), "404"));
	assert_nothing_left(d);
	assert_int_equal(fetch(d, "moved"), ERR_REFUSED_URL);
	assert_non_null(strstr(err_detail(), "https://example.com/elsewhere"));
	assert_nothing_left(d);
	assert_int_equal(fetch(d, "large"), ERR_TOO_LONG);
	assert_nothing_left(d);
	assert_int_equal(fetch(d, "said"), ERR_TOO_LONG);
	assert_nothing_left(d);
}

static void an_earlier_file_stays(void **state)
{
	struct door *d = *state;
	char url[128];

	NEEDS_SERVER(d);
	assert_int_equal(file_write_lazily(d->to, SPAN("earlier"), 0600), OK);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/missing", d->port);
	assert_int_equal(door_fetch(url, &d->limits, d->to), ERR_UNREACHABLE);
	assert_true(file_exists(d->to));
}

static void strangers_are_not_believed(void **state)
{
	struct door *d = *state;

	NEEDS_SERVER(d);
	d->limits.authorities = NULL;
	assert_int_equal(fetch(d, "good"), ERR_UNREACHABLE);
	assert_nothing_left(d);
	d->limits.authorities = d->authorities;
}

static void private_hosts_are_refused(void **state)
{
	static const char *const hosts[] = {
		"127.0.0.1", "localhost",	   "[::1]",	"2130706433",	       "0x7f.1",
		"127.1",     "[::ffff:127.0.0.1]", "10.0.0.1",	"192.168.1.1",	       "169.254.169.254",
		"0.0.0.0",   "[fe80::1]",	   "[fd00::1]", "[64:ff9b::10.0.0.1]", "[2002:7f00:1::1]",
		"224.0.0.1", "255.255.255.255"
	};
	struct door *d = *state;
	char url[128];

	d->limits.allow_private = false;
	for (size_t i = 0; i < TABLE_LENGTH(hosts); i++) {
		enum err e;

		snprintf(url, sizeof(url), "https://%s:%u/good", hosts[i], d->port != 0 ? d->port : 443);
		if ((e = door_fetch(url, &d->limits, d->to)) != ERR_REFUSED_URL)
			fail_msg("%s: %s: %s", url, err_code(e), err_detail());
		assert_nothing_left(d);
	}
	d->limits.allow_private = true;
}

static void other_addresses_are_refused(void **state)
{
	static const char *const urls[] = { "",
					    "http://example.com/",
					    "ftp://example.com/",
					    "file:///etc/hostname",
					    "gopher://example.com/",
					    "HTTP://example.com/",
					    "//example.com/",
					    "example.com",
					    "https://",
					    "https://user:secret@example.com/",
					    "https://user@example.com/",
					    "https://example.com/a b",
					    "https://example.com/\r\nHost: x",
					    "https://ex\xc3\xa4mple.com/",
					    "dict://x",
					    "javascript:alert(1)",
					    "https:example.com@" };
	struct door *d = *state;
	char *longest = malloc(4096);

	for (size_t i = 0; i < TABLE_LENGTH(urls); i++)
		if (door_fetch(urls[i], &d->limits, d->to) != ERR_REFUSED_URL)
			fail_msg("%s was not refused", urls[i]);
	memset(longest, 'a', 4095);
	longest[4095] = '\0';
	memcpy(longest, "https://example.com/", 20);
	assert_int_equal(door_fetch(longest, &d->limits, d->to), ERR_REFUSED_URL);
	assert_nothing_left(d);
	free(longest);
}

/* Nobody listens; somebody listens and says nothing. */
static void silence_ends(void **state)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct door *d = *state;
	struct door_limits quick = d->limits;
	socklen_t size = sizeof(a);
	int64_t began = clock_monotonic_us();
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char url[128];

	quick.total_ms = 300;
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", free_port());
	assert_int_equal(door_fetch(url, &quick, d->to), ERR_UNREACHABLE);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ntohs(a.sin_port));
	assert_int_equal(door_fetch(url, &quick, d->to), ERR_UNREACHABLE);
	assert_true(clock_monotonic_us() - began < 15000000);
	assert_nothing_left(d);
	close(fd);
}

static void where_nothing_can_be_written(void **state)
{
	struct door *d = *state;

	assert_int_equal(door_fetch("https://127.0.0.1/", &d->limits, "/nowhere/at/all"), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_fetched),
		cmocka_unit_test(other_answers_are_none),
		cmocka_unit_test(an_earlier_file_stays),
		cmocka_unit_test(strangers_are_not_believed),
		cmocka_unit_test(private_hosts_are_refused),
		cmocka_unit_test(other_addresses_are_refused),
		cmocka_unit_test(silence_ends),
		cmocka_unit_test(where_nothing_can_be_written),
	};

	return cmocka_run_group_tests(tests, door_make, door_remove);
}
