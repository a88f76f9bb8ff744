//! How our HTML templates are set up: every value is escaped, and blocks leave no empty lines behind.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value, escape_formatter};

/// An environment of built-in templates, each a name and its source.
///
/// # Panics
/// If a template does not parse: they are compiled in, and tests load every one.
pub(crate) fn html_templates(sources: &[(&'static str, &'static str)]) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_formatter(put);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the default delimiters differ from each other"));
    for (name, source) in sources {
        environment.add_template(name, source).expect("the built-in templates are tested");
    }
    environment
}

/// Puts a value into a page. Texts are escaped for elements and for quoted attributes, which is all our templates have.
///
/// The library's own way escapes `/` too. Nothing needs it there, and it would make each address of a mail five characters longer a
/// slash, and one that filters against unwanted mail do not read.
fn put(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let plain = *state.auto_escape() == AutoEscape::Html && value.kind() == ValueKind::String && !value.is_safe();
    let Some(text) = value.as_str().filter(|_| plain) else { return escape_formatter(out, state, value) };
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, from) = rest.split_at(at);
        out.write_str(before)?;
        out.write_str(match from.as_bytes()[0] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#x27;",
        })?;
        rest = &from[1..];
    }
    Ok(out.write_str(rest)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_can_not_leave_their_place_and_addresses_stay_readable() {
        let environment = html_templates(&[("t", "<a title=\"{{ a }}\">{{ a }}</a>{{ n }}{{ s|safe }}")]);
        let values = minijinja::context! { a => "</a>\"'&https://x.example/y", n => 1.5, s => "<b>" };
        let written = environment.get_template("t").unwrap().render(values).unwrap();
        let text = "&lt;/a&gt;&quot;&#x27;&amp;https://x.example/y";
        assert_eq!(written, format!("<a title=\"{text}\">{text}</a>1.5<b>"));
    }
}
