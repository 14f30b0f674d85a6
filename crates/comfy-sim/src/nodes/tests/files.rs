//! Loading and saving.

use std::io::Cursor;

use ::image::{
    DynamicImage, GrayAlphaImage, ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage,
};
use serde_json::json;

use super::*;

fn encode(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).expect("encoded");
    bytes.into_inner()
}

/// Three columns and two rows, all different.
fn small() -> RgbImage {
    let pixels = [255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 40, 50, 60, 70, 80, 90];
    RgbImage::from_vec(3, 2, pixels.to_vec()).expect("18 bytes")
}

fn save_loaded(name: &str) -> Json {
    json!({
        "l": {"class_type": "LoadImage", "inputs": {"image": name}},
        "s": {"class_type": "SaveImage", "inputs": {"images": ["l", 0], "filename_prefix": "x"}}
    })
}

fn save_mask(name: &str) -> Json {
    json!({
        "l": {"class_type": "LoadImage", "inputs": {"image": name}},
        "m": {"class_type": "MaskToImage", "inputs": {"mask": ["l", 1]}},
        "s": {"class_type": "SaveImage", "inputs": {"images": ["m", 0], "filename_prefix": "x"}}
    })
}

fn save_channel(name: &str, channel: &str) -> Json {
    json!({
        "l": {"class_type": "LoadImageMask", "inputs": {"image": name, "channel": channel}},
        "m": {"class_type": "MaskToImage", "inputs": {"mask": ["l", 0]}},
        "s": {"class_type": "SaveImage", "inputs": {"images": ["m", 0], "filename_prefix": "x"}}
    })
}

fn empty(width: usize, height: usize, batch: usize) -> Json {
    json!({"class_type": "EmptyImage", "inputs": {"width": width, "height": height, "batch_size": batch, "color": 5}})
}

fn save_empty(prefix: &str, batch: usize) -> Json {
    json!({"a": empty(3, 2, batch),
           "s": {"class_type": "SaveImage", "inputs": {"images": ["a", 0], "filename_prefix": prefix}}})
}

/// Kind and content of the chunks of a PNG, without its pixels.
fn chunks(png: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut rest = &png[8..];
    let mut chunks = Vec::new();
    while rest.len() >= 12 {
        let len = u32::from_be_bytes(rest[..4].try_into().expect("four bytes")) as usize;
        let kind = String::from_utf8_lossy(&rest[4..8]).into_owned();
        if kind != "IDAT" {
            chunks.push((kind, rest[8..8 + len].to_vec()));
        }
        rest = &rest[12 + len..];
    }
    chunks
}

#[test]
fn lossless_pictures_come_back_as_they_were() {
    let bench = Bench::new();
    bench.put("a.png", &encode(small(), ImageFormat::Png));
    bench.put("a.webp", &encode(small(), ImageFormat::WebP));
    for name in ["a.png", "a.webp", "./x/../a.png", "a.png [input]"] {
        let found = decode(&bench.saved(save_loaded(name)));
        assert_eq!((found.width, found.height, found.color), (3, 2, png::ColorType::Rgb), "{name}");
        assert_eq!(found.bytes, small().into_raw(), "{name}");
    }
}

#[test]
fn saved_pictures_can_be_loaded_from_the_output_folder() {
    let bench = Bench::new();
    bench.put("a.png", &encode(small(), ImageFormat::Png));
    bench.saved(save_loaded("a.png"));
    assert_eq!(decode(&bench.saved(save_loaded("x_00001_.png [output]"))).bytes, small().into_raw());
}

#[test]
fn pictures_of_other_kinds_become_rgb() {
    let bench = Bench::new();
    let gray = ImageBuffer::<Luma<u8>, _>::from_vec(2, 1, vec![7_u8, 200]).expect("two");
    bench.put("g.png", &encode(gray, ImageFormat::Png));
    assert_eq!(decode(&bench.saved(save_loaded("g.png"))).bytes, [7, 7, 7, 200, 200, 200]);
    let gray_alpha = GrayAlphaImage::from_pixel(1, 1, LumaA([9, 100]));
    bench.put("ga.png", &encode(gray_alpha, ImageFormat::Png));
    assert_eq!(decode(&bench.saved(save_loaded("ga.png"))).bytes, [9, 9, 9]);
    let deep = ImageBuffer::<Rgb<u16>, _>::from_pixel(1, 1, Rgb([0x1234_u16, 0x80ff, 0xffff]));
    bench.put("deep.png", &encode(deep, ImageFormat::Png));
    assert_eq!(decode(&bench.saved(save_loaded("deep.png"))).bytes, [0x12, 0x80, 0xff]);
}

