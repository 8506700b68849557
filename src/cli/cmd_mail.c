/* `comity mail key|read|send|show`: notices by mail, and what comes back. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/acting.h"
#include "exchange/delivery_mail.h"
#include "ledger/entry.h"
#include "store/journal.h"

#define MAIL_READ_MAX ((size_t)32 << 20)
#define MAIL_ARENA ((size_t)96 << 20)

static enum err read_config(struct cli *c, struct config *out)
{
	const char *path = cli_option(c, "config");

	if (path == NULL)
		path = arena_print(c->arena, "%s/config", c->dir);
	return path == NULL ? ERR_NO_MEMORY : config_read(c->arena, path, NULL, NULL, out);
}

/* ---- key ---- */

static enum err key_make(struct cli *c, char fingerprint[MAIL_FINGERPRINT])
{
	const char *import = cli_option(c, "import");
	struct config config;
	struct span key;
	struct node *n = NULL;
	enum err e = OK;

	if (import != NULL) {
		e = file_read(c->arena, import, (size_t)1 << 20, &key);
		return e == OK ? mail_key_import(c->dir, key, fingerprint) : e;
	}
	if ((e = read_config(c, &config)) == OK && config.mail_from.len == 0)
		e = fail(ERR_USAGE, "the configuration names no `mail-from`, the mailbox that the key is for");
	if (e == OK && (e = node_open(c->dir, NODE_READ, &n)) == OK)
		e = mail_key_make(c->dir, config.title.len > 0 ? config.title : node_name(n), config.mail_from,
				  fingerprint);
	node_close(n);
	return e;
}

int cmd_mail_key(struct cli *c)
{
	char fingerprint[MAIL_FINGERPRINT];
	struct buffer key = BUFFER((size_t)1 << 20);
	enum err e;

	if (cli_flag(c, "export")) {
		if ((e = mail_key_export(c->dir, &key)) == OK)
			fwrite(key.at, 1, key.len, stdout);
	} else {
		e = mail_key_find(c->dir, fingerprint);
		if (e == ERR_NOT_FOUND || (e == OK && cli_option(c, "import") != NULL))
			e = key_make(c, fingerprint);
		if (e == OK && c->json) {
			json_text(cli_object(c), "fingerprint", fingerprint);
			cli_object_end(c);
		} else if (e == OK) {
			printf("%s\n", fingerprint);
		}
	}
	mail_key_rest(c->dir);
	buffer_free(&key);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- send ---- */

static void show_event(void *context, const struct outbox_event *event)
{
	struct cli *c = context;

	if (c->json) {
		struct json *j = cli_object(c);

		addressee_json(j, "to", &event->key.to);
		json_number(j, "index", (int64_t)event->key.index);
		json_text(j, "step", outbox_step_name(event->step));
		json_string(j, "contact", event->contact);
		json_string(j, "detail", event->detail);
		cli_object_end(c);
	} else {
		cli_column(span_of(cli_addressee(c, &event->key.to)), 28);
		cli_column(span_of(outbox_step_name(event->step)), 14);
		cli_print(event->contact);
		if (event->detail.len > 0)
			printf("%s", event->contact.len > 0 ? ": " : "");
		cli_print(event->detail);
		putchar('\n');
	}
}

int cmd_mail_send(struct cli *c)
{
	struct mail_line_options o = { .told = show_event, .context = c };
	struct mail_line *line = NULL;
	struct mail_worked sum = { 0 };
	struct config config;
	enum err e = read_config(c, &config);

	if (e == OK && config.smtp.len == 0)
		e = fail(ERR_USAGE, "the configuration names no mail server: `smtp` and `mail-from`");
	if (e == OK && (e = node_open(c->dir, NODE_WRITE, &o.node)) == OK && node_is_borrowed(o.node))
		e = fail(ERR_BUSY, "a server has this node; it sends by itself");
	o.config = &config;
	if (e == OK)
		e = mail_line_new(&o, &line);
	if (e == OK)
		e = mail_line_once(line, &sum);
	if (e == OK && sum.down)
		e = ERR_UNREACHABLE;
	mail_line_free(line);
	node_close(o.node);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%llu sent, %llu refused, %llu later, %llu undeliverable\n", (unsigned long long)sum.sent,
		       (unsigned long long)sum.refused, (unsigned long long)sum.later,
		       (unsigned long long)sum.undeliverable);
	return EXIT_OK;
}

/* ---- show ---- */

struct first {
	struct cli *c;
	struct contact *out;
	bool found;
	enum err err;
};

static enum err take_first(void *context, const struct contact *contact)
{
	struct first *f = context;
	const char *mail, *key;

