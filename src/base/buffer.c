#include "base/buffer.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_ROOM 256

/* One byte more than room is allocated: vsnprintf wants to write its 0 even when the text just fits. */
static bool grow(struct buffer *b, size_t need)
{
	size_t room = b->room < FIRST_ROOM / 2 ? FIRST_ROOM : b->room * 2;
	char *at;

	if (room < need)
		room = need;
	if (room > b->max)
		room = b->max;
	if ((at = realloc(b->at, room + 1)) == NULL) {
		b->err = ERR_NO_MEMORY;
		return false;
	}
	b->at = at;
	b->room = room;
	return true;
}

char *buffer_room(struct buffer *b, size_t n)
{
	if (b->err != OK)
		return NULL;
	if (n > b->max - b->len || n > PTRDIFF_MAX / 4 - b->len) {
		b->err = ERR_TOO_LONG;
		return NULL;
	}
	if ((b->at == NULL || n > b->room - b->len) && !grow(b, b->len + n))
		return NULL;
	return b->at + b->len;
}

void buffer_bytes(struct buffer *b, const void *from, size_t n)
{
	char *to = buffer_room(b, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, from, n);
	b->len += n;
}

void buffer_span(struct buffer *b, struct span s)
{
	buffer_bytes(b, s.at, s.len);
}

void buffer_text(struct buffer *b, const char *text)
{
	buffer_bytes(b, text, strlen(text));
}

void buffer_byte(struct buffer *b, uint8_t byte)
{
	char *to = buffer_room(b, 1);

	if (to == NULL)
		return;
	*to = (char)byte;
	b->len++;
}

void buffer_u16(struct buffer *b, uint16_t v)
{
	uint16_t big = htobe16(v);

	buffer_bytes(b, &big, sizeof(big));
}

void buffer_u32(struct buffer *b, uint32_t v)
{
	uint32_t big = htobe32(v);

	buffer_bytes(b, &big, sizeof(big));
}

void buffer_u64(struct buffer *b, uint64_t v)
{
	uint64_t big = htobe64(v);

	buffer_bytes(b, &big, sizeof(big));
}

void buffer_decimal(struct buffer *b, uint64_t v)
{
	char text[20];
	size_t i = sizeof(text);

	do
		text[--i] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	buffer_bytes(b, text + i, sizeof(text) - i);
}

void buffer_print(struct buffer *b, const char *format, ...)
{
	va_list arguments, again;
	size_t left;
	int n;

	if (buffer_room(b, 0) == NULL)
		return;
	left = b->room - b->len;
	va_start(arguments, format);
	va_copy(again, arguments);
	n = vsnprintf(b->at + b->len, left + 1, format, arguments);
	va_end(arguments);
	if (n < 0)
		b->err = ERR_TOO_LONG;
	else if ((size_t)n > left && buffer_room(b, (size_t)n) != NULL)
		vsnprintf(b->at + b->len, (size_t)n + 1, format, again);
	va_end(again);
	if (b->err == OK)
		b->len += (size_t)n;
}

void buffer_clear(struct buffer *b)
{
	b->len = 0;
	b->err = OK;
}

void buffer_free(struct buffer *b)
{
	free(b->at);
	*b = BUFFER(b->max);
}
