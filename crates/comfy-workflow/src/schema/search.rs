//! Finding node classes by what they are called and say of themselves.

use serde_json::Value;

use super::{NodeSchema, Schemas};

/// How much a word counts, by where it was found.
mod weight {
    pub(super) const NAME: u32 = 100;
    pub(super) const ALIAS: u32 = 60;
    pub(super) const CATEGORY: u32 = 30;
    pub(super) const INPUT: u32 = 20;
    pub(super) const DESCRIPTION: u32 = 10;
}

impl Schemas {
    /// The classes in which every word of `text` occurs, the likeliest first: in the name, the display name, the aliases, the
    /// category, the names of inputs and the description, which count in this order. Whole words count more than the
    /// beginnings of words, and those more than other parts. Upper and lower case are the same; the server's order decides
    /// between equals, with deprecated classes last.
    #[must_use]
    pub fn search(&self, text: &str) -> Vec<&NodeSchema> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<(u32, &NodeSchema)> = self
            .classes
            .values()
            .filter_map(|schema| Some((score(schema, &words, text.trim())?, schema)))
            .collect();
        found.sort_by_key(|(score, schema)| (schema.deprecated, u32::MAX - score));
        found.into_iter().map(|(_, schema)| schema).collect()
    }
}

/// How well a class fits; `None` where a word does not occur at all.
fn score(schema: &NodeSchema, words: &[String], text: &str) -> Option<u32> {
    let texts = texts(schema);
    let mut score = 0;
    for word in words {
        // A word that is in several places does not count for all of them: long descriptions would win.
        score += texts.iter().map(|text| text.weight * text.likeness(word)).max().filter(|best| *best > 0)?;
    }
    // What is called just so comes before what is called so among other things.
    let is_name = schema.name.eq_ignore_ascii_case(text) || schema.title().eq_ignore_ascii_case(text);
    Some(if is_name { u32::MAX } else { score })
}

/// Something that a class says of itself.
struct Text {
    lower: String,
    /// Where its words begin, in bytes.
    starts: Vec<usize>,
    weight: u32,
}

fn texts(schema: &NodeSchema) -> Vec<Text> {
    let aliases = schema.extra.get("search_aliases").and_then(Value::as_array).into_iter().flatten();
    let mut texts = vec![Text::new(&schema.name, weight::NAME), Text::new(schema.title(), weight::NAME)];
    texts.extend(aliases.filter_map(Value::as_str).map(|alias| Text::new(alias, weight::ALIAS)));
    texts.push(Text::new(&schema.category, weight::CATEGORY));
    texts.extend(schema.inputs.iter().map(|input| Text::new(&input.name, weight::INPUT)));
    texts.push(Text::new(&schema.description, weight::DESCRIPTION));
    texts
}

impl Text {
    fn new(text: &str, weight: u32) -> Self {
        let mut lower = String::with_capacity(text.len());
        let mut starts = Vec::new();
        let mut last: Option<char> = None;
        for c in text.chars() {
            // `KSamplerAdvanced`, `load_image` and `image/upscaling` have several words.
            let begins = match last {
                None => true,
                Some(last) => !last.is_alphanumeric() || (c.is_uppercase() && !last.is_uppercase()),
            };
            if begins && c.is_alphanumeric() {
                starts.push(lower.len());
            }
            lower.extend(c.to_lowercase());
            last = Some(c);
        }
        Self { lower, starts, weight }
    }

    /// 3 where the word stands for itself, 2 where a word begins with it, 1 where it is within one, 0 where it is nowhere.
    fn likeness(&self, word: &str) -> u32 {
        let is_whole = |at: usize| {
            let end = at + word.len();
            end == self.lower.len()
                || self.starts.contains(&end)
                || self.lower[end..].starts_with(|c: char| !c.is_alphanumeric())
        };
        let places = self.lower.match_indices(word).map(|(at, _)| at);
        places
            .map(|at| match self.starts.contains(&at) {
                true if is_whole(at) => 3,
                true => 2,
                false => 1,
            })
            .max()
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schemas() -> Schemas {
        let class = |display: &str, category: &str, description: &str, input: &str| {
            json!({"display_name": display, "category": category, "description": description,
                   "input": {"required": {input: ["INT"]}}, "output": []})
        };
        let mut old = class("Upscale (old)", "image", "", "image");
        old["deprecated"] = true.into();
        let mut alias = class("Batch", "image/batch", "", "images");
        alias["search_aliases"] = json!(["merge pictures"]);
        Schemas::from_value(json!({
            "UpscaleOld": old,
            "Describer": class("Describer", "text", "Says how to upscale an image.", "text"),
            "ImageUpscaleWithModel": class("Upscale Image (using Model)", "image/upscaling", "", "upscale_model"),
            "ModelLoader": class("Load Model", "loaders", "", "upscale_name"),
            "Upscale": class("Larger", "image", "", "scale"),
            "SuperUpscaler": class("Super", "image", "", "x"),
            "ImageBatch": alias,
        }))
        .unwrap()
    }

    fn names(text: &str) -> Vec<String> {
        schemas().search(text).into_iter().map(|schema| schema.name.clone()).collect()
    }

    #[test]
    fn names_come_before_categories_inputs_and_descriptions_and_what_is_deprecated_is_last() {
        assert_eq!(
            names("upscale"),
            ["Upscale", "ImageUpscaleWithModel", "SuperUpscaler", "ModelLoader", "Describer", "UpscaleOld"]
        );
    }

    #[test]
    fn every_word_has_to_occur_somewhere() {
        assert_eq!(names("MODEL upscale"), ["ImageUpscaleWithModel", "ModelLoader"]);
        assert_eq!(names("merge"), ["ImageBatch"]);
        assert!(names("upscale nonsense").is_empty());
        assert!(names(" ").is_empty());
    }

    #[test]
    fn names_of_other_scripts_are_searched_too() {
        let schemas = Schemas::from_value(json!({"İmage漢字": {"output": []}, "ẞ": {"output": []}})).unwrap();
        assert_eq!(schemas.search("漢字").len(), 1);
        assert_eq!(schemas.search("ß").len(), 1);
    }
}
