//! What is true of the tree itself, held by tests.
//!
//! Each rule is a function from texts to the list of what is wrong, so that it can be shown to fail on a made-up bad
//! text; its test then runs it on the real files. A rule says what to do, not only what is wrong.

mod layers;
mod licences;
mod rust_text;
mod texts;

use std::fs;
use std::path::{Path, PathBuf};

/// A text file of the tree.
struct File {
    /// Relative to the root, with forward slashes: `src/domain/money.rs`.
    path: String,
    text: String,
}

impl File {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), text: text.to_owned() }
    }

    fn ends_in(&self, extension: &str) -> bool {
        Path::new(&self.path).extension().is_some_and(|found| found == extension)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the tree, by path. What .gitignore names and what is no text is left out.
fn tree() -> Vec<File> {
    let ignored = fs::read_to_string(root().join(".gitignore")).expect(".gitignore is there");
    let ignored: Vec<&str> = ignored.lines().map(|line| line.trim().trim_matches('/')).collect();
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the tree can be read") {
            let entry = entry.expect("an entry of the tree can be read");
            let name = entry.file_name().into_string().expect("file names of the tree are UTF-8");
            if name == ".git" || ignored.contains(&name.as_str()) {
                continue;
            }
            let kind = entry.file_type().expect("an entry of the tree has a type");
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                let bytes = fs::read(entry.path()).expect("a file of the tree can be read");
                if let Ok(text) = String::from_utf8(bytes) {
                    let path = entry.path().strip_prefix(root()).expect("it was found below the root").to_owned();
                    files.push(File { path: path.to_str().expect("built of UTF-8 names").replace('\\', "/"), text });
                }
            }
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// The Rust files below one of `folders` (`src/`, `tests/`).
fn rust_files(folders: &[&str]) -> Vec<File> {
    let mut files = tree();
    files.retain(|file| file.ends_in("rs") && folders.iter().any(|folder| file.path.starts_with(folder)));
    assert!(!files.is_empty(), "no Rust files below {folders:?}: this test looks at the wrong place");
    files
}

/// Fails with one line for each problem.
#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n\n{}\n", problems.join("\n"));
}

/// Shows that a rule can fail: it must find exactly one problem, and name `named` in it.
#[track_caller]
fn assert_one(problems: &[String], named: &str) {
    assert_eq!(problems.len(), 1, "one problem was planted, found were: {problems:#?}");
    assert!(problems[0].contains(named), "{:?} does not name {named:?}", problems[0]);
}
