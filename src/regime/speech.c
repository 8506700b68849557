#include "regime/speech.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "regime/letters.h"

/*
 * How it is looked for
 *
 * Text and phrases are made plain in the same way: no case, no marks, everything that is no letter and no digit is one space; of
 * "ae", "oe" and "ue" the first letter stays, so that ä, ae and a are one. A phrase must then stand there whole, from the beginning
 * of a word to the end of one; between ideographs every character is a word.
 *
 * The list is narrow on purpose. It names what such requests are called and how they are written in a few words; it does not
 * understand anything, and whoever wants to get a remark past it will. It guards short fields with a purpose of their own, so what
 * it lets through is a remark that nobody acts on: no code, no class and no command stands for it. What it must not do is to refuse
 * an honest technical word: tests/data/speech holds both sides.
 *
 * Phrases are sorted once by their plain text. Those that the text goes on with at a place are its prefixes, and these stand
 * shortly before where the text itself would be.
 */

static const char *const phrases[] = {
	/* clang-format off */
	/* English */
	"abusive content harmful speech",
	"harmful speech",
	"hate speech",
	"hateful content",
	"hateful speech",
	"fake news",
	"false news",
	"false rumour",
	"false rumours",
	"false rumors",
	"misinformation",
	"disinformation",
	"propaganda",
	"blasphemy",
	"blasphemous",
	"sacrilege",
	"insults the president",
	"insults the king",
	"insult the king",
	"insult to religion",
	"insults religion",
	"insulting religion",
	"insulting the prophet",
	"insulting the president",
	"insult of an official",
	"insults an official",
	"insulting an official",
	"insulting officials",
	"insulting a public official",
	"lese majeste",
	"sedition",
	"seditious",
	"defamation",
	"defamatory",
	"libel",
	"slander",
	"extremist content",
	"extremist material",
	"extremist materials",
	"extremist text",
	"extremist texts",
	"extremist speech",
	"terrorist propaganda",
	"remove the post",
	"remove this post",
	"remove these posts",
	"remove his post",
	"remove her post",
	"remove their posts",
	"delete the post",
	"delete this post",
	"delete the posts",
	"delete these posts",
	"delete his posts",
	"take down the post",
	"take down this post",
	"take down the posts",
	"take down the article",
	"take down this article",
	"take down the video",
	"take down this video",
	"remove the article",
	"remove this article",
	"delete the article",
	"delete this article",
	"remove the video",
	"remove this video",
	"delete the video",
	"remove the comment",
	"remove the comments",
	"delete the comments",
	"delete this comment",
	"remove the tweet",
	"delete the tweet",
	"remove the caricature",
	"take down the cartoon",
	"remove the cartoon",
	"remove the book",
	"ban the book",
	"ban the song",
	"remove the song",
	"silence the journalist",
	"block the journalist",
	"block the newspaper",
	"block the news site",
	"close the newspaper",
	"block the opposition",
	"opposition website",
	"opposition channel",
	"anti government content",
	"anti state content",
	"immoral content",
	"indecent content",
	"obscene content",
	"obscene material",
	"obscenity",
	"pornography",
	"copyright infringement",
	"copyright violation",
	"copyrighted work",
	"infringes copyright",
	"infringing copy",
	"dmca takedown",
	"dmca notice",
	"pirated films",
	"pirated movies",
	"pirated music",
	"pirated books",
	"illegal streaming",
	"criticises the government",
	"criticises the police",
	"criticizes the government",
	"criticism of the government",
	"harms public morals",
	"public morality",
	"national unity",
	"glorifies violence",
	"glorification of violence",
	"violent content",
	"illegal content",
	"unlawful content",
	"objectionable content",
	"abusive post",
	"offensive post",
	"offensive content",
	"right to be forgotten",
	"censor the",
	"censorship order",
	/* German */
	"Hassrede",
	"Hasskommentar",
	"Hasskommentare",
	"Hetze",
	"Volksverhetzung",
	"Falschmeldung",
	"Falschmeldungen",
	"Falschnachrichten",
	"Desinformation",
	"Gotteslästerung",
	"Blasphemie",
	"blasphemisch",
	"Beamtenbeleidigung",
	"Majestätsbeleidigung",
	"beleidigt den Präsidenten",
	"beleidigt einen Beamten",
	"beleidigt den Minister",
	"beleidigt die Regierung",
	"Beleidigung des Präsidenten",
	"Beleidigung eines Beamten",
	"Beleidigung eines Amtsträgers",
	"Beleidigung der Religion",
	"Verleumdung",
	"üble Nachrede",
	"extremistische Inhalte",
	"extremistischer Inhalt",
	"extremistischen Inhalt",
	"extremistischer Text",
	"extremistischen Text",
	"extremistische Schriften",
	"Beitrag löschen",
	"Beitrag entfernen",
	"Beitrag zu löschen",
	"Beitrag zu entfernen",
	"löschen Sie den Beitrag",
	"löschen Sie diesen Beitrag",
	"entfernen Sie den Beitrag",
	"entfernen Sie den Artikel",
	"entfernen Sie das Video",
	"löschen Sie den Artikel",
	"Artikel löschen",
	"Artikel entfernen",
	"Kommentar löschen",
	"Kommentare löschen",
	"Video entfernen",
	"Urheberrecht",
	"Urheberrechts",
	"Urheberrechtsverletzung",
	"Urheberrechtsverletzungen",
	"verletzt das Urheberrecht",
	"Raubkopie",
	"Raubkopien",
	"Pornografie",
	"Pornographie",
	"unsittliche Inhalte",
	"Gewaltverherrlichung",
	"gewaltverherrlichend",
	"rechtswidrige Inhalte",
	"rechtswidriger Inhalt",
	"regierungskritisch",
	"regierungskritische",
	"regierungskritischen",
	"Kritik an der Regierung",
	"schädliche Rede",
	"Recht auf Vergessenwerden",
	"Zensur",
	/* French */
	"discours de haine",
	"discours haineux",
	"propos haineux",
	"contenu haineux",
	"fausse nouvelle",
	"fausses nouvelles",
	"fausse information",
	"fausses informations",
	"infox",
	"propagande",
	"blasphème",
	"blasphématoire",
	"outrage au président",
	"outrage au chef de l'État",
	"outrage à agent",
	"outrage à un agent",
	"outrage à un fonctionnaire",
	"outrage à la religion",
	"insulte au président",
	"insulte le président",
	"insulte un fonctionnaire",
	"insulte un ministre",
	"injure publique",
	"diffamation",
	"diffamatoire",
	"contenu extrémiste",
	"contenus extrémistes",
	"texte extrémiste",
	"apologie du terrorisme",
	"supprimer la publication",
	"supprimez la publication",
	"supprimer cette publication",
	"supprimez cette publication",
	"retirer la publication",
	"retirez la publication",
	"supprimer l'article",
	"supprimez l'article",
	"retirer l'article",
	"retirez l'article",
	"supprimer cet article",
	"retirer cet article",
	"supprimer le commentaire",
	"supprimez le commentaire",
	"supprimer la vidéo",
	"supprimez la vidéo",
	"retirer la vidéo",
	"retirez la vidéo",
	"supprimer le message insultant",
	"droit d'auteur",
	"droits d'auteur",
	"violation du droit d'auteur",
	"contrefaçon",
	"films piratés",
	"musique piratée",
	"contenu obscène",
	"contenu illicite",
	"contenus illicites",
	"atteinte aux bonnes moeurs",
	"bonnes moeurs",
	"critique du gouvernement",
	"critique le gouvernement",
	"droit à l'oubli",
	"censure",
	"caricature du prophète",
	"caricature du président",
	/* Spanish */
	"discurso de odio",
	"discursos de odio",
	"contenido de odio",
	"noticia falsa",
	"noticias falsas",
	"bulo",
	"bulos",
	"desinformación",
	"blasfemia",
	"blasfemo",
	"insulta al presidente",
	"insulto al presidente",
	"insultos al presidente",
	"insulta a un funcionario",
	"insulto a un funcionario",
	"insultos a un funcionario",
	"desacato",
	"injurias",
	"injuria a la corona",
	"injurias a la corona",
	"calumnia",
	"calumnias",
	"difamación",
	"difamatorio",
	"contenido extremista",
	"texto extremista",
	"material extremista",
	"eliminar la publicación",
	"eliminen la publicación",
	"elimine la publicación",
	"borrar la publicación",
	"borren la publicación",
	"retirar la publicación",
	"retiren la publicación",
	"eliminar el artículo",
	"elimine el artículo",
	"eliminen el artículo",
	"borrar el artículo",
	"retirar el artículo",
	"retiren el artículo",
	"borrar el comentario",
	"eliminar el comentario",
	"eliminen el comentario",
	"eliminar el vídeo",
	"eliminen el vídeo",
	"retirar el vídeo",
	"retiren el vídeo",
	"borrar el tuit",
	"derechos de autor",
	"derecho de autor",
	"infracción de derechos de autor",
	"películas piratas",
	"música pirata",
	"pornografía",
	"contenido obsceno",
	"contenido ilícito",
	"apología del terrorismo",
	"apología de la violencia",
	"ofende la religión",
	"ofensa a la religión",
	"ofensa a los sentimientos religiosos",
	"critica al gobierno",
	"críticas al gobierno",
	"derecho al olvido",
	"censura",
	/* Portuguese */
	"desinformação",
	"insulta o presidente",
	"insulto ao presidente",
	"insulta um funcionário",
	"insulto a um funcionário",
	"insultos a funcionários",
	"injúria",
	"calúnia",
	"difamação",
	"conteúdo extremista",
	"remover a publicação",
	"removam a publicação",
	"remova a publicação",
	"apagar a publicação",
	"apaguem a publicação",
	"eliminar a publicação",
	"remover o artigo",
	"removam o artigo",
	"remova o artigo",
	"apagar o artigo",
	"apaguem o artigo",
	"remover o comentário",
	"apagar o comentário",
	"apaguem o comentário",
	"remover o vídeo",
	"removam o vídeo",
	"remova o vídeo",
	"direitos de autor",
	"direito de autor",
	"direitos autorais",
	"direito autoral",
	"filmes piratas",
	"conteúdo obsceno",
	"conteúdo ilícito",
	"apologia do terrorismo",
	"apologia da violência",
	"ofensa à religião",
	"ofende a religião",
	"crítica ao governo",
	"críticas ao governo",
	"critica o governo",
	"direito ao esquecimento",
	/* Russian */
	"язык вражды",
	"разжигание ненависти",
	"разжигание розни",
	"ложные новости",
	"ложная новость",
	"фейковые новости",
	"фейк",
	"фейки",
	"недостоверная информация",
	"недостоверную информацию",
	"заведомо ложная информация",
	"дезинформация",
	"дезинформацию",
	"пропаганда",
	"пропаганду",
	"пропаганды",
	"богохульство",
	"кощунство",
	"оскорбление чувств верующих",
	"оскорбляет чувства верующих",
	"оскорбление президента",
	"оскорбляет президента",
	"оскорбление чиновника",
	"оскорбляет чиновника",
	"оскорбление власти",
	"оскорбление представителя власти",
	"оскорбляет власть",
	"клевета",
	"клевету",
	"дискредитация",
	"дискредитацию",
	"экстремистский текст",
	"экстремистский материал",
	"экстремистские материалы",
	"экстремистских материалов",
	"экстремистский контент",
	"экстремизм",
	"удалить пост",
	"удалите пост",
	"удалить запись",
	"удалите запись в блоге",
	"удалить публикацию",
	"удалите публикацию",
	"удалить статью",
	"удалите статью",
	"удалить комментарий",
	"удалите комментарий",
	"удалить видео",
	"удалите видео",
	"заблокировать статью",
	"заблокируйте статью",
	"авторское право",
	"авторских прав",
	"авторские права",
	"нарушение авторских прав",
	"пиратские фильмы",
	"пиратский фильм",
	"пиратская музыка",
	"порнография",
	"порнографию",
	"порнографии",
	"запрещённая информация",
	"запрещённый контент",
	"критика правительства",
	"критику правительства",
	"критика власти",
	"критику власти",
	"иностранный агент",
	"иноагент",
	"право на забвение",
	"цензура",
	/* Turkish */
	"nefret söylemi",
	"nefret söylemini",
	"yalan haber",
	"yalan haberi",
	"yalan haberler",
	"sahte haber",
	"dezenformasyon",
	"terör propagandası",
	"propagandası",
	"dine hakaret",
	"dini değerlere hakaret",
	"kutsal değerlere hakaret",
	"cumhurbaşkanına hakaret",
	"devlet büyüklerine hakaret",
	"memura hakaret",
	"bakana hakaret",
	"kamu görevlisine hakaret",
	"kamu görevlisine hakaret eden",
	"Peygambere hakaret",
	"iftira",
	"karalama",
	"aşırılıkçı metin",
	"aşırılıkçı içerik",
	"aşırılık yanlısı içerik",
	"gönderiyi silin",
	"gönderiyi kaldırın",
	"gönderinin kaldırılması",
	"paylaşımı silin",
	"paylaşımı kaldırın",
	"paylaşımın kaldırılması",
	"makaleyi kaldırın",
	"makaleyi silin",
	"haberi kaldırın",
	"haberi silin",
	"haberin kaldırılması",
	"yorumu silin",
	"yorumları silin",
	"yorumu kaldırın",
	"videoyu kaldırın",
	"videoyu silin",
	"tweeti silin",
	"telif hakkı",
	"telif hakları",
	"telif hakkı ihlali",
	"korsan film",
	"korsan müzik",
	"korsan kitap",
	"müstehcen",
	"müstehcen içerik",
	"müstehcenlik",
	"pornografi",
	"hükümeti eleştiren",
	"hükümet eleştirisi",
	"halkı kin ve düşmanlığa",
	"unutulma hakkı",
	"sansür",
	/* Estonian */
	"vihakõne",
	"vaenukõne",
	"valeuudis",
	"valeuudised",
	"valeuudiste",
	"valeuudiseid",
	"libauudis",
	"libauudised",
	"väärinfo",
	"desinformatsioon",
	"desinformatsiooni",
	"propagandat",
	"jumalateotus",
	"jumalateotust",
	"pühaduseteotus",
	"usutunnete solvamine",
	"solvab presidenti",
	"presidendi solvamine",
	"solvab ametnikku",
	"ametniku solvamine",
	"ametniku solvamise",
	"solvab ministrit",
	"laim",
	"laimu",
	"laimav",
	"äärmuslik tekst",
	"äärmuslikku teksti",
	"äärmuslik sisu",
	"äärmuslikku sisu",
	"eemaldage postitus",
	"eemaldage see postitus",
	"kustutage postitus",
	"kustutage see postitus",
	"postituse eemaldamine",
	"postituse kustutamine",
	"postituse eemaldamist",
	"eemaldage artikkel",
	"eemaldage see artikkel",
	"kustutage artikkel",
	"artikli eemaldamine",
	"artikli eemaldamist",
	"kustutage kommentaar",
	"kustutage kommentaarid",
	"kommentaari kustutamine",
	"eemaldage video",
	"autoriõigus",
	"autoriõiguse",
	"autoriõiguste",
	"autoriõiguse rikkumine",
	"piraatfilm",
	"piraatfilmid",
	"piraatmuusika",
	"pornograafia",
	"kriitika valitsuse",
	"valitsuse kriitika",
	"kritiseerib valitsust",
	"vaenu õhutamine",
	"vaenu õhutav",
	"õigus olla unustatud",
	"tsensuur",
	/* Arabic */
	"خطاب الكراهية",
	"خطاب كراهية",
	"أخبار كاذبة",
	"الأخبار الكاذبة",
	"خبر كاذب",
	"أخبارا كاذبة",
	"أخبار زائفة",
	"معلومات مضللة",
	"شائعات",
	"إشاعات",
	"دعاية",
	"الدعاية",
	"دعاية سياسية",
	"ازدراء الأديان",
	"إهانة الدين",
	"الإساءة إلى الدين",
	"الإساءة للدين",
	"الإساءة إلى الرسول",
	"التجديف",
	"تجديف",
	"إهانة الرئيس",
	"يهين الرئيس",
	"إهانة موظف",
	"إهانة موظف عام",
	"إهانة المسؤولين",
	"يهين موظفا",
	"الإساءة إلى المسؤولين",
	"إهانة الملك",
	"التشهير",
	"تشهير",
	"قذف وسب",
	"سب وقذف",
	"محتوى متطرف",
	"نص متطرف",
	"منشورات متطرفة",
	"مواد متطرفة",
	"حذف المنشور",
	"إزالة المنشور",
	"احذفوا المنشور",
	"إزالة هذا المنشور",
	"حذف هذا المنشور",
	"حذف المقال",
	"إزالة المقال",
	"احذفوا المقال",
	"حذف التعليق",
	"حذف التعليقات",
	"احذفوا التعليق",
	"حذف الفيديو",
	"إزالة الفيديو",
	"حذف التغريدة",
	"حقوق النشر",
	"حقوق الطبع والنشر",
	"حقوق المؤلف",
	"انتهاك حقوق",
	"أفلام مقرصنة",
	"محتوى إباحي",
	"إباحية",
	"الآداب العامة",
	"مخلة بالآداب",
	"انتقاد الحكومة",
	"ينتقد الحكومة",
	"محتوى غير أخلاقي",
	"التحريض على الكراهية",
	"الرقابة على المحتوى",
	/* Chinese */
	"仇恨言论",
	"有害言论",
	"不当言论",
	"言论",
	"虚假新闻",
	"虚假消息",
	"假新闻",
	"谣言",
	"造谣",
	"虚假信息",
	"宣传材料",
	"反动宣传",
	"政治宣传",
	"亵渎",
	"亵渎神明",
	"亵渎宗教",
	"侮辱宗教",
	"侮辱官员",
	"侮辱公务员",
	"侮辱领导人",
	"侮辱总统",
	"侮辱国家",
	"诽谤",
	"极端主义文章",
	"极端主义内容",
	"极端主义文本",
	"煽动颠覆",
	"煽动仇恨",
	"删除帖子",
	"删除该帖子",
	"删除这个帖子",
	"删除此帖",
	"删帖",
	"删除文章",
	"删除该文章",
	"删除这篇文章",
	"删除评论",
	"删除该评论",
	"删除视频",
	"删除该视频",
	"下架文章",
	"下架视频",
	"版权",
	"侵犯版权",
	"侵犯著作权",
	"著作权",
	"盗版",
	"盗版电影",
	"盗版音乐",
	"色情",
	"淫秽",
	"违法内容",
	"不良信息",
	"批评政府",
	"反对派",
	"敏感内容",
	"审查内容",
	/* clang-format on */
};
#define COUNT (sizeof(phrases) / sizeof(phrases[0]))

