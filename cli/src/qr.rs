//! Texts as QR codes (ISO/IEC 18004), to carry them past a gap without a cable: drawn on a
//! terminal, or as an image.

use crate::input::{self, Present, STDOUT};
use crate::output::{Answer, Fields, Outcome, show};
use anstyle::{AnsiColor, Style};
use licentia::{Code, Error, Result};
use qrcode::render::{svg, unicode::Dense1x2};
use qrcode::{EcLevel, QrCode};
use std::path::{Path, PathBuf};

/// Bytes in the largest symbol.
const QR_MAX: usize = 2_953;

/// Modules of white around a symbol: fewer are not seen as its edge.
const QUIET: usize = 4;

/// Pixels of an image for each module.
const SCALE: u32 = 8;

/// Where a text goes that may have to be carried.
#[derive(clap::Args)]
pub struct Output {
    /// Write it to a new file, as an image if the name ends with .svg or .png; - is standard
    /// output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
    /// Draw it as a QR code on the terminal
    #[arg(long, conflicts_with = "out")]
    qr: bool,
}

impl Output {
    /// Gives the text there. `fields` say the same for programs.
    pub fn give(&self, text: &str, fields: Fields) -> Outcome {
        if self.qr {
            return Ok(Answer { fields, text: draw(text)?, notes: Vec::new() });
        }
        let line = format!("{text}\n");
        let Some(path) = self.out.as_deref().filter(|path| *path != Path::new(STDOUT)) else {
            return Ok(Answer { fields, text: line, notes: Vec::new() });
        };
        let bytes = image(text, path)?.unwrap_or_else(|| line.into_bytes());
        input::write(path, bytes, Present::forced(self.force))?;
        let name = path.display().to_string();
        let notes = vec![format!("written to {}", show(&name))];
        Ok(Answer { fields: fields.with("file", name), text: String::new(), notes })
    }
}

/// A symbol for a terminal: black on white whatever its colors are, two modules in a character.
pub fn draw(text: &str) -> Result<String> {
    let rows = encode(text)?.render::<Dense1x2>().module_dimensions(1, 1).build();
    let ink = Style::new()
        .fg_color(Some(AnsiColor::Black.into()))
        .bg_color(Some(AnsiColor::BrightWhite.into()));
    Ok(rows.lines().map(|row| format!("{ink}{row}{ink:#}\n")).collect())
}

/// The bytes of an image, if the name of its file ends with `.svg` or `.png`.
pub fn image(text: &str, path: &Path) -> Result<Option<Vec<u8>>> {
    let ending = path.extension().map(|ending| ending.to_ascii_lowercase());
    match ending.as_ref().and_then(|ending| ending.to_str()) {
        Some("svg") => {
            let image =
                encode(text)?.render::<svg::Color>().module_dimensions(SCALE, SCALE).build();
            Ok(Some((image + "\n").into_bytes()))
        }
        Some("png") => png(&encode(text)?).map(Some),
        _ => Ok(None),
    }
}

/// The least correction: a screen or a sheet of paper is clean, and a smaller symbol is read from
/// farther away.
fn encode(text: &str) -> Result<QrCode> {
    QrCode::with_error_correction_level(text, EcLevel::L).map_err(|_| {
        let count = text.len();
        let what = format!("a QR code holds {QR_MAX} characters, and this is {count}: use a file");
        Error::new(Code::InvalidArgument, what)
    })
}

