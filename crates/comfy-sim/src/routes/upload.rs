//! `POST /upload/image` and `POST /upload/mask`.

use std::sync::Arc;

use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{FromRequest as _, Multipart, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use comfy_protocol::routes::upload::Uploaded;
use serde_json::Value as Json;

use super::answer::{self, Refusal};
use super::body::{self, Limit};
use super::mask;
use crate::assets::{Found, Wish, hash_of};
use crate::files::{FilesError, Folder, StoredName, Upload};
use crate::state;

/// The fields of the form; of several with one name the first counts.
#[derive(Debug, Default)]
struct Form {
    image: Option<Image>,
    folder: Option<String>,
    subfolder: Option<String>,
    overwrite: Option<String>,
    original_ref: Option<String>,
}

#[derive(Debug)]
struct Image {
    /// `None` for a field that is no file.
    name: Option<String>,
    content: Bytes,
}

pub(super) async fn image(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let form = read(request).await?;
    store(state, form, |_, _, content| Some(Some(content))).await
}

/// The transparency of the upload on a picture that is there. When that picture is missing, the server answers with a
/// name all the same and writes nothing.
pub(super) async fn mask(
    State(state): State<Arc<state::State>>,
    request: Request,
) -> Result<Response, Refusal> {
    let form = read(request).await?;
    let original = form.original_ref.clone();
    store(state, form, move |state, name, content| {
        let Some(path) = mask::original(&state.files, original.as_deref()?)? else { return Some(None) };
        mask::put_on(&path, &content, name).map(Some)
    })
    .await
}

/// Stores a form's file, as `make` makes it: `None` when it cannot, and `Some(None)` when nothing is to be written.
async fn store(
    state: Arc<state::State>,
    form: Form,
    make: impl FnOnce(&state::State, &str, Bytes) -> Option<Option<Bytes>> + Send + 'static,
) -> Result<Response, Refusal> {
    let overwrite = matches!(form.overwrite.as_deref(), Some("true" | "1"));
    let subfolder = form.subfolder.unwrap_or_default();
    let Some(image) = form.image else { return Ok(answer::empty(StatusCode::BAD_REQUEST)) };
    let Some(name) = image.name.filter(|name| !name.is_empty()) else { return Ok(answer::trouble()) };
    let Some(folder) = Folder::parse(form.folder.as_deref().unwrap_or("input")) else {
        return Ok(answer::trouble());
    };
    let store = move || {
        let made = make(&state, &name, image.content.clone()).ok_or(FilesError::BadName)?;
        let upload = Upload { written: made.as_deref(), ..Upload::of(&image.content, overwrite) };
        let stored = state.files.store_upload(folder, &subfolder, &name, &upload)?;
        let asset = upload.written.and_then(|written| asset(&state, &stored, written));
        Ok((stored, asset))
    };
    match tokio::task::spawn_blocking(store).await {
        Ok(Ok((stored, asset))) => {
            let mut uploaded =
                Uploaded::new(stored.name, stored.subfolder, stored.folder.as_str().to_owned());
            uploaded.extra.extend(asset.map(|asset| ("asset".to_owned(), asset)));
            Ok(answer::json(&uploaded))
        }
        Ok(Err(FilesError::Outside)) => Ok(answer::empty(StatusCode::BAD_REQUEST)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "an upload was not stored");
            Ok(answer::trouble())
        }
        Err(_) => Ok(answer::trouble()),
    }
}

/// Makes an upload known as an asset, and describes it; `None` where there are no assets.
fn asset(state: &state::State, stored: &StoredName, written: &[u8]) -> Option<Json> {
    let assets = state.assets.as_ref()?;
    let path = state.files.resolve_in(stored.folder, &stored.subfolder, &stored.name).ok()?;
    let found = Found::in_folder(&state.files, stored.folder, &path)?;
    let mut tags = vec!["uploaded".to_owned()];
    if stored.folder == Folder::Temp {
        // What is sent is an input, even there.
        tags.push(Folder::Input.as_str().to_owned());
    }
    let hash = hash_of(written);
    let mut store = assets.store();
    let id = store.stored(found, &hash, None, Wish { tags, ..Wish::default() }, assets.now());
    store.describe_upload(&id)
}

