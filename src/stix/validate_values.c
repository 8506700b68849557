/* Spellings of single values. */
#include <arpa/inet.h>

#include "stix/validate_private.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_alpha(char c)
{
	return is_lower((char)(c | 0x20));
}

static bool is_hex_digit(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* How many of `accept` the text has from `from` on. */
static size_t run(struct span s, size_t from, bool (*accept)(char c))
{
	size_t n = 0;

	while (from + n < s.len && accept(s.at[from + n]))
		n++;
	return n;
}

/* ---- names ---- */

bool value_is_word(const char *words, struct span s)
{
	if (s.len == 0 || memchr(s.at, ' ', s.len) != NULL)
		return false;
	for (const char *w = words; *w != '\0';) {
		size_t n = strcspn(w, " ");

		if (n == s.len && memcmp(w, s.at, n) == 0)
			return true;
		w += n;
		w += *w == ' ';
	}
	return false;
}

bool value_is_lower(struct span s)
{
	bool letter = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if ((c >= 'A' && c <= 'Z') || c == '_' || c == ' ')
			return false;
		letter = letter || is_lower(c) || (c & 0x80) != 0;
	}
	return letter;
}

bool value_is_type_name(struct span s)
{
	if (s.len < 3 || s.len > STIX_TYPE_MAX || !is_lower(s.at[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_lower(s.at[i]) && !is_digit(s.at[i]) && (s.at[i] != '-' || s.at[i - 1] == '-'))
			return false;
	return true;
}

bool value_is_property_name(struct span s)
{
	if (span_is(s, "id"))
		return true;
	if (s.len < 3 || s.len > 250 || !is_lower(s.at[0]))
		return false;
	for (size_t i = 1; i < s.len; i++)
		if (!is_lower(s.at[i]) && !is_digit(s.at[i]) && s.at[i] != '_')
			return false;
	return true;
}

static bool is_key_character(char c)
{
	return is_alpha(c) || is_digit(c) || c == '-' || c == '_';
}

bool value_is_key(struct span s)
{
	return s.len <= 250 && run(s, 0, is_key_character) == s.len;
}

/* ---- ids ---- */

#define UUID_LENGTH 36

static bool is_uuid(const char *at)
{
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? at[i] != '-' : !is_hex_digit(at[i]))
			return false;
	}
	return at[14] >= '1' && at[14] <= '8' && strchr("89abAB", at[19]) != NULL;
}

bool value_is_id(struct span s)
{
	size_t head;

	if (s.len < 3 + 2 + UUID_LENGTH || s.len > STIX_ID_MAX + 1)
		return false;
	head = s.len - UUID_LENGTH - 2;
	if (memcmp(s.at + head, "--", 2) != 0 || !is_lower(s.at[0]) || s.at[head - 1] == '-')
		return false;
	for (size_t i = 1; i < head; i++)
		if (!is_lower(s.at[i]) && !is_digit(s.at[i]) && s.at[i] != '-')
			return false;
	return is_uuid(s.at + head + 2);
}

struct span value_id_type(struct span id)
{
	return id.len > UUID_LENGTH + 2 ? span_make(id.at, id.len - UUID_LENGTH - 2) : SPAN("");
}

char value_uuid_version(struct span id)
{
	return id.at[id.len - UUID_LENGTH + 14];
}

/* ---- times ---- */

static unsigned number(const char *at, size_t n)
{
	unsigned v = 0;

	while (n-- > 0)
		v = v * 10 + (unsigned)(*at++ - '0');
	return v;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

bool value_is_time(struct span s)
{
	static const char form[] = "0000-00-00T00:00:00";
	unsigned month, day;

	if (s.len < sizeof(form) || s.at[s.len - 1] != 'Z')
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == '0' ? !is_digit(s.at[i]) : s.at[i] != form[i])
			return false;
	if (s.len > sizeof(form)) {
		size_t digits = s.len - sizeof(form) - 1;

		if (s.at[sizeof(form) - 1] != '.' || digits == 0 || run(s, sizeof(form), is_digit) != digits)
			return false;
	}
	month = number(s.at + 5, 2);
	day = number(s.at + 8, 2);
	return month >= 1 && month <= 12 && day >= 1 && day <= days_in(number(s.at, 4), month) &&
	       number(s.at + 11, 2) <= 23 && number(s.at + 14, 2) <= 59 && number(s.at + 17, 2) <= 60;
}

