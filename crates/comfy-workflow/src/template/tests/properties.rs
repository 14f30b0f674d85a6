use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        "[a-z{} \"\\\\é\u{1b}\n]{0,10}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![scalar(), Just(Value::Null)].prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec(("[a-z]{0,3}", inner), 0..4)
                .prop_map(|entries| entries.into_iter().collect::<Map<_, _>>().into()),
        ]
    })
}

fn declared() -> impl Strategy<Value = Parameter> {
    let selector = prop_oneof![
        Just("K.seed".to_owned()),
        Just("*.cfg".to_owned()),
        Just("K.sampler".to_owned()),
        Just("6.text".to_owned()),
        Just("R.size".to_owned()),
        "[a-z.*\"\\[\\]]{0,6}",
    ];
    let kind = proptest::option::of(proptest::sample::select(ParameterType::names().collect::<Vec<_>>()));
    let limits = (proptest::option::of(scalar()), proptest::option::of(scalar()));
    let texts = (any::<bool>(), proptest::option::of("[a-zé\n\"]{0,8}"));
    (
        "[a-z]{1,2}|animal|\\PC{0,4}",
        proptest::collection::vec(selector, 0..3),
        kind,
        proptest::option::of(scalar()),
        limits,
        proptest::collection::vec(scalar(), 0..3),
        texts,
    )
        .prop_map(|(name, inputs, kind, default, (min, max), choices, (optional, description))| {
            Parameter {
                name,
                inputs,
                kind: kind.and_then(ParameterType::from_name),
                default,
                optional,
                min,
                max,
                choices,
                description,
            }
        })
}

proptest! {
    #[test]
    fn what_is_set_is_what_is_got(seed: u64, cfg in 0.0..100.0_f64, animal: String, tiled: bool) {
        let template = template([
            Parameter::new("seed").with_input("K.seed"),
            Parameter::new("cfg").with_input("K.cfg"),
            Parameter::new("tiled").with_input("K.tiled"),
        ]).unwrap();
        let of_json = template.fill(json!({"seed": seed, "cfg": cfg, "tiled": tiled, "animal": animal})).unwrap();
        prop_assert_eq!(of_json.get("3.seed").unwrap(), &json!(seed));
        prop_assert_eq!(of_json.get("3.cfg").unwrap(), &json!(cfg));
        prop_assert_eq!(of_json.get("3.tiled").unwrap(), &json!(tiled));
        prop_assert_eq!(of_json.get("6.text").unwrap(), &json!(format!("a {animal}")));
        let of_texts = template.fill([
            ("seed", seed.to_string()), ("cfg", cfg.to_string()), ("tiled", tiled.to_string()), ("animal", animal),
        ]);
        prop_assert_eq!(of_texts.unwrap(), of_json);
    }

    #[test]
    fn no_values_make_filling_panic(values in value(), name in "[a-z]{1,3}|cfg", given in value()) {
        let template = template([Parameter::new("cfg").with_input("K.cfg").optional()]).unwrap();
        let _ = template.fill(values);
        let _ = template.fill([(name, given)]);
    }

    #[test]
    fn no_declaration_panics_and_a_template_is_what_its_file_says(parameters in proptest::collection::vec(declared(), 0..3)) {
        let file = TemplateFile::new(parameters);
        let Ok(template) = file.into_template(workflow(), &schemas()) else { return Ok(()) };
        let file = TemplateFile::from(&template);
        let again = file.into_template(workflow(), &schemas()).unwrap();
        prop_assert_eq!(&again, &template);
    }

    #[test]
    fn a_printed_file_is_read_back(parameters in proptest::collection::vec(declared(), 0..4), path in proptest::option::of("\\PC{0,8}")) {
        let mut names: Vec<String> = Vec::new();
        let mut file = TemplateFile::new(parameters.into_iter().filter(|parameter| {
            let is_new = !names.contains(&parameter.name);
            names.push(parameter.name.clone());
            is_new
        }));
        if let Some(path) = path {
            file = file.with_workflow(path.clone()).with_description(path);
        }
        let toml = file.to_toml().unwrap();
        prop_assert_eq!(&TemplateFile::from_slice(toml.as_bytes()).unwrap(), &file, "{}", toml);
        let json = file.to_value().to_string();
        prop_assert_eq!(&TemplateFile::from_slice(json.as_bytes()).unwrap(), &file);
    }

    #[test]
    fn no_bytes_make_the_reader_of_files_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in r#"([a-z]|\[|\]|=|"|\n|parameters|type|\{|\}|:|,|1){0,30}"#) {
        let _ = TemplateFile::from_slice(&bytes);
        let _ = TemplateFile::from_slice(text.as_bytes());
    }
}
