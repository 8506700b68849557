"""Many who follow the statements of a node from now on, in one process: `followers.py PORT COUNT AUTHORIZATION`.

Prints `ready SECONDS` when all are connected, then `reached COUNT FIRST LAST` (CLOCK_MONOTONIC) when each has one event,
or when a minute brought no more. Ends with its standard input.
"""
import select
import socket
import sys
import time


def connect(port, request):
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(request)
    s.setblocking(False)
    return s


def wait_for(poll, sockets, word, patience):
    """{descriptor: when it had the word}. A connection that ended counts for nothing."""
    seen, held = {}, {}
    while len(seen) < len(sockets):
        ready = poll.poll(patience)
        if not ready:
            return seen
        now = time.monotonic()
        for fd, _ in ready:
            try:
                text = sockets[fd].recv(65536)
            except BlockingIOError:
                continue
            if not text:
                poll.unregister(fd)
                continue
            held[fd] = held.get(fd, b"") + text
            if word in held[fd]:
                seen.setdefault(fd, now)
    return seen


def main():
    port, count, authorization = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    request = (f"GET /statements?after={time.time_ns() // 1000} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
               f"Authorization: {authorization}\r\nAccept: text/event-stream\r\n\r\n").encode()
    begin = time.monotonic()
    poll, sockets = select.epoll(), {}
    for _ in range(count):
        s = connect(port, request)
        sockets[s.fileno()] = s
        poll.register(s, select.EPOLLIN)
    begun = wait_for(poll, sockets, b"retry:", 20000)
    if len(begun) < count:
        print(f"only {len(begun)} of {count} were let in", flush=True)
        return
    print(f"ready {time.monotonic() - begin:.3f}", flush=True)
    seen = wait_for(poll, sockets, b"event: statement", 120000)
    times = sorted(seen.values()) or [0.0]
    print(f"reached {len(seen)} {times[0]:.6f} {times[-1]:.6f}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
