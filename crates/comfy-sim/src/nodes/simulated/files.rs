//! What simulated output nodes leave: pictures and sounds, and marked placeholders of everything else.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use comfy_workflow::schema::NodeSchema;
use serde_json::{Map, Value as Json, json};

use super::given::Given;
use super::origin::Origin;
use super::shape::Shape;
use super::tensors;
use crate::files::Folder;
use crate::nodes::save::{self, files_error};
use crate::nodes::{Context, NodeError};
use crate::value::{Audio, Image, Mask, Value};

type Ui = Map<String, Json>;

/// Types whose values are models: they are saved without a word to the user.
const MODELS: [&str; 7] =
    ["MODEL", "CLIP", "VAE", "LORA_MODEL", "CLIP_VISION", "CONTROL_NET", "CONDITIONING"];

/// What a node of an output class shows, and the files that it writes for that.
pub(super) fn show(
    schema: &NodeSchema,
    given: &Given<'_>,
    shape: &Shape,
    origin: &Origin,
    context: &Context<'_>,
) -> Result<Option<Ui>, NodeError> {
    // Services give their results to other nodes.
    if !schema.output_node || schema.api_node {
        return Ok(None);
    }
    let saver = Saver { schema, given, shape, origin, context };
    if given.has("model_file") && !given.has("filename_prefix") {
        return saver.show_mesh().map(Some);
    }
    for entry in given.entries() {
        for value in &entry.values {
            if let Some(ui) = saver.save(value)? {
                return Ok(ui);
            }
        }
    }
    Ok(None)
}

#[derive(Debug)]
struct Saver<'a> {
    schema: &'a NodeSchema,
    given: &'a Given<'a>,
    shape: &'a Shape,
    origin: &'a Origin,
    context: &'a Context<'a>,
}

impl Saver<'_> {
    /// Saves a value if it is of a kind that is saved; what is shown of it, if anything.
    fn save(&self, value: &Value) -> Result<Option<Option<Ui>>, NodeError> {
        let (Value::Thing(_) | Value::Image(_) | Value::Mask(_) | Value::Audio(_)) = value else {
            return Ok(None);
        };
        let ui = match value {
            Value::Image(image) => Some(self.pictures(image)?),
            Value::Mask(mask) => Some(self.pictures(&Arc::new(picture_of(mask)?))?),
            Value::Audio(audio) => {
                let item = self.write("wav", false, &wave(audio, &self.note("sound").to_string()))?;
                Some(under("audio", item))
            }
            Value::Thing(thing) => match &*thing.kind {
                "VIDEO" => Some(self.video()?),
                "LATENT" => {
                    Some(under("latents", self.write("latent", true, &safetensors(&self.note("latent")))?))
                }
                "SVG" => Some(under("images", self.write("svg", true, self.svg().as_bytes())?)),
                "LOSS_MAP" => Some(self.pictures(&Arc::new(tensors::pictures(self.origin, self.shape)?))?),
                "SPLAT" => Some(under("3d", self.write("ply", true, ply(&self.note("splat")).as_bytes())?)),
                kind if kind == "MESH" || kind == "VOXEL" || kind.starts_with("FILE_3D") => {
                    Some(under("3d", self.write("glb", true, &glb(&self.note("mesh")))?))
                }
                kind if MODELS.contains(&kind) => {
                    self.write("safetensors", true, &safetensors(&self.note("model")))?;
                    None
                }
                _ => return Ok(None),
            },
            _ => return Ok(None),
        };
        Ok(Some(ui))
    }

    /// What is in a placeholder: that it is one, and of what.
    fn note(&self, what: &str) -> Json {
        let mut classes: Vec<&str> = self.origin.classes.iter().map(|class| &**class).collect();
        if !classes.contains(&&*self.schema.name) {
            classes.push(&self.schema.name);
        }
        json!({
            "placeholder": format!("made by a simulator: there is no {what} in this file"),
            "simulated": classes,
            "width": self.shape.width,
            "height": self.shape.height,
            "frames": self.shape.frames,
            "rate": self.shape.rate,
        })
    }

    fn folder(&self) -> Folder {
        if self.given.has("filename_prefix") { Folder::Output } else { Folder::Temp }
    }

    fn prefix(&self) -> String {
        let chosen = self.given.text(&["filename_prefix"]).map(str::to_owned);
        chosen.unwrap_or_else(|| format!("ComfyUI_temp_{}", self.context.instance.temp_letters))
    }

    fn pictures(&self, image: &Arc<Image>) -> Result<Ui, NodeError> {
        let ran = save::save(image, self.folder(), &self.prefix(), self.context)?;
        Ok(ran.ui.unwrap_or_default())
    }

    fn video(&self) -> Result<Ui, NodeError> {
        let note = self.note("video").to_string();
        let (ending, bytes) =
            if self.schema.name.contains("WEBM") { ("webm", webm(&note)) } else { ("mp4", mp4(&note)) };
        let mut ui = under("images", self.write(ending, true, &bytes)?);
        ui.insert("animated".into(), json!([true]));
        Ok(ui)
    }

    /// The three things that viewers of meshes are told: a file, a camera, a background.
    fn show_mesh(&self) -> Result<Ui, NodeError> {
        let file = match self.given.text(&["model_file"]) {
            Some(name) => name.into(),
            None => self.write("glb", true, &glb(&self.note("mesh")))?["filename"].clone(),
        };
        Ok(under("result", file).into_iter().map(|(key, file)| (key, json!([file[0], null, null]))).collect())
    }

    fn svg(&self) -> String {
        let (width, height) = (self.shape.width, self.shape.height);
        let note = self.note("drawing").to_string().replace("--", "- -");
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\">\n\
             <!-- {note} -->\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#22303c\"/>\n\
             <text x=\"50%\" y=\"50%\" fill=\"#ecece4\" font-family=\"monospace\" text-anchor=\"middle\">simulated</text>\n\
             </svg>\n"
        )
    }

    /// Writes a file and gives its item. Names of sounds have no underscore at their end.
    fn write(&self, ending: &str, underscore: bool, bytes: &[u8]) -> Result<Json, NodeError> {
        let folder = self.folder();
        let (width, height) = (self.shape.width, self.shape.height);
        let mut target =
            self.context.files.save_target(folder, &self.prefix(), width, height).map_err(files_error)?;
        // Without the underscore the numbering does not see the files that are there.
        let (name, path): (String, PathBuf) = loop {
            let name = target.next_name(0);
            let stem = name.strip_suffix(if underscore { ".png" } else { "_.png" }).unwrap_or(&name);
            let name = format!("{stem}.{ending}");
            let path = target.directory.join(&name);
            if underscore || !path.exists() {
                break (name, path);
            }
        };
        fs::write(&path, bytes).map_err(|error| NodeError::io(&error, &path))?;
        Ok(json!({"filename": name, "subfolder": target.subfolder, "type": folder.as_str()}))
    }
}

