//! All pairs of an editor's document and what the editor made of it.
//!
//! `COMFY_PAIR=tmpl__basic` tells of the pairs whose name begins so all differences and problems, and fails if there are any.
//! Prints how many of how many are equal, by source and variant; `docs/conversion.md` has that table.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use comfy_workflow::convert::{ConvertOptions, DynamicPrompts, LocalTime, Severity, convert};
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::Schemas;
use serde_json::Value;

use super::compare::{Comparison, Volatile};
use crate::corpus;

/// The sets of pairs, and the version of the server whose schemas they were made with.
const SETS: [(&str, &str); 3] = [("dev", "0.8.0"), ("dev3", "0.3.64"), ("dev4", "0.30.0")];

/// Pairs that differ for a reason: in these the editor does what a converter should not. The reasons are [`NO_WORKFLOW`] and
/// those behind it.
const DEFECTS: [(&str, &str); 21] = [
    ("dev/tmpl__fuse_options", NO_WORKFLOW),
    ("dev4/tmplold__fuse_options", NO_WORKFLOW),
    ("dev4/tmpl__api_flux2", LOST_LINK),
    ("dev4/tmpl__template_seedance_2_0_plus_llm_prompt_helper", LOST_LINK),
    ("dev4/syn158__dyncombo_nested2", LOST_LINK),
    ("dev4/mut__compressed_inputs__dyncombo_nested2", LOST_LINK),
    ("dev4/mut30__named_object", BY_POSITION),
    ("dev4/mut30__obj_ksampler_extra", BY_POSITION),
    ("dev4/mut30__obj_ksampler_partial", BY_POSITION),
    ("dev4/mut30__obj_latent", BY_POSITION),
    ("dev4/mut30__obj_saveimageadv_full", BY_POSITION),
    ("dev4/mut30__resize_by_name", BY_POSITION),
    ("dev4/mut30__saa_full_inputs", LOST_VALUE),
    ("dev4/mut30__saa_len3_opus", LOST_VALUE),
    ("dev4/mut30__saa_len4_null", LOST_VALUE),
    ("dev4/mut30__saveaudioadv_mp3", LOST_VALUE),
    ("dev4/mut30__saveaudioadv_mp3_ui", LOST_VALUE),
    ("dev4/mut30__saveaudioadv_opus", LOST_VALUE),
    ("dev4/syn__v3_combo", LOST_VALUE),
    ("dev4/syn158__v3_combo", LOST_VALUE),
    ("dev4/syn__multi_combo_default", LOST_VALUE),
];

/// The file is no workflow at all, and the editor shows an empty graph.
const NO_WORKFLOW: &str = "no workflow";

/// The editor loses a link into the inputs of a dynamic combo when it loads the file, one more each time.
const LOST_LINK: &str = "a link is lost on loading";

/// The editor takes values that are stored by name by their position, or not at all.
const BY_POSITION: &str = "values by name are taken by position or dropped";

/// The editor takes a stored value for the leftover of an input that asks for a link, because the count matches by accident.
const LOST_VALUE: &str = "a value is dropped by accident";

/// How many differing pairs are told of.
const SHOWN: usize = 200;

/// The forms in which a pair has the editor's document: as it was found, as the editor wrote it after loading, and as the
/// editor puts it into pictures.
const VARIANTS: [(&str, &str); 3] =
    [("ui", "workflow_ui"), ("roundtrip", "workflow_ui_roundtrip"), ("embedded", "workflow_embedded")];

#[test]
fn every_pair_becomes_what_the_editor_made_of_it() {
    let Some(folder) = corpus::folder() else { return };
    let only = std::env::var("COMFY_PAIR").ok();
    let mut tally = Tally::default();
    for (set, version) in SETS {
        let body = corpus::gzipped(&folder.join(format!("convert/object_info.{version}.json.gz")));
        let schemas = Schemas::from_value(body.clone()).unwrap();
        let mut files = pair_files(&folder.join("convert").join(set));
        if let Some(only) = &only {
            files.retain(|file| file.file_name().unwrap().to_string_lossy().starts_with(only.as_str()));
        }
        tally.add(walk(set, &files, &Server { body, schemas, verbose: only.is_some() }));
    }
    print!("{}", tally.table());
    let unexpected = tally.unexpected();
    for difference in unexpected.iter().take(SHOWN) {
        println!("{difference}");
    }
    assert!(unexpected.is_empty(), "{} conversions differ, the first of them are above", unexpected.len());
    if only.is_none() {
        let healed = tally.healed();
        assert!(healed.is_empty(), "these are listed as defects but are equal: {}", healed.join(", "));
        assert!(tally.counts.len() >= SETS.len(), "sets of pairs are missing in {}", folder.display());
    }
}

/// The files of a set, packed or not.
fn pair_files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.file_name().unwrap().to_string_lossy().contains(".json"))
        .collect();
    files.sort();
    files
}

struct Server {
    body: Value,
    schemas: Schemas,
    verbose: bool,
}

