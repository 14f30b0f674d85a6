//! What the savers write besides still pictures, and what they show.

use std::io::Cursor;

use ::image::AnimationDecoder as _;
use ::image::codecs::webp::WebPDecoder;
use serde_json::json;

use super::*;
use crate::nodes::stage::{Audience, Preview, PreviewFormat, Sleep};

fn two_colors() -> Json {
    json!({
        "a": {"class_type": "EmptyImage", "inputs": {"width": 5, "height": 3, "batch_size": 1, "color": 0x00c8_6432}},
        "b": {"class_type": "EmptyImage", "inputs": {"width": 5, "height": 3, "batch_size": 1, "color": 0x0001_0203}},
        "ab": {"class_type": "ImageBatch", "inputs": {"image1": ["a", 0], "image2": ["b", 0]}}
    })
}

fn animation(class: &str, source: &str) -> Json {
    let mut prompt = two_colors();
    prompt["s"] = json!({"class_type": class, "inputs": {
        "images": [source, 0], "filename_prefix": "x", "fps": 6.0, "lossless": true, "quality": 80,
        "method": "default", "compress_level": 4
    }});
    prompt
}

fn bench(version: ServerVersion) -> Bench {
    let mut bench = Bench::new();
    bench.version = version;
    bench.extra_pnginfo = json!({"workflow": {"id": "w"}}).as_object().cloned();
    bench
}

#[test]
fn moving_pictures_are_shown_as_such() {
    for (version, class, still) in [
        (ServerVersion::V0_30_0, "SaveAnimatedWEBP", None),
        (ServerVersion::V0_8_0, "SaveAnimatedPNG", None),
        (ServerVersion::V0_3_64, "SaveAnimatedWEBP", Some(false)),
        (ServerVersion::V0_3_64, "SaveAnimatedPNG", Some(true)),
    ] {
        let bench = bench(version);
        assert_eq!(bench.shown(animation(class, "ab"))["animated"], json!([true]));
        let shown = bench.shown(animation(class, "a"));
        assert_eq!(shown.get("animated"), still.map(|still| json!([still])).as_ref(), "{class} {version}");
    }
}

#[test]
fn an_animated_webp_plays_and_holds_the_prompt() {
    let bench = bench(ServerVersion::V0_30_0);
    let bytes = bench.saved(animation("SaveAnimatedWEBP", "ab"));
    let frames = WebPDecoder::new(Cursor::new(&bytes)).expect("a WebP").into_frames();
    let frames = frames.collect_frames().expect("frames");
    let colors: Vec<_> = frames.iter().map(|frame| frame.buffer().get_pixel(2, 1).0).collect();
    assert_eq!(colors, [[0xc8, 0x64, 0x32, 255], [1, 2, 3, 255]]);
    assert_eq!(frames[0].delay().numer_denom_ms(), (166, 1));
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("prompt:{\"a\": ") && text.contains("workflow:{\"id\": \"w\"}\0"), "{text}");
    let still = bench.saved(animation("SaveAnimatedWEBP", "a"));
    assert_eq!(
        ::image::load_from_memory(&still).expect("a WebP").to_rgb8().get_pixel(0, 0).0,
        [0xc8, 0x64, 0x32]
    );
}

#[test]
fn an_animated_png_plays_and_its_notes_follow_the_pixels() {
    let bytes = bench(ServerVersion::V0_30_0).saved(animation("SaveAnimatedPNG", "ab"));
    let mut reader = png::Decoder::new(Cursor::new(&bytes)).read_info().expect("a PNG");
    let control = reader.info().animation_control.expect("moving");
    assert_eq!((control.num_frames, control.num_plays), (2, 0));
    let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
    reader.next_frame(&mut pixels).expect("a frame");
    reader.next_frame(&mut pixels).expect("a frame");
    assert_eq!(pixels[..3], [1, 2, 3]);
    let place = |kind: &[u8]| bytes.windows(kind.len()).position(|window| window == kind);
    assert!(place(b"comfprompt\0") > place(b"fdAT") && place(b"fdAT").is_some());
}

#[test]
fn masks_and_crops_are_shown_as_still() {
    let mask = json!({
        "m": {"class_type": "SolidMask", "inputs": {"value": 0.5, "width": 4, "height": 2}},
        "s": {"class_type": "MaskPreview", "inputs": {"mask": ["m", 0]}}
    });
    assert!(!bench(ServerVersion::V0_3_64).shown(mask.clone()).contains_key("animated"));
    let shown = bench(ServerVersion::V0_8_0).shown(mask);
    assert_eq!((&shown["animated"], &shown["images"][0]["type"]), (&json!([false]), &json!("temp")));
    let mut crop = two_colors();
    crop["s"] = json!({"class_type": "ImageCropV2", "inputs": {
        "image": ["a", 0], "crop_region": {"x": 1, "y": 1, "width": 2, "height": 9}
    }});
    let bench = bench(ServerVersion::V0_30_0);
    assert_eq!(bench.shown(crop.clone())["animated"], json!([false]));
    let decoded = decode(&bench.saved(crop));
    assert_eq!((decoded.width, decoded.height), (2, 2));
}

fn sound(class: &str) -> Json {
    json!({
        "a": {"class_type": "EmptyAudio", "inputs": {"duration": 0.1, "sample_rate": 8000, "channels": 2}},
        "s": {"class_type": class, "inputs": {"audio": ["a", 0], "filename_prefix": "sub/x", "quality": "V0"}}
    })
}

