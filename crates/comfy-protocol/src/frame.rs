use bytes::Bytes;
use comfy_workflow::NodeId;
use serde::{Deserialize, Serialize};

use crate::json::{self, JsonError};

/// A binary frame of the WebSocket. All integers of its layout are unsigned, 32 bits, big endian.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Frame {
    /// Event 1: a picture, without a word on whose it is; for clients that did not declare `supports_preview_metadata`.
    Preview {
        /// The format of the picture's bytes.
        format: ImageFormat,
        /// The bytes of the picture's file.
        data: Bytes,
    },
    /// Event 3: a text that a node shows. It goes to every client and names no prompt.
    Text {
        /// The node.
        node: NodeId,
        /// The text.
        text: String,
    },
    /// Event 4: a picture with its node and prompt.
    PreviewWithMetadata {
        /// Whose picture it is.
        metadata: Box<PreviewMetadata>,
        /// The bytes of the picture's file.
        data: Bytes,
    },
    /// An event not known here.
    Other {
        /// The event's number.
        event: u32,
        /// What follows it.
        data: Bytes,
    },
}

/// Format of a picture in a [`Frame`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ImageFormat {
    /// JPEG (1 on the wire).
    Jpeg,
    /// PNG (2 on the wire).
    Png,
    /// A number not known here.
    Other(u32),
}

/// The metadata of [`Frame::PreviewWithMetadata`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PreviewMetadata {
    /// The node that made the picture.
    #[serde(default)]
    pub node_id: Option<NodeId>,
    /// The prompt.
    #[serde(default)]
    pub prompt_id: Option<String>,
    /// The node of the submitted prompt that a user knows.
    #[serde(default)]
    pub display_node_id: Option<NodeId>,
    /// The node that made this one while running.
    #[serde(default)]
    pub parent_node_id: Option<NodeId>,
    /// The node of the submitted prompt.
    #[serde(default)]
    pub real_node_id: Option<NodeId>,
    /// `image/png` or `image/jpeg`.
    #[serde(default)]
    pub image_type: String,
}

/// Why a binary frame could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The frame ends before its layout does.
    #[error("binary frame of {length} bytes is too short for event {event:?}")]
    Short {
        /// Length of the frame.
        length: usize,
        /// The event's number, if the frame got so far.
        event: Option<u32>,
    },
    /// The node id or the text of event 3 is no UTF-8.
    #[error("text frame is no UTF-8")]
    Utf8,
    /// The metadata of event 4 is no JSON of the known form.
    #[error("metadata of a preview frame")]
    Metadata(#[source] JsonError),
}

impl Frame {
    /// Reads a binary frame.
    ///
    /// # Errors
    /// The frame is cut short, or holds text that is no UTF-8 or metadata that is no JSON. An unknown event is no error.
    pub fn decode(mut data: Bytes) -> Result<Self, FrameError> {
        let length = data.len();
        let event = take_u32(&mut data).ok_or(FrameError::Short { length, event: None })?;
        let short = || FrameError::Short { length, event: Some(event) };
        match event {
            1 => {
                let format = ImageFormat::from_number(take_u32(&mut data).ok_or_else(short)?);
                Ok(Self::Preview { format, data })
            }
            3 => {
                let node = take_block(&mut data).ok_or_else(short)?;
                let node = std::str::from_utf8(&node).map_err(|_| FrameError::Utf8)?;
                let text = std::str::from_utf8(&data).map_err(|_| FrameError::Utf8)?;
                Ok(Self::Text { node: node.into(), text: text.to_owned() })
            }
            4 => {
                let metadata = take_block(&mut data).ok_or_else(short)?;
                let metadata = json::from_slice(&metadata).map_err(FrameError::Metadata)?;
                Ok(Self::PreviewWithMetadata { metadata: Box::new(metadata), data })
            }
            event => Ok(Self::Other { event, data }),
        }
    }

