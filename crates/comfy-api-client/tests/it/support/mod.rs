//! What the tests share.

mod clip;
pub(crate) mod conversation;
#[path = "../../../../comfy-protocol/tests/it/corpus.rs"]
pub(crate) mod corpus;
pub(crate) mod files;
pub(crate) mod relay;
pub(crate) mod stage;

use std::time::Duration;

use comfy_api_client::{Client, ClientBuilder, Workflow};
use comfy_sim::Sim;
use serde_json::json;
use tokio::sync::{Mutex, MutexGuard};

/// A test that hangs has failed.
pub(crate) async fn in_time<T>(work: impl IntoFuture<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), work).await.expect("the test ends in time")
}

/// A server that a behaviour is tested on.
pub(crate) struct TestServer {
    pub(crate) url: String,
    _sim: Option<Sim>,
    _turn: Option<MutexGuard<'static, ()>>,
}

impl TestServer {
    pub(crate) async fn simulated() -> Self {
        let sim = Sim::start().await.unwrap();
        Self { url: sim.url(), _sim: Some(sim), _turn: None }
    }

    /// The simulator whose nodes take a while.
    pub(crate) async fn slow() -> Self {
        let sim = Sim::builder().node_delay(Duration::from_millis(200)).start().await.unwrap();
        Self { url: sim.url(), _sim: Some(sim), _turn: None }
    }

    /// The real server, one test at a time; `None` where there is none.
    pub(crate) async fn real() -> Option<Self> {
        static TURN: Mutex<()> = Mutex::const_new(());
        let Ok(url) = std::env::var("COMFYUI_TEST_URL") else {
            eprintln!("skipped: COMFYUI_TEST_URL does not name a real server");
            return None;
        };
        Some(Self { url, _sim: None, _turn: Some(TURN.lock().await) })
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        Client::builder(&self.url)
    }

    /// Whether nobody else can be hurt by what changes the whole server.
    pub(crate) fn is_ours_alone(&self) -> bool {
        let alone = self._sim.is_some() || std::env::var_os("COMFYUI_TEST_ALONE").is_some();
        if !alone {
            eprintln!("skipped: COMFYUI_TEST_ALONE does not say that nobody else uses the server");
        }
        alone
    }

    pub(crate) async fn client(&self) -> Client {
        self.builder().connect().await.unwrap()
    }
}

/// Defines a test of a behaviour, once for the simulator and once for a real server.
macro_rules! behaviour {
    ($(#[$meta:meta])* async fn $name:ident($server:ident) $body:block) => {
        $(#[$meta])*
        mod $name {
            use super::*;

            async fn check($server: &TestServer) $body

            #[tokio::test]
            async fn on_the_simulator() {
                let server = TestServer::simulated().await;
                crate::support::in_time(check(&server)).await;
            }

            #[tokio::test]
            async fn on_a_real_server() {
                if let Some(server) = TestServer::real().await {
                    crate::support::in_time(check(&server)).await;
                }
            }
        }
    };
}
pub(crate) use behaviour;

/// A number that no earlier run used, so that nothing of a workflow is known to a server yet.
pub(crate) fn fresh() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    (RandomState::new().hash_one(()) % 0xff_ffff) as u32
}

/// A random UUID in the form that servers take.
pub(crate) fn uuid() -> String {
    use std::hash::{BuildHasher, RandomState};
    let [a, b] = [RandomState::new().hash_one(1), RandomState::new().hash_one(2)];
    let hex = format!("{a:016x}{b:016x}");
    format!("{}-{}-4{}-8{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}

/// A small picture of one colour, saved.
pub(crate) fn picture(color: u32) -> Workflow {
    Workflow::from_value(json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 16, "height": 8, "batch_size": 1, "color": color}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "client-test/picture"}, "_meta": {"title": "Save it"}},
    }))
    .unwrap()
}

/// Work that takes a server a while: large pictures, again and again, with a break between nodes.
pub(crate) fn long_work(color: u32, nodes: usize) -> Workflow {
    let mut workflow = picture(color);
    workflow.set("1.width", 2048).unwrap();
    workflow.set("1.height", 2048).unwrap();
    let mut last = "2".to_owned();
    for index in 0..nodes {
        let id = format!("long{index}");
        let method = if index % 2 == 0 { "bicubic" } else { "bilinear" };
        let node = comfy_api_client::workflow::Node::new("ImageScale")
            .with_input("image", json!([last, 0]))
            .with_input("upscale_method", method)
            .with_input("width", 2000 + index)
            .with_input("height", 2000)
            .with_input("crop", "disabled");
        workflow.insert(id.clone(), node);
        last = id;
    }
    let save = workflow.node_mut("3").unwrap();
    save.inputs.insert("images".into(), json!([last, 0]));
    workflow
}
