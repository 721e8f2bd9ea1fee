-- Times are microseconds since 1970, UTC. Bodies are JSON.

create table meta (
    name text primary key,
    value integer not null
) without rowid;

create table engine_state (
    name text primary key,
    value blob not null
) without rowid;

create table counters (
    name text primary key,
    value integer not null
) without rowid;

create table kv (
    bucket text not null,
    key text not null,
    value blob not null,
    primary key (bucket, key)
) without rowid;

create table series (
    id integer primary key,
    subject text,
    device text not null,
    metric integer not null,
    channel integer not null
);
create index series_by_subject on series (subject, metric);
create index series_by_device on series (device, metric);

-- One row a block of points; blocks of one series do not overlap in time.
create table blocks (
    id integer primary key,
    series integer not null,
    min_time integer not null,
    max_time integer not null,
    min_received integer not null,
    max_received integer not null,
    min_offset integer not null,
    max_offset integer not null,
    count integer not null,
    min_value real,
    max_value real,
    first_value real,
    last_value real,
    quality integer not null,
    data blob not null
);
create index blocks_by_time on blocks (series, max_time, min_time);

create table attachments (
    series integer not null,
    journal_offset integer not null,
    reading_index integer not null,
    time integer not null,
    received integer not null,
    quality integer not null,
    kind integer not null,
    data blob not null
);
create unique index attachments_by_reading
    on attachments (series, journal_offset, reading_index);
create index attachments_by_time on attachments (series, time);

create table reading_identifiers (
    identifier text primary key,
    series integer not null,
    journal_offset integer not null,
    reading_index integer not null
) without rowid;
create index reading_identifiers_by_reading
    on reading_identifiers (journal_offset, series, reading_index);

-- Patients, encounters, places and devices: what they are searched by, and the whole.
create table directory (
    kind text not null,
    id text not null,
    name text not null,
    status text not null,
    patient text,
    location text,
    updated integer not null,
    version integer not null,
    body blob not null,
    document blob,
    primary key (kind, id)
) without rowid;
create index directory_by_name on directory (kind, name, id);
create index directory_by_updated on directory (kind, updated, id);
create index directory_by_patient on directory (patient, kind) where patient is not null;
create index directory_by_location on directory (location, kind) where location is not null;

create table identifiers (
    kind text not null,
    value text not null,
    system text not null,
    id text not null,
    primary key (kind, value, system, id)
) without rowid;
create index identifiers_by_id on identifiers (kind, id);

create table associations (
    device text not null,
    start integer not null,
    patient text not null,
    until integer,
    updated integer not null,
    body blob not null,
    primary key (device, start, patient)
) without rowid;
create index associations_by_patient on associations (patient, start);

create table alerts (
    episode_offset integer not null,
    episode_index integer not null,
    patient text,
    device text,
    unit text not null,
    condition text not null,
    priority integer not null,
    state text not null,
    open integer not null,
    raised integer not null,
    changed integer not null,
    body blob not null,
    primary key (episode_offset, episode_index)
) without rowid;
create index alerts_open on alerts (open, priority, raised);
create index alerts_by_patient on alerts (patient, raised);
create index alerts_by_changed on alerts (changed);

create table alert_events (
    episode_offset integer not null,
    episode_index integer not null,
    journal_offset integer not null,
    order_index integer not null,
    at integer not null,
    kind text not null,
    actor text not null,
    body blob not null,
    primary key (episode_offset, episode_index, journal_offset, order_index)
) without rowid;

create table quarantine (
    journal_offset integer primary key,
    received integer not null,
    protocol text not null,
    address text not null,
    sender text not null,
    profile text not null,
    kinds text not null,
    status text not null,
    resolution blob not null,
    problems blob not null,
    payload blob not null
);
create index quarantine_by_status on quarantine (status, journal_offset);

create table documents (
    kind text not null,
    id text not null,
    version integer not null,
    updated integer not null,
    latest integer not null,
    body blob not null,
    primary key (kind, id, version)
) without rowid;
create index documents_latest on documents (kind, latest, updated);

create table document_tokens (
    kind text not null,
    name text not null,
    token text not null,
    id text not null,
    primary key (kind, name, token, id)
) without rowid;
create index document_tokens_by_id on document_tokens (kind, id);

create table outbox (
    id text primary key,
    target text not null,
    body blob not null,
    created integer not null,
    attempts integer not null,
    next_at integer not null,
    last_error text not null
) without rowid;
create index outbox_due on outbox (next_at);
