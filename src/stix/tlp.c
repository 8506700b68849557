#include "stix/tlp.h"

#define PREFIX "marking-definition--"

static const struct {
	const char *name;
	struct span marking, marking_1; /* of TLP 2.0 and 1.0 */
} levels[TLP_COUNT] = {
	[TLP_CLEAR] = { "CLEAR", SPAN(PREFIX "94868c89-83c2-464b-929b-a1a8aa3c8487"),
			SPAN(PREFIX "613f2e26-407d-48c7-9eca-b8e91df99dc9") },
	[TLP_GREEN] = { "GREEN", SPAN(PREFIX "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
			SPAN(PREFIX "34098fce-860f-48ae-8e50-ebd3cc5e41da") },
	[TLP_AMBER] = { "AMBER", SPAN(PREFIX "55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
			SPAN(PREFIX "f88d31f6-486f-44da-b317-01333bde0b82") },
	[TLP_AMBER_STRICT] = { "AMBER+STRICT", SPAN(PREFIX "939a9414-2ddd-4d32-a0cd-375ea402b003"), SPAN("") },
	[TLP_RED] = { "RED", SPAN(PREFIX "e828b379-4e03-4974-9ac4-e53a884c97c1"),
		      SPAN(PREFIX "5e57c739-391a-4eb3-b6be-7d15ca92d5ed") },
};

const char *tlp_name(enum tlp t)
{
	return levels[t].name;
}

enum err tlp_parse(struct span name, enum tlp *out)
{
	if (span_equal_nocase(name, SPAN("WHITE"))) {
		*out = TLP_CLEAR;
		return OK;
	}
	for (unsigned t = 0; t < TLP_COUNT; t++)
		if (span_equal_nocase(name, span_of(levels[t].name))) {
			*out = (enum tlp)t;
			return OK;
		}
	return fail(ERR_FIELD, "the Traffic Light Protocol has no such level; it has CLEAR, GREEN, AMBER, AMBER+STRICT "
			       "and RED");
}

enum err tlp_of_marking(struct span id, enum tlp *out)
{
	if (id.len == 0)
		return ERR_NOT_FOUND;
	for (unsigned t = 0; t < TLP_COUNT; t++)
		if (span_equal(id, levels[t].marking) || span_equal(id, levels[t].marking_1)) {
			*out = (enum tlp)t;
			return OK;
		}
	return ERR_NOT_FOUND;
}

const char *tlp_marking(enum tlp t)
{
	return levels[t].marking.at;
}
