//! Workflows of nodes that need no model: their pictures, pixel for pixel.

use std::collections::BTreeMap;

use anyhow::Context as _;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use comfy_sim::ServerVersion;
use image::{ColorType, DynamicImage, EncodableLayout as _};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::corpus::Corpus;
use super::exchange::exchange;
use super::multipart::form;
use super::outcome::{Outcome, apart};
use super::scenario::Part;
use super::{normal, prompts, servers};

#[derive(Debug, Deserialize)]
struct Case {
    server_version: Vec<String>,
    prompt: Value,
    status: String,
    outputs: BTreeMap<String, Output>,
}

#[derive(Debug, Deserialize)]
struct Output {
    raw: Value,
    #[serde(default)]
    images: Vec<Picture>,
}

#[derive(Debug, Deserialize)]
struct Picture {
    mode: String,
    png_base64: String,
}

/// Runs the cases that were recorded on this version.
///
/// # Errors
/// The corpus cannot be read, or the simulator does not start.
pub(crate) async fn compare(
    corpus: &Corpus,
    version: ServerVersion,
    wanted: impl Fn(&str) -> bool,
) -> anyhow::Result<Vec<Outcome>> {
    let sim = servers::plain(corpus, version)?.start().await?;
    let host = sim.address().to_string();
    let mut outcomes = Vec::new();
    let (inputs, cases): (Vec<_>, Vec<_>) =
        corpus.files("pixels")?.into_iter().partition(|(name, _)| name == "inputs");
    for (_, path) in inputs {
        upload(&host, &serde_json::from_str(&std::fs::read_to_string(&path)?)?).await?;
    }
    for (name, path) in cases {
        let file = std::fs::read_to_string(&path)?;
        let case: Case = serde_json::from_str(&file).with_context(|| format!("{name} is no case"))?;
        if !wanted(&name) || !case.server_version.contains(&version.to_string()) {
            continue;
        }
        let mut outcome = Outcome::named(&name);
        let differences = run(&host, &case).await.unwrap_or_else(|error| vec![format!("{error:#}")]);
        outcome.total = 1;
        outcome.equal = usize::from(differences.is_empty());
        differences.iter().for_each(|difference| outcome.differ(difference));
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

async fn upload(host: &str, pictures: &BTreeMap<String, String>) -> anyhow::Result<()> {
    for (name, base64) in pictures {
        let part = Part {
            name: "image".into(),
            filename: Some(name.clone()),
            content_type: Some("image/png".into()),
            text: None,
            base64: Some(base64.clone()),
            len: None,
        };
        let (form, kind) = form(&[part])?;
        let answer =
            exchange(host, "POST", "/upload/image", &[("Content-Type".into(), kind)], Some(&form)).await?;
        anyhow::ensure!(answer.status == 200, "{name} is not taken: {}", answer.status);
    }
    Ok(())
}

async fn run(host: &str, case: &Case) -> anyhow::Result<Vec<String>> {
    let id = prompts::id(&prompts::submit(host, &case.prompt.to_string(), None).await?)?;
    let record = prompts::record(host, &id).await?.context("does not end")?;
    let mut differences = Vec::new();
    if record["status"]["status_str"] != case.status {
        differences.push(format!("{} instead of {}", prompts::end(&record), case.status));
        return Ok(differences);
    }
    for (node, wanted) in &case.outputs {
        let got = &record["outputs"][node];
        let rest: Map<_, _> = got.as_object().cloned().unwrap_or_default();
        let rest = rest.into_iter().filter(|(key, _)| key != "images").collect();
        differences.extend(apart(&normal::canonical(&wanted.raw), &normal::canonical(&rest)));
        let got = got["images"].as_array().cloned().unwrap_or_default();
        if got.len() != wanted.images.len() {
            differences.push(format!("{node}: {} pictures instead of {}", got.len(), wanted.images.len()));
        }
        for (at, (got, wanted)) in got.iter().zip(&wanted.images).enumerate() {
            let part = |key: &str| got[key].as_str().unwrap_or_default();
            let path = format!(
                "/view?filename={}&subfolder={}&type={}",
                part("filename"),
                part("subfolder"),
                part("type")
            );
            let got = exchange(host, "GET", &path, &[], None).await?;
            let difference = picture_differs(wanted, &got.body, tolerance(&case.prompt))?;
            differences.extend(difference.map(|difference| format!("{node}, picture {at}: {difference}")));
        }
    }
    Ok(differences)
}

/// Classes that mix numbers, in an order of their own on every machine.
const MIXING: [&str; 12] = [
    "BatchImagesNode",
    "ImageBatch",
    "ImageBlur",
    "ImageCompositeMasked",
    "ImageRGBToYUV",
    "ImageScale",
    "ImageScaleBy",
    "ImageScaleToMaxDimension",
    "ImageScaleToTotalPixels",
    "ImageSharpen",
    "ImageYUVToRGB",
    "ResizeAndPadImage",
];

/// How far a byte may be from the recorded one.
fn tolerance(prompt: &Value) -> u8 {
    let mixes = |node: &Value| node["class_type"].as_str().is_some_and(|class| MIXING.contains(&class));
    u8::from(prompt.as_object().into_iter().flat_map(Map::values).any(mixes))
}

fn picture_differs(wanted: &Picture, got: &[u8], tolerance: u8) -> anyhow::Result<Option<String>> {
    let recorded = image::load_from_memory(&BASE64_STANDARD.decode(&wanted.png_base64)?)?;
    let got = image::load_from_memory(got).context("what came is no picture")?;
    if mode(&got) != wanted.mode {
        return Ok(Some(format!("{} instead of {}", mode(&got), wanted.mode)));
    }
    let size = |picture: &DynamicImage| (picture.width(), picture.height());
    if size(&got) != size(&recorded) {
        return Ok(Some(format!("{:?} instead of {:?}", size(&got), size(&recorded))));
    }
    let (got, recorded) = (got.to_rgba8(), recorded.to_rgba8());
    let pairs = got.as_bytes().iter().zip(recorded.as_bytes());
    let apart: Vec<u8> = pairs.map(|(a, b)| a.abs_diff(*b)).filter(|apart| *apart > tolerance).collect();
    let most = apart.iter().max();
    Ok(most.map(|most| format!("{} of {} bytes differ, by {most} at most", apart.len(), got.len())))
}

/// The name that the recordings have for the kind of pixels.
fn mode(picture: &DynamicImage) -> &'static str {
    match picture.color() {
        ColorType::L8 => "L",
        ColorType::Rgb8 => "RGB",
        ColorType::Rgba8 => "RGBA",
        _ => "another mode",
    }
}
