use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use comfy_protocol::FileRef;
use comfy_protocol::routes::assets::{Asset, Pruned, SeedStatus, TagChange};
use comfy_protocol::routes::frontend::{GlobalSubgraph, Logs, NodeReplacement};
use comfy_protocol::routes::history::HistoryEntry;
use comfy_protocol::routes::jobs::JobRecord;
use comfy_protocol::routes::models::{ModelFile, ModelFolder};
use comfy_protocol::routes::queue::Queue;
use comfy_protocol::routes::system::{Features, SystemStats};
use comfy_protocol::routes::tasks::Task;
use comfy_protocol::routes::users::{UserEntry, Users};
use comfy_workflow::Document;
use comfy_workflow::Workflow;
use comfy_workflow::schema::Schemas;
use http::Method;
use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{Call, Iter, Job, Monitor, Outputs, Response, Runtime};
use crate::batch::{BatchBuilder, BatchEvent, Row};
use crate::{
    Cancellation, ClientBuilder, ConnectionStatus, FileInfo, JobState, LogEvent, Result, ServerEvent,
};

/// A ComfyUI server, as seen by a program without async. See the async [`Client`](crate::Client).
#[derive(Debug, Clone)]
pub struct Client {
    inner: crate::Client,
    runtime: Runtime,
}

impl ClientBuilder {
    /// Connects, for a program without async.
    ///
    /// # Errors
    /// Those of [`connect`](Self::connect); no thread for the client.
    pub fn connect_blocking(self) -> Result<Client> {
        let runtime = Runtime::new()?;
        let inner = runtime.wait(self.connect())?;
        Ok(Client { inner, runtime })
    }

    /// Makes the client without asking the server for anything, for a program without async.
    ///
    /// # Errors
    /// Those of [`build`](Self::build); no thread for the client.
    pub fn build_blocking(self) -> Result<Client> {
        let runtime = Runtime::new()?;
        let inner = runtime.within(|| self.build())?;
        Ok(Client { inner, runtime })
    }
}

