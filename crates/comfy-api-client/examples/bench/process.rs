//! This program again, in other roles.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::Failure;
use crate::measure::Measured;

/// A server in a process of its own, which ends with this.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(args: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("serve").args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut url = String::new();
        if let Some(output) = process.stdout.take() {
            BufReader::new(output).read_line(&mut url)?;
        }
        // Made before the check, so that the process ends in any case.
        let server = Self { process, url: url.trim().to_owned() };
        if server.url.is_empty() { Err(format!("no server: {args:?}").into()) } else { Ok(server) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server ends when its input does, and cleans up behind itself.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Lets a process of its own measure something.
pub(crate) fn measure(args: &[&str]) -> Result<Measured, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    let output = command.arg("child").args(args).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{args:?} ended with {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
