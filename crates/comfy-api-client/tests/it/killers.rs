//! Workflows that stop a server for ever, and workflows that it is certain to refuse.

use std::time::Duration;

use comfy_api_client::workflow::Node;
use comfy_api_client::workflow::validate::ErrorType;
use comfy_api_client::{Client, ErrorKind, Workflow};
use comfy_sim::Sim;
use serde_json::{Map, Value, json};

use crate::support::files::png_of;
use crate::support::{TestServer, behaviour, fresh, uuid};

/// A small workflow with more inputs for its nodes, and more nodes.
fn hello(first: Value, last: Value, more: Value) -> Workflow {
    let mut nodes = json!({
        "1": {"class_type": "PrimitiveInt", "inputs": {"value": fresh()}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    });
    for (id, inputs) in [("1", first), ("2", last)] {
        nodes[id]["inputs"].as_object_mut().unwrap().extend(inputs.as_object().cloned().unwrap_or_default());
    }
    nodes.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap_or_default());
    Workflow::from_value(nodes).unwrap()
}

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!(1), |inner, _| Value::Array(vec![inner]))
}

/// What comes of a workflow that would stop a server.
#[derive(Debug, PartialEq)]
enum Fate {
    /// It is sent without what does the harm.
    Cleaned,
    /// It is not sent.
    Refused,
}

/// Workflows that stop a server, each with what the client does about it. Nodes without inputs cannot be: what reads a
/// workflow gives them an empty object of them.
fn killers() -> Vec<(&'static str, Workflow, Fate)> {
    let none = || json!({});
    let stray = |slot: Value| hello(none(), json!({"zz": ["gone", slot]}), none());
    let loose = json!({"3": {"class_type": "PreviewAny", "inputs": {"source": ["gone", 0]}}});
    let image = json!({
        "3": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": fresh()}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0], "prompt": ["gone", 0]}},
    });
    let mut titled = hello(none(), none(), none());
    titled.node_mut("1").unwrap().extra.insert("_meta".into(), json!({"note": nested(900)}));
    let idle = json!({"3": {"class_type": "PrimitiveInt", "inputs": {"value": 1, "zz": nested(900)}}});
    let mut chain = hello(none(), none(), none());
    let mut before = "1".to_owned();
    for at in 0..600 {
        let id = format!("c{at}");
        chain.insert(id.as_str(), Node::new("PreviewAny").with_input("source", json!([before, 0])));
        before = id;
    }
    chain.insert("end", Node::new("PreviewAny").with_input("source", json!([before, 0])));
    vec![
        ("a chain of too many nodes", chain, Fate::Refused),
        ("a link to a missing node in an undeclared input", stray(json!(0)), Fate::Cleaned),
        ("the same with a fraction for its output", stray(json!(0.5)), Fate::Cleaned),
        ("the same with a truth value for its output", stray(json!(true)), Fate::Cleaned),
        ("the same with a negative output", stray(json!(-7)), Fate::Cleaned),
        ("the same with a huge output", stray(json!(u64::MAX)), Fate::Cleaned),
        (
            "a link to an output with a huge number in an undeclared input",
            hello(none(), json!({"zz": ["1", u64::MAX]}), none()),
            Fate::Cleaned,
        ),
        ("one in a node before the last", hello(json!({"zz": ["gone", 0]}), none(), none()), Fate::Cleaned),
        ("one in the place of what the server fills itself", hello(none(), none(), image), Fate::Cleaned),
        ("one behind an undeclared link", hello(json!({"zz": ["3", 0]}), none(), loose), Fate::Refused),
        (
            "one that is wrapped as a value",
            { hello(none(), json!({"source": {"__value__": ["gone", 0]}}), none()) },
            Fate::Refused,
        ),
        (
            "a value that is nested too deep",
            hello(none(), json!({"source": {"a": nested(900)}}), none()),
            Fate::Refused,
        ),
        ("one in a node that does not run", hello(none(), none(), idle), Fate::Refused),
        ("one beside the inputs", titled, Fate::Refused),
    ]
}

