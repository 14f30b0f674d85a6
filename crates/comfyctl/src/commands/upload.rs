//! `upload`: files to the server.

use std::path::{Path, PathBuf};

use comfy_api_client::Client;
use comfy_api_client::protocol::FileRef;
use comfy_api_client::protocol::routes::upload::Uploaded;
use futures_util::StreamExt;
use serde_json::json;
use tokio_util::io::ReaderStream;

use crate::args::Upload;
use crate::commands::request::{fail, long};
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::visible;
use crate::render::transfer::Transfers;
use crate::settings::Settings;

/// Uploads that run at the same time.
const AT_ONCE: usize = 4;

/// A file that is to be sent.
struct Outgoing {
    /// None for stdin.
    path: Option<PathBuf>,
    name: String,
}

/// A file that is on the server.
struct Sent {
    /// The name that it was to have.
    name: String,
    uploaded: Uploaded,
    bytes: u64,
    /// Whether there was a file of that name before.
    existed: bool,
}

/// Uploads files and prints the values that name them.
pub(crate) async fn upload(settings: &Settings, printer: &Printer, args: Upload) -> Exit {
    let files = match outgoing(&args) {
        Ok(files) => files,
        Err(failure) => return fail(printer, &failure),
    };
    long(settings, printer, "stopped; the server has what was printed", async |client: &Client| {
        let lines = printer.live().transfers(files.len());
        let sends: Vec<_> = files.iter().map(|file| send(client, &lines, &args, file)).collect();
        let mut sends = futures_util::stream::iter(sends).buffered(AT_ONCE);
        let mut failure = None;
        while let Some(sent) = sends.next().await {
            match sent {
                Ok(sent) => tell(printer, &sent, args.overwrite || args.mask_of.is_some()),
                Err(error) => next_failure(&mut failure, error, printer)?,
            }
        }
        failure.map_or(Ok(()), Err)
    })
    .await
}

/// Keeps what went wrong with one of several files for the end, and tells of the one before it. Without a server there
/// is no use in going on.
pub(crate) fn next_failure(
    failure: &mut Option<Failure>,
    next: Failure,
    printer: &Printer,
) -> Result<(), Failure> {
    if next.exit == Exit::Unreachable {
        return Err(next);
    }
    if let Some(earlier) = failure.replace(next) {
        printer.error(&earlier);
    }
    Ok(())
}

/// Finds out before anything is sent what cannot be.
fn outgoing(args: &Upload) -> Result<Vec<Outgoing>, Failure> {
    let several = args.files.len() > 1;
    for (option, is_given) in [("--name", args.name.is_some()), ("--mask-of", args.mask_of.is_some())] {
        if several && is_given {
            return Err(Failure::usage(
                "usage",
                format!("`{option}` is for one file, and there are several"),
            )
            .with_hint("upload them one by one"));
        }
    }
    for (what, path) in [("subfolder", Some(&args.subfolder)), ("name", args.name.as_ref())] {
        if let Some(path) = path.filter(|path| leads_out(path)) {
            let message = format!("the {what} `{}` leads out of the server's folder", one_line(path));
            return Err(
                Failure::usage("usage", message).with_hint("give one below it, such as `faces/today`")
            );
        }
    }
    args.files.iter().map(|path| one(path, args.name.as_deref(), several)).collect()
}

/// Whether a path leads out of the folder of the server below which it is, as servers see it.
pub(crate) fn leads_out(path: &str) -> bool {
    path.starts_with(['/', '\\']) || path.split(['/', '\\']).any(|part| part == "..")
}

fn one(path: &Path, name: Option<&str>, several: bool) -> Result<Outgoing, Failure> {
    let shown = one_line(&path.display().to_string());
    if path == Path::new("-") {
        return match name {
            Some(name) => Ok(Outgoing { path: None, name: name.to_owned() }),
            None if several => Err(Failure::usage("usage", "stdin cannot be one of several files")
                .with_hint("upload it alone: `comfyctl upload - --name NAME`")),
            None => Err(Failure::usage("usage", "what comes from stdin has no name")
                .with_hint("give it one with `--name NAME`")),
        };
    }
    let metadata = std::fs::metadata(path)
        .map_err(|error| Failure::of_file("io", &format!("cannot read {shown}"), &error))?;
    if metadata.is_dir() {
        return Err(Failure::usage("io", format!("{shown} is a folder, not a file")).with_hint(format!(
            "upload what is in it: `comfyctl upload {}/*`",
            shown.trim_end_matches('/')
        )));
    }
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.map(str::to_owned).or(own).unwrap_or_default();
    Ok(Outgoing { path: Some(path.to_owned()), name })
}

async fn send(client: &Client, lines: &Transfers, args: &Upload, file: &Outgoing) -> Result<Sent, Failure> {
    let line = lines.transfer(&file.name);
    let subfolder = args.subfolder.trim_end_matches(['/', '\\']);
    let folder = args.folder.as_str();
    let wanted = FileRef { subfolder: subfolder.into(), folder: folder.into(), ..FileRef::new(&file.name) };
    // What the server makes of a name that is taken, it does not say.
    let existed = !args.overwrite && client.file_info(&wanted).await.is_ok();
    let mut bytes = 0;
    let mut report = line.reporter();
    let upload = match &file.path {
        Some(path) => client.upload(path).name(&file.name),
        None => client.upload_stream(&file.name, ReaderStream::new(tokio::io::stdin()), None),
    };
    let mut upload = upload.subfolder(subfolder).folder(folder).overwrite(args.overwrite);
    if let Some(original) = &args.mask_of {
        upload = upload.mask_of(&FileRef::from_input_value(original, "input"));
    }
    let sent = upload.on_progress(|sent, size| {
        bytes = sent;
        report(sent, size);
    });
    let uploaded = sent.await?;
    line.done();
    Ok(Sent { name: file.name.clone(), uploaded, bytes, existed })
}

fn tell(printer: &Printer, sent: &Sent, replaces: bool) {
    let Sent { name, uploaded, bytes, existed } = sent;
    let file = uploaded.file();
    let value = uploaded.input_value();
    let existed = *existed && !replaces && uploaded.name == *name;
    if printer.is_json() {
        printer.json(&json!({
            "type": "uploaded",
            "value": value,
            "file": {"filename": file.filename, "subfolder": file.subfolder, "type": file.folder},
            "bytes": bytes,
            "existed": existed,
        }));
        return;
    }
    let shown = one_line(name);
    if existed {
        printer.note(&format!("`{shown}` was on the server already, with the same content"));
    } else if uploaded.name != *name {
        let given = one_line(&uploaded.name);
        printer.note(&format!("the server has another `{shown}`, and calls this one `{given}`"));
    }
    // It is the server's word, and one line.
    let is_plain = printer.width().is_none() && !value.contains(char::is_control);
    printer.line(&if is_plain { value } else { visible(&value) });
}
