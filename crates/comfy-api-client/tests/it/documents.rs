//! Files of all kinds with workflows in them: opened, converted and submitted.

use std::path::PathBuf;
use std::sync::Arc;

use comfy_api_client::workflow::Document;
use comfy_api_client::workflow::convert::{ConvertOptions, DynamicPrompts, ProblemKind, Severity};
use comfy_api_client::workflow::editor::EditorWorkflow;
use comfy_api_client::workflow::schema::Schemas;
use comfy_api_client::{Client, ErrorKind, Outputs, Workflow};
use comfy_sim::{Requests, Sim};
use serde_json::{Value, json};

use crate::support::{TestServer, behaviour, fresh};

/// The example in the editor's format, of a colour that no run had before.
fn hello() -> Value {
    let text = include_bytes!("../../../../examples/hello-editor.json");
    let mut document: Value = serde_json::from_slice(text).unwrap();
    node(&mut document, 1)["widgets_values"][3] = fresh().into();
    node(&mut document, 5)["widgets_values"][0] = "client-test/hello".into();
    document
}

fn node(document: &mut Value, id: u64) -> &mut Value {
    let nodes = document["nodes"].as_array_mut().unwrap();
    nodes.iter_mut().find(|node| node["id"] == id).unwrap()
}

fn editor(document: Value) -> EditorWorkflow {
    EditorWorkflow::from_value(document).unwrap()
}

/// A file of this content, which is there as long as the folder.
fn file(content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("workflow");
    std::fs::write(&path, content).unwrap();
    (folder, path)
}

async fn bytes(client: &Client, outputs: &Outputs) -> Vec<u8> {
    let file = outputs.files().next().unwrap().file;
    client.download(&file).await.unwrap().bytes().await.unwrap().to_vec()
}

/// Questions for all schemas, and for single classes.
fn questions(requests: &Requests) -> (usize, usize) {
    let all = requests.all();
    let single = all.iter().filter(|request| request.path.contains("/object_info/"));
    (requests.to("GET", "/object_info").len(), single.count())
}

behaviour! {
    async fn a_workflow_of_the_editor_runs_and_its_picture_can_be_run_again(server) {
        let client = server.client().await;
        let document = hello();
        let (_folder, path) = file(document.to_string());
        let mut workflow = client.open_workflow(&path).await.unwrap();
        workflow.set("EmptyImage.width", 32).unwrap();
        let picture = bytes(&client, &client.submit(&workflow).await.unwrap().await.unwrap()).await;

        let (_folder, path) = file(&picture);
        let again = client.open_document(&path).await.unwrap();
        assert_eq!(again.api.as_ref().unwrap().get("EmptyImage.width").unwrap(), 32);
        let mut expected = document;
        node(&mut expected, 1)["widgets_values"][0] = 32.into();
        assert_eq!(again.editor.as_ref().unwrap().document(), &expected, "with the values that ran");

        let mut workflow = client.open_workflow(&path).await.unwrap();
        workflow.set("EmptyImage.width", 16).unwrap();
        let picture = bytes(&client, &client.submit(&workflow).await.unwrap().await.unwrap()).await;
        let again = Workflow::read(&picture).unwrap();
        assert_eq!(again.api.unwrap().get("EmptyImage.width").unwrap(), 16);
        node(&mut expected, 1)["widgets_values"][0] = 16.into();
        assert_eq!(again.editor.unwrap().document(), &expected);
    }
}

