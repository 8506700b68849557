/* What each type of STIX 2.1 looks like: its properties with their types, which of them it must have, which vocabularies
 * they use and what they may refer to (chapters 4 to 8). */
#include "stix/validate_private.h"

#define SAFE_MAX INT64_C(9007199254740991) /* 2^53 - 1: I-JSON */
#define P(n, k, f)                                                                                                     \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = k, .flags = f                                              \
	}
#define REF(n, f, w)                                                                                                   \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = REFERENCE, .flags = f, .words = w                          \
	}
#define ENUM(n, f, w)                                                                                                  \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = ENUMERATION, .flags = f, .words = w                        \
	}
#define VOCAB(n, f, w, r)                                                                                              \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = VOCABULARY, .flags = f, .words = w, .rule = r              \
	}
#define SHAPE(n, f, s)                                                                                                 \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = SHAPED, .flags = f, .shape = &s                            \
	}
#define KEYED(n, r)                                                                                                    \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = DICTIONARY, .rule = r                                      \
	}
#define RANGE(n, f, a, b)                                                                                              \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = INTEGER, .flags = f, .low = a, .high = b                   \
	}
#define WHOLE(n, f) RANGE(n, f, -SAFE_MAX, SAFE_MAX)
#define COUNT(n, f) RANGE(n, f, 0, SAFE_MAX)
#define BETWEEN(n, k, a, b)                                                                                            \
	{                                                                                                              \
		.name = n, .length = sizeof(n) - 1, .kind = k, .low = a, .high = b                                     \
	}
#define INTEGER_MAX SAFE_MAX
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define CLOSED 1u
#define SOME 2u
#define OF(n, p, f)                                                                                                    \
	{                                                                                                              \
		n, p, COUNT_OF(p), ((f)&CLOSED) != 0, ((f)&SOME) != 0                                                  \
	}

#define REFS_LINKED "!relationship sighting bundle marking-definition language-content extension-definition"
#define EVERY_OBSERVABLE                                                                                               \
	"artifact autonomous-system directory domain-name email-addr email-message file ipv4-addr ipv6-addr "          \
	"mac-addr mutex network-traffic process software url user-account windows-registry-key x509-certificate"
#define EVERY_DOMAIN_OBJECT                                                                                            \
	"attack-pattern campaign course-of-action grouping identity incident indicator infrastructure "                \
	"intrusion-set location malware malware-analysis note observed-data opinion report threat-actor tool "         \
	"vulnerability"
#define REFS_SIGHTED REFS_LINKED " " EVERY_OBSERVABLE
#define REFS_OBSERVED "!" EVERY_DOMAIN_OBJECT " bundle marking-definition language-content extension-definition"
#define REFS_OBSERVABLE REFS_OBSERVED " relationship sighting"
#define REFS_ENDPOINT "ipv4-addr ipv6-addr mac-addr domain-name"

static const char words_grouping_context[] = "suspicious-activity malware-analysis unspecified";

static const char words_identity_class[] = "individual group system organization class unknown";

static const char words_industry_sector[] =
	"agriculture aerospace automotive chemical commercial communications construction defense education energy "
	"entertainment financial-services government emergency-services government-local government-national "
	"government-public-services government-regional healthcare hospitality-leisure infrastructure dams nuclear "
	"water insurance manufacturing mining non-profit pharmaceuticals retail technology telecommunications "
	"transportation utilities";

static const char words_indicator_type[] =
	"anomalous-activity anonymization benign compromised malicious-activity attribution unknown";

static const char words_pattern_type[] = "stix pcre sigma snort suricata yara";

static const char words_infrastructure_type[] =
	"amplification anonymization botnet command-and-control control-system exfiltration firewall hosting-malware "
	"hosting-target-lists phishing reconnaissance routers-switches staging workstation unknown";

static const char words_resource_level[] = "individual club contest team organization government";

static const char words_motivation[] =
	"accidental coercion dominance ideology notoriety organizational-gain personal-gain personal-satisfaction "
	"revenge unpredictable";

static const char words_threat_actor_type[] =
	"activist competitor crime-syndicate criminal hacker insider-accidental insider-disgruntled nation-state "
	"sensationalist spy terrorist unknown";

static const char words_threat_actor_role[] =
	"agent director independent infrastructure-architect infrastructure-operator malware-author sponsor";

static const char words_sophistication[] = "none minimal intermediate advanced expert innovator strategic";

static const char words_region[] =
	"africa eastern-africa middle-africa northern-africa southern-africa western-africa americas "
	"latin-america-caribbean south-america caribbean central-america northern-america asia central-asia "
	"eastern-asia southern-asia south-eastern-asia western-asia europe eastern-europe northern-europe "
	"southern-europe western-europe oceania australia-new-zealand melanesia micronesia polynesia antarctica";

static const char words_processor_architecture[] = "alpha arm ia-64 mips powerpc sparc x86 x86-64";

static const char words_implementation_language[] =
	"applescript bash c c++ c# go java javascript lua objective-c perl php powershell python ruby scala swift "
	"typescript visual-basic x86-32 x86-64";

