//! Arguments of `explain` and `routes`.

use std::net::IpAddr;
use std::path::PathBuf;

use aralez_proto::main_config::Secret;
use aralez_proto::model::{GroupName, NodeName};

use super::secret;

/// Show what a proxy does with a request. It is decided by the code of the proxy, and no request is sent.
#[derive(clap::Args, Debug)]
pub struct Explain {
    /// The method
    pub method: String,
    /// `http://HOST[:PORT]/PATH?QUERY`, `https://…`, or a path with `-H 'Host: NAME'`
    #[arg(value_parser = secret)]
    pub url: Secret,
    /// A header field of the request: `Name: value`
    #[arg(short = 'H', long = "header", value_name = "FIELD", value_parser = secret)]
    pub headers: Vec<Secret>,
    /// The address that the connection comes from
    #[arg(long, value_name = "ADDR")]
    pub client: Option<IpAddr>,
    /// The main.yaml of the proxy, for the port of HTTPS
    #[arg(long, value_name = "FILE")]
    pub main: Option<PathBuf>,
    /// The documents.
    #[command(flatten)]
    pub documents: DocumentsFrom,
}

/// List all routes: of files, of the newest revision, or of what a node runs.
#[derive(clap::Args, Debug)]
pub struct Routes {
    /// The documents.
    #[command(flatten)]
    pub documents: DocumentsFrom,
}

/// The documents to read. Without arguments: those of the newest revision, from control.
#[derive(clap::Args, Debug)]
pub struct DocumentsFrom {
    /// An upstreams.yaml, a file of conf.d, or a folder with both; no server is asked
    #[arg(long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The documents that this node runs now
    #[arg(long, value_name = "NODE", conflicts_with_all = ["files", "group"])]
    pub node: Option<NodeName>,
    /// The group of nodes whose hosts are regarded
    #[arg(long, value_name = "GROUP", default_value = "default")]
    pub group: GroupName,
}