#define PHRASE_MAX 96
#define WINDOW 2048

static struct phrase {
	char text[PHRASE_MAX]; /* plain */
	size_t len;
	const char *as; /* written */
} sorted[COUNT];

/* ---- plain text ---- */

struct plain {
	char *at;
	size_t len, most;
	bool space; /* nothing or a space was written last */
	char last;  /* of ASCII letters */
};

static bool is_vowel(char c)
{
	return c == 'a' || c == 'o' || c == 'u';
}

static void put(struct plain *p, uint32_t c)
{
	if (c == ' ' && p->space)
		return;
	if (c == 'e' && is_vowel(p->last)) {
		p->last = 'e';
		return;
	}
	p->last = c < 0x80 ? (char)c : '\0';
	p->space = c == ' ';
	p->len += letter_write(c, p->at + p->len);
}

/* As much as there is room for; what is left comes back. What is no UTF-8 is a space. */
static struct span make_plain(struct plain *p, struct span text)
{
	while (text.len > 0 && p->len + 8 <= p->most) {
		uint32_t c = ' ';
		size_t n = letter_read(text, &c);
		struct letters l = letter_plain(n > 0 ? c : ' ');

		for (int i = 0; i < 2 && l.at[i] != 0; i++)
			put(p, l.at[i]);
		text = span_from(text, n > 0 ? n : 1);
	}
	return text;
}

