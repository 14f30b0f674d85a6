//! The node classes of a simulator: what `object_info` says about them, and what runs them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use comfy_workflow::schema::{NodeSchema, Schemas};
use flate2::read::GzDecoder;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::choices::{self, Chooser, Folders, Listing, Source};
use super::{Check, NodeClass, class};
use crate::files::Files;
use crate::version::ServerVersion;

/// More is no description of nodes, or one that is meant to do harm.
const LARGEST_DESCRIPTION: u64 = 512 << 20;

/// The classes as some server described them, without what only its own machine knows. Many simulators share one.
#[derive(Debug, Clone)]
struct Description {
    facts: IndexMap<String, Arc<Json>>,
    schemas: Arc<Schemas>,
    /// The inputs that choose files, by class.
    choosers: BTreeMap<String, Vec<Chooser>>,
}

/// The facts of each version that the project knows, without its prose.
static BUNDLED: [LazyLock<Result<Arc<Description>, String>>; 3] = [
    LazyLock::new(|| Description::read(include_bytes!("../../schemas/0.3.64.json.gz")).map(Arc::new)),
    LazyLock::new(|| Description::read(include_bytes!("../../schemas/0.8.0.json.gz")).map(Arc::new)),
    LazyLock::new(|| Description::read(include_bytes!("../../schemas/0.30.0.json.gz")).map(Arc::new)),
];

/// The nodes for tests, as each version describes them.
static TEST_NODES: [LazyLock<Result<Description, String>>; 3] = [
    LazyLock::new(|| Description::of_tests(ServerVersion::V0_3_64)),
    LazyLock::new(|| Description::of_tests(ServerVersion::V0_8_0)),
    LazyLock::new(|| Description::of_tests(ServerVersion::V0_30_0)),
];

/// The facts of each version, with the nodes for tests.
static WITH_TEST_NODES: [LazyLock<Result<Arc<Description>, String>>; 3] = [
    LazyLock::new(|| Description::bundled_with_tests(ServerVersion::V0_3_64)),
    LazyLock::new(|| Description::bundled_with_tests(ServerVersion::V0_8_0)),
    LazyLock::new(|| Description::bundled_with_tests(ServerVersion::V0_30_0)),
];

impl Description {
    fn of_tests(version: ServerVersion) -> Result<Self, String> {
        let bytes = unpacked(include_bytes!("../../schemas/test-nodes.json.gz"))?;
        let mut versions: Map<String, Json> =
            comfy_protocol::json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let facts = versions.remove(&version.to_string()).unwrap_or_default();
        Self::read(facts.to_string().as_bytes())
    }

    fn bundled_with_tests(version: ServerVersion) -> Result<Arc<Self>, String> {
        let mut description = Self::clone(BUNDLED[version as usize].as_ref().map_err(String::clone)?);
        description.add_tests(version)?;
        Ok(Arc::new(description))
    }

    /// Adds the nodes for tests that are not there yet.
    fn add_tests(&mut self, version: ServerVersion) -> Result<(), String> {
        let other = TEST_NODES[version as usize].as_ref().map_err(String::clone)?;
        let mut schemas = Schemas::clone(&self.schemas);
        for (name, facts) in &other.facts {
            if let (false, Some(schema)) = (self.facts.contains_key(name), other.schemas.get(name)) {
                self.facts.insert(name.clone(), Arc::clone(facts));
                if let Some(choosers) = other.choosers.get(name) {
                    self.choosers.insert(name.clone(), choosers.clone());
                }
                schemas.insert(schema.clone());
            }
        }
        self.schemas = Arc::new(schemas);
        Ok(())
    }

    /// Leaves out the classes that use paid services.
    fn drop_services(&mut self) {
        let is_service = |facts: &Json| facts["api_node"] == true;
        self.facts.retain(|_, facts| !is_service(facts));
        self.choosers.retain(|class, _| self.facts.contains_key(class));
        let mut schemas = Schemas::new();
        let kept = self.schemas.iter().filter(|(class, _)| self.facts.contains_key(*class));
        kept.for_each(|(_, schema)| drop(schemas.insert(schema.clone())));
        self.schemas = Arc::new(schemas);
    }

