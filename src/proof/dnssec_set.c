#include "proof/dnssec_private.h"

void dns_set_free(struct dns_set *s)
{
	ldns_rr_list_deep_free(s->records);
	ldns_rr_list_deep_free(s->signatures);
	*s = (struct dns_set){ 0 };
}

static enum err set_new(struct dns_set *out)
{
	*out = (struct dns_set){ ldns_rr_list_new(), ldns_rr_list_new() };
	if (out->records != NULL && out->signatures != NULL)
		return OK;
	dns_set_free(out);
	return ERR_NO_MEMORY;
}

static void print_record(const ldns_rr *rr, struct buffer *out)
{
	uint8_t *wire = NULL;
	size_t size = 0;

	if (ldns_rr2wire(&wire, rr, LDNS_SECTION_ANSWER, &size) == LDNS_STATUS_OK)
		buffer_bytes(out, wire, size);
	else if (out->err == OK)
		out->err = ERR_NO_MEMORY;
	LDNS_FREE(wire);
}

void dns_set_print(const struct dns_set *s, struct buffer *out)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(s->records); i++)
		print_record(ldns_rr_list_rr(s->records, i), out);
	for (size_t i = 0; i < ldns_rr_list_rr_count(s->signatures); i++)
		print_record(ldns_rr_list_rr(s->signatures, i), out);
}

/* One record in canonical form; libldns would also take pointers back and capitals. */
static enum err read_record(struct span bytes, size_t *at, ldns_rr **out)
{
	struct buffer again = BUFFER(DNS_SET_MAX);
	size_t from = *at;
	ldns_rr *rr = NULL;
	enum err e = OK;

	if (ldns_wire2rr(&rr, (const uint8_t *)bytes.at, bytes.len, at, LDNS_SECTION_ANSWER) != LDNS_STATUS_OK)
		return fail(ERR_EVIDENCE, "byte %zu of the record set begins no whole record", from);
	ldns_rr2canonical(rr);
	print_record(rr, &again);
	if (again.err == ERR_NO_MEMORY)
		e = ERR_NO_MEMORY;
	else if (again.err != OK || !span_equal(buffer_view(&again), span_make(bytes.at + from, *at - from)))
		e = fail(ERR_EVIDENCE, "the record at byte %zu is not in canonical wire form", from);
	buffer_free(&again);
	if (e == OK)
		*out = rr;
	else
		ldns_rr_free(rr);
	return e;
}

static bool type_is_known(ldns_rr_type t)
{
	return t == LDNS_RR_TYPE_TXT || t == LDNS_RR_TYPE_CNAME || t == LDNS_RR_TYPE_DNSKEY || t == LDNS_RR_TYPE_DS;
}

static bool same_owner(const ldns_rr *a, const ldns_rr *b)
{
	return span_equal(dns_bytes(ldns_rr_owner(a)), dns_bytes(ldns_rr_owner(b)));
}

/* Takes the record over where it says OK. */
static enum err add_record(struct dns_set *s, ldns_rr *rr)
{
	size_t n = ldns_rr_list_rr_count(s->records);
	const ldns_rr *first = ldns_rr_list_rr(s->records, 0);

	if (!type_is_known(ldns_rr_get_type(rr)) || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN)
		return fail(ERR_EVIDENCE, "a record set holds TXT, DNSKEY or DS of class IN, then RRSIG");
	if (ldns_rr_list_rr_count(s->signatures) > 0)
		return fail(ERR_EVIDENCE, "a record set has its RRSIGs at its end");
	if (n > 0 && (ldns_rr_get_type(rr) != ldns_rr_get_type(first) || !same_owner(rr, first)))
		return fail(ERR_EVIDENCE, "a record set is of one name and one type");
	if (n > 0 && ldns_rr_compare(ldns_rr_list_rr(s->records, n - 1), rr) >= 0)
		return fail(ERR_EVIDENCE, "a record stands twice, or the set is not in canonical order");
	if (n >= DNS_RECORDS_MAX)
		return fail(ERR_EVIDENCE, "a record set has more than %d records", DNS_RECORDS_MAX);
	return ldns_rr_list_push_rr(s->records, rr) ? OK : ERR_NO_MEMORY;
}

static enum err add_signature(struct dns_set *s, ldns_rr *rr)
{
	const ldns_rr *first = ldns_rr_list_rr(s->records, 0);

