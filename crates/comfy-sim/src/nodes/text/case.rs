//! Capital letters as the server's language sets them.

/// The first character as a title, the rest in small letters.
pub(super) fn capitalize(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let lower = text.to_lowercase();
    let mut characters = text.chars();
    if let Some(first) = characters.next() {
        push_title(first, &mut result);
        let skipped = first.to_lowercase().count();
        result.extend(lower.chars().skip(skipped));
    }
    result
}

/// Every letter that follows no letter as a title, the others in small letters.
pub(super) fn title(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut inside = false;
    for (index, character) in text.char_indices() {
        let is_letter = has_case(character);
        if inside && is_letter {
            push_lower(text, index, character, &mut result);
        } else {
            push_title(character, &mut result);
        }
        inside = is_letter;
    }
    result
}

fn has_case(character: char) -> bool {
    character.is_lowercase() || character.is_uppercase() || title_of_pair(character).is_some()
}

/// A small letter; a sigma that ends a word has a form of its own.
fn push_lower(text: &str, index: usize, character: char, result: &mut String) {
    let next = text[index + character.len_utf8()..].chars().next();
    if character == 'Σ' && !next.is_some_and(char::is_alphabetic) {
        result.push('ς');
    } else {
        result.extend(character.to_lowercase());
    }
}

fn push_title(character: char, result: &mut String) {
    if let Some(title) = title_of_pair(character) {
        return result.push(title);
    }
    let mut upper = character.to_uppercase();
    result.extend(upper.next());
    // What becomes several letters, such as a ligature, has only its first one as a capital.
    result.extend(upper.flat_map(char::to_lowercase));
}

/// Characters that are two letters in one have a form with only the first one as a capital.
fn title_of_pair(character: char) -> Option<char> {
    Some(match character {
        'Ǆ' | 'ǅ' | 'ǆ' => 'ǅ',
        'Ǉ' | 'ǈ' | 'ǉ' => 'ǈ',
        'Ǌ' | 'ǋ' | 'ǌ' => 'ǋ',
        'Ǳ' | 'ǲ' | 'ǳ' => 'ǲ',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_after_anything_that_is_no_letter() {
        assert_eq!(title("it's 2nd o'clock-test ΑΣ"), "It'S 2Nd O'Clock-Test Ας");
        assert_eq!(capitalize("ßTRASSE ǆ"), "Sstrasse ǆ");
    }
}
