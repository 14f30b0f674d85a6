//! `userdata`: the files that the server keeps for its user.

use std::io::Read;
use std::path::{Path, PathBuf};

use comfy_api_client::{Client, Error, ErrorKind};
use futures_util::TryStreamExt;
use serde_json::json;

use crate::args::{Userdata, UserdataAction};
use crate::commands::output_file;
use crate::commands::request::{long, request};
use crate::commands::settings::of_user;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::{Table, visible};
use crate::render::text::size;
use crate::render::time::changed_in_column;
use crate::settings::Settings;

/// Lists, gets, stores, moves and deletes files of the user.
pub(crate) async fn userdata(settings: &Settings, printer: &Printer, args: Userdata) -> Exit {
    match args.action.unwrap_or(UserdataAction::Ls { folder: None }) {
        UserdataAction::Ls { folder } => {
            let folder = folder.unwrap_or_default();
            request(settings, printer, async |client: &Client| list(client, printer, &folder).await).await
        }
        UserdataAction::Get { path, output, force } => {
            long(settings, printer, "stopped; what is not complete was removed", async |client: &Client| {
                get(client, printer, &path, output.as_deref(), force).await
            })
            .await
        }
        UserdataAction::Put { file, path, overwrite } => {
            long(settings, printer, "stopped; the file may be on the server", async |client: &Client| {
                put(client, printer, &file, &path, overwrite).await
            })
            .await
        }
        UserdataAction::Mv { from, to, overwrite } => {
            request(settings, printer, async |client: &Client| {
                let to = beneath(&to, Path::new(from.rsplit('/').next().unwrap_or(&from)))?;
                let moved = client.move_user_file(&from, &to).overwrite(overwrite).await;
                let moved = moved.map_err(|error| failed(error, &from, &to))?;
                printed(printer, "moved", &moved.path, moved.size);
                Ok(())
            })
            .await
        }
        UserdataAction::Rm { paths } => {
            request(settings, printer, async |client: &Client| remove(client, printer, &paths).await).await
        }
    }
}

async fn list(client: &Client, printer: &Printer, folder: &str) -> Result<(), Failure> {
    let entries = client.user_entries(folder.trim_end_matches('/')).await;
    let mut entries = entries.map_err(|error| failed(error, folder, folder))?;
    // Servers list level by level.
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    if entries.is_empty() {
        printer.note("there are no files");
    }
    let mut table = Table::new(["SIZE", "MODIFIED", "PATH"]);
    for entry in &entries {
        let kind = if entry.is_folder() { "folder" } else { "file" };
        printer.json(&json!({
            "type": "userdata", "kind": kind, "path": entry.path, "name": entry.name, "size": entry.size,
            "modified": entry.modified,
        }));
        let mark = if entry.is_folder() { "/" } else { "" };
        table.row([
            &format!("{:>10}", size(entry.size)),
            &changed_in_column(entry.modified, printer.width()),
            &format!("{}{mark}", entry.path),
        ]);
    }
    if !printer.is_json() {
        printer.table(&table);
    }
    Ok(())
}

async fn get(
    client: &Client,
    printer: &Printer,
    path: &str,
    output: Option<&Path>,
    force: bool,
) -> Result<(), Failure> {
    let content = client.user_file_content(path).await.map_err(|error| failed(error, path, path))?;
    let size = content.size();
    let mut pieces = std::pin::pin!(content.into_stream().map_err(Failure::from));
    if let Some(output) = output {
        let mut to = output.to_owned();
        if to.is_dir() {
            // Only the last part of a name of the server counts, and never `..`.
            to.push(Path::new(path).file_name().unwrap_or("userdata".as_ref()));
        }
        let line = printer.live().transfers(1).transfer(path);
        let mut report = line.reporter();
        let mut bytes = 0;
        let pieces = pieces.as_mut().inspect_ok(|piece| {
            bytes += piece.len() as u64;
            report(bytes, size);
        });
        output_file::stream(&to, pieces, force).await?;
        drop(line);
        let shown = to.display().to_string();
        printer.json(&json!({"type": "saved", "path": shown, "bytes": bytes}));
        if !printer.is_json() {
            printer.line(&shown);
        }
        return Ok(());
    }
    if printer.width().is_none() {
        while let Some(piece) = pieces.try_next().await? {
            printer.bytes(&piece);
        }
        return Ok(());
    }
    let mut whole = Vec::new();
    while let Some(piece) = pieces.try_next().await? {
        whole.extend_from_slice(&piece);
    }
    // A terminal would act on what is in it.
    let text = String::from_utf8(whole).map_err(|_| {
        Failure::usage("binary", format!("{} is no text", one_line(path)))
            .with_hint("write it into a file with `-o FILE`")
    })?;
    for line in text.lines() {
        printer.line(&visible(&line.replace('\t', "    ")));
    }
    Ok(())
}