size_t value_fraction(struct span time)
{
	return time.len > 20 ? time.len - 21 : 0;
}

int value_compare_times(struct span a, struct span b)
{
	int d = memcmp(a.at, b.at, 19);
	size_t n = value_fraction(a), m = value_fraction(b);

	for (size_t i = 0; d == 0 && (i < n || i < m); i++)
		d = (i < n ? a.at[20 + i] : '0') - (i < m ? b.at[20 + i] : '0');
	return d;
}

/* ---- bytes ---- */

bool value_is_hex(struct span s, size_t digits)
{
	return s.len > 0 && (digits == 0 ? s.len % 2 == 0 : s.len == digits) && run(s, 0, is_hex_digit) == s.len;
}

static bool is_base64_character(char c)
{
	return is_alpha(c) || is_digit(c) || c == '+' || c == '/';
}

bool value_is_base64(struct span s)
{
	size_t n = run(s, 0, is_base64_character), padding = s.len - n;

	if (s.len == 0 || s.len % 4 != 0 || padding > 2)
		return false;
	return padding == 0 || (s.at[s.len - 1] == '=' && s.at[n] == '=');
}

static bool is_ssdeep_character(char c)
{
	return is_base64_character(c) || c == ':' || c == '.';
}

bool value_is_hash(struct span algorithm, struct span s)
{
	static const struct {
		const char *name;
		size_t digits;
	} known[] = { { "MD5", 32 },	  { "SHA-1", 40 },    { "SHA-256", 64 },
		      { "SHA-512", 128 }, { "SHA3-256", 64 }, { "SHA3-512", 128 } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_is(algorithm, known[i].name))
			return value_is_hex(s, known[i].digits);
	if (span_is(algorithm, "SSDEEP"))
		return s.len >= 1 && s.len <= 128 && run(s, 0, is_ssdeep_character) == s.len;
	if (span_is(algorithm, "TLSH")) {
		for (size_t i = 0; i < s.len; i++)
			if (!is_alpha(s.at[i]) && !is_digit(s.at[i]))
				return false;
		return s.len == 70;
	}
	return true;
}

/* ---- URLs, addresses, media types ---- */

static bool is_scheme_character(char c)
{
	return is_alpha(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* RFC 3986, 3: a scheme, and behind it only what may stand in a URI. Brackets are let pass in the authority alone. */
bool value_is_url(struct span s)
{
	size_t scheme = run(s, 0, is_scheme_character), host;
	bool fragment = false;

	if (scheme == 0 || !is_alpha(s.at[0]) || scheme == s.len || s.at[scheme] != ':')
		return false;
	host = scheme + 1;
	if (s.len >= host + 2 && memcmp(s.at + host, "//", 2) == 0)
		for (host += 2; host < s.len && strchr("/?#", s.at[host]) == NULL;)
			host++;
	for (size_t i = scheme + 1; i < s.len; i++) {
		char c = s.at[i];

		if (c == '%') {
			if (i + 2 >= s.len || !is_hex_digit(s.at[i + 1]) || !is_hex_digit(s.at[i + 2]))
				return false;
		} else if (c == '#') {
			if (fragment)
				return false;
			fragment = true;
		} else if (c == '[' || c == ']') {
			if (i >= host)
				return false;
		} else if (!is_alpha(c) && !is_digit(c) && (c == '\0' || strchr("-._~:/?@!$&'()*+,;=", c) == NULL)) {
			return false;
		}
	}
	return true;
}

/* "/24" at the end: cut off; false: not such a one. */
static bool cut_prefix(struct span *s, uint64_t max)
{
	const char *slash = memchr(s->at, '/', s->len);
	uint64_t bits;
	size_t at;

	if (slash == NULL)
		return true;
	at = (size_t)(slash - s->at);
	if (span_u64(span_from(*s, at + 1), max, &bits) != OK)
		return false;
	s->len = at;
	return true;
}

bool value_is_ipv4(struct span s)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr out;

	if (s.len == 0 || !cut_prefix(&s, 32) || s.len >= sizeof(text))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	return strlen(text) == s.len && inet_pton(AF_INET, text, &out) == 1;
}

bool value_is_ipv6(struct span s)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr out;
	const char *zone;

	if (s.len == 0 || !cut_prefix(&s, 128))
		return false;
	zone = memchr(s.at, '%', s.len);
	if (zone != NULL && zone + 1 == s.at + s.len)
		return false;
	if (zone != NULL)
		s.len = (size_t)(zone - s.at);
	if (s.len >= sizeof(text))
		return false;
	memcpy(text, s.at, s.len);
	text[s.len] = '\0';
	return strlen(text) == s.len && inet_pton(AF_INET6, text, &out) == 1;
}

