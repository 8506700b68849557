/* Validated RPKI payloads, as validators write them. Expired ones do not count.
 *
 *	CSV	ASN,IP Prefix,Max Length,Trust Anchor[,Expires]
 *		AS64496,192.0.2.0/24,24,ripe,1780000000
 *	JSON	{"metadata":{…},"roas":[{"asn":64496,"prefix":"192.0.2.0/24","maxLength":24,"ta":"ripe","expires":1780000000},…]}
 *
 * Validators refresh at least daily: a payload without an expiry counts for a day from the data's date. */
#include <stdlib.h>
#include <yyjson.h>

#include "base/json.h"
#include "territory/source.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define FIELDS 5

/* expires_ms 0: not said. */
static enum err add(struct source *s, uint32_t asn, struct span prefix, uint64_t longest, int64_t expires_ms)
{
	enum family f;
	struct row row;
	enum err e = source_prefix(prefix, &row, &f);

	if (e != OK)
		return e;
	if (longest < row.length || longest > (f == FAMILY_IPV4 ? 32 : 128))
		return ERR_NUMBER;
	if (expires_ms == 0)
		expires_ms = (s->dated_ms != 0 ? s->dated_ms : s->now_ms) + DAY_MS;
	if (expires_ms <= s->now_ms) {
		s->good++; /* read well, but over */
		return OK;
	}
	row.value = asn;
	row.longest = (uint8_t)longest;
	if (expires_ms > s->vrps_until_ms)
		s->vrps_until_ms = expires_ms;
	source_row(s, ROW_VRP, f, &row);
	return OK;
}

/* "AS0" is a number here: the holder says that nobody may announce it. */
static enum err parse_asn(struct span text, uint32_t *asn)
{
	uint64_t v;

	if (span_starts(text, "AS"))
		text = span_from(text, 2);
	if (span_u64(text, UINT32_MAX, &v) != OK)
		return ERR_NUMBER;
	*asn = (uint32_t)v;
	return OK;
}

static size_t split(struct span line, struct span field[FIELDS])
{
	size_t n = 0;

	while (line.at != NULL && n < FIELDS) {
		field[n] = span_trim(span_cut(&line, ','));
		if (field[n].len >= 2 && field[n].at[0] == '"' && field[n].at[field[n].len - 1] == '"')
			field[n] = span_make(field[n].at + 1, field[n].len - 2);
		n++;
	}
	return n;
}

static bool is_header(struct span line)
{
	return span_starts(line, "ASN,IP Prefix,Max Length") || span_starts(line, "\"ASN\",\"IP Prefix\"");
}

static bool fits_csv(struct span line)
{
	struct span f[FIELDS];
	struct prefix p;

	if (is_header(line))
		return true;
	return split(line, f) >= 3 && span_starts(f[0], "AS") && prefix_parse(f[1], &p) == OK;
}

static enum err read_row(struct source *s, struct span line)
{
	uint64_t longest, expires = 0;
	struct span f[FIELDS];
	uint32_t asn;
	size_t n = split(line, f);

	if (n < 3)
		return ERR_CSV;
	if (parse_asn(f[0], &asn) != OK || span_u64(f[2], 128, &longest) != OK)
		return ERR_NUMBER;
	if (n >= 5 && f[4].len > 0 && span_u64(f[4], INT64_MAX / 1000, &expires) != OK)
		return ERR_TIME;
	if (n >= 5 && f[4].len > 0 && expires == 0)
		expires = 1; /* long over, but said */
	return add(s, asn, f[1], longest, (int64_t)expires * 1000);
}

static void read_csv(struct source *s)
{
	struct span line;

	source_name(s, "RPKI VRPs");
	while (source_line(s, &line)) {
		enum err e = is_header(line) ? OK : read_row(s, line);

		if (e != OK)
			source_reject(s, e, line);
	}
}

static bool fits_json(struct span line)
{
	line = span_trim(line);
	return line.len > 0 && strchr("{}[]\"", line.at[0]) != NULL && line.at[0] != '\0';
}

static enum err read_roa(struct source *s, yyjson_val *roa)
{
	yyjson_val *number = yyjson_obj_get(roa, "asn"), *longest = yyjson_obj_get(roa, "maxLength");
	yyjson_val *expires = yyjson_obj_get(roa, "expires");
	struct span prefix = json_string_in(roa, "prefix");
	uint32_t asn;

	if (yyjson_is_uint(number) && yyjson_get_uint(number) <= UINT32_MAX)
		asn = (uint32_t)yyjson_get_uint(number);
	else if (!yyjson_is_str(number) || parse_asn(json_string_of(number), &asn) != OK)
		return ERR_NUMBER;
	if (!yyjson_is_uint(longest))
		return ERR_NUMBER;
	if (expires != NULL && (!yyjson_is_uint(expires) || yyjson_get_uint(expires) > INT64_MAX / 1000))
		return ERR_TIME;
	return add(s, asn, prefix, yyjson_get_uint(longest),
		   expires != NULL ? (int64_t)yyjson_get_uint(expires) * 1000 + (yyjson_get_uint(expires) == 0) : 0);
}

static void read_metadata(struct source *s, yyjson_val *metadata)
{
	static const char *const names[] = { "buildtime", "generatedTime" };
	int64_t ms;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (clock_parse_rfc3339(json_string_in(metadata, names[i]), &ms) == OK)
			source_dated(s, ms);
}

/* Files of validators are larger than json_read takes, and only three levels of them are looked at: no depth matters. */
static void read_json(struct source *s)
{
	yyjson_read_err why;
	/* without the flag for reading in place it does not write to the text */
	yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)s->rest.at, s->rest.len, YYJSON_READ_NOFLAG, NULL, &why);
	yyjson_val *root = yyjson_doc_get_root(doc), *roas, *roa;
	size_t i, count;

	source_name(s, "RPKI VRPs");
	s->line = 1;
	if (doc == NULL) {
		source_reject(s, ERR_JSON, SPAN(""));
		return;
	}
	read_metadata(s, yyjson_obj_get(root, "metadata"));
	roas = yyjson_obj_get(root, "roas");
	yyjson_arr_foreach(roas, i, count, roa)
	{
		enum err e = s->err == OK ? read_roa(s, roa) : OK;

		if (e != OK)
			source_reject(s, e, json_string_in(roa, "prefix"));
	}
	yyjson_doc_free(doc);
}

const struct source_format format_vrp_csv = { "RPKI VRPs (CSV)", "#", true, true, fits_csv, read_csv };
const struct source_format format_vrp_json = { "RPKI VRPs (JSON)", "", true, true, fits_json, read_json };
