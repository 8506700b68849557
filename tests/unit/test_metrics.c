#include "test.h"

#include <pthread.h>
#include <stdio.h>

#include "base/buffer.h"
#include "exchange/metrics.h"

static struct metrics *made(void)
{
	struct metrics *m = NULL;

	assert_int_equal(metrics_new(&m), OK);
	return m;
}

static void print(struct metrics *m, struct buffer *out)
{
	const struct gauges g = { .connections = 3, .ledger_size = { 5, 7 }, .journal_bytes = 11 };

	buffer_clear(out);
	metrics_print(m, &g, out);
	assert_int_equal(out->err, OK);
}

/* The value behind the line that begins with `name`. */
static uint64_t value_of(const struct buffer *text, const char *name)
{
	struct span rest = buffer_view(text), line;
	uint64_t value = 0;

	while (span_line(&rest, &line)) {
		if (!span_starts(line, name) || line.len <= strlen(name) || line.at[strlen(name)] != ' ')
			continue;
		assert_int_equal(span_u64(span_from(line, strlen(name) + 1), UINT64_MAX, &value), OK);
		return value;
	}
	fail_msg("there is no %s", name);
	return 0;
}

static void requests_are_counted_by_door_and_status(void **state)
{
	struct metrics *m = made();
	struct buffer out = BUFFER(1 << 20);

	(void)state;
	metrics_request(m, METRIC_API, 200, 10, 100, 900);
	metrics_request(m, METRIC_API, 299, 1, 2, 70000000);
	metrics_request(m, METRIC_TAXII, 404, 0, 50, 250);
	metrics_request(m, METRIC_NONE, 0, 0, 0, 1);
	metrics_add(m, METRIC_OBJECTS_ADDED, 1000);
	print(m, &out);
	assert_int_equal(value_of(&out, "comity_requests_total{door=\"api\",status=\"2xx\"}"), 2);
	assert_int_equal(value_of(&out, "comity_requests_total{door=\"api\",status=\"4xx\"}"), 0);
	assert_int_equal(value_of(&out, "comity_requests_total{door=\"taxii\",status=\"4xx\"}"), 1);
	assert_int_equal(value_of(&out, "comity_unanswered_total{door=\"none\"}"), 1);
	assert_int_equal(value_of(&out, "comity_received_bytes_total{door=\"api\"}"), 11);
	assert_int_equal(value_of(&out, "comity_sent_bytes_total{door=\"api\"}"), 102);
	assert_int_equal(value_of(&out, "comity_request_seconds_bucket{door=\"api\",le=\"0.0005\"}"), 0);
	assert_int_equal(value_of(&out, "comity_request_seconds_bucket{door=\"api\",le=\"0.001\"}"), 1);
	assert_int_equal(value_of(&out, "comity_request_seconds_bucket{door=\"api\",le=\"60.0\"}"), 1);
	assert_int_equal(value_of(&out, "comity_request_seconds_bucket{door=\"api\",le=\"+Inf\"}"), 2);
	assert_int_equal(value_of(&out, "comity_request_seconds_count{door=\"api\"}"), 2);
	assert_int_equal(value_of(&out, "comity_request_seconds_bucket{door=\"taxii\",le=\"0.00025\"}"), 1);
	assert_non_null(strstr(out.at, "comity_request_seconds_sum{door=\"api\"} 70.000900\n"));
	assert_int_equal(value_of(&out, "comity_objects_added_total"), 1000);
	assert_int_equal(value_of(&out, "comity_connections"), 3);
	assert_int_equal(value_of(&out, "comity_ledger_entries{ledger=\"circle\"}"), 7);
	buffer_free(&out);
	metrics_free(m);
}

/* OpenMetrics 1.0: names, samples under their family, no blank line, the mark of the end, and no more behind it. */
static void the_text_is_openmetrics(void **state)
{
	struct metrics *m = made();
	struct buffer out = BUFFER(1 << 20);
	struct span rest, line, family = SPAN("");
	bool ended = false;

	(void)state;
	print(m, &out);
	rest = buffer_view(&out);
	while (span_line(&rest, &line)) {
		assert_false(ended);
		assert_true(line.len > 0);
		if (span_is(line, "# EOF")) {
			ended = true;
		} else if (span_starts(line, "# TYPE ")) {
			struct span words = span_from(line, 7);

			family = span_cut(&words, ' ');
			assert_true(span_is(words, "counter") || span_is(words, "gauge") ||
				    span_is(words, "histogram"));
		} else {
			struct span name = span_starts(line, "# HELP ") || span_starts(line, "# UNIT ")
						   ? span_from(line, 7)
						   : line;

			assert_true(name.len > family.len && memcmp(name.at, family.at, family.len) == 0);
		}
	}
	assert_true(ended);
	buffer_free(&out);
	metrics_free(m);
}

static void *count_many(void *argument)
{
	for (int i = 0; i < 10000; i++) {
		metrics_request(argument, METRIC_TILES, 200, 1, 1, 1);
		metrics_add(argument, METRIC_LIMITED, 2);
	}
	return NULL;
}

static void threads_lose_no_count(void **state)
{
	struct metrics *m = made();
	struct buffer out = BUFFER(1 << 20);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_many, m), 0);
	print(m, &out);
	for (size_t i = 0; i < TABLE_LENGTH(threads); i++)
		pthread_join(threads[i], NULL);
	print(m, &out);
	assert_int_equal(value_of(&out, "comity_requests_total{door=\"tiles\",status=\"2xx\"}"), 40000);
	assert_int_equal(value_of(&out, "comity_limited_total"), 80000);
	buffer_free(&out);
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_counted_by_door_and_status),
		cmocka_unit_test(the_text_is_openmetrics),
		cmocka_unit_test(threads_lose_no_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
