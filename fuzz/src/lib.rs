//! What the fuzz targets share.

#[path = "../../crates/comfy-workflow/tests/it/generate.rs"]
#[allow(dead_code)]
mod generate;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use arbitrary::Unstructured;
use comfy_workflow::Workflow;
use comfy_workflow::convert::{ConvertOptions, DynamicPrompts, LocalTime, convert};
use comfy_workflow::editor::EditorWorkflow;
use comfy_workflow::schema::Schemas;
use comfy_workflow::validate::{Options, validate};
use serde_json::Value;

/// The classes of a real server, if recordings are at hand (see CONTRIBUTING.md), else those of the fixtures.
pub fn schemas() -> &'static Schemas {
    static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
    SCHEMAS.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let corpus =
            std::env::var_os("COMFY_CORPUS").map_or_else(|| root.join("../../shared"), PathBuf::from);
        let mut schemas = fixtures(root);
        if let Ok(file) = std::fs::File::open(corpus.join("object_info/0.30.0-with-test-nodes.json.gz")) {
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(file)
                .read_to_end(&mut bytes)
                .expect("the recording can be unpacked");
            schemas.merge(Schemas::from_slice(&bytes).expect("the recording has classes"));
        }
        schemas
    })
}

fn fixtures(root: &Path) -> Schemas {
    let file =
        std::fs::read(root.join("../fixtures/validation/0.30.0.json")).expect("the fixtures are there");
    let mut file: Value = serde_json::from_slice(&file).expect("the fixtures are JSON");
    let mut schemas = Schemas::from_value(file["schemas"].take()).expect("the fixtures have classes");
    for entry in
        std::fs::read_dir(root.join("../fixtures/convert")).expect("the fixtures are there").flatten()
    {
        let file = std::fs::read(entry.path()).expect("the fixtures can be read");
        if let Ok(mut file) = serde_json::from_slice::<Value>(&file) {
            schemas.merge(Schemas::from_value(file["schemas"].take()).expect("the fixtures have classes"));
        }
    }
    schemas
}

/// Converts a document and checks what holds for any.
pub fn check_conversion(document: Value, schemas: &Schemas) {
    let Ok(editor) = EditorWorkflow::from_value(document) else { return };
    let now = LocalTime { year: 2025, month: 1, day: 2, hour: 3, minute: 4, second: 5 };
    let options = ConvertOptions::new().dynamic_prompts(DynamicPrompts::Random(7)).now(now);
    let conversion = convert(&editor, schemas, &options);
    assert_eq!(conversion, convert(&editor, schemas, &options), "it is not the same each time");
    let workflow = &conversion.workflow;
    for (id, input, link) in workflow.links() {
        assert!(workflow.node(link.node).is_some(), "{id}.{input} leads to nowhere");
    }
    for problem in &conversion.problems {
        let text = problem.to_string();
        assert!(!text.contains(char::is_control), "{text:?}");
    }
    let written = workflow.to_value();
    if !workflow.is_empty() {
        let read: Workflow = written.to_string().parse().expect("what was written can be read");
        assert_eq!(read.to_value(), written);
    }
    let _ = validate(&written, &Options::new(schemas));
}

/// A document out of bytes, sound or not, with its classes.
pub fn made(bytes: &[u8]) -> arbitrary::Result<(Value, Schemas)> {
    let mut u = Unstructured::new(bytes);
    let spoils = u.int_in_range(0..=3)?;
    let mut made = generate::Made::sound(&mut u)?;
    if spoils > 0 {
        generate::spoil(&mut u, &mut made.document)?;
    }
    if spoils > 2 {
        generate::spoil(&mut u, &mut made.schemas)?;
    }
    let schemas = Schemas::from_value(made.schemas).unwrap_or_default();
    if spoils == 0 {
        let editor =
            EditorWorkflow::from_value(made.document.clone()).expect("it is a document of the editor");
        let workflow = convert(&editor, &schemas, &ConvertOptions::new()).workflow;
        assert_eq!(workflow.len(), made.expected.len(), "nodes are missing or too many");
        for (id, inputs) in &made.expected {
            let node = workflow.node(id).expect("every node arrives");
            for (name, value) in inputs {
                assert_eq!(node.inputs.get(name), Some(value), "{id}.{name}");
            }
        }
    }
    Ok((made.document, schemas))
}

/// Changes a JSON text in `data` in places that mean something, or does nothing if it is none. Gives the new length.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> Option<usize> {
    let mut document: Value = serde_json::from_slice(data.get(..size)?).ok()?;
    let mut state = u64::from(seed) | 1;
    let bytes: Vec<u8> = (0..400)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as u8
        })
        .collect();
    generate::spoil(&mut Unstructured::new(&bytes), &mut document).ok()?;
    let text = document.to_string();
    if text.len() > max_size {
        return None;
    }
    data.get_mut(..text.len())?.copy_from_slice(text.as_bytes());
    Some(text.len())
}
