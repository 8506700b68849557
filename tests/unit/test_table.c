#include "test_territory.h"

#include <sys/stat.h>

#include "territory/table_file.h"

/* The naive twin: all rows as they came, and a loop that nobody can get wrong. */
struct naive_row {
	struct range range;
	uint32_t value;
};

static bool narrower(struct range a, struct range b)
{
	/* sizes as 128-bit numbers in two halves */
	uint64_t al = a.last.low - a.first.low, ah = a.last.high - a.first.high - (a.last.low < a.first.low);
	uint64_t bl = b.last.low - b.first.low, bh = b.last.high - b.first.high - (b.last.low < b.first.low);

	return ah != bh ? ah < bh : al < bl;
}

static const struct naive_row *narrowest(const struct naive_row *rows, size_t n, struct address a)
{
	const struct naive_row *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (range_covers(rows[i].range, a) && (best == NULL || narrower(rows[i].range, best->range)))
			best = &rows[i];
	return best;
}

/* Addresses crowd: within few bits of one another, so that ranges nest, touch, overlap and repeat. */
static struct address draw(uint64_t *seed, enum family f)
{
	static const uint8_t spread[] = { 4, 8, 12, 16, 20, 32 };
	uint64_t bits = spread[test_below(seed, sizeof(spread))], mask = ((uint64_t)1 << bits) - 1;

	if (f == FAMILY_IPV4)
		return address_ipv4((uint32_t)((0x0a0b0c0d & ~mask) | (test_random(seed) & mask)));
	switch (test_below(seed, 4)) {
	case 0:
		return (struct address){ 0x20010db800000000 | (test_random(seed) & 0xffff), 0, FAMILY_IPV6 };
	case 1:
		return (struct address){ 0x20010db800000001, test_random(seed) & mask, FAMILY_IPV6 };
	case 2:
		return (struct address){ test_random(seed), test_random(seed), FAMILY_IPV6 };
	default:
		return (struct address){ 0x2001000000000000 | (test_random(seed) & 0xffffffffffff), ~(uint64_t)0,
					 FAMILY_IPV6 };
	}
}

/* No two rows of the same size, so that the narrowest is one. */
static bool is_new_size(const struct naive_row *rows, size_t n, struct range r)
{
	for (size_t i = 0; i < n; i++)
		if (!narrower(rows[i].range, r) && !narrower(r, rows[i].range))
			return false;
	return true;
}

static size_t draw_rows(uint64_t *seed, enum family f, struct naive_row *rows, size_t most)
{
	size_t n = 0;

	for (size_t i = 0; i < most; i++) {
		struct range r = { draw(seed, f), draw(seed, f) };

		if (address_compare(r.first, r.last) > 0)
			r = (struct range){ r.last, r.first };
		if (is_new_size(rows, n, r))
			rows[n++] = (struct naive_row){ r, (uint32_t)(64496 + test_below(seed, 12)) };
	}
	return n;
}

static void write_rows(struct buffer *out, const struct naive_row *rows, size_t n, bool country)
{
	char first[ADDRESS_TEXT], last[ADDRESS_TEXT];

	for (size_t i = 0; i < n; i++) {
		address_format(rows[i].range.first, first);
		address_format(rows[i].range.last, last);
		if (country)
			buffer_print(out, "%s,%s,A%c\n", first, last, 'A' + (char)(rows[i].value % 26));
		else
			buffer_print(out, "%s,%s,%u,\"Name, %u\"\n", first, last, rows[i].value, rows[i].value);
	}
}

static void compare(const struct table *t, struct address a, const struct naive_row *as, size_t as_count,
		    const struct naive_row *countries, size_t country_count)
{
	const struct naive_row *origin = narrowest(as, as_count, a), *country = narrowest(countries, country_count, a);
	uint32_t number = table_find(t, a);
	struct table_record r;
	char text[ADDRESS_TEXT];

	address_format(a, text);
	assert_true(number < table_records(t));
	table_record(t, number, &r);
	if (r.asn != (origin != NULL ? origin->value : 0))
		fail_msg("%s: AS%u, should be AS%u", text, r.asn, origin != NULL ? origin->value : 0);
	if (origin != NULL && (!address_equal(r.origin_range.first, origin->range.first) ||
			       !address_equal(r.origin_range.last, origin->range.last)))
		fail_msg("%s: the range is another's", text);
	if (country == NULL) {
		assert_string_equal(r.country, "");
		return;
	}
	assert_int_equal(r.country[1], 'A' + (char)(country->value % 26));
	assert_true(address_equal(r.country_range.first, country->range.first));
}

