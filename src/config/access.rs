//! `[identity]`, `[api]`, `[web]` and the people: who may come in, how, and for how long.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{Config, WebConfig};
use crate::domain::policy::Person;
use crate::ports::bare_host;

/// `[identity]`: how long what was given holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdentityConfig {
    pub chat_days: u32,
    pub token_days_max: u32,
    /// Sign-in links and tokens that a command made are in the hands of their people and of nobody else.
    pub links_are_handed_over: bool,
}

/// `[api]`: the JSON API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiConfig {
    pub per_minute: u32,
    pub body_max: usize,
}

impl WebConfig {
    /// Is the page reached by https? Then its cookie must never go over anything else. An address that is open to the
    /// network without https can only be meant for a proxy that speaks it.
    pub fn is_secure(&self) -> bool {
        if !self.base_url.is_empty() {
            return self.base_url.starts_with("https://");
        }
        bare_host(&self.listen).parse::<std::net::IpAddr>().is_ok_and(|ip| !ip.is_loopback())
    }

    /// The address that people are told, without a slash at its end.
    pub fn address(&self) -> String {
        if self.base_url.is_empty() {
            return format!("http://{}", self.listen);
        }
        self.base_url.trim_end_matches('/').to_owned()
    }
}

/// The people of config/default.toml, by id and name: made up, for the demo.
const SAMPLES: [(&str, &str); 4] =
    [("pia", "Pia Planner"), ("ari", "Ari Approver"), ("fay", "Fay Finance"), ("dan", "Dan Director")];

impl Config {
    /// What everybody has to know where a real ERP is read and the people who may decide are still the samples; None where
    /// they are not.
    pub fn warning_of_samples(&self) -> Option<String> {
        let samples: Vec<&str> = self.people.iter().filter(|p| is_sample(p)).map(|p| p.name.as_str()).collect();
        if self.odoo.url.is_empty() || samples.is_empty() {
            return None;
        }
        Some(format!(
            "{} are Reeve's sample people, and they can approve here: whoever makes a sign-in link in one of their names \
             decides. Name your own people under [[people]] in a configuration file (README, \"Point it at your Odoo\")",
            samples.join(", ")
        ))
    }

    /// Are all people made up?
    pub fn has_only_samples(&self) -> bool {
        self.people.iter().all(is_sample)
    }
}

fn is_sample(person: &Person) -> bool {
    SAMPLES.iter().any(|(id, name)| person.id.as_str() == *id && person.name == *name)
}

/// What can not be, with its key.
pub(super) fn check(config: &Config) -> Result<(), (&'static str, String)> {
    let bad = |key, message: &str| Err((key, message.to_owned()));
    if !(1..=3650).contains(&config.identity.chat_days) || !(1..=3650).contains(&config.identity.token_days_max) {
        return bad("identity.chat_days, identity.token_days_max", "must be 1 to 3650: nothing is given for ever");
    }
    if config.api.per_minute == 0 || config.api.body_max < 1024 {
        return bad("api.per_minute, api.body_max", "must be at least 1, and 1024 bytes");
    }
    let base = &config.web.base_url;
    let rest = base.strip_prefix("https://").or_else(|| base.strip_prefix("http://"));
    let is_base = rest.is_some_and(|rest| {
        let host = rest.trim_end_matches('/');
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
    });
    if !base.is_empty() && !is_base {
        return bad("web.base_url", "must be https://HOST or http://HOST, with a port where needed and no path");
    }
    people(config)
}

