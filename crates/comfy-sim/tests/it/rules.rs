//! What holds for every route: origins, methods, caching, packing, sizes.

use std::io::Read as _;

use comfy_sim::{ServerVersion, Sim};
use flate2::read::{GzDecoder, ZlibDecoder};

use crate::support::{get, request};

#[tokio::test]
async fn pages_of_other_sites_are_refused_and_told_by_more_since_0_30() {
    for version in ServerVersion::ALL {
        let sim = Sim::builder().version(version).start().await.unwrap();
        let asked = async |name: &str, value: &str| {
            request(&sim, "GET", "/prompt", &[(name, value)], b"").await.status
        };
        assert_eq!(asked("Origin", &sim.url()).await, 200);
        assert_eq!(asked("Origin", "http://evil.example").await, 403);
        let refused = if version >= ServerVersion::V0_30_0 { 403 } else { 200 };
        assert_eq!(asked("Sec-Fetch-Site", "cross-site").await, refused, "{version}");
        assert_eq!(asked("Sec-Fetch-Site", "CROSS-SITE").await, 200);
    }
}

#[tokio::test]
async fn with_an_origin_every_page_may_ask_and_is_told_so_except_by_errors() {
    for version in ServerVersion::ALL {
        let sim = Sim::builder().version(version).cors_origin("https://app.example").start().await.unwrap();
        let foreign = [("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site")];
        for (method, path, status) in [
            ("GET", "/prompt", 200),
            ("OPTIONS", "/nope", 200),
            ("GET", "/nope", 404),
            ("GET", "/models/x", 404),
        ] {
            let answer = request(&sim, method, path, &foreign, b"").await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("https://app.example"));
            let methods = answer.header("access-control-allow-methods").unwrap();
            assert_eq!(methods.ends_with(", PATCH"), version >= ServerVersion::V0_8_0, "{methods}");
        }
        for (method, path, status) in
            [("PUT", "/prompt", 405), ("GET", "//prompt", 404), ("POST", "/prompt", 500)]
        {
            let answer = request(&sim, method, path, &foreign, b"").await;
            assert_eq!(answer.status, status, "{method} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn answers_are_packed_for_those_who_ask_and_files_never() {
    let sim = Sim::builder().compress_responses(true).start().await.unwrap();
    let plain = get(&sim, "/models").await;
    assert_eq!(plain.header("content-encoding"), None);
    let asked = async |path: &str, coding: &str| {
        request(&sim, "GET", path, &[("Accept-Encoding", coding)], b"").await
    };
    let gzip = asked("/models", "gzip").await;
    let mut unpacked = Vec::new();
    GzDecoder::new(gzip.body.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!((gzip.header("content-encoding"), &unpacked), (Some("gzip"), &plain.body));
    assert_eq!(gzip.header("content-length"), Some(gzip.body.len().to_string().as_str()));
    let deflate = asked("/models", "gzip, deflate").await;
    let mut unpacked = Vec::new();
    ZlibDecoder::new(deflate.body.as_slice()).read_to_end(&mut unpacked).unwrap();
    assert_eq!((deflate.header("content-encoding"), &unpacked), (Some("deflate"), &plain.body));
    assert_eq!(asked("/userdata", "gzip").await.header("content-encoding"), Some("gzip"));
    request(&sim, "POST", "/userdata/t.json", &[], b"{}").await;
    for path in ["/userdata/t.json", "/nope", "//prompt", "/models/nope"] {
        assert_eq!(asked(path, "gzip").await.header("content-encoding"), None, "{path}");
    }
    let without = Sim::start().await.unwrap();
    let answer = request(&without, "GET", "/models", &[("Accept-Encoding", "gzip")], b"").await;
    assert_eq!(answer.header("content-encoding"), None);
}

#[tokio::test]
async fn the_limit_of_bodies_can_be_a_fraction_of_a_megabyte() {
    let sim = Sim::builder().max_upload_megabytes(0.001).start().await.unwrap();
    assert_eq!(request(&sim, "POST", "/userdata/fits", &[], &[b'x'; 1048]).await.status, 200);
    let head = b"--b\r\nContent-Disposition: form-data; name=\"image\"; filename=\"a\"\r\n\r\n";
    let form = [&head[..], &[b'x'; 1048]].concat();
    for (path, kind, body) in [
        ("/userdata/large", "text/plain", &[b'x'; 1049][..]),
        ("/prompt", "application/json", &[b' '; 1049][..]),
        ("/upload/image", "multipart/form-data; boundary=b", &form),
    ] {
        let answer = request(&sim, "POST", path, &[("Content-Type", kind)], body).await;
        assert_eq!(answer.status, 413, "{path}");
        assert_eq!(answer.text(), "Maximum request body size 1048 exceeded.", "{path}");
    }
    // Packed bodies count as what they become.
    let mut packed = Vec::new();
    flate2::read::GzEncoder::new(&[b' '; 5000][..], flate2::Compression::best())
        .read_to_end(&mut packed)
        .unwrap();
    let answer = request(&sim, "POST", "/prompt", &[("Content-Encoding", "gzip")], &packed).await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn how_long_an_answer_is_kept_depends_on_its_path() {
    for version in ServerVersion::ALL {
        let sim = Sim::builder().version(version).start().await.unwrap();
        let kept = async |method: &str, path: &str| {
            let answer = request(&sim, method, path, &[], b"x").await;
            answer.header("cache-control").map(str::to_owned)
        };
        let (day, hour) = (Some("public, max-age=86400".to_owned()), Some("public, max-age=3600".to_owned()));
        assert_eq!(kept("POST", "/userdata/p.PNG").await, day);
        assert_eq!(kept("GET", "/userdata/p.PNG").await, day);
        assert_eq!(kept("GET", "/userdata/missing.png").await, hour);
        assert_eq!(kept("GET", "/missing.png").await, day, "the static files");
        assert_eq!(kept("OPTIONS", "/missing.png").await, day);
        assert_eq!(kept("GET", "/userdata/..%2F..%2Fout.png").await, None);
        assert_eq!(kept("PUT", "/userdata/p.png").await, None);
        let never = if version >= ServerVersion::V0_30_0 { "no-store" } else { "no-cache" };
        for path in ["/userdata/a.js", "/userdata/index.json", "/a.css"] {
            assert_eq!(kept("GET", path).await.as_deref(), Some(never), "{path}");
        }
        assert_eq!(kept("GET", "/userdata/a.json").await, None);
    }
}

#[tokio::test]
async fn without_nodes_that_use_services_browsers_are_told_to_stay_since_0_8() {
    for version in ServerVersion::ALL {
        let sim = Sim::builder().version(version).disable_api_nodes(true).start().await.unwrap();
        let has_policy = version >= ServerVersion::V0_8_0;
        for (method, path, expected) in [
            ("GET", "/prompt", has_policy),
            ("GET", "/nope", has_policy),
            ("OPTIONS", "/prompt", false),
            ("PUT", "/prompt", false),
        ] {
            let answer = request(&sim, method, path, &[], b"").await;
            let policy = answer.header("content-security-policy");
            assert_eq!(
                policy.is_some_and(|policy| policy.contains("connect-src 'self'")),
                expected,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn refused_methods_are_answered_with_those_that_a_path_has() {
    let sim = Sim::start().await.unwrap();
    for (path, methods) in [
        ("/userdata/x", "DELETE,GET,HEAD,POST"),
        ("/api/settings/x", "GET,HEAD,POST"),
        ("/interrupt", "GET,HEAD,POST"),
        ("/models/loras", "GET,HEAD"),
        ("/", "GET,HEAD"),
        ("/nope", "GET,HEAD"),
    ] {
        let answer = request(&sim, "PATCH", path, &[], b"").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some(methods)), "{path}");
    }
    for path in ["/internal", "/internal/nope"] {
        let answer = request(&sim, "PATCH", path, &[], b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (404, "404: Not Found"), "{path}");
    }
    assert_eq!(get(&sim, "/interrupt").await.status, 404);
    assert_eq!(get(&sim, "/prompt").await.header("allow"), None);
}
