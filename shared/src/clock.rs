//! Time as the contracts write it: RFC 3339 in UTC, and whole seconds since the epoch.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

/// Now, in whole seconds since 1970.
pub fn epoch() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}

/// Now, for example `2026-01-31T03:04:05Z`.
pub fn now() -> String {
    rfc3339(epoch())
}

/// Now to the millisecond, always three digits, so that the order of texts is that of time: for records
/// of which several are written within a second. For example `2026-01-31T03:04:05.060Z`.
pub fn moment() -> String {
    moment_of(OffsetDateTime::now_utc())
}

fn moment_of(at: OffsetDateTime) -> String {
    let second = rfc3339(at.unix_timestamp());
    format!("{}.{:03}Z", second.trim_end_matches('Z'), at.millisecond())
}

/// Seconds since 1970 as RFC 3339 in UTC. An impossible time is written as the epoch itself.
pub fn rfc3339(epoch_s: i64) -> String {
    OffsetDateTime::from_unix_timestamp(epoch_s)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .format(&Rfc3339)
        .unwrap_or_default()
}

/// The seconds since 1970 of an RFC 3339 text; None when it is not one.
pub fn parse(text: &str) -> Option<i64> {
    OffsetDateTime::parse(text, &Rfc3339).ok().map(OffsetDateTime::unix_timestamp)
}

/// A time for people, without fractions; what is no time stays as it is.
pub fn to_the_second(text: &str) -> String {
    parse(text).map_or_else(|| text.to_owned(), rfc3339)
}

/// A length of time for people: `45 s`, `12 min 30 s`, `2 h 5 min`.
pub fn human(seconds: i64) -> String {
    let duration = Duration::seconds(seconds.max(0));
    let (hours, minutes) = (duration.whole_hours(), duration.whole_minutes() % 60);
    match (hours, minutes, duration.whole_seconds() % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, 0) => format!("{m} min"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, 0, _) => format!("{h} h"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_survives_the_round_trip() {
        assert_eq!(rfc3339(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(parse("2023-11-14T22:13:20.5+00:00"), Some(1_700_000_000));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn moments_sort_as_texts() {
        let at = |ms: i64| {
            let start = OffsetDateTime::UNIX_EPOCH + Duration::seconds(1_700_000_000);
            moment_of(start + Duration::milliseconds(ms))
        };
        assert_eq!(at(60), "2023-11-14T22:13:20.060Z");
        let texts = [at(0), at(9), at(60), at(500), at(999), at(1000)];
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(parse(&at(999)), Some(1_700_000_000));
        assert_eq!(to_the_second(&at(999)), "2023-11-14T22:13:20Z");
        assert_eq!(to_the_second("soon"), "soon");
    }

    #[test]
    fn lengths_read_well() {
        assert_eq!(
            [human(5), human(60), human(90), human(7500)].join(", "),
            "5 s, 1 min, 1 min 30 s, 2 h 5 min"
        );
    }
}
