// What the live stream says, as fine-grained stores: a heart rate that changes redraws one text node.
import { batch, createSignal } from 'solid-js';
import { createStore, reconcile, unwrap } from 'solid-js/store';
import { api, BASE } from '../api/client';
import type { Alert, LiveEvent, Load, Tile, Ward } from '../api/types';
import { may } from '../session/session';
import { connect } from './connection';
import { serverNow, setServerTime } from './clock';
import type { Frame } from './sse';

interface LiveState {
  tiles: Record<string, Tile | undefined>;
  order: string[];
  units: string[];
  alerts: Record<string, Alert | undefined>;
  load: Load | null;
  quarantineNew: number | null;
  loaded: boolean;
}

const empty = (): LiveState => ({ tiles: {}, order: [], units: [], alerts: {}, load: null, quarantineNew: null, loaded: false });
const [state, setState] = createStore<LiveState>(empty());
const [live, setLive] = createSignal(false);
const [lostSince, setLostSince] = createSignal<number | null>(null);
let heardMs: number | null = null;

/** The live picture of the ward. */
export const ward = state;
/** Whether the picture is live now (TI-1). */
export const isLive = live;
/** The server's time of the last message before the connection was lost; null while live. */
export const notLiveSince = lostSince;

type Listener = (event: LiveEvent) => void;
const listeners = new Set<Listener>();
/** Hears each alert, quarantine or devices event; returns what ends it. */
export function onLiveEvent(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Score trends change once a minute, tiles once a second: the old array stays when nothing moved. */
function keepTrend(tile: Tile): Tile {
  const old = unwrap(state.tiles[tile.patient.id])?.score?.trend;
  const next = tile.score?.trend;
  if (!tile.score || !old || !next || old.length !== next.length) return tile;
  const a = old[old.length - 1], b = next[next.length - 1];
  return a && b && a[0] === b[0] && a[1] === b[1] && old[0]?.[0] === next[0]?.[0] ? { ...tile, score: { ...tile.score, trend: old } } : tile;
}

function putTile(tile: Tile): void {
  const { id } = tile.patient;
  if (!state.tiles[id]) setState('order', (order) => [...order, id]);
  setState('tiles', id, reconcile(keepTrend(tile), { key: 'metric' }));
}

function putWard(next: Ward): void {
  const ids = next.tiles.map((t) => t.patient.id);
  for (const id of state.order) if (!ids.includes(id)) setState('tiles', id, undefined);
  next.tiles.forEach((tile) => setState('tiles', tile.patient.id, reconcile(tile, { key: 'metric' })));
  setState({ order: ids, units: next.units, loaded: true });
  setServerTime(next.now_ms);
}

/** Takes an alert unless a newer state of it is known. */
export function putAlert(alert: Alert): void {
  const known = state.alerts[alert.episode];
  if (known && known.changed_ms > alert.changed_ms) return;
  setState('alerts', alert.episode, reconcile(alert, { merge: true }));
}

async function loadOpenAlerts(): Promise<void> {
  const page = await api.alerts({ state: 'open', limit: 500 });
  const open = new Set(page.alerts.map((a) => a.episode));
  batch(() => {
    for (const a of Object.values(state.alerts)) if (a && !open.has(a.episode) && a.state !== 'resolved') setState('alerts', a.episode, undefined);
    page.alerts.forEach(putAlert);
  });
}

async function loadQuarantine(): Promise<void> {
  const page = await api.quarantine({ state: 'new', limit: 1 });
  setState('quarantineNew', page.total);
}

/** Applies one event to the stores. */
export function apply(event: LiveEvent): void {
  switch (event.type) {
    case 'ward':
      putWard(event);
      void loadOpenAlerts().catch(() => undefined);
      if (may('see-quarantine')) void loadQuarantine().catch(() => undefined);
      break;
    case 'tile': putTile(event); break;
    case 'gone':
      setState('order', (order) => order.filter((id) => id !== event.patient));
      setState('tiles', event.patient, undefined);
      break;
    case 'alert': putAlert(event); break;
    case 'devices': setState('load', event); break;
    case 'quarantine': setState('quarantineNew', event.new); break;
    case 'time': setServerTime(event.now_ms); break;
  }
  if (event.type !== 'tile' && event.type !== 'time') listeners.forEach((l) => l(event));
}

// Tiles arrive one by one; drawing them together four times a second costs a tenth of drawing each.
const DRAW_EVERY_MS = 250;
const waiting = new Map<string, string>();
let timer = 0;

function drawWaiting(): void {
  timer = 0;
  const texts = [...waiting.values()];
  waiting.clear();
  batch(() => texts.forEach((text) => apply(JSON.parse(text) as LiveEvent)));
}

const TILE_ID = /"patient":\{"id":"([^"]+)"/;

/** Takes a frame: tiles wait for the next drawing, everything else is applied at once. */
export function take(frame: Frame): void {
  const tile = frame.event === 'tile' ? TILE_ID.exec(frame.data)?.[1] : undefined;
  if (tile) {
    waiting.set(tile, frame.data);
    if (!timer) timer = window.setTimeout(drawWaiting, DRAW_EVERY_MS);
    return;
  }
  if (timer) {
    clearTimeout(timer);
    drawWaiting();
  }
  batch(() => apply(JSON.parse(frame.data) as LiveEvent));
}

/** Opens the live stream; returns what closes it. */
export function startLive(onUnauthorised: () => void): () => void {
  const opened = serverNow();
  const stop = connect({
    url: `${BASE}/live`,
    onFrame: take,
    onLive: (isNow) => {
      if (isNow) heardMs = serverNow();
      if (!isNow && lostSince() == null) setLostSince(heardMs ?? opened);
      if (isNow) setLostSince(null);
      setLive(isNow);
    },
    onUnauthorised,
  });
  return () => {
    stop();
    setLive(false);
    setState(reconcile(empty()));
  };
}

/** For tests of components, which open no stream. */
export const setLiveForTest = setLive;

/** Alerts that are not resolved, in no order. */
export const openAlerts = (): Alert[] => Object.values(state.alerts).filter((a): a is Alert => !!a && a.state !== 'resolved');
