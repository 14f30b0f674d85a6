mod properties;

use serde_json::json;

use super::*;

fn schemas() -> Schemas {
    Schemas::from_value(json!({
        "K": {"input": {"required": {
            "seed": ["INT", {"min": 0, "max": 18446744073709551615_u64, "tooltip": "The seed of the noise"}],
            "cfg": ["FLOAT", {"min": 0.0, "max": 100.0}],
            "steps": ["INT", {"min": 1, "max": 10000}],
            "sampler": [["euler", "heun", "lcm"]],
            "tiled": ["BOOLEAN"],
            "model": ["MODEL"],
        }, "optional": {"note": ["STRING"]}}},
        "T": {"input": {"required": {"text": ["STRING"]}}},
        "R": {"input": {"required": {"method": ["COMBO", {"options": ["euler", "lcm", "ddim"]}], "size": [[512, 768]], "image": [["a.png"], {"image_upload": true}]}}},
    }))
    .unwrap()
}

fn workflow() -> Workflow {
    Workflow::from_value(json!({
        "3": {"class_type": "K", "inputs": {
            "seed": 1, "cfg": 8.0, "steps": 20, "sampler": "euler", "tiled": false, "model": ["4", 0]}},
        "6": {"class_type": "T", "inputs": {"text": "a {{animal}}"}, "_meta": {"title": "Prompt"}},
        "7": {"class_type": "R", "inputs": {"method": "lcm", "size": 512, "image": "a.png"}},
    }))
    .unwrap()
}

fn template(parameters: impl IntoIterator<Item = Parameter>) -> Result<Template, Error> {
    let animal = Parameter::new("animal").with_default("cat");
    Template::new(workflow(), [animal].into_iter().chain(parameters), &schemas())
}

fn refused(parameter: Parameter) -> String {
    let error = template([parameter]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Template);
    error.to_string()
}

fn bound(parameter: Parameter) -> Parameter {
    let name = parameter.name.clone();
    template([parameter]).unwrap().parameter(&name).unwrap().clone()
}

#[test]
fn what_is_not_declared_comes_from_the_schema() {
    let seed = bound(Parameter::new("seed").with_input("K.seed"));
    assert_eq!(seed.kind(), ParameterType::Int);
    assert_eq!(seed.max().unwrap().as_u64(), Some(u64::MAX));
    assert_eq!(seed.description(), Some("The seed of the noise"));
    assert!(seed.is_required());
    let sampler = bound(Parameter::new("sampler").with_input("K.sampler"));
    assert_eq!(sampler.kind(), ParameterType::Combo);
    assert_eq!(sampler.choices(), [json!("euler"), json!("heun"), json!("lcm")]);
    assert_eq!(bound(Parameter::new("image").with_input("R.image")).kind(), ParameterType::String);
    assert_eq!(bound(Parameter::new("note").with_input("K.note")).kind(), ParameterType::String);
}

#[test]
fn what_is_declared_and_what_the_schemas_say_hold_together() {
    let steps = bound(Parameter::new("steps").with_input("K.steps").with_min(0).with_max(50));
    assert_eq!(steps.wanted(), "a whole number from 1 to 50");
    let both = Parameter::new("sampler").with_input("K.sampler").with_input("R.method");
    assert_eq!(bound(both).wanted(), "one of `euler`, `lcm`");
    let narrower = Parameter::new("cfg").with_input("K.cfg").with_type(ParameterType::Int);
    assert_eq!(bound(narrower).wanted(), "a whole number from 0.0 to 100.0");
    let several = Parameter::new("n").with_input("K.cfg").with_input("K.steps");
    assert_eq!(bound(several).wanted(), "a whole number from 1 to 100.0");
    let size = Parameter::new("size").with_input("R.size").with_type(ParameterType::Int);
    assert_eq!(bound(size).wanted(), "one of `512`, `768`");
}

