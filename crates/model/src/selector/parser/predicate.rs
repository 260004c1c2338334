use std::ops::Range;

use super::super::condition::{Comparison, Condition, Members, Number, Operator, Sign, Value};
use super::super::lexer::Kind;
use super::super::pattern::Pattern;
use super::{Parsed, Parser, Result, describe, power};

impl Parser<'_> {
    /// A comparison, `BETWEEN`, `IN`, `LIKE` or `IS NULL`.
    pub(super) fn predicate(&mut self, left: Parsed) -> Result<Condition> {
        let span = left.span.clone();
        let left = self.value(left)?;
        if let Some(operator) = self.operator() {
            self.advance()?;
            let right = self.operand()?;
            return self.compare(left, operator, right).map(Condition::Compare);
        }
        if self.take(&Kind::Is)? {
            let negated = self.take(&Kind::Not)?;
            self.expect(&Kind::Null, if negated { "NULL" } else { "NULL or NOT NULL" })?;
            return Ok(Condition::IsNull(left).negated_if(negated));
        }
        let negated = self.take(&Kind::Not)?;
        let condition = if self.take(&Kind::Between)? {
            let low = self.operand()?;
            let low = self.compare(left.clone(), Operator::GreaterOrEqual, low)?;
            self.expect(&Kind::And, "AND and the upper bound")?;
            let high = self.operand()?;
            let high = self.compare(left, Operator::LessOrEqual, high)?;
            Condition::Between { low, high }
        } else if self.take(&Kind::In)? {
            Condition::In(Box::new(self.members(left)?))
        } else if self.take(&Kind::Like)? {
            let found = describe(&left);
            let Some(operand) = left.into_text() else {
                return Err(self.error(
                    span,
                    format!("expected a header or a string before LIKE, found {found}"),
                ));
            };
            let pattern = Box::new(self.pattern()?);
            Condition::Like { operand, pattern }
        } else {
            return Err(self.unexpected("BETWEEN, IN or LIKE"));
        };
        Ok(condition.negated_if(negated))
    }

    pub(super) fn operator(&self) -> Option<Operator> {
        Some(match self.current.kind {
            Kind::Equal => Operator::Equal,
            Kind::NotEqual => Operator::NotEqual,
            Kind::Less => Operator::Less,
            Kind::LessOrEqual => Operator::LessOrEqual,
            Kind::Greater => Operator::Greater,
            Kind::GreaterOrEqual => Operator::GreaterOrEqual,
            _ => return None,
        })
    }

    /// The right side of a comparison.
    fn operand(&mut self) -> Result<(Value, Range<usize>)> {
        let parsed = self.expression(power::SUM, "a value")?;
        let span = parsed.span.clone();
        Ok((self.value(parsed)?, span))
    }

    fn compare(
        &self,
        left: Value,
        operator: Operator,
        (right, span): (Value, Range<usize>),
    ) -> Result<Comparison> {
        let (expected, found) = (describe(&left), describe(&right));
        Comparison::new(left, operator, right).ok_or_else(|| {
            self.error(
                span,
                format!("expected {expected} to compare with, found {found}"),
            )
        })
    }

    /// `(literal, …)`.
    fn members(&mut self, operand: Value) -> Result<Members> {
        let expected = describe(&operand);
        let mut members = Members {
            operand,
            numbers: Vec::new(),
            texts: Vec::new(),
            flags: Vec::new(),
        };
        self.expect(&Kind::Open, "'(' and a list of literals")?;
        loop {
            let start = self.current.span.start;
            let literal = self.literal()?;
            let found = describe(&literal);
            let fits = match (&members.operand, literal) {
                (Value::Header(_) | Value::Number(_), Value::Number(Number::Literal(number))) => {
                    // Without -0, which would be another number than 0 where the list is searched.
                    members.numbers.push(number + 0.0);
                    true
                }
                (Value::Header(_) | Value::Text(_), Value::Text(text)) => {
                    members.texts.push(text);
                    true
                }
                (Value::Header(_) | Value::Flag(_), Value::Flag(flag)) => {
                    members.flags.push(flag);
                    true
                }
                _ => false,
            };
            if !fits {
                let span = start..self.previous.end;
                let problem = format!("expected {expected} to compare with, found {found}");
                return Err(self.error(span, problem));
            }
            if !self.take(&Kind::Comma)? {
                break;
            }
        }
        self.expect(&Kind::Close, "',' or ')'")?;
        members.numbers.sort_by(f64::total_cmp);
        members.numbers.dedup();
        members.texts.sort();
        members.texts.dedup();
        members.flags.sort_unstable();
        members.flags.dedup();
        Ok(members)
    }

    fn literal(&mut self) -> Result<Value> {
        let sign = match self.current.kind {
            Kind::Plus => Some(Sign::Plus),
            Kind::Minus => Some(Sign::Minus),
            Kind::Identifier(_) => return Err(self.unexpected("a literal")),
            _ => None,
        };
        let Some(sign) = sign else {
            return self.atom("a literal");
        };
        self.advance()?;
        let Kind::Number(number) = self.current.kind else {
            return Err(self.unexpected("a number"));
        };
        self.advance()?;
        Ok(Value::Number(Number::Literal(number).signed(sign)))
    }

    /// `'pattern' [ESCAPE 'c']`.
    fn pattern(&mut self) -> Result<Pattern> {
        let span = self.current.span.clone();
        let pattern = self.string("a pattern in single quotes")?;
        let mut escape = None;
        if self.take(&Kind::Escape)? {
            let span = self.current.span.clone();
            let text = self.string("one character in single quotes")?;
            let mut characters = text.chars();
            match (characters.next(), characters.next()) {
                (Some(one), None) => escape = Some(one),
                _ => return Err(self.error(span, "expected one character after ESCAPE")),
            }
        }
        Pattern::new(&pattern, escape).map_err(|problem| self.error(span, problem))
    }

    fn string(&mut self, expected: &str) -> Result<Box<str>> {
        let Kind::Text(text) = &mut self.current.kind else {
            return Err(self.unexpected(expected));
        };
        let text = std::mem::take(text);
        self.advance()?;
        Ok(text)
    }
}