	if (f->found)
		return OK;
	mail = arena_copy(f->c->arena, contact->mail.at, contact->mail.len);
	key = arena_copy(f->c->arena, contact->openpgp.at, contact->openpgp.len);
	if (mail == NULL || key == NULL)
		return ERR_NO_MEMORY;
	*f->out = *contact;
	f->out->mail.at = mail;
	f->out->openpgp.at = key;
	f->found = true;
	return OK;
}

static enum err whom(struct cli *c, const struct state *st, struct matter *m, unsigned *number, struct contact *out)
{
	struct first f = { .c = c, .out = out };
	struct addressee to;
	uint64_t n = 1;
	enum err e = cli_matter(c, st, c->operands[0], m);

	if (e == OK && c->operand_count > 1 && span_u64(span_of(c->operands[1]), 16, &n) != OK)
		e = fail(ERR_USAGE, "ADDRESSEE is its number among `to` and `cc`, from 1");
	*number = (unsigned)(n - 1);
	if (e == OK && (n == 0 || !matter_addressee(m, *number, &to)))
		e = fail(ERR_NOT_FOUND, "the notice has no addressee %llu", (unsigned long long)n);
	if (e == OK)
		e = contacts_of(st, &to, take_first, &f);
	if (e == OK && !f.found)
		e = fail(ERR_NOT_FOUND, "no contact is known for %s: `comity contact add`", cli_addressee(c, &to));
	return e;
}

int cmd_mail_show(struct cli *c)
{
	struct buffer text = BUFFER(MAIL_MAX);
	struct contact contact;
	struct config config;
	struct matter m;
	struct state st;
	struct node *n = NULL;
	unsigned number = 0;
	enum err e = read_config(c, &config);

	if (e == OK && (e = node_open(c->dir, NODE_WRITE, &n)) == OK && (e = node_read(n, c->arena, &st)) == OK) {
		e = whom(c, &st, &m, &number, &contact);
		snapshot_end(st.snapshot);
		if (e == OK)
			e = mail_for(n, &config, c->arena, &m.id, number, &contact, clock_now_ms(), &text);
		mail_key_rest(c->dir);
	}
	if (e == OK)
		fwrite(text.at, 1, text.len, stdout);
	node_close(n);
	buffer_free(&text);
	return e == OK ? EXIT_OK : cli_fail(c, e);
}

/* ---- read ---- */

static enum err log_record(struct node *n, const struct buffer *record)
{
	struct span part = buffer_view(record);
	enum err e = record->err != OK ? record->err : node_begin(n);

	if (e != OK)
		return e;
	if ((e = node_add_private(n, RECORD_PRIVATE, &part, 1)) != OK) {
		node_abandon(n);
		return e;
	}
	return node_commit(n);
}

static enum err log_event(struct node *n, const struct outbox_event *event)
{
	struct buffer record = BUFFER((size_t)64 << 10);
	enum err e;

	outbox_write(&record, event, 1);
	e = log_record(n, &record);
	buffer_free(&record);
	return e;
}

struct reading {
	struct cli *c;
	struct node *node;
	struct arena *arena; /* of one mail */
	uint64_t mails, bounces, others, own, unknown;
};

/* What a tag names. */
struct named {
	struct outbox_item item;
	struct span contact;
	bool found, current; /* current: the item still waits for what became of this very mail */
};

struct looking {
	const struct bounce_of *of;
	struct arena *arena;
	struct span mail;
};

static enum err look_contact(void *context, const struct contact *contact)
{
	struct looking *l = context;

	if (l->mail.len == 0 && bounce_contact_is(l->of, contact->mail))
		l->mail = span_make(arena_copy(l->arena, contact->mail.at, contact->mail.len), contact->mail.len);
	return l->mail.len > 0 && l->mail.at == NULL ? ERR_NO_MEMORY : OK;
}

/* The item, and the mailbox: the one that has it, or another that is known for the addressee. */
static enum err find_item(struct reading *r, const struct state *st, const struct bounce_of *of, struct named *out)
{
	struct looking l = { of, r->arena, SPAN("") };
	struct outbox_key key = { .way = OUTBOX_MAIL, .ledger = LEDGER_CIRCLE, .index = of->index };
	struct statement s;
	struct matter m;
	struct entry entry;
	struct span text;
	enum err e = node_entry(r->node, r->arena, LEDGER_CIRCLE, of->index, &text);

