//! `--watch-dir`: the pictures of a folder, each of them once.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use comfy_api_client::batch::{Journal, Row, RowState};
use comfy_api_client::workflow::schema::Schemas;
use comfy_api_client::{Client, Workflow};
use futures_util::Stream;

use super::plan::{Plan, fingerprint};
use super::tally::{Ours, Tally};
use super::tell::Teller;
use super::{built, follow, journal};
use crate::args::{Run, Seeds};
use crate::commands::assignment::{self, Assignment};
use crate::commands::connect::connect;
use crate::commands::run::job::stopped;
use crate::commands::run::prepare::{Base, Opened};
use crate::commands::run::saving::Saving;
use crate::commands::stop::Stop;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::settings::Settings;

/// How long a server may be away while a picture is sent to it.
const PATIENCE: Duration = Duration::from_secs(300);

/// Pause between two attempts to send it.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs every picture of a folder that was not run before, until that is stopped.
pub(super) async fn run(
    settings: &Settings,
    printer: &Printer,
    args: &Run,
    folder: &Path,
    tally: &RefCell<Tally>,
    stop: &mut Stop,
) -> Result<(), Failure> {
    let saving = Saving::new(&args.save);
    let begun = async {
        let mut opened = Opened::read(&args.given, true).await?;
        let of_pictures = std::mem::take(&mut opened.of_pictures);
        if of_pictures.is_empty() {
            return Err(Failure::usage("usage", "`--watch-dir` does not say where the pictures go")
                .with_hint("add `--set LoadImage.image=@{}`"));
        }
        saving.check()?;
        check(folder, args)?;
        let path = journal::path(args, "comfy-watch.jsonl");
        let found = journal::look(&path, &args.batch)?;
        let plan = Plan::new(args, &opened, &None, found.as_ref())?;
        let server = connect(settings).await?;
        let client = server.client();
        let (base, _) =
            opened.into_base(client, printer, plan.seed_of_base(args.given.seed), plan.options()).await?;
        let workflow = match base {
            Base::Workflow(workflow) => workflow,
            Base::Template(template) => {
                template.fill(crate::commands::template_file::values(&args.given.param)?)?
            }
        };
        for assignment in &of_pictures {
            assignment.targets(&workflow)?;
        }
        let schemas = match args.given.seed {
            Seeds::Random => client.schemas().await?,
            _ => {
                let selectors = of_pictures.iter().map(Assignment::selector);
                Arc::new(assignment::schemas_of(selectors, &workflow, client).await?)
            }
        };
        saving.check_name(&workflow)?;
        Ok::<_, Failure>((of_pictures, workflow, schemas, plan, found, path, server))
    };
    let (assignments, workflow, schemas, plan, found, path, server) = tokio::select! {
        begun = begun => begun?,
        () = stop.wait() => return Err(stopped("stopped before anything was submitted")),
    };
    let chance = plan.chance;
    let journal = journal::begin(found, &path, plan, args)?;
    {
        let mut tally = tally.borrow_mut();
        tally.journal = Some(journal.clone());
        tally.workflow = Some(workflow.clone());
        path.canonicalize().into_iter().for_each(|path| tally.add_ours(&path));
        for file in journal.rows()?.into_iter().flat_map(|record| record.files) {
            tally.add_ours(&args.save.output.join(file.path));
        }
    }
    let shown = one_line(&folder.display().to_string());
    printer.note(&format!("watching {shown}; Ctrl-C ends it"));
    let failed = journal.count(RowState::Failed);
    if failed > 0 {
        printer.note(&format!("{failed} that failed before are left alone until they change"));
    }
    let making = Arc::new(Making {
        client: server.client().clone(),
        workflow,
        assignments,
        schemas,
        chance: (args.given.seed == Seeds::Random).then_some(chance),
    });
    let watch = Watch {
        folder: folder.to_owned(),
        interval: args.batch.watch_interval,
        journal: journal.clone(),
        ours: Arc::clone(&tally.borrow().ours),
        files: HashMap::new(),
        known: HashSet::new(),
        ready: VecDeque::new(),
        unreadable: false,
        first: true,
    };
    let rows = rows(watch, making);
    let builder = server.client().batch_stream(rows).retry_failed(false);
    let batch = built(builder, args, &saving, &journal);
    let teller = Teller::new(printer, args, &saving, tally, None);
    follow(batch.start(), teller, stop, printer).await
}

/// Finds out whether the folder can be watched.
fn check(folder: &Path, args: &Run) -> Result<(), Failure> {
    let shown = one_line(&folder.display().to_string());
    let found = std::fs::read_dir(folder).and_then(|_| folder.canonicalize());
    let found = found.map_err(|error| {
        Failure::of_file("io", &format!("cannot read the folder {shown}"), &error)
            .with_hint("give the folder with the pictures with `--watch-dir DIR`")
    })?;
    if args.save.output.canonicalize().is_ok_and(|output| output == found) {
        let message =
            format!("`--watch-dir` and `-o` are the same folder, {shown}: every result would be run again");
        return Err(Failure::usage("usage", message).with_hint("choose another folder with `-o DIR`"));
    }
    Ok(())
}

