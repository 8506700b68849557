#include "exchange/recall_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "net/log.h"
#include "regime/plan_life.h"

#define ARENA ((size_t)16 << 20)
#define LOOK_MOST_MS 60000
#define LOOK_LEAST_MS 50
#define REST 20 /* times as long as a look took there is no other */
#define POLL_MS 20
#define BUSY_MS 200 /* until a sequencer that is full is asked again */
#define AGAIN_MS 2000
#define AGAIN_MOST_MS 600000
/* Recalls that wait; of more than that the last are looked at when the first are answered. */
#define WAITING_MAX 4096

/* A recall that waits for an answer. */
struct waiting {
	struct hash plan, request;
	int64_t stop_by_ms; /* 0: not said */
	bool own;	    /* the node's plan, not another party's */
	char party[254];
	size_t party_length;

	unsigned tries;	 /* that failed, */
	int64_t next_us; /* and when the next may begin */
	uint64_t look;	 /* the last look that found it */
};

struct recall_hook {
	struct server *server;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;
	pthread_cond_t told;
	bool stopping, woken; /* under the lock */

	/* Of the thread. */
	struct arena *arena;
	struct waiting *waiting;
	size_t count;
	uint64_t look;
	int64_t looked_us, rest_us;
};

/* ---- waiting ---- */

static struct timespec in_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += (time_t)(ms / 1000);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

/* False: it is to end. by_news: whatever is logged ends it too. */
static bool wait_ms(struct recall_hook *h, int64_t ms, bool by_news)
{
	struct timespec until = in_ms(ms > 0 ? ms : 0);
	bool goes_on;

	pthread_mutex_lock(&h->lock);
	while (!h->stopping && !(by_news && h->woken) && pthread_cond_timedwait(&h->told, &h->lock, &until) == 0)
		;
	if (by_news)
		h->woken = false;
	goes_on = !h->stopping;
	pthread_mutex_unlock(&h->lock);
	return goes_on;
}

/* ---- which ---- */

static struct waiting *find(struct recall_hook *h, struct hash request)
{
	for (size_t i = 0; i < h->count; i++)
		if (hash_equal(h->waiting[i].request, request))
			return &h->waiting[i];
	return NULL;
}

struct looking {
	struct recall_hook *hook;
	const struct state *st;
};

/* Whose plan it is, if this node speaks for it: others' answers would not count. */
static enum err kept_here(const struct state *st, struct hash plan, struct waiting *w, bool *yes)
{
	struct matter m;
	struct party p;
	enum err e = state_matter(st, plan, &m);

	*yes = false;
	if (e != OK)
		return e;
	w->own = span_equal(m.from, st->node);
	w->party_length = m.from.len;
	if (m.from.len > sizeof(w->party))
		return OK;
	memcpy(w->party, m.from.at, m.from.len);
	e = state_party(st, m.from, &p);
	*yes = e == OK && (w->own || p.home.len == 0 || span_equal(p.home, st->node));
	return e == ERR_PARTY_UNKNOWN ? OK : e;
}

static enum err see(void *context, const struct plan_order *o)
{
	struct looking *l = context;
	struct recall_hook *h = l->hook;
	struct waiting *known = find(h, o->request),
		       w = { .plan = o->plan, .request = o->request, .stop_by_ms = o->stop_by_ms };
	bool here;
	enum err e;

	if (known != NULL) {
		known->look = h->look;
		return OK;
	}
	if (h->count == WAITING_MAX || (e = kept_here(l->st, o->plan, &w, &here)) == ERR_MATTER_UNKNOWN)
		return OK;
	if (e != OK || !here)
		return e;
	w.look = h->look;
	h->waiting[h->count++] = w;
	return OK;
}

/* Those that were answered or withdrawn wait no more. */
static void forget(struct recall_hook *h)
{
	size_t kept = 0;

	for (size_t i = 0; i < h->count; i++)
		if (h->waiting[i].look == h->look)
			h->waiting[kept++] = h->waiting[i];
	h->count = kept;
}

