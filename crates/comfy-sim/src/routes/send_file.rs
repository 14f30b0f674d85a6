//! Files as answers: ranges, conditions, content types.

use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use chrono::NaiveDateTime;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;

use super::answer::Made;

/// How much of a large file is read at a time.
const CHUNK: usize = 256 << 10;

/// Sends a file with these headers, or the part of it that was asked for, or word that it has not changed.
pub(super) async fn send(path: &Path, mut headers: HeaderMap, asked: &HeaderMap) -> io::Result<Response> {
    let mut file = File::open(path).await?;
    let metadata = file.metadata().await?;
    let length = metadata.len();
    let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
    let nanoseconds = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let tag = format!("\"{nanoseconds:x}-{length:x}\"");
    if is_unchanged(asked, &tag, modified) {
        put(&mut headers, header::ETAG, tag);
        put(&mut headers, header::LAST_MODIFIED, last_modified(modified));
        return Ok(answer(StatusCode::NOT_MODIFIED, headers, Body::empty()));
    }
    if is_another(asked, &tag, modified) {
        return Ok(answer(StatusCode::PRECONDITION_FAILED, headers, Body::empty()));
    }
    let wanted = asked.get(header::RANGE).filter(|_| !is_newer_than_range(asked, modified));
    let range = match wanted.map(|range| range_of(range, length)) {
        Some(None) => {
            put(&mut headers, header::CONTENT_RANGE, format!("bytes */{length}"));
            let nothing = futures_util::stream::empty::<io::Result<bytes::Bytes>>();
            return Ok(answer(StatusCode::RANGE_NOT_SATISFIABLE, headers, Body::from_stream(nothing)));
        }
        Some(Some(range)) => Some(range),
        None => None,
    };
    put(&mut headers, header::ETAG, tag);
    put(&mut headers, header::LAST_MODIFIED, last_modified(modified));
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    let (status, part) = match range {
        Some(range) => {
            put(
                &mut headers,
                header::CONTENT_RANGE,
                format!("bytes {}-{}/{length}", range.start, range.end - 1),
            );
            (StatusCode::PARTIAL_CONTENT, range)
        }
        None => (StatusCode::OK, 0..length),
    };
    let count = part.end - part.start;
    headers.insert(header::CONTENT_LENGTH, count.into());
    if part.start > 0 {
        file.seek(io::SeekFrom::Start(part.start)).await?;
    }
    let body = if count <= CHUNK as u64 {
        let mut content = Vec::new();
        file.take(count).read_to_end(&mut content).await?;
        Body::from(content)
    } else {
        Body::from_stream(ReaderStream::with_capacity(file.take(count), CHUNK))
    };
    Ok(answer(status, headers, body))
}

/// The date as servers give it: rounded up to the next second.
fn last_modified(modified: SystemTime) -> String {
    httpdate::fmt_http_date(modified + Duration::from_nanos(999_999_999))
}

fn answer(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response.extensions_mut().insert(Made::File);
    response
}

fn put(headers: &mut HeaderMap, name: HeaderName, text: String) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(name, value);
    }
}

/// Whether the client has the file as it is: the answer is then only that.
fn is_unchanged(asked: &HeaderMap, tag: &str, modified: SystemTime) -> bool {
    match text(asked, header::IF_NONE_MATCH) {
        Some(tags) => names(tags, tag),
        None => date(asked, header::IF_MODIFIED_SINCE).is_some_and(|since| seconds(modified) <= since),
    }
}

/// Whether the client wants another file than there is.
fn is_another(asked: &HeaderMap, tag: &str, modified: SystemTime) -> bool {
    match text(asked, header::IF_MATCH) {
        Some(tags) => !names(tags, tag),
        None => date(asked, header::IF_UNMODIFIED_SINCE).is_some_and(|since| seconds(modified) > since),
    }
}

/// Whether the file is newer than the one of which the client wants a range.
fn is_newer_than_range(asked: &HeaderMap, modified: SystemTime) -> bool {
    date(asked, header::IF_RANGE).is_some_and(|since| seconds(modified) > since)
}

fn names(tags: &str, tag: &str) -> bool {
    // A star means all of them, and only where it stands alone.
    tags.trim() == "*" || tags.split(',').any(|given| given.trim().trim_start_matches("W/") == tag)
}

fn text(asked: &HeaderMap, name: HeaderName) -> Option<&str> {
    asked.get(name).and_then(|value| value.to_str().ok())
}

/// A date in seconds since the epoch. Whether the day of the week fits does not matter.
fn date(asked: &HeaderMap, name: HeaderName) -> Option<u64> {
    let text = text(asked, name)?;
    let date = text.split_once(',').map_or(text, |(_, date)| date);
    let date = date.trim().trim_end_matches("GMT").trim_end();
    let date = NaiveDateTime::parse_from_str(date, "%d %b %Y %H:%M:%S").ok()?;
    u64::try_from(date.and_utc().timestamp()).ok()
}

/// Dates of HTTP have no fractions of seconds.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The bytes that a `Range` asks for: only one range is understood. `None` when there are no such bytes.
fn range_of(range: &HeaderValue, length: u64) -> Option<Range<u64>> {
    let (unit, range) = range.to_str().ok()?.split_once('=')?;
    let (start, end) = range.split_once('-').filter(|_| unit.eq_ignore_ascii_case("bytes"))?;
    let number = |text: &str| match text {
        "" => Some(None),
        digits => digits.parse::<u64>().ok().map(Some),
    };
    let range = match (number(start)?, number(end)?) {
        (Some(start), Some(end)) => start..end.saturating_add(1).min(length),
        (Some(start), None) => start..length,
        // "The last 0" is taken for "from 0 on".
        (None, Some(0)) => 0..length,
        (None, Some(last)) => length.saturating_sub(last)..length,
        (None, None) => return None,
    };
    (range.start < range.end).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(text: &str) -> Option<Range<u64>> {
        range_of(&HeaderValue::try_from(text).unwrap(), 105)
    }

    #[test]
    fn dates_are_read_whatever_day_of_the_week_they_name() {
        let since = |text: &str| {
            let asked = HeaderMap::from_iter([(header::IF_MODIFIED_SINCE, text.parse().unwrap())]);
            date(&asked, header::IF_MODIFIED_SINCE)
        };
        for day in ["Sat, 01 Jan 2000 00:00:01 GMT", "Fri, 01 Jan 2000 00:00:01 GMT", "01 Jan 2000 00:00:01"]
        {
            assert_eq!(since(day), Some(946_684_801), "{day}");
        }
        for none in ["", "garbage", "Sat, 01 Jan 2000", "Sat, 31 Feb 2000 00:00:00 GMT"] {
            assert_eq!(since(none), None, "{none}");
        }
    }

    #[test]
    fn a_star_among_tags_means_nothing() {
        assert!(names("*", "\"a\"") && names("\"x\", W/\"a\"", "\"a\""));
        assert!(!names("\"x\", *", "\"a\"") && !names("", "\"a\""));
    }

    #[test]
    fn one_range_of_bytes_is_understood() {
        assert_eq!(range("bytes=0-9"), Some(0..10));
        assert_eq!(range("bytes=10-"), Some(10..105));
        assert_eq!(range("bytes=-5"), Some(100..105));
        assert_eq!(range("BYTES=-500"), Some(0..105));
        assert_eq!(range("bytes=-0"), Some(0..105));
        assert_eq!(range("bytes=100-500"), Some(100..105));
        for none in ["bytes=100000-", "bytes=5-2", "items=0-1", "bytes=0-1,4-5", "bytes=-"] {
            assert_eq!(range(none), None, "{none}");
        }
    }
}