/// How many conversions are equal, of how many, by source and variant, and those that differ.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<(String, &'static str), [usize; 2]>,
    names: HashSet<String>,
    different: BTreeMap<(String, &'static str), String>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        for (key, [equal, all]) in other.counts {
            let counts = self.counts.entry(key).or_default();
            counts[0] += equal;
            counts[1] += all;
        }
        self.names.extend(other.names);
        self.different.extend(other.different);
    }

    /// The counts as a table in Markdown.
    fn table(&self) -> String {
        let mut table = String::from("| source | ui | roundtrip | embedded |\n|---|---|---|---|\n");
        let sources: Vec<&String> = self.counts.keys().map(|(source, _)| source).collect();
        let cells = |row: &mut String, count: &dyn Fn(&'static str) -> [usize; 2]| {
            for (variant, _) in VARIANTS {
                match count(variant) {
                    [_, 0] => row.push_str(" | "),
                    [equal, all] => write!(row, " | {equal} / {all}").unwrap(),
                }
            }
            row.push_str(" |\n");
        };
        for source in sources.into_iter().collect::<std::collections::BTreeSet<_>>() {
            write!(table, "| {source}").unwrap();
            cells(&mut table, &|variant| {
                self.counts.get(&(source.clone(), variant)).copied().unwrap_or_default()
            });
        }
        table.push_str("| all");
        cells(&mut table, &|variant| {
            let counts = self.counts.iter().filter(|((_, of), _)| *of == variant);
            counts.fold([0, 0], |sum, (_, count)| [sum[0] + count[0], sum[1] + count[1]])
        });
        table
    }

    /// What differs without being a known defect of the editor.
    fn unexpected(&self) -> Vec<String> {
        let is_known = |name: &str| DEFECTS.iter().any(|(known, _)| *known == name);
        let different = self.different.iter().filter(|((name, _), _)| !is_known(name));
        different.map(|((name, variant), text)| format!("{name} ({variant}): {text}")).collect()
    }

    /// Known defects that are none any more.
    fn healed(&self) -> Vec<&'static str> {
        let is_different = |known: &str| self.different.keys().any(|(name, _)| name == known);
        let known = DEFECTS.iter().map(|(name, _)| *name).filter(|name| self.names.contains(*name));
        known.filter(|name| !is_different(name)).collect()
    }
}

/// Converts the pairs of a set, on all cores.
fn walk(set: &str, files: &[PathBuf], server: &Server) -> Tally {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for first in 0..threads {
            let tally = &tally;
            scope.spawn(move || {
                let mut own = Tally::default();
                for file in files.iter().skip(first).step_by(threads) {
                    check(set, &read(file), server, &mut own);
                }
                tally.lock().unwrap().add(own);
            });
        }
    });
    tally.into_inner().unwrap()
}

fn read(file: &Path) -> Value {
    if file.extension().is_some_and(|extension| extension == "gz") {
        return corpus::gzipped(file);
    }
    comfy_workflow::json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn check(set: &str, pair: &Value, server: &Server, tally: &mut Tally) {
    let name = pair["name"].as_str().unwrap();
    let source = format!("{set}/{}", name.split("__").next().unwrap());
    let full_name = format!("{set}/{name}");
    let is_empty = |key: &str| pair[key].as_array().is_none_or(Vec::is_empty);
    if !is_empty("types_not_in_object_info") || !is_empty("unknown_option_values") {
        return;
    }
    for (variant, key) in VARIANTS {
        let is_other = variant == "roundtrip" && pair["roundtrip_prompt_equal"] == false;
        let wanted = &pair[if is_other { "prompt_api_roundtrip" } else { "prompt_api" }];
        if wanted.is_null() || pair[key].is_null() {
            continue;
        }
        let differences = differences(pair, &pair[key], wanted, server);
        let counts = tally.counts.entry((source.clone(), variant)).or_default();
        counts[1] += 1;
        tally.names.insert(full_name.clone());
        if differences.is_empty() {
            counts[0] += 1;
        } else {
            let text = if server.verbose {
                format!("\n  {}", differences.join("\n  "))
            } else if differences.len() > 4 {
                format!("{} (and {} more)", differences[..4].join("; "), differences.len() - 4)
            } else {
                differences.join("; ")
            };
            tally.different.insert((full_name.clone(), variant), text);
        }
    }
}

/// In which the conversion of a document differs from what the editor made of it.
fn differences(pair: &Value, document: &Value, wanted: &Value, server: &Server) -> Vec<String> {
    let editor = match EditorWorkflow::from_value(document.clone()) {
        Ok(editor) => editor,
        Err(error) => return vec![error.to_string()],
    };
    let conversion = convert(&editor, &server.schemas, &options());
    if server.verbose {
        for problem in &conversion.problems {
            println!("{}: {problem}", pair["name"]);
        }
    }
    // The command prints nothing then.
    if let Some(error) = conversion.problems.iter().find(|problem| problem.severity == Severity::Error) {
        return vec![format!("refused: {error}")];
    }
    let mut volatile = Volatile::new();
    for place in pair["volatile"].as_array().into_iter().flatten() {
        let id = place[0].as_str().map_or_else(|| place[0].to_string(), str::to_owned);
        volatile.entry(id).or_default().insert(place[1].as_str().unwrap().to_owned());
    }
    let comparison = Comparison::new(&server.body, &volatile);
    let found = conversion.workflow.to_value();
    let wanted = comparison.reachable(wanted.as_object().unwrap());
    let found = comparison.reachable(found.as_object().unwrap());
    let ids_collide =
        pair["features"].as_array().is_some_and(|tags| tags.iter().any(|tag| tag == "inner_id_collision"));
    if ids_collide && comparison.same_but_for_ids(&wanted, &found) {
        return Vec::new();
    }
    let mut differences = comparison.differences(&wanted, &found);
    if ids_collide {
        differences.insert(0, "differs, also up to the ids of nodes".to_owned());
    }
    differences
}

/// As the pairs were made: the first alternative of each choice, and a clock that stood still.
pub(super) fn options() -> ConvertOptions {
    let now = LocalTime { year: 2025, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    ConvertOptions::default().dynamic_prompts(DynamicPrompts::First).now(now)
}
