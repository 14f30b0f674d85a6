//! Faults on demand, as clients see them.

use std::time::Duration;

use comfy_sim::{Fault, Kept, Sim};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Socket, get, get_json, post, request, submit, three_nodes};

async fn with(fault: Fault) -> Sim {
    Sim::builder().fault(fault).start().await.unwrap()
}

async fn record(sim: &Sim, id: &str) -> Value {
    get_json(sim, &format!("/history/{id}")).await[id].clone()
}

#[tokio::test]
async fn the_nth_node_raises_what_was_asked_for() {
    let sim = with("node-error:at=2,exception=ValueError,message=no, not today".parse().unwrap()).await;
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("x")).await;
    let heard = socket.until("executing null").await;
    assert!(heard.contains(&"error 2 ValueError".to_owned()), "{heard:?}");
    let error = record(&sim, &id).await["status"]["messages"][2][1].clone();
    assert_eq!(error["exception_message"], "no, not today\n");
    assert_eq!(error["executed"], json!(["1"]));
    submit(&sim, "a", three_nodes("x")).await;
    assert!(socket.until("executing null").await.contains(&"success".to_owned()));
}

#[tokio::test]
async fn a_node_runs_out_of_memory_in_the_servers_words() {
    let sim = with(Fault::out_of_memory(1)).await;
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing null").await;
    let error = record(&sim, &id).await["status"]["messages"][2][1].clone();
    assert_eq!(error["exception_type"], "torch.OutOfMemoryError");
    assert_eq!(
        error["exception_message"],
        "Allocation on device 0 would exceed allowed memory. (out of memory)\n\
         This error means you ran out of memory on your GPU.\n\n\
         TIPS: If the workflow worked before you might have accidentally set the batch_size to a large number."
    );
}

