//! What a registration says (OMA LwM2M Core 1.1, 6.2.1): lifetime, binding, version, objects.

use crate::content;

/// A lifetime without one told, and the longest that is believed, in seconds.
pub(crate) const LIFETIME_S: u32 = 86_400;
const LIFETIME_MOST_S: u32 = 30 * 86_400;

/// The query of a registration or its update.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// What the sensor calls itself.
    pub(crate) endpoint: Option<String>,
    /// For how long it is registered, in seconds.
    pub(crate) lifetime_s: Option<u32>,
    /// Whether it sleeps and is spoken to only when it has just spoken (1.0: `b=UQ`; 1.1: `Q`).
    pub(crate) queue: Option<bool>,
    /// Whether it speaks version 1.0, which knows no SenML.
    pub(crate) old: bool,
}

impl Told {
    pub(crate) fn read(query: &[String]) -> Self {
        let mut told = Self::default();
        for part in query {
            match part.split_once('=') {
                Some(("ep", name)) => told.endpoint = Some(name.to_owned()),
                Some(("lt", text)) => {
                    told.lifetime_s = text.parse().ok().map(|seconds: u32| seconds.clamp(1, LIFETIME_MOST_S));
                }
                Some(("b", modes)) => told.queue = Some(told.queue == Some(true) || modes.contains('Q')),
                Some(("lwm2m", version)) => told.old = version == "1.0",
                None if part == "Q" => told.queue = Some(true),
                _ => {}
            }
        }
        told
    }
}

/// What is to be observed of a list of links such as `</1/0>,</3303/0>;ver=1.1`: the instances of objects
/// that hold measurements, and the device's battery; none if it is no text.
pub(crate) fn measuring(links: &[u8], most: usize) -> Option<Vec<Vec<u16>>> {
    let links = std::str::from_utf8(links).ok()?;
    let mut found: Vec<Vec<u16>> = Vec::new();
    for mut path in links.split(',').filter_map(instance).filter(|path| measures(path)) {
        if path[0] == 3 {
            path.push(9);
        }
        if found.len() < most && !found.contains(&path) {
            found.push(path);
        }
    }
    Some(found)
}

fn instance(link: &str) -> Option<Vec<u16>> {
    let (path, _) = link.trim().strip_prefix('<')?.split_once('>')?;
    content::path(path).filter(|path| path.len() == 2)
}

/// Whether an object holds measurements: the sensors among the IPSO objects, and the device's battery.
fn measures(path: &[u16]) -> bool {
    matches!(path.first(), Some(3 | 3300..=3305 | 3313..=3331 | 3336 | 3337 | 3346..=3348))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told() {
        let told = |parts: &[&str]| Told::read(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_eq!(told(&["lt=60", "b=UQ", "lwm2m=1.0"]), Told { lifetime_s: Some(60), queue: Some(true), old: true, endpoint: None });
        assert_eq!(told(&["ep=a", "b=U", "Q", "lwm2m=1.1"]), Told { lifetime_s: None, queue: Some(true), old: false, endpoint: Some("a".to_owned()) });
        assert_eq!(told(&["Q", "b=U"]).queue, Some(true));
        assert_eq!(told(&["b=U"]).queue, Some(false));
        assert_eq!(told(&["lt=0"]).lifetime_s, Some(1));
        assert_eq!(told(&["lt=never", "x"]), Told::default());
    }

    #[test]
    fn what_is_observed() {
        let links = b"</>;rt=\"oma.lwm2m\";ct=112,</1/0>,</3303/0>;ver=1.1, </3303/0>,</3346/0>,</3300/7>,</3/0>,</x/0>";
        assert_eq!(measuring(links, 9), Some(vec![vec![3303, 0], vec![3346, 0], vec![3300, 7], vec![3, 0, 9]]));
        assert_eq!(measuring(links, 1), Some(vec![vec![3303, 0]]));
        assert_eq!(measuring(b"\xff", 1), None);
    }
}
