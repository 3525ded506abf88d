//! How the switches stand, as this process knows without asking them.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::whole;
use crate::publisher::SwitchStatus;

/// Which switch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Switch {
    pub(super) switch: String,
}

pub(super) fn register(registry: &mut Registry, switches: &[SwitchStatus]) {
    let [connected, generation, waiting] = [(); 3].map(|()| Family::<Switch, Gauge>::default());
    let dropped = Family::<Switch, Counter>::default();
    for status in switches {
        let switch = Switch { switch: status.name.clone() };
        connected.get_or_create(&switch).set(i64::from(status.connected));
        generation.get_or_create(&switch).set(whole(status.generation));
        let behind = status.told.received.saturating_sub(status.told.stored);
        waiting.get_or_create(&switch).set(whole(behind));
        dropped.get_or_create(&switch).inc_by(status.told.dropped);
    }
    registry.register("link_up", "1 while the module of the switch is connected", connected);
    registry.register("switch_generation", "The generation that the switch answers with", generation);
    registry.register("events_waiting", "Events that came from the switch and are not stored yet", waiting);
    registry.register("events_dropped", "Events that the switch had no room for", dropped);
}
