/* An event: one row of a report as typed values, whatever the format was. */
#ifndef REPORT_EVENT_H
#define REPORT_EVENT_H

#include "base/address.h"
#include "regime/vocabulary.h"

enum transport { TRANSPORT_UNKNOWN, TRANSPORT_TCP = 6, TRANSPORT_UDP = 17, TRANSPORT_ICMP = 1, TRANSPORT_OTHER = 255 };

struct event {
	int64_t time_ms;       /* 0: the row has none and the report neither */
	struct address source; /* IPv4-mapped and like ones as they came; network: the first address */
	uint8_t source_length; /* 0: a single address; else the prefix length of a listed network */
	bool has_target;
	struct address target;
	uint16_t source_port, target_port; /* 0: unknown */
	uint8_t transport;		   /* enum transport: IANA protocol number */
	struct span malware;		   /* its name as the report spells it; empty: unknown */
	enum rsit_class class;
	uint8_t format; /* enum format: of the document it came in, which in a mail is not the report's own */
	/* The row as it came, without its line end; may hold line ends inside quotes. Of a document: one line of JSON with
	 * all that it says of this event, long payloads cut down to size and hash; the same for the same content. */
	struct span raw;
	uint64_t line, offset; /* of the row's start: line from 1, bytes from 0, in the uncompressed report */
};

/* A row that could not be read, or must not be. */
struct reject {
	enum err why;
	uint64_t line, offset;
	struct span raw;   /* cut at 1 KiB */
	const char *field; /* which column or key; static or in the layout; may be NULL */
};

#endif
