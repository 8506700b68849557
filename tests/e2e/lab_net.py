"""Network namespaces on one wire: hosts with a veth pair each, joined in a router namespace that delays and loses packets.

Where the kernel has them, a bridge and tc's netem do that. Elsewhere this file does it itself, run as a program in the router
namespace: a switch in user space that takes Ethernet frames off one port and puts them on another later, or never. Which packets
are lost is drawn from a fixed seed.

Names carry the process id. What a killed run left behind is removed when the next one starts."""
import array
import collections
import ctypes
import fcntl
import heapq
import os
import pathlib
import random
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

PREFIX = "comity-lab-"
ETC = pathlib.Path("/etc/netns")
NET = "10.77.0."
DELAY_MS, LOSS_PERCENT, SEED = 20, 2, 7


def missing():
    """Why there can be no such network here; None: there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if not shutil.which("ip"):
        return "ip is not installed (Debian's package iproute2)"
    name = f"{PREFIX}{os.getpid()}-probe"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    if made.returncode != 0:
        return f"network namespaces cannot be made here: {made.stderr.strip()}"
    veth = subprocess.run(["ip", "-n", name, "link", "add", "p0", "type", "veth", "peer", "name", "p1"], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", name], check=True)
    return None if veth.returncode == 0 else f"veth pairs cannot be made here: {veth.stderr.strip()}"


def ip(*words):
    subprocess.run(["ip", *map(str, words)], check=True, capture_output=True, text=True)


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def remove(name):
    """A namespace of ours, with all that runs in it."""
    running = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout.split()
    for pid in running:
        try:
            os.kill(int(pid), signal.SIGKILL)
        except ProcessLookupError:
            pass
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    shutil.rmtree(ETC / name, ignore_errors=True)


def sweep():
    """What runs left that are no more."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout.splitlines()
    names = {line.split()[0] for line in listed if line.startswith(PREFIX)}
    if ETC.is_dir():
        names |= {path.name for path in ETC.iterdir() if path.name.startswith(PREFIX)}
    for name in names:
        pid = name[len(PREFIX):].split("-")[0]
        if pid.isdigit() and not is_alive(int(pid)):
            remove(name)


def die_with_parent():
    """For a child before its exec: it ends when this program does, however that ends."""
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)


class Host:
    def __init__(self, name, number):
        self.name, self.space = name, f"{PREFIX}{os.getpid()}-{name}"
        self.address = f"{NET}{number}"

    def words(self, *words):
        return ["ip", "netns", "exec", self.space, *map(str, words)]

    def run(self, *words, **more):
        return subprocess.run(self.words(*words), **more)

    def start(self, *words, **more):
        return subprocess.Popen(self.words(*words), preexec_fn=die_with_parent, **more)


