//! Recorded conversations with a real server, held again with the simulator. Every request, socket and message of the
//! client is repeated in its order; every answer and message of the server has to be the recorded one.

use std::collections::HashMap;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use comfy_sim::Sim;
use serde_json::{Map, Value, json};

use crate::support::{Answer, Socket, get_json, request};

/// Keys whose values depend on when something happened.
const TIMES: [&str; 2] = ["timestamp", "create_time"];

/// Lists without an order.
const UNORDERED: [&str; 4] = ["executed", "current_outputs", "dependent_outputs", "errors"];

#[tokio::test]
async fn a_first_run_is_as_recorded() {
    replay("basic_run").await;
}

#[tokio::test]
async fn runs_with_known_results_are_as_recorded() {
    replay("cached_run").await;
}

#[tokio::test]
async fn runs_without_a_client_are_as_recorded() {
    replay("cached_no_client").await;
}

#[tokio::test]
async fn sockets_of_one_client_are_as_recorded() {
    replay("same_client_id").await;
}

#[tokio::test]
async fn output_nodes_that_pass_pictures_on_are_as_recorded() {
    replay("passthrough_outputs").await;
}

#[tokio::test]
async fn uploads_are_as_recorded() {
    replay("upload_image").await;
}

#[tokio::test]
async fn loaded_pictures_are_as_recorded() {
    // The last picture was put into the server's folder by hand.
    replay_until("load_image", "bad.png").await;
}

#[tokio::test]
async fn prompts_that_go_round_in_circles_are_as_recorded() {
    // The last prompt needs a class that is not simulated.
    replay_until("dependency_cycles", "GetImageSize").await;
}

#[tokio::test]
async fn edges_of_the_http_side_are_as_recorded() {
    replay("http_edges").await;
    replay("sec_fetch").await;
}

async fn replay(scenario: &str) {
    replay_until(scenario, "\0").await;
}

/// Plays a scenario up to the first request that mentions `end`.
async fn replay_until(scenario: &str, end: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../fixtures/transcripts/0.30.0/{scenario}.json"));
    let recorded: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let steps = recorded["steps"].as_array().unwrap();
    let sim = Sim::start().await.unwrap();
    let mut player = Player { sim: &sim, sockets: HashMap::new(), ids: HashMap::new() };
    // Frames may have been recorded before the answer to the request that caused them, so requests come first when they
    // were sent first.
    let time = |step: &Value| step["t_sent_ms"].as_f64().or(step["t_ms"].as_f64()).unwrap();
    let mut order: Vec<_> = steps.iter().collect();
    order.sort_by(|a, b| time(a).total_cmp(&time(b)));
    for step in order {
        if step["request"].to_string().contains(end) {
            return;
        }
        player.play(step).await;
    }
}

struct Player<'a> {
    sim: &'a Sim,
    sockets: HashMap<String, Socket>,
    /// Recorded prompt ids and those that stand for them now.
    ids: HashMap<String, String>,
}

