#include "test.h"

#include "base/buffer.h"
#include "base/json.h"
#include "net/log.h"

#include <yyjson.h>

static struct log_request hostile = {
	.method = "GET",
	.path = { "/a b\"=\\\n\x1b[31m\xff\xc2\x9b", 16 },
	.peer = { "192.0.2.1", 9 },
	.party = { "cert.example", 12 },
	.status = 404,
	.bytes = 12,
	.micros = 345,
};

static void lines_for_people_hold_one_line_each(void **state)
{
	struct buffer out = BUFFER(8192);

	(void)state;
	log_print(&(struct log_line){ 1000, LOG_INFO, "request", OK, NULL, &hostile }, false, &out);
	assert_span(buffer_view(&out),
		    "time=1970-01-01T00:00:01.000Z level=info event=request method=GET "
		    "path=\"/a b\\\"=\\\\\\x0a\\x1b[31m\\xff\\xc2\\x9b\" status=404 bytes=12 us=345 peer=192.0.2.1 "
		    "party=cert.example\n");
	buffer_clear(&out);
	log_print(&(struct log_line){ 0, LOG_ERROR, "it broke", ERR_IO, "data\r\n: no", NULL }, false, &out);
	assert_span(buffer_view(&out), "time=1970-01-01T00:00:00.000Z level=error event=\"it broke\" error=io "
				       "detail=\"data\\x0d\\x0a: no\"\n");
	buffer_free(&out);
}

static void lines_for_programs_are_json(void **state)
{
	struct buffer out = BUFFER(8192);
	struct arena *a = arena_new(1 << 20);
	struct yyjson_doc *doc = NULL;
	yyjson_val *root;

	(void)state;
	log_print(&(struct log_line){ 1000, LOG_WARNING, "request", OK, NULL, &hostile }, true, &out);
	assert_int_equal(json_read(a, buffer_view(&out), &doc), OK);
	assert_ptr_equal(memchr(out.at, '\n', out.len), out.at + out.len - 1);
	root = yyjson_doc_get_root(doc);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "level")), "warning");
	assert_int_equal(yyjson_get_int(yyjson_obj_get(root, "status")), 404);
	assert_string_equal(yyjson_get_str(yyjson_obj_get(root, "path")), "/a b\"=\\\n\x1b[31m\xef\xbf\xbd\xc2\x9b");
	buffer_free(&out);
	arena_free(a);
}

static void a_long_value_is_cut(void **state)
{
	static char path[5000];
	struct log_request r = hostile;
	struct buffer out = BUFFER(8192);

	(void)state;
	memset(path, '\x01', sizeof(path));
	r.path = span_make(path, sizeof(path));
	log_print(&(struct log_line){ 0, LOG_INFO, "request", OK, NULL, &r }, false, &out);
	assert_int_equal(out.err, OK);
	assert_true(out.len < 2000);
	buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_for_people_hold_one_line_each),
		cmocka_unit_test(lines_for_programs_are_json),
		cmocka_unit_test(a_long_value_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
