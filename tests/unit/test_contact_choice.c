/* Which mailbox is next: the order of the sources, what is passed over, whom else an address leads to, when a register is asked. */
#include "mail/contact_choice.h"

#include <stdio.h>

#include "base/file.h"
#include "mail/rdap.h"
#include "regime_node.h"
#include "territory/build.h"
#include "territory/contacts.h"

#define T0 INT64_C(1795000000000)

static const struct addressee as7 = { .type = TO_AS, .asn = 64507 };
static const struct addressee net = { .type = TO_PREFIX, .prefix = { { 0, 0x052c0100, FAMILY_IPV4 }, 24 } };

struct desk {
	struct world *w;
	struct config config;
	struct contact_chooser *chooser;
};

static void record(struct world *w, const struct buffer *b)
{
	struct span part = buffer_view(b);

	assert_int_equal(b->err, OK);
	assert_int_equal(node_begin(w->n), OK);
	assert_int_equal(node_add_private(w->n, RECORD_PRIVATE, &part, 1), OK);
	assert_int_equal(node_commit(w->n), OK);
}

static void set_contact(struct world *w, const struct addressee *to, enum contact_source source, const char *mail,
			int64_t since_ms)
{
	struct contact c = { .mail = span_of(mail), .source = source, .since_ms = since_ms };
	struct buffer b = BUFFER(1 << 16);

	contact_write(&b, to, &c);
	record(w, &b);
	buffer_free(&b);
}

static void import(struct world *w, const char *text)
{
	struct contacts_build *b = NULL;

	assert_int_equal(contacts_build_new(&b), OK);
	assert_int_equal(contacts_build_add_text(b, span_of(text)), OK);
	assert_int_equal(contacts_build_write(b, arena_print(w->arena, "%s/contacts.table", w->dir)), OK);
	contacts_build_free(b);
}

/* 5.44.0.0/16 is originated by AS64507. */
static void make_table(struct world *w)
{
	struct build_source source = { .path = arena_print(w->arena, "%s/asn-ipv4.csv", w->dir) };
	struct build *b = NULL;

	assert_int_equal(file_write_lazily(source.path, SPAN("5.44.0.0,5.44.255.255,64507,\"Example\"\n"), 0600), OK);
	assert_int_equal(build_new(&b), OK);
	assert_int_equal(build_add(b, &source), OK);
	assert_int_equal(build_write(b, arena_print(w->arena, "%s/territory.table", w->dir)), OK);
	build_free(b);
}

static struct desk desk_of(struct world *w, const char *text)
{
	struct desk d = { .w = w };
	struct state st;

	assert_int_equal(config_parse(w->arena, span_of(text), "config", NULL, NULL, &d.config), OK);
	assert_int_equal(node_read(w->n, w->arena, &st), OK);
	assert_int_equal(contact_chooser_open(w->dir, &d.config, &st, &d.chooser), OK);
	snapshot_end(st.snapshot);
	return d;
}

static void chooses(struct desk *d, const struct outbox_item *i, enum contact_choice choice, const char *mail)
{
	struct contact c = { .mail = SPAN("") };
	enum contact_choice got;
	struct state st;

	assert_int_equal(node_read(d->w->n, d->w->arena, &st), OK);
	assert_int_equal(contact_choose(d->chooser, &st, i, d->w->arena, &got, &c), OK);
	assert_int_equal(got, choice);
	if (choice == CONTACT_CHOSEN)
		assert_span(c.mail, mail);
	snapshot_end(st.snapshot);
}

/* Three mails to it came back: it is not written to. */
static void quarantine(struct world *w, const char *mail)
{
	for (int n = 0; n < CONTACT_BOUNCES_MAX; n++) {
		struct outbox_event ev[2] = {
			{ .key = { OUTBOX_MAIL, { .type = TO_AS, .asn = 64500 }, LEDGER_CIRCLE, 1 },
			  .step = OUTBOX_WAITING,
			  .at_ms = T0 },
		};
		struct buffer b = BUFFER(1 << 16);

		ev[1] = ev[0];
		ev[1].step = OUTBOX_BOUNCED;
		ev[1].contact = span_of(mail);
		outbox_write(&b, ev, 2);
		record(w, &b);
		buffer_free(&b);
	}
}

static struct span tried(struct world *w, const char *a, const char *b)
{
	return span_of(arena_print(w->arena, "%c%s%c%s", (int)strlen(a), a, (int)strlen(b), b));
}

