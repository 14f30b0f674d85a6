//! What answers to requests for a file say about it.

use http::StatusCode;
use http::header::{CONTENT_RANGE, HeaderMap, HeaderValue};
use reqwest::Response;

use super::info::FileInfo;

/// How a file is told from another one under the same name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Validator {
    info: FileInfo,
    /// What is sent back with a request for the rest.
    header: HeaderValue,
}

impl Validator {
    /// `None` when an answer has neither tag nor date.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let info = FileInfo::of(headers);
        let is_strong = info.etag.as_deref().is_some_and(|tag| !tag.starts_with("W/"));
        let header = if is_strong {
            headers.get(http::header::ETAG)
        } else {
            info.modified.and(headers.get(http::header::LAST_MODIFIED))
        };
        Some(Self { header: header?.clone(), info })
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.header.clone()
    }

    /// Whether an answer is about the same file. Servers are asked for the rest of that file only, but real ones heed
    /// dates alone, so that their answers can be about another one.
    pub(super) fn is_of(&self, headers: &HeaderMap) -> bool {
        let other = FileInfo::of(headers);
        match (&self.info.etag, &other.etag) {
            (Some(tag), Some(other)) => tag == other,
            _ => self.info.modified.is_some() && self.info.modified == other.modified,
        }
    }
}

/// Which part of a file an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Its first byte.
    pub(super) start: u64,
    /// The byte after its last one, where that is known.
    pub(super) end: Option<u64>,
    /// The size of the whole file, where that is known.
    pub(super) total: Option<u64>,
}

impl Part {
    /// `None` for a part that is not understood.
    pub(super) fn of(response: &Response) -> Option<Self> {
        if response.status() != StatusCode::PARTIAL_CONTENT {
            let total = response.content_length();
            return Some(Self { start: 0, end: total, total });
        }
        let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
        Self::parse(range)
    }

    /// Reads `bytes 5-9/20`; the size may be `*`.
    fn parse(range: &str) -> Option<Self> {
        let (unit, rest) = range.trim().split_once(' ')?;
        let (bytes, total) = rest.split_once('/')?;
        let (first, last) = bytes.split_once('-')?;
        let start = first.trim().parse().ok()?;
        let last: u64 = last.trim().parse().ok()?;
        let end = last.checked_add(1).filter(|end| *end > start)?;
        let total = match total.trim() {
            "*" => None,
            total => Some(total.parse().ok()?),
        };
        unit.eq_ignore_ascii_case("bytes").then_some(Self { start, end: Some(end), total })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_that_an_answer_holds_is_read() {
        let part = |start, end, total| Some(Part { start, end: Some(end), total });
        assert_eq!(Part::parse("bytes 5-9/20"), part(5, 10, Some(20)));
        assert_eq!(Part::parse("Bytes 0-0/*"), part(0, 1, None));
        for unknown in
            ["", "bytes */20", "items 0-1/2", "bytes 9-5/20", "bytes 0-1/x", "bytes 0-18446744073709551615/*"]
        {
            assert_eq!(Part::parse(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn a_file_is_known_by_its_tag_or_else_by_its_date() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            pairs
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<HeaderMap>()
        };
        let (one, two) = ("Tue, 24 Nov 2026 17:02:59 GMT", "Tue, 24 Nov 2026 17:03:00 GMT");
        let tagged = Validator::of(&headers(&[("etag", "\"a\""), ("last-modified", one)])).unwrap();
        assert_eq!(tagged.header(), "\"a\"");
        assert!(tagged.is_of(&headers(&[("etag", "\"a\""), ("last-modified", two)])));
        assert!(!tagged.is_of(&headers(&[("etag", "\"b\""), ("last-modified", one)])));
        assert!(tagged.is_of(&headers(&[("last-modified", one)])));
        assert!(!tagged.is_of(&headers(&[])));
        // A weak tag does not promise the same bytes.
        let weak = Validator::of(&headers(&[("etag", "W/\"a\""), ("last-modified", one)])).unwrap();
        assert_eq!(weak.header(), one);
        assert_eq!(Validator::of(&headers(&[("etag", "W/\"a\"")])), None);
        assert_eq!(Validator::of(&headers(&[])), None);
    }
}