#[test]
fn sound_is_numbered_in_the_manner_of_the_version() {
    for (version, names) in [
        (ServerVersion::V0_30_0, ["x_00001.flac", "x_00002.mp3", "x_00003.opus"]),
        (ServerVersion::V0_8_0, ["x_00001_.flac", "x_00002_.mp3", "x_00003_.opus"]),
    ] {
        let bench = bench(version);
        let classes = ["SaveAudio", "SaveAudioMP3", "SaveAudioOpus"];
        for (class, name) in classes.into_iter().zip(names) {
            let shown = bench.shown(sound(class));
            let item = json!([{"filename": name, "subfolder": "sub", "type": "output"}]);
            assert_eq!(shown["audio"], item);
        }
    }
}

#[test]
fn saved_sound_can_be_loaded() {
    let bench = bench(ServerVersion::V0_30_0);
    let shown = bench.shown(sound("SaveAudio"));
    bench.put("x.flac", &bench.read(&shown["audio"][0]));
    let prompt = json!({
        "l": {"class_type": "LoadAudio", "inputs": {"audio": "x.flac"}},
        "t": {"class_type": "TrimAudioDuration", "inputs": {"audio": ["l", 0], "start_index": 0.0, "duration": 0.00025}},
        "s": {"class_type": "PreviewAny", "inputs": {"source": ["t", 0]}}
    });
    let text = "{'waveform': tensor([[[0., 0.],\n         [0., 0.]]]), 'sample_rate': 8000}";
    assert_eq!(bench.shown(prompt)["text"], json!([text]));
}

#[test]
fn texts_are_written_and_shown() {
    let bench = bench(ServerVersion::V0_30_0);
    let prompt = json!({
        "t": {"class_type": "PrimitiveString", "inputs": {"value": "hi\nyou"}},
        "s": {"class_type": "SaveText", "inputs": {"text": ["t", 0], "filename_prefix": "x", "format": "md"}}
    });
    let shown = bench.shown(prompt);
    assert_eq!(shown["text"], json!(["hi\nyou"]));
    assert_eq!(shown["files"], json!([{"filename": "x_00001.md", "subfolder": "", "type": "output"}]));
    assert_eq!(bench.read(&shown["files"][0]), b"hi\nyou");
}

#[test]
fn deep_pictures_keep_their_depth() {
    let mut prompt = two_colors();
    prompt["s"] = json!({"class_type": "SaveImageAdvanced", "inputs": {
        "images": ["ab", 0], "filename_prefix": "x", "format": "png", "format.bit_depth": "16-bit",
        "format.input_color_space": "sRGB"
    }});
    let bench = bench(ServerVersion::V0_30_0);
    let shown = bench.shown(prompt);
    assert_eq!(shown["images"][1]["filename"], json!("x_00002.png"));
    let picture = ::image::load_from_memory(&bench.read(&shown["images"][0])).expect("a PNG");
    assert_eq!(picture.color(), ::image::ColorType::Rgb16);
    assert_eq!(picture.to_rgb8().get_pixel(0, 0).0, [0xc8, 0x64, 0x32]);
}

/// Keeps what a node reports.
#[derive(Debug, Default)]
struct Listener(std::sync::Mutex<Vec<String>>);

impl Listener {
    fn hear(&self, text: String) {
        self.0.lock().expect("a lock").push(text);
    }
}

impl Stage for Listener {
    fn progress(
        &self,
        value: serde_json::Number,
        max: serde_json::Number,
        preview: Option<&Preview>,
    ) -> Result<(), NodeError> {
        let preview = preview.expect("a preview");
        assert_eq!(preview.format, PreviewFormat::Png);
        self.hear(format!("{value} of {max}: {} wide", decode(&preview.bytes).width));
        Ok(())
    }

    fn progress_state(&self, _: serde_json::Number, _: serde_json::Number) -> Result<(), NodeError> {
        Ok(())
    }

    fn check_interrupt(&self) -> Result<(), NodeError> {
        Ok(())
    }

    fn sleep(&self, _: std::time::Duration, _: Sleep) -> Result<(), NodeError> {
        Ok(())
    }

    fn send_text(&self, text: &str, audience: Audience) {
        self.hear(format!("{audience:?}: {text}"));
    }

    fn send_message(&self, _: &str, _: Json, _: Audience) {}

    fn send_frame(&self, _: u32, _: &[u8], _: Audience) {}

    fn log(&self, _: &[&str]) {}

    fn write(&self, _: &str) {}
}

#[test]
fn pictures_and_sizes_are_sent_over_the_socket() {
    let bench = Bench::new();
    let listener = Listener::default();
    let image = Value::image(crate::value::Image::zeros(2, 3, 5, 3).expect("small"));
    for (class_name, input) in [("SaveImageWebsocket", "images"), ("GetImageSize", "image")] {
        let mut context = Context {
            files: &bench.files,
            prompt: &json!({}),
            extra_pnginfo: None,
            instance: &bench.instance,
            node: &"1".into(),
            call: 0,
            snapshot: None,
            setting: &Setting::default(),
            version: bench.version,
            stage: &listener,
        };
        let inputs = Inputs([(input.to_owned(), image.clone())].into_iter().collect());
        let ran = (class(class_name).expect("known").run)(&inputs, &mut context).expect("a run");
        assert!(ran.ui.is_none());
    }
    let heard = listener.0.into_inner().expect("a lock");
    let size = "Everyone: width: 5, height: 3\n batch size: 2";
    assert_eq!(heard, ["0 of 2: 5 wide", "1 of 2: 5 wide", size]);
}
