#include "mail/mail_write.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/encoding.h"

#define LINE_MOST 76

void mail_line(struct buffer *out, const char *name, const char *format, ...)
{
	char text[900]; /* with the name below the 998 of RFC 5322 */
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (char *p = text; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	buffer_print(out, "%s: %s\r\n", name, text);
}

static bool is_plain(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < ' ' || s.at[i] > '~')
			return false;
	return s.len <= 900 && memmem(s.at, s.len, "=?", 2) == NULL;
}

/* Encoded words of at most 75 characters, cut between characters of UTF-8; a byte that is none becomes a question mark. */
static void words(struct buffer *out, struct span text)
{
	char piece[45];
	size_t n = 0;

	for (;;) {
		size_t length = text.len > 0 ? span_utf8_length(text) : 0;
		bool bad = text.len > 0 && length == 0;

		if (bad)
			length = 1;
		if (n > 0 && (text.len == 0 || n + length > sizeof(piece))) {
			buffer_text(out, "=?UTF-8?B?");
			base64_append(out, piece, n);
			buffer_text(out, text.len > 0 ? "?=\r\n " : "?=");
			n = 0;
		}
		if (text.len == 0)
			return;
		memcpy(piece + n, bad ? "?" : text.at, length);
		n += length;
		text = span_from(text, length);
	}
}

void mail_header(struct buffer *out, const char *name, struct span text)
{
	buffer_print(out, "%s: ", name);
	if (is_plain(text))
		buffer_span(out, text);
	else
		words(out, text);
	buffer_text(out, "\r\n");
}

void mail_address(struct buffer *out, const char *name, struct span title, struct span mailbox)
{
	bool atoms = title.len <= 60;

	for (size_t i = 0; i < title.len; i++) {
		char c = title.at[i];

		atoms = atoms && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
				  c == '-' || (c == ' ' && i > 0));
	}
	buffer_print(out, "%s: ", name);
	if (atoms)
		buffer_span(out, title);
	else
		words(out, title);
	buffer_print(out, "%s<%.*s>\r\n", !atoms ? "\r\n " : title.len > 0 ? " " : "", SPAN_FORMAT(mailbox));
}

void mail_date(int64_t ms, char out[MAIL_DATE])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(ms / 1000);
	struct tm tm;

	gmtime_r(&t, &tm);
	snprintf(out, MAIL_DATE, "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000", days + 3 * tm.tm_wday, tm.tm_mday,
		 months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* ---- parts ---- */

/* Lines of at most 76 characters; each LF of the text is a line end. No line ends with a space, none begins with a dot. */
static void quoted_printable(struct buffer *out, struct span text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = (uint8_t)text.at[i];
		bool last = i + 1 == text.len || text.at[i + 1] == '\n';
		bool escape = c < ' ' || c > '~' || c == '=' || (c == ' ' && last) || (c == '.' && column == 0) ||
			      (c == 'F' && column == 0) || (c == '-' && column == 0);

		if (c == '\n') {
			buffer_text(out, "\r\n");
			column = 0;
			continue;
		}
		if (column + (escape ? 3 : 1) > LINE_MOST - 1) {
			buffer_text(out, "=\r\n");
			column = 0;
		}
		if (escape)
			buffer_print(out, "=%02X", c);
		else
			buffer_byte(out, c);
		column += escape ? 3 : 1;
	}
	if (column > 0)
		buffer_text(out, "\r\n");
}

static void begin_part(struct buffer *out, const char *type, struct span name, const char *encoding)
{
	buffer_print(out, "Content-Type: %s", type);
	if (name.len > 0)
		buffer_print(out, "; name=\"%.*s\"", SPAN_FORMAT(name));
	buffer_print(out, "\r\nContent-Transfer-Encoding: %s\r\n", encoding);
	if (name.len > 0)
		buffer_print(out, "Content-Disposition: attachment; filename=\"%.*s\"\r\n", SPAN_FORMAT(name));
	buffer_text(out, "\r\n");
}

void mail_part_text(struct buffer *out, struct span name, struct span text)
{
	begin_part(out, "text/plain; charset=utf-8", name, "quoted-printable");
	quoted_printable(out, text);
}

void mail_part_bytes(struct buffer *out, const char *type, struct span name, struct span bytes)
{
	const size_t step = LINE_MOST / 4 * 3;

	begin_part(out, type, name, "base64");
	for (size_t i = 0; i < bytes.len; i += step) {
		base64_append(out, bytes.at + i, bytes.len - i < step ? bytes.len - i : step);
		buffer_text(out, "\r\n");
	}
}
