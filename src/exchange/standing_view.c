#include "exchange/standing_view.h"

#include "stix/write.h"

#define TEXT_MAX ((size_t)64 << 10)

/* Per cent with one digit, from integers. */
static void add_share(struct buffer *b, const char *what, const struct proportion *s)
{
	uint64_t tenths = s->blank ? 0 : (2000 * s->numerator + s->denominator) / (2 * s->denominator);

	buffer_print(b, "%s: %ju of %ju", what, (uintmax_t)s->numerator, (uintmax_t)s->denominator);
	if (s->denominator == 0)
		buffer_text(b, "; no data");
	else if (s->blank)
		buffer_text(b, "; too few for a rate");
	else
		buffer_print(b, ", %ju.%ju %% (95 %% interval %.1f to %.1f %%)", (uintmax_t)(tenths / 10),
			     (uintmax_t)(tenths % 10), 100 * s->low, 100 * s->high);
	if (s->unknown > 0)
		buffer_print(b, "; not known of %ju more", (uintmax_t)s->unknown);
	buffer_byte(b, '\n');
}

static void add_survival(struct buffer *b, const char *what, const struct survival *s)
{
	buffer_print(b, "%s: %ju of %ju", what, (uintmax_t)s->ended, (uintmax_t)s->cases);
	buffer_text(b, s->cases == 0 ? "; no data\n" : s->blank ? "; too few for a rate\n" : "; open ones counted\n");
	for (int i = 0; !s->blank && i < STANDING_DAYS; i++) {
		buffer_print(b, "  within %u days: ", statistics_days[i]);
		if (s->days[i].known)
			buffer_print(b, "%.1f %%", 100 * s->days[i].done);
		else
			buffer_text(b, "not known yet");
		if (s->days[i].has_interval)
			buffer_print(b, " (95 %% interval %.1f to %.1f %%)", 100 * s->days[i].low,
				     100 * s->days[i].high);
		buffer_byte(b, '\n');
	}
}

static void add_median(struct buffer *b, const struct quantiles *q)
{
	char text[CLOCK_TEXT];

	if (!q->has_p50)
		return;
	clock_format_duration(q->p50_ms - q->p50_ms % 1000, text);
	buffer_print(b, "Half were acknowledged within %s", text);
	if (q->has_p90) {
		clock_format_duration(q->p90_ms - q->p90_ms % 1000, text);
		buffer_print(b, ", nine of ten within %s", text);
	}
	buffer_byte(b, '\n');
}

static void print_text(const struct standing *s, struct buffer *b)
{
	buffer_print(b, "Notices: %ju, of them withdrawn: %ju; events: %ju\n", (uintmax_t)s->notices,
		     (uintmax_t)s->withdrawn, (uintmax_t)s->events);
	add_share(b, "Arrived", &s->arrived);
	buffer_print(b, "Arrived so far: %ju of %ju\n", (uintmax_t)s->arrived_so_far,
		     (uintmax_t)(s->notices - s->withdrawn));
	add_share(b, "Acknowledged, of those due", &s->acknowledged);
	add_share(b, "Acknowledged by the party itself", &s->acknowledged_by_itself);
	add_median(b, &s->acknowledge);
	add_share(b, "Overdue", &s->overdue);
	add_survival(b, "Fixed", &s->fixed);
	add_survival(b, "Fixed, without the disputed", &s->fixed_undisputed);
	add_share(b, "Disputed", &s->disputed);
	add_share(b, "The dispute stands", &s->disputed_standing);
	add_share(b, "Seen again after the fix", &s->reopened);
	add_share(b, "Seen again within 30 days", &s->re_offence_30d);
	add_share(b, "Not theirs", &s->not_ours);
	add_share(b, "Cannot", &s->cannot);
	buffer_print(b, "Notices filed: %ju\n", (uintmax_t)s->filed);
	add_share(b, "False, of those filed", &s->false_notices);
	add_share(b, "Filed late", &s->late);
	buffer_text(b, "No data is blank, never good. Acknowledging is not admitting.");
}

static void print_note(struct json *j, const struct standing *s, struct span party, const struct stix_id *about)
{
	struct buffer text = BUFFER(TEXT_MAX);
	struct stix_id by = stix_identity_id(s->ledger_node), id;
	char from[CLOCK_TEXT], until[CLOCK_TEXT];

	clock_format_ms(s->from_ms, from);
	clock_format_ms(s->until_ms, until);
	buffer_print(&text, "standing %.*s %.*s %s %s%s", SPAN_FORMAT(s->ledger_node), SPAN_FORMAT(party), from, until,
		     s->demonstration ? " demonstration" : "");
	id = stix_id("note", false, buffer_view(&text));
	stix_object(j, "note", &id);
	stix_created(j, s->until_ms);
	json_text(j, "created_by_ref", by.text);
	buffer_clear(&text);
	buffer_print(&text, "Standing of %.*s by the ledgers of %.*s, from %s, before %s%s", SPAN_FORMAT(party),
		     SPAN_FORMAT(s->ledger_node), from, until, s->demonstration ? ", a demonstration" : "");
	json_string(j, "abstract", buffer_view(&text));
	buffer_clear(&text);
	print_text(s, &text);
	json_string(j, "content", buffer_view(&text));
	json_array(j, "authors");
	json_string(j, NULL, s->ledger_node);
	json_array_end(j);
	json_array(j, "object_refs");
	json_text(j, NULL, about->text);
	json_array_end(j);
	json_object_end(j);
	if (text.err != OK)
		j->out->err = text.err;
	buffer_free(&text);
}

void standing_view(const struct standing *s, struct buffer *out)
{
	struct json j = { .out = out };
	struct buffer party = BUFFER(1024);
	struct stix_id about, bundle;

	addressee_print(&s->party, &party);
	bundle = stix_id("bundle", false, buffer_view(&party));
	json_object(&j, NULL);
	json_text(&j, "type", "bundle");
	json_text(&j, "id", bundle.text);
	json_array(&j, "objects");
	about = stix_identity(&j, buffer_view(&party));
	if (!span_equal(buffer_view(&party), s->ledger_node))
		stix_identity(&j, s->ledger_node);
	print_note(&j, s, buffer_view(&party), &about);
	json_array_end(&j);
	json_object_end(&j);
	buffer_free(&party);
}
