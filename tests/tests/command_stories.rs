//! The command line tells the stories of installations that its commands can tell.
//!
//! Each step is a call of its own, with the settings of the story so far: what one process
//! remembers and another does not is no part of these stories, so those whose clock goes back are
//! left to the languages. `access` is read from `status`. A story of which some steps cannot be
//! said, such as `gate`, is told without them.

use licentia::{SETTINGS, SITE_SETTINGS, Setting};
use licentia_tests::command::{self, Answer, same};
use licentia_tests::protocol::escape;
use licentia_tests::story::{Step, Story};
use licentia_tests::{books, protocol, runner, runners, telling};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// Stories of each book. All of them with LICENTIA_SOAK.
const OF_EACH: usize = 9;

/// Calls that these may take: each is a process.
const CALLS: usize = 170;

#[test]
fn the_command_line_tells_the_stories_it_can() {
    let Some(command) = runners::ready("cli") else { return };
    let program = PathBuf::from(command.get_program());
    let stories = chosen();
    let mut calls = 0;
    let mut wrong = Vec::new();
    let rust = telling::requests("rust-for-cli", &stories);
    telling::requests("cli", &stories);
    for (at, (story, line)) in stories.iter().zip(&rust).enumerate() {
        let folder = telling::place("cli", at);
        let mut teller = Teller::new(&program, story, folder.clone());
        let told = teller.tell(story).map(|answer| telling::comparable(&answer, &folder));
        calls += teller.calls;
        let rust = runner::answer(line);
        let rust = telling::comparable(&rust, &telling::place("rust-for-cli", at));
        let judged = told.and_then(|told| judge(story, &told, &rust));
        wrong.extend(judged.err().map(|why| format!("{}: {why}", story.name)));
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let soak = env::var_os("LICENTIA_SOAK").is_some();
    assert!(soak || (CALLS / 2..=CALLS).contains(&calls), "{calls} calls");
    println!("cli: {} stories in {calls} calls", stories.len());
}

/// Stories from all over each book, as far as commands can tell them.
fn chosen() -> Vec<Story> {
    let mut shelves: BTreeMap<String, Vec<Story>> = BTreeMap::new();
    for story in books::committed().into_iter().filter_map(sayable) {
        let book = story.name.split('/').next().unwrap_or_default().to_string();
        shelves.entry(book).or_default().push(story);
    }
    assert_eq!(shelves.len(), 9, "{:?}", shelves.keys());
    let soak = env::var_os("LICENTIA_SOAK").is_some();
    let some = |book: Vec<Story>| {
        let count = if soak { book.len() } else { OF_EACH.min(book.len()) };
        let pick = |nth: usize| book[nth * book.len() / count].clone();
        (0..count).map(pick).collect::<Vec<_>>()
    };
    shelves.into_values().flat_map(some).collect()
}

/// A story without the questions that have no command; `None` if it cannot be told without them.
fn sayable(mut story: Story) -> Option<Story> {
    let of = |table: &[Setting], name: &str| table.iter().any(|it| it.name == name);
    let mut clock: i64 = story.set.get("clock")?.parse().ok()?;
    for step in &story.steps {
        match step {
            Step::Clock { at } if *at < clock => return None,
            Step::Clock { at } => clock = *at,
            // There is one `--set`: it knows by itself whose setting it is.
            Step::Site { name, .. } if !of(SITE_SETTINGS, name) && of(SETTINGS, name) => {
                return None;
            }
            Step::RecordLater { .. } => return None,
            _ => {}
        }
    }
    let unsaid = |step: &Step| {
        let online = matches!(step, Step::Call { .. } | Step::Sync | Step::Seat { .. });
        online || matches!(step, Step::Gate { .. } | Step::Explain { .. } | Step::Request { .. })
    };
    if story.expect != "ok" && story.steps.last().is_some_and(unsaid) {
        return None;
    }
    story.steps.retain(|step| !unsaid(step));
    (!story.steps.is_empty()).then_some(story)
}

/// The answer is that of the story and, in words and in what holds, of Rust.
fn judge(story: &Story, told: &str, rust: &str) -> Result<(), String> {
    if let Some(why) = telling::judge(story, told) {
        return Err(why);
    }
    // A wrong use of the command is told in its own words.
    if story.expect == "invalid_argument" {
        return Ok(());
    }
    let fields = told.split('\t').zip(rust.split('\t'));
    let differ = |(told, rust)| telling::difference(&canonical(told), &canonical(rust));
    fields.into_iter().find_map(differ).map_or(Ok(()), Err)
}

/// What depends on how many processes looked, and is held to the story only.
const REMEMBERED: &[&str] = &["time", "state", "warnings"];

/// A field whose JSON, if it has any, is written in one way.
fn canonical(field: &str) -> String {
    let json = field.strip_prefix("status=").and_then(protocol::unescape);
    match json.and_then(|json| serde_json::from_slice::<BTreeMap<String, Value>>(&json).ok()) {
        Some(mut json) => {
            json.retain(|name, _| !REMEMBERED.contains(&name.as_str()));
            format!("{json:?}")
        }
        None => field.to_string(),
    }
}

/// Calls the command for one story.
struct Teller {
    program: PathBuf,
    folder: String,
    /// Of the product.
    options: Vec<String>,
    /// Of the installation, and the clock.
    set: BTreeMap<String, String>,
    calls: usize,
    /// What `status` said, until something is done.
    status: Option<Value>,
    /// What the last call said to hold now.
    claimed: Option<(Value, Value)>,
}

impl Teller {
    fn new(program: &Path, story: &Story, folder: String) -> Teller {
        let options = vec![
            format!("--product={}", story.product),
            format!("--keys={}", story.keys),
            format!("--dir={folder}"),
        ];
        let set = story.set.clone();
        let program = program.to_path_buf();
        Teller { program, folder, options, set, calls: 0, status: None, claimed: None }
    }

    /// The answer as a runner would give it.
    fn tell(&mut self, story: &Story) -> Result<String, String> {
        let mut fields = vec!["ok".to_string()];
        for step in &story.steps {
            match self.step(step)? {
                Said::Nothing => {}
                Said::Field(field) => fields.push(field),
                Said::Refusal(refusal) => return Ok(refusal),
            }
        }
        // A setting that is wrong shows in the next call.
        if matches!(story.steps.last(), Some(Step::Site { .. }))
            && let Said::Refusal(refusal) = self.standing()?
        {
            return Ok(refusal);
        }
        Ok(fields.join("\t"))
    }

    fn step(&mut self, step: &Step) -> Result<Said, String> {
        match step {
            Step::Clock { at } => self.setting("clock", at.to_string()),
            Step::Site { name, value } => {
                self.setting(name, value.replace(telling::FOLDER, &self.folder));
            }
            Step::Apply { data } => return self.apply(&[], data),
            Step::ApplyOlder { data } => return self.apply(&["--older"], data),
            Step::Remove { .. } => {
                return self.write(&["remove"], |it| it["removed"].as_bool().map(telling::removed));
            }
            Step::FirstUse { at } => {
                let at = at.map(|at| format!("--at={at}"));
                let args: Vec<&str> = ["first-use"].into_iter().chain(at.as_deref()).collect();
                return self.write(&args, |_| None);
            }
            Step::Record { feature, amount } => {
                return self.write(&["record", feature, &amount.to_string()], |_| None);
            }
            Step::RecordLevel { feature, level } => {
                return self.write(&["record", feature, &format!("--level={level}")], |_| None);
            }
            Step::RecordKey { feature, key } => {
                return self.write(&["record", feature, &format!("--key={key}")], |_| None);
            }
            Step::Usage { feature, .. } => return self.usage(feature),
            Step::Access { feature, .. } => return self.access(feature),
            Step::Status { at: Some(at), .. } => {
                return self.page(&["simulate", &format!("--at={at}")]);
            }
            Step::Status { at: None, .. } => return self.standing(),
            Step::Reopen => {}
            _ => return Err(format!("no command for {step:?}")),
        }
        Ok(Said::Nothing)
    }

    fn setting(&mut self, name: &str, value: String) {
        self.set.insert(name.to_string(), value);
        (self.status, self.claimed) = (None, None);
    }

    fn call(&mut self, args: &[&str]) -> Result<Answer, String> {
        self.calls += 1;
        let set = self.set.iter().map(|(name, value)| format!("--set={name}={value}"));
        let mut command = Command::new(&self.program);
        command.arg(args[0]).arg("--json").args(&self.options).args(set).args(&args[1..]);
        command::call(&mut command)
    }

    /// Does something. What holds after it, if the answer says so, is held to the next status.
    fn write(
        &mut self,
        args: &[&str],
        said: impl FnOnce(&Value) -> Option<String>,
    ) -> Result<Said, String> {
        (self.status, self.claimed) = (None, None);
        let answer = self.call(args)?;
        if answer.code() != "ok" {
            return Ok(refusal(&answer));
        }
        let holds = (answer.json["in_force"].clone(), answer.json["reason"].clone());
        self.claimed = Some(holds).filter(|(in_force, _)| in_force.is_boolean());
        Ok(said(&answer.json).map_or(Said::Nothing, Said::Field))
    }

    fn apply(&mut self, how: &[&str], data: &str) -> Result<Said, String> {
        let file = format!("{}.lic", self.folder);
        fs::write(&file, data).map_err(|error| error.to_string())?;
        self.write(&[&["apply"], how, &[&file]].concat(), |_| None)
    }

    fn usage(&mut self, feature: &str) -> Result<Said, String> {
        let answer = self.call(&["usage", feature])?;
        if answer.code() != "ok" {
            return Ok(refusal(&answer));
        }
        let number = |name: &str| answer.json[name].as_u64();
        let used = number("used").ok_or("nothing was used")?;
        let resets_at = answer.json["resets_at"].as_i64();
        Ok(Said::Field(telling::usage(feature, used, number("limit"), resets_at)))
    }

    /// What `status` says of a feature, or of all that the license does not list.
    fn access(&mut self, feature: &str) -> Result<Said, String> {
        if self.status.is_none() {
            let said = self.standing()?;
            if matches!(said, Said::Refusal(_)) {
                return Ok(said);
            }
        }
        let status = self.status.as_ref().ok_or("no status")?;
        let listed = status["features"].as_array().into_iter().flatten();
        let of = listed.into_iter().find(|it| it["id"] == feature).map(|it| &it["access"]);
        let other = Some(&status["access"]).filter(|_| status["license"].is_null());
        let word = of.or(other).map_or(Some("deny"), Value::as_str).ok_or("no access")?;
        Ok(Said::Field(telling::access(feature, word)))
    }

    /// What holds now.
    fn standing(&mut self) -> Result<Said, String> {
        let said = self.page(&["status"])?;
        if let (Some(status), Some((in_force, reason))) = (&self.status, &self.claimed) {
            same("in_force", &status["in_force"].to_string(), &in_force.to_string())?;
            same("reason", &status["reason"].to_string(), &reason.to_string())?;
        }
        Ok(said)
    }

    /// A status page. Its code is the reason where less than a warning holds.
    fn page(&mut self, args: &[&str]) -> Result<Said, String> {
        let answer = self.call(args)?;
        if !answer.json["access"].is_string() {
            return Ok(refusal(&answer));
        }
        let json = &answer.json;
        let nowhere = json["state"]["code"] == "state_unavailable" && json["license"].is_null();
        let code = match answer.text("access") {
            "allow" | "warn" if nowhere => "state_unavailable",
            "allow" | "warn" => "ok",
            _ => answer.text("reason"),
        };
        same("code", answer.code(), code)?;
        // After the code, the object is that of the library.
        let object = answer.text.replacen(&format!("\"code\":\"{code}\","), "", 1);
        if args[0] == "status" {
            self.status = Some(answer.json);
        }
        Ok(Said::Field(format!("status={}", escape(object.trim().as_bytes()))))
    }
}

/// What a step has to say.
enum Said {
    Nothing,
    Field(String),
    Refusal(String),
}

fn refusal(answer: &Answer) -> Said {
    let message = escape(answer.text("message").as_bytes());
    Said::Refusal(format!("{}\t{message}", answer.code()))
}
