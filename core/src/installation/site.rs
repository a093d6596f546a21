//! What the administrator of a site sets: docs/settings.md.

use crate::errors::{Code, Error, Result};
use crate::limits::{COAT_FACTOR, TOKEN_MAX};
use crate::settings::{SITE_SETTINGS, refuse, unknown};
use crate::store::open_to_read;
use std::io::{ErrorKind, Read};
use std::path::PathBuf;

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
            _ => return Err(unknown(name, SITE_SETTINGS)),
        }
        Ok(())
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
