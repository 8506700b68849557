#include "mail/mailer.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

#include "mail/mail_openpgp.h"
#include "mail/mail_text.h"
#include "mail/mail_write.h"
#include "route/render.h"

/*
 * What a message is made of
 *
 *	multipart/signed (RFC 3156), if the node has a key
 *	  multipart/mixed
 *	    text/plain                 for people
 *	    application/json, 0 to 50  XARF v4, for abuse desks' tools
 *	    text/csv                   all rows; application/gzip when they are many; neither when they are too many
 *	    text/plain, notice.txt     the signed note
 *	  application/pgp-signature
 *
 * and for a contact with a key the whole of it inside of multipart/encrypted; its subject says little then. Everything but the
 * text is base64, the text quoted-printable. So no row, whatever bytes it has, can end a part, begin a line with a dot or break a
 * signature, and boundaries (which neither encoding can contain) need not be looked for.
 */

#define XARF_SOURCES_MAX 50
#define PLAIN_MAX ((size_t)5 << 20)
#define PACKED_MAX ((size_t)20 << 20)
#define TEXT_MAX ((size_t)256 << 10)
#define ARENA_MAX ((size_t)64 << 20)

struct composing {
	struct node *node;
	const struct config *config;
	const struct mail_notice *m;
	struct arena *arena;
	struct mail_rows rows;
	struct mail_files files;
	struct render_context render;
	struct buffer xarf, csv; /* csv: plain, or packed if files.gzip */
	struct span title, vkey;
	char name[HASH_HEX + 32]; /* what message and boundaries are named by */
	char fingerprint[MAIL_FINGERPRINT];
	bool sign, encrypt;
};

/* ---- the evidence, rendered ---- */

/* Takes what is rendered: as it is up to PLAIN_MAX, then packed up to PACKED_MAX, then no more. */
struct sink {
	struct buffer plain, packed;
	z_stream zlib;
	bool packs, full;
	enum err err;
};

static void pack(struct sink *s, const char *at, size_t n, int flush)
{
	s->zlib.next_in = (Bytef *)(uintptr_t)at;
	s->zlib.avail_in = (uInt)n;
	do {
		char *to = buffer_room(&s->packed, 65536);

		if (to == NULL) {
			s->full = s->packed.err == ERR_TOO_LONG;
			s->err = s->full ? OK : s->packed.err;
			return;
		}
		s->zlib.next_out = (Bytef *)to;
		s->zlib.avail_out = 65536;
		deflate(&s->zlib, flush);
		s->packed.len += 65536 - s->zlib.avail_out;
	} while (s->zlib.avail_out == 0);
}

static ssize_t sink_write(void *context, const char *at, size_t n)
{
	struct sink *s = context;

	if (!s->packs) {
		buffer_bytes(&s->plain, at, n);
		if (s->plain.err == OK)
			return (ssize_t)n;
		if (s->plain.err != ERR_TOO_LONG || deflateInit2(&s->zlib, 6, Z_DEFLATED, 15 + 16, 8, 0) != Z_OK) {
			s->err = ERR_NO_MEMORY;
			return 0;
		}
		s->packs = true;
		pack(s, s->plain.at, s->plain.len, Z_NO_FLUSH);
	}
	if (!s->full && s->err == OK)
		pack(s, at, n, Z_NO_FLUSH);
	return s->full || s->err != OK ? 0 : (ssize_t)n;
}

static enum err render(struct composing *c, enum render_format format, struct sink *s)
{
	const cookie_io_functions_t io = { .write = sink_write };
	FILE *f = fopencookie(s, "w", io);
	enum err e;

	if (f == NULL)
		return ERR_NO_MEMORY;
	e = render_evidence(c->arena, c->m->body, MAIL_EVIDENCE_MAX, format, &c->render, f);
	fclose(f);
	if (s->packs && !s->full && s->err == OK)
		pack(s, "", 0, Z_FINISH);
	if (s->packs)
		deflateEnd(&s->zlib);
	return s->err != OK ? s->err : s->full ? OK : e;
}

static enum err make_csv(struct composing *c)
{
	struct sink s = { .plain = BUFFER(PLAIN_MAX), .packed = BUFFER(PACKED_MAX) };
	enum err e = render(c, RENDER_CSV, &s);

	if (e == OK && !s.full) {
		c->files.csv = !s.packs;
		c->files.gzip = s.packs;
		c->csv = s.packs ? s.packed : s.plain;
		buffer_free(s.packs ? &s.plain : &s.packed);
		return OK;
	}
	buffer_free(&s.plain);
	buffer_free(&s.packed);
	return e;
}

static enum err make_xarf(struct composing *c)
{
	struct sink s = { .plain = BUFFER(PLAIN_MAX), .packed = BUFFER(PACKED_MAX) };
	enum err e;

	c->render.sources_most = XARF_SOURCES_MAX;
	e = render(c, RENDER_XARF, &s);
	/* Rows so long that fifty of them do not fit: what stands whole in lines is taken. */
	c->xarf = s.plain;
	while (e == OK && c->xarf.len > 0 && c->xarf.at[c->xarf.len - 1] != '\n')
		c->xarf.len--;
	for (size_t i = 0; e == OK && i < c->xarf.len; i++)
		c->files.xarf += c->xarf.at[i] == '\n';
	buffer_free(&s.packed);
	return e;
}