static const char words_malware_capability[] =
	"accesses-remote-machines anti-debugging anti-disassembly anti-emulation anti-memory-forensics anti-sandbox "
	"anti-vm captures-input-peripherals captures-output-peripherals captures-system-state-data "
	"cleans-traces-of-infection commits-fraud communicates-with-c2 compromises-data-availability "
	"compromises-data-integrity compromises-system-availability controls-local-machine degrades-security-software "
	"degrades-system-updates determines-c2-server emails-spam escalates-privileges evades-av exfiltrates-data "
	"fingerprints-host hides-artifacts hides-executing-code infects-files infects-remote-machines "
	"installs-other-components persists-after-system-reboot prevents-artifact-access prevents-artifact-deletion "
	"probes-network-environment self-modifies steals-authentication-credentials "
	"violates-system-operational-integrity";

static const char words_malware_type[] =
	"adware backdoor bot bootkit ddos downloader dropper exploit-kit keylogger ransomware remote-access-trojan "
	"resource-exploitation rogue-security-software rootkit screen-capture spyware trojan unknown virus webshell "
	"wiper worm";

static const char words_malware_result[] = "malicious suspicious benign unknown";

static const char words_report_type[] =
	"threat-report attack-pattern campaign identity indicator intrusion-set malware observed-data threat-actor "
	"tool vulnerability";

static const char words_tool_type[] =
	"denial-of-service exploitation information-gathering network-capture credential-exploitation remote-access "
	"vulnerability-scanning unknown";

static const char words_account_type[] =
	"unix windows-local windows-domain ldap tacacs radius nis openid facebook skype twitter kavi";

static const char words_pebinary_type[] = "exe dll sys";

static const char words_opinion[] = "strongly-disagree disagree neutral agree strongly-agree";

static const char words_extension_types[] = "new-sdo new-sco new-sro property-extension toplevel-property-extension";

static const char words_encryption_algorithm[] = "AES-256-GCM ChaCha20-Poly1305 mime-type-indicated";

static const char words_address_family[] = "AF_UNSPEC AF_INET AF_IPX AF_APPLETALK AF_NETBIOS AF_INET6 AF_IRDA AF_BTH";

static const char words_socket_type[] = "SOCK_STREAM SOCK_DGRAM SOCK_RAW SOCK_RDM SOCK_SEQPACKET";

static const char words_integrity_level[] = "low medium high system";

static const char words_start_type[] =
	"SERVICE_AUTO_START SERVICE_BOOT_START SERVICE_DEMAND_START SERVICE_DISABLED SERVICE_SYSTEM_ALERT";

static const char words_service_type[] =
	"SERVICE_KERNEL_DRIVER SERVICE_FILE_SYSTEM_DRIVER SERVICE_WIN32_OWN_PROCESS SERVICE_WIN32_SHARE_PROCESS";

static const char words_service_status[] =
	"SERVICE_CONTINUE_PENDING SERVICE_PAUSE_PENDING SERVICE_PAUSED SERVICE_RUNNING SERVICE_START_PENDING "
	"SERVICE_STOP_PENDING SERVICE_STOPPED";

static const char words_data_type[] =
	"REG_NONE REG_SZ REG_EXPAND_SZ REG_BINARY REG_DWORD REG_DWORD_BIG_ENDIAN REG_DWORD_LITTLE_ENDIAN REG_LINK "
	"REG_MULTI_SZ REG_RESOURCE_LIST REG_FULL_RESOURCE_DESCRIPTION REG_RESOURCE_REQUIREMENTS_LIST REG_QWORD "
	"REG_INVALID_TYPE";

/* ---- parts ---- */

static const struct property kill_chain_phase[] = {
	P("kill_chain_name", KILL_CHAIN_NAME, MUST),
	P("phase_name", KILL_CHAIN_NAME, MUST),
};
static const struct shape shape_kill_chain_phase = OF("kill-chain-phase", kill_chain_phase, 0);

static const struct property external_reference[] = {
	P("source_name", TEXT, MUST), P("description", TEXT, 0), P("url", URL, 0),
	P("hashes", HASHES, 0),	      P("external_id", TEXT, 0),
};
const struct shape shape_external_reference = OF("external-reference", external_reference, 0);

/* ---- common properties (3.2); `type` and `id` are looked at first, by hand ---- */

static const struct property common[] = {
	P("type", TEXT, MUST),
	P("spec_version", TEXT, MUST),
	P("id", TEXT, MUST),
	REF("created_by_ref", 0, NULL),
	P("created", TIME_MILLIS, MUST),
	P("modified", TIME_MILLIS, MUST),
	P("revoked", BOOL, 0),
	P("labels", TEXT, LIST),
	RANGE("confidence", 0, 0, 100),
	P("lang", LANGUAGE, 0),
	P("external_references", EXTERNAL_REFERENCE, LIST),
	P("object_marking_refs", MARKING_REF, LIST),
	P("granular_markings", GRANULAR_MARKINGS, 0),
	P("extensions", EXTENSIONS, 0),
};
const struct shape shape_common = OF("common", common, 0);

