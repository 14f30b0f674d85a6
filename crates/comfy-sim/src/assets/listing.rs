//! Lists of assets: what is in them, in which order, and which part of it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value as Json, json};

use super::store::{Reference, Store};
use crate::json_error;

/// By what a list is in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Sort {
    Name,
    #[default]
    CreatedAt,
    UpdatedAt,
    Size,
    LastAccessTime,
}

impl Sort {
    pub(crate) const ALL: [Self; 5] =
        [Self::Name, Self::CreatedAt, Self::UpdatedAt, Self::Size, Self::LastAccessTime];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::CreatedAt => "created_at",
            Self::UpdatedAt => "updated_at",
            Self::Size => "size",
            Self::LastAccessTime => "last_access_time",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text)
    }
}

/// Which assets are meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) include_tags: Vec<String>,
    pub(crate) exclude_tags: Vec<String>,
    pub(crate) name_contains: Option<String>,
    pub(crate) metadata: Map<String, Json>,
}

/// Which part of a list is wanted.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
    pub(crate) sort: Sort,
    pub(crate) descending: bool,
    pub(crate) after: Option<Cursor>,
}

/// The value that a list is in order by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
}

/// The place after an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    key: Key,
    id: String,
}

impl Filter {
    fn takes(&self, store: &Store, reference: &Reference) -> bool {
        let name = || reference.name.to_lowercase();
        self.include_tags.iter().all(|tag| reference.tags.contains(tag))
            && !self.exclude_tags.iter().any(|tag| reference.tags.contains(tag))
            && self.name_contains.as_ref().is_none_or(|part| name().contains(&part.to_lowercase()))
            && self.metadata.iter().all(|(key, wanted)| {
                let found = store.metadata(reference, key);
                match wanted {
                    Json::Null => found.is_none_or(Json::is_null),
                    Json::Array(any) => found.is_some_and(|found| any.contains(found)),
                    value => found == Some(value),
                }
            })
    }
}

impl Cursor {
    /// Reads what a list ended with.
    ///
    /// # Errors
    /// What is wrong with it, in the server's words.
    pub(crate) fn parse(text: &str, sort: Sort, descending: bool) -> Result<Self, String> {
        let order = if descending { "desc" } else { "asc" };
        if sort == Sort::LastAccessTime {
            return Err(format!("cursor pagination is not supported for sort='{}'", sort.as_str()));
        }
        let payload = decoded(text).map_err(|error| format!("encoding: {error}"))?;
        let payload = String::from_utf8(payload).map_err(|error| {
            let (at, bytes) = (error.utf8_error().valid_up_to(), error.as_bytes());
            let byte = bytes.get(at).copied().unwrap_or_default();
            let what =
                if (0xC2..0xF5).contains(&byte) { "invalid continuation byte" } else { "invalid start byte" };
            format!("payload: 'utf-8' codec can't decode byte 0x{byte:02x} in position {at}: {what}")
        })?;
        let payload = json_error::parse(&payload).map_err(|error| format!("payload: {error}"))?;
        let Json::Object(payload) = payload else { return Err("payload: expected object".into()) };
        let field = |name: &str| payload.get(name).and_then(Json::as_str);
        let (Some(by), Some(value), Some(id)) = (field("s"), field("v"), field("id")) else {
            return Err("payload: missing or non-string s/v/id".into());
        };
        let ordered = field("o").ok_or("missing or non-string o")?;
        if Sort::parse(by).is_none_or(|by| by == Sort::LastAccessTime) {
            return Err(format!("unsupported sort field '{by}'"));
        }
        if !["asc", "desc"].contains(&ordered) {
            return Err(format!("unsupported order '{ordered}'"));
        }
        if ordered != order {
            return Err(format!("cursor order '{ordered}' does not match request order '{order}'"));
        }
        if by != sort.as_str() {
            return Err(format!("cursor sort field '{by}' does not match request sort '{}'", sort.as_str()));
        }
        let kind = match sort {
            Sort::Name => return Ok(Self { key: Key::Text(value.to_owned()), id: id.to_owned() }),
            Sort::Size => "integer",
            _ => "timestamp",
        };
        let number = value.trim().parse().map_err(|_| {
            format!("value is not a valid {kind}: invalid literal for int() with base 10: '{value}'")
        })?;
        Ok(Self { key: Key::Number(number), id: id.to_owned() })
    }

    fn written(&self, sort: Sort, descending: bool) -> String {
        let value = match &self.key {
            Key::Number(number) => number.to_string(),
            Key::Text(text) => text.clone(),
        };
        let order = if descending { "desc" } else { "asc" };
        let payload = json!({"s": sort.as_str(), "v": value, "id": self.id, "o": order});
        URL_SAFE_NO_PAD.encode(payload.to_string())
    }
}

/// The bytes of a text in base 64, in which foreign characters are passed over.
fn decoded(text: &str) -> Result<Vec<u8>, String> {
    let digits: String = text
        .chars()
        .filter_map(|character| match character {
            '+' => Some('-'),
            '/' => Some('_'),
            digit if digit.is_ascii_alphanumeric() || "-_".contains(digit) => Some(digit),
            _ => None,
        })
        .collect();
    if digits.len() % 4 == 1 {
        let count = digits.len();
        return Err(format!(
            "Invalid base64-encoded string: number of data characters ({count}) cannot be 1 more than a multiple of 4"
        ));
    }
    let config = base64::engine::GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone);
    let engine = base64::engine::GeneralPurpose::new(&base64::alphabet::URL_SAFE, config);
    engine.decode(digits).map_err(|error| error.to_string())
}

