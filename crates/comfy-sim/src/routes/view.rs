//! `GET /view`.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageFormat, ImageReader};

use super::answer::{self, Refusal};
use super::{content_type, send_file};
use crate::files::{FilesError, Folder};
use crate::state;
use crate::version::ServerVersion;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// What the query asks for.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    pub(super) fn parse(query: &'a str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// The first value of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }
}

pub(super) async fn view(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let version = state.options.version;
    let headers = request.headers();
    let (path, name, kind) = match asset(&query, headers, &state)? {
        Some(asset) => asset,
        None => {
            let path = find(&query, &state)?;
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            let kind = content_type::of(&name, version).to_owned();
            (path, name, kind)
        }
    };
    let shown = inline(&name, version);
    let form = Form::of(&query);
    if let Form::Plain = form {
        return plain(&path, shown, &kind, version, headers).await;
    }
    let made = tokio::task::spawn_blocking(move || form.make(&path)).await.ok().flatten();
    let Some((content, kind)) = made else { return Ok(answer::trouble()) };
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, disposition(shown)?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

/// Path, name and type of the asset whose hash a query names; `None` when it names none (before 0.30.0).
fn asset(
    query: &Query<'_>,
    asked: &HeaderMap,
    state: &state::State,
) -> Result<Option<(PathBuf, String, String)>, Refusal> {
    let is_new = state.options.version >= ServerVersion::V0_30_0;
    let Some(hash) = query.get("filename").filter(|name| is_new && name.starts_with("blake3:")) else {
        return Ok(None);
    };
    // Assets belong to users.
    if state.users.of(asked).is_none() {
        return Err(answer::trouble().into());
    }
    let asset = state.assets.as_ref().and_then(|assets| assets.file_by_hash(hash));
    asset.map(Some).ok_or_else(|| answer::empty(StatusCode::NOT_FOUND).into())
}

/// The path of the file that a query names.
fn find(query: &Query<'_>, state: &state::State) -> Result<PathBuf, Refusal> {
    let refuse = |status| Refusal::from(answer::empty(status));
    let name = query.get("filename").ok_or_else(|| refuse(StatusCode::NOT_FOUND))?;
    let (name, annotated) = split_annotation(name);
    if name.is_empty() || name.starts_with('/') || name.contains("..") {
        return Err(refuse(StatusCode::BAD_REQUEST));
    }
    let folder = annotated.or_else(|| Folder::parse(query.get("type").unwrap_or("output")));
    let folder = folder.ok_or_else(|| refuse(StatusCode::BAD_REQUEST))?;
    let subfolder = query.get("subfolder").unwrap_or_default();
    if let Err(FilesError::Outside) = state.files.resolve(folder, subfolder) {
        return Err(refuse(StatusCode::FORBIDDEN));
    }
    let name = name.rsplit('/').next().unwrap_or_default();
    let path = state.files.resolve_in(folder, subfolder, name).map_err(|_| refuse(StatusCode::NOT_FOUND))?;
    if name.is_empty() || !path.is_file() {
        return Err(refuse(StatusCode::NOT_FOUND));
    }
    Ok(path)
}

/// Parts a name from the folder at its end. The server takes away one character more, without looking whether it is the
/// blank that belongs there.
pub(super) fn split_annotation(name: &str) -> (&str, Option<Folder>) {
    for folder in Folder::ALL {
        let rest = name.strip_suffix(']').and_then(|rest| rest.strip_suffix(folder.as_str()));
        if let Some(rest) = rest.and_then(|rest| rest.strip_suffix('[')) {
            let mut characters = rest.chars();
            characters.next_back();
            return (characters.as_str(), Some(folder));
        }
    }
    (name, None)
}

/// The header; a name with line breaks fits into none.
fn disposition(text: String) -> Result<HeaderValue, Refusal> {
    Ok(HeaderValue::from_bytes(text.as_bytes()).map_err(|_| answer::dropped())?)
}

/// The file as it is.
async fn plain(
    path: &Path,
    mut shown: String,
    kind: &str,
    version: ServerVersion,
    asked: &HeaderMap,
) -> Result<Response, Refusal> {
    let mut headers = HeaderMap::new();
    let mut sent = kind;
    if version >= ServerVersion::V0_30_0 {
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if content_type::is_active(kind) {
            // What a browser would run is given out to be saved, except a drawing that is shown as a picture.
            headers.insert(header::VARY, HeaderValue::from_static("Sec-Fetch-Dest"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            let as_image = asked.get(SEC_FETCH_DEST).is_some_and(|dest| dest == "image");
            if kind != "image/svg+xml" || !as_image {
                shown = format!("attachment; {shown}");
                sent = content_type::BYTES;
            }
        }
    } else if is_page(kind) {
        sent = content_type::BYTES;
    }
    headers.insert(header::CONTENT_DISPOSITION, disposition(shown)?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(sent).map_err(|_| answer::trouble())?);
    Ok(send_file::send(path, headers, asked).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "a file could not be read");
        answer::trouble()
    }))
}

