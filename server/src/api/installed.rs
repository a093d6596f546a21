//! What is known of one installation: its machine as it told of it, and the license that it has.

use super::activations::Activation;
use super::licenses::{Labels, OfLicense};
use super::{Caller, Server};
use crate::error::{Code, Error, Result};
use crate::store::{activations, licenses};
use crate::terms::Moment;
use licentia::Claims;
use licentia::machine::Report;
use licentia::peek::peek;
use sea_orm::ConnectionTrait;
use serde::Serialize;
use utoipa::ToSchema;

/// A license on an installation, and the license as people know it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ListedActivation {
    #[serde(flatten)]
    activation: Activation,
    #[serde(flatten)]
    of: OfLicense,
}

impl ListedActivation {
    /// That of a row.
    pub fn of(row: &activations::Model, labels: &Labels) -> Result<ListedActivation> {
        Ok(ListedActivation { activation: Activation::of(row), of: labels.of(row.license_id)? })
    }
}

/// A license on an installation, and what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActivationDetail {
    #[serde(flatten)]
    listed: ListedActivation,
    /// What it told of its machine; null = nothing.
    report: Option<MachineReport>,
    /// The license that it was given last.
    token: GivenToken,
}

/// What an installation told of its machine. No value of a part is known here, only that there is
/// one.
#[derive(Debug, Serialize, ToSchema)]
pub struct MachineReport {
    /// The kind of container that it is in, such as docker.
    container: Option<String>,
    /// The hypervisor that it is under, such as kvm.
    vm: Option<String>,
    /// The cloud that it is in, such as aws.
    cloud: Option<String>,
    /// Whether it is the Windows Subsystem for Linux.
    wsl: bool,
    parts: Vec<MachinePart>,
}

/// A part of a machine.
#[derive(Debug, Serialize, ToSchema)]
pub struct MachinePart {
    /// Such as machine_id, board, nic.
    kind: String,
    /// found, unreadable, junk, virtual, movable, excluded or missing.
    state: String,
    /// Whether a license binds to it unless told otherwise.
    binds: bool,
    /// Why it does not count or does not bind; empty where it does both.
    note: String,
}

impl MachineReport {
    fn of(report: &Report) -> MachineReport {
        let environment = report.environment().clone();
        let part = |row: &licentia::machine::Component| MachinePart {
            kind: row.kind.to_string(),
            state: row.state.to_string(),
            binds: row.binds,
            note: row.note.clone(),
        };
        MachineReport {
            container: environment.container,
            vm: environment.vm,
            cloud: environment.cloud,
            wsl: environment.wsl,
            parts: report.components().iter().map(part).collect(),
        }
    }
}

/// The license that an installation was given last: how far it is good without the server.
#[derive(Debug, Serialize, ToSchema)]
pub struct GivenToken {
    signed_at: Moment,
    /// When it has to have been renewed; null = it lives as long as the license.
    renew_by: Option<Moment>,
    /// The first second in which it is not good any more, without days of grace: `renew_by` or the
    /// end of the license; null = without end.
    good_until: Option<Moment>,
    /// Whether it is for this installation alone.
    installation: bool,
    /// How many kinds of parts of the machine have to match; null = the machine does not matter.
    machine_needs: Option<u32>,
    /// Of how many.
    machine_parts: Option<u64>,
}

impl GivenToken {
    fn of(token: &str) -> Result<GivenToken> {
        let wrong = || Error::new(Code::Internal, "The license of an activation cannot be read");
        let payload = peek(token.as_bytes())?.payload;
        let claims: Claims = serde_json::from_str(&payload).map_err(|_| wrong())?;
        let ends = [claims.exp, claims.license.valid_until];
        let binding = claims.license.binding;
        let machine = binding.as_ref().and_then(|it| it.machine.as_ref());
        Ok(GivenToken {
            signed_at: Moment(claims.iat),
            renew_by: claims.exp.map(Moment),
            good_until: ends.into_iter().flatten().min().map(Moment),
            installation: binding.as_ref().is_some_and(|it| it.installation.is_some()),
            machine_needs: machine.map(licentia::machine::Binding::need),
            machine_parts: machine.map(|it| u64::try_from(it.parts().len()).unwrap_or_default()),
        })
    }
}

impl ActivationDetail {
    /// That of a row of the caller's.
    pub async fn of(
        server: &Server,
        connection: &impl ConnectionTrait,
        caller: &Caller,
        row: &activations::Model,
    ) -> Result<ActivationDetail> {
        let organization = caller.organization.id;
        let labels = Labels::read(server, organization, std::iter::once(row.license_id)).await?;
        let token = match &row.token {
            Some(token) => GivenToken::of(token)?,
            None => {
                let license = licenses::get(connection, organization, row.license_id).await?;
                let license = license.ok_or_else(|| Error::not_found("activation"))?;
                GivenToken::of(&license.token)?
            }
        };
        let report = row.machine_json.as_deref().and_then(|text| Report::from_json(text).ok());
        Ok(ActivationDetail {
            listed: ListedActivation::of(row, &labels)?,
            report: report.as_ref().map(MachineReport::of),
            token,
        })
    }
}
