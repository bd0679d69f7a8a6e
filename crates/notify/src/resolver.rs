//! The addresses of a name, without those that nothing is sent to. The connection is made to what was checked here: there is no
//! second look-up that could say otherwise.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address::{self, Refused};

/// Asks for the addresses of a name.
pub(crate) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Every address of the name is one that nothing is sent to.
#[derive(Debug, thiserror::Error)]
#[error("the name leads to {}", .0.as_str())]
pub(crate) struct Forbidden(pub(crate) Refused);

#[derive(Clone)]
pub(crate) struct Resolver {
    lookup: Lookup,
    allow_private: bool,
}

impl Resolver {
    pub(crate) fn new(lookup: Lookup, allow_private: bool) -> Self {
        Self {
            lookup,
            allow_private,
        }
    }

    async fn addresses(
        self,
        name: String,
    ) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let found = (self.lookup)(name).await?;
        let mut allowed = Vec::new();
        let mut refused = None;
        for address in found {
            match address::refusal(address, self.allow_private) {
                // The port of the URL goes over 0.
                None => allowed.push(SocketAddr::new(address, 0)),
                Some(why) => refused = Some(why),
            }
        }
        match refused {
            Some(why) if allowed.is_empty() => Err(Forbidden(why).into()),
            Some(_) | None => Ok(allowed),
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let looked_up = self.clone().addresses(name.as_str().to_owned());
        Box::pin(async {
            let addresses: Addrs = Box::new(looked_up.await?.into_iter());
            Ok(addresses)
        })
    }
}

/// What the system says.
pub(crate) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    /// Answers one list after the other, and counts how often it was asked.
    fn answering(lists: &[&[&str]]) -> (Lookup, Arc<AtomicUsize>) {
        let asked = Arc::new(AtomicUsize::new(0));
        let lists: Vec<Vec<IpAddr>> = lists
            .iter()
            .map(|list| list.iter().map(|one| one.parse().unwrap()).collect())
            .collect();
        let (counter, lists) = (Arc::clone(&asked), Mutex::new(lists.into_iter()));
        let lookup: Lookup = Arc::new(move |_| {
            counter.fetch_add(1, Ordering::Relaxed);
            let list = lists.lock().unwrap().next().unwrap();
            Box::pin(async { Ok(list) })
        });
        (lookup, asked)
    }

    async fn resolve(resolver: &Resolver) -> Result<Vec<String>, String> {
        let found = resolver.resolve("example.fi".parse().unwrap()).await;
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.map(|address| address.ip().to_string()).collect())
    }

    #[tokio::test]
    async fn a_connection_is_made_to_what_was_checked_and_each_look_up_is_checked() {
        let public = ["8.8.8.8"];
        let (lookup, asked) = answering(&[&public, &["127.0.0.1"], &["10.0.0.1", "8.8.8.8"], &[]]);
        let resolver = Resolver::new(lookup, false);
        assert_eq!(resolve(&resolver).await.unwrap(), public);
        assert_eq!(
            asked.load(Ordering::Relaxed),
            1,
            "there is no second look-up"
        );
        let rebound = resolve(&resolver).await.unwrap_err();
        assert_eq!(rebound, "the name leads to a loopback address");
        assert_eq!(
            resolve(&resolver).await.unwrap(),
            public,
            "the private one is left out"
        );
        assert_eq!(resolve(&resolver).await, Ok(vec![]));
    }

    #[tokio::test]
    async fn ones_own_network_is_reached_where_that_is_allowed() {
        let (lookup, _) = answering(&[&["127.0.0.1", "169.254.169.254"], &["169.254.169.254"]]);
        let resolver = Resolver::new(lookup, true);
        assert_eq!(resolve(&resolver).await.unwrap(), ["127.0.0.1"]);
        assert!(resolve(&resolver).await.unwrap_err().contains("metadata"));
    }
}
