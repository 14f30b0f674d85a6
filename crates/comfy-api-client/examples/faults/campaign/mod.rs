//! A campaign of faults: many jobs on many clients, whose connections and servers are mistreated, and a comparison of
//! what the clients told with what happened.

mod audit;
mod ledger;
mod plan;
mod relay;
mod server;
mod socket;
mod user;
mod wire;
mod work;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use comfy_api_client::{Client, Tracking};
use futures_util::StreamExt;
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tokio::time::timeout;

pub(crate) use audit::{Sort, Violation};
use ledger::Ledger;
use plan::{Counts, Random};
use relay::Lane;
use server::Server;
use user::{Story, Told, User};
use work::Work;

/// A job that has not ended after this time hangs.
const LONGEST_JOB: Duration = Duration::from_secs(90);
/// Jobs of a client before another takes its place.
const JOBS_OF_A_CLIENT: usize = 100;
/// For how long clients ask in vain before they give a job up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(4);

/// What a campaign is to be.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) jobs: u64,
    pub(crate) seed: u64,
    pub(crate) clients: u64,
    pub(crate) servers: u64,
    pub(crate) rates: Rates,
    /// Jobs of a server between two of its restarts, on average.
    pub(crate) restart_every: u64,
    /// Where the servers have their folders.
    pub(crate) folder: PathBuf,
}

/// Faults in a thousand requests, and in a thousand messages of WebSockets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rates {
    pub(crate) requests: u64,
    pub(crate) messages: u64,
}

/// What came of a campaign.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) time: Duration,
    /// How jobs ended.
    pub(crate) ends: BTreeMap<String, u64>,
    /// What users were told on the way.
    pub(crate) told: BTreeMap<String, u64>,
    pub(crate) faults: BTreeMap<String, u64>,
    pub(crate) violations: Vec<Violation>,
}

/// Runs a campaign. `ended` counts the jobs that have come to their end.
pub(crate) async fn run(settings: &Settings, ended: Arc<AtomicU64>) -> io::Result<Report> {
    let began = Instant::now();
    let (ledger, counts) = (Arc::<Ledger>::default(), Arc::<Counts>::default());
    let mut servers = Vec::new();
    let mut restarts = Vec::new();
    let mut progress = Vec::new();
    for index in 0..settings.servers {
        let folder = settings.folder.join(index.to_string());
        let server = Server::start(index as usize, folder, Arc::clone(&ledger), Arc::clone(&counts)).await?;
        let server = Arc::new(server);
        let done = watch::Sender::new(0);
        let plan = restart_plan(settings, index);
        restarts.push(tokio::spawn(restart(Arc::clone(&server), done.subscribe(), plan)));
        servers.push(server);
        progress.push(Arc::new(done));
    }
    let mut lanes = Vec::new();
    for index in 0..settings.clients {
        let place = (index % settings.servers) as usize;
        let (server, done) = (Arc::clone(&servers[place]), Arc::clone(&progress[place]));
        let lane = Lane::open(
            server,
            Arc::clone(&ledger),
            Arc::clone(&counts),
            settings.rates,
            settings.seed,
            index,
        );
        let lane = lane.await?;
        lanes.push(tokio::spawn(drive(lane, index, settings.clone(), done, Arc::clone(&ended))));
    }
    let mut stories = Vec::new();
    for lane in try_join_all(lanes).await? {
        stories.extend(lane?);
    }
    drop(progress);
    for restart in restarts {
        restart.await??;
    }
    for server in &servers {
        server.finish().await?;
    }
    Ok(report(&stories, &ledger, &counts, began.elapsed()))
}

/// After how many jobs of a server it restarts, and whether it keeps its history then.
fn restart_plan(settings: &Settings, server: u64) -> Vec<(u64, bool)> {
    let mut random = Random::of(&[settings.seed, u64::MAX - 1, server]);
    let (mut plan, mut at) = (Vec::new(), 0);
    loop {
        at += settings.restart_every / 2 + random.below(settings.restart_every);
        if at >= settings.jobs / settings.servers {
            return plan;
        }
        plan.push((at, random.happens(350)));
    }
}

async fn restart(
    server: Arc<Server>,
    mut done: watch::Receiver<u64>,
    plan: Vec<(u64, bool)>,
) -> io::Result<()> {
    for (at, keeps_history) in plan {
        if done.wait_for(|done| *done >= at).await.is_err() {
            break;
        }
        server.restart(keeps_history).await?;
    }
    Ok(())
}

/// Runs the jobs of one lane, with one client after the other.
async fn drive(
    lane: Lane,
    index: u64,
    settings: Settings,
    done: Arc<watch::Sender<u64>>,
    ended: Arc<AtomicU64>,
) -> io::Result<Vec<Story>> {
    let jobs: Vec<u64> = (index..settings.jobs).step_by(settings.clients as usize).collect();
    let mut stories = Vec::new();
    for (generation, jobs) in jobs.chunks(JOBS_OF_A_CLIENT).enumerate() {
        // One after the other, some at once, many at once.
        let width = [4, 1, 12][(index as usize + generation) % 3];
        let client = client(&lane, index)?;
        let user = User { client: &client, server: lane.server() };
        let (done, ended, seed) = (&done, &ended, settings.seed);
        let jobs = futures_util::stream::iter(jobs.to_vec()).map(|job| async move {
            let mut story = Story::new(Work::new(seed, job));
            story.hung = timeout(LONGEST_JOB, user.run(&mut story)).await.is_err();
            done.send_modify(|done| *done += 1);
            ended.fetch_add(1, Ordering::Relaxed);
            story
        });
        let mut jobs = jobs.buffer_unordered(width);
        while let Some(story) = jobs.next().await {
            stories.push(story);
        }
    }
    Ok(stories)
}

/// A client with the patience of somebody in a hurry.
fn client(lane: &Lane, index: u64) -> io::Result<Client> {
    let tracking = [Tracking::Auto, Tracking::WebSocket, Tracking::Polling][(index / 4 % 3) as usize];
    Client::builder(&lane.url)
        .no_proxy()
        .tracking(tracking)
        .connect_timeout(Duration::from_millis(400))
        .request_timeout(Duration::from_millis(400))
        .idle_timeout(Duration::from_millis(400))
        .ping_interval(Duration::from_millis(80))
        .silence(Duration::from_millis(150))
        .give_up_after(GIVE_UP_AFTER)
        .build()
        .map_err(io::Error::other)
}

fn report(stories: &[Story], ledger: &Ledger, counts: &Counts, time: Duration) -> Report {
    let mut report = Report {
        time,
        ends: BTreeMap::new(),
        told: BTreeMap::new(),
        faults: counts.table(),
        violations: Vec::new(),
    };
    for story in stories {
        for claim in &story.claims {
            let table = if claim.what.is_end() { &mut report.ends } else { &mut report.told };
            *table.entry(name(claim.what)).or_default() += 1;
        }
        report.violations.extend(audit::audit(story, ledger));
    }
    report
}

fn name(told: Told) -> String {
    let name = match told {
        Told::NotTaken => "a submit failed and was made again",
        Told::MayBeTaken => "a submit failed and may have been taken",
        Told::GivenUp => "a job was given up and may go on",
        Told::TakenOut => "cancelling took the prompt out of the queue",
        Told::Refused => "refused by the server",
        Told::Unknown => "unknown to the server, after that was said to be possible",
        Told::Finished => "finished with its outputs",
        Told::Failed => "failed on the server",
        Told::Interrupted => "interrupted by its user",
        Told::Removed => "removed by its user",
        Told::Lost => "lost by a server that restarted",
    };
    name.to_owned()
}
