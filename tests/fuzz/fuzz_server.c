/*
 * The whole server, as `comity serve` runs it, in this process: its doors, admission, sequencer and node, asked over loopback.
 *
 * An input is a session of requests, in text, so that what is found reads easily:
 *
 *	MG /statements?limit=@q		who (one of WHO), method (one of METHODS), target
 *	Accept: text/plain		fields, as they are
 *					an empty line
 *	the body, until a line %%	what begins with '!' is a statement's kind and headers, to be signed by who asks (~kind: for
 *					the circle's ledger);
 *					with '?' too, and behind a line == its body, sent along as JSON
 *
 * `@` and a letter stand for what only this run knows (words below). Laws: each answer is HTTP as RFC 9112 wants it; refusals
 * carry the fields that they must; TAXII's doors answer TAXII's JSON; nothing ends in 5xx; who may not see a canary does not
 * receive it, in whatever answer; and when the node is put away its audit is clean.
 */
#include <openssl/crypto.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sodium.h>
#include <time.h>
#include <yyjson.h>

#include "../unit/scratch.h"
#include "base/encoding.h"
#include "base/json.h"
#include "exchange/server.h"
#include "regime/credential.h"
#include "store/journal.h"
#include "wire.h"

#define SESSIONS_A_NODE 2000
#define REQUESTS_MOST 12
#define EVIDENCE "application/vnd.comity.evidence+zstd"
#define INPUT_MOST ((size_t)1 << 16)

/* Who asks: nobody, a registered stranger, a member that may only write, a member, another member, the operator; the member by
 * its signature; somebody with a wrong secret. */
enum who { NOBODY, STRANGER, PEN, MEMBER, OTHER, OPERATOR, SIGNED, WRONG, WHOS, MAKER = WHOS };
static const char who_letters[] = "NSPMOAKX";
static const struct {
	const char *tool, *party;
	unsigned rights;
} tools[WHOS + 1] = {
	[STRANGER] = { "stranger", "stranger.example", RIGHT_READ | RIGHT_WRITE },
	[PEN] = { "pen", "team.example", RIGHT_WRITE },
	[MEMBER] = { "member", "team.example", RIGHT_READ | RIGHT_WRITE },
	[OTHER] = { "other", "other.example", RIGHT_READ | RIGHT_WRITE },
	[OPERATOR] = { "operator", "node.example", RIGHT_READ | RIGHT_OPERATE },
	/* who makes what is there in the beginning; takes no part in sessions */
	[MAKER] = { "maker", "node.example", RIGHT_READ | RIGHT_WRITE | RIGHT_OPERATE },
};
#define MEMBERS (1u << MEMBER | 1u << OTHER | 1u << OPERATOR | 1u << SIGNED)

static const struct {
	char letter;
	enum http_method method;
	const char *name;
} methods[] = { { 'G', HTTP_GET, "GET" },	{ 'H', HTTP_HEAD, "HEAD" },    { 'P', HTTP_POST, "POST" },
		{ 'D', HTTP_DELETE, "DELETE" }, { 'U', HTTP_PUT, "PUT" },      { 'O', HTTP_OTHER, "OPTIONS" },
		{ 'T', HTTP_OTHER, "TRACE" },	{ 'C', HTTP_OTHER, "CONNECT" } };
#define METHODS (sizeof(methods) / sizeof(methods[0]))

/* What stands in hidden places, and who may see it there. */
enum canary { IN_HEADER, IN_BODY, IN_STRANGERS_BODY, IN_HIDDEN, IN_FEED, IN_OPEN, IN_NAMED, IN_TITLE, CANARIES };
static const struct {
	const char *text;
	unsigned who;
} canaries[CANARIES] = {
	[IN_HEADER] = { "zq7h3.canary.example", MEMBERS },
	[IN_BODY] = { "zq7-canary-of-a-sealed-body", 1u << OPERATOR },
	[IN_STRANGERS_BODY] = { "zq7-canary-for-the-stranger", 1u << STRANGER | 1u << OPERATOR },
	[IN_HIDDEN] = { "zq7-canary-that-the-node-alone-reads", 1u << OPERATOR },
	[IN_FEED] = { "zq7-canary-for-members", MEMBERS },
	[IN_OPEN] = { "zq7-canary-green-where-all-read", MEMBERS },
	[IN_NAMED] = { "zq7-canary-red-for-who-is-named", 1u << OTHER | 1u << OPERATOR },
	[IN_TITLE] = { "zq7-canary-in-a-title", 1u << OPERATOR },
};

