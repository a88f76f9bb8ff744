//! A chart as a picture, for where no SVG is shown: mail. It is drawn from the very SVG of the page, so that the two never differ; only the
//! colours, which a page takes from its style sheet, stand here.

use std::sync::LazyLock;

use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{Options, Tree};

/// Printable ASCII of Roboto (`chart_font/ORIGIN.md`): axes have figures and names of months.
const FONT: &[u8] = include_bytes!("chart_font/RobotoChart.ttf");

/// The light colours of the page's style sheet.
const STYLE: &str = "
    text { font-family: Roboto; }
    .grid { stroke: #dbe1dd; stroke-width: 1; }
    .axis { fill: #55625c; font-size: 13px; }
    .band { fill: #cfe3da; }
    .expected { fill: none; stroke: #17634a; stroke-width: 2; stroke-dasharray: 5 4; }
    .actual { fill: #5f7a91; }
    .odd { fill: #c2481b; }
    .promo { fill: #f6e7bf; }
    .out { stroke: #a3261c; stroke-width: 2.2; fill: none; }
    .receipt { fill: #17634a; }
";

/// Dots of the picture for each of the drawing: it stays sharp on a screen that shows it somewhat larger.
const SCALE: f32 = 1.5;

/// Largest side of a picture, in dots: what is larger is no chart of ours.
const SIDE_MAX: f32 = 4_000.0;

static OPTIONS: LazyLock<Options<'static>> = LazyLock::new(|| {
    let mut options =
        Options { font_family: "Roboto".to_owned(), style_sheet: Some(STYLE.to_owned()), ..Options::default() };
    options.fontdb_mut().load_font_data(FONT.to_vec());
    options
});

/// A chart of ours, drawn as PNG on white. None where there is nothing to draw.
pub fn png(svg: &str) -> Option<Vec<u8>> {
    if svg.is_empty() {
        return None;
    }
    let tree = Tree::from_str(svg, &OPTIONS).ok()?;
    let (width, height) = (tree.size().width() * SCALE, tree.size().height() * SCALE);
    if width.max(height) > SIDE_MAX {
        return None;
    }
    let mut picture = Pixmap::new(width.ceil() as u32, height.ceil() as u32)?;
    picture.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut picture.as_mut());
    picture.encode_png().ok()
}

/// What a chart shows, in words: those that the page has for who does not see it.
pub fn in_words(svg: &str) -> String {
    let inside = svg.split_once("<desc").and_then(|(_, rest)| rest.split_once('>')?.1.split_once("</desc>"));
    inside.map_or_else(String::new, |(words, _)| words.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::chart;
    use super::*;

    /// How many dots of a picture have about this colour.
    fn dots(picture: &Pixmap, (red, green, blue): (u8, u8, u8)) -> usize {
        let is_near = |dot: u8, wanted: u8| dot.abs_diff(wanted) <= 3;
        let dots = picture.pixels().iter();
        dots.filter(|p| is_near(p.red(), red) && is_near(p.green(), green) && is_near(p.blue(), blue)).count()
    }

    #[test]
    fn a_chart_becomes_a_picture_with_everything_that_it_shows() {
        let drawn = chart::svg(&chart::tests::sample(28));
        let made = png(&drawn).unwrap();
        assert_eq!(made, png(&drawn).unwrap(), "the same chart is the same picture");
        assert!(made.len() < 60_000, "{} bytes", made.len());
        let picture = Pixmap::decode_png(&made).unwrap();
        assert_eq!((picture.width(), picture.height()), (1290, 450));
        for (what, colour) in [
            ("bars", (0x5f, 0x7a, 0x91)),
            ("the odd one", (0xc2, 0x48, 0x1b)),
            ("the band", (0xcf, 0xe3, 0xda)),
            ("the expectation", (0x17, 0x63, 0x4a)),
            ("the promotion", (0xf6, 0xe7, 0xbf)),
            ("days out of stock", (0xa3, 0x26, 0x1c)),
            ("words", (0x55, 0x62, 0x5c)),
        ] {
            assert!(dots(&picture, colour) > 20, "{what} are not there");
        }
        let plain = chart::svg(&chart::tests::sample(3));
        assert_eq!(dots(&Pixmap::decode_png(&png(&plain).unwrap()).unwrap(), (0xa3, 0x26, 0x1c)), 0);
    }

    #[test]
    fn the_axes_need_no_letter_that_the_font_does_not_have() {
        for month in 1..=12 {
            let day: jiff::civil::Date = format!("2026-{month:02}-28").parse().unwrap();
            assert!(day.strftime("%b %-d").to_string().is_ascii());
        }
        let drawn = chart::svg(&chart::tests::sample(56));
        let words = drawn.split("<text").skip(1).filter_map(|rest| rest.split_once('>')?.1.split_once("</text>"));
        let words: String = words.map(|(text, _)| text).collect();
        assert!(!words.is_empty() && words.chars().all(|c| (' '..='~').contains(&c)), "{words}");
    }

    #[test]
    fn what_is_no_chart_makes_no_picture() {
        assert_eq!(png(""), None);
        assert_eq!(png("<svg"), None);
        assert_eq!(png("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 90000 90000\"/>"), None);
        assert_eq!(in_words(""), "");
    }

    #[test]
    fn a_picture_has_the_words_of_the_page() {
        let words = in_words(&chart::svg(&chart::tests::sample(28)));
        assert!(words.starts_with("28 days from 2026-09-10") && words.contains("Days out of stock: 3."), "{words}");
    }
}
