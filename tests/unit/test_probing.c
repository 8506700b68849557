#include "test.h"

#include "base/clock.h"
#include "report/probing.h"

#define NOW INT64_C(1795435200000) /* 2026-11-23T12:00:00Z */

static void reads_a_file(void **state)
{
	static const char text[] = "# who\r\nCANONICAL: https://probe.example/.well-known/probing.txt\r\n"
				   "Contact:  mailto:probes@example.net \r\ncontact: ftp://nowhere.example\r\n"
				   "Contact: https://probe.example/optout\r\nExpires: 2027-06-30T00:00:00z\r\n"
				   "Preferred-Languages: en, fr\r\nUnknown: field\r\nno field at all\r\n"
				   "Plan: https://node.example/statements/00\r\nDescription: a census: ports 443";
	struct probing p;

	(void)state;
	assert_int_equal(probing_parse(span_of(text), NOW, &p), OK);
	assert_span(p.canonical, "https://probe.example/.well-known/probing.txt");
	assert_int_equal(p.contact_count, 2);
	assert_span(p.contacts[0], "mailto:probes@example.net");
	assert_span(p.contacts[1], "https://probe.example/optout");
	assert_int_equal(p.expires_ms, INT64_C(1814313600000));
	assert_span(p.languages, "en, fr");
	assert_span(p.plan, "https://node.example/statements/00");
	assert_span(p.description, "a census: ports 443");
}

static void passes_over_a_signature_frame(void **state)
{
	static const char text[] = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nContact: tel:+1-201-555-0123\n"
				   "Expires: 2027-01-01T00:00:00Z\n-----BEGIN PGP SIGNATURE-----\n\nExpires: x\n";
	struct probing p;

	(void)state;
	assert_int_equal(probing_parse(span_of(text), NOW, &p), OK);
	assert_span(p.contacts[0], "tel:+1-201-555-0123");
}

static void refuses_by_name(void **state)
{
	static const struct {
		const char *text;
		enum err err;
	} cases[] = {
		{ "", ERR_PROBING },
		{ "Expires: 2027-01-01T00:00:00Z\n", ERR_PROBING },
		{ "Contact: me\nExpires: 2027-01-01T00:00:00Z\n", ERR_PROBING },
		{ "Contact: mailto:a@example.net\n", ERR_PROBING },
		{ "Contact: mailto:a@example.net\nExpires: soon\n", ERR_PROBING },
		{ "Contact: mailto:a@example.net\nExpires: 2027-01-01T00:00:00Z\nexpires: 2027-01-01T00:00:00Z\n",
		  ERR_PROBING },
		{ "Contact: mailto:a@example.net\nExpires: 2026-11-23T12:00:00Z\n", ERR_EXPIRED },
		{ "Contact: mailto:\xff@example.net\nExpires: 2027-01-01T00:00:00Z\n", ERR_PROBING },
	};
	struct probing p;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		assert_int_equal(probing_parse(span_of(cases[i].text), NOW, &p), cases[i].err);
}

/* However many, the first eight count, and a line break in a value makes no second field. */
static void prints_one_line_a_field(void **state)
{
	struct probing p = { .contacts = { SPAN("mailto:a@example.net") },
			     .contact_count = 1,
			     .description = SPAN("one\nExpires: 1970-01-01T00:00:00Z"),
			     .expires_ms = NOW + 1000 },
		       again;
	struct buffer b = BUFFER(4096), many = BUFFER(8192);

	(void)state;
	assert_int_equal(probing_print(&p, &b), OK);
	assert_int_equal(probing_parse(buffer_view(&b), NOW, &again), OK);
	assert_span(again.description, "one?Expires: 1970-01-01T00:00:00Z");
	for (int i = 0; i < 20; i++)
		buffer_print(&many, "Contact: tel:+%d\n", i);
	buffer_text(&many, "Expires: 2027-01-01T00:00:00Z\n");
	assert_int_equal(probing_parse(buffer_view(&many), NOW, &again), OK);
	assert_int_equal(again.contact_count, 8);
	assert_span(again.contacts[7], "tel:+7");
	buffer_free(&b);
	buffer_free(&many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(passes_over_a_signature_frame),
		cmocka_unit_test(refuses_by_name),
		cmocka_unit_test(prints_one_line_a_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
