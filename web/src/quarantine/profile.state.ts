// The text of a profile that somebody begins from nothing, and names for it.

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

/** Paths to the numbers in a JSON value, with the numbers. */
function numbers(value: unknown, path: string, out: [string, number][]): [string, number][] {
  if (typeof value === 'number') out.push([path, value]);
  else if (value && typeof value === 'object') for (const [key, inner] of Object.entries(value)) numbers(inner, Array.isArray(value) ? `${path}[${key}]` : /^[A-Za-z_]\w*$/.test(key) ? `${path}.${key}` : `${path}['${key}']`, out);
  return out;
}

/** A profile to begin with: the topic, and one commented measurement for each number in the payload. */
export function draftProfile(topic: string, payload: string): string {
  const pattern = topicPattern(topic);
  let found: [string, number][] = [];
  try {
    found = numbers(JSON.parse(payload), '$', []).slice(0, 12);
  } catch { /* not JSON: the draft ends after the topic */ }
  const head = `# Devices that speak on ${pattern}\n[match]\ntopic = "${pattern}"\n${pattern === topic ? '' : '\n[device]\ntopic = "device"\n'}`;
  return head + found.map(([path, value]) => `\n# ${path} is ${value} here\n# [[measurement]]\n# metric = "MDC_…"\n# value = "${path}"\n`).join('');
}