behaviour! {
    async fn what_the_editor_saved_is_submitted_as_it_is(server) {
        let client = server.client().await;
        let document = hello();
        let color = document["nodes"][0]["widgets_values"][3].clone();
        let job = client.submit(&editor(document.clone())).await.unwrap();
        let id = job.id();
        let outputs = job.await.unwrap();
        assert_eq!(outputs.files().count(), 1);
        let record = client.history(&id).await.unwrap().unwrap();
        assert_eq!(record.prompt.2["1"]["inputs"]["color"], color);
        assert_eq!(record.prompt.2["4"]["inputs"]["image1"], json!(["1", 0]), "past the reroute");
        assert_eq!(record.prompt.3["extra_pnginfo"]["workflow"], document);
        let read = Workflow::read(&bytes(&client, &outputs).await).unwrap();
        assert_eq!(read.editor.as_ref().unwrap().document(), &document);
        let outputs = client.submit(&read).await.unwrap().await.unwrap();
        assert_eq!(outputs.files().count(), 1);
    }
}

behaviour! {
    async fn a_node_that_the_server_does_not_have_is_named_before_anything_is_sent(server) {
        let client = server.client().await;
        let mut document = hello();
        node(&mut document, 2)["type"] = "ImageInverter9000".into();
        let error = client.submit(&editor(document.clone())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conversion);
        let text = error.to_string();
        for part in ["node 2", "\"Its opposite\"", "ImageInverter9000", "install the custom node"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        let problem = error.problems().iter().find(|problem| problem.severity == Severity::Error).unwrap();
        assert_eq!(problem.kind, ProblemKind::UnknownClass);
        assert_eq!(problem.node.as_ref().unwrap().as_str(), "2");
        let conversion = client.convert(&editor(document)).await.unwrap();
        assert!(conversion.has_errors() && conversion.workflow.node("1").is_some());
    }
}

behaviour! {
    async fn schemas_that_lack_a_class_are_no_reason_to_fail(server) {
        let client = server.client().await;
        let old = client.object_info_of("SaveImage").await.unwrap();
        client.set_schemas(old);
        assert_eq!((client.kept_schemas().unwrap().len(), client.schemas_age()), (1, None));
        let conversion = client.convert(&editor(hello())).await.unwrap();
        assert_eq!(conversion.problems, []);
        assert!(client.kept_schemas().unwrap().len() > 100);
        assert!(client.schemas_age().is_some());
    }
}

#[tokio::test]
async fn a_document_that_the_caller_gave_is_not_replaced() {
    let server = TestServer::simulated().await;
    let client = server.client().await;
    let job = client.submit(&editor(hello())).editor_workflow(json!({"id": "mine"})).await.unwrap();
    let record = client.history(&job.id()).await.unwrap();
    let id = job.id();
    job.await.unwrap();
    let record = match record {
        Some(record) => record,
        None => client.history(&id).await.unwrap().unwrap(),
    };
    assert_eq!(record.prompt.3["extra_pnginfo"], json!({"workflow": {"id": "mine"}}));
}

#[tokio::test]
async fn a_workflow_in_the_api_format_needs_no_schemas_and_sends_no_document() {
    let sim = Sim::start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello.json");
    let workflow = client.open_workflow(path).await.unwrap();
    client.submit(&workflow).await.unwrap().await.unwrap();
    let request = &sim.requests().to("POST", "/prompt")[0];
    assert!(request.json().unwrap()["extra_data"].get("extra_pnginfo").is_none());
    assert_eq!(questions(&sim.requests()), (0, 0));
}

#[tokio::test]
async fn however_many_are_converted_at_once_the_schemas_are_asked_for_once() {
    let sim = Sim::start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let editors: Vec<_> = (0..20).map(|_| editor(hello())).collect();
    let jobs = editors.iter().map(async |editor| client.submit(editor).await?.await);
    for outputs in futures_util::future::join_all(jobs).await {
        assert_eq!(outputs.unwrap().files().count(), 1);
    }
    assert_eq!(questions(&sim.requests()), (1, 0));
}

#[tokio::test]
async fn kept_schemas_are_asked_for_anew_when_they_are_too_old_or_did_not_do() {
    let sim = Sim::start().await.unwrap();
    let client = Client::builder(sim.url()).schema_age(std::time::Duration::ZERO).connect().await.unwrap();
    for count in 1..=2 {
        client.convert(&editor(hello())).await.unwrap();
        assert!(questions(&sim.requests()).0 >= count, "every time, since none may have any age");
    }
    let client = Client::connect(sim.url()).await.unwrap();
    client.set_schemas(Schemas::new());
    sim.requests().clear();
    let mut document = hello();
    node(&mut document, 2)["type"] = "ImageInverter9000".into();
    let editors = [editor(document.clone()), editor(document)];
    let conversions = editors.iter().map(|editor| client.convert(editor).into_future());
    for conversion in futures_util::future::join_all(conversions).await {
        assert!(conversion.unwrap().has_errors());
    }
    assert_eq!(
        questions(&sim.requests()),
        (1, 0),
        "both wait for the same answer, and it is not asked for again"
    );
}

#[tokio::test]
async fn options_of_a_conversion_are_those_of_the_call() {
    let sim = Sim::builder().any_model(true).start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let document = editor(json!({"version": 0.4, "links": [], "nodes": [
        {"id": 1, "type": "CLIPTextEncode", "inputs": [], "outputs": [], "widgets_values": ["a {red|green|blue|black|white} fox"]}
    ]}));
    let text = async |options: Option<ConvertOptions>| {
        let convert = client.convert(&document);
        let convert = match options {
            Some(options) => convert.convert_options(options),
            None => convert,
        };
        convert.await.unwrap().workflow.get("1.text").unwrap().as_str().unwrap().to_owned()
    };
    let first = ConvertOptions::new().dynamic_prompts(DynamicPrompts::First);
    assert_eq!(text(Some(first)).await, "a red fox");
    let seven = ConvertOptions::new().dynamic_prompts(DynamicPrompts::Random(7));
    assert_eq!(text(Some(seven.clone())).await, text(Some(seven)).await);
    let mut drawn = std::collections::BTreeSet::new();
    while drawn.len() < 5 {
        drawn.insert(text(None).await);
    }
}

/// A simulator at a port, which another one may take over.
async fn sim_with(port: u16, classes: &[&str]) -> Sim {
    let all = Sim::start().await.unwrap();
    let client = Client::connect(all.url()).await.unwrap();
    let mut described: Value = client.get_json("/object_info").await.unwrap();
    described.as_object_mut().unwrap().retain(|name, _| classes.contains(&name.as_str()));
    Sim::builder().port(port).object_info(described.to_string()).start().await.unwrap()
}

const CLASSES: [&str; 4] = ["EmptyImage", "ImageInvert", "ImageBlend", "SaveImage"];

async fn converted(sim: &Sim, folder: &std::path::Path) -> comfy_api_client::Result<Workflow> {
    let client = Client::builder(sim.url()).schema_folder(folder).connect().await?;
    let (_folder, path) = file(hello().to_string());
    client.open_workflow(path).await
}

#[tokio::test]
async fn schemas_in_a_folder_spare_the_next_program_the_large_question() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("new/cache");
    let sim = Sim::start().await.unwrap();
    converted(&sim, &cache).await.unwrap();
    assert_eq!(questions(&sim.requests()), (1, 0));
    converted(&sim, &cache).await.unwrap();
    assert_eq!(questions(&sim.requests()).0, 1);
    // Whatever happens to the file, the next program does its work.
    let stored = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&stored, "not what it was").unwrap();
    converted(&sim, &cache).await.unwrap();
    assert_eq!(questions(&sim.requests()).0, 2);
    converted(&sim, &cache).await.unwrap();
    assert_eq!(questions(&sim.requests()).0, 2);
    // A file in the place of the folder.
    converted(&sim, &stored).await.unwrap();
    assert_eq!(questions(&sim.requests()).0, 3);
}

