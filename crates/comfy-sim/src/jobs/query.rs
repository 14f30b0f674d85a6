//! What a listing of jobs is asked for.

use crate::python;
use crate::version::ServerVersion;

/// Where a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    InProgress,
    Completed,
    Failed,
    /// Interrupted, since 0.30.0.
    Cancelled,
}

impl Status {
    /// All of them, in the order in which the server names them.
    const ALL: [Self; 5] = [Self::Pending, Self::InProgress, Self::Completed, Self::Failed, Self::Cancelled];

    /// Those of jobs that have left the queue.
    pub(super) const ENDED: [Self; 3] = [Self::Completed, Self::Failed, Self::Cancelled];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn known(version: ServerVersion) -> &'static [Self] {
        if version >= ServerVersion::V0_30_0 { &Self::ALL } else { &Self::ALL[..4] }
    }
}

/// By what jobs are ordered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    #[default]
    CreatedAt,
    ExecutionDuration,
}

/// Which jobs are wanted, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query {
    /// `None` for all.
    pub(crate) statuses: Option<Vec<Status>>,
    pub(crate) workflow_id: Option<String>,
    pub(crate) sort: Sort,
    pub(crate) ascending: bool,
    pub(crate) limit: Option<i128>,
    pub(crate) offset: i128,
}

impl Query {
    /// Reads the query of a request. The first value of a name counts.
    ///
    /// # Errors
    /// The text of the server's refusal.
    pub(crate) fn parse(query: &str, version: ServerVersion) -> Result<Self, String> {
        let value = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(query.as_bytes());
            pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let statuses = match value("status").filter(|text| !text.is_empty()) {
            Some(text) => Some(statuses(&text, version)?),
            None => None,
        };
        let sort = match value("sort_by").map(|text| text.to_lowercase()).as_deref() {
            None | Some("created_at") => Sort::CreatedAt,
            Some("execution_duration") => Sort::ExecutionDuration,
            Some(_) => return Err("sort_by must be 'created_at' or 'execution_duration'".into()),
        };
        let ascending = match value("sort_order").map(|text| text.to_lowercase()).as_deref() {
            None | Some("desc") => false,
            Some("asc") => true,
            Some(_) => return Err("sort_order must be 'asc' or 'desc'".into()),
        };
        let integer = |name: &str| {
            let number = value(name)
                .map(|text| python::int(&text).ok_or_else(|| format!("{name} must be an integer")));
            number.transpose()
        };
        let limit = integer("limit")?;
        if limit.is_some_and(|limit| limit <= 0) {
            return Err("limit must be a positive integer".into());
        }
        let offset = integer("offset")?.unwrap_or(0);
        let workflow_id = value("workflow_id").filter(|text| !text.is_empty());
        Ok(Self { statuses, workflow_id, sort, ascending, limit, offset })
    }

    pub(super) fn wants(&self, status: Status) -> bool {
        self.statuses.as_ref().is_none_or(|statuses| statuses.contains(&status))
    }
}

fn statuses(text: &str, version: ServerVersion) -> Result<Vec<Status>, String> {
    let known = Status::known(version);
    let (mut statuses, mut unknown) = (Vec::new(), Vec::new());
    for name in text.split(',').map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()) {
        match known.iter().find(|status| status.as_str() == name) {
            Some(status) => statuses.push(*status),
            None => unknown.push(name),
        }
    }
    if unknown.is_empty() {
        return Ok(statuses);
    }
    let known: Vec<_> = known.iter().map(|status| status.as_str()).collect();
    Err(format!("Invalid status value(s): {}. Valid values: {}", unknown.join(", "), known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Query, String> {
        Query::parse(query, ServerVersion::V0_30_0)
    }

    #[test]
    fn statuses_are_a_list_in_any_case() {
        let wanted = parse("status=%20Failed%20,%20COMPLETED,,").expect("good");
        assert_eq!(wanted.statuses, Some(vec![Status::Failed, Status::Completed]));
        assert_eq!(parse("status=,").expect("good").statuses, Some(vec![]));
        assert_eq!(parse("status=").expect("good").statuses, None);
        assert_eq!(
            parse("status=Pending,BOGUS,worse,BOGUS").expect_err("bad"),
            "Invalid status value(s): bogus, worse, bogus. Valid values: pending, in_progress, completed, failed, cancelled"
        );
        assert_eq!(
            Query::parse("status=cancelled", ServerVersion::V0_8_0).expect_err("bad"),
            "Invalid status value(s): cancelled. Valid values: pending, in_progress, completed, failed"
        );
    }

    #[test]
    fn the_first_mistake_in_the_order_of_the_server_is_told() {
        for (query, text) in [
            ("status=x&sort_by=y", "Invalid status value(s): x"),
            ("sort_by=y&sort_order=z&limit=q", "sort_by must be"),
            ("limit=q&sort_order=z", "sort_order must be"),
            ("offset=w&limit=q", "limit must be an integer"),
            ("offset=w&limit=-0", "limit must be a positive integer"),
            ("limit=1&offset=", "offset must be an integer"),
            ("limit=1.5", "limit must be an integer"),
            ("sort_by=", "sort_by must be"),
        ] {
            let error = parse(query).expect_err(query);
            assert!(error.starts_with(text), "{query}: {error}");
        }
    }

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        let query = parse("limit=%201_0%20&limit=2&offset=-5&sort_by=Execution_Duration&sort_order=ASC")
            .expect("good");
        assert_eq!((query.limit, query.offset), (Some(10), -5));
        assert_eq!((query.sort, query.ascending), (Sort::ExecutionDuration, true));
    }
}
