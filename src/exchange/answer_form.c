#include "exchange/answer_form.h"

#include "net/query.h"
#include "regime/speech.h"

/* ---- fields ---- */

static enum err field(const struct query *q, const char *name, struct span *out)
{
	enum err e = query_get(q, name, out);

	if (e == ERR_NOT_FOUND) {
		*out = SPAN("");
		e = OK;
	}
	return e;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct span trim(struct span s)
{
	while (s.len > 0 && is_space(s.at[0]))
		s = span_from(s, 1);
	while (s.len > 0 && is_space(s.at[s.len - 1]))
		s.len--;
	return s;
}

static enum err read_fields(struct arena *a, struct span body, struct answer_form *out)
{
	struct query q;
	enum err e = body.len > ANSWER_FORM_MAX ? fail(ERR_TOO_LONG, "form: over %d bytes", ANSWER_FORM_MAX) : OK;

	if (e == OK)
		e = query_read(a, body, &q);
	if (e == OK)
		e = field(&q, "outcome", &out->typed_outcome);
	if (e == OK)
		e = field(&q, "better", &out->typed_better);
	if (e == OK)
		e = field(&q, "text", &out->typed_text);
	if (e == OK)
		e = field(&q, "evidence", &out->typed_evidence);
	return e;
}

static enum err read_outcome(enum answer_to what, struct answer_form *out)
{
	static const struct {
		enum outcome offered[5];
		size_t count;
		const char *choose;
	} sets[] = {
		[ANSWER_TO_NOTICE] = { { OUTCOME_FIXED, OUTCOME_WORKING, OUTCOME_NOT_OURS, OUTCOME_DISPUTED,
					 OUTCOME_CANNOT },
				       5,
				       "Please choose one of the five answers." },
		[ANSWER_TO_HELP] = { { OUTCOME_OFFERED, OUTCOME_WORKING, OUTCOME_ACKNOWLEDGED, OUTCOME_OBJECTED },
				     4,
				     "Please choose one of the four answers." },
		[ANSWER_TO_PING] = { { OUTCOME_ACKNOWLEDGED }, 1, "Please answer by the button." },
	};

	if (out->typed_outcome.len == 0)
		return fail(ERR_FIELD_MISSING, "%s", sets[what].choose);
	for (size_t i = 0; i < sets[what].count; i++)
		if (span_is(out->typed_outcome, outcome_name(sets[what].offered[i]))) {
			out->outcome = sets[what].offered[i];
			return OK;
		}
	return fail(ERR_FIELD, "%s", sets[what].choose);
}

/* ---- who instead ---- */

static enum err no_addressee(void)
{
	return fail(ERR_FIELD,
		    "Who answers instead? Write an AS number (AS64500), a prefix (192.0.2.0/24), an address or "
		    "a domain (network.example), or leave it empty.");
}

/* "AS64500", "as 64500", "64500": as the grammar has it. */
static enum err as_number(struct arena *a, struct span s, struct addressee *out)
{
	char *text;

	if (s.len > 2 && span_equal_nocase(span_make(s.at, 2), SPAN("as")))
		s = trim(span_from(s, 2));
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return ERR_FIELD;
	if (s.len == 0 || s.len > 10 || (text = arena_print(a, "AS%.*s", SPAN_FORMAT(s))) == NULL)
		return ERR_FIELD;
	return addressee_parse(span_of(text), out);
}

/* A prefix, or an address as the prefix that holds it alone. */
static enum err prefix(struct span s, struct addressee *out)
{
	*out = (struct addressee){ .type = TO_PREFIX };
	return prefix_parse(s, &out->prefix);
}

static enum err domain(struct arena *a, struct span s, struct addressee *out)
{
	char *lower = s.len <= 253 ? arena_copy(a, s.at, s.len) : NULL;

	if (lower == NULL)
		return ERR_FIELD;
	for (size_t i = 0; i < s.len; i++)
		if (lower[i] >= 'A' && lower[i] <= 'Z')
			lower[i] = (char)(lower[i] - 'A' + 'a');
	*out = (struct addressee){ .type = TO_PARTY, .domain = span_make(lower, s.len) };
	return span_is_domain(out->domain) ? OK : ERR_FIELD;
}

enum err answer_better_read(struct arena *a, struct span typed, struct addressee *out)
{
	struct span s = trim(typed);

