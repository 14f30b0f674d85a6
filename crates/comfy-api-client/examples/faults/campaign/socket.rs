//! WebSockets through the fault layer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::plan::{Random, Treatment};
use super::relay::{Shared, Turn, reset};
use super::wire::{BINARY, Frame, Http, TEXT, next_frame, next_http};

/// Opens a WebSocket at the server, and passes its messages back, each as it is to be treated.
pub(super) async fn relay(
    request: Http,
    client: &mut TcpStream,
    address: SocketAddr,
    shared: &Shared,
) -> io::Result<Turn> {
    let mut server = TcpStream::connect(address).await?;
    server.set_nodelay(true)?;
    server.write_all(&request.head).await?;
    let mut frames = BytesMut::new();
    let Some(reply) = next_http(&mut server, &mut frames).await? else { return Ok(Turn::Close) };
    client.write_all(&reply.head).await?;
    let turn = pass_on(client, &mut server, frames, shared).await;
    // The server does not always learn at once that its client is gone.
    let linger = shared.random(&shared.messages, 4).below(300);
    tokio::spawn(async move {
        sleep(Duration::from_millis(linger)).await;
        reset(server);
    });
    turn
}

async fn pass_on(
    client: &mut TcpStream,
    server: &mut TcpStream,
    mut frames: BytesMut,
    shared: &Shared,
) -> io::Result<Turn> {
    let mut words = vec![0; 4096];
    loop {
        tokio::select! {
            frame = next_frame(server, &mut frames) => {
                let Some(frame) = frame? else { return Ok(Turn::Close) };
                if !frame.is_message() {
                    client.write_all(&frame.whole).await?;
                    continue;
                }
                let mut random = shared.random(&shared.messages, 3);
                let treatment = Treatment::of_message(&mut random, shared.rates.messages);
                shared.counts.message(treatment);
                match treat(&frame, treatment, client, &mut random).await? {
                    Turn::Next => {}
                    end => return Ok(end),
                }
            }
            length = client.read(&mut words) => match length? {
                0 => return Ok(Turn::Close),
                length => server.write_all(&words[..length]).await?,
            },
        }
    }
}

async fn treat(
    frame: &Frame,
    treatment: Treatment,
    client: &mut TcpStream,
    random: &mut Random,
) -> io::Result<Turn> {
    match treatment {
        Treatment::Pass => {}
        Treatment::Delay => sleep(random.delay()).await,
        Treatment::Cut => return Ok(Turn::Reset),
        Treatment::CutInside => {
            let length = random.below(frame.whole.len() as u64) as usize;
            client.write_all(&frame.whole[..length]).await?;
            sleep(Duration::from_millis(random.below(3))).await;
            return Ok(Turn::Reset);
        }
        Treatment::Close => {
            client.write_all(&Frame::close().whole).await?;
            return Ok(Turn::Close);
        }
        Treatment::Silence => return Ok(Turn::Silence),
        Treatment::Twice => client.write_all(&frame.whole).await?,
        Treatment::Halve => {
            let half = &frame.payload()[..frame.payload().len() / 2];
            client.write_all(&Frame::new(frame.kind, half).whole).await?;
            return Ok(Turn::Next);
        }
        Treatment::AddNoJson => add(client, TEXT, br#"{"type": "executed", "data": {"node": "#).await?,
        Treatment::AddUnknown => {
            let text = br#"{"type": "weather", "data": {"prompt_id": 7, "rain": [true, NaN]}}"#;
            add(client, TEXT, text).await?;
        }
        Treatment::AddShortFrame => add(client, BINARY, &[0, 0, 0, 1, 0]).await?,
        Treatment::AddUnknownFrame => add(client, BINARY, &[0, 0, 0, 99, 1, 2, 3, 4]).await?,
        Treatment::AddNoise => client.write_all(&[0xff; 40]).await?,
    }
    client.write_all(&frame.whole).await?;
    Ok(Turn::Next)
}

async fn add(client: &mut TcpStream, kind: u8, payload: &[u8]) -> io::Result<()> {
    client.write_all(&Frame::new(kind, payload).whole).await
}