/// What rows are made with.
struct Making {
    client: Client,
    workflow: Workflow,
    assignments: Vec<Assignment>,
    schemas: Arc<Schemas>,
    chance: Option<u64>,
}

impl Making {
    async fn row<'a>(&self, picture: Picture) -> comfy_api_client::Result<Row<'a>> {
        let mut workflow = self.workflow.clone();
        if let Some(chance) = self.chance {
            // A number that belongs to the content.
            let of_content = u64::from_str_radix(picture.hash.get(..16).unwrap_or_default(), 16);
            workflow.randomize_noise_seeds(chance ^ of_content.unwrap_or_default(), &self.schemas);
        }
        for assignment in &self.assignments {
            self.change(&mut workflow, &assignment.for_picture(&picture.path)).await?;
        }
        Ok(Row::new(picture.key(), workflow).with_label(picture.name()))
    }
}

impl Making {
    /// Makes a change, for which a server that is away is waited for.
    async fn change(&self, workflow: &mut Workflow, assignment: &Assignment) -> comfy_api_client::Result<()> {
        let began = Instant::now();
        loop {
            match assignment.change(workflow, &self.client, &self.schemas).await {
                Err(error) if error.is_retryable() && began.elapsed() < PATIENCE => {
                    tracing::warn!(%error, "trying again");
                    tokio::time::sleep(PAUSE).await;
                }
                result => return result,
            }
        }
    }
}

/// A picture that is complete.
#[derive(Debug)]
struct Picture {
    path: PathBuf,
    hash: String,
}

impl Picture {
    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn key(&self) -> String {
        format!("{} {}", self.hash, self.name())
    }
}

/// A folder that is looked at again and again.
struct Watch {
    folder: PathBuf,
    interval: Duration,
    journal: Journal,
    ours: Ours,
    files: HashMap<PathBuf, Seen>,
    /// Keys of pictures that were handed out.
    known: HashSet<String>,
    ready: VecDeque<Picture>,
    unreadable: bool,
    first: bool,
}

/// How a file was when it was last looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Look {
    size: u64,
    changed: Option<SystemTime>,
}

#[derive(Debug)]
struct Seen {
    look: Look,
    /// Whether it was taken as it is now.
    taken: bool,
}

fn rows<'a>(watch: Watch, making: Arc<Making>) -> impl Stream<Item = Row<'a>> + Send + use<'a> {
    futures_util::stream::unfold((watch, making), async |(mut watch, making)| {
        let picture = watch.next().await;
        let made = Arc::clone(&making);
        let key = picture.key();
        let row = Row::later(key, move || async move { made.row(picture).await });
        Some((row, (watch, making)))
    })
}

impl Watch {
    /// The next picture that was not run as it is.
    async fn next(&mut self) -> Picture {
        loop {
            while let Some(picture) = self.ready.pop_front() {
                let key = picture.key();
                let is_new = matches!(self.journal.state(&key), RowState::New | RowState::Open);
                if self.known.insert(key) && is_new {
                    return picture;
                }
            }
            if !std::mem::replace(&mut self.first, false) {
                tokio::time::sleep(self.interval).await;
            }
            self.look().await;
        }
    }

    /// Looks at the folder. A file is complete when it is as it was at the look before.
    async fn look(&mut self) {
        let (folder, ours) = (self.folder.clone(), Arc::clone(&self.ours));
        let found = tokio::task::spawn_blocking(move || list(&folder, &ours)).await;
        let found = match found {
            Ok(Ok(found)) => {
                self.unreadable = false;
                found
            }
            // It may come back, such as a disk that is mounted again.
            _ => {
                if !std::mem::replace(&mut self.unreadable, true) {
                    tracing::warn!(folder = %self.folder.display(), "the folder cannot be read");
                }
                return;
            }
        };
        let names: HashSet<&PathBuf> = found.iter().map(|(path, _)| path).collect();
        self.files.retain(|path, _| names.contains(path));
        for (path, look) in found {
            let is_complete = match self.files.get_mut(&path) {
                Some(seen) if seen.look == look => !std::mem::replace(&mut seen.taken, true),
                _ => {
                    self.files.insert(path.clone(), Seen { look, taken: false });
                    false
                }
            };
            if is_complete {
                let hashed = path.clone();
                let hash = tokio::task::spawn_blocking(move || fingerprint(&hashed)).await;
                match hash {
                    Ok(Ok(hash)) => self.ready.push_back(Picture { path, hash }),
                    // It is gone, or is looked at again when it has changed.
                    _ => drop(self.files.remove(&path)),
                }
            }
        }
    }
}

/// The files of a folder by name, but for hidden ones.
fn list(folder: &Path, ours: &Ours) -> std::io::Result<Vec<(PathBuf, Look)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        // A link to a picture is one too.
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        let is_ours = path
            .canonicalize()
            .is_ok_and(|path| ours.lock().unwrap_or_else(PoisonError::into_inner).contains(&path));
        if metadata.is_file() && !is_hidden && !is_ours {
            files.push((path, Look { size: metadata.len(), changed: metadata.modified().ok() }));
        }
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}
