#!/usr/bin/env python3
"""The REST API against a bare warp handler that returns the same bytes, on both databases; and a large import."""

import contextlib
import http.client
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from daemon import BINARIES, Daemon, report  # noqa: E402
from postgres import Postgres  # noqa: E402
from switch import PREFIX, ROOT, Switch, first, free_port  # noqa: E402

HOME = Path(os.environ["BENCH_DIR"]) / "api"
SIZES = [int(size) for size in os.environ.get("BENCH_API_SIZES", "10,1000000").split(",")]
SECONDS = int(os.environ.get("BENCH_API_SECONDS", "3"))
ROUNDS = 3
CONNECTIONS = 8
IMPORT = int(os.environ.get("BENCH_IMPORT", "100000"))


def wrk(url, token=None, script=None):
    """Requests a second, and the 99th percentile of latency in milliseconds."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency"]
    if token:
        command += ["-H", f"Authorization: Bearer {token}"]
    if script:
        command += ["-s", script]
    text = subprocess.run([*command, url], check=True, capture_output=True, text=True).stdout
    if re.search(r"Non-2xx", text):
        raise RuntimeError(text)
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return rate, float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


@contextlib.contextmanager
def bare(home, bodies):
    """The bare handler with these bodies; its address."""
    files = []
    for number, body in enumerate(bodies):
        files.append(home / f"body-{number}")
        files[-1].write_bytes(body)
    port = free_port()
    process = subprocess.Popen([BINARIES / "examples/bare", f"127.0.0.1:{port}", *files])
    try:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/0")
                connection.getresponse().read()
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def body_of(daemon, path):
    """The bytes of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=30)
    connection.request("GET", "/api/v1" + path, headers={"Authorization": f"Bearer {daemon.token}"})
    answer = connection.getresponse()
    return answer.read()


def post_script(home, daemon, name):
    """A script for wrk that makes extensions with numbers that nobody has."""
    script = home / f"{name}.lua"
    script.write_text(f'''
local n = 0
local start = os.time() % 100000
request = function()
  n = n + 1
  local body = string.format('{{"extension":"9%05d%07d","password":"kx9TqLw2ZrB7vNsE","directory_first_name":"Amina","directory_last_name":"Yilmaz"}}', start, n)
  return wrk.format("POST", nil, {{["Authorization"]="Bearer {daemon.token}", ["Content-Type"]="application/json"}}, body)
end
''')
    return str(script)


def every_other(home, daemon, path):
    """A script for wrk whose requests are all different, so that no kept answer serves one."""
    script = home / "different.lua"
    script.write_text(f'''
local n = 0
request = function()
  n = n + 1
  return wrk.format("GET", "/api/v1{path}?n=" .. n, {{["Authorization"]="Bearer {daemon.token}"}})
end
''')
    return str(script)


def measure(daemon, database, results):
    """Reads and writes of one daemon."""
    base = f"http://127.0.0.1:{daemon.port}/api/v1"
    extensions = daemon.path.rsplit("/", 1)[0]
    paths = {"one": daemon.path, "page": f"{extensions}?per_page=15"}
    bodies = {name: body_of(daemon, path) for name, path in paths.items()}
    with bare(daemon.home, list(bodies.values())) as plain:
        for number, (name, path) in enumerate(paths.items()):
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(wrk(f"{plain}/{number}")[0])
                ours.append(wrk(base + path, daemon.token))
            rate = statistics.median(rate for rate, _ in ours)
            ratio = rate / statistics.median(theirs)
            least = {"one": 0.4, "page": 0.3}[name]
            results[database, daemon.size, name] = rate
            label = f"api.{database}.{daemon.size}.get_{name}"
            report(f"{label}", f"{rate:.0f}", "requests/s")
            report(f"{label}.p99", f"{statistics.median(p99 for _, p99 in ours):.2f}", "ms")
            report(f"{label}/bare", f"{ratio:.2f}", "ratio", f">={least}", ratio >= least)
    rate, p99 = wrk(base, script=every_other(daemon.home, daemon, daemon.path))
    report(f"api.{database}.{daemon.size}.get_one.never_kept", f"{rate:.0f}", "requests/s")
    report(f"api.{database}.{daemon.size}.get_one.never_kept.p99", f"{p99:.2f}", "ms")
    made = [wrk(base + extensions, script=post_script(daemon.home, daemon, f"post-{n}")) for n in range(ROUNDS)]
    rate = statistics.median(rate for rate, _ in made)
    results[database, daemon.size, "post"] = rate
    report(f"api.{database}.{daemon.size}.post", f"{rate:.0f}", "requests/s")
    report(f"api.{database}.{daemon.size}.post.p99", f"{statistics.median(p99 for _, p99 in made):.2f}", "ms")


