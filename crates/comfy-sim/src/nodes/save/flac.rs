//! FLAC files.

use flacenc::component::BitRepr as _;
use flacenc::error::Verify as _;
use flacenc::source::MemSource;

use super::super::NodeError;
use crate::value::Audio;

const BITS: usize = 16;
/// Length and rate of what the format can say.
const RATES: std::ops::RangeInclusive<u32> = 1..=655_350;
const CHANNELS: std::ops::RangeInclusive<usize> = 1..=8;
/// The number of a block of notes.
const NOTES: u8 = 4;
/// Marks the last block before the sound.
const LAST: u8 = 0x80;

/// A file with one sound and notes (names and texts).
pub(super) fn encode(audio: &Audio, notes: &[(String, String)]) -> Result<Vec<u8>, NodeError> {
    let failed =
        |text: String| NodeError::value_error(format!("the sound cannot be written as FLAC: {text}"));
    if !RATES.contains(&audio.rate) || !CHANNELS.contains(&audio.channels) {
        return Err(failed(format!("{} channels with {} samples per second", audio.channels, audio.rate)));
    }
    let count = audio.samples();
    let mut samples = vec![0_i32; count * audio.channels];
    for (channel, numbers) in audio.data.chunks_exact(count.max(1)).enumerate() {
        for (at, number) in numbers.iter().enumerate() {
            samples[at * audio.channels + channel] = sample(*number);
        }
    }
    let config = flacenc::config::Encoder::default()
        .into_verified()
        .map_err(|(_, error)| failed(error.to_string()))?;
    let source = MemSource::from_samples(&samples, audio.channels, BITS, audio.rate as usize);
    let stream = flacenc::encode_with_fixed_block_size(&config, source, config.block_size)
        .map_err(|error| failed(format!("{error:?}")))?;
    let mut sink = flacenc::bitsink::ByteSink::new();
    stream.write(&mut sink).map_err(|error| failed(format!("{error:?}")))?;
    Ok(with_notes(sink.as_slice(), notes))
}

fn sample(number: f32) -> i32 {
    let limit = f32::from(i16::MAX);
    (number * 32768.0).round_ties_even().clamp(-limit - 1.0, limit) as i32
}

/// The file with a block of notes after its first block.
fn with_notes(file: &[u8], notes: &[(String, String)]) -> Vec<u8> {
    // "fLaC", then the block about the stream: four bytes of header and 34 of content.
    const FIRST_BLOCK: std::ops::Range<usize> = 4..42;
    let Some(first) = file.get(FIRST_BLOCK) else { return file.to_vec() };
    let mut content = Vec::new();
    let mut text = |text: &str| {
        content.extend(u32::try_from(text.len()).unwrap_or(0).to_le_bytes());
        content.extend(text.bytes());
    };
    text("comfy-sim");
    let mut entries = Vec::new();
    for (name, value) in notes {
        entries.push(format!("{name}={value}"));
    }
    let fits = content.len() + entries.iter().map(|entry| entry.len() + 4).sum::<usize>() < 1 << 24;
    if !fits {
        return file.to_vec();
    }
    content.extend(u32::try_from(entries.len()).unwrap_or(0).to_le_bytes());
    for entry in &entries {
        content.extend(u32::try_from(entry.len()).unwrap_or(0).to_le_bytes());
        content.extend(entry.bytes());
    }
    let was_last = first[0] & LAST;
    let mut result = b"fLaC".to_vec();
    result.push(first[0] & !LAST);
    result.extend(&first[1..]);
    let [_, a, b, c] = u32::try_from(content.len()).unwrap_or(0).to_be_bytes();
    result.extend([NOTES | was_last, a, b, c]);
    result.extend(content);
    result.extend(&file[FIRST_BLOCK.end..]);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_comes_back_with_its_notes() {
        let data = (0..2000).map(|at| (at as f32 * 0.05).sin() * 0.5).collect();
        let audio = Audio { batch: 1, channels: 2, rate: 8000, data };
        let bytes = encode(&audio, &[("prompt".to_owned(), "{}".to_owned())]).expect("a file");
        let mut reader = claxon::FlacReader::new(std::io::Cursor::new(bytes)).expect("readable");
        assert_eq!(reader.streaminfo().sample_rate, 8000);
        assert_eq!(reader.get_tag("prompt").collect::<Vec<_>>(), ["{}"]);
        let samples: Vec<i32> = reader.samples().map(|sample| sample.expect("a sample")).collect();
        assert_eq!(samples.len(), 2000);
        assert_eq!(samples[2], sample(audio.data[1]));
        assert_eq!(samples[3], sample(audio.data[1001]));
    }

    #[test]
    fn samples_are_rounded_and_bounded() {
        assert_eq!([-2.0, -1.0, 0.5, 1.0].map(sample), [-32768, -32768, 16384, 32767]);
    }
}
