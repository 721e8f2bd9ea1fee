// Alert episodes of the development server: raised when NEWS2 reaches 5, resolved below 3 (hysteresis).
const ROLES = ['nurse', 'charge-nurse', 'physician', 'rapid-response team'];
const RANK = { high: 3, medium: 2, low: 1, none: 0 };

export class Alerts {
  constructor(broadcast) {
    this.all = new Map();
    this.broadcast = broadcast;
    this.counter = 0;
  }

  open(patient) {
    return [...this.all.values()].map((x) => x.alert).filter((a) => a.state !== 'resolved' && (!patient || a.patient?.id === patient));
  }

  raise(now, fields) {
    const episode = `ep-${++this.counter}`;
    const alert = { episode, group: fields.condition, device: null, state: 'raised', raised_ms: now, changed_ms: now, resolved_ms: null, taken_by: '', quiet_until_ms: null, assigned: ROLES[0], escalates_ms: now + 300_000, level: 0, readings: [], ...fields };
    const events = [{ time_ms: alert.raised_ms, kind: 'raised', priority: alert.priority, actor: 'system', detail: alert.reason }];
    this.all.set(episode, { alert, events });
    this.broadcast('alert', alert);
    return alert;
  }

  change(now, episode, kind, patch, actor, detail) {
    const entry = this.all.get(episode);
    Object.assign(entry.alert, patch, { changed_ms: now });
    entry.events.push({ time_ms: now, kind, priority: entry.alert.priority, actor, detail });
    this.broadcast('alert', entry.alert);
    return entry.alert;
  }

  /** What a person asks for: acknowledge, snooze, escalate, reset. */
  act(now, episode, action, { minutes, reason = '' }) {
    const { alert } = this.all.get(episode);
    const by = 'Trial user';
    if (action === 'acknowledge') return this.change(now, episode, 'acknowledged', { state: 'acknowledged', taken_by: by, quiet_until_ms: now + (minutes ?? 15) * 60_000, escalates_ms: null }, by, reason);
    if (action === 'snooze') return this.change(now, episode, 'snoozed', { state: 'snoozed', taken_by: by, quiet_until_ms: now + minutes * 60_000, escalates_ms: null }, by, reason);
    if (action === 'escalate') {
      const level = Math.min(alert.level + 1, ROLES.length - 1);
      return this.change(now, episode, 'escalated', { level, state: alert.state === 'latched' ? 'latched' : 'raised', assigned: ROLES[level], escalates_ms: now + 300_000 }, by, reason || `to ${ROLES[level]}`);
    }
    return this.change(now, episode, 'reset', { state: 'resolved', resolved_ms: now, escalates_ms: null }, by, reason);
  }

  /** The score rule and the clock. */
  judge(now, p, tile) {
    const { value, parts } = tile.score;
    const existing = this.open(p.brief.id).find((a) => a.condition === 'early-warning');
    const priority = value >= 7 ? 'high' : value >= 5 ? 'medium' : null;
    const reason = `${tile.score.name} ${value}: ${parts.filter((x) => x.points).map((x) => `${x.label} ${x.value} (+${x.points})`).join(', ')}`;
    const readings = parts.filter((x) => x.points).map((x) => tile.values.find((v) => v.metric === x.metric).reading);
    if (priority && !existing) {
      this.raise(now, { condition: 'early-warning', title: `Early-warning score ${priority}`, reason, priority, patient: p.brief, location: p.location, readings });
    } else if (priority && RANK[priority] > RANK[existing.priority]) {
      this.change(now, existing.episode, 'worsened', { priority, state: 'raised', reason, readings, title: `Early-warning score ${priority}`, escalates_ms: now + 300_000, quiet_until_ms: null }, 'system', reason);
    } else if (existing && value < 3) {
      this.change(now, existing.episode, 'resolved', { state: 'resolved', resolved_ms: now, escalates_ms: null, quiet_until_ms: null }, 'system', `${tile.score.name} ${value}`);
    }
  }

  /** Silence ends, or the next role's turn comes. */
  clock(now) {
    for (const { alert } of this.all.values()) {
      if (alert.quiet_until_ms && now >= alert.quiet_until_ms && alert.state !== 'resolved') this.change(now, alert.episode, 'sounding', { state: 'raised', quiet_until_ms: null, escalates_ms: now + 300_000 }, 'system', 'the quiet time is over');
      if (alert.escalates_ms && now >= alert.escalates_ms && alert.level < 3) {
        const level = alert.level + 1;
        this.change(now, alert.episode, 'escalated', { level, assigned: ROLES[level], escalates_ms: level < 3 ? now + 300_000 : null }, 'system', `nobody took it: to ${ROLES[level]}`);
      }
    }
  }

