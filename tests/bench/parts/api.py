#!/usr/bin/env python3
"""The REST API against a bare warp handler that returns the same bytes, on both databases; and a large import."""

import contextlib
import http.client
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from daemon import BINARIES, Daemon  # noqa: E402
from figures import report  # noqa: E402
from postgres import Postgres  # noqa: E402
from stopwatch import module  # noqa: E402
from switch import PREFIX, ROOT, Switch, free_port  # noqa: E402

HOME = Path(os.environ["BENCH_DIR"]) / "api"
SIZES = [int(size) for size in os.environ.get("BENCH_API_SIZES", "10,1000000").split(",")]
SECONDS = int(os.environ.get("BENCH_API_SECONDS", "1"))
# Many short ones in turns: what else the machine does then hits both alike.
ROUNDS = 11
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


def addresses(daemon):
    """Paths of many rows and pages, of up to a hundred tenants."""
    rows, pages = [], []
    for tenant in daemon.request("GET", "/tenants?per_page=100")[1]["data"]:
        extensions = f"/tenants/{tenant['id']}/extensions"
        answer = daemon.request("GET", f"{extensions}?per_page=100")[1]
        rows += [f"{extensions}/{row['id']}?" for row in answer["data"]]
        pages += [f"{extensions}?per_page=15&page={n + 1}&" for n in range(-(-answer["meta"]["total"] // 15))]
    return {"one": rows, "page": pages}


def never_again(home, daemon, name, paths):
    """A script for wrk that asks for one of them after the other, and never twice in the same words: no answer that was
    kept serves any of its requests."""
    random.Random(1).shuffle(paths)
    (home / f"{name}.paths").write_text("\n".join(paths))
    script = home / f"{name}.lua"
    script.write_text(f'''
local paths, n = {{}}, 0
for path in io.lines("{home}/{name}.paths") do paths[#paths + 1] = "/api/v1" .. path .. "n=" end
local start = os.time() .. "."
wrk.headers["Authorization"] = "Bearer {daemon.token}"
request = function()
  n = n + 1
  return wrk.format("GET", paths[n % #paths + 1] .. start .. n)
end
''')
    return str(script)


class Subject:
    """A daemon, and a bare handler that answers with the same bytes."""

    def __init__(self, daemon, stack):
        self.daemon = daemon
        self.base = f"http://127.0.0.1:{daemon.port}/api/v1"
        self.extensions = daemon.path.rsplit("/", 1)[0]
        self.paths = {"one": daemon.path, "page": f"{self.extensions}?per_page=15"}
        bodies = [body_of(daemon, path) for path in self.paths.values()]
        self.plain = stack.enter_context(bare(daemon.home, bodies))
        others = addresses(daemon)
        self.scripts = {name: never_again(daemon.home, daemon, name, others[name]) for name in self.paths}
        self.figures = {}

    def note(self, kind, figure):
        """Requests a second, and the 99th percentile, of one turn."""
        self.figures.setdefault(kind, []).append(figure)

    def rate(self, kind):
        return statistics.median(rate for rate, _ in self.figures[kind])

    def p99(self, kind):
        return statistics.median(p99 for _, p99 in self.figures[kind])

    def read(self, name):
        """One turn of reads: the bare handler, the same question again and again, and questions that are all different."""
        number = list(self.paths).index(name)
        self.note(f"bare_{name}", wrk(f"{self.plain}/{number}"))
        self.note(f"get_{name}", wrk(self.base + self.paths[name], self.daemon.token))
        self.note(f"get_{name}.never_kept", wrk(self.base, script=self.scripts[name]))

    def post(self, turn):
        """One turn of writes."""
        script = post_script(self.daemon.home, self.daemon, f"post-{turn}")
        self.note("post", wrk(self.base + self.extensions, script=script))


def measure(daemons, database):
    """Reads and writes, the sizes in turns."""
    with contextlib.ExitStack() as stack:
        subjects = {size: Subject(daemon, stack) for size, daemon in daemons.items()}
        for name in ("one", "page"):
            for _ in range(ROUNDS):
                for subject in subjects.values():
                    subject.read(name)
        for turn in range(ROUNDS):
            for subject in subjects.values():
                subject.post(turn)
    for size, subject in subjects.items():
        label = f"api.{database}.{size}"
        for name, least in (("one", 0.4), ("page", 0.3)):
            report(f"{label}.bare_{name}", f"{subject.rate(f'bare_{name}'):.0f}", "requests/s")
            for kind, target in ((f"get_{name}", least), (f"get_{name}.never_kept", None)):
                ratio = subject.rate(kind) / subject.rate(f"bare_{name}")
                good = None if target is None else ratio >= target
                report(f"{label}.{kind}", f"{subject.rate(kind):.0f}", "requests/s")
                report(f"{label}.{kind}.p99", f"{subject.p99(kind):.2f}", "ms")
                report(f"{label}.{kind}/bare", f"{ratio:.2f}", "ratio", target and f">={target}", good)
        report(f"{label}.post", f"{subject.rate('post'):.0f}", "requests/s")
        report(f"{label}.post.p99", f"{subject.p99('post'):.2f}", "ms")
    spread(subjects, database)


def spread(subjects, database):
    """How much the size of the database matters."""
    least, most = min(subjects), max(subjects)
    if least == most:
        return
    for kind in ("get_one", "get_one.never_kept", "get_page", "get_page.never_kept", "post"):
        rates = [subject.rate(kind) for subject in subjects.values()]
        ratio = max(rates) / min(rates)
        # A page of 10 extensions has 10 rows, and one of more has 15.
        good = None if kind == "get_page.never_kept" else ratio <= 1.5
        target = None if good is None else "<=1.5"
        report(f"api.{database}.{kind}.spread.{most}/{least}", f"{ratio:.2f}", "ratio", target, good)


def large_import():
    """Many extensions through the API, live in the module when it returns."""
    daemon = Daemon(10, home=HOME / "import")
    try:
        tenant = daemon.request("POST", "/tenants", {"name": "import", "domain": "import.test"})[1]["data"]
        variables = [("nizam_snapshot", daemon.home / "none"), ("nizam_socket", daemon.home / "nizam.sock")]
        with Switch(HOME / "switch", [module(HOME)], variables=variables) as switch:
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
    for database in ("sqlite", "postgres"):
        with contextlib.ExitStack() as stack:
            server = None
            if database == "postgres":
                if not Postgres.installed():
                    print("no postgres (apt-get install postgresql): not measured", file=sys.stderr)
                    continue
                server = stack.enter_context(Postgres(HOME / "postgres"))
            daemons = {}
            for size in SIZES:
                url = server.database(f"bench{size}") if server else None
                daemons[size] = Daemon(size, url=url, home=HOME / f"{database}-{size}")
                stack.callback(daemons[size].stop)
            measure(daemons, database)
    if PREFIX.exists():
        large_import()
    else:
        print("no FreeSWITCH: the import is not measured", file=sys.stderr)


if __name__ == "__main__":
    main()