/// One person is one entry: whoever stands twice could approve what they edited, or sign twice.
fn people(config: &Config) -> Result<(), (&'static str, String)> {
    let (mut ids, mut erp_users) = (BTreeSet::new(), BTreeSet::new());
    for person in &config.people {
        let id = person.id.as_str();
        if id.is_empty() || id.len() > 60 || id.contains(|c: char| c == ':' || c.is_whitespace() || c.is_control()) {
            return Err(("people.id", format!("{id:?} must be 1 to 60 letters, without a colon or a space")));
        }
        if id.eq_ignore_ascii_case("cli") {
            return Err(("people.id", "\"cli\" is what the audit log calls the command line; take another".to_owned()));
        }
        // `Ari` and `ari` are one for every reader of the audit log.
        if !ids.insert(id.to_lowercase()) {
            return Err(("people.id", format!("{id:?} is there twice")));
        }
        let erp_user = person.erp_user.trim();
        if !erp_user.is_empty() && !erp_users.insert(erp_user.to_lowercase()) {
            let message =
                format!("{erp_user:?} is there twice, the second time for {id:?}: one user of the ERP is one person");
            return Err(("people.erp_user", message));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("reeve.toml");
        std::fs::write(&file, text).unwrap();
        Config::load_from(Some(&file), &[]).map_err(|error| error.to_string())
    }

    fn person(id: &str, erp_user: &str) -> String {
        format!("[[people]]\nid = {id:?}\nname = \"N\"\nroles = [\"planner\"]\ntier = 0\nerp_user = {erp_user:?}\n")
    }

    #[test]
    fn sample_people_are_warned_of_where_a_real_erp_is_read() {
        let defaults = Config::load_from(None, &[]).unwrap();
        let named: Vec<_> = defaults.people.iter().map(|p| (p.id.as_str(), p.name.as_str())).collect();
        assert_eq!(named, SAMPLES);
        assert_eq!(defaults.warning_of_samples(), None, "the demo's people are meant to be used");
        let live = "[odoo]\nurl = \"https://erp.example.com\"\ndatabase = \"d\"\nuser = \"u\"\napi_key = \"k\"\n";
        let said = load(live).unwrap().warning_of_samples().unwrap();
        assert!(said.starts_with("Pia Planner, Ari Approver, Fay Finance, Dan Director are"), "{said}");
        assert_eq!(load(&format!("{live}{}", person("ada", ""))).unwrap().warning_of_samples(), None);
        assert_eq!(load(&format!("{live}{}", person("ari", ""))).unwrap().warning_of_samples(), None, "another Ari");
    }

    #[test]
    fn one_person_is_one_entry() {
        assert!(load(&[person("ada", "7"), person("bob", "")].concat()).is_ok());
        assert!(load(&[person("ada", ""), person("bob", "")].concat()).is_ok(), "nobody's user is nobody's");
        for (twice, key) in [
            ([person("ada", ""), person("ada", "")], "people.id"),
            ([person("ada", ""), person("Ada", "")], "people.id"),
            ([person("ada", "7"), person("bob", "7")], "people.erp_user"),
            ([person("ada", "Ada@x.example"), person("bob", "ada@X.example ")], "people.erp_user"),
            ([person("ada", ""), person("stage:x", "")], "people.id"),
            ([person("ada", ""), person("cli", "")], "people.id"),
            ([person("ada", ""), person("a b", "")], "people.id"),
        ] {
            let error = load(&twice.concat()).unwrap_err();
            assert!(error.contains(key), "{error}");
        }
    }

    #[test]
    fn the_cookie_is_secure_wherever_the_page_leaves_the_machine() {
        let web = |listen: &str, base_url: &str| {
            let (listen, base_url) = (listen.to_owned(), base_url.to_owned());
            WebConfig { listen, base_url, ..Config::load_from(None, &[]).unwrap().web }.is_secure()
        };
        for (listen, base_url) in
            [("0.0.0.0:80", ""), ("10.0.0.1:8087", ""), ("[::]:80", ""), ("127.0.0.1:80", "https://reeve.example")]
        {
            assert!(web(listen, base_url), "{listen} {base_url}");
        }
        for (listen, base_url) in
            [("127.0.0.1:8087", ""), ("localhost:80", ""), ("[::1]:80", ""), ("0.0.0.0:80", "http://reeve.lan")]
        {
            assert!(!web(listen, base_url), "{listen} {base_url}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_refused() {
        for base in ["reeve.example", "ftp://x", "https://", "https://x/path", "https://u@x", "https://x?y", "https://x y"] {
            let error = load(&format!("[web]\nbase_url = {base:?}\n")).unwrap_err();
            assert!(error.contains("web.base_url"), "{error}");
        }
        assert_eq!(load("[web]\nbase_url = \"https://x.example:8443/\"\n").unwrap().web.address(), "https://x.example:8443");
        assert!(load("[identity]\nchat_days = 0\n").is_err());
        assert!(load("[api]\nper_minute = 0\n").is_err());
    }
}
