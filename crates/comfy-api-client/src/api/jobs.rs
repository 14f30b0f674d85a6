use std::collections::HashSet;

use comfy_protocol::route;
use comfy_protocol::routes::SortOrder;
use comfy_protocol::routes::jobs::{JobList, JobRecord, JobSort, JobStatus};
use futures_util::{Stream, TryStreamExt};

use super::{awaitable, pages};
use crate::{Client, Result};

/// Jobs that a stream asks for at a time, unless told otherwise.
const PAGE: u64 = 100;

impl Client {
    /// The jobs of the server, waiting, running and ended, the newest first (since 0.8.0): one page when awaited, or
    /// all of them as a [`stream`](Jobs::stream).
    ///
    /// ```no_run
    /// use comfy_api_client::protocol::routes::jobs::JobStatus;
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example(client: comfy_api_client::Client) -> comfy_api_client::Result<()> {
    /// let page = client.jobs().status([JobStatus::Pending, JobStatus::InProgress]).limit(20).await?;
    /// println!("{} of {}", page.jobs.len(), page.pagination.total);
    ///
    /// let mut failed = std::pin::pin!(client.jobs().status([JobStatus::Failed]).stream());
    /// while let Some(job) = failed.try_next().await? {
    ///     println!("{}", job.id);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn jobs(&self) -> Jobs<'_> {
        Jobs {
            client: self,
            statuses: Vec::new(),
            workflow_id: None,
            sort: None,
            order: None,
            limit: None,
            offset: 0,
        }
    }

    /// What the server knows of a job, with its outputs when it has ended (since 0.8.0). `None` for one that the server
    /// does not know, such as one that was removed before it ran.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on older servers, or those of the connection.
    pub async fn job_record(&self, id: &str) -> Result<Option<JobRecord>> {
        self.http().call(route::JOB, &[id]).read_if_found().await
    }
}

/// A question for jobs, about to be asked; made by [`Client::jobs`]. Await it for one page.
///
/// Awaiting fails with [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on servers before 0.8.0.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked unless this is awaited or its stream is read"]
pub struct Jobs<'a> {
    client: &'a Client,
    statuses: Vec<JobStatus>,
    workflow_id: Option<String>,
    sort: Option<JobSort>,
    order: Option<SortOrder>,
    limit: Option<u64>,
    offset: u64,
}

impl<'a> Jobs<'a> {
    /// Only those with one of these statuses. [`JobStatus::Cancelled`] is refused before 0.30.0, where interrupted jobs
    /// are failed ones.
    pub fn status(mut self, statuses: impl IntoIterator<Item = JobStatus>) -> Self {
        self.statuses.extend(statuses);
        self
    }

    /// Only those that were submitted with an editor's workflow of this id, in
    /// [`extra_data`](crate::Submit::extra_data) under `extra_pnginfo.workflow.id`.
    pub fn workflow_id(mut self, id: impl Into<String>) -> Self {
        self.workflow_id = Some(id.into());
        self
    }

    /// By what they are in order; by when they were submitted unless set.
    pub fn sort_by(mut self, sort: JobSort) -> Self {
        self.sort = Some(sort);
        self
    }

    /// Which end comes first; the newest or longest unless set.
    pub fn sort_order(mut self, order: SortOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// At most so many in a page, from 1; all of them unless set, and 100 at a time for a [`stream`](Self::stream).
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Passes over so many.
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// All jobs from the offset on, page by page as they are wanted. While new jobs come in, pages shift: no job is
    /// given twice, but one may be left out when others go meanwhile.
    pub fn stream(self) -> impl Stream<Item = Result<JobRecord>> + Send + use<'a> {
        let first = Self { limit: Some(self.limit.unwrap_or(PAGE)), ..self };
        let all = pages::entries(first, |page| async move {
            let list = page.clone().send().await?;
            let seen = list.jobs.len() as u64;
            let next = Self { offset: page.offset + seen, ..page };
            Ok((list.jobs, (list.pagination.has_more && seen > 0).then_some(next)))
        });
        let mut given = HashSet::new();
        all.try_filter(move |job| std::future::ready(given.insert(job.id.clone())))
    }

    async fn send(self) -> Result<JobList> {
        let call = self.client.http().call(route::JOBS, &[]);
        let statuses = self.statuses.iter().map(JobStatus::as_str).collect::<Vec<_>>().join(",");
        call.query_if("status", (!statuses.is_empty()).then_some(statuses))
            .query_if("workflow_id", self.workflow_id)
            .query_if("sort_by", self.sort.map(JobSort::as_str))
            .query_if("sort_order", self.order.map(SortOrder::as_str))
            .query_if("limit", self.limit)
            .query_if("offset", (self.offset > 0).then_some(self.offset))
            .read()
            .await
    }
}

awaitable!(Jobs -> JobList);