impl Player<'_> {
    async fn play(&mut self, step: &Value) {
        let conn = step["conn"].as_str().unwrap_or_default().to_owned();
        if step["kind"] == "ws_open" || step["request"]["method"] == "GET" {
            self.idle().await;
        }
        match step["kind"].as_str().unwrap() {
            "http" => self.http(step).await,
            "ws_open" if step["response"]["status"] == 101 => {
                let socket = Socket::open_path(self.sim, step["request"]["path"].as_str().unwrap()).await;
                self.sockets.insert(conn, socket);
            }
            "ws_open" => {
                let headers = self.headers(&step["request"]["headers"]);
                let headers: Vec<_> =
                    headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                let answer =
                    request(self.sim, "GET", step["request"]["path"].as_str().unwrap(), &headers, b"").await;
                assert_eq!(step["response"]["status"], answer.status);
            }
            "ws_text" => {
                let socket = self.sockets.get_mut(&conn).unwrap();
                let message = socket.next().await;
                assert_eq!(normal(&message, ""), normal(&step["json"], ""), "at {} ms", step["t_ms"]);
            }
            "ws_close" => {
                // Nothing is left that was not recorded.
                assert_eq!(self.sockets.remove(&conn).unwrap().close().await, 0, "{conn}");
            }
            other => panic!("steps of kind {other} are not played"),
        }
    }

    /// Waits until nothing runs. The recorded client paused when nobody was told of the end of a prompt.
    async fn idle(&self) {
        while get_json(self.sim, "/prompt").await["exec_info"]["queue_remaining"] != 0 {}
    }

    async fn http(&mut self, step: &Value) {
        let (asked, recorded) = (&step["request"], &step["response"]);
        let path = self.live(asked["path"].as_str().unwrap());
        // These are not simulated.
        if path.starts_with("/internal/") || path.starts_with("/api/jobs") {
            return;
        }
        let mut headers = self.headers(&asked["headers"]);
        let body = self.body(&asked["body"], &mut headers);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = request(self.sim, asked["method"].as_str().unwrap(), &path, &headers, &body).await;
        if let (Some(old), Ok(new)) =
            (recorded["body"]["json"]["prompt_id"].as_str(), serde_json::from_slice::<Value>(&answer.body))
        {
            self.ids.insert(old.to_owned(), new["prompt_id"].as_str().unwrap_or_default().to_owned());
        }
        self.compare(&answer, recorded, &format!("{} {path} {}", asked["method"], asked["body"]));
    }

    fn compare(&self, answer: &Answer, recorded: &Value, what: &str) {
        assert_eq!(recorded["status"], answer.status, "{what}: {}", answer.text());
        let kind = recorded["headers"]["Content-Type"].as_str();
        assert_eq!(answer.header("content-type"), kind, "{what}");
        for header in
            ["Content-Disposition", "X-Content-Type-Options", "Allow", "Cache-Control", "Accept-Ranges"]
        {
            assert_eq!(answer.header(header), recorded["headers"][header].as_str(), "{header} of {what}");
        }
        let body = &recorded["body"];
        if what.contains("system_stats") {
            // That is about the machine.
        } else if let Some(json) = body.get("json") {
            assert_eq!(normal(&answer.json(), ""), normal(json, ""), "{what}");
        } else if let Some(text) = body.get("text") {
            assert_eq!(*text, answer.text(), "{what}");
        } else {
            assert_eq!(body.is_null(), answer.body.is_empty(), "{what}");
        }
    }

    /// A text with the ids and the port of now.
    fn live(&self, text: &str) -> String {
        let port = format!(":{}", self.sim.address().port());
        let text = text.replace(":8299", &port);
        self.ids.iter().fold(text, |text, (old, new)| text.replace(old, new))
    }

    fn headers(&self, recorded: &Value) -> Vec<(String, String)> {
        let all = recorded.as_object().unwrap().iter();
        all.filter(|(name, _)| {
            !name.eq_ignore_ascii_case("connection") && !name.eq_ignore_ascii_case("content-length")
        })
        .map(|(name, value)| (name.clone(), self.live(value.as_str().unwrap())))
        .collect()
    }

    fn body(&self, recorded: &Value, headers: &mut Vec<(String, String)>) -> Vec<u8> {
        if let Some(json) = recorded.get("json") {
            return self.live(&json.to_string()).into_bytes();
        }
        if let Some(text) = recorded.get("text") {
            return self.live(text.as_str().unwrap()).into_bytes();
        }
        if let Some(base64) = recorded.get("base64") {
            return BASE64_STANDARD.decode(base64.as_str().unwrap()).unwrap();
        }
        let Some(parts) = recorded.get("multipart") else { return Vec::new() };
        headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
        headers.push(("Content-Type".into(), "multipart/form-data; boundary=replay".into()));
        let mut form = Vec::new();
        for part in parts.as_array().unwrap() {
            let mut head = format!(
                "--replay\r\nContent-Disposition: form-data; name=\"{}\"",
                part["name"].as_str().unwrap()
            );
            if let Some(name) = part["filename"].as_str() {
                head += &format!("; filename=\"{name}\"");
            }
            if let Some(kind) = part["content_type"].as_str() {
                head += &format!("\r\nContent-Type: {kind}");
            }
            form.extend_from_slice(format!("{head}\r\n\r\n").as_bytes());
            match part["base64"].as_str() {
                Some(base64) => form.extend(BASE64_STANDARD.decode(base64).unwrap()),
                None => form.extend_from_slice(part["text"].as_str().unwrap().as_bytes()),
            }
            form.extend_from_slice(b"\r\n");
        }
        form.extend_from_slice(b"--replay--\r\n");
        form
    }
}

/// A value without what differs from run to run: ids, times, numbers in the queue, letters in names.
fn normal(value: &Value, key: &str) -> Value {
    match value {
        Value::Object(entries) => {
            let mut sorted: Vec<_> = entries.iter().collect();
            sorted.sort_by_key(|(key, _)| key.as_str());
            let entries = sorted.into_iter().map(|(key, value)| (without_ids(key), normal(value, key)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        Value::Array(items) => {
            let mut items: Vec<_> = items.iter().map(|item| normal(item, "")).collect();
            if items.len() == 5 && items[2].is_object() && items[3].is_object() && items[4].is_array() {
                items[0] = json!("<number>");
            }
            if UNORDERED.contains(&key) {
                items.sort_by_key(Value::to_string);
            }
            Value::Array(items)
        }
        Value::Number(_) if TIMES.contains(&key) => json!("<time>"),
        Value::Number(_) if key == "number" => json!("<number>"),
        Value::String(text) => json!(without_ids(text)),
        other => other.clone(),
    }
}

/// A text with `x` for the digits of ids, and for the letters of temporary names.
fn without_ids(text: &str) -> String {
    let is_uuid = text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    if is_uuid {
        return "<id>".into();
    }
    match text.split_once("ComfyUI_temp_") {
        Some((before, after)) if after.len() > 5 => format!("{before}ComfyUI_temp_xxxxx{}", &after[5..]),
        _ => text.into(),
    }
}
