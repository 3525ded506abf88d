//! What goes when there is no room, and what does not.

use super::*;

const FULL: Disk = Disk { write: |_, _| Err(no_room()), allocate: |_, _| Err(no_room()) };

const HALF: Disk = Disk {
    write: |file, bytes| {
        file.write_all(&bytes[..bytes.len() / 2])?;
        Err(no_room())
    },
    ..FULL
};

fn no_room() -> io::Error {
    io::Error::from_raw_os_error(28)
}

/// How many bytes a file grows if so many are written where it stands.
fn growth(mut file: &fs::File, bytes: &[u8]) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let appends = rustix::fs::fcntl_getfl(file)?.contains(rustix::fs::OFlags::APPEND);
    let at = if appends { length } else { file.stream_position()? };
    Ok((at + bytes.len() as u64).saturating_sub(length))
}

/// A disk that takes 400,000 bytes of segments, and nothing else anew.
const SMALL: Disk = Disk {
    write: |file, bytes| {
        let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
        let is_segment = |path: &Path| path.extension().is_some_and(|end| end == "seg");
        let sizes = fs::read_dir(path.parent().unwrap())?.map(|entry| {
            let path = entry.unwrap().path();
            if is_segment(&path) { fs::metadata(path).unwrap().len() } else { 0 }
        });
        let room = if is_segment(&path) { 400_000_u64.saturating_sub(sizes.sum()) } else { 0 };
        if growth(file, bytes)? > room { Err(no_room()) } else { file.write_all(bytes) }
    },
    ..FULL
};

/// A disk whose other users take each byte that is given back, at once: no file grows. Its user has no share left, which is told as
/// EDQUOT.
const TAKEN: Disk = Disk {
    write: |file, bytes| {
        let room = growth(file, bytes)? == 0;
        if room { file.write_all(bytes) } else { Err(io::Error::from_raw_os_error(122)) }
    },
    ..FULL
};

#[test]
fn a_full_ring_drops_and_counts_and_keeps_room_for_finals() {
    let dir = TempDir::new().unwrap();
    let spool = Spool::new(settings(dir.path())).unwrap();
    let event = vec![7; 10_000];
    let traces = (0..100).filter(|_| spool.push(&event, Class::Trace)).count();
    let finals = (0..100).filter(|_| spool.push(&event, Class::Final)).count();
    assert!((20..=24).contains(&traces) && (2..=4).contains(&finals), "{traces} {finals}");
    let status = spool.status();
    assert_eq!(status.ring_dropped, Drops { traces: 100 - traces as u64, finals: 100 - finals as u64 });
    assert_eq!(status.pushed, 200, "what is dropped has a number");
    assert!(!spool.push(&vec![0; 61 << 10], Class::Final), "too long for anything");
    drop(spool);
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events().len(), traces + finals);
    assert_eq!(daemon.dropped.values().copied().sum::<u64>(), 201 - (traces + finals) as u64);
    running.stop();
}

#[test]
fn over_the_limit_the_oldest_traces_go_first_and_finals_last() {
    let dir = TempDir::new().unwrap();
    let limit = 2 << 20;
    let running = Running::start(Settings { limit, ..settings(dir.path()) });
    let push = |number: u64, class| {
        let event = [number.to_le_bytes().as_slice(), &[class as u8; 992]].concat();
        until("there is room", || running.spool.push(&event, class) || running.spool.status().ring_used == 0);
    };
    for number in 0..8000 {
        push(number, if number % 10 == 0 { Class::Final } else { Class::Trace });
    }
    until("it is written", || running.spool.status().ring_used == 0);
    let status = running.spool.status();
    assert!(status.disk_used <= limit, "{status:?}");
    assert_eq!(status.disk_dropped.finals, 0, "{status:?}");
    assert!(status.disk_dropped.traces > 5000, "{status:?}");
    until("it is told", || running.warnings() == 1);
    let mut sender = Sender::new();
    let (mut traces, mut finals) = (Vec::new(), 0);
    while let Some(Outgoing::Events(batch)) = sender.next(&running.spool) {
        assert_eq!(batch.dropped, status.disk_dropped.traces + status.ring_dropped.sum());
        for (_, event) in &batch.events {
            match event[8] {
                0 => traces.push(u64::from_le_bytes(*event.first_chunk().unwrap())),
                _ => finals += 1,
            }
        }
    }
    assert!(finals >= 1, "{finals}");
    assert!(traces.iter().all(|number| *number > 4000), "the oldest went: {:?}", traces.first());
    // Now finals alone are more than the limit.
    for number in 8000..12_000 {
        push(number, Class::Final);
    }
    until("it is written", || running.spool.status().ring_used == 0);
    let status = running.spool.status();
    assert!(status.disk_dropped.finals > 0 && status.disk_used <= limit, "{status:?}");
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    let events = daemon.events();
    assert_eq!(events.len() as u64 + status.disk_dropped.sum() + status.ring_dropped.sum(), status.pushed);
    let last = events.last().unwrap();
    assert_eq!(u64::from_le_bytes(*last.first_chunk().unwrap()), 11_999);
    running.stop();
}

