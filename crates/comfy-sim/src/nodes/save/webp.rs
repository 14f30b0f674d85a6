//! The container of WebP pictures: extended, with notes, moving or not.

/// Encoded pictures of one size.
pub(super) struct Picture<'a> {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) alpha: bool,
    /// Each a WebP file of its own.
    pub(super) frames: &'a [Vec<u8>],
}

const ALPHA: u8 = 0x10;
const EXIF: u8 = 0x08;
const ANIMATION: u8 = 0x02;

impl Picture<'_> {
    /// The file; each frame is shown for so many milliseconds. `None` when something is too long for the format.
    pub(super) fn file(&self, milliseconds: u32, notes: &[(u16, String)]) -> Option<Vec<u8>> {
        let moving = self.frames.len() > 1;
        let mut flags = EXIF;
        if self.alpha {
            flags |= ALPHA;
        }
        if moving {
            flags |= ANIMATION;
        }
        let mut body = b"WEBP".to_vec();
        let mut header = vec![flags, 0, 0, 0];
        header.extend(three_bytes(self.width.checked_sub(1)?));
        header.extend(three_bytes(self.height.checked_sub(1)?));
        chunk(&mut body, b"VP8X", &header)?;
        if moving {
            // The background is transparent, and it goes round for ever.
            chunk(&mut body, b"ANIM", &[0; 6])?;
        }
        for frame in self.frames {
            let data = pixels(frame)?;
            if !moving {
                body.extend_from_slice(data);
                continue;
            }
            let mut content = vec![0; 6];
            content.extend(three_bytes(self.width - 1));
            content.extend(three_bytes(self.height - 1));
            content.extend(three_bytes(milliseconds.min(0xff_ffff)));
            // A frame replaces what was there.
            content.push(2);
            content.extend_from_slice(data);
            chunk(&mut body, b"ANMF", &content)?;
        }
        let mut exif = if moving { b"Exif\0\0".to_vec() } else { Vec::new() };
        exif.extend(tags(notes)?);
        chunk(&mut body, b"EXIF", &exif)?;
        let mut file = b"RIFF".to_vec();
        file.extend(u32::try_from(body.len()).ok()?.to_le_bytes());
        file.extend(body);
        Some(file)
    }
}

fn three_bytes(number: u32) -> [u8; 3] {
    let [a, b, c, _] = number.to_le_bytes();
    [a, b, c]
}

fn chunk(body: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) -> Option<()> {
    body.extend(kind);
    body.extend(u32::try_from(content.len()).ok()?.to_le_bytes());
    body.extend(content);
    if content.len() % 2 == 1 {
        body.push(0);
    }
    Some(())
}

/// The chunks with pixels of a WebP file.
fn pixels(file: &[u8]) -> Option<&[u8]> {
    let mut rest = file.get(12..)?;
    while rest.starts_with(b"VP8X") {
        rest = rest.get(18..)?;
    }
    Some(rest)
}

/// Texts as a TIFF directory, as cameras write it.
fn tags(notes: &[(u16, String)]) -> Option<Vec<u8>> {
    let mut notes: Vec<_> = notes.iter().collect();
    notes.sort_by_key(|(tag, _)| *tag);
    let mut bytes = b"MM\0\x2a\0\0\0\x08".to_vec();
    bytes.extend(u16::try_from(notes.len()).ok()?.to_be_bytes());
    let mut texts: Vec<u8> = Vec::new();
    let start = 8 + 2 + 12 * notes.len() + 4;
    for (tag, text) in notes {
        bytes.extend(tag.to_be_bytes());
        bytes.extend(2_u16.to_be_bytes());
        bytes.extend(u32::try_from(text.len() + 1).ok()?.to_be_bytes());
        let mut content = text.clone().into_bytes();
        content.push(0);
        if content.len() <= 4 {
            content.resize(4, 0);
            bytes.extend(content);
            continue;
        }
        bytes.extend(u32::try_from(start + texts.len()).ok()?.to_be_bytes());
        if content.len() % 2 == 1 {
            content.push(0);
        }
        texts.extend(content);
    }
    bytes.extend([0; 4]);
    bytes.extend(texts);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_follow_the_directory_in_the_order_of_their_tags() {
        let bytes = tags(&[(0x110, "prompt:{}".to_owned()), (0x10f, "a:1".to_owned())]).expect("short");
        assert_eq!(&bytes[8..10], [0, 2]);
        assert_eq!(&bytes[10..22], [1, 0x0f, 0, 2, 0, 0, 0, 4, b'a', b':', b'1', 0]);
        assert_eq!(&bytes[22..34], [1, 0x10, 0, 2, 0, 0, 0, 10, 0, 0, 0, 38]);
        assert_eq!(&bytes[38..], b"prompt:{}\0");
    }
}
