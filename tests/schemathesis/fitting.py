"""What makes a good request one that can be done: ids of rows that are there, and names that no other row has."""

import csv
import io
import itertools
import json
import os
import re

with open(os.environ["NIZAM_SEED"], encoding="utf-8") as seed:
    SEED = json.load(seed)
ROWS = SEED["rows"]
COUNT = itertools.count(1)
# What requests have named, and the ids of the rows that they have made, by the path of their collection.
TAKEN = set()
MADE = {}
IDS = set()

# What is unique in its table or its tenant, and another value of it.
UNIQUE = {
    "name": lambda name, n: f"{name[:200].strip()} {n}",
    "domain": lambda _, n: f"t{n}.example",
    "slug": lambda _, n: f"t-{n}",
    "email": lambda _, n: f"u{n}@example.org",
    "extension": lambda _, n: f"{20_000 + n}",
    "number": lambda _, n: f"+1555{n:07}",
    "mac_address": lambda _, n: f"02{n:010x}",
}

# The columns of both files that can be imported; a file may have more columns than are known.
COLUMNS = (
    "extension", "password", "directory_first_name", "directory_last_name",
    "number", "destination_type", "destination_id",
)


def path(case, name):
    """The id of a row that is there, for a parameter of the path; None where what was made stays."""
    method = case.method.upper()
    parent, _, last = case.operation.path.rpartition("/")
    if method == "DELETE" and last == "{" + name + "}":
        # What is deleted is what a request before has made.
        made = MADE.get(parent)
        return made.pop() if made else None
    if name == "tenant":
        if last == "bulk":
            # Ten thousand rows at once would be in every list and file of the others.
            return SEED["large_tenant"]
        return SEED["spare_tenant"] if method != "GET" and last == "{tenant}" else SEED["tenant"]
    return ROWS.get(name)


def made(case, answer):
    """Notes the row that a request has made."""
    if case.method.upper() == "POST" and answer.status_code == 201:
        row = answer.json()
        row = row.get("data", row)
        if isinstance(row, dict) and "id" in row:
            MADE.setdefault(case.operation.path, []).append(row["id"])
            IDS.add(row["id"])


def headers(values):
    """Each request is one of its own, and about the row as it is now."""
    if "Idempotency-Key" in values:
        values["Idempotency-Key"] = f"{values['Idempotency-Key'][:200]}-{next(COUNT)}"
    if "If-Match" in values:
        values["If-Match"] = "*"


def wrong_headers(values):
    """Blanks around a value are no part of it (RFC 9110, 5.5): what is wrong by them alone is made wrong in another way."""
    key = str(values.get("Idempotency-Key", ""))
    if key != key.strip() and re.fullmatch("[!-~]{1,255}", key.strip()):
        values["Idempotency-Key"] = f"{key.strip()} {key.strip()}"


def short(values):
    """The query of a stream that ends when all is told that is there; a time that is none stays."""
    timeout = str(values.get("timeout", "0")).strip()
    return {**values, "timeout": 0} if not timeout or re.fullmatch("[0-9]{1,3}", timeout) and int(timeout) <= 300 else values


def wrong_query(values):
    """Of a parameter that is given more than once the last one counts: what is wrong by that alone is made wrong in another way."""
    for name, value in values.items():
        values[name] = "no\x01thing" if isinstance(value, list) else unblank(value)


def unblank(value):
    """The value with characters that no text may have for the blanks at the ends of its texts. Those are cut off before a text is looked
    at: what is wrong by them alone, or by being so long with them, is made wrong in another way."""
    if isinstance(value, dict):
        return {key: unblank(part) for key, part in value.items()}
    if isinstance(value, list):
        return [unblank(part) for part in value]
    if not isinstance(value, str):
        return value
    rest = value.lstrip()
    begin, text = len(value) - len(rest), rest.rstrip()
    return "\x01" * begin + text + "\x01" * (len(rest) - len(text))


def body(case):
    """The body with ids of rows that are there, and with names that are not taken."""
    value = case.body
    if isinstance(value, str) and case.operation.path.endswith("/import"):
        return file(value)
    if not isinstance(value, dict):
        return value
    value = item(value)
    if "content" in value:
        value["content"] = SEED["recording"]
    if "password_confirmation" in value and "password" in value:
        value["password_confirmation"] = value["password"]
    if case.operation.path == "/auth/login":
        value.update(SEED["login"])
    if case.operation.path.endswith("/state") and value.get("state") == "paused" and not value.get("pause_reason"):
        value["pause_reason"] = "lunch"
    if case.operation.path.endswith("/agents") and SEED["free_extensions"]:
        value["extension_id"] = SEED["free_extensions"].pop()
    if case.operation.path.endswith("/members"):
        agents = MADE.get("/tenants/{tenant}/agents")
        value["agent_id"] = agents.pop() if agents else ROWS["agent"]
    return value


def item(value, name=None):
    """A part of a body."""
    if isinstance(value, dict):
        return destinations({key: item(part, key) for key, part in value.items()})
    if isinstance(value, list):
        if name in ("members", "gateways"):
            return [ROWS["extension" if name == "members" else "gateway"]] if value else value
        return [item(part) for part in distinct(value, {"nodes": "id", "options": "digit"}.get(name))]
    if not isinstance(value, str) or not value.strip():
        return value
    if name == "tenant_id":
        return SEED["tenant"]
    if name in ("extension_id", "agent_id", "holiday_id"):
        return ROWS[name.removesuffix("_id")]
    return untaken(name, value) if name in UNIQUE else value


def distinct(items, key):
    """Those that differ in that key from the ones before."""
    found = {str(part[key]).strip(): part for part in reversed(items)} if key else {}
    return list(reversed(found.values())) if key else items


def destinations(value):
    """The map with both parts of each destination, or neither: what is not said stays as it is in the row."""
    kinds = {key.removesuffix("_id") + "_type" for key in value if key.endswith("destination_id")}
    for kind in kinds | {key for key in value if key == "type" or key.endswith("destination_type")}:
        id = "id" if kind == "type" else kind.removesuffix("_type") + "_id"
        if kind != "type" and not value.get(kind):
            value[kind] = "extension" if value.get(id) else None
            value.setdefault(id, None)
        target = "extension" if value[kind] == "voicemail" else value[kind]
        if isinstance(target, str) and target in ROWS and (kind != "type" or id in value):
            value[id] = ROWS[target]
    return value


def untaken(name, value):
    """The value, or another one if there was a request with it."""
    if (name, value.strip().casefold()) in TAKEN:
        value = UNIQUE[name](value, next(COUNT))
    TAKEN.add((name, value.strip().casefold()))
    return value


def file(text):
    """A text as it is, or a file of rows with that text in it."""
    if len(text) % 2:
        return text
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(COLUMNS)
    for _ in range(1 + len(text) % 3):
        extension, number = untaken("extension", "1001"), untaken("number", "+15550001")
        lines.writerow((extension, "secret-pass", text.strip() or "A", "B", number, "extension", ROWS["extension"]))
    return out.getvalue()
