use bytes::Bytes;
use comfy_protocol::route;
use comfy_protocol::routes::models::{ModelFile, ModelFolder};
use serde_json::{Map, Value};

use crate::http::if_found;
use crate::{Client, Error, ErrorKind, Result};

impl Client {
    /// The kinds of models that the server knows, such as `checkpoints` and `loras`.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn model_folders(&self) -> Result<Vec<String>> {
        self.http().call(route::MODEL_FOLDERS, &[]).read().await
    }

    /// The names of the models of a kind, as loader nodes take them: with the folders below that of the kind, in the
    /// way of the server's system (`\` on Windows).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) for a kind that is not among the
    /// [`model_folders`](Self::model_folders), or those of the connection.
    pub async fn models(&self, folder: &str) -> Result<Vec<String>> {
        let models = self.http().call(route::MODELS, &[folder]).read().await;
        models.map_err(unknown_folder)
    }

    /// The names of the embeddings, without their extensions.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn embeddings(&self) -> Result<Vec<String>> {
        self.http().call(route::EMBEDDINGS, &[]).read().await
    }

    /// The kinds of models with their folders on the server and (since 0.30.0) the extensions of their files.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn model_folder_details(&self) -> Result<Vec<ModelFolder>> {
        self.http().call(route::MODEL_FOLDER_DETAILS, &[]).read().await
    }

    /// The models of a kind with sizes and times.
    ///
    /// # Errors
    /// As [`models`](Self::models).
    pub async fn model_files(&self, folder: &str) -> Result<Vec<ModelFile>> {
        let files = self.http().call(route::MODEL_FILES, &[folder]).read().await;
        files.map_err(unknown_folder)
    }

    /// The picture that lies beside a model, as WebP; `None` where there is none. Folder and number are those of
    /// [`model_files`](Self::model_files).
    ///
    /// # Errors
    /// Those of the connection; for a number that is out of range, [`ErrorKind::Status`](crate::ErrorKind::Status)
    /// before 0.30.0 and `None` since.
    pub async fn model_preview(&self, folder: &str, path_index: u64, name: &str) -> Result<Option<Bytes>> {
        let values = [folder, &path_index.to_string(), name];
        if_found(self.http().call(route::MODEL_PREVIEW, &values).bytes().await)
    }

    /// What the header of a model's `.safetensors` file says about it, such as `modelspec.title`; `None` for a file
    /// that is not there, has another format or no such map.
    ///
    /// # Errors
    /// [`ErrorKind::Status`](crate::ErrorKind::Status) for a file with a broken header, or those of the connection.
    pub async fn model_metadata(&self, folder: &str, name: &str) -> Result<Option<Map<String, Value>>> {
        self.http().call(route::MODEL_METADATA, &[folder]).query("filename", name).read_if_found().await
    }
}

fn unknown_folder(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => error.with_hint("ask for the kinds of models that the server knows"),
        _ => error,
    }
}
