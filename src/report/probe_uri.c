#include "report/probe_uri.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>

/*
 * Where a Probe Description URI stands (RFC 9511 section 4, and the vectors of its drafts)
 *
 *	ICMP and ICMPv6 echo	in the data
 *	TCP, UDP		in the payload
 *	IPv6			in a PadN option of the Destination or Hop-by-Hop Options header, which may stand before any of these
 *
 * At the first octet and ended by 00, or with a 00 before it too. There is no magic number: a URI is what begins with https://,
 * mailto: or tel: and has only printable ASCII up to the 00.
 *
 * Every length in a packet is the sender's word. A walk never leaves the bytes that were captured, and an IPv6 chain has at most
 * HEADERS_MAX links. A fragment but the first has no upper layer.
 */
#define HEADERS_MAX 8
#define URI_MAX 255

#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define TCP_ACK 0x10u

enum {
	PROTOCOL_HOP = 0,
	PROTOCOL_ICMP = 1,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_ROUTING = 43,
	PROTOCOL_FRAGMENT = 44,
	PROTOCOL_ICMP6 = 58,
	PROTOCOL_DESTINATION = 60
};
enum { ETHER_IPV4 = 0x0800, ETHER_IPV6 = 0x86dd, ETHER_VLAN = 0x8100, ETHER_QINQ = 0x88a8 };
enum { OPTION_PAD1 = 0, OPTION_PADN = 1 };
enum { ECHO4_REPLY = 0, ECHO4_REQUEST = 8, ECHO6_REQUEST = 128, ECHO6_REPLY = 129 };

static unsigned u8(struct span s, size_t at)
{
	return (unsigned char)s.at[at];
}

static unsigned u16(struct span s, size_t at)
{
	return u8(s, at) << 8 | u8(s, at + 1);
}

static uint32_t u32(struct span s, size_t at)
{
	return (uint32_t)u16(s, at) << 16 | u16(s, at + 2);
}

static uint64_t u64(struct span s, size_t at)
{
	return (uint64_t)u32(s, at) << 32 | u32(s, at + 4);
}

/* ---- the URI ---- */

static bool begins_uri(struct span s)
{
	return span_starts(s, "https://") || span_starts(s, "mailto:") || span_starts(s, "tel:");
}

/* The URI that s begins with, up to its 00; empty: none. */
static struct span uri_at(struct span s)
{
	size_t n = 0;

	if (!begins_uri(s))
		return SPAN("");
	while (n < s.len && n <= URI_MAX && s.at[n] > ' ' && s.at[n] <= '~')
		n++;
	return n < s.len && n <= URI_MAX && s.at[n] == '\0' ? span_make(s.at, n) : SPAN("");
}

/* At the first octet, else behind the first 00 that a URI follows. */
static struct span find_uri(struct span data)
{
	struct span uri = uri_at(data);

	for (size_t i = 0; uri.len == 0 && i < data.len; i++)
		if (data.at[i] == '\0')
			uri = uri_at(span_from(data, i + 1));
	return uri;
}

/* ---- layers ---- */

static void read_echo(struct probe *p, struct span s, unsigned request, unsigned reply)
{
	if (s.len >= 8 && (u8(s, 0) == request || u8(s, 0) == reply))
		p->uri = find_uri(span_from(s, 8));
}

