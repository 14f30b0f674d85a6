//! A place to run the command in, and servers for it to meet.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use comfy_sim::Sim;
use insta::internals::SettingsBindDropGuard;
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Longer than any test: a node that takes this long runs until it is interrupted.
pub(crate) const FOREVER: Duration = Duration::from_secs(600);

/// An empty folder in which the command is run. While it is there, snapshots do not show what differs from run to run.
pub(crate) struct Place {
    folder: TempDir,
    _filters: SettingsBindDropGuard,
}

/// A command that has ended.
pub(crate) struct Ran {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
}

/// How a user sees it.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}{}", self.stdout, self.stderr)?;
        match self.code {
            Some(code) => write!(f, "exit code {code}"),
            None => f.write_str("ended by a signal"),
        }
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_omit_expression(true);
        settings.set_prepend_module_to_snapshot(false);
        settings.add_filter(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT");
        settings.add_filter(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID");
        settings.add_filter(r#"("bytes"|"elapsed_ms"):\d+"#, "$1:N");
        settings.add_filter(r"[\w/.:\\-]*comfy-sim-\w+", "SIM");
        settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "YYYY-MM-DD HH:MM:SS");
        settings.add_filter(r"\d{4}-\d\d-\d\d \d\d:\d\d", "YYYY-MM-DD HH:MM");
        settings.add_filter(r#"("modified"|"created"):[\d.]+"#, "$1:N");
        Self { folder, _filters: settings.bind_to_scope() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// The names in a folder, sorted; none when it is not there.
    pub(crate) fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// A program in this folder, without the variables that would change what the command does.
    pub(crate) fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path());
        for variable in ["COMFYUI_URL", "COMFYUI_TOKEN", "COMFYCTL_LOG", "COMFYCTL_CONFIG", "NO_COLOR"] {
            command.env_remove(variable);
        }
        command.env("COMFYCTL_CACHE_DIR", "off");
        // No config file of whoever runs the tests.
        for variable in ["HOME", "XDG_CONFIG_HOME", "APPDATA"] {
            command.env(variable, self.folder.path());
        }
        for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            command.env_remove(variable).env_remove(variable.to_lowercase());
        }
        command
    }

    /// The command, not yet run.
    pub(crate) fn comfyctl(&self, args: &[&str]) -> Command {
        let mut command = self.program(cargo_bin!("comfyctl"));
        command.args(args);
        command
    }

    /// Runs the command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs the command to its end, with something on stdin.
    pub(crate) fn run_with(&self, args: &[&str], stdin: impl Into<Vec<u8>>) -> Ran {
        ended(self.comfyctl(args), stdin)
    }

    /// Starts the command, and reads its stdout line by line.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut command = self.comfyctl(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Running { child, lines }
    }
}

/// Runs a program to its end, but not for ever.
pub(crate) fn ended(command: Command, stdin: impl Into<Vec<u8>>) -> Ran {
    let output =
        assert_cmd::Command::from_std(command).timeout(PATIENCE).write_stdin(stdin).output().unwrap();
    Ran {
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code(),
    }
}

/// A command that runs.
pub(crate) struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    /// The next line on stdout.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The next line in JSON of a type, passing over others.
    pub(crate) fn wait_for(&mut self, kind: &str) -> Value {
        loop {
            let line = self.line();
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            assert!(kind == "result" || value["type"] != "result", "{kind} did not come: {line}");
            if value["type"] == kind {
                return value;
            }
        }
    }

    /// Sends a signal, such as `INT`.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Ends it at once, as the system does when memory is short.
    #[cfg(unix)]
    pub(crate) fn kill(self) {
        self.signal("KILL");
        self.end();
    }

    /// Waits for the end; what was not yet read of stdout is part of it.
    pub(crate) fn end(mut self) -> Ran {
        let id = self.child.id();
        let (done, wait) = mpsc::channel();
        thread::spawn(move || {
            let (mut stdout, mut stderr) = (String::new(), String::new());
            self.lines.read_to_string(&mut stdout).unwrap();
            self.child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
            let code = ExitStatus::code(&self.child.wait().unwrap());
            // Nobody waits any more when the test has failed.
            let _ = done.send(Ran { stdout, stderr, code });
        });
        wait.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = Command::new("kill").arg(id.to_string()).status();
            panic!("the command did not end")
        })
    }
}

/// A file of the examples.
pub(crate) fn example(name: &str) -> String {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples")).join(name).to_str().unwrap().to_owned()
}

/// `hello.json` with a change.
pub(crate) fn hello_with(change: impl FnOnce(&mut Value)) -> String {
    example_with("hello.json", change)
}

/// `hello-editor.json` with a change of the nodes, which are in the order of their ids.
pub(crate) fn editor_with(change: impl FnOnce(&mut [Value])) -> String {
    example_with("hello-editor.json", |document| change(document["nodes"].as_array_mut().unwrap()))
}

fn example_with(name: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut workflow = serde_json::from_slice(&std::fs::read(example(name)).unwrap()).unwrap();
    change(&mut workflow);
    workflow.to_string()
}

/// A workflow with a sampler, whose model nobody has.
pub(crate) fn sampling(place: &Place, steps: u32) {
    let workflow = json!({
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a cat", "clip": ["4", 1]}},
        "3": {"class_type": "KSampler", "_meta": {"title": "The sampler with a long title"}, "inputs": {
            "seed": 42, "steps": steps, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            "model": ["4", 0], "positive": ["6", 0], "negative": ["6", 0], "latent_image": ["5", 0]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "cat"}},
    });
    place.write("cat.json", workflow.to_string());
}

/// A simulator whose nodes run until they are interrupted.
pub(crate) fn slow_sim() -> Sim {
    started(Sim::builder().node_delay(FOREVER))
}

/// A simulator whose nodes take a while.
pub(crate) fn unhurried_sim() -> Sim {
    started(Sim::builder().node_delay(Duration::from_millis(60)))
}

pub(crate) fn sim() -> Sim {
    started(Sim::builder())
}

/// The simulator has threads of its own, and needs the runtime for its start only.
pub(crate) fn started(builder: comfy_sim::Builder) -> Sim {
    tokio::runtime::Runtime::new().unwrap().block_on(builder.start()).unwrap()
}

/// Asks a server over HTTP, and returns the status and the body.
pub(crate) fn http(url: &str, method: &str, path: &str, body: &str) -> (u16, String) {
    let address = url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// A server that gives the same answer to everything, until the tests end.
pub(crate) fn server_that_answers(
    status: &'static str,
    content_type: &'static str,
    body: &'static str,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                line.clear();
            }
            let length = body.len();
            // The client may have gone.
            let _ = write!(
                stream,
                "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
    url
}

/// A server that refuses everything, and tells the head of each request that it gets.
pub(crate) fn server_that_listens() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, heard) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let (mut head, mut line) = (String::new(), String::new());
            while reader.read_line(&mut line).is_ok_and(|length| length > 2) {
                head.push_str(&std::mem::take(&mut line));
            }
            // The client may have gone, and the test may have heard enough.
            let _ =
                write!(stream, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let _ = tell.send(head);
        }
    });
    (url, heard)
}
