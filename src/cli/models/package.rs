//! A version as a folder, `models/<detector>/<version>`: parameters, card, recipe, calibration and measures, with their checksums.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::create;
use crate::domain::model::{ModelName, ModelSheet, Recipe, Validation};
use crate::pipeline::registry::program::sha256;
use crate::pipeline::registry::{Loaded, read};

const PARAMETERS: &str = "parameters.json";
const CARD: &str = "card.md";
const RECIPE: &str = "recipe.json";
const CALIBRATION: &str = "calibration.json";
const METRICS: &str = "metrics.json";
const SUMS: &str = "SHA256SUMS";

/// What a recipe's file holds.
#[derive(serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: ModelName,
    recipe: Recipe,
}

/// Writes a version below `out`. Answers its folder. The same version gives the same files.
pub(super) fn write(
    out: &Path,
    sheet: &ModelSheet,
    parameters: Option<&str>,
    validations: &[Validation],
) -> anyhow::Result<PathBuf> {
    let folder = out.join(sheet.name.kind.name()).join(&sheet.name.version);
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make the folder {}", folder.display()))?;
    let named = Named { name: sheet.name.clone(), recipe: sheet.recipe.clone() };
    let mut files = BTreeMap::from([
        (CARD, sheet.card.clone()),
        (RECIPE, serde_json::to_string_pretty(&named)? + "\n"),
        (METRICS, serde_json::to_string_pretty(validations)? + "\n"),
    ]);
    if let Some(parameters) = parameters {
        files.insert(PARAMETERS, parameters.to_owned());
        if let Some(calibration) = calibration(&sheet.name, parameters)? {
            files.insert(CALIBRATION, calibration + "\n");
        }
    }
    let mut sums = String::new();
    for (name, text) in &files {
        let _ = writeln!(sums, "{}  {name}", sha256(Some(text)));
    }
    files.insert(SUMS, sums);
    for (name, text) in &files {
        let path = folder.join(name);
        let mut file = create(&path)?;
        let written = file.write_all(text.as_bytes()).and_then(|()| file.flush());
        written.with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(folder)
}

/// How its scores become probabilities, for whoever wants to draw it; what the program reads stands in the parameters.
fn calibration(name: &ModelName, parameters: &str) -> anyhow::Result<Option<String>> {
    match read(name, parameters).map_err(|why| anyhow::anyhow!("{name}: {why}"))? {
        Loaded::Demand(model) => Ok(model.detector().calibration().map(serde_json::to_string_pretty).transpose()?),
        Loaded::Receiving(scorer) => {
            let pair = scorer.detector().calibration();
            Ok(pair.map(|(slope, offset)| format!("{{\n  \"slope\": {slope},\n  \"offset\": {offset}\n}}")))
        }
    }
}

/// Reads a folder that [`write`] wrote: the sheet and the parameters.
pub(super) fn read_folder(folder: &Path) -> anyhow::Result<(ModelSheet, String)> {
    let text = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).with_context(|| format!("can not read {}", path.display()))
    };
    for line in text(SUMS)?.lines() {
        let (sum, name) = line.split_once("  ").with_context(|| format!("{SUMS}: {line:?} is no checksum and a name"))?;
        // A list of sums that others made must not lead to files elsewhere.
        anyhow::ensure!(!name.contains(['/', '\\']), "{SUMS}: {name:?} is no file of the folder");
        let found = hex::encode(Sha256::digest(text(name)?));
        anyhow::ensure!(found == sum, "{}: {name} does not match its checksum: it was changed", folder.display());
    }
    let named: Named = serde_json::from_str(&text(RECIPE)?).with_context(|| format!("{}: {RECIPE}", folder.display()))?;
    let parameters = text(PARAMETERS)?;
    let sha256 = sha256(Some(&parameters));
    Ok((ModelSheet { name: named.name, recipe: named.recipe, card: text(CARD)?, sha256 }, parameters))
}
