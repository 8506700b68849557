/* What matching costs: 100,000 plans in force, each with a proof of its source, against observations of which none, some or all
 * come from one of these sources; beside a loop over the same observations that only adds them up. Then one question alone: the
 * node opened, `plan whose` answered, closed. `bench_plans [PLANS]`. */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "plans_made.h"
#include "regime/plan.h"

#define OBSERVATIONS ((size_t)1 << 20)
#define ROUNDS 4
#define CHECKED 2000
#define QUESTIONS 200

/* Of this process alone: others may use the machine too. */
static int64_t processor_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double seconds_since(int64_t start_us)
{
	return (double)(processor_us() - start_us) / 1e6;
}

static struct address inside(struct prefix p, uint64_t r)
{
	struct address a = p.address;

	if (a.family == FAMILY_IPV4)
		a.low |= r & (p.length == 32 ? 0 : UINT32_MAX >> p.length);
	else
		a.low |= r;
	return a;
}

static void draw(struct observation *o, const struct plans_made *made, unsigned hits_of_100, uint64_t *seed)
{
	for (size_t i = 0; i < OBSERVATIONS; i++) {
		uint64_t r = plans_random(seed);

		o[i] = (struct observation){ .time_ms = made->logged_ms + (int64_t)(r % 3600000), .transport = 6 };
		o[i].target_port = r >> 60 == 0 ? 22 : 443;
		o[i].has_target = true;
		o[i].target = address_ipv4(r >> 59 & 1 ? 0xc0000207 : 0xc6336407);
		o[i].seen = r >> 58 & 1 ? SEEN_HANDSHAKE : 0;
		if (r % 100 < hits_of_100)
			o[i].source = inside(made->prefixes[plans_random(seed) % made->count], plans_random(seed));
		else if (r >> 57 & 1)
			o[i].source = address_ipv4((uint32_t)plans_random(seed));
		else
			o[i].source = (struct address){ 0x2400000000000000 | plans_random(seed) >> 8, r, FAMILY_IPV6 };
	}
}

/* The best that any program can do that looks at each observation. */
static double floor_of(const struct observation *o)
{
	volatile uint64_t result;
	int64_t start = processor_us();
	uint64_t sum = 0;

	for (size_t k = 0; k < ROUNDS; k++) {
		for (size_t i = 0; i < OBSERVATIONS; i++)
			sum += o[i].source.low ^ (uint64_t)o[i].time_ms ^ o[i].target.low ^ o[i].target_port;
		result = sum;
	}
	(void)result;
	return (double)(ROUNDS * OBSERVATIONS) / seconds_since(start);
}

static void measure(const struct plans *p, struct observation *o, const struct plans_made *made, unsigned hits,
		    uint64_t *seed)
{
	size_t verdicts[PLAN_VERDICT_COUNT] = { 0 };
	double floor, rate;
	int64_t start;

	draw(o, made, hits, seed);
	floor = floor_of(o);
	start = processor_us();
	for (size_t k = 0; k < ROUNDS; k++)
		for (size_t i = 0; i < OBSERVATIONS; i++)
			verdicts[plans_match(p, &o[i]).verdict]++;
	rate = (double)(ROUNDS * OBSERVATIONS) / seconds_since(start);
	printf("%3u%% from declared sources: %6.2f million/s of processor time; a loop that only reads: %7.1f "
	       "million/s; ",
	       hits, rate / 1e6, floor / 1e6);
	for (int v = 0; v < PLAN_VERDICT_COUNT; v++)
		if (verdicts[v] > 0)
			printf(" %s %.1f%%", plan_verdict_name((enum plan_verdict)v),
			       100.0 * (double)verdicts[v] / (double)(ROUNDS * OBSERVATIONS));
	putchar('\n');
}

