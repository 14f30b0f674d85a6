//! Binary messages, as the server writes them: all integers in 32 bits, big endian.

use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::Value as Json;

use crate::nodes::{Preview, PreviewFormat};
use crate::wire::to_json;

/// Event 1: a picture, without a word on whose it is.
pub(super) fn preview(preview: &Preview) -> Bytes {
    let format = match preview.format {
        PreviewFormat::Jpeg => 1,
        PreviewFormat::Png => 2,
    };
    frame(1, &[&u32::to_be_bytes(format), &preview.bytes])
}

/// Event 4: a picture with its node and prompt.
pub(super) fn preview_with_metadata(metadata: &Json, picture: &[u8]) -> Bytes {
    let metadata = to_json(metadata);
    frame(4, &[&length(metadata.as_bytes()), metadata.as_bytes(), picture])
}

/// Event 3: a text of a node.
pub(super) fn text(node: &str, text: &str) -> Bytes {
    frame(3, &[&length(node.as_bytes()), node.as_bytes(), text.as_bytes()])
}

/// Any event.
pub(super) fn frame(event: u32, parts: &[&[u8]]) -> Bytes {
    let mut frame = BytesMut::with_capacity(4 + parts.iter().map(|part| part.len()).sum::<usize>());
    frame.put_u32(event);
    parts.iter().for_each(|part| frame.put_slice(part));
    frame.freeze()
}

fn length(bytes: &[u8]) -> [u8; 4] {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use comfy_protocol::Frame;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_client_reads_what_is_written() {
        let png = Preview { format: PreviewFormat::Png, bytes: Bytes::from_static(b"picture") };
        let Ok(Frame::Preview { data, .. }) = Frame::decode(preview(&png)) else { panic!("no preview") };
        assert_eq!(data, png.bytes);
        let metadata = json!({"node_id": "1:2", "image_type": "image/png"});
        let read = Frame::decode(preview_with_metadata(&metadata, b"picture"));
        let Ok(Frame::PreviewWithMetadata { metadata, data }) = read else { panic!("no preview") };
        assert_eq!((metadata.node_id, &*data), (Some("1:2".into()), &b"picture"[..]));
        let Ok(Frame::Text { node, text }) = Frame::decode(text("ü", "画像")) else { panic!("no text") };
        assert_eq!((node.as_str(), text.as_str()), ("ü", "画像"));
        let Ok(Frame::Other { event: 77, data }) = Frame::decode(frame(77, &[&[0, 1]])) else {
            panic!("no event")
        };
        assert_eq!(&*data, [0, 1]);
    }
}
