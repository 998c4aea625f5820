//! The statistics that gates rest on, as textbooks give them.

/// How likely at least `worse` of `worse + better` discordant pairs are by chance alone:
/// the exact one-sided sign test, which is McNemar's on paired yes-or-no outcomes.
#[expect(clippy::cast_precision_loss, reason = "pairs are consumers, far below 2^52")]
pub fn sign_test(worse: u64, better: u64) -> f64 {
    let all = worse + better;
    if worse == 0 {
        return 1.0;
    }
    // C(n, k) / 2^n, in logarithms: the factors alone would overflow.
    let mut log = -(all as f64) * std::f64::consts::LN_2;
    let mut sum = 0.0;
    for k in 0..=all {
        if k > 0 {
            log += ((all - k + 1) as f64).ln() - (k as f64).ln();
        }
        if k >= worse {
            sum += log.exp();
        }
    }
    sum.min(1.0)
}

/// What a comparison of two samples says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compared {
    /// How likely so large a difference is by chance, one-sided.
    pub p: f64,
    /// The chance that a value of the first is greater than one of the second, ties
    /// counted half (Vargha and Delaney's A): 0.5 is no difference.
    pub effect: f64,
}

/// Whether values of `first` tend to be greater than those of `second`: the Mann-Whitney
/// U test with the normal approximation, corrected for ties and continuity. `None` where
/// a side is empty or all values are the same.
#[expect(clippy::cast_precision_loss, reason = "samples are far below 2^52")]
pub fn mann_whitney(first: &[f64], second: &[f64]) -> Option<Compared> {
    let (m, n) = (first.len() as f64, second.len() as f64);
    let mut all: Vec<(f64, bool)> =
        first.iter().map(|v| (*v, true)).chain(second.iter().map(|v| (*v, false))).collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks, mut ties, mut start) = (0.0, 0.0, 0);
    while start < all.len() {
        let end = start + all[start..].iter().take_while(|(v, _)| *v == all[start].0).count();
        let size = (end - start) as f64;
        // Ranks count from 1; tied values share their mean.
        let rank = (start + end + 1) as f64 / 2.0;
        ranks += rank * all[start..end].iter().filter(|(_, of_first)| *of_first).count() as f64;
        ties += size.powi(3) - size;
        start = end;
    }
    let u = ranks - m * (m + 1.0) / 2.0;
    let total = m + n;
    let variance = m * n / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)));
    // Also where a side is empty, and the variance no number.
    if variance.is_nan() || variance <= 0.0 {
        return None;
    }
    let z = (u - m * n / 2.0 - 0.5) / variance.sqrt();
    Some(Compared { p: 0.5 * libm::erfc(z / std::f64::consts::SQRT_2), effect: u / (m * n) })
}

/// What `tried` consumers without one failure show: at 95 %, fewer than this share of all
/// break. `1 - 0.05^(1/n)`, which the rule of three calls 3/n.
#[expect(clippy::cast_precision_loss, reason = "consumers are far below 2^52")]
pub fn at_most(tried: u64) -> f64 {
    if tried == 0 { 1.0 } else { 1.0 - 0.05_f64.powf(1.0 / tried as f64) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-4, "{found} is not {expected}");
    }

    #[test]
    fn the_sign_test_is_exact() {
        near(sign_test(5, 0), 1.0 / 32.0);
        near(sign_test(0, 0), 1.0);
        near(sign_test(9, 1), 11.0 / 1024.0);
        near(sign_test(1, 9), 1023.0 / 1024.0);
        assert!(sign_test(9000, 3000) < 1e-300);
    }

    /// Values as `scipy.stats.mannwhitneyu(a, b, alternative="greater", method="asymptotic")`
    /// gives them.
    #[test]
    fn mann_whitney_is_that_of_the_books() {
        let a = [19.0, 22.0, 16.0, 29.0, 24.0];
        let b = [20.0, 11.0, 17.0, 12.0];
        let found = mann_whitney(&a, &b).unwrap();
        near(found.effect, 17.0 / 20.0);
        near(found.p, 0.0556);
        let tied = mann_whitney(&[1.0, 2.0, 2.0, 3.0], &[2.0, 2.0, 3.0, 4.0]).unwrap();
        near(tied.effect, 0.28125);
        assert!(tied.p > 0.5);
        assert_eq!(mann_whitney(&[1.0; 9], &[1.0; 9]), None);
        assert_eq!(mann_whitney(&[], &[1.0]), None);
    }

    #[test]
    fn the_rule_of_three() {
        near(at_most(100), 0.0295);
        near(at_most(1), 0.95);
        near(at_most(0), 1.0);
    }
}
