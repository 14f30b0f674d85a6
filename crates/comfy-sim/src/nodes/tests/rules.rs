//! What the nodes do beyond the recorded pictures: as observed on a running server.

use serde_json::json;

use super::*;
use crate::value::{Image, Mask};

/// Runs one node on values that no prompt can hold.
fn run(name: &str, inputs: Vec<(&str, Value)>) -> Result<Ran, NodeError> {
    let bench = Bench::new();
    let prompt = json!({});
    let inputs = Inputs(inputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect());
    let mut context = Context {
        files: &bench.files,
        prompt: &prompt,
        extra_pnginfo: None,
        instance: &bench.instance,
        node: &"1".into(),
        call: 0,
        snapshot: None,
        version: ServerVersion::V0_30_0,
        setting: &Setting::default(),
        stage: &EmptyStage,
    };
    (class(name).expect("known").run)(&inputs, &mut context)
}

fn image(batch: usize, height: usize, width: usize, bytes: &[u8]) -> Value {
    let channels = bytes.len() / (batch * height * width);
    let data = bytes.iter().map(|byte| f32::from(*byte) / 255.0).collect();
    Value::image(Image { batch, height, width, channels, data })
}

fn constant(json: Json) -> Value {
    Value::Json(json)
}

fn picture(ran: Ran) -> Image {
    match ran.outputs.into_iter().next() {
        Some(Value::Image(image)) => Image::clone(&image),
        other => panic!("not a picture: {other:?}"),
    }
}

fn bytes(image: &Image) -> Vec<u8> {
    (0..image.batch).flat_map(|index| image.to_bytes(index)).collect()
}

fn size(image: &Image) -> (usize, usize) {
    (image.width, image.height)
}

/// Two rows of three one-channel pixels.
fn six() -> Value {
    image(1, 2, 3, &[1, 2, 3, 4, 5, 6])
}