/* ---- phrases ---- */

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct phrase *)a)->text, ((const struct phrase *)b)->text);
}

static void prepare(void)
{
	for (size_t i = 0; i < COUNT; i++) {
		struct plain p = { .at = sorted[i].text, .most = PHRASE_MAX - 1, .space = true };
		struct span left = make_plain(&p, span_of(phrases[i]));

		assert(left.len == 0 && p.len > 0 && !p.space);
		sorted[i].len = p.len;
		sorted[i].as = phrases[i];
	}
	qsort(sorted, COUNT, sizeof(sorted[0]), compare);
}

/* A word ends before what follows, or begins behind what comes before. */
static bool is_edge(struct span here)
{
	uint32_t c = 0;

	return here.len == 0 || here.at[0] == ' ' || (letter_read(here, &c) > 0 && letter_is_ideograph(c));
}

static bool ends_there(struct span text, const struct phrase *p)
{
	uint32_t last = 0;

	/* Ideographs are of three bytes. */
	if (p->len >= 3 && letter_read(span_make(p->text + p->len - 3, 3), &last) == 3 && letter_is_ideograph(last))
		return true;
	return is_edge(span_from(text, p->len));
}

static const struct phrase *find_here(struct span text)
{
	size_t low = 0, high = COUNT;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (span_compare(span_make(sorted[middle].text, sorted[middle].len), text) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low > 0; low--) {
		const struct phrase *p = &sorted[low - 1];
		size_t same = text.len < 2 || p->len < 2 ? text.len < p->len ? text.len : p->len : 2;

		if (memcmp(p->text, text.at, same) != 0)
			break;
		if (p->len <= text.len && memcmp(p->text, text.at, p->len) == 0 && ends_there(text, p))
			return p;
	}
	return NULL;
}

