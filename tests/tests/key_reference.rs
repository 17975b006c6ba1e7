//! `docs/keys.md` lists every key of both files, and the documentation shows every key of documents in an example that is tested.
//!
//! The list is made from the JSON Schemas, which are made from the declarations of keys in `proto`. `ARALEZ_RENEW=1 cargo test -p aralez-tests
//! --test key_reference` writes it again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use aralez_proto::{main_config, schema};
use aralez_tests::documentation::examples;
use aralez_tests::files::workspace;
use serde_json::Value;

const LIST: &str = "docs/keys.md";

/// Keys that this release refuses by checks of their own, unless their value is the default.
const REFUSED: [&str; 4] = [
    "pools.servers.backup",
    "pools.servers.weight",
    "servers.backup",
    "servers.weight",
];

/// The mark of a key that this release refuses.
const LATER: &str = "Not in this release";

/// Keys by dotted path: each with its schema and the scopes that have it.
type Keys<'s> = BTreeMap<String, Found<'s>>;

struct Found<'s> {
    schema: &'s Value,
    scopes: BTreeSet<&'static str>,
    /// The remark on the key, or on one around it.
    remark: Option<&'s str>,
}

/// The maps inside a schema, without those that stand for names: of hosts, paths, headers.
fn maps(schema: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    if schema.get("properties").is_some() {
        found.push(schema);
    }
    let inner = ["anyOf", "oneOf"]
        .into_iter()
        .filter_map(|key| schema.get(key)?.as_array());
    let items = schema.get("items").into_iter();
    found.extend(inner.flatten().chain(items).flat_map(maps));
    found
}

/// Adds the keys of a map, and those inside them. The rules of services, which are those of a path, are not repeated.
fn collect<'s>(
    (prefix, scope): (&str, &'static str),
    map: &'s Value,
    remark: Option<&'s str>,
    keys: &mut Keys<'s>,
) {
    for (name, schema) in map["properties"].as_object().into_iter().flatten() {
        let about = schema["description"].as_str().unwrap_or_default();
        if about.starts_with("Another name of")
            || prefix.ends_with(".services.") && keys.contains_key(name)
        {
            continue;
        }
        let path = format!("{prefix}{name}");
        let refused = REFUSED.contains(&path.as_str()).then_some(LATER);
        let own = schema["$comment"].as_str().or(refused);
        let remark = own.or(remark);
        let found = keys.entry(path.clone()).or_insert_with(|| Found {
            schema,
            scopes: BTreeSet::new(),
            remark,
        });
        found.scopes.insert(scope);
        for inner in maps(schema) {
            collect((&format!("{path}."), scope), inner, remark, keys);
        }
    }
}

fn document_keys(schema: &Value) -> Keys<'_> {
    let mut keys = Keys::new();
    let scopes = [
        ("path", &schema["$defs"]["route"]),
        ("host", &schema["$defs"]["host"]),
        ("top", schema),
    ];
    for (scope, map) in scopes {
        collect(("", scope), map, None, &mut keys);
    }
    keys
}

/// Returns the other names of each key of a map.
fn aliases(schema: &Value) -> BTreeMap<String, Vec<String>> {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let all = maps(schema).into_iter();
    let defs = schema["$defs"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(_, map)| map);
    let properties = all
        .chain(defs)
        .filter_map(|map| map["properties"].as_object());
    for (name, schema) in properties.flatten() {
        let about = schema["description"].as_str().unwrap_or_default();
        if let Some(rest) = about.strip_prefix("Another name of `") {
            let of = rest.split('`').next().unwrap_or_default().to_owned();
            let others = names.entry(of).or_default();
            if !others.contains(name) {
                others.push(name.clone());
            }
        }
    }
    names
}

