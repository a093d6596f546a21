//! The token that an installation ought to have: the one that is bound to it, or the license's.

use super::saying::{DAY, Voice};
use crate::api::{Server, Work};
use crate::claims::issue;
use crate::error::Result;
use crate::store::{activations, licenses};
use licentia::Binding;

/// Whether the token that an installation ought to have is signed anew first: it is old, the
/// license was changed since, or a stolen key has signed it.
pub fn is_due(
    voice: &Voice,
    license: &licenses::Model,
    activation: &activations::Model,
    now: i64,
) -> Result<bool> {
    let bound = activation.token.as_deref();
    let token = bound.unwrap_or(&license.token);
    let at = bound.and(activation.token_at).unwrap_or(license.token_at);
    let changed = bound.is_some() && activation.token_of.as_deref() != Some(&*license.token_id);
    // At half the time, so that there is another chance.
    let refresh = license.terms()?.refresh_days;
    let old = refresh.is_some_and(|days| now >= at.saturating_add(i64::from(days) * DAY / 2));
    Ok(changed || old || voice.is_spoiled(token))
}

/// The id of the token that an installation ought to have.
pub fn id<'a>(license: &'a licenses::Model, activation: &'a activations::Model) -> &'a str {
    match &activation.token {
        Some(_) => activation.token_id.as_deref().unwrap_or_default(),
        None => &license.token_id,
    }
}

/// The token that an installation ought to have.
pub fn current(license: &licenses::Model, activation: &activations::Model) -> String {
    activation.token.clone().unwrap_or_else(|| license.token.clone())
}

/// Signs it anew, bound as told, and notes that in both rows; they are still to be written. The
/// license is locked.
pub async fn renew(
    server: &Server,
    work: &Work,
    voice: &Voice,
    license: &mut licenses::Model,
    activation: &mut activations::Model,
    binding: Option<Binding>,
) -> Result<()> {
    let bound = binding.is_some();
    let issued =
        issue(server, &work.tx, &voice.organization, &voice.product, license, binding).await?;
    if bound {
        activation.token = Some(issued.token);
        activation.token_id = Some(issued.token_id);
        activation.token_at = Some(issued.at);
        activation.token_of = Some(license.token_id.clone());
    } else {
        (activation.token, activation.token_id) = (None, None);
        (activation.token_at, activation.token_of) = (None, None);
        license.sealed(issued);
        licenses::update(&work.tx, license.clone()).await?;
    }
    Ok(())
}
