#include "exchange/metrics.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

/*
 * Each number is one atomic of its own, added to without any order: a print in the middle of an answer may count it in one line
 * and not yet in another. Within a histogram the count is made from the buckets, so that its lines always agree.
 */

static const char *const door_names[METRIC_DOORS] = { "api", "taxii", "tiles", "health", "answer", "none" };

/* Upper bounds in microseconds, and as OpenMetrics writes them, in seconds. */
static const struct bound {
	uint64_t micros;
	const char *text;
} bounds[] = {
	{ 250, "0.00025" }, { 500, "0.0005" },	{ 1000, "0.001" },  { 2500, "0.0025" },	  { 5000, "0.005" },
	{ 10000, "0.01" },  { 25000, "0.025" }, { 50000, "0.05" },  { 100000, "0.1" },	  { 250000, "0.25" },
	{ 500000, "0.5" },  { 1000000, "1.0" }, { 2500000, "2.5" }, { 10000000, "10.0" }, { 60000000, "60.0" },
};
#define BOUND_COUNT (sizeof(bounds) / sizeof(bounds[0]))
#define STATUS_CLASSES 6 /* 1xx to 5xx; 0: no answer was sent */

struct metrics {
	struct door_metrics {
		atomic_uint_fast64_t statuses[STATUS_CLASSES];
		atomic_uint_fast64_t bytes_in, bytes_out, micros;
		atomic_uint_fast64_t buckets[BOUND_COUNT + 1];
	} doors[METRIC_DOORS];
	atomic_uint_fast64_t counters[METRIC_COUNTERS];
};

static void add(atomic_uint_fast64_t *to, uint64_t n)
{
	atomic_fetch_add_explicit(to, n, memory_order_relaxed);
}

static uint64_t get(const atomic_uint_fast64_t *from)
{
	return atomic_load_explicit(from, memory_order_relaxed);
}

enum err metrics_new(struct metrics **out)
{
	*out = calloc(1, sizeof(**out));
	return *out != NULL ? OK : ERR_NO_MEMORY;
}

void metrics_free(struct metrics *m)
{
	free(m);
}

void metrics_request(struct metrics *m, enum metric_door d, unsigned status, uint64_t bytes_in, uint64_t bytes_out,
		     uint64_t micros)
{
	struct door_metrics *door = &m->doors[d];
	size_t bucket = 0;

	assert((unsigned)d < METRIC_DOORS);
	while (bucket < BOUND_COUNT && micros > bounds[bucket].micros)
		bucket++;
	add(&door->statuses[status / 100 < STATUS_CLASSES ? status / 100 : 0], 1);
	add(&door->bytes_in, bytes_in);
	add(&door->bytes_out, bytes_out);
	add(&door->micros, micros);
	add(&door->buckets[bucket], 1);
}

void metrics_add(struct metrics *m, enum counter what, uint64_t n)
{
	assert((unsigned)what < METRIC_COUNTERS);
	add(&m->counters[what], n);
}

/* ---- printing ---- */

static void family(struct buffer *out, const char *name, const char *type, const char *unit, const char *help)
{
	buffer_print(out, "# TYPE comity_%s %s\n", name, type);
	if (unit != NULL)
		buffer_print(out, "# UNIT comity_%s %s\n", name, unit);
	buffer_print(out, "# HELP comity_%s %s\n", name, help);
}

static void print_requests(const struct metrics *m, struct buffer *out)
{
	family(out, "requests", "counter", NULL, "Answers by door and class of status.");
	for (int d = 0; d < METRIC_DOORS; d++)
		for (int s = 1; s < STATUS_CLASSES; s++)
			buffer_print(out, "comity_requests_total{door=\"%s\",status=\"%dxx\"} %ju\n", door_names[d], s,
				     (uintmax_t)get(&m->doors[d].statuses[s]));
	family(out, "unanswered", "counter", NULL, "Requests whose connection ended before an answer.");
	for (int d = 0; d < METRIC_DOORS; d++)
		buffer_print(out, "comity_unanswered_total{door=\"%s\"} %ju\n", door_names[d],
			     (uintmax_t)get(&m->doors[d].statuses[0]));
	family(out, "received_bytes", "counter", "bytes", "Bodies of requests.");
	for (int d = 0; d < METRIC_DOORS; d++)
		buffer_print(out, "comity_received_bytes_total{door=\"%s\"} %ju\n", door_names[d],
			     (uintmax_t)get(&m->doors[d].bytes_in));
	family(out, "sent_bytes", "counter", "bytes", "Bodies of answers.");
	for (int d = 0; d < METRIC_DOORS; d++)
		buffer_print(out, "comity_sent_bytes_total{door=\"%s\"} %ju\n", door_names[d],
			     (uintmax_t)get(&m->doors[d].bytes_out));
}

