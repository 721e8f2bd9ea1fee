//! Every record to the site's audit repositories (IHE ATNA): DICOM audit messages (PS3.15 A.5) over
//! syslog (RFC 5424) over TLS (RFC 5425).

mod message;
mod ship;

pub(crate) use ship::{Shipper, run};
