//! Measures the client: many small jobs one after the other, then as many at once.
//!
//! ```text
//! cargo run --release -p comfyctl -- serve --port 8288 &
//! cargo run --release -p comfy-api-client --example many -- 127.0.0.1:8288 200
//! ```
//!
//! Prints wall time, CPU time and peak memory of this process, which holds nothing but the client.

use std::time::{Duration, Instant};

use comfy_api_client::{Client, Workflow};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8188".into());
    let jobs: u32 = args.next().map_or(Ok(200), |jobs| jobs.parse())?;
    let client = Client::connect(address).await?;
    // A run of its own for every job, so that a server computes something for each.
    let first =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.subsec_nanos() % 0xff_ffff;

    let measure = Measure::start();
    for job in 0..jobs {
        run(&client, first + job).await?;
    }
    measure.report("one after the other", jobs);

    let measure = Measure::start();
    let mut open: FuturesUnordered<_> = (0..jobs).map(|job| run(&client, first + jobs + job)).collect();
    while let Some(result) = open.next().await {
        result?;
    }
    measure.report("at once", jobs);
    Ok(())
}

async fn run(client: &Client, color: u32) -> Result<(), Box<dyn std::error::Error>> {
    let workflow = Workflow::from_value(json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": color % 0xff_ffff}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }))?;
    let outputs = client.submit(&workflow).await?.await?;
    if outputs.files().count() == 1 { Ok(()) } else { Err("a job has no output".into()) }
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
    fn report(&self, what: &str, jobs: u32) {
        let wall = self.wall.elapsed();
        let cpu = cpu_time().map_or_else(
            || "unknown".into(),
            |cpu| format!("{:.0} ms", (cpu - self.cpu).as_secs_f64() * 1e3),
        );
        let memory =
            peak_memory().map_or_else(|| "unknown".into(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
        let rate = f64::from(jobs) / wall.as_secs_f64();
        println!(
            "{jobs} jobs {what}: {:.0} ms, {rate:.0} jobs/s, CPU {cpu}, peak memory {memory}",
            wall.as_secs_f64() * 1e3
        );
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
