#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"

#include "net/config.h"
#include "net/nearest.h"

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define UUID "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
#define UUID2 "6f9619ff-8b86-4d01-b42d-00cf4fc96400"

struct warnings {
	size_t count;
	unsigned line;
	char last[400];
};

static void note_warning(void *context, unsigned line, const char *text)
{
	struct warnings *w = context;

	w->count++;
	w->line = line;
	snprintf(w->last, sizeof(w->last), "%s", text);
}

static struct config read_good(struct scratch *s, const char *text, struct warnings *w)
{
	struct config c;

	*w = (struct warnings){ 0 };
	if (config_parse(s->arena, span_of(text), "/x/config", note_warning, w, &c) != OK)
		fail_msg("%s", err_detail());
	return c;
}

static void an_empty_file_serves_on_loopback(void **state)
{
	struct scratch *s = *state;
	struct warnings w;
	struct config c = read_good(s, "", &w);

	assert_int_equal(w.count, 0);
	assert_int_equal(c.listen_count, 1);
	assert_span(c.listens[0].text, "127.0.0.1:8180");
	assert_int_equal(c.listens[0].port, 8180);
	assert_false(c.listens[0].tls);
	assert_int_equal(c.collection_count, 0);
	assert_int_equal(c.page_most, 1000);
	assert_int_equal(c.connections, 12000);
	assert_int_equal(c.connections_per_address, 12000);
	assert_int_equal(c.requests_per_minute, 0);
	assert_int_equal(c.circle_delay_ms, INT64_C(90) * 86400000);
}

static void a_missing_file_is_an_empty_one(void **state)
{
	struct scratch *s = *state;
	struct config c;

	assert_int_equal(config_read(s->arena, scratch_path(s, "none"), NULL, NULL, &c), OK);
	assert_int_equal(c.listen_count, 1);
}

