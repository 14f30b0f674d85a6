//! The pieces of a download in their order, over as many connections as it takes.

use std::ops::Range;

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_RANGE, HeaderValue, IF_RANGE, RANGE};
use reqwest::Response;

use super::info::{IDENTITY, missing};
use super::pieces::{Part, Validator};
use super::request::Wanted;
use crate::http::{Attempts, Http, is_worth_another};
use crate::{Client, Error, ErrorKind, Result};

/// Hears of the bytes that were moved, and of how many there are in all.
pub(super) type OnProgress = Box<dyn FnMut(u64, Option<u64>) + Send>;

/// A download. After a break it goes on where it was, if the file is still the same.
pub(super) struct Transfer {
    client: Client,
    wanted: Wanted,
    on_progress: Option<OnProgress>,
    bytes: Range<u64>,
    /// `None` after a break.
    response: Option<Response>,
    validator: Option<Validator>,
    /// The size of the whole file.
    total: Option<u64>,
    /// Where the wanted part ends.
    end: Option<u64>,
    /// The next byte to hand out.
    position: u64,
    /// Bytes of the answer that are to be passed over: it begins before the position.
    skip: u64,
    /// How far it ever came, and how far when the attempts were counted from.
    furthest: u64,
    counted_from: u64,
    attempts: Attempts,
}

/// What comes next in a download.
#[derive(Debug)]
pub(super) enum Step {
    Piece(Bytes),
    /// All that came before is void.
    StartsOver,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    /// All that is wanted, for the first time.
    First,
    /// The same after a break; who asks counts the attempts.
    Again,
    /// What has not come yet of the same file.
    Rest,
}

impl Transfer {
    pub(super) async fn begin(
        client: Client,
        wanted: Wanted,
        on_progress: Option<OnProgress>,
    ) -> Result<Self> {
        let bytes = wanted.bytes()?;
        let attempts = Attempts::new(client.http().settings().retry, true);
        let mut transfer = Self {
            position: bytes.start,
            furthest: bytes.start,
            counted_from: bytes.start,
            client,
            wanted,
            on_progress,
            bytes,
            response: None,
            validator: None,
            total: None,
            end: None,
            skip: 0,
            attempts,
        };
        let response = transfer.ask(Ask::First).await?;
        transfer.adopt(response)?;
        Ok(transfer)
    }

    pub(super) fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    pub(super) fn http(&self) -> &Http {
        self.client.http()
    }

    /// The number of bytes that are handed out in all.
    pub(super) fn size(&self) -> Option<u64> {
        Some(self.end? - self.bytes.start)
    }

    /// The next piece, `None` after the last one.
    ///
    /// With `may_start_over`, a download that cannot go on after a break begins again, and says so.
    pub(super) async fn next(&mut self, may_start_over: bool) -> Result<Option<Step>> {
        loop {
            let at_end = self.end == Some(self.position);
            // A server that knows no ranges would send more than is wanted.
            if at_end && self.total != self.end {
                return Ok(None);
            }
            let broken = match self.response.as_mut() {
                Some(response) => match self.client.http().next_piece(response).await {
                    Ok(Some(piece)) => {
                        let piece = self.wanted_of(piece);
                        if piece.is_empty() {
                            continue;
                        }
                        self.position += piece.len() as u64;
                        self.furthest = self.furthest.max(self.position);
                        self.report();
                        return Ok(Some(Step::Piece(piece)));
                    }
                    Ok(None) if self.end.is_none() || at_end => return Ok(None),
                    Ok(None) => self.too_short(),
                    // All that is wanted came before the connection broke.
                    Err(_) if at_end => return Ok(None),
                    Err(error) => error,
                },
                None => self.too_short(),
            };
            self.response = None;
            if self.go_on(broken, may_start_over).await? {
                return Ok(Some(Step::StartsOver));
            }
        }
    }

    /// A piece without what comes before and after the wanted part.
    fn wanted_of(&mut self, mut piece: Bytes) -> Bytes {
        let skipped = self.skip.min(piece.len() as u64);
        self.skip -= skipped;
        let _ = piece.split_to(usize::try_from(skipped).unwrap_or_default());
        if let Some(end) = self.end {
            piece.truncate(usize::try_from(end - self.position).unwrap_or(usize::MAX));
        }
        piece
    }

    fn report(&mut self) {
        let size = self.size();
        if let Some(report) = &mut self.on_progress {
            report(self.position - self.bytes.start, size);
        }
    }

    fn too_short(&self) -> Error {
        let (came, size) = (self.position - self.bytes.start, self.size().unwrap_or_default());
        let name = crate::text::one_line(&self.wanted.file.filename, 100);
        Error::new(ErrorKind::Disconnected, format!("only {came} of the {size} bytes of `{name}` came"))
            .with_hint("try again")
    }

