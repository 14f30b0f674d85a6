//! `models`: what the server has in its folders of models.

use comfy_api_client::Client;
use comfy_api_client::protocol::routes::models::ModelFile;
use comfy_api_client::workflow::schema::most_similar;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};

use crate::args::{Models, ModelsAction};
use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::Table;
use crate::render::text::size;
use crate::render::time::{changed, changed_in_column};
use crate::settings::Settings;

/// Questions for folders that are under way at the same time.
const MOST_AT_ONCE: usize = 8;

/// Lists models, or shows one.
pub(crate) async fn models(settings: &Settings, printer: &Printer, args: Models) -> Exit {
    request(settings, printer, async |client: &Client| match &args.action {
        None | Some(ModelsAction::Ls { folder: None }) => list_folders(client, printer).await,
        Some(ModelsAction::Ls { folder: Some(folder) }) => list(client, printer, folder).await,
        Some(ModelsAction::Show { name }) => show(client, printer, name).await,
    })
    .await
}

async fn list_folders(client: &Client, printer: &Printer) -> Result<(), Failure> {
    let folders = client.model_folder_details().await?;
    let counted = folders.into_iter().map(async |folder| {
        let files = client.models(&folder.name).await?.len();
        Ok::<_, Failure>((folder, files))
    });
    let counted: Vec<_> = futures_util::stream::iter(counted).buffered(MOST_AT_ONCE).try_collect().await?;
    if counted.is_empty() {
        printer.note("the server has no folders of models");
    }
    let mut table = Table::new(["FOLDER", "FILES", "WHERE"]);
    for (folder, files) in &counted {
        printer.json(&json!({
            "type": "model_folder", "name": folder.name, "files": files, "folders": folder.folders,
            "extensions": folder.extensions,
        }));
        table.row([&folder.name, &format!("{files:>5}"), &folder.folders.join(", ")]);
    }
    if !printer.is_json() {
        printer.table(&table);
    }
    Ok(())
}

async fn list(client: &Client, printer: &Printer, folder: &str) -> Result<(), Failure> {
    let files = match client.model_files(folder).await {
        Ok(files) => files,
        Err(error) if error.status() == Some(404) => return Err(no_folder(client, folder).await),
        Err(error) => return Err(error.into()),
    };
    if files.is_empty() {
        printer.note(&format!("the folder {} holds no models", one_line(folder)));
    }
    let mut table = Table::new(["SIZE", "MODIFIED", "NAME"]);
    for file in &files {
        printer.json(&model(folder, file));
        let time = changed_in_column(file.modified, printer.width());
        table.row([&format!("{:>10}", size(file.size)), &time, &file.name]);
    }
    if !printer.is_json() {
        printer.table(&table);
    }
    Ok(())
}

fn model(folder: &str, file: &ModelFile) -> Value {
    json!({
        "type": "model", "folder": folder, "name": file.name, "size": file.size, "modified": file.modified,
        "created": file.created,
    })
}

async fn no_folder(client: &Client, folder: &str) -> Failure {
    let failure =
        Failure::new(Exit::Failure, "not_found", format!("no folder of models `{}`", one_line(folder)));
    let folders = client.model_folders().await.unwrap_or_default();
    match most_similar(folder, folders.iter().map(String::as_str)) {
        Some(near) => failure.with_hint(format!("did you mean `{}`?", one_line(near))),
        None => failure.with_hint("see which there are with `comfyctl models`"),
    }
}

/// A model: its folder and its name there.
type Found = (String, String);

async fn show(client: &Client, printer: &Printer, wanted: &str) -> Result<(), Failure> {
    let (folder, name) = find(client, wanted).await?;
    let files = client.model_files(&folder).await?;
    let file = files.iter().find(|file| file.name == name);
    let metadata = client.model_metadata(&folder, &name).await?;
    if printer.is_json() {
        let mut line = file.map_or_else(
            || json!({"type": "model", "folder": folder, "name": name}),
            |file| model(&folder, file),
        );
        line["metadata"] = metadata.map_or(Value::Null, Value::Object);
        printer.json(&line);
        return Ok(());
    }
    let mut table = Table::new(["WHAT", "VALUE"]);
    table.row(["folder", &folder]);
    table.row(["name", &name]);
    if let Some(file) = file {
        table.row(["size", &size(file.size)]);
        table.row(["modified", &changed(file.modified)]);
    }
    add_metadata(&mut table, metadata.as_ref());
    printer.table(&table);
    if metadata.is_none_or(|metadata| metadata.is_empty()) {
        printer.note("the file carries no metadata");
    }
    Ok(())
}

