#!/usr/bin/env python3
"""The ways out: from an event that is stored to WebSocket clients, what an idle client costs, and deliveries of webhooks a second."""

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BENCH))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from daemon import Daemon  # noqa: E402
from figures import report  # noqa: E402
from postgres import Postgres  # noqa: E402
from switch import ROOT  # noqa: E402

BINARIES = Path(os.environ["NIZAM_BIN_DIR"])
HOME = Path(os.environ["BENCH_DIR"]) / "streams"
CLIENTS = [int(count) for count in os.environ.get("BENCH_CLIENTS", "1,5000").split(",")]
RATE = int(os.environ.get("BENCH_RATE", "2"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "60"))
DELIVERIES = int(os.environ.get("BENCH_DELIVERIES", "20000"))
KEY = "bench"


def memory(process):
    """KiB that are a process' own."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text()).group(1))


def latencies(server, file):
    """Milliseconds from the commit of an event to each of its frames."""
    rows = server.rows("streams", "SELECT sequence, extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000 FROM call_events")
    stored = {int(sequence): float(at) for sequence, at in rows}
    times = []
    for line in file.read_text().splitlines():
        sequence, at = line.split()
        times.append((int(at) - stored[int(sequence)]) / 1000)
    return times


def listeners():
    """Clients of one tenant, on PostgreSQL: it says when something was committed."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Postgres(HOME / "postgres", ["-c", "track_commit_timestamp=on"]))
        url = server.database("streams")
        # All of them come from one address.
        os.environ.update(NIZAM_BROADCAST_KEY=KEY, NIZAM_CONNECTIONS_PER_ADDRESS=str(2 * max(CLIENTS)))
        daemon = Daemon(10, url=url, home=HOME / "nizamd")
        stack.callback(daemon.stop)
        tenant = daemon.request("GET", "/tenants")[1]["data"][0]
        for count in CLIENTS:
            before = memory(daemon.process)
            out = HOME / f"frames-{count}"
            command = [BINARIES / "examples/listeners", f"127.0.0.1:{daemon.port}", KEY, daemon.token, tenant["id"], daemon.domain,
                       daemon.home / "nizam.sock", count, RATE, SECONDS, out]
            clients = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            stack.callback(clients.kill)
            if clients.stdout.readline().strip() != "ready":
                raise RuntimeError("the clients are not there")
            time.sleep(2)  # what the handshakes left
            each = (memory(daemon.process) - before) / count
            if count > 1:
                report(f"streams.memory_per_client.{count}", f"{each:.1f}", "KiB", "<=64", each <= 64)
            clients.stdin.write("\n")
            clients.stdin.flush()
            said = clients.communicate(timeout=SECONDS + 120)[0]
            missing = int(re.search(r"(\d+) frames missing", said).group(1))
            times = latencies(server, out)
            out.unlink()
            cuts = statistics.quantiles(times, n=100)
            report(f"streams.websocket.{count}.p50", f"{cuts[49]:.1f}", "ms")
            report(f"streams.websocket.{count}.p99", f"{cuts[98]:.1f}", "ms", "<=100", cuts[98] <= 100)
            report(f"streams.websocket.{count}.missing", missing, "frames", "=0", missing == 0)
            report(f"streams.memory.{count}", f"{memory(daemon.process) / 1024:.1f}", "MiB")


def deliveries():
    """Webhooks to a receiver on this machine."""
    with contextlib.ExitStack() as stack:
        urls = {"sqlite": f"sqlite:{HOME}/deliveries.db"}
        if Postgres.installed():
            server = stack.enter_context(Postgres(HOME / "postgres-deliveries"))
            urls["postgres"] = server.database("deliveries")
        for database, url in urls.items():
            ended = subprocess.run([BINARIES / "examples/deliveries", url, str(DELIVERIES)], capture_output=True, text=True, check=False)
            if ended.returncode:
                raise RuntimeError(ended.stdout + ended.stderr[-2000:])
            rate = float(re.search(r"deliveries_per_second ([\d.]+)", ended.stdout).group(1))
            report(f"streams.deliveries.{database}", f"{rate:.0f}", "deliveries/s", ">=2000", rate >= 2000)


def main():
    HOME.mkdir(parents=True)
    examples = [word for name in ("fill", "listeners", "deliveries") for word in ("--example", name)]
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "nizamd", *examples], check=True, cwd=ROOT)
    deliveries()
    if Postgres.installed():
        listeners()
    else:
        print("no postgres (apt-get install postgresql): when an event is stored is not known", file=sys.stderr)


if __name__ == "__main__":
    main()