static const struct property common_observable[] = {
	P("type", TEXT, MUST),
	P("spec_version", TEXT, 0),
	P("id", TEXT, MUST),
	P("object_marking_refs", MARKING_REF, LIST),
	P("granular_markings", GRANULAR_MARKINGS, 0),
	P("defanged", BOOL, 0),
	P("extensions", EXTENSIONS, 0),
};
const struct shape shape_common_observable = OF("common", common_observable, 0);

static const struct property common_marking[] = {
	P("type", TEXT, MUST),
	P("spec_version", TEXT, MUST),
	P("id", TEXT, MUST),
	REF("created_by_ref", 0, NULL),
	P("created", TIME, MUST),
	P("external_references", EXTERNAL_REFERENCE, LIST),
	P("object_marking_refs", MARKING_REF, LIST),
	P("granular_markings", GRANULAR_MARKINGS, 0),
	P("extensions", EXTENSIONS, 0),
};
const struct shape shape_common_marking = OF("common", common_marking, 0);

static const struct property common_bundle[] = {
	P("type", TEXT, MUST),
	P("id", TEXT, MUST),
};
const struct shape shape_common_bundle = OF("common", common_bundle, 0);

static const struct property marking_definition[] = {
	P("name", TEXT, 0),
	P("definition_type", TEXT, 0),
	P("definition", ANYTHING, 0),
};

static const struct property bundle[] = {
	P("objects", BUNDLED, 0), P("spec_version", TEXT, 0), /* of 2.0 */
};

/* ---- types ---- */

static const struct property attack_pattern[] = {
	P("aliases", TEXT, LIST),
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
	SHAPE("kill_chain_phases", LIST, shape_kill_chain_phase),
};

static const struct property campaign[] = {
	P("name", TEXT, MUST),	  P("description", TEXT, 0), P("aliases", TEXT, LIST),
	P("first_seen", TIME, 0), P("last_seen", TIME, 0),   P("objective", TEXT, 0),
};

static const struct property course_of_action[] = {
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
};

static const struct property grouping[] = {
	P("name", TEXT, 0),
	P("description", TEXT, 0),
	VOCAB("context", MUST, words_grouping_context, WARN_GROUPING),
	REF("object_refs", MUST | LIST, NULL),
};

static const struct property identity[] = {
	P("roles", TEXT, LIST),
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
	VOCAB("identity_class", 0, words_identity_class, WARN_IDENTITY_CLASS),
	VOCAB("sectors", LIST, words_industry_sector, WARN_SECTOR),
	P("contact_information", TEXT, 0),
};

static const struct property incident[] = {
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
};

static const struct property indicator[] = {
	VOCAB("indicator_types", LIST, words_indicator_type, WARN_INDICATOR_TYPE),
	P("name", TEXT, 0),
	P("description", TEXT, 0),
	P("pattern", TEXT, MUST),
	VOCAB("pattern_type", MUST, words_pattern_type, WARN_PATTERN_TYPE),
	P("pattern_version", TEXT, 0),
	P("valid_from", TIME, MUST),
	P("valid_until", TIME, 0),
	SHAPE("kill_chain_phases", LIST, shape_kill_chain_phase),
};

static const struct property infrastructure[] = {
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
	VOCAB("infrastructure_types", LIST, words_infrastructure_type, WARN_INFRASTRUCTURE),
	P("aliases", TEXT, LIST),
	SHAPE("kill_chain_phases", LIST, shape_kill_chain_phase),
	P("first_seen", TIME, 0),
	P("last_seen", TIME, 0),
};

static const struct property intrusion_set[] = {
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
	P("aliases", TEXT, LIST),
	P("first_seen", TIME, 0),
	P("last_seen", TIME, 0),
	P("goals", TEXT, LIST),
	VOCAB("resource_level", 0, words_resource_level, WARN_RESOURCE_LEVEL),
	VOCAB("primary_motivation", 0, words_motivation, WARN_MOTIVATION),
	VOCAB("secondary_motivations", LIST, words_motivation, WARN_MOTIVATION),
};

static const struct property location[] = {
	P("description", TEXT, 0),
	P("name", TEXT, 0),
	BETWEEN("latitude", NUMBER, -90, 90),
	BETWEEN("longitude", NUMBER, -180, 180),
	P("precision", NUMBER, 0),
	VOCAB("region", 0, words_region, WARN_REGION),
	P("country", TEXT, 0),
	P("administrative_area", TEXT, 0),
	P("city", TEXT, 0),
	P("street_address", TEXT, 0),
	P("postal_code", TEXT, 0),
};

