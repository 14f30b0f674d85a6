use comfy_workflow::NodeId;
use comfy_workflow::schema::{InputSpec, InputType};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use super::*;
use crate::files::Files;
use crate::nodes::{EmptyStage, NodeInstance, Registry};
use crate::value::{Audio, Image, Mask, Thing, Value};
use crate::version::ServerVersion;

fn run_class(schema: &NodeSchema, inputs: &Inputs) -> Result<Ran, NodeError> {
    let directory = tempfile::tempdir().expect("temporary directory");
    let files = Files::new(directory.path());
    let (prompt, setting) = (json!({}), Setting { previews: true, ..Setting::default() });
    let mut context = Context {
        files: &files,
        prompt: &prompt,
        extra_pnginfo: None,
        instance: &NodeInstance::new(),
        node: &NodeId::from("1"),
        call: 0,
        snapshot: None,
        version: ServerVersion::V0_30_0,
        setting: &setting,
        stage: &EmptyStage,
    };
    run_sized(schema, inputs, &mut context, &Shape { width: 32, height: 32, rate: 4.0, ..Shape::default() })
}

/// A small value of a type.
fn value(kind: &str) -> Value {
    match kind {
        "IMAGE" => Value::image(Image::zeros(2, 16, 24, 3).expect("small")),
        "MASK" => Value::mask(Mask::filled(1, 16, 24, 0.5).expect("small")),
        "AUDIO" => Value::Audio(Arc::new(Audio { batch: 1, channels: 1, rate: 8000, data: vec![0.5; 80] })),
        "INT" => Value::Json(1.into()),
        "FLOAT" => Value::Json(0.5.into()),
        "BOOLEAN" => Value::Json(true.into()),
        "STRING" | "*" => Value::Json("words".into()),
        other => {
            let facts = json!({"width": 64, "height": 32, "batch": 1, "length": 1, "steps": 2});
            let facts = facts.as_object().cloned().unwrap_or_default();
            Value::Thing(Arc::new(Thing { kind: other.into(), digest: [0; 32], facts }))
        }
    }
}

fn given_value(spec: &InputSpec) -> Value {
    let default = || spec.default().cloned().map(Value::Json);
    match &spec.kind {
        InputType::Int => match spec.short() {
            // Nobody waits for large pictures here.
            "width" | "height" => Value::Json(64.into()),
            "length" | "steps" => Value::Json(3.into()),
            _ => default().unwrap_or_else(|| value("INT")),
        },
        InputType::Float if spec.short() == "duration" => Value::Json(0.2.into()),
        InputType::Float => default().unwrap_or_else(|| value("FLOAT")),
        InputType::Boolean => default().unwrap_or_else(|| value("BOOLEAN")),
        InputType::Combo => {
            Value::Json(spec.choices().first().cloned().unwrap_or_else(|| "x.safetensors".into()))
        }
        InputType::Link(kinds) => value(kinds.first().map_or("*", String::as_str)),
        InputType::MatchType(_) => value("IMAGE"),
        _ => value("*"),
    }
}

trait Short {
    fn short(&self) -> &str;
}

impl Short for InputSpec {
    fn short(&self) -> &str {
        &self.name
    }
}

/// Something for every input of a class.
fn inputs_of(schema: &NodeSchema) -> Inputs {
    let mut constants = Map::new();
    // Each round goes one level deeper into dynamic inputs.
    for _ in 0..4 {
        for input in &schema.inputs {
            if let InputType::DynamicCombo(options) = &input.kind {
                constants.insert(
                    input.name.to_string(),
                    options.first().map_or(Json::Null, |first| first.key.clone().into()),
                );
            }
        }
        for input in schema.resolve(&constants) {
            if let InputType::DynamicCombo(options) = &input.spec.kind {
                let key = options.first().map_or(Json::Null, |first| first.key.clone().into());
                constants.insert(input.name.into_owned(), key);
            }
        }
    }
    let inputs = schema.resolve(&constants).into_iter().map(|input| {
        let name = input.name.into_owned();
        let value = constants.get(&name).cloned().map_or_else(|| given_value(input.spec), Value::Json);
        let value = if schema.is_input_list { Value::List(vec![value.clone(), value]) } else { value };
        (name, value)
    });
    Inputs(inputs.take(40).collect())
}

fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "IMAGE" => matches!(value, Value::Image(_)),
        "MASK" => matches!(value, Value::Mask(_)),
        "AUDIO" => matches!(value, Value::Audio(_)),
        "INT" => matches!(value, Value::Json(json) if json.is_i64() || json.is_u64()),
        "FLOAT" => matches!(value, Value::Json(json) if json.is_f64()),
        "BOOLEAN" => matches!(value, Value::Json(Json::Bool(_))),
        "STRING" => matches!(value, Value::Json(Json::String(_))),
        "*" | "COMFY_MATCHTYPE_V3" => true,
        other => match value {
            Value::Thing(thing) => &*thing.kind == other,
            Value::Json(_) => true,
            _ => false,
        },
    }
}

