"""SIP for a switch that is measured: the shipped external profile, with a dialplan and a context of one's own."""

import xml.etree.ElementTree as ElementTree

from switch import ROOT, free_port


class Profile:
    """A profile on a port of its own, whose callers are in that context."""

    # What it reads of vars.xml, and no bound on calls.
    VARIABLES = (
        *((name, "127.0.0.1") for name in ("sip_ip", "rtp_ip", "external_sip_ip", "external_rtp_ip")),
        ("max_sessions", "100000"), ("sessions_per_second", "1000000"),
    )

    def __init__(self, context, dialplan):
        self.port = free_port()
        root = ElementTree.parse(ROOT / "conf/freeswitch/autoload_configs/sofia.conf.xml").getroot()
        profiles = root.find("profiles")
        profiles.remove(profiles.find("profile[@name='internal']"))
        profile = profiles.find("profile[@name='external']")
        # No trunks: nothing is to be asked for when the profile starts.
        profile.find("domains").clear()
        # mod_sofia silently drops what comes beyond a limit: callers would time its retransmissions.
        own = {
            "dialplan": dialplan, "context": context, "sip-port": str(self.port), "max-recv-requests-per-second": "0",
        }
        for param in profile.iter("param"):
            param.set("value", own.get(param.get("name"), param.get("value")))
        self.configuration = ("sofia.conf.xml", ElementTree.tostring(root, encoding="unicode"))
