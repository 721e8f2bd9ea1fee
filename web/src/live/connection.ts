// Keeps one live stream open: resumes where it stopped, and notices silence (TI-1).
import { sseParser, type Frame } from './sse';

/** The server sends its clock every two seconds; longer silence means that we are not live. */
export const SILENCE_MS = 5_000;
const RETRY_MS = [250, 1_000, 2_000, 4_000];

export interface ConnectionOptions {
  url: string;
  onFrame: (frame: Frame) => void;
  /** Called with true when frames arrive again, with false when they stop. */
  onLive: (live: boolean) => void;
  onUnauthorised: () => void;
  fetcher?: typeof fetch;
}

/** Opens the stream and keeps it open until the returned function is called. */
export function connect(options: ConnectionOptions): () => void {
  const fetcher = options.fetcher ?? fetch;
  let position = '';
  let attempt = 0;
  let closed = false;
  let abort = new AbortController();
  let watchdog = 0;

  const heard = () => {
    attempt = 0;
    options.onLive(true);
    clearTimeout(watchdog);
    watchdog = window.setTimeout(() => abort.abort(), SILENCE_MS);
  };

  const once = async () => {
    abort = new AbortController();
    const first = window.setTimeout(() => abort.abort(), SILENCE_MS);
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (position) headers['last-event-id'] = position;
    const response = await fetcher(options.url, { headers, credentials: 'same-origin', cache: 'no-store', signal: abort.signal });
    clearTimeout(first);
    if (response.status === 401) {
      closed = true;
      options.onUnauthorised();
      return;
    }
    if (!response.ok || !response.body) throw new Error(`live stream: ${response.status}`);
    watchdog = window.setTimeout(() => abort.abort(), SILENCE_MS);
    const feed = sseParser((frame) => {
      heard();
      options.onFrame(frame);
      if (frame.id) position = frame.id;
    });
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      feed(decoder.decode(value, { stream: true }));
    }
  };

  const loop = async () => {
    while (!closed) {
      await once().catch(() => undefined);
      clearTimeout(watchdog);
      if (closed) return;
      options.onLive(false);
      const wait = RETRY_MS[Math.min(attempt++, RETRY_MS.length - 1)] ?? 4_000;
      await new Promise((resolve) => window.setTimeout(resolve, wait));
    }
  };
  void loop();
  return () => {
    closed = true;
    clearTimeout(watchdog);
    abort.abort();
  };
}
