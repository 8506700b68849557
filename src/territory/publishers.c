#include "territory/publishers.h"

#include <stdio.h>
#include <yyjson.h>

#include "base/file.h"
#include "base/json.h"

#define MANIFEST_MAX 65536

#define NPM_CAUTION                                                                                                    \
	"The maintainers' notice: this data contains bugs that make some of it wrong, and updates through this "       \
	"channel "                                                                                                     \
	"stop; corrected data comes from the project's own releases."

static const struct {
	const char *start, *attribution, *caution;
} known[] = {
	{ "@ip-location-db/asn ",
	  "CC BY 4.0. AS numbers: RouteViews (routeviews.org), DB-IP (db-ip.com) and NRO (nro.net), modified by "
	  "ip-location-db. A web page that shows results must link to https://db-ip.com (IP Geolocation by DB-IP).",
	  NPM_CAUTION },
	{ "@ip-location-db/geo-whois-asn-country ",
	  "CC BY 4.0. Countries: NRO (nro.net) and geofeeds, merged by ip-location-db.",
	  NPM_CAUTION " Its manifest says CC0, its readme and licence file say CC BY 4.0." },
	{ "afrinic delegated", "Registration data: AFRINIC, NRO statistics.", "" },
	{ "apnic delegated", "Registration data: APNIC, NRO statistics.", "" },
	{ "arin delegated", "Registration data: ARIN, NRO statistics.", "" },
	{ "lacnic delegated", "Registration data: LACNIC, NRO statistics.", "" },
	{ "ripencc delegated", "Registration data: RIPE NCC, NRO statistics.", "" },
	{ "RIPE RIS whois dump", "Routes: RIPE NCC Routing Information Service (RIS).", "" },
	{ "RIPE AS names", "AS names: RIPE NCC.", "" },
	{ "CAIDA pfx2as", "Routes: CAIDA Routeviews Prefix to AS mappings.", "" },
	{ "pyasn table", "Routes: RouteViews (routeviews.org), CC BY 4.0.", "" },
};

void publisher_says(struct span name, struct span *attribution, struct span *caution)
{
	*attribution = *caution = SPAN("");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!span_starts(name, known[i].start))
			continue;
		*attribution = span_of(known[i].attribution);
		*caution = span_of(known[i].caution);
		return;
	}
}

static bool is_known(struct span name)
{
	struct span attribution, caution;

	publisher_says(name, &attribution, &caution);
	return attribution.len > 0;
}

/* 2.3.2026061719: the third part is a date and an hour. */
static int64_t date_of_version(struct span version)
{
	char text[] = "2026-06-17 19:00";

	span_cut(&version, '.');
	span_cut(&version, '.');
	if (version.at == NULL || version.len < 8)
		return 0;
	if (version.len < 10)
		return source_date(version);
	memcpy(text, version.at, 4);
	memcpy(text + 5, version.at + 4, 2);
	memcpy(text + 8, version.at + 6, 2);
	memcpy(text + 11, version.at + 8, 2);
	return source_date(span_of(text));
}

/* Whether "asn-ipv4.csv" is a file of "@ip-location-db/asn". */
static bool belongs(const char *path, struct span package)
{
	const char *slash = strrchr(path, '/');
	struct span file = span_of(slash != NULL ? slash + 1 : path), scope = span_cut(&package, '/');

	return scope.len > 0 && package.at != NULL && file.len > package.len &&
	       memcmp(file.at, package.at, package.len) == 0 && span_starts(span_from(file, package.len), "-ipv");
}

static bool read_manifest(struct arena *a, const char *path, const char *of, char name[SOURCE_NAME_MAX + 1],
			  int64_t *dated_ms)
{
	yyjson_val *package, *version;
	struct yyjson_doc *doc;
	struct span text;
	int n;

	if (file_read(a, path, MANIFEST_MAX, &text) != OK || json_read(a, text, &doc) != OK)
		return false;
	package = yyjson_obj_get(yyjson_doc_get_root(doc), "name");
	version = yyjson_obj_get(yyjson_doc_get_root(doc), "version");
	if (!yyjson_is_str(package) || !yyjson_is_str(version) || !belongs(of, span_of(yyjson_get_str(package))))
		return false;
	n = snprintf(name, SOURCE_NAME_MAX + 1, "%s %s", yyjson_get_str(package), yyjson_get_str(version));
	if (n <= 0 || n > SOURCE_NAME_MAX || !is_known(span_of(name)))
		return false;
	*dated_ms = date_of_version(span_of(yyjson_get_str(version)));
	return true;
}

bool publisher_package(const char *path, char name[SOURCE_NAME_MAX + 1], int64_t *dated_ms)
{
	const char *slash = strrchr(path, '/');
	struct arena *a = arena_new(MANIFEST_MAX * 64);
	char *manifest = NULL;
	bool found;

	if (a != NULL)
		manifest = arena_print(a, "%.*s/package.json", slash != NULL ? (int)(slash - path) : 1,
				       slash != NULL ? path : ".");
	found = manifest != NULL && file_exists(manifest) && read_manifest(a, manifest, path, name, dated_ms);
	arena_free(a);
	return found;
}