static enum err look(struct recall_hook *h)
{
	int64_t begun_us = clock_monotonic_us();
	struct state st;
	struct looking l = { h, &st };
	enum err e;

	h->look++;
	arena_reset(h->arena);
	if ((e = node_read(h->server->node, h->arena, &st)) == OK) {
		e = plan_recalls(&st, see, &l);
		snapshot_end(st.snapshot);
	}
	if (e == OK)
		forget(h);
	h->looked_us = clock_monotonic_us();
	h->rest_us = REST * (h->looked_us - begun_us);
	if (h->rest_us < LOOK_LEAST_MS * INT64_C(1000))
		h->rest_us = LOOK_LEAST_MS * INT64_C(1000);
	return e;
}

/* The one that failed least often, so that one which fails always keeps none up. NULL: none is due; *ms: how long not. */
static struct waiting *first_due(struct recall_hook *h, int64_t *ms)
{
	int64_t now = clock_monotonic_us();
	struct waiting *first = NULL;

	*ms = LOOK_MOST_MS;
	for (size_t i = 0; i < h->count; i++) {
		struct waiting *w = &h->waiting[i];

		if (w->next_us > now) {
			int64_t left = (w->next_us - now) / 1000 + 1;

			*ms = left < *ms ? left : *ms;
		} else if (first == NULL || w->tries < first->tries) {
			first = w;
		}
	}
	return first;
}

/* ---- running ---- */

#define VARIABLES 12
#define VARIABLE_MAX 4352

struct running {
	char plan[HASH_HEX + 1], request[HASH_HEX + 1], stop_by[CLOCK_TEXT];
	char text[VARIABLES][VARIABLE_MAX];
	char *environment[VARIABLES + 1];
	size_t count;
};

/* One that is too long for a path is left out. */
static void set(struct running *r, const char *name, const char *value)
{
	char *to = r->text[r->count];

	if (value != NULL && snprintf(to, VARIABLE_MAX, "%s=%s", name, value) < VARIABLE_MAX)
		r->environment[r->count++] = to;
}

/* Of the server's own only what programs need to find their way; service managers put secrets there. */
static void set_all(struct running *r, const struct server *s, const struct waiting *w)
{
	static const char *const passed[] = { "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR" };

	hash_hex(w->plan, r->plan);
	hash_hex(w->request, r->request);
	r->stop_by[0] = '\0';
	if (w->stop_by_ms != 0)
		clock_format(w->stop_by_ms, r->stop_by);
	for (size_t i = 0; i < sizeof(passed) / sizeof(passed[0]); i++)
		set(r, passed[i], getenv(passed[i]));
	set(r, "COMITY_DIR", node_dir(s->node));
	set(r, "COMITY_PLAN", r->plan);
	set(r, "COMITY_REQUEST", r->request);
	set(r, "COMITY_STOP_BY", r->stop_by);
	r->environment[r->count] = NULL;
}

/* Nothing of ours is open in it, its signals are as at a login, and it is the first of a group that can be killed. */
static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *how)
{
	sigset_t none, all;
	int e = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

	sigemptyset(&none);
	sigfillset(&all);
	if (e == 0)
		e = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
	if (e == 0)
		e = posix_spawn_file_actions_adddup2(files, 1, 2);
	if (e == 0)
		e = posix_spawn_file_actions_addclosefrom_np(files, 3);
	if (e == 0)
		e = posix_spawnattr_setsigmask(how, &none);
	if (e == 0)
		e = posix_spawnattr_setsigdefault(how, &all);
	if (e == 0)
		e = posix_spawnattr_setpgroup(how, 0);
	return e != 0 ? e
		      : posix_spawnattr_setflags(how, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							      POSIX_SPAWN_SETPGROUP);
}