#[test]
fn on_a_full_disk_events_wait_in_memory_and_one_line_says_so() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"before", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let mut want = vec![b"before".to_vec()];
    let mut random = Random(99);
    for fault in [FULL, HALF] {
        running.spool.put(fault);
        running.notes.lock().clear();
        for number in 0..100 {
            let event = random.event(number);
            if running.spool.push(&event, Class::Trace) {
                want.push(event);
            }
        }
        until("it is noticed", || running.warnings() > 0);
        assert!(running.spool.status().trouble.is_some_and(|trouble| trouble.contains("No space left")));
        for _ in 0..3 {
            assert!(running.spool.push(b"during", Class::Final));
            want.push(b"during".to_vec());
            thread::sleep(Duration::from_millis(300));
        }
        assert_eq!(running.warnings(), 1, "{:?}", running.notes);
        running.spool.put(Disk::default());
        until("it works again", || running.spool.status().trouble.is_none());
        until("all is written", || running.spool.status().ring_used == 0);
        assert!(running.notes.lock().iter().any(|note| note.contains("again")));
    }
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert!(daemon.events() == want);
    running.stop();
}

#[test]
fn what_is_given_up_on_a_full_disk_needs_no_room_that_another_could_take() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    for number in 0..10 {
        let (bytes, heads) = records(number * 100 + 1..number * 100 + 101);
        store.append(id, &bytes, &heads, false).unwrap();
    }
    let segments = store.lives[0].segments.len();
    assert!(segments >= 3, "{segments}");
    store.disk = TAKEN;
    for _ in 0..segments {
        assert!(store.shed().unwrap());
    }
    assert!(!store.shed().unwrap(), "no traces are left");
    assert_eq!(store.lives[0].disk_dropped, [900, 0]);
    let left = fs::metadata(dir.path().join("reserve")).unwrap().len();
    // The last one was not full.
    assert!(left > 100_000, "{left}");
    // Those that come now have room where those were, if nobody takes it; where somebody does, finals alone are tried, and wait.
    let (bytes, heads) = records(1001..1101);
    assert!(disk::lacks_room(&store.append(id, &bytes, &heads, true).unwrap_err()));
    drop(store);
    let mut notes = Vec::new();
    let store = Store::open(dir.path(), 2 << 20, &mut |note| notes.push(note)).unwrap();
    assert_eq!((notes, store.lives[0].segments.iter().map(|it| it.counts[1]).sum()), (vec![], 100_u64));
}

#[test]
fn a_kill_while_a_segment_is_written_anew_leaves_the_old_one_or_the_new_one() {
    let id = Incarnation([7; 16]);
    for step in 0..4 {
        let dir = TempDir::new().unwrap();
        let path = |name: &str| dir.path().join(name);
        let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
        store.begin(id, "core", 1, 0);
        let (bytes, heads) = records(1..101);
        store.append(id, &bytes, &heads, false).unwrap();
        store.close();
        drop(store);
        let segment = Segment::new(1).path(dir.path(), id);
        let mut new = segment::header(id);
        let (bytes, heads) = records(10..11);
        assert!(heads[0].class == Class::Final);
        new.extend(bytes);
        // Half overwritten; whole and cut; with the segment under a second name; in the segment's place.
        let mut reserve = fs::read(path("reserve")).unwrap();
        let half = new.len() / 2;
        reserve[..half].copy_from_slice(&new[..half]);
        fs::write(path("reserve"), &reserve).unwrap();
        if step > 0 {
            fs::write(path("reserve"), &new).unwrap();
        }
        if step > 1 {
            fs::hard_link(&segment, path("spent")).unwrap();
        }
        if step > 2 {
            fs::rename(path("reserve"), &segment).unwrap();
        }
        let mut store = Store::open(dir.path(), 2 << 20, &mut |note| panic!("{note}")).unwrap();
        let found = store.lives[0].segments[0].counts;
        assert_eq!(found, if step > 2 { [0, 1] } else { [90, 10] }, "{step}");
        assert!(!path("spent").exists());
        assert!(fs::metadata(path("reserve")).unwrap().len() > 500_000, "{step}");
        assert_eq!(store.shed().unwrap(), step < 3);
        let kept = segment::recover(&segment, id, 1).unwrap();
        assert_eq!((kept.0.counts, kept.1), ([0, if step > 2 { 1 } else { 10 }], 0), "{step}");
    }
}

