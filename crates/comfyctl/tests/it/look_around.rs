//! `nodes`, `models`, `stats` and `features`.

use comfy_sim::Sim;
use serde_json::{Value, json};

use crate::support::{Place, Ran, sim, started};

const NOWHERE: &str = "127.0.0.1:9";

/// A server's description of some classes, in a file of the place.
fn described(place: &Place) {
    let nodes = json!({
        "LoadImage": {"display_name": "Load Image", "category": "image", "description": "Loads a picture.\nOr a mask.",
            "python_module": "nodes", "output": ["IMAGE", "MASK"], "output_name": ["IMAGE", "MASK"],
            "output_is_list": [false, true], "output_tooltips": ["The picture.", null],
            "input": {"required": {"image": [["a.png", "b.png"], {"image_upload": true, "tooltip": "The file."}]}}},
        "KSampler": {"display_name": "KSampler", "category": "model/sampling", "python_module": "nodes", "output": ["LATENT"],
            "input": {
                "required": {"steps": ["INT", {"default": 20, "min": 1, "max": 10000}], "model": ["MODEL"],
                    "cfg": ["FLOAT", {"default": 8.0, "min": 0.0, "max": 100.0, "step": 0.1}]},
                "optional": {"mask": ["MASK", {"tooltip": "Where to sample."}]},
                "hidden": {"unique_id": "UNIQUE_ID"}}},
        "Saver": {"display_name": "Save it", "category": "image/out", "python_module": "custom_nodes.a-pack",
            "output_node": true, "deprecated": true, "output": [], "input": {"required": {"images": ["IMAGE"]}}},
        "Resize": {"display_name": "Resize", "category": "image", "python_module": "comfy_extras.resize",
            "output": ["COMFY_MATCHTYPE_V3"], "output_matchtypes": ["t"],
            "input": {"required": {
                "input": ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}],
                "kind": ["COMFY_DYNAMICCOMBO_V3", {"options": [
                    {"key": "by size", "inputs": {"required": {"width": ["INT", {"default": 512}]}}},
                    {"key": "to match", "inputs": {"required": {"other": ["IMAGE"]}}}]}],
                "more": ["COMFY_AUTOGROW_V3", {"template": {"input": {"required": {"image": ["IMAGE"]}}, "prefix": "image", "min": 1, "max": 9}}]}}},
    });
    place.write("nodes.json", nodes.to_string());
}

fn nodes(place: &Place, args: &[&str]) -> Ran {
    place.run(&[&["nodes"], args, &["--object-info", "nodes.json"]].concat())
}

