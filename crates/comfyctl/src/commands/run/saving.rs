//! Where the files of a run go.

use std::cell::Cell;
use std::path::PathBuf;

use comfy_api_client::{Client, DownloadRequest, OutputFile, Outputs, SavedFile, SocketImage, Workflow};
use futures_util::StreamExt;

use crate::args::Save;
use crate::commands::run::naming::{Run, Template};
use crate::failure::Failure;
use crate::render::job_line::JobLine;

/// Downloads that run at the same time.
const MOST_AT_ONCE: usize = 4;

/// Which files are saved, and how.
#[derive(Debug)]
pub(crate) struct Saving {
    folder: PathBuf,
    force: bool,
    name: Option<Template>,
    previews: bool,
    download: bool,
}

/// One of the outputs of a run.
enum Item<'a> {
    File(OutputFile),
    Picture(&'a SocketImage),
}

impl Saving {
    pub(crate) fn new(args: &Save) -> Self {
        Self {
            folder: args.output.clone(),
            force: args.force,
            name: args.name.clone(),
            previews: args.with_previews,
            download: !args.no_download,
        }
    }

    /// Finds out before anything runs whether files can be saved.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        if !self.download {
            return Ok(());
        }
        let folder = &self.folder;
        let cannot = |what: &str, error: &std::io::Error| {
            Failure::of_file(
                "output_folder",
                &format!("cannot {what} the folder {}", folder.display()),
                error,
            )
            .with_hint("choose another folder with `-o DIR`")
        };
        std::fs::create_dir_all(folder).map_err(|error| cannot("make", &error))?;
        let file = tempfile::Builder::new().prefix(".comfy-").tempfile_in(folder);
        file.map(drop).map_err(|error| cannot("write in", &error))
    }

    /// Finds out before anything runs whether the files of this workflow can be named as asked for.
    pub(crate) fn check_name(&self, workflow: &Workflow) -> Result<(), Failure> {
        self.name.as_ref().map_or(Ok(()), |name| name.check(workflow))
    }

    /// Whether anything is downloaded at all.
    pub(crate) fn downloads(&self) -> bool {
        self.download
    }

    /// Whether an output is saved. Pictures of nodes that only show them are in the server's folder for temporary files.
    pub(crate) fn wants(&self, output: &OutputFile) -> bool {
        self.download && (self.previews || output.file.folder != "temp")
    }

    /// Downloads the files, and tells of each with its place among the outputs as soon as it is there. After a failure
    /// no further one is begun, and those that have been come to their end.
    pub(crate) async fn save(
        &self,
        outputs: &Outputs,
        workflow: &Workflow,
        client: &Client,
        line: &JobLine<'_>,
        saved: impl Fn(usize, SavedFile),
    ) -> Result<(), Failure> {
        let failed = Cell::new(false);
        let downloading = line.downloading();
        let run = Run { prompt_id: outputs.prompt_id(), workflow, row: None };
        let save = async |(index, (place, item)): (usize, (usize, Item<'_>))| {
            if failed.get() {
                return Ok(());
            }
            let name = |output: &OutputFile| Some(self.name.as_ref()?.name(output, index + 1, &run));
            let file = match item {
                Item::File(output) => {
                    let request = client.download(&output.file).on_progress(downloading.reporter());
                    self.save_file(output, name, request).await?
                }
                Item::Picture(picture) => self.save_picture(picture, name).await?,
            };
            saved(place, file);
            Ok::<_, Failure>(())
        };
        let files = outputs.files().map(Item::File).chain(outputs.socket_images().map(Item::Picture));
        let wanted = files.enumerate().filter(|(_, item)| match item {
            Item::File(output) => self.wants(output),
            Item::Picture(_) => self.download,
        });
        let saves = futures_util::stream::iter(wanted).enumerate().map(save);
        let mut saves = std::pin::pin!(saves.buffer_unordered(MOST_AT_ONCE));
        let mut result = Ok(());
        while let Some(saved) = saves.next().await {
            failed.set(failed.get() || saved.is_err());
            result = result.and(saved);
        }
        result
    }

    async fn save_file(
        &self,
        output: OutputFile,
        name: impl Fn(&OutputFile) -> Option<String>,
        request: DownloadRequest,
    ) -> Result<SavedFile, Failure> {
        let mut download = request.await?;
        if let Some(name) = name(&output) {
            download = download.named(name);
        }
        let (path, bytes) = if self.force {
            download.save_over(&self.folder).await?
        } else {
            download.save_in(&self.folder).await?
        };
        Ok(SavedFile::new(output, path, bytes))
    }

    async fn save_picture(
        &self,
        picture: &SocketImage,
        name: impl Fn(&OutputFile) -> Option<String>,
    ) -> Result<SavedFile, Failure> {
        let mut picture = picture.clone();
        if let Some(name) = name(&picture.output()) {
            picture = picture.named(name);
        }
        Ok(if self.force {
            picture.save_over(&self.folder).await?
        } else {
            picture.save_in(&self.folder).await?
        })
    }
}