/// One bit for each pixel, 1 = white.
fn png(code: &QrCode) -> Result<Vec<u8>> {
    let size = code.width() + 2 * QUIET;
    let colors = code.to_colors();
    let dark = |x: usize, y: usize| {
        let inside = (QUIET..size - QUIET).contains(&x) && (QUIET..size - QUIET).contains(&y);
        inside && colors[(y - QUIET) * code.width() + x - QUIET] == qrcode::Color::Dark
    };
    // Eight pixels to a module and eight bits to a byte: a byte is a module.
    let row = |y: usize| (0..size).map(move |x| if dark(x, y) { 0x00 } else { 0xff });
    let rows = (0..size).flat_map(|y| std::iter::repeat_n(y, SCALE as usize));
    let pixels: Vec<u8> = rows.flat_map(row).collect();
    let side = u32::try_from(size).unwrap_or_default() * SCALE;
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| Error::new(Code::Internal, format!("the PNG: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a reader sees in rows of modules, true = dark.
    fn read(size: usize, dark: impl Fn(usize, usize) -> bool) -> String {
        // Three pixels to a module, as from a camera.
        let pixel = |x: usize, y: usize| if dark(x / 3, y / 3) { 0 } else { 255 };
        let mut image = rqrr::PreparedImage::prepare_from_greyscale(3 * size, 3 * size, pixel);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        grids[0].decode().unwrap().1
    }

    /// A text that looks as a request does.
    fn text(length: usize) -> String {
        (0..length).map(|at| char::from(b"eJwAbC+/xyz019="[at * at % 15])).collect()
    }

    fn from_terminal(drawing: &str) -> String {
        let plain = anstream::adapter::strip_str(drawing).to_string();
        let rows: Vec<Vec<char>> = plain.lines().map(|line| line.chars().collect()).collect();
        read(rows[0].len(), |x, y| match rows.get(y / 2).map(|row| row[x]) {
            Some('█') => true,
            Some('▀') => y % 2 == 0,
            Some('▄') => y % 2 == 1,
            _ => false,
        })
    }

    fn from_png(bytes: &[u8]) -> String {
        let decoder = png::Decoder::new(std::io::Cursor::new(bytes));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.color_type), (info.height, png::ColorType::Grayscale));
        let (side, row) = (info.width as usize, info.line_size);
        let dark = |x: usize, y: usize| pixels[y * row + x / 8] >> (7 - x % 8) & 1 == 0;
        read(side / 8, |x, y| dark(x * 8 + 3, y * 8 + 3))
    }

    /// Every `M<x> <y>h<w>v<h>` of the path is a dark rectangle.
    fn from_svg(bytes: &[u8]) -> String {
        let image = str::from_utf8(bytes).unwrap();
        let side: usize =
            image.split("width=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
        let path = image.split(" d=\"").nth(1).unwrap().split('"').next().unwrap();
        let mut dark = vec![vec![false; side / 8]; side / 8];
        for piece in path.split('M').skip(1) {
            let numbers = piece.split([' ', 'h', 'v', 'H']).take(4);
            let numbers: Vec<usize> = numbers.map(|n| n.parse::<usize>().unwrap() / 8).collect();
            let [left, top, width, height] = numbers.try_into().unwrap();
            dark[top..top + height].iter_mut().for_each(|row| row[left..left + width].fill(true));
        }
        read(side / 8, |x, y| dark[y][x])
    }

    #[test]
    fn a_reader_reads_what_was_written_in_every_form() {
        for length in [1, 150, 600, QR_MAX] {
            let text = text(length);
            assert_eq!(from_terminal(&draw(&text).unwrap()), text, "{length}");
            let image = |name: &str| image(&text, Path::new(name)).unwrap().unwrap();
            assert_eq!(from_png(&image("a.b.PNG")), text, "{length}");
            assert_eq!(from_svg(&image("a.svg")), text, "{length}");
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_other_names_are_no_images() {
        let long = text(QR_MAX + 1);
        let error = draw(&long).unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument);
        assert!(error.detail().contains("2953 characters, and this is 2954"), "{error}");
        assert_eq!(image(&long, Path::new("a.svg")).unwrap_err(), error);
        for name in ["a", "svg", "a.txt", "a.svg.lic", ".png"] {
            assert_eq!(image("a", Path::new(name)), Ok(None), "{name}");
        }
    }

    #[test]
    fn a_terminal_shows_black_on_white_and_nothing_is_left_colored() {
        let drawing = draw("eJx").unwrap();
        for line in drawing.lines() {
            assert!(line.starts_with("\u{1b}[30m\u{1b}[107m") && line.ends_with("\u{1b}[0m"));
        }
    }
}
