#include "exchange/access_private.h"

#include "base/encoding.h"
#include "exchange/passwords.h"

#define SECRET_MOST 1024

static enum err refuse(void)
{
	return fail(ERR_CREDENTIALS, "Authorization: Basic or Bearer, as RFC 7617 and RFC 6750 write them");
}

/* What no terminal and no log likes is in no name and password (RFC 7617, 2). */
static bool has_control(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.at[i] < 0x20 || s.at[i] == 0x7f)
			return true;
	return false;
}

static enum err read_basic(struct arena *a, struct span text, struct authorization *out)
{
	char *plain = arena_alloc(a, SECRET_MOST);
	size_t length = 0;
	struct span rest;

	if (plain == NULL)
		return ERR_NO_MEMORY;
	if (base64_decode(text, plain, SECRET_MOST, &length) != OK)
		return refuse();
	rest = span_make(plain, length);
	if (has_control(rest) || memchr(plain, ':', length) == NULL)
		return refuse();
	out->basic = true;
	out->name = span_cut(&rest, ':');
	out->secret = rest;
	return out->name.len > 0 && rest.len <= PASSWORD_MAX ? OK : refuse();
}

/* b64token of RFC 6750. */
static bool is_token(struct span s)
{
	size_t i = 0;

	while (i < s.len &&
	       ((s.at[i] >= 'a' && s.at[i] <= 'z') || (s.at[i] >= 'A' && s.at[i] <= 'Z') ||
		(s.at[i] >= '0' && s.at[i] <= '9') || (s.at[i] != '\0' && strchr("-._~+/", s.at[i]) != NULL)))
		i++;
	if (i == 0)
		return false;
	while (i < s.len && s.at[i] == '=')
		i++;
	return i == s.len;
}

enum err authorization_read(struct arena *a, struct span field, struct authorization *out)
{
	struct span rest = span_trim(field), scheme = span_cut(&rest, ' ');

	*out = (struct authorization){ 0 };
	if (rest.at == NULL || rest.len > SECRET_MOST * 2)
		return refuse();
	while (rest.len > 0 && rest.at[0] == ' ')
		rest = span_from(rest, 1);
	if (span_equal_nocase(scheme, SPAN("basic")))
		return read_basic(a, rest, out);
	if (!span_equal_nocase(scheme, SPAN("bearer")) || !is_token(rest))
		return refuse();
	out->secret = rest;
	return OK;
}
