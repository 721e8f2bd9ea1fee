// Versions of the policy, candidates of a run and their changes in words.
import type { Changed, Candidate } from './laboratory.api';
import { belongsTo, numberWords, valueWords } from './numbers.state';

export const STATE_WORD: Record<string, string> = {
  proposed: 'Waits for a second person', approved: 'Approved, not in force', 'in-force': 'In force', unreviewed: 'Put in force by one person, not reviewed', rejected: 'Refused', withdrawn: 'Withdrawn', outdated: 'Outdated',
};
export const STATE_MEANING: Record<string, string> = {
  proposed: 'Somebody other than who proposed it looks at it and approves or refuses it. Until then nothing changes.',
  approved: 'Two people agreed. It decides nothing until somebody puts it in force.',
  'in-force': 'It decides now what alerts and whom.',
  unreviewed: 'It decides now what alerts and whom, and only one person looked at it. Somebody else approves it or takes it back.',
  rejected: 'It was refused and can be proposed again.',
  withdrawn: 'Who proposed it took it back.',
  outdated: 'Another policy came in force since it was proposed. Try it again against that one.',
};
export const RUN_WORD: Record<string, string> = { running: 'Running', done: 'Done', failed: 'Failed', cancelled: 'Cancelled', interrupted: 'Ended by a restart' };

/** A change in a line: `Oxygen saturation: medium priority below 90 → 88 %`. */
export function changeWords(changed: Changed): string {
  const { parameter, from, to } = changed;
  const words = numberWords(parameter);
  const values = `${from ?? 'not set'} → ${valueWords(to, parameter.unit)}`;
  return `${belongsTo(parameter)}: ${words.includes('…') ? words.replace('…', values) : `${words} ${values}`}`;
}

/** What a policy that was tried is called: its changed numbers. */
export function candidateName(candidate: Candidate, at: number): string {
  if (at === 0) return 'Present policy';
  if (!candidate.changed.length) return candidate.more ? candidate.name : 'Same numbers as today';
  return candidate.changed.map(changeWords).join('; ') + (candidate.more ? '; and more' : '');
}

/** The same, short, beside others of a sweep: only what is different among them. */
export function shortName(candidate: Candidate, at: number, swept: readonly string[]): string {
  if (at === 0) return 'Present';
  const own = candidate.changed.filter((c) => swept.includes(c.parameter.path));
  return own.length ? own.map((c) => valueWords(c.to, c.parameter.unit)).join(', ') : 'as today';
}
