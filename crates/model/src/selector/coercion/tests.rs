use proptest::prelude::*;

use super::number;

proptest! {
    #[test]
    fn a_decimal_is_the_nearest_double(text in "[-+]?([0-9]{1,17}(\\.[0-9]{0,17})?|\\.[0-9]{1,17})(e-?[0-9]{1,2})?") {
        let expected: f64 = text.parse().unwrap();
        prop_assert_eq!(number(&text).map(f64::to_bits), Some(expected.to_bits()));
    }
}
