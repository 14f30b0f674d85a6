//! Nodes that make, load and change sound.

use std::fs;
use std::io::Cursor;
use std::sync::Arc;

use comfy_workflow::validate::{CheckInputs, CheckResult};
use serde_json::Value as Json;

use super::load::{MAX_FILE, changed_file};
use super::{Check, Context, Inputs, NodeClass, NodeError, Ran};
use crate::files::{Files, Folder};
use crate::python::type_name;
use crate::value::{Audio, Value, room_for};
use crate::version::ServerVersion;

pub(super) static CLASSES: [NodeClass; 8] = [
    NodeClass::new("EmptyAudio", empty),
    NodeClass {
        check: Some(Check { inputs: &["audio"], run: check }),
        changed: Some(|inputs, files| changed_file(inputs, "audio", files)),
        ..NodeClass::new("LoadAudio", load)
    },
    NodeClass::new("TrimAudioDuration", trim),
    NodeClass::new("SplitAudioChannels", split),
    NodeClass::new("JoinAudioChannels", join),
    NodeClass::new("AudioConcat", concatenate),
    NodeClass::new("AudioMerge", merge),
    NodeClass::new("AudioAdjustVolume", adjust_volume),
];

impl Inputs {
    /// A batch of sounds.
    fn audio(&self, name: &str) -> Result<&Arc<Audio>, NodeError> {
        match self.value(name)? {
            Value::Audio(audio) => Ok(audio),
            other => {
                let found = other.type_name();
                Err(NodeError::type_error(format!("'{found}' object is not subscriptable")))
            }
        }
    }
}

fn given(audio: Audio) -> Value {
    Value::Audio(Arc::new(audio))
}

impl Audio {
    /// The channels of all sounds, one after the other.
    fn lines(&self) -> impl Iterator<Item = &[f32]> {
        self.data.chunks_exact(self.samples().max(1))
    }

    /// The same sounds with other samples in each channel.
    fn with_lines(&self, lines: impl Iterator<Item = Vec<f32>>) -> Self {
        Self { data: lines.flatten().collect(), ..*self }
    }

    /// Sound with one channel as sound with two equal ones.
    fn stereo(&self) -> Self {
        if self.channels != 1 {
            return self.clone();
        }
        let lines = self.lines().flat_map(|line| [line.to_vec(), line.to_vec()]);
        Self { channels: 2, ..self.with_lines(lines) }
    }
}

/// EmptyAudio: silence.
fn empty(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let rate = u32::try_from(inputs.int_or("sample_rate", 44100)?)
        .map_err(|_| NodeError::value_error("the sample rate is not above 0"))?;
    let channels = usize::try_from(inputs.int_or("channels", 2)?).unwrap_or(0);
    let samples = (inputs.float("duration")? * f64::from(rate)).round_ties_even() as usize;
    let data = vec![0.0; room_for([1, channels, samples, 1])?];
    Ok(Ran::output(given(Audio { batch: 1, channels, rate, data })))
}

fn check(inputs: &CheckInputs, files: &Files) -> CheckResult {
    let Some(audio) = inputs.values.get("audio") else { return CheckResult::Passed };
    let Json::String(name) = audio else {
        let message = format!("'{}' object has no attribute 'endswith'", type_name(audio));
        return CheckResult::raised("AttributeError", message);
    };
    match files.resolve_annotated(name, Folder::Input) {
        Ok(path) if path.exists() => CheckResult::Passed,
        _ => CheckResult::failed(format!("Invalid audio file: {name}")),
    }
}

