#!/usr/bin/env python3
"""Lists and exports of millions of CDRs, on both databases. The rows are made here."""

import contextlib
import http.client
import json
import os
import random
import sqlite3
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from daemon import BINARIES, Daemon  # noqa: E402
from figures import report  # noqa: E402
from postgres import Postgres  # noqa: E402
from switch import ROOT  # noqa: E402

HOME = Path(os.environ["BENCH_DIR"]) / "cdrs"
ROWS = int(os.environ.get("BENCH_CDRS", "1000000"))
# SQLite is no database for more.
MOST_OF_SQLITE = 1_000_000
QUESTIONS = int(os.environ.get("BENCH_QUESTIONS", "400"))
DAYS = 365
CAUSES = {"NORMAL_CLEARING": 70, "NO_ANSWER": 12, "ORIGINATOR_CANCEL": 8, "USER_BUSY": 6, "CALL_REJECTED": 3.9, "NETWORK_OUT_OF_ORDER": 0.1}
# One number has a twentieth of all calls.
BUSY = "+15550000000"

COLUMNS = (
    "id, tenant_id, uuid, caller_id_name, caller_id_number, destination_number, context, start_stamp, answer_stamp, end_stamp, "
    "duration, billsec, hangup_cause, direction, read_codec, write_codec, negotiated_codec, created_at, updated_at, call_id, leg, "
    "hangup_cause_q850, hangup_by, hangup_disposition, post_dial_delay_ms, ring_ms, talk_ms, hold_ms, mos, packet_loss, "
    "generation, switch_name, facts"
)


def cause_of(dice):
    """SQL: a cause by a number below 100."""
    edge, cases = 0, []
    for cause, share in CAUSES.items():
        edge += share
        cases.append(f"WHEN {dice} < {edge} THEN '{cause}'")
    return f"CASE {' '.join(cases)} ELSE 'NORMAL_CLEARING' END"


def values(owner, pad, start, later, uuid, tenant, facts):
    """SQL: what a row of that owner has, in the words of either database. `n` is its number, `d1` to `d3` are chances below 1."""
    caller = f"'+4930' || {pad('d1 * 300000', 6)}"
    number = f"CASE WHEN d2 < 0.05 THEN '{BUSY}' ELSE '+1555' || {pad('1 + d2 * d2 * 20000', 7)} END"
    return (
        f"{uuid}, {tenant}, 'leg-{owner}-' || n || '-7c2f5a90-1e44-4b0c', 'Somebody ' || n % 1000, {caller}, {number}, 'large.test', "
        f"{start}, {later(5)}, {later(95)}, 95, 90, {cause_of('d3 * 100')}, "
        "CASE WHEN n % 10 < 6 THEN 'inbound' WHEN n % 10 < 9 THEN 'outbound' ELSE 'local' END, 'PCMA', 'PCMA', 'PCMA', "
        f"{later(96)}, {later(96)}, 'call-' || n / 2, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END, 16, 'caller', 'recv_bye', "
        f"800, 4200, 90000, 0, 4.41, 0.2, 7, 'fs1', {facts}"
    )


def fill_postgres(server, database, tenants):
    """Rows into the months that nizamd has made, whose indexes are made behind them."""
    def run(sql):
        command = [server.installed() / "psql", "-U", "postgres", "-h", server.home, "-d", database, "-qX", "-v", "ON_ERROR_STOP=1"]
        subprocess.run([*command, "-c", sql], check=True)

    indexes = server.rows(database, "SELECT indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index "
                          "WHERE indrelid = 'call_detail_records'::regclass AND NOT indisprimary")
    for name, _ in indexes:
        run(f"DROP INDEX {name}")
    run("ALTER TABLE call_detail_records DROP CONSTRAINT call_detail_records_pkey")
    for tenant, rows in tenants.items():
        start = f"at - (n / {rows}.0) * interval '{DAYS} days'"
        text = values(
            tenant, lambda number, width: f"lpad(floor({number})::bigint::text, {width}, '0')",
            start, lambda seconds: f"{start} + interval '{seconds} seconds'", "gen_random_uuid()", f"'{tenant}'",
            "jsonb_build_object('sip_call_id', 'c' || n || '@phone.large.test')",
        )
        # Without the check of each row's tenant, which is there.
        run(f"SET session_replication_role = replica; INSERT INTO call_detail_records ({COLUMNS}) SELECT {text} FROM "
            f"(SELECT n, now() AS at, random() d1, random() d2, random() d3 FROM generate_series(0, {rows - 1}) n) AS dice")
    run("ALTER TABLE call_detail_records ADD PRIMARY KEY (id, start_stamp)")
    for _, definition in indexes:
        run(definition.replace(" ON ONLY ", " ON "))
    run("VACUUM ANALYZE call_detail_records")


