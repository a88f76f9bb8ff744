//! The accepted baseline of a suite: the run that later ones are held to, signed by whoever accepted it.
//!
//! A baseline that nobody signed, or whose signer `evals/signers.toml` does not list, holds nothing: a gate that whoever is stopped
//! by it can lower is none. The key stays with the person; the file holds its public half only.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Context;
use jiff::civil::Date;
use reeve_domain::ids::content_hash;
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde::{Deserialize, Serialize};

use crate::run::SuiteRun;

/// The file's name in a suite's folder.
pub const FILE: &str = "baseline.json";

/// An accepted run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    /// The commit that ran it, as whoever accepted it says.
    pub commit: String,
    /// Who accepted it, as `signers.toml` names them.
    pub by: String,
    /// When.
    pub on: Date,
    /// Why, in a sentence.
    pub words: String,
    /// What was accepted, with its data, prompt and drafter.
    pub run: SuiteRun,
    /// Ed25519 over the hash of all of the above, in hex.
    pub signature: String,
}

/// Who may accept baselines.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signers {
    /// Each with a public key.
    #[serde(default)]
    pub signer: Vec<Signer>,
}

/// One of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The name that baselines say.
    pub name: String,
    /// The public half of the key, in hex.
    pub public: String,
    /// The last day on which the key signs: what was accepted until then holds, later baselines do not. None while it is in use.
    #[serde(default)]
    pub until: Option<Date>,
}

impl Signers {
    /// Reads `signers.toml`; where there is none, nobody may accept anything.
    ///
    /// # Errors
    /// What can not be read.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = std::fs::read_to_string(path).with_context(|| format!("can not read {}", path.display()))?;
        Ok(crate::scenario::parse(path, &text)?)
    }
}

impl Baseline {
    /// Reads a suite's baseline; None where nobody has accepted one yet.
    ///
    /// # Errors
    /// What can not be read.
    pub fn read(suite: &Path) -> anyhow::Result<Option<Self>> {
        let path = suite.join(FILE);
        if !path.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(&path).with_context(|| format!("can not read {}", path.display()))?;
        serde_json::from_str(&text).map(Some).with_context(|| format!("{} is no baseline", path.display()))
    }

    /// What is signed.
    fn content(&self) -> String {
        content_hash(&["reeve baseline", &self.commit, &self.by, &self.on.to_string(), &self.words, &self.run.hash()])
    }

    /// Signs it.
    ///
    /// # Errors
    /// When the key is none.
    pub fn sign(mut self, key: &[u8]) -> anyhow::Result<Self> {
        let pair = Ed25519KeyPair::from_pkcs8(key).map_err(|error| anyhow::anyhow!("the key can not be used: {error}"))?;
        self.signature = hex(pair.sign(self.content().as_bytes()).as_ref());
        Ok(self)
    }

    /// Is it signed by whoever it says, and may they?
    ///
    /// # Errors
    /// Why it holds nothing.
    pub fn verify(&self, signers: &Signers) -> anyhow::Result<()> {
        // Whoever changes keys has two for a while, each with its own days.
        let mine: Vec<&Signer> = signers.signer.iter().filter(|signer| signer.name == self.by).collect();
        anyhow::ensure!(!mine.is_empty(), "{:?} is nobody whom signers.toml lists", self.by);
        let signature = unhex(&self.signature).context("the baseline's signature is no hex")?;
        let in_time: Vec<_> = mine.iter().filter(|signer| signer.until.is_none_or(|until| self.on <= until)).collect();
        anyhow::ensure!(
            !in_time.is_empty(),
            "{:?} signs no baseline of {}: signers.toml lists no key of theirs for that day; list a new one (docs/EVALS.md, Signing keys)",
            self.by,
            self.on
        );
        let holds = in_time.iter().any(|signer| {
            unhex(&signer.public).is_some_and(|public| {
                UnparsedPublicKey::new(&ED25519, public).verify(self.content().as_bytes(), &signature).is_ok()
            })
        });
        anyhow::ensure!(holds, "the baseline is not what {} signed: accept it anew", self.by);
        Ok(())
    }
}