	if (first == NULL || ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || !same_owner(rr, first) ||
	    ldns_rr_rd_count(rr) != 9 || ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) != ldns_rr_get_type(first))
		return fail(ERR_EVIDENCE, "an RRSIG stands behind the set whose name and type it covers");
	if (ldns_rr_list_rr_count(s->signatures) >= DNS_SIGNATURES_MAX)
		return fail(ERR_EVIDENCE, "a record set has more than %d signatures", DNS_SIGNATURES_MAX);
	return ldns_rr_list_push_rr(s->signatures, rr) ? OK : ERR_NO_MEMORY;
}

enum err dns_set_read(struct span bytes, struct dns_set *out)
{
	struct dns_set s;
	enum err e = set_new(&s);

	if (e != OK)
		return e;
	if (bytes.len > DNS_SET_MAX)
		e = fail(ERR_EVIDENCE, "a record set is larger than %zu bytes", DNS_SET_MAX);
	for (size_t at = 0; e == OK && at < bytes.len;) {
		ldns_rr *rr = NULL;

		if ((e = read_record(bytes, &at, &rr)) != OK)
			break;
		e = ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG ? add_signature(&s, rr) : add_record(&s, rr);
		if (e != OK)
			ldns_rr_free(rr);
	}
	if (e == OK && ldns_rr_list_rr_count(s.records) == 0)
		e = fail(ERR_EVIDENCE, "a record set without records");
	if (e == OK)
		*out = s;
	else
		dns_set_free(&s);
	return e;
}

enum err dns_name_wire(const char *name, struct buffer *out)
{
	ldns_rdf *r = NULL;
	enum err e = OK;

	if (ldns_str2rdf_dname(&r, name) != LDNS_STATUS_OK)
		return fail(ERR_EVIDENCE, "%s is no name of the DNS", name);
	ldns_dname2canonical(r);
	buffer_span(out, dns_bytes(r));
	e = out->err;
	ldns_rdf_deep_free(r);
	return e;
}

const char *dns_name_text(struct arena *a, struct span wire)
{
	ldns_rdf *r = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_DNAME, wire.len, wire.at);
	char *text = r != NULL ? ldns_rdf2str(r) : NULL;
	const char *kept = text != NULL ? arena_copy(a, text, strlen(text)) : NULL;

	LDNS_FREE(text);
	ldns_rdf_deep_free(r);
	return kept != NULL ? kept : "?";
}

bool dns_within(struct span zone, struct span name)
{
	while (name.len > zone.len && (uint8_t)name.at[0] < name.len)
		name = span_from(name, 1 + (size_t)(uint8_t)name.at[0]);
	return span_equal(zone, name);
}

/* The strings of one TXT, one after the other. NULL: no memory. */
static char *text_of(struct arena *a, const ldns_rr *rr, size_t *length)
{
	char *text, *to;
	size_t n = 0;

	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++)
		n += ldns_rdf_size(ldns_rr_rdf(rr, i));
	if ((text = to = arena_alloc(a, n)) == NULL)
		return NULL;
	for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
		struct span s = dns_bytes(ldns_rr_rdf(rr, i));

		if (s.len < 2)
			continue; /* its length alone */
		memcpy(to, s.at + 1, s.len - 1);
		to += s.len - 1;
	}
	*length = (size_t)(to - text);
	return text;
}

enum err dns_set_names_key(struct arena *a, const struct dns_set *s, const struct key_statement *key)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(s->records); i++) {
		size_t length = 0;
		char *text = text_of(a, ldns_rr_list_rr(s->records, i), &length);

		if (text == NULL)
			return ERR_NO_MEMORY;
		if (key_statement_check_txt(span_make(text, length), key) == OK)
			return OK;
	}
	return fail(ERR_EVIDENCE_KEY, "none of %zu TXT records names this key of %.*s",
		    ldns_rr_list_rr_count(s->records), SPAN_FORMAT(key->party));
}

/* From here: answers. Whoever sends them is no friend. */

static enum err check_head(const ldns_pkt *p, const struct dns_question *q)
{
	const ldns_rr *asked = ldns_rr_list_rr(ldns_pkt_question(p), 0);
	ldns_pkt_rcode code = ldns_pkt_get_rcode(p);

