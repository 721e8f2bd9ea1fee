-- Several readings may have one identifier: the parts of one order, or a value and its correction.

create table reading_names (
    identifier text not null,
    journal_offset integer not null,
    series integer not null,
    reading_index integer not null,
    primary key (identifier, journal_offset, series, reading_index)
) without rowid;
insert into reading_names (identifier, journal_offset, series, reading_index)
    select identifier, journal_offset, series, reading_index from reading_identifiers;
drop table reading_identifiers;
create index reading_names_by_reading on reading_names (journal_offset, series, reading_index);

-- What patients, encounters, places and devices were, version by version, as in the directory.
create table directory_history (
    kind text not null,
    id text not null,
    version integer not null,
    updated integer not null,
    body blob not null,
    document blob,
    primary key (kind, id, version)
) without rowid;
insert into directory_history (kind, id, version, updated, body, document)
    select kind, id, version, updated, body, document from directory;