    async fn ask(&mut self, what: Ask) -> Result<Response> {
        let http = self.http();
        let mut call = self.wanted.call(http).unhurried();
        if self.wanted.is_plain() {
            call = call.header(ACCEPT_ENCODING, IDENTITY);
        }
        let from = if what == Ask::Rest { self.position } else { self.bytes.start };
        if from > 0 || self.bytes.end < u64::MAX {
            let last = self.bytes.end.checked_sub(1).filter(|_| self.bytes.end < u64::MAX);
            let last = last.map(|last| last.to_string()).unwrap_or_default();
            if let Ok(range) = HeaderValue::try_from(format!("bytes={from}-{last}")) {
                call = call.header(RANGE, range);
            }
        }
        if let Some(validator) = self.validator.as_ref().filter(|_| what == Ask::Rest) {
            call = call.header(IF_RANGE, validator.header());
        }
        let call = if what == Ask::First { call } else { call.once() };
        let answer = http.step(call.send()).await?;
        answer.map_err(|error| match error.status() {
            Some(416) => self.out_of_range(error),
            _ => missing(&self.wanted.file, error),
        })
    }

    fn out_of_range(&self, error: Error) -> Error {
        let name = crate::text::one_line(&self.wanted.file.filename, 100);
        let start = self.bytes.start;
        Error::new(ErrorKind::Config, format!("`{name}` ends before byte {start}"))
            .with_hint("ask for a range within the file")
            .with_status(416)
            .with_source(error)
    }

    /// Begins with an answer to the first request.
    fn adopt(&mut self, response: Response) -> Result<()> {
        let start = self.bytes.start;
        let part = Part::of(&response).filter(|part| part.start == start || part.start == 0);
        let part = part.ok_or_else(|| self.misread(&response))?;
        self.total = part.total;
        self.end = match part.total.or(part.end) {
            Some(end) => Some(end.min(self.bytes.end)),
            None => Some(self.bytes.end).filter(|end| *end < u64::MAX),
        };
        if self.end.is_some_and(|end| end < start || (end == start && start > 0)) {
            let name = crate::text::one_line(&self.wanted.file.filename, 100);
            return Err(Error::new(ErrorKind::Config, format!("`{name}` ends before byte {start}"))
                .with_hint("ask for a range within the file"));
        }
        self.skip = start - part.start;
        self.position = start;
        // What the server makes anew every time, or what was packed on the way, has no middle to go on from.
        self.validator = Validator::of(response.headers()).filter(|_| self.wanted.is_plain());
        self.response = Some(response);
        self.report();
        Ok(())
    }

    fn misread(&self, response: &Response) -> Error {
        let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
        let range = crate::text::one_line(range.unwrap_or("none"), 60);
        Error::new(
            ErrorKind::UnexpectedReply,
            format!("the server sent another part than asked for: {range}"),
        )
    }

    /// Asks again after a break. Returns whether the download begins again from its start.
    async fn go_on(&mut self, mut error: Error, may_start_over: bool) -> Result<bool> {
        if self.furthest > self.counted_from {
            self.counted_from = self.furthest;
            self.attempts = Attempts::new(self.http().settings().retry, true);
        }
        let has_begun = self.position > self.bytes.start;
        let mut can_go_on = has_begun && self.validator.is_some() && self.end.is_some();
        loop {
            let worth = match (has_begun, can_go_on) {
                (true, true) => error.is_retryable(),
                (true, false) => may_start_over && is_worth_another(&error),
                (false, _) => is_worth_another(&error),
            };
            self.attempts.pause_if(worth, error).await?;
            let answer = match self.ask(if can_go_on { Ask::Rest } else { Ask::Again }).await {
                Ok(answer) => answer,
                // The file is shorter now.
                Err(changed) if can_go_on && matches!(changed.status(), Some(412 | 416)) => {
                    (error, can_go_on) = (self.changed().with_source(changed), false);
                    continue;
                }
                Err(again) => {
                    error = again;
                    continue;
                }
            };
            if !can_go_on {
                self.adopt(answer)?;
                return Ok(has_begun);
            }
            if self.continues(&answer) {
                tracing::debug!(position = self.position, "a download goes on");
                self.response = Some(answer);
                return Ok(false);
            }
            (error, can_go_on) = (self.changed(), false);
        }
    }

    fn changed(&self) -> Error {
        let name = crate::text::one_line(&self.wanted.file.filename, 100);
        let message = format!("the connection broke, and `{name}` was changed on the server meanwhile");
        Error::new(ErrorKind::Disconnected, message).with_hint("download it again from its start")
    }

    /// Whether an answer holds the rest of the same file; where it holds all of it, what came before is passed over.
    fn continues(&mut self, answer: &Response) -> bool {
        let same = self.validator.as_ref().is_some_and(|validator| validator.is_of(answer.headers()));
        let Some(part) = Part::of(answer).filter(|_| same) else { return false };
        let is_rest = answer.status() == StatusCode::PARTIAL_CONTENT && part.start == self.position;
        let is_whole = answer.status() == StatusCode::OK && part.end.is_some();
        let same_size = self.total.is_none() || part.total.is_none() || part.total == self.total;
        self.skip = self.position - part.start.min(self.position);
        (is_rest || is_whole) && same_size
    }
}