/* Each row's ends and what lies beside them. */
static void compare_near(const struct table *t, struct address a, const struct naive_row *as, size_t as_count,
			 const struct naive_row *countries, size_t country_count)
{
	struct address before = a, after = a;

	compare(t, a, as, as_count, countries, country_count);
	if (address_previous(&before))
		compare(t, before, as, as_count, countries, country_count);
	if (address_next(&after))
		compare(t, after, as, as_count, countries, country_count);
}

static void batches_agree(const struct table *t, uint64_t *seed)
{
	struct address six[200];
	uint32_t four[200], records[200];

	for (size_t i = 0; i < 200; i++) {
		four[i] = (uint32_t)draw(seed, FAMILY_IPV4).low;
		six[i] = draw(seed, i % 5 == 0 ? FAMILY_IPV4 : FAMILY_IPV6);
	}
	table_find_ipv4(t, four, 200, records);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(records[i], table_find(t, address_ipv4(four[i])));
	table_find_ipv6(t, six, 199, records);
	for (size_t i = 0; i < 199; i++)
		assert_int_equal(records[i], table_find(t, six[i]));
}

static void a_round(struct place *p, uint64_t *seed, size_t most)
{
	struct naive_row *rows = calloc(4 * most, sizeof(*rows));
	struct naive_row *as4 = rows, *as6 = rows + most, *cc4 = rows + 2 * most, *cc6 = rows + 3 * most;
	size_t n4 = draw_rows(seed, FAMILY_IPV4, as4, most), n6 = draw_rows(seed, FAMILY_IPV6, as6, most);
	size_t m4 = draw_rows(seed, FAMILY_IPV4, cc4, most), m6 = draw_rows(seed, FAMILY_IPV6, cc6, most);
	struct buffer as = BUFFER(1 << 24), cc = BUFFER(1 << 24);
	struct table *t;

	write_rows(&as, as4, n4, false);
	write_rows(&as, as6, n6, false);
	write_rows(&cc, cc4, m4, true);
	write_rows(&cc, cc6, m6, true);
	place_clear(p);
	place_file(p, "as.csv", buffer_view(&as));
	place_file(p, "country.csv", buffer_view(&cc));
	t = place_table(p);
	assert_int_equal(p->rejected, 0);
	for (size_t i = 0; i < n4 || i < n6 || i < m4 || i < m6; i++) {
		compare_near(t, i < n4 ? as4[i].range.first : draw(seed, FAMILY_IPV4), as4, n4, cc4, m4);
		compare_near(t, i < n4 ? as4[i].range.last : draw(seed, FAMILY_IPV4), as4, n4, cc4, m4);
		compare_near(t, i < m4 ? cc4[i].range.last : draw(seed, FAMILY_IPV4), as4, n4, cc4, m4);
		compare_near(t, i < n6 ? as6[i].range.first : draw(seed, FAMILY_IPV6), as6, n6, cc6, m6);
		compare_near(t, i < n6 ? as6[i].range.last : draw(seed, FAMILY_IPV6), as6, n6, cc6, m6);
		compare_near(t, i < m6 ? cc6[i].range.first : draw(seed, FAMILY_IPV6), as6, n6, cc6, m6);
	}
	compare(t, addr("0.0.0.0"), as4, n4, cc4, m4);
	compare(t, addr("255.255.255.255"), as4, n4, cc4, m4);
	compare(t, addr("::"), as6, n6, cc6, m6);
	compare(t, addr("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), as6, n6, cc6, m6);
	batches_agree(t, seed);
	table_close(t);
	free(rows);
	buffer_free(&as);
	buffer_free(&cc);
}

static void agrees_with_a_loop(void **state)
{
	uint64_t seed = test_seed();

	for (int round = 0; round < 12; round++)
		a_round(*state, &seed, 1 + test_below(&seed, 60));
	a_round(*state, &seed, 1500);
}

/* A block of 4096 addresses with as many changes as fit, and one IPv6 network full of hosts. */
static void crowded_blocks(void **state)
{
	struct place *p = *state;
	struct buffer b = BUFFER(1 << 24);
	struct table *t;

	for (unsigned i = 0; i < 4096; i++)
		buffer_print(&b, "198.51.%u.%u,198.51.%u.%u,%u,x\n", 96 + i / 256, i % 256, 96 + i / 256, i % 256,
			     64496 + i % 7);
	for (unsigned i = 0; i < 5000; i++)
		buffer_print(&b, "2001:db8::%x,2001:db8::%x,%u,x\n", i * 2, i * 2, 64496 + i % 5);
	place_file(p, "as.csv", buffer_view(&b));
	buffer_free(&b);
	t = place_table(p);
	for (unsigned i = 0; i < 4096; i++) {
		struct table_record r;

		table_record(t, table_find(t, address_ipv4(0xc6336000 + i)), &r);
		assert_int_equal(r.asn, 64496 + i % 7);
	}
	for (unsigned i = 0; i < 10000; i++) {
		struct address a = { 0x20010db800000000, i, FAMILY_IPV6 };
		struct table_record r;

		table_record(t, table_find(t, a), &r);
		assert_int_equal(r.asn, i % 2 == 0 ? 64496 + i / 2 % 5 : 0);
	}
	table_close(t);
}

static void the_ends_of_the_space(void **state)
{
	struct table *t;

	place_file(
		*state, "as.csv",
		SPAN("0.0.0.0,0.0.0.0,64496,first\n"
		     "255.255.255.255,255.255.255.255,64497,last\n"
		     "::,::,64498,first\n"
		     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,64499,last\n"));
	place_file(*state, "country.csv",
		   SPAN("0.0.0.0,255.255.255.255,AQ\n::,ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff,AX\n"));
	t = place_table(*state);
	assert_int_equal(record_at(t, "0.0.0.0").asn, 64496);
	assert_int_equal(record_at(t, "0.0.0.1").asn, 0);
	assert_string_equal(record_at(t, "0.0.0.1").country, "AQ");
	assert_int_equal(record_at(t, "255.255.255.254").asn, 0);
	assert_int_equal(record_at(t, "255.255.255.255").asn, 64497);
	assert_int_equal(record_at(t, "::").asn, 64498);
	assert_int_equal(record_at(t, "::1").asn, 0);
	assert_string_equal(record_at(t, "8000::1").country, "AX");
	assert_int_equal(record_at(t, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe").asn, 0);
	assert_int_equal(record_at(t, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").asn, 64499);
	assert_range(record_at(t, "9.9.9.9").country_range, "0.0.0.0", "255.255.255.255");
	table_close(t);
}

static void equal_answers_have_one_number(void **state)
{
	uint32_t outer, inner;
	struct table *t;

	place_file(*state, "as.csv",
		   SPAN("198.51.100.0,198.51.100.255,64496,outer\n198.51.100.64,198.51.100.127,64497,inner\n"));
	t = place_table(*state);
	outer = table_find(t, addr("198.51.100.1"));
	inner = table_find(t, addr("198.51.100.64"));
	assert_int_equal(table_find(t, addr("198.51.100.128")), outer);
	assert_int_equal(table_find(t, addr("198.51.100.63")), outer);
	assert_int_equal(table_find(t, addr("198.51.100.127")), inner);
	assert_int_not_equal(inner, outer);
	assert_int_equal(table_find(t, addr("198.51.101.0")), 0);
	assert_int_equal(table_records(t), 3);
	assert_range(record_at(t, "198.51.100.200").origin_range, "198.51.100.0", "198.51.100.255");
	table_close(t);
}

static void numbers_by_themselves(void **state)
{
	struct span holder;
	char country[3];
	struct table *t;

	place_file(*state, "asn.txt",
		   SPAN("64496 EXAMPLE-NET Example Network, XK\n64511 LAST-NET, AQ\n64500 NO COUNTRY\n"));
	t = place_table(*state);
	assert_true(table_as(t, 64496, &holder, country));
	assert_span(holder, "EXAMPLE-NET Example Network");
	assert_string_equal(country, "XK");
	assert_true(table_as(t, 64500, &holder, country));
	assert_string_equal(country, "");
	assert_true(table_as(t, 64511, &holder, country));
	assert_false(table_as(t, 64497, &holder, country));
	assert_false(table_as(t, 0, &holder, country));
	assert_false(table_as(t, UINT32_MAX, &holder, country));
	table_close(t);
}

static void ask_everywhere(const struct table *t, uint64_t *seed)
{
	struct span holder;
	char country[3];

	for (int i = 0; i < 200; i++) {
		struct table_source s;
		struct table_class_facts k;
		struct table_record r;
		uint32_t number = table_find(t, draw(seed, i % 2 == 0 ? FAMILY_IPV4 : FAMILY_IPV6));

		table_record(t, number, &r);
		table_record(t, (uint32_t)test_random(seed), &r);
		table_class_facts(t, table_class(t, number), &k);
		table_source(t, (size_t)i, &s);
		table_as(t, (uint32_t)test_random(seed), &holder, country);
	}
}

static size_t read_table(struct place *p, char *out, size_t size)
{
	FILE *f = fopen(p->table, "rb");
	size_t n;

	assert_non_null(f);
	n = fread(out, 1, size, f);
	fclose(f);
	return n;
}

static void damage_is_found(void **state)
{
	struct place *p = *state;
	struct table *t;
	char *bytes = malloc((size_t)16 << 20);
	uint64_t seed = test_seed();
	size_t n;

	place_file(p, "as.csv",
		   SPAN("198.51.100.0,198.51.100.200,64496,\"An, example\"\n2001:db8::,2001:db8:1::,64497,x\n"));
	table_close(place_table(p));
	n = read_table(p, bytes, (size_t)16 << 20);
	assert_in_range(n, 5000, (size_t)16 << 20);
	for (size_t i = 0; i < sizeof(struct table_head); i += 7) {
		bytes[i] ^= 0x40;
		assert_int_equal(file_write_lazily(p->table, span_make(bytes, n), 0600), OK);
		assert_int_equal(table_open(p->table, &t), ERR_TABLE_DAMAGED);
		bytes[i] ^= 0x40;
	}
	for (int i = 0; i < 60; i++) {
		size_t at = 1024 + test_below(&seed, n - 1024);

		bytes[at] ^= (char)(1 << test_below(&seed, 8));
		assert_int_equal(file_write_lazily(p->table, span_make(bytes, n), 0600), OK);
		assert_int_equal(table_open(p->table, &t), OK);
		ask_everywhere(t, &seed);
		assert_int_equal(table_check(t), ERR_TABLE_DAMAGED);
		table_close(t);
	}
	for (size_t cut = 0; cut < n; cut += n / 9) {
		assert_int_equal(file_write_lazily(p->table, span_make(bytes, cut), 0600), OK);
		assert_int_equal(table_open(p->table, &t), ERR_TABLE_DAMAGED);
	}
	free(bytes);
}

static void a_table_that_is_not_there(void **state)
{
	struct place *p = *state;
	struct table *t = NULL;

	assert_int_equal(table_open(p->table, &t), ERR_TABLE_MISSING);
	assert_non_null(strstr(err_detail(), "territory update"));
	assert_null(t);
	table_close(NULL);
}

/* Whoever has it open keeps what was there. */
static void replaced_while_open(void **state)
{
	struct place *p = *state;
	struct table *before, *after;

	place_file(p, "as.csv", SPAN("198.51.100.0,198.51.100.255,64496,x\n"));
	before = place_table(p);
	place_clear(p);
	place_file(p, "as.csv", SPAN("198.51.100.0,198.51.100.255,64497,x\n"));
	after = place_table(p);
	assert_int_equal(record_at(before, "198.51.100.1").asn, 64496);
	assert_int_equal(record_at(after, "198.51.100.1").asn, 64497);
	table_close(before);
	table_close(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(agrees_with_a_loop),	     IN_PLACE(crowded_blocks),
		IN_PLACE(the_ends_of_the_space),     IN_PLACE(equal_answers_have_one_number),
		IN_PLACE(numbers_by_themselves),     IN_PLACE(damage_is_found),
		IN_PLACE(a_table_that_is_not_there), IN_PLACE(replaced_while_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
