//! Which of several licenses decides: by rule, never by accident.

use crate::verdict::causes::Case;
use crate::verdict::facts::Access;
use std::cmp::Reverse;

/// The place of the license that decides at a time, if there is one.
///
/// Those compete that leave the most: any in force, else any that can be read, else all. Of one
/// license the newest token counts; then the latest end, the newest token, and the greatest id.
pub(crate) fn choose(cases: &[Case<'_>], at: i64) -> Option<usize> {
    let rank = |case: &Case<'_>| case.standing(at).access.min(Access::Warn);
    let best = cases.iter().map(rank).max()?;
    let compete: Vec<(usize, &Case<'_>)> =
        cases.iter().enumerate().filter(|(_, case)| rank(case) == best).collect();
    let newest = compete.iter().filter(|(_, case)| {
        let claims = &case.held.claims;
        !compete.iter().any(|(_, other)| {
            let other = &other.held.claims;
            other.license.id == claims.license.id && other.iat > claims.iat
        })
    });
    newest.max_by_key(|(_, case)| order(case)).map(|(place, _)| *place)
}

/// The greatest decides. The sources come last: the same token may be in two of them.
fn order<'a>(case: &Case<'a>) -> impl Ord + use<'a> {
    let claims = &case.held.claims;
    let end = claims.license.valid_until.unwrap_or(i64::MAX);
    let origin = Reverse((case.candidate.source, case.candidate.name.as_bytes()));
    (end, claims.iat, claims.jti.as_bytes(), origin)
}
