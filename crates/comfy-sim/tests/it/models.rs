//! Models: which there are, what they say about themselves, and their pictures.

use std::path::Path;

use base64::Engine as _;
use comfy_sim::{ServerVersion, Sim};
use serde_json::{Value, json};

use crate::support::{get, get_json};

/// A file with this header.
fn weights(header: &Value) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes()].concat()
}

fn picture(width: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, 1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().unwrap().write_image_data(&vec![9; 3 * width as usize]).unwrap();
    bytes
}

fn put(folder: &Path, name: &str, content: &[u8]) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

#[tokio::test]
async fn models_are_the_files_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "loras/b.safetensors", b"");
    put(folder.path(), "loras/sub/a.PT", b"xx");
    put(folder.path(), "loras/notes.txt", b"");
    put(folder.path(), "clip/c.sft", b"");
    put(folder.path(), "embeddings/one.two.pt", b"");
    let sim = Sim::builder().models(folder.path()).start().await.unwrap();
    assert_eq!(get_json(&sim, "/models/loras").await, json!(["b.safetensors", "sub/a.PT"]));
    assert_eq!(get_json(&sim, "/api/models/text_encoders").await, json!(["c.sft"]));
    assert_eq!(get_json(&sim, "/embeddings").await, json!(["one.two"]));
    assert_eq!(get_json(&sim, "/models/checkpoints").await, json!([]));
    for unknown in ["LORAS", "unet", "..", "%2e%2e", "loras%2F.."] {
        let answer = get(&sim, &format!("/models/{unknown}")).await;
        assert_eq!((answer.status, answer.body.len()), (404, 0), "{unknown}");
    }
    let file = &get_json(&sim, "/experiment/models/loras").await[1];
    assert_eq!(
        (&file["name"], &file["pathIndex"], &file["size"]),
        (&json!("sub/a.PT"), &json!(0), &json!(2))
    );
    assert!(file["modified"].is_f64() && file["created"].is_f64(), "{file}");
    let clip = get_json(&sim, "/experiment/models/text_encoders").await;
    assert_eq!(clip[0]["pathIndex"], 1);
}

#[tokio::test]
async fn newer_servers_have_more_kinds_of_models() {
    for (version, kinds, has_extensions) in [
        (ServerVersion::V0_3_64, 20, false),
        (ServerVersion::V0_8_0, 21, false),
        (ServerVersion::V0_30_0, 27, true),
    ] {
        let sim = Sim::builder().version(version).start().await.unwrap();
        assert_eq!(get_json(&sim, "/models").await.as_array().unwrap().len(), kinds);
        let folders = get_json(&sim, "/experiment/models").await;
        let folders = folders.as_array().unwrap();
        assert_eq!(folders.len(), kinds - 2, "without configs and custom_nodes");
        assert!(folders.iter().all(|folder| folder.get("extensions").is_some() == has_extensions));
    }
}

#[tokio::test]
async fn files_say_about_themselves_what_is_in_their_headers() {
    let folder = tempfile::tempdir().unwrap();
    let description = json!({"title": "ü", "dim": "4"});
    put(folder.path(), "loras/sub/a.safetensors", &weights(&json!({"__metadata__": description, "w": {}})));
    put(folder.path(), "loras/plain.safetensors", &weights(&json!({"w": {}})));
    put(folder.path(), "loras/empty.safetensors", b"");
    put(folder.path(), "loras/broken.safetensors", b"\x03\0\0\0\0\0\0\0xyz");
    put(folder.path(), "loras/huge.safetensors", &[255; 20]);
    put(folder.path(), "vae/b.safetensors", &weights(&json!({"__metadata__": {}})));
    let sim = Sim::builder().models(folder.path()).start().await.unwrap();
    let told = async |name: &str| get(&sim, &format!("/view_metadata/loras?filename={name}")).await;
    assert_eq!(told("sub%2Fa.safetensors").await.json(), description);
    for (name, status) in [
        ("plain.safetensors", 404),
        ("missing.safetensors", 404),
        ("..%2Fvae%2Fb.safetensors", 404),
        ("a%00.safetensors", 404),
        ("%2Fetc%2Fpasswd", 404),
        ("huge.safetensors", 404),
        ("", 404),
        ("broken.safetensors", 500),
        ("empty.safetensors", 500),
    ] {
        assert_eq!(told(name).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn a_models_picture_is_beside_it_or_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let cover = base64::engine::general_purpose::STANDARD.encode(picture(5));
    let with_covers = |covers: &str| weights(&json!({"__metadata__": {"ssmd_cover_images": covers}}));
    put(folder.path(), "loras/beside.safetensors", &weights(&json!({})));
    put(folder.path(), "loras/beside.preview.png", &picture(3));
    put(folder.path(), "loras/old.ckpt", b"");
    put(folder.path(), "loras/old.png", &picture(4));
    put(folder.path(), "loras/sub dir/in.safetensors", &with_covers(&json!([cover]).to_string()));
    put(folder.path(), "loras/none.safetensors", &with_covers("[]"));
    put(folder.path(), "loras/bad.safetensors", &with_covers("no list"));
    put(folder.path(), "loras/text.safetensors", &weights(&json!({})));
    put(folder.path(), "loras/text.png", b"no picture");
    put(folder.path(), "secret.png", &picture(1));
    for version in ServerVersion::ALL {
        let sim = Sim::builder().version(version).models(folder.path()).start().await.unwrap();
        let shown = async |rest: &str| get(&sim, &format!("/experiment/models/preview/{rest}")).await;
        for (name, width) in
            [("beside.safetensors", 3), ("old.ckpt", 4), ("old", 4), ("sub%20dir/in.safetensors", 5)]
        {
            let answer = shown(&format!("loras/0/{name}")).await;
            assert_eq!(answer.header("content-type"), Some("image/webp"), "{name}");
            assert_eq!(image::load_from_memory(&answer.body).unwrap().width(), width, "{name}");
        }
        // What was answered up to 0.8.0, and since.
        for (rest, old, new) in [
            ("loras/0/missing.safetensors", 404, 404),
            ("loras/0/none.safetensors", 404, 404),
            ("loras/0/text.safetensors", 404, 404),
            ("loras/0/bad.safetensors", 500, 500),
            ("bogus/0/x", 404, 404),
            ("loras/x/old.ckpt", 500, 400),
            ("loras/9/old.ckpt", 500, 404),
            ("loras/-1/old.ckpt", 404, 404),
            ("loras/0/", 404, 400),
            ("loras/0/..%2Fsecret.png", 404, 403),
            ("loras/0/..", 404, 403),
            ("loras/0/a%00b", 404, 403),
        ] {
            let status = if version >= ServerVersion::V0_30_0 { new } else { old };
            assert_eq!(shown(rest).await.status, status, "{version} {rest}");
        }
    }
}
