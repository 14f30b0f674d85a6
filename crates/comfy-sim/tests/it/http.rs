use comfy_sim::Sim;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::support::{Socket, get, get_json, post, request, submit, three_nodes};

const TROUBLE: &str = "500 Internal Server Error\n\nServer got itself in trouble";

#[tokio::test]
async fn malformed_bodies_are_trouble_except_for_interrupts() {
    let sim = Sim::start().await.unwrap();
    for path in ["/prompt", "/queue", "/history", "/free"] {
        for body in ["", "{", "null", "5", "{} trailing", "\u{feff}{}"] {
            let answer = request(&sim, "POST", path, &[], body.as_bytes()).await;
            assert_eq!((answer.status, answer.text().as_str()), (500, TROUBLE), "{path} {body}");
            assert_eq!(answer.header("connection"), Some("close"));
            assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        }
    }
    for body in ["", "{", "{} trailing", "not json"] {
        assert_eq!(request(&sim, "POST", "/interrupt", &[], body.as_bytes()).await.status, 200, "{body}");
    }
    assert_eq!(request(&sim, "POST", "/interrupt", &[], b"[]").await.status, 500);
    let bogus = [("Content-Type", "application/json; charset=bogus")];
    assert_eq!(request(&sim, "POST", "/queue", &bogus, b"{}").await.status, 500);
}

