/** The parent's side of an agent under load: starts it, kills it, and knows what it said. */
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Enrolment } from '../../shared/trust/enrolment.ts';
import type { LoadOptions } from '../../test/support/loaded-agent.ts';
import { type Program, until } from '../../test/support/processes.ts';
import type { System } from '../../test/support/system.ts';
import { Said } from './said.ts';

const main = join(import.meta.dirname, '..', '..', 'test', 'support', 'loaded-agent.ts');
const MB = 1024 * 1024;
const START_MS = 60_000;

/** What all loads have in common where a scenario does not say otherwise. */
const usual = {
  recordsPerS: 300,
  commitIntervalMs: 200,
  limitBytes: 64 * MB,
  keepAcknowledgedMs: 3_600_000,
  backlogBytesPerS: 0,
} as const;

export class LoadedAgent {
  readonly id: string;
  readonly said: Said;
  /** Directory of the outbox. */
  readonly outbox: string;
  #program: Program | null = null;
  /** What stands before its command, where it is to run in a namespace of its own. */
  through: readonly string[] = [];
  readonly #system: System;
  readonly #enrolment: string;
  readonly #saidPath: string;

  /** @param outbox where its records lie; by default a directory of the system's */
  constructor(system: System, enrolment: Enrolment, outbox?: string) {
    this.#system = system;
    this.id = enrolment.agent;
    const directory = system.path(`load-${enrolment.agent}`);
    this.outbox = outbox ?? join(directory, 'outbox');
    this.#enrolment = join(directory, 'enrolment.json');
    this.#saidPath = join(directory, 'said');
    writeFileSync(this.#enrolment, JSON.stringify(enrolment));
    this.said = new Said(this.#saidPath);
  }

  get program(): Program {
    if (this.#program === null) throw new Error('the loaded agent was not started');
    return this.#program;
  }

  /** Resolves when its outbox is open. `offline`: without a connection. */
  async start(options: Partial<LoadOptions> & { readonly offline?: boolean } = {}): Promise<void> {
    const { offline = false, ...load } = options;
    const all: LoadOptions = {
      ...usual,
      outbox: this.outbox,
      said: this.#saidPath,
      enrolment: offline ? null : this.#enrolment,
      ...load,
    };
    if (this.#program?.alive) throw new Error('the loaded agent runs already: its outbox is not for two');
    this.#program = this.#system.start('loaded-agent', [...this.through, process.execPath, main, JSON.stringify(all)]);
    await this.program.said(/^started$/m, START_MS);
  }

  async connected(deadlineMs = 60_000): Promise<void> {
    await this.program.said(/^connected$/m, deadlineMs);
  }

  async kill(): Promise<void> {
    await this.program.end('SIGKILL');
    this.said.read();
  }

  /** Resolves when so many records more than now were reported durable. */
  async makes(count: number, deadlineMs = 60_000): Promise<void> {
    this.said.read();
    const wanted = this.said.durableCount + count;
    await this.until(`${count} records more are durable`, () => this.said.durableCount >= wanted, deadlineMs);
  }

  /** Resolves when what it said meets the condition; fails when it ends before. */
  async until(what: string, check: () => boolean, deadlineMs = 60_000): Promise<void> {
    await until(
      what,
      () => {
        this.said.read();
        if (!this.program.alive) throw new Error(`the loaded agent ended by itself: ${this.program.stderr}`);
        return check();
      },
      deadlineMs,
      () => this.said.warnings.slice(-10).join('\n'),
    );
  }

  /** The outbox, and the note of its chain beside it. */
  get #disk(): readonly string[] {
    return [this.outbox, `${this.outbox}.chain`];
  }

  /** Takes over what another holds, as a copied disk. */
  copy(other: LoadedAgent): void {
    other.#disk.forEach((path, i) => {
      cpSync(path, this.#disk[i]!, { recursive: true, force: true });
    });
  }

  /** Deletes what it held, as a wiped disk. */
  wipe(): void {
    for (const path of this.#disk) rmSync(path, { recursive: true, force: true });
  }
}