	if (as_number(a, s, out) == OK || prefix(s, out) == OK || domain(a, s, out) == OK) {
		err_clear();
		return OK;
	}
	return no_addressee();
}

/* ---- text ---- */

/* U+00C0 to U+017F as people write them without marks. */
static const char *const letters[] = {
	"A", "A", "A",	"A",  "Ae", "A", "AE", "C", "E", "E", "E", "E", "I",  "I", "I",	 "I",  /* C0 */
	"D", "N", "O",	"O",  "O",  "O", "Oe", "x", "O", "U", "U", "U", "Ue", "Y", "Th", "ss", /* D0 */
	"a", "a", "a",	"a",  "ae", "a", "ae", "c", "e", "e", "e", "e", "i",  "i", "i",	 "i",  /* E0 */
	"d", "n", "o",	"o",  "o",  "o", "oe", "/", "o", "u", "u", "u", "ue", "y", "th", "y",  /* F0 */
	"A", "a", "A",	"a",  "A",  "a", "C",  "c", "C", "c", "C", "c", "C",  "c", "D",	 "d",  /* 100 */
	"D", "d", "E",	"e",  "E",  "e", "E",  "e", "E", "e", "E", "e", "G",  "g", "G",	 "g",  /* 110 */
	"G", "g", "G",	"g",  "H",  "h", "H",  "h", "I", "i", "I", "i", "I",  "i", "I",	 "i",  /* 120 */
	"I", "i", "IJ", "ij", "J",  "j", "K",  "k", "k", "L", "l", "L", "l",  "L", "l",	 "L",  /* 130 */
	"l", "L", "l",	"N",  "n",  "N", "n",  "N", "n", "n", "N", "n", "O",  "o", "O",	 "o",  /* 140 */
	"O", "o", "OE", "oe", "R",  "r", "R",  "r", "R", "r", "S", "s", "S",  "s", "S",	 "s",  /* 150 */
	"S", "s", "T",	"t",  "T",  "t", "T",  "t", "U", "u", "U", "u", "U",  "u", "U",	 "u",  /* 160 */
	"U", "u", "U",	"u",  "W",  "w", "Y",  "y", "Y", "Z", "z", "Z", "z",  "Z", "z",	 "s",  /* 170 */
};

/* Of a character above ASCII; NULL: it has no such spelling. */
static const char *plain(uint32_t c)
{
	if (c >= 0xc0 && c < 0xc0 + sizeof(letters) / sizeof(letters[0]))
		return letters[c - 0xc0];
	switch (c) {
	case 0xa0:
	case 0x202f:
	case 0x2009:
		return " ";
	case 0xad:
	case 0x200b:
	case 0xfeff:
		return "";
	case 0x2010:
	case 0x2011:
	case 0x2012:
	case 0x2013:
	case 0x2014:
	case 0x2212:
		return "-";
	case 0x2018:
	case 0x2019:
	case 0x201a:
	case 0xb4:
		return "'";
	case 0x201c:
	case 0x201d:
	case 0x201e:
	case 0xab:
	case 0xbb:
		return "\"";
	case 0x2026:
		return "...";
	case 0x2022:
	case 0xb7:
		return "*";
	case 0x20ac:
		return "EUR";
	default:
		return NULL;
	}
}

/* Of valid UTF-8. */
static uint32_t character(const char *at, size_t length)
{
	const uint8_t *c = (const uint8_t *)at;

	switch (length) {
	case 1:
		return c[0];
	case 2:
		return (uint32_t)(c[0] & 0x1f) << 6 | (c[1] & 0x3f);
	case 3:
		return (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 | (c[2] & 0x3f);
	default:
		return (uint32_t)(c[0] & 0x07) << 18 | (uint32_t)(c[1] & 0x3f) << 12 | (uint32_t)(c[2] & 0x3f) << 6 |
		       (c[3] & 0x3f);
	}
}

struct line {
	char *at;
	size_t len;
	bool space; /* one waits to be written */
};

static void write_plain(struct line *l, const char *text)
{
	for (; *text != '\0'; text++) {
		if (is_space(*text)) {
			l->space = l->len > 0;
			continue;
		}
		if (l->space)
			l->at[l->len++] = ' ';
		l->space = false;
		l->at[l->len++] = *text;
	}
}

/* In one line of printable ASCII, without spaces at the ends. *whole false: not all of it can be said so. */
static enum err one_line(struct arena *a, struct span text, struct span *out, bool *whole)
{
	struct line l = { .at = arena_alloc(a, text.len + 1) }; /* no spelling has more bytes than what it spells */

	if (l.at == NULL)
		return ERR_NO_MEMORY;
	*whole = true;
	for (size_t i = 0, n; i < text.len; i += n) {
		uint32_t c;
		const char *as;

		n = span_utf8_length(span_from(text, i));
		c = character(text.at + i, n);
		as = c < 0x80 ? (char[]){ (char)c, '\0' } : plain(c);
		if (as == NULL || (c < 0x20 && !is_space((char)c)) || c == 0x7f)
			*whole = false;
		else
			write_plain(&l, as);
	}
	*out = span_make(l.at, l.len);
	return OK;
}

/* As a file has it: LF, no other control but tab. */
static enum err as_document(struct arena *a, struct span text, struct span *out)
{
	char *at = arena_alloc(a, text.len + 1);
	size_t n = 0;

	if (at == NULL)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '\r') {
			if (i + 1 < text.len && text.at[i + 1] == '\n')
				continue;
			c = '\n';
		}
		at[n++] = ((uint8_t)c < 0x20 && !is_space(c)) || c == 0x7f ? ' ' : c;
	}
	*out = trim(span_make(at, n));
	return OK;
}

