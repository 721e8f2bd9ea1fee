// The text of a profile that somebody begins from nothing, and names for it.

/** `acme/band-31/spot` → `acme/+/spot`: the part that looks like a device becomes a wildcard. */
export function topicPattern(topic: string): string {
  const parts = topic.split('/');
  const at = parts.findIndex((p, i) => i > 0 && /\d/.test(p));
  return parts.map((p, i) => (i === (at < 0 ? 1 : at) && parts.length > 1 ? '+' : p)).join('/');
}

/** A file name that is not taken. */
export function freeName(topic: string, taken: string[]): string {
  const stem = (topic.split('/')[0] ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'profile';
  let name = `${stem}.toml`;
  for (let i = 2; taken.includes(name); i++) name = `${stem}-${i}.toml`;
  return name;
}
