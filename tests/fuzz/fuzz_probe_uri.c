/* A frame of any bytes; the first says of which kind of link. A URI that is found lies within the frame, is printable and has one
 * of the three schemes; what is read does not depend on what lies behind the frame. */
#include <stdlib.h>

#include <pcap/pcap.h>

#include "report/probe_uri.h"

static void check(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = { DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL, DLT_IPV6 };
	struct span frame, other;
	struct probe p, q;
	char *copy;
	int link;

	if (size == 0)
		return 0;
	link = links[data[0] % (sizeof(links) / sizeof(links[0]))];
	frame = span_make(data + 1, size - 1);
	if (!probe_read(link, frame, &p))
		return 0;
	check(p.uri.len == 0 || (p.uri.at >= frame.at && p.uri.at + p.uri.len < frame.at + frame.len));
	for (size_t i = 0; i < p.uri.len; i++)
		check(p.uri.at[i] > ' ' && p.uri.at[i] <= '~');
	check(p.uri.len == 0 || span_starts(p.uri, "https://") || span_starts(p.uri, "mailto:") ||
	      span_starts(p.uri, "tel:"));
	if ((copy = malloc(frame.len + 64)) == NULL)
		return 0;
	memcpy(copy, frame.at, frame.len);
	memset(copy + frame.len, 'x', 64);
	other = span_make(copy, frame.len);
	check(probe_read(link, other, &q) && span_equal(p.uri, q.uri) && address_equal(p.source, q.source) &&
	      p.transport == q.transport && p.source_port == q.source_port && p.handshake == q.handshake);
	free(copy);
	return 0;
}
