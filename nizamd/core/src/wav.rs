//! WAV files: what of them FreeSWITCH plays (`mod_sndfile`), and how long they take.
//!
//! Multimedia Programming Interface and Data Specifications 1.0 (IBM, Microsoft, 1991), chapter "Waveform Audio File Format".

use std::fmt;

/// Most bytes of a prompt, 10 MiB: about ten minutes of telephone quality.
pub const MOST: usize = 10 << 20;

/// What a good file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wav {
    /// Samples a second.
    pub rate: u32,
    /// 1 or 2.
    pub channels: u16,
    /// How long it takes, in milliseconds.
    pub duration_ms: i64,
}

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WavError {
    /// More than [`MOST`] bytes.
    TooLarge,
    /// It does not begin as a WAV file does.
    NotWav,
    /// It ends in the middle of a chunk, or has no sound.
    CutOff,
    /// It says twice what its sound is like, or has two sounds, and players do not agree on which counts.
    Twice(&'static str),
    /// Neither PCM of 16 bits nor A-law or µ-law.
    Encoding(u16),
    /// Fewer samples than 8,000 a second, or more than 48,000.
    Rate(u32),
    /// Neither mono nor stereo.
    Channels(u16),
}

impl fmt::Display for WavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(f, "has more than {} MiB", MOST >> 20),
            Self::NotWav => f.write_str("is no WAV file"),
            Self::CutOff => f.write_str("is a WAV file that is cut off or has no sound"),
            Self::Twice(chunk) => write!(f, "has more than one {chunk} chunk"),
            Self::Encoding(code) => {
                write!(f, "has encoding {code}; 16-bit PCM, A-law and µ-law can be played")
            }
            Self::Rate(rate) => write!(f, "has {rate} samples a second; 8000 to 48000 can be played"),
            Self::Channels(channels) => write!(f, "has {channels} channels; one or two can be played"),
        }
    }
}

impl std::error::Error for WavError {}

/// Looks a file over.
pub fn read(file: &[u8]) -> Result<Wav, WavError> {
    if file.len() > MOST {
        return Err(WavError::TooLarge);
    }
    let mut rest = match file.split_at_checked(12) {
        Some((head, rest)) if head.starts_with(b"RIFF") && head.ends_with(b"WAVE") => rest,
        _ => return Err(WavError::NotWav),
    };
    let mut format = None;
    let mut sound = None;
    while let Some((head, behind)) = rest.split_at_checked(8) {
        let length = word(head, 4).ok_or(WavError::CutOff)? as usize;
        let Some(body) = behind.get(..length) else {
            // What stands behind the sound is nothing to a player, unless it could be another sound.
            return sound.filter(|_| !head.starts_with(b"data")).ok_or(WavError::CutOff);
        };
        if head.starts_with(b"fmt ") {
            if format.is_some() {
                return Err(WavError::Twice("fmt"));
            }
            format = Some(Format::read(body)?);
        } else if head.starts_with(b"data") {
            if sound.is_some() {
                return Err(WavError::Twice("data"));
            }
            // A player does not read on for what it is like.
            sound = Some(format.as_ref().ok_or(WavError::CutOff)?.with(length)?);
        }
        // Chunks begin at even places.
        rest = behind.get(length + length % 2..).unwrap_or_default();
    }
    sound.ok_or(WavError::CutOff)
}

struct Format {
    rate: u32,
    channels: u16,
    bytes_per_second: u32,
    /// Bytes of a sample of each channel.
    frame: usize,
}

impl Format {
    fn read(body: &[u8]) -> Result<Self, WavError> {
        let half = |at: usize| Some(u16::from_le_bytes(*body.get(at..)?.first_chunk()?));
        let encoding = half(0).ok_or(WavError::CutOff)?;
        let channels = half(2).ok_or(WavError::CutOff)?;
        let rate = word(body, 4).ok_or(WavError::CutOff)?;
        let bits = half(14).ok_or(WavError::CutOff)?;
        match (encoding, bits) {
            (1, 16) | (6 | 7, 8) => {}
            _ => return Err(WavError::Encoding(encoding)),
        }
        if !(8000..=48_000).contains(&rate) {
            return Err(WavError::Rate(rate));
        }
        if !(1..=2).contains(&channels) {
            return Err(WavError::Channels(channels));
        }
        // Not the figure in the file, which may be anything.
        let bytes_per_second = rate * u32::from(channels) * u32::from(bits / 8);
        Ok(Self { rate, channels, bytes_per_second, frame: usize::from(channels * (bits / 8)) })
    }

