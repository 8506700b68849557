/* Mailboxes from whois dumps: ranks, inheritance, files of all kinds, against a loop over all ranges. */
#include "territory/contacts.h"

#include <stdio.h>
#include <zlib.h>

#include "base/file.h"
#include "scratch.h"
#include "test.h"

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

static const char resources[] =
	"% a dump of our own\n\n"
	"aut-num:        AS64500\nas-name: ONE\nabuse-c:  AA1-TEST # of the network\norg: ORG-A-TEST\n\n"
	"aut-num: AS64501\norg: ORG-A-TEST\nsource: TEST\n\n"
	"aut-num: AS64502\ntech-c: TC1-TEST\n\n"
	"aut-num: AS64503\r\nmnt-irt: IRT-X-TEST\r\n\r\n"
	"aut-num: AS64504\ne-mail: Noc@Four.EXAMPLE\n\n"
	"aut-num: AS64505\nabuse-c: NOBODY-TEST\n\n"
	"aut-num: AS0\nabuse-c: AA1-TEST\n\n"
	"aut-num: 64506\nabuse-c: AA1-TEST\n\n"
	"aut-num: AS64507\ne-mail: unread@ripe.net\n\n"
	"inetnum: 192.0.0.0 - 192.0.255.255\nabuse-c: AA1-TEST\n\n"
	"inetnum: 192.0.2.0 - 192.0.2.255\ntech-c: TC1-TEST\n\n"
	"inetnum: 192.0.2.128 - 192.0.2.255\nabuse-c: aa2-test\n\n"
	"inetnum: 198.51.100.0/24\ne-mail: desk@c.example\n\n"
	"inetnum: 0.0.0.0 - 255.255.255.255\nabuse-c: AA1-TEST\n\n"
	"inetnum: 203.0.0.0 - 203.255.255.255\nabuse-c: AA1-TEST\nstatus: ALLOCATED UNSPECIFIED\n\n"
	"inetnum: 10.0.0.9 - 10.0.0.1\nabuse-c: AA1-TEST\n\n"
	"inetnum: 2001:db8::/32\nabuse-c: AA1-TEST\n\n"
	"inet6num: 2001:db8::/32\norg: ORG-A-TEST\n\n"
	"inet6num: 2001:db8:5::/48\nabuse-c: AA2-TEST\n";
static const char people[] =
	"role: Abuse desk\nnic-hdl: AA1-TEST\ne-mail: plain@a.example\nabuse-mailbox: abuse@A.Example\n\n"
	"role: Other desk\naddress: a street\n+ and its rest: abuse-mailbox: x@y.example\n"
	"nic-hdl: AA2-TEST\nabuse-mailbox: a b@bad.example\nabuse-mailbox: two@a.example\n\n"
	"person: A person\nnic-hdl: TC1-TEST\ne-mail: tech@t.example\n\n"
	"irt: IRT-X-TEST\nabuse-mailbox: irt@x.example\n\n"
	"organisation: ORG-A-TEST\nabuse-c: AA2-TEST\ne-mail: org@a.example\n\n"
	"mntner: SOME-MNT\ne-mail: no@mntner.example\nno colon at all\n";

static struct contacts_table *table_of(struct contacts_build *b, struct buffer *out)
{
	struct contacts_table *t = NULL;

	assert_int_equal(contacts_build_print(b, out), OK);
	assert_int_equal(contacts_open_memory(buffer_view(out), &t), OK);
	assert_int_equal(contacts_check(t), OK);
	return t;
}

static void finds(const struct contacts_table *t, const char *to, const char *mail, enum contacts_rank rank)
{
	struct contacts_found f;
	struct addressee a;

	assert_int_equal(addressee_parse(span_of(to), &a), OK);
	assert_int_equal(contacts_lookup(t, &a, &f), mail[0] != '\0');
	assert_span(f.mail, mail);
	if (mail[0] != '\0')
		assert_int_equal(f.rank, rank);
}

