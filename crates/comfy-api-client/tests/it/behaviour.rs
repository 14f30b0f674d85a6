//! What a user of any server sees.

use std::time::Duration;

use comfy_api_client::protocol::FileRef;
use comfy_api_client::workflow::validate::ErrorType;
use comfy_api_client::{ErrorKind, Event, Tracking, Workflow};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{TestServer, behaviour, fresh, long_work, picture};

fn workflow(value: Value) -> Workflow {
    Workflow::from_value(value).unwrap()
}

behaviour! {
    async fn a_workflow_runs_and_its_picture_is_saved(server) {
        let client = server.client().await;
        let outputs = client.submit(&picture(fresh())).await.unwrap().await.unwrap();
        let files: Vec<_> = outputs.files().collect();
        assert_eq!(files.len(), 1);
        assert_eq!((files[0].node.as_str(), files[0].key.as_str()), ("3", "images"));
        assert_eq!((files[0].file.subfolder.as_str(), files[0].file.folder.as_str()), ("client-test", "output"));
        let folder = tempfile::tempdir().unwrap();
        let saved = outputs.save_all(folder.path()).await.unwrap();
        assert_eq!(saved[0].path, folder.path().join("client-test").join(&files[0].file.filename));
        let bytes = std::fs::read(&saved[0].path).unwrap();
        assert_eq!(bytes.len() as u64, saved[0].bytes);
        assert!(bytes.starts_with(b"\x89PNG"));
        let text = b"tEXtprompt\0";
        assert!(bytes.windows(text.len()).any(|window| window == text), "the workflow is in the picture");
    }
}

behaviour! {
    async fn saving_twice_overwrites_nothing(server) {
        let client = server.client().await;
        let outputs = client.submit(&picture(fresh())).await.unwrap().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let first = outputs.save_all(folder.path()).await.unwrap();
        let second = outputs.save_all(folder.path()).await.unwrap();
        let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
        assert_eq!(name(&second[0].path), format!("{}-1", name(&first[0].path)));
        assert_eq!(std::fs::read(&first[0].path).unwrap(), std::fs::read(&second[0].path).unwrap());
        assert_eq!(std::fs::read_dir(folder.path().join("client-test")).unwrap().count(), 2, "no part files are left");
    }
}

behaviour! {
    async fn a_workflow_that_ran_before_gives_its_outputs_again(server) {
        let client = server.client().await;
        let workflow = picture(fresh());
        let first = client.submit(&workflow).await.unwrap().await.unwrap();
        let again = client.submit(&workflow).await.unwrap().await.unwrap();
        assert_eq!(first.files().collect::<Vec<_>>(), again.files().collect::<Vec<_>>());
        assert_eq!(again.files().count(), 1);
    }
}

behaviour! {
    async fn following_by_polling_gives_the_same_outputs(server) {
        let client = server.builder().tracking(Tracking::Polling).connect().await.unwrap();
        let workflow = picture(fresh());
        for _ in 0..2 {
            let outputs = client.submit(&workflow).await.unwrap().await.unwrap();
            assert_eq!(outputs.files().count(), 1);
        }
    }
}

behaviour! {
    async fn texts_are_outputs_too(server) {
        let client = server.client().await;
        let workflow = workflow(json!({
            "1": {"class_type": "PrimitiveInt", "inputs": {"value": fresh()}},
            "9:8:5": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
        }));
        let outputs = client.submit(&workflow).await.unwrap().await.unwrap();
        let texts: Vec<_> = outputs.texts().map(|(node, key, text)| (node.to_string(), key.to_owned(), text.to_owned())).collect();
        let value = workflow.get("1.value").unwrap().to_string();
        assert_eq!(texts, [("9:8:5".to_owned(), "text".to_owned(), value)]);
    }
}

behaviour! {
    async fn events_tell_of_a_run_from_its_start_to_its_end(server) {
        let client = server.client().await;
        let job = client.submit(&picture(fresh())).await.unwrap();
        let events: Vec<Event> = job.events().map(Result::unwrap).collect().await;
        let executing: Vec<String> = events
            .iter()
            .filter_map(|event| match event { Event::NodeStarted(node) => Some(node.to_string()), _ => None })
            .collect();
        assert_eq!(executing, ["1", "2", "3"]);
        assert!(matches!(events.first(), Some(Event::Started)));
        assert!(events.iter().any(|event| matches!(event, Event::Executed(node, output) if *node == "3" && output.files().count() == 1)));
        let overall = events.iter().rev().find_map(|event| match event { Event::Progress(progress) => Some(progress.overall()), _ => None });
        assert_eq!(overall, Some(1.0));
        assert!(matches!(events.last(), Some(Event::Finished)));
    }
}

