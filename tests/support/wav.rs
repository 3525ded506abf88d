//! What a recording holds.

use std::{f64::consts::TAU, path::Path};

/// The share of a recording's energy that is a tone of `hertz`: about 1 for that tone, about 0 for silence or another.
///
/// The window of each measurement is a tenth of a second, and the loudest second decides: what a call begins and ends
/// with is not counted.
pub(crate) fn share_of_tone(file: &Path, hertz: f64) -> f64 {
    let (rate, samples) = read(file);
    let window = rate as usize / 10;
    let shares: Vec<f64> =
        samples.chunks_exact(window).map(|chunk| share(chunk, hertz / f64::from(rate))).collect();
    let best = shares.windows(10).map(|second| second.iter().sum::<f64>() / 10.0);
    best.fold(0.0, f64::max)
}

/// A file of so many seconds of silence, 8000 samples a second.
pub(crate) fn write_silence(file: &Path, seconds: u32) {
    std::fs::write(file, wav(vec![0; seconds as usize * 8000])).unwrap();
}

/// A file of two seconds of a tone, 8000 samples a second.
pub(crate) fn tone(hertz: f64) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation, reason = "a sine's values fit")]
    let sample = |n: i32| ((f64::from(n) * TAU * hertz / 8000.0).sin() * 10_000.0) as i16;
    wav((0..16_000).map(sample).collect())
}

fn wav(samples: Vec<i16>) -> Vec<u8> {
    let length = 2 * u32::try_from(samples.len()).unwrap();
    let mut bytes = [&b"RIFF"[..], &(length + 36).to_le_bytes(), b"WAVEfmt "].concat();
    // PCM, one channel: rate, bytes a second, bytes a frame, bits a sample.
    bytes.extend([16, 0, 0, 0, 1, 0, 1, 0]);
    bytes.extend(8_000_u32.to_le_bytes());
    bytes.extend(16_000_u32.to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend([&b"data"[..], &length.to_le_bytes()].concat());
    bytes.extend(samples.into_iter().flat_map(i16::to_le_bytes));
    bytes
}

/// One bin of a Fourier transform by Goertzel's recurrence, as a share of the energy.
fn share(samples: &[f64], cycles_per_sample: f64) -> f64 {
    let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
    // Below about one part in a thousand of full scale it is silence, whatever its shape.
    let length = samples.iter().map(|_| 1.0).sum::<f64>();
    if energy / length < 30.0 * 30.0 {
        return 0.0;
    }
    let turn = 2.0 * (TAU * cycles_per_sample).cos();
    let (last, before) =
        samples.iter().fold((0.0, 0.0), |(one, two), sample| (sample + turn * one - two, one));
    let power = last * last + before * before - turn * last * before;
    2.0 * power / (energy * length)
}

/// Rate and first channel of a 16-bit PCM file.
fn read(file: &Path) -> (u32, Vec<f64>) {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(bytes.starts_with(b"RIFF") && bytes[8..12] == *b"WAVE", "{} is no WAV file", file.display());
    let (mut at, mut rate, mut channels) = (12, 0, 1);
    while at + 8 <= bytes.len() {
        let length = u32::from_le_bytes(bytes[at + 4..at + 8].try_into().unwrap()) as usize;
        let body = &bytes[at + 8..(at + 8 + length).min(bytes.len())];
        match &bytes[at..at + 4] {
            b"fmt " => {
                channels = u16::from_le_bytes(body[2..4].try_into().unwrap()).into();
                rate = u32::from_le_bytes(body[4..8].try_into().unwrap());
                assert_eq!(body[14..16], [16, 0], "{} is not of 16 bits", file.display());
            }
            b"data" => {
                let sample = |frame: &[u8]| f64::from(i16::from_le_bytes([frame[0], frame[1]]));
                return (rate, body.chunks_exact(2 * channels).map(sample).collect());
            }
            _ => {}
        }
        at += 8 + length + length % 2;
    }
    panic!("{} has no samples", file.display())
}
