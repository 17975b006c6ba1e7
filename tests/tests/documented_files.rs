//! The documented `main.yaml` and `upstreams.yaml`, started with the documented command. Only ports and paths are those of the
//! test, which has one endpoint.

use std::net::SocketAddr;
use std::time::Duration;

use aralez_tests::eventually::{eventually, same};
use aralez_tests::files::workspace;
use aralez_tests::origin::Origin;
use aralez_tests::ports::Port;
use aralez_tests::process::Daemon;
use aralez_tests::raw::{self, Connection, Request};
use serde_json::Value;
use tempfile::TempDir;

const SOON: Duration = Duration::from_secs(30);
const HOST: &str = "myhost.mydomain.com";
/// The documented `master_key`, with which `/jwt` signs.
const MASTER_KEY: &str = "5aeff7f9-7b94-447c-af60-e8c488544a3e";
/// The documented secret of the routes.
const SECRET: &str = "910517d9-f9a1-48de-8826-dbadacbd84af-cb6f830e-ab16-47ec-9d8f-0090de732774";

/// A folder with the documented files, and the command that runs them. The command ends before the folder is removed.
struct Documented {
    daemon: Daemon,
    folder: TempDir,
    api: Port,
    http: Port,
    files: Port,
    admin: Port,
}

fn sample(name: &str) -> String {
    let file = workspace().join("deploy/samples").join(name);
    std::fs::read_to_string(file).expect("the sample is there")
}

/// Replaces a text that the sample has.
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replace(from, to)
}

impl Documented {
    async fn start(origin: &Origin) -> Self {
        let folder = TempDir::new().unwrap();
        let [api, http, files, admin] = [(); 4].map(|()| Port::free());
        let here = folder.path().display().to_string();
        let mut main = sample("main.yaml");
        for (from, to) in [
            ("/tmp/aralez", format!("{here}/aralez")),
            ("etc/upstreams.yaml", format!("{here}/upstreams.yaml")),
            // As documented, this address is not one of loopback.
            (":3000", format!(":{}", api.address().port())),
            ("0.0.0.0:6193", http.address().to_string()),
            ("127.0.0.1:3002", files.address().to_string()),
        ] {
            main = replaced(&main, from, &to);
        }
        main += &format!(
            "state_dir: {here}/state\nproxy_admin_address: {}\nlame_duck: 0s\n",
            admin.address()
        );
        let config = folder.path().join("main.yaml");
        std::fs::write(&config, main).unwrap();
        let mut documents = sample("upstreams.yaml");
        documents = replaced(&documents, "127.0.0.1:8000", &origin.endpoint());
        documents = replaced(&documents, "        - \"127.0.0.2:8000\"\n", "");
        std::fs::write(folder.path().join("upstreams.yaml"), documents).unwrap();
        let arguments = ["-c", &config.display().to_string()];
        let daemon = Daemon::start("aralez", &arguments, &folder.path().join("output.log"));
        Self {
            daemon,
            folder,
            api,
            http,
            files,
            admin,
        }
    }

    /// Returns the status of a request to the documented host.
    async fn status(&self, request: &Request) -> Result<u16, String> {
        Ok(raw::send(self.http.address(), request).await?.status)
    }

    async fn until(&self, request: &Request, status: u16, why: &str) {
        let probe = async || same(&self.status(request).await?, &status);
        eventually(SOON, why, probe).await;
    }

    /// Gets a token as the documentation says.
    async fn token(&self) -> String {
        let payload = format!(r#"{{"master_key":"{MASTER_KEY}","owner":"valod","valid":10}}"#);
        let request = Request::new("POST", "127.0.0.1", "/jwt")
            .header("Content-Type", "application/json")
            .body(payload);
        let response = raw::send(self.api.address(), &request).await.unwrap();
        assert_eq!(response.status, 201, "{}", response.text());
        let answer: Value = serde_json::from_str(&response.text()).unwrap();
        answer["token"].as_str().unwrap().to_owned()
    }

    /// Returns the version that the proxy runs.
    async fn version(&self) -> Result<String, String> {
        let response = raw::get(self.admin.address(), "admin", "/version").await?;
        Ok(response.text())
    }

    fn log(&self, suffix: &str) -> String {
        let name = format!("aralez_err.log{suffix}");
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

#[tokio::test]
async fn the_documented_files_start_and_serve_clients_with_a_token_of_the_documented_line() {
    let origin = Origin::start("content").await;
    let documented = Documented::start(&origin).await;
    let anyone = Request::get(HOST, "/");
    documented
        .until(&anyone, 401, "routes ask for a token")
        .await;
    assert_eq!(origin.count(), 0);
    let bearer = format!("Bearer {}", documented.token().await);
    let user = Request::get(HOST, "/").header("Authorization", &bearer);
    // The documented key and secret differ, so that this token is of another issuer.
    documented
        .until(&user, 401, "the documented secret is another")
        .await;
    let file = documented.folder.path().join("upstreams.yaml");
    let documents = std::fs::read_to_string(&file).unwrap();
    let before = documented.version().await.unwrap();
    std::fs::write(&file, replaced(&documents, SECRET, MASTER_KEY)).unwrap();
    // Asked with the token instead, it would be one failed attempt after the other.
    eventually(SOON, "the proxy runs the change", async || {
        let version = documented.version().await?;
        (version != before).then_some(()).ok_or(version)
    })
    .await;
    documented.until(&user, 200, "the token opens").await;
    let path = format!("/?araleztoken={}", documented.token().await);
    let with_parameter = Request::get(HOST, &path);
    documented
        .until(&with_parameter, 200, "the parameter opens")
        .await;
    assert!(!origin.last().target().contains("araleztoken"));
    let missing = raw::get(documented.files.address(), "a.test", "/index.html").await;
    assert_eq!(
        missing.unwrap().status,
        404,
        "the documented folder is none"
    );
    let warned = documented.log(".proxy");
    assert!(
        warned.contains("the folder /some/local/folder does not exist"),
        "{warned}"
    );
    let ready = raw::get(documented.admin.address(), "a.test", "/livez").await;
    assert_eq!(ready.unwrap().status, 200);
}

#[tokio::test]
async fn with_the_documented_key_the_api_listens_on_loopback_and_a_warning_says_why() {
    let origin = Origin::start("content").await;
    let documented = Documented::start(&origin).await;
    documented
        .until(&Request::get(HOST, "/"), 401, "it serves")
        .await;
    documented.token().await;
    // `0.0.0.0`, as it is written, would be this address too.
    let other = SocketAddr::from(([127, 0, 0, 2], documented.api.address().port()));
    assert!(Connection::open(other).await.is_err());
    let warned = documented.log(".control");
    let reason = "because master_key is the public sample key";
    assert!(warned.contains(reason), "{warned}");
    assert!(!warned.contains(MASTER_KEY) && !documented.daemon.log().contains(MASTER_KEY));
}
