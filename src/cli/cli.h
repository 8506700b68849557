/* What all commands share: where the node is, how to print, how to fail. One table of commands (commands.c) gives help,
 * completion and the man page's synopsis. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/encoding.h"
#include "base/json.h"
#include "regime/node.h"
#include "territory/resolve.h"

/* Exit codes, stable. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_REFUSED = 1, /* the input or the request was refused, or nothing was found */
	EXIT_USAGE = 2,
	EXIT_MACHINE = 3,   /* disk, memory, network */
	EXIT_DIFFERS = 4,   /* a signature, proof or recomputation does not agree */
	EXIT_BUSY = 5,	    /* another process is the writer */
	EXIT_ATTENTION = 6, /* what was asked was done, and it found something that somebody should look at */
};

/* An option of a command. value NULL: a flag. */
struct option_rule {
	const char *name;  /* without the dashes */
	const char *value; /* what to call its value in help; NULL for a flag */
	const char *does;
};

struct cli;
struct command {
	const char *name; /* "lookup", or two words: "plan file" */
	int (*run)(struct cli *c);
	const char *operands;		   /* for help: "ADDRESS…|-" */
	const char *does;		   /* one line, no stop */
	const struct option_rule *options; /* beside --dir, --json, --help; ends with a NULL name; may be NULL */
	unsigned least, most;		   /* how many operands */
};
#define ANY_NUMBER 1000000u

extern const struct command commands[]; /* ends with a NULL name */

#define CLI_OPTIONS_MAX 4096
struct given {
	const char *name, *value;
};

struct cli {
	const struct command *command;
	const char *dir; /* --dir, else COMITY_DIR, else ".comity" */
	bool json;
	bool terminal;	     /* standard error is one: progress may be shown */
	bool colour;	     /* standard output is one and NO_COLOR is not set */
	struct given *given; /* the options, in order */
	size_t given_count;
	char **operands;
	size_t operand_count;
	struct arena *arena; /* ends with the command */
	struct buffer line;  /* for JSON output */
	struct json object;
};

/* Options that were given; the command's table says which may be. */
bool cli_flag(const struct cli *c, const char *name);
const char *cli_option(const struct cli *c, const char *name);		 /* the last one's value; NULL if absent */
const char *cli_next(const struct cli *c, const char *name, size_t *at); /* each in turn, *at from 0; NULL at the end */
/* A number; fallback if absent. ERR_USAGE with a detail. */
enum err cli_number(const struct cli *c, const char *name, uint64_t fallback, uint64_t max, uint64_t *out);
/* A time as RFC 3339; fallback if absent. */
enum err cli_time(const struct cli *c, const char *name, int64_t fallback, int64_t *out);

/* A length of time such as 24h; fallback if absent. */
enum err cli_duration(const struct cli *c, const char *name, int64_t fallback, int64_t *out);

/* Prints code, detail and advice on standard error (as an object with --json); gives the exit code for e. */
/* Says on standard error if opening the node for writing had to make its views anew. */
void cli_mended(const struct node *n);
int cli_fail(struct cli *c, enum err e);
int cli_exit_code(enum err e);

/* One JSON object on a line of standard output: begin, fill c->object by json_*, end. */
struct json *cli_object(struct cli *c);
void cli_object_end(struct cli *c);

/* Text for people. Control characters of outside text are shown as '?', so that no terminal is steered by it. */
void cli_print(struct span text);		 /* as it is but for control characters */
void cli_column(struct span text, size_t width); /* padded or cut to width, and a space */
const char *cli_bold(const struct cli *c);	 /* "" without colour */
const char *cli_dim(const struct cli *c);
const char *cli_plain(const struct cli *c);
void cli_date(int64_t ms, char out[CLOCK_TEXT]); /* "2026-11-22 20:45" */
void cli_thousands(uint64_t n, char out[32]);	 /* "1,234,567" */

/* Progress with rate and time left on standard error, only on a terminal, at most ten times a second. */
struct progress {
	const char *what;
	int64_t began_us, shown_us;
	bool on;
};
struct progress progress_begin(const struct cli *c, const char *what);
void progress_show(struct progress *p, uint64_t done, uint64_t total, uint64_t units, const char *unit);
void progress_end(struct progress *p); /* wipes the line */

/* Text "AS64500", "prefix 192.0.2.0/24", "country EE", or a domain. */
char *cli_addressee(struct cli *c, const struct addressee *to);

