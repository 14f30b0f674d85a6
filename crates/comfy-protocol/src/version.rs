//! Versions of the server, and which of its routes exist since when.

use std::fmt;
use std::str::FromStr;

/// A version of the ComfyUI server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl Version {
    /// The oldest version that this project knows.
    pub const V0_3_64: Self = Self::new(0, 3, 64);
    /// Brought the jobs routes and global subgraphs.
    pub const V0_8_0: Self = Self::new(0, 8, 0);
    /// Brought cancelling by job, node replacements and assets.
    pub const V0_30_0: Self = Self::new(0, 30, 0);

    /// The version of three numbers.
    #[must_use]
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self { major, minor, patch }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// A text is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no version such as `0.30.0`")]
pub struct NoVersion(String);

impl FromStr for Version {
    type Err = NoVersion;

    /// Reads `0.30.0`, `v0.30`, `0.30.0-rc1`, `0.30.0+abc`: what follows the numbers is passed over.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no_version = || NoVersion(text.chars().take(40).collect());
        let numbers = text.trim().trim_start_matches('v');
        let numbers = numbers.split(['-', '+', ' ']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(str::parse::<u32>);
        let mut next = || parts.next().transpose().map_err(|_| no_version());
        let major = next()?.ok_or_else(no_version)?;
        let minor = next()?.ok_or_else(no_version)?;
        Ok(Self::new(major, minor, next()?.unwrap_or_default()))
    }
}

/// A route of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Route {
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with placeholders such as `{prompt_id}`. A placeholder named `{path}` stands for several segments.
    pub path: &'static str,
    /// The oldest known version that has it: earlier ones than [`Version::V0_3_64`] were not looked at. `None` where
    /// only the cloud has it.
    pub since: Option<Version>,
}