#[test]
fn the_mask_is_one_where_the_picture_is_transparent() {
    let bench = Bench::new();
    let picture = RgbaImage::from_vec(2, 1, vec![10, 20, 30, 0, 200, 210, 220, 100]).expect("eight");
    bench.put("a.png", &encode(picture, ImageFormat::Png));
    assert_eq!(decode(&bench.saved(save_loaded("a.png"))).bytes, [10, 20, 30, 200, 210, 220]);
    let expected = [255, 255, 255, 155, 155, 155];
    assert_eq!(decode(&bench.saved(save_mask("a.png"))).bytes, expected);
    assert_eq!(decode(&bench.saved(save_channel("a.png", "alpha"))).bytes, expected);
    assert_eq!(decode(&bench.saved(save_channel("a.png", "green"))).bytes, [20, 20, 20, 210, 210, 210]);
}

#[test]
fn a_picture_without_transparency_has_an_empty_mask_of_64_pixels() {
    let bench = Bench::new();
    bench.put("a.png", &encode(small(), ImageFormat::Png));
    for prompt in [save_mask("a.png"), save_channel("a.png", "alpha")] {
        let found = decode(&bench.saved(prompt));
        assert_eq!((found.width, found.height), (64, 64));
        assert!(found.bytes.iter().all(|byte| *byte == 0));
    }
}

#[test]
fn a_palette_without_transparency_has_an_empty_mask_of_its_own_size() {
    let bench = Bench::new();
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 3, 2);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(vec![9, 9, 9, 200, 100, 0]);
    let mut writer = encoder.write_header().expect("a header");
    writer.write_image_data(&[0, 1, 0, 1, 0, 1]).expect("pixels");
    writer.finish().expect("an end");
    bench.put("p.png", &bytes);
    for prompt in [save_mask("p.png"), save_channel("p.png", "alpha")] {
        let mask = decode(&bench.saved(prompt));
        assert_eq!((mask.width, mask.height, mask.bytes), (3, 2, vec![0; 18]));
    }
    let colours = decode(&bench.saved(save_loaded("p.png"))).bytes;
    assert_eq!(colours, [9, 9, 9, 200, 100, 0].repeat(3));
}

#[test]
fn pictures_are_turned_as_their_orientation_says() {
    let bench = Bench::new();
    let picture =
        RgbImage::from_fn(24, 16, |x, _| if x < 12 { Rgb([250, 10, 10]) } else { Rgb([10, 10, 250]) });
    let plain = encode(picture, ImageFormat::Jpeg);
    // Orientation 6: turned to the right by 90 degrees when shown.
    let exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let mut turned = plain[..2].to_vec();
    turned.extend([0xff, 0xe1, 0, u8::try_from(exif.len() + 2).expect("short")]);
    turned.extend(exif);
    turned.extend(&plain[2..]);
    bench.put("plain.jpg", &plain);
    bench.put("turned.jpg", &turned);
    let is = |pixel: &[u8], color: [u8; 3]| pixel.iter().zip(color).all(|(a, b)| a.abs_diff(b) < 12);

    let found = decode(&bench.saved(save_loaded("plain.jpg")));
    assert_eq!((found.width, found.height), (24, 16));
    assert!(is(&found.bytes[..3], [250, 10, 10]));
    let found = decode(&bench.saved(save_loaded("turned.jpg")));
    assert_eq!((found.width, found.height), (16, 24));
    assert!(is(&found.bytes[..3], [250, 10, 10]), "the left side is now on top");
    assert!(is(&found.bytes[found.bytes.len() - 3..], [10, 10, 250]));
}

