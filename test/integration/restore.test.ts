/**
 * The central's machine is lost, and another takes its place from a backup, at the same address: agents find it by
 * themselves (same CA, same credentials), what was in the backup is there, and what agents still hold comes again.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AgentState, ModelVersion, Stranger } from '../../central/api.ts';
import type { SeriesKey } from '../../shared/series.ts';
import { seriesId } from '../../shared/trust/hash.ts';
import { GoldenMachine } from '../support/golden-machine.ts';
import { seededNormal } from '../support/history.ts';
import { ownAddress } from '../support/own-address.ts';
import { until } from '../support/processes.ts';
import { ScriptedAgent } from '../support/scripted-agent.ts';
import { tellHistory } from '../support/synthetic.ts';
import { type Central, drained, freePort, System } from '../support/system.ts';

const PASSPHRASE = { PICKET_BACKUP_PASSPHRASE: 'correct horse battery staple' };
const WINDOWS = 60;
const DEADLINE_MS = 90_000;
/** None that the agents have by themselves. */
const pressure: SeriesKey = { name: 'test.pressure', unit: 'bar', attributes: {} };

let system: System;
beforeEach(() => {
  system = new System();
});
afterEach(() => system.close());

interface Status {
  readonly caFingerprint: string;
  readonly strangers: readonly Stranger[];
}

async function history(central: Central, agent: string, series: SeriesKey): Promise<readonly number[]> {
  const to = Date.now() + 60_000;
  const range = `from=${to - 4 * 3_600_000}&to=${to}`;
  type Answer = { readonly series: readonly { readonly mean: readonly number[] }[] };
  const answer = await central.get<Answer>(`/agents/${agent}/summaries?series=${seriesId(series)}&${range}`);
  return answer.series[0]?.mean ?? [];
}

const manifestOf = ({ reported }: AgentState): number => reported?.manifestVersion ?? 0;

/** Waits until the state of this agent at the central is like that. */
function state(central: Central, id: string, what: string, like: (state: AgentState) => boolean) {
  let last: AgentState | null = null;
  return until(
    what,
    async () => {
      last = await central.state(id).catch(() => null);
      return last !== null && like(last) ? last : null;
    },
    DEADLINE_MS,
    () => last,
  );
}

/** Its incarnation, as a record's acknowledgement says it. */
async function incarnation(scripted: ScriptedAgent): Promise<string> {
  await scripted.send([scripted.frame(scripted.record('event', new Uint8Array()))]);
  return await until('an acknowledgement', () => scripted.acks.at(-1)?.incarnation);
}