def fill_sqlite(path, tenants):
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    indexes = connection.execute(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'call_detail_records' AND sql IS NOT NULL"
    ).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    now = int(time.time() * 1_000_000)
    for tenant, rows in tenants.items():
        start = f"({now} - CAST(n * 1.0 / {rows} * {DAYS} * 86400000000 AS INTEGER))"
        text = values(
            tenant, lambda number, width: f"printf('%0{width}d', CAST({number} AS INTEGER))",
            start, lambda seconds: f"{start} + {seconds * 1_000_000}", "randomblob(16)", f"x'{tenant.replace('-', '')}'",
            "json_object('sip_call_id', 'c' || n || '@phone.large.test')",
        )
        chance = "abs(random() % 1000000) / 1000000.0"
        connection.execute(
            f"INSERT INTO call_detail_records ({COLUMNS}) WITH RECURSIVE numbers (n) AS "
            f"(SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows - 1}), dice AS MATERIALIZED "
            f"(SELECT n, {chance} d1, {chance} d2, {chance} d3 FROM numbers) SELECT {text} FROM dice"
        )
        connection.commit()
    for _, definition in indexes:
        connection.execute(definition)
    connection.commit()
    connection.execute("ANALYZE")
    connection.close()


class Reader:
    """Requests on one connection, each different from all before."""

    def __init__(self, daemon, tenant):
        self.daemon = daemon
        self.base = f"/api/v1/tenants/{tenant}/cdrs?"
        self.connection = http.client.HTTPConnection("127.0.0.1", daemon.port, timeout=300)
        self.headers = {"Accept": "application/json", "Authorization": f"Bearer {daemon.token}"}

    def get(self, query):
        """The answer, and how long it took in milliseconds."""
        started = time.perf_counter()
        self.connection.request("GET", self.base + query, headers=self.headers)
        answer = self.connection.getresponse()
        text = answer.read()
        took = (time.perf_counter() - started) * 1000
        if answer.status != 200:
            raise RuntimeError(f"{query}: {answer.status} {text[:300]}")
        return json.loads(text), took


def moments(dice):
    """A span of time that somebody asks for: days, or from a moment on to another."""
    now = datetime.now(timezone.utc)
    start = now - timedelta(days=dice.uniform(1, DAYS - 1))
    end = min(now, start + timedelta(days=dice.choice([1, 7, 31, 90])))
    if dice.random() < 0.5:
        return f"date_from={start:%Y-%m-%d}&date_to={end:%Y-%m-%d}"
    return f"date_from={start:%Y-%m-%dT%H:%M:%SZ}&date_to={end:%Y-%m-%dT%H:%M:%SZ}"


def caller(dice):
    return f"caller_id_number=%2B4930{dice.randrange(300000):06}"


def number(dice):
    return f"destination_number=%2B1555{int(1 + dice.random() ** 2 * 20000):07}"


BUSY_NUMBER = "destination_number=" + BUSY.replace("+", "%2B")


def questions(rows):
    """What is asked, by name: the query, and whether a page must come within 50 ms."""
    pages = rows // 2 // 15
    return {
        "first": (lambda dice: "page=1", True),
        "anywhere": (lambda dice: f"page={dice.randrange(1, pages)}", True),
        "legs": (lambda dice: f"legs=1&page={dice.randrange(1, 2 * pages)}", True),
        "date": (lambda dice: f"{moments(dice)}&page={dice.randrange(1, 20)}", True),
        "caller": (lambda dice: caller(dice), True),
        "number": (lambda dice: number(dice), True),
        "number.date": (lambda dice: f"{number(dice)}&{moments(dice)}", True),
        "cause": (lambda dice: f"hangup_cause={dice.choice(list(CAUSES))}&page={dice.randrange(1, pages // 1000 + 2)}", True),
        "cause.date": (lambda dice: f"hangup_cause={dice.choice(list(CAUSES))}&{moments(dice)}", True),
        "direction": (lambda dice: f"direction={dice.choice(['inbound', 'outbound', 'local'])}&page={dice.randrange(1, 100)}", True),
        "number.cause": (lambda dice: f"{number(dice)}&hangup_cause={dice.choice(list(CAUSES))}", True),
        "busy.date": (lambda dice: f"{BUSY_NUMBER}&{moments(dice)}", True),
        # As long as it takes to count a twentieth of all calls.
        "busy": (lambda dice: BUSY_NUMBER, False),
    }


