use std::fmt;

use url::Url;

use crate::{Error, ErrorKind, Result};

/// The port of a server that is given without scheme and port.
const DEFAULT_PORT: u16 = 8188;

/// The address of a server: `http(s)://host:port/prefix/`, without credentials.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Address {
    base: Url,
    /// User and password that stood in the address.
    pub(crate) credentials: Option<(String, String)>,
}

impl Address {
    /// Reads `host`, `host:port`, `[v6]:port`, a port of this machine, or a URL with `http`, `https`, `ws` or `wss` and an optional path prefix.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let invalid = |reason: &str| {
            let shown = crate::text::one_line(&without_credentials(text), 100);
            Error::new(ErrorKind::Config, format!("`{shown}` is no server address: {reason}"))
                .with_hint("give `host:port` or a URL such as `https://host/comfy`")
        };
        if text.is_empty() {
            return Err(invalid("it is empty"));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            // A number alone would be an address of IPv4, of some host far away.
            return match text.parse::<u16>() {
                Ok(port) if port > 0 => Self::parse(&format!("127.0.0.1:{port}")),
                _ => Err(invalid("it is no port from 1 to 65535")),
            };
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (Some(scheme.to_ascii_lowercase()), rest),
            None => (None, text),
        };
        let web = match scheme.as_deref() {
            None | Some("http" | "ws") => "http",
            Some("https" | "wss") => "https",
            Some(_) => return Err(invalid("the scheme is not http or https")),
        };
        let bare_v6 = rest.parse::<std::net::Ipv6Addr>().is_ok();
        let url = if bare_v6 { format!("{web}://[{rest}]") } else { format!("{web}://{rest}") };
        let mut base = Url::parse(&url).map_err(|error| invalid(&error.to_string()))?;
        if base.query().is_some() || base.fragment().is_some() {
            return Err(invalid("it has a query or a fragment"));
        }
        let authority = base.authority().to_owned();
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
            || rest.split('/').next().is_some_and(|host| host.ends_with(":80"));
        if scheme.is_none() && !has_port {
            base.set_port(Some(DEFAULT_PORT)).map_err(|()| invalid("it has no host"))?;
        }
        let credentials = (!base.username().is_empty() || base.password().is_some())
            .then(|| (decoded(base.username()), decoded(base.password().unwrap_or_default())));
        base.set_username("")
            .and_then(|()| base.set_password(None))
            .map_err(|()| invalid("it has no host"))?;
        if !base.path().ends_with('/') {
            let path = format!("{}/", base.path());
            base.set_path(&path);
        }
        Ok(Self { base, credentials })
    }

    /// The URL of a path such as `api/prompt`, whose segments are already percent-encoded.
    pub(crate) fn join(&self, path: &str) -> Result<Url> {
        let text = format!("{}{}", self.base, path.trim_start_matches('/'));
        Url::parse(&text)
            .map_err(|error| Error::new(ErrorKind::Config, format!("`{text}` is no URL")).with_source(error))
    }

    /// Whether a path prefix is part of the address.
    pub(crate) fn has_prefix(&self) -> bool {
        self.base.path() != "/"
    }

    pub(crate) fn is_tls(&self) -> bool {
        self.base.scheme() == "https"
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let byte = (first == b'%')
            .then(|| {
                tail.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok())
            })
            .flatten();
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn without_credentials(text: &str) -> String {
    match text.rsplit_once('@') {
        Some((before, host)) => format!(
            "{}…@{host}",
            before.split_once("://").map(|(scheme, _)| format!("{scheme}://")).unwrap_or_default()
        ),
        None => text.to_owned(),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base.as_str().trim_end_matches('/'))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> String {
        Address::parse(text).unwrap().join("api/prompt").unwrap().to_string()
    }

    #[test]
    fn hosts_ports_schemes_prefixes_and_ipv6_are_understood() {
        assert_eq!(base("localhost"), "http://localhost:8188/api/prompt");
        assert_eq!(base("8200"), "http://127.0.0.1:8200/api/prompt");
        assert_eq!(base("localhost:80"), "http://localhost/api/prompt");
        assert_eq!(base(" 10.0.0.2:9000/ "), "http://10.0.0.2:9000/api/prompt");
        assert_eq!(base("http://host"), "http://host/api/prompt");
        assert_eq!(base("HTTPS://host/comfy/"), "https://host/comfy/api/prompt");
        assert_eq!(base("https://host/a b/comfy"), "https://host/a%20b/comfy/api/prompt");
        assert_eq!(base("[::1]:8000"), "http://[::1]:8000/api/prompt");
        assert_eq!(base("[::1]"), "http://[::1]:8188/api/prompt");
        assert_eq!(base("::1"), "http://[::1]:8188/api/prompt");
        assert_eq!(base("gpu.local/comfy"), "http://gpu.local:8188/comfy/api/prompt");
    }

    #[test]
    fn credentials_are_taken_out_and_never_shown() {
        let address = Address::parse("http://me:pa%40ss@host:1").unwrap();
        assert_eq!(address.credentials, Some(("me".into(), "pa@ss".into())));
        assert_eq!(format!("{address} {address:?}"), "http://host:1 http://host:1");
        let error = Address::parse("ftp://me:secret@host").unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_hint() {
        for text in ["", "0", "65536", "ftp://host", "http://", "host:port", "http://host?x=1", "a b"] {
            let error = Address::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{text}");
            assert!(error.hint().is_some());
        }
    }
}
