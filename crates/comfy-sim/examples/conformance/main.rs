//! The conformance report: how much of what real servers said in the recordings the simulator says as well.
//!
//! ```sh
//! scripts/conformance                            # everything, into docs/conformance.md
//! scripts/conformance --only history,jobs        # these scenarios and cases only, shown and not written
//! scripts/conformance --url http://127.0.0.1:8188 --version 0.30.0 --only basic_run    # a server instead of a simulator
//! ```

mod tool;

use std::io::{self, Write as _};
use std::time::Duration;

use comfy_sim::ServerVersion;
use tool::{Corpus, Pace, Target, play_all};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (mut corpus, mut versions, mut target, mut pace) =
        (None, ServerVersion::ALL.to_vec(), Target::Simulators(8), Pace::default());
    let mut only: Vec<String> = Vec::new();
    let mut args = std::env::args().skip(1);
    while let Some(name) = args.next() {
        let value = args.next().ok_or_else(|| anyhow::anyhow!("`{name}` needs a value"))?;
        match name.as_str() {
            "--corpus" => corpus = Some(value.into()),
            "--version" => versions = vec![value.parse()?],
            "--only" => only.extend(value.split(',').map(str::to_owned)),
            "--url" => {
                target = Target::Server(value.trim_start_matches("http://").trim_end_matches('/').into())
            }
            "--at-a-time" => target = Target::Simulators(value.parse::<usize>()?.max(1)),
            "--pace" => pace.pause = Duration::from_millis(value.parse()?),
            _ => anyhow::bail!("`{name}` is no option"),
        }
    }
    let corpus = Corpus::find(corpus)?;
    let wanted = |name: &str| only.is_empty() || only.iter().any(|only| name == only);
    let mut out = io::stdout().lock();
    for version in versions {
        let outcomes = play_all(&corpus, version, &target, pace, wanted).await?;
        let (mut equal, mut total) = (0, 0);
        for outcome in &outcomes {
            (equal, total) = (equal + outcome.equal, total + outcome.total);
            writeln!(out, "{version} {}: {} / {}", outcome.name, outcome.equal, outcome.total)?;
            for difference in &outcome.differences {
                writeln!(out, "    {difference}")?;
            }
        }
        writeln!(out, "{version}: {equal} / {total}")?;
    }
    Ok(())
}
