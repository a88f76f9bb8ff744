//! Text from outside, made safe to show on one line. It changes nothing of what a text says, only how it can mislead.

/// One line of text without what can not be seen (control, bidirectional, zero-width and tag characters) and without the
/// brackets that fence data and references, cut to `max` characters.
pub fn clean(text: &str, max: usize) -> String {
    let visible: String = text
        .chars()
        .filter_map(|c| match c {
            c if c.is_whitespace() => Some(' '),
            c if is_invisible(c) => None,
            '[' | '{' | '<' => Some('('),
            ']' | '}' | '>' => Some(')'),
            '`' => Some('\''),
            c => Some(c),
        })
        .collect();
    let line = visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max {
        return line;
    }
    // One less, for the mark that says that something is missing.
    let cut: String = line.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// Does the character change text without being seen?
pub fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
            | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFC | 0xE000..=0xF8FF
            | 0xE0000..=0xE0FFF | 0xF0000..=0x10_FFFF)
}