    /// Reads an `object_info`, packed by gzip or not.
    fn read(bytes: &[u8]) -> Result<Self, String> {
        let bytes = unpacked(bytes)?;
        let schemas = Schemas::from_slice(&bytes).map_err(|error| error.to_string())?;
        let facts: Map<String, Json> =
            comfy_protocol::json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let is_class = |facts: &Json| facts.get("input").is_some_and(Json::is_object);
        if let Some((name, _)) = facts.iter().find(|(_, facts)| !is_class(facts)) {
            let name: String = name.chars().take(80).collect();
            return Err(format!("`{name}` in it describes no node class: it has no `input`"));
        }
        if facts.is_empty() {
            return Err("it describes no node class".into());
        }
        let choosers = choices::all_choosers(&facts);
        let facts = facts.into_iter().map(|(name, facts)| (name, Arc::new(facts))).collect();
        Ok(Self { facts, schemas: Arc::new(schemas), choosers })
    }
}

/// The bytes of a description that may be packed.
fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut unpacked = Vec::new();
    let read = GzDecoder::new(bytes).take(LARGEST_DESCRIPTION).read_to_end(&mut unpacked);
    read.map(|_| Cow::Owned(unpacked)).map_err(|error| error.to_string())
}

/// The node classes of one simulator.
#[derive(Debug)]
pub(crate) struct Registry {
    version: ServerVersion,
    description: Arc<Description>,
    folders: Folders,
    /// Whether choices of models without models are open.
    any_model: bool,
    /// The schemas with the files of now, and these files.
    current: Mutex<(Listing, Arc<Schemas>)>,
}

impl Registry {
    /// The classes of a version, or those that `object_info` (JSON, packed by gzip or not) describes.
    pub(crate) fn new(
        version: ServerVersion,
        object_info: Option<&[u8]>,
        test_nodes: bool,
    ) -> Result<Self, String> {
        let description = match object_info {
            Some(bytes) => {
                let mut description = Description::read(bytes)?;
                if test_nodes {
                    description.add_tests(version)?;
                }
                Arc::new(description)
            }
            None if test_nodes => WITH_TEST_NODES[version as usize].clone()?,
            None => BUNDLED[version as usize].clone()?,
        };
        Ok(Self::of(version, description))
    }

    fn of(version: ServerVersion, description: Arc<Description>) -> Self {
        let current = Mutex::new((Listing::new(), Arc::clone(&description.schemas)));
        Self { version, description, folders: Folders::default(), any_model: false, current }
    }

    /// The same without the classes that use paid services.
    #[must_use]
    pub(crate) fn without_services(self) -> Self {
        let mut description = Description::clone(&self.description);
        description.drop_services();
        Self::of(self.version, Arc::new(description))
    }

    /// The same classes with lists of the files that there are: those in the input folder, and those below `models`.
    #[must_use]
    pub(crate) fn with_files(mut self, files: &Files, models: Option<PathBuf>, any_model: bool) -> Self {
        self.folders = Folders { files: Some(files.clone()), models };
        self.any_model = any_model;
        if any_model {
            let schemas = self.schemas_with(&Listing::new());
            self.current = Mutex::new((Listing::new(), schemas));
        }
        self
    }

    /// What the classes take and give. The lists of files that a prompt can choose from are those of now.
    pub(crate) fn schemas_for(&self, prompt: &Json) -> Arc<Schemas> {
        let description = &self.description;
        let nodes = prompt.as_object().into_iter().flat_map(Map::values);
        let classes = nodes.filter_map(|node| node.get("class_type")?.as_str());
        let mut choosers: Vec<&Chooser> = Vec::new();
        for class in classes {
            if !description.facts.contains_key(class) {
                // It may be replaced by any other.
                choosers = description.choosers.values().flatten().collect();
                break;
            }
            choosers.extend(description.choosers.get(class).into_iter().flatten());
        }
        // The lists of classes with a check of their own are for the eye only.
        let sources = choosers.iter().filter(|chooser| !chooser.checked).map(|chooser| chooser.source);
        let listed = self.folders.list(sources.collect::<BTreeSet<_>>());
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        let mut listing = current.0.clone();
        listing.extend(listed);
        listing.retain(|source, names| matches!(source, Source::Models(_)) || !names.is_empty());
        if current.0 != listing {
            let schemas = self.schemas_with(&listing);
            *current = (listing, schemas);
        }
        Arc::clone(&current.1)
    }

