#include "report_test.h"

static const struct report_options defaults;

#define HEAD "<!DOCTYPE html>\n<html><head><title>Botnet C&amp;Cs</title></head><body>\n"
#define NAMES                                                                                                          \
	"<table><tr><th>Firstseen (UTC)</th><th>Host</th><th>Port</th><th>Malware</th><th></th><th>Host</th></tr>\n"
#define ROW(time, host, port, malware)                                                                                 \
	"<tr><td>" time "</td><td><a href='x>y'>" host "</a></td><td>" port "</td><td><b>" malware "</b></td></tr>\n"
#define END "</table></body></html>\n"

static void reads_tables(void **state)
{
	static const struct {
		const char *text, *rows;
	} cases[] = {
		{ HEAD NAMES ROW("2026-11-21 14:56:05", "8.8.4.4", "443", " Some\n  name ")
			  ROW("2026-11-21", "8.8.4.5", "", "") END,
		  "+4 1795272965000 8.8.4.4/0:443>:0 0 malicious-code/c2-server [Some name] {\"Firstseen "
		  "(UTC)\":\"2026-11-21 14:56:05\",\"Host\":\"8.8.4.4\",\"Port\":\"443\",\"Malware\":\"Some name\"}\n"
		  "+6 1795219200000 8.8.4.5/0:0>:0 0 malicious-code/c2-server {\"Firstseen "
		  "(UTC)\":\"2026-11-21\",\"Host\":\"8.8.4.5\",\"Port\":\"\",\"Malware\":\"\"}\n" },
		/* each wrong row is a reject in its place */
		{ HEAD NAMES ROW("then", "8.8.4.4", "443", "x") ROW("", "192.168.1.1", "1", "x")
			  ROW("", "nobody", "1", "x") ROW("", "8.8.4.4", "http", "x")
				  ROW("2029-01-01", "8.8.4.4", "", "x") END,
		  "-4 time time " ROW("then", "8.8.4.4", "443", "x") "-5 address-special address " ROW(
			  "", "192.168.1.1", "1",
			  "x") "-6 address address " ROW("", "nobody", "1",
							 "x") "-7 number port " ROW("", "8.8.4.4", "http",
										    "x") "-8 time-future "
											 "time " ROW("2029-01-01",
												     "8.8.4.4", "",
												     "x") },
		/* what is no text, ends that are left out, capitals, references, a table of other things before */
		{ "<HTML><TABLE><TR><TD>8.8.8.8<TD>x</TABLE><!-- <table><tr><td>ip "
		  "--><script>\"<tr><td>ip</td></tr>\"</script>"
		  "<TABLE><TR><TD>IP<TD>Note &amp; more<TR><TD>8.8.4&#46;4<TD>&lt;a&gt;&nbsp;<br>b &unknown; "
		  "\"\n</TABLE>",
		  "+1 0 8.8.4.4/0:0>:0 0 other/undetermined {\"IP\":\"8.8.4.4\",\"Note & more\":\"<a> b &unknown; "
		  "\\\"\"}\n" },
		/* names that are empty or stood before give way to numbers */
		{ "<html><table><tr><td>ip<td>ip<td><td>x<tr><td>8.8.4.4<td>2<td>3<td>4<td>5</table>",
		  "+1 0 8.8.4.4/0:0>:0 0 other/undetermined "
		  "{\"ip\":\"8.8.4.4\",\"2\":\"2\",\"3\":\"3\",\"x\":\"4\",\"5\":\"5\"}\n" },
		{ "<html><table><tr><td>name<td>age</table></html>",
		  "-1 no-address table <html><table><tr><td>name<td>age</table></html>\n" },
		{ "<html><p>404</p></html>", "format-unknown" },
		{ "<html><table><tr><th>ip</th></tr></table></html>", "" },
	};

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++)
		reads_as("page.html", span_of(cases[i].text), defaults, cases[i].rows);
}

static void takes_options(void **state)
{
	(void)state;
	reads_as("x", SPAN(HEAD "<table><tr><td>ip<tr><td>8.8.4.4</table>"),
		 (struct report_options){ .class = CLASS_SCANNER, .date_ms = TEST_NOW - 1 },
		 "+3 1795379999999 8.8.4.4/0:0>:0 0 information-gathering/scanner {\"ip\":\"8.8.4.4\"}\n");
}

static void keeps_to_its_limits(void **state)
{
	struct buffer b = BUFFER(1 << 24);

	(void)state;
	buffer_text(&b, "<html><table><tr><td>ip<td>x<tr><td>8.8.4.4<td>");
	for (int i = 0; i < 10000; i++)
		buffer_text(&b, "x");
	buffer_text(&b, "<tr><td>8.8.4.5");
	for (int i = 0; i < 40; i++)
		buffer_text(&b, "<td>x");
	buffer_text(&b, "<tr><td>8.8.4.6<td a=\"");
	for (int i = 0; i < 20000; i++)
		buffer_text(&b, "<tr>");
	{
		struct arena *a = arena_new(1 << 20);
		struct report_options options = { .now_ms = TEST_NOW };
		struct law law = { .out = BUFFER(1 << 20) };
		struct scratch *s;
		struct layout *l;

		assert_int_equal(scratch_new(&s), OK);
		assert_int_equal(report_detect(a, SPAN("x"), (struct span){ b.at, 2000 }, &options, &l), OK);
		law_read(l, s, buffer_view(&b), b.len + 1, REPORT_DOCUMENT_MAX, &law);
		assert_int_equal(law.events,
				 1); /* the third; a tag whose quote does not close ends at its first bracket */
		assert_int_equal(law.rejects, 2);
		buffer_free(&law.out);
		scratch_free(s);
		arena_free(a);
	}
	buffer_free(&b);
}

static void law_of_chunks(void **state)
{
	static const char *const pieces[] = { "<table>",  "<tr>",      "<td>",	  "</td>",    "<th>",
					      "ip",	  "8.8.4.4",   "</tr>",	  "</table>", "<a href=\"",
					      "\">",	  "&#",	       "&amp;",	  "<!--",     "-->",
					      "<script>", "</script>", "<title>", "</title>", "C2",
					      "\n",	  "port",      "80",	  "<",	      ">" };

	(void)state;
	keeps_the_law("-", "<html><table>", pieces, TABLE_LENGTH(pieces));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tables),
		cmocka_unit_test(takes_options),
		cmocka_unit_test(keeps_to_its_limits),
		cmocka_unit_test(law_of_chunks),
	};

	return cmocka_run_group_tests_name("html", tests, NULL, NULL);
}
