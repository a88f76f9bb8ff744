//! A card that was wrong on purpose (handbook §10): called so once it has been answered or taken back, and not before, for
//! whoever may run the command may also be the one who is to find out.

use anyhow::Context;

use crate::domain::recommendation::Recommendation;
use crate::rules::recompute::{Line, Verdict};
use crate::store::Store;

/// The action, held against the true one.
const ACTION: &str = "action";

/// Figures that a drill plants wrong. Whatever else differs was not planted.
const PLANTED: [&str; 5] = [ACTION, "quantity", "place", "value for limits", "numbers in the summary"];

/// What was wrong in the card, where it is known as a drill; its wrong lines are then marked as planted.
pub(super) async fn reveal(store: &Store, rec: &Recommendation, lines: &mut Vec<Line>) -> anyhow::Result<Option<String>> {
    let drill = store.find_drill(&rec.id).await.context("looking whether the card was a drill")?;
    let Some(drill) = drill.filter(|drill| drill.end.is_some()) else { return Ok(None) };
    let (true_one, _) = store.get_recommendation(&drill.instead_of).await.context("reading the card that it stood for")?;
    let from = format!("the card that it stood for, {}", true_one.id);
    lines.push(Line::same(ACTION, &rec.candidate.summary, &true_one.candidate.summary, from));
    for line in lines.iter_mut().filter(|line| line.verdict == Verdict::Differs && PLANTED.contains(&line.figure.as_str())) {
        line.verdict = Verdict::Planted;
    }
    Ok(Some(drill.what))
}
