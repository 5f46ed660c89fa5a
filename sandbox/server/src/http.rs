//! Receives HTTP requests, logs them, and delivers their responses. Independent of operations and faults.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Method, Response},
};

use crate::{
    connection::ConnectionHandle,
    identity, inspect,
    log::LogEntry,
    request::{self, ServiceRequest},
    response::Delivery,
    shared::Shared,
    time,
    wire::EncodedResponse,
};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(connection): ConnectInfo<ConnectionHandle>,
    request: Request,
) -> Response<Body> {
    let path = request.uri().path();
    if request.method() == Method::GET && request::service_by_path(path).is_none() {
        return inspect::answer(&shared, path).into_response();
    }
    let Some(incoming) = ServiceRequest::read(request).await else {
        return EncodedResponse::plain(413, "text/plain", "too large").into_response();
    };
    let (principal, region) = match &incoming.authorization {
        Some(authorization) => (authorization.key_id.clone(), authorization.region.clone()),
        None => Default::default(),
    };
    let entry_id = shared.log.start(LogEntry {
        principal,
        region,
        ..LogEntry::new(&incoming.operation, identity::requested(&incoming))
    });
    let planned = shared.schedule.take_due(&incoming.operation);

    // A separate task: a client that disconnects does not stop a request that the service has read.
    let task = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.process(entry_id, incoming, planned).await })
    };
    let delivery = task.await.unwrap_or_else(|_| {
        Delivery::Send(EncodedResponse::plain(
            500,
            "text/plain",
            "a hook of the test panicked",
        ))
    });
    let clock = shared.lock().clock;
    let mut answer = match delivery {
        Delivery::Send(answer) => answer,
        Delivery::Truncate(answer) => {
            connection.truncate_body_after(answer.body.len() / 2);
            answer
        }
        // The connection breaks before any of this response is sent.
        Delivery::Close => {
            connection.close();
            EncodedResponse::plain(500, "text/plain", "")
        }
        Delivery::Reset => {
            connection.reset();
            EncodedResponse::plain(500, "text/plain", "")
        }
    };
    answer.date = (!clock.is_none()).then(|| time::http_date(clock.now()));
    answer.into_response()
}