behaviour! {
    async fn a_workflow_that_is_rejected_says_which_node_and_input_and_why(server) {
        let client = server.client().await;
        let mut wrong = picture(fresh());
        wrong.set("1.width", 0).unwrap();
        wrong.node_mut("3").unwrap().inputs.remove("filename_prefix");
        let error = client.submit(&wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        let report = error.validation().unwrap();
        assert_eq!(report.node_errors.get("1").unwrap().errors[0].kind, ErrorType::ValueSmallerThanMin);
        assert_eq!(report.node_errors.get("3").unwrap().errors[0].kind, ErrorType::RequiredInputMissing);
        let text = error.to_string();
        for part in ["1", "EmptyImage", "width", "3", "\"Save it\"", "SaveImage", "filename_prefix"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

behaviour! {
    async fn a_node_class_that_the_server_does_not_have_is_named(server) {
        let client = server.client().await;
        let mut wrong = picture(1);
        wrong.node_mut("2").unwrap().class_type = "NoSuchNode".into();
        let error = client.submit(&wrong).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        let text = error.to_string();
        assert!(text.contains('2'), "{text}");
        assert!(client.object_info_of("NoSuchNode").await.unwrap().is_empty());
    }
}

behaviour! {
    async fn outputs_that_will_not_run_are_told_while_the_others_do(server) {
        let client = server.client().await;
        let mut partly = picture(fresh());
        let wrong = comfy_api_client::workflow::Node::new("PreviewImage").with_input("images", json!(["gone", 0]));
        partly.insert("4", wrong);
        let job = client.submit(&partly).await.unwrap();
        assert!(job.node_errors().get("4").is_some());
        assert_eq!(job.await.unwrap().files().count(), 1);
    }
}

behaviour! {
    async fn a_node_that_fails_gives_the_report_of_the_server(server) {
        let client = server.client().await;
        let broken = client.upload_bytes("client-test-broken.png", "no picture at all").overwrite(true).await.unwrap();
        let workflow = workflow(json!({
            "load": {"class_type": "LoadImage", "inputs": {"image": broken.input_value()}},
            "save": {"class_type": "PreviewImage", "inputs": {"images": ["load", 0]}},
        }));
        let job = client.submit(&workflow).await.unwrap();
        let ends: Vec<_> = job.events().filter(|event| std::future::ready(event.is_err())).collect().await;
        assert_eq!(ends.len(), 1);
        let error = job.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Execution);
        let report = error.execution().unwrap();
        assert_eq!((report.node_id.as_str(), report.node_type.as_str()), ("load", "LoadImage"));
        assert_eq!(report.exception_type, "PIL.UnidentifiedImageError");
        assert!(error.to_string().starts_with("node load (LoadImage) failed: PIL.UnidentifiedImageError: cannot identify image file"), "{error}");
    }
}

behaviour! {
    async fn an_uploaded_picture_can_be_used_and_names_are_the_servers(server) {
        let client = server.client().await;
        let one = client.submit(&picture(fresh())).await.unwrap().await.unwrap();
        let two = client.submit(&picture(fresh())).await.unwrap().await.unwrap();
        let bytes = |outputs: &comfy_api_client::Outputs| {
            let (client, file) = (client.clone(), outputs.files().next().unwrap().file);
            async move { client.download(&file).await.unwrap().bytes().await.unwrap() }
        };
        let (one, two) = (bytes(&one).await, bytes(&two).await);
        let name = format!("client test ü&+#;{}.png", fresh());
        let first = client.upload_bytes(&name, one.clone()).subfolder("client-test").await.unwrap();
        assert_eq!((first.name.as_str(), first.subfolder.as_str()), (name.as_str(), "client-test"));
        let same = client.upload_bytes(&name, one).subfolder("client-test").await.unwrap();
        assert_eq!(same.name, first.name);
        let other = client.upload_bytes(&name, two).subfolder("client-test").await.unwrap();
        assert_ne!(other.name, first.name);
        let workflow = workflow(json!({
            "1": {"class_type": "LoadImage", "inputs": {"image": other.input_value()}},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        }));
        let outputs = client.submit(&workflow).await.unwrap().await.unwrap();
        assert_eq!(outputs.files().next().unwrap().file.folder, "temp");
    }
}

behaviour! {
    async fn a_file_is_uploaded_from_disk_and_comes_back_as_it_was(server) {
        let client = server.client().await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("client-test-data.bin");
        let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let uploaded = client.upload(&path).overwrite(true).await.unwrap();
        let file = FileRef { subfolder: uploaded.subfolder, folder: uploaded.folder, ..FileRef::new(uploaded.name) };
        let download = client.download(&file).await.unwrap();
        assert_eq!(download.size(), Some(content.len() as u64));
        let back = folder.path().join("back.bin");
        assert_eq!(download.save_as(&back).await.unwrap(), content.len() as u64);
        assert!(std::fs::read(&back).unwrap() == content);
    }
}

behaviour! {
    async fn a_file_that_is_not_on_the_server_is_said_to_be_gone(server) {
        let error = server.client().await.download(&FileRef::new("client-test-no-such-file.png")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains("client-test-no-such-file.png"), "{error}");
    }
}

behaviour! {
    async fn names_with_odd_characters_survive_from_prefix_to_disk(server) {
        let client = server.client().await;
        let mut workflow = picture(fresh());
        workflow.set("3.filename_prefix", "client-test/ü t&+#'%41").unwrap();
        let outputs = client.submit(&workflow).await.unwrap().await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let saved = outputs.save_all(folder.path()).await.unwrap();
        let name = saved[0].path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("ü t&+#'%41_"), "{name}");
    }
}

behaviour! {
    async fn a_job_that_runs_is_cancelled(server) {
        let client = server.client().await;
        let job = client.submit(&long_work(fresh(), 40)).await.unwrap();
        let mut events = job.events();
        while let Some(event) = events.next().await {
            if matches!(event.unwrap(), Event::NodeStarted(node) if node.as_str().starts_with("long")) {
                break;
            }
        }
        job.cancel().await.unwrap();
        assert_eq!(job.await.unwrap_err().kind(), ErrorKind::Interrupted);
    }
}

behaviour! {
    async fn a_job_that_waits_is_cancelled_and_told_to_be_removed(server) {
        let client = server.builder().silence(Duration::from_millis(200)).connect().await.unwrap();
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        let waiting = client.submit(&picture(fresh())).await.unwrap();
        waiting.cancel().await.unwrap();
        let error = waiting.await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Removed, "{error}");
        running.cancel().await.unwrap();
        assert_eq!(running.await.unwrap_err().kind(), ErrorKind::Interrupted);
    }
}

behaviour! {
    async fn a_job_at_the_front_overtakes_those_that_wait(server) {
        let client = server.client().await;
        // The very first prompt of a server has the number 0, which has no front.
        client.submit(&picture(fresh())).await.unwrap().await.unwrap();
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        let waiting = client.submit(&picture(fresh())).await.unwrap();
        let front = client.submit(&picture(fresh())).front(true).await.unwrap();
        let queue = client.queue().await.unwrap();
        let number = |id: &str| queue.queue_pending.iter().find(|item| item.prompt_id() == id).and_then(|item| item.0.as_ref()?.as_f64()).unwrap();
        assert!(number(&front.id()) < number(&waiting.id()));
        running.cancel().await.unwrap();
        let _ = running.await;
        front.await.unwrap();
        waiting.await.unwrap();
    }
}

behaviour! {
    async fn only_the_targets_run(server) {
        let client = server.client().await;
        let mut workflow = picture(fresh());
        workflow.insert("4", comfy_api_client::workflow::Node::new("PreviewImage").with_input("images", json!(["1", 0])));
        let outputs = client.submit(&workflow).targets(["4"]).await.unwrap().await.unwrap();
        assert!(outputs.node("4").is_some());
        assert!(outputs.node("3").is_none());
    }
}

behaviour! {
    async fn what_is_sent_with_a_workflow_is_in_the_record_and_the_picture(server) {
        let client = server.client().await;
        let data = json!({"extra_pnginfo": {"workflow": {"id": "w", "note": "größer"}}, "mine": [1]});
        let job = client.submit(&picture(fresh())).extra_data(data.as_object().unwrap().clone()).await.unwrap();
        let id = job.id();
        let outputs = job.await.unwrap();
        let record = client.history(&id).await.unwrap().unwrap();
        assert_eq!(record.prompt.3["mine"], json!([1]));
        let bytes = client.download(&outputs.files().next().unwrap().file).await.unwrap().bytes().await.unwrap();
        let text = b"tEXtworkflow\0{\"id\": \"w\", \"note\": \"gr\\u00f6\\u00dfer\"}";
        assert!(bytes.windows(text.len()).any(|window| window == text));
    }
}

behaviour! {
    async fn the_server_tells_about_itself(server) {
        let client = server.client().await;
        let stats = client.system_stats().await.unwrap();
        assert!(!stats.system.comfyui_version.is_empty());
        assert!(!stats.devices.is_empty());
        assert!(client.features().await.unwrap().max_upload_size().is_some());
        let nodes = client.object_info().await.unwrap();
        assert!(nodes.get("SaveImage").unwrap().output_node);
        assert!(client.history("no such prompt").await.unwrap().is_none());
    }
}
