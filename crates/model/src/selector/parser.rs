use std::ops::Range;

use super::condition::{Condition, Factor, Number, Sign, Value};
use super::error::SelectorError;
use super::lexer::{Kind, Lexer, Token};
use crate::limits;

/// What stands behind a value.
mod predicate;

/// How tightly operators bind, loosest first.
mod power {
    pub(super) const OR: u8 = 1;
    pub(super) const AND: u8 = 2;
    pub(super) const NOT: u8 = 3;
    pub(super) const PREDICATE: u8 = 4;
    pub(super) const SUM: u8 = 5;
    pub(super) const PRODUCT: u8 = 6;
    pub(super) const SIGN: u8 = 7;
}

/// A Pratt parser: one token ahead, one stack frame for each level of nesting.
pub(super) struct Parser<'a> {
    text: &'a str,
    lexer: Lexer<'a>,
    current: Token,
    /// The token before, for error texts.
    previous: Range<usize>,
    depth: usize,
}

/// What was read, and from which bytes.
struct Parsed {
    what: What,
    span: Range<usize>,
}

enum What {
    Condition(Condition),
    Value(Value),
}

type Result<T> = std::result::Result<T, SelectorError>;

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Result<Self> {
        let mut lexer = Lexer::new(text);
        let current = lexer.next()?;
        Ok(Self {
            text,
            lexer,
            current,
            previous: 0..0,
            depth: 0,
        })
    }

    /// All of the text.
    pub(super) fn selector(mut self) -> Result<Condition> {
        let parsed = self.expression(power::OR, "a condition")?;
        if self.current.kind != Kind::End {
            return Err(self.unexpected("an operator or the end"));
        }
        self.condition(parsed)
    }

    /// What binds at least this tightly; `expected` is what the error names if there is nothing.
    fn expression(&mut self, least: u8, expected: &str) -> Result<Parsed> {
        let mut left = self.prefix(least, expected)?;
        loop {
            let power = match self.current.kind {
                Kind::Or => power::OR,
                Kind::And => power::AND,
                Kind::Not | Kind::Between | Kind::In | Kind::Like | Kind::Is => power::PREDICATE,
                Kind::Plus | Kind::Minus => power::SUM,
                Kind::Star | Kind::Slash => power::PRODUCT,
                _ if self.operator().is_some() => power::PREDICATE,
                _ => return Ok(left),
            };
            if power < least {
                return Ok(left);
            }
            if power >= power::PREDICATE && matches!(left.what, What::Condition(_)) {
                return Err(self.unexpected("AND, OR or the end"));
            }
            let start = left.span.start;
            let what = match power {
                power::OR | power::AND => What::Condition(self.junction(power, left)?),
                power::PREDICATE => What::Condition(self.predicate(left)?),
                _ => What::Value(Value::Number(self.arithmetic(power, left)?)),
            };
            left = Parsed {
                what,
                span: start..self.previous.end,
            };
        }
    }

    fn prefix(&mut self, least: u8, expected: &str) -> Result<Parsed> {
        let start = self.current.span.start;
        let what = match self.current.kind {
            Kind::Not if least <= power::NOT => {
                let inner = self.nested(power::NOT, "a condition")?;
                What::Condition(Condition::Not(Box::new(self.condition(inner)?)))
            }
            Kind::Plus | Kind::Minus => {
                let sign = match self.current.kind {
                    Kind::Minus => Sign::Minus,
                    _ => Sign::Plus,
                };
                let inner = self.nested(power::SIGN, "a number")?;
                What::Value(Value::Number(self.number(inner)?.signed(sign)))
            }
            Kind::Open => {
                let inner = self.nested(power::OR, expected)?;
                self.expect(&Kind::Close, "')' or an operator")?;
                inner.what
            }
            _ => What::Value(self.atom(expected)?),
        };
        Ok(Parsed {
            what,
            span: start..self.previous.end,
        })
    }

    /// What follows the current token, one level down.
    fn nested(&mut self, least: u8, expected: &str) -> Result<Parsed> {
        if self.depth == limits::SELECTOR_DEPTH {
            let problem = format!("a selector has at most {} levels", limits::SELECTOR_DEPTH);
            return Err(self.error(self.current.span.clone(), problem));
        }
        self.advance()?;
        self.depth += 1;
        let parsed = self.expression(least, expected)?;
        self.depth -= 1;
        Ok(parsed)
    }

    fn atom(&mut self, expected: &str) -> Result<Value> {
        let value = match &mut self.current.kind {
            Kind::Identifier(name) => Value::Header(std::mem::take(name)),
            Kind::Text(text) => Value::Text(std::mem::take(text)),
            Kind::Number(number) => Value::Number(Number::Literal(*number)),
            Kind::True => Value::Flag(true),
            Kind::False => Value::Flag(false),
            Kind::Null => {
                return Err(self.unexpected(&format!("{expected} (IS NULL asks for a missing one)")));
            }
            _ => return Err(self.unexpected(expected)),
        };
        self.advance()?;
        Ok(value)
    }

    /// `AND` or `OR`.
    fn junction(&mut self, power: u8, left: Parsed) -> Result<Condition> {
        let left = self.condition(left)?;
        self.advance()?;
        let right = self.expression(power + 1, "a condition")?;
        let right = self.condition(right)?;
        Ok(match power {
            power::AND => left.and(right),
            _ => left.or(right),
        })
    }

    fn arithmetic(&mut self, power: u8, left: Parsed) -> Result<Number> {
        let left = self.number(left)?;
        let operator = self.advance()?;
        let right = self.expression(power + 1, "a number")?;
        let right = self.number(right)?;
        Ok(match operator {
            Kind::Plus => left.plus(Sign::Plus, right),
            Kind::Minus => left.plus(Sign::Minus, right),
            Kind::Star => left.times(Factor::Times, right),
            _ => left.times(Factor::By, right),
        })
    }

    fn condition(&self, parsed: Parsed) -> Result<Condition> {
        match parsed.what {
            What::Condition(condition) => Ok(condition),
            What::Value(Value::Header(name)) => Ok(Condition::Header(name)),
            What::Value(Value::Flag(flag)) => Ok(Condition::Constant(flag)),
            What::Value(value) => {
                let problem = format!("expected a condition, found {}", describe(&value));
                Err(self.error(parsed.span, problem))
            }
        }
    }

    fn value(&self, parsed: Parsed) -> Result<Value> {
        match parsed.what {
            What::Value(value) => Ok(value),
            What::Condition(_) => Err(self.error(parsed.span, "expected a value, found a condition")),
        }
    }

    fn number(&self, parsed: Parsed) -> Result<Number> {
        let span = parsed.span.clone();
        let value = match parsed.what {
            What::Value(value) => value,
            What::Condition(_) => return Err(self.error(span, "expected a number, found a condition")),
        };
        let found = describe(&value);
        value
            .into_number()
            .ok_or_else(|| self.error(span, format!("expected a number or a header, found {found}")))
    }

    /// Goes on to the next token; the kind of the one before.
    fn advance(&mut self) -> Result<Kind> {
        let next = self.lexer.next()?;
        let token = std::mem::replace(&mut self.current, next);
        self.previous = token.span;
        Ok(token.kind)
    }

    /// Goes on if the token is of this kind.
    fn take(&mut self, kind: &Kind) -> Result<bool> {
        let is_it = self.current.kind == *kind;
        if is_it {
            self.advance()?;
        }
        Ok(is_it)
    }

    fn expect(&mut self, kind: &Kind, expected: &str) -> Result<()> {
        match self.take(kind)? {
            true => Ok(()),
            false => Err(self.unexpected(expected)),
        }
    }

    /// The current token is not what should stand here.
    fn unexpected(&self, expected: &str) -> SelectorError {
        let span = self.current.span.clone();
        let after = match self.previous.is_empty() {
            true => String::new(),
            false => format!(" after {}", self.quote(&self.previous)),
        };
        let found = match self.current.kind {
            Kind::End => "end".to_owned(),
            _ => self.quote(&span),
        };
        self.error(span, format!("expected {expected}{after}, found {found}"))
    }

    /// A token as it stands, cut where it is long.
    fn quote(&self, span: &Range<usize>) -> String {
        const LONGEST: usize = 40;
        let token = &self.text[span.clone()];
        match token.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("'{}…'", &token[..end]),
            None => format!("'{token}'"),
        }
    }

    fn error(&self, span: Range<usize>, problem: impl Into<String>) -> SelectorError {
        SelectorError::new(self.text, span, problem)
    }
}

fn describe(value: &Value) -> &'static str {
    match value {
        Value::Header(_) => "a header",
        Value::Number(_) => "a number",
        Value::Text(_) => "a string",
        Value::Flag(_) => "TRUE or FALSE",
    }
}
