// Metrics, NEWS2 and a little physiology for the development server. Nothing here is clinical truth:
// the real scores live in `crates/score`.

/** The metrics that the virtual monitors speak, in tile order. */
export const METRICS = {
  MDC_ECG_HEART_RATE: { label: 'HR', name: 'Heart rate', unit: '/min', decimals: 0, stale: 60, category: 'vital', low: 50, high: 130 },
  MDC_RESP_RATE: { label: 'RR', name: 'Respiratory rate', unit: '/min', decimals: 0, stale: 60, category: 'vital', low: 8, high: 28 },
  MDC_PULS_OXIM_SAT_O2: { label: 'SpO2', name: 'Oxygen saturation', unit: '%', decimals: 0, stale: 60, category: 'vital', low: 90, high: null },
  MDC_PRESS_BLD_NONINV_SYS: { label: 'SYS', name: 'Systolic blood pressure', unit: 'mmHg', decimals: 0, stale: 14400, category: 'vital', low: 90, high: 180 },
  MDC_PRESS_BLD_NONINV_DIA: { label: 'DIA', name: 'Diastolic blood pressure', unit: 'mmHg', decimals: 0, stale: 14400, category: 'vital' },
  MDC_PRESS_BLD_NONINV_MEAN: { label: 'MAP', name: 'Mean blood pressure', unit: 'mmHg', decimals: 0, stale: 14400, category: 'vital', low: 60, high: null },
  MDC_TEMP_BODY: { label: 'Temp', name: 'Body temperature', unit: '°C', decimals: 1, stale: 43200, category: 'vital' },
  VW_CONSCIOUSNESS: { label: 'ACVPU', name: 'Level of consciousness', unit: '', decimals: 0, stale: 43200, category: 'vital' },
  VW_SUPPLEMENTAL_OXYGEN: { label: 'O2', name: 'Supplemental oxygen', unit: '', decimals: 0, stale: 43200, category: 'vital' },
};

const step = (value, rows) => rows.find(([limit]) => value <= limit)[1];

/** Points of one parameter by the NEWS2 chart (Royal College of Physicians, 2017). */
export function points(metric, value, scale = 1, oxygen = 0) {
  switch (metric) {
    case 'MDC_RESP_RATE': return step(value, [[8, 3], [11, 1], [20, 0], [24, 2], [Infinity, 3]]);
    case 'MDC_PULS_OXIM_SAT_O2':
      if (scale === 2) {
        if (value <= 92 || !oxygen) return step(value, [[83, 3], [85, 2], [87, 1], [Infinity, 0]]);
        return step(value, [[94, 1], [96, 2], [Infinity, 3]]);
      }
      return step(value, [[91, 3], [93, 2], [95, 1], [Infinity, 0]]);
    case 'MDC_PRESS_BLD_NONINV_SYS': return step(value, [[90, 3], [100, 2], [110, 1], [219, 0], [Infinity, 3]]);
    case 'MDC_ECG_HEART_RATE': return step(value, [[40, 3], [50, 1], [90, 0], [110, 1], [130, 2], [Infinity, 3]]);
    case 'MDC_TEMP_BODY': return step(value, [[35, 3], [36, 1], [38, 0], [39, 1], [Infinity, 2]]);
    case 'VW_CONSCIOUSNESS': return value > 0 ? 3 : 0;
    case 'VW_SUPPLEMENTAL_OXYGEN': return value > 0 ? 2 : 0;
    default: return null;
  }
}

export const SCORED = [
  'MDC_RESP_RATE', 'MDC_PULS_OXIM_SAT_O2', 'VW_SUPPLEMENTAL_OXYGEN', 'MDC_PRESS_BLD_NONINV_SYS',
  'MDC_ECG_HEART_RATE', 'VW_CONSCIOUSNESS', 'MDC_TEMP_BODY',
];

/** A repeatable random source (mulberry32). */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Smooth noise in -1..1 that depends on nothing but `seed` and the time: history needs no store. */
export function wave(seed, minutes) {
  return (
    0.45 * Math.sin(minutes / 7 + seed) + 0.3 * Math.sin(minutes / 41 + seed * 2.1) +
    0.25 * Math.sin(minutes / 233 + seed * 3.7) + 0.12 * Math.sin(minutes * 2.3 + seed * 5.3)
  );
}
