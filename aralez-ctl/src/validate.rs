//! `validate`: checks files as control would, without a server.

mod files;

use std::path::Path;

use aralez_proto::document::{self, Authored, DocumentFault, DocumentFaults, Place, Surroundings};
use aralez_proto::main_config;
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use serde_json::{Value, json};

use crate::args::{Format, Validate};
use crate::exit::{Exit, Failure};
use crate::output;

pub(crate) use files::{Documents, read_document};
use files::{is_main, shown};

/// The result for one FILE.
#[derive(Debug)]
struct Report {
    file: String,
    /// Messages without a place: an unreadable file, or a fault of the whole snapshot.
    errors: Vec<String>,
    faults: Vec<DocumentFault>,
    warnings: Vec<DocumentFault>,
    summary: Summary,
}

/// Content of a valid file.
#[derive(Debug, Default, PartialEq, Eq)]
enum Summary {
    #[default]
    Main,
    Documents {
        hosts: usize,
        routes: usize,
        endpoints: usize,
    },
}

/// Runs the verb.
pub(crate) fn run(validate: &Validate, format: Format) -> Result<(), Failure> {
    let check = |file| check(file, validate);
    let reports: Vec<Report> = validate.files.iter().map(|file| check(file)).collect();
    for report in &reports {
        output::say(&words(report));
    }
    let files: Vec<Value> = reports.iter().map(data).collect();
    let several = reports.len() > 1;
    let good = reports.iter().filter(|report| report.is_good());
    let table: String = good.map(|report| report.line(several)).collect();
    let valid = reports.iter().all(Report::is_good);
    let value = json!({"version": 1, "valid": valid, "files": files});
    output::print(format, &value, &table)?;
    if valid {
        return Ok(());
    }
    Err(Failure::new(Exit::Refused, ""))
}

fn check(file: &Path, validate: &Validate) -> Report {
    if validate.main || is_main(file) {
        return check_main(file);
    }
    match Documents::read(file, validate.with_conf_d) {
        Ok(documents) => check_documents(file, &documents),
        Err(error) => Report::new(file, vec![error]),
    }
}

fn check_main(file: &Path) -> Report {
    let text = match read_document(file) {
        Ok(text) => text,
        Err(error) => return Report::new(file, vec![error]),
    };
    match main_config::read(&shown(file), &text) {
        Ok(config) => Report {
            warnings: config.idle,
            ..Report::new(file, Vec::new())
        },
        Err(faults) => Report {
            faults: faults.0,
            ..Report::new(file, Vec::new())
        },
    }
}

fn check_documents(file: &Path, documents: &Documents) -> Report {
    let report = Report::new(file, Vec::new());
    let authored = match documents.authored(&Surroundings::default()) {
        Ok(authored) => authored,
        Err(DocumentFaults(faults)) => return Report { faults, ..report },
    };
    // Check as a node would, for faults that show only in the whole set, such as a dangling reference.
    let records = document::records_of_all_groups(&authored);
    let built = Snapshot::complete(Version::default(), records, &Limits::default());
    Report {
        errors: built
            .err()
            .map(|faults| faults.as_slice().iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        summary: summary(&authored),
        warnings: authored.warnings,
        ..report
    }
}

fn summary(authored: &Authored) -> Summary {
    let hosts = &authored.hosts;
    let pools = hosts.iter().flat_map(|host| &host.pools);
    Summary::Documents {
        hosts: hosts.len(),
        routes: hosts.iter().map(|host| host.host.routes.len()).sum(),
        endpoints: pools.map(|pool| pool.endpoints.len()).sum(),
    }
}

impl Report {
    fn new(file: &Path, errors: Vec<String>) -> Self {
        Self {
            file: shown(file),
            errors,
            faults: Vec::new(),
            warnings: Vec::new(),
            summary: Summary::Main,
        }
    }

    fn is_good(&self) -> bool {
        self.errors.is_empty() && self.faults.is_empty()
    }

    /// Formats the summary of a valid file, with its name in front if there are several.
    fn line(&self, several: bool) -> String {
        let summary = match self.summary {
            Summary::Main => "valid".to_owned(),
            Summary::Documents {
                hosts,
                routes,
                endpoints,
            } => [(hosts, "host"), (routes, "route"), (endpoints, "endpoint")]
                .map(counted)
                .join(", "),
        };
        match several {
            true => format!("{}: {summary}\n", self.file),
            false => format!("{summary}\n"),
        }
    }
}

fn counted((count, what): (usize, &str)) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {what}{s}")
}

fn words(report: &Report) -> String {
    let errors = report.errors.iter().cloned();
    let faults = report.faults.iter().map(ToString::to_string);
    let warnings = report.warnings.iter();
    let warnings = warnings.map(|warning| format!("warning: {warning}"));
    let lines: Vec<String> = errors.chain(faults).chain(warnings).collect();
    lines.join("\n")
}

fn data(report: &Report) -> Value {
    let faults =
        |faults: &[DocumentFault]| -> Vec<Value> { faults.iter().map(fault_data).collect() };
    let mut value = json!({
        "file": report.file,
        "valid": report.is_good(),
        "errors": report.errors,
        "faults": faults(&report.faults),
        "warnings": faults(&report.warnings),
    });
    if let Summary::Documents {
        hosts,
        routes,
        endpoints,
    } = report.summary
    {
        value["hosts"] = json!(hosts);
        value["routes"] = json!(routes);
        value["endpoints"] = json!(endpoints);
    }
    value
}

fn fault_data(fault: &DocumentFault) -> Value {
    let Place { file, line, column } = &fault.place;
    json!({"file": file, "line": line, "column": column, "path": fault.path, "reason": fault.reason})
}

#[cfg(test)]
mod tests;
