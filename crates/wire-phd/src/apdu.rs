//! APDUs (IEEE 11073-20601 annex A.8 to A.10): association, release, abort, and the data that an
//! association carries.

use crate::bytes::{Fault, PhdError, Reader, Writer};
use crate::data::Data;

/// The number of the data protocol of IEEE 11073-20601.
pub const DATA_PROTOCOL: u16 = 20_601;
/// The first version of protocol, nomenclature and association, as a bit.
pub const VERSION_1: u32 = 0x8000_0000;
/// The bit of the medical device encoding rules.
pub const MDER: u16 = 0x8000;

/// One APDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Apdu {
    /// An agent wants to associate.
    AssociationRequest {
        /// Versions of the association, as bits.
        version: u32,
        /// The data protocols that it speaks, the best first.
        protocols: Vec<Protocol>,
    },
    /// A manager answers that.
    AssociationResponse {
        /// Its answer.
        result: AssociateResult,
        /// The protocol that it takes.
        protocol: Protocol,
    },
    /// Someone wants to end the association. 0: as usual; 1: no more configurations; 2: another
    /// configuration.
    ReleaseRequest(u16),
    /// The association has ended. 0: as usual.
    ReleaseResponse(u16),
    /// The association ends at once. 0: not told; 1: overflow; 2: no answer in time; 3: no
    /// configuration in time.
    Abort(u16),
    /// What the association carries.
    Data(Data),
}

/// A data protocol in an association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Protocol {
    /// This standard's.
    Phd(Association),
    /// Another's, or an empty place: number and bytes.
    Other(u16, Vec<u8>),
}

/// What both sides tell each other to associate (`PhdAssociationInformation`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// Versions of the protocol, as bits.
    pub protocol_version: u32,
    /// Encoding rules, as bits.
    pub encoding_rules: u16,
    /// Versions of the nomenclature, as bits.
    pub nomenclature_version: u32,
    /// Functions, as bits.
    pub functional_units: u32,
    /// 0x80000000: manager; 0x00800000: agent.
    pub system_type: u32,
    /// An EUI-64.
    pub system_id: Vec<u8>,
    /// The agent's configuration; 0 from a manager.
    pub configuration: u16,
    /// How data may be asked for, as bits.
    pub request_modes: u16,
    /// How many requests of the agent's own, and of the manager's, may run at once.
    pub request_counts: [u8; 2],
    /// Options, unread.
    pub options: Vec<(u16, Vec<u8>)>,
}

/// A manager's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssociateResult {
    /// Welcome, and the configuration is known.
    Accepted,
    /// No, for good.
    RejectedPermanent,
    /// No, for now.
    RejectedTransient,
    /// Welcome: send the configuration.
    AcceptedUnknownConfig,
    /// No data protocol in common.
    NoCommonProtocol,
    /// No parameter in common.
    NoCommonParameter,
    /// No, without a reason.
    RejectedUnknown,
    /// No: not allowed.
    Unauthorised,
    /// No: another version of the association.
    UnsupportedVersion,
}

impl AssociateResult {
    /// In the order of their numbers, from 0.
    pub const ALL: [Self; 9] = [
        Self::Accepted,
        Self::RejectedPermanent,
        Self::RejectedTransient,
        Self::AcceptedUnknownConfig,
        Self::NoCommonProtocol,
        Self::NoCommonParameter,
        Self::RejectedUnknown,
        Self::Unauthorised,
        Self::UnsupportedVersion,
    ];
}