    fn schemas_with(&self, listing: &Listing) -> Arc<Schemas> {
        let open = self.any_model.then_some("*");
        let mut schemas = Schemas::clone(&self.description.schemas);
        for (class, choosers) in &self.description.choosers {
            let Some(facts) = self.description.facts.get(class) else { continue };
            let mut facts = Json::clone(facts);
            choosers.iter().for_each(|chooser| chooser.fill(&mut facts, listing, open));
            schemas.insert(NodeSchema::from_value(class.clone(), facts));
        }
        Arc::new(schemas)
    }

    /// What computes the results of a class; `None` where they can only be simulated, or nobody knows the class.
    pub(crate) fn class(&self, name: &str) -> Option<&'static NodeClass> {
        class(name).filter(|_| self.description.facts.contains_key(name))
    }

    /// The check that a class brings itself, whether it is computed or simulated.
    pub(crate) fn check(&self, name: &str) -> Option<Check> {
        if let Some(class) = self.class(name) {
            return class.check;
        }
        self.description.facts.get(name)?;
        let meshes = || choices::mesh_check(name).filter(|_| self.version >= ServerVersion::V0_30_0);
        choices::check(name).or_else(meshes)
    }

    /// The whole `object_info`.
    pub(crate) fn object_info(&self) -> IndexMap<&str, Cow<'_, Json>> {
        let choosers = self.description.choosers.values().flatten();
        let sources: BTreeSet<Source> = choosers.map(|chooser| chooser.source).collect();
        let listing = self.folders.list(sources);
        let classes = self.description.facts.iter();
        classes.map(|(class, facts)| (class.as_str(), self.filled(class, facts, &listing))).collect()
    }

    /// The entry of one class.
    pub(crate) fn object_info_of(&self, class: &str) -> Option<Cow<'_, Json>> {
        let facts = self.description.facts.get(class)?;
        let choosers = self.description.choosers.get(class).into_iter().flatten();
        let listing = self.folders.list(choosers.map(|chooser| chooser.source));
        Some(self.filled(class, facts, &listing))
    }

    fn filled<'a>(&self, class: &str, facts: &'a Json, listing: &Listing) -> Cow<'a, Json> {
        let Some(choosers) = self.description.choosers.get(class) else { return Cow::Borrowed(facts) };
        let mut facts = facts.clone();
        // An empty list would tell clients that no name can be right. As a text it can be typed in the editor.
        let open = self.any_model.then_some("STRING");
        choosers.iter().for_each(|chooser| chooser.fill(&mut facts, listing, open));
        Cow::Owned(facts)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::files::{Folder, Upload};
    use crate::nodes::classes;

    fn files() -> (tempfile::TempDir, Files) {
        let directory = tempfile::tempdir().expect("temporary directory");
        let files = Files::new(directory.path());
        (directory, files)
    }

    fn bundled(version: ServerVersion) -> Registry {
        Registry::new(version, None, false).expect("bundled classes")
    }

    #[test]
    fn the_bundled_facts_name_all_inputs_in_order_and_hold_no_prose() {
        for version in ServerVersion::ALL {
            let registry = bundled(version);
            assert!(registry.schemas_for(&Json::Null).len() > 400, "{version}");
            for (name, facts) in &registry.description.facts {
                assert_eq!(facts["name"], json!(name));
                assert_eq!(facts["description"], json!(""), "{name}");
                for section in ["required", "optional", "hidden"] {
                    let inputs = facts["input"][section].as_object().into_iter().flat_map(Map::keys);
                    let order = facts["input_order"][section].as_array().into_iter().flatten();
                    assert!(inputs.eq(order.map(|name| name.as_str().expect("a name"))), "{name} {section}");
                }
            }
        }
    }

    #[test]
    fn every_computed_class_is_described() {
        let registry = bundled(ServerVersion::V0_30_0);
        // A node of its own folder, which only servers with test nodes describe.
        for class in classes().filter(|class| class.name != "SaveImageWebsocket") {
            assert!(registry.class(class.name).is_some(), "{}", class.name);
        }
    }

    #[test]
    fn pictures_of_the_input_folder_are_offered() {
        let (_directory, files) = files();
        for name in ["b.png", "a.PNG", "c.txt", "noending", "d.webp"] {
            files.store_upload(Folder::Input, "", name, &Upload::of(b"x", false)).expect("stored");
        }
        files.store_upload(Folder::Input, "sub", "deep.png", &Upload::of(b"x", false)).expect("stored");
        let registry = bundled(ServerVersion::V0_30_0).with_files(&files, None, false);
        for class in ["LoadImage", "LoadImageMask"] {
            let facts = registry.object_info_of(class).expect("known");
            assert_eq!(facts["input"]["required"]["image"][0], json!(["a.PNG", "b.png", "d.webp"]));
        }
        assert!(registry.object_info_of("Nope").is_none());
    }

    #[test]
    fn a_prompt_chooses_from_the_files_of_now() {
        let (_directory, files) = files();
        let registry = bundled(ServerVersion::V0_30_0).with_files(&files, None, false);
        let offered = |class: &str| {
            let schemas = registry.schemas_for(&json!({"1": {"class_type": class}}));
            let input = schemas.get("LoadImage").and_then(|schema| schema.input("image")).expect("described");
            input.choices().contains(&json!("a.png"))
        };
        assert!(!offered("LoadImage"));
        files.store_upload(Folder::Input, "", "a.png", &Upload::of(b"x", false)).expect("stored");
        assert!(!offered("EmptyImage"), "nothing is listed for those who do not choose");
        assert!(offered("LoadImage"));
        std::fs::remove_file(files.root(Folder::Input).join("a.png")).expect("removed");
        assert!(!offered("Unknown"), "it may be replaced by one that chooses");
    }

    #[test]
    fn the_nodes_for_tests_are_there_when_they_are_asked_for() {
        for version in ServerVersion::ALL {
            let registry = Registry::new(version, None, true).expect("classes");
            assert!(
                registry.class("ProbeSleep").is_some()
                    && registry.schemas_for(&Json::Null).contains("TestForLoopClose")
            );
            assert!(!bundled(version).schemas_for(&Json::Null).contains("ProbeSleep"));
        }
    }

    #[test]
    fn classes_that_use_paid_services_can_be_left_out() {
        for version in ServerVersion::ALL {
            let is_service = |facts: &Arc<Json>| facts["api_node"] == true;
            let (all, left) = (bundled(version), bundled(version).without_services());
            let services = all.description.facts.values().filter(|facts| is_service(facts)).count();
            assert!(services > 50 && !left.description.facts.values().any(is_service), "{version}");
            let count = |registry: &Registry| registry.schemas_for(&Json::Null).len();
            assert_eq!(count(&left), count(&all) - services);
            assert!(left.class("SaveImage").is_some());
        }
    }

    #[test]
    fn classes_can_come_from_somebodys_server() {
        let object_info =
            json!({"Mine": {"input": {"required": {}}, "output": [], "name": "Mine"}}).to_string();
        let registry =
            Registry::new(ServerVersion::V0_8_0, Some(object_info.as_bytes()), false).expect("read");
        assert!(registry.schemas_for(&Json::Null).contains("Mine"));
        assert!(registry.class("SaveImage").is_none());
        for wrong in ["no JSON", "{}", r#"{"A": 1}"#, r#"{"1": {"class_type": "SaveImage", "inputs": {}}}"#] {
            assert!(Registry::new(ServerVersion::V0_8_0, Some(wrong.as_bytes()), false).is_err(), "{wrong}");
        }
    }
}
