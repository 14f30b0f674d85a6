use std::path::Path;

use comfy_workflow::Workflow;

use super::{Call, Iter, Job, Outputs, Runtime};
use crate::{Cancellation, ClientBuilder, ConnectionStatus, JobState, Result, ServerEvent};

/// A ComfyUI server, as seen by a program without async. See the async [`Client`](crate::Client).
#[derive(Debug, Clone)]
pub struct Client {
    inner: crate::Client,
    runtime: Runtime,
}

impl ClientBuilder {
    /// Connects, for a program without async.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect); no thread for the client.
    pub fn connect_blocking(self) -> Result<Client> {
        let runtime = Runtime::new()?;
        let inner = runtime.wait(self.connect())?;
        Ok(Client { inner, runtime })
    }

    /// Makes the client without asking the server for anything, for a program without async.
    ///
    /// # Errors
    /// Those of [`build`](Self::build); no thread for the client.
    pub fn build_blocking(self) -> Result<Client> {
        let runtime = Runtime::new()?;
        let inner = runtime.within(|| self.build())?;
        Ok(Client { inner, runtime })
    }
}

/// Async methods, each with the blocking one of the same name.
macro_rules! methods {
    ($($name:ident $([$($generics:tt)*])? ($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Client {$(
            #[doc = concat!("See [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
            ///
            /// # Errors
            /// Those of the async method.
            pub fn $name $(<$($generics)*>)? (&self, $($argument: $type),*) -> Result<$answer> {
                self.runtime.wait(self.inner.$name($($argument),*))
            }
        )*}
    };
}

/// Calls with options.
macro_rules! calls {
    ($($name:ident($($argument:ident: $type:ty),*) -> $builder:ty;)*) => {
        impl Client {$(
            #[doc = concat!("See [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
            pub fn $name<'a>(&'a self, $($argument: $type),*) -> Call<$builder> {
                Call::new(&self.runtime, self.inner.$name($($argument),*))
            }
        )*}
    };
}

impl Client {
    /// Connects to a server: `host:port` (the port is 8188 unless given), or a URL with an optional path prefix.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::connect`]; no thread for the client.
    pub fn connect(address: impl Into<String>) -> Result<Self> {
        crate::Client::builder(address).connect_blocking()
    }

    /// Settings for a client, to be ended with [`ClientBuilder::connect_blocking`] or
    /// [`ClientBuilder::build_blocking`].
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        crate::Client::builder(address)
    }

    /// The async client, for what is only there. It must be used within this client's runtime, or another.
    #[must_use]
    pub fn as_async(&self) -> &crate::Client {
        &self.inner
    }

    /// The server's address, without credentials and trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.inner.url()
    }

    /// State of the WebSocket.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.inner.status()
    }

    /// The id under which the server knows the open WebSocket; another one for every connection.
    #[must_use]
    pub fn client_id(&self) -> Option<String> {
        self.inner.client_id()
    }

    /// Everything that the server says from now on; every `next` waits. See [`Client::events`](crate::Client::events).
    pub fn events(&self) -> Iter<'static, ServerEvent> {
        Iter::new(self.runtime.clone(), self.runtime.within(|| self.inner.events()))
    }

    /// Follows a prompt that somebody else submitted. See [`Client::job`](crate::Client::job).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn job(&self, prompt_id: &str) -> Result<Job> {
        let job = self.runtime.wait(self.inner.job(prompt_id))?;
        Ok(Job::new(job, self.runtime.clone()))
    }

    /// Asks where a prompt is, and for its outputs when it is done. See [`Client::fetch`](crate::Client::fetch).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn fetch(&self, prompt_id: &str) -> Result<JobState<Outputs>> {
        let state = self.runtime.wait(self.inner.fetch(prompt_id))?;
        Ok(state.map(|outputs| Outputs::new(outputs, self.runtime.clone())))
    }
}

calls! {
    submit(workflow: &'a Workflow) -> crate::Submit<'a>;
}

methods! {
    wait_until_ready(limit: std::time::Duration) -> ();
    open_workflow(path: impl AsRef<Path> + Send) -> Workflow;
    cancel(prompt_id: &str) -> Cancellation;
    cancel_all[Id: AsRef<str> + Send, Ids: IntoIterator<Item = Id, IntoIter: Send> + Send](prompt_ids: Ids) -> Vec<Cancellation>;
}