test('a lost central comes back from its backup, and agents go on with it', async () => {
  const address = ownAddress();
  const http = `${address}:${await freePort(address)}`;
  const mqtt = `${address}:${await freePort(address)}`;
  const config = 'training: {firstAfter: 1d}\nrollout: {shadow: 0s, canary: 0s}\n';
  const agentConfig = `outbox: {commitInterval: 1s}\n${new GoldenMachine(system, 'vm').config}`;
  const lost = await system.central({ name: 'lost', http, mqtt, config });
  const { caFingerprint } = await lost.get<Status>('/status');
  const pinned = ['--ca-fingerprint', caFingerprint];

  // Two machines with history; one has a model that runs, the other a first manifest, which names none yet.
  const pump = system.agent('pump', agentConfig);
  const { agent: pumpId } = await pump.enrolAt(lost, ...pinned);
  const fan = system.agent('fan', agentConfig);
  const { agent: fanId } = await fan.enrolAt(lost, ...pinned);
  let oldIncarnation = '';
  for (const machine of [pump, fan]) {
    const normal = seededNormal(5);
    const told = await ScriptedAgent.connect(machine.enrolment());
    await tellHistory(told, [pressure], WINDOWS, () => 10 + normal());
    oldIncarnation = await incarnation(told);
    await told.close();
  }
  const trained = await lost.post<{ models: readonly ModelVersion[] }>('/models/train', { agent: pumpId });
  expect(trained.models).toMatchObject([{ version: 1, state: 'published' }]);
  await Promise.all([pump.start(), fan.start()]);
  await state(lost, pumpId, 'the pump runs its model', ({ modelVersion }) => modelVersion === 1);
  await state(lost, fanId, 'the fan has its first manifest', (fanState) => manifestOf(fanState) >= 1);
  const token = await lost.token(2);
  const means = await history(lost, pumpId, pressure);
  expect(means.length).toBe(WINDOWS);

  const file = join(system.directory, 'monday.backup');
  const backup = await lost.command(['backup', file], PASSPHRASE);
  expect(backup).toMatchObject({ code: 0, stderr: '' });
  expect(backup.stdout).toMatch(/2 agents, .* read back and whole/);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const rootKey = readFileSync(join(lost.data, 'keys', 'root.pem'), 'utf8');
  const bytes = readFileSync(file);
  for (const secret of [rootKey.split('\n')[1]!, caFingerprint, pumpId]) expect(bytes.includes(secret)).toBe(false);

  const data = join(system.directory, 'new-machine');
  const cut = join(system.directory, 'cut.backup');
  writeFileSync(cut, bytes.subarray(0, bytes.length - 1));
  const refused = await Promise.all([
    restore(lost, data, file, { PICKET_BACKUP_PASSPHRASE: 'another passphrase' }),
    restore(lost, data, cut, PASSPHRASE),
    restore(lost, lost.data, file, PASSPHRASE),
  ]);
  expect(refused.map(({ code }) => code)).toEqual([77, 65, 75]);
  expect(existsSync(data)).toBe(false);

  // What the backup does not know: records of another start, a model of the fan with its manifest, a third machine.
  await pump.stop();
  await pump.start();
  const second = await lost.post<{ models: readonly ModelVersion[] }>('/models/train', { agent: fanId });
  expect(second.models).toMatchObject([{ version: 2, state: 'published' }]);
  await state(
    lost,
    fanId,
    'the fan runs a model',
    ({ modelVersion, desiredVersion }) => modelVersion === 2 && desiredVersion === 2,
  );
  const late = system.agent('late', agentConfig);
  const enrolledLate = await late.enrol(lost.url, '--token', token, '--name', 'late', ...pinned);
  expect(enrolledLate.code).toBe(0);
  const { agent: lateId } = late.enrolment();
  await late.start();
  await drained(lost, lateId, 1, DEADLINE_MS);
  const before = await drained(lost, pumpId, 3, DEADLINE_MS);

  const kinds = ({ flags }: AgentState) => flags.map(({ kind }) => kind).sort();
  const flagged = kinds(await lost.state(pumpId));
  const floor = manifestOf(await lost.state(fanId));
  await lost.program.end('SIGKILL');
  rmSync(lost.data, { recursive: true });

  expect(await restore(lost, data, file, PASSPHRASE)).toMatchObject({ code: 0 });
  const central = await system.central({ name: 'new-machine', data, http, mqtt, config });

  // The same central to its agents: they connect without anybody's help.
  expect((await central.get<Status>('/status')).caFingerprint).toBe(caFingerprint);
  expect(readFileSync(join(data, 'keys', 'root.pem'), 'utf8')).toBe(rootKey);
  const after = await drained(central, pumpId, 3, DEADLINE_MS);
  expect(await history(central, pumpId, pressure)).toEqual(means);
  expect(after.totals).toMatchObject({ lost: 0, pending: 0 });
  // All that its two starts made, and what the scripted one had told before the backup.
  for (const row of before.rows) {
    const again = after.rows.find(({ epoch }) => epoch === row.epoch);
    expect(again?.committed).toBeGreaterThanOrEqual(row.committed);
  }
  await state(central, pumpId, 'the pump is known to run its model', ({ modelVersion }) => modelVersion === 1);
  // What comes again is no clone.
  expect(kinds(await central.state(pumpId))).toEqual(flagged);
  expect(await central.get('/models/1')).toMatchObject({ agent: pumpId, state: 'applied' });

  // Above the floor that the fan has from the lost one.
  await state(central, fanId, 'the fan takes a manifest', (fanState) => manifestOf(fanState) > floor);
  await central.post('/models/train', { agent: fanId });
  await state(central, fanId, 'the fan takes a model', ({ modelVersion, desiredVersion }) => {
    return modelVersion === 2 && desiredVersion === 2;
  });

  // Who was enrolled since is told to the operator, and keeps its data.
  const stranger = await until(
    'the late one is seen',
    async () => (await central.get<Status>('/status')).strangers.find(({ agent }) => agent === lateId),
    DEADLINE_MS,
  );
  expect(stranger.advice).toMatch(/enrolled after the backup of .*enrol it again/);
  await central.program.said(new RegExp(`agent ${lateId} is not enrolled: it was perhaps enrolled after the backup`));
  const again = await late.enrol(central.url, '--token', token, '--again', ...pinned);
  expect(again.stderr).toContain('revoked');
  await late.stop();
  const fresh = await central.token();
  expect(await late.enrol(central.url, '--token', fresh, '--again', ...pinned)).toMatchObject({ code: 0 });
  await late.start();
  const saved = await drained(central, late.enrolment().agent, 2, DEADLINE_MS);
  expect(saved.totals.lost).toBe(0);

  // Another incarnation; last, as who speaks in the pump's name ends its connection.
  await pump.stop();
  const asked = await ScriptedAgent.connect(pump.enrolment());
  expect(await incarnation(asked)).not.toBe(oldIncarnation);
  await asked.close();
}, 240_000);

/** `picket-central restore` to a directory of the new machine. */
function restore(central: Central, data: string, file: string, env: Readonly<Record<string, string>>) {
  return central.command(['restore', file, '--data', data], env);
}
