// The curve itself. Points are choices of one group: Tab goes to the chosen one, arrow keys from one to the next.
import { createMemo, createSignal, For, onCleanup, onMount, Show, type Component } from 'solid-js';
import { keyOrder, picture, type Spot } from './curve.state';
import type { Point } from './laboratory.api';

const HEIGHT = 340;

const SHAPE: Record<Spot['kind'], string> = {
  present: 'M-7 -7H7V7H-7Z', proposed: 'M0 -10 2.9 -3.6 9.8 -3 4.5 1.6 6.2 8.4 0 4.7 -6.2 8.4 -4.5 1.6 -9.8 -3 -2.9 -3.6Z', frontier: 'M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0', beaten: 'M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0',
};
const LEGEND: [Spot['kind'], string][] = [['present', 'Present policy'], ['frontier', 'On the frontier'], ['beaten', 'Another is better'], ['proposed', 'Proposed within the budget']];

const DEPTH: Record<Spot['kind'], number> = { beaten: 0, frontier: 1, proposed: 2, present: 3 };
/** What matters is drawn last, in front of what lies on the same place. */
const inFront = (spots: readonly Spot[]): Spot[] => [...spots].sort((a, b) => DEPTH[a.kind] - DEPTH[b.kind]);

interface CurveProps { points: Point[]; names: string[]; budget: number | null; proposed: number | null; shown: number; words: (at: number) => string; onShow: (at: number) => void }

export const Curve: Component<CurveProps> = (props) => {
  let box!: HTMLDivElement;
  const [width, setWidth] = createSignal(640);
  onMount(() => {
    const observer = new ResizeObserver(() => setWidth(Math.max(260, box.clientWidth)));
    observer.observe(box);
    onCleanup(() => observer.disconnect());
  });
  const drawn = createMemo(() => picture(props.points, width(), HEIGHT, props.budget, props.proposed));
  const spot = () => drawn().spots.find((s) => s.at === props.shown);
  const focused = () => spot()?.at ?? drawn().spots[0]?.at;
  const labelled = (s: Spot) => s.at === props.shown || s.kind === 'present' || s.kind === 'proposed';
  const move = (event: KeyboardEvent) => {
    const order = keyOrder(drawn().spots);
    const steps: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
    const step = steps[event.key];
    const here = order.indexOf(focused() ?? 0);
    const next = step !== undefined ? order[(here + step + order.length) % order.length] : event.key === 'Home' ? order[0] : event.key === 'End' ? order.at(-1) : undefined;
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    props.onShow(next);
    box.querySelector<SVGGElement>(`[data-at="${next}"]`)?.focus();
  };
  return (
    <div class="lab-curve" ref={box}>
      <svg width={width()} height={HEIGHT} role="radiogroup" aria-label="Policies by alerts a bed-day and share of events seen" onKeyDown={move}>
        <g class="axes" aria-hidden="true">
          <For each={drawn().yTicks}>{([y, text]) => <><path d={`M${drawn().left} ${y}H${drawn().right}`} /><text x={drawn().left - 6} y={y + 4} text-anchor="end">{text}</text></>}</For>
          <For each={drawn().xTicks}>{([x, text]) => <><path d={`M${x} ${drawn().bottom}v4`} /><text x={x} y={drawn().bottom + 17} text-anchor="middle">{text}</text></>}</For>
          <text x={(drawn().left + drawn().right) / 2} y={HEIGHT - 6} text-anchor="middle" class="title">alerts a bed-day</text>
          <Show when={drawn().budget}>{(x) => <><path class="budget" d={`M${x()} ${drawn().top}V${drawn().bottom}`} /><text x={x() + (x() > width() * 0.75 ? -5 : 5)} y={drawn().bottom - 8} text-anchor={x() > width() * 0.75 ? 'end' : 'start'}>budget {props.budget}</text></>}</Show>
          <path class="frontier" d={drawn().frontier} />
          <Show when={spot()?.reach}>{(reach) => <path class="reach" d={`M${reach()[0]} ${spot()!.y}H${reach()[1]}M${spot()!.x} ${reach()[2]}V${reach()[3]}`} />}</Show>
        </g>
        <For each={inFront(drawn().spots)}>
          {(s) => (
            <g role="radio" class={`spot ${s.kind}`} classList={{ shown: s.at === props.shown }} transform={`translate(${s.x} ${s.y})`} data-at={s.at} tabindex={s.at === focused() ? 0 : -1} aria-checked={s.at === props.shown} aria-label={props.words(s.at)} onClick={() => props.onShow(s.at)}>
              <circle class="hit" r="13" />
              <path d={SHAPE[s.kind]} />
              <Show when={labelled(s)}><text class="name" x={s.x > width() * 0.75 ? -12 : 12} y={s.y < 40 ? 20 : -9} text-anchor={s.x > width() * 0.75 ? 'end' : 'start'}>{props.names[s.at]}</text></Show>
            </g>
          )}
        </For>
      </svg>
      <ul class="lab-legend small">
        <For each={LEGEND.filter(([kind]) => drawn().spots.some((s) => s.kind === kind))}>
          {([kind, word]) => <li><svg viewBox="-11 -11 22 22" width="18" height="18" aria-hidden="true"><g class={`spot ${kind}`}><path d={SHAPE[kind]} /></g></svg> {word}</li>}
        </For>
        <Show when={props.budget != null}><li><svg viewBox="-11 -11 22 22" width="18" height="18" aria-hidden="true"><g class="axes"><path class="budget" d="M0 -10V10" /></g></svg> Budget: {props.budget} alerts a bed-day{drawn().budget == null ? ', beyond the picture' : ''}</li></Show>
      </ul>
      <Show when={drawn().covered}><p class="small muted">Some points lie on each other: arrow keys and the table reach each.</p></Show>
    </div>
  );
};
