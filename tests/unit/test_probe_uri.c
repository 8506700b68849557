#include "test.h"

#include <stdio.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/encoding.h"
#include "report/probe_uri.h"
#include "scratch.h"

static unsigned char room[65536];

/* An IPv4 packet: header, then what is given. */
static struct span ipv4(unsigned protocol, const void *upper, size_t n)
{
	static const unsigned char head[20] = {
		0x45, 0, 0, 0, 0, 1, 0, 0, 64, 0, 0, 0, 198, 51, 100, 7, 203, 0, 113, 9
	};

	memcpy(room, head, sizeof(head));
	room[2] = (unsigned char)((n + 20) >> 8);
	room[3] = (unsigned char)(n + 20);
	room[9] = (unsigned char)protocol;
	memcpy(room + 20, upper, n);
	return span_make(room, n + 20);
}

#define TCP(flags, data)                                                                                               \
	"\xc3\x50\x01\xbb"                                                                                             \
	"\0\0\0\1\0\0\0\0\x50" flags "\0\0\0\0\0\0" data

static void reads_ipv4(void **state)
{
	static const struct {
		unsigned protocol;
		struct span upper;
		const char *uri;
		bool handshake;
	} cases[] = {
		{ 6, SPAN(TCP("\x02", "mailto:lab@example.net\0")), "mailto:lab@example.net", false },
		{ 6, SPAN(TCP("\x18", "mailto:lab@example.net\0")), "mailto:lab@example.net", true },
		{ 6, SPAN(TCP("\x18", "GET / HTTP/1.1\r\n")), "", true },
		{ 6, SPAN(TCP("\x10", "")), "", false },  /* nothing shows that it was more than a lone ACK */
		{ 6, SPAN(TCP("\x14", "x")), "", false }, /* a reset */
		{ 17, SPAN("\0\x35\0\x35\0\x20\0\0https://e.example/\0"), "https://e.example/", false },
		{ 17, SPAN("\0\x35\0\x35\0\x20\0\0abc\0tel:+1-201\0rest"), "tel:+1-201", false },
		{ 17, SPAN("\0\x35\0\x35\0\x20\0\0abctel:+1-201\0"), "", false }, /* no 00 before it */
		{ 17, SPAN("\0\x35\0\x35\0\x20\0\0tel:+1-201"), "", false },	  /* no 00 behind it */
		{ 17, SPAN("\0\x35\0\x35\0\x20\0\0tel:+1 201\0"), "", false },
		{ 17, SPAN("\0\x35\0\x35\0\x20\0\0http://e.example/\0"), "", false },
		{ 17, SPAN("\0\x35\0"), "", false },
		{ 1, SPAN("\x08\0\0\0\0\0\0\0tel:+1\0"), "tel:+1", false },
		{ 1, SPAN("\x03\x01\0\0\0\0\0\0tel:+1\0"), "", false }, /* unreachable: it quotes another's packet */
	};
	struct probe p;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(cases); i++) {
		assert_true(probe_read(DLT_RAW, ipv4(cases[i].protocol, cases[i].upper.at, cases[i].upper.len), &p));
		assert_span(p.uri, cases[i].uri);
		assert_int_equal(p.handshake, cases[i].handshake);
		assert_int_equal(p.source.low, 0xc6336407);
		assert_int_equal(p.target.low, 0xcb007109);
		assert_int_equal(p.transport, cases[i].protocol);
	}
	assert_true(probe_read(DLT_RAW, ipv4(6, cases[0].upper.at, cases[0].upper.len), &p));
	assert_int_equal(p.source_port, 50000);
	assert_int_equal(p.target_port, 443);
}

/* The frame's padding is none of the packet's. */
static void stays_within_the_packet(void **state)
{
	struct span packet = ipv4(17, "\0\x35\0\x35\0\x08\0\0", 8);
	struct probe p;

	(void)state;
	memcpy(room + packet.len, "tel:+1\0", 7);
	assert_true(probe_read(DLT_RAW, span_make(room, packet.len + 7), &p));
	assert_span(p.uri, "");
	room[0] = 0x46; /* a longer header than there are bytes */
	assert_false(probe_read(DLT_RAW, span_make(room, 20), &p));
	assert_false(probe_read(DLT_RAW, span_make(room, 0), &p));
	assert_false(probe_read(9999, span_make(room, 60), &p));
}

/* A fragment but the first has no upper layer. */
static void passes_over_fragments(void **state)
{
	struct span packet = ipv4(17, "\0\x35\0\x35\0\x20\0\0tel:+1\0", 15);
	struct probe p;

	(void)state;
	room[7] = 1;
	assert_true(probe_read(DLT_RAW, packet, &p));
	assert_span(p.uri, "");
	assert_int_equal(p.transport, 0);
}

/* The vectors of the drafts that became RFC 9511: "NAME HEX URI" a line. */
static void agrees_with_the_drafts(void **state)
{
	FILE *f = fopen("../shared/data/regime/probing-txt/inband-vectors.txt", "r");
	char line[2048], hex[1024], uri[256];
	unsigned char packet[512];
	int found = 0;

	(void)state;
	if (f == NULL) {
		print_message("skipped: ../shared/data/regime/probing-txt is absent\n");
		skip();
	}
	while (fgets(line, sizeof(line), f) != NULL) {
		struct probe p;
		size_t n;

		if (line[0] == '#' || sscanf(line, "%*s %1023s %255s", hex, uri) != 2)
			continue;
		n = strlen(hex) / 2;
		assert_int_equal(hex_decode(span_of(hex), packet, n), OK);
		assert_true(probe_read(DLT_RAW, span_make(packet, n), &p));
		assert_span(p.uri, uri);
		found++;
	}
	fclose(f);
	assert_int_equal(found, 4);
}

static enum err count(void *context, const struct probe *p)
{
	assert_int_equal(p->time_ms, INT64_C(1795435200123));
	*(int *)context += (int)p->uri.len;
	return OK;
}

static void reads_a_capture(void **state)
{
	struct span packet = ipv4(17, "\0\x35\0\x35\0\x20\0\0tel:+1\0", 15);
	const struct pcap_pkthdr head = { .ts = { 1795435200, 123456 },
					  .caplen = (bpf_u_int32)packet.len,
					  .len = (bpf_u_int32)packet.len };
	pcap_t *dead = pcap_open_dead(DLT_RAW, 65535);
	struct scratch *s = *state;
	char path[512];
	pcap_dumper_t *out;
	uint64_t packets;
	int found = 0;

	snprintf(path, sizeof(path), "%s/capture", s->dir);
	out = pcap_dump_open(dead, path);
	for (int i = 0; i < 3; i++)
		pcap_dump((unsigned char *)out, &head, (const unsigned char *)packet.at);
	pcap_dump_close(out);
	pcap_close(dead);
	assert_int_equal(probes_read_file(path, count, &found, &packets), OK);
	assert_int_equal(packets, 3);
	assert_int_equal(found, 3 * 6);
	assert_int_equal(truncate(path, 100), 0); /* within the second packet */
	assert_int_equal(probes_read_file(path, count, &found, &packets), ERR_PCAP);
	assert_int_equal(truncate(path, 3), 0);
	assert_int_equal(probes_read_file(path, count, &found, &packets), ERR_PCAP);
	assert_int_equal(remove(path), 0);
	assert_int_equal(probes_read_file(path, count, &found, &packets), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_ipv4),
		cmocka_unit_test(stays_within_the_packet),
		cmocka_unit_test(passes_over_fragments),
		cmocka_unit_test(agrees_with_the_drafts),
		cmocka_unit_test_setup_teardown(reads_a_capture, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