/// A new key: the private half as PKCS #8, and the public one in hex.
///
/// # Errors
/// When the machine gives no randomness.
pub fn new_key() -> anyhow::Result<(Vec<u8>, String)> {
    let private = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|error| anyhow::anyhow!("no key can be made: {error}"))?;
    let public = public_of(private.as_ref())?;
    Ok((private.as_ref().to_vec(), public))
}

/// The public half of a key, in hex.
///
/// # Errors
/// When it is none.
pub fn public_of(private: &[u8]) -> anyhow::Result<String> {
    let pair = Ed25519KeyPair::from_pkcs8(private).map_err(|error| anyhow::anyhow!("the key can not be used: {error}"))?;
    Ok(hex(pair.public_key().as_ref()))
}

/// Bytes in hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text can not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Hex as bytes; None where it is none.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let run = SuiteRun {
            suite: "triage".into(),
            data: "d".into(),
            prompt: "p".into(),
            prompt_version: "1.0.0".into(),
            drafter: "playbook".into(),
            repeats: 1,
            partial: false,
            outcomes: vec![],
        };
        let on = jiff::civil::date(2026, 11, 30);
        Baseline { commit: "abc".into(), by: "mira".into(), on, words: "first".into(), run, signature: String::new() }
    }

    fn signers(name: &str, public: &str) -> Signers {
        Signers { signer: vec![Signer { name: name.into(), public: public.into(), until: None }] }
    }

    #[test]
    fn only_what_a_listed_person_signed_holds() {
        let (private, public) = new_key().unwrap();
        let signed = baseline().sign(&private).unwrap();
        signed.verify(&signers("mira", &public)).unwrap();
        let why = |result: anyhow::Result<()>| result.unwrap_err().to_string();
        assert!(why(signed.verify(&signers("bo", &public))).contains("nobody"));
        let (_, other) = new_key().unwrap();
        assert!(why(signed.verify(&signers("mira", &other))).contains("not what mira signed"));
        let changed = Baseline { commit: "abd".into(), ..signed.clone() };
        assert!(why(changed.verify(&signers("mira", &public))).contains("not what mira signed"));
        let mut lowered = signed;
        lowered.run.repeats = 2;
        assert!(lowered.verify(&signers("mira", &public)).is_err());
        assert!(baseline().verify(&signers("mira", &public)).is_err(), "nobody signed it");
        assert!(baseline().sign(b"no key").is_err());
    }

    #[test]
    fn a_key_is_replaced_by_another_and_what_it_signed_before_holds() {
        let ((old, old_public), (new, new_public)) = (new_key().unwrap(), new_key().unwrap());
        let until = Some(jiff::civil::date(2026, 11, 30));
        let mut signers = signers("mira", &old_public);
        signers.signer[0].until = until;
        baseline().sign(&old).unwrap().verify(&signers).unwrap();
        let later = || Baseline { on: jiff::civil::date(2026, 12, 1), ..baseline() };
        let refused = later().sign(&old).unwrap().verify(&signers).unwrap_err().to_string();
        assert!(refused.contains("no key of theirs for that day"), "{refused}");
        signers.signer.push(Signer { name: "mira".into(), public: new_public, until: None });
        later().sign(&new).unwrap().verify(&signers).unwrap();
        assert!(later().sign(&old).unwrap().verify(&signers).is_err(), "the old key signs nothing new");
        baseline().sign(&old).unwrap().verify(&signers).unwrap();
    }

    #[test]
    fn hex_reads_back() {
        assert_eq!(unhex(&hex(&[0, 255, 16])), Some(vec![0, 255, 16]));
        assert_eq!((unhex("0"), unhex("zz"), unhex("é0")), (None, None, None));
    }
}
