//! Corrects for a wrong clock on this machine, using AWS's clock. Learns the difference once, while credentials are loaded:
//! credentials that AWS issues for minutes must not look expired, and the first request to Secrets Manager must not be rejected
//! because of its signature. Afterward, the SDK corrects signatures itself.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_types::sdk_config::TimeSource;

use crate::error::request_id;

/// The minimum difference to correct: AWS accepts five minutes, and sessions last at least fifteen.
const LEAST_DIFFERENCE: Duration = Duration::from_secs(60);

/// The clock difference, as derived from AWS responses.
#[derive(Default)]
pub(crate) struct ClockCheck(Mutex<Correction>);

impl ClockCheck {
    /// Reads the date of a response, unless AWS did not send the response.
    pub(crate) fn learn(&self, response: &HttpResponse) {
        if request_id(response).is_none() {
            return;
        }
        let date = response.headers().get("date");
        let date = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok());
        if let Some(aws) = date.and_then(|date| SystemTime::try_from(date).ok()) {
            let correction = Correction::between(SystemTime::now(), aws);
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = correction;
        }
    }

    pub(crate) fn correction(&self) -> Correction {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// This machine's clock, moved to AWS's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Correction {
    #[default]
    None,
    /// This machine's clock is behind.
    Forward(Duration),
    /// This machine's clock is ahead.
    Back(Duration),
}

impl Correction {
    fn between(here: SystemTime, aws: SystemTime) -> Self {
        match aws.duration_since(here) {
            Ok(behind) if behind >= LEAST_DIFFERENCE => Self::Forward(behind),
            Err(ahead) if ahead.duration() >= LEAST_DIFFERENCE => Self::Back(ahead.duration()),
            _ => Self::None,
        }
    }
}

impl TimeSource for Correction {
    fn now(&self) -> SystemTime {
        let here = SystemTime::now();
        let corrected = match self {
            Self::None => None,
            Self::Forward(behind) => here.checked_add(*behind),
            Self::Back(ahead) => here.checked_sub(*ahead),
        };
        corrected.unwrap_or(here)
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    #[test]
    fn correction_starts_at_a_minute() {
        let here = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let (minute, hour) = (Duration::from_secs(60), Duration::from_secs(3_600));
        let second = Duration::from_secs(1);
        for (aws, correction) in [
            (here, Correction::None),
            (here + minute - second, Correction::None),
            (here - minute + second, Correction::None),
            (here + hour, Correction::Forward(hour)),
            (here - hour, Correction::Back(hour)),
        ] {
            assert_eq!(Correction::between(here, aws), correction);
        }
    }

    #[test]
    fn only_aws_corrects_clock() {
        let response = |id: Option<&'static str>| {
            let mut response = HttpResponse::new(200.try_into().unwrap(), SdkBody::empty());
            let headers = response.headers_mut();
            headers.insert("date", "Sun, 06 Nov 1994 08:49:37 GMT");
            if let Some(id) = id {
                headers.insert("x-amzn-requestid", id);
            }
            response
        };
        let check = ClockCheck::default();
        check.learn(&response(None));
        assert_eq!(check.correction(), Correction::None);
        check.learn(&response(Some("11111111-2222-4333-8444-555555555555")));
        assert!(matches!(check.correction(), Correction::Back(_)));
        let corrected = check.correction().now();
        let year_1994 = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        assert!(corrected.duration_since(year_1994).unwrap() < Duration::from_secs(3_600));
    }
}