#[test]
fn broken_files_fail_in_the_servers_words() {
    let bench = Bench::new();
    let good = encode(RgbImage::from_pixel(30, 20, Rgb([1, 2, 3])), ImageFormat::Png);
    let mut corrupt = good.clone();
    corrupt[45..60].fill(0x78);
    bench.put("text.png", b"not an image");
    bench.put("head.png", &good[..20]);
    bench.put("corrupt.png", &corrupt);
    bench.put("nothing.png", b"");
    let input = bench.files.root(Folder::Input);
    let path = |name: &str| input.join(name).display().to_string();
    for class in [save_loaded as fn(&str) -> Json, |name| save_channel(name, "red")] {
        let failure = |name: &str| bench.failure(class(name));
        assert_eq!(
            failure("text.png"),
            (
                "PIL.UnidentifiedImageError".to_owned(),
                format!("cannot identify image file '{}'", path("text.png"))
            )
        );
        assert_eq!(failure("head.png"), ("OSError".to_owned(), "Truncated File Read".to_owned()));
        assert_eq!(failure("corrupt.png").0, "av.error.ExternalError");
        assert_eq!(
            failure("nothing.png").1,
            format!("[Errno 1094995529] Invalid data found when processing input: '{}'", path("nothing.png"))
        );
        let directory = format!("[Errno 21] Is a directory: '{}'", input.display());
        assert_eq!(failure(""), ("av.error.IsADirectoryError".to_owned(), directory));
    }
}

#[test]
fn a_picture_that_is_too_large_is_refused_before_it_is_unpacked() {
    let bench = Bench::new();
    for side in [9_000, 60_000, 2_000_000_000] {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(png::ColorType::Rgb);
        let mut writer = encoder.write_header().expect("a header");
        writer.write_chunk(png::chunk::IDAT, &[0x78, 0x9c]).expect("a beginning");
        drop(writer);
        bench.put("huge.png", &bytes);
        let (exception, message) = bench.failure(save_loaded("huge.png"));
        assert_eq!(exception, "RuntimeError", "{side}: {message}");
        assert!(message.contains("allocate"), "{side}: {message}");
    }
}

#[test]
fn the_check_knows_which_files_exist() {
    let bench = Bench::new();
    bench.put("a.png", b"x");
    let check = class("LoadImage").and_then(|class| class.check).expect("a check");
    let check = |image: Json| {
        let mut inputs = CheckInputs::default();
        inputs.values.insert("image".into(), image);
        (check.run)(&inputs, &bench.files)
    };
    assert_eq!(check(json!("a.png")), CheckResult::Passed);
    assert_eq!(check(json!("a.png [input]")), CheckResult::Passed);
    assert_eq!(check(json!("")), CheckResult::Passed, "the folder itself exists");
    for name in ["nope.png", "../../etc/passwd", "a.png [output]", "a.png[input]", "/etc/passwd"] {
        assert_eq!(check(json!(name)), CheckResult::failed(format!("Invalid image file: {name}")));
    }
    let linked = CheckResult::raised("AttributeError", "'NoneType' object has no attribute 'endswith'");
    assert_eq!(check(Json::Null), linked);
}

#[test]
fn the_change_check_is_the_hash_of_the_file() {
    let bench = Bench::new();
    bench.put("a.png", b"abc");
    let changed = class("LoadImageMask").and_then(|class| class.changed).expect("a change check");
    let changed = |image: Json| changed(&Map::from_iter([("image".to_owned(), image)]), &bench.files);
    let hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(changed(json!("a.png")), json!(hash));
    bench.put("a.png", b"abd");
    assert_ne!(changed(json!("a.png")), json!(hash));
    assert_eq!(changed(json!("nope.png")), Json::Null);
}

