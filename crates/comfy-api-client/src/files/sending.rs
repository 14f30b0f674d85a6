//! The file in a form, on its way to the server.

use reqwest::multipart::Part;
use reqwest::{Body, Response};
use tokio::sync::watch;

use super::limit::Limited;
use super::source::{Source, Trouble, counted};
use crate::http::{Call, Http};
use crate::text::one_line;
use crate::{Error, ErrorKind, Result};

/// Hears of the bytes that were sent, and of how many there are in all.
pub(crate) type OnProgress<'a> = Box<dyn FnMut(u64, Option<u64>) + Send + 'a>;

/// A file that is sent with a form. Whatever the route, it is too large in the same way, must not stand still, and names
/// the cause when it cannot be read.
pub(crate) struct Sending<'a> {
    name: String,
    shown: String,
    size: Option<u64>,
    counts: watch::Receiver<u64>,
    trouble: Trouble,
    reported: Option<u64>,
    on_progress: Option<OnProgress<'a>>,
}

impl<'a> Sending<'a> {
    /// Opens the content, and gives the part of the form that sends it.
    pub(crate) async fn open(
        source: Source,
        name: &str,
        on_progress: Option<OnProgress<'a>>,
    ) -> Result<(Self, Part)> {
        if name.is_empty() {
            return Err(Error::new(ErrorKind::Io, "the file to upload has no name"));
        }
        if name.contains(['\r', '\n', '\0']) {
            let message = format!("the name `{}` has a line break or a NUL in it", one_line(name, 100));
            return Err(
                Error::new(ErrorKind::Config, message).with_hint("upload the file under another name")
            );
        }
        let shown = match &source {
            Source::Path(path) => path.display().to_string(),
            _ => format!("the content of `{}`", one_line(name, 100)),
        };
        let (pieces, size) = source.open().await?;
        let (count, counts) = watch::channel(0);
        let trouble = Trouble::default();
        let body = Body::wrap_stream(counted(pieces, size, count, trouble.clone()));
        let part = match size {
            Some(size) => Part::stream_with_length(body, size),
            None => Part::stream(body),
        };
        let name = name.to_owned();
        let part = part.file_name(name.clone());
        Ok((Self { name, shown, size, counts, trouble, reported: None, on_progress }, part))
    }

    /// Makes the call that has the part in its form, unless that is too large.
    pub(crate) async fn send(mut self, http: &Http, call: Call<'_>) -> Result<Response> {
        let body = call.body_size();
        let name = self.name.clone();
        let limited = Limited { http, name: &name, size: self.size, body };
        limited.check().await?;
        let answer = self.while_it_moves(http, call.send()).await;
        match (answer, self.trouble.take()) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Some(cause)) => Err(Error::io(format!("cannot read {}", self.shown), cause)),
            (Err(error), None) => {
                let sent = *self.counts.borrow();
                Err(limited.explain(error, sent).await)
            }
        }
    }

    /// Sends a request whose body may take long to send, but must not stand still; nor must the answer after it.
    async fn while_it_moves(
        &mut self,
        http: &Http,
        send: impl Future<Output = Result<Response>>,
    ) -> Result<Response> {
        let mut send = std::pin::pin!(send);
        self.report();
        loop {
            tokio::select! {
                answer = &mut send => {
                    self.report();
                    return answer;
                }
                moved = http.step(self.counts.changed()) => {
                    if moved?.is_err() {
                        return http.step(send).await?;
                    }
                    self.report();
                }
            }
        }
    }

    fn report(&mut self) {
        let sent = *self.counts.borrow_and_update();
        if let Some(report) = self.on_progress.as_mut().filter(|_| self.reported != Some(sent)) {
            self.reported = Some(sent);
            report(sent, self.size);
        }
    }
}
