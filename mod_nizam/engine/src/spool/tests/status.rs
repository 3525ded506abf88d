//! How a spool says that it stands.

use super::*;

#[test]
fn a_disk_that_hangs_keeps_nobody_waiting_who_asks() {
    static HANG: Mutex<()> = Mutex::new(());
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"before", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let hang = HANG.lock();
    running.spool.put(Disk {
        write: |file, bytes| {
            let _free = HANG.lock();
            file.write_all(bytes)
        },
        ..Disk::default()
    });
    assert!(running.spool.push(b"during", Class::Trace));
    until("it hangs", || running.spool.with_store(|_| ()).is_none());
    let (tell, told) = std::sync::mpsc::channel();
    let spool = Arc::clone(&running.spool);
    let asks = thread::spawn(move || tell.send(spool.status()).unwrap());
    let status = told.recv_timeout(Duration::from_secs(20)).expect("it is told at once");
    asks.join().unwrap();
    assert_eq!((status.pushed, status.written, status.lag()), (2, 1, 2));
    until("it is told why", || {
        running.spool.status().trouble.is_some_and(|trouble| trouble.contains("not answered"))
    });
    drop(hang);
    until("it is written", || running.spool.status().written == 2);
    running.stop();
}

#[test]
fn lag_is_that_of_all_incarnations() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    for _ in 0..5 {
        assert!(running.spool.push(b"earlier", Class::Trace));
    }
    running.stop();
    let running = Running::start(settings(dir.path()));
    assert!(running.spool.push(b"now", Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let status = running.spool.status();
    assert_eq!((status.lag(), status.earlier_lag, status.earlier), (6, 5, 1));
    Daemon::default().drain(&running.spool, &mut || false);
    assert_eq!(running.spool.status().lag(), 0);
    running.stop();
}

#[test]
fn lag_is_the_age_of_the_oldest_event_that_is_not_stored() {
    let dir = TempDir::new().unwrap();
    let running = Running::start(settings(dir.path()));
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
    let mut event = Vec::new();
    EventWriter::new(&mut event, i64::try_from(now).unwrap() - 90_000_000, b"HEARTBEAT", b"");
    assert!(running.spool.push(&event, Class::Trace));
    until("it is written", || running.spool.status().written == 1);
    let status = running.spool.status();
    assert!((90_000..150_000).contains(&status.lag_ms), "{status:?}");
    assert_eq!(status.lag(), 1);
    running.stop();
}
