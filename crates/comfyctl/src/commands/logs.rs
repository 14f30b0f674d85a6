//! `logs`: what the server writes.

use anstream::adapter::strip_str;
use comfy_api_client::{Client, Error, LogEvent, LogLine, LogLines};
use serde_json::json;

use crate::args::Logs;
use crate::commands::request::{long, request};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::printer::Printer;
use crate::render::live::TextLine;
use crate::render::table::visible;
use crate::settings::Settings;

/// Prints the log of a server, and goes on with it if that is wanted.
pub(crate) async fn logs(settings: &Settings, printer: &Printer, args: Logs) -> Exit {
    if !args.follow {
        return request(settings, printer, async |client: &Client| {
            let mut lines = LogLines::new();
            let entries = client.log_entries().await.map_err(no_log)?.entries;
            let mut all: Vec<LogLine> = entries.iter().flat_map(|entry| lines.push(entry)).collect();
            all.extend(lines.finish());
            if all.is_empty() {
                printer.note("the log is empty");
            }
            print_last(printer, &args, &all);
            Ok(())
        })
        .await;
    }
    long(settings, printer, "stopped", async |client: &Client| follow(client, printer, &args).await).await
}

fn no_log(error: Error) -> Failure {
    match error.status() {
        Some(404) => Failure::new(Exit::Failure, "not_found", "the server does not give its log")
            .with_hint("a proxy may keep `/internal/logs` back; ask at the server itself"),
        _ => error.into(),
    }
}

async fn follow(client: &Client, printer: &Printer, args: &Logs) -> Result<(), Failure> {
    let mut lines = LogLines::new();
    let mut events = client.follow_logs();
    let mut is_first = true;
    // The bar that the server draws at present.
    let mut bar: Option<TextLine> = None;
    while let Some(event) = events.next().await {
        match event.map_err(no_log)? {
            LogEvent::Entries(entries) => {
                let new: Vec<LogLine> = entries.iter().flat_map(|entry| lines.push(entry)).collect();
                if is_first {
                    print_last(printer, args, &new);
                } else {
                    new.iter().for_each(|line| print(printer, args, line));
                }
                is_first = false;
                match lines.unfinished() {
                    Some(line) => {
                        bar.get_or_insert_with(|| printer.live().text()).show(&plain(&line.text));
                    }
                    None => bar = None,
                }
            }
            LogEvent::Lost => printer.note("the server does not answer; it is asked again every second"),
            LogEvent::Back => printer.note("the server answers again"),
            _ => {}
        }
    }
    Ok(())
}

fn print_last(printer: &Printer, args: &Logs, lines: &[LogLine]) {
    let first = args.lines.map_or(0, |most| lines.len().saturating_sub(most));
    lines[first..].iter().for_each(|line| print(printer, args, line));
}

fn print(printer: &Printer, args: &Logs, line: &LogLine) {
    if printer.is_json() {
        let text = strip_str(&line.text).to_string();
        printer.json(&json!({"type": "log", "time": line.time, "text": text}));
        return;
    }
    let text = plain(&line.text);
    if args.times {
        // Without what is below a second.
        let time = line.time.split('.').next().unwrap_or_default().replace('T', " ");
        printer.line(&format!("{}  {text}", visible(&time)));
    } else {
        printer.line(&text);
    }
}

/// A text without colours, and with nothing in it that acts on a terminal.
fn plain(text: &str) -> String {
    visible(&strip_str(text).to_string().replace('\t', "    ")).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_left_out_and_other_commands_are_written_out() {
        assert_eq!(plain("\u{1b}[32m[INFO]\u{1b}[0m a\tb "), "[INFO] a    b");
        let acting = plain("a\u{1b}]0;title\u{7}b\u{1b}[2Jc\u{9b}31md\u{202e}\u{8}");
        assert!(!acting.contains(|c: char| c.is_control() || c == '\u{202e}'), "{acting}");
        assert_eq!(plain("100%|█████| 20/20"), "100%|█████| 20/20");
    }
}
