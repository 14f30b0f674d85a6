//! Where the files of a run go.

use std::cell::Cell;
use std::path::PathBuf;

use comfy_api_client::{Client, OutputFile, Outputs, SavedFile};
use futures_util::StreamExt;

use crate::args::Save;
use crate::failure::Failure;

/// Downloads that run at the same time.
const MOST_AT_ONCE: usize = 4;

/// Which files are saved, and how.
#[derive(Debug)]
pub(crate) struct Saving {
    folder: PathBuf,
    force: bool,
}

impl Saving {
    pub(crate) fn new(args: &Save) -> Self {
        Self { folder: args.output.clone(), force: args.force }
    }

    /// Finds out before anything runs whether files can be saved.
    pub(crate) fn check(&self) -> Result<(), Failure> {
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

    /// Downloads the files, and tells of each with its place among the outputs as soon as it is there. After a failure
    /// no further one is begun, and those that have been come to their end.
    pub(crate) async fn save(
        &self,
        outputs: &Outputs,
        client: &Client,
        saved: impl Fn(usize, SavedFile),
    ) -> Result<(), Failure> {
        let failed = Cell::new(false);
        let save = async |(place, output): (usize, OutputFile)| {
            if failed.get() {
                return Ok(());
            }
            let download = client.download(&output.file).await?;
            let (path, bytes) = if self.force {
                download.save_over(&self.folder).await?
            } else {
                download.save_in(&self.folder).await?
            };
            saved(place, SavedFile::new(output, path, bytes));
            Ok::<_, Failure>(())
        };
        let files: Vec<OutputFile> = outputs.files().collect();
        let saves = futures_util::stream::iter(files).enumerate().map(save);
        let mut saves = std::pin::pin!(saves.buffer_unordered(MOST_AT_ONCE));
        let mut result = Ok(());
        while let Some(saved) = saves.next().await {
            failed.set(failed.get() || saved.is_err());
            result = result.and(saved);
        }
        result?;
        let files = outputs.files().count();
        for (place, image) in (files..).zip(outputs.socket_images()) {
            saved(place, image.save_in(&self.folder).await?);
        }
        Ok(())
    }
}
