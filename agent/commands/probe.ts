/** Opens one input, reads it once, and says what came: for `check`, which must end whatever a device does. */
import { messageOf } from '../../shared/errors.ts';
import type { SeriesDefinition, SeriesKey } from '../../shared/series.ts';
import { formatSeries } from '../../shared/series.ts';
import type { ChosenInput } from '../config.ts';
import type { Host, Input, SampleSink } from '../inputs/input.ts';

export interface Probe {
  /** Series that it made known; 0 where it failed. */
  readonly series: number;
  /** Documents that it gave (the inventory). */
  readonly documents: number;
  readonly readMs: number;
  /** Null when all went well. */
  readonly problem: string | null;
  readonly missingRights: readonly string[];
}

/** How long opening and closing may take, beside the input's own deadline for a read. */
const openMs = 10_000;

/** Never throws: what goes wrong is in the result. */
export async function probeInput({ kind, config }: ChosenInput, host: Host, outer: AbortSignal): Promise<Probe> {
  const sink = new CountingSink();
  const started = host.clock.monotonicMs();
  let readMs = 0;
  let problem: string | null = null;
  let missingRights: readonly string[] = [];
  try {
    missingRights = kind.missingRights?.(config, host) ?? [];
    const { deadlineMs } = kind.timing(config);
    const end = new AbortController();
    const signal = AbortSignal.any([outer, end.signal]);
    const opening = Promise.resolve(kind.open(config, host));
    const input = await within(opening, openMs, 'opening it', () => closeWhenOpen(opening));
    try {
      const now = { monotonicMs: host.clock.monotonicMs(), utcMs: host.clock.wallMs() };
      await within(Promise.resolve(input.read(now, sink, signal)), deadlineMs, 'reading it', () => end.abort());
    } finally {
      readMs = host.clock.monotonicMs() - started;
      await within(input.close(), openMs, 'closing it', () => {});
    }
  } catch (error) {
    problem = messageOf(error);
  }
  const counted = problem === null ? sink : { count: 0, documents: 0 };
  return { series: counted.count, documents: counted.documents, readMs, problem, missingRights };
}

function closeWhenOpen(opening: Promise<Input>): void {
  opening.then((input) => input.close()).catch(() => {});
}

async function within<T>(work: Promise<T>, limitMs: number, what: string, onLate: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      onLate();
      reject(new Error(`${what} took longer than ${limitMs} ms`));
    }, limitMs);
  });
  // Whoever loses the race must not end the process.
  work.catch(() => {});
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

class CountingSink implements SampleSink {
  readonly #known = new Map<string, number>();
  documents = 0;

  get count(): number {
    return this.#known.size;
  }

  series(definition: SeriesDefinition): number {
    return this.#intern(definition);
  }

  state(key: SeriesKey): void {
    this.#intern(key);
  }

  put(): void {}
  forget(): void {}
  replaced(): void {}
  document(): void {
    this.documents++;
  }

  #intern(key: SeriesKey): number {
    const name = formatSeries(key);
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    this.#known.set(name, this.#known.size);
    return this.#known.size - 1;
  }
}
