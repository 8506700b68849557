/*
 * What a mail to the bounce address says
 *
 * Where there is a message/delivery-status part (RFC 3464), it alone counts. Exim, Gmail, qmail, OpenSMTPD, older Exchange and others
 * write sentences instead: recipients stand in X-Failed-Recipients, or begin a line; what stands behind one, up to the next, is said of
 * it. There a status (5.1.1) counts before a reply code (550), and that before words. What is below the words with which these
 * servers begin the returned mail is the returned mail's.
 *
 * Anybody can write such a mail. It says something about a notice only by a tag, which only this node can make and only the
 * addressee's servers have seen.
 */
#include "mail/mailer.h"
#include "report/mime.h"

#define TEXT_LOOK ((size_t)256 << 10) /* as much of a text is looked at */
#define SAYS_MAX 200

const char *bounce_verdict_name(enum bounce_verdict v)
{
	static const char *const names[BOUNCE_VERDICT_COUNT] = {
		[BOUNCE_NONE] = "none",	      [BOUNCE_DELIVERED] = "delivered", [BOUNCE_DELAYED] = "delayed",
		[BOUNCE_FOR_NOW] = "for-now", [BOUNCE_FOR_GOOD] = "for-good",	[BOUNCE_UNKNOWN] = "unknown",
	};

	return (unsigned)v < BOUNCE_VERDICT_COUNT ? names[v] : "none";
}

struct bouncing {
	struct arena *arena;
	struct mime mime;
	struct bounce *out;
	struct span text;	      /* of people's words, without the returned mail */
	enum bounce_verdict nameless; /* of a status group that names no mailbox */
};

/* ---- pieces of text ---- */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Where word stands in s, in whatever case; s.len: nowhere. */
static size_t find_nocase(struct span s, const char *word)
{
	size_t n = strlen(word);
	char small = word[0] >= 'A' && word[0] <= 'Z' ? (char)(word[0] + 32) : word[0];
	char large = small >= 'a' && small <= 'z' ? (char)(small - 32) : small;

	for (size_t i = 0; i + n <= s.len; i++)
		if ((s.at[i] == small || s.at[i] == large) && span_equal_nocase(span_make(s.at + i, n), span_of(word)))
			return i;
	return s.len;
}

static bool has(struct span s, const char *word)
{
	return find_nocase(s, word) < s.len;
}

static bool has_any(struct span s, const char *const *words)
{
	for (; *words != NULL; words++)
		if (has(s, *words))
			return true;
	return false;
}

static bool starts_nocase(struct span s, const char *word)
{
	size_t n = strlen(word);

	return s.len >= n && span_equal_nocase(span_make(s.at, n), span_of(word));
}

/* Printable and on one line, cut. */
static struct span said(struct arena *a, struct span s)
{
	char *to;
	size_t n = 0;

	s = span_trim(s);
	if ((to = arena_alloc(a, SAYS_MAX)) == NULL)
		return SPAN("");
	for (size_t i = 0; i < s.len && n < SAYS_MAX; i++) {
		char c = s.at[i];

		if (c == '\r' || c == '\n' || c == '\t')
			c = ' ';
		if (c == ' ' && (n == 0 || to[n - 1] == ' '))
			continue;
		to[n++] = c >= ' ' && c <= '~' ? c : '?';
	}
	while (n > 0 && to[n - 1] == ' ')
		n--;
	return span_make(to, n);
}

static bool is_local(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

/* The mailbox that s begins with; empty: it begins with none. */
static struct span mailbox_at(struct span s)
{
	size_t at = 0, end;

	while (at < s.len && at <= 64 && is_local(s.at[at]))
		at++;
	if (at == 0 || at > 64 || at == s.len || s.at[at] != '@')
		return SPAN("");
	for (end = at + 1; end < s.len && end < CONTACT_MAIL_MAX; end++) {
		char c = s.at[end];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !is_digit(c) && c != '.' && c != '-')
			break;
	}
	while (end > at + 1 && (s.at[end - 1] == '.' || s.at[end - 1] == '-'))
		end--;
	return end > at + 3 && memchr(s.at + at, '.', end - at) != NULL ? span_make(s.at, end) : SPAN("");
}