static const struct property malware[] = {
	P("aliases", TEXT, LIST),
	P("first_seen", TIME, 0),
	P("last_seen", TIME, 0),
	REF("operating_system_refs", LIST, "software"),
	VOCAB("architecture_execution_envs", LIST, words_processor_architecture, WARN_ARCHITECTURE),
	VOCAB("implementation_languages", LIST, words_implementation_language, WARN_IMPLEMENTATION),
	VOCAB("capabilities", LIST, words_malware_capability, WARN_CAPABILITY),
	REF("sample_refs", LIST, "file artifact"),
	VOCAB("malware_types", LIST, words_malware_type, WARN_MALWARE_TYPE),
	P("name", TEXT, 0),
	P("description", TEXT, 0),
	SHAPE("kill_chain_phases", LIST, shape_kill_chain_phase),
	P("is_family", BOOL, MUST),
};

static const struct property malware_analysis[] = {
	P("product", TEXT, MUST),
	P("version", TEXT, 0),
	P("configuration_version", TEXT, 0),
	P("modules", TEXT, LIST),
	P("analysis_engine_version", TEXT, 0),
	P("analysis_definition_version", TEXT, 0),
	P("submitted", TIME, 0),
	P("analysis_started", TIME, 0),
	P("analysis_ended", TIME, 0),
	P("result_name", TEXT, 0),
	VOCAB("result", 0, words_malware_result, WARN_RESULT),
	REF("host_vm_ref", 0, "software"),
	REF("operating_system_ref", 0, "software"),
	REF("installed_software_refs", LIST, "software"),
	REF("analysis_sco_refs", LIST, REFS_OBSERVABLE),
	REF("sample_ref", 0, "file artifact network-traffic"),
};

static const struct property note[] = {
	P("abstract", TEXT, 0),
	P("content", TEXT, MUST),
	P("authors", TEXT, LIST),
	REF("object_refs", MUST | LIST, NULL),
};

static const struct property observed_data[] = {
	P("first_observed", TIME, MUST),
	P("last_observed", TIME, MUST),
	RANGE("number_observed", MUST, 1, 999999999),
	P("objects", OBSERVABLES, 0),
	REF("object_refs", LIST, REFS_OBSERVED),
};

static const struct property opinion[] = {
	P("explanation", TEXT, 0),
	P("authors", TEXT, LIST),
	REF("object_refs", MUST | LIST, NULL),
	ENUM("opinion", MUST, words_opinion),
};

static const struct property report[] = {
	VOCAB("report_types", LIST, words_report_type, WARN_REPORT_TYPE),
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
	P("published", TIME, MUST),
	REF("object_refs", MUST | LIST, NULL),
};

static const struct property threat_actor[] = {
	VOCAB("threat_actor_types", LIST, words_threat_actor_type, WARN_ACTOR_TYPE),
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
	P("aliases", TEXT, LIST),
	VOCAB("roles", LIST, words_threat_actor_role, WARN_ACTOR_ROLE),
	P("goals", TEXT, LIST),
	P("first_seen", TIME, 0),
	P("last_seen", TIME, 0),
	VOCAB("sophistication", 0, words_sophistication, WARN_SOPHISTICATION),
	VOCAB("resource_level", 0, words_resource_level, WARN_RESOURCE_LEVEL),
	VOCAB("primary_motivation", 0, words_motivation, WARN_MOTIVATION),
	VOCAB("secondary_motivations", LIST, words_motivation, WARN_MOTIVATION),
	VOCAB("personal_motivations", LIST, words_motivation, WARN_MOTIVATION),
};

static const struct property tool[] = {
	P("aliases", TEXT, LIST),   VOCAB("tool_types", LIST, words_tool_type, WARN_TOOL_TYPE),
	P("name", TEXT, MUST),	    P("description", TEXT, 0),
	P("tool_version", TEXT, 0), SHAPE("kill_chain_phases", LIST, shape_kill_chain_phase),
};

static const struct property vulnerability[] = {
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
};

static const struct property relationship[] = {
	P("relationship_type", TEXT, MUST),   P("description", TEXT, 0), REF("source_ref", MUST, REFS_LINKED),
	REF("target_ref", MUST, REFS_LINKED), P("start_time", TIME, 0),	 P("stop_time", TIME, 0),
};

static const struct property sighting[] = {
	P("description", TEXT, 0),
	P("first_seen", TIME, 0),
	P("last_seen", TIME, 0),
	RANGE("count", 0, 0, 999999999),
	REF("sighting_of_ref", MUST, REFS_SIGHTED),
	REF("observed_data_refs", LIST, "observed-data"),
	REF("where_sighted_refs", LIST, "identity location"),
	P("summary", BOOL, 0),
};

static const struct property language_content[] = {
	REF("object_ref", MUST, "!bundle language-content"),
	P("object_modified", TIME, 0),
	P("contents", CONTENTS, MUST),
};

static const struct property extension_definition[] = {
	P("name", TEXT, MUST),
	P("description", TEXT, 0),
	P("schema", TEXT, MUST),
	P("version", TEXT, MUST),
	ENUM("extension_types", MUST | LIST, words_extension_types),
	P("extension_properties", PROPERTY_NAME, LIST),
};

