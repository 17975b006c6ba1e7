//! The endpoints of one pool: those named by a document and those found by a source.
//!
//! Both may name the same address. The document's entry then wins, because an operator chose its weight and tier; once the document no
//! longer names the address, the source's entry applies again.

use std::sync::Arc;

use crate::model::{Endpoint, EndpointAddress, EndpointOwner};

/// Sorted by address. Most pools have only a few endpoints, for which a tree would use ten times the memory.
type List = Arc<Vec<Endpoint>>;

/// The endpoints of a pool that has at least one.
#[derive(Clone, Debug)]
pub(super) enum Endpoints {
    /// All endpoints have the same owner.
    Of(EndpointOwner, List),
    /// Both owners have endpoints.
    Mixed(Box<Mixed>),
}

#[derive(Clone, Debug)]
pub(super) struct Mixed {
    document: List,
    source: List,
    all: Vec<Endpoint>,
}

impl Endpoints {
    /// Returns the effective endpoints, each address once.
    pub(super) fn all(&self) -> &[Endpoint] {
        match self {
            Self::Of(_, list) => list,
            Self::Mixed(mixed) => &mixed.all,
        }
    }

    /// Returns the endpoints of one owner.
    pub(super) fn of_owner(&self, owner: EndpointOwner) -> &[Endpoint] {
        match (self, owner) {
            (Self::Of(by, list), _) if *by == owner => list,
            (Self::Of(..), _) => &[],
            (Self::Mixed(mixed), EndpointOwner::Document) => &mixed.document,
            (Self::Mixed(mixed), EndpointOwner::Source) => &mixed.source,
        }
    }

    /// Adds or replaces an endpoint.
    pub(super) fn put(
        before: Option<Self>,
        owner: EndpointOwner,
        endpoint: Endpoint,
    ) -> Option<Self> {
        let put = |list: &mut Vec<Endpoint>| match position(list, &endpoint.address) {
            Ok(at) => list[at] = endpoint,
            Err(at) => {
                if list.is_empty() {
                    list.reserve_exact(2);
                }
                list.insert(at, endpoint);
            }
        };
        Self::changed(before, owner, put)
    }

    /// Removes an endpoint. Returns `None` if none is left.
    pub(super) fn remove(
        before: Option<Self>,
        owner: EndpointOwner,
        address: &EndpointAddress,
    ) -> Option<Self> {
        let remove = |list: &mut Vec<Endpoint>| {
            if let Ok(at) = position(list, address) {
                list.remove(at);
            }
        };
        Self::changed(before, owner, remove)
    }

    fn changed(
        before: Option<Self>,
        owner: EndpointOwner,
        change: impl FnOnce(&mut Vec<Endpoint>),
    ) -> Option<Self> {
        let (mut document, mut source) = match before {
            None => Default::default(),
            Some(Self::Of(EndpointOwner::Document, list)) => (list, List::default()),
            Some(Self::Of(EndpointOwner::Source, list)) => (List::default(), list),
            Some(Self::Mixed(mixed)) => (mixed.document, mixed.source),
        };
        change(Arc::make_mut(match owner {
            EndpointOwner::Document => &mut document,
            EndpointOwner::Source => &mut source,
        }));
        match (document.is_empty(), source.is_empty()) {
            (true, true) => None,
            (false, true) => Some(Self::Of(EndpointOwner::Document, document)),
            (true, false) => Some(Self::Of(EndpointOwner::Source, source)),
            (false, false) => Some(Self::mixed(document, source)),
        }
    }

    fn mixed(document: List, source: List) -> Self {
        let is_shown = |found: &&Endpoint| position(&document, &found.address).is_err();
        let shown = source.iter().filter(is_shown);
        let mut all: Vec<Endpoint> = document.iter().chain(shown).cloned().collect();
        all.sort_unstable_by(|left, right| left.address.cmp(&right.address));
        Self::Mixed(Box::new(Mixed {
            document,
            source,
            all,
        }))
    }
}

/// Returns the index of an address, or the index at which to insert it.
fn position(list: &[Endpoint], address: &EndpointAddress) -> Result<usize, usize> {
    list.binary_search_by(|endpoint| endpoint.address.cmp(address))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Puts or removes an endpoint of an owner.
    #[derive(Clone, Debug)]
    struct Op {
        put: bool,
        owner: EndpointOwner,
        port: u16,
        weight: u16,
    }

    fn op() -> impl Strategy<Value = Op> {
        let owner = prop_oneof![Just(EndpointOwner::Document), Just(EndpointOwner::Source)];
        (any::<bool>(), owner, 1..4_u16, 1..4_u16).prop_map(|(put, owner, port, weight)| Op {
            put,
            owner,
            port,
            weight,
        })
    }

    fn of_port(port: u16, weight: u16) -> Endpoint {
        let address = format!("127.0.0.1:{port}").parse().unwrap();
        Endpoint {
            weight,
            ..Endpoint::new(address)
        }
    }

    proptest! {
        #[test]
        fn an_address_is_as_the_document_says_and_as_it_was_found_where_that_says_nothing(
            ops in proptest::collection::vec(op(), 0..40),
        ) {
            let mut endpoints: Option<Endpoints> = None;
            let mut model: [[Option<Endpoint>; 4]; 2] = Default::default();
            for Op { put, owner, port, weight } in ops {
                let endpoint = of_port(port, weight);
                model[owner as usize][usize::from(port)] = put.then(|| endpoint.clone());
                endpoints = match put {
                    true => Endpoints::put(endpoints, owner, endpoint),
                    false => Endpoints::remove(endpoints, owner, &endpoint.address),
                };
                let of = |at: usize| model[0][at].as_ref().or(model[1][at].as_ref());
                let all: Vec<Endpoint> = (0..4).filter_map(of).cloned().collect();
                prop_assert_eq!(endpoints.as_ref().map_or(&[][..], Endpoints::all), &all);
                for owner in [EndpointOwner::Document, EndpointOwner::Source] {
                    let own: Vec<Endpoint> = model[owner as usize].iter().flatten().cloned().collect();
                    let found = endpoints.as_ref().map_or(&[][..], |some| some.of_owner(owner));
                    prop_assert_eq!(found, &own);
                }
            }
        }
    }
}