static void finds_all(const struct contacts_table *t)
{
	finds(t, "AS64500", "abuse@a.example", CONTACTS_ABUSE_C);
	finds(t, "AS64501", "two@a.example", CONTACTS_ORG_ABUSE_C);
	finds(t, "AS64502", "tech@t.example", CONTACTS_E_MAIL);
	finds(t, "AS64503", "irt@x.example", CONTACTS_IRT);
	finds(t, "AS64504", "Noc@four.example", CONTACTS_E_MAIL);
	finds(t, "AS64505", "", 0);
	finds(t, "AS64506", "", 0);
	finds(t, "AS64507", "", 0);
	finds(t, "AS1", "", 0);
	/* A customer without an abuse contact has that of the block; one with its own has its own. */
	finds(t, "prefix 192.0.1.0/24", "abuse@a.example", CONTACTS_ABUSE_C);
	finds(t, "prefix 192.0.2.0/25", "abuse@a.example", CONTACTS_ABUSE_C);
	finds(t, "prefix 192.0.2.128/25", "two@a.example", CONTACTS_ABUSE_C);
	finds(t, "prefix 192.0.2.255/32", "two@a.example", CONTACTS_ABUSE_C);
	finds(t, "prefix 192.0.2.0/24", "abuse@a.example", CONTACTS_ABUSE_C);
	finds(t, "prefix 198.51.100.7/32", "desk@c.example", CONTACTS_E_MAIL);
	finds(t, "prefix 198.51.0.0/16", "", 0);
	finds(t, "prefix 203.0.113.0/24", "", 0);
	finds(t, "prefix 10.0.0.1/32", "", 0);
	finds(t, "prefix 2001:db8:1::/48", "two@a.example", CONTACTS_ORG_ABUSE_C);
	finds(t, "prefix 2001:db8:5::1/128", "two@a.example", CONTACTS_ABUSE_C);
	finds(t, "prefix 2001:db9::/32", "", 0);
	finds(t, "country EE", "", 0);
	finds(t, "a.example", "", 0);
	finds(t, "all", "", 0);
}

static void count_reject(void *context, const char *path, uint64_t line, enum err why, struct span row)
{
	assert_non_null(path);
	assert_true(line > 0 && why != OK && row.len > 0);
	++*(size_t *)context;
}

static void one_text(void **state)
{
	struct buffer out = BUFFER(1 << 20);
	struct contacts_build *b = NULL;
	struct contacts_table *t;
	struct contacts_facts f;
	size_t rejects = 0;

	(void)state;
	assert_int_equal(contacts_build_new(&b), OK);
	contacts_on_reject(b, count_reject, &rejects);
	assert_int_equal(contacts_build_print(b, &out), ERR_EMPTY);
	assert_int_equal(contacts_build_add_text(b, SPAN("no object\n")), ERR_FORMAT_UNKNOWN);
	assert_int_equal(contacts_build_add_text(b, span_of(resources)), OK);
	assert_int_equal(contacts_build_add_text(b, span_of(people)), OK);
	/* "no object", AS0, 64506, 10.0.0.9 - 10.0.0.1, IPv6 as inetnum, "a b@bad.example", "no colon at all" */
	assert_int_equal(rejects, 7);
	t = table_of(b, &out);
	finds_all(t);
	contacts_facts(t, &f);
	assert_int_equal(f.as_numbers, 5);
	assert_int_equal(f.ranges_ipv4, 4);
	assert_int_equal(f.ranges_ipv6, 2);
	assert_int_equal(f.rejected, 7);
	contacts_close(t);
	buffer_free(&out);
	contacts_build_free(b);
}

