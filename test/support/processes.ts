/** Programs that a test runs: what they print is kept, conditions are polled, and none of them outlives the test. */
import { type ChildProcess, spawn } from 'node:child_process';

const POLL_MS = 40;
/** Of each stream, for messages and conditions. */
const KEPT_CHARACTERS = 4 * 1024 * 1024;

const running = new Set<ChildProcess>();
// A worker that is ended without its hooks still takes its children with it.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A program under way. */
export class Program {
  readonly name: string;
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';
  readonly #child: ChildProcess;

  /** Starts it with an environment of its own; only PATH is passed on. */
  constructor(name: string, command: readonly string[], options: RunOptions = {}) {
    this.name = name;
    const [file, ...args] = command;
    const env = { PATH: process.env.PATH ?? '', ...options.env };
    const cwd = options.cwd === undefined ? {} : { cwd: options.cwd };
    const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'pipe'], env, ...cwd });
    this.#child = child;
    running.add(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout = (this.stdout + text).slice(-KEPT_CHARACTERS);
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-KEPT_CHARACTERS);
    });
    this.exited = new Promise((resolve) => {
      child.on('error', (error) => {
        this.stderr += String(error);
      });
      // `close` comes when the streams have ended too: nothing that was said is missing then.
      child.on('close', (code) => {
        running.delete(child);
        resolve(code);
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get alive(): boolean {
    return running.has(this.#child);
  }

  /** Sends the signal; resolves with the exit code when it has ended. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#child.kill(signal);
    const late = setTimeout(() => this.#child.kill('SIGKILL'), 20_000);
    return await this.exited.finally(() => clearTimeout(late));
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Lines of standard error that are JSON, as the programs log. */
  log(): readonly Readonly<Record<string, unknown>>[] {
    return this.stderr.split('\n').flatMap((line) => {
      try {
        return line.startsWith('{') ? [JSON.parse(line) as Record<string, unknown>] : [];
      } catch {
        return [];
      }
    });
  }

  /** Resolves when it has printed what matches on either stream; fails when it ends before. */
  async said(pattern: RegExp, deadlineMs = 30_000): Promise<RegExpExecArray> {
    return await until(
      `${this.name} says ${pattern}`,
      () => {
        const found = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (found === null && !this.alive) throw new Error(`${this.name} ended: ${this.stdout}${this.stderr}`);
        return found;
      },
      deadlineMs,
      () => this.stderr.slice(-2000),
    );
  }
}

/** Runs a program to its end. */
export async function run(name: string, command: readonly string[], options: RunOptions = {}) {
  const program = new Program(name, command, options);
  const code = await program.exited;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

/**
 * Asks again and again until there is an answer that is neither null, undefined nor false; an error of the check ends
 * the wait. Says what was waited for when the deadline passes.
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  deadlineMs = 30_000,
  detail: () => unknown = () => '',
): Promise<Exclude<T, null | undefined | false>> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const answer = await check();
    if (answer !== null && answer !== undefined && answer !== false) {
      return answer as Exclude<T, null | undefined | false>;
    }
    if (performance.now() > endMs) {
      const seen = detail();
      const told = typeof seen === 'string' ? seen : JSON.stringify(seen);
      throw new Error(`waited ${deadlineMs} ms in vain: ${what}\n${told}`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
