//! Checks of `main.yaml` that involve several keys.

use crate::main_config::keys::MainKeys;
use crate::main_config::values::Grade;
use crate::reading::{Reader, Spanned, written};
use crate::yaml::Spot;

/// A key of a set that is valid only as a whole, and its position.
type Member = (&'static str, Option<Spot>);

/// Checks keys against each other.
pub(crate) fn check(keys: &MainKeys, reader: &mut Reader<'_>) {
    let tls = [
        (
            "config_tls_address",
            place(keys.config_tls_address.as_ref()),
        ),
        (
            "config_tls_certificate",
            place(keys.config_tls_certificate.as_ref()),
        ),
        (
            "config_tls_key_file",
            place(keys.config_tls_key_file.as_ref()),
        ),
    ];
    let files = [
        (
            "file_server_folder",
            place(keys.file_server_folder.as_ref()),
        ),
        (
            "file_server_address",
            place(keys.file_server_address.as_ref()),
        ),
    ];
    let user = [
        ("runuser", place(keys.runuser.as_ref())),
        ("rungroup", place(keys.rungroup.as_ref())),
    ];
    all_or_none(&tls, reader);
    all_or_none(&files, reader);
    all_or_none(&user, reader);
    check_grade(keys, reader);
    check_target(keys, reader);
    check_tunnel_grace(keys, reader);
}

fn place<T>(key: Option<&Spanned<T>>) -> Option<Spot> {
    key.map(|key| key.at)
}

fn all_or_none(members: &[Member], reader: &mut Reader<'_>) {
    let missing: Vec<String> = members
        .iter()
        .filter(|(_, at)| at.is_none())
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    let Some((name, at)) = members
        .iter()
        .find_map(|(name, at)| at.map(|at| (*name, at)))
    else {
        return;
    };
    if !missing.is_empty() {
        let reason = format!("requires {}", missing.join(" and "));
        reader.under(name, |reader| reader.fault(at, reason));
    }
}

fn check_grade(keys: &MainKeys, reader: &mut Reader<'_>) {
    let allowed = keys
        .proxy_tls_unsafe
        .as_ref()
        .is_some_and(|key| key.value.0);
    let Some(grade) = &keys.proxy_tls_grade else {
        return;
    };
    if grade.value.0 == Grade::Unsafe && !allowed {
        reader.under("proxy_tls_grade", |reader| {
            reader.fault(
                grade.at,
                "the grade `unsafe` requires `proxy_tls_unsafe: true`",
            );
        });
    }
}

/// A target is part of its head, so a `max_target` above `max_head` could never be reached.
fn check_target(keys: &MainKeys, reader: &mut Reader<'_>) {
    let (Some(target), Some(head)) = (&keys.max_target, &keys.max_head) else {
        return;
    };
    let (longest, largest) = (target.value.0, head.value.0);
    if longest > largest {
        let reason = format!(
            "is {}, which exceeds `max_head` ({}): the target is part of the head",
            written(longest),
            written(largest)
        );
        reader.under("max_target", |reader| reader.fault(target.at, reason));
    }
}

/// The process exits at the end of its grace period, which closes its tunnels: a longer `tunnel_grace` could not be kept.
fn check_tunnel_grace(keys: &MainKeys, reader: &mut Reader<'_>) {
    let (Some(tunnels), Some(grace)) = (&keys.tunnel_grace, &keys.grace_period) else {
        return;
    };
    let (longest, whole) = (tunnels.value.0, grace.value.0);
    if longest > whole {
        let reason = format!(
            "is {longest:?}, which exceeds `grace_period` ({whole:?}), at whose end the process exits"
        );
        reader.under("tunnel_grace", |reader| reader.fault(tunnels.at, reason));
    }
}
