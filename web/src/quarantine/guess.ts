// What the names in a payload commonly mean. A guess is written into a draft for a person to check; nothing is mapped by it.

const WORDS: [RegExp, string][] = [
  [/^(hr|heart_?rate|ecg_?hr|bpm)$/, 'MDC_ECG_HEART_RATE'],
  [/^(pr|pulse|pulse_?rate)$/, 'MDC_PULS_OXIM_PULS_RATE'],
  [/^(spo2|sp_o2|sat|sao2|o2_?sat|saturation|oxygen_?saturation)$/, 'MDC_PULS_OXIM_SAT_O2'],
  [/^(rr|resp|resp(iration|iratory)?_?rate|respiration)$/, 'MDC_RESP_RATE'],
  [/^(body_?)?temp(erature)?(_?[cf])?$/, 'MDC_TEMP_BODY'],
  [/^(nibp_?)?(sys|sbp|systolic)$/, 'MDC_PRESS_BLD_NONINV_SYS'],
  [/^(nibp_?)?(dia|dbp|diastolic)$/, 'MDC_PRESS_BLD_NONINV_DIA'],
  [/^(nibp_?)?(map|mbp)$/, 'MDC_PRESS_BLD_NONINV_MEAN'],
  [/^(weight|body_?weight)(_?kg)?$/, 'MDC_MASS_BODY_ACTUAL'],
  [/^(glucose|blood_?glucose|bg)$/, 'MDC_CONC_GLU_GEN'],
  [/^batt(ery)?(_?(level|percent|pct))?$/, 'MDC_ATTR_VAL_BATT_CHARGE'],
];
/** Names that say nothing themselves: the one around them does. */
const EMPTY = /^(v|val|value|reading|current)$/;

const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase().replace(/[^a-z0-9]+/g, '_');

/** The metric that a number under these keys (outermost first) is likely to be, with its unit if that is not the metric's own. */
export function guessMetric(keys: string[], value: number): { metric: string; unit?: string } | null {
  const own = snake(keys.at(-1) ?? '');
  const name = EMPTY.test(own) ? snake(keys.at(-2) ?? '') : own;
  const metric = WORDS.find(([words]) => words.test(name))?.[1];
  if (!metric) return null;
  if (metric === 'MDC_TEMP_BODY' && value > 50) return { metric, unit: '[degF]' };
  if (metric === 'MDC_CONC_GLU_GEN' && value < 35) return { metric, unit: 'mmol/L' };
  return { metric };
}

/** How a value under this key tells the time, if it seems to. */
export function guessTime(key: string, value: unknown): string | null {
  if (!/^(ts|t|time|timestamp|time_stamp|measured(_at)?|when|at|date_?time)$/.test(snake(key))) return null;
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT\d\d:\d\d.*(Z|[+-]\d\d:\d\d)$/.test(value) ? 'rfc3339' : null;
  if (typeof value !== 'number') return null;
  return value > 1e11 ? 'unix_ms' : value > 1e9 ? 'unix_s' : null;
}
