/**
 * A thread that trains: takes one piece of work at a time, asks the central's thread for what it needs, and decodes and
 * computes here, at the lowest priority. Started by `pool.ts`.
 */
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { readAgent } from '../../store/agents.ts';
import { Catalogue, SeriesInterner } from '../../store/catalogue.ts';
import { coMomentsByDay } from '../../store/co-moments.ts';
import { querySeries } from '../../store/query.ts';
import { type ReadAnswer, readRemotely } from '../../store/remote.ts';
import type { SeriesColumns, Store } from '../../store/store.ts';
import { windowLengthOf } from '../round.ts';
import { type RoundSources, runRound } from '../trainings.ts';
import {
  errorOf,
  type FromThread,
  failureOf,
  type ServiceName,
  type Services,
  type ToThread,
  type Work,
} from './messages.ts';

/** What it is called in the executable (`scripts/build/programs.ts`). */
export type WorkerScript = 'central/train/thread/worker.ts';

const LOWEST_PRIORITY = 19;

const port = parentPort!;
/** Never aborted: a thread whose work is given up is ended. */
const { signal } = new AbortController();
const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let calls = 0;

function tell(message: FromThread, give: readonly ArrayBuffer[] = []): void {
  port.postMessage(message, give);
}

function service<N extends ServiceName>(name: N): Services[N] {
  const ask = (...args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const call = ++calls;
      waiting.set(call, { resolve, reject });
      tell({ type: 'call', call, service: name, args });
    });
  return ask as Services[N];
}

/** One machine's history: what is known of its series is forgotten with it. */
function sources(): RoundSources {
  const catalogue = new Catalogue(new SeriesInterner());
  const read = service('read');
  const query: Store['query'] = (agent, series, range, resolution): Promise<readonly SeriesColumns[]> =>
    readRemotely(
      (request) => read(request) as Promise<ReadAnswer>,
      async (reader) => {
        const row = await readAgent(reader, agent);
        const known = row === null ? null : await catalogue.of(reader, row.number);
        return querySeries(reader, row?.number ?? null, known, series, range, resolution);
      },
    );
  return {
    store: {
      query,
      latest: service('latest'),
      coverage: service('coverage'),
      coMoments: (agent, range) =>
        coMomentsByDay(agent, range, (work) => readRemotely((request) => read(request) as Promise<ReadAnswer>, work)),
    },
    knowledge: service('knowledge'),
    meanings: service('meanings'),
  };
}

async function does(work: Work): Promise<unknown> {
  if (work.do === 'windowLength') return windowLengthOf(sources().store, work.agent);
  return runRound(sources(), work.request, signal);
}

async function take({ id, work }: Extract<ToThread, { type: 'work' }>): Promise<void> {
  try {
    tell({ type: 'done', id, result: await does(work) });
  } catch (error) {
    tell({ type: 'failed', id, failure: failureOf(error) });
  }
}

// On Linux this is the priority of the calling thread alone.
setPriority(LOWEST_PRIORITY);
port.on('message', (message: ToThread) => {
  if (message.type === 'work') {
    void take(message);
    return;
  }
  const asked = waiting.get(message.call);
  waiting.delete(message.call);
  if (message.type === 'answer') asked?.resolve(message.value);
  else asked?.reject(errorOf(message.failure));
});