/* ---- codes and words ---- */

static enum bounce_verdict of_digit(char c)
{
	return c == '5' ? BOUNCE_FOR_GOOD : c == '4' ? BOUNCE_FOR_NOW : c == '2' ? BOUNCE_DELIVERED : BOUNCE_UNKNOWN;
}

/* Digits from `at` on, at most three. */
static size_t digits(struct span s, size_t at)
{
	size_t n = 0;

	while (n < 4 && at + n < s.len && is_digit(s.at[at + n]))
		n++;
	return n <= 3 ? n : 0;
}

/* "5.1.1" (RFC 3463), and no piece of an address or version. */
static struct span find_status(struct span s)
{
	for (size_t i = 0; i + 5 <= s.len; i++) {
		size_t subject, detail, end;

		if ((s.at[i] != '4' && s.at[i] != '5') || s.at[i + 1] != '.' ||
		    (i > 0 && (is_digit(s.at[i - 1]) || s.at[i - 1] == '.' || s.at[i - 1] == '-')))
			continue;
		if ((subject = digits(s, i + 2)) == 0 || i + 2 + subject >= s.len || s.at[i + 2 + subject] != '.' ||
		    (detail = digits(s, i + 3 + subject)) == 0)
			continue;
		end = i + 3 + subject + detail;
		if (end + 1 < s.len && s.at[end] == '.' && is_digit(s.at[end + 1]))
			continue;
		return span_make(s.at + i, end - i);
	}
	return SPAN("");
}

/* The reply code of RFC 5321 that stands by itself; 0: none. */
static unsigned find_reply(struct span s)
{
	for (size_t i = 0; i + 3 < s.len; i++) {
		unsigned code;

		if ((i > 0 && strchr(" \t\n<([:", s.at[i - 1]) == NULL) || digits(s, i) != 3 ||
		    (s.at[i + 3] != ' ' && s.at[i + 3] != '-'))
			continue;
		code = (unsigned)(s.at[i] - '0') * 100 + (unsigned)(s.at[i + 1] - '0') * 10 +
		       (unsigned)(s.at[i + 2] - '0');
		if (code == 421 || (code >= 450 && code <= 455) || code == 521 || code == 541 ||
		    (code >= 550 && code <= 557) || code == 571)
			return code;
	}
	return 0;
}

static const char *const words_now[] = { "retry timeout exceeded",
					 "retry time not reached",
					 "failing for a long time",
					 "envelope expired",
					 "quota",
					 "mailbox full",
					 "mailbox is full",
					 "mailfolder is full",
					 "not enough space",
					 "temporarily",
					 "timed out",
					 "socket error",
					 "connection refused",
					 "could not connect",
					 "requests to connect",
					 "couldn't connect",
					 "try again later",
					 "too long in the queue",
					 NULL };
static const char *const words_good[] = { "user unknown",
					  "unknown user",
					  "unknown local",
					  "no such user",
					  "no such address",
					  "no such person",
					  "no mailbox here",
					  "does not exist",
					  "doesn't exist",
					  "mailbox unavailable",
					  "mailbox not found",
					  "unrouteable address",
					  "unrouteable mail domain",
					  "couldn't find any host",
					  "domain name not found",
					  "not listed in domino",
					  "recipient rejected",
					  "address rejected",
					  "account is disabled",
					  "account has been disabled",
					  "account that you tried to reach is disabled",
					  "invalid recipient",
					  "unknown or illegal alias",
					  "address couldn't be found",
					  "wasn't found at",
					  "relay not permitted",
					  "relay access denied",
					  NULL };
static const char *const words_given_up[] = { "permanent error",
					      "failed permanently",
					      "permanent fatal",
					      "permanent failure",
					      "i've given up",
					      "delivery has failed",
					      "your message wasn't delivered",
					      NULL };
static const char *const words_delay[] = {
	"will be retried",	   "has not yet been delivered", "delivery attempts will continue",
	"do not need to resend",   "will continue to try",	 "delivery incomplete",
	"warning: could not send", "temporary failure report",	 NULL
};

