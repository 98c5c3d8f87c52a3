use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

/// The longest wait that is followed.
const MAX_WAIT: Duration = Duration::from_secs(3600);

/// How long a response asks to wait with the next request, an hour at most: `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3). None
/// without the header, or when it is neither. Providers of models also send fractions of a second.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    wait(headers.get(RETRY_AFTER)?.to_str().ok()?.trim(), SystemTime::now())
}

fn wait(text: &str, now: SystemTime) -> Option<Duration> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let asked = if is_number {
        Duration::try_from_secs_f64(text.parse::<f64>().ok()?.min(MAX_WAIT.as_secs_f64())).ok()?
    } else {
        // A date that has passed: now.
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(asked.min(MAX_WAIT))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};

    use super::{retry_after, wait};

    /// 1994-11-06 08:49:30, seven seconds before the date of RFC 9110's examples.
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_770)
    }

    #[test]
    fn seconds_and_all_forms_of_a_date_are_read() {
        let seven = ["7", "7.0", "007", "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
        for text in seven {
            assert_eq!(wait(text, now()), Some(Duration::from_secs(7)), "{text}");
        }
        assert_eq!(wait("0.25", now()), Some(Duration::from_millis(250)));
        for past in ["0", "Sun, 06 Nov 1994 08:49:29 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"] {
            assert_eq!(wait(past, now()), Some(Duration::ZERO), "{past}");
        }
    }

    #[test]
    fn an_hour_is_the_longest_wait() {
        for text in ["3601", "99999999999999999999999999", &"9".repeat(400), "Sat, 06 Nov 2094 08:49:37 GMT"] {
            assert_eq!(wait(text, now()), Some(Duration::from_secs(3600)), "{text}");
        }
    }

    #[test]
    fn what_is_neither_is_no_wait() {
        for text in ["", ".", "-1", "+1", "NaN", "inf", "1e3", "0x10", "1.2.3", "7 s", "soon", "Sun, 06 Nov 1994", "\u{663}"] {
            assert_eq!(wait(text, now()), None, "{text}");
        }
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_bytes(b"\xff").expect("opaque bytes"));
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static(" 12 "));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(12)));
    }
}