fn add_metadata(table: &mut Table<2>, metadata: Option<&Map<String, Value>>) {
    for (key, value) in metadata.into_iter().flatten() {
        match value {
            Value::String(text) => table.row([key, text]),
            other => table.row([key, &other.to_string()]),
        }
    }
}

/// The one model that is called so.
async fn find(client: &Client, wanted: &str) -> Result<Found, Failure> {
    let folders = client.model_folder_details().await?.into_iter().map(|folder| folder.name);
    let named = folders.map(async |folder| {
        let names = client.models(&folder).await?;
        Ok::<_, Failure>(names.into_iter().map(|name| (folder.clone(), name)).collect::<Vec<_>>())
    });
    let named = futures_util::stream::iter(named).buffered(MOST_AT_ONCE);
    let all: Vec<Found> = named.try_collect::<Vec<_>>().await?.into_iter().flatten().collect();
    let mut called = called(&all, wanted);
    match (called.pop(), called.pop()) {
        (Some(found), None) => Ok(found.clone()),
        (Some(last), Some(other)) => {
            called.extend([other, last]);
            let several: Vec<String> =
                called.iter().take(10).map(|(folder, name)| one_line(&format!("{folder}/{name}"))).collect();
            let message = format!("{} models are called `{}`", called.len(), one_line(wanted));
            Err(Failure::usage("ambiguous", message)
                .with_hint(format!("name one of them: {}", several.join(", "))))
        }
        (None, _) => {
            let message = format!("no model `{}`", one_line(wanted));
            let failure = Failure::new(Exit::Failure, "not_found", message);
            let near = most_similar(wanted, all.iter().map(|(_, name)| name.as_str()))
                .or_else(|| most_similar(wanted, all.iter().map(|(_, name)| file_name(name))));
            Err(match near {
                Some(near) => failure.with_hint(format!("did you mean `{}`?", one_line(near))),
                None => failure.with_hint("see which there are with `comfyctl models ls FOLDER`"),
            })
        }
    }
}

/// The models of a name: a whole one counts more than a part of one.
fn called<'a>(all: &'a [Found], wanted: &str) -> Vec<&'a Found> {
    // Servers on Windows have other separators.
    let wanted = wanted.replace('\\', "/");
    let ways: [fn(&Found) -> String; 6] = [
        |(folder, name)| format!("{folder}/{}", name.replace('\\', "/")),
        |(_, name)| name.replace('\\', "/"),
        |(_, name)| file_name(name).to_owned(),
        |(folder, name)| format!("{folder}/{}", stem(&name.replace('\\', "/"))),
        |(_, name)| stem(&name.replace('\\', "/")).to_owned(),
        |(_, name)| stem(file_name(name)).to_owned(),
    ];
    let found = ways.iter().map(|way| all.iter().filter(|found| way(found) == wanted).collect::<Vec<_>>());
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}

fn stem(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_found_by_its_whole_name_or_a_part_of_it() {
        let all: Vec<Found> = [
            ("checkpoints", "sd\\base.safetensors"),
            ("checkpoints", "base.ckpt"),
            ("loras", "detail.safetensors"),
            ("vae", "detail.safetensors"),
        ]
        .map(|(folder, name)| (folder.to_owned(), name.to_owned()))
        .to_vec();
        let names = |wanted| {
            let found = called(&all, wanted).into_iter();
            found.map(|(folder, name)| format!("{folder}:{name}")).collect::<Vec<_>>()
        };
        assert_eq!(names("sd/base"), ["checkpoints:sd\\base.safetensors"]);
        assert_eq!(names("base.safetensors"), ["checkpoints:sd\\base.safetensors"]);
        assert_eq!(names("base"), ["checkpoints:base.ckpt"]);
        assert_eq!(names("detail"), ["loras:detail.safetensors", "vae:detail.safetensors"]);
        assert_eq!(names("vae/detail"), ["vae:detail.safetensors"]);
        assert!(names("nothing").is_empty());
    }
}
