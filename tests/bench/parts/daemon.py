#!/usr/bin/env python3
"""nizamd and mod_nizam together: resolve alone, size of an image, cold start, commit to live."""

import base64
import contextlib
import http.client
import json
import os
import re
import secrets
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from figures import report  # noqa: E402
from stopwatch import module, stopwatch  # noqa: E402
from switch import PREFIX, ROOT, Switch, free_port  # noqa: E402

BINARIES = Path(os.environ["NIZAM_BIN_DIR"])
HOME = Path(os.environ["BENCH_DIR"]) / "daemon"
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10,100000,1000000").split(",")]
LOOKUPS = int(os.environ.get("BENCH_LOOKUPS", "200000"))
EDITS = int(os.environ.get("BENCH_EDITS", "600"))
ROUNDS = 3


class Daemon:
    """nizamd with a database of its own."""

    def __init__(self, size, url=None, home=None):
        self.size = size
        self.home = home or HOME / f"nizamd-{size}"
        self.home.mkdir(parents=True)
        self.port = free_port()
        key = "base64:" + base64.b64encode(secrets.token_bytes(32)).decode()
        url = url or f"sqlite:{self.home}/nizam.db"
        fill = BINARIES / "examples/fill"
        started = time.monotonic()
        subprocess.run([fill, url, key, str(size)], check=True)
        print(f"{size} extensions inserted in {time.monotonic() - started:.1f} s", file=sys.stderr)
        self.environment = dict(
            os.environ, NIZAM_STATE_DIR=str(self.home), NIZAM_DATABASE_URL=url, NIZAM_APP_KEY=key,
            NIZAM_SOCKET=str(self.home / "nizam.sock"), NIZAM_LISTEN=f"127.0.0.1:{self.port}",
            # Requests are counted, as they are elsewhere, and never too many.
            NIZAM_RATE_LIMIT=str(2**32 - 1),
        )
        admin = subprocess.run(
            [BINARIES / "nizamd", "admin", "create", "--email", "bench@example.com", "--password", secrets.token_hex(16)],
            check=True, capture_output=True, text=True, env=self.environment,
        )
        self.token = re.search(r"\d+\|\w+", admin.stdout).group()
        self.start()
        tenant = self.request("GET", "/tenants")[1]["data"][0]
        extension = self.request("GET", f"/tenants/{tenant['id']}/extensions")[1]["data"][0]
        self.path = f"/tenants/{tenant['id']}/extensions/{extension['id']}"
        self.domain, self.number = tenant["domain"], extension["extension"]
        self.body = {name: extension[name] for name in ("extension", "directory_first_name", "directory_last_name")}

    def start(self):
        """Starts it, and waits until it answers."""
        started = time.monotonic()
        # Every write is a line in it.
        with open(self.home / "log", "a") as log:
            self.process = subprocess.Popen([BINARIES / "nizamd", "serve"], env=self.environment, stderr=log)
        while True:
            with contextlib.suppress(OSError):
                if self.request("GET", "/health")[0] == 200:
                    break
            if self.process.poll() is not None or time.monotonic() - started > 120:
                raise RuntimeError("nizamd does not start: " + (self.home / "log").read_text())
            time.sleep(0.05)
        self.start_seconds = time.monotonic() - started

    def request(self, method, path, body=None, connection=None):
        """One request; status, body, headers."""
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        own.request(method, "/api/v1" + path, json.dumps(body) if body else None, headers)
        answer = own.getresponse()
        text = answer.read()
        if connection is None:
            own.close()
        return answer.status, json.loads(text) if text else None, answer.headers

    def edit(self, connection=None):
        """One edit; milliseconds from commit to live, and of the whole request."""
        started = time.monotonic()
        body = dict(self.body, password=secrets.token_hex(10))
        status, answer, headers = self.request("PUT", self.path, body, connection)
        whole = (time.monotonic() - started) * 1000
        if status != 200 or headers.get("X-Nizam-Live") == "no":
            raise RuntimeError(f"an edit was answered with {status}: {answer} {headers}")
        return float(re.search(r"live;dur=([\d.]+)", headers["Server-Timing"]).group(1)), whole

    def stop(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


def resolve(switch):
    """p50 and p99 of the lookup alone, in nanoseconds, by section."""
    answer = switch.ok(f"nizam bench {LOOKUPS}")
    return {
        name: (int(p50), int(p99)) for name, p50, p99 in re.findall(r"^(\w+) p50=(\d+)ns p99=(\d+)ns", answer, re.M)
    }


@contextlib.contextmanager
def publishing(daemon):
    """Edits one after the other for as long as the block runs."""
    stop, edits = threading.Event(), []

    def edit():
        connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60)
        while not stop.is_set():
            daemon.edit(connection)
            edits.append(1)

    thread = threading.Thread(target=edit)
    thread.start()
    try:
        yield edits
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def stopped(daemon):
    """SIGSTOP for as long as the block runs."""
    daemon.process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        daemon.process.send_signal(signal.SIGCONT)