	if (!ldns_pkt_qr(p) || ldns_pkt_id(p) != q->id || ldns_rr_list_rr_count(ldns_pkt_question(p)) != 1)
		return fail(ERR_PEER, "the resolver answers something else than was asked");
	ldns_dname2canonical(ldns_rr_owner(asked));
	if (ldns_rr_get_type(asked) != q->type || ldns_rr_get_class(asked) != LDNS_RR_CLASS_IN ||
	    !span_equal(dns_bytes(ldns_rr_owner(asked)), q->name))
		return fail(ERR_PEER, "the resolver answers another question");
	if (ldns_pkt_tc(p))
		return fail(ERR_PEER, "the resolver's answer is cut");
	if (code != LDNS_RCODE_NOERROR && code != LDNS_RCODE_NXDOMAIN)
		return fail(ERR_UNREACHABLE, "the resolver answers with code %d", (int)code);
	return OK;
}

/* Takes the record over in any case. */
static enum err take_record(struct dns_set *s, ldns_rr *rr)
{
	bool signature = ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG;
	ldns_rr_list *to = signature ? s->signatures : s->records;
	size_t most = signature ? DNS_SIGNATURES_MAX : DNS_RECORDS_MAX;
	enum err e = OK;

	if (ldns_rr_list_rr_count(to) >= most)
		e = fail(ERR_EVIDENCE, "the answer has more than %zu records of one kind", most);
	else if (!ldns_rr_list_push_rr(to, rr))
		e = ERR_NO_MEMORY;
	if (e != OK)
		ldns_rr_free(rr);
	return e;
}

static enum err take_type(const ldns_pkt *p, const struct dns_question *q, ldns_rr_type type, struct dns_set *s)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < ldns_rr_list_rr_count(ldns_pkt_answer(p)); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(ldns_pkt_answer(p), i);
		bool signature = ldns_rr_get_type(rr) == LDNS_RR_TYPE_RRSIG;
		ldns_rr *copy;

		if (ldns_rr_get_class(rr) != LDNS_RR_CLASS_IN || (signature && ldns_rr_rd_count(rr) != 9) ||
		    (signature ? ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) : ldns_rr_get_type(rr)) != type)
			continue;
		if ((copy = ldns_rr_clone(rr)) == NULL)
			return ERR_NO_MEMORY;
		ldns_rr2canonical(copy);
		if (span_equal(dns_bytes(ldns_rr_owner(copy)), q->name))
			e = take_record(s, copy);
		else
			ldns_rr_free(copy);
	}
	return e;
}

/* Through the reader of what is kept, so that nothing is kept that it would refuse. */
static enum err in_order(struct dns_set *s, struct dns_set *out)
{
	struct buffer bytes = BUFFER(DNS_SET_MAX);
	enum err e;

	ldns_rr_list_sort(s->records);
	dns_set_print(s, &bytes);
	if (bytes.err == ERR_TOO_LONG)
		e = fail(ERR_EVIDENCE, "the answer is larger than %zu bytes", DNS_SET_MAX);
	else
		e = bytes.err == OK ? dns_set_read(buffer_view(&bytes), out) : bytes.err;
	buffer_free(&bytes);
	return e;
}

enum err dns_answer_read(struct span bytes, const struct dns_question *q, struct dns_set *out)
{
	ldns_pkt *p = NULL;
	struct dns_set s;
	enum err e = set_new(&s);

	if (e != OK)
		return e;
	if (ldns_wire2pkt(&p, (const uint8_t *)bytes.at, bytes.len) != LDNS_STATUS_OK)
		e = fail(ERR_PEER, "the resolver's answer is no message of the DNS");
	else
		e = check_head(p, q);
	if (e == OK)
		e = take_type(p, q, q->type, &s);
	if (e == OK && ldns_rr_list_rr_count(s.records) == 0) {
		dns_set_free(&s);
		if ((e = set_new(&s)) == OK)
			e = take_type(p, q, LDNS_RR_TYPE_CNAME, &s);
	}
	if (e == OK && ldns_rr_list_rr_count(s.records) == 0)
		e = fail(ERR_NOT_FOUND, "the DNS has no such record there");
	if (e == OK)
		e = in_order(&s, out);
	dns_set_free(&s);
	ldns_pkt_free(p);
	return e;
}
