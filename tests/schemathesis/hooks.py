"""Ids that are there: without them every path would end at 404, and every reference at 422."""

import json
import os

import re
import urllib.request

import schemathesis
from schemathesis.core.parameters import ParameterLocation

SEED = json.loads(os.environ["NIZAM_SEED"])

# What data that fits the schema may be refused for: rules between rows, which no schema can hold.
BETWEEN_ROWS = re.compile(
    r"has already been taken|already exists|quota exceeded|The selected .* is invalid|does not belong to this tenant"
    r"|is required when .* is present|must be a date after|was used for another request|has a duplicate value"
    r"|is already a member|must be a valid date|vendor field is required|confirmation does not match"
    # The names of time zones.
    r"|of the IANA database"
    # Free JSON: what texts may hold at any depth.
    r"|^The (settings|nodes\.\d+\.data) field must not contain control characters"
)


def ends(operation):
    """Whether the operation could end the tenant that every other request is about."""
    return operation.path == "/tenants/{tenant}" and operation.method.upper() in ("PUT", "PATCH", "DELETE")


@schemathesis.hook
def before_call(context, case, kwargs):
    """Good requests get ids that are there; what is wrong on purpose stays wrong. Nobody changes or deletes the user and the
    token that the requests come with, nor the tenant that they are about, whatever made the request."""
    paths = case.path_parameters or {}
    deletes = case.method.upper() == "DELETE"
    if not wrong(case, ParameterLocation.PATH):
        for name in paths:
            if name == "tenant" and not ends(case.operation):
                paths[name] = SEED["tenant"]
            elif name in SEED["rows"] and not deletes:
                paths[name] = SEED["rows"][name]
    if case.method.upper() not in ("GET", "HEAD", "OPTIONS"):
        for name, value in paths.items():
            if name in ("user", "token") and str(value).isdigit():
                paths[name] = int(value) + 1_000_000
            elif name == "tenant" and value == SEED["tenant"] and ends(case.operation):
                paths[name] = "00000000-0000-0000-0000-000000000000"
    if isinstance(case.body, dict) and not wrong(case, ParameterLocation.BODY):
        body = case.body
        if "password_confirmation" in body and "password" in body:
            body = {**body, "password_confirmation": body["password"]}
        case.body = with_ids(body)


def wrong(case, location):
    """Whether that part of a request is wrong on purpose."""
    return case.meta is None or case.meta.is_negative_at(location)


def with_ids(value, name=None):
    """The value with ids of rows that are there."""
    rows = SEED["rows"]
    if isinstance(value, dict):
        value = {key: with_ids(item, key) for key, item in value.items()}
        for kind in [key for key in value if key == "type" or key.endswith("destination_type")]:
            other = "id" if kind == "type" else kind.replace("_type", "_id")
            target = "extension" if value[kind] == "voicemail" else value[kind]
            if isinstance(target, str) and target in rows and other in value:
                value[other] = rows[target]
        return value
    if isinstance(value, list):
        if name == "members":
            return [rows["extension"]] if value else value
        if name == "gateways":
            return [rows["gateway"]] if value else value
        return [with_ids(item) for item in value]
    if isinstance(value, str) and name in ("extension_id", "agent_id", "holiday_id", "tenant_id"):
        return SEED["tenant"] if name == "tenant_id" else rows[name.removesuffix("_id")]
    return value


@schemathesis.auth(refresh_interval=None)
class Token:
    """The admin's token; signing out ends a token of its own."""

    def get(self, case, context):
        if case.operation.path != "/auth/logout":
            return SEED["token"]
        request = urllib.request.Request(SEED["base"] + "/auth/tokens", b'{"name":"once"}', method="POST")
        request.add_header("Authorization", f"Bearer {SEED['token']}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["plainTextToken"]

    def set(self, case, data, context):
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.check
def refused_only_for_rules_between_rows(context, response, case):
    """422 for data that fits the schema is right only where another row stands against it."""
    if response.status_code != 422 or not case.meta or case.meta.generation.mode.is_negative:
        return
    if case.operation.path.endswith("/import"):
        # Any text is a text; whether it is a file of rows no schema says.
        return
    body = response.json()
    messages = [text for texts in body.get("errors", {}).values() for text in texts] or [body["message"]]
    strange = [text for text in messages if not BETWEEN_ROWS.search(text)]
    assert not strange, f"data that fits the schema was refused: {strange}"
