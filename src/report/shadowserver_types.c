#include "report/layout.h"

/*
 * What each of Shadowserver's report types says, in RSIT's words
 *
 * Our own judgement, by what RSIT says of its classes, for the party that will read the notice:
 *
 *	ddos-amplifier			answers a small question by UDP with more, which attackers reflect at others
 *	information-disclosure		shows what it holds to whoever asks
 *	weak-crypto			encrypts in a way that can be broken
 *	vulnerable-system		has a hole that is known, or gives control to whoever asks
 *	potentially-unwanted-accessible	is open to everyone; whether that is meant, only its owner knows
 *
 * IPv6 twins (scan6_ssh, event6_sinkhole, device_id6) are found under their IPv4 name. Columns that tell a type when
 * the file's name does not are given where two of them stand together in one type only.
 */
static const struct report_type types[] = {
	/* honeypots and sinkholes: the source did something */
	{ "event4_ddos_participant", CLASS_DDOS, ROLE_SOURCE, NULL },
	{ "event4_honeypot_adb_scan", CLASS_SCANNER, ROLE_SOURCE, NULL },
	{ "event4_honeypot_brute_force", CLASS_BRUTE_FORCE, ROLE_SOURCE, "client_version payload_url" },
	{ "event4_honeypot_darknet", CLASS_SCANNER, ROLE_SOURCE, NULL },
	/* src_ip gave the order to attack: a command server */
	{ "event4_honeypot_ddos", CLASS_C2_SERVER, ROLE_SOURCE, NULL },
	/* the packets that came in src_ip's name were forged: it is the victim */
	{ "event4_honeypot_ddos_amp", CLASS_DDOS, ROLE_SOURCE, "avg_pps max_pps" },
	{ "event4_honeypot_ddos_target", CLASS_DDOS, ROLE_TARGET, NULL },
	{ "event4_honeypot_http_scan", CLASS_SCANNER, ROLE_SOURCE, "http_request_method threat_framework" },
	{ "event4_honeypot_ics_scan", CLASS_SCANNER, ROLE_SOURCE, NULL },
	{ "event4_honeypot_ikev2_scan", CLASS_SCANNER, ROLE_SOURCE, NULL },
	{ "event4_honeypot_rdp_scan", CLASS_SCANNER, ROLE_SOURCE, NULL },
	{ "event4_honeypot_rocketmq_scan", CLASS_SCANNER, ROLE_SOURCE, NULL },
	{ "event4_honeypot_smb_scan", CLASS_SCANNER, ROLE_SOURCE, NULL },
	{ "event4_honeypot_smtp_scan", CLASS_SCANNER, ROLE_SOURCE, NULL },
	{ "event4_ip_spoofer", CLASS_MISCONFIGURATION, ROLE_SOURCE, NULL },
	{ "event4_microsoft_sinkhole", CLASS_INFECTED_SYSTEM, ROLE_SOURCE, NULL },
	{ "event4_microsoft_sinkhole_http", CLASS_INFECTED_SYSTEM, ROLE_SOURCE, NULL },
	{ "event4_sinkhole", CLASS_INFECTED_SYSTEM, ROLE_SOURCE, NULL },
	{ "event4_sinkhole_dns", CLASS_INFECTED_SYSTEM, ROLE_SOURCE, NULL },
	{ "event4_sinkhole_http", CLASS_INFECTED_SYSTEM, ROLE_SOURCE, "forwarded_by http_referer" },
	/* a page of the referring site sent its visitors to the sinkhole */
	{ "event4_sinkhole_http_referer", CLASS_APPLICATION_COMPROMISE, ROLE_REFERER,
	  "http_referer_ip http_referer_asn" },

	/* addresses that were seen to be something */
	{ "blocklist", CLASS_UNDETERMINED, ROLE_SOURCE, NULL },
	{ "compromised_account", CLASS_UNPRIVILEGED_ACCOUNT_COMPROMISE, ROLE_SOURCE, NULL },
	{ "compromised_iot", CLASS_SYSTEM_COMPROMISE, ROLE_SOURCE, NULL },
	{ "compromised_website", CLASS_APPLICATION_COMPROMISE, ROLE_SOURCE, NULL },
	{ "device_id", CLASS_OTHER, ROLE_SOURCE, NULL },
	{ "malware_url", CLASS_MALWARE_DISTRIBUTION, ROLE_SOURCE, "host sha256" },
	{ "outdated_dnssec_key", CLASS_WEAK_CRYPTO, ROLE_SOURCE, NULL },
	{ "phish_url", CLASS_PHISHING, ROLE_SOURCE, NULL },
	{ "sandbox_conn", CLASS_UNDETERMINED, ROLE_SOURCE, NULL },
	{ "sandbox_dns", CLASS_UNDETERMINED, ROLE_SOURCE, NULL },
	{ "sandbox_url", CLASS_UNDETERMINED, ROLE_SOURCE, NULL },
	{ "spam_url", CLASS_SPAM, ROLE_SOURCE, NULL },
	{ "special", CLASS_UNDETERMINED, ROLE_SOURCE, NULL },

	/* services found by scanning */
	{ "scan_activemq", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_adb", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_afp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_amqp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, "cluster_name mechanisms" },
	{ "scan_ard", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_bgp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_cassandra", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_chargen", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_cisco_smart_install", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_coap", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_couchdb", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_cups", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_cwmp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_db2", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_ddos_middlebox", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_dns", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "dns_version min_amplification" },
	{ "scan_docker", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, "git_commit min_api_version" },
	{ "scan_dvr_dhcpdiscover", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "internal_port video_input_channels" },
	{ "scan_elasticsearch", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_epmd", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_etcd", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_exchange", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_ftp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_hadoop", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, "livenodes namenodeaddress" },
	{ "scan_http", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_http_proxy", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, "proxy_authenticate via" },
	{ "scan_http_vulnerable", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_ics", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_imap", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_ipmi", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, "ipmi_version defaultkg" },
	{ "scan_ipp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_isakmp", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_kubernetes", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_ldap", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_ldap_tcp", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_ldap_udp", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_loop_dos", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_mdns", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_memcached", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "pointer_size curr_connections" },
	{ "scan_mongodb", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, "javascriptengine maxbsonobjectsize" },
	{ "scan_mqtt", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_mqtt_anon", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_msmq", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_mssql", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_mysql", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_nat_pmp", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_netbios", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_netis_router", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_ntp", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "clk_wander rootdelay" },
	{ "scan_ntpmonitor", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_pop3", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_portmapper", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "programs mountd_port" },
	{ "scan_post_exploitation_framework", CLASS_C2_SERVER, ROLE_SOURCE, NULL },
	{ "scan_postgres", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, "client_ssl startup_error_code" },
	{ "scan_qotd", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_quic", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, "version_field_1 version_field_2" },
	{ "scan_radmin", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_rdp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_rdpeudp", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_redis", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, "git_sha1 connected_clients" },
	{ "scan_rsync", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, "motd has_password" },
	{ "scan_rtsp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_sip", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "sip_code sip_reason" },
	{ "scan_slp", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "function_text next_extension_offset" },
	{ "scan_smb", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, "smb_implant smbv1_support" },
	{ "scan_smtp", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_smtp_vulnerable", CLASS_VULNERABLE_SYSTEM, ROLE_SOURCE, NULL },
	{ "scan_snmp", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
	{ "scan_socks", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_ssdp", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_ssh", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_ssl", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_ssl_freak", CLASS_WEAK_CRYPTO, ROLE_SOURCE, NULL },
	{ "scan_ssl_poodle", CLASS_WEAK_CRYPTO, ROLE_SOURCE, "ssl_poodle cipher_suite" },
	{ "scan_stun", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_synfulknock", CLASS_SYSTEM_COMPROMISE, ROLE_SOURCE, NULL },
	{ "scan_teamviewer", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_telnet", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_tftp", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "opcode errormessage" },
	{ "scan_ubiquiti", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "radioname essid" },
	{ "scan_vnc", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_winrm", CLASS_POTENTIALLY_UNWANTED_ACCESSIBLE, ROLE_SOURCE, NULL },
	{ "scan_ws_discovery", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, NULL },
	{ "scan_xdmcp", CLASS_DDOS_AMPLIFIER, ROLE_SOURCE, "opcode reported_hostname" },
	{ "scan_zookeeper", CLASS_INFORMATION_DISCLOSURE, ROLE_SOURCE, NULL },
};

const struct report_type *report_type_at(size_t i)
{
	return i < sizeof(types) / sizeof(types[0]) ? &types[i] : NULL;
}

static const struct report_type *find(struct span name)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (span_is(name, types[i].name))
			return &types[i];
	return NULL;
}

/* "scan6_ssh" is "scan_ssh", "event6_sinkhole" is "event4_sinkhole", "device_id6" is "device_id"; events without a
 * number are older. */
const struct report_type *report_type_find(struct span name)
{
	static const struct {
		const char *twin, *here;
	} families[] = { { "scan6_", "scan_" }, { "event6_", "event4_" }, { "event_", "event4_" } };
	const struct report_type *type = find(name);
	char other[64];

	for (size_t i = 0; type == NULL && i < sizeof(families) / sizeof(families[0]); i++) {
		size_t cut = strlen(families[i].twin), put = strlen(families[i].here);

		if (!span_starts(name, families[i].twin) || name.len - cut + put > sizeof(other))
			continue;
		memcpy(other, families[i].here, put);
		memcpy(other + put, name.at + cut, name.len - cut);
		type = find((struct span){ other, name.len - cut + put });
	}
	if (type == NULL && name.len > 1 && name.at[name.len - 1] == '6')
		type = find((struct span){ name.at, name.len - 1 });
	return type;
}

/* What these say is known only from a connection that stood: a login that was tried, a request that was read, a service that
 * answered. Not among them: darknets and plain sinkholes, where one packet makes a row; the victims of attacks and the
 * sites that referred, which spoke with nobody; middleboxes, which answer in the name of others; addresses that were
 * listed. */
bool report_type_spoken(struct span name)
{
	static const char *const spoken[] = {
		"event4_honeypot_adb_scan", "event4_honeypot_brute_force", "event4_honeypot_http_scan",
		"event4_honeypot_ics_scan", "event4_honeypot_rdp_scan",	   "event4_honeypot_rocketmq_scan",
		"event4_honeypot_smb_scan", "event4_honeypot_smtp_scan",   "event4_microsoft_sinkhole_http",
		"event4_sinkhole_http",
	};
	const struct report_type *type = report_type_find(name);

	if (type == NULL)
		return false;
	for (size_t i = 0; i < sizeof(spoken) / sizeof(spoken[0]); i++)
		if (strcmp(type->name, spoken[i]) == 0)
			return true;
	return strncmp(type->name, "scan_", 5) == 0 && strcmp(type->name, "scan_ddos_middlebox") != 0;
}

/* Columns that stand in many types, and those of events: what this version reads or can say what it is. */
static const char *const columns[] = {
	"timestamp",
	"ip",
	"port",
	"protocol",
	"hostname",
	"tag",
	"asn",
	"geo",
	"region",
	"city",
	"naics",
	"sic",
	"sector",
	"src_ip",
	"src_port",
	"src_asn",
	"src_geo",
	"src_region",
	"src_city",
	"src_hostname",
	"src_naics",
	"src_sector",
	"dst_ip",
	"dst_port",
	"dst_asn",
	"dst_geo",
	"dst_region",
	"dst_city",
	"dst_hostname",
	"dst_naics",
	"dst_sector",
	"device_vendor",
	"device_type",
	"device_model",
	"device_version",
	"device_sector",
	"severity",
	"public_source",
	"domain_source",
	"infection",
	"family",
	"application",
	"version",
	"event_id",
	"service",
	"start_time",
	"end_time",
	"count",
	"bytes",
	"duration",
	"response_size",
	"amplification",
	"url",
	"host",
	"source",
	"client_version",
	"username",
	"password",
	"payload_url",
	"payload_md5",
	"http_url",
	"http_host",
	"http_agent",
	"http_referer",
	"http_referer_ip",
	"http_referer_port",
	"http_referer_asn",
	"http_referer_geo",
	"forwarded_by",
	"ssl_cipher",
};

bool report_column_known(struct span name)
{
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if (span_is(name, columns[i]))
			return true;
	return false;
}
