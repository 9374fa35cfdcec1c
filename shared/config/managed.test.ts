import { expect, it } from 'vitest';
import { encodeJson } from '../trust/strict.ts';
import { allowedBy, encodeManaged, mergeLayers, originsOf, parseManaged } from './managed.ts';

const all = {
  name: 'all',
  values: { raw: 'incident', inputs: { modbus: { host: 'a', port: 502 }, 'linux.cpu': false } },
};
const own = { name: 'agent:p', values: { inputs: { modbus: { host: 'b' }, 'linux.cpu': { interval: '2s' } } } };

it('mappings merge key by key, all else is replaced by the layer above', () => {
  expect(mergeLayers([all, own])).toEqual({
    raw: 'incident',
    inputs: { modbus: { host: 'b', port: 502 }, 'linux.cpu': { interval: '2s' } },
  });
  expect(mergeLayers([all, { name: 'x', values: { inputs: { modbus: [{ host: 'c' }] } } }])).toMatchObject({
    inputs: { modbus: [{ host: 'c' }] },
  });
});

it('each value says which layer it comes from', () => {
  expect(originsOf([all, own])).toEqual([
    { key: 'raw', layer: 'all' },
    { key: 'inputs.modbus.host', layer: 'agent:p' },
    { key: 'inputs.modbus.port', layer: 'all' },
    { key: 'inputs.linux.cpu.interval', layer: 'agent:p' },
  ]);
});

it('no key of a layer reaches the prototype of anything', () => {
  const evil = JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, unknown>;
  mergeLayers([all, { name: 'x', values: evil }]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it('what the machine locks stays, also where all above it is taken away', () => {
  const layer = { inputs: { modbus: { host: 'x' }, 'linux.cpu': false }, window: '10m' };
  expect(allowedBy({}, layer, ['inputs.modbus.host', 'window'])).toEqual({
    values: { inputs: { modbus: {}, 'linux.cpu': false } },
    left: ['inputs.modbus.host', 'window'],
  });
  expect(allowedBy({}, { inputs: false }, ['inputs.modbus'])).toEqual({ values: {}, left: ['inputs'] });
});

it('what may leave the machine is made stricter and never looser', () => {
  expect(allowedBy({ raw: 'incident' }, { raw: 'demand' }, [])).toEqual({ values: {}, left: ['raw'] });
  expect(allowedBy({ raw: 'incident' }, { raw: null }, [])).toEqual({ values: {}, left: ['raw'] });
  expect(allowedBy({ raw: 'incident' }, { raw: 'never' }, [])).toEqual({ values: { raw: 'never' }, left: [] });
  expect(allowedBy({}, { raw: 'demand' }, [])).toEqual({ values: { raw: 'demand' }, left: [] });
});

it('a content is read back, and nothing else is one', () => {
  const content = {
    configuration: 1,
    agent: 'p',
    version: 3,
    layers: { all: 2, 'agent:p': 1 },
    values: { raw: 'never' },
  } as const;
  expect(parseManaged(encodeManaged(content))).toEqual(content);
  for (const wrong of [
    { ...content, configuration: 2 },
    { ...content, version: 0 },
    { ...content, agent: '../p' },
    { ...content, layers: { everybody: 1 } },
    { ...content, values: [] },
  ]) {
    expect(() => parseManaged(encodeJson(wrong))).toThrow(/configuration/);
  }
});
