#!/usr/bin/env python3
"""Times IntelMQ's whole chain on the rows of a Shadowserver file: `bench/peer_intelmq.py FILE.csv ROWS`.

File collector, Shadowserver parser, deduplicator, taxonomy, file output: each a process of its own with Redis between
them (without persistence), as its installation runs them. IntelMQ comes from PyPI into build/intelmq. Prints the rate
from the first event written to the last (its start-up is left out), on a line `intelmq N events/s`. Exits with 77, saying why, where
IntelMQ or Redis cannot be had.
"""
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / "build" / "intelmq"
LIMIT = 600  # seconds

# The report's columns in IntelMQ's own words, in the form of the schema that it otherwise downloads.
TYPE = "event4_honeypot_brute_force"
SCHEMA = {TYPE: {
    "feed_name": "Brute force", "file_name": TYPE, "date_created": "2026-01-01", "change_log": [],
    "constant_fields": {"classification.identifier": "brute-force", "classification.taxonomy": "intrusion-attempts",
                        "classification.type": "brute-force"},
    "required_fields": [["time.source", "timestamp", "add_UTC_to_timestamp"], ["source.ip", "src_ip", "validate_ip"],
                        ["source.port", "src_port", "convert_int"]],
    "optional_fields": [["protocol.transport", "protocol"], ["source.asn", "src_asn", "invalidate_zero"],
                        ["source.geolocation.cc", "src_geo"], ["source.geolocation.region", "src_region"],
                        ["source.geolocation.city", "src_city"], ["destination.ip", "dst_ip", "validate_ip"],
                        ["destination.port", "dst_port", "convert_int"], ["destination.asn", "dst_asn", "invalidate_zero"],
                        ["protocol.application", "application"]]
                       + [["extra.", name] for name in ("tag", "infection", "family", "version", "event_id", "service",
                                                        "start_time", "end_time", "client_version", "username")]}}


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def install():
    if not (VENV / "bin/intelmqctl").exists():
        print("installing IntelMQ from PyPI into build/intelmq", file=sys.stderr)
        made = subprocess.run([sys.executable, "-m", "venv", VENV]).returncode == 0 and \
            subprocess.run([VENV / "bin/pip", "install", "-q", "intelmq>=3,<4"]).returncode == 0
        if not made:
            shutil.rmtree(VENV, ignore_errors=True)
            skip("IntelMQ cannot be installed from PyPI")
    if shutil.which("redis-server") is None:
        skip("redis-server is absent (apt-get install redis-server)")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def bot(name, module, group, follower, **parameters):
    if follower:
        parameters["destination_queues"] = {"_default": [f"{follower}-queue"]}
    return {name: {"bot_id": name, "name": name, "group": group, "module": f"intelmq.bots.{module}", "enabled": True,
                   "run_mode": "continuous", "parameters": parameters}}


def configure(home, port, inbox, events):
    for folder in ("etc", "var/log", "var/run", "var/lib/bots"):
        (home / folder).mkdir(parents=True)
    redis = {"redis_cache_host": "127.0.0.1", "redis_cache_port": port, "redis_cache_db": 6, "redis_cache_ttl": 86400}
    runtime = {"global": {"source_pipeline_broker": "redis", "destination_pipeline_broker": "redis",
                          "source_pipeline_host": "127.0.0.1", "source_pipeline_port": port,
                          "destination_pipeline_host": "127.0.0.1", "destination_pipeline_port": port,
                          "logging_level": "WARNING", "logging_path": str(home / "var/log"), "rate_limit": 0,
                          "statistics_host": "127.0.0.1", "statistics_port": port}}
    runtime |= bot("collector", "collectors.file.collector_file", "Collector", "parser", path=str(inbox), postfix=".csv",
                   delete_file=False, rate_limit=86400)
    runtime |= bot("parser", "parsers.shadowserver.parser", "Parser", "deduplicator", feedname="Brute force", overwrite=True)
    runtime |= bot("deduplicator", "experts.deduplicator.expert", "Expert", "taxonomy", filter_type="blacklist",
                   filter_keys="raw,time.observation", **redis)
    runtime |= bot("taxonomy", "experts.taxonomy.expert", "Expert", "output")
    runtime |= bot("output", "outputs.file.output", "Output", None, file=str(events), hierarchical_output=False)
    # JSON is YAML.
    (home / "etc/runtime.yaml").write_text(json.dumps(runtime))
    shutil.copy(next(VENV.glob("lib/python3*/site-packages/intelmq/etc/harmonization.conf")), home / "etc")
    (home / "var/lib/bots/shadowserver-schema.json").write_text(json.dumps(SCHEMA))
    return {name: entry["module"] for name, entry in runtime.items() if name != "global"}


def lines(path):
    if not path.exists():
        return 0
    with open(path, "rb") as f:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: f.read(1 << 20), b""))


def watch(path, wanted, bots):
    """Events a second between the first look that finds one and the last event."""
    began, first = time.monotonic(), None
    while time.monotonic() - began < LIMIT:
        now, there = time.monotonic(), lines(path)
        if there > 0 and first is None:
            first = now, there
        if there >= wanted and first[0] < now:
            return (there - first[1]) / (now - first[0])
        for name, process in bots.items():
            if process.poll() not in (None, 0):
                skip(f"IntelMQ's {name} ended with exit code {process.returncode}")
        time.sleep(0.2)
    skip(f"IntelMQ wrote {lines(path)} of {wanted} events in {LIMIT} s")


def main():
    source, rows = Path(sys.argv[1]), int(sys.argv[2])
    install()
    processes = []
    with tempfile.TemporaryDirectory() as work:
        home, inbox = Path(work) / "intelmq", Path(work) / "in"
        inbox.mkdir()
        with open(source) as f, open(inbox / f"{TYPE}.csv", "w") as out:
            for _ in range(rows + 1):
                out.write(f.readline())
        port = free_port()
        modules = configure(home, port, inbox, Path(work) / "events")
        try:
            processes.append(subprocess.Popen(["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                                               "--appendonly", "no"], stdout=subprocess.DEVNULL))
            time.sleep(1)
            environment = os.environ | {"INTELMQ_ROOT_DIR": str(home), "INTELMQ_SKIP_ROOT": "1"}
            bots = {}
            for name, module in modules.items():
                # As a library: its commands refuse to run as root, which a bench in a container is.
                start = f"from {module} import BOT; BOT({name!r}).start()"
                bots[name] = subprocess.Popen([VENV / "bin/python", "-c", start], env=environment, cwd=home,
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                processes.append(bots[name])
            rate = watch(Path(work) / "events", rows, bots)
        finally:
            for process in reversed(processes):
                process.send_signal(signal.SIGTERM)
            for process in processes:
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
    print(f"intelmq {rate:.0f} events/s")


if __name__ == "__main__":
    main()