#[tokio::test]
async fn schemas_in_a_folder_are_not_those_of_a_server_with_other_nodes() {
    let folder = tempfile::tempdir().unwrap();
    let before = sim_with(0, &["EmptyImage", "SaveImage"]).await;
    let port = before.address().port();
    let error = converted(&before, folder.path()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conversion);
    before.shutdown().await;

    let after = sim_with(port, &CLASSES).await;
    converted(&after, folder.path()).await.unwrap();
    assert_eq!(questions(&after.requests()).0, 0, "those that are new were asked for one by one");
    after.shutdown().await;

    let again = sim_with(port, &["EmptyImage", "SaveImage", "ImageBlend"]).await;
    let error = converted(&again, folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("ImageInvert"), "{error}");
}

#[tokio::test]
async fn a_server_that_is_down_is_an_error_where_schemas_are_needed() {
    let client = Client::builder("127.0.0.1:1").build().unwrap();
    let (_folder, path) = file(hello().to_string());
    assert_eq!(client.open_workflow(&path).await.unwrap_err().kind(), ErrorKind::Connect);
    // With schemas at hand the file is converted, however old they are.
    let sim = Sim::start().await.unwrap();
    let schemas: Arc<Schemas> = Client::connect(sim.url()).await.unwrap().schemas().await.unwrap();
    client.set_schemas(schemas);
    assert_eq!(client.open_workflow(&path).await.unwrap().len(), 4);
}

