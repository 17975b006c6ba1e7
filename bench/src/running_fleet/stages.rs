//! Duration of control's last commit by stage, from its metrics.

use aralez_tests::fleet::{Fleet, MASTER_KEY};
use aralez_tests::raw::{self, Request};

/// Returns the stages of control's last commit with their times in milliseconds, as text.
///
/// # Panics
/// If control does not return its metrics, or they contain no stages.
pub async fn last_commit(fleet: &Fleet) -> String {
    let request = Request::get("control", "/metrics")
        .header("Authorization", &format!("Bearer {MASTER_KEY}"));
    let answer = raw::send(fleet.api(), &request).await;
    let text = answer.expect("control tells its metrics").text();
    let stages: Vec<_> = text.lines().filter_map(stage).collect();
    assert!(!stages.is_empty(), "no stages in {text}");
    stages.join(", ")
}

/// Formats the metrics line of a stage, such as `parse 12 ms`; `None` for other lines.
fn stage(line: &str) -> Option<String> {
    let rest = line.strip_prefix("aralez_control_stage_last_seconds{stage=\"")?;
    let (name, rest) = rest.split_once("\"}")?;
    let seconds: f64 = rest.trim().parse().ok()?;
    Some(format!("{name} {:.0} ms", seconds * 1e3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_a_stage_is_read() {
        let line = "aralez_control_stage_last_seconds{stage=\"parse\"} 0.512";
        assert_eq!(stage(line).as_deref(), Some("parse 512 ms"));
        assert_eq!(stage("aralez_control_commits_total 3"), None);
    }
}
