//! What is measured, and what is promised.

use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::Failure;
use crate::measure::{Measured, memory_of};
use crate::process::{Server, measure};
use crate::report::{Report, Unit};

/// Rounds of each measurement; the best one counts, as the others were disturbed more.
const ROUNDS: usize = 5;
const DOWNLOADS: usize = 3;

const GIBIBYTE: u64 = 1 << 30;
const OBJECT_INFO: u64 = 60_000_000;

pub(crate) fn all(parts: &[&str]) -> Result<(), Failure> {
    let mut report = Report::begin()?;
    for part in parts {
        match *part {
            "jobs" => {
                jobs(&mut report, "sequential", "1,000 jobs one after the other")?;
                jobs(&mut report, "concurrent", "1,000 jobs at once")?;
            }
            "flight" => flight(&mut report)?,
            "schemas" => {
                schemas(&mut report, "lists", "60 MB of node schemas, long lists of files")?;
                schemas(&mut report, "texts", "60 MB of node schemas, nothing twice")?;
            }
            _ => downloads(&mut report)?,
        }
    }
    report.end()
}

/// The same jobs by the client and by the bare loop, in turns, each on a server that was just started.
fn jobs(report: &mut Report, way: &str, what: &str) -> Result<(), Failure> {
    let (mut client, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (who, results) in [("bare", &mut bare), ("client", &mut client)] {
            let server = Server::start(&["sim", "0"])?;
            results.push(measure(&[who, way, &server.url, "1000"])?);
        }
    }
    let (ours, theirs) = (best(&client), best(&bare));
    report.at_most_times(&format!("{what}: wall"), ours.wall, theirs.wall, Unit::Milliseconds, 1.15)?;
    report.at_most_times(&format!("{what}: CPU"), ours.cpu, theirs.cpu, Unit::Milliseconds, 1.3)?;
    let memory = (ours.peak as f64, theirs.peak as f64);
    report.tell(&format!("{what}: peak memory"), memory.0, Some(memory.1), Unit::Megabytes)
}

/// The best of every number.
fn best(results: &[Measured]) -> Measured {
    let least = |of: fn(&Measured) -> f64| results.iter().map(of).fold(f64::INFINITY, f64::min);
    let least_bytes = |of: fn(&Measured) -> u64| results.iter().map(of).min().unwrap_or_default();
    Measured {
        wall: least(|result| result.wall),
        cpu: least(|result| result.cpu),
        before: least_bytes(|result| result.before),
        peak: least_bytes(|result| result.peak),
        after: least_bytes(|result| result.after),
    }
}

fn flight(report: &mut Report) -> Result<(), Failure> {
    let server = Server::start(&["sim", "15000"])?;
    let measured = measure(&["flight", &server.url, "10000"])?;
    report.at_most("10,000 jobs in flight: peak memory", measured.peak as f64, Unit::Megabytes, 100e6)?;
    report.tell("10,000 jobs in flight: CPU", measured.cpu, None, Unit::Milliseconds)
}

fn schemas(report: &mut Report, kind: &str, what: &str) -> Result<(), Failure> {
    let server = Server::start(&["schemas", kind, &OBJECT_INFO.to_string()])?;
    let measured = measure(&["schemas", &server.url])?;
    let (peak, size) = ((measured.peak - measured.before) as f64, OBJECT_INFO as f64);
    report.at_most_times(&format!("{what}: peak memory"), peak, size, Unit::Megabytes, 3.0)?;
    let kept = (measured.after - measured.before) as f64;
    report.tell(&format!("{what}: memory afterwards"), kept, Some(size), Unit::Megabytes)?;
    report.tell(&format!("{what}: wall"), measured.wall, None, Unit::Milliseconds)?;
    let walked = measure(&["schemas", "walk", &server.url])?;
    let peak = (walked.peak - walked.before) as f64;
    report.tell(&format!("{what}, every input looked at: peak memory"), peak, Some(size), Unit::Megabytes)
}

/// A large file, to nowhere and to a disk, in turns with curl.
fn downloads(report: &mut Report) -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let outputs = folder.path().join("output");
    std::fs::create_dir_all(&outputs)?;
    // A file of zeros that takes no room, so that the rate is not that of a disk.
    File::create(outputs.join("large.bin"))?.set_len(GIBIBYTE)?;
    let server = Server::start(&["files", &folder.path().display().to_string()])?;
    let saved = folder.path().join("saved.bin");
    let to = saved.display().to_string();
    for (way, what) in [("read", "1 GiB downloaded"), ("save", "1 GiB downloaded to a file")] {
        let (mut client, mut curl) = (Vec::new(), Vec::new());
        for _ in 0..DOWNLOADS {
            let mut args = vec!["download", way, &server.url, "large.bin"];
            if way == "save" {
                args.push(&to);
            }
            let _ = std::fs::remove_file(&saved);
            curl.push(run_curl(&server.url, if way == "save" { &saved } else { Path::new("/dev/null") })?);
            let _ = std::fs::remove_file(&saved);
            client.push(measure(&args)?);
        }
        let ours = best(&client);
        let theirs = curl.iter().map(|curl| curl.0).fold(0.0, f64::max);
        let rate = GIBIBYTE as f64 / ours.wall;
        report.at_least_times(&format!("{what}: rate, beside curl"), rate, theirs, Unit::Rate, 0.8)?;
        report.at_most(&format!("{what}: peak memory"), ours.peak as f64, Unit::Megabytes, 32e6)?;
        let memory = curl.iter().map(|curl| curl.1).max().unwrap_or_default() as f64;
        report.tell(&format!("{what}: peak memory of curl"), memory, None, Unit::Megabytes)?;
    }
    Ok(())
}

/// The rate in bytes per second and the peak memory of curl.
fn run_curl(url: &str, to: &Path) -> Result<(f64, u64), Failure> {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--fail", "--write-out", "%{speed_download}", "--output"]);
    command.arg(to).arg(format!("{url}/view?filename=large.bin&type=output")).stdout(Stdio::piped());
    let mut process = command.spawn().map_err(|error| format!("curl is needed: {error}"))?;
    let mut peak = 0;
    while process.try_wait()?.is_none() {
        // It may just have ended.
        peak = peak.max(memory_of(&process.id().to_string(), "VmHWM").unwrap_or_default());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let output = process.wait_with_output()?;
    if !output.status.success() {
        return Err(format!("curl ended with {}", output.status).into());
    }
    Ok((String::from_utf8(output.stdout)?.trim().parse()?, peak))
}
