#include "cli/acting.h"

#include "base/file.h"
#include "mail/contact_choice.h"
#include "store/journal.h"
#include "territory/contacts.h"

#define REJECTS_SHOWN 5

/* The first operands, but for the last `spare`: "AS64500", or two words as in "country EE". */
static enum err read_whom(struct cli *c, size_t spare, struct addressee *to)
{
	size_t words = c->operand_count - spare;
	char *text;
	enum err e;

	if (words != 1 && words != 2)
		return fail(ERR_USAGE, "use: comity %s %s", c->command->name, c->command->operands);
	text = words == 1 ? c->operands[0] : arena_print(c->arena, "%s %s", c->operands[0], c->operands[1]);
	if (text == NULL)
		return ERR_NO_MEMORY;
	e = addressee_parse(span_of(text), to);
	if (e == OK && to->type == TO_ALL)
		e = fail(ERR_USAGE, "all is nobody to write to");
	return e == OK ? OK : fail(ERR_USAGE, "`%s`: %s", text, err_detail());
}

static enum err record(struct cli *c, const struct addressee *to, const struct contact *contact)
{
	struct buffer b = BUFFER(1 << 17);
	struct node *n = NULL;
	struct span part;
	enum err e;

	contact_write(&b, to, contact);
	if ((e = b.err) == OK)
		e = act_begin(c, &n);
	part = buffer_view(&b);
	if (e == OK)
		e = node_add_private(n, RECORD_PRIVATE, &part, 1);
	e = act_end(n, e);
	buffer_free(&b);
	return e;
}

/* A key as `gpg --export` writes it, with or without --armor. */
static enum err read_key(struct cli *c, struct span *out)
{
	const char *path = cli_option(c, "openpgp");
	enum err e;

	if (path == NULL)
		return OK;
	e = file_read(c->arena, path, CONTACT_OPENPGP_MAX, out);
	if (e == OK && out->len == 0)
		e = fail(ERR_USAGE, "%s is empty", path);
	if (e == OK && span_starts(*out, "-----"))
		e = fail(ERR_USAGE, "%s is armoured; export the key without --armor", path);
	if (e == OK && ((uint8_t)out->at[0] & 0x80) == 0)
		e = fail(ERR_USAGE, "%s is no OpenPGP key", path);
	return e;
}

int cmd_contact_add(struct cli *c)
{
	struct contact contact = { .source = CONTACT_OPERATOR, .since_ms = clock_now_ms() };
	struct addressee to;
	enum err e = read_whom(c, 1, &to);

	contact.mail = span_of(c->operands[c->operand_count - 1]);
	if (e == OK && contact_mail_check(contact.mail) != OK)
		e = fail(ERR_USAGE, "`%s`: %s", c->operands[c->operand_count - 1], err_detail());
	if (e == OK)
		e = read_key(c, &contact.openpgp);
	if (e == OK)
		e = record(c, &to, &contact);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%s is written to at %s%s.\n", cli_addressee(c, &to), c->operands[c->operand_count - 1],
		       contact.openpgp.len > 0 ? ", encrypted" : "");
	return EXIT_OK;
}

int cmd_contact_remove(struct cli *c)
{
	struct contact contact = { .source = CONTACT_OPERATOR };
	struct addressee to;
	enum err e = read_whom(c, 0, &to);

	if (e == OK)
		e = record(c, &to, &contact);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%s has no contact set by the operator any more.\n", cli_addressee(c, &to));
	return EXIT_OK;
}

/* ---- list ---- */

struct listing {
	struct cli *c;
	const struct state *st;
	const struct addressee *to;
	size_t count;
};

static void contact_object(struct listing *l, const struct contact *contact, const struct contact_health *h)
{
	struct json *j = cli_object(l->c);

	addressee_json(j, "to", l->to);
	if (contact->mail.len > 0)
		json_string(j, "mail", contact->mail);
	else
		json_null(j, "mail");
	json_text(j, "source", contact_source_name(contact->source));
	json_bool(j, "openpgp", contact->openpgp.len > 0);
	json_time(j, "since", contact->since_ms);
	json_number(j, "sent", (int64_t)h->sent);
	json_number(j, "bounced_for_good", (int64_t)h->bounced_for_good);
	json_number(j, "bounced_for_now", (int64_t)h->bounced_for_now);
	json_number(j, "answered", (int64_t)h->answered);
	json_time(j, "last_sent", h->last_sent_ms);
	json_time(j, "last_bounced", h->last_bounced_ms);
	json_time(j, "last_answered", h->last_answered_ms);
	if (h->answered > 0)
		json_number(j, "mean_answer_s", h->answer_sum_ms / 1000 / (int64_t)h->answered);
	else
		json_null(j, "mean_answer_s");
	json_bool(j, "quarantined", h->quarantined);
	cli_object_end(l->c);
}