static const struct property artifact[] = {
	P("mime_type", MEDIA_TYPE, 0),
	P("payload_bin", BINARY, 0),
	P("url", URL, 0),
	P("hashes", HASHES, 0),
	ENUM("encryption_algorithm", 0, words_encryption_algorithm),
	P("decryption_key", TEXT, 0),
};

static const struct property autonomous_system[] = {
	WHOLE("number", MUST),
	P("name", TEXT, 0),
	P("rir", TEXT, 0),
};

static const struct property directory[] = {
	P("path", TEXT, MUST), P("path_enc", CHARSET, 0), P("ctime", TIME, 0),
	P("mtime", TIME, 0),   P("atime", TIME, 0),	  REF("contains_refs", LIST, "file directory"),
};

static const struct property domain_name[] = {
	P("value", DOMAIN, MUST),
	REF("resolves_to_refs", LIST, "ipv4-addr ipv6-addr domain-name"),
};

static const struct property email_addr[] = {
	P("value", MAILBOX, MUST),
	P("display_name", TEXT, 0),
	REF("belongs_to_ref", 0, "user-account"),
};

static const struct property mime_part_type[] = {
	P("body", TEXT, 0),
	REF("body_raw_ref", 0, "artifact file"),
	P("content_type", TEXT, 0),
	P("content_disposition", TEXT, 0),
};
static const struct shape shape_mime_part_type = OF("mime-part-type", mime_part_type, 0);

static const struct property email_message[] = {
	P("date", TIME, 0),
	P("content_type", TEXT, 0),
	REF("from_ref", 0, "email-addr"),
	REF("sender_ref", 0, "email-addr"),
	REF("to_refs", LIST, "email-addr"),
	REF("cc_refs", LIST, "email-addr"),
	REF("bcc_refs", LIST, "email-addr"),
	P("message_id", TEXT, 0),
	P("subject", TEXT, 0),
	P("received_lines", TEXT, LIST),
	KEYED("additional_header_fields", RULE_EMAIL),
	REF("raw_email_ref", 0, "artifact"),
	P("is_multipart", BOOL, MUST),
	P("body", TEXT, 0),
	SHAPE("body_multipart", LIST, shape_mime_part_type),
};

static const struct property alternate_data_streams[] = {
	P("name", TEXT, MUST),
	P("hashes", HASHES, 0),
	COUNT("size", 0),
};
static const struct shape shape_alternate_data_streams = OF("alternate-data-streams", alternate_data_streams, 0);

static const struct property ntfs_ext[] = {
	P("sid", TEXT, 0),
	SHAPE("alternate_data_streams", LIST, shape_alternate_data_streams),
};
static const struct shape shape_ntfs_ext = OF("ntfs-ext", ntfs_ext, SOME);

static const struct property raster_image_ext[] = {
	WHOLE("image_height", 0),
	WHOLE("image_width", 0),
	WHOLE("bits_per_pixel", 0),
	KEYED("exif_tags", RULE_FILE),
};
static const struct shape shape_raster_image_ext = OF("raster-image-ext", raster_image_ext, SOME);

static const struct property pdf_ext[] = {
	P("version", TEXT, 0), P("is_optimized", BOOL, 0), KEYED("document_info_dict", WARN_PDF),
	P("pdfid0", TEXT, 0),  P("pdfid1", TEXT, 0),
};
static const struct shape shape_pdf_ext = OF("pdf-ext", pdf_ext, SOME);

static const struct property archive_ext[] = {
	REF("contains_refs", MUST | LIST, "file directory"),
	P("comment", TEXT, 0),
};
static const struct shape shape_archive_ext = OF("archive-ext", archive_ext, 0);

static const struct property windows_pe_optional_header_type[] = {
	P("magic_hex", HEX, 0),
	WHOLE("major_linker_version", 0),
	WHOLE("minor_linker_version", 0),
	COUNT("size_of_code", 0),
	COUNT("size_of_initialized_data", 0),
	COUNT("size_of_uninitialized_data", 0),
	WHOLE("address_of_entry_point", 0),
	WHOLE("base_of_code", 0),
	WHOLE("base_of_data", 0),
	WHOLE("image_base", 0),
	WHOLE("section_alignment", 0),
	WHOLE("file_alignment", 0),
	WHOLE("major_os_version", 0),
	WHOLE("minor_os_version", 0),
	WHOLE("major_image_version", 0),
	WHOLE("minor_image_version", 0),
	WHOLE("major_subsystem_version", 0),
	WHOLE("minor_subsystem_version", 0),
	P("win32_version_value_hex", HEX, 0),
	COUNT("size_of_image", 0),
	COUNT("size_of_headers", 0),
	P("checksum_hex", HEX, 0),
	P("subsystem_hex", HEX, 0),
	P("dll_characteristics_hex", HEX, 0),
	COUNT("size_of_stack_reserve", 0),
	COUNT("size_of_stack_commit", 0),
	COUNT("size_of_heap_reserve", 0),
	COUNT("size_of_heap_commit", 0),
	P("loader_flags_hex", HEX, 0),
	WHOLE("number_of_rva_and_sizes", 0),
	P("hashes", HASHES, 0),
};
static const struct shape shape_windows_pe_optional_header_type =
	OF("windows-pe-optional-header-type", windows_pe_optional_header_type, CLOSED | SOME);

