use std::path::{Path, PathBuf};

use bytes::Bytes;
use comfy_protocol::route;
use comfy_protocol::routes::assets::{Asset, AssetFromHash};
use reqwest::multipart::Form;
use serde_json::{Map, Value};

use super::awaitable;
use crate::files::{Sending, Source};
use crate::{Client, Error, ErrorKind, Result};

impl Client {
    /// Uploads a file from disk as an asset. Await the result for the asset.
    pub fn create_asset(&self, path: impl AsRef<Path>) -> CreateAsset<'_> {
        let path: PathBuf = path.as_ref().to_owned();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        CreateAsset::new(self, file_name, Source::Path(path))
    }

    /// Uploads bytes under a file name as an asset. Await the result for the asset.
    pub fn create_asset_bytes(
        &self,
        file_name: impl Into<String>,
        bytes: impl Into<Bytes>,
    ) -> CreateAsset<'_> {
        CreateAsset::new(self, file_name.into(), Source::Bytes(bytes.into()))
    }

    /// Makes another reference to content that the server has, without sending it. The hash is `blake3:` and 64
    /// hexadecimal digits. Await the result for the asset.
    pub fn create_asset_from_hash(&self, hash: impl Into<String>) -> CreateAssetFromHash<'_> {
        CreateAssetFromHash { client: self, request: AssetFromHash::new(hash.into()) }
    }
}

/// A file about to become an asset; made by [`Client::create_asset`] and [`Client::create_asset_bytes`]. Await it for
/// the asset, which is a new one for every upload: [`created_new`](Asset::created_new) says whether the content was
/// new.
///
/// Awaiting fails with [`ErrorKind::Status`] and a code such as `INVALID_BODY` (the tags have no role, or several),
/// `EMPTY_UPLOAD` or `HASH_MISMATCH`, with [`TooLarge`](ErrorKind::TooLarge), [`Unsupported`](ErrorKind::Unsupported),
/// [`Io`](ErrorKind::Io), or those of the connection.
#[derive(Debug)]
#[must_use = "nothing is uploaded unless this is awaited"]
pub struct CreateAsset<'a> {
    client: &'a Client,
    file_name: String,
    source: Source,
    tags: Option<Vec<String>>,
    name: Option<String>,
    texts: Vec<(&'static str, String)>,
}

impl<'a> CreateAsset<'a> {
    fn new(client: &'a Client, file_name: String, source: Source) -> Self {
        Self { client, file_name, source, tags: None, name: None, texts: Vec::new() }
    }

    /// Its tags; `input` unless set. New content needs exactly one role of `input`, `output` and `models`, the last
    /// together with one such as `model_type:loras`; others are free.
    pub fn tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.tags.get_or_insert_default().extend(tags.into_iter().map(Into::into));
        self
    }

    /// Its label; the file's name unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Data to keep with it.
    pub fn user_metadata(self, metadata: Map<String, Value>) -> Self {
        self.text("user_metadata", Value::Object(metadata).to_string())
    }

    /// The hash of the content, `blake3:` and 64 hexadecimal digits, for the server to check.
    pub fn hash(self, hash: impl Into<String>) -> Self {
        self.text("hash", hash.into())
    }

    /// Its media type; told by the file's name unless set.
    pub fn mime_type(self, mime_type: impl Into<String>) -> Self {
        self.text("mime_type", mime_type.into())
    }

    /// The asset that shows it.
    pub fn preview_id(self, id: impl Into<String>) -> Self {
        self.text("preview_id", id.into())
    }

    fn text(mut self, field: &'static str, value: String) -> Self {
        self.texts.push((field, value));
        self
    }

    async fn send(self) -> Result<Asset> {
        let http = self.client.http();
        if self.file_name.is_empty() {
            return Err(Error::new(ErrorKind::Io, "the file to upload has no name"));
        }
        let (sending, file) = Sending::open(self.source, &self.file_name, None).await?;
        let tags = self.tags.unwrap_or_else(|| vec!["input".to_owned()]);
        // Servers take the hash for a name when they do not read the file.
        let name = self.name.unwrap_or_else(|| self.file_name.clone());
        let mut form = Form::new().text("tags", Value::from(tags).to_string()).text("name", name);
        for (field, value) in self.texts {
            form = form.text(field, value);
        }
        // Last, so that the server has read a hash before it comes to the content.
        let call = http.call(route::CREATE_ASSET, &[]).multipart(form.part("file", file)).unhurried();
        http.read_json(sending.send(http, call).await?).await
    }
}

awaitable!(CreateAsset -> Asset);

/// A reference to known content about to be made; made by [`Client::create_asset_from_hash`]. Await it for the asset.
///
/// Awaiting fails with [`ErrorKind::NotFound`] when the server does not have the content,
/// [`Unsupported`](ErrorKind::Unsupported), or those of the connection.
#[derive(Debug)]
#[must_use = "nothing is made unless this is awaited"]
pub struct CreateAssetFromHash<'a> {
    client: &'a Client,
    request: AssetFromHash,
}

impl CreateAssetFromHash<'_> {
    /// Its label; the hash unless set.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.request.name = Some(name.into());
        self
    }

    /// Its tags; none unless set.
    pub fn tags<Tag: Into<String>>(mut self, tags: impl IntoIterator<Item = Tag>) -> Self {
        self.request.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// Data to keep with it.
    pub fn user_metadata(mut self, metadata: Map<String, Value>) -> Self {
        self.request.user_metadata = Some(metadata);
        self
    }

    /// Its media type.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.request.mime_type = Some(mime_type.into());
        self
    }

    /// The asset that shows it.
    pub fn preview_id(mut self, id: impl Into<String>) -> Self {
        self.request.preview_id = Some(id.into());
        self
    }

    async fn send(self) -> Result<Asset> {
        self.client.http().call(route::ASSET_FROM_HASH, &[]).json(&self.request).read().await
    }
}

awaitable!(CreateAssetFromHash -> Asset);
