/**
 * Signed documents and files as each version of Picket wrote them, a folder a version: what is written today must stay
 * readable, so that a central and its agents may be of different versions, and an agent finds its own files after an
 * upgrade. A folder is never changed; a version that changes a form adds one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readApplyState } from '../../../agent/apply/state.ts';
import { parseEnvelope } from '../../../shared/trust/dsse.ts';
import { parseEnrolment } from '../../../shared/trust/enrolment.ts';
import { verifyKeyList } from '../../../shared/trust/key-list.ts';
import { parseReported } from '../../../shared/trust/reported.ts';
import { carriedKeys, verifyCommand, verifyManifest, verifyRelease } from '../../../shared/trust/verify.ts';

/** When the documents were made. */
const madeMs = Date.UTC(2026, 0, 1);
const versions = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe.each(versions.map(({ name }) => name))('of version %s', (version) => {
  const bytes = (name: string) => readFileSync(join(import.meta.dirname, version, `${name}.json`));
  const json = (name: string) => JSON.parse(bytes(name).toString()) as Record<string, unknown>;
  const envelope = (name: string) => parseEnvelope(bytes(name), name);
  const { rootKey } = json('root') as { rootKey: string };
  const keys = verifyKeyList(rootKey, envelope('keys'), 0);

  test('the list of keys has each role', () => {
    const roles = keys.keys.map(({ role }) => role);
    for (const role of ['model', 'rollout', 'command']) expect(roles).toContain(role);
  });

  test('the manifest, the release that it names, the command', () => {
    const signed = envelope('manifest');
    expect(carriedKeys(signed)?.payloadType).toBe('application/vnd.picket.keys+json');
    const manifest = verifyManifest(signed, { agent: 'a1', floor: 6, keys, nowMs: madeMs });
    expect(manifest).toMatchObject({ version: 7, notificationsPerWeek: 1.5 });
    const supports = [{ kind: 'model/seasonal', major: 1, featureVersion: 1 }];
    const context = { agent: 'a1', cohorts: manifest.cohorts, keys, supports, nowMs: madeMs };
    expect(verifyRelease(envelope('release'), manifest.releases[0]!, context)).toMatchObject({ contentBytes: 22 });
    const { what } = verifyCommand(envelope('command'), { agent: 'a1', keys, nowMs: madeMs });
    expect(what).toEqual({
      mute: { forMs: 3_600_000, rule: null, series: null, reason: 'a disk is changed', by: 'kim' },
    });
  });

  test('what an agent keeps and says', () => {
    expect(parseEnrolment(json('enrolment'), 'enrolment')).toMatchObject({ agent: 'a1', name: 'pump-house', rootKey });
    const state = readApplyState(bytes('apply-state'));
    expect(state).toMatchObject({ floor: 7, notificationsPerWeek: 1.5 });
    expect(verifyKeyList(rootKey, state.keys!, 1)).toEqual(keys);
    const said = parseReported(bytes('reported'));
    expect(said).toMatchObject({ manifestVersion: 7, commandsDone: ['c1'], applied: [{ slot: 'model/seasonal' }] });
    expect(said.refusals[0]?.code).toBe('manifest.expired');
  });
});

/** From the version with shadows and trials on; those of before are read as having none. */
const withShadows = '0.3';

test.each(versions.map(({ name }) => name))('version %s: what runs beside, and what was taken back', (version) => {
  const bytes = (name: string) => readFileSync(join(import.meta.dirname, version, `${name}.json`));
  const { rootKey } = JSON.parse(bytes('root').toString()) as { rootKey: string };
  const keys = verifyKeyList(rootKey, parseEnvelope(bytes('keys'), 'keys'), 0);
  const context = { agent: 'a1', floor: 6, keys, nowMs: madeMs };
  const { shadows } = verifyManifest(parseEnvelope(bytes('manifest'), 'manifest'), context);
  const { beside, reverted } = parseReported(bytes('reported'));
  const state = readApplyState(bytes('apply-state'));
  if (version < withShadows) {
    expect([shadows, beside, reverted]).toEqual([undefined, undefined, undefined]);
    expect(state).toMatchObject({ shadows: {}, trials: {}, reverted: [] });
    return;
  }
  expect(shadows).toMatchObject([{ slot: 'model/seasonal', releaseSha256: beside![0]!.besideSha256 }]);
  expect(beside).toMatchObject([{ windows: 1200, besideMs: 13, dropped: expect.stringContaining('too loud') }]);
  expect(reverted).toEqual(state.reverted);
  expect(state.trials).toMatchObject({ 'model/seasonal': { starts: 1, beforeBytes: 8 * 2 ** 20 } });
  expect(state.shadows['model/seasonal']!.releaseSha256).toBe(shadows![0]!.releaseSha256);
});

/** The fields of a document, with their types; of a list the first item's. */
function shapeOf(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) return value.length === 0 ? [] : shapeOf(value[0], `${path}[]`);
  if (typeof value !== 'object' || value === null) return [`${path}: ${value === null ? 'null' : typeof value}`];
  return Object.entries(value).flatMap(([name, inner]) => shapeOf(inner, `${path}.${name}`));
}

test.each(['keys', 'release', 'manifest', 'command', 'enrolment', 'apply-state', 'reported'])(
  'a later version of %s only adds fields: those who know the earlier one find theirs',
  (name) => {
    const shapes = versions.map((version) => {
      const json = JSON.parse(readFileSync(join(import.meta.dirname, version.name, `${name}.json`), 'utf8')) as object;
      const payload = 'payload' in json ? JSON.parse(Buffer.from(String(json.payload), 'base64').toString()) : {};
      return [...shapeOf(json), ...shapeOf(payload, 'payload')];
    });
    for (const [i, shape] of shapes.entries()) {
      for (const later of shapes.slice(i + 1)) expect(later).toEqual(expect.arrayContaining(shape));
    }
  },
);
