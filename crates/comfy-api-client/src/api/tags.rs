use comfy_protocol::route;
use comfy_protocol::routes::assets::{TagChange, TagCounts, TagList, TagOrder};
use serde_json::{Map, Value, json};

use super::assets::Filter;
use super::awaitable;
use crate::{Client, Result};

/// Tags of assets (since 0.30.0, where the server was started with `--enable-assets`).
impl Client {
    /// The tags that the server knows, with how many assets have them, the most used first. Await it for one page.
    pub fn tags(&self) -> Tags<'_> {
        Tags { client: self, prefix: None, order: None, include_zero: None, limit: None, offset: 0 }
    }

    /// How many of some assets have each tag. Await it for the counts.
    pub fn asset_tag_counts(&self) -> AssetTagCounts<'_> {
        AssetTagCounts { client: self, filter: Filter::default(), limit: None }
    }

    /// Adds tags to an asset: at least one.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is no such asset,
    /// [`Status`](crate::ErrorKind::Status) without a tag, [`Unsupported`](crate::ErrorKind::Unsupported), or those of
    /// the connection.
    pub async fn add_asset_tags<Tag: Into<String>>(
        &self,
        id: &str,
        tags: impl IntoIterator<Item = Tag>,
    ) -> Result<TagChange> {
        let body = json!({ "tags": texts(tags) });
        self.http().call(route::ADD_ASSET_TAGS, &[id]).json(&body).repeatable().read().await
    }

    /// Takes tags from an asset: at least one.
    ///
    /// # Errors
    /// As [`add_asset_tags`](Self::add_asset_tags).
    pub async fn remove_asset_tags<Tag: Into<String>>(
        &self,
        id: &str,
        tags: impl IntoIterator<Item = Tag>,
    ) -> Result<TagChange> {
        let body = json!({ "tags": texts(tags) });
        self.http().call(route::REMOVE_ASSET_TAGS, &[id]).json(&body).repeatable().read().await
    }
}

fn texts<Text: Into<String>>(texts: impl IntoIterator<Item = Text>) -> Vec<String> {
    texts.into_iter().map(Into::into).collect()
}

/// A question for tags, about to be asked; made by [`Client::tags`]. Await it for one page.
///
/// Awaiting fails with [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on older servers and on those that
/// have their asset system off, or with those of the connection.
#[derive(Debug)]
#[must_use = "nothing is asked unless this is awaited"]
pub struct Tags<'a> {
    client: &'a Client,
    prefix: Option<String>,
    order: Option<TagOrder>,
    include_zero: Option<bool>,
    limit: Option<u64>,
    offset: u64,
}

impl Tags<'_> {
    /// Only those that begin with a text, which must not be empty.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Their order; the most used first unless set.
    pub fn order(mut self, order: TagOrder) -> Self {
        self.order = Some(order);
        self
    }

    /// Whether to give tags that no asset has too; so unless set.
    pub fn include_zero(mut self, include: bool) -> Self {
        self.include_zero = Some(include);
        self
    }

    /// At most so many, 1 to 1000; 100 unless set.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Passes over so many.
    pub fn offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    async fn send(self) -> Result<TagList> {
        let call = self.client.http().call(route::TAGS, &[]);
        call.query_if("prefix", self.prefix)
            .query_if("order", self.order.map(TagOrder::as_str))
            .query_if("include_zero", self.include_zero)
            .query_if("limit", self.limit)
            .query_if("offset", (self.offset > 0).then_some(self.offset))
            .read()
            .await
    }
}

awaitable!(Tags -> TagList);

/// A question for counts of tags, about to be asked; made by [`Client::asset_tag_counts`]. Await it for the counts.
///
/// Awaiting fails as that of [`Tags`].
#[derive(Debug)]
#[must_use = "nothing is asked unless this is awaited"]
pub struct AssetTagCounts<'a> {
    client: &'a Client,
    filter: Filter,
    limit: Option<u64>,
}

impl AssetTagCounts<'_> {
    /// Counts only assets that have all of these tags.
    pub fn include_tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.filter.include.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Counts only assets that have none of these tags.
    pub fn exclude_tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.filter.exclude.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Counts only assets whose label contains a text.
    pub fn name_contains(mut self, text: impl Into<String>) -> Self {
        self.filter.name_contains = Some(text.into());
        self
    }

    /// Counts only assets whose user's data has these values. Newer servers than 0.30.0 refuse it.
    pub fn metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.filter.metadata = Some(metadata);
        self
    }

    /// At most so many tags, 1 to 1000; 100 unless set.
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    async fn send(self) -> Result<TagCounts> {
        let call = self.filter.of(self.client.http().call(route::ASSET_TAG_COUNTS, &[]));
        call.query_if("limit", self.limit).read().await
    }
}

awaitable!(AssetTagCounts -> TagCounts);
