//! What of a request goes into its audit records beside the decision: its own id, and whose data
//! were in the answer.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use guard::Record;
use vitals::PatientId;

use crate::access::Caller;

/// The header that tells the caller the request's id, by which its records are found.
pub const REQUEST_ID: &str = "x-request-id";

/// One request.
pub(crate) struct Trace {
    id: String,
    /// The last record of somebody who was let in.
    entered: RefCell<Option<Record>>,
    shown: RefCell<BTreeSet<PatientId>>,
    /// Who makes it, once that is known.
    by: RefCell<Option<Maker>>,
}

/// Who makes a request, and with what.
#[derive(Clone)]
struct Maker {
    actor: String,
    client: String,
    session: String,
    factor: &'static str,
    purpose: String,
}

impl Default for Trace {
    fn default() -> Self {
        let (entered, shown, by) = Default::default();
        Self { id: next_id(), entered, shown, by }
    }
}

impl Trace {
    /// 32 hexadecimal digits, which no other request has.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Remembers who makes the request.
    pub(crate) fn by(&self, caller: &Caller) {
        *self.by.borrow_mut() = Some(Maker {
            actor: caller.account.name.clone(),
            client: caller.grant.as_ref().map_or_else(String::new, |grant| grant.client.clone()),
            session: caller.session.clone(),
            factor: caller.factor,
            purpose: caller.purpose.map_or_else(String::new, |purpose| purpose.code().to_owned()),
        });
    }

    /// The same request as a task that goes on after its answer knows it.
    pub(crate) fn going_on(&self) -> Self {
        Self { id: self.id.clone(), by: self.by.clone(), ..Self::default() }
    }

    /// What was recorded when the caller was let in, to say more of it.
    pub(crate) fn let_in(&self) -> Option<Record> {
        self.entered.borrow().clone()
    }

    /// A record with the request's id, and, if it is of whoever makes the request, with client,
    /// session, factor and purpose; what it says itself stands.
    pub(crate) fn signed(&self, mut record: Record) -> Record {
        fn fill(own: &mut String, other: &str) {
            if own.is_empty() {
                other.clone_into(own);
            }
        }
        fill(&mut record.request, &self.id);
        if let Some(by) = self.by.borrow().as_ref().filter(|by| by.actor == record.actor) {
            fill(&mut record.client, &by.client);
            fill(&mut record.session, &by.session);
            fill(&mut record.factor, by.factor);
            fill(&mut record.purpose, &by.purpose);
        }
        record
    }

    /// Remembers what was recorded when the caller was let in.
    pub(crate) fn entered(&self, record: &Record) {
        *self.entered.borrow_mut() = Some(record.clone());
    }

    /// Remembers that data of a patient are in the answer.
    pub(crate) fn shown(&self, patient: &PatientId) {
        self.shown.borrow_mut().insert(patient.clone());
    }

    /// The record of whose data are in the answer; none where the record of the access says all.
    pub(crate) fn disclosed(&self) -> Option<Record> {
        let patients: Vec<PatientId> = std::mem::take(&mut *self.shown.borrow_mut()).into_iter().collect();
        let entered = self.entered.borrow_mut().take()?;
        let told = patients.is_empty() || (patients.len() == 1 && entered.subject.as_ref() == patients.first());
        (!told).then(|| Record { patients, subject: None, detail: "in the answer".to_owned(), ..entered })
    }
}

/// Ids of requests: unlike those of any other run, and in order.
fn next_id() -> String {
    static RUN: LazyLock<u64> = LazyLock::new(|| {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(std::process::id())
    });
    static COUNT: AtomicU64 = AtomicU64::new(1);
    format!("{:016x}{:016x}", *RUN, COUNT.fetch_add(1, Ordering::Relaxed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_data_are_in_an_answer_is_recorded_once() {
        let trace = Trace::default();
        assert!(trace.disclosed().is_none());
        let (a, b) = (PatientId::sanitised("a"), PatientId::sanitised("b"));
        let record = Record { subject: Some(a.clone()), ..Record::default() };
        trace.entered(&record);
        trace.shown(&a);
        assert!(trace.disclosed().is_none(), "the access says it");
        trace.entered(&record);
        for id in [&b, &a, &b] {
            trace.shown(id);
        }
        let told = trace.disclosed().expect("two patients");
        assert_eq!((told.patients, told.subject), (vec![a, b], None));
        assert!(Trace::default().id() != Trace::default().id() && trace.id().len() == 32);
    }
}