static enum err make_files(struct composing *c)
{
	enum err e = mail_rows_read(c->arena, c->m->body, &c->rows);
	const struct header *class = statement_header(c->m->s, "class");

	c->render = (struct render_context){ .from = node_name(c->node),
					     .notice = c->m->s->id,
					     .contact = c->config->mail_from };
	if (e == OK && (class == NULL || class_parse(class->value, &c->render.class) != OK))
		c->render.class = CLASS_UNDETERMINED;
	if (e == OK && c->m->body.len > 0 && (e = make_csv(c)) == OK)
		e = make_xarf(c);
	return e;
}

/* ---- who writes ---- */

static enum err find_key(struct composing *c)
{
	struct buffer text = BUFFER(512);
	struct state st;
	struct party p;
	enum err e = node_read(c->node, c->arena, &st);

	if (e != OK)
		return e;
	if ((e = state_party(&st, c->m->s->from, &p)) == OK) {
		verifier_print(&p.key, &text);
		c->vkey = span_make(arena_copy(c->arena, text.at, text.len), text.len);
		if (text.err != OK || c->vkey.at == NULL)
			e = ERR_NO_MEMORY;
	}
	if (e == ERR_PARTY_UNKNOWN)
		e = OK;
	if (e == OK && (e = state_party(&st, node_name(c->node), &p)) == OK && p.title.len > 0) {
		c->title = span_make(arena_copy(c->arena, p.title.at, p.title.len), p.title.len);
		if (c->title.at == NULL)
			e = ERR_NO_MEMORY;
	} else if (e == ERR_PARTY_UNKNOWN) {
		e = OK;
	}
	snapshot_end(st.snapshot);
	buffer_free(&text);
	return e;
}

static enum err prepare(struct composing *c)
{
	char hex[HASH_HEX + 1], contact[HASH_HEX + 1];
	enum err e;

	hash_hex(c->m->s->id, hex);
	hash_hex(hash_span(c->m->contact.mail), contact);
	snprintf(c->name, sizeof(c->name), "%.32s.%.10s", hex, contact);
	c->title = node_name(c->node);
	if ((e = find_key(c)) != OK)
		return e;
	if (c->config->title.len > 0)
		c->title = c->config->title;
	c->encrypt = c->m->contact.openpgp.len > 0;
	e = mail_key_find(node_dir(c->node), c->fingerprint);
	c->sign = e == OK;
	return e == ERR_NOT_FOUND ? OK : e;
}

/* ---- the message ---- */

static void header(struct composing *c, struct buffer *out)
{
	struct buffer subject = BUFFER(1000);
	struct span node = node_name(c->node);
	char date[MAIL_DATE], hex[HASH_HEX + 1];

	mail_address(out, "From", c->title, c->config->mail_from);
	mail_line(out, "To", "<%.*s>", SPAN_FORMAT(c->m->contact.mail));
	mail_subject(c->m, &c->rows, c->encrypt, &subject);
	mail_header(out, "Subject", buffer_view(&subject));
	mail_date(c->m->date_ms, date);
	mail_line(out, "Date", "%s", date);
	mail_line(out, "Message-ID", "<%s@%.*s>", c->name, SPAN_FORMAT(node));
	if (c->m->s->has_re) {
		hash_hex(c->m->s->re, hex);
		mail_line(out, "References", "<%.32s%s@%.*s>", hex, c->name + 32, SPAN_FORMAT(node));
	}
	if (c->config->mail_reply_to.len > 0)
		mail_line(out, "Reply-To", "<%.*s>", SPAN_FORMAT(c->config->mail_reply_to));
	mail_line(out, "Auto-Submitted", "auto-generated");
	mail_line(out, "X-Loop", "%.*s", SPAN_FORMAT(node));
	hash_hex(c->m->s->id, hex);
	mail_line(out, "X-Comity-Notice", "%s", hex);
	if (c->m->tag.len > 0)
		mail_line(out, "X-Comity-Tag", "%.*s", SPAN_FORMAT(c->m->tag));
	mail_line(out, "MIME-Version", "1.0");
	buffer_free(&subject);
	if (subject.err != OK && out->err == OK)
		out->err = subject.err;
}

static void boundary(const struct composing *c, const char *of, struct buffer *out)
{
	buffer_print(out, "\r\n--=_%s_%s", of, c->name);
}

static void xarf_parts(struct composing *c, struct buffer *out)
{
	struct span rest = buffer_view(&c->xarf), line;

	for (size_t i = 1; span_line(&rest, &line); i++) {
		char name[32];
		int n = c->files.xarf == 1 ? snprintf(name, sizeof(name), "xarf.json")
					   : snprintf(name, sizeof(name), "xarf-%zu.json", i);

		boundary(c, "mixed", out);
		buffer_text(out, "\r\n");
		mail_part_bytes(out, "application/json", span_make(name, (size_t)n), line);
	}
}

