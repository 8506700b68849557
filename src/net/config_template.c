/* What `comity init` writes. */
#include <sodium.h>

#include "net/config.h"

void config_template(struct buffer *out, struct span node_name)
{
	struct collection_id id;
	char uuid[COLLECTION_ID_TEXT];

	randombytes_buf(id.bytes, sizeof(id.bytes));
	id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x40);
	id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
	collection_id_print(&id, uuid);
	buffer_print(
		out,
		"# How %.*s serves: see comity-config(5). `comity config check` reads it as `comity serve` would.\n"
		"# A line is a name and a value. A line that begins with `#` is a comment; such lines below show the\n"
		"# defaults or an example.\n"
		"\n"
		"# Where to listen: plain HTTP on loopback only, TLS anywhere. Both may repeat.\n"
		"listen 127.0.0.1:8180\n"
		"#listen-tls 0.0.0.0:8443\n"
		"#certificate /etc/comity/tls.crt\n"
		"#key /etc/comity/tls.key\n"
		"# Tools may come with a certificate that one of these authorities signed.\n"
		"#client-authorities /etc/comity/clients.crt\n"
		"\n"
		"# How others reach this node, and what it is called to them.\n"
		"#url https://%.*s\n"
		"#title %.*s\n"
		"#contact soc@%.*s\n"
		"\n"
		"# Mail out: notices to those who have no node. `comity mail key` makes the key that signs them.\n"
		"#smtp smtps://mail.%.*s:465\n"
		"#smtp-user comity\n"
		"#smtp-password-file /etc/comity/smtp.password\n"
		"#mail-from notices@%.*s\n"
		"#mail-bounces bounces@%.*s\n"
		"#mail-reply-to soc@%.*s\n"
		"#mail-per-hour 600\n"
		"\n"
		"# Limits: of a body, a page of objects, connections, and requests of one party or address.\n"
		"#body-most 10MiB\n"
		"#page-most 1000\n"
		"#connections 12000\n"
		"#connections-per-address 200\n"
		"#requests-per-minute 6000\n"
		"#idle 30s\n"
		"#request 60s\n"
		"\n"
		"# When the tiles of the circle's ledger open to everyone.\n"
		"#circle-delay 90d\n"
		"\n"
		"# text for people, json for programs; on standard error.\n"
		"#log text\n"
		"\n"
		"# What is logged for parties of other nodes goes there by itself: by https, never to private "
		"addresses.\n"
		"#deliver yes\n"
		"#deliveries-per-minute 6000\n"
		"#introductions-per-day 1000\n"
		"#outgoing-private no\n"
		"#outgoing-plain no\n"
		"#outgoing-authorities /etc/comity/others.crt\n"
		"# Nodes whose ledgers are mirrored here, perhaps with the fingerprint of their party key; may "
		"repeat.\n"
		"#follow https://b.example\n"
		"#follow-interval 5m\n"
		"# Whose duty contacts are tested, at random times: a party, or all; may repeat. By default nobody's.\n"
		"#ping b.example\n"
		"#ping-every 30d\n"
		"# A program that stops what a party of this node declared, run when others order it to.\n"
		"#recall-hook /etc/comity/stop\n"
		"\n"
		"# Shared intelligence. An object without a marking counts as TLP:AMBER here.\n"
		"collection shared %s Shared by members\n"
		"describe shared Indicators and sightings of the members of this circle\n"
		"read shared members\n"
		"write shared members\n"
		"unmarked shared amber\n",
		SPAN_FORMAT(node_name), SPAN_FORMAT(node_name), SPAN_FORMAT(node_name), SPAN_FORMAT(node_name),
		SPAN_FORMAT(node_name), SPAN_FORMAT(node_name), SPAN_FORMAT(node_name), SPAN_FORMAT(node_name), uuid);
}
