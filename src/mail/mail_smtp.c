/* Mail out, by libcurl. The server is the operator's own and named in the configuration, so the outgoing door's rules about
 * private addresses do not hold for it; all others do: no proxy, verified TLS, limits of time. */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/file.h"
#include "mail/mailer.h"

#define CONNECT_MS 15000L
#define REPLY_SECONDS 60L
#define TOTAL_MS 180000L
#define REPLY_MAX 300
#define PASSWORD_MAX 1024

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct sending {
	struct span left; /* of the message */
	char verb[5];	  /* of the last command */
	bool poured;	  /* all of the message is out */
	bool ended;	  /* nothing but farewells comes now */
	char reply[REPLY_MAX];
	const struct mail_stop *stop;
	int connection; /* the one that is open; -1: none */
};

static size_t give(char *to, size_t size, size_t count, void *context)
{
	struct sending *s = context;
	size_t n = size * count < s->left.len ? size * count : s->left.len;

	memcpy(to, s->left.at, n);
	s->left = span_from(s->left, n);
	s->poured = s->left.len == 0;
	return n;
}

/* Which command was the last, and what was said to it. Commands with credentials leave no more than their verb. */
static int overhear(CURL *c, curl_infotype type, char *at, size_t n, void *context)
{
	struct sending *s = context;
	size_t i;

	(void)c;
	s->ended = s->ended || (type == CURLINFO_HEADER_OUT && span_starts(span_make(at, n), "QUIT"));
	if (s->ended)
		return 0;
	if (type == CURLINFO_HEADER_OUT) {
		for (i = 0; i < n && i < 4 && at[i] > ' '; i++)
			s->verb[i] = at[i];
		s->verb[i] = '\0';
	}
	if (type != CURLINFO_HEADER_IN)
		return 0;
	for (i = 0; i < n && i < REPLY_MAX - 1 && at[i] != '\r' && at[i] != '\n'; i++)
		s->reply[i] = at[i] >= ' ' && at[i] <= '~' ? at[i] : '?';
	s->reply[i] = '\0';
	return 0;
}

static int note_connection(void *context, curl_socket_t fd, curlsocktype purpose)
{
	struct sending *s = context;

	(void)purpose;
	s->connection = fd;
	return CURL_SOCKOPT_OK;
}

static int close_connection(void *context, curl_socket_t fd)
{
	struct sending *s = context;

	if (s->connection == fd)
		s->connection = -1;
	return close(fd);
}

/* Called about once in a second. Shut, since libcurl would say goodbye and wait for what is said to that. */
static int is_asked_to_stop(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	struct sending *s = context;

	(void)a, (void)b, (void)c, (void)d;
	if (s->stop == NULL || !s->stop->asked(s->stop->context))
		return 0;
	if (s->connection >= 0)
		shutdown(s->connection, SHUT_RDWR);
	s->connection = -1;
	return 1;
}

static size_t ignore(char *at, size_t size, size_t count, void *context)
{
	(void)at;
	(void)context;
	return size * count;
}

/* Between the scheme and the port. */
static bool is_loopback(struct span url)
{
	struct span rest = span_from(url, span_starts(url, "smtps://") ? 8 : 7), host;
	struct address a;

	if (rest.len > 0 && rest.at[0] == '[') {
		rest = span_from(rest, 1);
		host = span_cut(&rest, ']');
	} else {
		host = span_cut(&rest, ':');
	}
	return span_is(host, "localhost") || (address_parse(host, &a) == OK && config_is_loopback(a));
}

/* STARTTLS is asked for and without it nothing is said; not on loopback, unless it is named whom to trust there. */
static long wanted_tls(const struct config *c)
{
	if (c->smtp_plain || (is_loopback(c->smtp) && c->smtp_authorities.len == 0))
		return CURLUSESSL_NONE;
	return CURLUSESSL_ALL;
}

static enum err read_password(const struct config *c, struct arena *a, const char **out)
{
	struct span text = SPAN(""), line;
	enum err e = file_read(a, c->smtp_password_file.at, PASSWORD_MAX, &text);

	if (e == OK && !span_line(&text, &line))
		return fail(ERR_USAGE, "%s: empty", c->smtp_password_file.at);
	if (e == OK && (*out = arena_copy(a, line.at, line.len)) == NULL)
		e = ERR_NO_MEMORY;
	return e;
}

static enum err configure(CURL *c, const struct config *config, struct arena *a, struct sending *s, char *why)
{
	struct span domain = config->mail_from;
	const char *url, *password = NULL;
	enum err e = OK;
	bool good;

