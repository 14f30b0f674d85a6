use comfy_protocol::route;
use comfy_protocol::routes::SortOrder;
use comfy_protocol::routes::assets::{Asset, AssetChange, AssetList, AssetSort, Pruned, SeedStatus};
use futures_util::Stream;
use serde_json::{Map, Value, json};

use super::{awaitable, pages};
use crate::http::if_found;
use crate::{Client, Response, Result};

/// Assets that a stream asks for at a time, unless told otherwise.
const PAGE: u64 = 100;

/// Files that the server knows by their content (since 0.30.0, where the server was started with `--enable-assets`).
///
/// All of these fail with [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on older servers and on those that
/// have their asset system off; [`Features::assets`](crate::protocol::routes::system::Features::assets) tells
/// beforehand.
impl Client {
    /// The assets of the server, the newest first: one page when awaited, or all of them as a
    /// [`stream`](Assets::stream).
    ///
    /// ```no_run
    /// use futures_util::TryStreamExt;
    ///
    /// # async fn example(client: comfy_api_client::Client) -> comfy_api_client::Result<()> {
    /// let page = client.assets().include_tags(["input"]).limit(20).await?;
    /// println!("{} of {}", page.assets.len(), page.total);
    ///
    /// let mut all = std::pin::pin!(client.assets().name_contains("cat").stream());
    /// while let Some(asset) = all.try_next().await? {
    ///     println!("{} {}", asset.id, asset.name);
    /// }
    /// # Ok(()) }
    /// ```
    pub fn assets(&self) -> Assets<'_> {
        Assets {
            client: self,
            filter: Filter::default(),
            sort: None,
            order: None,
            limit: None,
            offset: 0,
            after: None,
        }
    }

    /// Whether the server has the content with a hash, `blake3:` and 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`ErrorKind::Status`](crate::ErrorKind::Status) for what is no hash,
    /// [`Unsupported`](crate::ErrorKind::Unsupported), or those of the connection.
    pub async fn asset_exists(&self, hash: &str) -> Result<bool> {
        match if_found(self.http().call(route::ASSET_HASH, &[hash]).send().await) {
            Ok(found) => Ok(found.is_some()),
            // An answer without a body cannot say that assets are off; one to another question does.
            Err(error) if error.status() == Some(503) => {
                self.asset_scan().await?;
                Err(error)
            }
            Err(error) => Err(error),
        }
    }

    /// An asset; `None` when there is none of that id.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), or those of the connection.
    pub async fn asset(&self, id: &str) -> Result<Option<Asset>> {
        self.http().call(route::ASSET, &[id]).read_if_found().await
    }

    /// Changes the label, the data or the picture of an asset. Await the result for the asset as it is then.
    pub fn update_asset(&self, id: impl Into<String>) -> UpdateAsset<'_> {
        UpdateAsset { client: self, id: id.into(), change: AssetChange::default() }
    }

    /// Deletes an asset. The file stays on the server's disk, and nodes go on offering it.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none of that id,
    /// [`Unsupported`](crate::ErrorKind::Unsupported), or those of the connection.
    pub async fn delete_asset(&self, id: &str) -> Result<()> {
        self.http().call(route::DELETE_ASSET, &[id]).done().await
    }

    /// Starts the download of an asset's content: [`bytes`](Response::bytes) and
    /// [`into_stream`](Response::into_stream) of the answer give it.
    ///
    /// # Errors
    /// As [`delete_asset`](Self::delete_asset).
    pub async fn asset_content(&self, id: &str) -> Result<Response> {
        let call = self.http().call(route::ASSET_CONTENT, &[id]).unhurried();
        Ok(Response::new(self.clone(), self.http().step(call.send()).await??))
    }

    /// Has the server look for files in its folders. Await the result to start it.
    pub fn scan_assets(&self) -> ScanAssets<'_> {
        ScanAssets { client: self, roots: Vec::new(), wait: false }
    }

    /// How the server's search for files in its folders stands.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), or those of the connection.
    pub async fn asset_scan(&self) -> Result<SeedStatus> {
        self.http().call(route::ASSET_SCAN, &[]).read().await
    }

    /// Stops the server's search for files in its folders: `cancelling`, or `idle` when there was none.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported), or those of the connection.
    pub async fn cancel_asset_scan(&self) -> Result<SeedStatus> {
        self.http().call(route::CANCEL_ASSET_SCAN, &[]).repeatable().read().await
    }

    /// Marks the assets whose files are gone with the tag `missing`, and says how many it marked.
    ///
    /// # Errors
    /// [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) while the server searches its folders,
    /// [`Unsupported`](crate::ErrorKind::Unsupported), or those of the connection.
    pub async fn prune_assets(&self) -> Result<Pruned> {
        self.http().call(route::PRUNE_ASSETS, &[]).repeatable().read().await
    }
}

/// Which assets a question is about.
#[derive(Debug, Clone, Default)]
pub(super) struct Filter {
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) name_contains: Option<String>,
    pub(super) metadata: Option<Map<String, Value>>,
}

impl Filter {
    pub(super) fn of<'a>(self, call: crate::http::Call<'a>) -> crate::http::Call<'a> {
        let call = call.query_each("include_tags", &self.include).query_each("exclude_tags", &self.exclude);
        let metadata = self.metadata.map(|metadata| Value::Object(metadata).to_string());
        call.query_if("name_contains", self.name_contains).query_if("metadata_filter", metadata)
    }
}

