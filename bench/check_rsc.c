/* Judges an RPKI Signed Checklist as a node does:
 *
 *	check_rsc FOLDER CHECKLIST FILE [TIME [ROUNDS]]
 *
 * FOLDER has the locators (*.tal), certificates (*.cer) and revocation lists (*.crl). Prints the code ("ok" or that of the refusal) and
 * a tab and the reason, or until when it holds and what is held; with ROUNDS the microseconds of one judgement instead. */
#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "proof/rsc.h"

struct judged {
	struct span certificates[100], lists[100];
	size_t certificate_count, list_count;
};

static enum err read_folder(struct arena *a, const char *folder, struct judged *out)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, NULL, alphasort);
	char path[PATH_MAX];
	enum err e = count >= 0 ? OK : fail_errno("%s", folder);

	for (int i = 0; i < count; i++) {
		struct span name = span_of(names[i]->d_name);

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name);
		if (e == OK && span_ends(name, ".cer") && out->certificate_count < 100)
			e = file_read(a, path, (size_t)1 << 22, &out->certificates[out->certificate_count++]);
		if (e == OK && span_ends(name, ".crl") && out->list_count < 100)
			e = file_read(a, path, (size_t)1 << 22, &out->lists[out->list_count++]);
		free(names[i]);
	}
	free(names);
	return e;
}

static void print(const struct rsc *r)
{
	char text[PREFIX_TEXT > CLOCK_TEXT ? PREFIX_TEXT : CLOCK_TEXT];

	clock_format(r->until_ms, text);
	printf("ok\t%s", text);
	for (size_t i = 0; i < r->prefix_count; i++) {
		prefix_format(r->prefixes[i], text);
		printf(" %s", text);
	}
	for (size_t i = 0; i < r->number_count; i++)
		printf(" AS%" PRIu32 "-AS%" PRIu32, r->numbers[i].first, r->numbers[i].last);
	printf("\n");
}

static enum err judge(struct arena *a, char **words, int64_t at_ms, uint64_t rounds)
{
	struct judged j = { 0 };
	struct anchors *anchors = NULL;
	struct arena *work = arena_new((size_t)1 << 22);
	struct span checklist, file;
	struct rsc r;
	int64_t begin;
	enum err e = work != NULL ? anchors_open(words[1], &anchors) : ERR_NO_MEMORY;

	if (e == OK)
		e = read_folder(a, words[1], &j);
	if (e == OK)
		e = file_read(a, words[2], (size_t)1 << 24, &checklist);
	if (e == OK)
		e = file_read(a, words[3], (size_t)1 << 24, &file);
	begin = clock_monotonic_us();
	for (uint64_t i = 0; i < (rounds > 0 ? rounds : 1) && e == OK; i++) {
		arena_reset(work);
		e = rsc_verify(work, anchors, checklist, j.certificates, j.certificate_count, j.lists, j.list_count,
			       hash_span(file), at_ms, &r);
	}
	if (e == OK && rounds > 0)
		printf("%.1f\n", (double)(clock_monotonic_us() - begin) / (double)rounds);
	else if (e == OK)
		print(&r);
	anchors_free(anchors);
	arena_free(work);
	return e;
}

int main(int count, char **words)
{
	struct arena *a = arena_new((size_t)1 << 28);
	int64_t at_ms = clock_now_ms();
	uint64_t rounds = 0;
	enum err e;

	if (a == NULL || count < 4 || (count > 4 && clock_parse(span_of(words[4]), &at_ms) != OK) ||
	    (count > 5 && span_u64(span_of(words[5]), 1000000, &rounds) != OK)) {
		fprintf(stderr, "check_rsc FOLDER CHECKLIST FILE [TIME [ROUNDS]]\n");
		return 2;
	}
	if ((e = judge(a, words, at_ms, rounds)) != OK)
		printf("%s\t%s\n", err_code(e), err_detail());
	arena_free(a);
	return e == OK ? 0 : 1;
}
