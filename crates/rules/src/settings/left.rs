//! `[left]`: what remains of a loss after something was done about it, as it is set and as a shop's own decisions show it.

use serde::Deserialize;

/// Outcomes that the share which is set weighs as much as.
const WEIGHT: f64 = 10.0;
/// Outcomes from which a shop's own count at all.
const LEAST: usize = 5;

/// `[left]`: shares of a loss that remain on average.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftConfig {
    pub question: f64,
    pub question_overdue: f64,
    pub question_missing: f64,
    pub question_bill: f64,
    pub question_ordered: f64,
    pub question_confirmation: f64,
    pub question_lead_time: f64,
    pub question_promotion: f64,
    pub question_shelf: f64,
    pub question_channel: f64,
    pub question_spoiled: f64,
    pub block: f64,
    pub claim: f64,
    pub claim_quality: f64,
    pub claim_scrap: f64,
    pub reversal: f64,
    pub recount: f64,
    pub recount_announced: f64,
    pub recount_transfer: f64,
    pub recount_channel: f64,
    pub investigation: f64,
    pub adjust_stock: f64,
    pub hold_unplanned: f64,
    pub hold: f64,
    pub send_back: f64,
    pub forecast: f64,
    pub split: f64,
}

/// The share that remains by what outcomes have shown, one share each: their mean, shrunk to the share that is set. With too few of
/// them what is set stands. What no outcome can be (below nothing, more than all, no number) counts as the nearest that can.
pub fn learned(set: f64, seen: &[f64]) -> f64 {
    if seen.len() < LEAST {
        return set;
    }
    let possible = |share: &f64| if share.is_nan() { set } else { share.clamp(0.0, 1.0) };
    let n = seen.len() as f64;
    let sum: f64 = seen.iter().map(possible).sum();
    // At four decimals, so that a share reads the same on a card, in its evidence and in the audit.
    (((sum + WEIGHT * set) / (n + WEIGHT)) * 10_000.0).round() / 10_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_follows_outcomes_once_there_are_enough() {
        let all_lost = [1.0; 10];
        assert!((learned(0.6, &all_lost[..4]) - 0.6).abs() < 1e-12, "four say nothing");
        assert!((learned(0.6, &all_lost) - 0.8).abs() < 1e-12, "ten weigh as much as what is set");
        assert!(learned(0.6, &[0.0; 5]) < 0.6 && learned(0.6, &[0.0; 500]) < 0.02);
        assert!((learned(0.6, &[7.0, -3.0, 1.0, 0.0, f64::NAN]) - (2.6 + 6.0) / 15.0).abs() < 1e-4);
    }
}
