/* DIR/config: how this node serves. Lines of `name value`; a line that begins with `#` is a comment; docs:
 * comity-config(5). Everything has a default, so an empty file serves on loopback. Read whole and checked before anything
 * of it counts. */
#ifndef NET_CONFIG_H
#define NET_CONFIG_H

#include "base/address.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "net/door.h"
#include "regime/objects.h"

struct listen {
	struct span text; /* "127.0.0.1:8180", "[::]:8443" */
	struct address address;
	uint16_t port; /* 0: any free one */
	bool tls;      /* `listen-tls`; `listen` is plain HTTP and on loopback only, unless `plain-anywhere yes` */
};

/* The tag that a mail's envelope sender carries behind `mail-bounces`' local part and a "+" (mail/mailer.h), with its 0. */
#define BOUNCE_TAG_SIZE 33
#define BOUNCE_LOCAL_MAX (64 - BOUNCE_TAG_SIZE) /* RFC 5321, 4.5.3.1.1: so much is left for `mail-bounces` */

enum audience { AUDIENCE_NAMED, AUDIENCE_MEMBERS, AUDIENCE_ALL };

/* `collection ALIAS UUID TITLE`, then lines that begin with its alias:
 * `describe ALIAS TEXT`, `read ALIAS [all|members] [DOMAIN…]`, `write ALIAS [members] [DOMAIN…]`,
 * `unmarked ALIAS clear|green|amber|amber+strict|red`. Without `read` members read, without `write` the node alone writes. */
struct collection_rule {
	struct span alias, title, description;
	struct collection_id id;			  /* a version-4 UUID */
	enum audience readers, writers;			  /* AUDIENCE_NAMED: only those named below */
	const struct span *named_readers, *named_writers; /* domains; named readers see what is red too */
	size_t named_reader_count, named_writer_count;
	enum tlp unmarked; /* what an object without a marking counts as; AMBER unless said otherwise */
};

struct follow_rule {
	struct span url;
	bool has_key;
	struct hash key; /* the fingerprint that its party key must have */
};

struct config {
	struct listen *listens;
	size_t listen_count;
	struct span url; /* `url https://cert.example`: how others reach this node; empty: relative addresses */
	/* Files, with a 0 behind each; empty: a development certificate; none are asked for. */
	struct span certificate, key, client_authorities;
	struct span title, contact; /* of the discovery; title: the node's by default */
	uint64_t body_most; /* `body-most`, bytes of a request's body: TAXII's max_content_length. 16 MiB at most */
	uint64_t page_most; /* objects of one answer; 1,000 */
	unsigned connections, connections_per_address; /* 12,000; 12,000 on loopback, else 200 */
	unsigned idle_s, request_s;		       /* a silent connection; a request's head and body in all */
	/* Of one party, or one address if it is nobody's; 0: any number, the default on loopback alone; else 6,000. */
	uint64_t requests_per_minute;
	unsigned threads;	 /* that serve; 0: one for each processor */
	int64_t circle_delay_ms; /* when a circle's tiles open to all: 90 days */
	/* Mail out: `smtp smtps://host:465` or `smtp://host:587`, by name or address, also a private one. */
	struct span smtp, smtp_user;			    /* empty: no mail is sent; no AUTH */
	struct span smtp_password_file, smtp_authorities;   /* files with a 0 behind each; empty: none; the system's */
	struct span mail_from, mail_bounces, mail_reply_to; /* mailboxes; bounces go to local+TAG@domain */
	uint64_t mail_per_hour;				    /* mails; 600; 0: any number */
	bool smtp_plain;				    /* no TLS is asked for; on loopback it never is */
	bool plain_anywhere;
	bool log_json;			/* else lines for people */
	uint64_t deliveries_per_minute; /* statements that one other node may bring; 0: any number */
	uint64_t
		introductions_per_day; /* statements of nodes that introduce themselves; of one address a tenth; 0: none */
	/* What this node sends and fetches by itself: config_door_limits. */
	bool deliver;			  /* `deliver no`: the outbox waits */
	bool outgoing_private;		  /* to private and loopback addresses too */
	bool outgoing_plain;		  /* http too */
	struct span outgoing_authorities; /* a file, with a 0 behind it; empty: the system's */
	struct span rdap_server;	  /* `rdap-server URL`: asked for mailboxes (rdap.h); empty: none is */
	uint64_t rdap_daily;		  /* questions a day; 100 */
	struct follow_rule *follows;	  /* `follow URL [KEY]`: other nodes whose ledgers are mirrored (follow.h) */
	size_t follow_count;
	int64_t follow_interval_ms; /* 5 minutes */
	struct span *pings;	    /* `ping PARTY`: whose duty contacts are tested at random times (pings.h) */
	size_t ping_count;
	bool ping_all;		 /* `ping all`: of all parties that are known */
	int64_t ping_every_ms;	 /* the mean time between two of one party; 30 days */
	struct span recall_hook; /* `recall-hook PROGRAM` (recall_hook.h), with a 0 behind it; empty: none */
	int64_t recall_hook_ms;	 /* how long it may run: a minute */
	bool default_rate,
		default_per_address; /* the file says nothing of these limits: they follow from the addresses */
	struct collection_rule *collections;
	size_t collection_count;
};

/* In the arena. path may be missing: the defaults. ERR_USAGE with file, line and what to write instead; files that it names
 * must be readable. Also warns: what is allowed and unwise. */
typedef void config_warn(void *context, unsigned line, const char *text);
enum err config_read(struct arena *a, const char *path, config_warn *warn, void *context, struct config *out);
/* The same from text; `path` for messages. */
enum err config_parse(struct arena *a, struct span text, const char *path, config_warn *warn, void *context,
		      struct config *out);

/* As `listen` takes it, also for --listen. The text is copied into the arena. ERR_USAGE. */
enum err listen_parse(struct arena *a, struct span text, bool tls, struct listen *out);
bool config_is_loopback(struct address a);

/* Other addresses than the file's. ERR_USAGE: plain HTTP off loopback that the file does not allow. */
enum err config_listen(struct config *c, struct listen *listens, size_t count);

/* What holds for everything that this node asks of others by itself: delivery, mail, followed ledgers, registers. The limits live
 * as long as the configuration. */
struct door_limits config_door_limits(const struct config *c);

/* "8f6c…-…": the usual form in lower case, nothing else. ERR_SYNTAX without detail. */
#define COLLECTION_ID_TEXT 37
enum err collection_id_parse(struct span text, struct collection_id *out);
void collection_id_print(const struct collection_id *id, char out[COLLECTION_ID_TEXT]);

/* All that holds, defaults too, in lines that read back as the same. */
void config_print(const struct config *c, struct buffer *out);

/* The commented file that `comity init` writes: one collection `shared` for the circle's members, with a fresh UUID. */
void config_template(struct buffer *out, struct span node_name);

#endif