static void contact_lines(struct listing *l, const struct contact *contact, const struct contact_health *h)
{
	cli_column(span_of(cli_addressee(l->c, l->to)), 24);
	cli_column(span_of(contact_source_name(contact->source)), 8);
	cli_print(contact->mail.len > 0 ? contact->mail : SPAN("the register names none"));
	printf("%s\n", contact->openpgp.len > 0 ? ", encrypted" : "");
	if (h->sent + h->bounced_for_good + h->bounced_for_now + h->answered == 0)
		return;
	printf("  %llu sent, %llu came back for good, %llu for now, %llu answered", (unsigned long long)h->sent,
	       (unsigned long long)h->bounced_for_good, (unsigned long long)h->bounced_for_now,
	       (unsigned long long)h->answered);
	if (h->answered > 0)
		printf(" after %.1f hours on average", (double)h->answer_sum_ms / 3600000.0 / (double)h->answered);
	printf("%s\n", h->quarantined ? "; not written to any more, `contact add` sets it again" : "");
}

static enum err list_contact(void *context, const struct contact *contact)
{
	struct listing *l = context;
	struct contact_health h;
	enum err e = contact_health(l->st, contact->mail, &h);

	if (e != OK)
		return e;
	l->count++;
	(l->c->json ? contact_object : contact_lines)(l, contact, &h);
	return OK;
}

static enum err list_row(void *context, const struct addressee *to, const struct contact *contact)
{
	struct listing *l = context;

	l->to = to;
	return list_contact(l, contact);
}

static enum err list_party(void *context, const struct party *p)
{
	struct listing *l = context;
	struct addressee to = { .type = TO_PARTY, .domain = p->domain };
	struct contact contact = { .source = CONTACT_PARTY, .since_ms = p->logged_ms };
	enum err e = OK;

	l->to = &to;
	for (unsigned i = 0; e == OK && party_contact(p, i, &contact.mail); i++)
		e = list_contact(l, &contact);
	l->to = NULL;
	return e;
}

static enum err list_all(const struct state *st, struct listing *l)
{
	enum err e = contacts_walk(st, list_row, l);

	return e == OK ? state_parties(st, list_party, l) : e;
}

static enum err open_chooser(struct cli *c, const struct state *st, struct config *config, struct contact_chooser **out)
{
	char *path = arena_print(c->arena, "%s/config", c->dir);
	enum err e = path != NULL ? config_read(c->arena, path, NULL, NULL, config) : ERR_NO_MEMORY;

	return e == OK ? contact_chooser_open(c->dir, config, st, out) : e;
}

/* Those of the registers' dump too. */
static enum err list_of(struct listing *l, const struct addressee *to)
{
	struct contact_chooser *chooser = NULL;
	struct config config;
	enum err e = open_chooser(l->c, l->st, &config, &chooser);

	if (e == OK)
		e = contacts_known(chooser, l->st, l->c->arena, to, list_contact, l);
	contact_chooser_close(chooser);
	return e;
}

