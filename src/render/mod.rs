//! The digest as text for a terminal, as Markdown and as HTML for e-mail.
//!
//! Same digest, same bytes: nothing here reads a clock, counts money or decides an order. Text that came from outside
//! (names, notes) is data in every form: control characters are dropped, markup is escaped.

mod html;
mod markdown;
mod templates;
mod text;
mod unlinked;

pub use html::{Pictured, html, html_with};
pub use markdown::markdown;
pub(crate) use templates::html_templates;
pub use text::{text, text_coloured};
pub use unlinked::unlinked;

use crate::domain::action::Range;
use crate::domain::case::Lane;
use crate::domain::digest::{Digest, DigestLine};
use crate::domain::money::Money;

pub use crate::domain::words::plain;

/// "1 case", "3 cases".
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

/// How much time a decision has, in words: "1.5 days left", "decide today", "2.0 days too late".
pub fn time_left(slack_days: f64) -> String {
    // Rounded before it is compared: what would be shown as 1.0 days is never called today.
    let days = (slack_days * 10.0).round() / 10.0;
    if days >= 1.0 {
        format!("{days:.1} days left")
    } else if days >= 0.0 {
        "decide today".to_owned()
    } else {
        format!("{:.1} days past the last good moment", -days)
    }
}

/// The same of a case that is worth `value`, with what waiting costs.
pub fn pressing(slack_days: f64, value: Money, wait_cost: Money) -> String {
    let left = left_to_decide(slack_days, value);
    match wait_words(wait_cost) {
        Some(cost) => format!("{left}; {cost}"),
        None => left,
    }
}

/// How much time a decision has that is worth `value`: as long as something can be saved it is not too late.
pub fn left_to_decide(slack_days: f64, value: Money) -> String {
    time_left(if value > Money::ZERO { slack_days.max(0.0) } else { slack_days })
}

/// What waiting for the next digest costs, in words.
pub fn wait_words(cost: Money) -> Option<String> {
    (cost > Money::ZERO).then(|| format!("one day's wait costs {cost}"))
}

/// The first line of every form. Of a planner's own it says whose it is.
pub fn title(digest: &Digest) -> String {
    let worth = digest.lines.iter().filter(|l| l.is_worth_deciding()).count();
    let whose = digest.planner.as_ref().map_or(String::new(), |planner| format!("{}: ", plain(&planner.name)));
    let cases = count(worth, "case", "cases");
    format!("{whose}{cases} worth deciding, {} {} at stake", plain(&digest.currency), digest.at_stake)
}

/// Where a digest is read on the page, below its address.
pub fn page_of(digest: &Digest) -> String {
    match &digest.planner {
        None => format!("/digests/{}", digest.day),
        Some(planner) => format!("/digests/{}?of={}", digest.day, planner.id),
    }
}

/// Who wrote it, and on which records.
pub fn origin(digest: &Digest) -> String {
    format!("Drafted by {}. Records read up to {}.", plain(&digest.drafted_by), minute(digest.as_of))
}

/// A moment in UTC, to the minute: `2026-10-08 23:59 UTC`.
pub fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// The money and the time of one case.
pub fn stakes(line: &DigestLine) -> String {
    let Range { low, expected, high } = line.value;
    // A figure without doubt needs no range: the three-way match is exact.
    let range = if low == high { String::new() } else { format!(" ({low} to {high})") };
    format!(
        "At stake {} · worth {expected}{range} · by {}, {}",
        line.at_stake,
        line.deadline,
        pressing(line.slack_days, line.value.expected, line.wait_cost)
    )
}

/// Why a case stands where it stands, where that is not money alone.
pub fn marks(line: &DigestLine) -> Vec<&'static str> {
    let mut marks = Vec::new();
    match line.lane {
        Lane::BillDue => marks.push("bill due"),
        Lane::KeyItem => marks.push("key item"),
        Lane::Ordinary => {}
    }
    if line.sampled {
        marks.push("random check from below the line");
    }
    if line.new {
        marks.push("new");
    }
    marks
}

/// The account of what is not listed.
pub fn below(digest: &Digest) -> String {
    let below = &digest.below;
    if below.cases == 0 {
        return "Below the line: nothing.".to_owned();
    }
    let largest =
        below.largest.as_deref().map_or(String::new(), |l| format!(" Largest: {}.", plain(l).trim_end_matches('.')));
    format!(
        "Below the line: {}, together worth {} {}.{largest}",
        count(below.cases as usize, "case", "cases"),
        plain(&digest.currency),
        below.value
    )
}