static void print_latency(const struct metrics *m, struct buffer *out)
{
	family(out, "request_seconds", "histogram", "seconds", "From the head of a request to the end of its answer.");
	for (int d = 0; d < METRIC_DOORS; d++) {
		uint64_t sum = 0, micros = get(&m->doors[d].micros);

		for (size_t b = 0; b < BOUND_COUNT; b++) {
			sum += get(&m->doors[d].buckets[b]);
			buffer_print(out, "comity_request_seconds_bucket{door=\"%s\",le=\"%s\"} %ju\n", door_names[d],
				     bounds[b].text, (uintmax_t)sum);
		}
		sum += get(&m->doors[d].buckets[BOUND_COUNT]);
		buffer_print(out, "comity_request_seconds_bucket{door=\"%s\",le=\"+Inf\"} %ju\n", door_names[d],
			     (uintmax_t)sum);
		buffer_print(out, "comity_request_seconds_sum{door=\"%s\"} %ju.%06u\n", door_names[d],
			     (uintmax_t)(micros / 1000000), (unsigned)(micros % 1000000));
		buffer_print(out, "comity_request_seconds_count{door=\"%s\"} %ju\n", door_names[d], (uintmax_t)sum);
	}
}

static void print_counters(const struct metrics *m, struct buffer *out)
{
	static const struct {
		const char *name, *help;
	} texts[METRIC_COUNTERS] = {
		[METRIC_STATEMENTS] = { "statements", "Statements that were accepted." },
		[METRIC_OBJECTS_ADDED] = { "objects_added", "STIX objects that were taken." },
		[METRIC_OBJECTS_REFUSED] = { "objects_refused", "STIX objects that were refused." },
		[METRIC_AUTHENTICATION_FAILED] = { "authentication_failed",
						   "Requests with credentials that were not good." },
		[METRIC_LIMITED] = { "limited", "Requests over the limit of their party or address." },
		[METRIC_LINK_ANSWERS] = { "link_answers", "Answers that came by the link of a mail." },
		[METRIC_FOLLOWED_UP] = { "followed_up",
					 "Notices that were taken further: overdue, not theirs, undeliverable." },
		[METRIC_NOWHERE] = { "nowhere", "Times that nobody was left to take a notice to." },
		[METRIC_PROOFS_ACCEPTED] = { "proofs_accepted", "Proofs that were verified and accepted." },
		[METRIC_PROOFS_REFUSED] = { "proofs_refused", "Proofs whose evidence was refused." },
		[METRIC_DELIVERY_HANDED_OVER] = { "delivery_handed_over", "Statements that another node took." },
		[METRIC_DELIVERY_REFUSED] = { "delivery_refused", "Statements that another node refused." },
		[METRIC_DELIVERY_FAILED] = { "delivery_failed",
					     "Statements that were not delivered for now, each time." },
		[METRIC_DELIVERY_TAKEN] = { "delivery_taken",
					    "Statements that other nodes brought and that were logged." },
		[METRIC_DELIVERY_DECLINED] = { "delivery_declined",
					       "Statements that other nodes brought and that were refused." },
		[METRIC_MAILS_SENT] = { "mails_sent", "Mails that the mail server took." },
		[METRIC_MAILS_REFUSED] = { "mails_refused", "Mails that the mail server refused for good." },
		[METRIC_MAILS_LATER] = { "mails_later", "Mails that were not sent for now, each time." },
		[METRIC_MAILS_UNDELIVERABLE] = { "mails_undeliverable", "Notices for which no mailbox was left." },
	};

	for (int i = 0; i < METRIC_COUNTERS; i++) {
		family(out, texts[i].name, "counter", NULL, texts[i].help);
		buffer_print(out, "comity_%s_total %ju\n", texts[i].name, (uintmax_t)get(&m->counters[i]));
	}
}

static void gauge(struct buffer *out, const char *name, const char *unit, const char *help, uint64_t value)
{
	family(out, name, "gauge", unit, help);
	buffer_print(out, "comity_%s %ju\n", name, (uintmax_t)value);
}

void metrics_print(struct metrics *m, const struct gauges *g, struct buffer *out)
{
	print_requests(m, out);
	print_latency(m, out);
	print_counters(m, out);
	gauge(out, "connections", NULL, "Open connections.", g->connections);
	gauge(out, "followers", NULL, "Streams and long polls that wait.", g->followers);
	family(out, "ledger_entries", "gauge", NULL, "Entries under the published checkpoint.");
	buffer_print(out, "comity_ledger_entries{ledger=\"public\"} %ju\n", (uintmax_t)g->ledger_size[0]);
	buffer_print(out, "comity_ledger_entries{ledger=\"circle\"} %ju\n", (uintmax_t)g->ledger_size[1]);
	gauge(out, "journal_bytes", "bytes", "The journal's files.", g->journal_bytes);
	gauge(out, "views_bytes", "bytes", "The views' files.", g->views_bytes);
	gauge(out, "resident_bytes", "bytes", "Memory of the process.", g->resident_bytes);
	buffer_text(out, "# EOF\n");
}
