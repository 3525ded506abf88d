//! What is said in a call: a stream of RTP that sends exactly so many packets, and leaves out exactly those that it says.

use std::{
    net::{Ipv4Addr, UdpSocket},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::transcript::Message;

/// One packet is a fiftieth of a second, 160 samples.
const TICK: Duration = Duration::from_millis(20);
const SAMPLES: u32 = 160;
/// The payload type of telephone-events (RFC 4733) in the scenarios.
const DIGITS: u8 = 101;
/// Of a digit, in dBm0 below zero.
const VOLUME: u8 = 0x0a;
/// No digit is pressed.
const NONE: u8 = u8::MAX;

/// A stream to the switch.
pub(crate) struct Voice {
    over: Arc<AtomicBool>,
    digit: Arc<AtomicU8>,
    thread: Option<JoinHandle<Sent>>,
}

/// How many packets were sent, and how many were left out between them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sent {
    pub(crate) packets: u32,
    pub(crate) lost: u32,
}

impl Voice {
    /// Begins to speak to where the other side's SDP says, in the payload type `payload` of G.711; every `lose`th packet is lost.
    pub(crate) fn start(offer: &Message, payload: u8, lose: Option<u32>) -> Self {
        let media = offer.body.lines().find_map(|line| line.strip_prefix("m=audio ")).expect("SDP has audio");
        let port: u16 = media.split(' ').next().unwrap().parse().unwrap();
        let (over, digit) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU8::new(NONE)));
        let stream = Stream { port, payload, lose, over: Arc::clone(&over), digit: Arc::clone(&digit) };
        Self { over, digit, thread: Some(thread::spawn(move || stream.run())) }
    }

    /// Presses a digit, 0 to 9.
    pub(crate) fn press(&self, digit: u8) {
        self.digit.store(digit, Ordering::Relaxed);
    }

    /// Says no more; what was sent.
    pub(crate) fn stop(mut self) -> Sent {
        self.over.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        // Ends the thread.
        self.over.store(true, Ordering::Relaxed);
    }
}

struct Stream {
    port: u16,
    payload: u8,
    lose: Option<u32>,
    over: Arc<AtomicBool>,
    digit: Arc<AtomicU8>,
}

impl Stream {
    fn run(&self) -> Sent {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let mut sent = Sent::default();
        let (mut sequence, mut time, begun) = (0_u16, 0_u32, Instant::now());
        // A loud tone of 1000 Hz: the loudest positive and negative sample, in µ-law and in A-law.
        let loud = if self.payload == 0 { [0x80, 0x00] } else { [0xAA, 0x2A] };
        let voice: Vec<u8> = (0..SAMPLES).map(|n| loud[usize::from(n % 8 < 4)]).collect();
        for tick in 1.. {
            if self.over.load(Ordering::Relaxed) {
                break;
            }
            sequence = sequence.wrapping_add(1);
            time = time.wrapping_add(SAMPLES);
            let digit = self.digit.swap(NONE, Ordering::Relaxed);
            if digit != NONE {
                // Begin, and the end three times, as RFC 4733 (2.5.1.4) has it; the digit is 160 ms long.
                for (end, length) in [(0, 160_u16), (0, 640), (0x80, 1280), (0x80, 1280), (0x80, 1280)] {
                    let [high, low] = length.to_be_bytes();
                    let marker = if length == 160 { 0x80 } else { 0 };
                    let packet = packet(marker | DIGITS, sequence, time, &[digit, end | VOLUME, high, low]);
                    let _gone = socket.send_to(&packet, (Ipv4Addr::LOCALHOST, self.port));
                    sequence = sequence.wrapping_add(1);
                    thread::sleep(TICK);
                }
            } else if self.lose.is_some_and(|lose| sequence % u16::try_from(lose).unwrap() == 0) {
                sent.lost += 1;
            } else {
                // The switch may be gone.
                let packet = packet(self.payload, sequence, time, &voice);
                sent.packets += u32::from(socket.send_to(&packet, (Ipv4Addr::LOCALHOST, self.port)).is_ok());
            }
            thread::sleep((begun + TICK * tick).saturating_duration_since(Instant::now()));
        }
        sent
    }
}

/// A packet of RTP (RFC 3550, 5.1).
fn packet(kind: u8, sequence: u16, time: u32, payload: &[u8]) -> Vec<u8> {
    let source = 0x4e49_5a41_u32;
    [&[0x80, kind][..], &sequence.to_be_bytes(), &time.to_be_bytes(), &source.to_be_bytes(), payload].concat()
}
