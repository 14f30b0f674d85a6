//! The servers that are measured against.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use bytes::Bytes;
use comfy_sim::Sim;

use crate::{Failure, schemas};

/// Serves until its input ends. The first line of its output is its URL.
pub(crate) fn serve(args: &[&str]) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        match *args {
            ["sim", delay] => {
                let delay = Duration::from_millis(delay.parse()?);
                run(Sim::builder().node_delay(delay).start().await?)
            }
            ["files", folder] => run(Sim::builder().base_dir(Path::new(folder)).start().await?),
            ["schemas", kind, size] => object_info(schemas::make(kind, size.parse()?)?).await,
            _ => Err(format!("no such server: {args:?}").into()),
        }
    })
}

fn run(sim: Sim) -> Result<(), Failure> {
    say(&sim.url())?;
    wait_for_end()
}

fn say(url: &str) -> Result<(), Failure> {
    let mut output = std::io::stdout();
    writeln!(output, "{url}")?;
    Ok(output.flush()?)
}

fn wait_for_end() -> Result<(), Failure> {
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// A server that has nothing but descriptions of node classes.
async fn object_info(text: String) -> Result<(), Failure> {
    let text = Bytes::from(text);
    let answer = move || {
        let text = text.clone();
        async move { ([(CONTENT_TYPE, "application/json; charset=utf-8")], text) }
    };
    let router =
        Router::new().route("/object_info", get(answer.clone())).route("/api/object_info", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    say(&format!("http://{}", listener.local_addr()?))?;
    let end = tokio::task::spawn_blocking(wait_for_end);
    tokio::select! {
        served = axum::serve(listener, router) => Ok(served?),
        ended = end => ended?,
    }
}