#[test]
fn every_class_gives_what_its_schema_says() {
    for version in ServerVersion::ALL {
        let schemas = Registry::new(version, None, false).expect("bundled classes").schemas_for(&Json::Null);
        for (name, schema) in schemas.iter() {
            let ran = run_class(schema, &inputs_of(schema))
                .unwrap_or_else(|error| panic!("{name}: {}", error.message));
            assert_eq!(ran.outputs.len(), schema.outputs.len(), "{version} {name}");
            for (output, value) in schema.outputs.iter().zip(&ran.outputs) {
                let kind = output.type_name.split(',').next().unwrap_or_default();
                let values = match (output.is_list, value) {
                    (true, Value::List(values)) => values.as_slice(),
                    (true, other) => panic!("{version} {name} {kind}: {other:?} is no list"),
                    (false, other) => std::slice::from_ref(other),
                };
                for value in values {
                    assert!(fits(kind, value), "{version} {name} {kind}: {}", value.python_text(version));
                }
            }
            assert!(ran.origin.expect("an origin").classes.contains(name), "{name}");
            assert!(ran.ui.is_none() || schema.output_node, "{name}");
        }
    }
}

#[test]
fn every_class_runs_without_inputs() {
    let schemas =
        Registry::new(ServerVersion::V0_30_0, None, false).expect("bundled classes").schemas_for(&Json::Null);
    for (name, schema) in schemas.iter() {
        let ran =
            run_class(schema, &Inputs::default()).unwrap_or_else(|error| panic!("{name}: {}", error.message));
        assert_eq!(ran.outputs.len(), schema.outputs.len(), "{name}");
    }
}

fn schema(class: &str) -> NodeSchema {
    let schemas =
        Registry::new(ServerVersion::V0_30_0, None, false).expect("bundled classes").schemas_for(&Json::Null);
    schemas.get(class).expect("known").clone()
}

fn facts_of(class: &str, inputs: Json) -> Map<String, Json> {
    let latent = value("LATENT");
    let inputs: IndexMap<_, _> = inputs
        .as_object()
        .expect("an object")
        .iter()
        .map(|(name, json)| {
            (name.clone(), if json == "LATENT" { latent.clone() } else { Value::Json(json.clone()) })
        })
        .collect();
    let ran = run_class(&schema(class), &Inputs(inputs)).expect("it runs");
    match ran.outputs.last() {
        Some(Value::Thing(thing)) => thing.facts.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn latents_have_the_sizes_that_their_nodes_give_them() {
    let size = |class: &str, inputs: Json| {
        let facts = facts_of(class, inputs);
        ["width", "height", "batch", "length"].map(|key| facts[key].as_u64().expect("a number"))
    };
    assert_eq!(
        size("EmptyLatentImage", json!({"width": 640, "height": 480, "batch_size": 3})),
        [640, 480, 3, 1]
    );
    assert_eq!(
        size("EmptyHunyuanLatentVideo", json!({"width": 848, "height": 480, "length": 25, "batch_size": 1})),
        [848, 480, 1, 25]
    );
    assert_eq!(
        size(
            "LatentUpscale",
            json!({"samples": "LATENT", "width": 256, "height": 0, "upscale_method": "bislerp"})
        ),
        [256, 128, 1, 1]
    );
    assert_eq!(size("LatentUpscaleBy", json!({"samples": "LATENT", "scale_by": 1.5})), [96, 48, 1, 1]);
    assert_eq!(size("RepeatLatentBatch", json!({"samples": "LATENT", "amount": 4})), [64, 32, 4, 1]);
    assert_eq!(size("LatentRotate", json!({"samples": "LATENT", "rotation": "90 degrees"})), [32, 64, 1, 1]);
    assert_eq!(size("LatentBatch", json!({"samples1": "LATENT", "samples2": "LATENT"})), [64, 32, 2, 1]);
}

#[test]
fn sizes_beyond_all_bounds_are_errors_or_are_cut() {
    let inputs = |inputs: Json| {
        Inputs(
            inputs
                .as_object()
                .expect("an object")
                .iter()
                .map(|(name, json)| (name.clone(), Value::Json(json.clone())))
                .collect(),
        )
    };
    let huge = json!({"width": 1e300, "height": -5, "length": u64::MAX, "batch_size": 1e18, "prompt": "x", "seed": -1});
    for class in ["EmptyLatentImage", "WanTextToVideoApi", "EmptyHunyuanLatentVideo"] {
        run_class(&schema(class), &inputs(huge.clone())).expect("it runs");
    }
    let facts = json!({"width": 16384, "height": 16384, "batch": 4096, "length": 100_000});
    let latent = Thing {
        kind: "LATENT".into(),
        digest: [0; 32],
        facts: facts.as_object().cloned().unwrap_or_default(),
    };
    let decoded = run_class(
        &schema("VAEDecode"),
        &Inputs(IndexMap::from([("samples".to_owned(), Value::Thing(Arc::new(latent)))])),
    );
    assert!(decoded.expect_err("too large").message.contains("allocate"));
}

#[test]
fn a_text_of_any_letters_is_drawn() {
    let mut origin = Origin::default();
    origin.add_seed(u64::MAX);
    origin.add_text("日本語 ñandú 🦀 \u{0} ελ");
    let shape = Shape { width: 200, height: 120, ..Shape::default() };
    assert_eq!(tensors::pictures(&origin, &shape).expect("small").data.len(), 200 * 120 * 3);
}
