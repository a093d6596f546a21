//! Somebody with a browser: follows redirects, keeps cookies, fills in forms that are on a page.

#![allow(dead_code, reason = "each test takes what it needs")]

use crate::support::Site;
use crate::support::client::{Answer, Client};
use std::collections::BTreeMap;
use url::Url;

/// More redirects than any page needs.
const HOPS: usize = 5;

/// A browser, and the cookies that it was given.
#[derive(Clone, Debug)]
pub struct Browser {
    pub client: Client,
    pub cookies: BTreeMap<String, String>,
}

/// A page, and where it was in the end.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its path and query.
    pub at: String,
    pub answer: Answer,
}

/// What a form of a page has in it before anybody types.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it is sent, resolved.
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Browser {
    /// That of somebody who has not signed in.
    pub fn new(client: Client) -> Browser {
        Browser { client, cookies: BTreeMap::new() }
    }

    /// That of the administrator of a site.
    #[track_caller]
    pub fn admin(site: &Site) -> Browser {
        Browser::of(site.nobody(), &site.key)
    }

    /// That of somebody of the first organization whose key has these scopes.
    #[track_caller]
    pub fn with_scopes(site: &Site, scopes: &str) -> Browser {
        Browser::of(site.nobody(), &site.api_key(site.organization, scopes))
    }

    /// That of whoever signs in with a key.
    #[track_caller]
    pub fn of(client: Client, key: &str) -> Browser {
        let mut browser = Browser::new(client);
        let answer = browser.sign_in(key, "/");
        assert_eq!(answer.status, 303, "{}", answer.text());
        browser
    }

    /// Sends the form of the page to sign in. Gives the answer as it is.
    pub fn sign_in(&mut self, key: &str, to: &str) -> Answer {
        self.send_raw("/sign-in", &encoded(&[("api_key", key), ("to", to)]))
    }

    /// Opens a page, wherever it leads.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Page {
        let answer = self.ask("GET", path, None);
        self.follow(path, answer)
    }

    /// Opens a page that has to be there.
    #[track_caller]
    pub fn open(&mut self, path: &str) -> Page {
        let page = self.get(path);
        assert_eq!((page.answer.status, page.at.as_str()), (200, path), "{}", page.html());
        page
    }

    /// Fills in the form of a page that is sent to a path, and sends it. What is not named stays
    /// as it is on the page. Gives the page that it leads to.
    #[track_caller]
    pub fn send(&mut self, page: &Page, action: &str, typed: &[(&str, &str)]) -> Page {
        let mut form = page.form(action);
        for (name, value) in typed {
            form.set(name, value);
        }
        self.send_form(&form)
    }

    /// Sends a form as it is, and gives the page that it leads to.
    #[track_caller]
    pub fn send_form(&mut self, form: &Form) -> Page {
        let answer = self.send_raw(&form.action, &form.encoded());
        self.follow(&form.action, answer)
    }

    /// Sends any body as a form does. Gives the answer as it is.
    pub fn send_raw(&mut self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, Some(body))
    }

    /// Follows nothing, and keeps the cookies of the answer.
    pub fn ask(&mut self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let mut client = self.client.clone();
        if !self.cookies.is_empty() {
            let pairs = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
            client = client.with("Cookie", &pairs.collect::<Vec<_>>().join("; "));
        }
        let answer = match body {
            Some(body) => client.with("Content-Type", "application/x-www-form-urlencoded").raw(
                method,
                path,
                body.as_bytes(),
            ),
            None => client.ask(method, path, None),
        };
        for (name, text) in &answer.headers {
            if name.eq_ignore_ascii_case("set-cookie") {
                self.keep(text);
            }
        }
        answer
    }

    fn keep(&mut self, text: &str) {
        let pair = text.split(';').next().unwrap().split_once('=').unwrap();
        self.cookies.remove(pair.0);
        if !text.contains("Max-Age=0") {
            self.cookies.insert(pair.0.to_string(), pair.1.to_string());
        }
    }

    #[track_caller]
    fn follow(&mut self, path: &str, answer: Answer) -> Page {
        let (mut at, mut answer) = (path.to_string(), answer);
        for _ in 0..HOPS {
            let Some(to) = answer.header("location") else { return Page { at, answer } };
            assert_eq!(answer.status, 303, "after a form a page is asked for");
            at = resolved(&at, to);
            answer = self.ask("GET", &at, None);
        }
        panic!("{path} leads nowhere: {at}");
    }
}

