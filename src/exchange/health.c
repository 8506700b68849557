/* Is the node at work? /healthz for machines that watch, /metrics for those that draw. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "exchange/server_private.h"
#include "ledger/checkpoint.h"

/*
 * The pulse
 *
 * Now and then the sequencer is offered a note that is none. It is refused, but on its way it has passed the worker, the
 * queue, a batch, and it hears of whatever broke. So what answers is the whole way that a statement goes, at the cost of
 * an empty batch.
 */

#define PULSE_LATE_MS 30000

struct pulse {
	struct sequencer *sequencer;
	pthread_mutex_t mutex;
	struct submission beat;
	bool under_way;
	int64_t heard_us; /* when the last came back */
	enum err broken;
	char detail[SUBMISSION_DETAIL];
};

static bool is_broken(enum err e)
{
	return err_is_machine(e) || e == ERR_DAMAGED || e == ERR_LEDGER_DIFFERS;
}

/* Under the lock. */
static void heard(struct pulse *p, enum err e, const char *detail)
{
	if (p->broken == OK && is_broken(e)) {
		p->broken = e;
		snprintf(p->detail, sizeof(p->detail), "%s", detail);
	}
	if (e != ERR_BUSY) /* a full queue says nothing of who empties it */
		p->heard_us = clock_monotonic_us();
}

static void came_back(struct submission *s)
{
	struct pulse *p = s->context;

	pthread_mutex_lock(&p->mutex);
	p->under_way = false;
	heard(p, s->err, s->detail);
	pthread_mutex_unlock(&p->mutex);
}

enum err pulse_new(struct sequencer *q, struct pulse **out)
{
	struct pulse *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_NO_MEMORY;
	pthread_mutex_init(&p->mutex, NULL);
	p->sequencer = q;
	p->heard_us = clock_monotonic_us();
	*out = p;
	return OK;
}

void pulse_free(struct pulse *p)
{
	if (p == NULL)
		return;
	pthread_mutex_destroy(&p->mutex);
	free(p);
}

void pulse_beat(struct pulse *p)
{
	bool ask;
	enum err e;

	pthread_mutex_lock(&p->mutex);
	ask = !p->under_way && p->broken == OK;
	if (ask)
		p->under_way = true;
	pthread_mutex_unlock(&p->mutex);
	if (!ask)
		return;
	p->beat = (struct submission){ .note = SPAN("?"), .done = came_back, .context = p };
	if ((e = sequencer_offer(p->sequencer, &p->beat)) != OK) {
		pthread_mutex_lock(&p->mutex);
		p->under_way = false;
		heard(p, e, err_detail());
		pthread_mutex_unlock(&p->mutex);
	}
}

enum err pulse_now(struct pulse *p, char detail[SUBMISSION_DETAIL])
{
	enum err e;

	pthread_mutex_lock(&p->mutex);
	e = p->broken;
	snprintf(detail, SUBMISSION_DETAIL, "%s", p->detail);
	if (sequencer_lent(p->sequencer)) /* it waits for another command, however long that takes */
		p->heard_us = clock_monotonic_us();
	if (e == OK && clock_monotonic_us() - p->heard_us > (int64_t)PULSE_LATE_MS * 1000) {
		e = ERR_BUSY;
		snprintf(detail, SUBMISSION_DETAIL, "the sequencer gave no sign of life for %d s",
			 PULSE_LATE_MS / 1000);
	}
	pthread_mutex_unlock(&p->mutex);
	return e;
}

/* ---- /healthz ---- */

/* Anyone may ask, so it says no more than the error's code. */
static enum http_next get_health(void *context, struct http_request *r, struct http_answer *out)
{
	struct service *s = context;
	char detail[SUBMISSION_DETAIL];
	enum err e = pulse_now(s->pulse, detail);
	const char *reason = s->stopping ? "stopping" : err_code(e);
	bool works = !s->stopping && e == OK;
	char *text = arena_print(
		r->arena, works ? "{\"status\":\"ok\"}\n" : "{\"status\":\"failing\",\"reason\":\"%s\"}\n", reason);

	out->status = works ? 200 : 503;
	if (text != NULL) {
		out->media_type = "application/json";
		out->body = span_of(text);
	}
	http_add_header(out, "Cache-Control", SPAN("no-store"));
	return HTTP_NOW;
}

/* ---- /metrics ---- */

static uint64_t folder_bytes(struct arena *a, const char *dir, const char *name)
{
	char *path = arena_print(a, "%s/%s", dir, name);
	DIR *d = path != NULL ? opendir(path) : NULL;
	uint64_t sum = 0;
	struct dirent *entry;
	struct stat st;

	while (d != NULL && (entry = readdir(d)) != NULL)
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
			sum += (uint64_t)st.st_blocks * 512;
	if (d != NULL)
		closedir(d);
	return sum;
}

static uint64_t resident_bytes(struct arena *a)
{
	struct span text, pages;
	uint64_t n = 0;

	if (file_read(a, "/proc/self/statm", 4096, &text) != OK)
		return 0;
	span_cut(&text, ' ');
	pages = text.at != NULL ? span_cut(&text, ' ') : SPAN("");
	return span_u64(pages, UINT32_MAX, &n) == OK ? n * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* What our own checkpoint file says; nobody else writes there. */
static uint64_t published_size(struct arena *a, const char *dir, enum ledger_id l)
{
	char *path = arena_print(a, "%s/ledger/%s/checkpoint", dir, ledger_name(l));
	struct span text;
	struct checkpoint c;
	struct note n;

	if (path == NULL || file_read(a, path, 65536, &text) != OK || note_parse(a, text, &n) != OK ||
	    checkpoint_parse(n.text, &c) != OK)
		return 0;
	return c.size;
}

static bool from_here(const struct http_request *r)
{
	struct address a;
	struct span value;

	return address_parse(r->peer, &a) == OK && config_is_loopback(a) && !http_header(r, "Forwarded", &value) &&
	       !http_header(r, "X-Forwarded-For", &value);
}

static enum http_next get_metrics(void *context, struct http_request *r, struct http_answer *out)
{
	const struct server *s = context;
	const char *dir = node_dir(s->node);
	struct buffer text = BUFFER(1 << 20);
	struct gauges g = { 0 };

	if (!from_here(r) && (request_caller(r)->rights & RIGHT_OPERATE) == 0) {
		server_fail(s, r, ERR_NOT_FOUND, out);
		return HTTP_NOW;
	}
	if (s->http != NULL)
		g.connections = http_connections(s->http);
	g.followers = followers_count(s->followers);
	for (int l = 0; l < LEDGER_COUNT && l < 2; l++)
		g.ledger_size[l] = published_size(r->arena, dir, (enum ledger_id)l);
	g.journal_bytes = folder_bytes(r->arena, dir, "journal");
	g.views_bytes = folder_bytes(r->arena, dir, "views");
	g.resident_bytes = resident_bytes(r->arena);
	metrics_print(s->metrics, &g, &text);
	if (text.err != OK) {
		server_fail(s, r, text.err, out);
		buffer_free(&text);
		return HTTP_NOW;
	}
	out->status = 200;
	out->media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
	out->body = buffer_view(&text);
	out->owned = text.at;
	http_add_header(out, "Cache-Control", SPAN("no-store"));
	return HTTP_NOW;
}

const struct http_door health_doors[] = {
	{ HTTP_GET, "/healthz", 0, DOOR_UNTOUCHED, get_health },
	{ HTTP_GET, "/metrics", 0, DOOR_OPEN, get_metrics },
};
const size_t health_door_count = sizeof(health_doors) / sizeof(health_doors[0]);
