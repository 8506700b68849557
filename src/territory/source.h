/* Reads one registry file into rows, whatever its format: told apart by content and name, gzip and zstd seen through.
 * Rows that do not parse are counted and reported, the rest counts. One source belongs to one thread. */
#ifndef TERRITORY_SOURCE_H
#define TERRITORY_SOURCE_H

#include "base/buffer.h"
#include "base/clock.h"
#include "territory/build.h"
#include "territory/intern.h"
#include "territory/row.h"

#define SOURCE_NAME_MAX 200
#define SOURCE_BYTES_MAX ((size_t)1 << 30) /* of one file, unpacked */

/* What a file says of an AS number. */
struct as_note {
	uint32_t asn;
	uint32_t country;      /* country_pack; 0 unknown */
	uint32_t name, length; /* in names; 0, 0: none */
};

struct source {
	const char *path;
	const struct source_format *format;
	char name[SOURCE_NAME_MAX + 1]; /* as the file itself says, e.g. "ripencc delegated-extended" */
	int64_t dated_ms;		/* as the file or its header says; 0 unknown */
	int64_t vrps_until_ms;		/* when its last VRP expires */
	int64_t now_ms;
	struct rows rows[ROW_KINDS][2]; /* by family: IPv4, IPv6 */
	struct as_note *as;
	size_t as_count, as_room;
	struct intern as_seen;
	struct buffer names;
	uint64_t good, rejected;
	enum err err; /* the machine failed: sticky */

	struct span rest; /* what is still to be read */
	uint64_t line;
	build_reject *on_reject;
	void *context;
};

/* A format. `fits` judges one line that is no comment. */
struct source_format {
	const char *name;
	const char *comment; /* characters that begin a comment */
	bool primary;	     /* comes before packaged data where both know an address */
	bool routes;	     /* rows nest by nature, so overlaps are no fault */
	bool (*fits)(struct span line);
	void (*read)(struct source *s);
};
extern const struct source_format format_delegated, format_ris, format_pyasn, format_pfx2as, format_asnames,
	format_asn_ranges, format_country_ranges, format_vrp_csv, format_vrp_json;

/* path is kept, the rest begins empty. */
void source_begin(struct source *s, const char *path, build_reject *on_reject, void *context);
/* Reads the file. ERR_NOT_FOUND, ERR_IO, ERR_COMPRESSION, ERR_FORMAT_UNKNOWN, ERR_TABLE_SOURCE: no good row. */
enum err source_read(struct source *s);
/* The same of bytes in memory. */
enum err source_read_text(struct source *s, struct span text);
void source_free(struct source *s);

/* For the formats. */
bool source_line(struct source *s, struct span *line); /* the next line that is neither empty nor a comment */
void source_reject(struct source *s, enum err why, struct span row);
void source_row(struct source *s, enum row_kind kind, enum family f, const struct row *row); /* counts as good */
/* Control characters in names become spaces, so that no terminal is steered by them. The first of an AS wins. */
void source_as(struct source *s, uint32_t asn, uint32_t country, struct span name);
void source_name(struct source *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void source_dated(struct source *s, int64_t ms); /* the latest counts */
/* "20260617" or "2026-06-17", at midnight; with " 08:00" or "T08:00:00" behind it at that time. 0: no date. */
int64_t source_date(struct span text);
/* "192.0.2.0/24" as a row. ERR_PREFIX. */
enum err source_prefix(struct span text, struct row *row, enum family *f);
/* "64500", "{64500,64501}", "64500_64501", "64500,64501": the first, and the second as a rival. ERR_NUMBER. */
enum err source_origins(struct span text, uint32_t *first, uint32_t *second);

#endif
