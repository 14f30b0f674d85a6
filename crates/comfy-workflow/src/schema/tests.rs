use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn class(input: Value) -> NodeSchema {
    NodeSchema::from_value("Test", json!({ "input": input }))
}

fn names(schema: &NodeSchema, inputs: Value) -> Vec<String> {
    let inputs = inputs.as_object().cloned().unwrap_or_default();
    schema.resolve(&inputs).into_iter().map(|input| input.name.into_owned()).collect()
}

#[test]
fn both_styles_of_combos_have_choices() {
    let schema = class(json!({"required": {
        "old": [["a", 1, true]],
        "new": ["COMBO", {"options": ["x"], "multiselect": true}],
        "remote": ["COMBO", {"remote": {"route": "/files"}}],
    }}));
    let choices = |name: &str| schema.input(name).unwrap().choices().to_vec();
    assert_eq!(choices("old"), [json!("a"), json!(1), json!(true)]);
    assert_eq!(choices("new"), [json!("x")]);
    assert_eq!(choices("remote"), [] as [Value; 0]);
    assert_eq!(schema.input("old").unwrap().config(), json!([["a", 1, true], {}]));
    assert_eq!(schema.input("old").unwrap().type_name(), "COMBO");
    assert!(schema.input("new").unwrap().multiselect());
}

#[test]
fn types_are_told_apart() {
    let schema = class(json!({"required": {"i": ["INT", {"max": 18446744073709551615_u64}], "l": ["IMAGE"]},
        "optional": {"u": ["IMAGE,MASK", {}], "a": ["*"], "odd": [5], "bare": "FLOAT", "none": null}}));
    let kind = |name: &str| schema.input(name).unwrap().kind.clone();
    assert_eq!(kind("l"), InputType::Link(vec!["IMAGE".into()]));
    assert_eq!(kind("u"), InputType::Link(vec!["IMAGE".into(), "MASK".into()]));
    assert_eq!(kind("a"), InputType::Any);
    assert_eq!(kind("bare"), InputType::Float);
    assert_eq!(kind("odd"), InputType::Unknown);
    assert_eq!(kind("none"), InputType::Unknown);
    assert_eq!(schema.input("i").unwrap().max().and_then(serde_json::Number::as_u64), Some(u64::MAX));
    assert_eq!(schema.required().count(), 2);
    assert_eq!(schema.optional().count(), 5);
}

#[test]
fn null_counts_as_absent() {
    let schema = NodeSchema::from_value(
        "T",
        json!({"display_name": null, "output": null, "output_matchtypes": null, "deprecated": null, "price_badge": null}),
    );
    assert_eq!(schema.display_name, None);
    assert_eq!(schema.title(), "T");
    assert!(schema.v3 && !schema.deprecated && schema.outputs.is_empty());
    assert!(schema.extra.contains_key("price_badge"));
}

#[test]
fn hidden_inputs_and_outputs_are_read_in_all_their_forms() {
    let schema = NodeSchema::from_value(
        "T",
        json!({
            "input": {"hidden": {"a": "PROMPT", "b": ["UNIQUE_ID"], "c": 5}},
            "output": ["IMAGE", ["x", "y"], 7],
            "output_name": ["picture"],
            "output_is_list": [true, false],
            "output_matchtypes": ["t", null],
            "is_input_list": [true],
        }),
    );
    assert_eq!(schema.hidden.get("a").map(String::as_str), Some("PROMPT"));
    assert_eq!(schema.hidden.get("b").map(String::as_str), Some("UNIQUE_ID"));
    assert_eq!(schema.hidden.len(), 2);
    let outputs: Vec<(&str, &str, bool)> =
        schema.outputs.iter().map(|output| (&*output.name, &*output.type_name, output.is_list)).collect();
    assert_eq!(outputs, [("picture", "IMAGE", true), ("COMBO", "COMBO", false), ("7", "7", false)]);
    assert_eq!(schema.outputs[0].match_type.as_deref(), Some("t"));
    assert!(schema.is_input_list);
}

