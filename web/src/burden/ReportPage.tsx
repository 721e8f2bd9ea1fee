// The report of a week, as it was made; prints on paper.
import { createResource, Show, type Component } from 'solid-js';
import { dateTime } from '../ui/format';
import { burden } from './burden.api';
import { FiguresView } from './FiguresView';
import { RIGHT_NOTE, ScoresCard } from './ScoresCard';
import './burden.css';

const ReportPage: Component<{ params: Record<string, string> }> = (props) => {
  const [report] = createResource(() => props.params.report, burden.report);
  return (
    <div class="page burden-page">
      <div class="page-head">
        <h1>Alarm burden, {props.params.report}</h1>
        <span class="grow" />
        <a class="btn small" href="/burden">All figures</a>
        <button type="button" class="btn small" onClick={() => window.print()}>Print</button>
      </div>
      <Show when={report.error as Error | undefined}>{(error) => <p class="error" role="alert">{error().message}</p>}</Show>
      <Show when={report.latest}>
        {(r) => (
          <>
            <p class="small muted">{dateTime(r().from_ms)} to {dateTime(r().to_ms)}, beside the week before; hours of {r().zone}. Made {dateTime(r().made_ms)}.</p>
            <FiguresView now={r().figures} before={r().before} from={r().from_ms} to={r().to_ms} cut={r().cut} />
            <ScoresCard scores={r().scores} note={`Both weeks. ${RIGHT_NOTE}`} />
          </>
        )}
      </Show>
    </div>
  );
};
export default ReportPage;
