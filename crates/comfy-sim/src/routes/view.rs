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
use super::send_file;
use crate::files::{FilesError, Folder};
use crate::state;

const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// What the query asks for.
struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    fn parse(query: &'a str) -> Self {
        Self(url::form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// The first value of this name.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_ref())
    }
}

pub(super) async fn view(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let query = Query::parse(request.uri().query().unwrap_or_default());
    let asset = query.get("filename").filter(|name| name.starts_with("blake3:"));
    let asset = asset.and_then(|hash| state.assets.as_ref()?.file_by_hash(hash));
    let path = match &asset {
        Some((path, ..)) => path.clone(),
        None => find(&query, &state)?,
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let name = asset.as_ref().map_or(name, |(_, name, _)| name);
    let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
    let form = Form::of(&query);
    if let Form::Plain = form {
        let kind = asset.as_ref().map_or_else(|| send_file::content_type(name), |(_, _, kind)| kind);
        return plain(&path, kind, &quoted, request.headers()).await;
    }
    let made = tokio::task::spawn_blocking(move || form.make(&path)).await.ok().flatten();
    let Some((content, kind)) = made else { return Ok(answer::trouble()) };
    let mut response = Response::new(Body::from(content));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, disposition(format!("filename=\"{quoted}\""))?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    Ok(response)
}

/// The path of the file that a query names.
fn find(query: &Query<'_>, state: &state::State) -> Result<PathBuf, Refusal> {
    let refuse = |status| Refusal::from(answer::empty(status));
    let name = query.get("filename").ok_or_else(|| refuse(StatusCode::NOT_FOUND))?;
    if name.starts_with("blake3:") {
        // The hash of an asset that is not there.
        return Err(refuse(StatusCode::NOT_FOUND));
    }
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
fn split_annotation(name: &str) -> (&str, Option<Folder>) {
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

fn disposition(text: String) -> Result<HeaderValue, Refusal> {
    Ok(HeaderValue::from_bytes(text.as_bytes()).map_err(|_| answer::trouble())?)
}

/// The file as it is.
async fn plain(path: &Path, kind: &str, quoted: &str, asked: &HeaderMap) -> Result<Response, Refusal> {
    let mut headers = HeaderMap::new();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (text, kind) = if is_active(kind) {
        // What a browser would run is given out to be saved, except a drawing that is shown as a picture.
        headers.insert(header::VARY, HeaderValue::from_static("Sec-Fetch-Dest"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let as_image = asked.get(SEC_FETCH_DEST).is_some_and(|dest| dest == "image");
        if kind == "image/svg+xml" && as_image {
            (format!("filename=\"{quoted}\""), kind)
        } else {
            (format!("attachment; filename=\"{quoted}\""), "application/octet-stream")
        }
    } else {
        (format!("filename=\"{quoted}\""), kind)
    };
    headers.insert(header::CONTENT_DISPOSITION, disposition(text)?);
    headers.insert(header::CONTENT_TYPE, HeaderValue::try_from(kind).map_err(|_| answer::trouble())?);
    Ok(send_file::send(path, headers, asked).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "a file could not be read");
        answer::trouble()
    }))
}

pub(super) fn is_active(kind: &str) -> bool {
    matches!(kind, "text/html" | "text/css") || kind.contains("javascript") || kind.contains("xml")
}

/// In which form a picture is wanted.
enum Form {
    Plain,
    Preview { jpeg: bool, quality: u8 },
    Colours,
    Alpha,
}

impl Form {
    fn of(query: &Query<'_>) -> Self {
        if let Some(preview) = query.get("preview") {
            let mut parts = preview.split(';');
            let jpeg = parts.next() == Some("jpeg");
            let quality = preview.rsplit(';').next().and_then(|quality| quality.parse().ok()).unwrap_or(90);
            return Self::Preview { jpeg, quality };
        }
        match query.get("channel") {
            Some("rgb") => Self::Colours,
            Some("a") => Self::Alpha,
            _ => Self::Plain,
        }
    }

    /// Makes the picture; `None` when the file is none.
    fn make(&self, path: &Path) -> Option<(Vec<u8>, &'static str)> {
        let picture = ImageReader::open(path).ok()?.with_guessed_format().ok()?.decode().ok()?;
        let mut content = Cursor::new(Vec::new());
        let kind = match self {
            Self::Preview { jpeg: true, quality } => {
                let encoder = JpegEncoder::new_with_quality(&mut content, (*quality).clamp(1, 100));
                picture.to_rgb8().write_with_encoder(encoder).ok()?;
                "image/jpeg"
            }
            Self::Preview { jpeg: false, .. } => {
                let picture = match picture.color().has_alpha() {
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
            Self::Plain => return None,
        };
        Some((content.into_inner(), kind))
    }
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
