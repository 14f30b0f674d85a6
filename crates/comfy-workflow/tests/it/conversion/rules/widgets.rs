//! How many values the widgets of an input take, and what they hold by default.

use serde_json::{Value, json};

use crate::conversion::drawing::Drawing;

/// The inputs of a node with these required inputs and values; `"last"` behind them shows how many values they took.
fn inputs(mut required: Value, values: Value) -> Value {
    required["last"] = json!(["STRING", {"default": "none"}]);
    let converted = Drawing::new().class("Node", required, &[]).node(1, "Node", values).convert();
    let inputs = converted.inputs("1");
    assert!(!inputs.is_null(), "{:?}", converted.problems());
    inputs
}

#[test]
fn a_seed_is_followed_by_what_happens_to_it_after_a_run() {
    for name in ["seed", "noise_seed"] {
        let found = inputs(json!({name: ["INT", {"default": 0}]}), json!([7, "randomize", "L"]));
        assert_eq!(found, json!({name: 7, "last": "L"}));
    }
}

#[test]
fn control_after_generate_is_asked_for_or_switched_off_by_the_option() {
    let found = inputs(json!({"size": ["INT", {"control_after_generate": true}]}), json!([7, "fixed", "L"]));
    assert_eq!(found, json!({"size": 7, "last": "L"}));
    let found =
        inputs(json!({"size": ["INT", {"control_after_generate": "a name"}]}), json!([7, "fixed", "L"]));
    assert_eq!(found, json!({"size": 7, "last": "L"}));
    let found = inputs(json!({"seed": ["INT", {"control_after_generate": false}]}), json!([7, "L"]));
    assert_eq!(found, json!({"seed": 7, "last": "L"}));
}

#[test]
fn a_float_has_a_control_only_when_it_asks_for_one() {
    assert_eq!(
        inputs(json!({"noise_seed": ["FLOAT"]}), json!([0.5, "L"])),
        json!({"noise_seed": 0.5, "last": "L"})
    );
    let found =
        inputs(json!({"noise": ["FLOAT", {"control_after_generate": true}]}), json!([0.5, "fixed", "L"]));
    assert_eq!(found, json!({"noise": 0.5, "last": "L"}));
}

#[test]
fn the_control_of_a_combo_has_a_filter_unless_many_can_be_chosen() {
    let found = inputs(
        json!({"name": [["a", "b"], {"control_after_generate": true}]}),
        json!(["b", "fixed", "", "L"]),
    );
    assert_eq!(found, json!({"name": "b", "last": "L"}));
    let options = json!({"control_after_generate": true, "multi_select": true});
    let found = inputs(json!({"name": [["a", "b"], options]}), json!([["a"], "fixed", "L"]));
    assert_eq!(found, json!({"name": {"__value__": ["a"]}, "last": "L"}));
}

#[test]
fn a_combo_of_a_remote_list_that_can_be_refreshed_takes_three_values() {
    let options = json!({"remote": {"route": "/x", "refresh_button": true}});
    let found =
        inputs(json!({"image": ["COMBO", options]}), json!(["x.png [output]", false, "refresh", "L"]));
    assert_eq!((&found["image"], &found["last"]), (&json!("x.png [output]"), &json!("L")));
}

#[test]
fn an_upload_button_takes_the_last_value() {
    for option in ["image_upload", "video_upload", "animated_image_upload"] {
        let required = json!({"file": [["a.png"], {option: true}], "size": ["INT"]});
        let converted = Drawing::new()
            .class("Load", required, &["IMAGE"])
            .node(1, "Load", json!(["a.png", 5, "image"]))
            .convert();
        assert_eq!(converted.assert_sound().input("1", "size"), 5, "{option}");
        assert_eq!(converted.input("1", "file"), "a.png", "{option}");
    }
}