static void every_setting_is_read(void **state)
{
	struct scratch *s = *state;
	struct warnings w;
	struct config c;

	assert_int_equal(scratch_write(s, "tls.crt", SPAN("x")), OK);
	assert_int_equal(scratch_write(s, "tls.key", SPAN("x")), OK);
	assert_int_equal(scratch_write(s, "clients.crt", SPAN("x")), OK);
	assert_int_equal(scratch_write(s, "stop", SPAN("x")), OK);
	assert_int_equal(chmod(scratch_path(s, "stop"), 0700), 0);
	assert_int_equal(scratch_write(s, "config",
				       SPAN("  # comment\n"
					    "\n"
					    "listen 127.0.0.1:0\r\n"
					    "listen-tls [2001:db8::1]:8443\n"
					    "url https://cert.example:8443\n"
					    "certificate tls.crt\n"
					    "key tls.key\n"
					    "client-authorities clients.crt\n"
					    "title  Team #1 of Example\n"
					    "contact soc@cert.example\n"
					    "body-most 64KiB\n"
					    "page-most 10\n"
					    "connections 5\n"
					    "connections-per-address 3\n"
					    "requests-per-minute 120\n"
					    "idle 7s\n"
					    "request 2m\n"
					    "threads 2\n"
					    "circle-delay 1d\n"
					    "log json\n"
					    "deliver no\n"
					    "outgoing-authorities clients.crt\n"
					    "rdap-server https://rdap.example/registry\n"
					    "rdap-daily 7\n"
					    "mail-per-hour 30\n"
					    "follow https://b.example\n"
					    "follow https://c.example:8443 " KEY "\n"
					    "follow-interval 10m\n"
					    "ping b.example\n"
					    "ping all\n"
					    "ping-every 7d\n"
					    "recall-hook stop\n"
					    "recall-hook-time 5s\n"
					    "collection open " UUID " Open to all\n"
					    "describe open What anyone may see\n"
					    "read open all a.example\n"
					    "write open b.example c.example\n"
					    "unmarked open clear\n"
					    "collection shared " UUID2 " Shared\n"
					    "write shared members\n")),
			 OK);
	w = (struct warnings){ 0 };
	assert_int_equal(config_read(s->arena, scratch_path(s, "config"), note_warning, &w, &c), OK);
	assert_int_equal(c.listen_count, 2);
	assert_span(c.rdap_server, "https://rdap.example/registry");
	assert_int_equal(c.rdap_daily, 7);
	assert_span(c.recall_hook, scratch_path(s, "stop"));
	assert_int_equal(c.recall_hook_ms, 5000);
	assert_int_equal(c.ping_count, 1);
	assert_span(c.pings[0], "b.example");
	assert_true(c.ping_all);
	assert_int_equal(c.ping_every_ms, 7 * INT64_C(86400000));
	assert_int_equal(c.mail_per_hour, 30);
	assert_true(c.listens[1].tls);
	assert_int_equal(c.listens[1].address.family, FAMILY_IPV6);
	assert_span(c.url, "https://cert.example:8443");
	assert_span(c.certificate, scratch_path(s, "tls.crt"));
	assert_span(c.client_authorities, scratch_path(s, "clients.crt"));
	assert_span(c.title, "Team #1 of Example");
	assert_span(c.contact, "soc@cert.example");
	assert_int_equal(c.body_most, 65536);
	assert_int_equal(c.page_most, 10);
	assert_int_equal(c.connections, 5);
	assert_int_equal(c.connections_per_address, 3);
	assert_int_equal(c.requests_per_minute, 120);
	assert_int_equal(c.idle_s, 7);
	assert_int_equal(c.request_s, 120);
	assert_int_equal(c.threads, 2);
	assert_int_equal(c.circle_delay_ms, 86400000);
	assert_true(c.log_json);
	assert_false(c.deliver);
	assert_string_equal(config_door_limits(&c).authorities, scratch_path(s, "clients.crt"));
	assert_int_equal(c.collection_count, 2);
	assert_span(c.collections[0].alias, "open");
	assert_span(c.collections[0].title, "Open to all");
	assert_span(c.collections[0].description, "What anyone may see");
	assert_int_equal(c.collections[0].readers, AUDIENCE_ALL);
	assert_int_equal(c.collections[0].named_reader_count, 1);
	assert_int_equal(c.collections[0].writers, AUDIENCE_NAMED);
	assert_int_equal(c.collections[0].named_writer_count, 2);
	assert_span(c.collections[0].named_writers[1], "c.example");
	assert_int_equal(c.collections[0].unmarked, TLP_CLEAR);
	assert_int_equal(c.collections[1].readers, AUDIENCE_MEMBERS);
	assert_int_equal(c.collections[1].writers, AUDIENCE_MEMBERS);
	assert_int_equal(c.collections[1].unmarked, TLP_AMBER);
	assert_int_equal(w.count, 1); /* anyone reads what has no marking */
	assert_int_equal(w.line, 38);
	assert_int_equal(c.follow_count, 2);
	assert_span(c.follows[0].url, "https://b.example");
	assert_false(c.follows[0].has_key);
	assert_span(c.follows[1].url, "https://c.example:8443");
	assert_true(c.follows[1].has_key && c.follows[1].key.bytes[0] == 0x01);
	assert_int_equal(c.follow_interval_ms, 600000);
}

static void what_goes_out_goes_by_its_settings(void **state)
{
	struct scratch *s = *state;
	struct warnings w;
	struct config c = read_good(s, "", &w);
	struct door_limits l = config_door_limits(&c);

	assert_true(c.deliver);
	assert_false(l.allow_private);
	assert_false(l.allow_plain);
	assert_null(l.authorities);
	assert_int_equal(l.most_bytes, door_default.most_bytes);
	c = read_good(s, "outgoing-private yes\n", &w);
	assert_int_equal(w.count, 1);
	assert_true(config_door_limits(&c).allow_private);
	assert_false(config_door_limits(&c).allow_plain);
	c = read_good(s, "deliver yes\noutgoing-plain yes\n", &w);
	assert_int_equal(w.count, 1);
	assert_int_equal(w.line, 2);
	assert_true(config_door_limits(&c).allow_plain);
}