/// Async methods, each with the blocking one of the same name.
macro_rules! methods {
    ($($name:ident $([$($generics:tt)*])? ($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        impl Client {$(
            #[doc = concat!("See [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
            ///
            /// # Errors
            /// Those of the async method.
            pub fn $name $(<$($generics)*>)? (&self, $($argument: $type),*) -> Result<$answer> {
                self.runtime.wait(self.inner.$name($($argument),*))
            }
        )*}
    };
}

/// Calls with options.
macro_rules! calls {
    ($($name:ident($($argument:ident: $type:ty),*) -> $builder:ty;)*) => {
        impl Client {$(
            #[doc = concat!("See [`Client::", stringify!($name), "`](crate::Client::", stringify!($name), ").")]
            pub fn $name<'a>(&'a self, $($argument: $type),*) -> Call<$builder> {
                Call::new(&self.runtime, self.inner.$name($($argument),*))
            }
        )*}
    };
}

impl Client {
    /// Connects to a server: `host:port` (the port is 8188 unless given), or a URL with an optional path prefix.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::connect`]; no thread for the client.
    pub fn connect(address: impl Into<String>) -> Result<Self> {
        crate::Client::builder(address).connect_blocking()
    }

    /// Settings for a client, to be ended with [`ClientBuilder::connect_blocking`] or
    /// [`ClientBuilder::build_blocking`].
    pub fn builder(address: impl Into<String>) -> ClientBuilder {
        crate::Client::builder(address)
    }

    /// The async client, for what is only there. It must be used within this client's runtime, or another.
    #[must_use]
    pub fn as_async(&self) -> &crate::Client {
        &self.inner
    }

    /// The server's address, without credentials and trailing slash.
    #[must_use]
    pub fn url(&self) -> String {
        self.inner.url()
    }

    /// Has the client keep schemas that the server is not asked for. See
    /// [`Client::set_schemas`](crate::Client::set_schemas).
    pub fn set_schemas(&self, schemas: impl Into<Arc<Schemas>>) {
        self.inner.set_schemas(schemas);
    }

    /// The schemas that are kept, without asking for any.
    #[must_use]
    pub fn kept_schemas(&self) -> Option<Arc<Schemas>> {
        self.inner.kept_schemas()
    }

    /// How long ago the server was asked for the schemas that are kept. See
    /// [`Client::schemas_age`](crate::Client::schemas_age).
    #[must_use]
    pub fn schemas_age(&self) -> Option<Duration> {
        self.inner.schemas_age()
    }

    /// State of the WebSocket.
    #[must_use]
    pub fn status(&self) -> ConnectionStatus {
        self.inner.status()
    }

    /// The id under which the server knows the open WebSocket; another one for every connection.
    #[must_use]
    pub fn client_id(&self) -> Option<String> {
        self.inner.client_id()
    }

    /// Everything that the server says from now on; every `next` waits. See [`Client::events`](crate::Client::events).
    pub fn events(&self) -> Iter<'static, ServerEvent> {
        Iter::new(self.runtime.clone(), self.runtime.within(|| self.inner.events()))
    }

    /// The log of the server as it goes on; every `next` waits. See [`Client::follow_logs`](crate::Client::follow_logs).
    pub fn follow_logs(&self) -> Iter<'static, Result<LogEvent>> {
        Iter::new(self.runtime.clone(), self.inner.follow_logs())
    }

    /// Watches the server. See [`Client::monitor`](crate::Client::monitor).
    pub fn monitor(&self) -> Monitor {
        Monitor::new(self.runtime.within(|| self.inner.monitor()), self.runtime.clone())
    }

    /// Runs many workflows, and gives what happens; every `next` waits. What hangs on a batch is set by `with`. See
    /// [`Client::batch`](crate::Client::batch).
    ///
    /// ```no_run
    /// # fn example(client: comfy_api_client::blocking::Client, rows: Vec<comfy_api_client::batch::Row<'static>>) -> comfy_api_client::Result<()> {
    /// use comfy_api_client::batch::RowEvent;
    ///
    /// for event in client.batch(rows, |batch| batch.at_once(2).save_in("out")) {
    ///     if let RowEvent::Saved(file) = event?.event {
    ///         println!("{}", file.path.display());
    ///     }
    /// }
    /// # Ok(()) }
    /// ```
    pub fn batch<'a, R, I>(
        &self,
        rows: I,
        with: impl FnOnce(BatchBuilder<'a>) -> BatchBuilder<'a>,
    ) -> Iter<'a, Result<BatchEvent>>
    where
        R: Into<Row<'a>> + 'a,
        I: IntoIterator<Item = R>,
        I::IntoIter: Send + 'a,
    {
        let batch = with(self.inner.batch(rows));
        Iter::new(self.runtime.clone(), self.runtime.within(|| batch.start()))
    }

    /// Uploads what a reader gives under a name. See [`Client::upload_stream`](crate::Client::upload_stream).
    pub fn upload_reader(
        &self,
        name: impl Into<String>,
        reader: impl io::Read + Send + 'static,
        size: Option<u64>,
    ) -> Call<crate::Upload<'_>> {
        let stream = super::stream::pieces(reader);
        Call::new(&self.runtime, self.inner.upload_stream(name, stream, size))
    }

    /// The content of an asset. See [`Client::asset_content`](crate::Client::asset_content).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn asset_content(&self, id: &str) -> Result<Response> {
        let response = self.runtime.wait(self.inner.asset_content(id))?;
        Ok(Response::new(response, self.runtime.clone()))
    }

    /// The content of a file of the user. See [`Client::user_file_content`](crate::Client::user_file_content).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn user_file_content(&self, path: &str) -> Result<Response> {
        let response = self.runtime.wait(self.inner.user_file_content(path))?;
        Ok(Response::new(response, self.runtime.clone()))
    }

    /// Follows a prompt that somebody else submitted. See [`Client::job`](crate::Client::job).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn job(&self, prompt_id: &str) -> Result<Job> {
        let job = self.runtime.wait(self.inner.job(prompt_id))?;
        Ok(Job::new(job, self.runtime.clone()))
    }

    /// Asks where a prompt is, and for its outputs when it is done. See [`Client::fetch`](crate::Client::fetch).
    ///
    /// # Errors
    /// Those of the async method.
    pub fn fetch(&self, prompt_id: &str) -> Result<JobState<Outputs>> {
        let state = self.runtime.wait(self.inner.fetch(prompt_id))?;
        Ok(state.map(|outputs| Outputs::new(outputs, self.runtime.clone())))
    }
}