static const char config_text[] =
	"listen 127.0.0.1:0\nlog json\nthreads 1\nbody-most 1MiB\n"
	"collection open 0d5d1c53-5e0c-4b9f-8e6e-3f0a52a3bb10 For everybody\nread open all\nwrite open members\n"
	"collection shared 84707118-4dc6-46ae-a11c-7fa51216a73e For members\nread shared members\nwrite shared "
	"members\n"
	"collection board 2f0c2a3e-90a5-4e52-8a56-0d4c1f6d5e11 Of the node, for everybody\nread board all\n"
	"collection feed 7a3f0b56-1d9e-4f3c-9d52-6f1d2f8e4c22 Of the node, for members\nread feed members\n"
	"collection named 5a9f2d8e-77c1-4d0b-a1f4-91c1b3e0d7aa For one\nread named other.example\n"
	"collection hidden 6b1e4c7d-8a2f-4b3c-9d4e-5f6a7b8c9d0e zq7-canary-in-a-title\nread hidden node.example\n";

static struct {
	char dir[64];
	bool began;
	pthread_t thread;
	sem_t ready;
	struct arena *arena; /* of the run */
	struct config config;
	struct server_options options;
	uint16_t port;
	enum err ended;
	struct signer *team, *other, *stranger, *lost;
	char tokens[WHOS + 1][HASH_HEX + 1];
	char origin[2][64];
	char plan[HASH_HEX + 1], told[HASH_HEX + 1];
	unsigned sessions, number;
	/* of one session */
	char status[64], next[512], made[HASH_HEX + 1];
} f;

/* ---- a node ---- */

static void add_statement(struct node *n, enum kind k, enum ledger_id l, const struct signer *by, const char *lines,
			  struct hash *id)
{
	struct statement_writer w = { 0 };
	struct span rest = span_of(lines), line;
	struct buffer note = BUFFER(STATEMENT_MAX);
	struct appended out;

	statement_begin(&w, k, node_origin(n, l), signer_verifier(by));
	while (span_line(&rest, &line)) {
		struct span value = line, name = span_cut(&value, ' ');
		char header[32];

		snprintf(header, sizeof(header), "%.*s", SPAN_FORMAT(name));
		statement_add(&w, header, value);
	}
	law(statement_end(&w, by, &note, id) == OK && node_add_statement(n, buffer_view(&note), &out) == OK,
	    "the beginning: %s: %s", lines, err_detail());
	statement_writer_free(&w);
	buffer_free(&note);
}

static void public_key(const struct signer *s, char out[BASE64_LENGTH(1 + KEY_PUBLIC_SIZE) + 1])
{
	uint8_t bytes[1 + KEY_PUBLIC_SIZE] = { 1 };

	memcpy(bytes + 1, signer_verifier(s)->public_key, KEY_PUBLIC_SIZE);
	base64_encode(bytes, sizeof(bytes), out);
	out[BASE64_LENGTH(sizeof(bytes))] = '\0';
}

static void add_party(struct node *n, const struct signer *s, bool accepted)
{
	char key[BASE64_LENGTH(1 + KEY_PUBLIC_SIZE) + 1], lines[256], hex[HASH_HEX + 1];
	struct hash id, unused;

	public_key(s, key);
	snprintf(lines, sizeof(lines), "public-key %s\nrole response-team\n", key);
	add_statement(n, KIND_PARTY, LEDGER_PUBLIC, s, lines, &id);
	hash_hex(id, hex);
	snprintf(lines, sizeof(lines), "re %s\noutcome accepted\n", hex);
	if (accepted)
		add_statement(n, KIND_ANSWER, LEDGER_PUBLIC, node_signer(n), lines, &unused);
}

