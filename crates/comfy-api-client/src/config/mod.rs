mod transport;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use http::header::AUTHORIZATION;

use crate::address::Address;
use crate::{Client, Result, RetryPolicy};
use transport::ProxyChoice;
pub(crate) use transport::Transport;

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
    /// By asking over HTTP, 50 ms after the submit at first and every second at last. There is no progress and there
    /// are no previews.
    Polling,
    /// Not at all: [`Client::fetch`] tells where a prompt is and gives its outputs. A job that is awaited, or whose
    /// events are read, is followed from then on as with [`Polling`](Self::Polling).
    Manual,
}

/// The settings of a [`Client`]; made by [`Client::builder`].
#[derive(Clone)]
#[must_use = "settings do nothing until the client is built"]
pub struct ClientBuilder {
    address: String,
    settings: Settings,
    transport: Transport,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) tracking: Tracking,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) job_timeout: Option<Duration>,
    pub(crate) ping_interval: Duration,
    pub(crate) silence: Duration,
    pub(crate) stall_after: Duration,
    pub(crate) give_up_after: Duration,
    pub(crate) retry: RetryPolicy,
    pub(crate) socket_compression: bool,
    pub(crate) schema_age: Duration,
    pub(crate) schema_folder: Option<PathBuf>,
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
                job_timeout: None,
                ping_interval: Duration::from_secs(10),
                silence: Duration::from_secs(3),
                stall_after: Duration::from_secs(60),
                give_up_after: Duration::from_secs(300),
                retry: RetryPolicy::default(),
                socket_compression: false,
                schema_age: Duration::from_secs(60),
                schema_folder: None,
            },
            transport: Transport::default(),
        }
    }

    /// How jobs are followed; [`Tracking::Auto`] unless set.
    pub fn tracking(mut self, tracking: Tracking) -> Self {
        self.settings.tracking = tracking;
        self
    }

    /// Sends `Authorization: Bearer TOKEN` with every request and with the WebSocket's upgrade.
    pub fn token(self, token: impl fmt::Display) -> Self {
        self.header(AUTHORIZATION.as_str(), format!("Bearer {token}"))
    }

    /// Sends a user and a password with every request and with the WebSocket's upgrade, as those in the address.
    pub fn basic(self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        self.header(AUTHORIZATION.as_str(), transport::basic(user.as_ref(), password.as_ref()))
    }

    /// Sends a header with every request and with the WebSocket's upgrade. Its value is shown nowhere.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.transport.headers.push((name.into(), value.into()));
        self
    }

    /// Sends a cookie, `name=value`, with every request and with the WebSocket's upgrade, and keeps the cookies that
    /// the server sets.
    pub fn cookie(mut self, cookie: impl Into<String>) -> Self {
        self.transport.cookies.push(cookie.into());
        self
    }

    /// Acts as a user of a server that was started with `--multi-user`: sends the header `comfy-user`. The id is a key
    /// of [`users`](Client::users), not the name.
    pub fn user(self, id: impl Into<String>) -> Self {
        self.header("comfy-user", id)
    }

    /// Trusts servers whose certificates were signed with one of these, given as PEM text, beside those that the
    /// platform trusts.
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.roots.push(pem.into());
        self
    }

    /// Shows a certificate to the server: PEM text of the certificate, its chain and its private key.
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.transport.identity = Some(pem.into());
        self
    }

    /// Trusts any certificate, whoever signed it for whatever host, so that anybody between can read and change
    /// everything.
    pub fn danger_accept_invalid_certificates(mut self, accept: bool) -> Self {
        self.transport.trusts_anybody = accept;
        self
    }

    /// Goes through a proxy, such as `http://user:password@proxy:3128`. Unless this or [`no_proxy`](Self::no_proxy) is
    /// set, `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` of the environment decide.
    ///
    /// A WebSocket to a plain `http` address passes only those proxies that pass upgrades on.
    pub fn proxy(mut self, url: impl Into<String>) -> Self {
        self.transport.proxy = ProxyChoice::At(url.into());
        self
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.transport.proxy = ProxyChoice::None;
        self
    }

    /// Whether answers may come compressed (gzip, deflate); so unless set. Servers compress only when they were started
    /// with `--enable-compress-response-body`.
    pub fn compression(mut self, compression: bool) -> Self {
        self.transport.uncompressed = !compression;
        self
    }

    /// Whether the WebSocket's messages may come compressed (`permessage-deflate`); not so unless set. It saves two
    /// thirds of the bytes of messages, nothing of pictures, and costs the server time: worth it over slow lines.
    pub fn socket_compression(mut self, compression: bool) -> Self {
        self.settings.socket_compression = compression;
        self
    }

    /// Time limit for a connection to be made; 10 s unless set.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = limit;
        self
    }

    /// Time limit for an answer to begin; 30 s unless set. Transfers of files have only the
    /// [`idle_timeout`](Self::idle_timeout).
    pub fn request_timeout(mut self, limit: Duration) -> Self {
        self.settings.request_timeout = limit;
        self
    }

    /// Time limit for the body of an answer or a transfer of a file to stand still; 60 s unless set.
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.settings.idle_timeout = limit;
        self
    }

    /// Time limit for jobs, from the submit to the end; none unless set. A job that is over it ends here with
    /// [`ErrorKind::Timeout`](crate::ErrorKind::Timeout), and goes on at the server. See also
    /// [`Submit::timeout`](crate::Submit::timeout).
    pub fn job_timeout(mut self, limit: Duration) -> Self {
        self.settings.job_timeout = Some(limit);
        self
    }

    /// How often requests are repeated that got no answer; three attempts unless set.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.settings.retry = policy;
        self
    }

    /// How often the WebSocket is pinged, 50 ms to a day; 10 s unless set. When nothing comes back for two and a half times as long,
    /// the connection counts as dead. Servers send no pings of their own.
    pub fn ping_interval(mut self, interval: Duration) -> Self {
        self.settings.ping_interval = interval.clamp(FASTEST, SLOWEST);
        self
    }

    /// After how long without a message about a job its record is asked for over HTTP, 50 ms to a day; 3 s unless set.
    pub fn silence(mut self, silence: Duration) -> Self {
        self.settings.silence = silence.clamp(FASTEST, SLOWEST);
        self
    }

    /// After how long without any sign of life a job is reported as [stalled](crate::Event::Stalled), 50 ms to a day;
    /// one minute unless set. It is reported again whenever that time has doubled.
    pub fn stall_after(mut self, limit: Duration) -> Self {
        self.settings.stall_after = limit.clamp(FASTEST, SLOWEST);
        self
    }

    /// After how long without an answer about a job it is given up; 5 minutes unless set.
    pub fn give_up_after(mut self, limit: Duration) -> Self {
        self.settings.give_up_after = limit;
        self
    }

    /// How old kept node schemas may be when a workflow of the editor is converted with them; a minute unless set. Older
    /// ones are asked for anew. Whatever their age, schemas with which a conversion has problems are asked for anew
    /// before that is said.
    pub fn schema_age(mut self, limit: Duration) -> Self {
        self.settings.schema_age = limit;
        self
    }

    /// Keeps the server's node schemas in files of a folder too, for programs that run for a moment: one file for every
    /// address of a server. It counts for a day, while the server has the same version; before a conversion the few
    /// classes that the workflow has are asked for anew. Whatever is wrong with the folder, the server is asked instead.
    pub fn schema_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.settings.schema_folder = Some(folder.into());
        self
    }

    /// Connects: asks the server for its queue, to see that it is one and answers.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for an address or a header that is not valid, `Connect`, `Tls`,
    /// `Timeout`, `Unauthorized`, or `UnexpectedReply` when something else than ComfyUI answers.
    pub async fn connect(self) -> Result<Client> {
        let client = self.build()?;
        client.check().await?;
        Ok(client)
    }

    /// Makes the client without asking the server for anything.
    ///
    /// # Errors
    /// [`ErrorKind::Config`](crate::ErrorKind::Config) for an address, a header or a proxy that is not valid, `Tls` when
    /// TLS cannot be set up or a certificate cannot be read.
    pub fn build(self) -> Result<Client> {
        let address = Address::parse(&self.address)?;
        Client::new(address, self.transport, self.settings)
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address can hold credentials.
        f.debug_struct("ClientBuilder")
            .field("settings", &self.settings)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}
