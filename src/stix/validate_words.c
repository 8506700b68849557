/* Lists of words that several types use, and which relationships STIX suggests. Facts of STIX 2.1 and of the registries
 * that it names (IANA character sets, ISO 639, ISO 3166-1, HTTP headers, socket options of the common systems, PDF). */
#include "stix/validate_private.h"

const char word_charsets[] =
	"US-ASCII ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 ISO-8859-8 ISO-8859-9 "
	"ISO-8859-10 ISO_6937-2-add JIS_X0201 JIS_Encoding Shift_JIS EUC-JP "
	"Extended_UNIX_Code_Fixed_Width_for_Japanese BS_4730 SEN_850200_C IT ES DIN_66003 NS_4551-1 NF_Z_62-010 "
	"ISO-10646-UTF-1 ISO_646.basic:1983 INVARIANT ISO_646.irv:1983 NATS-SEFI NATS-SEFI-ADD NATS-DANO NATS-DANO-ADD "
	"SEN_850200_B KS_C_5601-1987 ISO-2022-KR EUC-KR ISO-2022-JP ISO-2022-JP-2 JIS_C6220-1969-jp JIS_C6220-1969-ro "
	"PT greek7-old latin-greek NF_Z_62-010_(1973) Latin-greek-1 ISO_5427 JIS_C6226-1978 BS_viewdata INIS INIS-8 "
	"INIS-cyrillic ISO_5427:1981 ISO_5428:1980 GB_1988-80 GB_2312-80 NS_4551-2 videotex-suppl PT2 ES2 MSZ_7795.3 "
	"JIS_C6226-1983 greek7 ASMO_449 iso-ir-90 JIS_C6229-1984-a JIS_C6229-1984-b JIS_C6229-1984-b-add "
	"JIS_C6229-1984-hand JIS_C6229-1984-hand-add JIS_C6229-1984-kana ISO_2033-1983 ANSI_X3.110-1983 T.61-7bit "
	"T.61-8bit ECMA-cyrillic CSA_Z243.4-1985-1 CSA_Z243.4-1985-2 CSA_Z243.4-1985-gr ISO-8859-6-E ISO-8859-6-I "
	"T.101-G2 ISO-8859-8-E ISO-8859-8-I CSN_369103 JUS_I.B1.002 IEC_P27-1 JUS_I.B1.003-serb JUS_I.B1.003-mac "
	"greek-ccitt NC_NC00-10:81 ISO_6937-2-25 GOST_19768-74 ISO_8859-supp ISO_10367-box latin-lap JIS_X0212-1990 "
	"DS_2089 us-dk dk-us KSC5636 UNICODE-1-1-UTF-7 ISO-2022-CN ISO-2022-CN-EXT UTF-8 ISO-8859-13 ISO-8859-14 "
	"ISO-8859-15 ISO-8859-16 GBK GB18030 OSD_EBCDIC_DF04_15 OSD_EBCDIC_DF03_IRV OSD_EBCDIC_DF04_1 ISO-11548-1 "
	"KZ-1048 ISO-10646-UCS-2 ISO-10646-UCS-4 ISO-10646-UCS-Basic ISO-10646-Unicode-Latin1 ISO-10646-J-1 "
	"ISO-Unicode-IBM-1261 ISO-Unicode-IBM-1268 ISO-Unicode-IBM-1276 ISO-Unicode-IBM-1264 ISO-Unicode-IBM-1265 "
	"UNICODE-1-1 SCSU UTF-7 UTF-16BE UTF-16LE UTF-16 CESU-8 UTF-32 UTF-32BE UTF-32LE BOCU-1 UTF-7-IMAP "
	"ISO-8859-1-Windows-3.0-Latin-1 ISO-8859-1-Windows-3.1-Latin-1 ISO-8859-2-Windows-Latin-2 "
	"ISO-8859-9-Windows-Latin-5 hp-roman8 Adobe-Standard-Encoding Ventura-US Ventura-International DEC-MCS IBM850 "
	"PC8-Danish-Norwegian IBM862 PC8-Turkish IBM-Symbols IBM-Thai HP-Legal HP-Pi-font HP-Math8 "
	"Adobe-Symbol-Encoding HP-DeskTop Ventura-Math Microsoft-Publishing Windows-31J GB2312 Big5 macintosh IBM037 "
	"IBM038 IBM273 IBM274 IBM275 IBM277 IBM278 IBM280 IBM281 IBM284 IBM285 IBM290 IBM297 IBM420 IBM423 IBM424 "
	"IBM437 IBM500 IBM851 IBM852 IBM855 IBM857 IBM860 IBM861 IBM863 IBM864 IBM865 IBM868 IBM869 IBM870 IBM871 "
	"IBM880 IBM891 IBM903 IBM904 IBM905 IBM918 IBM1026 EBCDIC-AT-DE EBCDIC-AT-DE-A EBCDIC-CA-FR EBCDIC-DK-NO "
	"EBCDIC-DK-NO-A EBCDIC-FI-SE EBCDIC-FI-SE-A EBCDIC-FR EBCDIC-IT EBCDIC-PT EBCDIC-ES EBCDIC-ES-A EBCDIC-ES-S "
	"EBCDIC-UK EBCDIC-US UNKNOWN-8BIT MNEMONIC MNEM VISCII VIQR KOI8-R HZ-GB-2312 IBM866 IBM775 KOI8-U IBM00858 "
	"IBM00924 IBM01140 IBM01141 IBM01142 IBM01143 IBM01144 IBM01145 IBM01146 IBM01147 IBM01148 IBM01149 Big5-HKSCS "
	"IBM1047 PTCP154 Amiga-1251 KOI7-switched BRF TSCII CP51932 windows-874 windows-1250 windows-1251 windows-1252 "
	"windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 TIS-620 CP50220";