static void mail_goes_to_the_operators_server(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "smtp smtps://mail.example:465\nmail-from a@cert.example\n", NULL },
		{ "smtp smtp://[::1]:2525\nmail-from a.b+c@cert.example\nsmtp-plain yes\n", NULL },
		{ "smtp smtp://10.0.0.1\nmail-from a@cert.example\n", NULL },
		{ "smtp mail.example\n", "wants smtps://" },
		{ "smtp smtp://mail.example/x\n", "is no host" },
		{ "smtp smtp://mail.example:0\n", "is no port" },
		{ "smtp smtp://mail.example\n", "needs `mail-from`" },
		{ "mail-from a@b@cert.example\n", "wants a mailbox" },
		{ "mail-from a..b@cert.example\n", "wants a mailbox" },
		{ "mail-from \"a b\"@cert.example\n", "wants a mailbox" },
		{ "mail-from a@localhost\n", "wants a mailbox" },
		{ "mail-bounces a123456789b123456789c123456789dd@cert.example\n", "has more than 31 bytes" },
		{ "mail-bounces a123456789b123456789c123456789d@cert.example\n", NULL },
		{ "smtp-user a\n", "go together" },
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config c;
		enum err e = config_parse(s->arena, span_of(rows[i].text), "/x/config", NULL, NULL, &c);

		if (rows[i].says == NULL)
			assert_int_equal(e, OK);
		else if (e != ERR_USAGE || strstr(err_detail(), rows[i].says) == NULL)
			fail_msg("row %zu: %s", i, err_detail());
	}
}

