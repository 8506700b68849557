/* Mbox (RFC 4155, appendix A): mails one behind the other, each begun by a line "From …" that stands at the start of the
 * file or behind an empty line. Writers put ">" before lines of a mail that would look like one; those that can be undone
 * (mboxrd) put it before lines that have it already, too. */
#include "report/mail.h"

/* Whether an empty line ends before `at`, which is a line start. */
static bool behind_empty_line(const char *text, const char *at)
{
	if (at - text >= 2 && at[-2] == '\n')
		return true;
	return at - text >= 3 && at[-2] == '\r' && at[-3] == '\n';
}

size_t mbox_length(struct span text)
{
	const char *p = text.at, *end = text.at + text.len;

	while ((p = memmem(p, (size_t)(end - p), "\nFrom ", 6)) != NULL) {
		p++;
		if (behind_empty_line(text.at, p))
			return (size_t)(p - text.at);
	}
	return SIZE_MAX;
}

/* Whether s, the end of a text, is the start of a line end, an empty line and "From ". */
static bool may_begin(struct span s)
{
	static const char *const marks[] = { "\n\nFrom ", "\n\r\nFrom " };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (s.len < strlen(marks[i]) && memcmp(s.at, marks[i], s.len) == 0)
			return true;
	return false;
}

size_t mbox_rest(struct span text, bool *ended)
{
	size_t length = mbox_length(text), at = text.len > MBOX_AHEAD ? text.len - MBOX_AHEAD : 0;

	*ended = length != SIZE_MAX;
	if (*ended)
		return length;
	while (at < text.len && !may_begin(span_from(text, at)))
		at++;
	return at;
}

/* Of a line that begins with ">" and is quoted: without one of them. */
static bool is_quoted(struct span line)
{
	size_t n = 0;

	while (n < line.len && line.at[n] == '>')
		n++;
	return n > 0 && line.len - n >= 5 && memcmp(line.at + n, "From ", 5) == 0;
}

static const char *quoted_find(struct span text)
{
	const char *p = text.at, *end = text.at + text.len;

	while ((p = memmem(p, (size_t)(end - p), "\n>", 2)) != NULL) {
		p++;
		if (is_quoted(span_make(p, (size_t)(end - p))))
			return p;
	}
	return NULL;
}

enum err mbox_mail(struct arena *a, struct span document, struct span *mail)
{
	const char *end, *quote;
	size_t n = 0;
	char *copy;

	*mail = document;
	if (span_starts(document, "From ")) {
		end = memchr(document.at, '\n', document.len);
		*mail = span_from(document, end != NULL ? (size_t)(end - document.at) + 1 : document.len);
	}
	if ((quote = quoted_find(*mail)) == NULL)
		return OK;
	if ((copy = arena_alloc(a, mail->len)) == NULL)
		return ERR_NO_MEMORY;
	for (; quote != NULL; quote = quoted_find(*mail)) {
		size_t before = (size_t)(quote - mail->at);

		memcpy(copy + n, mail->at, before);
		n += before;
		*mail = span_from(*mail, before + 1);
		/* what follows is looked at again, but from behind its first line start */
	}
	memcpy(copy + n, mail->at, mail->len);
	*mail = span_make(copy, n + mail->len);
	return OK;
}
