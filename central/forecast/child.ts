/**
 * Forecasts are made in a child process of this very program: the library is WebAssembly that can't be stopped and is
 * beyond repair once it fails, and ingestion must not wait for it. The child runs at the lowest priority, takes one
 * series at a time, is ended when one takes too long and after some hundreds of them, and is gone while there is nothing
 * to do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { PicketError } from '../../shared/errors.ts';
import type { Outlook, OutlookTask } from './outlook.ts';

const LONGEST_MS = 120_000;
const TASKS_OF_A_CHILD = 400;

export interface ForecastAnswer {
  readonly outlook: Outlook | null;
  /** The library failed, and the child ends. */
  readonly broken?: true;
}

export class ForecastChild {
  readonly #command: readonly [string, ...string[]];
  readonly #longestMs: number;
  #child: ChildProcess | null = null;
  #tasks = 0;

  constructor(command: readonly [string, ...string[]], longestMs = LONGEST_MS) {
    this.#command = command;
    this.#longestMs = longestMs;
  }

  /** One at a time. Null where the history is too short. Throws when the child died or took too long. */
  async outlook(task: OutlookTask): Promise<Outlook | null> {
    if (this.#tasks++ >= TASKS_OF_A_CHILD) this.end();
    const child = this.#child ?? this.#start();
    const answer = await new Promise<ForecastAnswer>((resolve, reject) => {
      const fail = (why: string): void => {
        settle();
        this.end();
        reject(new PicketError('internal', `a forecast failed: ${why}`));
      };
      const timer = setTimeout(() => fail(`it took longer than ${this.#longestMs / 1000} s`), this.#longestMs);
      const onMessage = (message: unknown): void => {
        settle();
        resolve(message as ForecastAnswer);
      };
      const onExit = (): void => fail('its process ended');
      const onError = (error: Error): void => fail(error.message);
      const settle = (): void => {
        clearTimeout(timer);
        child.off('message', onMessage).off('exit', onExit).off('error', onError);
      };
      child.on('message', onMessage).on('exit', onExit).on('error', onError);
      child.send(task, (error) => {
        if (error !== null) fail(error.message);
      });
    });
    if (answer.broken === true) {
      this.end();
      throw new PicketError('internal', 'a forecast failed: the ARIMA library did');
    }
    return answer.outlook;
  }

  end(): void {
    this.#child?.kill('SIGKILL');
    this.#child = null;
    this.#tasks = 0;
  }

  #start(): ChildProcess {
    const [program, ...args] = this.#command;
    // The library writes on standard output when a search fails.
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      env: { ...process.env, UV_THREADPOOL_SIZE: '1', MALLOC_ARENA_MAX: '1' },
    });
    // One that comes when nothing is asked is nobody's.
    child.on('error', () => {});
    child.once('exit', () => {
      if (this.#child === child) this.#child = null;
    });
    this.#child = child;
    return child;
  }
}
