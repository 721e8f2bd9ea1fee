-- Alerts of a stretch of time, for what they cost.

create index alerts_by_raised on alerts (raised);
