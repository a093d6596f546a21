//! A text as a QR code (ISO/IEC 18004), to carry it past a gap without a cable.

use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// Modules of white around a symbol: fewer are not seen as its edge.
const QUIET: usize = 4;

/// A symbol to draw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Symbol {
    /// Modules of a side, with the white around.
    pub(super) side: usize,
    /// Every dark module, as the path of an SVG.
    pub(super) path: String,
}

impl Symbol {
    /// Its side on a screen: three or four pixels to a module, which a phone reads.
    pub(super) fn pixels(&self) -> usize {
        self.side * if self.side > 60 { 3 } else { 4 }
    }
}

/// The symbol of a text; `None` = none can hold it.
///
/// With the least correction: a screen is clean, and a smaller symbol is read from farther away.
pub(super) fn symbol(text: &str) -> Option<Symbol> {
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            if run.first() == Some(&Color::Dark) {
                let (left, top, length) = (x + QUIET, y + QUIET, run.len());
                // Never fails: it is written to a text.
                let _ = write!(path, "M{left} {top}h{length}v1h-{length}z");
            }
            x += run.len();
        }
    }
    Some(Symbol { side: width + 2 * QUIET, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rectangles of a path, as rows of modules.
    fn drawn(symbol: &Symbol) -> Vec<Vec<bool>> {
        let mut rows = vec![vec![false; symbol.side]; symbol.side];
        for piece in symbol.path.split('M').skip(1) {
            let (corner, rest) = piece.split_once('h').unwrap();
            let (x, y) = corner.split_once(' ').unwrap();
            let (x, y): (usize, usize) = (x.parse().unwrap(), y.parse().unwrap());
            let length: usize = rest.split('v').next().unwrap().parse().unwrap();
            assert!(piece.ends_with(&format!("v1h-{length}z")), "{piece}");
            rows[y][x..x + length].fill(true);
        }
        rows
    }

    #[test]
    fn every_module_is_drawn_where_it_belongs() {
        for text in ["eJx", &"eJwAbC+/".repeat(60), &"eJwA".repeat(738)] {
            let symbol = symbol(text).unwrap();
            let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
            assert_eq!(symbol.side, code.width() + 8);
            for (y, row) in drawn(&symbol).iter().enumerate() {
                for (x, dark) in row.iter().enumerate() {
                    let inside = |at: usize| (4..symbol.side - 4).contains(&at);
                    let wanted = inside(x) && inside(y) && code[(x - 4, y - 4)] == Color::Dark;
                    assert_eq!(*dark, wanted, "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn what_no_symbol_holds_has_none() {
        assert_eq!(symbol(&"x".repeat(2_954)), None);
    }
}
