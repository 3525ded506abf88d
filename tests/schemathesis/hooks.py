"""How requests are made to fit what is there, and a check of our own. Without ids of rows that are there every path would end at
404, and every reference at 422."""

import json
import re
import urllib.request

import fitting
import schemathesis
from fitting import ROWS, SEED
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation.meta import TestPhase

# What data that fits the schema may be refused for: rules between rows, which no schema can hold.
BETWEEN_ROWS = re.compile(
    r"has already been taken|already exists|quota exceeded|The selected .* is invalid|does not belong to this tenant"
    r"|must be a date after|has a duplicate value|is already a member|must be a valid date|vendor field is required"
    # The names of time zones, and of countries.
    r"|of the IANA database|an ISO 3166 code"
    # Numbers of events that are there.
    r"|^There is no such event"
    # Where webhooks may go, the operator says.
    r"|^The url field must be a URL that a webhook may reach"
    # Free JSON: what texts may hold at any depth.
    r"|^The (settings|nodes\.\d+\.data) field must not contain control characters"
    r"|^The options field must not contain NUL characters"
    # The tenant's own domain.
    r"|^The context field must be public or "
)


def plain(value):
    """An id as the server reads it."""
    return str(value).strip().lower().lstrip("+0")


# What the requests themselves live on, and the rows that the other requests are about.
OWN = {plain(SEED[name]) for name in ("user", "token", "tenant", "large_tenant")}
KEPT = OWN | {plain(row) for row in (*ROWS.values(), SEED["spare_tenant"])}


@schemathesis.hook
def before_call(context, case, kwargs):
    """Good requests get what is there; what is wrong on purpose stays wrong."""
    if not wrong(case, ParameterLocation.PATH):
        for name, value in (case.path_parameters or {}).items():
            # A row that a step before has made is what the step is about.
            if case.meta.phase.name == TestPhase.STATEFUL and value in fitting.IDS:
                continue
            row = fitting.path(case, name)
            if row is not None:
                case.path_parameters[name] = row
    if wrong(case, ParameterLocation.HEADER):
        fitting.wrong_headers(case.headers)
    else:
        fitting.headers(case.headers)
    if wrong(case, ParameterLocation.QUERY):
        fitting.wrong_query(case.query or {})
    body = fitting.unblank(case.body) if wrong(case, ParameterLocation.BODY) else fitting.body(case)
    if body != case.body:
        case.body = body
    if case.operation.path.endswith("/stream"):
        case.query = fitting.short(case.query or {})
    keep(case)


@schemathesis.hook
def after_call(context, case, response):
    """Notes what was made."""
    fitting.made(case, response)


def keep(case):
    """Nobody deletes a row that other requests are about, nor changes the user and the tenant of the run, whatever made the
    request."""
    kept = {"DELETE": KEPT, "PUT": OWN, "PATCH": OWN}.get(case.method.upper(), ())
    last = case.operation.path.rpartition("/")[2].strip("{}")
    parameters = case.path_parameters or {}
    if last in parameters and plain(parameters[last]) in kept:
        of_number = last in ("user", "token")
        parameters[last] = 1_000_000_000 if of_number else "00000000-0000-0000-0000-000000000000"


def wrong(case, location):
    """Whether that part of a request is wrong on purpose."""
    return case.meta is None or case.meta.is_negative_at(location)


@schemathesis.auth(refresh_interval=None)
class Token:
    """The admin's token; signing out ends a token of its own."""

    def get(self, case, context):
        if case.operation.path != "/auth/logout":
            return SEED["bearer"]
        request = urllib.request.Request(SEED["base"] + "/auth/tokens", b'{"name":"once"}', method="POST")
        request.add_header("Authorization", f"Bearer {SEED['bearer']}")
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
