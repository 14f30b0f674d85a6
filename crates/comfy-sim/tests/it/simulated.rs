//! Workflows with models, which are simulated.

use std::collections::HashSet;
use std::io::Read as _;
use std::time::{Duration, Instant};

use comfy_sim::{PreviewMethod, Sim};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Socket, get, get_json, post, submit};

/// The workflow that everybody begins with.
fn workflow() -> Value {
    json!({
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "some.safetensors"}},
        "2": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse", "clip": ["1", 1]}},
        "3": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["1", 1]}},
        "4": {"class_type": "EmptyLatentImage", "inputs": {"width": 96, "height": 128, "batch_size": 2}},
        "5": {"class_type": "KSampler", "inputs": {
            "seed": 42, "steps": 4, "cfg": 7.5, "sampler_name": "euler", "scheduler": "normal", "denoise": 1.0,
            "model": ["1", 0], "positive": ["2", 0], "negative": ["3", 0], "latent_image": ["4", 0],
        }},
        "6": {"class_type": "VAEDecode", "inputs": {"samples": ["5", 0], "vae": ["1", 2]}},
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "t"}},
    })
}

async fn any_model() -> Sim {
    Sim::builder().any_model(true).start().await.unwrap()
}

/// Runs a prompt and gives its record.
async fn run(sim: &Sim, prompt: Value) -> Value {
    let id = submit(sim, "nobody", prompt).await;
    loop {
        let record = get_json(sim, &format!("/history/{id}")).await;
        if let Some(record) = record.get(&id) {
            return record.clone();
        }
    }
}

struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
    /// The classes that its mark names.
    simulated: Vec<String>,
}

async fn picture(sim: &Sim, item: &Value) -> Picture {
    let name = item["filename"].as_str().unwrap();
    let file = get(sim, &format!("/view?filename={name}&type={}", item["type"].as_str().unwrap())).await.body;
    let mut reader = png::Decoder::new(std::io::Cursor::new(file)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let chunks = &reader.info().uncompressed_latin1_text;
    let mark = chunks.iter().find(|chunk| chunk.keyword == "simulated");
    let simulated = mark.map(|chunk| serde_json::from_str(&chunk.text).unwrap()).unwrap_or_default();
    Picture { width: info.width, height: info.height, pixels, simulated }
}

async fn first_picture(sim: &Sim, prompt: Value) -> Picture {
    let record = run(sim, prompt).await;
    assert_eq!(record["status"]["status_str"], "success", "{record}");
    picture(sim, &record["outputs"]["7"]["images"][0]).await
}

#[tokio::test]
async fn pictures_follow_from_seed_texts_and_size_and_from_nothing_else() {
    let sim = any_model().await;
    let change = |node: &str, input: &str, value: Value| {
        let mut prompt = workflow();
        prompt[node]["inputs"][input] = value;
        prompt
    };
    let first = first_picture(&sim, workflow()).await;
    assert_eq!((first.width, first.height), (96, 128));
    for same in [
        change("5", "cfg", json!(3.0)),
        change("5", "steps", json!(6)),
        change("5", "sampler_name", json!("dpmpp_2m")),
        change("1", "ckpt_name", json!("other.safetensors")),
        change("7", "filename_prefix", json!("other")),
        // On another simulator too, with nothing in memory.
        workflow(),
    ] {
        let other = any_model().await;
        assert!(first_picture(&other, same.clone()).await.pixels == first.pixels, "{same}");
    }
    for different in [
        change("5", "seed", json!(43)),
        change("2", "text", json!("a light house")),
        change("3", "text", json!("")),
        change("4", "width", json!(104)),
    ] {
        assert!(first_picture(&sim, different.clone()).await.pixels != first.pixels, "{different}");
    }
    // What was the positive text is not the negative one.
    let mut swapped = change("5", "positive", json!(["3", 0]));
    swapped["5"]["inputs"]["negative"] = json!(["2", 0]);
    assert!(first_picture(&sim, swapped).await.pixels != first.pixels);
}

#[tokio::test]
async fn the_pictures_of_a_batch_differ() {
    let sim = any_model().await;
    let record = run(&sim, workflow()).await;
    let items = record["outputs"]["7"]["images"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert!(picture(&sim, &items[0]).await.pixels != picture(&sim, &items[1]).await.pixels);
}

#[tokio::test]
async fn pictures_name_the_simulated_classes_that_they_come_from() {
    let sim = any_model().await;
    let mut prompt = workflow();
    prompt["8"] = json!({"class_type": "ImageInvert", "inputs": {"image": ["6", 0]}});
    prompt["7"]["inputs"]["images"] = json!(["8", 0]);
    let simulated: HashSet<String> = first_picture(&sim, prompt).await.simulated.into_iter().collect();
    let expected = ["CheckpointLoaderSimple", "CLIPTextEncode", "EmptyLatentImage", "KSampler", "VAEDecode"];
    assert_eq!(simulated, expected.map(str::to_owned).into());

    let computed = json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 255}},
        "7": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "computed"}},
    });
    let record = run(&sim, computed).await;
    let name = record["outputs"]["7"]["images"][0]["filename"].as_str().unwrap();
    let file = get(&sim, &format!("/view?filename={name}&type=output")).await.body;
    assert!(!file.windows(9).any(|window| window == b"simulated"));
}

