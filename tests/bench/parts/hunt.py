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
from sofia import Profile  # noqa: E402
from stopwatch import DID, DOMAIN, images, module, stopwatch  # noqa: E402
from switch import PREFIX, Switch  # noqa: E402
from web import web_server  # noqa: E402

HOME = Path(os.environ["BENCH_DIR"]) / "hunt"
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10,1000000").split(",")]
SIZES = sorted({min(SIZES), max(SIZES)})
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
HUNTS = int(os.environ.get("BENCH_HUNTS", "4000"))
CALLS = int(os.environ.get("BENCH_CALLS", "2000"))
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

    def hunted(self, subject):
        """The steps that a subject finds."""
        command = f"nizambench steps {subject.interface} {self.where} {self.number} {self.variables}"
        return [tuple(line.split(" ", 1)) for line in subject.switch.ok(command).splitlines()[1:]]

    def measure(self, subject, count):
        """Median and 99th percentile of `count` hunts, in nanoseconds."""
        command = f"nizambench hunt {subject.interface} {self.where} {self.number} {count} {self.variables}"
        return timed(subject.switch.ok(command), count, f"{subject.name} {self.number}")

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


class Subject:
    """One who answers: a FreeSWITCH of its own, because what it still does for past calls must not be counted among another's."""

    def __init__(self, stack, name, interface, modules, configuration=(), variables=(), **more):
        """`interface` is the name of the dialplan interface that routes."""
        print(f"starting {name}", file=sys.stderr)
        self.name = name
        self.interface = interface
        self.profile = Profile(DOMAIN, interface)
        self.switch = Switch(
            HOME / name, [*modules, "mod_dptools", "mod_dialplan_xml", "mod_sofia"],
            variables=[*Profile.VARIABLES, ("nizam_log_level", "warning"), *variables],
            configuration=[self.profile.configuration, *configuration], **more,
        )
        stack.enter_context(self.switch)
        # Else every hunt by XML and every channel writes lines, which the own interface does not.
        self.switch.ok("fsctl loglevel warning")


class Site:
    """All subjects, in the order of a round."""

    def __init__(self, stack):
        bench, tested, snapshots = stopwatch(HOME), module(HOME), images(HOME, SIZES)
        self.subjects = []

        def subject(*arguments, **more):
            self.subjects.append(Subject(stack, *arguments, **more))

        for size in SIZES:
            variables = [("nizam_snapshot", snapshots / str(size)), ("nizam_socket", HOME / "none.sock")]
            subject(f"xml.{size}", "XML", [bench, tested], variables=variables)
            subject(f"interface.{size}", "nizam", [bench, tested], variables=variables)
        inside, outside = self.calls = calls()
        # A stranger's call, as sipp makes it: one of a phone that logged in has more steps.
        self.nobody = Call("outside", DOMAIN, NOBODY, [])
        for call in (*self.calls, self.nobody):
            call.steps = call.hunted(self.subjects[0])
        rest = extension(".*", self.nobody.steps)
        subject("static10", "XML", [bench], dialplan=ten(inside, last=rest) + ten(outside))
        self.web = stack.enter_context(web_server(HOME / "nginx", answer("")))
        if self.web:
            subject("xml_curl", "XML", [bench, "mod_xml_curl"], configuration=[self.web.configuration("dialplan")])

    def each(self, call):
        """The subjects, with the web server answering for that call."""
        if self.web:
            self.web.become(answer(context(call.where, [call.extension()])))
        return self.subjects

    def check(self):
        """All of them must find the same steps: else they would not be measured at the same work."""
        for call in (*self.calls, self.nobody):
            for subject in self.each(call):
                if (found := call.hunted(subject)) != call.steps:
                    raise RuntimeError(f"{subject.name} answers {call.number} with {found} instead of {call.steps}")

    def hunts(self, count):
        """One round: figures by call and subject."""
        return {
            f"{call.name}.{subject.name}": call.measure(subject, count // 10 if subject.name == "xml_curl" else count)
            for call in self.calls
            for subject in self.each(call)
        }

    def refusals(self, count):
        """One round of calls that are refused: by subject calls a second, the 99th percentile, and FreeSWITCH's processor time for a call."""
        figures = {}
        for subject in self.each(self.nobody):
            before = subject.switch.processor_seconds()
            rate, p99 = callers.call(HOME / "sipp", subject.profile.port, NOBODY, count, AT_ONCE)
            figures[subject.name] = rate, p99, (subject.switch.processor_seconds() - before) / count
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
                report(f"hunt.{mine}/static10", f"{ratio_of(rounds, mine, f'{call.name}.static10'):.3f}", "ratio")
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
