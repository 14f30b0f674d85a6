use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::template::Parameter;

fn schemas() -> Schemas {
    Schemas::from_value(json!({
        "K": {"input": {"required": {
            "seed": ["INT", {"min": 0, "max": 1000000}],
            "cfg": ["FLOAT", {"min": 0.0, "max": 100.0}],
            "sampler": [["euler", "heun", "lcm"]],
            "size": [[1, 2, 3]],
            "tiled": ["BOOLEAN"],
        }}},
        "T": {"input": {"required": {"text": ["STRING"]}}},
    }))
    .unwrap()
}

fn workflow() -> Workflow {
    Workflow::from_value(json!({
        "3": {"class_type": "K", "inputs": {"seed": 1, "cfg": 8.0, "sampler": "euler", "size": 1, "tiled": false}},
        "6": {"class_type": "T", "inputs": {"text": "fox"}},
        "7": {"class_type": "T", "inputs": {"text": "bad"}},
    }))
    .unwrap()
}

fn sweep(text: &str) -> Sweep {
    text.parse().unwrap()
}

fn values(sweep: &Sweep) -> Vec<String> {
    let workflow = workflow();
    let variants = sweep.clone().variants(&workflow, &schemas()).unwrap();
    variants.map(|variant| Value::from(variant.values).to_string()).collect()
}

fn labels(sweep: &Sweep) -> Vec<String> {
    sweep.clone().variants(&workflow(), &schemas()).unwrap().map(|variant| variant.label).collect()
}

fn refused(sweep: &Sweep) -> String {
    let error = sweep.clone().variants(&workflow(), &schemas()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Sweep);
    error.to_string()
}