static void what_is_wrong_is_named_with_its_line(void **state)
{
	static const struct {
		const char *text, *detail;
	} table[] = {
		{ "listne 127.0.0.1:1\n", "/x/config line 1: there is no setting `listne`; did you mean `listen`?" },
		{ "\nrequest-per-minute 3\n",
		  "/x/config line 2: there is no setting `request-per-minute`; did you mean `requests-per-minute`?" },
		{ "sequencer 3\n", "/x/config line 1: there is no setting `sequencer`; comity-config(5) lists them" },
		{ "listen\n", "/x/config line 1: `listen` has no value" },
		{ "listen 127.0.0.1\n", "names no port" },
		{ "listen localhost:80\n", "is no address" },
		{ "listen 127.0.0.1:65536\n", "`65536` is no port" },
		{ "listen 127.0.0.1:\n", "`` is no port" },
		{ "listen [127.0.0.1]:1\n", "is no IPv6 address" },
		{ "listen ::1:80\n", "is no address" },
		{ "listen 0.0.0.0:80\n", "line 1: 0.0.0.0:80 is not on loopback" },
		{ "plain-anywhere no\nlisten [::]:80\n", "line 2: [::]:80 is not on loopback" },
		{ "listen 127.0.0.1:80\nlisten-tls 127.0.0.1:80\n", "line 2: 127.0.0.1:80 is listened on already" },
		{ "page-most 5\npage-most 6\n", "line 2: `page-most` stands in line 1 already" },
		{ "page-most 0\n", "wants a number from 1 to 10000, not `0`" },
		{ "page-most 010\n", "not `010`" },
		{ "body-most 17MiB\n", "wants a number from 4096 to 16777216 of bytes" },
		{ "body-most 16MB\n", "not `16MB`" },
		{ "body-most 18446744073709551616MiB\n", "wants a number" },
		{ "idle 0\n", "`idle` wants a length of time from 1s to 1h" },
		{ "idle 30\n", "not `30`" },
		{ "page-most 5 # few\n", "not `5 # few`" },
		{ "log xml\n", "`log` wants json or text, not `xml`" },
		{ "plain-anywhere true\n", "wants yes or no" },
		{ "url cert.example\n", "wants an address such as" },
		{ "url https://cert.example/\n", "is no host" },
		{ "url https://cert.example:0\n", "`0` is no port" },
		{ "url https://[::1]x\n", "is no IPv6 address in brackets" },
		{ "certificate /does/not/exist\n", "line 1: `certificate /does/not/exist`: No such file" },
		{ "certificate /proc/self/maps\n", "go together" },
		{ "recall-hook /does/not/exist\n", "line 1: `recall-hook /does/not/exist`: No such file" },
		{ "recall-hook /proc/self/maps\n", "Permission denied" },
		{ "recall-hook /proc/self\n", "`recall-hook /proc/self` is no program" },
		{ "ping B\n", "wants a party's domain or all" },
		{ "ping-every 5s\n", "wants a length of time from 1m" },
		{ "recall-hook-time 11m\n", "wants a length of time from 1s to 10m" },
		{ "title \xff\n", "not UTF-8" },
		{ "title a\x01\n", "byte 8 is a control character" },
		{ "read shared members\n", "no line `collection shared …` stands above" },
		{ "collection Shared " UUID " T\n", "is no alias" },
		{ "collection " UUID " " UUID " T\n", "is no alias" },
		{ "collection a 6f9619ff-8b86-1d01-b42d-00cf4fc964ff T\n", "is no version-4 UUID" },
		{ "collection a 6F9619FF-8B86-4D01-B42D-00CF4FC964FF T\n", "is no version-4 UUID" },
		{ "collection a 6f9619ff-8b86-4d01-742d-00cf4fc964ff T\n", "is no version-4 UUID" },
		{ "collection a " UUID "\n", "wants a title" },
		{ "collection a " UUID " T\ncollection a " UUID2 " T\n", "line 2: the collection `a` has" },
		{ "collection a " UUID " T\ncollection b " UUID " T\n", "line 2: the collection `a` has" },
		{ "collection a " UUID " T\nwrite a all\n", "`all` is neither members nor" },
		{ "collection a " UUID " T\nread a members all\n", "`all` is neither" },
		{ "collection a " UUID " T\nread a\n", "`read a` says nothing more" },
		{ "collection a " UUID " T\nread a x.example x.example\n", "stands there twice" },
		{ "collection a " UUID " T\nread a all\nread a all\n", "line 3: `read a` stands in line 2 already" },
		{ "collection a " UUID " T\nunmarked a white\n", "not `white`" },
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct config c;

		assert_int_equal(config_parse(s->arena, span_of(table[i].text), "/x/config", NULL, NULL, &c),
				 ERR_USAGE);
		if (strstr(err_detail(), table[i].detail) == NULL)
			fail_msg("%s is refused with: %s", table[i].text, err_detail());
	}
}

static void what_is_unwise_is_warned_of(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *says;
	} table[] = {
		{ "\nplain-anywhere yes\nlisten 0.0.0.0:80\n", 3, "plain HTTP on 0.0.0.0:80" },
		{ "listen-tls 127.0.0.1:0\n", 0, "development certificate" },
		{ "url http://cert.example\n", 1, "says http" },
		{ "requests-per-minute 0\nplain-anywhere yes\nlisten [::]:80\n", 1, "one caller" },
		{ "client-authorities /proc/self/maps\n", 1, "no `listen-tls`" },
		{ "recall-hook-time 5s\n", 1, "no `recall-hook` takes" },
		{ "ping-every 7d\n", 1, "no `ping` takes" },
		{ "collection a " UUID " T\nunmarked a red\n", 2, "nobody is named" },
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		struct warnings w;

		read_good(s, table[i].text, &w);
		assert_int_equal(w.line, table[i].line);
		if (w.count == 0 || strstr(w.last, table[i].says) == NULL)
			fail_msg("%s warns: %s", table[i].text, w.last);
	}
}

static void limits_are_narrower_off_loopback(void **state)
{
	struct warnings w;
	struct config c = read_good(*state, "listen 127.0.0.1:1\nlisten-tls 0.0.0.0:2\n", &w);

	assert_int_equal(c.connections_per_address, 200);
	assert_int_equal(c.requests_per_minute, 6000);
}

