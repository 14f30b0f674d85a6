//! Nodes that write sound into files.

use std::sync::Arc;

use serde_json::Value as Json;

use super::super::{Context, Inputs, NodeError, Ran};
use super::placeholder::Kind;
use super::{flac, write};
use crate::files::Folder;
use crate::value::{Audio, Value};
use crate::version::ServerVersion;
use crate::wire::to_json;

/// SaveAudio: FLAC with 16 bits.
pub(super) fn save_flac(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    save(inputs, context, Folder::Output, inputs.text("filename_prefix")?, "flac")
}

/// PreviewAudio: into `temp`.
pub(super) fn preview(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let prefix = format!("ComfyUI_temp_{}", context.instance.temp_letters);
    save(inputs, context, Folder::Temp, &prefix, "flac")
}

/// SaveAudioMP3.
pub(super) fn save_mp3(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    save(inputs, context, Folder::Output, inputs.text("filename_prefix")?, "mp3")
}

/// SaveAudioOpus.
pub(super) fn save_opus(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    save(inputs, context, Folder::Output, inputs.text("filename_prefix")?, "opus")
}

/// SaveAudioAdvanced: the format is chosen in the prompt.
pub(super) fn save_any(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let format = inputs.text("format")?;
    if !["flac", "mp3", "opus"].contains(&format) {
        return Err(NodeError::value_error(format!("unknown format {format}")));
    }
    save(inputs, context, Folder::Output, inputs.text("filename_prefix")?, format)
}

/// One file for each sound of the batch.
fn save(
    inputs: &Inputs,
    context: &Context<'_>,
    folder: Folder,
    prefix: &str,
    format: &str,
) -> Result<Ran, NodeError> {
    let value = inputs.value("audio")?;
    let notes = notes(context);
    // Since 0.30.0 no underscore follows the number.
    let joint = if context.version >= ServerVersion::V0_30_0 { "" } else { "_" };
    let ending = format!("{joint}.{format}");
    let kind = Kind::of_ending(format);
    let mut items = Vec::new();
    match (value, kind) {
        (Value::Audio(audio), None) => {
            for position in 0..audio.batch {
                let bytes = flac::encode(&sound(audio, position), &notes)?;
                items.push(write(context, folder, prefix, &ending, &bytes)?);
            }
        }
        (Value::Audio(_) | Value::Thing(_), kind) => {
            // Sound that was only simulated is silence in FLAC.
            let bytes = match kind {
                Some(kind) => kind.file(&notes),
                None => flac::encode(&silence(), &notes)?,
            };
            items.push(write(context, folder, prefix, &ending, &bytes)?);
        }
        (other, _) => {
            let found = other.type_name();
            return Err(NodeError::type_error(format!("'{found}' object is not subscriptable")));
        }
    }
    Ok(Ran::shown(value.clone(), "audio", items))
}

/// The server writes the whole prompt and each entry of `extra_pnginfo` into the file.
fn notes(context: &Context<'_>) -> Vec<(String, String)> {
    let mut notes = vec![("prompt".to_owned(), to_json(context.prompt))];
    let extra = context.extra_pnginfo.into_iter().flatten();
    notes.extend(extra.map(|(key, json): (&String, &Json)| (key.clone(), to_json(json))));
    notes
}

/// One sound of a batch.
fn sound(audio: &Arc<Audio>, position: usize) -> Audio {
    let len = audio.channels * audio.samples();
    Audio {
        batch: 1,
        channels: audio.channels,
        rate: audio.rate,
        data: audio.data[position * len..(position + 1) * len].to_vec(),
    }
}

fn silence() -> Audio {
    Audio { batch: 1, channels: 2, rate: 44100, data: vec![0.0; 2 * 44100] }
}
