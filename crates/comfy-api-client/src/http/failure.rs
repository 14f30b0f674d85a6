//! What went wrong with a request, in words that help.

use std::error::Error;
use std::io;

use comfy_protocol::json::JsonError;
use reqwest::Response;
use serde_json::Value;
use url::Url;

use super::shown;
use crate::ErrorKind;
use crate::address::Address;
use crate::error::Error as Failure;
use crate::text::one_line;

/// A request without an answer, or an answer that broke off.
pub(super) fn of_transport(error: reqwest::Error, address: &Address, url: &Url) -> Failure {
    let error = error.without_url();
    let failure = if let Some(tls) = cause::<rustls::Error>(&error) {
        of_tls(tls, address)
    } else if error.is_timeout() {
        of_time(address, url)
    } else if error.is_connect() {
        of_connect(cause::<io::Error>(&error), address)
    } else {
        let hint = if address.is_tls() {
            "try again"
        } else {
            "try again; if the server speaks TLS, its address begins with `https://`"
        };
        Failure::new(ErrorKind::Disconnected, format!("the connection to {address} broke")).with_hint(hint)
    };
    failure.with_url(shown(url)).with_source(error)
}

/// An answer that did not begin in time.
pub(super) fn of_time(address: &Address, url: &Url) -> Failure {
    Failure::new(ErrorKind::Timeout, format!("{address} did not answer in time"))
        .with_hint("the server may be busy; try again, or allow more time")
        .with_url(shown(url))
}

/// A connection that was not made.
fn of_connect(cause: Option<&io::Error>, address: &Address) -> Failure {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable, TimedOut,
    };
    let (reason, hint) = match cause.map(io::Error::kind) {
        Some(ConnectionRefused) => ("nothing listens there", "start the server, or check host and port"),
        Some(HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable) => {
            ("there is no route to that host", "check the host's address and your network")
        }
        Some(TimedOut) => ("the host does not answer", "check the host's address and firewalls between"),
        _ => ("the connection was not made", "check host and port"),
    };
    let unknown_host = cause.is_some_and(|cause| cause.to_string().contains("lookup address"));
    let (reason, hint) = if unknown_host {
        ("no host has that name", "check the spelling of the host")
    } else {
        (reason, hint)
    };
    Failure::new(ErrorKind::Connect, format!("cannot connect to {address}: {reason}")).with_hint(hint)
}

/// A TLS handshake that failed.
fn of_tls(cause: &rustls::Error, address: &Address) -> Failure {
    let message = |reason: &str| Failure::new(ErrorKind::Tls, format!("TLS with {address} failed: {reason}"));
    match cause {
        rustls::Error::InvalidMessage(_) => {
            message("the server does not speak TLS on that port").with_hint("use an address that begins with `http://`")
        }
        rustls::Error::InvalidCertificate(_) => message("the server's certificate is not trusted")
            .with_hint("check that the address has the name the certificate was made for, and that your system trusts who signed it"),
        other => message(&one_line(&other.to_string(), 200)),
    }
}

/// An answer whose status means failure.
pub(super) async fn of_status(mut response: Response, address: &Address) -> Failure {
    let status = response.status();
    let url = shown(response.url());
    let retry_after = super::call::retry_after(&response);
    if status.is_redirection() {
        let to = response
            .headers()
            .get(http::header::LOCATION)
            .and_then(|to| to.to_str().ok())
            .unwrap_or_default();
        return Failure::new(
            ErrorKind::UnexpectedReply,
            format!("{url} redirects to {}", one_line(without_query(to), 200)),
        )
        .with_hint("use the address that it redirects to")
        .with_status(status.as_u16())
        .with_url(url);
    }
    let is_text = content_type(&response)
        .is_some_and(|kind| kind.starts_with("text/plain") || kind.starts_with("application/json"));
    let mut body = Vec::new();
    // No more than is shown: nothing says how long it is.
    while is_text
        && body.len() < 2000
        && let Ok(Some(piece)) = response.chunk().await
    {
        body.extend_from_slice(&piece);
    }
    let (code, text) = report(&body);
    let said = if text.is_empty() { String::new() } else { format!(": {text}") };
    let error = match status.as_u16() {
        401 | 403 => {
            Failure::new(ErrorKind::Unauthorized, format!("{url} refused the request ({status}){said}"))
                .with_hint("give the token or headers that the server asks for")
        }
        404 => {
            let error = Failure::new(ErrorKind::NotFound, format!("{url} does not exist ({status}){said}"));
            if address.has_prefix() {
                error.with_hint("check the path in the server's address")
            } else {
                error
            }
        }
        413 => Failure::new(ErrorKind::TooLarge, format!("the body is larger than {address} takes{said}"))
            .with_hint("start the server with a larger `--max-upload-size`, or send less"),
        409 => Failure::new(ErrorKind::Conflict, format!("{url} refused the change ({status}){said}")),
        _ => Failure::new(ErrorKind::Status, format!("{url} answered {status}{said}")),
    };
    error.with_status(status.as_u16()).with_url(url).with_code(code).with_retry_after(retry_after)
}

/// An address without what can hold secrets.
fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// The code and the text of an error's body. Servers write texts, `{"error": "text"}`, `{"error": {"code", "message"}}`
/// and, in the cloud, `{"code", "message"}`.
fn report(body: &[u8]) -> (Option<String>, String) {
    let json: Value = serde_json::from_slice(body).unwrap_or_default();
    let error = json.get("error").unwrap_or(&json);
    let text = |value: Option<&Value>, most| value.and_then(Value::as_str).map(|text| one_line(text, most));
    let code = text(error.get("code").or_else(|| error.get("type")), 60);
    let message = text(error.get("message").or(Some(error)), 200);
    (code, message.unwrap_or_else(|| one_line(&String::from_utf8_lossy(body), 200)))
}

/// An answer that should be JSON and is not, or not of the expected form.
pub(super) fn of_json(error: JsonError, address: &Address, url: &Url, status: u16) -> Failure {
    let url = shown(url);
    let message = if error.syntax {
        format!("the answer of {url} is no JSON")
    } else {
        format!("the answer of {url} has an unknown form")
    };
    let failure = Failure::new(ErrorKind::UnexpectedReply, message)
        .with_status(status)
        .with_url(url)
        .with_source(error);
    failure.with_hint(format!(
        "check that ComfyUI itself answers at {address}, not a login page or another program"
    ))
}

pub(super) fn content_type(response: &Response) -> Option<&str> {
    response.headers().get(http::header::CONTENT_TYPE)?.to_str().ok()
}

/// The innermost cause of a type.
fn cause<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    // Errors of TLS and sockets travel inside `io::Error`, whose `source` skips what it wraps.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .map(|inner| inner as &(dyn Error + 'static));
    let inner = wrapped.or_else(|| error.source());
    inner.and_then(cause).or_else(|| error.downcast_ref())
}
