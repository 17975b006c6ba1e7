use aralez_proto::document::{self, DocumentSet};
use aralez_proto::main_config;

use super::*;

fn settings(text: &str) -> ControlSettings {
    let main = main_config::read("main.yaml", text.as_bytes()).unwrap();
    ControlSettings::of(&main, Path::new("/state"), None)
}

#[test]
fn an_empty_main_yaml_gives_the_documented_defaults() {
    let settings = settings("");
    assert_eq!(settings.config_address, "127.0.0.1:3000".parse().unwrap());
    assert_eq!(settings.config_tls_address, None);
    assert!(settings.config_api_enabled && settings.warnings.is_empty());
    let socket = PathBuf::from("/state/control.sock");
    assert_eq!(settings.control_address, ControlAddress::Unix(socket));
    assert_eq!(settings.control_dir(), Path::new("/state/control"));
    assert_eq!((settings.master_key, settings.upstreams_conf), (None, None));
}

#[test]
fn with_a_key_that_everyone_knows_the_api_listens_on_loopback_alone() {
    let sample = format!("master_key: {SAMPLE_KEY}\n");
    for key in ["", "master_key: ''\n", &sample] {
        for (written, bound) in [
            ("127.0.0.1:3000", "127.0.0.1:3000"),
            ("[::1]:3000", "[::1]:3000"),
            ("0.0.0.0:3000", "127.0.0.1:3000"),
            ("10.0.0.1:3000", "127.0.0.1:3000"),
            ("[::]:3000", "[::1]:3000"),
            ("[::ffff:10.0.0.1]:3000", "127.0.0.1:3000"),
        ] {
            let both = format!(
                "{key}config_address: '{written}'\nconfig_tls_address: '{written}'\nconfig_tls_certificate: a\nconfig_tls_key_file: b\n"
            );
            let settings = settings(&both);
            let bound: SocketAddr = bound.parse().unwrap();
            assert_eq!(settings.config_address, bound, "{written}");
            assert_eq!(settings.config_tls_address, Some(bound), "{written}");
            let narrowed = settings.warnings.iter();
            let narrowed =
                narrowed.filter(|warning| warning.contains(&format!("instead of {written}")));
            let expected = if bound.to_string() == written { 0 } else { 2 };
            assert_eq!(narrowed.count(), expected, "{:?}", settings.warnings);
            assert!(!settings.warnings.concat().contains(SAMPLE_KEY));
        }
    }
}

#[test]
fn another_address_with_a_real_key_runs_with_a_warning() {
    let settings = settings("master_key: my-own\nconfig_address: 0.0.0.0:3000\n");
    assert_eq!(settings.warnings.len(), 1);
    assert!(settings.warnings[0].contains("0.0.0.0:3000"));
    assert!(!format!("{settings:?}").contains("my-own"));
}

// Row C4: JWT_KEY.
#[test]
fn tokens_are_signed_with_the_key_of_the_environment_or_else_with_the_master_key() {
    let settings = |text: &str, jwt_key: Option<&str>| {
        let main = main_config::read("main.yaml", text.as_bytes()).unwrap();
        let jwt_key = jwt_key.map(|key| Secret::new(key.to_owned()));
        let settings = ControlSettings::of(&main, Path::new("/state"), jwt_key);
        let revealed = |key: Option<Secret>| key.map(|key| key.reveal().to_owned());
        (revealed(settings.master_key), revealed(settings.token_key))
    };
    let own = |key: &str| Some(key.to_owned());
    let main = "master_key: api\n";
    assert_eq!(settings(main, None), (own("api"), own("api")));
    assert_eq!(settings(main, Some("jwt")), (own("api"), own("jwt")));
    assert_eq!(settings("", Some("jwt")), (None, own("jwt")));
    assert_eq!(settings("master_key: ''\n", None), (None, None));
}

#[test]
fn a_public_key_that_signs_tokens_is_warned_of() {
    let warnings = |jwt_key: Option<&str>| {
        let text = format!("master_key: {SAMPLE_KEY}\n");
        let main = main_config::read("main.yaml", text.as_bytes()).unwrap();
        let jwt_key = jwt_key.map(|key| Secret::new(key.to_owned()));
        let settings = ControlSettings::of(&main, Path::new("/state"), jwt_key);
        settings.warnings
    };
    assert!(warnings(None)[0].contains("JWT_KEY"));
    assert!(warnings(Some(SAMPLE_KEY))[0].contains("tokens"));
    assert!(warnings(Some("my-own")).is_empty());
}

#[test]
fn no_route_may_point_at_the_config_api_wherever_it_is_bound() {
    let read = |main: &str, endpoint: &str| {
        let text = format!("a.example: {{paths: {{/: {{servers: ['{endpoint}']}}}}}}\n");
        let surroundings = settings(main).surroundings();
        document::read(&DocumentSet::of_main(text.into()), &surroundings)
    };
    assert!(read("", "127.0.0.1:3000").is_err());
    assert!(read("", "127.0.0.1:3001").is_ok());
    let all = "master_key: my-own\nconfig_address: 0.0.0.0:3000\n";
    for endpoint in ["127.0.0.1:3000", "127.9.9.9:3000", "[::1]:3000"] {
        assert!(read(all, endpoint).is_err(), "{endpoint}");
    }
    assert!(read(all, "10.0.0.1:3000").is_ok());
}

#[test]
fn no_route_may_point_at_a_socket_of_the_daemons_however_its_folder_is_reached() {
    let dir = tempfile::tempdir().unwrap();
    let real = dir.path().join("real");
    std::fs::create_dir(&real).unwrap();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let main = format!(
        "state_dir: {0}/state\ncontrol_address: unix:{0}/c.sock\nupgrade_sock: /run/up.sock\n",
        link.display()
    );
    let surroundings = settings(&main).surroundings();
    let read = |socket: &Path| {
        let socket = socket.display();
        let text = format!("a.example: {{paths: {{/: {{servers: ['unix:{socket}']}}}}}}\n");
        document::read(&DocumentSet::of_main(text.into()), &surroundings).is_ok()
    };
    for folder in [&link, &real] {
        assert!(!read(&folder.join("c.sock")), "the stream");
        assert!(!read(&folder.join("state/proxy-a/upgrade.sock")));
        assert!(read(&folder.join("c.sock2")) && read(&folder.join("app.sock")));
    }
    assert!(!read(Path::new("/run/up.sock")));
}
