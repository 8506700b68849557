#include "net/door_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

#define URL_MAX 2048
#define STALL_SECONDS 20 /* less than STALL_BYTES a second for so long: given up */
#define STALL_BYTES 100

const struct door_limits door_default = { .most_bytes = (size_t)16 << 20, .connect_ms = 10000, .total_ms = 60000 };

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

void door_start_library(void)
{
	pthread_once(&once, start_library);
}

enum err door_check_url(const char *url, bool allow_plain)
{
	char *scheme = NULL, *host = NULL, *user = NULL;
	enum err e = OK;
	CURLU *u;

	if (strlen(url) > URL_MAX)
		return fail(ERR_REFUSED_URL, "an address of more than %d bytes", URL_MAX);
	for (const char *p = url; *p != '\0'; p++)
		if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
			return fail(ERR_REFUSED_URL, "a space, control or non-ASCII character in the address");
	if ((u = curl_url()) == NULL)
		return fail(ERR_NO_MEMORY, "no room for an address");
	if (curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
	    curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		e = fail(ERR_REFUSED_URL, "%s: not an https address", url);
	else if (strcmp(scheme, "https") != 0 && !(allow_plain && strcmp(scheme, "http") == 0))
		e = fail(ERR_REFUSED_URL, "%s: %s instead of https", url, scheme);
	else if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK)
		e = fail(ERR_REFUSED_URL, "credentials in the address");
	curl_free(scheme);
	curl_free(host);
	curl_free(user);
	curl_url_cleanup(u);
	return e;
}

static uint64_t big_endian_64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

/* False: neither IPv4 nor IPv6. */
static bool address_of(const struct curl_sockaddr *from, struct address *out)
{
	if (from->family == AF_INET) {
		struct sockaddr_in s;

		memcpy(&s, &from->addr, sizeof(s));
		*out = address_ipv4(ntohl(s.sin_addr.s_addr));
		return true;
	}
	if (from->family == AF_INET6 && from->addrlen >= sizeof(struct sockaddr_in6)) {
		const uint8_t *p = (const uint8_t *)&from->addr + offsetof(struct sockaddr_in6, sin6_addr);

		*out = (struct address){ big_endian_64(p), big_endian_64(p + 8), FAMILY_IPV6 };
		return true;
	}
	return false;
}

/* Called for each address that the name leads to, with what will be connected to: nothing can change in between. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct door_fetch *f = context;
	struct address a;

	(void)purpose;
	if (!address_of(to, &a))
		return CURL_SOCKET_BAD;
	f->why = address_special(a);
	if (f->why != NULL && !f->limits->allow_private) {
		address_format(a, f->refused);
		return CURL_SOCKET_BAD;
	}
	return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
}

/* Others may be under way on this thread, so the particulars are kept with the request. */
static size_t stop(struct door_fetch *f, size_t n, enum err e)
{
	f->err = e;
	snprintf(f->detail, sizeof(f->detail), "%s", err_detail());
	return n + 1; /* anything but n stops it */
}

static size_t take(char *at, size_t size, size_t count, void *context)
{
	struct door_fetch *f = context;
	size_t n = size * count;
	enum err e = OK;

	if (n > f->limits->most_bytes - f->bytes) {
		e = fail(ERR_TOO_LONG, "%s: more than %zu bytes", f->url, f->limits->most_bytes);
	} else if (f->fd != -1) {
		e = file_write_all(f->fd, at, n);
	} else {
		buffer_bytes(f->body, at, n);
		if (f->body->err != OK)
			e = fail(f->body->err, "%s: no room for the answer", f->url);
	}
	if (e != OK)
		return stop(f, n, e);
	f->bytes += n;
	return n;
}

static size_t take_header(char *at, size_t size, size_t count, void *context)
{
	struct door_fetch *f = context;
	size_t n = size * count;

	if (f->headers == NULL)
		return n;
	if (span_starts(span_make(at, n), "HTTP/"))
		buffer_clear(f->headers); /* of an interim answer */
	buffer_bytes(f->headers, at, n);
	if (f->headers->err == OK)
		return n;
	return stop(f, n, fail(ERR_TOO_LONG, "%s: more than %d bytes of header", f->url, DOOR_HEADERS_MAX));
}