#[test]
fn a_growing_row_has_all_the_names_it_may_have() {
    let schema = class(json!({"required": {
        "images": ["COMFY_AUTOGROW_V3", {"template":
            {"input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1, "max": 3}}],
        "values": ["COMFY_AUTOGROW_V3", {"template":
            {"input": {"required": {"value": ["*", {}]}}, "names": ["a", "b"], "min": 0}}],
    }}));
    assert_eq!(
        names(&schema, json!({})),
        ["images.image0", "images.image1", "images.image2", "values.a", "values.b"]
    );
    let required: Vec<bool> = schema.resolve(&Map::new()).iter().map(|input| input.required).collect();
    assert_eq!(required, [true, false, false, false, false]);
    let element = schema.input_for("images.image2", &Map::new()).unwrap();
    assert_eq!(&*element.spec.name, "image");
    assert_eq!(schema.input_for("images.image3", &Map::new()), None);
}

#[test]
fn a_dynamic_combo_brings_the_inputs_of_its_choice() {
    let inner = json!(["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "x", "inputs": {"required": {"n": ["INT", {}]}}}]}]);
    let schema = class(json!({"required": {"mode": ["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "a", "inputs": {"required": {"w": ["INT", {}]}, "optional": {"sub": inner}}},
        {"key": "b", "inputs": {}}]}]}}));
    assert_eq!(names(&schema, json!({})), [] as [&str; 0]);
    assert_eq!(names(&schema, json!({"mode": "bogus"})), [] as [&str; 0]);
    assert_eq!(names(&schema, json!({"mode": ["0", 0]})), [] as [&str; 0]);
    assert_eq!(names(&schema, json!({"mode": "b"})), ["mode"]);
    assert_eq!(names(&schema, json!({"mode": "a"})), ["mode", "mode.w"]);
    assert_eq!(
        names(&schema, json!({"mode": "a", "mode.sub": "x"})),
        ["mode", "mode.w", "mode.sub", "mode.sub.n"]
    );
}

#[test]
fn slots_and_groups_bring_inputs_too() {
    let schema = class(json!({"required": {
        "slot": ["COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE", "inputs": {"required": {"s": ["INT", {}]}}}],
        "rows": ["COMFY_DYNAMICGROUP_V3", {"template": {"required": {"f": ["INT", {}]}}, "min": 1, "max": 3}],
    }}));
    assert_eq!(names(&schema, json!({})), ["slot", "rows.0.f"]);
    assert_eq!(
        names(&schema, json!({"slot": ["1", 0], "rows.1.f": 1, "rows.9.f": 1})),
        ["slot", "slot.s", "rows.0.f", "rows.1.f"]
    );
}

#[test]
fn descriptions_nested_without_end_are_cut_off() {
    let mut spec = json!(["INT", {}]);
    for _ in 0..40 {
        spec = json!(["COMFY_DYNAMICCOMBO_V3", {"options": [{"key": "k", "inputs": {"required": {"x": spec}}}]}]);
    }
    let schema = class(json!({"required": {"x": spec}}));
    let mut inputs = Map::new();
    let mut name = String::from("x");
    for _ in 0..40 {
        inputs.insert(name.clone(), json!("k"));
        name += ".x";
    }
    assert_eq!(schema.resolve(&inputs).len(), 9);
}

#[test]
fn single_answers_are_merged_into_the_whole() {
    let mut schemas: Schemas = Schemas::from_slice(br#"{"A": {"category": "old"}, "B": {}}"#).unwrap();
    schemas.merge(Schemas::from_value(json!({"A": {"category": "new"}})).unwrap());
    schemas.merge(Schemas::from_value(json!({})).unwrap());
    assert_eq!(schemas.get("A").unwrap().category, "new");
    assert_eq!(schemas.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(schemas.insert(NodeSchema::from_value("C", Value::Null)).map(|old| old.name), None);
    assert!(schemas.contains("C") && schemas.len() == 3 && !schemas.is_empty());
    assert!(Schemas::from_value(json!([])).unwrap_err().to_string().contains("object of node classes"));
}

/// The same classes, read from a text and from a value.
fn both_ways(text: &str) -> [Schemas; 2] {
    [
        Schemas::from_slice(text.as_bytes()).unwrap(),
        Schemas::from_value(json::from_str(text).unwrap()).unwrap(),
    ]
}

#[test]
fn a_list_that_many_inputs_have_is_in_memory_once() {
    let files: Vec<String> = (0..100).map(|file| format!("lora_{file}.safetensors")).collect();
    let old = json!({"input": {"required": {"lora": [files, {"tooltip": "old"}]}}});
    let new = |tooltip: &str| json!({"input": {"optional": {"file": ["COMBO", {"default": "x", "options": files, "tooltip": tooltip}]}}});
    let info = json!({"A": old, "B": new("one"), "C": new("two")});
    for schemas in both_ways(&info.to_string()) {
        let specs: Vec<&InputSpec> = schemas.iter().flat_map(|(_, schema)| &schema.inputs).collect();
        assert_eq!(specs[0].config(), info["A"]["input"]["required"]["lora"]);
        assert_eq!(specs[2].config(), info["C"]["input"]["optional"]["file"]);
        assert!(specs.iter().all(|spec| spec.choices().len() == 100));
        assert_eq!(specs[1].default(), Some(&json!("x")));
        assert_eq!((specs[1].tooltip(), specs[2].tooltip()), (Some("one"), Some("two")));
    }
    let [schemas, _] = both_ways(&info.to_string());
    let mut lists = schemas.iter().map(|(_, schema)| schema.inputs[0].choices().as_ptr());
    let first = lists.next().unwrap();
    assert!(lists.all(|list| list == first));
}

#[test]
fn texts_that_are_no_json_by_themselves_are_read_as_in_whole_answers() {
    let long = "y".repeat(300);
    let text = format!(
        r#"{{"\u00c4\ud83d": {{"display_name": "\ud83d", "\ud83d": 1, "input": {{"required": {{
            "n": ["FLOAT", {{"default": NaN, "max": Infinity, "\ud83d": 1, "tooltip": "\ud83d{long}"}}],
            "\ud83d": [["a", "\ud83d", "{long}"], {{"tooltip": "\ud83d"}}],
            "bare": "FLOAT", "long": "{long}", "odd": ["INT", {{}}, "{long}"], "none": [], "{long}": [["{long}"]]}}}}}}}}"#
    );
    let [read, made] = both_ways(&text);
    assert_eq!(format!("{read:?}"), format!("{made:?}"));
    let schema = read.get("Ä\u{fffd}").unwrap();
    assert_eq!(schema.display_name.as_deref(), Some("\u{fffd}"));
    assert_eq!(schema.input("\u{fffd}").unwrap().choices()[1], "\u{fffd}");
}