#[test]
fn the_last_of_a_product_changes_fastest() {
    let product = sweep("K.seed=1..2").product(sweep("K.cfg=4,6")).product(sweep("K.tiled=no,yes"));
    assert_eq!(product.count(), 8);
    let values = values(&product);
    assert_eq!(values[0], r#"{"K.seed":1,"K.cfg":4.0,"K.tiled":false}"#);
    assert_eq!(values[1], r#"{"K.seed":1,"K.cfg":4.0,"K.tiled":true}"#);
    assert_eq!(values[2], r#"{"K.seed":1,"K.cfg":6.0,"K.tiled":false}"#);
    assert_eq!(values[7], r#"{"K.seed":2,"K.cfg":6.0,"K.tiled":true}"#);
    assert_eq!(labels(&product)[7], "seed=2,cfg=6.0,tiled=true");
}

#[test]
fn a_zip_goes_side_by_side_and_wants_equally_many() {
    let zip = sweep("K.seed=1..2").zip(sweep("K.sampler=heun,lcm")).unwrap();
    assert_eq!(values(&zip), [r#"{"K.seed":1,"K.sampler":"heun"}"#, r#"{"K.seed":2,"K.sampler":"lcm"}"#]);
    let error = zip.zip(sweep("K.cfg=1..3")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`K.seed`, `K.sampler` has 2 values and `K.cfg` has 3; side by side there must be equally many"
    );
}

#[test]
fn values_take_the_types_of_their_inputs() {
    assert_eq!(values(&sweep("6.text=1..2")), [r#"{"6.text":"1"}"#, r#"{"6.text":"2"}"#]);
    assert_eq!(values(&sweep("3.size=1..3..2")), [r#"{"3.size":1}"#, r#"{"3.size":3}"#]);
    assert_eq!(values(&Sweep::of("3.cfg", [1.5, 2.0])), [r#"{"3.cfg":1.5}"#, r#"{"3.cfg":2.0}"#]);
    assert_eq!(values(&sweep("3.cfg:=[1, null]")), [r#"{"3.cfg":1}"#, "{}"]);
    let everywhere = sweep("*.text=owl");
    let variant = everywhere.variants(&workflow(), &Schemas::new()).unwrap().next().unwrap();
    assert_eq!(variant.workflow.get("6.text").unwrap(), "owl");
    assert_eq!(variant.workflow.get("7.text").unwrap(), "owl");
    assert_eq!(variant.workflow.get("3.seed").unwrap(), 1);
}

#[test]
fn all_values_are_looked_at_before_the_first_workflow() {
    let product = sweep("K.seed=1,-2,x").product(sweep("K.sampler=hein")).product(sweep("K.cfg=90..110"));
    assert_eq!(
        refused(&product),
        "`K.seed` must be at least 0, and -2 is smaller\n\
         `K.seed` takes a whole number, not `x`\n\
         `K.sampler` has no choice `hein`; did you mean `heun`?\n\
         `K.cfg` must be at most 100.0, and 110.0 is larger"
    );
    assert_eq!(refused(&sweep("K.seed=0..1..0.5")), "`K.seed` takes a whole number, not `0.0`");
    assert_eq!(refused(&sweep("K.size=1..99999999")), "`K.size` has no choice `4`; there are `1`, `2`, `3`");
    assert_eq!(refused(&sweep("K.tiled=0..2")), "`K.tiled` takes true or false, not `2`");
    assert_eq!(
        refused(&sweep("K.seeed=1")),
        "`K.seeed`: node 3 (K) has no input `seeed`; did you mean `seed`?"
    );
    assert_eq!(
        refused(&sweep("K.seed=1").product(sweep("3.seed=2"))),
        "`3.seed` and `K.seed` both set input `seed` of node 3 (K)"
    );
    assert!(refused(&sweep("seed=1")).contains("is no selector"));
}

#[test]
fn labels_are_fit_for_files_and_stay_apart() {
    let texts = sweep(r#"6.text="a/b: c?","a b c",plain,"..","x.",è,"#).product(sweep("7.text=1"));
    assert_eq!(
        labels(&texts),
        [
            "6.text=a-b-c~1,7.text=1",
            "6.text=a-b-c~2,7.text=1",
            "6.text=plain,7.text=1",
            "6.text=~4,7.text=1",
            "6.text=x~5,7.text=1",
            "6.text=è,7.text=1",
            "6.text=,7.text=1",
        ]
    );
    let long = Sweep::of("6.text", ["é".repeat(500)]);
    assert_eq!(labels(&long), [format!("text={}~1", "é".repeat(32))]);
    let many: Vec<String> =
        (0..20).map(|n| format!("{{\"{}.text\": \"{}\"}}", 6 + n % 2, "é".repeat(30))).collect();
    assert!(
        labels(&Sweep::from_rows(many.join("\n").as_bytes()).unwrap()).iter().all(|label| label.len() < 176)
    );
}

#[test]
fn rows_of_csv_take_types_and_leave_what_is_empty() {
    let csv = "\u{feff} K.seed ,6.text\r\n1,\"red, \"\"blue\"\"\"\r\n2,\r\n";
    let rows = Sweep::from_rows(csv.as_bytes()).unwrap();
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["K.seed", "6.text"]);
    assert_eq!(values(&rows), [r#"{"K.seed":1,"6.text":"red, \"blue\""}"#, r#"{"K.seed":2}"#]);
    assert_eq!(labels(&rows), ["seed=1,text=red-blue~1", "seed=2"]);
}

#[test]
fn rows_of_json_have_their_types() {
    let lines = "{\"K.seed\": 5}\n\n{\"6.text\": \"\", \"K.seed\": null}\n";
    let rows = Sweep::from_rows(lines.as_bytes()).unwrap();
    assert_eq!(values(&rows), [r#"{"K.seed":5}"#, r#"{"6.text":""}"#]);
    assert_eq!(labels(&rows), ["seed=5", "text="]);
    let list = Sweep::from_rows(br#"[{"K.seed": 5}, {}]"#).unwrap();
    assert_eq!(labels(&list), ["seed=5", "2"]);
}

#[test]
fn errors_of_rows_name_row_line_and_column() {
    let read = |text: &str| Sweep::from_rows(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(read(" \n"), "the table is empty");
    assert_eq!(
        read("a.b,,a.b\n1,2,3\n\"x\ny\",2\n"),
        "column 2 has no name; the first row names inputs or parameters\n\
         two columns are named `a.b`\n\
         row 2 (line 3): it has 2 cells, but there are 3 columns"
    );
    assert_eq!(
        read("a.b\tc.d\n1\t2"),
        "the first row has one column and a '\\t'; columns are divided by commas"
    );
    for text in ["a.b,c.d\n\n\n1\n", "a.b,c.d\r\n\r\n\r\n1\r\n", "a.b,c.d\n2,\"\n\"\n1"] {
        let error = read(text);
        assert!(error.ends_with("(line 4): it has 1 cells, but there are 2 columns"), "{text:?}: {error}");
    }
    assert_eq!(read("{\"a.b\": 1}\n{\n5\n").lines().count(), 2);
    assert_eq!(read("[{}, 5]"), "row 2: it is `5`, not an object of values");
    assert_eq!(Sweep::from_rows(b"a.b,c.d\n1,\xFF\n").unwrap_err().to_string(), "row 1: cell 2 is not UTF-8");
    let rows = Sweep::from_rows(b"K.seed,K.sampler\n1,euler\n-1,hein\n").unwrap();
    let error = rows.variants(&workflow(), &schemas()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "row 2 (line 3): `K.seed` must be at least 0, and -1 is smaller\n\
         row 2 (line 3): `K.sampler` has no choice `hein`; did you mean `heun`?"
    );
    assert_eq!((error.problems()[1].row, error.problems()[1].name.as_deref()), (Some(2), Some("K.sampler")));
}

#[test]
fn a_template_is_swept_over_parameters_and_other_inputs() {
    let mut workflow = workflow();
    workflow.set("6.text", "a {{animal}}").unwrap();
    let parameters = [
        Parameter::new("animal"),
        Parameter::new("seed").with_input("K.seed").with_default(9),
        Parameter::new("cfg").with_input("K.cfg"),
    ];
    let template = Template::new(workflow, parameters, &schemas()).unwrap();
    let product = sweep("animal=fox,owl").product(sweep("7.text=x"));
    let variants: Vec<Variant> =
        product.clone().variants_of(&template, json!({"cfg": 5}), &schemas()).unwrap().collect();
    assert_eq!(variants.len(), 2);
    assert_eq!(variants[1].label, "animal=owl,text=x");
    assert_eq!(variants[1].workflow.get("6.text").unwrap(), "a owl");
    assert_eq!(variants[1].workflow.get("7.text").unwrap(), "x");
    assert_eq!(variants[1].workflow.get("3.seed").unwrap(), 9);
    assert_eq!(variants[1].workflow.get("3.cfg").unwrap(), 5);

    let refused = |sweep: &Sweep, values: Value| {
        sweep.clone().variants_of(&template, values, &schemas()).unwrap_err().to_string()
    };
    assert_eq!(
        refused(&product, json!({"animal": "cat"})),
        "parameter `animal` is given a value and swept; do one of them\n\
         parameter `cfg` is missing: it takes a number from 0.0 to 100.0"
    );
    assert_eq!(
        refused(&sweep("animl=fox"), json!({"animal": "a", "cfg": 1})),
        "parameter `animl` is not declared; did you mean `animal`?"
    );
    assert_eq!(
        refused(&sweep("K.seed=1").product(sweep("6.text=x")), json!({"animal": "a", "cfg": 1})),
        "`6.text` sets input `text` of node 6 (T), whose text has placeholders; leave one of the two out\n\
         `K.seed` and `seed` both set input `seed` of node 3 (K)"
    );
    assert_eq!(
        refused(&sweep("cfg=1").product(sweep("cfg=2")), json!({"animal": "a"})),
        "parameter `cfg` is swept twice"
    );
    assert_eq!(
        refused(&sweep("animal:=[null]"), json!({"cfg": 1})),
        "parameter `animal` is missing: it takes a text"
    );
}

#[test]
fn a_choice_is_swept_together_with_the_inputs_that_it_brings() {
    let option = |key: &str, inputs: Value| json!({"key": key, "inputs": {"required": inputs}});
    let options = json!([
        option("size", json!({"width": ["INT", {"max": 64}], "same": ["INT"]})),
        option("factor", json!({"by": ["FLOAT", {"max": 8.0}], "same": ["INT"]})),
    ]);
    let schemas = Schemas::from_value(json!({"R": {"input": {"required": {
        "to": ["COMFY_DYNAMICCOMBO_V3", {"options": options}]
    }}}}));
    let schemas = schemas.unwrap();
    let workflow =
        Workflow::from_value(json!({"1": {"class_type": "R", "inputs": {"to": "size", "to.width": 8}}}));
    let workflow = workflow.unwrap();
    let rows = |text: &str| Sweep::from_rows(text.as_bytes()).unwrap().variants(&workflow, &schemas);
    let variants = rows("R.to,R.to.width,R.to.by,R.to.same\nsize,16,,1\nfactor,,2,3\n").unwrap();
    let values: Vec<String> = variants.map(|variant| Value::from(variant.values).to_string()).collect();
    assert_eq!(
        values,
        [
            r#"{"R.to":"size","R.to.width":16,"R.to.same":1}"#,
            r#"{"R.to":"factor","R.to.by":2.0,"R.to.same":3}"#
        ]
    );
    assert_eq!(
        rows("R.to,R.to.by\nfacto,9\n").unwrap_err().to_string(),
        "row 1 (line 2): `R.to` has no choice `facto`; did you mean `factor`?\n\
         row 1 (line 2): `R.to.by` must be at most 8.0, and 9.0 is larger"
    );
    assert!(rows("R.to.bi\n9\n").is_err());
}

#[test]
fn a_huge_product_is_counted_and_lazy() {
    let seeds = || sweep("K.seed=0..999999");
    let twice = seeds().product(sweep("K.cfg=0..100..0.0001"));
    assert_eq!(twice.count(), 1_000_001_000_000);
    let (workflow, schemas) = (workflow(), schemas());
    let mut variants = twice.variants(&workflow, &schemas).unwrap();
    assert_eq!(variants.nth(1_000_001_000_000 - 2).unwrap().label, "seed=999999,cfg=99.9999");
    assert_eq!(variants.len(), 1);
    assert_eq!(variants.next().unwrap().index, 1_000_000_999_999);
    assert_eq!((variants.next(), variants.nth(5), variants.len()), (None, None, 0));
    let all = || sweep("x.y=0..18446744073709551615");
    assert_eq!(all().product(all()).product(all()).count(), u128::MAX);
    assert_eq!(all().product(Sweep::of("a.b", [0; 0])).count(), 0);
}

fn axis() -> impl Strategy<Value = Sweep> {
    let key = proptest::sample::select(vec!["K.seed", "K.cfg", "6.text", "7.text", "K.tiled"]);
    prop_oneof![
        (key.clone(), 0..1u8, 0..4u8).prop_map(|(key, from, to)| sweep(&format!("{key}={from}..{to}"))),
        (key.clone(), "[01](,[01]){0,3}").prop_map(|(key, values)| sweep(&format!("{key}={values}"))),
        (key, 0..3_usize).prop_map(|(key, rows)| {
            Sweep::from_rows(format!("{key}\n{}", "1\n".repeat(rows)).as_bytes()).unwrap()
        }),
    ]
}

fn any_sweep() -> impl Strategy<Value = Sweep> {
    axis().prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), inner, any::<bool>()).prop_map(|(a, b, zip)| match zip {
            true => a.clone().zip(b).unwrap_or(a),
            false => a.product(b),
        })
    })
}

proptest! {
    #[test]
    fn there_are_as_many_variants_as_are_counted(sweep in any_sweep()) {
        let (workflow, schemas) = (workflow(), schemas());
        let Ok(variants) = sweep.clone().variants(&workflow, &schemas) else { return Ok(()) };
        prop_assert_eq!(variants.len() as u128, sweep.count());
        let count = variants.len();
        let all: Vec<Variant> = variants.clone().collect();
        prop_assert_eq!(all.len(), count);
        for (index, variant) in all.iter().enumerate() {
            prop_assert_eq!(variant.index, index);
            let again = variants.get(index);
            prop_assert_eq!(again.as_ref(), Some(variant));
            for (key, value) in &variant.values {
                prop_assert_eq!(variant.workflow.get(key).unwrap(), value);
            }
        }
    }

    #[test]
    fn labels_of_different_values_are_different(texts in proptest::collection::hash_set("\\PC{0,40}", 1..6)) {
        let sweep = Sweep::of("6.text", texts);
        let labels = labels(&sweep);
        let apart: std::collections::HashSet<&String> = labels.iter().collect();
        prop_assert_eq!(apart.len(), labels.len());
        for label in labels {
            prop_assert!(label.chars().all(|c| c.is_alphanumeric() || ".,=_+-~".contains(c)), "{}", label);
        }
    }

    #[test]
    fn no_bytes_make_the_reader_of_rows_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60), text in r#"([a-z.]|,|"|\n|\{|\}|:|\[|\]|1){0,30}"#) {
        let _ = Sweep::from_rows(&bytes);
        let _ = Sweep::from_rows(text.as_bytes());
    }
}
