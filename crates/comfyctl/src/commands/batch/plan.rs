//! What a batch is: all that must be the same when it is gone on with.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use comfy_api_client::batch::Journal;
use comfy_api_client::workflow::convert::{ConvertOptions, DynamicPrompts, LocalTime};
use comfy_api_client::workflow::template::Sweep;
use comfy_api_client::{local_time, random_seed};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::args::{Batch, Run, Seeds};
use crate::commands::run::prepare::Opened;
use crate::failure::{Failure, one_line};

/// Largest table that is read.
const LARGEST: u64 = 1 << 30;

/// What was asked for, and what was drawn by chance for it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) asked: Map<String, Value>,
    pub(super) notes: Map<String, Value>,
    pub(super) chance: u64,
    now: LocalTime,
}

/// All combinations of what was asked for.
#[derive(Debug)]
pub(super) struct Combined {
    pub(super) sweep: Sweep,
    /// Tells the content of the table from any other.
    pub(super) fingerprint: Option<String>,
}

impl Plan {
    /// The plan of the command line. What was drawn for it before stays as it was.
    pub(super) fn new(
        args: &Run,
        opened: &Opened,
        table: &Option<String>,
        journal: Option<&Journal>,
    ) -> Result<Self, Failure> {
        let notes = journal.map(Journal::notes).unwrap_or_default();
        let chance = notes.get("chance").and_then(Value::as_u64).unwrap_or_else(random_seed);
        let now = notes.get("now").and_then(read_time).unwrap_or_else(local_time);
        let mut files = Map::new();
        for path in opened.assignments.iter().filter_map(|assignment| assignment.file()) {
            let shown = path.display().to_string();
            // Those of the pictures of a folder have no path yet.
            if path.exists() {
                let hash = fingerprint(path).map_err(|error| unreadable(path, &error))?;
                files.insert(shown, hash.into());
            }
        }
        let seed = match args.given.seed {
            Seeds::Keep => json!("keep"),
            Seeds::Random => json!("random"),
            Seeds::Number(number) => json!(number),
        };
        let asked = json!({
            "workflow": opened.fingerprint,
            "--set": args.given.set,
            "--seed": seed,
            "--param": args.given.param,
            "--sweep": args.batch.sweep,
            "--params": table,
            "--name": args.save.name.as_ref().map(ToString::to_string),
            "uploaded files": files,
        });
        let Value::Object(asked) = asked else { return Err(Failure::usage("usage", "no plan")) };
        let notes = json!({"chance": chance, "now": written_time(now)});
        let notes = notes.as_object().cloned().unwrap_or_default();
        Ok(Self { asked, notes, chance, now })
    }

    /// How a workflow of the editor is converted: as it was the first time.
    pub(super) fn options(&self) -> ConvertOptions {
        ConvertOptions::new().dynamic_prompts(DynamicPrompts::Random(self.chance)).now(self.now)
    }

    /// What becomes of the seeds before the rows are made: each of these draws its own.
    pub(super) fn seed_of_base(&self, seed: Seeds) -> Seeds {
        if seed == Seeds::Random { Seeds::Keep } else { seed }
    }
}

fn written_time(now: LocalTime) -> Value {
    json!([now.year, now.month, now.day, now.hour, now.minute, now.second])
}

fn read_time(value: &Value) -> Option<LocalTime> {
    let (year, month, day, hour, minute, second) = serde_json::from_value(value.clone()).ok()?;
    Some(LocalTime { year, month, day, hour, minute, second })
}

/// Reads what is to be combined.
pub(super) fn sweep(args: &Batch, workflow: &Path) -> Result<Combined, Failure> {
    let mut combined: Option<Sweep> = None;
    let mut fingerprint = None;
    if let Some(path) = &args.params {
        if path == Path::new("-") && workflow == path {
            return Err(Failure::usage("usage", "the workflow and `--params` cannot both be stdin")
                .with_hint("put one of them in a file"));
        }
        let bytes = table(path).map_err(|error| unreadable(path, &error))?;
        fingerprint = Some(hex(&Sha256::digest(&bytes)));
        combined = Some(Sweep::from_rows(&bytes).map_err(|error| {
            let mut failure = Failure::from(error);
            let shown = one_line(&path.display().to_string());
            failure.report.message = format!("--params {shown}: {}", failure.report.message);
            failure
        })?);
    }
    for text in &args.sweep {
        let axis = Sweep::parse(text).map_err(|error| {
            let mut failure = Failure::from(error);
            failure.report.message = format!("--sweep: {}", failure.report.message);
            failure
        })?;
        combined = Some(match combined {
            Some(before) => before.product(axis),
            None => axis,
        });
    }
    let sweep = combined.ok_or_else(|| Failure::usage("usage", "there is nothing to combine"))?;
    Ok(Combined { sweep, fingerprint })
}

fn table(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if path == Path::new("-") {
        std::io::stdin().lock().take(LARGEST).read_to_end(&mut bytes)?;
    } else {
        File::open(path)?.take(LARGEST).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    let shown = one_line(&path.display().to_string());
    Failure::of_file("io", &format!("cannot read {shown}"), error).with_hint("check the path")
}

/// What tells the content of a file from any other.
pub(super) fn fingerprint(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let (mut hash, mut piece) = (Sha256::new(), vec![0; 1 << 16]);
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&piece[..length]);
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
