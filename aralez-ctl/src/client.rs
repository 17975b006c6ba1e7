//! HTTP client of control's config API.

use std::error::Error;
use std::time::Duration;

use aralez_proto::main_config::Secret;
use reqwest::{Method, StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

use crate::answer::Problem;
use crate::args::Global;
use crate::exit::{Exit, Failure};

const CONNECT: Duration = Duration::from_secs(5);
/// Request timeout. Committing the largest set of documents takes seconds.
const ANSWER: Duration = Duration::from_secs(60);
/// Timeout for downloading a backup.
const DOWNLOAD: Duration = Duration::from_hours(1);

/// The remedy for a missing or wrong key.
pub(crate) const KEY_HINT: &str = "set the master key with ARALEZ_KEY or --key";

/// Client of one control.
#[derive(Debug)]
pub(crate) struct Client {
    server: Url,
    key: Option<Secret>,
    http: reqwest::Client,
}

/// A request body.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The media type.
    pub(crate) kind: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Control's response.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Client {
    /// Creates a client for the control that the arguments name.
    pub(crate) fn of(global: &Global) -> Result<Self, Failure> {
        let server = server(&global.server)?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| Failure::refused(format!("cannot create the HTTP client: {error}")))?;
        let key = global.key.clone().filter(|key| !key.reveal().is_empty());
        Ok(Self { server, key, http })
    }

    /// Returns the master key that this client sends, if any.
    pub(crate) const fn key(&self) -> Option<&Secret> {
        self.key.as_ref()
    }

    /// Fetches `path`; fails on any status but success.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.ask(Method::GET, path, &[], Vec::new()).await?.good()
    }

    /// Sends a request with a YAML body. Error statuses are returned as answers, not as failures.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        bytes: Vec<u8>,
    ) -> Result<HttpAnswer, Failure> {
        let kind = "application/yaml";
        self.ask_with(method, path, query, Body { kind, bytes })
            .await
    }

    /// Sends a request like [`Client::ask`], with a body of another type.
    pub(crate) async fn ask_with(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, String)],
        body: Body,
    ) -> Result<HttpAnswer, Failure> {
        let mut url = self.server.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = self.http.request(method, url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.reveal());
        }
        if !body.bytes.is_empty() {
            request = request.header("content-type", body.kind).body(body.bytes);
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreached(&error))?;
        let status = response.status();
        let bytes = response
            .bytes()
            .await
            .map_err(|error| self.unreached(&error))?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        if status.is_success() && !bytes.is_empty() && !body.is_object() {
            let words = format!("{} is not control: unexpected response", self.server);
            return Err(Failure::new(Exit::Unreached, words));
        }
        Ok(HttpAnswer { status, body })
    }

    /// Requests `path` and returns the response with its body unread; fails on any status but success.
    pub(crate) async fn download(&self, path: &str) -> Result<reqwest::Response, Failure> {
        let mut url = self.server.clone();
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        let mut request = self.http.get(url).timeout(DOWNLOAD);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.reveal());
        }
        let response = request
            .send()
            .await
            .map_err(|error| self.unreached(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let bytes = response
            .bytes()
            .await
            .map_err(|error| self.unreached(&error))?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let problem = HttpAnswer { status, body }.problem();
        Err(Failure::new(Exit::Refused, refusal(status, &problem)))
    }

    pub(crate) fn unreached(&self, error: &reqwest::Error) -> Failure {
        let mut reason: &dyn Error = error;
        while let Some(source) = reason.source() {
            reason = source;
        }
        let reason = if error.is_timeout() {
            "timeout".to_owned()
        } else {
            reason.to_string()
        };
        let words = format!(
            "cannot reach control at {}: {reason} (is it running? set another address with --server or ARALEZ_SERVER)",
            self.server
        );
        Failure::new(Exit::Unreached, words)
    }
}

fn server(text: &str) -> Result<Url, Failure> {
    let wrong = |reason: &str| Failure::new(Exit::Usage, format!("--server {text}: {reason}"));
    if text.starts_with("https://") {
        return Err(wrong(
            "https is not supported in this release; use http on loopback or an SSH tunnel",
        ));
    }
    if text.starts_with("unix:") {
        return Err(wrong("the config API has no socket; use http://HOST:PORT"));
    }
    let full = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    let url = Url::parse(&full).map_err(|error| wrong(&error.to_string()))?;
    if url.scheme() != "http" || !url.has_host() {
        return Err(wrong("not a URL such as http://127.0.0.1:3000"));
    }
    Ok(url)
}

impl HttpAnswer {
    /// Returns the body of a success. Any other status becomes a failure with a message for people.
    pub(crate) fn good(self) -> Result<Value, Failure> {
        if self.status.is_success() {
            return Ok(self.body);
        }
        let exit = Exit::Refused;
        Err(Failure::new(exit, refusal(self.status, &self.problem())))
    }

    /// Parses the body as a problem; an empty problem if it is none.
    pub(crate) fn problem(&self) -> Problem {
        Problem::deserialize(&self.body).unwrap_or_default()
    }
}

fn refusal(status: StatusCode, problem: &Problem) -> String {
    let title = match (problem.title.is_empty(), problem.detail.is_empty()) {
        (true, _) if status == StatusCode::FORBIDDEN => "access denied".to_owned(),
        (true, _) => status.to_string(),
        (false, true) => problem.title.clone(),
        (false, false) => format!("{}: {}", problem.title, problem.detail),
    };
    let faults = problem.faults.iter().map(|fault| fault.line());
    let head = std::iter::once(format!("refused by control: {title}"));
    // No other refusal is cured by another key.
    let unauthorised = status == StatusCode::UNAUTHORIZED;
    let hint = unauthorised.then(|| KEY_HINT.to_owned());
    let lines: Vec<String> = head.chain(faults).chain(hint).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_leave_out_the_scheme() {
        assert_eq!(
            server("127.0.0.1:3000").unwrap().as_str(),
            "http://127.0.0.1:3000/"
        );
        assert_eq!(server("http://a/b").unwrap().as_str(), "http://a/b");
    }

    #[test]
    fn what_is_no_address_or_needs_tls_is_a_usage_error() {
        for text in ["https://a:3001", "ftp://a", "unix:/tmp/x", "http://", ""] {
            let failure = server(text).unwrap_err();
            assert_eq!(failure.exit, Exit::Usage, "{text}");
        }
    }

    #[test]
    fn a_refusal_names_every_fault_on_its_line() {
        let body = serde_json::json!({"title": "2 faults", "faults": [
            {"file": "upstreams.yaml", "line": 1, "column": 1, "path": "a", "reason": "x"},
            {"resource": "Pool \"p\"", "field": "f", "reason": "y"},
        ]});
        let answer = HttpAnswer {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            body,
        };
        let failure = answer.good().unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert_eq!(
            failure.words,
            "refused by control: 2 faults\nupstreams.yaml:1:1: a: x\nPool \"p\" f: y"
        );
    }

    #[test]
    fn a_wrong_key_says_how_to_give_one() {
        let answer = HttpAnswer {
            status: StatusCode::UNAUTHORIZED,
            body: Value::Null,
        };
        let failure = answer.good().unwrap_err();
        assert_eq!(failure.exit, Exit::Refused);
        assert!(failure.words.contains("ARALEZ_KEY"));
    }
}
