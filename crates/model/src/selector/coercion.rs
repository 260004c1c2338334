//! How the text of a header is read where a comparison wants something else (api.md 3.4).

/// Digits that fit a double without rounding.
const EXACT_DIGITS: usize = 15;

/// Powers of ten, which doubles hold exactly up to here.
const POWERS: [f64; EXACT_DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// A number: optional sign, digits, fraction, exponent, and nothing else; digits on one side of the
/// decimal point will do. `None` for any other text. A number beyond the range of doubles is infinite.
#[inline]
pub(super) fn number(text: &str) -> Option<f64> {
    let (negative, unsigned) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if let Some(value) = short_decimal(unsigned) {
        return Some(if negative { -value } else { value });
    }
    if scan_number(unsigned) != Some(unsigned.len()) {
        return None;
    }
    text.parse().ok()
}

/// Few digits and at most one point, which is what most headers are. The quotient of two exact doubles is
/// rounded once, so it is the nearest one.
#[inline]
fn short_decimal(bytes: &[u8]) -> Option<f64> {
    if bytes.len() > EXACT_DIGITS + 1 {
        return None;
    }
    let (mut value, whole) = digits(0, bytes);
    let fraction = match &bytes[whole..] {
        [] => 0,
        [b'.', rest @ ..] => {
            let (with_fraction, fraction) = digits(value, rest);
            if fraction < rest.len() {
                return None;
            }
            value = with_fraction;
            fraction
        }
        _ => return None,
    };
    match whole + fraction {
        1..=EXACT_DIGITS if fraction == 0 => Some(value as f64),
        1..=EXACT_DIGITS => Some(value as f64 / POWERS[fraction]),
        _ => None,
    }
}

/// Goes on with a number over the digits at the beginning; how many there are.
#[inline]
fn digits(mut value: u64, bytes: &[u8]) -> (u64, usize) {
    for (at, byte) in bytes.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (value, at);
        }
        // Sixteen digits at most: they fit.
        value = 10 * value + u64::from(digit);
    }
    (value, bytes.len())
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

#[cfg(test)]
mod tests;
