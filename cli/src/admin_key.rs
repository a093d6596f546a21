//! `server admin-key`: for an administrator who has lost their key.

use crate::output::{Answer, Fields, Outcome};
use crate::server::{Place, failure};
use licentia_server::clock::Clock;
use licentia_server::operations::admin_key;
use uuid::Uuid;

/// Make a new key for an administrator who has lost theirs
///
/// Whoever may read and write the database may do this, while the server runs or not. The key is
/// shown once. Keys that there are stay as they are: revoke a lost one with the new one.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// The organization [default: the first, whose administrator makes the others]
    #[arg(long, value_name = "ID")]
    organization: Option<Uuid>,
}

/// Does it.
pub async fn run(args: &Args) -> Outcome {
    let store = args.place.open().await?;
    let made = admin_key::make(&store, &Clock::default(), args.organization).await;
    store.close().await;
    let (organization, key) = made.map_err(failure)?;
    let fields = Fields::default()
        .with("organization", organization.id.to_string())
        .with("key", key.0.as_str());
    let note = format!("the key is shown this once: it is of {}", organization.id);
    Ok(Answer { fields, text: format!("{}\n", key.0.as_str()), notes: vec![note] })
}
