//! The goal of one secret in a transaction, derived from its plan alone. Must not decide anything about the other secrets.

use crate::plan::{Document, Plan, Step};

/// What a transaction does to one secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Goal {
    /// Write no value, because the secret already holds it. The secret is read again before the commit.
    Keep,
    /// Create the secret. Its first version becomes current immediately and cannot be rolled back.
    Create,
    /// Write the first version of an existing secret. AWS makes it current immediately, and it cannot be rolled back.
    First,
    /// Stage a version, and move AWSCURRENT to it from the version that is current now.
    Replace {
        /// The holder of AWSCURRENT.
        base: String,
    },
    /// Move AWSCURRENT to an existing version.
    Promote {
        /// The holder of AWSCURRENT.
        base: String,
        /// The target version.
        to: String,
    },
}

impl Goal {
    /// The version that is current now, if AWSCURRENT will move.
    pub(super) fn base(&self) -> Option<&str> {
        match self {
            Self::Replace { base } | Self::Promote { base, .. } => Some(base),
            Self::Keep | Self::Create | Self::First => None,
        }
    }
}

/// The content of a write that is not in the request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The document to write instead of the request's value.
    pub document: Option<Document>,
    /// Whether the KMS key changes before the version is written.
    pub kms_key: bool,
}

/// The goal of one secret, and the content for writing its value.
pub fn goal(plan: &Plan) -> (Goal, Content) {
    let goal = plan.steps.iter().find_map(|step| match step {
        Step::Create { .. } => Some(Goal::Create),
        Step::Put { base } | Step::Swap { base } => Some(match base {
            None => Goal::First,
            Some(base) => Goal::Replace { base: base.clone() },
        }),
        _ => None,
    });
    let content = Content {
        document: plan.document.clone(),
        kms_key: plan
            .steps
            .iter()
            .any(|step| matches!(step, Step::Update { kms_key: true, .. })),
    };
    (goal.unwrap_or(Goal::Keep), content)
}

/// Whether a plan has steps other than the write of the value.
pub fn has_more(plan: &Plan) -> bool {
    !plan.steps.iter().all(|step| {
        matches!(
            step,
            Step::Create { .. } | Step::Put { .. } | Step::Swap { .. }
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(steps: impl Into<Vec<Step>>) -> Plan {
        Plan {
            steps: steps.into(),
            ..Plan::default()
        }
    }

    fn put(base: Option<&str>) -> Step {
        Step::Put {
            base: base.map(str::to_owned),
        }
    }

    fn swap(base: Option<&str>) -> Step {
        Step::Swap {
            base: base.map(str::to_owned),
        }
    }

    fn create() -> Step {
        Step::Create {
            otherwise: None,
            vacant: true,
        }
    }

    fn update(kms_key: bool) -> Step {
        Step::Update {
            description: true,
            kms_key,
        }
    }

    #[test]
    fn only_metadata_is_more_than_the_value() {
        for steps in [
            vec![],
            vec![create()],
            vec![put(None)],
            vec![swap(Some("old"))],
        ] {
            assert!(!has_more(&plan_of(steps)));
        }
        assert!(has_more(&plan_of([update(false), put(None)])));
        assert!(has_more(&plan_of([Step::SetPolicy])));
    }

    #[test]
    fn goal_follows_from_plan() {
        let goal_of = |steps: &[Step]| {
            let (goal, content) = goal(&plan_of(steps));
            (goal, content.kms_key)
        };
        let replace = || Goal::Replace {
            base: "old".to_owned(),
        };
        for (steps, wanted) in [
            (vec![], (Goal::Keep, false)),
            (vec![update(true)], (Goal::Keep, true)),
            (vec![create()], (Goal::Create, false)),
            (vec![put(None)], (Goal::First, false)),
            (vec![swap(None)], (Goal::First, false)),
            (vec![put(Some("old"))], (replace(), false)),
            (vec![update(false), put(Some("old"))], (replace(), false)),
            (vec![update(true), swap(Some("old"))], (replace(), true)),
        ] {
            assert_eq!(goal_of(&steps), wanted, "{steps:?}");
        }
    }
}