bool door_configure(CURL *c, struct door_fetch *f, char *why)
{
	const struct door_limits *l = f->limits;
	bool good = curl_easy_setopt(c, CURLOPT_URL, f->url) == CURLE_OK;

	good &= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, l->allow_plain ? "https,http" : "https") == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)l->connect_ms) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)l->total_ms) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)l->most_bytes) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, f) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_WRITEDATA, f) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_HEADERDATA, f) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_FILETIME, 1L) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_USERAGENT, "comity") == CURLE_OK;
	if (l->authorities != NULL) {
		good &= curl_easy_setopt(c, CURLOPT_CAINFO, l->authorities) == CURLE_OK;
		good &= curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK;
	}
	return good;
}

enum err door_judge(CURL *c, const struct door_fetch *f, CURLcode code, const char *why, long *status)
{
	char *to = NULL;

	*status = 0;

	if (f->err != OK)
		return fail(f->err, "%s", f->detail);
	if (code != CURLE_OK && f->refused[0] != '\0')
		return fail(ERR_REFUSED_URL, "%s leads to %s (%s)", f->url, f->refused,
			    f->why != NULL ? f->why : "special");
	if (code == CURLE_FILESIZE_EXCEEDED)
		return fail(ERR_TOO_LONG, "%s: more than %zu bytes", f->url, f->limits->most_bytes);
	if (code != CURLE_OK)
		return fail(ERR_UNREACHABLE, "%s: %s", f->url, why[0] != '\0' ? why : curl_easy_strerror(code));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, status);
	curl_easy_getinfo(c, CURLINFO_REDIRECT_URL, &to);
	if (*status >= 300 && *status < 400)
		return fail(ERR_REFUSED_URL, "%s: redirected to %s, which is not followed", f->url,
			    to != NULL ? to : "?");
	return OK;
}

static void keep_time(CURL *c, int fd)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { 0 } };
	curl_off_t modified = -1;

	if (curl_easy_getinfo(c, CURLINFO_FILETIME_T, &modified) != CURLE_OK || modified <= 0)
		return;
	times[1].tv_sec = (time_t)modified;
	futimens(fd, times); /* if it fails, the file has the time of fetching */
}

static enum err run(struct door_fetch *f)
{
	char why[CURL_ERROR_SIZE] = "";
	CURL *c = curl_easy_init();
	long status;
	enum err e;

	if (c == NULL)
		return fail(ERR_NO_MEMORY, "no room to fetch %s", f->url);
	if (door_configure(c, f, why))
		e = door_judge(c, f, curl_easy_perform(c), why, &status);
	else
		e = fail(ERR_UNREACHABLE, "%s: the installed libcurl lacks something", f->url);
	if (e == OK && status != 200)
		e = fail(ERR_UNREACHABLE, "%s: status %ld", f->url, status);
	if (e == OK)
		keep_time(c, f->fd);
	curl_easy_cleanup(c);
	return e;
}

static enum err sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX] = ".";

	if (slash != NULL)
		snprintf(folder, sizeof(folder), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	return folder_sync(folder);
}

enum err door_fetch(const char *url, const struct door_limits *limits, const char *to_path)
{
	struct door_fetch f = { .url = url, .limits = limits };
	char part[PATH_MAX];
	enum err e;
	int n;

	door_start_library();
	if ((e = door_check_url(url, limits->allow_plain)) != OK)
		return e;
	n = snprintf(part, sizeof(part), "%s.part", to_path);
	if (n < 0 || (size_t)n >= sizeof(part))
		return fail(ERR_IO, "%s: the path is too long", to_path);
	if ((f.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644)) == -1)
		return fail_errno("%s", part);
	e = run(&f);
	if (e == OK && fsync(f.fd) == -1) {
		fail_errno("%s: fsync", part);
		e = ERR_SYNC;
	}
	if (close(f.fd) == -1 && e == OK)
		e = fail_errno("%s", part);
	if (e == OK && rename(part, to_path) == -1)
		e = fail_errno("%s", to_path);
	if (e != OK)
		unlink(part);
	return e == OK ? sync_parent(to_path) : e;
}

