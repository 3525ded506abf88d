"""Makes a tenant with a row of everything, and prints their ids."""

import json
import sys
import urllib.request

base, token = sys.argv[1:]


def post(path, body, key=None):
    """The id of what was made, or that part of the answer."""
    request = urllib.request.Request(base + path, json.dumps(body).encode(), method="POST")
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        made = json.load(answer)
    return made["data"]["id"] if key is None else made[key]


tenant = post("/tenants", {"name": "seed", "domain": "seed.example"})
here = f"/tenants/{tenant}"
rows = {}
rows["extension"] = post(f"{here}/extensions", {
    "extension": "1001", "password": "secret-pass", "directory_first_name": "A", "directory_last_name": "B",
})
extension = rows["extension"]
to = {"destination_type": "extension", "destination_id": extension}
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
print(json.dumps({"base": base, "token": token, "tenant": tenant, "rows": rows}))
