//! How many tiny prompts per second one simulator takes, runs and reports to a listening client.
//!
//! ```sh
//! cargo bench -p comfy-sim --bench jobs -- 20000
//! ```

use std::io::{self, Write as _};
use std::time::Instant;

use comfy_sim::Sim;
use futures_util::StreamExt as _;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// Connections that post prompts at the same time.
const CONNECTIONS: usize = 8;

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let jobs = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(20_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(jobs))
}

async fn measure(jobs: usize) -> Result<(), Failure> {
    let sim = Sim::start().await?;
    let (mut socket, _) =
        tokio_tungstenite::connect_async(format!("ws://{}/ws?clientId=bench", sim.address())).await?;
    let start = Instant::now();
    let mut posts = Vec::new();
    for connection in 0..CONNECTIONS {
        let stream = TcpStream::connect(sim.address()).await?;
        posts.push(tokio::spawn(post(stream, (connection..jobs).step_by(CONNECTIONS))));
    }
    let (mut ended, mut messages) = (0, 0);
    while ended < jobs {
        let Some(Ok(message)) = socket.next().await else { return Err("the socket was closed".into()) };
        messages += 1;
        if let Message::Text(text) = message {
            ended += usize::from(text.contains(r#""node": null"#));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    for post in posts {
        post.await??;
    }
    let rate = jobs as f64 / seconds;
    writeln!(
        io::stdout(),
        "{jobs} jobs in {seconds:.2} s: {rate:.0} jobs/s, {:.0} messages/s",
        messages as f64 / seconds
    )?;
    sim.shutdown().await;
    Ok(())
}

/// Posts prompts one after the other on one connection.
async fn post(mut stream: TcpStream, values: impl Iterator<Item = usize>) -> Result<(), Failure> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    for value in values {
        let body = format!(
            r#"{{"client_id": "bench", "prompt": {{"1": {{"class_type": "PrimitiveInt", "inputs": {{"value": {value}}}}}, "2": {{"class_type": "PreviewAny", "inputs": {{"source": ["1", 0]}}}}}}}}"#
        );
        let head =
            format!("POST /prompt HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", body.len());
        write.write_all((head + &body).as_bytes()).await?;
        let mut length = 0;
        let mut line = String::new();
        while {
            line.clear();
            read.read_line(&mut line).await?
        } > 2
        {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
        }
        let mut answer = vec![0; length];
        read.read_exact(&mut answer).await?;
    }
    Ok(())
}
