//! The bodies of requests.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::value::RawValue;

use super::scenario::{Part, string};

/// What stands between the parts of a form.
const BOUNDARY: &str = "conformance7MA4YWxkTrZu0gW";

/// A body to send, and the content type that goes with it when that is not the recorded one.
#[derive(Debug)]
pub(crate) enum ToSend {
    Nothing,
    Bytes(Vec<u8>, Option<String>),
    /// The recording left it out.
    Unknown,
}

/// The recorded body of a request, after `live` has put today's ids into it.
pub(crate) fn to_send(
    body: Option<&BTreeMap<String, Box<RawValue>>>,
    live: impl Fn(&str) -> String,
) -> anyhow::Result<ToSend> {
    let Some(body) = body else { return Ok(ToSend::Nothing) };
    if body.contains_key("omitted") {
        return Ok(ToSend::Unknown);
    }
    if let Some(json) = body.get("json") {
        return Ok(ToSend::Bytes(live(json.get()).into_bytes(), None));
    }
    if let Some(text) = string(body, "text") {
        return Ok(ToSend::Bytes(live(&text).into_bytes(), None));
    }
    if let Some(base64) = string(body, "base64") {
        return Ok(ToSend::Bytes(BASE64_STANDARD.decode(base64)?, None));
    }
    let Some(parts) = body.get("multipart") else { return Ok(ToSend::Nothing) };
    let parts: Vec<Part> = serde_json::from_str(parts.get())?;
    if parts.iter().any(|part| part.len.is_some() && part.base64.is_none() && part.text.is_none()) {
        return Ok(ToSend::Unknown);
    }
    let (form, kind) = form(&parts)?;
    Ok(ToSend::Bytes(form, Some(kind)))
}

/// A form and its content type.
pub(crate) fn form(parts: &[Part]) -> anyhow::Result<(Vec<u8>, String)> {
    let mut form = Vec::new();
    for part in parts {
        let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{}\"", part.name);
        if let Some(name) = &part.filename {
            head += &format!("; filename=\"{name}\"");
        }
        if let Some(kind) = part.content_type.as_deref().filter(|kind| !kind.is_empty()) {
            head += &format!("\r\nContent-Type: {kind}");
        }
        form.extend_from_slice(format!("{head}\r\n\r\n").as_bytes());
        match &part.base64 {
            Some(base64) => form.extend(BASE64_STANDARD.decode(base64)?),
            None => form.extend_from_slice(part.text.as_deref().unwrap_or_default().as_bytes()),
        }
        form.extend_from_slice(b"\r\n");
    }
    form.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    Ok((form, format!("multipart/form-data; boundary={BOUNDARY}")))
}
