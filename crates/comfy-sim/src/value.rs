//! What flows along the links of a running workflow.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::nodes::NodeError;
use crate::version::ServerVersion;
use crate::{python, tensor_text};

/// One value holds at most this many numbers (512 MiB). A workflow may ask for a picture of 16384 × 16384 in a
/// batch of 4096: such a request has to end in an error of the node, not in the end of the process.
pub(crate) const MAX_NUMBERS: usize = 1 << 27;

/// A batch of pictures: `batch × height × width × channels`, channels last, 0.0 to 1.0 by convention.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Image {
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) channels: usize,
    pub(crate) data: Vec<f32>,
}

/// A batch of masks: `batch × height × width`, 0.0 to 1.0 by convention.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mask {
    pub(crate) batch: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) data: Vec<f32>,
}

/// Sound: `batch × channels × samples`, -1.0 to 1.0 by convention.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Audio {
    pub(crate) batch: usize,
    pub(crate) channels: usize,
    /// Samples per second of one channel.
    pub(crate) rate: u32,
    pub(crate) data: Vec<f32>,
}

/// A simulated value: its type, what is known of it, and what it depends on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Thing {
    /// Its type in the words of `object_info`, such as `MODEL` or `LATENT`.
    pub(crate) kind: Arc<str>,
    /// Made from everything that went into it: two things are the same when this is.
    pub(crate) digest: [u8; 32],
    /// What later nodes ask of it, such as `width`, `height`, `batch` and `length` of a latent, and its `text` in
    /// Python where that is known.
    pub(crate) facts: Map<String, Json>,
}

/// One value of a node's output, or of its input.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Image(Arc<Image>),
    Mask(Arc<Mask>),
    Audio(Arc<Audio>),
    /// Something that only a real server could compute with, such as a model or a latent.
    Thing(Arc<Thing>),
    /// Several values in one: what a slot that gives lists holds, and what a class that takes lists finds.
    List(Vec<Self>),
    /// Makes the nodes that would use it not run; with a text they are reported.
    Blocker(Option<Arc<str>>),
    /// Numbers, texts, booleans and everything else that JSON can say.
    Json(Json),
}

/// How many numbers a value of this shape holds; an error when it is more than the simulator wants to hold. An empty
/// value counts by its other sides: they can be as long as they like, and whatever is made from it is measured by them.
pub(crate) fn room_for(shape: [usize; 4]) -> Result<usize, NodeError> {
    let numbers = shape.iter().fold(1_u128, |product, &side| product.saturating_mul(side.max(1) as u128));
    if numbers > MAX_NUMBERS as u128 {
        return Err(NodeError::out_of_memory(numbers.saturating_mul(4)));
    }
    Ok(shape.iter().product())
}

/// One text holds at most this many bytes: a few nodes that join or replace could make it as long as they like.
const MAX_TEXT: usize = 64 << 20;

/// Fails when a text of this many bytes is more than the simulator wants to hold.
pub(crate) fn room_for_text(bytes: usize) -> Result<(), NodeError> {
    if bytes > MAX_TEXT { Err(NodeError::new("MemoryError", "")) } else { Ok(()) }
}

/// A number between 0 and 1 as a byte. The server cuts off the fraction; it does not round.
pub(crate) fn to_byte(number: f32) -> u8 {
    // `as` saturates and turns NaN into 0, so that no clamping is needed.
    (255.0 * number) as u8
}

impl Image {
    /// Pictures with all numbers 0.
    pub(crate) fn zeros(
        batch: usize,
        height: usize,
        width: usize,
        channels: usize,
    ) -> Result<Self, NodeError> {
        let numbers = room_for([batch, height, width, channels])?;
        Ok(Self { batch, height, width, channels, data: vec![0.0; numbers] })
    }

    /// Pictures of one colour.
    pub(crate) fn filled(
        batch: usize,
        height: usize,
        width: usize,
        color: &[f32],
    ) -> Result<Self, NodeError> {
        let mut image = Self::zeros(batch, height, width, color.len())?;
        if !color.is_empty() {
            image.data.chunks_exact_mut(color.len()).for_each(|pixel| pixel.copy_from_slice(color));
        }
        Ok(image)
    }

    /// Numbers in one picture of the batch.
    pub(crate) fn picture_len(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// The numbers of one picture; empty when there is no such picture.
    pub(crate) fn picture(&self, index: usize) -> &[f32] {
        let len = self.picture_len();
        self.data.get(index * len..(index + 1) * len).unwrap_or_default()
    }

    /// One picture as bytes, channel by channel, as the server writes it into a file.
    pub(crate) fn to_bytes(&self, index: usize) -> Vec<u8> {
        self.picture(index).iter().map(|&number| to_byte(number)).collect()
    }

    /// The same pictures with more channels, the new ones 1.0 (opaque).
    pub(crate) fn with_channels(&self, channels: usize) -> Result<Self, NodeError> {
        let mut image = Self::filled(self.batch, self.height, self.width, &vec![1.0; channels])?;
        let kept = self.channels.min(channels);
        if kept > 0 {
            for (to, from) in image.data.chunks_exact_mut(channels).zip(self.data.chunks_exact(self.channels))
            {
                to[..kept].copy_from_slice(&from[..kept]);
            }
        }
        Ok(image)
    }
}

impl Mask {
    /// Masks with one number everywhere.
    pub(crate) fn filled(batch: usize, height: usize, width: usize, number: f32) -> Result<Self, NodeError> {
        let numbers = room_for([batch, height, width, 1])?;
        Ok(Self { batch, height, width, data: vec![number; numbers] })
    }
}

impl Value {
    /// A picture batch as a value.
    pub(crate) fn image(image: Image) -> Self {
        Self::Image(Arc::new(image))
    }

