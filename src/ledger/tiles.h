/* Tiles on disk (C2SP tlog-tiles v0.1.0): what any web server can serve as it is.
 *
 *	DIR/checkpoint  DIR/tile/<level>/<n>[.p/<width>]  DIR/tile/entries/<n>[.p/<width>]
 *
 * Tiles are the published form of a ledger whose truth is the journal: they are written after the commit and can be
 * made anew. A full tile never changes; other bytes for an existing one are fatal (ERR_LEDGER_DIFFERS).
 *
 * Four parts: names and shapes, writing, reading, checking. */
#ifndef LEDGER_TILES_H
#define LEDGER_TILES_H

#include "ledger/checkpoint.h"
#include "ledger/ledger_check.h"
#include "ledger/ledger_reader.h"
#include "ledger/publisher.h"
#include "ledger/tile.h"

#endif
