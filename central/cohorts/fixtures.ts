/** Machines for the tests of cohorts. */
import type { Behaviour, Features } from './features.ts';

/** Levels by family; `facts` and processors as its inventory would say. */
export function someMachine(
  levels: Readonly<Record<string, number>>,
  { arch = 'amd64', device = 'NUC', processors = 4 } = {},
): Features {
  const behaviour = new Map<string, Behaviour>();
  for (const [family, level] of Object.entries(levels)) {
    behaviour.set(family, { level, spread: 0.1 * Math.abs(level), course: null });
  }
  return {
    facts: { arch, os: 'linux', device },
    sizes: { processors: Math.log2(processors) },
    families: Object.keys(levels).sort(),
    behaviour,
  };
}
