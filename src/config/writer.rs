//! Which language model the configuration names as a writer: its endpoint, its name and the prompt together.

use super::Config;
use crate::domain::writer::Writer;
use crate::ports::shown_address;
use crate::rules::prompts::DraftPrompt;

impl Config {
    /// The writer that is configured; None where no model is. A model that plays without an endpoint (a bench's cassettes) is none:
    /// nobody but the bench reads what it writes.
    pub fn writer(&self) -> Option<Writer> {
        self.writer_with(&self.rules.prompt)
    }

    /// The same model with another prompt.
    pub fn writer_with(&self, prompt: &DraftPrompt) -> Option<Writer> {
        // Whatever the adapter takes for an endpoint is one here: what can be asked has to earn its words.
        if self.model.base_url.is_empty() {
            return None;
        }
        let address = self.model.base_url.trim();
        let whole = without_credentials(address);
        let shown = shown_address(&whole);
        Some(Writer::new(&shown, &whole, &self.model.name, &prompt.card().version, prompt.hash()))
    }
}

/// Another key at the same address is the same endpoint: who may ask is no part of who answers.
fn without_credentials(address: &str) -> String {
    let address = address.split(['?', '#']).next().unwrap_or(address).trim_end_matches('/');
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{}://{}{path}", scheme.to_lowercase(), host.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(url: &str, name: &str) -> Config {
        let mut config = Config::load_from(None, &[]).unwrap();
        config.model.base_url = url.to_owned();
        config.model.name = name.to_owned();
        config
    }

    #[test]
    fn a_key_makes_no_other_writer_and_a_path_does() {
        let id = |url: &str| configured(url, "m").writer().unwrap().id();
        assert_eq!(id("https://ada:s3cret@Models.example/v1/"), id("https://models.example/v1?key=s3cret"));
        assert_ne!(id("https://models.example/v1"), id("https://models.example/v2"));
        let writer = configured("https://ada:s3cret@models.example/s3cret/v1", "m").writer().unwrap();
        assert!(!format!("{writer} {}", writer.asked()).contains("s3cret"), "{writer}");
        assert!(writer.asked().starts_with("m at https://models.example/… #"), "{}", writer.asked());
    }

    #[test]
    fn without_a_model_there_is_no_writer() {
        assert_eq!(configured("", "m").writer(), None);
        assert!(configured("https://models.example", "").writer().is_some(), "what can be asked is a writer");
    }
}
