/** Series of a machine that say something else since some time: found by training, and not learned with the old. */
import type { ToldChange } from '../../feedback/api.ts';
import { get } from '../api.ts';
import { Moment } from '../components/parts.tsx';
import { metricTitle } from '../metrics/titles.ts';
import { useResource } from '../resource.ts';

const SHOWN = 5;

export function SeriesChanges({ agent }: { readonly agent: string }) {
  const { data } = useResource(`series changes ${agent}`, (signal) =>
    get<{ changes: readonly ToldChange[] }>(`/agents/${agent}/series-changes`, signal),
  );
  const changes = data?.changes ?? [];
  if (changes.length === 0) return null;
  return (
    <div class="notice warning" data-role="series-changes">
      <p>Some series say something else under the same name. What they said before is no longer learned from.</p>
      <ul>
        {changes.slice(0, SHOWN).map(({ series, key, kind, atMs, text }) => (
          <li key={`${series} ${kind}`}>
            <b>{[metricTitle(key), ...Object.values(key.attributes)].join(', ')}</b>: {text} since <Moment ms={atMs} />
          </li>
        ))}
      </ul>
      {changes.length > SHOWN && <p class="faint">{changes.length - SHOWN} more</p>}
    </div>
  );
}
