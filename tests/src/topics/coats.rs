//! Text, `.lic` file and base64 blob, and what mail, editors and shells do to them: docs/format.md,
//! section 2.

use crate::case::Case;
use crate::document::Doc;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

pub fn cases() -> Vec<Case> {
    let mut cases = tolerated();
    cases.extend(refused());
    cases.extend(bytes());
    cases.extend(sizes());
    cases
}

fn wrap(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
    lines.join(end)
}

/// A license whose text has `-` and `_` in it, and the three paddings of its blob.
fn plain() -> String {
    Doc::license().sign()
}

fn tolerated() -> Vec<Case> {
    let token = plain();
    let file = format!("{token}\n");
    let blob = STANDARD.encode(&file);
    [
        ("text", token.clone()),
        ("a file", file.clone()),
        ("a file from Windows", format!("{token}\r\n")),
        ("a file with many line ends", format!("{token}\n\r\n\n")),
        ("a byte order mark", format!("\u{feff}{token}")),
        ("a byte order mark and a line end", format!("\u{feff}\r\n{token}\r\n")),
        ("spaces around", format!("   {token}\t ")),
        ("wrapped at 76", wrap(&token, 76, "\n")),
        ("wrapped at 76 with CRLF", wrap(&token, 76, "\r\n")),
        ("wrapped at 64 and indented", wrap(&token, 64, "\n    ")),
        ("wrapped at 72 with trailing spaces", wrap(&token, 72, "  \r\n")),
        ("wrapped at each dot", token.replace('.', ".\n")),
        ("a space between all characters", wrap(&token, 1, " ")),
        ("old Macintosh line ends", wrap(&token, 60, "\r")),
        ("blob", blob.clone()),
        ("blob of the text without a line end", STANDARD.encode(&token)),
        ("blob of a file from Windows", STANDARD.encode(format!("{token}\r\n"))),
        ("blob of a file with a space more", STANDARD.encode(format!("{token} \n"))),
        ("blob without padding", STANDARD_NO_PAD.encode(&file)),
        ("blob without padding, of the text", STANDARD_NO_PAD.encode(&token)),
        ("blob with a line end", format!("{blob}\n")),
        ("blob wrapped at 76 with CRLF", wrap(&blob, 76, "\r\n")),
        ("blob wrapped at 64 and indented", wrap(&blob, 64, "\n  ")),
        ("blob behind a byte order mark", format!("\u{feff}{blob}")),
    ]
    .into_iter()
    .map(|(name, text)| Case::verify(name, text))
    .collect()
}

