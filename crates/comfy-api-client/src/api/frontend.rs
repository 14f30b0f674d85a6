use comfy_protocol::route;
use comfy_protocol::routes::frontend::{GlobalSubgraph, NodeReplacement};
use indexmap::IndexMap;
use serde_json::{Map, Value};

use crate::{Client, Result};

impl Client {
    /// The scripts that extend the editor, as paths from the server's address on.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn extensions(&self) -> Result<Vec<String>> {
        self.http().call(route::EXTENSIONS, &[]).read().await
    }

    /// The names of the workflows that node packs bring as examples, by pack.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn workflow_templates(&self) -> Result<IndexMap<String, Vec<String>>> {
        self.http().call(route::WORKFLOW_TEMPLATES, &[]).read().await
    }

    /// A workflow that a node pack brings as an example, in the editor's format. Pack and name are those of
    /// [`workflow_templates`](Self::workflow_templates).
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`](crate::ErrorKind::NotFound) when there is none of that name, or those of the connection.
    pub async fn workflow_template(&self, pack: &str, name: &str) -> Result<Value> {
        self.http().call(route::WORKFLOW_TEMPLATE, &[pack, &json_file(name)]).read().await
    }

    /// A workflow of those that come with ComfyUI, in the editor's format; `index` for the list of them.
    ///
    /// # Errors
    /// As [`workflow_template`](Self::workflow_template).
    pub async fn core_template(&self, name: &str) -> Result<Value> {
        self.http().call(route::TEMPLATE_FILE, &[&json_file(name)]).read().await
    }

    /// The translations that node packs bring, by language.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn i18n(&self) -> Result<IndexMap<String, Map<String, Value>>> {
        self.http().call(route::I18N, &[]).read().await
    }

    /// The subgraphs that the server offers to all workflows, by id and without their content (since 0.8.0).
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on older servers, or those of the connection.
    pub async fn global_subgraphs(&self) -> Result<IndexMap<String, GlobalSubgraph>> {
        self.http().call(route::GLOBAL_SUBGRAPHS, &[]).read().await
    }

    /// A subgraph that the server offers, with its content (since 0.8.0); `None` for an id that is not known.
    ///
    /// # Errors
    /// As [`global_subgraphs`](Self::global_subgraphs).
    pub async fn global_subgraph(&self, id: &str) -> Result<Option<GlobalSubgraph>> {
        self.http().call(route::GLOBAL_SUBGRAPH, &[id]).read().await
    }

    /// What the server puts in the place of nodes whose class is gone, by the old class (since 0.30.0). It takes the
    /// first that it can.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) on older servers, or those of the connection.
    pub async fn node_replacements(&self) -> Result<IndexMap<String, Vec<NodeReplacement>>> {
        self.http().call(route::NODE_REPLACEMENTS, &[]).read().await
    }
}

/// The name of a file in JSON, which lists give without extension.
fn json_file(name: &str) -> String {
    if name.ends_with(".json") { name.to_owned() } else { format!("{name}.json") }
}
