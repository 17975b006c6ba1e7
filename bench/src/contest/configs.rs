//! The configurations of the proxies, as text: the same job for each.
//!
//! Each forwards everything to one origin over keep-alive HTTP/1.1 connections, sets `X-Forwarded-For`, `-Proto` and `-Host`, and logs
//! nothing. With many hosts, each knows every host by name. Deviations from the usual defaults are explained.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::scenario::{RouteRules, SECRET, host};

/// The job of a proxy.
#[derive(Clone, Debug)]
pub struct Job {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address of the origin.
    pub origin: SocketAddr,
    /// The number of hosts.
    pub hosts: usize,
    /// The number of threads or processes that serve.
    pub workers: usize,
    /// The rules of the routes.
    pub rules: RouteRules,
    /// A folder whose files are served below `/files/`.
    pub files: Option<PathBuf>,
}

/// The headers that are added to the responses of [`RouteRules::TwoHeaders`], as documented.
const TWO_HEADERS: [(&str, &str); 2] = [
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Max-Age", "86400"),
];

/// Returns the document of our proxy. Unknown hosts are served as well, as the other proxies do.
pub fn document(job: &Job) -> String {
    let hosts = (0..job.hosts).map(host).chain(["DEFAULT".to_owned()]);
    let rules = rules(job);
    let one = |host: String| {
        let servers = format!("      servers:\n        - \"{}\"\n", job.origin);
        let whole = format!("{host}:\n  paths:\n    \"/\":\n{servers}");
        match job.rules {
            RouteRules::None => whole,
            RouteRules::TwoHeaders => format!("{whole}{rules}"),
            RouteRules::Policies | RouteRules::Forward => {
                format!("{whole}    /api:\n{servers}{rules}")
            }
        }
    };
    let files = job
        .files
        .iter()
        .map(|folder| format!("    /files: {{files: \"{}\"}}\n", folder.display()));
    let files: String = files.collect();
    hosts.map(|host| one(host) + &files).collect()
}

/// Returns the rules of a path, as lines of a document.
fn rules(job: &Job) -> String {
    let lines = match job.rules {
        RouteRules::None => Vec::new(),
        RouteRules::TwoHeaders => {
            let headers = TWO_HEADERS.map(|(name, value)| format!("\"{name}:{value}\""));
            vec![format!("headers: [{}]", headers.join(", "))]
        }
        RouteRules::Policies => vec![
            "headers: [\"X-Served-By:bench\"]".to_owned(),
            "server_headers: [\"X-Through:bench\"]".to_owned(),
            "rate_limit: {requests: 1000000000, per: 1s}".to_owned(),
            format!("authorization: {{type: jwt, creds: {SECRET}}}"),
        ],
        RouteRules::Forward => vec![format!(
            "authorization: {{type: forward, url: \"http://{}/auth\"}}",
            job.origin
        )],
    };
    let lines = lines.iter();
    lines.map(|line| format!("      {line}\n")).collect()
}

/// Returns the configuration of nginx; its temporary files go to `folder`. Root's workers stay root, since the folder is accessible to root
/// only.
///
/// Request bodies are streamed, as all other proxies do, through a buffer that holds them: with the default of 16 KiB nginx needs twice the
/// processor time for 64 KiB, and with its default buffering it writes them to disk first. Answers are buffered (its default) but never on
/// disk.
pub fn nginx(job: &Job, folder: &Path, root: bool) -> String {
    let user = if root { "user root;\n" } else { "" };
    let servers: String = (0..job.hosts).map(|number| server(job, number)).collect();
    let folder = folder.display();
    format!(
        "{user}daemon off;\nworker_processes {workers};\nworker_rlimit_nofile 20000;\n\
         error_log {folder}/nginx.err warn;\npid {folder}/nginx.pid;\n\
         events {{\n  worker_connections 16384;\n}}\n\
         http {{\n  access_log off;\n  sendfile on;\n  keepalive_timeout 65s;\n  keepalive_requests 100000000;\n\
         \x20 server_names_hash_max_size {names};\n\
         \x20 client_body_temp_path {folder}/body;\n  proxy_temp_path {folder}/proxy;\n\
         \x20 fastcgi_temp_path {folder}/fastcgi;\n  uwsgi_temp_path {folder}/uwsgi;\n\
         \x20 scgi_temp_path {folder}/scgi;\n\
         \x20 proxy_http_version 1.1;\n  proxy_request_buffering off;\n\
         \x20 client_body_buffer_size 128k;\n  proxy_max_temp_file_size 0;\n\
         \x20 proxy_set_header Host $host;\n  proxy_set_header Connection \"\";\n\
         \x20 proxy_set_header X-Forwarded-For $remote_addr;\n\
         \x20 proxy_set_header X-Forwarded-Proto $scheme;\n\
         \x20 proxy_set_header X-Forwarded-Host $host;\n\
         \x20 upstream origin {{\n    server {origin};\n    keepalive 128;\n\
         \x20   keepalive_requests 100000000;\n  }}\n{servers}}}\n",
        workers = job.workers,
        origin = job.origin,
        names = 4096.max(2 * job.hosts),
    )
}