/* cut: the same without its last bytes. */
static void write_gzip(struct scratch *s, const char *name, const char *text, const char *cut)
{
	const char *path = scratch_path(s, name);
	gzFile f = gzopen(path, "wb");
	struct mapped m;
	struct span part;

	assert_non_null(f);
	assert_int_equal(gzwrite(f, text, (unsigned)strlen(text)), strlen(text));
	assert_int_equal(gzclose(f), Z_OK);
	if (cut == NULL)
		return;
	assert_int_equal(file_map(path, &m), OK);
	part = span_make(m.at, m.len - 20);
	assert_int_equal(file_write_lazily(scratch_path(s, cut), part, 0600), OK);
	file_unmap(&m);
}

static void files(void **state)
{
	struct scratch *s = *state;
	const char *first = scratch_path(s, "test.db.people.gz"), *second = scratch_path(s, "test.db.resources");
	const char *path = scratch_path(s, "contacts.table");
	struct contacts_build *b = NULL;
	struct contacts_table *t = NULL;
	struct mapped m;
	char *bytes;

	write_gzip(s, "test.db.people.gz", people, NULL);
	assert_int_equal(file_write_lazily(second, span_of(resources), 0600), OK);
	assert_int_equal(contacts_build_new(&b), OK);
	assert_int_equal(contacts_build_add(b, first), OK);
	assert_int_equal(contacts_build_add(b, second), OK);
	assert_int_equal(contacts_build_add(b, scratch_path(s, "missing")), ERR_NOT_FOUND);
	write_gzip(s, "whole.gz", people, "cut.gz");
	assert_int_equal(contacts_build_add(b, scratch_path(s, "cut.gz")), ERR_COMPRESSION);
	assert_int_equal(contacts_build_write(b, path), OK);
	contacts_build_free(b);
	assert_int_equal(contacts_open(scratch_path(s, "missing"), &t), ERR_NOT_FOUND);
	assert_int_equal(contacts_open(path, &t), OK);
	assert_int_equal(contacts_check(t), OK);
	finds_all(t);
	contacts_close(t);
	/* Any byte that is changed is found; a cut file too. */
	assert_int_equal(file_map(path, &m), OK);
	bytes = test_calloc(m.len, 1);
	for (size_t i = 0; i < m.len; i++) {
		enum err e;

		memcpy(bytes, m.at, m.len);
		bytes[i] ^= 0x20;
		e = contacts_open_memory(span_make(bytes, m.len), &t);
		if (e == OK) {
			e = contacts_check(t);
			contacts_close(t);
		}
		assert_int_equal(e, ERR_TABLE_DAMAGED);
		assert_int_equal(contacts_open_memory(span_make(m.at, i), &t), ERR_TABLE_DAMAGED);
	}
	test_free(bytes);
	file_unmap(&m);
}

/* ---- against a loop ---- */

#define RANGES 60

struct plain {
	uint32_t first, last;
	int rank; /* 1: abuse-c, 5: e-mail, 0: nothing */
	unsigned mail;
};

static void look(const struct contacts_table *t, const struct plain *all, struct prefix p)
{
	uint32_t first = (uint32_t)p.address.low, last = first + (uint32_t)((UINT64_C(1) << (32 - p.length)) - 1);
	const struct plain *best = NULL;
	struct addressee to = { .type = TO_PREFIX, .prefix = p };
	struct contacts_found f;
	char mail[64];

	for (const struct plain *r = all; r < all + RANGES; r++)
		if (r->rank > 0 && r->first <= first && r->last >= last &&
		    (best == NULL || r->rank < best->rank ||
		     (r->rank == best->rank && r->last - r->first < best->last - best->first)))
			best = r;
	assert_int_equal(contacts_lookup(t, &to, &f), best != NULL);
	if (best == NULL)
		return;
	snprintf(mail, sizeof(mail), "m%u@a.example", best->mail);
	assert_span(f.mail, mail);
	assert_int_equal(f.range.first.low, best->first);
	assert_int_equal(f.range.last.low, best->last);
}

