#include "proof/openpgp_packets.h"

#include <stdlib.h>

#include "base/encoding.h"
#include "base/reader.h"

enum tag { TAG_SIGNATURE = 2, TAG_KEY = 6, TAG_TRUST = 12, TAG_NAME = 13, TAG_SUBKEY = 14, TAG_ATTRIBUTE = 17 };

/* ---- armor (section 6.2) ---- */

/* The lines between the headers and the checksum, which says nothing about who sent it. One block, and nothing behind it. */
static enum err unarmor(struct span given, struct buffer *out)
{
	struct buffer base64 = BUFFER(given.len + 1);
	struct span line = SPAN("");
	char *bytes = NULL;
	size_t length = 0;
	bool ended = false, more = false;
	enum err e = OK;

	span_line(&given, &line); /* the head line */
	while (span_line(&given, &line) && span_trim(line).len > 0)
		;
	while (!ended && span_line(&given, &line)) {
		line = span_trim(line);
		ended = span_starts(line, "-----END PGP ");
		if (!ended && !span_starts(line, "="))
			buffer_span(&base64, line);
	}
	while (ended && span_line(&given, &line))
		more |= span_trim(line).len > 0;
	if (base64.err != OK || (bytes = malloc(base64.len + 1)) == NULL)
		e = ERR_NO_MEMORY;
	else if (!ended || more || base64_decode(buffer_view(&base64), bytes, base64.len + 1, &length) != OK)
		e = fail(ERR_EVIDENCE, "the armor of OpenPGP cannot be read, or is not one");
	else
		buffer_bytes(out, bytes, length);
	free(bytes);
	buffer_free(&base64);
	return e == OK ? out->err : e;
}

static enum err take(struct span given, struct buffer *out)
{
	if (span_starts(given, "-----BEGIN PGP "))
		return unarmor(given, out);
	buffer_span(out, given);
	return out->err;
}

/* ---- packets (section 4.2) ---- */

/* Neither in parts nor without an end. */
static struct span next_packet(struct reader *r, unsigned *tag)
{
	unsigned head = read_u8(r), first;
	size_t n = 0;

	*tag = (head & 0x40) != 0 ? head & 0x3f : head >> 2 & 0x0f;
	if ((head & 0x80) == 0 || ((head & 0x40) == 0 && (head & 3) == 3))
		r->err = ERR_EVIDENCE;
	if ((head & 0x40) == 0) {
		n = (head & 3) == 0 ? read_u8(r) : (head & 3) == 1 ? read_u16(r) : read_u32(r);
	} else {
		first = read_u8(r);
		if (first < 192)
			n = first;
		else if (first < 224)
			n = ((size_t)(first - 192) << 8) + read_u8(r) + 192;
		else if (first == 255)
			n = read_u32(r);
		else
			r->err = ERR_EVIDENCE;
	}
	return read_span(r, n);
}

/* Whoever verifies pays by the exponent: version, time, algorithm, then the modulus and the exponent as bits and bytes. */
static bool key_is_cheap(struct span body)
{
	struct reader r = reader_of(body);
	unsigned version = read_u8(&r), algorithm;

	read_u32(&r);
	if (version < 4)
		read_u16(&r); /* days */
	algorithm = read_u8(&r);
	if (version > 4)
		read_u32(&r); /* how long what follows is */
	if (body.len > KEY_PACKET_MAX)
		return false;
	if (algorithm == 0 || algorithm > 3)
		return true;
	read_span(&r, ((size_t)read_u16(&r) + 7) / 8);
	return read_u16(&r) <= 64 && r.err == OK;
}

struct counts {
	size_t all, keys, subkeys, names, signatures;
};

static bool count_packet(struct counts *c, unsigned tag, struct span body)
{
	c->all++;
	switch (tag) {
	case TAG_KEY:
		c->keys++;
		return c->all == 1 && key_is_cheap(body);
	case TAG_SUBKEY:
		c->subkeys++;
		return key_is_cheap(body);
	case TAG_NAME:
	case TAG_ATTRIBUTE:
		c->names++;
		return true;
	case TAG_SIGNATURE:
		c->signatures++;
		return true;
	default:
		return tag == TAG_TRUST;
	}
}

static enum err read_packets(struct span bytes, const char *what, struct counts *c)
{
	struct reader r = reader_of(bytes);

	*c = (struct counts){ 0 };
	while (r.err == OK && reader_left(&r) > 0) {
		unsigned tag;
		struct span body = next_packet(&r, &tag);

		if (r.err != OK || !count_packet(c, tag, body) || c->all > PACKETS_MAX || c->names > NAMES_MAX ||
		    c->subkeys > NAMES_MAX)
			return fail(ERR_EVIDENCE, "packet %zu has no place in %s, or is too large", c->all, what);
	}
	return OK;
}

enum err openpgp_take_key(struct span given, struct buffer *out)
{
	struct counts c;
	enum err e = take(given, out);

	if (e == OK)
		e = read_packets(buffer_view(out), "a public OpenPGP key", &c);
	if (e == OK && c.keys != 1)
		e = fail(ERR_EVIDENCE, "not exactly one public OpenPGP key");
	return e;
}

enum err openpgp_take_signature(struct span given, struct buffer *out)
{
	struct counts c;
	enum err e = take(given, out);

	if (e == OK)
		e = read_packets(buffer_view(out), "an OpenPGP signature", &c);
	if (e == OK && (c.signatures != 1 || c.all != 1))
		e = fail(ERR_EVIDENCE, "not exactly one OpenPGP signature");
	return e;
}
