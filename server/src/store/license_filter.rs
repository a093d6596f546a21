//! Which licenses a list, a count or an export is of.

use super::licenses::{Column, Entity};
use super::status::Status;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr};
use sea_orm::{QuerySelect, Select};

/// Which licenses are meant: those that meet everything that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this product.
    pub product: Option<Uuid>,
    /// With this status at this time.
    pub status: Option<(Status, i64)>,
    /// Active, with an end after the first of these times and not after the second.
    pub ending: Option<(i64, i64)>,
    /// With this in the customer's address.
    pub email: Option<String>,
    /// Of this customer.
    pub customer: Option<String>,
    /// With this serial number.
    pub serial: Option<String>,
    /// With this id.
    pub id: Option<Uuid>,
    /// With each of these, in lower case, in what they are found by.
    pub words: Vec<String>,
    /// Or with a license key that ends like this.
    pub hint: Option<String>,
}

impl Filter {
    /// Those that are meant. A status is asked for so that its index does not serve it: the rows
    /// are wanted in the order of their ids.
    pub(super) fn of(&self, organization: Uuid) -> Select<Entity> {
        let mut some = self.of_any_status(organization);
        if let Some((status, now)) = self.status {
            some = some.filter(apart(status, now));
        }
        if let Some((after, last)) = self.ending {
            some = some.filter(apart(Status::Active, after)).filter(until().lte(last));
        }
        some
    }

    /// The same, in parts that exclude each other, each one range of the index of the status, in
    /// no order; `None` where something is asked for that this index does not know.
    pub(super) fn parts(&self, organization: Uuid) -> Option<Vec<Select<Entity>>> {
        if !self.is_of_status() {
            return None;
        }
        let ranges = match (self.status, self.ending) {
            (None, None) => return None,
            (Some((status, now)), None) => ranges(status, now),
            (None | Some((Status::Active, _)), Some((after, last))) => vec![range(after, last)],
            // What is to end is active.
            (Some(_), Some(_)) => Vec::new(),
        };
        Some(ranges.into_iter().map(|it| self.of_any_status(organization).filter(it)).collect())
    }

    fn of_any_status(&self, organization: Uuid) -> Select<Entity> {
        let mut some = Entity::find().filter(Column::OrganizationId.eq(organization));
        if let Some(product) = self.product {
            some = some.filter(Column::ProductId.eq(product));
        }
        if let Some(part) = &self.email {
            let like = LikeExpr::new(format!("%{}%", literal(&part.to_lowercase()))).escape('\\');
            some = some.filter(Column::CustomerEmailLower.like(like));
        }
        if let Some(customer) = &self.customer {
            some = some.filter(Column::CustomerId.eq(customer));
        }
        if let Some(serial) = &self.serial {
            some = some.filter(Column::Serial.eq(serial));
        }
        if let Some(id) = self.id {
            some = some.filter(Column::Id.eq(id));
        }
        if let Some(found) = self.found() {
            some = some.filter(found);
        }
        some.select_only()
    }
}

impl Filter {
    /// What is asked of the texts of a license; `None` = nothing.
    fn found(&self) -> Option<Expr> {
        let like = |word: &String| LikeExpr::new(format!("%{}%", literal(word))).escape('\\');
        let all =
            self.words.iter().map(|word| Column::Search.like(like(word))).reduce(Expr::and)?;
        Some(match &self.hint {
            Some(hint) => all.or(Column::KeyHint.eq(hint.as_str())),
            None => all,
        })
    }

    /// Whether nothing but the product, the status and the end is asked for.
    fn is_of_status(&self) -> bool {
        let texts = [&self.email, &self.customer, &self.serial];
        texts.iter().all(|text| text.is_none()) && self.id.is_none() && self.words.is_empty()
    }
}

/// What a status is, in parts that exclude each other, each one range of the index of the status:
/// for counting.
fn ranges(status: Status, now: i64) -> Vec<Expr> {
    let (revoked, suspended, until) = (Column::RevokedAt, Column::SuspendedAt, Column::ValidUntil);
    let neither = || revoked.is_null().and(suspended.is_null());
    match status {
        Status::Revoked => vec![revoked.is_not_null()],
        Status::Suspended => vec![revoked.is_null().and(suspended.is_not_null())],
        Status::Expired => vec![neither().and(until.lte(now))],
        Status::Active => vec![neither().and(until.is_null()), neither().and(until.gt(now))],
    }
}

/// What is active and has an end between two times, in one range of the same index.
fn range(after: i64, last: i64) -> Expr {
    let ends = Column::ValidUntil.gt(after).and(Column::ValidUntil.lte(last));
    Column::RevokedAt.is_null().and(Column::SuspendedAt.is_null()).and(ends)
}

/// A time of a license, or another where it has none: no index has this value.
fn or(column: Column, other: i64) -> Expr {
    Expr::expr(Func::coalesce([Expr::col(column), Expr::val(other)]))
}

/// The end of a license.
fn until() -> Expr {
    or(Column::ValidUntil, i64::MAX)
}

/// The same, of values that no index has.
fn apart(status: Status, now: i64) -> Expr {
    // No time is before 1970.
    let revoked = or(Column::RevokedAt, -1);
    let suspended = or(Column::SuspendedAt, -1);
    let until = until();
    let neither = revoked.clone().lt(0).and(suspended.clone().lt(0));
    match status {
        Status::Revoked => revoked.gte(0),
        Status::Suspended => revoked.lt(0).and(suspended.gte(0)),
        Status::Expired => neither.and(until.lte(now)),
        Status::Active => neither.and(until.gt(now)),
    }
}

/// A text that means itself in a pattern.
pub(super) fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            literal.push('\\');
        }
        literal.push(letter);
    }
    literal
}