/* Beside the answers by the other way, which looks up one after the other in the state. */
static void compare(struct node *n, const struct plans *p, const struct observation *o)
{
	struct arena *a = arena_new((size_t)64 << 20);
	struct plan_whose w;
	size_t count, differ = 0, found = 0;
	struct state st;

	plans_need(node_read(n, a, &st));
	for (size_t i = 0; i < CHECKED; i++) {
		struct plan_match m = plans_match(p, &o[i]);

		plans_need(plan_whose(&st, &o[i], &w, 1, &count));
		found += count > 0;
		if (m.verdict != (count > 0 ? w.match.verdict : PLAN_UNDECLARED) ||
		    (m.verdict != PLAN_UNDECLARED && !hash_equal(m.plan, w.match.plan)))
			differ++;
	}
	snapshot_end(st.snapshot);
	arena_free(a);
	printf("matched and looked up one by one: %d observations, %zu with a plan, %zu differ\n", CHECKED, found,
	       differ);
	if (differ > 0)
		exit(EXIT_FAILURE);
}

static int by_time(const void *a, const void *b)
{
	return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b);
}

static void ask_alone(const char *dir, const struct observation *o)
{
	int64_t took[QUESTIONS], spent[QUESTIONS];

	for (size_t i = 0; i < QUESTIONS; i++) {
		int64_t start = clock_monotonic_us(), begun = processor_us();
		struct arena *a = arena_new((size_t)64 << 20);
		struct plan_whose w[8];
		struct node *n = NULL;
		struct state st;
		size_t count;

		plans_need(node_open(dir, NODE_READ, &n));
		plans_need(node_read(n, a, &st));
		plans_need(plan_whose(&st, &o[i], w, 8, &count));
		snapshot_end(st.snapshot);
		node_close(n);
		arena_free(a);
		took[i] = clock_monotonic_us() - start;
		spent[i] = processor_us() - begun;
	}
	qsort(took, QUESTIONS, sizeof(*took), by_time);
	qsort(spent, QUESTIONS, sizeof(*spent), by_time);
	printf("node opened, one address asked, closed: median %.2f ms (processor %.2f ms), of %d the slowest %.2f "
	       "ms\n",
	       (double)took[QUESTIONS / 2] / 1e3, (double)spent[QUESTIONS / 2] / 1e3, QUESTIONS,
	       (double)took[QUESTIONS - 1] / 1e3);
}

int main(int argc, char **argv)
{
	static const unsigned mixes[] = { 0, 1, 10, 100 };
	struct observation *o = calloc(OBSERVATIONS, sizeof(*o));
	char parent[] = "/tmp/bench-plans-XXXXXX", dir[64], command[80];
	struct arena *a = arena_new((size_t)256 << 20);
	uint64_t count = 100000, seed = 1;
	struct plans_made made;
	struct plans *p = NULL;
	struct node *n = NULL;
	struct state st;
	int64_t start;

	if (argc > 1 && span_u64(span_of(argv[1]), 1000000, &count) != OK)
		return 2;
	if (o == NULL || a == NULL || mkdtemp(parent) == NULL)
		return EXIT_FAILURE;
	snprintf(dir, sizeof(dir), "%s/node", parent);
	plans_need(node_init(dir, SPAN("cert.example"), SPAN("a node made to be measured")));
	plans_need(node_open(dir, NODE_WRITE, &n));
	made = plans_make(n, (size_t)count, true);
	plans_need(node_read(n, a, &st));
	start = processor_us();
	plans_need(plans_load(&st, &p));
	printf("%zu plans loaded in %.3f s\n", plans_count(p), seconds_since(start));
	snapshot_end(st.snapshot);
	for (size_t i = 0; i < sizeof(mixes) / sizeof(mixes[0]); i++)
		measure(p, o, &made, mixes[i], &seed);
	compare(n, p, o);
	node_close(n);
	ask_alone(dir, o);
	plans_free(p);
	arena_free(a);
	free(o);
	free(made.prefixes);
	snprintf(command, sizeof(command), "rm -r '%s'", parent);
	return system(command) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
