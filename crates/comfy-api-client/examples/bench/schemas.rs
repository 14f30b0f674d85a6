//! Made-up answers of `GET /object_info`, in the proportions of real ones.

use serde_json::{Map, Value, json};

use crate::Failure;

/// Lists of files as large installations have them: folder, how many, extension.
const FOLDERS: [(&str, usize, &str); 6] = [
    ("loras", 1500, "safetensors"),
    ("checkpoints", 180, "safetensors"),
    ("vae", 25, "safetensors"),
    ("controlnet", 60, "safetensors"),
    ("input", 2400, "png"),
    ("upscale_models", 40, "pth"),
];

const SAMPLERS: [&str; 12] = [
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "heun",
    "dpm_2",
    "dpmpp_2m",
    "dpmpp_2m_sde_gpu",
    "ddpm",
    "lcm",
    "res_multistep",
    "ddim",
    "uni_pc",
];

const WORDS: [&str; 16] = [
    "the", "strength", "of", "model", "latent", "image", "applied", "before", "sampling", "when", "value",
    "higher", "noise", "prompt", "steps", "mask",
];

/// An answer of at least `size` bytes, written as densely as JSON can be. `lists`: what makes real answers large, long
/// lists of files that many classes repeat. `texts`: many classes, none of whose texts or lists occurs twice.
pub(crate) fn make(kind: &str, size: usize) -> Result<String, Failure> {
    let files: Vec<Value> = match kind {
        "lists" => FOLDERS.iter().map(|folder| file_list(*folder)).collect(),
        "texts" => Vec::new(),
        _ => return Err(format!("no such schemas: {kind}").into()),
    };
    let mut text = String::with_capacity(size + size / 16);
    let mut number = 0;
    while text.len() < size {
        text.push(if number == 0 { '{' } else { ',' });
        let name = format!("{}Node{number}", title(number));
        let class = class(&name, number, &files);
        text += &format!("{}:{class}", Value::from(name));
        number += 1;
    }
    text.push('}');
    Ok(text)
}

fn file_list((folder, count, extension): (&str, usize, &str)) -> Value {
    (0..count).map(|file| format!("{folder}/{}_v{file:04}.{extension}", words(file * 7, 3, "_"))).collect()
}

/// Every other class is described in the newer style, as on current servers.
fn class(name: &str, number: usize, files: &[Value]) -> Value {
    let v3 = number.is_multiple_of(2);
    let inputs = inputs(number, v3, files);
    let order: Vec<&String> = inputs.keys().collect();
    let order = json!({ "required": order });
    let mut class = json!({
        "input": {"required": inputs, "hidden": {"unique_id": "UNIQUE_ID"}},
        "input_order": order,
        "is_input_list": false,
        "output": ["IMAGE", "MASK"],
        "output_is_list": [false, false],
        "output_name": [format!("picture {number}"), "MASK"],
        "name": name,
        "display_name": words(number, 3, " "),
        "description": words(number * 3, 12, " "),
        "python_module": format!("custom_nodes.pack_{}", number / 20),
        "category": format!("pack {}/{}", number / 20, WORDS[number % WORDS.len()]),
        "output_node": number.is_multiple_of(9),
        "has_intermediate_output": false,
        "search_aliases": [words(number * 5, 2, " "), words(number * 11, 2, " ")],
        "essentials_category": null,
    });
    if let (true, Some(class)) = (v3, class.as_object_mut()) {
        for flag in ["deprecated", "experimental", "dev_only", "api_node"] {
            class.insert(flag.into(), false.into());
        }
        class.insert("output_tooltips".into(), json!([words(number * 13, 6, " "), null]));
        class.insert("output_matchtypes".into(), Value::Null);
        class.insert("price_badge".into(), Value::Null);
    }
    class
}

fn inputs(number: usize, v3: bool, files: &[Value]) -> Map<String, Value> {
    let mut inputs = Map::new();
    let mut add = |name: &str, spec: Value| drop(inputs.insert(name.to_owned(), spec));
    let tooltip = |of: usize| format!("{} ({number}.{of})", words(number * 17 + of, 9, " "));
    add("image", json!(["IMAGE", {"tooltip": tooltip(1)}]));
    add("model", json!(["MODEL"]));
    add("seed", json!(["INT", {"default": 0, "min": 0, "max": u64::MAX, "control_after_generate": true}]));
    add(
        "strength",
        json!(["FLOAT", {"default": 1.0, "min": 0.0, "max": 10.0, "step": 0.01, "tooltip": tooltip(2)}]),
    );
    add("text", json!(["STRING", {"multiline": true, "dynamicPrompts": true, "tooltip": tooltip(3)}]));
    add("invert", json!(["BOOLEAN", {"default": false, "tooltip": tooltip(4)}]));
    let mut combo = |name: &str, values: &Value, of: usize| {
        add(
            name,
            if v3 {
                json!(["COMBO", {"multiselect": false, "options": values, "tooltip": tooltip(of)}])
            } else {
                json!([values, {"tooltip": tooltip(of)}])
            },
        );
    };
    if files.is_empty() {
        let values: Vec<String> = (0..10).map(|value| format!("{}_{number}", SAMPLERS[value])).collect();
        combo("mode", &json!(values), 5);
    } else {
        combo("sampler_name", &json!(SAMPLERS), 5);
        // Every third class lists files.
        if number.is_multiple_of(3) {
            combo(FOLDERS[number / 3 % files.len()].0, &files[number / 3 % files.len()], 6);
        }
    }
    inputs
}

fn title(number: usize) -> String {
    let word = WORDS[number % WORDS.len()];
    word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()
}

/// So many words that are the same for the same number.
fn words(number: usize, count: usize, between: &str) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9).wrapping_add(number);
    let mut words = Vec::with_capacity(count);
    for _ in 0..count {
        state = state.wrapping_mul(0x5851_f42d).wrapping_add(0x1405_7b7e);
        words.push(WORDS[(state >> 16) % WORDS.len()]);
    }
    words.join(between)
}