/* The part that gets signed, if it is. */
static void mixed(struct composing *c, struct buffer *out)
{
	struct buffer text = BUFFER(TEXT_MAX);

	buffer_print(out, "Content-Type: multipart/mixed; boundary=\"=_mixed_%s\"\r\n", c->name);
	boundary(c, "mixed", out);
	buffer_text(out, "\r\n");
	mail_text(c->m, &c->rows, &c->files, c->title, c->vkey, &text);
	mail_part_text(out, SPAN(""), buffer_view(&text));
	xarf_parts(c, out);
	if (c->files.csv || c->files.gzip) {
		boundary(c, "mixed", out);
		buffer_text(out, "\r\n");
		if (c->files.csv)
			mail_part_bytes(out, "text/csv; charset=utf-8", SPAN("rows.csv"), buffer_view(&c->csv));
		else
			mail_part_bytes(out, "application/gzip", SPAN("rows.csv.gz"), buffer_view(&c->csv));
	}
	boundary(c, "mixed", out);
	buffer_text(out, "\r\n");
	mail_part_bytes(out, "text/plain; charset=utf-8", span_of(mail_file(c->m)), c->m->note);
	boundary(c, "mixed", out);
	buffer_text(out, "--\r\n");
	if (text.err != OK && out->err == OK)
		out->err = text.err;
	buffer_free(&text);
}

/* Lines of gpgme's as lines of a mail. */
static void with_crlf(struct span text, struct buffer *out)
{
	struct span line;

	while (span_line(&text, &line)) {
		buffer_span(out, line);
		buffer_text(out, "\r\n");
	}
}

/* RFC 3156, section 5: signed are the bytes of the part, up to the line end that belongs to the boundary. */
static enum err signed_part(struct composing *c, struct buffer *out)
{
	struct buffer inner = BUFFER(MAIL_MAX), signature = BUFFER((size_t)64 << 10);
	char micalg[OPENPGP_MICALG];
	enum err e;

	mixed(c, &inner);
	if ((e = inner.err) == OK)
		e = openpgp_sign(node_dir(c->node), c->fingerprint, buffer_view(&inner), &signature, micalg);
	if (e == OK) {
		buffer_print(
			out,
			"Content-Type: multipart/signed; micalg=%s;\r\n protocol=\"application/pgp-signature\";\r\n"
			" boundary=\"=_signed_%s\"\r\n",
			micalg, c->name);
		boundary(c, "signed", out);
		buffer_text(out, "\r\n");
		buffer_span(out, buffer_view(&inner));
		boundary(c, "signed", out);
		buffer_text(out, "\r\nContent-Type: application/pgp-signature; name=\"signature.asc\"\r\n\r\n");
		with_crlf(buffer_view(&signature), out);
		boundary(c, "signed", out);
		buffer_text(out, "--\r\n");
		e = out->err;
	}
	buffer_free(&inner);
	buffer_free(&signature);
	return e;
}

static enum err content(struct composing *c, struct buffer *out)
{
	if (c->sign)
		return signed_part(c, out);
	mixed(c, out);
	return out->err;
}

/* RFC 3156, sections 4 and 6.1. */
static enum err encrypted_part(struct composing *c, struct buffer *out)
{
	struct buffer inner = BUFFER(MAIL_MAX), secret = BUFFER(MAIL_MAX);
	enum err e = content(c, &inner);

	if (e == OK)
		e = openpgp_encrypt(c->m->contact.openpgp, buffer_view(&inner), &secret);
	if (e == OK) {
		buffer_print(out,
			     "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\";\r\n"
			     " boundary=\"=_encrypted_%s\"\r\n",
			     c->name);
		boundary(c, "encrypted", out);
		buffer_text(out, "\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n");
		boundary(c, "encrypted", out);
		buffer_text(out, "\r\nContent-Type: application/octet-stream; name=\"encrypted.asc\"\r\n\r\n");
		with_crlf(buffer_view(&secret), out);
		boundary(c, "encrypted", out);
		buffer_text(out, "--\r\n");
		e = out->err;
	}
	buffer_free(&inner);
	buffer_free(&secret);
	return e;
}

static enum err compose(struct composing *c, struct buffer *out)
{
	enum err e;

	if (c->config->mail_from.len == 0)
		return fail(ERR_USAGE, "the configuration names no `mail-from`");
	if ((e = contact_mail_check(c->m->contact.mail)) != OK)
		return e;
	if ((e = prepare(c)) != OK || (e = make_files(c)) != OK)
		return e;
	header(c, out);
	e = c->encrypt ? encrypted_part(c, out) : content(c, out);
	return e == OK ? out->err : e;
}

enum err mail_compose(struct node *n, const struct config *config, const struct mail_notice *m, struct buffer *out)
{
	struct composing *c = calloc(1, sizeof(*c));
	enum err e = ERR_NO_MEMORY;

	if (c == NULL)
		return e;
	c->node = n;
	c->config = config;
	c->m = m;
	if ((c->arena = arena_new(ARENA_MAX)) != NULL)
		e = compose(c, out);
	buffer_free(&c->xarf);
	buffer_free(&c->csv);
	arena_free(c->arena);
	free(c);
	return e;
}
