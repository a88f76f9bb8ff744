//! What Reeve is built from: only crates from crates.io, only under the licences that deny.toml allows.
//!
//! cargo-deny says more (advisories, yanked crates); this says the part that must hold on every machine.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{assert_none, assert_one, root};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// deny.toml's answer for each crate.
struct Allowed {
    everywhere: BTreeSet<String>,
    exceptions: BTreeMap<String, BTreeSet<String>>,
}

impl Allowed {
    fn read(deny: &str) -> Self {
        let deny: toml::Table = deny.parse().expect("deny.toml is TOML");
        let list = |value: Option<&toml::Value>| -> BTreeSet<String> {
            let list = value.and_then(toml::Value::as_array).expect("deny.toml: `allow` is a list");
            list.iter().map(|licence| licence.as_str().expect("deny.toml: a licence is a text").to_owned()).collect()
        };
        let licenses = deny.get("licenses").expect("deny.toml has a section [licenses]");
        let exceptions = licenses.get("exceptions").and_then(toml::Value::as_array).cloned().unwrap_or_default();
        let exceptions = exceptions.iter().map(|exception| {
            let name =
                exception.get("crate").and_then(toml::Value::as_str).expect("deny.toml: an exception names its crate");
            (name.to_owned(), list(exception.get("allow")))
        });
        Self { everywhere: list(licenses.get("allow")), exceptions: exceptions.collect() }
    }

    fn allows(&self, name: &str, licence: &str) -> bool {
        self.everywhere.contains(licence) || self.exceptions.get(name).is_some_and(|more| more.contains(licence))
    }
}

/// Whether an SPDX expression can be met: `(MIT OR Apache-2.0) AND Unicode-3.0`. `/` is an old way to write OR, a
/// licence `WITH` an exception counts as one licence of that long name.
fn is_met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ").replace(" WITH ", "\u{1}WITH\u{1}");
    let words: Vec<String> = spaced.split_whitespace().map(|word| word.replace('\u{1}', " ")).collect();
    let mut at = 0;
    let met = any_of(&words, &mut at, allowed)?;
    if at == words.len() { Ok(met) } else { Err(format!("`{}` was not expected in `{expression}`", words[at])) }
}

fn any_of(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let mut met = all_of(words, at, allowed)?;
    while words.get(*at).is_some_and(|word| word == "OR") {
        *at += 1;
        met |= all_of(words, at, allowed)?;
    }
    Ok(met)
}

fn all_of(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let mut met = one(words, at, allowed)?;
    while words.get(*at).is_some_and(|word| word == "AND") {
        *at += 1;
        met &= one(words, at, allowed)?;
    }
    Ok(met)
}

fn one(words: &[String], at: &mut usize, allowed: &dyn Fn(&str) -> bool) -> Result<bool, String> {
    let word = words.get(*at).ok_or("the expression ends too early")?;
    *at += 1;
    if word != "(" {
        return Ok(allowed(word));
    }
    let met = any_of(words, at, allowed)?;
    if words.get(*at).is_none_or(|word| word != ")") {
        return Err("a parenthesis is not closed".to_owned());
    }
    *at += 1;
    Ok(met)
}

fn licence_problems(metadata: &Value, allowed: &Allowed) -> Vec<String> {
    let mut problems = Vec::new();
    for package in metadata["packages"].as_array().expect("cargo metadata lists packages") {
        let name = package["name"].as_str().expect("a package has a name");
        let Some(licence) = package["license"].as_str() else {
            problems.push(format!("{name} states no licence; find out which it is before it is used"));
            continue;
        };
        match is_met(licence, &|licence| allowed.allows(name, licence)) {
            Ok(true) => {}
            Ok(false) => problems.push(format!(
                "{name} is under {licence}, which deny.toml does not allow; do without it, or decide so there"
            )),
            Err(error) => problems.push(format!("{name}: its licence expression is not understood: {error}")),
        }
    }
    problems
}

/// Cargo.lock names the packages of every platform, not only of this one.
fn source_problems(lock: &str) -> Vec<String> {
    let lock: toml::Table = lock.parse().expect("Cargo.lock is TOML");
    let packages = lock.get("package").and_then(toml::Value::as_array).expect("Cargo.lock lists packages");
    let text = |package: &toml::Value, key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
    packages
        .iter()
        .filter_map(|package| Some((text(package, "name")?, text(package, "source")?)))
        .filter(|(_, source)| source != CRATES_IO)
        .map(|(name, source)| format!("{name} comes from {source}; use a release from crates.io"))
        .collect()
}

#[expect(clippy::disallowed_methods, reason = "cargo knows the tree of dependencies; Reeve itself starts no program")]
fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(program);
    let output =
        command.args(arguments).current_dir(root()).stdin(Stdio::null()).output().expect("cargo and rustc are installed");
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("cargo and rustc write UTF-8")
}

#[test]
fn every_licence_is_allowed_by_deny_toml() {
    // Only this platform's crates: others are not on this machine, and offline is the point.
    let about = run("rustc", &["-vV"]);
    let host = about.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc -vV names the host");
    let metadata =
        run(env!("CARGO"), &["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host]);
    let metadata: Value = serde_json::from_str(&metadata).expect("cargo metadata writes JSON");
    assert!(metadata["packages"].as_array().is_some_and(|packages| packages.len() > 100), "this is not the whole tree");
    let deny = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml is there");
    assert_none(&licence_problems(&metadata, &Allowed::read(&deny)));
}

#[test]
fn every_dependency_comes_from_crates_io() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is there");
    assert_none(&source_problems(&lock));
}

#[test]
fn a_licence_that_is_not_allowed_is_found() {
    let deny = "[licenses]\nallow = ['MIT', 'ISC']\n[[licenses.exceptions]]\ncrate = 'webdriver'\nallow = ['MPL-2.0']";
    let of = |name: &str, licence: Value| {
        licence_problems(&serde_json::json!({ "packages": [{ "name": name, "license": licence }] }), &Allowed::read(deny))
    };
    assert_none(&of("webdriver", "MPL-2.0".into()));
    assert_one(&of("other", "MPL-2.0".into()), "other is under MPL-2.0");
    assert_one(&of("other", "MIT AND (".into()), "not understood");
    assert_one(&of("other", "MIT ISC".into()), "not understood");
    assert_one(&of("other", Value::Null), "states no licence");
    for (licence, met) in [
        ("MIT/Apache-2.0", true),
        ("Apache-2.0 / MIT", true),
        ("Apache-2.0 AND ISC", false),
        ("(GPL-3.0 OR MIT) AND ISC", true),
        ("GPL-3.0 OR MIT AND BSD-3-Clause", false),
        ("MIT WITH LLVM-exception", false),
        ("Apache-2.0 WITH LLVM-exception OR MIT", true),
    ] {
        assert_eq!(of("other", licence.into()).is_empty(), met, "{licence}");
    }
}

#[test]
fn a_crate_from_elsewhere_is_found() {
    let lock = format!("[[package]]\nname = 'a'\nsource = '{CRATES_IO}'\n[[package]]\nname = 'me'\n");
    assert_none(&source_problems(&lock));
    assert_one(
        &source_problems(&format!("{lock}[[package]]\nname = 'b'\nsource = 'git+https://example.org/b'\n")),
        "b comes from git",
    );
}
