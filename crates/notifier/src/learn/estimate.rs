//! What share of reminders would have been acted on under another policy, from those that were sent under the logged one.
//!
//! What came of a reminder depends on those its recipient got before it: somebody told by mail five times a day no longer
//! reads the sixth. So a decision is not weighed by its own likelihood ratio alone (plain inverse propensity scoring,
//! Horvitz–Thompson, which takes the logged past for the policy's own and errs accordingly), but by the product of the
//! ratios of its trajectory so far: per-decision importance sampling (Precup, Sutton, Singh, "Eligibility traces for
//! off-policy policy evaluation", ICML 2000), each step normalised by the sum of its own weights, which bounds the
//! estimate and spares it most of the variance. Figures of this file are shown and kept nowhere.

/// A figure that is shown.
pub type Real = f64; // tidy: float at the edge

/// The normal deviate of an interval that holds the truth in 95 of 100 cases.
const DEVIATE: Real = 1.96;

/// A decision: how likely what was done was, how likely the policy asked about would have done it, and whether the
/// reminder was acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Under the policy that did it, basis points; not 0.
    pub logged_bp: u32,
    /// Under the policy asked about, basis points.
    pub wanted_bp: u32,
    /// What came of it; nothing where that says nothing of its recipient: it was taken all the same, and weighs with
    /// those after it.
    pub acted: Option<bool>,
}

/// An estimate of a share.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The share.
    pub rate: Real,
    /// The lower bound of its 95 % interval.
    pub low: Real,
    /// The upper bound.
    pub high: Real,
    /// How many decisions it rests on.
    pub decisions: usize,
    /// As many unweighted ones would say as much (Kish): where this is small, the interval says too little.
    pub effective: Real,
}

impl Step {
    fn ratio(self) -> Real {
        Real::from(self.wanted_bp) / Real::from(self.logged_bp.max(1))
    }

    fn outcome(self) -> Option<Real> {
        self.acted.map(|acted| Real::from(u8::from(acted)))
    }
}

/// A count as a figure.
pub(super) fn real(count: usize) -> Real {
    Real::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// The estimate by trajectories, each the decisions about one recipient in order; nothing without a decision that the
/// policy asked about could have taken.
///
/// The interval is that of the linearised ratio (Owen, "Monte Carlo theory", ch. 9.2), trajectory by trajectory, so that
/// what belongs together counts once.
pub fn by_trajectory(trajectories: &[Vec<Step>]) -> Option<Estimate> {
    let longest = trajectories.iter().map(Vec::len).max()?;
    let weights: Vec<Vec<Real>> = trajectories.iter().map(|steps| products(steps)).collect();
    let (mut rate, mut covered, mut squares) = (0.0, 0, (0.0, 0.0));
    let mut influence = vec![0.0; trajectories.len()];
    for place in 0..longest {
        let here = || {
            let of = |at: usize| Some((at, *weights[at].get(place)?, trajectories[at].get(place)?.outcome()?));
            (0..trajectories.len()).filter_map(of)
        };
        let sum: Real = here().map(|(_, weight, _)| weight).sum();
        // No logged trajectory is one the policy could have gone, as far as anything is known of what came of it.
        if sum <= 0.0 {
            continue;
        }
        let value = here().map(|(_, weight, outcome)| weight * outcome).sum::<Real>() / sum;
        let count = here().count();
        covered += count;
        rate += real(count) * value;
        for (at, weight, outcome) in here() {
            influence[at] += real(count) * weight * (outcome - value) / sum;
            squares = (squares.0 + weight, squares.1 + weight * weight);
        }
    }
    let all = real(covered).max(1.0);
    let deviation = influence.iter().map(|part| part * part).sum::<Real>().sqrt() / all;
    let rate = rate / all;
    let (low, high) = ((rate - DEVIATE * deviation).max(0.0), (rate + DEVIATE * deviation).min(1.0));
    (covered > 0).then_some(Estimate {
        rate,
        low,
        high,
        decisions: covered,
        effective: squares.0 * squares.0 / squares.1,
    })
}

/// Plain inverse propensity scoring: every decision by itself. To be compared with, not to be relied on.
pub fn plain(trajectories: &[Vec<Step>]) -> Option<Real> {
    let known = || trajectories.iter().flatten().filter_map(|step| Some((step.ratio(), step.outcome()?)));
    let sum: Real = known().map(|(ratio, outcome)| ratio * outcome).sum();
    (known().count() > 0).then(|| sum / real(known().count()))
}

/// The share of so many with the bounds of Wilson's score interval ("Probable inference", J. Am. Stat. Assoc. 22, 1927).
pub fn share(acted: usize, of: usize) -> Option<Estimate> {
    let count = real(of);
    let rate = if of == 0 { return None } else { real(acted) / count };
    let square = DEVIATE * DEVIATE;
    let middle = (rate + square / (2.0 * count)) / (1.0 + square / count);
    let spread = rate * (1.0 - rate) / count + square / (4.0 * count * count);
    let half = DEVIATE * spread.sqrt() / (1.0 + square / count);
    Some(Estimate { rate, low: middle - half, high: middle + half, decisions: of, effective: count })
}

/// The product of the ratios up to each step.
fn products(steps: &[Step]) -> Vec<Real> {
    let ratios = steps.iter().map(|step| step.ratio());
    ratios
        .scan(1.0, |product, ratio| {
            *product *= ratio;
            Some(*product)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(logged_bp: u32, wanted_bp: u32, acted: bool) -> Step {
        Step { logged_bp, wanted_bp, acted: Some(acted) }
    }

    fn close(one: Real, other: Real) -> bool {
        (one - other).abs() < 1e-9
    }

    /// Proves part of: N8
    #[test]
    fn the_logged_policy_itself_is_estimated_as_what_happened() {
        let trajectories = [vec![step(5_000, 5_000, true), step(2_500, 2_500, false)], vec![step(100, 100, true)]];
        let found = by_trajectory(&trajectories).unwrap();
        assert!(close(found.rate, 2.0 / 3.0) && close(found.effective, 3.0), "{found:?}");
        assert!(close(plain(&trajectories).unwrap(), 2.0 / 3.0));
    }

    #[test]
    fn what_the_policy_could_not_have_done_says_nothing() {
        let never = vec![step(5_000, 0, true), step(5_000, 10_000, true)];
        let always = vec![step(5_000, 10_000, false), step(5_000, 10_000, false)];
        assert!(close(by_trajectory(&[never.clone(), always]).unwrap().rate, 0.0), "its second step follows its first");
        assert_eq!(by_trajectory(&[never]), None);
        assert_eq!(by_trajectory(&[]), None);
    }

    #[test]
    fn what_nothing_is_known_of_weighs_with_those_after_it() {
        let unknown = |wanted_bp| Step { logged_bp: 5_000, wanted_bp, acted: None };
        let after = |first, acted| vec![first, step(5_000, 5_000, acted)];
        let found = by_trajectory(&[after(unknown(10_000), true), after(unknown(0), false)]).unwrap();
        assert!(
            close(found.rate, 1.0) && found.decisions == 2,
            "the policy would never have come to the second: {found:?}"
        );
        assert_eq!(plain(&[vec![unknown(10_000)]]), None);
    }

    #[test]
    fn wilson_s_interval_is_the_published_one() {
        let found = share(15, 50).unwrap();
        assert!((found.low - 0.1910).abs() < 5e-5 && (found.high - 0.4375).abs() < 5e-5, "{found:?}");
        assert_eq!(share(0, 0), None);
    }
}