static void add_notice(struct node *n, const char *to, const char *canary, char hex[HASH_HEX + 1])
{
	struct body_reference ref = { .media_type = SPAN(EVIDENCE), .size = strlen(canary), .sealed = true };
	uint8_t salt[SEAL_SALT_SIZE] = { 9 };
	struct span payload = span_of(canary);
	char lines[512], sealed[HASH_HEX + 1];
	struct hash id;

	ref.hash = seal_commitment(node_name(n), SPAN(""), ref.media_type, salt, payload);
	hash_hex(ref.hash, sealed);
	snprintf(lines, sizeof(lines),
		 "to %s\nclass malicious-code/infected-system\nevents 1\nbody " EVIDENCE " %zu sealed-sha256:%s\n", to,
		 payload.len, sealed);
	law(node_add_body(n, &ref, salt, &payload, 1) == OK, "a body: %s", err_detail());
	add_statement(n, KIND_NOTICE, LEDGER_CIRCLE, node_signer(n), lines, &id);
	hash_hex(id, hex);
}

static void add_tool(struct node *n, enum who w)
{
	struct credential c = { .type = CREDENTIAL_TOKEN,
				.name = span_of(tools[w].tool),
				.party = span_of(tools[w].party),
				.rights = tools[w].rights };
	struct buffer record = BUFFER(4096);
	struct span part;
	struct hash check;

	hash_hex(hash_span(c.name), f.tokens[w]);
	check = hash_bytes(f.tokens[w], HASH_HEX);
	c.check = span_make((const char *)check.bytes, HASH_SIZE);
	credential_write(&record, &c);
	part = buffer_view(&record);
	law(record.err == OK && node_add_private(n, RECORD_PRIVATE, &part, 1) == OK, "a credential: %s", err_detail());
	buffer_free(&record);
}

static void make_node(void)
{
	char unused[HASH_HEX + 1];
	struct node *n = NULL;
	struct hash id;

	law(node_init(f.dir, SPAN("node.example"), SPAN("A node")) == OK && node_open(f.dir, NODE_WRITE, &n) == OK,
	    "no node: %s", err_detail());
	law(node_begin(n) == OK, "no batch");
	add_party(n, f.team, true);
	add_party(n, f.other, true);
	add_party(n, f.stranger, false);
	for (enum who w = 0; w <= MAKER; w++)
		if (tools[w].tool != NULL)
			add_tool(n, w);
	add_statement(n, KIND_PLAN, LEDGER_PUBLIC, f.team,
		      "activity scan\nstart 2026-01-01T00:00:00Z\nend 2026-02-01T00:00:00Z\nsource 198.51.100.0/24\n"
		      "target any\npurpose a survey\n",
		      &id);
	hash_hex(id, f.plan);
	add_notice(n, canaries[IN_HEADER].text, canaries[IN_BODY].text, unused);
	add_notice(n, "stranger.example", canaries[IN_STRANGERS_BODY].text, f.told);
	law(node_commit(n) == OK, "the batch: %s", err_detail());
	for (int l = 0; l < 2; l++)
		snprintf(f.origin[l], sizeof(f.origin[l]), "%.*s", SPAN_FORMAT(node_origin(n, (enum ledger_id)l)));
	node_close(n);
}

/* ---- its server ---- */

static void ready(void *context, const struct server_ready *r)
{
	const char *colon = strrchr(r->urls[0], ':');

	(void)context;
	f.port = (uint16_t)strtoul(colon + 1, NULL, 10);
	sem_post(&f.ready);
}

static void *life(void *context)
{
	(void)context;
	f.ended = server_run(&f.options);
	if (f.ended != OK)
		fprintf(say_to, "the server: %s: %s\n", err_code(f.ended), err_detail());
	sem_post(&f.ready);
	return NULL;
}

static void check_audit(void)
{
	struct node *n = NULL;
	struct audit a;

	law(node_open(f.dir, NODE_WRITE, &n) == OK, "the node does not open again: %s", err_detail());
	law(node_audit(n, NULL, NULL, &a) == OK, "the audit: %s", err_detail());
	node_close(n);
}