fn server(job: &Job, number: usize) -> String {
    let headers = match job.rules {
        RouteRules::TwoHeaders => TWO_HEADERS.as_slice(),
        _ => &[],
    };
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| format!("      add_header {name} {value} always;\n"));
    let files = job.files.iter().map(|folder| {
        format!(
            "    location /files/ {{\n      alias {}/;\n    }}\n",
            folder.display()
        )
    });
    let files: String = files.collect();
    format!(
        "  server {{\n    listen {};\n    server_name {};\n    location / {{\n      proxy_pass http://origin;\n{}    }}\n{files}  }}\n",
        job.listen,
        host(number),
        headers.collect::<String>(),
    )
}

/// Returns the configuration of HAProxy. With many hosts it looks them up in the file `map`.
pub fn haproxy(job: &Job, map: &Path) -> String {
    let choice = match job.hosts {
        1 => "  default_backend origin\n".to_owned(),
        _ => format!(
            "  use_backend %[req.hdr(host),lower,map_str({})]\n",
            map.display()
        ),
    };
    format!(
        "global\n  nbthread {}\n  maxconn 11000\n  no strict-limits\n\
         defaults\n  mode http\n  option http-keep-alive\n  http-reuse always\n\
         \x20 timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n\
         \x20 timeout http-request 10s\n  timeout http-keep-alive 60s\n\
         frontend web\n  bind {}\n  option forwardfor\n\
         \x20 http-request set-header X-Forwarded-Proto http\n\
         \x20 http-request set-header X-Forwarded-Host %[req.hdr(host)]\n{choice}\
         backend origin\n  server origin {}\n",
        job.workers, job.listen, job.origin,
    )
}

/// Returns HAProxy's map file of the hosts.
pub fn haproxy_map(job: &Job) -> String {
    let hosts = (0..job.hosts).map(host);
    hosts.map(|host| format!("{host} origin\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(hosts: usize) -> Job {
        Job {
            listen: "127.0.0.1:1000".parse().unwrap(),
            origin: "127.0.0.1:2000".parse().unwrap(),
            hosts,
            workers: 2,
            rules: RouteRules::None,
            files: Some("/srv/files".into()),
        }
    }

    #[test]
    fn every_proxy_knows_every_host() {
        let job = job(3);
        let folder = Path::new("/folder");
        let texts = [document(&job), nginx(&job, folder, true), haproxy_map(&job)];
        for text in texts {
            for number in 0..3 {
                assert!(text.contains(&host(number)), "{number}: {text}");
            }
        }
        assert!(haproxy(&job, Path::new("/folder/map")).contains("map_str(/folder/map)"));
    }

    #[test]
    fn every_document_loads() {
        use aralez_proto::document::{self, DocumentSet, Surroundings};
        for rules in [
            RouteRules::None,
            RouteRules::TwoHeaders,
            RouteRules::Policies,
            RouteRules::Forward,
        ] {
            let text = document(&Job { rules, ..job(2) });
            let set = DocumentSet::of_main(text.clone().into());
            let read = document::read(&set, &Surroundings::default());
            assert!(read.is_ok(), "{text}: {read:?}");
        }
    }

    #[test]
    fn every_proxy_has_its_workers_and_its_addresses() {
        let job = job(1);
        let nginx = nginx(&job, Path::new("/folder"), false);
        assert!(nginx.contains("worker_processes 2;"), "{nginx}");
        assert!(!nginx.contains("user"), "{nginx}");
        let haproxy = haproxy(&job, Path::new("/map"));
        assert!(haproxy.contains("nbthread 2\n"), "{haproxy}");
        for text in [&nginx, &haproxy] {
            assert!(text.contains("127.0.0.1:1000"), "{text}");
            assert!(text.contains("127.0.0.1:2000"), "{text}");
        }
    }
}
