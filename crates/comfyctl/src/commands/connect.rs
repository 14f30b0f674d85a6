//! The server of a command.

use comfy_api_client::Client;

#[cfg(feature = "sim")]
use crate::exit::Exit;
use crate::failure::Failure;
use crate::settings::{Server, Settings};

/// A client, and the simulator that it talks to if that is inside this process.
pub(crate) struct Connected {
    client: Client,
    #[cfg(feature = "sim")]
    _sim: Option<comfy_sim::Sim>,
}

impl Connected {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }
}

pub(crate) async fn connect(settings: &Settings) -> Result<Connected, Failure> {
    #[cfg(feature = "sim")]
    let (address, sim) = match &settings.server {
        Server::At(address) => (address.clone(), None),
        Server::Embedded => {
            let sim = comfy_sim::Sim::start().await.map_err(|error| {
                Failure::new(Exit::Unreachable, "embedded", "the embedded simulator cannot start")
                    .caused_by(&error)
            })?;
            (sim.url(), Some(sim))
        }
    };
    #[cfg(not(feature = "sim"))]
    let address = match &settings.server {
        Server::At(address) => address.clone(),
        Server::Embedded => {
            return Err(Failure::usage("embedded", "this build has no simulator")
                .with_hint("give the address of a server with `-s URL`"));
        }
    };
    let mut builder = Client::builder(address).tracking(settings.tracking);
    if let Some(token) = &settings.token {
        builder = builder.token(token);
    }
    for (name, value) in &settings.headers {
        builder = builder.header(name, value);
    }
    // The simulator is another one every time.
    if let (Some(folder), Server::At(_)) = (&settings.schema_folder, &settings.server) {
        builder = builder.schema_folder(folder);
    }
    Ok(Connected {
        client: builder.connect().await?,
        #[cfg(feature = "sim")]
        _sim: sim,
    })
}
