/** How the newest version of a layer moves over its machines, and what an operator may do with it. */
import type { ConfigurationMember, ConfigurationOrder, ConfigurationRollout } from '../../configuration/api.ts';
import { send, wordsOf } from '../api.ts';
import { Confirmed } from '../components/confirmed.tsx';
import { Moment } from '../components/parts.tsx';
import { counted, formatCount } from '../format.ts';
import type { LayerProps } from './configuration-editor.tsx';

/** Machines that are listed, the lost ones first; the others are counted. */
const SHOWN = 20;
const stageWords: Readonly<Record<ConfigurationRollout['stage'], string>> = {
  canary: 'on the first machines',
  all: 'going to all',
  done: 'on all',
  reverted: 'reverted',
};

export function ConfigurationMoves({ layer, path, told, changed }: LayerProps) {
  const { rollout } = layer;
  if (rollout === null) return null;
  const order = async (what: ConfigurationOrder): Promise<void> => {
    try {
      await send('POST', `${path}/${what}`);
      told('');
    } catch (error) {
      told(wordsOf(error));
    }
    changed();
  };
  const { version, stage, reason, sinceMs, pausedMs, from } = rollout;
  const members = Object.values(rollout.members);
  const over = stage === 'done' || stage === 'reverted';
  const has = members.filter(({ appliedMs, lost }) => appliedMs !== null && lost === null).length;
  const lost = members.filter((member) => member.lost !== null).length;
  const shown = [...members].sort((a, b) => rank(a) - rank(b)).slice(0, SHOWN);
  return (
    <article class="card version" data-stage={stage}>
      <header>
        <h3>Version {version}</h3>
        <span class="model-state">{pausedMs === null ? stageWords[stage] : `${stageWords[stage]}, paused`}</span>
      </header>
      <p>{reason}</p>
      <p class="faint">
        Since <Moment ms={sinceMs} />. {formatCount(has)} of {counted(members.length, 'machine')} have it,{' '}
        {formatCount(lost)} lost it. {from === 0 ? 'There was none before.' : `Before it was version ${from}.`}
      </p>
      <p class="actions">
        {!over && pausedMs === null && <Confirmed label="Pause" question="Hold it here?" act={() => order('pause')} />}
        {!over && pausedMs !== null && (
          <Confirmed label="Resume" question="Let it go on?" act={() => order('resume')} />
        )}
        {stage === 'canary' && pausedMs === null && (
          <Confirmed label="Promote" question="Give it to all machines at once?" act={() => order('promote')} />
        )}
        {stage !== 'reverted' && (
          <Confirmed
            label="Roll back"
            question="Bring all its machines back to the version before?"
            act={() => order('rollback')}
          />
        )}
      </p>
      {shown.length > 0 && (
        <div class="scroll-x">
          <table class="plain figures">
            <thead>
              <tr>
                <th>Machine</th>
                <th>State</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((member) => (
                <tr key={member.agent} data-machine={member.agent}>
                  <td>
                    <a href={`/machine/${member.agent}/model`}>{member.agent}</a>
                  </td>
                  <td>{stateOf(member)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {members.length > shown.length && (
        <p class="faint">And {counted(members.length - shown.length, 'more machine')}.</p>
      )}
    </article>
  );
}

function rank({ lost, canary, appliedMs }: ConfigurationMember): number {
  if (lost !== null) return 0;
  return canary ? 1 : appliedMs === null ? 2 : 3;
}

function stateOf({ lost, canary, toldMs, appliedMs, awayMs }: ConfigurationMember): string {
  if (lost !== null) return lost;
  const first = canary ? 'one of the first: ' : '';
  if (awayMs !== null) return `${first}${appliedMs === null ? 'not connected' : 'has it, not connected now'}`;
  if (appliedMs !== null) return `${first}has it`;
  return `${first}${toldMs === null ? 'waits' : 'was told'}`;
}