async fn read(request: Request) -> Result<Form, Refusal> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let limit = Limit::of(&request);
    let mut form = Form::default();
    match kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
        "multipart/form-data" => {
            let refuse = |_| answer::trouble();
            let mut parts = Multipart::from_request(request, &()).await.map_err(refuse)?;
            while let Some(field) = parts.next_field().await.map_err(|error| refused(&error, limit))? {
                form.take(field).await.map_err(|error| refused(&error, limit))?;
            }
        }
        "application/x-www-form-urlencoded" => {
            let body = body::read(request).await?;
            let has_image = url::form_urlencoded::parse(&body).any(|(name, _)| name == "image");
            form.image = has_image.then(|| Image { name: None, content: Bytes::new() });
        }
        // Bodies of other kinds have no fields.
        _ => {}
    }
    Ok(form)
}

pub(super) fn refused(error: &MultipartError, Limit(limit): Limit) -> Refusal {
    if error.status() == StatusCode::PAYLOAD_TOO_LARGE {
        answer::too_large(limit).into()
    } else {
        answer::trouble().into()
    }
}

impl Form {
    async fn take(&mut self, mut field: Field<'_>) -> Result<(), MultipartError> {
        let (name, file_name) = names(field.headers());
        let mut content = BytesMut::new();
        while let Some(chunk) = field.chunk().await? {
            content.extend_from_slice(&chunk);
        }
        let content = content.freeze();
        let text = || String::from_utf8_lossy(&content).into_owned();
        match name.as_str() {
            "image" if self.image.is_none() => self.image = Some(Image { name: file_name, content }),
            "type" => self.folder = self.folder.take().or_else(|| Some(text())),
            "subfolder" => self.subfolder = self.subfolder.take().or_else(|| Some(text())),
            "original_ref" => self.original_ref = self.original_ref.take().or_else(|| Some(text())),
            "overwrite" => self.overwrite = self.overwrite.take().or_else(|| Some(text())),
            _ => {}
        }
        Ok(())
    }
}

/// The name of a field and of its file, read as the server reads them: a backslash takes the next character as it is.
pub(super) fn names(headers: &HeaderMap) -> (String, Option<String>) {
    let header =
        headers.get(header::CONTENT_DISPOSITION).map(|value| String::from_utf8_lossy(value.as_bytes()));
    let (mut name, mut file_name, mut encoded) = (String::new(), None, None);
    for (key, value) in parameters(header.as_deref().unwrap_or_default()) {
        match key.as_str() {
            "name" => name = value,
            "filename" => file_name = Some(value),
            "filename*" => encoded = decode(&value),
            _ => {}
        }
    }
    (name, encoded.or(file_name))
}

/// The parameters of a header's value: what follows its first semicolon.
fn parameters(header: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = header.split_once(';').map_or("", |(_, rest)| rest);
    while let Some((key, after)) = rest.split_once('=') {
        let key = key
            .trim_matches(|character: char| character == ';' || character.is_whitespace())
            .to_ascii_lowercase();
        let mut value = String::new();
        rest = match after.strip_prefix('"') {
            Some(quoted) => {
                let mut characters = quoted.chars();
                loop {
                    match characters.next() {
                        None | Some('"') => break characters.as_str(),
                        Some('\\') => value.extend(characters.next()),
                        Some(plain) => value.push(plain),
                    }
                }
            }
            None => {
                let (plain, after) = after.split_once(';').unwrap_or((after, ""));
                value.push_str(plain.trim());
                after
            }
        };
        found.push((key, value));
    }
    found
}

/// A value such as `utf-8''%C3%BC.png`.
fn decode(value: &str) -> Option<String> {
    let (charset, rest) = value.split_once('\'')?;
    let (_, text) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    // The decoding of forms, in which a plus sign means a blank.
    let pair = format!("v={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, text)| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_in(disposition: &str) -> (String, Option<String>) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_DISPOSITION, disposition.parse().unwrap());
        names(&headers)
    }

    #[test]
    fn names_of_files_are_read_as_the_server_reads_them() {
        let file_name = |disposition: &str| names_in(&format!("form-data; name=\"image\"; {disposition}"));
        let named = |name: &str| ("image".to_owned(), Some(name.to_owned()));
        assert_eq!(file_name(r#"filename="a; b=c.png""#), named("a; b=c.png"));
        assert_eq!(file_name(r#"filename="q\"uote.png""#), named("q\"uote.png"));
        assert_eq!(file_name(r#"filename="back\slash.png""#), named("backslash.png"));
        assert_eq!(file_name(r#"filename="pct%41.png""#), named("pct%41.png"));
        assert_eq!(file_name("filename=plain.png"), named("plain.png"));
        assert_eq!(file_name("filename=\"x\"; filename*=utf-8''%C3%BC%20+.png"), named("ü +.png"));
        assert_eq!(names_in("form-data; name=\"type\""), ("type".into(), None));
    }
}
