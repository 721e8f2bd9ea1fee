-- What was read of the alerts that were raised in an hour, kept for the next question. Each change of one of
-- them counts the version up and empties the body, whoever makes it: a body that is there is true.

create table alert_hours (
    hour integer primary key,
    version integer not null,
    body blob
);
insert into alert_hours (hour, version) select distinct raised / 3600000000, 1 from alerts;

create trigger alert_hours_told before insert on alerts begin
    update alert_hours set version = version + 1, body = null where hour in (new.raised / 3600000000,
        (select raised / 3600000000 from alerts
         where episode_offset = new.episode_offset and episode_index = new.episode_index));
    insert into alert_hours (hour, version) select new.raised / 3600000000, 1
        where not exists (select 1 from alert_hours where hour = new.raised / 3600000000);
end;
create trigger alert_hours_gone after delete on alerts begin
    update alert_hours set version = version + 1, body = null where hour = old.raised / 3600000000;
end;
create trigger alert_hours_happened after insert on alert_events begin
    update alert_hours set version = version + 1, body = null where hour =
        (select raised / 3600000000 from alerts
         where episode_offset = new.episode_offset and episode_index = new.episode_index);
end;
create trigger alert_hours_forgotten after delete on alert_events begin
    update alert_hours set version = version + 1, body = null where hour =
        (select raised / 3600000000 from alerts
         where episode_offset = old.episode_offset and episode_index = old.episode_index);
end;
-- Whoever is erased may have been named in what was read of any hour.
create trigger alert_hours_erased after insert on erasures begin
    update alert_hours set version = version + 1, body = null;
end;
