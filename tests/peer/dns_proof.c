/* Evidence from the DNS without a node, for tests/e2e/test_dns_proof.py and dns_lab.py:
 *
 *	dns_proof gather ADDRESS PORT RESOURCE FILE
 *	dns_proof observe-dns ADDRESS PORT DOMAIN PARTY KEY FILE
 *	dns_proof observe-https private|public AUTHORITIES DOMAIN PARTY KEY FILE
 *	dns_proof verify dnssec|observed ANCHORS RESOURCE PARTY KEY AT FILE
 *
 * Prints the error's code and its particulars, or "ok"; of verify until when and under which anchor. What was had is in FILE. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "proof/dnssec.h"
#include "proof/observed.h"

static struct arena *arena;

static void need(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "dns_proof: %s: %s\n", err_code(e), err_detail());
	exit(1);
}

static int say(enum err e)
{
	if (e == OK)
		printf("ok\n");
	else
		printf("%s: %s\n", err_code(e), err_detail());
	return 0;
}

static struct addressee resource_of(const char *text)
{
	struct addressee to;

	need(addressee_parse(span_of(text), &to));
	return to;
}

static struct key_statement key_of(const char *party, const char *hex)
{
	struct key_statement k = { .party = span_of(party) };

	need(hash_from_hex(span_of(hex), &k.key));
	return k;
}

static unsigned port_of(const char *text)
{
	uint64_t port = 0;

	need(span_u64(span_of(text), 65535, &port));
	return (unsigned)port;
}

static int keep(enum err e, const struct evidence *got, const char *path)
{
	struct buffer text = BUFFER(PROOF_BODY_MAX);

	say(e);
	if (got->count > 0) {
		need(evidence_print(got, &text));
		need(file_write_lazily(path, buffer_view(&text), 0644));
	}
	buffer_free(&text);
	return 0;
}

static int gather(char **v)
{
	struct addressee to = resource_of(v[4]);
	struct evidence got = { 0 };

	return keep(dnssec_gather(arena, v[2], port_of(v[3]), &to, &got), &got, v[5]);
}

static int observe(char **v)
{
	struct key_statement key = key_of(v[5], v[6]);
	struct evidence got = { 0 };

	return keep(observe_dns(arena, v[2], port_of(v[3]), span_of(v[4]), &key, &got), &got, v[7]);
}

static int observe_web(char **v)
{
	struct key_statement key = key_of(v[5], v[6]);
	struct door_limits limits = door_default;
	struct evidence got = { 0 };

	limits.allow_private = strcmp(v[2], "private") == 0;
	limits.authorities = v[3];
	return keep(observe_https(arena, &limits, span_of(v[4]), &key, &got), &got, v[7]);
}

static int verify(char **v)
{
	struct addressee to = resource_of(v[4]);
	struct proof p = { .resources = &to, .resource_count = 1 };
	struct key_statement key = key_of(v[5], v[6]);
	struct anchors *anchors = NULL;
	struct verdict verdict = { 0 };
	struct evidence e;
	struct span text;
	char until[CLOCK_TEXT];
	int64_t at_ms = 0;
	enum err bad;

	need(basis_parse(span_of(v[2]), &p.method));
	need(anchors_open(v[3], &anchors));
	need(clock_parse(span_of(v[7]), &at_ms));
	need(file_read(arena, v[8], PROOF_BODY_MAX, &text));
	need(evidence_parse(arena, text, &e));
	bad = verify_proof(arena, anchors, &p, &key, &e, at_ms, &verdict);
	say(bad);
	if (bad == OK) {
		clock_format(verdict.until_ms, until);
		printf("%s\n%.*s\n", until, SPAN_FORMAT(verdict.anchor));
	}
	anchors_free(anchors);
	return 0;
}

int main(int count, char **v)
{
	static const struct {
		const char *name;
		int words;
		int (*run)(char **v);
	} verbs[] = {
		{ "gather", 6, gather },
		{ "observe-dns", 8, observe },
		{ "observe-https", 8, observe_web },
		{ "verify", 9, verify },
	};
	int result = 2;

	if (sodium_init() == -1 || (arena = arena_new((size_t)1 << 28)) == NULL)
		return 1;
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (count == verbs[i].words && strcmp(v[1], verbs[i].name) == 0)
			result = verbs[i].run(v);
	arena_free(arena);
	return result;
}
