/**
 * systemd's watchdog (sd_notify(3)): while WATCHDOG_USEC is set, the service says in time that it is alive, or systemd
 * starts it anew. The message goes over a datagram socket, which Node cannot open; systemd's own `systemd-notify` says
 * it for us, twice in each period, which at three minutes costs nothing that can be measured.
 */
import { spawn } from 'node:child_process';

export type Notify = (message: string) => void;

/** Begins to report; the returned function ends it. Does nothing outside of systemd. */
export function startWatchdog(
  env: NodeJS.ProcessEnv,
  isAlive: () => boolean,
  notify: Notify = systemdNotify,
): () => void {
  const periodMs = Number(env.WATCHDOG_USEC) / 1000;
  const forUs = env.WATCHDOG_PID === undefined || Number(env.WATCHDOG_PID) === process.pid;
  if (env.NOTIFY_SOCKET === undefined || !forUs || !(periodMs >= 1000)) return () => {};
  const timer = setInterval(() => {
    if (isAlive()) notify('WATCHDOG=1');
  }, periodMs / 2);
  timer.unref();
  return () => clearInterval(timer);
}

const notifyProgram = 'systemd-notify';

function systemdNotify(message: string): void {
  const child = spawn(notifyProgram, [message], { stdio: 'ignore' });
  // A machine without the program has no systemd to disappoint.
  child.on('error', () => {});
  child.unref();
}
