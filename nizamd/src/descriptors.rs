//! How many file descriptors this process may have: each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Descriptors for all that is no client: the database, the switches, webhooks, files.
const OTHERS: usize = 324;

/// Raises the limit as far as so many connections need it, and the system allows. Gives the connections that there can be; fewer are said
/// in the log.
pub(crate) fn for_connections(wanted: usize) -> usize {
    let need = u64::try_from(wanted.saturating_add(OTHERS)).unwrap_or(u64::MAX);
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < need) {
        limit.current = Some(limit.maximum.map_or(need, |maximum| maximum.min(need)));
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, "the limit of file descriptors is not raised");
        }
    }
    let Some(current) = getrlimit(Resource::Nofile).current else { return wanted };
    let possible = possible(wanted, current);
    if possible < wanted {
        tracing::warn!(
            connections = wanted,
            possible,
            descriptors = current,
            "there are fewer connections than configured: raise the limit of file descriptors (LimitNOFILE= of the service, ulimit -n) to {need}, \
             or lower NIZAM_CONNECTIONS (key connections)"
        );
    }
    possible
}

/// Of a limit that is too low most are for clients, and half at least of a tiny one.
fn possible(wanted: usize, descriptors: u64) -> usize {
    let descriptors = usize::try_from(descriptors).unwrap_or(usize::MAX);
    wanted.min(descriptors.saturating_sub(OTHERS).max(descriptors / 2)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_to_others() {
        assert_eq!(possible(12_000, 65_536), 12_000);
        assert_eq!(possible(12_000, 1024), 700);
        assert_eq!(possible(12_000, 400), 200);
        assert_eq!(possible(12_000, 0), 1);
        assert_eq!(possible(10, 1024), 10);
    }
}