impl Association {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PhdError> {
        Ok(Self {
            protocol_version: reader.u32("protocol-version")?,
            encoding_rules: reader.u16("encoding-rules")?,
            nomenclature_version: reader.u32("nomenclature-version")?,
            functional_units: reader.u32("functional-units")?,
            system_type: reader.u32("system-type")?,
            system_id: reader.counted("system-id")?.rest().to_vec(),
            configuration: reader.u16("dev-config-id")?,
            request_modes: reader.u16("data-req-mode-flags")?,
            request_counts: [
                reader.u8("data-req-init-agent-count")?,
                reader.u8("data-req-init-manager-count")?,
            ],
            options: attributes(reader, "optionList")?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.long(self.protocol_version);
        writer.shorts([self.encoding_rules]);
        for number in [self.nomenclature_version, self.functional_units, self.system_type] {
            writer.long(number);
        }
        writer.counted(|w| w.put(&self.system_id));
        writer.shorts([self.configuration, self.request_modes]);
        writer.put(self.request_counts);
        put_attributes(writer, &self.options);
    }
}

impl Protocol {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PhdError> {
        let id = reader.u16("data-proto-id")?;
        let mut info = reader.counted("data-proto-info")?;
        if id != DATA_PROTOCOL || info.left() == 0 {
            return Ok(Self::Other(id, info.rest().to_vec()));
        }
        let association = Association::read(&mut info)?;
        info.end("data-proto-info")?;
        Ok(Self::Phd(association))
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Phd(association) => {
                writer.shorts([DATA_PROTOCOL]);
                writer.counted(|w| association.write(w));
            }
            Self::Other(id, bytes) => {
                writer.shorts([*id]);
                writer.counted(|w| w.put(bytes));
            }
        }
    }
}

/// An attribute list: identifiers and values, unread.
pub(crate) fn attributes(
    reader: &mut Reader<'_>,
    field: &'static str,
) -> Result<Vec<(u16, Vec<u8>)>, PhdError> {
    reader.list(field, |r| {
        let id = r.u16("attribute-id")?;
        Ok((id, r.counted("attribute-value")?.rest().to_vec()))
    })
}

/// Appends an attribute list.
pub(crate) fn put_attributes(writer: &mut Writer, attributes: &[(u16, Vec<u8>)]) {
    writer.list(attributes, |w, (id, value)| {
        w.shorts([*id]);
        w.counted(|w| w.put(value));
    });
}

impl Apdu {
    /// The APDU that these bytes are, to the last.
    ///
    /// # Errors
    /// Names the field that is cut off, too long, or has no meaning.
    pub fn decode(bytes: &[u8]) -> Result<Self, PhdError> {
        let mut outer = Reader::new(bytes);
        let tag = outer.clone();
        let choice = outer.u16("apdu-choice")?;
        let mut reader = outer.counted("apdu-length")?;
        outer.end("apdu")?;
        let apdu = match choice {
            0xe200 => Self::AssociationRequest {
                version: reader.u32("assoc-version")?,
                protocols: reader.list("data-proto-list", Protocol::read)?,
            },
            0xe300 => {
                let at = reader.clone();
                let code = reader.u16("result")?;
                let known = AssociateResult::ALL.get(usize::from(code)).copied();
                let fault = Fault::Code { code: u32::from(code) };
                Self::AssociationResponse {
                    result: known.ok_or_else(|| at.error("result", fault))?,
                    protocol: Protocol::read(&mut reader)?,
                }
            }
            0xe400 => Self::ReleaseRequest(reader.u16("reason")?),
            0xe500 => Self::ReleaseResponse(reader.u16("reason")?),
            0xe600 => Self::Abort(reader.u16("reason")?),
            0xe700 => {
                let mut part = reader.counted("prst")?;
                let data = Data::read(&mut part)?;
                part.end("data-apdu")?;
                Self::Data(data)
            }
            code => return Err(tag.error("apdu-choice", Fault::Code { code: u32::from(code) })),
        };
        reader.end("apdu")?;
        Ok(apdu)
    }

    /// The APDU's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        let choice = match self {
            Self::AssociationRequest { .. } => 0xe200,
            Self::AssociationResponse { .. } => 0xe300,
            Self::ReleaseRequest(_) => 0xe400,
            Self::ReleaseResponse(_) => 0xe500,
            Self::Abort(_) => 0xe600,
            Self::Data(_) => 0xe700,
        };
        writer.shorts([choice]);
        writer.counted(|w| match self {
            Self::AssociationRequest { version, protocols } => {
                w.long(*version);
                w.list(protocols, |w, protocol| protocol.write(w));
            }
            Self::AssociationResponse { result, protocol } => {
                w.shorts([*result as u16]);
                protocol.write(w);
            }
            Self::ReleaseRequest(reason) | Self::ReleaseResponse(reason) | Self::Abort(reason) => {
                w.shorts([*reason]);
            }
            Self::Data(data) => w.counted(|w| data.write(w)),
        });
        writer.bytes
    }
}