/// Sees that the server runs workflows.
async fn assert_alive(client: &Client, after: &str) {
    let submit =
        client.submit(&hello(json!({}), json!({}), json!({}))).timeout(Duration::from_secs(20)).await;
    let outputs = submit.unwrap_or_else(|error| panic!("after {after}: {error}")).await;
    assert_eq!(outputs.unwrap_or_else(|error| panic!("after {after}: {error}")).texts().count(), 1);
}

/// Submits all killers, and sees that the server runs workflows after each.
async fn survive(client: &Client) {
    for (name, workflow, fate) in killers() {
        match client.submit(&workflow).await {
            Ok(job) => {
                assert_eq!(fate, Fate::Cleaned, "{name}");
                assert!(!job.cleaned().is_empty(), "{name}");
                job.await.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
            Err(error) => {
                assert_eq!(fate, Fate::Refused, "{name}: {error}");
                assert_eq!(error.kind(), ErrorKind::Rejected, "{name}: {error}");
                assert!(error.to_string().contains("stop"), "{name}: {error}");
            }
        }
        assert_alive(client, name).await;
    }
}

behaviour! {
    async fn no_workflow_that_is_submitted_stops_the_server(server) {
        survive(&server.client().await).await;
    }
}

behaviour! {
    async fn no_workflow_that_is_submitted_with_schemas_at_hand_stops_the_server(server) {
        let client = server.client().await;
        client.schemas().await.unwrap();
        survive(&client).await;
    }
}

behaviour! {
    async fn a_node_without_inputs_gets_an_empty_object_of_them(server) {
        let client = server.client().await;
        let mut text = hello(json!({}), json!({}), json!({"3": {"class_type": "PrimitiveInt"}})).to_value();
        text["3"].as_object_mut().unwrap().shift_remove("inputs");
        let workflow: Workflow = text.to_string().parse().unwrap();
        client.submit(&workflow).await.unwrap().await.unwrap();
        assert_alive(&client, "a node without inputs").await;
    }
}

behaviour! {
    async fn a_link_to_a_missing_node_that_does_no_harm_is_left_alone(server) {
        let client = server.client().await;
        let idle = json!({"3": {"class_type": "PrimitiveInt", "inputs": {"value": ["gone", 0]}}});
        let job = client.submit(&hello(json!({}), json!({}), idle)).await.unwrap();
        assert!(job.cleaned().is_empty());
        job.await.unwrap();
        // The server says what is wrong with this one.
        let loose = hello(json!({"value": ["gone", 0]}), json!({}), json!({}));
        let error = client.submit(&loose).validate(false).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Rejected, Some(400)), "{error}");
    }
}

behaviour! {
    async fn extra_data_neither_stops_the_server_nor_breaks_its_lists(server) {
        let client = server.client().await;
        let data = |key: &str, value: Value| Map::from_iter([(key.to_owned(), value)]);
        let workflow = hello(json!({}), json!({}), json!({}));
        // The client's own id is a text, and takes the place of any other.
        for id in [json!({}), json!([]), json!(5), Value::Null] {
            client.submit(&workflow).extra_data(data("client_id", id)).await.unwrap().await.unwrap();
        }
        for (key, value) in [
            ("extra_pnginfo", json!(null)),
            ("extra_pnginfo", json!({"workflow": nested(900)})),
            ("notes", nested(900)),
        ] {
            let error = client.submit(&workflow).extra_data(data(key, value)).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config, "{error}");
        }
        assert_alive(&client, "extra data").await;
        client.histories().await.unwrap();
    }
}

behaviour! {
    async fn an_id_is_not_given_twice_with_a_number(server) {
        let client = server.client().await;
        let id = uuid();
        let workflow = hello(json!({}), json!({}), json!({}));
        client.submit(&workflow).prompt_id(&id).number(5).await.unwrap().await.unwrap();
        let error = client.submit(&workflow).prompt_id(&id).number(5).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
        assert_alive(&client, "a second prompt of the same id").await;
    }
}

behaviour! {
    async fn all_that_is_wrong_is_told_without_a_submit(server) {
        let client = server.client().await;
        let none = || json!({});
        assert!(client.validate(&hello(none(), none(), none())).await.unwrap().problems.is_empty());
        let wrong = hello(json!({"zz": ["gone", 0]}), none(), json!({"3": {"class_type": "EmptyImage", "inputs": {"width": 0}}}));
        let findings = client.validate(&wrong).await.unwrap();
        assert!(findings.stops_the_worker() && !findings.is_rejected(), "{findings}");
        let kinds: Vec<&str> = findings.problems.iter().map(|problem| problem.kind.as_str()).collect();
        for kind in ["undeclared_input", "unreachable_node", "value_smaller_than_min", "required_input_missing"] {
            assert!(kinds.contains(&kind), "{kind} in {findings}");
        }
    }
}