    fn with(&self, length: usize) -> Result<Wav, WavError> {
        let milliseconds = length as u64 * 1000 / u64::from(self.bytes_per_second);
        let duration_ms = i64::try_from(milliseconds).unwrap_or(i64::MAX);
        // Not one whole sample of each channel.
        if length < self.frame {
            return Err(WavError::CutOff);
        }
        Ok(Wav { rate: self.rate, channels: self.channels, duration_ms })
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(encoding: u16, channels: u16, rate: u32, bits: u16, samples: usize) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        file.extend(encoding.to_le_bytes());
        file.extend(channels.to_le_bytes());
        file.extend(rate.to_le_bytes());
        file.extend([0; 6]);
        file.extend(bits.to_le_bytes());
        let length = samples * usize::from(channels) * usize::from(bits / 8);
        file.extend(b"data");
        file.extend(u32::try_from(length).unwrap().to_le_bytes());
        file.resize(file.len() + length, 0);
        file
    }

    #[test]
    fn what_the_switch_plays() {
        assert_eq!(
            read(&file(1, 1, 8000, 16, 12_000)),
            Ok(Wav { rate: 8000, channels: 1, duration_ms: 1500 })
        );
        assert_eq!(read(&file(7, 2, 16_000, 8, 8000)).unwrap().duration_ms, 500);
        for (bad, why) in [
            (file(1, 1, 8000, 24, 10), WavError::Encoding(1)),
            (file(3, 1, 8000, 32, 10), WavError::Encoding(3)),
            (file(1, 1, 4000, 16, 10), WavError::Rate(4000)),
            (file(1, 6, 8000, 16, 10), WavError::Channels(6)),
            (file(1, 1, 8000, 16, 0), WavError::CutOff),
            (b"ID3".to_vec(), WavError::NotWav),
            (vec![], WavError::NotWav),
            (vec![0; MOST + 1], WavError::TooLarge),
        ] {
            assert_eq!(read(&bad), Err(why));
        }
    }

    #[test]
    fn a_second_format_is_refused() {
        let good = file(1, 1, 8000, 16, 3);
        let at = good.windows(4).position(|name| name == b"fmt ").unwrap();
        let mut twice = good.clone();
        // The other one makes three samples of telephone quality take no time at all.
        let louder = file(1, 2, 48_000, 16, 0)[at..at + 24].to_vec();
        twice.splice(at + 24..at + 24, louder);
        assert_eq!(read(&twice), Err(WavError::Twice("fmt")));
        assert_eq!(WavError::Twice("fmt").to_string(), "has more than one fmt chunk");
    }

    #[test]
    fn a_second_sound_and_less_than_a_sample_are_refused() {
        let good = file(1, 2, 8000, 16, 20);
        let with = |behind: &[u8]| read(&[good.as_slice(), behind].concat());
        assert_eq!(with(b"data\0\0\0\0"), Err(WavError::Twice("data")));
        assert_eq!(with(b"data\x14\0\0\0abc"), Err(WavError::CutOff));
        assert!(
            with(b"LIST\x03\0\0\0abc\0").is_ok() && with(b"LIST\xff\0\0\0").is_ok() && with(b"junk").is_ok()
        );
        let mut short = file(1, 2, 8000, 16, 1);
        short.pop();
        let length = short.len() - 7;
        short[length..length + 4].copy_from_slice(&3_u32.to_le_bytes());
        assert_eq!(read(&short), Err(WavError::CutOff));
    }

    #[test]
    fn no_cut_and_no_changed_byte_is_a_fault() {
        let good = file(1, 1, 8000, 16, 20);
        for end in 0..good.len() {
            assert!(read(&good[..end]).is_err());
        }
        for at in 0..good.len() {
            for value in [0, 0x7f, 0xff] {
                let mut bad = good.clone();
                bad[at] = value;
                let _no_panic = read(&bad);
            }
        }
    }
}
