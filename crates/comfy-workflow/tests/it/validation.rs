use std::path::Path;
use std::sync::OnceLock;

use comfy_workflow::schema::{NodeSchema, Schemas};
use comfy_workflow::validate::{Options, Order, Profile, Replacements, inspect};
use serde_json::{Value, json};

use crate::case::{Outcome, Server, round_trip};
use crate::corpus;
use crate::probes::Probes;

const VERSIONS: [(&str, Profile); 3] =
    [("0.30.0", Profile::V0_30_0), ("0.8.0", Profile::V0_8_0), ("0.3.64", Profile::V0_3_64)];

/// The schemas of a recorded server with its test nodes.
fn schemas(folder: &Path, version: &str) -> Schemas {
    let read = |version: &str| {
        corpus::gzipped(&folder.join(format!("object_info/{version}-with-test-nodes.json.gz")))
    };
    let mut schemas = Schemas::from_value(read(version)).unwrap();
    if version == "0.30.0" {
        // The probe nodes were there as well, but are missing in that file.
        for (name, mut info) in read("0.8.0").as_object().unwrap().clone() {
            if name.starts_with("Probe") {
                if let Some(multi) = info.pointer_mut("/input/optional/mc/1/multi_select") {
                    *multi = json!({});
                }
                schemas.insert(NodeSchema::from_value(name, info));
            }
        }
    }
    schemas
}

/// The recorded servers, each read once for all tests.
fn servers(folder: &Path) -> &'static [(&'static str, Server)] {
    static SERVERS: OnceLock<Vec<(&str, Server)>> = OnceLock::new();
    SERVERS
        .get_or_init(|| VERSIONS.map(|(version, profile)| (version, server(folder, version, profile))).into())
}

fn server(folder: &Path, version: &str, profile: Profile) -> Server {
    let replacements = std::fs::read(folder.join(format!("convert/node_replacements.{version}.json")));
    let replacements: Value =
        replacements.map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
    Server {
        profile,
        schemas: schemas(folder, version),
        replacements: Replacements::from_value(&replacements),
    }
}

#[test]
fn every_recorded_prompt_gets_the_answer_that_the_server_gave() {
    let Some(folder) = corpus::folder() else { return };
    let mut failures = String::new();
    for (version, server) in servers(&folder) {
        let files = corpus::json_files(&folder.join("validation").join(version));
        let (mut exact, mut equal) = (0, 0);
        for file in &files {
            let case: Value = comfy_workflow::json::from_slice(&std::fs::read(file).unwrap()).unwrap();
            match server.compare(&case) {
                Outcome::Exact => exact += 1,
                Outcome::Equal => equal += 1,
                Outcome::Different(expected, found) => {
                    let name = file.file_stem().unwrap().display();
                    failures += &format!(
                        "\n{version} {name}\n  expected {expected:.1500}\n  found    {found:.1500}\n"
                    );
                }
            }
        }
        println!("{version}: {}/{} equal, {exact} of them in the same order", exact + equal, files.len());
        assert!(!files.is_empty(), "no cases for {version}");
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_recorded_report_survives_reading_and_writing() {
    let Some(folder) = corpus::folder() else { return };
    for (version, _) in VERSIONS {
        for file in corpus::json_files(&folder.join("validation").join(version)) {
            let case: Value = comfy_workflow::json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            if let Some((recorded, written)) = round_trip(&case) {
                assert_eq!(recorded.to_string(), written.to_string(), "{}", file.display());
            }
        }
    }
}

/// What a server with nodes that check nothing which is known here is taken to answer.
fn plain(server: &Server) -> Options<'_> {
    Options::new(&server.schemas)
        .profile(server.profile)
        .replacements(&server.replacements)
        .order(Order::HashSeedZero)
}

#[test]
fn all_problems_at_once_are_those_of_the_server_and_more() {
    let Some(folder) = corpus::folder() else { return };
    let mut failures = String::new();
    for (version, server) in servers(&folder) {
        let (mut refused, mut certain, mut more) = (0, 0, 0);
        for file in corpus::json_files(&folder.join("validation").join(version)) {
            let case: Value = comfy_workflow::json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            let name = file.file_stem().unwrap().display().to_string();
            let targets = case.pointer("/extra/partial_execution_targets").cloned().unwrap_or_default();
            let probes = Probes { profile: server.profile };
            let options = plain(server).partial_targets(&targets);
            let findings = inspect(&case["prompt"], &options.checks(&probes));
            if findings.is_rejected() != (case["status"] != 200) {
                failures += &format!("\n{version} {name}: status {}, but {findings}", case["status"]);
            }
            for (node, error) in reported(&case["response"]) {
                let told = findings.problems.iter().any(|problem| {
                    problem.line.node.as_ref().map_or("", |id| id.as_str()) == node
                        && problem.server_type.as_ref().is_some_and(|kind| kind.as_str() == error)
                });
                if !told {
                    failures +=
                        &format!("\n{version} {name}: {error} of node {node} is not among\n{findings}\n");
                }
            }
            more += findings.errors().filter(|problem| problem.server_type.is_none()).count();
            let blind = inspect(&case["prompt"], &options);
            refused += usize::from(case["status"] != 200);
            certain += usize::from(blind.certain);
            if blind.certain && case["status"] == 200 {
                failures += &format!("\n{version} {name}: the server took it, but {blind}");
            }
        }
        println!(
            "{version}: {refused} refused, {certain} certainly without knowing the nodes' own checks; {more} further errors"
        );
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Node (none for the prompt as a whole) and kind of every error that a server reported.
fn reported(response: &Value) -> Vec<(String, String)> {
    let kind = |error: &Value| error["type"].as_str().unwrap_or_default().to_owned();
    let nodes = response["node_errors"].as_object().into_iter().flatten();
    nodes
        .flat_map(|(id, node)| {
            let errors = node["errors"].as_array().unwrap().iter();
            errors.map(move |error| (id.clone(), kind(error)))
        })
        .collect()
}
