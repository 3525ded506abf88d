#!/usr/bin/env python3
"""switch_xml_locate_user_merged inside FreeSWITCH, by who answers it."""

import contextlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
import xml.etree.ElementTree as ElementTree
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from switch import PREFIX, ROOT, Switch, first, free_port  # noqa: E402

BINARIES = Path(os.environ["NIZAM_BIN_DIR"])
HOME = Path(os.environ["BENCH_DIR"]) / "locate"
SIZES = [int(size) for size in os.environ.get("BENCH_SIZES", "10,100000,1000000").split(",")]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "7"))
USER, DOMAIN = "1005", "t0.bench.test"
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


def report(name, value, unit, target="-", verdict="report"):
    """One line of make bench."""
    print(f"bench {name} {value} {unit} target {target} {verdict}", flush=True)


def measure(switch, count, user=USER, domain=DOMAIN, headers=HEADERS):
    """Median and 99th percentile of `count` lookups, in nanoseconds."""
    answer = switch.ok(f"nizambench locate id {user} {domain} {count} {headers}")
    figures = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", answer)}
    if figures["found"] != count:
        raise RuntimeError(f"{user}@{domain}: only {figures['found']} of {count} found")
    return figures["p50"], figures["p99"]


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


def stopwatch():
    """Builds mod_nizambench against the headers of the installed FreeSWITCH."""
    built = HOME / "mod_nizambench.so"
    include = first(PREFIX / "include/freeswitch", PREFIX / "include")
    subprocess.run(
        ["cc", "-O2", "-fPIC", "-shared", f"-I{include}", str(ROOT / "tests/bench/mod_nizambench.c"), "-o", str(built)],
        check=True,
    )
    return built


def images():
    """Snapshots of all sizes, made by the release build of tests/bench_images.rs."""
    environment = dict(
        os.environ, NIZAM_BENCH_IMAGES=str(HOME / "images"), NIZAM_BENCH_SIZES=",".join(map(str, SIZES))
    )
    environment.pop("NIZAM_BIN_DIR")
    subprocess.run(
        ["cargo", "test", "--quiet", "--release", "--test", "bench_images"],
        check=True, cwd=ROOT, env=environment, stdout=sys.stderr,
    )


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


@contextlib.contextmanager
def web_server(document):
    """nginx on loopback that answers every request with the document's file; its URL, or None without nginx."""
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not nginx:
        print("no nginx (apt-get install nginx-light): mod_xml_curl is not measured", file=sys.stderr)
        yield None
        return
    home, port = HOME / "nginx", free_port()
    home.mkdir()
    shutil.copy(document, home / "directory.xml")
    owner = "user root;" if os.geteuid() == 0 else ""
    paths = "".join(f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    # A static file answers POST with 405; turned into 200 it is the cheapest answer that mod_xml_curl can get.
    (home / "nginx.conf").write_text(
        f"{owner} daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {paths} default_type text/xml; keepalive_requests 1000000;\n"
        f"server {{ listen 127.0.0.1:{port}; root {home}; error_page 405 =200 /directory.xml; }} }}\n"
    )
    process = subprocess.Popen([nginx, "-c", str(home / "nginx.conf"), "-p", str(home)], stderr=subprocess.DEVNULL)
    try:
        url, end = f"http://127.0.0.1:{port}/directory.xml", time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(urllib.request.Request(url, data=b"x=1"), timeout=5):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait()


def curl_configuration(url):
    """mod_xml_curl for the directory, as its users have it."""
    return (
        '<configuration name="xml_curl.conf"><bindings><binding name="directory">'
        f'<param name="gateway-url" value="{url}" bindings="directory"/>'
        "</binding></bindings></configuration>\n"
    )


def ratio_of(rounds, subject, base):
    """Median over the rounds of the ratio of two medians of the same round."""
    return statistics.median(one[subject][0] / one[base][0] for one in rounds)


def main():
    if not PREFIX.exists():
        print("no FreeSWITCH: nothing to measure here", file=sys.stderr)
        return
    HOME.mkdir(parents=True)
    bench = stopwatch()
    images()
    module = first(BINARIES / "mod_nizam.so", BINARIES / "libmod_nizam.so")
    shutil.copy(module, HOME / "mod_nizam.so")
    with contextlib.ExitStack() as stack:

        def switch(name, modules, **more):
            print(f"starting {name}", file=sys.stderr)
            return stack.enter_context(Switch(HOME / name, modules, **more))

        nizam = {}
        for size in SIZES:
            variables = [("nizam_snapshot", HOME / "images" / str(size)), ("nizam_socket", HOME / "none.sock")]
            nizam[size] = switch(f"nizam-{size}", [bench, HOME / "mod_nizam.so"], variables=variables)

        written, document = HOME / "written.xml", HOME / "document.xml"
        nizam[SIZES[0]].ok(f"nizambench document id {USER} {DOMAIN} {written} {HEADERS}")
        document.write_text(compact(written.read_text()))
        report("locate.document", document.stat().st_size, "bytes")
        constant = Constant(document)

        static = switch(
            "static", [bench],
            directory="\n".join(users(f"s{count}.bench.test", count, document.read_text()) for count in (10, 10000)),
        )
        url = stack.enter_context(web_server(document))
        curl = url and switch("curl", [bench, "mod_xml_curl"], configuration=[("xml_curl.conf.xml", curl_configuration(url))])

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
            value = statistics.median(one[name][place] for one in rounds) / 1000
            report(f"locate.{name}.{label}", f"{value:.2f}", "us")
    for size in SIZES:
        ratio = ratio_of(rounds, f"nizam.{size}", f"constant.{size}")
        report(f"locate.nizam.{size}/constant", f"{ratio:.3f}", "ratio", "<=1.15", "ok" if ratio <= 1.15 else "short")
    for size in SIZES[1:]:
        ratio = ratio_of(rounds, f"spread.{size}", f"spread.{SIZES[0]}")
        report(f"locate.spread.{size}/{SIZES[0]}", f"{ratio:.3f}", "ratio")
    for users_ in (10, 10000):
        ratio = ratio_of(rounds, f"static.{users_}", f"nizam.{SIZES[-1]}")
        report(f"locate.static.{users_}/nizam.{SIZES[-1]}", f"{ratio:.2f}", "ratio")
    if "xml_curl" in rounds[0]:
        ratio = ratio_of(rounds, "xml_curl", f"nizam.{SIZES[-1]}")
        report(f"locate.xml_curl/nizam.{SIZES[-1]}", f"{ratio:.1f}", "ratio", ">=15", "ok" if ratio >= 15 else "short")


if __name__ == "__main__":
    main()