fn under(key: &str, item: Json) -> Ui {
    Map::from_iter([(key.to_owned(), Json::Array(vec![item]))])
}

fn picture_of(mask: &Mask) -> Result<Image, NodeError> {
    let mut image = Image::zeros(mask.batch, mask.height, mask.width, 3)?;
    for (pixel, number) in image.data.chunks_exact_mut(3).zip(&mask.data) {
        pixel.fill(*number);
    }
    Ok(image)
}

/// A length as four bytes; what is written here is far smaller.
fn length(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes()
}

/// A WAV file of 16 bits with a comment.
fn wave(audio: &Audio, note: &str) -> Vec<u8> {
    let channels = u16::try_from(audio.channels.max(1)).unwrap_or(1);
    let samples = audio.samples();
    let mut data = Vec::with_capacity(samples * usize::from(channels) * 2);
    for sample in 0..samples {
        for channel in 0..usize::from(channels) {
            let number = audio.data.get(channel * samples + sample).copied().unwrap_or_default();
            data.extend(((number * 32767.0) as i16).to_le_bytes());
        }
    }
    let mut comment = note.as_bytes().to_vec();
    comment.resize(comment.len().next_multiple_of(2), 0);
    let mut body = b"WAVEfmt ".to_vec();
    body.extend(length(16));
    body.extend(1_u16.to_le_bytes());
    body.extend(channels.to_le_bytes());
    body.extend(audio.rate.to_le_bytes());
    body.extend((audio.rate * u32::from(channels) * 2).to_le_bytes());
    body.extend((channels * 2).to_le_bytes());
    body.extend(16_u16.to_le_bytes());
    body.extend(b"LIST");
    body.extend(length(comment.len() + 12));
    body.extend(b"INFOICMT");
    body.extend(length(comment.len()));
    body.extend(comment);
    body.extend(b"data");
    body.extend(length(data.len()));
    body.extend(data);
    [b"RIFF".as_slice(), &length(body.len()), &body].concat()
}

/// An MP4 file with a text and without tracks.
fn mp4(note: &str) -> Vec<u8> {
    let size = |content: usize| u32::try_from(content + 8).unwrap_or(u32::MAX).to_be_bytes();
    let brand = b"isom\0\0\x02\0isommp42";
    [&size(brand.len()), b"ftyp".as_slice(), brand, &size(note.len()), b"free", note.as_bytes()].concat()
}

/// A WebM file with a text and without tracks.
fn webm(note: &str) -> Vec<u8> {
    let head = b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm\x42\x87\x81\x04\x42\x85\x81\x02";
    let size = (0x0100_0000_0000_0000 | note.len() as u64).to_be_bytes();
    let head_size = 0x80 | u8::try_from(head.len()).unwrap_or(0);
    [b"\x1a\x45\xdf\xa3".as_slice(), &[head_size], head, b"\xec", &size, note.as_bytes()].concat()
}

/// A binary glTF file with an empty scene.
fn glb(note: &Json) -> Vec<u8> {
    let scene = json!({
        "asset": {"version": "2.0", "generator": "simulated"}, "scene": 0, "scenes": [{}], "extras": note,
    });
    let mut scene = scene.to_string().into_bytes();
    scene.resize(scene.len().next_multiple_of(4), b' ');
    [b"glTF\x02\0\0\0".as_slice(), &length(scene.len() + 20), &length(scene.len()), b"JSON", &scene].concat()
}

/// A point cloud without points.
fn ply(note: &Json) -> String {
    format!(
        "ply\nformat ascii 1.0\ncomment {note}\nelement vertex 0\nproperty float x\nproperty float y\n\
         property float z\nend_header\n"
    )
}

/// A safetensors file without tensors: its metadata are texts.
fn safetensors(note: &Json) -> Vec<u8> {
    let texts = note.as_object().into_iter().flatten().map(|(key, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (key.clone(), Json::String(text))
    });
    let mut head = json!({"__metadata__": texts.collect::<Map<_, _>>()}).to_string().into_bytes();
    head.resize(head.len().next_multiple_of(8), b' ');
    [(head.len() as u64).to_le_bytes().as_slice(), &head].concat()
}
