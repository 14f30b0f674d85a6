use std::time::Duration;

use comfy_sim::{ErrorKind, Sim};
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Socket, get, get_json, submit, three_nodes};

#[tokio::test]
async fn a_port_can_be_used_again_right_after_a_stop() {
    let mut port = 0;
    for round in 0..20 {
        let sim = Sim::builder().port(port).start().await.unwrap();
        assert!(port == 0 || port == sim.address().port());
        port = sim.address().port();
        let mut socket = Socket::open(&sim, "a").await;
        submit(&sim, "a", three_nodes("x")).await;
        socket.until("executing null").await;
        assert_eq!(get_json(&sim, "/prompt").await["exec_info"]["queue_remaining"], 0);
        if round % 2 == 0 {
            sim.shutdown().await;
        } else {
            drop(sim);
        }
        assert!(TcpStream::connect(("127.0.0.1", port)).await.is_err());
    }
}

#[tokio::test]
async fn a_port_in_use_is_an_error() {
    let sim = Sim::start().await.unwrap();
    let error = Sim::builder().port(sim.address().port()).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Listen);
    assert_eq!(error.to_string(), format!("cannot listen on 127.0.0.1:{}", sim.address().port()));
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_stop_says_goodbye_to_sockets_and_ends_a_running_node() {
    let sim = Sim::builder().node_delay(Duration::from_secs(3600)).start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing 1").await;
    sim.shutdown().await;
    assert!(matches!(socket.next_frame().await, Some(Message::Close(_))));
}

#[tokio::test]
async fn files_are_removed_unless_a_folder_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::builder().base_dir(folder.path()).start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("kept")).await;
    socket.until("executing null").await;
    drop(sim);
    assert!(folder.path().join("output/kept_00001_.png").is_file());

    let sim = Sim::builder().base_dir(folder.path()).start().await.unwrap();
    assert_eq!(get(&sim, "/view?filename=kept_00001_.png").await.status, 200);
    assert_eq!(get_json(&sim, "/history").await, json!({}));
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_an_error() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let error = Sim::builder().base_dir(file.path().join("in a file")).start().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Folder);
    assert!(std::error::Error::source(&error).is_some());
}

#[tokio::test]
async fn a_start_that_fails_leaves_the_files_of_the_running_one_alone() {
    let folder = tempfile::tempdir().unwrap();
    let sim = Sim::builder().base_dir(folder.path()).start().await.unwrap();
    std::fs::write(folder.path().join("temp/in use"), "x").unwrap();
    let second = Sim::builder().base_dir(folder.path()).port(sim.address().port()).start().await;
    assert_eq!(second.unwrap_err().kind(), ErrorKind::Listen);
    assert!(folder.path().join("temp/in use").is_file());
}

#[tokio::test]
async fn a_drop_waits_for_no_task_of_its_runtime() {
    // Sockets, a connection in the middle of a request and a running node, all served by the runtime whose only thread
    // the drop keeps busy.
    let sim = Sim::builder().node_delay(Duration::from_secs(3600)).start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing 1").await;
    let mut half = TcpStream::connect(sim.address()).await.unwrap();
    half.write_all(b"POST /prompt HTTP/1.1\r\nContent-Length: 100\r\n\r\n{").await.unwrap();
    let address = sim.address();
    drop(sim);
    assert!(TcpStream::connect(address).await.is_err());
    assert!(matches!(socket.next_frame().await, Some(Message::Close(_))));
}

#[tokio::test]
async fn many_simulators_run_side_by_side() {
    let mut sims = Vec::new();
    for _ in 0..50 {
        sims.push(Sim::start().await.unwrap());
    }
    for sim in &sims {
        let mut socket = Socket::open(sim, "a").await;
        submit(sim, "a", three_nodes("x")).await;
        socket.until("executing null").await;
    }
}

#[tokio::test]
async fn records_outlive_a_simulator_and_can_be_given_to_the_next() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let id = submit(&sim, "a", three_nodes("x")).await;
    socket.until("executing null").await;
    let records = sim.records();
    sim.shutdown().await;
    assert_eq!(records.record(&id).unwrap()["status"]["status_str"], "success");

    let forgetful = Sim::start().await.unwrap();
    assert_eq!(forgetful.records().record(&id), None);
    let sim = Sim::builder().records(&records).start().await.unwrap();
    assert_eq!(get_json(&sim, &format!("/history/{id}")).await[&id], records.record(&id).unwrap());
}
