/// The headers of a message: names and string values, in the order they came, each name once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Headers(Vec<(Box<str>, Box<str>)>);

/// Why headers are refused (error 5904).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeadersError {
    /// More than the limit.
    #[error("headers: a message has at most {limit}, found {found}")]
    Count {
        /// The limit.
        limit: usize,
        /// How many came.
        found: usize,
    },
    /// Names and values together over the limit.
    #[error("headers: names and values have at most {limit} bytes together, found {found}")]
    Bytes {
        /// The limit in bytes.
        limit: usize,
        /// The bytes that came.
        found: usize,
    },
    /// A header without a name.
    #[error("headers: expected a name of at least one character, found an empty one")]
    EmptyName,
}

impl Headers {
    /// Checks the limits (api.md 3.1). Of a repeated name the last value counts.
    pub fn new(
        pairs: impl IntoIterator<Item = (String, String)>,
        max_count: usize,
        max_bytes: usize,
    ) -> Result<Self, HeadersError> {
        let mut headers: Vec<(Box<str>, Box<str>)> = Vec::new();
        for (name, value) in pairs {
            if name.is_empty() {
                return Err(HeadersError::EmptyName);
            }
            match headers.iter_mut().find(|(known, _)| **known == *name) {
                Some((_, known)) => *known = value.into(),
                None => headers.push((name.into(), value.into())),
            }
            if headers.len() > max_count {
                return Err(HeadersError::Count {
                    limit: max_count,
                    found: headers.len(),
                });
            }
        }
        let headers = Self(headers);
        match headers.bytes() {
            found if found > max_bytes => Err(HeadersError::Bytes {
                limit: max_bytes,
                found,
            }),
            _ => Ok(headers),
        }
    }

    /// Headers read back from where they were stored.
    pub fn from_stored(pairs: Vec<(Box<str>, Box<str>)>) -> Self {
        Self(pairs)
    }

    /// The value of a header.
    #[inline]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(known, _)| **known == *name)
            .map(|(_, value)| &**value)
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes of all names and values.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|(name, value)| name.len() + value.len()).sum()
    }
}
