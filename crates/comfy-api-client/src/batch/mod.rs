//! Many workflows, one after the other or a few at a time, with a journal to go on from.
//!
//! ```
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let sim = comfy_sim::Sim::start().await?;
//! # let folder = tempfile::tempdir()?;
//! # let (client, out) = (comfy_api_client::Client::connect(sim.url()).await?, folder.path());
//! # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello.json");
//! use comfy_api_client::batch::{Journal, RowEvent};
//! use comfy_api_client::workflow::template::Sweep;
//!
//! let workflow = client.open_workflow(file).await?;
//! let sweep = Sweep::parse("EmptyImage.color=0..255..85")?;
//! let variants = sweep.variants(&workflow, &*client.schemas().await?)?;
//! let journal = Journal::open(out.join("batch.jsonl"))?; // run it again after a crash, and it goes on
//! let mut batch = client.batch(variants).at_once(2).save_in(out).journal(&journal).start();
//! while let Some(event) = batch.next().await {
//!     let event = event?; // an error here ends the batch: the server is gone, or the disk is full
//!     match event.event {
//!         RowEvent::Saved(file) => println!("{}", file.path.display()),
//!         RowEvent::Failed(error) => eprintln!("{}: {error}", event.row.label()), // the others go on
//!         _ => {}
//!     }
//! }
//! # assert_eq!(journal.rows()?.len(), 4);
//! # Ok(()) }
//! ```
//!
//! # The journal
//!
//! Lines of JSON, each written in one piece before or after the step that it tells of. Of a row, in this order:
//!
//! | line | is written | a process that ends after it leaves |
//! |---|---|---|
//! | `submit` | before the workflow is sent, with the prompt id that it will have | a prompt that the server has, or not: it is asked |
//! | `accepted` | when the server has answered | a prompt that waits, runs or has ended: it is followed, or what it gave is taken |
//! | `ran` | when the prompt is done, with what it gave | files to download; the server's history is not needed any more |
//! | `saving` | when a file is complete under a temporary name, before it is renamed | a file that needs nothing but the renaming, or not even that |
//! | `saved` | when the file has its name | the files that are left |
//! | `done` | when all files are there | nothing to do |
//! | `failed` | when the row has come to a bad end | a row that is run again |
//! | `unsaved` | when it has run and its files could not be written | files to download |
//! | `withdrawn` | when the prompt was cancelled by this side, or the server does not know it any more | a row that was never run |
//!
//! The first line, `batch`, says what the batch is; a journal of another one is an error. `end` is the last, when every row has
//! come to its end. A last line that was torn is taken away, since what it would have told has not happened or can be seen. Any
//! other line that cannot be read is an error. A journal is locked while it is open, where the platform can do that.
//!
//! A file is downloaded as `.comfy-….part`, in a name that follows from the batch, the row and its place, so that what is left of
//! an interrupted download is written over by the next one. Its final name is chosen and written down before it gets it. If that
//! name is taken when the batch goes on, and the temporary one is gone, it is this file.
//!
//! Nothing runs twice: a row is submitted again only when the server says that it does not know the prompt, or that it was
//! interrupted, and both are told ([`RowEvent::Again`]).

mod entry;
mod journal;
mod record;
mod row;
mod run;
mod save;
mod shared;
mod work;

use std::path::{Path, PathBuf};
use std::pin::Pin;

use futures_core::Stream;

pub use journal::{Journal, RowState};
pub use record::{RowEnd, RowRecord};
pub use row::{Again, BatchEvent, Row, RowEvent, RowInfo};
pub use run::Batch;

use crate::{Client, OutputFile, Submit};

/// Workflows that are queued or run at the same time, unless set. The server runs one; the next one should be there when that
/// ends.
const AT_ONCE: usize = 2;