static enum err spawn(const char *program, struct running *r, pid_t *out)
{
	char *arguments[] = { (char *)(uintptr_t)program, r->plan, r->request, r->stop_by, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t how;
	int e;

	if (posix_spawn_file_actions_init(&files) != 0)
		return ERR_NO_MEMORY;
	if (posix_spawnattr_init(&how) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return ERR_NO_MEMORY;
	}
	if ((e = prepare(&files, &how)) == 0)
		e = posix_spawn(out, program, &files, &how, arguments, r->environment);
	posix_spawnattr_destroy(&how);
	posix_spawn_file_actions_destroy(&files);
	errno = e;
	return e == 0 ? OK : fail_errno("%s", program);
}

/* Until it ends, its time is over, or the server ends. What else runs in its group goes with it. */
static enum err await(struct recall_hook *h, const char *program, pid_t child, int64_t most_ms)
{
	int64_t until_us = clock_monotonic_us() + most_ms * 1000;
	bool stopping = false, late = false;
	int status = 0;
	pid_t ended;

	while ((ended = waitpid(child, &status, WNOHANG)) == 0 || (ended == -1 && errno == EINTR)) {
		stopping = !wait_ms(h, POLL_MS, false);
		late = clock_monotonic_us() >= until_us;
		if (stopping || late) {
			kill(-child, SIGKILL);
			while (waitpid(child, &status, 0) == -1 && errno == EINTR)
				;
			break;
		}
	}
	if (stopping)
		return fail(ERR_BUSY, "the server ends");
	if (late)
		return fail(ERR_UNREACHABLE, "%s: still running after %jd s, killed", program,
			    (intmax_t)(most_ms / 1000));
	if (ended == -1)
		return fail_errno("%s", program);
	if (WIFSIGNALED(status))
		return fail(ERR_UNREACHABLE, "%s: ended by signal %d", program, WTERMSIG(status));
	return WEXITSTATUS(status) == 0 ? OK : fail(ERR_UNREACHABLE, "%s: exit %d", program, WEXITSTATUS(status));
}

static enum err run_hook(struct recall_hook *h, const struct config *c, const struct waiting *w)
{
	struct running *r = calloc(1, sizeof(*r));
	pid_t child = -1;
	enum err e;

	if (r == NULL)
		return ERR_NO_MEMORY;
	set_all(r, h->server, w);
	e = spawn(c->recall_hook.at, r, &child);
	free(r);
	return e == OK ? await(h, c->recall_hook.at, child, c->recall_hook_ms) : e;
}

/* ---- the answer ---- */

/* On the sequencing thread. Nothing, if somebody answered meanwhile or it was taken back. */
static enum err answer(struct node *n, struct submission *s)
{
	const struct waiting *w = s->context;
	struct statement_writer writer = { 0 };
	struct matter m;
	enum err e = state_matter(node_batch_state(n), w->request, &m);

	if (e != OK || m.answered_ms != 0 || m.withdrawn)
		return e;
	statement_begin(&writer, KIND_ANSWER, node_origin(n, LEDGER_CIRCLE), signer_verifier(node_signer(n)));
	statement_add(&writer, "to", m.from);
	statement_add_time(&writer, "date", clock_now_ms());
	statement_add_hash(&writer, "re", w->request);
	statement_add(&writer, "outcome", span_of(outcome_name(OUTCOME_WORKING)));
	if (!w->own) {
		statement_add(&writer, "for", span_make(w->party, w->party_length));
		statement_add(&writer, "via", SPAN("node"));
	}
	e = node_add_own(n, &writer, &s->appended);
	statement_writer_free(&writer);
	return e;
}

static enum err log_answer(struct recall_hook *h, struct waiting *w)
{
	struct submission s = { 0 };
	enum err e;