int cmd_contact_list(struct cli *c)
{
	struct listing l = { .c = c };
	struct addressee to;
	struct node *n = NULL;
	struct state st;
	enum err e = c->operand_count > 0 ? read_whom(c, 0, &to) : OK;

	if (e == OK)
		e = node_open(c->dir, NODE_READ, &n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		l.st = &st;
		l.to = &to;
		e = c->operand_count > 0 ? list_of(&l, &to) : list_all(&st, &l);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	if (e != OK)
		return cli_fail(c, e);
	if (l.count == 0 && !c->json)
		printf("No contacts.\n");
	return EXIT_OK;
}

/* ---- import ---- */

static void show_reject(void *context, const char *path, uint64_t line, enum err why, struct span row)
{
	uint64_t *count = context;

	if (++*count > REJECTS_SHOWN)
		return;
	fprintf(stderr, "comity: %s, line %llu: %s: `", path, (unsigned long long)line, err_code(why));
	for (size_t i = 0; i < row.len && i < 80; i++)
		fputc((unsigned char)row.at[i] < 0x20 || (unsigned char)row.at[i] >= 0x7f ? '?' : row.at[i], stderr);
	fputs("`\n", stderr);
}

static int show_imported(struct cli *c, const char *path)
{
	struct contacts_table *t = NULL;
	struct contacts_facts f;
	enum err e = contacts_open(path, &t);

	if (e == OK)
		e = contacts_check(t);
	if (e != OK) {
		contacts_close(t);
		return cli_fail(c, e);
	}
	contacts_facts(t, &f);
	if (c->json) {
		struct json *j = cli_object(c);

		json_number(j, "objects", (int64_t)f.objects);
		json_number(j, "rejected", (int64_t)f.rejected);
		json_number(j, "as_numbers", (int64_t)f.as_numbers);
		json_number(j, "ranges_ipv4", (int64_t)f.ranges_ipv4);
		json_number(j, "ranges_ipv6", (int64_t)f.ranges_ipv6);
		json_number(j, "mailboxes", (int64_t)f.mailboxes);
		cli_object_end(c);
	} else {
		printf("%llu objects read, %llu lines left out: mailboxes for %llu AS numbers, %llu IPv4 and %llu IPv6 "
		       "ranges\n",
		       (unsigned long long)f.objects, (unsigned long long)f.rejected, (unsigned long long)f.as_numbers,
		       (unsigned long long)f.ranges_ipv4, (unsigned long long)f.ranges_ipv6);
	}
	contacts_close(t);
	return EXIT_OK;
}

static int import_whois(struct cli *c)
{
	char *path = arena_print(c->arena, "%s/contacts.table", c->dir);
	struct contacts_build *b = NULL;
	uint64_t rejected = 0;
	enum err e = path != NULL ? contacts_build_new(&b) : ERR_NO_MEMORY;

	if (e == OK)
		contacts_on_reject(b, show_reject, &rejected);
	for (size_t i = 1; e == OK && i < c->operand_count; i++)
		e = contacts_build_add(b, c->operands[i]);
	if (e == OK)
		e = contacts_build_write(b, path);
	contacts_build_free(b);
	if (rejected > REJECTS_SHOWN)
		fprintf(stderr, "comity: %llu lines or values could not be read\n", (unsigned long long)rejected);
	return e == OK ? show_imported(c, path) : cli_fail(c, e);
}

/* Once, for one addressee: as the mailer does where it knows no mailbox. */
static enum err ask_register(struct cli *c, const struct addressee *to, struct contact_chooser *chooser,
			     struct buffer *record)
{
	enum err e = contact_ask_about(chooser, c->arena, to, record);
	struct span part = buffer_view(record);
	struct node *n = NULL;

	if (e == OK)
		e = act_begin(c, &n);
	if (e == OK)
		e = node_add_private(n, RECORD_PRIVATE, &part, 1);
	return act_end(n, e);
}

static int import_rdap(struct cli *c)
{
	struct buffer record = BUFFER(1 << 16);
	struct contact_chooser *chooser = NULL;
	struct node *n = NULL;
	struct addressee to;
	struct config config;
	struct state st;
	enum err e;

	memmove(c->operands, c->operands + 1, --c->operand_count * sizeof(*c->operands)); /* the word rdap */
	e = read_whom(c, 0, &to);
	if (e == OK)
		e = node_open(c->dir, NODE_READ, &n);
	if (e == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = open_chooser(c, &st, &config, &chooser);
		snapshot_end(st.snapshot);
	}
	node_close(n);
	if (e == OK)
		e = ask_register(c, &to, chooser, &record);
	contact_chooser_close(chooser);
	buffer_free(&record);
	return e == OK ? cmd_contact_list(c) : cli_fail(c, e);
}

int cmd_contact_import(struct cli *c)
{
	if (span_is(span_of(c->operands[0]), "whois"))
		return import_whois(c);
	if (span_is(span_of(c->operands[0]), "rdap"))
		return import_rdap(c);
	return cli_fail(c, fail(ERR_USAGE, "import from whois (files) or rdap (an AS number or prefix), not `%s`",
				c->operands[0]));
}
