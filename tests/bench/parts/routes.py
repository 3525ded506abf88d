#!/usr/bin/env python3
"""The resolver alone, at two numbers of tenants: an extension; a DID, a time condition, a menu; an outbound route among 1,000 patterns."""

import os
import subprocess
import sys
from pathlib import Path

BINARIES = Path(os.environ["NIZAM_BIN_DIR"])
SIZES = [int(size) for size in os.environ.get("BENCH_TENANTS", "10,100000").split(",")]
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))


def measure(tenants):
    """Name to median and 99th percentile in nanoseconds; of several rounds the one with the lowest median."""
    best = {}
    for _ in range(ROUNDS):
        text = subprocess.run(
            [BINARIES / "examples/routes", str(tenants)], check=True, capture_output=True, text=True
        ).stdout
        for name, p50, p99 in (line.split() for line in text.splitlines()):
            figures = int(p50), int(p99)
            best[name] = min(best.get(name, figures), figures)
    return best


def main():
    subprocess.run(["cargo", "build", "-q", "--release", "-p", "nizamd", "--example", "routes"], check=True)
    sizes = {size: measure(size) for size in SIZES}
    for size, figures in sizes.items():
        for name, (p50, p99) in figures.items():
            print(f"bench route.{name}.{size}.p50 {p50} ns target - report", flush=True)
            verdict = "ok" if p99 <= 10_000 else "short"
            print(f"bench route.{name}.{size}.p99 {p99} ns target <=10000 {verdict}", flush=True)
    first, last = SIZES[0], SIZES[-1]
    for name, (p50, _) in sizes[first].items():
        ratio = sizes[last][name][0] / p50
        verdict = "ok" if ratio <= 1.5 else "short"
        print(f"bench route.{name}.ratio {ratio:.2f} x target <=1.5 {verdict}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
