#include "mail/contact_choice.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "mail/rdap.h"
#include "territory/contacts.h"
#include "territory/table.h"

#define KNOWN_MAX 16

/* Which file is mapped: one that was swapped in has another of these. */
struct version {
	dev_t device;
	ino_t inode;
	struct timespec changed;
};

struct contact_chooser {
	char *contacts_path, *table_path;
	struct version contacts_version, table_version;
	struct contacts_table *contacts; /* NULL: none */
	struct table *table;		 /* NULL: none */
	struct rdap *rdap;		 /* NULL: the register is not asked */
	struct addressee to_ask;	 /* an AS or a prefix; TO_ALL: nothing */
};

static struct version version_of(const char *path)
{
	struct version v;
	struct stat s;

	memset(&v, 0, sizeof(v));
	if (stat(path, &s) == 0) {
		v.device = s.st_dev;
		v.inode = s.st_ino;
		v.changed = s.st_mtim;
	}
	return v;
}

static bool same(const struct version *a, const struct version *b)
{
	return a->device == b->device && a->inode == b->inode && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

/* A table that is not there is no fault; one that is damaged is: contacts would be passed over without a word. */
static enum err refresh_contacts(struct contact_chooser *c)
{
	struct version v = version_of(c->contacts_path);
	struct contacts_table *fresh = NULL;
	enum err e;

	if (same(&v, &c->contacts_version))
		return OK;
	e = contacts_open(c->contacts_path, &fresh);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	contacts_close(c->contacts);
	c->contacts = fresh;
	c->contacts_version = v;
	return OK;
}

static enum err refresh_table(struct contact_chooser *c)
{
	struct version v = version_of(c->table_path);
	struct table *fresh = NULL;
	enum err e;

	if (same(&v, &c->table_version))
		return OK;
	e = table_open(c->table_path, &fresh);
	if (e != OK && e != ERR_TABLE_MISSING)
		return e;
	table_close(c->table);
	c->table = fresh;
	c->table_version = v;
	return OK;
}

enum err contact_chooser_refresh(struct contact_chooser *c)
{
	enum err e = refresh_contacts(c);

	return e == OK ? refresh_table(c) : e;
}

static char *path_in(const char *dir, const char *name)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

enum err contact_chooser_open(const char *dir, const struct config *config, const struct state *st,
			      struct contact_chooser **out)
{
	struct contact_chooser *c = calloc(1, sizeof(*c));
	enum err e = OK;

	if (c == NULL)
		return fail(ERR_NO_MEMORY, "no room to choose contacts");
	c->contacts_path = path_in(dir, "contacts.table");
	c->table_path = path_in(dir, "territory.table");
	if (c->contacts_path == NULL || c->table_path == NULL)
		e = fail(ERR_NO_MEMORY, "no room for a path");
	if (e == OK)
		e = contact_chooser_refresh(c);
	if (e == OK)
		e = rdap_open(config, st, &c->rdap);
	c->to_ask.type = TO_ALL;
	if (e == OK)
		*out = c;
	else
		contact_chooser_close(c);
	return e;
}

void contact_chooser_close(struct contact_chooser *c)
{
	if (c == NULL)
		return;
	rdap_close(c->rdap);
	contacts_close(c->contacts);
	table_close(c->table);
	free(c->contacts_path);
	free(c->table_path);
	free(c);
}

/* ---- what is known ---- */

struct known {
	struct contact list[KNOWN_MAX];
	size_t count;
};

static void add(struct known *k, const struct contact *c)
{
	for (size_t i = 0; i < k->count; i++)
		if (span_equal(k->list[i].mail, c->mail))
			return;
	if (k->count < KNOWN_MAX)
		k->list[k->count++] = *c;
}

struct split {
	struct known before, after; /* the registers' dump */
};

static enum err split(void *context, const struct contact *c)
{
	struct split *s = context;

	add(c->source < CONTACT_WHOIS ? &s->before : &s->after, c);
	return OK;
}

/* In the order of their sources. Where the register was last asked is no matter here. */
static enum err gather(const struct contact_chooser *c, const struct state *st, const struct addressee *to,
		       struct known *out)
{
	struct contact whois = { .source = CONTACT_WHOIS, .openpgp = SPAN("") };
	struct contacts_found found;
	struct split s = { .before.count = 0 };
	enum err e = contacts_of(st, to, split, &s);

	if (e != OK)
		return e;
	*out = s.before;
	if (c->contacts != NULL && contacts_lookup(c->contacts, to, &found)) {
		struct contacts_facts f;

		contacts_facts(c->contacts, &f);
		whois.mail = found.mail;
		whois.since_ms = f.built_ms;
		add(out, &whois);
	}
	for (size_t i = 0; i < s.after.count; i++)
		add(out, &s.after.list[i]);
	return OK;
}

enum err contacts_known(struct contact_chooser *c, const struct state *st, struct arena *a, const struct addressee *to,
			contact_each *each, void *context)
{
	struct known k;
	enum err e = gather(c, st, to, &k);

	(void)a;
	for (size_t i = 0; e == OK && i < k.count; i++)
		e = each(context, &k.list[i]);
	return e;
}

/* ---- the choice ---- */

static enum err first_good(const struct contact_chooser *c, const struct state *st, const struct outbox_item *i,
			   const struct addressee *to, struct contact *out, bool *found)
{
	struct known k;
	enum err e = gather(c, st, to, &k);

	for (size_t n = 0; e == OK && !*found && n < k.count; n++) {
		struct contact_health h;

		e = contact_health(st, k.list[n].mail, &h);
		if (e == OK && !h.quarantined && !outbox_was_tried(i, k.list[n].mail)) {
			*out = k.list[n];
			*found = true;
		}
	}
	return e;
}

/* The register was not asked, or long ago. */
static enum err may_ask(const struct contact_chooser *c, const struct state *st, const struct addressee *to, bool *yes)
{
	struct contact last;
	enum err e;

	if (c->rdap == NULL || !rdap_knows(c->table, to))
		return OK;
	e = contact_find(st, to, CONTACT_RDAP, &last);
	*yes = e == ERR_NOT_FOUND || (e == OK && clock_now_ms() - last.since_ms > RDAP_KEPT_MS);
	return e == ERR_NOT_FOUND ? OK : e;
}

static bool as_of(const struct contact_chooser *c, const struct addressee *to, struct addressee *out)
{
	struct table_record r;

	if (to->type != TO_PREFIX || c->table == NULL)
		return false;
	table_record(c->table, table_find(c->table, prefix_first(to->prefix)), &r);
	*out = (struct addressee){ .type = TO_AS, .asn = r.asn };
	return r.asn != 0;
}

enum err contact_choose(struct contact_chooser *c, const struct state *st, const struct outbox_item *i, struct arena *a,
			enum contact_choice *choice, struct contact *out)
{
	struct addressee as;
	bool has_as = as_of(c, &i->key.to, &as), found = false, ask = false, ask_as = false;
	enum err e = first_good(c, st, i, &i->key.to, out, &found);

	(void)a;
	if (e == OK && !found)
		e = may_ask(c, st, &i->key.to, &ask);
	if (e == OK && !found && !ask && has_as)
		e = first_good(c, st, i, &as, out, &found);
	if (e == OK && !found && !ask && has_as) {
		e = may_ask(c, st, &as, &ask);
		ask_as = ask;
	}
	c->to_ask = !ask || found ? (struct addressee){ .type = TO_ALL } : ask_as ? as : i->key.to;
	*choice = found ? CONTACT_CHOSEN : ask ? CONTACT_ASK_RDAP : CONTACT_NONE;
	return e;
}

enum err contact_ask_about(struct contact_chooser *c, struct arena *a, const struct addressee *to,
			   struct buffer *record)
{
	struct contact said;
	enum err e;

	if (c->rdap == NULL)
		return fail(ERR_NOT_FOUND, "no `rdap-server` is configured, so no register is asked");
	e = rdap_ask(c->rdap, c->table, to, a, clock_now_ms(), &said);
	if (e != OK)
		return e;
	contact_write(record, to, &said);
	return record->err;
}

enum err contact_ask(struct contact_chooser *c, struct arena *a, struct buffer *record)
{
	if (c->to_ask.type == TO_ALL)
		return fail(ERR_NOT_FOUND, "there is nothing to ask the register");
	return contact_ask_about(c, a, &c->to_ask, record);
}
