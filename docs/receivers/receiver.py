#!/usr/bin/env python3
"""A receiver of NIZAM's webhooks, with nothing but Python's own library.

    NIZAM_WEBHOOK_SECRETS='the secret' python3 receiver.py [PORT]

While a secret is being changed, put both there, each in a line of its own. What is good is printed, one JSON object a line.
"""

import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# Seconds that a delivery may be old, or ahead of this clock. Every attempt has a time of its own.
TOLERANCE = 300
# Bytes of a body.
LARGEST = 1 << 20
# Ids that are remembered. One that is kept in a database, with what was done, outlives a restart.
REMEMBERED = 100_000


def verify(secrets, headers, body, now=None):
    """Whether the body is NIZAM's and fresh; says what is wrong where it is not."""
    timestamp = headers.get("X-Nizam-Timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) < 16):
        return "no timestamp"
    if abs((time.time() if now is None else now) - int(timestamp)) > TOLERANCE:
        return "too old, or from the future"
    # The body as it came: JSON that is read and written again is another text.
    signed = timestamp.encode() + b"." + body
    # The second header is there while a secret is being changed.
    names = ("X-Nizam-Signature", "X-Nizam-Signature-Previous")
    given = [headers[name].encode() for name in names if headers.get(name)]
    for secret in secrets:
        own = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
        # A comparison that ends at the first difference would tell how much was right.
        if any(hmac.compare_digest(own, one) for one in given):
            return None
    return "no good signature"


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    secrets = [line for line in os.environ.get("NIZAM_WEBHOOK_SECRETS", "").splitlines() if line]
    seen = {}

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > LARGEST:
            self.close_connection = True
            return self.answer(413)
        body = self.rfile.read(int(length))
        wrong = verify(self.secrets, self.headers, body)
        if wrong:
            return self.answer(401, wrong)
        content = json.loads(body)
        # The same event may come twice: its id is the same. That of the body is signed; a mapping may have left it out.
        event = content.get("id") or self.headers.get("Webhook-Id")
        again = event in self.seen
        self.seen[event] = None
        while len(self.seen) > REMEMBERED:
            self.seen.pop(next(iter(self.seen)))
        if not again:
            print(json.dumps({"id": event, "event": self.headers.get("X-Nizam-Event"), "body": content}), flush=True)
        # First the answer, then the work: what takes long belongs into a queue.
        self.answer(204)

    def answer(self, status, text=""):
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    if not Receiver.secrets:
        sys.exit("NIZAM_WEBHOOK_SECRETS is empty: nothing could be verified.")
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Receiver)
    print(json.dumps({"listening": server.server_address[1]}), flush=True)
    server.serve_forever()
