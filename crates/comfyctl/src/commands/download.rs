//! `download`: files of the server.

use std::io;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use comfy_api_client::protocol::FileRef;
use comfy_api_client::{Client, Error, ErrorKind};
use futures_util::StreamExt;
use serde_json::json;
use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::args::{Download, WhereMode};
use crate::commands::prompt::name_of;
use crate::commands::request::{fail, long};
use crate::commands::upload::{leads_out, next_failure};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::transfer::Transfers;
use crate::settings::Settings;

/// Downloads that run at the same time.
const AT_ONCE: usize = 4;

/// Where files go.
#[derive(Debug, PartialEq)]
enum Target {
    Folder(PathBuf),
    File(PathBuf),
    /// A pipe or a device, in whose place no file may be put.
    Device(PathBuf),
    Stdout,
}

/// A file that is here.
struct Saved<'a> {
    file: &'a FileRef,
    /// None for stdout.
    path: Option<PathBuf>,
    bytes: u64,
}

/// Downloads files and prints their paths.
pub(crate) async fn download(settings: &Settings, printer: &Printer, args: Download) -> Exit {
    let prepared = target(&args, printer.is_json()).and_then(|target| Ok((target, files(&args)?)));
    let (target, files) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return fail(printer, &failure),
    };
    // What is not complete is taken away when the work is dropped.
    long(settings, printer, "stopped; what is not complete was removed", async |client: &Client| {
        save_all(client, printer, &args, &target, &files).await
    })
    .await
}

fn target(args: &Download, json: bool) -> Result<Target, Failure> {
    let Some(path) = &args.output else { return Ok(Target::Folder(PathBuf::new())) };
    let several = args.names.len() > 1;
    let wrong = |message: &str, hint: &str| Err(Failure::usage("usage", message).with_hint(hint));
    if path == Path::new("-") {
        return match () {
            () if json => wrong("`-o -` and `--json` both write to stdout", "leave one of them out"),
            () if several => {
                wrong("`-o -` is for one file, and there are several", "download them one by one")
            }
            () if io::stdout().is_terminal() => {
                wrong("stdout is a terminal", "write to a file with `-o FILE`, or into another program")
            }
            () => Ok(Target::Stdout),
        };
    }
    let is_folder = path.to_string_lossy().ends_with(std::path::is_separator);
    match std::fs::metadata(path) {
        Ok(found) if found.is_dir() => Ok(Target::Folder(path.clone())),
        _ if is_folder => Ok(Target::Folder(path.clone())),
        _ if several => wrong(
            "`-o FILE` is for one file, and there are several",
            "give a folder, with a `/` at its end if it does not exist yet",
        ),
        Ok(found) if !found.is_file() => Ok(Target::Device(path.clone())),
        _ => Ok(Target::File(path.clone())),
    }
}

fn files(args: &Download) -> Result<Vec<FileRef>, Failure> {
    let file = |name: &String| {
        let mut file = FileRef::from_input_value(name, args.folder.as_str());
        if file.filename.is_empty() {
            return Err(Failure::usage("usage", format!("`{}` is the name of no file", one_line(name)))
                .with_hint("give a name such as `a.png`, `sub/a.png` or `a.png [input]`"));
        }
        let below = args.subfolder.iter().map(String::as_str).chain([file.subfolder.as_str()]);
        file.subfolder = below
            .map(|part| part.trim_end_matches('/'))
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        if leads_out(&file.subfolder) || leads_out(&file.filename) {
            let message = format!("`{}` leads out of the server's folders", one_line(name));
            return Err(Failure::usage("usage", message)
                .with_hint("servers give out what is below their folders `output`, `input` and `temp`"));
        }
        Ok(file)
    };
    args.names.iter().map(file).collect()
}

async fn save_all(
    client: &Client,
    printer: &Printer,
    args: &Download,
    target: &Target,
    files: &[FileRef],
) -> Result<(), Failure> {
    let lines = printer.live().transfers(files.len());
    let saves: Vec<_> = files.iter().map(|file| save(client, &lines, args, target, file)).collect();
    let mut saves = futures_util::stream::iter(saves).buffered(AT_ONCE);
    let mut failure = None;
    while let Some(saved) = saves.next().await {
        match saved {
            Ok(saved) => tell(printer, &saved),
            Err(error) => next_failure(&mut failure, error, printer)?,
        }
    }
    failure.map_or(Ok(()), Err)
}

