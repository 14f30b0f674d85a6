use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::cookie::Jar;
use reqwest::{Certificate, Identity, Proxy};

use super::Settings;
use crate::address::Address;
use crate::{Error, ErrorKind, Result};

/// How requests and WebSockets travel: what is sent with each, whom to trust, and through which proxy.
#[derive(Clone, Default)]
pub(crate) struct Transport {
    pub(super) headers: Vec<(String, String)>,
    pub(super) cookies: Vec<String>,
    /// PEM texts.
    pub(super) roots: Vec<Vec<u8>>,
    /// A PEM text of certificates and a key.
    pub(super) identity: Option<Vec<u8>>,
    pub(super) trusts_anybody: bool,
    pub(super) proxy: ProxyChoice,
    pub(super) uncompressed: bool,
}

/// The proxy to go through.
#[derive(Clone, Default)]
pub(super) enum ProxyChoice {
    /// What `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    #[default]
    Environment,
    None,
    At(String),
}

impl Transport {
    /// The HTTP client for an address.
    ///
    /// # Errors
    /// Something of it is not valid.
    pub(crate) fn client(self, address: &Address, settings: &Settings) -> Result<reqwest::Client> {
        let mut builder = reqwest::Client::builder()
            .default_headers(header_map(&self.headers, address)?)
            .user_agent(concat!("comfy-api-client/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(settings.connect_timeout)
            // A redirected POST would become a GET, and credentials must not go elsewhere; see `failure::of_status`.
            .redirect(reqwest::redirect::Policy::none())
            .gzip(!self.uncompressed)
            .deflate(!self.uncompressed);
        if !self.cookies.is_empty() {
            let jar = Jar::default();
            let url = address.join("")?;
            self.cookies.iter().for_each(|cookie| jar.add_cookie_str(cookie, &url));
            builder = builder.cookie_provider(Arc::new(jar));
        }
        match self.proxy {
            ProxyChoice::Environment => {}
            ProxyChoice::None => builder = builder.no_proxy(),
            ProxyChoice::At(url) => {
                let proxy = Proxy::all(&url).map_err(|_| {
                    Error::new(ErrorKind::Config, "the proxy's address is not valid")
                        .with_hint("give a URL such as `http://proxy:3128`")
                })?;
                builder = builder.proxy(proxy);
            }
        }
        let roots = certificates(&self.roots)?;
        if self.trusts_anybody {
            builder = builder.tls_danger_accept_invalid_certs(true);
        } else if address.is_tls() {
            builder = builder.tls_certs_merge(roots);
        } else {
            // Looking for the platform's certificates fails where there are none, as in slim containers, and must not
            // keep anybody from speaking plain HTTP.
            builder = builder.tls_certs_only(roots);
        }
        if let Some(pem) = self.identity {
            let identity = Identity::from_pem(&pem).map_err(|error| {
                Error::new(ErrorKind::Tls, "the client certificate cannot be used")
                    .with_hint("give one PEM text with the certificate, its chain and its private key")
                    .with_source(error)
            })?;
            builder = builder.identity(identity);
        }
        builder.build().map_err(|error| {
            if address.is_tls() {
                Error::new(ErrorKind::Tls, "cannot set up TLS")
                    .with_hint("install the root certificates of your system")
            } else {
                Error::new(ErrorKind::Config, "cannot set up HTTP")
            }
            .with_source(error)
        })
    }
}

fn certificates(pems: &[Vec<u8>]) -> Result<Vec<Certificate>> {
    let invalid =
        || Error::new(ErrorKind::Tls, "a root certificate cannot be read").with_hint("give it as PEM text");
    let mut certificates = Vec::new();
    for pem in pems {
        let some = Certificate::from_pem_bundle(pem).map_err(|error| invalid().with_source(error))?;
        if some.is_empty() {
            return Err(invalid());
        }
        certificates.extend(some);
    }
    Ok(certificates)
}

/// The headers of every request: those that were given win over the credentials in the address.
fn header_map(headers: &[(String, String)], address: &Address) -> Result<HeaderMap> {
    let mut map = HeaderMap::new();
    if let Some((user, password)) = &address.credentials {
        map.insert(AUTHORIZATION, secret(&basic(user, password))?);
    }
    for (name, _) in headers {
        let shown = crate::text::one_line(name, 60);
        let name = HeaderName::try_from(name.trim()).map_err(|error| {
            Error::new(ErrorKind::Config, format!("`{shown}` is no name of a header")).with_source(error)
        })?;
        // One name stands once: values of the same name are a list, which commas separate, but for those that are one.
        let values = headers.iter().filter(|(other, _)| other.trim().eq_ignore_ascii_case(name.as_str()));
        let values: Vec<&str> = values.map(|(_, value)| value.trim()).collect();
        let value = match name.as_str() {
            "authorization" | "comfy-user" => values.last().copied().unwrap_or_default().to_owned(),
            "cookie" => values.join("; "),
            _ => values.join(", "),
        };
        map.insert(name, secret(&value)?);
    }
    Ok(map)
}

/// The value of `Authorization` for a user and a password.
pub(super) fn basic(user: &str, password: &str) -> String {
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {pair}")
}

/// A header's value that `Debug` does not show.
fn secret(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(value.trim()).map_err(|_| {
        Error::new(ErrorKind::Config, "a header's value has characters that HTTP does not allow")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Transport")
            .field("headers", &names)
            .field("cookies", &self.cookies.len())
            .field("roots", &self.roots.len())
            .field("client_certificate", &self.identity.is_some())
            .field("trusts_anybody", &self.trusts_anybody)
            .finish_non_exhaustive()
    }
}
