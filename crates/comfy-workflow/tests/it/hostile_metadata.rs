//! Files that lie about themselves: nothing panics, nothing takes long, and nothing is read that is not needed.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::OnceLock;

use comfy_workflow::metadata::{self, Metadata};
use comfy_workflow::{Error, Workflow};
use proptest::prelude::*;

use crate::metadata::files;

/// All files of the fixtures.
fn all() -> &'static [(String, Vec<u8>)] {
    static FILES: OnceLock<Vec<(String, Vec<u8>)>> = OnceLock::new();
    FILES.get_or_init(|| {
        let mut all: Vec<_> = ["0.30.0", "others"].into_iter().flat_map(files).collect();
        all.retain(|(name, _)| !name.ends_with(".py"));
        all
    })
}

fn file(name: &str) -> &'static [u8] {
    &all().iter().find(|(found, _)| found == name).unwrap().1
}

/// A file with zeros in it that are nowhere, and how much of it was read.
struct Sparse {
    head: Vec<u8>,
    zeros: u64,
    tail: Vec<u8>,
    position: u64,
    read: u64,
}

impl Sparse {
    fn new(head: impl Into<Vec<u8>>, zeros: u64, tail: impl Into<Vec<u8>>) -> Self {
        Self { head: head.into(), zeros, tail: tail.into(), position: 0, read: 0 }
    }

    /// Reads it, and asserts that little of it was asked for.
    fn metadata(mut self) -> Result<Metadata, Error> {
        let found = metadata::read_from(&mut self);
        assert!(self.read < 100_000, "{} bytes were read", self.read);
        found
    }
}

impl Read for Sparse {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let head = self.head.len() as u64;
        let (start, part): (u64, &[u8]) = match self.position {
            at if at < head => (0, &self.head),
            at if at < head + self.zeros => {
                let count = buffer.len().min((head + self.zeros - at) as usize);
                buffer[..count].fill(0);
                self.position += count as u64;
                self.read += count as u64;
                return Ok(count);
            }
            _ => (head + self.zeros, &self.tail),
        };
        let rest = part.get((self.position - start) as usize..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.position += count as u64;
        self.read += count as u64;
        Ok(count)
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let length = self.head.len() as u64 + self.zeros + self.tail.len() as u64;
        self.position = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(by) => length.saturating_add_signed(by),
            SeekFrom::Current(by) => self.position.saturating_add_signed(by),
        };
        Ok(self.position)
    }
}

fn chunk(kind: &[u8], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32).to_be_bytes()[..], kind, content, &[0; 4]].concat()
}

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

fn zeros_packed(count: usize) -> Vec<u8> {
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    let block = vec![b' '; 1 << 20];
    (0..count >> 20).for_each(|_| packer.write_all(&block).unwrap());
    packer.finish().unwrap()
}

#[test]
fn of_a_video_of_gigabytes_only_the_texts_are_read() {
    let video = file("video.mp4");
    let moov = video.windows(4).position(|kind| kind == b"moov").unwrap() - 4;
    let free = video.windows(4).position(|kind| kind == b"free").unwrap() - 4;
    let gap: u64 = 5 << 30;
    let mdat = [&1_u32.to_be_bytes()[..], b"mdat", &(gap + 16).to_be_bytes()].concat();
    let found = Sparse::new([&video[..moov], &mdat].concat(), gap, &video[moov..free]).metadata().unwrap();
    assert!(found.prompt.is_some() && found.workflow.is_some() && found.problems.is_empty());

    // Tags after a cluster of three gigabytes.
    let video = file("tags.mkv");
    // Where they are, after the list of where they are.
    let tags = video.windows(4).rposition(|id| id == b"\x12\x54\xC3\x67").unwrap();
    let gap: u64 = 3 << 30;
    let segment = b"\x80\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x1F\x43\xB6\x75\x08";
    let head = [&video[..4], segment, &(gap as u32).to_be_bytes()].concat();
    let found = Sparse::new(head, gap, &video[tags..]).metadata().unwrap();
    assert!(found.prompt.is_some() && found.workflow.is_some());

    // A picture whose workflow is the last thing in it.
    let picture = file("animated_png.png");
    let text = picture.windows(4).position(|kind| kind == b"comf").unwrap() - 4;
    let gap: u64 = 2 << 30;
    let head = [&picture[..33], &((gap - 4) as u32).to_be_bytes(), b"IDAT"].concat();
    let found = Sparse::new(head, gap, &picture[text..]).metadata().unwrap();
    assert!(found.prompt.is_some() && found.workflow.is_some() && found.problems.is_empty());

    // A model of eight gigabytes.
    let found = Sparse::new(file("latent.latent"), 8 << 30, []).metadata().unwrap();
    assert!(found.prompt.is_some());
}

