/** Starts this program once more, to answer on its standard output; bounded in time and in bytes. */
import { spawn } from 'node:child_process';
import { PicketError } from '../../../shared/errors.ts';

/** What the child wrote. Rejects with `input.failed`; the child has ended or been killed in every case. */
export function outputOf(
  command: readonly [string, ...string[]],
  { deadlineMs, maxBytes, signal }: { deadlineMs: number; maxBytes: number; signal: AbortSignal },
): Promise<string> {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    const chunks: Buffer[] = [];
    let size = 0;
    let problem: string | null = null;
    const kill = (why: string): void => {
      problem ??= why;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => kill(`did not end within ${deadlineMs} ms`), deadlineMs);
    const onAbort = (): void => kill('was stopped');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxBytes) kill(`wrote more than ${maxBytes} bytes`);
      else chunks.push(chunk);
    });
    child.on('error', (error) => {
      problem ??= `could not be started (${error.message.slice(0, 100)})`;
      end(null);
    });
    child.on('close', end);
    function end(code: number | null): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (problem === null && code === 0) resolve(Buffer.concat(chunks).toString('utf8'));
      else
        reject(new PicketError('input.failed', `The child process ${problem ?? `ended with ${code ?? 'a signal'}`}.`));
    }
  });
}
