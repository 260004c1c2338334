//! How the text of a header is read where a comparison wants something else (api.md 3.4).

/// Digits that fit a double without rounding.
const EXACT_DIGITS: usize = 15;

/// Powers of ten, which doubles hold exactly up to here.
const POWERS: [f64; EXACT_DIGITS + 1] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
];

/// A number: optional sign, digits, fraction, exponent, and nothing else; digits on one side of the
/// decimal point will do. `None` for any other text. A number beyond the range of doubles is infinite.
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
fn short_decimal(bytes: &[u8]) -> Option<f64> {
    if bytes.len() > EXACT_DIGITS + 1 {
        return None;
    }
    let (mut value, mut digits, mut point) = (0_u64, 0, None);
    for byte in bytes {
        match byte {
            b'0'..=b'9' => {
                value = 10 * value + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if point.is_none() => point = Some(digits),
            _ => return None,
        }
    }
    if digits == 0 || digits > EXACT_DIGITS {
        return None;
    }
    Some(match point {
        Some(whole) => value as f64 / POWERS[digits - whole],
        None => value as f64,
    })
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