def spread(results, database):
    """How much the size of the database matters."""
    for name in ("one", "page", "post"):
        rates = [results[database, size, name] for size in SIZES if (database, size, name) in results]
        if len(rates) > 1:
            ratio = max(rates) / min(rates)
            sizes = f"{max(SIZES)}/{min(SIZES)}"
            report(f"api.{database}.{name}.spread.{sizes}", f"{ratio:.2f}", "ratio", "<=1.5", ratio <= 1.5)


def large_import():
    """Many extensions through the API, live in the module when it returns."""
    daemon = Daemon(10, home=HOME / "import")
    try:
        tenant = daemon.request("POST", "/tenants", {"name": "import", "domain": "import.test"})[1]["data"]
        module = first(BINARIES / "mod_nizam.so", BINARIES / "libmod_nizam.so")
        shutil.copy(module, HOME / "mod_nizam.so")
        variables = [("nizam_snapshot", daemon.home / "none"), ("nizam_socket", daemon.home / "nizam.sock")]
        with Switch(HOME / "switch", [HOME / "mod_nizam.so"], variables=variables) as switch:
            end = time.monotonic() + 30
            while not switch.api(f"nizam lookup directory {daemon.number}@{daemon.domain}").startswith("+OK found"):
                if time.monotonic() > end:
                    raise TimeoutError("the first images do not arrive")
                time.sleep(0.05)
            rows = [
                {"extension": str(100_000 + n), "password": "kx9TqLw2ZrB7vNsE", "directory_first_name": "Amina",
                 "directory_last_name": "Yilmaz", "voicemail_enabled": True, "voicemail_pin": "4711"}
                for n in range(IMPORT)
            ]
            started = time.monotonic()
            for begin in range(0, IMPORT, 10_000):
                part = {"extensions": rows[begin:begin + 10_000]}
                status, answer, headers = daemon.request("POST", f"/tenants/{tenant['id']}/extensions/bulk", part)
                if status != 201 or headers.get("X-Nizam-Live") == "no":
                    raise RuntimeError(f"{status} {headers} {str(answer)[:300]}")
            seconds = time.monotonic() - started
            last = switch.api(f"nizam lookup directory {rows[-1]['extension']}@import.test")
            live = last.startswith("+OK found")
        report(f"api.import.{IMPORT}", f"{seconds:.1f}", "s", "<=60", seconds <= 60 and live)
        report("api.import.live_when_answered", int(live), "bool", "1", live)
    finally:
        daemon.stop()


def main():
    if not shutil.which("wrk"):
        print("no wrk (apt-get install wrk): nothing to measure here", file=sys.stderr)
        return
    HOME.mkdir(parents=True)
    examples = ["--example", "fill", "--example", "bare"]
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "nizamd", *examples], check=True, cwd=ROOT)
    results = {}
    for database in ("sqlite", "postgres"):
        with contextlib.ExitStack() as stack:
            server = None
            if database == "postgres":
                if not Postgres.installed():
                    print("no postgres (apt-get install postgresql): not measured", file=sys.stderr)
                    continue
                server = stack.enter_context(Postgres(HOME / "postgres"))
            for size in SIZES:
                url = server.database(f"bench{size}") if server else None
                daemon = Daemon(size, url=url, home=HOME / f"{database}-{size}")
                try:
                    measure(daemon, database, results)
                finally:
                    daemon.stop()
            spread(results, database)
    if PREFIX.exists():
        large_import()
    else:
        print("no FreeSWITCH: the import is not measured", file=sys.stderr)


if __name__ == "__main__":
    main()
