//! Wall time, CPU time and memory of this process.

use std::fmt;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Failure;

/// What something took.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// Seconds.
    pub(crate) wall: f64,
    /// Seconds of CPU time of this process.
    pub(crate) cpu: f64,
    /// Resident memory in bytes when the measurement began.
    pub(crate) before: u64,
    /// Largest resident memory in bytes up to the end.
    pub(crate) peak: u64,
    /// Resident memory in bytes at the end.
    pub(crate) after: u64,
}

/// A measurement under way.
pub(crate) struct Measure {
    wall: Instant,
    cpu: Duration,
    before: u64,
}

impl Measure {
    pub(crate) fn start() -> Result<Self, Failure> {
        Ok(Self { cpu: cpu_time()?, before: memory("VmRSS")?, wall: Instant::now() })
    }

    pub(crate) fn stop(self) -> Result<Measured, Failure> {
        let wall = self.wall.elapsed();
        Ok(Measured {
            wall: wall.as_secs_f64(),
            cpu: cpu_time()?.saturating_sub(self.cpu).as_secs_f64(),
            before: self.before,
            peak: memory("VmHWM")?,
            after: memory("VmRSS")?,
        })
    }
}

impl Measured {
    /// Tells the process that asked for it.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        writeln!(std::io::stdout(), "{}", serde_json::to_string(self)?)?;
        Ok(())
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (wall, cpu, peak) = (self.wall * 1e3, self.cpu * 1e3, self.peak as f64 / 1e6);
        write!(f, "{wall:.0} ms, CPU {cpu:.0} ms, peak memory {peak:.1} MB")
    }
}

/// CPU time of this process so far, as Linux tells it: in nanoseconds for the threads that live, which are those of the
/// runtime from its start on.
fn cpu_time() -> Result<Duration, Failure> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += text.split_whitespace().next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// A line of `/proc/self/status`, in bytes.
fn memory(name: &str) -> Result<u64, Failure> {
    memory_of("self", name)
}

/// A line of a process's `/proc/ID/status`, in bytes.
pub(crate) fn memory_of(process: &str, name: &str) -> Result<u64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()).ok_or("no such line")?;
    Ok(kilobytes.parse::<u64>()? * 1024)
}
