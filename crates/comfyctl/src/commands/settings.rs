//! `settings`: those of the editor, as the server keeps them.

use comfy_api_client::workflow::schema::most_similar;
use comfy_api_client::{Client, Error};
use serde_json::{Value, json};

use crate::args::{SettingsAction, SettingsArgs};
use crate::commands::request::request;
use crate::exit::Exit;
use crate::failure::{Failure, one_line};
use crate::printer::Printer;
use crate::render::table::{Table, visible};
use crate::settings::Settings;

/// Lists, reads and changes settings.
pub(crate) async fn settings(settings: &Settings, printer: &Printer, args: SettingsArgs) -> Exit {
    request(settings, printer, async |client: &Client| match &args.action {
        None | Some(SettingsAction::Ls) => list(client, printer).await,
        Some(SettingsAction::Get { id }) => get(client, printer, id).await,
        Some(SettingsAction::Set { id, value }) => set(client, printer, id, value).await,
    })
    .await
}

/// A failure of what a server keeps for each of its users.
pub(crate) fn of_user(error: Error) -> Failure {
    match error.status() {
        // Servers with several users are not of one mind about those that they do not know.
        Some(401 | 403 | 500) => Failure::from(error)
            .with_hint("where the server has several users, say who you are: `--header 'comfy-user: ID'`"),
        _ => error.into(),
    }
}

fn line(id: &str, value: &Value) -> Value {
    json!({"type": "setting", "id": id, "value": value})
}

async fn list(client: &Client, printer: &Printer) -> Result<(), Failure> {
    let mut settings = client.settings().await.map_err(of_user)?;
    settings.sort_keys();
    if settings.is_empty() {
        printer.note("no setting was changed");
    }
    let mut table = Table::new(["SETTING", "VALUE"]);
    for (id, value) in &settings {
        printer.json(&line(id, value));
        // As `set` takes it: a text that could be something else has its quotes.
        let is_text = |text: &str| !matches!(given(text), Value::String(same) if same == text);
        match value {
            Value::String(text) if !is_text(text) => table.row([id, text]),
            other => table.row([id, &other.to_string()]),
        }
    }
    if !printer.is_json() {
        printer.table(&table);
    }
    Ok(())
}

async fn get(client: &Client, printer: &Printer, id: &str) -> Result<(), Failure> {
    let Some(value) = client.setting::<Value>(id).await.map_err(of_user)? else {
        let failure =
            Failure::new(Exit::Failure, "not_found", format!("the setting `{}` is not set", one_line(id)));
        let settings = client.settings().await.unwrap_or_default();
        let near = most_similar(id, settings.keys().map(String::as_str).filter(|near| *near != id));
        return Err(match near {
            Some(near) => failure.with_hint(format!("did you mean `{}`?", one_line(near))),
            None => failure.with_hint("see which are set with `comfyctl settings`"),
        });
    };
    match &value {
        _ if printer.is_json() => printer.json(&line(id, &value)),
        Value::String(text) if printer.width().is_some() => {
            text.lines().for_each(|line| printer.line(&visible(line)));
        }
        Value::String(text) => printer.line(text),
        other if printer.width().is_some() => printer.line(&visible(&other.to_string())),
        other => printer.line(&other.to_string()),
    }
    Ok(())
}

async fn set(client: &Client, printer: &Printer, id: &str, text: &str) -> Result<(), Failure> {
    let value = given(text);
    client.change_setting(id, &value).await.map_err(of_user)?;
    printer.json(&line(id, &value));
    let kind = match &value {
        Value::String(_) => "the text ",
        Value::Number(_) => "the number ",
        Value::Array(_) => "the list ",
        Value::Object(_) => "the object ",
        Value::Bool(_) | Value::Null => "",
    };
    printer.note(&format!("{} is now {kind}{}", one_line(id), one_line(&value.to_string())));
    Ok(())
}

/// JSON where it is that, else a text.
fn given(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
