#include "report/inventory.h"

#include "vouch_test.h"

#define DIGITS "00112233445566778899aabbccddeeff00112233445566778899aabbccddee"
#define ENVELOPE "body " CERTIFICATE_MEDIA_TYPE " 10 sha256:" DIGITS "ff\n"
#define UNTIL "end 2027-01-01T00:00:00Z\n"

struct shop {
	struct folk f;
	struct arena *a;
	struct signer *lab, *other, *critic;
};

static void begin(struct shop *p, struct scratch *s, const char *name)
{
	folk_new(&p->f, s, name);
	p->a = p->f.b->arena;
	folk_say(&p->f, KIND_RULES, p->f.b->node, "version 3\n", NULL);
	p->lab = signer_of("lab.example");
	p->other = signer_of("other.example");
	p->critic = signer_of("critic.example");
	folk_party(&p->f, p->lab, "");
	folk_party(&p->f, p->other, "");
	folk_party(&p->f, p->critic, "");
}

static void end(struct shop *p)
{
	signer_free(p->lab);
	signer_free(p->other);
	signer_free(p->critic);
	bare_free(p->f.b);
}

static struct hash certify(struct shop *p, const struct signer *who, const char *lines)
{
	struct hash id;

	folk_say(&p->f, KIND_CERTIFICATE, who,
		 arena_print(p->a, "predicate evaluation\nlevel basic\n" UNTIL ENVELOPE "%s", lines), &id);
	return id;
}

static void about(struct shop *p, const struct signer *who, const char *what, struct hash re, const char *more)
{
	folk_say(&p->f, KIND_CERTIFICATE, who,
		 arena_print(p->a, "predicate %s\nre %s\n%s", what, hex_of(p->a, re), more), NULL);
}

static struct sbom_component component(const char *name, const char *version, const char *purl, const char *sha256)
{
	return (struct sbom_component){ span_of(name), span_of(version), span_of(purl), span_of(sha256) };
}

static const struct hash some_file = { { 7 } };

struct shown {
	struct buffer text;
};

/* "1 a.example digest recognised:basic force attention". */
static enum err show(void *context, const struct inventory_line *l)
{
	struct shown *s = context;

	buffer_print(&s->text, "%zu %.*s %s %s%s%.*s%s%s\n", l->number, SPAN_FORMAT(l->certificate->from),
		     l->by_digest ? "digest" : "purl", recognised_name(l->recognised.verdict),
		     l->recognised.level.len > 0 ? ":" : "", SPAN_FORMAT(l->recognised.level),
		     l->in_force ? " force" : "", l->attention ? " attention" : "");
	return OK;
}

static struct inventory_sum check(struct shop *p, const char *recognition, struct sbom bill, struct hash file,
				  const char *expected)
{
	struct shown s = { BUFFER(1 << 20) };
	struct recognition *r;
	struct inventory_sum sum;

	assert_int_equal(recognition_parse(span_of(recognition), "recognition", &r), OK);
	if (inventory_check(&p->f.b->st, r, &bill, file, p->f.now_ms, show, &s, &sum) != OK)
		fail_msg("%s", err_detail());
	if (expected != NULL)
		assert_span(buffer_view(&s.text), expected);
	buffer_free(&s.text);
	recognition_end(r);
	return sum;
}

/* By the bytes, by package URL with and without version, qualifiers aside, by a version that stands only beside the URL; each
 * certificate once. */
static void finds(void **state)
{
	struct shop p;
	struct sbom_component c[] = {
		component("openssl", "3.0.11", "pkg:deb/debian/OpenSSL@3.0.11?arch=amd64", ""),
		component("openssl", "3.0.12", "pkg:deb/debian/openssl", ""),
		component("blob", "", "", DIGITS "01"),
		component("both", "3.0.11", "pkg:deb/debian/openssl@3.0.11", DIGITS "01"),
		component("odd", "1", "pkg:", ""),
		component("none", "1", "pkg:deb/debian/none@1", DIGITS "02"),
	};
	struct sbom bill = { .components = c, .count = 6 };
	struct inventory_sum sum;

	begin(&p, *state, "finds");
	certify(&p, p.lab, "subject pkg:deb/debian/openssl@3.0.11\nsubject sha256:" DIGITS "01\n");
	certify(&p, p.other, "subject pkg:deb/debian/openssl\n");
	certify(&p, p.critic, "subject pkg:deb/debian/openssl@3.0.12\n");
	sum = check(&p, "", bill, some_file,
		    "1 lab.example purl not recognised force\n1 other.example purl not recognised force\n"
		    "2 other.example purl not recognised force\n2 critic.example purl not recognised force\n"
		    "3 lab.example digest not recognised force\n"
		    "4 lab.example digest not recognised force\n4 other.example purl not recognised force\n");
	assert_int_equal(sum.components, 6);
	assert_int_equal(sum.certified, 4);
	assert_int_equal(sum.recognised, 0);
	assert_int_equal(sum.without, 2);
	assert_int_equal(sum.attention, 0);
	assert_int_equal(sum.lines, 7);
	end(&p);
}