int cmd_access_add(struct cli *c);
int cmd_access_list(struct cli *c);
int cmd_access_remove(struct cli *c);
int cmd_agreement_allege(struct cli *c);
int cmd_agreement_asset(struct cli *c);
int cmd_agreement_decline(struct cli *c);
int cmd_agreement_dispute(struct cli *c);
int cmd_agreement_leave(struct cli *c);
int cmd_agreement_list(struct cli *c);
int cmd_agreement_offer(struct cli *c);
int cmd_agreement_resolve(struct cli *c);
int cmd_agreement_show(struct cli *c);
int cmd_agreement_sign(struct cli *c);
int cmd_anchor_add(struct cli *c);
int cmd_anchor_list(struct cli *c);
int cmd_anchor_remove(struct cli *c);
int cmd_answer(struct cli *c);
int cmd_canary_list(struct cli *c);
int cmd_canary_say(struct cli *c);
int cmd_certificate_cosign(struct cli *c);
int cmd_certificate_counter(struct cli *c);
int cmd_certificate_export(struct cli *c);
int cmd_certificate_issue(struct cli *c);
int cmd_certificate_list(struct cli *c);
int cmd_certificate_show(struct cli *c);
int cmd_certificate_status(struct cli *c);
int cmd_certificate_verify(struct cli *c);
int cmd_certificate_withdraw(struct cli *c);
int cmd_completion(struct cli *c);
int cmd_config_check(struct cli *c);
int cmd_config_show(struct cli *c);
int cmd_contact_add(struct cli *c);
int cmd_contact_import(struct cli *c);
int cmd_contact_list(struct cli *c);
int cmd_contact_remove(struct cli *c);
int cmd_control(struct cli *c);
int cmd_deconflict_answer(struct cli *c);
int cmd_deconflict_ask(struct cli *c);
int cmd_deconflict_show(struct cli *c);
int cmd_deliver(struct cli *c);
int cmd_directive_clear(struct cli *c);
int cmd_directive_list(struct cli *c);
int cmd_directive_set(struct cli *c);
int cmd_follow(struct cli *c);
int cmd_follow_list(struct cli *c);
int cmd_follow_remove(struct cli *c);
int cmd_follow_up(struct cli *c);
int cmd_help(struct cli *c);
int cmd_init(struct cli *c);
int cmd_inventory_check(struct cli *c);
int cmd_ledger_audit(struct cli *c);
int cmd_ledger_proof(struct cli *c);
int cmd_ledger_show(struct cli *c);
int cmd_lookup(struct cli *c);
int cmd_mail_key(struct cli *c);
int cmd_mail_read(struct cli *c);
int cmd_mail_send(struct cli *c);
int cmd_mail_show(struct cli *c);
int cmd_matter(struct cli *c);
int cmd_norm_list(struct cli *c);
int cmd_norm_metrics(struct cli *c);
int cmd_norm_show(struct cli *c);
int cmd_notice_list(struct cli *c);
int cmd_notice_show(struct cli *c);
int cmd_notice_waiting(struct cli *c);
int cmd_outbox(struct cli *c);
int cmd_outbox_retry(struct cli *c);
int cmd_party_add(struct cli *c);
int cmd_party_approve(struct cli *c);
int cmd_party_list(struct cli *c);
int cmd_party_recover(struct cli *c);
int cmd_party_revoke(struct cli *c);
int cmd_party_rotate(struct cli *c);
int cmd_party_show(struct cli *c);
int cmd_party_update(struct cli *c);
int cmd_ping(struct cli *c);
int cmd_ping_list(struct cli *c);
int cmd_plan_cancel(struct cli *c);
int cmd_plan_change(struct cli *c);
int cmd_plan_close(struct cli *c);
int cmd_plan_confirm(struct cli *c);
int cmd_plan_delay(struct cli *c);
int cmd_plan_explain(struct cli *c);
int cmd_plan_export(struct cli *c);
int cmd_plan_file(struct cli *c);
int cmd_plan_import(struct cli *c);
int cmd_pledge_list(struct cli *c);
int cmd_pledge_make(struct cli *c);
int cmd_pledge_show(struct cli *c);
int cmd_pledge_withdraw(struct cli *c);
int cmd_policy_set(struct cli *c);
int cmd_policy_show(struct cli *c);
int cmd_plan_list(struct cli *c);
int cmd_plan_match(struct cli *c);
int cmd_plan_recall(struct cli *c);
int cmd_plan_reveal(struct cli *c);
int cmd_plan_seal(struct cli *c);
int cmd_plan_seen(struct cli *c);
int cmd_plan_show(struct cli *c);
int cmd_plan_start(struct cli *c);
int cmd_plan_suspend(struct cli *c);
int cmd_plan_whose(struct cli *c);
int cmd_proof_accept(struct cli *c);
int cmd_proof_file(struct cli *c);
int cmd_proof_gather(struct cli *c);
int cmd_proof_list(struct cli *c);
int cmd_proof_mandate(struct cli *c);
int cmd_proof_object(struct cli *c);
int cmd_proof_observe(struct cli *c);
int cmd_proof_show(struct cli *c);
int cmd_proof_text(struct cli *c);
int cmd_proof_verify(struct cli *c);
int cmd_pull(struct cli *c);
int cmd_push(struct cli *c);
int cmd_request_accept(struct cli *c);
int cmd_request_close(struct cli *c);
int cmd_request_decline(struct cli *c);
int cmd_request_help(struct cli *c);
int cmd_request_list(struct cli *c);
int cmd_request_offer(struct cli *c);
int cmd_request_progress(struct cli *c);
int cmd_request_recovered(struct cli *c);
int cmd_request_show(struct cli *c);
int cmd_release_check(struct cli *c);
int cmd_release_file(struct cli *c);
int cmd_release_list(struct cli *c);
int cmd_release_seen(struct cli *c);
int cmd_route(struct cli *c);
int cmd_serve(struct cli *c);
int cmd_sighting_list(struct cli *c);
int cmd_standing(struct cli *c);
int cmd_submit(struct cli *c);
int cmd_territory_build(struct cli *c);
int cmd_territory_show(struct cli *c);
int cmd_territory_update(struct cli *c);
int cmd_verify(struct cli *c);
int cmd_vocabulary_codes(struct cli *c);
int cmd_vocabulary_file(struct cli *c);
int cmd_vocabulary_joint(struct cli *c);
int cmd_vocabulary_show(struct cli *c);
int cmd_vocabulary_translate(struct cli *c);
int cmd_version(struct cli *c);
int cmd_vouch_for(struct cli *c);
int cmd_vouch_list(struct cli *c);
int cmd_vouch_withdraw(struct cli *c);
int cmd_withdraw(struct cli *c);

#endif
