//! What a replay with decisions came to, for people and machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Date;
use serde::Serialize;

use super::Replay;
use super::against::Against;
use super::days::Lived;
use super::like::Likes;
use super::recomputed::{OfAction, Recomputed};

/// What it came to.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// When it was read, and by what people decided, for people.
    pub reads: String,
    /// The rule in words.
    pub rule: String,
    /// What found like cases: a model for their words beside their numbers, or nothing beside them.
    pub memory: String,
    /// First and last morning, and how many.
    pub span: (Date, Date),
    /// Mornings.
    pub days: usize,
    /// Lines of all digests.
    pub lines: usize,
    /// Cases that were approved, rejected, and approved by two people.
    pub approved: u32,
    /// Rejected as not real.
    pub rejected: u32,
    /// Approved by two people.
    pub by_two: u32,
    /// Decided lines whose case came back and was decided once more.
    pub again: u32,
    /// Lines that are real, whose first choice is worth nothing, and that were left for it.
    pub left: u32,
    /// Clicks that the door refused, by why.
    pub refused: BTreeMap<String, u32>,
    /// What was approved, by the codes of its steps.
    pub approved_actions: BTreeMap<String, u32>,
    /// What was read back of it, by action and state.
    pub read_back: BTreeMap<String, BTreeMap<String, u32>>,
    /// How many of what was read back were measured at their horizon.
    pub measured: u32,
    /// Like cases on the lines of digests, and on all cards.
    pub on_lines: Likes,
    /// The same of every card, below the line, too.
    pub on_cards: Likes,
    /// Against the same decisions with memory off: everything has to be the same.
    pub memory_moved: Against,
    /// Against the same days with nobody deciding.
    pub decisions_moved: Against,
    /// Types whose probability of being real decisions moved: what it was before any, and on the last morning.
    pub learnt: BTreeMap<String, (f64, f64)>,
    /// Every figure of every card, computed a second time.
    pub recomputed: Recomputed,
}

impl Report {
    pub(super) fn of(replay: &Replay<'_>, with: Lived, without_memory: &Lived, undecided: &Lived) -> Self {
        let clicks = &with.clicks;
        let mut approved_actions: BTreeMap<String, u32> = BTreeMap::new();
        for decided in clicks.decided.values().filter(|decided| decided.approved) {
            *approved_actions.entry(decided.actions.clone()).or_default() += 1;
        }
        let mut read_back: BTreeMap<String, BTreeMap<String, u32>> = BTreeMap::new();
        for outcome in &with.outcomes {
            let code = outcome.found.action.as_ref().map_or("plan", |action| action.code());
            *read_back.entry(code.to_owned()).or_default().entry(outcome.state.name().to_owned()).or_default() += 1;
        }
        let learnt = with.p.iter().filter_map(|(code, p)| {
            let before = code.prior();
            ((p - before).abs() > 1e-9).then(|| (code.code().to_owned(), (before, *p)))
        });
        let days = |at: Option<&super::days::Morning>| at.map(|morning| morning.day).unwrap_or_default();
        Self {
            reads: replay.reads.words(),
            rule: replay.rule.words(),
            memory: if with.memory.is_empty() { "numbers alone".to_owned() } else { format!("numbers and {}", with.memory) },
            span: (days(with.mornings.first()), days(with.mornings.last())),
            days: with.mornings.len(),
            lines: with.mornings.iter().map(|morning| morning.lines.len()).sum(),
            approved: clicks.approved,
            rejected: clicks.rejected,
            by_two: clicks.by_two,
            again: clicks.approved + clicks.rejected - clicks.decided.len() as u32,
            left: clicks.left,
            refused: clicks.refused.clone(),
            approved_actions,
            read_back,
            measured: with.outcomes.iter().filter(|outcome| outcome.found.is_measured()).count() as u32,
            on_lines: Likes::of(&with, |morning, card| morning.lines.contains(&card.case)),
            on_cards: Likes::of(&with, |_, _| true),
            memory_moved: Against::of(&with.mornings, &without_memory.mornings),
            decisions_moved: Against::of(&with.mornings, &undecided.mornings),
            learnt: learnt.collect(),
            recomputed: with.recomputed,
        }
    }

