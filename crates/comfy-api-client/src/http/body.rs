//! Bodies of answers.

use bytes::{Bytes, BytesMut};
use comfy_protocol::json;
use reqwest::Response;
use serde::de::DeserializeOwned;

use super::{Http, failure, shown};
use crate::{Error, ErrorKind, Result};

/// The largest body that is read into memory. Lists of nodes have tens of megabytes, histories more.
pub(crate) const LARGEST_BODY: usize = 1 << 30;
/// How much is reserved at most on the word of the server.
const LARGEST_RESERVE: u64 = 128 << 20;

impl Http {
    /// Reads the next piece of an answer's body; `None` after the last one.
    pub(crate) async fn next_piece(&self, response: &mut Response) -> Result<Option<Bytes>> {
        let piece = self.step(response.chunk()).await?;
        piece.map_err(|error| failure::of_transport(error, &self.inner.address, response.url()))
    }

    /// Reads the body of an answer, up to a limit that no honest one reaches.
    pub(crate) async fn read_body(&self, mut response: Response) -> Result<Bytes> {
        let Some(first) = self.next_piece(&mut response).await? else {
            return Ok(Bytes::new());
        };
        let Some(mut next) = self.next_piece(&mut response).await? else {
            return Ok(first);
        };
        let announced = response.content_length().unwrap_or_default().min(LARGEST_RESERVE);
        let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or_default());
        body.extend_from_slice(&first);
        loop {
            if body.len() + next.len() > LARGEST_BODY {
                let url = shown(response.url());
                let message = format!("the answer of {url} is larger than 1 GiB");
                return Err(Error::new(ErrorKind::UnexpectedReply, message).with_url(url));
            }
            body.extend_from_slice(&next);
            match self.next_piece(&mut response).await? {
                Some(piece) => next = piece,
                None => return Ok(body.freeze()),
            }
        }
    }

    /// Reads the body of an answer as JSON.
    pub(crate) async fn read_json<T: DeserializeOwned>(&self, response: Response) -> Result<T> {
        let url = response.url().clone();
        let status = response.status().as_u16();
        let body = self.read_body(response).await?;
        json::from_slice(&body).map_err(|error| failure::of_json(error, &self.inner.address, &url, status))
    }

    /// Insists on a success.
    pub(crate) async fn ok(&self, response: Response) -> Result<Response> {
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(failure::of_status(response, &self.inner.address).await)
        }
    }
}
