/** An agent that watches for one fault, and what its central knows of it. */

import { inputKinds } from '../../../agent/inputs/registry.ts';
import type { Incident, RankedFinding } from '../../../shared/findings.ts';
import { formatSeries } from '../../../shared/series.ts';
import { until } from '../processes.ts';
import type { Agent, Central, System } from '../system.ts';
import { atOnce, type Made } from './fault.ts';

/**
 * Nobody can know after a minute what comes once a day: for agents that are to learn within minutes what comes once in a
 * minute or two has to do.
 */
const budget = { findingsPerDay: 200 };

/** A finding may begin this much before the fault: a reading tells of what was since the one before. */
const EARLY_MS = 1_500;
/** Findings among which the first cause must be. */
const TOP = 3;

export class Watcher {
  readonly made: Made;
  readonly agent: Agent;
  readonly #central: Central;
  readonly #scope: 'narrow' | 'whole';
  #id = '';
  #startedMs = 0;
  #beganMs = 0;
  #fault: Made;

  /** @param scope `narrow`: reads only where the fault is seen, often; `whole`: as an agent is shipped */
  constructor(system: System, central: Central, name: string, made: Made, scope: 'narrow' | 'whole' = 'narrow') {
    this.made = made;
    this.#scope = scope;
    this.#fault = made;
    this.#central = central;
    this.agent = system.agent(name, JSON.stringify(scope === 'narrow' ? narrowConfig(made) : wholeConfig(made)));
  }

  async start(): Promise<void> {
    const { caFingerprint } = await this.#central.get<{ caFingerprint: string }>('/status');
    const pinned = this.#central.url.startsWith('https:') ? ['--ca-fingerprint', caFingerprint] : [];
    this.#id = (await this.agent.enrolAt(this.#central, ...pinned)).agent;
    const { through = [] } = this.made;
    const first = this.#scope === 'narrow' ? atOnce : [];
    await this.agent.start({ command: (usual) => [...first, ...through, ...usual] });
    this.#startedMs = performance.now();
    await this.agent.connected();
  }

  /** Waits until the agent has measured for as long: what it has seen until then is normal. */
  async learned(forMs: number): Promise<void> {
    await until(`${forMs} ms of learning`, () => performance.now() - this.#startedMs >= forMs, forMs + 1_000);
  }

  /** Waits until no incident is open: what begins while one is would be taken for its consequence. */
  async quiet(deadlineMs: number): Promise<void> {
    const isOpen = ({ state }: Incident): boolean => state === 'open';
    await until(
      'nothing to be told',
      async () => !(await this.incidents()).some(isOpen),
      deadlineMs,
      () => 'one is open',
    );
  }

  /** Begins the fault: the one that the agent was started for, or another that it sees. */
  async begin(fault = this.made): Promise<void> {
    this.#fault = fault;
    this.#beganMs = Date.now();
    await fault.begin();
  }

  incidents = async (): Promise<readonly Incident[]> =>
    (await this.#central.get<{ incidents: readonly Incident[] }>(`/agents/${this.#id}/incidents`)).incidents;

  /** The incident that has the cause among its first findings, in the given state. */
  async incident(state: Incident['state'], deadlineMs: number): Promise<Incident> {
    let last: readonly Incident[] = [];
    return await until(
      `an incident that is ${state} and names the cause among its first ${TOP}`,
      async () => {
        last = await this.incidents();
        return last.find((incident) => incident.state === state && this.names(incident));
      },
      deadlineMs,
      () => last.map(tellIncident).join('\n') || 'there was no incident',
    );
  }

  names({ findings }: Incident): boolean {
    return findings.slice(0, TOP).some((finding) => this.#isCause(finding));
  }

  #isCause({ key, members = [], sinceMs }: RankedFinding): boolean {
    if (sinceMs < this.#beganMs - EARLY_MS) return false;
    const { isCause } = this.#fault;
    return isCause(key) || members.slice(0, TOP).some((member) => isCause(member.key));
  }
}

function narrowConfig({ config, inputs }: Made): object {
  const off = Object.fromEntries([...inputKinds.keys()].map((kind) => [kind, false]));
  return { budget, ...config, inputs: { ...off, ...inputs } };
}

/** All inputs as often as usual, within the usual budget. */
function wholeConfig({ config, needs = {} }: Made): object {
  return { ...config, budget: undefined, inputs: needs };
}

/** For whoever looks why a test failed. */
export function tellIncident({ state, title, findings }: Incident): string {
  const lines = findings.map(({ key, detector, bits, text }) => {
    return `  ${detector} ${bits.toFixed(0)} bits, ${formatSeries(key)}: ${text}`;
  });
  return [`${state}: ${title}`, ...lines].join('\n');
}