/// Returns the form of a value: as faults say it, with its range.
fn form(schema: &Value) -> String {
    let title = schema["title"].as_str().unwrap_or_default();
    let number = |key: &str| schema[key].as_u64();
    let range = match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => format!(", {least} to {most}"),
        (Some(least), None) => format!(", at least {least}"),
        _ => String::new(),
    };
    let words = schema["enum"].as_array().into_iter().flatten();
    let words: Vec<String> = words
        .filter_map(|word| Some(format!("`{}`", word.as_str()?)))
        .collect();
    let lists = schema["anyOf"].as_array().into_iter().flatten();
    let list = match lists.into_iter().any(|one| one["type"] == "array") && !title.contains("list")
    {
        true => ", or a list of them",
        false => "",
    };
    match words.is_empty() {
        true => format!("{title}{range}{list}"),
        false => words.join(", "),
    }
}

/// Returns the meaning and the default.
fn meaning(found: &Found<'_>, aliases: &[String]) -> (String, String) {
    let about = found.schema["description"].as_str().unwrap_or_default();
    let (about, default) = match about.rsplit_once("Default: ") {
        Some((about, default)) => (about.trim(), default.trim_end_matches('.')),
        None => (about, ""),
    };
    let mut about = about.to_owned();
    if !aliases.is_empty() {
        let names: Vec<String> = aliases.iter().map(|name| format!("`{name}`")).collect();
        let _ = write!(about, " Also {}.", names.join(", "));
    }
    if let Some(remark) = found.remark {
        // The page explains the remark once.
        let remark = remark.split(':').next().unwrap_or_default();
        let _ = write!(about, " **{}.**", remark.trim_end_matches('.'));
    }
    (about.trim().to_owned(), default.to_owned())
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn rendered() -> String {
    let (documents, main) = (schema::upstreams(), schema::main());
    let mut page = "# Keys\n\nEvery key of both configuration files. This page is made from the declarations that the daemons read \
         (`ARALEZ_RENEW=1 cargo test -p aralez-tests --test key_reference`). `aralez-ctl schema` prints them as JSON Schema.\n\n\
         ## upstreams.yaml and conf.d\n\nA dot leads to a key inside a map, or inside each map of a list. \
         *At*: at the top, at a host, at a path; the narrower one wins. Files of `conf.d` have hosts only. \
         *Not in this release*: a value that turns the feature on is refused. The services of `consul` and `kubernetes` also take the rules of a path.\n\n\
         | key | at | value | default | meaning |\n|---|---|---|---|---|\n"
        .to_owned();
    let names = aliases(&documents);
    for (path, found) in document_keys(&documents) {
        let scopes = ["top", "host", "path"]
            .into_iter()
            .filter(|scope| found.scopes.contains(scope));
        let scopes = scopes.collect::<Vec<_>>().join(", ");
        let others = names.get(&path).map_or(&[][..], Vec::as_slice);
        let (about, default) = meaning(&found, others);
        let cells = [&form(found.schema), &default, &about].map(|text| cell(text));
        let _ = writeln!(page, "| `{path}` | {scopes} | {} |", cells.join(" | "));
    }
    page.push_str(
        "\n## main.yaml\n\nOne flat map, which both daemons may share. *Owner*: the daemon that reads the key; `each`: both, and the supervisor. \
         *Applied*: `live` on SIGHUP, else at a restart.\n\n\
         | key | owner | applied | value | default | meaning |\n|---|---|---|---|---|---|\n",
    );
    let mut keys = Keys::new();
    collect(("", "main"), &main, None, &mut keys);
    let owned: BTreeMap<_, _> = main_config::owned_keys()
        .map(|(key, owner, live)| (key, (owner.name(), live)))
        .collect();
    for (path, found) in keys {
        let top = path.split('.').next().unwrap_or_default();
        let (owner, live) = owned[top];
        let applied = if live { "live" } else { "restart" };
        let (about, default) = meaning(&found, &[]);
        let cells = [&form(found.schema), &default, &about].map(|text| cell(text));
        let _ = writeln!(
            page,
            "| `{path}` | {owner} | {applied} | {} |",
            cells.join(" | ")
        );
    }
    page
}

#[test]
fn every_key_says_what_it_takes_and_what_it_means() {
    let (documents, main) = (schema::upstreams(), schema::main());
    let mut keys = document_keys(&documents);
    collect(("", "main"), &main, None, &mut keys);
    for (path, found) in keys {
        let (about, _) = meaning(&found, &[]);
        assert!(
            !about.is_empty() && !form(found.schema).is_empty(),
            "{path}"
        );
    }
}

#[test]
fn the_reference_lists_every_key_as_it_is_declared() {
    let path = workspace().join(LIST);
    let page = rendered();
    if std::env::var_os("ARALEZ_RENEW").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differing = page
        .lines()
        .zip(kept.lines())
        .find(|(now, kept)| now != kept);
    assert!(
        page == kept,
        "{LIST} differs from the declarations; renew it with ARALEZ_RENEW=1: {differing:?}"
    );
}

/// Notes the keys that a value of this schema has.
fn shown(prefix: &str, value: &Value, schema: &Value, keys: &mut BTreeSet<String>) {
    for element in value.as_array().into_iter().flatten() {
        shown(prefix, element, schema, keys);
    }
    for map in maps(schema) {
        for (name, inner) in value.as_object().into_iter().flatten() {
            let Some(schema) = map["properties"].get(name) else {
                continue;
            };
            let about = schema["description"].as_str().unwrap_or_default();
            let of = about.strip_prefix("Another name of `");
            let name = of.map_or(name.as_str(), |rest| {
                rest.split('`').next().unwrap_or_default()
            });
            let path = format!("{prefix}{name}");
            shown(&format!("{path}."), inner, schema, keys);
            keys.insert(path);
        }
    }
}

/// Notes the keys of a whole document.
fn shown_in(document: &Value, schema: &Value, keys: &mut BTreeSet<String>) {
    let (host, route) = (&schema["$defs"]["host"], &schema["$defs"]["route"]);
    shown("", document, schema, keys);
    let wrapped = document.get("upstreams").and_then(Value::as_object);
    let hosts = document.as_object().into_iter().chain(wrapped).flatten();
    for (_, written) in hosts.filter(|(_, host)| host.get("paths").is_some()) {
        shown("", written, host, keys);
        for (_, path) in written["paths"].as_object().into_iter().flatten() {
            shown("", path, route, keys);
        }
    }
}

/// Returns the keys in the tested examples of some pages.
fn written_on(pages: &str, schema: &Value) -> BTreeSet<String> {
    let mut written = BTreeSet::new();
    for document in examples(pages) {
        shown_in(&document, schema, &mut written);
    }
    written
}

/// A policy is a key of routes, which hosts and the top may have too.
#[test]
fn the_readme_shows_every_policy_in_a_tested_example() {
    let schema = schema::upstreams();
    let written = written_on("README.md", &schema);
    let keys = document_keys(&schema);
    let policies = keys.iter().filter(|(path, found)| {
        !path.contains('.') && found.scopes.contains("path") && found.remark.is_none()
    });
    let missing: Vec<&String> = policies
        .map(|(path, _)| path)
        .filter(|path| !written.contains(*path))
        .collect();
    assert!(missing.is_empty(), "README.md lacks {missing:?}");
}

#[test]
fn every_key_of_documents_is_shown_in_a_tested_example() {
    let schema = schema::upstreams();
    let written = written_on("", &schema);
    let keys = document_keys(&schema);
    let missing: Vec<&String> = keys
        .iter()
        .filter(|(path, found)| {
            let is_refused = found.remark.is_some();
            !is_refused && !written.contains(*path)
        })
        .map(|(path, _)| path)
        .collect();
    assert!(
        missing.is_empty(),
        "keys without an example in README.md or docs/guide: {missing:#?}"
    );
    let shown: Vec<_> = REFUSED
        .iter()
        .filter(|path| written.contains(**path))
        .collect();
    assert!(
        shown.is_empty(),
        "keys that have an example are not refused; remove them from the list: {shown:?}"
    );
}
