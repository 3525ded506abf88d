//! What becomes of files that are damaged or gone.

use super::*;

#[test]
fn a_torn_tail_is_cut_at_the_last_whole_record() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    let id = running.spool.incarnation();
    for event in [b"first".as_slice(), b"second event", b"third"] {
        assert!(running.spool.push(event, Class::Trace));
    }
    running.stop();
    let path = dir.path().join(format!("spool/{}-{:020}.seg", hex(id), 1));
    let bytes = fs::read(&path).unwrap();
    let ends = [32, 32 + 32, 32 + 32 + 40, 32 + 32 + 40 + 32];
    assert_eq!(bytes.len(), ends[3]);
    for length in 0..=bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let (found, cut) = segment::recover(&path, id, 1).unwrap();
        let whole = ends.iter().rposition(|end| *end <= length);
        assert_eq!(found.last, whole.map_or(0, |whole| whole as u64), "{length}");
        assert_eq!(cut, (length - whole.map_or(0, |whole| ends[whole])) as u64, "{length}");
        if found.last > 0 {
            assert_eq!(fs::metadata(&path).unwrap().len(), found.bytes);
        }
    }
    for at in 32..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        fs::write(&path, &damaged).unwrap();
        let (found, _) = segment::recover(&path, id, 1).unwrap();
        let record = ends.iter().rposition(|end| *end <= at).unwrap() as u64;
        // Of the zeroes behind an event nothing depends.
        let padding = (61..64).contains(&at) || (100..104).contains(&at) || (133..136).contains(&at);
        assert!(padding || (found.last <= record), "{at}: {found:?}");
    }
    fs::write(&path, b"something else that is long enough").unwrap();
    let running = Running::start(settings(dir.path()));
    until("it is put aside", || path.with_extension("bad").exists());
    running.stop();
}

#[test]
fn what_damage_takes_is_counted_and_told() {
    for sent in [true, false] {
        for at in [40, 32 + 1024 * 60 + 40, 4] {
            let dir = TempDir::new().unwrap();
            let running = Running::start(settings(dir.path()));
            let id = running.spool.incarnation();
            for number in 1..=100 {
                let class = if number % 10 == 0 { Class::Final } else { Class::Trace };
                assert!(running.spool.push(&[7; 1000], class));
            }
            until("it is written", || running.spool.status().written == 100);
            let path = Segment::new(1).path(&dir.path().join("spool"), id);
            let damage = || {
                let mut bytes = fs::read(&path).unwrap();
                bytes[at] ^= 1;
                fs::write(&path, bytes).unwrap();
            };
            // While it is sent, or before the next load.
            let running = if sent {
                damage();
                running
            } else {
                running.stop();
                damage();
                Running::start(settings(dir.path()))
            };
            let left = if at == 32 + 1024 * 60 + 40 { 60 } else { 0 };
            let (mut sender, mut stored, mut dropped) = (Sender::new(), 0, 0);
            until("it is told", || {
                if let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
                    assert_eq!(batch.incarnation, id);
                    (stored, dropped) = (stored + batch.events.len() as u64, batch.dropped);
                }
                dropped > 0
            });
            assert_eq!((stored, dropped), (left, 100 - left), "{sent} {at}");
            let status = running.spool.status();
            assert_eq!(status.disk_dropped.sum(), 100 - left, "{sent} {at}");
            assert!(status.disk_dropped.finals >= (100 - left) / 10, "{sent} {at}");
            assert!(running.notes.lock().iter().any(|note| note.contains(&format!("{} events", 100 - left))));
            running.stop();
        }
    }
}

#[test]
fn rings_that_are_too_many_are_counted() {
    let dir = TempDir::new().unwrap();
    for _ in 0..5 {
        let spool = Spool::new(settings(dir.path())).unwrap();
        assert!(spool.push(b"trace", Class::Trace) && spool.push(b"final", Class::Final));
    }
    let running = Running::start(settings(dir.path()));
    until("it is open", || running.spool.status().earlier == 5);
    assert_eq!(running.spool.status().disk_dropped, Drops { traces: 1, finals: 1 });
    running.stop();
}

#[test]
fn damage_is_not_written_away_and_is_counted_when_its_segment_goes() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    for number in 0..2 {
        let (bytes, heads) = records(number * 300 + 1..number * 300 + 301);
        store.append(id, &bytes, &heads, false).unwrap();
        store.close();
    }
    store.ack(id, 20).unwrap();
    let path = store.lives[0].segments[0].path(dir.path(), id);
    let mut bytes = fs::read(&path).unwrap();
    bytes[32 + 1024 * 60 + 40] ^= 1;
    fs::write(&path, bytes).unwrap();
    assert!(store.shed().unwrap());
    let traces: Vec<u64> = store.lives[0].segments.iter().map(|it| it.counts[0]).collect();
    assert_eq!(traces, [270, 0], "it is passed over, for whoever reads it to find");
    store.make_room(2 << 20).unwrap();
    assert!(store.lives[0].segments.is_empty());
    assert_eq!(store.lives[0].disk_dropped.iter().sum::<u64>(), 600 - 20);
}

#[test]
fn a_segment_that_somebody_deleted_holds_nothing_up() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    for _ in 0..100 {
        assert!(running.spool.push(&[7; 1000], Class::Trace));
    }
    until("it is written", || running.spool.status().written == 100);
    let id = running.spool.incarnation();
    fs::remove_file(Segment::new(1).path(&dir.path().join("spool"), id)).unwrap();
    let (mut sender, mut dropped) = (Sender::new(), 0);
    until("it is told", || {
        if let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
            dropped = batch.dropped;
        }
        dropped > 0
    });
    assert_eq!(dropped, 100);
    assert!(running.spool.push(b"later", Class::Final));
    let mut later = None;
    until("what comes later is sent", || {
        if let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
            later = batch.events.first().cloned();
        }
        later.is_some()
    });
    assert_eq!(later, Some((101, b"later".to_vec())));
    sender.ack(&running.spool, id, 101);
    until("it is acknowledged", || running.spool.status().acknowledged == 101);
    running.stop();
}

#[test]
fn a_leftover_that_is_no_ring_stops_nothing() {
    let dir = TempDir::new().unwrap();
    for (name, bytes) in
        [("ring", vec![1; 300 << 10]), ("ring.0123456789abcdef0123456789abcdef", vec![0; 100])]
    {
        fs::write(dir.path().join(name), bytes).unwrap();
    }
    let running = Running::start(settings(dir.path()));
    until("it is told", || running.warnings() == 1);
    assert!(running.spool.push(b"kept", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    running.stop();
}

#[test]
fn damage_in_a_ring_loses_what_follows_it_only() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::new(settings(dir.path())).unwrap();
    for event in [b"first".as_slice(), b"second", b"third"] {
        assert!(spool.push(event, Class::Trace));
    }
    drop(spool);
    let mut bytes = fs::read(dir.path().join("ring")).unwrap();
    let second = bytes.windows(6).position(|window| window == b"second").unwrap();
    bytes[second] ^= 1;
    fs::write(dir.path().join("ring"), bytes).unwrap();
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events(), [b"first".to_vec()]);
    assert_eq!(daemon.dropped.values().collect::<Vec<_>>(), [&2]);
    assert!(running.notes.lock().iter().any(|note| note.contains("at least 2 events")));
    running.stop();
}
