//! Receives HTTP requests, logs them, and delivers their answers. Knows no operation and no fault.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Method, Response},
};

use crate::{
    ending::Ending,
    identity, inspect,
    line::Handle,
    log::Entry,
    request::{self, ServiceRequest},
    shared::Shared,
    wire::Answer,
};

pub(crate) async fn handle(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(line): ConnectInfo<Handle>,
    request: Request,
) -> Response<Body> {
    let path = request.uri().path();
    if request.method() == Method::GET && request::by_path(path).is_none() {
        return inspect::answer(&shared, path).into_response();
    }
    let Some(incoming) = ServiceRequest::read(request).await else {
        return Answer::plain(413, "text/plain", "too large").into_response();
    };
    let (principal, region) = match &incoming.authorization {
        Some(authorization) => (authorization.key_id.clone(), authorization.region.clone()),
        None => Default::default(),
    };
    let number = shared.log.start(Entry {
        principal,
        region,
        ..Entry::new(&incoming.operation, identity::requested(&incoming))
    });
    let planned = shared.schedule.arrive(&incoming.operation);

    // A task of its own: what the client does to its connection does not stop a request the service has read.
    let task = {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move { shared.live(number, incoming, planned).await })
    };
    let ending = task.await.unwrap_or_else(|_| {
        Ending::Answer(Answer::plain(
            500,
            "text/plain",
            "a hook of the test panicked",
        ))
    });
    let answer = match ending {
        Ending::Answer(answer) => answer,
        Ending::Cut(answer) => {
            line.cut_body_after(answer.body.len() / 2);
            answer
        }
        // The line is broken before any of this is sent.
        Ending::Close => {
            line.close();
            Answer::plain(500, "text/plain", "")
        }
        Ending::Reset => {
            line.reset();
            Answer::plain(500, "text/plain", "")
        }
    };
    answer.into_response()
}