/* ISO 639-1, and what was withdrawn from it: all that RFC 5646's registry has of two letters. Then ISO 639-2, and of ISO 639-3
 * the large languages that it lumps together. */
const char word_languages[] =
	"aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy "
	"da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht "
	"hu hy hz ia id ie ig ii ik in io is it iu iw ja ji jv jw ka kg ki kj kk kl km kn ko kr ks "
	"ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mo mr ms mt my na nb nd ne ng nl "
	"nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl "
	"sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi "
	"vo wa wo xh yi yo za zh zu "
	"aar abk ace ach acm ada ady aeb afa afb afh afr ain ajp aka akk alb ale alg alt amh ang anp apa "
	"apc apd ara arb arc arg arm arn arp ars art arw ary arz asm ast ath aus ava ave awa aym aze bad "
	"bai bak bal bam ban baq bas bat bej bel bem ben ber bgc bho bih bik bin bis bjj bla bnt bod bos "
	"bra bre btk bua bug bul bur byn cad cai car cat cau cdo ceb cel ces cha chb che chg chi chk chm "
	"chn cho chp chr chu chv chy cjy ckb cmc cmn cop cor cos cpe cpf cpp cpx cre crh crp csb cus cym "
	"cze czh czo dak dan dar day del den deu dgr din div doi dra dsb dua dum dut dyu dzo efi egy eka "
	"ekk ell elx eng enm epo est eus ewe ewo fan fao fas fat fij fil fin fiu fon fra fre frm fro frr "
	"frs fry ful fur gaa gan gay gba gem geo ger gez gil gla gle glg glk glv gmh goh gon gor got grb "
	"grc gre grn gsw guj gwi hai hak hat hau haw heb her hil him hin hit hmn hmo hne hrv hsb hsn hun "
	"hup hye iba ibo ice ido iii ijo iku ile ilo ina inc ind ine inh ipk ira iro isl ita jav jbo jpn "
	"jpr jrb kaa kab kac kal kam kan kar kas kat kau kaw kaz kbd kha khi khm kho kik kin kir kmb kmr "
	"kok kom kon kor kos kpe krc krl kro kru kua kum kur kut lad lah lam lao lat lav lez lim lin lit "
	"lol loz ltz lua lub lug lui lun luo lus lvs lzh mac mad mag mah mai mak mal man mao map mar mas "
	"may mdf mdr men mga mic min mis mkd mkh mlg mlt mnc mni mno mnp moh mon mos mri msa mul mun mus "
	"mwl mwr mya myn myv mzn nah nai nan nap nau nav nbl nde ndo nds nep new nia nic niu nld nno nob "
	"nog non nor npi nqo nso nub nwc nya nym nyn nyo nzi oci oji ori orm ory osa oss ota oto paa pag "
	"pal pam pan pap pau peo per pes phi phn pli pnb pol pon por pra pro prs pus que raj rap rar roa "
	"roh rom ron rum run rup rus sad sag sah sai sal sam san sas sat scn sco sdh sel sem sga sgn shn "
	"sid sin sio sit skr sla slk slo slv sma sme smi smj smn smo sms sna snd snk sog som son sot spa "
	"sqi srd srn srp srr ssa ssw suk sun sus sux swa swc swe swh syc syr tah tai tam tat tel tem ter "
	"tet tgk tgl tha tib tig tir tiv tkl tlh tli tmh tog ton tpi tsi tsn tso tuk tum tup tur tut tvl "
	"twi tyv udm uga uig ukr umb und urd uzb vai ven vie vol vot wak wal war was wel wen wln wol wuu "
	"xal xho yao yap yid yor ypk yue zap zbl zen zgh zha zho zlm znd zsm zul zun zxx zza";

