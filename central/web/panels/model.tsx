/** The machine's models: which runs, which were tried, how each compared, and training by hand. */
import { useState } from 'preact/hooks';
import type { AgentState, EvaluationFigures, ModelVersion, TrainingWindow } from '../../api.ts';
import { get, send, wordsOf } from '../api.ts';
import { Confirmed } from '../components/confirmed.tsx';
import { Empty, Failure, Moment, Skeleton } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { counted, digits, formatBytes, formatCount, formatShare } from '../format.ts';
import { useResource } from '../resource.ts';
import { KeysPanel } from './keys.tsx';
import { useReloadOn } from './reload.ts';

const stateWords: Readonly<Record<ModelVersion['state'], string>> = {
  challenger: 'being compared',
  rejected: 'not better',
  staged: 'in a rollout',
  published: 'on its way',
  applied: 'running',
  refused: 'refused by the machine',
  reverted: 'reverted',
  superseded: 'replaced',
};

export function ModelPanel({ agent, fleet }: { readonly agent: AgentState; readonly fleet: Fleet }) {
  const models = useResource(`models ${agent.id}`, (signal) =>
    get<{ models: readonly ModelVersion[] }>(`/agents/${agent.id}/models`, signal),
  );
  useReloadOn(fleet, agent.id, 'model', models.reload);
  useReloadOn(fleet, agent.id, 'agent', models.reload);
  const [training, setTraining] = useState(false);
  const [outcome, setOutcome] = useState('');
  const train = async (): Promise<void> => {
    setTraining(true);
    setOutcome('');
    try {
      const answer = await send<{ models: readonly ModelVersion[] }>('POST', '/models/train', { agent: agent.id });
      const made = answer.models.map(({ version, reason }) => `Version ${version}: ${reason}`);
      setOutcome(made.length === 0 ? 'There is not enough history yet to train from.' : made.join(' '));
      models.reload();
    } catch (error) {
      setOutcome(wordsOf(error));
    }
    setTraining(false);
  };
  const found = models.data?.models;
  return (
    <div class="panel">
      <p class="lead">
        A model says what this machine is expected to do at this hour. It is trained from its history here, compared
        with the running one on time that it has not seen, signed, and sent only when it is better.
      </p>
      <p class="actions">
        <button
          type="button"
          class="primary"
          disabled={training || agent.retiredMs !== null}
          onClick={() => void train()}
        >
          {training ? 'Training…' : 'Train now'}
        </button>
        <span role="status" data-role="training">
          {outcome}
        </span>
      </p>
      {found === undefined && models.error !== undefined && <Failure error={models.error} onRetry={models.reload} />}
      {found === undefined && models.error === undefined && <Skeleton lines={3} label="Loading the models" />}
      {found?.length === 0 && (
        <Empty title="No model yet">
          <p class="hint">The first is trained by itself after a few minutes of history.</p>
        </Empty>
      )}
      {[...(found ?? [])]
        .sort((a, b) => b.version - a.version)
        .map((model) => (
          <Version key={model.version} model={model} running={agent.modelVersion === model.version} />
        ))}
      {(agent.reported?.refusals.length ?? 0) > 0 && <Refusals agent={agent} />}
      <KeysPanel agent={agent.id} fleet={fleet} />
    </div>
  );
}

function Version({ model, running }: { readonly model: ModelVersion; readonly running: boolean }) {
  const { evaluation } = model;
  const [outcome, setOutcome] = useState('');
  const pin = (): Promise<void> =>
    send('POST', `/models/${model.version}/pin`).then(
      () => setOutcome('Pinned.'),
      (error: unknown) => setOutcome(wordsOf(error)),
    );
  return (
    <article class={`card version ${running ? 'running' : ''}`} data-version={model.version}>
      <header>
        <h3>
          <a href={`/models/${model.version}`}>Version {model.version}</a> <span class="faint">{model.kind}</span>
        </h3>
        <span class={`model-state ${model.state}`}>{running ? 'running' : stateWords[model.state]}</span>
      </header>
      <p>{model.reason}</p>
      {model.releaseSha256 !== '' && (
        <p class="actions">
          <Confirmed
            label={running ? 'Pin' : 'Run this, and pin it'}
            question={`Keep ${model.agent} on version ${model.version}, whatever is trained?`}
            act={pin}
          />
          <span role="status">{outcome}</span>
        </p>
      )}
      <p class="faint">
        Trained <Moment ms={model.trainedMs} /> from <Moment ms={model.fromMs} /> to <Moment ms={model.toMs} />,{' '}
        {formatCount(model.series)} series, {formatBytes(model.contentBytes)},{' '}
        <code title={`SHA-256 of the signed release: ${model.releaseSha256}`}>{model.releaseSha256.slice(0, 12)}</code>
      </p>
      {model.window !== undefined && <Learned window={model.window} />}
      {evaluation !== null && (
        <div class="scroll-x">
          <table class="plain figures">
            <thead>
              <tr>
                <th>
                  On {counted(evaluation.windows, 'window')} held out, from <Moment ms={evaluation.heldOutFromMs} />
                </th>
                <th class="numeric">This version</th>
                <th class="numeric">The one before</th>
              </tr>
            </thead>
            <tbody>
              <Figure name="inside the expected band" of={evaluation} value={(one) => formatShare(one.coverage)} />
              <Figure
                name="loss at the band’s ends (less is better)"
                of={evaluation}
                value={(one) => digits(one.pinball)}
              />
              <Figure name="findings a day" of={evaluation} value={(one) => digits(one.findingsPerDay)} />
            </tbody>
          </table>
        </div>
      )}
    </article>
  );
}

/** How much of its training time was there, and what came after it. */
function Learned({ window }: { readonly window: TrainingWindow }) {
  const { expectedMinutes, presentMinutes, lateMinutes } = window;
  return (
    <>
      <p class="faint">
        Of {counted(expectedMinutes, 'minute')} of that time {formatCount(presentMinutes)} were there to learn from.
      </p>
      {lateMinutes > 0 && (
        <p class="notice warning" data-role="incomplete">
          Trained on an incomplete window: {counted(lateMinutes, 'minute')} of it came later. Where that is much, it is
          trained anew by itself.
        </p>
      )}
    </>
  );
}

interface FigureProps {
  readonly name: string;
  readonly of: NonNullable<ModelVersion['evaluation']>;
  readonly value: (figures: EvaluationFigures) => string;
}

function Figure({ name, of, value }: FigureProps) {
  return (
    <tr>
      <td>{name}</td>
      <td class="numeric">{value(of.challenger)}</td>
      <td class="numeric">{of.champion === null ? <span class="faint">none</span> : value(of.champion)}</td>
    </tr>
  );
}

function Refusals({ agent }: { readonly agent: AgentState }) {
  return (
    <section>
      <h3>Refused by the machine</h3>
      <ul class="refusals">
        {agent.reported?.refusals.map((refusal) => (
          <li key={`${refusal.atMs} ${refusal.what} ${refusal.code}`}>
            <Moment ms={refusal.atMs} /> <b>{refusal.what}</b> {refusal.message} <code>{refusal.code}</code>
          </li>
        ))}
      </ul>
    </section>
  );
}
