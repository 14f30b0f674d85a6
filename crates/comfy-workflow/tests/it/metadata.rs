//! Files that real servers saved, and files that other programs write, must give what was put into them.

use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::PathBuf;

use comfy_workflow::metadata::{self, Container, Metadata};
use comfy_workflow::{ErrorKind, Workflow};
use proptest::prelude::*;
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/metadata").join(name)
}

/// The files of a folder of the fixtures, by name.
fn files(name: &str) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(folder(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(path).unwrap()))
        .collect();
    files.sort();
    files
}

fn sent_workflow() -> Value {
    serde_json::from_slice(&std::fs::read(folder("workflow.json")).unwrap()).unwrap()
}

/// Which node saved a file, and what the file is.
fn expected(name: &str) -> (&'static str, Container) {
    match name.split_once('.').unwrap() {
        ("image", "png") | ("history", "json") => {
            ("SaveImage", if name == "history.json" { Container::Json } else { Container::Png })
        }
        ("animated_png", "png") => ("SaveAnimatedPNG", Container::Png),
        ("animated_webp" | "still_webp", "webp") => ("SaveAnimatedWEBP", Container::WebP),
        ("webm_vp9" | "webm_av1", "webm") => ("SaveWEBM", Container::WebM),
        ("video", "mp4") => ("SaveVideo", Container::Mp4),
        ("audio", "flac") => ("SaveAudio", Container::Flac),
        ("audio_mp3", "mp3") => ("SaveAudioMP3", Container::Mp3),
        ("audio_opus", "opus") => ("SaveAudioOpus", Container::Ogg),
        ("latent", "latent") => ("SaveLatent", Container::Safetensors),
        ("svg" | "svg_xml", "svg") => ("SaveSVGNode", Container::Svg),
        ("mesh", "glb") => ("SaveGLB", Container::Glb),
        ("advanced_png8" | "advanced_png16", "png") => ("SaveImageAdvanced", Container::Png),
        ("advanced_exr", "exr") => ("SaveImageAdvanced", Container::Exr),
        ("advanced_audio_flac", "flac") => ("SaveAudioAdvanced", Container::Flac),
        ("advanced_audio_mp3", "mp3") => ("SaveAudioAdvanced", Container::Mp3),
        ("advanced_audio_opus", "opus") => ("SaveAudioAdvanced", Container::Ogg),
        _ => panic!("no test for {name}"),
    }
}

fn check_server(version: &str, count: usize) {
    let workflow = sent_workflow();
    let files = files(version);
    assert_eq!(files.len(), count);
    for (name, bytes) in files {
        let (saver, container) = expected(&name);
        let found = metadata::read(&bytes).unwrap();
        assert_eq!(found.container, container, "{name}");
        assert_eq!(found.problems, Vec::<String>::new(), "{name}");
        assert_eq!(found.workflow.as_ref(), Some(&workflow), "{name}");
        let prompt = found.prompt.as_ref().unwrap_or_else(|| panic!("{name}: {found:?}"));
        assert_eq!(prompt["2"]["class_type"], saver, "{name}");
        let source = prompt["1"]["class_type"].as_str().unwrap();
        if source == "EmptyImage" || source == "EmptyLatentImage" {
            assert_eq!(prompt["1"]["_meta"]["title"], "Größe 大 😀", "{name}");
        }
        // What else was sent along is there too, but in SVG and in JSON, where it is part of the same text.
        if container != Container::Json && container != Container::Svg {
            let note = found.texts.iter().find(|(key, _)| key.eq_ignore_ascii_case("note"));
            assert_eq!(note.map(|(_, text)| text.as_str()), Some(r#"{"by": "a test"}"#), "{name}");
        }
        assert_eq!(metadata::read_from(Cursor::new(&bytes)).unwrap(), found, "{name}");
    }
}

#[test]
fn every_saver_of_0_3_64_is_understood() {
    check_server("0.3.64", 15);
}

#[test]
fn every_saver_of_0_8_0_is_understood() {
    check_server("0.8.0", 15);
}

#[test]
fn every_saver_of_0_30_0_is_understood() {
    check_server("0.30.0", 21);
}