async fn put(
    client: &Client,
    printer: &Printer,
    file: &Path,
    path: &str,
    overwrite: bool,
) -> Result<(), Failure> {
    let is_stdin = file == Path::new("-");
    let path = match is_stdin {
        true => beneath(path, Path::new(""))?,
        false => beneath(path, file)?,
    };
    let content = read(file.to_owned(), is_stdin).await.map_err(|error| {
        let shown = if is_stdin { "stdin".to_owned() } else { one_line(&file.display().to_string()) };
        Failure::of_file("io", &format!("cannot read {shown}"), &error)
    })?;
    let stored = client.store_user_file(&path, content).overwrite(overwrite).await;
    let stored = stored.map_err(|error| failed(error, &path, &path))?;
    printed(printer, "stored", &stored.path, stored.size);
    Ok(())
}

async fn read(file: PathBuf, is_stdin: bool) -> std::io::Result<Vec<u8>> {
    let read = tokio::task::spawn_blocking(move || {
        if !is_stdin {
            return std::fs::read(file);
        }
        let mut content = Vec::new();
        std::io::stdin().lock().read_to_end(&mut content)?;
        Ok(content)
    });
    read.await?
}

/// A path on the server; below a folder, which ends in `/`, with the name of the file.
fn beneath(path: &str, file: &Path) -> Result<String, Failure> {
    if !path.ends_with('/') {
        return Ok(path.to_owned());
    }
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| Failure::usage("usage", format!("`{}` is a folder", one_line(path))))?;
    Ok(format!("{path}{name}"))
}

async fn remove(client: &Client, printer: &Printer, paths: &[String]) -> Result<(), Failure> {
    let mut first = None;
    for path in paths {
        match client.delete_user_file(path).await.map_err(|error| failed(error, path, path)) {
            Ok(()) => {
                printer.json(&json!({"type": "deleted", "path": path}));
                printer.note(&format!("deleted {}", one_line(path)));
            }
            // Whoever does not answer will not answer for the others either.
            Err(failure) if failure.exit != Exit::Failure => return Err(failure),
            Err(failure) => {
                if let Some(earlier) = first.replace(failure) {
                    printer.error(&earlier);
                }
            }
        }
    }
    first.map_or(Ok(()), Err)
}

fn printed(printer: &Printer, what: &str, path: &str, size: u64) {
    printer.json(&json!({"type": what, "path": path, "size": size}));
    if !printer.is_json() {
        printer.line(&visible(path));
    }
}

/// What the server said, in terms of the files.
fn failed(error: Error, path: &str, to: &str) -> Failure {
    let (path, to) = (one_line(path), one_line(to));
    match (error.kind(), error.status()) {
        (ErrorKind::NotFound, _) => {
            Failure::new(Exit::Failure, "not_found", format!("the user has no `{path}`"))
                .with_hint("see what there is with `comfyctl userdata`")
        }
        (ErrorKind::Conflict, _) => {
            Failure::new(Exit::Failure, "conflict", format!("there is a `{to}` already"))
                .with_hint("replace it with `--overwrite`")
        }
        (_, Some(400 | 403)) if path.split('/').any(|part| part == "..") || path.starts_with('/') => {
            Failure::usage("usage", format!("`{path}` is outside of the user's folder"))
        }
        _ => of_user(error),
    }
}
