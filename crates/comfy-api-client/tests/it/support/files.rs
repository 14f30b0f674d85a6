//! Servers that give files out badly, or take them badly.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::get;
use comfy_api_client::protocol::FileRef;
use comfy_api_client::{Client, ClientBuilder, RetryPolicy};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Bytes of which no part is like another.
pub(crate) fn content(size: usize) -> Vec<u8> {
    (0..size as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// A file in the folder `temp`.
pub(crate) fn temporary(name: &str) -> FileRef {
    FileRef { folder: "temp".into(), ..FileRef::new(name) }
}

/// A PNG of one colour, with transparency where there is a fourth number.
pub(crate) fn png_of(width: u32, height: u32, pixel: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(if pixel.len() == 4 { png::ColorType::Rgba } else { png::ColorType::Rgb });
    encoder.add_text_chunk("prompt".into(), "{\"note\": 1}".into()).unwrap();
    let pixels = pixel.repeat((width * height) as usize);
    encoder.write_header().unwrap().write_image_data(&pixels).unwrap();
    bytes
}

/// The first pixel of a PNG, and its texts.
pub(crate) fn look_at(png: &[u8]) -> (Vec<u8>, Vec<String>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let texts = reader.info().uncompressed_latin1_text.iter().map(|text| text.text.clone()).collect();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    pixels.truncate(frame.color_type.samples());
    (pixels, texts)
}

/// Attempts without long waits.
pub(crate) fn impatient(attempts: u32) -> RetryPolicy {
    RetryPolicy::at_most(attempts).pauses(Duration::from_millis(1), Duration::from_millis(2))
}

pub(crate) async fn serve(router: Router) -> ClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Client::builder(address).retry(impatient(3))
}

/// One answer to a request for a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    /// Where the connection breaks.
    pub(crate) breaks_after: Option<usize>,
    /// It stands still there instead.
    pub(crate) stalls: bool,
}

impl Answer {
    pub(crate) fn whole(body: &[u8], tag: &str) -> Self {
        Self { status: 200, body: body.to_vec(), ..Self::default() }.tagged(tag)
    }

    /// The rest of a file from a byte on.
    pub(crate) fn rest(body: &[u8], from: usize, tag: &str) -> Self {
        let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
        let headers = vec![("content-range", range)];
        Self { status: 206, headers, body: body[from..].to_vec(), ..Self::default() }.tagged(tag)
    }

    fn tagged(mut self, tag: &str) -> Self {
        if !tag.is_empty() {
            self.headers.push(("etag", format!("\"{tag}\"")));
        }
        self
    }

    pub(crate) fn breaks_after(mut self, bytes: usize) -> Self {
        self.breaks_after = Some(bytes);
        self
    }

    fn response(self) -> Response<Body> {
        let mut response = Response::builder()
            .status(StatusCode::from_u16(self.status).unwrap())
            .header("content-length", self.body.len());
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        let body = match self.breaks_after {
            None => Body::from(self.body),
            Some(bytes) => {
                let begun = Bytes::from(self.body[..bytes].to_vec());
                let pieces = [Ok(begun), Err(std::io::Error::other("broken"))];
                // What was written is sent before the connection goes.
                let stalls = self.stalls;
                Body::from_stream(futures_util::stream::iter(pieces).then(move |piece| async move {
                    tokio::task::yield_now().await;
                    if stalls && piece.is_err() {
                        std::future::pending::<()>().await;
                    }
                    piece
                }))
            }
        };
        response.body(body).unwrap()
    }
}

/// What was asked of a server, one after the other.
pub(crate) type Asked = Arc<Mutex<Vec<HeaderMap>>>;

/// A server that gives these answers for a file, one after the other.
pub(crate) async fn answers(answers: impl IntoIterator<Item = Answer>) -> (ClientBuilder, Asked) {
    let asked = Asked::default();
    let left: Arc<Mutex<VecDeque<Answer>>> = Arc::new(Mutex::new(answers.into_iter().collect()));
    let answer = {
        let asked = Arc::clone(&asked);
        async move |headers: HeaderMap| {
            asked.lock().unwrap().push(headers);
            let answer = left.lock().unwrap().pop_front();
            answer.unwrap_or_else(|| Answer { status: 500, ..Answer::default() }).response()
        }
    };
    (serve(Router::new().route("/api/view", get(answer))).await, asked)
}

/// Relays connections to a server, and cuts each after so many bytes of the server; those beyond the list are left
/// alone. What clients send is kept.
pub(crate) async fn cutting(server: &str, cuts: Vec<usize>) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = server.trim_start_matches("http://").to_owned();
    let sent = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&sent);
    tokio::spawn(async move {
        let mut cuts = cuts.into_iter();
        while let Ok((client, _)) = listener.accept().await {
            let left = cuts.next().unwrap_or(usize::MAX);
            tokio::spawn(relay(client, server.clone(), left, Arc::clone(&kept)));
        }
    });
    (url, sent)
}

async fn relay(mut client: TcpStream, server: String, mut left: usize, kept: Arc<Mutex<Vec<u8>>>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    let (mut up, mut down) = (vec![0; 65536], vec![0; 65536]);
    while left > 0 {
        tokio::select! {
            read = client.read(&mut up) => {
                let Ok(length @ 1..) = read else { return };
                kept.lock().unwrap().extend_from_slice(&up[..length]);
                if server.write_all(&up[..length]).await.is_err() { return }
            }
            read = server.read(&mut down) => {
                let Ok(length @ 1..) = read else { return };
                let length = length.min(left);
                left -= length;
                if client.write_all(&down[..length]).await.is_err() { return }
            }
        }
    }
}

/// How a server treats uploads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taking {
    /// It hangs up in the middle of the body.
    HangsUp,
    /// It answers 413 in the middle of the body and hangs up.
    Refuses,
}

/// A server that takes no upload to its end, and tells these limits, the last one again and again.
pub(crate) async fn refusing(taking: Taking, limits: Vec<u64>) -> ClientBuilder {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let limits = Arc::new(Mutex::new(VecDeque::from(limits)));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(refuse(client, taking, Arc::clone(&limits)));
        }
    });
    Client::builder(address).retry(impatient(3))
}

async fn refuse(mut client: TcpStream, taking: Taking, limits: Arc<Mutex<VecDeque<u64>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let Ok(byte) = client.read_u8().await else { return };
        request.push(byte);
    }
    let answer = |status: &str, body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n{body}"
        )
    };
    if request.starts_with(b"GET /api/features ") {
        let limit = {
            let mut limits = limits.lock().unwrap();
            if limits.len() > 1 { limits.pop_front().unwrap() } else { limits[0] }
        };
        let body = format!("{{\"max_upload_size\": {limit}}}");
        client.write_all(answer("200 OK", &body).as_bytes()).await.unwrap();
        return;
    }
    let mut some = vec![0; 200_000];
    client.read_exact(&mut some).await.unwrap();
    if taking == Taking::Refuses {
        client.write_all(answer("413 Request Entity Too Large", "too much").as_bytes()).await.unwrap();
        // An answer is lost when the connection is dropped with something unread.
        while let Ok(1..) = client.read(&mut some).await {}
    }
}
