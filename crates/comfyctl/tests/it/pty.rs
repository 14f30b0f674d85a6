//! The command on a terminal of its own, whose screen is looked at.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use crate::support::{PATIENCE, Place};

/// A terminal with the command in it.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shared: Arc<(Mutex<Shared>, Condvar)>,
    // Its folder is there as long as the command.
    _place: Place,
}

struct Shared {
    parser: vt100::Parser,
    /// All bytes that the terminal got.
    bytes: Vec<u8>,
    ended: bool,
}

/// How a command on a terminal left it.
pub(crate) struct Left {
    /// The screen, without blanks at the ends of lines and empty lines at its end.
    pub(crate) screen: String,
    /// All bytes that the terminal got.
    pub(crate) bytes: String,
    pub(crate) cursor_hidden: bool,
    pub(crate) alternate_screen: bool,
    pub(crate) code: u32,
}

impl Terminal {
    /// Starts the command on a terminal of that size, `TERM=xterm-256color` unless `variables` say otherwise.
    pub(crate) fn start(
        place: Place,
        args: &[&str],
        (columns, rows): (u16, u16),
        variables: &[(&str, &str)],
    ) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let plain = place.comfyctl(args);
        let mut command = CommandBuilder::new(plain.get_program());
        command.args(plain.get_args());
        command.cwd(plain.get_current_dir().unwrap());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        // What whoever runs the tests sits at says nothing about this one.
        for name in ["TERM_PROGRAM", "KITTY_WINDOW_ID", "WEZTERM_EXECUTABLE", "WT_SESSION", "TMUX", "STY"] {
            command.env_remove(name);
        }
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let shared = Shared {
            parser: vt100::Parser::new(nonzero(rows), nonzero(columns), 0),
            bytes: Vec::new(),
            ended: false,
        };
        let shared = Arc::new((Mutex::new(shared), Condvar::new()));
        let mut reader = pair.master.try_clone_reader().unwrap();
        let writer = pair.master.take_writer().unwrap();
        let reads = Arc::clone(&shared);
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                // Reading fails when the command has ended.
                let read = reader.read(&mut buffer).unwrap_or(0);
                let (shared, changed) = &*reads;
                let mut shared = shared.lock().unwrap();
                shared.parser.process(&buffer[..read]);
                shared.bytes.extend_from_slice(&buffer[..read]);
                shared.ended = read == 0;
                changed.notify_all();
                if read == 0 {
                    return;
                }
            }
        });
        Self { master: pair.master, writer, child, shared, _place: place }
    }

    /// Waits until the screen is as wanted, and returns its text.
    pub(crate) fn wait(&self, what: &str, wanted: impl Fn(&vt100::Screen) -> bool) -> String {
        let (shared, changed) = &*self.shared;
        let mut shared = shared.lock().unwrap();
        let deadline = Instant::now() + PATIENCE;
        loop {
            if wanted(shared.parser.screen()) {
                return text(shared.parser.screen());
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let now = text(shared.parser.screen());
            assert!(!left.is_zero(), "{what} did not come; the screen is\n{now}");
            assert!(!shared.ended, "the command ended before {what}; the screen is\n{now}");
            shared = changed.wait_timeout(shared, left).unwrap().0;
        }
    }

    /// Waits until a text is on the screen, and returns all of it.
    pub(crate) fn wait_for(&self, wanted: &str) -> String {
        self.wait(&format!("{wanted:?}"), |screen| screen.contents().contains(wanted))
    }

    /// Types something; `\x03` is Ctrl-C.
    pub(crate) fn send(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Makes the terminal wider or narrower.
    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        self.shared.0.lock().unwrap().parser.screen_mut().set_size(nonzero(rows), nonzero(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Waits for the end of the command.
    pub(crate) fn end(mut self) -> Left {
        let (shared, changed) = &*self.shared;
        let mut shared = shared.lock().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !shared.ended {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let _ = self.child.kill();
                panic!("the command did not end; the screen is\n{}", text(shared.parser.screen()));
            }
            shared = changed.wait_timeout(shared, left).unwrap().0;
        }
        let screen = shared.parser.screen();
        Left {
            screen: text(screen),
            bytes: String::from_utf8_lossy(&shared.bytes).into_owned(),
            cursor_hidden: screen.hide_cursor(),
            alternate_screen: screen.alternate_screen(),
            code: self.child.wait().unwrap().exit_code(),
        }
    }
}

fn nonzero(size: u16) -> NonZeroU16 {
    NonZeroU16::new(size).unwrap()
}

fn text(screen: &vt100::Screen) -> String {
    let contents = screen.contents();
    let lines: Vec<&str> = contents.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}