static const struct property windows_pe_section[] = {
	P("name", TEXT, MUST),
	COUNT("size", 0),
	P("entropy", NUMBER, 0),
	P("hashes", HASHES, 0),
};
static const struct shape shape_windows_pe_section = OF("windows-pe-section", windows_pe_section, 0);

static const struct property windows_pebinary_ext[] = {
	VOCAB("pe_type", MUST, words_pebinary_type, WARN_PE_TYPE),
	P("imphash", TEXT, 0),
	P("machine_hex", HEX, 0),
	COUNT("number_of_sections", 0),
	P("time_date_stamp", TIME_SECONDS, 0),
	P("pointer_to_symbol_table_hex", HEX, 0),
	COUNT("number_of_symbols", 0),
	COUNT("size_of_optional_header", 0),
	P("characteristics_hex", HEX, 0),
	P("file_header_hashes", HASHES, 0),
	SHAPE("optional_header", 0, shape_windows_pe_optional_header_type),
	SHAPE("sections", LIST, shape_windows_pe_section),
};
static const struct shape shape_windows_pebinary_ext = OF("windows-pebinary-ext", windows_pebinary_ext, SOME);

static const struct property file[] = {
	P("hashes", HASHES, 0),
	COUNT("size", 0),
	P("name", TEXT, 0),
	P("name_enc", CHARSET, 0),
	P("magic_number_hex", HEX, 0),
	P("mime_type", MEDIA_TYPE_OUGHT, 0),
	P("ctime", TIME, 0),
	P("mtime", TIME, 0),
	P("atime", TIME, 0),
	REF("parent_directory_ref", 0, "directory"),
	REF("contains_refs", LIST, REFS_OBSERVABLE),
	REF("content_ref", 0, "artifact"),
};

static const struct property ipv4_addr[] = {
	P("value", IPV4, MUST),
	REF("resolves_to_refs", LIST, "mac-addr"),
	REF("belongs_to_refs", LIST, "autonomous-system"),
};

static const struct property ipv6_addr[] = {
	P("value", IPV6, MUST),
	REF("resolves_to_refs", LIST, "mac-addr"),
	REF("belongs_to_refs", LIST, "autonomous-system"),
};

static const struct property mac_addr[] = {
	P("value", MAC, MUST),
};

static const struct property mutex[] = {
	P("name", TEXT, MUST),
};

static const struct property http_request_ext[] = {
	P("request_method", TEXT, MUST), P("request_value", TEXT, MUST),
	P("request_version", TEXT, 0),	 KEYED("request_header", WARN_HTTP_HEADER),
	WHOLE("message_body_length", 0), REF("message_body_data_ref", 0, "artifact"),
};
static const struct shape shape_http_request_ext = OF("http-request-ext", http_request_ext, 0);

static const struct property icmp_ext[] = {
	P("icmp_type_hex", HEX, MUST),
	P("icmp_code_hex", HEX, MUST),
};
static const struct shape shape_icmp_ext = OF("icmp-ext", icmp_ext, 0);

static const struct property socket_ext[] = {
	ENUM("address_family", MUST, words_address_family),
	P("is_blocking", BOOL, 0),
	P("is_listening", BOOL, 0),
	KEYED("options", WARN_SOCKET_OPTION),
	ENUM("socket_type", 0, words_socket_type),
	COUNT("socket_descriptor", 0),
	WHOLE("socket_handle", 0),
};
static const struct shape shape_socket_ext = OF("socket-ext", socket_ext, 0);

static const struct property tcp_ext[] = {
	P("src_flags_hex", HEX, 0),
	P("dst_flags_hex", HEX, 0),
};
static const struct shape shape_tcp_ext = OF("tcp-ext", tcp_ext, SOME);

static const struct property network_traffic[] = {
	P("start", TIME, 0),
	P("end", TIME, 0),
	REF("src_ref", 0, REFS_ENDPOINT),
	REF("dst_ref", 0, REFS_ENDPOINT),
	RANGE("src_port", 0, 0, 65535),
	RANGE("dst_port", 0, 0, 65535),
	P("protocols", PROTOCOL, MUST | LIST),
	WHOLE("src_byte_count", 0),
	WHOLE("dst_byte_count", 0),
	WHOLE("src_packets", 0),
	WHOLE("dst_packets", 0),
	KEYED("ipfix", WARN_IPFIX),
	REF("src_payload_ref", 0, "artifact"),
	REF("dst_payload_ref", 0, "artifact"),
	REF("encapsulates_refs", LIST, "network-traffic"),
	REF("encapsulated_by_ref", 0, "network-traffic"),
	P("is_active", BOOL, 0),
};

