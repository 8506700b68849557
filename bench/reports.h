/* Rows of reports out of a seed, for benches and demonstrations. Every value is invented; addresses are drawn from
 * global unicast space, so never send anything to them. */
#ifndef BENCH_REPORTS_H
#define BENCH_REPORTS_H

#include <stdio.h>

#include "base/address.h"
#include "base/clock.h"
#include "random.h"

#define REPORTS_ROW 2048 /* a row is never longer */

enum reports_format { REPORTS_SHADOWSERVER, REPORTS_LIST, REPORTS_INTELMQ };

struct reports {
	uint64_t seed;
	int64_t time_ms; /* of the next row */
	bool still;	 /* all rows at that time */
	uint64_t row;
	struct address *addresses; /* to draw sources from; NULL: anywhere */
	size_t address_count;
};

static inline enum err reports_format_parse(struct span name, enum reports_format *out)
{
	static const char *const names[] = { "shadowserver", "list", "intelmq" };

	for (int i = 0; i < 3; i++) {
		if (span_is(name, names[i])) {
			*out = (enum reports_format)i;
			return OK;
		}
	}
	return ERR_FORMAT_UNKNOWN;
}

static inline const char *reports_header(enum reports_format f)
{
	if (f == REPORTS_LIST)
		return "# addresses out of a seed\n";
	if (f == REPORTS_INTELMQ)
		return "";
	return "\"timestamp\",\"protocol\",\"src_ip\",\"src_port\",\"src_asn\",\"src_geo\",\"src_region\",\"src_city\","
	       "\"src_hostname\",\"src_naics\",\"src_sector\",\"device_vendor\",\"device_type\",\"device_model\","
	       "\"dst_ip\",\"dst_port\",\"dst_asn\",\"dst_geo\",\"dst_region\",\"dst_city\",\"dst_hostname\","
	       "\"dst_naics\",\"dst_sector\",\"public_source\",\"infection\",\"family\",\"tag\",\"application\","
	       "\"version\",\"event_id\",\"service\",\"start_time\",\"end_time\",\"client_version\",\"username\","
	       "\"password\",\"payload_url\",\"payload_md5\"\n";
}

static inline uint64_t reports_random(struct reports *r)
{
	return random_next(&r->seed);
}

/* One in sixteen is IPv6, below blocks that registries give out. */
static inline struct address reports_address(struct reports *r)
{
	struct address a;

	if (r->address_count > 0)
		return r->addresses[reports_random(r) % r->address_count];
	do {
		uint64_t v = reports_random(r);

		a = address_ipv4((uint32_t)(v >> 8));
		if (v % 16 == 0)
			a = (struct address){ 0x2a00000000000000 | (v >> 40) << 32, reports_random(r), FAMILY_IPV6 };
	} while (address_special(a) != NULL);
	return a;
}

static inline size_t reports_row(struct reports *r, enum reports_format f, char out[REPORTS_ROW])
{
	static const char *const places[] = { "\"NL\",\"NOORD-HOLLAND\",\"AMSTERDAM\"",
					      "\"BR\",\"SAO PAULO\",\"CAMPINAS\"", "\"VN\",\"HO CHI MINH\",\"THU DUC\"",
					      "\"EE\",\"HARJUMAA\",\"TALLINN\"" };
	static const char *const clients[] = { "SSH-2.0-Go", "SSH-2.0-libssh2_1.10.0", "SSH-2.0-PUTTY", "" };
	static const char *const names[] = { "root", "admin", "ubuntu", "oracle", "test", "postgres" };
	struct address source = reports_address(r);
	uint64_t v = reports_random(r), w = reports_random(r);
	char ip[ADDRESS_TEXT], time[CLOCK_TEXT];
	unsigned asn = 64500 + (unsigned)(v % 11), port = 1024 + (unsigned)(v >> 8 & 0x7fff);
	const char *name = names[w % 6], *client = clients[w >> 8 & 3];
	int n;

	address_format(source, ip);
	clock_format(r->time_ms, time);
	r->time_ms += v >> 60 == 0 && !r->still ? 1000 : 0; /* some sixteen rows a second */
	r->row++;
	if (f == REPORTS_LIST) {
		n = snprintf(out, REPORTS_ROW, "%s\n", ip);
	} else if (f == REPORTS_INTELMQ) {
		n = snprintf(
			out, REPORTS_ROW,
			"{\"__type\":\"Event\",\"time.source\":\"%.19s+00:00\",\"source.ip\":\"%s\","
			"\"source.port\":%u,\"source.asn\":%u,\"destination.ip\":\"198.51.100.%u\","
			"\"destination.port\":22,\"protocol.transport\":\"tcp\",\"protocol.application\":\"ssh\","
			"\"classification.taxonomy\":\"intrusion-attempts\",\"classification.type\":\"brute-force\","
			"\"classification.identifier\":\"honeypot\",\"feed.name\":\"Made up\","
			"\"feed.code\":\"made-up-%u\",\"feed.accuracy\":90.0,\"extra.username\":\"%s\","
			"\"extra.client\":\"%s\",\"raw\":\"MjAyNi0xMS0yMiAyMDo0NTowMCx0Y3AsMTkyLjAuMi4xLDMw"
			"MTIzLDY0NTAwLE5MLDE5OC41MS4xMDAuNywyMg==\"}\n",
			time, ip, port, asn, (unsigned)(w >> 16 & 255), (unsigned)(w >> 24 & 15), name, client);
	} else {
		n = snprintf(out, REPORTS_ROW,
			     "\"%.10s %.8s\",\"tcp\",\"%s\",%u,%u,%s,\"host-%u.example.net\",518210,"
			     "\"Communications, Service Provider, and Hosting Service\",,,,\"198.51.100.%u\",22,%u,"
			     "\"EE\",\"HARJUMAA\",\"TALLINN\",,,,\"EXAMPLE-EU\",\"ssh-brute-force\",,,\"ssh\",,"
			     "\"%016llx\",\"ssh\",\"%.19s.%06uZ\",\"%.19s.%06uZ\",\"%s\",\"%s\",\"%06x\",,\n",
			     time, time + 11, ip, port, asn, places[v >> 32 & 3], (unsigned)(v >> 34 & 0xffff),
			     (unsigned)(w >> 16 & 255), 64510 + (unsigned)(w >> 24 & 1), (unsigned long long)v, time,
			     (unsigned)(w >> 28 & 0x7ffff), time, (unsigned)(w >> 40 & 0x7ffff), client, name,
			     (unsigned)(w >> 40));
	}
	return (size_t)n;
}

#endif