    /// A mask batch as a value.
    pub(crate) fn mask(mask: Mask) -> Self {
        Self::Mask(Arc::new(mask))
    }

    /// Name of the value's Python class, as error texts of the server have it.
    pub(crate) fn type_name(&self) -> &'static str {
        match self {
            Self::Image(_) | Self::Mask(_) => "Tensor",
            Self::Audio(_) => "dict",
            Self::Thing(thing) => thing.type_name(),
            Self::List(_) => "list",
            Self::Blocker(_) => "ExecutionBlocker",
            Self::Json(json) => python::type_name(json),
        }
    }

    /// The value as `current_inputs` of `execution_error` shows it: JSON scalars as they are, everything else as
    /// its Python text.
    pub(crate) fn shown(&self, version: ServerVersion) -> Json {
        match self {
            Self::Json(json @ (Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_))) => {
                json.clone()
            }
            other => Json::String(other.python_text(version)),
        }
    }

    /// The value as `str()` gives it in Python on a server of this version.
    pub(crate) fn python_text(&self, version: ServerVersion) -> String {
        let tensor_text = |shape: &[usize], data| tensor_text::tensor_text(shape, data, version);
        match self {
            Self::Image(image) => {
                tensor_text(&[image.batch, image.height, image.width, image.channels], &image.data)
            }
            Self::Mask(mask) => tensor_text(&[mask.batch, mask.height, mask.width], &mask.data),
            Self::Audio(audio) => format!(
                "{{'waveform': {}, 'sample_rate': {}}}",
                tensor_text(&[audio.batch, audio.channels, audio.samples()], &audio.data),
                audio.rate
            ),
            Self::Thing(thing) => match thing.facts.get("text") {
                Some(Json::String(text)) => text.clone(),
                _ => format!("<{} (simulated)>", thing.kind),
            },
            Self::List(values) => {
                let texts: Vec<_> = values.iter().map(|value| value.python_repr(version)).collect();
                format!("[{}]", texts.join(", "))
            }
            Self::Blocker(_) => "<ExecutionBlocker object>".to_owned(),
            Self::Json(json) => python::python_text(json),
        }
    }

    /// The value as `repr()` gives it in Python on a server of this version.
    pub(crate) fn python_repr(&self, version: ServerVersion) -> String {
        match self {
            Self::Json(json) => python::python_repr(json),
            other => other.python_text(version),
        }
    }
}

impl Audio {
    /// Samples of one channel.
    pub(crate) fn samples(&self) -> usize {
        self.data.len() / (self.batch * self.channels).max(1)
    }
}

impl Thing {
    /// Latents and conditionings are plain containers on the server; most others are objects of classes of their own.
    fn type_name(&self) -> &'static str {
        match &*self.kind {
            "LATENT" => "dict",
            "CONDITIONING" => "list",
            "SIGMAS" | "NOISE_TENSOR" => "Tensor",
            _ => "object",
        }
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        Self::Json(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_survives_the_way_through_a_float() {
        for byte in 0..=255_u8 {
            assert_eq!(to_byte(f32::from(byte) / 255.0), byte);
        }
    }

    #[test]
    fn bytes_are_cut_off_and_bounded() {
        assert_eq!(to_byte(0.37), 94);
        assert_eq!(to_byte(-3.0), 0);
        assert_eq!(to_byte(7.5), 255);
        assert_eq!(to_byte(f32::NAN), 0);
    }

    #[test]
    fn a_picture_that_is_too_large_is_an_error_of_the_node() {
        let error = Image::zeros(4096, 16384, 16384, 3).expect_err("12 TiB");
        assert_eq!(error.exception_type, "RuntimeError");
        assert!(error.message.contains("13194139533312 bytes"), "{}", error.message);
        assert!(room_for([usize::MAX, usize::MAX, usize::MAX, usize::MAX]).is_err());
        assert!(room_for([0, usize::MAX, 1, 3]).is_err());
        assert_eq!(room_for([0, 16384, 1, 3]).expect("small"), 0);
    }

    #[test]
    fn a_picture_that_is_not_there_has_no_bytes() {
        let image = Image { batch: 1, height: 1, width: 1, channels: 4, data: vec![1.0, 0.5, 0.0, 0.2] };
        assert_eq!(image.to_bytes(0), [255, 127, 0, 51]);
        assert!(image.to_bytes(1).is_empty());
    }

    #[test]
    fn added_channels_are_opaque() {
        let image = Image { batch: 1, height: 1, width: 1, channels: 3, data: vec![0.1, 0.2, 0.3] };
        assert_eq!(image.with_channels(4).expect("small").data, [0.1, 0.2, 0.3, 1.0]);
    }

    #[test]
    fn scalars_are_shown_as_they_are_and_the_rest_as_python_text() {
        assert_eq!(Value::Json(Json::from(1.5)).shown(ServerVersion::default()), Json::from(1.5));
        assert_eq!(
            Value::Json(serde_json::json!({"a": [null, true]})).shown(ServerVersion::default()),
            Json::from("{'a': [None, True]}")
        );
        let mask = Mask::filled(1, 1, 2, 0.5).expect("small");
        assert_eq!(
            Value::mask(mask).shown(ServerVersion::default()),
            Json::from("tensor([[[0.5000, 0.5000]]])")
        );
    }
}
