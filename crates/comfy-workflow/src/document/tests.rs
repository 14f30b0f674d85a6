use std::error::Error as _;

use serde_json::json;

use super::*;

fn api() -> Value {
    json!({"1": {"class_type": "EmptyImage", "inputs": {"width": 16}, "is_changed": [null]}})
}

fn editor() -> Value {
    json!({"nodes": [{"id": 7, "type": "EmptyImage", "widgets_values": [32]}], "links": [], "version": 0.4})
}

fn read(value: &Value) -> Document {
    Workflow::read(value.to_string().as_bytes()).unwrap()
}

/// The whole message for a document that holds no workflow.
fn refused(bytes: impl AsRef<[u8]>) -> String {
    let error = Workflow::read(bytes.as_ref()).unwrap_err();
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn the_api_format_is_taken_as_it_is() {
    let document = read(&api());
    assert_eq!(document.format, Format::Api);
    assert_eq!(document.editor, None);
    let conversion = document.into_workflow(&Schemas::default(), &ConvertOptions::new()).unwrap();
    assert_eq!(conversion.workflow.get("1.width").unwrap(), 16);
    assert_eq!(conversion.workflow.node("1").unwrap().extra.len(), 0, "what the server noted is gone");
}

#[test]
fn the_editors_format_is_converted() {
    let document = read(&editor());
    assert_eq!((document.format, document.needs_schemas()), (Format::Editor, true));
    let schemas = json!({"EmptyImage": {"input": {"required": {"width": ["INT"]}}, "output": ["IMAGE"], "output_node": true}});
    let schemas = Schemas::from_value(schemas).unwrap();
    let conversion = document.into_workflow(&schemas, &ConvertOptions::new()).unwrap();
    assert_eq!(conversion.workflow.get("7.width").unwrap(), 32);
}

#[test]
fn what_is_changed_in_a_workflow_that_ran_is_changed_in_the_editors_document() {
    let document = read(&json!({"prompt": api(), "extra_data": {"extra_pnginfo": {"workflow": {
        "nodes": [
            {"id": 1, "type": "EmptyImage", "widgets_values": [32]}, {"id": 2, "type": "EmptyImage", "widgets_values": [8]}
        ], "links": [], "version": 0.4
    }}}}));
    let schemas = json!({"EmptyImage": {"input": {"required": {"width": ["INT"]}}, "output": ["IMAGE"], "output_node": true}});
    let schemas = Schemas::from_value(schemas).unwrap();
    let widths = |workflow: &Workflow| {
        let document = workflow.editor_document().unwrap();
        [0, 1].map(|node| document["nodes"][node]["widgets_values"][0].as_i64().unwrap())
    };
    let mut workflow = document.clone().into_workflow(&schemas, &ConvertOptions::new()).unwrap().workflow;
    assert_eq!(workflow.nodes().len(), 1, "it is the prompt that counts");
    assert_eq!(widths(&workflow), [32, 8], "what was not changed stays as it is");
    workflow.set("1.width", 64).unwrap();
    assert_eq!(widths(&workflow), [64, 8]);

    let mut other = document;
    other.api.as_mut().unwrap().node_mut("1").unwrap().class_type = "Other".into();
    let mut workflow = other.into_workflow(&schemas, &ConvertOptions::new()).unwrap().workflow;
    workflow.set("1.width", 64).unwrap();
    assert_eq!(widths(&workflow), [32, 8], "a node of another class has no place there");
}

#[test]
fn where_one_format_is_broken_the_other_does() {
    let metadata = Metadata {
        container: Container::Png,
        prompt: Some(api()),
        workflow: Some(json!(["no workflow"])),
        texts: IndexMap::new(),
        problems: Vec::new(),
    };
    let document = Document::from_metadata(metadata).unwrap();
    assert!(document.api.is_some() && document.editor.is_none());
    assert_eq!(document.problems.len(), 1, "{:?}", document.problems);
}

#[test]
fn both_are_found_in_whatever_a_server_says_of_a_run() {
    let (api, editor) = (api(), editor());
    let extra = json!({"extra_pnginfo": {"workflow": editor}, "client_id": "x"});
    let queued = json!([3, "id", api, extra, ["1"]]);
    for document in [
        json!({"prompt": api, "client_id": "x", "extra_data": extra}),
        json!({"id": {"prompt": queued, "outputs": {}, "status": {}}}),
        json!({"prompt": queued, "outputs": {}}),
        queued,
        json!({"id": "id", "status": "completed", "outputs": {}, "workflow": {"prompt": api, "extra_data": extra}}),
        json!({"id": {"prompt": {"priority": 1, "prompt": api, "extra_data": extra}, "outputs": {}}}),
        json!({"workflow": editor, "output": api}),
        json!({"prompt": api.to_string(), "workflow": editor.to_string()}),
    ] {
        let document = read(&document);
        assert_eq!(document.format, Format::Api);
        assert_eq!(document.api.as_ref().map(Workflow::len), Some(1));
        let conversion = document.into_workflow(&Schemas::default(), &ConvertOptions::new()).unwrap();
        assert_eq!(conversion.workflow.editor().map(EditorWorkflow::document), Some(&editor));
    }
}

#[test]
fn a_byte_order_mark_and_bare_numbers_of_python_are_tolerated() {
    let text = "\u{feff}\n{\"1\": {\"class_type\": \"A\", \"inputs\": {\"x\": NaN}, \"is_changed\": [NaN]}}";
    assert_eq!(Workflow::read(text.as_bytes()).unwrap().api.unwrap().get("1.x").unwrap(), &Value::Null);
}

#[test]
fn a_broken_prompt_does_not_matter_where_there_is_an_editors_workflow() {
    let document = read(&json!({"prompt": {"1": {"class_type": "A"}, "2": {}}, "workflow": editor()}));
    assert_eq!((document.format, document.api), (Format::Editor, None));
    assert_eq!(
        document.problems,
        [
            "has a prompt that cannot be used: the document is no workflow: entry `2` is no node: missing field `class_type`"
        ]
    );
    assert!(refused(r#"{"prompt": {"1": {"class_type": "A"}, "2": {}}}"#).contains("entry `2` is no node"));
}

#[test]
fn notes_between_the_nodes_of_a_pictures_prompt_are_left_out() {
    let prompt = r#"prompt\0{"1": {"class_type": "A", "inputs": {}}, "extra": {"airs": []}, "note": "x"}"#;
    let document = Workflow::read(&png(&prompt.replace("\\0", "\0"))).unwrap();
    assert_eq!(document.api.unwrap().len(), 1);
    assert_eq!(
        document.problems,
        ["has entries in its prompt that are no nodes, which were left out: `extra`, `note`"]
    );
}

#[test]
fn documents_of_other_programs_with_nodes_are_no_workflows() {
    for key in ["edges", "connections", "asset"] {
        let document = json!({"nodes": [{"id": 1}], key: {}}).to_string();
        assert!(refused(document).starts_with("the document is no workflow: "), "{key}");
        let document = json!({"nodes": [{"id": 1}], key: {}, "links": []});
        assert_eq!(read(&document).format, Format::Editor);
    }
}

/// A picture, but for its picture, with a text.
fn png(text: &str) -> Vec<u8> {
    let chunk = |kind: &[u8], content: &[u8]| {
        [&(content.len() as u32).to_be_bytes()[..], kind, content, b"\0\0\0\0"].concat()
    };
    [b"\x89PNG\r\n\x1a\n".to_vec(), chunk(b"tEXt", text.as_bytes()), chunk(b"IEND", b"")].concat()
}

#[test]
fn what_is_no_workflow_is_named() {
    let wide: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let history = json!({"a": {"prompt": [], "outputs": {}}, "b": {"prompt": [], "outputs": {}}}).to_string();
    let cases: [(&str, &[u8]); 23] = [
        ("nothing", b""),
        ("blanks", b" \r\n"),
        ("a cut text", br#"{"1": {"class_type": "#),
        ("another text", b"last_node_id: 5\nnodes:"),
        ("utf-16", &wide),
        ("a page", b"\n<!DOCTYPE html>\n<html>"),
        ("xml", b"<?xml version=\"1.0\"?><rss>"),
        ("zip", b"PK\x03\x04\x14\0"),
        ("gzip", b"\x1f\x8b\x08\0"),
        ("pdf", b"%PDF-1.7"),
        ("gif", b"GIF89a\x01\0"),
        ("binary", b"\x7fELF\x02\x01\x01\0\0"),
        ("list", b"[1, 2]"),
        ("number", b"12"),
        ("empty object", b"{}"),
        ("another object", br#"{"name": "x", "version": 1}"#),
        ("history", history.as_bytes()),
        ("png", b"\x89PNG\r\n\x1a\n\0\0\0\0IEND\xae\x42\x60\x82"),
        ("cut png", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0"),
        ("webui", &png("parameters\0cat\nSteps: 20, Sampler: Euler")),
        ("program", &png("Comment\0made by hand\x1b[31m")),
        ("broken prompt", &png("prompt\0{\"1\": ")),
        ("mp3", b"\xff\xfb\x90\x64\0\0"),
    ];
    let lines: Vec<String> =
        cases.iter().map(|(name, bytes)| format!("{name}: {}", refused(bytes))).collect();
    insta::assert_snapshot!(lines.join("\n"));
}