async fn save<'a>(
    client: &Client,
    lines: &Transfers,
    args: &Download,
    target: &Target,
    file: &'a FileRef,
) -> Result<Saved<'a>, Failure> {
    let line = lines.transfer(&file.filename);
    let mut request = client.download(file).on_progress(line.reporter());
    if let Some(picture) = args.preview {
        request = request.preview(picture.format, picture.quality);
    }
    let download = match request.await {
        Ok(download) => download,
        Err(error) => return Err(not_given(client, args, file, error).await),
    };
    let (path, bytes) = match target {
        Target::Folder(folder) => {
            let path = folder.join(download.local_name());
            let (path, bytes) = match args.force {
                true => (path.clone(), download.save_as(&path).await?),
                false => download.save_as_new(&path).await?,
            };
            (Some(path), bytes)
        }
        Target::File(path) => {
            // A link stays one.
            let place = std::fs::canonicalize(path).unwrap_or_else(|_| path.clone());
            (Some(path.clone()), download.save_as(place).await?)
        }
        Target::Device(path) => {
            let cannot = |error: io::Error| {
                Failure::of_file(
                    "io",
                    &format!("cannot write {}", one_line(&path.display().to_string())),
                    &error,
                )
            };
            let file = tokio::fs::File::options().write(true).open(path).await.map_err(cannot)?;
            (Some(path.clone()), pour(download, file).await?.map_err(cannot)?)
        }
        Target::Stdout => {
            let cannot = |error: io::Error| Failure::of_file("io", "cannot write to stdout", &error);
            (None, pour(download, tokio::io::stdout()).await?.map_err(cannot)?)
        }
    };
    line.done();
    Ok(Saved { file, path, bytes })
}

/// Writes a file as it comes. A reader that has gone away is no failure.
async fn pour(
    download: comfy_api_client::Download,
    mut to: impl AsyncWrite + Unpin,
) -> Result<io::Result<u64>, Error> {
    let mut pieces = std::pin::pin!(download.into_stream());
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        bytes += piece.len() as u64;
        match to.write_all(&piece).await {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Ok(bytes)),
            Err(error) => return Ok(Err(error)),
            Ok(()) => {}
        }
    }
    match to.flush().await {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Ok(Err(error)),
        _ => Ok(Ok(bytes)),
    }
}

/// Why the server did not give a file; where it is in another folder, that is said.
async fn not_given(client: &Client, args: &Download, file: &FileRef, error: Error) -> Failure {
    let name = one_line(&name_of(&FileRef { folder: "output".into(), ..file.clone() }));
    if error.status() == Some(500) && args.preview.is_some() {
        let message = format!("the server cannot make a preview of `{name}`");
        return Failure::new(Exit::Failure, "no_preview", message)
            .with_hint("only pictures have previews; leave `--preview` out")
            .caused_by(&error);
    }
    if error.kind() != ErrorKind::NotFound {
        return error.into();
    }
    let message = format!("the server has no file `{name}` in its folder `{}`", file.folder);
    let failure = Failure::new(Exit::Failure, "not_found", message).caused_by(&error);
    for folder in WhereMode::ALL.into_iter().filter(|folder| folder.as_str() != file.folder) {
        let other = FileRef { folder: folder.as_str().into(), ..file.clone() };
        if client.file_info(&other).await.is_ok() {
            let other = one_line(&name_of(&other));
            return failure.with_hint(format!("there is one in another: `comfyctl download '{other}'`"));
        }
    }
    match file.folder.as_str() {
        "temp" => failure.with_hint("temporary files go when the server restarts; run the workflow again"),
        _ => {
            failure.with_hint("`comfyctl history show ID` names the files of a prompt, with their subfolders")
        }
    }
}

fn tell(printer: &Printer, saved: &Saved) {
    let Saved { file, path: Some(path), bytes } = saved else { return };
    let path = path.display().to_string();
    if printer.is_json() {
        printer.json(&json!({
            "type": "downloaded",
            "path": path,
            "file": {"filename": file.filename, "subfolder": file.subfolder, "type": file.folder},
            "bytes": bytes,
        }));
    } else {
        printer.line(&path);
    }
}
