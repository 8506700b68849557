/* An open table, for the two files that read it. */
#ifndef TERRITORY_TABLE_READ_H
#define TERRITORY_TABLE_READ_H

#include "base/file.h"
#include "territory/table.h"
#include "territory/table_file.h"

struct table {
	const uint8_t *at[SECTION_COUNT];
	uint32_t count[SECTION_COUNT]; /* elements */
	uint32_t records;
	bool vrps_fresh; /* when the table was opened */
	const struct table_head *head;
	struct mapped map;
};

#endif
