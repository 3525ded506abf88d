"""What a measurement inside FreeSWITCH is made of: mod_nizambench, mod_nizam and images of many extensions."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from switch import PREFIX, ROOT, first

# What tests/bench_images.rs puts into the first tenant of every image.
DOMAIN, DID = "t0.bench.test", "155500000000"


def stopwatch(home):
    """Builds mod_nizambench against the headers of the installed FreeSWITCH."""
    built = home / "mod_nizambench.so"
    include = first(PREFIX / "include/freeswitch", PREFIX / "include")
    sources = sorted(map(str, (ROOT / "tests/bench").glob("mod_nizambench*.c")))
    subprocess.run(["cc", "-O2", "-fPIC", "-shared", f"-I{include}", *sources, "-o", str(built)], check=True)
    return built


def module(home):
    """mod_nizam of the release build, under the name that FreeSWITCH wants."""
    binaries = Path(os.environ["NIZAM_BIN_DIR"])
    named = home / "mod_nizam.so"
    shutil.copy(first(binaries / "mod_nizam.so", binaries / "libmod_nizam.so"), named)
    return named


def images(home, sizes):
    """Snapshots of all sizes, made by the release build of tests/bench_images.rs: a directory each below the one returned."""
    made = home / "images"
    environment = dict(os.environ, NIZAM_BENCH_IMAGES=str(made), NIZAM_BENCH_SIZES=",".join(map(str, sizes)))
    environment.pop("NIZAM_BIN_DIR")
    subprocess.run(
        ["cargo", "test", "--quiet", "--release", "--test", "bench_images"],
        check=True, cwd=ROOT, env=environment, stdout=sys.stderr,
    )
    return made
