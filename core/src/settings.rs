//! What the embedding program says about its product, by name: one table for every language.

pub(crate) mod network;

use crate::clock::parse_time;
use crate::errors::{Code, Error, Result};
use crate::feature::is_feature_id;
use crate::limits::{NOTICE_DAYS_MAX, TIME_MAX};
use crate::machine::Kind;
use crate::product::Place;
use crate::verdict::{Deployment, Terms};
use std::path::PathBuf;

/// One setting: its name, what it takes, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The name, the same in every language.
    pub name: &'static str,
    /// What its value looks like.
    pub takes: &'static str,
    /// What it does, in a sentence.
    pub does: &'static str,
}

/// Every setting of a product. docs/settings.md is this table, compared by a test.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "clock",
        takes: "`system`, seconds since 1970, RFC 3339, or a date",
        does: "Stops the clock, for tests. Licenses of this product follow it while they are held, \
               and a request that is made again has the same bytes.",
    },
    Setting {
        name: "issuer",
        takes: "text; empty = any",
        does: "Refuses licenses of another `iss` with `wrong_issuer`.",
    },
    Setting {
        name: "machine",
        takes: "text, 1 to 4096 bytes; empty = the hardware",
        does: "Identifies the machine by this text instead of by its hardware: a cluster's or a \
               cloud instance's id, for containers. Only its hash leaves the process.",
    },
    Setting {
        name: "machine_file",
        takes: "a path; empty = the hardware",
        does: "The same, with the text in a file, read when the machine is asked for. Of `machine` \
               and `machine_file`, the one set last counts.",
    },
    Setting {
        name: "machine_root",
        takes: "a path; empty = `/`",
        does: "Reads the hardware under another root: the host's, mounted into a container, or a \
               test's.",
    },
    Setting {
        name: "machine_exclude",
        takes: "kinds of parts, separated by commas; empty = none",
        does: "Never reads these parts of the machine, for privacy.",
    },
    Setting {
        name: "installation",
        takes: "a UUID; empty = none",
        does: "The id of this installation, for licenses that are bound to one.",
    },
    Setting {
        name: "instance",
        takes: "a URL; empty = none",
        does: "The root URL of this instance, for licenses that are bound to one.",
    },
    Setting {
        name: "vendor",
        takes: "text; empty = none",
        does: "Your name, for sentences that tell the customer whom to ask.",
    },
    Setting {
        name: "deployment",
        takes: "`onpremise` (or empty) or `saas`",
        does: "With `saas`, an installation enforces nothing: you run the product yourself.",
    },
    Setting {
        name: "grace_days",
        takes: "a number of days, 0 to 3650; empty = no use without a license",
        does: "How long an installation works without a license, from its first use on. Until a \
               first use is noted, no license is needed.",
    },
    Setting {
        name: "warning_days",
        takes: "a number of days, 0 to 3650; empty = 30",
        does: "Warns this long before an end, where the license does not say how long.",
    },
    Setting {
        name: "server",
        takes: "URLs, separated by blanks or commas; empty = none",
        does: "Your license servers, such as `https://licenses.example.com`: the first that \
               answers is asked. An administrator may name others.",
    },
    Setting {
        name: "monthly_meter",
        takes: "a feature's id; empty = `monitored_monthly_requests`",
        does: "The feature whose counter is shown as the monthly one.",
    },
];