#[test]
fn declarations_that_cannot_hold_are_refused() {
    let parameter = || Parameter::new("x").with_input("K.steps");
    assert_eq!(
        refused(parameter().with_type(ParameterType::String)),
        "parameter `x` is STRING, which does not fit the INT of input `steps` of node 3 (K)"
    );
    assert_eq!(
        refused(parameter().with_max(0)),
        "parameter `x` would be from 1 to 0, so that no value fits input `steps` of node 3 (K)"
    );
    assert_eq!(
        refused(parameter().with_input("Prompt.text")),
        "parameter `x` is INT, which does not fit the STRING of input `text` of node 6 \"Prompt\" (T)\n\
         parameter `x` sets input `text` of node 6 \"Prompt\" (T), whose text has placeholders; leave one of the two out"
    );
    assert_eq!(
        refused(Parameter::new("x").with_input("K.sampler").with_choices(["a", "b"])),
        "parameter `x` has no choice that is also one of input `sampler` of node 3 (K)"
    );
    assert_eq!(
        refused(parameter().with_default("many")),
        "parameter `x` has a default that does not fit it: it takes a whole number, not the text `many`"
    );
    assert_eq!(refused(parameter().with_min("a")), "parameter `x` has the min `a`, which is no number");
    assert_eq!(
        refused(parameter().with_min(9).with_max(2)),
        "parameter `x` has the min 9, which is larger than its max 2\n\
         parameter `x` would be from 9 to 2, so that no value fits input `steps` of node 3 (K)"
    );
    assert_eq!(
        refused(Parameter::new("x").with_input("K.model")),
        "parameter `x`: input `model` of node 3 (K) is a link from node 4; set an input of that node instead"
    );
    assert_eq!(
        refused(Parameter::new("x").with_input("K.stps")),
        "parameter `x`: node 3 (K) has no input `stps`; did you mean `steps`?"
    );
    assert_eq!(
        refused(Parameter::new("x")),
        "parameter `x` sets nothing: give it an `input`, or write {{x}} into a text of the workflow"
    );
    assert!(refused(Parameter::new("my size").with_input("K.steps")).ends_with("such as `my_size`"));
    assert_eq!(refused(Parameter::new("animal")), "parameter `animal` is declared twice");
}

#[test]
fn two_parameters_for_one_input_are_refused() {
    let error = template(["a", "b"].map(|name| Parameter::new(name).with_input("*.seed"))).unwrap_err();
    assert_eq!(error.to_string(), "parameter `b` and `a` both set input `seed` of node 3 (K)");
}

#[test]
fn a_placeholder_that_is_not_declared_is_said_once() {
    let mut workflow = workflow();
    workflow.put(&Target { node: "3".into(), input: "sampler".into() }, json!("{{animal}}"));
    let error = Template::new(workflow, [Parameter::new("animals").with_input("K.cfg")], &schemas());
    let error = error.unwrap_err();
    assert_eq!(
        error.to_string(),
        "placeholder {{animal}} in input `sampler` of node 3 (K) is not declared; did you mean `animals`?; \
         declare the parameter, or write {{'{{'}} for its first braces"
    );
    assert_eq!(error.problems()[0].name.as_deref(), Some("animal"));
}

#[test]
fn filling_sets_inputs_and_placeholders_in_their_types() {
    let template = template([
        Parameter::new("cfg").with_input("K.cfg"),
        Parameter::new("steps").with_input("K.steps"),
        Parameter::new("tiled").with_input("K.tiled").optional(),
        Parameter::new("size").with_input("R.size"),
    ])
    .unwrap();
    let of_json = template.fill(json!({"cfg": 7, "steps": 30.0, "size": 768, "animal": "dog"})).unwrap();
    assert_eq!(of_json.get("3.cfg").unwrap().to_string(), "7");
    assert_eq!(of_json.get("3.steps").unwrap().to_string(), "30");
    assert_eq!(of_json.get("3.tiled").unwrap(), false);
    assert_eq!(of_json.get("6.text").unwrap(), "a dog");
    let of_texts = template.fill([("cfg", "7"), ("steps", "30"), ("tiled", "yes"), ("size", "768")]).unwrap();
    assert_eq!(of_texts.get("3.cfg").unwrap().to_string(), "7.0");
    assert_eq!(of_texts.get("3.tiled").unwrap(), true);
    assert_eq!(of_texts.get("7.size").unwrap(), 768);
    assert_eq!(of_texts.get("6.text").unwrap(), "a cat");
}

