// The text of a profile that somebody begins from nothing, and names for it.
import { guessMetric, guessTime } from './guess';

/** `acme/band-31/spot` → `acme/{device}/spot`: the level that looks like a device is captured. */
export function topicPattern(topic: string): string {
  const parts = topic.split('/');
  if (parts.length < 2) return topic;
  const found = parts.findIndex((p, i) => i > 0 && /\d/.test(p));
  return parts.map((p, i) => (i === (found < 0 ? 1 : found) ? '{device}' : p)).join('/');
}

/** A file name that is not taken. */
export function freeName(topic: string, taken: string[]): string {
  const stem = (topic.split('/')[0] ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'profile';
  let name = `${stem}.toml`;
  for (let i = 2; taken.includes(name); i++) name = `${stem}-${i}.toml`;
  return name;
}

interface Found { path: string; keys: string[]; value: unknown }

/** The numbers in a JSON value, and what may be a time, with the paths to them. */
function leaves(value: unknown, path: string, keys: string[], out: Found[]): Found[] {
  if (value && typeof value === 'object') {
    for (const [key, inner] of Object.entries(value)) {
      const list = Array.isArray(value);
      const step = list ? `[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `.${key}` : `['${key}']`;
      leaves(inner, path + step, list ? keys : [...keys, key], out);
    }
  } else if (typeof value === 'number' || typeof value === 'string') out.push({ path, keys, value });
  return out;
}

/** One measurement: as a guess to check, or commented out where nobody can tell. */
function measurement({ path, keys, value }: Found): string {
  const guess = guessMetric(keys, value as number);
  if (!guess) return `\n# ${path} is ${value as number} here: name its metric, or leave it out\n# [[measurement]]\n# metric = "MDC_…"\n# value = "${path}"\n`;
  const unit = guess.unit ? `\nunit = "${guess.unit}"` : '';
  return `\n# ${path} is ${value as number} here: is this what it means?\n[[measurement]]\nmetric = "${guess.metric}"\nvalue = "${path}"${unit}\n`;
}

/** A profile to begin with: the topic, the time, and a measurement for each number in the payload, guessed by its name. */
export function draftProfile(topic: string, payload: string): string {
  const pattern = topicPattern(topic);
  let found: Found[] = [];
  try {
    found = leaves(JSON.parse(payload), '$', [], []);
  } catch { /* not JSON: the draft ends after the topic */ }
  const timed = found.find((f) => guessTime(f.keys.at(-1) ?? '', f.value));
  const time = timed ? `\n# When the device measured\n[time]\npath = "${timed.path}"\nformat = "${guessTime(timed.keys.at(-1) ?? '', timed.value)!}"\n` : '';
  const head = `# Devices that speak on ${pattern}\n[match]\ntopic = "${pattern}"\n${pattern === topic ? '' : '\n[device]\ntopic = "device"\n'}${time}`;
  return head + found.filter((f) => f !== timed && typeof f.value === 'number').slice(0, 12).map(measurement).join('');
}