#[test]
fn node_classes_are_listed_by_category() {
    let place = Place::new();
    described(&place);
    insta::assert_snapshot!(nodes(&place, &[]), @"
    CLASS      NAME        STATE       PACK    CATEGORY
    LoadImage  Load Image                      image
    Resize     Resize                          image
    Saver      Save it     deprecated  a-pack  image/out
    KSampler   KSampler                        model/sampling

    exit code 0
    ");
    insta::assert_snapshot!(nodes(&place, &["ls", "--category", "IMAGE", "--output-type", "mask"]), @"
    CLASS      NAME        CATEGORY
    LoadImage  Load Image  image
    Resize     Resize      image

    exit code 0
    ");
    // Filters before the subcommand count too, and a part of the category's path does.
    insta::assert_snapshot!(nodes(&place, &["--category", "sampling", "ls"]), @"
    CLASS     NAME      CATEGORY
    KSampler  KSampler  model/sampling

    exit code 0
    ");
    insta::assert_snapshot!(nodes(&place, &["--custom", "--deprecated", "--pack", "A-"]), @"
    CLASS  NAME     STATE       PACK    CATEGORY
    Saver  Save it  deprecated  a-pack  image/out

    exit code 0
    ");
}

#[test]
fn nothing_fits() {
    let place = Place::new();
    described(&place);
    insta::assert_snapshot!(nodes(&place, &["ls", "--input-type", "MODLE"]), @"
    no node class fits; did you mean `MODEL`?

    exit code 0
    ");
    insta::assert_snapshot!(nodes(&place, &["search", "zzz", "--json"]), @"
    no node class fits

    exit code 0
    ");
}

#[test]
fn a_node_class_is_shown_with_all_that_it_takes() {
    let place = Place::new();
    described(&place);
    insta::assert_snapshot!(nodes(&place, &["show", "KSampler"]), @"
    class     KSampler
    name      KSampler
    category  model/sampling
    module    nodes

    INPUT      TYPE       NEED      DEFAULT  RANGE                   TOOLTIP
    steps      INT        required  20       1 to 10000
    model      MODEL      required
    cfg        FLOAT      required  8.0      0.0 to 100.0, step 0.1
    mask       MASK       optional                                   Where to sample.
    unique_id  UNIQUE_ID  hidden

    OUTPUT  TYPE
    LATENT  LATENT

    exit code 0
    ");
    insta::assert_snapshot!(nodes(&place, &["show", "LoadImage"]), @"
    class     LoadImage
    name      Load Image
    category  image
    module    nodes

    Loads a picture.
    Or a mask.

    INPUT  TYPE   NEED      CHOICES       TOOLTIP
    image  COMBO  required  a.png, b.png  The file.

    OUTPUT  TYPE   LIST  TOOLTIP
    IMAGE   IMAGE        The picture.
    MASK    MASK   list

    exit code 0
    ");
    insta::assert_snapshot!(nodes(&place, &["show", "Resize"]), @"
    class     Resize
    name      Resize
    category  image
    module    comfy_extras.resize

    INPUT       TYPE        NEED      DEFAULT  WHEN              CHOICES
    input       IMAGE,MASK  required
    kind        COMBO       required                             by size, to match
    kind.width  INT         required  512      kind is by size
    kind.other  IMAGE       required           kind is to match
    more        IMAGE       required                             1 to 9 of them: image0, image1, image2, …

    OUTPUT              TYPE
    COMFY_MATCHTYPE_V3  IMAGE,MASK

    exit code 0
    ");
    insta::assert_snapshot!(nodes(&place, &["show", "Saver", "--json"]), @r#"
    {"type":"node_class","class_type":"Saver","display_name":"Save it","category":"image/out","pack":"a-pack","python_module":"custom_nodes.a-pack","description":"","output_node":true,"deprecated":true,"experimental":false,"api_node":false,"inputs":[{"name":"images","type":"IMAGE","need":"required","default":null,"min":null,"max":null,"step":null,"choices":null,"count":null,"when":null,"tooltip":null}],"outputs":[]}

    exit code 0
    "#);
}

#[test]
fn a_node_class_that_there_is_not_is_told_with_what_may_be_meant() {
    let place = Place::new();
    described(&place);
    insta::assert_snapshot!(nodes(&place, &["show", "ksampl"]), @"
    error: no node class `ksampl`
    hint: did you mean `KSampler`?

    exit code 1
    ");
    insta::assert_snapshot!(nodes(&place, &["show", "load image", "--json"]), @r#"
    {"type":"result","status":"error","error":{"code":"not_found","message":"no node class `load image`","hint":"did you mean `LoadImage`?","details":null}}
    error: no node class `load image`
    hint: did you mean `LoadImage`?

    exit code 1
    "#);
    insta::assert_snapshot!(nodes(&place, &["--custom", "show", "KSampler"]), @"
    error: `nodes show` takes no filters
    hint: filters are for `nodes ls` and `nodes search`

    exit code 2
    ");
}

#[test]
fn node_classes_are_found_by_words() {
    let place = Place::new();
    described(&place);
    insta::assert_snapshot!(nodes(&place, &["search", "image"]), @"
    CLASS      NAME        STATE       PACK    CATEGORY
    LoadImage  Load Image                      image
    Resize     Resize                          image
    Saver      Save it     deprecated  a-pack  image/out

    exit code 0
    ");
    let ran = nodes(&place, &["search", "image", "load", "--json"]);
    let found: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&found["type"], &found["class_type"]), (&json!("node_class"), &json!("LoadImage")));
}

#[test]
fn a_server_is_asked_for_its_nodes() {
    let (place, sim) = (Place::new(), sim());
    let ran = place.run(&["nodes", "search", "ksampler", "-s", &sim.url()]);
    let classes: Vec<&str> = ran.stdout.lines().skip(1).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(classes[..2], ["KSampler", "KSamplerAdvanced"], "{ran}");
    let ran = place.run(&["nodes", "show", "EmptyImage", "-s", &sim.url()]);
    assert!(ran.stdout.contains("1 to 16384") && ran.code == Some(0), "{ran}");
    let ran = place.run(&["nodes", "show", "EmptyImge", "-s", &sim.url()]);
    assert!(ran.stderr.contains("did you mean `EmptyImage`?") && ran.code == Some(1), "{ran}");
}

#[test]
fn what_a_server_says_of_its_nodes_does_not_act_on_the_terminal() {
    let place = Place::new();
    let hostile = "\u{1b}[2J\r\u{202e}x";
    let info = json!({hostile: {"display_name": hostile, "category": hostile, "description": hostile, "output": [hostile],
        "python_module": format!("custom_nodes.{hostile}"),
        "input": {"required": {hostile: [[hostile], {"default": hostile, "tooltip": hostile}]}}}});
    place.write("nodes.json", info.to_string());
    for args in [&["ls"][..], &["show", hostile], &["show", "x"], &["ls", "--category", "y"]] {
        let ran = nodes(&place, args);
        let acting = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!ran.to_string().contains(acting), "{ran}");
    }
}

/// A simulator with a few models.
fn with_models(place: &Place) -> Sim {
    let header = json!({"__metadata__": {"modelspec.title": "Detail", "ss_tags": "{\"a\": 1}"}}).to_string();
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.into_bytes());
    for folder in ["models/loras/sub", "models/checkpoints", "models/vae"] {
        std::fs::create_dir_all(place.path(folder)).unwrap();
    }
    for name in ["loras/sub/detail.safetensors", "checkpoints/base.safetensors", "vae/base.safetensors"] {
        place.write(&format!("models/{name}"), &file);
    }
    place.write("models/vae/old.pt", "");
    started(Sim::builder().models(place.path("models")))
}

#[test]
fn folders_of_models_are_listed_with_what_is_in_them() {
    let place = Place::new();
    let sim = with_models(&place);
    let ran = place.run(&["models", "-s", &sim.url(), "--json"]);
    let rows: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |name: &str| rows.iter().find(|row| row["name"] == name).unwrap()["files"].clone();
    assert_eq!((count("vae"), count("loras"), count("embeddings")), (2.into(), 1.into(), 0.into()), "{ran}");
    let ran = place.run(&["models", "-s", &sim.url()]);
    assert!(ran.stdout.lines().count() == rows.len() + 1 && ran.stdout.starts_with("FOLDER"), "{ran}");
    insta::assert_snapshot!(place.run(&["models", "ls", "vae", "-s", &sim.url()]), @"
    SIZE        MODIFIED          NAME
          76 B  YYYY-MM-DD HH:MM  base.safetensors
           0 B  YYYY-MM-DD HH:MM  old.pt

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["models", "ls", "loras", "-s", &sim.url(), "--json"]), @r#"
    {"type":"model","folder":"loras","name":"sub/detail.safetensors","size":76,"modified":N,"created":N}

    exit code 0
    "#);
    insta::assert_snapshot!(place.run(&["models", "ls", "embeddings", "-s", &sim.url()]), @"
    the folder embeddings holds no models

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["models", "ls", "lora", "-s", &sim.url()]), @"
    error: no folder of models `lora`
    hint: did you mean `loras`?

    exit code 1
    ");
}

#[test]
fn a_model_is_shown_with_its_metadata() {
    let place = Place::new();
    let sim = with_models(&place);
    insta::assert_snapshot!(place.run(&["models", "show", "detail", "-s", &sim.url()]), @r#"
    WHAT             VALUE
    folder           loras
    name             sub/detail.safetensors
    size             76 B
    modified         YYYY-MM-DD HH:MM
    modelspec.title  Detail
    ss_tags          {"a": 1}

    exit code 0
    "#);
    insta::assert_snapshot!(place.run(&["models", "show", "vae/base", "-s", &sim.url(), "--json"]), @r#"
    {"type":"model","folder":"vae","name":"base.safetensors","size":76,"modified":N,"created":N,"metadata":{"modelspec.title":"Detail","ss_tags":"{\"a\": 1}"}}

    exit code 0
    "#);
    insta::assert_snapshot!(place.run(&["models", "show", "old.pt", "-s", &sim.url(), "--json"]), @r#"
    {"type":"model","folder":"vae","name":"old.pt","size":0,"modified":N,"created":N,"metadata":null}

    exit code 0
    "#);
    insta::assert_snapshot!(place.run(&["models", "show", "base", "-s", &sim.url()]), @"
    error: 2 models are called `base`
    hint: name one of them: checkpoints/base.safetensors, vae/base.safetensors

    exit code 2
    ");
    insta::assert_snapshot!(place.run(&["models", "show", "detial", "-s", &sim.url()]), @"
    error: no model `detial`
    hint: did you mean `detail.safetensors`?

    exit code 1
    ");
}

#[test]
fn a_server_tells_what_it_runs_on_and_what_it_can_do() {
    let (place, sim) = (Place::new(), sim());
    let ran = place.run(&["stats", "-s", &sim.url()]);
    assert!(ran.stdout.contains("\nComfyUI  ") && ran.stdout.contains(" used ("), "{ran}");
    let ran = place.run(&["stats", "-s", &sim.url(), "--json"]);
    assert!(ran.stdout.starts_with(r#"{"type":"stats","system":{"os":"#), "{ran}");
    insta::assert_snapshot!(place.run(&["features", "-s", &sim.url()]), @"
    FEATURE                        VALUE
    supports_preview_metadata      yes
    supports_model_type_tags       yes
    max_upload_size                104857600
    extension.manager.supports_v4  yes
    node_replacements              yes
    assets                         no

    exit code 0
    ");
    insta::assert_snapshot!(place.run(&["features", "-s", &sim.url(), "--json"]), @r#"
    {"type":"features","supports_preview_metadata":true,"supports_model_type_tags":true,"max_upload_size":104857600,"extension":{"manager":{"supports_v4":true}},"node_replacements":true,"assets":false}

    exit code 0
    "#);
}

#[test]
fn a_server_that_is_not_there_is_told_of_by_all() {
    let place = Place::new();
    let commands: [&[&str]; 11] = [
        &["nodes"],
        &["nodes", "show", "KSampler"],
        &["nodes", "search", "x"],
        &["models"],
        &["models", "show", "x"],
        &["stats"],
        &["features"],
        &["logs"],
        &["logs", "-f"],
        &["settings"],
        &["userdata"],
    ];
    for command in commands {
        let ran = place.run(&[command, &["-s", NOWHERE, "--json"]].concat());
        let result: Value =
            serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran}"));
        assert_eq!((&result["type"], &result["status"]), (&json!("result"), &json!("unreachable")), "{ran}");
        assert_eq!((ran.code, &result["error"]["code"]), (Some(3), &json!("connect")), "{ran}");
        assert!(ran.stderr.starts_with("error: "), "{ran}");
    }
}
