#include "test.h"

#include "base/file.h"
#include "report/maintnote.h"

#define BEGIN "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n"
#define END "END:VCALENDAR\r\n"
#define EVENT(times) "BEGIN:VEVENT\r\nUID:a@example.net\r\nDTSTAMP:20261101T080000Z\r\n" times "END:VEVENT\r\n"
#define TIMES "DTSTART:20261124T220000Z\r\nDTEND:20261125T020000Z\r\n"
/* Two zones: an hour before UTC all year, and one that moves its clocks. */
#define FIXED                                                                                                          \
	"BEGIN:VTIMEZONE\r\nTZID:Fixed\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\n"         \
	"TZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"

static void *begin(struct arena **a)
{
	return *a = arena_new(8 << 20);
}

static void reads_an_event(void **state)
{
	static const char text[] = BEGIN
		"BEGIN:VEVENT\r\nUID:wo-1@example.net\r\nSEQUENCE:2\r\nDTSTAMP:20261101T080000Z\r\n" TIMES
		"SUMMARY:Planned fibre work\\, north\r\nORGANIZER;CN=\"Example NOC\":mailto:noc@example.net\r\n"
		"X-MAINTNOTE-PROVIDER:example.net\r\nX-MAINTNOTE-ACCOUNT:137.035\r\nX-MAINTNOTE-MAINTENANCE-ID:Work\r\n"
		" Order-1\r\nX-MAINTNOTE-OBJECT-ID;X-MAINTNOTE-OBJECT-ID-ALTREP=\"https://e.example/1\":circuit-1\r\n"
		"X-MAINTNOTE-OBJECT-ID:circuit-2\r\nX-MAINTNOTE-IMPACT:OUTAGE\r\nX-MAINTNOTE-STATUS:in-process\r\n"
		"X-OTHER:yes\r\nEND:VEVENT\r\n" END;
	struct maintnote *m;
	struct arena *a;
	size_t n;

	(void)state;
	assert_int_equal(maintnotes_parse(begin(&a), span_of(text), &m, &n), OK);
	assert_int_equal(n, 1);
	assert_span(m->uid, "wo-1@example.net");
	assert_span(m->summary, "Planned fibre work, north");
	assert_span(m->organizer, "mailto:noc@example.net");
	assert_span(m->provider, "example.net");
	assert_span(m->account, "137.035");
	assert_span(m->id, "WorkOrder-1");
	assert_int_equal(m->object_count, 2);
	assert_span(m->objects[0], "circuit-1");
	assert_span(m->objects[1], "circuit-2");
	assert_int_equal(m->impact, IMPACT_OUTAGE);
	assert_int_equal(m->status, MAINT_IN_PROCESS);
	assert_int_equal(m->sequence, 2);
	assert_int_equal(m->start_ms, INT64_C(1795557600000));
	assert_int_equal(m->end_ms, INT64_C(1795572000000));
	arena_free(a);
}

static void tells_times_in_utc(void **state)
{
	static const char zoned[] = BEGIN FIXED EVENT("DTSTART;TZID=Fixed:20261124T230000\r\nDURATION:PT4H\r\n") END;
	static const char days[] = BEGIN EVENT("DTSTART;VALUE=DATE:20261124\r\nDTEND;VALUE=DATE:20261125\r\n") END;
	static const char weekly[] = BEGIN EVENT(TIMES "RRULE:FREQ=WEEKLY;COUNT=12\r\n") END;
	struct maintnote *m;
	struct arena *a;
	size_t n;

	(void)state;
	begin(&a);
	assert_int_equal(maintnotes_parse(a, span_of(zoned), &m, &n), OK);
	assert_int_equal(m->start_ms, INT64_C(1795557600000));
	assert_int_equal(m->end_ms, INT64_C(1795572000000));
	assert_int_equal(maintnotes_parse(a, span_of(days), &m, &n), OK);
	assert_int_equal(m->start_ms, INT64_C(1795478400000));
	assert_int_equal(m->end_ms, INT64_C(1795564800000));
	assert_int_equal(maintnotes_parse(a, span_of(weekly), &m, &n), OK);
	assert_int_equal(m->repeat, 2);
	assert_int_equal(m->repeat_count, 12);
	arena_free(a);
}