    /// Does it hold what Reeve promises: memory moves nothing, and every figure recomputes?
    pub fn holds(&self) -> bool {
        self.memory_moved.is_same() && self.recomputed.holds()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let (from, to) = self.span;
        let _ = writeln!(out, "Lived {} mornings, {from} to {to}, {}, three times.", self.days, self.reads);
        let _ = writeln!(out, "Rule:     {}.", self.rule);
        let _ = writeln!(
            out,
            "Decided:  {} approved ({} by two people), {} rejected as not real; {} of them on cases that had come back. {} lines left, \
             worth nothing.",
            self.approved, self.by_two, self.rejected, self.again, self.left
        );
        for (why, count) in &self.refused {
            let _ = writeln!(out, "  {count:>4} clicks refused: {why}");
        }
        for (actions, count) in &self.approved_actions {
            let _ = writeln!(out, "  {count:>4} cases approved last: {actions}");
        }
        let _ = writeln!(
            out,
            "Read back: a recording does not change by decisions; carried out is what it happens to show. {} measured at the horizon.",
            self.measured
        );
        for (action, states) in &self.read_back {
            let states: Vec<String> = states.iter().map(|(state, count)| format!("{state} {count}")).collect();
            let _ = writeln!(out, "  {action:<14} {}", states.join(", "));
        }
        let _ = writeln!(out, "Memory:   like cases found by {}.", self.memory);
        likes(&mut out, "lines of digests", &self.on_lines);
        likes(&mut out, "all cards", &self.on_cards);
        against(&mut out, "Memory moved (against the same decisions without it; has to be nothing)", &self.memory_moved);
        against(
            &mut out,
            "Decisions moved (against nobody deciding)",
            &Against { told: vec![], ..self.decisions_moved.clone() },
        );
        for (code, (before, now)) in &self.learnt {
            let _ = writeln!(out, "  p of {code:<13} {before:.3} before any decision, {now:.3} on the last morning");
        }
        recomputed(&mut out, &self.recomputed);
        out
    }
}

fn percent(part: u32, of: u32) -> f64 {
    100.0 * f64::from(part) / f64::from(of.max(1))
}

fn likes(out: &mut String, of: &str, likes: &Likes) {
    let _ = writeln!(
        out,
        "  {of}: {} of {} show like cases ({:.1} %), {} of {} different cases ({:.1} %).",
        likes.cards_with,
        likes.cards,
        percent(likes.cards_with, likes.cards),
        likes.cases_with,
        likes.cases,
        percent(likes.cases_with, likes.cases)
    );
    let by_type =
        likes.right_by_type_alone.map_or_else(String::new, |share| format!("; {:.1} % by the type alone", 100.0 * share));
    let _ = writeln!(
        out,
        "    {} pairs: {} of the same event, {} of the same class, {} of two that are not real, {} of different causes: {:.1} % of \
         the same cause{by_type}.",
        likes.pairs,
        likes.same_event,
        likes.same_class,
        likes.neither_real,
        likes.different,
        percent(likes.right(), likes.pairs)
    );
    if let Some((least, middle, most)) = likes.age_days {
        let _ = writeln!(out, "    {least} to {most} days old when first shown, half of them {middle} or less.");
    }
    for (ended, count) in &likes.ended {
        let _ = writeln!(out, "    {count:>4} {ended}");
    }
}

fn against(out: &mut String, what: &str, found: &Against) {
    let _ = writeln!(out, "{what}:");
    let _ = writeln!(
        out,
        "  {} cards of both, {} and {} of one only; {} mornings with another digest.",
        found.cards, found.only_first, found.only_second, found.digests
    );
    let _ = writeln!(
        out,
        "  p {}, any figure of the rank {}, place among the same cards {}; proposals {}, their order {}, the first of them {}.",
        found.p, found.rank, found.place, found.proposed, found.order, found.first_choice
    );
    for what in &found.told {
        let _ = writeln!(out, "    {what}");
    }
}

fn recomputed(out: &mut String, found: &Recomputed) {
    let row = |out: &mut String, name: &str, of: &OfAction| {
        let OfAction { cards, agree, differ, not_frozen } = of;
        let _ = writeln!(
            out,
            "  {name:<14} {cards:>6} cards {agree:>8} figures agree {differ:>4} differ {not_frozen:>4} not in the evidence"
        );
    };
    let _ = writeln!(
        out,
        "Recomputed: every card when it was drafted; the log's {} entries hold, {} rows of tables differ from it.",
        found.log_entries, found.tables_differ
    );
    row(out, "all", &found.all);
    for (action, of) in &found.by_action {
        row(out, action, of);
    }
    row(out, "decided, again", &found.decided);
    for what in &found.told {
        let _ = writeln!(out, "  DIFFERS: {what}");
    }
}
