/** Machines that behave alike: who is in which cohort and why, what they have in common, and moving one by hand. */
import { useState } from 'preact/hooks';
import type { ModelVersion } from '../../api.ts';
import type { Cohort, CohortMember, CohortsState } from '../../cohorts/api.ts';
import { get, send, wordsOf } from '../api.ts';
import { Confirmed } from '../components/confirmed.tsx';
import { Empty, Failure, Moment, Skeleton } from '../components/parts.tsx';
import { counted } from '../format.ts';
import { useResource } from '../resource.ts';

/** Machines that are listed until all are asked for. */
const SHOWN = 20;
const byWords: Readonly<Record<CohortMember['by'], string>> = {
  hand: 'put here by hand',
  clusters: 'by how it behaves',
  first: 'preliminary: until the next look at all',
};

type Act = (path: string, body: unknown) => Promise<void>;

export function CohortsPage() {
  const found = useResource('cohorts', (signal) => get<CohortsState>('/cohorts', signal));
  const models = useResource('models', (signal) => get<{ models: readonly ModelVersion[] }>('/models', signal));
  const [outcome, setOutcome] = useState('');
  const act: Act = async (path, body) => {
    try {
      await send('POST', path, body);
      setOutcome('');
    } catch (error) {
      setOutcome(wordsOf(error));
    }
    found.reload();
  };
  const { data } = found;
  const names = data?.cohorts.map(({ name }) => name) ?? [];
  return (
    <div class="panel">
      <h1>Cohorts</h1>
      <p class="lead">
        Machines that behave alike. A false alarm that was judged on one is expected on the others; new models are tried
        on some before all; and a new machine runs on its first day what the others have learned.
      </p>
      <p role="status" data-role="outcome">
        {outcome}
      </p>
      {data === undefined && found.error !== undefined && <Failure error={found.error} onRetry={found.reload} />}
      {data === undefined && found.error === undefined && <Skeleton lines={4} label="Loading the cohorts" />}
      {data?.cohorts.length === 0 && (
        <Empty title="No cohorts yet">
          <p class="hint">At least two machines that are alike, with an hour of data, make one.</p>
        </Empty>
      )}
      <datalist id="cohort-names">
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {data?.cohorts.map((cohort) => (
        <Card key={cohort.id} cohort={cohort} models={models.data?.models ?? []} act={act} />
      ))}
      {data !== undefined && <Alone alone={data.alone} act={act} />}
      {data !== undefined && (
        <p class="faint">
          {data.roundMs === null ? (
            'All machines are looked at once a day; it has not been done yet. '
          ) : (
            <>
              All machines were looked at <Moment ms={data.roundMs} />; it is done once a day.{' '}
            </>
          )}
          <Confirmed label="Look now" question="Look at all machines?" act={() => act('/cohorts/round', {})} />
        </p>
      )}
    </div>
  );
}