#[tokio::test]
async fn the_first_pass_of_two_matters_to_the_second() {
    let sim = any_model().await;
    let mut prompt = workflow();
    prompt["10"] = json!({"class_type": "ImageScaleBy", "inputs": {"image": ["6", 0], "upscale_method": "area", "scale_by": 1.5}});
    prompt["11"] = json!({"class_type": "VAEEncode", "inputs": {"pixels": ["10", 0], "vae": ["1", 2]}});
    prompt["12"] = prompt["5"].clone();
    prompt["12"]["inputs"]["seed"] = json!(7);
    prompt["12"]["inputs"]["latent_image"] = json!(["11", 0]);
    prompt["13"] = json!({"class_type": "VAEDecode", "inputs": {"samples": ["12", 0], "vae": ["1", 2]}});
    prompt["7"]["inputs"]["images"] = json!(["13", 0]);
    let first = first_picture(&sim, prompt.clone()).await;
    assert_eq!((first.width, first.height), (144, 192));
    prompt["5"]["inputs"]["seed"] = json!(43);
    assert!(first_picture(&sim, prompt).await.pixels != first.pixels);
}

#[tokio::test]
async fn models_are_those_of_the_folder() {
    let models = tempfile::tempdir().unwrap();
    let checkpoints = models.path().join("checkpoints/sub");
    std::fs::create_dir_all(&checkpoints).unwrap();
    let sim = Sim::builder().models(models.path()).start().await.unwrap();
    let listed = async || {
        let info = get_json(&sim, "/object_info/CheckpointLoaderSimple").await;
        info["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0].clone()
    };
    assert_eq!(listed().await, json!([]));
    assert_eq!(post(&sim, "/prompt", &json!({"prompt": workflow()})).await.status, 400);
    std::fs::write(checkpoints.join("some.safetensors"), b"").unwrap();
    std::fs::write(checkpoints.join("readme.md"), b"").unwrap();
    assert_eq!(listed().await, json!(["sub/some.safetensors"]));
    let answer = post(&sim, "/prompt", &json!({"prompt": workflow()})).await.json();
    assert_eq!(
        answer["node_errors"]["1"]["errors"][0]["details"],
        "ckpt_name: 'some.safetensors' not in ['sub/some.safetensors']"
    );
    let mut prompt = workflow();
    prompt["1"]["inputs"]["ckpt_name"] = json!("sub/some.safetensors");
    first_picture(&sim, prompt).await;
    let vae = get_json(&sim, "/object_info/VAELoader").await;
    assert_eq!(vae["VAELoader"]["input"]["required"]["vae_name"][0], json!(["pixel_space"]));
}

#[tokio::test]
async fn where_any_model_is_taken_no_list_says_that_there_are_none() {
    let sim = any_model().await;
    let type_of = async |class: &str, input: &str| {
        let info = get_json(&sim, &format!("/object_info/{class}")).await;
        info[class]["input"]["required"][input][0].clone()
    };
    assert_eq!(type_of("CheckpointLoaderSimple", "ckpt_name").await, "STRING");
    let all = get_json(&sim, "/object_info").await;
    assert_eq!(all["LoraLoader"]["input"]["required"]["lora_name"][0], "STRING");
    assert_eq!(type_of("KSampler", "sampler_name").await[0], "euler");
}

#[tokio::test]
async fn nodes_take_the_time_that_they_are_given() {
    let sim = Sim::builder()
        .any_model(true)
        .node_time("VAEDecode", Duration::from_millis(30))
        .step_time(Duration::from_millis(10))
        .start()
        .await
        .unwrap();
    let start = Instant::now();
    first_picture(&sim, workflow()).await;
    assert!(start.elapsed() >= Duration::from_millis(70));
}

#[tokio::test]
async fn samplers_send_previews_when_they_are_asked_for() {
    for (method, asked, expected) in [
        (PreviewMethod::None, json!({}), 0),
        (PreviewMethod::Auto, json!({}), 4),
        (PreviewMethod::None, json!({"preview_method": "latent2rgb"}), 4),
        (PreviewMethod::Taesd, json!({"preview_method": "none"}), 0),
        (PreviewMethod::None, json!({"preview_method": "nonsense"}), 0),
    ] {
        let sim = Sim::builder().any_model(true).preview_method(method).start().await.unwrap();
        let mut socket = Socket::open(&sim, "watcher").await;
        let body = json!({"prompt": workflow(), "client_id": "watcher", "extra_data": asked});
        assert_eq!(post(&sim, "/prompt", &body).await.status, 200);
        let (mut previews, mut steps) = (0, 0);
        loop {
            match socket.next_frame().await.unwrap() {
                Message::Binary(frame) => {
                    assert_eq!(frame[..8], [0, 0, 0, 1, 0, 0, 0, 1], "a JPEG");
                    assert_eq!(frame[8..10], [0xff, 0xd8]);
                    previews += 1;
                }
                Message::Text(text) => {
                    let message: Value = serde_json::from_str(&text).unwrap();
                    steps += u32::from(message["type"] == "progress");
                    if message["type"] == "execution_success" {
                        break;
                    }
                }
                _ => {}
            }
        }
        assert_eq!((previews, steps), (expected, 4), "{method:?} {asked}");
    }
}

/// Recorded workflows of the editor's templates and examples, each with the schemas of its server.
const SETS: [(&str, &str); 3] = [("dev3", "0.3.64"), ("dev", "0.8.0"), ("dev4", "0.30.0")];

/// How many of each set run. All of them take minutes.
const SAMPLE: usize = 12;

/// The folder of recordings; `None`, with the reason printed, where it is not at hand.
fn corpus() -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("COMFY_CORPUS").map(std::path::PathBuf::from);
    let folder = folder
        .unwrap_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"))
        .join("convert");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is not at hand", folder.display());
    println!("skipped: {} is not at hand", folder.display());
    None
}

