// Which cards the strip of present values shows, in which order. No markup here.
import type { CurrentValue } from '../api/types';
import { number } from '../ui/format';
import { limitsText } from './limits.state';

/** One card: a value, or a pressure with its parts; `main` is what state, points and source are taken from. */
export interface Card { label: string; main: CurrentValue; shown: string; more: string; limits: string }

const ORDER = [
  'MDC_ECG_HEART_RATE', 'MDC_PULS_OXIM_PULS_RATE', 'MDC_PULS_RATE', 'MDC_RESP_RATE', 'MDC_PULS_OXIM_SAT_O2', 'VW_SUPPLEMENTAL_OXYGEN',
  'MDC_PRESS_BLD_ART_ABP_SYS', 'MDC_PRESS_BLD_NONINV_SYS', 'MDC_TEMP_BODY', 'VW_CONSCIOUSNESS',
];
const PRESSURE = { MDC_PRESS_BLD_ART_ABP: 'ABP', MDC_PRESS_BLD_NONINV: 'BP' } as const;

/** Text where the value is a state or a text, else the number. */
export const shownValue = (v: CurrentValue): string => (v.text && (v.unit === '' || v.unit === '1' || v.value == null) ? v.text : number(v.value, v.decimals));

const rank = (metric: string): number => {
  const at = ORDER.indexOf(metric);
  return at < 0 ? ORDER.length : at;
};

/** The cards, vital signs first; a device's own state (its battery) is on the devices page. */
export function cards(values: CurrentValue[]): Card[] {
  const find = (metric: string) => values.find((v) => v.metric === metric);
  const parts = new Set<string>();
  for (const root of Object.keys(PRESSURE)) if (find(`${root}_SYS`)) parts.add(`${root}_DIA`).add(`${root}_MEAN`);
  return values
    .filter((v) => !parts.has(v.metric) && !v.metric.startsWith('MDC_ATTR_'))
    .sort((a, b) => rank(a.metric) - rank(b.metric))
    .map((main) => {
      const root = main.metric.replace(/_SYS$/, '') as keyof typeof PRESSURE;
      const label = PRESSURE[root];
      if (!label) return { label: main.label, main, shown: shownValue(main), more: '', limits: limitsText(main.limits) };
      const diastolic = find(`${root}_DIA`), mean = find(`${root}_MEAN`);
      return {
        label, main, shown: `${shownValue(main)}/${diastolic ? shownValue(diastolic) : '–'}`, more: mean ? `(${shownValue(mean)})` : '',
        limits: main.limits ? `SYS ${limitsText(main.limits)}` : '',
      };
    });
}
