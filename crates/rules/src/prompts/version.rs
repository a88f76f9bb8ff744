//! A prompt's files as one value: those that come with the program, or another version in a folder of one's own.

use std::path::Path;
use std::sync::Arc;

use jiff::civil::Date;
use reeve_domain::ids::content_hash;
use serde::{Deserialize, Serialize};

/// Which version a prompt's files are, as its `prompt.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Card {
    /// The prompt's name.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// The version, as major.minor.patch.
    pub version: String,
    /// What each version changed, the newest one first.
    pub change: Vec<CardChange>,
}

/// What a version changed.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CardChange {
    /// Which version.
    pub version: String,
    /// When.
    pub on: Date,
    /// The hash of the prompt's files at that version.
    pub hash: String,
    /// What.
    pub words: String,
}

/// Why a folder is no prompt.
#[derive(Debug, thiserror::Error)]
pub enum PromptFault {
    /// A file is missing or can not be read.
    #[error("{file} of the prompt can not be read: {why}")]
    Unreadable {
        /// Which file.
        file: String,
        /// Why.
        why: String,
    },
    /// A file does not hold what it must.
    #[error("{file} of the prompt can not be used: {why}")]
    Unusable {
        /// Which file.
        file: &'static str,
        /// Why, and what to do.
        why: String,
    },
}

/// The files of a prompt's folder, in the order in which they are hashed.
pub const FILES: [&str; 4] = ["system.md", "user.md", "form.md", "answer.schema.json"];

/// The prompt of a draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftPrompt(Arc<Files>);

#[derive(Debug, PartialEq, Eq)]
struct Files {
    texts: [String; 4],
    card: Card,
    hash: String,
}

impl DraftPrompt {
    /// The one that comes with the program.
    pub fn shipped() -> Self {
        let texts = [
            include_str!("../../../../prompts/draft/system.md"),
            include_str!("../../../../prompts/draft/user.md"),
            include_str!("../../../../prompts/draft/form.md"),
            include_str!("../../../../prompts/draft/answer.schema.json"),
        ];
        let card = include_str!("../../../../prompts/draft/prompt.toml");
        Self::of(texts.map(str::to_owned), card).expect("a test reads the prompt that is compiled in")
    }

    /// Another version, in a folder with the same files.
    ///
    /// # Errors
    /// The first file that is missing or can not be used.
    pub fn read(folder: &Path) -> Result<Self, PromptFault> {
        let text = |file: &str| {
            let path = folder.join(file);
            std::fs::read_to_string(&path)
                .map_err(|error| PromptFault::Unreadable { file: path.display().to_string(), why: error.to_string() })
        };
        let [system, user, form, schema] = FILES;
        let texts = [text(system)?, text(user)?, text(form)?, text(schema)?];
        Self::of(texts, &text("prompt.toml")?)
    }

    fn of(texts: [String; 4], card: &str) -> Result<Self, PromptFault> {
        let bad = |file: &'static str| move |why: String| PromptFault::Unusable { file, why };
        let card: Card = toml::from_str(card).map_err(|error| bad("prompt.toml")(error.message().to_owned()))?;
        if semver(&card.version).is_none() {
            return Err(bad("prompt.toml")(format!("version {:?} is not major.minor.patch", card.version)));
        }
        let schema: serde_json::Value =
            serde_json::from_str(&texts[3]).map_err(|error| bad("answer.schema.json")(error.to_string()))?;
        // Where the case's own ids go: without these places they would go nowhere.
        for id in ["candidate", "claims"] {
            if schema.pointer(&format!("/properties/choices/items/properties/{id}")).is_none() {
                return Err(bad("answer.schema.json")(format!(
                    "choices have no {id:?}; keep the form of the shipped schema"
                )));
            }
        }
        let hash = content_hash(&texts.each_ref().map(String::as_str));
        Ok(Self(Arc::new(Files { texts, card, hash })))
    }

    /// The hash of its files, whichever of them an endpoint needs.
    pub fn hash(&self) -> &str {
        &self.0.hash
    }

    /// Its version, owner and changes.
    pub fn card(&self) -> &Card {
        &self.0.card
    }

    /// The texts of [`FILES`].
    pub fn texts(&self) -> &[String; 4] {
        &self.0.texts
    }

    /// Does the newest version say the hash of these files? Where not, they were changed without a version of their own.
    pub fn is_as_versioned(&self) -> bool {
        let card = &self.0.card;
        card.change.first().is_some_and(|change| change.version == card.version && change.hash == self.0.hash)
    }
}

impl Default for DraftPrompt {
    fn default() -> Self {
        Self::shipped()
    }
}

/// A version in three numbers.
pub fn semver(version: &str) -> Option<(u32, u32, u32)> {
    let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
    let three = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(three)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_prompt_is_the_version_that_it_says() {
        let prompt = DraftPrompt::shipped();
        assert!(
            prompt.is_as_versioned(),
            "prompts/draft was changed: give it a version (`reeve prompts bump draft`); its hash is {}",
            prompt.hash()
        );
        let versions: Vec<_> = prompt.card().change.iter().map(|change| semver(&change.version)).collect();
        assert!(versions.windows(2).all(|pair| pair[0] > pair[1]), "versions count up: {versions:?}");
    }

    #[test]
    fn a_folder_that_is_no_prompt_says_which_file() {
        let folder = tempfile::tempdir().unwrap();
        let error = DraftPrompt::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("system.md"), "{error}");
        for (file, text) in FILES.iter().zip(DraftPrompt::shipped().texts()) {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let card = "name = 'draft'\nowner = 'us'\nversion = '2.0'\nchange = []\n";
        std::fs::write(folder.path().join("prompt.toml"), card).unwrap();
        let error = DraftPrompt::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("major.minor.patch"), "{error}");
        std::fs::write(folder.path().join("prompt.toml"), card.replace("2.0", "2.0.0")).unwrap();
        let read = DraftPrompt::read(folder.path()).unwrap();
        assert_eq!(read.hash(), DraftPrompt::shipped().hash());
        assert!(!read.is_as_versioned());
        std::fs::write(folder.path().join("answer.schema.json"), "{}").unwrap();
        assert!(DraftPrompt::read(folder.path()).unwrap_err().to_string().contains("candidate"));
    }
}
