//! What programs of others do with the simulator, as the script that tries them left it.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context as _;
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Client {
    name: String,
    version: String,
    manner: String,
    ok: bool,
    #[serde(default)]
    note: String,
}

/// A table of the clients in this file; a line in its place when it is not there.
///
/// # Errors
/// The file is no list of clients.
pub(crate) fn table(file: &Path) -> anyhow::Result<String> {
    let Ok(clients) = std::fs::read_to_string(file) else { return Ok("No client was tried.\n".into()) };
    let clients: Vec<Client> = serde_json::from_str(&clients)
        .with_context(|| format!("{} is no list of clients", file.display()))?;
    let works = clients.iter().filter(|client| client.ok).count();
    let mut table = format!(
        "{works} / {} work.\n\n| client | version | how | works | |\n|---|---|---|---|---|\n",
        clients.len()
    );
    for client in clients {
        let Client { name, version, manner, ok, note } = client;
        writeln!(table, "| {name} | {version} | {manner} | {} | {note} |", if ok { "yes" } else { "no" })?;
    }
    Ok(table)
}