const char word_hash_algorithms[] = "MD5 SHA-1 SHA-256 SHA-512 SHA3-256 SHA3-512 SSDEEP TLSH";

const char word_http_headers[] =
	"Accept Accept-Charset Accept-Encoding Accept-Language Accept-Datetime Authorization Cache-Control Connection "
	"Cookie Content-Length Content-MD5 Content-Type Date Expect Forwarded From Host If-Match If-Modified-Since "
	"If-None-Match If-Range If-Unmodified-Since Max-Forwards Origin Pragma Proxy-Authorization Range Referer TE "
	"User-Agent Upgrade Via Warning X-Requested-With DNT X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto "
	"Front-End-Https X-Http-Method-Override X-ATT-DeviceId X-Wap-Profile Proxy-Connection X-UIDH X-Csrf-Token "
	"X-Request-ID X-Correlation-ID";

const char word_socket_options[] =
	"ICMP6_FILTER IP_ADD_MEMBERSHIP IP_ADD_SOURCE_MEMBERSHIP IP_BIND_ADDRESS_NO_PORT IP_BLOCK_SOURCE "
	"IP_DONTFRAGMENT IP_DROP_MEMBERSHIP IP_DROP_SOURCE_MEMBERSHIP IP_FREEBIND IP_HDRINCL IP_MSFILTER IP_MTU "
	"IP_MTU_DISCOVER IP_MULTICAST_ALL IP_MULTICAST_IF IP_MULTICAST_LOOP IP_MULTICAST_TTL IP_NODEFRAG IP_OPTIONS "
	"IP_ORIGINAL_ARRIVAL_IF IP_PKTINFO IP_RECEIVE_BROADCAST IP_RECVDSTADDR IP_RECVERR IP_RECVIF IP_RECVOPTS "
	"IP_RECVORIGDSTADDR IP_RECVTOS IP_RECVTTL IP_RETOPTS IP_ROUTER_ALERT IP_TOS IP_TRANSPARENT IP_TTL "
	"IP_UNBLOCK_SOURCE IP_UNICAST_IF IP_WFP_REDIRECT_CONTEXT IP_WFP_REDIRECT_RECORDS IPV6_ADD_MEMBERSHIP "
	"IPV6_CHECKSUM IPV6_DONTFRAG IPV6_DROP_MEMBERSHIP IPV6_DSTOPTS IPV6_HDRINCL IPV6_HOPLIMIT IPV6_HOPOPTS "
	"IPV6_JOIN_GROUP IPV6_LEAVE_GROUP IPV6_MTU IPV6_MTU_DISCOVER IPV6_MULTICAST_HOPS IPV6_MULTICAST_IF "
	"IPV6_MULTICAST_LOOP IPV6_NEXTHOP IPV6_PATHMTU IPV6_PKTINFO IPV6_PROTECTION_LEVEL IPV6_RECVDSTOPTS "
	"IPV6_RECVHOPLIMIT IPV6_RECVHOPOPTS IPV6_RECVIF IPV6_RECVPATHMTU IPV6_RECVPKTINFO IPV6_RECVRTHDR "
	"IPV6_RECVTCLASS IPV6_RTHDR IPV6_TCLASS IPV6_UNICAST_HOPS IPV6_UNICAST_IF IPV6_UNICAT_HOPS IPV6_USE_MIN_MTU "
	"IPV6_V6ONLY IRLMP_9WIRE_MODE IRLMP_DISCOVERY_MODE IRLMP_ENUMDEVICES IRLMP_EXCLUSIVE_MODE IRLMP_IAS_QUERY "
	"IRLMP_IAS_SET IRLMP_IRLPT_MODE IRLMP_PARAMETERS IRLMP_SEND_PDU_LEN IRLMP_SHARP_MODE IRLMP_TINYTP_MODE "
	"MCAST_BLOCK_SOURCE MCAST_JOIN_GROUP MCAST_JOIN_SOURCE_GROUP MCAST_LEAVE_GROUP MCAST_LEAVE_SOURCE_GROUP "
	"MCAST_UNBLOCK_SOURCE SO_ACCEPTCONN SO_ATTACH_BPF SO_ATTACH_FILTER SO_ATTACH_REUSEPORT_CBPF SO_BINDTODEVICE "
	"SO_BROADCAST SO_BSDCOMPAT SO_BSP_STATE SO_BUSY_POLL SO_CONDITIONAL_ACCEPT SO_CONFIRM_NAME SO_CONNDATA "
	"SO_CONNDATALEN SO_CONNECT_TIME SO_CONNOPT SO_CONNOPTLEN SO_DEBUG SO_DEREGISTER_NAME SO_DETACH_FILTER "
	"SO_DISCDATA SO_DISCDATALEN SO_DISCOPT SO_DISCOPTLEN SO_DOMAIN SO_DONTLINGER SO_DONTROUTE SO_ERROR "
	"SO_EXCLUSIVEADDRUSE SO_GETLOCALZONES SO_GETMYZONE SO_GETNETINFO SO_GETZONELIST SO_GROUP_ID SO_GROUP_PRIORITY "
	"SO_INCOMING_CPU SO_KEEPALIVE SO_LINGER SO_LOOKUP_MYZONE SO_LOOKUP_NAME SO_LOOKUP_NETDEF_ON_ADAPTER "
	"SO_LOOKUP_ZONES SO_LOOKUP_ZONES_ON_ADAPTER SO_MARK SO_MAX_MSG_SIZE SO_MAXDG SO_MAXPATHDG SO_OOBINLINE "
	"SO_OPENTYPE SO_PAP_GET_SERVER_STATUS SO_PAP_PRIME_READ SO_PAP_SET_SERVER_STATUS SO_PASSCRED SO_PASSSEC "
	"SO_PAUSE_ACCEPT SO_PEEK_OFF SO_PEERCRED SO_PORT_SCALABILITY SO_PRIORITY SO_PROTOCOL SO_PROTOCOL_INFO "
	"SO_PROTOCOL_INFOA SO_PROTOCOL_INFOW SO_RANDOMIZE_PORT SO_RCVBUF SO_RCVBUFFORCE SO_RCVLOWAT SO_RCVTIMEO "
	"SO_REGISTER_NAME SO_REMOVE_NAME SO_REUSE_MULTICASTPORT SO_REUSE_UNICASTPORT SO_REUSEADDR SO_REUSEPORT "
	"SO_RXQ_OVFL SO_SNDBUF SO_SNDBUFFORCE SO_SNDLOWAT SO_SNDTIMEO SO_TIMESTAMP SO_TYPE SO_UPDATE_ACCEPT_CONTEXT "
	"SO_UPDATE_CONNECT_CONTEXT SO_USELOOPBACK TCP_BSDURGENT TCP_CONGESTION TCP_CORK TCP_DEFER_ACCEPT "
	"TCP_EXPEDITED_1122 TCP_FASTOPEN TCP_INFO TCP_KEEPCNT TCP_KEEPIDLE TCP_KEEPINTVL TCP_LINGER2 TCP_MAXRT "
	"TCP_MAXSEG TCP_NODELAY TCP_QUICKACK TCP_SYNCNT TCP_TIMESTAMPS TCP_USER_TIMEOUT TCP_WINDOW_CLAMP";