  summary(patient) {
    const open = this.open(patient).sort((a, b) => RANK[b.priority] - RANK[a.priority] || a.raised_ms - b.raised_ms);
    if (!open.length) return { priority: 'none', count: 0, title: '', episode: '', since_ms: null, acknowledged: false, sounding: false };
    const [top] = open;
    return { priority: top.priority, count: open.length, title: top.title, episode: top.episode, since_ms: top.raised_ms, acknowledged: open.every((a) => a.state === 'acknowledged' || a.state === 'snoozed'), sounding: open.some((a) => a.state === 'raised') };
  }

  page(query) {
    const state = query.get('state') ?? 'open';
    let list = [...this.all.values()].map((x) => x.alert);
    if (state === 'open') list = list.filter((a) => a.state !== 'resolved');
    if (state === 'resolved') list = list.filter((a) => a.state === 'resolved');
    for (const [key, get] of [['priority', (a) => a.priority], ['unit', (a) => a.location?.unit], ['patient', (a) => a.patient?.id]]) {
      if (query.get(key)) list = list.filter((a) => get(a) === query.get(key));
    }
    if (query.get('before_ms')) list = list.filter((a) => a.raised_ms < Number(query.get('before_ms')));
    list.sort((a, b) => (state === 'open' ? RANK[b.priority] - RANK[a.priority] : 0) || b.raised_ms - a.raised_ms);
    return { alerts: list.slice(0, Number(query.get('limit') ?? 100)), total: list.length, position: 0 };
  }
}

/** Something to look at from the first second: history, technical alerts, taken ones. */
export function seedAlerts(alerts, patients, now) {
  const at = (i) => ({ patient: patients[i].brief, location: patients[i].location });
  for (let i = 0; i < 26; i++) {
    const t = now - 3_600_000 * (2 + i * 1.7);
    const a = alerts.raise(t, { condition: 'early-warning', title: 'Early-warning score medium', reason: 'NEWS2 6: RR 23 (+2), SpO2 93 % (+2), HR 118 (+2)', priority: i % 4 ? 'medium' : 'high', ...at((i * 7) % 40), readings: [`${(i * 7) % 40}~MDC_RESP_RATE~${t}`] });
    alerts.change(t + 120_000, a.episode, 'acknowledged', { state: 'acknowledged', taken_by: 'M. Reyes' }, 'M. Reyes', 'seen at the bedside');
    alerts.change(t + 1_500_000, a.episode, 'resolved', { state: 'resolved', resolved_ms: t + 1_500_000, escalates_ms: null }, 'system', 'NEWS2 2');
  }
  alerts.raise(now - 400_000, { condition: 'data-gap', title: 'No data from monitor', reason: 'Monitor 23 has sent nothing for 6 min; the connection was lost.', priority: 'low', device: patients[22].device.id, ...at(22), escalates_ms: null });
  alerts.raise(now - 200_000, { condition: 'sensor', title: 'SpO2 not measured', reason: 'No oxygen saturation for 4 min; the other values of the monitor arrive.', priority: 'low', device: patients[11].device.id, ...at(11), escalates_ms: null });
  const latched = alerts.raise(now - 900_000, { condition: 'apnoea', title: 'Respiratory rate was below 8', reason: 'RR 6 /min for 25 s at the lowest; back at 14 /min.', priority: 'high', ...at(16), readings: [`16~MDC_RESP_RATE~${now - 900_000}`], escalates_ms: null });
  alerts.change(now - 840_000, latched.episode, 'latched', { state: 'latched' }, 'system', 'the condition has gone; somebody has to see it');
  const snoozed = alerts.raise(now - 700_000, { condition: 'limit', title: 'Heart rate above 130', reason: 'HR 134 /min, limit 130 /min, for 15 s', priority: 'medium', ...at(14), readings: [`14~MDC_ECG_HEART_RATE~${now - 700_000}`] });
  alerts.act(now - 500_000, snoozed.episode, 'snooze', { minutes: 20, reason: 'Physiotherapy, movement artefact' });
}