#[test]
fn all_values_that_do_not_fit_are_said_at_once() {
    let template = template([
        Parameter::new("cfg").with_input("K.cfg").with_description("How much the prompt counts"),
        Parameter::new("steps").with_input("K.steps"),
        Parameter::new("sampler").with_input("K.sampler"),
    ])
    .unwrap();
    let error =
        template.fill(json!({"steps": "30", "sampler": "hein", "animal": 5, "stepz": 1})).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Values);
    assert_eq!(
        error.to_string(),
        "parameter `animal` takes a text, not `5`\n\
         parameter `cfg` is missing: it takes a number from 0.0 to 100.0 (How much the prompt counts)\n\
         parameter `steps` takes a whole number, not the text `30`\n\
         parameter `sampler` has no choice `hein`; did you mean `heun`?\n\
         parameter `stepz` is not declared; did you mean `steps`?"
    );
    let kinds: Vec<_> = error.problems().iter().map(|problem| problem.kind).collect();
    assert_eq!(kinds[1..3], [ProblemKind::Missing, ProblemKind::InvalidValue]);
    let error = template.fill(json!([1])).unwrap_err();
    assert_eq!(error.to_string(), "the values are `[1]`, not an object with a value for each parameter");
    assert!(template.fill(json!({"cfg": null, "steps": 1, "sampler": "lcm"})).is_err());
}

#[test]
fn without_schemas_the_values_of_the_workflow_show_the_types() {
    let parameters = [
        Parameter::new("animal"),
        Parameter::new("seed").with_input("3.seed"),
        Parameter::new("tiled").with_input("3.tiled"),
        Parameter::new("sampler").with_input("3.sampler"),
    ];
    let template = Template::new(workflow(), parameters, &Schemas::new()).unwrap();
    let kinds: Vec<&str> = template.parameters().map(|parameter| parameter.kind().name()).collect();
    assert_eq!(kinds, ["STRING", "NUMBER", "BOOLEAN", "STRING"]);
    let filled =
        template.fill([("animal", "1"), ("seed", "18446744073709551615"), ("tiled", "on"), ("sampler", "x")]);
    let filled = filled.unwrap();
    assert_eq!(filled.get("3.seed").unwrap(), u64::MAX);
    assert_eq!(filled.get("3.tiled").unwrap(), true);
    assert_eq!(filled.get("6.text").unwrap(), "a 1");
}

#[test]
fn a_placeholder_alone_takes_the_schema_of_its_input() {
    let workflow = Workflow::from_value(json!({
        "3": {"class_type": "K", "inputs": {"seed": "{{seed}}", "cfg": "{{cfg}}"}},
        "6": {"class_type": "T", "inputs": {"text": "seed {{seed}}"}},
        "9": {"class_type": "X", "inputs": {"deep": [{"a": ["{{seed}}", "{{n}} px"]}]}},
    }))
    .unwrap();
    let n = Parameter::new("n").with_default(3);
    let parameters = [Parameter::new("seed"), Parameter::new("cfg"), n];
    let template = Template::new(workflow, parameters, &schemas()).unwrap();
    assert_eq!(template.parameter("n").unwrap().kind(), ParameterType::Int);
    let filled = template.fill([("seed", "5"), ("cfg", "7")]).unwrap();
    assert_eq!(filled.get("3.seed").unwrap().to_string(), "5");
    assert_eq!(filled.get("3.cfg").unwrap().to_string(), "7.0");
    assert_eq!(filled.get("6.text").unwrap(), "seed 5");
    assert_eq!(filled.get("9.deep").unwrap(), &json!([{"a": [5, "3 px"]}]));
    assert!(template.fill([("seed", "-1"), ("cfg", "7")]).is_err());
}

#[test]
fn an_optional_placeholder_needs_a_default() {
    let error = Template::new(workflow(), [Parameter::new("animal").optional()], &schemas()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "parameter `animal` is optional, but a placeholder needs a value; give it a `default`"
    );
}