/* Nested, as registries have them; one of each range. */
static void draw(uint64_t *seed, struct plain *all)
{
	for (size_t i = 0; i < RANGES;) {
		uint32_t size = 1u << (2 + test_below(seed, 14)),
			 at = 0x0a000000u + (uint32_t)test_below(seed, 1u << 16);
		struct plain r = { at / size * size, at / size * size + size - 1, 0, (unsigned)i };
		bool twin = false;

		for (size_t j = 0; j < i; j++)
			twin |= all[j].first == r.first && all[j].last == r.last;
		if (twin)
			continue;
		r.rank = (int[]){ 0, 1, 1, 5, 5 }[test_below(seed, 5)];
		all[i++] = r;
	}
}

static void against_a_loop(void **state)
{
	uint64_t seed = test_seed();

	(void)state;
	for (int round = 0; round < 60; round++) {
		struct buffer text = BUFFER(1 << 20), out = BUFFER(1 << 20);
		struct contacts_build *b = NULL;
		struct contacts_table *t;
		struct plain all[RANGES];

		draw(&seed, all);
		all[0].rank = 1;
		for (size_t i = 0; i < RANGES; i++) {
			char first[ADDRESS_TEXT], last[ADDRESS_TEXT];

			address_format(address_ipv4(all[i].first), first);
			address_format(address_ipv4(all[i].last), last);
			buffer_print(&text, "inetnum: %s - %s\n", first, last);
			if (all[i].rank == 1)
				buffer_print(&text,
					     "abuse-c: H%zu\n\nrole: R\nnic-hdl: H%zu\nabuse-mailbox: m%zu@a.example\n",
					     i, i, i);
			else if (all[i].rank == 5)
				buffer_print(&text, "e-mail: m%zu@a.example\n", i);
			buffer_byte(&text, '\n');
		}
		assert_int_equal(contacts_build_new(&b), OK);
		assert_int_equal(contacts_build_add_text(b, buffer_view(&text)), OK);
		t = table_of(b, &out);
		for (int i = 0; i < 500; i++) {
			uint32_t a = 0x0a000000u + (uint32_t)test_below(&seed, 1u << 16);

			look(t, all, prefix_of(address_ipv4(a), (unsigned)(14 + test_below(&seed, 19))));
		}
		contacts_close(t);
		contacts_build_free(b);
		buffer_free(&text);
		buffer_free(&out);
	}
}

/* However the file is cut into pieces it reads the same; a line without an end is left out. */
static void long_lines(void **state)
{
	struct buffer text = BUFFER(8 << 20), out = BUFFER(1 << 20);
	struct scratch *s = *state;
	struct contacts_build *b = NULL;
	struct contacts_table *t;
	size_t rejects = 0;

	for (int i = 0; i < 3000; i++)
		buffer_print(&text, "remarks: %0*d\n", i % 300 + 1, i);
	buffer_text(&text, "\naut-num: AS64500\nremarks: ");
	for (int i = 0; i < 2000000; i++)
		buffer_byte(&text, 'x');
	buffer_text(&text, "\ne-mail: a@b.example\n\naut-num: AS64501\ne-mail: b@b.example");
	assert_int_equal(file_write_lazily(scratch_path(s, "long"), buffer_view(&text), 0600), OK);
	assert_int_equal(contacts_build_new(&b), OK);
	contacts_on_reject(b, count_reject, &rejects);
	assert_int_equal(contacts_build_add(b, scratch_path(s, "long")), OK);
	assert_int_equal(rejects, 1);
	t = table_of(b, &out);
	finds(t, "AS64500", "a@b.example", CONTACTS_E_MAIL);
	finds(t, "AS64501", "b@b.example", CONTACTS_E_MAIL);
	contacts_close(t);
	contacts_build_free(b);
	buffer_free(&text);
	buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_text),
		IN_A_FOLDER(files),
		cmocka_unit_test(against_a_loop),
		IN_A_FOLDER(long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