    /// Writes a binary frame.
    ///
    /// # Errors
    /// A node id or metadata of 4 GiB or more, which the layout cannot hold.
    pub fn encode(&self) -> Result<Vec<u8>, std::num::TryFromIntError> {
        let mut frame = Vec::new();
        match self {
            Self::Preview { format, data } => {
                put_u32(&mut frame, 1);
                put_u32(&mut frame, format.number());
                frame.extend_from_slice(data);
            }
            Self::Text { node, text } => {
                put_u32(&mut frame, 3);
                put_u32(&mut frame, node.as_str().len().try_into()?);
                frame.extend_from_slice(node.as_str().as_bytes());
                frame.extend_from_slice(text.as_bytes());
            }
            Self::PreviewWithMetadata { metadata, data } => {
                let metadata = serde_json::to_vec(metadata).unwrap_or_default();
                put_u32(&mut frame, 4);
                put_u32(&mut frame, metadata.len().try_into()?);
                frame.extend_from_slice(&metadata);
                frame.extend_from_slice(data);
            }
            Self::Other { event, data } => {
                put_u32(&mut frame, *event);
                frame.extend_from_slice(data);
            }
        }
        Ok(frame)
    }
}

impl PreviewMetadata {
    /// The metadata of a picture of a node of the submitted prompt.
    #[must_use]
    pub fn new(node: NodeId, prompt_id: String, image_type: impl Into<String>) -> Self {
        Self {
            display_node_id: Some(node.clone()),
            parent_node_id: None,
            real_node_id: Some(node.clone()),
            node_id: Some(node),
            prompt_id: Some(prompt_id),
            image_type: image_type.into(),
        }
    }
}

impl ImageFormat {
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Jpeg,
            2 => Self::Png,
            other => Self::Other(other),
        }
    }

    fn number(self) -> u32 {
        match self {
            Self::Jpeg => 1,
            Self::Png => 2,
            Self::Other(number) => number,
        }
    }
}

fn take_u32(data: &mut Bytes) -> Option<u32> {
    let bytes: [u8; 4] = data.get(..4)?.try_into().ok()?;
    *data = data.slice(4..);
    Some(u32::from_be_bytes(bytes))
}

fn take_block(data: &mut Bytes) -> Option<Bytes> {
    let length = usize::try_from(take_u32(data)?).ok()?;
    (length <= data.len()).then(|| data.split_to(length))
}

fn put_u32(frame: &mut Vec<u8>, number: u32) {
    frame.extend_from_slice(&number.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_frame_of_a_server_is_read() {
        let frame = Frame::decode(Bytes::from_static(b"\0\0\0\x03\0\0\0\x012width: 32")).unwrap();
        assert_eq!(frame, Frame::Text { node: "2".into(), text: "width: 32".into() });
    }

    #[test]
    fn a_length_beyond_the_frame_is_an_error() {
        let error = Frame::decode(Bytes::from_static(b"\0\0\0\x04\xff\xff\xff\xff{}")).unwrap_err();
        assert_eq!(error, FrameError::Short { length: 10, event: Some(4) });
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_decoder_panic(event in 0u32..6, bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let mut frame = event.to_be_bytes().to_vec();
            frame.extend(&bytes);
            let _ = Frame::decode(frame.into());
            let _ = Frame::decode(bytes.into());
        }

        #[test]
        fn what_is_decoded_is_encoded_again_as_it_was(event in prop_oneof![Just(1u32), Just(3), 5u32..], node in "[ -~é]{0,9}", text in ".{0,20}") {
            let mut bytes = event.to_be_bytes().to_vec();
            bytes.extend(u32::try_from(node.len()).unwrap().to_be_bytes());
            bytes.extend(node.as_bytes());
            bytes.extend(text.as_bytes());
            prop_assert_eq!(Frame::decode(bytes.clone().into()).unwrap().encode().unwrap(), bytes);
        }
    }
}
