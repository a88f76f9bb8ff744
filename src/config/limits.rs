//! From where to where each number and each time may be set. A setting outside of it makes no sense: nothing would ever be
//! read, sent or shown, or nobody would live to see it end.

use std::time::Duration;

use super::Config;

const DAY: Duration = Duration::from_hours(24);

/// A key, its value, the least and the most that it may be.
type Bounded = (&'static str, f64, f64, f64);

#[expect(clippy::cast_precision_loss, reason = "what is lost lies far outside of every bound")]
fn numbers(c: &Config) -> Vec<Bounded> {
    let any = f64::MAX;
    vec![
        ("source.page", c.source.page as f64, 1.0, 1e6),
        ("odoo.history_days", c.odoo.history_days.into(), 1.0, 36_500.0),
        ("odoo.detail_days", c.odoo.detail_days.into(), 1.0, 36_500.0),
        ("odoo.page_max", c.odoo.page_max as f64, 1.0, 1e6),
        ("odoo.requests_per_second", c.odoo.requests_per_second, 0.0, 1e6),
        ("money.cancelled_weight", c.rules.money.cancelled_weight, 0.0, any),
        ("costs.transfer_days", c.rules.costs.transfer_days.into(), 0.0, 365.0),
        ("costs.alternative_percent", c.rules.costs.alternative_percent, 0.0, 1_000.0),
        ("costs.markdown_restores", c.rules.costs.markdown_restores, 0.0, 100.0),
        // Half is what is expected; to be sure of everything would take infinitely many.
        ("costs.cover", c.rules.costs.cover, 0.5, 0.999),
        ("left.question", c.rules.left.question, 0.0, 1.0),
        ("left.question_overdue", c.rules.left.question_overdue, 0.0, 1.0),
        ("left.question_missing", c.rules.left.question_missing, 0.0, 1.0),
        ("left.question_bill", c.rules.left.question_bill, 0.0, 1.0),
        ("left.question_ordered", c.rules.left.question_ordered, 0.0, 1.0),
        ("left.question_confirmation", c.rules.left.question_confirmation, 0.0, 1.0),
        ("left.question_lead_time", c.rules.left.question_lead_time, 0.0, 1.0),
        ("left.question_promotion", c.rules.left.question_promotion, 0.0, 1.0),
        ("left.question_shelf", c.rules.left.question_shelf, 0.0, 1.0),
        ("left.question_channel", c.rules.left.question_channel, 0.0, 1.0),
        ("left.question_spoiled", c.rules.left.question_spoiled, 0.0, 1.0),
        ("left.block", c.rules.left.block, 0.0, 1.0),
        ("left.claim", c.rules.left.claim, 0.0, 1.0),
        ("left.claim_quality", c.rules.left.claim_quality, 0.0, 1.0),
        ("left.claim_scrap", c.rules.left.claim_scrap, 0.0, 1.0),
        ("left.reversal", c.rules.left.reversal, 0.0, 1.0),
        ("left.recount", c.rules.left.recount, 0.0, 1.0),
        ("left.recount_announced", c.rules.left.recount_announced, 0.0, 1.0),
        ("left.recount_transfer", c.rules.left.recount_transfer, 0.0, 1.0),
        ("left.recount_channel", c.rules.left.recount_channel, 0.0, 1.0),
        ("left.investigation", c.rules.left.investigation, 0.0, 1.0),
        ("left.adjust_stock", c.rules.left.adjust_stock, 0.0, 1.0),
        ("left.hold_unplanned", c.rules.left.hold_unplanned, 0.0, 1.0),
        ("left.hold", c.rules.left.hold, 0.0, 1.0),
        ("left.send_back", c.rules.left.send_back, 0.0, 1.0),
        ("left.forecast", c.rules.left.forecast, 0.0, 1.0),
        ("left.split", c.rules.left.split, 0.0, 1.0),
        ("tolerances.quantity_percent", c.rules.tolerances.quantity_percent, 0.0, 1_000.0),
        ("tolerances.quantity_units", c.rules.tolerances.quantity_units, 0.0, any),
        ("tolerances.early_days", c.rules.tolerances.early_days.into(), 0.0, 365.0),
        ("tolerances.late_days", c.rules.tolerances.late_days.into(), 0.0, 365.0),
        ("tolerances.price_percent", c.rules.tolerances.price_percent, 0.0, 1_000.0),
        ("tolerances.count_percent", c.rules.tolerances.count_percent, 0.0, 1_000.0),
        ("tolerances.count_units", c.rules.tolerances.count_units, 0.0, any),
        ("detect.window_days", c.rules.detect.window_days.into(), 14.0, 3_650.0),
        ("detect.warmup_days", c.rules.detect.warmup_days.into(), 14.0, 3_650.0),
        ("detect.promo_uplift_per_ten_percent", c.rules.detect.promo_uplift_per_ten_percent, 1.0, 1_000.0),
        ("detect.promo_band", c.rules.detect.promo_band, 1.0, 1_000.0),
        ("detect.event_days", c.rules.detect.event_days.into(), 1.0, 3_650.0),
        ("detect.claim_days", c.rules.detect.claim_days.into(), 1.0, 3_650.0),
        ("detect.keep_days", c.rules.detect.keep_days.into(), 1.0, 3_650.0),
        ("detect.forest_trees", c.rules.detect.forest_trees as f64, 1.0, 10_000.0),
        ("detect.horizon_days", c.rules.detect.horizon_days.into(), 1.0, 365.0),
        ("detect.sales_in_memory", c.rules.detect.sales_in_memory as f64, 0.0, 1e9),
        ("detect.carried_days", c.rules.detect.carried_days.into(), 0.0, 36_500.0),
        ("detect.confirm_working_days", c.rules.detect.confirm_working_days.into(), 0.0, 365.0),
        ("detect.confirms_usually", c.rules.detect.confirms_usually as f64, 0.0, 1e6),
        ("detect.stale_days", c.rules.detect.stale_days.into(), 0.0, 3_650.0),
        ("detect.shelf_share", c.rules.detect.shelf_share, 0.0, 1.0),
        ("detect.unbilled_days", c.rules.detect.unbilled_days.into(), 0.0, 3_650.0),
        ("detect.over_factor", c.rules.detect.over_factor, 1.0, 1_000.0),
        ("detect.dead_days", c.rules.detect.dead_days.into(), 1.0, 3_650.0),
        ("detect.reserve_days", c.rules.detect.reserve_days.into(), 0.0, 3_650.0),
        ("detect.bulk_factor", c.rules.detect.bulk_factor, 1.0, 1_000.0),
        ("channel.buffer_units", c.rules.channel.buffer_units, 0.0, any),
        ("channel.buffer_percent", c.rules.channel.buffer_percent, 0.0, 100.0),
        ("ranking.capacity", c.rules.ranking.capacity as f64, 1.0, 10_000.0),
        ("ranking.digest_days", c.rules.ranking.digest_days, f64::MIN_POSITIVE, 365.0),
        ("ranking.approval_days", c.rules.ranking.approval_days, 0.0, 365.0),
        ("ranking.sample_places", c.rules.ranking.sample_places as f64, 0.0, 10_000.0),
        ("approval.undo_minutes", c.approval.undo_minutes.into(), 0.0, 10_080.0),
        ("kpi.decide_hours", c.kpi.decide_hours, f64::MIN_POSITIVE, 8_760.0),
        ("noise.history_days", c.noise.history_days.into(), 1.0, 3_650.0),
        ("noise.proposal_shown_min", c.noise.proposal_shown_min.into(), 1.0, 1e6),
        ("noise.proposal_days", c.noise.proposal_days.into(), 1.0, 3_650.0),
        ("model.tokens_max", c.model.tokens_max.into(), 1.0, 1e6),
        ("model.calls_per_day", c.model.calls_per_day.into(), 0.0, 1e9),
        ("model.concurrency", c.model.concurrency as f64, 1.0, 1_000.0),
        ("memory.like_cases", c.memory.like_cases as f64, 1.0, 20.0),
        ("memory.keep_days", c.memory.keep_days.into(), 1.0, 36_500.0),
        ("webhook.attempts", c.webhook.attempts.into(), 1.0, 1_000.0),
        ("webhook.per_second", c.webhook.per_second, f64::MIN_POSITIVE, 1e6),
        ("webhook.burst", c.webhook.burst.into(), 1.0, 1e6),
        ("slack.attempts", c.slack.attempts.into(), 1.0, 1e6),
        ("slack.per_second", c.slack.per_second, f64::MIN_POSITIVE, 1e6),
        ("slack.burst", c.slack.burst.into(), 1.0, 1e6),
        ("slack.updates_per_minute", c.slack.updates_per_minute.into(), 1.0, 1e6),
        ("teams.attempts", c.teams.attempts.into(), 1.0, 1e6),
        ("teams.per_second", c.teams.per_second, f64::MIN_POSITIVE, 1e6),
        ("teams.burst", c.teams.burst.into(), 1.0, 1e6),
        ("mail.port", c.mail.port.into(), 0.0, 65_535.0),
        ("mail.charts", c.mail.charts as f64, 0.0, 50.0),
        ("mail.link_hours", c.mail.link_hours.into(), 0.0, 168.0),
        ("mail.attempts", c.mail.attempts.into(), 1.0, 1e6),
        ("mail.per_second", c.mail.per_second, f64::MIN_POSITIVE, 1e6),
        ("mail.burst", c.mail.burst.into(), 1.0, 1e6),
        ("delivery.breaker_failures", c.delivery.breaker_failures.into(), 1.0, 1e6),
        ("web.session_hours", c.web.session_hours.into(), 1.0, 8_760.0),
        ("web.connections_max", c.web.connections_max as f64, 16.0, 65_536.0),
        ("identity.chat_days", c.identity.chat_days.into(), 1.0, 3_650.0),
        ("identity.token_days_max", c.identity.token_days_max.into(), 1.0, 3_650.0),
        ("api.per_minute", c.api.per_minute.into(), 1.0, 1e6),
        ("api.body_max", c.api.body_max as f64, 1_024.0, 16_777_216.0),
        ("events.body_max", c.events.body_max as f64, 1_024.0, 16_777_216.0),
        ("events.per_minute", c.events.per_minute.into(), 1.0, 1e9),
        ("events.keep_days", c.events.keep_days.into(), 2.0, 3_650.0),
    ]
}

/// Keys that are times, each with the longest that makes sense. That none is zero is said where they are read.
fn times(c: &Config) -> Vec<(&'static str, Duration, Duration)> {
    let hour = Duration::from_hours(1);
    vec![
        ("odoo.timeout", c.odoo.timeout, hour),
        ("odoo.page_time", c.odoo.page_time, hour),
        ("odoo.overlap", c.odoo.overlap, 7 * DAY),
        ("odoo.sweep_every", c.odoo.sweep_every, 366 * DAY),
        ("calendar.digest_deadline", c.rules.calendar.digest_deadline, DAY),
        ("channel.drift", c.rules.channel.drift, 31 * DAY),
        ("channel.fresh", c.rules.channel.fresh, 366 * DAY),
        ("model.timeout", c.model.timeout, hour),
        ("webhook.timeout", c.webhook.timeout, hour),
        ("slack.timeout", c.slack.timeout, hour),
        ("teams.timeout", c.teams.timeout, hour),
        ("mail.timeout", c.mail.timeout, hour),
        ("mail.letter_timeout", c.mail.letter_timeout, hour),
        ("delivery.first_gap", c.delivery.first_gap, 31 * DAY),
        ("delivery.longest_gap", c.delivery.longest_gap, 31 * DAY),
        ("delivery.margin", c.delivery.margin, DAY),
        ("delivery.breaker_pause", c.delivery.breaker_pause, DAY),
        ("delivery.stuck_after", c.delivery.stuck_after, 31 * DAY),
        ("events.window", c.events.window, hour),
        ("worker.period", c.worker.period, DAY),
        ("worker.lease", c.worker.lease, hour),
    ]
}

/// The first key outside of its bounds, and what it may be.
pub(super) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    for (key, value, least, most) in numbers(config) {
        // Written so that what is no number is refused too.
        if !(least..=most).contains(&value) || !value.is_finite() {
            let least = if least > 0.0 && least < 1e-9 { "above 0".to_owned() } else { format!("at least {least}") };
            let most = if most < f64::MAX { format!(" and at most {most}") } else { String::new() };
            return Err((key, format!("must be {least}{most}, not {value}")));
        }
    }
    for (key, value, most) in times(config) {
        if value > most {
            let [value, most] = [value, most].map(humantime_serde::re::humantime::format_duration);
            return Err((key, format!("must be at most {most}, not {value}")));
        }
    }
    for destination in &config.destinations {
        if destination.timeout > Duration::from_hours(1) {
            return Err(("destinations.timeout", format!("must be at most 1h, for destination {:?}", destination.name)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use toml::Value;

    use super::*;
    use crate::config::{ConfigError, DEFAULT_TOML};

    fn with(key: &str, value: &str) -> Result<Config, ConfigError> {
        let (section, name) = key.split_once('.').unwrap();
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        std::fs::write(&file, format!("[{section}]\n{name} = {value}\n")).unwrap();
        Config::load_from(Some(&file), &[])
    }

    /// Numbers that are checked as what they are: shares, hours of the day, a seed of which each is as good as another.
    const ELSEWHERE: [&str; 16] = [
        "calendar.cut_off_hour",
        "calendar.digest_hour",
        "money.holding_rate",
        "money.recapture",
        "money.cancelled",
        "costs.expedite_rate",
        "costs.expedite_saves",
        "detect.spike_p",
        "detect.collapse_p",
        "detect.shift_p",
        "detect.false_share",
        "detect.low_probability",
        "detect.service_level",
        "detect.confirm_lead_share",
        "ranking.lambda",
        "noise.proposal_share",
    ];

    #[test]
    fn every_number_and_every_time_has_bounds() {
        let config = Config::load_from(None, &[]).unwrap();
        let mut bounded: Vec<&str> = numbers(&config).iter().map(|n| n.0).collect();
        bounded.extend(times(&config).iter().map(|t| t.0));
        bounded.extend(ELSEWHERE);
        bounded.push("detect.forest_seed");
        let all: toml::Table = DEFAULT_TOML.parse().unwrap();
        for (section, keys) in &all {
            for (name, value) in keys.as_table().into_iter().flatten() {
                let is_time = |t: &String| humantime_serde::re::humantime::parse_duration(t).is_ok();
                let counts = match value {
                    Value::Integer(_) | Value::Float(_) => true,
                    Value::String(text) => is_time(text) && text.parse::<f64>().is_err(),
                    _ => false,
                };
                let key = format!("{section}.{name}");
                assert!(!counts || bounded.contains(&key.as_str()), "{key} has no bounds");
            }
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_its_key_is_named() {
        let defaults: toml::Table = DEFAULT_TOML.parse().unwrap();
        let config = Config::load_from(None, &[]).unwrap();
        let mut tried = 0;
        for (key, _, least, most) in numbers(&config) {
            let (section, name) = key.split_once('.').unwrap();
            let is_float = defaults[section][name].is_float();
            let mut bad = if is_float { vec!["nan".to_owned(), "inf".to_owned(), "-inf".to_owned()] } else { Vec::new() };
            let (below, above) = (least.floor() - 1.0, most * 2.0);
            bad.push(if is_float { format!("{below:.1}") } else { format!("{below}") });
            if most < f64::MAX {
                bad.push(if is_float { format!("{above:.1}") } else { format!("{above}") });
            }
            if least > 0.0 {
                bad.push(if is_float { "0.0".to_owned() } else { "0".to_owned() });
            }
            for value in bad {
                let error = with(key, &value).err().unwrap_or_else(|| panic!("{key} = {value} is taken")).to_string();
                assert!(error.contains(name), "{key} = {value}: {error}");
                tried += 1;
            }
        }
        for (key, ..) in times(&config) {
            for value in ["\"0s\"", "\"-1s\"", "\"400years\"", "\"soon\"", "1"] {
                let error = with(key, value).err().unwrap_or_else(|| panic!("{key} = {value} is taken")).to_string();
                assert!(error.contains(key), "{key} = {value}: {error}");
                tried += 1;
            }
        }
        for key in ELSEWHERE {
            let bad: &[&str] =
                if key.ends_with("_hour") { &["-1", "25", "4000000000"] } else { &["-0.1", "1.1", "nan", "inf"] };
            for value in bad {
                let error = with(key, value).err().unwrap_or_else(|| panic!("{key} = {value} is taken")).to_string();
                assert!(error.contains(key), "{key} = {value}: {error}");
                tried += 1;
            }
        }
        assert!(tried > 300, "{tried}");
        let said = with("web.session_hours", "0").unwrap_err().to_string();
        assert!(said.contains("`web.session_hours`") && said.contains("must be at least 1"), "{said}");
    }
}
