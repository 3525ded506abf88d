"""A web server with one static document, as the fastest peer that mod_xml_curl can have."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from switch import free_port


class Document:
    """The document that the running server answers every request with."""

    def __init__(self, path, url):
        self.path = path
        self.url = url

    def become(self, text):
        """The next request gets this text."""
        new = self.path.with_suffix(".new")
        new.write_text(text)
        os.replace(new, self.path)

    def configuration(self, section):
        """The pair of file name and XML that makes mod_xml_curl ask for a section here, as its users have it."""
        return (
            "xml_curl.conf.xml",
            f'<configuration name="xml_curl.conf"><bindings><binding name="{section}">'
            f'<param name="gateway-url" value="{self.url}" bindings="{section}"/>'
            "</binding></bindings></configuration>\n",
        )


@contextlib.contextmanager
def web_server(home, text):
    """nginx on loopback that answers every request with the text; its Document, or None without nginx."""
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    if not nginx:
        print("no nginx (apt-get install nginx-light): mod_xml_curl is not measured", file=sys.stderr)
        yield None
        return
    home, port = Path(home), free_port()
    home.mkdir()
    document = Document(home / "document.xml", f"http://127.0.0.1:{port}/document.xml")
    document.become(text)
    owner = "user root;" if os.geteuid() == 0 else ""
    paths = "".join(f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    # A static file answers POST with 405; turned into 200 it is the cheapest answer that mod_xml_curl can get.
    (home / "nginx.conf").write_text(
        f"{owner} daemon off; worker_processes 1; pid {home}/pid; error_log {home}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {paths} default_type text/xml; keepalive_requests 1000000;\n"
        f"server {{ listen 127.0.0.1:{port}; root {home}; error_page 405 =200 /document.xml; }} }}\n"
    )
    process = subprocess.Popen([nginx, "-c", str(home / "nginx.conf"), "-p", str(home)], stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(urllib.request.Request(document.url, data=b"x=1"), timeout=5):
                    break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.05)
        yield document
    finally:
        process.terminate()
        process.wait()
