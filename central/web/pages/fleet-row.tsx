/** One machine of the fleet's list. */

import type { AgentState } from '../../api.ts';
import { FlagMarks } from '../components/flags.tsx';
import { memo } from '../components/memo.ts';
import { MuteMark } from '../components/mute.tsx';
import { Ago, Bar, SeverityMark, State } from '../components/parts.tsx';
import { formatCount } from '../format.ts';
import { go } from '../router.ts';
import { presenceOf, type Severity } from '../states.ts';

interface Props {
  readonly agent: AgentState;
  readonly worst: Severity | null;
  readonly now: number;
}

export const FleetRow = memo(function FleetRow({ agent, worst, now }: Props) {
  const { id, name, site, tags, vitals } = agent;
  const href = `/machine/${id}`;
  const presence = presenceOf(agent);
  const open = (event: MouseEvent): void => {
    if ((event.target as Element).closest('a, button') === null) go(href);
  };
  const onKey = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && event.target === event.currentTarget) go(href);
  };
  return (
    <tr class={presence} data-row data-agent={id} tabIndex={0} onClick={open} onKeyDown={onKey} aria-label={name}>
      <td class="c-state">
        <State presence={presence} />
      </td>
      <td class="c-name">
        <a href={href} tabIndex={-1}>
          {name}
        </a>
        <FlagMarks flags={agent.flags} />
        <MuteMark agent={agent} now={now} />
        <span class="about">
          {site}
          {Object.entries(tags).map(([tag, value]) => (
            <span class="tag" key={tag}>
              {value === '' ? tag : `${tag}=${value}`}
            </span>
          ))}
          {agent.cohort != null && (
            <span class="tag" title="Its cohort: machines that behave alike">
              {agent.cohort}
            </span>
          )}
        </span>
      </td>
      <td class="c-incidents">
        {agent.openIncidents > 0 ? (
          <a href={`${href}/incidents`} class="incident-count" tabIndex={-1}>
            {worst !== null && <SeverityMark severity={worst} />} {formatCount(agent.openIncidents)}
          </a>
        ) : (
          <span class="faint">–</span>
        )}
      </td>
      <td class="c-bar" data-label="CPU">
        <Bar share={vitals.cpu} label="CPU" />
      </td>
      <td class="c-bar" data-label="Memory">
        <Bar share={vitals.memory} label="Memory" />
      </td>
      <td class="c-bar" data-label="Disk">
        <Bar share={vitals.disk} label="Fullest disk" />
      </td>
      <td class="numeric c-load" data-label="Load">
        {vitals.load1 === null ? <span class="faint">–</span> : vitals.load1.toFixed(2)}
      </td>
      <td class="numeric c-pending" data-label="Pending">
        {agent.pendingRecords === 0 ? <span class="faint">0</span> : formatCount(agent.pendingRecords)}
      </td>
      <td class="numeric c-seen">
        <Ago ms={agent.lastSeenMs} now={now} />
      </td>
      <td class="model c-model">
        <Model agent={agent} />
      </td>
    </tr>
  );
});

function Model({ agent }: { readonly agent: AgentState }) {
  const { modelVersion, desiredVersion } = agent;
  if (modelVersion === null && desiredVersion === null) return <span class="faint">none yet</span>;
  const differs = desiredVersion !== null && desiredVersion !== modelVersion;
  return (
    <span title={differs ? `version ${desiredVersion} is on its way` : undefined}>
      {modelVersion === null ? '–' : `v${modelVersion}`}
      {differs && <span class="faint"> → v{desiredVersion}</span>}
    </span>
  );
}