static const struct property windows_process_ext[] = {
	P("aslr_enabled", BOOL, 0),
	P("dep_enabled", BOOL, 0),
	P("priority", TEXT, 0),
	P("owner_sid", TEXT, 0),
	P("window_title", TEXT, 0),
	KEYED("startup_info", RULE_DICTIONARY_KEY),
	ENUM("integrity_level", 0, words_integrity_level),
};
static const struct shape shape_windows_process_ext = OF("windows-process-ext", windows_process_ext, SOME);

static const struct property windows_service_ext[] = {
	P("service_name", TEXT, 0),
	P("descriptions", TEXT, LIST),
	P("display_name", TEXT, 0),
	P("group_name", TEXT, 0),
	ENUM("start_type", 0, words_start_type),
	REF("service_dll_refs", LIST, "file"),
	ENUM("service_type", 0, words_service_type),
	ENUM("service_status", 0, words_service_status),
};
static const struct shape shape_windows_service_ext = OF("windows-service-ext", windows_service_ext, SOME);

static const struct property process[] = {
	P("is_hidden", BOOL, 0),
	WHOLE("pid", 0),
	P("created_time", TIME, 0),
	P("cwd", TEXT, 0),
	P("command_line", TEXT, 0),
	P("environment_variables", DICTIONARY, 0),
	REF("opened_connection_refs", LIST, "network-traffic"),
	REF("creator_user_ref", 0, "user-account"),
	REF("image_ref", 0, "file"),
	REF("parent_ref", 0, "process"),
	REF("child_refs", LIST, "process"),
};

static const struct property software[] = {
	P("name", TEXT, MUST),		P("cpe", CPE, 0),     P("swid", TEXT, 0),
	P("languages", LANGUAGE, LIST), P("vendor", TEXT, 0), P("version", TEXT, 0),
};

static const struct property url[] = {
	P("value", URL, MUST),
};

static const struct property unix_account_ext[] = {
	P("gid", NUMBER, 0),
	P("groups", TEXT, LIST),
	P("home_dir", TEXT, 0),
	P("shell", TEXT, 0),
};
static const struct shape shape_unix_account_ext = OF("unix-account-ext", unix_account_ext, SOME);

static const struct property user_account[] = {
	P("user_id", TEXT, 0),
	P("credential", TEXT, 0),
	P("account_login", TEXT, 0),
	VOCAB("account_type", 0, words_account_type, WARN_ACCOUNT_TYPE),
	P("display_name", TEXT, 0),
	P("is_service_account", BOOL, 0),
	P("is_privileged", BOOL, 0),
	P("can_escalate_privs", BOOL, 0),
	P("is_disabled", BOOL, 0),
	P("account_created", TIME, 0),
	P("account_expires", TIME, 0),
	P("credential_last_changed", TIME, 0),
	P("account_first_login", TIME, 0),
	P("account_last_login", TIME, 0),
};

static const struct property windows_registry_value_type[] = {
	P("name", TEXT, 0),
	P("data", TEXT, 0),
	ENUM("data_type", 0, words_data_type),
};
static const struct shape shape_windows_registry_value_type =
	OF("windows-registry-value-type", windows_registry_value_type, SOME);

static const struct property windows_registry_key[] = {
	P("key", REGISTRY_KEY, 0),     SHAPE("values", LIST, shape_windows_registry_value_type),
	P("modified_time", TIME, 0),   REF("creator_user_ref", 0, "user-account"),
	WHOLE("number_of_subkeys", 0),
};

static const struct property x509_v3_extensions_type[] = {
	P("basic_constraints", TEXT, 0),
	P("name_constraints", TEXT, 0),
	P("policy_constraints", TEXT, 0),
	P("key_usage", TEXT, 0),
	P("extended_key_usage", TEXT, 0),
	P("subject_key_identifier", TEXT, 0),
	P("authority_key_identifier", TEXT, 0),
	P("subject_alternative_name", TEXT, 0),
	P("issuer_alternative_name", TEXT, 0),
	P("subject_directory_attributes", TEXT, 0),
	P("crl_distribution_points", TEXT, 0),
	P("inhibit_any_policy", TEXT, 0),
	P("private_key_usage_period_not_before", TIME, 0),
	P("private_key_usage_period_not_after", TIME, 0),
	P("certificate_policies", TEXT, 0),
	P("policy_mappings", TEXT, 0),
};
static const struct shape shape_x509_v3_extensions_type = OF("x509-v3-extensions-type", x509_v3_extensions_type, SOME);

static const struct property x509_certificate[] = {
	P("is_self_signed", BOOL, 0),
	P("hashes", HASHES, 0),
	P("version", TEXT, 0),
	P("serial_number", TEXT, 0),
	P("signature_algorithm", TEXT, 0),
	P("issuer", TEXT, 0),
	P("validity_not_before", TIME, 0),
	P("validity_not_after", TIME, 0),
	P("subject", TEXT, 0),
	P("subject_public_key_algorithm", TEXT, 0),
	P("subject_public_key_modulus", TEXT, 0),
	WHOLE("subject_public_key_exponent", 0),
	SHAPE("x509_v3_extensions", 0, shape_x509_v3_extensions_type),
};

