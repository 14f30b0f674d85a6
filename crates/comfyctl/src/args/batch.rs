//! The options of `run` for many runs of one workflow.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgGroup, Args as ClapArgs};

/// Many runs of one workflow.
#[derive(Debug, ClapArgs)]
#[command(next_help_heading = "Many runs")]
#[command(group = ArgGroup::new("many").args(["sweep", "params", "watch_dir"]).multiple(true))]
pub(crate) struct Batch {
    /// Run with every one of these values: `KSampler.seed=1..8`, `KSampler.cfg=4,6,8`; repeatable, for all combinations
    ///
    /// The key is a selector as for `--set`, or a parameter of a template. Values are divided by commas; `1..8` is a range,
    /// `0..1..0.25` one with a step, quotes keep commas together, and `KEY:=JSON` gives a list.
    #[arg(long, value_name = "KEY=VALUES")]
    pub(crate) sweep: Vec<String>,
    /// Run with every row of this file: CSV whose first row names selectors or parameters, or objects of JSON, one a line
    /// or in a list; `-` reads stdin
    ///
    /// An empty cell leaves the input as it is. With `--sweep` every row is combined with all of its values.
    #[arg(long, value_name = "FILE")]
    pub(crate) params: Option<PathBuf>,
    /// Rows that are queued or run at the same time
    ///
    /// The server runs one after the other. With 2, the next one is there when one ends.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = at_least_one)]
    pub(crate) jobs: usize,
    /// Go on with an interrupted batch: what is done is skipped, what still runs is followed, what failed is run again
    #[arg(long, requires = "many")]
    pub(crate) resume: bool,
    /// Start anew although the journal has an unfinished batch
    #[arg(long, requires = "many", conflicts_with = "resume")]
    pub(crate) restart: bool,
    /// What was done is written here, for `--resume` [default: comfy-batch.jsonl in the folder of the files]
    #[arg(long, value_name = "FILE", requires = "many")]
    pub(crate) journal: Option<PathBuf>,
    /// Write a labelled contact sheet of all pictures
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch_dir", "no_download"])]
    pub(crate) grid: Option<PathBuf>,
    /// Write a page with every output, its values and its workflow, in one file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["watch_dir", "no_download"])]
    pub(crate) gallery: Option<PathBuf>,
    /// Run each picture in this folder once, and each new one until Ctrl-C; `--set NODE.INPUT=@{}` says where it goes
    ///
    /// In other values `{}` stands for its name, and `{.}` for its name without the extension. A picture is run again when
    /// its content has changed. What was run is remembered in the journal [default: comfy-watch.jsonl in the folder of the
    /// files].
    #[arg(long, value_name = "DIR", conflicts_with_all = ["sweep", "params", "resume"])]
    pub(crate) watch_dir: Option<PathBuf>,
    /// Time between two looks at the folder
    #[arg(long, value_name = "DURATION", default_value = "1s", requires = "watch_dir", value_parser = super::global::duration)]
    pub(crate) watch_interval: Duration,
}

impl Batch {
    /// Whether there is more than one run.
    pub(crate) fn is_many(&self) -> bool {
        !self.sweep.is_empty() || self.params.is_some() || self.watch_dir.is_some()
    }
}

fn at_least_one(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) | Err(_) => Err("it is no whole number from 1 on".to_owned()),
        Ok(number) => Ok(number),
    }
}