/* A version that stands beside the package URL stays a version, whatever is in it. */
static void versions_beside(void **state)
{
	struct shop p;
	struct sbom_component c[] = {
		component("a", "release/1.0", "pkg:github/o/a", ""),
		component("a", "1.0?x#y", "pkg:github/o/a", ""),
		component("a", "50%", "pkg:github/o/a", ""),
		component("a", "1@2", "pkg:github/o/a", ""),
	};
	struct sbom bill = { .components = c, .count = 4 };

	begin(&p, *state, "versions_beside");
	certify(&p, p.lab, "subject pkg:github/o/a\n");
	certify(&p, p.other, "subject pkg:github/o/a@1.0\n");
	certify(&p, p.critic,
		"subject pkg:github/o/a@release%2F1.0\nsubject pkg:github/o/a@50%25\n"
		"subject pkg:github/o/a@1%402\n");
	check(&p, "", bill, some_file,
	      "1 lab.example purl not recognised force\n1 critic.example purl not recognised force\n"
	      "2 lab.example purl not recognised force\n"
	      "3 lab.example purl not recognised force\n3 critic.example purl not recognised force\n"
	      "4 lab.example purl not recognised force\n4 critic.example purl not recognised force\n");
	end(&p);
}

/* A certificate about the file itself speaks for the whole bill. */
static void finds_the_bill(void **state)
{
	struct shop p;
	struct sbom bill = { .count = 0 };
	struct inventory_sum sum;
	char hex[HASH_HEX + 1];

	begin(&p, *state, "bill");
	hash_hex(some_file, hex);
	assert_int_equal(check(&p, "", bill, some_file, "").components, 0);
	certify(&p, p.lab, arena_print(p.a, "subject sha256:%s\n", hex));
	sum = check(&p, "recognise lab.example level basic as low", bill, some_file,
		    "0 lab.example digest recognised:low force\n");
	assert_int_equal(sum.components, 1);
	assert_int_equal(sum.recognised, 1);
	bill.subject = component("app", "1", "pkg:generic/app@1", "");
	certify(&p, p.other, "subject pkg:generic/app@1\n");
	check(&p, "", bill, some_file,
	      "0 lab.example digest not recognised force\n0 other.example purl not recognised force\n");
	end(&p);
}

static void tells_what_asks_for_attention(void **state)
{
	static const char *const know_lab = "recognise lab.example\nrefuse other.example\n";
	struct sbom_component c = component("a", "1", "pkg:npm/a@1", "");
	struct sbom bill = { .components = &c, .count = 1 };
	struct inventory_sum sum;
	struct hash first, second;
	struct shop p;

	begin(&p, *state, "attention");
	first = certify(&p, p.lab, "subject pkg:npm/a@1\n");
	check(&p, know_lab, bill, some_file, "1 lab.example purl recognised:basic force\n");
	/* an objection is heard where the certificate counts */
	about(&p, p.critic, "counter", first, "text It was not the build that is sold.\n");
	sum = check(&p, know_lab, bill, some_file, "1 lab.example purl recognised:basic force attention\n");
	assert_int_equal(sum.countered, 1);
	assert_int_equal(sum.attention, 1);
	check(&p, "", bill, some_file, "1 lab.example purl not recognised force\n");
	about(&p, p.lab, "status", first, "status suspended\nreason A test is repeated.\n");
	sum = check(&p, "", bill, some_file, "1 lab.example purl not recognised attention\n");
	assert_int_equal(sum.suspended, 1);
	assert_int_equal(sum.certified, 0);
	about(&p, p.lab, "status", first, "status valid\n");
	check(&p, "", bill, some_file, "1 lab.example purl not recognised force\n");
	folk_withdraw(&p.f, p.lab, first, "");
	sum = check(&p, know_lab, bill, some_file, "1 lab.example purl recognised:basic attention\n");
	assert_int_equal(sum.withdrawn, 1);
	/* what is refused asks for nothing */
	second = certify(&p, p.other, "subject pkg:npm/a@1\n");
	folk_withdraw(&p.f, p.other, second, "");
	sum = check(&p, know_lab, bill, some_file,
		    "1 lab.example purl recognised:basic attention\n1 other.example purl refused\n");
	assert_int_equal(sum.withdrawn, 1);
	end(&p);
}

/* One that ended is nothing to look at while another holds. */
static void expiry_asks_where_nothing_holds(void **state)
{
	struct sbom_component c = component("a", "1", "pkg:npm/a@1", "");
	struct sbom bill = { .components = &c, .count = 1 };
	struct shop p;

	begin(&p, *state, "expiry");
	certify(&p, p.lab, "subject pkg:npm/a@1\n");
	p.f.now_ms = START + 365 * DAY - 1; /* the last moment */
	check(&p, "recognise lab.example", bill, some_file, "1 lab.example purl recognised:basic force\n");
	p.f.now_ms++;
	assert_int_equal(
		check(&p, "recognise lab.example", bill, some_file, "1 lab.example purl recognised:basic attention\n")
			.expired,
		1);
	check(&p, "", bill, some_file, "1 lab.example purl not recognised\n");
	folk_say(&p.f, KIND_CERTIFICATE, p.other,
		 "predicate evaluation\nsubject pkg:npm/a\nend 2028-01-01T00:00:00Z\n" ENVELOPE, NULL);
	check(&p, "recognise lab.example\nrecognise other.example", bill, some_file,
	      "1 lab.example purl recognised:basic\n1 other.example purl recognised force\n");
	end(&p);
}