/* ---- all of them ---- */

static const struct extension extensions_file[] = {
	{ "archive-ext", &shape_archive_ext },
	{ "ntfs-ext", &shape_ntfs_ext },
	{ "pdf-ext", &shape_pdf_ext },
	{ "raster-image-ext", &shape_raster_image_ext },
	{ "windows-pebinary-ext", &shape_windows_pebinary_ext },
};
static const struct extension extensions_network_traffic[] = {
	{ "http-request-ext", &shape_http_request_ext },
	{ "icmp-ext", &shape_icmp_ext },
	{ "socket-ext", &shape_socket_ext },
	{ "tcp-ext", &shape_tcp_ext },
};
static const struct extension extensions_process[] = {
	{ "windows-process-ext", &shape_windows_process_ext },
	{ "windows-service-ext", &shape_windows_service_ext },
};
static const struct extension extensions_user_account[] = {
	{ "unix-account-ext", &shape_unix_account_ext },
};

static const struct stix_type types[] = {
	{ OF("attack-pattern", attack_pattern, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("campaign", campaign, 0), DOMAIN_OBJECT, check_seen, NULL, 0, NULL },
	{ OF("course-of-action", course_of_action, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("grouping", grouping, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("identity", identity, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("incident", incident, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("indicator", indicator, 0), DOMAIN_OBJECT, check_indicator, NULL, 0, NULL },
	{ OF("infrastructure", infrastructure, 0), DOMAIN_OBJECT, check_seen, NULL, 0, NULL },
	{ OF("intrusion-set", intrusion_set, 0), DOMAIN_OBJECT, check_seen, NULL, 0, NULL },
	{ OF("location", location, 0), DOMAIN_OBJECT, check_location, NULL, 0, NULL },
	{ OF("malware", malware, 0), DOMAIN_OBJECT, check_malware, NULL, 0, NULL },
	{ OF("malware-analysis", malware_analysis, 0), DOMAIN_OBJECT, check_malware_analysis, NULL, 0, NULL },
	{ OF("note", note, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("observed-data", observed_data, 0), DOMAIN_OBJECT, check_observed_data, NULL, 0, NULL },
	{ OF("opinion", opinion, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("report", report, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("threat-actor", threat_actor, 0), DOMAIN_OBJECT, check_seen, NULL, 0, NULL },
	{ OF("tool", tool, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("vulnerability", vulnerability, 0), DOMAIN_OBJECT, NULL, NULL, 0, NULL },
	{ OF("relationship", relationship, 0), RELATION, check_relationship, NULL, 0, NULL },
	{ OF("sighting", sighting, 0), RELATION, check_seen, NULL, 0, NULL },
	{ OF("language-content", language_content, 0), META, NULL, NULL, 0, NULL },
	{ OF("extension-definition", extension_definition, 0), META, check_extension_definition, NULL, 0, NULL },
	{ OF("marking-definition", marking_definition, 0), META, check_marking_definition, NULL, 0, NULL },
	{ OF("bundle", bundle, 0), BUNDLE, check_bundle, NULL, 0, NULL },
	{ OF("artifact", artifact, 0), OBSERVABLE, check_artifact, NULL, 0, "hashes payload_bin" },
	{ OF("autonomous-system", autonomous_system, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("directory", directory, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("domain-name", domain_name, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("email-addr", email_addr, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("email-message", email_message, 0), OBSERVABLE, check_email_message, NULL, 0, "from_ref subject body" },
	{ OF("file", file, 0), OBSERVABLE, check_file, extensions_file, COUNT_OF(extensions_file), NULL },
	{ OF("ipv4-addr", ipv4_addr, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("ipv6-addr", ipv6_addr, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("mac-addr", mac_addr, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("mutex", mutex, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("network-traffic", network_traffic, 0), OBSERVABLE, check_traffic, extensions_network_traffic,
	  COUNT_OF(extensions_network_traffic), NULL },
	{ OF("process", process, 0), OBSERVABLE, check_process, extensions_process, COUNT_OF(extensions_process),
	  NULL },
	{ OF("software", software, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("url", url, 0), OBSERVABLE, NULL, NULL, 0, NULL },
	{ OF("user-account", user_account, 0), OBSERVABLE, check_something, extensions_user_account,
	  COUNT_OF(extensions_user_account), "account_type user_id account_login" },
	{ OF("windows-registry-key", windows_registry_key, 0), OBSERVABLE, check_something, NULL, 0, "key values" },
	{ OF("x509-certificate", x509_certificate, 0), OBSERVABLE, check_something, NULL, 0, "hashes serial_number" },
};

const struct stix_type *type_find(struct span name)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (span_is(name, types[i].shape.name))
			return &types[i];
	return NULL;
}

const struct property *shape_find(const struct shape *s, struct span name)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct property *p = &s->properties[i];

		if (p->length == name.len && p->name[0] == name.at[0] && memcmp(p->name, name.at, name.len) == 0)
			return p;
	}
	return NULL;
}
