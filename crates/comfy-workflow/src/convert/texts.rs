//! Texts with dynamic prompts: comments are cut out, and of `{day|night}` one alternative is taken.

use super::DynamicPrompts;
use crate::random::Numbers;

/// How deep blocks may nest; deeper ones are taken as they stand.
const DEPTH: usize = 100;

/// Draws alternatives, the same ones for the same seed.
pub(super) struct Chooser {
    numbers: Option<Numbers>,
}

impl Chooser {
    pub(super) fn new(choice: DynamicPrompts) -> Self {
        let numbers = match choice {
            DynamicPrompts::First => None,
            DynamicPrompts::Random(seed) => Some(Numbers::new(seed)),
        };
        Self { numbers }
    }

    /// A number below `count`.
    fn choose(&mut self, count: usize) -> usize {
        let drawn = self.numbers.as_mut().map_or(0, |numbers| numbers.below(count as u128));
        usize::try_from(drawn).unwrap_or(0)
    }
}

/// The text that goes to the server.
pub(super) fn resolve(text: &str, chooser: &mut Chooser) -> String {
    let text: Vec<char> = without_comments(text).chars().collect();
    let mut reader = Reader { text: &text, position: 0, chooser };
    let mut resolved = String::new();
    while let Some(c) = reader.take() {
        match c {
            '{' => resolved.push_str(&reader.block(0)),
            '\\' => reader.escaped(&mut resolved),
            c => resolved.push(c),
        }
    }
    unprotected(&resolved)
}

struct Reader<'t, 'c> {
    text: &'t [char],
    position: usize,
    chooser: &'c mut Chooser,
}

impl Reader<'_, '_> {
    fn take(&mut self) -> Option<char> {
        let c = self.text.get(self.position).copied()?;
        self.position += 1;
        Some(c)
    }

    /// A backslash protects the next character, a second backslash as well.
    fn escaped(&mut self, into: &mut String) {
        into.push('\\');
        into.extend(self.take());
    }

    /// One alternative of the block whose brace was just read. The closing brace may be missing.
    fn block(&mut self, depth: usize) -> String {
        let mut alternatives = vec![String::new()];
        while let Some(c) = self.take() {
            let Some(last) = alternatives.last_mut() else { break };
            match c {
                '{' if depth < DEPTH => {
                    let inner = self.block(depth + 1);
                    last.push_str(&inner);
                }
                '}' => break,
                '|' => alternatives.push(String::new()),
                '\\' => self.escaped(last),
                c => last.push(c),
            }
        }
        let chosen = self.chooser.choose(alternatives.len());
        unprotected(&alternatives.swap_remove(chosen))
    }
}

/// Takes away the backslash before braces and bars. It stays before everything else.
fn unprotected(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c != '\\' || !matches!(characters.peek(), Some('{' | '}' | '|')) {
            kept.push(c);
        } else {
            // The protected character is no backslash, so it starts nothing.
            kept.extend(characters.next());
        }
    }
    kept
}

/// Cuts `//…` up to the end of the line and `/*…*/`.
fn without_comments(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(at) = rest.find('/') {
        let (before, comment) = rest.split_at(at);
        kept.push_str(before);
        let end = if comment.starts_with("//") {
            Some(comment.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(comment.len()))
        } else {
            let inside = comment.strip_prefix("/*");
            inside.and_then(|inside| inside.find("*/")).map(|end| "/*".len() + end + "*/".len())
        };
        rest = match end {
            Some(end) => &comment[end..],
            None => {
                kept.push('/');
                &comment[1..]
            }
        };
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        resolve(text, &mut Chooser::new(DynamicPrompts::First))
    }

    #[test]
    fn comments_are_cut_and_so_are_addresses() {
        assert_eq!(first("a // b\nc /* d\n */ e"), "a \nc  e");
        assert_eq!(first("see http://x.org"), "see http:");
        assert_eq!(first("a / b /* open"), "a / b /* open");
    }

    #[test]
    fn one_alternative_is_taken() {
        assert_eq!(first("a {b|c} d"), "a b d");
        assert_eq!(first("{{a|b}|c}{}"), "a");
        assert_eq!(first("lone } stays, {open|end"), "lone } stays, open");
    }

    #[test]
    fn a_backslash_protects() {
        assert_eq!(first(r"\{a\|b\} \n {a\|b|c}"), r"{a|b} \n a|b");
        // Two backslashes are a pair: the block behind them is one. Seen in the editor, as are the others.
        assert_eq!(first(r"a \\{b|c}"), r"a \\b");
        assert_eq!(first(r"\\} \\|"), r"\} \|");
        assert_eq!(first(r"{a\\\}|b}*"), r"a\}*");
        assert_eq!(first(r"end\"), r"end\");
    }

    #[test]
    fn chance_is_the_same_for_the_same_seed() {
        let draw = |seed| {
            resolve("{a|b|c|d}{a|b|c|d}{a|b|c|d}{a|b|c|d}", &mut Chooser::new(DynamicPrompts::Random(seed)))
        };
        assert_eq!(draw(7), draw(7));
        assert!((0..20).any(|seed| draw(seed) != draw(7)));
    }
}
