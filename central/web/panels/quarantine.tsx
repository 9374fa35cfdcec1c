/** Records that were set aside: why, and their bytes for whoever wants to look. */
import { get } from '../api.ts';
import { Failure, Moment } from '../components/parts.tsx';
import { formatBytes, formatCount } from '../format.ts';
import { useResource } from '../resource.ts';

interface Answer {
  readonly records: readonly {
    readonly epoch: string;
    readonly seq: number;
    readonly crc: number;
    readonly reason: string;
    readonly timeMs: number;
    readonly sizeBytes: number;
  }[];
  readonly more: number;
}

const SHOWN = 50;

/** @param count how many the ledger knows of; their bytes may be gone by age */
export function Quarantine({ agent, count }: { readonly agent: string; readonly count: number }) {
  const found = useResource(`quarantine ${agent} ${count}`, (signal) =>
    get<Answer>(`/agents/${agent}/quarantine`, signal),
  );
  if (found.data === undefined) {
    return found.error === undefined ? null : <Failure error={found.error} onRetry={found.reload} />;
  }
  const { records, more } = found.data;
  const shown = records.slice(0, SHOWN);
  const left = records.length - shown.length + more;
  return (
    <section data-role="quarantine">
      <h2>Set aside</h2>
      <p class="lead">
        Records that came whole and could not be understood, or that contradict one that was stored. They were answered,
        so that nothing waits for them.
      </p>
      {shown.length === 0 ? (
        <p class="faint">Their bytes are gone by age; {formatCount(count)} are counted.</p>
      ) : (
        <div class="scroll-x">
          <table class="plain">
            <thead>
              <tr>
                <th>Time</th>
                <th>Record</th>
                <th>Reason</th>
                <th class="numeric">Bytes</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ epoch, seq, crc, reason, timeMs, sizeBytes }) => (
                <tr key={`${epoch} ${seq} ${crc}`}>
                  <td>
                    <Moment ms={timeMs} />
                  </td>
                  <td title={epoch}>
                    <code>{epoch.slice(0, 8)}</code> / {seq}
                  </td>
                  <td class="reason">{reason}</td>
                  <td class="numeric">
                    <a href={`/api/v1/agents/${agent}/quarantine/${epoch}/${seq}/${crc >>> 0}`} download>
                      {formatBytes(sizeBytes)}
                    </a>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {left > 0 && <p class="hint">and {formatCount(left)} older ones</p>}
    </section>
  );
}
