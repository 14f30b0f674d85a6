//! Many simulators in one process, and what they take: each is started, runs a workflow, and is asked for its history.
//!
//! ```sh
//! cargo run --release -p comfy-sim --example thousand -- 1000
//! ```

use std::error::Error;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use comfy_sim::Sim;

const PROMPT: &str = r#"{"prompt": {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}}
}}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let count: usize = std::env::args().nth(1).map_or(Ok(1000), |count| count.parse())?;
    let mut out = io::stdout();
    writeln!(out, "at the start: {}", memory())?;

    let begin = Instant::now();
    let mut sims = Vec::with_capacity(count);
    for _ in 0..count {
        sims.push(Sim::start().await?);
    }
    writeln!(out, "{count} started in {:.2?}: {}", begin.elapsed(), memory())?;

    let begin = Instant::now();
    for sim in &sims {
        ask(sim, "POST", "/prompt", PROMPT)?;
    }
    for sim in &sims {
        while !ask(sim, "GET", "/history", "")?.contains("success") {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    writeln!(out, "each has run a workflow, in {:.2?}: {}", begin.elapsed(), memory())?;

    let begin = Instant::now();
    drop(sims);
    writeln!(out, "stopped in {:.2?}: {}", begin.elapsed(), memory())?;
    Ok(())
}

fn ask(sim: &Sim, method: &str, path: &str, body: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(sim.address())?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}",
        sim.address()
    )?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

/// What the process holds of the machine's memory, and its threads; where the system tells.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.map_or_else(|| "unknown".to_owned(), |value| value.trim().to_owned())
    };
    format!("{} resident, {} threads", field("VmRSS:"), field("Threads:"))
}
