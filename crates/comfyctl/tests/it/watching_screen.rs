//! Watching on a terminal: what is on the screen, and how the terminal is left.

use crate::pty::{Left, Terminal};
use crate::support::{Place, example, http, sim, slow_sim};

fn submit(url: &str) {
    let workflow = std::fs::read_to_string(example("hello.json")).unwrap();
    let (status, answer) = http(url, "POST", "/prompt", &format!(r#"{{"prompt": {workflow}}}"#));
    assert_eq!(status, 200, "{answer}");
}

fn start(args: &[&str], size: (u16, u16)) -> Terminal {
    Terminal::start(Place::new(), args, size, &[])
}

fn is_as_before(left: &Left) {
    assert!(!left.alternate_screen, "the alternate screen is left");
    assert!(!left.cursor_hidden, "the cursor can be seen");
    assert!(left.bytes.contains("\u{1b}[?1049h") && left.bytes.contains("\u{1b}[?1049l"));
}

#[test]
fn a_job_appears_and_q_leaves_the_terminal_as_it_was() {
    let sim = slow_sim();
    let mut terminal = start(&["watch", "-s", &sim.url()], (80, 24));
    terminal.wait_for("nothing runs, nothing waits");
    submit(&sim.url());
    submit(&sim.url());
    terminal.wait_for("waiting 1");
    let screen = terminal.wait_for("▸ Orange");
    assert!(screen.contains("▶ 0:") && screen.contains("Save") && screen.contains("● live"), "{screen}");
    terminal.send("?");
    terminal.wait_for("choose a job");
    terminal.send("?q");
    let left = terminal.end();
    is_as_before(&left);
    assert_eq!((left.screen.as_str(), left.code), ("", 0));
}

#[test]
fn control_c_leaves_the_terminal_as_it_was() {
    let sim = sim();
    let mut terminal = start(&["watch", "-s", &sim.url()], (60, 20));
    terminal.wait_for("nothing runs");
    terminal.send("\u{3}");
    let left = terminal.end();
    is_as_before(&left);
    assert_eq!(left.code, 130);
}

#[test]
#[cfg(unix)]
fn signals_leave_the_terminal_as_it_was() {
    let sim = sim();
    for name in ["TERM", "HUP", "INT"] {
        let terminal = start(&["watch", "-s", &sim.url()], (60, 20));
        terminal.wait_for("nothing runs");
        terminal.signal(name);
        let left = terminal.end();
        is_as_before(&left);
        assert_eq!(left.code, 130, "{name}");
    }
}

#[test]
fn the_chosen_job_is_cancelled_after_a_question() {
    let sim = slow_sim();
    submit(&sim.url());
    submit(&sim.url());
    let mut terminal = start(&["watch", "-s", &sim.url()], (80, 24));
    terminal.wait_for("waiting 1");
    // Down.
    terminal.send("\u{1b}[B");
    terminal.wait_for("› 1");
    terminal.send("c");
    terminal.wait_for("y yes");
    terminal.send("n");
    terminal.wait("no question", |screen| !screen.contents().contains("y yes"));
    terminal.send("c");
    terminal.wait_for("y yes");
    terminal.send("y");
    terminal.wait("an empty queue", |screen| !screen.contents().contains("waiting"));
    terminal.send("q");
    assert_eq!(terminal.end().code, 0);
}

#[test]
fn the_screen_follows_the_size_of_the_terminal_and_several_servers_have_places() {
    let sim = sim();
    let mut terminal = start(&["watch", "-s", &sim.url(), "-s", "127.0.0.1:9"], (120, 40));
    terminal.wait_for("nothing runs");
    let screen = terminal.wait_for("✗ down");
    assert_eq!(
        screen.lines().next().unwrap().matches('╮').count()
            + screen.lines().next().unwrap().matches('┓').count(),
        2
    );
    terminal.resize(60, 20);
    terminal.wait("one below the other", |screen| {
        let text = screen.contents();
        text.lines().next().is_some_and(|line| line.ends_with('┓'))
            && text.contains("✗ down")
            && text.contains("nothing")
    });
    terminal.send("\t");
    terminal.wait("the other one chosen", |screen| screen.contents().starts_with('╭'));
    terminal.send("q");
    is_as_before(&terminal.end());
}

#[test]
fn a_dumb_terminal_and_no_progress_get_lines() {
    let sim = sim();
    let terminal =
        Terminal::start(Place::new(), &["watch", "-s", &sim.url()], (100, 20), &[("TERM", "dumb")]);
    terminal.wait_for("reached");
    terminal.signal("INT");
    assert!(!terminal.end().bytes.contains("\u{1b}[?1049h"));
}

#[test]
fn a_server_that_is_down_does_not_touch_the_screen() {
    let left = start(&["watch", "-s", "127.0.0.1:9"], (80, 24)).end();
    assert_eq!(left.code, 3);
    assert!(!left.bytes.contains("\u{1b}[?1049h"), "{}", left.bytes);
    assert!(left.screen.starts_with("error: "), "{}", left.screen);
}
