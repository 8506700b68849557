/* Words for what is said, shown, believed or copied, in several languages. Nothing here judges messages: the formats have no place
 * for content. It keeps the few short texts of a statement (text, purpose, subject, the terms of a vocabulary) and the class words
 * of reports from becoming one. docs/vocabulary.md says how narrow it is, and why. */
#ifndef REGIME_SPEECH_H
#define REGIME_SPEECH_H

#include "base/span.h"

/* Whether the text asks for something about speech. UTF-8, case and common accents folded, punctuation as spaces; whole words and
 * phrases only. *phrase, static: what was found; may be NULL. */
bool speech_asked(struct span text, const char **phrase);

#endif
