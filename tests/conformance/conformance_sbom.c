/* Reads the bills of materials of others in ../shared/data/disclosure (or $COMITY_SHARED/data/disclosure): what is known of some of
 * them, and that every one of CycloneDX's own examples is read. Exits with 77 where the data is absent. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "report/sbom.h"

/* Counted by another JSON reader. components: without the subject. */
static const struct {
	const char *file;
	enum err e;
	const char *version, *subject;
	size_t components, sha256, purl, dependencies;
	bool circle;
} known[] = {
	{ "attestations/small-spdx.json", OK, "2.2", "", 3, 0, 0, 0, false },
	{ "attestations/alpine-small-spdx.json", OK, "2.2", "", 3, 0, 3, 2, false },
	{ "attestations/invalid-spdx-identifier-spdx.json", ERR_SBOM, "", "", 0, 0, 0, 0, false },
	{ "attestations/invalid-spdx.json", ERR_SBOM, "", "", 0, 0, 0, 0, false },
	{ "attestations/open-vex-affected.json", ERR_SBOM, "", "", 0, 0, 0, 0, false },
	{ "attestations/oci-dsse-att.json", ERR_SBOM, "", "", 0, 0, 0, 0, false },
	{ "attestations/cyclonedx-1.7.json", OK, "1.7", "github.com/example/app", 1, 0, 1, 1, false },
	{ "cyclonedx/examples/CBOM/Example-With-Dependencies/bom.json", OK, "1.6", "Acme Application", 3, 0, 0, 2,
	  false },
	{ "cyclonedx/examples/CBOM/Protocol/bom.json", OK, "1.6", "my application", 8, 0, 0, 0, false },
	{ "cyclonedx/examples/HBOM/PCIe-SATA-adapter-board/bom.json", OK, "1.4", "pcie-sata-adaptor-board", 6, 0, 0, 0,
	  false },
	{ "cyclonedx/examples/SBOM/laravel-7.12.0/bom.1.4.json", OK, "1.4", "cyclonedx-php-composer-demo", 62, 0, 62,
	  113, false },
	{ "cyclonedx/examples/SBOM/proton-bridge/proton-bridge-v1.8.0.bom.json", OK, "1.2",
	  "github.com/ProtonMail/proton-bridge", 201, 201, 201, 232, true },
	{ "cyclonedx/examples/SaaSBOM/apigateway-microservices-datastores/bom.json", OK, "1.4", "Acme Cloud Example", 0,
	  0, 0, 6, false },
	{ "cyclonedx/examples/VEX/bom.json", OK, "1.3", "example-app", 3, 3, 3, 0, false },
};

static struct arena *arena;
static unsigned failures, read_well;

static void failed(const char *file, const char *what)
{
	failures++;
	printf("FAILED %s: %s\n", file, what);
}

static enum err read_one(const char *path, struct sbom *out)
{
	struct span text;
	enum err e;

	arena_reset(arena);
	e = file_read(arena, path, (size_t)1 << 24, &text);
	return e == OK ? sbom_parse(arena, text, out) : e;
}

static void check_known(const char *root, size_t i)
{
	size_t sha256 = 0, purl = 0;
	char path[4096];
	struct sbom s;
	enum err e;

	snprintf(path, sizeof(path), "%s/%s", root, known[i].file);
	if ((e = read_one(path, &s)) != known[i].e) {
		failed(path, err_detail());
		return;
	}
	if (e != OK)
		return;
	for (size_t j = 0; j < s.count; j++) {
		sha256 += s.components[j].sha256.len > 0;
		purl += s.components[j].purl.len > 0;
	}
	if (!span_is(s.version, known[i].version) || !span_is(s.subject.name, known[i].subject))
		failed(path, "another version or subject");
	if (s.count != known[i].components || sha256 != known[i].sha256 || purl != known[i].purl ||
	    s.dependencies != known[i].dependencies || s.has_cycle != known[i].circle)
		failed(path, "other components, hashes, package URLs, dependencies or circles");
}

static int check_example(const char *path, const struct stat *is, int type, struct FTW *at)
{
	struct sbom s;

	(void)is;
	(void)at;
	if (type != FTW_F || !span_ends(span_of(path), ".json"))
		return 0;
	if (read_one(path, &s) != OK)
		failed(path, err_detail());
	else
		read_well++;
	return 0;
}

int main(void)
{
	const char *shared = getenv("COMITY_SHARED");
	char root[3000], examples[4000];

	snprintf(root, sizeof(root), "%s/data/disclosure", shared != NULL ? shared : "../shared");
	snprintf(examples, sizeof(examples), "%s/cyclonedx/examples", root);
	if (!file_exists(examples)) {
		printf("skipped: no bills of materials in %s\n", root);
		return 77;
	}
	if ((arena = arena_new((size_t)1 << 28)) == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		check_known(root, i);
	nftw(examples, check_example, 16, FTW_PHYS);
	if (read_well < 40)
		failed(examples, "fewer than 40 examples");
	printf("%u of CycloneDX's examples read, %zu bills compared, %u failures\n", read_well,
	       sizeof(known) / sizeof(known[0]), failures);
	arena_free(arena);
	return failures > 0;
}