/* Begins at the beginning of a word; up to `until`. */
static const struct phrase *find(const struct plain *p, size_t until)
{
	const struct phrase *found = NULL;
	bool edge = true;

	for (size_t i = 0; found == NULL && i < until;) {
		struct span here = span_make(p->at + i, p->len - i);
		uint32_t c = 0;
		size_t n = letter_read(here, &c);
		bool ideograph = letter_is_ideograph(c);

		if (c != ' ' && (edge || ideograph))
			found = find_here(here);
		edge = c == ' ' || ideograph;
		i += n;
	}
	return found;
}

bool speech_asked(struct span text, const char **phrase)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	char window[WINDOW];
	struct plain p = { .at = window, .most = WINDOW, .space = true };
	const struct phrase *found = NULL;

	pthread_once(&once, prepare);
	while (found == NULL && text.len > 0) {
		size_t until;

		text = make_plain(&p, text);
		until = p.len;
		/* What begins near the end is looked at with what follows: from the beginning of a word on. */
		if (text.len > 0) {
			until = p.len - 2 * PHRASE_MAX;
			while (until < p.len && p.at[until] != ' ' && !is_edge(span_make(p.at + until, p.len - until)))
				until++;
		}
		found = find(&p, until);
		memmove(p.at, p.at + until, p.len - until);
		p.len -= until;
	}
	if (found != NULL && phrase != NULL)
		*phrase = found->as;
	return found != NULL;
}