static enum bounce_verdict verdict_of(struct span text, struct span *status)
{
	unsigned reply;

	*status = find_status(text);
	if (status->len > 0)
		return of_digit(status->at[0]);
	if ((reply = find_reply(text)) != 0)
		return of_digit(reply >= 500 ? '5' : '4');
	if (has_any(text, words_now))
		return BOUNCE_FOR_NOW;
	return has_any(text, words_good) ? BOUNCE_FOR_GOOD : BOUNCE_UNKNOWN;
}

/* ---- recipients ---- */

static struct bounce_recipient *add_recipient(struct bouncing *b, struct span mail)
{
	struct bounce *o = b->out;

	for (size_t i = 0; i < o->recipient_count; i++)
		if (span_equal_nocase(o->recipients[i].mail, mail))
			return &o->recipients[i];
	if (o->recipient_count == BOUNCE_RECIPIENTS_MAX)
		return NULL;
	o->recipients[o->recipient_count] = (struct bounce_recipient){ .mail = mail, .verdict = BOUNCE_UNKNOWN };
	return &o->recipients[o->recipient_count++];
}

/* "rfc822; <kijitora@example.org>": its mailbox. */
static struct span recipient_of(struct span value)
{
	struct span rest = value, type = span_cut(&rest, ';');

	rest = span_trim(rest.at != NULL ? rest : type);
	while (rest.len > 0 && (rest.at[0] == '<' || rest.at[0] == ' '))
		rest = span_from(rest, 1);
	return mailbox_at(rest);
}

/* ---- RFC 3464 ---- */

static enum bounce_verdict verdict_of_action(struct span action, struct span status, struct span diagnostic)
{
	struct span found;
	enum bounce_verdict v = status.len > 0 ? of_digit(status.at[0]) : verdict_of(diagnostic, &found);

	if (starts_nocase(action, "delayed"))
		return BOUNCE_DELAYED;
	if (starts_nocase(action, "delivered") || starts_nocase(action, "relayed") || starts_nocase(action, "expanded"))
		return BOUNCE_DELIVERED;
	if (starts_nocase(action, "failed"))
		return v == BOUNCE_DELIVERED ? BOUNCE_UNKNOWN : v;
	return v == BOUNCE_FOR_NOW ? BOUNCE_DELAYED : v;
}

static void read_group(struct bouncing *b, struct span group)
{
	struct span final = SPAN(""), original = SPAN(""), action = SPAN(""), status = SPAN(""), diagnostic = SPAN(""),
		    mail;
	struct bounce_recipient *r;

	mime_find(group, "Final-Recipient", &final);
	mime_find(group, "Original-Recipient", &original);
	mime_find(group, "Action", &action);
	if (mime_find(group, "Status", &status))
		status = find_status(status).len > 0 || status.len == 0 ? find_status(status)
			 : status.at[0] == '2'				? span_make(status.at, 1)
									: SPAN("");
	mime_find(group, "Diagnostic-Code", &diagnostic);
	if (diagnostic.len > MIME_VALUE_MAX)
		diagnostic.len = MIME_VALUE_MAX;
	mail = recipient_of(original);
	if (mail.len == 0)
		mail = recipient_of(final);
	/* A pipe or a file may stand there: what the mail was handed to in the end. */
	if (mail.len == 0 && final.len > 0 && mime_find(b->mime.parts[0].header, "X-Failed-Recipients", &mail))
		mail = mailbox_at(mail);
	if (mail.len == 0 && final.len > 0 && b->out->tag.len > 0)
		b->nameless = verdict_of_action(action, status, diagnostic);
	if (mail.len == 0 || (r = add_recipient(b, mail)) == NULL)
		return;
	r->verdict = verdict_of_action(action, status, diagnostic);
	r->status = status.len > 1 ? status : find_status(diagnostic);
	r->says = said(b->arena, diagnostic);
}

static enum err read_status_part(struct bouncing *b, const struct mime_part *part)
{
	struct span rest;
	enum err e = mime_content(b->arena, part, &rest);