	do {
		s = (struct submission){ .work = answer, .context = w };
		e = sequencer_finish(h->server->sequencer, &s);
	} while (e == ERR_BUSY && wait_ms(h, BUSY_MS, false));
	return e;
}

/* ---- the thread ---- */

static bool is_stopping(struct recall_hook *h)
{
	bool yes;

	pthread_mutex_lock(&h->lock);
	yes = h->stopping;
	pthread_mutex_unlock(&h->lock);
	return yes;
}

static void put_off(struct waiting *w)
{
	int64_t ms = w->tries < 20 ? (int64_t)AGAIN_MS << w->tries : AGAIN_MOST_MS;

	w->tries++;
	w->next_us = clock_monotonic_us() + (ms < AGAIN_MOST_MS ? ms : AGAIN_MOST_MS) * 1000;
}

static void serve_one(struct recall_hook *h, const struct config *c, struct waiting *w)
{
	char text[640], plan[HASH_HEX + 1], request[HASH_HEX + 1];
	enum err e;

	err_clear();
	hash_hex(w->plan, plan);
	hash_hex(w->request, request);
	if ((e = run_hook(h, c, w)) == OK)
		e = log_answer(h, w);
	if (e == OK) {
		snprintf(text, sizeof(text), "%.*s: plan %s, request %s", (int)w->party_length, w->party, plan,
			 request);
		log_error(LOG_INFO, "recalled: the hook ran, and is answered for", OK, text);
		return;
	}
	if (is_stopping(h))
		return;
	snprintf(text, sizeof(text), "plan %s, request %s: %s", plan, request, err_detail());
	log_error(LOG_ERROR, "a recall's hook failed; tried again later", e, text);
	put_off(w);
}

static void *run(void *context)
{
	struct recall_hook *h = context;
	int64_t ms = 0;
	bool goes_on = true;

	while (goes_on) {
		const struct config *c = h->server->config;
		struct waiting *due = NULL;
		enum err e = c->recall_hook.len > 0 ? look(h) : OK;

		ms = LOOK_MOST_MS;
		if (c->recall_hook.len > 0 && e == OK)
			due = first_due(h, &ms);
		else if (e != OK)
			log_error(LOG_ERROR, "recalls cannot be read; tried again in a minute", e, err_detail());
		if (due != NULL)
			serve_one(h, c, due);
		else
			goes_on = wait_ms(h, ms, true);
		goes_on = goes_on && wait_ms(h, (h->looked_us + h->rest_us - clock_monotonic_us()) / 1000, false);
	}
	return NULL;
}

enum err recall_hook_start(struct server *s, struct recall_hook **out)
{
	struct recall_hook *h = calloc(1, sizeof(*h));
	pthread_condattr_t attributes;

	if (h == NULL || (h->arena = arena_new(ARENA)) == NULL ||
	    (h->waiting = calloc(WAITING_MAX, sizeof(*h->waiting))) == NULL) {
		if (h != NULL)
			arena_free(h->arena);
		free(h);
		return ERR_NO_MEMORY;
	}
	h->server = s;
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&h->told, &attributes);
	pthread_condattr_destroy(&attributes);
	*out = h;
	if (pthread_create(&h->thread, NULL, run, h) != 0)
		return fail(ERR_NO_MEMORY, "no thread for recalls");
	h->started = true;
	return OK;
}

void recall_hook_wake(struct recall_hook *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->woken = true;
	pthread_cond_signal(&h->told);
	pthread_mutex_unlock(&h->lock);
}

void recall_hook_stop(struct recall_hook *h)
{
	if (h == NULL)
		return;
	pthread_mutex_lock(&h->lock);
	h->stopping = true;
	pthread_cond_signal(&h->told);
	pthread_mutex_unlock(&h->lock);
	if (h->started)
		pthread_join(h->thread, NULL);
	h->started = false;
}

void recall_hook_free(struct recall_hook *h)
{
	if (h == NULL)
		return;
	pthread_cond_destroy(&h->told);
	pthread_mutex_destroy(&h->lock);
	arena_free(h->arena);
	free(h->waiting);
	free(h);
}
