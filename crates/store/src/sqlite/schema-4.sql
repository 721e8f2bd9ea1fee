-- Patients who were erased: the opaque id, what was deleted, and what proves it. No value of theirs.

create table erasures (
    journal_offset integer primary key,
    patient text not null,
    at integer not null,
    body blob not null,
    proof blob
);
create index erasures_by_patient on erasures (patient, at);
