//! Texts that are worked on before they are sent.

use comfy_workflow::convert::{ConvertOptions, DynamicPrompts};
use serde_json::{Value, json};

use crate::conversion::drawing::Drawing;

fn prompt(options: Value, text: &str) -> Drawing {
    Drawing::new().class("Text", json!({"text": ["STRING", options]}), &[]).node(1, "Text", json!([text]))
}

fn sent(text: &str) -> Value {
    prompt(json!({"multiline": true, "dynamicPrompts": true}), text).convert().input("1", "text")
}

#[test]
fn one_of_the_alternatives_is_sent() {
    assert_eq!(sent("a {red|green} cat"), "a red cat");
    assert_eq!(sent("{a|b}{c|d}"), "ac");
    assert_eq!(sent("a {{b|c}|d} e"), "a b e");
    assert_eq!(sent("{}x"), "x");
}

#[test]
fn braces_without_a_partner_are_tolerated() {
    assert_eq!(sent("a {b|c"), "a b");
    assert_eq!(sent("a } b"), "a } b");
}

#[test]
fn a_backslash_protects_braces_and_bars_only() {
    assert_eq!(sent(r"\{not\} \| {x}"), "{not} | x");
    assert_eq!(sent(r"a\b \( \\ c"), r"a\b \( \\ c");
}

#[test]
fn comments_are_cut_even_out_of_addresses() {
    assert_eq!(sent("a // b\nc /* d\n e */ f"), "a \nc  f");
    assert_eq!(sent("see http://example.com/x"), "see http:");
}

#[test]
fn single_lines_are_worked_on_as_well_and_others_are_not() {
    assert_eq!(prompt(json!({"dynamicPrompts": true}), "{a|b} // c").convert().input("1", "text"), "a ");
    for options in [json!({"dynamicPrompts": false}), json!({"multiline": true}), json!({})] {
        assert_eq!(prompt(options, "{a|b} // c").convert().input("1", "text"), "{a|b} // c");
    }
}

#[test]
fn a_random_choice_can_be_repeated() {
    let drawing = prompt(json!({"dynamicPrompts": true}), "{a|b|c} {a|b|c} {a|b|c} {a|b|c}");
    let draw = |seed: u64| {
        let options = ConvertOptions::default().dynamic_prompts(DynamicPrompts::Random(seed));
        drawing.convert_with(drawing.document(), &options).input("1", "text").as_str().unwrap().to_owned()
    };
    let drawn: std::collections::BTreeSet<String> = (0..50).map(draw).collect();
    assert!(drawn.len() > 10, "{drawn:?}");
    assert!(
        drawn.iter().all(|text| text.split(' ').all(|word| ["a", "b", "c"].contains(&word))),
        "{drawn:?}"
    );
    assert_eq!(draw(7), draw(7));
}

#[test]
fn the_name_of_a_picture_can_hold_the_date() {
    let save = |prefix: &str| {
        Drawing::new()
            .class("SaveImage", json!({"filename_prefix": ["STRING"]}), &[])
            .node(1, "SaveImage", json!([prefix]))
            .convert()
            .input("1", "filename_prefix")
    };
    assert_eq!(save("%date:yyyy-MM-dd%/a_%date:hhmmss%"), "2025-01-02/a_030405");
    assert_eq!(save("%date:d.M.yy h:m:s%"), "2.1.25 3:4:5");
    for unknown in ["%date%", "%width%", "%Nobody.seed%", "100%", "%a.b"] {
        assert_eq!(save(unknown), unknown);
    }
}

#[test]
fn the_name_of_a_picture_can_hold_the_value_of_a_widget() {
    let save = |prefix: &str| {
        Drawing::new()
            .class("SaveImage", json!({"filename_prefix": ["STRING"]}), &[])
            .class("Sampler", json!({"seed": ["INT"], "name": ["STRING"]}), &[])
            .node(1, "Sampler", json!([1, "fixed", "titled"]))
            .with("title", "Mine")
            .node(2, "Sampler", json!([2, "fixed", "a/b:c?"]))
            .with("properties", json!({"Node name for S&R": "Mine"}))
            .node(3, "Sampler", json!([3, "fixed", "x"]))
            .with("title", "Other")
            .node(4, "SaveImage", json!([prefix]))
            .convert()
            .input("4", "filename_prefix")
    };
    // The property wins over the title, wherever the nodes stand.
    assert_eq!(save("s%Mine.seed%"), "s2");
    assert_eq!(save("s%Other.seed%"), "s3");
    assert_eq!(save("%Mine.name%"), "a_b_c_");
    assert_eq!(save("%Mine.nothing%"), "%Mine.nothing%");
}

#[test]
fn names_are_only_worked_on_where_something_is_saved_under_them() {
    for (class, is_worked_on) in
        [("SaveImage", true), ("SaveVideo", true), ("VAESave", true), ("SaveText", false), ("Mine", false)]
    {
        let converted = Drawing::new()
            .class(class, json!({"filename_prefix": ["STRING"]}), &[])
            .node(1, class, json!(["%date:yyyy%"]))
            .convert();
        let wanted = if is_worked_on { "2025" } else { "%date:yyyy%" };
        assert_eq!(converted.input("1", "filename_prefix"), wanted, "{class}");
    }
}
