#!/usr/bin/env python3
"""What events cost: mod_nizam's callback against the least that any module does, calls a second with events and without, how fast they
are stored, and how long after a hangup its CDR is there."""

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
import callers  # noqa: E402
from daemon import Daemon  # noqa: E402
from figures import report  # noqa: E402
from postgres import Postgres  # noqa: E402
from sofia import Profile  # noqa: E402
from stopwatch import DOMAIN, images, module, stopwatch  # noqa: E402
from switch import PREFIX, ROOT, Switch  # noqa: E402

HOME = Path(os.environ["BENCH_DIR"]) / "events"
EVENTS = int(os.environ.get("BENCH_EVENTS", "20000"))
CALLS = int(os.environ.get("BENCH_CALLS", "2000"))
AT_ONCE = int(os.environ.get("BENCH_CALLS_AT_ONCE", "50"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
RATE = int(os.environ.get("BENCH_RATE", "200"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "30"))
NOBODY = "9999"
# Microseconds between two events: as many as a thousand calls a second have.
PAUSE = 100


def callback():
    """mod_nizam's callback and JSON, for the same events."""
    variables = [("nizam_snapshot", HOME / "none"), ("nizam_socket", HOME / "none.sock")]
    with Switch(HOME / "callback", [stopwatch(HOME), module(HOME)], variables=variables) as switch:
        command = f"nizambench events {{}} {PAUSE} {BENCH}/calls/inside"
        switch.ok(command.format(EVENTS // 10))  # warms up
        rounds = []
        for _ in range(ROUNDS):
            answer = switch.ok(command.format(EVENTS // ROUNDS))
            rounds.append([[int(n) / 1000 for n in figures] for figures in re.findall(r"p50=(\d+) p99=(\d+)", answer)])
        spool = switch.ok("nizam spool")
        pushed = int(re.search(r"(\d+) pushed", spool).group(1))
        if pushed < EVENTS // ROUNDS * ROUNDS:
            raise RuntimeError(f"mod_nizam kept {pushed} events only: {spool}")
    figure = [[statistics.median(one[who][place] for one in rounds) for place in (0, 1)] for who in (0, 1)]
    for place, name, most in ((0, "p50", 3), (1, "p99", 20)):
        report(f"events.callback.{name}", f"{figure[0][place]:.2f}", "us", f"<={most}", figure[0][place] <= most)
        report(f"events.json.{name}", f"{figure[1][place]:.2f}", "us")
    report("events.callback/json", f"{figure[0][0] / figure[1][0]:.2f}", "ratio")


def calls():
    """Calls a second of a FreeSWITCH whose events go to a spool, and of one that has no place for them."""
    snapshots = images(HOME, [10])
    with contextlib.ExitStack() as stack:
        subjects = {}
        for name in ("with", "without"):
            home = HOME / f"calls-{name}"
            profile = Profile(DOMAIN, "nizam")
            variables = [*Profile.VARIABLES, ("nizam_log_level", "warning"), ("nizam_snapshot", snapshots / "10"),
                         ("nizam_socket", HOME / "none.sock")]
            modules = [stopwatch(HOME), module(HOME), "mod_dptools", "mod_dialplan_xml", "mod_sofia"]
            switch = Switch(home, modules, variables=variables, configuration=[profile.configuration])
            if name == "without":
                nowhere(home)
            subjects[name] = stack.enter_context(switch), profile
            switch.ok("fsctl loglevel warning")
        kept = {name: "pushed" in switch.api("nizam spool") for name, (switch, _) in subjects.items()}
        if kept != {"with": True, "without": False}:
            raise RuntimeError(f"which of them keeps events: {kept}")
        rounds = []
        for turn in range(ROUNDS + 1):
            figures = {}
            for name, (switch, profile) in subjects.items():
                figures[name], _ = callers.call(HOME / "sipp", profile.port, NOBODY, CALLS, AT_ONCE)
            rounds += [figures] if turn else []  # the first one warms up
    for name in subjects:
        report(f"events.calls.{name}", f"{statistics.median(one[name] for one in rounds):.0f}", "calls/s")
    ratio = statistics.median(one["with"] / one["without"] for one in rounds)
    report("events.calls.with/without", f"{ratio:.2f}", "ratio", ">=0.95", ratio >= 0.95)


def nowhere(home):
    """Has mod_nizam look for its ring where no file can be."""
    settings = home / "conf/autoload_configs/nizam.conf.xml"
    text = settings.read_text()
    settings.write_text(text.replace(f"{home}/events.ring", "/dev/null/events.ring"))


def ingest():
    """Events a second into both databases, by the batch that is fastest."""
    for database, least in (("sqlite", None), ("postgres", 10_000)):
        environment = dict(os.environ, NIZAM_TEST_DATABASE=database)
        environment.pop("NIZAM_BIN_DIR")
        command = ["cargo", "test", "--quiet", "--release", "-p", "nizam-store", "--test", "it", "ingest::rate",
                   "--", "--ignored", "--nocapture"]
        ended = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
        rates = [int(rate) for rate in re.findall(r"(\d+) events/s", ended.stdout)]
        if ended.returncode or not rates:
            raise RuntimeError(ended.stdout + ended.stderr[-2000:])
        good = None if least is None else max(rates) >= least
        report(f"events.ingest.{database}", max(rates), "events/s", least and f">={least}", good)


def hangup_to_cdr():
    """Calls at an even rate, and when their CDRs were committed."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Postgres(HOME / "postgres", ["-c", "track_commit_timestamp=on"]))
        url = server.database("events")
        daemon = Daemon(10, url=url, home=HOME / "nizamd")
        stack.callback(daemon.stop)
        profile = Profile(daemon.domain, "nizam")
        variables = [*Profile.VARIABLES, ("nizam_log_level", "warning"), ("nizam_snapshot", HOME / "snapshot"),
                     ("nizam_socket", daemon.home / "nizam.sock")]
        modules = [module(HOME), "mod_dptools", "mod_dialplan_xml", "mod_sofia"]
        switch = Switch(HOME / "hangup", modules, variables=variables, configuration=[profile.configuration])
        stack.enter_context(switch)
        switch.ok("fsctl loglevel warning")
        end = time.monotonic() + 30
        while not switch.api(f"nizam lookup directory {daemon.number}@{daemon.domain}").startswith("+OK found"):
            if time.monotonic() > end:
                raise TimeoutError("the images do not arrive")
            time.sleep(0.05)
        count = RATE * SECONDS
        callers.call(HOME / "sipp", profile.port, NOBODY, count, 10 * RATE, rate=RATE, mark="bench")
        sent = callers.call_ids("bench", count)
        end = time.monotonic() + 60
        while sent - call_ids_of_cdrs(server).keys() and time.monotonic() < end:
            time.sleep(0.5)
        time.sleep(2)  # what comes behind the last of them
        cdrs = call_ids_of_cdrs(server)
        missing, unknown = len(sent - cdrs.keys()), sum(rows for call, rows in cdrs.items() if call not in sent)
        report("events.cdrs.missing", missing, "calls", "=0", missing == 0)
        report("events.cdrs.unknown", unknown, "rows", "=0", unknown == 0)
        if unknown:
            print(f"Call-IDs that sipp knows nothing of: {sorted(cdrs.keys() - sent)[:20]}", file=sys.stderr)
            print(server.rows("events", UNKNOWN.format(", ".join(f"'{call}'" for call in sorted(cdrs.keys() - sent)[:20]))), file=sys.stderr)
        # An INVITE that was sent again and came behind the refusal is a new call to FreeSWITCH, with the same Call-ID.
        report("events.cdrs.repeated", sum(rows - 1 for call, rows in cdrs.items() if call in sent), "rows")
        query = (
            "SELECT percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP "
            "(ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - end_stamp) * 1000) FROM call_detail_records"
        )
        (times,), = server.rows("events", query)
        p50, p99 = [float(text) for text in times.strip("{}").split(",")]
        report(f"events.hangup_to_cdr.{RATE}.p50", f"{p50:.0f}", "ms")
        report(f"events.hangup_to_cdr.{RATE}.p99", f"{p99:.0f}", "ms", "<=200", p99 <= 200)


UNKNOWN = """SELECT row_to_json(cdr)::text, '' FROM (SELECT uuid, caller_id_number, destination_number, start_stamp, end_stamp, hangup_cause, leg, switch_name, facts
    FROM call_detail_records WHERE coalesce(facts->'sip'->>'call_id', '') IN ({}) LIMIT 20) AS cdr"""


def call_ids_of_cdrs(server):
    """The Call-IDs that CDRs have, and how many have each; those of CDRs without one are empty."""
    query = "SELECT coalesce(facts->'sip'->>'call_id', ''), count(*) FROM call_detail_records GROUP BY 1"
    return {call: int(rows) for call, rows in server.rows("events", query)}


def main():
    HOME.mkdir(parents=True)
    if not Postgres.installed():
        print("no postgres (apt-get install postgresql): what is stored is not measured", file=sys.stderr)
    else:
        ingest()
    if not PREFIX.exists():
        print("no FreeSWITCH: callbacks and calls are not measured", file=sys.stderr)
        return
    callback()
    if not callers.SIPP:
        print("no sipp (apt-get install sip-tester): calls are not measured", file=sys.stderr)
        return
    calls()
    if Postgres.installed():
        subprocess.run(["cargo", "build", "--quiet", "--release", "-p", "nizamd", "--example", "fill"], check=True, cwd=ROOT)
        hangup_to_cdr()


if __name__ == "__main__":
    main()
