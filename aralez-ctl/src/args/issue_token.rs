//! The arguments of `issue-token`.

use aralez_runtime::token::MAX_MINUTES;
use reqwest::Url;

/// The parameter of a URL that carries a token, as documented.
const PARAMETER: &str = "araleztoken";

/// Issue a token that opens routes with `authorization: {type: jwt}`.
#[derive(clap::Args, Debug)]
pub struct IssueToken {
    /// Name of the client that will use the token
    #[arg(long, value_name = "NAME")]
    pub owner: String,
    /// Lifetime in whole minutes: `10m`, `12h`, `30d`
    #[arg(long = "valid", value_name = "D", value_parser = minutes)]
    pub minutes: u64,
    /// Print this URL with the token in its query (`araleztoken`), instead of the token alone
    #[arg(long, value_name = "URL", value_parser = link)]
    pub link: Option<Url>,
    /// Sign on this machine, without control, with the environment variable JWT_KEY, else with the master key
    #[arg(long)]
    pub offline: bool,
}

/// Parses a lifetime. Control counts in minutes, so a part of a minute is refused, with or without control.
fn minutes(text: &str) -> Result<u64, String> {
    let duration = aralez_proto::main_config::duration(text)?;
    let (minutes, rest) = (duration.as_secs() / 60, duration.as_millis() % 60_000);
    if rest > 0 || !(1..=MAX_MINUTES).contains(&minutes) {
        return Err(
            "a token is valid for whole minutes, from 1m to 3650d (a number without a unit is seconds)".to_owned(),
        );
    }
    Ok(minutes)
}

fn link(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("expected http:// or https://".to_owned());
    }
    if url.query_pairs().any(|(name, _)| name == PARAMETER) {
        return Err(format!("the URL already has a parameter {PARAMETER}"));
    }
    Ok(url)
}

/// Returns the URL with a token at the end of its query.
pub(crate) fn with_token(mut link: Url, token: &str) -> Url {
    link.query_pairs_mut().append_pair(PARAMETER, token);
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lifetime_is_whole_minutes() {
        for (text, expected) in [("1m", 1), ("60", 1), ("12h", 720), ("3650d", MAX_MINUTES)] {
            assert_eq!(minutes(text), Ok(expected), "{text}");
        }
        for wrong in [
            "", "0", "10", "90s", "0.5m", "10ms", "3651d", "-1m", "tomorrow",
        ] {
            assert!(minutes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_link_keeps_its_query_and_its_fragment() {
        for (text, expected) in [
            ("http://a.test", "http://a.test/?araleztoken=x.y-z"),
            ("http://a.test/p", "http://a.test/p?araleztoken=x.y-z"),
            ("http://a.test/p?", "http://a.test/p?araleztoken=x.y-z"),
            (
                "https://a.test:8443/p?a=%20b&c#d",
                "https://a.test:8443/p?a=%20b&c&araleztoken=x.y-z#d",
            ),
        ] {
            assert_eq!(with_token(link(text).unwrap(), "x.y-z").as_str(), expected);
        }
        let escaped = with_token(link("http://a.test").unwrap(), "a&b#");
        assert_eq!(escaped.as_str(), "http://a.test/?araleztoken=a%26b%23");
        for wrong in [
            "",
            "a.test/p",
            "ftp://a.test/",
            "http://a.test/?araleztoken=x",
        ] {
            assert!(link(wrong).is_err(), "{wrong}");
        }
    }
}
