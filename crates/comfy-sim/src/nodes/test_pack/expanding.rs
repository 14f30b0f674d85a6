//! Nodes that put others in their place.

use serde_json::json;

use crate::nodes::{Context, Expansion, Inputs, NodeError, Ran};
use crate::value::{Image, Value};

/// Side of the pictures that a node makes inside itself.
const SIDE: usize = 512;

fn expanded(outputs: Vec<Value>, expansion: Expansion) -> Ran {
    Ran { outputs, expansion: Some(expansion), ..Ran::default() }
}

fn constant(value: impl Into<serde_json::Value>) -> Value {
    Value::Json(value.into())
}

/// ProbeExpand: turns the picture round, and then does what it is told to.
pub(super) fn probe_expand(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let salt = constant(inputs.text("salt")?);
    let mut graph = Expansion::new(context);
    let inverted = graph.node("ImageInvert", [("image", inputs.value("image")?.clone())]);
    let image = inverted.clone();
    let progress = |steps: u8, preview: &str| {
        [
            ("steps", constant(steps)),
            ("delay", constant(0.01)),
            ("preview", constant(preview)),
            ("image", image.clone()),
            ("salt", salt.clone()),
        ]
    };
    let last = match inputs.text("mode")? {
        "fail_inside" => {
            let kind = constant("ValueError");
            let raise = [("kind", kind), ("n", constant(1)), ("image", image), ("salt", salt)];
            graph.node("ProbeRaise", raise)
        }
        "interruptible" => {
            graph.node("ProbeSleep", [("seconds", constant(20.0)), ("image", image), ("salt", salt)])
        }
        "preview_inside" => {
            graph.node("PreviewImage", [("images", image.clone())]);
            graph.node("ProbeProgress", progress(2, "JPEG"))
        }
        "custom_display" => {
            let last = graph.named("named", "ProbeProgress", progress(2, "none"));
            if let Some(node) = graph.nodes.last_mut() {
                node.display = Some("1".into());
            }
            last
        }
        _ => inverted,
    };
    Ok(expanded(vec![last], graph))
}

/// TestDynamicDependencyCycle: two mixers that each want what the other gives.
pub(super) fn cycle(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut graph = Expansion::new(context);
    let mask = stub_mask(&mut graph, 0.5);
    let (first, second) = (inputs.value("input1")?.clone(), inputs.value("input2")?.clone());
    let one = graph.node("TestLazyMixImages", [("image1", first), ("mask", mask.clone())]);
    let two = graph.node("TestLazyMixImages", [("image1", one), ("image2", second), ("mask", mask)]);
    if let Some(node) = graph.nodes.get_mut(1) {
        node.inputs.insert(1, ("image2".to_owned(), two.clone()));
    }
    Ok(expanded(vec![two], graph))
}

fn stub_mask(graph: &mut Expansion, value: f64) -> Value {
    let side = || constant(SIDE);
    let inputs =
        [("value", constant(value)), ("height", side()), ("width", side()), ("batch_size", constant(1))];
    graph.node("StubMask", inputs)
}

fn stub_image(graph: &mut Expansion, content: &str) -> Value {
    let side = || constant(SIDE);
    let inputs =
        [("content", constant(content)), ("height", side()), ("width", side()), ("batch_size", constant(1))];
    graph.node("StubImage", inputs)
}

/// TestMixedExpansionReturns: an output out of the expansion, and one that is known at once.
pub(super) fn mixed(_: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut graph = Expansion::new(context);
    let mask = stub_mask(&mut graph, 0.3);
    let black = stub_image(&mut graph, "BLACK");
    let white = stub_image(&mut graph, "WHITE");
    let mix = graph.node("TestLazyMixImages", [("image1", black), ("image2", white), ("mask", mask)]);
    let known = Value::image(Image::filled(1, SIDE, SIDE, &[1.0; 3])?);
    Ok(expanded(vec![mix, known], graph))
}

/// TestSamplingInExpansion: a whole picture from a text.
pub(super) fn sampling(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let input = |name: &str| inputs.value(name).cloned();
    let mut graph = Expansion::new(context);
    let positive = graph.node("CLIPTextEncode", [("text", input("prompt")?), ("clip", input("clip")?)]);
    let negative =
        graph.node("CLIPTextEncode", [("text", input("negative_prompt")?), ("clip", input("clip")?)]);
    let side = || constant(SIDE);
    let latent =
        graph.node("EmptyLatentImage", [("width", side()), ("height", side()), ("batch_size", constant(1))]);
    let sampled = graph.node(
        "KSampler",
        [
            ("model", input("model")?),
            ("positive", positive),
            ("negative", negative),
            ("latent_image", latent),
            ("seed", input("seed")?),
            ("steps", input("steps")?),
            ("cfg", input("cfg")?),
            ("sampler_name", constant("euler_ancestral")),
            ("scheduler", constant("normal")),
            ("denoise", constant(json!(1.0))),
        ],
    );
    let image = graph.node("VAEDecode", [("samples", sampled), ("vae", input("vae")?)]);
    Ok(expanded(vec![image], graph))
}

fn sleep(graph: &mut Expansion, value: Value, seconds: Value) -> Value {
    graph.node("TestSleep", [("value", value), ("seconds", seconds)])
}

/// TestParallelSleep: three that wait beside each other, and their mean.
pub(super) fn parallel_sleep(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut graph = Expansion::new(context);
    let input = |name: &str| inputs.value(name).cloned();
    let one = sleep(&mut graph, input("image1")?, input("sleep1")?);
    let two = sleep(&mut graph, input("image2")?, input("sleep2")?);
    let three = sleep(&mut graph, input("image3")?, input("sleep3")?);
    let mean = graph.node("TestVariadicAverage", [("input1", one), ("input2", two), ("input3", three)]);
    Ok(expanded(vec![mean], graph))
}

/// TestDynamicAsyncGeneration: any number of them.
pub(super) fn async_generation(inputs: &Inputs, context: &mut Context<'_>) -> Result<Ran, NodeError> {
    let mut graph = Expansion::new(context);
    let images = [inputs.value("image1")?, inputs.value("image2")?];
    let seconds = inputs.value("sleep_duration")?;
    let count = inputs.size("num_async_nodes")?.min(10);
    let waiting: Vec<_> =
        (0..count).map(|at| sleep(&mut graph, images[at % 2].clone(), seconds.clone())).collect();
    let mean = graph.node("TestVariadicAverage", []);
    if let Some(node) = graph.nodes.last_mut() {
        node.inputs =
            waiting.into_iter().enumerate().map(|(at, value)| (format!("input{}", at + 1), value)).collect();
    }
    Ok(expanded(vec![mean], graph))
}
