/* What the form of an answer page says: `outcome=…&better=…&text=…&evidence=…`. A person wrote it, so it is read kindly: an AS
 * number in any case, an address for its prefix, typographic quotes and letters with marks in what must be ASCII. What can be
 * said in a statement comes out; the rest is refused by name. Only for this room. */
#ifndef EXCHANGE_ANSWER_FORM_H
#define EXCHANGE_ANSWER_FORM_H

#include "base/arena.h"
#include "note/statement.h"
#include "regime/kinds.h"

#define ANSWER_FORM_MAX 65536	  /* bytes of the form */
#define ANSWER_TEXT_MAX 280	  /* of the header `text` */
#define ANSWER_EVIDENCE_MAX 16384 /* of what goes along with a dispute, in bytes of UTF-8 */

/* What is answered; which outcomes fit follows from it. */
enum answer_to {
	ANSWER_TO_NOTICE, /* fixed, working, not-ours, disputed, cannot */
	ANSWER_TO_HELP,	  /* offered, working, acknowledged, objected */
	ANSWER_TO_PING	  /* acknowledged */
};
struct answer_form {
	enum outcome outcome;
	bool has_better;
	struct addressee better; /* NOT_OURS: who instead */
	struct span text;	 /* the header's: printable ASCII, one line; empty: none */
	struct span evidence;	 /* DISPUTED: what the header cannot hold, as UTF-8 with LF; empty: none */
	/* As it was typed, so that it can be shown again: also where the form is refused, if its fields could be read. */
	struct span typed_outcome, typed_better, typed_text, typed_evidence;
};
/* In the arena. ERR_USAGE, ERR_ENCODING, ERR_TOO_LONG: no such form. ERR_FIELD_MISSING, ERR_FIELD: a field; the detail is a
 * sentence for who typed it. */
enum err answer_form_read(struct arena *a, struct span body, enum answer_to what, struct answer_form *out);

/* "AS64500", "as 64500", "192.0.2.0/24", "192.0.2.1", "op.example": ERR_FIELD. */
enum err answer_better_read(struct arena *a, struct span typed, struct addressee *out);

#endif
