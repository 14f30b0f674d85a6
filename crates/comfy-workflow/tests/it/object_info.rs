use comfy_workflow::schema::{InputSpec, InputType, Schemas};

use crate::corpus;

/// All inputs of a description, with those inside dynamic ones.
fn walk<'a>(specs: &'a [InputSpec], visit: &mut impl FnMut(&'a InputSpec)) {
    for spec in specs {
        visit(spec);
        match &spec.kind {
            InputType::Autogrow(grow) => walk(std::slice::from_ref(&grow.element), visit),
            InputType::DynamicCombo(options) => options.iter().for_each(|option| walk(&option.inputs, visit)),
            InputType::DynamicSlot(slot) => walk(&slot.inputs, visit),
            InputType::DynamicGroup(group) => walk(&group.fields, visit),
            _ => {}
        }
    }
}

#[test]
fn every_class_of_every_recorded_server_is_understood() {
    let Some(folder) = corpus::folder() else { return };
    for version in ["0.3.64", "0.8.0", "0.30.0"] {
        // They have all classes of the server as it comes, too.
        let info = corpus::gzipped(&folder.join(format!("object_info/{version}-with-test-nodes.json.gz")));
        let schemas = Schemas::from_value(info.clone()).unwrap();
        assert_eq!(schemas.len(), info.as_object().unwrap().len());
        let read = Schemas::from_slice(info.to_string().as_bytes()).unwrap();
        assert_eq!(format!("{read:?}"), format!("{schemas:?}"));
        let mut inputs = 0;
        for (name, schema) in schemas.iter() {
            let raw = &info[name];
            assert_eq!(schema.outputs.len(), raw["output"].as_array().map_or(0, Vec::len), "{name}");
            assert_eq!(schema.output_node, raw["output_node"], "{name}");
            assert_eq!(
                schema.hidden.len(),
                raw["input"]["hidden"].as_object().map_or(0, serde_json::Map::len),
                "{name}"
            );
            assert_eq!(
                schema.v3,
                !raw["output_tooltips"].is_null()
                    && raw["deprecated"].is_boolean()
                    && raw["api_node"].is_boolean(),
                "{name}"
            );
            assert!(!schema.title().is_empty());
            walk(&schema.inputs, &mut |spec| {
                inputs += 1;
                assert_ne!(spec.kind, InputType::Unknown, "{name} {}: {}", spec.name, spec.config());
            });
            for (section, specs) in [
                ("required", schema.required().collect::<Vec<_>>()),
                ("optional", schema.optional().collect()),
            ] {
                let names: Vec<&str> = raw["input"][section]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.as_str())
                    .collect();
                assert_eq!(specs.iter().map(|spec| &*spec.name).collect::<Vec<_>>(), names, "{name}");
                for spec in specs {
                    let raw = &raw["input"][section][&*spec.name];
                    assert_eq!(spec.config()[0], raw[0], "{name}");
                    assert_eq!(
                        spec.config()[1],
                        raw.get(1).cloned().unwrap_or_else(|| serde_json::json!({})),
                        "{name}"
                    );
                }
            }
        }
        println!("{version}: {} classes, {inputs} inputs", schemas.len());
    }
}

#[test]
fn the_largest_seed_stays_exact() {
    let Some(folder) = corpus::folder() else { return };
    let info = corpus::gzipped(&folder.join("object_info/0.30.0.json.gz"));
    let schemas = Schemas::from_value(info).unwrap();
    let seed = schemas.get("KSampler").and_then(|schema| schema.input("seed")).unwrap();
    assert_eq!(seed.max().and_then(serde_json::Number::as_u64), Some(u64::MAX));
}