static void in_order(void **state)
{
	struct world *w = world_new(*state);
	struct outbox_item i = { .key = { OUTBOX_MAIL, as7, LEDGER_CIRCLE, 9 } };
	struct desk d = desk_of(w, "");

	chooses(&d, &i, CONTACT_NONE, NULL);
	set_contact(w, &as7, CONTACT_RDAP, "r@a.example", clock_now_ms());
	chooses(&d, &i, CONTACT_CHOSEN, "r@a.example");
	import(w, "aut-num: AS64507\ne-mail: w@a.example\n");
	chooses(&d, &i, CONTACT_CHOSEN, "r@a.example");
	assert_int_equal(contact_chooser_refresh(d.chooser), OK); /* the new table */
	chooses(&d, &i, CONTACT_CHOSEN, "w@a.example");
	set_contact(w, &as7, CONTACT_OPERATOR, "o@a.example", T0);
	chooses(&d, &i, CONTACT_CHOSEN, "o@a.example");
	i.tried = tried(w, "o@a.example", "x@a.example");
	chooses(&d, &i, CONTACT_CHOSEN, "w@a.example");
	quarantine(w, "w@a.example");
	chooses(&d, &i, CONTACT_CHOSEN, "r@a.example");
	i.tried = tried(w, "o@a.example", "r@a.example");
	chooses(&d, &i, CONTACT_NONE, NULL);
	set_contact(w, &as7, CONTACT_OPERATOR, "w@a.example", T0); /* the operator says that it works again */
	chooses(&d, &i, CONTACT_CHOSEN, "w@a.example");
	contact_chooser_close(d.chooser);
	world_free(w);
}

static void of_the_network_around(void **state)
{
	struct world *w = world_new(*state);
	struct outbox_item i = { .key = { OUTBOX_MAIL, net, LEDGER_CIRCLE, 9 } };
	struct desk d;

	make_table(w);
	set_contact(w, &as7, CONTACT_OPERATOR, "as@a.example", T0);
	d = desk_of(w, "");
	chooses(&d, &i, CONTACT_CHOSEN, "as@a.example");
	set_contact(w, &net, CONTACT_OPERATOR, "net@a.example", T0);
	chooses(&d, &i, CONTACT_CHOSEN, "net@a.example");
	i.tried = tried(w, "net@a.example", "x@a.example");
	chooses(&d, &i, CONTACT_CHOSEN, "as@a.example");
	i.tried = tried(w, "net@a.example", "as@a.example");
	chooses(&d, &i, CONTACT_NONE, NULL);
	contact_chooser_close(d.chooser);
	world_free(w);
}

static void the_register_is_asked(void **state)
{
	struct world *w = world_new(*state);
	struct outbox_item i = { .key = { OUTBOX_MAIL, as7, LEDGER_CIRCLE, 9 } };
	struct buffer b = BUFFER(1 << 16);
	struct desk d;

	make_table(w);
	d = desk_of(w, "rdap-server https://192.0.2.1\n"); /* private space: the door is shut */
	chooses(&d, &i, CONTACT_ASK_RDAP, NULL);
	assert_int_equal(contact_ask(d.chooser, w->arena, &b), ERR_REFUSED_URL);
	assert_int_equal(b.len, 0);
	i.key.to = net; /* its block, then its AS */
	chooses(&d, &i, CONTACT_ASK_RDAP, NULL);
	set_contact(w, &net, CONTACT_RDAP, "", clock_now_ms());
	chooses(&d, &i, CONTACT_ASK_RDAP, NULL);
	set_contact(w, &as7, CONTACT_RDAP, "", clock_now_ms());
	chooses(&d, &i, CONTACT_NONE, NULL);
	assert_int_equal(contact_ask(d.chooser, w->arena, &b), ERR_NOT_FOUND);
	set_contact(w, &as7, CONTACT_RDAP, "", clock_now_ms() - RDAP_KEPT_MS - 1000); /* long ago */
	chooses(&d, &i, CONTACT_ASK_RDAP, NULL);
	i.key.to = (struct addressee){ .type = TO_COUNTRY, .country = "EE" };
	chooses(&d, &i, CONTACT_NONE, NULL);
	buffer_free(&b);
	contact_chooser_close(d.chooser);
	world_free(w);
}

static void what_a_register_says(void **state)
{
	static const struct {
		const char *json, *mail;
	} table[] = {
#define CARD(mail) "\"vcardArray\":[\"vcard\",[[\"fn\",{},\"text\",\"A\"],[\"email\",{},\"text\",\"" mail "\"]]]"
		{ "{\"entities\":[{\"roles\":[\"abuse\"]," CARD("a@A.Example") "}]}", "a@a.example" },
		{ "{\"entities\":[{\"roles\":[\"technical\"]," CARD("t@a.example") "}]}", "" },
		{ "{\"entities\":[{\"roles\":[\"registrant\"]," CARD(
			  "r@a.example") ",\"entities\":[{\"roles\":[\"Abuse\"]," CARD("n@a.example") "}]}]}",
		  "n@a.example" },
		{ "{\"entities\":[{\"roles\":[\"abuse\"]," CARD("a b@a.example") "},{\"roles\":[\"abuse\"]," CARD(
			  "two@a.example") "}]}",
		  "two@a.example" },
		{ "{\"entities\":{\"roles\":[\"abuse\"]}}", "" },
		{ "[]", "" },
		{ "{}", "" },
	};
	struct arena *a = arena_new((size_t)1 << 20);
	struct span mail;

	(void)state;
	for (size_t i = 0; i < TABLE_LENGTH(table); i++) {
		assert_int_equal(rdap_read(a, span_of(table[i].json), &mail), OK);
		assert_span(mail, table[i].mail);
	}
	assert_int_equal(rdap_read(a, SPAN("<html>"), &mail), ERR_JSON);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(in_order),
		IN_A_FOLDER(of_the_network_around),
		IN_A_FOLDER(the_register_is_asked),
		cmocka_unit_test(what_a_register_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
