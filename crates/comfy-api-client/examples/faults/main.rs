//! The fault campaign: many jobs on many clients through a network and servers that fail in every way they do, and a
//! comparison of what the clients told with what happened. See `docs/faults.md`.
//!
//! ```text
//! cargo run --release -p comfy-api-client --example faults -- --jobs 100000 --seed 1
//! ```
//!
//! Fails when a job hung, was lost, ended with something that is not true, or ran twice without a word.

mod campaign;

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use campaign::{Rates, Report, Settings, Sort};

/// Violations that are shown in full.
const MOST_SHOWN: usize = 20;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let folder = tempfile::Builder::new().prefix("comfy-faults-").tempdir()?;
    let mut settings = Settings {
        jobs: 1000,
        seed: 1,
        clients: 50,
        servers: 4,
        rates: Rates { requests: 120, messages: 25 },
        restart_every: 800,
        folder: folder.path().to_owned(),
    };
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| format!("`{name}` needs a number"))?.parse()?;
        match name.as_str() {
            "--jobs" => settings.jobs = value,
            "--seed" => settings.seed = value,
            "--clients" => settings.clients = value.max(1),
            "--servers" => settings.servers = value.max(1),
            "--request-faults" => settings.rates.requests = value,
            "--message-faults" => settings.rates.messages = value,
            "--restart-every" => settings.restart_every = value.max(2),
            _ => return Err(format!("`{name}` is no option").into()),
        }
    }
    let ended = Arc::<AtomicU64>::default();
    let ticker = tokio::spawn(tell(Arc::clone(&ended), settings.jobs));
    let report = campaign::run(&settings, ended).await?;
    ticker.abort();
    Ok(show(&settings, &report))
}

#[expect(clippy::print_stderr, reason = "the running line is for whoever waits")]
async fn tell(ended: Arc<AtomicU64>, jobs: u64) {
    let began = Instant::now();
    loop {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let ended = ended.load(Ordering::Relaxed);
        let rate = ended as f64 / began.elapsed().as_secs_f64();
        eprintln!("{:4.0} s  {ended} of {jobs} jobs, {rate:.0} jobs/s", began.elapsed().as_secs_f64());
    }
}

#[expect(clippy::print_stdout, reason = "the report is what the program is for")]
fn show(settings: &Settings, report: &Report) -> ExitCode {
    println!(
        "{} jobs, {} clients, {} servers, seed {}: {:.0} s",
        settings.jobs,
        settings.clients,
        settings.servers,
        settings.seed,
        report.time.as_secs_f64()
    );
    for (title, table) in [("ends", &report.ends), ("on the way", &report.told), ("faults", &report.faults)] {
        println!("\n{title}: {}", table.values().sum::<u64>());
        table.iter().for_each(|(name, count)| println!("  {count:>8}  {name}"));
    }
    println!();
    for sort in [Sort::Hung, Sort::Lost, Sort::False, Sort::Doubled] {
        let count = report.violations.iter().filter(|violation| violation.sort == sort).count();
        println!("  {count:>8}  {sort:?}");
    }
    for violation in report.violations.iter().take(MOST_SHOWN) {
        println!("\nseed {}, job {}: {:?}: {}", settings.seed, violation.job, violation.sort, violation.what);
    }
    if report.violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
