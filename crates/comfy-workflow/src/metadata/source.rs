//! Reading a file of unknown origin piece by piece, within limits.

use std::io::{Read, Seek, SeekFrom};

use super::texts::MOST_BYTES;

/// Most steps from one part of a file to the next. The largest videos and pictures have some hundred thousand parts.
const MOST_STEPS: u32 = 2_000_000;

/// What can be read at any place.
pub(super) trait ReadSeek: Read + Seek {}

impl<R: Read + Seek> ReadSeek for R {}

/// Why the reading of a file ended before the file did.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The system could not read.
    Io(String),
    /// The file is not what it says it is; the text continues "the PNG …".
    Broken(String),
}

impl Trouble {
    pub(super) fn broken(text: impl Into<String>) -> Self {
        Self::Broken(text.into())
    }

    /// The file is shorter than its parts say.
    pub(super) fn cut(at: u64) -> Self {
        Self::Broken(format!("ends too early, within the part at byte {at}"))
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error.to_string())
    }
}

pub(super) type Step<T = ()> = Result<T, Trouble>;

/// A file. Nothing is read but what is asked for, and no buffer is larger than what the file really has left.
pub(super) struct Source<'a> {
    reader: &'a mut dyn ReadSeek,
    length: u64,
    position: u64,
    left: usize,
    steps: u32,
}

impl<'a> Source<'a> {
    pub(super) fn new(reader: &'a mut dyn ReadSeek) -> Step<Self> {
        let length = reader.seek(SeekFrom::End(0))?;
        Ok(Self { reader, length, position: length, left: 2 * MOST_BYTES, steps: 0 })
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Counts a step, so that no file keeps the reader busy for ever.
    pub(super) fn step(&mut self) -> Step {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err(Trouble::broken(format!("has more than {MOST_STEPS} parts")));
        }
        Ok(())
    }

    /// The bytes from `at` on, `count` of them or as many as there are.
    pub(super) fn some(&mut self, at: u64, count: usize) -> Step<Vec<u8>> {
        let count = self.length.saturating_sub(at).min(count as u64);
        if self.position != at {
            self.reader.seek(SeekFrom::Start(at))?;
            self.position = at;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(count).unwrap_or_default());
        let read = (&mut *self.reader).take(count).read_to_end(&mut bytes);
        // Where it stands after an error is not known.
        self.position = if read.is_ok() { at + bytes.len() as u64 } else { u64::MAX };
        read?;
        Ok(bytes)
    }

    /// Exactly `N` bytes from `at` on.
    pub(super) fn array<const N: usize>(&mut self, at: u64) -> Step<[u8; N]> {
        self.some(at, N)?.try_into().map_err(|_| Trouble::cut(at))
    }

    /// The bytes of a text from `at` on, all `count` of them. What is too long is an error, and so are too many.
    pub(super) fn text(&mut self, at: u64, count: u64) -> Step<Vec<u8>> {
        let longest = usize::try_from(count).ok().filter(|count| *count <= MOST_BYTES);
        let Some(count) = longest.filter(|count| *count <= self.left) else {
            return Err(Trouble::broken(format!(
                "has a text of {count} bytes at byte {at}, which is too long"
            )));
        };
        let bytes = self.some(at, count)?;
        self.left -= bytes.len();
        if bytes.len() < count { Err(Trouble::cut(at)) } else { Ok(bytes) }
    }
}
