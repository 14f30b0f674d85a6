//! Measures the client: downloads one file of the server's output folder, into nothing and into a file.
//!
//! ```text
//! mkdir -p sim/output && truncate -s 1G sim/output/large.bin
//! cargo run --release -p comfy-sim --example serve -- 8288 sim &
//! cargo run --release -p comfy-api-client --example download -- 127.0.0.1:8288 large.bin large-copy.bin
//! ```
//!
//! Prints the rates, CPU time and the peak memory of this process, which holds nothing but the client.

use std::time::{Duration, Instant};

use comfy_api_client::Client;
use comfy_api_client::protocol::FileRef;
use futures_util::StreamExt;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8188".into());
    let file = FileRef::new(args.next().ok_or("which file of the output folder?")?);
    let client = Client::connect(address).await?;

    let measure = Measure::start();
    let mut pieces = std::pin::pin!(client.download(&file).await?.into_stream());
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        bytes += piece?.len() as u64;
    }
    measure.report("read", bytes);

    if let Some(path) = args.next() {
        let measure = Measure::start();
        let bytes = client.download(&file).await?.save_as(path).await?;
        measure.report("saved", bytes);
    }
    Ok(())
}

struct Measure {
    wall: Instant,
    cpu: Duration,
}

impl Measure {
    fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_time().unwrap_or_default() }
    }

    #[expect(clippy::print_stdout, reason = "the report is what the program is for")]
    fn report(&self, what: &str, bytes: u64) {
        let wall = self.wall.elapsed().as_secs_f64();
        let cpu = cpu_time().map_or_else(
            || "unknown".into(),
            |cpu| format!("{:.0} ms", (cpu - self.cpu).as_secs_f64() * 1e3),
        );
        let memory =
            peak_memory().map_or_else(|| "unknown".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
        let rate = bytes as f64 / 1e6 / wall;
        println!("{what} {bytes} bytes: {wall:.2} s, {rate:.0} MB/s, CPU {cpu}, peak memory {memory}");
    }
}

/// CPU time of this process so far, where the system tells it as Linux does (in hundredths of a second).
fn cpu_time() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// Largest resident memory of this process so far, in bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}