/// What versions before 0.30.0 take for dangerous.
fn is_page(kind: &str) -> bool {
    matches!(
        kind,
        "text/html" | "text/css" | "text/javascript" | "text/x-server-parsed-html" | "application/xhtml+xml"
    )
}

/// Names the file. Before 0.30.0 quotes in the name stay as they are.
fn inline(name: &str, version: ServerVersion) -> String {
    if version >= ServerVersion::V0_30_0 {
        format!("filename=\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
    } else {
        format!("filename=\"{name}\"")
    }
}

/// In which form a picture is wanted.
enum Form {
    Plain,
    Jpeg {
        quality: u8,
    },
    WebP {
        alpha: bool,
    },
    Colours,
    Alpha,
    /// One that cannot be made.
    Impossible,
}

impl Form {
    fn of(query: &Query<'_>) -> Self {
        let channel = query.get("channel").unwrap_or_default();
        let Some(preview) = query.get("preview") else {
            return match channel {
                "rgb" => Self::Colours,
                "a" => Self::Alpha,
                _ => Self::Plain,
            };
        };
        let quality = preview.rsplit(';').next().filter(|quality| is_number(quality));
        let quality = quality.map_or(90, |quality| quality.parse::<u64>().unwrap_or(u64::MAX));
        // A picture whose transparency matters cannot be a JPEG.
        let jpeg = preview.split(';').next() == Some("jpeg") && !channel.contains('a');
        match (jpeg, quality) {
            (true, quality) => Self::Jpeg { quality: quality.clamp(1, 100) as u8 },
            (false, 0..=100) => Self::WebP { alpha: channel != "rgb" },
            (false, _) => Self::Impossible,
        }
    }

    /// Makes the picture; `None` when the file is none.
    fn make(&self, path: &Path) -> Option<(Vec<u8>, &'static str)> {
        let picture = ImageReader::open(path).ok()?.with_guessed_format().ok()?.decode().ok()?;
        let mut content = Cursor::new(Vec::new());
        let kind = match self {
            Self::Jpeg { quality } => {
                let encoder = JpegEncoder::new_with_quality(&mut content, *quality);
                picture.to_rgb8().write_with_encoder(encoder).ok()?;
                "image/jpeg"
            }
            Self::WebP { alpha } => {
                let picture = match *alpha && picture.color().has_alpha() {
                    true => DynamicImage::from(picture.to_rgba8()),
                    false => DynamicImage::from(picture.to_rgb8()),
                };
                picture.write_to(&mut content, ImageFormat::WebP).ok()?;
                "image/webp"
            }
            Self::Colours => {
                picture.to_rgb8().write_to(&mut content, ImageFormat::Png).ok()?;
                "image/png"
            }
            Self::Alpha => {
                let mut picture = picture.to_rgba8();
                picture.pixels_mut().for_each(|pixel| pixel.0 = [0, 0, 0, pixel.0[3]]);
                picture.write_to(&mut content, ImageFormat::Png).ok()?;
                "image/png"
            }
            Self::Plain | Self::Impossible => return None,
        };
        Some((content.into_inner(), kind))
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_at_the_end_of_a_name_takes_one_character_with_it() {
        assert_eq!(split_annotation("a.png [input]"), ("a.png", Some(Folder::Input)));
        assert_eq!(split_annotation("a.png[temp]"), ("a.pn", Some(Folder::Temp)));
        assert_eq!(split_annotation("[output]"), ("", Some(Folder::Output)));
        assert_eq!(split_annotation("a [x].png"), ("a [x].png", None));
    }
}
