//! Entry by entry: references looked up, the secret's description checked, and all that is wrong collected.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::assemble::assemble;
use super::{Around, Place, place, references};
use crate::inputs::{Environment, RawInputs};
use crate::manifest::{self, Given, Origin};
use crate::request::material::{self, Found, Part, Secrecy};
use crate::request::{Problems, Reach, Request, Spelling, Target, identity, is_region};

pub(super) enum Checked {
    Whole(Box<Request>),
    Lacking(Box<manifest::Target>, Vec<Part>),
}

/// Checks entry by entry, and collects what is wrong.
pub(super) struct Checker<'a> {
    pub(super) raw: &'a RawInputs,
    pub(super) environment: &'a Environment,
    pub(super) secrecy: Option<&'a Secrecy<'a>>,
    pub(super) around: &'a Around,
    pub(super) found: Vec<manifest::Unplaced>,
    pub(super) places: BTreeMap<Place, Arc<Reach>>,
    /// A secret may be named by its name and by its ARN.
    pub(super) names: BTreeMap<String, String>,
}

impl Checker<'_> {
    pub(super) fn target(
        &mut self,
        target: manifest::Target,
        doubts: &mut Vec<String>,
    ) -> Option<Checked> {
        let limit = self.around.reach.timeout;
        let decodes = target.inputs().value_encoding.as_deref() == Some("base64");
        let references = references(&target.given);
        let mut parts = Vec::with_capacity(references.len());
        let mut broken = false;
        for (member, (reference, base64)) in references.iter().enumerate() {
            let base64 = *base64 || decodes;
            let Some(secrecy) = self.secrecy else {
                parts.push(material::unseen(reference));
                continue;
            };
            match material::look_up(reference, base64, self.environment, limit, secrecy) {
                Ok(part) => parts.push(part),
                Err(why) => {
                    self.found.push(match target.given {
                        Given::Value(_) => target.problem("value", why),
                        Given::Json { .. } => target.member_problem(member, why),
                    });
                    // So that the rest of the entry is checked as well.
                    parts.push(material::unseen(reference));
                    broken = true;
                }
            }
        }
        for part in &parts {
            if let Part::There(origin) = part {
                self.place(origin, &target);
            }
        }
        let lacks = parts.iter().any(|part| matches!(part, Part::There(_)));
        let known: Vec<Found> = parts.iter().map(Part::or_stand_in).collect();
        let (request, wrong) = assemble(&target, &known, self.around);
        if wrong.is_empty()
            && let Some(twin) = self
                .names
                .insert(request.target.name.clone(), target.name.clone())
        {
            let why = format!("is the same secret as {twin}");
            self.found.push(target.problem("name", why));
        }
        if !wrong.is_empty() {
            self.found
                .extend(wrong.into_iter().map(|(key, why)| target.problem(key, why)));
            return None;
        }
        if broken {
            return None;
        }
        if lacks {
            return Some(Checked::Lacking(Box::new(target), parts));
        }
        for doubt in &request.doubts {
            doubts.push(format!("{}: {doubt}", request.target.id));
        }
        Some(Checked::Whole(Box::new(request)))
    }

    /// How another secret is reached.
    fn place(&mut self, origin: &Origin, target: &manifest::Target) {
        let named = Target::parse(&origin.id);
        let asked = origin.region.as_ref().or(self.around.reach.region.as_ref());
        match &named {
            Err(why) => self
                .found
                .push(target.problem("value", format!("names a secret whose name {why}"))),
            Ok(named) => {
                if let (Some(there), Some(asked)) = (named.region(), asked)
                    && there != asked
                {
                    let why = format!(
                        "names an ARN of {there}, but is read in {asked}: give `region` with it"
                    );
                    self.found.push(target.problem("value", why));
                }
            }
        }
        let place = place(origin);
        if self.places.contains_key(&place) {
            return;
        }
        let reach = &self.around.reach;
        let mut problems = Problems::new(Spelling::Key);
        let mut raw = self.raw.public();
        if let Some(role) = &origin.role {
            raw.role_to_assume = Some(role.clone());
            // Those are about the run's own account.
            raw.allowed_account_ids = None;
        }
        if origin
            .region
            .as_deref()
            .is_some_and(|region| !is_region(region))
        {
            problems.add("value", "names a region that is none, such as `eu-west-1`");
        }
        let mut doubts = Vec::new();
        match identity::check(&raw, self.environment, &mut problems, &mut doubts) {
            Ok(identity) => {
                let reach = Reach {
                    region: origin.region.clone().or_else(|| reach.region.clone()),
                    identity: if origin.role.is_some() {
                        Arc::new(identity)
                    } else {
                        Arc::clone(&reach.identity)
                    },
                    timeout: reach.timeout,
                    settings: reach.settings.clone(),
                };
                self.places.insert(place, Arc::new(reach));
            }
            Err(why) => problems.add(
                "value",
                format!("cannot be read with that role: {}", why.what),
            ),
        }
        for (_, why) in problems.of_keys {
            self.found.push(target.problem("value", why));
        }
    }
}
