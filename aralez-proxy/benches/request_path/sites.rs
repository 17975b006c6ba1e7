//! The table: 1,000 hosts with five paths each, edits of requests and responses at the top, and two endpoints for each path.

use aralez_proto::convert::{endpoint_record, host_record, pool_record, settings_record};
use aralez_proto::model::{
    Action, Direction, Endpoint, EndpointOwner, GroupName, Header, HeaderEdits, HostPattern, Pool,
    PoolName, Route, Settings, VirtualHost,
};
use aralez_proto::record::{Record, RecordSet};
use aralez_proto::rules::{RequestHeaders, ResponseHeaders, Rules};
use aralez_proto::snapshot::{Limits, Snapshot};
use aralez_proto::version::Version;
use aralez_proxy::core::request::registry::Registry;
use aralez_proxy::core::request::table::Table;

const HOSTS: usize = 1_000;
const PATHS: [&str; 5] = ["/", "/api", "/api/v2", "/static", "/ws"];

pub(crate) fn table() -> Table {
    let mut records = vec![settings_record(&GroupName::default(), &settings())];
    for number in 0..HOSTS {
        records.extend(site(&format!("host{number}.example.com")));
    }
    let records: RecordSet = records.into_iter().collect();
    let snapshot = Snapshot::complete(Version::default(), records, &Limits::default());
    let snapshot = snapshot.expect("the records are consistent");
    Table::build(&snapshot, &Registry::default())
}

fn settings() -> Settings {
    let set = |direction: Direction, name: &str| {
        let header = Header::new(direction, name, "aralez");
        HeaderEdits {
            set: [header.expect("a valid header")].into_iter().collect(),
            ..HeaderEdits::default()
        }
    };
    Settings {
        rules: Rules {
            request_headers: RequestHeaders(set(Direction::Request, "x-edge")),
            response_headers: ResponseHeaders(set(Direction::Response, "server")),
            ..Rules::default()
        },
        compat_0_9: false,
    }
}

fn site(name: &str) -> Vec<Record> {
    let pattern: HostPattern = name.parse().expect("a host name");
    let routes = PATHS.map(|path| Route {
        path: path.into(),
        matches: None,
        rules: Rules::default(),
        action: Action::Pool(PoolName::of_route(&pattern, path)),
    });
    let pools = PATHS.map(|path| PoolName::of_route(&pattern, path));
    let mut records = vec![host_record(&VirtualHost {
        pattern,
        rules: Rules::default(),
        routes: routes.to_vec(),
    })];
    for pool in &pools {
        records.push(pool_record(pool, &Pool::default()));
        for address in ["10.0.0.1:80", "10.0.0.2:80"] {
            let endpoint = Endpoint::new(address.parse().expect("an address"));
            records.push(endpoint_record(EndpointOwner::Document, pool, &endpoint));
        }
    }
    records
}