#[test]
fn rotation_is_clockwise() {
    let turn = |rotation: &str| {
        picture(
            run("ImageRotate", vec![("image", six()), ("rotation", constant(json!(rotation)))]).expect("run"),
        )
    };
    assert_eq!((size(&turn("90 degrees")), bytes(&turn("90 degrees"))), ((2, 3), vec![4, 1, 5, 2, 6, 3]));
    assert_eq!((size(&turn("180 degrees")), bytes(&turn("180 degrees"))), ((3, 2), vec![6, 5, 4, 3, 2, 1]));
    assert_eq!((size(&turn("270 degrees")), bytes(&turn("270 degrees"))), ((2, 3), vec![3, 6, 2, 5, 1, 4]));
    assert_eq!(bytes(&turn("none")), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn flipping_is_around_the_named_axis() {
    let flip = |method: &str| {
        bytes(&picture(
            run("ImageFlip", vec![("image", six()), ("flip_method", constant(json!(method)))]).expect("run"),
        ))
    };
    assert_eq!(flip("x-axis: vertically"), [4, 5, 6, 1, 2, 3]);
    assert_eq!(flip("y-axis: horizontally"), [3, 2, 1, 6, 5, 4]);
}

#[test]
fn a_crop_beyond_the_picture_keeps_its_last_pixel() {
    let sides = [("width", 1), ("height", 1), ("x", 10), ("y", 10)];
    let mut inputs = vec![("image", six())];
    inputs.extend(sides.map(|(name, number)| (name, constant(json!(number)))));
    let cropped = picture(run("ImageCrop", inputs).expect("run"));
    assert_eq!((size(&cropped), bytes(&cropped)), ((1, 1), vec![6]));
}

#[test]
fn scaling_to_nothing_changes_nothing() {
    let inputs = vec![
        ("image", six()),
        ("upscale_method", constant(json!("bilinear"))),
        ("width", constant(json!(0))),
        ("height", constant(json!(0))),
        ("crop", constant(json!("disabled"))),
    ];
    assert_eq!(bytes(&picture(run("ImageScale", inputs).expect("run"))), [1, 2, 3, 4, 5, 6]);
}

#[test]
fn scaling_beyond_the_memory_is_an_error_of_the_node() {
    let inputs = vec![
        ("image", image(16, 1, 1, &[0; 48])),
        ("upscale_method", constant(json!("lanczos"))),
        ("width", constant(json!(16384))),
        ("height", constant(json!(16384))),
        ("crop", constant(json!("center"))),
    ];
    assert!(run("ImageScale", inputs).expect_err("48 GiB").message.contains("allocate"));
}

#[test]
fn a_batch_takes_the_larger_number_of_channels() {
    let rgb = image(1, 1, 1, &[10, 20, 30]);
    let rgba = image(1, 1, 1, &[40, 50, 60, 191]);
    let batch = |first: &Value, second: &Value| {
        picture(run("ImageBatch", vec![("image1", first.clone()), ("image2", second.clone())]).expect("run"))
    };
    assert_eq!(bytes(&batch(&rgb, &rgba)), [10, 20, 30, 255, 40, 50, 60, 191]);
    assert_eq!(bytes(&batch(&rgba, &rgb)), [40, 50, 60, 191, 10, 20, 30, 255]);
    let joined = batch(&rgba, &rgb);
    assert_eq!((joined.batch, joined.channels), (2, 4));
}

fn blend(first: Value, second: Value, factor: f64, mode: &str) -> Result<Ran, NodeError> {
    let inputs = vec![
        ("image1", first),
        ("image2", second),
        ("blend_factor", constant(json!(factor))),
        ("blend_mode", constant(json!(mode))),
    ];
    run("ImageBlend", inputs)
}

#[test]
fn one_picture_is_blended_with_every_picture_of_a_batch() {
    let one = || image(1, 1, 1, &[0, 100, 200]);
    let three = || image(3, 1, 1, &[100, 100, 100, 50, 50, 50, 0, 0, 0]);
    for (first, second) in [(one(), three()), (three(), one())] {
        let blended = picture(blend(first, second, 0.5, "normal").expect("run"));
        assert_eq!(blended.batch, 3);
        assert_eq!(bytes(&blended)[..3], [50, 100, 150]);
    }
    let two = image(2, 1, 1, &[0; 6]);
    assert_eq!(
        blend(two, three(), 0.5, "normal").expect_err("two and three").message,
        "The size of tensor a (2) must match the size of tensor b (3) at non-singleton dimension 0"
    );
}

#[test]
fn a_difference_below_zero_darkens() {
    let darker = blend(image(1, 1, 1, &[16, 32, 48]), image(1, 1, 1, &[64, 80, 96]), 0.5, "difference");
    assert_eq!(bytes(&picture(darker.expect("run"))), [0, 0, 0]);
}

#[test]
fn alpha_is_blended_as_opaque_where_one_picture_lacks_it() {
    let rgba = image(1, 1, 1, &[255, 0, 0, 191]);
    let blended = picture(blend(rgba, image(1, 1, 1, &[255, 0, 0]), 0.5, "normal").expect("run"));
    assert_eq!(bytes(&blended), [255, 0, 0, 223]);
}

#[test]
fn the_alpha_channel_of_rgb_is_out_of_bounds() {
    let inputs = vec![("image", image(1, 1, 1, &[1, 2, 3])), ("channel", constant(json!("alpha")))];
    let error = run("ImageToMask", inputs).expect_err("no alpha");
    assert_eq!(
        (error.exception_type.as_str(), error.message.as_str()),
        ("IndexError", "index 3 is out of bounds for dimension 3 with size 3")
    );
}

#[test]
fn constants_in_place_of_pictures_fail_in_the_servers_words() {
    let wrong = |class: &str, value: Json| {
        let mut inputs: Vec<(&str, Value)> = ["image", "images", "image1", "image2", "mask"]
            .into_iter()
            .map(|name| (name, constant(value.clone())))
            .collect();
        let others = json!({"filename_prefix": "x", "upscale_method": "area", "width": 1, "height": 1, "x": 0, "y": 0,
            "crop": "disabled", "scale_by": 1.0, "flip_method": "x-axis: vertically", "rotation": "90 degrees",
            "channel": "red", "blend_factor": 0.5, "blend_mode": "normal"});
        let others = others.as_object().expect("an object").clone();
        inputs.extend(others.iter().map(|(name, value)| (name.as_str(), constant(value.clone()))));
        let error = run(class, inputs).expect_err(class);
        format!("{}: {}", error.exception_type, error.message)
    };
    for class in ["SaveImage", "PreviewImage", "ImageToMask"] {
        assert_eq!(wrong(class, json!(null)), "TypeError: 'NoneType' object is not subscriptable");
        assert_eq!(wrong(class, json!(2.5)), "TypeError: 'float' object is not subscriptable");
    }
    for class in ["ImageCrop", "ImageBlend", "ImageBatch"] {
        assert_eq!(wrong(class, json!(5)), "AttributeError: 'int' object has no attribute 'shape'");
    }
    for class in ["ImageScale", "ImageScaleBy"] {
        assert_eq!(wrong(class, json!("x")), "AttributeError: 'str' object has no attribute 'movedim'");
    }
    assert_eq!(
        wrong("MaskToImage", json!(null)),
        "AttributeError: 'NoneType' object has no attribute 'reshape'"
    );
    for class in ["ImageInvert", "InvertMask"] {
        let text = "TypeError: unsupported operand type(s) for -: 'float' and 'NoneType'";
        assert_eq!(wrong(class, json!(null)), text);
    }
    assert_eq!(
        wrong("ImageFlip", json!(5)),
        "TypeError: flip(): argument 'input' (position 1) must be Tensor, not int"
    );
    assert_eq!(
        wrong("ImageRotate", json!(null)),
        "TypeError: rot90(): argument 'input' (position 1) must be Tensor, not NoneType"
    );
}

#[test]
fn a_missing_input_is_an_error_of_the_node() {
    let error = run("ImageInvert", vec![]).expect_err("nothing to invert");
    assert_eq!(error.message, "missing 1 required positional argument: 'image'");
}

fn preview(value: Value) -> String {
    let ran = run("PreviewAny", vec![("source", value)]).expect("run");
    let shown = ran.ui.expect("shown")["text"].clone();
    let output =
        ran.outputs.first().map(|output| output.python_text(ServerVersion::default())).expect("an output");
    assert_eq!(shown, json!([output]), "the text is the output too");
    output
}

#[test]
fn any_value_is_shown_as_text() {
    for (value, text) in [
        (json!(null), "None"),
        (json!(true), "True"),
        (json!(-42), "-42"),
        (json!(0.1), "0.1"),
        (json!(1e16), "1e+16"),
        (json!(100.0), "100.0"),
        (json!(""), ""),
        (json!("a\nb"), "a\nb"),
        (json!([]), "[]"),
        (json!({}), "{}"),
        (json!([1, "ü"]), "[\n    1,\n    \"\\u00fc\"\n]"),
    ] {
        assert_eq!(preview(constant(value)), text);
    }
    let mask = Mask::filled(1, 1, 2, 0.37).expect("small");
    assert_eq!(preview(Value::mask(mask)), "tensor([[[0.3700, 0.3700]]])");
}

#[test]
fn texts_are_joined_with_the_delimiter() {
    let bench = Bench::new();
    let shown = bench.shown(json!({
        "a": {"class_type": "PrimitiveInt", "inputs": {"value": 5}},
        "b": {"class_type": "PreviewAny", "inputs": {"source": ["a", 0]}},
        "c": {"class_type": "StringConcatenate", "inputs": {"string_a": ["b", 0], "string_b": "ü", "delimiter": "-"}},
        "s": {"class_type": "PreviewAny", "inputs": {"source": ["c", 0]}}
    }));
    assert_eq!(shown["text"], json!(["5-ü"]));
}

#[test]
fn saved_and_previewed_pictures_flow_on() {
    let bench = Bench::new();
    let shown = bench.shown(json!({
        "1": {"class_type": "EmptyImage", "inputs": {"width": 1, "height": 1, "batch_size": 1, "color": 5}},
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "pt"}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
        "4": {"class_type": "ImageInvert", "inputs": {"image": ["3", 0]}},
        "s": {"class_type": "PreviewAny", "inputs": {"source": ["4", 0]}}
    }));
    assert_eq!(shown["text"], json!(["tensor([[[[1.0000, 1.0000, 0.9804]]]])"]));
}

#[test]
fn nothing_laid_over_a_picture_changes_nothing() {
    let nothing = Value::image(Image { batch: 0, height: 2, width: 3, channels: 1, data: Vec::new() });
    let inputs = vec![
        ("destination", six()),
        ("source", nothing),
        ("x", constant(json!(0))),
        ("y", constant(json!(0))),
        ("resize_source", constant(json!(false))),
    ];
    assert_eq!(bytes(&picture(run("ImageCompositeMasked", inputs).expect("run"))), [1, 2, 3, 4, 5, 6]);
}
