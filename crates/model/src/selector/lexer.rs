use std::ops::Range;

use super::coercion::scan_number;
use super::error::SelectorError;

/// A token and the bytes that it takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Identifier(Box<str>),
    Text(Box<str>),
    Number(f64),
    And,
    Or,
    Not,
    Between,
    In,
    Like,
    Escape,
    Is,
    Null,
    True,
    False,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Star,
    Slash,
    Open,
    Close,
    Comma,
    End,
}

/// The keyword that this word is, in any letter case.
pub(super) fn keyword(word: &str) -> Option<Kind> {
    let keywords = [
        ("AND", Kind::And),
        ("OR", Kind::Or),
        ("NOT", Kind::Not),
        ("BETWEEN", Kind::Between),
        ("IN", Kind::In),
        ("LIKE", Kind::Like),
        ("ESCAPE", Kind::Escape),
        ("IS", Kind::Is),
        ("NULL", Kind::Null),
        ("TRUE", Kind::True),
        ("FALSE", Kind::False),
    ];
    let found = keywords
        .into_iter()
        .find(|(text, _)| text.eq_ignore_ascii_case(word));
    found.map(|(_, kind)| kind)
}

pub(super) fn begins_identifier(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '_' | '$')
}

pub(super) fn continues_identifier(c: char) -> bool {
    begins_identifier(c) || c.is_numeric()
}

/// Reads one token after the other.
pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn next(&mut self) -> Result<Token, SelectorError> {
        let spaces = self.rest().len() - self.rest().trim_start().len();
        self.at += spaces;
        let start = self.at;
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Ok(self.token(start, Kind::End));
        };
        let second = rest.as_bytes().get(1).copied();
        let (length, kind) = match (first, second) {
            ('\'', _) => return self.quoted('\'', "string", Kind::Text),
            ('"', _) => return self.name(),
            ('0'..='9', _) | ('.', Some(b'0'..=b'9')) => return self.number(),
            (c, _) if begins_identifier(c) => return Ok(self.word()),
            ('=', _) => (1, Kind::Equal),
            ('<', Some(b'>')) | ('!', Some(b'=')) => (2, Kind::NotEqual),
            ('<', Some(b'=')) => (2, Kind::LessOrEqual),
            ('<', _) => (1, Kind::Less),
            ('>', Some(b'=')) => (2, Kind::GreaterOrEqual),
            ('>', _) => (1, Kind::Greater),
            ('+', _) => (1, Kind::Plus),
            ('-', _) => (1, Kind::Minus),
            ('*', _) => (1, Kind::Star),
            ('/', _) => (1, Kind::Slash),
            ('(', _) => (1, Kind::Open),
            (')', _) => (1, Kind::Close),
            (',', _) => (1, Kind::Comma),
            (other, _) => {
                let problem = format!(
                    "expected a header, a literal, an operator or a parenthesis, found {other:?}; \
                     names with other characters go in double quotes"
                );
                return Err(self.error(start..start + other.len_utf8(), problem));
            }
        };
        self.at += length;
        Ok(self.token(start, kind))
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn token(&self, start: usize, kind: Kind) -> Token {
        Token {
            kind,
            span: start..self.at,
        }
    }

    fn error(&self, span: Range<usize>, problem: impl Into<String>) -> SelectorError {
        SelectorError::new(self.text, span, problem)
    }

    fn word(&mut self) -> Token {
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c| !continues_identifier(c)).unwrap_or(rest.len());
        self.at += length;
        let word = &rest[..length];
        let kind = keyword(word).unwrap_or_else(|| Kind::Identifier(word.into()));
        self.token(start, kind)
    }

    fn number(&mut self) -> Result<Token, SelectorError> {
        let start = self.at;
        let rest = self.rest();
        let Some(length) = scan_number(rest.as_bytes()) else {
            let end = start + rest.find(['e', 'E']).unwrap_or(0) + 1;
            return Err(self.error(start..end, "expected digits after the exponent's E"));
        };
        self.at += length;
        if let Some(next) = self.rest().chars().next().filter(|c| continues_identifier(*c)) {
            let span = self.at..self.at + next.len_utf8();
            let problem = format!("expected an operator after {:?}", &rest[..length]);
            return Err(self.error(span, problem));
        }
        match rest[..length].parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(self.token(start, Kind::Number(number))),
            _ => {
                let span = start..self.at;
                Err(self.error(span, "expected a number within the range of a double"))
            }
        }
    }

    fn name(&mut self) -> Result<Token, SelectorError> {
        let token = self.quoted('"', "name in double quotes", Kind::Identifier)?;
        match &token.kind {
            Kind::Identifier(name) if name.is_empty() => {
                Err(self.error(token.span, "expected a header's name, found \"\""))
            }
            _ => Ok(token),
        }
    }

    /// What stands between quotes, which are doubled where they are meant.
    fn quoted(
        &mut self,
        quote: char,
        what: &str,
        kind: impl FnOnce(Box<str>) -> Kind,
    ) -> Result<Token, SelectorError> {
        let start = self.at;
        let mut content = String::new();
        self.at += 1;
        loop {
            let rest = self.rest();
            let Some(length) = rest.find(quote) else {
                let problem = format!("expected {quote} at the end of this {what}, found end");
                return Err(self.error(start..self.text.len(), problem));
            };
            content.push_str(&rest[..length]);
            self.at += length + 1;
            if !self.rest().starts_with(quote) {
                return Ok(self.token(start, kind(content.into())));
            }
            content.push(quote);
            self.at += 1;
        }
    }
}
