/* `comity ledger audit --json` again and again, for a test that asks for tens of thousands: each in a process of its own,
 * but forked, without starting a program anew.
 *
 *	audits DIR	for each byte on standard input one audit; answers "STATUS OUT ERR" on a line, where STATUS is the
 *			exit code or minus the signal, then so many bytes of standard output, then of standard error */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/guard.h"

static void need(bool worked, const char *what)
{
	if (worked)
		return;
	perror(what);
	_exit(EXIT_FAILURE);
}

static void audit(const char *dir, int out, int err)
{
	struct cli c = { .dir = dir, .json = true, .line = BUFFER(64 << 20), .arena = arena_new((size_t)1 << 30) };
	int code;

	need(dup2(out, STDOUT_FILENO) != -1 && dup2(err, STDERR_FILENO) != -1 && c.arena != NULL, "audit");
	c.operands = calloc(1, sizeof(*c.operands));
	c.given = calloc(CLI_OPTIONS_MAX, sizeof(*c.given));
	guard();
	code = cmd_ledger_audit(&c);
	fflush(stdout);
	_exit(code);
}

static void pass_on(int fd, size_t n)
{
	char bytes[4096];

	for (size_t at = 0; at < n;) {
		ssize_t got = pread(fd, bytes, sizeof(bytes), (off_t)at);

		need(got > 0 && file_write_all(STDOUT_FILENO, bytes, (size_t)got) == OK, "passing on");
		at += (size_t)got;
	}
}

static void one(const char *dir)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC), status, n;
	off_t out_len, err_len;
	char line[80];
	pid_t pid = fork();

	need(out != -1 && err != -1 && pid != -1, "fork");
	if (pid == 0)
		audit(dir, out, err);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	out_len = lseek(out, 0, SEEK_END);
	err_len = lseek(err, 0, SEEK_END);
	n = snprintf(line, sizeof(line), "%d %jd %jd\n", WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
		     (intmax_t)out_len, (intmax_t)err_len);
	need(file_write_all(STDOUT_FILENO, line, (size_t)n) == OK, "answer");
	pass_on(out, (size_t)out_len);
	pass_on(err, (size_t)err_len);
	close(out);
	close(err);
}

int main(int argc, char **argv)
{
	char byte;

	need(argc == 2, "audits DIR");
	while (read(STDIN_FILENO, &byte, 1) == 1)
		one(argv[1]);
	return EXIT_SUCCESS;
}
