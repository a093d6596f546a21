//! `status`, `simulate`, `explain`: what holds here, now or at another time, and why.

use crate::args::time;
use crate::explanation;
use crate::output::{Finding, Told};
use crate::product::InstallationArgs;
use crate::standing::Standing;
use crate::status_page;

/// Show what holds here and now, what changes next, and what to do
///
/// Looks at every license there is, at what was used, at the clock and the machine, as the product
/// does. Changes nothing and makes no file. The exit status is 0 where a license is in force or
/// none is needed, else 1.
#[derive(clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    place: InstallationArgs,
    /// That is `simulate`
    #[arg(long, hide = true, value_parser = at_is_simulate)]
    at: Option<i64>,
}

/// Show what would hold at another time, if nothing else changed
///
/// The same page as that of `status`, and the same exit status. Changes nothing.
#[derive(clap::Args)]
pub struct SimulateArgs {
    #[command(flatten)]
    place: InstallationArgs,
    /// The time
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: i64,
}

/// Show every check behind `status`: what was looked at, what was found, and what to do
///
/// Changes nothing. The exit status is that of `status`.
#[derive(clap::Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    place: InstallationArgs,
    /// As of this time [default: now]
    #[arg(long, value_name = "TIME", value_parser = time)]
    at: Option<i64>,
}

fn at_is_simulate(_: &str) -> Result<i64, String> {
    Err("the status is that of now: `licentia simulate` shows another time".into())
}

/// Shows what holds now.
pub fn status(args: &StatusArgs) -> Told<Finding> {
    debug_assert!(args.at.is_none());
    page(&args.place, None)
}

/// Shows what would hold then.
pub fn simulate(args: &SimulateArgs) -> Told<Finding> {
    page(&args.place, Some(args.at))
}

fn page(place: &InstallationArgs, at: Option<i64>) -> Told<Finding> {
    place.read(|installation| {
        let json = installation.status(at)?;
        let standing = Standing::parse(&json)?;
        let text = status_page::page(&standing, place, at.is_some());
        Ok(Finding { code: standing.code(), json, message: None, text })
    })
}

/// Shows why.
pub fn explain(args: &ExplainArgs) -> Told<Finding> {
    args.place.read(|installation| {
        let standing = Standing::parse(&installation.status(args.at)?)?;
        let json = installation.explain(args.at)?;
        let text = explanation::text(&standing, &json, args.at.is_some())?;
        Ok(Finding { code: standing.code(), json, message: Some(standing.message), text })
    })
}
