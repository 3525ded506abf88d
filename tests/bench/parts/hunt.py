#!/usr/bin/env python3
"""Routing in FreeSWITCH, by who routes: a whole dialplan hunt, and the calls a second that are refused."""

import contextlib
import os
import sys
from pathlib import Path

BENCH = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(BENCH))
import callers  # noqa: E402
from documents import answer, context, extension  # noqa: E402
from figures import median_of, ratio_of, report, timed  # noqa: E402
from sofia import Profiles  # noqa: E402
from stopwatch import DID, DOMAIN, images, module, stopwatch  # noqa: E402
from switch import PREFIX, Switch  # noqa: E402
from web import web_server  # noqa: E402

HOME = Path(os.environ["BENCH_DIR"]) / "hunt"
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10,1000000").split(",")]
SIZES = sorted({min(SIZES), max(SIZES)})
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
HUNTS = int(os.environ.get("BENCH_HUNTS", "4000"))
CALLS = int(os.environ.get("BENCH_CALLS", "3000"))
AT_ONCE = int(os.environ.get("BENCH_CALLS_AT_ONCE", "50"))
NOBODY = "9999"


class Call:
    """A call that is hunted for."""

    def __init__(self, name, where, number, others, when=()):
        """`others`: nine more numbers that a static context has; `when`: the second condition of its extensions."""
        self.name = name
        self.where = where
        self.number = number
        self.others = others
        self.when = when
        self.variables = BENCH / f"calls/{name}"
        # What mod_nizam makes of it, as pairs of application and data.
        self.steps = []

    def hunted(self, switch, dialplan):
        """The steps that a switch finds."""
        lines = switch.ok(f"nizambench steps {dialplan} {self.where} {self.number} {self.variables}").splitlines()[1:]
        return [tuple(line.split(" ", 1)) for line in lines]

    def measure(self, switch, dialplan, count):
        """Median and 99th percentile of `count` hunts, in nanoseconds."""
        told = switch.ok(f"nizambench hunt {dialplan} {self.where} {self.number} {count} {self.variables}")
        return timed(told, count, f"{dialplan} {self.number}")

    def extension(self, number=None):
        """The extension with its steps, or one like it for another number."""
        number = number or self.number
        steps = [(name, data.replace(self.number, number)) for name, data in self.steps]
        return extension(f"^{number}$".replace("+", r"\+"), steps, self.when)


def calls():
    """An inside call to a phone; a call from outside to a DID, which a time condition leads to a menu."""
    always = (("wday", "1-7"), ("time-of-day", "00:00:00-23:59:59"))
    return (
        Call("inside", DOMAIN, "1005", [str(number) for number in range(1001, 1011) if number != 1005]),
        Call("outside", "public", f"+{DID}", [f"+15559{number:07}" for number in range(9)], when=always),
    )


def ten(call, last=None):
    """A static context of ten extensions, of which the call's is the fifth; `last` in place of the tenth."""
    others = [call.extension(number) for number in call.others]
    texts = [*others[:4], call.extension(), *others[4:]]
    return context(call.where, [*texts[:9], last or texts[9]])