	while (e == OK && rest.len > 0)
		read_group(b, mime_header(rest, &rest));
	return e;
}

static bool is_status(struct span type)
{
	return span_is(type, "message/delivery-status") || span_is(type, "message/global-delivery-status");
}

/* *any: there is such a part. */
static enum err read_status_parts(struct bouncing *b, bool *any)
{
	enum err e = OK;

	for (size_t i = 0; e == OK && i < b->mime.count; i++)
		if (is_status(b->mime.parts[i].type)) {
			*any = true;
			e = read_status_part(b, &b->mime.parts[i]);
		}
	return e;
}

/* ---- sentences ---- */

/* With these, servers begin what they give back. */
static bool is_returned(struct span line)
{
	static const char *const words[] = {
		"this is a copy of",	    "is a copy of the",		"original message -",
		"original message follows", "original message headers", "- transcript of",
		"unsent message below",	    "message header follows",	NULL
	};

	return starts_nocase(line, "return-path:") || starts_nocase(line, "received:") ||
	       (line.len < 200 && has_any(line, words));
}

static enum err take_text(struct bouncing *b)
{
	struct span rest, line;
	enum err e = OK;
	size_t i = 0;

	while (i < b->mime.count && (b->mime.parts[i].has_boundary || !span_starts(b->mime.parts[i].type, "text/")))
		i++;
	if (i == b->mime.count || (e = mime_content_text(b->arena, &b->mime.parts[i], &b->text)) != OK)
		return e;
	if (b->text.len > TEXT_LOOK)
		b->text.len = TEXT_LOOK;
	rest = b->text;
	while (span_line(&rest, &line))
		if (is_returned(line)) {
			b->text.len = (size_t)(line.at - b->text.at);
			break;
		}
	return OK;
}

/* The mailbox that a line is about: it begins with it, perhaps in brackets, and something that is no sentence follows. */
static struct span line_recipient(struct span line)
{
	struct span mail, rest;
	bool bracket;

	line = span_trim(line);
	bracket = line.len > 0 && line.at[0] == '<';
	if (bracket)
		line = span_from(line, 1);
	mail = mailbox_at(line);
	if (mail.len == 0)
		return mail;
	rest = span_from(line, mail.len);
	if (bracket)
		return rest.len > 0 && rest.at[0] == '>' ? mail : SPAN("");
	rest = span_trim(rest);
	if (rest.len == 0 || rest.at[0] == ':' || rest.at[0] == '(' || starts_nocase(rest, "on ") ||
	    starts_nocase(rest, "failed") || starts_nocase(rest, "<"))
		return mail;
	return SPAN("");
}

static void judge(struct bouncing *b, struct bounce_recipient *r, struct span block)
{
	struct span status;

	r->verdict = verdict_of(block, &status);
	r->status = status;
	r->says = said(b->arena, block);
}

/* Each block goes from its recipient's line to the next one's. */
static void read_lines(struct bouncing *b, bool may_add)
{
	struct span rest = b->text, line, mail;
	struct bounce_recipient *now = NULL;
	const char *from = NULL;

	while (span_line(&rest, &line)) {
		struct bounce_recipient *r = NULL;

		if ((mail = line_recipient(line)).len > 0) {
			for (size_t i = 0; i < b->out->recipient_count; i++)
				if (span_equal_nocase(b->out->recipients[i].mail, mail))
					r = &b->out->recipients[i];
			if (r == NULL && may_add)
				r = add_recipient(b, mail);
		}
		if (r == NULL || r == now)
			continue;
		if (now != NULL)
			judge(b, now, span_make(from, (size_t)(line.at - from)));
		now = r;
		from = mail.at + mail.len;
	}
	if (now != NULL)
		judge(b, now, span_make(from, (size_t)(b->text.at + b->text.len - from)));
}

static void read_failed(struct bouncing *b, struct span value)
{
	while (value.at != NULL) {
		struct span one = span_cut(&value, ',');

		while (one.len > 0 && (one.at[0] == ' ' || one.at[0] == '\t' || one.at[0] == '\r' || one.at[0] == '\n'))
			one = span_from(one, 1);
		if ((one = mailbox_at(one)).len > 0)
			add_recipient(b, one);
	}
}