/// A question for assets, about to be asked; made by [`Client::assets`]. Await it for one page.
#[derive(Debug, Clone)]
#[must_use = "nothing is asked unless this is awaited or its stream is read"]
pub struct Assets<'a> {
    client: &'a Client,
    filter: Filter,
    sort: Option<AssetSort>,
    order: Option<SortOrder>,
    limit: Option<u64>,
    offset: u64,
    after: Option<String>,
}

impl<'a> Assets<'a> {
    /// Only those that have all of these tags.
    pub fn include_tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.filter.include.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Only those that have none of these tags.
    pub fn exclude_tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.filter.exclude.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Only those whose label contains a text.
    pub fn name_contains(mut self, text: impl Into<String>) -> Self {
        self.filter.name_contains = Some(text.into());
        self
    }

    /// Only those whose user's data has these values. Newer servers than 0.30.0 refuse it.
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.filter.metadata = Some(metadata);
        self
    }

    /// By what they are in order; by when they were made unless set.
    pub fn sort_by(mut self, sort: AssetSort) -> Self {
        self.sort = Some(sort);
        self
    }

    /// Which end comes first; the newest or greatest unless set.
    pub fn sort_order(mut self, order: SortOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// At most so many in a page, 1 to 500; 20 unless set, and 100 at a time for a [`stream`](Self::stream).
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Passes over so many.
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// Goes on after the page that gave this as its `next_cursor`, with the same order.
    pub fn after(mut self, cursor: impl Into<String>) -> Self {
        self.after = Some(cursor.into());
        self
    }

    /// All assets from the offset or cursor on, page by page as they are wanted. Where the server gives cursors (not in
    /// the order of the last use), none is left out or given twice when others come or go meanwhile.
    pub fn stream(self) -> impl Stream<Item = Result<Asset>> + Send + use<'a> {
        let first = Self { limit: Some(self.limit.unwrap_or(PAGE)), ..self };
        pages::entries(first, |page| async move {
            let list = page.clone().send().await?;
            let seen = list.assets.len() as u64;
            let next = match list.next_cursor {
                Some(cursor) => Self { after: Some(cursor), offset: 0, ..page },
                None => Self { offset: page.offset + seen, after: None, ..page },
            };
            Ok((list.assets, (list.has_more && seen > 0).then_some(next)))
        })
    }

    async fn send(self) -> Result<AssetList> {
        let call = self.filter.of(self.client.http().call(route::ASSETS, &[]));
        call.query_if("sort", self.sort.map(AssetSort::as_str))
            .query_if("order", self.order.map(SortOrder::as_str))
            .query_if("limit", self.limit)
            .query_if("offset", (self.offset > 0).then_some(self.offset))
            .query_if("after", self.after)
            .read()
            .await
    }
}

awaitable!(Assets -> AssetList);

/// A change of an asset, about to be made; made by [`Client::update_asset`]. Await it for the asset as it is then.
///
/// Awaiting fails with [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such asset,
/// [`Status`](crate::ErrorKind::Status) when nothing is changed, [`Unsupported`](crate::ErrorKind::Unsupported), or
/// those of the connection.
#[derive(Debug)]
#[must_use = "nothing is changed unless this is awaited"]
pub struct UpdateAsset<'a> {
    client: &'a Client,
    id: String,
    change: AssetChange,
}

impl UpdateAsset<'_> {
    /// The new label.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.change.name = Some(name.into());
        self
    }

    /// Data to keep with it, in place of what was there.
    pub fn user_metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.change.user_metadata = Some(metadata);
        self
    }

    /// The asset that shows it.
    pub fn preview_id(mut self, id: impl Into<String>) -> Self {
        self.change.preview_id = Some(id.into());
        self
    }

    async fn send(self) -> Result<Asset> {
        let call = self.client.http().call(route::UPDATE_ASSET, &[&self.id]).json(&self.change);
        call.repeatable().read().await
    }
}

awaitable!(UpdateAsset -> Asset);

/// A search for files in the server's folders, about to be started; made by [`Client::scan_assets`]. Await it to start
/// it: `started`, or `completed` with counts when it is [waited](Self::wait) for.
///
/// Awaiting fails with [`ErrorKind::Conflict`](crate::ErrorKind::Conflict) while another one runs,
/// [`Unsupported`](crate::ErrorKind::Unsupported), or those of the connection.
#[derive(Debug)]
#[must_use = "nothing is started unless this is awaited"]
pub struct ScanAssets<'a> {
    client: &'a Client,
    roots: Vec<String>,
    wait: bool,
}

impl ScanAssets<'_> {
    /// Only in these of `models`, `input` and `output`; in all unless set.
    pub fn roots<Root: Into<String>>(mut self, roots: impl IntoIterator<Item = Root>) -> Self {
        self.roots.extend(roots.into_iter().map(Into::into));
        self
    }

    /// Whether to answer when it is done, however long it takes.
    pub fn wait(mut self, wait: bool) -> Self {
        self.wait = wait;
        self
    }

    async fn send(self) -> Result<SeedStatus> {
        let body = if self.roots.is_empty() { json!({}) } else { json!({ "roots": self.roots }) };
        let call = self.client.http().call(route::SCAN_ASSETS, &[]).json(&body);
        let call = if self.wait { call.query("wait", "true").unhurried() } else { call };
        call.read().await
    }
}

awaitable!(ScanAssets -> SeedStatus);
