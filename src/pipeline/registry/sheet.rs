//! The sheet of a version that was trained here: its name, its recipe, and a card that says what is known of it.

use super::program::sha256;
use crate::domain::model::{ModelKind, ModelName, ModelSheet, Recipe};
use crate::models::demand::detector::Detector as DemandDetector;
use crate::models::receiving::Detector as ReceivingDetector;

/// The sheet of parameters.
///
/// # Errors
/// When they are no detector of the kind.
pub fn sheet_of(kind: ModelKind, parameters: &str, recipe: Recipe) -> anyhow::Result<ModelSheet> {
    let version = match kind {
        ModelKind::Demand => DemandDetector::from_json(parameters)?.version(),
        ModelKind::Receiving => ReceivingDetector::from_json(parameters)?.version(),
    };
    let name = ModelName { kind, version };
    let card = card(&name, &recipe);
    Ok(ModelSheet { card, sha256: sha256(Some(parameters)), name, recipe })
}

fn card(name: &ModelName, recipe: &Recipe) -> String {
    let learned = recipe.learned_from.as_ref().map_or_else(
        || "It learned from nothing else.".to_owned(),
        |from| format!("It learned on from {from}, whose trees stand beside its own with equal say."),
    );
    let data = if recipe.data_hash.is_empty() { "not kept" } else { recipe.data_hash.as_str() };
    format!(
        "# Card: {name}\n\n\
         **What it is.** A detector of {kind} of the kind that the card `models/{kind}.md` describes, with parameters of its own.\n\n\
         **What it is fitted on.** {trained_on}; seed {seed}; hash of the data {data}; by version {program} of the program. {learned} \
         The same recipe on the same data gives the same version.\n\n\
         **How well.** `reeve models card {name}` lists its validations beside what ran then.\n\n\
         **When not to trust it.** What it learned to find is what was put into its data; what was odd there without anybody \
         knowing it learned as usual. Its probabilities hold where exceptions are as common as they were there. All that the card \
         of its kind says holds for it too.\n",
        kind = name.kind,
        trained_on = recipe.trained_on,
        seed = recipe.seed,
        program = recipe.program,
    )
}