#[test]
fn the_player_of_sound_takes_no_value_and_its_upload_button_the_last() {
    let required = json!({"audio": [["a.wav"], {"audio_upload": true}]});
    let converted = Drawing::new()
        .class("LoadAudio", required, &["AUDIO"])
        .class("SaveAudio", json!({"audio": ["AUDIO"], "filename_prefix": ["STRING"]}), &[])
        .node(1, "LoadAudio", json!(["b.wav", ""]))
        .node(2, "SaveAudio", json!(["prefix"]))
        .link(1, 0, 2, "audio:AUDIO")
        .convert();
    assert_eq!(converted.input("1", "audio"), "b.wav");
    assert_eq!(converted.input("2", "filename_prefix"), "prefix");
}

#[test]
fn sound_saved_with_a_quality_keeps_it() {
    // Three values match by accident what an older file would hold for an input that asks for a link.
    let codecs = json!(["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "flac", "inputs": {"required": {}}},
        {"key": "mp3", "inputs": {"required": {"quality": ["COMBO", {"options": ["V0", "320k"], "default": "V0"}]}}},
    ]}]);
    let converted = Drawing::new()
        .class(
            "SaveAudioAdvanced",
            json!({"audio": ["AUDIO"], "filename_prefix": ["STRING"], "format": codecs}),
            &[],
        )
        .node(1, "SaveAudioAdvanced", json!(["a", "mp3", "320k"]))
        .convert();
    assert_eq!(
        converted.inputs("1"),
        json!({"filename_prefix": "a", "format": "mp3", "format.quality": "320k"})
    );
}

#[test]
fn the_view_of_a_scene_has_three_buttons_before_it() {
    let required =
        json!({"model_file": [["a.glb"]], "image": ["LOAD_3D"], "width": ["INT"], "height": ["INT"]});
    let values = json!(["a.glb", "upload3dmodel", "uploadExtraResources", "clear", "", 640, 480]);
    let converted = Drawing::new().class("Load3D", required, &["IMAGE"]).node(1, "Load3D", values).convert();
    assert_eq!(converted.input("1", "width"), 640);
    assert_eq!(converted.input("1", "height"), 480);
}

#[test]
fn the_state_of_a_viewport_is_one_value() {
    let state = json!({"camera_info": {}, "model_3d_info": []});
    let converted = Drawing::new()
        .class(
            "Preview3DAdvanced",
            json!({"model_3d": ["FILE_3D"], "viewport_state": ["LOAD_3D"], "width": ["INT"]}),
            &[],
        )
        .node(1, "Preview3DAdvanced", json!([state, 640]))
        .convert();
    assert_eq!(converted.inputs("1"), json!({"viewport_state": state, "width": 640}));
}

#[test]
fn without_a_value_a_widget_has_the_default_of_its_schema_or_of_its_type() {
    let found = inputs(
        json!({
            "int": ["INT"], "int5": ["INT", {"default": 5}], "float": ["FLOAT"], "float1": ["FLOAT", {"default": 0.5}],
            "bool": ["BOOLEAN"], "bool1": ["BOOLEAN", {"default": true}], "text": ["STRING"], "text1": ["STRING", {"default": "x"}],
            "old": [["a", "b"]], "new": ["COMBO", {"options": ["a", "b"]}], "chosen": [["a", "b"], {"default": "b"}],
            "falsy": [[1, 0], {"default": 0}], "many": [["a", "b"], {"multi_select": true, "default": ["b"]}],
        }),
        Value::Null,
    );
    let wanted = json!({
        "int": 0, "int5": 5, "float": 0, "float1": 0.5, "bool": false, "bool1": true, "text": "", "text1": "x",
        "old": "a", "new": "a", "chosen": "b", "falsy": 1, "many": {"__value__": []}, "last": "none",
    });
    for (name, value) in wanted.as_object().unwrap() {
        let both = [value, &found[name]].map(|value| value.as_f64().map_or(value.clone(), Value::from));
        assert_eq!(both[0], both[1], "{name}");
    }
}

#[test]
fn a_combo_without_choices_is_left_out_and_a_remote_one_loads() {
    assert_eq!(inputs(json!({"model": [[]]}), json!([])), json!({"last": "none"}));
    let found = inputs(json!({"model": ["COMBO", {"remote": {"route": "/x"}}]}), json!([]));
    assert_eq!(found, json!({"model": "Loading...", "last": "none"}));
}