impl Store {
    /// One page of a list, as it is answered.
    pub(crate) fn list(&self, filter: &Filter, page: &Page) -> Json {
        let cursor =
            |reference: &Reference| Cursor { key: self.key(reference, page.sort), id: reference.id.clone() };
        let mut found: Vec<_> = self
            .listed()
            .filter(|reference| filter.takes(self, reference))
            .map(|reference| (cursor(reference), reference))
            .collect();
        let order = |a: &Cursor, b: &Cursor| {
            let order = a.key.cmp(&b.key).then_with(|| a.id.cmp(&b.id));
            if page.descending { order.reverse() } else { order }
        };
        found.sort_by(|(a, _), (b, _)| order(a, b));
        let skipped = match &page.after {
            Some(after) => found.iter().filter(|(place, _)| order(place, after) != Ordering::Greater).count(),
            None => page.offset,
        };
        let rest = found.get(skipped..).unwrap_or_default();
        let shown = &rest[..rest.len().min(page.limit)];
        let has_more = rest.len() > shown.len();
        let assets: Vec<_> = shown.iter().map(|(_, reference)| self.described(reference)).collect();
        let mut answer = json!({"assets": assets, "total": found.len(), "has_more": has_more});
        if let (true, Some((last, _))) = (has_more && page.sort != Sort::LastAccessTime, shown.last()) {
            answer["next_cursor"] = last.written(page.sort, page.descending).into();
        }
        answer
    }

    fn key(&self, reference: &Reference, sort: Sort) -> Key {
        match sort {
            Sort::Name => Key::Text(reference.name.clone()),
            Sort::CreatedAt => Key::Number(reference.created_at),
            Sort::UpdatedAt => Key::Number(reference.updated_at),
            Sort::Size => Key::Number(i64::try_from(self.content(reference).size).unwrap_or(i64::MAX)),
            Sort::LastAccessTime => Key::Number(reference.last_access_time),
        }
    }

    /// How often tags occur among the assets that a filter takes, the most used first.
    pub(crate) fn refine(&self, filter: &Filter, limit: usize) -> Vec<(String, u64)> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for reference in self.listed().filter(|reference| filter.takes(self, reference)) {
            for tag in &reference.tags {
                *counts.entry(tag).or_default() += 1;
            }
        }
        let mut counts = owned(counts);
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts.truncate(limit);
        counts
    }

    /// The tags that begin with `prefix`, by name or the most used first.
    pub(crate) fn tags(&self, prefix: &str, with_unused: bool, by_name: bool) -> Vec<(String, u64)> {
        let mut counts = owned(self.tag_counts());
        counts.retain(|(tag, count)| tag.starts_with(prefix) && (with_unused || *count > 0));
        if !by_name {
            counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        }
        counts
    }
}

fn owned(counts: BTreeMap<&str, u64>) -> Vec<(String, u64)> {
    counts.into_iter().map(|(tag, count)| (tag.to_owned(), count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_are_read_as_a_server_wrote_them() {
        let text = "eyJzIjoibmFtZSIsInYiOiJhZ2Fpbi5wbmciLCJpZCI6IjVjMDE1MDUwLThkZjgtNGRmNy04NDU2LWNmZjE3YWRkZDA1MyIsIm8iOiJhc2MifQ";
        let cursor = Cursor::parse(text, Sort::Name, false).unwrap();
        assert_eq!(cursor.key, Key::Text("again.png".into()));
        assert_eq!(cursor.written(Sort::Name, false), text);
        let refused = |text: &str, sort, descending| Cursor::parse(text, sort, descending).unwrap_err();
        assert_eq!(refused(text, Sort::Size, true), "cursor order 'asc' does not match request order 'desc'");
        assert_eq!(
            refused(text, Sort::Size, false),
            "cursor sort field 'name' does not match request sort 'size'"
        );
        for (text, message) in [
            ("", "payload: Expecting value: line 1 column 1 (char 0)"),
            ("%%%", "payload: Expecting value: line 1 column 1 (char 0)"),
            ("ab", "payload: Expecting value: line 1 column 1 (char 0)"),
            ("junk", "payload: 'utf-8' codec can't decode byte 0x8e in position 0: invalid start byte"),
            ("NQ", "payload: expected object"),
            ("e30", "payload: missing or non-string s/v/id"),
            (
                "a",
                "encoding: Invalid base64-encoded string: number of data characters (1) cannot be 1 more than a multiple of 4",
            ),
            ("eyJzIjoiY3JlYXRlZF9hdCIsInYiOiI1IiwiaWQiOiJ4In0", "missing or non-string o"),
            ("eyJzIjoiYm9ndXMiLCJ2IjoiNSIsImlkIjoieCIsIm8iOiJkZXNjIn0", "unsupported sort field 'bogus'"),
            ("eyJzIjoiY3JlYXRlZF9hdCIsInYiOiI1IiwiaWQiOiJ4IiwibyI6InVwIn0", "unsupported order 'up'"),
            (
                "eyJzIjoiY3JlYXRlZF9hdCIsInYiOiJhIiwiaWQiOiJ4IiwibyI6ImRlc2MifQ",
                "value is not a valid timestamp: invalid literal for int() with base 10: 'a'",
            ),
        ] {
            assert_eq!(refused(text, Sort::CreatedAt, true), message, "{text}");
        }
    }
}
