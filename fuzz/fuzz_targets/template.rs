//! Files that declare the parameters of a workflow. Seeds: templates of the tests.
#![no_main]

use comfy_workflow::Workflow;
use comfy_workflow::template::TemplateFile;
use libfuzzer_sys::fuzz_target;

const WORKFLOW: &str = r#"{
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "cfg": 7.5, "sampler_name": "euler"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a photo of {{animal}}, {sunny|cloudy}", "list": ["{{a}}", 1]}}
}"#;

fuzz_target!(|data: &[u8]| {
    let Ok(file) = TemplateFile::from_slice(data) else { return };
    let written = TemplateFile::from_value(file.to_value()).expect("what was written can be read");
    assert_eq!(written.to_value(), file.to_value());
    if let Ok(text) = file.to_toml() {
        TemplateFile::from_slice(text.as_bytes()).expect("what was written can be read");
    }
    let workflow: Workflow = WORKFLOW.parse().expect("it is a workflow");
    let Ok(template) = file.into_template(workflow, comfy_fuzz::schemas()) else { return };
    let _ = template.json_schema();
    let _ = template.fill(serde_json::json!({}));
    let values: serde_json::Map<String, serde_json::Value> =
        template.parameters().map(|parameter| (parameter.name().to_owned(), "1".into())).collect();
    if let Ok(filled) = template.fill(serde_json::Value::Object(values)) {
        assert_eq!(filled.len(), 2);
    }
});
