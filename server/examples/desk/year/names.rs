//! Customers that do not exist. Their domains are of the top-level domain `example` (RFC 2606).

use super::dice::Dice;

/// Somebody who buys licenses.
#[derive(Clone, Debug)]
pub struct Customer {
    pub id: String,
    pub name: String,
    pub email: String,
    pub people: Vec<String>,
}

const FIRST: &[&str] = &[
    "Alderbrook",
    "Bexwick",
    "Calderon Bay",
    "Dunmoor",
    "Eskvale",
    "Fernhollow",
    "Grauwald",
    "Hartmere",
    "Ilvestad",
    "Jorvane",
    "Kestrelby",
    "Lindqvar",
    "Marrowdale",
    "Nordhafen",
    "Ostrava Lane",
    "Pellworth",
    "Quenby",
    "Rosenau",
    "Saltmarket",
    "Thornfold",
    "Ulvsund",
    "Verdemont",
    "Wexcombe",
    "Yarrowgate",
    "Zelmar",
];

const LAST: &[&str] = &[
    "Acoustics",
    "Analytics",
    "Bearings",
    "Biolabs",
    "Ceramics",
    "Civil Engineers",
    "Dental",
    "Energy",
    "Foundry",
    "Geosystems",
    "Hydraulics",
    "Instruments",
    "Joinery",
    "Logistics",
    "Marine",
    "Observatory",
    "Optics",
    "Press",
    "Robotics",
    "Shipyard",
    "Studios",
    "Textiles",
    "Timber",
    "Tramways",
    "Waterworks",
];

const PEOPLE: &[&str] = &[
    "amira", "bela", "chidi", "dagny", "emeka", "farah", "goran", "hana", "ines", "jonas", "kaia",
    "leif", "mirela", "noor", "oskar", "priya", "quirin", "rosa", "sanna", "tariq", "ulla", "vida",
    "wanda", "xenia", "yusuf", "zofia",
];

/// The one with a number: another name each, for 625 of them.
pub fn customer(number: usize, dice: &mut Dice) -> Customer {
    // 7 and 25 have no divisor in common, so that no two are the same.
    let (first, last) = (number % FIRST.len(), (number / FIRST.len() + number * 7) % LAST.len());
    let name = format!("{} {}", FIRST[first], LAST[last]);
    let domain = name.to_lowercase().replace(' ', "-");
    let mut people: Vec<String> = Vec::new();
    for _ in 0..2 + dice.below(8) {
        let person = format!("{}@{domain}.example", dice.pick(PEOPLE));
        if !people.contains(&person) {
            people.push(person);
        }
    }
    Customer {
        id: format!("cus_{:05}", 10_000 + number * 37),
        email: format!("licenses@{domain}.example"),
        name,
        people,
    }
}