#[tokio::test]
async fn a_slow_node_can_be_interrupted_and_the_others_are_as_fast_as_ever() {
    let sim = with(Fault::slow_node(2, Duration::from_secs(3600))).await;
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing 2").await;
    post(&sim, "/interrupt", &json!({})).await;
    let heard = socket.until("executing null").await;
    assert!(heard.contains(&"interrupted 2 after [1]".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn a_dead_worker_leaves_a_prompt_that_runs_for_ever() {
    let sim = with(Fault::dead_worker(2)).await;
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing 2").await;
    let next = submit(&sim, "a", three_nodes("x")).await;
    let queue = get_json(&sim, "/queue").await;
    assert_eq!((&queue["queue_running"][0][1], &queue["queue_pending"][0][1]), (&json!(id), &json!(next)));
    assert_eq!(get_json(&sim, "/history").await, json!({}));
    // Only a new server helps.
    sim.fault(Fault::restart(Kept::Lost));
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    assert!(socket.until("executing null").await.contains(&"success".to_owned()));
}

#[tokio::test]
async fn a_socket_is_cut_after_so_many_messages_and_the_next_one_is_not() {
    let sim = with(Fault::socket_cut(3)).await;
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    socket.next().await;
    socket.next().await;
    assert!(socket.ends_without_goodbye().await);
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("y")).await;
    assert!(socket.until("executing null").await.contains(&"success".to_owned()));
}

#[tokio::test]
async fn a_silent_socket_stays_open_and_says_nothing_until_the_fault_is_taken_back() {
    let sim = Sim::start().await.unwrap();
    let id = sim.fault(Fault::socket_silent(2));
    let mut silent = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    assert_eq!(silent.next().await["type"], "status");
    silent.ping().await;
    // The others are told everything.
    let mut other = Socket::open(&sim, "b").await;
    submit(&sim, "b", three_nodes("x")).await;
    other.until("executing null").await;
    assert!(sim.remove_fault(id));
    // Neither a message nor an answer to the ping has come in between.
    assert!(silent.ends_without_goodbye().await);
}

#[tokio::test]
async fn a_share_of_the_requests_fails_and_others_do_not_know() {
    let sim = with("http-error:status=502,share=0.5,seed=3,path=/history".parse().unwrap()).await;
    let mut statuses = Vec::new();
    for _ in 0..40 {
        statuses.push(get(&sim, "/api/history").await.status);
        assert_eq!(get(&sim, "/queue").await.status, 200);
    }
    let failed = statuses.iter().filter(|status| **status == 502).count();
    assert!((10..30).contains(&failed), "{statuses:?}");
    assert!(statuses.iter().all(|status| [200, 502].contains(status)));

    let sim = with(Fault::http_error(500, 1.0)).await;
    let answer = get(&sim, "/queue").await;
    assert_eq!(answer.text(), "500 Internal Server Error\n\nServer got itself in trouble");
}

#[tokio::test]
async fn an_answer_can_be_lost_although_the_server_did_what_it_was_asked() {
    let sim = with("http-error:path=/prompt,handled=true,times=1".parse().unwrap()).await;
    let mut socket = Socket::open(&sim, "a").await;
    let answer = post(&sim, "/prompt", &json!({"prompt": three_nodes("x"), "client_id": "a"})).await;
    assert_eq!(answer.status, 500);
    assert!(socket.until("executing null").await.contains(&"success".to_owned()));
}

#[tokio::test]
async fn a_restart_keeps_the_port_and_loses_everything_else() {
    for (history, kept) in [(Kept::Lost, false), (Kept::Kept, true)] {
        let sim = Sim::builder().node_delay(Duration::from_millis(1)).start().await.unwrap();
        let mut socket = Socket::open(&sim, "a").await;
        let done = submit(&sim, "a", three_nodes("x")).await;
        socket.until("executing null").await;
        sim.fault(Fault::slow_node(1, Duration::from_secs(3600)));
        submit(&sim, "a", three_nodes("y")).await;
        submit(&sim, "a", three_nodes("z")).await;
        sim.fault(Fault::restart(history));
        assert!(socket.ends_without_goodbye().await);
        let queue = get_json(&sim, "/queue").await;
        assert_eq!(queue, json!({"queue_running": [], "queue_pending": []}));
        assert_eq!(get_json(&sim, "/history").await.get(&done).is_some(), kept);
        // Files are kept, and numbers begin again.
        assert_eq!(get(&sim, "/view?filename=x_00001_.png").await.status, 200);
        let answer = post(&sim, "/prompt", &json!({"prompt": three_nodes("z")})).await;
        assert_eq!(answer.json()["number"], 0);
    }
}

#[tokio::test]
async fn a_restart_comes_in_the_middle_of_a_run() {
    let sim = with("restart:at=2".parse().unwrap()).await;
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    assert!(socket.ends_without_goodbye().await);
    assert_eq!(get_json(&sim, "/history").await, json!({}));
    assert_eq!(get_json(&sim, "/prompt").await["exec_info"]["queue_remaining"], 0);
}

#[tokio::test]
async fn nothing_listens_while_the_server_is_down() {
    let sim = Sim::start().await.unwrap();
    get(&sim, "/queue").await;
    sim.fault("restart:down=0.3".parse().unwrap());
    // It may still take the connections that came before it knew.
    let refused = async {
        while tokio::net::TcpStream::connect(sim.address()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), refused).await.unwrap();
    let back = async { while tokio::net::TcpStream::connect(sim.address()).await.is_err() {} };
    tokio::time::timeout(Duration::from_secs(10), back).await.unwrap();
    assert_eq!(get(&sim, "/queue").await.status, 200);
}

#[tokio::test]
async fn the_queue_is_full_of_what_others_have_sent() {
    let sim = with(Fault::queue_full(3, Duration::from_millis(50))).await;
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("x")).await;
    let queue = get_json(&sim, "/queue").await;
    let waiting = queue["queue_pending"].as_array().unwrap();
    assert!(waiting.len() > 1, "{queue}");
    assert!(waiting.iter().any(|item| item[3]["client_id"] == "somebody-else"), "{queue}");
    socket.until("executing null").await;
    let history = get_json(&sim, "/history").await;
    let ids: Vec<_> = history.as_object().unwrap().keys().collect();
    assert_eq!((ids.len(), ids[3]), (4, &id));
    assert!(history.as_object().unwrap().values().all(|entry| entry["status"]["status_str"] == "success"));
}

#[tokio::test]
async fn faults_are_set_and_taken_back_over_http() {
    let sim = Sim::start().await.unwrap();
    let set = post(&sim, "/simulator/faults", &json!({"fault": "node-error", "at": 5})).await;
    assert_eq!((set.status, set.json()), (200, json!({"id": 1})));
    assert_eq!(
        post(&sim, "/simulator/faults", &json!("http-error:path=/queue")).await.json(),
        json!({"id": 2})
    );
    assert_eq!(get(&sim, "/queue").await.status, 500);
    assert_eq!(
        get_json(&sim, "/simulator/faults").await,
        json!({"faults": [
            {"id": 1, "fault": "node-error", "at": 5, "struck": 0},
            {"id": 2, "fault": "http-error", "path": "/queue", "struck": 1},
        ]})
    );
    assert_eq!(request(&sim, "DELETE", "/simulator/faults/2", &[], b"").await.status, 204);
    assert_eq!(request(&sim, "DELETE", "/simulator/faults/2", &[], b"").await.status, 404);
    assert_eq!(get(&sim, "/queue").await.status, 200);
    let wrong = post(&sim, "/simulator/faults", &json!({"fault": "node-error", "at": 0})).await;
    assert_eq!(wrong.status, 400);
    assert!(wrong.json()["error"].as_str().unwrap().contains("counted from 1"), "{}", wrong.text());
    assert_eq!(request(&sim, "DELETE", "/simulator/faults", &[], b"").await.status, 204);
    assert_eq!(get_json(&sim, "/simulator/faults").await, json!({"faults": []}));
    // The answer of a restart arrives although the server dies.
    assert_eq!(post(&sim, "/simulator/faults", &json!("restart")).await.status, 200);
}

#[tokio::test]
async fn a_stop_ends_silent_sockets_too() {
    let sim = with(Fault::socket_silent(1)).await;
    let mut socket = Socket::open(&sim, "a").await;
    sim.shutdown().await;
    assert!(!matches!(socket.frame().await, Some(Ok(Message::Text(_)))));
}
