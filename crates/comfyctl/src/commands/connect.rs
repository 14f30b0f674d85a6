//! The server of a command.

use comfy_api_client::Client;

#[cfg(feature = "sim")]
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::settings::{Server, Settings, Target};

/// A client, and the simulator that it talks to if that is inside this process.
pub(crate) struct Connected {
    client: Client,
    #[cfg(feature = "sim")]
    sim: Option<comfy_sim::Sim>,
}

impl Connected {
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether the server is still there when the command has ended.
    pub(crate) fn stays(&self) -> bool {
        #[cfg(feature = "sim")]
        return self.sim.is_none();
        #[cfg(not(feature = "sim"))]
        true
    }
}

/// Connects to the server of the command.
pub(crate) async fn connect(settings: &Settings) -> Result<Connected, Failure> {
    connect_to(settings, &settings.target()?).await
}

/// Connects to one of several servers.
pub(crate) async fn connect_to(settings: &Settings, target: &Target) -> Result<Connected, Failure> {
    #[cfg(feature = "sim")]
    let (address, sim) = match &target.server {
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
    let address = match &target.server {
        Server::At(address) => address.clone(),
        Server::Embedded => {
            return Err(Failure::usage("embedded", "this build has no simulator")
                .with_hint("give the address of a server with `-s URL`"));
        }
    };
    let mut builder = Client::builder(address).tracking(target.tracking);
    if let Some(token) = &target.token {
        builder = builder.token(token);
    }
    for (name, value) in &target.headers {
        builder = builder.header(name, value);
    }
    // The simulator is another one every time.
    if let (Some(folder), Server::At(_)) = (&settings.schema_folder, &target.server) {
        builder = builder.schema_folder(folder);
    }
    if target.insecure {
        builder = builder.danger_accept_invalid_certificates(true);
    }
    if let Some(path) = &target.ca {
        let shown = one_line(&path.display().to_string());
        let pem = std::fs::read(path).map_err(|error| {
            Failure::of_file("ca", &format!("cannot read the certificate {shown}"), &error)
                .with_hint("give a PEM file with `--ca FILE`")
        })?;
        builder = builder.root_certificates(pem);
    }
    Ok(Connected {
        client: builder.connect().await.map_err(|error| unreached(error.into(), target))?,
        #[cfg(feature = "sim")]
        sim,
    })
}

/// Adds what the config file could have meant to the failure to reach a server.
fn unreached(failure: Failure, target: &Target) -> Failure {
    match &target.other_names {
        Some(names) => failure.with_another_hint(&format!("the servers of the config file are {names}")),
        None => failure,
    }
}