class Site:
    """The switches, each quiet in the same way, and who answers in them."""

    def __init__(self, stack):
        self.stack = stack
        self.bench, self.tested, snapshots = stopwatch(HOME), module(HOME), images(HOME, SIZES)
        self.profiles = {}
        self.nizam = {}
        for size in SIZES:
            variables = [("nizam_snapshot", snapshots / str(size)), ("nizam_socket", HOME / "none.sock")]
            self.nizam[size] = self.start(f"nizam-{size}", [self.tested], ("XML", "nizam"), variables=variables)
        self.inside, self.outside = self.calls = calls()
        for call in self.calls:
            call.steps = call.hunted(self.nizam[SIZES[0]], "nizam")
        # What a stranger's call to nobody gets, by whoever routes it.
        nobody = Call("inside", DOMAIN, NOBODY, [])
        nobody.steps = nobody.hunted(self.nizam[SIZES[0]], "nizam")
        self.nobody = nobody
        self.static = self.start(
            "static", [], ("XML",), dialplan=ten(self.inside, last=extension(".*", nobody.steps)) + ten(self.outside)
        )
        self.web = stack.enter_context(web_server(HOME / "nginx", answer("")))
        self.curl = self.web and self.start(
            "curl", ["mod_xml_curl"], ("XML",), configuration=[self.web.configuration("dialplan")]
        )

    def start(self, name, modules, dialplans, variables=(), configuration=(), **more):
        """A switch with SIP, which has a profile for each dialplan."""
        print(f"starting {name}", file=sys.stderr)
        profiles = Profiles(DOMAIN, dialplans)
        switch = Switch(
            HOME / name, [self.bench, "mod_dptools", "mod_dialplan_xml", *modules, "mod_sofia"],
            variables=[*Profiles.variables(), ("nizam_log_level", "warning"), *variables],
            configuration=[profiles.configuration, *configuration], **more,
        )
        self.stack.enter_context(switch)
        # Else every hunt by XML and every channel writes lines, which the own interface does not.
        switch.ok("fsctl loglevel warning")
        self.profiles[switch] = profiles
        return switch

    def subjects(self, call):
        """Name, switch and dialplan of each who answers that call, in the order of a round."""
        for size in SIZES:
            yield f"xml.{size}", self.nizam[size], "XML"
            yield f"interface.{size}", self.nizam[size], "nizam"
        yield "static10", self.static, "XML"
        if self.curl:
            self.web.become(answer(context(call.where, [call.extension()])))
            yield "xml_curl", self.curl, "XML"

    def check(self):
        """All of them must find the same steps: else they would not be measured at the same work."""
        for call in (*self.calls, self.nobody):
            for name, switch, dialplan in self.subjects(call):
                if (found := call.hunted(switch, dialplan)) != call.steps:
                    raise RuntimeError(f"{name} answers {call.number} with {found} instead of {call.steps}")

    def hunts(self, count):
        """One round: each call's figures by subject."""
        return {
            f"{call.name}.{name}": call.measure(switch, dialplan, count // 10 if name == "xml_curl" else count)
            for call in self.calls
            for name, switch, dialplan in self.subjects(call)
        }

    def refusals(self, count):
        """One round of calls that are refused: by subject calls a second, the 99th percentile, and FreeSWITCH's processor time for a call."""
        figures = {}
        for name, switch, dialplan in self.subjects(self.nobody):
            before = switch.processor_seconds()
            port = self.profiles[switch].ports[dialplan]
            rate, p99 = callers.call(HOME / "sipp", port, NOBODY, count, AT_ONCE)
            figures[name] = rate, p99, (switch.processor_seconds() - before) / count
        return figures


def report_hunts(rounds):
    """The lines of the hunts."""
    for name in rounds[0]:
        for place, label in ((0, "p50"), (1, "p99")):
            report(f"hunt.{name}.{label}", f"{median_of(rounds, name, place) / 1000:.2f}", "us")
    for call in calls():
        for size in SIZES:
            for subject in (f"xml.{size}", f"interface.{size}"):
                mine = f"{call.name}.{subject}"
                report(f"hunt.{mine}/static10", f"{ratio_of(rounds, mine, f'{call.name}.static10'):.2f}", "ratio")
                if f"{call.name}.xml_curl" in rounds[0]:
                    ratio = ratio_of(rounds, f"{call.name}.xml_curl", mine)
                    report(f"hunt.{call.name}.xml_curl/{subject}", f"{ratio:.1f}", "ratio")


def report_calls(rounds):
    """The lines of the calls."""
    for name in rounds[0]:
        report(f"calls.{name}", f"{median_of(rounds, name):.0f}", "calls/s")
        report(f"calls.{name}.p99", f"{median_of(rounds, name, 1) * 1000:.0f}", "ms")
        report(f"calls.{name}.processor", f"{median_of(rounds, name, 2) * 1e6:.0f}", "us")
    for subject in (name for size in SIZES for name in (f"xml.{size}", f"interface.{size}")):
        for base in ("static10", "xml_curl"):
            if base in rounds[0]:
                report(f"calls.{subject}/{base}", f"{ratio_of(rounds, subject, base):.2f}", "ratio")


def main():
    if not PREFIX.exists():
        print("no FreeSWITCH: nothing to measure here", file=sys.stderr)
        return
    HOME.mkdir(parents=True)
    with contextlib.ExitStack() as stack:
        site = Site(stack)
        site.check()
        site.hunts(HUNTS // 10)  # warms up
        report_hunts([site.hunts(HUNTS) for _ in range(ROUNDS)])
        if not callers.SIPP:
            print("no sipp (apt-get install sip-tester): calls a second are not measured", file=sys.stderr)
            return
        site.refusals(CALLS // 10)
        report_calls([site.refusals(CALLS) for _ in range(ROUNDS)])


if __name__ == "__main__":
    main()
