//! The digest as one self-contained HTML document for e-mail: tables and inline styles, nothing loaded from anywhere. What is mailed also has
//! pictures, which the mail brings along, and links.

use std::sync::LazyLock;

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::templates::html_templates;
use super::{anchor, below, marks, origin, plain, pressing, title, unlinked};
use crate::domain::digest::{Digest, DigestLine};

static TEMPLATES: LazyLock<Environment<'static>> =
    LazyLock::new(|| html_templates(&[("digest.html", include_str!("digest.html"))]));

/// The whole mail, ready to be put into the template.
#[derive(Serialize)]
struct Page {
    day: String,
    title: String,
    origin: String,
    unread: Vec<String>,
    currency: String,
    rows: Vec<Row>,
    below: String,
    lists: Vec<(&'static str, Vec<String>)>,
    anchor: String,
}

/// One case, ready to be put into the template.
#[derive(Serialize)]
struct Row {
    place: u32,
    headline: String,
    subject: String,
    codes: Vec<String>,
    marks: Vec<&'static str>,
    at_stake: String,
    worth: String,
    low: String,
    high: String,
    deadline: String,
    left: String,
    action: String,
    recommendation: String,
    why: String,
    note: Option<String>,
    alternatives: Vec<String>,
    #[serde(flatten)]
    pictured: Pictured,
}

/// What a mail shows beside a case.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Pictured {
    /// Its page.
    pub link: Option<String>,
    /// By which name the mail brings its chart along.
    pub cid: Option<String>,
    /// What the chart shows, for who does not see it.
    pub alt: String,
    /// What the chart is of, and what is drawn how.
    pub caption: String,
}

impl Row {
    fn of(line: &DigestLine, pictured: Pictured, said: fn(&str) -> String) -> Self {
        Self {
            pictured: Pictured { alt: said(&pictured.alt), caption: said(&pictured.caption), ..pictured },
            place: line.place,
            headline: said(&line.headline),
            subject: said(&line.subject),
            codes: line.codes.iter().map(|c| said(c)).collect(),
            marks: marks(line),
            at_stake: line.at_stake.to_string(),
            worth: line.value.expected.to_string(),
            low: line.value.low.to_string(),
            high: line.value.high.to_string(),
            deadline: line.deadline.to_string(),
            left: pressing(line.slack_days, line.value.expected, line.wait_cost),
            action: said(&line.action),
            recommendation: said(&line.recommendation),
            why: said(&line.why),
            note: line.note.as_deref().map(said),
            alternatives: line.alternatives.iter().map(|a| said(a)).collect(),
        }
    }
}

/// The digest as HTML for e-mail. Text from outside is escaped.
pub fn html(digest: &Digest) -> String {
    page(digest, |_| Pictured::default(), plain)
}

/// The same with what a mail shows beside each case. Besides the links to cases there is none, whatever somebody outside wrote.
pub fn html_with(digest: &Digest, pictured: impl Fn(&DigestLine) -> Pictured) -> String {
    page(digest, pictured, |text| unlinked(&plain(text)))
}

fn page(digest: &Digest, pictured: impl Fn(&DigestLine) -> Pictured, said: fn(&str) -> String) -> String {
    let all = |lines: &[String]| lines.iter().map(|line| said(line)).collect::<Vec<_>>();
    let explained: Vec<String> =
        digest.explained.iter().map(|e| format!("{}: {} ({})", said(&e.code), said(&e.headline), said(&e.reason))).collect();
    let lists = [
        ("Whose cases", all(&digest.planners)),
        ("Looks odd, is explained", explained),
        ("Muted and proposed", all(&digest.noise)),
        ("Decided since the last digest", all(&digest.decided)),
        ("Health", all(&digest.health)),
    ];
    TEMPLATES
        .get_template("digest.html")
        .and_then(|template| {
            template.render(Serde(Page {
                day: digest.day.to_string(),
                title: said(&title(digest)),
                origin: said(&origin(digest)),
                unread: all(&digest.unread),
                currency: said(&digest.currency),
                rows: digest.lines.iter().map(|line| Row::of(line, pictured(line), said)).collect(),
                below: said(&below(digest)),
                lists: lists.into_iter().filter(|(_, lines)| !lines.is_empty()).collect(),
                anchor: said(&anchor(digest)),
            }))
        })
        .expect("the built-in template takes every digest")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{quiet, sample};
    use super::*;

    #[test]
    fn the_mail_is_as_it_was() {
        insta::assert_snapshot!("digest_html", html(&sample()));
        insta::assert_snapshot!("quiet_html", html(&quiet()));
    }

    #[test]
    fn what_is_mailed_has_pictures_of_its_own_and_links_and_is_else_the_same() {
        let picture = |line: &DigestLine| Pictured {
            link: Some(format!("https://reeve.example.com/cases/{}?a=\"b", line.case_id)),
            cid: (line.place == 1).then(|| "chart-1@example.com".to_owned()),
            alt: "Highest: 3 < 4".to_owned(),
            caption: "Units sold (bars: sold)".to_owned(),
        };
        let page = html_with(&sample(), picture);
        assert_eq!(page.matches("src=\"cid:chart-1@example.com\"").count(), 1);
        assert!(page.contains("alt=\"Highest: 3 &lt; 4\""));
        assert_eq!(page.matches("<a href=\"https:").count(), sample().lines.len());
        assert!(!page.contains("a=\"b"), "what is in a link stays in it");
        let bare = |line: &DigestLine| Pictured { alt: line.headline.clone(), ..Pictured::default() };
        let same = html(&sample()).replace("http://evil.example", "http[:]//evil[.]example");
        assert_eq!(html_with(&sample(), bare), same, "but for what somebody outside would have made a link");
    }

    #[test]
    fn text_from_outside_makes_no_tag_and_nothing_is_loaded() {
        let page = html(&sample());
        assert!(!page.contains("<script"));
        assert!(page.contains("&lt;script&gt;"));
        assert!(!page.contains("src=") && !page.contains("<link") && !page.contains("url("));
    }
}