fn unpacked(path: &std::path::Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Holds a prompt to a size that can be run by the dozen.
fn made_small(prompt: &mut Value, info: &Value) {
    for node in prompt.as_object_mut().into_iter().flatten().map(|(_, node)| node) {
        // Services have narrow bounds.
        if info[node["class_type"].as_str().unwrap_or_default()]["api_node"] == true {
            continue;
        }
        for (name, value) in node["inputs"].as_object_mut().into_iter().flatten() {
            let most = match name.rsplit('.').next().unwrap_or(name) {
                "width" | "height" => 64,
                "megapixels" => {
                    *value = 0.01.into();
                    continue;
                }
                "length" | "steps" | "end_at_step" => 5,
                "batch_size" | "amount" | "duration" | "seconds" => 1,
                _ => continue,
            };
            if value.as_f64().is_some_and(|value| value > f64::from(most)) {
                *value = most.into();
            }
        }
    }
}

#[tokio::test]
async fn workflows_from_the_wild_run() {
    let Some(folder) = corpus() else { return };
    let sample = std::env::var("COMFY_SAMPLE").ok().and_then(|sample| sample.parse().ok()).unwrap_or(SAMPLE);
    for (set, version) in SETS {
        let object_info = unpacked(&folder.join(format!("object_info.{version}.json.gz")));
        let info = without_models(&object_info);
        let base = tempfile::tempdir().unwrap();
        let sim = Sim::builder()
            .base_dir(base.path())
            .version(version.parse().unwrap())
            .object_info(info.to_string())
            .any_model(true)
            .start()
            .await
            .unwrap();
        let mut paths: Vec<_> =
            std::fs::read_dir(folder.join(set)).unwrap().map(|entry| entry.unwrap().path()).collect();
        // The others are broken on purpose.
        paths.retain(|path| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            ["tmpl", "ex__", "v1__"].iter().any(|start| name.starts_with(start))
        });
        paths.sort();
        let step = (paths.len() / sample).max(1);
        let (mut ran, mut refused) = (0, 0);
        for path in paths.iter().step_by(step) {
            let recorded: Value = serde_json::from_slice(&unpacked(path)).unwrap();
            let mut prompt = recorded["prompt_api"].clone();
            // The frames of a loaded video have their own size, which takes long where nothing is optimised.
            if prompt.to_string().contains("\"LoadVideo\"") {
                continue;
            }
            made_small(&mut prompt, &info);
            provide_files(&prompt, base.path());
            let answer = post(&sim, "/prompt", &json!({"prompt": prompt})).await;
            if answer.status != 200 {
                refused += 1;
                if std::env::var_os("COMFY_SAMPLE").is_some() {
                    println!("{}: {}", path.display(), answer.text().chars().take(600).collect::<String>());
                }
                continue;
            }
            let id = answer.json()["prompt_id"].as_str().unwrap().to_owned();
            let patience = Instant::now() + Duration::from_secs(60);
            let record = loop {
                let record = get_json(&sim, &format!("/history/{id}")).await;
                if let Some(record) = record.get(&id) {
                    break record.clone();
                }
                assert!(Instant::now() < patience, "{} does not end", path.display());
            };
            if std::env::var_os("COMFY_SAMPLE").is_some() && record["status"]["status_str"] != "success" {
                println!("{}: {}", path.display(), failure(&record));
                continue;
            }
            assert_eq!(record["status"]["status_str"], "success", "{}: {}", path.display(), failure(&record));
            ran += 1;
        }
        println!("{version}: {ran} workflows ran, {refused} were refused");
        assert!(ran > refused, "{version}: {ran} ran, {refused} were refused");
    }
}

