//! What a new license is bound to.

use crate::args::whole;
use crate::input;
use crate::issue::refuse;
use crate::machine::{self, MachineArgs, parse_report, why_weak};
use crate::output::{Failure, Fields, show};
use crate::redeem::is_no_document;
use crate::secrecy::told;
use licentia::issue::{Request, is_request, read_request};
use licentia::machine::{Kind, Options, REPORT_MAX, Report};
use licentia::{Binding, Code, Error, Result};
use serde_json::{Value, json};

/// The requests that a license answers.
const LICENSES: [&str; 3] = ["license", "renewal", "activation"];

#[derive(clap::Args)]
#[command(next_help_heading = "Where it may be used")]
pub struct BindingArgs {
    /// Bind it to the machine this runs on
    #[arg(long)]
    bind_this_machine: bool,
    /// Bind it to the machine of a report that `licentia fingerprint` wrote, or of a request
    #[arg(long, value_name = "FILE")]
    bind: Option<String>,
    #[command(flatten)]
    machine: MachineArgs,
    /// The kinds of parts to bind to, separated by commas [default: every one that tells machines
    /// apart and can be read without being root]
    #[arg(long, value_name = "KINDS", value_delimiter = ',', value_parser = crate::args::kind)]
    #[arg(requires = "bind_to")]
    bind_parts: Vec<Kind>,
    /// How many of the kinds have to match [default: three of five]
    #[arg(long, value_name = "N", value_parser = kinds(), requires = "bind_to")]
    #[arg(allow_negative_numbers = true)]
    need: Option<u32>,
    /// Bind even to what another machine may match
    #[arg(long, requires = "bind_to")]
    allow_weak_binding: bool,
    /// Bind it to an installation; without an id, to the one that sent the request of --bind,
    /// instead of to its machine
    #[arg(long, value_name = "UUID")]
    bind_installation: Option<Option<String>>,
    /// Bind it to an instance by its root URL
    #[arg(long, value_name = "URL")]
    bind_instance: Option<String>,
}

fn kinds() -> impl Fn(&str) -> std::result::Result<u32, String> + Clone {
    whole("a whole number of kinds of parts", 1, Kind::ALL.len() as u64)
}

/// What a license is bound to, and what there is to say about it.
pub struct Bound {
    pub binding: Option<Binding>,
    /// For standard error.
    pub notes: Vec<String>,
    /// For programs.
    pub json: Value,
}

/// What --bind names.
enum Asked {
    Report(Report),
    Request(Box<Request>),
}

impl BindingArgs {
    /// The files it reads.
    pub fn files(&self) -> impl Iterator<Item = &str> {
        self.bind.as_deref().into_iter().chain(self.machine.machine.as_deref())
    }

    /// Reads what it names, and chooses.
    pub fn bind(&self, product: &str) -> std::result::Result<Bound, Failure> {
        let asked = self.asked(product)?;
        let mut bound = match (&asked, &self.bind_installation) {
            (asked, Some(None)) => self.sender(asked.as_ref())?,
            (None, _) => Bound { binding: None, notes: Vec::new(), json: Value::Null },
            (Some(Asked::Report(report)), _) => self.to_machine(report, product)?,
            (Some(Asked::Request(request)), _) => self.to_asking(request, product)?,
        };
        let given = self.bind_installation.clone().flatten().map(|id| id.to_ascii_lowercase());
        let mut binding = bound.binding.unwrap_or_default();
        binding.installation = given.or(binding.installation);
        binding.instance = self.bind_instance.clone();
        bound.binding = (binding != Binding::default()).then_some(binding);
        Ok(bound)
    }

    fn asked(&self, product: &str) -> Result<Option<Asked>> {
        if self.machine.are_given() && !self.bind_this_machine {
            let what = "--machine, --machine-root and --exclude go with --bind-this-machine";
            return Err(refuse(what));
        }
        let Some(path) = &self.bind else {
            let here = self.bind_this_machine.then(|| self.machine.report(product));
            return Ok(here.transpose()?.map(Asked::Report));
        };
        let text = input::read_text(path, REPORT_MAX, Code::Malformed)?;
        is_no_document(text.as_bytes())?;
        if !is_request(text.as_bytes()) {
            return parse_report(path, &text).map(|report| Some(Asked::Report(report)));
        }
        let request = read_request(text.as_bytes())?;
        if !LICENSES.contains(&request.what.as_str()) {
            let what = format!("{} asks for {:.32}, not for a license", told(path), request.what);
            return Err(Error::new(Code::WrongKind, what));
        }
        if request.product != product {
            let what = format!("the request is for {:.60}, not {product:.60}", request.product);
            return Err(Error::new(Code::WrongProduct, what));
        }
        Ok(Some(Asked::Request(Box::new(request))))
    }

    /// --bind-installation without an id.
    fn sender(&self, asked: Option<&Asked>) -> Result<Bound> {
        let Some(Asked::Request(request)) = asked else {
            return Err(refuse("--bind-installation without an id goes with a request in --bind"));
        };
        if !self.bind_parts.is_empty() || self.need.is_some() || self.allow_weak_binding {
            let what = "--bind-installation without an id binds to no machine: it goes without \
                        --bind-parts, --need and --allow-weak-binding";
            return Err(refuse(what));
        }
        let installation = request.installation.clone();
        Ok(Bound {
            notes: vec![format!("bound to the installation {}", show(&installation))],
            json: json!({ "installation": installation }),
            binding: Some(Binding { installation: Some(installation), ..Binding::default() }),
        })
    }

    /// To the machine of whoever asks, or how else to bind the license to them.
    fn to_asking(&self, request: &Request, product: &str) -> std::result::Result<Bound, Failure> {
        let bound = match &request.machine {
            Some(report) => self.to_machine(report, product),
            None => Err(Error::new(Code::WeakBinding, "the request names no machine").into()),
        };
        bound.map_err(|mut failure| {
            if failure.error.code() == Code::WeakBinding {
                let what = "or bind it to the installation that asks: --bind-installation";
                failure.notes.push(what.to_string());
                failure
                    .fields
                    .append(Fields::default().with("installation", request.installation.as_str()));
            }
            failure
        })
    }

    fn to_machine(&self, report: &Report, product: &str) -> std::result::Result<Bound, Failure> {
        let options = Options {
            need: self.need,
            kinds: (!self.bind_parts.is_empty()).then(|| self.bind_parts.clone()),
            allow_weak: self.allow_weak_binding,
        };
        let binding = licentia::machine::Binding::bind(report, product, &options);
        let binding = binding.map_err(|error| match error.code() {
            Code::WeakBinding => {
                let (mut notes, fields) = why_weak(report);
                notes.push("or bind it all the same: --allow-weak-binding".to_string());
                Failure { fields, notes, ..Failure::from(error) }
            }
            Code::WrongProduct => {
                let other = report.product();
                let what = format!(
                    "the machine report is for {other:.24}: run `licentia fingerprint --product \
                     {product}`"
                );
                Error::new(Code::WrongProduct, what).into()
            }
            _ => error.into(),
        })?;
        let told = machine::Bound::new(&binding, report);
        let binding = Binding { machine: Some(binding), ..Binding::default() };
        Ok(Bound { binding: Some(binding), notes: told.notes(), json: told.json() })
    }
}