const char word_pdf_keys[] = "Title Author Subject Keywords Creator Producer CreationDate ModDate Trapped";

const char word_countries[] =
	"AC AD AE AF AG AI AL AM AN AO AP AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT "
	"BU BV BW BX BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CR CS CT CU CV CW CX CY CZ DD DE DG DJ DK DM DO DY "
	"DZ EA EC EE EF EG EH EM EP ER ES ET EU EV EW EZ FI FJ FK FL FM FO FQ FR FX GA GB GC GD GE GF GG GH GI GL GM "
	"GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU HV IB IC ID IE IL IM IN IO IQ IR IS IT JA JE JM JO JP JT KE KG "
	"KH KI KM KN KP KR KW KY KZ LA LB LC LF LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MI MK ML MM MN MO MP MQ "
	"MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NH NI NL NO NP NQ NR NT NU NZ OA OM PA PC PE PF PG PH PI PK PL PM "
	"PN PR PS PT PU PW PY PZ QA RA RB RC RE RH RI RL RM RN RO RP RS RU RW SA SB SC SD SE SF SG SH SI SJ SK SL SM "
	"SN SO SR SS ST SU SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TP TR TT TV TW TZ UA UG UK UM UN US UY UZ "
	"VA VC VD VE VG VI VN VU WF WG WK WL WO WS WV YD YE YT YU YV ZA ZM ZR ZW";