/// LoadAudio, from WAV and FLAC files.
fn load(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let name = inputs.text("audio")?;
    let missing = || {
        NodeError::new("av.error.FileNotFoundError", format!("[Errno 2] No such file or directory: '{name}'"))
    };
    let path = context.files.resolve_annotated(name, Folder::Input).map_err(|_| missing())?;
    let length = fs::metadata(&path).map_err(|_| missing())?.len();
    if length > MAX_FILE {
        return Err(NodeError::out_of_memory(length.into()));
    }
    let bytes = fs::read(&path).map_err(|error| NodeError::io(&error, &path))?;
    let read = if bytes.starts_with(b"fLaC") { read_flac(&bytes) } else { read_wav(&bytes) };
    let (channels, rate, samples) = read.ok_or_else(|| {
        NodeError::new(
            "av.error.InvalidDataError",
            format!(
                "[Errno 1094995529] Invalid data found when processing input: '{}' (the simulator reads WAV and FLAC)",
                path.display()
            ),
        )
    })?;
    if channels == 0 || samples.is_empty() {
        return Err(NodeError::value_error("No audio stream found in the file."));
    }
    let count = samples.len() / channels;
    let mut data = Vec::with_capacity(samples.len());
    for channel in 0..channels {
        data.extend((0..count).map(|at| samples[at * channels + channel]));
    }
    Ok(Ran::output(given(Audio { batch: 1, channels, rate, data })))
}

/// Channels, rate, and samples with the channels in turn.
type Samples = (usize, u32, Vec<f32>);

fn read_wav(bytes: &[u8]) -> Option<Samples> {
    let mut reader = hound::WavReader::new(Cursor::new(bytes)).ok()?;
    let spec = reader.spec();
    let samples = match spec.sample_format {
        hound::SampleFormat::Float => reader.samples::<f32>().collect::<Result<Vec<_>, _>>().ok()?,
        hound::SampleFormat::Int => {
            let full = 2_f32.powi(i32::from(spec.bits_per_sample) - 1);
            let samples = reader.samples::<i32>().map(|sample| Ok(sample? as f32 / full));
            samples.collect::<Result<Vec<_>, hound::Error>>().ok()?
        }
    };
    Some((usize::from(spec.channels), spec.sample_rate, samples))
}

fn read_flac(bytes: &[u8]) -> Option<Samples> {
    let mut reader = claxon::FlacReader::new(Cursor::new(bytes)).ok()?;
    let info = reader.streaminfo();
    let full = 2_f32.powi(i32::try_from(info.bits_per_sample).ok()? - 1);
    let samples = reader.samples().map(|sample| Ok(sample? as f32 / full));
    let samples = samples.collect::<Result<Vec<_>, claxon::Error>>().ok()?;
    Some((usize::try_from(info.channels).ok()?, info.sample_rate, samples))
}

/// TrimAudioDuration: from a time, below 0 counted from the end, for a time.
fn trim(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let audio = inputs.audio("audio")?;
    let length = audio.samples() as i64;
    let rate = f64::from(audio.rate);
    let start = inputs.float("start_index")?;
    let from = (start * rate).round_ties_even() as i64;
    let from = if start < 0.0 { length.saturating_add(from) } else { from };
    let count = (inputs.float("duration")? * rate).round_ties_even() as i64;
    let is_new = context.version >= ServerVersion::V0_30_0;
    // Before 0.30.0 a start behind the end was the last sample.
    let from = from.clamp(0, if is_new { i64::MAX } else { (length - 1).max(0) });
    let end = from.saturating_add(count).clamp(0, length);
    if from >= end {
        let name = if is_new { "TrimAudioDuration" } else { "AudioTrim" };
        return Err(NodeError::value_error(format!(
            "{name}: Start time must be less than end time and be within the audio length."
        )));
    }
    let (from, end) = (from as usize, end as usize);
    Ok(Ran::output(given(audio.with_lines(audio.lines().map(|line| line[from..end].to_vec())))))
}

/// SplitAudioChannels: left and right.
fn split(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let audio = inputs.audio("audio")?;
    if audio.channels != 2 {
        return Err(NodeError::value_error(match context.version >= ServerVersion::V0_30_0 {
            true => format!(
                "AudioSplit: Input audio must be stereo (2 channels), got {} channel(s).",
                audio.channels
            ),
            false => "AudioSplit: Input audio has only one channel.".to_owned(),
        }));
    }
    let side = |skipped: usize| {
        let lines = audio.lines().skip(skipped).step_by(2).map(<[f32]>::to_vec);
        given(Audio { channels: 1, ..audio.with_lines(lines) })
    };
    Ok(Ran { outputs: vec![side(0), side(1)], ..Ran::default() })
}