#[test]
fn a_frame_has_its_four_numbers_behind_it() {
    let frame = json!({"x": 1, "y": 2, "width": 3, "height": 4});
    assert_eq!(
        inputs(json!({"crop": ["BOUNDING_BOX"]}), json!([frame, 9, 9, 9, 9, "L"])),
        json!({"crop": frame, "last": "L"})
    );
    let found = inputs(json!({"crop": ["BOUNDING_BOX"]}), json!([]));
    assert_eq!(found["crop"], json!({"x": 0, "y": 0, "width": 512, "height": 512}));
}

#[test]
fn lists_of_frames_and_colors_are_wrapped() {
    let required = json!({"frames": ["BOUNDING_BOXES"], "colors": ["COLORS"], "color": ["COLOR"]});
    assert_eq!(
        inputs(required.clone(), json!([[{"x": 1}], ["#ff0000"], "#00ff00", "L"])),
        json!({"frames": {"__value__": [{"x": 1}]}, "colors": {"__value__": ["#ff0000"]}, "color": "#00ff00", "last": "L"})
    );
    assert_eq!(
        inputs(required, json!([])),
        json!({"frames": {"__value__": []}, "colors": {"__value__": []}, "color": "#000000", "last": "none"})
    );
}

#[test]
fn a_curve_is_wrapped_with_its_type_and_null_is_not() {
    let wrapped = |value: Value| json!({"__type__": "CURVE", "__value__": value});
    let curve = json!({"points": [[0, 0], [0.5, 0.75], [1, 1]], "interpolation": "linear"});
    let found = inputs(json!({"curve": ["CURVE"]}), json!([curve, "L"]));
    assert_eq!(found, json!({"curve": wrapped(curve), "last": "L"}));
    let usual = json!({"points": [[0, 0], [1, 1]], "interpolation": "monotone_cubic"});
    assert_eq!(inputs(json!({"curve": ["CURVE"]}), json!([]))["curve"], wrapped(usual));
    assert_eq!(inputs(json!({"curve": ["CURVE"]}), json!([null, "L"])), json!({"curve": null, "last": "L"}));
}

#[test]
fn ranges_and_compositions_are_sent_as_they_are() {
    let required = json!({"range": ["RANGE"], "layers": ["COMPOSITOR"]});
    assert_eq!(
        inputs(required.clone(), json!([{"min": 0.25, "max": 0.5}, {"a": 1}, "L"])),
        json!({"range": {"min": 0.25, "max": 0.5}, "layers": {"a": 1}, "last": "L"})
    );
    assert_eq!(
        inputs(required, json!([])),
        json!({"range": {"min": 0, "max": 1}, "layers": {}, "last": "none"})
    );
}

#[test]
fn a_painting_is_a_text() {
    let required =
        json!({"mask": ["STRING", {"widgetType": "PAINTER", "socketless": true, "image_upload": true}]});
    let converted = Drawing::new()
        .class("Painter", json!({"mask": required["mask"], "width": ["INT"]}), &[])
        .node(1, "Painter", json!(["painter/p.png [temp]", 64]))
        .convert();
    assert_eq!(converted.inputs("1"), json!({"mask": "painter/p.png [temp]", "width": 64}));
}

#[test]
fn the_comparison_of_two_pictures_takes_no_value() {
    let found = inputs(json!({"view": ["IMAGECOMPARE", {"socketless": true}]}), json!(["L"]));
    assert_eq!(found["last"], "L");
}

#[test]
fn the_choices_of_a_custom_combo_are_no_inputs_of_the_server() {
    let combo = json!({"choice": ["COMBO", {"options": []}]});
    let converted = Drawing::new()
        .class("CustomCombo", combo, &["STRING"])
        .node(1, "CustomCombo", json!(["b", 1, "a", "b", ""]))
        .convert();
    assert_eq!(converted.input("1", "choice"), "b");
}