/* Of a dispute everything that is not in the header goes into the document, and the header's text in full if it is cut there. */
static enum err read_dispute(struct arena *a, struct answer_form *out, bool whole)
{
	struct span text, evidence;
	bool fits = whole && out->text.len <= ANSWER_TEXT_MAX;
	char *both;
	enum err e = as_document(a, out->typed_text, &text);

	if (e == OK)
		e = as_document(a, out->typed_evidence, &evidence);
	if (e != OK)
		return e;
	if (text.len == 0 && evidence.len == 0)
		return fail(ERR_FIELD_MISSING, "Please say why the report is wrong.");
	out->evidence = evidence;
	if (!fits) {
		both = arena_print(a, "%.*s%s%.*s", SPAN_FORMAT(text), evidence.len > 0 ? "\n\n" : "",
				   SPAN_FORMAT(evidence));
		if (both == NULL)
			return ERR_NO_MEMORY;
		out->evidence = span_of(both);
		out->text = SPAN("");
	}
	if (out->evidence.len > ANSWER_EVIDENCE_MAX)
		return fail(ERR_FIELD, "The reasons are longer than %d bytes; please send the rest by mail.",
			    ANSWER_EVIDENCE_MAX);
	return OK;
}

static enum err read_text(struct arena *a, struct answer_form *out)
{
	bool whole;
	enum err e = one_line(a, out->typed_text, &out->text, &whole);

	if (e == OK && speech_asked(out->typed_text, NULL))
		e = fail(ERR_FIELD,
			 "The remark asks for something about what is said. Notices here are about machines alone.");
	if (e != OK)
		return e;
	if (out->outcome == OUTCOME_DISPUTED)
		return read_dispute(a, out, whole);
	if (!whole)
		return fail(ERR_FIELD, "Please write the remark in Latin letters; it stands in a line of plain ASCII.");
	if (out->text.len > ANSWER_TEXT_MAX)
		return fail(ERR_FIELD, "The remark has %zu characters; at most %d can be kept.", out->text.len,
			    ANSWER_TEXT_MAX);
	return OK;
}

enum err answer_form_read(struct arena *a, struct span body, enum answer_to what, struct answer_form *out)
{
	enum err e;

	*out = (struct answer_form){ 0 };
	if ((e = read_fields(a, body, out)) != OK || (e = read_outcome(what, out)) != OK)
		return e;
	if (out->outcome == OUTCOME_NOT_OURS && trim(out->typed_better).len > 0) {
		out->has_better = true;
		if ((e = answer_better_read(a, out->typed_better, &out->better)) != OK)
			return e;
	}
	return read_text(a, out);
}
