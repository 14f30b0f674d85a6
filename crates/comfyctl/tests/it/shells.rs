//! `completions`, `man`, and the help.

use std::process::Command;

use crate::support::{Place, Ran, ended};

/// The paths of all commands, as the manual pages tell them.
fn commands(place: &Place) -> Vec<Vec<String>> {
    let ran = place.run(&["man", "-o", "man"]);
    assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)));
    let stem = |path: &str| {
        let name = path.rsplit(['/', '\\']).next().unwrap().trim_end_matches(".1").to_owned();
        name.split('-').skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    ran.stdout.lines().map(stem).collect()
}

#[test]
fn the_completions_of_every_shell_name_every_command() {
    let place = Place::new();
    let commands = commands(&place);
    assert!(commands.contains(&vec!["nodes".into(), "show".into()]), "{commands:?}");
    for shell in ["bash", "zsh", "fish", "powershell", "nushell", "elvish"] {
        let ran = place.run(&["completions", shell]);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{shell}");
        for name in commands.iter().flatten() {
            assert!(ran.stdout.contains(name.as_str()), "{shell}: {name}");
        }
        assert!(ran.stdout.contains("object-info"), "{shell}");
    }
}

#[test]
fn the_shells_that_are_here_take_their_completions() {
    let place = Place::new();
    for (shell, check) in [
        ("bash", &["bash", "-n"][..]),
        ("zsh", &["zsh", "-n"]),
        ("fish", &["fish", "-n"]),
        ("nushell", &["nu", "--ide-check", "9"]),
    ] {
        place.write(shell, place.run(&["completions", shell]).stdout);
        match Command::new(check[0]).args(&check[1..]).arg(place.path(shell)).output() {
            Ok(output) => assert!(output.status.success() && output.stderr.is_empty(), "{shell}: {output:?}"),
            Err(error) => eprintln!("skipped: {} cannot be run: {error}", check[0]),
        }
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_subcommands_and_options() {
    let place = Place::new();
    place.write("comfyctl.bash", place.run(&["completions", "bash"]).stdout);
    let completed = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let script = format!(
            "source comfyctl.bash; COMP_WORDS=({line}); [[ -z \"{last}\" ]] && COMP_WORDS+=(''); COMP_CWORD={at}; \
             _comfyctl comfyctl '{last}' '{before}' 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
            last = words[words.len() - 1],
            at = words.len() - 1,
            before = words[words.len() - 2],
        );
        let output = place.program("bash").args(["-c", &script]).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(completed("comfyctl no").lines().any(|word| word == "nodes"));
    assert!(completed("comfyctl nodes sh").lines().any(|word| word == "show"));
    assert!(completed("comfyctl completions ").lines().any(|word| word == "nushell"));
    assert!(completed("comfyctl nodes --out").lines().any(|word| word == "--output-type"));
}

#[test]
fn a_shell_that_is_not_known_is_told_with_those_that_are() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["completions", "tcsh"]), @"
    error: invalid value 'tcsh' for '<SHELL>'
      [possible values: bash, zsh, fish, powershell, nushell, elvish]

      tip: a similar value exists: 'zsh'

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn every_command_has_a_page_with_examples_and_exit_codes() {
    let place = Place::new();
    let pages: Vec<_> = commands(&place)
        .into_iter()
        .map(|command| {
            place.path(&format!("man/{}.1", [vec!["comfyctl".into()], command].concat().join("-")))
        })
        .collect();
    for path in &pages {
        let page = std::fs::read_to_string(path).unwrap();
        assert!(page.contains(".SH EXAMPLES\n.nf\n") && page.contains(".SH \"EXIT STATUS\""), "{path:?}");
        assert!(page.is_ascii(), "not every roff reads more: {path:?}");
    }
    match Command::new("groff").args(["-Tutf8", "-man", "-ww"]).args(&pages).output() {
        Ok(output) => assert!(output.stderr.is_empty(), "{output:?}"),
        Err(error) => eprintln!("skipped: groff cannot be run: {error}"),
    }
}

#[test]
fn a_page_can_be_printed() {
    let place = Place::new();
    commands(&place);
    let written = std::fs::read_to_string(place.path("man/comfyctl-nodes-show.1")).unwrap();
    assert_eq!(place.run(&["man", "nodes", "show"]).stdout, written);
    assert!(place.run(&["man"]).stdout.contains(".TH comfyctl 1"));
    assert!(
        place
            .run(&["man", "run", "--json"])
            .stdout
            .starts_with(r#"{"type":"page","command":"comfyctl run","#)
    );
}

#[test]
fn a_page_of_a_command_that_there_is_not() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["man", "nodes", "lst"]), @"
    error: `comfyctl nodes` has no command `lst`
    hint: see `comfyctl --help`

    exit code 2
    ");
    place.write("file", "");
    insta::assert_snapshot!(place.run(&["man", "-o", "file"]), @"
    error: cannot make the folder file: a file of that name is in the way

    exit code 2
    ");
}

#[test]
fn the_first_page_of_the_help_begins_with_run_and_tells_of_everything() {
    let place = Place::new();
    let ran = place.run(&["--help"]);
    let page = &ran.stdout;
    assert_eq!(ran.code, Some(0));
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text}: {page}"));
    assert!(page.lines().nth(5).unwrap().starts_with("  run "), "{page}");
    assert!(at("Run workflows:") < at("Look around a server:"));
    assert!(at("Options:") < at("Examples:") && at("Environment:") < at("Config file:"));
    assert!(at("config.toml") < at("[servers.gpu1]") && at("[servers.gpu1]") < at("Exit codes:"));
    let same = |args: &[&str]| assert_eq!(&place.run(args).stdout, page);
    same(&["help"]);
    let short = place.run(&["-h"]);
    assert!(short.stdout.contains("  run ") && short.stdout.len() < page.len(), "{short}");
    assert_eq!(place.run(&[]).stderr, short.stdout, "no arguments are a question");
    let mut command = place.comfyctl(&[]);
    command.env("COMFYUI_URL", "gpu1:8188");
    assert_eq!(ended(command, "").stderr, short.stdout, "wherever the server is");
}

#[test]
fn help_for_a_command_is_what_it_says_itself() {
    let place = Place::new();
    let text = |ran: Ran| (ran.stdout, ran.code);
    assert_eq!(text(place.run(&["help", "run"])), text(place.run(&["run", "--help"])));
    let ran = place.run(&["help", "nodes", "show"]);
    assert!(ran.stdout.contains("Usage: comfyctl nodes show") && ran.stdout.contains("Exit codes:"), "{ran}");
    insta::assert_snapshot!(place.run(&["nods"]), @"
    error: unrecognized subcommand 'nods'

      tip: some similar subcommands exist: 'models', 'nodes'

    Usage: comfyctl [OPTIONS] <COMMAND>

    For more information, try '--help'.

    exit code 2
    ");
}