#[test]
fn the_json_schema_says_what_filling_takes() {
    let template = template([
        Parameter::new("steps").with_input("K.steps"),
        Parameter::new("sampler").with_input("K.sampler").with_default("lcm"),
        Parameter::new("size").with_input("R.size"),
        Parameter::new("tiled").with_input("K.tiled").optional(),
    ])
    .unwrap()
    .with_description("Pictures");
    assert_eq!(
        template.json_schema(),
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "description": "Pictures",
            "type": "object",
            "properties": {
                "animal": {"type": "string", "default": "cat"},
                "steps": {"type": "integer", "minimum": 1, "maximum": 10000},
                "sampler": {"type": "string", "default": "lcm", "enum": ["euler", "heun", "lcm"]},
                "size": {"enum": [512, 768]},
                "tiled": {"type": "boolean", "default": false},
            },
            "required": ["steps", "size"],
            "additionalProperties": false,
        })
    );
}

fn file_refused(text: &str) -> String {
    TemplateFile::from_slice(text.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_file_in_toml_and_one_in_json_say_the_same() {
    let toml = r#"
        workflow = "a.json"
        [parameters.seed]
        input = "K.seed"
        default = 18446744073709551615
        [parameters.day]
        input = ["T.text", "6.text"]
        type = "STRING"
        default = 2026-01-02
        choices = ["2026-01-02", "b"]
        optional = true
        min = 0.5
        description = "A day"
    "#;
    let json = json!({"workflow": "a.json", "parameters": {
        "seed": {"input": "K.seed", "default": u64::MAX},
        "day": {"input": ["T.text", "6.text"], "type": "STRING", "default": "2026-01-02",
            "choices": ["2026-01-02", "b"], "optional": true, "min": 0.5, "description": "A day"},
    }});
    let file = TemplateFile::from_slice(toml.as_bytes()).unwrap();
    let of_json = TemplateFile::from_slice(format!("\u{feff} {json}").as_bytes()).unwrap();
    assert_eq!(file, of_json);
    let names: Vec<&str> = file.parameters().iter().map(Parameter::name).collect();
    assert_eq!(names, ["seed", "day"]);
}

#[test]
fn all_mistakes_of_a_file_are_said_at_once() {
    assert_eq!(
        file_refused(
            r#"
            workflow = 1
            paramters = {}
            [parameters]
            a = 5
            [parameters.b]
            inputs = "K.seed"
            input = [1]
            type = "INTEGER"
            optional = "yes"
            choices = []
            description = 1
        "#
        ),
        "the template has an unknown key `paramters`; did you mean `parameters`?\n\
         the template: `workflow` is `1`, not a text\n\
         parameter `a` is `5`, not a table such as { input = \"3.seed\" }\n\
         parameter `b` has an unknown key `inputs`; did you mean `input`?\n\
         parameter `b`: `input` is `[1]`, not a selector such as \"3.seed\" or a list of them\n\
         parameter `b` has an unknown type `INTEGER`; did you mean `INT`?\n\
         parameter `b`: `optional` is `yes`, not true or false\n\
         parameter `b`: `choices` is `[]`, not a list of values\n\
         parameter `b`: `description` is `1`, not a text"
    );
    assert!(
        file_refused("a = 1\nb == 2").ends_with("at line 2 column 4"),
        "{}",
        file_refused("a = 1\nb == 2")
    );
    assert_eq!(
        file_refused(r#"{"3": {"class_type": "K", "inputs": {}}}"#),
        "the template is a workflow itself; a template names its workflow and declares the parameters"
    );
    assert!(file_refused("{").starts_with("the template is no JSON: it ends too early"));
    assert!(
        TemplateFile::from_slice(b"a = \"\xFF\"").unwrap_err().to_string().contains("no TOML: invalid utf-8")
    );
    assert_eq!(TemplateFile::from_slice(b"").unwrap(), TemplateFile::default());
}

#[test]
fn a_template_with_its_schemas_read_in_needs_none() {
    let all = template([
        Parameter::new("steps").with_input("K.steps"),
        Parameter::new("sampler").with_input("*.sampler").with_default("lcm"),
    ])
    .unwrap()
    .with_description("All");
    let file = TemplateFile::from(&all);
    let read = TemplateFile::from_slice(file.to_toml().unwrap().as_bytes()).unwrap();
    assert_eq!(read.into_template(workflow(), &Schemas::new()).unwrap(), all);
}