static void read_sentences(struct bouncing *b, struct span subject)
{
	struct span header = b->mime.parts[0].header, value, status;
	bool named = mime_find(header, "X-Failed-Recipients", &value);
	bool delayed = has_any(b->text, words_delay) || has(subject, "delay");
	enum bounce_verdict whole = verdict_of(b->text, &status);

	if (named)
		read_failed(b, value);
	read_lines(b, !named);
	if (whole == BOUNCE_UNKNOWN && has_any(b->text, words_given_up))
		whole = BOUNCE_FOR_GOOD;
	if (delayed)
		whole = BOUNCE_DELAYED;
	for (size_t i = 0; i < b->out->recipient_count; i++) {
		struct bounce_recipient *r = &b->out->recipients[i];

		if (r->verdict == BOUNCE_UNKNOWN || delayed) {
			r->verdict = whole;
			r->status = r->status.len > 0 ? r->status : status;
			r->says = r->says.len > 0 ? r->says : said(b->arena, b->text);
		}
	}
	if (b->out->recipient_count == 0 && b->out->tag.len > 0)
		b->out->verdict = whole;
}

/* ---- of the whole mail ---- */

static bool is_tag_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

/* What has the form of "+TAG@". */
static struct span find_tag(struct span s)
{
	const size_t n = BOUNCE_TAG_SIZE - 1;

	for (const char *p = s.at; s.len > 0 && (p = memchr(p, '+', (size_t)(s.at + s.len - p))) != NULL; p++) {
		size_t left = (size_t)(s.at + s.len - p) - 1, i = 0;

		while (i < n && i < left && is_tag_letter(p[1 + i]))
			i++;
		if (i == n && left > n && p[1 + n] == '@')
			return span_make(p + 1, n);
	}
	return SPAN("");
}

static void find_any_tag(struct bounce *o, struct span header, struct span mail)
{
	static const char *const names[] = { "X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To", "To",
					     "Resent-To",     "Cc",	      NULL };
	struct span value;
	size_t at;

	for (size_t i = 0; names[i] != NULL && o->tag.len == 0; i++)
		if (mime_find(header, names[i], &value))
			o->tag = find_tag(value);
	/* The header line that our own mails have, in what came back. */
	if (o->tag.len == 0 && (at = find_nocase(mail, "\nX-Comity-Tag: ")) < mail.len) {
		struct span rest = span_from(mail, at + strlen("\nX-Comity-Tag: ")), line;

		if (span_line(&rest, &line) && line.len == BOUNCE_TAG_SIZE - 1)
			o->tag = line;
	}
	if (o->tag.len == 0)
		o->tag = find_tag(mail);
	for (size_t i = 0; i < o->tag.len; i++)
		if (!is_tag_letter(o->tag.at[i]))
			o->tag = SPAN("");
}

/* "<32 hex digits>.<10>@node>" of our Message-ID: the start of the notice's id. */
static struct span find_about(struct span s, struct span node)
{
	const size_t n = 32 + 1 + 10 + 1;

	for (size_t i = 0; s.len > n + node.len && i < s.len - n - node.len; i++) {
		size_t k = 1;

		if (s.at[i] != '<')
			continue;
		while (k <= 43 && (is_digit(s.at[i + k]) || (s.at[i + k] >= 'a' && s.at[i + k] <= 'f') ||
				   (k == 33 && s.at[i + k] == '.')))
			k++;
		if (k == 44 && s.at[i + 33] == '.' && s.at[i + 44] == '@' &&
		    span_equal_nocase(span_make(s.at + i + 45, node.len), node) && s.at[i + 45 + node.len] == '>')
			return span_make(s.at + i + 1, 32);
	}
	return SPAN("");
}

static void find_about_any(struct bounce *o, struct span header, struct span node)
{
	struct span value;

	if (mime_find(header, "In-Reply-To", &value))
		o->about = find_about(value, node);
	if (o->about.len == 0 && mime_find(header, "References", &value))
		o->about = find_about(value, node);
}