impl Page {
    /// As it was sent.
    pub fn html(&self) -> String {
        self.answer.text()
    }

    /// What somebody reads: without tags, with one blank between words.
    pub fn text(&self) -> String {
        let html = self.html();
        let body = html.split_once("<body").map_or(html.as_str(), |(_, body)| body);
        let mut text = String::new();
        for piece in body.split('<').skip(1) {
            text += piece.split_once('>').map_or("", |(_, after)| after);
            text.push(' ');
        }
        unescaped(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// Asserts that somebody reads this on it, and gives it back.
    #[track_caller]
    pub fn says(&self, sentence: &str) -> &Page {
        let text = self.text();
        assert!(text.contains(sentence), "{sentence:?} is not in {text:?}");
        self
    }

    /// Asserts that nobody reads this on it, and gives it back.
    #[track_caller]
    pub fn hides(&self, sentence: &str) -> &Page {
        let text = self.html();
        assert!(!text.contains(sentence), "{sentence:?} is in {text}");
        self
    }

    /// Asserts the status, and gives it back.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Page {
        assert_eq!(self.answer.status, status, "{}: {}", self.at, self.html());
        self
    }

    /// The first heading.
    #[track_caller]
    pub fn h1(&self) -> String {
        let html = self.html();
        let heads: Vec<_> = tags(&html, "h1").collect();
        assert_eq!(heads.len(), 1, "a page has one first heading: {html}");
        unescaped(heads[0].1.split("</h1>").next().unwrap())
    }

    /// What the page says went wrong; empty where nothing did.
    pub fn alert(&self) -> String {
        let html = self.html();
        let after = html.split_once("role=\"alert\"").map_or("", |(_, after)| after);
        let inside = after.split_once('>').map_or("", |(_, after)| after);
        unescaped(inside.split("</p>").next().unwrap_or_default())
    }

    /// Where its links lead, resolved, in their order.
    pub fn links(&self) -> Vec<String> {
        let html = self.html();
        let found = tags(&html, "a").filter_map(|(tag, _)| attribute(tag, "href"));
        found.map(|to| resolved(&self.at, &to)).collect()
    }

    /// Where its link with this text leads, resolved.
    #[track_caller]
    pub fn link(&self, text: &str) -> String {
        let html = self.html();
        let inside = |rest: &str| unescaped(rest.split("</a>").next().unwrap()).trim() == text;
        let found = tags(&html, "a").find(|(_, rest)| inside(rest));
        let (tag, _) = found.unwrap_or_else(|| panic!("no link {text:?} in {html}"));
        resolved(&self.at, &attribute(tag, "href").unwrap())
    }

    /// Whether it has a form that is sent to a path.
    pub fn has_form(&self, action: &str) -> bool {
        self.forms().iter().any(|form| form.action.split('?').next() == Some(action))
    }

    /// Its form that is sent to a path.
    #[track_caller]
    pub fn form(&self, action: &str) -> Form {
        let forms = self.forms();
        let found = forms.iter().find(|form| form.action.split('?').next() == Some(action));
        let all: Vec<_> = forms.iter().map(|form| form.action.as_str()).collect();
        found.unwrap_or_else(|| panic!("{}: no form to {action} in {all:?}", self.at)).clone()
    }

    /// All of its forms.
    pub fn forms(&self) -> Vec<Form> {
        let html = self.html();
        tags(&html, "form").map(|(tag, rest)| self.read(tag, rest)).collect()
    }

    fn read(&self, tag: &str, rest: &str) -> Form {
        let inside = rest.split("</form>").next().unwrap();
        let action = attribute(tag, "action").unwrap_or_default();
        let mut fields = Vec::new();
        for (tag, _) in tags(inside, "input") {
            let kind = attribute(tag, "type").unwrap_or_default();
            let sent = match kind.as_str() {
                "checkbox" | "radio" => attribute(tag, "checked").is_some(),
                "submit" | "button" | "file" => false,
                _ => true,
            };
            let value = attribute(tag, "value");
            let value = value.unwrap_or_else(|| if sent { String::new() } else { "on".into() });
            if let (true, Some(name)) = (sent, attribute(tag, "name")) {
                fields.push((name, value));
            }
        }
        for (tag, rest) in tags(inside, "textarea") {
            let text = rest.split("</textarea>").next().unwrap();
            fields.extend(attribute(tag, "name").map(|name| (name, unescaped(text))));
        }
        for (tag, rest) in tags(inside, "select") {
            let options = rest.split("</select>").next().unwrap();
            let options: Vec<_> = tags(options, "option").collect();
            let chosen = options.iter().find(|(it, _)| attribute(it, "selected").is_some());
            if let (Some(name), Some((it, text))) =
                (attribute(tag, "name"), chosen.or(options.first()))
            {
                let text = text.split("</option>").next().unwrap();
                fields.push((name, attribute(it, "value").unwrap_or_else(|| unescaped(text))));
            }
        }
        Form { action: resolved(&self.at, &action), fields }
    }
}

impl Form {
    /// Types a value into a field; replaces all of that name.
    pub fn set(&mut self, name: &str, value: &str) {
        self.remove(name);
        self.fields.push((name.to_string(), value.to_string()));
    }

