//! What may have been meant by a name that is not there.

use crate::schema::Wanted;

/// Most names that are suggested.
const MOST: usize = 3;

/// Fewest letters that may stand for a name that begins so.
const BEGINNING: usize = 3;

/// Words in the names of model files that tell in which form the same model is stored.
const FORMS: [&str; 20] = [
    "fp32", "fp16", "bf16", "fp8", "fp4", "nf4", "int8", "int4", "e4m3fn", "e5m2", "scaled", "fast", "mixed",
    "gguf", "pruned", "emaonly", "ema", "full", "float16", "half",
];

/// How a candidate is like what was asked for, the closest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likeness {
    /// The same but for case, and for the direction of slashes.
    Case,
    /// A file of the same name in another folder.
    Folder,
    /// A file that has only another ending.
    Extension,
    /// The same model in another precision or quantisation.
    Form,
    /// What was asked for is how it begins: `euler_a` for `euler_ancestral`.
    Beginning,
    /// Spelled much alike.
    Spelling,
}

/// The candidates most like `wanted`, the closest first, three at most. Names of files are also like each other when folder,
/// ending or precision differ.
pub(super) fn nearest<'a>(wanted: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = Asked::of(wanted);
    let mut found: Vec<(Likeness, f64, &str)> = Vec::new();
    for candidate in candidates {
        let Some((likeness, score)) = wanted.likeness(candidate) else { continue };
        if found.iter().any(|(_, _, known)| *known == candidate) {
            continue;
        }
        // Among equals the first in the server's order is the better guess.
        let closer = |(other, other_score, _): &(Likeness, f64, &str)| {
            *other < likeness || *other == likeness && *other_score >= score
        };
        let place = found.iter().position(|known| !closer(known)).unwrap_or(found.len());
        if place < MOST {
            found.insert(place, (likeness, score, candidate));
            found.truncate(MOST);
        }
    }
    found.into_iter().map(|(_, _, name)| name).collect()
}

/// A name in its parts, all in lower case.
struct Name {
    whole: String,
    file: String,
    stem: String,
    /// The stem without words that tell the form; empty where it has none but those.
    model: String,
    is_file: bool,
}

impl Name {
    fn of(name: &str) -> Self {
        let whole = name.to_lowercase().replace('\\', "/");
        let file = whole.rsplit('/').next().unwrap_or_default().to_owned();
        let (stem, is_file) = match file.rsplit_once('.') {
            Some((stem, ending)) if is_ending(ending) && !stem.is_empty() => (stem.to_owned(), true),
            _ => (file.clone(), false),
        };
        let words: Vec<&str> =
            stem.split(['-', '_', '.', ' ']).filter(|word| !word.is_empty() && !is_form(word)).collect();
        let model = words.join("_");
        Self { whole, file, stem, model, is_file }
    }
}

/// The name that is not there.
struct Asked {
    name: Name,
    whole: Wanted,
    stem: Wanted,
}

impl Asked {
    fn of(name: &str) -> Self {
        let name = Name::of(name);
        let (whole, stem) = (Wanted::new(&name.whole), Wanted::new(&name.stem));
        Self { name, whole, stem }
    }

    fn is_beginning_of(&self, candidate: &str) -> bool {
        let whole = &self.name.whole;
        let start = candidate.get(..whole.len());
        whole.len() >= BEGINNING && start.is_some_and(|start| start.to_lowercase() == *whole)
    }

    fn likeness(&self, candidate: &str) -> Option<(Likeness, f64)> {
        // Most names are no files, and not alike.
        if !self.name.is_file
            && !candidate.contains(['.', '\\'])
            && !self.is_beginning_of(candidate)
            && self.whole.likeness(candidate).is_none()
        {
            return None;
        }
        let (name, other) = (&self.name, Name::of(candidate));
        let score = self.whole.likeness(&other.whole).unwrap_or_default();
        if name.whole == other.whole {
            return Some((Likeness::Case, score));
        }
        if name.is_file || other.is_file {
            let form = !name.model.is_empty() && name.model == other.model;
            let likeness = match () {
                () if name.file == other.file => Some(Likeness::Folder),
                () if name.stem == other.stem => Some(Likeness::Extension),
                () if form => Some(Likeness::Form),
                () => None,
            };
            if let Some(likeness) = likeness {
                return Some((likeness, score));
            }
        }
        if self.is_beginning_of(&other.whole) {
            return Some((Likeness::Beginning, score));
        }
        let stem = if name.is_file { self.stem.likeness(&other.stem) } else { None };
        let score = score.max(stem.unwrap_or_default());
        (score > 0.0).then_some((Likeness::Spelling, score))
    }
}

fn is_ending(text: &str) -> bool {
    (1..=11).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric())
}

/// Whether a word tells the form of a model: `fp16`, `q4`, `iq3`, and the single letters and digits behind them (`q4_k_m`).
fn is_form(word: &str) -> bool {
    let quantised = word
        .trim_start_matches('i')
        .strip_prefix('q')
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
    quantised || FORMS.contains(&word) || matches!(word, "k" | "s" | "m" | "l" | "xs" | "xxs" | "0" | "1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_file_is_like_itself_elsewhere_and_in_other_forms() {
        let files = [
            "flux1-dev.safetensors",
            "SDXL/sd_xl_base_1.0.safetensors",
            "flux1-dev-Q4_K_S.gguf",
            "v1-5-pruned-emaonly-fp16.safetensors",
            "Realistic.ckpt",
        ];
        let near = |wanted: &str| nearest(wanted, files.into_iter());
        assert_eq!(near("sd_xl_base_1.0.safetensors"), ["SDXL/sd_xl_base_1.0.safetensors"]);
        assert_eq!(near("xl\\SD_XL_base_1.0.safetensors"), ["SDXL/sd_xl_base_1.0.safetensors"]);
        assert_eq!(near("v1-5-pruned-emaonly.ckpt")[0], "v1-5-pruned-emaonly-fp16.safetensors");
        assert_eq!(
            near("flux1-dev-fp8.safetensors")[..2],
            ["flux1-dev.safetensors", "flux1-dev-Q4_K_S.gguf"]
        );
        assert_eq!(near("realistic.safetensors"), ["Realistic.ckpt"]);
        assert!(near("wan2.1_t2v.safetensors").is_empty());
    }

    #[test]
    fn other_names_are_alike_by_spelling() {
        let names = ["euler", "euler_ancestral", "heun", "dpmpp_2m"];
        assert_eq!(nearest("Euler", names.into_iter())[0], "euler");
        assert_eq!(nearest("euler_ancestal", names.into_iter())[0], "euler_ancestral");
        assert_eq!(nearest("euler_a", names.into_iter()), ["euler_ancestral", "euler"]);
        assert_eq!(nearest("dpm", names.into_iter()), ["dpmpp_2m"]);
        assert!(nearest("x", names.into_iter()).is_empty());
    }
}