static void end(void)
{
	if (!f.began)
		return;
	f.began = false;
	pthread_kill(f.thread, SIGTERM);
	pthread_join(f.thread, NULL);
	law(f.ended == OK, "the server did not end well");
	check_audit();
	nftw(f.dir, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void seed(void);

static void begin(void)
{
	bool memory = access("/dev/shm", W_OK) == 0;

	snprintf(f.dir, sizeof(f.dir), "%s/fuzz-server-XXXXXX", memory ? "/dev/shm" : "/tmp");
	law(mkdtemp(f.dir) != NULL && rmdir(f.dir) == 0, "no folder");
	make_node();
	f.options.dir = f.dir;
	f.port = 0;
	sem_init(&f.ready, 0, 0);
	law(pthread_create(&f.thread, NULL, life, NULL) == 0, "no thread");
	sem_wait(&f.ready);
	law(f.port != 0, "the server did not start");
	f.began = true;
	f.sessions = 0;
	seed();
}

/* ---- the laws ---- */

/* By hand, and unseen: libFuzzer would learn the canaries from what memmem compares, and say them itself. */
__attribute__((no_sanitize("coverage", "address"))) static bool holds(struct span text, const char *word)
{
	size_t n = 0;

	while (word[n] != '\0')
		n++;
	for (size_t i = 0; i + n <= text.len; i++) {
		size_t k = 0;

		while (k < n && text.at[i + k] == word[k])
			k++;
		if (k == n)
			return true;
	}
	return false;
}

static void check_canaries(enum who w, struct span target, const struct got *g)
{
	for (int i = 0; i < CANARIES; i++)
		law(w == MAKER || (canaries[i].who & 1u << w) != 0 ||
			    (!holds(g->head, canaries[i].text) && !holds(g->body, canaries[i].text)),
		    "%c received %s from %.*s:\n%.*s%.*s", who_letters[w], canaries[i].text, SPAN_FORMAT(target),
		    SPAN_FORMAT(g->head), SPAN_FORMAT(g->body));
}

static void learn(yyjson_val *root, const char *name, char *to, size_t room)
{
	yyjson_val *v = yyjson_obj_get(root, name);

	if (yyjson_is_str(v) && yyjson_get_len(v) < room)
		snprintf(to, room, "%s", yyjson_get_str(v));
}

/* A target as it must be; of another one only the beginning may be known. */
static bool is_target(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.at[i] <= ' ' || (uint8_t)s.at[i] >= 0x7f || s.at[i] == '#')
			return false;
	return s.len > 0;
}

/* What the library refuses by itself, before any door, is a page of its own. */
static void check_json(struct span target, const struct got *g)
{
	bool taxii = is_target(target) && span_starts(target, "/taxii2");
	yyjson_doc *doc;

	if (g->body.len == 0)
		return;
	if (g->type[0] == '\0' || span_starts(span_of(g->type), "text/html")) {
		law(g->status == 200 || g->status == 400 || g->status == 413 || g->status == 414 || g->status == 431 ||
			    g->status > 500 || find(target, "/answer/") != NULL,
		    "%u is the library's own: %.*s", g->status, SPAN_FORMAT(target));
		return;
	}
	law(!taxii || span_is(span_of(g->type), "application/taxii+json;version=2.1"), "TAXII's type: %.*s\n%.*s",
	    SPAN_FORMAT(target), SPAN_FORMAT(g->head));
	law(g->status < 400 || taxii || !is_target(target) || span_is(span_of(g->type), "application/problem+json") ||
		    span_starts(target, "/healthz"),
	    "a refusal's type: %.*s\n%.*s", SPAN_FORMAT(target), SPAN_FORMAT(g->head));
	if (find(span_of(g->type), "json") == NULL)
		return;
	doc = yyjson_read(g->body.at, g->body.len, 0);
	law(doc != NULL, "no JSON: %.*s\n%.*s", SPAN_FORMAT(target), SPAN_FORMAT(g->body));
	learn(yyjson_doc_get_root(doc), "id", g->status == 202 ? f.status : f.made,
	      g->status == 202 ? sizeof(f.status) : sizeof(f.made));
	learn(yyjson_doc_get_root(doc), "next", f.next, sizeof(f.next));
	yyjson_doc_free(doc);
}

static void check_answer(enum who w, struct span target, const struct got *g)
{
	law(g->status < 500 || g->status == 501 || g->status == 505, "%u: %.*s\n%.*s", g->status, SPAN_FORMAT(target),
	    SPAN_FORMAT(g->body));
	law(g->status != 401 || g->challenge, "401 without a challenge");
	law(g->status != 405 || g->allow, "405 without Allow");
	law(g->status != 429 || g->retry, "429 without Retry-After");
	check_json(target, g);
	check_canaries(w, target, g);
}

/* ---- a request ---- */

static const struct signer *signer_for(enum who w)
{
	return w == OTHER ? f.other : w == STRANGER ? f.stranger : w == WRONG || w == NOBODY ? f.lost : f.team;
}

static void put_word(struct buffer *out, enum who w, char letter)
{
	static unsigned fresh;
	char key[BASE64_LENGTH(1 + KEY_PUBLIC_SIZE) + 1];

	switch (letter) {
	case '@':
		buffer_byte(out, '@');
		break;
	case 'p':
		buffer_text(out, f.plan);
		break;
	case 'o':
		buffer_text(out, f.told);
		break;
	case 'i':
		buffer_text(out, f.made);
		break;
	case 's':
		buffer_text(out, f.status);
		break;
	case 'x':
		buffer_text(out, f.next);
		break;
	case 'L':
	case 'C':
		buffer_text(out, f.origin[letter == 'C']);
		break;
	case 'K':
		public_key(signer_for(w), key);
		buffer_text(out, key);
		break;
	case 'q':
		buffer_print(out, "%u", ++fresh);
		break;
	case 'u': /* a new name for an object; 'v': the last one */
	case 'v':
		fresh += letter == 'u';
		buffer_print(out, "%08x-0000-4000-8000-%012x", fresh, f.number);
		break;
	case 't':
		buffer_text(out, "/taxii2/comity/collections/");
		break;
	case 'm':
		buffer_text(out, "application/taxii+json;version=2.1");
		break;
	case 'A':
		buffer_print(out, "Bearer %.64s", f.tokens[w == SIGNED ? MEMBER : w]);
		break;
	default: /* objects of the beginning, 0 to 4 */
		buffer_print(out, "indicator--%08x-1111-4111-8111-111111111111", (unsigned)(letter - '0'));
		break;
	}
}

static void expand(struct buffer *out, enum who w, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '@' && i + 1 < text.len)
			put_word(out, w, text.at[++i]);
		else
			buffer_byte(out, text.at[i]);
}

