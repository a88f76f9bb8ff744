//! The page's templates, compiled in. Every value is escaped; only the chart, which we draw ourselves, is put in as it is.

use std::sync::LazyLock;

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use super::assets;
use crate::render::html_templates;

static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = html_templates(&[
        ("base.html", include_str!("templates/base.html")),
        ("message.html", include_str!("templates/message.html")),
        ("sign_in.html", include_str!("templates/sign_in.html")),
        ("look.html", include_str!("templates/look.html")),
        ("queue.html", include_str!("templates/queue.html")),
        ("rows.html", include_str!("templates/rows.html")),
        ("item.html", include_str!("templates/item.html")),
        ("suppliers.html", include_str!("templates/suppliers.html")),
        ("supplier.html", include_str!("templates/supplier.html")),
        ("case.html", include_str!("templates/case.html")),
        ("batch.html", include_str!("templates/batch.html")),
        ("batch_done.html", include_str!("templates/batch_done.html")),
        ("modes.html", include_str!("templates/modes.html")),
        ("mutes.html", include_str!("templates/mutes.html")),
        ("digests.html", include_str!("templates/digests.html")),
        ("digest.html", include_str!("templates/digest.html")),
        ("audit.html", include_str!("templates/audit.html")),
        ("outbox.html", include_str!("templates/outbox.html")),
        ("policy.html", include_str!("templates/policy.html")),
        ("stop.html", include_str!("templates/stop.html")),
        ("me.html", include_str!("templates/me.html")),
        ("kpi.html", include_str!("templates/kpi.html")),
        ("health.html", include_str!("templates/health.html")),
    ]);
    environment.add_global("assets", Serde(assets::links()));
    environment.add_filter("drawn", |svg: String| minijinja::Value::from_safe_string(svg));
    environment
});

/// Renders a built-in template.
///
/// # Errors
/// A template that does not fit its values: a fault of ours, reported by the caller.
pub(super) fn render(name: &str, values: &impl Serialize) -> Result<String, minijinja::Error> {
    TEMPLATES.get_template(name)?.render(Serde(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses_and_none_has_a_style_or_a_script_of_its_own_in_it() {
        for (name, template) in TEMPLATES.templates() {
            // The frame loads the one script that there is, from its own address; nothing runs that stands in a page.
            let ours = r#"<script src="{{ assets.script.href }}" integrity="{{ assets.script.integrity }}"></script>"#;
            let source = template.source().replace(ours, "");
            for own in [" style=", "<script", "<style", " onclick=", " onload=", " onsubmit=", " onchange=", " onkey"] {
                assert!(!source.contains(own), "{name} has {own}");
            }
            assert!(!source.contains("|safe") && !source.contains("| safe"), "{name}");
        }
    }

    #[test]
    fn values_are_escaped() {
        let page = serde_json::json!({ "shell": { "title": "<b>\"x\"</b>" }, "message": "<script>alert(1)</script>" });
        let page = render("message.html", &page).unwrap();
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>") && page.contains("&lt;b&gt;&quot;x&quot;"));
    }
}
