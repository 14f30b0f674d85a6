//! Command lines that are wrong, and help.

use crate::support::{Place, example};

#[test]
fn an_unknown_option() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", "a.json", "--nonsense"]), @"
    error: unexpected argument '--nonsense' found

      tip: to pass '--nonsense' as a value, use '-- --nonsense'

    Usage: comfyctl run <WORKFLOW>

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn a_misspelt_option() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", "a.json", "--sett", "1.width=5"]), @"
    error: unexpected argument '--sett' found

      tip: a similar argument exists: '--set'

    Usage: comfyctl run --set <NODE.INPUT=VALUE> <WORKFLOW>

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn a_time_limit_that_is_none() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", "a.json", "--timeout", "1x"]), @"
    error: invalid value '1x' for '--timeout <DURATION>': it is no duration; write it as 90s, 10m or 1h30m

    For more information, try '--help'.

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["run", "a.json", "--timeout", "0"]), @"
    error: invalid value '0' for '--timeout <DURATION>': it must be longer than nothing

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn a_header_that_is_none() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run", "a.json", "--header", "X-Key"]), @"
    error: invalid value 'X-Key' for '--header <NAME: VALUE>': it has no colon; write it as `Name: value`

    For more information, try '--help'.

    exit code 2
    ");
    let hello = example("hello.json");
    insta::assert_snapshot!(place.run(&["run", &hello, "-s", "embedded", "--header", "a b: c"]), @"
    error: `a b` is no name of a header

    exit code 2
    ");
}

#[test]
fn a_run_without_a_workflow() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["run"]), @"
    error: the following required arguments were not provided:
      <WORKFLOW>

    Usage: comfyctl run <WORKFLOW>

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn an_unknown_command() {
    let place = Place::new();
    insta::assert_snapshot!(place.run(&["rum"]), @"
    error: unrecognized subcommand 'rum'

      tip: a similar subcommand exists: 'run'

    Usage: comfyctl [OPTIONS] <COMMAND>

    For more information, try '--help'.

    exit code 2
    ");
}

#[test]
fn no_command_shows_the_help_and_is_a_mistake() {
    let place = Place::new();
    let ran = place.run(&[]);
    assert_eq!((ran.stdout.as_str(), ran.code), ("", Some(2)));
    assert!(ran.stderr.contains("Usage: comfyctl"), "{ran}");
}

#[test]
fn help_and_version_go_to_stdout_and_are_no_mistake() {
    let place = Place::new();
    for args in
        [&["--help"][..], &["run", "--help"], &["extract", "--help"], &["serve", "-h"], &["--version"]]
    {
        let ran = place.run(args);
        assert_eq!((ran.stderr.as_str(), ran.code), ("", Some(0)), "{args:?}");
        assert!(ran.stdout.contains("comfyctl"), "{ran}");
        assert!(ran.stdout.lines().all(|line| line.chars().count() <= 100), "{ran}");
    }
    assert!(place.run(&["run", "--help"]).stdout.contains("Exit codes:"));
}

#[test]
fn errors_are_coloured_only_when_that_is_asked_for() {
    let place = Place::new();
    let missing = ["run", "missing.json", "-s", "embedded"];
    assert!(!place.run(&missing).stderr.contains('\x1b'));
    assert!(place.run(&[&missing[..], &["--color", "always"]].concat()).stderr.contains("\x1b[31m"));
}

#[test]
fn quiet_says_nothing_but_errors() {
    let place = Place::new();
    let ran = place.run(&["run", "missing.json", "-s", "embedded", "-q"]);
    assert!(ran.stderr.starts_with("error: "), "{ran}");
}