calls! {
    submit(workflow: impl Into<crate::Source<'a>>) -> crate::Submit<'a>;
    convert(source: impl Into<crate::Source<'a>>) -> crate::Convert<'a>;
    upload(path: impl AsRef<Path>) -> crate::Upload<'a>;
    upload_bytes(name: impl Into<String>, bytes: impl Into<Bytes>) -> crate::Upload<'a>;
    upload_mask(path: impl AsRef<Path>, original: &FileRef) -> crate::Upload<'a>;
    download(file: &FileRef) -> crate::DownloadRequest;
    download_all(files: impl IntoIterator<Item = FileRef>, folder: impl AsRef<Path>) -> crate::Downloads;
    request(method: Method, path: &str) -> crate::Request<'a>;
    histories() -> crate::Histories<'a>;
    free() -> crate::Free<'a>;
    jobs() -> crate::Jobs<'a>;
    user_files(folder: &str) -> crate::UserFiles<'a>;
    store_user_file(path: &str, content: impl Into<Bytes>) -> crate::StoreUserFile<'a>;
    move_user_file(from: &str, to: &str) -> crate::MoveUserFile<'a>;
    assets() -> crate::Assets<'a>;
    update_asset(id: impl Into<String>) -> crate::UpdateAsset<'a>;
    create_asset(path: impl AsRef<Path>) -> crate::CreateAsset<'a>;
    create_asset_bytes(file_name: impl Into<String>, bytes: impl Into<Bytes>) -> crate::CreateAsset<'a>;
    create_asset_from_hash(hash: impl Into<String>) -> crate::CreateAssetFromHash<'a>;
    scan_assets() -> crate::ScanAssets<'a>;
    tags() -> crate::Tags<'a>;
    asset_tag_counts() -> crate::AssetTagCounts<'a>;
}

methods! {
    wait_until_ready(limit: Duration) -> ();
    open_document(path: impl AsRef<Path> + Send) -> Document;
    validate(workflow: &Workflow) -> comfy_workflow::validate::Findings;
    open_workflow(path: impl AsRef<Path> + Send) -> Workflow;
    open_template(path: impl AsRef<Path> + Send) -> comfy_workflow::Template;
    cancel(prompt_id: &str) -> Cancellation;
    cancel_all[Id: AsRef<str> + Send, Ids: IntoIterator<Item = Id, IntoIter: Send> + Send](prompt_ids: Ids) -> Vec<Cancellation>;
    cancel_jobs[Id: AsRef<str>, Ids: IntoIterator<Item = Id> + Send](prompt_ids: Ids) -> bool;
    file_info(file: &FileRef) -> FileInfo;
    get_json[T: DeserializeOwned + Send](path: &str) -> T;
    post_json[B: Serialize + ?Sized + Sync, T: DeserializeOwned + Send](path: &str, body: &B) -> T;
    queue_remaining() -> u64;
    queue() -> Queue;
    clear_queue() -> ();
    remove_from_queue[Id: Into<String>, Ids: IntoIterator<Item = Id> + Send](ids: Ids) -> ();
    interrupt(prompt_id: &str) -> ();
    interrupt_any() -> ();
    history(prompt_id: &str) -> Option<HistoryEntry>;
    history_count() -> u64;
    find_prompts(beginning: &str) -> Vec<String>;
    remove_history[Id: Into<String>, Ids: IntoIterator<Item = Id> + Send](ids: Ids) -> ();
    clear_history() -> ();
    job_record(id: &str) -> Option<JobRecord>;
    object_info() -> Schemas;
    object_info_of(class_type: &str) -> Schemas;
    schemas() -> Arc<Schemas>;
    refresh_schemas() -> Arc<Schemas>;
    system_stats() -> SystemStats;
    features() -> Features;
    model_folders() -> Vec<String>;
    models(folder: &str) -> Vec<String>;
    embeddings() -> Vec<String>;
    model_folder_details() -> Vec<ModelFolder>;
    model_files(folder: &str) -> Vec<ModelFile>;
    model_preview(folder: &str, path_index: u64, name: &str) -> Option<Bytes>;
    model_metadata(folder: &str, name: &str) -> Option<Map<String, Value>>;
    users() -> Users;
    create_user(name: &str) -> String;
    settings() -> Map<String, Value>;
    setting[T: DeserializeOwned + Send](id: &str) -> Option<T>;
    change_settings[T: Serialize + ?Sized + Sync](settings: &T) -> ();
    change_setting[T: Serialize + ?Sized + Sync](id: &str, value: &T) -> ();
    user_entries(folder: &str) -> Vec<UserEntry>;
    user_file(path: &str) -> Bytes;
    delete_user_file(path: &str) -> ();
    extensions() -> Vec<String>;
    workflow_templates() -> IndexMap<String, Vec<String>>;
    workflow_template(pack: &str, name: &str) -> Value;
    core_template(name: &str) -> Value;
    i18n() -> IndexMap<String, Map<String, Value>>;
    global_subgraphs() -> IndexMap<String, GlobalSubgraph>;
    global_subgraph(id: &str) -> Option<GlobalSubgraph>;
    node_replacements() -> IndexMap<String, Vec<NodeReplacement>>;
    front_page() -> Bytes;
    frontend_file(path: &str) -> Bytes;
    extension_file(pack: &str, path: &str) -> Bytes;
    template_file(path: &str) -> Bytes;
    docs_file(path: &str) -> Bytes;
    log_text() -> String;
    log_entries() -> Logs;
    subscribe_logs(client_id: &str, enabled: bool) -> ();
    folder_paths() -> IndexMap<String, Vec<String>>;
    folder_files(folder: &str) -> Vec<String>;
    asset_exists(hash: &str) -> bool;
    asset(id: &str) -> Option<Asset>;
    delete_asset(id: &str) -> ();
    asset_scan() -> SeedStatus;
    cancel_asset_scan() -> SeedStatus;
    prune_assets() -> Pruned;
    add_asset_tags[Tag: Into<String>, Tags: IntoIterator<Item = Tag> + Send](id: &str, tags: Tags) -> TagChange;
    remove_asset_tags[Tag: Into<String>, Tags: IntoIterator<Item = Tag> + Send](id: &str, tags: Tags) -> TagChange;
    task(id: &str) -> Option<Task>;
    cancel_task(id: &str) -> ();
}