#[test]
fn what_a_file_says_of_its_length_is_not_believed() {
    let huge = [&0x7FFF_FFFF_u32.to_be_bytes()[..], b"tEXtprompt\0{"].concat();
    for (head, problem) in [
        ([PNG, &huge].concat(), "has a text of 2147483647 bytes at byte 16, which is too long"),
        ([PNG, &huge[4..]].concat(), "ends too early"),
        (b"\xFF\xD8\xFF\xE1\xFF\xFFExif\0\0".to_vec(), "ends too early"),
        (b"\xFF\xD8\xFF\xE1\0\0".to_vec(), "has a part without a length at byte 2"),
        (b"RIFF\xFF\xFF\xFF\xFFWEBPEXIF\xFF\xFF\xFF\xFF".to_vec(), "ends too early"),
        (
            b"\0\0\0\x10ftypmp42\0\0\0\0\0\0\0\x01moov\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF".to_vec(),
            "has a box of 18446744073709551615 bytes",
        ),
        (
            b"\x1A\x45\xDF\xA3\x80\x12\x54\xC3\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFE\0\0\0\0\0\0\0\0\0\0\0\0"
                .to_vec(),
            "has no part at byte 17",
        ),
        (b"fLaC\x04\xFF\xFF\xFF\0".to_vec(), "ends too early"),
        (b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xFF\xFF".to_vec(), "ends too early"),
        (b"ID3\x04\0\0\x7F\x7F\x7F\x7FTXXX".to_vec(), "has a text of 268435465 bytes"),
        (
            b"\x76\x2f\x31\x01\x02\0\0\0prompt\0string\0\xFF\xFF\xFF\x7F{".to_vec(),
            "has a text of 2147483647 bytes",
        ),
        (b"glTF\x02\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFJSON{".to_vec(), "has a text of 4294967295 bytes"),
    ] {
        let found = metadata::read(&head).unwrap();
        assert!(found.problems[0].starts_with(problem), "{:?}", found.problems);
        assert_eq!(found.prompt, None);
    }
}

#[test]
fn packed_texts_are_unpacked_within_limits() {
    let packed = |count| chunk(b"zTXt", &[b"note\0\0".as_slice(), &zeros_packed(count)].concat());
    // The first is too large by itself, and the others are so together.
    let many = std::iter::repeat_n(packed(8 << 20), 100).collect::<Vec<_>>().concat();
    let found = metadata::read(&[PNG, &packed(40 << 20), &many, &chunk(b"IEND", b"")].concat()).unwrap();
    assert_eq!(found.texts.len(), 3);
    assert_eq!(found.problems, ["has 98 texts that are broken or too large, which were left out"]);
}

#[test]
fn nesting_without_end_is_not_followed() {
    let boxes: Vec<u8> =
        (0..10_000_u32).flat_map(|depth| [(80_000 - 8 * depth).to_be_bytes(), *b"moov"].concat()).collect();
    assert!(metadata::read(&[b"\0\0\0\x10ftypmp42\0\0\0\0".as_slice(), &boxes].concat()).is_ok());
    let tags: Vec<u8> = (0..5_000).flat_map(|_| *b"\x67\xC8\x01\0\0\0\0\0\x7F\xFF").collect();
    let tags = [b"\x1A\x45\xDF\xA3\x80\x12\x54\xC3\x67\x01\0\0\0\0\0\xFF\xFF".as_slice(), &tags].concat();
    assert!(metadata::read(&tags).is_ok());
    let deep = format!("{}{}", "{\"prompt\":".repeat(100), "}".repeat(100));
    assert!(Workflow::read(deep.as_bytes()).is_err());
    // JSON as a text in JSON as a text in JSON …
    let mut text = r#"{"1": {"class_type": "A"}}"#.to_owned();
    for _ in 0..12 {
        text = serde_json::json!({"prompt": text}).to_string();
    }
    assert!(Workflow::read(text.as_bytes()).is_err());
}

#[test]
fn entries_of_exif_that_share_their_bytes_are_counted_once_each() {
    let mut block = b"Exif\0\0II*\0\x08\0\0\0".to_vec();
    let entries: u16 = 4000;
    block.extend(entries.to_le_bytes());
    let text = 1 << 20;
    for tag in 0..entries {
        block.extend(tag.to_le_bytes());
        block.extend(2_u16.to_le_bytes());
        block.extend((text as u32).to_le_bytes());
        block.extend(60_000_u32.to_le_bytes());
    }
    block.resize(60_000 + text + 6, b'x');
    let file = [b"RIFF\0\0\0\0WEBPEXIF".as_slice(), &(block.len() as u32).to_le_bytes(), &block].concat();
    let found = metadata::read(&file).unwrap();
    assert_eq!(found.texts.len(), 1);
}

#[test]
fn a_file_cut_anywhere_gives_nothing_or_what_was_in_it() {
    for (name, bytes) in all() {
        let whole = metadata::read(bytes).unwrap();
        let step = (bytes.len() / 100).max(1);
        for length in (0..bytes.len()).step_by(step) {
            // Errors are for what is not recognised any more.
            if let Ok(found) = metadata::read(&bytes[..length]) {
                assert!(found.prompt.is_none() || found.prompt == whole.prompt, "{name} at {length}");
                assert!(found.workflow.is_none() || found.workflow == whole.workflow, "{name} at {length}");
            }
        }
    }
}

/// The beginnings of all kinds of files.
const HEADS: [&[u8]; 18] = [
    b"",
    PNG,
    b"\xFF\xD8\xFF",
    b"RIFF\0\0\0\0WEBP",
    b"RIFF\0\0\0\0WAVE",
    b"RIFF\0\0\0\0WEBPEXIF\x40\0\0\0Exif\0\0MM\0*\0\0\0\x08",
    b"\x1A\x45\xDF\xA3\x80",
    b"\x1A\x45\xDF\xA3\x80\x12\x54\xC3\x67\x40\x80",
    b"fLaC",
    b"OggS\0\x02",
    b"ID3\x03\0\0\0\0\0\x40",
    b"ID3\x04\0\xC0\0\0\0\x40",
    b"\x76\x2f\x31\x01\x02\x10\0\0",
    b"glTF\x02\0\0\0\0\0\0\0\x20\0\0\0JSON",
    b"\0\0\0\x10ftypmp42\0\0\0\0\0\0\0\x48moov\0\0\0\x40meta\0\0\0\0",
    b"\0\0\0\x10ftypavif\0\0\0\0\0\0\0\x48meta\0\0\0\0\0\0\0\x30iloc",
    b"<svg><metadata>",
    b"\x20\0\0\0\0\0\0\0{",
];

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        head in prop::sample::select(HEADS.to_vec()),
        rest in prop::collection::vec(prop_oneof![3 => 0..8_u8, 1 => any::<u8>()], 0..300),
    ) {
        let _ = Workflow::read(&[head, &rest].concat());
    }

    #[test]
    fn no_change_of_a_file_makes_the_reader_panic(
        index in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of((any::<prop::sample::Index>(), 0..64_usize)),
    ) {
        let mut bytes = index.get(all()).1.clone();
        for (place, byte) in changes {
            *place.get_mut(&mut bytes) = byte;
        }
        if let Some((place, count)) = cut {
            let start = place.index(bytes.len());
            bytes.drain(start..(start + count).min(bytes.len()));
        }
        if let Ok(document) = Workflow::read(&bytes) {
            let _ = document.into_workflow(&Default::default(), &Default::default());
        }
    }
}
