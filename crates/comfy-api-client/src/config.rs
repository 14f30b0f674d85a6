use std::fmt;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::address::Address;
use crate::{Client, Error, ErrorKind, Result};

/// The shortest and longest time between two pings or questions.
const FASTEST: Duration = Duration::from_millis(50);
const SLOWEST: Duration = Duration::from_secs(24 * 60 * 60);

/// How jobs are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Tracking {
    /// By WebSocket, and by asking over HTTP while it cannot be had.
    #[default]
    Auto,
    /// By WebSocket; submitting fails while it cannot be had.
    WebSocket,
    /// By asking over HTTP. There is no progress and there are no previews.
    Polling,
}

/// The settings of a [`Client`]; made by [`Client::builder`].
#[derive(Clone)]
pub struct ClientBuilder {
    pub(crate) address: String,
    pub(crate) settings: Settings,
    pub(crate) headers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) tracking: Tracking,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) ping_interval: Duration,
    pub(crate) silence: Duration,
    pub(crate) give_up_after: Duration,
}

impl ClientBuilder {
    pub(crate) fn new(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            settings: Settings {
                tracking: Tracking::default(),
                connect_timeout: Duration::from_secs(10),
                request_timeout: Duration::from_secs(30),
                idle_timeout: Duration::from_secs(60),
                ping_interval: Duration::from_secs(10),
                silence: Duration::from_secs(3),
                give_up_after: Duration::from_secs(300),
            },
            headers: Vec::new(),
        }
    }

    /// How jobs are followed; [`Tracking::Auto`] unless set.
    #[must_use]
    pub fn tracking(mut self, tracking: Tracking) -> Self {
        self.settings.tracking = tracking;
        self
    }

    /// Sends `Authorization: Bearer TOKEN` with every request and with the WebSocket's upgrade.
    #[must_use]
    pub fn token(self, token: impl fmt::Display) -> Self {
        self.header(AUTHORIZATION.as_str(), format!("Bearer {token}"))
    }

    /// Sends a header with every request and with the WebSocket's upgrade.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Time limit for a connection to be made; 10 s unless set.
    #[must_use]
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = limit;
        self
    }

    /// Time limit for a whole request other than a transfer of a file; 30 s unless set.
    #[must_use]
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.settings.request_timeout = limit;
        self
    }

    /// Time limit for a transfer of a file to stand still; 60 s unless set.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.settings.idle_timeout = limit;
        self
    }

    /// How often the WebSocket is pinged, 50 ms to a day; 10 s unless set. When nothing comes back for two and a half times as long,
    /// the connection counts as dead. Servers send no pings of their own.
    #[must_use]
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.settings.ping_interval = interval.clamp(FASTEST, SLOWEST);
        self
    }

    /// After how long without a message about a job its record is asked for over HTTP, 50 ms to a day; 3 s unless set.
    #[must_use]
    pub fn silence(mut self, silence: Duration) -> Self {
        self.settings.silence = silence.clamp(FASTEST, SLOWEST);
        self
    }

    /// After how long without an answer about a job it is given up; 5 minutes unless set.
    #[must_use]
    pub fn give_up_after(mut self, limit: Duration) -> Self {
        self.settings.give_up_after = limit;
        self
    }

    /// Connects: asks the server for its queue, to see that it is one and answers.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an address or a header that is not valid, [`ErrorKind::Connect`], [`ErrorKind::Tls`],
    /// [`ErrorKind::Timeout`], [`ErrorKind::Unauthorized`], or [`ErrorKind::UnexpectedReply`] when something else
    /// than ComfyUI answers.
    pub async fn connect(self) -> Result<Client> {
        let client = self.build()?;
        client.check().await?;
        Ok(client)
    }

    /// Makes the client without asking the server for anything.
    ///
    /// # Errors
    /// [`ErrorKind::Config`] for an address or a header that is not valid, [`ErrorKind::Tls`] when TLS cannot be set up.
    pub fn build(self) -> Result<Client> {
        let address = Address::parse(&self.address)?;
        let headers = self.header_map(&address)?;
        Client::new(address, headers, self.settings)
    }

    fn header_map(&self, address: &Address) -> Result<HeaderMap> {
        use base64::Engine as _;
        let mut map = HeaderMap::new();
        if let Some((user, password)) = &address.credentials {
            let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            map.insert(AUTHORIZATION, secret(&format!("Basic {pair}"))?);
        }
        for (name, value) in &self.headers {
            let shown = crate::text::one_line(name, 60);
            let name = HeaderName::try_from(name.trim()).map_err(|error| {
                Error::new(ErrorKind::Config, format!("`{shown}` is no name of a header")).with_source(error)
            })?;
            if self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name.as_str())).count() > 1
            {
                map.append(name, secret(value)?);
            } else {
                map.insert(name, secret(value)?);
            }
        }
        Ok(map)
    }
}

/// A header's value that `Debug` does not show.
fn secret(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::try_from(value.trim()).map_err(|_| {
        Error::new(ErrorKind::Config, "a header's value has characters that HTTP does not allow")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ClientBuilder")
            .field("headers", &names)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
