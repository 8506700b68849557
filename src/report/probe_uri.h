/* Probe Description URIs inside packets (RFC 9511 section 4), and the packet captures that hold them. Nothing in a packet is
 * authenticated: a URI counts only if a plan declares it as a marker. */
#ifndef REPORT_PROBE_URI_H
#define REPORT_PROBE_URI_H

#include "base/address.h"
#include "base/arena.h"

/* What one packet says. uri: https, mailto or tel; empty: none. */
struct probe {
	struct address source, target;
	uint8_t transport;
	uint16_t source_port, target_port;
	bool handshake; /* it shows that both sides spoke: data in an established TCP connection */
	struct span uri;
	int64_t time_ms;
};
/* A link-layer frame as captured (linktype: DLT_EN10MB, DLT_RAW, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL). false: no IP packet that
 * can be read. */
bool probe_read(int linktype, struct span frame, struct probe *out);

typedef enum err probe_each(void *context, const struct probe *p);
/* A file in pcap or pcapng form, through libpcap. ERR_PCAP. */
enum err probes_read_file(const char *path, probe_each *each, void *context, uint64_t *packets);

#endif
