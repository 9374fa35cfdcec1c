/** Work that is done again and again, never twice at once. */
import type { Timers } from '../../shared/clock.ts';
import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';

type Repeat = (intervalMs: number, work: () => Promise<void>) => () => void;

/** Each call of what this gives answers with what ends it. */
export function repeater(timers: Timers, log: Log, stopping: AbortSignal): Repeat {
  return (intervalMs, work) => {
    let next: unknown = null;
    const wait = (): void => {
      next = timers.after(intervalMs, () => {
        work()
          .catch((error: unknown) => {
            if (!stopping.aborted) log.error({ problem: messageOf(error) }, 'maintenance failed; it is tried again');
          })
          .finally(() => {
            if (!stopping.aborted) wait();
          });
      });
    };
    wait();
    return () => timers.cancel(next);
  };
}
