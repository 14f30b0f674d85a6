//! Many simulators in one process, and what they take: each is started, runs a workflow, and is asked for its history.
//!
//! ```sh
//! cargo run --release -p comfy-sim --example thousand -- 1000
//! cargo run --release -p comfy-sim --example thousand -- 1000 --test-nodes
//! cargo run --release -p comfy-sim --example thousand -- 1000 --object-info object_info.json
//! ```
//!
//! With `--object-info` the last one has the classes of that file.

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
    let mut args = std::env::args().skip(1);
    let count: usize = args.next().map_or(Ok(1000), |count| count.parse())?;
    let (mut test_nodes, mut object_info) = (false, None);
    while let Some(arg) = args.next() {
        match (arg.as_str(), args.next()) {
            ("--test-nodes", None) => test_nodes = true,
            ("--object-info", Some(path)) => object_info = Some(std::fs::read(path)?),
            _ => return Err(format!("unknown argument {arg}").into()),
        }
    }
    let mut out = io::stdout();
    writeln!(out, "at the start: {}", memory())?;

    let begin = Instant::now();
    let mut sims = Vec::with_capacity(count);
    let mut times = Vec::with_capacity(count);
    for number in 1..=count {
        let begin = Instant::now();
        let mut builder = Sim::builder().test_nodes(test_nodes);
        if let Some(object_info) = object_info.take_if(|_| number == count) {
            builder = builder.object_info(object_info);
        }
        sims.push(builder.start().await?);
        times.push(begin.elapsed());
    }
    writeln!(out, "{count} started in {:.2?}: {}", begin.elapsed(), memory())?;
    if let [first, others @ ..] = &mut times[..] {
        let last = others.last().copied().unwrap_or_default();
        others.sort_unstable();
        let median = others.get(others.len() / 2).copied().unwrap_or_default();
        writeln!(
            out,
            "the first took {first:.2?}, the others {median:.2?} in the middle, the last {last:.2?}"
        )?;
    }

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
