/* What a resolver answers. A set that is taken from it is of the name and type that were asked for (or an alias there), has one
 * spelling, and is read again as it was; any bytes that are read as a set are written again as they were. */
#include <stdlib.h>

#include "proof/dnssec_private.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void same_again(const struct dns_set *s, const struct span *was)
{
	struct buffer out = BUFFER(DNS_SET_MAX), twice = BUFFER(DNS_SET_MAX);
	struct dns_set again;

	dns_set_print(s, &out);
	check(out.err == OK);
	check(was == NULL || span_equal(buffer_view(&out), *was));
	check(dns_set_read(buffer_view(&out), &again) == OK);
	dns_set_print(&again, &twice);
	check(span_equal(buffer_view(&out), buffer_view(&twice)));
	dns_set_free(&again);
	buffer_free(&out);
	buffer_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char name[] = "\7_comity\7as64500\7example";
	struct span bytes = span_make(data, size);
	struct dns_question q = { span_make(name, sizeof(name)), LDNS_RR_TYPE_TXT, 7 };
	struct dns_set s;
	enum err e;

	for (unsigned i = 0; i < 2; i++, q.type = LDNS_RR_TYPE_DS) {
		if ((e = dns_answer_read(bytes, &q, &s)) == OK) {
			check(span_equal(dns_owner(&s), q.name));
			check(dns_type(&s) == q.type || dns_type(&s) == LDNS_RR_TYPE_CNAME);
			same_again(&s, NULL);
			dns_set_free(&s);
		} else {
			check(e == ERR_PEER || e == ERR_NOT_FOUND || e == ERR_EVIDENCE || e == ERR_UNREACHABLE);
		}
	}
	if ((e = dns_set_read(bytes, &s)) == OK) {
		same_again(&s, &bytes);
		dns_set_free(&s);
	} else {
		check(e == ERR_EVIDENCE);
	}
	return 0;
}
