"""Ids that are there: without them every path would end at 404, and every reference at 422."""

import json
import os

import re
import urllib.request

import schemathesis

SEED = json.loads(os.environ["NIZAM_SEED"])

# What data that fits the schema may be refused for: rules between rows, which no schema can hold.
BETWEEN_ROWS = re.compile(
    r"has already been taken|already exists|quota exceeded|The selected .* is invalid|does not belong to this tenant"
    r"|is required when .* is present|must be a date after|was used for another request|has a duplicate value"
    r"|is already a member|must be a valid date|vendor field is required|confirmation does not match"
)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Mostly the tenant and the rows that were seeded; what deletes finds nothing, so that they stay."""
    if not path_parameters:
        return path_parameters
    method = context.operation.method.upper()
    deletes = method == "DELETE"
    for name in ("user", "token"):
        # Nobody changes or deletes the user and the token that the requests come with.
        if name in path_parameters and method != "GET" and str(path_parameters[name]).isdigit():
            path_parameters[name] = int(path_parameters[name]) + 1_000_000
    spared = context.operation.path == "/tenants/{tenant}" and method in ("PUT", "PATCH", "DELETE")
    for name, value in path_parameters.items():
        if name == "tenant" and not spared:
            path_parameters[name] = SEED["tenant"]
        elif name in SEED["rows"] and not deletes:
            path_parameters[name] = SEED["rows"][name]
    return path_parameters


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


@schemathesis.hook
def map_body(context, body):
    """Good bodies get ids that are there; what is wrong on purpose stays wrong."""
    mode = getattr(context, "generation_mode", None)
    if mode is not None and "negative" in str(mode).lower():
        return body
    if isinstance(body, dict) and "password_confirmation" in body and "password" in body:
        body = {**body, "password_confirmation": body["password"]}
    return with_ids(body) if isinstance(body, dict) else body


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
