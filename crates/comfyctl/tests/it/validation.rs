//! `validate`.

use serde_json::{Value, json};

use crate::support::Place;

/// One class with an input of each kind, as a server describes it.
fn object_info() -> String {
    json!({
        "Sampler": {
            "input": {"required": {
                "model": ["MODEL", {}],
                "sampler": [["euler", "euler_ancestral", "heun"], {}],
                "steps": ["INT", {"min": 1, "max": 100}],
            }},
            "output": ["LATENT"], "output_name": ["LATENT"], "output_node": true,
            "category": "sampling", "python_module": "nodes"
        },
        "Loader": {
            "input": {"required": {"name": [["sdxl/base.safetensors"], {}]}},
            "output": ["MODEL", "VAE"], "output_name": ["MODEL", "VAE"],
            "category": "loaders", "python_module": "custom_nodes.pack"
        }
    })
    .to_string()
}

fn place() -> Place {
    let place = Place::new();
    place.write("nodes.json", object_info());
    let wrong = json!({
        "1": {"class_type": "Loader", "inputs": {"name": "base.ckpt"}, "_meta": {"title": "My model"}},
        "2": {"class_type": "Sampler", "inputs": {
            "model": ["1", 1], "sampler": "euler_ancestal", "steps": 0, "stepz": 4
        }},
        "3": {"class_type": "Loader", "inputs": {"name": "sdxl/base.safetensors"}},
    });
    place.write("wrong.json", wrong.to_string());
    let good = json!({
        "1": {"class_type": "Loader", "inputs": {"name": "sdxl/base.safetensors"}},
        "2": {"class_type": "Sampler", "inputs": {"model": ["1", 0], "sampler": "euler", "steps": 4}},
    });
    place.write("good.json", good.to_string());
    place
}

#[test]
fn all_problems_are_told_at_once() {
    let place = place();
    insta::assert_snapshot!(place.run(&["validate", "wrong.json", "--object-info", "nodes.json"]), @r#"
    perhaps an error: node 1 "My model" (Loader): input name: "base.ckpt" is not one of "sdxl/base.safetensors"; did you mean "sdxl/base.safetensors"?
    perhaps an error: node 2 (Sampler): input model: takes MODEL, but output 1 of node 1 gives VAE; its output 0 fits
    error: node 2 (Sampler): input sampler: "euler_ancestal" is not one of "euler", "euler_ancestral", "heun"; did you mean "euler_ancestral"?
    error: node 2 (Sampler): input steps: value 0 is smaller than the minimum 1
    warning: node 2 (Sampler): input stepz: the class does not declare it
    warning: node 3 (Loader): feeds no output, so it does not run
    error: the server would reject the workflow

    exit code 4
    "#);
}

#[test]
fn a_good_workflow_has_nothing_to_tell() {
    let place = place();
    insta::assert_snapshot!(place.run(&["validate", "good.json", "--object-info", "nodes.json"]), @"
    the server would run the workflow

    exit code 0
    ");
}

#[test]
fn every_problem_is_a_line_of_json_and_the_last_one_says_what_the_server_would() {
    let place = place();
    let ran = place.run(&["validate", "wrong.json", "--object-info", "nodes.json", "--json"]);
    let lines: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (result, problems) = lines.split_last().unwrap();
    assert_eq!((problems.len(), ran.code), (6, Some(4)), "{ran}");
    let sampler = problems.iter().find(|problem| problem["input"] == "sampler").unwrap();
    let expected = json!({
        "type": "problem", "kind": "value_not_in_list", "severity": "error", "effect": "refused",
        "server_type": "value_not_in_list", "node": "2", "title": null, "class_type": "Sampler", "input": "sampler",
        "message": sampler["message"], "found": "euler_ancestal", "nearest": ["euler_ancestral", "euler"],
        "allowed": {"choices": {"first": ["euler", "euler_ancestral", "heun"], "total": 3}},
    });
    assert_eq!(*sampler, expected);
    assert_eq!((&result["type"], &result["status"]), (&json!("result"), &json!("rejected")));
    assert_eq!(
        (&result["errors"], &result["warnings"], &result["certain"]),
        (&json!(4), &json!(2), &json!(true))
    );
    assert_eq!(result["server"]["error"]["type"], "prompt_outputs_failed_validation");
    assert_eq!(result["error"]["code"], "rejected");
}

#[test]
fn the_schemas_are_those_of_the_server_unless_a_file_is_given() {
    let place = place();
    let hello = json!({
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": 1, "zz": ["gone", 0]}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    });
    place.write("hello.json", hello.to_string());
    insta::assert_snapshot!(place.run(&["validate", "hello.json", "-s", "embedded"]), @"
    error: node 1 (PrimitiveInt): input zz: the class does not declare it, and its link leads to node gone, which is not in the workflow
    error: the server would stop for ever over the workflow
    hint: `run` does not send what stops a server, and takes it out where it can

    exit code 4
    ");
}

#[test]
fn a_file_without_schemas_is_wrong_usage() {
    let place = place();
    place.write("list.json", "[]");
    let ran = place.run(&["validate", "good.json", "--object-info", "list.json"]);
    assert_eq!(ran.code, Some(2), "{ran}");
    assert!(ran.stderr.contains("list.json has no node schemas"), "{ran}");
    assert_eq!(place.run(&["validate", "good.json", "--as", "0.8.0"]).code, Some(2));
}

#[test]
fn a_server_that_is_down_is_not_needed_with_a_file() {
    insta::assert_snapshot!(place().run(&["validate", "good.json", "-s", "127.0.0.1:1"]), @"
    error: cannot connect to http://127.0.0.1:PORT: nothing listens there
    hint: start the server, or check host and port; no server is needed with `--object-info FILE`

    exit code 3
    ");
}

#[test]
fn a_version_that_is_none_and_a_command_line_that_is_refused() {
    let ran = place().run(&["validate", "good.json", "--object-info", "nodes.json", "--as", "new", "--json"]);
    assert_eq!(ran.code, Some(2));
    let result: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&result["type"], &result["status"]), (&json!("result"), &json!("rejected")));
    assert_eq!(
        result["error"]["message"],
        "invalid value 'new' for '--as <VERSION>': `new` is no version such as `0.30.0`"
    );
}

#[test]
fn a_node_that_the_conversion_leaves_out_is_told() {
    let place = place();
    let nodes = json!([{"id": 7, "type": "Lonely", "mode": 0, "inputs": [], "outputs": []}]);
    place.write("editor.json", json!({"nodes": nodes, "links": [], "version": 0.4}).to_string());
    let ran = place.run(&["validate", "editor.json", "--object-info", "nodes.json"]);
    assert!(ran.stdout.contains("warning: node 7 (Lonely): the server has no such class"), "{ran}");
}