bool value_is_mac(struct span s)
{
	if (s.len != 17)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (i % 3 == 2 ? s.at[i] != ':' : !is_digit(s.at[i]) && (s.at[i] < 'a' || s.at[i] > 'f'))
			return false;
	return true;
}

/* RFC 1034, RFC 5890: labels of letters, digits and hyphens inside; other scripts as they are written. */
bool value_is_domain(struct span s)
{
	struct span rest = s;

	if (s.len == 0 || s.len > 254)
		return false;
	while (rest.at != NULL) {
		struct span label = span_cut(&rest, '.');

		if (label.len == 0 && rest.at == NULL && s.len > 1)
			return true;
		if (label.len == 0 || label.len > 63 || label.at[0] == '-' || label.at[label.len - 1] == '-')
			return false;
		for (size_t i = 0; i < label.len; i++)
			if (!is_alpha(label.at[i]) && !is_digit(label.at[i]) && label.at[i] != '-' &&
			    (label.at[i] & 0x80) == 0)
				return false;
	}
	return true;
}

/* RFC 5322, 3.4.1, as far as one can say without asking the domain. */
bool value_is_mailbox(struct span s)
{
	size_t at = s.len;

	while (at > 0 && s.at[at - 1] != '@')
		at--;
	if (at < 2 || at == s.len)
		return false;
	for (size_t i = 0; s.at[0] != '"' && i + 1 < at; i++)
		if ((uint8_t)s.at[i] <= ' ' || s.at[i] == 0x7f || strchr("()<>,;:\\\"[]@", s.at[i]) != NULL)
			return false;
	return (s.at[at] == '[' && s.at[s.len - 1] == ']') || value_is_domain(span_from(s, at));
}

static bool is_subtype_character(char c)
{
	return is_alpha(c) || is_digit(c) || (c != '\0' && strchr("!#$&-^_.+", c) != NULL);
}

bool value_is_media_type(struct span s)
{
	struct span rest = s, top = span_cut(&rest, '/');

	return value_is_word("application audio font haptics image message model multipart text video", top) &&
	       rest.at != NULL && rest.len > 0 && rest.len <= 127 && run(rest, 0, is_subtype_character) == rest.len;
}

/* ---- CPE 2.3, a formatted string (NISTIR 7695, 6.2) ---- */

static bool is_cpe_attribute(struct span s)
{
	size_t stars = 0;

	if (span_is(s, "*") || span_is(s, "-"))
		return true;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (c == '\\') {
			if (++i == s.len || s.at[i] == ' ' || (s.at[i] & 0x80) != 0)
				return false;
		} else if (c == '*' || c == '?') {
			bool inside = i > 0 && i + 1 < s.len && s.at[i - 1] != '?' && s.at[i + 1] != '?';

			stars++;
			if (inside)
				return false;
		} else if (!is_alpha(c) && !is_digit(c) && c != '-' && c != '.' && c != '_') {
			return false;
		}
	}
	return s.len > stars;
}

