/** A rule stage with a registry of its own, a clock that a test moves, and a memory of what was told and kept. */
import type { Instant } from '../../shared/clock.ts';
import type { Finding } from '../../shared/findings.ts';
import { MINUTE_MS } from '../../shared/limits.ts';
import type { Log } from '../../shared/log.ts';
import type { Rule } from '../../shared/rules/rule.ts';
import type { SeriesDefinition, SeriesKey, SeriesNumber } from '../../shared/series.ts';
import { RuleStage } from '../rules.ts';
import { SeriesRegistry } from '../series.ts';

const SECOND_MS = 1000;
const LIMIT = 5000;
const silent = (): void => undefined;
const quiet: Log = { debug: silent, info: silent, warn: silent, error: silent };
/** UTC of monotonic 0 of the first boot. */
const BOOT_MS = 1_795_435_200_000;

export class RuleWorld {
  readonly told: Finding[] = [];
  kept: Uint8Array | null = null;
  registry = new SeriesRegistry({ limit: LIMIT, log: quiet });
  latest = new Float64Array(LIMIT).fill(Number.NaN);
  stage: RuleStage;
  readonly rules: readonly Rule[];
  monotonicMs = 0;
  bootMs = BOOT_MS;

  constructor(rules: readonly Rule[]) {
    this.rules = rules;
    this.stage = this.#open();
  }

  get at(): Instant {
    return { monotonicMs: this.monotonicMs, utcMs: this.bootMs + this.monotonicMs };
  }

  /** What was told since the last call: `rule fires`, `rule ended`. */
  words(): string[] {
    return this.told.splice(0).map(({ rule, ended }) => `${rule} ${ended ? 'ended' : 'fires'}`);
  }

  series(name: string, attributes: Record<string, string> = {}, more: Partial<SeriesDefinition> = {}): SeriesNumber {
    return this.registry.intern({ name, unit: '1', attributes, kind: 'gauge', intervalMs: SECOND_MS, ...more });
  }

  put(series: SeriesNumber, value: number): void {
    this.latest[series] = value;
    this.stage.sample(series, value, this.at);
  }

  state(key: SeriesKey, text: string): void {
    this.stage.state(key, text, this.at);
  }

  /** Seconds go by, with these values each second. */
  pass(seconds: number, ...values: readonly (readonly [series: SeriesNumber, value: number])[]): void {
    for (let second = 0; second < seconds; second++) {
      this.monotonicMs += SECOND_MS;
      for (const [series, value] of values) this.put(series, value);
      this.stage.tick(this.at);
    }
  }

  /** The agent ends and starts again, on the same boot or on another. */
  restart(rules: readonly Rule[] = this.rules, { reboot = false } = {}): void {
    this.registry = new SeriesRegistry({ limit: LIMIT, log: quiet });
    this.latest.fill(Number.NaN);
    this.monotonicMs += MINUTE_MS;
    if (reboot) {
      this.bootMs += this.monotonicMs - 5 * SECOND_MS;
      this.monotonicMs = 5 * SECOND_MS;
    }
    this.stage = this.#open(rules);
    this.stage.load(this.kept, this.at);
  }

  #open(rules = this.rules): RuleStage {
    return new RuleStage({
      rules,
      limit: LIMIT,
      series: this.registry,
      latest: (series) => this.latest[series] ?? Number.NaN,
      log: quiet,
      onFinding: (finding) => this.told.push(finding),
      keep: (saved) => {
        this.kept = saved;
      },
    });
  }
}

/** A rule of one's own; what is not said is as plain as it gets. */
export function rule(id: string, more: Partial<Rule> & Pick<Rule, 'condition'>, metric = 'm.x'): Rule {
  return {
    id,
    selector: { metric, where: {}, except: {} },
    forMs: 0,
    clearForMs: 0,
    severity: 'warning',
    text: '{it} is wrong',
    advice: 'Set it right.',
    ...more,
  };
}