static void refuses_by_name(void **state)
{
	static const char *const cases[] = {
		"",
		"nothing",
		BEGIN END,
		BEGIN "BEGIN:VEVENT\r\nDTSTAMP:20261101T080000Z\r\n" TIMES "END:VEVENT\r\n" END, /* no UID */
		BEGIN EVENT("") END,
		BEGIN EVENT("DTSTART:20261124T220000Z\r\n") END,
		BEGIN EVENT("DTSTART:20261124T220000Z\r\nDTEND:20261124T220000Z\r\n") END,
		BEGIN EVENT("DTSTART:20261124T220000\r\nDTEND:20261125T020000\r\n") END, /* whose clock? */
		BEGIN EVENT("DTSTART;TZID=Nowhere/Land:20261124T220000\r\nDTEND:20261125T020000Z\r\n") END,
		BEGIN EVENT("DTSTART:18991124T220000Z\r\nDTEND:20261125T020000Z\r\n") END,
		BEGIN EVENT(TIMES "X-MAINTNOTE-IMPACT:SOME\r\n") END,
		BEGIN EVENT(TIMES "X-MAINTNOTE-STATUS:MAYBE\r\n") END,
		BEGIN EVENT(TIMES "RRULE:FREQ=DAILY\r\n") END,
		BEGIN EVENT(TIMES "RRULE:FREQ=DAILY;COUNT=100000\r\n") END,
		BEGIN EVENT(TIMES "RRULE:FREQ=SECONDLY;COUNT=10\r\n") END,
		BEGIN EVENT(TIMES "RRULE:FREQ=WEEKLY;COUNT=3;INTERVAL=2\r\n") END,
		BEGIN FIXED EVENT("DTSTART;TZID=Fixed:20261124T230000\r\nDURATION:PT4H\r\nRRULE:FREQ=DAILY;COUNT=3\r\n")
			END,
		BEGIN EVENT(TIMES) END BEGIN EVENT(TIMES) END, /* two calendars */
		BEGIN EVENT("SUMMARY:\xff\r\n" TIMES) END,
	};
	struct maintnote *m;
	struct arena *a;
	size_t n;

	(void)state;
	begin(&a);
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		if (maintnotes_parse(a, span_of(cases[i]), &m, &n) != ERR_CALENDAR)
			fail_msg("case %zu is taken", i);
	arena_free(a);
}

static void reads_what_it_prints(void **state)
{
	const struct maintnote one = { .uid = SPAN("5fe1@comity"),
				       .summary = SPAN("a; b, c \\ d\nDTSTART:20000101T000000Z"),
				       .provider = SPAN("example.net"),
				       .account = SPAN("x"),
				       .id = SPAN("5fe1"),
				       .organizer = SPAN("mailto:noc@example.net"),
				       .objects = { SPAN("198.51.100.0/24"), SPAN("2001:db8::/32") },
				       .object_count = 2,
				       .impact = IMPACT_DEGRADED,
				       .status = MAINT_CANCELLED,
				       .sequence = 3,
				       .start_ms = INT64_C(1795557600000),
				       .end_ms = INT64_C(1795572000000),
				       .repeat = 1,
				       .repeat_count = 30,
				       .stamp_ms = INT64_C(1795435200000) };
	const struct maintnote two[] = { one, one };
	struct buffer b = BUFFER(65536);
	struct maintnote *m;
	struct arena *a;
	size_t n;

	(void)state;
	begin(&a);
	assert_int_equal(maintnotes_print(two, 2, &b), OK);
	assert_int_equal(maintnotes_parse(a, buffer_view(&b), &m, &n), OK);
	assert_int_equal(n, 2);
	assert_span(m[1].uid, "5fe1@comity");
	assert_span(m[1].summary, "a; b, c \\ d DTSTART:20000101T000000Z");
	assert_span(m[1].objects[1], "2001:db8::/32");
	assert_span(m[1].organizer, "mailto:noc@example.net");
	assert_int_equal(m[1].impact, IMPACT_DEGRADED);
	assert_int_equal(m[1].status, MAINT_CANCELLED);
	assert_int_equal(m[1].sequence, 3);
	assert_int_equal(m[1].start_ms, one.start_ms);
	assert_int_equal(m[1].end_ms, one.end_ms);
	assert_int_equal(m[1].stamp_ms, one.stamp_ms);
	assert_int_equal(m[1].repeat, 1);
	assert_int_equal(m[1].repeat_count, 30);
	buffer_free(&b);
	arena_free(a);
}

static void reads_the_sample(void **state)
{
	struct maintnote *m;
	struct arena *a;
	struct span text;
	size_t n;

	(void)state;
	begin(&a);
	if (file_read(a, "../shared/data/regime/plans/maintnote-sample.ics", MAINTNOTE_MAX, &text) != OK) {
		arena_free(a);
		print_message("skipped: ../shared/data/regime/plans is absent\n");
		skip();
	}
	assert_int_equal(maintnotes_parse(a, text, &m, &n), OK);
	assert_span(m->id, "WorkOrder-31415");
	assert_int_equal(m->status, MAINT_CONFIRMED);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_an_event),   cmocka_unit_test(tells_times_in_utc),
		cmocka_unit_test(refuses_by_name),  cmocka_unit_test(reads_what_it_prints),
		cmocka_unit_test(reads_the_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