static bool is_automatic(struct span header)
{
	static const char *const kinds[] = { "bulk", "junk", "list", "auto_reply", NULL };
	struct span value;

	if (mime_find(header, "Auto-Submitted", &value) && !starts_nocase(value, "no"))
		return true;
	if (mime_find(header, "Return-Path", &value) && span_is(value, "<>"))
		return true;
	if (mime_find(header, "From", &value) && (has(value, "mailer-daemon") || has(value, "postmaster@")))
		return true;
	for (size_t i = 0; mime_find(header, "Precedence", &value) && kinds[i] != NULL; i++)
		if (starts_nocase(value, kinds[i]))
			return true;
	return mime_find(header, "X-Failed-Recipients", &value) || mime_find(header, "X-Autoreply", &value) ||
	       mime_find(header, "X-Autorespond", &value) || mime_find(header, "List-Id", &value);
}

/* An answer by rule also comes with an empty return path: it needs a server's name or a server's subject to be a bounce. */
static bool is_bounce(struct span header, struct span subject)
{
	static const char *const subjects[] = { "undeliver",
						"delivery status",
						"delivery failure",
						"delivery has failed",
						"returned mail",
						"mail delivery fail",
						"failure notice",
						"delivery notification",
						"message you sent blocked",
						"could not be delivered",
						NULL };
	struct span value;

	if (mime_find(header, "X-Failed-Recipients", &value))
		return true;
	if (mime_find(header, "From", &value) && (has(value, "mailer-daemon") || has(value, "postmaster@")))
		return true;
	return mime_find(header, "Return-Path", &value) && span_is(value, "<>") && has_any(subject, subjects);
}

static bool is_own(struct span header, struct span node)
{
	struct span value;

	return mime_find(header, "X-Loop", &value) && span_equal_nocase(value, node);
}

/* Over all; a recipient that arrived does not make up for one that did not. */
static void sum(struct bounce *o)
{
	static const int weights[BOUNCE_VERDICT_COUNT] = {
		[BOUNCE_NONE] = 0,    [BOUNCE_UNKNOWN] = 1, [BOUNCE_DELIVERED] = 2,
		[BOUNCE_DELAYED] = 3, [BOUNCE_FOR_NOW] = 4, [BOUNCE_FOR_GOOD] = 5
	};

	for (size_t i = 0; i < o->recipient_count; i++)
		if (weights[o->recipients[i].verdict] > weights[o->verdict])
			o->verdict = o->recipients[i].verdict;
}

enum err bounce_read(struct arena *a, struct span node, struct span mail, struct bounce *out)
{
	struct bouncing b = { .arena = a, .out = out };
	struct span header, name, value, subject = SPAN("");
	bool any = false;
	enum err e;

	*out = (struct bounce){ .tag = SPAN(""), .about = SPAN(""), .from = SPAN(""), .subject = SPAN("") };
	if ((e = mime_read(a, mail, &b.mime)) != OK)
		return e;
	header = b.mime.parts[0].header;
	value = header;
	if (!mime_field(&value, &name, &subject))
		return fail(ERR_MAIL, "no header line");
	if ((out->recipients = arena_array(a, BOUNCE_RECIPIENTS_MAX, sizeof(*out->recipients))) == NULL)
		return ERR_NO_MEMORY;
	subject = mime_find(header, "Subject", &value) ? mime_text(a, value) : SPAN("");
	out->subject = said(a, subject);
	if (mime_find(header, "From", &value))
		out->from = said(a, mime_text(a, value));
	find_any_tag(out, header, mail);
	find_about_any(out, header, node);
	out->automatic = is_automatic(header);
	out->own = is_own(header, node);
	if (out->own)
		return OK;
	if ((e = read_status_parts(&b, &any)) != OK)
		return e;
	if (any && out->recipient_count == 0 && out->tag.len > 0)
		out->verdict = b.nameless != BOUNCE_NONE ? b.nameless : BOUNCE_UNKNOWN;
	out->automatic = out->automatic || any;
	if (!any && is_bounce(header, subject) && (e = take_text(&b)) == OK)
		read_sentences(&b, subject);
	sum(out);
	return e;
}