#[test]
fn saved_pictures_carry_the_prompt_and_the_extra_entries() {
    let mut bench = Bench::new();
    let extra =
        json!({"workflow": {"a": [1, 2.0, 1e-9, "ü😀"]}, "n": null, "é": 1, "": 2, "k".repeat(100): 3});
    bench.extra_pnginfo = extra.as_object().cloned();
    let prompt = save_empty("x", 1);
    let found = chunks(&bench.saved(prompt.clone()));
    let mut expected = vec![("IHDR".to_owned(), vec![0, 0, 0, 3, 0, 0, 0, 2, 8, 2, 0, 0, 0])];
    let mut note = |key: &[u8], text: &str| {
        expected.push(("tEXt".to_owned(), [key, b"\0", text.as_bytes()].concat()));
    };
    note(b"prompt", &crate::wire::to_json(&prompt));
    note(b"workflow", r#"{"a": [1, 2.0, 1e-09, "\u00fc\ud83d\ude00"]}"#);
    note(b"n", "null");
    note(b"\xe9", "1");
    note(b"", "2");
    note("k".repeat(100).as_bytes(), "3");
    expected.push(("IEND".to_owned(), Vec::new()));
    assert_eq!(found, expected);
}

#[test]
fn keywords_outside_latin_1_fail() {
    for (key, what) in [
        ("ключ", "characters in position 0-3"),
        ("a€b", "character '\\u20ac' in position 1"),
        ("a€bф", "character '\\u20ac' in position 1"),
        ("😀", "character '\\U0001f600' in position 0"),
    ] {
        let mut bench = Bench::new();
        bench.extra_pnginfo = json!({key: 1}).as_object().cloned();
        let message = format!("'latin-1' codec can't encode {what}: ordinal not in range(256)");
        assert_eq!(bench.failure(save_empty("x", 1)), ("UnicodeEncodeError".to_owned(), message));
    }
}

#[test]
fn every_picture_of_a_batch_is_saved_and_told() {
    let bench = Bench::new();
    let item = |name: &str| json!({"filename": name, "subfolder": "sub", "type": "output"});
    let first = bench.shown(save_empty("sub/x", 2));
    assert_eq!(first["images"], json!([item("x_00001_.png"), item("x_00002_.png")]));
    let second = bench.shown(save_empty("sub/x", 1));
    assert_eq!(second["images"], json!([item("x_00003_.png")]));
}

#[test]
fn previews_keep_their_letters_for_as_long_as_the_node_lives() {
    let mut bench = Bench::new();
    let prompt =
        json!({"a": empty(2, 2, 1), "s": {"class_type": "PreviewImage", "inputs": {"images": ["a", 0]}}});
    let name = |bench: &Bench| {
        let shown = bench.shown(prompt.clone());
        assert_eq!(shown["images"][0]["type"], json!("temp"));
        shown["images"][0]["filename"].as_str().expect("a name").to_owned()
    };
    let letters = bench.instance.temp_letters.clone();
    assert!(letters.len() == 5 && letters.bytes().all(|letter| letter.is_ascii_lowercase()), "{letters}");
    assert_eq!(name(&bench), format!("ComfyUI_temp_{letters}_00001_.png"));
    assert_eq!(name(&bench), format!("ComfyUI_temp_{letters}_00002_.png"));
    bench.instance = NodeInstance { temp_letters: "abcde".to_owned() };
    assert_eq!(name(&bench), "ComfyUI_temp_abcde_00001_.png");
}

#[test]
fn saving_fails_in_the_servers_words() {
    let bench = Bench::new();
    let (exception, message) = bench.failure(save_empty("../x", 1));
    assert_eq!(exception, "Exception");
    assert!(message.starts_with("**** ERROR: Saving image outside the output folder is not allowed.\n"));
    let expected = ("ValueError".to_owned(), "embedded null byte".to_owned());
    assert_eq!(bench.failure(save_empty("x\0y", 1)), expected);
    #[cfg(target_os = "linux")]
    {
        let (exception, message) = bench.failure(save_empty(&"z".repeat(300), 1));
        assert_eq!(exception, "OSError");
        assert!(message.starts_with("[Errno 36] File name too long: '"), "{message}");
        assert!(message.ends_with("z_00001_.png'"), "{message}");
    }
}

#[test]
fn pictures_of_other_channels_are_saved_or_refused() {
    let bench = Bench::new();
    let save = class("SaveImage").expect("known");
    let run = |channels: usize| {
        let image = crate::value::Image::filled(1, 1, 1, &vec![0.5; channels]).expect("small");
        let inputs = Inputs(IndexMap::from([
            ("images".to_owned(), Value::image(image)),
            ("filename_prefix".to_owned(), Value::Json(json!("x"))),
        ]));
        let prompt = json!({});
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
        (save.run)(&inputs, &mut context)
    };
    for (channels, color) in [(2, png::ColorType::GrayscaleAlpha), (4, png::ColorType::Rgba)] {
        let ran = run(channels).expect("saved");
        let item = ran.ui.expect("shown")["images"][0].clone();
        let found = decode(&bench.read(&item));
        assert_eq!((found.color, found.bytes), (color, vec![127; channels]));
    }
    assert_eq!(run(1).expect_err("one channel").message, "Cannot handle this data type: (1, 1, 1), |u1");
}

#[test]
fn alpha_survives_only_where_the_server_keeps_it() {
    let bench = Bench::new();
    bench.put("a.png", &encode(RgbaImage::from_pixel(1, 1, Rgba([1, 2, 3, 4])), ImageFormat::Png));
    let found = decode(&bench.saved(save_loaded("a.png")));
    assert_eq!((found.color, found.bytes), (png::ColorType::Rgb, vec![1, 2, 3]));
}
