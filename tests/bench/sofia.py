"""SIP for a switch that is measured: the shipped external profile, once for each dialplan."""

import xml.etree.ElementTree as ElementTree

from switch import ROOT, free_port


class Profiles:
    """One profile for each of the dialplans, on a port of its own. Whoever calls is in that context."""

    def __init__(self, context, dialplans):
        self.ports = {dialplan: free_port() for dialplan in dialplans}
        root = ElementTree.parse(ROOT / "conf/freeswitch/autoload_configs/sofia.conf.xml").getroot()
        profiles = root.find("profiles")
        external = ElementTree.tostring(profiles.find("profile[@name='external']"))
        for profile in list(profiles):
            profiles.remove(profile)
        for dialplan, port in self.ports.items():
            profile = ElementTree.fromstring(external)
            profile.set("name", dialplan.lower())
            # No trunks: nothing is to be asked for when the profile starts.
            profile.find("domains").clear()
            own = {"dialplan": dialplan, "context": context, "sip-port": str(port)}
            for param in profile.iter("param"):
                param.set("value", own.get(param.get("name"), param.get("value")))
            # mod_sofia silently drops what comes beyond 1,000 requests a second: callers would time its retransmissions.
            ElementTree.SubElement(profile.find("settings"), "param", name="max-recv-requests-per-second", value="0")
            profiles.append(profile)
        self.configuration = ("sofia.conf.xml", ElementTree.tostring(root, encoding="unicode"))

    @staticmethod
    def variables():
        """What the profiles read of vars.xml, and no bound on calls."""
        names = ("sip_ip", "rtp_ip", "external_sip_ip", "external_rtp_ip")
        return [*((name, "127.0.0.1") for name in names), ("max_sessions", "100000"), ("sessions_per_second", "1000000")]
