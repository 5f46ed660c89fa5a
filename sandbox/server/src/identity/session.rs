//! Role sessions, apart from their access keys.

#[derive(Clone, Debug)]
pub(crate) struct Session {
    /// The role's ARN.
    pub(crate) role: String,
    /// `AROA...:NAME`.
    pub(crate) user_id: String,
}