#[tokio::test]
async fn json_is_written_as_the_server_writes_it() {
    let sim = Sim::start().await.unwrap();
    let answer = get(&sim, "/api/queue").await;
    assert_eq!(answer.text(), r#"{"queue_running": [], "queue_pending": []}"#);
    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
    let mut socket = Socket::open(&sim, "ü").await;
    let id = submit(&sim, "ü", three_nodes("ü")).await;
    socket.until("executing null").await;
    let text = get(&sim, &format!("/history/{id}")).await.text();
    assert!(text.contains(r#""filename": "\u00fc_00001_.png", "subfolder": "", "type": "output""#), "{text}");
}

#[tokio::test]
async fn bodies_beyond_the_limit_are_refused() {
    let sim = Sim::start().await.unwrap();
    let body = vec![b' '; 104_857_601];
    let answer = request(&sim, "POST", "/prompt", &[], &body).await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (413, "Maximum request body size 104857600 exceeded.")
    );
    let mut form =
        b"--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"big\"\r\n\r\n".to_vec();
    form.extend(body);
    let headers = [("Content-Type", "multipart/form-data; boundary=b")];
    assert_eq!(request(&sim, "POST", "/upload/image", &headers, &form).await.status, 413);
}

#[tokio::test]
async fn paths_that_are_no_text_or_far_too_long_are_answered() {
    let sim = Sim::start().await.unwrap();
    assert_eq!(get_json(&sim, "/history/%FF").await, json!({}));
    assert_eq!(get_json(&sim, "/object_info/%FF").await, json!({}));
    // The place where the answer cuts the path is in the middle of a character.
    let long = format!("/{}{}", "a".repeat(98), "ü".repeat(5000));
    let answer = get(&sim, &long).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().starts_with("Got more than 8190 bytes when reading: bytearray(b'/aaa"));
}

#[tokio::test]
async fn a_saved_picture_can_be_viewed_whole_in_part_and_again() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    submit(&sim, "a", three_nodes("sub/view")).await;
    socket.until("executing null").await;
    let path = "/view?filename=view_00001_.png&type=output&subfolder=sub";
    let whole = get(&sim, path).await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.header("content-type"), Some("image/png"));
    assert_eq!(whole.header("content-disposition"), Some("filename=\"view_00001_.png\""));
    assert_eq!(whole.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert!(whole.body.starts_with(b"\x89PNG"));

    let part = request(&sim, "GET", path, &[("Range", "bytes=1-3")], b"").await;
    assert_eq!((part.status, part.body.as_slice()), (206, b"PNG".as_slice()));
    assert_eq!(part.header("content-range"), Some(format!("bytes 1-3/{}", whole.body.len()).as_str()));
    assert_eq!(request(&sim, "GET", path, &[("Range", "bytes=9999-")], b"").await.status, 416);
    let tag = whole.header("etag").unwrap();
    let again = request(&sim, "GET", path, &[("If-None-Match", tag)], b"").await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let head = request(&sim, "HEAD", path, &[], b"").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.header("content-length"), Some(whole.body.len().to_string().as_str()));

    let preview = get(&sim, &format!("{path}&preview=jpeg;50")).await;
    assert!(preview.body.starts_with(&[0xff, 0xd8]));
    assert_eq!(preview.header("content-type"), Some("image/jpeg"));
    assert!(get(&sim, &format!("{path}&preview=webp;50")).await.body.starts_with(b"RIFF"));
    assert!(get(&sim, &format!("{path}&channel=a")).await.body.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn nothing_outside_the_folders_can_be_viewed() {
    let sim = Sim::start().await.unwrap();
    for (query, status) in [
        ("filename=../input/a.png", 400),
        ("filename=%2Fetc%2Fpasswd", 400),
        ("filename=passwd&subfolder=%2Fetc", 403),
        ("filename=passwd&subfolder=..%2F..%2Fetc", 403),
        ("filename=a.png&type=models", 400),
        ("filename=", 400),
        ("filename=missing.png", 404),
        ("filename=a%00.png", 404),
        ("type=output", 404),
    ] {
        let answer = get(&sim, &format!("/view?{query}")).await;
        assert_eq!((answer.status, answer.body.len()), (status, 0), "{query}");
    }
}

#[tokio::test]
async fn files_that_a_browser_would_run_are_given_out_to_be_saved() {
    let sim = Sim::start().await.unwrap();
    let form = "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"v.svg\"\r\n\r\n<svg/>\r\n--b--\r\n";
    let kind = [("Content-Type", "multipart/form-data; boundary=b")];
    request(&sim, "POST", "/upload/image", &kind, form.as_bytes()).await;
    let path = "/view?filename=v.svg&type=input";
    let saved = get(&sim, path).await;
    assert_eq!(saved.header("content-disposition"), Some("attachment; filename=\"v.svg\""));
    assert_eq!(saved.header("content-type"), Some("application/octet-stream"));
    let shown = request(&sim, "GET", path, &[("Sec-Fetch-Dest", "image")], b"").await;
    assert_eq!(shown.header("content-type"), Some("image/svg+xml"));
    assert_eq!(get(&sim, &format!("{path}&preview=webp")).await.status, 500);
}

#[tokio::test]
async fn an_upload_gets_another_name_when_its_own_is_taken() {
    let sim = Sim::start().await.unwrap();
    let upload = async |fields: &str| {
        let form = format!("{fields}--b--\r\n");
        request(
            &sim,
            "POST",
            "/upload/image",
            &[("Content-Type", "multipart/form-data; boundary=b")],
            form.as_bytes(),
        )
        .await
    };
    let image = |content: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a.png\"\r\n\r\n{content}\r\n"
        )
    };
    let field = |name: &str, value: &str| {
        format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let first = upload(&image("1")).await;
    assert_eq!(first.text(), r#"{"name": "a.png", "subfolder": "", "type": "input"}"#);
    assert_eq!(upload(&image("1")).await.json()["name"], "a.png");
    assert_eq!(upload(&image("2")).await.json()["name"], "a (1).png");
    assert_eq!(upload(&(image("3") + &field("overwrite", "true"))).await.json()["name"], "a.png");
    assert_eq!(get(&sim, "/view?filename=a.png&type=input").await.text(), "3");
    let elsewhere = upload(&(field("subfolder", "s") + &field("type", "temp") + &image("4"))).await;
    assert_eq!(elsewhere.json(), json!({"name": "a.png", "subfolder": "s", "type": "temp"}));
    assert_eq!(upload(&(image("5") + &field("subfolder", "../.."))).await.status, 400);
    assert_eq!(upload(&(image("5") + &field("type", "models"))).await.status, 500);
    assert_eq!(upload(&field("image", "no file")).await.status, 500);
    assert_eq!(upload(&field("other", "x")).await.status, 400);
    let choices =
        get_json(&sim, "/object_info/LoadImage").await["LoadImage"]["input"]["required"]["image"][0].clone();
    assert_eq!(choices, json!(["a (1).png", "a.png"]));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_whose_name_fits_into_no_header_is_not_answered() {
    let base = tempfile::tempdir().unwrap();
    std::fs::create_dir(base.path().join("output")).unwrap();
    std::fs::write(base.path().join("output/new\nline.png"), b"x").unwrap();
    let sim = Sim::builder().base_dir(base.path()).start().await.unwrap();
    let mut stream = tokio::net::TcpStream::connect(sim.address()).await.unwrap();
    stream.write_all(b"GET /view?filename=new%0Aline.png HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, b"");
}

#[tokio::test]
async fn history_can_be_read_in_parts_and_deleted() {
    let sim = Sim::start().await.unwrap();
    let mut socket = Socket::open(&sim, "a").await;
    let mut ids = Vec::new();
    for prefix in ["a", "b", "c"] {
        ids.push(submit(&sim, "a", three_nodes(prefix)).await);
        socket.until("executing null").await;
    }
    let listed = async |query: &str| {
        let history = get_json(&sim, &format!("/history{query}")).await;
        history.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    assert_eq!(listed("").await, ids);
    assert_eq!(listed("?max_items=1").await, ids[2..]);
    assert_eq!(listed("?max_items=1&offset=0").await, ids[..1]);
    assert_eq!(get(&sim, "/history?max_items=abc").await.status, 500);
    assert_eq!(post(&sim, "/history", &json!({"delete": [ids[1], "nope"]})).await.status, 200);
    assert_eq!(listed("").await, [ids[0].as_str(), ids[2].as_str()]);
    post(&sim, "/history", &json!({"clear": true})).await;
    assert_eq!(listed("").await, [""; 0]);
}

#[tokio::test]
async fn node_classes_are_described_one_by_one_and_all_together() {
    let sim = Sim::start().await.unwrap();
    let all = get_json(&sim, "/object_info").await;
    assert_eq!(get_json(&sim, "/api/object_info/EmptyImage").await["EmptyImage"], all["EmptyImage"]);
    assert_eq!(get_json(&sim, "/object_info/NoSuchNode").await, json!({}));
    assert_eq!(get_json(&sim, "/system_stats").await["system"]["comfyui_version"], "0.30.0");
}

#[tokio::test]
async fn a_mask_is_put_on_its_original_and_not_written_where_there_is_none() {
    let sim = Sim::start().await.unwrap();
    // Pictures of one pixel: a red one with a text, and a transparent one.
    let picture = |transparent: bool, width: u32| {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, width, 1);
        encoder.set_color(if transparent { png::ColorType::Rgba } else { png::ColorType::Rgb });
        encoder.add_text_chunk("prompt".into(), "{}".into()).unwrap();
        let pixel: &[u8] = if transparent { &[0, 0, 0, 77] } else { &[255, 0, 0] };
        encoder.write_header().unwrap().write_image_data(&pixel.repeat(width as usize)).unwrap();
        bytes
    };
    let upload = async |route: &str, name: &str, content: &[u8], original: Option<Value>| {
        let mut form =
            format!("--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"{name}\"\r\n\r\n")
                .into_bytes();
        form.extend_from_slice(content);
        if let Some(original) = original {
            form.extend_from_slice(
                format!("\r\n--b\r\nContent-Disposition: form-data; name=\"original_ref\"\r\n\r\n{original}")
                    .as_bytes(),
            );
        }
        form.extend_from_slice(b"\r\n--b--\r\n");
        let kind = [("Content-Type", "multipart/form-data; boundary=b")];
        request(&sim, "POST", &format!("/upload/{route}"), &kind, &form).await
    };
    upload("image", "a.png", &picture(false, 1), None).await;
    let original = json!({"filename": "a.png", "type": "input", "subfolder": ""});
    let mask = picture(true, 1);
    let stored = upload("mask", "m.png", &mask, Some(original.clone())).await;
    assert_eq!(stored.json(), json!({"name": "m.png", "subfolder": "", "type": "input"}));
    let masked = get(&sim, "/view?filename=m.png&type=input").await.body;
    let mut reader = png::Decoder::new(std::io::Cursor::new(&masked)).read_info().unwrap();
    assert_eq!(reader.info().uncompressed_latin1_text[0].text, "{}");
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert_eq!(pixels, [255, 0, 0, 77]);

    assert_eq!(upload("mask", "m.png", &mask, Some(original.clone())).await.json()["name"], "m (1).png");
    for (what, name, content, original) in [
        ("no original", "n.png", &*mask, None),
        ("no name", "n.png", &mask, Some(json!({"x": 1}))),
        ("no object", "n.png", &mask, Some(json!([1]))),
        ("another size", "n.png", &picture(true, 2), Some(original.clone())),
        ("no picture", "n.png", b"no picture", Some(original.clone())),
        ("no transparency", "n.jpg", &mask, Some(original.clone())),
    ] {
        assert_eq!(upload("mask", name, content, original).await.status, 500, "{what}");
    }
    for missing in [
        json!({"filename": "a.png"}),
        json!({"filename": "../a.png", "type": "input"}),
        json!({"filename": "a.png", "type": "models"}),
        json!({"filename": "a.png", "type": "input", "subfolder": "../.."}),
    ] {
        let answer = upload("mask", "n.png", &mask, Some(missing.clone())).await;
        assert_eq!((answer.status, answer.json()["name"].as_str()), (200, Some("n.png")), "{missing}");
        assert_eq!(get(&sim, "/view?filename=n.png&type=input").await.status, 404, "{missing}");
    }
}
