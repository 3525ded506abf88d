"""Makes a tenant with a row of everything, and prints their ids."""

import json
import sys
import urllib.request

base, token, email, password = sys.argv[1:]


def ask(path, body=None):
    """The answer to a GET, or to a POST of the body."""
    request = urllib.request.Request(base + path, None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def post(path, body):
    """The id of what was made."""
    made = ask(path, body)
    return made.get("data", made)["id"]


tenant = post("/tenants", {"name": "seed", "domain": "seed.example"})
here = f"/tenants/{tenant}"
rows = {}
rows["extension"] = post(f"{here}/extensions", {
    "extension": "1001", "password": "secret-pass", "directory_first_name": "A", "directory_last_name": "B",
})
extension = rows["extension"]
to = {"destination_type": "extension", "destination_id": extension}
# A WAV file of one sample.
recording = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA=="
rows["prompt"] = post(f"{here}/prompts", {"name": "hello", "content": recording})
rows["gateway"] = post(f"{here}/gateways", {"name": "carrier", "host": "sip.example.org"})
rows["holiday"] = post(f"{here}/holidays", {"name": "bank", "dates": ["12-25"]})
rows["did"] = post(f"{here}/dids", {"number": "+15550001", **to})
rows["ring_group"] = post(f"{here}/ring-groups", {"name": "sales", "members": [extension]})
rows["ivr"] = post(f"{here}/ivrs", {"name": "menu", "options": [{"digit": "1", **to}]})
rows["time_condition"] = post(f"{here}/time-conditions", {"name": "hours", "conditions": [{"wday": "mon-fri"}]})
rows["outbound_route"] = post(f"{here}/outbound-routes", {
    "name": "out", "patterns": ["9."], "gateways": [rows["gateway"]],
})
rows["call_routing_policy"] = post(f"{here}/call-routing-policies", {
    "name": "spam", "conditions": [{"type": "blacklist", "params": {"numbers": ["+1666"]}}],
})
rows["call_flow"] = post(f"{here}/call-flows", {
    "name": "flow", "nodes": [{"id": "a", "type": "hangup", "data": {"cause": "NORMAL_CLEARING"}}],
})
rows["queue"] = post(f"{here}/queues", {"name": "support"})
rows["agent"] = post(f"{here}/agents", {"name": "ann", "extension_id": extension})
rows["device_profile"] = post(f"{here}/device-profiles", {"name": "desk", "vendor": "yealink"})
rows["webhook"] = post(f"{here}/webhooks", {"url": "https://hooks.example.org/x", "events": ["call.hangup"]})
rows["audit_log"] = ask(f"{here}/audit-logs")["data"][0]["id"]
# Users and tenants that requests may change.
rows["user"] = post("/users", {
    "name": "bob", "email": "bob@example.org", "password": "correct horse battery", "role": "user", "tenant_id": tenant,
})
spare = post("/tenants", {"name": "spare", "domain": "spare.example"})
large = post("/tenants", {"name": "large", "domain": "large.example"})
# An extension has one agent.
free = ask(f"{here}/extensions/bulk", {"extensions": [
    {"extension": str(number), "password": "secret-pass", "directory_first_name": "A", "directory_last_name": "B"}
    for number in range(10_000, 11_000)
]})
print(json.dumps({
    "base": base, "bearer": token, "token": int(token.partition("|")[0]), "user": ask("/auth/me")["user"]["id"],
    "login": {"email": email, "password": password},
    "recording": recording, "tenant": tenant, "spare_tenant": spare, "large_tenant": large, "rows": rows,
    "free_extensions": [row["id"] for row in free["data"]],
}))
