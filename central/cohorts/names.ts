/** Names that people can read, from what the machines of a cohort have in common: `4-core-arm64-raspberry-pi-4-a`. */
import { ID_PATTERN } from '../../shared/limits.ts';
import type { Features } from './features.ts';

/** With the letter it must fit into a release's target. */
const MOST_BASE = 56;
/** Share of the machines that must have a fact in common. */
const COMMON = 0.8;
/** Words of other things. */
const RESERVED = new Set(['alone', 'all', 'none', 'young']);

/** Whether people may give this name. */
export function isName(name: string): boolean {
  return ID_PATTERN.test(name) && !RESERVED.has(name);
}

/** A name that nobody has. */
export function nameFor(machines: readonly Features[], taken: ReadonlySet<string>): string {
  const base = baseOf(machines);
  for (let n = 0; ; n++) {
    const name = `${base}-${letters(n)}`;
    if (!taken.has(name)) return name;
  }
}

function baseOf(machines: readonly Features[]): string {
  const processors = commonOf(machines, ({ sizes }) =>
    sizes.processors === undefined ? '' : String(sizes.processors),
  );
  const words = [
    processors === '' ? '' : `${Math.round(2 ** Number(processors))}-core`,
    commonOf(machines, ({ facts }) => facts.arch ?? ''),
    // Revisions of a board are the same machine to whoever reads.
    commonOf(machines, ({ facts }) => (facts.device ?? '').replace(/\s+(rev|plus rev|model)\b.*$/i, '')),
  ];
  const system = commonOf(machines, ({ facts }) => facts.os ?? '');
  const told = words[2] === '' ? [...words.slice(0, 2), system] : words;
  const slug = told
    .join(' ')
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MOST_BASE)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'machines' : slug;
}

/** What most have; empty where they differ. */
export function commonOf(machines: readonly Features[], read: (one: Features) => string): string {
  const counts = new Map<string, number>();
  for (const machine of machines) counts.set(read(machine), (counts.get(read(machine)) ?? 0) + 1);
  const [most] = [...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return most !== undefined && most[1] >= COMMON * machines.length ? most[0] : '';
}

/** a, b, …, z, aa, ab, … */
function letters(n: number): string {
  const letter = String.fromCharCode(97 + (n % 26));
  return n < 26 ? letter : letters(Math.floor(n / 26) - 1) + letter;
}
