/** The world: machines and their central, taken through virtual time together. */
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { MINUTE_MS } from '../../../shared/limits.ts';
import type { BenchCentral } from './central.ts';
import type { Machine } from './machine.ts';
import { VirtualTime } from './virtual-time.ts';

/** Between two exchanges with the central. A machine of its own would have them each minute: it costs, and tells nothing more. */
const EXCHANGE_MINUTES = 20;
/** Virtual time that goes by while an exchange is under way: what gathers, gives up or tries again goes by it. */
const STEP_MS = 100;
const MOST_STEPS = 300;
/** The central's time follows after as many: behind by two seconds it would tell the machines that their clocks are wrong. */
const CENTRAL_STEPS = 5;
/** Turns of the loop in which nothing came, before virtual time goes on. */
const PATIENCE = 40;
const CONNECT_MS = 20_000;

export class World {
  readonly time: VirtualTime;
  /** Stands still between exchanges: what was sent meanwhile would be answered with an old time. */
  readonly line: VirtualTime;
  readonly central: BenchCentral;
  machines: Machine[] = [];
  steps = 0;
  rssBytes = 0;
  peakBytes = 0;

  constructor(time: VirtualTime, central: BenchCentral) {
    this.time = time;
    this.line = new VirtualTime(time.nowMs);
    this.central = central;
  }

  /** Virtual time may not go by while a connection is made: a minute of it is a few milliseconds. */
  async connected(machine: Machine): Promise<void> {
    const deadline = performance.now() + CONNECT_MS;
    while (!machine.connected) {
      if (performance.now() > deadline) throw new Error(`${machine.name} did not connect`);
      await pause(5);
    }
  }

  /** @param atMinute after each minute's samples */
  async run(minutes: number): Promise<void> {
    const { time } = this;
    for (let i = 1; i <= minutes; i++) {
      time.advance((Math.floor(time.nowMs / MINUTE_MS) + 1) * MINUTE_MS);
      for (const machine of this.machines) machine.tick();
      await turn();
      if (i % EXCHANGE_MINUTES === 0 || i === minutes) await this.exchange();
    }
  }

  /** All that waits is sent, committed and answered. */
  async exchange(): Promise<void> {
    const { time } = this;
    await this.#centralTo(time.nowMs);
    for (let step = 0; step < MOST_STEPS; step++) {
      time.advance(time.nowMs + STEP_MS);
      this.line.advance(time.nowMs);
      this.steps++;
      if (step % CENTRAL_STEPS === CENTRAL_STEPS - 1) await this.#centralTo(time.nowMs);
      for (let i = 0; i < PATIENCE; i++) {
        if (step > 0 && this.machines.every(({ isQuiet }) => isQuiet)) return;
        await (i < PATIENCE / 2 ? turn() : pause(1));
      }
    }
    const waiting = this.machines.filter(({ isQuiet }) => !isQuiet);
    throw new Error(`${waiting.length} machines were not answered, such as ${waiting[0]!.name}`);
  }

  async #centralTo(ms: number): Promise<void> {
    const { rssBytes, peakBytes } = await this.central.advance(ms);
    this.rssBytes = rssBytes;
    this.peakBytes = peakBytes;
  }
}