/// Every setting of an installation. docs/settings.md is this table, compared by a test.
pub const SITE_SETTINGS: &[Setting] = &[
    Setting {
        name: "license",
        takes: "a license as text, in any of its coats; empty = none",
        does: "A license that the host brings along, beside the one that was applied.",
    },
    Setting {
        name: "license_file",
        takes: "a path; empty = none",
        does: "The same, in a file. It is read again when it changes.",
    },
    Setting {
        name: "license_env",
        takes: "the name of an environment variable; empty = none",
        does: "The same, in an environment variable, read when this is set.",
    },
    Setting {
        name: "instance",
        takes: "a URL; empty = that of the product",
        does: "The root URL of this instance: for licenses that are bound to one, and for removing \
               a license over HTTP, which names it.",
    },
    Setting {
        name: "mount",
        takes: "a path such as `/admin/licensing`; empty = `/`",
        does: "The path below which the license API is mounted, where the host passes on whole \
               paths.",
    },
    Setting {
        name: "public_status",
        takes: "`minimal` (or empty) or `full`",
        does: "What `GET /api/license` tells strangers: that all is well or not, or everything an \
               administrator sees there.",
    },
    Setting {
        name: "lease_window",
        takes: "a number of days, 1 to 366; empty = 30",
        does: "The days over which leases are counted, where the license does not say.",
    },
    Setting {
        name: "server",
        takes: "URLs, separated by blanks or commas; empty = those of the product",
        does: "The vendor's license servers, in the order in which they are tried, in the place of \
               those of the product. Plain `http` is safe, for answers are signed; `https` is \
               private too.",
    },
    Setting {
        name: "server_ca",
        takes: "a path; empty = none",
        does: "A file of certificates in PEM: authorities to trust for `https` besides those of \
               the system, such as that of a proxy that looks into it. Read when it is set, and \
               again by each call.",
    },
    Setting {
        name: "proxy",
        takes: "a URL such as `http://name:password@proxy:3128`, `none`, or empty = that of the \
                environment",
        does: "The proxy by which the servers are reached: `http`, `https`, `socks5`, or \
               `socks5h`, which looks names up itself. What is special in the name or the \
               password is written as `%40` and so on. One of `http` or `https` is asked to \
               `CONNECT`, for plain `http` too: it has to allow that for the server's port. The \
               environment's are `https_proxy`, `HTTPS_PROXY` and `http_proxy`, by the server's \
               scheme, then `all_proxy`, `ALL_PROXY`, but for `no_proxy`, `NO_PROXY`; they are \
               read when an installation is opened and when a setting of its network is set, as \
               are `SSL_CERT_FILE` and `SSL_CERT_DIR`.",
    },
    Setting {
        name: "server_timeout",
        takes: "a number of seconds, 1 to 300; empty = 30",
        does: "How long a call may take in all, over all servers, whatever they and the network \
               do. A name is looked up by the system, which has limits of its own.",
    },
];

/// The values that were set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) issuer: Option<String>,
    pub(crate) identity: Option<Identity>,
    pub(crate) machine_root: Option<PathBuf>,
    pub(crate) machine_exclude: Vec<Kind>,
    pub(crate) installation: Option<String>,
    pub(crate) instance: Option<String>,
    pub(crate) terms: Terms,
    /// Root URLs of the vendor's servers.
    pub(crate) servers: Vec<String>,
}

/// Where a machine's explicit identity comes from.
#[derive(Clone)]
pub(crate) enum Identity {
    Text(String),
    File(PathBuf),
}

impl std::fmt::Debug for Identity {
    /// The text is never shown: only its hash leaves the process.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Identity::Text(_) => f.write_str("Text"),
            Identity::File(path) => write!(f, "File({})", path.display()),
        }
    }
}

impl Settings {
    /// Where a product that was not opened runs.
    pub(crate) fn place(&self) -> Place {
        Place { installation: self.installation.clone(), instance: self.instance.clone() }
    }

