import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { layerSchema } from '../../central/configuration/schemas.ts';
import { type Problem, parseValue } from '../../shared/config/schema.ts';
import { version } from '../../shared/version.ts';
import { agentConfigSchema } from '../config.ts';
import { inputKinds } from '../inputs/registry.ts';
import { effectiveConfiguration, type LocalConfiguration, touchesConnection } from './effective.ts';

const schema = agentConfigSchema(inputKinds);
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'picket-secrets-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function localOf(raw: Record<string, unknown>): LocalConfiguration {
  const parsed = parseValue(schema, raw);
  if (!parsed.ok) throw new Error(parsed.problems[0]!.message);
  return { config: parsed.value, raw, file: null };
}

const effective = (raw: Record<string, unknown>, values: Record<string, unknown> | null) =>
  effectiveConfiguration(localOf(raw), values, inputKinds);

describe('the configuration that holds', () => {
  it('is the central over the own file, but for what is local only or locked', async () => {
    const local = { data: '/own', window: '10m', raw: 'incident', locked: ['budget'], budget: { findingsPerDay: 3 } };
    const { config, left } = await effective(local, { window: '1m', raw: 'demand', budget: { findingsPerDay: 9 } });
    expect(config).toMatchObject({ data: '/own', window: 60_000, raw: 'incident', budget: { findingsPerDay: 3 } });
    expect(left).toEqual(['budget', 'raw']);
  });

  for (const key of ['data', 'connection', 'host', 'site', 'managed', 'locked', 'secrets']) {
    it(`refuses \`${key}\` of the central, also \`null\``, async () => {
      await expect(effective({}, { [key]: null })).rejects.toThrow(`${key}: is local only`);
    });
  }

  it('names what is wrong with it', async () => {
    await expect(effective({}, { backlogRate: '1B', colour: 'red' })).rejects.toThrow(
      /colour: "colour" is not a key.*backlogRate: "1B" is not allowed/,
    );
    // A rule between keys, which only the machine knows.
    await expect(effective({}, { rules: { mine: { metric: 'x' } } })).rejects.toThrow(/rules\.mine/);
  });

  it('knows what the connection depends on', async () => {
    const { config } = await effective({}, null);
    expect(touchesConnection(config, (await effective({}, { uplink: '30MB/month' })).config)).toBe(true);
    expect(touchesConnection(config, (await effective({}, { budget: { findingsPerDay: 9 } })).config)).toBe(false);
  });
});

describe('secrets', () => {
  const write = (text: string, mode = 0o600): string => {
    const file = join(folder, 'secrets');
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };
  const site = (secrets: string | undefined) => ({
    ...(secrets === undefined ? {} : { secrets }),
    site: { broker: 'mqtt://127.0.0.1:1883', password: `\${secret:site}` },
  });

  it('are put where the schema says that a value is one', async () => {
    const file = write('# of the site\nother=a\nsite=with = and spaces \n');
    expect((await effective(site(file), null)).config.site?.password).toBe('with = and spaces ');
  });

  it('are refused where others may read the file, where it is not there, or where it lacks one', async () => {
    await expect(effective(site(write('site=x\n', 0o640)), null)).rejects.toThrow(/others \(mode 640\): `chmod 600/);
    await expect(effective(site(write('other=hush\n')), null)).rejects.toThrow(/there is no secret "site" in/);
    await expect(effective(site(join(folder, 'none')), null)).rejects.toThrow(/cannot be read/);
    await expect(effective(site(undefined), null)).rejects.toThrow(/names no file of secrets/);
    await expect(effective(site(write('site\n')), null)).rejects.toThrow(/secrets:1: must be `name=value`/);
    await expect(effective(site('/dev/null'), null)).rejects.toThrow(/is no file/);
  });

  it('are never put where a value is shown: a central cannot have one told', async () => {
    const file = write('site=hush-hush\n');
    const name = { modbus: { name: `\${secret:site}`, host: 'h', registers: [{ name: 't', address: 1 }] } };
    const refused = effective({ secrets: file }, { inputs: name });
    await expect(refused).rejects.toThrow(/inputs\.modbus\.name: .*is not allowed/);
    await expect(refused).rejects.not.toThrow(/hush-hush/);
  });
});

describe('the document that the central judges by', () => {
  const judge = layerSchema(version.split('.').slice(0, 2).join('.'));
  const problemsOf = (of: typeof judge | typeof schema, values: unknown) => {
    const problems: Problem[] = [];
    of.parse(values, [], problems);
    return problems.map(({ path, message }) => [path, message]);
  };
  for (const values of [
    { outbox: { size: '1kB' } },
    { outbox: { size: 5 } },
    { outbox: { commitInterval: '2h' } },
    { limits: { series: 1.5 } },
    { limits: { series: '20' } },
    { raw: 'allways' },
    { window: '5m' },
    { uplink: '30MB' },
    { log: { level: 'warm' } },
    { inputs: { 'linux.cpu': { intervall: '1s' } } },
    { inputs: { 'linux.cpu': { interval: '1ms' } } },
    { inputs: { 'linux.disk': { exclude: 'sda' } } },
    { inputs: { 'linux.disk': { exclude: [5] } } },
    { inputs: { modbus: { name: 'm', host: 'h', registers: [{ name: 't', address: 70_000, type: 'in16' }] } } },
    { rules: { 'Not An Id': false } },
    { forecast: { disk: 'soon' } },
    { budget: [] },
  ]) {
    it(`says the same as the agent of ${JSON.stringify(values)}`, () => {
      const agents = problemsOf(schema, values);
      expect(agents).not.toEqual([]);
      expect(problemsOf(judge, values)).toEqual(agents);
    });
  }

  it('finds nothing wrong with what is right', () => {
    const values = {
      inputs: { 'linux.cpu': { interval: '2s' }, 'linux.load': false, modbus: { interval: '5s' } },
      rules: { 'disk-space-low': false, hot: { metric: 't', above: 90 } },
      uplink: '30MB/month',
      timezone: 'Europe/Zurich',
    };
    expect(problemsOf(judge, values)).toEqual([]);
  });
});
