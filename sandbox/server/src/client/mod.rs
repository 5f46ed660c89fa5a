//! A small blocking client that sends one signed request per connection and returns the raw answer.
//! It never retries or follows redirects: tests look at what was really sent.

mod reply;
mod request;

pub use reply::Reply;
pub use request::Client;
