"""Ports of loopback for servers that come later, or come and go. Python's own library alone: browser.py runs by itself."""
import socket

held = []


def free_port():
    """It stays bound here, with nobody listening, until the program ends: so the system gives it to no one else, and a server that
    says SO_REUSEADDR, as all of these do, still gets it."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", 0))
    held.append(s)
    return s.getsockname()[1]