behaviour! {
    async fn what_the_server_is_certain_to_refuse_is_not_sent_once_schemas_are_known(server) {
        let client = server.client().await;
        client.schemas().await.unwrap();
        let wrong = json!({
            "3": {"class_type": "EmptyImage", "inputs": {"width": 0, "height": 8, "batch_size": 1, "color": 1}},
            "4": {"class_type": "ImageScale", "inputs": {
                "image": ["3", 0], "upscale_method": "lanczosch", "width": 8, "height": 8, "crop": "disabled"
            }},
            "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
        });
        let mut workflow = Workflow::from_value(wrong).unwrap();
        let error = client.submit(&workflow).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Rejected, None), "{error}");
        for part in ["width", "0 is smaller than the minimum 1", "did you mean \"lanczos\"?"] {
            assert!(error.to_string().contains(part), "{part} in {error}");
        }
        let report = error.validation().unwrap();
        assert_eq!(report.node_errors.get("3").unwrap().errors[0].kind, ErrorType::ValueSmallerThanMin);
        let sent = client.submit(&workflow).validate(false).await.unwrap_err();
        assert_eq!((sent.kind(), sent.status()), (ErrorKind::Rejected, Some(400)), "{sent}");
        let sent = client.submit(&workflow).unchecked().await.unwrap_err();
        assert_eq!(sent.status(), Some(400), "{sent}");
        workflow.set("EmptyImage.width", 8).unwrap();
        workflow.set("ImageScale.upscale_method", "lanczos").unwrap();
        client.submit(&workflow).await.unwrap().await.unwrap();
    }
}

behaviour! {
    async fn what_a_class_may_let_through_is_left_to_the_server(server) {
        let client = server.client().await;
        client.schemas().await.unwrap();
        let name = client.upload_bytes("client-test-elsewhere.png", png_of(8, 8, &[10, 20, 30])).subfolder("client-test").await.unwrap();
        let picture = format!("client-test/{}", name.name);
        let workflow = Workflow::from_value(json!({
            "1": {"class_type": "LoadImage", "inputs": {"image": picture}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }));
        client.submit(&workflow.unwrap()).await.unwrap().await.unwrap();
    }
}

/// The simulator takes what a real server takes, and stops as it does. What is nested deeper than it reads is no body to it,
/// and chains may be as long as they want.
#[tokio::test]
async fn sent_unchecked_they_stop_the_simulator_as_they_stop_a_server() {
    const LEFT_OUT: [&str; 5] = ["chain", "huge number", "deep", "does not run", "beside"];
    for (name, workflow, _) in killers() {
        if LEFT_OUT.iter().any(|part| name.contains(part)) {
            continue;
        }
        let sim = Sim::start().await.unwrap();
        let client = Client::connect(sim.url()).await.unwrap();
        let job =
            client.submit(&workflow).unchecked().await.unwrap_or_else(|error| panic!("{name}: {error}"));
        let later = hello(json!({}), json!({}), json!({}));
        let waits = client.submit(&later).timeout(Duration::from_millis(300)).await.unwrap();
        let ended = waits.await.expect_err(name);
        assert_eq!(ended.kind(), ErrorKind::Timeout, "{name}");
        assert!(!job.is_ended(), "{name}");
    }
}

#[tokio::test]
async fn old_schemas_refuse_nothing_that_the_server_has_by_now() {
    let server = TestServer::simulated().await;
    let client = server.client().await;
    client.schemas().await.unwrap();
    // Listed since: a list of files is as old as the schemas.
    client.upload_bytes("client-test-new.png", png_of(8, 8, &[10, 20, 30])).await.unwrap();
    let workflow = Workflow::from_value(json!({
        "1": {"class_type": "LoadImage", "inputs": {"image": "client-test-new.png"}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
    }));
    client.submit(&workflow.unwrap()).await.unwrap().await.unwrap();
}
