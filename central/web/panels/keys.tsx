/** The keys that sign what machines obey: which there are, where they lie, and who lacks the newest list. */
import type { KeyState, KeysState } from '../../keys/api.ts';
import { get } from '../api.ts';
import { Moment } from '../components/parts.tsx';
import type { Fleet } from '../fleet.ts';
import { counted } from '../format.ts';
import { useResource } from '../resource.ts';
import { useReloadOn } from './reload.ts';

const signs: Readonly<Record<KeyState['role'], string>> = {
  root: 'the list of the others',
  model: 'models',
  configuration: 'configurations',
  rollout: 'what each machine is to run',
  command: 'commands',
};

const stateWords: Readonly<Record<KeyState['state'], string>> = {
  'in force': 'in force',
  joining: 'new: not every machine knows it',
  leaving: 'goes when all know its successor',
  waiting: 'waits for the root’s signature',
  expired: 'expired: nothing new is accepted',
};

export function KeysPanel({ agent, fleet }: { readonly agent: string; readonly fleet: Fleet }) {
  const keys = useResource('keys', (signal) => get<KeysState>('/keys', signal));
  useReloadOn(fleet, agent, 'agent', keys.reload);
  const state = keys.data;
  if (state === undefined) return null;
  const { behind, waiting } = state;
  const own = behind.find((machine) => machine.agent === agent);
  return (
    <details data-role="keys">
      <summary>
        Signing keys <span class="faint">list {state.version}</span>
      </summary>
      {own !== undefined && (
        <p class="notice warning">
          This machine has {own.version === null ? 'no list' : `list ${own.version}`}: the newest one comes with its
          next connection.
        </p>
      )}
      {waiting.list && <p class="notice warning">A new list waits for the root key, which is kept elsewhere.</p>}
      {waiting.releases > 0 && (
        <p class="notice warning">
          {counted(waiting.releases, 'release')} waiting for a key that is kept elsewhere:{' '}
          <code>picket-central keys request</code>
        </p>
      )}
      <div class="scroll-x">
        <table class="plain">
          <thead>
            <tr>
              <th>Key</th>
              <th>Signs</th>
              <th>State</th>
              <th>Private part</th>
              <th class="numeric">Known to</th>
            </tr>
          </thead>
          <tbody>
            {state.keys.map((key) => (
              <tr key={key.keyid}>
                <td>
                  {key.role} <code title={`ed25519 ${key.publicKey}`}>{key.keyid}</code>
                </td>
                <td>{signs[key.role]}</td>
                <td>
                  {stateWords[key.state]}
                  {key.notAfterMs !== null && (
                    <>
                      , until <Moment ms={key.notAfterMs} />
                    </>
                  )}
                </td>
                <td>{key.here ? 'at the central' : 'elsewhere'}</td>
                <td class="numeric">
                  {key.acceptedBy} of {state.machines}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {behind.length > 0 && (
        <p class="faint">
          With an older list:{' '}
          {behind
            .slice(0, 10)
            .map((machine) => machine.agent)
            .join(', ')}
          {behind.length > 10 && `, and ${behind.length - 10} more`}
        </p>
      )}
    </details>
  );
}
