//! The conformance report: how much of what real servers said in the recordings the simulator says as well.
//!
//! ```sh
//! scripts/conformance                          # everything, into docs/conformance.md
//! scripts/conformance --only history,jobs      # these scenarios and cases, shown and not written
//! scripts/conformance --url http://127.0.0.1:8188 --version 0.30.0 --only basic_run    # a server, not a simulator
//! ```

mod tool;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use comfy_sim::ServerVersion;
use tool::{Corpus, Pace, Section, Target};

/// What the arguments ask for.
#[derive(Debug)]
struct Settings {
    corpus: Option<PathBuf>,
    versions: Vec<ServerVersion>,
    target: Target,
    pace: Pace,
    /// Scenarios and cases; all when there are none.
    only: Vec<String>,
    /// Where the report goes; it is shown when it is not about everything.
    out: Option<PathBuf>,
}

impl Settings {
    fn read(mut args: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut settings = Self {
            corpus: None,
            versions: ServerVersion::ALL.to_vec(),
            target: Target::Simulators(6),
            pace: Pace::default(),
            only: Vec::new(),
            out: None,
        };
        while let Some(name) = args.next() {
            let value = args.next().ok_or_else(|| anyhow::anyhow!("`{name}` needs a value"))?;
            match name.as_str() {
                "--corpus" => settings.corpus = Some(value.into()),
                "--version" => settings.versions = vec![value.parse()?],
                "--only" => settings.only.extend(value.split(',').map(str::to_owned)),
                "--url" => {
                    let host = value.trim_start_matches("http://").trim_end_matches('/');
                    settings.target = Target::Server(host.into());
                }
                "--at-a-time" => settings.target = Target::Simulators(value.parse::<usize>()?.max(1)),
                "--pause" => settings.pace.pause = Duration::from_millis(value.parse()?),
                "--out" => settings.out = Some(value.into()),
                _ => anyhow::bail!("`{name}` is no option"),
            }
        }
        Ok(settings)
    }

    /// Whether the report is about everything, and so is the one that is kept.
    fn is_whole(&self) -> bool {
        let all_versions = self.versions.len() == ServerVersion::ALL.len();
        self.only.is_empty() && all_versions && matches!(self.target, Target::Simulators(_))
    }

    fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let settings = Settings::read(std::env::args().skip(1))?;
    let corpus = Corpus::find(settings.corpus.clone())?;
    let mut versions = Vec::new();
    for &version in &settings.versions {
        versions.push((version.to_string(), sections(&corpus, version, &settings).await?));
    }
    let numbers = tool::numbers(&versions)?;
    let mut out = io::stdout().lock();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = settings.out.clone().or_else(|| settings.is_whole().then(|| root.join("docs/conformance.md")));
    let Some(file) = file else {
        write!(out, "{}\n{numbers}", tool::differences(&versions, true)?)?;
        return Ok(());
    };
    let report = format!(
        "{INTRODUCTION}\n{numbers}\n## Clients\n\n{}\n## Known differences\n\n{}{}",
        tool::clients(&root.join("docs/clients.json"))?,
        tool::known()?,
        tool::differences(&versions, false)?,
    );
    std::fs::write(&file, report)?;
    write!(out, "{numbers}")?;
    Ok(())
}

async fn sections(
    corpus: &Corpus,
    version: ServerVersion,
    settings: &Settings,
) -> anyhow::Result<Vec<Section>> {
    let wants = |name: &str| settings.wants(name);
    // First and alone: what they show depends on times.
    let transcripts = tool::play_all(corpus, version, &settings.target, settings.pace, wants).await?;
    if matches!(settings.target, Target::Server(_)) {
        return Ok(vec![Section { title: "transcripts", outcomes: transcripts }]);
    }
    let (answers, runs, pixels) = tokio::try_join!(
        tool::answers(corpus, version, wants),
        tool::runs(corpus, version, wants),
        tool::pixels(corpus, version, wants),
    )?;
    Ok(vec![
        Section { title: "transcripts", outcomes: transcripts },
        Section { title: "answers to prompts", outcomes: answers },
        Section { title: "runs of prompts", outcomes: runs },
        Section { title: "pixels", outcomes: pixels },
    ])
}

const INTRODUCTION: &str = "\
# Conformance of the simulator

What real servers said in the recordings, and whether the simulator says the same. Written by `scripts/conformance`.

| compared | how |
|---|---|
| transcripts | Every request, socket and message of a recorded client is repeated in its order on a fresh simulator with \
the options of the recorded server. Every answer (status, content type, body) and every frame of every socket is a step. Ids, \
times, counters of the queue, random letters of names, tracebacks, pixels and the order of what has none are normalised; of answers \
about the machine the shape is compared. |
| answers to prompts | Malformed and borderline prompts: the answer, and what stands in the queue for those accepted. |
| runs of prompts | The accepted ones: status, outputs and error of the run. |
| pixels | Workflows of nodes that need no model: every byte of every pixel is equal; after resampling, blurs and changes of the colour space at most 1 of 255 off. |

In the lists below, `-` is a frame that only the recording has, `+` one that only the simulator sent, and `known` marks a difference \
whose reason is in the table.
";
