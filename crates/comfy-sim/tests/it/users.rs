//! Users, their settings and their files.

use comfy_sim::{ServerVersion, Sim};
use serde_json::json;

use crate::support::{Answer, get, get_json, post, request};

async fn put(sim: &Sim, file: &str, content: &str) -> Answer {
    request(sim, "POST", &format!("/userdata/{file}"), &[], content.as_bytes()).await
}

#[tokio::test]
async fn settings_are_kept_for_the_next_server_on_the_same_folder() {
    let base = tempfile::tempdir().unwrap();
    let sim = Sim::builder().base_dir(base.path()).start().await.unwrap();
    assert_eq!(get_json(&sim, "/settings").await, json!({}));
    assert_eq!(post(&sim, "/settings", &json!({"a": 1.5, "b": [null]})).await.status, 200);
    assert_eq!(post(&sim, "/settings/c%2Fd", &json!("ü")).await.status, 200);
    assert_eq!(get_json(&sim, "/settings/b").await, json!([null]));
    assert_eq!(get(&sim, "/settings/nope").await.text(), "null");
    for wrong in ["[]", "null", "5", "\"x\"", "{", ""] {
        assert_eq!(request(&sim, "POST", "/settings", &[], wrong.as_bytes()).await.status, 500, "{wrong}");
    }
    assert_eq!(request(&sim, "POST", "/settings/c", &[], b"{").await.status, 500);
    sim.shutdown().await;
    let sim = Sim::builder().base_dir(base.path()).start().await.unwrap();
    assert_eq!(get(&sim, "/api/settings").await.text(), r#"{"a": 1.5, "b": [null], "c/d": "\u00fc"}"#);
    // They are a file among the user's others.
    assert_eq!(get_json(&sim, "/userdata?dir=.").await, json!(["comfy.settings.json"]));
}

#[tokio::test]
async fn settings_that_somebody_broke_are_forgotten() {
    let base = tempfile::tempdir().unwrap();
    let file = base.path().join("user/default/comfy.settings.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let sim = Sim::builder().base_dir(base.path()).start().await.unwrap();
    for (broken, read, status) in [("{", "{}", 200), ("[1]", "[1]", 500), ("null", "null", 500)] {
        std::fs::write(&file, broken).unwrap();
        assert_eq!(get(&sim, "/settings").await.text(), read);
        assert_eq!(post(&sim, "/settings", &json!({"a": 1})).await.status, status, "{broken}");
    }
}

#[tokio::test]
async fn without_users_there_is_one_that_moves_in_with_its_first_file() {
    let sim = Sim::start().await.unwrap();
    assert_eq!(get(&sim, "/users").await.text(), r#"{"storage": "server", "migrated": false}"#);
    assert_eq!(get_json(&sim, "/v2/userdata").await, json!([]));
    assert_eq!(put(&sim, "a.txt", "a").await.json(), "a.txt");
    assert_eq!(get_json(&sim, "/users").await, json!({"storage": "server", "migrated": true}));
    let as_somebody = request(&sim, "GET", "/userdata/a.txt", &[("comfy-user", "nobody")], b"").await;
    assert_eq!(as_somebody.text(), "a");
}

#[tokio::test]
async fn users_have_settings_and_files_of_their_own_and_strangers_have_none() {
    let sim = Sim::builder().multi_user(true).start().await.unwrap();
    let add = async |name: &str| post(&sim, "/users", &json!({"username": name})).await;
    let (anna, bert) = (add("Anna B").await.json(), add("Bert").await.json());
    let (anna, bert) = (anna.as_str().unwrap(), bert.as_str().unwrap());
    assert!(anna.starts_with("Anna-B_"), "{anna}");
    let users = get_json(&sim, "/users").await;
    assert_eq!(users, json!({"storage": "server", "users": {anna: "Anna B", bert: "Bert"}}));
    let twice = add("Bert").await;
    assert_eq!((twice.status, twice.text().as_str()), (400, r#"{"error": "Duplicate username."}"#));
    assert_eq!(add(" ").await.text(), r#"{"error": "username not provided"}"#);
    assert_eq!(add("__x").await.text(), r#"{"error": "System User prefix not allowed"}"#);
    assert_eq!(post(&sim, "/users", &json!({"username": 5})).await.status, 500);

    let asked = async |method: &str, path: &str, user: &str, body: &str| {
        request(&sim, method, path, &[("comfy-user", user)], body.as_bytes()).await
    };
    asked("POST", "/userdata/f.txt", anna, "Anna's").await;
    asked("POST", "/settings/s", anna, "1").await;
    assert_eq!(asked("GET", "/userdata/f.txt", anna, "").await.text(), "Anna's");
    assert_eq!(asked("GET", "/userdata/f.txt", bert, "").await.status, 404);
    assert_eq!(asked("GET", "/settings/s", bert, "").await.text(), "null");
    let out = format!("/userdata/..%2F{anna}%2Ff.txt");
    assert_eq!(asked("GET", &out, bert, "").await.status, 403);

    for stranger in ["nobody", "default", "", "__system", ".."] {
        for (method, path, status) in [
            ("GET", "/settings", 401),
            ("POST", "/settings/x", 401),
            ("GET", "/userdata", 400),
            ("GET", "/userdata?dir=.", 500),
            ("GET", "/userdata/f.txt", 500),
            ("POST", "/userdata/f.txt", 500),
            ("DELETE", "/userdata/f.txt", 500),
            ("POST", "/userdata/f.txt/move/g.txt", 500),
            ("GET", "/v2/userdata", 403),
            ("GET", "/view?filename=blake3:00", 500),
            ("GET", "/prompt", 200),
        ] {
            assert_eq!(asked(method, path, stranger, "1").await.status, status, "{stranger} {method} {path}");
        }
    }
    assert_eq!(get(&sim, "/settings").await.text(), "401: Unauthorized");
}

#[tokio::test]
async fn old_servers_take_names_that_new_ones_refuse() {
    let sim = Sim::builder().version(ServerVersion::V0_3_64).multi_user(true).start().await.unwrap();
    let id = post(&sim, "/users", &json!({"username": "__x"})).await.json();
    assert!(id.as_str().unwrap().starts_with("__x_"));
    assert_eq!(post(&sim, "/users", &json!({"username": ""})).await.status, 500);
    let own = [("comfy-user", id.as_str().unwrap())];
    assert_eq!(request(&sim, "GET", "/settings", &own, b"").await.status, 200);
}

#[tokio::test]
async fn files_can_be_moved_replaced_and_listed_in_many_ways() {
    let sim = Sim::start().await.unwrap();
    for (file, content) in [("w%2Fb.json", "1"), ("w%2FA.json", "22"), ("w%2Fd%2Fe%2F%C3%BC.json", "3")] {
        assert_eq!(put(&sim, file, content).await.status, 200);
    }
    put(&sim, "w%2F.hidden%2Fx.txt", "").await;
    assert_eq!(get_json(&sim, "/userdata?dir=w").await, json!(["A.json", "b.json"]));
    let all = get_json(&sim, "/userdata?dir=w%252Fd&recurse=TRUE&split=true").await;
    assert_eq!(all, json!([["e/ü.json", "e", "ü.json"]]));
    let info = &get_json(&sim, "/userdata?dir=w&full_info=true").await[0];
    assert_eq!((&info["path"], &info["size"]), (&json!("A.json"), &json!(2)));
    assert!(info["modified"].is_u64(), "{info}");
    let walked = get_json(&sim, "/v2/userdata?path=w").await;
    let walked: Vec<_> = walked.as_array().unwrap().iter().map(|e| e["path"].as_str().unwrap()).collect();
    let sorted = ["w/.hidden", "w/d", "w/d/e", "w/A.json", "w/b.json", "w/.hidden/x.txt", "w/d/e/ü.json"];
    assert_eq!(walked, sorted);
}

#[tokio::test]
async fn nothing_outside_a_users_folder_is_read_or_written() {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(base.path().join("user/default")).unwrap();
    std::fs::write(base.path().join("secret.txt"), "secret").unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink(base.path(), base.path().join("user/default/link")).unwrap();
    let sim = Sim::builder().base_dir(base.path()).start().await.unwrap();
    put(&sim, "own.txt", "own").await;
    let secrets = [
        "..%2F..%2Fsecret.txt",
        "%2e%2e%2f%2e%2e%2fsecret.txt",
        "..%252F..%252Fsecret.txt",
        "%2Fetc%2Fpasswd",
    ];
    for out in secrets.into_iter().chain(cfg!(unix).then_some("link%2Fsecret.txt")) {
        for method in ["GET", "POST", "DELETE"] {
            let path = format!("/userdata/{out}");
            assert_eq!(request(&sim, method, &path, &[], b"").await.status, 403, "{method} {out}");
        }
        let path = format!("/userdata/own.txt/move/{out}");
        assert_eq!(request(&sim, "POST", &path, &[], b"").await.status, 403, "{path}");
        let path = format!("/userdata/{out}/move/stolen.txt");
        assert_eq!(request(&sim, "POST", &path, &[], b"").await.status, 403, "{path}");
    }
    assert_eq!(std::fs::read_to_string(base.path().join("secret.txt")).unwrap(), "secret");
    // Names that no file system has.
    for (method, path, status) in [
        ("POST", "/userdata/a%00b".to_owned(), 500),
        ("GET", "/userdata/a%00b".to_owned(), 404),
        ("GET", "/userdata?dir=a%00b".to_owned(), 404),
        ("POST", format!("/userdata/{}", "y".repeat(300)), 400),
        ("GET", format!("/userdata/{}", "y".repeat(300)), 404),
        ("POST", format!("/userdata/own.txt/move/{}", "y".repeat(300)), 500),
        ("POST", "/userdata/own.txt%2Fbelow.txt".to_owned(), 400),
    ] {
        assert_eq!(request(&sim, method, &path, &[], b"x").await.status, status, "{method} {path}");
    }
    assert_eq!(get(&sim, "/userdata/own.txt").await.text(), "own");
    assert_eq!(put(&sim, "u%FFx.txt", "").await.json(), "u\u{fffd}x.txt");
}

#[tokio::test]
async fn folders_move_and_are_never_replaced() {
    let sim = Sim::start().await.unwrap();
    let moved = async |from: &str, to: &str| {
        request(&sim, "POST", &format!("/userdata/{from}/move/{to}"), &[], b"").await
    };
    put(&sim, "a%2Ff.txt", "1").await;
    put(&sim, "b%2Ff.txt", "2").await;
    assert_eq!(moved("a", "a%2Fbelow").await.status, 500);
    assert_eq!(moved("a%2Ff.txt", "b").await.status, 500);
    assert_eq!(get(&sim, "/userdata/b%2Ff.txt").await.text(), "2");
    assert_eq!(moved("a", "b").await.json(), "b");
    assert_eq!(get(&sim, "/userdata/b%2Fa%2Ff.txt").await.text(), "1");
    assert_eq!(moved("b", "c").await.json(), "c");
    assert_eq!(get_json(&sim, "/userdata?dir=.&recurse=true").await, json!(["c/f.txt", "c/a/f.txt"]));
}

#[tokio::test]
async fn what_a_browser_would_run_is_given_out_to_be_saved_since_0_30() {
    for version in ServerVersion::ALL {
        let sim = Sim::builder().version(version).start().await.unwrap();
        for file in ["p.html", "user.css", "sub%2Fuser.css"] {
            put(&sim, file, "x").await;
        }
        let page = get(&sim, "/userdata/p.html").await;
        let style = get(&sim, "/userdata/user.css").await;
        let other = get(&sim, "/userdata/sub%2Fuser.css").await;
        let told = [&page, &style, &other].map(|answer| {
            (answer.header("content-type").unwrap_or(""), answer.header("content-disposition").unwrap_or(""))
        });
        if version >= ServerVersion::V0_30_0 {
            let saved = ("application/octet-stream", "attachment");
            assert_eq!(told, [saved, ("text/css", "inline"), saved]);
            assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        } else {
            assert_eq!(told, [("text/html", ""), ("text/css", ""), ("text/css", "")]);
            assert_eq!(page.header("x-content-type-options"), None);
        }
    }
}
