use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::{Iter, Runtime, io_error};
use crate::Result;

/// Reads pieces as one.
#[derive(Debug)]
struct Pieces {
    iter: Iter<'static, Result<Bytes>>,
    piece: Bytes,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.iter.next() {
                Some(piece) => self.piece = piece.map_err(io_error)?,
                None => return Ok(0),
            }
        }
        let length = self.piece.len().min(buffer.len());
        self.piece.copy_to_slice(&mut buffer[..length]);
        Ok(length)
    }
}

/// An answer whose body is still to be read. See the async [`Response`](crate::Response).
#[derive(Debug)]
pub struct Response {
    inner: crate::Response,
    runtime: Runtime,
}

impl Response {
    pub(super) fn new(inner: crate::Response, runtime: Runtime) -> Self {
        Self { inner, runtime }
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.inner.status()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.inner.headers()
    }

    /// Its media type, such as `image/png`, without parameters; `None` where the server does not say it.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        self.inner.content_type()
    }

    /// Its size in bytes, if the server says it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.inner.size()
    }

    /// The whole body.
    ///
    /// # Errors
    /// Those of the connection; a body over 1 GiB.
    pub fn bytes(self) -> Result<Bytes> {
        self.runtime.wait(self.inner.bytes())
    }

    /// The whole body as text; what is no UTF-8 in it is replaced.
    ///
    /// # Errors
    /// As [`bytes`](Self::bytes).
    pub fn text(self) -> Result<String> {
        self.runtime.wait(self.inner.text())
    }

    /// The whole body in JSON.
    ///
    /// # Errors
    /// Those of [`Response::json`](crate::Response::json).
    pub fn json<T: DeserializeOwned + Send>(self) -> Result<T> {
        self.runtime.wait(self.inner.json())
    }

    /// The body as it comes.
    #[must_use]
    pub fn into_reader(self) -> impl Read + Send + use<> {
        Pieces { iter: Iter::new(self.runtime, self.inner.into_stream()), piece: Bytes::new() }
    }
}

/// A file on its way from the server. See the async [`Download`](crate::Download).
#[derive(Debug)]
pub struct Download {
    inner: crate::Download,
    runtime: Runtime,
}

impl Download {
    pub(super) fn new(inner: crate::Download, runtime: Runtime) -> Self {
        Self { inner, runtime }
    }

    /// The file's size in bytes, if the server says it.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.inner.size()
    }

    /// The whole file in memory.
    ///
    /// # Errors
    /// Those of the connection; a file over 1 GiB.
    pub fn bytes(self) -> Result<Bytes> {
        self.runtime.wait(self.inner.bytes())
    }

    /// The file as it comes.
    #[must_use]
    pub fn into_reader(self) -> impl Read + Send + use<> {
        Pieces { iter: Iter::new(self.runtime, self.inner.into_stream()), piece: Bytes::new() }
    }

    /// Gives the file another name for being saved; see [`Download::named`](crate::Download::named).
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.inner = self.inner.named(name);
        self
    }

    /// Saves the file in a folder; see [`Download::save_in`](crate::Download::save_in).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn save_in(self, folder: impl AsRef<Path>) -> Result<(PathBuf, u64)> {
        self.runtime.wait(self.inner.save_in(folder.as_ref()))
    }

    /// Saves the file in a folder, over one of its name; see [`Download::save_over`](crate::Download::save_over).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn save_over(self, folder: impl AsRef<Path>) -> Result<(PathBuf, u64)> {
        self.runtime.wait(self.inner.save_over(folder.as_ref()))
    }

    /// Saves the file as `path`; see [`Download::save_as`](crate::Download::save_as).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn save_as(self, path: impl AsRef<Path>) -> Result<u64> {
        self.runtime.wait(self.inner.save_as(path.as_ref()))
    }
}
