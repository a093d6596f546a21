//! What the administrator of a site sets: docs/settings.md.

use crate::errors::{Code, Error, Result};
use crate::limits::{COAT_FACTOR, TOKEN_MAX};
use crate::settings::network::Network;
use crate::settings::{SITE_SETTINGS, refuse, unknown};
use crate::store::open_to_read;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;
use std::time::Duration;

/// The values that were set.
#[derive(Clone, Default)]
pub(crate) struct Site {
    /// A license as text.
    pub(crate) text: Option<String>,
    /// Where one is.
    pub(crate) file: Option<PathBuf>,
    /// The name of a variable, and what was in it.
    pub(crate) variable: Option<(String, Option<String>)>,
    /// The root URL of this instance.
    pub(crate) instance: Option<String>,
    /// The path below which the API is mounted, without a slash at its end.
    pub(crate) mount: String,
    /// Whether strangers are told everything.
    pub(crate) tells_all: bool,
    /// The days over which leases are counted, where the license does not say.
    pub(crate) lease_window: Option<u32>,
    /// How the issuer is reached.
    pub(crate) network: Network,
}

impl std::fmt::Debug for Site {
    /// Without the licenses in it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = self.variable.as_ref().map(|(name, _)| name);
        write!(f, "Site(file: {:?}, variable: {name:?}, instance: {:?})", self.file, self.instance)
    }
}

impl Site {
    /// Sets one by name; an empty value takes it back.
    pub(crate) fn set(&mut self, name: &str, value: &str) -> Result<()> {
        let some = (!value.is_empty()).then(|| value.to_string());
        match name {
            "license" => {
                if value.len() > TOKEN_MAX * COAT_FACTOR {
                    return Err(Error::new(Code::TooLarge, format!("{} bytes", value.len())));
                }
                self.text = some;
            }
            "license_file" => self.file = some.map(PathBuf::from),
            "license_env" => {
                let name = some.map(|name| variable_name(&name).map(|()| name)).transpose()?;
                self.variable = name.map(|name| {
                    let found = std::env::var(&name).ok().filter(|text| !text.is_empty());
                    (name, found)
                });
            }
            "instance" => self.instance = some,
            "mount" => self.mount = path(name, value)?,
            "public_status" => {
                self.tells_all = match value {
                    "" | "minimal" => false,
                    "full" => true,
                    _ => return Err(refuse(name, "it is neither minimal nor full")),
                }
            }
            "lease_window" => self.lease_window = window(name, value)?,
            _ if self.network.set(name, value)? => {}
            _ => return Err(unknown(name, SITE_SETTINGS)),
        }
        Ok(())
    }

    /// Whether a setting is about how the issuer is reached.
    pub(crate) fn is_of_the_network(name: &str) -> bool {
        Network::SETTINGS.contains(&name)
    }

    /// How long a call may take in all.
    pub(crate) fn patience(&self) -> Duration {
        self.network.patience
    }

    /// What is in the license file now; `None` = there is no such setting.
    pub(crate) fn read_file(&self) -> Option<Result<Vec<u8>>> {
        let path = self.file.as_ref()?;
        let most = (TOKEN_MAX * COAT_FACTOR) as u64 + 1;
        let mut bytes = Vec::new();
        match open_to_read(path).and_then(|file| file.take(most).read_to_end(&mut bytes)) {
            Ok(_) => Some(Ok(bytes)),
            Err(error) => {
                let missing = error.kind() == ErrorKind::NotFound;
                let code = if missing { Code::NotLicensed } else { Code::Io };
                let what = format!("the license_file {:.60}: {error}", path.display());
                Some(Err(Error::new(code, what)))
            }
        }
    }
}

/// A name that the system would not even look for would end the process.
fn variable_name(name: &str) -> Result<()> {
    match name.contains(['=', '\0']) {
        true => Err(refuse("license_env", "it is not the name of a variable")),
        false => Ok(()),
    }
}

/// A path without a slash at its end; `/` is none.
fn path(name: &str, value: &str) -> Result<String> {
    let path = value.trim_end_matches('/');
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"?#%\"<>\\^`{|}".contains(&byte);
    let is_path = path.starts_with('/') && !path.contains("//") && path.bytes().all(fits);
    match path.is_empty() || is_path {
        true => Ok(path.to_string()),
        false => Err(refuse(name, "it is not a path such as /admin/licensing")),
    }
}

fn window(name: &str, value: &str) -> Result<Option<u32>> {
    if value.is_empty() {
        return Ok(None);
    }
    let digits = value.bytes().all(|byte| byte.is_ascii_digit());
    let days = value.parse().ok().filter(|days| digits && (1..=366).contains(days));
    days.map(Some).ok_or_else(|| refuse(name, "it is not a number of days from 1 to 366"))
}
