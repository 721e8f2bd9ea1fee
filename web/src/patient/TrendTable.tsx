// The trends as a table: for screen readers, and for reading exact values.
import { createMemo, For, type Component } from 'solid-js';
import type { Trends } from '../api/types';
import { showSource } from '../source/source.state';
import { number, pretty, when } from '../ui/format';
import { tableRows, type Range } from './trends.state';

export const TrendTable: Component<{ trends: Trends; range: Range }> = (props) => {
  const lines = () => props.trends.lines.filter((l) => l.time_ms.length);
  const rows = createMemo(() => tableRows(lines(), props.range));
  return (
    <div class="scroll" tabindex="0" role="region" aria-label="Trends as a table">
      <table class="table">
        <caption class="sr-only">Last value of each metric, newest first</caption>
        <thead>
          <tr><th scope="col">Time</th><For each={lines()}>{(l) => <th scope="col" class="num">{pretty(l.label)} <span class="muted">{l.unit}</span></th>}</For></tr>
        </thead>
        <tbody>
          <For each={rows()}>
            {(row) => (
              <tr>
                <th scope="row" class="nowrap">{when(row.time, props.range.to)}</th>
                <For each={lines()}>
                  {(line, i) => (
                    <td class="num">
                      {row.cells[i()] == null ? '–' : (
                        <button type="button" class="link-source" onClick={() => { const name = line.reading[row.cells[i()] ?? -1]; if (name) showSource(name); }}>
                          {number(line.last[row.cells[i()] ?? -1], line.decimals)}
                        </button>
                      )}
                    </td>
                  )}
                </For>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </div>
  );
};
