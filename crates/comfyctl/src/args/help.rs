//! The first page of the help: what there is, by what it is for.

use std::path::Path;

use clap::{Command, CommandFactory};

use super::Args;
use crate::config;

/// Commands by what they are for, in the order in which somebody new meets them. What is in none comes with the last.
const GROUPS: [(&str, &[&str]); 6] = [
    ("Run workflows", &["run", "submit", "wait", "status", "fetch", "watch"]),
    ("Manage a server", &["queue", "jobs", "history", "cancel", "interrupt", "free"]),
    ("Files on a server", &["upload", "download", "userdata"]),
    ("Look around a server", &["nodes", "models", "stats", "features", "logs", "settings"]),
    ("Workflow files", &["show", "validate", "convert", "extract", "graph", "diff"]),
    ("More", &["serve", "completions", "man"]),
];

const SHORT: &str = "\
Examples and exit codes of one: comfyctl COMMAND --help
The config file, and all codes: comfyctl --help";

/// The options of the short page, which has to show the commands first of all.
const OPTIONS: &str = "\
Options:
  -s, --server <URL|NAME>  The server; `embedded` is one
                           inside this process
      --json               Print JSON lines
  -h, --help               Print this; --help tells all
  -V, --version            Print the version";

const EXAMPLES: &str = "\
Examples:
  comfyctl run workflow.json -o out
  comfyctl run workflow.json --set KSampler.steps=30
  comfyctl run picture.png --seed random -s gpu1
  comfyctl run workflow.json -s embedded   (without a GPU)
  comfyctl nodes search upscale
  comfyctl stats --json | jq .system.comfyui_version

Environment:
  COMFYUI_URL         the server, as --server
  COMFYUI_TOKEN       the token, as --token
  COMFYCTL_CONFIG     the config file, as --config
  COMFYCTL_CACHE_DIR  where node schemas are kept, or `off`
  COMFYCTL_LOG        what to log, such as `debug`
  NO_COLOR            no colours";

const CONFIG: &str = "
  server = \"gpu1\"      # where no -s is given

  [servers.gpu1]       # used as `-s gpu1`
  url = \"http://gpu1:8188\"
  token = \"secret\"     # or: headers, insecure, ca, …";

const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    the workflow failed, or there is nothing called so
  2    wrong usage
  3    the server cannot be reached, or answered nonsense
  4    the workflow was rejected, and nothing ran
  5    the time limit was reached
  6    the workflow was interrupted on the server
  130  stopped by Ctrl-C";

/// The command line with its whole help. It takes a little while to make, so that it is made only to be read.
pub(crate) fn command() -> Command {
    let command = Args::command();
    let after = format!("{EXAMPLES}\n\nConfig file:\n  {}\n{CONFIG}\n\n{EXIT_CODES}", config_path());
    command.after_help(SHORT).after_long_help(after).mut_subcommands(handed_down)
}

/// Has the examples and exit codes of a command under its subcommands too, where those have none of their own.
fn handed_down(command: Command) -> Command {
    let Some(help) = command.get_after_long_help().cloned() else { return command };
    command.mut_subcommands(|inner| {
        let has_own = inner.get_after_long_help().is_some();
        handed_down(if has_own { inner } else { inner.after_long_help(help.clone()) })
    })
}

/// Where the config file is, for whoever it is.
fn config_path() -> String {
    let Some(path) = config::usual_path() else { return String::new() };
    let home = etcetera::home_dir().ok();
    match home.as_ref().and_then(|home| path.strip_prefix(home).ok()) {
        Some(below) => Path::new("~").join(below).display().to_string(),
        None => path.display().to_string(),
    }
}

/// The same with the commands in their groups, which clap does not have; in short, or with all options.
pub(crate) fn grouped(is_long: bool) -> Command {
    let command = command();
    let options = if is_long { "{all-args}" } else { OPTIONS };
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{}\n\n{options}{{after-help}}",
        groups(&command)
    );
    // Those that are hidden are not named in the usage either.
    let usage = "comfyctl [OPTIONS] <COMMAND>";
    let command = command.override_usage(usage).help_template(template);
    command.mut_subcommands(|command| reflowed(command).hide(true))
}

/// Has what stands below the options wrapped to the terminal, paragraph by paragraph.
fn reflowed(command: Command) -> Command {
    let command = command.mut_subcommands(reflowed);
    let Some(text) = command.get_after_long_help().map(ToString::to_string) else { return command };
    let is_text = |line: &str| !line.is_empty() && !line.starts_with(' ');
    let mut whole = String::with_capacity(text.len());
    let mut last = "";
    for line in text.lines() {
        if !whole.is_empty() {
            whole.push(if is_text(last) && is_text(line) { ' ' } else { '\n' });
        }
        whole.push_str(line);
        last = line;
    }
    command.after_long_help(whole)
}

fn groups(command: &Command) -> String {
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let grouped = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (place, (title, members)) in GROUPS.into_iter().enumerate() {
        let is_last = place + 1 == GROUPS.len();
        let others = names.iter().copied().filter(|name| is_last && !grouped(name));
        let members: Vec<&Command> = members
            .iter()
            .copied()
            .chain(others)
            .filter_map(|name| command.get_subcommands().find(|command| command.get_name() == name))
            .collect();
        if members.is_empty() {
            continue;
        }
        text.push_str(&format!("{title}:\n"));
        for member in members {
            let about = member.get_about().map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  {:width$}  {about}\n", member.get_name()));
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_page_fits_into_60_columns() {
        let page = groups(&command());
        let lines = [SHORT, OPTIONS, EXAMPLES, CONFIG, EXIT_CODES, &page].into_iter().flat_map(str::lines);
        for line in lines {
            assert!(line.chars().count() <= 60, "{line}");
        }
    }

    #[test]
    fn every_command_is_there_once_and_run_is_the_first() {
        let command = command();
        let page = groups(&command);
        for name in command.get_subcommands().map(Command::get_name) {
            let line = format!("\n  {name}  ");
            assert_eq!(page.matches(&line).count(), 1, "{name}: {page}");
        }
        assert!(page.starts_with("Run workflows:\n  run "), "{page}");
    }

    #[test]
    fn every_command_has_examples_and_exit_codes() {
        fn check(command: &Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("Examples:") && help.contains("Exit codes"), "{path}");
            command.get_subcommands().for_each(|inner| check(inner, &path));
        }
        check(&command(), "");
    }
}
