//! Holds the client to its promises of speed and memory, on the simulator.
//!
//! ```text
//! cargo run --release -p comfy-api-client --example bench
//! ```
//!
//! Servers and everything that is measured run in processes of their own (this program started again with other
//! arguments), so that their CPU time and memory are theirs alone. The jobs are also run by a bare loop on reqwest and
//! tungstenite with nothing else in it, in turns with the client. Prints a table and fails when a promise is broken.
//!
//! Arguments choose some of the measurements (`jobs`, `flight`, `schemas`, `download`). `many ADDRESS JOBS` runs jobs on
//! a server of yours and prints what that took; `bare ADDRESS JOBS` does so with the bare loop.

mod bare;
mod client;
mod measure;
mod process;
mod report;
mod rounds;
mod schemas;
mod servers;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Parts of the whole that can be chosen.
const PARTS: [&str; 4] = ["jobs", "flight", "schemas", "download"];

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.split_first() {
        Some((&"serve", args)) => servers::serve(args),
        Some((&"child", args)) => child(args),
        Some((&"many", [address, jobs])) => both_ways("client", address, jobs),
        Some((&"bare", [address, jobs])) => both_ways("bare", address, jobs),
        _ => {
            if let Some(unknown) = args.iter().find(|arg| !PARTS.contains(arg)) {
                return Err(format!("`{unknown}` is none of {}", PARTS.join(", ")).into());
            }
            rounds::all(if args.is_empty() { &PARTS } else { &args })
        }
    }
}

/// One measurement, in a process of its own.
fn child(args: &[&str]) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let measured = runtime.block_on(async {
        match *args {
            ["bare", "sequential", url, jobs] => bare::sequential(url, jobs.parse()?).await,
            ["bare", "concurrent", url, jobs] => bare::concurrent(url, jobs.parse()?).await,
            ["client", "sequential", url, jobs] => client::sequential(url, jobs.parse()?).await,
            ["client", "concurrent", url, jobs] => client::concurrent(url, jobs.parse()?).await,
            ["flight", url, jobs] => client::in_flight(url, jobs.parse()?).await,
            ["schemas", url] => client::schemas(url, false).await,
            ["schemas", "walk", url] => client::schemas(url, true).await,
            ["download", "read", url, file] => client::download(url, file, None).await,
            ["download", "save", url, file, to] => client::download(url, file, Some(to)).await,
            _ => Err(format!("no such measurement: {args:?}").into()),
        }
    })?;
    measured.print()
}

/// Jobs on any server, one after the other and then at once.
fn both_ways(who: &str, address: &str, jobs: &str) -> Result<(), Failure> {
    let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    for (way, what) in [("sequential", "one after the other"), ("concurrent", "at once")] {
        let measured = process::measure(&[who, way, &address, jobs])?;
        report::line(&format!("{jobs} jobs {what}: {measured}"))?;
    }
    Ok(())
}
