//! Holds the conversion to its promise of speed: the largest and the slowest of the recorded workflows in under 5 ms.
//!
//! ```text
//! cargo run --release -p comfy-workflow --example speed
//! ```
//!
//! Prints a table and fails when the promise is broken. The workflows are those of the folder that `COMFY_CORPUS` names
//! (`../shared` unless set), with the node schemas of a whole server.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use comfy_workflow::convert::{ConvertOptions, convert};
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::Schemas;
use serde_json::Value;

type Failure = Box<dyn Error>;

/// What a conversion may take.
const BOUND: Duration = Duration::from_millis(5);

/// The sets of workflows, and the version of the server whose schemas cover them.
const SETS: [(&str, &str); 3] = [("dev", "0.8.0"), ("dev3", "0.3.64"), ("dev4", "0.30.0")];

/// How often a measurement is repeated. The mean of the CPU time counts, so that other work on the machine does little harm.
const ROUNDS: u32 = 200;

/// A workflow with what its conversion took at best of a few times.
struct Measured {
    name: String,
    text: Vec<u8>,
    schemas: Rc<Vec<u8>>,
    took: Duration,
}

#[allow(clippy::print_stdout)]
fn main() -> Result<(), Failure> {
    let folder = std::env::var_os("COMFY_CORPUS").map_or_else(|| "../shared".into(), PathBuf::from);
    let mut all = Vec::new();
    for (set, version) in SETS {
        let text = Rc::new(gzipped(&folder.join(format!("convert/object_info.{version}.json.gz")))?);
        let schemas = Schemas::from_slice(&text)?;
        for entry in std::fs::read_dir(folder.join("convert").join(set))? {
            let path = entry?.path();
            let bytes = if path.extension().is_some_and(|extension| extension == "gz") {
                gzipped(&path)?
            } else {
                std::fs::read(&path)?
            };
            let pair: Value = comfy_workflow::json::from_slice(&bytes)?;
            let document = pair["workflow_ui"].to_string().into_bytes();
            let Ok(editor) = EditorWorkflow::from_slice(&document) else { continue };
            let took = best(3, || drop(convert(&editor, &schemas, &ConvertOptions::new())));
            let name = format!("{set}/{}", pair["name"].as_str().unwrap_or_default());
            all.push(Measured { name, text: document, schemas: Rc::clone(&text), took });
            // The schemas are large: only the workflows at either end keep them.
            keep_ends(&mut all);
        }
    }
    println!(
        "| workflow | size | nodes | reading it | converting it | both | both, after the schemas were read |"
    );
    println!("|---|---|---|---|---|---|---|");
    let mut slowest = Duration::ZERO;
    for measured in &all {
        slowest = slowest.max(row(measured)?);
    }
    if slowest > BOUND {
        return Err(format!("a conversion took {slowest:?}, which is more than {BOUND:?}").into());
    }
    Ok(())
}

/// Measures a workflow and prints its row. Gives what the conversion took.
#[allow(clippy::print_stdout)]
fn row(measured: &Measured) -> Result<Duration, Failure> {
    let schemas = Schemas::from_slice(&measured.schemas)?;
    let both = || {
        EditorWorkflow::from_slice(&measured.text)
            .map(|editor| convert(&editor, &schemas, &ConvertOptions::new()))
    };
    // What is said of an input is read when it is first looked at.
    let first = best(1, || drop(both()));
    let editor = EditorWorkflow::from_slice(&measured.text)?;
    let reading = mean(ROUNDS, || drop(EditorWorkflow::from_slice(&measured.text)));
    let converting = mean(ROUNDS, || drop(convert(&editor, &schemas, &ConvertOptions::new())));
    let whole = mean(ROUNDS, || drop(both()));
    let ms = |time: Duration| format!("{:.2} ms", time.as_secs_f64() * 1000.0);
    println!(
        "| {} | {} kB | {} | {} | {} | {} | {} |",
        measured.name,
        measured.text.len() / 1000,
        both()?.workflow.len(),
        ms(reading),
        ms(converting),
        ms(whole),
        ms(first)
    );
    Ok(converting)
}

/// Keeps the largest workflow and the one whose conversion took longest.
fn keep_ends(all: &mut Vec<Measured>) {
    let largest = (0..all.len()).max_by_key(|index| all[*index].text.len());
    let slowest = (0..all.len()).max_by_key(|index| all[*index].took);
    let mut index = 0;
    all.retain(|_| {
        index += 1;
        Some(index - 1) == largest || Some(index - 1) == slowest
    });
}

fn best(rounds: u32, mut work: impl FnMut()) -> Duration {
    let round = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..rounds).map(round).min().unwrap_or_default()
}

/// The CPU time of a round, where the system tells it, else the time that passed.
fn mean(rounds: u32, mut work: impl FnMut()) -> Duration {
    let (start, cpu_start) = (Instant::now(), cpu_time());
    for _ in 0..rounds {
        work();
    }
    let took =
        cpu_start.zip(cpu_time()).map_or_else(|| start.elapsed(), |(start, end)| end.saturating_sub(start));
    took / rounds
}

/// What the scheduler has counted for this process, which has one thread.
fn cpu_time() -> Option<Duration> {
    let counts = std::fs::read_to_string("/proc/self/schedstat").ok()?;
    counts.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn gzipped(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("{}: {error}", path.display()))?;
    flate2::read::GzDecoder::new(file).read_to_end(&mut bytes)?;
    Ok(bytes)
}
