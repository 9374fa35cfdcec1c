/** The processes that used most, as the machine last told. */
import type { AgentState } from '../../api.ts';
import { get, Problem } from '../api.ts';
import { Empty, Failure, Moment, Skeleton } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { digits, formatBytes, formatValue } from '../format.ts';
import { useResource } from '../resource.ts';
import { useReloadOn } from './reload.ts';

interface Entry {
  readonly pid: number;
  readonly name: string;
  readonly cpu: number;
  readonly memoryBytes: number;
  readonly ioBytesPerSecond: number | null;
}

interface Top {
  readonly byCpu?: readonly Entry[];
  readonly byMemory?: readonly Entry[];
  readonly byIo?: readonly Entry[];
  readonly spanMs?: number;
}

export function ProcessesPanel({ agent, fleet }: { readonly agent: AgentState; readonly fleet: Fleet }) {
  const top = useResource(`top ${agent.id}`, (signal) =>
    get<{ timeMs: number; json: Top }>(`/agents/${agent.id}/documents/top`, signal),
  );
  useReloadOn(fleet, agent.id, 'summary', top.reload);
  if (top.data === undefined) {
    if (top.error instanceof Problem && top.error.status === 404) {
      return <Empty title="This machine has not sent its processes yet" />;
    }
    if (top.error !== undefined) return <Failure error={top.error} onRetry={top.reload} />;
    return <Skeleton lines={6} label="Loading the processes" />;
  }
  const { json, timeMs } = top.data;
  return (
    <div class="panel">
      <p class="faint">
        As of <Moment ms={timeMs} />
        {json.spanMs !== undefined && `, over ${Math.round(json.spanMs / 1000)} s`}. CPU is of one core.
      </p>
      <div class="columns">
        <List title="By CPU" entries={json.byCpu ?? []} value={(one) => `${digits(one.cpu * 100)} %`} />
        <List title="By memory" entries={json.byMemory ?? []} value={(one) => formatBytes(one.memoryBytes)} />
        <List title="By disk" entries={json.byIo ?? []} value={(one) => formatValue(one.ioBytesPerSecond, 'By/s')} />
      </div>
    </div>
  );
}

interface ListProps {
  readonly title: string;
  readonly entries: readonly Entry[];
  readonly value: (entry: Entry) => string;
}

function List({ title, entries, value }: ListProps) {
  return (
    <section class="card">
      <h3>{title}</h3>
      {entries.length === 0 ? (
        <p class="faint">None used any.</p>
      ) : (
        <table class="plain">
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.pid}>
                <td>{entry.name}</td>
                <td class="numeric faint">{entry.pid}</td>
                <td class="numeric">{value(entry)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
