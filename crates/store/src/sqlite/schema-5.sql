-- What predictive models said: each with all that it was said from, so that it can be said again.

create table predictions (
    journal_offset integer not null,
    order_index integer not null,
    patient text not null,
    model text not null,
    version text not null,
    role text not null,
    class text not null,
    probability real,
    at integer not null,
    made integer not null,
    inputs blob not null,
    body blob not null,
    primary key (journal_offset, order_index)
);
create index predictions_by_patient on predictions (patient, at);
create index predictions_by_model on predictions (model, made);
create index predictions_by_made on predictions (made, journal_offset, order_index);
