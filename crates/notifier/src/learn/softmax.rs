//! A softmax in whole numbers: the same on every machine.

/// One, in the fixed point of weights.
const ONE: u64 = 1 << 40;
/// An exponent is halved so often before it is expanded, and the result squared as often.
const HALVINGS: u32 = 6;
/// Terms of the expansion: at exponents up to a half the next would be below one part in 2^40.
const TERMS: u64 = 11;
/// From this exponent on a weight counts as none; e^-28 is below one part in 2^40.
const MOST: u64 = 28;

/// For each value e^((value − highest) / temperature), in parts of 2^40; all in basis points.
pub(super) fn weights(values_bp: &[u32], temperature_bp: u32) -> Vec<u64> {
    let highest = values_bp.iter().copied().max().unwrap_or_default();
    let below = |value: &u32| u64::from(highest - value) * ONE / u64::from(temperature_bp.max(1));
    values_bp.iter().map(|value| falling(below(value))).collect()
}

/// e^−x of a fixed-point x: the Taylor series of e^y at y = x / 64, its reciprocal, squared six times.
fn falling(x: u64) -> u64 {
    if x >= MOST * ONE {
        return 0;
    }
    let small = x >> HALVINGS;
    let (mut rising, mut term) = (ONE, ONE);
    for n in 1..=TERMS {
        term = times(term, small) / n;
        rising += term;
    }
    let reciprocal = u128::from(ONE) * u128::from(ONE) / u128::from(rising);
    let reciprocal = u64::try_from(reciprocal).unwrap_or(ONE);
    (0..HALVINGS).fold(reciprocal, |power, _| times(power, power))
}

fn times(one: u64, other: u64) -> u64 {
    u64::try_from(u128::from(one) * u128::from(other) / u128::from(ONE)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves part of: N8
    #[test]
    fn whole_numbers_say_what_floating_point_says() {
        #[expect(clippy::cast_precision_loss, reason = "compared to ten digits")]
        for (value, temperature) in [(0, 300), (1, 300), (299, 300), (1_000, 300), (9_999, 1_000), (10_000, 10)] {
            let [highest, weight] = weights(&[10_000, value], temperature)[..] else { panic!("two weights") };
            let exact = (-f64::from(10_000 - value) / f64::from(temperature)).exp();
            assert_eq!(highest, ONE);
            assert!((weight as f64 / ONE as f64 - exact).abs() < 1e-10, "{value} {temperature}: {weight}");
        }
    }
}
