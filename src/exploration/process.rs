//! A process under exploration: its calls and waits stay pending until the explorer responds. Must not access the model or make
//! choices.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use serde_json::Value;
use upsert_secret_core::error::{ErrorKind, StoreError};
use upsert_secret_core::store::Call;

use crate::engine::system::System;
use crate::testing::Connection;

/// What a process waits for.
#[derive(Clone)]
pub(super) enum Request {
    /// A call of one operation with its input.
    Call(&'static str, Rc<Value>),
    /// A delay.
    Sleep,
}

/// The response to a request; an error that is not a service error means that there was no response.
pub(super) type Answer = Rc<Call<Value>>;

#[derive(Default)]
struct Slot {
    answer: Option<Answer>,
    waker: Option<Waker>,
}

struct Pending {
    id: u64,
    request: Request,
    slot: Rc<RefCell<Slot>>,
}

#[derive(Default)]
struct State {
    pending: RefCell<Vec<Pending>>,
    next_id: Cell<u64>,
    random: Cell<u64>,
    cancelled: Cell<bool>,
}

/// The connection of a process, and its system. Clones refer to the same process.
#[derive(Clone)]
pub(super) struct Process {
    state: Rc<State>,
    number: u8,
    now: u64,
    reopened: bool,
}

impl Process {
    /// A process without requests. `number` makes its random numbers differ from those of other processes; `now` is its clock,
    /// which does not advance.
    pub(super) fn new(number: u8, now: u64) -> Self {
        Self {
            state: Rc::default(),
            number,
            now,
            reopened: false,
        }
    }

    /// The pending requests, oldest first.
    pub(super) fn requests(&self) -> Vec<Request> {
        let pending = self.state.pending.borrow();
        pending.iter().map(|it| it.request.clone()).collect()
    }

    /// Responds to the pending request at this index.
    pub(super) fn answer(&self, index: usize, answer: Answer) {
        let pending = self.state.pending.borrow_mut().remove(index);
        let waker = {
            let mut slot = pending.slot.borrow_mut();
            slot.answer = Some(answer);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Cancels the run: pending calls still get responses, and no further call is sent.
    pub(super) fn cancel(&self) {
        self.state.cancelled.set(true);
    }

    fn request(&self, request: Request) -> Reply {
        let id = self.state.next_id.get();
        self.state.next_id.set(id + 1);
        let slot = Rc::default();
        self.state.pending.borrow_mut().push(Pending {
            id,
            request,
            slot: Rc::clone(&slot),
        });
        Reply {
            id,
            slot,
            state: Rc::clone(&self.state),
        }
    }
}

/// The future response to a request.
struct Reply {
    id: u64,
    slot: Rc<RefCell<Slot>>,
    state: Rc<State>,
}

impl Future for Reply {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let mut slot = self.slot.borrow_mut();
        match slot.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        let mut pending = self.state.pending.borrow_mut();
        pending.retain(|pending| pending.id != self.id);
    }
}

impl Connection for Process {
    fn is_cancelled(&self) -> bool {
        self.state.cancelled.get() && !self.reopened
    }

    fn for_cleanup(&self) -> Self {
        Self {
            reopened: true,
            ..self.clone()
        }
    }

    async fn call(&self, _: &str, operation: &'static str, input: Value) -> Call<Value> {
        let request = Request::Call(operation, Rc::new(input));
        Call::clone(&*self.request(request).await)
    }
}

impl System for Process {
    fn now(&self) -> u64 {
        self.now
    }

    fn fill_random(&self, bytes: &mut [u8]) {
        let count = self.state.random.get() + 1;
        self.state.random.set(count);
        bytes.fill(self.number);
        let digits = count.to_be_bytes();
        let len = bytes.len().min(digits.len());
        bytes[..len].copy_from_slice(&digits[digits.len() - len..]);
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        let reply = self.request(Request::Sleep);
        Box::pin(async move {
            reply.await;
        })
    }
}

/// The error for a call that was sent but got no response.
pub(super) fn no_answer(operation: &'static str) -> StoreError {
    StoreError {
        attempts: 1,
        ..StoreError::new(operation, ErrorKind::Timeout)
    }
}