	span_cut(&domain, '@');
	/* What stands behind the host is the name that we say hello with. */
	if ((url = arena_print(a, "%.*s/%.*s", SPAN_FORMAT(config->smtp), SPAN_FORMAT(domain))) == NULL)
		return ERR_NO_MEMORY;
	if (config->smtp_user.len > 0 && (e = read_password(config, a, &password)) != OK)
		return e;
	good = curl_easy_setopt(c, CURLOPT_URL, url) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps") == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_SERVER_RESPONSE_TIMEOUT, REPLY_SECONDS) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, TOTAL_MS) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_USE_SSL, wanted_tls(config)) == CURLE_OK;
	if (config->smtp_authorities.len > 0) {
		good &= curl_easy_setopt(c, CURLOPT_CAINFO, config->smtp_authorities.at) == CURLE_OK;
		good &= curl_easy_setopt(c, CURLOPT_CAPATH, NULL) == CURLE_OK;
	}
	if (password != NULL) {
		good &= curl_easy_setopt(c, CURLOPT_USERNAME, config->smtp_user.at) == CURLE_OK;
		good &= curl_easy_setopt(c, CURLOPT_PASSWORD, password) == CURLE_OK;
	}
	good &= curl_easy_setopt(c, CURLOPT_UPLOAD, 1L) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_READFUNCTION, give) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_READDATA, s) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, ignore) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)s->left.len) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, why) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_SOCKOPTFUNCTION, note_connection) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_SOCKOPTDATA, s) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_CLOSESOCKETFUNCTION, close_connection) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_CLOSESOCKETDATA, s) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, is_asked_to_stop) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_XFERINFODATA, s) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_VERBOSE, 1L) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, overhear) == CURLE_OK;
	good &= curl_easy_setopt(c, CURLOPT_DEBUGDATA, s) == CURLE_OK;
	return good ? OK
		    : fail(ERR_UNREACHABLE, "%.*s: the installed libcurl lacks something", SPAN_FORMAT(config->smtp));
}

/* What is said to MAIL is about us, but for the size, which was said there (RFC 1870); to RCPT, DATA and the message, about this mail. */
static bool is_of_this(const struct sending *s)
{
	if (strcmp(s->verb, "MAIL") == 0)
		return strncmp(s->reply, "452", 3) == 0;
	return strcmp(s->verb, "RCPT") == 0 || strcmp(s->verb, "DATA") == 0;
}

/* Once a mail was begun, silence, a broken connection and 421 are put down to it too: a mail that makes its server hang must not
 * keep off all others for ever. If the server is down, the next one finds that out. */
static enum err judge(const struct config *c, const struct sending *s, CURLcode code, const char *why, bool *later)
{
	bool of_this = is_of_this(s), replied = s->reply[0] == '4' || s->reply[0] == '5';

	if (code == CURLE_OK)
		return OK;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return fail(ERR_UNREACHABLE, "the mail was dropped on its way, as this program ends");
	if (strcmp(s->verb, "MAIL") == 0 && strncmp(s->reply, "552", 3) == 0)
		return fail(ERR_TOO_LONG, "%s", s->reply);
	if (of_this && s->reply[0] == '5' && (strcmp(s->verb, "DATA") != 0 || s->poured || s->reply[1] == '5'))
		return fail(ERR_MAIL_REFUSED, "%s", s->reply);
	*later = of_this;
	if (replied)
		return fail(ERR_UNREACHABLE, "%.*s: %s: %s", SPAN_FORMAT(c->smtp), s->verb, s->reply);
	return fail(ERR_UNREACHABLE, "%.*s: %s", SPAN_FORMAT(c->smtp), why[0] != '\0' ? why : curl_easy_strerror(code));
}

static enum err run(CURL *curl, const struct config *c, struct arena *a, struct span from, struct span to,
		    struct sending *s, bool *later)
{
	const char *sender = arena_print(a, "<%.*s>", SPAN_FORMAT(from)),
		   *receiver = arena_print(a, "<%.*s>", SPAN_FORMAT(to));
	struct curl_slist *list = receiver != NULL ? curl_slist_append(NULL, receiver) : NULL;
	char why[CURL_ERROR_SIZE] = "";
	enum err e = ERR_NO_MEMORY;

	if (sender != NULL && list != NULL)
		e = configure(curl, c, a, s, why);
	if (e == OK && (curl_easy_setopt(curl, CURLOPT_MAIL_FROM, sender) != CURLE_OK ||
			curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, list) != CURLE_OK))
		e = ERR_NO_MEMORY;
	if (e == OK)
		e = judge(c, s, curl_easy_perform(curl), why, later);
	curl_slist_free_all(list);
	return e;
}

enum err mail_send(const struct config *c, struct span envelope_from, struct span to, struct span message,
		   const struct mail_stop *stop, bool *later)
{
	struct sending s = { .left = message, .stop = stop, .connection = -1 };
	struct arena *a;
	CURL *curl;
	enum err e;

	*later = false;
	if (c->smtp.len == 0 || c->mail_from.len == 0)
		return fail(ERR_USAGE, "the configuration names no mail server: `smtp` and `mail-from`");
	if ((envelope_from.len > 0 && contact_mail_check(envelope_from) != OK) || contact_mail_check(to) != OK)
		return fail(ERR_MAIL_REFUSED, "what should be a mailbox is none");
	pthread_once(&once, start_library);
	if ((a = arena_new(1 << 16)) == NULL)
		return ERR_NO_MEMORY;
	curl = curl_easy_init();
	e = curl != NULL ? run(curl, c, a, envelope_from, to, &s, later) : ERR_NO_MEMORY;
	curl_easy_cleanup(curl);
	arena_free(a);
	return e;
}
