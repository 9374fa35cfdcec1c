/** The libmodbus device of `modbus-server.c`, compiled and run for a test. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

/** Compiles the device into a folder and returns the program. */
export function compileDevice(folder: string): string {
  const program = path.join(folder, 'modbus-server');
  const source = path.join(import.meta.dirname, 'modbus-server.c');
  execFileSync('/usr/bin/gcc', ['-Wall', '-Wextra', '-Werror', '-O1', '-o', program, source, '-lmodbus']);
  return program;
}

export class ModbusDevice {
  readonly port: number;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcessWithoutNullStreams, lines: AsyncIterator<string>, port: number) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  static async start(program: string, port = 0): Promise<ModbusDevice> {
    const child = spawn(program, [String(port)]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const first = await lines.next();
    const match = /^port (\d+)$/.exec(String(first.value));
    if (match === null) throw new Error('the device did not start');
    return new ModbusDevice(child, lines, Number(match[1]));
  }

  /** One of the commands that the program knows; resolves with its answer when it is done. */
  async tell(command: string): Promise<string> {
    this.#child.stdin.write(`${command}\n`);
    const { value } = await this.#lines.next();
    return String(value);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }
}