/// JoinAudioChannels: as long as the shorter one.
fn join(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (left, right) = (inputs.audio("audio_left")?, inputs.audio("audio_right")?);
    if left.channels != 1 || right.channels != 1 {
        return Err(NodeError::value_error("AudioJoin: Both input audios must be mono."));
    }
    same_rate(left, right)?;
    let count = left.samples().min(right.samples());
    let lines = left.lines().zip(right.lines());
    let lines = lines.flat_map(|(left, right)| [left[..count].to_vec(), right[..count].to_vec()]);
    Ok(Ran::output(given(Audio { channels: 2, ..left.with_lines(lines) })))
}

fn same_rate(first: &Audio, second: &Audio) -> Result<(), NodeError> {
    if first.rate == second.rate {
        return Ok(());
    }
    Err(NodeError::runtime_error(format!(
        "the simulator does not change sample rates: {} and {} samples per second",
        first.rate, second.rate
    )))
}

/// AudioConcat: the second sound after the first, or before it.
fn concatenate(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (first, second) = (inputs.audio("audio1")?.stereo(), inputs.audio("audio2")?.stereo());
    same_rate(&first, &second)?;
    same_lines(&first, &second)?;
    let is_after = inputs.text("direction")? == "after";
    let lines = first.lines().zip(second.lines()).map(|(first, second)| match is_after {
        true => [first, second].concat(),
        false => [second, first].concat(),
    });
    room_for([first.batch, first.channels, first.samples() + second.samples(), 1])?;
    Ok(Ran::output(given(first.with_lines(lines))))
}

fn same_lines(first: &Audio, second: &Audio) -> Result<(), NodeError> {
    if (first.batch, first.channels) == (second.batch, second.channels) {
        return Ok(());
    }
    Err(NodeError::runtime_error(
        "Sizes of tensors must match except in dimension 2: the sounds have other numbers of channels",
    ))
}

/// AudioMerge: one over the other, as long as the first; what gets too loud makes everything softer.
fn merge(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let (first, second) = (inputs.audio("audio1")?.stereo(), inputs.audio("audio2")?.stereo());
    same_rate(&first, &second)?;
    same_lines(&first, &second)?;
    let mix: fn(f32, f32) -> f32 = match inputs.text("merge_method")? {
        "add" => |first, second| first + second,
        "subtract" => |first, second| first - second,
        "multiply" => |first, second| first * second,
        _ => |first, second| (first + second) / 2.0,
    };
    let lines = first.lines().zip(second.lines()).map(|(first, second)| {
        let second = second.iter().copied().chain(std::iter::repeat(0.0));
        first.iter().zip(second).map(|(&first, second)| mix(first, second)).collect()
    });
    let mut merged = first.with_lines(lines);
    let loudest = merged.data.iter().fold(0.0_f32, |loudest, number| loudest.max(number.abs()));
    if loudest > 1.0 {
        merged.data.iter_mut().for_each(|number| *number /= loudest);
    }
    Ok(Ran::output(given(merged)))
}

/// AudioAdjustVolume, in decibels.
fn adjust_volume(inputs: &Inputs, _: &mut Context<'_>) -> Result<Ran, NodeError> {
    let audio = inputs.audio("audio")?;
    let decibels = inputs.int("volume")?;
    if decibels == 0 {
        return Ok(Ran::output(Value::Audio(audio.clone())));
    }
    let gain = 10_f64.powf(decibels as f64 / 20.0) as f32;
    let lines = audio.lines().map(|line| line.iter().map(|number| number * gain).collect());
    Ok(Ran::output(given(audio.with_lines(lines))))
}
