//! `[memory.qdrant]`: where the server is, and how it is asked.

use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use reeve_domain::setting::duration;
use reeve_ports::shown_address;

/// `[memory.qdrant]`: a Qdrant server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QdrantConfig {
    /// The address of its gRPC port: `https://qdrant.example.com:6334`.
    pub url: String,
    /// Its API key; empty where it asks for none.
    pub api_key: SecretString,
    /// File that holds the key. Whoever reads the configuration puts it into `api_key`.
    pub api_key_file: String,
    /// File with certificates (PEM) to trust beside the system's; empty: the system's only.
    pub ca_file: String,
    /// What the names of collections begin with, and the alias of the one in use.
    pub collection: String,
    /// How long one question may take, connecting included.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
}

impl std::fmt::Debug for QdrantConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QdrantConfig")
            .field("url", &shown_address(&self.url))
            .field("collection", &self.collection)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_reads_back_and_its_key_is_shown_nowhere() {
        let section = r#"
            url = "https://me:s3cret@qdrant.example.com:6334"
            api_key = "s3cret"
            api_key_file = ""
            ca_file = ""
            collection = "reeve_memory"
            timeout = "5s"
        "#;
        let config: QdrantConfig = toml::from_str(section).unwrap();
        assert_eq!(config.timeout, Duration::from_secs(5));
        assert!(!format!("{config:?}").contains("s3cret"));
        assert!(toml::from_str::<QdrantConfig>(&format!("{section}\nport = 6334")).is_err());
    }
}
