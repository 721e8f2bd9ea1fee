-- Waveforms: samples in blocks. A commit leaves fresh ones, which go together into sealed ones.
-- Outline, pyramid and data are described in crates/store/src/wave. The pyramid stands before the
-- data so that a reader of the one does not have to page through the other.

create table wave_blocks (
    id integer primary key,
    series integer not null,
    min_time integer not null,
    max_time integer not null,
    min_received integer not null,
    max_received integer not null,
    min_offset integer not null,
    max_offset integer not null,
    frames integer not null,
    samples integer not null,
    min_value real,
    max_value real,
    quality integer not null,
    outline blob not null,
    pyramid blob not null,
    data blob not null
);
-- All that drawing days, counting frames and finding them needs stands in the index.
create index wave_blocks_by_time on wave_blocks
    (series, min_time, max_time, min_value, max_value, quality, frames, min_received, max_received);
create index wave_blocks_by_offset on wave_blocks (series, max_offset, min_offset);

create table wave_fresh (
    id integer primary key,
    series integer not null,
    min_time integer not null,
    max_time integer not null,
    min_received integer not null,
    max_received integer not null,
    min_offset integer not null,
    max_offset integer not null,
    frames integer not null,
    samples integer not null,
    quality integer not null,
    outline blob not null,
    data blob not null
);
create index wave_fresh_by_series on wave_fresh (series, samples);

-- What there is of each series.
create table wave_series (
    series integer primary key,
    frames integer not null,
    samples integer not null,
    first_time integer not null,
    last_time integer not null,
    last_offset integer not null,
    last_index integer not null
);

-- Stretches of time that retention leaves alone; those that ended stay as a record.
create table holds (
    id integer primary key,
    patient text not null,
    from_time integer not null,
    to_time integer not null,
    reason text not null,
    by text not null,
    at integer not null,
    released_by text,
    released_at integer
);
create index holds_by_patient on holds (patient, from_time);