    /// Leaves a field out.
    pub fn remove(&mut self, name: &str) {
        self.fields.retain(|(it, _)| it != name);
    }

    /// What is in a field.
    #[track_caller]
    pub fn value(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(it, _)| it == name);
        &found.unwrap_or_else(|| panic!("no field {name} in {:?}", self.fields)).1
    }

    /// As it is sent.
    pub fn encoded(&self) -> String {
        let pairs: Vec<_> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        encoded(&pairs)
    }
}

/// Fields as a form sends them.
pub fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// Where a link leads from a path: its path and query where it is here, all of it elsewhere.
pub fn resolved(at: &str, to: &str) -> String {
    let here = Url::parse("http://desk.invalid").unwrap().join(at).unwrap();
    let there = here.join(to).unwrap();
    match there.host_str() == here.host_str() && there.scheme() == here.scheme() {
        true => there[url::Position::BeforePath..url::Position::AfterQuery].to_string(),
        false => there.to_string(),
    }
}

/// Tags of a name, and what comes after each.
pub fn tags<'a>(html: &'a str, name: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let start = format!("<{name}");
    html.match_indices(&start).collect::<Vec<_>>().into_iter().filter_map(move |(at, it)| {
        let rest = &html[at + it.len()..];
        if !rest.starts_with([' ', '>', '\n', '/']) {
            return None;
        }
        rest.split_once('>')
    })
}

/// An attribute of a tag, without its entities; empty where it has no value.
pub fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches([' ', '\n', '/']);
        let end = rest.find(['=', ' ', '\n', '/']).unwrap_or(rest.len());
        let (found, after) = rest.split_at(end);
        if found.is_empty() {
            return None;
        }
        let (value, after) = match after.strip_prefix('=') {
            Some(value) => {
                let quote = value.chars().next().filter(|it| matches!(it, '"' | '\''));
                let quote = quote.unwrap_or_else(|| panic!("a value without quotes: {tag}"));
                value[1..].split_once(quote).unwrap()
            }
            None => ("", after),
        };
        if found == name {
            return Some(unescaped(value));
        }
        rest = after;
    }
}

/// A text without the entities that pages write, each once.
pub fn unescaped(text: &str) -> String {
    let known = [
        ("&#60;", '<'),
        ("&#62;", '>'),
        ("&#34;", '"'),
        ("&#39;", '\''),
        ("&#38;", '&'),
        ("&lt;", '<'),
        ("&gt;", '>'),
        ("&quot;", '"'),
        ("&amp;", '&'),
    ];
    let (mut plain, mut rest) = (String::new(), text);
    while let Some((before, _)) = rest.split_once('&') {
        plain += before;
        rest = &rest[before.len()..];
        let found = known.iter().find_map(|(it, one)| Some((rest.strip_prefix(it)?, *one)));
        let (after, one) = found.unwrap_or((&rest[1..], '&'));
        plain.push(one);
        rest = after;
    }
    plain + rest
}