function Card({
  cohort,
  models,
  act,
}: {
  readonly cohort: Cohort;
  readonly models: readonly ModelVersion[];
  readonly act: Act;
}) {
  const [all, setAll] = useState(false);
  const { name, members, traits, sinceMs, namedByHand } = cohort;
  const shown = all ? members : members.slice(0, SHOWN);
  return (
    <article class="card version" data-cohort={name}>
      <header>
        <h3>{name}</h3>
        <span class="faint">
          {counted(members.length, 'machine')}, since <Moment ms={sinceMs} />
          {namedByHand && ', named by hand'}
        </span>
      </header>
      <div class="actions">
        <Entry label="Rename" value={name} act={(to) => act(`/cohorts/${name}/rename`, { name: to })} />
      </div>
      {traits.length > 0 && (
        <details>
          <summary>What makes them alike</summary>
          <div class="scroll-x">
            <table class="plain figures">
              <thead>
                <tr>
                  <th>What</th>
                  <th>Here</th>
                  <th>The whole fleet</th>
                </tr>
              </thead>
              <tbody>
                {traits.map(({ what, here, elsewhere }) => (
                  <tr key={what}>
                    <td>{what}</td>
                    <td>{here}</td>
                    <td>{elsewhere === '' ? <span class="faint">the same</span> : elsewhere}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
      <div class="scroll-x">
        <table class="plain figures">
          <thead>
            <tr>
              <th>Machine</th>
              <th>Why</th>
              <th class="numeric">Distance</th>
              <th>Day one</th>
              <th>Move</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((member) => (
              <tr key={member.agent} data-member={member.agent}>
                <td>
                  <a href={`/machine/${member.agent}/model`}>{member.agent}</a>
                </td>
                <td>
                  {byWords[member.by]}
                  {member.leaning !== null && (
                    <span class="faint">
                      {' '}
                      nearer to {member.leaning.cohort ?? 'none'} for {counted(member.leaning.rounds, 'round')}
                    </span>
                  )}
                </td>
                <td class="numeric">{member.distance?.toFixed(2) ?? '–'}</td>
                <td>
                  <DayOne models={models.filter(({ agent }) => agent === member.agent)} />
                </td>
                <td>
                  <Mover agent={member.agent} byHand={member.by === 'hand'} act={act} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {members.length > shown.length && (
        <button type="button" onClick={() => setAll(true)}>
          {counted(members.length - shown.length, 'more machine')}
        </button>
      )}
    </article>
  );
}

/** The model that a machine was given by its cohort, as long as it counts for something. */
function DayOne({ models }: { readonly models: readonly ModelVersion[] }) {
  const given = models.find(({ evaluation, reason }) => evaluation === null && reason.startsWith('Day one'));
  if (given === undefined) return <span class="faint">–</span>;
  return (
    <>
      v{given.version}, {given.state}
    </>
  );
}

function Mover({ agent, byHand, act }: { readonly agent: string; readonly byHand: boolean; readonly act: Act }) {
  const path = `/agents/${agent}/cohort`;
  return (
    <div class="actions">
      <Entry label="Move" value="" list="cohort-names" act={(cohort) => act(path, { cohort })} />
      {byHand && (
        <Confirmed label="Free" question="Leave it to how it behaves?" act={() => act(path, { cohort: null })} />
      )}
    </div>
  );
}

/** A button that opens a field for a name. */
function Entry({
  label,
  value,
  list,
  act,
}: {
  readonly label: string;
  readonly value: string;
  readonly list?: string;
  readonly act: (name: string) => Promise<void>;
}) {
  const [text, setText] = useState<string | null>(null);
  if (text === null) {
    return (
      <button type="button" onClick={() => setText(value)}>
        {label}
      </button>
    );
  }
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    await act(text);
    setText(null);
  };
  return (
    <form onSubmit={(event) => void submit(event)} class="actions">
      <input
        aria-label="Name of the cohort"
        value={text}
        list={list}
        required
        maxLength={64}
        pattern="[A-Za-z0-9_\-]+"
        title="Letters, digits, - and _"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        {label}
      </button>
      <button type="button" onClick={() => setText(null)}>
        Cancel
      </button>
    </form>
  );
}

function Alone({ alone, act }: { readonly alone: CohortsState['alone']; readonly act: Act }) {
  if (alone.length === 0) return null;
  return (
    <section>
      <h2>In no cohort</h2>
      <ul class="plain">
        {alone.slice(0, SHOWN).map(({ agent, why }) => (
          <li key={agent}>
            <a href={`/machine/${agent}`}>{agent}</a>{' '}
            <span class="faint">{why === 'alone' ? 'like no other' : 'too young to say'}</span>{' '}
            <Mover agent={agent} byHand={false} act={act} />
          </li>
        ))}
      </ul>
      {alone.length > SHOWN && <p class="faint">And {counted(alone.length - SHOWN, 'more machine')}.</p>}
    </section>
  );
}
