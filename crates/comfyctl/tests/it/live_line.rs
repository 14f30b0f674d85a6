//! `run` on a terminal: the line that lives, pictures as they sharpen, and how the terminal is left.

use std::time::Duration;

use comfy_sim::{PreviewMethod, Sim};

use crate::pty::{Left, Terminal};
use crate::support::{FOREVER, Place, example, sampling, slow_sim, started};

/// A server whose sampler takes that long for a step, and shows what it makes.
fn sampler(step: Duration) -> Sim {
    started(Sim::builder().any_model(true).step_time(step).preview_method(PreviewMethod::Auto))
}

fn is_clean(left: &Left) {
    assert!(!left.cursor_hidden && !left.alternate_screen, "{}", left.screen);
}

#[test]
fn the_line_says_what_runs_and_how_far_it_is_at_60_columns() {
    let (place, sim) = (Place::new(), sampler(Duration::from_millis(300)));
    sampling(&place, 1000);
    let mut terminal = Terminal::start(place, &["run", "cat.json", "-s", &sim.url()], (60, 20), &[]);
    // Two steps and more than a second.
    let screen = terminal.wait_for("left");
    let line = screen.lines().last().unwrap();
    assert!(line.chars().count() < 60, "{line}");
    let words: Vec<&str> = line.split_whitespace().collect();
    let [_, bar, percent, "%", left, "left", ..] = words.as_slice() else { panic!("{line}") };
    // Three of six nodes.
    assert_eq!((*bar, *percent), ("████░░░░", "50"), "{line}");
    let (minutes, _) = left.split_once(':').unwrap();
    // A thousand steps of 0.3 s, or more where the machine has other things to do.
    assert!((4..60).contains(&minutes.parse::<u32>().unwrap()), "{line}");
    assert!(line.contains("The sampler") && line.contains("/1000"), "{line}");
    terminal.send("\x03");
    let left = terminal.end();
    assert_eq!(left.code, 130);
    is_clean(&left);
    insta::assert_snapshot!(left.screen, @"
    cancelling; Ctrl-C again leaves at once
    stopped; the job was cancelled
    ");
}

#[test]
fn a_job_that_waits_says_where() {
    let (place, sim) = (Place::new(), slow_sim());
    let first = Terminal::start(place, &["run", &example("hello.json"), "-s", &sim.url()], (60, 20), &[]);
    first.wait_for("Orange");
    let place = Place::new();
    let second = Terminal::start(place, &["run", &example("hello.json"), "-s", &sim.url()], (32, 20), &[]);
    let line = second.wait_for("waiting");
    assert!(line.chars().count() < 32 && line.contains("waiting at position 1 of 1"), "{line}");
    second.resize(80, 20);
    for mut terminal in [second, first] {
        terminal.send("\x03");
        assert_eq!(terminal.end().code, 130);
    }
}

#[test]
fn a_dumb_terminal_gets_lines_and_nothing_is_drawn() {
    let (place, sim) = (Place::new(), sampler(Duration::from_millis(1)));
    sampling(&place, 4);
    let args = ["run", "cat.json", "-s", &sim.url(), "--show"];
    let left = Terminal::start(place, &args, (60, 20), &[("TERM", "dumb")]).end();
    assert_eq!(left.code, 0);
    insta::assert_snapshot!(left.bytes, @"./cat_00001_.png");
}

#[test]
fn pictures_sharpen_above_the_line_and_the_saved_one_stays() {
    let (place, sim) = (Place::new(), sampler(Duration::from_millis(80)));
    sampling(&place, 12);
    let args = ["run", "cat.json", "-s", &sim.url(), "--show=blocks"];
    let terminal = Terminal::start(place, &args, (60, 20), &[]);
    let is_colored = |screen: &vt100::Screen| {
        let cells = (0..20).filter_map(|row| screen.cell(row, 5));
        cells.filter(|cell| cell.bgcolor() != vt100::Color::Default).count() >= 5
    };
    let screen = terminal.wait("a preview", |screen| is_colored(screen) && screen.contents().contains("/12"));
    assert!(screen.lines().last().unwrap().contains("/12"), "the line is below: {screen}");
    let left = terminal.end();
    assert_eq!(left.code, 0, "{}", left.screen);
    is_clean(&left);
    // The path, and below it the picture.
    let lines: Vec<&str> = left.screen.lines().collect();
    assert!(lines[0].ends_with("cat_00001_.png"), "{}", left.screen);
    assert!(left.bytes.contains("▀"), "{}", left.bytes);
}

#[test]
fn ctrl_c_takes_the_picture_away_and_says_what_became_of_the_job() {
    let (place, sim) = (Place::new(), sampler(Duration::from_millis(100)));
    sampling(&place, 10_000);
    let args = ["run", "cat.json", "-s", &sim.url(), "--show=blocks"];
    let mut terminal = Terminal::start(place, &args, (60, 20), &[]);
    terminal.wait("a preview", |screen| {
        screen.cell(0, 5).is_some_and(|cell| cell.bgcolor() != vt100::Color::Default)
    });
    terminal.send("\x03");
    let left = terminal.end();
    assert_eq!(left.code, 130);
    is_clean(&left);
    insta::assert_snapshot!(left.screen, @"
    cancelling; Ctrl-C again leaves at once
    stopped; the job was cancelled
    ");
}

#[test]
fn a_second_ctrl_c_leaves_at_once() {
    let place = Place::new();
    // A node that does not hear of interrupts before it is done.
    let sim = started(Sim::builder().node_delay(FOREVER));
    let mut terminal =
        Terminal::start(place, &["run", &example("hello.json"), "-s", &sim.url()], (60, 20), &[]);
    terminal.wait_for("Orange");
    terminal.send("\x03");
    terminal.wait_for("cancelling");
    terminal.send("\x03");
    let left = terminal.end();
    assert_eq!(left.code, 130);
    is_clean(&left);
    assert!(!left.screen.contains("^C"), "{}", left.screen);
}