/* "!kind\nheaders": the fixed ones are added, then it is signed. What obeys no rule goes out as it is. */
static void put_note(struct buffer *out, enum who w, struct span text, const struct body_reference *ref)
{
	struct buffer whole = BUFFER(INPUT_MOST), hash = BUFFER(256);
	const struct signer *by = signer_for(w);
	struct span kind, rest = text;
	char hex[HASH_HEX + 1];
	bool circle;

	if (!span_line(&rest, &kind))
		kind = rest = SPAN("");
	circle =
		span_starts(kind, "~") || span_is(kind, "notice") || span_is(kind, "share") || span_is(kind, "request");
	if (span_starts(kind, "~"))
		kind = span_from(kind, 1);
	hash_hex(verifier_fingerprint(signer_verifier(by)), hex);
	buffer_print(&whole, "comity/1 %.*s\nledger %s\nfrom %s\nkey %s\n%.*s", SPAN_FORMAT(kind), f.origin[circle],
		     signer_verifier(by)->name, hex, SPAN_FORMAT(rest));
	if (whole.len > 0 && whole.at[whole.len - 1] != '\n')
		buffer_byte(&whole, '\n');
	if (ref != NULL) {
		hash_hex(ref->hash, hex);
		buffer_print(&whole, "body %.*s %zu %s:%s\n", SPAN_FORMAT(ref->media_type), (size_t)ref->size,
			     ref->sealed ? "sealed-sha256" : "sha256", hex);
	}
	if (whole.err != OK || note_sign(out, buffer_view(&whole), by) != OK) {
		err_clear();
		buffer_span(out, buffer_view(&whole));
	}
	buffer_free(&whole);
	buffer_free(&hash);
}

static void put_with_body(struct buffer *out, enum who w, struct span text)
{
	const char *mark = find(text, "\n==\n");
	struct span lines = mark != NULL ? span_make(text.at, (size_t)(mark - text.at) + 1) : text;
	struct span payload = mark != NULL ? span_from(text, lines.len + 3) : SPAN("");
	struct body_reference ref = { .media_type = SPAN(EVIDENCE), .size = payload.len, .sealed = true };
	struct buffer note = BUFFER(INPUT_MOST);
	char *base64 = malloc(BASE64_LENGTH(payload.len) + 1), hex[2 * SEAL_SALT_SIZE + 1];
	uint8_t salt[SEAL_SALT_SIZE] = { 3 };
	struct json j = { .out = out };

	ref.sealed = !span_starts(lines, "plan");
	ref.hash = ref.sealed ? seal_commitment(span_of(signer_verifier(signer_for(w))->name), SPAN(""), ref.media_type,
						salt, payload)
			      : hash_span(payload);
	put_note(&note, w, lines, &ref);
	hex_encode(salt, sizeof(salt), hex);
	json_object(&j, NULL);
	json_string(&j, "note", buffer_view(&note));
	base64_encode(payload.at, payload.len, base64);
	json_string(&j, "body", span_make(base64, BASE64_LENGTH(payload.len)));
	if (ref.sealed)
		json_text(&j, "salt", hex);
	json_object_end(&j);
	free(base64);
	buffer_free(&note);
}

