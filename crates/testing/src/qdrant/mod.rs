//! A Qdrant server with a state of its own: collections, aliases, points, exact search.
//!
//! It is built from the calls that the client's crate publishes for servers, so the real client talks to it over a real
//! connection. Its [`Shelf`] outlives it: one that was stopped is started again on the same address with what it held. It refuses
//! what Qdrant refuses, in Qdrant's words, and fails on demand.

mod calls;
mod collections;
mod faults;
mod filter;
mod points;
mod shelf;

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use qdrant_client::qdrant::collections_server::CollectionsServer;
use qdrant_client::qdrant::points_server::PointsServer;
use qdrant_client::qdrant::qdrant_server::QdrantServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tonic::service::Routes;

pub use self::faults::{Fault, Halt};
pub use self::shelf::{Collection, Shelf, Stored};

/// Largest request: Qdrant's own limit.
const REQUEST_BYTES: usize = 32 << 20;

/// A running server. It ends when dropped, with every connection.
#[derive(Debug)]
pub struct Qdrant {
    /// `http://127.0.0.1:1234`.
    pub url: String,
    /// What it holds.
    pub shelf: Arc<Shelf>,
    address: SocketAddr,
    server: JoinSet<()>,
}

impl Qdrant {
    /// Starts an empty one on a free port.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start() -> Self {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)), Arc::default()).await
    }

    async fn start_at(address: SocketAddr, shelf: Arc<Shelf>) -> Self {
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let address = listener.local_addr().expect("a bound listener has an address");
        let points = PointsServer::from_arc(Arc::clone(&shelf)).max_decoding_message_size(REQUEST_BYTES);
        let routes = Routes::new(QdrantServer::from_arc(Arc::clone(&shelf)))
            .add_service(CollectionsServer::from_arc(Arc::clone(&shelf)))
            .add_service(points)
            .prepare();
        let mut server = JoinSet::new();
        server.spawn(async move {
            // Ends with the server, and every connection with it.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, routes.clone()));
            }
        });
        Self { url: format!("http://{address}"), shelf, address, server }
    }

    /// Stops it: connections are closed, and nobody listens any more. What it holds stays.
    pub async fn stop(self) -> Stopped {
        let Self { shelf, address, mut server, .. } = self;
        server.shutdown().await;
        Stopped { shelf, address }
    }
}

/// A server that is down.
#[derive(Debug)]
pub struct Stopped {
    /// What it holds.
    pub shelf: Arc<Shelf>,
    address: SocketAddr,
}

impl Stopped {
    /// Starts it again, on the same address.
    pub async fn start(self) -> Qdrant {
        Qdrant::start_at(self.address, self.shelf).await
    }
}

/// Answers the calls of one connection.
async fn serve(stream: TcpStream, routes: Routes) {
    let connection = http2::Builder::new(TokioExecutor::new());
    // Whoever asked may be gone: that is its own business.
    drop(connection.serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes)).await);
}
