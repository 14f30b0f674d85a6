//! Reading an expression.

use super::super::NodeError;
use super::Computed;

/// Deeper nesting is no arithmetic.
const MAX_DEPTH: usize = 64;
/// Parts that an expression may have.
const MAX_SIZE: usize = 2_000;

/// An expression.
#[derive(Debug, PartialEq)]
pub(super) enum Expression {
    Constant(Computed),
    Name(String),
    Call(String, Vec<Self>),
    Unary(&'static str, Box<Self>),
    Binary(&'static str, Box<Self>, Box<Self>),
    /// `a < b <= c`.
    Comparison(Box<Self>, Vec<(&'static str, Self)>),
    /// Value if true, condition, value if false.
    Choice(Box<[Self; 3]>),
    Item(Box<Self>, Box<Self>),
    /// What the server's evaluator refuses, by its name there.
    Refused(&'static str),
    Attribute(String),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Number(Computed),
    Text(String),
    Name(String),
    Sign(&'static str),
}

/// Signs, longer ones first.
const SIGNS: [&str; 32] = [
    "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "(", ")", "[", "]",
    ",", "&", "|", "^", "~", "@", ".", ";", "{", "}", ":", "=", "\n",
];

/// Binary operators from the loosest to the tightest.
const LEVELS: [&[&str]; 6] =
    [&["|"], &["^"], &["&"], &["<<", ">>"], &["+", "-"], &["*", "/", "//", "%", "@"]];

fn syntax() -> NodeError {
    NodeError::new("SyntaxError", "invalid syntax (<unknown>, line 1)")
}

/// Reads the first expression of a text, whose end may also be a semicolon or a new line.
pub(super) fn parse(source: &str) -> Result<Expression, NodeError> {
    let tokens = tokens(source.trim())?;
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, size: 0 };
    let expression = parser.choice()?;
    match parser.tokens.get(parser.at) {
        None | Some(Token::Sign(";" | "\n")) => Ok(expression),
        Some(_) => Err(syntax()),
    }
}

fn tokens(source: &str) -> Result<Vec<Token>, NodeError> {
    let mut tokens = Vec::new();
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let second = rest.chars().nth(1);
        if first != '\n' && first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
        } else if first.is_ascii_digit() || first == '.' && second.is_some_and(|next| next.is_ascii_digit()) {
            let (number, after) = number(rest)?;
            tokens.push(Token::Number(number));
            rest = after;
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
            tokens.push(Token::Name(rest[..end].to_owned()));
            rest = &rest[end..];
        } else if matches!(first, '\'' | '"') {
            let end = rest[1..].find(first).ok_or_else(syntax)?;
            tokens.push(Token::Text(rest[1..=end].to_owned()));
            rest = &rest[end + 2..];
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = &rest[sign.len()..];
        } else {
            return Err(syntax());
        }
    }
    Ok(tokens)
}

fn number(source: &str) -> Result<(Computed, &str), NodeError> {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        let lower = source.get(..2).map(str::to_ascii_lowercase);
        if lower.as_deref() == Some(prefix) {
            let end = source[2..].find(|next: char| !next.is_digit(radix) && next != '_');
            let end = end.map_or(source.len(), |end| end + 2);
            let digits = source[2..end].replace('_', "");
            let int = i128::from_str_radix(&digits, radix).map_err(|_| syntax())?;
            return Ok((Computed::Int(int), &source[end..]));
        }
    }
    let bytes = source.as_bytes();
    let mut end = 0;
    let mut is_float = false;
    while let Some(byte) = bytes.get(end) {
        match byte {
            b'0'..=b'9' | b'_' => {}
            b'.' => is_float = true,
            b'e' | b'E' => {
                is_float = true;
                if matches!(bytes.get(end + 1), Some(b'+' | b'-')) {
                    end += 1;
                }
            }
            _ => break,
        }
        end += 1;
    }
    let (text, rest) = source.split_at(end);
    if rest.starts_with(char::is_alphabetic) {
        return Err(syntax());
    }
    let digits = text.replace('_', "");
    let number = match digits.parse() {
        Ok(int) if !is_float => Computed::Int(int),
        _ => Computed::Float(digits.parse().map_err(|_| syntax())?),
    };
    Ok((number, rest))
}

struct Parser<'a> {
    tokens: &'a [Token],
    at: usize,
    depth: usize,
    size: usize,
}

impl Parser<'_> {
    fn sign(&mut self, wanted: &[&'static str]) -> Option<&'static str> {
        match self.tokens.get(self.at) {
            Some(Token::Sign(sign)) if wanted.contains(sign) => {
                self.at += 1;
                Some(sign)
            }
            _ => None,
        }
    }

    fn word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Name(name)) if name == wanted);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), NodeError> {
        self.sign(&[sign]).map(|_| ()).ok_or_else(syntax)
    }

    /// Counts what makes the tree deeper without recursion here: what walks over the tree does recur.
    fn grow(&mut self) -> Result<(), NodeError> {
        self.size += 1;
        if self.size > MAX_SIZE {
            return Err(NodeError::new("RecursionError", "maximum recursion depth exceeded"));
        }
        Ok(())
    }

    fn choice(&mut self) -> Result<Expression, NodeError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(NodeError::new("RecursionError", "maximum recursion depth exceeded"));
        }
        if self.word("lambda") {
            self.at = self.tokens.len();
            return Ok(Expression::Refused("Lambda"));
        }
        let value = self.any()?;
        let result = if self.word("if") {
            let condition = self.any()?;
            if !self.word("else") {
                return Err(syntax());
            }
            Expression::Choice(Box::new([value, condition, self.choice()?]))
        } else {
            value
        };
        self.depth -= 1;
        Ok(result)
    }

    fn any(&mut self) -> Result<Expression, NodeError> {
        let mut left = self.all()?;
        while self.word("or") {
            self.grow()?;
            left = Expression::Binary("or", Box::new(left), Box::new(self.all()?));
        }
        Ok(left)
    }

    fn all(&mut self) -> Result<Expression, NodeError> {
        let mut left = self.not()?;
        while self.word("and") {
            self.grow()?;
            left = Expression::Binary("and", Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Result<Expression, NodeError> {
        let mut count = 0;
        while self.word("not") {
            count += 1;
        }
        let mut inner = self.comparison()?;
        for _ in 0..count {
            self.grow()?;
            inner = Expression::Unary("not", Box::new(inner));
        }
        Ok(inner)
    }

    fn comparison(&mut self) -> Result<Expression, NodeError> {
        let first = self.binary(0)?;
        let mut others = Vec::new();
        loop {
            let sign = if let Some(sign) = self.sign(&["<=", ">=", "==", "!=", "<", ">"]) {
                sign
            } else if self.word("in") {
                "in"
            } else if self.word("is") {
                if self.word("not") { "is not" } else { "is" }
            } else {
                break;
            };
            others.push((sign, self.binary(0)?));
        }
        Ok(if others.is_empty() { first } else { Expression::Comparison(Box::new(first), others) })
    }

    fn binary(&mut self, level: usize) -> Result<Expression, NodeError> {
        let Some(signs) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary(level + 1)?;
        while let Some(sign) = self.sign(signs) {
            self.grow()?;
            left = Expression::Binary(sign, Box::new(left), Box::new(self.binary(level + 1)?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, NodeError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(NodeError::new("RecursionError", "maximum recursion depth exceeded"));
        }
        let result = match self.sign(&["-", "+", "~"]) {
            Some(sign) => Expression::Unary(sign, Box::new(self.unary()?)),
            None => {
                let base = self.item()?;
                match self.sign(&["**"]) {
                    Some(sign) => Expression::Binary(sign, Box::new(base), Box::new(self.unary()?)),
                    None => base,
                }
            }
        };
        self.depth -= 1;
        Ok(result)
    }

    fn item(&mut self) -> Result<Expression, NodeError> {
        let mut value = self.atom()?;
        loop {
            self.grow()?;
            if self.sign(&["["]).is_some() {
                let index = self.choice()?;
                self.expect("]")?;
                value = Expression::Item(Box::new(value), Box::new(index));
            } else if self.sign(&["."]).is_some() {
                match self.tokens.get(self.at) {
                    Some(Token::Name(name)) => value = Expression::Attribute(name.clone()),
                    _ => return Err(syntax()),
                }
                self.at += 1;
            } else {
                return Ok(value);
            }
        }
    }

    fn atom(&mut self) -> Result<Expression, NodeError> {
        let token = self.tokens.get(self.at).cloned().ok_or_else(syntax)?;
        self.at += 1;
        Ok(match token {
            Token::Number(number) => Expression::Constant(number),
            Token::Text(text) => Expression::Constant(Computed::Text(text)),
            Token::Name(name) => match name.as_str() {
                "True" => Expression::Constant(Computed::Bool(true)),
                "False" => Expression::Constant(Computed::Bool(false)),
                "and" | "or" | "if" | "else" | "in" | "is" => return Err(syntax()),
                _ if self.sign(&["("]).is_some() => Expression::Call(name, self.list(")")?),
                _ => Expression::Name(name),
            },
            Token::Sign("(") => {
                let inner = self.choice()?;
                self.expect(")")?;
                inner
            }
            Token::Sign("[") => {
                self.list("]")?;
                Expression::Refused("List")
            }
            Token::Sign(_) => return Err(syntax()),
        })
    }

    fn list(&mut self, end: &'static str) -> Result<Vec<Expression>, NodeError> {
        let mut items = Vec::new();
        while self.sign(&[end]).is_none() {
            items.push(self.choice()?);
            if self.sign(&[","]).is_none() {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_bind_tighter_than_signs_and_to_the_right() {
        let Ok(Expression::Unary("-", inner)) = parse("-2 ** -1") else { panic!("a sign") };
        assert!(matches!(*inner, Expression::Binary("**", _, _)));
    }

    #[test]
    fn nonsense_and_towers_are_refused() {
        for source in ["a b", "1 +", "(1", "1 ? 2", "'x"] {
            assert_eq!(parse(source).expect_err(source).exception_type, "SyntaxError");
        }
        assert!(parse(&"(".repeat(100_000)).is_err());
        assert!(parse(&"-".repeat(100_000)).is_err());
        assert!(parse(&("not ".repeat(1000) + "a")).is_ok());
    }
}