static void put_body(struct buffer *out, enum who w, struct span text)
{
	struct buffer said = BUFFER(INPUT_MOST * 8);

	expand(&said, w, text);
	text = buffer_view(&said);
	if (text.len > 0 && text.at[0] == '!')
		put_note(out, w, span_from(text, 1), NULL);
	else if (text.len > 0 && text.at[0] == '?')
		put_with_body(out, w, span_from(text, 1));
	else
		buffer_span(out, text);
	buffer_free(&said);
}

static void put_credentials(struct buffer *out, enum who w, size_t method, struct span target, struct span body)
{
	struct buffer input = BUFFER(4096), signature = BUFFER(4096), digest = BUFFER(4096);

	if (w == SIGNED) {
		struct span fragment = target;

		if (access_sign(f.team, methods[method].method, SPAN("node.example"), span_cut(&fragment, '#'), body,
				&input, &signature, &digest) == OK) {
			buffer_print(out, "Signature-Input: %.*s\r\nSignature: %.*s\r\n",
				     SPAN_FORMAT(buffer_view(&input)), SPAN_FORMAT(buffer_view(&signature)));
			if (digest.len > 0)
				buffer_print(out, "Content-Digest: %.*s\r\n", SPAN_FORMAT(buffer_view(&digest)));
		}
	} else if (w == WRONG) {
		buffer_text(out, "Authorization: Bearer nonsense\r\n");
	} else if (w != NOBODY) {
		buffer_print(out, "Authorization: Bearer %.64s\r\n", f.tokens[w]);
	}
	buffer_free(&input);
	buffer_free(&signature);
	buffer_free(&digest);
}

struct request {
	enum who who;
	size_t method;
	struct span target, fields, body;
};

static bool says(struct span text, const char *word)
{
	return find(text, word) != NULL;
}

static void send_all(struct wire *w, struct span bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(w->fd, bytes.at, bytes.len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* refused by its head: the answer is there */
		bytes = span_from(bytes, (size_t)n);
	}
}

static void write_request(struct wire *w, const struct request *r, struct span target)
{
	struct buffer out = BUFFER(INPUT_MOST * 32), body = BUFFER(INPUT_MOST * 16);
	struct span rest = r->fields, line;

	put_body(&body, r->who, r->body);
	buffer_print(&out, "%s %.*s HTTP/1.1\r\n", methods[r->method].name, SPAN_FORMAT(target));
	if (!says(r->fields, "Host:"))
		buffer_text(&out, "Host: node.example\r\n");
	put_credentials(&out, r->who, r->method, target, buffer_view(&body));
	while (rest.len > 0) {
		line = span_cut(&rest, '\n');
		expand(&out, r->who, line);
		buffer_text(&out, "\r\n");
		if (rest.at == NULL)
			break;
	}
	if (!says(r->fields, "Content-Length") && !says(r->fields, "Transfer-Encoding") &&
	    (body.len > 0 || r->method == 2))
		buffer_print(&out, "Content-Length: %zu\r\n", body.len);
	buffer_text(&out, "\r\n");
	buffer_span(&out, buffer_view(&body));
	send_all(w, buffer_view(&out));
	buffer_free(&out);
	buffer_free(&body);
}