static void read_tcp(struct probe *p, struct span s)
{
	size_t header = s.len >= 20 ? (size_t)(u8(s, 12) >> 4) * 4 : 0;
	struct span data;

	if (s.len < 4)
		return;
	p->source_port = (uint16_t)u16(s, 0);
	p->target_port = (uint16_t)u16(s, 2);
	if (header < 20 || header > s.len)
		return;
	data = span_from(s, header);
	/* Nobody sends data with ACK who did not see the other side's SYN, if the sequence numbers are the kernel's: what a capture
	 * at the target shows of it is that the target went on talking, so a reset does not count. */
	p->handshake = (u8(s, 13) & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK && data.len > 0;
	if (p->uri.len == 0)
		p->uri = find_uri(data);
}

static void read_udp(struct probe *p, struct span s)
{
	if (s.len < 8)
		return;
	p->source_port = (uint16_t)u16(s, 0);
	p->target_port = (uint16_t)u16(s, 2);
	if (p->uri.len == 0)
		p->uri = find_uri(span_from(s, 8));
}

static void read_upper(struct probe *p, unsigned protocol, struct span s)
{
	p->transport = (uint8_t)protocol;
	switch (protocol) {
	case PROTOCOL_ICMP:
		read_echo(p, s, ECHO4_REQUEST, ECHO4_REPLY);
		break;
	case PROTOCOL_ICMP6:
		if (p->uri.len == 0)
			read_echo(p, s, ECHO6_REQUEST, ECHO6_REPLY);
		break;
	case PROTOCOL_TCP:
		read_tcp(p, s);
		break;
	case PROTOCOL_UDP:
		read_udp(p, s);
		break;
	default:
		break;
	}
}

/* Options of a Hop-by-Hop or Destination Options header: type, length, data; Pad1 is one octet (RFC 8200 section 4.2). */
static struct span padded_uri(struct span options)
{
	struct span uri = SPAN("");

	while (uri.len == 0 && options.len >= 2) {
		size_t n = u8(options, 1);

		if (u8(options, 0) == OPTION_PAD1) {
			options = span_from(options, 1);
			continue;
		}
		if (n + 2 > options.len)
			break;
		if (u8(options, 0) == OPTION_PADN)
			uri = find_uri(span_make(options.at + 2, n));
		options = span_from(options, n + 2);
	}
	return uri;
}

static bool read_ipv6(struct probe *p, struct span s)
{
	unsigned next;
	size_t length;

	if (s.len < 40)
		return false;
	p->source = (struct address){ u64(s, 8), u64(s, 16), FAMILY_IPV6 };
	p->target = (struct address){ u64(s, 24), u64(s, 32), FAMILY_IPV6 };
	length = u16(s, 4);
	next = u8(s, 6);
	s = span_from(s, 40);
	if (length > 0 && length < s.len) /* 0: a jumbogram, or what the card was left to fill in */
		s.len = length;
	for (int i = 0; i < HEADERS_MAX; i++) {
		size_t n;

		if (next != PROTOCOL_HOP && next != PROTOCOL_DESTINATION && next != PROTOCOL_ROUTING &&
		    next != PROTOCOL_FRAGMENT) {
			read_upper(p, next, s);
			return true;
		}
		if (s.len < 8)
			return true;
		n = next == PROTOCOL_FRAGMENT ? 8 : (u8(s, 1) + (size_t)1) * 8;
		if (n > s.len || (next == PROTOCOL_FRAGMENT && (u16(s, 2) & 0xfff8) != 0))
			return true;
		if (p->uri.len == 0 && (next == PROTOCOL_HOP || next == PROTOCOL_DESTINATION))
			p->uri = padded_uri(span_make(s.at + 2, n - 2));
		next = u8(s, 0);
		s = span_from(s, n);
	}
	return true;
}

static bool read_ipv4(struct probe *p, struct span s)
{
	size_t header = s.len >= 20 ? (size_t)(u8(s, 0) & 15) * 4 : 0, total;

	if (header < 20 || header > s.len)
		return false;
	p->source = address_ipv4(u32(s, 12));
	p->target = address_ipv4(u32(s, 16));
	total = u16(s, 2);
	if (total >= header && total < s.len)
		s.len = total; /* the rest is the frame's padding */
	if ((u16(s, 6) & 0x1fff) == 0)
		read_upper(p, u8(s, 9), span_from(s, header));
	return true;
}

static bool read_ip(struct probe *p, struct span s)
{
	switch (s.len > 0 ? u8(s, 0) >> 4 : 0) {
	case 4:
		return read_ipv4(p, s);
	case 6:
		return read_ipv6(p, s);
	default:
		return false;
	}
}

/* Behind an Ethernet type, with VLAN tags passed over. */
static bool read_ether(struct probe *p, unsigned type, struct span s)
{
	for (int tags = 0; (type == ETHER_VLAN || type == ETHER_QINQ) && tags < 4 && s.len >= 4; tags++) {
		type = u16(s, 2);
		s = span_from(s, 4);
	}
	return (type == ETHER_IPV4 || type == ETHER_IPV6) && read_ip(p, s);
}

bool probe_read(int linktype, struct span frame, struct probe *out)
{
	*out = (struct probe){ .uri = SPAN("") };
	switch (linktype) {
	case DLT_EN10MB:
		return frame.len >= 14 && read_ether(out, u16(frame, 12), span_from(frame, 14));
	case DLT_LINUX_SLL:
		return frame.len >= 16 && read_ether(out, u16(frame, 14), span_from(frame, 16));
	case DLT_LINUX_SLL2:
		return frame.len >= 20 && read_ether(out, u16(frame, 0), span_from(frame, 20));
	case DLT_NULL:
	case DLT_LOOP:
		return frame.len >= 4 && read_ip(out, span_from(frame, 4));
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
		return read_ip(out, frame);
	default:
		return false;
	}
}

enum err probes_read_file(const char *path, probe_each *each, void *context, uint64_t *packets)
{
	char why[PCAP_ERRBUF_SIZE];
	const unsigned char *bytes;
	struct pcap_pkthdr *head;
	enum err e = OK;
	FILE *f = fopen(path, "rbe");
	pcap_t *capture;
	int got = 0;

	*packets = 0;
	if (f == NULL)
		return fail_errno("%s", path);
	if ((capture = pcap_fopen_offline(f, why)) == NULL) {
		fclose(f);
		return fail(ERR_PCAP, "%s: %s", path, why);
	}
	while (e == OK && (got = pcap_next_ex(capture, &head, &bytes)) == 1) {
		struct probe p;

		(*packets)++;
		if (!probe_read(pcap_datalink(capture), span_make(bytes, head->caplen), &p))
			continue;
		p.time_ms = (int64_t)head->ts.tv_sec * 1000 + (int64_t)head->ts.tv_usec / 1000;
		e = each(context, &p);
	}
	if (e == OK && got == PCAP_ERROR)
		e = fail(ERR_PCAP, "%s: behind packet %ju: %s", path, (uintmax_t)*packets, pcap_geterr(capture));
	pcap_close(capture); /* and the file */
	return e;
}