fn refused() -> Vec<Case> {
    let token = plain();
    let blob = STANDARD.encode(format!("{token}\n"));
    let middle = token.len() / 2;
    let insert = |text: &str| format!("{}{text}{}", &token[..middle], &token[middle..]);
    let dash = token.replacen('-', "\u{2013}", 1);
    assert_ne!(dash, token, "the license has a dash");
    [
        ("a dash made long", dash),
        ("quoted in a mail", format!("> {}", wrap(&token, 70, "\n> "))),
        ("in quotation marks", format!("\"{token}\"")),
        ("in angle brackets", format!("<{token}>")),
        ("with a label", format!("License: {token}")),
        ("a name in JSON", format!("{{\"license\":\"{token}\"}}")),
        ("in a PEM frame", format!("-----BEGIN LICENSE-----\n{token}\n-----END LICENSE-----")),
        (
            "a PEM frame around the blob",
            format!("-----BEGIN LICENSE-----\n{blob}\n-----END LICENSE-----"),
        ),
        ("an ellipsis", token.replacen('.', "\u{2026}", 1)),
        ("a full-width dot", token.replacen('.', "\u{ff0e}", 1)),
        ("a full-width letter", token.replacen('e', "\u{ff45}", 1)),
        ("a Cyrillic letter", token.replacen('e', "\u{0435}", 1)),
        ("a no-break space", insert("\u{a0}")),
        ("a zero-width space", insert("\u{200b}")),
        ("a soft hyphen", insert("\u{ad}")),
        ("a line separator", insert("\u{2028}")),
        ("a byte order mark inside", insert("\u{feff}")),
        ("two byte order marks", format!("\u{feff}\u{feff}{token}")),
        ("a form feed", insert("\u{c}")),
        ("a vertical tab", insert("\u{b}")),
        ("a backslash at a line end", insert("\\\n")),
        ("quoted-printable", insert("=\n").replacen("=\n", "=3D", 1)),
        ("a percent escape", token.replacen('.', "%2E", 1)),
        ("an HTML entity", token.replacen('-', "&#45;", 1)),
        ("the first half", token[..middle].into()),
        ("the last half", token[middle..].into()),
        ("the signature's last character cut", token[..token.len() - 1].into()),
        ("a signature of mail below", format!("{token}\n-- \nAcme Licensing")),
        ("white space only", " \t\r\n \n".into()),
        ("a byte order mark only", "\u{feff}".into()),
        ("base64 of a word", STANDARD.encode("license")),
        ("base64 of nothing", "====".into()),
        ("base64 of another alphabet", URL_SAFE.encode("???>>>~~~ÿÿ")),
        ("base64 of base64", STANDARD.encode(&blob)),
        ("base64 of bytes", STANDARD.encode([0, 0xff, 0xfe, 1])),
        ("base64 of a byte order mark and the text", STANDARD.encode(format!("\u{feff}{token}"))),
        ("base64 of the text with a space inside", STANDARD.encode(insert(" "))),
        ("blob with three paddings", format!("{}===", blob.trim_end_matches('='))),
        ("blob with padding inside", format!("{}={}", &blob[..8], &blob[8..])),
        ("blob one character short", blob.trim_end_matches('=')[1..].into()),
        ("blob with a dot", format!("{blob}.")),
        ("hexadecimal", token.bytes().map(|byte| format!("{byte:02x}")).collect()),
        ("a gzip stream", "\u{1f}\u{8b}\u{8}".into()),
        ("an HTML page", "<!DOCTYPE html><title>Sign in</title>".into()),
    ]
    .into_iter()
    .map(|(name, text)| Case::verify(format!("refused: {name}"), text).fails("malformed"))
    .collect()
}

fn bytes() -> Vec<Case> {
    let token = plain();
    let little: Vec<u8> = token.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = token.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let middle = token.len() / 2;
    let insert =
        |bytes: &[u8]| [&token.as_bytes()[..middle], bytes, &token.as_bytes()[middle..]].concat();
    let refused: Vec<(&str, Vec<u8>)> = vec![
        ("UTF-16 from an editor", [b"\xff\xfe", &little[..]].concat()),
        ("UTF-16, the other way round", [b"\xfe\xff", &big[..]].concat()),
        ("UTF-16 without a mark", little),
        ("a NUL at the end", [token.as_bytes(), b"\0"].concat()),
        ("a NUL in front", [b"\0", token.as_bytes()].concat()),
        ("a NUL inside", insert(b"\0")),
        ("text after a NUL", [token.as_bytes(), b"\0more"].concat()),
        ("a Latin-1 no-break space", insert(b"\xa0")),
        ("a Windows dash", insert(b"\x96")),
        ("half a character", insert(b"\xe2\x80")),
        ("an escape sequence", insert(b"\x1b[0m")),
        ("a delete", insert(b"\x7f")),
        ("only a NUL", vec![0]),
        ("all bytes", (0..=255).collect()),
        ("half a byte order mark", [b"\xef\xbb", token.as_bytes()].concat()),
    ];
    let case = |(name, data): (&str, Vec<u8>)| {
        Case::bytes(format!("bytes: {name}"), &data).fails("malformed")
    };
    let mut cases: Vec<Case> = refused.into_iter().map(case).collect();
    cases.push(Case::bytes("bytes: the text", token.as_bytes()));
    cases
}

/// A coat may be twice as large as the largest license.
fn sizes() -> Vec<Case> {
    let token = plain();
    let room = 131_072 - token.len();
    vec![
        Case::verify("131072 bytes, most of them spaces", token.clone()).spaces(room),
        Case::verify("131073 bytes, most of them spaces", token)
            .spaces(room + 1)
            .fails("too_large"),
        Case::verify("131072 spaces", "").spaces(131_072).fails("malformed"),
        Case::verify("131073 spaces", "").spaces(131_073).fails("too_large"),
        Case::verify("a megabyte of spaces", "").spaces(1 << 20).fails("too_large"),
    ]
}
