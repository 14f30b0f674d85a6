//! A server that is stopped and started again, with and without its history.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use comfy_sim::{Builder, Sim};
use tokio::sync::{Mutex, RwLock, watch};

use super::ledger::Ledger;
use super::plan::Counts;

/// How long a node takes at least, so that there is time to cancel.
const NODE_DELAY: Duration = Duration::from_millis(1);
/// How long a server stays away when it is started again. ComfyUI takes longer: it has torch to load.
pub(crate) const DOWNTIME: Duration = Duration::from_millis(1500);

/// A server behind its address.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) index: usize,
    folder: PathBuf,
    sim: Mutex<Option<Sim>>,
    life: watch::Sender<Life>,
    ledger: Arc<Ledger>,
    counts: Arc<Counts>,
    /// Held by those who have yet to pass a request on.
    pub(crate) late: Arc<RwLock<()>>,
}

/// Which life of a server is going on, and where it listens meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) epoch: usize,
    pub(crate) address: Option<SocketAddr>,
}

impl Server {
    pub(crate) async fn start(
        index: usize,
        folder: PathBuf,
        ledger: Arc<Ledger>,
        counts: Arc<Counts>,
    ) -> io::Result<Self> {
        let server = Self {
            index,
            folder,
            sim: Mutex::default(),
            life: watch::Sender::new(Life { epoch: 0, address: None }),
            ledger,
            counts,
            late: Arc::default(),
        };
        let sim = server.builder().start().await.map_err(io::Error::other)?;
        server.life.send_replace(Life { epoch: 0, address: Some(sim.address()) });
        *server.sim.lock().await = Some(sim);
        Ok(server)
    }

    fn builder(&self) -> Builder {
        Sim::builder().base_dir(&self.folder).node_delay(NODE_DELAY)
    }

    pub(crate) fn life(&self) -> watch::Receiver<Life> {
        self.life.subscribe()
    }

    pub(crate) fn epoch(&self) -> usize {
        self.life.borrow().epoch
    }

    /// Whether it is stopped.
    pub(crate) fn is_away(&self) -> bool {
        self.life.borrow().address.is_none()
    }

    /// Stops, stays away for a time and starts again.
    pub(crate) async fn restart(&self, keeps_history: bool) -> io::Result<()> {
        let mut slot = self.sim.lock().await;
        let epoch = self.epoch();
        let Some(sim) = slot.take() else { return Ok(()) };
        self.life.send_replace(Life { epoch, address: None });
        let records = sim.records();
        sim.shutdown().await;
        self.ledger.close_epoch(self.index, epoch, &records, keeps_history);
        tokio::time::sleep(DOWNTIME).await;
        let mut builder = self.builder();
        if keeps_history {
            builder = builder.records(&records);
            self.counts.restarts_with_history.fetch_add(1, Ordering::Relaxed);
        } else {
            self.counts.restarts.fetch_add(1, Ordering::Relaxed);
        }
        let sim = builder.start().await.map_err(io::Error::other)?;
        self.life.send_replace(Life { epoch: epoch + 1, address: Some(sim.address()) });
        *slot = Some(sim);
        Ok(())
    }

    /// Waits for requests that are still on their way and for the queue, and writes down how everything ended.
    pub(crate) async fn finish(&self) -> io::Result<()> {
        let _all_arrived = self.late.write().await;
        let Some(sim) = self.sim.lock().await.take() else { return Ok(()) };
        while remaining(sim.address()).await? > 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let records = sim.records();
        sim.shutdown().await;
        self.ledger.close_epoch(self.index, self.epoch(), &records, false);
        Ok(())
    }
}

/// How many prompts wait or run, asked without any fault.
async fn remaining(address: SocketAddr) -> io::Result<u64> {
    use tokio::io::AsyncWriteExt;
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    stream.write_all(b"GET /prompt HTTP/1.1\r\nHost: sim\r\nConnection: close\r\n\r\n").await?;
    let answer = super::wire::next_http(&mut stream, &mut bytes::BytesMut::new()).await?;
    let answer = answer.ok_or(io::ErrorKind::UnexpectedEof)?;
    let info: serde_json::Value = serde_json::from_slice(&answer.body)?;
    info["exec_info"]["queue_remaining"].as_u64().ok_or_else(|| io::Error::other("no queue_remaining"))
}
