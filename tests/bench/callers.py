"""sipp as the callers of a switch."""

import shutil
import subprocess

from switch import ROOT, free_port

SIPP = shutil.which("sipp")


def call_ids(mark, count):
    """The Call-IDs of `count` calls of that mark: sipp numbers its calls from one on."""
    return {f"{n}-{mark}@127.0.0.1" for n in range(1, count + 1)}


def call(home, port, number, count, at_once, rate=100000, mark="%p"):
    """Makes `count` calls to the number, at most `at_once` of them at any time and `rate` a second: calls a second, and the 99th percentile of the time from INVITE
    to the refusal in seconds. Every call must be refused with 404. `mark` is in their Call-IDs (`call_ids`), else the id of the process."""
    home.mkdir(exist_ok=True)
    for old in home.glob("*_rtt.csv"):
        old.unlink()
    command = [
        SIPP, f"127.0.0.1:{port}", "-i", "127.0.0.1", "-p", str(free_port()), "-sf", str(ROOT / "tests/sip/stranger.xml"),
        "-s", number, "-m", str(count), "-l", str(at_once), "-r", str(rate), "-nostdin", "-trace_rtt", "-rtt_freq", "1",
        "-timeout", "120", "-timeout_error", "-cid_str", f"%u-{mark}@%s",
    ]
    ended = subprocess.run(command, cwd=home, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"sipp ended with {ended.returncode}: {(ended.stdout + ended.stderr)[-2000:]}")
    (trace,) = home.glob("*_rtt.csv")
    # A line a call: when it was refused and after how long, in milliseconds.
    lines = [line.split(";") for line in trace.read_text().splitlines()[1:]]
    ends, times = [float(line[0]) for line in lines], sorted(float(line[1]) for line in lines)
    if len(lines) != count:
        raise RuntimeError(f"sipp wrote down {len(lines)} of {count} calls")
    began = min(float(end) - float(time) for end, time, *_ in lines)
    return count / (max(ends) - began) * 1000, times[len(times) - 1 - len(times) // 100] / 1000
