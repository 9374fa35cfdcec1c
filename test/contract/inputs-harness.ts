/** Runs inputs over a root of captured files, through the same registry and preprocess as the agent. */
import type { Host, Input, InputKind, Log } from '../../agent/inputs/input.ts';
import { InputSink, type Intake } from '../../agent/inputs/input-sink.ts';
import { Preprocess } from '../../agent/preprocess.ts';
import { SeriesRegistry } from '../../agent/series.ts';
import type { Clock, Instant } from '../../shared/clock.ts';
import { limits } from '../../shared/limits.ts';
import { formatSeries, type Quality, type SeriesDefinition, type SeriesKey } from '../../shared/series.ts';

export const quietLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

const stillClock: Clock = { monotonicMs: () => 0, wallMs: () => 0 };

/** A host whose /proc, /sys and / are folders below `root`. */
export function hostBelow(root: string): Host {
  return {
    procRoot: `${root}/proc`,
    sysRoot: `${root}/sys`,
    root,
    platform: 'linux',
    clock: stillClock,
    log: quietLog,
  };
}

/** The configuration that stands when nothing is said, with these settings in it. */
export function configOf(kind: InputKind<unknown>, settings: object = {}): unknown {
  const problems: { message: string }[] = [];
  const config = kind.config.parse(settings, [], problems as never);
  if (config === undefined) throw new Error(problems.map((problem) => problem.message).join(' '));
  return config;
}

export interface Put {
  readonly definition: SeriesDefinition;
  readonly raw: number;
  readonly quality: Quality;
  readonly clean: number;
}

/** What the agent does with what inputs put, and a memory of it. */
export class Collected implements Intake {
  readonly registry = new SeriesRegistry({ limit: limits.seriesPerAgent, log: quietLog });
  readonly preprocess = new Preprocess(limits.seriesPerAgent);
  readonly puts: Put[] = [];
  /** Clean values by the series' written form; null where the last reading gave none. */
  readonly values = new Map<string, number | null>();
  readonly states = new Map<string, string>();
  readonly stateKeys: SeriesKey[] = [];
  readonly documents = new Map<string, unknown>();

  series(definition: SeriesDefinition): number {
    const number = this.registry.intern(definition);
    if (number >= 0) this.preprocess.define(number, definition);
    return number;
  }

  put(series: number, raw: number, quality: Quality, at: Instant): void {
    const clean = this.preprocess.accept(series, raw, quality, at.monotonicMs);
    const definition = this.registry.definition(series);
    if (definition === null) throw new Error(`a value was put into series ${series}, which is not known`);
    this.puts.push({ definition, raw, quality, clean });
    if (this.preprocess.cause !== 'duplicate') {
      this.values.set(formatSeries(definition), Number.isNaN(clean) ? null : clean);
    }
  }

  state(key: SeriesKey, value: string): void {
    this.stateKeys.push(key);
    this.states.set(formatSeries(key), value);
  }

  forget(series: number): void {
    const definition = this.registry.definition(series);
    if (definition !== null) this.values.delete(formatSeries(definition));
    this.registry.forget(series);
    this.preprocess.interrupt(series);
  }
  replaced(): void {}

  document(name: string, content: unknown): void {
    this.documents.set(name, content);
  }
}

export interface Opened {
  readonly input: Input;
  readonly sink: InputSink;
}

/** Opens an input of a kind on a host, putting into `into`. */
export async function openInput(kind: InputKind<unknown>, config: unknown, host: Host, into: Intake): Promise<Opened> {
  const input = await kind.open(config, host);
  return { input, sink: new InputSink(into, kind.timing(config).intervalMs) };
}

/** One read at a time. */
export async function readOnce(opened: Opened, at: Instant, signal = new AbortController().signal): Promise<void> {
  opened.sink.begin(at);
  await opened.input.read(at, opened.sink, signal);
}
