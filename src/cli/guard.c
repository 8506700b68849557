#include "cli/guard.h"

#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/*
 * The kernel keeps a list of what is mapped where, so nobody needs to tell us: a line of /proc/self/maps is
 *
 *	7f73824b3000-7f73824d9000 r--p 00000000 00:2a 1234	/srv/node/views/data.mdb
 *
 * Within a handler only plain system calls may be made, and no memory is taken.
 */

static char line[8192];
static const char *suspect;

static void say(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n;
}

static const char *read_hex(const char *p, uintptr_t *out)
{
	*out = 0;
	for (;; p++) {
		if (*p >= '0' && *p <= '9')
			*out = *out << 4 | (uintptr_t)(*p - '0');
		else if (*p >= 'a' && *p <= 'f')
			*out = *out << 4 | (uintptr_t)(*p - 'a' + 10);
		else
			return p;
	}
}

/* The path in this line, if the address lies inside; not of a program or library. */
static const char *file_at(const char *text, uintptr_t address)
{
	uintptr_t from, to;
	const char *p = read_hex(text, &from);

	if (*p != '-')
		return NULL;
	p = read_hex(p + 1, &to);
	if (address < from || address >= to || strlen(p) < 5 || p[3] == 'x')
		return NULL;
	p = strchr(p, '/');
	return p != NULL && strstr(p, ".so") == NULL ? p : NULL;
}

static const char *find(uintptr_t address)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	const char *found = NULL;
	size_t len = 0;
	char c;

	while (fd != -1 && found == NULL && read(fd, &c, 1) == 1) {
		if (c != '\n') {
			if (len + 1 < sizeof(line))
				line[len++] = c;
			continue;
		}
		line[len] = '\0';
		found = file_at(line, address);
		len = 0;
	}
	if (fd != -1)
		close(fd);
	return found;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
	const char *path = find((uintptr_t)info->si_addr);

	(void)context;
	if (path != NULL) {
		say("comity: damaged: ");
		say(path);
		say("\n  This file is damaged, or was cut while it was in use. A territory table is built again by "
		    "`comity "
		    "territory update`;\n  of the views remove the folder, and the next command that writes makes it "
		    "anew.\n");
		_exit(EXIT_DIFFERS);
	}
	if (suspect != NULL) {
		say("comity: damaged: ");
		say(suspect);
		say("\n  Reading it led astray. Remove that folder, and the next command that writes makes it anew; if "
		    "it "
		    "happens again, it is a fault of the program.\n");
		_exit(EXIT_DIFFERS);
	}
	say("comity: a fault of the program, or a damaged file that it did not find: run `comity ledger audit`\n");
	signal(number, SIG_DFL); /* and it happens again */
}

void guard_suspect(const char *folder)
{
	suspect = folder;
}

void guard(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigemptyset(&action.sa_mask);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
}