static void what_is_printed_reads_back(void **state)
{
	struct scratch *s = *state;
	struct buffer first = BUFFER(65536), second = BUFFER(65536);
	struct warnings w;
	struct config c = read_good(s,
				    "listen-tls [::]:0\nlisten [::1]:8080\ncircle-delay 36h\nlog json\ntitle A\n"
				    "collection a " UUID " T t\nread a all x.example\nunmarked a amber+strict\n",
				    &w);

	config_print(&c, &first);
	assert_int_equal(first.err, OK);
	buffer_byte(&first, '\0');
	c = read_good(s, first.at, &w);
	config_print(&c, &second);
	assert_int_equal(first.len, second.len + 1);
	assert_memory_equal(first.at, second.at, second.len);
	buffer_free(&first);
	buffer_free(&second);
}

static void the_template_is_good_and_its_collection_new(void **state)
{
	struct scratch *s = *state;
	struct buffer one = BUFFER(65536), other = BUFFER(65536);
	struct warnings w;
	struct config a, b;

	config_template(&one, SPAN("cert.example"));
	config_template(&other, SPAN("cert.example"));
	assert_int_equal(one.err, OK);
	buffer_byte(&one, '\0');
	buffer_byte(&other, '\0');
	a = read_good(s, one.at, &w);
	assert_int_equal(w.count, 0);
	b = read_good(s, other.at, &w);
	assert_int_equal(a.collection_count, 1);
	assert_span(a.collections[0].alias, "shared");
	assert_int_equal(a.collections[0].writers, AUDIENCE_MEMBERS);
	assert_memory_not_equal(&a.collections[0].id, &b.collections[0].id, UUID_SIZE);
	buffer_free(&one);
	buffer_free(&other);
}

/* Each commented setting of the template is one: uncommented it is read. */
static void the_templates_examples_are_settings(void **state)
{
	struct scratch *s = *state;
	struct buffer text = BUFFER(65536);
	struct span rest, line;
	size_t count = 0;

	config_template(&text, SPAN("cert.example"));
	rest = buffer_view(&text);
	while (span_line(&rest, &line)) {
		struct config c;
		enum err e;

		if (line.len < 2 || line.at[0] != '#' || line.at[1] == ' ')
			continue;
		e = config_parse(s->arena, span_from(line, 1), "/x/config", NULL, NULL, &c);
		if (e != OK && strstr(err_detail(), "No such file") == NULL && strstr(err_detail(), "needs") == NULL &&
		    strstr(err_detail(), "go together") == NULL)
			fail_msg("%s", err_detail());
		count++;
	}
	assert_true(count > 10);
	buffer_free(&text);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

static void words_are_more_or_less_alike(void **state)
{
	(void)state;
	assert_int_equal(word_distance(SPAN(""), SPAN("")), 0);
	assert_int_equal(word_distance(SPAN("lisen"), SPAN("listen")), 1);
	assert_int_equal(word_distance(SPAN("kitten"), SPAN("sitting")), 3);
	assert_int_equal(word_distance(SPAN("a"), SPAN("123456789012345678901234567890123")), WORD_DISTANCE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_more_or_less_alike),
		IN_A_FOLDER(an_empty_file_serves_on_loopback),
		IN_A_FOLDER(a_missing_file_is_an_empty_one),
		IN_A_FOLDER(every_setting_is_read),
		IN_A_FOLDER(what_goes_out_goes_by_its_settings),
		IN_A_FOLDER(mail_goes_to_the_operators_server),
		IN_A_FOLDER(what_is_wrong_is_named_with_its_line),
		IN_A_FOLDER(what_is_unwise_is_warned_of),
		IN_A_FOLDER(limits_are_narrower_off_loopback),
		IN_A_FOLDER(what_is_printed_reads_back),
		IN_A_FOLDER(the_template_is_good_and_its_collection_new),
		IN_A_FOLDER(the_templates_examples_are_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
