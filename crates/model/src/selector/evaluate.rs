//! SQL's three-valued logic: `None` is unknown. Nothing here allocates or recurses deeper than the
//! selector is nested.

use super::coercion;
use super::condition::{Comparison, Condition, Factor, Flag, Members, Number, Operator, Sign, Text, Value};
use crate::headers::Headers;

impl Condition {
    pub(super) fn truth(&self, headers: &Headers) -> Option<bool> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Header(name) => headers.get(name).and_then(coercion::flag),
            Self::All(all) => {
                let mut truth = Some(true);
                for condition in all {
                    match condition.truth(headers) {
                        Some(true) => {}
                        Some(false) => return Some(false),
                        None => truth = None,
                    }
                }
                truth
            }
            Self::Any(any) => {
                let mut truth = Some(false);
                for condition in any {
                    match condition.truth(headers) {
                        Some(false) => {}
                        Some(true) => return Some(true),
                        None => truth = None,
                    }
                }
                truth
            }
            Self::Not(condition) => condition.truth(headers).map(|truth| !truth),
            Self::Compare(comparison) => comparison.truth(headers),
            Self::Between { low, high } => match low.truth(headers) {
                Some(false) => Some(false),
                Some(true) => high.truth(headers),
                None => high.truth(headers).filter(|truth| !truth),
            },
            Self::In(members) => members.truth(headers),
            Self::Like { operand, pattern } => operand.get(headers).map(|text| pattern.matches(text)),
            Self::IsNull(value) => Some(value.is_null(headers)),
        }
    }
}

impl Comparison {
    #[inline]
    fn truth(&self, headers: &Headers) -> Option<bool> {
        match self {
            Self::Numbers(left, operator, right) => {
                let (left, right) = (left.get(headers)?, right.get(headers)?);
                Some(match operator {
                    Operator::Equal => left == right,
                    Operator::NotEqual => left != right,
                    Operator::Less => left < right,
                    Operator::LessOrEqual => left <= right,
                    Operator::Greater => left > right,
                    Operator::GreaterOrEqual => left >= right,
                })
            }
            Self::Texts(left, operator, right) => {
                Some(operator.holds(left.get(headers)?.cmp(right.get(headers)?)))
            }
            Self::Flags(left, operator, right) => {
                Some(operator.holds(left.get(headers)?.cmp(&right.get(headers)?)))
            }
        }
    }
}

impl Members {
    /// As the comparisons with each literal, joined by `OR`.
    fn truth(&self, headers: &Headers) -> Option<bool> {
        let numbers = (!self.numbers.is_empty()).then(|| {
            let value = self.operand.number(headers)?;
            let found = self.numbers.binary_search_by(|literal| literal.total_cmp(&value));
            Some(found.is_ok())
        });
        let texts = (!self.texts.is_empty()).then(|| {
            let value = self.operand.text(headers)?;
            Some(
                self.texts
                    .binary_search_by(|literal| (**literal).cmp(value))
                    .is_ok(),
            )
        });
        let flags = (!self.flags.is_empty()).then(|| {
            let value = self.operand.flag(headers)?;
            Some(self.flags.contains(&value))
        });
        let mut truth = Some(false);
        for part in [numbers, texts, flags].into_iter().flatten() {
            match part {
                Some(true) => return Some(true),
                Some(false) => {}
                None => truth = None,
            }
        }
        truth
    }
}

impl Value {
    fn is_null(&self, headers: &Headers) -> bool {
        match self {
            Self::Header(name) => headers.get(name).is_none(),
            Self::Number(number) => number.get(headers).is_none(),
            Self::Text(_) | Self::Flag(_) => false,
        }
    }

    /// Never `-0`, which no list holds.
    fn number(&self, headers: &Headers) -> Option<f64> {
        let value = match self {
            Self::Header(name) => coercion::number(headers.get(name)?),
            Self::Number(number) => number.get(headers),
            Self::Text(_) | Self::Flag(_) => None,
        };
        value.map(|value| value + 0.0)
    }

    fn text<'a>(&'a self, headers: &'a Headers) -> Option<&'a str> {
        match self {
            Self::Header(name) => headers.get(name),
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Flag(_) => None,
        }
    }

    fn flag(&self, headers: &Headers) -> Option<bool> {
        match self {
            Self::Header(name) => coercion::flag(headers.get(name)?),
            Self::Flag(flag) => Some(*flag),
            Self::Number(_) | Self::Text(_) => None,
        }
    }
}

impl Number {
    /// Never NaN: what has no value is unknown.
    #[inline]
    fn get(&self, headers: &Headers) -> Option<f64> {
        match self {
            Self::Literal(number) => Some(*number),
            Self::Header(name) => coercion::number(headers.get(name)?),
            _ => self.computed(headers),
        }
    }

    /// Apart, so that the simple ones need no call.
    fn computed(&self, headers: &Headers) -> Option<f64> {
        match self {
            Self::Literal(number) => Some(*number),
            Self::Header(name) | Self::Plus(name) => coercion::number(headers.get(name)?),
            Self::Minus(number) => number.get(headers).map(|number| -number),
            Self::Sum(first, rest) => {
                let mut sum = first.get(headers)?;
                for (sign, number) in rest {
                    let number = number.get(headers)?;
                    sum = known(match sign {
                        Sign::Plus => sum + number,
                        Sign::Minus => sum - number,
                    })?;
                }
                Some(sum)
            }
            Self::Product(first, rest) => {
                let mut product = first.get(headers)?;
                for (factor, number) in rest {
                    let number = number.get(headers)?;
                    product = known(match factor {
                        Factor::Times => product * number,
                        Factor::By if number == 0.0 => return None,
                        Factor::By => product / number,
                    })?;
                }
                Some(product)
            }
        }
    }
}

fn known(number: f64) -> Option<f64> {
    (!number.is_nan()).then_some(number)
}

impl Text {
    #[inline]
    fn get<'a>(&'a self, headers: &'a Headers) -> Option<&'a str> {
        match self {
            Self::Literal(text) => Some(text),
            Self::Header(name) => headers.get(name),
        }
    }
}

impl Flag {
    fn get(&self, headers: &Headers) -> Option<bool> {
        match self {
            Self::Literal(flag) => Some(*flag),
            Self::Header(name) => coercion::flag(headers.get(name)?),
        }
    }
}
