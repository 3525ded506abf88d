"""The lines of make bench, and what is compared in them."""

import re
import statistics


def report(name, value, unit, target=None, good=None):
    """One line of make bench."""
    verdict = "report" if good is None else "ok" if good else "short"
    print(f"bench {name} {value} {unit} target {target or '-'} {verdict}", flush=True)


def timed(answer, count, what):
    """Median and 99th percentile, in nanoseconds, of what mod_nizambench said about `count` tries, all of which must have found something."""
    figures = {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", answer)}
    if figures["found"] != count:
        raise RuntimeError(f"{what}: only {figures['found']} of {count} found")
    return figures["p50"], figures["p99"]


def median_of(rounds, subject, place=0):
    """Median over the rounds of one of the subject's figures."""
    return statistics.median(one[subject][place] for one in rounds)


def ratio_of(rounds, subject, base):
    """Median over the rounds of the ratio of two medians of the same round."""
    return statistics.median(one[subject][0] / one[base][0] for one in rounds)