#[test]
fn at_the_limit_traces_of_the_file_that_is_written_to_go_before_finals() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 1 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    // Finals fill the limit but for a last segment of traces.
    for number in 0..900 {
        let (bytes, heads) = records(number * 10 + 10..number * 10 + 11);
        store.append(id, &bytes, &heads, false).unwrap();
    }
    store.close();
    for _ in 0..9 {
        let next = store.lives[0].last + 1;
        let (bytes, heads) = records(next..next + 9);
        store.append(id, &bytes, &heads, false).unwrap();
    }
    assert_eq!(store.lives[0].disk_dropped, [0, 0]);
    let next = store.lives[0].last + 1;
    let (bytes, heads) = records(next..next + 60);
    store.append(id, &bytes, &heads, false).unwrap();
    let [traces, finals] = store.lives[0].disk_dropped;
    assert!(traces > 0 && finals == 0, "{traces} {finals}");
}

#[test]
fn a_segment_that_cannot_be_written_anew_is_passed_over() {
    let dir = TempDir::new().unwrap();
    let id = Incarnation([7; 16]);
    let mut store = Store::open(dir.path(), 2 << 20, &mut |_| {}).unwrap();
    store.begin(id, "core", 1, 0);
    for number in 0..4 {
        let (bytes, heads) = records(number * 300 + 1..number * 300 + 301);
        store.append(id, &bytes, &heads, false).unwrap();
        store.close();
    }
    fs::remove_file(store.lives[0].segments[0].path(dir.path(), id)).unwrap();
    fs::create_dir(store.lives[0].segments[0].path(dir.path(), id)).unwrap();
    assert!(store.shed().unwrap());
    let traces: Vec<u64> = store.lives[0].segments.iter().map(|it| it.counts[0]).collect();
    assert_eq!(traces, [270, 0, 270, 270]);
}

#[test]
fn on_a_full_disk_the_oldest_traces_go_before_any_final() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(&[0; 1000], Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    running.spool.put(SMALL);
    let mut finals = 0;
    for number in 0..4000_u64 {
        let class = if number % 20 == 0 { Class::Final } else { Class::Trace };
        let event = [number.to_le_bytes().as_slice(), &[class as u8; 992]].concat();
        if class == Class::Final {
            finals += 1;
            until("there is room", || {
                running.spool.status().ring_used < running.spool.status().ring_size / 4 * 3
            });
        }
        running.spool.push(&event, class);
    }
    let status = running.spool.status();
    assert_eq!((status.ring_dropped.finals, status.disk_dropped.finals), (0, 0), "{status:?}");
    assert!(status.disk_dropped.traces > 300, "{status:?}");
    running.spool.put(Disk::default());
    until("all is written", || running.spool.status().ring_used == 0);
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events().iter().filter(|event| event.get(8) == Some(&1)).count(), finals);
    running.stop();
}

#[test]
fn a_directory_that_is_not_there_yet_costs_nothing() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("spool"), "in the way").unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"kept", Class::Trace));
    until("it is told", || running.warnings() == 1);
    // Nor does a stop lose anything.
    running.stop();
    fs::remove_file(dir.path().join("spool")).unwrap();
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    assert_eq!(daemon.events(), [b"kept".to_vec()]);
    running.stop();
}

/// Not a test by itself: it runs where no file may grow beyond a limit.
#[test]
#[ignore = "the child of another test"]
fn child_on_a_full_disk() {
    let Some(dir) = std::env::var_os("NIZAM_SPOOL_CHILD") else { return };
    let running = Running::start(settings(Path::new(&dir)));
    let event = vec![1; 10_000];
    for _ in 0..200 {
        running.spool.push(&event, Class::Trace);
        thread::sleep(Duration::from_millis(2));
    }
    until("it is noticed", || running.spool.status().trouble.is_some());
    let status = running.spool.status();
    assert!(status.ring_used > 0 && status.written > 0 && status.ring_dropped.traces > 0, "{status:?}");
    running.stop();
    println!("written {} dropped {}", status.written, status.ring_dropped.traces);
}

#[test]
fn a_real_error_of_the_disk_is_survived() {
    let dir = TempDir::new().unwrap();
    // SIGXFSZ is ignored, as the child inherits it: writing beyond the limit is the error EFBIG. Blocks of 512 bytes.
    let done = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "spool::tests::room::child_on_a_full_disk", "--ignored", "--nocapture"])
        .env("NIZAM_SPOOL_CHILD", dir.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    let running = Running::start(settings(dir.path()));
    let mut daemon = Daemon::default();
    daemon.drain(&running.spool, &mut || false);
    let dropped: u64 = daemon.dropped.values().sum();
    assert_eq!(daemon.events().len() as u64 + dropped, 200, "{said}");
    running.stop();
}
