//! The fault layer: between each client and its server, on an address of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use super::Rates;
use super::ledger::Ledger;
use super::plan::{Counts, Fate, Random};
use super::server::Server;
use super::socket;
use super::wire::{Http, answer, next_http};

/// How long a connection stays open at most through which nothing passes.
const LONGEST_SILENCE: Duration = Duration::from_secs(5);

/// The way from one client to its server.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: AbortHandle,
}

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) server: Arc<Server>,
    ledger: Arc<Ledger>,
    pub(super) counts: Arc<Counts>,
    pub(super) rates: Rates,
    seed: u64,
    index: u64,
    /// Whether a proxy stands before the server: it answers while the server is away.
    is_proxy: bool,
    requests: AtomicU64,
    pub(super) messages: AtomicU64,
}

/// How a connection goes on.
pub(super) enum Turn {
    /// The next request may come.
    Next,
    /// It is closed.
    Close,
    /// It is reset.
    Reset,
    /// Nothing passes any more.
    Silence,
    /// Nothing passes any more, but this request some time.
    Late(Http),
}

impl Lane {
    pub(crate) async fn open(
        server: Arc<Server>,
        ledger: Arc<Ledger>,
        counts: Arc<Counts>,
        rates: Rates,
        seed: u64,
        index: u64,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server,
            ledger,
            counts,
            rates,
            seed,
            index,
            is_proxy: index % 3 == 2,
            requests: AtomicU64::new(0),
            messages: AtomicU64::new(0),
        });
        let task = tokio::spawn(accept(listener, address, Arc::clone(&shared)));
        Ok(Self { url: format!("http://{address}"), shared, task: task.abort_handle() })
    }

    pub(crate) fn server(&self) -> &Arc<Server> {
        &self.shared.server
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    /// The numbers for the next request or message of this lane.
    pub(super) fn random(&self, count: &AtomicU64, kind: u64) -> Random {
        let number = count.fetch_add(1, Ordering::Relaxed);
        Random::of(&[self.seed, self.index, kind, number])
    }
}

/// Takes connections. Where no proxy is, nothing listens while the server is away.
async fn accept(mut listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let mut life = shared.server.life();
    loop {
        tokio::select! {
            accepted = listener.accept() => if let Ok((stream, _)) = accepted {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            },
            _ = life.changed() => {
                if life.borrow_and_update().address.is_some() || shared.is_proxy {
                    continue;
                }
                drop(listener);
                if life.wait_for(|life| life.address.is_some()).await.is_err() {
                    return;
                }
                listener = loop {
                    match TcpListener::bind(address).await {
                        Ok(listener) => break listener,
                        // An outgoing connection has the port for a moment.
                        Err(_) => sleep(Duration::from_millis(20)).await,
                    }
                };
            }
        }
    }
}

/// Serves one connection of the client until either side ends it, or the server stops.
async fn serve(mut client: TcpStream, shared: Arc<Shared>) {
    let _ = client.set_nodelay(true);
    let mut life = shared.server.life();
    let now = *life.borrow_and_update();
    if now.address.is_none() && !shared.is_proxy {
        return reset(client);
    }
    let turn = tokio::select! {
        turn = converse(&mut client, &shared, now.address) => turn.unwrap_or(Turn::Reset),
        // A process that ends takes its connections with it; what a network swallowed before is not told.
        _ = life.changed() => Turn::Reset,
    };
    match turn {
        Turn::Close | Turn::Next => drop(client),
        Turn::Reset => reset(client),
        Turn::Silence => hold(client).await,
        Turn::Late(request) => {
            let _late = shared.server.late.clone().read_owned().await;
            hold(client).await;
            sleep(Duration::from_millis(shared.random(&shared.requests, 2).below(1500))).await;
            let address = shared.server.life().borrow().address;
            if let Some(address) = address
                && let Ok(mut upstream) = TcpStream::connect(address).await
            {
                let _ = pass(&request, &mut upstream, &mut BytesMut::new(), &shared).await;
            }
        }
    }
}

