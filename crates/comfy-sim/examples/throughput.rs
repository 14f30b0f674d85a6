//! How many tiny jobs a simulator runs in a second: each is submitted over HTTP, followed on a WebSocket to its end, and its
//! record is fetched.
//!
//! ```sh
//! cargo run --release -p comfy-sim --example throughput -- 20000 SaveImage 3000
//! ```
//!
//! The arguments are the number of jobs, the class of the node that saves, and how many jobs there have to be in a second: with
//! fewer it fails. The files go below `TMPDIR`.
//!
//! The client is as small as can be, so that it is not what is measured: one connection to submit on, one for records, one
//! WebSocket, 64 jobs on their way, and no JSON is read.

use std::error::Error;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Instant;

use comfy_sim::Sim;

/// Jobs that are submitted and not yet over.
const ON_THE_WAY: usize = 64;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let jobs: usize = args.next().map_or(Ok(20_000), |jobs| jobs.parse())?;
    let saver = args.next().unwrap_or_else(|| "PreviewImage".to_owned());
    let at_least: f64 = args.next().map_or(Ok(0.0), |rate| rate.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sim = runtime.block_on(Sim::start())?;
    let address = sim.address();

    let (begin, ready) = (Instant::now(), processor_time());
    // A submit takes a place, the record of the job gives it back.
    let (take, places) = sync_channel::<()>(ON_THE_WAY);
    let (ended, ids) = sync_channel::<String>(2 * ON_THE_WAY);
    let socket = open_socket(address)?;
    let messages = thread::spawn(move || follow(socket, jobs, &ended));
    let records = thread::spawn(move || fetch(address, jobs, &ids, &places));
    submit(address, jobs, &saver, &take)?;
    let (messages, bytes) = messages.join().map_err(|_| "the socket's thread panicked")??;
    records.join().map_err(|_| "the records' thread panicked")??;
    let elapsed = begin.elapsed();

    let count = jobs as f64;
    let rate = count / elapsed.as_secs_f64();
    writeln!(
        io::stdout(),
        "{jobs} jobs of EmptyImage and {saver} in {elapsed:.2?}: {rate:.0} per second; \
         for each {:.0} messages, {:.0} bytes of them, and {:.0} µs of processor time, the client's included",
        messages as f64 / count,
        bytes as f64 / count,
        (processor_time() - ready) * 1e6 / count,
    )?;
    if rate < at_least {
        return Err(format!("fewer than {at_least} jobs per second").into());
    }
    Ok(())
}

/// How many seconds of all processors this process has taken; where the system tells.
fn processor_time() -> f64 {
    let fields = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Counted from behind the name, which may hold blanks: the 12th and 13th are user and system, in hundredths.
    let fields = fields.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    fields.skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Submits one after the other, and does not read the answer before the next has been sent.
fn submit(
    address: SocketAddr,
    jobs: usize,
    saver: &str,
    take: &SyncSender<()>,
) -> Result<(), Box<dyn Error>> {
    let mut connection = Connection::open(address)?;
    let mut unanswered = 0;
    for job in 0..jobs {
        let prefix = if saver == "SaveImage" { r#", "filename_prefix": "x""# } else { "" };
        let body = format!(
            r#"{{"client_id": "bench", "prompt": {{"1": {{"class_type": "EmptyImage", "inputs": {{"width": 16, "height": 16, "batch_size": 1, "color": {job}}}}}, "2": {{"class_type": "{saver}", "inputs": {{"images": ["1", 0]{prefix}}}}}}}}}"#
        );
        take.send(())?;
        connection.send("POST", "/prompt", &body)?;
        unanswered += 1;
        if unanswered >= 4 {
            expect_success(connection.answer()?)?;
            unanswered -= 1;
        }
    }
    for _ in 0..unanswered {
        expect_success(connection.answer()?)?;
    }
    Ok(())
}

/// Fetches the record of every job that has ended.
fn fetch(address: SocketAddr, jobs: usize, ids: &Receiver<String>, places: &Receiver<()>) -> io::Result<()> {
    let mut connection = Connection::open(address)?;
    let mut unanswered = 0;
    for job in 1..=jobs {
        let id = ids.recv().map_err(io::Error::other)?;
        connection.send("GET", &format!("/history/{id}"), "")?;
        unanswered += 1;
        while unanswered >= 4 || (job == jobs && unanswered > 0) {
            let (status, body) = connection.answer()?;
            if !body.contains("\"status_str\": \"success\"") {
                return Err(io::Error::other(format!("status {status}: {body}")));
            }
            places.recv().map_err(io::Error::other)?;
            unanswered -= 1;
        }
    }
    Ok(())
}

/// Reads messages until all jobs are over. Says how many came, and how many bytes.
fn follow(
    mut socket: BufReader<TcpStream>,
    jobs: usize,
    ended: &SyncSender<String>,
) -> io::Result<(usize, usize)> {
    let (mut messages, mut bytes, mut over) = (0, 0, 0);
    let mut payload = Vec::new();
    while over < jobs {
        let mut head = [0; 2];
        socket.read_exact(&mut head)?;
        let mut length = usize::from(head[1]);
        if length == 126 {
            let mut extended = [0; 2];
            socket.read_exact(&mut extended)?;
            length = usize::from(u16::from_be_bytes(extended));
        } else if length == 127 {
            return Err(io::Error::other("a message of more than 64 KiB"));
        }
        payload.resize(length, 0);
        socket.read_exact(&mut payload)?;
        messages += 1;
        bytes += length;
        // The last message of a job: {"type": "executing", "data": {"node": null, "prompt_id": "…"}}.
        if payload.starts_with(br#"{"type": "executing", "data": {"node": null"#) {
            let text = String::from_utf8_lossy(&payload);
            let id = text.rsplit('"').nth(1).unwrap_or_default().to_owned();
            ended.send(id).map_err(io::Error::other)?;
            over += 1;
        }
    }
    Ok((messages, bytes))
}

fn open_socket(address: SocketAddr) -> io::Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect(address)?;
    write!(
        stream,
        "GET /ws?clientId=bench HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )?;
    let mut reader = BufReader::with_capacity(1 << 16, stream);
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    // Messages are only sent once the greeting has been.
    reader.fill_buf()?;
    Ok(reader)
}

/// A connection that is used again and again.
struct Connection {
    address: SocketAddr,
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { address, stream: BufReader::with_capacity(1 << 16, stream) })
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> io::Result<()> {
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(head.as_bytes())
    }

    fn answer(&mut self) -> io::Result<(u16, String)> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? <= 2 {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().map_err(io::Error::other)?;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        String::from_utf8(body).map(|body| (status, body)).map_err(io::Error::other)
    }
}

fn expect_success((status, body): (u16, String)) -> io::Result<()> {
    if status == 200 { Ok(()) } else { Err(io::Error::other(format!("status {status}: {body}"))) }
}