def part_resolve(daemon, switch):
    """The lookup alone with nizamd idle, publishing without a pause, and stopped."""
    figures = {"idle": [], "publishing": [], "stopped": []}
    for _ in range(ROUNDS):
        figures["idle"].append(resolve(switch))
        with publishing(daemon) as edits:
            figures["publishing"].append(resolve(switch))
        with stopped(daemon):
            figures["stopped"].append(resolve(switch))
    print(f"{len(edits)} edits while {LOOKUPS} lookups of each kind were measured", file=sys.stderr)
    medians = {}
    for state, rounds in figures.items():
        for section in ("directory", "dialplan"):
            for place, label in ((0, "p50"), (1, "p99")):
                value = statistics.median(one[section][place] for one in rounds)
                medians[state, section, label] = value
                good = value <= 1000 if (section, label) == ("directory", "p50") else None
                target = "<=1000" if good is not None else None
                report(f"resolve.{section}.{daemon.size}.{state}.{label}", int(value), "ns", target, good)
    for state in ("publishing", "stopped"):
        ratio = medians[state, "directory", "p50"] / medians["idle", "directory", "p50"]
        report(f"resolve.directory.{daemon.size}.{state}/idle", f"{ratio:.3f}", "ratio", "0.8..1.25", 0.8 <= ratio <= 1.25)


def part_size(daemon, switch):
    """Bytes of image for one extension."""
    status = json.loads(switch.api("nizam status json"))
    base = status["images"][-1]
    each = base["bytes"] / daemon.size
    report(f"image.bytes_per_extension.{daemon.size}", f"{each:.1f}", "bytes", "<=400", each <= 400)
    pages = Path(f"/proc/{daemon.process.pid}/status").read_text()
    resident = int(re.search(r"RssAnon:\s+(\d+)", pages).group(1)) / 1024
    report(f"nizamd.anonymous_memory.{daemon.size}", f"{resident:.1f}", "MB")
    report(f"nizamd.start.{daemon.size}", f"{daemon.start_seconds:.2f}", "s")


def part_cold(daemon, bench, tested):
    """From loading the module, without nizamd, to the first answer."""
    variables = [("nizam_snapshot", daemon.home / "snapshot"), ("nizam_socket", HOME / "none.sock")]
    seconds = []
    for turn in range(ROUNDS):
        with Switch(HOME / f"cold-{daemon.size}-{turn}", [bench], variables=variables) as switch:
            shutil.copy(tested, switch.home / "mod" / "mod_nizam.so")
            with contextlib.suppress(OSError):
                # From the disk itself, where we may ask for that.
                Path("/proc/sys/vm/drop_caches").write_text("3")
            started = time.monotonic()
            switch.ok("load mod_nizam")
            answer = switch.ok(f"nizambench locate id {daemon.number} {daemon.domain} 1 action=sip_auth")
            seconds.append(time.monotonic() - started)
            if "found=1" not in answer:
                raise RuntimeError(f"not found after a cold start: {answer}")
    value = statistics.median(seconds)
    report(f"cold_start.{daemon.size}", f"{value:.3f}", "s", "<=3", value <= 3)


def part_commit(daemons):
    """From the commit of one edit to the moment at which the switch answers with it; sizes in turns."""
    times, whole = {size: [] for size in daemons}, {size: [] for size in daemons}
    connections = {
        size: http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=60) for size, daemon in daemons.items()
    }
    for turn in range(EDITS):
        for size, daemon in daemons.items():
            live, request = daemon.edit(connections[size])
            if turn >= 20:  # the first ones warm up
                times[size].append(live)
                whole[size].append(request)
    p99, p50 = {}, {}
    for size in daemons:
        cuts = statistics.quantiles(times[size], n=100)
        p50[size], p99[size] = cuts[49], cuts[98]
        report(f"commit_to_live.{size}.p50", f"{p50[size]:.3f}", "ms")
        report(f"commit_to_live.{size}.p99", f"{p99[size]:.3f}", "ms", "<=5", p99[size] <= 5)
        report(f"rest_write.{size}.p50", f"{statistics.median(whole[size]):.3f}", "ms")
    least, most = min(daemons), max(daemons)
    ratio = p50[most] / p50[least]
    report(f"commit_to_live.{most}/{least}.p50", f"{ratio:.3f}", "ratio", "<=1.5", ratio <= 1.5)
    ratio = p99[most] / p99[least]
    report(f"commit_to_live.{most}/{least}.p99", f"{ratio:.3f}", "ratio", "<=1.5", ratio <= 1.5)


def main():
    if not PREFIX.exists():
        print("no FreeSWITCH: nothing to measure here", file=sys.stderr)
        return
    HOME.mkdir(parents=True)
    subprocess.run(
        ["cargo", "build", "--quiet", "--release", "-p", "nizamd", "--example", "fill"], check=True, cwd=ROOT
    )
    bench, tested = stopwatch(HOME), module(HOME)
    with contextlib.ExitStack() as stack:
        daemons = {}
        for size in SIZES:
            daemons[size] = Daemon(size)
            stack.callback(daemons[size].stop)
        for daemon in daemons.values():
            part_cold(daemon, bench, tested)
        for daemon in daemons.values():
            variables = [("nizam_snapshot", daemon.home / "none"), ("nizam_socket", daemon.home / "nizam.sock")]
            switch = stack.enter_context(
                Switch(HOME / f"switch-{daemon.size}", [bench, tested], variables=variables)
            )
            end = time.monotonic() + 60
            while not switch.api(f"nizam lookup directory {daemon.number}@{daemon.domain}").startswith("+OK found"):
                if time.monotonic() > end:
                    raise TimeoutError("the first images do not arrive")
                time.sleep(0.05)
            part_size(daemon, switch)
            part_resolve(daemon, switch)
        part_commit({size: daemons[size] for size in {min(SIZES), max(SIZES)}})


if __name__ == "__main__":
    main()