/// Passes requests on, each with its fate.
async fn converse(client: &mut TcpStream, shared: &Shared, address: Option<SocketAddr>) -> io::Result<Turn> {
    let (mut requests, mut answers) = (BytesMut::new(), BytesMut::new());
    let mut upstream = None;
    while let Some(request) = next_http(client, &mut requests).await? {
        let mut random = shared.random(&shared.requests, 1);
        let fate = Fate::of_request(&mut random, shared.rates.requests);
        shared.counts.request(fate);
        match fate {
            Fate::Cut => return Ok(Turn::Reset),
            Fate::Close => return Ok(Turn::Close),
            Fate::Silence => return Ok(Turn::Silence),
            Fate::Late => return Ok(Turn::Late(request)),
            Fate::Refuse => {
                refuse(client, &mut random).await?;
                continue;
            }
            Fate::Delay => sleep(random.delay()).await,
            _ => {}
        }
        let Some(address) = address else {
            client.write_all(&answer("502 Bad Gateway", "")).await?;
            continue;
        };
        if request.is_upgrade() {
            return socket::relay(request, client, address, shared).await;
        }
        let mut server = match upstream.take() {
            Some(server) => server,
            None => TcpStream::connect(address).await?,
        };
        let reply = pass(&request, &mut server, &mut answers, shared).await?;
        match give(&reply, fate, client, &mut random).await? {
            Turn::Next => upstream = Some(server),
            end => return Ok(end),
        }
    }
    Ok(Turn::Close)
}

/// A proxy that has no server to ask.
async fn refuse(client: &mut TcpStream, random: &mut Random) -> io::Result<()> {
    let choices = [
        (1, ("502 Bad Gateway", "")),
        (1, ("503 Service Unavailable", "")),
        (1, ("503 Service Unavailable", "Retry-After: 0\r\n")),
    ];
    let (status, extra) = random.pick(&choices, choices[0].1);
    client.write_all(&answer(status, extra)).await
}

/// Passes a request on and reads its answer. What is submitted is written down.
async fn pass(
    request: &Http,
    server: &mut TcpStream,
    answers: &mut BytesMut,
    shared: &Shared,
) -> io::Result<Http> {
    let prompt = if request.is_submit() { prompt_of(request) } else { None };
    if let Some((job, id)) = &prompt {
        shared.ledger.send(*job, id, shared.server.index, shared.server.epoch());
    }
    // In one piece: two would wait for each other.
    server.write_all(&[&request.head[..], &request.body[..]].concat()).await?;
    let reply = next_http(server, answers).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    if let Some((job, id)) = &prompt
        && reply.is_success()
    {
        shared.ledger.take(*job, id);
    }
    Ok(reply)
}

/// The job of a submit, which the workflow names, and the prompt's id.
fn prompt_of(request: &Http) -> Option<(u64, String)> {
    let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
    let mut nodes = body["prompt"].as_object()?.values();
    let job = nodes.find_map(|node| node["_meta"]["title"].as_str()?.strip_prefix("job-")?.parse().ok())?;
    Some((job, body["prompt_id"].as_str()?.to_owned()))
}

/// Gives the client its answer, or what is left of it.
async fn give(reply: &Http, fate: Fate, client: &mut TcpStream, random: &mut Random) -> io::Result<Turn> {
    let whole = [&reply.head[..], &reply.body[..]].concat();
    let part = &whole[..random.below(whole.len() as u64) as usize];
    match fate {
        Fate::DropAnswer => return Ok(Turn::Reset),
        Fate::SilenceAnswer => return Ok(Turn::Silence),
        Fate::ReplaceAnswer => {
            let status =
                random.pick(&[(1, "502 Bad Gateway"), (1, "504 Gateway Timeout")], "502 Bad Gateway");
            client.write_all(&answer(status, "")).await?;
        }
        Fate::CutAnswer => {
            client.write_all(part).await?;
            // What was sent before a reset is lost where it was not read before.
            sleep(Duration::from_millis(random.below(3))).await;
            return Ok(Turn::Reset);
        }
        Fate::StopAnswer => {
            client.write_all(part).await?;
            return Ok(Turn::Silence);
        }
        Fate::DribbleAnswer => {
            for piece in whole.chunks(whole.len().div_ceil(4).max(1)) {
                client.write_all(piece).await?;
                sleep(Duration::from_millis(random.below(20))).await;
            }
        }
        _ => client.write_all(&whole).await?,
    }
    Ok(Turn::Next)
}

/// Keeps a connection open without a word, until the client gives it up.
async fn hold(mut client: TcpStream) {
    let mut nothing = [0; 1024];
    let _ = timeout(LONGEST_SILENCE, async {
        while client.read(&mut nothing).await.is_ok_and(|length| length > 0) {}
    })
    .await;
}

/// Ends a connection as one that broke, which leaves no trace in the system's tables.
pub(super) fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}
