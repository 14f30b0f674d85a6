//! A simulator of the ComfyUI server: the same routes, the same messages in the same order, and real pictures, without
//! Python, models or a GPU.
//!
//! A test starts one, lets a program talk to it, and looks at what the program sent:
//!
//! ```
//! use comfy_sim::{Fault, Sim};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let sim = Sim::builder().fault(Fault::http_error(502, 0.5)).start().await?;
//! my_program(&sim.url()).await?;
//! let requests = sim.requests().to("GET", "/queue");
//! assert_eq!(requests.len(), 1);
//! sim.shutdown().await;
//! # Ok(())
//! # }
//! # async fn my_program(url: &str) -> std::io::Result<()> {
//! #     use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
//! #     let address = url.trim_start_matches("http://");
//! #     let mut stream = tokio::net::TcpStream::connect(address).await?;
//! #     stream.write_all(format!("GET /api/queue HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
//! #     stream.read_to_end(&mut Vec::new()).await?;
//! #     Ok(())
//! # }
//! ```
//!
//! [`Sim::builder`] chooses the version, the nodes and the options of the server; [`Fault`]s make things go wrong;
//! [`Requests`] tell what came in; [`Clock`] makes time the same every time.
//!
//! It behaves as ComfyUI 0.30.0 started with `PYTHONHASHSEED=0` does. Nodes that need no models are computed; all others are
//! simulated from their descriptions: values flow with their types and sizes, samplers take steps, and decoders give pictures
//! that follow from seeds, texts and sizes. What is not simulated is absent, so that a client finds out: an unknown node class
//! is refused, an unknown route is not found.

mod assets;
mod builder;
mod clock;
mod error;
mod executor;
mod faults;
mod files;
mod history;
mod jobs;
mod json_error;
mod lives;
mod logs;
mod models;
mod nodes;
mod options;
mod packs;
mod python;
mod queue;
mod replacements;
mod requests;
mod routes;
mod server;
mod sockets;
mod state;
mod tensor_text;
mod users;
mod value;
mod version;
mod wire;

pub use builder::Builder;
pub use clock::Clock;
pub use error::{Error, ErrorKind};
pub use faults::{Fault, FaultError, FaultId, Kept};
pub use options::{Assets, CachePolicy, PreviewMethod, UnknownPreviewMethod};
pub use requests::{ReceivedRequest, Requests};
pub use server::{Records, Sim};
pub use version::{ServerVersion, UnknownVersion};