#[test]
fn an_answer_that_is_no_map_of_classes_is_an_error() {
    let error = |text: &str| Schemas::from_slice(text.as_bytes()).unwrap_err().to_string();
    assert!(error("[]").contains("object of node classes"), "{}", error("[]"));
    assert!(error(r#"{"A": {}"#).contains("ends too early"));
}

#[test]
fn a_mistyped_class_has_a_similar_one() {
    let schemas = Schemas::from_value(json!({"KSampler": {}, "SaveImage": {}})).unwrap();
    assert_eq!(schemas.similar("ksampler"), Some("KSampler"));
    assert_eq!(schemas.similar("SaveImages"), Some("SaveImage"));
    assert_eq!(schemas.similar("Quux"), None);
}

/// JSON of any shape whose texts and keys are often words that mean something here.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    const WORDS: [&str; 40] = [
        "1",
        "2",
        "3",
        "A",
        "B",
        "class_type",
        "inputs",
        "_meta",
        "title",
        "__value__",
        "input",
        "required",
        "optional",
        "hidden",
        "output",
        "output_node",
        "name",
        "x",
        "y",
        "INT",
        "FLOAT",
        "STRING",
        "BOOLEAN",
        "COMBO",
        "*",
        "IMAGE",
        "A,B",
        "COMFY_AUTOGROW_V3",
        "COMFY_DYNAMICCOMBO_V3",
        "COMFY_DYNAMICSLOT_V3",
        "COMFY_DYNAMICGROUP_V3",
        "COMFY_MATCHTYPE_V3",
        "template",
        "prefix",
        "names",
        "min",
        "max",
        "options",
        "key",
        "multiselect",
    ];
    let word = proptest::sample::select(&WORDS[..]).prop_map(str::to_owned);
    let text = prop_oneof![4 => word, 1 => ".{0,3}"].boxed();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-2..4_i64).prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 60, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn names_that_are_alike_pass_the_quick_look(a in "[a-cA-C0]{0,12}|[a-zA-Z ]{0,20}|\\PC{0,6}", b in "[a-cA-C0]{0,12}|[a-zA-Z ]{0,20}|\\PC{0,6}") {
        for other in [b.clone(), format!("{a}{b}")] {
            let empty = a.is_empty() || other.is_empty();
            let alike = !empty && strsim::jaro_winkler(&a.to_lowercase(), &other.to_lowercase()) >= 0.8;
            prop_assert_eq!(most_similar(&a, std::iter::once(other.as_str())).is_some(), alike, "{:?} {:?}", a, other);
        }
    }

    #[test]
    fn no_description_makes_the_reader_panic(info in any_json(), spec in any_json(), inputs in any_json()) {
        let inputs = inputs.as_object().cloned().unwrap_or_default();
        for info in [info, json!({"input": {"required": {"x": spec, "y": ["COMFY_AUTOGROW_V3", {"template": spec}]}}})] {
            let text = json!({"T": info}).to_string();
            let schema = NodeSchema::from_value("T", info);
            let _ = (schema.resolve(&inputs), schema.title());
            let read = Schemas::from_slice(text.as_bytes()).unwrap();
            prop_assert_eq!(format!("{:?}", read.get("T").unwrap()), format!("{:?}", schema));
        }
    }
}
