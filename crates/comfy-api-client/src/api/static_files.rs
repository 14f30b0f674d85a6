use bytes::Bytes;
use comfy_protocol::route;

use crate::{Client, Result};

/// The files of the editor, as its pages ask for them. All of them give
/// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for what is not there.
impl Client {
    /// The editor's page, as HTML.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) on servers without an editor, or those of the connection.
    pub async fn front_page(&self) -> Result<Bytes> {
        self.http().call(route::FRONT_PAGE, &[]).bytes().await
    }

    /// A file of the editor, such as `scripts/app.js`.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when it is not there, or those of the connection.
    pub async fn frontend_file(&self, path: &str) -> Result<Bytes> {
        self.http().call(route::FRONTEND_FILE, &[path]).bytes().await
    }

    /// A file that a node pack adds to the editor; see [`extensions`](Self::extensions).
    ///
    /// # Errors
    /// As [`frontend_file`](Self::frontend_file).
    pub async fn extension_file(&self, pack: &str, path: &str) -> Result<Bytes> {
        self.http().call(route::EXTENSION_FILE, &[pack, path]).bytes().await
    }

    /// A file of the templates that come with ComfyUI: a workflow or its picture. See
    /// [`core_template`](Self::core_template) for workflows.
    ///
    /// # Errors
    /// As [`frontend_file`](Self::frontend_file).
    pub async fn template_file(&self, path: &str) -> Result<Bytes> {
        self.http().call(route::TEMPLATE_FILE, &[path]).bytes().await
    }

    /// A file of the descriptions of nodes, such as `KSampler/en.md`.
    ///
    /// # Errors
    /// As [`frontend_file`](Self::frontend_file).
    pub async fn docs_file(&self, path: &str) -> Result<Bytes> {
        self.http().call(route::DOCS_FILE, &[path]).bytes().await
    }
}
