//! A signed text on its way, and what is known of it.

use licentia::Kind;
use licentia::peek::peek;
use serde_json::Value;

/// A request: what a product has written.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Whose: that of a copy is its original's.
    pub from: usize,
    /// How many answers it had taken when it wrote this.
    pub asked: usize,
    /// The text.
    pub request: String,
}

/// A signed text.
#[derive(Clone, Debug)]
pub struct Paper {
    /// As it is delivered.
    pub text: Vec<u8>,
    /// Whose question it answers: products that were copied have one question.
    pub owner: usize,
    /// What was asked.
    pub word: String,
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub said: Value,
    /// How many answers had been taken when it was asked for.
    pub asked: usize,
    /// Whether somebody has changed it, or signed it himself.
    pub is_false: bool,
    /// Whether it comes straight from the server, and was asked for just now.
    pub is_fresh: bool,
}

impl Paper {
    /// What the server has signed.
    pub fn of(text: &str, letter: &Letter, word: &str) -> Paper {
        let seen = peek(text.as_bytes()).unwrap();
        Paper {
            text: text.as_bytes().to_vec(),
            owner: letter.from,
            asked: letter.asked,
            word: word.to_string(),
            kind: seen.kind.unwrap(),
            said: serde_json::from_str(&seen.payload).unwrap(),
            is_false: false,
            is_fresh: true,
        }
    }

    /// One of the numbers in it.
    pub fn number(&self, name: &str) -> u64 {
        self.said[name].as_u64().unwrap_or_default()
    }

    /// One of the texts in it.
    pub fn text(&self, name: &str) -> &str {
        self.said[name].as_str().unwrap_or_default()
    }

    /// Whether it is what is said of a license.
    pub fn is_answer(&self) -> bool {
        self.kind == Kind::Sync
    }
}
