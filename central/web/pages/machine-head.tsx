/** The head of a machine's page: who it is, whether it is there, its vital values. */
import type { AgentState } from '../../api.ts';
import { useCell } from '../cell.ts';
import type { ChartBoard } from '../charts/board.ts';
import { Flags } from '../components/flags.tsx';
import { Mutes } from '../components/mute.tsx';
import { Ago, Bar, Moment, State } from '../components/parts.tsx';
import { useNow } from '../components/ticking.ts';
import { counted, pathOfLayer } from '../format.ts';
import { preferences } from '../preferences.ts';
import { zoomTo } from '../shown-range.ts';
import { presenceOf } from '../states.ts';
import { HOUR_MS } from '../time.ts';

interface Props {
  readonly agent: AgentState;
  readonly board: ChartBoard;
  readonly siteZone: string | null;
  /** Whether charts are shown that could be live. */
  readonly charts: boolean;
  /** Loads the agent's state again. */
  readonly reload: () => void;
}

export function MachineHead({ agent, board, siteZone, charts, reload }: Props) {
  const now = useNow(5_000);
  const flowing = useCell(board.source.live.flowing);
  const { zone } = useCell(preferences);
  const presence = presenceOf(agent);
  const { vitals } = agent;
  return (
    <header class="machine-head">
      <div class="who">
        <h1>{agent.name}</h1>
        <State presence={presence} />
        {presence === 'online' && charts && (
          <span
            class={`live-mark ${flowing ? 'on' : ''}`}
            data-role="live"
            title="Values come in each second while you look"
          >
            <i aria-hidden="true" />
            {flowing ? 'live' : 'waiting for live values'}
          </span>
        )}
        <span class="about">
          {agent.site !== '' && <span>{agent.site}</span>}
          {Object.entries(agent.tags).map(([tag, value]) => (
            <span class="tag" key={tag}>
              {value === '' ? tag : `${tag}=${value}`}
            </span>
          ))}
          {agent.cohort != null && (
            <a class="tag" href="/cohorts" data-role="cohort" title="Machines that behave alike">
              {agent.cohort}
            </a>
          )}
          <span class="faint">
            {agent.id}
            {agent.reported !== null && `, agent ${agent.reported.agentVersion}`}
          </span>
        </span>
      </div>
      <dl class="vitals">
        <div>
          <dt>CPU</dt>
          <dd>
            <Bar share={vitals.cpu} label="CPU" />
          </dd>
        </div>
        <div>
          <dt>Memory</dt>
          <dd>
            <Bar share={vitals.memory} label="Memory" />
          </dd>
        </div>
        <div>
          <dt>Disk</dt>
          <dd>
            <Bar share={vitals.disk} label="Fullest disk" />
          </dd>
        </div>
        <div>
          <dt>Load</dt>
          <dd>{vitals.load1 === null ? '–' : vitals.load1.toFixed(2)}</dd>
        </div>
        <div>
          <dt>Pending</dt>
          <dd>{agent.pendingRecords}</dd>
        </div>
        <div>
          <dt>Model</dt>
          <dd data-role="model">
            {agent.modelVersion === null ? 'none yet' : `v${agent.modelVersion}`}
            {agent.desiredVersion !== null &&
              agent.desiredVersion !== agent.modelVersion &&
              ` → v${agent.desiredVersion}`}
          </dd>
        </div>
        <div>
          <dt>Configuration</dt>
          <dd data-role="configuration">
            <a href={pathOfLayer(`agent:${agent.id}`)}>{configurationOf(agent)}</a>
          </dd>
        </div>
      </dl>
      <Flags agent={agent} onDone={reload} />
      <Mutes agent={agent} now={now} />
      {presence !== 'online' && (
        <p class={`notice ${presence}`} role="status">
          {presence === 'retired' ? (
            <>
              This machine was retired <Moment ms={agent.retiredMs!} />. Its history stays.
            </>
          ) : (
            <>
              {presence === 'offline' ? 'This machine is offline.' : 'Not heard from since the central started.'} What
              you see ends <Ago ms={agent.lastSeenMs} now={now} />
              {agent.lastSeenMs !== null && (
                <>
                  {' '}
                  (<Moment ms={agent.lastSeenMs} />)
                </>
              )}
              ; it keeps its records and sends them when it is back.
              {charts && agent.lastSeenMs !== null && (
                <>
                  {' '}
                  <button
                    type="button"
                    class="link"
                    onClick={() => zoomTo(agent.lastSeenMs! - HOUR_MS, agent.lastSeenMs!)}
                  >
                    Show its last hour
                  </button>
                </>
              )}
            </>
          )}
        </p>
      )}
      {agent.reported !== null && agent.reported.warnings.length > 0 && (
        <details class="notice warning">
          <summary>{counted(agent.reported.warnings.length, 'warning')} of the agent</summary>
          <ul>
            {agent.reported.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </details>
      )}
      {zone === 'site' && siteZone === null && (
        <p class="hint">The zone of this site is not known yet: times are yours.</p>
      )}
    </header>
  );
}

function configurationOf({ reported }: AgentState): string {
  const configuration = reported?.configuration;
  if (configuration === undefined || configuration.version === 0) return 'its own';
  return `v${configuration.version}${configuration.trial ? ', on trial' : ''}`;
}
