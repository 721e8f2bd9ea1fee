// Pieces of the past, each loaded once: time is cut at whole multiples of the piece's length. A piece that reaches into the present
// is asked for again while it is looked at.

interface Piece<T> { value: T | undefined; /** When it was last asked for, or answered. */ askedMs: number; whole: boolean; loading: AbortController | null; used: number }

export interface CacheOptions<T> {
  /** Length of a piece, milliseconds. */
  pieceMs: number;
  /** So many pieces are kept. */
  keep: number;
  load: (fromMs: number, toMs: number, signal: AbortSignal) => Promise<T>;
  /** Something has come. */
  onChange: () => void;
  now: () => number;
}

/** A piece that ended this long ago does not change any more: what comes late has come. */
const SETTLED_MS = 15_000;
const AGAIN_MS = 1_500;
/** A failed piece is tried again after so long. */
const FAILED_MS = 5_000;

export class PieceCache<T> {
  private readonly pieces = new Map<number, Piece<T>>();
  private clock = 0;
  failure = '';

  constructor(private readonly options: CacheOptions<T>) {}

  /** What is known of `fromMs`..`toMs`, in time order; asks for what is missing. */
  within(fromMs: number, toMs: number): T[] {
    const { pieceMs } = this.options;
    const found: T[] = [];
    for (let at = Math.floor(fromMs / pieceMs); at * pieceMs < toMs; at++) {
      const piece = this.want(at);
      if (piece.value !== undefined) found.push(piece.value);
    }
    this.forget();
    return found;
  }

  /** Whether all of `fromMs`..`toMs` has been answered at least once. */
  known(fromMs: number, toMs: number): boolean {
    const { pieceMs, now } = this.options;
    for (let at = Math.floor(fromMs / pieceMs); at * pieceMs < toMs; at++) if (at * pieceMs < now() && this.pieces.get(at)?.value === undefined) return false;
    return true;
  }

  private want(at: number): Piece<T> {
    const { pieceMs, load, onChange, now } = this.options;
    let piece = this.pieces.get(at);
    if (!piece) this.pieces.set(at, (piece = { value: undefined, askedMs: -Infinity, whole: false, loading: null, used: 0 }));
    piece.used = ++this.clock;
    const time = now();
    if (piece.whole || piece.loading || time - piece.askedMs < (piece.value === undefined ? FAILED_MS : AGAIN_MS) || at * pieceMs > time) return piece;
    const mine = piece, loading = (mine.loading = new AbortController());
    mine.askedMs = time;
    load(at * pieceMs, (at + 1) * pieceMs, loading.signal).then((value) => {
      mine.value = value;
      mine.whole = time > (at + 1) * pieceMs + SETTLED_MS;
      this.failure = '';
    }, (error: unknown) => {
      if (loading.signal.aborted) return;
      this.failure = error instanceof Error ? error.message : String(error);
      // Whoever still looks asks again then.
      window.setTimeout(() => { if (!loading.signal.aborted) onChange(); }, FAILED_MS + 50);
    }).finally(() => {
      mine.loading = null;
      mine.askedMs = now();
      if (!loading.signal.aborted) onChange();
    });
    return piece;
  }

  private forget(): void {
    if (this.pieces.size <= this.options.keep) return;
    const old = [...this.pieces].sort((a, b) => a[1].used - b[1].used).slice(0, this.pieces.size - this.options.keep);
    for (const [at, piece] of old) {
      piece.loading?.abort();
      this.pieces.delete(at);
    }
  }

  /** Ends all requests. */
  close(): void {
    for (const piece of this.pieces.values()) piece.loading?.abort();
    this.pieces.clear();
  }
}
