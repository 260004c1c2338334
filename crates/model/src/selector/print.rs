use std::fmt::{self, Display, Formatter};

use super::condition::{Comparison, Condition, Factor, Flag, Members, Number, Operator, Sign, Text, Value};
use super::lexer::{begins_identifier, continues_identifier, keyword};

/// Plain digits up to this many characters, an exponent beyond.
const PLAIN_DIGITS: usize = 20;

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Constant(value) => f.write_str(truth(*value)),
            Self::Header(name) => Identifier(name).fmt(f),
            Self::All(all) => join(f, all, " AND ", |condition| matches!(condition, Self::Any(_))),
            Self::Any(any) => join(f, any, " OR ", |_| false),
            Self::Not(condition) => match &**condition {
                Self::All(_) | Self::Any(_) => write!(f, "NOT ({condition})"),
                Self::Between { .. } | Self::In(_) | Self::Like { .. } | Self::IsNull(_) => {
                    condition.predicate(f, "NOT ")
                }
                condition => write!(f, "NOT {condition}"),
            },
            predicate => predicate.predicate(f, ""),
        }
    }
}

fn join(
    f: &mut Formatter<'_>,
    conditions: &[Condition],
    word: &str,
    in_parentheses: impl Fn(&Condition) -> bool,
) -> fmt::Result {
    for (at, condition) in conditions.iter().enumerate() {
        if at > 0 {
            f.write_str(word)?;
        }
        match in_parentheses(condition) {
            true => write!(f, "({condition})")?,
            false => condition.fmt(f)?,
        }
    }
    Ok(())
}

impl Condition {
    /// With `NOT ` where it stands inside of a predicate.
    fn predicate(&self, f: &mut Formatter<'_>, not: &str) -> fmt::Result {
        match self {
            Self::Compare(comparison) => comparison.fmt(f),
            Self::Between { low, high } => {
                low.left(f)?;
                write!(f, " {not}BETWEEN ")?;
                low.right(f)?;
                f.write_str(" AND ")?;
                high.right(f)
            }
            Self::In(members) => members.print(f, not),
            Self::Like { operand, pattern } => write!(f, "{operand} {not}LIKE {pattern}"),
            Self::IsNull(value) => write!(f, "{value} IS {not}NULL"),
            other => other.fmt(f),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (Self::Numbers(_, operator, _) | Self::Texts(_, operator, _) | Self::Flags(_, operator, _)) =
            self;
        self.left(f)?;
        f.write_str(match operator {
            Operator::Equal => " = ",
            Operator::NotEqual => " <> ",
            Operator::Less => " < ",
            Operator::LessOrEqual => " <= ",
            Operator::Greater => " > ",
            Operator::GreaterOrEqual => " >= ",
        })?;
        self.right(f)
    }
}

impl Comparison {
    fn left(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers(left, ..) => left.fmt(f),
            Self::Texts(left, ..) => left.fmt(f),
            Self::Flags(left, ..) => left.fmt(f),
        }
    }

    fn right(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Numbers(.., right) => right.fmt(f),
            Self::Texts(.., right) => right.fmt(f),
            Self::Flags(.., right) => right.fmt(f),
        }
    }
}

impl Members {
    fn print(&self, f: &mut Formatter<'_>, not: &str) -> fmt::Result {
        write!(f, "{} {not}IN (", self.operand)?;
        let numbers = self.numbers.iter().map(|number| Literal(*number).to_string());
        let texts = self.texts.iter().map(|text| Quoted(text).to_string());
        let flags = self.flags.iter().map(|flag| truth(*flag).to_owned());
        for (at, literal) in numbers.chain(texts).chain(flags).enumerate() {
            if at > 0 {
                f.write_str(", ")?;
            }
            f.write_str(&literal)?;
        }
        f.write_str(")")
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => Identifier(name).fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => Quoted(text).fmt(f),
            Self::Flag(flag) => f.write_str(truth(*flag)),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(number) => Literal(*number).fmt(f),
            Self::Header(name) => Identifier(name).fmt(f),
            Self::Plus(name) => write!(f, "+{}", Identifier(name)),
            Self::Minus(number) => match &**number {
                Self::Sum(..) | Self::Product(..) => write!(f, "-({number})"),
                Self::Minus(_) | Self::Literal(_) => write!(f, "- {number}"),
                Self::Header(_) | Self::Plus(_) => write!(f, "-{number}"),
            },
            Self::Sum(first, rest) => {
                first.fmt(f)?;
                for (sign, number) in rest {
                    f.write_str(match sign {
                        Sign::Plus => " + ",
                        Sign::Minus => " - ",
                    })?;
                    number.grouped(f, matches!(number, Self::Sum(..)))?;
                }
                Ok(())
            }
            Self::Product(first, rest) => {
                first.grouped(f, matches!(**first, Self::Sum(..)))?;
                for (factor, number) in rest {
                    f.write_str(match factor {
                        Factor::Times => " * ",
                        Factor::By => " / ",
                    })?;
                    number.grouped(f, matches!(number, Self::Sum(..) | Self::Product(..)))?;
                }
                Ok(())
            }
        }
    }
}

impl Number {
    fn grouped(&self, f: &mut Formatter<'_>, in_parentheses: bool) -> fmt::Result {
        match in_parentheses {
            true => write!(f, "({self})"),
            false => self.fmt(f),
        }
    }
}

impl Display for Text {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => Quoted(text).fmt(f),
            Self::Header(name) => Identifier(name).fmt(f),
        }
    }
}

impl Display for Flag {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(flag) => f.write_str(truth(*flag)),
            Self::Header(name) => Identifier(name).fmt(f),
        }
    }
}

/// A header's name, in quotes where it needs them.
struct Identifier<'a>(&'a str);

impl Display for Identifier<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = self.0.starts_with(begins_identifier)
            && self.0.chars().all(continues_identifier)
            && keyword(self.0).is_none();
        match plain {
            true => f.write_str(self.0),
            false => write!(f, "\"{}\"", self.0.replace('"', "\"\"")),
        }
    }
}

/// A string literal.
pub(super) struct Quoted<'a>(pub(super) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "'{}'", self.0.replace('\'', "''"))
    }
}

/// A number so that it is read as the same double.
struct Literal(f64);

impl Display for Literal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let plain = self.0.to_string();
        match plain.len() <= PLAIN_DIGITS {
            true => f.write_str(&plain),
            false => write!(f, "{:E}", self.0),
        }
    }
}

fn truth(value: bool) -> &'static str {
    match value {
        true => "TRUE",
        false => "FALSE",
    }
}
