// The predictive models of the house with their cards: what each is for, on whom it was made, how good it is, what it cannot do.
import { createMemo, createResource, For, Show, type Component } from 'solid-js';
import { api } from '../api/client';
import type { ModelCard } from '../api/types';
import { horizon } from '../patient/risks.state';
import { sentence } from '../ui/format';
import { may } from '../session/session';
import { CompareCard } from './CompareCard';
import { models } from './models.api';
import { figure, grouped, ROLE_WORD } from './models.state';
import { Notices, WatchCard } from './WatchCard';
import './models.css';

const Table: Component<{ caption: string; figures: ModelCard['figures'] }> = (props) => (
  <div class="table-wrap" tabindex="0" role="region" aria-label={`Figures: ${props.caption}`}>
    <table class="table">
      <caption>{props.caption}</caption>
      <thead><tr><th scope="col">Figure</th><th scope="col" class="num">Value (95 % interval)</th><th scope="col" class="num">Patients</th></tr></thead>
      <tbody><For each={props.figures}>{(f) => <tr><th scope="row">{f.name}</th><td class="num">{figure(f)}</td><td class="num">{f.patients.toLocaleString('en')}</td></tr>}</For></tbody>
    </table>
  </div>
);

const Figures: Component<{ card: ModelCard }> = (props) => (
  <>
    <details class="small">
      <summary>How to read the figures</summary>
      <ul>
        <li>AUROC: of a patient to whom it happened and one to whom it did not, how often the first has the higher risk. 0.5 is chance, 1 is always.</li>
        <li>AUPRC: the same where it happens to few; compare it with how often it happens at all, and with the other scores.</li>
        <li>Observed to expected: events that came for each that the model expected. 1 is right, above 1 it says too little.</li>
        <li>Sensitivity: the share of events that were told in time. Alerts followed by the event: how many alerts were right.</li>
      </ul>
    </details>
    <For each={grouped(props.card.figures)}>
      {(measured) => (
        <>
          <Show when={measured.all.length}><Table caption={measured.on} figures={measured.all} /></Show>
          <For each={measured.groups}>
            {([group, figures]) => <details><summary>{group} <span class="muted small">{figures.length} figures</span></summary><Table caption={`${measured.on}: ${group}`} figures={figures} /></details>}
          </For>
        </>
      )}
    </For>
  </>
);

const Card: Component<{ card: ModelCard }> = (props) => (
  <section class="card" aria-labelledby="model-title">
    <header><h2 id="model-title">{props.card.model.title}</h2><span class="grow" /><span class="model-role">{ROLE_WORD[props.card.model.role] ?? props.card.model.role}</span></header>
    <div class="body stack">
      <dl class="model-facts">
        <dt>Predicts</dt><dd>{props.card.model.outcome} within {horizon(props.card.model.horizon_h)}: {props.card.definition}</dd>
        <dt>For</dt><dd>{props.card.population}</dd>
        <dt>Intended use</dt><dd>{props.card.intended_use}</dd>
        <dt>Cannot do</dt><dd><ul><For each={props.card.limits} fallback={<li>Nothing is said.</li>}>{(limit) => <li>{limit}</li>}</For></ul></dd>
        <dt>Data</dt><dd>{props.card.data}</dd>
        <dt>Training</dt><dd>{props.card.training}</dd>
        <dt>Made again by</dt><dd><code>{props.card.command}</code></dd>
        <dt>Looks at</dt><dd>{props.card.inputs} inputs</dd>
        <dt>Version</dt><dd><code>{props.card.model.version}</code></dd>
      </dl>
      <Figures card={props.card} />
    </div>
  </section>
);

const ModelsPage: Component<{ params: Record<string, string> }> = (props) => {
  const [list] = createResource(() => api.models());
  const chosen = createMemo(() => props.params.model ?? list()?.models[0]?.id);
  const [card] = createResource(chosen, (id) => api.modelCard(id));
  const [watches, { refetch }] = createResource(() => may('manage-policy'), () => models.watches());
  const watch = () => watches.latest?.find((one) => one.model === card.latest?.model.id && one.version === card.latest?.model.version);
  const title = (one: { model: string; version: string }) => list()?.models.find((model) => model.id === one.model && model.version === one.version)?.title ?? one.model;
  return (
    <div class="page models">
      <h1>Risk models</h1>
      <p class="muted">Models propose a look; they order nothing. What each said, and from what, is kept and can be computed again.</p>
      <Show when={list.error ?? card.error}>{(error) => <div class="error" role="alert">{sentence((error() as Error).message)}</div>}</Show>
      <Show when={!list.loading && list()?.models.length === 0}><p class="empty">No model judges here. Who runs the program can let some: see [models] in the operating manual.</p></Show>
      <Notices watches={watches.latest ?? []} title={title} onChange={() => void refetch()} />
      <nav aria-label="Models" class="model-list">
        <For each={list()?.models}>
          {(model) => (
            <a href={`/models/${encodeURIComponent(model.id)}`} aria-current={model.id === chosen() ? 'page' : undefined}>
              <b>{model.title}</b> <span class="small">{ROLE_WORD[model.role] ?? model.role}, {model.version.split('+')[0]}</span>
            </a>
          )}
        </For>
      </nav>
      <Show when={card.state === 'ready' && card()}>{(found) => <Card card={found()} />}</Show>
      <Show when={card.state === 'ready' && watch()}>
        {(found) => (
          <>
            <WatchCard watch={found()} />
            <CompareCard model={found().model} />
          </>
        )}
      </Show>
    </div>
  );
};
export default ModelsPage;
