/** Changes in words, and what kind each is: of states, of series that come and go, of processes that began. Pure. */
import { describeSeries } from '../../shared/detect/wording.ts';
import type { ChangeKind } from '../../shared/findings.ts';
import type { SeriesKey } from '../../shared/series.ts';

export interface WordedChange {
  readonly kind: ChangeKind;
  readonly text: string;
}

const kinds: readonly (readonly [prefix: string, kind: ChangeKind])[] = [
  ['system.network.', 'link'],
  ['system.filesystem.', 'mount'],
  ['systemd.', 'service'],
  ['process.', 'process'],
  ['system.clock.', 'clock'],
  ['hw.', 'device'],
  ['picket.', 'agent'],
];

function kindOf(name: string): ChangeKind {
  return kinds.find(([prefix]) => name.startsWith(prefix))?.[1] ?? 'state';
}

/** `link (eth0) went from up to down`; null for the first word on a state, which is no change. */
export function stateChange(key: SeriesKey, from: string | null, to: string): WordedChange | null {
  if (from === null || from === to) return null;
  return { kind: kindOf(key.name), text: `${describeSeries(key)} went from ${cut(from)} to ${cut(to)}` };
}

const TEXT_CHARACTERS = 60;

function cut(text: string): string {
  return text.length <= TEXT_CHARACTERS ? text : `${text.slice(0, TEXT_CHARACTERS - 1)}…`;
}

/** One series of each thing that comes and goes, and what is said of it. */
const things: Readonly<Record<string, { attribute: string; kind: ChangeKind; came: string; went: string }>> = {
  'system.filesystem.utilization': {
    attribute: 'system.filesystem.mountpoint',
    kind: 'mount',
    came: 'was mounted',
    went: 'was unmounted',
  },
  'system.network.io': { attribute: 'network.interface.name', kind: 'link', came: 'appeared', went: 'is gone' },
  'system.disk.io': { attribute: 'system.device', kind: 'device', came: 'appeared', went: 'is gone' },
};

/** `/data was mounted`; null for series that stand for no thing of their own. */
export function seriesChange({ name, attributes }: SeriesKey, came: boolean): WordedChange | null {
  const thing = Object.hasOwn(things, name) ? things[name]! : undefined;
  const value = thing === undefined ? undefined : attributes[thing.attribute];
  if (thing === undefined || value === undefined) return null;
  return { kind: thing.kind, text: `${value} ${came ? thing.came : thing.went}` };
}

/** What is asked of the document `top`. */
export interface TopProcesses {
  readonly byCpu: readonly { readonly pid: number; readonly name: string; readonly ageS: number }[];
  readonly byMemory: TopProcesses['byCpu'];
  readonly byIo: TopProcesses['byCpu'];
}

/** A process this young may have caused what is unusual now. */
const YOUNG_S = 15 * 60;

/** The young ones among those that use most, each with its age in seconds. */
export function youngProcesses({ byCpu, byMemory, byIo }: TopProcesses): (WordedChange & { readonly ageS: number })[] {
  const young = new Map<number, WordedChange & { readonly ageS: number }>();
  for (const { pid, name, ageS } of [...byCpu, ...byMemory, ...byIo]) {
    if (ageS >= 0 && ageS <= YOUNG_S)
      young.set(pid, { kind: 'process', text: `${cut(name)} started (PID ${pid})`, ageS });
  }
  return [...young.values()];
}