/* Fields that are the fuzzer's own may promise more than there is: then the server rightly waits. So does a long poll. */
static bool may_wait(const struct request *r, struct span target)
{
	static const char *const words[] = { "ength", "oding", "xpect", "pgrade", "onnection", "\r" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (says(r->fields, words[i]))
			return true;
	return says(target, "wait") || says(target, "%") || methods[r->method].method == HTTP_OTHER;
}

static unsigned ask(struct wire *w, const struct request *r, struct got *keep)
{
	struct timeval soon = { .tv_usec = 2000 }, patience = { .tv_sec = 10 };
	struct buffer target = BUFFER(INPUT_MOST * 16);
	struct got g;
	bool whole;
	unsigned status;

	expand(&target, r->who, r->target);
	if (w->fd == -1)
		dial(w, f.port, f.number);
	setsockopt(w->fd, SOL_SOCKET, SO_RCVTIMEO, may_wait(r, buffer_view(&target)) ? &soon : &patience, sizeof(soon));
	write_request(w, r, buffer_view(&target));
	whole = read_answer(w, methods[r->method].method == HTTP_HEAD, &g);
	law(!g.silent || may_wait(r, buffer_view(&target)), "no answer: %.*s", SPAN_FORMAT(buffer_view(&target)));
	law(whole || g.silent || r->fields.len > 0 || !is_target(buffer_view(&target)),
	    "no whole answer: %.*s after %zu bytes, errno %d", SPAN_FORMAT(buffer_view(&target)), w->in.len - w->at,
	    errno);
	if (whole)
		check_answer(r->who, buffer_view(&target), &g);
	status = whole ? g.status : 0;
	if (!whole || g.closes || may_wait(r, buffer_view(&target)))
		hang_up(w); /* what is left is of no known beginning */
	if (keep != NULL)
		*keep = g;
	else
		buffer_free(&g.joined);
	buffer_free(&target);
	return status;
}

/* ---- the beginning, over the doors themselves ---- */

static void share(struct wire *w, const char *collection, int n, const char *canary, const char *marking)
{
	char target[64], body[1000];
	struct request r = { .who = MAKER, .method = 2, .fields = SPAN("Content-Type: @m") };
	unsigned status;

	snprintf(target, sizeof(target), "@t%s/objects/", collection);
	snprintf(body, sizeof(body),
		 "{\"objects\":[{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"@%d\",\"created\":\"2026-01-"
		 "01T00:00:00.000Z\","
		 "\"modified\":\"2026-01-01T00:00:00.000Z\",\"name\":\"%s\",\"pattern\":\"[ipv4-addr:value = "
		 "'192.0.2.1']\","
		 "\"pattern_type\":\"stix\",\"valid_from\":\"2026-01-01T00:00:00Z\",\"object_marking_refs\":[\"marking-"
		 "definition--%s\"]}]}",
		 n, canary, marking);
	r.target = span_of(target);
	r.body = span_of(body);
	status = ask(w, &r, NULL);
	law(status == 202, "an object of the beginning: %u", status);
}

/* Each canary is where it belongs, and is seen by who may: or the law about them would hold of anything. */
static void control(struct wire *w, enum who who, const char *target, const char *fields, const char *canary)
{
	struct request r = { .who = who, .target = span_of(target), .fields = span_of(fields) };
	struct got g;

	law(ask(w, &r, &g) == 200 && holds(g.body, canary), "%c does not see %s at %s", who_letters[who], canary,
	    target);
	buffer_free(&g.joined);
}

#define CLEAR "94868c89-83c2-464b-929b-a1a8aa3c8487"
#define GREEN "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
#define AMBER "55d920b0-5e8b-4f79-9ee9-91f868d9b421"
#define RED "e828b379-4e03-4974-9ac4-e53a884c97c1"

static void seed(void)
{
	struct wire w = { .fd = -1, .in = BUFFER(ANSWER_MOST * 2) };

	share(&w, "board", 0, "for everybody", CLEAR);
	share(&w, "board", 1, canaries[IN_OPEN].text, GREEN);
	share(&w, "feed", 2, canaries[IN_FEED].text, AMBER);
	share(&w, "named", 3, canaries[IN_NAMED].text, RED);
	share(&w, "hidden", 4, canaries[IN_HIDDEN].text, GREEN);
	control(&w, NOBODY, "@tboard/objects/", "Accept: @m", "for everybody");
	control(&w, MEMBER, "@tboard/objects/", "Accept: @m", canaries[IN_OPEN].text);
	control(&w, SIGNED, "@tfeed/objects/", "Accept: @m", canaries[IN_FEED].text);
	control(&w, OTHER, "@tnamed/objects/", "Accept: @m", canaries[IN_NAMED].text);
	control(&w, OPERATOR, "@thidden/objects/", "Accept: @m", canaries[IN_HIDDEN].text);
	control(&w, OPERATOR, "@t", "Accept: @m", canaries[IN_TITLE].text);
	control(&w, MEMBER, "/statements?kind=notice", "", canaries[IN_HEADER].text);
	control(&w, STRANGER, "/statements/@o/body", "", canaries[IN_STRANGERS_BODY].text);
	hang_up(&w);
	buffer_free(&w.in);
}

/* ---- an input ---- */

static struct span cut_at(struct span *rest, const char *mark)
{
	const char *found = find(*rest, mark);
	struct span first = *rest;

	if (found == NULL) {
		*rest = SPAN("");
		return first;
	}
	first.len = (size_t)(found - rest->at);
	*rest = span_from(*rest, first.len + strlen(mark));
	return first;
}

static struct request read_request(struct span text)
{
	struct request r = { 0 };
	const char *letter;

	if (text.len > 0)
		r.who = (letter = memchr(who_letters, text.at[0], WHOS)) != NULL
				? (enum who)(letter - who_letters)
				: (enum who)((uint8_t)text.at[0] % WHOS);
	for (size_t i = 0; text.len > 1 && i < METHODS; i++)
		if (methods[i].letter == text.at[1])
			r.method = i;
	text = span_from(text, text.len < 3 ? text.len : 3);
	if (text.len > 0 && memchr(text.at, '\n', text.len) == NULL) {
		r.target = text;
		return r;
	}
	r.target = cut_at(&text, "\n");
	if (text.len > 0 && text.at[0] == '\n') {
		r.body = span_from(text, 1);
		return r;
	}
	r.fields = cut_at(&text, "\n\n");
	r.body = text;
	return r;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t seeds[4][KEY_SEED_SIZE] = { { 1 }, { 2 }, { 3 }, { 4 } };
	char **longer = calloc((size_t)*argc + 4, sizeof(*longer));

	/* The server logs each answer to standard error; libFuzzer moves away from there with its reports. Leaks are looked for
	 * at the end: between inputs the server's threads hold what they like. */
	say_to = fdopen(dup(STDERR_FILENO), "w");
	/* Here and not in the server's thread: whichever thread begins libcrypto never gives back its state of errors. */
	law(OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL) == 1, "no libcrypto");
	law(say_to != NULL && longer != NULL && sodium_init() >= 0, "no beginning");
	memcpy(longer, *argv, (size_t)*argc * sizeof(*longer));
	longer[(*argc)++] = strdup("-close_fd_mask=2");
	longer[(*argc)++] = strdup("-detect_leaks=0");
	longer[(*argc)++] = strdup("-entropic=0");
	*argv = longer;
	f.arena = arena_new((size_t)1 << 24);
	law(config_parse(f.arena, span_of(config_text), "config", NULL, NULL, &f.config) == OK, "%s", err_detail());
	law(signer_from_seed(SPAN("team.example"), seeds[0], &f.team) == OK &&
		    signer_from_seed(SPAN("other.example"), seeds[1], &f.other) == OK &&
		    signer_from_seed(SPAN("stranger.example"), seeds[2], &f.stranger) == OK &&
		    signer_from_seed(SPAN("lost.example"), seeds[3], &f.lost) == OK,
	    "no keys");
	f.options = (struct server_options){ .config = &f.config, .ready = ready };
	signal(SIGPIPE, SIG_IGN);
	atexit(end);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire w = { .fd = -1, .in = BUFFER(ANSWER_MOST * 2) };
	struct span rest = span_make((const char *)data, size);

	if (size > INPUT_MOST)
		return -1;
	for (int i = 0; i < CANARIES; i++)
		if (holds(rest, canaries[i].text))
			return -1; /* it would only hear itself */
	if (f.began && ++f.sessions % SESSIONS_A_NODE == 0)
		end();
	if (!f.began)
		begin();
	f.number++;
	f.status[0] = f.next[0] = f.made[0] = '\0';
	for (int i = 0; i < REQUESTS_MOST && rest.len > 0; i++) {
		struct request r = read_request(cut_at(&rest, "\n%%\n"));

		ask(&w, &r, NULL);
	}
	hang_up(&w);
	buffer_free(&w.in);
	return 0;
}
