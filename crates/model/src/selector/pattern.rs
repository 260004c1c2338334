use std::fmt::{self, Display, Formatter};

use super::print::Quoted;

/// The character that canonical text uses to take `%` and `_` literally.
const ESCAPE: char = '\\';

/// A pattern of `LIKE`: what stands between the `%`. With one segment there is no `%`; the first and the
/// last of several are bound to the ends of the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    segments: Vec<Segment>,
}

/// Characters that stand in a row; `None` is `_`.
#[derive(Debug, Clone, PartialEq)]
struct Segment {
    characters: Vec<Option<char>>,
    search: Search,
}

/// How a segment is found: both ways go over the text once, whatever is in it.
#[derive(Debug, Clone, PartialEq)]
enum Search {
    /// Without `_`.
    Text(Box<str>),
    /// With `_`: bit n of a row is set where the character may be the n-th one.
    Bits(Box<Rows>),
}

#[derive(Debug, Clone, PartialEq)]
struct Rows {
    words: usize,
    /// Of characters that the segment does not name.
    any: Box<[u64]>,
    /// By character, ascending.
    named: Vec<(char, Box<[u64]>)>,
}

impl Pattern {
    pub(super) fn new(text: &str, escape: Option<char>) -> Result<Self, String> {
        let mut segments = vec![Vec::new()];
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            let next = if Some(character) == escape {
                match characters.next() {
                    Some(literal) if matches!(literal, '%' | '_') || Some(literal) == escape => Some(literal),
                    found => {
                        let found = found.map_or("the end".to_owned(), |found| format!("{found:?}"));
                        return Err(format!(
                            "expected %, _ or {character:?} after the escape character {character:?}, found {found}"
                        ));
                    }
                }
            } else {
                match character {
                    '%' => {
                        segments.push(Vec::new());
                        continue;
                    }
                    '_' => None,
                    literal => Some(literal),
                }
            };
            if let Some(segment) = segments.last_mut() {
                segment.push(next);
            }
        }
        // Two `%` in a row are one.
        let last = segments.len() - 1;
        let mut at = 0;
        segments.retain(|segment| {
            let is_inner = at > 0 && at < last;
            at += 1;
            !is_inner || !segment.is_empty()
        });
        Ok(Self {
            segments: segments.into_iter().map(Segment::new).collect(),
        })
    }

    /// Whether the whole text is like this.
    pub(super) fn matches(&self, text: &str) -> bool {
        match &self.segments[..] {
            [] => text.is_empty(),
            [only] => only.strip_prefix(text) == Some(""),
            [first, inner @ .., last] => {
                let rest = first.strip_prefix(text).and_then(|rest| last.strip_suffix(rest));
                let Some(mut rest) = rest else { return false };
                // The earliest place leaves most to those that follow.
                for segment in inner {
                    match segment.after_first(rest) {
                        Some(after) => rest = after,
                        None => return false,
                    }
                }
                true
            }
        }
    }
}

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let all = || {
            self.segments
                .iter()
                .flat_map(|segment| &segment.characters)
                .flatten()
        };
        let escapes = all().any(|literal| matches!(literal, '%' | '_'));
        let mut text = String::new();
        for (at, segment) in self.segments.iter().enumerate() {
            if at > 0 {
                text.push('%');
            }
            for character in &segment.characters {
                if escapes && matches!(character, Some('%' | '_' | ESCAPE)) {
                    text.push(ESCAPE);
                }
                text.push(character.unwrap_or('_'));
            }
        }
        Quoted(&text).fmt(f)?;
        match escapes {
            true => write!(f, " ESCAPE '{ESCAPE}'"),
            false => Ok(()),
        }
    }
}

impl Segment {
    fn new(characters: Vec<Option<char>>) -> Self {
        let search = match characters.iter().copied().collect::<Option<String>>() {
            Some(text) => Search::Text(text.into()),
            None => Search::Bits(Box::new(Rows::new(&characters))),
        };
        Self { characters, search }
    }

    fn strip_prefix<'a>(&self, text: &'a str) -> Option<&'a str> {
        if let Search::Text(own) = &self.search {
            return text.strip_prefix(&**own);
        }
        let mut rest = text.chars();
        for wanted in &self.characters {
            let found = rest.next()?;
            if wanted.is_some_and(|wanted| wanted != found) {
                return None;
            }
        }
        Some(rest.as_str())
    }

    fn strip_suffix<'a>(&self, text: &'a str) -> Option<&'a str> {
        if let Search::Text(own) = &self.search {
            return text.strip_suffix(&**own);
        }
        let mut rest = text.chars();
        for wanted in self.characters.iter().rev() {
            let found = rest.next_back()?;
            if wanted.is_some_and(|wanted| wanted != found) {
                return None;
            }
        }
        Some(rest.as_str())
    }

    /// What follows the first place where this segment is found.
    fn after_first<'a>(&self, text: &'a str) -> Option<&'a str> {
        match &self.search {
            Search::Text(own) => text.find(&**own).map(|at| &text[at + own.len()..]),
            Search::Bits(rows) => rows.after_first(text, self.characters.len()),
        }
    }
}

/// The most words of a row: a pattern has no more characters than a selector has bytes.
const MAX_WORDS: usize = crate::limits::SELECTOR_BYTES.div_ceil(64);

impl Rows {
    fn new(characters: &[Option<char>]) -> Self {
        let words = characters.len().div_ceil(64);
        let row = |matches: &dyn Fn(Option<char>) -> bool| {
            let mut row = vec![0_u64; words].into_boxed_slice();
            for (at, character) in characters.iter().enumerate() {
                if matches(*character) {
                    row[at / 64] |= 1 << (at % 64);
                }
            }
            row
        };
        let mut named: Vec<char> = characters.iter().copied().flatten().collect();
        named.sort_unstable();
        named.dedup();
        Self {
            words,
            any: row(&|character| character.is_none()),
            named: named
                .into_iter()
                .map(|name| {
                    let matches = move |character: Option<char>| character.is_none_or(|own| own == name);
                    (name, row(&matches))
                })
                .collect(),
        }
    }

    /// Bit n of the state says that the last n + 1 characters are the first n + 1 of the segment.
    fn after_first<'a>(&self, text: &'a str, length: usize) -> Option<&'a str> {
        let mut state = [0_u64; MAX_WORDS];
        let state = state.get_mut(..self.words)?;
        let mut rest = text.chars();
        while let Some(character) = rest.next() {
            let row = match self.named.binary_search_by_key(&character, |(name, _)| *name) {
                Ok(at) => &self.named[at].1,
                Err(_) => &self.any,
            };
            let mut carry = 1;
            for (word, row) in state.iter_mut().zip(row) {
                let next = *word >> 63;
                *word = ((*word << 1) | carry) & row;
                carry = next;
            }
            if state[(length - 1) / 64] & (1 << ((length - 1) % 64)) != 0 {
                return Some(rest.as_str());
            }
        }
        None
    }
}