#define EVERY_OBSERVABLE                                                                                               \
	"artifact autonomous-system directory domain-name email-addr email-message file ipv4-addr ipv6-addr "          \
	"mac-addr mutex network-traffic process software url user-account windows-registry-key x509-certificate"

static const struct suggestion {
	const char *source, *name, *targets;
} suggestions[] = {
	{ "attack-pattern", "delivers", "malware" },
	{ "attack-pattern", "targets", "location vulnerability identity" },
	{ "attack-pattern", "uses", "malware tool" },
	{ "campaign", "attributed-to", "intrusion-set threat-actor" },
	{ "campaign", "compromises", "infrastructure" },
	{ "campaign", "originates-from", "location" },
	{ "campaign", "targets", "location identity vulnerability" },
	{ "campaign", "uses", "attack-pattern infrastructure malware tool" },
	{ "course-of-action", "investigates", "indicator" },
	{ "course-of-action", "mitigates", "attack-pattern indicator malware tool vulnerability" },
	{ "course-of-action", "remediates", "malware vulnerability" },
	{ "domain-name", "resolves-to", "domain-name ipv4-addr ipv6-addr" },
	{ "identity", "located-at", "location" },
	{ "indicator", "indicates", "attack-pattern campaign infrastructure intrusion-set malware threat-actor tool" },
	{ "indicator", "based-on", "observed-data" },
	{ "infrastructure", "communicates-with", "infrastructure ipv4-addr ipv6-addr domain-name url" },
	{ "infrastructure", "consists-of", "infrastructure observed-data " EVERY_OBSERVABLE },
	{ "infrastructure", "controls", "infrastructure malware" },
	{ "infrastructure", "delivers", "malware" },
	{ "infrastructure", "has", "vulnerability" },
	{ "infrastructure", "hosts", "tool malware" },
	{ "infrastructure", "located-at", "location" },
	{ "infrastructure", "uses", "infrastructure" },
	{ "intrusion-set", "attributed-to", "threat-actor" },
	{ "intrusion-set", "compromises", "infrastructure" },
	{ "intrusion-set", "hosts", "infrastructure" },
	{ "intrusion-set", "originates-from", "location" },
	{ "intrusion-set", "owns", "infrastructure" },
	{ "intrusion-set", "targets", "identity location vulnerability" },
	{ "intrusion-set", "uses", "attack-pattern infrastructure malware tool" },
	{ "ipv4-addr", "resolves-to", "mac-addr" },
	{ "ipv4-addr", "belongs-to", "autonomous-system" },
	{ "ipv6-addr", "resolves-to", "mac-addr" },
	{ "ipv6-addr", "belongs-to", "autonomous-system" },
	{ "malware", "authored-by", "threat-actor intrusion-set" },
	{ "malware", "beacons-to", "infrastructure" },
	{ "malware", "exfiltrates-to", "infrastructure" },
	{ "malware", "communicates-with", "ipv4-addr ipv6-addr domain-name url" },
	{ "malware", "controls", "malware" },
	{ "malware", "downloads", "malware file tool" },
	{ "malware", "drops", "malware file tool" },
	{ "malware", "exploits", "vulnerability" },
	{ "malware", "originates-from", "location" },
	{ "malware", "targets", "identity infrastructure location" },
	{ "malware", "uses", "attack-pattern infrastructure malware tool" },
	{ "malware", "variant-of", "malware" },
	{ "malware-analysis", "characterizes", "malware" },
	{ "malware-analysis", "analysis-of", "malware" },
	{ "malware-analysis", "static-analysis-of", "malware" },
	{ "malware-analysis", "dynamic-analysis-of", "malware" },
	{ "threat-actor", "attributed-to", "identity" },
	{ "threat-actor", "compromises", "infrastructure" },
	{ "threat-actor", "hosts", "infrastructure" },
	{ "threat-actor", "owns", "infrastructure" },
	{ "threat-actor", "impersonates", "identity" },
	{ "threat-actor", "located-at", "location" },
	{ "threat-actor", "targets", "identity location vulnerability" },
	{ "threat-actor", "uses", "attack-pattern infrastructure malware tool" },
	{ "tool", "delivers", "malware" },
	{ "tool", "drops", "malware" },
	{ "tool", "uses", "infrastructure" },
	{ "tool", "has", "vulnerability" },
	{ "tool", "targets", "identity infrastructure location vulnerability" },
	{ "vulnerability", "impacts", "infrastructure tool" },
};

bool relationship_suggested(struct span source, struct span name, struct span target)
{
	static const char free_kinds[] =
		"bundle language-content marking-definition sighting relationship extension-definition";

	if (value_is_word("derived-from duplicate-of related-to", name) || value_is_word(free_kinds, source) ||
	    value_is_word(free_kinds, target))
		return true;
	for (size_t i = 0; i < sizeof(suggestions) / sizeof(suggestions[0]); i++)
		if (span_is(source, suggestions[i].source) && span_is(name, suggestions[i].name))
			return value_is_word(suggestions[i].targets, target);
	return false;
}
