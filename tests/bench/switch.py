"""A FreeSWITCH for one measurement: its own directories, a chosen set of modules."""

import os
import secrets
import shutil
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PREFIX = Path(os.environ.get("BENCH_SWITCH") or "/nonexistent")


def first(*paths):
    """The first of the paths that exists."""
    for path in paths:
        if path.exists():
            return path
    raise FileNotFoundError(f"none of {', '.join(map(str, paths))}")


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Switch:
    """One running instance. Use it in a `with` block: the process ends with it."""

    def __init__(self, home, modules, variables=(), configuration=(), directory="", dialplan=""):
        """`modules` in load order, each a name or a path; `configuration` as pairs of file name and XML; the contexts `dialplan` are asked
        before the shipped ones."""
        self.home = Path(home)
        self.port = free_port()
        self.password = secrets.token_hex(20)
        self.process = None
        conf = self.home / "conf"
        shutil.copytree(ROOT / "conf/freeswitch", conf)
        for name in ("log", "run", "db", "storage", "recordings", "temp", "mod"):
            (self.home / name).mkdir()
        installed = first(PREFIX / "lib/freeswitch/mod", PREFIX / "mod", PREFIX / "lib/mod")
        names = []
        for module in [*modules, "mod_event_socket", "mod_commands", "mod_logfile"]:
            source = Path(module) if "/" in str(module) else installed / f"{module}.so"
            name = source.name.removeprefix("lib")
            shutil.copy(first(source), self.home / "mod" / name)
            names.append(name.removesuffix(".so"))
        loads = "".join(f'<load module="{name}"/>\n' for name in names)
        files = {
            "modules.conf.xml": f'<configuration name="modules.conf"><modules>\n{loads}</modules></configuration>\n',
            **dict(configuration),
        }
        for name, text in files.items():
            (conf / "autoload_configs" / name).write_text(text)
        # What is killed would leave its ring in /dev/shm for ever; and what one switch did not get rid of, another one with its images
        # would tell.
        settings = conf / "autoload_configs/nizam.conf.xml"
        text = settings.read_text()
        for name, usual, own in (("ring", "/dev/shm/nizam.ring", "events.ring"), ("spool", "/var/lib/nizam/spool", "spool")):
            comment = f'<!-- <param name="{name}" value="{usual}"/> -->'
            if comment not in text:
                raise RuntimeError(f"{settings} has no {comment}")
            text = text.replace(comment, f'<param name="{name}" value="{self.home}/{own}"/>')
        settings.write_text(text)
        own = {"event_socket_port": self.port, "event_socket_password": self.password, **dict(variables)}
        sets = "".join(f'<X-PRE-PROCESS cmd="set" data="{name}={value}"/>\n' for name, value in own.items())
        (conf / "vars.d/instance.xml").write_text(f"<include>\n{sets}</include>\n")
        if directory:
            (conf / "directory/users.xml").write_text(f"<include>\n{directory}\n</include>\n")
        if dialplan:
            # Included in the order of their names; the first context of a name counts.
            (conf / "dialplan/a.xml").write_text(f"<include>\n{dialplan}\n</include>\n")

    def __enter__(self):
        options = []
        for option in ("conf", "log", "run", "db", "storage", "recordings", "temp", "mod"):
            options += [f"-{option}", str(self.home / option)]
        environment = dict(os.environ, LD_LIBRARY_PATH=str(PREFIX / "lib"))
        with open(self.home / "output", "w") as output:
            self.process = subprocess.Popen(
                [str(first(PREFIX / "bin/freeswitch", PREFIX / "freeswitch")), "-nf", "-nc", "-np", "-nonat", *options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=self.home, env=environment,
            )
        try:
            self.await_answer()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def await_answer(self, limit=60):
        """Waits until the event socket takes commands."""
        end = time.monotonic() + limit
        while True:
            if self.process.poll() is not None:
                raise RuntimeError(f"FreeSWITCH ended: {(self.home / 'output').read_text()[-2000:]}")
            try:
                if "ready" in self.api("status"):
                    return
            except OSError:
                pass
            if time.monotonic() > end:
                raise TimeoutError("FreeSWITCH does not answer")
            time.sleep(0.05)

    def processor_seconds(self):
        """What FreeSWITCH has used of all processors until now (proc(5), stat: utime and stime)."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def api(self, command):
        """Runs a command over the event socket (mod_event_socket.c, parse_command) and returns what it prints."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=600) as connection:
            stream = connection.makefile("rb")
            connection.sendall(f"auth {self.password}\n\napi {command}\n\n".encode())
            while True:
                headers = {}
                while (line := stream.readline()) not in (b"\n", b""):
                    name, _, value = line.decode().strip().partition(": ")
                    headers[name] = value
                if not headers:
                    raise ConnectionError("the event socket closed")
                body = stream.read(int(headers.get("Content-Length", 0)))
                if headers.get("Content-Type") == "api/response":
                    return body.decode()

    def ok(self, command):
        """Runs a command that must answer +OK."""
        answer = self.api(command)
        if not answer.startswith("+OK"):
            raise RuntimeError(f"{command}: {answer.strip()}")
        return answer