def lists(reader, label, rows, most):
    dice = random.Random(1)
    for name, (query, judged) in questions(rows).items():
        for turn in range(10):
            reader.get(f"{query(dice)}&n={name}-warm-{turn}")
        times, found = [], 0
        for turn in range(QUESTIONS if judged else QUESTIONS // 10):
            answer, took = reader.get(f"{query(dice)}&n={name}-{turn}")
            times.append(took)
            found += len(answer["data"])
        if not found:
            raise RuntimeError(f"{name}: nothing was found")
        times.sort()
        p50, p99 = times[len(times) // 2], times[int(len(times) * 0.99)]
        target = most if judged else None
        report(f"{label}.{name}.p50", f"{p50:.1f}", "ms")
        report(f"{label}.{name}.p99", f"{p99:.1f}", "ms", target and f"<={target}", None if target is None else p99 <= target)


def walk(reader, label, most):
    """One page after the other by cursor."""
    times, cursor = [], ""
    for turn in range(QUESTIONS):
        answer, took = reader.get(f"cursor={cursor}&per_page=100&n=walk-{turn}")
        times.append(took)
        cursor = answer["next_cursor"]
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    report(f"{label}.cursor.p99", f"{p99:.1f}", "ms", most and f"<={most}", None if most is None else p99 <= most)


def resident(pid):
    """MiB of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")


def export(reader, label, calls):
    """The export of all calls; how much memory the daemon has meanwhile."""
    daemon, connection = reader.daemon, reader.connection
    before = resident(daemon.process.pid)
    started = time.monotonic()
    connection.request("GET", reader.base.replace("cdrs?", "cdrs/export?"), headers=reader.headers)
    answer = connection.getresponse()
    lines, size, samples, looked = 0, 0, [], started
    while chunk := answer.read(1 << 20):
        lines += chunk.count(b"\n")
        size += len(chunk)
        if time.monotonic() - looked > 0.25:
            looked = time.monotonic()
            samples.append(resident(daemon.process.pid))
    seconds = time.monotonic() - started
    # SQLite's connections take turns, and each fills its cache (16 MiB) once.
    half = max(1, len(samples) // 2)
    first, then = max(samples[:half]), max(samples[half:], default=0)
    report(f"{label}.export.calls", lines - 1, "rows", f"={calls}", lines - 1 == calls)
    report(f"{label}.export", f"{calls / seconds:.0f}", "rows/s")
    report(f"{label}.export.size", f"{size / 2**20:.0f}", "MiB")
    report(f"{label}.export.memory.before", f"{before:.0f}", "MiB")
    report(f"{label}.export.memory.first_half", f"{first:.0f}", "MiB")
    flat = 0 < then <= first + 16
    report(f"{label}.export.memory.second_half", f"{then:.0f}", "MiB", f"<={first + 16:.0f}", flat)


def measure(database, rows, server=None):
    url = server.database("cdrs") if server else None
    daemon = Daemon(10, url=url, home=HOME / database)
    try:
        tenant = daemon.request("POST", "/tenants", {"name": "large", "domain": "large.test"})[1]["data"]["id"]
        other = daemon.request("POST", "/tenants", {"name": "other", "domain": "other.test"})[1]["data"]["id"]
        daemon.stop()
        started = time.monotonic()
        tenants = {tenant: rows, other: max(rows // 10, 1)}
        if server:
            # Some rows in each month, for which nizamd then makes a table.
            one = {tenant: 400}
            fill_postgres(server, "cdrs", one)
            daemon.start()
            parts = "SELECT count(*) FROM pg_inherits WHERE inhparent = 'call_detail_records'::regclass"
            end = time.monotonic() + 60
            while int(server.rows("cdrs", parts)[0][0]) < DAYS // 31 + 3:
                if time.monotonic() > end:
                    raise TimeoutError("nizamd makes no months")
                time.sleep(0.2)
            time.sleep(1)
            daemon.stop()
            server.rows("cdrs", "TRUNCATE call_detail_records")
            fill_postgres(server, "cdrs", tenants)
        else:
            fill_sqlite(daemon.home / "nizam.db", tenants)
        print(f"{rows} CDRs inserted in {time.monotonic() - started:.0f} s", file=sys.stderr)
        subprocess.run([BINARIES / "nizamd", "recount-calls"], check=True, env=daemon.environment, stdout=sys.stderr)
        daemon.start()
        reader, label = Reader(daemon, tenant), f"cdrs.{database}.{rows}"
        answer, _ = reader.get("legs=1&n=total")
        report(f"{label}.total", answer["meta"]["total"], "rows", f"={rows}", answer["meta"]["total"] == rows)
        most = 50 if server else None
        lists(reader, label, rows, most)
        walk(reader, label, most)
        export(reader, label, (rows + 1) // 2)
    finally:
        daemon.stop()


def main():
    HOME.mkdir(parents=True)
    subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "nizamd", "--example", "fill"], check=True, cwd=ROOT)
    measure("sqlite", min(ROWS, MOST_OF_SQLITE))
    if not Postgres.installed():
        print("no postgres (apt-get install postgresql): not measured", file=sys.stderr)
        return
    with contextlib.ExitStack() as stack:
        measure("postgres", ROWS, stack.enter_context(Postgres(HOME / "server")))


if __name__ == "__main__":
    main()
