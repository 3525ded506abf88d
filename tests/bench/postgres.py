"""A PostgreSQL for one measurement: its own data, every commit on the disk."""

import os
import pwd
import subprocess
import time
from pathlib import Path


class Postgres:
    """One server on a Unix socket. Use it in a `with` block: the process ends with it."""

    def __init__(self, home, settings=()):
        """`settings`: further arguments of the server."""
        self.settings = settings
        self.home = Path(home)
        self.home.mkdir(parents=True)
        self.process = None
        # PostgreSQL does not run as root.
        self.account = []
        if os.geteuid() == 0:
            self.account = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--"]
            user = pwd.getpwnam("postgres")
            os.chown(self.home, user.pw_uid, user.pw_gid)
            for directory in self.home.parents:
                # Directories of our own that are for their owner only.
                if directory.stat().st_mode & 0o005 == 0:
                    directory.chmod(directory.stat().st_mode | 0o005)

    @staticmethod
    def installed():
        """Where the newest version's programs are, if there is one."""
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        return found[-1].parent if found else None

    def __enter__(self):
        programs, data = self.installed(), self.home / "data"
        initdb = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "-D", data]
        subprocess.run([*self.account, programs / "initdb", *initdb], check=True, capture_output=True)
        with open(self.home / "log", "w") as log:
            settings = ["-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB", "-c", "jit=off"]
            command = [*self.account, programs / "postgres", "-D", data, "-k", self.home, "-h", "", *settings, *self.settings]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        end = time.monotonic() + 60
        while subprocess.run([programs / "pg_isready", "-q", "-h", self.home]).returncode != 0:
            if time.monotonic() > end:
                raise TimeoutError((self.home / "log").read_text())
            time.sleep(0.1)
        return self

    def __exit__(self, *_):
        self.process.send_signal(2)
        self.process.wait(60)

    def rows(self, database, query):
        """The rows of an answer, each a list of texts."""
        command = [self.installed() / "psql", "-U", "postgres", "-h", self.home, "-d", database, "-AtX", "-F", "\x1f", "-c", query]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return [line.split("\x1f") for line in text.splitlines()]

    def database(self, name):
        """The URL of a new database."""
        subprocess.run([self.installed() / "createdb", "-U", "postgres", "-h", self.home, name], check=True)
        return f"postgres://postgres@localhost/{name}?host={self.home}"