impl Route {
    /// The path to ask for, without a slash at its beginning. Most routes exist under `/api` as well, which is the one
    /// form that the cloud has too.
    #[must_use]
    pub fn address(&self) -> String {
        const AS_THEY_ARE: [&str; 5] = ["/api/", "/internal/", "/templates/", "/docs/", "/extensions/{"];
        let is_whole = matches!(self.path, "/" | "/{path}" | "/ws")
            || AS_THEY_ARE.iter().any(|start| self.path.starts_with(start));
        let prefix = if is_whole { "" } else { "api/" };
        format!("{prefix}{}", &self.path[1..])
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

macro_rules! routes {
    ($($name:ident: $method:literal $path:literal $(since $since:ident)?;)*) => {
        /// The routes that local servers have (and two of the cloud that they were meant to have).
        pub mod route {
            use super::{Route, Version};

            $(
                #[doc = concat!("`", $method, " ", $path, "`")]
                pub const $name: Route = Route { method: $method, path: $path, since: routes!(@since $($since)?) };
            )*

            /// All of them.
            pub const ALL: &[Route] = &[$($name),*];
        }
    };
    (@since cloud) => { None };
    (@since $version:ident) => { Some(Version::$version) };
    (@since) => { Some(Version::V0_3_64) };
}

routes! {
    SOCKET: "GET" "/ws";
    PROMPT_INFO: "GET" "/prompt";
    SUBMIT: "POST" "/prompt";
    QUEUE: "GET" "/queue";
    CHANGE_QUEUE: "POST" "/queue";
    INTERRUPT: "POST" "/interrupt";
    FREE: "POST" "/free";
    HISTORY: "GET" "/history";
    HISTORY_OF: "GET" "/history/{prompt_id}";
    CHANGE_HISTORY: "POST" "/history";
    JOBS: "GET" "/api/jobs" since V0_8_0;
    JOB: "GET" "/api/jobs/{job_id}" since V0_8_0;
    CANCEL_JOB: "POST" "/api/jobs/{job_id}/cancel" since V0_30_0;
    CANCEL_JOBS: "POST" "/api/jobs/cancel" since V0_30_0;
    OBJECT_INFO: "GET" "/object_info";
    OBJECT_INFO_OF: "GET" "/object_info/{node_class}";
    FEATURES: "GET" "/features";
    SYSTEM_STATS: "GET" "/system_stats";
    EMBEDDINGS: "GET" "/embeddings";
    MODEL_FOLDERS: "GET" "/models";
    MODELS: "GET" "/models/{folder}";
    MODEL_FOLDER_DETAILS: "GET" "/experiment/models";
    MODEL_FILES: "GET" "/experiment/models/{folder}";
    MODEL_PREVIEW: "GET" "/experiment/models/preview/{folder}/{path_index}/{filename}";
    MODEL_METADATA: "GET" "/view_metadata/{folder_name}";
    UPLOAD_IMAGE: "POST" "/upload/image";
    UPLOAD_MASK: "POST" "/upload/mask";
    VIEW: "GET" "/view";
    USERS: "GET" "/users";
    CREATE_USER: "POST" "/users";
    SETTINGS: "GET" "/settings";
    CHANGE_SETTINGS: "POST" "/settings";
    SETTING: "GET" "/settings/{id}";
    CHANGE_SETTING: "POST" "/settings/{id}";
    USER_FILES: "GET" "/userdata";
    USER_ENTRIES: "GET" "/v2/userdata";
    USER_FILE: "GET" "/userdata/{file}";
    STORE_USER_FILE: "POST" "/userdata/{file}";
    DELETE_USER_FILE: "DELETE" "/userdata/{file}";
    MOVE_USER_FILE: "POST" "/userdata/{file}/move/{dest}";
    EXTENSIONS: "GET" "/extensions";
    WORKFLOW_TEMPLATES: "GET" "/workflow_templates";
    WORKFLOW_TEMPLATE: "GET" "/api/workflow_templates/{module}/{file}";
    I18N: "GET" "/i18n";
    GLOBAL_SUBGRAPHS: "GET" "/global_subgraphs" since V0_8_0;
    GLOBAL_SUBGRAPH: "GET" "/global_subgraphs/{id}" since V0_8_0;
    NODE_REPLACEMENTS: "GET" "/node_replacements" since V0_30_0;
    ASSETS: "GET" "/api/assets" since V0_30_0;
    CREATE_ASSET: "POST" "/api/assets" since V0_30_0;
    ASSET: "GET" "/api/assets/{id}" since V0_30_0;
    UPDATE_ASSET: "PUT" "/api/assets/{id}" since V0_30_0;
    DELETE_ASSET: "DELETE" "/api/assets/{id}" since V0_30_0;
    ASSET_CONTENT: "GET" "/api/assets/{id}/content" since V0_30_0;
    ADD_ASSET_TAGS: "POST" "/api/assets/{id}/tags" since V0_30_0;
    REMOVE_ASSET_TAGS: "DELETE" "/api/assets/{id}/tags" since V0_30_0;
    ASSET_FROM_HASH: "POST" "/api/assets/from-hash" since V0_30_0;
    ASSET_HASH: "HEAD" "/api/assets/hash/{hash}" since V0_30_0;
    TAGS: "GET" "/api/tags" since V0_30_0;
    ASSET_TAG_COUNTS: "GET" "/api/assets/tags/refine" since V0_30_0;
    SCAN_ASSETS: "POST" "/api/assets/seed" since V0_30_0;
    ASSET_SCAN: "GET" "/api/assets/seed/status" since V0_30_0;
    CANCEL_ASSET_SCAN: "POST" "/api/assets/seed/cancel" since V0_30_0;
    PRUNE_ASSETS: "POST" "/api/assets/prune" since V0_30_0;
    TASK: "GET" "/api/tasks/{task_id}" since cloud;
    CANCEL_TASK: "DELETE" "/api/tasks/{task_id}" since cloud;
    LOGS: "GET" "/internal/logs";
    LOG_ENTRIES: "GET" "/internal/logs/raw";
    SUBSCRIBE_LOGS: "PATCH" "/internal/logs/subscribe";
    FOLDER_PATHS: "GET" "/internal/folder_paths";
    FOLDER_FILES: "GET" "/internal/files/{directory_type}";
    FRONT_PAGE: "GET" "/";
    FRONTEND_FILE: "GET" "/{path}";
    EXTENSION_FILE: "GET" "/extensions/{pack}/{path}";
    TEMPLATE_FILE: "GET" "/templates/{path}";
    DOCS_FILE: "GET" "/docs/{path}";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_ordered_as_numbers() {
        let read = |text: &str| text.parse::<Version>().ok();
        assert_eq!(read("0.3.64"), Some(Version::V0_3_64));
        assert_eq!(read(" v0.30"), Some(Version::V0_30_0));
        assert_eq!(read("0.8.0-rc1+g12"), Some(Version::V0_8_0));
        for no_version in ["", "unknown", "1", "0.x.1", "-1.2"] {
            assert_eq!(read(no_version), None, "{no_version}");
        }
        assert!(Version::V0_3_64 < Version::V0_8_0 && Version::V0_8_0 < Version::V0_30_0);
        assert_eq!(Version::V0_30_0.to_string(), "0.30.0");
    }

    #[test]
    fn routes_have_the_prefix_that_servers_and_cloud_share_where_there_is_one() {
        assert_eq!(route::QUEUE.address(), "api/queue");
        assert_eq!(route::JOBS.address(), "api/jobs");
        assert_eq!(route::LOGS.address(), "internal/logs");
        assert_eq!(route::EXTENSIONS.address(), "api/extensions");
        assert_eq!(route::EXTENSION_FILE.address(), "extensions/{pack}/{path}");
        assert_eq!(route::FRONT_PAGE.address(), "");
        assert_eq!(route::SOCKET.address(), "ws");
    }
}