class Lab:
    """Lab({"a": ["a.example"], …}): a host for each key, and its names, which all hosts know."""

    def __init__(self, hosts, delay_ms=DELAY_MS, loss_percent=LOSS_PERCENT):
        self.hosts, self.switch = {}, None
        self.router = f"{PREFIX}{os.getpid()}-r"
        try:
            self.make(hosts, delay_ms, loss_percent)
        except BaseException:
            self.close()
            raise

    def make(self, hosts, delay_ms, loss_percent):
        sweep()
        self.namespace(self.router)
        for number, name in enumerate(hosts, 1):
            host = self.hosts[name] = Host(name, number)
            self.namespace(host.space)
            ip("-n", self.router, "link", "add", f"v-{name}", "type", "veth", "peer", "name", "eth0", "netns", host.space)
            ip("-n", host.space, "addr", "add", host.address + "/24", "dev", "eth0")
            ip("-n", host.space, "link", "set", "eth0", "up")
            ip("-n", self.router, "link", "set", f"v-{name}", "up")
        table = "127.0.0.1 localhost\n" + "".join(f"{self.hosts[h].address} {' '.join(names)}\n" for h, names in hosts.items() if names)
        for host in self.hosts.values():
            folder = ETC / host.space
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "hosts").write_text(table)
            (folder / "resolv.conf").write_text("")
            # Names come from the file alone.
            (folder / "nsswitch.conf").write_text("hosts: files\n")
        self.how = self.by_kernel(delay_ms, loss_percent) or self.by_hand(delay_ms, loss_percent)

    @staticmethod
    def namespace(name):
        ip("netns", "add", name)
        ip("-n", name, "link", "set", "lo", "up")

    def by_kernel(self, delay_ms, loss_percent):
        ports = [f"v-{name}" for name in self.hosts]
        try:
            for port in ports:
                subprocess.run(["tc", "-n", self.router, "qdisc", "add", "dev", port, "root", "netem", "delay", f"{delay_ms}ms",
                                "loss", f"{loss_percent}%"], check=True, capture_output=True)
            ip("-n", self.router, "link", "add", "br0", "type", "bridge")
            for port in ports:
                ip("-n", self.router, "link", "set", port, "master", "br0")
            ip("-n", self.router, "link", "set", "br0", "up")
        except (OSError, subprocess.CalledProcessError):
            return None
        return "netem"

    def by_hand(self, delay_ms, loss_percent):
        for host in self.hosts.values():  # frames must be whole and have their checksums, as on a wire
            host.run(sys.executable, __file__, "plain", "eth0", check=True)
        self.switch = subprocess.Popen(
            ["ip", "netns", "exec", self.router, sys.executable, __file__, "switch", str(delay_ms), str(loss_percent), str(SEED),
             *(f"v-{name}" for name in self.hosts)], preexec_fn=die_with_parent, stdout=subprocess.PIPE, text=True)
        assert self.switch.stdout.readline() == "ready\n", "the switch does not start"
        return "user space"

    def counts(self):
        """Packets (passed, lost), where the switch is ours; else None."""
        if self.switch is None:
            return None
        self.switch.send_signal(signal.SIGUSR1)
        return tuple(map(int, self.switch.stdout.readline().split()))

    def close(self):
        if self.switch is not None:
            self.switch.kill()
            self.switch.wait()
            self.switch.stdout.close()
        for host in self.hosts.values():
            remove(host.space)
        remove(self.router)

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.close()


# ---- run as a program ----

SIOCETHTOOL, PACKET_OUTGOING, ETH_P_ALL = 0x8946, 4, 3
OFF = (0x15, 0x17, 0x19, 0x1f, 0x21, 0x24, 0x2c)  # rx and tx checksums, scatter-gather, TSO, UFO, GSO, GRO


def plain(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for command in OFF:
            value = array.array("B", struct.pack("II", command, 0))
            request = array.array("B", struct.pack("16sP", port.encode(), value.buffer_info()[0]) + bytes(16))
            try:
                fcntl.ioctl(s, SIOCETHTOOL, request)
            except OSError:
                pass  # a kernel that never had it


def switch(delay_ms, loss_percent, seed, ports):
    draw = random.Random(int(seed))
    sockets = {}
    for port in ports:
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        s.bind((port, 0))
        s.setblocking(False)
        sockets[s.fileno()] = s
    where, due, number, counts = {}, [], 0, collections.Counter()
    signal.signal(signal.SIGUSR1, lambda *_: print(counts["passed"], counts["lost"], flush=True))
    poll = select.epoll()
    for fd in sockets:
        poll.register(fd, select.EPOLLIN)
    print("ready", flush=True)
    while True:
        now = time.monotonic()
        while due and due[0][0] <= now:
            _, _, target, frame = heapq.heappop(due)
            try:
                sockets[target].send(frame)
            except OSError:
                pass  # its queue is full, or the port went down: lost, as on a wire
        for fd, _ in poll.poll(max(0, due[0][0] - time.monotonic()) if due else 1):
            for _ in range(64):
                try:
                    frame, (_, _, kind, _, _) = sockets[fd].recvfrom(65536)
                except OSError:
                    break
                if kind == PACKET_OUTGOING:
                    continue
                where[frame[6:12]] = fd
                if draw.random() * 100 < float(loss_percent):
                    counts["lost"] += 1
                    continue
                counts["passed"] += 1
                known = where.get(frame[:6])
                for target in ([known] if known is not None else sockets):
                    if target != fd:
                        number += 1
                        heapq.heappush(due, (time.monotonic() + float(delay_ms) / 1000, number, target, frame))


if __name__ == "__main__":
    if sys.argv[1] == "plain":
        plain(sys.argv[2])
    else:
        switch(*sys.argv[2:5], sys.argv[5:])
