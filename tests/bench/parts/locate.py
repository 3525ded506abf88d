#!/usr/bin/env python3
"""switch_xml_locate_user_merged inside FreeSWITCH, by who answers it."""

import contextlib
import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from figures import median_of, ratio_of, report, timed  # noqa: E402
from stopwatch import DOMAIN, images, module, stopwatch  # noqa: E402
from switch import PREFIX, Switch  # noqa: E402
from web import web_server  # noqa: E402

HOME = Path(os.environ["BENCH_DIR"]) / "locate"
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10,100000,1000000").split(",")]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
USER = "1005"
# What mod_sofia sends for a REGISTER (sofia_reg.c, sofia_reg_parse_auth).
HEADERS = (
    "action=sip_auth sip_profile=internal sip_user_agent=bench sip_auth_username=1005 sip_auth_realm=t0.bench.test "
    "sip_auth_nonce=5f1e2c60-88ad-4a8b-bb3b-0d2c1f3c8f11 sip_auth_uri=sip:t0.bench.test sip_contact_user=1005 "
    "sip_contact_host=192.0.2.10 sip_to_user=1005 sip_to_host=t0.bench.test sip_via_protocol=udp sip_from_user=1005 "
    "sip_from_host=t0.bench.test sip_call_id=1-2598@192.0.2.10 sip_request_host=t0.bench.test "
    "sip_auth_response=6629fae49393a05397450978507c4ef1 sip_auth_method=REGISTER client_port=5060"
)


# The same about nobody in particular: a REGISTER must be about the user who is looked up.
ANYBODY = HEADERS.replace("sip_auth_method=REGISTER", "sip_auth_method=INVITE")


def measure(switch, count, user=USER, domain=DOMAIN, headers=HEADERS):
    """Median and 99th percentile of `count` lookups, in nanoseconds."""
    return timed(switch.ok(f"nizambench locate id {user} {domain} {count} {headers}"), count, f"{user}@{domain}")


class Constant:
    """The constant document in place of whatever else a switch would answer for the domain."""

    def __init__(self, document):
        self.document = document

    def measure(self, switch, count):
        switch.ok(f"nizambench constant {self.document} {DOMAIN}")
        try:
            return measure(switch, count)
        finally:
            switch.ok("nizambench constant off")


def compact(document):
    """The bytes that mod_nizam wrote: FreeSWITCH's serialiser indents, and closes empty elements with a tag of their own."""
    root = ElementTree.fromstring(document)
    for element in root.iter():
        # Blanks between elements cost FreeSWITCH time, and would make the constant document look slow.
        element.text = element.text if element.text and element.text.strip() else None
        element.tail = None
    return ElementTree.tostring(root, encoding="unicode").replace(" />", "/>")


def users(domain, count, document):
    """A static domain of `count` users, each with the params and variables of the document's one."""
    user = ElementTree.fromstring(document).find(".//user")
    entries = []
    for number in range(1000, 1000 + count):
        user.set("id", str(number))
        entries.append(ElementTree.tostring(user, encoding="unicode"))
    return (
        f'<domain name="{domain}"><groups><group name="default"><users>\n'
        + "\n".join(entries)
        + "\n</users></group></groups></domain>"
    )


def main():
    if not PREFIX.exists():
        print("no FreeSWITCH: nothing to measure here", file=sys.stderr)
        return
    HOME.mkdir(parents=True)
    bench, tested, snapshots = stopwatch(HOME), module(HOME), images(HOME, SIZES)
    with contextlib.ExitStack() as stack:

        def switch(name, modules, **more):
            print(f"starting {name}", file=sys.stderr)
            return stack.enter_context(Switch(HOME / name, modules, **more))

        nizam = {}
        for size in SIZES:
            variables = [("nizam_snapshot", snapshots / str(size)), ("nizam_socket", HOME / "none.sock")]
            nizam[size] = switch(f"nizam-{size}", [bench, tested], variables=variables)

        written, document = HOME / "written.xml", HOME / "document.xml"
        nizam[SIZES[0]].ok(f"nizambench document id {USER} {DOMAIN} {written} {HEADERS}")
        document.write_text(compact(written.read_text()))
        report("locate.document", document.stat().st_size, "bytes")
        constant = Constant(document)

        static = switch(
            "static", [bench],
            directory="\n".join(users(f"s{count}.bench.test", count, document.read_text()) for count in (10, 10000)),
        )
        web = stack.enter_context(web_server(HOME / "nginx", document.read_text()))
        curl = web and switch("curl", [bench, "mod_xml_curl"], configuration=[web.configuration("directory")])

        def one_round(count):
            figures = {}
            for size in SIZES:
                figures[f"constant.{size}"] = constant.measure(nizam[size], count)
                figures[f"nizam.{size}"] = measure(nizam[size], count)
                tenants, per_tenant = max(1, size // 1000), min(size, 1000)
                figures[f"spread.{size}"] = measure(
                    nizam[size], count, user=f"[1000-{999 + per_tenant}]", domain=f"t[0-{tenants - 1}].bench.test",
                    headers=ANYBODY,
                )
            for users_ in (10, 10000):
                figures[f"static.{users_}"] = measure(
                    static, min(count, max(400, count // users_)), user=str(1000 + users_ // 2), domain=f"s{users_}.bench.test"
                )
            if curl:
                figures["xml_curl"] = measure(curl, max(50, count // 20))
            return figures

        one_round(1000)  # warms up
        rounds = [one_round(10000) for _ in range(ROUNDS)]

    for name in rounds[0]:
        for place, label in ((0, "p50"), (1, "p99")):
            report(f"locate.{name}.{label}", f"{median_of(rounds, name, place) / 1000:.2f}", "us")
    for size in SIZES:
        ratio = ratio_of(rounds, f"nizam.{size}", f"constant.{size}")
        report(f"locate.nizam.{size}/constant", f"{ratio:.3f}", "ratio", "<=1.15", ratio <= 1.15)
    for size in SIZES[1:]:
        ratio = ratio_of(rounds, f"spread.{size}", f"spread.{SIZES[0]}")
        report(f"locate.spread.{size}/{SIZES[0]}", f"{ratio:.3f}", "ratio")
    for users_ in (10, 10000):
        ratio = ratio_of(rounds, f"static.{users_}", f"nizam.{SIZES[-1]}")
        report(f"locate.static.{users_}/nizam.{SIZES[-1]}", f"{ratio:.2f}", "ratio")
    if "xml_curl" in rounds[0]:
        ratio = ratio_of(rounds, "xml_curl", f"nizam.{SIZES[-1]}")
        report(f"locate.xml_curl/nizam.{SIZES[-1]}", f"{ratio:.1f}", "ratio", ">=15", ratio >= 15)


if __name__ == "__main__":
    main()