    /// Sets one by name; `clock` is the product's own affair.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let some = (!value.is_empty()).then(|| value.to_string());
        match name {
            "issuer" => self.issuer = some,
            // An empty value takes back its own setting, not the other's.
            "machine" => match some {
                Some(text) => self.identity = Some(Identity::Text(text)),
                None if matches!(self.identity, Some(Identity::Text(_))) => self.identity = None,
                None => {}
            },
            "machine_file" => match some {
                Some(path) => self.identity = Some(Identity::File(path.into())),
                None if matches!(self.identity, Some(Identity::File(_))) => self.identity = None,
                None => {}
            },
            "machine_root" => self.machine_root = some.map(PathBuf::from),
            "machine_exclude" => self.machine_exclude = kinds(name, value)?,
            "installation" => {
                let id = some.map(|id| uuid::Uuid::try_parse(&id)).transpose();
                let id = id.map_err(|_| refuse(name, "it is not a UUID"))?;
                self.installation = id.map(|id| id.hyphenated().to_string());
            }
            "instance" => self.instance = some,
            "server" => self.servers = network::servers(name, value)?,
            _ if self.set_term(name, value)? => {}
            _ => return Err(unknown(name, SETTINGS)),
        }
        Ok(())
    }

    /// Sets one of the vendor's terms; `false` if there is none of that name.
    fn set_term(&mut self, name: &str, value: &str) -> Result<bool> {
        let terms = &mut self.terms;
        match name {
            "vendor" => terms.vendor = (!value.is_empty()).then(|| value.to_string()),
            "deployment" => {
                terms.deployment = match value {
                    "" | "onpremise" => Deployment::OnPremise,
                    "saas" => Deployment::Saas,
                    _ => return Err(refuse(name, "it is neither onpremise nor saas")),
                }
            }
            "grace_days" => terms.grace_days = days(name, value)?,
            "warning_days" => terms.warning_days = days(name, value)?.unwrap_or(WARNING_DAYS),
            "monthly_meter" => {
                let given = (!value.is_empty()).then(|| value.to_string());
                if given.as_deref().is_some_and(|id| !is_feature_id(id)) {
                    return Err(refuse(name, "it is not the id of a feature"));
                }
                terms.monthly_meter = given.unwrap_or_else(|| MONTHLY_METER.to_string());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// The days before an end on which to warn, where nobody says.
const WARNING_DAYS: u32 = 30;

/// The meter that the entitlements show, where the vendor does not say.
const MONTHLY_METER: &str = "monitored_monthly_requests";

impl Default for Terms {
    fn default() -> Terms {
        Terms {
            vendor: None,
            deployment: Deployment::OnPremise,
            grace_days: None,
            warning_days: WARNING_DAYS,
            monthly_meter: MONTHLY_METER.to_string(),
        }
    }
}

/// A whole number of days; `None` where it is empty.
fn days(name: &str, value: &str) -> Result<Option<u32>> {
    if value.is_empty() {
        return Ok(None);
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|days| digits && *days <= NOTICE_DAYS_MAX);
    number.map(Some).ok_or_else(|| refuse(name, "it is not a number of days from 0 to 3650"))
}

/// Reads a value of `clock`: `None` = the system's.
pub(crate) fn clock(value: &str) -> Result<Option<i64>> {
    if value.is_empty() || value == "system" {
        return Ok(None);
    }
    parse_time(value)
        .filter(|at| (-TIME_MAX..=TIME_MAX).contains(at))
        .map(Some)
        .ok_or_else(|| refuse("clock", "it is neither a time nor `system`"))
}

/// Comma-separated kinds of parts, such as `nic,disk`.
fn kinds(name: &str, value: &str) -> Result<Vec<Kind>> {
    let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            Kind::from_word(word)
                .ok_or_else(|| refuse(name, &format!("{word:.40} is no kind of part")))
        })
        .collect()
}

pub(crate) fn refuse(name: &str, why: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("the setting {name}: {why}"))
}

pub(crate) fn unknown(name: &str, settings: &[Setting]) -> Error {
    let near = settings
        .iter()
        .map(|setting| (strsim::damerau_levenshtein(name, setting.name), setting.name))
        .filter(|(distance, _)| *distance <= 3)
        .min();
    let hint = near.map(|(_, near)| format!("; did you mean {near}?")).unwrap_or_default();
    Error::new(Code::InvalidArgument, format!("there is no setting {name:.40}{hint}"))
}
