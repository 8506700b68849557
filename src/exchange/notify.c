#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "exchange/server_private.h"

void notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = path != NULL ? strlen(path) : 0;
	int fd;

	if (length < 2 || length >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, length);
	if (path[0] == '@') /* an abstract one */
		to.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == -1)
		log_error(LOG_WARNING, "the service manager cannot be told", err_of_errno(errno), path);
	close(fd);
}

unsigned notify_watchdog_ms(void)
{
	const char *text = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t micros, number;

	if (text == NULL || span_u64(span_of(text), (uint64_t)86400 * 1000000, &micros) != OK)
		return 0;
	if (pid != NULL && (span_u64(span_of(pid), INT32_MAX, &number) != OK || (pid_t)number != getpid()))
		return 0;
	return (unsigned)(micros / 1000);
}
