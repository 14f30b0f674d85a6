use std::path::{Path, PathBuf};

use comfy_workflow::schema::Schemas;
use comfy_workflow::template::{Sweep, TemplateFile};
use comfy_workflow::validate::{Options, Profile, Verdict, validate};
use comfy_workflow::{Template, Workflow};
use serde_json::json;

use crate::corpus;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

fn example(schemas: &Schemas) -> Template {
    let file =
        TemplateFile::from_slice(&std::fs::read(examples().join("hello.template.toml")).unwrap()).unwrap();
    let workflow = std::fs::read(examples().join(file.workflow().unwrap())).unwrap();
    file.into_template(Workflow::from_slice(&workflow).unwrap(), schemas).unwrap()
}

#[test]
fn the_page_shows_the_examples_as_they_are() {
    let page = std::fs::read_to_string(examples().join("../docs/templates.md")).unwrap();
    for name in ["hello.template.toml", "hello.csv"] {
        let text = std::fs::read_to_string(examples().join(name)).unwrap();
        assert!(page.contains(&format!("\n{text}```")), "docs/templates.md shows another {name}");
    }
}

#[test]
fn the_example_works_without_schemas() {
    let template = example(&Schemas::new());
    let filled = template.fill([("size", "64"), ("blend", "0.5")]).unwrap();
    assert_eq!(filled.get("1.width").unwrap(), 64);
    assert_eq!(filled.get("1.color").unwrap(), 0xff8800);
    assert_eq!(filled.get("3.blend_factor").unwrap(), 0.5);
    let rows = Sweep::from_rows(&std::fs::read(examples().join("hello.csv")).unwrap()).unwrap();
    let labels =
        rows.variants_of(&template, json!({}), &Schemas::new()).unwrap().map(|variant| variant.label);
    assert_eq!(
        labels.collect::<Vec<_>>(),
        [
            "color=255,blend=0.25,filename_prefix=blue",
            "color=65280,blend=0.5,filename_prefix=green-half~2",
            "color=16711680,filename_prefix=red",
        ]
    );
}

#[test]
fn the_example_fits_the_schemas_of_real_servers() {
    let Some(folder) = corpus::folder() else { return };
    for version in ["0.3.64", "0.8.0", "0.30.0"] {
        let info = corpus::gzipped(&folder.join(format!("object_info/{version}.json.gz")));
        let schemas = Schemas::from_value(info).unwrap();
        let template = example(&schemas);
        let wanted: Vec<String> = template.parameters().map(|parameter| parameter.wanted()).collect();
        assert_eq!(
            wanted,
            [
                "a whole number from 0 to 16777215",
                "a whole number from 1 to 1024",
                "a number from 0 to 1",
                "one of `normal`, `multiply`, `screen`, `difference`",
            ]
        );
        let filled = template.fill([("mode", "screen"), ("size", "64")]).unwrap().to_value();
        let options = Options::new(&schemas).profile(Profile::for_version(version));
        assert!(matches!(validate(&filled, &options), Verdict::Accepted(_)), "{version}");
    }
}