/* ---- conversations ---- */

struct door {
	CURL *curl;
	const struct door_limits *limits;
	const char *certificate, *key;
	struct buffer headers, body;
};

enum err door_open(const struct door_limits *limits, const char *certificate, const char *key, struct door **out)
{
	struct door *d = calloc(1, sizeof(*d));

	door_start_library();
	if (d == NULL || (d->curl = curl_easy_init()) == NULL) {
		free(d);
		return fail(ERR_NO_MEMORY, "no room for a connection");
	}
	d->limits = limits;
	d->certificate = certificate;
	d->key = key;
	d->headers = BUFFER(DOOR_HEADERS_MAX);
	d->body = BUFFER(limits->most_bytes);
	*out = d;
	return OK;
}

void door_close(struct door *d)
{
	if (d == NULL)
		return;
	curl_easy_cleanup(d->curl);
	buffer_free(&d->headers);
	buffer_free(&d->body);
	free(d);
}

enum err door_make_headers(const struct door_request *r, struct curl_slist **out)
{
	/* No interim answers, and no form: the type is the caller's to name. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");

	for (size_t i = 0; list != NULL && i < r->header_count; i++) {
		struct curl_slist *longer;

		if (strpbrk(r->headers[i], "\r\n") != NULL) {
			curl_slist_free_all(list);
			return fail(ERR_USAGE, "a line break in a header");
		}
		longer = curl_slist_append(list, r->headers[i]);
		if (longer == NULL)
			curl_slist_free_all(list);
		list = longer;
	}
	*out = list;
	return list != NULL ? OK : ERR_NO_MEMORY;
}

bool door_configure_request(CURL *c, const struct door_request *r, struct curl_slist *headers)
{
	bool good = curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers) == CURLE_OK;

	if (strcmp(r->method, "POST") == 0) {
		good &= curl_easy_setopt(c, CURLOPT_POST, 1L) == CURLE_OK;
		good &= curl_easy_setopt(c, CURLOPT_POSTFIELDS, r->body.at) == CURLE_OK;
		good &= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len) == CURLE_OK;
	} else if (strcmp(r->method, "GET") != 0) {
		good &= curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r->method) == CURLE_OK;
	}
	return good;
}

static bool configure_client(const struct door *d)
{
	return d->certificate == NULL || (curl_easy_setopt(d->curl, CURLOPT_SSLCERT, d->certificate) == CURLE_OK &&
					  curl_easy_setopt(d->curl, CURLOPT_SSLKEY, d->key) == CURLE_OK);
}

enum err door_ask(struct door *d, const struct door_request *r, struct door_answer *out)
{
	struct door_fetch f = {
		.url = r->url, .limits = d->limits, .fd = -1, .headers = &d->headers, .body = &d->body
	};
	struct curl_slist *headers = NULL;
	char why[CURL_ERROR_SIZE] = "";
	long status = 0;
	enum err e = door_check_url(r->url, d->limits->allow_plain);

	buffer_clear(&d->headers);
	buffer_clear(&d->body);
	if (e == OK)
		e = door_make_headers(r, &headers);
	if (e != OK)
		return e;
	curl_easy_reset(d->curl); /* keeps its connections */
	if (door_configure(d->curl, &f, why) && door_configure_request(d->curl, r, headers) && configure_client(d))
		e = door_judge(d->curl, &f, curl_easy_perform(d->curl), why, &status);
	else
		e = fail(ERR_UNREACHABLE, "%s: the installed libcurl lacks something", r->url);
	curl_easy_reset(d->curl); /* it points into this frame */
	curl_slist_free_all(headers);
	*out = (struct door_answer){ (unsigned)status, buffer_view(&d->headers), buffer_view(&d->body) };
	return e;
}

bool door_header(const struct door_answer *a, const char *name, struct span *value)
{
	struct span rest = a->headers, line, wanted = span_of(name);
	bool found = false;

	while (span_line(&rest, &line)) {
		struct span key = span_cut(&line, ':');

		if (line.at == NULL || !span_equal_nocase(key, wanted))
			continue;
		*value = span_trim(line);
		found = true;
	}
	return found;
}
