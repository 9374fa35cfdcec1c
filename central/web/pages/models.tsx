/** Rollouts of models as they move, what operators may do with them, and machines that are pinned. */
import { useEffect, useState } from 'preact/hooks';
import type { ListedRollout, ModelPin, Rollout, RolloutFigures, RolloutMember, RolloutOrder } from '../../api.ts';
import { get, send, wordsOf } from '../api.ts';
import { Confirmed } from '../components/confirmed.tsx';
import { Empty, Failure, Moment, Skeleton } from '../components/parts.tsx';
import { counted, formatCount } from '../format.ts';
import { useResource } from '../resource.ts';

const stageWords: Readonly<Record<Rollout['stage'], string>> = {
  shadow: 'in the shadow',
  canary: 'canary',
  all: 'going to all',
  done: 'done',
  reverted: 'reverted',
};
/** Machines that are listed; the others are counted. */
const SHOWN = 20;
const RELOAD_MS = 5_000;

interface Answer {
  readonly rollouts: readonly ListedRollout[];
  readonly pins: readonly ModelPin[];
}

export function ModelsPage() {
  const found = useResource('rollouts', (signal) => get<Answer>(`/rollouts?members=${SHOWN}`, signal));
  const [outcome, setOutcome] = useState('');
  useEffect(() => {
    const timer = setInterval(found.reload, RELOAD_MS);
    return () => clearInterval(timer);
  }, [found.reload]);
  const act = async (path: string, body?: unknown): Promise<void> => {
    try {
      await send('POST', path, body);
      setOutcome('');
    } catch (error) {
      setOutcome(wordsOf(error));
    }
    found.reload();
  };
  const { data } = found;
  return (
    <div class="panel">
      <h1>Models</h1>
      <p class="lead">
        A better model is first run beside the old one, where it raises nothing; then it is in force on a share of the
        machines, then on all. What is out of bounds is taken back by itself.
      </p>
      <p role="status" data-role="outcome">
        {outcome}
      </p>
      {data === undefined && found.error !== undefined && <Failure error={found.error} onRetry={found.reload} />}
      {data === undefined && found.error === undefined && <Skeleton lines={4} label="Loading the rollouts" />}
      {data?.rollouts.length === 0 && (
        <Empty title="No rollout yet">
          <p class="hint">The first model of a machine is in force at once; each better one comes by a rollout.</p>
        </Empty>
      )}
      {data?.rollouts.map((rollout) => (
        <Card key={rollout.id} rollout={rollout} order={(order) => act(`/rollouts/${rollout.id}/${order}`)} />
      ))}
      {(data?.pins.length ?? 0) > 0 && (
        <section>
          <h2>Pinned</h2>
          {data?.pins.map(({ agent, slot, version, by, sinceMs }) => (
            <p key={`${agent} ${slot}`}>
              <a href={`/machine/${agent}/model`}>{agent}</a> stays on version {version}, by {by}{' '}
              <Moment ms={sinceMs} />{' '}
              <Confirmed
                label="Unpin"
                question="Let it have new models?"
                act={() => act(`/agents/${agent}/unpin`, { slot })}
              />
            </p>
          ))}
        </section>
      )}
    </div>
  );
}

function Card({
  rollout,
  order,
}: {
  readonly rollout: ListedRollout;
  readonly order: (order: RolloutOrder) => Promise<void>;
}) {
  const { id, slot, cohort, stage, reason, sinceMs, pausedMs, times, counts } = rollout;
  const members = Object.values(rollout.members);
  const over = stage === 'done' || stage === 'reverted';
  const lengthMs = stage === 'shadow' ? times.shadowMs : stage === 'canary' ? times.canaryMs : null;
  const [open, setOpen] = useState(!over);
  return (
    <article class="card version" data-rollout={id} data-stage={stage}>
      <header>
        <h3>
          Rollout {id}{' '}
          <span class="faint">
            {slot}, {cohort}
          </span>
        </h3>
        <span class={`model-state ${stage}`}>
          {pausedMs === null ? stageWords[stage] : `${stageWords[stage]}, paused`}
        </span>
      </header>
      <p>{reason}</p>
      <p class="faint">
        Since <Moment ms={sinceMs} />
        {lengthMs !== null && pausedMs === null && (
          <>
            , until <Moment ms={sinceMs + lengthMs} /> or when something was heard
          </>
        )}
        . {counted(counts.machines, 'machine')}, {formatCount(counts.canary)} in the canary; run by{' '}
        {formatCount(counts.applied)}, out of it {formatCount(counts.out)}.
      </p>
      <p class="actions">
        {!over && pausedMs === null && <Confirmed label="Pause" question="Hold it here?" act={() => order('pause')} />}
        {!over && pausedMs !== null && (
          <Confirmed label="Resume" question="Let it go on?" act={() => order('resume')} />
        )}
        {lengthMs !== null && pausedMs === null && (
          <Confirmed label="Promote" question="Go on to the next stage at once?" act={() => order('promote')} />
        )}
        {stage !== 'reverted' && (
          <Confirmed
            label="Roll back"
            question="Bring all its machines back to what they ran before?"
            act={() => order('rollback')}
          />
        )}
      </p>
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Machines</summary>
        {open && <Members members={members} machines={counts.machines} stage={stage} />}
      </details>
    </article>
  );
}

interface MembersProps {
  readonly members: readonly RolloutMember[];
  /** All that there are. */
  readonly machines: number;
  readonly stage: Rollout['stage'];
}

function Members({ members, machines, stage }: MembersProps) {
  return (
    <>
      <div class="scroll-x">
        <table class="plain figures rollout">
          <thead>
            <tr>
              <th>Machine</th>
              <th>State</th>
              <th class="numeric">Version</th>
              <th class="numeric">Windows</th>
              <th class="numeric">Findings, new / old</th>
            </tr>
          </thead>
          <tbody>
            {members.map((member) => (
              <tr key={member.agent}>
                <td>
                  <a href={`/machine/${member.agent}/model`}>{member.agent}</a>
                </td>
                <td class="member-state">{wordsOfMember(member, stage)}</td>
                <td class="numeric">
                  {member.oldVersion ?? 'none'} → {member.version}
                </td>
                <Counts figures={member.figures} />
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {machines > members.length && <p class="faint">And {counted(machines - members.length, 'more machine')}.</p>}
    </>
  );
}

function wordsOfMember({ out, applied, canary, compares }: RolloutMember, stage: Rollout['stage']): string {
  if (out !== null) return out;
  if (stage === 'reverted') return 'runs the old one';
  if (applied) return 'runs it';
  if (stage === 'all' || stage === 'done' || canary) return 'is to run it';
  return compares ? 'beside the old one' : 'waits';
}

function Counts({ figures }: { readonly figures: RolloutFigures | null }) {
  return (
    <>
      <td class="numeric">{figures === null ? <span class="faint">none</span> : formatCount(figures.windows)}</td>
      <td class="numeric">{figures === null ? '' : `${figures.newFindings} / ${figures.oldFindings}`}</td>
    </>
  );
}
