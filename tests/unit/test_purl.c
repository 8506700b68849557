#include "regime/purl.h"

#include "test.h"

static struct arena *arena;

static const struct {
	const char *written, *bare, *version; /* bare NULL: refused */
} cases[] = {
	{ "pkg:deb/debian/openssl@3.0.11", "pkg:deb/debian/openssl", "3.0.11" },
	{ "pkg:deb/debian/openssl", "pkg:deb/debian/openssl", "" },
	{ "pkg:deb/debian/openssl@3.0.11?arch=amd64&distro=debian-12", "pkg:deb/debian/openssl", "3.0.11" },
	{ "pkg:deb/debian/openssl@3.0.11#usr/lib", "pkg:deb/debian/openssl", "3.0.11" },
	{ "pkg:deb/debian/openssl?repository=a@b/c@d", "pkg:deb/debian/openssl", "" },
	{ "PKG:DEB/Debian/OpenSSL@3.0.11", "pkg:deb/debian/openssl", "3.0.11" },
	{ "pkg:///deb/debian//openssl@1", "pkg:deb/debian/openssl", "1" },
	{ "pkg:deb/debian/libstdc++6@12.2.0", "pkg:deb/debian/libstdc%2B%2B6", "12.2.0" },
	{ "pkg:deb/debian/libstdc%2b%2B6@12.2.0", "pkg:deb/debian/libstdc%2B%2B6", "12.2.0" },
	{ "pkg:deb/debian/attr@1:2.4.47+dfsg-2", "pkg:deb/debian/attr", "1:2.4.47%2Bdfsg-2" },
	{ "pkg:deb/debian/attr@1%3A2.4.47%2Bdfsg-2", "pkg:deb/debian/attr", "1:2.4.47%2Bdfsg-2" },
	{ "pkg:npm/%40angular/animation@12.3.1", "pkg:npm/%40angular/animation", "12.3.1" },
	{ "pkg:npm/@angular/animation@12.3.1", "pkg:npm/%40angular/animation", "12.3.1" },
	{ "pkg:npm/@angular/animation", "pkg:npm/%40angular/animation", "" },
	{ "pkg:npm/foobar@12.3.1", "pkg:npm/foobar", "12.3.1" },
	{ "pkg:maven/org.apache.xmlgraphics/Batik-Anim@1.9.1?type=zip", "pkg:maven/org.apache.xmlgraphics/Batik-Anim",
	  "1.9.1" },
	{ "pkg:pypi/Django_Package@1.11.1.Dev1", "pkg:pypi/django-package", "1.11.1.Dev1" },
	{ "pkg:GitHub/Package-URL/purl-Spec@244fd47e07d1004f0aed9c", "pkg:github/package-url/purl-spec",
	  "244fd47e07d1004f0aed9c" },
	{ "pkg:golang/google.golang.org/genproto#googleapis/api/annotations", "pkg:golang/google.golang.org/genproto",
	  "" },
	{ "pkg:rpm/Fedora/curl@7.50.3-1.fc25?arch=i386", "pkg:rpm/fedora/curl", "7.50.3-1.fc25" },
	{ "pkg:rpm/fedora/Mesa@1", "pkg:rpm/fedora/Mesa", "1" },
	{ "pkg:oci/Debian@sha256%3A244fd47e07d10", "pkg:oci/debian", "sha256:244fd47e07d10" },
	{ "pkg:docker/customer/dockerimage@sha256:244fd47e07d1004f0aed9c", "pkg:docker/customer/dockerimage",
	  "sha256:244fd47e07d1004f0aed9c" },
	{ "pkg:cargo/Rand@0.7.2", "pkg:cargo/Rand", "0.7.2" },
	{ "pkg:generic/a%2Fb@1%2F2", "pkg:generic/a%2Fb", "1%2F2" },
	{ "pkg:generic/caf\xc3\xa9@1", "pkg:generic/caf%C3%A9", "1" },
	{ "pkg:generic/a@", "pkg:generic/a", "" },
	{ "pkg:generic/a b", "pkg:generic/a%20b", "" },
	{ "pkg:a/b", "pkg:a/b", "" },
	{ "", NULL, NULL },
	{ "pkg", NULL, NULL },
	{ "pkg:", NULL, NULL },
	{ "pkg:deb", NULL, NULL },
	{ "pkg:deb/", NULL, NULL },
	{ "pkg:deb//", NULL, NULL },
	{ "pkg:/deb", NULL, NULL },
	{ "npm/foobar@1", NULL, NULL },
	{ "pkg:3deb/a", NULL, NULL },
	{ "pkg:d+b/a", NULL, NULL },
	{ "pkg:d eb/a", NULL, NULL },
	{ "pkg:?/a", NULL, NULL },
	{ "pkg:deb/a%2Fb/c", NULL, NULL },
	{ "pkg:deb/a%2", NULL, NULL },
	{ "pkg:deb/a%", NULL, NULL },
	{ "pkg:deb/a%zz", NULL, NULL },
	{ "pkg:deb/a%00", NULL, NULL },
	{ "pkg:deb/a%0A", NULL, NULL },
	{ "pkg:deb/a%ff", NULL, NULL },
	{ "pkg:deb/a@1%ff", NULL, NULL },
	{ "pkg:deb/\xff", NULL, NULL },
	{ "pkg:deb/a@1\n", NULL, NULL },
	{ "pkg:deb/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/1/2/3", NULL, NULL },
};

static void one_spelling(void **state)
{
	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		struct span bare = SPAN("?"), version = SPAN("?"), again, version_again;
		enum err e = purl_parse(arena, span_of(cases[i].written), &bare, &version);

		if (cases[i].version == NULL) {
			if (e != ERR_CERTIFICATE)
				fail_msg("%s: taken", cases[i].written);
			continue;
		}
		if (e != OK || !span_is(bare, cases[i].bare) || !span_is(version, cases[i].version))
			fail_msg("%s: %s, %.*s @ %.*s", cases[i].written, err_code(e), SPAN_FORMAT(bare),
				 SPAN_FORMAT(version));
		/* What was written anew is not written otherwise again. */
		assert_int_equal(
			purl_parse(arena,
				   span_of(arena_print(arena, "%.*s@%.*s", SPAN_FORMAT(bare), SPAN_FORMAT(version))),
				   &again, &version_again),
			OK);
		assert_true(span_equal(again, bare) && span_equal(version_again, version));
	}
}

static void length_is_bounded(void **state)
{
	char text[2 * PURL_MAX];
	struct span bare, version;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "pkg:deb/", 8);
	assert_int_equal(purl_parse(arena, span_make(text, PURL_MAX), &bare, &version), OK);
	assert_int_equal(bare.len, PURL_MAX);
	assert_int_equal(purl_parse(arena, span_make(text, PURL_MAX + 1), &bare, &version), ERR_CERTIFICATE);
	memset(text + 8, '+', PURL_MAX - 8); /* each grows to three */
	assert_int_equal(purl_parse(arena, span_make(text, PURL_MAX), &bare, &version), ERR_CERTIFICATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(one_spelling), cmocka_unit_test(length_is_bounded) };
	int failed;

	arena = arena_new((size_t)1 << 20);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	arena_free(arena);
	return failed;
}
