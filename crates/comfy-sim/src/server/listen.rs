//! The connections of a simulator, and the threads that serve them.

use std::io;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{self, Runtime};
use tower::ServiceExt as _;

use super::bind;
use crate::lives::{Life, Lives, Pauses};

/// How long connections may take to say goodbye.
const GOODBYE: Duration = Duration::from_millis(250);

/// How long to wait before a connection is accepted again when the system has no room for it.
const NO_ROOM: Duration = Duration::from_millis(50);

/// More threads than these would not serve small answers faster.
const MOST_THREADS: usize = 4;

/// The threads that serve the connections of all simulators. They stay when the last simulator has stopped.
pub(super) fn runtime() -> io::Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(runtime);
    }
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .thread_name("comfy-sim")
        .enable_all()
        .build()?;
    if let Err(second) = RUNTIME.set(runtime) {
        // Two simulators started at once. No task runs on this one.
        second.shutdown_background();
    }
    RUNTIME.get().ok_or_else(|| io::Error::other("there is no runtime"))
}

/// Answers connections until the simulator stops, and then waits a moment for them.
pub(super) async fn serve(listener: TcpListener, lives: Arc<Lives>, mut pauses: Pauses) {
    let stop = lives.stop.clone();
    let port = listener.local_addr().map_or(0, |address| address.port());
    let mut listener = Some(listener);
    while let Some(open) = &listener {
        tokio::select! {
            accepted = open.accept() => match accepted {
                Ok((stream, _)) => {
                    // Small frames are not to wait for each other.
                    let _ = stream.set_nodelay(true);
                    let (life, severed) = (lives.current(), lives.severed.clone());
                    let connection = async move {
                        severed.run_until_cancelled(answer(stream, life)).await;
                    };
                    lives.connections.spawn(connection);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "no connection can be accepted");
                    tokio::time::sleep(NO_ROOM).await;
                }
            },
            Some(pause) = pauses.recv() => {
                listener = None;
                if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_some() {
                    listener = again(port).await;
                }
            }
            () = stop.cancelled() => break,
        }
    }
    // The port is free from here on.
    drop(listener);
    stop.cancelled().await;
    lives.connections.close();
    if tokio::time::timeout(GOODBYE, lives.connections.wait()).await.is_err() {
        tracing::debug!("connections are cut off");
        lives.severed.cancel();
        lives.connections.wait().await;
    }
}

/// Listens on a port that was given up for a while.
async fn again(port: u16) -> Option<TcpListener> {
    match bind(port).and_then(TcpListener::from_std) {
        Ok(listener) => Some(listener),
        Err(error) => {
            tracing::error!(%error, port, "the port was taken by another program while nothing listened");
            None
        }
    }
}

/// Answers the requests of a connection until it is closed or the server's life ends.
async fn answer(stream: TcpStream, life: Life) {
    let Life { state, app } = life;
    let service = service_fn(move |request: Request<Incoming>| app.clone().oneshot(request.map(Body::new)));
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        // What is wrong with a connection is the client's business.
        _ = connection.as_mut() => {}
        () = state.stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(GOODBYE, connection).await;
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(error.kind(), Kind::ConnectionRefused | Kind::ConnectionAborted | Kind::ConnectionReset)
}