	if (e == OK && (e = entry_parse(text, &entry)) == OK && (e = statement_parse(r->arena, entry.note, &s)) == OK)
		e = state_matter(st, s.id, &m);
	if (e == OK && !matter_addressee(&m, of->addressee, &key.to))
		e = ERR_NOT_FOUND;
	if (e == OK)
		e = outbox_find(st, &key, &out->item);
	if (e != OK)
		return e == ERR_NOT_FOUND || e == ERR_MATTER_UNKNOWN ? OK : e;
	out->found = true;
	out->contact = out->item.contact;
	out->current = out->item.step == OUTBOX_HANDED_OVER && bounce_contact_is(of, out->contact);
	if (!bounce_contact_is(of, out->contact)) {
		e = contacts_of(st, &key.to, look_contact, &l);
		out->contact = l.mail;
	}
	return e;
}

/* Out of the snapshot, into the arena. */
static enum err keep(struct reading *r, struct named *of)
{
	struct span *domain = &of->item.key.to.domain;

	of->contact.at = arena_copy(r->arena, of->contact.at, of->contact.len);
	domain->at = arena_copy(r->arena, domain->at, domain->len);
	of->item.contact = of->item.detail = of->item.tried = SPAN("");
	return of->contact.at != NULL && domain->at != NULL ? OK : ERR_NO_MEMORY;
}

/* One that does not say why is as one for now: the mail did not arrive. */
static enum err log_bounce(struct reading *r, const struct bounce *b, const struct named *of)
{
	bool good = b->verdict == BOUNCE_FOR_GOOD;
	struct outbox_event event = { .key = of->item.key,
				      .step = good ? OUTBOX_BOUNCED : OUTBOX_WAITING,
				      .at_ms = clock_now_ms(),
				      .contact = of->contact };
	struct span status = SPAN(""), says = SPAN("");
	char *detail;

	if (!good)
		event.next_ms = event.at_ms + outbox_back_off_ms(of->item.attempts + 4, 0);
	for (size_t i = 0; i < b->recipient_count && says.len == 0; i++)
		if (b->recipients[i].verdict == b->verdict) {
			status = b->recipients[i].status;
			says = b->recipients[i].says;
		}
	detail = arena_print(r->arena, "bounced: %.*s %.*s", SPAN_FORMAT(status), SPAN_FORMAT(says));
	if (detail == NULL)
		return ERR_NO_MEMORY;
	event.detail = span_of(detail);
	return log_event(r->node, &event);
}

static void report(struct reading *r, const char *name, const struct bounce *b, const struct named *of, bool logged)
{
	struct cli *c = r->c;

	if (c->json) {
		struct json *j = cli_object(c);

		json_text(j, "mail", name);
		json_text(j, "verdict", bounce_verdict_name(b->verdict));
		json_bool(j, "automatic", b->automatic);
		json_bool(j, "own", b->own);
		if (of->found)
			json_hash(j, "notice", of->item.id);
		else if (b->about.len > 0)
			json_string(j, "notice", b->about);
		else
			json_null(j, "notice");
		json_string(j, "contact", of->found ? of->contact : SPAN(""));
		json_string(j, "status", b->recipient_count > 0 ? b->recipients[0].status : SPAN(""));
		json_bool(j, "logged", logged);
		json_string(j, "from", b->from);
		json_string(j, "subject", b->subject);
		cli_object_end(c);
		return;
	}
	printf("%s: %s", name, b->own ? "one of our own mails came back: a loop" : bounce_verdict_name(b->verdict));
	if (of->found) {
		char hex[HASH_HEX + 1];

		hash_hex(of->item.id, hex);
		printf(", notice %.12s to %s, ", hex, cli_addressee(c, &of->item.key.to));
		cli_print(of->contact);
	} else if (b->about.len > 0) {
		printf(", about notice %.12s", b->about.at);
	}
	if (b->verdict == BOUNCE_NONE && !b->own) {
		printf("%s: ", b->automatic ? ", automatic" : ", to be read by a person");
		cli_print(b->from);
		printf(": ");
		cli_print(b->subject);
	} else if (!b->own) {
		printf("%s", logged ? "" : of->found ? " (nothing new)" : " (no tag of this node)");
	}
	putchar('\n');
}

static bool counts(enum bounce_verdict v)
{
	return v == BOUNCE_FOR_NOW || v == BOUNCE_FOR_GOOD || v == BOUNCE_UNKNOWN;
}

/* A mail that cannot be read is told and left; only the machine ends the run. */
static enum err read_mail(struct reading *r, const char *name, struct span mail)
{
	struct named of = { .found = false };
	struct bounce_of tag;
	struct bounce b;
	struct state st;
	bool logged = false;
	enum err e;

