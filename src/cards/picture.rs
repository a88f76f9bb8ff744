//! A chart as a picture, for where no SVG is shown: mail and chats. It is drawn from the very SVG of the page, so that the two never
//! differ; only the colours, which a page takes from its style sheet, stand here, and what they mean, which a page says below.

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
    .zero { stroke: #a3261c; stroke-width: 1; }
    .ordered { fill: none; stroke: #55625c; stroke-width: 2; stroke-dasharray: 6 4; }
    .received { fill: none; stroke: #17634a; stroke-width: 2.4; }
    .billed { fill: none; stroke: #c2481b; stroke-width: 2; stroke-dasharray: 2 3; }
    .due { stroke: #7d8983; stroke-width: 1; stroke-dasharray: 3 3; }
";

/// Those colours, with some between them and the white for edges: a dot of four bits is one of them.
const COLOURS: [[u8; 3]; 16] = [
    [0xff, 0xff, 0xff],
    [0xdb, 0xe1, 0xdd],
    [0x55, 0x62, 0x5c],
    [0xaa, 0xb1, 0xae],
    [0xcf, 0xe3, 0xda],
    [0x17, 0x63, 0x4a],
    [0x73, 0xa3, 0x92],
    [0x5f, 0x7a, 0x91],
    [0xaf, 0xbd, 0xc8],
    [0xc2, 0x48, 0x1b],
    [0xe1, 0xa4, 0x8d],
    [0xf6, 0xe7, 0xbf],
    [0xa3, 0x26, 0x1c],
    [0xd1, 0x93, 0x8e],
    [0x7d, 0x89, 0x83],
    [0x97, 0xaf, 0xb6],
];

/// What is drawn how, by the class that it has.
const LEGEND: [(&str, &str); 10] = [
    ("actual", "bars: sold"),
    ("actual odd", "orange: outside of what was expected"),
    ("expected", "dashed line and band: expected"),
    ("promo", "yellow: promotion"),
    ("out", "crosses: out of stock"),
    ("receipt", "triangles: received"),
    ("ordered", "dashed line: ordered"),
    ("received", "solid line: received"),
    ("billed", "dotted line: billed"),
    ("due", "upright line: promised"),
];

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
    drawn(svg, SCALE)?.encode_png().ok()
}

/// The same for where every byte counts: a dot for each of the drawing, in sixteen colours.
pub fn small_png(svg: &str) -> Option<Vec<u8>> {
    let picture = drawn(svg, 1.0)?;
    let row = picture.width() as usize;
    let mut packed = Vec::with_capacity(row.div_ceil(2) * picture.height() as usize);
    for dots in picture.pixels().chunks(row) {
        let mut indexes = dots.iter().map(|dot| nearest([dot.red(), dot.green(), dot.blue()]));
        while let Some(left) = indexes.next() {
            packed.push(left << 4 | indexes.next().unwrap_or_default());
        }
    }
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, picture.width(), picture.height());
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Four);
    encoder.set_palette(COLOURS.as_flattened());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.write_header().ok()?.write_image_data(&packed).ok()?;
    Some(bytes)
}

fn drawn(svg: &str, scale: f32) -> Option<Pixmap> {
    if svg.is_empty() {
        return None;
    }
    let tree = Tree::from_str(svg, &OPTIONS).ok()?;
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    if width.max(height) > SIDE_MAX {
        return None;
    }
    let mut picture = Pixmap::new(width.ceil() as u32, height.ceil() as u32)?;
    picture.fill(Color::WHITE);
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut picture.as_mut());
    Some(picture)
}

/// Which of the colours is the most like this one.
fn nearest(dot: [u8; 3]) -> u8 {
    let distance =
        |colour: &[u8; 3]| -> u32 { colour.iter().zip(dot).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum() };
    (0_u8..).zip(&COLOURS).min_by_key(|(_, colour)| distance(colour)).map_or(0, |(index, _)| index)
}

/// What a chart is of, and what is drawn how in it: the line below the picture.
pub fn caption(svg: &str) -> String {
    let meant = LEGEND.iter().filter(|(class, _)| svg.contains(&format!(" class=\"{class}\"")));
    let meant: Vec<&str> = meant.map(|(_, words)| *words).collect();
    format!("{} ({})", inside(svg, "title"), meant.join("; "))
}

/// What a chart shows, in words: those that the page has for who does not see it.
pub fn in_words(svg: &str) -> String {
    inside(svg, "desc")
}

/// The text of the first element of this name.
fn inside(svg: &str, name: &str) -> String {
    let rest = svg.split_once(&format!("<{name}")).and_then(|(_, rest)| rest.split_once('>'));
    let words = rest.and_then(|(_, rest)| rest.split_once(&format!("</{name}>")));
    words.map_or_else(String::new, |(words, _)| words.trim().to_owned())
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
    fn a_small_one_shows_the_same_in_few_bytes() {
        let drawn = chart::svg(&chart::tests::sample(56));
        let made = small_png(&drawn).unwrap();
        assert_eq!(made, small_png(&drawn).unwrap(), "the same chart is the same picture");
        assert!(made.len() < 9_000 && made.len() * 3 < png(&drawn).unwrap().len(), "{} bytes", made.len());
        let mut reader = png::Decoder::new(std::io::Cursor::new(&made)).read_info().unwrap();
        assert_eq!((reader.info().width, reader.info().height), (860, 300));
        let mut dots = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut dots).unwrap();
        let counted = |colour: [u8; 3]| {
            let index = nearest(colour);
            dots.iter().flat_map(|two| [two >> 4, two & 15]).filter(|dot| *dot == index).count()
        };
        for colour in [[0x5f, 0x7a, 0x91], [0xc2, 0x48, 0x1b], [0xcf, 0xe3, 0xda], [0x17, 0x63, 0x4a], [0xa3, 0x26, 0x1c]] {
            assert!(counted(colour) > 20, "{colour:?} is not there");
        }
        assert_eq!(small_png(""), None);
    }

    #[test]
    fn the_line_below_says_what_is_drawn_how_and_nothing_of_what_is_not() {
        let said = caption(&chart::svg(&chart::tests::sample(28)));
        assert!(said.starts_with("Units sold each day, against what was expected (bars: sold; "), "{said}");
        assert!(said.contains("crosses: out of stock") && !said.contains("billed"), "{said}");
        assert!(!caption(&chart::svg(&chart::tests::sample(3))).contains("crosses"));
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
