/** A training round of the whole fleet, in parts: what it takes, and how that grows with the number of machines. */
import type { BenchCentral } from './central.ts';
import type { World } from './fleet.ts';
import type { Machine } from './machine.ts';

export interface RoundFigures {
  readonly machines: number;
  readonly seconds: number;
  /** The most memory that the central's whole process took while it trained. */
  readonly rssMb: number;
}

/** After each share of the machines. */
const SHARES = [0.25, 0.5, 0.75, 1];

interface Trained {
  readonly models: readonly { readonly state: string; readonly kind: string; readonly reason: string }[];
}

export interface Round {
  readonly steps: readonly RoundFigures[];
  readonly trained: number;
  readonly released: number;
  /** Why models were not released, the commonest first. */
  readonly reasons: readonly string[];
}

export async function trainingRound(world: World): Promise<Round> {
  const { central } = world;
  const ids = world.machines.flatMap(({ agent }) => agent ?? []);
  const steps: RoundFigures[] = [];
  const models: Trained['models'][number][] = [];
  let done = 0;
  let seconds = 0;
  let rssMb = 0;
  for (const share of SHARES) {
    const upTo = Math.max(1, Math.round(share * ids.length));
    await world.exchange();
    const beganMs = performance.now();
    for (; done < upTo; done++) models.push(...(await train(central, ids[done]!)));
    seconds += (performance.now() - beganMs) / 1000;
    await world.exchange();
    rssMb = Math.max(rssMb, world.peakBytes / 1e6);
    steps.push({ machines: upTo, seconds, rssMb });
  }
  const refused = new Map<string, number>();
  for (const { state, reason } of models) {
    if (state !== 'rejected') continue;
    const words = reason.replace(/[\d.,]+/g, '#');
    refused.set(words, (refused.get(words) ?? 0) + 1);
  }
  return {
    steps,
    trained: models.length,
    released: models.filter(({ state }) => state !== 'rejected').length,
    reasons: [...refused].sort((a, b) => b[1] - a[1]).map(([words, times]) => `${times} × ${words}`),
  };
}

async function train(central: BenchCentral, agent: string): Promise<Trained['models']> {
  try {
    return (await central.ask<Trained>('POST', '/models/train', { agent })).models;
  } catch (error) {
    if (/ 409 /.test((error as Error).message)) return [];
    throw error;
  }
}

export const withModel = (machines: readonly Machine[]): number =>
  machines.filter(({ models }) => models.length > 0).length;
