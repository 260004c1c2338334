use std::cmp::Ordering;

use super::pattern::Pattern;

/// The name of a header.
pub(super) type Name = Box<str>;

/// What is true, false or unknown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Condition {
    /// `TRUE`, `FALSE`.
    Constant(bool),
    /// A header that reads `true`.
    Header(Name),
    /// `AND`; two at least, none of them `All`.
    All(Vec<Condition>),
    /// `OR`; two at least, none of them `Any`.
    Any(Vec<Condition>),
    /// `NOT`, also of `NOT IN`, `IS NOT NULL` and the like, which mean the same.
    Not(Box<Condition>),
    /// `=` and its like.
    Compare(Comparison),
    /// `BETWEEN`: at or above `low`, at or below `high`; the operand is on the left of both.
    Between {
        /// `operand >= low`.
        low: Comparison,
        /// `operand <= high`.
        high: Comparison,
    },
    /// `IN`.
    In(Box<Members>),
    /// `LIKE`.
    Like {
        /// What is looked at.
        operand: Text,
        /// What it is to be like.
        pattern: Box<Pattern>,
    },
    /// `IS NULL`.
    IsNull(Value),
}

/// Two values and how they are to be ordered. What is a header here is read as what its side needs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Comparison {
    Numbers(Number, Operator, Number),
    Texts(Text, Operator, Text),
    Flags(Flag, Operator, Flag),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// A value of which only the words around it say how it is read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Header(Name),
    Number(Number),
    Text(Box<str>),
    Flag(bool),
}

/// Something that is read as a number.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Literal(f64),
    Header(Name),
    /// `-x`; never of a literal.
    Minus(Box<Number>),
    /// `+x`, which makes a number of a header.
    Plus(Name),
    /// From left to right.
    Sum(Box<Number>, Vec<(Sign, Number)>),
    /// From left to right.
    Product(Box<Number>, Vec<(Factor, Number)>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Plus,
    Minus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Factor {
    Times,
    By,
}

/// Something that is read as a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Text {
    Literal(Box<str>),
    Header(Name),
}

/// Something that is read as a truth value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Flag {
    Literal(bool),
    Header(Name),
}

/// An operand and the literals that it may equal: each sort ascending, each literal once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Members {
    pub(super) operand: Value,
    pub(super) numbers: Vec<f64>,
    pub(super) texts: Vec<Box<str>>,
    pub(super) flags: Vec<bool>,
}

impl Condition {
    pub(super) fn and(self, other: Self) -> Self {
        let mut all = match self {
            Self::All(all) => all,
            one => vec![one],
        };
        match other {
            Self::All(more) => all.extend(more),
            one => all.push(one),
        }
        Self::All(all)
    }

    pub(super) fn or(self, other: Self) -> Self {
        let mut any = match self {
            Self::Any(any) => any,
            one => vec![one],
        };
        match other {
            Self::Any(more) => any.extend(more),
            one => any.push(one),
        }
        Self::Any(any)
    }

    pub(super) fn negated_if(self, negated: bool) -> Self {
        match negated {
            true => Self::Not(Box::new(self)),
            false => self,
        }
    }
}

impl Comparison {
    /// Settles how the values are read; `None` where they cannot be compared.
    pub(super) fn new(left: Value, operator: Operator, right: Value) -> Option<Self> {
        use Value as V;
        Some(match (left, right) {
            (left @ (V::Number(_) | V::Header(_)), V::Number(right)) => {
                Self::Numbers(left.into_number()?, operator, right)
            }
            (V::Number(left), right @ V::Header(_)) => Self::Numbers(left, operator, right.into_number()?),
            (left @ (V::Text(_) | V::Header(_)), right @ (V::Text(_) | V::Header(_))) => {
                Self::Texts(left.into_text()?, operator, right.into_text()?)
            }
            (left @ (V::Flag(_) | V::Header(_)), right @ (V::Flag(_) | V::Header(_))) => {
                Self::Flags(left.into_flag()?, operator, right.into_flag()?)
            }
            _ => return None,
        })
    }
}

impl Value {
    pub(super) fn into_number(self) -> Option<Number> {
        match self {
            Self::Number(number) => Some(number),
            Self::Header(name) => Some(Number::Header(name)),
            Self::Text(_) | Self::Flag(_) => None,
        }
    }

    pub(super) fn into_text(self) -> Option<Text> {
        match self {
            Self::Text(text) => Some(Text::Literal(text)),
            Self::Header(name) => Some(Text::Header(name)),
            Self::Number(_) | Self::Flag(_) => None,
        }
    }

    fn into_flag(self) -> Option<Flag> {
        match self {
            Self::Flag(flag) => Some(Flag::Literal(flag)),
            Self::Header(name) => Some(Flag::Header(name)),
            Self::Number(_) | Self::Text(_) => None,
        }
    }
}

impl Number {
    /// `self + next` or `self - next`.
    pub(super) fn plus(self, sign: Sign, next: Self) -> Self {
        match self {
            Self::Sum(first, mut rest) => {
                rest.push((sign, next));
                Self::Sum(first, rest)
            }
            first => Self::Sum(Box::new(first), vec![(sign, next)]),
        }
    }

    /// `self * next` or `self / next`.
    pub(super) fn times(self, factor: Factor, next: Self) -> Self {
        match self {
            Self::Product(first, mut rest) => {
                rest.push((factor, next));
                Self::Product(first, rest)
            }
            first => Self::Product(Box::new(first), vec![(factor, next)]),
        }
    }

    /// `-self` or `+self`.
    pub(super) fn signed(self, sign: Sign) -> Self {
        match (sign, self) {
            (Sign::Plus, Self::Header(name)) => Self::Plus(name),
            (Sign::Plus, number) => number,
            (Sign::Minus, Self::Literal(number)) => Self::Literal(-number),
            (Sign::Minus, number) => Self::Minus(Box::new(number)),
        }
    }
}

impl Operator {
    pub(super) fn holds(self, ordering: Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}