/// Ties the digest to the audit log.
fn anchor(digest: &Digest) -> String {
    format!("Audit log: entry {}, {}", digest.audit_head.0, plain(&digest.audit_head.1))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::action::Range;
    use crate::domain::digest::{BelowLine, DigestOf, ExplainedLine};
    use crate::domain::ids::{CaseId, PersonId};

    fn line(place: u32) -> DigestLine {
        DigestLine {
            case_id: CaseId::new("c-0011223344556677"),
            place,
            codes: vec!["R-SHORT".to_owned(), "I-LOW".to_owned()],
            headline: "40 of 100 units did not come with receipt WH/IN/00012; stock runs out on 2026-10-11".to_owned(),
            subject: "Espresso Beans 1 kg [AC-006] at Riverside Store".to_owned(),
            at_stake: Money::from_minor(123_450),
            value: Range {
                low: Money::from_minor(41_000),
                expected: Money::from_minor(80_025),
                high: Money::from_minor(121_000),
            },
            priority: Money::from_minor(80_025),
            p: 0.95,
            deadline: "2026-10-10".parse().unwrap(),
            slack_days: 1.5,
            wait_cost: Money::ZERO,
            lane: Lane::Ordinary,
            action: "TRANSFER".to_owned(),
            recommendation: "Move 40 units from Central Warehouse to Riverside Store, shipping on 2026-10-09".to_owned(),
            why: "Riverside sells 11 a day and holds 24; Central holds 310, of which 120 are spoken for. \
                  The supplier promises the rest for 2026-10-20, nine days after the shelf is empty."
                .to_owned(),
            alternatives: vec!["EXPEDITE 612.40".to_owned(), "CONTACT 55.00".to_owned(), "NO-ACTION 0.00".to_owned()],
            note: None,
            sampled: false,
            new: true,
        }
    }

    /// A made-up digest with every part in it.
    pub(crate) fn sample() -> Digest {
        let mut second = line(2);
        second.codes = vec!["F-PRICE".to_owned()];
        second.lane = Lane::BillDue;
        second.new = false;
        second.headline = "Bill BILL/2026/10/0042 asks 12.90 a unit where 11.50 was agreed".to_owned();
        second.subject = "Nordic Coffee Traders, P00042".to_owned();
        second.slack_days = 0.2;
        second.action = "BLOCK-BILL".to_owned();
        second.recommendation = "Keep bill BILL/2026/10/0042 from payment until 280.00 are cleared".to_owned();
        second.why = "The order of 2026-09-22 says 11.50 and the price list has not changed since.".to_owned();
        second.note = Some("The first choice is worth 12 % less than CLAIM (302.00).".to_owned());
        let mut third = line(3);
        third.sampled = true;
        third.subject = "<script>alert(1)</script>\u{1b}[2J *bold* [x](http://evil.example) | `code`".to_owned();
        third.headline = "Demand of one day is far above the usual".to_owned();
        third.codes = vec!["D-SPIKE".to_owned()];
        Digest {
            day: "2026-10-08".parse().unwrap(),
            planner: None,
            as_of: "2026-10-08T23:59:59.999Z".parse().unwrap(),
            unread: Vec::new(),
            currency: "USD".to_owned(),
            lines: vec![line(1), second, third],
            below: BelowLine {
                cases: 12,
                value: Money::from_minor(45_610),
                largest: Some("over-receipt of Paper Cups, 91.20".to_owned()),
            },
            planners: vec![],
            explained: vec![ExplainedLine {
                code: "D-SPIKE".to_owned(),
                headline: "House Blend sold 96 on 2026-10-07 where 31 are usual".to_owned(),
                reason: "promotion Autumn Week, planned at 100".to_owned(),
            }],
            at_stake: Money::from_minor(301_275),
            noise: vec![],
            decided: vec!["Ari Approver approved TRANSFER of 12 Filter Papers to Harbour Store".to_owned()],
            drafted_by: "playbook".to_owned(),
            health: vec!["the newest stock count is 9 days old".to_owned()],
            audit_head: (42, "9f2c0d4b5a".to_owned()),
        }
    }

    /// A quiet day.
    pub(crate) fn quiet() -> Digest {
        Digest {
            lines: Vec::new(),
            below: BelowLine::default(),
            explained: Vec::new(),
            at_stake: Money::ZERO,
            decided: Vec::new(),
            health: Vec::new(),
            ..sample()
        }
    }

    /// Somebody's own, and everybody's beside it.
    fn of_planners() -> (Digest, Digest) {
        let planner = Some(DigestOf { id: PersonId::new("pia"), name: "Pia <Planner>".to_owned() });
        let planners =
            vec!["Pia <Planner>: 2 cases, together worth USD 80.25; the first: 40 units did not come.".to_owned()];
        (Digest { planner, ..quiet() }, Digest { planners, ..quiet() })
    }

    #[test]
    fn a_planners_digest_says_whose_it_is_and_everybodys_what_each_has() {
        let (own, all) = of_planners();
        for said in [text(&own), markdown(&own), html(&own)] {
            assert!(said.contains("Pia") && said.contains(": 0 cases worth deciding"), "{said}");
            assert!(!said.contains("Whose cases"), "{said}");
        }
        for said in [text(&all), markdown(&all), html(&all)] {
            assert!(said.contains("Whose cases") && said.contains("2 cases, together worth USD 80.25"), "{said}");
        }
        assert!(html(&all).contains("Pia &lt;Planner&gt;") && markdown(&all).contains("Pia \\<Planner\\>"));
    }

    #[test]
    fn text_from_outside_can_not_move_the_cursor() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n\tc\u{202e}d\u{7}"), "a[2Jb cd");
    }

    #[test]
    fn time_left_reads_aloud() {
        assert_eq!(time_left(1.54), "1.5 days left");
        assert_eq!(time_left(0.4), "decide today");
        assert_eq!(time_left(-2.0), "2.0 days past the last good moment");
    }
}