#[tokio::test]
async fn a_file_without_a_workflow_is_told_to_be_none() {
    let client = Client::builder("127.0.0.1:1").build().unwrap();
    let open = async |content: &[u8]| {
        let (_folder, path) = file(content);
        let error = client.open_workflow(&path).await.unwrap_err();
        let text = error.to_string().replace(&path.display().to_string(), "FILE");
        assert_eq!(error.kind(), ErrorKind::Workflow, "{text}");
        (text, std::error::Error::source(&error).unwrap().to_string())
    };
    assert_eq!(open(b"").await, ("FILE cannot be used".into(), "the document is empty".into()));
    let mut picture = Vec::new();
    png::Encoder::new(&mut picture, 1, 1).write_header().unwrap().write_image_data(&[0]).unwrap();
    let (text, cause) = open(&picture).await;
    assert_eq!(text, "FILE cannot be used");
    assert!(cause.starts_with("the document is a PNG file that carries no workflow"), "{cause}");
    let missing = client.open_document("no such file").await.unwrap_err();
    assert_eq!((missing.kind(), missing.message()), (ErrorKind::Io, "cannot read no such file"));
    let folder = client.open_document(".").await.unwrap_err();
    assert_eq!(folder.kind(), ErrorKind::Io);
    let document: Document = client
        .open_document(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/hello.json"))
        .await
        .unwrap();
    assert!(!document.needs_schemas());
}

#[tokio::test]
async fn a_template_finds_its_workflow_beside_it_and_its_types_on_the_server() {
    let sim = Sim::start().await.unwrap();
    let client = Client::connect(sim.url()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (template, workflow) = (folder.path().join("hello.toml"), folder.path().join("saved"));
    std::fs::write(&workflow, hello().to_string()).unwrap();
    let text = "workflow = \"saved\"\n[parameters.mode]\ninput = \"ImageBlend.blend_mode\"\n";
    std::fs::write(&template, text).unwrap();

    let opened = client.open_template(&template).await.unwrap();
    assert!(opened.workflow().editor().is_some(), "what the editor saved is converted");
    let error = opened.fill([("mode", "multiplied")]).unwrap_err();
    assert_eq!(error.to_string(), "parameter `mode` has no choice `multiplied`; did you mean `multiply`?");

    std::fs::write(&template, "[parameters.mode]\ninput = \"ImageBlend.blend_mode\"\n").unwrap();
    let error = client.open_template(&template).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Workflow);
    assert!(error.to_string().contains("names no workflow"), "{error}");

    std::fs::write(&template, "workflow = \"gone.json\"").unwrap();
    let error = client.open_template(&template).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("gone.json"), "{error}");
}
