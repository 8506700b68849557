/* `comity route --watch DIR`. The node is open only while a run lasts, so that other commands can write in between. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/routing.h"
#include "route/watch.h"

#define RUN_ARENA ((size_t)1 << 30)
#define BUSY_WAIT_MS 200
#define BUSY_ONCE_MS 60000 /* --once waits no longer for another writer */

struct watching {
	struct cli *c;
	struct watch *watch;
	struct route_options options;
	struct route_summary *summary; /* of the run in hand */
	struct progress progress;
	bool once;
	uint64_t runs, results[4], all_failed;
	int stop; /* can be read: somebody wants us to end */
};

/* ---- the end ---- */

static volatile sig_atomic_t stopping;
static int stop_pipe[2] = { -1, -1 };

/* The first signal ends the watch after the run in hand, the second ends the program: nothing is half-done then. */
static void on_signal(int number)
{
	int kept = errno;

	if (stopping) {
		signal(number, SIG_DFL);
		raise(number);
	}
	stopping = 1;
	if (write(stop_pipe[1], "", 1) == -1)
		stopping = 1; /* the flag says it too */
	errno = kept;
}

static enum err catch_signals(void)
{
	struct sigaction a = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	if (pipe2(stop_pipe, O_CLOEXEC | O_NONBLOCK) == -1)
		return fail_errno("a pipe");
	sigemptyset(&a.sa_mask);
	if (sigaction(SIGINT, &a, NULL) == -1 || sigaction(SIGTERM, &a, NULL) == -1)
		return fail_errno("signals");
	return OK;
}

/* ---- one run ---- */

static enum err on_settled(void *context, const struct route_outcome *o)
{
	struct watching *w = context;
	struct watch_settled s;
	enum err e = watch_settle(w->watch, o, w->summary->rejects, &s);
	struct routing_file f = { .path = o->path, .events = o->events, .rejected = o->rejected };

	if (e != OK)
		return e;
	w->results[s.result]++;
	f.result = watch_result_name(s.result);
	f.moved_to = s.moved_to;
	f.err = s.why;
	f.detail = s.detail;
	progress_end(&w->progress);
	routing_file(w->c, &f);
	return OK;
}

static enum err on_notice(void *context, const struct route_notice *n)
{
	(void)context;
	(void)n;
	return OK;
}

static void on_progress(void *context, uint64_t done, uint64_t total, uint64_t events)
{
	struct watching *w = context;

	progress_show(&w->progress, done, total, events, "events");
}

static void tell_odd(struct watching *w, const struct watch_odd *x)
{
	struct routing_file f = { .path = x->path, .result = "left", .err = x->err };

	if (x->err == OK)
		f.detail = "a folder is not looked into";
	routing_file(w->c, &f);
}

/* Another command may be writing: it will soon be done. */
static enum err open_node(struct watching *w, struct node **n)
{
	int64_t began = clock_monotonic_us();
	bool told = false;
	enum err e;

	while ((e = node_open(w->c->dir, NODE_WRITE, n)) == ERR_BUSY) {
		struct pollfd fd = { w->stop, POLLIN, 0 };

		if (!told && !w->c->json)
			fprintf(stderr, "comity: another process is writing; waiting for it\n");
		told = true;
		if (poll(&fd, 1, BUSY_WAIT_MS) > 0 ||
		    (w->once && clock_monotonic_us() - began > BUSY_ONCE_MS * (int64_t)1000))
			return e;
	}
	return e;
}

static void tell_run(struct watching *w, size_t files)
{
	const struct route_summary *s = w->summary;
	char count[32], date[CLOCK_TEXT];
	struct json *j;

	if (w->c->json) {
		j = cli_object(w->c);
		json_number(j, "run", (int64_t)w->runs);
		json_number(j, "files", (int64_t)files);
		for (int r = 0; r < 4; r++)
			json_number(j, watch_result_name((enum watch_result)r), (int64_t)w->results[r]);
		routing_summary(j, s);
		cli_object_end(w->c);
	} else {
		cli_date(clock_now_ms(), date);
		cli_thousands(s->events, count);
		printf("%s  %zu files: %s events", date, files, count);
		cli_thousands(s->duplicates, count);
		printf(", %s counted before, %llu notices, ", count, (unsigned long long)s->notices);
		cli_thousands(s->rejected, count);
		printf("%s rows rejected\n", count);
	}
	fflush(stdout);
}

/* A column that is not known is told by each run of `comity route`; here only a change is news. */
static enum err on_columns(void *context, const struct route_columns *columns)
{
	struct watching *w = context;
	struct buffer text = BUFFER(1 << 20);

	if (columns->changed)
		routing_columns(w->c, &text, columns);
	routing_columns_print(&text);
	buffer_free(&text);
	return OK;
}

/* What the run takes of memory ends with it; a watch lasts for months. */
static enum err run(struct watching *w, const struct watch_batch *b)
{
	struct arena *of_command = w->c->arena;
	struct node *n = NULL;
	enum err e;

	if ((w->c->arena = arena_new(RUN_ARENA)) == NULL) {
		w->c->arena = of_command;
		return ERR_NO_MEMORY;
	}
	memset(w->results, 0, sizeof(w->results));
	w->options.report.now_ms = clock_now_ms();
	w->options.each_columns = on_columns;
	w->progress = progress_begin(w->c, "route");
	e = open_node(w, &n);
	if (e == OK)
		cli_mended(n);
	if (e == OK)
		e = routing_run(w->c, n, b->paths, b->count, &w->options, on_progress, on_notice, w, w->summary);
	node_close(n);
	progress_end(&w->progress);
	arena_free(w->c->arena);
	w->c->arena = of_command;
	if (e == OK) {
		w->runs += b->count > 0;
		w->all_failed += w->results[WATCH_FAILED];
		if (b->count > 0 || w->summary->notices > 0)
			tell_run(w, b->count);
	}
	return e;
}

static enum err watch(struct watching *w)
{
	struct watch_batch b;
	enum err e;

	while ((e = watch_next(w->watch, w->stop, w->once, &b)) == OK) {
		for (size_t i = 0; i < b.odd_count; i++)
			tell_odd(w, &b.odd[i]);
		/* A run without a file sends what waits and is due by now, and logs the hour's tick. */
		if ((b.count > 0 || (b.odd_count == 0 && (!b.over || (w->once && w->runs == 0)))) && !stopping)
			e = run(w, &b);
		if (e != OK || b.over)
			return e == ERR_BUSY && stopping ? OK : e;
		fflush(stdout);
	}
	return e;
}

int cmd_route_watch(struct cli *c)
{
	struct watching w = { .c = c, .once = cli_flag(c, "once") };
	enum err e = routing_options(c, &w.options);

	if (e == OK && c->operand_count != 1)
		e = fail(ERR_USAGE, "--watch takes one folder");
	if (e == OK && (w.options.dry_run || w.options.rejects != NULL))
		e = fail(ERR_USAGE, "--watch goes with neither --dry-run nor --rejects");
	if (e == OK && (w.summary = arena_array(c->arena, 1, sizeof(*w.summary))) == NULL)
		e = ERR_NO_MEMORY;
	if (e == OK && (e = catch_signals()) == OK) {
		w.stop = stop_pipe[0];
		w.options.files_only = true;
		w.options.each_report = on_settled;
		e = watch_open(c->operands[0], &w.watch);
	}
	if (e == OK)
		e = watch(&w);
	watch_close(w.watch);
	if (e != OK)
		return cli_fail(c, e);
	return w.once && w.all_failed > 0 ? EXIT_REFUSED : EXIT_OK;
}
