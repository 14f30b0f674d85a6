//! A simulator until it is killed. The first line of its output says where it listens:
//! `{"type":"listening","url":"http://127.0.0.1:41234"}`.
//!
//! ```sh
//! cargo run -p comfy-sim --example serve -- 8188 FOLDER
//! ```
//!
//! Files are kept in `input`, `output` and `temp` of the folder; without one, in a temporary folder.

use std::io::{self, Write as _};

use comfy_sim::Sim;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut builder = Sim::builder().port(args.next().map_or(Ok(0), |port| port.parse())?);
    if let Some(folder) = args.next() {
        builder = builder.base_dir(folder);
    }
    let sim = builder.start().await?;
    writeln!(io::stdout(), r#"{{"type":"listening","url":"{}"}}"#, sim.url())?;
    std::future::pending().await
}