	if (span_starts(mail, "From ")) { /* as an mbox begins */
		struct span line;

		span_line(&mail, &line);
	}
	r->mails++;
	if ((e = bounce_read(r->arena, node_name(r->node), mail, &b)) != OK) {
		if (e == ERR_NO_MEMORY)
			e = fail(ERR_TOO_LONG, "%s", name);
		fprintf(stderr, "%s: %s: %s\n", name, err_code(e), err_detail());
		r->unknown++;
		return OK;
	}
	if ((e = node_read(r->node, r->arena, &st)) != OK)
		return e;
	if (b.tag.len > 0 && !b.own && bounce_tag_read(r->node, b.tag, &tag) == OK)
		e = find_item(r, &st, &tag, &of);
	if (e == OK && of.found)
		e = keep(r, &of);
	snapshot_end(st.snapshot);
	if (e == OK && of.found && of.current && counts(b.verdict)) {
		e = log_bounce(r, &b, &of);
		logged = e == OK;
	}
	if (e == OK)
		report(r, name, &b, &of, logged);
	r->bounces += logged;
	r->own += b.own;
	r->others += b.verdict == BOUNCE_NONE && !b.own;
	return e;
}

static enum err read_file(struct reading *r, const char *path)
{
	struct span mail;
	enum err e = file_read(r->arena, path, MAIL_READ_MAX, &mail);

	if (e == ERR_TOO_LONG) {
		fprintf(stderr, "%s: %s\n", path, err_code(e));
		r->unknown++;
		e = OK;
	} else if (e == OK) {
		e = read_mail(r, path, mail);
	}
	arena_reset(r->arena);
	return e;
}

static enum err read_input(struct reading *r)
{
	struct buffer mail = BUFFER(MAIL_READ_MAX);
	enum err e = OK;
	ssize_t n;

	do {
		char *to = buffer_room(&mail, 65536);

		n = to != NULL ? read(STDIN_FILENO, to, 65536) : 0;
		mail.len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	e = mail.err != OK ? mail.err : n < 0 ? fail_errno("standard input") : read_mail(r, "-", buffer_view(&mail));
	buffer_free(&mail);
	return e;
}

/* A Maildir: what is in `new` is read and goes to `cur`, as seen. What a crash left in between is read again, and says nothing new. */
static enum err read_maildir(struct reading *r, const char *path)
{
	const char *folder = arena_print(r->c->arena, "%s/new", path);
	struct dirent **names = NULL;
	enum err e = OK;
	int n;

	if (folder == NULL)
		return ERR_NO_MEMORY;
	if ((n = scandir(folder, &names, NULL, alphasort)) < 0)
		return fail_errno("%s: a Maildir has a folder `new`", path);
	for (int i = 0; i < n; i++) {
		const char *from = arena_print(r->c->arena, "%s/%s", folder, names[i]->d_name),
			   *to = arena_print(r->c->arena, "%s/cur/%s:2,S", path, names[i]->d_name);

		if (from == NULL || to == NULL)
			e = ERR_NO_MEMORY;
		if (e == OK && names[i]->d_name[0] != '.' && (e = read_file(r, from)) == OK && rename(from, to) != 0)
			e = fail_errno("%s", to);
		free(names[i]);
	}
	free(names);
	return e;
}

static enum err read_one(struct reading *r, const char *path)
{
	struct stat st;

	if (strcmp(path, "-") == 0)
		return read_input(r);
	if (stat(path, &st) != 0)
		return fail_errno("%s", path);
	return S_ISDIR(st.st_mode) ? read_maildir(r, path) : read_file(r, path);
}

int cmd_mail_read(struct cli *c)
{
	struct reading r = { .c = c, .arena = arena_new(MAIL_ARENA) };
	enum err e = r.arena == NULL ? ERR_NO_MEMORY : node_open(c->dir, NODE_WRITE, &r.node);

	for (size_t i = 0; e == OK && i < c->operand_count; i++)
		e = read_one(&r, c->operands[i]);
	if (e == OK && c->operand_count == 0)
		e = read_input(&r);
	if (r.node != NULL && e == OK)
		e = node_publish(r.node);
	node_close(r.node);
	arena_free(r.arena);
	if (e != OK)
		return cli_fail(c, e);
	if (!c->json)
		printf("%llu mails: %llu bounces logged, %llu to be looked at, %llu of our own, %llu unreadable\n",
		       (unsigned long long)r.mails, (unsigned long long)r.bounces, (unsigned long long)r.others,
		       (unsigned long long)r.own, (unsigned long long)r.unknown);
	return EXIT_OK;
}