type Rows<'a> = Pin<Box<dyn Stream<Item = Row<'a>> + Send + 'a>>;
type Wants<'a> = Box<dyn Fn(&OutputFile) -> bool + Send + Sync + 'a>;
type Options<'a> = Box<dyn for<'s> Fn(Submit<'s>) -> Submit<'s> + Send + Sync + 'a>;
type Namer<'a> = Box<dyn Fn(&RowInfo, usize, &OutputFile) -> Option<String> + Send + Sync + 'a>;

/// A batch about to begin; made by [`Client::batch`].
#[must_use = "nothing runs unless this is started"]
pub struct BatchBuilder<'a> {
    client: Client,
    rows: Rows<'a>,
    at_once: usize,
    journal: Option<Journal>,
    folder: Option<PathBuf>,
    wants: Option<Wants<'a>>,
    namer: Option<Namer<'a>>,
    overwrite: bool,
    retry_failed: bool,
    options: Option<Options<'a>>,
}

impl Client {
    /// Runs many workflows: rows of an iterator, such as the variants of a sweep. They are taken one by one when there is
    /// room for the next.
    ///
    /// See [`batch`](crate::batch) for what it does and how it goes on after a crash.
    pub fn batch<'a, R, I>(&self, rows: I) -> BatchBuilder<'a>
    where
        R: Into<Row<'a>> + 'a,
        I: IntoIterator<Item = R>,
        I::IntoIter: Send + 'a,
    {
        self.batch_stream(futures_util::stream::iter(rows.into_iter().map(Into::into)))
    }

    /// Runs many workflows: rows as they come, for as long as they come.
    pub fn batch_stream<'a>(&self, rows: impl Stream<Item = Row<'a>> + Send + 'a) -> BatchBuilder<'a> {
        BatchBuilder {
            client: self.clone(),
            rows: Box::pin(rows),
            at_once: AT_ONCE,
            journal: None,
            folder: None,
            wants: None,
            namer: None,
            overwrite: false,
            retry_failed: true,
            options: None,
        }
    }
}

impl<'a> BatchBuilder<'a> {
    /// How many are queued or run at the same time, at least 1; 2 unless set. Files of some more may be downloaded meanwhile.
    pub fn at_once(mut self, rows: usize) -> Self {
        self.at_once = rows.max(1);
        self
    }

    /// Writes down what happens, and goes on where the journal ends. Without one, nothing is remembered.
    pub fn journal(mut self, journal: &Journal) -> Self {
        self.journal = Some(journal.clone());
        self
    }

    /// Saves the files of every row in a folder, as [`Outputs::save_all`](crate::Outputs::save_all) does. Without one, nothing
    /// is downloaded.
    pub fn save_in(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = Some(folder.as_ref().to_owned());
        self
    }

    /// Which files are saved, and pictures that came over the socket; all of them unless set.
    pub fn only_files(mut self, wants: impl Fn(&OutputFile) -> bool + Send + Sync + 'a) -> Self {
        self.wants = Some(Box::new(wants));
        self
    }

    /// How files are called below the folder, by their row and their place among its files that are saved, from 0; as on the
    /// server where it gives none. A `/` leads into a subfolder, and what leads elsewhere or cannot be written is left out, as
    /// in [`Download::named`](crate::Download::named). It has to give the same name for the same file every time.
    pub fn name_files(
        mut self,
        name: impl Fn(&RowInfo, usize, &OutputFile) -> Option<String> + Send + Sync + 'a,
    ) -> Self {
        self.namer = Some(Box::new(name));
        self
    }

    /// Whether to write over files of the same names in the folder.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.overwrite = overwrite;
        self
    }

    /// How every workflow is submitted, such as `|submit| submit.front(true)`. The id of the prompt is chosen by the batch.
    pub fn submit_with(
        mut self,
        options: impl for<'s> Fn(Submit<'s>) -> Submit<'s> + Send + Sync + 'a,
    ) -> Self {
        self.options = Some(Box::new(options));
        self
    }

    /// Whether rows that failed according to the journal are run again, as they are unless set.
    pub fn retry_failed(mut self, retry: bool) -> Self {
        self.retry_failed = retry;
        self
    }

    /// The batch, which does something while its events are read.
    pub fn start(self) -> Batch<'a> {
        Batch::new(self)
    }
}

impl std::fmt::Debug for BatchBuilder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchBuilder")
            .field("at_once", &self.at_once)
            .field("journal", &self.journal)
            .field("folder", &self.folder)
            .finish_non_exhaustive()
    }
}
