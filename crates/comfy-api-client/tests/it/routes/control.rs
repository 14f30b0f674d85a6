//! Queue, history, memory.

use std::time::Duration;

use comfy_api_client::{Cancellation, Client, ErrorKind};
use comfy_sim::{ServerVersion, Sim};
use serde_json::json;

use crate::support::{TestServer, behaviour, fresh, long_work, picture};

behaviour! {
    async fn what_waits_and_runs_is_counted(server) {
        let client = server.client().await;
        let job = client.submit(&long_work(fresh(), 40)).await.unwrap();
        assert!(client.queue_remaining().await.unwrap() >= 1);
        job.cancel().await.unwrap();
        assert!(matches!(job.await.unwrap_err().kind(), ErrorKind::Interrupted | ErrorKind::Removed));
    }
}

behaviour! {
    async fn prompts_are_taken_out_of_the_queue_or_interrupted_by_their_ids(server) {
        let client = server.builder().silence(Duration::from_millis(200)).connect().await.unwrap();
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        let waiting = client.submit(&picture(fresh())).await.unwrap();
        let queue = client.queue().await.unwrap();
        let ids = |items: &[comfy_api_client::protocol::routes::queue::QueueItem]| -> Vec<String> {
            items.iter().map(|item| item.prompt_id().to_owned()).collect()
        };
        assert!(ids(&queue.queue_pending).contains(&waiting.id()));
        client.remove_from_queue([waiting.id(), "no such prompt".to_owned()]).await.unwrap();
        assert!(!ids(&client.queue().await.unwrap().queue_pending).contains(&waiting.id()));
        assert_eq!(waiting.await.unwrap_err().kind(), ErrorKind::Removed);
        while !ids(&client.queue().await.unwrap().queue_running).contains(&running.id()) {}
        client.interrupt("no such prompt").await.unwrap();
        client.interrupt(&running.id()).await.unwrap();
        assert_eq!(running.await.unwrap_err().kind(), ErrorKind::Interrupted);
    }
}

behaviour! {
    async fn everything_that_waits_and_whatever_runs_can_be_stopped(server) {
        if !server.is_ours_alone() {
            return;
        }
        let client = server.builder().silence(Duration::from_millis(200)).connect().await.unwrap();
        let running = client.submit(&long_work(fresh(), 40)).await.unwrap();
        let waiting = client.submit(&picture(fresh())).await.unwrap();
        while client.queue().await.unwrap().queue_running.is_empty() {}
        client.clear_queue().await.unwrap();
        assert_eq!(waiting.await.unwrap_err().kind(), ErrorKind::Removed);
        client.interrupt_any().await.unwrap();
        assert_eq!(running.await.unwrap_err().kind(), ErrorKind::Interrupted);
    }
}

#[tokio::test]
async fn prompts_are_found_by_the_beginnings_of_their_ids_and_counted() {
    for version in [ServerVersion::V0_3_64, ServerVersion::V0_8_0, ServerVersion::V0_30_0] {
        let sim = Sim::builder().version(version).start().await.unwrap();
        let client = Client::connect(sim.url()).await.unwrap();
        let ended = client.submit(&picture(1)).await.unwrap();
        let ended_id = ended.id();
        ended.await.unwrap();
        let running = client.submit(&long_work(2, 40)).await.unwrap();
        let waiting = client.submit(&picture(3)).await.unwrap();
        for id in [&ended_id, &running.id(), &waiting.id()] {
            assert_eq!(client.find_prompts(&id[..12]).await.unwrap(), [id.as_str()], "{version:?}");
        }
        assert_eq!(client.find_prompts("").await.unwrap().len(), 3);
        assert!(client.find_prompts("no such prompt").await.unwrap().is_empty());
        assert_eq!(client.history_count().await.unwrap(), 1, "{version:?}");

        // What waits goes first, so that it does not begin when what runs is stopped.
        let results = client.cancel_all([running.id(), waiting.id()]).await.unwrap();
        assert_eq!(results, [Cancellation::Interrupted, Cancellation::Removed]);
    }
}

behaviour! {
    async fn records_are_listed_in_parts_and_removed(server) {
        let client = server.client().await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            let job = client.submit(&picture(fresh())).await.unwrap();
            ids.push(job.id());
            job.await.unwrap();
        }
        let all = client.histories().await.unwrap();
        let place = |id: &str| all.get_index_of(id).unwrap();
        assert!(place(&ids[0]) < place(&ids[1]) && place(&ids[1]) < place(&ids[2]));
        let newest = client.histories().max_items(2).await.unwrap();
        assert_eq!(newest.len(), 2);
        let offset = place(&ids[0]) as u64;
        let from_the_first = client.histories().max_items(2).offset(offset).await.unwrap();
        assert_eq!(from_the_first.keys().collect::<Vec<_>>(), [&ids[0], &ids[1]]);
        assert!(client.histories().offset(offset).await.unwrap().len() >= 3);

        client.remove_history([&ids[0], &ids[2], "no-such-prompt"]).await.unwrap();
        let left = client.histories().await.unwrap();
        assert!(!left.contains_key(&ids[0]) && left.contains_key(&ids[1]) && !left.contains_key(&ids[2]));
    }
}

behaviour! {
    async fn the_whole_history_can_be_cleared(server) {
        if !server.is_ours_alone() {
            return;
        }
        let client = server.client().await;
        let job = client.submit(&picture(fresh())).await.unwrap();
        let id = job.id();
        job.await.unwrap();
        assert!(client.history(&id).await.unwrap().is_some());
        client.clear_history().await.unwrap();
        assert!(client.history(&id).await.unwrap().is_none());
        assert!(client.histories().await.unwrap().is_empty());
    }
}

behaviour! {
    async fn what_earlier_prompts_left_is_freed(server) {
        let client = server.client().await;
        let workflow = picture(fresh());
        client.submit(&workflow).await.unwrap().await.unwrap();
        client.free().await.unwrap();
        client.free().unload_models(true).await.unwrap();
        client.free().free_memory(true).await.unwrap();
        // A moment later nothing of it is cached: at the latest when the next prompt has run.
        loop {
            let job = client.submit(&workflow).await.unwrap();
            let id = job.id();
            job.await.unwrap();
            let status = client.history(&id).await.unwrap().unwrap().status.unwrap();
            let cached = status.messages.into_iter().find(|message| message.0 == "execution_cached");
            if cached.unwrap().1["nodes"] == json!([]) {
                break;
            }
        }
    }
}
