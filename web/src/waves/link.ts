// Keeps the WebSocket for live waveforms open: says what to send, tells the server what has arrived (so that it can thin for a slow
// link instead of queueing), and notices silence (TI-1).
import { BASE } from '../api/client';
import { decodeWave, type Watched, type WaveMessage, type WaveText } from './wire';

/** The server says its time each second; longer silence means that what is on the screen is not live. */
export const SILENCE_MS = 4_000;
const RETRY_MS = [250, 1_000, 2_000, 4_000];

export interface LinkOptions {
  onWave: (message: WaveMessage) => void;
  onText: (message: WaveText) => void;
  /** True when messages arrive again, false when they stop. */
  onLive: (live: boolean) => void;
  /** Opens the socket; a test passes its own. */
  open?: (url: string) => WebSocket;
}

export interface WaveLink {
  /** Replaces the list of what is to be sent; `columns_per_s` is what the viewer can draw of a second. */
  watch: (channels: Watched[], columnsPerS: number) => void;
  /** Messages that were not understood. */
  broken: () => number;
  stop: () => void;
}

export const liveUrl = (): string => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}${BASE}/waveforms/live`;

/** Opens the link and keeps it open until it is stopped. */
export function openLink(options: LinkOptions): WaveLink {
  const open = options.open ?? ((url) => new WebSocket(url));
  let socket: WebSocket | null = null;
  let wanted = '';
  let attempt = 0, watchdog = 0, retry = 0, broken = 0, stopped = false;

  const heard = () => {
    attempt = 0;
    clearTimeout(watchdog);
    watchdog = window.setTimeout(lost, SILENCE_MS);
    options.onLive(true);
  };
  const onMessage = (event: MessageEvent<unknown>) => {
    heard();
    if (typeof event.data === 'string') {
      const text = JSON.parse(event.data) as WaveText;
      if (text.type === 'time') socket?.send(JSON.stringify({ type: 'seen', ms: text.now_ms }));
      options.onText(text);
      return;
    }
    const message = decodeWave(event.data as ArrayBuffer);
    if (message) options.onWave(message);
    else broken++;
  };
  const lost = () => {
    clearTimeout(watchdog);
    if (!socket) return;
    socket.onmessage = socket.onclose = socket.onopen = socket.onerror = null;
    socket.close();
    socket = null;
    options.onLive(false);
    if (!stopped) retry = window.setTimeout(begin, RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)]);
  };
  const begin = () => {
    const s = open(liveUrl());
    socket = s;
    s.binaryType = 'arraybuffer';
    s.onopen = () => {
      // What is seen will be told, from the first message on: a link that is slow from its beginning is then known as one.
      s.send(JSON.stringify({ type: 'seen', ms: 0 }));
      if (wanted) s.send(wanted);
    };
    s.onmessage = onMessage;
    s.onclose = s.onerror = lost;
    watchdog = window.setTimeout(lost, SILENCE_MS);
  };
  begin();
  return {
    watch: (channels, columnsPerS) => {
      const text = JSON.stringify({ type: 'watch', channels, columns_per_s: Math.ceil(columnsPerS) });
      if (text === wanted) return;
      wanted = text;
      if (socket?.readyState === 1) socket.send(wanted);
    },
    broken: () => broken,
    stop: () => {
      stopped = true;
      clearTimeout(retry);
      lost();
    },
  };
}
