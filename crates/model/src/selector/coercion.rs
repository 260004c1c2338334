//! How the text of a header is read where a comparison wants something else (api.md 3.4).

/// Digits that fit a double without rounding.
const EXACT_DIGITS: usize = 15;

/// A number: optional sign, digits, fraction, exponent, and nothing else; digits on one side of the
/// decimal point will do. `None` for any other text. A number beyond the range of doubles is infinite.
pub(super) fn number(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if (1..=EXACT_DIGITS).contains(&unsigned.len()) && unsigned.iter().all(u8::is_ascii_digit) {
        let value = unsigned
            .iter()
            .fold(0_u64, |value, digit| 10 * value + u64::from(digit - b'0'));
        let value = value as f64;
        return Some(if negative { -value } else { value });
    }
    if scan_number(unsigned) != Some(unsigned.len()) {
        return None;
    }
    text.parse().ok()
}

/// A truth value: exactly `true` or `false`.
pub(super) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// How many bytes of the beginning are an unsigned number. `None` where there is none, or its exponent
/// has no digits.
pub(super) fn scan_number(bytes: &[u8]) -> Option<usize> {
    let digits = |from: usize| {
        bytes[from..]
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count()
    };
    let mut end = digits(0);
    let mut count = end;
    if bytes.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        count += fraction;
        end += 1 + fraction;
    }
    if count == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        end += 1;
        if matches!(bytes.get(end), Some(b'+' | b'-')) {
            end += 1;
        }
        match digits(end) {
            0 => return None,
            exponent => end += exponent,
        }
    }
    Some(end)
}