/* The next one, up to a colon that is not escaped. */
static struct span cpe_cut(struct span *rest)
{
	size_t i = 0;
	struct span part;

	while (i < rest->len && rest->at[i] != ':')
		i += rest->at[i] == '\\' && i + 1 < rest->len ? 2 : 1;
	part = span_make(rest->at, i);
	*rest = i < rest->len ? span_from(*rest, i + 1) : (struct span){ NULL, 0 };
	return part;
}

bool value_is_cpe(struct span s)
{
	size_t count = 0;

	if (!span_starts(s, "cpe:2.3:"))
		return false;
	s = span_from(s, strlen("cpe:2.3:"));
	for (; s.at != NULL; count++) {
		struct span part = cpe_cut(&s);

		if (count == 0 ? !value_is_word("a o h * -", part) : !is_cpe_attribute(part))
			return false;
	}
	return count == 11;
}

/* ---- language tags (RFC 5646, 2.1) ---- */

static bool all(struct span s, bool letters, bool digits)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(letters && is_alpha(s.at[i])) && !(digits && is_digit(s.at[i])))
			return false;
	return s.len > 0 && s.len <= 8;
}

static bool is_registered_language(struct span tag)
{
	char lower[3];

	for (size_t i = 0; i < tag.len && i < sizeof(lower); i++)
		lower[i] = (char)(tag.at[i] | 0x20);
	if (tag.len == 3 && lower[0] == 'q' && lower[1] >= 'a' && lower[1] <= 't')
		return true; /* for private use */
	return (tag.len == 2 || tag.len == 3) && value_is_word(word_languages, span_make(lower, tag.len));
}

/* The next subtag into *tag; false at the end. */
static bool subtag(struct span *rest, struct span *tag)
{
	if (rest->at == NULL)
		return false;
	*tag = span_cut(rest, '-');
	return true;
}

/* x-…: to the end, each of 1 to 8; other singletons: each of 2 to 8, up to the next singleton. */
static bool extensions(struct span tag, struct span rest)
{
	do {
		bool private = (tag.at[0] | 0x20) == 'x', any = false;
		bool more;

		if (tag.len != 1 || !all(tag, true, true))
			return false;
		while ((more = subtag(&rest, &tag)) && (private || tag.len != 1)) {
			if (!all(tag, true, true))
				return false;
			any = true;
		}
		if (!any)
			return false;
		if (!more)
			return true;
	} while (true);
}

bool value_is_language(struct span s)
{
	static const char irregular[] =
		"i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux i-mingo i-navajo i-pwn i-tao "
		"i-tay i-tsu en-GB-oed sgn-BE-FR sgn-BE-NL sgn-CH-DE";
	struct span rest = s, tag;
	size_t extended = 0;
	bool more;

	if (value_is_word(irregular, s))
		return true;
	more = subtag(&rest, &tag);
	if (more && tag.len == 1 && (tag.at[0] | 0x20) == 'x')
		return extensions(tag, rest);
	if (!more || !all(tag, true, false) || !is_registered_language(tag)) /* longer ones were never registered */
		return false;
	more = subtag(&rest, &tag);
	while (more && tag.len == 3 && all(tag, true, false) && ++extended <= 3)
		more = subtag(&rest, &tag);
	if (more && tag.len == 4 && all(tag, true, false))
		more = subtag(&rest, &tag);
	if (more && ((tag.len == 2 && all(tag, true, false)) || (tag.len == 3 && all(tag, false, true))))
		more = subtag(&rest, &tag);
	while (more && all(tag, true, true) && (tag.len >= 5 || (tag.len == 4 && is_digit(tag.at[0]))))
		more = subtag(&rest, &tag);
	return !more || (tag.len == 1 && extensions(tag, rest));
}
