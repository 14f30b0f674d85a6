//! A simulator until it is killed. The first line of its output says where it listens:
//! `{"type":"listening","url":"http://127.0.0.1:41234"}`.
//!
//! ```sh
//! cargo run -p comfy-sim --example serve -- 8188
//! ```

use std::io::{self, Write as _};

use comfy_sim::Sim;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let sim = Sim::builder().port(port).start().await?;
    writeln!(io::stdout(), r#"{{"type":"listening","url":"{}"}}"#, sim.url())?;
    std::future::pending().await
}