fn failure(record: &Value) -> String {
    let messages = record["status"]["messages"].as_array().into_iter().flatten();
    let error = messages.map(|message| &message[1]).find(|data| data.get("exception_message").is_some());
    error.map_or_else(String::new, |error| {
        format!("{} {} {}", error["node_type"], error["exception_type"], error["exception_message"])
    })
}

/// The server of the recordings had a few files of some kinds, which is not what the workflows ask for.
fn without_models(object_info: &[u8]) -> Value {
    let mut info: Value = serde_json::from_slice(object_info).unwrap();
    for (_, class) in info.as_object_mut().unwrap() {
        for (_, inputs) in class["input"].as_object_mut().into_iter().flatten() {
            for (_, spec) in inputs.as_object_mut().into_iter().flatten() {
                for place in ["/0", "/1/options"] {
                    if let Some(choices) = spec.pointer_mut(place).and_then(Value::as_array_mut) {
                        let is_model = |choice: &Value| {
                            choice.as_str().is_some_and(|name| name.ends_with(".safetensors"))
                        };
                        choices.retain(|choice| !is_model(choice));
                    }
                }
            }
        }
    }
    info
}

/// Puts a picture of every name that loaders ask for into the input folder.
fn provide_files(prompt: &Value, base: &std::path::Path) {
    for (_, node) in prompt.as_object().into_iter().flatten() {
        if !node["class_type"].as_str().is_some_and(|class| class.starts_with("Load")) {
            continue;
        }
        for input in ["image", "audio", "file", "video", "model_file", "latent"] {
            if let Some(name) = node["inputs"][input].as_str() {
                let name = name
                    .strip_suffix(']')
                    .and_then(|name| name.rsplit_once(" ["))
                    .map_or(name, |(name, _)| name);
                let path = base.join("input").join(name);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                let mut file = Vec::new();
                let mut encoder = png::Encoder::new(&mut file, 2, 2);
                encoder.set_color(png::ColorType::Rgb);
                encoder.write_header().unwrap().write_image_data(&[90; 12]).unwrap();
                std::fs::write(path, file).unwrap();
            }
        }
    }
}
