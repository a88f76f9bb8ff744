//! What can be set about the demand model.

/// Parameters of the demand model. [`DemandParams::check`] says which one is out of range.
///
/// | name | default | meaning | range |
/// |---|---|---|---|
/// | `window_days` | 56 | days behind the day on which level and dispersion are learned (handbook §3.1: 8 weeks) | 14–365 |
/// | `warmup_days` | 28 | learned days below which nothing is called odd | 7–365 |
/// | `profile_days` | 182 | days behind the day on which the weekday profile is learned | 14–730 |
/// | `smoothing` | 0.04 | weight lost per day of age in the level; 0.04 is a mean age of about 20 days in the window | 0–0.5 |
/// | `weekday_spread` | 0.20 | how far weekday factors usually lie from 1 (deviation); shrinks the profile | 0.01–1 |
/// | `dispersion` | 0.10 | variance beyond Poisson ÷ mean², assumed before there is data | 0–5 |
/// | `dispersion_days` | 10 | how many days of data that assumption is worth | 0–100 |
/// | `outlier_sd` | 4 | days further than this above the mean are not learned from | 2–10 |
/// | `confirm_days` | 14 | days after which a level shift is the new normal | 7–60 |
/// | `alert_p` | 1e-4 | p below which days of a shift are not learned from until it is confirmed or over | 0–0.05 |
/// | `report_p` | 0.05 | shifts with a larger p are not reported | `alert_p`–1 |
/// | `tracking_days` | 14 | days summed in the tracking signal; on pure noise its deviation is about 1.25·√days | 4–60 |
#[derive(Clone, Debug, PartialEq)]
pub struct DemandParams {
    /// Days on which level and dispersion are learned.
    pub window_days: usize,
    /// Learned days below which nothing is called odd.
    pub warmup_days: usize,
    /// Days on which the weekday profile is learned.
    pub profile_days: usize,
    /// Weight lost per day of age in the level.
    pub smoothing: f64,
    /// Usual distance of weekday factors from 1.
    pub weekday_spread: f64,
    /// Variance beyond Poisson ÷ mean², before there is data.
    pub dispersion: f64,
    /// Days of data that `dispersion` is worth.
    pub dispersion_days: f64,
    /// Deviations above the mean from which on a day is not learned.
    pub outlier_sd: f64,
    /// Days after which a shift is the new normal.
    pub confirm_days: usize,
    /// p below which a shift's days are held back from learning.
    pub alert_p: f64,
    /// Largest p of a reported shift.
    pub report_p: f64,
    /// Days in the tracking signal.
    pub tracking_days: usize,
}

impl Default for DemandParams {
    fn default() -> Self {
        Self {
            window_days: 56,
            warmup_days: 28,
            profile_days: 182,
            smoothing: 0.04,
            weekday_spread: 0.2,
            dispersion: 0.1,
            dispersion_days: 10.0,
            outlier_sd: 4.0,
            confirm_days: 14,
            alert_p: 1e-4,
            report_p: 0.05,
            tracking_days: 14,
        }
    }
}

/// A parameter outside of its range.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("demand parameter {name} is {value}, but must be from {low} to {high}")]
pub struct DemandParamsError {
    /// The parameter.
    pub name: &'static str,
    /// What it is.
    pub value: f64,
    /// The least it may be.
    pub low: f64,
    /// The most it may be.
    pub high: f64,
}

impl DemandParams {
    /// The same parameters, if each is in its range.
    ///
    /// # Errors
    /// Names the first one that is not.
    pub fn check(self) -> Result<Self, DemandParamsError> {
        let ranges = [
            ("window_days", self.window_days as f64, 14.0, 365.0),
            ("warmup_days", self.warmup_days as f64, 7.0, 365.0),
            ("profile_days", self.profile_days as f64, 14.0, 730.0),
            ("smoothing", self.smoothing, 0.0, 0.5),
            ("weekday_spread", self.weekday_spread, 0.01, 1.0),
            ("dispersion", self.dispersion, 0.0, 5.0),
            ("dispersion_days", self.dispersion_days, 0.0, 100.0),
            ("outlier_sd", self.outlier_sd, 2.0, 10.0),
            ("confirm_days", self.confirm_days as f64, 7.0, 60.0),
            ("alert_p", self.alert_p, 0.0, 0.05),
            ("report_p", self.report_p, self.alert_p, 1.0),
            ("tracking_days", self.tracking_days as f64, 4.0, 60.0),
        ];
        match ranges.into_iter().find(|(_, value, low, high)| !(low..=high).contains(&value)) {
            Some((name, value, low, high)) => Err(DemandParamsError { name, value, low, high }),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_in_range_and_a_bad_one_is_named() {
        assert!(DemandParams::default().check().is_ok());
        let error = DemandParams { smoothing: f64::NAN, ..DemandParams::default() }.check().unwrap_err();
        assert_eq!(error.name, "smoothing");
        let error = DemandParams { window_days: 3, ..DemandParams::default() }.check().unwrap_err();
        assert_eq!(error.to_string(), "demand parameter window_days is 3, but must be from 14 to 365");
    }
}