/* What rests on something bad, however far down. */
static void tells_what_rests_on_bad(void **state)
{
	struct sbom_component c = component("a", "1", "pkg:npm/a@1", "");
	struct sbom bill = { .components = &c, .count = 1 };
	struct hash base, middle;
	struct shop p;

	begin(&p, *state, "rests");
	base = certify(&p, p.lab, "subject pkg:npm/base@1\n");
	middle = certify(&p, p.lab, arena_print(p.a, "subject pkg:npm/m@1\ncites %s\n", hex_of(p.a, base)));
	certify(&p, p.other, arena_print(p.a, "subject pkg:npm/a@1\ncites %s\n", hex_of(p.a, middle)));
	assert_int_equal(check(&p, "", bill, some_file, NULL).attention, 0);
	folk_withdraw(&p.f, p.lab, base, "");
	assert_int_equal(
		check(&p, "", bill, some_file, "1 other.example purl not recognised force attention\n").resting_on_bad,
		1);
	end(&p);
}

/* Many components and certificates, over more than one block, against certificates_of for each. */

struct naive {
	struct hash seen[64];
	size_t seen_count;
};

static enum err naive_line(void *context, const struct certificate *c)
{
	struct naive *n = context;

	for (size_t i = 0; i < n->seen_count; i++)
		if (hash_equal(n->seen[i], c->id))
			return OK;
	n->seen[n->seen_count++] = c->id;
	return OK;
}

static enum err count_line(void *context, const struct inventory_line *l)
{
	size_t *counts = context;

	counts[l->number]++;
	return OK;
}

#define MANY 66000 /* more than a block */
#define PRODUCTS 40

static void agrees_with_a_loop(void **state)
{
	struct sbom_component *c = calloc(MANY, sizeof(*c));
	size_t *counts = calloc(MANY + 1, sizeof(*counts));
	struct sbom bill = { .components = c, .count = MANY };
	uint64_t seed = test_seed();
	struct inventory_sum sum;
	struct recognition *r;
	struct shop p;

	assert_true(c != NULL && counts != NULL);
	begin(&p, *state, "many");
	for (unsigned i = 0; i < 60; i++) {
		size_t product = test_below(&seed, PRODUCTS), version = test_below(&seed, 4);

		p.f.now_ms++;
		certify(&p, test_below(&seed, 2) ? p.lab : p.other,
			arena_print(p.a, "subject pkg:npm/p%zu%s%s\nsubject sha256:" DIGITS "%02x\ndate %s\n", product,
				    version > 0 ? "@" : "", version > 0 ? arena_print(p.a, "%zu", version) : "",
				    (unsigned)test_below(&seed, 64), arena_print(p.a, "2026-01-01T00:00:%02uZ", i)));
	}
	for (size_t i = 0; i < MANY; i++) {
		const char *purl = arena_print(p.a, "pkg:npm/p%zu@%zu", test_below(&seed, PRODUCTS + 20),
					       1 + test_below(&seed, 4));

		c[i] = component(
			"x", "", test_below(&seed, 4) ? purl : "",
			test_below(&seed, 4) ? "" : arena_print(p.a, DIGITS "%02x", (unsigned)test_below(&seed, 100)));
	}
	assert_int_equal(recognition_parse(SPAN(""), "r", &r), OK);
	assert_int_equal(inventory_check(&p.f.b->st, r, &bill, some_file, p.f.now_ms, count_line, counts, &sum), OK);
	recognition_end(r);
	assert_int_equal(sum.components, MANY);
	for (size_t i = 0; i < MANY; i += i < 65500 ? 97 : 1) {
		struct naive n = { .seen_count = 0 };

		if (c[i].purl.len > 0)
			assert_int_equal(certificates_of(&p.f.b->st, c[i].purl, naive_line, &n), OK);
		if (c[i].sha256.len > 0)
			assert_int_equal(
				certificates_of(&p.f.b->st,
						span_of(arena_print(p.a, "sha256:%.*s", SPAN_FORMAT(c[i].sha256))),
						naive_line, &n),
				OK);
		assert_int_equal(counts[i + 1], n.seen_count);
	}
	end(&p);
	free(c);
	free(counts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(versions_beside),
		cmocka_unit_test(finds_the_bill),
		cmocka_unit_test(tells_what_asks_for_attention),
		cmocka_unit_test(expiry_asks_where_nothing_holds),
		cmocka_unit_test(tells_what_rests_on_bad),
		cmocka_unit_test(agrees_with_a_loop),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
