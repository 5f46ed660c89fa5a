//! A small blocking client that sends one signed request per connection and returns the raw response. It never
//! retries or follows redirects: tests inspect what was really sent.

mod reply;
mod request;

pub use reply::Reply;
pub use request::Client;
