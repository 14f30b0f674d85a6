//! Files that real servers saved, and files that other programs write, must give what was put into them.

use std::io::Cursor;
use std::path::PathBuf;

use comfy_workflow::metadata::{self, Container};
use comfy_workflow::{Document, Format, Workflow};
use serde_json::{Value, json};

fn folder(name: &str) -> PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/metadata").join(name)
}

/// The files of a folder of the fixtures, by name.
pub(crate) fn files(name: &str) -> Vec<(String, Vec<u8>)> {
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

#[test]
fn prompt_and_workflow_are_found_where_other_programs_put_them() {
    let workflow = sent_workflow();
    let mut count = 0;
    for (name, bytes) in files("others") {
        if name == "make.py" || name.starts_with("nothing") {
            continue;
        }
        count += 1;
        let found = metadata::read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found.problems, Vec::<String>::new(), "{name}");
        assert_eq!(found.workflow.as_ref(), Some(&workflow), "{name}: {found:?}");
        let prompt = found.prompt.as_ref().unwrap_or_else(|| panic!("{name}: {found:?}"));
        assert_eq!(prompt["1"]["_meta"]["title"], "Größe 大 😀", "{name}");
        assert_eq!(prompt["2"]["is_changed"], json!([null]), "{name}");
        let kind = name.rsplit_once('.').unwrap().1;
        let container = match kind {
            "jpg" => Container::Jpeg,
            "png" => Container::Png,
            "webp" => Container::WebP,
            "avif" => Container::Avif,
            "mp4" | "m4v" | "m4a" => Container::Mp4,
            "mov" => Container::QuickTime,
            "mkv" => Container::Matroska,
            "webm" => Container::WebM,
            "ogg" => Container::Ogg,
            "wav" => Container::Wav,
            "mp3" => Container::Mp3,
            _ => panic!("no test for {name}"),
        };
        assert_eq!(found.container, container, "{name}");
    }
    assert_eq!(count, 28);
}

#[test]
fn a_picture_is_a_document_with_both_formats() {
    let bytes = std::fs::read(folder("0.30.0/image.png")).unwrap();
    let document = Workflow::read(&bytes).unwrap();
    assert_eq!(document.format, Format::Media(Container::Png));
    assert_eq!(document.editor.as_ref().unwrap().document(), &sent_workflow());
    assert_eq!(document.texts.keys().collect::<Vec<_>>(), ["note"]);
    assert_eq!(Document::from_reader(Cursor::new(&bytes)).unwrap(), document);
    let conversion = document.into_workflow(&Default::default(), &Default::default()).unwrap();
    assert_eq!(conversion.workflow.get("EmptyImage.width").unwrap(), 16);
    assert!(conversion.workflow.editor().is_some());
}

#[test]
fn what_the_server_noted_at_nodes_is_not_sent_again() {
    let bytes = std::fs::read(folder("others/compressed.png")).unwrap();
    let api = Workflow::read(&bytes).unwrap().api.unwrap();
    assert_eq!(api.node("2").unwrap().extra.len(), 0);
}

#[test]
fn a_picture_of_another_program_is_told_by_its_texts() {
    let bytes = std::fs::read(folder("others/nothing_parameters.png")).unwrap();
    let found = metadata::read(&bytes).unwrap();
    assert!(found.texts["parameters"].starts_with("a cat"));
    assert_eq!(
        Workflow::read(&bytes).unwrap_err().to_string(),
        "the document is a PNG file that carries no workflow; it has the text `parameters`: \
         it was made by a program that has no workflows, such as AUTOMATIC1111 or Forge"
    );
}
