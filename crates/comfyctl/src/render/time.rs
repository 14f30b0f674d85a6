//! Times for people.

use std::time::Duration;

use chrono::{DateTime, Local};

/// A moment by the server's clock in milliseconds since the epoch: whole, or where room is scarce without what today
/// goes without saying. Nothing for what is no time.
pub(crate) fn moment(milliseconds: u64, short: bool) -> String {
    moment_seen(milliseconds, short.then(Local::now))
}

fn moment_seen(milliseconds: u64, now: Option<DateTime<Local>>) -> String {
    let moment = i64::try_from(milliseconds).ok().and_then(DateTime::from_timestamp_millis);
    let Some(moment) = moment.map(|moment| moment.with_timezone(&Local)) else { return String::new() };
    let format = match now {
        Some(now) if now.date_naive() == moment.date_naive() => "%H:%M:%S",
        Some(_) => "%b %d %H:%M",
        None => "%Y-%m-%d %H:%M:%S",
    };
    moment.format(format).to_string()
}

/// When a file was changed, in seconds since the epoch, to the minute; nothing for what is no time.
pub(crate) fn changed(seconds: Option<f64>) -> String {
    let time = seconds.and_then(|seconds| DateTime::from_timestamp(seconds as i64, 0));
    time.map(|time| time.with_timezone(&Local).format("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// The same for a column in front of the file's name, empty where a terminal of `width` has no room for both.
pub(crate) fn changed_in_column(seconds: Option<f64>, width: Option<usize>) -> String {
    if width.is_some_and(|width| width < 80) { String::new() } else { changed(seconds) }
}

/// How long something took, in milliseconds.
pub(crate) fn lasting(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    match milliseconds {
        0..1000 => format!("{milliseconds} ms"),
        1000..60_000 => format!("{seconds}.{} s", milliseconds % 1000 / 100),
        60_000..3_600_000 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A time as clocks show it: `0:07`, `1:02:03`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_short_where_the_day_is_today() {
        let now = Local::now();
        let milliseconds = u64::try_from(now.timestamp_millis()).unwrap();
        assert_eq!(moment_seen(milliseconds, Some(now)), now.format("%H:%M:%S").to_string());
        assert_eq!(moment_seen(0, Some(now)).len(), "Jan 01 00:00".len());
        assert_eq!(moment_seen(0, None).len(), "1970-01-01 00:00:00".len());
        assert_eq!(moment_seen(u64::MAX, None), "");
        assert_eq!(moment_seen(i64::MAX as u64, None), "");
    }

    #[test]
    fn times_have_the_unit_that_fits_them() {
        let times = [0, 999, 1000, 59_999, 60_000, 3_599_999, 3_600_000, u64::MAX];
        let texts = times.map(lasting);
        assert_eq!(texts[..4], ["0 ms", "999 ms", "1.0 s", "59.9 s"]);
        assert_eq!(texts[4..7], ["1 min 0 s", "59 min 59 s", "1 h 0 min"]);
    }

    #[test]
    fn times_are_written_as_on_a_clock() {
        assert_eq!(clock(Duration::from_millis(9900)), "0:09");
        assert_eq!(clock(Duration::from_secs(3661)), "1:01:01");
    }
}
